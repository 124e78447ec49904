"""What is read of a chat beside what drives it: from another thread at any moment, and at what cost."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_faces import MODEL, Json, Shop, Way, add, begin, call, calling, closed, every_stream, run, wire

import chatproto
from chatproto import types
from chatproto.machines import explain, history
from chatproto.machines.explain import Rule
from chatproto.testing import ScriptedTransport
from chatproto.testing.wire import text_response

# --- from another thread --------------------------------------------------------------------------------------------


class Endless(ScriptedTransport):
    """Calls a function, and is content with what it gives, over and over."""

    def open(self, request: Any, secrets: Any) -> Any:
        answered = "functionResponse" in request.json()["contents"][-1]["parts"][0]
        return ScriptedTransport(["x", "y", "z"] if answered else [add(1)]).open(request, secrets)


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Driver:
    """A thread that streams answers until it is told to stop."""

    def __init__(self, chat: Any) -> None:
        self.chat = chat
        self.answers = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drive)

    def _drive(self) -> None:
        try:
            while not self._stop.is_set():
                with self.chat.send_message_stream("q") as stream:
                    texts = [chunk.text for chunk in stream]
                assert texts == [None, "x", "y", "z"], texts
                self.answers += 1
                if len(self.chat.turns) > 3:
                    self.chat.rewind(3)
        except BaseException as error:  # noqa: BLE001  (told to the test)
            self.failures.append(repr(error))

    def __enter__(self) -> Driver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def whole(contents: list[Json]) -> None:
    """L5, L7: whole turns of a question, a call, its answer and an answer to that."""
    assert len(contents) % 4 == 0, len(contents)
    assert closed(contents)


def test_a_chat_is_read_while_another_thread_drives_it(hasty: None) -> None:
    """L5, L7, L13: each view is of one moment, and each snapshot can be restored and says the same again."""
    client = chatproto.Client(transport=Endless())
    tools = Shop().tools
    chat = client.chats.create(model=MODEL, config={"tools": tools})
    found: set[str] = set()

    def restored() -> None:
        data = chat.snapshot()
        again = client.chats.restore(data, tools=tools)
        whole(wire(again.get_history(curated=True)))
        found.add("open" if '"open":{' in data else "idle")
        found.add("calls" if again.pending_calls else "no calls")

    def forked() -> None:
        fork = chat.fork()
        whole(wire(fork.get_history(curated=True)))
        fork.snapshot()

    def prepared() -> None:
        request: Any = chat.prepare("next").json()
        whole(request["contents"][:-1])

    def told() -> None:
        explained = chat.explain()
        whole(wire(each.content for each in explained if each.curated))
        assert all(each.rule in (Rule.FINISHED, Rule.OPEN) for each in explained)

    views: dict[str, Callable[[], Any]] = {
        "snapshot": restored,
        "fork": forked,
        "prepare": prepared,
        "explain": told,
        "curated": lambda: whole(wire(chat.get_history(curated=True))),
        "comprehensive": chat.get_history,
        "turns": lambda: [turn.outcome for turn in chat.turns],
        "pending_calls": lambda: [each.name for each in chat.pending_calls],
    }
    failures: dict[str, str] = {}
    rounds, end = 0, time.monotonic() + 1.5
    with Driver(chat) as driver:
        while time.monotonic() < end:
            rounds += 1
            for name, view in views.items():
                try:
                    view()
                except Exception as error:  # noqa: BLE001  (told below, with the others)
                    failures.setdefault(name, repr(error))
    assert failures == {}
    assert driver.failures == []
    assert rounds > 5
    assert driver.answers > 5
    assert found >= {"open", "idle"}


def test_messages_of_another_thread_are_turned_down_or_sent(hasty: None) -> None:
    """L5: whoever comes second is told so, or takes over; nobody is told anything else, and turns stay whole."""
    client = chatproto.Client(transport=Endless())
    chat = client.chats.create(model=MODEL, config={"tools": Shop().tools})
    others: dict[str, int] = {}
    said: list[str | None] = []

    def send() -> None:
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            try:
                said.append(chat.send_message("q").text)
            except chatproto.errors.LocalProtocolError:
                said.append(None)
            except Exception as error:  # noqa: BLE001  (told below)
                others[repr(error)] = others.get(repr(error), 0) + 1

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert others == {}
    assert "xyz" in said
    assert set(said) <= {"xyz", None}
    assert {turn.outcome.value for turn in chat.turns} == {"completed"}
    whole(wire(chat.get_history(curated=True)))


# --- how often contents are decoded ---------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every content that is decoded from history, as often as it is."""
    found: list[bytes] = []
    decode = vars(history)["decode"]

    def counting(data: Any, **options: Any) -> Any:
        found.append(data)
        return decode(data, **options)

    monkeypatch.setattr(history, "decode", counting)
    return found


