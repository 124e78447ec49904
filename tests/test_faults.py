"""Faults: each at every byte of a stream, over a recording and over real sockets, and what they make of each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import conversation_for, messages_of, plain

from chatproto import Client, types
from chatproto.errors import (
    ClientError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    ServerError,
    TimedOut,
    TransportError,
    ValidationError,
)
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import Event, ReadBody, SendRequest
from chatproto.testing import Answer, FunctionTransport, LoopbackServer, ScriptedTransport
from chatproto.testing.servers import chunk, head
from chatproto.testing.wire import sse, text_response
from chatproto.transport import AsyncTransport, Drive, Secrets, Transport
from chatproto.wire.http import Request
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_replay import Player, UnplayedExchanges, faults
from chatproto_replay.cassette import Cassette, Chunk, Exchange, RecordedResponse
from chatproto_replay.faults import Fault, Faulty
from chatproto_requests import RequestsTransport

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.json"))
TOOLS = Path(__file__).parent.parent / "fixtures" / "weather_tool.json"
FRANCE = Path(__file__).parent.parent / "fixtures" / "capital_of_france.json"
RETRY = Path(__file__).parent.parent / "fixtures" / "retry_429.json"
MODEL = "gemini-2.5-flash"
KEY = "AIza-canary-0123456789"
ANYWHERE = "http://127.0.0.1:1/"
URL = f"{ANYWHERE}v1/models/{MODEL}"
UNARY = Request(method="POST", url=f"{URL}:generateContent", body=(b"{}",), timeout=10.0)
SSE = Request(method="POST", url=f"{URL}:streamGenerateContent?alt=sse", body=(b"{}",), timeout=10.0)
ARRAY = Request(method="POST", url=f"{URL}:streamGenerateContent", body=(b"{}",))
SECRETS = Secrets({}, url=URL)
RETRYING = types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=3, jitter=0.0))

PIECES = sse([text_response("Hé", None), text_response("llo")])
BODY = b"".join(PIECES)


def read(transport: Any, request: Request = SSE) -> tuple[list[bytes], TransportError | None]:
    """The pieces of one answer, and how it ended."""
    pieces: list[bytes] = []
    with transport.open(request, SECRETS) as response:
        try:
            pieces.extend(iter(response.read, b""))
        except TransportError as error:
            return pieces, error
        assert response.read() == b""  # the end stays the end
    return pieces, None


async def aread(transport: Any, request: Request = SSE) -> tuple[list[bytes], TransportError | None]:
    """The same for asyncio."""
    pieces: list[bytes] = []
    async with transport.aopen(request, SECRETS) as response:
        try:
            while data := await response.aread():
                pieces.append(data)
        except TransportError as error:
            return pieces, error
    return pieces, None


def read_async(transport: Any) -> tuple[list[bytes], TransportError | None]:
    """The same in a loop of its own."""
    return asyncio.run(aread(transport))


def scripted(*chunks: bytes, **options: Any) -> ScriptedTransport:
    """A transport with one answer of these bytes."""
    return ScriptedTransport(Answer(chunks=chunks, **options))


def cassette_of(path: Path, number: int) -> Cassette:
    """One exchange of a recording."""
    return Cassette(exchanges=(Cassette.load(path).exchanges[number - 1],))


# --- values ---------------------------------------------------------------------------------------------------------

WRONG: list[Callable[[], Any]] = [
    lambda: faults.cut(-1),
    lambda: faults.cut(True),
    lambda: faults.reset(-1),
    lambda: faults.reset(1.5),  # type: ignore[arg-type]
    lambda: faults.stall(-1),
    lambda: faults.stall(0, -0.1),
    lambda: faults.stall(0, float("inf")),
    lambda: faults.stall(0, float("nan")),
    lambda: faults.corrupt(-1),
    lambda: faults.corrupt(0, b""),
    lambda: faults.corrupt(0, "x"),  # type: ignore[arg-type]
    lambda: faults.slice(0),
    lambda: faults.slice([]),
    lambda: faults.slice([3, 0]),
    lambda: faults.status(200),
    lambda: faults.status(600),
    lambda: faults.status(429, retry_after=-1),
    lambda: faults.status(429, message=None),  # type: ignore[arg-type]
    lambda: faults.delay(-1),
    lambda: faults.delay("1"),  # type: ignore[arg-type]
    lambda: faults.refuse(times=0),
    lambda: faults.cut(1, exchange=0),
    lambda: Faulty(scripted(), "cut"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("make", WRONG)
def test_what_makes_no_sense_is_refused_when_it_is_made(make: Callable[[], Any]) -> None:
    """A test with a fault that cannot happen would pass for no reason."""
    with pytest.raises(ValidationError, match=r"expected|is 400 to 599"):
        make()


def test_faults_are_values() -> None:
    """Equal, frozen, hashable, and they read as they were written."""
    assert faults.cut(3) == faults.cut(at=3) != faults.cut(4)
    assert len({faults.slice(2), faults.slice([2]), faults.slice((2,))}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        faults.cut(3).times = 2  # type: ignore[misc]
    assert repr(faults.stall(3, 0.5, exchange=2)) == "stall(at=3, seconds=0.5, exchange=2)"
    assert repr(faults.refuse()) == "refuse(times=1)"


def test_it_is_a_transport_of_both_kinds() -> None:
    """As far as the one inside is; what else that has can be asked of it."""
    player = Player(TOOLS)
    faulty = Faulty(player)
    sync: Transport = faulty
    both: AsyncTransport = faulty
    assert isinstance(sync, Transport)
    assert isinstance(both, AsyncTransport)
    assert not faulty.needs_credential
    assert (faulty.mode, faulty.played, faulty.left, faulty.slept) == ("replay", 0, 2, [])
    assert faulty.clock is player.clock
    with pytest.raises(AttributeError):
        _ = faulty.nothing
    live = Faulty(RequestsTransport())
    assert live.needs_credential
    with pytest.raises(LocalProtocolError, match="RequestsTransport, is not asynchronous"):
        live.aopen(SSE, SECRETS)
    live.close()
    with pytest.raises(LocalProtocolError, match="closed"):
        read(live)


def test_closing_it_closes_the_inner_one() -> None:
    """A Player says what was not played, unless an exception says more."""
    with pytest.raises(UnplayedExchanges), Faulty(Player(TOOLS)):
        pass
    with pytest.raises(UnplayedExchanges):
        Faulty(Player(TOOLS)).close()
    with pytest.raises(KeyError), Faulty(Player(TOOLS)):
        raise KeyError

    async def main() -> None:
        with pytest.raises(UnplayedExchanges):
            async with Faulty(Player(TOOLS)):
                pass
        with pytest.raises(UnplayedExchanges):
            await Faulty(Player(TOOLS)).aclose()
        transport = ScriptedTransport()
        async with Faulty(transport):  # it has no context of its own
            pass
        assert transport.closed

    asyncio.run(main())
    transport = ScriptedTransport()
    with Faulty(transport):
        pass
    assert transport.closed


# --- one fault ------------------------------------------------------------------------------------------------------


def test_nothing_is_read_beyond_what_a_fault_needs() -> None:
    """Chunks come when they arrive, cut smaller or not; after a cut the inner response is given up unread."""
    arrived: list[int] = []

    def model(asked: Any) -> Iterator[dict[str, Any]]:
        for number, text in enumerate("abc"):
            arrived.append(number)
            yield text_response(text, None)

    inner = FunctionTransport(model)
    with Faulty(inner, faults.slice(40), faults.cut(150)).open(SSE, SECRETS) as response:
        assert arrived == [0]
        pieces = [response.read(), response.read()]
        assert arrived == [0]
        assert [len(piece) for piece in pieces] == [40, 40]
        while response.read():
            pass
        assert (arrived, inner.discarded) == ([0, 1], 1)


class Strict:
    """A transport of one answer that a driver must leave, or give up, and not both."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.status = 200
        self.headers = ()

    def open(self, request: Request, secrets: Secrets) -> Strict:
        return self

    def aopen(self, request: Request, secrets: Secrets) -> Strict:
        return self

    def __enter__(self) -> Strict:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.append("left")

    async def __aenter__(self) -> Strict:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ended.append("left")

    def read(self) -> bytes:
        return b"" if self.ended else b"abc"

    async def aread(self) -> bytes:
        return self.read()

    def discard(self) -> None:
        self.ended.append("given up")


