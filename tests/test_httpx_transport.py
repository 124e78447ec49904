"""HttpxTransport beyond the contract that ``test_conformance.py`` checks: clients of both libraries, and their ways."""

from __future__ import annotations

import asyncio
import gc
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
import respx

from chatproto.errors import (
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    TimedOut,
    TransportError,
    ValidationError,
)
from chatproto.testing.servers import CERTIFICATE, CLOSE, LoopbackServer, chunk, head
from chatproto.transport import AsyncTransport, Secrets, Transport
from chatproto.wire.http import Request
from chatproto_httpx import HttpxTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KEY = "AIzaSyCanary-1234567890+/abcdef"
URL = "https://generativelanguage.googleapis.com/v1/models/m:generateContent"
SECRETS = Secrets({"x-goog-api-key": KEY}, url=URL)
ASKED = Request(method="POST", url=URL, headers=(("content-type", "application/json"),), body=(b"{}",))

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads away from loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server on loopback."""
    with LoopbackServer() as running:
        running.on("/", [head(content_length=2), b"ok"])
        running.on("/long", [head(chunked=True), chunk(b"ab"), 5.0, CLOSE])
        yield running


def secrets_for(server: LoopbackServer) -> Secrets:
    """The canary key, for this server."""
    return Secrets({"x-goog-api-key": KEY}, url=server.url("/"))


def request_for(server: LoopbackServer, path: str = "/", *body: bytes, timeout: float | None = 10) -> Request:
    """A request to a path of this server."""
    return Request(method="POST", url=server.url(path), body=body, timeout=timeout)


def get(transport: HttpxTransport, request: Request, secrets: Secrets) -> bytes:
    """The whole body, synchronously."""
    with transport.open(request, secrets) as response:
        return b"".join(iter(response.read, b""))


async def aget(transport: HttpxTransport, request: Request, secrets: Secrets) -> bytes:
    """The whole body, under asyncio."""
    pieces: list[bytes] = []
    async with transport.aopen(request, secrets) as response:
        while data := await response.aread():
            pieces.append(data)
    return b"".join(pieces)


def test_it_is_both_kinds_of_transport() -> None:
    """The class satisfies both protocols, for type checkers and at run time; making one costs nothing."""
    transport = HttpxTransport()
    typed: Transport = transport
    asynchronous: AsyncTransport = transport
    assert isinstance(typed, Transport)
    assert isinstance(asynchronous, AsyncTransport)
    assert transport._own._client is None


@pytest.mark.parametrize(
    ("missing", "printed"),
    [
        (["httpx"], "httpx2"),
        (["httpx2"], "httpx"),
        (["httpx", "httpx2"], "'chatproto[httpx]'"),
    ],
)
def test_either_library_will_do(missing: list[str], printed: str) -> None:
    """Its own clients are httpx's, else httpx2's; without both, the import names the extra. Nothing is loaded early."""
    code = (
        f"import sys\nfor name in {missing}: sys.modules[name] = None\n"
        "from chatproto.errors import MissingExtraError\n"
        "try:\n"
        "    import chatproto_httpx.clients\n"
        "    transport = chatproto_httpx.HttpxTransport()\n"
        "    assert not any(sys.modules.get(name) for name in ('httpx', 'httpx2'))\n"
        "    print(type(transport._own.sync_client()).__module__)\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed in run.stdout.split()


# --- clients of the caller's ------------------------------------------------------------------------------------------


class Subclassed(httpx.Client):
    """As openai and others derive theirs."""


def test_clients_are_known_by_their_shape() -> None:
    """Of either library, and derived from either; anything else is refused when it is handed over."""
    for client in (httpx.Client(), httpx2.Client(), Subclassed()):
        with client:
            transport = HttpxTransport(client)
            assert transport._client is client
    for awaited in (httpx.AsyncClient(), httpx2.AsyncClient()):
        assert HttpxTransport(awaited)._async_client is awaited
        with pytest.raises(ValidationError, match="both asynchronous"):
            HttpxTransport(awaited, async_client=awaited)
    with httpx.Client() as client:
        asynchronous = httpx2.AsyncClient()
        both = HttpxTransport(client, async_client=asynchronous)
        assert (both._client, both._async_client) == (client, asynchronous)
        with pytest.raises(ValidationError, match="not asynchronous"):
            HttpxTransport(async_client=client)
    for wrong in (object(), "client", 1):
        with pytest.raises(ValidationError, match="expected"):
            HttpxTransport(wrong)


def test_one_kind_of_client_is_not_replaced_by_an_own_one_of_the_other_kind() -> None:
    """It would go past the proxies and certificates of the client that was given. The error says what to hand in."""
    with httpx.Client() as client, pytest.raises(LocalProtocolError, match="async_client"):
        asyncio.run(aget(HttpxTransport(client), ASKED, SECRETS))
    with pytest.raises(LocalProtocolError, match="as client"):
        get(HttpxTransport(httpx.AsyncClient()), ASKED, SECRETS)


@LIBRARIES
def test_a_client_that_was_handed_in(library: Any, server: LoopbackServer) -> None:
    """Its headers, cookies, params, auth and hooks are honoured, its cookies kept, and it is not closed."""
    seen: list[int] = []
    server.on("/", [head(content_length=2, set_cookie="sent=back"), b"ok"])
    options: dict[str, Any] = {
        "headers": {"x-mine": "1"},
        "params": {"tenant": "1"},
        "auth": ("user", "password"),
        "cookies": {"from": "me"},
    }
    with library.Client(
        event_hooks={"response": [lambda response: seen.append(response.status_code)]}, **options
    ) as it:
        transport = HttpxTransport(it)
        assert get(transport, request_for(server, "/?alt=sse", b"{}"), secrets_for(server)) == b"ok"
        transport.close()
        assert not it.is_closed
        assert it.cookies["sent"] == "back"
        with pytest.raises(LocalProtocolError, match="closed"):
            get(transport, request_for(server), secrets_for(server))
    with pytest.raises(LocalProtocolError, match="given is closed"):
        get(HttpxTransport(it), request_for(server), secrets_for(server))
    (received,) = server.received
    assert seen == [200]
    assert (received.header("x-mine"), received.header("cookie")) == ("1", "from=me")
    assert received.header("authorization") == "Basic dXNlcjpwYXNzd29yZA=="
    assert received.header("x-goog-api-key") == KEY
    assert sorted(received.target.partition("?")[2].split("&")) == ["alt=sse", "tenant=1"]


@LIBRARIES
def test_a_client_keeps_its_credentials_at_home(library: Any, server: LoopbackServer) -> None:
    """Its headers, auth, cookies and params go to the client's origin, and no further; they come back with it."""
    options: dict[str, Any] = {
        "headers": {"x-token": "of-the-client"},
        "params": {"tenant": "of-the-client"},
        "auth": ("user", "of-the-client"),
        "cookies": {"c": "of-the-client"},
    }
    with LoopbackServer() as other, library.Client(**options) as client:
        server.on("/old", [head(307, content_length=0, location=other.url("/new?b=2"))])
        other.on("/new", [head(307, content_length=0, location=server.url("/"))])
        assert get(HttpxTransport(client), request_for(server, "/old", b"{}"), secrets_for(server)) == b"ok"
        (seen,) = other.received
    assert "of-the-client" not in repr(seen)
    assert seen.header("authorization") is None
    assert (seen.target, seen.body) == ("/new?b=2", b"{}")
    assert {received.header("x-token") for received in server.received} == {"of-the-client"}


