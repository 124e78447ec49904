"""The modes: what is sent, what is played, and what becomes of the file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

import chatproto
from chatproto.errors import LocalProtocolError, ValidationError
from chatproto.testing import Answer, LoopbackServer, ScriptedTransport
from chatproto.testing.servers import head
from chatproto.testing.wire import text_response
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode
from chatproto_replay import (
    Cassette,
    CassetteMissing,
    Redaction,
    RequestMismatch,
    UnplayedExchanges,
    rules,
    use_cassette,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chatproto.testing.servers import Received

MODES = ["replay", "record", "record-missing", "live"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "folder" / "chat.json"


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server on loopback that says what it was last asked; ``server.asked`` are the questions."""
    asked: list[str] = []

    def answer(request: Received) -> list[Any]:
        asked.append(json.loads(request.body)["contents"][-1]["parts"][0]["text"])
        body = encode(text_response(f"You said: {asked[-1]}"))
        return [head(200, content_length=len(body), content_type="application/json"), body]

    with LoopbackServer() as running:
        running.asked = asked  # type: ignore[attr-defined]
        running.on("/v1/models/m:generateContent", answer)
        yield running


def asked(server: LoopbackServer) -> list[str]:
    """What the server was asked since this was last called."""
    questions: list[str] = server.asked  # type: ignore[attr-defined]
    taken, questions[:] = list(questions), []
    return taken


def talk(server: LoopbackServer, transport: Any, *messages: str) -> list[str | None]:
    """Ask these questions in one chat."""
    client = chatproto.Client(api_key="key-of-nobody", transport=transport, http_options={"base_url": server.url("")})
    chat = client.chats.create(model="m")
    return [chat.send_message(message).text for message in messages]


async def atalk(server: LoopbackServer, transport: Any, *messages: str) -> list[str | None]:
    """``talk`` for asyncio."""
    client = chatproto.Client(api_key="key-of-nobody", transport=transport, http_options={"base_url": server.url("")})
    chat = client.aio.chats.create(model="m")
    return [(await chat.send_message(message)).text for message in messages]


def play(server: LoopbackServer, path: Path, *messages: str, mode: str, asynchronous: bool) -> list[str | None]:
    """Ask in a mode, and close the cassette as a program does."""
    if not asynchronous:
        with use_cassette(path, mode=mode) as transport:
            return talk(server, transport, *messages)

    async def run() -> list[str | None]:
        async with use_cassette(path, mode=mode) as transport:
            return await atalk(server, transport, *messages)

    return asyncio.run(run())


def questions(path: Path) -> list[str]:
    """The last question of each recorded exchange."""
    return [
        each.request.body.value["contents"][-1]["parts"][0]["text"]
        for each in Cassette.load(path).exchanges
        if each.request.body
    ]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_chat_is_recorded_and_replayed_by_one_argument(
    server: LoopbackServer, path: Path, asynchronous: bool
) -> None:
    """L14: the same program, the same answers; the server is asked once."""
    said = ["one", "two", "three"]
    expected = [f"You said: {message}" for message in said]
    assert play(server, path, *said, mode="record", asynchronous=asynchronous) == expected
    assert asked(server) == said
    written = path.read_bytes()
    for mode in ("replay", "record-missing"):
        assert play(server, path, *said, mode=mode, asynchronous=asynchronous) == expected
        assert asked(server) == []
        assert path.read_bytes() == written
    assert play(server, path, *said, mode="live", asynchronous=asynchronous) == expected
    assert asked(server) == said
    assert path.read_bytes() == written


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_what_is_missing_is_recorded(server: LoopbackServer, path: Path, asynchronous: bool) -> None:
    """A longer chat plays its beginning, and the file gets its end."""
    play(server, path, "one", mode="record-missing", asynchronous=asynchronous)
    assert asked(server) == ["one"]
    play(server, path, "one", "two", mode="record-missing", asynchronous=asynchronous)
    assert asked(server) == ["two"]
    assert questions(path) == ["one", "two"]
    assert play(server, path, "one", "two", mode="replay", asynchronous=asynchronous)[1] == "You said: two"


