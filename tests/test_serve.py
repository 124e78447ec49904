"""Cassettes over HTTP: what a client sees on the wire, with google-genai and without; and the recording proxy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from gemini_upstream import KEY, MODEL, gemini
from google import genai as reference
from google.genai import errors as reference_errors
from google.genai import types as reference_types

import chatproto
from chatproto.errors import ValidationError
from chatproto.testing import FileServer, LoopbackServer
from chatproto.testing.servers import CLOSE, RESET, chunk, head
from chatproto.transport import Secrets, find_transport
from chatproto.wire.http import Request
from chatproto_replay import (
    Body,
    Cassette,
    CassetteMissing,
    Chunk,
    CredentialInCassette,
    Exchange,
    Failure,
    Player,
    RecordedRequest,
    RecordedResponse,
    RequestMismatch,
    UnplayedExchanges,
)
from chatproto_replay.server import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: google-genai inherits from aiohttp's session, and aiohttp warns of that.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

PATH = "/v1beta/models/m:streamGenerateContent"
ASKED = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


def cassette(path: Path, *responses: RecordedResponse | Failure, asked: Any = ASKED) -> Path:
    """A cassette in which one request is asked again and again."""
    request = RecordedRequest(method="POST", path=PATH, query=(("alt", "sse"),), body=Body("json", asked))
    exchanges = tuple(
        Exchange(request=request, failure=each)
        if isinstance(each, Failure)
        else Exchange(request=request, response=each)
        for each in responses
    )
    Cassette(exchanges=exchanges).save(path)
    return path


def answer(*chunks: bytes, delay: int = 0, **more: Any) -> RecordedResponse:
    """A recorded answer."""
    headers = (("content-type", "text/event-stream"),)
    return RecordedResponse(
        **{"status": 200, "headers": headers, **more}, chunks=tuple(Chunk(delay, c) for c in chunks)
    )


# --- on the wire ----------------------------------------------------------------------------------------------------


class Wire:
    """A raw connection to a server, which has sent the request of the cassette."""

    def __init__(self, url: str, *, version: str = "1.1", headers: str = "", target: str = f"{PATH}?alt=sse") -> None:
        port = int(url.rpartition(":")[2])
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.target, self.version, self.headers = target, version, headers
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        body = json.dumps(ASKED).encode()
        lines = (
            f"POST {self.target} HTTP/{self.version}\r\nhost: here\r\n{self.headers}content-length: {len(body)}\r\n\r\n"
        )
        self.connection.sendall(lines.encode() + body)
        self.began = time.monotonic()

    def until(self, marker: bytes) -> bytes:
        """What comes, to the end of ``marker``."""
        got = b""
        while not got.endswith(marker):
            data = self.connection.recv(1)
            assert data, got
            got += data
        return got

    def rest(self) -> bytes:
        """What comes until the end; a reset is raised."""
        got = b""
        while data := self.connection.recv(65536):
            got += data
        return got

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def chunked(*chunks: bytes) -> bytes:
    """A body as it stands on the wire, without the last chunk."""
    return b"".join(map(chunk, chunks))


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECES = (b"data: 1\r", b"\n\r\ndata: \xc3", b"\xa9")


def test_chunks_are_on_the_wire_as_they_were_recorded(path: Path) -> None:
    """Status, headers and each chunk, no header beside them; and the connection can be used again."""
    cassette(path, answer(*PIECES), answer(status=503, headers=()))
    with Served(path) as served, Wire(served.url) as wire:
        assert wire.until(b"\r\n0\r\n\r\n") == HEAD + chunked(*PIECES) + chunk()
        wire.ask()
        whole = b"HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert wire.until(b"\r\n0\r\n\r\n") == whole


def test_recorded_time(path: Path) -> None:
    """With a pace, each chunk comes when it came, times that number, and never before; the head comes at once."""
    cassette(path, RecordedResponse(status=200, chunks=(Chunk(100, b"a"), Chunk(20, b"b"), Chunk(200, b"c"))))
    for pace in (1.0, 0.25):
        with Served(path, pace=pace) as served, Wire(served.url) as wire:
            wire.until(b"\r\n\r\n")
            moments = [time.monotonic() - wire.began]
            for data in (b"a", b"b", b"c"):
                wire.until(chunk(data))
                moments.append(time.monotonic() - wire.began)
            assert wire.until(b"\r\n\r\n") == chunk()
        due = [0.0, 0.1 * pace, 0.12 * pace, 0.32 * pace]
        assert all(moment >= earliest for moment, earliest in zip(moments, due, strict=True)), (moments, due)
        assert moments[0] < 0.1, "the head waited for the first chunk"
        assert moments[3] < due[3] + 0.3


def test_without_a_pace_nothing_waits(path: Path) -> None:
    """An hour of recorded time takes none."""
    cassette(path, answer(*PIECES, delay=1_200_000))
    with Served(path) as served, Wire(served.url) as wire:
        wire.until(b"\r\n0\r\n\r\n")
        assert time.monotonic() - wire.began < 2


@pytest.mark.parametrize("end", ["truncated", "abandoned"])
def test_a_truncated_body(path: Path, end: Any) -> None:
    """The connection is closed without the last chunk."""
    cassette(path, answer(*PIECES, end=end))
    with Served(path) as served, Wire(served.url) as wire:
        assert wire.rest() == HEAD + chunked(*PIECES)


def test_a_reset_body(path: Path) -> None:
    """The connection is reset, after all that was recorded has arrived, however much that is."""
    large = bytes(1_000_000)
    cassette(path, answer(*PIECES, end="reset"), answer(large, large, end="reset"))
    with Served(path) as served:
        with Wire(served.url) as wire:
            assert wire.until(chunked(*PIECES)) == HEAD + chunked(*PIECES)
            with pytest.raises(ConnectionResetError):
                wire.rest()
        with Wire(served.url) as wire:
            expected = HEAD + chunked(large, large)
            got = b""
            while len(got) < len(expected):
                got += wire.connection.recv(65536)
            assert got == expected
            with pytest.raises(ConnectionResetError):
                wire.rest()


def test_a_stalled_body(path: Path) -> None:
    """Nothing more comes until the client leaves; and the server can be closed while one waits."""
    cassette(path, answer(*PIECES, end="timeout"), Failure(kind="timed_out", message="too slow"))
    with Served(path) as served, Wire(served.url) as wire:
        wire.until(chunked(*PIECES))
        wire.connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            wire.connection.recv(1)
        with Wire(served.url) as other:
            other.connection.settimeout(0.3)
            with pytest.raises(TimeoutError):
                other.connection.recv(1)
            began = time.monotonic()
            served.close()
            assert time.monotonic() - began < 3
            assert other.rest() == b""


def test_no_answer(path: Path) -> None:
    """A request that was not answered when it was recorded finds the connection closed."""
    cassette(path, Failure(kind="connect_failed", message="no route"))
    with Served(path) as served, Wire(served.url) as wire:
        assert wire.rest() == b""


def test_old_http(path: Path) -> None:
    """HTTP/1.0 has no chunks: there the end of the connection is the end of the body."""
    cassette(path, answer(*PIECES))
    with Served(path) as served, Wire(served.url, version="1.0", headers="connection: keep-alive\r\n") as wire:
        assert wire.rest().endswith(b"\r\n\r\n" + b"".join(PIECES))


def test_a_request_target_of_a_proxy(path: Path) -> None:
    """The absolute form is understood."""
    cassette(path, answer(*PIECES))
    with Served(path) as served, Wire(served.url, target=f"http://somewhere{PATH}?alt=sse") as wire:
        assert wire.until(b"\r\n0\r\n\r\n").startswith(HEAD)


def test_the_status(path: Path) -> None:
    """``GET /`` says what has happened, as JSON."""
    cassette(path, answer(*PIECES), answer())
    with pytest.raises(UnplayedExchanges), Served(path) as served:
        with Wire(served.url) as wire:
            wire.until(b"\r\n0\r\n\r\n")
        got = requests.get(served.url, timeout=10).json()
        assert got == served.status
    assert got == {
        "mode": "replay",
        "played": 1,
        "refused": 0,
        "takes": {"finished": 0, "unfinished": [{"cassette": str(path), "played": 1, "exchanges": 2}]},
        "cassettes": [{"name": str(path), "exchanges": 2, "takes": 1}],
    }


# --- the end of it --------------------------------------------------------------------------------------------------


def ask(url: str, document: Any = ASKED, **options: Any) -> requests.Response:
    """Post a document."""
    return requests.post(f"{url}{PATH}", params={"alt": "sse"}, json=document, timeout=10, **options)


def test_a_refused_request(path: Path) -> None:
    """409, an error as the API has them, whose message says by JSON path what differs; and it is raised in the end."""
    cassette(path, answer(*PIECES))
    other = {"contents": [{"role": "user", "parts": [{"text": "ho"}]}]}
    with pytest.raises(RequestMismatch) as caught, Served(path) as served:
        assert ask(served.url).status_code == 200
        got = ask(served.url, other)
        assert (got.status_code, got.headers["content-type"]) == (409, "application/json; charset=utf-8")
        assert served.refused == 1
    error = got.json()["error"]
    assert (error["code"], error["status"], error["message"]) == (409, "ABORTED", str(caught.value))
    assert '$.contents[0].parts[0].text: recorded "hi", now "ho"' in error["message"]


def test_an_exception_passes_with_a_note_of_what_was_refused(path: Path) -> None:
    """It says more than that requests were refused or not asked for; but those may be its cause."""
    with pytest.raises(ZeroDivisionError) as caught, Served(cassette(path, answer())) as served:
        ask(served.url, {})
        raise ZeroDivisionError
    assert "$.contents: recorded" in caught.value.__notes__[0]
    with pytest.raises(ZeroDivisionError) as caught, Served(path):
        raise ZeroDivisionError
    assert not hasattr(caught.value, "__notes__")


def test_closing(path: Path) -> None:
    """It stops listening, ends its thread, and raises once."""
    before = threading.active_count()
    served = Served(cassette(path, answer()))
    assert threading.active_count() == before + 1
    with pytest.raises(UnplayedExchanges, match="nothing of it was asked for"):
        served.close()
    served.close()
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        ask(served.url)
    with pytest.raises(chatproto.errors.LocalProtocolError), served:
        pass


def test_wrong_arguments(path: Path) -> None:
    """They are found before anything listens."""
    before = threading.active_count()
    with pytest.raises(CassetteMissing):
        Served(path)
    with pytest.raises(ValidationError, match="mode: expected one of"):
        Served(path, mode="played")
    for upstream in ("generativelanguage.googleapis.com", "https://host/v1beta", "ftp://host", "https://u:secret@host"):
        with pytest.raises(ValidationError, match="upstream: expected") as caught:
            Served(path, mode="record", upstream=upstream)
        assert "secret" not in str(caught.value)
    assert threading.active_count() == before


def test_rules(path: Path) -> None:
    """What may differ, and what was redacted, is as for a Player."""
    from chatproto_replay import redacting, rules

    asked = {"contents": [{"parts": [{"text": "on DATE, me@REDACTED"}]}], "generationConfig": {"seed": 1}}
    cassette(path, answer(), asked=asked)
    match = [rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE"), rules.ignore("$..seed")]
    redact = [redacting.Redaction(r"(?<=@)[\w.]+\.com", by="REDACTED")]
    now = {"contents": [{"parts": [{"text": "on 2026-11-27, me@example.com"}]}], "generationConfig": {"seed": 2}}
    with Served(path, match=match, redact=redact) as served:
        assert ask(served.url, now).status_code == 200
    with pytest.raises(RequestMismatch), Served(path) as served:
        assert ask(served.url, now).status_code == 409


# --- every transport ------------------------------------------------------------------------------------------------

Ending = tuple[int, bytes, str]


def _synchronously(transport: Any, request: Any, secrets: Any) -> Ending:
    status, got = 0, b""
    try:
        with transport.open(request, secrets) as response:
            status = response.status
            while data := response.read():
                got += data
    except chatproto.errors.TransportError as error:
        return status, got, type(error).__name__
    return status, got, ""


def _asynchronously(transport: Any, request: Any, secrets: Any) -> Ending:
    async def run() -> Ending:
        status, got = 0, b""
        try:
            async with transport.aopen(request, secrets) as response:
                status = response.status
                while data := await response.aread():
                    got += data
        except chatproto.errors.TransportError as error:
            return status, got, type(error).__name__
        finally:
            await transport.aclose()
        return status, got, ""

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["requests", "httpx", "aiohttp"])
def test_every_transport_gets_what_a_player_gives(path: Path, name: str) -> None:
    """Laws L10 and L14: status, bytes, and how it ended, from the wire as without one."""
    endings: list[Any] = ["complete", "reset", "truncated", "abandoned"]
    cassette(
        path,
        *(answer(*PIECES, end=end, delay=20) for end in endings),
        answer(status=429, headers=(("retry-after", "3"),)),
        answer(b"{}", status=503),
        Failure(kind="connection_lost", message="gone"),
    )
    total = len(Cassette.load(path).exchanges)

    def ask(base: str) -> Any:
        body = json.dumps(ASKED).encode()
        url = f"{base}{PATH}?alt=sse"
        return Request(method="POST", url=url, body=(body,), timeout=10), Secrets({"x-goog-api-key": KEY}, url=base)

    with Player(path) as player:
        expected = [_synchronously(player, *ask("https://generativelanguage.googleapis.com")) for _ in range(total)]
    with Served(path, pace=1) as served:
        got: list[Ending] = []
        for _ in range(total):
            transport = find_transport(name)
            if name == "aiohttp":
                got.append(_asynchronously(transport, *ask(served.url)))
                continue
            got.append(_synchronously(transport, *ask(served.url)))
            transport.close()
    assert got == expected


# --- google-genai ---------------------------------------------------------------------------------------------------

Said = list[Any]


def _config(url: str, **options: Any) -> dict[str, Any]:
    return {"api_key": KEY, "http_options": reference_types.HttpOptions(base_url=url, **options)}


def with_sync(url: str) -> Said:
    """Two turns of a chat, of which the second is streamed, and an error; synchronously, which is httpx."""
    with reference.Client(**_config(url)) as client:
        chat = client.chats.create(model=MODEL)
        got: Said = [chat.send_message("Hello").text]
        got.append([piece.text for piece in chat.send_message_stream("Tell me.")])
        try:
            client.models.generate_content(model=MODEL, contents="Too much.")
        except reference_errors.ClientError as error:
            got.append((error.code, error.status, error.message, error.response.headers["retry-after"]))
        return got


async def _awaited(client: Any) -> Said:
    async with client.aio as asynchronous:
        chat = asynchronous.chats.create(model=MODEL)
        got: Said = [(await chat.send_message("Hello")).text]
        got.append([piece.text async for piece in await chat.send_message_stream("Tell me.")])
        try:
            await asynchronous.models.generate_content(model=MODEL, contents="Too much.")
        except reference_errors.ClientError as error:
            got.append((error.code, error.status, error.message, error.response.headers["retry-after"]))
        return got


def with_aiohttp(url: str) -> Said:
    """The same with asyncio: over aiohttp, which it uses where it is installed."""

    async def run() -> Said:
        return await _awaited(reference.Client(**_config(url)))

    return asyncio.run(run())


def with_async_httpx(url: str) -> Said:
    """The same with asyncio over httpx, which a client of one's own selects."""
    import httpx

    async def run() -> Said:
        async with httpx.AsyncClient() as own:
            return await _awaited(reference.Client(**_config(url, httpx_async_client=own)))

    return asyncio.run(run())


