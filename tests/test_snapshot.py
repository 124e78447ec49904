"""A conversation as JSON text, written at every step and read elsewhere, goes on as it would have (law L13)."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from chat_faces import WAYS, Shop, Talk, Way, begin, call, calling, every_way, response, restore, text_of
from purity import forbidden_io

import chatproto
from chatproto import types
from chatproto.errors import (
    ChatProtoError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    TransportError,
    ValidationError,
)
from chatproto.machines import snapshot
from chatproto.machines.conversation import Conversation
from chatproto.machines.explain import explain
from chatproto.machines.reference import ReferenceConversation
from chatproto.machines.states import ConversationState
from chatproto.machines.steps import ChunkReceived, ReadBody, SendRequest, Step, TurnEnded, Wait
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.servers import LoopbackServer, Received, head
from chatproto.testing.wire import error_response, sse, text_response
from chatproto.types import (
    AutomaticFunctionCallingConfig,
    Content,
    FunctionResponse,
    GenerateContentConfig,
    HttpOptions,
    HttpRetryOptions,
    Part,
)
from chatproto.types._dump import to_wire
from chatproto.types._value import fields_of
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.gemini import Dialect, GeminiApi
from chatproto.wire.http import Headers
from chatproto.wire.json_codec import encode
from chatproto.wire.vertex import VertexAi

Json = dict[str, Any]
Action = Callable[[Conversation], Any]
Piece = bytes | TransportError | Action

LOST = ConnectionLost("gone")
STOP: Json = {"candidates": [{"finishReason": "STOP"}]}


# --- what is said -------------------------------------------------------------------------------------------------


def said(*parts: Json, finish: str | None = None, token: str | None = None) -> Json:
    """A chunk with these parts."""
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    if token is not None:
        candidate["continuationToken"] = token
    return {"candidates": [candidate]}


def text(words: str) -> Json:
    """A part of text."""
    return {"text": words}


CALLS = said(
    text("let me look"),
    {"functionCall": {"name": "look", "id": "1", "args": {"at": "a"}}, "thoughtSignature": "c2ln"},
    {"functionCall": {"name": "look", "id": "2", "args": {}}},
    {"functionCall": {"name": "move"}},
    finish="STOP",
)
CALLED: list[Json] = [{"functionCall": {"name": "look", "id": "1"}}, {"functionCall": {"name": "move"}}]


@attrs.frozen
class Reply:
    """A response: its head, and the pieces of its body, among which users may do something."""

    pieces: tuple[Piece, ...]
    status: int = 200
    headers: Headers = (("content-type", "text/event-stream"), ("x-request-id", "r1"))


def streamed(*documents: Json, end: Piece = b"") -> Reply:
    """A stream whose events are cut in two."""
    body = b"".join(sse(documents))
    pieces = (body[: len(body) // 2], body[len(body) // 2 :]) if body else ()
    return Reply((*pieces, end))


def whole(document: Json, end: Piece = b"") -> Reply:
    """A unary answer that comes in two pieces."""
    body = encode(document)
    return Reply((body[:9], body[9:], end))


def refused(code: int, **headers: str) -> Reply:
    """An error."""
    return Reply((encode(error_response(code, "no")), b""), code, tuple(headers.items()))


# --- what users do ------------------------------------------------------------------------------------------------


def say(message: str, config: GenerateContentConfig | None = None, *, stream: bool = True) -> Action:
    """Say something."""
    return lambda conversation: conversation.send(message, config, stream=stream)


def at_most(requests: int, **more: Any) -> GenerateContentConfig:
    """A config that lets functions be called by themselves for so many requests."""
    calling_ = AutomaticFunctionCallingConfig(maximum_remote_calls=requests)
    return GenerateContentConfig(automatic_function_calling=calling_, **more)


def over(**options: Any) -> GenerateContentConfig:
    """A config with these http_options."""
    return GenerateContentConfig(http_options=HttpOptions(**options))


def answers(conversation: Conversation, *, ids: bool = True) -> list[Part]:
    """One for each call that is open."""
    return [
        Part(function_response=FunctionResponse(id=call.id if ids else None, name=call.name, response={"seen": index}))
        for index, call in enumerate(conversation.pending_calls)
    ]


def answer(conversation: Conversation) -> None:
    """As a tool loop does."""
    conversation.answer(answers(conversation))


def answer_by_hand(conversation: Conversation) -> None:
    """Without ids, the other way round where that is the same, and as a unary request."""
    conversation.send_function_responses(answers(conversation, ids=False), stream=False)


def resend(conversation: Conversation) -> None:
    """What had failed, once more."""
    conversation.send_function_responses()


def abandon(conversation: Conversation) -> None:
    """Leave it."""
    conversation.abandon()


def rewind(conversation: Conversation) -> None:
    """Take a turn back."""
    conversation.rewind()


def both(first: Action, second: Action) -> Action:
    """One after the other, before anything comes of the first."""

    def act(conversation: Conversation) -> None:
        first(conversation)
        second(conversation)

    return act


# --- scenarios ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Scenario:
    """What users and a server do, one thing after the other."""

    actions: tuple[Action, ...]
    replies: tuple[Reply | TransportError, ...]
    options: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    #: What is not in a snapshot, because it belongs to the client.
    dialect: Dialect = attrs.field(factory=GeminiApi)
    endpoint: Endpoint = attrs.field(factory=Endpoint)

    def start(self) -> Conversation:
        """A new conversation."""
        return Conversation("m", dialect=self.dialect, endpoint=self.endpoint, **copy.deepcopy(dict(self.options)))

    def read(self, written: str) -> Conversation:
        """One that was written."""
        with forbidden_io():
            return snapshot.read(written, dialect=self.dialect, endpoint=self.endpoint)


RETRIES = HttpRetryOptions(attempts=3, initial_delay=0.5, jitter=0.25)
GIVEN = [
    types.UserContent("earlier"),
    types.ModelContent("answered"),
    types.UserContent("call"),
    Content.model_validate({"role": "model", "parts": CALLED}),
]
#: What the Gemini API takes of a config. The rest is in ``EVERYTHING``.
MUCH: Json = {
    "http_options": HttpOptions(
        api_version="v1beta", timeout=1500, extra_body={"labels": {"a_b": [1, None]}}, retry_options=RETRIES
    ),
    "should_return_http_response": True,
    "system_instruction": types.Content(role="user", parts=[Part(text="Be brief."), Part(text="")]),
    "temperature": 0.5,
    "top_p": 1.0,
    "top_k": 3.0,
    "candidate_count": 1,
    "max_output_tokens": 5,
    "stop_sequences": ["a", ""],
    "response_logprobs": True,
    "logprobs": 2,
    "presence_penalty": 0.0,
    "frequency_penalty": -1.5,
    "seed": 7,
    "response_mime_type": "application/json",
    "response_schema": types.Schema(type="OBJECT", properties={"a_b": types.Schema(type="STRING")}),  # type: ignore[arg-type]
    "safety_settings": [types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],  # type: ignore[arg-type]
    "tools": [
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(name="look", parameters_json_schema={"type": "object", "a_b": None})
            ]
        ),
        types.Tool(google_search=types.GoogleSearch()),
    ],
    "tool_config": types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="AUTO")),  # type: ignore[arg-type]
    "cached_content": "cachedContents/1",
    "response_modalities": ["TEXT"],
    "media_resolution": types.MediaResolution.MEDIA_RESOLUTION_LOW,
    "speech_config": types.SpeechConfig(language_code="de"),
    "automatic_function_calling": AutomaticFunctionCallingConfig(maximum_remote_calls=3, ignore_call_history=True),
    "thinking_config": types.ThinkingConfig(thinking_budget=0, include_thoughts=True),
    "image_config": types.ImageConfig(aspect_ratio="1:1"),
    "enable_enhanced_civic_answers": True,
    "service_tier": "flex",
    "audio_transcription_config": types.AudioTranscriptionConfig(),
    "continuation_token": b"\x00\xff",
    "automatic_continuation": True,
    "store": False,
}
EVERYTHING: Json = {
    **MUCH,
    "response_json_schema": {"type": "object", "x_y": [None, {}]},
    "routing_config": types.GenerationConfigRoutingConfig(
        manual_mode=types.GenerationConfigRoutingConfigManualRoutingMode(model_name="m")
    ),
    "model_selection_config": types.ModelSelectionConfig(feature_selection_preference="BALANCED"),  # type: ignore[arg-type]
    "labels": {"a_b": "c"},
    "audio_timestamp": True,
    "model_armor_config": types.ModelArmorConfig(prompt_template_name="t"),
    "generation_output_config": types.GenerationOutputConfig(output_uri_prefix="gs://b/"),
}

SCENARIOS: dict[str, Scenario] = {
    "text": Scenario(
        (say("a", stream=False), say("b", stream=False), rewind, say("c", stream=False)),
        (whole(text_response("A")), whole(text_response("B", totalTokenCount=3)), whole(text_response("C"))),
    ),
    "stream": Scenario(
        (say("a"), say("b"), say("c")),
        (
            streamed(said(text("A")), said(text("AA"), {"x1new": {"y_z": None}}), STOP, {"usageMetadata": {}}),
            streamed(said({"text": "t", "thought": True}), said({"text": "B", "thoughtSignature": "c2ln"}), STOP),
            streamed(said(text("C"), finish="STOP"), end=LOST),
        ),
    ),
    "tool rounds": Scenario(
        (say("a", at_most(4)), answer, answer, answer, say("b", at_most(2)), answer, answer_by_hand, say("c"), abandon),
        (
            streamed(CALLS),
            streamed(said(text("more")), said(*CALLED), STOP),
            streamed(CALLS),
            streamed(said(text("done"), finish="STOP")),
            streamed(CALLS),
            streamed(CALLS),
            whole(said(text("done"), finish="STOP")),
            streamed(CALLS),
        ),
    ),
    "tool rounds that fail": Scenario(
        (say("a", at_most(5)), answer, resend, resend, resend, answer_by_hand, say("b")),
        (
            streamed(CALLS),
            refused(503),
            ConnectFailed("no route"),
            streamed(said(text("half")), end=LOST),
            streamed(said(text("half"))),
            whole(said(text("done"), finish="STOP")),
            streamed(said(*CALLED, finish="STOP")),
        ),
        {"on_incomplete": "drop"},
    ),
    "continuation": Scenario(
        (say("a"), say("b", stream=False), say("c"), say("d", at_most(3)), answer),
        (
            streamed(said(text("one"), token="YQ==")),
            streamed(said(text(" two"), token="Yg=="), {"usageMetadata": {"promptTokenCount": 2}}, end=LOST),
            ConnectFailed("no route"),
            streamed(said(text(" three"), finish="CONTINUATION", token="Yw==")),
            streamed(said(text(" four"), finish="STOP")),
            whole(said(text("one"), finish="CONTINUATION", token="YQ==")),
            whole(said(text("two"), finish="STOP")),
            streamed(said(text("one"), token="YQ==")),
            refused(400),
            streamed(said(text("one"), token="YQ==")),
            streamed(CALLS),
            streamed(said(text("and"), token="YQ==")),
            streamed(said(text(" on"), finish="STOP")),
        ),
    ),
    "reconnects": Scenario(
        (say("a"), say("b")),
        (
            streamed(said(text("one"), token="YQ=="), end=LOST),
            *(ConnectFailed("no route") for _ in range(3)),
            streamed(said(text("B"), finish="STOP")),
        ),
    ),
    "retries": Scenario(
        (say("a"), say("b", stream=False), say("c")),
        (
            refused(503),
            refused(429, **{"retry-after": "2"}),
            streamed(said(text("A"), finish="STOP")),
            ConnectFailed("no route"),
            whole(text_response("B")),
            refused(500),
            ConnectFailed("no route"),
            refused(503),
        ),
        endpoint=Endpoint(retry_options=RETRIES),
    ),
    "errors": Scenario(
        (*(say(each) for each in "abcdefg"), say("h", stream=False), say("i", stream=False), say("j")),
        (
            refused(400),
            Reply((b"no JSON \xff", LOST), 500),
            streamed(said(text("half")), {"error": {"code": 503, "message": "no", "status": "UNAVAILABLE"}}),
            Reply((b"data: no JSON\n\n", b"")),
            Reply((*sse([said(text("half"))]), b'data: {"candidates": 1}\n\n', b"")),
            Reply((*sse([said(text("half"))]), b'data: {"candidates": [{"cont', b"")),
            streamed({"promptFeedback": {"blockReason": "SAFETY"}}),
            Reply((b"",)),
            whole(said(finish="SAFETY")),
            Reply((*sse([said(text("left"))]), abandon)),
        ),
    ),
    "given history": Scenario(
        (answer, say("b")), (streamed(CALLS), streamed(said(text("B"), finish="STOP"))), {"history": GIVEN}
    ),
    "keep": Scenario(
        (say("a"), say("b"), say("c"), say("d", stream=False), say("e")),
        (
            streamed(said(text("half")), end=LOST),
            streamed(said(text("half"))),
            Reply((*sse([said(text("half"))]), abandon)),
            whole(said(text("one"), token="YQ==")),
            refused(400),
            streamed(CALLS, end=LOST),
        ),
        {"on_incomplete": "keep"},
    ),
    "drafts": Scenario(
        (
            both(say("unsent"), abandon),
            both(say("unsent"), say("a")),
            both(answer, abandon),
            answer_by_hand,
            both(say("b"), rewind),
        ),
        (streamed(CALLS), whole(text_response("A"))),
    ),
    "much in the config": Scenario(
        (say("a"), answer, say("b", at_most(2, temperature=1.0))),
        (refused(503), streamed(CALLS), streamed(said(text("A"), finish="STOP")), streamed(CALLS)),
        {"config": GenerateContentConfig(**MUCH), "config_mode": "merge"},
    ),
    "Vertex AI": Scenario(
        (say("a"), answer, say("b", GenerateContentConfig(labels={"c": "d"}))),
        (streamed(CALLS), streamed(said(text("A"), finish="STOP")), refused(400)),
        {"config": GenerateContentConfig(labels={"a_b": "c"}, audio_timestamp=True)},
        dialect=VertexAi(project="p", location="l"),
    ),
    "http_options of a message": Scenario(
        (
            say("a", at_most(3, http_options=HttpOptions(timeout=2500, retry_options=RETRIES))),
            answer,
            say("b", over(api_version="v1alpha", extra_body={"a": {"b_c": 1}})),
            say("c"),
            say("d", over(retry_options=HttpRetryOptions(attempts=1), timeout=0)),
        ),
        (
            refused(503),
            streamed(CALLS),
            ConnectFailed("no route"),
            streamed(said(text("A"), finish="STOP")),
            streamed(said(text("B"), finish="STOP")),
            streamed(said(text("C"), finish="STOP")),
            refused(503),
        ),
        endpoint=Endpoint(retry_options=HttpRetryOptions(attempts=2), timeout=9.0, api_version="v1beta"),
    ),
}


# --- how they go --------------------------------------------------------------------------------------------------


@attrs.define
class World:
    """Users, a driver and a server: what they have left to do, and what was seen of the conversation."""

    actions: list[Action]
    replies: list[Reply | TransportError]
    body: list[Piece] = attrs.Factory(list[Piece])
    seen: list[Any] = attrs.Factory(list[Any])

    def copied(self) -> World:
        return World(*map(list, attrs.astuple(self, recurse=False)))

    def step(self, conversation: Conversation) -> bool:
        """One thing happens; False where nothing more will."""
        step = conversation.next()
        match step:
            case None:
                if not self.actions:
                    return False
                self.act(conversation, self.actions.pop(0))
            case SendRequest(request=request):
                self.seen.append((request.method, request.url, request.headers, request.timeout, request.content))
                reply = self.replies.pop(0) if self.replies else ConnectFailed("nobody there")
                if isinstance(reply, TransportError):
                    conversation.receive_failure(copy.copy(reply))
                else:
                    conversation.receive_response(reply.status, reply.headers)
                    self.body = list(reply.pieces)
            case ReadBody():
                piece = self.body.pop(0)
                if isinstance(piece, bytes):
                    conversation.receive_data(piece)
                elif isinstance(piece, TransportError):
                    conversation.receive_failure(copy.copy(piece))
                else:
                    self.act(conversation, piece)
            case Wait():
                self.seen.append(step)
                conversation.resume(0.125)
            case _:
                self.seen.append(described(step))
        return True

    def act(self, conversation: Conversation, action: Action) -> None:
        try:
            action(conversation)
        except (LocalProtocolError, ValidationError) as error:  # after a loss, not all can be done
            self.seen.append((type(error), str(error)))


def described(step: Step) -> tuple[Any, ...]:
    """An event, so that equal ones are equal."""
    held = attrs.asdict(step, recurse=False)
    error = held.pop("error", None)
    partial = None if error is None or error.partial is None else to_wire(error.partial)
    response = to_wire(step.response) if isinstance(step, ChunkReceived) else None
    return type(step), held, response, type(error), str(error), partial


def histories(conversation: Conversation) -> tuple[list[Json], list[Json]]:
    """Curated and comprehensive."""
    return [to_wire(each) for each in conversation.history(curated=True)], list(map(to_wire, conversation.history()))


def result_of(conversation: Conversation, world: World) -> dict[str, Any]:
    """All that comes of it in the end."""
    while world.step(conversation):
        pass
    curated, comprehensive = histories(conversation)
    return {
        "seen": world.seen,
        "curated": curated,
        "comprehensive": comprehensive,
        "turns": conversation.turns,
        "pending": conversation.pending_calls,
        "state": conversation.state,
        "explained": explain(conversation),
        "config": None if conversation.config is None else to_wire(conversation.config),
        "written": snapshot.write(conversation),
    }


def told_that_it_is_lost(conversation: Conversation, written: str) -> bool:
    """Tell the conversation what reading ``written`` tells: that the connection is gone. Whether there was one."""
    exchange = json.loads(written)["exchange"]
    if exchange is None or exchange["failure"] is None:
        return False
    with suppress(LocalProtocolError):  # it had failed before
        conversation.receive_failure(ConnectionLost(exchange["failure"]["problem"]))
        return True
    return False


@pytest.mark.parametrize("name", SCENARIOS)
def test_at_every_step_it_goes_on_elsewhere(name: str) -> None:
    """L13: from each step on, a copy, a pickle and what was written and read do what the original would have done.

    Where a connection was open, the original is told that it is lost. Writing what was read gives the same text.
    """
    scenario = SCENARIOS[name]
    conversation, world = scenario.start(), World(list(scenario.actions), list(scenario.replies))
    expected = result_of(copy.deepcopy(conversation), world.copied())
    steps = losses = 0
    going = True
    while going:
        with forbidden_io():
            written = snapshot.write(conversation)
        assert result_of(copy.deepcopy(conversation), world.copied()) == expected
        assert result_of(pickle.loads(pickle.dumps(conversation)), world.copied()) == expected

        restored, told = scenario.read(written), copy.deepcopy(conversation)
        assert snapshot.write(restored) == written
        there = world.copied()
        if told_that_it_is_lost(told, written):
            losses += 1
            there.body = []
        assert result_of(restored, there.copied()) == result_of(told, there)

        going = world.step(conversation)
        steps += 1
    assert not world.actions
    assert not world.replies, "the scenario says more than its conversation hears"
    assert steps > 2 * len(scenario.actions)
    assert losses


def test_writing_changes_nothing() -> None:
    """And reading what was decoded, as text or as bytes, is the same."""
    scenario = SCENARIOS["tool rounds that fail"]
    conversation, world = scenario.start(), World(list(scenario.actions), list(scenario.replies))
    while world.step(conversation):
        before = pickle.dumps(conversation)
        written = snapshot.write(conversation)
        assert pickle.dumps(conversation) == before
        document = json.loads(written)
        for form in (written, written.encode(), document, json.dumps(document, indent=2)):
            assert snapshot.write(snapshot.read(form)) == written
        assert document == json.loads(written), "what is handed over stays the caller's"


def test_all_of_a_config_is_in_a_snapshot() -> None:
    """Each field comes back as it was; so a new one cannot be forgotten."""
    assert EVERYTHING.keys() == {field.name for field in fields_of(GenerateContentConfig)}
    config = GenerateContentConfig(**EVERYTHING)
    written = snapshot.write(Conversation("m", config=config))
    restored = snapshot.read(written).config
    assert restored is not None
    assert dict(restored.set_fields()) == dict(config.set_fields())


def test_a_given_config_takes_the_place_of_the_one_that_was_written() -> None:
    """Whole, as at creation."""
    written = snapshot.write(Conversation("m", config=GenerateContentConfig(**MUCH)))
    given = GenerateContentConfig(temperature=1.0)
    assert snapshot.read(written, config=given).config == given


def test_it_does_not_say_where_requests_go() -> None:
    """A snapshot from elsewhere must not lead a credential to its own server."""
    options = HttpOptions(base_url="https://elsewhere.example/", timeout=1000)
    conversation = Conversation("m", config=GenerateContentConfig(http_options=options))
    conversation.send("q", GenerateContentConfig(http_options=options, temperature=1.0))
    written = snapshot.write(conversation)
    assert "elsewhere" not in written
    step = snapshot.read(written).next()
    assert isinstance(step, SendRequest)
    assert step.request.url.startswith("https://generativelanguage.googleapis.com/")
    assert step.request.timeout == 1.0


def test_an_error_that_is_used_twice() -> None:
    """What is told of an answer is on an error of its own, not on the one that a transport handed over."""
    conversation = Conversation("m")
    lost = ConnectionLost("gone")
    told = []
    for words in ("one", "two"):
        conversation.send("q")
        conversation.next()
        conversation.receive_response(200, ())
        conversation.receive_data(b"".join(sse([said(text(words))])))
        conversation.receive_failure(lost)
        steps = [conversation.next(), conversation.next()]
        assert isinstance(steps[1], TurnEnded)
        assert steps[1].error is not None
        assert steps[1].error.partial is not None
        told.append(steps[1].error.partial.text)
    assert told == ["one", "two"]
    assert lost.partial is None


# --- snapshots of other versions ----------------------------------------------------------------------------------


def at_steps(name: str) -> list[Json]:
    """What is written at each step of a scenario, decoded."""
    scenario = SCENARIOS[name]
    conversation, world = scenario.start(), World(list(scenario.actions), list(scenario.replies))
    written = [snapshot.write(conversation)]
    while world.step(conversation):
        written.append(snapshot.write(conversation))
    return [json.loads(each) for each in written]


@pytest.mark.parametrize("version", [2, 3, 10**30])
def test_a_later_version_is_refused(version: int) -> None:
    """With a sentence that says so."""
    document = at_steps("text")[-1] | {"version": version, "turns": "of another kind"}
    sentence = rf"\$\.version: a later chatproto wrote this snapshot: it has version {version}, and this one reads up"
    with pytest.raises(ValidationError, match=sentence):
        snapshot.read(document)


def test_what_a_later_version_added_is_kept() -> None:
    """Members at the top, of a config, of contents and parts; and they stay where the chat goes on."""
    document = at_steps("tool rounds")[-1]
    document["x1new"] = {"a_b": [1, None]}
    document["config"] = {"temperature": 1.0, "x2new": {"a_b": [1, None]}, "thinkingConfig": {"x3new": None}}
    contents = document["turns"][0]["contents"]
    contents[0]["x4new"] = 4
    contents[1]["parts"].append({"x5new": {"a_b": 5}})
    contents[2]["parts"][0]["functionResponse"]["x6new"] = "6"
    restored = snapshot.read(document)
    assert json.loads(snapshot.write(restored)) == document

    for each in (restored, copy.deepcopy(restored), restored.fork()):
        World([say("more", stream=False)], [whole(text_response("yes"))]).step(each)
        result_of(each, World([], [whole(text_response("yes"))]))
        again = json.loads(snapshot.write(each))
        assert {key: again[key] for key in ("x1new", "config")} == {key: document[key] for key in ("x1new", "config")}
        assert again["turns"][: len(document["turns"])] == document["turns"]


def test_what_is_added_does_not_get_in_the_way() -> None:
    """A member of the file itself is never taken for one that nobody knows."""
    conversation = Conversation("m")
    conversation.unknown = {"x1new": 1}
    written = json.loads(snapshot.write(conversation))
    assert written["x1new"] == 1
    assert snapshot.read(written).unknown == {"x1new": 1}


# --- what is no snapshot, or a damaged one ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    ["", "x", b"\xff", "{}", "[]", "null", "7", "[" * 100_000, '{"format": "another"}', [], None, 7, {"version": 1}],
)
def test_what_is_no_snapshot(data: Any) -> None:
    """Any value at all."""
    with pytest.raises(ValidationError):
        snapshot.read(data)


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, []])
def test_what_is_no_version(version: Any) -> None:
    """It is a whole number from 1."""
    with pytest.raises(ValidationError, match=r"\$\.version: "):
        snapshot.read(at_steps("text")[-1] | {"version": version})


WRONG: list[Any] = [None, True, -1, 1.5, "x", [], [7], {}]
MISSING = object()


def places_in(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in it, from the outside inwards; of alike items of a list, the first."""
    if isinstance(document, dict):
        for key, item in document.items():
            yield (*path, key)
            yield from places_in(item, (*path, key))
    elif isinstance(document, list):
        for index, item in enumerate(document[:1]):
            yield (*path, index)
            yield from places_in(item, (*path, index))


