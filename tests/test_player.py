"""Player: strict replay from a cassette."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto import Client
from chatproto.errors import (
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    TimedOut,
    TransportError,
    ValidationError,
)
from chatproto.transport import AsyncTransport, Secrets, Transport
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode
from chatproto_replay import (
    Body,
    Cassette,
    CassetteError,
    CassetteExhausted,
    CassetteMissing,
    Chunk,
    Exchange,
    Failure,
    Player,
    RecordedRequest,
    RecordedResponse,
    RequestMismatch,
    UnplayedExchanges,
    rules,
)
from chatproto_replay.redaction.bodies import Redaction

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
HOST = "https://generativelanguage.googleapis.com"
PATH = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
SECRETS = Secrets({}, url=HOST)
AGAIN = 'If the change is meant, record it again, in mode "record".'


def contents(*texts: str) -> dict[str, Any]:
    """The body of a request, with one content for each text."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]} for text in texts]}


def request_for(document: Any, *, url: str = f"{HOST}{PATH}?alt=sse", method: str = "POST") -> Request:
    """A request with this JSON."""
    return Request(method=method, url=url, body=(encode(document),))


def exchange_for(document: Any, *chunks: bytes, **more: Any) -> Exchange:
    """A recorded exchange of this JSON."""
    response = RecordedResponse(status=200, chunks=tuple(Chunk(50, data) for data in chunks), **more)
    request = RecordedRequest(method="POST", path=PATH, query=(("alt", "sse"),), body=Body("json", document))
    return Exchange(request=request, response=response)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


def cassette(path: Path, *exchanges: Exchange) -> Path:
    """Write a cassette of these exchanges."""
    Cassette(exchanges=exchanges).save(path)
    return path


def play(player: Player, request: Request) -> list[bytes]:
    """All chunks of the next exchange."""
    with player.open(request, SECRETS) as response:
        return list(iter(response.read, b""))


def test_it_is_a_transport_of_both_kinds(path: Path) -> None:
    """One class serves both drivers, and asks for no key."""
    player = Player(cassette(path))
    sync: Transport = player
    both: AsyncTransport = player
    assert isinstance(sync, Transport)
    assert isinstance(both, AsyncTransport)
    assert not player.needs_credential


def test_chunks_come_as_they_were_cut(path: Path) -> None:
    """Each read gives one recorded chunk, at once; sleeping is noted and takes no time."""
    with Player(cassette(path, exchange_for(contents("hi"), b"data: 1\r", b"\n\xc3", b"\xa9"))) as player:
        player.sleep(3600)
        assert play(player, request_for(contents("hi"))) == [b"data: 1\r", b"\n\xc3", b"\xa9"]
        assert (player.slept, player.played) == ([3600], 1)


def test_pace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pace, chunks come in their recorded time, times that number; sync and async wait the same."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr("asyncio.sleep", wait)
    cassette(path, exchange_for(contents("hi"), b"a", b"b"))
    with Player(path, pace=0.5) as player:
        assert play(player, request_for(contents("hi"))) == [b"a", b"b"]

    async def run() -> None:
        async with Player(path, pace=2) as player, player.aopen(request_for(contents("hi")), SECRETS) as response:
            assert [await response.aread() for _ in range(3)] == [b"a", b"b", b""]

    asyncio.run(run())
    assert waited == [0.025, 0.025, 0.1, 0.1]


