"""Answers whose chunks are made while they are sent: a response over an iterator, sync and async."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import APIError, ConnectionLost
from ..types import GenerateContentResponse
from ..types._json import is_object
from .framing import Frames, content_type, said_one
from .wire import error_response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ..wire.http import Headers, Request

__all__ = ["AsyncProduced", "Produced"]

_END: Any = object()
_GIVEN_UP = "the response was given up"


class _Chunks:
    """The bytes of a stream, item by item, and how it ends."""

    def __init__(self, request: Request) -> None:
        self._frames = Frames(request)
        self._closing = False  # whether the items so far leave it to us to say that the answer is finished

    def of(self, item: Any) -> bytes:
        """The bytes of an item."""
        if isinstance(item, (Mapping, GenerateContentResponse)):
            self._closing = False
            return self._frames.add(said_one(item, last=False))
        document = said_one(item, last=False)
        parts = document["candidates"][0]["content"].get("parts") or ()
        # An answer ends with its calls as a rule, and an empty text after them would be said again in the next request.
        called = any("functionCall" in part for part in parts)
        self._closing = not called
        return self._frames.add(said_one(item, last=True) if called else document)

    def end(self, error: APIError | None = None) -> bytes:
        """The last bytes: an error inside of the stream, or STOP where no item has said it."""
        if error is not None:
            return self._frames.add(_as_document(error)) + self._frames.end()
        closing = self._frames.add(said_one("", last=True)) if self._closing else b""
        return closing + self._frames.end()


def _as_document(error: APIError) -> dict[str, Any]:
    details = error.details
    if not is_object(details) or not is_object(details.get("error")):
        return error_response(error.code, error.message or "", error.status)
    return {**details, "error": {"code": error.code, **details["error"]}}


class Produced:
    """A streamed answer whose chunks are the items of an iterator. Sync and async: nothing is awaited."""

    def __init__(self, items: Iterator[Any], request: Request, discarded: Callable[[], None]) -> None:
        self.status = 200
        self.headers: Headers = (("content-type", content_type(request)),)
        self._items = items
        self._chunks = _Chunks(request)
        self._count = discarded
        self._first: bytes | None = None
        self._ended = False
        self._left = False
        self._lock = threading.Lock()  # held while the iterator runs

    def begin(self) -> None:
        """Wait for the first item. Raises what the iterator raises."""
        self._first = self._next()

    def read(self) -> bytes:
        """The next chunk. Raises TransportError, and what else the iterator raises."""
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return self._next()
        except APIError as error:
            return self._chunks.end(error)

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        return self.read()

    def _next(self) -> bytes:
        if self._left:
            raise ConnectionLost(_GIVEN_UP)
        if self._ended:
            return b""
        item: Any = _END
        with self._lock:
            self._ended = True  # unless an item comes
            item = next(self._items, _END)
            self._ended = item is _END
        if self._left:  # by another thread, or by the iterator itself
            self._close()
            raise ConnectionLost(_GIVEN_UP)
        return self._chunks.end() if item is _END else self._chunks.of(item)

    def stop(self) -> None:
        """Close the iterator where it stands. If it runs in another thread, that is done when it stands."""
        self._left = True
        self._close()

    def discard(self) -> None:
        """The same, and count it."""
        if not self._left:
            self._count()
        self.stop()

    def _close(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # whoever holds it looks at _left afterwards
        try:
            self._ended = True
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
        finally:
            self._lock.release()


class AsyncProduced:
    """A streamed answer whose chunks are the items of an asynchronous iterator."""

    def __init__(self, items: AsyncIterator[Any], request: Request, discarded: Callable[[], None]) -> None:
        self.status = 200
        self.headers: Headers = (("content-type", content_type(request)),)
        self._items = items
        self._chunks = _Chunks(request)
        self._count = discarded
        self._first: bytes | None = None
        self._ended = False
        self._left = False
        # Each item is made in a task of its own, so that another task can give up who waits for it.
        self._context = contextvars.copy_context()
        self._making: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Wait for the first item. Raises what the iterator raises."""
        self._first = await self._next()

    async def aread(self) -> bytes:
        """The next chunk. Raises TransportError, and what else the iterator raises."""
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return await self._next()
        except APIError as error:
            return self._chunks.end(error)

    async def _next(self) -> bytes:
        if self._left:
            raise ConnectionLost(_GIVEN_UP)
        if self._ended:
            return b""
        self._ended = True  # unless an item comes
        making = self._making = asyncio.create_task(_step(self._items), context=self._context)
        try:
            item = await making
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._left or (task is not None and task.cancelling()):
                raise
            raise ConnectionLost(_GIVEN_UP) from None
        finally:
            self._making = None
        self._ended = item is _END
        return self._chunks.end() if self._ended else self._chunks.of(item)

    def discard(self) -> None:
        """Close the iterator where it stands, soon; whoever waits for its next item gets ConnectionLost."""
        if self._left:
            return
        self._left = True
        self._count()
        if self._making is not None:
            self._making.cancel()
        elif not self._ended:
            self._ended = True
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # its loop is gone, and has closed it
            self._closing = loop.create_task(_close(self._items), context=self._context)

    async def astop(self) -> None:
        """Close the iterator where it stands, and wait for that."""
        self._left = True
        if not self._ended:
            self._ended = True
            await _close(self._items)


async def _step(items: AsyncIterator[Any]) -> Any:
    return await anext(items, _END)


async def _close(items: Any) -> None:
    if hasattr(items, "aclose"):
        await items.aclose()
