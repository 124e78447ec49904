"""Deliberate differences in how functions are called, and where a round of calls ends otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from differential.compare import WORDS, calls_in, responses_in
from differential.functions import STRICT
from differential.situation import Expected, Json, Situation, contents_of, finished, goes_on_with, speaks

if TYPE_CHECKING:
    from collections.abc import Iterator


def strict_arguments(situation: Situation) -> Expected | None:
    """A call with an argument that the function has not, or of another type, is not made: the model is told."""

    def told(part: Json) -> Json:
        response: Any = part.get("function_response") or {}
        found = (response.get("name"), response.get("response")) in [
            (name, {"result": result}) for name, _, result in STRICT
        ]
        return {**part, "function_response": {**response, "response": {"error": WORDS}}} if found else part

    def change(contents: list[Json]) -> list[Json]:
        return [
            {**content, "parts": list(map(told, content["parts"]))} if content.get("parts") else content
            for content in contents
        ]

    expected = situation.expected
    logs = [log for _, log, _ in STRICT]
    calls = [
        call for call in expected.calls if not any(call[1:] == log and type(call[2]) is type(log[1]) for log in logs)
    ]
    return expected.saying(change).change(calls=calls) if calls != expected.calls else None


def functions_run_at_the_end(situation: Situation) -> Expected | None:
    """Functions are called when the stream that called them has ended, so not if it fails or is left."""
    expected, rounds = situation.expected, situation.rounds
    if not situation.step.streamed or not rounds or not (expected.error is not None or situation.left):
        return None
    return expected.change(calls=[call for call in expected.calls if call[0] <= rounds[-1]])


# --- where a round ends otherwise ---------------------------------------------------------------------------------


def _called(situation: Situation) -> Iterator[tuple[int, list[Json]]]:
    """The rounds in which functions were called, or might have been, with what was seen of them."""
    for number in range(len(situation.rounds)):
        seen = situation.round_seen(number)
        contents = [content for chunk in seen for content in _contents(chunk)]
        if any(map(calls_in, contents)):
            yield number, seen


def _contents(chunk: Json) -> list[Json]:
    return [candidate["content"] for candidate in chunk.get("candidates") or () if candidate.get("content")]


def _until(situation: Situation, number: int) -> Expected:
    """The requests up to a round, of which the rest cannot be said: another answer follows another request."""
    situation.settled = True
    starts = [*situation.rounds, len(situation.expected.requests)]
    count = starts[number + 1]
    actual = situation.actual
    return actual.change(requests=situation.expected.requests[:count] + actual.requests[count:])


def unfinished_calls(situation: Situation) -> Expected | None:
    """Calls in a stream that ended without a finish reason are not run: more of them might have been to come."""
    expected, rounds = situation.expected, situation.rounds
    for number, seen in _called(situation):
        if not situation.step.streamed or finished(seen) or number == len(rounds) - 1:
            continue
        count = rounds[number + 1]
        before = sum(len(answer.documents) for answer in expected.answered[:count])
        said = expected.requests[rounds[number]].said
        again = number > 0 or bool(responses_in(said[0]))
        return expected.change(
            requests=expected.requests[:count],
            answered=expected.answered[:count],
            seen=expected.seen[:before],
            error={"family": "transport"} if again else None,
            calls=[call for call in expected.calls if call[0] <= rounds[number]],
            comprehensive=said[:-1] if again else [*said, *contents_of(seen)],
            curated=[],
        )
    return None


def forgotten_rounds(situation: Situation) -> Expected | None:
    """A stream that calls functions, and whose last chunk has no content: the reference forgets what they gave."""
    if situation.scenario.mode != "sync" or not situation.step.streamed:
        return None
    for number, seen in _called(situation):
        repeated = number + 1 < len(situation.rounds)
        if repeated and (goes_on_with(seen[-1]) or {}).get("content") is None:
            return _until(situation, number)
    return None


def bare_calls(situation: Situation) -> Expected | None:
    """A call without arguments is made; the reference passes over it in synchronous chats."""
    if situation.scenario.mode != "sync" or not situation.expected.requests:
        return None
    for number, seen in _called(situation):
        calls = [call for content in contents_of(seen) for call in calls_in(content)]
        if any("args" not in call for call in calls) and _runs(situation):
            return _until(situation, number)
    return None


def _runs(situation: Situation) -> bool:
    """Whether functions were handed over, to be called."""
    config = situation.step.config or situation.scenario.config
    return config is not None and "$functions" in config[1] and "$declared" not in config[1]


def calls_of_another_candidate(situation: Situation) -> Expected | None:
    """The reference calls what its first candidate calls, which is not always the one with the index 0."""
    for number, seen in _called(situation):
        first = [(chunk.get("candidates") or [{}])[0] for chunk in seen]
        if first != list(map(goes_on_with, seen)) and _runs(situation):
            return _until(situation, number)
    return None


def broken_off_answers(situation: Situation) -> Expected | None:
    """A stream that answers function calls, and ends without a finish reason: the calls are open again."""
    expected, rounds = situation.expected, situation.rounds
    if not situation.step.streamed or not rounds or expected.error is not None or situation.left:
        return None
    said, seen = expected.requests[-1].said, situation.round_seen(len(rounds) - 1)
    if not said or not responses_in(said[-1]) or finished(seen):
        return None
    stopped = any(goes_on_with(chunk).get("finish_reason") for chunk in seen)
    blocked = any((chunk.get("prompt_feedback") or {}).get("block_reason") for chunk in seen)
    if not any(map(speaks, contents_of(seen))) and blocked and not stopped:
        return None
    return expected.change(error={"family": "transport"}, comprehensive=said[:-1], curated=[])
