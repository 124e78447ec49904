"""``HttpxTransport``: one call of a client's ``send`` a hop, and the body as the library gets it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self

from chatproto.errors import ChatProtoError, LocalProtocolError, ValidationError
from chatproto.hops import Hop, first_hop
from chatproto.wire.http import header

from .clients import OwnClients
from .failures import library_errors, mapped
from .library import is_async, library_of
from .responses import AsyncBody, SyncBody, headers_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["HttpxTransport"]

_LIBRARY_DEFAULT = 5.0  # seconds that a client of either library waits if its maker says nothing


class HttpxTransport:
    """Sends requests through clients of httpx or httpx2: synchronously from any threads, and under asyncio.

    ``client`` is a ``Client`` or an ``AsyncClient`` of either library; ``async_client`` adds an ``AsyncClient`` to a
    ``Client``. They are used as they are (headers, cookies, auth, params, hooks, proxies, transports) and not closed.
    A transport that was given one kind does not make the other. A timeout that a client's maker chose holds for
    requests that have none; the library's own five seconds do not, because they would cut an answer that takes its
    time.

    Without a client it makes its own at the first request, with httpx or else httpx2: one for threads and one for each
    event loop, closed when the loop ends; any number of connections, proxies from the environment, no cookies.

    Redirects are followed here, not by the library, so that no credential follows to another origin: not chatproto's,
    and not those of the client either. Closed, it raises LocalProtocolError: ``close`` is for the synchronous half,
    ``aclose`` for the other.
    """

    def __init__(self, client: Any = None, *, async_client: Any = None) -> None:
        if client is not None and is_async(client):
            if async_client is not None:
                raise ValidationError("client and async_client are both asynchronous")
            client, async_client = None, client
        if async_client is not None and not is_async(async_client):
            raise ValidationError(f"async_client is not asynchronous: {type(async_client).__name__}")
        for given in (client, async_client):
            if given is not None:
                library_of(given)
        self._client = client
        self._async_client = async_client
        self._own = OwnClients()
        self._closed = False
        self._async_closed = False

    # --- sync ---

    def open(self, request: Request, secrets: Secrets) -> _Opening:
        """Send ``request`` on entering. Raises TransportError, and ValidationError for what HTTP cannot carry."""
        return _Opening(lambda: self._send(request, secrets))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the transport's own client for threads."""
        self._closed = True
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # An error is returned, not raised: by the time it is raised, the frames that hold the headers are gone.
    def _send(self, request: Request, secrets: Secrets) -> SyncBody | ChatProtoError:
        _check(self._closed, self._client, self._async_client, "client")
        client = self._client or self._own.sync_client()
        sender = _Sender(client, secrets, own=client is not self._client)
        hop = first_hop(request)
        try:
            while isinstance(hop, Hop):
                prepared = sender.prepare(hop, _SyncPieces)
                if isinstance(prepared, ChatProtoError):
                    return prepared
                response = client.send(prepared, **sender.options(hop))
                sender.forget_body()
                following = hop.after(response.status_code, header(headers_of(response), "location"))
                if following is None:
                    return SyncBody(sender.library, response, secrets)
                response.close()
                hop = following
        except sender.errors as error:
            return mapped(sender.library, error, secrets, opening=True)
        return hop

    # --- async ---

    def aopen(self, request: Request, secrets: Secrets) -> _AsyncOpening:
        """``open`` for asyncio."""
        return _AsyncOpening(lambda: self._asend(request, secrets))

    async def asleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the transport's own clients for event loops: of the running one, and what others have left."""
        self._async_closed = True
        await self._own.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _asend(self, request: Request, secrets: Secrets) -> AsyncBody | ChatProtoError:
        _check(self._async_closed, self._async_client, self._client, "async_client")
        client = self._async_client or await self._own.async_client()
        sender = _Sender(client, secrets, own=client is not self._async_client)
        hop = first_hop(request)
        try:
            while isinstance(hop, Hop):
                prepared = sender.prepare(hop, _AsyncPieces)
                if isinstance(prepared, ChatProtoError):
                    return prepared
                response = await client.send(prepared, **sender.options(hop))
                sender.forget_body()
                following = hop.after(response.status_code, header(headers_of(response), "location"))
                if following is None:
                    return AsyncBody(sender.library, response, secrets)
                await response.aclose()
                hop = following
        except sender.errors as error:
            return mapped(sender.library, error, secrets, opening=True)
        return hop


