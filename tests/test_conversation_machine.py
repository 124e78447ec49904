"""Conversation under any sequence of what users, drivers and servers do, against a small model of what it must hold.

The model keeps JSON and knows three things only: what a turn has said, whether it has finished, and what that means
for the two histories. It has no exchange, no framing, no bytes and no table of states.
"""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from purity import PureConversation

from chatproto.errors import APIError, ConnectionLost, LocalProtocolError, MalformedResponse, ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import (
    ChunkReceived,
    FunctionCallsRequested,
    ReadBody,
    RetryScheduled,
    RoundFailed,
    SendRequest,
    TurnEnded,
    Wait,
)
from chatproto.testing.strategies import cuts, responses
from chatproto.testing.wire import sse
from chatproto.types import Content, HttpRetryOptions, Part
from chatproto.types._dump import to_wire
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.json_codec import encode

Json = dict[str, Any]

ATTEMPTS = 2


# --- the model -----------------------------------------------------------------------------------------------------


def either(owner: Json, camel: str, snake: str) -> Any:
    """What is under either spelling."""
    return owner[camel] if owner.get(camel) is not None else owner.get(snake)


def calls_of(parts: list[Json]) -> list[Json]:
    """The calls, those in several parts counted once."""
    found: list[Json] = []
    more = False
    for part in parts:
        call = either(part, "functionCall", "function_call")
        if call is None:
            continue
        if call.get("name") or not more:
            found.append(call)
        more = either(call, "willContinue", "will_continue") is True
    return found


def joined(parts: list[Json], more: list[Json]) -> list[Json]:
    """Two chunks as one."""

    def kind(part: Json) -> Any:
        plain = isinstance(part.get("text"), str) and set(part) <= {"text", "thought"}
        return (sorted(part), part.get("thought")) if plain else None

    if parts and more and kind(parts[-1]) and kind(parts[-1]) == kind(more[0]):
        return [*parts[:-1], {**parts[-1], "text": parts[-1]["text"] + more[0]["text"]}, *more[1:]]
    return parts + more


@attrs.define
class Answer:
    """What has come of the present answer."""

    streamed: bool
    content: Json = attrs.Factory(dict[str, Any])
    parts: list[Json] = attrs.Factory(list[Json])
    finished: bool = False
    blocked: bool = False

    def take(self, document: Json) -> None:
        feedback = either(document, "promptFeedback", "prompt_feedback") or {}
        self.blocked |= either(feedback, "blockReason", "block_reason") is not None
        for candidate in document.get("candidates") or []:
            if int(candidate.get("index") or 0) == 0:
                content = candidate.get("content") or {}
                self.content = {**content, **self.content}
                self.parts = joined(self.parts, content.get("parts") or [])
                reason = either(candidate, "finishReason", "finish_reason")
                self.finished |= reason not in (None, "", 0, "0", "FINISH_REASON_UNSPECIFIED")
                return

    @property
    def speaks(self) -> bool:
        return any(held is not None for part in self.parts for held in part.values())

    @property
    def complete(self) -> bool:
        return self.speaks and (self.finished or not self.streamed)

    def said(self) -> Json:
        return {**self.content, "parts": self.parts, "role": "model"}


