"""The pytest plug-in, in runs of pytest of its own: recorded against a server on loopback, and played with it gone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google.genai
import pytest
from aiohttp import web

import chatproto_aiohttp
import chatproto_requests
from chatproto.testing.servers import LoopbackServer, Received, chunk, head
from chatproto.testing.wire import sse, text_response
from chatproto.wire.json_codec import encode
from chatproto_replay import Cassette, faults, missing, network
from chatproto_replay.faults import asking, faulty, sweeping
from chatproto_replay.pytest_plugin import interrupting, running
from chatproto_replay.redaction import bodies
from chatproto_replay.serving import server, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

#: Imported here, because a run of pytest inside this one forgets the modules that it was the first to import, while
#: their package does not.
LOADED = (
    google.genai,
    web,
    chatproto_aiohttp,
    chatproto_requests,
    asking,
    faults,
    faulty,
    interrupting,
    missing,
    network,
    bodies,
    running,
    server,
    sweeping,
    takes,
)

KEY = "AIzaSyCanary-1234567890+/abcdef"
#: What makes a run slower and is not needed here.
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--strict-markers")


def answer(request: Received) -> Any:
    """``re: TEXT``, in one piece or as a stream of two events."""
    assert request.header("x-goog-api-key") == KEY
    text = "re: " + json.loads(request.body)["contents"][-1]["parts"][0]["text"]
    if ":stream" in request.target:
        events = sse([text_response(text[:4], None), text_response(text[4:])])
        return [head(chunked=True, content_type="text/event-stream"), *map(chunk, events), chunk()]
    body = encode(text_response(text))
    return [head(content_length=len(body), content_type="application/json"), body]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """A server for recording; the environment of the runs leads to it, and holds the key."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "CHATPROTO_REPLAY_MODE", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("CI", "BUILD_NUMBER"):  # by which pytest would print whole reports in its summary, too
        monkeypatch.delenv(name, raising=False)
    with LoopbackServer() as server:
        for version in ("v1", "v1beta"):
            for verb in ("generateContent", "streamGenerateContent"):
                server.on(f"/{version}/models/m:{verb}", answer)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url(""))
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        yield server


@pytest.fixture
def away(api: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Called between recording and playing: there is no server any more, and no key."""

    def leave() -> None:
        monkeypatch.delenv("GEMINI_API_KEY")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://generativelanguage.example.invalid")
        api.received.clear()

    return leave


def run(pytester: pytest.Pytester, *arguments: str, **outcomes: int) -> str:
    """A run of pytest, its outcomes as expected; what it printed."""
    result = pytester.runpytest(*OPTIONS, *arguments)
    result.assert_outcomes(**outcomes)
    return str(result.stdout)


ASK = """
import asyncio
import pytest

def ask(client, text="hi"):
    return client.chats.create(model="m").send_message(text).text

async def aask(client, text="hi"):
    return (await client.chats.create(model="m").send_message(text)).text
"""


# --- recording and playing ------------------------------------------------------------------------------------------

MANY = (
    ASK
    + """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.replay("greeting")
def test_named(replay_client):
    assert ask(replay_client) == "re: hi"

def test_by_fixture(replay_async_client):
    assert asyncio.run(aask(replay_async_client)) == "re: hi"
    assert asyncio.run(aask(replay_async_client, "again")) == "re: again"

@pytest.mark.anyio
@pytest.mark.replay
async def test_anyio(replay_async_client):
    assert await aask(replay_async_client) == "re: hi"

class TestGroup:
    @pytest.mark.parametrize("text", ["a/b", "a b", "c"])
    def test_each(self, replay_client, text):
        assert ask(replay_client, text) == f"re: {text}"

@pytest.mark.replay("../elsewhere/chat.json")
def test_path(replay_transport, replay_cassette, replay_mode):
    import chatproto
    assert ask(chatproto.Client(transport=replay_transport)) == "re: hi"
    assert replay_cassette.name == "chat.json"
    assert replay_transport.mode == replay_mode

def test_of_another_kind():
    pass
"""
)


#: Cassettes do not stay in memory until the last test.
FORGOTTEN = """
import gc
from chatproto_replay import Cassette

def pytest_sessionfinish():
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Cassette)]
"""


def test_recorded_and_played(
    pytester: pytest.Pytester, api: LoopbackServer, away: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L14: sync, asyncio and anyio tests; cassettes lie where they should, without a key; playing needs no server."""
    folder = pytester.mkdir("suite")
    (folder / "test_many.py").write_text(MANY)
    pytester.makeconftest(FORGOTTEN)
    recorded = run(pytester, "--replay-mode=record", passed=8)
    assert "replay: 8 recorded" in recorded
    assert len(api.received) == 8
    cassettes = sorted(each.relative_to(pytester.path).as_posix() for each in pytester.path.rglob("*.json"))
    assert [each for each in cassettes if "test_each" not in each] == [
        "elsewhere/chat.json",
        "suite/cassettes/greeting.json",
        "suite/cassettes/test_many/test_anyio.json",
        "suite/cassettes/test_many/test_by_fixture.json",
    ]
    each = [name.rpartition("/")[2] for name in cassettes if "test_each" in name]
    assert len(each) == 3
    assert all(name.startswith("TestGroup.test_each-") for name in each)
    assert "TestGroup.test_each-c.json" in each
    assert not any(KEY in file.read_text() for file in pytester.path.rglob("*.json"))
    away()
    assert "replay: 8 played" in run(pytester, passed=8)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)  # it might have to send something
    assert "replay: 8 played" in run(pytester, "--replay-mode=record-missing", passed=8)
    assert api.received == []


