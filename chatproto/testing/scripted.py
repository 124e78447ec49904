"""``ScriptedTransport``: a transport whose answers are Python values. For tests of programs that chat.

::

    transport = ScriptedTransport("Hello!", ["One ", "two"], Answer("never whole", cut_at=40), TimedOut("no answer"))
    chat = Client(transport=transport).chats.create(model="gemini-2.5-flash")
    chat.send_message("Hi").text       # 'Hello!'
    transport.requests[0].json()       # what was sent

It imports no HTTP library, needs no API key, and does not sleep: the seconds are in ``slept``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from ..errors import ChatProtoError, ConnectionLost, TimedOut, TransportError
from .framing import content_type, framed
from .offline import Offline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..transport import Secrets
    from ..wire.http import Headers, Request
    from .framing import Said

__all__ = ["Answer", "ScriptExhausted", "ScriptedResponse", "ScriptedTransport"]


class ScriptExhausted(ChatProtoError, AssertionError):
    """A request came after the last scripted answer."""


@attrs.frozen
class Answer:
    """A response, and what befalls it on its way.

    ``said`` is what a bare answer may be: text, a value of ``chatproto.types`` (a Part, a FunctionCall, a Content, a
    response), wire JSON, or a list of such (the chunks of a stream); it is framed as the request asks. Instead of it,
    ``chunks`` are raw bytes, one ``read`` each.

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
        if self.chunks is not None:
            chunks = list(self.chunks)
        else:
            chunks = framed(() if self.said is None else self.said, request, self.status)
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


class ScriptedTransport(Offline):
    """Gives its answers in turn, sync and async, from any number of threads.

    An answer is something said (text, a value of ``chatproto.types``, a wire response, a list of them), an ``Answer``
    for more, or an exception to raise instead of a response. ``requests`` are the requests that came, ``discarded``
    counts the responses that were given up, and ``closed`` says whether the transport was closed.
    """

    def __init__(self, *answers: Said | Answer | BaseException) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._answers = list(answers)

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

    def _next(self, request: Request) -> ScriptedResponse:
        with self._lock:
            self._check_open()
            self.requests.append(request)
            if not self._answers:
                number = len(self.requests)
                raise ScriptExhausted(f"request {number} has no scripted answer: {request.method} {request.url}")
            answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return ScriptedResponse(
            answer if isinstance(answer, Answer) else Answer(answer), request, self._count_discarded
        )


class _Opening:
    """The context manager of one response, sync and async."""

    def __init__(self, respond: Callable[[], ScriptedResponse]) -> None:
        self._respond = respond

    def __enter__(self) -> ScriptedResponse:
        return self._respond()

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> ScriptedResponse:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        return None


class ScriptedResponse:
    """``answer`` as the response to ``request``. ``discarded`` is called once, if it is given up."""

    def __init__(self, answer: Answer, request: Request, discarded: Callable[[], None]) -> None:
        named = {name.lower(): value for name, value in answer.headers.items()}
        if answer.chunks is None:
            named.setdefault("content-type", content_type(request, answer.status))
        self.status = answer.status
        self.headers: Headers = tuple(named.items())
        self._count = discarded
        self._pieces: Iterator[bytes] = iter(answer.pieces(request))
        self._failure = answer.failure()
        self._discarded = False

    def read(self) -> bytes:
        """The next piece; then the end, or the failure."""
        data = next(self._pieces, b"")
        if not data and self._failure is not None:
            raise self._failure
        return data

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        return self.read()

    def discard(self) -> None:
        """Note that the program has left."""
        if not self._discarded:
            self._discarded = True
            self._count()


def _shortened(chunks: list[bytes], size: int) -> list[bytes]:
    """The first ``size`` bytes, at the same boundaries."""
    kept: list[bytes] = []
    for chunk in chunks:
        kept.append(chunk[:size])
        size -= len(kept[-1])
    return kept
