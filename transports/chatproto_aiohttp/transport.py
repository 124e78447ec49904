"""``AiohttpTransport``: one call of ``ClientSession.request`` a hop, and the body as aiohttp gets it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.client import DEFAULT_TIMEOUT
from aiohttp.payload import Payload
from multidict import CIMultiDict
from yarl import URL

from chatproto.errors import ChatProtoError, ConnectionLost, LocalProtocolError, ValidationError
from chatproto.hops import JOIN_BELOW, Hop, first_hop
from chatproto.loops import PerLoop, close_now, runs_here
from chatproto.wire.http import header

from .connecting import Connector, drop
from .failures import LIBRARY_ERRORS, mapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.abc import AbstractStreamWriter

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["AiohttpTransport"]

_MAX_ORIGINS = 1000  # whose proxies are remembered
_PIECE = 32 * 1024  # bytes, the most that is read at a time of a body that comes fast
_REDIRECTS = 300  # the first status that may lead elsewhere


class AiohttpTransport:
    """Sends requests through an ``aiohttp.ClientSession``, under asyncio only.

    Without ``session`` it makes one of its own at the first request in each event loop, and closes it when the loop
    ends: any number of connections, proxies from the environment, no cookies, nothing from ``~/.netrc``. A session that
    is handed in is used as it is (its headers, cookies, connector, proxies, middlewares) in its own loop, and is not
    closed. A timeout that its maker chose holds for requests that have none; aiohttp's own five minutes do not, because
    they would cut an answer that takes its time.

    Redirects are followed here, not by aiohttp, so that no credential follows to another origin: not the client's, and
    not those of the session either. A closed transport raises LocalProtocolError.
    """

    def __init__(self, session: aiohttp.ClientSession | None = None) -> None:
        self._given = _Sender(session) if session is not None else None
        self._closed = False
        self._own = PerLoop(make=_OwnSender, close=_close, drop=_drop)

    def aopen(self, request: Request, secrets: Secrets) -> _Opening:
        """Send ``request`` on entering. Raises TransportError, and ValidationError for what HTTP cannot carry."""
        return _Opening(self._get_sender, request, secrets)

    async def asleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the transport's own sessions: that of the running loop, and what other loops have left."""
        self._closed = True
        await self._own.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _get_sender(self) -> _Sender:
        if self._closed:
            raise LocalProtocolError("this transport is closed")
        given = self._given
        if given is None:
            return self._own.get()
        if given.session.closed:
            raise LocalProtocolError("the session that this transport was given is closed")
        return given


class _Opening:
    """The context manager of one response."""

    def __init__(self, get_sender: Callable[[], _Sender], request: Request, secrets: Secrets) -> None:
        self._get_sender = get_sender
        self._request = request
        self._secrets = secrets
        self._response: _Response | None = None

    async def __aenter__(self) -> _Response:
        sender, secrets = self._get_sender(), self._secrets
        hop = first_hop(self._request)
        try:
            while not isinstance(hop, ChatProtoError):  # it goes where redirects lead
                sent = sender.send(hop, secrets)
                outcome = sent if isinstance(sent, ChatProtoError) else self._arrived(hop, await sent)
                if isinstance(outcome, _Response):
                    self._response = outcome
                    return outcome
                hop = outcome
        except ChatProtoError as error:
            hop = error.with_traceback(None)
        except (*LIBRARY_ERRORS, ValueError) as error:
            hop = mapped(error, secrets, opening=True)
        raise hop  # here, where the frames that hold the headers are gone

    def _arrived(self, hop: Hop, response: aiohttp.ClientResponse) -> _Response | Hop | ChatProtoError:
        """What a hop has led to: the answer, or the next one."""
        received = _headers(response)
        if response.status >= _REDIRECTS:  # as it hardly ever is
            following = hop.after(response.status, header(received, "location"))
            if following is not None:
                response.close()
                return following
        return _Response(response, received, self._secrets)

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.discard()  # after the end of the body, its connection is in the pool already