def damaged(document: Json, place: tuple[str | int, ...], wrong: Any) -> Json:
    """The document with something else at this place."""
    made = copy.deepcopy(document)
    owner: Any = made
    for key in place[:-1]:
        owner = owner[key]
    if wrong is MISSING:
        del owner[place[-1]]
    else:
        owner[place[-1]] = wrong
    return made


def rich_snapshots() -> dict[str, list[Json]]:
    """Of each state some that differ in what they hold: what waits, what has come, what has failed."""
    found: dict[str, dict[str, Json]] = {}
    for name in ("drafts", "much in the config", "given history", "tool rounds that fail", "continuation"):
        for document in at_steps(name):
            exchange, turn = document["exchange"] or {}, document["open"] or {}
            holds = [
                key for owner in (document, exchange, turn) for key, held in owner.items() if held not in (None, [])
            ]
            found.setdefault(document["state"], {})[f"{exchange.get('state')} {holds}"] = document
    return {state: list(documents.values()) for state, documents in found.items()}


@cache
def cases() -> dict[str, list[tuple[Json, tuple[str | int, ...], Any]]]:
    """By state: a snapshot, a place in it, and what to put there; each thing once."""
    found: dict[str, list[tuple[Json, tuple[str | int, ...], Any]]] = {}
    tried: set[tuple[Any, ...]] = set()
    for state, documents in rich_snapshots().items():
        for document in documents:
            exchange = (document["exchange"] or {}).get("state")
            for place in places_in(document):
                value: Any = document
                for key in place:
                    value = value[key]
                inner = isinstance(place[-1], int) or not {"contents", "config", "settings", "turns"}.isdisjoint(
                    place[:-1]
                )
                for number, wrong in enumerate((MISSING, *WRONG)):
                    # What is inside of a content means the same wherever that stands.
                    case = (place[-3:] if inner else (place, state, exchange), type(value), number)
                    if case not in tried:
                        tried.add(case)
                        found.setdefault(state, []).append((document, place, wrong))
    return found


