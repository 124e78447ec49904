"""The connections of the transport's own session: opened where none is free, closed where their loop cannot."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp

from chatproto.loops import close_now

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["Connector", "drop"]

_AT_ONCE = 20  # requests that look for a connection in the same round of the loop
_ROUNDS = 5  # of the loop, in which an answer may come and leave its connection


class Connector(aiohttp.TCPConnector):
    """As many connections as are needed, but no more.

    To open one takes a program longer than a whole request. Of many requests that begin at the same time, the first are
    answered while the last are still being made, and their connections could be used again. So those that find none
    free go on a few at a time, at the pace of the loop. None waits for an answer, nor for a connection of another one:
    where the loop has nothing else to do, they all go on at once.
    """

    def __init__(self) -> None:
        # Threads resolve names as other programs do, and leave nothing behind that would have to be closed.
        super().__init__(limit=0, resolver=aiohttp.ThreadedResolver())  # pyright: ignore[reportUnknownMemberType]
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # for aiohttp to watch
    ) -> Connection:
        """A connection that is free, or a new one."""
        # Of any origin, because the usual request should not have to ask for its own.
        if not self._conns:
            async with self._turns:
                for _ in range(_ROUNDS):
                    if self._conns:
                        break
                    await asyncio.sleep(0)
        return await super().connect(req, traces, timeout)


def drop(connector: Any) -> None:
    """Close a connector whose loop does not run. aiohttp's own way would leave the sockets open, or raise."""
    kept = [each[0] for connections in connector._conns.values() for each in connections]  # noqa: SLF001
    for protocol in (*kept, *connector._acquired):  # noqa: SLF001
        close_now(protocol.transport)
    with suppress(RuntimeError):
        connector._close()  # noqa: SLF001
