"""How values are taken apart: as wire JSON, and as google-genai's pydantic models would dump them.

What is written depends on what is there, not on what the annotation promised: programs append to lists and fill dicts,
so each item is looked at, and one that JSON has no place for raises ValidationError with its path.
"""

from __future__ import annotations

import binascii
import enum
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from ..errors import ValidationError
from ._json import is_array
from ._open_enum import OpenEnum
from ._spelling import Spelled, encode_base64, encode_timestamp
from ._value import EXTRA, Value, fields_of

__all__ = ["dump", "known_only", "pydantic_schema", "to_encode", "to_wire"]

T = TypeVar("T")

_AS_IT_IS = frozenset({str, int, bool, type(None)})
_LARGE = 4 * 1024  # bytes, from which on a blob costs more as text than the look for it


def to_wire(item: Any) -> Any:
    """``item`` as JSON values: fields under their wire keys, in the order they were set, and ``extra`` after them."""
    return _write(item)


def to_encode(item: Any) -> Any:
    """``to_wire`` for what ``encode_with_blobs`` is given: a large blob stays bytes, and never becomes text."""
    return _write_bytes(item)


def known_only(item: T) -> T:
    """``item``, from which everything has been taken that no field holds. It is changed, and given back."""
    it: Any = item
    if isinstance(it, Value):
        it.__dict__.pop(EXTRA, None)
        for held in it.__dict__.values():
            known_only(held)
    elif is_array(it):
        for each in it:
            known_only(each)
    return item


_wire_keys: dict[type[Value], dict[str, str | None]] = {}


def _wire_keys_of(cls: type[Value]) -> dict[str, str | None]:
    """Field name to wire key; None for a field that is never sent."""
    found = _wire_keys.get(cls)
    if found is None:
        found = _wire_keys[cls] = {each.name: None if each.local else each.wire for each in fields_of(cls)}
    return found


def _writer(base64: Callable[[bytes], Any]) -> Callable[[Any], Any]:
    def write(item: Any) -> Any:
        kind = type(item)  # pyright: ignore[reportUnknownVariableType]
        if kind in _AS_IT_IS:
            return item
        if isinstance(item, Value):
            return write_value(item)
        if kind is dict:
            return _each(item, write)
        if kind is list or kind is tuple:
            return _all(item, write)
        return _scalar(item, base64)

    def write_value(owner: Value) -> dict[str, Any]:
        keys = _wire_keys_of(type(owner))
        held = owner.__dict__
        extra = held.get(EXTRA)
        spelling = None if extra is None else extra.spelling
        built: dict[str, Any] = {}
        for name, item in held.items():
            if item is None or name[0] == "_":
                continue
            key = keys[name]
            if key is None:
                continue
            if spelling:
                key = spelling.get(name, key)
            try:
                built[key] = item if type(item) in _AS_IT_IS else write(item)
            except ValidationError as error:
                raise error.under(f".{key}") from None
        if extra:
            for key, item in extra.items():
                built.setdefault(key, write(item))
        return built

    return write


def _kept(data: bytes) -> bytes | str:
    return encode_base64(data) if len(data) < _LARGE or isinstance(data, Spelled) else data


_write = _writer(encode_base64)
_write_bytes = _writer(_kept)


def _each(items: Mapping[Any, Any], write: Callable[[Any], Any]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, item in items.items():
        if not isinstance(key, str):
            raise ValidationError(f"a JSON object has strings as keys, not {type(key).__name__} {key!r}")
        try:
            built[key] = write(item)
        except ValidationError as error:
            raise error.under(f"[{key!r}]") from None
    return built


def _all(items: Any, write: Callable[[Any], Any]) -> list[Any]:
    built: list[Any] = []
    try:
        for item in items:
            built.append(write(item))  # noqa: PERF401  (its length is the index in the error)
    except ValidationError as error:
        raise error.under(f"[{len(built)}]") from None
    return built


def _scalar(item: Any, base64: Callable[[bytes], Any]) -> Any:
    """One value that is neither a container nor plain JSON already."""
    if isinstance(item, OpenEnum):
        return item.wire
    if isinstance(item, enum.Enum):
        return item.value
    if isinstance(item, bytes):
        return base64(item)
    if isinstance(item, datetime):
        return encode_timestamp(item)
    if isinstance(item, Spelled):
        return item.spelling
    if isinstance(item, float):
        if math.isfinite(item):
            return item
        raise ValidationError(f"JSON has no number {item!r}")
    if isinstance(item, str):
        return str(item)
    if isinstance(item, int):
        return int(item)
    raise ValidationError(f"{type(item).__module__}.{type(item).__qualname__} has no form in JSON")


# --- dumps as pydantic's ------------------------------------------------------------------------------------------


def _urlsafe_base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii").translate(_URLSAFE)


_URLSAFE = str.maketrans("+/", "-_")


def dump(owner: Value, *, mode: str, by_alias: bool, exclude_none: bool, exclude_unset: bool = False) -> dict[str, Any]:
    """See Value.model_dump."""
    if mode not in ("python", "json"):
        raise ValidationError(f"mode is 'python' or 'json', not {mode!r}")

    def write(item: Any) -> Any:
        it: Any = item
        if isinstance(item, Value):
            return take_apart(item)
        if isinstance(item, Mapping):
            return _each(it, write)
        if isinstance(item, (list, tuple)):
            return _all(it, write)
        if hasattr(item, "model_dump"):  # ``parsed`` may hold the program's own pydantic models
            return item.model_dump(mode=mode, by_alias=by_alias, exclude_none=exclude_none, exclude_unset=exclude_unset)
        if mode == "python" or type(item) in _AS_IT_IS:
            return item
        if isinstance(item, enum.Enum):
            return item.value
        if isinstance(item, datetime):
            return encode_timestamp(item.replace(fold=item.fold))  # without its spelling
        if isinstance(item, float) and not math.isfinite(item):
            # As protobuf writes it, and as it is read again.
            return "NaN" if math.isnan(item) else "Infinity" if item > 0 else "-Infinity"
        if isinstance(item, (int, float)):
            return item + 0  # without its spelling
        return _scalar(item, _urlsafe_base64)

    def take_apart(item: Value) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for each in fields_of(type(item)):
            held = getattr(item, each.name)
            if exclude_unset and each.name not in item.__dict__:
                continue
            if held is not None or not exclude_none:
                built[each.wire if by_alias else each.name] = write(held)
        extra: Mapping[str, Any] = item.__dict__.get(EXTRA) or {}
        for key, held in extra.items():
            if held is not None:
                built.setdefault(key, write(held))
        return built

    return take_apart(owner)


def pydantic_schema(cls: type[Value]) -> Any:
    """A pydantic-core schema: validates by ``model_validate``, serializes by ``model_dump``."""
    from importlib import import_module

    core_schema: Any = import_module("pydantic_core.core_schema")

    def serialize(item: Any, info: Any) -> Any:
        mode = "json" if info.mode == "json" else "python"
        return dump(item, mode=mode, by_alias=bool(info.by_alias), exclude_none=bool(info.exclude_none))

    return core_schema.no_info_plain_validator_function(
        cls.model_validate,
        serialization=core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True),
        json_schema_input_schema=core_schema.dict_schema(),
    )