def _check(closed: bool, wanted: Any, other: Any, name: str) -> None:
    """Whether there is a client to send with."""
    if closed:
        raise LocalProtocolError("this transport is closed")
    if wanted is None and other is not None:
        raise LocalProtocolError(f"this transport was not given a client for this: hand one in as {name}")
    if wanted is not None and wanted.is_closed:
        raise LocalProtocolError("the client that this transport was given is closed")


class _Opening:
    """The context manager of one response."""

    def __init__(self, send: Callable[[], SyncBody | ChatProtoError]) -> None:
        self._send = send
        self._response: SyncBody | None = None

    def __enter__(self) -> SyncBody:
        outcome = self._send()
        if isinstance(outcome, ChatProtoError):
            raise outcome
        self._response = outcome
        return outcome

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.discard()  # after the end of the body, its connection is in the pool already


class _AsyncOpening:
    """The context manager of one response, for asyncio."""

    def __init__(self, send: Callable[[], Awaitable[AsyncBody | ChatProtoError]]) -> None:
        self._send = send
        self._response: AsyncBody | None = None

    async def __aenter__(self) -> AsyncBody:
        outcome = await self._send()
        if isinstance(outcome, ChatProtoError):
            raise outcome
        self._response = outcome
        return outcome

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            await self._response.leave()


class _Sender:
    """Makes requests for a client: with all that it adds to them, or for another origin with nothing of it."""

    def __init__(self, client: Any, secrets: Secrets, *, own: bool) -> None:
        self.library = library_of(client)
        self.errors = library_errors(self.library)
        self._client = client
        self._secrets = secrets
        self._own = own
        self._content: _Pieces | None = None

    def forget_body(self) -> None:
        """Let go of what has been sent: in the library, requests and responses refer to each other, and so their bodies
        would stay in memory until the garbage collector comes.
        """
        if self._content is not None:
            self._content.pieces = ()

    def options(self, hop: Hop) -> dict[str, Any]:
        """How to send what ``prepare`` has made."""
        options: dict[str, Any] = {"stream": True, "follow_redirects": False}
        return {**options, "auth": None} if self._own or hop.elsewhere else options

    def prepare(self, hop: Hop, stream: Callable[[tuple[bytes, ...]], _Pieces]) -> Any:
        """The library's request for one hop, or what is wrong with it."""
        headers = hop.headers(self._secrets)
        if isinstance(headers, ChatProtoError):
            return headers
        pieces = hop.pieces
        self._content = stream(pieces) if len(pieces) > 1 else None
        content = self._content or (pieces[0] if pieces else None)
        fields = _encoded(headers)
        if len(pieces) > 1:
            fields.append((b"content-length", b"%d" % hop.length))  # else it would be sent in HTTP's chunks
        timeout = self._timeout(hop.request.timeout)
        if self._own or hop.elsewhere:
            names = {name.lower() for name, _ in headers}
            added = [pair for pair in _ACCEPTED if pair[0] not in names]
            extensions = {"timeout": timeout.as_dict()}
            fields = [*_encoded(tuple(added)), *fields]
            return self.library.Request(hop.method, hop.url, headers=fields, content=content, extensions=extensions)
        more: dict[str, Any] = {}
        if self._client.params:  # they would replace the query of the URL
            more["params"] = self.library.URL(hop.url).params
        return self._client.build_request(hop.method, hop.url, headers=fields, content=content, timeout=timeout, **more)

    def _timeout(self, seconds: float | None) -> Any:
        """For connecting and for each wait; without any, those that the maker of the client chose."""
        chosen = self._client.timeout
        if seconds is None and chosen != self.library.Timeout(_LIBRARY_DEFAULT):
            return chosen
        return self.library.Timeout(seconds)


_ACCEPTED = (("accept", "*/*"), ("accept-encoding", "gzip, deflate"))


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1", "replace"), value.encode("latin-1")) for name, value in headers]


class _Pieces:
    """A body that is sent piece by piece, and again if the client's auth asks for it."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self.pieces = pieces


class _SyncPieces(_Pieces):
    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)


class _AsyncPieces(_Pieces):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
