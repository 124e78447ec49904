"""AiohttpTransport beyond the contract that ``test_conformance.py`` checks: sessions, loops, and aiohttp's own ways."""

from __future__ import annotations

import asyncio
import gc
import resource
import ssl
import subprocess
import sys
import threading
import traceback
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from chatproto.errors import ConnectionLost, LocalProtocolError, TimedOut, TransportError, ValidationError
from chatproto.testing.servers import CERTIFICATE, CLOSE, LoopbackServer, Received, chunk, head
from chatproto.transport import AsyncTransport, Secrets
from chatproto.wire.http import Request
from chatproto_aiohttp import AiohttpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

KEY = "AIzaSyCanary-1234567890+/abcdef"


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


async def fetch(
    transport: AiohttpTransport, server: LoopbackServer, path: str = "/", *body: bytes, **more: Any
) -> bytes:
    """The whole body."""
    pieces: list[bytes] = []
    async with transport.aopen(request_for(server, path, *body, **more), secrets_for(server)) as response:
        while data := await response.aread():
            pieces.append(data)
    return b"".join(pieces)


def test_it_is_an_asynchronous_transport() -> None:
    """The class satisfies the protocol, for type checkers and at run time; making one needs no loop."""
    typed: AsyncTransport = AiohttpTransport()
    assert isinstance(typed, AsyncTransport)
    assert not hasattr(typed, "open")


def test_missing_library_names_the_extra() -> None:
    """Without aiohttp, importing the package says which extra to install."""
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from chatproto.errors import MissingExtraError\n"
        "try:\n    import chatproto_aiohttp\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "chatproto[aiohttp]" in run.stdout


# --- loops ------------------------------------------------------------------------------------------------------------


def test_a_loop_that_ends_without_its_asynchronous_generators(server: LoopbackServer) -> None:
    """A loop run and closed by hand, without shutdown_asyncgens: its session is closed at the next use of another."""
    transport = AiohttpTransport()
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(fetch(transport, server)) == b"ok"
        loop.close()
        del loop
        gc.collect()
    assert asyncio.run(fetch(transport, server)) == b"ok"
    gc.collect()
    assert server.wait_until_idle()


@pytest.mark.parametrize("closed", [True, False])
def test_a_transport_that_goes_before_or_after_its_loop(server: LoopbackServer, closed: bool) -> None:
    """Dropping a transport closes what it had in a loop that is closed, and in one that merely stands still."""
    transport = AiohttpTransport()
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(fetch(transport, server)) == b"ok"
    if closed:
        loop.close()
    del transport
    gc.collect()
    assert server.wait_until_idle()
    loop.close()


def test_a_transport_that_is_dropped_in_a_running_loop(server: LoopbackServer) -> None:
    """The loop itself closes the session, at once."""

    async def main() -> None:
        assert await fetch(AiohttpTransport(), server) == b"ok"
        gc.collect()
        assert await asyncio.to_thread(server.wait_until_idle, 3)

    asyncio.run(main())


def test_a_transport_in_the_loops_of_several_threads(server: LoopbackServer) -> None:
    """Each thread has its loop, each loop its session; closing in one gives up those of the others, as they can be."""
    transport = AiohttpTransport()
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.append(asyncio.run(fetch(transport, server, "/")))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [b"ok"] * 5
    asyncio.run(transport.aclose())
    assert server.wait_until_idle()


def test_closing_from_the_loop_of_another_thread(server: LoopbackServer) -> None:
    """``aclose`` reaches into a loop that is running elsewhere, without touching it from outside."""
    transport = AiohttpTransport()
    fetched, closed = threading.Event(), threading.Event()

    async def elsewhere() -> None:
        await fetch(transport, server)
        fetched.set()
        await asyncio.to_thread(closed.wait, 5)

    thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
    thread.start()
    assert fetched.wait(5)
    asyncio.run(transport.aclose())
    assert server.wait_until_idle(3)
    closed.set()
    thread.join()