def test_asyncio(path: Path) -> None:
    """The same file, awaited."""

    async def run() -> list[bytes]:
        got: list[bytes] = []
        async with Player(path) as player:
            await player.asleep(60)
            async with player.aopen(request_for(contents("hi")), SECRETS) as response:
                while data := await response.aread():
                    got.append(data)
                response.discard()
            assert player.slept == [60]
            await player.aclose()
        with pytest.raises(UnplayedExchanges):
            async with Player(path):
                pass
        return got

    cassette(path, exchange_for(contents("hi"), b"a", b"b"))
    assert asyncio.run(run()) == [b"a", b"b"]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(
            Request(method="POST", url=f"http://localhost:1{PATH}?alt=sse", body=(b'{"a":1,"b":[1.0]}',)), id="host"
        ),
        pytest.param(
            Request(method="POST", url=f"{HOST}{PATH}?alt=sse", body=(b'{ "b": [1],', b'"a": 1 }')), id="json"
        ),
        pytest.param(
            Request(
                method="POST", url=f"{HOST}{PATH}?key=abc&alt=sse", headers=(("x", "y"),), body=(b'{"a":1,"b":[1]}',)
            ),
            id="key and headers",
        ),
    ],
)
def test_what_does_not_matter(path: Path, request_: Request) -> None:
    """The host, white space, the order of keys, the pieces of the body, headers and ``key`` are not compared."""
    with Player(cassette(path, exchange_for({"a": 1, "b": [1]}, b"x"))) as player:
        assert play(player, request_) == [b"x"]


def mismatch(player: Player, request: Request) -> RequestMismatch:
    """The error that playing this request raises."""
    with pytest.raises(RequestMismatch) as caught:
        play(player, request)
    assert issubclass(RequestMismatch, CassetteError)
    assert not issubclass(RequestMismatch, TransportError)
    return caught.value


def test_the_report_of_a_mismatch(path: Path) -> None:
    """It names the file, the exchange, each JSON path with what was and what is, and the content where chats part."""
    recorded = contents("hi", "there")
    recorded["contents"][1]["role"] = "model"
    recorded["contents"][1]["parts"].append({"functionCall": {}, "thoughtSignature": "c2ln"})
    now = contents("hi", "here", "more")
    now["contents"][1]["role"] = "model"
    now["contents"][1]["parts"].append({"functionCall": {}})
    now["generationConfig"] = {"a-b": True}
    player = Player(cassette(path, exchange_for({}, b"x"), exchange_for(recorded, b"x")))
    play(player, request_for({}))
    error = mismatch(player, request_for(now, url=f"{HOST}{PATH}?alt=json&other=1"))
    assert (error.exchange, error.content) == (2, 1)
    assert str(error) == (
        f"{path}: request POST {PATH} is not the recorded exchange 2 of 2\n"
        '  query.alt: recorded "sse", now "json"\n'
        "  query.other: recorded missing, now null\n"
        '  $.contents[1].parts[0].text: recorded "there", now "here"\n'
        '  $.contents[1].parts[1].thoughtSignature: recorded "c2ln", now missing\n'
        '  $.contents[2]: inserted, now {"role": "user", "parts": [{"text": "more"}]}\n'
        '  $.generationConfig: recorded missing, now {"a-b": true}\n'
        "The chats part at contents[1], the first function call.\n"
        f"{AGAIN}"
    )
    assert [each.path for each in error.differences][:2] == ["query.alt", "query.other"]


@pytest.mark.parametrize(
    ("recorded", "now", "line"),
    [
        ({"a": 1}, {"a": True}, "$.a: recorded 1, now true"),
        ({"a": None}, {}, "$.a: recorded null, now missing"),
        ({"a": {}}, {"a": []}, "$.a: recorded {}, now []"),
        ({"a-b": [1]}, {"a-b": [2]}, '$["a-b"][0]: recorded 1, now 2'),
        ({"a": "x" * 100 + "1"}, {"a": "x" * 100 + "2"}, f'$.a: recorded ..."{"x" * 24}1", now ..."{"x" * 24}2"'),
        ({"a": "x" * 100}, {"a": "y" * 100}, f'$.a: recorded "{"x" * 72}"..., now "{"y" * 72}"...'),
        ([1], {}, "$: recorded [1], now {}"),
    ],
)
def test_lines_of_the_report(path: Path, recorded: Any, now: Any, line: str) -> None:
    """Values are shown as JSON, cut around the place where they differ; true is not 1."""
    error = mismatch(Player(cassette(path, exchange_for(recorded))), request_for(now))
    assert str(error).splitlines()[1] == f"  {line}"