@attrs.define
class Model:
    """What a conversation must hold."""

    keep: bool
    phase: str = "IDLE"
    curated: list[Json] = attrs.Factory(list[Json])
    shown: list[Json] = attrs.Factory(list[Json])
    ledger: list[tuple[str, bool, list[Json]]] = attrs.Factory(list[tuple[str, bool, list[Json]]])
    #: Of the open turn: up to its last handed-out calls, and those calls.
    said: list[Json] = attrs.Factory(list[Json])
    calls: list[Json] = attrs.Factory(list[Json])
    #: The message that has not begun, and the one that is under way.
    message: Json | None = None
    sending: Json | None = None
    streamed: bool = True
    answer: Answer | None = None

    def send(self, message: Json, *, streamed: bool) -> None:
        while self.phase != "IDLE":
            self.leave()
        self.message, self.streamed, self.phase = message, streamed, "STARTING"

    def answerable(self) -> list[Json]:
        if self.phase == "EXCHANGING" and self.answer is not None and self.answer.complete:
            return calls_of(self.answer.parts)
        return self.calls

    def respond(self, message: Json, *, streamed: bool) -> None:
        if self.phase == "EXCHANGING" and self.answer is not None:
            if self.answer.complete:
                self.leave()
            else:
                self.reopen()
        self.message, self.streamed, self.phase = message, streamed, "ANSWERING"

    def begin(self) -> list[Json]:
        assert self.message is not None
        self.sending, self.message = self.message, None
        self.answer = Answer(self.streamed)
        self.phase = "EXCHANGING"
        return [*self.curated, *self.said, self.sending]

    def leave(self) -> None:
        if self.phase == "STARTING":
            self.message, self.phase = None, "IDLE"
        elif self.phase == "ANSWERING":
            self.message, self.phase = None, "CALLS_WANTED"
        elif self.phase == "CALLS_WANTED":
            self.end("ABANDONED", list(self.said), kept=False)
        elif self.phase == "EXCHANGING":
            assert self.answer is not None
            if self.reopens():
                self.reopen()
            else:
                self.finish("ABANDONED")

    def close(self, *, failed: bool) -> str:
        """The exchange is over. Gives the kind of event that tells it."""
        assert self.answer is not None
        answer = self.answer
        if failed:
            outcome = "FAILED"
        elif answer.speaks or (answer.streamed and not answer.finished and not answer.blocked):
            outcome = "TRUNCATED"
        else:
            outcome = "BLOCKED"
        if outcome != "BLOCKED" and self.reopens():
            self.reopen()
            return "RoundFailed"
        return self.finish(outcome)

    def reopens(self) -> bool:
        """An answer to function responses that broke off, and is not to be kept, leaves the calls open."""
        assert self.answer is not None
        keeps = self.keep and self.answer.speaks and not calls_of(self.answer.parts)
        return bool(self.said) and not self.answer.complete and not keeps

    def finish(self, outcome: str) -> str:
        assert self.answer is not None
        assert self.sending is not None
        answer = self.answer
        contents = [*self.said, self.sending]
        if answer.speaks:
            contents.append(answer.said())
        calls = calls_of(answer.parts)
        if answer.complete and calls:
            self.said, self.calls, self.phase, self.answer = contents, calls, "CALLS_WANTED", None
            return "FunctionCallsRequested"
        if answer.complete:
            outcome = "COMPLETED"
        kept = answer.complete or (self.keep and answer.speaks and outcome != "BLOCKED" and not calls)
        self.end(outcome, contents, kept=kept)
        return "TurnEnded"

    def end(self, outcome: str, contents: list[Json], *, kept: bool) -> None:
        self.ledger.append((outcome, kept, contents))
        self.shown += contents if kept or outcome not in ("FAILED", "ABANDONED") else self.said
        if kept:
            self.curated += contents
        self.phase, self.answer, self.sending, self.said, self.calls = "IDLE", None, None, [], []

    def reopen(self) -> None:
        self.phase, self.answer, self.sending = "CALLS_WANTED", None, None


# --- what servers and users say --------------------------------------------------------------------------------------

small_parts: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"text": "a"},
        {"text": "b"},
        {"text": ""},
        {"text": "t", "thought": True},
        {"text": "", "thoughtSignature": "c2ln"},
        {"newKind": {"x": [1, None]}},
        {},
    ]
)
call_parts: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"functionCall": {"name": "f", "args": {}}},
        {"functionCall": {"name": "f", "id": "1"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "2", "name": "g", "args": {"x": 1}}},
    ]
)


def unique_ids(parts: list[Json]) -> bool:
    """Whether no two calls have the same id."""
    ids = [call["id"] for call in calls_of(parts) if call.get("id")]
    return len(ids) == len(set(ids))


