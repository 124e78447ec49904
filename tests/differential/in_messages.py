"""Deliberate differences in what is sent: messages, and the history before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from differential.compare import calls_in, canonical, closed, folded, responses_in
from differential.situation import Expected, Json, Situation, speaks

if TYPE_CHECKING:
    from differential.play import Transcript
    from differential.scenario import Scenario

# --- making a chat ------------------------------------------------------------------------------------------------


def given_history(scenario: Scenario, reference: Transcript, ours: Transcript) -> bool:
    """Empty answers are not shown, and turns with calls that are not answered are not sent."""
    if reference.created is not None or ours.created is not None:
        return False
    comprehensive, curated = map(canonical, reference.given)
    shown = [content for content in comprehensive if content.get("role") == "user" or speaks(content)]
    sent = closed(curated, last=False)
    return canonical(list(ours.given)) == [shown, sent] and (shown, sent) != (comprehensive, curated)


def given_unknown_fields(scenario: Scenario, reference: Transcript, ours: Transcript) -> bool:
    """A dict of a content may have fields that are nobody's."""
    unknown = any("no_such_field" in part for _, content in scenario.history for part in content["parts"])
    return unknown and reference.created == {"family": "validation"} and ours.created is None


# --- messages -----------------------------------------------------------------------------------------------------

_TAKEN: list[tuple[str, Any, list[Json]]] = [
    ("raw", {"text": "a dict"}, [{"text": "a dict"}]),
    ("raw", ("a", "tuple"), [{"text": "a"}, {"text": "tuple"}]),
    ("kind of str", "a kind of str", [{"text": "a kind of str"}]),
    ("blob", (b"\x00", "a/b"), [{"inline_data": {"data": b"\x00", "mime_type": "a/b"}}]),
    ("list", (("text", "a"), ("raw", {"text": "a dict in a list"})), [{"text": "a"}, {"text": "a dict in a list"}]),
]


def more_messages(situation: Situation) -> Expected | None:
    """The reference refuses, and nothing is sent; here the message is sent, and the answer is what was scripted."""
    expected, actual = situation.expected, situation.actual
    parts = next((parts for kind, held, parts in _TAKEN if (kind, held) == situation.step.message), None)
    if parts is None or expected.error is None or expected.error["family"] != "validation" or not actual.requests:
        return None
    # What comes of it cannot be seen from a reference that has not asked.
    situation.settled = True
    first = attrs.evolve(actual.requests[0], past=situation.our_past, said=[{"role": "user", "parts": parts}])
    return actual.change(requests=[first, *actual.requests[1:]])


def _refused(situation: Situation) -> Expected:
    error = {"family": "validation"} | ({"raised": "by the call"} if situation.step.streamed else {})
    return Expected(error=error, kept=situation.expected.kept)


def call_as_message(situation: Situation) -> Expected | None:
    """The model's role is not for the program to play."""
    message = situation.message
    return _refused(situation) if message is not None and calls_in(message) else None


def answers_nothing(situation: Situation) -> Expected | None:
    """Function responses answer the calls that are open, all of them, or are refused."""
    message = situation.message
    if message is None or not responses_in(message):
        return None
    answered = _fitted(_last_calls(situation.our_waiting), message)
    return _refused(situation) if answered is None else None


def filled_ids(situation: Situation) -> Expected | None:
    """Responses that have no id get that of their call, in messages and in the rounds that are run here."""
    before = _last_calls(situation.our_waiting)

    def fill(contents: list[Json]) -> list[Json]:
        calls, made = before, []
        for content in contents:
            if content.get("role") != "user":
                calls = calls + calls_in(content)
            elif responses_in(content):
                content = _fitted(calls, content) or content
                calls = []
            else:
                calls = []
            made.append(content)
        return made

    return situation.expected.saying(fill)


def _last_calls(contents: list[Json]) -> list[Json]:
    """The calls in what the model said last."""
    calls: list[Json] = []
    for content in contents[::-1]:
        if content.get("role") == "user":
            break
        calls = calls_in(content) + calls
    return calls


