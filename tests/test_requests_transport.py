"""RequestsTransport against real sockets on loopback."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
import traceback
import zlib
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
import vcr  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter

from chatproto.errors import (
    ChatProtoError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    TimedOut,
    TransportError,
    ValidationError,
)
from chatproto.testing.servers import CERTIFICATE, CLOSE, RESET, LoopbackServer, Received, chunk, head
from chatproto.transport import Response, Secrets, Transport
from chatproto.wire.http import Request, header
from chatproto_requests import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "AIzaSyCanary-1234567890+/abcdef"


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server on loopback."""
    with LoopbackServer() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    """A transport with a session of its own."""
    made = RequestsTransport()
    yield made
    made.close()


def secrets_for(server: LoopbackServer) -> Secrets:
    """The canary key, for this server."""
    return Secrets({"x-goog-api-key": KEY}, url=server.url("/"))


def request_for(
    server: LoopbackServer, path: str, *body: bytes, method: str = "POST", timeout: float | None = 10
) -> Request:
    """A request to a path of this server."""
    return Request(
        method=method,
        url=server.url(path),
        headers=(("content-type", "application/json"), ("user-agent", "chatproto/1")),
        body=body,
        timeout=timeout,
    )


def drain(response: Response) -> list[bytes]:
    """All pieces of the body."""
    return list(iter(response.read, b""))


def fetch(transport: RequestsTransport, server: LoopbackServer, path: str, *body: bytes, **more: Any) -> bytes:
    """The whole body."""
    with transport.open(request_for(server, path, *body, **more), secrets_for(server)) as response:
        return b"".join(drain(response))


# --- the contract ---------------------------------------------------------------------------------------------------


def test_it_is_a_transport(transport: RequestsTransport) -> None:
    """The class satisfies the protocol, for type checkers and at run time."""
    typed: Transport = transport
    assert isinstance(typed, Transport)


def test_nothing_is_opened_by_construction() -> None:
    """A transport that sends nothing makes no session: a client costs nothing until it is used."""
    transport = RequestsTransport()
    assert transport._session is None
    transport.close()
    transport.close()


@pytest.mark.parametrize("missing", [("requests",), ("urllib3",), ("requests", "urllib3")], ids="+".join)
def test_missing_library_names_the_extra(missing: tuple[str, ...]) -> None:
    """Without requests, or what comes with it, a client's first message says which extra to install."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r}))\n"
        "import chatproto\n"
        "from chatproto.errors import MissingExtraError\n"
        "chat = chatproto.Client(api_key='k').chats.create(model='m')\n"
        "try:\n    chat.send_message('Hello')\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("this transport needs ")
    assert run.stdout.endswith(" which is not installed: pip install 'chatproto[requests]'\n")


def test_closed_transport_says_so(server: LoopbackServer) -> None:
    """Opening after close is the program's error, and is told as one."""
    transport = RequestsTransport()
    transport.close()
    with pytest.raises(LocalProtocolError, match="closed"):
        fetch(transport, server, "/")


def test_unusable_requests_are_refused_before_anything_is_sent(
    transport: RequestsTransport, server: LoopbackServer
) -> None:
    """What HTTP cannot carry is a ValidationError that names the header and does not quote its value."""
    for value in (f"{KEY}\r\nx-evil: 1", f"{KEY}\N{SNOWMAN}"):
        secrets = Secrets({"x-goog-api-key": value}, url=server.url("/"))
        with pytest.raises(ValidationError, match="x-goog-api-key") as caught:
            transport.open(request_for(server, "/"), secrets).__enter__()
        assert KEY not in everything_about(caught.value)
    for url in ("ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:port/"):
        with pytest.raises(ValidationError, match="not an HTTP URL"):
            transport.open(Request(method="GET", url=url), secrets_for(server)).__enter__()
    with pytest.raises(ValidationError, match="timeout"):
        fetch(transport, server, "/", timeout=0)
    assert server.connections == 0


# --- sending --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100_000])
def test_pieces_of_a_body_are_sent_as_one(transport: RequestsTransport, server: LoopbackServer, size: int) -> None:
    """Pieces arrive one after the other under one Content-Length, never chunked, and are not joined when large."""
    server.on("/", [head(content_length=0)])
    pieces = (b'{"contents":[', b"x" * size, b"", b"]}")
    fetch(transport, server, "/", *pieces)
    (received,) = server.received
    assert received.body == b"".join(pieces)
    assert received.header("content-length") == str(sum(map(len, pieces)))
    assert received.header("transfer-encoding") is None


