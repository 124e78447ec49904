"""One step of a scenario under comparison: what the reference came to, taken apart so that it can be explained."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import attrs
from differential.compare import canonical
from differential.play import dump_response
from google.genai import models as their_models
from google.genai import types as their_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.answers import Answer
    from differential.play import Record, Transcript
    from differential.scenario import Scenario, Step

__all__ = [
    "Expected",
    "Json",
    "Sent",
    "Situation",
    "contents_of",
    "finished",
    "goes_on_with",
    "is_valid",
    "reference_sees",
    "speaks",
]

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class Sent:
    """A request: its contents, and all the rest."""

    head: Json
    #: The curated history, and what is said in this turn.
    past: list[Json]
    said: list[Json]

    @classmethod
    def of(cls, request: Json, past: int) -> Sent:
        """A request that was recorded; ``past`` contents of it are history."""
        body = canonical(request["body"]) or {}
        contents = body.pop("contents", [])
        return cls(head={**request, "body": body}, past=contents[:past], said=contents[past:])

    def whole(self) -> Json:
        """The request as it is compared."""
        return {**self.head, "contents": self.past + self.said}


@attrs.frozen(kw_only=True)
class Expected:
    """What a step is expected to come to, its JSON in the form in which it is compared."""

    requests: list[Sent] = attrs.Factory(list)
    answered: list[Answer] = attrs.Factory(list)
    seen: list[Json] = attrs.Factory(list)
    error: Json | None = None
    calls: list[Any] = attrs.Factory(list)
    comprehensive: list[Json] = attrs.Factory(list)
    curated: list[Json] = attrs.Factory(list)
    kept: bool = True

    @classmethod
    def of(cls, record: Record, past: int) -> Expected:
        """A record, taken apart."""
        return cls(
            requests=[Sent.of(request, past) for request in record.requests],
            answered=record.answered,
            seen=canonical(record.seen),
            error=record.error,
            calls=record.calls,
            comprehensive=canonical(record.comprehensive),
            curated=canonical(record.curated),
            kept=record.kept,
        )

    def comparable(self, *, ordered: bool) -> Json:
        """What is compared of it. ``ordered``: the functions are called one after the other."""
        calls = [call for _, *call in self.calls]
        return {
            "requests": [request.whole() for request in self.requests],
            "seen": self.seen,
            "error": self.error,
            "calls": calls if ordered else sorted(calls, key=repr),
            "comprehensive": self.comprehensive,
            "curated": self.curated,
            "kept": self.kept,
        }

    def change(self, **changes: Any) -> Expected:
        """The same with other fields."""
        return attrs.evolve(self, **changes)

    def saying(self, change: Callable[[list[Json]], list[Json]]) -> Expected:
        """The same with ``change`` made to whatever was said in this turn: in requests and in histories."""
        return self.change(
            requests=[attrs.evolve(request, said=change(request.said)) for request in self.requests],
            comprehensive=change(self.comprehensive),
            curated=change(self.curated),
        )


@attrs.define(kw_only=True)
class Situation:
    """One step, as far as it has been explained."""

    scenario: Scenario
    step: Step
    #: At first what the reference came to; each entry that applies changes it.
    expected: Expected
    #: What chatproto came to. Only entries that cannot predict the whole take parts of it.
    actual: Expected
    #: The curated histories before the step, and the turn in ours that waits for function responses.
    their_past: list[Json]
    our_past: list[Json]
    our_waiting: list[Json]
    #: No other entry has anything to add; ``settled``: because nothing more can be said.
    complete: bool = False
    settled: bool = False

    @classmethod
    def of(cls, scenario: Scenario, number: int, reference: Transcript, ours: Transcript) -> Situation:
        """The situation of a step."""
        theirs, record = reference.steps[number], ours.steps[number]
        past = canonical(theirs.past)
        made = cls(
            scenario=scenario,
            step=scenario.steps[number],
            expected=Expected.of(theirs, len(past)),
            actual=Expected.of(record, 0),
            their_past=past,
            our_past=canonical(record.past),
            our_waiting=canonical(record.past_waiting),
        )
        # No chat can be made with a role that a server made up: a new chat has others.
        roles = [each if each.get("role") == "user" else {**each, "role": "model"} for each in past]
        if ours.renewed and roles == made.our_past != past:
            made.expected = made.with_past(roles)
        return made

    def with_past(self, past: list[Json]) -> Expected:
        """What is expected, with another history in the requests."""
        requests = [attrs.evolve(request, past=past) for request in self.expected.requests]
        return self.expected.change(requests=requests)

    @property
    def config(self) -> Json:
        """The config that is in force: that of the message, or the chat's."""
        of_step = self.step.config
        given = self.scenario.config if of_step in (None, ("dict", {})) else of_step
        fields: Json = {} if given is None else given[1]
        return fields

    @property
    def message(self) -> Json | None:
        """The message as it was sent."""
        requests = self.expected.requests
        return requests[0].said[0] if requests and requests[0].said else None

    @property
    def last(self) -> Answer | None:
        """The answer that ended the step."""
        return self.expected.answered[-1] if self.expected.answered else None

    @property
    def left(self) -> bool:
        """Whether the program left the stream."""
        return self.step.leave_after is not None and len(self.expected.seen) >= self.step.leave_after

    @property
    def rounds(self) -> list[int]:
        """The requests that begin a round: those that continue an answer, or are made again, do not."""
        answered = self.expected.answered
        return [
            index
            for index, request in enumerate(self.expected.requests)
            if "continuation_token" not in request.head["body"]
            and (not index or (answered[index - 1].status == 200 and answered[index - 1].ending != "lost"))
        ]

    def round_seen(self, number: int) -> list[Json]:
        """The chunks of a streamed round, as far as they were handed out; of a unary one, what came."""
        starts = [*self.rounds, len(self.expected.requests)]
        answers = self.expected.answered
        if not self.step.streamed:
            if number == len(starts) - 2:
                return self.expected.seen
            documents = [each for answer in answers[starts[number] : starts[number + 1]] for each in answer.documents]
            return list(map(reference_sees, documents))
        before = sum(len(answer.documents) for answer in answers[: starts[number]])
        until = before + sum(len(answer.documents) for answer in answers[starts[number] : starts[number + 1]])
        return self.expected.seen[before:until]

    def round_calls(self, number: int) -> list[Any]:
        """The calls that were made in a round."""
        starts = [*self.rounds, len(self.expected.requests)]
        return [call for call in self.expected.calls if starts[number] < call[0] <= starts[number + 1]]


