"""Conversation: the rules of the default profile, one by one, and the laws of history."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import (
    APIError,
    ChatProtoError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    RemoteProtocolError,
    ServerError,
    TransportError,
    ValidationError,
)
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import Outcome, Turn
from chatproto.machines.states import ConversationState
from chatproto.machines.steps import (
    ChunkReceived,
    FunctionCallsRequested,
    ReadBody,
    RetryScheduled,
    RoundFailed,
    SendRequest,
    Step,
    TurnEnded,
    Wait,
)
from chatproto.testing.strategies import answers, cuts, json_values, parts, responses, streamed
from chatproto.testing.wire import sse, text_response
from chatproto.types import Content, GenerateContentConfig, HttpOptions, HttpRetryOptions, Part, UserContent
from chatproto.types._dump import to_wire
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode

Json = dict[str, Any]
End = bytes | TransportError

STOP: Json = {"candidates": [{"finishReason": "STOP"}]}
USAGE: Json = {"usageMetadata": {"totalTokenCount": 3}}
EMPTY: Json = {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}
LOST = ConnectionLost("gone")


def said(*of: Json, finish: str | None = None, role: str | None = "model", **beside: Any) -> Json:
    """A chunk with these parts."""
    content: Json = {"parts": list(of)}
    if role is not None:
        content["role"] = role
    candidate: Json = {"content": content, **beside}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate]}


def text(words: str) -> Json:
    """A part of text."""
    return {"text": words}


def user(words: str) -> Json:
    """What the user said."""
    return {"parts": [text(words)], "role": "user"}


def model(*of: Json) -> Json:
    """What the model said."""
    return {"role": "model", "parts": list(of)}


def call(name: str = "f", **beside: Any) -> Json:
    """A part that calls a function."""
    return {"functionCall": {"name": name, "args": {}, **beside}}


def result(name: str = "f", **beside: Any) -> Part:
    """A part that answers it."""
    return Part(function_response={"name": name, "response": {"output": 1}, **beside})  # type: ignore[arg-type]


def begin(conversation: Conversation) -> Request:
    """The request that is handed out, answered with a 200."""
    step = conversation.next()
    assert isinstance(step, SendRequest)
    conversation.receive_response(200, (("x-server", "s"),))
    return step.request


def receive(conversation: Conversation, *pieces: End) -> list[Step]:
    """Events until the machine wants more than ``pieces``, or its user."""
    events: list[Step] = []
    waiting = list(pieces)
    while (step := conversation.next()) is not None:
        if not isinstance(step, ReadBody):
            events.append(step)
        elif not waiting:
            break
        else:
            piece = waiting.pop(0)
            if isinstance(piece, bytes):
                conversation.receive_data(piece)
            else:
                conversation.receive_failure(piece)
    return events


def stream(conversation: Conversation, *chunks: Json, end: End = b"") -> list[Step]:
    """One streamed answer from its head to its end."""
    begin(conversation)
    return receive(conversation, *sse(chunks), end)


def unary(conversation: Conversation, document: Any) -> list[Step]:
    """One unary answer from its head to its end."""
    begin(conversation)
    return receive(conversation, encode(document), b"")


def sent(conversation: Conversation) -> list[Json]:
    """The contents of the next request, without the message that it needs."""
    request = conversation.prepare(conversation.draft("next"))
    contents: list[Json] = request.json()["contents"]
    assert contents[-1] == user("next")
    return contents[:-1]


def histories(conversation: Conversation) -> tuple[list[Json], list[Json]]:
    """Curated and comprehensive."""
    return [to_wire(each) for each in conversation.history(curated=True)], list(map(to_wire, conversation.history()))


def ended(steps: list[Step]) -> TurnEnded:
    """The last of them, which ends a turn."""
    step = steps[-1]
    assert isinstance(step, TurnEnded)
    return step


def asked(**options: Any) -> Conversation:
    """A conversation with a message that has not begun."""
    conversation = Conversation("m", **options)
    conversation.send("q")
    return conversation


def snapshot(conversation: Conversation) -> Any:
    """All that can be seen of a conversation, and its pickle."""
    return conversation.state, conversation.turns, histories(conversation), pickle.dumps(conversation)


# --- the outcome of a streamed turn -------------------------------------------------------------------------------

A, B = said(text("A")), said(text("B"))
SIGNED = {"text": "", "thoughtSignature": "c2ln"}
NEW = {"brandNewKind": {"a": 1}}
BLOCKED: Json = {"promptFeedback": {"blockReason": "SAFETY"}}

COMPLETED_STREAMS: dict[str, tuple[list[Json], list[Json]]] = {
    "two chunks": ([A, said(text("B"), finish="STOP")], [text("AB")]),
    "a closing STOP without content": ([A, STOP], [text("A")]),
    "a closing STOP without parts": ([A, EMPTY], [text("A")]),
    "a closing STOP with parts: []": ([A, said(finish="STOP")], [text("A")]),
    "usage last": ([said(text("A"), finish="STOP"), USAGE], [text("A")]),
    "usage first": ([USAGE, said(text("A"), finish="STOP")], [text("A")]),
    "usage between, and a chunk of nothing": ([A, USAGE, {}, said(text("B"), finish="STOP")], [text("AB")]),
    "a signature on an empty text": ([A, said(SIGNED, finish="STOP")], [text("A"), SIGNED]),
    "a signature alone": (
        [A, said({"thoughtSignature": "c2ln"}, finish="STOP")],
        [text("A"), {"thoughtSignature": "c2ln"}],
    ),
    "several finish reasons": (
        [said(text("A"), finish="STOP"), said(text("B"), finish="STOP"), said(text("C"), finish="MAX_TOKENS")],
        [text("ABC")],
    ),
    "text after the finish reason": ([said(text("A"), finish="STOP"), B], [text("AB")]),
    "a finish reason that is new": ([said(text("A"), finish="BRAND_NEW")], [text("A")]),
    "a finish reason that says no": ([said(text("A"), finish="SAFETY")], [text("A")]),
    "an unknown part kind": ([said(NEW, text("A")), said(NEW, finish="STOP")], [NEW, text("A"), NEW]),
    "only an unknown part kind": ([said(NEW, finish="STOP")], [NEW]),
    "an empty text": ([said(text(""), finish="STOP")], [text("")]),
    "an empty part among others": ([said({}, text("A"), finish="STOP")], [{}, text("A")]),
    "thoughts": (
        [said({"text": "t", "thought": True}), said({"text": "u", "thought": True}), said(text("A"), finish="STOP")],
        [{"text": "tu", "thought": True}, text("A")],
    ),
    "within a chunk nothing is joined": (
        [said(text("A"), text("B")), said(text("C"), finish="STOP")],
        [text("A"), text("BC")],
    ),
    "a finish reason in the other spelling": (
        [said(text("A")), said(text("B")), said(text("C"), finish_reason="STOP")],
        [text("ABC")],
    ),
    "another candidate by itself, in the middle": (
        [said(text("A")), said(text("B"), index="0"), said(text("no"), index="1"), said(text("C"), finish="STOP")],
        [text("ABC")],
    ),
    "other candidates": (
        [
            {"candidates": [said(text("no"))["candidates"][0] | {"index": 1}]},
            {
                "candidates": [
                    *said(text("A"), finish="STOP", index=0)["candidates"],
                    *said(text("no"), index=1)["candidates"],
                ]
            },
            {"candidates": [*said(text("no"), index=2)["candidates"], *said(text("B"), index=0)["candidates"]]},
        ],
        [text("AB")],
    ),
}


@pytest.mark.parametrize("name", COMPLETED_STREAMS)
def test_answers_that_are_kept(name: str) -> None:
    """L8: a streamed answer that says something and has finished is one Content in both histories and in the next
    request, whatever stands around it; rule 1 holds also if the caller leaves or the connection dies at the end.
    """
    chunks, expected = COMPLETED_STREAMS[name]
    contents = [user("q"), model(*expected)]

    def cut(conversation: Conversation) -> list[Step]:
        begin(conversation)
        return receive(conversation, *sse(chunks), b"data: {", b"")

    def left(conversation: Conversation) -> list[Step]:
        begin(conversation)
        receive(conversation, *sse(chunks))
        conversation.abandon()
        return []

    # The error that comes after the answer is told all the same: who cannot see what was lost must not hide it.
    ways: list[tuple[Callable[[Conversation], list[Step]], type[Exception] | None]] = [
        (lambda conversation: stream(conversation, *chunks), None),
        (lambda conversation: stream(conversation, *chunks, end=LOST), ConnectionLost),
        (cut, None),
        (lambda conversation: stream(conversation, *chunks, {"error": {"code": 500}}), ServerError),
        (lambda conversation: stream(conversation, *chunks, {"candidates": 1}), MalformedResponse),
        (left, None),
    ]
    for way, error in ways:
        conversation = asked()
        steps = way(conversation)
        assert conversation.state is ConversationState.IDLE
        assert sent(conversation) == contents
        assert histories(conversation) == (contents, contents)
        (turn,) = conversation.turns
        assert (turn.outcome, turn.curated, turn.number) == (Outcome.COMPLETED, True, 1)
        if steps:
            assert ended(steps).turn == turn
            assert type(ended(steps).error) is (error or type(None))
        assert conversation.next() is None


UNFINISHED: dict[str, tuple[list[Json], End, Outcome, list[Json]]] = {
    "no events": ([], b"", Outcome.TRUNCATED, []),
    "usage only": ([USAGE], b"", Outcome.TRUNCATED, []),
    "no finish reason": ([A, B], b"", Outcome.TRUNCATED, [text("AB")]),
    "a blocked prompt": ([BLOCKED], b"", Outcome.BLOCKED, []),
    "a blocked prompt and usage": ([BLOCKED, USAGE], b"", Outcome.BLOCKED, []),
    "STOP alone": ([STOP], b"", Outcome.BLOCKED, []),
    "STOP without parts": ([EMPTY], b"", Outcome.BLOCKED, []),
    "only empty parts": ([said({}, {"text": None}, finish="STOP")], b"", Outcome.BLOCKED, []),
    "refused": ([{"candidates": [{"finishReason": "SAFETY", "finishMessage": "no"}]}], b"", Outcome.BLOCKED, []),
    "only candidate 1": ([said(text("x"), finish="STOP", index=1)], b"", Outcome.TRUNCATED, []),
    "the connection died at once": ([], LOST, Outcome.FAILED, []),
    "the connection died": ([A], LOST, Outcome.FAILED, [text("A")]),
    "an error in the stream": ([A, {"error": {"code": 503}}], b"", Outcome.FAILED, [text("A")]),
    "bad JSON": ([A], b"data: {]\n\n", Outcome.FAILED, [text("A")]),
    "a wrong type": ([A, {"candidates": [{"content": 1}]}], b"", Outcome.FAILED, [text("A")]),
}


@pytest.mark.parametrize("name", UNFINISHED)
@pytest.mark.parametrize("earlier", [False, True])
def test_answers_that_are_not_kept(name: str, earlier: bool) -> None:
    """L5: what did not finish leaves curated history as it was; the ledger has it with its outcome, and the
    comprehensive history if no error ended it.
    """
    chunks, end, outcome, partial = UNFINISHED[name]
    conversation = asked()
    stream(conversation, said(text("a"), finish="STOP"))
    if not earlier:
        conversation = Conversation("m")
    before = sent(conversation)
    conversation.send("q")
    event = ended(stream(conversation, *chunks, end=end))
    assert sent(conversation) == before
    contents = [user("q"), *([model(*partial)] if partial else [])]
    shown = [] if outcome is Outcome.FAILED else contents
    assert histories(conversation) == (before, [*before, *shown])
    turn = conversation.turns[-1]
    assert event.turn is turn
    assert (turn.outcome, turn.curated, turn.number) == (outcome, False, 1 + earlier)
    assert list(map(to_wire, turn.contents)) == contents
    assert turn.reason
    assert (event.error is not None) == (outcome is Outcome.FAILED)
    if event.error is not None:
        assert str(event.error) == turn.reason


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("how", ["abandon", "send", "draft"])
def test_leaving_before_and_after_the_finish_reason(finished: bool, how: str) -> None:
    """W3: an answer that finished is kept when the caller leaves, in whatever way; another is abandoned."""
    conversation = asked()
    begin(conversation)
    steps = receive(conversation, *sse([A, said(text("B"), finish="STOP" if finished else None)]))
    assert [type(step) for step in steps] == [ChunkReceived, ChunkReceived]
    draft = conversation.draft("next")
    expected = [user("q"), model(text("AB"))] if finished else []
    assert conversation.prepare(draft).json()["contents"] == [*expected, user("next")]
    if how == "abandon":
        conversation.abandon()
        conversation.abandon()
        assert conversation.next() is None
    else:
        conversation.send(draft if how == "draft" else "next")
        assert conversation.turns[-1].outcome is (Outcome.COMPLETED if finished else Outcome.ABANDONED)
        assert begin(conversation).json()["contents"] == [*expected, user("next")]
    assert conversation.turns[0].curated is finished
    assert histories(conversation)[0] == expected
    assert list(map(to_wire, conversation.turns[0].contents)) == [user("q"), model(text("AB"))]


def test_a_unary_answer_that_was_handed_out_is_kept() -> None:
    """L8: of a unary answer the body is whole when the caller sees it, so leaving then does not lose it."""
    conversation = Conversation("m")
    conversation.send("q", stream=False)
    begin(conversation)
    conversation.receive_data(encode(A))
    conversation.receive_data(b"")
    assert isinstance(conversation.next(), ChunkReceived)
    conversation.abandon()
    assert sent(conversation) == [user("q"), model(text("A"))]
    assert conversation.turns[0].outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("document", "outcome", "kept"),
    [
        (A, Outcome.COMPLETED, model(text("A"))),
        (said(text("A"), finish="SAFETY"), Outcome.COMPLETED, model(text("A"))),
        (said(text(""), finish="STOP"), Outcome.COMPLETED, model(text(""))),
        (said(NEW), Outcome.COMPLETED, model(NEW)),
        (said(text("A"), role=None), Outcome.COMPLETED, {"parts": [text("A")], "role": "model"}),
        ({"candidates": [{"content": {"role": None, "parts": [text("A")]}}]}, Outcome.COMPLETED, model(text("A"))),
        ({}, Outcome.BLOCKED, None),
        ({"candidates": []}, Outcome.BLOCKED, None),
        ({"candidates": None}, Outcome.BLOCKED, None),
        (BLOCKED, Outcome.BLOCKED, None),
        (STOP, Outcome.BLOCKED, None),
        (EMPTY, Outcome.BLOCKED, None),
        (said({}), Outcome.BLOCKED, None),
        ({"candidates": [{"content": {}}]}, Outcome.BLOCKED, None),
        ({"candidates": [{"content": None}]}, Outcome.BLOCKED, None),
    ],
)
def test_unary_answers(document: Json, outcome: Outcome, kept: Json | None) -> None:
    """A unary answer is whole with its body, finish reason or not; a role that is missing is the model's."""
    conversation = Conversation("m")
    conversation.send("q", stream=False)
    steps = unary(conversation, document)
    assert isinstance(steps[0], ChunkReceived)
    assert ended(steps).turn.outcome is outcome
    assert sent(conversation) == ([user("q"), kept] if kept else [])
    assert histories(conversation)[1] == ([user("q"), kept] if kept else [user("q")])


