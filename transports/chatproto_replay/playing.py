"""One exchange as it is played: a context manager and a response, sync and async."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chatproto.errors import TimedOut, TransportError

from .redaction.allowed import played_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatproto.wire.http import Headers, Request

    from .cassette import Chunk, Exchange, RecordedResponse
    from .clock import VirtualClock

__all__ = ["PlayedResponse", "Playing"]


class Playing:
    """The context manager of one exchange. ``take`` gets the exchange, on entering."""

    def __init__(self, take: Callable[[], Exchange], request: Request, clock: VirtualClock, pace: float) -> None:
        self._take = take
        self._request = request
        self._clock = clock
        self._pace = pace

    def __enter__(self) -> PlayedResponse:
        exchange = self._take()
        response = PlayedResponse(exchange, self._request, self._clock, self._pace)
        if exchange.response is None:
            response.fail()
        return response

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> PlayedResponse:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        return None


class PlayedResponse:
    """A recorded response, a chunk a read, and then its end, or the failure that was recorded."""

    def __init__(self, exchange: Exchange, request: Request, clock: VirtualClock, pace: float) -> None:
        response: RecordedResponse | None = exchange.response
        self.status: int = response.status if response is not None else 0
        self.headers: Headers = played_headers(response.headers, request) if response is not None else ()
        self._chunks: tuple[Chunk, ...] = response.chunks if response is not None else ()
        self._next = 0
        self._exchange = exchange
        self._timeout = request.timeout or 0.0
        self._clock = clock
        self._pace = pace / 1000  # real seconds a recorded millisecond

    def read(self) -> bytes:
        """The next chunk; ``b""`` at the end."""
        chunk = self._ahead()
        if chunk is None:
            return self._end()
        if self._pace:
            time.sleep(chunk.delay * self._pace)
        return self._played(chunk)

    async def aread(self) -> bytes:
        """``read`` for asyncio. Cancelling it loses no chunk."""
        chunk = self._ahead()
        if chunk is None:
            return self._end()
        if self._pace:
            import asyncio

            await asyncio.sleep(chunk.delay * self._pace)
        return self._played(chunk)

    def discard(self) -> None:
        """There is no connection to give up."""

    def fail(self) -> None:
        """Raise the failure that was recorded; a timeout takes as long as the request would have waited."""
        error = self._exchange.error() or TransportError("the recorded request had no response")
        if isinstance(error, TimedOut):
            waited, self._timeout = self._timeout, 0.0
            self._clock.advance(waited)
        raise error

    def _ahead(self) -> Chunk | None:
        return self._chunks[self._next] if self._next < len(self._chunks) else None

    def _played(self, chunk: Chunk) -> bytes:
        self._next += 1
        self._clock.advance(chunk.delay / 1000)
        return chunk.data

    def _end(self) -> bytes:
        if self._exchange.error() is not None:
            self.fail()
        return b""
