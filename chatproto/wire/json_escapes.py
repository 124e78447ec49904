"""JSON text without its escapes, for searching it as it is: whole documents, pieces of them, and what is no JSON."""

from __future__ import annotations

import re

__all__ = ["unescaped"]

_UNIT = re.compile(rb"\\u00([0-9a-fA-F]{2})")
_CONTROLS = ((b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t"), (b"\\b", b"\b"), (b"\\f", b"\f"))
_BACKSLASH = b"\xff\xfe\xfd"  # stands for one for a while: UTF-8 has no such bytes


def unescaped(data: bytes) -> bytes:
    r"""``data`` with one layer of JSON's escapes undone, as far as a credential may be spelled with them.

    That is ASCII: of ``\u00E9`` comes the byte E9, and of ``\u20ac``, as of any other backslash, what follows it.
    """
    if b"\\" not in data:
        return data
    data = data.replace(b"\\\\", _BACKSLASH)
    data = _UNIT.sub(lambda found: _BACKSLASH if found[1] in (b"5c", b"5C") else bytes([int(found[1], 16)]), data)
    for escaped, control in _CONTROLS:
        data = data.replace(escaped, control)
    return data.replace(b"\\", b"").replace(_BACKSLASH, b"\\")
