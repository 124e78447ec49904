"""L14: a cassette that was recorded through any transport plays through every other, and gives the same events."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from parity import ANYWHERE, FIXTURES, WAYS, async_driven, by_hand, driven, serve

from chatproto.testing.servers import LoopbackServer
from chatproto_replay import Cassette, Player, Recorder

if TYPE_CHECKING:
    from pathlib import Path


def timeless(cassette: Cassette) -> list[Any]:
    """The exchanges, without times and boundaries, and without the words in which a library tells of a failure."""
    found: list[Any] = []
    for exchange in cassette.exchanges:
        response = exchange.response
        assert response is not None
        kind = None if exchange.failure is None else exchange.failure.kind
        found.append((exchange.request, response.content, attrs.evolve(response, chunks=()), kind))
    return found


def boundaries(cassette: Cassette) -> list[set[int]]:
    """Where each answer is cut."""
    return [
        set(accumulate(len(chunk.data) for chunk in exchange.response.chunks)) if exchange.response else set()
        for exchange in cassette.exchanges
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_transport_records_the_same(
    way: str, fixture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte, each header that is kept, each end: over real sockets, sync and async, and no chunk is cut where the
    server cut none (a library may hand out two that came at once as one). The recording, played under either driver,
    gives the events that the program saw.
    """
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    if way.startswith("httpx2"):
        monkeypatch.setattr("chatproto_httpx.library._NAMES", ("httpx2",))
    make, drive = WAYS[way]
    cassette, path = Cassette.load(fixture), tmp_path / "chat.json"
    with LoopbackServer() as server:
        serve(server, cassette)
        outcome = drive(cassette, Recorder(make(), path), server.url("/"))
    recorded = Cassette.load(path)
    assert outcome == by_hand(recorded)
    assert timeless(recorded) == timeless(cassette)
    assert all(ours <= theirs for ours, theirs in zip(boundaries(recorded), boundaries(cassette), strict=True))
    assert driven(recorded, Player(path), ANYWHERE) == outcome
    assert async_driven(recorded, Player(path), ANYWHERE) == outcome