EXPECTED: Said = [
    "You said: Hello",
    ["One, ", "two, ", "three: ", "é Tell me."],
    (429, "RESOURCE_EXHAUSTED", "Slow down.", "7"),
]
CLIENTS = [with_sync, with_aiohttp, with_async_httpx]


@contextmanager
def recording(path: Path, **options: Any) -> Iterator[Served]:
    """A recording proxy in front of the stand-in for Google's server, which is gone afterwards."""
    with gemini() as upstream, Served(path, mode="record", upstream=upstream.url(""), **options) as proxy:
        yield proxy


@pytest.mark.parametrize("client", CLIENTS)
def test_google_genai_is_recorded_and_played(path: Path, client: Callable[[str], Said]) -> None:
    """Over each of its HTTP clients, unary, streamed and failing; played twice from one recording (law L14)."""
    with recording(path) as proxy:
        assert client(proxy.url) == EXPECTED
    with Served(path) as served:
        assert client(served.url) == EXPECTED
        assert client(served.url) == EXPECTED
        assert served.status["takes"] == {"finished": 2, "unfinished": []}


def test_several_programs_at_once(path: Path) -> None:
    """Each gets its own run from one recording that another client made, though all have the same key."""
    with recording(path) as proxy:
        with_sync(proxy.url)
    got: list[Said] = []
    with Served(path) as served:
        threads = [
            threading.Thread(target=lambda client: got.append(client(served.url)), args=(client,))
            for client in CLIENTS * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [EXPECTED] * 6


def test_what_google_genai_recorded_chatproto_plays(path: Path) -> None:
    """The same chat over chatproto sends the same requests, and a Player gives it the same answers (law L14)."""
    with recording(path) as proxy:
        with_sync(proxy.url)
    with Player(path) as player, chatproto.Client(api_key="any", transport=player, compat="google-genai") as client:
        chat = client.chats.create(model=MODEL)
        assert chat.send_message("Hello").text == EXPECTED[0]
        assert [piece.text for piece in chat.send_message_stream("Tell me.")] == EXPECTED[1]
        with pytest.raises(chatproto.errors.ClientError, match="Slow down"):
            client.models.generate_content(model=MODEL, contents="Too much.")


def test_what_chatproto_recorded_google_genai_plays(path: Path) -> None:
    """And the other way round."""
    with recording(path) as proxy, chatproto.Client(api_key=KEY, http_options={"base_url": proxy.url}) as client:
        chat = client.chats.create(model=MODEL)
        chat.send_message("Hello")
        list(chat.send_message_stream("Tell me."))
        with pytest.raises(chatproto.errors.ClientError):
            client.models.generate_content(model=MODEL, contents="Too much.")
    with Served(path) as served:
        assert with_aiohttp(served.url) == EXPECTED


PROGRAM = f"""
from google import genai

client = genai.Client()
chat = client.chats.create(model={MODEL!r})
print(chat.send_message("Hello").text)
for piece in chat.send_message_stream("Tell me."):
    print(ascii(piece.text))
print(len(chat.get_history()))
"""


def test_a_program_is_recorded_without_a_change(path: Path) -> None:
    """It knows nothing of recording: the environment tells it where the server is. Played, its output is the same."""

    def run(url: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE", "GEMINI"))}
        environment |= {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": KEY}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with recording(path) as proxy:
        recorded = run(proxy.url)
    assert recorded.startswith("You said: Hello\n'One, '\n'two, '\n")
    with Served(path) as served:
        assert run(served.url) == recorded


# --- the recording proxy --------------------------------------------------------------------------------------------


def test_chunks_pass_when_they_come_and_are_recorded_so(path: Path) -> None:
    """At the boundaries and at the time at which the upstream server sent them; its headers pass, too."""
    with LoopbackServer() as upstream:
        acts: list[Any] = [head(chunked=True, content_type="text/event-stream", x_team="one", server="upstream")]
        for piece in PIECES:
            acts += [0.15, chunk(piece)]
        upstream.on(PATH, [*acts, chunk()])
        with Served(path, mode="record", upstream=upstream.url("")) as proxy, Wire(proxy.url) as wire:
            moments: list[float] = []
            assert wire.until(b"\r\n\r\n").count(b"x-team: one\r\nserver: upstream\r\n") == 1
            for piece in PIECES:
                wire.until(chunk(piece))
                moments.append(time.monotonic() - wire.began)
            wire.until(chunk())
        (seen,) = upstream.received
    assert [moment > 0.15 * number for number, moment in enumerate(moments, start=1)] == [True] * 3
    assert moments[0] < 0.3, "the first chunk waited for the others"
    assert seen.target == f"{PATH}?alt=sse"
    assert (seen.header("accept-encoding"), json.loads(seen.body)) == ("identity", ASKED)
    (exchange,) = Cassette.load(path).exchanges
    assert exchange.response is not None
    assert [each.data for each in exchange.response.chunks] == list(PIECES)
    assert exchange.response.headers == (("content-type", "text/event-stream"),)
    assert all(each.delay >= 100 for each in exchange.response.chunks)


@pytest.mark.parametrize(("act", "end"), [(RESET, "reset"), (CLOSE, "truncated")])
def test_failures_pass_and_are_recorded(path: Path, act: Any, end: str) -> None:
    """A connection that upstream resets or closes ends so for the client, then, and when it is played."""

    def ending(url: str) -> bytes | None:
        with Wire(url) as wire:
            wire.until(chunked(*PIECES))
            try:
                return wire.rest()
            except ConnectionResetError:
                return None

    with LoopbackServer() as upstream:
        spaced = [each for piece in PIECES for each in (chunk(piece), 0.1)]
        upstream.on(PATH, [head(chunked=True), *spaced, act])
        with Served(path, mode="record", upstream=upstream.url("")) as proxy:
            recorded = ending(proxy.url)
    assert recorded == (None if end == "reset" else b"")
    (exchange,) = Cassette.load(path).exchanges
    assert exchange.response is not None
    assert exchange.response.end == end
    with Served(path) as served:
        assert ending(served.url) == recorded


def test_an_upstream_that_is_not_there(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The client finds its connection closed, and so does one that plays it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Served(path, mode="record", upstream=f"http://127.0.0.1:{port}") as proxy, Wire(proxy.url) as wire:
        assert wire.rest() == b""
    (exchange,) = Cassette.load(path).exchanges
    assert exchange.failure is not None
    assert exchange.failure.kind == "connect_failed"
    with Served(path) as served, Wire(served.url) as wire:
        assert wire.rest() == b""


def test_a_client_that_leaves(path: Path) -> None:
    """The upstream server learns of it at once, and what had come is recorded as abandoned."""
    with LoopbackServer() as upstream:
        upstream.on(PATH, [head(chunked=True), chunk(b"a"), 30.0])
        with Served(path, mode="record", upstream=upstream.url("")) as proxy:
            with Wire(proxy.url) as wire:
                wire.until(chunk(b"a"))
            assert upstream.wait_until_idle(5), "the connection to the upstream server is open still"
    (exchange,) = Cassette.load(path).exchanges
    assert exchange.response is not None
    assert (exchange.response.content, exchange.response.end) == (b"a", "abandoned")


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("awaited", [False, True])
def test_an_upload_through_the_proxy(path: Path, tmp_path: Path, *, elsewhere: bool, awaited: bool) -> None:
    """The URL for its bytes leads through the proxy, also where they go to another host; and it can be played."""
    document = tmp_path / "document.txt"
    document.write_bytes(b"The text of a document. " * 1000)

    def upload(url: str) -> Any:
        client = reference.Client(**_config(url))
        if not awaited:
            return client.files.upload(file=document, config={"mime_type": "text/plain"}).name

        async def run() -> Any:
            async with client.aio as asynchronous:
                return (await asynchronous.files.upload(file=document, config={"mime_type": "text/plain"})).name

        return asyncio.run(run())

    with FileServer() as upstream, FileServer() as other:
        if elsewhere:
            upstream.upload_base = other.base_url
            other.start({"name": "files/made-1", "mimeType": "text/plain"})
        with Served(path, mode="record", upstream=upstream.base_url.rstrip("/")) as proxy:
            name = upload(proxy.url)
        assert bytes((other if elsewhere else upstream).files[name].content) == document.read_bytes()
        assert [seen.header("x-goog-api-key") for seen in other.requests] == [None] * len(other.requests)
    assert KEY not in path.read_text()
    with Served(path) as served:
        assert upload(served.url) == name
        assert upload(served.url) == name


def test_record_missing_and_live(path: Path) -> None:
    """What is there is played, what is not is sent and recorded; live, all is sent and nothing recorded."""
    with recording(path) as proxy, reference.Client(**_config(proxy.url)) as client:
        client.chats.create(model=MODEL).send_message("Hello")
    with gemini() as upstream:
        with Served(path, mode="record-missing", upstream=upstream.url("")) as proxy:
            assert with_sync(proxy.url) == EXPECTED
            assert (proxy.mode, proxy.status["played"], proxy.status["recorded"]) == ("record-missing", 1, 2)
        assert len(upstream.received) == 2
        before = path.read_bytes()
        with Served(path, mode="live", upstream=upstream.url("")) as proxy:
            assert with_sync(proxy.url) == EXPECTED
        assert len(upstream.received) == 5
    assert path.read_bytes() == before


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["x-goog-api-key", "authorization", "key"])
def test_no_credential_is_kept(
    path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """Law L15: however it is sent, it reaches the upstream server in a header, and nothing else has it."""
    sent: dict[str, Any] = {"params": {"alt": "sse", "key": KEY}} if place == "key" else {}
    if place != "key":
        sent = {"params": {"alt": "sse"}, "headers": {place: f"Bearer {KEY}" if place == "authorization" else KEY}}
    shown: list[str] = []
    caplog.set_level(0)

    def post(served: Served, document: Any) -> requests.Response:
        shown.append(repr(served) + repr(vars(served)) + repr(vars(served._source)))
        got = requests.post(f"{served.url}{PATH}", json=document, timeout=10, **sent)
        shown.append(got.text + json.dumps(dict(got.headers)) + json.dumps(served.status))
        return got

    with LoopbackServer() as upstream:
        upstream.on(PATH, [head(content_length=0)])
        with Served(path, mode="record", upstream=upstream.url("")) as proxy:
            assert post(proxy, ASKED).status_code == 200
        (seen,) = upstream.received
    assert (KEY in seen.target, any(KEY in value for _, value in seen.headers)) == (False, True)
    with pytest.raises(RequestMismatch) as caught, Served(path) as served:
        assert post(served, ASKED).status_code == 200
        assert post(served, {"contents": [{"parts": [{"text": f"my key is {KEY}"}]}]}).status_code == 409
        assert "withheld" in shown[-1]
        shown.append(served._source.summary())
        for line in (
            f"/a?key={KEY} HTTP/1.1\r\nhost: h\r\nx-goog-api-key {KEY}\r\n\r\n",
            f"{KEY}\x00 HTTP/1.1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=10) as connection:
                connection.sendall(f"GET {line}".encode())
                assert connection.recv(65536).startswith(b"HTTP/1.")
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    report.stack[:] = [frame for frame in report.stack if frame.filename != __file__]  # this one has the key
    logged = [caplog.handler.format(each) for each in caplog.records if not each.name.startswith("urllib3")]
    everything = [*shown, *report.format(), *logged, path.read_text(), *capfd.readouterr()]
    assert [text for text in everything if KEY in text] == []


def test_a_credential_in_a_body_is_not_recorded(path: Path) -> None:
    """The request is refused before it is sent, and so is every one after it."""
    with LoopbackServer() as upstream:
        upstream.on(PATH, [head(content_length=0)])
        with (
            pytest.raises(CredentialInCassette),
            Served(path, mode="record", upstream=upstream.url("")) as proxy,
        ):
            headers = {"x-goog-api-key": KEY}
            got = ask(proxy.url, {"contents": [{"parts": [{"text": KEY}]}]}, headers=headers)
            assert (got.status_code, got.json()["error"]["status"], KEY in got.text) == (409, "ABORTED", False)
            assert ask(proxy.url, headers=headers).status_code == 409
        assert upstream.received == []
    assert not path.exists()


# --- the command ----------------------------------------------------------------------------------------------------

COMMAND = """
import sys
from chatproto_replay.server import run
sys.exit(run(sys.argv[1], port=int(sys.argv[2]), announce=lambda url: print(url, flush=True)))
"""


@contextmanager
def command(path: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``run`` in a process of its own, and the URL that it announced."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(path), str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command(path: Path, number: int) -> None:
    """It announces its URL, and on a signal sums up and exits with 0, though a take was not finished."""
    cassette(path, answer(*PIECES), answer())
    with command(path) as (process, url):
        assert ask(url).content == b"".join(PIECES)
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "")
    assert errors.splitlines() == [
        f"{path}: 1 exchanges played, 0 requests refused; 0 takes finished, 1 unfinished",
        f"  unfinished: 1 of 2 exchanges of {path}",
    ]


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_the_command_after_a_refusal(path: Path) -> None:
    """The report goes to standard error at once, and the exit status is 1."""
    cassette(path, answer())
    with command(path) as (process, url):
        assert ask(url, {}).status_code == 409
        assert process.stderr is not None
        assert "is not the recorded exchange 1 of 1" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, "1 requests refused" in errors) == (1, True)


def test_a_port_that_is_taken(path: Path) -> None:
    """It is said in a sentence that names it."""
    from chatproto_replay.server import run

    cassette(path, answer())
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValidationError, match=f"port: cannot listen on 127.0.0.1:{port}: "):
            run(path, port=port, announce=lambda _: None)


def test_without_aiohttp(path: Path) -> None:
    """The extra is named."""
    cassette(path, answer())
    program = f"""
import sys
sys.modules["aiohttp"] = None
from chatproto.errors import MissingExtraError
from chatproto_replay.server import Served
try:
    Served({str(path)!r})
except MissingExtraError as error:
    print(error, error.name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'chatproto[aiohttp]' aiohttp" in done.stdout
