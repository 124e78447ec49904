"""What goes wrong with cassettes.

::

    CassetteError (ChatProtoError)
    ├── CassetteMissing (FileNotFoundError)   there is no such file
    ├── MalformedCassette                     the file is not a cassette; the message names the file and the JSON path
    ├── LaterCassette                         its format is newer than this chatproto
    ├── CredentialInCassette                  a recording would have written a credential; it was not written
    ├── RequestMismatch                       a request is not the one recorded at this place
    ├── CassetteExhausted                     a request came after the last recorded one
    ├── NetworkBlocked                        something wanted to leave this machine while only recordings may answer
    └── UnplayedExchanges                     the player was closed, and some recorded exchanges were never asked for

None is a TransportError: they are never retried, and reach the program as they were raised.
"""

from __future__ import annotations

from typing import Any

from chatproto.errors import ChatProtoError

__all__ = [
    "CassetteError",
    "CassetteExhausted",
    "CassetteMissing",
    "CredentialInCassette",
    "LaterCassette",
    "MalformedCassette",
    "NetworkBlocked",
    "RequestMismatch",
    "UnplayedExchanges",
]


class CassetteError(ChatProtoError):
    """The root of the errors of recording and replay."""


class CassetteMissing(CassetteError, FileNotFoundError):
    """There is no cassette at this path."""


class MalformedCassette(CassetteError):
    """A file that is not a cassette, or not a sound one."""


class LaterCassette(CassetteError):
    """A cassette in a format that is newer than this version of chatproto."""


class CredentialInCassette(CassetteError):
    """What was to be recorded holds a credential. It was not written, and the recorder writes no more."""


class RequestMismatch(CassetteError):
    """A request is not the one that was recorded at this place.

    ``exchange`` is the one that it was compared with, and ``nearest`` the one that it is most like; both count from 1.
    ``differences`` are the lines of the report, each with the JSON path of what differs.
    ``content`` is the index of the first entry of ``contents`` that differs: the turn where the two chats part.
    None says that their contents agree, or that there are none.
    ``advice`` are rules for ``match=`` that would let this request pass; empty where no rule should.
    """

    def __init__(
        self,
        report: str,
        *,
        exchange: int = 0,
        differences: tuple[Any, ...] = (),
        content: int | None = None,
        nearest: int = 0,
        advice: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(report)
        self.exchange = exchange
        self.differences = differences
        self.content = content
        self.nearest = nearest or exchange
        self.advice = advice


class CassetteExhausted(CassetteError):
    """A request came after the last recorded one."""


class UnplayedExchanges(CassetteError):
    """Recorded exchanges were never asked for. ``exchanges`` are their numbers in the cassette, from 1."""

    def __init__(self, report: str, *, exchanges: tuple[int, ...] = ()) -> None:
        super().__init__(report)
        self.exchanges = exchanges


class NetworkBlocked(CassetteError):
    """Something tried to reach ``host`` while only recordings may answer.

    It is no OSError, and so no HTTP library takes it for a connection that failed and tries again.
    """

    def __init__(self, report: str, *, host: str) -> None:
        super().__init__(report)
        self.host = host

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.args[0], self.host)


def _restore(report: str, host: str) -> NetworkBlocked:
    return NetworkBlocked(report, host=host)
