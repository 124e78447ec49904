"""``Player``: a transport that answers from a cassette."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

from chatproto.errors import LocalProtocolError, ValidationError
from chatproto.masking import alone

from .cassette import Cassette, Exchange, RecordedRequest
from .clock import VirtualClock
from .matching.canonical import fingerprint
from .matching.mismatches import exhausted, mismatch, unplayed, without_credential
from .playing import Playing
from .redaction.allowed import recorded_request
from .rules import checked, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from chatproto.transport import Secrets
    from chatproto.wire.http import Request

    from .errors import CassetteError, CassetteExhausted, RequestMismatch
    from .redaction.bodies import Redaction
    from .rules import Rule

__all__ = ["Player"]


class Player:
    """Answers each request with the next recorded exchange, sync and async. It holds no network code, needs no key.

    A request must equal the recorded one in method, path, query and body, or RequestMismatch says what changed. Host,
    headers and Google Cloud project do not count, nor do white space, the order of keys and parameters, and the
    spelling of numbers; of parameters whose value is not recorded, only the name does. ``match`` names what else may
    differ (``chatproto_replay.rules``). With ``in_order=False`` a request is answered with the
    first exchange that it equals and that was not played yet: for programs with several chats at once.

    The chunks come as they were cut when recorded, one ``read`` each, at once; with ``pace`` they come in their
    recorded time, times that number (1.0 is as it was, 0.5 twice as fast). A failure that was recorded is raised where
    it was. ``clock`` counts the seconds that the run would have taken, and ``slept`` are those of the waits that the
    program asked for.

    Closing it, or leaving its ``with`` block without an exception, raises the first refusal again, which the program
    may have swallowed, or UnplayedExchanges if it asked for less than was recorded.

    The cassette is read at construction, and raises CassetteMissing, MalformedCassette or LaterCassette there. It may
    be a ``Cassette`` instead of a file; ``name`` is what reports call it. ``redact`` are the rules that it was recorded
    with.
    """

    needs_credential = False
    mode = "replay"
    recorded = 0

    def __init__(
        self,
        path: str | os.PathLike[str] | Cassette,
        *,
        pace: float = 0.0,
        match: Iterable[Rule] = (),
        redact: Iterable[Redaction] = (),
        in_order: bool = True,
        name: str = "",
    ) -> None:
        if not 0 <= pace < float("inf"):
            raise ValidationError(f"pace: expected a number of 0 or more, found {pace!r}")
        self.pace = pace
        self.in_order = in_order
        self.clock = VirtualClock()
        self._match = checked(match)
        self._redact = self._redactions(redact)
        if isinstance(path, Cassette):
            self.path = name or "the cassette in memory"
            self.cassette = path
        else:
            self.path = name or os.fspath(path)
            self.cassette = Cassette.load(path)
        exchanges = self.cassette.exchanges
        self._wanted: list[RecordedRequest | None] = [None] * len(exchanges)
        self._keys: list[bytes | None] = [None] * len(exchanges)
        self._left = dict.fromkeys(range(len(exchanges)))
        self._closed = False
        self._refused: CassetteError | None = None
        self._lock = threading.Lock()

    @staticmethod
    def _redactions(redact: Iterable[Redaction]) -> tuple[Redaction, ...]:
        """The rules that were given; their code is loaded where there are some."""
        if redact == ():
            return ()
        from .redaction.bodies import checked as checked_redactions

        return checked_redactions(redact)

    @property
    def played(self) -> int:
        """How many exchanges have been asked for."""
        return len(self.cassette.exchanges) - len(self._left)

    @property
    def left(self) -> int:
        """How many have not."""
        return len(self._left)

    @property
    def slept(self) -> list[float]:
        """The seconds of each wait that the program asked for: ``clock.waits``."""
        return self.clock.waits

    @property
    def unplayed(self) -> tuple[Exchange, ...]:
        """The exchanges that have not been asked for, in the order of the cassette."""
        with self._lock:
            return tuple(self.cassette.exchanges[index] for index in self._left)

    # --- the transport ----------------------------------------------------------------------------------------------

    def open(self, request: Request, secrets: Secrets) -> Playing:
        """Compare ``request`` with what was recorded, on entering, and play it.

        ``secrets`` are asked whether a report quotes one, and for nothing else.
        """
        return Playing(lambda: self._take(request, secrets), request, self.clock, self.pace)

    def aopen(self, request: Request, secrets: Secrets) -> Playing:
        """``open`` for asyncio."""
        return self.open(request, secrets)

    def sleep(self, seconds: float) -> None:
        """Note in ``slept`` that the program would have waited."""
        self.clock.wait(seconds)

    async def asleep(self, seconds: float) -> None:
        """``sleep`` for asyncio: it does not wait either."""
        self.clock.wait(seconds)

    def find(self, request: Request) -> Exchange | None:
        """Take the first unplayed exchange that ``request`` equals, whether or not it is the next.

        It counts as played then; ``respond`` plays it. None says that there is none, and changes nothing.
        """
        now = self._seen(request)
        key = fingerprint(now)
        with self._lock:
            self._check_open()
            index = self._equal(key, self._left)
            if index is None:
                return None
            del self._left[index]
        return self.cassette.exchanges[index]

    def respond(self, exchange: Exchange, request: Request) -> Playing:
        """The context manager, sync and async, of a response that plays ``exchange``. Nothing is compared."""
        return Playing(lambda: exchange, request, self.clock, self.pace)

    def close(self) -> None:
        """Raise the first refusal again, or UnplayedExchanges if some are left. Only the first call does."""
        with self._lock:
            closed, self._closed = self._closed, True
            left = list(self._left)
        if closed:
            return
        if self._refused is not None:
            raise alone(self._refused)
        if left:
            raise unplayed(self.path, [each.request for each in self.cassette.exchanges], left=left)

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        self.close()

    def __repr__(self) -> str:
        return f"<Player {self.path!r}: {self.played} played, {self.left} left>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        with self._lock:
            self._closed = True  # an exception says more than that the rest was not played

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    # --- comparing --------------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise LocalProtocolError(f"this player of {self.path} is closed")

    def _seen(self, request: Request) -> RecordedRequest:
        """``request`` as it would be recorded, and as the rules see it."""
        now = recorded_request(request)
        if self._redact:
            from .redaction.bodies import redacted_request

            now = redacted_request(now, self._redact)
        return normalised(now, self._match)

    def _recorded(self, index: int) -> RecordedRequest:
        """A recorded request as the rules see it."""
        seen = self._wanted[index]
        if seen is None:
            seen = self._wanted[index] = normalised(self.cassette.exchanges[index].request, self._match)
        return seen

    def _key(self, index: int) -> bytes:
        key = self._keys[index]
        if key is None:
            key = self._keys[index] = fingerprint(self._recorded(index))
        return key

    def _equal(self, key: bytes, indices: Iterable[int]) -> int | None:
        return next((index for index in indices if self._key(index) == key), None)

    def _take(self, request: Request, secrets: Secrets) -> Exchange:
        """The exchange that answers ``request``; where there is none, nothing changes."""
        now = self._seen(request)
        key = fingerprint(now)
        exchanges = self.cassette.exchanges
        with self._lock:
            self._check_open()
            left = list(self._left)
            index = self._equal(key, left[:1] if self.in_order else left)
            if index is not None:
                del self._left[index]
                return exchanges[index]
            error = without_credential(self._refusal(now, key, left), now, secrets)
            self._refused = self._refused or error
        raise error

    def _refusal(self, now: RecordedRequest, key: bytes, left: list[int]) -> CassetteExhausted | RequestMismatch:
        total = len(self.cassette.exchanges)
        equal = [index for index in range(total) if self._key(index) == key]
        if not left:
            return exhausted(self.path, now, self._recorded, total=total, equal=equal)
        return mismatch(self.path, now, self._recorded, total=total, left=left, equal=equal, in_order=self.in_order)