def test_other_mismatches(path: Path) -> None:
    """Method, path and the kind of the body count as well, and a long report is cut."""
    player = Player(cassette(path, exchange_for({str(n): n for n in range(50)})))
    other = Request(method="GET", url=f"{HOST}/v1?alt=sse")
    assert [str(each) for each in mismatch(player, other).differences][:2] == [
        'method: recorded "POST", now "GET"',
        f'path: recorded "{PATH}", now "/v1"',
    ]
    assert str(mismatch(player, other)).splitlines()[-2].startswith("  body: recorded json {")
    text = Request(method="POST", url=f"{HOST}{PATH}?alt=sse", body=(b"\xff",))
    assert "now b64 b'\\xff'\n" in str(mismatch(player, text))
    assert "and 30 more\n" in str(mismatch(player, request_for({})))


def test_order(path: Path) -> None:
    """A request that is recorded elsewhere is a mismatch that says where; the cursor stays, so the right one plays."""
    player = Player(cassette(path, exchange_for(contents("a"), b"1"), exchange_for(contents("b"), b"2")))
    error = mismatch(player, request_for(contents("b")))
    assert "\nIt equals exchange 2, which comes later.\n" in str(error)
    assert str(error).endswith("If the program has several chats at once, play with in_order=False.")
    assert (error.exchange, error.nearest) == (1, 2)
    assert play(player, request_for(contents("a"))) == [b"1"]
    error = mismatch(player, request_for(contents("a")))
    assert str(error).endswith(f"It equals exchange 1, which was played already.\n{AGAIN}")
    assert (error.exchange, error.nearest) == (2, 1)
    assert play(player, request_for(contents("b"))) == [b"2"]


def test_any_order(path: Path) -> None:
    """Without order, a request gets the first exchange that it equals and that was not played yet."""
    exchanges = [exchange_for(contents(text), text.encode(), str(n).encode()) for n, text in enumerate("abca")]
    with pytest.raises(RequestMismatch), Player(cassette(path, *exchanges), in_order=False) as player:
        assert play(player, request_for(contents("c"))) == [b"c", b"2"]
        assert play(player, request_for(contents("a"))) == [b"a", b"0"]
        assert play(player, request_for(contents("a"))) == [b"a", b"3"]
        assert (player.left, player.unplayed) == (1, (Cassette.load(path).exchanges[1],))
        error = mismatch(player, request_for(contents("a")))
        assert str(error).startswith(
            f"{path}: request POST {PATH} equals none of what is unplayed: exchange 2 of 4\n"
            '  $.contents[0].parts[0].text: recorded "b", now "a"\n'
        )
        assert "\nIt equals exchange 4, which was played already.\n" in str(error)
        assert (error.exchange, error.nearest) == (2, 4)
        assert play(player, request_for(contents("b"))) == [b"b", b"1"]
        with pytest.raises(CassetteExhausted):
            play(player, request_for(contents("b")))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.data())
def test_any_order_at_all(recorded: list[int], data: st.DataObject) -> None:
    """Whatever the order: all play, each exchange once, equal ones in the order in which they were recorded.

    ``find`` and ``open`` may take turns, and requests that are not there change nothing.
    """
    exchanges = [exchange_for({"n": n}, f"{n} {place}".encode()) for place, n in enumerate(recorded)]
    asked = data.draw(st.permutations(recorded))
    places = {n: [place for place, each in enumerate(recorded) if each == n] for n in recorded}
    with Player(Cassette(exchanges=tuple(exchanges)), in_order=False) as player:
        for count, n in enumerate(asked):
            assert player.find(request_for({"n": n, "more": 1})) is None
            expected = f"{n} {places[n].pop(0)}".encode()
            if data.draw(st.booleans()):
                assert play(player, request_for({"n": n})) == [expected]
            else:
                found = player.find(request_for({"n": n}))
                assert found is not None
                assert found.response is not None
                assert found.response.content == expected
            assert (player.played, player.left) == (count + 1, len(asked) - count - 1)
            left = [int(each.response.content.split()[1]) for each in player.unplayed if each.response is not None]
            assert left == sorted(place for some in places.values() for place in some)


