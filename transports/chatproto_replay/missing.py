"""``MissingRecorder``: plays what a cassette has, and records what it has not."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

from .cassette import Cassette, Exchange
from .errors import CassetteMissing
from .player import Player
from .recorder import Recorder
from .redaction.bodies import checked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from types import TracebackType

    from chatproto.transport import AsyncResponse, AsyncTransport, Response, Secrets, Transport
    from chatproto.wire.http import Request

    from .redaction.bodies import Redaction
    from .rules import Rule

__all__ = ["MissingRecorder"]


class MissingRecorder:
    """A request that equals a recorded one is answered from the cassette; another one is sent, and recorded.

    The first exchange that nobody has asked for and that equals the request is played, wherever it stands. The file
    then has the exchanges in the order of this run, and after them those that nobody has asked for yet. It is written
    when something is recorded, and left alone otherwise. A file that is not there is made.

    After an answer that was played, the waits of the same thread or task are noted in ``slept`` and not waited; after
    one that was sent, they are waited. One recorder adds to a file at a time: of two, the last to write wins.

    Closing it raises UnplayedExchanges where the cassette has exchanges that were not asked for: they are kept, and
    ``replay`` would fail over them. Record anew, and they are gone.
    """

    mode = "record-missing"

    def __init__(
        self,
        inner: Transport | AsyncTransport | str | None,
        path: str | os.PathLike[str],
        *,
        match: Iterable[Rule] = (),
        redact: Iterable[Redaction] = (),
        pace: float = 0.0,
    ) -> None:
        self.path = os.fspath(path)
        redactions = checked(redact)
        try:
            cassette = Cassette.load(path)
        except CassetteMissing:
            cassette = Cassette()
        self._player = Player(cassette, name=self.path, pace=pace, match=match, redact=redactions, in_order=False)
        self._recorder = Recorder(inner, path, redact=redactions)
        self._recorder.reel.rest = cassette.exchanges
        # Of each thread and task by itself: chats that run side by side wait for their own answers.
        self._was_played: ContextVar[bool] = ContextVar("was_played", default=False)

    @property
    def needs_credential(self) -> bool:
        """Whether the inner transport needs one."""
        return self._recorder.needs_credential

    @property
    def played(self) -> int:
        """Exchanges that were answered from the cassette."""
        return self._player.played

    @property
    def recorded(self) -> int:
        """Exchanges that were added to it."""
        return self._recorder.recorded

    @property
    def left(self) -> int:
        """Exchanges in it that nobody has asked for."""
        return self._player.left

    @property
    def slept(self) -> list[float]:
        """The seconds that were asked for and not waited."""
        return self._player.slept

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Response]:
        """Play the answer, or get it from the inner transport and record it."""
        exchange = self._find(request)
        if exchange is None:
            return self._recorder.open(request, secrets)
        return self._player.respond(exchange, request)

    def aopen(self, request: Request, secrets: Secrets) -> AbstractAsyncContextManager[AsyncResponse]:
        """``open`` for asyncio."""
        exchange = self._find(request)
        if exchange is None:
            return self._recorder.aopen(request, secrets)
        return self._player.respond(exchange, request)

    def _find(self, request: Request) -> Exchange | None:
        exchange = self._player.find(request)
        self._was_played.set(exchange is not None)
        if exchange is not None:
            self._recorder.reel.keep(exchange)
        return exchange

    def sleep(self, seconds: float) -> None:
        """Wait after an answer that was sent; note the seconds after one that was played."""
        (self._player if self._was_played.get() else self._recorder).sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """``sleep`` for asyncio."""
        await (self._player if self._was_played.get() else self._recorder).asleep(seconds)

    def close(self) -> None:
        """Write what is open still. Raises UnplayedExchanges, and what the recorder raises."""
        self._recorder.close()
        self._player.close()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        await self._recorder.aclose()
        self._player.close()

    def __repr__(self) -> str:
        return f"<MissingRecorder {self.path!r}: {self.played} played, {self.recorded} recorded, {self.left} left>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recorder.__exit__(kind, error, traceback)
        self._player.__exit__(kind, error, traceback)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._recorder.__aexit__(kind, error, traceback)
        self._player.__exit__(kind, error, traceback)
