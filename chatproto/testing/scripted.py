"""``ScriptedTransport``: a transport whose answers are Python values. For tests of programs that chat.

::

    transport = ScriptedTransport("Hello!", ["One ", "two"], Answer("never whole", cut_at=40), TimedOut("no answer"))
    chat = Client(transport=transport).chats.create(model="gemini-2.5-flash")
    chat.send_message("Hi").text       # 'Hello!'
    transport.requests[0].json()       # what was sent

It imports no HTTP library, needs no API key, and does not sleep: the seconds are in ``slept``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Union, cast
from urllib.parse import parse_qs, urlsplit

import attrs

from ..errors import ChatProtoError, ConnectionLost, LocalProtocolError, TimedOut, TransportError, ValidationError
from ..wire.json_codec import encode
from .wire import json_array, sse, text_response

if TYPE_CHECKING:
    from ..transport import Secrets
    from ..wire.http import Headers, Request

__all__ = ["Answer", "ScriptExhausted", "ScriptedTransport"]

#: Text; pieces of text; a wire response; wire responses.
Said = Union[str, Sequence[str], Mapping[str, Any], Sequence[Mapping[str, Any]]]


class ScriptExhausted(ChatProtoError, AssertionError):
    """A request came after the last scripted answer."""


@attrs.frozen
class Answer:
    """A response, and what befalls it on its way.

    ``said`` is what a bare answer may be: text, a list of texts (the chunks of a stream), wire JSON, or a list of it;
    it is framed as the request asks. Instead of it, ``chunks`` are raw bytes, one ``read`` each.

    Of the body's bytes: ``every`` cuts it into pieces of so many, ``split_at`` at these offsets. ``cut_at`` loses the
    connection after so many bytes, ``stall_at`` times out there, and ``error`` is raised at the end, or where
    ``cut_at`` says.
    """

    said: Said | None = None
    status: int = attrs.field(default=200, kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    chunks: Sequence[bytes] | None = attrs.field(default=None, kw_only=True)
    split_at: Sequence[int] = attrs.field(default=(), kw_only=True)
    every: int | None = attrs.field(default=None, kw_only=True)
    cut_at: int | None = attrs.field(default=None, kw_only=True)
    stall_at: int | None = attrs.field(default=None, kw_only=True)
    error: TransportError | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.said is None) == (self.chunks is None):
            raise ValueError("an Answer has either something said or chunks of bytes")
        if self.every is not None and self.every < 1:
            raise ValueError("every: pieces have at least one byte")

    def pieces(self, request: Request) -> list[bytes]:
        """The chunks of the body, re-cut and cut short, without empty ones."""
        chunks = list(self.chunks) if self.chunks is not None else _framed(self.said, self.status, request)
        if self.split_at or self.every is not None:
            body = b"".join(chunks)
            marks = {*self.split_at, *range(0, len(body), self.every or max(1, len(body))), len(body)}
            ordered = sorted(mark for mark in {0, *marks} if 0 <= mark <= len(body))
            chunks = [body[start:end] for start, end in pairwise(ordered)]
        ends = [mark for mark in (self.cut_at, self.stall_at) if mark is not None]
        return [chunk for chunk in (_shortened(chunks, min(ends)) if ends else chunks) if chunk]

    def failure(self) -> TransportError | None:
        """What is raised when the pieces are through; None for a clean end."""
        if self.error is not None:
            return self.error
        if self.cut_at is not None and (self.stall_at is None or self.cut_at <= self.stall_at):
            return ConnectionLost(f"scripted: the connection was cut after {self.cut_at} bytes")
        if self.stall_at is not None:
            return TimedOut(f"scripted: nothing more after {self.stall_at} bytes")
        return None


class ScriptedTransport:
    """Gives its answers in turn, sync and async, from any number of threads.

    An answer is something said (text, a list of texts, a wire response, a list of them), an ``Answer`` for more, or an
    exception to raise instead of a response. ``requests`` are the requests that came, ``discarded`` counts the
    responses that were given up, and ``closed`` says whether the transport was closed.
    """

    needs_credential = False

    def __init__(self, *answers: Said | Answer | BaseException) -> None:
        self.requests: list[Request] = []
        self.slept: list[float] = []
        self.discarded = 0
        self.closed = False
        self._answers = list(answers)
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """How many answers have not been asked for."""
        return len(self._answers)

    def add(self, *answers: Said | Answer | BaseException) -> None:
        """More answers, after the others."""
        with self._lock:
            self._answers += answers

    def open(self, request: Request, secrets: Secrets) -> _Opening:
        """Note the request and give the next answer, on entering. ``secrets`` are not looked at."""
        return _Opening(lambda: self._next(request))

    def aopen(self, request: Request, secrets: Secrets) -> _Opening:
        """``open`` for asyncio."""
        return _Opening(lambda: self._next(request))

    def sleep(self, seconds: float) -> None:
        """Note in ``slept`` that the program would have waited."""
        self.slept.append(seconds)

    async def asleep(self, seconds: float) -> None:
        """``sleep`` for asyncio."""
        self.slept.append(seconds)

    def close(self) -> None:
        """Note in ``closed`` that this was called."""
        self.closed = True

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        self.closed = True

    def _next(self, request: Request) -> _Response:
        with self._lock:
            if self.closed:
                raise LocalProtocolError("this transport is closed")
            self.requests.append(request)
            if not self._answers:
                number = len(self.requests)
                raise ScriptExhausted(f"request {number} has no scripted answer: {request.method} {request.url}")
            answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return _Response(answer if isinstance(answer, Answer) else Answer(answer), request, self._count_discarded)

    def _count_discarded(self) -> None:
        with self._lock:
            self.discarded += 1


class _Opening:
    """The context manager of one response, sync and async."""

    def __init__(self, respond: Callable[[], _Response]) -> None:
        self._respond = respond

    def __enter__(self) -> _Response:
        return self._respond()

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> _Response:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        return None


class _Response:
    def __init__(self, answer: Answer, request: Request, discarded: Callable[[], None]) -> None:
        named = {name.lower(): value for name, value in answer.headers.items()}
        if answer.chunks is None:
            named.setdefault("content-type", _content_type(answer, request))
        self.status = answer.status
        self.headers: Headers = tuple(named.items())
        self._count = discarded
        self._pieces: Iterator[bytes] = iter(answer.pieces(request))
        self._failure = answer.failure()
        self._discarded = False

    def read(self) -> bytes:
        data = next(self._pieces, b"")
        if not data and self._failure is not None:
            raise self._failure
        return data

    async def aread(self) -> bytes:
        return self.read()

    def discard(self) -> None:
        if not self._discarded:
            self._discarded = True
            self._count()


# --- framing --------------------------------------------------------------------------------------------------------


def _streamed(request: Request) -> bool:
    return urlsplit(request.url).path.endswith(":streamGenerateContent")


def _events(request: Request) -> bool:
    return _streamed(request) and parse_qs(urlsplit(request.url).query).get("alt") == ["sse"]


def _content_type(answer: Answer, request: Request) -> str:
    return "text/event-stream" if answer.status < 400 and _events(request) else "application/json; charset=UTF-8"


def _framed(said: Said | None, status: int, request: Request) -> list[bytes]:
    """What is said, in the form in which this request is answered."""
    documents = _documents(said, streamed=_streamed(request))
    if _streamed(request) and not (status >= 400 and _events(request)):
        return sse(documents) if _events(request) else json_array(documents)
    # An error is one document, also where events were asked for.
    if len(documents) != 1:
        raise ValidationError(f"{len(documents)} documents cannot answer {request.method} {request.url}: it takes one")
    return [encode(documents[0])]


def _documents(said: Said | None, *, streamed: bool) -> list[Mapping[str, Any]]:
    if isinstance(said, Mapping):
        return [said]
    items: list[Any] = [said] if isinstance(said, str) else list(said or ())
    if all(isinstance(item, str) for item in items):
        texts = cast("list[str]", items) if streamed else ["".join(items)]
        last = len(texts) - 1
        return [text_response(text, "STOP" if number == last else None) for number, text in enumerate(texts)]
    return cast("list[Mapping[str, Any]]", items)


def _shortened(chunks: list[bytes], size: int) -> list[bytes]:
    """The first ``size`` bytes, at the same boundaries."""
    kept: list[bytes] = []
    for chunk in chunks:
        kept.append(chunk[:size])
        size -= len(kept[-1])
    return kept
