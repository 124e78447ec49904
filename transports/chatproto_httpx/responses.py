"""The responses: their heads, their bodies as they arrive, and how they are given up."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatproto.errors import ChatProtoError, ConnectionLost
from chatproto.loops import runs_here

from .clients import close_stream_now
from .failures import library_errors, mapped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers

__all__ = ["AsyncBody", "SyncBody", "headers_of"]


def headers_of(response: Any) -> Headers:
    """As they came, but for the case of their names."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers.raw)


class _Body:
    """What both kinds of response share."""

    def __init__(self, library: Any, response: Any, secrets: Secrets) -> None:
        self.status: int = response.status_code
        self.headers: Headers = headers_of(response)
        self._library = library
        self._errors = library_errors(library)
        self._response = response
        self._secrets = secrets
        self._failure: ChatProtoError | None = None
        self._ended = False
        self._given_up = False

    def _outcome(self, outcome: bytes | ChatProtoError) -> bytes:
        if self._given_up:  # also by another thread or task, while this one was waiting
            raise ConnectionLost("the connection was given up")
        if isinstance(outcome, ChatProtoError):
            raise outcome
        return outcome

    def _failed(self, error: Exception) -> ChatProtoError:
        self._failure = mapped(self._library, error, self._secrets, opening=False)
        return self._failure

    def _hang_up(self) -> None:
        """End the connection under whoever reads it; a connection of HTTP/2 has other readers, too."""
        extensions = self._response.extensions
        stream = extensions.get("network_stream")
        if stream is not None and extensions.get("http_version", b"").startswith(b"HTTP/1"):
            with suppress(Exception):
                connection = stream.get_extra_info("socket")
                if isinstance(connection, socket.socket):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not that of SSLSocket: it drops the reader
                else:
                    connection.shutdown(socket.SHUT_RDWR)


class SyncBody(_Body):
    """A response for threads."""

    def __init__(self, library: Any, response: Any, secrets: Secrets) -> None:
        super().__init__(library, response, secrets)
        self._pieces: Iterator[bytes] = response.iter_bytes()
        self._busy = threading.Lock()

    def read(self) -> bytes:
        """What has arrived, decoded; ``b""`` at the end."""
        with self._busy:
            outcome = self._next()
        if self._given_up:
            self.discard()  # another thread could not do it while this one was reading
        return self._outcome(outcome)

    def _next(self) -> bytes | ChatProtoError:
        if self._ended or self._given_up:
            return b""
        if self._failure is not None:
            return self._failure
        try:
            data = next(self._pieces, b"")
        except self._errors as error:
            return self._failed(error)
        self._ended = not data
        return data

    def discard(self) -> None:
        """Close the connection, unless the body has ended and it is in the pool again."""
        if not self._ended:
            self._given_up = True
        if self._busy.acquire(blocking=False):
            try:
                self._response.close()
            finally:
                self._busy.release()
        else:
            self._hang_up()  # wakes the thread that reads, and that does the rest


class AsyncBody(_Body):
    """A response under asyncio."""

    def __init__(self, library: Any, response: Any, secrets: Secrets) -> None:
        super().__init__(library, response, secrets)
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Task[Any] | None = None
        self._interrupted = False

    async def aread(self) -> bytes:
        """What has arrived, decoded; ``b""`` at the end."""
        return self._outcome(await self._next())

    async def _next(self) -> bytes | ChatProtoError:
        if self._ended or self._given_up:
            return b""
        if self._failure is None and not runs_here(self._loop):
            # Its socket was closed with its loop, which looks like the end of the body.
            self._failure = ConnectionLost("the connection belongs to another event loop, and ended with it")
        if self._failure is not None:
            return self._failure
        task = self._reader = asyncio.current_task()
        cancelled = task.cancelling() if task is not None else 0
        try:
            data = await anext(self._pieces, b"")
        except self._errors as error:
            return self._failed(error)
        except asyncio.CancelledError:
            if not self._interrupted or task is None or task.cancelling() > cancelled + 1:
                raise  # it is not, or not only, discard that has cancelled it
            return b""
        finally:
            self._reader = None
            if self._interrupted and task is not None:
                task.uncancel()
        self._ended = not data
        return data

    async def leave(self) -> None:
        """Close the connection, unless the body has ended and it is in the pool again."""
        if not self._ended:
            self._given_up = True
            self._hang_up()
        await self._close()

    def discard(self) -> None:
        """The same, at once; the library's own part, which awaits, is left to a task. Needs no running loop."""
        if self._ended or self._given_up:
            return
        self._given_up = True
        if runs_here(self._loop):
            self._give_up()
        elif self._loop.is_running():
            with suppress(RuntimeError):  # it has been closed meanwhile
                self._loop.call_soon_threadsafe(self._give_up)
        else:
            close_stream_now(self._response.extensions.get("network_stream"))

    def _give_up(self) -> None:
        self._hang_up()
        if self._reader is not None:
            self._interrupted = True
            self._reader.cancel()  # the library closes the connection on its way out, and aread tells the reader why
            return
        task = self._loop.create_task(self._close())
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    async def _close(self) -> None:
        with suppress(Exception):
            await self._response.aclose()


#: Tasks that close responses: a loop holds its tasks weakly.
_closing: set[asyncio.Task[None]] = set()
