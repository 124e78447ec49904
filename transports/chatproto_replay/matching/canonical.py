"""Equality of recorded requests, as text that equal ones share."""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring_ascii as _quoted  # json.dumps of a text, three times as fast
from typing import TYPE_CHECKING, Any

from ..cassette import is_list, is_object

if TYPE_CHECKING:
    from ..cassette import Field, RecordedRequest

__all__ = ["IGNORED", "Ignored", "by_name", "canonical", "fingerprint"]


class Ignored:
    """What stands for a value that a rule hides. It equals itself alone."""

    def __repr__(self) -> str:
        return "ignored"


IGNORED = Ignored()


def canonical(value: Any) -> str:
    """Text that two JSON values share if they are equal.

    The order of keys does not matter; 1 and 1.0 are equal, 1 and true are not.
    """
    if isinstance(value, str):
        return _quoted(value)
    if is_object(value):
        return "{" + ",".join([f"{_quoted(name)}:{canonical(value[name])}" for name in sorted(value)]) + "}"
    if is_list(value):
        return "[" + ",".join([canonical(each) for each in value]) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return f"bytes {value.hex()}"
    return repr(value)  # numbers, true, false and null; IGNORED


def by_name(query: tuple[Field, ...]) -> dict[str, Any]:
    """A query as an object: several values under one name are a list. The order of names does not matter."""
    found: dict[str, list[str | None]] = {}
    for name, value in query:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def fingerprint(request: RecordedRequest) -> bytes:
    """32 bytes that two requests share if they are equal in method, path, query and body."""
    body = request.body
    content = None if body is None else [body.kind, body.value]
    text = canonical([request.method, request.path, by_name(request.query), content])
    return hashlib.sha256(text.encode()).digest()
