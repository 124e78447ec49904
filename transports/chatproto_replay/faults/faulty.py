"""``Faulty``: a transport that passes everything on to another, and lets faults happen on the way."""

from __future__ import annotations

import threading
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from chatproto.errors import LocalProtocolError, TimedOut, TransportError, ValidationError

from ..inner import named
from ..matching.excerpts import counted
from .happenings import Body, End, Fault, Item, Pause, Refusal, RefusedResponse, Strike

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from chatproto.transport import AsyncTransport, Secrets, Transport
    from chatproto.wire.http import Headers, Request

__all__ = ["Faulty"]

# --- the transport --------------------------------------------------------------------------------------------------


class Faulty:
    """``inner`` with ``faults``, sync and async, from any number of threads.

    ``struck`` are the faults that happened, in order, and ``unstruck`` those that did not, so that a test can make sure
    that it tested something. Faults are decided for each request when it is sent; none is drawn by chance.

    Closing it, or leaving its ``with`` block, does the same to ``inner``. Whatever else ``inner`` has (``played``,
    ``left``, ``slept``, ``clock``) can be asked of it too. Raises ValidationError for what is no fault.
    """

    def __init__(self, inner: Transport | AsyncTransport, *faults: Fault) -> None:
        given: tuple[Any, ...] = faults
        for place, each in enumerate(given, start=1):
            if not isinstance(each, Fault):
                raise ValidationError(f"fault {place}: expected a value of chatproto_replay.faults, found {each!r}")
        self.inner = inner
        self.faults = faults
        self.struck: list[Strike] = []
        self._requests = 0
        self._counts = Counter[int]()  # by the place of a fault: two that are equal are two
        self._lock = threading.Lock()

    @property
    def unstruck(self) -> tuple[Fault, ...]:
        """The faults that have not happened."""
        with self._lock:
            return tuple(fault for place, fault in enumerate(self.faults) if not self._counts[place])

    @property
    def needs_credential(self) -> bool:
        """Whether the inner transport needs one."""
        return bool(getattr(self.inner, "needs_credential", True))

    def __repr__(self) -> str:
        happened = len(self.faults) - len(self.unstruck)
        return f"<Faulty {named(self.inner)}: {counted(len(self.faults), 'fault')}, {happened} happened>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def open(self, request: Request, secrets: Secrets) -> _Opening:
        """Let what is due happen, and send through ``inner`` unless it stands in for the answer; on entering."""
        return _Opening(self, self._role("open"), request, secrets)

    def aopen(self, request: Request, secrets: Secrets) -> _AsyncOpening:
        """``open`` for asyncio."""
        return _AsyncOpening(self, self._role("aopen"), request, secrets)

    def sleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        self._role("sleep")(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        await self._role("asleep")(seconds)

    def close(self) -> None:
        """Close ``inner``, also if it was handed in: a ``Player`` says then what was not played."""
        self._role("close")()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        await self._role("aclose")()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        leave: Any = getattr(self.inner, "__exit__", None)
        if leave is None:
            self.close()
        else:
            leave(kind, error, traceback)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        leave: Any = getattr(self.inner, "__aexit__", None)
        if leave is None:
            await self.aclose()
        else:
            await leave(kind, error, traceback)

    def _role(self, name: str) -> Any:
        found: Any = getattr(self.inner, name, None)
        if found is None:
            kind = "asynchronous" if name.startswith("a") else "synchronous"
            raise LocalProtocolError(f"the transport with faults, {type(self.inner).__name__}, is not {kind}")
        return found

    # --- for the exchanges ---

    def number(self) -> int:
        """The number of a request that is about to be sent."""
        with self._lock:
            self._requests += 1
            return self._requests

    def strike(self, place: int, exchange: int, offset: int | None) -> bool:
        """Whether the fault at ``place`` happens to this request now. If so, it is noted."""
        fault = self.faults[place]
        with self._lock:
            if fault.times is not None and self._counts[place] >= fault.times:
                return False
            self._counts[place] += 1
            self.struck.append(Strike(exchange, fault, offset))
        return True

    def due(self, exchange: int) -> Iterator[tuple[int, Fault]]:
        """The faults that this request is for, with their places."""
        for place, fault in enumerate(self.faults):
            if fault.exchange in (None, exchange):
                yield place, fault

    def before(self, exchange: int) -> Iterator[Pause | TransportError | Refusal]:
        """What happens before the answer to this request; the last may stand in for it."""
        for place, fault in self.due(exchange):
            happening = fault.before()
            if happening is not None and self.strike(place, exchange, None):
                yield happening

    def bodies(self, exchange: int) -> list[Body]:
        """What happens to the body of the answer to this request, by each fault that is due."""
        found = [fault.body(partial(self.strike, place, exchange)) for place, fault in self.due(exchange)]
        return [body for body in found if body is not None]

    def wait(self, seconds: float) -> None:
        """Let time pass on the server's side: on the clock of ``inner``, or else in truth."""
        if not self._advance(seconds):
            self.sleep(seconds)

    async def await_(self, seconds: float) -> None:
        """``wait`` for asyncio."""
        if not self._advance(seconds):
            await self.asleep(seconds)

    def _advance(self, seconds: float) -> bool:
        advance: Any = getattr(getattr(self.inner, "clock", None), "advance", None)
        if advance is not None:
            advance(seconds)
        return advance is not None


def _waited(pause: Pause, request: Request) -> tuple[float, TimedOut | None]:
    """How long a program waits for a server that pauses, and the error if it gives up then."""
    seconds, timeout = pause.seconds, request.timeout
    if seconds is not None and (timeout is None or seconds < timeout):
        return seconds, None
    limit = "and the request has no timeout" if timeout is None else f"within {timeout:g} seconds"
    return timeout or 0.0, TimedOut(f"a fault stalled the answer {pause.where}: nothing came, {limit}")


# --- one exchange ---------------------------------------------------------------------------------------------------


class _Opening:
    """The context manager of one response."""

    def __init__(self, faulty: Faulty, opener: Any, request: Request, secrets: Secrets) -> None:
        self._faulty = faulty
        self._opener = opener
        self._request = request
        self._secrets = secrets
        self._opened: Any = None
        self._response: FaultyResponse | None = None

    def __enter__(self) -> FaultyResponse | RefusedResponse:
        number = self._faulty.number()
        for happening in self._faulty.before(number):
            match happening:
                case Pause():
                    seconds, error = _waited(happening, self._request)
                    self._faulty.wait(seconds)
                    if error is not None:
                        raise error
                case Refusal():
                    return RefusedResponse(happening, self._request)
                case _:
                    raise happening
        opened = self._opener(self._request, self._secrets)
        self._response = FaultyResponse(opened.__enter__(), self._faulty, number, self._request)
        self._opened = opened
        return self._response

    def __exit__(self, *exception: object) -> None:
        if self._opened is not None and self._response is not None and not self._response.given_up:
            self._opened.__exit__(*exception)


class _AsyncOpening(_Opening):
    """The same for asyncio."""

    async def __aenter__(self) -> FaultyResponse | RefusedResponse:
        number = self._faulty.number()
        for happening in self._faulty.before(number):
            match happening:
                case Pause():
                    seconds, error = _waited(happening, self._request)
                    await self._faulty.await_(seconds)
                    if error is not None:
                        raise error
                case Refusal():
                    return RefusedResponse(happening, self._request)
                case _:
                    raise happening
        opened = self._opener(self._request, self._secrets)
        self._response = FaultyResponse(await opened.__aenter__(), self._faulty, number, self._request)
        self._opened = opened
        return self._response

    async def __aexit__(self, *exception: object) -> None:
        if self._opened is not None and self._response is not None and not self._response.given_up:
            await self._opened.__aexit__(*exception)


class FaultyResponse:
    """A response of the inner transport, with what happens to its body. Sync or async, as that one is."""

    def __init__(self, response: Any, faulty: Faulty, number: int, request: Request) -> None:
        self.status: int = response.status
        self.headers: Headers = response.headers
        self.given_up = False
        self._response = response
        self._faulty = faulty
        self._request = request
        self._bodies = faulty.bodies(number)
        self._items: deque[Item] = deque()
        self._end: End | None = None
        self._whole = False  # whether the inner response has nothing more

    def read(self) -> bytes:
        """What comes next of the body. Raises TransportError."""
        while True:
            item = self._next()
            if isinstance(item, Pause):
                seconds, error = _waited(item, self._request)
                self._faulty.wait(seconds)
                self._went_on(error)
            elif item is not None:
                return self._given(item)
            else:
                try:
                    self._arrived(self._response.read())
                except TransportError as failure:
                    self._failed(failure)

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        while True:
            item = self._next()
            if isinstance(item, Pause):
                seconds, error = _waited(item, self._request)
                await self._faulty.await_(seconds)
                self._went_on(error)
            elif item is not None:
                return self._given(item)
            else:
                try:
                    self._arrived(await self._response.aread())
                except TransportError as failure:
                    self._failed(failure)

    def discard(self) -> None:
        """Give the inner response up."""
        self.given_up = True
        self._response.discard()

    def _next(self) -> Item | None:
        """What is at hand; None where the inner response must be read."""
        if self._end is not None:
            return self._end
        if not self._items:
            self._idle()
        return self._items.popleft() if self._items else None

    def _idle(self) -> None:
        """Let happen what is due, of the first fault that has something."""
        for place, body in enumerate(self._bodies, start=1):
            self._items.extend(self._through(body.idle(), place))
            if self._items:
                return

    def _arrived(self, data: bytes) -> None:
        if data:
            self._items.extend(self._through((data,), 0))
        else:
            self._whole = True
            self._items.append(End())

    def _failed(self, error: TransportError) -> None:
        self._whole = True
        self._items.append(End(error))

    def _went_on(self, error: TransportError | None) -> None:
        """A pause is over, or the program has waited as long as it would."""
        if error is not None:
            self._items.clear()
            self._items.append(End(error))

    def _given(self, item: bytes | End) -> bytes:
        if isinstance(item, bytes):
            return item
        if self._end is None:
            self._end = item
            if not self._whole:
                self.discard()
        if item.error is not None:
            raise item.error
        return b""

    def _through(self, items: Iterable[Item], place: int) -> list[Item]:
        """What is left of ``items`` behind the faults from ``place`` on."""
        found = _up_to_the_end(items)
        for body in self._bodies[place:]:
            found = _up_to_the_end(made for item in found for made in _taken(body, item))
        return found


def _taken(body: Body, item: Item) -> Iterable[Item]:
    return body.take(item) if isinstance(item, bytes) else (item,)


def _up_to_the_end(items: Iterable[Item]) -> list[Item]:
    """``items`` without empty pieces, and without what comes after the end."""
    found: list[Item] = []
    for item in items:
        if item != b"":
            found.append(item)
        if isinstance(item, End):
            break
    return found
