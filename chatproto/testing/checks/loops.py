"""What asynchronous transports keep to beyond the rest."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import TYPE_CHECKING, Any

from ..servers import CLOSE, LoopbackServer, chunk, head
from .base import FOR_EVER, SOON, Checks, a_request, no_warnings, require, secrets_for, under_asyncio, without_proxies

if TYPE_CHECKING:
    from .callers import AsyncCaller, Mode

__all__ = ["Loops"]


class Loops(Checks):
    """Loops are not stopped, may end, and tasks may be cancelled."""

    def _made(self) -> Any:
        """A transport that was made in a loop which has ended."""

        async def make() -> Any:
            return self.transport()

        return asyncio.run(make())

    @under_asyncio
    def test_waiting_does_not_stop_the_loop(self, caller: AsyncCaller) -> None:
        """While a request waits, other tasks go on."""

        async def count() -> int:
            request = a_request(server, "/", b"{}")
            counted = 0

            async def fetch() -> None:
                async with caller.transport.aopen(request, secrets_for(server)) as response:
                    while await response.aread():
                        pass

            task = asyncio.ensure_future(fetch())
            while not task.done():
                await asyncio.sleep(0.01)
                counted += 1
            await task
            return counted

        with LoopbackServer() as server:
            server.on("/", [0.3, head(content_length=4), b"ab", 0.3, b"cd"])
            counted = caller.run(count)
            require(counted > 20, f"other tasks ran {counted} times in 0.6 s")

    @under_asyncio
    def test_cancelling(self, caller: AsyncCaller) -> None:
        """A task that is cancelled while it waits for the head or for the body leaves no connection behind."""

        async def cancel(path: str) -> None:
            async def fetch() -> None:
                opened = caller.transport.aopen(a_request(server, path, b"{}"), secrets_for(server))
                response = await opened.__aenter__()
                try:
                    while await response.aread():
                        pass
                finally:
                    response.discard()  # as the driver does

            task = asyncio.ensure_future(fetch())
            await asyncio.sleep(0.2)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=1.0)
            require(done, f"{path}: the task goes on after it was cancelled")
            require(task.cancelled(), f"{path}: the cancellation was swallowed")

        with LoopbackServer() as server:
            server.on("/head", [FOR_EVER, CLOSE])
            server.on("/body", [head(chunked=True), chunk(b"ab"), FOR_EVER, CLOSE])
            for path in ("/head", "/body"):
                caller.run(partial(cancel, path))
                require(caller.until_idle(server), f"{path}: the server still has the connection")
            server.on("/", [head(content_length=2), b"ab"])
            require(caller.fetch(a_request(server, "/"), secrets_for(server)) == b"ab", "the next request failed")

    @under_asyncio
    def test_several_loops(self, mode: Mode) -> None:
        """One transport works in one ``asyncio.run`` after the other, without being closed between them."""
        with LoopbackServer() as server, without_proxies(), no_warnings("a transport that was used in several loops"):
            server.on("/", [head(content_length=2), b"ab"])
            transport = self._made()

            async def fetch(transport: Any) -> bytes:
                async with transport.aopen(a_request(server, "/", b"{}"), secrets_for(server)) as response:
                    data: bytes = await response.aread()
                    await response.aread()
                    return data

            for number in range(3):
                require(asyncio.run(fetch(transport)) == b"ab", f"loop {number + 1} got no answer")
                gc.collect()
            asyncio.run(transport.aclose())
            del transport
            gc.collect()
            require(server.wait_until_idle(SOON), "a connection of an earlier loop is still open")

    @under_asyncio
    def test_a_transport_that_is_forgotten(self, mode: Mode) -> None:
        """One that is dropped without being closed warns of nothing, and leaves no connection."""
        with LoopbackServer() as server, without_proxies(), no_warnings("a transport that was not closed"):
            server.on("/", [head(content_length=2), b"ab"])
            transport = self._made()

            async def fetch(transport: Any) -> None:
                async with transport.aopen(a_request(server, "/", b"{}"), secrets_for(server)) as response:
                    while await response.aread():
                        pass

            asyncio.run(fetch(transport))
            del transport
            gc.collect()
            require(server.wait_until_idle(SOON), "a connection is still open")

    @under_asyncio
    def test_discard_after_the_loop(self, mode: Mode) -> None:
        """``discard`` is called where nothing can be awaited: also when the loop has ended."""
        with LoopbackServer() as server, without_proxies(), no_warnings("a response that outlived its loop"):
            server.on("/", [head(chunked=True), chunk(b"ab"), FOR_EVER, CLOSE])
            transport = self._made()

            async def begin(transport: Any) -> Any:
                response = await transport.aopen(a_request(server, "/", b"{}"), secrets_for(server)).__aenter__()
                await response.aread()
                return response

            response = asyncio.run(begin(transport))
            response.discard()
            response.discard()
            del response, transport
            gc.collect()
            require(server.wait_until_idle(SOON), "the connection is still open")