@pytest.mark.parametrize("way", ["truncated", "lost", "left", "sent over"])
@pytest.mark.parametrize("chunk", [A, said(text("A"), call())])
def test_on_incomplete_keep(way: str, chunk: Json) -> None:
    """With ``keep`` a part of an answer stays in curated history; never one with a function call (L7)."""
    conversation = asked(on_incomplete="keep")
    begin(conversation)
    receive(conversation, *sse([chunk]))
    match way:
        case "truncated":
            receive(conversation, b"")
        case "lost":
            receive(conversation, LOST)
        case "left":
            conversation.abandon()
        case _:
            conversation.send("next")
            conversation.abandon()
    expected = [user("q"), model(text("A"))] if chunk is A else []
    assert sent(conversation) == expected
    assert conversation.turns[0].curated == (chunk is A)
    assert conversation.turns[0].outcome is not Outcome.COMPLETED


@pytest.mark.parametrize("way", [BLOCKED, USAGE])
def test_on_incomplete_keep_keeps_no_question_without_an_answer(way: Json) -> None:
    """There is nothing to keep where nothing was said."""
    conversation = asked(on_incomplete="keep")
    stream(conversation, way)
    assert sent(conversation) == []


@pytest.mark.parametrize(("option", "value"), [("on_incomplete", "maybe"), ("config_mode", None)])
def test_options_are_checked(option: str, value: Any) -> None:
    """A wrong option is told at once."""
    with pytest.raises(ValidationError, match=option):
        Conversation("m", **{option: value})


