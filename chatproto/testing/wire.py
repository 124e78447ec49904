"""Small answers of a Gemini server, as bytes and as wire JSON, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..wire.json_codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["error_response", "json_array", "sse", "text_response"]

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def text_response(text: str, finish_reason: str | None = "STOP", **usage: int) -> dict[str, Any]:
    """A response with one part of text. ``usage`` has wire names: ``totalTokenCount=7``.

    Without a finish reason it is a chunk in the middle of a stream.
    """
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    response: dict[str, Any] = {"candidates": [candidate | {"index": 0}]}
    if usage:
        response["usageMetadata"] = dict(usage)
    return response


def error_response(code: int, message: str = "scripted", status: str | None = None) -> dict[str, Any]:
    """The body of an error; ``status`` defaults to the name that goes with ``code``."""
    return {"error": {"code": code, "message": message, "status": status or _STATUSES.get(code, "UNKNOWN")}}


def sse(documents: Iterable[Mapping[str, Any]], eol: str = "\r\n") -> list[bytes]:
    """An event stream, one event a document. The server ends lines with CR LF."""
    end = eol.encode()
    return [b"data: " + encode(document) + end + end for document in documents]


def json_array(documents: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """A stream without ``alt=sse``: the pieces of one JSON array, one a document."""
    pieces = [encode(document) for document in documents]
    if not pieces:
        return [b"[]"]
    opened = [(b"[" if number == 0 else b",\r\n") + piece for number, piece in enumerate(pieces)]
    return [*opened[:-1], opened[-1] + b"]"]
