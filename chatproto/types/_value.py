"""The base of every value.

A value is an attrs class whose instances hold only what is set: a field that is unset, or set to None, is not in the
instance's ``__dict__``, and reading it gives the class's default (None, but for a handful). So a value costs what it
holds and not what its class could hold, and presence is a dictionary look-up.

Three things are generic here and not generated a class: ``__init__``, which takes each field by either spelling and
converts what programs hand over (a dict for a value, a string for an enum, base64 for bytes); ``__eq__``, by content;
``__repr__``, short, without secrets and long blobs. Generating them for 150 classes would be most of the import time.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeVar, dataclass_transform

import attrs

from ..errors import ValidationError

__all__ = ["Extra", "Field", "Setting", "Value", "field", "fields_of", "value"]

T = TypeVar("T", bound="Value")

EXTRA = "_extra"
_SHORT = 60  # characters or bytes of one field that a repr shows
_LEVELS = 8  # of lists and dicts in one field


class Extra(dict[str, Any]):
    """What came on the wire and no field holds: unknown keys, and known keys that were null.

    ``spelling`` maps a field to the key that it came under, where that is not its usual one
    (``inline_data`` for ``inlineData``).
    """

    spelling: dict[str, str]

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        super().__init__(items or {})
        self.spelling = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Extra, (dict(self),), {"spelling": self.spelling}


def field(
    *, default: Any = None, also: tuple[str, ...] = (), wire: str = "", local: bool = False, secret: bool = False
) -> Any:
    """A field that needs more said than its annotation does.

    ``wire`` is its key in JSON where that is not its name in camel case; ``also`` are further keys that it may come
    under; a ``local`` field is never sent and never read from a response; the value of a ``secret`` one is masked in
    ``repr``.
    """
    return attrs.field(default=default, metadata={"also": also, "wire": wire, "local": local, "secret": secret})


class Field:
    """One field of a class: its names, and on first use its type."""

    __slots__ = ("_annotation", "_convert", "_owner", "_type", "also", "local", "name", "secret", "wire")

    def __init__(self, attribute: attrs.Attribute[Any], owner: type[Value]) -> None:
        about = attribute.metadata
        self.name: str = attribute.name
        self.wire: str = about.get("wire") or _camel(attribute.name)
        self.also: tuple[str, ...] = about.get("also", ())
        self.local: bool = about.get("local", False)
        self.secret: bool = about.get("secret", False)
        self._annotation: Any = attribute.type
        self._owner = owner
        self._type: Any = None
        self._convert: Callable[[Any, Any], Any] | None = None

    @property
    def type(self) -> Any:
        """The annotation, evaluated. Late, because it may load the module of another family of values."""
        if self._type is None:
            self._type = _evaluate(self._annotation, self._owner, self.name)
        return self._type

    def convert(self, item: Any) -> Any:
        """What a program hands over for this field, as it is held. Raises ValidationError, with the field's name."""
        convert = self._convert
        if convert is None:
            from ._hooks import converter

            convert = self._convert = converter("user").get_structure_hook(self.type)
        try:
            return convert(item, self._type)
        except ValidationError as error:
            raise error.under(f".{self.name}") from None


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


