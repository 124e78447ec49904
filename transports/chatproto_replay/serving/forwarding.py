"""Requests that came over HTTP, as values; and the server that they are passed on to.

Of a client's headers, those that anyone may know go into the Request, and all others into its Secrets: they reach the
upstream server and nobody else. A credential in the query becomes a header, so that no URL holds one. Headers about
one connection are dropped, in both directions.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit

import attrs

from chatproto.errors import TransportError, ValidationError
from chatproto.transport import Secrets
from chatproto.wire.http import Request, header, origin

from ..errors import UnplayedExchanges
from ..matching.excerpts import counted
from ..redaction.allowed import NEVER, REQUEST_HEADERS
from .sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager

    from chatproto.transport import AsyncResponse
    from chatproto.wire.http import Headers

    from ..cassette import End
    from ..modes import CassetteTransport
    from .sources import Answered

__all__ = ["GOOGLE", "Asked", "Upstream", "asked", "check_upstream"]

GOOGLE = "https://generativelanguage.googleapis.com"

#: About one connection, or made anew for the next: the body is passed on as it is when nothing compresses it.
_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "host", "expect", "content-length", "content-encoding", "accept-encoding"),
        *("alt-svc", "strict-transport-security"),
    }
)
#: What a client says of itself, or of the request, to anyone.
_PLAIN = REQUEST_HEADERS | {
    *("accept", "accept-language", "cache-control", "origin", "pragma", "priority", "user-agent"),
    *("x-goog-api-client", "x-goog-request-params", "x-goog-user-project"),
}
_PLAIN_PREFIXES = ("sec-", "x-goog-upload-")
_KEYS = frozenset({"key", "api_key", "apikey"})
_UPLOAD_URL = "x-goog-upload-url"
_SALT = os.urandom(16)


@attrs.frozen(kw_only=True)
class Asked:
    """A request of a client. ``client`` is the same for all who have its credential, and b"" for who has none."""

    request: Request
    secrets: Secrets
    client: bytes = attrs.field(repr=False)


def check_upstream(url: str) -> str:
    """The origin of ``url``. Raises ValidationError where it has more than that, or is none."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and origin(url)[2] > 0
        if sound and parts.username is None and parts.path in ("", "/") and not parts.query and not parts.fragment:
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        pass
    raise ValidationError(
        "upstream: expected the URL of a server without a path, a user or a query, such as"
        f" {GOOGLE}, found {_without_password(url)!r}"
    ) from None


def _without_password(url: str) -> str:
    """``url`` as it was given, but for a user and a password, and for a query, which may hold a key."""
    head, mark, rest = url.partition("//")
    if not mark:
        head, rest = "", url
    place, question, _ = rest.rpartition("@")[2].partition("?")
    return f"{head}{mark}{place}{question and '?...'}"


def asked(method: str, target: str, headers: Headers, body: bytes, *, base: str) -> Asked:
    """What a client asks: ``target`` is the request target, ``base`` the origin that its URL is to have.

    Raises ValueError where the target is none.
    """
    if not target.startswith("/"):  # the absolute form, which is for proxies
        parts = urlsplit(target)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path, _, query = target.partition("?")
    query, credentials = _without_credentials(query)
    about = _CONNECTION | {
        name.strip().lower() for key, value in headers if key.lower() == "connection" for name in value.split(",")
    }
    plain: list[tuple[str, str]] = [("accept-encoding", "identity")]
    secret: dict[str, str] = credentials
    for name, value in _joined(headers):
        if name in _PLAIN or name.startswith(_PLAIN_PREFIXES):
            plain.append((name, value))
        elif name not in about:
            secret[name] = value
    return Asked(
        request=Request(
            method=method,
            url=f"{base}{path}" + (f"?{query}" if query else ""),
            headers=tuple(plain),
            body=(body,) if body else (),
        ),
        secrets=Secrets(secret, url=base),
        client=_client(secret),
    )


