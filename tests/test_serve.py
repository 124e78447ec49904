"""Cassettes over HTTP: what a client sees on the wire, how a server ends, and the command."""

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
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests
from gemini_upstream import KEY
from raw_client import ASKED, HEAD, PATH, PIECES, Wire, answer, ask, cassette, chunked

import chatproto
from chatproto.errors import ValidationError
from chatproto.testing.servers import chunk
from chatproto.transport import Secrets, find_transport
from chatproto.wire.http import Request
from chatproto_replay import (
    Cassette,
    CassetteMissing,
    Chunk,
    Failure,
    Player,
    RecordedResponse,
    RequestMismatch,
    UnplayedExchanges,
)
from chatproto_replay.serving.server import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


# --- on the wire ----------------------------------------------------------------------------------------------------


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


def test_a_refused_request(path: Path) -> None:
    """409, an error as the API has them, whose message says by JSON path what differs; and it is raised in the end."""
    cassette(path, answer(*PIECES))
    other = {"contents": [{"role": "user", "parts": [{"text": "ho"}]}]}
    with pytest.raises(RequestMismatch) as caught, Served(path) as served:
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
    from chatproto_replay import rules
    from chatproto_replay.redaction import bodies

    asked = {"contents": [{"parts": [{"text": "on DATE, me@REDACTED"}]}], "generationConfig": {"seed": 1}}
    cassette(path, answer(), asked=asked)
    match = [rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE"), rules.ignore("$..seed")]
    redact = [bodies.Redaction(r"(?<=@)[\w.]+\.com", by="REDACTED")]
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


# --- the command ----------------------------------------------------------------------------------------------------

COMMAND = """
import sys
from chatproto_replay.serving.server import run
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
        f"{path}: 1 exchange played, 0 requests refused; 0 runs finished, 1 unfinished",
        f"  unfinished: 1 of 2 exchanges of {path}",
    ]


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_the_command_after_a_refusal(path: Path) -> None:
    """The report goes to standard error at once, and the exit status is 1."""
    cassette(path, answer())
    with command(path) as (process, url):
        assert ask(url, {}).status_code == 409
        assert process.stderr is not None
        told = [process.stderr.readline()]
        assert "is not the recorded exchange 1 of 1" in told[0]
        while told[-1] != "If the change is meant, record it again, with --mode record.\n":
            told.append(process.stderr.readline())
            assert told[-1]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, "0 exchanges played, 1 request refused; 0 runs finished" in errors) == (1, True)


def test_a_port_that_is_taken(path: Path) -> None:
    """It is said in a sentence that names it."""
    from chatproto_replay.serving.server import run

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
from chatproto_replay.serving.server import Served
try:
    Served({str(path)!r})
except MissingExtraError as error:
    print(error, error.name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'chatproto[aiohttp]' aiohttp" in done.stdout
