"""Conversation as a tool loop, under any sequence of what users, tool loops, drivers and servers do.

The model is JSON and a few flags: what a turn has said, which calls are open, how many requests are left, and what the
hops of an answer have brought. It has no exchange, no framing, no bytes and no table of states. After each rule the
conversation must hold what the model holds, and the laws are looked at one by one.
"""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from purity import PureConversation, forbidden_io

from chatproto.calling import refuse
from chatproto.errors import (
    APIError,
    ChatProtoError,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    TransportError,
    ValidationError,
)
from chatproto.machines import snapshot
from chatproto.machines.conversation import Conversation
from chatproto.machines.explain import explain
from chatproto.machines.steps import (
    ChunkReceived,
    ContinuationStarted,
    FunctionCallsRequested,
    ReadBody,
    RetryScheduled,
    RoundFailed,
    SendRequest,
    Step,
    TurnEnded,
    Wait,
)
from chatproto.testing.strategies import function_calls, function_responses
from chatproto.testing.wire import sse, text_response
from chatproto.types import (
    AutomaticFunctionCallingConfig,
    Content,
    FunctionResponse,
    GenerateContentConfig,
    HttpRetryOptions,
    Part,
)
from chatproto.types._dump import to_wire
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.json_codec import encode

Json = dict[str, Any]
Failure = Literal["api", "lost", "malformed"]
T = TypeVar("T")

ATTEMPTS = 2
USUAL_BUDGET = 10
RECONNECTS = 3


def spelled(value: Any) -> str:
    """JSON text without an order of keys: the model does not know where ``parts`` and ``role`` stand."""
    return json.dumps(value, sort_keys=True)


def calls_in(content: Json) -> list[Json]:
    """The function calls of a content."""
    return [part["functionCall"] for part in content["parts"] if "functionCall" in part]


def responses_in(content: Json) -> list[Json]:
    """The function responses of a content."""
    return [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]


# --- the model -----------------------------------------------------------------------------------------------------


@attrs.frozen
class Settings:
    """How a message asks to be answered."""

    streamed: bool = True
    #: How many requests it may still make, itself included.
    budget: int = USUAL_BUDGET
    continues: bool = True


@attrs.define
class Answer:
    """What has come of the present answer, and what the present hop of it has brought."""

    settings: Settings
    parts: list[Json] = attrs.Factory(list[Json])
    finished: bool = False
    blocked: bool = False
    whole: bool = False

    asked_with: str | None = None
    token: str | None = None
    reason: str | None = None
    feedback: bool = False
    spoke: bool = False
    accepted: bool = False
    hops: int = 1
    stuck: int = 0
    trouble: Failure | None = None

    def take(self, document: Json) -> None:
        self.accepted = True
        self.feedback |= "promptFeedback" in document
        self.blocked |= "promptFeedback" in document
        for candidate in document.get("candidates", ())[:1]:
            parts = candidate.get("content", {}).get("parts", [])
            self.spoke |= bool(parts)
            self.parts = joined(self.parts, parts)
            reason, token = candidate.get("finishReason"), candidate.get("continuationToken")
            self.reason = reason or self.reason
            if token:
                self.token = token
            elif reason not in (None, "CONTINUATION"):
                self.token = None
            hidden = reason == "CONTINUATION" and self.token is not None and self.settings.continues
            self.finished |= reason is not None and not hidden
        if not self.settings.streamed:
            self.whole = not self.goes_on(self.token)

    def goes_on(self, token: str | None) -> bool:
        return self.settings.continues and token is not None and self.reason in (None, "CONTINUATION")

    def another_hop(self, error: Failure | None) -> bool:
        """The hop is over: whether one more follows. What to tell of it, if not, is in ``trouble``."""
        token = self.token if error is None else None
        if self.settings.streamed:
            if error == "api" and not self.accepted:
                self.trouble = error
                return False
            token = self.next_token(error)
        if not self.goes_on(token) or (self.settings.streamed and self.feedback):
            if not self.settings.streamed or self.reason is not None or self.feedback:
                self.trouble = error
            return False
        self.asked_with, self.hops = token, self.hops + 1
        self.token = self.reason = None
        self.feedback = self.spoke = self.accepted = False
        return True

    def next_token(self, error: Failure | None) -> str | None:
        """Of a stream: where it may be taken up, also after a break, unless that would bring what has come."""
        further = self.token not in (None, self.asked_with)
        if error is not None:
            self.trouble = error
        elif self.spoke or further:
            self.trouble = None
        over = self.feedback or self.reason not in (None, "CONTINUATION")
        if further and not over:
            self.stuck = 0
            return self.token
        if over or self.reason or self.spoke or self.stuck == RECONNECTS:
            return None
        self.stuck += 1
        return self.asked_with

    @property
    def speaks(self) -> bool:
        return any(self.parts)

    @property
    def complete(self) -> bool:
        return self.speaks and (self.finished if self.settings.streamed else self.whole)

    def said(self) -> Json:
        return {"parts": self.parts, "role": "model"}


def joined(parts: list[Json], more: list[Json]) -> list[Json]:
    """Two chunks as one: texts of one kind flow together at the seam."""
    left, right = parts[-1:], more[:1]
    alike = [{**part, "text": ""} for part in left] == [{**part, "text": ""} for part in right]
    if left and alike and all("text" in part and part.keys() <= {"text", "thought"} for part in left + right):
        return [*parts[:-1], {**right[0], "text": left[0]["text"] + right[0]["text"]}, *more[1:]]
    return parts + more


@attrs.frozen
class Ended:
    """A turn that is over."""

    outcome: str
    curated: bool
    contents: list[Json]
    shown: int