def test_headers_are_those_of_the_request_and_its_secrets(
    transport: RequestsTransport, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The request's User-Agent and the secrets' key are sent; neither requests nor ~/.netrc put theirs on top."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.on("/", [head(content_length=0)])
    fetch(transport, server, "/", b"{}")
    bearer = Secrets({"authorization": "Bearer token-of-the-client"}, url=server.url("/"))
    with transport.open(request_for(server, "/", b"{}"), bearer) as response:
        drain(response)
    first, second = server.received
    assert first.header("user-agent") == "chatproto/1"
    assert first.header("x-goog-api-key") == KEY
    assert first.header("accept-encoding") == "gzip, deflate"
    assert first.header("authorization") is None
    assert second.header("authorization") == "Bearer token-of-the-client"


def test_proxies_of_the_environment_are_used(
    transport: RequestsTransport, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """http_proxy is honoured: the proxy gets the request for a host that does not exist."""
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.on("http://nowhere.invalid/path", [head(content_length=2), b"ok"])
    request = Request(method="GET", url="http://nowhere.invalid/path", timeout=10)
    with transport.open(request, secrets_for(server)) as response:
        assert drain(response) == [b"ok"]


def test_certificates_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that nobody vouches for gets nothing; REQUESTS_CA_BUNDLE vouches for one, and its connection is kept."""
    bundle = tmp_path / "certificates.pem"
    bundle.write_text(CERTIFICATE)
    with LoopbackServer(tls=True) as secure:
        secure.on("/", [head(content_length=2), b"ok"])
        with RequestsTransport() as transport, failing(ConnectFailed):
            fetch(transport, secure, "/", b"{}")
        assert secure.received == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        before = secure.connections
        with RequestsTransport() as transport:
            assert [fetch(transport, secure, "/", b"{}") for _ in range(3)] == [b"ok"] * 3
        assert secure.connections == before + 1


# --- receiving ------------------------------------------------------------------------------------------------------


class Handshake:
    """The server sends a piece only when the client has the one before: whoever waits for more waits in vain."""

    def __init__(self) -> None:
        self._taken = threading.Semaphore(0)

    def script(self, opening: bytes, *pieces: bytes) -> Callable[[Received], Iterator[Any]]:
        """The answer: ``opening`` and the first piece, then each piece when the one before was taken."""

        def answer(_: Received) -> Iterator[Any]:
            yield opening
            for number, piece in enumerate(pieces):
                if number and not self._taken.acquire(timeout=5):
                    yield RESET
                yield piece
            yield CLOSE

        return answer

    def read_all(self, response: Response) -> list[bytes]:
        """All pieces of the body, acknowledging each."""
        got: list[bytes] = []
        for data in iter(response.read, b""):
            got.append(data)
            self._taken.release()
        return got


@pytest.mark.parametrize("framing", ["chunked", "content-length", "until-close"])
def test_pieces_are_handed_out_as_they_arrive(
    transport: RequestsTransport, server: LoopbackServer, framing: str
) -> None:
    """Whatever frames the body, each piece is there when the server has sent it, before the next is sent."""
    pieces, handshake = [b"data: 1\r", b"\n\r\ndata: 2", b"\xc3"], Handshake()
    if framing == "chunked":
        script = handshake.script(head(chunked=True), *map(chunk, pieces[:-1]), chunk(pieces[-1]) + chunk())
    elif framing == "content-length":
        script = handshake.script(head(content_length=sum(map(len, pieces))), *pieces)
    else:
        script = handshake.script(head(connection="close"), *pieces)
    server.on("/", script)
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert handshake.read_all(response) == pieces
        assert response.read() == b""


def test_a_large_chunk_is_not_waited_for(transport: RequestsTransport, server: LoopbackServer) -> None:
    """The first half of one HTTP chunk is handed out before its second half is sent."""
    handshake = Handshake()
    server.on("/", handshake.script(head(chunked=True), b"a\r\n12345", b"67890\r\n" + chunk()))
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert handshake.read_all(response) == [b"12345", b"67890"]


def compressed(*pieces: bytes) -> list[bytes]:
    """Each piece as gzip that can be unpacked when it is there."""
    packer = zlib.compressobj(wbits=31)
    return [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]


def test_compressed_bodies_are_decoded_as_they_arrive(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Flushed gzip comes out piece by piece."""
    first, second = compressed(b"data: 1\r\n\r\n", b"data: 2\r\n\r\n")
    server.on("/", [head(chunked=True, content_encoding="gzip"), chunk(first), 0.1, chunk(second), chunk()])
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert drain(response) == [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"]
    packed = gzip.compress(b"x" * 1_000_000)
    server.on("/", [head(content_length=len(packed), content_encoding="gzip"), packed])
    assert fetch(transport, server, "/") == b"x" * 1_000_000


@pytest.mark.parametrize("status", [200, 204, 308, 400, 429, 500, 503])
def test_every_status_is_a_response(transport: RequestsTransport, server: LoopbackServer, status: int) -> None:
    """No status raises, and headers come in lower case, in order, and apart where a name is repeated."""
    body = b"" if status == 204 else b"{}"
    server.on("/", [head(status, content_length=len(body), Retry_After="7", Set_Cookie=["a=1", "b=2"]), body])
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert response.status == status
        assert header(response.headers, "retry-after") == "7"
        assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1", "b=2"]
        assert b"".join(drain(response)) == body


# --- failures -------------------------------------------------------------------------------------------------------


def everything_about(error: BaseException) -> str:
    """All that a crash report would show of an error, with the local variables of all frames but this module's."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack = traceback.StackSummary.from_list([each for each in report.stack if each.filename != __file__])
    return f"{''.join(report.format())} {error!r} {error.__context__!r} {error.__cause__!r}"


@contextmanager
def failing(kind: type[ChatProtoError], within: float = 3.0) -> Iterator[pytest.ExceptionInfo[ChatProtoError]]:
    """The block fails so, soon, with words, and without the key or another error in sight."""
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        yield caught
    assert time.monotonic() - began < within
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert str(caught.value)
    assert KEY not in everything_about(caught.value)


def unused_port() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://nowhere.invalid/"])
def test_no_connection(transport: RequestsTransport, url: str) -> None:
    """A refused connection and an unknown host are ConnectFailed, in the library's words."""
    url = url.format(port=unused_port())
    secrets = Secrets({"x-goog-api-key": KEY}, url=url)
    with failing(ConnectFailed) as caught:
        transport.open(Request(method="POST", url=f"{url}?key={KEY}", timeout=10), secrets).__enter__()
    assert caught.type is ConnectFailed


def test_connect_timeout(transport: RequestsTransport) -> None:
    """A server that does not accept is TimedOut: its queue is full, so the handshake is never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            with failing(TimedOut) as caught:
                secrets = Secrets({"x-goog-api-key": KEY}, url=url)
                transport.open(Request(method="GET", url=url, timeout=0.3), secrets).__enter__()
            assert caught.type is TimedOut
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("framing", [{"chunked": True}, {"content_length": 99}, {"connection": "close"}])
def test_read_timeouts(transport: RequestsTransport, server: LoopbackServer, framing: dict[str, Any]) -> None:
    """Silence before the head, and between two pieces, is TimedOut; what had arrived was handed out."""
    server.on("/silent", [5.0, CLOSE])
    with failing(TimedOut):
        fetch(transport, server, "/silent", timeout=0.2)
    server.on("/stalls", [head(**framing), chunk(b"data: 1") if "chunked" in framing else b"data: 1", 5.0, CLOSE])
    with transport.open(request_for(server, "/stalls", timeout=0.2), secrets_for(server)) as response:
        assert response.read() == b"data: 1"
        with failing(TimedOut) as caught:
            response.read()
    assert "host='127.0.0.1'" in str(caught.value)
    assert "(ReadTimeoutError)" in str(caught.value)


FLUSHED = [head(chunked=True, content_encoding="gzip"), *map(chunk, compressed(b"data: 1")), 0.1]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, RESET], id="reset"),
        pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, CLOSE], id="closed between chunks"),
        pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, b"ff\r\nab", CLOSE], id="closed in a chunk"),
        pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, b"zz\r\n", CLOSE], id="no chunk"),
        pytest.param([*FLUSHED, RESET], id="reset compressed"),
        pytest.param([*FLUSHED, b"ff\r\nab", CLOSE], id="closed in a compressed chunk"),
        pytest.param([head(content_length=99), b"data: 1", 0.1, CLOSE], id="truncated content-length"),
        pytest.param([head(content_length=99), b"data: 1", 0.1, RESET], id="reset content-length"),
    ],
)
def test_lost_connections(transport: RequestsTransport, server: LoopbackServer, script: list[Any]) -> None:
    """A body that ends before its time is ConnectionLost, never a short body that looks whole."""
    server.on("/", script)
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert response.read() == b"data: 1"
        for _ in range(2):  # whoever reads on does not take it for a body that has ended
            with failing(ConnectionLost):
                drain(response)


@pytest.mark.parametrize("script", [[CLOSE], [RESET], [b"HTTP/1.1 2"], [b"nonsense\r\n\r\n", CLOSE]])
def test_lost_before_the_head(transport: RequestsTransport, server: LoopbackServer, script: list[Any]) -> None:
    """No head, or half of one, is ConnectionLost: the request may have reached the server."""
    server.on("/", [*script, CLOSE])
    with failing(ConnectionLost) as caught:
        fetch(transport, server, "/")
    assert caught.type is ConnectionLost


def test_a_body_that_cannot_be_decoded(transport: RequestsTransport, server: LoopbackServer) -> None:
    """A body that is not the gzip that it says is a TransportError."""
    server.on("/", [head(content_length=8, content_encoding="gzip"), b"not gzip"])
    with transport.open(request_for(server, "/"), secrets_for(server)) as response, failing(TransportError) as caught:
        drain(response)
    assert caught.type is TransportError


# --- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_redirect_within_the_origin(
    transport: RequestsTransport, server: LoopbackServer, status: int, method: str
) -> None:
    """Redirects are followed with the key; 307 and 308 send the body again, the others make a GET of it."""
    server.on("/old", [head(status, content_length=2, location="/new?b=2"), b"no"])
    server.on("/new", [head(content_length=3), b"yes"])
    pieces = (b'{"contents":[', b"x" * 70_000, b"]}")
    assert fetch(transport, server, "/old?a=1", *pieces) == b"yes"
    _, second = server.received
    assert (second.method, second.target) == (method, "/new?b=2")
    assert second.header("x-goog-api-key") == KEY
    assert second.body == (b"".join(pieces) if method == "POST" else b"")
    assert (second.header("content-type") is not None) == (method == "POST")


def test_redirect_to_another_origin(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Another host or port gets the request without the key."""
    with LoopbackServer() as other:
        server.on("/old", [head(307, content_length=0, location=other.url("/new"))])
        other.on("/new", [head(307, content_length=0, location=server.url("/back"))])
        server.on("/back", [head(content_length=3), b"yes"])
        assert fetch(transport, server, "/old", b"{}") == b"yes"
        (seen,) = other.received
    assert seen.header("x-goog-api-key") is None
    assert KEY not in repr(seen)
    assert (seen.body, seen.header("user-agent")) == (b"{}", "chatproto/1")
    assert server.received[-1].header("x-goog-api-key") == KEY


def test_redirects_that_lead_nowhere(transport: RequestsTransport, server: LoopbackServer) -> None:
    """A loop ends after twenty hops; what is not HTTP is not followed; without a Location it is a response."""
    server.on("/loop", [head(302, content_length=0, location="/loop")])
    with failing(TransportError):
        fetch(transport, server, "/loop", b"{}")
    assert len(server.received) == 21
    for location in ("file:///etc/passwd", "http://[::1", "http://127.0.0.1:99999/", "//"):
        server.on("/odd", [head(302, content_length=0, location=location)])
        with failing(TransportError):
            fetch(transport, server, "/odd")
    server.on("/bare", [head(302, content_length=0)])
    with transport.open(request_for(server, "/bare"), secrets_for(server)) as response:
        assert response.status == 302


# --- connections ----------------------------------------------------------------------------------------------------


def test_a_connection_is_used_again(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Bodies that were read to their end leave the connection for the next request."""
    server.on("/chunked", [head(chunked=True), chunk(b"ab"), chunk()])
    server.on("/length", [head(content_length=2), b"ab"])
    for path in ("/chunked", "/length", "/chunked"):
        assert fetch(transport, server, path) == b"ab"
    assert server.connections == 1


def test_a_head_has_no_body(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Whatever its headers say of one; and at its end, its connection can be used again."""
    server.on("/chunked", [head(chunked=True)])
    server.on("/length", [head(content_length=2)])
    for path in ("/chunked", "/length"):
        with transport.open(request_for(server, path, method="HEAD"), secrets_for(server)) as response:
            assert drain(response) == []
            assert fetch(transport, server, "/chunked", method="HEAD") == b""
    assert server.connections == 1


def test_discard_closes_at_once(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Discarding does not wait for the rest of the body, may be repeated, and the server sees the connection go."""
    server.on("/", [head(chunked=True), chunk(b"ab"), 30.0, CLOSE])
    opened = transport.open(request_for(server, "/"), secrets_for(server))
    response = opened.__enter__()
    assert response.read() == b"ab"
    began = time.monotonic()
    response.discard()
    response.discard()
    assert time.monotonic() - began < 1.0  # the server stalls for 30 s
    assert server.wait_until_idle(2.0)
    with pytest.raises(ConnectionLost):
        response.read()
    opened.__exit__(None, None, None)


def test_leaving_early_closes_too(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Leaving the context manager in the middle of the body does not drain it, and does not pollute the pool."""
    server.on("/", [head(chunked=True), chunk(b"ab"), 30.0, CLOSE])
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        response.read()
    assert server.wait_until_idle(2.0)
    server.on("/", [head(content_length=2), b"cd"])
    assert fetch(transport, server, "/") == b"cd"


@pytest.mark.parametrize("framing", [{"chunked": True}, {"content_length": 99}, {"connection": "close"}])
def test_discard_from_another_thread(
    transport: RequestsTransport, server: LoopbackServer, framing: dict[str, Any]
) -> None:
    """A reader that waits is woken with ConnectionLost, and the one who discards does not wait for it."""
    first = chunk(b"ab") if "chunked" in framing else b"ab"
    server.on("/", [head(**framing), first, 30.0, CLOSE])
    with transport.open(request_for(server, "/"), secrets_for(server)) as response:
        assert response.read() == b"ab"
        outcome: list[object] = []

        def read() -> None:
            try:
                outcome.append(response.read())
            except TransportError as error:
                outcome.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.1)
        began = time.monotonic()
        response.discard()
        assert time.monotonic() - began < 1.0  # the server stalls for 30 s
        reader.join(3.0)
        assert isinstance(outcome[0], ConnectionLost)
    assert server.wait_until_idle(2.0)


def test_many_threads(transport: RequestsTransport, server: LoopbackServer) -> None:
    """Threads share one transport, and each gets its own answer."""

    def answer(received: Received) -> list[Any]:
        return [head(content_length=len(received.body)), received.body]

    server.on("/echo", answer)
    wrong: list[bytes] = []

    def work(number: int) -> None:
        for turn in range(5):
            body = f"{number}-{turn}".encode()
            if fetch(transport, server, "/echo", body) != body:
                wrong.append(body)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(server.received) == 100
    assert server.connections <= 20


def test_cookies_of_its_own_session(transport: RequestsTransport, server: LoopbackServer) -> None:
    """What a server sets is sent back to it, until the server takes it away, also along a redirect."""
    server.on("/set", [head(content_length=0, set_cookie=["a=1; Path=/", "b=2; Path=/"])])
    server.on("/take", [head(307, content_length=0, location="/end", set_cookie="a=; Path=/; Max-Age=0")])
    server.on("/end", [head(content_length=0)])
    for path in ("/end", "/set", "/end", "/take"):
        fetch(transport, server, path, b"{}")
    assert [each.header("cookie") for each in server.received] == [None, None, "a=1; b=2", "a=1; b=2", "b=2"]


# --- a session of the caller's --------------------------------------------------------------------------------------


def test_a_session_that_was_handed_in(server: LoopbackServer) -> None:
    """Its cookies, headers and hooks are honoured, its cookies kept, and closing the transport leaves it open."""
    seen: list[int] = []
    closed: list[bool] = []

    class Session(requests.Session):
        def close(self) -> None:
            closed.append(True)
            super().close()

    session = Session()
    session.headers["x-mine"] = "1"
    session.cookies.set("from", "me")
    session.hooks["response"].append(lambda response, *_, **__: seen.append(response.status_code))
    server.on("/", [head(content_length=2, set_cookie="sent=back"), b"ok"])
    transport = RequestsTransport(session)
    assert fetch(transport, server, "/") == b"ok"
    transport.close()
    assert (seen, closed) == ([200], [])
    assert session.cookies["sent"] == "back"
    (received,) = server.received
    assert (received.header("x-mine"), received.header("cookie")) == ("1", "from=me")
    assert received.header("user-agent") == "chatproto/1"
    session.close()


def test_a_hook_that_reads_the_body(server: LoopbackServer) -> None:
    """What a hook has read is not lost."""
    session = requests.Session()
    session.hooks["response"].append(lambda response, *_, **__: response.content and None)
    server.on("/", [head(content_length=2), b"ok"])
    assert fetch(RequestsTransport(session), server, "/") == b"ok"
    session.close()


def test_an_adapter_that_sees_the_body_pass(server: LoopbackServer) -> None:
    """An adapter may put a file of its own in the place of that of the response, as those do that cache or record."""
    seen: list[bytes] = []

    class Watched:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def read1(self, size: int) -> bytes:
            seen.append(self._file.read1(size))
            return seen[-1]

    class Adapter(HTTPAdapter):
        def build_response(self, req: Any, resp: Any) -> requests.Response:
            resp._fp = Watched(resp._fp)
            return super().build_response(req, resp)

    session = requests.Session()
    session.mount("http://", Adapter())
    server.on("/", [head(chunked=True), chunk(b"ab"), chunk(b"cd"), chunk()])
    transport = RequestsTransport(session)
    assert [fetch(transport, server, "/"), fetch(transport, server, "/")] == [b"abcd", b"abcd"]
    assert b"".join(seen) == b"abcdabcd"
    assert server.connections == 1
    session.close()


def test_a_session_under_vcrpy(transport: RequestsTransport, server: LoopbackServer, tmp_path: Path) -> None:
    """Its responses are not those of urllib3, neither when it records nor when it plays."""
    server.on("/", [head(chunked=True), chunk(b"ab"), chunk(b"cd"), chunk()])
    for _ in range(2):
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")):
            assert fetch(transport, server, "/", b"{}") == b"abcd"
            with requests.Session() as session:
                assert fetch(RequestsTransport(session), server, "/", b"{}") == b"abcd"
    assert len(server.received) == 2


def test_a_session_keeps_its_credentials_at_home(server: LoopbackServer) -> None:
    """Its auth, headers and parameters go to the client's origin, and no further."""
    session = requests.Session()
    session.auth = ("user", "password")
    session.headers["x-token"] = "of-the-session"
    session.params = {"tenant": "1"}
    with LoopbackServer() as other:
        server.on("/old", [head(307, content_length=0, location=other.url("/new?b=2"))])
        other.on("/new", [head(content_length=0)])
        fetch(RequestsTransport(session), server, "/old", b"{}")
        (seen,) = other.received
    assert server.received[0].target == "/old?tenant=1"
    assert server.received[0].header("authorization") is not None
    assert server.received[0].header("x-token") == "of-the-session"
    assert seen.target == "/new?b=2"
    assert (seen.header("authorization"), seen.header("x-token")) == (None, None)
    session.close()


def test_a_hook_that_raises(server: LoopbackServer) -> None:
    """raise_for_status in a hook is a TransportError; another exception of a hook is the program's own."""
    session = requests.Session()
    session.hooks["response"] = [lambda response, *_, **__: response.raise_for_status()]
    server.on("/", [head(503, content_length=0)])
    with failing(TransportError):
        fetch(RequestsTransport(session), server, "/")

    def broken(*_: object, **__: object) -> None:
        raise KeyError("mine")

    session.hooks["response"] = [broken]
    with pytest.raises(KeyError, match="mine"):
        fetch(RequestsTransport(session), server, "/")
    session.close()


def test_context_manager(server: LoopbackServer) -> None:
    """The transport itself can be a ``with`` block."""
    server.on("/", [head(content_length=0)])
    with RequestsTransport() as transport:
        opened: AbstractContextManager[Response] = transport.open(request_for(server, "/"), secrets_for(server))
        with opened as response:
            assert response.status == 200
    with pytest.raises(LocalProtocolError):
        fetch(transport, server, "/")