class _TypesNamespace(Mapping[str, Any]):
    """The names of ``chatproto.types``, each loaded when an annotation mentions it."""

    def __getitem__(self, name: str) -> Any:
        from chatproto import types

        try:
            return getattr(types, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_NAMESPACE = _TypesNamespace()


class _Annotated:
    """Carries one annotation to ``typing.get_type_hints``."""


def _evaluate(annotation: Any, owner: type[Value], name: str) -> Any:
    import sys

    # The class that declares the field may be a base of the owner, in another module.
    home = next(base for base in owner.__mro__ if name in base.__dict__.get("__annotations__", {}))  # noqa: RUF063
    carrier = _Annotated()
    carrier.__annotations__ = {name: annotation}
    return typing.get_type_hints(carrier, sys.modules[home.__module__].__dict__, _NAMESPACE)[name]


_fields: dict[type[Value], tuple[Field, ...]] = {}
_keys: dict[type[Value], dict[str, Field]] = {}


def fields_of(cls: type[Value]) -> tuple[Field, ...]:
    """The fields of ``cls``, in the order of declaration."""
    found = _fields.get(cls)
    if found is None:
        found = _fields[cls] = tuple(Field(attribute, cls) for attribute in _attributes_of(cls))
    return found


def _attributes_of(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    # Type checkers do not see that ``value`` makes attrs classes.
    return typing.cast("tuple[attrs.Attribute[Any], ...]", attrs.fields(cls))


def keys_of(cls: type[Value]) -> dict[str, Field]:
    """Every key that a field of ``cls`` may come under: its wire key, its Python name and its further keys."""
    found = _keys.get(cls)
    if found is None:
        found = _keys[cls] = {
            key: each for each in fields_of(cls) for key in dict.fromkeys((each.wire, each.name, *each.also))
        }
    return found


@dataclass_transform(kw_only_default=True, field_specifiers=(field, attrs.field))
def value(cls: type[T]) -> type[T]:
    """Make ``cls`` an attrs class whose fields are stored sparsely."""
    made = attrs.define(
        slots=False, init=False, eq=False, repr=False, unsafe_hash=False, on_setattr=attrs.setters.NO_OP
    )(cls)
    for attribute in _attributes_of(made):
        # attrs takes the defaults off the class; put back, they are what reading an unset field gives.
        setattr(made, attribute.name, attribute.default)
    return made


class Value:
    """What the API talks about: a changeable record, equal to another of the same content, and not hashable.

    Fields can be given and read by their Python names; constructors and ``model_validate`` take the JSON spelling too
    (``mime_type``, ``mimeType``). A wrong type or an unknown field raises ValidationError, a ValueError, and names it.
    """

    def __init__(self, /, **fields: Any) -> None:
        self._fill(fields)

    def _fill(self, fields: Mapping[str, Any]) -> None:
        keys = keys_of(type(self))
        held = self.__dict__
        for key, item in fields.items():
            known = keys.get(key)
            if known is None:
                raise ValidationError(f"{type(self).__name__} has no field {key!r}{nearest(key, keys)}")
            if item is not None:
                held[known.name] = known.convert(item)

    def __setattr__(self, name: str, item: Any) -> None:
        known = keys_of(type(self)).get(name)
        if known is None or known.name != name:
            own = getattr(type(self), name, None)
            if isinstance(own, property):
                object.__setattr__(self, name, item)
                return
            raise ValidationError(f"{type(self).__name__} has no field {name!r}{nearest(name, keys_of(type(self)))}")
        if item is None:
            # Kept as an explicit None, so that a default that is not None can be taken away.
            self.__dict__[name] = None
        else:
            self.__dict__[name] = known.convert(item)

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop(name, None)

    @property
    def extra(self) -> Extra:
        """What came on the wire and no field holds, by its key on the wire; it is written back.

        Changing it changes what is written. A key that a field has too is written from the field.
        """
        held = self.__dict__
        found = held.get(EXTRA)
        if found is None:
            found = held[EXTRA] = Extra()
        return typing.cast("Extra", found)

    def set_fields(self) -> Iterator[tuple[str, Any]]:
        """The fields that are set, by name, in the order they were set."""
        for name, item in self.__dict__.items():
            if item is not None and name[0] != "_":
                yield name, item

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        if not (isinstance(other, type(self)) or isinstance(self, type(other))):
            return False
        return dict(self.set_fields()) == dict(other.set_fields()) and _extra(self) == _extra(other)

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        secret = {each.name for each in fields_of(type(self)) if each.secret}
        shown = [f"{name}={_brief(item, secret=name in secret)}" for name, item in self.set_fields()]
        shown += [f"{key}={_brief(item, secret=False)}" for key, item in _extra(self).items()]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        import copy

        made = memo[id(self)] = object.__new__(type(self))
        held = made.__dict__
        for name, item in self.__dict__.items():
            held[name] = copy.deepcopy(item, memo)
        return made

    # The methods that programs know from google-genai's pydantic models.

    def to_json_dict(self) -> dict[str, Any]:
        """JSON values under Python names, without unset fields; bytes as url-safe base64, as google-genai does."""
        return self.model_dump(mode="json", exclude_none=True)

    def model_dump(
        self, *, mode: str = "python", by_alias: bool = False, exclude_none: bool = False, exclude_unset: bool = False
    ) -> dict[str, Any]:
        """A dict of this value and all below it, as pydantic's method of this name gives for google-genai's classes.

        With ``mode="json"`` it holds JSON values only. ``by_alias`` gives camel case keys. Fields the API sent and
        chatproto does not know (``extra``) are in it too, so that what is stored and validated again is complete.
        """
        from ._dump import dump

        try:
            return dump(self, mode=mode, by_alias=by_alias, exclude_none=exclude_none, exclude_unset=exclude_unset)
        except RecursionError:
            raise ValidationError("nested too deeply") from None

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        by_alias: bool = False,
        exclude_none: bool = False,
        exclude_unset: bool = False,
    ) -> str:
        """``model_dump(mode="json")`` as JSON text."""
        import json

        separators = (",", ":") if indent is None else None
        document = self.model_dump(
            mode="json", by_alias=by_alias, exclude_none=exclude_none, exclude_unset=exclude_unset
        )
        return json.dumps(document, indent=indent, separators=separators, ensure_ascii=False)

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """An instance from a dict in either spelling, or from an object with such attributes.

        An instance of this class is given back itself, as pydantic does. Raises ValidationError.
        """
        from ._hooks import converter

        try:
            return converter("user").structure(obj, cls)
        except RecursionError:
            raise ValidationError("nested too deeply") from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        """An instance from JSON text. Raises ValidationError, also for text that is not JSON."""
        import json

        try:
            document = json.loads(json_data)
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"not JSON: {error}") from None
        return cls.model_validate(document)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, shallow unless ``deep``; ``update`` sets fields on it by their Python names, unconverted."""
        import copy

        made = copy.deepcopy(self) if deep else copy.copy(self)
        if EXTRA in made.__dict__:
            made.__dict__[EXTRA] = copy.copy(made.__dict__[EXTRA])
        if update:
            names = {each.name for each in fields_of(type(self))}
            for name, item in update.items():
                if name not in names:
                    raise ValidationError(f"{type(self).__name__} has no field {name!r}{nearest(name, names)}")
                made.__dict__[name] = item
        return made

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Lets a pydantic model have this class as a field; pydantic calls it."""
        from ._dump import pydantic_schema

        return pydantic_schema(cls)