@attrs.define
class Model:
    """What a conversation must hold."""

    keep: bool
    phase: str = "IDLE"
    ledger: list[Ended] = attrs.Factory(list[Ended])
    #: Of the open turn: up to its last handed-out calls, those calls, and how it was asked for.
    said: list[Json] = attrs.Factory(list[Json])
    calls: list[Json] = attrs.Factory(list[Json])
    unsent: Json | None = None
    asked: Settings | None = None
    #: The message that has not begun, and the one that is under way.
    message: tuple[Json, Settings] | None = None
    sending: Json | None = None
    answer: Answer | None = None

    def copied(self) -> Model:
        """Its contents are shared: nobody changes them."""
        lists: Json = {"ledger": list(self.ledger), "said": list(self.said), "calls": list(self.calls)}
        return attrs.evolve(self, **lists, answer=None if self.answer is None else attrs.evolve(self.answer))

    @property
    def curated(self) -> list[Json]:
        return [content for turn in self.ledger if turn.curated for content in turn.contents]

    @property
    def shown(self) -> list[Json]:
        return [content for turn in self.ledger for content in turn.contents[: turn.shown]] + self.said

    # --- users ---

    def send(self, message: Json, how: Settings) -> None:
        self.leave_all()
        self.message, self.phase = (message, how), "STARTING"

    @property
    def answerable(self) -> list[Json]:
        if self.phase == "EXCHANGING" and self.answer is not None and self.answer.complete:
            return calls_in(self.answer.said())
        return self.calls

    @property
    def resendable(self) -> Json | None:
        if self.phase == "EXCHANGING" and self.answer is not None:
            return self.sending if self.said and not self.answer.complete else None
        return self.unsent

    def respond(self, message: Json, how: Settings) -> None:
        if self.phase == "EXCHANGING" and self.answer is not None:
            if self.answer.complete:
                self.leave()
            else:
                self.reopen()
        self.message, self.phase = (message, how), "ANSWERING"

    def leave_all(self) -> None:
        while self.phase != "IDLE":
            self.leave()

    def leave(self) -> None:
        if self.phase == "STARTING":
            self.message, self.phase = None, "IDLE"
        elif self.phase == "ANSWERING":
            self.message, self.phase = None, "CALLS_WANTED"
        elif self.phase == "CALLS_WANTED":
            self.end("ABANDONED", list(self.said), kept=False)
        elif self.phase == "EXCHANGING":
            if self.reopens:
                self.reopen()
            else:
                self.finish("ABANDONED")

    def rewind(self, n: int) -> list[Ended] | None:
        """What is forgotten; None where there are not so many turns."""
        settled = self.copied()
        settled.leave_all()
        told = [index for index, turn in enumerate(settled.ledger) if turn.curated or turn.shown]
        if len(told) < n:
            return None
        self.leave_all()
        forgotten = self.ledger[told[-n] :]
        del self.ledger[told[-n] :]
        return forgotten

    # --- drivers and servers ---

    def begin(self) -> list[Json]:
        assert self.message is not None
        (self.sending, self.asked), self.message = self.message, None
        self.answer = Answer(self.asked)
        self.phase, self.unsent = "EXCHANGING", None
        return [*self.curated, *self.said, self.sending]

    def close(self, error: Failure | None) -> tuple[type[Step], Failure | None]:
        """A hop is over. Gives the event that tells of it, and the error in that."""
        assert self.answer is not None
        answer = self.answer
        if answer.another_hop(error):
            return ContinuationStarted, error
        error = answer.trouble
        if error is not None:
            outcome = "FAILED"
        elif answer.speaks or (answer.settings.streamed and not answer.finished and not answer.blocked):
            outcome = "TRUNCATED"
        else:
            outcome = "BLOCKED"
        if outcome != "BLOCKED" and self.reopens:
            self.reopen()
            return RoundFailed, error or "lost"
        return self.finish(outcome), error

    @property
    def keeps(self) -> bool:
        assert self.answer is not None
        return self.keep and self.answer.speaks and not calls_in(self.answer.said())

    @property
    def reopens(self) -> bool:
        """An answer to function responses that broke off, and is not to be kept, leaves the calls open."""
        assert self.answer is not None
        return bool(self.said) and not self.answer.complete and not self.keeps

    def finish(self, outcome: str) -> type[Step]:
        assert self.answer is not None
        assert self.sending is not None
        answer = self.answer
        contents = [*self.said, self.sending]
        if answer.speaks:
            contents.append(answer.said())
        calls = calls_in(answer.said())
        if answer.complete and calls:
            self.said, self.calls, self.phase, self.answer = contents, calls, "CALLS_WANTED", None
            return FunctionCallsRequested
        if answer.complete:
            outcome = "COMPLETED"
        kept = answer.complete or (outcome != "BLOCKED" and self.keeps)
        self.end(outcome, contents, kept=kept)
        return TurnEnded

    def end(self, outcome: str, contents: list[Json], *, kept: bool) -> None:
        shown = len(contents) if kept or outcome not in ("FAILED", "ABANDONED") else len(self.said)
        self.ledger.append(Ended(outcome, kept, contents, shown))
        self.phase, self.said, self.calls = "IDLE", [], []
        self.answer = self.sending = self.unsent = self.asked = None

    def reopen(self) -> None:
        self.phase, self.unsent, self.answer, self.sending = "CALLS_WANTED", self.sending, None, None


def with_ids(calls: list[Json], parts: list[Json]) -> list[Json]:
    """Responses as they must be sent: those with an id find their calls first, the others by name, in order."""
    sent = [dict(part["functionResponse"]) for part in parts]
    left = list(calls)
    for response in sorted(sent, key=lambda response: "id" not in response):
        same = [call for call in left if call.get("id") and call["id"] == response.get("id")]
        alike = [call for call in left if call["name"] == response["name"]]
        if "id" in response:  # one that the program made up does for a call that has none
            alike = [call for call in alike if not call.get("id")]
        call = [*same, *alike][0]
        left.remove(call)
        if call.get("id"):
            response["id"] = call["id"]
    return [{"functionResponse": response} for response in sent]