def test_what_is_missing_stands_where_it_was_asked(server: LoopbackServer, path: Path) -> None:
    """The file has the order of the last run, so that ``replay`` can be strict about it."""
    with use_cassette(path, mode="record") as transport:
        talk(server, transport, "a")
        talk(server, transport, "c")
    with use_cassette(path, mode="record-missing") as transport:
        for message in "abc":
            talk(server, transport, message)
        assert (transport.played, transport.recorded, transport.left) == (2, 1, 0)
    assert questions(path) == ["a", "b", "c"]
    with use_cassette(path) as transport:
        for message in "abc":
            talk(server, transport, message)
    assert asked(server) == ["a", "c", "b"]


def test_what_is_stale_is_kept_and_told(server: LoopbackServer, path: Path) -> None:
    """A chat that goes another way is recorded; what it left is in the file still, and closing says so."""
    with use_cassette(path, mode="record") as transport:
        talk(server, transport, "one", "two", "three")
    with pytest.raises(UnplayedExchanges, match="2 of 3"), use_cassette(path, mode="record-missing") as transport:
        talk(server, transport, "one", "zwei")
    assert asked(server)[3:] == ["zwei"]
    assert questions(path) == ["one", "zwei", "two", "three"]


def test_an_exception_says_more_than_that_the_rest_was_not_played(server: LoopbackServer, path: Path) -> None:
    """The program's own error leaves the block, in every mode."""
    with use_cassette(path, mode="record") as transport:
        talk(server, transport, "one", "two")
    for mode in MODES:
        with pytest.raises(ZeroDivisionError), use_cassette(path, mode=mode) as transport:
            talk(server, transport, "one")
            raise ZeroDivisionError


def test_match_rules_hold_in_both_modes_that_play(server: LoopbackServer, path: Path) -> None:
    """A number that differs each time plays by a rule."""
    numbers = [rules.replace("$.contents[*].parts[*].text", r"\d+", "N")]
    with use_cassette(path, mode="record") as transport:
        talk(server, transport, "It is 12:31")
    for mode in ("replay", "record-missing"):
        with use_cassette(path, mode=mode, match=numbers) as transport:
            assert talk(server, transport, "It is 4:05") == ["You said: It is 12:31"]
    with pytest.raises(RequestMismatch), use_cassette(path) as transport:
        talk(server, transport, "It is 4:05")
    assert asked(server) == ["It is 12:31"]