class _Response:
    """The head of a response, and its body as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse, headers: Headers, secrets: Secrets) -> None:
        self.status: int = response.status
        self.headers = headers
        self._response = response
        self._secrets = secrets
        self._loop = asyncio.get_running_loop()
        self._failure: ChatProtoError | None = None
        self._ended = False
        self._given_up = False
        self._much = False  # the last piece was large: more may be waiting
        self._closing = self._watch()

    def _watch(self) -> asyncio.Future[Any] | None:
        """Look out for the end of the connection: of a chunk that is no chunk, aiohttp does not tell the reader, who
        would wait for ever.
        """
        protocol: Any = self._response.connection and self._response.connection.protocol
        closing: asyncio.Future[Any] | None = getattr(protocol, "closed", None)
        if closing is not None:
            closing.add_done_callback(self._wake)
        return closing

    def _wake(self, closing: asyncio.Future[Any]) -> None:
        content = self._response.content
        if content.exception() is None and not content.is_eof():
            content.set_exception(aiohttp.ClientPayloadError("the connection was closed in the middle of the body"))
        if not closing.cancelled():
            closing.exception()  # it has been looked at

    def _unwatch(self) -> None:
        closing, self._closing = self._closing, None
        if closing is not None:
            closing.remove_done_callback(self._wake)

    async def aread(self) -> bytes:
        """What has arrived, decoded; ``b""`` at the end."""
        data = b""
        if not self._ended and not self._given_up and self._failure is None:
            content = self._response.content
            try:
                if not content.at_eof() or content.exception() is not None:
                    # Joining all that waits is cheapest while it is little; of much, each copy takes memory anew.
                    data = await (content.read(_PIECE) if self._much else content.readany())
                    self._much = len(data) >= _PIECE
            except LIBRARY_ERRORS as error:
                data = self._fail(mapped(error, self._secrets, opening=False))
            except RuntimeError as error:  # aiohttp's words for a connection that was closed under it
                if not self._response.closed:
                    raise
                data = self._fail(ConnectionLost(str(error), cause=type(error).__name__))
            else:
                if not data:
                    self._ended = True
                    self._unwatch()
        if self._given_up:  # also by another task, while this one was waiting
            raise ConnectionLost("the connection was given up")
        if self._failure is not None and not data:
            raise self._failure
        return data

    def _fail(self, failure: ChatProtoError) -> bytes:
        """Take note of a failure, and give what arrived before it: that is there still, but ``read`` raises first."""
        self._failure = failure
        self._unwatch()
        content: Any = self._response.content
        with suppress(Exception):
            rest: bytes = content._read_nowait(-1)  # noqa: SLF001
            return rest
        return b""

    def discard(self) -> None:
        """Close the connection, unless the body has ended and it is in the pool again. Needs no running loop."""
        if self._ended and self._response.closed:
            return  # as it nearly always is
        if not self._ended:
            self._given_up = True
        self._unwatch()
        loop = self._loop
        if runs_here(loop):
            self._give_up()
        elif loop.is_running():
            with suppress(RuntimeError):  # it has been closed meanwhile
                loop.call_soon_threadsafe(self._give_up)
        else:
            connection = self._response.connection
            if connection is not None:
                close_now(connection.transport)
            with suppress(RuntimeError):
                self._response.close()
            if connection is not None:
                with suppress(RuntimeError):
                    connection.close()

    def _give_up(self) -> None:
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()  # to close TLS politely takes as long as the server likes
        self._response.close()


class _Sender:
    """A session of the caller's, used as it is."""

    #: Headers that aiohttp must not add.
    left_out = frozenset({"content-type"})

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self._headers: Headers = ()  # of the last request: most are sent with the same ones
        self._prepared: tuple[CIMultiDict[str], frozenset[str] | None] = CIMultiDict(), self.left_out

    def send(self, hop: Hop, secrets: Secrets) -> Awaitable[aiohttp.ClientResponse] | ChatProtoError:
        """Send one hop, to wait for its head; or what is wrong with it."""
        # No frame that is left when an error is raised may hold the headers.
        headers = hop.headers(secrets, checked=self._headers)
        return headers if isinstance(headers, ChatProtoError) else self._send(hop, headers)

    def _send(self, hop: Hop, headers: Headers) -> Awaitable[aiohttp.ClientResponse]:
        timeout = self.session.timeout if hop.request.timeout is None else DEFAULT_TIMEOUT
        if timeout == DEFAULT_TIMEOUT:  # the maker of the session chose none
            timeout = _waiting(hop.request.timeout)
        if hop.elsewhere:
            return self._send_elsewhere(hop, headers, timeout)
        return self._request(self.session, hop, headers, timeout)

    async def _send_elsewhere(
        self,
        hop: Hop,
        headers: Headers,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # for aiohttp to watch
    ) -> aiohttp.ClientResponse:
        # A session's headers and auth go with every request. So another origin is asked by one that shares its
        # connections.
        stranger = aiohttp.ClientSession(
            connector=self.session.connector,
            connector_owner=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self.session.timeout,
            trust_env=self.session.trust_env,
        )
        try:
            proxy = getattr(self.session, "_default_proxy", None)
            return await self._request(stranger, hop, headers, timeout, proxy=proxy)
        finally:
            stranger.detach()

    def _request(
        self, session: aiohttp.ClientSession, hop: Hop, headers: Headers, timeout: aiohttp.ClientTimeout, **more: Any
    ) -> Awaitable[aiohttp.ClientResponse]:
        if headers is not self._headers:
            # To leave one out costs aiohttp more than to have it.
            left_out = self.left_out.difference(dict(headers)) or None
            self._prepared, self._headers = (CIMultiDict(headers), left_out), headers
        prepared, left_out = self._prepared
        return session.request(
            hop.method,
            URL(hop.url, encoded=True) if hop.url.isascii() else hop.url,
            headers=prepared,
            data=_body(hop.pieces),
            allow_redirects=False,
            raise_for_status=False,
            skip_auto_headers=left_out,
            timeout=timeout,
            **more,
        )


