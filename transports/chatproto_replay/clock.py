"""``VirtualClock``: time that passes at once."""

from __future__ import annotations

import threading

__all__ = ["VirtualClock"]


class VirtualClock:
    """Counts the seconds that a run would have taken: what was recorded of the server, and what the program waited.

    Nobody waits for it. ``waits`` are the seconds of each wait that the program asked for, in order. With several
    chats at once, ``now`` is the sum of what each would have taken.
    """

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._now = 0.0
        self._lock = threading.Lock()

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass that the program did not ask for: a server that was slow."""
        with self._lock:
            self._now += seconds

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass that the program asked for, and note them in ``waits``."""
        with self._lock:
            self.waits.append(seconds)
            self._now += seconds

    def __repr__(self) -> str:
        return f"<VirtualClock at {self._now:.3f} s, {len(self.waits)} waits>"