# --- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "mine", "expected"),
    [
        ("replace", None, {"temperature": 0.5, "topK": 3}),
        ("replace", GenerateContentConfig(temperature=1.5), {"temperature": 1.5}),
        ("replace", GenerateContentConfig(), {}),
        ("merge", None, {"temperature": 0.5, "topK": 3}),
        ("merge", GenerateContentConfig(temperature=1.5), {"temperature": 1.5, "topK": 3}),
        ("merge", GenerateContentConfig(), {"temperature": 0.5, "topK": 3}),
    ],
)
def test_config_mode(mode: Any, mine: GenerateContentConfig | None, expected: Json) -> None:
    """Rule 8: a message's config replaces the chat's, or is laid over it; neither object is changed, or kept."""
    config = GenerateContentConfig(temperature=0.5, top_k=3)
    conversation = Conversation("m", config=config, config_mode=mode)
    config.temperature = 9.0
    before = copy.deepcopy(mine)
    conversation.send("q", mine)
    if mine is not None:
        assert mine == before
        mine.temperature = 9.0
    assert begin(conversation).json()["generationConfig"] == expected
    conversation.send("q")
    assert begin(conversation).json()["generationConfig"] == {"temperature": 0.5, "topK": 3}


def test_without_a_config_there_is_no_generation_config() -> None:
    """As ``models.generate_content`` sends it."""
    assert begin(asked()).json() == {"contents": [user("q")]}


def test_methods_and_addresses() -> None:
    """A stream is asked for as events."""
    conversation = Conversation("m", endpoint=Endpoint(base_url="http://h/", api_version="v9"))
    for how, url in (
        (True, "http://h/v9/models/m:streamGenerateContent?alt=sse"),
        (False, "http://h/v9/models/m:generateContent"),
    ):
        conversation.send("q", stream=how)
        assert begin(conversation).url == url


def test_nothing_begins_before_the_first_next() -> None:
    """A message that is never asked for was never sent: no turn, no request, and no trace of it."""
    conversation = Conversation("m")
    before = snapshot(conversation)
    conversation.send("q")
    assert conversation.busy
    assert not conversation.reading
    conversation.abandon()
    assert snapshot(conversation) == before
    conversation.send("first")
    conversation.send("second")
    assert begin(conversation).json()["contents"] == [user("second")]
    assert conversation.turns == ()


def send_to_nobody(_: Conversation) -> None:
    """The model's name is looked at when something is sent."""
    Conversation("").send("q")


@pytest.mark.parametrize(
    "send",
    [
        lambda conversation: conversation.send([]),
        lambda conversation: conversation.send(["text"]),
        lambda conversation: conversation.send(5),
        lambda conversation: conversation.send("q", GenerateContentConfig(audio_timestamp=True)),
        lambda conversation: conversation.send("q", GenerateContentConfig(http_options=HttpOptions(base_url="h"))),
        lambda conversation: conversation.send(
            "q", GenerateContentConfig(http_options=HttpOptions(extra_body={"a": object()}))
        ),
        lambda conversation: conversation.send(Content(role="user", parts=[result()])),
        lambda conversation: conversation.send_function_responses([result()]),
        lambda conversation: conversation.send_function_responses(["no response"]),
        lambda conversation: conversation.send_function_responses([]),
        lambda conversation: conversation.draft("q", GenerateContentConfig(http_options=HttpOptions(base_url="h"))),
        send_to_nobody,
    ],
)
@pytest.mark.parametrize("state", ["idle", "starting", "exchanging", "finished"])
def test_what_cannot_be_sent_is_told_at_the_call(send: Callable[[Conversation], None], state: str) -> None:
    """Arguments are checked at the call, and then nothing has changed, and an open turn goes on."""
    conversation = Conversation("m")
    if state != "idle":
        conversation.send("q")
    if state in ("exchanging", "finished"):
        begin(conversation)
        receive(conversation, *sse([said(text("A"), finish="STOP" if state == "finished" else None)]))
    before = snapshot(copy.copy(conversation))
    with pytest.raises((ValidationError, TypeError)):
        send(conversation)
    assert snapshot(conversation) == before