@pytest.mark.parametrize("state", [state.value for state in ConversationState])
def test_a_damaged_snapshot_is_refused_or_can_be_used(state: str) -> None:
    """Each member in turn is missing, or something else: ValidationError with its path, or a chat that goes on."""
    refused_at: set[str | int] = set()
    for document, place, wrong in cases()[state]:
        refused_at |= refused_or_usable(document, place, wrong)
    assert refused_at >= {
        "format",
        "version",
        "model",
        "config",
        "onIncomplete",
        "configMode",
        "turns",
        "state",
        "open",
    }


def test_the_snapshots_that_are_damaged() -> None:
    """They can be used as they are, and are of every state."""
    for documents in rich_snapshots().values():
        assert all(usable(snapshot.read(document)) for document in documents)
    assert cases().keys() == {state.value for state in ConversationState}


def refused_or_usable(document: Json, place: tuple[str | int, ...], wrong: Any) -> set[str | int]:
    """The first step of a place that is refused."""
    try:
        conversation = snapshot.read(damaged(document, place, wrong))
    except ValidationError as error:
        if not error.path.startswith("$.") and place != ("format",):
            raise AssertionError(f"{place} = {wrong!r} is refused without a path: {error}") from error
        return {place[0]}
    except Exception as error:
        raise AssertionError(f"{place} = {wrong!r}: {error!r}") from error
    try:
        assert usable(conversation)
    except Exception as error:
        raise AssertionError(f"{place} = {wrong!r} was read, and then: {error!r}") from error
    return set()


