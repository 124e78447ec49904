"""JSON values as values of Python types: what the model wrote, as what the program asked for.

pydantic reads its own models, cattrs reads all else. Numbers, strings and booleans must be what the type says; a whole
number may be written 2.0. What does not fit raises Misfit, which says where, in words that the model can be told.
"""

from __future__ import annotations

import dataclasses
import decimal
import enum
import ipaddress
import json
import pathlib
import re
import typing
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args, get_origin

import attrs

from ..errors import FunctionError
from ..types._json import is_array, is_object
from .durations import decode_duration
from .json_schema import (
    ARRAYS,
    OBJECTS,
    REQUIRED,
    fields_of,
    is_class,
    is_fixed,
    is_pydantic,
    is_typed_dict,
    is_union,
    plain_of,
    unwrapped,
)

if TYPE_CHECKING:
    import cattrs

__all__ = ["Misfit", "member", "reader", "shown"]

_SHORT = 80  # characters of what the model wrote that an error repeats


class Misfit(TypeError):
    """A value that is not what a type asks for. It repeats what the model wrote, and nothing of the program's."""

    def __init__(self, expected: str, got: Any, path: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.got = got
        #: Where, within the value that was read: ``.friends[0].name``.
        self.path = path

    def __str__(self) -> str:
        return f"expected {self.expected}, got {shown(self.got)}"


def shown(item: Any) -> str:
    """A JSON value as the model wrote it, cut where it is long."""
    try:
        text = json.dumps(item, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(item).__name__
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def member(item: Any, kind: type[enum.Enum]) -> enum.Enum:
    """The member of an Enum that has ``item`` as its value."""
    for each in kind:
        if str(each.value) == str(item):  # numbers too: the API has enums of strings only
            return each
    try:
        return kind(item)
    except Exception:  # noqa: BLE001  (an Enum may look further, in its own code)
        raise Misfit(_one_of([each.value for each in kind]), item) from None


def _one_of(plain: Iterable[Any]) -> str:
    return f"one of {', '.join(map(shown, plain))}"


# --- scalars ------------------------------------------------------------------------------------------------------


def _strict(
    accepted: type | tuple[type, ...], expected: str, make: Callable[[Any], Any] | None = None
) -> Callable[[Any, Any], Any]:
    def structure(item: Any, kind: Any) -> Any:
        if is_class(kind, enum.Enum):  # cattrs takes an IntEnum for an int
            return member(item, kind)
        if not isinstance(item, accepted) or (isinstance(item, bool) and accepted is not bool):
            raise Misfit(expected, item)
        try:
            return item if make is None else make(item)
        except (ValueError, ArithmeticError, TypeError, re.error):
            raise Misfit(expected, item) from None

    return structure


def _whole(number: float) -> int:
    if number != int(number):
        raise ValueError
    return int(number)


_TEXT = "a string"
_SCALARS: Mapping[Any, Callable[[Any, Any], Any]] = {
    str: _strict(str, _TEXT),
    int: _strict((int, float), "an integer", _whole),
    float: _strict((int, float), "a number", float),
    bool: _strict(bool, "true or false"),
    bytes: _strict(str, _TEXT, str.encode),
    type(None): _strict(type(None), "null"),
    datetime: _strict(str, "a date and time in ISO 8601", datetime.fromisoformat),
    date: _strict(str, "a date in ISO 8601", date.fromisoformat),
    time: _strict(str, "a time in ISO 8601", time.fromisoformat),
    timedelta: _strict(str, "a duration in ISO 8601", decode_duration),
    uuid.UUID: _strict(str, "a UUID", uuid.UUID),
    decimal.Decimal: _strict((str, int, float), "a decimal number", lambda number: decimal.Decimal(str(number))),
    complex: _strict((str, int, float), "a complex number", complex),
    pathlib.Path: _strict(str, "a path", pathlib.Path),
    pathlib.PurePath: _strict(str, "a path", pathlib.PurePath),
    re.Pattern: _strict(str, "a regular expression", re.compile),
    ipaddress.IPv4Address: _strict(str, "an IPv4 address", ipaddress.IPv4Address),
    ipaddress.IPv6Address: _strict(str, "an IPv6 address", ipaddress.IPv6Address),
    enum.Enum: member,
}


# --- the converter ------------------------------------------------------------------------------------------------


@cache
def reader() -> cattrs.Converter:
    """The converter that reads them all, but for what ``pydantic`` is needed for and is not there."""
    import cattrs

    made = cattrs.Converter(detailed_validation=False)
    for cls, hook in _SCALARS.items():
        made.register_structure_hook(cls, hook)
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = [
        (_is_anything, _anything_hook),
        (lambda kind: _container(kind) in ARRAYS, lambda kind: _array_hook(made, kind)),
        (lambda kind: _container(kind) in OBJECTS, lambda kind: _object_hook(made, kind)),
        (_is_named_tuple, lambda kind: _named_tuple_hook(made, kind)),
        (_has_fields, lambda kind: _class_hook(made, kind)),
        (lambda kind: get_origin(kind) is Literal, _literal_hook),
        (is_union, lambda kind: _union_hook(made, kind)),
        (_is_wrapped, lambda kind: _wrapped_hook(made, kind)),
        (is_pydantic, _pydantic_hook),
    ]
    for applies, factory in factories:
        made.register_structure_hook_factory(applies, factory)
    return made


def _is_anything(kind: Any) -> bool:
    return kind in (Any, object, Hashable, typing.Hashable, typing.LiteralString)


def _anything_hook(_: Any) -> Callable[[Any, Any], Any]:
    return lambda item, kind: item  # noqa: ARG005


def _container(kind: Any) -> Any:
    return get_origin(kind) or kind


def _is_wrapped(kind: Any) -> bool:
    return get_origin(kind) is Annotated or unwrapped(kind) is not kind


def _wrapped_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    within = get_args(kind)[0] if get_origin(kind) is Annotated else unwrapped(kind)
    return lambda item, _: made.structure(item, within)


def _inner(made: cattrs.Converter, item: Any, kind: Any, segment: str) -> Any:
    try:
        return made.structure(item, kind)
    except Misfit as misfit:
        misfit.path = segment + misfit.path
        raise


def _filled(cls: Any, items: list[Any]) -> Any:
    made: Any = cls if cls in (tuple, deque, frozenset) else set if issubclass(cls, AbstractSet) else None
    return items if made is None else made(items)


def _array_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    cls = _container(kind)
    arguments = get_args(kind)
    fixed = is_fixed(kind)
    expected = "an array" if not fixed else f"an array of {len(arguments)} items"

    def structure(items: Any, _: Any) -> Any:
        if not is_array(items) or (fixed and len(items) != len(arguments)):
            raise Misfit(expected, items)
        kinds = arguments if fixed else (arguments[0] if arguments else Any,) * len(items)
        read = [
            _inner(made, item, inner, f"[{index}]")
            for index, (item, inner) in enumerate(zip(items, kinds, strict=True))
        ]
        try:
            return _filled(cls, read)
        except TypeError:  # not hashable
            raise Misfit("an array of plain values", items) from None

    return structure


def _object_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    cls = _container(kind)
    arguments = get_args(kind)
    names: Any = arguments[0] if arguments else str
    inner: Any = int if cls is Counter else arguments[1] if arguments else Any
    as_class: Any = cls

    def named(key: str) -> Any:
        if names in (str, Any):
            return key
        try:
            return made.structure(key, names)
        except Misfit:
            return made.structure(json.loads(key), names)  # of a number: JSON's names are strings

    def structure(items: Any, _: Any) -> Any:
        if not is_object(items):
            raise Misfit("an object", items)
        read: dict[Any, Any] = {}
        for key, item in items.items():
            try:
                name = named(key)
            except (Misfit, ValueError):
                raise Misfit("another name", key, f"[{shown(key)}]") from None
            read[name] = _inner(made, item, inner, f"[{shown(key)}]")
        if cls is defaultdict:
            return defaultdict(inner if is_class(inner) else None, read)
        return as_class(read) if cls in (OrderedDict, Counter) else read

    return structure


def _literal_hook(kind: Any) -> Callable[[Any, Any], Any]:
    members = get_args(kind)

    def structure(item: Any, _: Any) -> Any:
        for each in members:
            plain = plain_of(each)
            if plain == item and isinstance(plain, bool) == isinstance(item, bool):
                return each
        raise Misfit(_one_of(map(plain_of, members)), item)

    return structure


# --- classes ------------------------------------------------------------------------------------------------------


def _has_fields(kind: Any) -> bool:
    return is_class(kind) and (attrs.has(kind) or dataclasses.is_dataclass(kind) or is_typed_dict(kind))


def _is_named_tuple(kind: Any) -> bool:
    return is_class(kind, tuple) and hasattr(kind, "_fields")


def _made_by_the_program(kind: Any, got: Any, make: Callable[[], Any]) -> Any:
    """A value of the program's own class. What its code says when it refuses is for the program only."""
    try:
        return make()
    except (Misfit, FunctionError):
        raise
    except Exception as error:
        raise Misfit(f"another {kind.__name__} ({type(error).__name__})", got) from error


def _class_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    # cattrs' own looks neither at the notes of Annotated nor, where annotations are text, at NotRequired.
    fields = [(name, unwrapped(inner), default is REQUIRED) for name, inner, default in fields_of(kind) or ()]
    aliases = {name: each.alias or name for name, each in (attrs.fields_dict(kind) if attrs.has(kind) else {}).items()}

    def structure(items: Any, _: Any) -> Any:
        if not is_object(items):
            raise Misfit(f"an object ({kind.__name__})", items)
        lacking = [name for name, _, needed in fields if needed and name not in items]
        if lacking:
            raise Misfit(f"an object ({kind.__name__}) with {', '.join(map(repr, lacking))}", items)
        read = {
            aliases.get(name, name): _inner(made, items[name], inner, f".{name}")
            for name, inner, _ in fields
            if name in items
        }
        return _made_by_the_program(kind, items, lambda: kind(**read))

    return structure


def _named_tuple_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    kinds = [unwrapped(hints.get(name, Any)) for name in kind._fields]
    least = len(kinds) - len(kind._field_defaults)

    def structure(items: Any, _: Any) -> Any:
        if not is_array(items) or not least <= len(items) <= len(kinds):
            raise Misfit(f"an array of {', '.join(kind._fields)}", items)
        read = [
            _inner(made, item, inner, f"[{index}]")
            for index, (item, inner) in enumerate(zip(items, kinds, strict=False))
        ]
        return _made_by_the_program(kind, items, lambda: kind(*read))

    return structure


def _pydantic_hook(kind: Any) -> Callable[[Any, Any], Any]:
    import pydantic

    adapter: Any = pydantic.TypeAdapter(kind)

    def structure(item: Any, _: Any) -> Any:
        try:
            return adapter.validate_python(item)
        except pydantic.ValidationError as error:
            # Not their messages: a validator of the program writes what it likes.
            first = error.errors(include_url=False, include_context=False, include_input=True)[0]
            path = "".join(f".{each}" if isinstance(each, str) else f"[{each}]" for each in first["loc"])
            raise Misfit(f"another value ({first['type']})", first["input"], path) from error
        except (Misfit, FunctionError):
            raise
        except Exception as error:
            raise Misfit(f"another value ({type(error).__name__})", item) from error

    return structure


# --- unions -------------------------------------------------------------------------------------------------------


def _union_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    arms = get_args(kind)
    described = [_keys(arm) for arm in arms]
    if any(map(is_pydantic, arms)) and not any(
        keys and not is_pydantic(arm) for keys, arm in zip(described, arms, strict=True)
    ):
        return _pydantic_hook(kind)  # which finds the best of its own models
    others = [arm for arm in arms if arm is not type(None)]
    if len(others) == 1:
        return _optional_hook(made, others[0])

    def structure(item: Any, _: Any) -> Any:
        def missed(index: int) -> tuple[bool, int]:
            number = type(item) in (int, float) and type(item) is not arms[index]
            return number, len(item.keys() - described[index]) if is_object(item) else 0

        expected: list[str] = []
        for index in sorted(range(len(arms)), key=missed):  # the class that knows most of the keys goes first
            try:
                return made.structure(item, arms[index])
            except Misfit as misfit:
                expected.append(misfit.expected if not misfit.path else f"{misfit.expected} at {misfit.path}")
            except FunctionError:
                raise
            except Exception:  # noqa: BLE001, S112  (another may fit)
                continue
        raise Misfit(" or ".join(dict.fromkeys(expected)), item)

    return structure


def _optional_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    def structure(item: Any, _: Any) -> Any:
        try:
            return None if item is None else made.structure(item, kind)
        except Misfit as misfit:
            if not misfit.path:
                misfit.expected += " or null"
            raise

    return structure


def _keys(kind: Any) -> frozenset[str]:
    """The names of the fields of a class."""
    found: Any = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None)
    if found is None and is_class(kind) and attrs.has(kind):
        found = attrs.fields_dict(kind)
    return frozenset(found or getattr(kind, "__annotations__", ()) if is_class(kind) else cast("tuple[str, ...]", ()))