@pytest.mark.parametrize("fault", [faults.cut(2), faults.reset(2)])
def test_a_connection_is_given_up_where_the_body_was_cut(fault: Fault) -> None:
    """It is not given back, because more of the body is to come; and whoever does not read on gives it back."""
    for way in (read, read_async):
        inner: Any = Strict()
        way(Faulty(inner, fault))
        assert inner.ended == ["given up"]
    inner = Strict()
    with Faulty(inner, fault).open(SSE, SECRETS) as response:
        assert response.read() == b"ab"
    assert inner.ended == ["left"]


@pytest.mark.parametrize("at", range(len(BODY) + 3))
def test_each_fault_at_each_byte(at: int) -> None:
    """So many bytes come, as they were, and then what was asked for; past the end nothing happens."""
    inside = at <= len(BODY)

    def check(fault: Fault, struck: bool, body: bytes, ending: type[TransportError] | None = None) -> None:
        for way in (read, read_async) if at % 16 == 0 else (read,):
            faulty = Faulty(scripted(*PIECES), fault)
            pieces, error = way(faulty)
            assert b"".join(pieces) == body
            assert type(error) is (ending or type(None))
            assert [(each.exchange, each.fault) for each in faulty.struck] == [(1, fault)] * struck
            assert faulty.unstruck == (() if struck else (fault,))
            if "at=" in repr(fault):
                assert [each.offset for each in faulty.struck] == [at] * struck

    check(faults.cut(at), inside, BODY[:at])
    check(faults.reset(at), inside, BODY[:at], ConnectionLost if inside else None)
    check(faults.stall(at), inside, BODY[:at], TimedOut if inside else None)
    check(faults.stall(at, seconds=10.0), inside, BODY[:at], TimedOut if inside else None)
    check(faults.stall(at, seconds=9.9), inside, BODY)
    damaged = BODY[:at] + b"\xffzz" + BODY[at + 3 :]
    check(faults.corrupt(at, b"\xffzz"), at < len(BODY), damaged[: len(BODY)] if at < len(BODY) else BODY)
    check(faults.slice(at + 1), not {*range(at + 1, len(BODY), at + 1)} <= {len(PIECES[0])}, BODY)