def test_a_draft_is_of_no_state() -> None:
    """A draft can be made early, sent several times and to several chats; prepare shows each time what is sent."""
    conversation = Conversation("m", config=GenerateContentConfig(temperature=0.5))
    draft = conversation.draft("q")
    again: list[Json] = []
    for count in range(3):
        shown = conversation.prepare(draft)
        assert conversation.prepare(draft) == shown
        conversation.send(draft)
        request = begin(conversation)
        assert request == shown
        assert request.json()["contents"] == [*again, user("q")]
        receive(conversation, *sse([said(text(str(count)), finish="STOP")]), b"")
        again += [user("q"), model(text(str(count)))]
    other = Conversation("other")
    other.send(draft)
    assert begin(other).url.endswith("models/other:streamGenerateContent?alt=sse")


def test_the_caller_s_objects_are_the_caller_s() -> None:
    """Rule 7: changing what was handed in, or what was handed out, changes nothing that is sent."""
    message = UserContent("q")
    history = [UserContent("u"), Content(role="model", parts=[Part(text="m")])]
    conversation = Conversation("m", history=history)

    def vandalise(*contents: Content) -> None:
        for content in contents:
            assert content.parts is not None
            for part in content.parts:
                part.text = "changed"
                if part.function_call is not None and part.function_call.args is not None:
                    part.function_call.args["changed"] = True
            content.parts.append(Part(text="changed"))

    vandalise(*history)
    conversation.send(message)
    vandalise(message)
    begin(conversation)
    steps = receive(conversation, *sse([said(text("A"), call(args={"a": {"b": []}})), STOP]), b"")
    for step in steps:
        if isinstance(step, ChunkReceived) and step.response.candidates and step.response.candidates[0].content:
            vandalise(step.response.candidates[0].content)
        if isinstance(step, FunctionCallsRequested):
            assert step.calls[0].args is not None
            step.calls[0].args["a"]["b"].append("changed")
    assert conversation.pending_calls[0].args == {"a": {"b": []}}
    vandalise(*conversation.history(), *conversation.history(curated=True))
    conversation.send_function_responses([result()])
    contents = begin(conversation).json()["contents"]
    assert contents == [
        user("u"),
        model(text("m")),
        user("q"),
        model(text("A"), call(args={"a": {"b": []}})),
        contents[-1],
    ]
    receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    vandalise(*conversation.history(), *conversation.turns[-1].contents)
    assert "changed" not in json.dumps(sent(conversation))


# --- errors and retries --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ConnectFailed("no"), 503, 404])
def test_a_request_that_failed_is_a_failed_turn(error: ConnectFailed | int) -> None:
    """L5: the chat is as before, and the ledger has the turn."""
    conversation = asked()
    assert isinstance(conversation.next(), SendRequest)
    if isinstance(error, int):
        conversation.receive_response(error, ())
        events = receive(conversation, b"why", b"")
    else:
        conversation.receive_failure(error)
        events = receive(conversation)
    event = ended(events)
    assert isinstance(event.error, APIError if isinstance(error, int) else ConnectFailed)
    assert event.turn.outcome is Outcome.FAILED
    assert histories(conversation) == ([], [])
    assert list(map(to_wire, event.turn.contents)) == [user("q")]


def test_retries_are_inside_a_turn() -> None:
    """The caller sees them as events, and the turn ends as if there had been none."""
    conversation = Conversation("m", endpoint=Endpoint(retry_options=HttpRetryOptions(attempts=3)))
    conversation.send("q")
    events: list[Step] = []
    for status in (503, 429, 200):
        step = conversation.next()
        while isinstance(step, RetryScheduled):
            events.append(step)
            step = conversation.next()
        if isinstance(step, Wait):
            assert not conversation.reading
            conversation.resume(step.jitter)
            step = conversation.next()
        assert isinstance(step, SendRequest)
        conversation.receive_response(status, (("attempt", str(status)),))
        assert conversation.reading
        if status != 200:
            assert conversation.next() == ReadBody()
            conversation.receive_data(b"")
    events += receive(conversation, *sse([said(text("A"), finish="STOP")]), b"")
    assert [type(event) for event in events] == [RetryScheduled, RetryScheduled, ChunkReceived, TurnEnded]
    chunk = events[2]
    assert isinstance(chunk, ChunkReceived)
    assert chunk.response.sdk_http_response is not None
    assert chunk.response.sdk_http_response.headers == {"attempt": "200"}
    assert len(conversation.turns) == 1


