"""A connection in memory: two asyncio transports, each of which gives its protocol what the other was told to write.

Writes stay apart: each is one call of ``data_received``, and the loop turns between two of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["connect"]

_HIGH = 64 * 1024  # bytes that nobody has read, from which on a writer is paused
_LOW = 16 * 1024


def connect(one: asyncio.Protocol, other: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
    """Connect two protocols with each other."""
    first, second = _Side(one, loop), _Side(other, loop)
    first.peer, second.peer = second, first
    other.connection_made(second)
    one.connection_made(first)


class _Side(asyncio.Transport):
    """What one protocol writes to, and is given its data by."""

    peer: _Side

    def __init__(self, protocol: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._protocol = protocol
        self._loop = loop
        self._arrived: deque[bytes] = deque()
        self._size = 0
        self._reading = True
        self._under_way = False
        self._paused = False
        self._closing = False
        self._ended = False
        self._error: Exception | None = None

    # --- writing ---

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if data and not self._closing:
            self.peer.arrive(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return self.peer.waiting

    def pause(self) -> None:
        """The other side has more than enough to read."""
        if not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def resume(self) -> None:
        """The other side has read."""
        if self._paused:
            self._paused = False
            self._protocol.resume_writing()

    # --- reading ---

    @property
    def waiting(self) -> int:
        """How many bytes have arrived and were not read."""
        return self._size

    def arrive(self, data: bytes) -> None:
        """The other side has written."""
        self._arrived.append(data)
        self._size += len(data)
        if self._size > _HIGH:
            self.peer.pause()
        self._go_on()

    def end(self, error: Exception | None) -> None:
        """The other side writes no more."""
        self._ended = True
        self._error = error
        self._go_on()

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._go_on()

    def _go_on(self) -> None:
        if not self._under_way and (self._arrived or self._ended):
            self._under_way = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._under_way = False
        if self._closing or not self._reading:
            return
        if self._arrived:
            data = self._arrived.popleft()
            self._size -= len(data)
            if self._size <= _LOW:
                self.peer.resume()
            self._protocol.data_received(data)
            self._go_on()
        elif self._error is not None:
            self._lose(self._error)
        else:
            self._protocol.eof_received()
            self.close()

    # --- the end ---

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._leave(None)

    def abort(self) -> None:
        self._leave(ConnectionResetError("the connection was reset by the other side"))

    def fail(self, error: Exception) -> None:
        """End the connection, and let whoever reads at the other side have ``error``, as it is."""
        self.peer.raise_in_reader(error)
        self.close()

    def raise_in_reader(self, error: Exception) -> None:
        """Give the protocol an error, if it is one that has readers to give it to, as aiohttp's have."""
        give: Any = getattr(self._protocol, "set_exception", None)
        if give is not None:
            give(error)

    def _leave(self, error: Exception | None) -> None:
        if not self._closing:
            self._lose(None)
            self.peer.end(error)

    def _lose(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)