def test_time_passes_on_the_clock_of_a_player() -> None:
    """Nobody waits, and what the program asked to wait is apart from what the server took."""
    config = {"http_options": types.HttpOptions(timeout=5000)}
    for seconds, moved in ((None, 5.0), (5.0, 5.0), (60, 5.0), (4.5, 4.5)):
        player = Player(cassette_of(FRANCE, 1))
        response: Any = player.cassette.exchanges[0].response
        before = sum(each.delay for each in response.chunks) / 1000
        faulty = Faulty(player, faults.stall(0, seconds))
        conversation = Conversation("gemini-2.0-flash")
        (message,) = messages_of(player.cassette)
        merged = message.config.model_copy(update=config)
        conversation.send(message.content, merged, stream=False)
        events = list(Drive(conversation, faulty, SECRETS))
        timed_out = moved == 5.0
        assert isinstance(events[-1].error, TimedOut) is timed_out  # type: ignore[union-attr]
        assert player.clock.now == pytest.approx(moved + (0 if timed_out else before))
        assert player.slept == []


def test_time_is_waited_over_another_transport() -> None:
    """With its own sleep; a stall for ever is as long as the timeout, and ends at once where there is none."""
    for fault, request, waited in (
        (faults.stall(3, 2.0), SSE, [2.0]),
        (faults.stall(3), SSE, [10.0]),
        (faults.stall(3), ARRAY, [0.0]),
        (faults.stall(3, 3000.0), ARRAY, [3000.0]),
        (faults.delay(2), SSE, [2]),
    ):
        inner = scripted(b"abcdef")
        _, error = read(Faulty(inner, fault), request)
        assert inner.slept == waited
        assert (error is None) is (waited not in ([10.0], [0.0]))
        inner = scripted(b"abcdef")
        asyncio.run(aread(Faulty(inner, fault), request))
        assert inner.slept == waited