def test_the_nearest_unplayed_exchange(path: Path) -> None:
    """Without order, a mismatch is reported against the exchange that is most like the request."""
    exchanges = [exchange_for(contents(f"tell me about {each}")) for each in ("rain", "the sea", "snow")]
    player = Player(cassette(path, *exchanges), in_order=False)
    error = mismatch(player, request_for(contents("tell me of the sea")))
    assert str(error).startswith(
        f"{path}: request POST {PATH} equals none of the 3 unplayed exchanges, and is nearest to exchange 2 of 3\n"
    )
    assert (error.exchange, error.nearest) == (2, 2)


def test_the_nearest_exchange_is_named(path: Path) -> None:
    """In order, the report compares with the next exchange, and names another one that is nearer."""
    chats = [contents("hi"), contents("hi", "and then", "what next"), contents("hi", "and then", "what next", "more")]
    player = Player(cassette(path, *map(exchange_for, chats)))
    error = mismatch(player, request_for(contents("hi", "and then", "what now", "more")))
    assert (error.exchange, error.nearest) == (1, 3)
    assert "\nIt is nearer to exchange 3, with 1 difference.\n" in str(error)
    assert "nearer" not in str(mismatch(player, request_for(contents("ho"))))


def test_find_and_respond(path: Path) -> None:
    """``find`` takes what equals a request, wherever it stands; ``respond`` plays it. None changes nothing."""
    exchanges = [exchange_for(contents(text), text.encode()) for text in "aba"]
    player = Player(cassette(path, *exchanges))
    assert player.find(request_for(contents("c"))) is None
    assert (player.played, player.left, player.recorded, player.mode) == (0, 3, 0, "replay")
    exchange = player.find(request_for(contents("b")))
    assert exchange == exchanges[1]
    assert (player.played, player.unplayed) == (1, (exchanges[0], exchanges[2]))
    assert player.find(request_for(contents("b"))) is None
    with player.respond(exchange, request_for(contents("b"))) as response:
        assert (response.status, response.read(), response.read()) == (200, b"b", b"")

    async def run() -> None:
        async with player.respond(exchange, request_for(contents("b"))) as response:
            assert (await response.aread(), await response.aread()) == (b"b", b"")

    asyncio.run(run())
    assert play(player, request_for(contents("a"))) == [b"a"]
    assert play(player, request_for(contents("a"))) == [b"a"]
    player.close()
    with pytest.raises(LocalProtocolError, match="closed"):
        player.find(request_for(contents("a")))


def test_a_cassette_in_memory() -> None:
    """It needs no file; ``name`` is what reports call it."""
    player = Player(Cassette(exchanges=(exchange_for(contents("a"), b"1"),)), name="the chat of Monday")
    assert player.path == "the chat of Monday"
    assert str(mismatch(player, request_for({}))).startswith("the chat of Monday: request")
    assert play(player, request_for(contents("a"))) == [b"1"]
    assert Player(Cassette()).path == "the cassette in memory"


def test_a_refusal_is_told_again(path: Path) -> None:
    """A program may swallow it, and a test must not pass over that: closing raises the first one, once."""
    player = Player(cassette(path, exchange_for(contents("a")), exchange_for(contents("b"))))
    first = mismatch(player, request_for(contents("b")))
    play(player, request_for(contents("a")))
    mismatch(player, request_for(contents("a")))
    play(player, request_for(contents("b")))
    with pytest.raises(RequestMismatch) as caught:
        player.close()
    assert caught.value is first
    player.close()
    with pytest.raises(CassetteExhausted), Player(path) as player:
        play(player, request_for(contents("a")))
        play(player, request_for(contents("b")))
        with suppress(CassetteExhausted):
            play(player, request_for(contents("c")))