def usable(conversation: Conversation) -> bool:
    """It can be looked at, driven to where it needs its user, and written; and then a message succeeds."""
    histories(conversation)
    _ = explain(conversation), [turn.contents for turn in conversation.turns], conversation.pending_calls
    snapshot.write(conversation)
    world = World([], [])
    while world.step(conversation):
        pass
    conversation.send("are you there?", GenerateContentConfig())
    ended = result_of(conversation, World([], [streamed(said(text("yes"), finish="STOP"))]))["turns"][-1]
    return bool(ended.outcome.name == "COMPLETED" and ended.curated)


def test_the_path_of_what_is_wrong() -> None:
    """It leads to the member."""
    document = next(each for each in at_steps("continuation") if each["exchange"] and each["turns"])
    for place, wrong, path in (
        (("model",), 7, "$.model"),
        (("config",), 7, "$.config"),
        (("onIncomplete",), "x", "$.onIncomplete"),
        (("configMode",), MISSING, "$.configMode"),
        (("turns", 0, "outcome"), "x", "$.turns[0].outcome"),
        (("turns", 0, "contents", 0), 7, "$.turns[0].contents[0]"),
        (("turns", 0, "contents", 0, "parts"), 7, "$.turns[0].contents[0].parts"),
        (("turns", 0, "contents", 0, "parts", 0, "text"), 7, "$.turns[0].contents[0].parts[0].text"),
        (("turns", 0, "shown"), -1, "$.turns[0].shown"),
        (("state",), "x", "$.state"),
        (("open", "draft", "budget"), "x", "$.open.draft.budget"),
        (("open", "draft", "endpoint", "timeout"), "x", "$.open.draft.endpoint.timeout"),
        (("open", "continuation", "hop", "accepted"), 7, "$.open.continuation.hop.accepted"),
        (("open", "answer", "parts"), {}, "$.open.answer.parts"),
        (("exchange", "documents"), ["?"], "$.exchange.documents[0]"),
        (("exchange", "state"), "x", "$.exchange.state"),
    ):
        with pytest.raises(ValidationError) as caught:
            snapshot.read(damaged(document, place, wrong))
        assert caught.value.path == path, (place, wrong)


