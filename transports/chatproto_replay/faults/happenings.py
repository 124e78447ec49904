"""What faults are made of: what happens before an answer, instead of it, and on its body's way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, Union
from urllib.parse import parse_qs, urlsplit

import attrs

from chatproto.errors import TransportError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chatproto.wire.http import Headers, Request

__all__ = ["Body", "End", "Fault", "Item", "Pause", "Refusal", "RefusedResponse", "Strike", "check_whole"]

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@attrs.frozen
class Pause:
    """Nothing comes for so many seconds; None is for ever. ``where`` says where, for the words of an error."""

    seconds: float | None
    where: str


@attrs.frozen
class End:
    """Nothing more comes: the body is over, or ``error`` is raised."""

    error: TransportError | None = None


@attrs.frozen
class Refusal:
    """An answer of the server that is an error."""

    code: int
    message: str
    retry_after: int | None


#: What comes on a body's way: some of its bytes, or something that happens.
Item = Union[bytes, Pause, End]


class Body(Protocol):
    """What one fault does to one body."""

    def take(self, data: bytes) -> Iterable[Item]:
        """What comes of the next bytes."""
        ...

    def idle(self) -> Iterable[Item]:
        """What happens before more is read."""
        ...


@attrs.frozen(kw_only=True, repr=False)
class Fault:
    """What goes wrong, and when. Made by the functions of ``chatproto_replay.faults``, which say what each is."""

    exchange: int | None = None
    times: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.exchange is not None:
            check_whole("exchange", self.exchange, 1)
        if self.times is not None:
            check_whole("times", self.times, 1)

    def __repr__(self) -> str:
        fields = [(each.name, getattr(self, each.name)) for each in attrs.fields(type(self))]
        told = ", ".join(f"{name}={held!r}" for name, held in fields[2:] + fields[:2] if held is not None)
        return f"{type(self).__name__.strip('_').lower()}({told})"

    def before(self) -> Pause | TransportError | Refusal | None:
        """What happens before there is an answer, or instead of one; None where the fault is one of the body."""
        return None

    def body(self, strike: Callable[[int], bool]) -> Body | None:
        """What happens to one body; None where nothing does.

        ``strike`` is told the offset when it happens, and says whether it may.
        """
        return None


@attrs.frozen
class Strike:
    """A fault that happened: to which request, from 1, and after how many bytes of the body; None is before it."""

    exchange: int
    fault: Fault
    offset: int | None


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise ValidationError for what is no whole number of ``least`` or more."""
    if type(value) is not int or value < least:
        raise ValidationError(f"{name}: expected a whole number of {least} or more, found {value!r}")


class RefusedResponse:
    """A response that stands in for the server's. Sync and async."""

    def __init__(self, refusal: Refusal, request: Request) -> None:
        error = {
            "code": refusal.code,
            "message": refusal.message,
            "status": _STATUSES.get(refusal.code, "UNKNOWN"),
        }
        document: Any = {"error": error}
        if _is_list(request):
            document = [document]
        headers = [("content-type", "application/json; charset=UTF-8")]
        if refusal.retry_after is not None:
            headers.append(("retry-after", str(refusal.retry_after)))
        self.status = refusal.code
        self.headers: Headers = tuple(headers)
        self._body = json.dumps(document, indent=2).encode()

    def read(self) -> bytes:
        """The body, and then its end."""
        body, self._body = self._body, b""
        return body

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        return self.read()

    def discard(self) -> None:
        """There is no connection to give up."""


def _is_list(request: Request) -> bool:
    """Whether the server answers this request with a list, an error too: a stream that is not asked for as events."""
    parts = urlsplit(request.url)
    return parts.path.endswith(":streamGenerateContent") and parse_qs(parts.query).get("alt") != ["sse"]
