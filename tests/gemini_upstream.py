"""A Gemini on loopback that stands in for Google's, for tests of recording over HTTP.

It answers by what was said last, and only those who have the key: so a request that it answered brought it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chatproto.testing import LoopbackServer
from chatproto.testing.servers import chunk, head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatproto.testing.servers import Act, Received

__all__ = ["KEY", "MODEL", "gemini"]

KEY = "AIzaSy-not-a-key-of-anyone-0123456789"
MODEL = "gemini-2.5-flash"


def _said(*parts: Any, finish: str | None = "STOP") -> dict[str, Any]:
    """An answer of the model; a part that is a str is text."""
    content = {"role": "model", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}
    candidate: dict[str, Any] = {"content": content, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": MODEL, "responseId": "r1"}


def _event(document: Any) -> bytes:
    """A document as an event of a stream."""
    return b"data: " + json.dumps(document).encode() + b"\r\n\r\n"


def _last(request: Received) -> Any:
    part = json.loads(request.body)["contents"][-1]["parts"][-1]
    return part["text"] if "text" in part else part["functionResponse"]["response"]


def _unary(request: Received) -> list[Act]:
    last = _last(request)
    status, document = 200, _said(f"You said: {last}")
    extra: dict[str, Any] = {}
    if last == "What is the weather in Paris?":
        call = {"name": "weather", "args": {"city": "Paris"}, "id": "call-1"}
        document = _said({"functionCall": call, "thoughtSignature": "c2lnbmF0dXJl"})
    elif isinstance(last, dict):
        document = _said(f"It is {last}.")
    elif last == "Too much.":
        status, extra = 429, {"retry_after": "7"}
        document = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}
    body = json.dumps(document).encode()
    return [head(status, content_length=len(body), content_type="application/json; charset=UTF-8", **extra), body]


def _streamed(request: Received) -> list[Act]:
    """Three events, of which the second is cut in the middle of a character."""
    text = f"é {_last(request)}"
    first, second, third = (_event(_said(part, finish=None)) for part in ("One, ", "two, ", "three: "))
    rest = third + b"data: " + json.dumps(_said(text), ensure_ascii=False).encode() + b"\r\n\r\n"
    cut = rest.index("é".encode()) + 1
    pieces = (first, second, rest[:cut], rest[cut:])
    acts: list[Act] = [head(chunked=True, content_type="text/event-stream")]
    for piece in pieces:
        acts += [chunk(piece), 0.03]
    return [*acts, chunk()]


@contextmanager
def gemini() -> Iterator[LoopbackServer]:
    """The server. Every request to it without the key is refused."""

    def guarded(answer: Any) -> Any:
        def checked(request: Received) -> list[Act]:
            if request.header("x-goog-api-key") != KEY:
                return [head(403, content_length=0)]
            acts: list[Act] = answer(request)
            return acts

        return checked

    with LoopbackServer() as server:
        for version in ("v1", "v1beta"):
            server.on(f"/{version}/models/{MODEL}:generateContent", guarded(_unary))
            server.on(f"/{version}/models/{MODEL}:streamGenerateContent", guarded(_streamed))
        yield server