WRONG: list[tuple[Any, str]] = [
    ({"candidates": 1}, "$.candidates"),
    ({"candidates": {"content": 1}}, "$.candidates"),
    ({"candidates": [1]}, "$.candidates[0]"),
    ({"candidates": [None]}, "$.candidates[0]"),
    ({"candidates": [{}, []]}, "$.candidates[1]"),
    ({"candidates": [{"content": "x"}]}, "$.candidates[0].content"),
    ({"candidates": [{"content": {"parts": {}}}]}, "$.candidates[0].content.parts"),
    ({"candidates": [{"content": {"parts": "x"}}]}, "$.candidates[0].content.parts"),
    ({"candidates": [{"content": {"parts": [[]]}}]}, "$.candidates[0].content.parts[0]"),
    ({"candidates": [{"content": {"parts": [None]}}]}, "$.candidates[0].content.parts[0]"),
    ({"candidates": [{"content": {"parts": [{}, {"text": 5}]}}]}, "$.candidates[0].content.parts[1].text"),
    ({"candidates": [{"content": {"parts": [{"text": ["x"]}]}}]}, "$.candidates[0].content.parts[0].text"),
    ({"candidates": [{"content": {"parts": [{"thought": "yes"}]}}]}, "$.candidates[0].content.parts[0].thought"),
    ({"candidates": [{"content": {"parts": [{"thought": 1}]}}]}, "$.candidates[0].content.parts[0].thought"),
    (said({"thoughtSignature": 1}), "$.candidates[0].content.parts[0].thoughtSignature"),
    (said({"thoughtSignature": "!"}), "$.candidates[0].content.parts[0].thoughtSignature"),
    (said({"inlineData": {"data": {}}}), "$.candidates[0].content.parts[0].inlineData.data"),
    (said({"functionCall": []}), "$.candidates[0].content.parts[0].functionCall"),
    (said({"functionCall": {"name": {}}}), "$.candidates[0].content.parts[0].functionCall.name"),
    (said({"functionCall": {"args": "x"}}), "$.candidates[0].content.parts[0].functionCall.args"),
    (said({"function_call": {"args": []}}), "$.candidates[0].content.parts[0].function_call.args"),
    (said({"executableCode": {"language": {}}}), "$.candidates[0].content.parts[0].executableCode.language"),
    ({"candidates": [{"content": {"role": 1}}]}, "$.candidates[0].content.role"),
    ({"candidates": [{"finishReason": []}]}, "$.candidates[0].finishReason"),
    ({"candidates": [{"finishReason": True}]}, "$.candidates[0].finishReason"),
    ({"candidates": [{"index": "x"}]}, "$.candidates[0].index"),
    ({"candidates": [{"index": 1.5}]}, "$.candidates[0].index"),
    ({"candidates": [{"safetyRatings": {}}]}, "$.candidates[0].safetyRatings"),
    ({"candidates": [{"safetyRatings": [{"blocked": 0}]}]}, "$.candidates[0].safetyRatings[0].blocked"),
    ({"promptFeedback": []}, "$.promptFeedback"),
    ({"promptFeedback": {"blockReason": {}}}, "$.promptFeedback.blockReason"),
    ({"usageMetadata": 1}, "$.usageMetadata"),
    ({"usageMetadata": {"totalTokenCount": "many"}}, "$.usageMetadata.totalTokenCount"),
    (
        {"usageMetadata": {"promptTokensDetails": [{"tokenCount": []}]}},
        "$.usageMetadata.promptTokensDetails[0].tokenCount",
    ),
    ({"modelVersion": 3}, "$.modelVersion"),
    ({"responseId": {}}, "$.responseId"),
    ({"createTime": "yesterday"}, "$.createTime"),
]


@pytest.mark.parametrize(("document", "where"), WRONG, ids=lambda each: each if isinstance(each, str) else "")
@pytest.mark.parametrize("how", [True, False], ids=["stream", "unary"])
def test_a_wrong_type_is_malformed_and_says_where(document: Json, where: str, how: bool) -> None:
    """L12: a value of a type that the API does not document, wherever it stands, is MalformedResponse with its path."""
    conversation = Conversation("m")
    conversation.send("q", stream=how)
    event = ended(stream(conversation, document) if how else unary(conversation, document))
    assert isinstance(event.error, MalformedResponse)
    assert event.error.where == where
    assert event.turn.outcome is Outcome.FAILED
    assert sent(conversation) == []


def places(document: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a JSON document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(found for key, inner in items for found in places(inner, (*path, key)))]


@given(st.data(), responses(), json_values())
def test_any_value_anywhere_is_taken_or_malformed(data: st.DataObject, document: Json, strange: Any) -> None:
    """L12: any JSON value in any place of an answer gives events and an error of the tree; the chat goes on."""
    path = data.draw(st.sampled_from(places(document)))
    holder: Any = {"root": document}
    for key in ("root", *path)[:-1]:
        holder = holder[key]
    holder[("root", *path)[-1]] = strange
    if not path:
        document = strange
    conversation = Conversation("m")
    how = data.draw(st.booleans())
    conversation.send("q", stream=how)
    steps = stream(conversation, document) if how else unary(conversation, document)
    match steps[-1]:
        case TurnEnded(error=error):
            assert error is None or isinstance(error, (RemoteProtocolError, APIError))
            if isinstance(error, MalformedResponse):
                assert error.where
        case FunctionCallsRequested():
            pass
        case other:
            raise AssertionError(other)
    sent(conversation)
    histories(conversation)
    pickle.dumps(conversation)


@pytest.mark.parametrize("pattern", ['{"functionCall":{"name":"f","args":{"a":%}}}', '{"newKind":[%]}', '{"text":%}'])
@pytest.mark.parametrize("inner", ["[%]", '{"a":%}'])
def test_any_depth_of_nesting_is_taken_or_malformed(pattern: str, inner: str) -> None:
    """L12: no depth of nesting brings RecursionError; what is taken can be echoed, copied and pickled."""
    for depth in [1, *range(100, 1100, 29), *range(440, 500, 3), *range(940, 1000, 3)]:
        value = "1"
        for _ in range(depth):
            value = inner.replace("%", value)
        part = pattern.replace("%", value)
        conversation = asked()
        begin(conversation)
        body = b'data: {"candidates":[{"finishReason":"STOP","content":{"parts":[%b]}}]}\n\n' % part.encode()
        steps = receive(conversation, body)
        copies = [copy.deepcopy(conversation), pickle.loads(pickle.dumps(conversation))]
        for each in (conversation, *copies):
            found = [*steps, *receive(each, b"")]
            if isinstance(found[-1], FunctionCallsRequested):
                each.send_function_responses([result()])
                begin(each)
                found = receive(each, *sse([STOP | A, said(text("."), finish="STOP")]), b"")
            event = ended(found)
            assert event.error is None or isinstance(event.error, MalformedResponse), depth
            request = each.prepare(each.draft("next"))
            assert (part.encode() in request.content) == (event.error is None)


# --- function calls ------------------------------------------------------------------------------------------------


def calling(*of: Json, **options: Any) -> Conversation:
    """A conversation whose calls are open."""
    conversation = asked(**options)
    events = stream(conversation, said(*of, finish="STOP"))
    assert isinstance(events[-1], FunctionCallsRequested)
    assert conversation.state is ConversationState.CALLS_WANTED
    assert conversation.next() is None
    return conversation


ANSWER = {"functionResponse": {"name": "f", "response": {"output": 1}}}


def test_calls_and_their_answers_are_one_turn() -> None:
    """L7: nothing of a round is in curated history before its turn is complete; ids are filled in."""
    conversation = calling(text("let me see"), call("f", id="1"), call("g"))
    assert [(each.name, each.id) for each in conversation.pending_calls] == [("f", "1"), ("g", None)]
    asked_for = [user("q"), model(text("let me see"), call("f", id="1"), call("g"))]
    assert histories(conversation) == ([], asked_for)
    conversation.send_function_responses([result("g"), result("f")])
    assert conversation.state is ConversationState.ANSWERING
    assert conversation.busy
    request = begin(conversation).json()["contents"]
    assert request[:2] == asked_for
    assert [part["functionResponse"].get("id") for part in request[2]["parts"]] == [None, "1"]
    assert conversation.pending_calls == ()
    assert histories(conversation) == ([], asked_for)
    events = receive(conversation, *sse([said(call("g"), finish="STOP")]), b"")
    assert isinstance(events[-1], FunctionCallsRequested)
    assert histories(conversation) == ([], [*request, model(call("g"))])
    conversation.send_function_responses([result("g")])
    request = begin(conversation).json()["contents"]
    receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    assert histories(conversation) == ([*request, model(text("done"))],) * 2
    assert len(conversation.turns) == 1


