"""What a recorder writes when something goes wrong, when much happens at once, and when its file is there already."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from chatproto.client import Client
from chatproto.errors import ConnectFailed
from chatproto.testing.checks.callers import AsyncCaller, Caller, SyncCaller
from chatproto.testing.scripted import Answer, ScriptedTransport
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_replay import Cassette, CassetteError, CredentialInCassette, Recorder, Redaction
from chatproto_replay.tapes import Reel, Tape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "https://generativelanguage.googleapis.com"
KEY = "AIzaSyCanary-1234567890+/abcdef"
SECRETS = Secrets({"x-goog-api-key": KEY}, url=HOST)
OTHER = Secrets({"x-goog-api-key": "another-key-altogether"}, url=HOST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


def request_for(text: str) -> Request:
    """A request with this text."""
    body = json.dumps({"contents": [{"parts": [{"text": text}]}]}).encode()
    return Request(method="POST", url=f"{HOST}/v1beta/models/m:generateContent", body=(body,))


def send(recorder: Recorder, text: str) -> bytes:
    """The whole body of the answer."""
    with recorder.open(request_for(text), SECRETS) as response:
        return b"".join(iter(response.read, b""))


# --- nothing comes between a chat and its answer --------------------------------------------------------------------


def test_a_disk_that_fails_for_a_while(tmp_path: Path) -> None:
    """The chat goes on; the next exchange is written with the one that could not be."""
    path = tmp_path / "folder" / "chat.json"
    with Recorder(ScriptedTransport("one", "two", "three"), path) as recorder:
        chat = Client(transport=recorder).chats.create(model="m")
        (tmp_path / "folder").write_text("in the way")
        assert chat.send_message("1").text == "one"
        assert "".join(each.text or "" for each in chat.send_message_stream("2")) == "two"
        assert recorder.recorded == 0
        assert not path.exists()
        (tmp_path / "folder").unlink()
        assert chat.send_message("3").text == "three"
        assert recorder.recorded == 3
    assert len(chat.get_history()) == 6
    assert len(Cassette.load(path).exchanges) == 3


def test_a_disk_that_fails_until_the_end(tmp_path: Path) -> None:
    """Closing tries once more, and says what is missing where it still cannot be written."""
    path = tmp_path / "folder" / "chat.json"
    recorder = Recorder(ScriptedTransport("one"), path)
    (tmp_path / "folder").write_text("in the way")
    assert Client(transport=recorder).chats.create(model="m").send_message("1").text == "one"
    with pytest.raises(
        CassetteError, match=r"1 of 1 exchanges could not be written to .* check that its disk has room"
    ):
        recorder.close()
    (tmp_path / "folder").unlink()
    recorder = Recorder(ScriptedTransport("one"), path)
    (tmp_path / "folder").write_text("in the way")
    Client(transport=recorder).chats.create(model="m").send_message("1")
    (tmp_path / "folder").unlink()
    recorder.close()
    assert len(Cassette.load(path).exchanges) == 1


def test_a_refusal_costs_no_answer(path: Path) -> None:
    """The model's answer quotes the key: the chat has it, and its next message is what fails, before it is sent."""
    inner = ScriptedTransport("hello", f"your key is {KEY}", "never")
    recorder = Recorder(inner, path)
    chat = Client(api_key=KEY, transport=recorder).chats.create(model="m")
    chat.send_message("1")
    assert KEY in (chat.send_message("2").text or "")
    history = chat.get_history()
    with pytest.raises(CredentialInCassette) as caught:
        chat.send_message("3")
    assert KEY not in str(caught.value)
    assert chat.get_history() == history
    assert len(inner.requests) == 2
    recorder.close()
    assert len(Cassette.load(path).exchanges) == 1


def test_a_refusal_while_something_else_goes_wrong(path: Path) -> None:
    """The program's own exception passes, with a note of what it would have been told."""

    def record() -> None:
        with Recorder(ScriptedTransport(Answer(chunks=[KEY.encode()])), path) as recorder:
            send(recorder, "1")
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        record()
    assert any("holds a credential" in note for note in caught.value.__notes__)
    assert KEY not in "".join(caught.value.__notes__)


