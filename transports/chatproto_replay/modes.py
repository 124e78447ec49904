"""``use_cassette``: one call, and whether it plays or records is an argument.

================== ===================================================== =========================================
mode               a request                                             the file
================== ===================================================== =========================================
``replay``         is answered from the cassette, or fails               is read
``record``         is sent                                               is written anew
``record-missing`` is answered from the cassette if it is there,         keeps what is there, and gets the answers
                   else it is sent                                       that were missing, in the order of this run
``live``           is sent                                               is neither read nor written
================== ===================================================== =========================================

``replay`` never touches the network: it makes no transport that could.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, get_args

from chatproto.errors import ValidationError

from .live import Live
from .missing import MissingRecorder
from .player import Player
from .recorder import Recorder

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from types import TracebackType

    from chatproto.transport import AsyncResponse, AsyncTransport, Response, Secrets, Transport
    from chatproto.wire.http import Request

    from .redaction.bodies import Redaction
    from .rules import Rule

__all__ = ["CassetteTransport", "Mode", "use_cassette"]

Mode = Literal["replay", "record", "record-missing", "live"]


class CassetteTransport(Protocol):
    """What ``use_cassette`` gives in any mode: a transport, sync and async, that counts what passed.

    ``played``, ``recorded`` and ``left`` count exchanges: those that were answered from the cassette, those that were
    written to it, and those in it that nobody has asked for. ``slept`` are the seconds that a program waited without
    waiting, which it does in ``replay`` alone. ``path`` is "" where there is no file.
    """

    @property
    def mode(self) -> str:
        """How it answers."""
        ...

    @property
    def path(self) -> Any:
        """The cassette's file."""
        ...

    @property
    def played(self) -> int:
        """Exchanges that were answered from the cassette."""
        ...

    @property
    def recorded(self) -> int:
        """Exchanges that were written to it."""
        ...

    @property
    def left(self) -> int:
        """Exchanges in it that nobody has asked for."""
        ...

    @property
    def slept(self) -> list[float]:
        """The seconds that were asked for and not waited."""
        ...

    @property
    def needs_credential(self) -> bool:
        """Whether a client needs a key to use it."""
        ...

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Response]:
        """Answer a request."""
        ...

    def aopen(self, request: Request, secrets: Secrets) -> AbstractAsyncContextManager[AsyncResponse]:
        """Answer a request under asyncio."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, or note it."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Wait, or note it."""
        ...

    def close(self) -> None:
        """Close it. Raises UnplayedExchanges where some of the cassette was not asked for."""
        ...

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


def use_cassette(
    path: str | os.PathLike[str],
    *,
    mode: Mode | str = "replay",
    inner: Transport | AsyncTransport | str | None = None,
    match: Iterable[Rule] = (),
    redact: Iterable[Redaction] = (),
    pace: float = 0.0,
    in_order: bool = True,
) -> CassetteTransport:
    """A transport that plays the cassette at ``path``, or records it.

    ``inner`` is what requests are sent through where they are sent: a transport, the name of one, or None for what the
    client itself would use. ``match`` says what of a request may differ from the recorded one, ``redact`` what is
    written otherwise than it was (give the same rules when playing), ``pace`` and ``in_order`` are as in ``Player``;
    ``record-missing`` plays in any order.

    Raises ValidationError for an unknown mode, and what ``Player`` and ``Recorder`` raise.
    """
    match mode:
        case "replay":
            return Player(path, pace=pace, match=match, redact=redact, in_order=in_order)
        case "record":
            return Recorder(inner, path, redact=redact)
        case "record-missing":
            return MissingRecorder(inner, path, match=match, redact=redact, pace=pace)
        case "live":
            return Live(inner)
        case _:
            raise ValidationError(f"mode: expected one of {', '.join(get_args(Mode))}, found {mode!r}")