@LIBRARIES
def test_timeouts_of_a_client(library: Any, server: LoopbackServer) -> None:
    """What its maker chose holds where the request has none; the library's five seconds do not."""
    server.on("/", [0.5, head(content_length=2), b"ok"])
    with library.Client(timeout=0.1) as client:
        with pytest.raises(TimedOut):
            get(HttpxTransport(client), request_for(server, timeout=None), secrets_for(server))
        assert get(HttpxTransport(client), request_for(server, timeout=5), secrets_for(server)) == b"ok"
    given: list[Any] = []

    def answer(request: Any) -> Any:
        given.append(request.extensions["timeout"])
        return library.Response(200)

    with library.Client(transport=library.MockTransport(answer)) as client:
        get(HttpxTransport(client), ASKED, SECRETS)
    assert set(given[0].values()) == {None}


@LIBRARIES
def test_clients_without_a_network(library: Any) -> None:
    """MockTransport, as tests use it: there is no socket, and nothing here asks for one."""

    def answer(request: Any) -> Any:
        if request.url.path == "/old":
            return library.Response(302, headers={"location": "/new"})
        return library.Response(200, headers=[("X-A", "1"), ("X-A", "2")], content=request.content or b"none")

    async def main() -> None:
        async with library.AsyncClient(transport=library.MockTransport(answer)) as client:
            transport = HttpxTransport(client)
            assert await aget(transport, ASKED, SECRETS) == b"{}"
            async with transport.aopen(ASKED, SECRETS) as response:
                assert [pair for pair in response.headers if pair[0] == "x-a"] == [("x-a", "1"), ("x-a", "2")]
                response.discard()
                with pytest.raises(ConnectionLost):
                    await response.aread()

    asyncio.run(main())
    with library.Client(transport=library.MockTransport(answer)) as client:
        assert get(HttpxTransport(client), ASKED, SECRETS) == b"{}"
        assert get(HttpxTransport(client), Request(method="GET", url="https://x.example/old"), SECRETS) == b"none"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (httpx.ConnectError("refused"), ConnectFailed),
        (httpx.ProxyError("407 Proxy Authentication Required"), ConnectFailed),
        (httpx.ConnectTimeout(""), TimedOut),
        (httpx.PoolTimeout(""), TimedOut),
        (httpx.ReadError(""), ConnectionLost),
        (httpx.WriteError("broken pipe"), ConnectionLost),
        (httpx.RemoteProtocolError("Server disconnected"), ConnectionLost),
        (httpx.LocalProtocolError("Illegal header value"), ValidationError),
        (httpx.UnsupportedProtocol("unsupported"), ValidationError),
        (httpx.DecodingError("no gzip"), TransportError),
        (OSError("below"), ConnectionLost),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else type(each).__name__,
)
@respx.mock
def test_errors_of_httpx(raised: Exception, expected: type[Exception]) -> None:
    """Each has its counterpart, with words and the name of the class, and without the object."""
    respx.post(URL).mock(side_effect=raised)

    async def main() -> None:
        async with HttpxTransport() as transport:
            await aget(transport, ASKED, SECRETS)

    with HttpxTransport() as transport, pytest.raises(expected) as caught:
        get(transport, ASKED, SECRETS)
    with pytest.raises(expected) as awaited:
        asyncio.run(main())
    for error in (caught.value, awaited.value):
        assert type(error) is expected
        assert type(raised).__name__ in str(error)
        assert str(raised) in str(error)
        assert error.__cause__ is error.__context__ is None


