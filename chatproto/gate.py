"""Who is inside a conversation: one thread or task at a time, and at most one stream that is suspended."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Protocol

from .errors import LocalProtocolError

if TYPE_CHECKING:
    from .errors import TransportError
    from .machines.steps import Step
    from .transport import Machine
    from .wire.http import Headers

__all__ = ["Gate", "Stepped", "Suspended"]


class Suspended(Protocol):
    """A stream, as the gate knows it."""

    def supersede(self) -> None:
        """A later message is sent."""
        ...


class Stepped:
    """A machine each of whose steps is taken alone: what another thread reads of it is of one moment.

    The lock is held for a step, never while anything is waited for.
    """

    def __init__(self, machine: Machine, lock: threading.RLock) -> None:
        self._machine = machine
        self._lock = lock

    def next(self) -> Step | None:
        """As the machine's."""
        with self._lock:
            return self._machine.next()

    def receive_response(self, status: int, headers: Headers) -> None:
        """As the machine's."""
        with self._lock:
            self._machine.receive_response(status, headers)

    def receive_data(self, data: bytes) -> None:
        """As the machine's."""
        with self._lock:
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
        self._inside = threading.Lock()
        self._driving = _Driving(self._inside)
        self._stream: weakref.ref[Suspended] | None = None

    def enter(self) -> bool:
        """Become the one inside; False where someone is."""
        return self._inside.acquire(blocking=False)

    def leave(self) -> None:
        """Undo ``enter``."""
        self._inside.release()

    def driving(self) -> _Driving:
        """A context for one thread or task at a time. Entering it raises LocalProtocolError for another."""
        return self._driving

    def suspend(self, stream: Suspended | None) -> None:
        """A message was sent, whose answer ``stream`` hands out. The one before it has ended."""
        before = self._stream() if self._stream is not None else None
        if before is not None and before is not stream:
            before.supersede()
        self._stream = weakref.ref(stream) if stream is not None else None


class _Driving:
    """Being the one inside. It is entered for every chunk, so it is one object a gate, and no generator."""

    __slots__ = ("_inside",)

    def __init__(self, inside: threading.Lock) -> None:
        self._inside = inside

    def __enter__(self) -> None:
        if not self._inside.acquire(blocking=False):
            raise LocalProtocolError(
                "another thread or task is waiting for an answer in this chat; use a chat for each conversation"
            )

    def __exit__(self, *_: object) -> None:
        self._inside.release()