def test_a_delay_longer_than_the_timeout() -> None:
    """TimedOut, before anything is sent; the next attempt is delayed too, unless it was to happen once."""
    inner = ScriptedTransport("Hello")
    faulty = Faulty(inner, faults.delay(10, times=1))
    with pytest.raises(TimedOut, match="before the answer: nothing came, within 10 seconds"):
        read(faulty)
    assert (inner.slept, inner.requests) == ([10.0], [])
    assert read(faulty)[1] is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.refuse(), ConnectFailed),
        (faults.reset(), ConnectionLost),
        (faults.delay(10, times=1), TimedOut),
    ],
)
def test_faults_before_the_answer_take_nothing_from_it(fault: Fault, kind: Any) -> None:
    """They happen once, and the attempt after them is the first that the inner transport sees."""
    inner = scripted(b"abc")
    faulty = Faulty(inner, fault)
    with pytest.raises(kind):
        read(faulty)
    assert inner.requests == []
    assert faulty.struck == [faults.Strike(1, fault, None)]
    assert read(faulty) == ([b"abc"], None)
    inner = scripted(b"abc")
    faulty = Faulty(inner, fault)
    with pytest.raises(kind):
        asyncio.run(aread(faulty))
    assert asyncio.run(aread(faulty)) == ([b"abc"], None)


@pytest.mark.parametrize("request_", [UNARY, SSE, ARRAY])
def test_a_status_is_the_error_of_a_server(request_: Request) -> None:
    """Google's JSON, in a list where the stream is one; no other fault happens to it."""
    faulty = Faulty(scripted(b"abc"), faults.cut(2), faults.status(429, retry_after=7, message="slowly"))
    with faulty.open(request_, SECRETS) as response:
        assert response.status == 429
        assert dict(response.headers)["retry-after"] == "7"
        document = json.loads(b"".join(iter(response.read, b"")))
    expected = {"error": {"code": 429, "message": "slowly", "status": "RESOURCE_EXHAUSTED"}}
    assert document == ([expected] if request_ is ARRAY else expected)
    assert [each.offset for each in faulty.struck] == [None]
    assert read(faulty) == ([b"ab"], None)


def test_which_requests_a_fault_is_for() -> None:
    """``exchange`` counts requests from 1, and ``times`` how often it happens; equal faults are two."""
    inner = ScriptedTransport(*[Answer(chunks=[b"abcdef"])] * 6)
    faulty = Faulty(
        inner, faults.cut(1, exchange=2), faults.cut(3, times=1), faults.cut(4, times=1), faults.cut(4, times=1)
    )
    sizes = [sum(map(len, read(faulty)[0])) for _ in range(6)]
    assert sizes == [3, 1, 4, 4, 6, 6]
    assert [(each.exchange, each.offset) for each in faulty.struck] == [(1, 3), (2, 1), (3, 4), (4, 4)]
    assert faulty.unstruck == ()
    # A fault that could not happen is not used up by that.
    faulty = Faulty(ScriptedTransport(*[Answer(chunks=[b"a" * n]) for n in (2, 9)]), faults.cut(5, times=1))
    assert [sum(map(len, read(faulty)[0])) for _ in range(2)] == [2, 5]


# --- several faults -------------------------------------------------------------------------------------------------

CHUNKS = st.lists(st.binary(min_size=1, max_size=6), max_size=5)
OFFSETS = st.integers(0, 24)
BODY_FAULTS = st.one_of(
    st.builds(faults.cut, OFFSETS),
    st.builds(faults.reset, OFFSETS),
    st.builds(faults.stall, OFFSETS, st.sampled_from([0.5, 2.0])),
    st.builds(faults.stall, OFFSETS),
    st.builds(faults.corrupt, OFFSETS, st.binary(min_size=1, max_size=3)),
    st.builds(faults.slice, st.integers(1, 7) | st.lists(st.integers(1, 4), min_size=1, max_size=3)),
)
SIZES = st.integers(1, 40) | st.lists(st.integers(1, 40), min_size=1, max_size=3)