def _fitted(calls: list[Json], message: Json) -> Json | None:
    """Function responses with the ids of the calls that they answer; None if they are not the answers to ``calls``."""
    unanswered = list(calls)
    ids: dict[int, str] = {}
    places = [place for place, part in enumerate(message["parts"]) if part.get("function_response")]
    # Responses that say by their id what they answer come first; the others get what is left.
    for place in sorted(places, key=lambda each: not message["parts"][each]["function_response"].get("id")):
        response = message["parts"][place]["function_response"]
        wanted, name = response.get("id"), response.get("name")
        found = [call for call in unanswered if wanted and call.get("id") == wanted]
        found += [call for call in unanswered if call.get("name") == name and not (wanted and call.get("id"))]
        if not found:
            return None
        unanswered.remove(found[0])
        if found[0].get("id") and not wanted:
            ids[place] = found[0]["id"]
    if unanswered or not places:
        return None
    parts = [
        {**part, "function_response": {**part["function_response"], "id": ids[place]}} if place in ids else part
        for place, part in enumerate(message["parts"])
    ]
    return {**message, "parts": parts}


def raised_by_the_call(situation: Situation) -> Expected | None:
    """What is wrong with a message or its config is said when it is handed over."""
    error = situation.expected.error
    if error is None or error.get("raised") != "while iterating" or error["family"] != "validation":
        return None
    return situation.expected.change(error={**error, "raised": "by the call"})


# --- the history before -------------------------------------------------------------------------------------------


def live_history(situation: Situation) -> Expected | None:
    """What a program does with the list that it was given is its own affair."""
    message = situation.message
    if message is None or situation.step.edit is None:
        return None
    ours = situation.our_past + (situation.our_waiting if responses_in(message) else [])
    # Had the reference's own list been changed as here it was not, it would have sent this.
    return situation.with_past(ours)


def open_calls_dropped(situation: Situation) -> Expected | None:
    """Calls that nobody has answered are not sent with another message."""
    message, theirs = situation.message, situation.their_past
    if message is None:
        return None
    answering = bool(responses_in(message))
    ours = situation.our_past + (situation.our_waiting if answering else [])
    without = closed(theirs, last=answering)
    if without == theirs or folded(without) != folded(ours):
        return None
    return situation.with_past(ours)


def folded_past(situation: Situation) -> Expected | None:
    """A streamed answer is one Content in what is sent: the same, if each run of model contents is taken as one."""
    message = situation.message
    if message is None:
        return None
    past = situation.expected.requests[0].past
    ours = situation.our_past + (situation.our_waiting if responses_in(message) else [])
    return situation.with_past(ours) if past != ours and folded(past) == folded(ours) else None


def lost_with_retries(situation: Situation) -> Expected | None:
    """A connection that is lost before the answer is tried again, in synchronous chats, too."""
    expected, actual = situation.expected, situation.actual
    attempts = situation.config.get("http_options", {}).get("retry_options", {}).get("attempts", 1)
    if situation.scenario.mode != "sync" or not expected.answered or expected.answered[-1].ending != "lost":
        return None
    count = len(expected.requests)
    if count >= attempts:
        return None
    situation.settled = True
    return actual.change(requests=expected.requests + actual.requests[count:])


def asked_again(situation: Situation) -> Expected | None:
    """The reference asks again after a lost connection, under asyncio, without having been told to."""
    if situation.scenario.mode != "async" or "retry_options" in situation.config.get("http_options", {}):
        return None
    requests, answered = list(situation.expected.requests), list(situation.expected.answered)
    for index in range(len(answered) - 2, -1, -1):
        if answered[index].ending == answered[index + 1].ending == "lost" and requests[index] == requests[index + 1]:
            del requests[index + 1], answered[index + 1]
            break
    return situation.expected.change(requests=requests, answered=answered)
