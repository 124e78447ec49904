"""Streamed answers: iterators of their chunks that can be left at any time, from anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

from .errors import LocalProtocolError
from .gate import occupied
from .machines.steps import ChunkReceived
from .types import GenerateContentResponse

if TYPE_CHECKING:
    import asyncio
    from contextvars import Token

    from .machines.steps import Event
    from .session import Prepared, Session
    from .transport import AsyncDrive, Drive

__all__ = ["AsyncResponseStream", "ResponseStream"]

#: Marks of the streams whose next chunk the present task waits for: functions that run meanwhile inherit them.
_inside: ContextVar[frozenset[object]] = ContextVar("_inside", default=frozenset())


class _Stream:
    """A streamed answer, whoever drives it."""

    def __init__(self, session: Session, prepared: Prepared) -> None:
        self._session = session
        self._prepared = prepared
        self._driver: Drive | AsyncDrive | None = None
        self._over = False
        self._superseded = False

    def _end(self, usual: type[Exception]) -> Exception:
        """What to tell whoever asks for more when there is nothing more."""
        return LocalProtocolError("a later message has ended this stream") if self._superseded else usual()

    def supersede(self) -> None:
        """A later message is sent: let go of the connection. The conversation is told by that message."""
        if self._driver is not None and not self._over:
            self._superseded = True
            self._driver.discard()

    def close(self) -> None:
        """Leave the answer. May be called at any time, from any thread or task, and twice."""
        over, self._over = self._over, True
        if self._driver is None or over or self._superseded:
            return
        if self._prepared.gate.inside.acquire(False):
            try:
                self._driver.close()
            finally:
                self._prepared.gate.inside.release()
        else:
            # Someone waits for a chunk: it ends there.
            self._driver.interrupt()

    def __del__(self) -> None:
        self.close()


class ResponseStream(_Stream, Iterator[GenerateContentResponse]):
    """A streamed answer: an iterator of its chunks, and a context manager that closes it.

    Nothing is sent before the first chunk is asked for. Leaving it early (``close``, ``with``, dropping it, an
    exception in the loop) gives the connection up at once; the turn is then abandoned, unless its finish reason had
    come. Sending another message does the same to a stream that is merely suspended; asking that one for more raises
    LocalProtocolError. Closed from another thread while one waits for a chunk, the waiting iteration ends.
    """

    _drive: Drive | None = None

    def __next__(self) -> GenerateContentResponse:
        if self._over or self._superseded:
            raise self._end(StopIteration)
        session, prepared = self._session, self._prepared
        if not prepared.gate.inside.acquire(False):
            raise occupied()
        try:
            drive = self._drive or self._begun()
            while True:
                event = drive.__next__()
                if type(event) is ChunkReceived:
                    return session.handed_out(event.response, prepared)
                session.take(event, prepared)
        except BaseException:  # the end, too
            self._over = True
            raise
        finally:
            prepared.gate.inside.release()

    def _begun(self) -> Drive:
        drive = self._session.drive(self._prepared)
        self._session.begin(self._prepared, self)
        self._drive = self._driver = drive
        return drive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncResponseStream(_Stream, AsyncIterator[GenerateContentResponse]):
    """A streamed answer under asyncio: an async iterator of its chunks, and an async context manager that closes it.

    As ResponseStream: nothing is sent before the first chunk is asked for, and leaving it early, by cancelling the task
    too, gives the connection up at once.
    """

    _drive: AsyncDrive | None = None
    #: Whether a task waits for a chunk, and what it sets when that is over, if somebody waits for it.
    _reading = False
    _read: asyncio.Event | None = None

    def __init__(self, session: Session, prepared: Prepared) -> None:
        super().__init__(session, prepared)
        self._mark = frozenset({object()})

    async def __anext__(self) -> GenerateContentResponse:
        if self._over or self._superseded:
            raise self._end(StopAsyncIteration)
        session, prepared = self._session, self._prepared
        if not prepared.gate.inside.acquire(False):
            raise occupied()
        inside = None
        try:
            drive = self._drive or self._begun()
            event: Event | None = drive.chunk()
            if event is None:
                inside = self._begin_to_read()
            while type(event) is not ChunkReceived:
                if event is not None:
                    await session.atake(event, prepared)
                event = await drive.__anext__()
            return session.handed_out(event.response, prepared)
        except BaseException:  # the end, too
            self._over = True
            raise
        finally:
            if inside is not None:
                self._end_reading(inside)
            prepared.gate.inside.release()

    def _begin_to_read(self) -> Token[frozenset[object]]:
        self._reading = True
        return _inside.set(_inside.get() | self._mark)

    def _end_reading(self, inside: Token[frozenset[object]]) -> None:
        self._reading = False
        if self._read is not None:
            self._read.set()
            self._read = None
        with suppress(ValueError):  # the task was destroyed, with its loop: it ends in another context
            _inside.reset(inside)

    def _begun(self) -> AsyncDrive:
        drive = self._session.adrive(self._prepared)
        self._session.begin(self._prepared, self)
        self._drive = self._driver = drive
        return drive

    async def aclose(self) -> None:
        """Leave the answer, and wait until a task that was waiting for a chunk has noticed: the chat is free then.

        A function that the answer calls, and that is still running, ends first; one that closes the stream itself does
        not wait for itself.
        """
        read = None
        if self._reading and not self._mark <= _inside.get():
            import asyncio

            read = self._read = self._read or asyncio.Event()
        self.close()
        if read is not None:
            await read.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