def test_a_rule_that_fails(path: Path) -> None:
    """Whatever goes wrong in the recorder, the program gets its answer first, and is told when it closes it."""

    class Failing(Redaction):
        def replaced(self, text: str, keys: tuple[str, ...] = ()) -> Iterator[tuple[int, int, str]]:
            if "hello" in text:
                raise ZeroDivisionError
            yield from ()

    recorder = Recorder(ScriptedTransport("hello"), path, redact=[Failing("x")])
    assert Client(transport=recorder).chats.create(model="m").send_message("1").text == "hello"
    with pytest.raises(CassetteError, match="was not recorded: ZeroDivisionError") as caught:
        recorder.close()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_answer_that_is_given_up_while_the_file_is_written(path: Path) -> None:
    """A finalizer may run at any place, also there, in the same thread: both exchanges are in the file."""
    tapes: list[Tape] = []

    def name() -> str:  # is asked for in the midst of writing
        if tapes:
            tapes.pop().leave()
        return "scripted"

    reel = Reel(path, name)
    first, second = (reel.begin(request_for(text), SECRETS) for text in "12")
    for tape in (first, second):
        tape.begin(200, ())
        tape.take(b"x")
    tapes.append(second)
    first.take(b"")
    assert texts_of(path) == ["1", "2"]
    assert reel.recorded == 2


# --- a file that is there -------------------------------------------------------------------------------------------


def fail(recorder: Recorder, text: str) -> None:
    """A request that comes to nothing."""
    with pytest.raises(ConnectFailed):
        send(recorder, text)


def test_a_run_without_a_network(path: Path) -> None:
    """It leaves a good cassette alone, and closes quietly: the program has had its errors."""
    with Recorder(ScriptedTransport("one"), path) as recorder:
        send(recorder, "1")
    before = path.read_bytes()
    with Recorder(ScriptedTransport(ConnectFailed("no route"), ConnectFailed("no route")), path) as recorder:
        fail(recorder, "2")
        fail(recorder, "3")
        assert recorder.recorded == 0
        assert path.read_bytes() == before
    assert path.read_bytes() == before
    recorder = Recorder(ScriptedTransport(ConnectFailed("no route")), path)
    recorder.reel.rest = Cassette.load(path).exchanges
    fail(recorder, "new")
    recorder.close()
    assert path.read_bytes() == before


def test_failures_and_a_response(path: Path) -> None:
    """With a response all are written, in their order; where no file was there, at once."""
    path.write_text("old")
    failing = ConnectFailed("no route")
    with Recorder(ScriptedTransport(failing, "one", failing), path) as recorder:
        fail(recorder, "1")
        assert path.read_text() == "old"
        send(recorder, "2")
        assert texts_of(path) == ["1", "2"]
        fail(recorder, "3")
        assert texts_of(path) == ["1", "2", "3"]
    assert recorder.recorded == 3
    path.unlink()
    with Recorder(ScriptedTransport(failing, failing), path) as recorder:
        fail(recorder, "1")
        fail(recorder, "2")
        assert texts_of(path) == ["1", "2"]
    assert recorder.recorded == 2


def test_a_file_that_grows_in_any_order(path: Path) -> None:
    """At each moment it is what a cassette of these exchanges would be, byte by byte."""
    reel = Reel(path, lambda: "scripted")
    tapes = [reel.begin(request_for(str(number)), SECRETS) for number in range(7)]
    for done, number in enumerate((3, 5, 4, 0, 6, 1, 2), 1):
        tapes[number].begin(200, ())
        tapes[number].take("Grüße".encode())
        tapes[number].take(b"")
        assert path.read_text("utf-8") == Cassette.load(path).dumps()
        assert texts_of(path) == sorted(texts_of(path))
        assert len(texts_of(path)) == done == reel.recorded
    old = Cassette.load(path).exchanges
    reel = Reel(path, lambda: "scripted")
    reel.rest = old
    for text, place in (("new", 4), ("newer", 1)):
        reel.keep(old[place])
        tape = reel.begin(request_for(text), SECRETS)
        tape.begin(200, ())
        tape.take(b"")
        assert path.read_text("utf-8") == Cassette.load(path).dumps()
    assert texts_of(path) == ["4", "new", "1", "newer", "0", "2", "3", "5", "6"]