@every_stream
def test_the_history_of_calls_is_decoded_once_a_round(way: Way, decoded: list[bytes]) -> None:
    """However many chunks have it: of a question without a chat, and it may be large."""
    counts: list[int] = []
    for chunks in (2, 40):
        transport = ScriptedTransport([add(1)], [add(2)], ["x"] * chunks)
        client = chatproto.Client(transport=transport)
        asked: Json = {"model": MODEL, "contents": "q", "config": Shop().config}
        decoded.clear()
        if way.asynchronous:

            async def ask() -> list[types.GenerateContentResponse]:
                return [each async for each in await client.aio.models.generate_content_stream(**asked)]  # noqa: B023

            heard = run(ask())
        else:
            heard = list(client.models.generate_content_stream(**asked))
        counts.append(len(decoded))
        assert len(heard) == chunks + 2
        lengths = [len(each.automatic_function_calling_history or ()) for each in heard]
        assert lengths == [0, 3] + [5] * chunks
    assert counts == [8, 8]


def called_in_rounds(rounds: int) -> Any:
    """A chat with one turn of so many rounds, and a call at its end that another message left open."""
    answers = [add(number) for number in range(rounds + 1)]
    limit = {"maximum_remote_calls": rounds + 1}
    talk = begin(
        Way(asynchronous=False, streamed=False),
        *answers,
        text_response("done"),
        config={**Shop().config, "automatic_function_calling": limit},
    )
    talk.say("q")
    assert talk.chat.pending_calls
    talk.say("something else")
    return talk.chat


def handed_in(rounds: int) -> Any:
    """A chat whose history is one turn of so many rounds, with a call that has no response."""
    said: list[Json] = [{"role": "user", "parts": [{"text": "q"}]}]
    for _ in range(rounds):
        said.append(calling(call("f"))["candidates"][0]["content"])
        said.append({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]})
    said += [calling(call("f"))["candidates"][0]["content"], {"role": "user", "parts": [{"text": "else"}]}]
    client = chatproto.Client(transport=ScriptedTransport())
    return client.chats.create(model=MODEL, history=[types.Content.model_validate(each) for each in said])


@pytest.mark.parametrize("made", [called_in_rounds, handed_in])
def test_each_content_is_decoded_twice_to_be_explained(made: Callable[[int], Any], decoded: list[bytes]) -> None:
    """Once to be shown, and once at most to find the rule that holds for its turn."""
    for rounds in (3, 30):
        chat = made(rounds)
        decoded.clear()
        told = chat.explain()
        assert Rule.UNANSWERED in {each.rule for each in told}
        assert len(told) > 2 * rounds
        assert len(decoded) <= 2 * len(told)
        assert {decoded.count(each) for each in decoded if b'"q"' in each} <= {1, 2}


def test_what_is_explained_once_is_decoded_once(decoded: list[bytes]) -> None:
    """Where the turn's outcome says all."""
    talk = begin(Way(asynchronous=False, streamed=False), add(1), text_response("done"), config=Shop().config)
    talk.say("q")
    decoded.clear()
    assert [each.rule for each in explain.explain(talk.chat._session.conversation)] == [Rule.FINISHED] * 4
    assert len(decoded) == 4