def test_waits_are_waited_for_the_server_alone(path: Path) -> None:
    """What was recorded of a retry is played at once; the wait before a request that is sent is the inner one's."""
    busy = Answer({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, status=503)
    options = {"retry_options": {"attempts": 3, "initial_delay": 7, "jitter": 0}}

    def ask(transport: Any, *messages: str) -> None:
        chat = chatproto.Client(transport=transport, http_options=options).chats.create(model="m")
        for message in messages:
            chat.send_message(message)

    script = ScriptedTransport(busy, "Hello!")
    with use_cassette(path, mode="record", inner=script) as transport:
        ask(transport, "Hi")
        assert transport.slept == []
    assert script.slept == [7]
    script = ScriptedTransport(busy, "Bye!")
    with use_cassette(path, mode="record-missing", inner=script) as transport:
        ask(transport, "Hi", "Good bye")
        assert transport.slept == [7]
        assert (transport.played, transport.recorded, transport.left) == (2, 2, 0)
    assert script.slept == [7]


def test_the_network_is_not_touched_when_replaying(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """No transport is even looked for: a cassette that is not there is an error that says what to do."""

    def find(name: str) -> Any:
        raise AssertionError(f"asked for {name}")

    monkeypatch.setattr("chatproto_replay.inner.find_transport", find)
    with pytest.raises(CassetteMissing, match="record it first"):
        use_cassette(path, inner="requests")
    assert not path.exists()


@pytest.mark.parametrize("mode", ["record", "record-missing", "live"])
def test_a_transport_that_was_handed_in_stays_open(path: Path, mode: str) -> None:
    """Whoever made it closes it; the cassette itself takes no more requests."""
    script = ScriptedTransport("Hello!")
    client = chatproto.Client(transport=(transport := use_cassette(path, mode=mode, inner=script)))
    assert client.models.generate_content(model="m", contents="Hi").text == "Hello!"
    transport.close()
    transport.close()
    assert not script.closed
    with pytest.raises(LocalProtocolError, match="closed"):
        client.models.generate_content(model="m", contents="Hi")


def test_chats_side_by_side_wait_for_their_own_answers(path: Path) -> None:
    """A chat whose answer was sent waits, though another one was played to meanwhile."""
    busy = Answer({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, status=503)
    options = {"retry_options": {"attempts": 2, "initial_delay": 7, "jitter": 0}}
    with use_cassette(path, mode="record", inner=ScriptedTransport("Hello!")) as transport:
        chatproto.Client(transport=transport).models.generate_content(model="m", contents="Hi")
    script = ScriptedTransport(busy, "Bye!")

    async def main() -> Any:
        async with use_cassette(path, mode="record-missing", inner=script) as transport:
            answered, other = asyncio.Event(), asyncio.Event()
            inner_sleep = transport.asleep

            async def sleep(seconds: float) -> None:
                answered.set()
                await other.wait()
                await inner_sleep(seconds)

            transport.asleep = sleep  # type: ignore[method-assign]
            client = chatproto.Client(transport=transport, http_options=options).aio
            first = asyncio.create_task(client.models.generate_content(model="m", contents="Good bye"))
            await answered.wait()
            said = await client.models.generate_content(model="m", contents="Hi")
            other.set()
            return said.text, (await first).text, transport.slept

    assert asyncio.run(main()) == ("Hello!", "Bye!", [])
    assert script.slept == [7]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_closing_tells_of_what_was_not_asked_for(server: LoopbackServer, path: Path, asynchronous: bool) -> None:
    """In both modes that play, and under asyncio too."""
    play(server, path, "one", "two", mode="record", asynchronous=asynchronous)
    for mode in ("replay", "record-missing"):
        with pytest.raises(UnplayedExchanges, match="1 of 2"):
            play(server, path, "one", mode=mode, asynchronous=asynchronous)


def test_lists_are_lists(path: Path) -> None:
    """One rule by itself is an error that says so, in every mode that would use it."""
    with use_cassette(path, mode="record", inner=ScriptedTransport("Hello!")) as transport:
        chatproto.Client(transport=transport).models.generate_content(model="m", contents="Hi")
    alone: dict[str, Any] = {"match": rules.ignore("$..seed"), "redact": Redaction("Hi")}
    for name, modes in (("match", ("replay", "record-missing")), ("redact", ("replay", "record", "record-missing"))):
        for mode in modes:
            with pytest.raises(ValidationError, match=f"{name} is a list"):
                use_cassette(path, mode=mode, **{name: alone[name]})


def test_paths_are_compared_however_they_are_spelled(path: Path) -> None:
    """Clients escape what they like in a path."""
    script = ScriptedTransport({"name": "x"})
    secrets = Secrets({}, url="http://h")

    def ask(transport: Any, target: str) -> bytes:
        with transport.open(Request(method="GET", url=f"http://h{target}"), secrets) as response:
            return b"".join(iter(response.read, b""))

    with use_cassette(path, mode="record", inner=script) as transport:
        recorded = ask(transport, "/v1/tunedModels/my%20model:generateContent")
    assert json.loads(recorded) == {"name": "x"}
    for target in ("/v1/tunedModels/my model:generateContent", "/v1/tunedModels/my%20model%3AgenerateContent"):
        with use_cassette(path) as transport:
            assert ask(transport, target) == recorded


@pytest.mark.parametrize(
    "make", [lambda path: use_cassette(path, mode="new_episodes"), lambda path: use_cassette(path, mode="")]
)
def test_an_unknown_mode(path: Path, make: Callable[[Path], Any]) -> None:
    """The error lists the modes that there are."""
    with pytest.raises(ValidationError, match="replay, record, record-missing, live"):
        make(path)


def test_counts(server: LoopbackServer, path: Path) -> None:
    """Every mode counts, and says what it is."""
    with use_cassette(path, mode="record") as transport:
        talk(server, transport, "one", "two")
        assert (transport.mode, transport.played, transport.recorded, transport.left) == ("record", 0, 2, 0)
    with use_cassette(path) as transport:
        talk(server, transport, "one")
        assert (transport.mode, transport.played, transport.recorded, transport.left) == ("replay", 1, 0, 1)
        with pytest.raises(UnplayedExchanges):
            transport.close()
