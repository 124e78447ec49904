"""The connections of the transport's own session: opened where none is free, closed where their loop cannot."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp

from chatproto.loops import close_now

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["Connector", "drop"]


class Connector(aiohttp.TCPConnector):
    """As many connections as are needed, but no more.

    To open one takes a program longer than a whole request. Of many requests that begin at the same time, the first are
    answered while the last are still being made, and their connections could be used again. So those that find none
    free go on a few at a time, at the pace of the loop. None waits for an answer, nor for a connection of another one:
    where the loop has nothing else to do, they all go on at once. And where no connection is in use, none waits at all.
    """

    def __init__(self) -> None:
        # Threads resolve names as other programs do, and leave nothing behind that would have to be closed.
        super().__init__(limit=0, resolver=aiohttp.ThreadedResolver())  # pyright: ignore[reportUnknownMemberType]
        self._in_line: deque[asyncio.Future[None]] = deque()

    # No coroutine of its own: the usual request goes through fewer.
    def connect(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Coroutine[Any, Any, Connection]:
        """A connection that is free, or a new one."""
        # Free for any origin, because the usual request should not have to ask for its own.
        if self._conns or not self._acquired:
            return super().connect(req, traces, timeout)
        return self._connect_in_turn(req, traces, timeout)

    async def _connect_in_turn(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # for aiohttp to watch
    ) -> Connection:
        turn: asyncio.Future[None] = self._loop.create_future()
        if not self._in_line:
            self._loop.call_soon(self._go_on)
        self._in_line.append(turn)
        await turn
        return await super().connect(req, traces, timeout)

    def _go_on(self) -> None:
        """Let one go on, and as many more as find a connection free; in the next round of the loop those after them."""
        line = self._in_line
        free = sum(map(len, self._conns.values()))
        while line and free >= 0:
            turn = line.popleft()
            if not turn.done():  # it may have been cancelled
                turn.set_result(None)
                free -= 1
        if line:
            self._loop.call_soon(self._go_on)


def drop(connector: Any) -> None:
    """Close a connector whose loop does not run. aiohttp's own way would leave the sockets open, or raise."""
    kept = [each[0] for connections in connector._conns.values() for each in connections]  # noqa: SLF001
    for protocol in (*kept, *connector._acquired):  # noqa: SLF001
        close_now(protocol.transport)
    with suppress(RuntimeError):
        connector._close()  # noqa: SLF001