# --- what is said --------------------------------------------------------------------------------------------------

small_parts: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"text": "a"},
        {"text": "b"},
        {"text": ""},
        {"text": "", "thoughtSignature": "c2ln"},
        {"text": "t", "thought": True},
    ]
)
several_parts: st.SearchStrategy[list[Json]] = st.lists(small_parts, max_size=2) | st.just([{}])
tokens = st.sampled_from(["YQ==", "Yg==", "Yw=="])


@st.composite
def chunks(draw: st.DrawFn, *, calling: bool = True) -> Json:
    """A piece of an answer, which may be all of it; with function calls, a finish reason, a token, or none of those."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.sampled_from([{}, {"candidates": []}, {"promptFeedback": {"blockReason": "SAFETY"}}]))
    candidate: Json = {}
    if kind > 1:
        said = draw(several_parts)
        if calling and kind > 6:
            said = [*said, *draw(function_calls())]
        candidate["content"] = {"parts": said, "role": "model"}
    reason = draw(st.sampled_from([None, None, "STOP", "STOP", "SAFETY", "CONTINUATION"]))
    if reason is not None:
        candidate["finishReason"] = reason
    if reason == "CONTINUATION" or draw(st.integers(0, 5)) == 0:
        candidate["continuationToken"] = draw(tokens)
    return {"candidates": [candidate]}


#: An event that ends the answer, and what it ends it with.
NONSENSE: list[tuple[bytes, Failure]] = [
    (b"data: x\n\n", "malformed"),
    (b'data: {"candidates": 1}\n\n', "malformed"),
    (b'data: {"error": {"code": 503}}\n\n', "api"),
]
ERRORS: dict[Failure, type[ChatProtoError]] = {
    "api": APIError,
    "lost": TransportError,
    "malformed": MalformedResponse,
}
#: What the end of an exchange is to the answer.
FAILURES: dict[str, Failure | None] = {"end": None, "lost": "lost", "unreached": "lost", "refused": "api"}


@st.composite
def settings_of_messages(draw: st.DrawFn) -> tuple[Settings, bool]:
    """How a message is sent, and whether its calls are answered by hand whatever the config says."""
    by_hand = draw(st.integers(0, 3)) == 0
    budget = 0 if by_hand else draw(st.integers(1, 4))
    return Settings(draw(st.integers(0, 3)) > 0, budget, draw(st.integers(0, 7)) > 0), by_hand


def config_of(how: Settings) -> GenerateContentConfig:
    """The config that asks for it."""
    calling = AutomaticFunctionCallingConfig(maximum_remote_calls=how.budget)
    continues = None if how.continues else False
    return GenerateContentConfig(automatic_function_calling=calling, automatic_continuation=continues)


# --- the machine ---------------------------------------------------------------------------------------------------


@attrs.define
class Bad:
    """An event that the conversation will not take."""

    failure: Failure


@attrs.define
class Life:
    """One conversation, what it must hold, and what stands between it and its server."""

    conversation: Conversation
    model: Model
    #: What the wire owes: "fresh" (a hop was announced), head, body, error, wait, or "over" (its end is to be told).
    wire: str = ""
    #: What was received and has not been asked for yet.
    unread: list[Json | Bad] = attrs.Factory(list[Json | Bad])
    ending: Literal["end", "lost", "unreached", "refused"] = "end"
    status: int = 200
    attempt: int = 1
    #: Histories that were seen.
    seen: tuple[list[Json], list[Json]] = attrs.Factory(lambda: ([], []))

    def forget_wire(self) -> None:
        self.wire, self.unread = "", []


GIVEN_TURN: list[Json] = [
    {"parts": [{"text": "earlier"}], "role": "user"},
    {"parts": [{"functionCall": {"name": "look", "id": "g"}}], "role": "model"},
    {"parts": [{"functionResponse": {"name": "look", "id": "g", "response": {}}}], "role": "user"},
    {"parts": [{"text": "answered"}], "role": "model"},
]
GIVEN_CALLS: list[Json] = [
    {"parts": [{"text": "call"}], "role": "user"},
    {"parts": [{"functionCall": {"name": "move"}}, {"functionCall": {"name": "move", "id": "h"}}], "role": "model"},
]


class ToolLoopMachine(RuleBasedStateMachine):
    """Every rule does what a user, a tool loop, a driver or a server may do, to the conversation and to the model."""

    life: Life

    @initialize(keep=st.booleans(), retries=st.booleans(), given=st.sampled_from(["", "", "turn", "calls", "both"]))
    def make(self, keep: bool, retries: bool, given: str) -> None:
        self.endpoint = Endpoint(retry_options=HttpRetryOptions(attempts=ATTEMPTS) if retries else None)
        self.attempts = ATTEMPTS if retries else 1
        self.counter = 0
        model = Model(keep)
        history: list[Json] = []
        if given in ("turn", "both"):
            history += GIVEN_TURN
            model.ledger.append(Ended("COMPLETED", curated=True, contents=GIVEN_TURN, shown=len(GIVEN_TURN)))
        if given in ("calls", "both"):
            history += GIVEN_CALLS
            model.said, model.calls, model.phase = list(GIVEN_CALLS), calls_in(GIVEN_CALLS[-1]), "CALLS_WANTED"
        conversation = PureConversation(
            "m",
            endpoint=self.endpoint,
            history=[Content.model_validate(content) for content in history],
            on_incomplete="keep" if keep else "drop",
        )
        self.life = Life(conversation, model)
        self.apart: list[Life] = []

    @property
    def conversation(self) -> Conversation:
        return self.life.conversation

    @property
    def model(self) -> Model:
        return self.life.model

    def unchanged(self, before: bytes) -> None:
        assert pickle.dumps(self.conversation) == before

    # --- users ---

    def say(self, how: Settings, *, by_hand: bool) -> None:
        self.counter += 1
        words = f"message {self.counter}"
        draft = self.conversation.draft(words, config_of(how), stream=how.streamed, by_hand=by_hand)
        self.model.send({"parts": [{"text": words}], "role": "user"}, how)
        self.conversation.send(draft)
        self.life.forget_wire()

    @precondition(lambda self: self.model.phase == "IDLE")
    @rule(how=settings_of_messages())
    def speak(self, how: tuple[Settings, bool]) -> None:
        self.say(how[0], by_hand=how[1])

    @rule(
        what=st.sampled_from(["interrupt", "abandon", "abandon", "record", "rewind", "fork", "switch", "settle"]),
        data=st.data(),
    )
    def now_and_then(self, what: str, data: st.DataObject) -> None:
        """What would keep answers from coming to their end, were it done often."""
        if what == "interrupt":
            how, by_hand = data.draw(settings_of_messages())
            self.say(how, by_hand=by_hand)
        elif what == "abandon":
            self.model.leave()
            self.conversation.abandon()
            self.life.forget_wire()
        elif what == "record":
            self.record(valid=data.draw(st.booleans()))
        elif what == "rewind":
            self.rewind(data.draw(st.integers(1, 3)))
        elif what == "fork" and len(self.apart) < 2:
            self.fork(go_on_with_it=data.draw(st.booleans()))
        elif what == "settle":
            self.settle()
        elif self.apart:
            self.switch()

    @precondition(lambda self: self.model.answerable)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """A tool loop's answer: one for each call, in their order, with its id."""
        before = self.model.asked or Settings()
        parts = [
            Part(function_response=FunctionResponse(id=call.get("id"), name=call["name"], response={"result": 1}))
            for call in self.model.answerable
        ]
        if self.model.phase in ("CALLS_WANTED", "ANSWERING"):
            refused = data.draw(st.integers(0, len(parts)))
            parts[refused:] = [refuse(call, "no") for call in self.conversation.pending_calls[refused:]]
        self.model.respond(
            {"parts": [to_wire(part) for part in parts], "role": "user"},
            attrs.evolve(before, budget=max(0, before.budget - 1)),
        )
        self.conversation.answer(parts)
        assert self.model.message is not None
        self.model.unsent = self.model.message[0]  # whatever comes between, it can be sent yet
        self.life.forget_wire()

    @precondition(lambda self: self.model.answerable)
    @rule(
        data=st.data(), way=st.sampled_from(["as asked", "streamed", "config", "message"]), how=settings_of_messages()
    )
    def answer_by_hand(self, data: st.DataObject, way: str, how: tuple[Settings, bool]) -> None:
        """Answers in any order, with or without their ids."""
        settings_, _ = how
        parts = data.draw(function_responses(self.model.answerable))
        sent = {"parts": with_ids(self.model.answerable, parts), "role": "user"}
        values = [Part.model_validate(part) for part in parts]
        before = self.model.asked or Settings()
        if way == "message":
            draft = self.conversation.draft(
                Content(role="user", parts=values), config_of(settings_), stream=settings_.streamed
            )
            self.model.respond(sent, settings_)
            self.conversation.send(draft)
        elif way == "config":
            self.model.respond(sent, settings_)
            self.conversation.send_function_responses(values, config_of(settings_), stream=settings_.streamed)
        else:
            streamed = settings_.streamed if way == "streamed" else None
            self.model.respond(sent, before if streamed is None else attrs.evolve(before, streamed=streamed))
            self.conversation.send_function_responses(values, stream=streamed)
        self.life.forget_wire()

    @precondition(lambda self: self.model.said)
    @rule()
    def resend(self) -> None:
        """The responses whose request failed, or has not been answered yet, once more; where there are any."""
        unsent = self.model.resendable
        if unsent is None:
            before = pickle.dumps(self.conversation)
            with pytest.raises(ValidationError):
                self.conversation.send_function_responses()
            self.unchanged(before)
            return
        self.model.respond(unsent, self.model.asked or Settings())
        self.conversation.send_function_responses()
        self.life.forget_wire()

    def answer_wrongly(self, how: str, data: st.DataObject) -> None:
        """L7, L11: what does not answer all that is open is refused, and changes nothing."""
        parts = data.draw(function_responses(self.model.answerable))
        other: Json = {"functionResponse": {"name": "nobody_asked", "response": {}}}
        if how == "less":
            parts = parts[1:]
        elif how == "more":
            parts = [*parts, other]
        elif how == "twice":
            parts = [*parts, *parts[:1]] if parts else [other]
        elif how == "other":
            parts = [*parts[1:], other]
        elif how == "wrong id" and any(call.get("id") for call in self.model.answerable):
            named = next(call for call in self.model.answerable if call.get("id"))
            rest = [call for call in self.model.answerable if call is not named]
            wrong = {"name": named["name"], "id": "wrong", "response": {}}
            parts = [*data.draw(function_responses(rest)), {"functionResponse": wrong}]
            if any(not call.get("id") and call["name"] == named["name"] for call in rest):
                return  # an id that the program made up does for a call that has none, and then its name is used twice
        else:
            parts = [{"text": "x"}] if how == "text" else []
        before = pickle.dumps(self.conversation)
        values = [Part.model_validate(part) for part in parts]
        for send in (self.conversation.send_function_responses, self.conversation.answer):
            with pytest.raises(ValidationError):
                send(values)
        self.unchanged(before)

    def record(self, *, valid: bool) -> None:
        """A turn that was had elsewhere; not while one is open."""
        said: list[Json] = [
            {"parts": [{"text": "had"}], "role": "user"},
            {"parts": [{"text": "elsewhere"}], "role": "model"},
        ]
        question, answer = map(Content.model_validate, said)
        before = pickle.dumps(self.conversation)
        if self.model.phase != "IDLE":
            with pytest.raises(LocalProtocolError):
                self.conversation.record(question, [answer], valid=valid)
            self.unchanged(before)
        else:
            self.conversation.record(question, [answer], valid=valid)
            self.model.ledger.append(Ended("COMPLETED" if valid else "BLOCKED", valid, said, 2))

    def rewind(self, n: int) -> None:
        """L6: histories only grow, but for this."""
        before = pickle.dumps(self.conversation)
        forgotten = self.model.rewind(n)
        if forgotten is None:
            with pytest.raises(ValidationError):
                self.conversation.rewind(n)
            self.unchanged(before)
            return
        gone = self.conversation.rewind(n)
        assert [turn.outcome.name for turn in gone] == [turn.outcome for turn in forgotten]
        said = [list(map(to_wire, turn.contents)) for turn in gone]
        assert spelled(said) == spelled([turn.contents for turn in forgotten])
        self.life.forget_wire()
        self.life.seen = ([], [])

    def fork(self, *, go_on_with_it: bool) -> None:
        """From here on the fork and the original live apart; what is under way stays with the original."""
        before = pickle.dumps(self.conversation)
        made = Life(self.conversation.fork(), self.model.copied(), seen=self.life.seen)
        self.unchanged(before)
        if made.model.phase not in ("IDLE", "CALLS_WANTED"):
            made.model.leave()
        self.apart.append(made)
        if go_on_with_it:
            self.switch()

    def switch(self) -> None:
        self.apart.append(self.life)
        self.life = self.apart.pop(0)

    # --- copies ---

    @rule(way=st.sampled_from(["deepcopy", "pickle"]))
    def move(self, way: str) -> None:
        """L13: from here on a copy goes on in its place."""
        there = copy.deepcopy(self.conversation) if way == "deepcopy" else pickle.loads(pickle.dumps(self.conversation))
        self.life.conversation = there

    @rule(then=st.permutations(["lost", "calls", "calls", "text"]))
    def restore(self, then: list[str]) -> None:
        """L13: what a snapshot brings back goes on in its place. An open connection counts as lost at that moment."""
        life = self.life
        told = copy.deepcopy(life.conversation)
        if life.wire in ("head", "body", "error"):
            told.receive_failure(ConnectionLost("by hand"))
        before = pickle.dumps(life.conversation)
        with forbidden_io():
            written = snapshot.write(life.conversation)
            restored = snapshot.read(written, endpoint=self.endpoint)
        self.unchanged(before)
        assert rest_of(restored, then) == rest_of(told, then)
        life.conversation = restored
        if life.wire in ("head", "body", "error"):
            life.ending = {"head": "unreached", "body": "lost", "error": "refused"}[life.wire]  # type: ignore[assignment]
            life.wire = "over"

    def settle(self) -> None:
        """As chats do that were restored: what has nothing left but its end is ended."""
        life = self.life
        before = pickle.dumps(life.conversation)
        life.conversation.settle()
        first = life.unread[0] if life.unread else None
        if isinstance(first, Bad):
            failure: Failure | None = first.failure
        elif first is None and life.wire == "over" and not self.is_retried:
            failure = FAILURES[life.ending]
        else:
            return self.unchanged(before)
        trial = self.model.copied()
        if trial.close(failure)[0] is ContinuationStarted:
            return self.unchanged(before)
        life.model = trial
        return life.forget_wire()

    # --- drivers and servers ---

    @precondition(lambda self: self.model.phase.endswith("ING"))
    @rule()
    def step(self) -> None:
        """One next(): what was received, the end of it, or a command."""
        self.ask()

    def ask(self) -> Step | None:
        life, model = self.life, self.model
        if model.phase in ("IDLE", "CALLS_WANTED"):
            assert self.conversation.next() is None
            return None
        if model.phase in ("STARTING", "ANSWERING"):
            return self.begin()
        assert model.answer is not None
        received = life.unread[0] if life.unread else None
        if isinstance(received, Bad):
            return self.over(received.failure)
        if received is not None and (model.answer.settings.streamed or life.wire == "over"):
            return self.chunk(life.unread.pop(0))
        if life.wire == "over":
            return self.end_of_exchange()
        step = self.conversation.next()
        if life.wire == "fresh":
            assert isinstance(step, SendRequest)
            self.request_is(step, [*model.curated, *model.said, model.sending], model.answer.asked_with)
            life.wire = "head"
        expected = {"head": SendRequest, "body": ReadBody, "error": ReadBody, "wait": Wait}
        assert isinstance(step, expected[life.wire])
        return step

    def begin(self) -> Step:
        step = self.conversation.next()
        assert isinstance(step, SendRequest)
        self.request_is(step, self.model.begin(), None)
        self.life.wire, self.life.unread, self.life.attempt = "head", [], 1
        return step

    def request_is(self, step: SendRequest, contents: Sequence[Json | None], token: str | None) -> None:
        """L4, L7 and L8: a request is the curated history, the open turn, and the message."""
        body = step.request.json()
        assert spelled(body["contents"]) == spelled(contents)
        assert body.get("continuationToken") == token
        assert self.model.answer is not None
        assert ("stream" in step.request.url) == self.model.answer.settings.streamed
        rounds_are_closed(body["contents"])

    def chunk(self, document: Json | Bad) -> Step:
        assert isinstance(document, dict)
        answer = self.model.answer
        assert answer is not None
        answer.take(document)
        if not (answer.settings.streamed or answer.whole):
            return self.end_of_exchange()  # nothing of it is handed out before all of it is there
        step = self.conversation.next()
        assert isinstance(step, ChunkReceived)
        if answer.settings.streamed:
            said = [candidate.get("content") for candidate in to_wire(step.response).get("candidates", ())]
            assert said == [candidate.get("content") for candidate in document.get("candidates", ())]
        return step

    def end_of_exchange(self) -> Step:
        life = self.life
        if self.is_retried:
            step = self.conversation.next()
            assert isinstance(step, RetryScheduled)
            assert step.attempt == life.attempt
            life.wire, life.unread = "wait", []
            return step
        return self.over(FAILURES[life.ending])

    @property
    def is_retried(self) -> bool:
        life = self.life
        retryable = life.ending == "unreached" or (life.ending == "refused" and life.status == 503)
        return retryable and life.attempt < self.attempts

    def over(self, failure: Failure | None) -> Step:
        """The event that tells that the exchange is over."""
        life, model = self.life, self.model
        kind, told = model.close(failure)
        step = self.conversation.next()
        assert type(step) is kind
        life.forget_wire()
        assert isinstance(step, (ContinuationStarted, FunctionCallsRequested, RoundFailed, TurnEnded))
        assert (step.error is None) == (told is None)
        assert told is None or isinstance(step.error, ERRORS[told])
        match step:
            case FunctionCallsRequested(calls=calls, automatic=automatic):
                assert [call.id for call in calls] == [call.get("id") for call in model.calls]
                assert model.asked is not None
                assert automatic == (model.asked.budget > 1 and told is None)
            case ContinuationStarted(hop=hop):
                assert model.answer is not None
                assert hop == model.answer.hops
                life.wire, life.attempt = "fresh", 1
            case TurnEnded(turn=turn):
                assert turn == self.conversation.turns[-1]
            case _:
                pass
        return step

    @precondition(lambda self: self.life.wire == "head")
    @rule(status=st.sampled_from([200, 200, 200, 200, 503, 400]))
    def head(self, status: int) -> None:
        self.conversation.receive_response(status, ())
        self.life.wire, self.life.status = "body" if status == 200 else "error", status

    @precondition(lambda self: self.life.wire == "body" and self.streamed)
    @rule(documents=st.lists(chunks(), min_size=1, max_size=3), data=st.data())
    def receive(self, documents: list[Json], data: st.DataObject) -> None:
        self.feed(b"".join(sse(documents)), data)
        self.life.unread += documents

    def feed(self, body: bytes, data: st.DataObject) -> None:
        """A body in two pieces."""
        cut = data.draw(st.integers(0, 9)) * len(body) // 9
        for piece in (body[:cut], body[cut:]):
            if piece:
                self.conversation.receive_data(piece)

    @property
    def streamed(self) -> bool:
        answer = self.model.answer
        return answer is not None and answer.settings.streamed

    @precondition(lambda self: self.life.wire == "body" and self.streamed)
    @rule(bad=st.sampled_from(NONSENSE))
    def receive_nonsense(self, bad: tuple[bytes, Failure]) -> None:
        self.conversation.receive_data(bad[0])
        self.life.unread.append(Bad(bad[1]))

    @precondition(lambda self: self.life.wire == "body" and self.streamed)
    @rule(cut=st.booleans())
    def end(self, cut: bool) -> None:
        if cut:
            self.conversation.receive_data(b'data: {"candidates": [{"content"')
        self.conversation.receive_data(b"")
        self.life.wire, self.life.ending = "over", "end"

    @precondition(lambda self: self.life.wire == "body" and not self.streamed)
    @rule(document=chunks(), data=st.data(), good=st.integers(0, 7))
    def receive_whole(self, document: Json, data: st.DataObject, good: int) -> None:
        self.feed(encode(document) if good else b'{"candidates": 5}', data)
        if good == 1:
            return self.fail()
        self.conversation.receive_data(b"")
        self.life.wire, self.life.ending = "over", "end"
        self.life.unread.append(document if good else Bad("malformed"))
        return None

    @precondition(lambda self: self.life.wire in ("head", "body", "error"))
    @rule()
    def fail(self) -> None:
        """The transport fails: before the head, or in the middle of a body."""
        self.conversation.receive_failure(ConnectionLost("gone"))
        self.life.ending = {"head": "unreached", "body": "lost", "error": "refused"}[self.life.wire]  # type: ignore[assignment]
        self.life.wire = "over"

    @precondition(lambda self: self.life.wire == "error")
    @rule(body=st.sampled_from([b"", b'{"error": {"code": 400, "message": "no"}}']))
    def end_error(self, body: bytes) -> None:
        if body:
            self.conversation.receive_data(body)
        self.conversation.receive_data(b"")
        self.life.wire, self.life.ending = "over", "refused"

    @precondition(lambda self: self.life.wire == "wait")
    @rule()
    def resume(self) -> None:
        self.conversation.resume(0.5)
        self.life.wire, self.life.attempt = "head", self.life.attempt + 1

    # Several steps in one, so that many turns, rounds and hops come to their end.

    @precondition(lambda self: self.life.unread or self.life.wire == "over")
    @rule()
    def drain(self) -> None:
        """All that is left of what came."""
        while self.life.unread or self.life.wire == "over":
            self.ask()

    @rule(data=st.data(), budget=settings_of_messages())
    def call(self, data: st.DataObject, budget: tuple[Settings, bool]) -> None:
        """The server calls functions; calls that were open are answered first."""
        calls = data.draw(st.lists(small_parts, max_size=1)) + data.draw(function_calls())
        self.serve({"candidates": [{"content": {"parts": calls}, "finishReason": "STOP"}]}, budget, data)

    @rule(data=st.data(), budget=settings_of_messages())
    def call_again(self, data: st.DataObject, budget: tuple[Settings, bool]) -> None:
        """The server calls a function with the same words, and then once more."""
        calls: Json = {
            "candidates": [{"content": {"parts": [{"functionCall": {"name": "look"}}]}, "finishReason": "STOP"}]
        }
        self.serve(calls, budget, data)
        self.serve(calls, budget, data)

    @rule(data=st.data(), budget=settings_of_messages())
    def finish(self, data: st.DataObject, budget: tuple[Settings, bool]) -> None:
        """The server has the last word."""
        self.serve(text_response("."), budget, data)

    @rule(data=st.data(), budget=settings_of_messages())
    def hop(self, data: st.DataObject, budget: tuple[Settings, bool]) -> None:
        """The server breaks its answer off with a token, and goes on."""
        said = {"content": {"parts": data.draw(several_parts)}, "continuationToken": data.draw(tokens)}
        self.serve(
            {"candidates": [said | data.draw(st.sampled_from([{}, {"finishReason": "CONTINUATION"}]))]}, budget, data
        )

    @rule(data=st.data(), budget=settings_of_messages(), document=chunks())
    def say_anything(self, data: st.DataObject, budget: tuple[Settings, bool], document: Json) -> None:
        """The server says what it likes."""
        self.serve(document, budget, data)

    @rule(how=st.sampled_from(["unreached", "refused", "cut", "silent"]), data=st.data(), budget=settings_of_messages())
    def go_wrong(self, how: str, data: st.DataObject, budget: tuple[Settings, bool]) -> None:
        """A request fails, in one of the ways in which requests do."""
        if not self.get_to_the_head(budget, data):
            return
        if how == "unreached":
            self.fail()
        elif how == "refused":
            self.head(400)
            self.end_error(b"")
        else:
            self.head(200)
            if self.streamed:
                self.receive([{"candidates": [{"content": {"parts": data.draw(several_parts)}}]}], data)
            if how == "cut" or not self.streamed:
                self.fail()
            else:
                self.end(cut=True)
        if data.draw(st.booleans()):
            self.drain()

    def get_to_the_head(self, budget: tuple[Settings, bool], data: st.DataObject) -> bool:
        """Have a request made, whatever must be done before. Whether its answer may begin."""
        if self.life.unread or self.life.wire == "over":
            self.drain()
        if self.model.phase == "IDLE":
            self.say(budget[0], by_hand=budget[1])
        elif self.model.phase == "CALLS_WANTED" and self.model.unsent is not None and data.draw(st.booleans()):
            self.resend()
        elif self.model.phase == "CALLS_WANTED":
            self.answer(data)
        if self.life.wire == "wait":
            self.resume()
        if self.life.wire in ("", "fresh", "head"):
            self.ask()
        return self.life.wire == "head"

    def serve(self, document: Json, budget: tuple[Settings, bool], data: st.DataObject) -> None:
        """Have a request answered; and end it, or suspend it, or break it off."""
        if self.get_to_the_head(budget, data):
            self.head(200)
        if self.life.wire == "error":
            return self.end_error(b"")
        end = data.draw(st.sampled_from(["end", "end", "end", "drain", "suspend", "lose", "leave unread"]))
        if not self.streamed:
            self.receive_whole(document, data, 7)
        else:
            self.receive([*data.draw(st.lists(chunks(calling=False), max_size=1)), document], data)
            if end in ("end", "drain"):
                self.end(cut=False)
            elif end == "lose":
                self.fail()
        return self.drain() if end in ("drain", "end", "suspend") else None

    @rule(
        verb=st.sampled_from(["head", "data", "end", "failure", "resume", "next"]),
        how=st.sampled_from(["less", "more", "twice", "other", "wrong id", "text", "none"]),
        data=st.data(),
    )
    def do_wrongly(self, verb: str, how: str, data: st.DataObject) -> None:
        """What nobody is waiting for."""
        self.answer_wrongly(how, data)
        self.drive_wrongly(verb)

    def drive_wrongly(self, verb: str) -> None:
        """L11: a report that nobody is waiting for raises LocalProtocolError, and changes nothing."""
        fitting = {"head": ["head"], "data": ["body", "error"], "end": ["body", "error"], "resume": ["wait"]}
        if verb == "next":
            assert self.model.phase.endswith("ING") or self.conversation.next() is None
        if verb == "next" or self.life.wire in fitting.get(verb, ["head", "body", "error"]):
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
        self.unchanged(before)

    # --- laws ---

    @invariant()
    def they_hold_what_they_must(self) -> None:
        """Histories, ledger, open calls and state are the model's, in this life and in those that it parted from."""
        for life in (self.life, *self.apart):
            conversation, model = life.conversation, life.model
            assert conversation.state.name == model.phase
            assert conversation.busy == (model.phase in ("STARTING", "EXCHANGING", "ANSWERING"))
            assert conversation.reading == (life.wire in ("body", "error"))
            assert spelled(curated(conversation)) == spelled(model.curated)
            assert spelled(shown(conversation)) == spelled(model.shown)
            pending = model.calls if model.phase in ("CALLS_WANTED", "ANSWERING") else []
            assert [to_wire(call) for call in conversation.pending_calls] == pending
            assert [turn.number for turn in conversation.turns] == list(range(1, len(model.ledger) + 1))
            assert all(turn.reason for turn in conversation.turns)
            ledger = [
                (turn.outcome.name, turn.curated, list(map(to_wire, turn.contents)), turn.shown)
                for turn in conversation.turns
            ]
            assert spelled(ledger) == spelled([attrs.astuple(turn) for turn in model.ledger])

    @invariant()
    def turns_are_whole(self) -> None:
        """L5: curated history is whole turns, each from a message of the user to a last word of the model."""
        turns = [list(map(to_wire, turn.contents)) for turn in self.conversation.turns if turn.curated]
        assert [content for turn in turns for content in turn] == curated(self.conversation)
        for turn in turns:
            assert turn[0]["role"] == "user"
            assert not responses_in(turn[0])
            assert turn[-1]["role"] == "model"
            assert not calls_in(turn[-1])
            for content in turn[1:]:
                assert content["role"] == "model" or responses_in(content)

    @invariant()
    def histories_only_grow(self) -> None:
        """L6: nothing that a history has shown goes away, and the curated one is part of the other."""
        now = curated(self.conversation), shown(self.conversation)
        for before, after in zip(self.life.seen, now, strict=True):
            assert after[: len(before)] == before
        rest = iter(now[1])
        assert all(any(content == other for other in rest) for content in now[0])
        self.life.seen = now

    @invariant()
    def rounds_are_closed(self) -> None:
        """L7: in curated history each call has its response, with its id if it had one."""
        rounds_are_closed(curated(self.conversation))

    @invariant()
    def it_is_never_stuck(self) -> None:
        """L8: from every state a plain message can be sent; it goes out after all that is curated, and succeeds."""
        before = pickle.dumps(self.conversation)
        probe, model = copy.deepcopy(self.conversation), self.model.copied()
        message: Json = {"parts": [{"text": "probe"}], "role": "user"}
        model.send(message, Settings())
        probe.send("probe")
        step = probe.next()
        assert isinstance(step, SendRequest)
        contents = step.request.json()["contents"]
        assert spelled(contents) == spelled(model.begin())
        assert spelled(contents) == spelled([*model.curated, message])
        rounds_are_closed(contents)
        probe.receive_response(200, ())
        probe.receive_data(b"".join(sse([text_response("yes")])))
        probe.receive_data(b"")
        assert [type(step) for step in (probe.next(), probe.next(), probe.next())] == [
            ChunkReceived,
            TurnEnded,
            type(None),
        ]
        assert probe.turns[-1].outcome.name == "COMPLETED"
        assert curated(probe) == [*contents, {"parts": [{"text": "yes"}], "role": "model"}]
        self.unchanged(before)

    @invariant()
    def snapshots_are_read_as_they_were_written(self) -> None:
        """L13: text, conversation, and the same text again."""
        written = snapshot.write(self.conversation)
        assert snapshot.write(snapshot.read(written, endpoint=self.endpoint)) == written

    @invariant()
    def it_explains_what_is_so(self) -> None:
        """What is told of each content is what the histories hold."""
        told = explain(self.conversation)
        assert [to_wire(each.content) for each in told if each.curated] == curated(self.conversation)
        assert [each.content.parts for each in told if each.comprehensive] == [
            content.parts for content in self.conversation.history()
        ]


