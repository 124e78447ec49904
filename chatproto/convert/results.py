"""What functions return, as JSON and as function responses."""

from __future__ import annotations

import base64
import dataclasses
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from typing import Any

import attrs

from ..errors import ValidationError
from ..machines.history import encode_content
from ..types import Content, FunctionCall, FunctionResponse, Part
from ..types._spelling import encode_timestamp
from ..types._value import Value
from .durations import encode_duration

__all__ = ["FormlessError", "error_part", "result_part", "to_json"]


class FormlessError(Exception):
    """A value that has no form in JSON: ``what`` it is, and where."""

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.path = path

    def __str__(self) -> str:
        where = f" at {self.path}" if self.path else ""
        return f"{self.what}{where}, which has no form in JSON"


# --- parts --------------------------------------------------------------------------------------------------------


def result_part(call: FunctionCall, result: Any) -> Part:
    """The response to ``call`` with what its function returned.

    A function response of the function's own is kept, and gets the call's name and id. Raises FormlessError.
    """
    if isinstance(result, Part) and result.function_response is not None:
        return _writable(result.model_copy(update={"function_response": _named(call, result.function_response)}))
    if isinstance(result, FunctionResponse):
        return _writable(Part(function_response=_named(call, result)))
    return _writable(_part(call, {"result": to_json(result)}))


def _writable(part: Part) -> Part:
    """``part``, if a content can hold it: JSON has bounds of its own, for depth and for digits."""
    try:
        encode_content(Content(role="user", parts=[part]))
    except ValidationError as error:
        raise FormlessError(f"something that cannot be sent ({error.problem})") from None
    return part


def error_part(call: FunctionCall, text: str) -> Part:
    """The response to ``call`` that says why it has no result."""
    return _part(call, {"error": text})


def _part(call: FunctionCall, response: dict[str, Any]) -> Part:
    return Part(function_response=FunctionResponse(id=call.id, name=call.name, response=response))


def _named(call: FunctionCall, response: FunctionResponse) -> FunctionResponse:
    update: dict[str, Any] = {"name": call.name}
    if call.id is not None:
        update["id"] = call.id
    if response.response is not None:
        update["response"] = to_json(response.response)
    return response.model_copy(update=update)


# --- JSON ---------------------------------------------------------------------------------------------------------


def to_json(item: Any) -> Any:
    """``item`` as JSON values, as pydantic would have them. Raises FormlessError for what JSON has no form for."""
    try:
        return _json(item)
    except RecursionError:
        raise FormlessError("something nested too deeply") from None


def _json(item: Any) -> Any:
    kind: Any = type(item)  # pyright: ignore[reportUnknownVariableType]
    if kind in _AS_IT_IS:
        return item
    if kind is dict:
        return _each(item.items())
    if kind is list:
        return _all(item)
    if isinstance(item, enum.Enum):
        return _json(item.value)
    for cls, write in _SCALARS.items():
        if isinstance(item, cls):
            return write(item)
    if isinstance(item, Value):
        return _json(item.to_json_dict())
    if hasattr(kind, "__pydantic_serializer__") or _is_pydantics(item):
        return _json(_by_pydantic(item))
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return _each((field.name, getattr(item, field.name)) for field in dataclasses.fields(item))
    if attrs.has(kind):
        return _each((field.name, getattr(item, field.name)) for field in attrs.fields(kind))
    if isinstance(item, Mapping):
        return _each(item.items())
    if isinstance(item, AbstractSet):  # a set has no order; its JSON has one, the same each time
        return sorted(_all(item), key=lambda each: json.dumps(each, sort_keys=True))
    if isinstance(item, (Sequence, ValuesView, deque)):
        return _all(item)
    raise FormlessError(f"a {type(item).__name__}")


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def _finite(number: float) -> float:
    if math.isfinite(number):
        return float(number)
    raise FormlessError(f"the number {number!r}")


#: In this order: a datetime is a date, too.
_SCALARS: Mapping[type, Callable[[Any], Any]] = {
    str: str,
    int: int,
    float: _finite,
    bytes: lambda data: base64.urlsafe_b64encode(data).decode(),
    bytearray: lambda data: base64.urlsafe_b64encode(data).decode(),
    datetime: encode_timestamp,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: encode_duration,
    decimal.Decimal: str,
    complex: str,
    uuid.UUID: str,
    pathlib.PurePath: str,
    ipaddress.IPv4Address: str,
    ipaddress.IPv6Address: str,
}


def _is_pydantics(item: Any) -> bool:
    return type(item).__module__.partition(".")[0] in ("pydantic", "pydantic_core")


def _by_pydantic(item: Any) -> Any:
    import pydantic

    if isinstance(item, pydantic.BaseModel):
        return item.model_dump(mode="json")
    kind: Any = type(item)  # pyright: ignore[reportUnknownVariableType]
    return pydantic.TypeAdapter(kind).dump_python(item, mode="json")


def _each(items: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in items:
        name = key if type(key) is str else _name(key)
        if name in made:
            raise FormlessError(f"an object with two names {name!r}")
        try:
            made[name] = _json(item)
        except FormlessError as error:
            error.path = f".{name}{error.path}"
            raise
    return made


def _name(key: Any) -> str:
    plain = _json(key)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, (dict, list)):
        raise FormlessError(f"a {type(key).__name__} as a name")
    return json.dumps(plain)


def _all(items: Any) -> list[Any]:
    made: list[Any] = []
    try:
        for item in items:
            made.append(_json(item))  # noqa: PERF401  (its length is the index in the error)
    except FormlessError as error:
        error.path = f"[{len(made)}]{error.path}"
        raise
    return made
