"""Recording over real connections: every ending, through every transport, and what it plays."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from senders import ALL_SENDERS, sending

from chatproto.errors import ConnectFailed, ConnectionLost, TransportError
from chatproto.testing.checks.base import Handshake
from chatproto.testing.checks.callers import AsyncCaller, Caller, SyncCaller
from chatproto.testing.servers import CLOSE, RESET, LoopbackServer, chunk, head
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_replay import Player, Recorder, cassette_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "AIzaSyCanary-1234567890+/abcdef"

ENDINGS: dict[str, tuple[list[Any], str | None]] = {
    "complete": ([head(chunked=True), chunk(b"a"), 0.03, chunk(b"\xc3"), chunk()], "complete"),
    "reset": ([head(chunked=True), chunk(b"a"), 0.1, RESET], "reset"),
    "truncated": ([head(content_length=9), b"a", 0.1, CLOSE], "truncated"),
    "cut between chunks": ([head(chunked=True), chunk(b"a"), 0.1, CLOSE], "truncated"),
    "timeout": ([head(chunked=True), chunk(b"a"), 5.0, CLOSE], "timeout"),
    "an error": ([head(503, content_length=2, retry_after="1"), b"{}"], "complete"),
    "no head": ([CLOSE], None),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server on loopback."""
    with LoopbackServer() as running:
        yield running


@pytest.fixture
def caller(sender: str, path: Path) -> Iterator[Caller]:
    """A program that sends through a recorder."""
    with sending(sender, partial(Recorder, path=path)) as made:
        yield made


def exchange_in(path: Path) -> Any:
    """The one exchange of a file that keeps to the schema."""
    document = json.loads(path.read_text("utf-8"))
    Draft202012Validator(cassette_schema()).validate(document)
    (exchange,) = document["exchanges"]
    return exchange


def secrets_for(request: Request) -> Secrets:
    """The key, for where this request goes."""
    return Secrets({"x-goog-api-key": KEY}, url=request.url)


def fetched(caller: Caller, request: Request) -> tuple[Any, ...]:
    """What a program sees of an exchange, whichever kind of transport it uses."""
    got: list[bytes] = []
    try:
        with caller.open(request, secrets_for(request)) as response:
            status = response.status
            got.extend(iter(response.read, b""))
    except TransportError as error:
        return b"".join(got), type(error), str(error)
    return status, b"".join(got), None, ""


@contextmanager
def played(path: Path, kind: type[Caller]) -> Iterator[Caller]:
    """A program that plays the cassette."""
    caller: Any = kind(lambda: Player(path))  # type: ignore[call-arg]
    yield caller
    caller.close()
    caller.finish()


@ALL_SENDERS
@pytest.mark.parametrize("ending", ENDINGS)
def test_over_a_real_connection(path: Path, server: LoopbackServer, caller: Caller, ending: str) -> None:
    """L10, L14: recorded from a socket, through any transport, the end is named for what happened, and plays the same,
    sync and async. The host is not written.
    """
    script, end = ENDINGS[ending]
    server.on("/v1", script)
    request = Request(method="POST", url=server.url("/v1"), body=(b"{}",), timeout=1 if ending == "timeout" else 10)
    live = fetched(caller, request)
    recorder: Recorder = caller.transport
    caller.close()
    assert (recorder.recorded, recorder.mode, recorder.played, recorder.left, recorder.slept) == (1, "record", 0, 0, [])
    exchange = exchange_in(path)
    if end is not None:
        assert exchange["response"]["end"] == end
    else:
        assert exchange["response"] is None
        assert exchange["failure"]["kind"] == "connection_lost"
    assert "127.0.0.1" not in path.read_text()
    for kind in (SyncCaller, AsyncCaller):
        with played(path, kind) as player:
            again = fetched(player, request)
        assert again[:-1] == live[:-1]
        assert again[-1] == live[-1].replace("127.0.0.1", "HOST")


@ALL_SENDERS
def test_a_refused_connection(path: Path, caller: Caller) -> None:
    """L14: without any answer there is still something to record."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    request = Request(method="POST", url=f"http://127.0.0.1:{port}/v1", timeout=5)
    kind = fetched(caller, request)[1]
    assert kind is ConnectFailed
    with played(path, SyncCaller) as player:
        assert fetched(player, request)[1] is ConnectFailed


@ALL_SENDERS
@pytest.mark.parametrize("way", ["discard", "exit"])
def test_a_response_that_is_given_up(path: Path, server: LoopbackServer, caller: Caller, way: str) -> None:
    """L14: what had arrived of it plays the same, and is not taken for the whole."""
    server.on("/v1", [head(chunked=True), chunk(b"a"), 5.0, CLOSE])
    request = Request(method="POST", url=server.url("/v1"), timeout=5)
    with caller.open(request, secrets_for(request)) as response:
        assert response.read() == b"a"
        if way == "discard":
            response.discard()
    response = exchange_in(path)["response"]
    assert response["end"] == "abandoned"
    with played(path, SyncCaller) as player:
        assert fetched(player, request)[:2] == (b"a", ConnectionLost)


@ALL_SENDERS
def test_the_first_byte_is_not_delayed(path: Path, server: LoopbackServer, caller: Caller) -> None:
    """The server sends each piece only when the program has the one before; times between them are recorded."""
    handshake = Handshake()
    pieces = [head(chunked=True) + chunk(b"one"), chunk(b"two"), chunk(b"three")]
    server.on("/v1", handshake.script(*pieces, ending=chunk()))
    request = Request(method="POST", url=server.url("/v1"), timeout=5)
    got: list[bytes] = []
    with handshake.shaking(), caller.open(request, secrets_for(request)) as response:
        while data := response.read():
            got.append(data)
            time.sleep(0.03)
            handshake.taken.release()
    assert got == [b"one", b"two", b"three"]
    chunks = exchange_in(path)["response"]["chunks"]
    assert [data for _, data in chunks] == ["one", "two", "three"]
    assert all(25 <= delay < 2000 for delay, _ in chunks[1:])
