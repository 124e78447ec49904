"""JSON with blobs in it: contents with pictures, sound and documents in base64.

As text a blob would be copied, escaped, searched and copied again. Here its base64 is made in the place where it is
sent from, and everything else is written as ``json_codec`` writes it.
"""

from __future__ import annotations

from binascii import b2a_base64
from io import BytesIO  # noqa: TID251  (memory, no file: bytes that grow without being copied in the end)
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..types._json import is_array, is_object
from .json_codec import encode, written_by

if TYPE_CHECKING:
    import json
    from collections.abc import Iterator

__all__ = ["encode_with_blobs"]

#: Of a blob, so many bytes are written at a time: a multiple of three, so that base64 needs no padding before its end.
_STEP = 3 * 64 * 1024


def encode_with_blobs(document: Any) -> bytes:
    """``encode``, for JSON values and bytes, which are written as base64. Raises ValidationError."""
    try:
        return encode(document)
    except ValidationError:  # most have no bytes in them
        return written_by(lambda encoder: _write(document, encoder))


def _write(document: Any, encoder: json.JSONEncoder) -> tuple[str, bytes]:
    written = BytesIO()
    texts: list[str] = []
    for piece in _pieces(document, encoder):
        if isinstance(piece, str):
            texts.append(piece)
            written.write(piece.encode())
        else:
            data = memoryview(piece)
            for start in range(0, len(data), _STEP):
                written.write(b2a_base64(data[start : start + _STEP], newline=False))
    return "".join(texts), written.getvalue()


def _pieces(item: Any, encoder: json.JSONEncoder) -> Iterator[str | bytes]:
    """Text as JSON has it, and bytes that are to stand between quotation marks in base64."""
    if is_object(item):
        before = "{"
        for key, held in item.items():
            yield f"{before}{encoder.encode(key)}:"
            yield from _pieces(held, encoder)
            before = ","
        yield "}" if item else "{}"
    elif is_array(item):
        before = "["
        for held in item:
            yield before
            yield from _pieces(held, encoder)
            before = ","
        yield "]" if item else "[]"
    elif isinstance(item, bytes):
        yield '"'
        yield item
        yield '"'
    else:
        yield encoder.encode(item)