def test_another_message_abandons_the_turn() -> None:
    """Rule 5: the calls are in no request any more; the comprehensive history, which has shown them, keeps them."""
    conversation = calling(call())
    shown = histories(conversation)[1]
    conversation.send("never mind")
    assert begin(conversation).json()["contents"] == [user("never mind")]
    assert conversation.turns[0].outcome is Outcome.ABANDONED
    assert histories(conversation) == ([], shown)


@pytest.mark.parametrize(
    ("how", "keep"),
    [
        *((how, "drop") for how in ("status", "failure", "lost", "malformed", "error in the stream")),
        ("status", "keep"),
        ("failure", "keep"),
    ],
)
def test_an_answer_that_fails_reopens_the_calls(how: str, keep: Any) -> None:
    """The function's work is not lost: the same calls can be answered again, and the chat is as it was."""
    conversation = calling(call("f", id="1"), on_incomplete=keep)
    before = histories(conversation), conversation.turns, conversation.pending_calls
    for _ in range(2):
        conversation.send_function_responses([result()])
        assert isinstance(conversation.next(), SendRequest)
        if how == "failure":
            conversation.receive_failure(ConnectFailed("no"))
            events = receive(conversation)
        else:
            conversation.receive_response(500 if how == "status" else 200, ())
            ends: dict[str, End] = {
                "lost": LOST,
                "malformed": b"data: x\n\n",
                "error in the stream": b'{"error": {"code": 500}}',
            }
            events = receive(conversation, *([] if how == "status" else sse([A])), ends.get(how, b""), b"")
        assert isinstance(events[-1], RoundFailed)
        assert isinstance(events[-1].error, ChatProtoError)
        assert conversation.state is ConversationState.CALLS_WANTED
        assert (histories(conversation), conversation.turns, conversation.pending_calls) == before
    conversation.send_function_responses([result()])
    begin(conversation)
    receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    assert len(sent(conversation)) == 4


@pytest.mark.parametrize(
    "parts",
    [[], [result("f")], [result("f"), result("g"), result("g")], [result("f"), result("h")], [result("f", id="2")]],
)
def test_answers_that_do_not_fit_change_nothing(parts: list[Part]) -> None:
    """L11: an incomplete, superfluous or unknown answer raises, as message and as draft."""
    conversation = calling(call("f", id="1"), call("g", id="2"))
    before = snapshot(conversation)
    for attempt in (
        lambda: conversation.send_function_responses(parts),
        lambda: conversation.send(UserContent(list(parts))),
        lambda: conversation.draft(UserContent(list(parts))),
    ):
        with pytest.raises(ValidationError):
            attempt()
        assert snapshot(conversation) == before


def test_an_answer_can_be_taken_back_before_it_is_sent() -> None:
    """And given anew, or given up."""
    conversation = calling(call("f", id="1"))
    before = snapshot(conversation)
    conversation.send_function_responses([result(response={"output": 1})])
    conversation.abandon()
    assert snapshot(conversation) == before
    conversation.send_function_responses([result(response={"output": 1})])
    conversation.send_function_responses([result(response={"output": 2})])
    (part,) = begin(conversation).json()["contents"][-1]["parts"]
    assert part["functionResponse"] == {"name": "f", "response": {"output": 2}, "id": "1"}


def test_an_answer_can_be_given_anew_while_it_is_under_way() -> None:
    """A send leaves a stream that is merely suspended; the answers replace those before."""
    conversation = calling(call("f", id="1"))
    conversation.send_function_responses([result()])
    begin(conversation)
    receive(conversation, *sse([A]))
    draft = conversation.draft(UserContent([result(response={"output": 2})]))
    shown = conversation.prepare(draft)
    conversation.send(draft)
    assert begin(conversation) == shown
    assert [content["role"] for content in shown.json()["contents"]] == ["user", "model", "user"]


def test_answering_again_does_not_undo_an_answer_that_finished() -> None:
    """L8: once the model has finished, the calls are answered, also while its stream is suspended."""
    conversation = calling(call())
    conversation.send_function_responses([result()])
    begin(conversation)
    receive(conversation, *sse([said(text("done"), finish="STOP")]))
    before = snapshot(conversation)
    with pytest.raises(ValidationError, match="no function call is open"):
        conversation.send_function_responses([result()])
    assert snapshot(conversation) == before
    conversation.send("next")
    assert len(begin(conversation).json()["contents"]) == 5


def test_calls_can_be_answered_while_their_stream_is_suspended() -> None:
    """Rule 7: a program that has seen the call and its finish reason need not read on."""
    conversation = asked()
    begin(conversation)
    receive(conversation, *sse([said(call("f", id="1"), finish="STOP")]))
    draft = conversation.draft(UserContent([result()]))
    shown = conversation.prepare(draft)
    conversation.send(draft)
    request = begin(conversation)
    assert request == shown
    assert request.json()["contents"][1] == model(call("f", id="1"))
    assert request.json()["contents"][2]["parts"][0]["functionResponse"]["id"] == "1"


def test_a_round_that_ends_the_turn_without_an_answer() -> None:
    """L6 and L7: the whole turn stays out of curated history; what the comprehensive one had shown stays."""
    conversation = calling(call())
    shown = histories(conversation)[1]
    conversation.send_function_responses([result()])
    begin(conversation)
    receive(conversation, *sse([STOP]), b"")
    assert conversation.turns[0].outcome is Outcome.BLOCKED
    curated, comprehensive = histories(conversation)
    assert curated == []
    assert comprehensive[:2] == shown
    assert len(comprehensive) == 3


@pytest.mark.parametrize("how", ["truncated", "left"])
@pytest.mark.parametrize("keep", ["keep", "drop"])
def test_a_round_that_breaks_off(how: str, keep: Any) -> None:
    """The function's work is not lost: the calls are open again, unless the partial answer is to be kept."""
    conversation = calling(call(), on_incomplete=keep)
    before = histories(conversation), conversation.turns, conversation.pending_calls
    conversation.send_function_responses([result()])
    begin(conversation)
    events = receive(conversation, *sse([A]), *([b""] if how == "truncated" else []))
    if how == "left":
        conversation.abandon()
    if keep == "keep":
        assert conversation.turns[0].curated
        assert len(histories(conversation)[0]) == 4
        return
    assert isinstance(events[-1], RoundFailed) is (how == "truncated")
    assert (histories(conversation), conversation.turns, conversation.pending_calls) == before
    conversation.send_function_responses([result()])
    begin(conversation)
    receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    assert len(sent(conversation)) == 4


