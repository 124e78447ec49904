"""``response.parsed``: the text of an answer as what the program asked for.

A text that does not fit leaves ``parsed`` as it is, None; so does a chunk of a stream, unless it is complete JSON by
itself. pydantic reads its own models, cattrs reads all else. Numbers, strings and booleans must be what the type says.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import attrs

from ..types import Schema
from ..types._json import is_array, is_object
from .json_schema import REQUIRED, fields_of, is_class, is_pydantic, is_type, is_union, unwrapped

if TYPE_CHECKING:
    import cattrs

    from ..types import GenerateContentResponse

__all__ = ["ParseTarget", "parse_response"]


@attrs.frozen
class ParseTarget:
    """What ``parsed`` is made of. It holds the program's own classes, so it stays in the face and is never stored."""

    #: A class, or another type that can be an annotation; None for JSON of any shape.
    shape: Any = None

    @classmethod
    def of(cls, asked: Any) -> ParseTarget | None:
        """The target for what ``response_schema`` or ``response_json_schema`` was given; None for nothing."""
        if asked is None:
            return None
        return cls(asked if is_type(asked) and not isinstance(asked, (Schema, Mapping)) else None)

    def read(self, text: str) -> Any:
        """The value that ``text`` holds. Raises whatever the classes of the program raise when it holds none."""
        shape: Any = self.shape
        if shape is None:
            return json.loads(text)
        if get_origin(shape) is Literal:
            return _named(text, {str(each): each for each in get_args(shape)}.__getitem__)
        if is_class(shape, enum.Enum):
            return _named(text, lambda name: _member(name, shape))
        if is_pydantic(shape) and hasattr(shape, "model_validate_json"):
            return shape.model_validate_json(text)
        return _reader().structure(json.loads(text), shape)


def parse_response(response: GenerateContentResponse, target: ParseTarget | None) -> None:
    """Set ``response.parsed``, if the text of the response is what ``target`` asks for."""
    text = None if target is None else response.text
    if target is None or text is None:
        return
    try:
        response.parsed = target.read(text)
    except Exception:  # noqa: BLE001  (an answer is not lost because a validator of the program fails on it)
        return


def _named(text: str, find: Callable[[str], Any]) -> Any:
    """One of several names. The model writes it as a JSON string, or as ``text/x.enum`` without quotes."""
    try:
        plain = json.loads(text)
    except ValueError:
        plain = text.strip()
    return find(str(plain))


def _member(name: Any, kind: type[enum.Enum]) -> enum.Enum:
    for member in kind:
        if str(member.value) == str(name):  # numbers too: the API has enums of strings only
            return member
    return kind(name)


# --- the converter ------------------------------------------------------------------------------------------------


def _strict(accepted: type | tuple[type, ...], make: Callable[[Any], Any] | None = None) -> Callable[[Any, Any], Any]:
    def structure(item: Any, kind: Any) -> Any:
        if is_class(kind, enum.Enum):  # cattrs takes an IntEnum for an int
            return _member(item, kind)
        if not isinstance(item, accepted) or (isinstance(item, bool) and accepted is not bool):
            raise TypeError(f"expected {accepted}, got {type(item).__name__}")
        return item if make is None else make(item)

    return structure


def _whole(number: float) -> int:
    if number != int(number):
        raise TypeError(f"expected an integer, got {number!r}")
    return int(number)


_SCALARS: Mapping[Any, Callable[[Any, Any], Any]] = {
    str: _strict(str),
    int: _strict((int, float), _whole),
    float: _strict((int, float), float),
    bool: _strict(bool),
    bytes: _strict(str, str.encode),
    type(None): _strict(type(None)),
    datetime: _strict(str, datetime.fromisoformat),
    date: _strict(str, date.fromisoformat),
    time: _strict(str, time.fromisoformat),
    uuid.UUID: _strict(str, uuid.UUID),
    enum.Enum: _member,
}


@cache
def _reader() -> cattrs.Converter:
    import cattrs

    made = cattrs.Converter(detailed_validation=False)
    for cls, hook in _SCALARS.items():
        made.register_structure_hook(cls, hook)
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = [
        (_is_array, lambda kind: _array_hook(made, kind)),
        (_is_object, lambda kind: _object_hook(made, kind)),
        (_has_fields, lambda kind: _class_hook(made, kind)),
        (is_union, lambda kind: _union_hook(made, kind)),
        (is_pydantic, _pydantic_hook),
    ]
    for applies, factory in factories:
        made.register_structure_hook_factory(applies, factory)
    return made


