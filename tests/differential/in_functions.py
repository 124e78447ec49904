"""Deliberate differences in how functions are called, and where a round of calls ends otherwise."""

from __future__ import annotations

from typing import Any

from differential.compare import WORDS, calls_in, responses_in
from differential.functions import STRICT
from differential.situation import Expected, Json, Situation, contents_of, finished, goes_on_with, speaks


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


def _divergence(situation: Situation) -> tuple[str, int]:
    """The first round after which chatproto goes on otherwise than the reference, and why."""
    expected, rounds, streamed = situation.expected, situation.rounds, situation.step.streamed
    sync = situation.scenario.mode == "sync"
    if not _runs(situation):
        return "", -1
    for number in range(len(rounds)):
        last = number == len(rounds) - 1
        seen = situation.round_seen(number)
        if (last and (expected.error is not None or situation.left)) or not seen:
            break
        first = [(chunk.get("candidates") or [{}])[0] for chunk in seen]
        chosen = list(map(goes_on_with, seen))
        calls = [call for content in contents_of(seen) for call in calls_in(content)]
        called = calls + [call for each in first for call in calls_in(each.get("content") or {})]
        if not called:
            continue
        if streamed and not finished(seen):
            return ("", -1) if last else ("unfinished", number)
        if first != chosen:
            return "another candidate", number
        if sync and any("args" not in call for call in calls):
            return "bare", number
        if sync and streamed and not last and first[-1].get("content") is None:
            return "forgotten", number
    return "", -1


def _runs(situation: Situation) -> bool:
    """Whether functions were handed over, to be called."""
    config = situation.config
    options = config.get("automatic_function_calling", {})
    wanted = not options.get("disable") and options.get("maximum_remote_calls", 10) > 1
    return "$functions" in config and "$declared" not in config and wanted


def _until(situation: Situation, reason: str) -> Expected | None:
    """The requests up to a round, of which the rest cannot be said: another answer follows another request."""
    found, number = _divergence(situation)
    if found != reason:
        return None
    situation.settled = True
    count = [*situation.rounds, len(situation.expected.requests)][number + 1]
    actual = situation.actual
    return actual.change(requests=situation.expected.requests[:count] + actual.requests[count:])


def forgotten_rounds(situation: Situation) -> Expected | None:
    """A stream that calls functions, and whose last chunk has no content: the reference forgets what they gave."""
    return _until(situation, "forgotten")


def bare_calls(situation: Situation) -> Expected | None:
    """A call without arguments is made; the reference passes over it in synchronous chats."""
    return _until(situation, "bare")


def calls_of_another_candidate(situation: Situation) -> Expected | None:
    """The reference calls what its first candidate calls, which is not always the one with the index 0."""
    return _until(situation, "another candidate")


def unfinished_calls(situation: Situation) -> Expected | None:
    """Calls in a stream that ended without a finish reason are not run: more of them might have been to come."""
    expected, rounds = situation.expected, situation.rounds
    reason, number = _divergence(situation)
    if reason != "unfinished":
        return None
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
        comprehensive=said[:-1] if again else [*said, *contents_of(situation.round_seen(number))],
        curated=[],
    )


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
