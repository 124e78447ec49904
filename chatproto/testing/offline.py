"""``Offline``: what the transports of this package that make their own answers have in common."""

from __future__ import annotations

import threading

from ..errors import LocalProtocolError

__all__ = ["Offline"]


class Offline:
    """Waits, closes and counts, as a transport does that talks to no server; a subclass adds ``open`` and ``aopen``.

    ``slept`` are the seconds of each wait that the program asked for, none of which is waited; ``discarded`` counts the
    responses that were given up, and ``closed`` says whether the transport was closed. A subclass holds ``_lock``, from
    any number of threads, for what it keeps itself.
    """

    needs_credential = False

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.discarded = 0
        self.closed = False
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Note in ``slept`` that the program would have waited."""
        self.slept.append(seconds)

    async def asleep(self, seconds: float) -> None:
        """``sleep`` for asyncio."""
        self.slept.append(seconds)

    def close(self) -> None:
        """Note in ``closed`` that this was called."""
        self.closed = True

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        self.closed = True

    def _check_open(self) -> None:
        if self.closed:
            raise LocalProtocolError("this transport is closed")

    def _count_discarded(self) -> None:
        with self._lock:
            self.discarded += 1