@pytest.mark.parametrize("reason", ["", 0, "FINISH_REASON_UNSPECIFIED"])
def test_no_reason_is_no_finish_reason(reason: Any) -> None:
    """A finish reason that says nothing does not finish an answer."""
    conversation = asked()
    document = {"candidates": [{"content": {"parts": [text("a")]}, "finishReason": reason}]}
    steps = stream(conversation, document, end=LOST)
    assert ended(steps).turn.outcome is Outcome.FAILED
    assert histories(conversation)[0] == []


def test_streamed_arguments_are_one_call() -> None:
    """A call that came in several pieces asks for one response, and is echoed in its pieces."""
    pieces: list[Json] = [
        {"functionCall": {"name": "f", "id": "1", "willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}], "willContinue": True}},
        {"functionCall": {}},
    ]
    conversation = asked()
    events = stream(conversation, *(said(piece) for piece in pieces), STOP)
    assert isinstance(events[-1], FunctionCallsRequested)
    assert [each.name for each in events[-1].calls] == ["f"]
    conversation.send_function_responses([result()])
    assert begin(conversation).json()["contents"][1] == model(*pieces)


def test_a_call_without_a_finish_reason_is_not_handed_out() -> None:
    """What may have been cut off is not run."""
    conversation = asked(on_incomplete="keep")
    events = stream(conversation, said(call()))
    assert ended(events).turn.outcome is Outcome.TRUNCATED
    assert sent(conversation) == []


def test_a_given_history_may_end_with_calls() -> None:
    """They can be answered at once, or given up."""
    history = [UserContent("q"), Content(role="model", parts=[Part(function_call={"name": "f", "id": "1"})])]  # type: ignore[arg-type]
    conversation = Conversation("m", history=history)
    assert conversation.state is ConversationState.CALLS_WANTED
    assert [each.id for each in conversation.pending_calls] == ["1"]
    assert len(conversation.history()) == 2
    assert conversation.history(curated=True) == []
    other = pickle.loads(pickle.dumps(conversation))
    other.send("never mind")
    assert begin(other).json()["contents"] == [user("never mind")]
    conversation.send_function_responses([result()])
    contents = begin(conversation).json()["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    assert sent(conversation) == [*contents, model(text("done"))]


# --- laws ----------------------------------------------------------------------------------------------------------


def plain(steps: list[Step]) -> list[Any]:
    """Events as values that can be compared."""
    found: list[Any] = []
    for step in steps:
        match step:
            case ChunkReceived(response=response):
                found.append(json.dumps(to_wire(response)))
            case TurnEnded(turn=turn, error=error):
                found.append((turn, type(error), str(error)))
            case RoundFailed(error=error):
                found.append((type(error), str(error)))
            case _:
                found.append(step)
    return found


def finished(conversation: Conversation) -> list[Json]:
    """What the next request holds, after any open calls have been answered."""
    while conversation.state is ConversationState.CALLS_WANTED:
        named = [{"name": each.name, "id": each.id} for each in conversation.pending_calls]
        conversation.send(
            Content.model_validate({"role": "user", "parts": [{"function_response": each} for each in named]})
        )
        begin(conversation)
        receive(conversation, *sse([said(text("done"), finish="STOP")]), b"")
    return sent(conversation)


@given(st.data(), st.lists(responses(), max_size=3), st.booleans())
def test_cuts_change_no_event_and_no_history(data: st.DataObject, chunks: list[Json], lost: bool) -> None:
    """L1: any cut of a body's bytes gives the same events and leaves the same conversation behind."""
    body = b"".join(sse(chunks))
    end: End = LOST if lost else b""
    whole, pieces = asked(), asked()
    expected = stream(whole, *chunks, end=end)
    begin(pieces)
    steps = receive(pieces, *data.draw(cuts(body)), end)
    assert plain(steps) == plain(expected)
    assert pieces.state is whole.state
    assert pieces.turns == whole.turns
    assert histories(pieces) == histories(whole)


#: Without functions: those make rounds, which are looked at elsewhere.
talk = parts().filter(
    lambda part: not {"functionCall", "function_call", "functionResponse", "function_response"} & set(part)
)


@given(st.data(), answers(talk) | answers())
def test_what_the_model_said_is_echoed(data: st.DataObject, answer: Json) -> None:
    """L4 and L8: an answer, streamed in any pieces, is in the next request as the JSON that it was, keys in order."""
    conversation = asked()
    chunks = [{"candidates": [{"content": piece}]} for piece in data.draw(streamed(answer))]
    stream(conversation, *chunks, STOP)
    echoed = finished(conversation)
    assert json.dumps(echoed[:2]) == json.dumps([user("q"), answer])


@given(st.data(), answers(talk) | answers())
def test_unary_and_streamed_are_equal(data: st.DataObject, answer: Json) -> None:
    """L10: a unary answer, and the same answer streamed in any pieces, give equal histories and next requests."""
    one, other = Conversation("m"), asked()
    one.send("q", stream=False)
    unary(one, {"candidates": [{"content": answer, "finishReason": "STOP"}]})
    pieces = data.draw(streamed(answer))
    closing = data.draw(st.booleans())
    chunks: list[Json] = [{"candidates": [{"content": piece}]} for piece in pieces]
    if not closing:
        chunks[-1]["candidates"][0]["finishReason"] = "STOP"
    stream(other, *chunks, *([STOP, USAGE] if closing else []))
    assert one.state is other.state
    assert one.pending_calls == other.pending_calls
    assert histories(one) == histories(other)
    assert one.prepare(one.draft("next")) == other.prepare(other.draft("next"))
    assert [turn.encoded for turn in one.turns] == [turn.encoded for turn in other.turns]


def test_at_every_step_a_copy_goes_on_alike() -> None:
    """L13: a pickle and a deep copy, taken at any step of two turns with a tool round and a retry, end alike."""
    script: list[Callable[[Conversation], Any]] = []

    def head(status: int) -> None:
        script.append(lambda conversation: conversation.next())
        script.append(lambda conversation: conversation.receive_response(status, ()))

    def body(*pieces: bytes) -> None:
        for piece in pieces:
            receive_data = operator.methodcaller("receive_data", piece)
            script.extend([Conversation.next, receive_data, Conversation.next, Conversation.next])

    script.append(lambda conversation: conversation.send("q"))
    head(503)
    body(b"busy", b"")
    script.append(lambda conversation: conversation.resume(0.5))
    head(200)
    body(*sse([said(text("A")), said(text("B"), call(), finish="STOP")]), b"")
    script.append(lambda conversation: conversation.send_function_responses([result()]))
    head(200)
    body(b"data: {", b'"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}\n\n', b"")
    script.append(lambda conversation: conversation.send("r", stream=False))
    head(200)
    body(encode(A), b"")

    def play(conversation: Conversation, steps: list[Callable[[Conversation], Any]]) -> Any:
        for step in steps:
            step(conversation)
        return conversation.state, conversation.turns, histories(conversation), sent(conversation)

    def new() -> Conversation:
        return Conversation("m", endpoint=Endpoint(retry_options=HttpRetryOptions(attempts=2)))

    expected = play(new(), script)
    assert len(expected[1]) == 2
    assert expected[3][-1] == model(text("A"))
    walking = new()
    for place, step in enumerate(script):
        pickled = pickle.dumps(walking)
        assert play(pickle.loads(pickled), script[place:]) == expected, place
        assert play(copy.deepcopy(walking), script[place:]) == expected, place
        step(walking)


def test_a_restored_machine_is_told_that_the_connection_is_lost() -> None:
    """A snapshot that was taken inside an answer can be ended like any other."""
    conversation = asked()
    begin(conversation)
    receive(conversation, *sse([A]))
    restored: Conversation = pickle.loads(pickle.dumps(conversation))
    restored.receive_failure(LOST)
    assert ended(receive(restored)).turn.outcome is Outcome.FAILED
    assert conversation.state is ConversationState.EXCHANGING


# --- every verb in every state -------------------------------------------------------------------------------------


def in_every_state() -> dict[str, Conversation]:
    """A conversation in each state, and in each state of the exchange inside."""
    retrying = Endpoint(retry_options=HttpRetryOptions(attempts=2))
    found: dict[str, Conversation] = {"idle": Conversation("m"), "starting": asked()}
    for kind in ("first", "answer"):
        conversation = asked(endpoint=retrying) if kind == "first" else calling(call(), endpoint=retrying)
        if kind == "answer":
            found["calls wanted"] = copy.deepcopy(conversation)
            conversation.send_function_responses([result()])
            found["answering"] = copy.deepcopy(conversation)
        conversation.next()
        found[f"{kind} await head"] = copy.deepcopy(conversation)
        bad = copy.deepcopy(conversation)
        bad.receive_response(503, ())
        found[f"{kind} read error"] = copy.deepcopy(bad)
        bad.receive_data(b"")
        bad.next()
        found[f"{kind} backoff"] = bad
        conversation.receive_response(200, ())
        found[f"{kind} read body"] = copy.deepcopy(conversation)
        for name, chunk in {
            "begun": A,
            "finished": said(text("A"), finish="STOP"),
            "called": said(call(), finish="STOP"),
        }.items():
            open_ = copy.deepcopy(conversation)
            receive(open_, *sse([chunk]))
            found[f"{kind} {name}"] = copy.deepcopy(open_)
            open_.receive_data(b"")
            found[f"{kind} {name} drain"] = open_
    return found


VERBS: dict[str, Callable[[Conversation], object]] = {
    "send": lambda conversation: conversation.send("other"),
    "answer": lambda conversation: conversation.send_function_responses([result()]),
    "wrong answer": lambda conversation: conversation.send_function_responses([result("h")]),
    "abandon": lambda conversation: conversation.abandon(),
    "200": lambda conversation: conversation.receive_response(200, ()),
    "503": lambda conversation: conversation.receive_response(503, ()),
    "data": lambda conversation: conversation.receive_data(b"data: {}\n\n"),
    "end": lambda conversation: conversation.receive_data(b""),
    "failure": lambda conversation: conversation.receive_failure(LOST),
    "resume": lambda conversation: conversation.resume(),
    "draft": lambda conversation: conversation.draft("other"),
    "prepare": lambda conversation: conversation.prepare(conversation.draft("other")),
}
WIRE = {
    "await head": {"200", "503", "failure"},
    "read error": {"data", "end", "failure"},
    "read body": {"data", "end", "failure"},
    "begun": {"data", "end", "failure"},
    "finished": {"data", "end", "failure"},
    "called": {"data", "end", "failure"},
    "backoff": {"resume"},
}


def allowed(name: str, verb: str) -> bool:
    """What the tables of both machines say."""
    if verb in ("send", "abandon", "draft", "prepare"):
        return True
    if verb == "wrong answer":
        return False
    kind, _, inside = name.partition(" ")
    if verb == "answer":
        if name in ("calls wanted", "answering"):
            return True
        # The calls of this answer, once it has finished; else those that it answers, while it has not.
        return inside.startswith("called") or (kind == "answer" and not inside.startswith("finished"))
    return verb in WIRE.get(inside, set())


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", in_every_state())
def test_every_verb_in_every_state(name: str, verb: str) -> None:
    """L11: a verb is taken, or raises and has changed nothing; the chat then goes on, and forgets nothing (L8)."""
    conversation = in_every_state()[name]
    before = snapshot(conversation)
    if allowed(name, verb):
        VERBS[verb](conversation)
        if verb in ("draft", "prepare"):
            assert snapshot(conversation) == before
    else:
        with pytest.raises((LocalProtocolError, ValidationError)):
            VERBS[verb](conversation)
        assert snapshot(conversation) == before
    curated = histories(conversation)[0]
    assert curated in ([], before[2][0]) or "finished" in name
    assert sent(conversation)[: len(curated)] == curated
    conversation.next()
    conversation.send("next")
    assert begin(conversation).json()["contents"][-1] == user("next")


def test_every_state_is_among_those_tried() -> None:
    """The set-up reaches them all."""
    assert {conversation.state for conversation in in_every_state().values()} == set(ConversationState)


def test_turns_have_no_identity_but_their_content() -> None:
    """A turn of the ledger is a value."""
    conversation = asked()
    turn = ended(stream(conversation, said(text("A"), finish="STOP"))).turn
    assert isinstance(turn, Turn)
    assert pickle.loads(pickle.dumps(turn)) == turn == copy.deepcopy(turn)
    assert "A" not in repr(turn)
    assert text_response("A")["candidates"][0]["content"] == to_wire(turn.contents[-1])


def test_a_message_with_unanswered_calls_is_not_curated() -> None:
    """L7: contents that are said in one go may hold a call without its response; that turn is not said again."""
    conversation = Conversation("m")
    question = [UserContent("a"), Content.model_validate(model(call())), UserContent("b")]
    conversation.send(question, stream=False)
    unary(conversation, said(text("fine"), finish="STOP"))
    assert conversation.turns[0].outcome is Outcome.COMPLETED
    assert histories(conversation)[0] == []
    assert len(conversation.history()) == 4


def test_a_chunk_s_head_is_the_callers_own() -> None:
    """Changing the headers that one chunk shows changes no other chunk."""
    conversation = asked()
    steps = stream(conversation, said(text("a")), said(text("b"), finish="STOP"))
    first, second = (step.response.sdk_http_response for step in steps if isinstance(step, ChunkReceived))
    assert first is not None
    assert second is not None
    assert first.headers is not None
    first.headers["x"] = "1"
    assert second.headers is not None
    assert "x" not in second.headers
