"""What the server answers: made once, from nothing but counters, so that every run gets the same bytes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

__all__ = ["FILE", "chunks", "event_stream", "sentence", "unary"]

_TEXT = "the river bends around a hill where old stones keep their warmth and nobody counts the hours between two bells"
_WORDS = _TEXT.split()

#: The metadata of an uploaded file.
FILE = json.dumps(
    {
        "file": {
            "name": "files/bench",
            "mimeType": "application/octet-stream",
            "sizeBytes": "1",
            "state": "ACTIVE",
            "uri": "https://generativelanguage.googleapis.com/v1beta/files/bench",
        }
    }
).encode()


def sentence(number: int, length: int) -> str:
    """Some text of ``length`` characters; another for each number."""
    words = [f"{number}:"]
    while sum(map(len, words)) + len(words) <= length:
        words.append(_WORDS[(number * 7 + len(words) * 3) % len(_WORDS)])
    return " ".join(words)[:length]


def _response(text: str, tokens: int, *, finished: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finished:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": tokens,
            "totalTokenCount": 12 + tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "bR5ncGhU-xQ2HkPlN9aDo",
    }


@cache
def unary() -> bytes:
    """A whole answer of 512 characters."""
    return json.dumps(_response(sentence(1, 512), 128, finished=True), indent=2).encode()


@cache
def chunks(count: int) -> list[bytes]:
    """The events of a streamed answer, of 24 characters each."""
    documents = (
        _response(sentence(number, 24) + " ", number, finished=number == count) for number in range(1, count + 1)
    )
    return [b"data: " + json.dumps(each).encode() + b"\r\n\r\n" for each in documents]


def event_stream(count: int) -> bytes:
    """The body of a streamed answer."""
    return b"".join(chunks(count))
