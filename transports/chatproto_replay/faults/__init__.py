"""Faults from one good recording: what may go wrong between a program and its server, at a byte that a test names.

::

    with Faulty(Player("chat.json"), faults.status(429, retry_after=7), faults.cut(at=300)) as transport:
        chat = Client(transport=transport).chats.create(model="gemini-2.5-flash")
        ...
    assert transport.slept == [7.0]
    assert [(each.exchange, each.offset) for each in transport.struck] == [(1, None), (2, 300)]

Faults are values. Those that stand in for the answer happen instead of it, and take nothing from the recording, so that
the attempt after them gets the recorded answer:

- ``status(code)``    the server refuses, with Google's error JSON
- ``refuse()``        no connection can be made: ConnectFailed
- ``reset()``         the connection is lost before the answer: ConnectionLost

Those of the body happen on its way, at a byte counted from its beginning (after decompression):

- ``cut(at)``         the body ends there, as if it were whole
- ``reset(at)``       the connection is lost there: ConnectionLost
- ``stall(at)``       nothing comes for so long, or until the request's timeout: TimedOut
- ``corrupt(at)``     bytes there are others
- ``slice(sizes)``    the body comes in pieces of these sizes

And ``delay(seconds)`` lets the answer begin later. Every fault takes ``exchange``, the number of the request that it is
for (requests through this transport, attempts that are made again included, from 1; None is any), and ``times``, how
often it happens (None is always). What stands in for an answer happens once unless told otherwise; the others always.

Faults happen to the body in the order in which they are given: each sees what those before it have left, and at one
byte the first comes first. Of those that stand in for an answer, the first one that is due happens, and the others wait
for the next request.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import ConnectFailed, ConnectionLost, TransportError, ValidationError

from .faulty import Faulty
from .happenings import Body, End, Fault, Item, Pause, Refusal, Strike, check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "Fault",
    "Faulty",
    "Strike",
    "corrupt",
    "cut",
    "delay",
    "refuse",
    "reset",
    "slice",
    "stall",
    "status",
]


# --- instead of the answer ------------------------------------------------------------------------------------------


def status(
    code: int,
    *,
    retry_after: int | None = None,
    message: str = "refused by a fault",
    exchange: int | None = None,
    times: int | None = 1,
) -> Fault:
    """The server answers ``code`` (400 to 599), and ``retry_after`` seconds if that is given. Nothing is sent to it."""
    return _Status(code=code, retry_after=retry_after, message=message, exchange=exchange, times=times)


def refuse(*, exchange: int | None = None, times: int | None = 1) -> Fault:
    """ConnectFailed: nobody listens. Nothing is sent."""
    return _Refuse(exchange=exchange, times=times)


def reset(at: int | None = None, *, exchange: int | None = None, times: int | None = None) -> Fault:
    """ConnectionLost after ``at`` bytes of the body. Without ``at``: before any answer, nothing is sent, and once."""
    return _Reset(at=at, exchange=exchange, times=1 if at is None and times is None else times)


def delay(seconds: float, *, exchange: int | None = None, times: int | None = None) -> Fault:
    """The answer begins ``seconds`` later. Where the request allows less, TimedOut, and nothing is sent."""
    return _Delay(seconds=seconds, exchange=exchange, times=times)


@attrs.frozen(kw_only=True, repr=False)
class _Status(Fault):
    code: int
    retry_after: int | None
    message: str

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_whole("code", self.code, 400)
        if self.code > 599:
            raise ValidationError(f"code: the status of an error is 400 to 599, not {self.code}")
        if self.retry_after is not None:
            check_whole("retry_after", self.retry_after, 0)
        message: Any = self.message
        if not isinstance(message, str):
            raise ValidationError(f"message: expected text, found {message!r}")

    def before(self) -> Refusal:
        return Refusal(self.code, self.message, self.retry_after)


@attrs.frozen(kw_only=True, repr=False)
class _Refuse(Fault):
    def before(self) -> TransportError:
        return ConnectFailed("a fault refused the connection")


@attrs.frozen(kw_only=True, repr=False)
class _Delay(Fault):
    seconds: float

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        _seconds(self.seconds)

    def before(self) -> Pause:
        return Pause(self.seconds, "before the answer")


# --- on the body's way ----------------------------------------------------------------------------------------------


def cut(at: int, *, exchange: int | None = None, times: int | None = None) -> Fault:
    """The body ends after ``at`` bytes, cleanly: nothing says that it was longer."""
    return _Cut(at=at, exchange=exchange, times=times)


def stall(at: int = 0, seconds: float | None = None, *, exchange: int | None = None, times: int | None = None) -> Fault:
    """After ``at`` bytes of the body nothing comes for ``seconds``; None is for ever.

    Where that is as long as the request's timeout, or longer, it becomes TimedOut. Over a ``Player`` time is virtual:
    nobody waits, and its ``clock`` moves by the seconds, or by the timeout. Over another transport it is waited with
    its ``sleep``. A stall for ever of a request without a timeout is TimedOut at once: a test must end.
    """
    return _Stall(at=at, seconds=seconds, exchange=exchange, times=times)


def corrupt(at: int, by: bytes = b"\xff", *, exchange: int | None = None, times: int | None = None) -> Fault:
    """The bytes from ``at`` on are ``by`` instead of what they were, as far as the body goes; it stays as long."""
    return _Corrupt(at=at, by=by, exchange=exchange, times=times)


def slice(  # noqa: A001  (it is called faults.slice)
    sizes: int | Sequence[int], *, exchange: int | None = None, times: int | None = None
) -> Fault:
    """The body comes in pieces of ``sizes`` bytes, one size or several that are repeated.

    It cuts and never joins: a piece that arrived shorter is handed on at once, because waiting for more would change
    when the program sees it. So the places of the cuts are offsets in the body, and the boundaries at which it arrived
    stay boundaries. No byte changes.
    """
    return _Slice(sizes=(sizes,) if isinstance(sizes, int) else tuple(sizes), exchange=exchange, times=times)


@attrs.frozen(kw_only=True, repr=False)
class _AtByte(Fault):
    at: int

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_whole("at", self.at, 0)

    def body(self, strike: Callable[[int], bool]) -> Body | None:
        return _Mark(self.at, self.happening(), strike)

    def happening(self) -> Item:
        """What comes after the bytes before it."""
        raise TypeError(f"{type(self).__name__} does not say what happens")


@attrs.frozen(kw_only=True, repr=False)
class _Cut(_AtByte):
    def happening(self) -> Item:
        return End()


@attrs.frozen(kw_only=True, repr=False)
class _Reset(Fault):
    at: int | None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.at is not None:
            check_whole("at", self.at, 0)

    def before(self) -> TransportError | None:
        return None if self.at is not None else ConnectionLost("a fault reset the connection before the answer")

    def body(self, strike: Callable[[int], bool]) -> Body | None:
        if self.at is None:
            return None
        return _Mark(self.at, End(ConnectionLost(f"a fault reset the connection after {self.at} bytes")), strike)


@attrs.frozen(kw_only=True, repr=False)
class _Stall(_AtByte):
    seconds: float | None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.seconds is not None:
            _seconds(self.seconds)

    def happening(self) -> Item:
        return Pause(self.seconds, f"after {self.at} bytes")


@attrs.frozen(kw_only=True, repr=False)
class _Corrupt(Fault):
    at: int
    by: bytes

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_whole("at", self.at, 0)
        by: Any = self.by
        if not isinstance(by, bytes) or not by:
            raise ValidationError(f"by: expected one byte or more, found {by!r}")

    def body(self, strike: Callable[[int], bool]) -> Body | None:
        return _Corruption(self.at, self.by, strike)


@attrs.frozen(kw_only=True, repr=False)
class _Slice(Fault):
    sizes: tuple[int, ...]

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.sizes:
            raise ValidationError("sizes: expected one size or more, found none")
        for size in self.sizes:
            check_whole("sizes", size, 1)

    def body(self, strike: Callable[[int], bool]) -> Body | None:
        return _Slicing(self.sizes, strike)


class _Mark:
    """Lets bytes pass up to a place, where something happens once: not before somebody wants to read on."""

    def __init__(self, at: int, item: Item, strike: Callable[[int], bool]) -> None:
        self._at = at
        self._item = item
        self._strike = strike
        self._left: int | None = at  # bytes until then; None afterwards

    def take(self, data: bytes) -> Iterable[Item]:
        left = self._left
        if left is None:
            return (data,)
        if len(data) <= left:
            self._left = left - len(data)
            return (data,)
        return (data[:left], *self._happen(), data[left:])

    def idle(self) -> Iterable[Item]:
        return self._happen() if self._left == 0 else ()

    def _happen(self) -> Iterable[Item]:
        self._left = None
        return (self._item,) if self._strike(self._at) else ()


class _Corruption:
    """Puts bytes in the place of others."""

    def __init__(self, at: int, by: bytes, strike: Callable[[int], bool]) -> None:
        self._at = at
        self._by = by
        self._strike = strike
        self._passed = 0
        self._on: bool | None = None  # None until its place is reached

    def take(self, data: bytes) -> Iterable[Item]:
        start, self._passed = self._passed, self._passed + len(data)
        first, last = max(start, self._at), min(self._passed, self._at + len(self._by))
        if first >= last:
            return (data,)
        if self._on is None:
            self._on = self._strike(self._at)
        if not self._on:
            return (data,)
        return (data[: first - start] + self._by[first - self._at : last - self._at] + data[last - start :],)

    def idle(self) -> Iterable[Item]:
        return ()


class _Slicing:
    """Cuts at places that are repeated."""

    def __init__(self, sizes: tuple[int, ...], strike: Callable[[int], bool]) -> None:
        self._sizes = sizes
        self._strike = strike
        self._piece = 0
        self._left = sizes[0]  # bytes of the present piece that have not come
        self._passed = 0
        self._on: bool | None = None

    def take(self, data: bytes) -> Iterable[Item]:
        pieces: list[bytes] = []
        start = 0
        while len(data) - start > self._left and self._on is not False:
            end = start + self._left
            if self._on is None and not self._begin(end):
                break
            pieces.append(data[start:end])
            self._next()
            start = end
        rest = data[start:]
        self._left -= len(rest)
        if self._left <= 0:
            self._next()
        self._passed += len(data)
        return (*pieces, rest)

    def idle(self) -> Iterable[Item]:
        return ()

    def _begin(self, offset: int) -> bool:
        self._on = self._strike(self._passed + offset)
        return self._on

    def _next(self) -> None:
        self._piece = (self._piece + 1) % len(self._sizes)
        self._left = self._sizes[self._piece]


def _seconds(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValidationError(f"seconds: expected a number of 0 or more, found {value!r}")
