"""Who is inside a conversation: one thread or task at a time, and at most one stream that is suspended."""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Generator

    from .errors import TransportError
    from .machines.steps import Step
    from .transport import Machine
    from .wire.http import Headers

__all__ = ["Gate", "Stepped", "Suspended", "occupied"]


class Suspended(Protocol):
    """A stream, as the gate knows it."""

    def supersede(self) -> None:
        """A later message is sent."""
        ...


class Stepped:
    """A machine each of whose steps is taken alone: what another thread reads of it is of one moment.

    The lock is held for a step, never while anything is waited for. In ``next`` it is taken by hand, because
    ``with`` is twice as dear.
    """

    def __init__(self, machine: Machine, lock: threading.RLock) -> None:
        self._machine = machine
        self._lock = lock

    def next(self) -> Step | None:
        """As the machine's."""
        self._lock.acquire()
        try:
            return self._machine.next()
        finally:
            self._lock.release()

    def receive_response(self, status: int, headers: Headers) -> None:
        """As the machine's."""
        with self._lock:
            self._machine.receive_response(status, headers)

    def receive_data(self, data: bytes) -> None:
        """As the machine's, and without the lock: a piece more waits, or no more will. The next step takes it in."""
        self._machine.receive_data(data)

    def receive_failure(self, error: TransportError) -> None:
        """As the machine's."""
        with self._lock:
            self._machine.receive_failure(error)

    def resume(self, jitter: float = 0.0) -> None:
        """As the machine's."""
        with self._lock:
            self._machine.resume(jitter)

    def abandon(self) -> None:
        """As the machine's."""
        with self._lock:
            self._machine.abandon()

    @property
    def busy(self) -> bool:
        """As the machine's."""
        return self._machine.busy

    @property
    def reading(self) -> bool:
        """As the machine's."""
        return self._machine.reading


class Gate:
    """The way into one conversation."""

    def __init__(self) -> None:
        #: Held by the one inside. It is open to all, because it is taken for every chunk of a stream.
        self.inside = threading.Lock()
        self._stream: weakref.ref[Suspended] | None = None

    @contextmanager
    def driving(self) -> Generator[None]:
        """A context for one thread or task at a time. Entering it raises LocalProtocolError for another."""
        if not self.inside.acquire(blocking=False):
            raise occupied()
        try:
            yield
        finally:
            self.inside.release()

    def suspend(self, stream: Suspended | None) -> None:
        """A message was sent, whose answer ``stream`` hands out. The one before it has ended."""
        before = self._stream() if self._stream is not None else None
        if before is not None and before is not stream:
            before.supersede()
        self._stream = weakref.ref(stream) if stream is not None else None


def occupied() -> LocalProtocolError:
    """What is raised where somebody is inside."""
    return LocalProtocolError(
        "another thread or task is waiting for an answer in this chat; use a chat for each conversation"
    )