@respx.mock
def test_words_that_quote_the_key_are_withheld() -> None:
    """h11 quotes a header that it does not like; the key is not in what is raised."""
    respx.post(URL).mock(side_effect=httpx.LocalProtocolError(f"Illegal header value b'{KEY}'"))
    with HttpxTransport() as transport, pytest.raises(ValidationError, match="withheld") as caught:
        get(transport, ASKED, SECRETS)
    assert KEY not in str(caught.value)


@respx.mock
def test_exceptions_of_hooks_are_the_programs() -> None:
    """What a hook raises that is no error of the library passes through; raise_for_status is a TransportError."""
    respx.post(URL).mock(return_value=httpx.Response(503))

    def broken(_: httpx.Response) -> None:
        raise KeyError("mine")

    with httpx.Client(event_hooks={"response": [broken]}) as client, pytest.raises(KeyError, match="mine"):
        get(HttpxTransport(client), ASKED, SECRETS)
    with (
        httpx.Client(event_hooks={"response": [lambda response: response.raise_for_status()]}) as client,
        pytest.raises(TransportError, match="503"),
    ):
        get(HttpxTransport(client), ASKED, SECRETS)


@LIBRARIES
def test_a_hook_that_reads_the_body(library: Any, server: LoopbackServer) -> None:
    """What a hook has read is not lost."""
    with library.Client(event_hooks={"response": [lambda response: response.read()]}) as client:
        assert get(HttpxTransport(client), request_for(server), secrets_for(server)) == b"ok"


