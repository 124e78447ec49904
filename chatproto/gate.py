"""Who is inside a conversation: one thread or task at a time, and at most one stream that is suspended."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Gate", "Suspended"]


class Suspended(Protocol):
    """A stream, as the gate knows it."""

    def supersede(self) -> None:
        """A later message is sent."""
        ...


class Gate:
    """The way into one conversation."""

    def __init__(self) -> None:
        self._inside = threading.Lock()
        self._stream: weakref.ref[Suspended] | None = None

    def enter(self) -> bool:
        """Become the one inside; False where someone is."""
        return self._inside.acquire(blocking=False)

    def leave(self) -> None:
        """Undo ``enter``."""
        self._inside.release()

    @contextmanager
    def driving(self) -> Generator[None]:
        """One thread or task at a time. Raises LocalProtocolError for another."""
        if not self.enter():
            raise LocalProtocolError(
                "another thread or task is waiting for an answer in this chat; use a chat for each conversation"
            )
        try:
            yield
        finally:
            self.leave()

    def suspend(self, stream: Suspended | None) -> None:
        """A message was sent, whose answer ``stream`` hands out. The one before it has ended."""
        before = self._stream() if self._stream is not None else None
        if before is not None and before is not stream:
            before.supersede()
        self._stream = weakref.ref(stream) if stream is not None else None