def test_the_time_between_chunks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rounded off one delay counts for the next: many short ones are as long as they were."""
    now = [100.0]
    monkeypatch.setattr("chatproto_replay.tapes.time", SimpleNamespace(monotonic=lambda: now[0]))
    tape = Reel(path, lambda: "scripted").begin(request_for("1"), SECRETS)
    tape.begin(200, ())
    for _ in range(1000):
        now[0] += 0.0004
        tape.take(b"x")
    tape.take(b"")
    response = Cassette.load(path).exchanges[0].response
    assert response is not None
    delays = [chunk.delay for chunk in response.chunks]
    assert set(delays) == {0, 1}
    assert abs(sum(delays) - 400) <= 1


# --- several at once --------------------------------------------------------------------------------------------------


class Echo:
    """Answers with what it was asked, in pieces, a little later; sync and async."""

    needs_credential = False

    def open(self, request: Request, secrets: Secrets) -> Any:
        return self._answer(request).open(request, secrets)

    def aopen(self, request: Request, secrets: Secrets) -> Any:
        return self._answer(request).aopen(request, secrets)

    def _answer(self, request: Request) -> ScriptedTransport:
        return ScriptedTransport(Answer(chunks=[request.content], every=7))


def test_threads_and_tasks(path: Path) -> None:
    """Every exchange is written once, each request with its own answer."""
    requests = [request_for(str(number)) for number in range(40)]
    for kind in (SyncCaller, AsyncCaller):
        caller: Caller = kind(lambda: Recorder(Echo(), path))  # type: ignore[arg-type]
        assert caller.fetch_all(requests, SECRETS) == [request.content for request in requests]
        caller.close()
        caller.finish()
        exchanges = Cassette.load(path).exchanges
        texts: set[str] = set()
        for exchange in exchanges:
            assert exchange.request.body is not None
            assert exchange.response is not None
            assert json.loads(exchange.response.content) == exchange.request.body.value
            texts.add(exchange.request.body.value["contents"][0]["parts"][0]["text"])
        assert texts == set(map(str, range(40)))
        assert len(exchanges) == 40
        path.unlink()


_PROCESS = """
import sys
from chatproto.testing.scripted import ScriptedTransport
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_replay import Recorder

name, path = sys.argv[1:]
secrets = Secrets({}, url="https://h")
with Recorder(ScriptedTransport(*[name * 500] * 12), path) as recorder:
    for number in range(12):
        request = Request(method="POST", url=f"https://h/{name}/{number}", body=(b"{}",))
        with recorder.open(request, secrets) as response:
            while response.read():
                pass
"""


def test_processes(path: Path) -> None:
    """Several processes that record to one path, as workers of a test run may: whoever reads it finds a whole cassette
    of one of them, at any time, and in the end nothing else is in the folder.
    """
    names = ["a", "b"]
    running = [subprocess.Popen([sys.executable, "-c", _PROCESS, name, str(path)]) for name in names]
    seen: set[tuple[str, int]] = set()
    while any(process.poll() is None for process in running):
        if path.exists():
            exchanges = Cassette.load(path).exchanges
            authors = {exchange.request.path.split("/")[1] for exchange in exchanges}
            assert len(authors) == 1
            assert [exchange.request.path.split("/")[2] for exchange in exchanges] == list(
                map(str, range(len(exchanges)))
            )
            seen.add((authors.pop(), len(exchanges)))
    assert [process.wait() for process in running] == [0, 0]
    assert len(Cassette.load(path).exchanges) == 12
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert seen


# --- adding to a cassette -------------------------------------------------------------------------------------------


def texts_of(path: Path) -> list[str]:
    """What was asked, in the order of the file."""
    exchanges = Cassette.load(path).exchanges
    return [each.request.body.value["contents"][0]["parts"][0]["text"] for each in exchanges if each.request.body]


def test_exchanges_that_are_kept(path: Path) -> None:
    """They stand where they were asked for in this run; those that were not stand at the end."""
    with Recorder(ScriptedTransport("1", "2", "3"), path) as recorder:
        for text in "123":
            send(recorder, text)
    old = Cassette.load(path).exchanges
    before = path.read_text()
    recorder = Recorder(ScriptedTransport("new", "newer"), path)
    recorder.reel.rest = old
    recorder.reel.keep(old[1])
    assert recorder.reel.rest == (old[0], old[2])
    assert path.read_text() == before
    send(recorder, "new")
    assert texts_of(path) == ["2", "new", "1", "3"]
    recorder.reel.keep(old[2])
    send(recorder, "newer")
    assert texts_of(path) == ["2", "new", "3", "newer", "1"]
    recorder.reel.keep(old[0])
    recorder.close()
    assert texts_of(path) == ["2", "new", "3", "newer", "1"]
    assert recorder.recorded == 2
    assert Cassette.load(path).exchanges[::2] == (old[1], old[2], old[0])


def test_an_order_that_changed_after_the_last_recording(path: Path) -> None:
    """It is written at the end; but not where nothing was recorded."""
    with Recorder(ScriptedTransport("1", "2"), path) as recorder:
        for text in "12":
            send(recorder, text)
    old = Cassette.load(path).exchanges
    before = path.read_text()
    with Recorder(ScriptedTransport(), path) as recorder:
        recorder.reel.rest = old
        for exchange in reversed(old):
            recorder.reel.keep(exchange)
    assert path.read_text() == before
    with Recorder(ScriptedTransport("new"), path) as recorder:
        recorder.reel.rest = old
        send(recorder, "new")
        for exchange in reversed(old):
            recorder.reel.keep(exchange)
    assert texts_of(path) == ["new", "2", "1"]


def test_a_kept_exchange_that_holds_a_credential(path: Path) -> None:
    """It is not written again, and the file that has it is named and left alone."""
    with Recorder(ScriptedTransport("another-key-altogether"), path) as recorder:
        send(recorder, "1")
    before = path.read_text()
    for keep in (True, False):
        recorder = Recorder(ScriptedTransport("never"), path)
        recorder.reel.rest = Cassette.load(path).exchanges
        if keep:
            recorder.reel.keep(recorder.reel.rest[0])
        with pytest.raises(CredentialInCassette, match="delete that file"):
            recorder.open(request_for("2"), OTHER).__enter__()
        recorder.close()
    assert path.read_text() == before


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kept", [True, False])
def test_a_kept_exchange_whose_credential_becomes_known(path: Path, asynchronous: bool, kept: bool) -> None:
    """L15: as it does with the second client, after a recording; also where the chunks of an answer cut it in two."""
    with Recorder(ScriptedTransport(Answer(chunks=[b"another-key", b"-altogether"])), path) as recorder:
        send(recorder, "1")
    inner = ScriptedTransport("two", "never")
    recorder = Recorder(inner, path)
    recorder.reel.rest = Cassette.load(path).exchanges
    if kept:
        recorder.reel.keep(recorder.reel.rest[0])
    send(recorder, "2")

    async def ask() -> None:
        async with recorder.aopen(request_for("3"), OTHER):
            pass

    with pytest.raises(CredentialInCassette, match="delete that file"):
        if asynchronous:
            asyncio.run(ask())
        else:
            recorder.open(request_for("3"), OTHER).__enter__()
    assert len(inner.requests) == 1
    recorder.close()


def test_a_recorded_answer_whose_credential_becomes_known(path: Path) -> None:
    """L15: cut in two by the chunks that it came in, it is found and taken out again."""
    recorder = Recorder(ScriptedTransport(Answer(chunks=[b"another-key", b"-altogether"]), "never"), path)
    send(recorder, "1")
    with pytest.raises(CredentialInCassette, match="taken out again"):
        recorder.open(request_for("2"), OTHER).__enter__()
    recorder.close()
    assert Cassette.load(path).exchanges == ()


# --- closing too early ----------------------------------------------------------------------------------------------


class Slow(ScriptedTransport):
    """Answers when it is told to."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def open(self, request: Request, secrets: Secrets) -> Any:
        opened = super().open(request, secrets)
        slow = self

        class Opened:
            def __enter__(self) -> Any:
                slow.asked.set()
                assert slow.may_answer.wait(10)
                return opened.__enter__()

            async def __aenter__(self) -> Any:
                slow.asked.set()
                await asyncio.sleep(60)

            def __exit__(self, *exception: object) -> None:
                opened.__exit__(None, None, None)

            async def __aexit__(self, *exception: object) -> None:
                opened.__exit__(None, None, None)

        return Opened()

    def aopen(self, request: Request, secrets: Secrets) -> Any:
        return self.open(request, secrets)


