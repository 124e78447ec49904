"""The JSON Schema of a Python type.

pydantic describes its own models, and is imported only when one is met; dataclasses, attrs classes, TypedDicts, Enums
and the built-in types are described here, as pydantic would.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types as builtin_types
import typing
import uuid
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin

import attrs

from ..errors import ValidationError
from ..types._value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "REQUIRED",
    "description",
    "fields_of",
    "is_class",
    "is_pydantic",
    "is_type",
    "is_union",
    "to_json_schema",
    "unwrapped",
]

_PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    Any: {},
    object: {},
    bytes: {"type": "string", "format": "binary"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}
_WRAPPERS = (typing.Required, typing.NotRequired, typing.Final)
_DEFS = "#/$defs/"


def is_type(given: Any) -> bool:
    """Whether ``given`` is something that a value is annotated with: a class, ``list[int]``, ``A | B``, ``Literal``."""
    return isinstance(given, type) or get_origin(given) is not None or given is Any or hasattr(given, "__value__")


def is_class(kind: Any, *bases: type) -> bool:
    """Whether ``kind`` is a class, and one of ``bases``, if any are given."""
    return isinstance(kind, type) and (not bases or issubclass(kind, bases))


def is_union(kind: Any) -> bool:
    """Whether ``kind`` is ``A | B`` or ``Optional[A]``."""
    return get_origin(kind) in (Union, builtin_types.UnionType)


def to_json_schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type: a class of pydantic, attrs or dataclasses, a TypedDict, an Enum, ``list[...]``...

    Raises ValidationError for a type that JSON has no values of.
    """
    writer = _Writer()
    try:
        document = writer.schema_of(kind)
    except RecursionError:
        raise ValidationError("nested too deeply") from None
    return {**document, "$defs": writer.defs} if writer.defs else document