@st.composite
def small_chunks(draw: st.DrawFn) -> Json:
    """A chunk of few kinds of parts, or without any."""
    several = st.lists(small_parts, max_size=2) | st.lists(call_parts | small_parts, max_size=2).filter(unique_ids)
    candidate: Json = {}
    if draw(st.integers(0, 5)):
        candidate["content"] = {"role": "model", "parts": draw(several)}
    if draw(st.integers(0, 2)) == 0:
        candidate["finishReason"] = draw(st.sampled_from(["STOP", "SAFETY", "BRAND_NEW"]))
    return {"candidates": [candidate]}


def no_responses(document: Json) -> bool:
    """Servers' own function responses close their calls, which this model does not know."""
    text = json.dumps(document).lower().replace("_", "")
    return "functionresponse" not in text and not any(
        not unique_ids((candidate.get("content") or {}).get("parts") or [])
        for candidate in document.get("candidates") or []
    )


quiet: st.SearchStrategy[Json] = st.sampled_from(
    [{}, {"usageMetadata": {"totalTokenCount": 3}}, {"promptFeedback": {"blockReason": "SAFETY"}}]
)
chunks = small_chunks() | small_chunks() | small_chunks() | quiet | responses().filter(no_responses)
nonsense = st.sampled_from(
    [b"data: x\n\n", b'data: {"candidates": 1}\n\n', b'data: {"error": {"code": 500}}\n\n', b"data: []\n\n"]
)


def spelled(value: Any) -> Any:
    """JSON text without an order of keys: the model does not know where ``parts`` and ``role`` stand."""
    return json.dumps(value, sort_keys=True)


# --- the machine ------------------------------------------------------------------------------------------------------


