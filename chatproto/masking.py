"""What a server throws back at a program: an error that quotes the request's headers, and with them the key.

Errors are printed, logged and stored, so a credential is taken out of them before they get there (law L15): out of the
headers of any response, and the bodies of those that are errors, before a machine sees them; and out of the errors that
a machine makes of an answer that is none. What a model says, and what else a program asked for, is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from .errors import APIError, ChatProtoError, MalformedResponse, TransportError
from .wire.json_codec import decode, encode

if TYPE_CHECKING:
    from .types import HttpResponse
    from .wire.http import Headers

__all__ = ["WITHHELD", "Masked", "alone", "masked", "masked_error", "masked_event", "quotes"]

WITHHELD = "(withheld, because it quotes a credential)"

_GOOD = 200  # of other statuses, machines read the body as an error
_MOST = 1024 * 1024  # bytes of an error's body; a machine keeps less
#: A machine sends requests to this one, so it stays as it came. It is in no error.
_NEEDED = "x-goog-upload-url"

E = TypeVar("E", bound=ChatProtoError)
T = TypeVar("T")


class Known(Protocol):
    """What knows a credential when it sees one: ``Secrets``."""

    def occurs_in(self, data: bytes) -> bool:
        """Whether a credential is anywhere in ``data``."""
        ...

    def occurs_in_headers(self, headers: Headers) -> bool:
        """Whether a credential is in a value of a response's headers."""
        ...


def quotes(text: str, secrets: Known) -> bool:
    """Whether a text quotes a credential."""
    return secrets.occurs_in(text.encode("utf-8", "backslashreplace"))


def alone(error: E) -> E:
    """The error without the frames and errors behind it: those hold the request's headers, or the environment."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def masked(response: Any, secrets: Known) -> Any:
    """A response, sync or async, as a machine may see it: itself, if nothing of it need be masked."""
    if response.status == _GOOD and not secrets.occurs_in_headers(response.headers):
        return response
    return Masked(response, secrets)


class Masked:
    """A response, sync or async, without the credentials that its headers and an error's body quote.

    The body of an error is read as a whole, and handed out in one piece.
    """

    def __init__(self, response: Any, secrets: Known) -> None:
        self._response = response
        self._secrets = secrets
        self.status: int = response.status
        self.headers: Headers = _headers(response.headers, secrets)
        self._body: bytearray | None = bytearray() if self.status != _GOOD else None
        self._ended = False
        self._failure: TransportError | None = None

    def read(self) -> bytes:
        """What has arrived, or the whole body of an error."""
        if self._body is None:
            data: bytes = self._response.read()
            return data
        try:
            while not self._ended:
                self._take(self._response.read())
        except TransportError as error:
            self._fail(error)
        return self._told()

    async def aread(self) -> bytes:
        """``read`` for asyncio."""
        if self._body is None:
            data: bytes = await self._response.aread()
            return data
        try:
            while not self._ended:
                self._take(await self._response.aread())
        except TransportError as error:
            self._fail(error)
        return self._told()

    def discard(self) -> None:
        """Give the connection up."""
        self._response.discard()

    def _take(self, data: bytes) -> None:
        self._ended = not data
        if self._body is not None and len(self._body) < _MOST:
            self._body += data

    def _fail(self, error: TransportError) -> None:
        self._ended, self._failure = True, error

    def _told(self) -> bytes:
        """The body, then its end, or the failure that ended it."""
        body, self._body = bytes(self._body or b""), bytearray()
        if body:
            return _body(body, self._secrets)
        if self._failure is not None:
            raise self._failure
        return b""


def _headers(headers: Headers, secrets: Known) -> Headers:
    if not secrets.occurs_in_headers(headers):
        return headers
    return tuple((name, WITHHELD if name != _NEEDED and quotes(value, secrets) else value) for name, value in headers)


def _body(body: bytes, secrets: Known) -> bytes:
    if not secrets.occurs_in(body):
        return body
    try:
        masked = encode(_value(decode(body, what="the body"), secrets))
    except ChatProtoError:
        return WITHHELD.encode()
    return WITHHELD.encode() if secrets.occurs_in(masked) else masked


def _value(value: Any, secrets: Known) -> Any:
    """A JSON value without the strings that quote a credential."""
    if isinstance(value, str):
        return WITHHELD if quotes(value, secrets) else value
    if isinstance(value, list):
        return [_value(each, secrets) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {name: _value(each, secrets) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def masked_event(event: T, secrets: Known) -> T:
    """``event`` with an error, and a reason of its turn, that quote no credential, if it brings them."""
    error = getattr(event, "error", None)
    if not isinstance(error, ChatProtoError):
        return event
    changes: dict[str, Any] = {"error": masked_error(error, secrets)}
    turn: Any = getattr(event, "turn", None)
    if turn is not None and quotes(getattr(turn, "reason", ""), secrets):
        changes["turn"] = attrs.evolve(turn, reason=str(changes["error"]))
    if len(changes) == 1 and changes["error"] is error:
        return event
    evolved: T = attrs.evolve(event, **changes)  # type: ignore[misc]
    return evolved


def masked_error(error: E, secrets: Known) -> E:
    """``error`` without the frames behind it, which hold what was read; or one like it that quotes no credential."""
    alone(error)
    if not quotes(f"{error} {error.args!r} {vars(error)!r}", secrets):
        return error
    masked: Any = error
    match error:
        case APIError():
            details, response = _value(error.details, secrets), _response(error.response, secrets)
            masked = type(error)(error.code, details, response, retry_after=error.retry_after)
        case MalformedResponse():
            problem = WITHHELD if quotes(error.problem, secrets) else error.problem
            masked = type(error)(problem, where=error.where, excerpt=WITHHELD)
        case TransportError():
            masked = type(error)(WITHHELD, cause=error.cause)
        case _:
            pass  # made of what the program itself said
    masked.partial = error.partial
    made: E = masked
    return made


def _response(response: HttpResponse | None, secrets: Known) -> HttpResponse | None:
    if response is None:
        return None
    headers = {name: WITHHELD if quotes(value, secrets) else value for name, value in (response.headers or {}).items()}
    body = _body((response.body or "").encode("utf-8", "backslashreplace"), secrets)
    return type(response)(headers=headers, body=body.decode())
