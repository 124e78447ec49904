"""``Player``: a transport that answers from a cassette."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Self

from chatproto.errors import LocalProtocolError, TransportError

from .cassette import Cassette, Chunk, Exchange, RecordedResponse
from .errors import CassetteExhausted, RequestMismatch, UnplayedExchanges
from .matching import differences, first_content, report
from .redaction import played_headers, recorded_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["Player"]


class Player:
    """Answers each request with the next recorded exchange, sync and async. It holds no network code, needs no key.

    A request must equal the recorded one in method, path, query and body, or RequestMismatch says what changed. The
    chunks come as they were cut when recorded, one ``read`` each, at once; with ``pace`` they come in their recorded
    time, times that number (1.0 is as it was, 0.5 twice as fast). The seconds that the program would have slept are in
    ``slept``. A failure that was recorded is raised where it was.

    Closing it, or leaving its ``with`` block without an exception, raises UnplayedExchanges if the program asked for
    less than was recorded.

    The cassette is read at construction, and raises CassetteMissing, MalformedCassette or LaterCassette there.
    """

    needs_credential = False

    def __init__(self, path: str | os.PathLike[str], *, pace: float = 0.0) -> None:
        self.path = os.fspath(path)
        self.pace = pace
        self.cassette = Cassette.load(path)
        self.slept: list[float] = []
        self._played = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def played(self) -> int:
        """How many exchanges have been asked for."""
        return self._played

    def open(self, request: Request, secrets: Secrets) -> _Playing:
        """Compare ``request`` with the next exchange, on entering, and play it. ``secrets`` are not looked at."""
        return _Playing(lambda: self._take(request), request, self.pace)

    def aopen(self, request: Request, secrets: Secrets) -> _Playing:
        """``open`` for asyncio."""
        return _Playing(lambda: self._take(request), request, self.pace)

    def sleep(self, seconds: float) -> None:
        """Note in ``slept`` that the program would have waited."""
        with self._lock:
            self.slept.append(seconds)

    async def asleep(self, seconds: float) -> None:
        """``sleep`` for asyncio: it does not wait either."""
        self.sleep(seconds)

    def close(self) -> None:
        """Raise UnplayedExchanges if some are left. Only the first call does."""
        with self._lock:
            closed, self._closed = self._closed, True
            left = self.cassette.exchanges[self._played :]
        if left and not closed:
            first = self._played + 1
            lines = [f"  {number}: {exchange.request}" for number, exchange in enumerate(left, start=first)]
            total = len(self.cassette.exchanges)
            raise UnplayedExchanges(
                f"{self.path}: {len(left)} of {total} recorded exchanges were not asked for:\n" + "\n".join(lines)
            )

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        self._closed = True  # an exception says more than that the rest was not played

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _take(self, request: Request) -> Exchange:
        """The next exchange, if ``request`` is the one that was recorded; else it stays the next."""
        now = recorded_request(request)
        with self._lock:
            if self._closed:
                raise LocalProtocolError(f"this player of {self.path} is closed")
            number, exchanges = self._played + 1, self.cassette.exchanges
            if number > len(exchanges):
                raise CassetteExhausted(
                    f"{self.path} has {len(exchanges)} exchanges, all played, and there is one more request: {now}"
                )
            exchange = exchanges[number - 1]
            found = differences(exchange.request, now)
            if not found:
                self._played = number
                return exchange
        lines = [f"{self.path}: request {now} is not the recorded exchange {number} of {len(exchanges)}", report(found)]
        elsewhere = [n for n, each in enumerate(exchanges, start=1) if not differences(each.request, now)]
        if elsewhere:
            place = "was played already" if elsewhere[-1] < number else "comes later"
            lines.append(f"It equals exchange {elsewhere[-1]}, which {place}.")
        raise RequestMismatch("\n".join(lines), exchange=number, differences=found, content=first_content(found))


class _Playing:
    """The context manager of one exchange, sync and async."""

    def __init__(self, take: Callable[[], Exchange], request: Request, pace: float) -> None:
        self._take = take
        self._request = request
        self._pace = pace

    def __enter__(self) -> _PlayedResponse:
        exchange = self._take()
        if exchange.response is None:
            raise exchange.error() or TransportError("the recorded request had no response")
        return _PlayedResponse(exchange.response, exchange.error, self._request, self._pace)

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> _PlayedResponse:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        return None


class _PlayedResponse:
    def __init__(
        self, response: RecordedResponse, error: Callable[[], TransportError | None], request: Request, pace: float
    ) -> None:
        self.status: int = response.status
        self.headers: Headers = played_headers(response.headers, request)
        self._error = error
        self._chunks: Iterator[Chunk] = iter(response.chunks)
        self._pace = pace / 1000  # seconds a recorded millisecond

    def read(self) -> bytes:
        """The next chunk; then the end, or the failure that was recorded."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return self._end()
        if self._pace:
            time.sleep(chunk.delay * self._pace)
        return chunk.data

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return self._end()
        if self._pace:
            import asyncio

            await asyncio.sleep(chunk.delay * self._pace)
        return chunk.data

    def _end(self) -> bytes:
        error = self._error()
        if error is not None:
            raise error
        return b""

    def discard(self) -> None:
        """There is no connection to give up."""