@LIBRARIES
def test_pieces_are_sent_again_for_auth(library: Any, server: LoopbackServer) -> None:
    """A client's auth may send a request twice, as digest does: the pieces can be sent again."""
    server.on("/", [head(401, content_length=0, www_authenticate='Digest realm="r", nonce="n", qop="auth"')])
    pieces = (b"x" * 50_000, b"y" * 50_000)
    with library.Client(auth=library.DigestAuth("user", "password")) as client:
        get(HttpxTransport(client), request_for(server, "/", *pieces), secrets_for(server))
    assert [received.body == b"".join(pieces) for received in server.received] == [True, True]

    async def main() -> None:
        async with library.AsyncClient(auth=library.DigestAuth("user", "password")) as client:
            await aget(HttpxTransport(client), request_for(server, "/", *pieces), secrets_for(server))

    asyncio.run(main())
    assert [received.body == b"".join(pieces) for received in server.received[2:]] == [True, True]


# --- its own clients --------------------------------------------------------------------------------------------------


def test_certificates_are_read_once_and_late(monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> None:
    """Reading them takes longer than a request; all clients share what the first has read."""
    read: list[float] = []
    original = httpx.create_ssl_context

    def create(*arguments: Any, **keywords: Any) -> ssl.SSLContext:
        if not arguments and not keywords:
            read.append(time.monotonic())
        return original(*arguments, **keywords)

    monkeypatch.setattr(httpx, "create_ssl_context", create)
    transport = HttpxTransport()
    assert read == []
    for _ in range(3):
        assert asyncio.run(aget(transport, request_for(server), secrets_for(server))) == b"ok"
        assert get(transport, request_for(server), secrets_for(server)) == b"ok"
    assert len(read) == 1
    transport.close()


def test_netrc_is_not_read(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An entry for the host does not replace the Authorization header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password from-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bearer = Secrets({"authorization": "Bearer token-of-the-client"}, url=server.url("/"))
    with HttpxTransport() as transport:
        get(transport, request_for(server), bearer)
    assert server.received[0].header("authorization") == "Bearer token-of-the-client"


def test_cookies_are_not_sent_back(server: LoopbackServer) -> None:
    """Its own clients send nothing that they were not given."""
    server.on("/", [head(content_length=2, set_cookie="sent=back"), b"ok"])
    with HttpxTransport() as transport:
        for _ in range(2):
            get(transport, request_for(server), secrets_for(server))
    assert server.received[1].header("cookie") is None


def test_a_transport_that_is_dropped(server: LoopbackServer) -> None:
    """Its sockets are closed, and Python warns of none."""
    transport = HttpxTransport()
    assert get(transport, request_for(server), secrets_for(server)) == b"ok"
    assert asyncio.run(aget(transport, request_for(server), secrets_for(server))) == b"ok"
    del transport
    gc.collect()
    assert server.wait_until_idle()


def test_halves_are_closed_apart(server: LoopbackServer) -> None:
    """``close`` leaves the asynchronous half open, and ``aclose`` the other."""
    transport = HttpxTransport()
    transport.close()
    assert asyncio.run(aget(transport, request_for(server), secrets_for(server))) == b"ok"
    asyncio.run(transport.aclose())
    with pytest.raises(LocalProtocolError):
        asyncio.run(aget(transport, request_for(server), secrets_for(server)))


@LIBRARIES
def test_a_loop_that_ends_without_its_asynchronous_generators(
    library: Any, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop run and closed by hand, without shutdown_asyncgens: its client is closed at the next use of another."""
    monkeypatch.setattr("chatproto_httpx.library._NAMES", (library.__name__,))
    transport = HttpxTransport()
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(aget(transport, request_for(server), secrets_for(server))) == b"ok"
        loop.close()
        del loop
        gc.collect()
    assert asyncio.run(aget(transport, request_for(server), secrets_for(server))) == b"ok"
    gc.collect()
    assert server.wait_until_idle()


@LIBRARIES
@pytest.mark.parametrize("state", ["running", "elsewhere", "stopped", "closed", "at its end"])
def test_discard_in_any_state_of_the_loop(
    library: Any, state: str, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``discard`` is called from wherever a response is dropped, and needs no loop, nor the right thread."""
    monkeypatch.setattr("chatproto_httpx.library._NAMES", (library.__name__,))
    transport = HttpxTransport()
    loop = asyncio.new_event_loop()

    async def begin() -> Any:
        response = await transport.aopen(request_for(server, "/long"), secrets_for(server)).__aenter__()
        assert await response.aread() == b"ab"
        return response

    async def discarding_at_the_end() -> AsyncIterator[None]:
        response = await begin()
        try:
            yield
        finally:
            response.discard()

    if state == "at its end":

        async def main() -> None:
            await anext(kept)

        kept = discarding_at_the_end()
        asyncio.run(main())
        assert server.wait_until_idle(2)
        loop.close()
        return
    response = loop.run_until_complete(begin())
    if state == "running":
        loop.call_soon(response.discard)
        loop.run_until_complete(asyncio.sleep(0.1))
    elif state == "elsewhere":
        threading.Timer(0.1, response.discard).start()
        loop.run_until_complete(asyncio.sleep(0.3))
    else:
        if state == "closed":
            loop.close()
        response.discard()
    assert server.wait_until_idle(2)
    response.discard()
    if state != "closed":
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    with pytest.raises(ConnectionLost):
        asyncio.run(response.aread())


@LIBRARIES
def test_tls(library: Any) -> None:
    """Over TLS too, a reader in another thread is woken, and nothing is left open when loops and clients go."""
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    with LoopbackServer(tls=True) as secure:
        secure.on("/", [head(content_length=2), b"ok"])
        secure.on("/long", [head(chunked=True), chunk(b"ab"), *[act for _ in range(9) for act in (0.5, chunk(b"x"))]])
        with library.Client(verify=trusting) as client:
            transport = HttpxTransport(client)
            assert get(transport, request_for(secure), secrets_for(secure)) == b"ok"
            with transport.open(request_for(secure, "/long"), secrets_for(secure)) as response:
                assert response.read() == b"ab"
                threading.Timer(0.1, response.discard).start()
                began = time.monotonic()
                with pytest.raises(ConnectionLost):
                    response.read()
                assert time.monotonic() - began < 0.4

        own = HttpxTransport()
        own._own._per_loop._make = lambda: library.AsyncClient(verify=trusting)

        async def main(own: HttpxTransport) -> Any:
            assert await aget(own, request_for(secure), secrets_for(secure)) == b"ok"
            late = await own.aopen(request_for(secure, "/long"), secrets_for(secure)).__aenter__()
            await late.aread()
            reader = asyncio.ensure_future(late.aread())
            await asyncio.sleep(0.05)
            late.discard()
            with pytest.raises(ConnectionLost):
                await reader
            last = await own.aopen(request_for(secure, "/long"), secrets_for(secure)).__aenter__()
            await last.aread()
            return last

        asyncio.run(main(own)).discard()
        loop = asyncio.new_event_loop()
        response = loop.run_until_complete(main(own))
        loop.close()
        response.discard()
        del response, own
        gc.collect()


def test_a_reader_that_is_cancelled_and_discarded_at_once_is_cancelled(server: LoopbackServer) -> None:
    """``discard`` interrupts a reader by cancelling it; a cancellation that comes from elsewhere is not swallowed."""

    async def main() -> None:
        async with HttpxTransport() as transport:
            response = await transport.aopen(request_for(server, "/long"), secrets_for(server)).__aenter__()
            await response.aread()
            reader = asyncio.ensure_future(response.aread())
            await asyncio.sleep(0.05)
            response.discard()
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            assert reader.cancelled()

            async def read_and_go_on() -> str:
                again = await transport.aopen(request_for(server, "/long"), secrets_for(server)).__aenter__()
                await again.aread()
                asyncio.get_running_loop().call_later(0.05, again.discard)
                with pytest.raises(ConnectionLost):
                    await again.aread()
                await asyncio.sleep(0)  # would raise, were the cancellation still pending
                task = asyncio.current_task()
                assert task is not None
                assert task.cancelling() == 0
                return "went on"

            assert await read_and_go_on() == "went on"

    asyncio.run(main())