#: What comes, byte by byte: a byte, seconds without one, or the end with the class of its error.
Atoms = list[Any]


def told_by(fault: Any, atoms: Atoms) -> Atoms:
    """What a fault of the body makes of what comes: said once more, and as plainly as can be."""
    kind = repr(fault).partition("(")[0]
    if kind == "slice":
        return atoms
    passed = 0
    for place, atom in enumerate(atoms):
        if kind == "corrupt":
            if isinstance(atom, int):
                if 0 <= passed - fault.at < len(fault.by):
                    atoms = [*atoms[:place], fault.by[passed - fault.at], *atoms[place + 1 :]]
                passed += 1
        elif isinstance(atom, int) or atom == ("end", None, "server"):
            if passed == fault.at:  # before the next byte, or before the server's own end
                happening: Atoms
                match kind:
                    case "cut":
                        happening = [("end", None, "fault")]
                    case "reset":
                        happening = [("end", ConnectionLost, "fault")]
                    case _:
                        happening = [float(fault.seconds)] if fault.seconds else [10.0, ("end", TimedOut, "fault")]
                cut_off = [] if isinstance(happening[-1], tuple) else atoms[place:]
                return [*atoms[:place], *happening, *cut_off]
            passed += 1
    return atoms


@settings(deadline=None)
@given(chunks=CHUNKS, several=st.lists(BODY_FAULTS, max_size=4))
def test_several_faults_happen_in_their_order(chunks: list[bytes], several: list[Fault]) -> None:
    """Whatever is composed: the bytes, the time and the end are those that each fault makes of what the last left."""
    atoms: Atoms = [*b"".join(chunks), ("end", None, "server")]
    for fault in several:
        atoms = told_by(fault, atoms)
    inner = scripted(*chunks)
    pieces, error = read(Faulty(inner, *several))
    assert b"".join(pieces) == bytes(each for each in atoms if isinstance(each, int))
    assert type(error) is (atoms[-1][1] or type(None))
    assert inner.slept == [each for each in atoms if isinstance(each, float)]
    again = scripted(*chunks)
    assert asyncio.run(aread(Faulty(again, *several)))[0] == pieces
    assert again.slept == inner.slept


@given(chunks=CHUNKS, sizes=SIZES)
def test_slices_are_cut_at_their_places_and_never_joined(chunks: list[bytes], sizes: Any) -> None:
    """The boundaries are those of the sizes, and those at which it arrived; no byte changes."""
    faulty = Faulty(scripted(*chunks), faults.slice(sizes))
    pieces, _ = read(faulty)
    body = b"".join(chunks)
    assert b"".join(pieces) == body
    repeated = [sizes] if isinstance(sizes, int) else sizes
    places, place = set[int](), 0
    while place < len(body):
        for size in repeated:
            place += size
            places.add(place)
    arrived = {sum(map(len, chunks[:count])) for count in range(len(chunks) + 1)}
    found = {sum(map(len, pieces[:count])) for count in range(len(pieces) + 1)}
    assert found == {place for place in places if place < len(body)} | arrived | {0}
    cuts = sorted({place for place in places if place < len(body)} - arrived)
    assert [each.offset for each in faulty.struck] == cuts[:1]


@given(chunks=CHUNKS, sizes=SIZES, at=OFFSETS)
def test_a_cut_behind_slices_is_the_cut(chunks: list[bytes], sizes: Any, at: int) -> None:
    """In either order, the same bytes; two cuts are the first of them."""
    plainly = b"".join(read(Faulty(scripted(*chunks), faults.cut(at)))[0])
    for several in (
        [faults.slice(sizes), faults.cut(at)],
        [faults.cut(at), faults.slice(sizes)],
        [faults.cut(at + 3), faults.cut(at)],
        [faults.cut(at), faults.cut(at + 3)],
    ):
        assert b"".join(read(Faulty(scripted(*chunks), *several))[0]) == plainly == b"".join(chunks)[:at]