def test_with_xdist(pytester: pytest.Pytester, api: LoopbackServer, away: Any) -> None:
    """Workers record and play; the counts of all of them are in the one line, and what they ask for too."""
    pytester.makepyfile(test_many=MANY)
    assert "replay: 8 recorded" in run(pytester, "-n2", "--replay-mode=record", passed=8)
    assert len(api.received) == 8
    away()
    (pytester.path / "cassettes" / "old.json").write_text("{}")
    printed = run(pytester, "-n2", "--replay-unused", passed=8)
    assert "replay: 8 played" in printed
    assert "replay: 1 cassette that no collected test asks for\n  cassettes/old.json" in printed


def test_cassettes_that_nothing_asks_for(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """They are listed and fail nothing; what ``-k`` takes away is asked for all the same."""
    pytester.makepyfile(test_many=MANY)
    pytester.makeini("[pytest]\nreplay_dir = tapes")
    run(pytester, "--replay-mode=record", passed=8)
    (pytester.path / "tapes" / "old").mkdir()
    (pytester.path / "tapes" / "old" / "one.json").write_text("{}")
    printed = run(pytester, "--replay-unused", "-k", "named", passed=1, deselected=7)
    assert "asks for\n  tapes/old/one.json\n" in printed
    assert "unused" not in run(pytester, "-k", "kind", passed=1, deselected=7)
    assert "replay:" not in run(pytester, "-k", "kind", passed=1, deselected=7)


def test_one_cassette_for_several_tests(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """The first one records it and the others play that, or each would undo what the one before has recorded."""
    pytester.makepyfile(
        ASK
        + """
pytestmark = pytest.mark.replay("shared")

def test_first(replay_client):
    assert ask(replay_client) == "re: hi"

def test_second(replay_client):
    assert ask(replay_client) == "re: hi"

@pytest.mark.replay(in_order=False)
def test_third(replay_client, replay_cassette):
    assert ask(replay_client) == "re: hi"
    assert replay_cassette.name == "shared.json"
"""
    )
    assert "replay: 2 played, 1 recorded" in run(pytester, "--replay-mode=record", passed=3)
    assert len(api.received) == 1
    assert "replay: 3 played" in run(pytester, passed=3)


def test_one_name_for_tests_that_ask_differently(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """It is said that the name is the mistake: recording again would not help."""
    pytester.makepyfile(
        test_it=ASK
        + """
@pytest.mark.replay("shared")
@pytest.mark.parametrize("text", ["a", "b"])
def test_it(replay_client, text):
    ask(replay_client, text)
"""
    )
    printed = run(pytester, "--replay-mode=record", passed=1, failed=1)
    assert "test_it.py::test_it[a] has recorded it just now" in printed
    assert "ecord it again" not in printed


RECORDING = (
    ASK
    + """
def test_good(replay_client):
    assert ask(replay_client) == "re: hi"

def test_new(replay_client):
    assert ask(replay_client) == EXPECTED

def test_old(replay_client):
    assert ask(replay_client) == EXPECTED

def test_missing(replay_client):
    assert ask(replay_client) == "re: hi"
    if EXPECTED != "re: hi":
        assert ask(replay_client, "more") == EXPECTED

def test_skipped(replay_client):
    if ask(replay_client) != EXPECTED:
        pytest.skip("no quota")

def test_left(replay_client):
    if ask(replay_client) != EXPECTED:
        pytest.exit("left")

@pytest.mark.replay("shared")
def test_first(replay_client):
    assert ask(replay_client) == EXPECTED

@pytest.mark.replay("shared")
def test_second(replay_client):
    assert ask(replay_client) == "re: hi"
"""
)


def test_a_recording_that_fails(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """The cassette is put back as it was, or removed where there was none, and the failure says so."""
    pytester.makepyfile(test_it=RECORDING + "\nEXPECTED = 're: hi'")
    run(pytester, "--replay-mode=record", "-k", "not new and not first", passed=6, deselected=2)
    cassettes = pytester.path / "cassettes"
    for file in cassettes.rglob("*.json"):
        file.write_bytes(file.read_bytes() + b"\r\n")
    before = {file: file.read_bytes() for file in cassettes.rglob("*.json")}
    assert len(before) == 6
    pytester.makepyfile(test_it=RECORDING + "\nEXPECTED = 'another'")
    printed = run(pytester, "--replay-mode=record-missing", "-k", "missing", failed=1, deselected=7)
    told = "What a failed test has recorded is not kept: cassettes/"
    assert f"{told}test_it/test_missing.json is again as it was before." in printed
    assert "replay: 1 played, 1 dropped" in printed
    printed = run(pytester, "--replay-mode=record", "-k", "new or old or skipped", failed=2, skipped=1, deselected=5)
    assert f"{told}test_it/test_old.json is again as it was before." in printed
    assert f"{told}test_it/test_new.json was removed: there was none before." in printed
    assert "replay: 3 dropped" in printed
    pytester.runpytest(*OPTIONS, "--replay-mode=record", "-k", "left")
    assert {file: file.read_bytes() for file in cassettes.rglob("*.json")} == before
    printed = run(pytester, "--replay-mode=record", "-k", "first or second", passed=1, failed=1, deselected=6)
    assert f"{told}shared.json is again as it was before." in printed
    assert "replay: 1 recorded, 1 dropped" in printed
    assert (cassettes / "shared.json").read_bytes() != before[cassettes / "shared.json"]


# --- failures -------------------------------------------------------------------------------------------------------

FAILING = (
    ASK
    + """
TEXT = ["hi", "there"]

def test_right(replay_client):
    for text in TEXT:
        ask(replay_client, text)

def test_left_over(replay_client):
    for text in TEXT:
        ask(replay_client, text)

def test_own_exception(replay_client):
    for text in TEXT:
        ask(replay_client, text)
    assert TEXT[-1] == "there"

def test_mismatch(replay_client):
    for text in TEXT:
        ask(replay_client, text)

def test_swallowed(replay_client):
    for text in TEXT:
        try:
            ask(replay_client, text)
        except Exception:
            pass

def test_swallowed_and_then(replay_client):
    for text in TEXT:
        try:
            ask(replay_client, text)
        except Exception:
            raise ValueError("taken for an outage") from None

def test_skipped(replay_client):
    ask(replay_client)
    if len(TEXT) == 1:
        pytest.skip("not now")

@pytest.mark.xfail(strict=True)
def test_expected_to_fail(replay_client):
    for text in TEXT:
        ask(replay_client, text)
    assert len(TEXT) == 1
"""
)


def failing(pytester: pytest.Pytester, text: str, *names: str) -> None:
    """The file, in which these tests ask something else than what was recorded."""
    lines = [f"    if request.node.name == {name!r}:\n        TEXT[:] = {text}" for name in names]
    changed = "\n@pytest.fixture(autouse=True)\ndef change(request):\n    TEXT[:] = ['hi', 'there']\n" + "\n".join(
        lines
    )
    pytester.makepyfile(test_it=FAILING + changed)


def test_what_is_wrong_fails_the_test_itself(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """Not its teardown; it says how to record anew; and a test that has failed is not told about leftovers."""
    failing(pytester, "[]")
    run(pytester, "--replay-mode=record", passed=7, xfailed=1)
    failing(pytester, "['hi']", "test_left_over", "test_own_exception", "test_skipped", "test_expected_to_fail")
    printed = run(pytester, passed=4, failed=2, skipped=1, xfailed=1)
    assert "cassettes/test_it/test_left_over.json: " in printed
    assert "1 of 2 recorded exchanges were not asked for" in printed
    command = "pytest test_it.py::test_left_over --replay-mode=record"
    assert f"If the program is meant to ask for less, record it again: {command}\n" in printed
    assert "assert 'hi' == 'there'" in printed
    assert "test_own_exception.json" not in printed
    assert "replay: 12 played, 2 left over" in printed  # the other is of the test that may fail
    names = "test_mismatch", "test_swallowed", "test_swallowed_and_then"
    failing(pytester, "['hi', 'where']", *names)
    printed = run(pytester, "-k", " or ".join(names), failed=3, deselected=5)
    assert printed.count("$.contents[0].parts[0].text") >= 3
    assert printed.count("recorded 'there', now 'where'") or printed.count('recorded "there", now "where"')
    for name in names:
        assert f"If the change is meant, record it again: pytest test_it.py::{name} --replay-mode=record\n" in printed
    assert "ValueError: taken for an outage" in printed
    assert "FAILED test_it.py::test_swallowed_and_then - chatproto_replay.errors.RequestM" in printed


def test_how_to_record_again(pytester: pytest.Pytester, api: LoopbackServer, away: Any) -> None:
    """The command for this very test: a request has changed, was added or dropped, with a client or a server."""
    asking = """
from google import genai
def ask(client, texts):
    for text in texts:
        client.chats.create(model="m").send_message(text)
def test_changed(replay_client): ask(replay_client, CHANGED)
def test_added(replay_client): ask(replay_client, ADDED)
def test_dropped(replay_client): ask(replay_client, DROPPED)
def test_server_changed(replay_server): ask(genai.Client(), CHANGED)
def test_server_added(replay_server): ask(genai.Client(), ADDED)
def test_server_dropped(replay_server): ask(genai.Client(), DROPPED)
"""
    pytester.makepyfile(test_it=f"{asking}\nCHANGED = ADDED = DROPPED = ['a', 'b']")
    run(pytester, "--replay-mode=record", passed=6)
    away()
    pytester.makepyfile(test_it=f"{asking}\nCHANGED, ADDED, DROPPED = ['a', 'x'], ['a', 'b', 'c'], ['a']")
    printed = run(pytester, failed=6)
    for name in ("changed", "added", "dropped", "server_changed", "server_added", "server_dropped"):
        assert f", record it again: pytest test_it.py::test_{name} --replay-mode=record\n" in printed, name


def test_a_cassette_that_is_not_there(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """The failure has the command that records it, from the folder where pytest was started; nothing is sent."""
    folder = pytester.mkdir("some where")
    (folder / "test_it.py").write_text(
        ASK
        + """
@pytest.mark.parametrize("text", ["a b"])
def test_one(replay_client, text):
    ask(replay_client, text)

def test_two(replay_server):
    pass

@pytest.fixture
def early(replay_client):
    return ask(replay_client)

def test_three(early):
    pass
"""
    )
    printed = run(pytester, failed=1, errors=2)
    assert "there is no cassette at some where/cassettes/test_it/test_one-a_b-" in printed
    assert "  pytest 'some where/test_it.py::test_one[a b]' --replay-mode=record" in printed
    assert "  pytest 'some where/test_it.py::test_two' --replay-mode=record" in printed
    assert printed.count("Record it with:") >= 3
    assert "Traceback" not in printed
    assert api.received == []


def test_markers_that_make_no_sense(pytester: pytest.Pytester) -> None:
    """Each is an error that names the test, and what the marker takes."""
    pytester.makepyfile(
        """
import pytest
@pytest.mark.replay("a", "b")
def test_two_names(replay_cassette): pass
@pytest.mark.replay(cut="events")
def test_unknown(replay_cassette): pass
@pytest.mark.replay(3)
def test_no_text(replay_cassette): pass
@pytest.mark.replay(cuts="all")
def test_cuts(replay_cassette): pass
@pytest.mark.replay(mode="once")
def test_mode(replay_cassette): pass
def test_interruption(replay_interruption): pass
def test_both(replay_server, replay_transport): pass
@pytest.fixture
def asked(replay_async_client): pass
def test_both_by_another_fixture(replay_server, asked): pass
@pytest.mark.replay(faults=["x"])
def test_faults(replay_server): pass
"""
    )
    printed = run(pytester, errors=9)
    for words in (
        "was given 2 names",
        "and was given cut",
        "is text, not 3",
        "cuts is one of events, every-byte, not 'all'",
        "the marker's mode is one of replay, record, record-missing, live, not 'once'",
        "replay_interruption is for tests whose marker has cuts",
        "a test takes replay_server or a transport",
        "replay_server knows no faults and no cuts",
    ):
        assert words in printed, words
    assert "there is no cassette" not in printed


def test_a_test_that_never_begins(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """What its fixtures have opened is closed all the same, and what they have recorded is not kept."""
    pytester.makepyfile(
        test_it=ASK
        + """
@pytest.fixture
def broken():
    raise ValueError("broken")

@pytest.fixture
def early(replay_client):
    return ask(replay_client)

def test_server(replay_server, broken):
    pass

def test_client(early, broken):
    pass

def test_dynamic(request):
    request.getfixturevalue("replay_client")

@pytest.mark.replay
def test_dynamic_with_marker(request):
    assert ask(request.getfixturevalue("replay_client")) == "re: hi"
"""
    )
    printed = run(pytester, "--replay-mode=record", passed=1, failed=1, errors=2)
    assert "replay: 1 recorded, 1 dropped" in printed
    assert "a replay_ fixture is an argument of the test, or else the test has the marker replay" in printed
    assert [file.stem for file in pytester.path.rglob("*.json")] == ["test_dynamic_with_marker"]
    assert not [thread for thread in threading.enumerate() if thread.name == "chatproto replay server"]


def test_a_marker_without_a_fixture(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """Such a test would be green and play nothing; a marker on a class or a module may be there for other tests."""
    pytester.makepyfile(
        test_it="""
import pytest

@pytest.mark.replay("capital")
def test_alone(): pass

@pytest.mark.parametrize("case", [pytest.param(1, marks=pytest.mark.replay("one"))])
def test_case(case): pass

@pytest.mark.replay
def test_asks_for_nothing(request): pass

@pytest.fixture
def by(replay_cassette): pass

@pytest.mark.replay
def test_by_another_fixture(by): pass

@pytest.mark.replay("group")
class TestGroup:
    def test_of_another_kind(self): pass
"""
    )
    printed = run(pytester, passed=2, failed=1, errors=2)
    assert "test_it.py::test_alone has the marker replay and takes none of its fixtures" in printed
    assert "replay_client, replay_interruption, replay_mode, replay_server, replay_transport" in printed


# --- modes ----------------------------------------------------------------------------------------------------------


def test_which_mode_wins(pytester: pytest.Pytester, api: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, the environment, the marker, ``replay``: the first that is given."""
    pytester.makepyfile(
        """
import os
import pytest

def test_plain(replay_mode):
    assert replay_mode == os.environ.get("EXPECTED", "replay")

@pytest.mark.replay(mode="live")
def test_marked(replay_mode):
    assert replay_mode == os.environ.get("EXPECTED", "live")
"""
    )
    run(pytester, passed=2)
    monkeypatch.setenv("EXPECTED", "record-missing")
    monkeypatch.setenv("CHATPROTO_REPLAY_MODE", "record-missing")
    run(pytester, passed=2)
    monkeypatch.setenv("EXPECTED", "replay")
    run(pytester, "--replay-mode=replay", passed=2)
    monkeypatch.setenv("CHATPROTO_REPLAY_MODE", "sometimes")
    assert "is one of replay, record, record-missing, live, not 'sometimes'" in run(pytester, errors=2)


def test_live_and_missing(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """``live`` writes nothing; ``record-missing`` sends what no cassette has."""
    pytester.makepyfile(
        ASK
        + """
def test_it(replay_client, replay_cassette, replay_mode):
    for text in ("a", "b"):
        assert ask(replay_client, text) == f"re: {text}"
    assert replay_cassette.exists() == (replay_mode != "live")
"""
    )
    assert "replay:" not in run(pytester, "--replay-mode=live", passed=1)
    assert "replay: 2 recorded" in run(pytester, "--replay-mode=record-missing", passed=1)
    assert "replay: 2 played" in run(pytester, "--replay-mode=record-missing", passed=1)
    assert len(api.received) == 4


# --- the network ----------------------------------------------------------------------------------------------------


def test_the_network(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """Blocked for the test and its own fixtures, while it plays; free for others, and for hosts that are named."""
    pytester.makepyfile(
        ASK
        + """
import socket
import unittest
from chatproto_replay.network import NetworkBlocked

def look_up(name="example.invalid"):
    try:
        socket.getaddrinfo(name, 80)
    except socket.gaierror:
        return "free"

@pytest.fixture(scope="session")
def wide():
    return look_up()

@pytest.fixture
def narrow():
    with pytest.raises(NetworkBlocked):
        look_up()

def test_blocked(replay_mode, wide, narrow):
    assert wide == "free"
    with pytest.raises(NetworkBlocked, match="pytest test_the_network.py::test_blocked --replay-mode=record"):
        look_up()
    look_up("localhost")

def test_not_caught(replay_mode):
    look_up()

@pytest.mark.replay(allow_hosts=["*.invalid"])
def test_allowed(replay_mode):
    assert look_up() == "free"

@pytest.mark.replay(mode="live")
def test_live(replay_mode):
    assert look_up() == "free"

def test_of_another_kind():
    assert look_up() == "free"

@pytest.mark.replay
class TestCase(unittest.TestCase):
    def test_method(self):
        with self.assertRaises(NetworkBlocked):
            look_up()
"""
    )
    printed = run(pytester, passed=5, failed=1)
    assert (
        "NetworkBlocked: the network is blocked while recordings are played: example.invalid was asked for." in printed
    )
    assert "allow_hosts of its marker" in printed
    run(pytester, "--replay-network=allow", "-k", "not_caught or allowed", passed=2, deselected=4)


# --- programs for google-genai --------------------------------------------------------------------------------------

PROGRAM = """
from google import genai

def capital(text):
    client = genai.Client()
    chat = client.chats.create(model="m")
    streamed = "".join(each.text for each in chat.send_message_stream(text))
    return streamed, chat.send_message("more").text

async def acapital(text):
    client = genai.Client()
    chat = client.aio.chats.create(model="m")
    streamed = "".join([each.text async for each in await chat.send_message_stream(text)])
    return streamed, (await chat.send_message("more")).text
"""


def test_a_program_for_google_genai(
    pytester: pytest.Pytester, api: LoopbackServer, away: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded and played without a change: the environment leads it to the server."""
    pytester.makepyfile(
        program=PROGRAM,
        test_program="""
import asyncio
import os
from program import acapital, capital

def test_sync(replay_server, replay_mode):
    assert capital("hi") == ("re: hi", "re: more")
    assert os.environ["GOOGLE_GEMINI_BASE_URL"] == replay_server.url
    assert (os.environ["GEMINI_API_KEY"] == "a-key-that-opens-nothing") == (replay_mode == "replay")

def test_async(replay_server):
    assert asyncio.run(acapital("hi")) == ("re: hi", "re: more")

def test_more(replay_server):
    assert capital("hi") == ("re: hi", "re: more")

def test_in_process(replay_transport):
    import httpx
    from google import genai
    from chatproto_replay.clients.httpx_adapter import as_httpx_transport
    with httpx.Client(transport=as_httpx_transport(replay_transport)) as http:
        client = genai.Client(http_options={"httpx_client": http})
        assert client.models.generate_content(model="m", contents="hi").text == "re: hi"
""",
    )
    assert "replay: 7 recorded" in run(pytester, "--replay-mode=record", passed=4)
    for name in ("test_sync", "test_async", "test_more"):
        file = pytester.path / "cassettes" / "test_program" / f"{name}.json"
        assert KEY not in file.read_text()
        assert [each.request.path.rpartition(":")[2] for each in Cassette.load(file).exchanges] == [
            "streamGenerateContent",
            "generateContent",
        ]
    away()
    monkeypatch.setenv("GEMINI_API_KEY", "whatever")  # the client of test_in_process wants one
    assert "replay: 7 played" in run(pytester, passed=4)
    source = (pytester.path / "test_program.py").read_text()
    changed = source.replace(
        'test_more(replay_server):\n    assert capital("hi")', 'test_more(replay_server):\n    assert capital("ho")'
    )
    (pytester.path / "test_program.py").write_text(changed.replace("assert asyncio.run(acapital", "0 and (acapital"))
    printed = run(pytester, passed=2, failed=2)
    assert "test_async.json: nothing of it was asked for" in printed
    assert "$.contents[0].parts[0].text" in printed
    assert "--replay-mode=record" in printed


def test_a_server_for_several_chats_at_once(pytester: pytest.Pytester, api: LoopbackServer, away: Any) -> None:
    """``in_order=False`` holds for the server too."""
    pytester.makepyfile(
        program="""
from google import genai
TEXTS = ["a", "b"]
def ask():
    client = genai.Client()
    return [client.models.generate_content(model="m", contents=text).text for text in TEXTS]
""",
        test_it="""
import program
import pytest

@pytest.mark.replay(in_order=False)
def test_any(replay_server):
    assert set(program.ask()) == {"re: a", "re: b"}

@pytest.mark.replay
def test_in_order(replay_server):
    assert set(program.ask()) == {"re: a", "re: b"}
""",
    )
    run(pytester, "--replay-mode=record", passed=2)
    away()
    program = (pytester.path / "program.py").read_text()
    (pytester.path / "program.py").write_text(program.replace('["a", "b"]', '["b", "a"]'))
    assert "FAILED test_it.py::test_in_order" in run(pytester, passed=1, failed=1)


REFUSED = """
import pytest
from google import genai

def ask():
    client = genai.Client()
    return client.models.generate_content(model="m", contents=TEXT).text

def test_let_through(replay_server):
    ask()

def test_made_another(replay_server):
    try:
        ask()
    except Exception as error:
        raise RuntimeError("the model is away") from error

def test_swallowed(replay_server):
    try:
        said = ask()
    except Exception:
        said = ""
    assert said == "re: it's \\"hi\\""

def test_skipped(replay_server):
    try:
        ask()
    except Exception:
        pytest.skip("no quota")
"""


def test_a_server_that_refuses(
    pytester: pytest.Pytester, api: LoopbackServer, away: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test fails by the refusal, whatever the program made of it; its report stands once, and where it was."""
    pytester.makepyfile(test_it=REFUSED + """TEXT = 'it\\'s "hi"'\n""")
    run(pytester, "--replay-mode=record", passed=4)
    away()
    pytester.makepyfile(test_it=REFUSED + """TEXT = 'it\\'s "ho"'\n""")
    monkeypatch.setenv("COLUMNS", "200")
    for name, words in {
        "let_through": "After that, the test failed by google.genai.errors.ClientError",
        "made_another": "After that, the test failed by RuntimeError: the model is away",
        "swallowed": "After that, the test failed by AssertionError: assert '' == ",
    }.items():
        printed = run(pytester, "-k", name, failed=1, deselected=3)
        found = "chatproto_replay.errors.RequestMismatch: cassettes/test_it/test_"
        assert f"FAILED test_it.py::test_{name} - {found}" in printed
        assert words in printed
        assert printed.count("The chats part at") == 1, name
        assert "test_it.py:" in printed
        assert "site-packages" not in printed
        assert "running.py" not in printed
    run(pytester, "-k", "skipped", skipped=1, deselected=3)


def test_nothing_was_sent(
    pytester: pytest.Pytester, api: LoopbackServer, away: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that records nothing fails then, and not for ever after; it says who may have made a client too early."""
    pytester.makepyfile(
        early="""
from google import genai
client = genai.Client()
def ask():
    return client.models.generate_content(model="m", contents="hi").text
""",
        test_it="""
import early
def test_server(replay_server):
    assert early.ask() == "re: hi"
def test_client(replay_client):
    pass
def test_later(replay_server):
    from google import genai
    early.client = genai.Client() if LATER else early.client
    early.ask()
def test_swallowed(replay_server):
    from google import genai
    early.client = genai.Client() if LATER else early.client
    try:
        early.ask()
    except BaseException:
        pass
LATER = True
""",
    )
    printed = run(pytester, "--replay-mode=record", passed=2, failed=2)
    assert "nothing was sent through replay_server, so there is nothing to play. Perhaps the program made" in printed
    assert "Make the client in a function, or import the module in the test." in printed
    assert "nothing was sent through the fixture, so there is nothing to play. Give the program the client" in printed
    source = (pytester.path / "test_it.py").read_text()
    (pytester.path / "test_it.py").write_text(source.replace("LATER = True", "LATER = False"))
    away()
    monkeypatch.setenv("GEMINI_API_KEY", "whatever")  # the early client wants one
    printed = run(pytester, "-k", "later or swallowed", failed=2, deselected=2)
    assert printed.count("Make the client in a function, or import the module in the test.") == 2
    assert "test_swallowed.json: nothing of it was asked for" in printed
    assert "NetworkBlocked" in printed


# --- faults and interruptions ---------------------------------------------------------------------------------------


def test_faults(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """They happen on the way, and a fault that did not happen fails a test that is not about it."""
    pytester.makepyfile(
        ASK
        + """
from chatproto_replay import faults
OPTIONS = {"retry_options": {"attempts": 2, "initial_delay": 1.0, "jitter": 0.0}}

@pytest.mark.replay("hi", faults=[faults.status(429, retry_after=7)])
def test_retry(replay_transport):
    import chatproto
    client = chatproto.Client(transport=replay_transport, http_options=OPTIONS)
    assert ask(client) == "re: hi"
    assert len(replay_transport.struck) == 1

@pytest.mark.replay("hi", faults=faults.cut(at=1_000_000))
def test_nothing_happens(replay_client):
    ask(replay_client)

@pytest.mark.replay("hi")
def test_plain(replay_client):
    ask(replay_client)
"""
    )
    run(pytester, "--replay-mode=record", "-k", "plain", passed=1, deselected=2)
    printed = run(pytester, passed=2, failed=1)
    assert "cassettes/hi.json: these faults did not happen:" in printed
    assert "at=1000000" in printed


INTERRUPTED = (
    ASK
    + """
import chatproto

seen = []

def converse(client):
    chat = client.chats.create(model="m")
    try:
        for _ in chat.send_message_stream("hi"):
            pass
    except chatproto.errors.ChatProtoError as error:
        seen.append(type(error).__name__)
    else:
        seen.append("whole")
    return chat

@pytest.fixture(autouse=True)
def write(request):
    seen.clear()
    yield
    with open(f"{request.node.name}.txt", "w") as file:
        file.write(" ".join(seen))

@pytest.mark.replay("chat", cuts="every-byte")
def test_every_byte(replay_client):
    chat = converse(replay_client)
    assert len(chat.get_history(curated=True)) in (0, 2)

@pytest.mark.replay("chat", cuts="events")
def test_events(replay_transport):
    converse(chatproto.Client(transport=replay_transport))

@pytest.mark.replay("chat", cuts="events")
def test_async(replay_async_client):
    async def main():
        chat = replay_async_client.chats.create(model="m")
        try:
            async for _ in await chat.send_message_stream("hi"):
                pass
        except chatproto.errors.ChatProtoError as error:
            seen.append(type(error).__name__)
        else:
            seen.append("whole")
    asyncio.run(main())

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
@pytest.mark.replay("chat", cuts="events")
async def test_anyio(replay_async_client):
    chat = replay_async_client.chats.create(model="m")
    try:
        async for _ in await chat.send_message_stream("hi"):
            pass
    except chatproto.errors.ChatProtoError as error:
        seen.append(type(error).__name__)
    else:
        seen.append("whole")

@pytest.mark.replay("chat", cuts="every-byte")
def test_machines(replay_interruption):
    seen.append(replay_interruption.way)
    assert replay_interruption.whole in (True, False)
    assert len(replay_interruption.conversation.turns) == 1
"""
)


def test_interruptions(pytester: pytest.Pytester, api: LoopbackServer, away: Any) -> None:
    """One test is run for each: every byte in each way, or events and a byte to either side; machines too."""
    pytester.makepyfile(test_it=INTERRUPTED)
    run(pytester, "--replay-mode=record", "-k", "machines", skipped=1, deselected=4)
    printed = run(pytester, "--replay-mode=record", passed=5)
    assert ", 1 recorded" in printed  # by the first, without interruptions; the others are interrupted already
    away()
    run(pytester, passed=5)
    (exchange,) = Cassette.load(pytester.path / "cassettes" / "chat.json").exchanges
    assert exchange.response is not None
    size = len(exchange.response.content)

    def seen(name: str) -> list[str]:
        return (pytester.path / f"{name}.txt").read_text().split()

    every = seen("test_every_byte")
    assert len(every) == 2 * size + 1
    assert every[0] == "ConnectionLost"
    assert {"ConnectionLost", "whole"} <= set(every)
    events = seen("test_events")
    assert 10 <= len(events) < 40
    assert seen("test_async") == seen("test_anyio") == events
    machines = seen("test_machines")
    assert len(machines) == 3 * (size + 1)
    assert set(machines) == {"lost", "ended", "left"}


def test_an_interruption_that_fails(pytester: pytest.Pytester, api: LoopbackServer) -> None:
    """It says which, and how to run it alone."""
    pytester.makepyfile(
        test_it=ASK
        + """
import chatproto

@pytest.mark.replay("chat", cuts="every-byte")
def test_it(replay_client, replay_mode):
    chat = replay_client.chats.create(model="m")
    seen = []
    try:
        seen += [each.text for each in chat.send_message_stream("hi")]
    except chatproto.errors.ConnectionLost as error:
        assert error.partial is None

@pytest.mark.replay("chat", cuts="every-byte")
def test_machine(replay_interruption):
    assert replay_interruption.at < 20

@pytest.mark.replay("none", cuts="events")
def test_missing(replay_interruption):
    pass
"""
    )
    run(pytester, "--replay-mode=record", "-k", "test_it.py and not machine and not missing", passed=1, deselected=2)
    printed = run(pytester, failed=3)
    (note,) = {line.partition("This one alone: ")[2] for line in printed.splitlines() if "--replay-cut=" in line
               and "test_it::" not in line and "::test_it " in line}  # fmt: skip
    assert note.startswith("pytest test_it.py::test_it --replay-cut=1:")
    assert "Interrupted: the answer of exchange 1 broke off after" in printed
    assert "pytest test_it.py::test_machine --replay-cut=1:20:lost" in printed
    assert "Interrupted: the answer of exchange 1 broke off after 20 bytes." in printed
    assert "there is no cassette at cassettes/none.json. This test sends nothing that could be recorded" in printed
    again = run(pytester, *note.split()[1:], failed=1)
    assert note in again
    run(pytester, "test_it.py::test_it", "--replay-cut=1:0:lost", passed=1)
    run(pytester, "test_it.py::test_machine", "--replay-cut=1:19:left", passed=1)
    assert "has no interruption 1:x:lost (EXCHANGE:BYTE:WAY)" in run(
        pytester, "test_it.py::test_it", "--replay-cut=1:x:lost", failed=1
    )


STRICT = (
    ASK
    + """
import chatproto
from chatproto_replay import faults
TEXTS = ["a", "b"]

def converse(client, texts=TEXTS):
    for text in texts:
        try:
            ask(client, text)
        except chatproto.errors.ChatProtoError:
            return

@pytest.mark.replay("chat", cuts="events")
def test_right(replay_client):
    converse(replay_client)

@pytest.mark.replay("chat", cuts="events", faults=[faults.status(503)])
def test_with_another_fault(replay_transport):
    options = {"retry_options": {"attempts": 2, "initial_delay": 1.0, "jitter": 0.0}}
    converse(chatproto.Client(transport=replay_transport, http_options=options))

@pytest.mark.replay("chat", cuts="events")
def test_asks_again(replay_client):
    converse(replay_client)
    converse(replay_client, ["again"])

@pytest.mark.replay("chat", cuts="every-byte")
def test_not_recorded(replay_client):
    converse(replay_client, ["x", "b"])

@pytest.mark.replay("chat", cuts="events")
def test_sends_nothing(replay_client):
    pass

@pytest.mark.replay("chat", cuts="events")
def test_stops_before(replay_client):
    converse(replay_client, ["a"])

@pytest.mark.replay("chat", cuts="events")
def test_raises(replay_client):
    ask(replay_client, "x")
"""
)


def test_strict_until_it_is_interrupted(pytester: pytest.Pytester, api: LoopbackServer, away: Any) -> None:
    """A request that was not recorded fails the test, and so does what was not asked for; after the cut, neither."""
    pytester.makepyfile(test_it=STRICT)
    run(pytester, "--replay-mode=record", "-k", "right", passed=1, deselected=6)
    away()
    printed = run(pytester, passed=3, failed=4)
    assert "FAILED test_it.py::test_not_recorded" in printed
    assert printed.count('$.contents[0].parts[0].text: recorded "a", now "x"') == 2
    assert "of exchange 1 broke off after 0 bytes. This one alone: pytest test_it.py::test_sends_nothing" in printed
    assert "2 of 2 recorded exchanges were not asked for" in printed
    assert "of exchange 2 broke off after 0 bytes. This one alone: pytest test_it.py::test_stops_before" in printed
    assert "1 of 2 recorded exchanges were not asked for" in printed


# --- the plug-in itself ---------------------------------------------------------------------------------------------


def test_without_the_plug_in(pytester: pytest.Pytester) -> None:
    """``-p no:chatproto_replay`` takes it away; with it, the marker is known and explained."""
    pytester.makepyfile("import pytest\n@pytest.mark.replay\ndef test_it(replay_mode):\n    pass\n")
    run(pytester, passed=1)
    result = pytester.runpytest_subprocess(*OPTIONS, "-p", "no:chatproto_replay")
    assert "'replay' not found in `markers` configuration option" in str(result.stdout)
    result = pytester.runpytest_subprocess("--markers")
    assert "@pytest.mark.replay(name=None, *, mode=None" in str(result.stdout)
    result = pytester.runpytest_subprocess("--help")
    assert "--replay-mode={replay,record,record-missing,live}" in str(result.stdout)


def test_what_it_imports() -> None:
    """It is imported by every run of pytest: no client, no types, no HTTP library, no hook."""
    script = """
import sys
added = []
sys.addaudithook(lambda event, _: added.append(event) if event == "sys.addaudithook" else None)
import chatproto_replay.pytest_plugin.plugin
heavy = ["chatproto.client", "chatproto.types.content", "chatproto.chats", "aiohttp", "httpx", "httpx2", "requests",
         "click", "yaml", "asyncio", "cattrs", "pydantic", "jsonschema", "hypothesis"]
loaded = [name for name in heavy if name in sys.modules and name not in before]
assert not loaded, loaded
assert not added
"""
    subprocess.run([sys.executable, "-c", f"import pytest, sys; before = set(sys.modules)\n{script}"], check=True)
    assert Path(sys.executable).exists()