# --- secrets ------------------------------------------------------------------------------------------------------

CANARY = "canary-Zx81"


def test_nothing_that_a_server_gave_to_this_client_alone_is_in_it() -> None:
    """A cookie, and what else is a credential, at every step; also in the error of an attempt that is made again."""
    secret: Headers = tuple(
        (name, CANARY) for name in ("set-cookie", "authorization", "x-goog-api-key", "x-csrf-token", "x-session")
    )
    scenario = Scenario(
        (say("a"), say("b")),
        (
            Reply((encode(error_response(503)), b""), 503, secret),
            Reply((*sse([said(text("half"), token="YQ==")]), LOST), 200, secret),
            Reply((*sse([said(text("whole"), finish="STOP")]), b""), 200, secret),
            Reply((*sse([said(text("half")), {"error": {"code": 500}}]), b""), 200, secret),
        ),
        endpoint=Endpoint(retry_options=HttpRetryOptions(attempts=2)),
    )
    conversation, world = scenario.start(), World(list(scenario.actions), list(scenario.replies))
    while world.step(conversation):
        written = snapshot.write(conversation)
        assert CANARY not in written
        assert CANARY not in repr(json.loads(written))  # not as base64 either: that is looked at as what it says
        for each in (json.loads(written)["exchange"] or {}).get("documents", ()):
            assert CANARY not in each
    assert not world.replies