def _container(kind: Any) -> type | None:
    found: Any = get_origin(kind) or kind
    return found if is_class(found) and found.__module__ in ("builtins", "collections.abc") else None


def _is_array(kind: Any) -> bool:
    cls = _container(kind)
    return cls is not None and issubclass(cls, Iterable) and not issubclass(cls, (str, bytes, Mapping))


def _is_object(kind: Any) -> bool:
    cls = _container(kind)
    return cls is not None and issubclass(cls, Mapping)


def _filled(cls: Any, items: Iterable[Any]) -> Any:
    if is_class(cls, tuple):
        return tuple(items)
    return set(items) if is_class(cls, set) else frozenset(items) if is_class(cls, frozenset) else list(items)


def _array_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    cls: Any = _container(kind)
    arguments = get_args(kind)
    fixed = is_class(cls, tuple) and bool(arguments) and arguments[1:] != (...,)

    def structure(items: Any, _: Any) -> Any:
        if not is_array(items) or (fixed and len(items) != len(arguments)):
            raise TypeError(f"expected an array for {kind}")
        kinds = arguments if fixed else (arguments[0] if arguments else Any,) * len(items)
        return _filled(cls, (made.structure(item, inner) for item, inner in zip(items, kinds, strict=True)))

    return structure


def _object_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    names, inner = get_args(kind) or (str, Any)

    def structure(items: Any, _: Any) -> dict[Any, Any]:
        if not is_object(items):
            raise TypeError(f"expected an object for {kind}")
        return {
            (key if names is str else made.structure(key, names)): made.structure(item, inner)
            for key, item in items.items()
        }

    return structure


def _has_fields(kind: Any) -> bool:
    return is_class(kind) and (attrs.has(kind) or dataclasses.is_dataclass(kind) or typing.is_typeddict(kind))


def _class_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    # cattrs' own looks neither at the notes of Annotated nor, where annotations are text, at NotRequired.
    fields = [(name, unwrapped(inner), default is REQUIRED) for name, inner, default in fields_of(kind) or ()]
    aliases = {name: each.alias or name for name, each in (attrs.fields_dict(kind) if attrs.has(kind) else {}).items()}

    def structure(items: Any, _: Any) -> Any:
        if not is_object(items):
            raise TypeError(f"expected an object for {kind}")
        # items[name], where a key is needed: a KeyError if it is not there.
        return kind(
            **{
                aliases.get(name, name): made.structure(items[name], inner)
                for name, inner, needed in fields
                if needed or name in items
            }
        )

    return structure


def _pydantic_hook(kind: Any) -> Callable[[Any, Any], Any]:
    import pydantic

    adapter: Any = pydantic.TypeAdapter(kind)
    return lambda item, _: adapter.validate_python(item)


def _union_hook(made: cattrs.Converter, kind: Any) -> Callable[[Any, Any], Any]:
    arms = get_args(kind)
    described = [_keys(arm) for arm in arms]
    if any(map(is_pydantic, arms)) and not any(
        keys and not is_pydantic(arm) for keys, arm in zip(described, arms, strict=True)
    ):
        return _pydantic_hook(kind)  # which finds the best of its own models

    def structure(item: Any, _: Any) -> Any:
        def missed(index: int) -> int:
            return len(item.keys() - described[index]) if is_object(item) else 0

        for index in sorted(range(len(arms)), key=missed):  # the class that knows most of the keys goes first
            try:
                return made.structure(item, arms[index])
            except Exception:  # noqa: BLE001, S112  (another may fit)
                continue
        raise TypeError(f"nothing in {kind} fits")

    return structure


def _keys(kind: Any) -> frozenset[str]:
    """The names of the fields of a class."""
    found: Any = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None)
    if found is None and is_class(kind) and attrs.has(kind):
        found = attrs.fields_dict(kind)
    return frozenset(found or getattr(kind, "__annotations__", ()) if is_class(kind) else ())