@settings(deadline=None, max_examples=60)
@given(fixture=st.sampled_from(FIXTURES), sizes=SIZES)
def test_slices_change_no_event(fixture: Path, sizes: Any) -> None:
    """L1: a recording that comes in other pieces gives the same events and the same history."""
    cassette = Cassette.load(fixture)

    def outcome(*given: Fault) -> Any:
        conversation, events = conversation_for(cassette, ANYWHERE), list[Event]()
        with Faulty(Player(fixture), *given) as transport:
            for message in messages_of(cassette):
                conversation.send(message.content, message.config, stream=message.streamed)
                events += Drive(conversation, transport, SECRETS)
        return [plain(event) for event in events], conversation.history(), conversation.history(curated=True)

    assert outcome(faults.slice(sizes)) == outcome()


# --- chats ----------------------------------------------------------------------------------------------------------


def text_of(message: Any) -> str:
    """The text of a message that has one part."""
    (part,) = message.content.parts
    return str(part.text)


def chat_over(transport: Any, **options: Any) -> Any:
    """A chat as a program has one."""
    return Client(transport=transport, **options).chats.create(model="gemini-2.0-flash", config={})


def test_retries_run_at_once_and_their_waits_are_asserted() -> None:
    """The recorded answer comes after the faults, in its place; what the program would have slept is noted."""
    options = types.HttpOptions(api_version="v1", retry_options=types.HttpRetryOptions(attempts=4, jitter=0.0))
    several = [faults.status(429, retry_after=30), faults.refuse(), faults.status(503)]
    with Faulty(Player(cassette_of(FRANCE, 1)), *several) as transport:
        chat = chat_over(transport, http_options=options)
        (message,) = messages_of(transport.cassette)
        response = chat.send_message(text_of(message))
    assert response.text
    assert transport.slept[0] == 30.0
    assert len(transport.slept) == 3
    assert [each.fault for each in transport.struck] == several
    assert [each.exchange for each in transport.struck] == [1, 2, 3]


def test_without_retries_the_fault_is_raised() -> None:
    """As the error that the server's answer, or the transport's failure, would make; the chat goes on after it."""
    options = types.HttpOptions(api_version="v1")
    several = {faults.status(429): ClientError, faults.status(503): ServerError, faults.reset(): ConnectionLost}
    with Faulty(Player(cassette_of(FRANCE, 1)), *several) as transport:
        chat = chat_over(transport, http_options=options)
        (message,) = messages_of(transport.cassette)
        text = text_of(message)
        for kind in several.values():
            with pytest.raises(kind):
                chat.send_message(text)
            assert chat.get_history(curated=True) == []
        assert chat.send_message(text).text
        assert len(chat.get_history(curated=True)) == 2


def test_a_recorded_failure_and_a_fault() -> None:
    """A body that broke off when it was recorded breaks off there, unless a fault comes before."""
    path = next(path for path in FIXTURES if path.stem == "cut_stream")
    cassette = Cassette.load(path)
    exchange: Exchange = cassette.exchanges[0]
    response: RecordedResponse = exchange.response  # type: ignore[assignment]
    size = len(response.content)

    def end_with(*given: Fault) -> Any:
        conversation = conversation_for(cassette, ANYWHERE)
        (message,) = messages_of(cassette)
        conversation.send(message.content, message.config, stream=message.streamed)
        return list(Drive(conversation, Faulty(Player(path), *given), SECRETS))[-1]

    assert isinstance(end_with().error, ConnectionLost)
    assert "a fault" in str(end_with(faults.reset(size)).error)
    assert "a fault" not in str(end_with(faults.reset(size + 1)).error)
    assert end_with(faults.cut(size)).error is None


