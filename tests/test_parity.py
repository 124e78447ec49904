"""L10: the same recorded bytes give equal events, history and ledger, whichever transport and driver brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from parity import ANYWHERE, FIXTURES, WAYS, Outcome, async_driven, by_hand, driven, serve

from chatproto.errors import ConnectFailed
from chatproto.testing.servers import LoopbackServer
from chatproto_replay import Player
from chatproto_replay.cassette import Cassette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_transport_gives_equal_events(way: str, fixture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L10: over real sockets."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    if way.startswith("httpx2"):
        monkeypatch.setattr("chatproto_httpx.library._NAMES", ("httpx2",))
    make, drive = WAYS[way]
    cassette = Cassette.load(fixture)
    with LoopbackServer() as server:
        serve(server, cassette)
        outcome = drive(cassette, make(), server.url("/"))
    assert outcome == by_hand(cassette)


@pytest.mark.parametrize("drive", [driven, async_driven])
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_the_player_gives_equal_events(drive: Callable[[Cassette, Any, str], Outcome], fixture: Path) -> None:
    """L10: from the file. The Player is strict, so this shows that the messages are those that were recorded, too."""
    cassette = Cassette.load(fixture)
    assert drive(cassette, Player(fixture), ANYWHERE) == by_hand(cassette)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_a_recording_says_something(fixture: Path) -> None:
    """The comparison is not of nothing with nothing."""
    outcome = by_hand(Cassette.load(fixture))
    assert any(event[0] == "ended" for event in outcome.events)
    assert outcome.ledger


def test_failures_before_the_head_are_alike() -> None:
    """L10: with nobody listening, each transport gives the same events, but for its library's words."""
    cassette = Cassette.load(FIXTURES[0])
    outcomes = [drive(cassette, make(), ANYWHERE) for make, drive in WAYS.values()]
    assert [event[2] for event in outcomes[0].events] == [ConnectFailed, ConnectFailed, ConnectFailed]
    assert all(outcome == outcomes[0] for outcome in outcomes)
