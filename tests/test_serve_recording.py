"""The recording proxy, and google-genai as the client that is recorded and played to."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from gemini_upstream import KEY, MODEL, gemini
from google import genai as reference
from google.genai import errors as reference_errors
from google.genai import types as reference_types
from raw_client import ASKED, PATH, PIECES, Wire, ask, chunked

import chatproto
from chatproto.testing import FileServer, LoopbackServer
from chatproto.testing.servers import CLOSE, RESET, chunk, head
from chatproto_replay import (
    Cassette,
    CassetteExhausted,
    CredentialInCassette,
    Player,
)
from chatproto_replay.serving.server import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


#: google-genai inherits from aiohttp's session, and aiohttp warns of that.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


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
    with pytest.raises(CassetteExhausted) as caught, Served(path) as served:
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