class Watched(ScriptedTransport):
    """Takes a snapshot of its chat whenever a request is made."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.chat: Any = None
        self.written: list[str] = []

    def note(self) -> None:
        """One more snapshot."""
        self.written.append(self.chat.snapshot())

    def open(self, request: Any, secrets: Any) -> Any:
        self.note()
        return super().open(request, secrets)


@pytest.mark.parametrize("compat", ["", "google-genai"])
def test_no_credential_header_or_exception_of_the_program_is_in_it(compat: Any) -> None:
    """Whenever it is taken: before, in a function, while a request is made, between chunks, after an error."""

    def fail() -> str:
        """Fails."""
        transport.note()
        raise RuntimeError(f"password={CANARY}-exception")

    transport = Watched(
        Answer([said({"functionCall": {"name": "fail", "args": {}}}, finish="STOP")], headers={"set-cookie": CANARY}),
        Answer(["I", " see"], headers={"set-cookie": f"session={CANARY}"}),
        ConnectFailed("no route"),
        Answer(error_response(400), status=400, headers={"set-cookie": CANARY}),
    )
    options: Json = {"compat": compat} if compat else {}
    client = chatproto.Client(
        api_key=f"{CANARY}-key",
        transport=transport,
        http_options={"headers": {"x-of-client": f"{CANARY}-client"}},
        **options,
    )
    chat = transport.chat = client.chats.create(
        model="m", config={"tools": [fail], "http_options": {"headers": {"x-of-chat": f"{CANARY}-chat"}}}
    )
    transport.note()
    for _ in chat.send_message_stream("a"):
        transport.note()
    mine = {"http_options": {"headers": {"x-of-message": f"{CANARY}-message"}}, "temperature": 0.5}
    for _ in range(2):
        with pytest.raises(ChatProtoError):
            chat.send_message("b", mine)
        transport.note()
    assert len(transport.written) >= 9
    assert CANARY not in "".join(transport.written)
    assert "RuntimeError" in transport.written[-1]


# --- chats --------------------------------------------------------------------------------------------------------

LOOK = calling(call("add", "c1", a=1), call("spell", text="x"), text="so")


@attrs.frozen
class Verb:
    """What a user does in a chat, with the answers that it gets."""

    do: Callable[[Talk], Any]
    answers: tuple[Any, ...] = ()


def one_by_one(talk: Talk) -> Any:
    """Run the calls that wait, and answer them; the last is refused."""
    *some, last = talk.chat.pending_calls
    return talk.answer([*(talk.call(each) for each in some), talk.chat.refuse_call(last, "no")])


def failing(do: Callable[[Talk], Any]) -> Callable[[Talk], Any]:
    """What cannot be done."""

    def tried(talk: Talk) -> Any:
        with pytest.raises(ChatProtoError):
            do(talk)

    return tried


VERBS = [
    Verb(lambda talk: talk.say("a"), ("A",)),
    Verb(lambda talk: talk.say("b"), (LOOK,)),
    Verb(failing(lambda talk: talk.answer([response("add", "c1", result=2)]))),
    Verb(failing(one_by_one), (ConnectFailed("no route"),)),
    Verb(lambda talk: talk.answer(), (LOOK,)),
    Verb(one_by_one, (calling(call("spell", "c2", text="x")),)),
    Verb(one_by_one, ("B",)),
    Verb(failing(lambda talk: talk.say("c")), (Answer(error_response(503), status=503),)),
    Verb(lambda talk: talk.say("d", {"temperature": 0.5}), ("D",)),
    Verb(lambda talk: talk.chat.rewind()),
    Verb(lambda talk: talk.say("e"), ({"promptFeedback": {"blockReason": "SAFETY"}},)),
    Verb(lambda talk: talk.say("f"), (LOOK,)),
    Verb(lambda talk: talk.say("g"), ("G",)),
]


def state_of(talk: Talk) -> dict[str, Any]:
    """What a chat remembers."""
    return {
        "curated": talk.history(),
        "comprehensive": talk.history(curated=False),
        "turns": [(turn.outcome, turn.reason, turn.encoded) for turn in talk.chat.turns],
        "pending": [to_wire(each) for each in talk.chat.pending_calls],
        "written": talk.chat.snapshot(),
    }


@pytest.mark.parametrize(
    ("way", "other"),
    [
        pytest.param(WAYS[one], WAYS[other], id=f"{one} to {other}")
        for one, other in zip(WAYS, ["async streamed", "async", "unary", "streamed"], strict=True)
    ],
)
def test_a_chat_goes_on_in_another(way: Way, other: Way) -> None:
    """L13: after each thing that was done, over another transport, sync or async, asked whole or streamed."""
    first = begin(way, config=Shop().config | {"temperature": 0.25}, approve=True)
    for done, verb in enumerate(VERBS):
        written = first.chat.snapshot()
        for way_there in (way, other) if done == 0 else (other,):
            there = restore(way_there, written, tools=Shop().tools, approve=True)
            assert state_of(there) == state_of(first)
        expected = attrs.evolve(first, chat=first.chat.fork())
        for each in VERBS[done:]:
            there.transport.add(*each.answers)
            assert outcome_of(each, there) == outcome_of(each, at_rest(expected, each))
        mine, others = state_of(expected), state_of(there)
        if way.streamed == other.streamed:
            assert others["written"] == mine["written"]
        assert {**others, "written": ""} == {**mine, "written": ""}
        first.transport.add(*verb.answers)
        verb.do(first)


def at_rest(talk: Talk, verb: Verb) -> Talk:
    """The same, with the answers to a verb."""
    talk.transport.add(*verb.answers)
    return talk


def outcome_of(verb: Verb, talk: Talk) -> Any:
    """What the verb gives, with what it sent."""
    before = len(talk.transport.requests)
    given = verb.do(talk)
    sent = [request.json() for request in talk.transport.requests[before:]]
    return (text_of(given) if isinstance(given, list) else given), sent


@every_way
def test_a_chat_is_restored_while_a_request_is_under_way(way: Way) -> None:
    """It counts as lost: a first message has failed, and the results of functions wait to be sent again."""
    written: list[str] = []

    class Spy(ScriptedTransport):
        def open(self, request: Any, secrets: Any) -> Any:
            written.append(chat.snapshot())
            return super().open(request, secrets)

        def aopen(self, request: Any, secrets: Any) -> Any:
            written.append(chat.snapshot())
            return super().aopen(request, secrets)

    shop = Shop()
    transport = Spy("A", calling(call("add", "c1", a=1)), "B")
    client = chatproto.Client(transport=transport)
    chat: Any = (client.aio if way.asynchronous else client).chats.create(model="m", config=shop.config)
    talk = Talk(way, chat, transport)
    talk.say("a")
    talk.say("b")

    first = restore(way, written[0], "again", tools=shop.tools)
    assert first.outcomes == ["failed"]
    assert text_of(first.say("a")) == "again"
    assert first.outcomes == ["failed", "completed"]

    later = restore(way, written[2], "B", tools=shop.tools)
    assert later.pending == ["c1"]
    assert text_of(later.answer()) == "B"
    assert later.told() == [response("add", "c1", result=2)]
    assert later.history() == talk.history()
    assert shop.ran == [(1, 1)], "no function runs twice"


@every_way
def test_a_chat_is_restored_between_the_chunks_of_a_stream(way: Way) -> None:
    """What had come by then is told in the ledger, and curated where the finish reason had come."""
    if not way.streamed:
        return
    talk = begin(WAYS["streamed"], ["one ", "two"], ["three ", "four"])
    stream = talk.chat.send_message_stream("a")
    next(stream)
    half = talk.chat.snapshot()
    next(stream)
    finished = talk.chat.snapshot()
    there = restore(way, half, "B")
    there.say("b")
    assert [turn.curated for turn in there.chat.turns] == [False, True]
    assert [to_wire(each)["parts"] for each in there.chat.turns[0].contents] == [[text("a")], [text("one ")]]
    after = restore(way, finished, "B")
    after.say("b")
    assert [turn.curated for turn in after.chat.turns] == [True, True]
    assert after.sent()[1]["parts"] == [text("one two")]


def test_a_function_can_take_the_snapshot_that_outlives_it() -> None:
    """The calls wait in it."""
    written: list[str] = []

    def add(a: int) -> int:
        """Adds."""
        written.append(talk.chat.snapshot())
        return a + 1

    talk = begin(WAYS["unary"], calling(call("add", "c1", a=1)), "done", config={"tools": [add]})
    talk.say("q")
    there = restore(WAYS["async streamed"], written[0], "done", tools=Shop().tools)
    assert there.pending == ["c1"]
    assert text_of(there.answer([there.call(each) for each in there.chat.pending_calls])) == "done"
    assert there.history() == talk.history()


# --- google-genai's rules -----------------------------------------------------------------------------------------


def by_reference(transport: ScriptedTransport, *, asynchronous: bool) -> Any:
    """The chats of a client that keeps to google-genai's rules."""
    client = chatproto.Client(transport=transport, compat="google-genai")
    return client.aio.chats if asynchronous else client.chats