class Setting(Value):
    """What a program asks for, not what is said: an unknown key is a mistake, and no data to be kept."""


def _extra(owner: Value) -> Mapping[str, Any]:
    return owner.__dict__.get(EXTRA) or {}


def nearest(key: str, keys: Any) -> str:
    import difflib

    close = difflib.get_close_matches(key, list(keys), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _brief(item: Any, *, secret: bool, levels: int = _LEVELS) -> str:
    """One field for a repr: blobs by their size, long text and deep nesting cut, secrets masked."""
    if secret:
        return "{...}" if isinstance(item, Mapping) else "'***'"
    if isinstance(item, bytes) and len(item) > _SHORT:
        return f"<{len(item)} bytes>"
    if isinstance(item, bytes):
        return repr(bytes(item))
    if isinstance(item, str) and len(item) > _SHORT and type(item) is str:
        return f"{item[:_SHORT]!r}... <{len(item)} characters>"
    it: Any = item
    if type(item) in (dict, list) and not levels:
        return "..."
    if type(item) is dict:
        shown = (f"{key!r}: {_brief(each, secret=False, levels=levels - 1)}" for key, each in it.items())
        return f"{{{', '.join(shown)}}}"
    if type(item) is list:
        return f"[{', '.join(_brief(each, secret=False, levels=levels - 1) for each in it)}]"
    return repr(it)