class _OwnSender(_Sender):
    """The transport's own session, of one loop."""

    left_out = frozenset({"content-type", "user-agent"})

    def __init__(self) -> None:
        super().__init__(
            aiohttp.ClientSession(
                connector=Connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"accept-encoding": "gzip, deflate"},
            )
        )
        self._proxies: dict[tuple[str, str], str | None] = {}

    def _send(self, hop: Hop, headers: Headers) -> Awaitable[aiohttp.ClientResponse]:
        """Through the proxy that the environment names for it."""
        parts = urlsplit(hop.url)
        origin = (parts.scheme, parts.netloc)
        if origin not in self._proxies:
            return self._send_first(hop, headers, origin)
        proxy = self._proxies[origin]
        return self._request(self.session, hop, headers, _waiting(hop.request.timeout), proxy=proxy)

    async def _send_first(self, hop: Hop, headers: Headers, origin: tuple[str, str]) -> aiohttp.ClientResponse:
        """Look up the proxy for an origin, once, and send.

        aiohttp's own ``trust_env`` would do so in a thread before each request, and look into ``~/.netrc``.
        """
        proxy = await asyncio.to_thread(_proxy_of_environment, *origin)
        if len(self._proxies) >= _MAX_ORIGINS:
            self._proxies.clear()
        self._proxies[origin] = proxy
        return await self._request(self.session, hop, headers, _waiting(hop.request.timeout), proxy=proxy)


def _proxy_of_environment(scheme: str, host: str) -> str | None:
    host = host.rpartition("@")[2]
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        kind = proxy.partition(":")[0]
        raise ValidationError(f"the environment names a proxy of the kind {kind!r}, which aiohttp cannot use by itself")
    return proxy


async def _close(sender: _OwnSender) -> None:
    await sender.session.close()
    await asyncio.sleep(0)  # older versions of aiohttp do not wait for their connections to be gone


def _drop(sender: _OwnSender) -> None:
    """Close a session whose loop does not run."""
    connector = sender.session.connector
    sender.session.detach()
    if connector is not None:
        drop(connector)


@lru_cache(maxsize=32)
def _waiting(seconds: float | None) -> aiohttp.ClientTimeout:
    """For connecting and for each wait, but not for all of it."""
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_connect=seconds, sock_read=seconds)


def _body(pieces: tuple[bytes, ...]) -> bytes | _Pieces | None:
    """What is sent as it is, where that is small; aiohttp warns of large ``bytes``."""
    if len(pieces) == 1 and len(pieces[0]) < JOIN_BELOW:
        return pieces[0]
    return _Pieces(pieces) if pieces else None


class _Pieces(Payload):
    """A body that is written piece by piece, with its length known."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        super().__init__(pieces)
        self._pieces = pieces
        self._size = sum(map(len, pieces))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text, for middlewares that ask for it."""
        return b"".join(self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand each piece to the connection when it has taken the one before."""
        for piece in self._pieces:
            await writer.write(piece)


def _headers(response: aiohttp.ClientResponse) -> Headers:
    """As they came, but for the case of their names. aiohttp would read them as UTF-8."""
    return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.raw_headers])
