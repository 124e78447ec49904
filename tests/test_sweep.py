"""Sweeps: recorded answers interrupted at every byte by copying the machine, and near every event over sockets."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parity import plain

from chatproto.errors import APIError, ConnectionLost, RemoteProtocolError, ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import Outcome
from chatproto.machines.states import ConversationState
from chatproto.machines.steps import ChunkReceived, ContinuationStarted, RoundFailed, TurnEnded
from chatproto.testing import strategies as drawn
from chatproto.testing.servers import CLOSE, RESET, LoopbackServer, Received, chunk, head
from chatproto.testing.wire import json_array, sse, text_response
from chatproto.transport import AsyncDrive, Drive, Secrets
from chatproto.types import ModelContent, UserContent
from chatproto.types._dump import to_wire
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_replay import CassetteError, faults
from chatproto_replay.cassette import Body, Cassette, Chunk, Exchange, RecordedRequest, RecordedResponse
from chatproto_replay.faults.asking import RecordedMessage
from chatproto_replay.faults.checking import check
from chatproto_replay.faults.sweeping import WAYS, Interruption, Way, boundaries, sweep
from chatproto_requests import RequestsTransport

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.json"))
TOOLS = next(path for path in FIXTURES if path.stem == "weather_tool")
POEM = next(path for path in FIXTURES if path.stem == "ocean_poem")
FRANCE = next(path for path in FIXTURES if path.stem == "capital_of_france")
KEY = "AIza-canary-0123456789"
LONGEST = 8 * 1024

Json = dict[str, Any]


def exchange_of(
    chunks: list[bytes], *, status: int = 200, path: str = "/v1beta/models/m:streamGenerateContent", **members: Any
) -> Exchange:
    """An exchange that was never recorded."""
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **members}
    query = (("alt", "sse"),) if path.endswith(":streamGenerateContent") else ()
    return Exchange(
        request=RecordedRequest(method="POST", path=path, query=query, body=Body("json", body)),
        response=RecordedResponse(status=status, chunks=tuple(Chunk(0, data) for data in chunks)),
    )


def tape(*exchanges: Exchange) -> Cassette:
    """A cassette that was never recorded."""
    return Cassette(exchanges=exchanges)


# --- every byte -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_every_byte_of_every_recording(fixture: Path) -> None:
    """L5, L7, L8, L12: the connection lost, the body ended or the chat left, after each byte of each answer."""
    cassette = Cassette.load(fixture)
    places = Counter[tuple[int, str]]()
    for interruption in sweep(cassette):
        check(interruption)
        places[interruption.exchange, interruption.way] += 1
    sizes = [len(each.response.content) for each in cassette.exchanges if each.response is not None]
    assert all(size <= LONGEST for size in sizes)
    assert places == {(number, way): size + 1 for number, size in enumerate(sizes, start=1) for way in WAYS}


def test_what_an_interruption_tells() -> None:
    """Where it was, what the program saw, and what is left; and that both outcomes of a turn come up in it."""
    exchange = exchange_of(sse([text_response("One", None), text_response(" two", None), text_response(" three.")]))
    response: RecordedResponse = exchange.response  # type: ignore[assignment]
    size = len(response.content)
    outcomes = Counter[tuple[str, bool, Outcome]]()
    places = {0, size}
    chunks = 0
    for each in sweep(tape(exchange)):
        seen = [event for event in each.events if isinstance(event, ChunkReceived)]
        assert each.before <= each.at < each.after or each.at == each.before == each.after == size
        assert str(each) == f"exchange 1, byte {each.at}, {each.way}"
        assert each.message.request == exchange.request
        turn = each.conversation.turns[-1]
        assert turn.curated is each.whole
        assert not each.waiting
        outcomes[each.way, each.whole, turn.outcome] += 1
        if each.way == "left":
            assert len(seen) >= chunks
            chunks = len(seen)
            places.add(each.before)
            assert len(each.events) == chunks  # leaving is no event
        elif isinstance(ended := each.events[-1], TurnEnded):
            assert isinstance(ended.error, ConnectionLost) is (each.way == "lost")
    assert chunks == len(response.chunks)
    assert set(outcomes) == {
        ("lost", False, Outcome.FAILED),
        ("lost", True, Outcome.COMPLETED),
        ("ended", False, Outcome.TRUNCATED),
        ("ended", True, Outcome.COMPLETED),
        ("left", False, Outcome.ABANDONED),
        ("left", True, Outcome.COMPLETED),
    }
    near = {place + step for place in places for step in (-1, 0, 1)}
    assert boundaries(exchange) == tuple(sorted(place for place in near if 0 <= place <= size))


def test_interruptions_are_of_their_own() -> None:
    """L13: each conversation goes on by itself, and checking one changes nothing in it."""
    first = next(iter(sweep(TOOLS, exchange=2, ways=["lost"])))
    assert first.waiting
    before = first.conversation.to_json()
    check(first)
    assert first.conversation.to_json() == before
    assert isinstance(first.events[-1], RoundFailed)
    several = list(sweep(TOOLS, exchange=2))
    assert len({id(each.conversation) for each in several}) == len(several)
    for each in several[::50]:
        each.conversation.leave_all()
        each.conversation.send("Something else.")
    for each in several[::50]:
        assert each.conversation.state is ConversationState.STARTING


def test_ways_and_exchanges_are_chosen() -> None:
    """One exchange, some ways; what is not there is refused at the call, not at the first interruption."""
    found = [(each.exchange, each.at, each.way) for each in sweep(FRANCE, exchange=2, ways=("left",), at=[7, 3, 9999])]
    assert found == [(2, 3, "left"), (2, 7, "left")]
    unknown: list[tuple[Any, str]] = [
        ({"ways": ["slept"]}, "expected some of lost, ended, left, found 'slept'"),
        ({"ways": []}, "found 'none'"),
        ({"exchange": 4}, "exchange 4 of 3 has no answer"),
        ({"exchange": 0}, "exchange 0 of 3"),
    ]
    for options, words in unknown:
        with pytest.raises(ValidationError, match=words):
            sweep(FRANCE, **options)
    files = Exchange(
        request=RecordedRequest(method="GET", path="/v1beta/files/abc"), response=RecordedResponse(status=200)
    )
    with pytest.raises(ValidationError, match="the cassette has no answer of a model"):
        sweep(tape(files))
    with pytest.raises(ValidationError, match="there is no response"):
        boundaries(attrs.evolve(files, response=None))
    assert {each.exchange for each in sweep(tape(files, exchange_of([b"data: {}\n\n"])))} == {2}


# --- what else is recorded ------------------------------------------------------------------------------------------

CALL: Json = {"functionCall": {"name": "look", "args": {}, "id": "1"}}
CALLED: Json = {"candidates": [{"content": {"role": "model", "parts": [CALL]}, "finishReason": "STOP"}]}
ROUND: list[Json] = [
    {"role": "user", "parts": [{"text": "Hi"}]},
    {"role": "model", "parts": [{"text": "Hello."}, CALL]},
    {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"seen": 1}, "id": "1"}}]},
]
ANSWERED: Json = {"role": "model", "parts": [{"text": "So."}]}
ONCE: Json = {"content": {"role": "model", "parts": [{"text": "Once"}]}}
HOP: Json = {"candidates": [{**ONCE, "finishReason": "CONTINUATION", "continuationToken": "dG9rZW4="}]}
MADE: dict[str, Exchange] = {
    "an error inside of a stream": exchange_of(
        [*sse([text_response("a", None), {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}]), b"x"]
    ),
    "a list of documents": exchange_of(json_array([text_response("Hé", None), text_response("llo")])),
    "calls": exchange_of(sse([text_response("Let me see.", None), CALLED])),
    "the answer to calls": exchange_of(sse([text_response("It is", None), text_response(" there.")]), contents=ROUND),
    "calls after calls": exchange_of(sse([CALLED]), contents=ROUND),
    "a broken document": exchange_of([b'data: {"candidates": [}\r\n\r\n', *sse([text_response("b")])]),
    "a refusal": exchange_of([b'{"error": {"code": 400}}'], status=400),
    "an answer that goes on elsewhere": exchange_of(sse([HOP])),
    "Vertex AI": exchange_of(
        sse([text_response("a")]),
        path="/v1beta1/projects/_/locations/europe-west4/publishers/google/models/m:streamGenerateContent",
    ),
    "Vertex AI with a key": exchange_of(
        [json.dumps(text_response("a")).encode()], path="/v1beta1/publishers/google/models/m:generateContent"
    ),
    "a gateway": exchange_of(sse([text_response("a")]), path="/my/proxy/v1/tunedModels/m:streamGenerateContent"),
    "no version": exchange_of(sse([text_response("a")]), path="/models/m:streamGenerateContent"),
    "settings of any kind": exchange_of(
        sse([text_response("a")]),
        systemInstruction={"parts": [{"text": "Be brief."}]},
        generationConfig={"temperature": 0.5, "notYetKnown": [1, {"a": None}]},
        notYetKnown={"b": "c"},
        safetySettings=[],
    ),
    "a message of several contents": exchange_of(
        sse([text_response("a")]),
        contents=[*ROUND, ANSWERED, ROUND[0], ROUND[0]],
    ),
}


@pytest.mark.parametrize("what", MADE)
def test_every_byte_of_what_else_there_is(what: str) -> None:
    """L5, L7, L8, L12: on shapes that no fixture has. The request that is made is the one that was recorded."""
    exchange = MADE[what]
    conversation, draft = RecordedMessage.of(exchange.request).conversation()
    assert conversation.prepare(draft).json() == exchange.request.body.value  # type: ignore[union-attr]
    found = list(sweep(tape(exchange)))
    for each in found:
        check(each)
    kinds = {type(event) for each in found for event in each.events}
    errors = {type(each.events[-1].error) for each in found if each.events and hasattr(each.events[-1], "error")}
    match what:
        case "an error inside of a stream":
            assert max(each.at for each in found) < len(exchange.response.content)  # type: ignore[union-attr]
        case "a refusal":
            assert all(issubclass(kind, APIError) for kind in errors)
        case "calls" | "calls after calls":
            assert {each.waiting for each in found} >= {True}
            assert not any(each.whole for each in found)
        case "the answer to calls":
            assert {each.whole for each in found} == {each.waiting for each in found} == {True, False}
            assert RoundFailed in kinds
        case "an answer that goes on elsewhere":
            assert ContinuationStarted in kinds
            assert not any(each.whole for each in found)
        case "a broken document":
            assert not any(each.whole for each in found)
        case _:
            assert {each.whole for each in found} == {True, False}


def of_bytes(documents: list[Json], *, streamed: bool) -> Exchange:
    """An exchange with these documents in the answer; not streamed, with the first alone."""
    if streamed:
        return exchange_of(sse(documents))
    return exchange_of([json.dumps(documents[0]).encode()], path="/v1/models/m:generateContent")


SLOW = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(documents=st.lists(drawn.responses(), min_size=1, max_size=3), streamed=st.booleans(), data=st.data())
def test_anything_at_any_byte(documents: list[Json], streamed: bool, data: st.DataObject) -> None:
    """L5, L7, L8, L12: whatever a server may say, and be interrupted in."""
    exchange = of_bytes(documents, streamed=streamed)
    places = data.draw(st.lists(st.sampled_from(boundaries(exchange)), min_size=1, max_size=3))
    for each in sweep(tape(exchange), at=places):
        check(each)


@SLOW
@given(answer=drawn.answers(), streamed=st.booleans(), data=st.data())
def test_any_answer_that_is_finished(answer: Json, streamed: bool, data: st.DataObject) -> None:
    """L5, L8: parts of any kind, in any chunks, are in the next request if their finish reason has come."""
    contents = data.draw(drawn.streamed(answer)) if streamed else [answer]
    documents: list[Json] = [{"candidates": [{"content": content}]} for content in contents]
    documents[-1]["candidates"][0]["finishReason"] = "STOP"
    exchange = of_bytes(documents, streamed=streamed)
    size = len(exchange.response.content)  # type: ignore[union-attr]
    (early, whole) = sweep(tape(exchange), ways=("ended",), at=[size // 2, size])
    check(early)
    check(whole)
    assert whole.whole or whole.waiting or isinstance(getattr(whole.events[-1], "error", None), RemoteProtocolError)


def test_what_cannot_be_asked_again() -> None:
    """It is said which message, and where the request would be another."""
    unanswered = exchange_of(sse([text_response("a")]), contents=[*ROUND[:2], ROUND[0]])
    with pytest.raises(CassetteError, match=r"POST /v1beta/models/m:stream(.|\n)*is another:(.|\n)*contents\[1\]"):
        next(sweep(tape(unanswered)))
    answer: Json = {"functionResponse": {"name": "x", "response": {}}}
    other = exchange_of(sse([text_response("a")]), contents=[*ROUND[:2], {"role": "user", "parts": [answer]}])
    with pytest.raises(CassetteError, match=r"cannot be sent again: .*answers no open function call: x"):
        next(sweep(tape(other)))
    for request in (
        RecordedRequest(method="GET", path="/v1beta/files/abc"),
        RecordedRequest(method="POST", path="/v1/models/m:generateContent"),
        RecordedRequest(method="POST", path="/v1/models/m:generateContent", body=Body("json", {"contents": []})),
        RecordedRequest(method="POST", path="/v1/models/m:countTokens", body=Body("json", {"contents": [{}]})),
    ):
        with pytest.raises(CassetteError, match="no message to a model"):
            RecordedMessage.of(request)


# --- a law that is broken -------------------------------------------------------------------------------------------


def at(path: Path, offset: int, way: Way, exchange: int = 1) -> Interruption:
    """One interruption; a negative offset counts from the end, where -1 is the end."""
    response: RecordedResponse = Cassette.load(path).exchanges[exchange - 1].response  # type: ignore[assignment]
    place = offset % (len(response.content) + 1)
    (found,) = sweep(path, exchange=exchange, ways=(way,), at=[place])
    return found


class Stuck(Conversation):
    """A conversation that forgets to ask."""

    def next(self) -> None:
        return None


def forgetful(interruption: Interruption) -> Conversation:
    """Its conversation, with nothing before the next message."""
    return Conversation(interruption.message.model)


def test_a_wrong_history_is_found() -> None:
    """L5, L8: a turn that is gone, that should not be there, or that is there in part; by exchange, byte and way."""
    whole = at(FRANCE, -1, "ended", exchange=2)
    check(whole)
    with pytest.raises(
        AssertionError, match=r"exchange 2, byte 615, ended: the next request holds .* than the whole turn.*\(L5\)"
    ):
        check(attrs.evolve(whole, conversation=forgetful(whole)))
    half = whole.conversation.fork()
    half.rewind()
    with pytest.raises(AssertionError, match=r"\(L5\)"):
        check(attrs.evolve(whole, conversation=half))
    with pytest.raises(AssertionError, match=r"than what was there before.*\(L5\)"):
        check(attrs.evolve(whole, whole=False))
    with pytest.raises(AssertionError, match=r"saw the answer finish, and it is not in the next request \(L8\)"):
        check(attrs.evolve(whole, whole=False, conversation=half))
    unseen = attrs.evolve(whole, events=())
    with pytest.raises(AssertionError, match=r"\(L5\)"):
        check(unseen)
    left = at(FRANCE, 3, "left", exchange=2)
    check(left)
    with pytest.raises(AssertionError, match=r"exchange 2, byte 3, left: .* than what was there before.*\(L5\)"):
        check(attrs.evolve(left, conversation=whole.conversation))
    with pytest.raises(AssertionError, match=r"\(L5\)"):
        check(attrs.evolve(left, conversation=forgetful(left)))


def test_an_answer_that_lost_something_is_found() -> None:
    """L5: the turn is there, with another word in it, or without a part."""
    whole = at(POEM, -1, "left")
    check(whole)
    said = [to_wire(content) for content in whole.conversation.history(curated=True)]
    parts: list[Json] = said[-1]["parts"]
    for changed in (
        [*parts[:-1], {**parts[-1], "text": parts[-1]["text"].replace("e", "a", 1)}],
        [*parts, {"text": "", "thoughtSignature": "AAAA"}],
    ):
        content = {**said[-1], "parts": changed}
        told = RecordedMessage.of(
            attrs.evolve(
                whole.message.request,
                body=Body("json", {**whole.message.settings, "contents": [*said[:-1], content, said[0]]}),
            )
        )
        with pytest.raises(AssertionError, match=r"than the whole turn.*\(L5\)"):
            check(attrs.evolve(whole, conversation=told.conversation()[0]))


def test_half_an_answer_is_found() -> None:
    """L5: what had come before the chat was left is kept, and sent as if it had been whole."""
    left = at(POEM, 1500, "left")
    texts = [event.response.text or "" for event in left.events if isinstance(event, ChunkReceived)]
    half = Conversation(
        left.message.model,
        history=[UserContent(left.message.contents[0]["parts"][0]["text"]), ModelContent("".join(texts))],
    )
    with pytest.raises(AssertionError, match=r"byte 1500, left: the answer was not finished, and it is .*\(L5\)"):
        check(attrs.evolve(left, conversation=half, whole=True))


@pytest.mark.parametrize("inserted", [[ROUND[1]], [ROUND[1], ROUND[0], ANSWERED, ROUND[2]]])
def test_a_call_without_an_answer_is_found(inserted: list[Json]) -> None:
    """L7: a history that is sent with a call that nobody answers, or not before the model speaks again."""

    class Dangling(Conversation):
        def next(self) -> Any:
            step: Any = super().next()
            document = step.request.json()
            document["contents"][:0] = inserted
            return attrs.evolve(step, request=attrs.evolve(step.request, body=(json.dumps(document).encode(),)))

    left = at(FRANCE, 3, "left")
    with pytest.raises(AssertionError, match=r"exchange 1, byte 3, left: .*nothing answers the call of 'look' \(L7\)"):
        check(attrs.evolve(left, conversation=Dangling(left.message.model)))


def test_a_chat_that_does_not_go_on_is_found() -> None:
    """L12: no request after it, a message that is refused, and an error that is none of a server."""
    left = at(FRANCE, 3, "left")
    with pytest.raises(AssertionError, match=r"makes no request, but None \(L12\)"):
        check(attrs.evolve(left, conversation=Stuck(left.message.model)))
    with pytest.raises(AssertionError, match=r"the next message cannot be sent: ValidationError.*\(L12\)"):
        check(attrs.evolve(left, conversation=Conversation("")))
    lost = at(FRANCE, 3, "lost")
    ended = lost.events[-1]
    assert isinstance(ended, TurnEnded)
    for error in (ValidationError("ours"), KeyError("bug")):
        events = (*lost.events[:-1], TurnEnded(ended.turn, error))  # type: ignore[arg-type]
        with pytest.raises(AssertionError, match=r"an error came that no server can cause: .*\(L12\)"):
            check(attrs.evolve(lost, events=events))


# --- through real transports ----------------------------------------------------------------------------------------


@attrs.frozen
class Seen:
    """What a program sees of one interrupted message."""

    events: list[Any]
    curated: list[Json]
    outcomes: list[Any]


def seen(conversation: Conversation, events: Any) -> Seen:
    """As plain values."""
    return Seen(
        [plain(event) for event in events],
        [to_wire(content) for content in conversation.history(curated=True)],
        [(turn.outcome, turn.curated) for turn in conversation.turns],
    )


@cache
def near(*fixtures: Path) -> list[tuple[Exchange, Interruption]]:
    """The interruptions that a server can cause, at the places where something is seen."""
    return [
        (exchange, each)
        for cassette in map(Cassette.load, fixtures)
        for number, exchange in enumerate(cassette.exchanges, start=1)
        for each in sweep(cassette, exchange=number, ways=("lost", "ended"), at=boundaries(exchange))
    ]


def served(server: LoopbackServer, plan: list[tuple[Exchange, Interruption]], lost: Any) -> None:
    """Answer the requests of ``plan`` in its order: so many bytes of the recorded body, and the ending."""
    waiting = iter(plan)

    def answer(received: Received) -> Iterator[Any]:
        exchange, interruption = next(waiting)
        response: RecordedResponse = exchange.response  # type: ignore[assignment]
        assert json.loads(received.body) == exchange.request.body.value  # type: ignore[union-attr]
        fields: Json = {name.replace("-", "_"): value for name, value in response.headers}
        yield head(response.status, chunked=True, **fields)
        if interruption.at:
            yield chunk(response.content[: interruption.at])
        yield chunk() if interruption.way == "ended" else lost

    for exchange, _ in plan:
        server.on(exchange.request.path, answer)


WAYS_THERE: dict[str, Callable[[], Any]] = {
    "requests": RequestsTransport,
    "aiohttp": AiohttpTransport,
    "httpx": HttpxTransport,
    "httpx-async": HttpxTransport,
}


async def asked(transport: Any, conversations: list[Conversation], secrets: Secrets) -> list[Seen]:
    """By AsyncDrive."""
    found = [seen(each, [event async for event in AsyncDrive(each, transport, secrets)]) for each in conversations]
    await transport.aclose()
    return found


@pytest.mark.parametrize("lost", [CLOSE, RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("there", WAYS_THERE)
def test_real_transports_are_interrupted_alike(there: str, lost: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """L10, L5: the same bytes and the same ending over real sockets give what the machine gave, near every event."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    plan = near(*FIXTURES)
    if lost is RESET:  # whatever had arrived is read first, so one kind of answer is enough
        plan = [each for each in near(TOOLS) if each[1].way == "lost"]
    assert len({interruption.whole for _, interruption in plan}) == 2
    with LoopbackServer() as server:
        served(server, plan, lost)
        base = server.url("/")
        secrets = Secrets({"x-goog-api-key": KEY}, url=base)
        conversations: list[Conversation] = []
        for _, interruption in plan:
            conversation, draft = interruption.message.conversation(base)
            conversation.send(draft)
            conversations.append(conversation)
        transport = WAYS_THERE[there]()
        if there in ("aiohttp", "httpx-async"):
            found = asyncio.run(asked(transport, conversations, secrets))
        else:
            found = [seen(each, Drive(each, transport, secrets)) for each in conversations]
            transport.close()
    for (_, interruption), mine in zip(plan, found, strict=True):
        assert mine == seen(interruption.conversation, interruption.events), str(interruption)


def test_faults_interrupt_as_the_sweep_does() -> None:
    """L10: a cut and a reset at a byte of a played cassette are what the sweep shows for that byte."""
    from chatproto_replay import Player

    for number in (1, 2):
        exchange = Cassette.load(TOOLS).exchanges[number - 1]
        for interruption in sweep(TOOLS, exchange=number, ways=("lost", "ended"), at=boundaries(exchange)):
            fault = faults.reset(interruption.at) if interruption.way == "lost" else faults.cut(interruption.at)
            conversation, draft = interruption.message.conversation()
            conversation.send(draft)
            with faults.Faulty(Player(tape(exchange)), fault) as transport:
                events = list(Drive(conversation, transport, Secrets({}, url="http://recorded.invalid/")))
            assert seen(conversation, events) == seen(interruption.conversation, interruption.events)
            assert transport.struck