@pytest.mark.parametrize("state", ["running", "elsewhere", "stopped", "closed"])
def test_discard_in_any_state_of_the_loop(server: LoopbackServer, state: str) -> None:
    """``discard`` is called from wherever a response is dropped, and needs no loop, nor the right thread."""
    transport = AiohttpTransport()
    loop = asyncio.new_event_loop()

    async def begin() -> Any:
        response = await transport.aopen(request_for(server, "/long"), secrets_for(server)).__aenter__()
        assert await response.aread() == b"ab"
        return response

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
    loop.close()
    with pytest.raises(ConnectionLost):
        asyncio.run(response.aread())


def test_tls(server: LoopbackServer) -> None:
    """Connections with TLS are closed without warnings, too: at the end of a loop, by hand, and by discard."""
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    with LoopbackServer(tls=True) as secure:
        secure.on("/", [head(content_length=2), b"ok"])
        secure.on("/long", [head(chunked=True), chunk(b"ab"), *[act for _ in range(20) for act in (0.1, chunk(b"x"))]])

        async def main(transport: AiohttpTransport, *, discard: bool) -> Any:
            sender = transport._own.get()
            await sender.session._connector.close()  # type: ignore[union-attr]
            sender.session._connector = aiohttp.TCPConnector(ssl=trusting)
            assert await fetch(transport, secure) == b"ok"
            response = await transport.aopen(request_for(secure, "/long"), secrets_for(secure)).__aenter__()
            await response.aread()
            if discard:
                response.discard()
            return response

        for discard in (True, False):
            transport = AiohttpTransport()
            asyncio.run(main(transport, discard=discard)).discard()
            loop = asyncio.new_event_loop()
            response = loop.run_until_complete(main(transport, discard=discard))
            loop.close()
            response.discard()
            del response, transport
            gc.collect()
        assert secure.wait_until_idle()


def test_a_thousand_at_once() -> None:
    """A thousand requests wait for their answers on one session at the same time; none waits for a free connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this machine does not allow that many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    count = 1000

    async def main() -> None:
        arrived, all_there = 0, asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal arrived
            await reader.readuntil(b"\r\n\r\n")
            arrived += 1
            if arrived == count:
                all_there.set()
            await all_there.wait()
            writer.write(head(content_length=2) + b"ok")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(answer, "127.0.0.1", 0, backlog=count) as listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
            async with AiohttpTransport() as transport:

                async def ask() -> bytes:
                    request = Request(method="GET", url=url, timeout=30)
                    async with transport.aopen(request, Secrets({}, url=url)) as response:
                        return await response.aread()

                assert set(await asyncio.gather(*(ask() for _ in range(count)))) == {b"ok"}

    asyncio.run(main())
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def counting_server(pieces: Callable[[], AsyncIterator[bytes]]) -> AsyncIterator[tuple[str, list[int]]]:
    """A server in the running loop: its URL, and an entry for each connection that was opened."""
    opened: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(len(opened))
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                async for piece in pieces():
                    writer.write(piece)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/", opened


def test_a_crowd_opens_few_connections() -> None:
    """Of many requests that begin together, those whose turn comes later use the connections of the first ones."""

    async def pieces() -> AsyncIterator[bytes]:
        yield head(content_length=2) + b"ok"

    async def main() -> None:
        async with counting_server(pieces) as (url, opened), AiohttpTransport() as transport:

            async def ask() -> bytes:
                async with transport.aopen(Request(method="GET", url=url), Secrets({}, url=url)) as response:
                    return await response.aread() + await response.aread()

            assert set(await asyncio.gather(*(ask() for _ in range(400)))) == {b"ok"}
            assert len(opened) <= 200

    asyncio.run(main())


def test_streams_that_are_held_keep_nobody_waiting() -> None:
    """Nor a task that was cancelled while it waited for its turn."""
    held = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield head(chunked=True) + chunk(b"ab")
        await held.wait()
        yield chunk(b"")

    async def main() -> None:
        async with counting_server(pieces) as (url, opened), AiohttpTransport() as transport:

            async def begin() -> Any:
                response = await transport.aopen(Request(method="GET", url=url), Secrets({}, url=url)).__aenter__()
                assert await response.aread() == b"ab"
                return response

            beginning = [asyncio.create_task(begin()) for _ in range(300)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in beginning[::2]:
                task.cancel()
            responses = await asyncio.gather(*beginning, return_exceptions=True)
            async with asyncio.timeout(10):
                responses.append(await begin())
            streams = [each for each in responses if not isinstance(each, BaseException)]
            assert len(streams) == 151 <= len(opened)
            for each in streams:
                each.discard()
            held.set()

    asyncio.run(main())


# --- a session of the caller's ----------------------------------------------------------------------------------------


def test_a_session_that_was_handed_in(server: LoopbackServer) -> None:
    """Its headers and cookies are honoured, its cookies kept, and closing the transport leaves it open."""
    server.on("/", [head(content_length=2, set_cookie="sent=back"), b"ok"])

    async def main() -> None:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(headers={"x-mine": "1", "user-agent": "mine"}, cookie_jar=jar) as session:
            transport = AiohttpTransport(session)
            assert await fetch(transport, server) == b"ok"
            assert await fetch(transport, server) == b"ok"
            await transport.aclose()
            assert not session.closed
            with pytest.raises(LocalProtocolError, match="closed"):
                await fetch(transport, server)
        with pytest.raises(LocalProtocolError, match="session"):
            await fetch(AiohttpTransport(session), server)

    asyncio.run(main())
    first, second = server.received
    assert (first.header("x-mine"), first.header("user-agent"), first.header("cookie")) == ("1", "mine", None)
    assert second.header("cookie") == "sent=back"


def test_a_session_keeps_its_credentials_at_home(server: LoopbackServer) -> None:
    """Its headers, auth and cookies go to the client's origin, and no further; they come back with it."""

    async def main() -> None:
        headers = {"x-token": "of-the-session", "authorization": "Bearer of-the-session"}
        async with aiohttp.ClientSession(headers=headers, cookies={"c": "of-the-session"}) as session:
            assert await fetch(AiohttpTransport(session), server, "/old", b"{}") == b"ok"

    with LoopbackServer() as other:
        server.on("/old", [head(307, content_length=0, location=other.url("/new?b=2"))])
        other.on("/new", [head(307, content_length=0, location=server.url("/"))])
        asyncio.run(main())
        (seen,) = other.received
    assert "of-the-session" not in repr(seen)
    assert (seen.target, seen.body) == ("/new?b=2", b"{}")
    assert {received.header("x-token") for received in server.received} == {"of-the-session"}