COMPAT = [
    Verb(lambda talk: talk.say("a"), ("A",)),
    Verb(lambda talk: talk.say("b"), (calling(call("add", "c1", a=1)), "B")),
    Verb(lambda talk: talk.say("c"), ({"candidates": [{"finishReason": "SAFETY"}]},)),
    Verb(failing(lambda talk: talk.say("d")), (ConnectFailed("no route"),)),
    Verb(lambda talk: talk.say("e"), (said({}, finish="STOP"),)),
    Verb(lambda talk: talk.chat.rewind()),
    Verb(lambda talk: talk.chat.get_history(curated=True)[0].parts.append(Part(text="and more"))),
    Verb(lambda talk: talk.say("f"), ("F",)),
]


@every_way
def test_a_chat_by_google_genais_rules_goes_on(way: Way) -> None:
    """Its two lists come back, and a Content that is in both is one Content there, too."""
    transport = ScriptedTransport()
    shop = Shop()
    chat = by_reference(transport, asynchronous=way.asynchronous).create(model="m", config=shop.config)
    first = Talk(way, chat, transport)
    for done, verb in enumerate(COMPAT):
        written = first.chat.snapshot()
        assert json.loads(written)["rules"] == "google-genai"
        elsewhere = ScriptedTransport()
        restored = by_reference(elsewhere, asynchronous=way.asynchronous).restore(written, tools=shop.tools)
        there = Talk(way, restored, elsewhere)
        expected = attrs.evolve(first, chat=first.chat.fork())
        assert state_of(there) == state_of(first)
        curated = there.chat.get_history(curated=True)
        everything = there.chat.get_history()
        places = [id(each) for each in first.chat.get_history()]
        shared = [places.index(id(each)) for each in first.chat.get_history(curated=True)]
        assert [everything[place] for place in shared] == curated
        assert all(everything[place] is each for place, each in zip(shared, curated, strict=True))
        for each in COMPAT[done:]:
            there.transport.add(*each.answers)
            assert outcome_of(each, there) == outcome_of(each, at_rest(expected, each))
        assert state_of(there) == state_of(expected)
        first.transport.add(*verb.answers)
        verb.do(first)


