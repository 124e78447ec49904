"""One face for synchronous and asynchronous transports, so that each check of them is written once."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from ...errors import ChatProtoError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence
    from contextlib import AbstractContextManager

    from ...transport import AsyncResponse, AsyncTransport, Secrets, Transport
    from ...wire.http import Headers, Request
    from ..servers import LoopbackServer

__all__ = ["AsyncCaller", "Body", "Caller", "Mode", "SyncCaller", "modes_of"]

Mode = Literal["sync", "async"]
T = TypeVar("T")

#: Seconds after which a check gives up on an asynchronous transport that never comes back.
PATIENCE = 30.0


def modes_of(transport: object) -> list[Mode]:
    """What a transport offers."""
    offered: list[tuple[Mode, str]] = [("sync", "open"), ("async", "aopen")]
    return [mode for mode, method in offered if hasattr(transport, method)]


class Body(Protocol):
    """A response, whichever kind it is."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """As the transport gives them."""
        ...

    def read(self) -> bytes:
        """The next piece."""
        ...

    def discard(self) -> None:
        """Give the connection up."""
        ...


class Caller(ABC):
    """Uses a transport as a program would."""

    mode: Mode
    #: Typed so that checks may hand it what a type checker would not let through.
    transport: Any

    @abstractmethod
    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Body]:
        """``open`` or ``aopen``."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """``sleep`` or ``asleep``."""

    @abstractmethod
    def close(self) -> None:
        """``close`` or ``aclose``."""

    @abstractmethod
    def fetch_all(self, requests: Sequence[Request], secrets: Secrets) -> list[bytes | ChatProtoError]:
        """The whole bodies of the answers to many requests, sent at once: from threads, or from tasks."""

    @abstractmethod
    def discard_while_reading(self, body: Body) -> tuple[bytes | ChatProtoError | None, float]:
        """Read in one thread or task, discard in another: what the reader got, and how many seconds discarding took.

        None where the reader still waits after that.
        """

    @abstractmethod
    def let_go_on(self) -> None:
        """Let the transport do what it does by itself; it may be closed."""

    @abstractmethod
    def finish(self) -> None:
        """End the caller itself; the transport has been closed or is to be forgotten."""

    def until_idle(self, server: LoopbackServer, seconds: float = 2.5) -> bool:
        """Wait until no connection to ``server`` is open; whether that came to be."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if server.wait_until_idle(0.01):
                return True
            self.let_go_on()
        return False

    def drain(self, body: Body) -> list[bytes]:
        """All pieces."""
        return list(iter(body.read, b""))

    def fetch(self, request: Request, secrets: Secrets) -> bytes:
        """The whole body."""
        with self.open(request, secrets) as body:
            return b"".join(self.drain(body))


class SyncCaller(Caller):
    """Uses a synchronous transport."""

    mode: Mode = "sync"

    def __init__(self, make: Callable[[], Transport]) -> None:
        self.transport = make()

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Body]:
        """``open``."""
        opened: AbstractContextManager[Body] = self.transport.open(request, secrets)
        return opened

    def wait(self, seconds: float) -> None:
        """``sleep``."""
        self.transport.sleep(seconds)

    def close(self) -> None:
        """``close``."""
        self.transport.close()

    def fetch_all(self, requests: Sequence[Request], secrets: Secrets) -> list[bytes | ChatProtoError]:
        """In a thread each."""
        results: dict[int, bytes | ChatProtoError] = {}

        def work(number: int) -> None:
            try:
                results[number] = self.fetch(requests[number], secrets)
            except ChatProtoError as error:
                results[number] = error

        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        return [results.get(number, b"no answer") for number in range(len(requests))]

    def discard_while_reading(self, body: Body) -> tuple[bytes | ChatProtoError | None, float]:
        """From another thread."""
        outcome: list[bytes | ChatProtoError] = []

        def read() -> None:
            try:
                outcome.append(body.read())
            except ChatProtoError as error:
                outcome.append(error)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        time.sleep(0.1)
        began = time.monotonic()
        body.discard()
        took = time.monotonic() - began
        reader.join(2.0)
        return (outcome[0] if outcome else None), took

    def let_go_on(self) -> None:
        """Nothing: a synchronous one does nothing by itself."""

    def finish(self) -> None:
        """Nothing."""


class _AsyncBody:
    def __init__(self, caller: AsyncCaller, response: AsyncResponse) -> None:
        self._caller = caller
        self.response = response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Headers:
        return self.response.headers

    def read(self) -> bytes:
        return self._caller.run(self.response.aread)

    def discard(self) -> None:
        async def discard() -> None:
            self.response.discard()

        self._caller.run(discard)


class AsyncCaller(Caller):
    """Uses an asynchronous transport, in a loop that stands still between the calls."""

    mode: Mode = "async"

    def __init__(self, make: Callable[[], AsyncTransport]) -> None:
        self._runner = asyncio.Runner()

        async def made() -> AsyncTransport:
            return make()

        self.transport = self.run(made)

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Call and await ``function`` in the caller's loop."""

        async def call() -> T:
            async with asyncio.timeout(PATIENCE):
                return await function()

        return self._runner.run(call())

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Generator[Body]:
        """``aopen``."""
        opened = self.transport.aopen(request, secrets)
        response = self.run(opened.__aenter__)
        try:
            yield _AsyncBody(self, response)
        finally:
            self.run(lambda: opened.__aexit__(None, None, None))

    def wait(self, seconds: float) -> None:
        """``asleep``."""
        self.run(lambda: self.transport.asleep(seconds))

    def close(self) -> None:
        """``aclose``."""
        self.run(self.transport.aclose)

    def fetch_all(self, requests: Sequence[Request], secrets: Secrets) -> list[bytes | ChatProtoError]:
        """In a task each."""

        async def fetch(request: Request) -> bytes | ChatProtoError:
            pieces: list[bytes] = []
            try:
                async with self.transport.aopen(request, secrets) as response:
                    while data := await response.aread():
                        pieces.append(data)
            except ChatProtoError as error:
                return error
            return b"".join(pieces)

        async def fetch_all() -> list[bytes | ChatProtoError]:
            return await asyncio.gather(*map(fetch, requests))

        return self.run(fetch_all)

    def discard_while_reading(self, body: Body) -> tuple[bytes | ChatProtoError | None, float]:
        """From another task."""
        assert isinstance(body, _AsyncBody)
        response = body.response

        async def read() -> bytes | ChatProtoError:
            try:
                return await response.aread()
            except ChatProtoError as error:
                return error

        async def both() -> tuple[bytes | ChatProtoError | None, float]:
            reader = asyncio.ensure_future(read())
            await asyncio.sleep(0.1)
            began = time.monotonic()
            response.discard()
            took = time.monotonic() - began
            done, _ = await asyncio.wait([reader], timeout=2.0)
            if not done:
                reader.cancel()
                await asyncio.wait([reader])
            return (reader.result() if done else None), took

        return self.run(both)

    def let_go_on(self) -> None:
        """Run the loop for a moment."""
        self.run(lambda: asyncio.sleep(0.01))

    def finish(self) -> None:
        """End the loop, as ``asyncio.run`` does."""
        self._runner.close()