def curated(conversation: Conversation) -> list[Json]:
    """What the next request sends, as JSON."""
    return [to_wire(each) for each in conversation.history(curated=True)]


def shown(conversation: Conversation) -> list[Json]:
    """All that was said, as JSON."""
    return [to_wire(each) for each in conversation.history()]


def rounds_are_closed(contents: list[Json]) -> None:
    """L7: the content after one with calls answers them, one by one, with their ids; no other answers anything."""
    for content, following in zip([{"parts": []}, *contents], [*contents, {"parts": []}], strict=True):
        calls, responses = calls_in(content), responses_in(following)
        assert len(calls) == len(responses)
        left = list(responses)
        for call in sorted(calls, key=lambda call: not call.get("id")):
            answer = next(
                response
                for response in left
                if response["name"] == call["name"] and (not call.get("id") or response.get("id") == call["id"])
            )
            left.remove(answer)


ANSWERS: dict[str, Json] = {
    "calls": {
        "candidates": [{"content": {"parts": [{"text": "a"}, *GIVEN_CALLS[-1]["parts"]]}, "finishReason": "STOP"}]
    },
    "text": text_response("a"),
}


def rest_of(conversation: Conversation, replies: Sequence[str]) -> list[Any]:
    """What comes of a conversation with a server that gives these replies and then no more, and where it ends."""
    told: list[Any] = []
    conversation, left = copy.deepcopy(conversation), list(replies)
    body: list[bytes] = []
    while True:
        match conversation.next():
            case None:
                told += [conversation.state, curated(conversation), shown(conversation), conversation.pending_calls]
                if not conversation.pending_calls or not left:
                    return told
                try:
                    conversation.send_function_responses()
                except ValidationError:
                    conversation.answer([refuse(call) for call in conversation.pending_calls])
            case SendRequest(request=request):
                told.append((request.url, request.content))
                reply = left.pop(0) if left else "lost"
                if reply == "lost":
                    conversation.receive_failure(ConnectionLost("nobody there"))
                    continue
                conversation.receive_response(200, ())
                document = ANSWERS[reply]
                body = [b"".join(sse([document])) if "stream" in request.url else encode(document), b""]
            case ReadBody():
                conversation.receive_data(body.pop(0))
            case Wait():
                conversation.resume()
            case ChunkReceived(response=response):
                told.append(to_wire(response))
            case FunctionCallsRequested(calls=calls, automatic=automatic, error=error):
                told.append((calls, automatic, type(error)))
            case ContinuationStarted(error=error) | RoundFailed(error=error) | RetryScheduled(error=error) as step:
                told.append((type(step), type(error)))
            case TurnEnded(turn=turn, error=error):
                told.append((turn.outcome, turn.curated, turn.encoded, turn.shown, type(error)))
            case step:
                raise AssertionError(step)


TestToolLoop = ToolLoopMachine.TestCase
TestToolLoop.settings = settings(
    max_examples=max(1, settings().max_examples // 2),
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_the_responses_of_one_round_do_not_answer_the_next() -> None:
    """L7: what is sent again answers what it was made for, also where the next calls look the same."""
    calls: Json = {"candidates": [{"content": {"parts": [{"functionCall": {"name": "look"}}]}, "finishReason": "STOP"}]}
    conversation = Conversation("m")
    conversation.send("q")
    for end in (b"", None):
        assert isinstance(conversation.next(), SendRequest)
        conversation.receive_response(200, ())
        conversation.receive_data(b"".join(sse([calls])))
        assert isinstance(conversation.next(), ChunkReceived)
        if end is not None:
            conversation.receive_data(end)
            assert isinstance(conversation.next(), FunctionCallsRequested)
            conversation.answer([Part(function_response=FunctionResponse(name="look", response={"round": 1}))])
    with pytest.raises(ValidationError):
        conversation.send_function_responses()