def test_match_and_redact(path: Path) -> None:
    """Rules are applied to both sides; redactions to the request, which was recorded with them."""
    recorded = contents("on 2026-01-02, ask [who]")
    recorded["generationConfig"] = {"temperature": 0.5, "topK": 1}
    now = contents("on 2027-11-12, ask me@example.org")
    now["generationConfig"] = {"topK": 1}
    match = [
        rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE"),
        rules.ignore("$.generationConfig.temperature"),
    ]
    redact = [Redaction(r"\S+@\S+", by="[who]")]
    cassette(path, exchange_for(recorded, b"x"))
    now["generationConfig"]["topK"] = 2
    player = Player(path, match=match, redact=redact)
    assert [each.path for each in mismatch(player, request_for(now)).differences] == ["$.generationConfig.topK"]
    now["generationConfig"]["topK"] = 1
    with Player(path, match=match, redact=redact) as player:
        assert play(player, request_for(now)) == [b"x"]
    for fewer in ({"match": match}, {"match": match[:1], "redact": redact}, {"match": match[1:], "redact": redact}):
        mismatch(Player(path, **fewer), request_for(now))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pace": -1}, "pace: expected a number of 0 or more, found -1"),
        ({"pace": float("inf")}, "pace: expected"),
        ({"pace": float("nan")}, "pace: expected"),
        ({"match": "$.a"}, r"match is a list of rules, found '\$\.a'"),
        ({"match": rules.ignore("$.a")}, "match is a list of rules"),
        ({"match": ["$.a"]}, r"\$\.match\[0\]: expected a rule"),
        ({"redact": ["a"]}, r"\$\.redact\[0\]: expected a Redaction"),
    ],
)
def test_bad_options(options: dict[str, Any], words: str) -> None:
    """Said at construction."""
    with pytest.raises(ValidationError, match=words):
        Player(Cassette(), **options)


def test_a_report_quotes_no_credential(path: Path) -> None:
    """L15: a request that holds the key is refused without its words, and so is one too many."""
    secrets = Secrets({"x-goog-api-key": "an-api-key-of-mine"}, url=HOST)
    player = Player(cassette(path, exchange_for(contents("hi"))))
    request = request_for(contents("the key is an-api-key-of-mine"))
    with pytest.raises(RequestMismatch, match="withheld") as caught, player.open(request, secrets):
        pass
    assert "an-api-key" not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert (caught.value.exchange, caught.value.content) == (1, 0)
    beyond = request_for(contents(f"{'x' * 60} an-api-key-of-mine"))  # of which a report would quote the beginning
    with pytest.raises(RequestMismatch) as cut, player.open(beyond, secrets):
        pass
    assert "an-api" not in str(cut.value)
    play(player, request_for(contents("hi")))
    with pytest.raises(CassetteExhausted, match="withheld") as exhausted, player.open(request, secrets):
        pass
    assert "an-api-key" not in "".join(traceback.format_exception(exhausted.value))


def test_exhausted(path: Path) -> None:
    """One request too many is named, and whether it is a repetition."""
    player = Player(cassette(path, exchange_for(contents("hi"))))
    play(player, request_for(contents("hi")))
    with pytest.raises(CassetteExhausted) as caught:
        play(player, request_for(contents("hi", "ho")))
    assert str(caught.value) == (
        f"{path} has 1 exchange, all played, and there is one more request:"
        f' POST {PATH}, with the second user message "ho".\n{AGAIN}'
    )
    with pytest.raises(CassetteExhausted, match="It equals exchange 1: the program asks again"):
        play(player, request_for(contents("hi")))
    with pytest.raises(CassetteExhausted, match="the cassette in memory has no exchanges, and there is one more"):
        play(Player(Cassette()), request_for({}))


