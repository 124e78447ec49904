"""What transports, servers and connectors say of themselves: what they play or record, how far they are, and no key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from chatproto.errors import ValidationError
from chatproto.testing import FunctionTransport, LoopbackServer
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_replay import (
    Body,
    Cassette,
    Exchange,
    Faulty,
    Player,
    RecordedRequest,
    RecordedResponse,
    Recorder,
    Served,
    aiohttp_connector,
    as_httpx_transport,
    boundaries,
    faults,
    httpx2_transport,
    httpx_transport,
    use_cassette,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY = "no-key-of-anyone-0123456789"
PATH = "/v1beta/models/m:generateContent"
SECRETS = Secrets({"x-goog-api-key": KEY}, url="https://h")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette of two exchanges."""
    exchanges = [
        Exchange(
            request=RecordedRequest(method="POST", path=PATH, body=Body("json", {"contents": number})),
            response=RecordedResponse(status=200),
        )
        for number in range(2)
    ]
    Cassette(exchanges=tuple(exchanges)).save(tmp_path / "chat.json")
    return tmp_path / "chat.json"


def ask(transport: Any, number: int = 0) -> None:
    """One request, with a key."""
    request = Request(method="POST", url=f"https://h{PATH}", body=(b'{"contents": %d}' % number,))
    with transport.open(request, SECRETS) as response:
        while response.read():
            pass


def test_players_and_recorders(path: Path) -> None:
    """Path and counts, before and after a request (law L15: no key)."""
    player = Player(path)
    assert repr(player) == f"<Player {str(path)!r}: 0 played, 2 left>"
    ask(player)
    assert repr(player) == f"<Player {str(path)!r}: 1 played, 1 left>"
    faulty = Faulty(Player(path), faults.cut(at=0), faults.status(429, exchange=2))
    assert repr(faulty) == f"<Faulty <Player {str(path)!r}: 0 played, 2 left>: 2 faults, 0 happened>"
    inner = FunctionTransport(lambda _: {})
    assert repr(Faulty(inner, faults.cut(at=0))) == "<Faulty FunctionTransport: 1 fault, 0 happened>"
    with pytest.raises(ValidationError):
        Faulty(player, "cut")  # type: ignore[arg-type]
    assert repr(use_cassette(path, mode="live")) == "<Live: nothing sent yet>"
    assert repr(use_cassette(path, mode="live", inner="httpx")) == "<Live: httpx>"


def test_what_is_recorded_is_counted(path: Path) -> None:
    """By a recorder, and by one that records what is missing."""
    missing = use_cassette(path, mode="record-missing", inner=FunctionTransport(lambda _: "hi"))
    ask(missing)
    ask(missing, 5)
    assert repr(missing) == f"<MissingRecorder {str(path)!r}: 1 played, 1 recorded, 1 left>"
    other = path.with_name("other.json")
    recorder = Recorder(FunctionTransport(lambda _: "hi"), other)
    ask(recorder)
    assert repr(recorder) == f"<Recorder {str(other)!r}: 1 recorded>"
    recorder.close()


def test_adapters(path: Path) -> None:
    """The library, and what is behind it."""
    for make, library in ((httpx_transport, "httpx"), (httpx2_transport, "httpx2")):
        assert repr(make(path)) == f"<{library} transport: <Player {str(path)!r}: 0 played, 2 left>>"
    assert repr(as_httpx_transport(FunctionTransport(lambda _: {}))) == "<httpx transport: FunctionTransport>"
    transport = httpx_transport(path)
    with httpx.Client(transport=transport) as client:
        headers = {"x-goog-api-key": KEY}
        for number in range(2):
            assert client.post(f"https://h{PATH}", headers=headers, json={"contents": number}).status_code == 200
    assert repr(transport) == f"<httpx transport: <Player {str(path)!r}: 2 played, 0 left>>"
    assert httpx2.__name__ == "httpx2"


def test_servers_and_connectors(path: Path) -> None:
    """Where it is, how it answers, and what it has answered."""
    with Served(path) as served:
        state = f"<replay, {path}: 0 exchanges played, 0 requests refused; 0 runs finished, 0 unfinished>"
        assert repr(served) == f"<Served at {served.url}: {state}>"
        for number in range(2):
            httpx.post(f"{served.url}{PATH}?key={KEY}", json={"contents": number}).raise_for_status()
    state = f"<replay, {path}: 2 exchanges played, 0 requests refused; 1 run finished, 0 unfinished>"
    assert repr(served) == f"<Served closed: {state}>"
    with LoopbackServer() as upstream, Served(path, mode="record", upstream=upstream.url("").rstrip("/")) as proxy:
        assert repr(proxy).endswith(f"<record, {path}: 0 exchanges recorded, 0 played, 0 requests refused>>")

    async def connector() -> str:
        return repr(aiohttp_connector(path))

    state = f"<replay, {path}: 0 exchanges played, 0 requests refused; 0 runs finished, 0 unfinished>"
    assert asyncio.run(connector()) == f"<aiohttp connector: {state}>"


@pytest.mark.parametrize("wrong", ["chat.json", Cassette(), None])
def test_boundaries_of_something_else(wrong: Any) -> None:
    """They are those of an exchange, and not of a file."""
    with pytest.raises(ValidationError, match=r"boundaries are those of one Exchange, .*found (str|Cassette|NoneType)"):
        boundaries(wrong)
