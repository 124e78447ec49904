"""What a turn costs in a transport, counted: what is looked up or made once, and not for each request."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import aiohttp
import attrs
import pytest
import requests

from chatproto.hops import Hop, first_hop
from chatproto.testing.servers import LoopbackServer, head
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_aiohttp import AiohttpTransport
from chatproto_aiohttp import transport as on_aiohttp
from chatproto_requests import RequestsTransport, sessions

KEY = "canary-0123456789-key"
TURNS = 10


class Counted:
    """How often functions were called, which still do what they did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[str] = Counter()
        self._patch = monkeypatch

    def count(self, owner: Any, name: str) -> None:
        """Count the calls of ``owner.name`` from now on."""
        inner: Callable[..., Any] = getattr(owner, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return inner(*arguments, **options)

        self._patch.setattr(owner, name, counting)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Counts calls until the test is over."""
    return Counted(monkeypatch)


def _answer(_: Any) -> list[bytes]:
    return [head(200, content_length=2), b"{}"]


@pytest.fixture
def request_() -> Iterator[Request]:
    """A request that a server answers, as those of a chat are: equal but for their bodies."""
    with LoopbackServer() as server:
        server.on("/v1/models/m:generateContent", _answer)
        url = server.url("/v1/models/m:generateContent")
        headers = (("content-type", "application/json"), ("user-agent", "chatproto"))
        yield Request(method="POST", url=url, headers=headers, body=(b"{", b"}"))


def turns(transport: Any, request: Request) -> None:
    """Ten turns, one after the other, each to its end."""
    secrets = Secrets({"x-goog-api-key": KEY}, url=request.url)
    for _ in range(TURNS):
        with transport.open(request, secrets) as response:
            assert response.status == 200
            while response.read():
                pass


async def aturns(transport: Any, request: Request) -> None:
    """``turns`` for asyncio."""
    secrets = Secrets({"x-goog-api-key": KEY}, url=request.url)
    for _ in range(TURNS):
        async with transport.aopen(request, secrets) as response:
            assert response.status == 200
            while await response.aread():
                pass


def test_a_session_of_its_own_prepares_once(counted: Counted, request_: Request) -> None:
    """Requests looks at the environment and at the URL for the first turn, and merges nothing into any."""
    counted.count(requests.Session, "prepare_request")
    counted.count(requests.Session, "merge_environment_settings")
    counted.count(requests.PreparedRequest, "prepare_url")
    with RequestsTransport() as transport:
        turns(transport, request_)
    assert counted.calls == {"merge_environment_settings": 1, "prepare_url": 1}


@pytest.mark.skipif(
    not hasattr(requests.adapters.HTTPAdapter, "get_connection_with_tls_context"),
    reason="before 2.32, requests does not let an adapter choose the connections",
)
def test_connections_of_an_origin_are_found_once(counted: Counted, request_: Request) -> None:
    """A session of its own does not ask again which they are, and keeps those of as many origins as requests does."""
    counted.count(requests.adapters.HTTPAdapter, "get_connection_with_tls_context")
    with RequestsTransport() as transport, ExitStack() as running:
        servers = [running.enter_context(LoopbackServer()) for _ in range(12)]
        for server in servers:
            server.on("/", _answer)
        for server in (*servers[:5] * 2, *servers, servers[0]):
            turns(transport, attrs.evolve(request_, url=server.url("/")))
        assert counted.calls == {"get_connection_with_tls_context": 13}
        assert [server.connections for server in servers] == [2, *[1] * 11]


def test_a_session_of_the_callers_prepares_each(counted: Counted, request_: Request) -> None:
    """Its cookies, hooks, auth and parameters may change between two turns, so it is asked each time."""
    counted.count(requests.Session, "prepare_request")
    with requests.Session() as session:
        turns(RequestsTransport(session), request_)
    assert counted.calls == {"prepare_request": TURNS}


def test_a_session_of_its_own_sends_what_requests_would_prepare(request_: Request) -> None:
    """The short way and the long way make the same request, whatever the pieces of its body and its headers."""
    session = own_session(request_)
    for body in ((b"{}",), (b"{", b"}"), (b"x" * 40_000, b"y" * 40_000)):
        for headers in (request_.headers, (("Accept", "text/plain"), ("Content-Length", "7")), ()):
            hop = first_hop(attrs.evolve(request_, body=body, headers=headers))
            assert isinstance(hop, Hop)
            short, long = session.prepare(hop, headers), sessions.prepare(session, hop, headers)
            assert short is not None
            assert (short.method, short.url) == (long.method, long.url)
            assert list(short.headers.items()) == list(long.headers.items())
            assert b"".join(pieces(short.body)) == b"".join(pieces(long.body)) == b"".join(body)


def pieces(body: Any) -> list[bytes]:
    """A body of requests, which is bytes or something to iterate over."""
    return [body] if isinstance(body, bytes) else list(body)


def test_the_unusual_takes_the_long_way(request_: Request) -> None:
    """A session that has cookies, an address with a name and a password, and a request without a body."""
    session = own_session(request_)

    def short(**changes: Any) -> Any:
        hop = first_hop(attrs.evolve(request_, **changes))
        assert isinstance(hop, Hop)
        return session.prepare(hop, request_.headers)

    assert short() is not None
    assert short(body=()) is None
    assert short(url=request_.url.replace("http://", "http://name:password@")) is None
    session.cookies.set("a", "b")
    assert short() is None


def test_a_url_that_may_hold_a_key_is_not_remembered(request_: Request) -> None:
    """What is kept by URL has no query, or the one of a stream."""
    session = own_session(request_)
    for query in ("", "?alt=sse", f"?key={KEY}", f"?alt=sse&key={KEY}"):
        hop = first_hop(attrs.evolve(request_, url=request_.url + query))
        assert isinstance(hop, Hop)
        assert session.prepare(hop, ()).url == request_.url + query
    assert list(session._urls) == [request_.url, request_.url + "?alt=sse"]


def own_session(request: Request) -> Any:
    """The session that a transport has made for itself."""
    transport = RequestsTransport()
    turns(transport, request)
    return transport._session


def test_aiohttp_looks_for_proxies_and_timeouts_once(counted: Counted, request_: Request) -> None:
    """At the first turn, for one origin; and a connection serves all the turns."""
    on_aiohttp._waiting.cache_clear()
    counted.count(on_aiohttp, "getproxies")
    counted.count(aiohttp, "ClientTimeout")
    counted.count(aiohttp.TCPConnector, "_create_connection")

    async def run() -> None:
        async with AiohttpTransport() as transport:
            await aturns(transport, request_)

    asyncio.run(run())
    assert counted.calls == {"getproxies": 1, "ClientTimeout": 1, "_create_connection": 1}


def test_headers_are_merged_once(request_: Request) -> None:
    """The same pairs are handed out for as long as requests have equal ones, and to its own origin alone."""
    secrets = Secrets({"x-goog-api-key": KEY, "User-Agent": "mine"}, url=request_.url)
    first = secrets.headers_for(request_)
    again = attrs.evolve(request_, headers=tuple(request_.headers), body=(b"another",))
    assert secrets.headers_for(again) is first
    assert dict(first)["user-agent"] == "chatproto mine"
    other = attrs.evolve(request_, headers=(("content-type", "text/plain"),))
    assert dict(secrets.headers_for(other)) == {
        "content-type": "text/plain",
        "user-agent": "mine",
        "x-goog-api-key": KEY,
    }
    assert secrets.headers_for(request_) == first
    for url in (request_.url.replace("127.0.0.1", "127.0.0.1.example"), request_.url.replace("http:", "https:")):
        assert secrets.headers_for(request_, url) == request_.headers
    assert KEY not in repr(secrets)


def test_no_certificates_are_read_for_plain_http(counted: Counted, request_: Request) -> None:
    """They take longer than twenty turns do."""
    counted.count(ssl.SSLContext, "load_verify_locations")
    counted.count(ssl.SSLContext, "load_default_certs")
    with RequestsTransport() as transport:
        turns(transport, request_)

    async def run() -> None:
        async with AiohttpTransport() as transport:
            await aturns(transport, request_)

    asyncio.run(run())
    assert not counted.calls