def test_errors_can_be_sent_to_another_process(path: Path) -> None:
    """They are pickled with all that they say."""
    error = mismatch(Player(cassette(path, exchange_for(contents("1")))), request_for(contents("2")))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert again.advice
    with pytest.raises(UnplayedExchanges) as caught:
        Player(path).close()
    assert pickle.loads(pickle.dumps(caught.value)).exchanges == (1,)


def test_unplayed(path: Path) -> None:
    """Closing lists what is left, once; an exception on its way out is not masked."""
    cassette(path, exchange_for({}), exchange_for(contents("a", "b")), exchange_for({}))
    with pytest.raises(UnplayedExchanges) as caught, Player(path) as player:
        play(player, request_for({}))
    assert str(caught.value) == (
        f"{path}: 2 of 3 recorded exchanges were not asked for:\n"
        f'  2: POST {PATH}, with the second user message "b"\n'
        f"  3: POST {PATH}\n"
        'If the program is meant to ask for less, record it again, in mode "record".'
    )
    assert caught.value.exchanges == (2, 3)
    player.close()
    with pytest.raises(KeyError, match="mine"), Player(path) as player:
        raise KeyError("mine")
    player.close()
    with pytest.raises(LocalProtocolError, match="closed"):
        play(player, request_for({}))
    with pytest.raises(UnplayedExchanges, match="and 10 more"):
        Player(Cassette(exchanges=(exchange_for({}),) * 30)).close()


@pytest.mark.parametrize(
    ("end", "kind"),
    [("reset", ConnectionLost), ("truncated", ConnectionLost), ("timeout", TimedOut), ("abandoned", ConnectionLost)],
)
def test_ends(path: Path, end: str, kind: type[TransportError]) -> None:
    """After the chunks comes the failure that was recorded; a reader who leaves before sees none."""
    player = Player(cassette(path, exchange_for({}, b"a", end=end), exchange_for({}, b"a", end=end)))
    with player.open(request_for({}), SECRETS) as response:
        assert response.read() == b"a"
        for _ in range(2):
            with pytest.raises(kind):
                response.read()
    with player.open(request_for({}), SECRETS) as response:
        assert response.read() == b"a"
        response.discard()
    player.close()


def test_no_response(path: Path) -> None:
    """A failure before the head is raised by opening, with its words."""
    failure = Failure(kind="connect_failed", message="refused", cause="ConnectError")
    request = RecordedRequest(method="POST", path=PATH, query=(("alt", "sse"),), body=Body("json", {}))
    player = Player(cassette(path, Exchange(request=request, failure=failure)))
    with pytest.raises(ConnectFailed, match=r"refused \(ConnectError\)"):
        play(player, request_for({}))


def test_projects_are_not_compared(path: Path) -> None:
    """A recording of one Google Cloud project plays in another."""
    request = RecordedRequest(method="GET", path="/v1/projects/_/locations/global/models")
    exchange = Exchange(request=request, response=RecordedResponse(status=200))
    player = Player(cassette(path, exchange))
    assert play(player, Request(method="GET", url=f"{HOST}/v1/projects/mine-1/locations/global/models")) == []


def test_threads(path: Path) -> None:
    """Chats in several threads take one exchange each, and none twice."""
    exchanges = [exchange_for({}, str(number).encode()) for number in range(40)]
    got: list[bytes] = []
    with Player(cassette(path, *exchanges)) as player:

        def work() -> None:
            for _ in range(10):
                got.extend(play(player, request_for({})))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(got) == sorted(str(number).encode() for number in range(40))


def test_a_missing_cassette_is_told_at_construction(path: Path) -> None:
    """The file is read when the player is made, not at the first request."""
    with pytest.raises(CassetteMissing):
        Player(path)