def _without_credentials(query: str) -> tuple[str, dict[str, str]]:
    """A query without the parameters that hold a credential, and the headers that say the same."""
    kept: list[str] = []
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name).lower()
        if name not in NEVER:
            kept.append(pair)
        elif value:
            value = unquote_plus(value)
            found.update({"x-goog-api-key": value} if name in _KEYS else {"authorization": f"Bearer {value}"})
    return "&".join(kept), found


def _joined(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        text = value.encode("utf-8", "surrogateescape").decode("latin-1")  # the bytes that came, as transports read
        found[key] = f"{found[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in found else text
    return found.items()


def _client(secret: dict[str, str]) -> bytes:
    """Who has the same credential, and nothing that could be turned back into it."""
    credential = secret.get("x-goog-api-key") or secret.get("authorization")
    return hashlib.blake2b(credential.encode(), key=_SALT, digest_size=16).digest() if credential else b""


class Upstream(Source):
    """Passes requests on through a transport of ``use_cassette``, which records them, or plays what it has."""

    def __init__(self, transport: CassetteTransport) -> None:
        super().__init__()
        self.mode = transport.mode
        self._transport = transport
        self._uploads: dict[str, str] = {}  # the targets of uploads that are taken elsewhere, and where
        self._closed = False
        self._left: UnplayedExchanges | None = None

    async def answer(self, request: Request, secrets: Secrets, client: bytes) -> Answered:
        """Send ``request`` on. What goes wrong on the way ends the client's connection in the same way."""
        elsewhere = self._uploads.get(_target(request.url))
        if elsewhere is not None:
            request = attrs.evolve(request, url=elsewhere + _target(request.url))
        opened = self._transport.aopen(request, secrets)
        try:
            response = await opened.__aenter__()
        except TransportError as error:
            return self.lost(error)
        upload = header(response.headers, _UPLOAD_URL)
        if upload is not None and origin(upload) != origin(request.url):
            there = urlsplit(upload)
            self._uploads[_target(upload)] = f"{there.scheme}://{there.netloc}"
        return _ForwardedAnswer(self, opened, response)

    def lost(self, error: TransportError) -> End:
        """How to end a connection after this error, which is told."""
        self.tell(f"the upstream server: {error}")
        return "reset" if "reset" in str(error).lower() else "truncated"

    def status(self) -> dict[str, Any]:
        """What was played and recorded, and what of the cassette nobody has asked for."""
        transport = self._transport
        return {
            "mode": self.mode,
            "played": transport.played,
            "recorded": transport.recorded,
            "refused": self.refused,
            "left": transport.left,
        }

    def summary(self) -> str:
        """The same in a line."""
        transport = self._transport
        name = f"{transport.path}: " if transport.path else ""
        recorded = counted(transport.recorded, "exchange")
        return f"{name}{recorded} recorded, {transport.played} played, {counted(self.refused, 'request')} refused"

    def left(self) -> UnplayedExchanges | None:
        """What closing the transport said was left."""
        return self._left

    async def aclose(self) -> None:
        """Close the transport: what is open still is written. Raises what it raises, but for UnplayedExchanges."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._transport.aclose()
        except UnplayedExchanges as error:
            self._left = error


def _target(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


class _ForwardedAnswer:
    def __init__(
        self, upstream: Upstream, opened: AbstractAsyncContextManager[AsyncResponse], response: AsyncResponse
    ) -> None:
        self.status: int = response.status
        self.headers: Headers = tuple(pair for pair in response.headers if pair[0] not in _CONNECTION)
        self._upstream = upstream
        self._opened = opened
        self._response = response

    async def next(self) -> bytes | End:
        try:
            return await self._response.aread() or "complete"
        except TransportError as error:
            return self._upstream.lost(error)

    async def leave(self) -> None:
        await self._opened.__aexit__(None, None, None)

    def discard(self) -> None:
        self._response.discard()