LATE = r"^POST /v1beta/models/m:generateContent.*: still without an answer when the recorder was closed"


@pytest.mark.parametrize("with_an_error", [False, True])
def test_a_request_that_is_under_way(path: Path, with_an_error: bool) -> None:
    """The program gets its answer, and whoever closes the recorder is told that the file will not have it."""
    slow = Slow("first", "late")
    slow.may_answer.set()
    answers: list[bytes] = []

    def record() -> None:
        with Recorder(slow, path) as recorder:
            send(recorder, "1")
            slow.may_answer.clear()
            slow.asked.clear()
            thread = threading.Thread(target=lambda: answers.append(send(recorder, "2")))
            threads.append(thread)
            thread.start()
            assert slow.asked.wait(10)
            if with_an_error:
                raise KeyError("mine")

    threads: list[threading.Thread] = []
    with pytest.raises(KeyError if with_an_error else CassetteError) as caught:
        record()
    told = "".join(caught.value.__notes__) if with_an_error else str(caught.value)
    assert re.search(LATE.lstrip("^"), told)
    assert bool(re.search(LATE, told)) == (not with_an_error)
    slow.may_answer.set()
    threads[0].join()
    assert b"late" in answers[0]
    assert texts_of(path) == ["1"]


def test_a_task_that_is_cancelled_after_the_end(path: Path) -> None:
    """It ends as cancelled tasks do."""

    async def run() -> None:
        slow = Slow("late")
        recorder = Recorder(slow, path)

        async def ask() -> None:
            async with recorder.aopen(request_for("1"), SECRETS):
                pass

        task = asyncio.create_task(ask())
        await asyncio.to_thread(slow.asked.wait, 10)
        with pytest.raises(CassetteError, match=LATE):
            await recorder.aclose()
        await recorder.aclose()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert not path.exists()