class ConversationMachine(RuleBasedStateMachine):
    """Every rule does one thing that a user, a driver or a server may do, to the conversation and to the model."""

    conversation: Conversation
    model: Model

    @initialize(keep=st.booleans(), retries=st.booleans())
    def make(self, keep: bool, retries: bool) -> None:
        options = HttpRetryOptions(attempts=ATTEMPTS) if retries else None
        self.conversation: Conversation = PureConversation(
            "m", endpoint=Endpoint(retry_options=options), on_incomplete="keep" if keep else "drop"
        )
        self.model = Model(keep)
        self.left = (ATTEMPTS if retries else 1, 0)
        self.wire = ""  # what the driver owes: head, body, error, wait
        self.unread: list[Json] = []  # documents received and not asked for yet
        self.shown: tuple[list[Json], list[Json]] = ([], [])
        self.counter = 0

    def forget_wire(self) -> None:
        self.wire, self.unread = "", []

    # --- users ---

    @precondition(lambda self: self.model.phase == "IDLE")
    @rule(streamed=st.booleans())
    def send(self, streamed: bool) -> None:
        self.say(streamed=streamed)

    @precondition(lambda self: self.model.phase != "IDLE")
    @rule(how=st.sampled_from(["not", "not", "not", "send", "abandon", "abandon twice"]))
    def interrupt(self, how: str) -> None:
        """Seldom, or no answer would ever come to its end."""
        if how == "send":
            self.say(streamed=True)
        elif how != "not":
            for _ in range(2 if how == "abandon twice" else 1):
                self.abandon()

    def say(self, *, streamed: bool) -> None:
        self.counter += 1
        words = f"message {self.counter}"
        self.model.send({"parts": [{"text": words}], "role": "user"}, streamed=streamed)
        self.conversation.send(words, stream=streamed)
        self.forget_wire()

    def response_parts(self) -> list[Json]:
        return [
            {"functionResponse": {key: call[key] for key in ("name", "id") if call.get(key)} | {"response": {}}}
            for call in self.model.answerable()
        ]

    @precondition(lambda self: self.model.answerable())
    @rule(streamed=st.booleans(), ids=st.booleans())
    def respond(self, streamed: bool, ids: bool) -> None:
        self.counter += 1
        message: Json = {"parts": self.response_parts(), "role": "user"}
        given = copy.deepcopy(message)
        if not ids:  # they may be left out, as long as the order is that of the calls
            for part in given["parts"]:
                part["functionResponse"].pop("id", None)
        self.model.respond(message, streamed=streamed)
        self.conversation.send(Content.model_validate(given), stream=streamed)
        self.forget_wire()

    @rule(how=st.sampled_from(["less", "more", "other", "text"]))
    def respond_wrongly(self, how: str) -> None:
        parts = self.response_parts()
        other: Json = {"functionResponse": {"name": "nobody_asked", "response": {}}}
        if how == "less":
            parts = [*parts[1:], {"text": "x"}]
        elif how == "text":
            parts = [{"text": "x"}]
        else:
            parts = [*parts, other] if how == "more" else [other]
        before = pickle.dumps(self.conversation)
        with pytest.raises(ValidationError):
            self.conversation.send_function_responses([Part.model_validate(part) for part in parts])
        assert pickle.dumps(self.conversation) == before

    def abandon(self) -> None:
        self.model.leave()
        self.conversation.abandon()
        self.forget_wire()

    @rule()
    def look_for_nothing(self) -> None:
        """next() where the machine needs its user."""
        if self.model.phase in ("IDLE", "CALLS_WANTED"):
            assert self.conversation.next() is None

    # --- drivers ---

    @precondition(lambda self: self.model.phase in ("STARTING", "ANSWERING"))
    @rule()
    def begin(self) -> None:
        step = self.conversation.next()
        assert isinstance(step, SendRequest)
        assert spelled(step.request.json()["contents"]) == spelled(self.model.begin())
        assert ("stream" in step.request.url) == self.model.streamed
        self.wire, self.unread = "head", []
        self.left = (self.left[0], self.left[0])

    @precondition(lambda self: self.model.phase == "EXCHANGING")
    @rule()
    def ask(self) -> None:
        """One next() inside an exchange: a chunk that was received, or the command that is owed."""
        step = self.conversation.next()
        if self.unread:
            document = self.unread.pop(0)
            assert self.model.answer is not None
            self.model.answer.take(document)
            assert isinstance(step, ChunkReceived)
            assert to_wire(step.response) == document
        else:
            expected = {"head": SendRequest, "body": ReadBody, "error": ReadBody, "wait": Wait}[self.wire]
            assert isinstance(step, expected)

    @precondition(lambda self: self.wire == "head")
    @rule(status=st.sampled_from([200, 200, 200, 200, 503, 400, 204]))
    def head(self, status: int) -> None:
        self.conversation.receive_response(status, (("x-status", str(status)),))
        self.wire = "body" if status == 200 else "error"
        self.status = status

    @precondition(lambda self: self.wire == "body" and self.model.streamed)
    @rule(documents=st.lists(chunks, min_size=1, max_size=3), data=st.data())
    def receive(self, documents: list[Json], data: st.DataObject) -> None:
        for piece in data.draw(cuts(b"".join(sse(documents)))):
            self.conversation.receive_data(piece)
        self.unread += documents

    @precondition(lambda self: self.wire == "error")
    @rule()
    def receive_error(self) -> None:
        self.conversation.receive_data(b'{"error": ')

    @precondition(lambda self: self.wire == "body" and self.model.streamed)
    @rule(bad=nonsense)
    def receive_nonsense(self, bad: bytes) -> None:
        self.conversation.receive_data(bad)
        self.drain(failed=True)

    @precondition(lambda self: self.wire == "body" and not self.model.streamed)
    @rule(document=chunks, data=st.data(), good=st.integers(0, 5))
    def answer_whole(self, document: Json, data: st.DataObject, good: int) -> None:
        body = encode(document) if good else b'{"candidates": 5}'
        for piece in data.draw(cuts(body)):
            self.conversation.receive_data(piece)
        self.conversation.receive_data(b"")
        if good and data.draw(st.booleans()):
            # The answer is handed out, and what comes next is left to the other rules.
            step = self.conversation.next()
            assert isinstance(step, ChunkReceived)
            assert self.model.answer is not None
            self.model.answer.take(document)
            if data.draw(st.booleans()):
                self.abandon()
                return
        elif good:
            self.unread.append(document)
        self.drain(failed=not good)

    @precondition(lambda self: self.wire == "body" and self.model.streamed)
    @rule(cut=st.booleans())
    def end(self, cut: bool) -> None:
        if cut:
            self.conversation.receive_data(b'data: {"candidates": [{"content"')
        self.conversation.receive_data(b"")
        self.drain(failed=False)

    @precondition(lambda self: self.wire in ("head", "body", "error"))
    @rule()
    def fail(self) -> None:
        self.conversation.receive_failure(ConnectionLost("gone"))
        if self.wire == "error":
            self.refuse()
        elif self.wire == "head":
            self.try_again(retried=True)
        else:
            self.drain(failed=True)

    @precondition(lambda self: self.wire == "error")
    @rule()
    def refuse(self) -> None:
        """The end of an error's body."""
        with contextlib.suppress(LocalProtocolError):  # it had broken off
            self.conversation.receive_data(b"")
        self.try_again(retried=self.status == 503)

    def try_again(self, *, retried: bool) -> None:
        allowed, left = self.left
        if retried and left > 1:
            self.left = (allowed, left - 1)
            step = self.conversation.next()
            assert isinstance(step, RetryScheduled)
            assert step.attempt == allowed - left + 1
            self.wire = "wait"
        else:
            self.drain(failed=True)

    @precondition(lambda self: self.wire == "wait")
    @rule()
    def resume(self) -> None:
        self.conversation.resume(0.5)
        self.wire = "head"

    # Several steps in one, so that many turns and rounds come to their end.

    @precondition(lambda self: self.model.phase in ("IDLE", "CALLS_WANTED"))
    @rule(documents=st.lists(chunks, max_size=3), data=st.data(), whole=st.booleans(), end=st.booleans())
    def answer(self, documents: list[Json], data: st.DataObject, whole: bool, end: bool) -> None:
        if self.model.phase == "IDLE":
            self.say(streamed=True)
        elif self.model.answerable():
            self.respond(True, data.draw(st.booleans()))
        self.begin()
        self.head(200)
        if whole:
            documents = [*documents, {"candidates": [{"content": {"parts": [{"text": "."}]}, "finishReason": "STOP"}]}]
        self.receive(documents, data)
        if end:
            self.drain_at(b"")
        else:
            for _ in range(data.draw(st.integers(0, len(documents)))):
                self.ask()

    @precondition(lambda self: self.model.phase == "IDLE")
    @rule(parts=st.lists(call_parts | small_parts, min_size=1, max_size=3).filter(unique_ids), data=st.data())
    def call(self, parts: list[Json], data: st.DataObject) -> None:
        self.say(streamed=True)
        self.begin()
        self.head(200)
        document = {
            "candidates": [{"content": {"parts": [*parts, {"functionCall": {"name": "h"}}]}, "finishReason": "STOP"}]
        }
        self.receive([document], data)
        self.drain_at(b"")

    def drain_at(self, end: bytes) -> None:
        self.conversation.receive_data(end)
        self.drain(failed=False)

    def drain(self, *, failed: bool) -> None:
        """All that is left of an exchange: documents, and then one event."""
        assert self.model.answer is not None
        for document in self.unread:
            step = self.conversation.next()
            assert isinstance(step, ChunkReceived)
            self.model.answer.take(document)
        self.forget_wire()
        expected = self.model.close(failed=failed)
        step = self.conversation.next()
        assert type(step).__name__ == expected
        match step:
            case FunctionCallsRequested(calls=calls):
                assert [call.id for call in calls] == [call.get("id") for call in self.model.calls]
            case RoundFailed(error=error):
                assert isinstance(error, (APIError, ConnectionLost, MalformedResponse))
            case TurnEnded(turn=turn, error=error):
                assert turn == self.conversation.turns[-1]
                assert (error is not None) == failed
                assert error is None or turn.outcome.name in ("FAILED", "COMPLETED")
            case _:
                raise AssertionError(step)
        assert self.conversation.next() is None

    @rule(verb=st.sampled_from(["head", "data", "end", "failure", "resume"]))
    def drive_wrongly(self, verb: str) -> None:
        """L11: a report that nobody is waiting for."""
        fitting = {"head": ["head"], "data": ["body", "error"], "end": ["body", "error"], "resume": ["wait"]}
        if self.wire in fitting.get(verb, ["head", "body", "error"]):
            return
        before = pickle.dumps(self.conversation)
        with pytest.raises(LocalProtocolError):
            match verb:
                case "head":
                    self.conversation.receive_response(200, ())
                case "data":
                    self.conversation.receive_data(b"x")
                case "end":
                    self.conversation.receive_data(b"")
                case "failure":
                    self.conversation.receive_failure(ConnectionLost("gone"))
                case _:
                    self.conversation.resume()
        assert pickle.dumps(self.conversation) == before

    @rule(deep=st.booleans())
    def move(self, deep: bool) -> None:
        """L13: from here on a copy goes on in the machine's place."""
        there = copy.deepcopy(self.conversation) if deep else pickle.loads(pickle.dumps(self.conversation))
        self.conversation = there

    # --- laws ---

    @invariant()
    def it_holds_what_it_must(self) -> None:
        """L5: histories, ledger and state are the model's after every step."""
        conversation, model = self.conversation, self.model
        assert conversation.state.name == model.phase
        assert conversation.busy == (model.phase in ("STARTING", "EXCHANGING", "ANSWERING"))
        assert conversation.reading == (self.wire in ("body", "error"))
        curated = [to_wire(each) for each in conversation.history(curated=True)]
        shown = [to_wire(each) for each in conversation.history()]
        assert spelled(curated) == spelled(model.curated)
        assert spelled(shown) == spelled(model.shown + model.said)
        ledger = [(turn.outcome.name, turn.curated, list(map(to_wire, turn.contents))) for turn in conversation.turns]
        assert spelled(ledger) == spelled(model.ledger)
        assert [turn.number for turn in conversation.turns] == list(range(1, len(ledger) + 1))
        pending = model.calls if model.phase in ("CALLS_WANTED", "ANSWERING") else []
        assert [call.name for call in conversation.pending_calls] == [call.get("name") for call in pending]

    @invariant()
    def histories_only_grow(self) -> None:
        """L6: nothing that a history has shown goes away, and the curated one is part of the other."""
        curated, shown = self.model.curated, self.model.shown + self.model.said
        earlier_curated, earlier_shown = self.shown
        assert curated[: len(earlier_curated)] == earlier_curated
        assert shown[: len(earlier_shown)] == earlier_shown
        rest = iter(shown)
        assert all(any(content == other for other in rest) for content in curated)
        self.shown = (list(curated), list(shown))

    @invariant()
    def rounds_are_closed(self) -> None:
        """L7: in curated history the content after one with calls answers them, one by one, with their ids."""
        contents = [to_wire(each) for each in self.conversation.history(curated=True)]
        for content, following in zip(contents, [*contents[1:], {}], strict=False):
            responses_ = [part.get("functionResponse") for part in following.get("parts") or []]
            answered = [response for response in responses_ if response]
            calls = calls_of(content.get("parts") or [])
            assert len(calls) == len(answered)
            wanted = [call["id"] for call in calls if call.get("id")]
            assert sorted(wanted) == sorted(answer["id"] for answer in answered if answer.get("id"))

    @invariant()
    def the_next_request_is_the_curated_history(self) -> None:
        """L4, L8 and L16: a message sent now would go out after all that is curated, and what that leaves behind."""
        before = pickle.dumps(self.conversation)
        request = self.conversation.prepare(self.conversation.draft("probe"))
        model = copy.deepcopy(self.model)
        model.send({"parts": [{"text": "probe"}], "role": "user"}, streamed=True)
        assert spelled(request.json()["contents"]) == spelled(model.begin())
        assert pickle.dumps(self.conversation) == before


TestConversation = ConversationMachine.TestCase
TestConversation.settings = settings(
    max_examples=settings().max_examples,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
