"""One session for each event loop, closed with its loop.

Connections of asyncio belong to the loop that they were made in: in another one, or after it, they cannot be used and
not even be closed. So a session is made at its first use in a loop, and a guard is left with the loop: an asynchronous
generator, which ``asyncio.run`` (and every runner that calls ``shutdown_asyncgens``) closes while the loop still works.
What a loop leaves behind that ended without that is closed by hand.

For asynchronous transports.
"""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

__all__ = ["PerLoop", "close_now", "runs_here"]

T = TypeVar("T")


class _Kept(NamedTuple, Generic[T]):
    item: T
    guard: AsyncGenerator[None]


class PerLoop(Generic[T]):
    """Keeps an item for each loop.

    ``make`` and ``close`` are called in the loop. ``drop`` closes an item whose loop is not running: nothing that it
    schedules there would be done. Dropping the PerLoop closes them all, as far as that is possible.
    """

    def __init__(
        self, *, make: Callable[[], T], close: Callable[[T], Awaitable[None]], drop: Callable[[T], None]
    ) -> None:
        self._make = make
        self._close = close
        self._drop = drop
        self._kept: dict[asyncio.AbstractEventLoop, _Kept[T]] = {}
        weakref.finalize(self, _drop_all, self._kept, drop)

    def get(self) -> T:
        """The item of the running loop, made if there is none."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            for other in [each for each in tuple(self._kept) if each.is_closed()]:
                _drop_one(self._kept, other, self._drop)
            item = self._make()
            kept = self._kept[loop] = _Kept(item, _until_the_loop_ends(self._kept, loop, item, self._close))
            with suppress(StopIteration):  # it awaits nothing before its yield
                kept.guard.__anext__().send(None)  # from now on the loop knows it
        return kept.item

    async def aclose(self) -> None:
        """Close the item of the running loop, and give up those of the others."""
        here = asyncio.get_running_loop()
        for loop in tuple(self._kept):
            if loop is not here:
                _drop_one(self._kept, loop, self._drop)
        kept = self._kept.get(here)
        if kept is not None:
            await kept.guard.aclose()


async def _until_the_loop_ends(
    kept: dict[asyncio.AbstractEventLoop, _Kept[T]],
    loop: asyncio.AbstractEventLoop,
    item: T,
    close: Callable[[T], Awaitable[None]],
) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if kept.pop(loop, None) is not None:
            await close(item)


def _drop_all(kept: dict[asyncio.AbstractEventLoop, _Kept[T]], drop: Callable[[T], None]) -> None:
    for loop in tuple(kept):
        _drop_one(kept, loop, drop)


def _drop_one(
    kept: dict[asyncio.AbstractEventLoop, _Kept[T]], loop: asyncio.AbstractEventLoop, drop: Callable[[T], None]
) -> None:
    """Close an item from outside of its loop: by the loop if it is running, else by hand."""
    found = kept.get(loop)
    if found is None:
        return
    if loop.is_running():
        guard = found.guard
        with suppress(RuntimeError):  # it has been closed meanwhile, and has closed the guard
            loop.call_soon_threadsafe(lambda: loop.create_task(_close(guard)))
        return
    kept.pop(loop, None)  # so that the guard finds nothing to close, and need not wait
    with suppress(Exception):
        drop(found.item)
    with suppress(StopIteration, RuntimeError):
        found.guard.aclose().send(None)


async def _close(guard: AsyncGenerator[None]) -> None:
    await guard.aclose()


def runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether ``loop`` is running in this thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def close_now(transport: Any) -> None:
    """Close a connection of asyncio whose loop is not running: its ``abort`` leaves half of the work to the loop."""
    plain = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None) or transport
    with suppress(Exception):
        plain._loop = _AtOnce(plain._loop)  # noqa: SLF001  # asyncio has no public way
    with suppress(Exception):
        transport.abort()
    with suppress(Exception):
        if plain._sock is not None:  # noqa: SLF001  # it was closed before, and the loop ended over it
            plain._call_connection_lost(None)  # noqa: SLF001


class _AtOnce:
    """A loop for a transport to close itself in: it runs at once what it is told to run soon."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> None:
        """Call it now."""
        callback(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)