class _Writer:
    """Writes one document. Classes are definitions in it, and referred to."""

    def __init__(self) -> None:
        self.defs: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def schema_of(self, kind: Any) -> dict[str, Any]:
        kind = unwrapped(kind)
        try:
            if kind in _PLAIN:
                return dict(_PLAIN[kind])
        except TypeError:  # not hashable, as Annotated with a list in it
            pass
        if is_pydantic(kind):
            return self._by_pydantic(kind)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.schema_of(arguments[0])
        if origin is Literal:
            return _literal(arguments)
        if is_union(kind):
            return {"anyOf": [self.schema_of(arm) for arm in arguments]}
        if is_class(kind) and origin is None and (is_class(kind, enum.Enum) or fields_of(kind) is not None):
            return {"$ref": _DEFS + self._define(kind)}
        return self._container(origin or kind, arguments)

    def _container(self, cls: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if not is_class(cls) or is_class(cls, str, bytes):
            raise ValidationError(f"{cls!r} has no form in JSON Schema")
        if issubclass(cls, tuple) and arguments[1:] != (...,):
            prefix = [self.schema_of(each) for each in arguments]
            return {"type": "array", "prefixItems": prefix, "minItems": len(prefix), "maxItems": len(prefix)}
        if issubclass(cls, Mapping):
            inner = self.schema_of(arguments[1]) if len(arguments) == 2 else {}
            return {"type": "object", "additionalProperties": inner or True}
        if issubclass(cls, Iterable):
            made: dict[str, Any] = {"type": "array", "items": self.schema_of(arguments[0]) if arguments else {}}
            return {**made, "uniqueItems": True} if issubclass(cls, AbstractSet) else made
        raise ValidationError(f"{cls.__module__}.{cls.__qualname__} has no form in JSON Schema")

    def _by_pydantic(self, kind: Any) -> dict[str, Any]:
        import pydantic

        name = self._names.get(kind)
        if name is not None:
            return {"$ref": _DEFS + name}
        own = is_class(kind)
        prefix = ""
        while True:
            adapter: Any = pydantic.TypeAdapter(kind)
            document: dict[str, Any] = adapter.json_schema(ref_template=f"{_DEFS}{prefix}{{model}}")
            inner = {prefix + key: item for key, item in document.pop("$defs", {}).items()}
            if all(self.defs.get(key, item) == item for key, item in inner.items()):
                break
            prefix += "_"  # another class of that name has been described
        self.defs |= inner
        if not own or "$ref" in document:
            return document
        name = self._name(kind)
        self.defs[name] = document
        return {"$ref": _DEFS + name}

    def _name(self, cls: Any) -> str:
        name: str = cls.__name__
        while name in self.defs:
            name += "_"
        self._names[cls] = name
        return name

    def _define(self, cls: Any) -> str:
        name = self._names.get(cls)
        if name is None:
            name = self._name(cls)
            self.defs[name] = {}  # the name is taken, and a class may hold itself
            self.defs[name] = _enum_of(cls) if issubclass(cls, enum.Enum) else self._object(cls)
        return name

    def _object(self, cls: Any) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required: list[str] = []
        for name, kind, default in fields_of(cls) or ():
            try:
                made = self.schema_of(kind)
            except ValidationError as error:
                raise error.under(f".{name}") from None
            if _is_titled(kind):
                made.setdefault("title", name.title().replace("_", " ").strip())
            if default is REQUIRED:
                required.append(name)
            elif default is not _UNWRITTEN:
                made |= _default(default)
            properties[name] = made
        made = {"type": "object", "title": cls.__name__, "properties": properties}
        if required:
            made["required"] = required
        return made | description(cls)


def unwrapped(kind: Any) -> Any:
    """``kind`` without NewType, type aliases, Required and the like."""
    while True:
        if isinstance(kind, typing.NewType):
            kind = kind.__supertype__
        elif isinstance(kind, typing.TypeVar):
            kind = kind.__bound__ or Any
        elif get_origin(kind) in _WRAPPERS:
            kind = get_args(kind)[0]
        elif not is_class(kind) and hasattr(kind, "__value__"):  # of a ``type`` statement
            kind = kind.__value__
        else:
            return kind


def is_pydantic(kind: Any) -> bool:
    """Whether pydantic is to describe ``kind``: its own classes, and types with its notes on them."""
    if get_origin(kind) is Annotated:
        notes = get_args(kind)[1:]
        return any(type(note).__module__.partition(".")[0] in ("annotated_types", "pydantic") for note in notes)
    if not is_class(kind) or is_class(kind, Value):
        return False
    return hasattr(kind, "__pydantic_core_schema__") or hasattr(kind, "__get_pydantic_core_schema__")


def _literal(values: tuple[Any, ...]) -> dict[str, Any]:
    plain = [_plain_of(each) for each in values]
    made: dict[str, Any] = {"const": plain[0]} if len(plain) == 1 else {"enum": plain}
    return made | _type_of_all(plain)


def _plain_of(given: Any) -> Any:
    return given.value if isinstance(given, enum.Enum) else given


def _type_of_all(plain: list[Any]) -> dict[str, Any]:
    kinds: set[Any] = {type(each) for each in plain}
    return dict(_PLAIN.get(kinds.pop(), {})) if len(kinds) == 1 else {}


def _enum_of(cls: type[enum.Enum]) -> dict[str, Any]:
    plain = [member.value for member in cls]
    made: dict[str, Any] = {"const": plain[0]} if len(plain) == 1 else {"enum": plain}
    base = next((each for each in (int, str, float) if is_class(cls, each)), None)
    kind = dict(_PLAIN[base]) if base is not None else _type_of_all(plain)
    return made | kind | {"title": cls.__name__} | description(cls)


def description(cls: Any) -> dict[str, Any]:
    """The docstring of a class, as a schema has it."""
    text = cls.__doc__
    if not text or text == "An enumeration." or text.startswith(f"{cls.__name__}("):
        return {}  # what dataclasses and older enums write themselves
    return {"description": inspect.cleandoc(text)}


def _is_titled(kind: Any) -> bool:
    """Whether a property of this type gets its name as title; a class has its own."""
    kind = unwrapped(kind)
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_titled(get_args(kind)[0])
    if is_union(kind):
        arms = [arm for arm in get_args(kind) if arm is not type(None)]
        return len(arms) != 1 or _is_titled(arms[0])
    if not is_class(kind) or origin is not None:
        return True
    return not (is_class(kind, enum.Enum) or is_pydantic(kind) or fields_of(kind) is not None)


# --- classes with fields ------------------------------------------------------------------------------------------

REQUIRED: Any = object()
_UNWRITTEN: Any = object()  # a default that is made anew each time


def fields_of(cls: Any) -> list[tuple[str, Any, Any]] | None:
    """Name, type and default of each field of a dataclass, an attrs class or a TypedDict; None for other classes."""
    if issubclass(cls, Value):
        raise ValidationError(f"{cls.__name__} belongs to the API; it describes no answer")
    if dataclasses.is_dataclass(cls):
        hints = _hints(cls)
        return [(each.name, hints[each.name], _of_dataclass(each)) for each in dataclasses.fields(cls) if each.init]
    if attrs.has(cls):
        hints = _hints(cls)
        return [
            (each.name, hints.get(each.name, Any), _of_attrs(each))
            for each in cast("tuple[attrs.Attribute[Any], ...]", attrs.fields(cls))
            if each.init
        ]
    if typing.is_typeddict(cls):
        return [
            (name, kind, REQUIRED if _is_required(kind, name in cls.__required_keys__) else _UNWRITTEN)
            for name, kind in _hints(cls).items()
        ]
    return None


def _is_required(kind: Any, otherwise: bool) -> bool:
    # The class itself does not see its own Required and NotRequired where annotations are text.
    origin = get_origin(kind)
    return origin is typing.Required or (origin is not typing.NotRequired and otherwise)


def _of_dataclass(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return REQUIRED if field.default_factory is dataclasses.MISSING else _UNWRITTEN


def _of_attrs(field: Any) -> Any:
    if field.default is attrs.NOTHING:
        return REQUIRED
    return _UNWRITTEN if hasattr(field.default, "factory") else field.default


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        where = getattr(sys.modules.get(cls.__module__), "__name__", cls.__module__)
        raise ValidationError(f"an annotation of {where}.{cls.__qualname__} cannot be resolved: {error}") from None


def _default(given: Any) -> dict[str, Any]:
    """``default``, where JSON can hold it."""
    given = _plain_of(given)
    if given is None or isinstance(given, (bool, int, float, str)):
        return {"default": given}
    if isinstance(given, (list, tuple)):
        items = [_default(item) for item in cast("Sequence[Any]", given)]
        return {"default": [item["default"] for item in items]} if all(items) else {}
    return {}