class Instantly:
    """A transport that does not wait. Its other methods are those of the one inside."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def sleep(self, seconds: float) -> None:
        pass

    async def asleep(self, seconds: float) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


SMALL = cassette_of(TOOLS, 2)
SMALL_BODY: bytes = SMALL.exchanges[0].response.content  # type: ignore[union-attr]


@attrs.frozen
class Seen:
    """What a program sees of one message."""

    events: list[Any]
    curated: list[Any]


def machine(ending: TransportError | None, at: int) -> Seen:
    """What the machine makes of so many bytes and this ending, by itself."""
    conversation = conversation_with(ANYWHERE)
    events: list[Event] = []
    body = [SMALL_BODY[:at]] if at else []
    while (step := conversation.next()) is not None:
        match step:
            case SendRequest():
                conversation.receive_response(200, (("content-type", "text/event-stream"),))
            case ReadBody() if body:
                conversation.receive_data(body.pop())
            case ReadBody() if ending is not None:
                conversation.receive_failure(ending)
            case ReadBody():
                conversation.receive_data(b"")
            case event:
                events.append(event)  # type: ignore[arg-type]
    return seen(conversation, events)


def conversation_with(base_url: str) -> Conversation:
    """A conversation that has asked."""
    conversation = conversation_for(SMALL, base_url)
    conversation.send("What is the weather in Lisbon?")
    return conversation


def seen(conversation: Conversation, events: list[Event]) -> Seen:
    """As plain values. History laws: what is curated is nothing, or the whole turn (L5)."""
    curated = conversation.history(curated=True)
    assert [content.role for content in curated] in ([], ["user", "model"])
    return Seen([plain(event) for event in events], curated)


ENDINGS: list[tuple[Callable[[int], Fault], TransportError | None]] = [
    (faults.cut, None),
    (faults.reset, ConnectionLost("")),
    (faults.stall, TimedOut("")),
]


def test_a_chat_over_a_recording_with_every_fault_at_every_byte() -> None:
    """L5, L10: a program sees what the machine makes of the bytes that came, and the turn is whole or not there."""
    whole = set[bool]()
    for at in range(len(SMALL_BODY) + 1):
        for make, ending in ENDINGS:
            conversation = conversation_with(ANYWHERE)
            events = list(
                Drive(conversation, Faulty(ScriptedTransport(Answer(chunks=pieces_of(SMALL))), make(at)), SECRETS)
            )
            found = seen(conversation, events)
            assert found == machine(ending, at), (make, at)
            whole.add(bool(found.curated))
    assert whole == {True, False}


def pieces_of(cassette: Cassette) -> list[bytes]:
    """The chunks of its only answer."""
    chunks: tuple[Chunk, ...] = cassette.exchanges[0].response.chunks  # type: ignore[union-attr]
    return [each.data for each in chunks]


WAYS: dict[str, Callable[[], Any]] = {
    "requests": RequestsTransport,
    "aiohttp": AiohttpTransport,
    "httpx": HttpxTransport,
    "httpx-async": HttpxTransport,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_chat_over_real_sockets_with_every_fault(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """L10: the same faults over a live transport. The connection of a body that was cut is not used again."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    async def asynchronously(transport: Any, conversations: list[Conversation], secrets: Secrets) -> list[Seen]:
        from chatproto.transport import AsyncDrive

        found = [seen(each, [event async for event in AsyncDrive(each, transport, secrets)]) for each in conversations]
        await transport.aclose()
        return found

    offsets = range(0, len(SMALL_BODY) + 1, 5)
    plan = [(at, make, ending) for at in offsets for make, ending in ENDINGS]
    several = [make(at, exchange=number) for number, (at, make, _) in enumerate(plan, start=1)]  # type: ignore[call-arg]
    with LoopbackServer() as server:
        fields = {"content_type": "text/event-stream"}
        answer = [head(200, chunked=True, **fields), *map(chunk, pieces_of(SMALL)), chunk()]  # type: ignore[arg-type]
        server.on(SMALL.exchanges[0].request.path, answer)
        base = server.url("/")
        secrets = Secrets({"x-goog-api-key": KEY}, url=base)
        transport = Faulty(Instantly(WAYS[way]()), *several)
        conversations = [conversation_with(base) for _ in plan]
        if way in ("aiohttp", "httpx-async"):
            found = asyncio.run(asynchronously(transport, conversations, secrets))
        else:
            found = [seen(each, list(Drive(each, transport, secrets))) for each in conversations]
            transport.close()
        assert len(server.received) == len(plan)
    assert found == [machine(ending, at) for at, _, ending in plan]
    assert transport.unstruck == ()