def test_raise_for_status_of_a_session_is_not_heard(server: LoopbackServer) -> None:
    """Every status is a response, whatever the session would do."""
    server.on("/", [head(503, content_length=0)])

    async def main() -> int:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            AiohttpTransport(session).aopen(request_for(server), secrets_for(server)) as response,
        ):
            return response.status

    assert asyncio.run(main()) == 503


def test_timeouts_of_a_session(server: LoopbackServer) -> None:
    """What its maker chose holds where the request has none; aiohttp's default does not."""
    server.on("/", [0.5, head(content_length=2), b"ok"])

    async def main(seconds: float | None, **options: Any) -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await fetch(AiohttpTransport(session), server, timeout=seconds)

    chosen = aiohttp.ClientTimeout(sock_read=0.1)
    with pytest.raises(TimedOut):
        asyncio.run(main(None, timeout=chosen))
    assert asyncio.run(main(5, timeout=chosen)) == b"ok"
    assert asyncio.run(main(None)) == b"ok"


# --- aiohttp ----------------------------------------------------------------------------------------------------------


def test_netrc_is_not_read(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An entry for the host does not replace the Authorization header, nor break the request, as trust_env would."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    bearer = Secrets({"authorization": "Bearer token-of-the-client"}, url=server.url("/"))

    async def main() -> None:
        async with AiohttpTransport() as transport, transport.aopen(request_for(server), bearer) as response:
            assert await response.aread() == b"ok"

    asyncio.run(main())
    assert server.received[0].header("authorization") == "Bearer token-of-the-client"


def test_a_proxy_with_a_password(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password of a proxy's URL go to the proxy; no error shows them."""
    monkeypatch.setenv("http_proxy", server.url("/").replace("//", "//user:proxy-password@"))
    server.on("http://nowhere.invalid/", [head(content_length=2), b"ok"])
    request = Request(method="GET", url="http://nowhere.invalid/", timeout=5)

    async def main() -> bytes:
        async with AiohttpTransport() as transport, transport.aopen(request, Secrets({}, url=request.url)) as response:
            return await response.aread()

    assert asyncio.run(main()) == b"ok"
    assert server.received[0].header("proxy-authorization") == "Basic dXNlcjpwcm94eS1wYXNzd29yZA=="
    for proxy in ("http://user:proxy-password@127.0.0.1:1/", "socks5://user:proxy-password@127.0.0.1:1/"):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises((TransportError, ValidationError)) as caught:
            asyncio.run(main())
        assert "proxy-password" not in str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1/", "http://127.0.0.1:1/"])
def test_no_frame_of_an_error_of_a_proxy_has_the_key(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """L15: the headers are made before the proxy is looked up, and are gone when its error is raised."""
    monkeypatch.setenv("http_proxy", proxy)
    request = Request(method="GET", url="http://nowhere.invalid/", timeout=5)
    secrets = Secrets({"x-goog-api-key": KEY}, url=request.url)

    async def main() -> None:
        async with AiohttpTransport() as transport, transport.aopen(request, secrets):
            pass

    with pytest.raises((TransportError, ValidationError)) as caught:
        asyncio.run(main())
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    report.stack = traceback.StackSummary.from_list([each for each in report.stack if each.filename != __file__])
    shown = "".join(report.format())
    assert "aopen" in shown or "__aenter__" in shown
    assert KEY not in shown


def test_large_pieces_are_sent_without_a_warning(server: LoopbackServer) -> None:
    """Aiohttp warns of bytes above a megabyte; pieces are written one after the other, without a copy of them all."""

    def answer(received: Received) -> list[Any]:
        length = str(len(received.body)).encode()
        return [head(content_length=len(length)), length]

    server.on("/", answer)

    async def main(*body: bytes) -> bytes:
        async with AiohttpTransport() as transport:
            return await fetch(transport, server, "/", *body)

    assert asyncio.run(main(b"x" * 3_000_000)) == b"3000000"
    assert asyncio.run(main(*[b"x" * 500_000] * 6)) == b"3000000"


@pytest.mark.parametrize("given", [(), ("content-type",), ("user-agent",), ("content-type", "user-agent")])
def test_aiohttp_adds_no_headers_of_its_own(server: LoopbackServer, given: tuple[str, ...]) -> None:
    """Neither its name nor a type of the body, whichever of them the request has."""
    asked = Request(
        method="POST", url=server.url("/"), headers=tuple((name, "x/y") for name in given), body=(b"{", b"}")
    )

    async def main() -> None:
        async with AiohttpTransport() as transport, transport.aopen(asked, secrets_for(server)) as response:
            assert await response.aread() == b"ok"

    asyncio.run(main())
    (seen,) = server.received
    added = {"host", "accept", "accept-encoding", "content-length", "x-goog-api-key"}
    assert {name.lower() for name, _ in seen.headers} == {*added, *given}
    assert seen.body == b"{}"


def test_urls_are_sent_as_they_are(server: LoopbackServer) -> None:
    """What is escaped in a URL stays escaped, and what is not, not."""
    paths = ["/a%2Fb:c?x=%20+%41&y=~", "/v1/models/m:streamGenerateContent?alt=sse"]

    async def main() -> None:
        async with AiohttpTransport() as transport:
            for path in paths:
                await fetch(transport, server, path)

    asyncio.run(main())
    assert [received.target for received in server.received] == paths


def test_two_readers_are_the_programs_error(server: LoopbackServer) -> None:
    """Two tasks cannot read one body; that is no lost connection, and not told as one."""

    async def main() -> None:
        async with (
            AiohttpTransport() as transport,
            transport.aopen(request_for(server, "/long"), secrets_for(server)) as response,
        ):
            await response.aread()
            first = asyncio.ensure_future(response.aread())
            await asyncio.sleep(0.05)
            with pytest.raises(RuntimeError, match="another coroutine"):
                await response.aread()
            response.discard()
            with pytest.raises(ConnectionLost):
                await first

    asyncio.run(main())