def test_no_network_code() -> None:
    """Replay needs no HTTP library."""
    code = (
        "import sys, chatproto_replay\n"
        "assert not {'requests', 'urllib3', 'aiohttp', 'httpx', 'socket', 'ssl'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- time -----------------------------------------------------------------------------------------------------------


def test_virtual_time(path: Path) -> None:
    """The clock counts what was recorded between chunks, and what the program waited; ``slept`` the latter alone."""
    with Player(cassette(path, exchange_for({}, b"a", b"b"))) as player:
        player.sleep(2)
        assert (player.clock.now, player.clock.waits) == (2, [2])
        with player.open(request_for({}), SECRETS) as response:
            response.read()
            assert player.clock.now == pytest.approx(2.05)
            response.read()
            response.read()
        player.sleep(0.5)
        assert player.clock.now == pytest.approx(2.6)
        assert player.clock.waits == player.slept == [2, 0.5]
    assert repr(player.clock) == "<VirtualClock at 2.600 s, 2 waits>"


@pytest.mark.parametrize(("timeout", "passed"), [(30.0, 30.0), (None, 0.0)])
def test_a_recorded_timeout_takes_the_time_of_the_request(path: Path, timeout: float | None, passed: float) -> None:
    """Once, however often it is raised; before the head as well as after some chunks."""
    stalled = exchange_for({}, b"a", end="timeout")
    failure = Failure(kind="timed_out", message="no answer")
    cassette(path, stalled, Exchange(request=stalled.request, failure=failure), exchange_for({}, b"a", end="reset"))
    request = attrs.evolve(request_for({}), timeout=timeout)
    with Player(path) as player:
        with player.open(request, SECRETS) as response:
            response.read()
            for _ in range(2):
                with pytest.raises(TimedOut):
                    response.read()
        assert player.clock.now == pytest.approx(0.05 + passed)
        with pytest.raises(TimedOut, match="no answer"), player.open(request, SECRETS):
            pass
        assert player.clock.now == pytest.approx(0.05 + 2 * passed)
        with player.open(request, SECRETS) as response, pytest.raises(ConnectionLost):
            list(iter(response.read, b""))
        assert player.clock.now == pytest.approx(0.1 + 2 * passed)


def test_retries_take_no_time(path: Path) -> None:
    """A chat that is told to come back later, and then gets no answer, plays at once; its waits can be asserted."""
    told = RecordedResponse(status=429, headers=(("retry-after", "30"),), chunks=(Chunk(100, b'{"error": {}}'),))
    answer = encode({"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]})
    good = RecordedResponse(status=200, chunks=(Chunk(250, answer[:20]), Chunk(150, answer[20:])))
    request = RecordedRequest(
        method="POST",
        path="/v1/models/gemini-2.5-flash:generateContent",
        body=Body("json", {**contents("hello"), "generationConfig": {}}),
    )
    silent = Exchange(request=request, failure=Failure(kind="timed_out", message="no answer"))
    answers = [Exchange(request=request, response=each) for each in (told, good)]
    Cassette(exchanges=(answers[0], silent, answers[1])).save(path)
    began = time.monotonic()
    options = {"timeout": 60_000, "retry_options": {"attempts": 3, "initial_delay": 4, "jitter": 0}}
    with Player(path) as player:
        client = Client(transport=player)
        config = {"http_options": options}
        assert client.chats.create(model="gemini-2.5-flash", config=config).send_message("hello").text == "hi"
    assert time.monotonic() - began < 20
    assert player.slept[0] == 30
    assert len(player.slept) == 2
    # 100 ms and a wait; a minute without a byte, and a wait; 400 ms.
    assert player.clock.now == pytest.approx(0.1 + 60 + 0.4 + sum(player.slept))


def test_cancelling_a_paced_read_loses_no_chunk(path: Path) -> None:
    """A task that waits for a chunk may be cancelled, and read again."""

    async def run() -> list[bytes]:
        async with Player(path, pace=1) as player, player.aopen(request_for({}), SECRETS) as response:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.005):
                    await response.aread()
            assert player.clock.now == 0
            return [await response.aread() for _ in range(3)]

    cassette(path, exchange_for({}, b"a", b"b"))
    assert asyncio.run(run()) == [b"a", b"b", b""]


# --- several at once ------------------------------------------------------------------------------------------------


def test_threads_and_tasks_at_once(path: Path) -> None:
    """Chats in threads and tasks share one player without order; each gets its own answers, none twice."""
    names = [f"chat {number}" for number in range(8)]
    rounds = [(name, turn) for turn in range(5) for name in names]
    chances = [exchange_for(contents(*[name] * (turn + 1)), f"{name} {turn}".encode()) for name, turn in rounds]
    got: dict[str, list[bytes]] = {}

    def work(player: Player, name: str) -> None:
        got[name] = []
        for turn in range(5):
            got[name] += play(player, request_for(contents(*[name] * (turn + 1))))
            player.sleep(1)

    async def awork(player: Player, name: str) -> None:
        got[name] = []
        for turn in range(5):
            async with player.aopen(request_for(contents(*[name] * (turn + 1))), SECRETS) as response:
                while data := await response.aread():
                    got[name].append(data)
            await asyncio.sleep(0)
            await player.asleep(1)

    async def run(player: Player) -> None:
        threads = [asyncio.to_thread(work, player, name) for name in names[:4]]
        await asyncio.gather(*threads, *(awork(player, name) for name in names[4:]))

    with Player(cassette(path, *chances), in_order=False) as player:
        asyncio.run(run(player))
    assert got == {name: [f"{name} {turn}".encode() for turn in range(5)] for name in names}
    assert player.slept == [1] * 40
    assert player.clock.now == pytest.approx(40 + 40 * 0.05)


def test_clients_of_both_kinds_at_once() -> None:
    """A synchronous chat in a thread and one under asyncio, through one player: each gets the answers of its own."""
    recorded = [Cassette.load(FIXTURES / f"{name}.json") for name in ("capital_of_france", "hello_history")]
    capital = ["What is the capital of France?", "What is its population?", "What are some famous landmarks there?"]
    hello = ["Hello", "How are you?"]
    one, other = recorded[0].exchanges, recorded[1].exchanges
    interleaved = Cassette(exchanges=(one[0], other[0], other[1], one[1], one[2]))

    async def run(player: Player) -> tuple[list[str], list[str]]:
        client = Client(transport=player)

        def talk() -> list[str]:
            chat = client.chats.create(model="gemini-2.0-flash")
            return [str(chat.send_message(said).text) for said in capital]

        async def atalk() -> list[str]:
            chat = client.aio.chats.create(model="gemini-2.0-flash")
            return [str((await chat.send_message(said)).text) for said in hello]

        first, second = await asyncio.gather(asyncio.to_thread(talk), atalk())
        return first, second

    for _ in range(5):
        with Player(interleaved, in_order=False) as player:
            answers = asyncio.run(run(player))
    alone: list[list[str]] = []
    for cassette_, said in zip(recorded, (capital, hello), strict=True):
        with Player(cassette_) as player:
            chat = Client(transport=player).chats.create(model="gemini-2.0-flash")
            alone.append([str(chat.send_message(each).text) for each in said])
    assert list(answers) == alone


def test_threads_find_each_exchange_once(path: Path) -> None:
    """Of several threads that look for one request, each finds another exchange, and those that come late none."""
    player = Player(cassette(path, *(exchange_for({}, str(number).encode()) for number in range(30))))
    found: list[Exchange | None] = []

    def work() -> None:
        found.extend(player.find(request_for({})) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(None) == 10
    exchanges = [each for each in found if each is not None]
    assert {id(each) for each in exchanges} == {id(each) for each in player.cassette.exchanges}
    player.close()