# --- responses ----------------------------------------------------------------------------------------------------


def reference_sees(document: Json) -> Json:
    """What the reference makes of a document."""
    made = their_models._GenerateContentResponse_from_mldev(json.loads(json.dumps(document)), None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of unknown enum values
        response = their_types.GenerateContentResponse._from_response(response=made, kwargs={})
    response.sdk_http_response = their_types.HttpResponse(headers={"x-scripted": "yes"})
    seen: Json = canonical(dump_response(response))
    return seen


def goes_on_with(chunk: Json) -> Json:
    """The candidate that the chat goes on with: the one with the index 0 or without any."""
    candidates = (candidate for candidate in chunk.get("candidates") or () if not candidate.get("index"))
    return next(candidates, {})


def contents_of(seen: list[Json]) -> list[Json]:
    """The contents that the chat goes on with."""
    contents = (goes_on_with(chunk).get("content") for chunk in seen)
    return [content for content in contents if content is not None]


def is_valid(content: Json) -> bool:
    """Whether the reference finds a content valid."""
    return bool(content.get("parts")) and all(content["parts"])


def speaks(content: Json) -> bool:
    """Whether a content has a part that says something."""
    return any(content.get("parts") or ())


def finished(seen: list[Json]) -> bool:
    """Whether a finish reason came."""
    reasons = (goes_on_with(chunk).get("finish_reason") for chunk in seen)
    return any(reason not in (None, "FINISH_REASON_UNSPECIFIED") for reason in reasons)
