"""The JSON Schema of a Python type.

pydantic describes its own models, and is imported only when one is met; dataclasses, attrs classes, TypedDicts, Enums
and the built-in types are described here, as pydantic would.
"""

from __future__ import annotations

import dataclasses
import decimal
import enum
import inspect
import ipaddress
import pathlib
import re
import sys
import types as builtin_types
import typing
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    Collection,
    Hashable,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import attrs

from ..errors import ValidationError
from ..types._value import Value

__all__ = [
    "ARRAYS",
    "OBJECTS",
    "REQUIRED",
    "description",
    "fields_of",
    "is_class",
    "is_fixed",
    "is_pydantic",
    "is_type",
    "is_typed_dict",
    "is_union",
    "plain_of",
    "to_json_schema",
    "to_property_schemas",
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
    Hashable: {},
    typing.LiteralString: {},
    bytes: {"type": "string", "format": "binary"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "string", "format": "duration"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"anyOf": [{"type": "number"}, {"type": "string"}]},
    complex: {"type": "string"},
    pathlib.Path: {"type": "string", "format": "path"},
    pathlib.PurePath: {"type": "string", "format": "path"},
    re.Pattern: {"type": "string", "format": "regex"},
    ipaddress.IPv4Address: {"type": "string", "format": "ipv4"},
    ipaddress.IPv6Address: {"type": "string", "format": "ipv6"},
}

#: The classes that a JSON array, and a JSON object, can be read as. Their subclasses cannot: who knows how one is made?
ARRAYS = (list, tuple, set, frozenset, deque, Sequence, MutableSequence, AbstractSet, MutableSet, Collection, Iterable)
OBJECTS = (dict, OrderedDict, defaultdict, Counter, Mapping, MutableMapping)
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


