"""How values are shown in reports: short, and blobs by what identifies them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any

from ..cassette import is_list, is_object
from .canonical import IGNORED
from .paths import quoted

__all__ = ["MISSING", "counted", "shown", "shown_pair"]

_SHOWN = 72  # characters of a text in a report
_SHOWN_WHOLE = 120  # of an object or a list
_BEFORE = 24  # of them, how many before the first difference of two texts
_BLOB = 64  # characters from which on base64 is not shown as it is
_SURELY = 256  # characters without a space that are a blob even if they look like a word


class _Missing:
    def __repr__(self) -> str:
        return "missing"


#: What stands for a member that is not there.
MISSING = _Missing()


def counted(number: int, thing: str) -> str:
    """A number of things, in words: "1 exchange", "2 exchanges"."""
    return f"{number} {thing}{'s' * (number != 1)}"


def shown_pair(recorded: Any, now: Any) -> tuple[str, str]:
    """Two values that differ; of long texts, the part around the first difference."""
    start = 0
    if isinstance(recorded, str) and isinstance(now, str):
        shorter = min(len(recorded), len(now))
        start = next((index for index in range(shorter) if recorded[index] != now[index]), shorter)
    return shown(recorded, start), shown(now, start)


def shown(value: Any, start: int = 0) -> str:
    """A value as JSON, cut to a readable length; of a text, the part from ``start`` on and a little before.

    Bytes and long base64 are shown by their size and the first 8 digits of their SHA-256.
    """
    if value is MISSING or value is IGNORED:
        return repr(value)
    if isinstance(value, bytes):
        return repr(value) if len(value) < _BLOB else _about(value)
    if isinstance(value, str):
        blob = _blob(value)
        if blob is not None:
            return f"base64 of {_about(blob)}"
        begin = max(0, start - _BEFORE) if len(value) > _SHOWN else 0
        text = quoted(value[begin : begin + _SHOWN])
        return f"{'...' if begin else ''}{text}{'...' if begin + _SHOWN < len(value) else ''}"
    text = json.dumps(_brief(value), ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(_brief(value))
    return text if len(text) <= _SHOWN_WHOLE else f"{text[:_SHOWN_WHOLE]}..."


def _about(data: bytes) -> str:
    return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:8]}"


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")


def _blob(text: str) -> bytes | None:
    """What ``text`` is in base64; None where it is no blob, but words."""
    if len(text) < _BLOB or not _BASE64.fullmatch(text):
        return None
    mixed = re.search("[a-z]", text) and re.search("[A-Z]", text) and re.search("[0-9]", text)
    if not mixed and len(text) < _SURELY:
        return None
    padded = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _brief(value: Any) -> Any:
    """A JSON value with its blobs named."""
    if is_object(value):
        return {name: _brief(each) for name, each in value.items()}
    if is_list(value):
        return [_brief(each) for each in value]
    if value is IGNORED:
        return "<ignored>"
    blob = _blob(value) if isinstance(value, str) else None
    return value if blob is None else f"<base64 of {_about(blob)}>"