def test_what_is_under_way_by_google_genais_rules_is_not_recorded() -> None:
    """There, a message is recorded when it ends."""
    conversation = ReferenceConversation("m")
    conversation.send("a")
    World([], [streamed(said(text("half")), said(text(" whole"), finish="STOP"))]).step(conversation)
    restored = snapshot.read(snapshot.write(conversation))
    assert isinstance(restored, ReferenceConversation)
    assert restored.history() == []
    assert usable(restored)


def test_a_damaged_snapshot_of_google_genais_rules() -> None:
    """ValidationError with a path, or a chat that goes on."""
    transport = ScriptedTransport("A", ["B", "BB"], {"candidates": [{"finishReason": "SAFETY"}]})
    chat = by_reference(transport, asynchronous=False).create(model="m")
    chat.send_message("a")
    list(chat.send_message_stream("b"))
    chat.send_message("c")
    document = json.loads(chat.snapshot())
    refused: set[str | int] = set()
    for place in places_in(document):
        for wrong in (MISSING, *WRONG, 10**9):
            if place[0] not in ("comprehensive", "curated"):
                refused |= refused_or_usable(document, place, wrong)
                continue
            with suppress(ValidationError):  # what a user puts there is sent, whatever it is
                conversation = snapshot.read(damaged(document, place, wrong))
                assert histories(snapshot.read(snapshot.write(conversation))) == histories(conversation)
    assert refused >= {"format", "version", "rules", "config"}


# --- a process that is killed -------------------------------------------------------------------------------------

PAY = """
import os, pathlib, sys
import chatproto

def pay(amount: int, to: str) -> str:
    'Pays.'
    return f"process {os.getpid()} paid {amount} to {to}"

url, path, key, how = sys.argv[1:]
client = chatproto.Client(api_key=key, http_options={"base_url": url})
"""
ASKS = (
    PAY
    + """
def wait():
    pathlib.Path(path).write_text(chat.snapshot(), "utf-8")
    print("may I?", flush=True)
    sys.stdin.readline()

def ask(call):
    wait()

approve = {"all": True, "named": ["pay"], "function": ask}[how]
chat = client.chats.create(model="m", config={"tools": [pay], "temperature": 0.5}, approve=approve)
chat.send_message("hello")
chat.send_message("Pay 5 to Bo.")
wait()
print("it was not killed", flush=True)
"""
)
GOES_ON = (
    PAY
    + """
data = pathlib.Path(path).read_text("utf-8")
if how == "sync":
    chat = client.chats.restore(data, tools=[pay])
    done = [chat.call_function(call) for call in chat.pending_calls]
    answer = chat.send_function_responses(done).text
elif how == "refused":
    chat = client.chats.restore(data, tools=[pay], approve=True)
    answer = chat.send_function_responses([chat.refuse_call(call, "no") for call in chat.pending_calls]).text
else:
    import asyncio

    async def go_on():
        async with client.aio:
            chat = client.aio.chats.restore(data, tools=[pay])
            done = [await chat.call_function(call) for call in chat.pending_calls]
            return [chunk.text async for chunk in await chat.send_function_responses(done, stream=True)]

    answer = "".join(asyncio.run(go_on()))
print(os.getpid(), answer, flush=True)
"""
)
CALL: Json = {
    "role": "model",
    "parts": [
        {"functionCall": {"name": "pay", "id": "p1", "args": {"amount": 5, "to": "Bo"}}, "thoughtSignature": "c2ln"}
    ],
}


def cashier(received: Received) -> Iterable[bytes]:
    """Says hello, asks for a payment, and then tells what was done."""
    last = json.loads(received.body)["contents"][-1]["parts"][0]
    if "functionResponse" in last:
        document = text_response(f"Done: {last['functionResponse']['response']}")
    elif last["text"] == "hello":
        document = text_response("Hello!")
    else:
        document = {"candidates": [{"content": CALL, "finishReason": "STOP"}]}
    body = b"".join(sse([document])) if "stream" in received.target else encode(document)
    return [head(200, content_length=len(body), content_type="application/json"), body]


def arguments(program: str, *given: str) -> list[str]:
    """A Python process of its own."""
    return [sys.executable, "-X", "utf8", "-c", program, *given]


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a signal")
@pytest.mark.parametrize(
    ("asked", "goes_on"), [("all", "sync"), ("named", "async"), ("function", "refused"), ("function", "sync")]
)
def test_a_chat_that_is_killed_while_it_waits_goes_on_in_another_process(
    tmp_path: Path, asked: str, goes_on: str
) -> None:
    """L13: what waited for an approval is approved elsewhere, and runs there, once."""
    path = tmp_path / "chat.json"
    bare = {name: held for name, held in os.environ.items() if "API_KEY" not in name and "GOOGLE" not in name}
    with LoopbackServer() as server:
        for method in ("generateContent", "streamGenerateContent"):
            server.on(f"/v1/models/m:{method}", cashier)
        url = server.url("/")
        waiting = subprocess.Popen(
            arguments(ASKS, url, str(path), "key-of-the-first", asked),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=bare,
        )
        with waiting:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == b"may I?\n"
            waiting.send_signal(signal.SIGKILL)
            assert waiting.wait(10) == -signal.SIGKILL
            assert waiting.stdout.read() == b""
        written = path.read_text("utf-8")
        assert "key-of-the-first" not in written
        done = subprocess.run(
            arguments(GOES_ON, url, str(path), "key-of-the-second", goes_on),
            capture_output=True,
            encoding="utf-8",
            env=bare,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    number, _, told = done.stdout.partition(" ")
    outcome: Json = {"result": f"process {number} paid 5 to Bo"}
    if goes_on == "refused":
        outcome = {"error": "the call was refused: no"}
    assert told == f"Done: {outcome}\n"

    hello, asked_for, answered = server.received
    assert [each.header("x-goog-api-key") for each in server.received] == ["key-of-the-first"] * 2 + [
        "key-of-the-second"
    ]
    before, after = json.loads(asked_for.body), json.loads(answered.body)
    assert len(json.loads(hello.body)["contents"]) == 1
    assert after["contents"] == [
        *before["contents"],
        CALL,
        {"role": "user", "parts": [{"functionResponse": {"name": "pay", "id": "p1", "response": outcome}}]},
    ]
    assert {**after, "contents": None} == {**before, "contents": None}, "the same tools and settings"
