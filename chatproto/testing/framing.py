"""What a test lets the model say, as the bytes of the answer that a request asks for.

What is said is text, a value of ``chatproto.types`` or wire JSON, or a list of such: each is a chunk where the request
asks for a stream. Where it asks for one document, what is no document by itself becomes the parts of one Content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import parse_qs, urlsplit

from ..errors import ValidationError
from ..types import Content, FunctionCall, GenerateContentResponse, Part
from ..types._dump import to_wire
from ..wire.json_codec import encode

if TYPE_CHECKING:
    from ..wire.http import Request

__all__ = [
    "Frames",
    "Said",
    "Saying",
    "content_type",
    "documents",
    "framed",
    "is_streamed",
    "method_of",
    "model_of",
    "said_one",
]

#: Text; a part, a function call, a Content or a response; a response as wire JSON.
Saying = Union[str, Part, FunctionCall, Content, GenerateContentResponse, Mapping[str, Any]]
Said = Union[Saying, Sequence[Saying]]

Json = Mapping[str, Any]


def method_of(request: Request) -> str:
    """The method of a model that a request calls: ``generateContent``, ``countTokens``; "" where it calls none."""
    return urlsplit(request.url).path.rpartition("/")[2].partition(":")[2]


def model_of(request: Request) -> str:
    """The name of the model that a request is to, without the collections that it is in; "" where it is to none."""
    name, colon, _ = urlsplit(request.url).path.rpartition("/")[2].partition(":")
    return name if colon else ""


def is_streamed(request: Request) -> bool:
    """Whether a request asks for an answer in chunks."""
    return method_of(request) == "streamGenerateContent"


def _asks_for_events(request: Request) -> bool:
    return is_streamed(request) and parse_qs(urlsplit(request.url).query).get("alt") == ["sse"]


def content_type(request: Request, status: int = 200) -> str:
    """The type of the answer. An error is a document, also where events were asked for."""
    return "text/event-stream" if status < 400 and _asks_for_events(request) else "application/json; charset=UTF-8"


class Frames:
    """The bytes of an answer in chunks, one document after the other: events, or one JSON list."""

    def __init__(self, request: Request, status: int = 200) -> None:
        self._events = _asks_for_events(request) and status < 400
        self._begun = False

    def add(self, document: Json) -> bytes:
        """The bytes of one more document. The server ends the lines of events with CR LF."""
        data = encode(document)
        if self._events:
            return b"data: " + data + b"\r\n\r\n"
        begun, self._begun = self._begun, True
        return (b",\r\n" if begun else b"[") + data

    def end(self) -> bytes:
        """The bytes that close the answer."""
        if self._events:
            return b""
        return b"]" if self._begun else b"[]"


def framed(said: Said, request: Request, status: int = 200) -> list[bytes]:
    """All that is said, in the form in which ``request`` is answered, a piece a document.

    Raises ValidationError where there are several and the request takes one.
    """
    found = documents(said, streamed=is_streamed(request))
    if is_streamed(request) and (status < 400 or not _asks_for_events(request)):
        frames = Frames(request, status)
        pieces = [frames.add(document) for document in found]
        last = frames.end()
        return [*pieces[:-1], pieces[-1] + last] if pieces else [last]
    if len(found) != 1:
        raise ValidationError(f"{len(found)} documents cannot answer {request.method} {request.url}: it takes one")
    return [encode(found[0])]


def documents(said: Said, *, streamed: bool) -> list[Json]:
    """What is said as responses in wire JSON: the last ends with STOP, unless it says itself how it ends."""
    # What is no list is one item, and is refused below if it cannot be one.
    items: list[Any] = [said] if isinstance(said, str) or not isinstance(said, Sequence) else list(said)
    if not streamed and not any(map(_is_document, items)):
        return [_response(_joined(items), last=True)]
    return [said_one(item, last=place == len(items)) for place, item in enumerate(items, start=1)]


def said_one(item: Any, *, last: bool) -> Json:
    """One item as a response in wire JSON. Raises ValidationError for what is none."""
    if isinstance(item, Mapping):
        return item  # pyright: ignore[reportUnknownVariableType]
    if isinstance(item, GenerateContentResponse):
        return {name: held for name, held in to_wire(item).items() if name != "sdkHttpResponse"}
    return _response(_content(item), last=last)


def _is_document(item: Any) -> bool:
    return isinstance(item, (Mapping, GenerateContentResponse))


def _response(content: Json, *, last: bool) -> Json:
    candidate: dict[str, Any] = {"content": content}
    if last:
        candidate["finishReason"] = "STOP"
    return {"candidates": [candidate | {"index": 0}]}


def _content(item: Any) -> dict[str, Any]:
    match item:
        case str():
            parts: list[Any] = [{"text": item}]
        case Part():
            parts = [to_wire(item)]
        case FunctionCall():
            parts = [{"functionCall": to_wire(item)}]
        case Content():
            return {"role": "model", **to_wire(item)}
        case _:
            raise ValidationError(
                "a model says text, a Part, a FunctionCall, a Content, a GenerateContentResponse, or a response as"
                f" wire JSON, not {type(item).__name__}"
            )
    return {"role": "model", "parts": parts}


def _joined(items: list[Any]) -> Json:
    """One Content of all that is said; texts that follow each other are one."""
    parts: list[Any] = []
    text = False
    for item in items:
        if isinstance(item, str) and text:
            parts[-1] = {"text": parts[-1]["text"] + item}
        else:
            parts += _content(item).get("parts") or ()
        text = isinstance(item, str)
    return {"role": "model", "parts": parts or [{"text": ""}]}