def to_property_schemas(kinds: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The JSON Schema of each of several types, and the definitions that they refer to.

    As pydantic has it for a type by itself: a class is described in its place, unless it holds itself; those within
    it are definitions. Raises ValidationError, with the name in its path.
    """
    writer = _Writer()
    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        try:
            document = writer.schema_of(kind)
        except RecursionError:
            raise ValidationError("nested too deeply", path=f"$.{name}") from None
        except ValidationError as error:
            raise error.under(f".{name}") from None
        made[name] = document
    for name, document in made.items():
        own = document.get("$ref", "").removeprefix(_DEFS)
        if len(document) == 1 and own and own not in writer.reached(writer.defs[own]):
            made[name] = dict(writer.defs[own])
        if "prefixItems" in made[name]:
            made[name]["unevaluatedItems"] = False
    reached = writer.reached(made)
    return made, {name: item for name, item in writer.defs.items() if name in reached}


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
        if is_class(kind) and origin is None and (is_class(kind, enum.Enum) or _is_record(kind)):
            return {"$ref": _DEFS + self._define(kind)}
        if is_fixed(kind):
            return _fixed([self.schema_of(each) for each in arguments], len(arguments))
        return self._container(origin or kind, arguments)

    def _container(self, cls: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if cls in OBJECTS:
            return self._mapping(cls, arguments)
        if cls in ARRAYS:
            made: dict[str, Any] = {"type": "array", "items": self.schema_of(arguments[0]) if arguments else {}}
            return {**made, "uniqueItems": True} if issubclass(cls, AbstractSet) else made
        if is_class(cls) and cls in _PLAIN:
            return dict(_PLAIN[cls])
        named = f"{cls.__module__}.{cls.__qualname__}" if is_class(cls) else repr(cls)
        raise ValidationError(f"{named} has no form in JSON Schema")

    def _mapping(self, cls: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
        inner = self.schema_of(int if cls is Counter else arguments[1] if arguments else Any)
        made: dict[str, Any] = {"type": "object", "additionalProperties": inner or True}
        names = self.schema_of(arguments[0]) if arguments else {}
        if "$ref" in names or (names.get("type") == "string" and len(names) > 1):  # not any string is a name
            made["propertyNames"] = {key: item for key, item in names.items() if key not in ("type", "title")}
        return made

    def _named_tuple(self, cls: Any) -> dict[str, Any]:
        prefix: list[Any] = []
        hints = _hints(cls)
        for name in cls._fields:
            made = self.schema_of(hints.get(name, Any))
            if _is_titled(hints.get(name, Any)):
                made.setdefault("title", _title(name))
            prefix.append(made | (_default(cls._field_defaults[name]) if name in cls._field_defaults else {}))
        return _fixed(prefix, len(prefix) - len(cls._field_defaults))

    def reached(self, document: Any) -> set[str]:
        """The definitions that ``document`` refers to, and those that they refer to."""
        found: set[str] = set()
        left = [document]
        while left:
            item: Any = left.pop()
            if isinstance(item, list):
                left += item
            elif isinstance(item, dict):
                held = cast("dict[str, Any]", item)
                left += held.values()
                name = str(held.get("$ref", "")).removeprefix(_DEFS)
                if name in self.defs and name not in found:
                    found.add(name)
                    left.append(self.defs[name])
        return found

    def _by_pydantic(self, kind: Any) -> dict[str, Any]:
        import pydantic

        name = self._names.get(kind)
        if name is not None:
            return {"$ref": _DEFS + name}
        own = hasattr(kind, "__pydantic_core_schema__")
        prefix = ""
        while True:
            try:
                adapter: Any = pydantic.TypeAdapter(kind)
                document: dict[str, Any] = adapter.json_schema(ref_template=f"{_DEFS}{prefix}{{model}}")
            except (pydantic.PydanticUserError, ImportError) as error:  # the second of optional parts of pydantic
                problem = str(error).partition("\n")[0]
                raise ValidationError(f"pydantic cannot describe {kind!r}: {problem}") from None
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
            write = _enum_of if issubclass(cls, enum.Enum) else self._named_tuple if _is_tuple(cls) else self._object
            self.defs[name] = write(cls)
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
                made.setdefault("title", _title(name))
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


def _title(name: str) -> str:
    return name.title().replace("_", " ").strip()


def _fixed(prefix: list[Any], least: int) -> dict[str, Any]:
    """An array whose items are described one by one."""
    made: dict[str, Any] = {"type": "array", "minItems": least, "maxItems": len(prefix)}
    return {**made, "prefixItems": prefix} if prefix else made


def _literal(values: tuple[Any, ...]) -> dict[str, Any]:
    plain = [plain_of(each) for each in values]
    made: dict[str, Any] = {"const": plain[0]} if len(plain) == 1 else {"enum": plain}
    return made | _type_of_all(plain)


def plain_of(given: Any) -> Any:
    """A member of an Enum as its value, and all else as it is."""
    return given.value if isinstance(given, enum.Enum) else given


def _type_of_all(plain: list[Any]) -> dict[str, Any]:
    kinds: set[Any] = {type(each) for each in plain}
    return dict(_PLAIN.get(kinds.pop(), {})) if len(kinds) == 1 else {}


def _enum_of(cls: type[enum.Enum]) -> dict[str, Any]:
    plain = [member.value for member in cls]
    made: dict[str, Any] = {"enum": plain}
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
    return not (is_class(kind, enum.Enum) or is_pydantic(kind) or _is_record(kind))


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
    if is_typed_dict(cls):
        return [
            (name, kind, REQUIRED if _is_required(kind, name in cls.__required_keys__) else _UNWRITTEN)
            for name, kind in _hints(cls).items()
        ]
    return None


def _is_record(kind: Any) -> bool:
    """Whether a class has fields: a dataclass, an attrs class, a TypedDict, a NamedTuple."""
    return _is_tuple(kind) or fields_of(kind) is not None


def _is_tuple(cls: Any) -> bool:
    return hasattr(cls, "_fields") and issubclass(cls, tuple)


def is_fixed(kind: Any) -> bool:
    """Whether ``kind`` is a tuple each of whose items has a type of its own, or a tuple of none: ``tuple[()]``."""
    return get_origin(kind) is tuple and hasattr(kind, "__args__") and get_args(kind)[1:] != (...,)


def is_typed_dict(kind: Any) -> bool:
    """Whether ``kind`` is a TypedDict, of typing or of typing_extensions."""
    return is_class(kind, dict) and hasattr(kind, "__total__") and hasattr(kind, "__required_keys__")


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
    given = plain_of(given)
    if given is None or isinstance(given, (bool, int, float, str)):
        return {"default": given}
    if isinstance(given, (list, tuple)):
        items = [_default(item) for item in cast("Sequence[Any]", given)]
        return {"default": [item["default"] for item in items]} if all(items) else {}
    return {}
