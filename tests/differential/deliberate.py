"""The differences from google-genai 3.4.0 that are meant. There are no others: the differential test fails on them.

The table of the README is made from ``DELIBERATE``. An entry recognises its difference by predicting it: ``expect``
makes, of what the reference did and of what the server said, what chatproto does instead. Entries are asked in this
order, each building on those before; what is left over is a bug, of chatproto or of the entry.
"""

from __future__ import annotations

import copy
import json
import warnings
from http.client import responses as reason_phrases
from typing import TYPE_CHECKING, Any, Literal

import attrs
from differential.compare import (
    WORDS,
    calls_in,
    canonical,
    closed,
    folded,
    is_open,
    responses_in,
)
from differential.functions import STRICT
from differential.play import Record, Transcript, dump_response
from google.genai import models as their_models
from google.genai import types as their_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.answers import Answer
    from differential.scenario import Scenario, Step

__all__ = ["DELIBERATE", "Deliberate", "Situation"]

Json = dict[str, Any]
Profile = Literal["default", "compat"]
DEFAULT: frozenset[Profile] = frozenset({"default"})
BOTH: frozenset[Profile] = frozenset({"default", "compat"})


@attrs.define(kw_only=True)
class Situation:
    """One step, as far as it has been explained."""

    scenario: Scenario
    number: int
    step: Step
    profile: str
    #: What is expected: at first what the reference did.
    record: Record
    #: What chatproto did. Only entries that cannot predict the whole take parts of it.
    actual: Record
    #: The curated histories before the step, and the turn in ours that waits for function responses.
    their_context: list[Json]
    our_context: list[Json]
    our_waiting: list[Json]
    #: No other entry applies.
    settled: bool = False

    @classmethod
    def of(cls, scenario: Scenario, number: int, reference: Transcript, ours: Transcript, profile: str) -> Situation:
        """The situation of a step."""
        theirs, curated, waiting = [], [], []
        if number:
            theirs = reference.steps[number - 1].context
            last = ours.steps[number - 1]
            curated, waiting = last.context, last.waiting
            if number in ours.renewed:
                curated, waiting = ours.renewed[number]
        else:
            theirs, (_, curated), waiting = reference.given[1], ours.given, ours.waiting
        return cls(
            scenario=scenario,
            number=number,
            step=scenario.steps[number],
            profile=profile,
            record=reference.steps[number],
            actual=ours.steps[number],
            their_context=canonical(theirs),
            our_context=canonical(curated),
            our_waiting=canonical(waiting),
        )

    def after_renewal(self) -> Record:
        """The record, with the roles that were put into a history so that a chat could be made of it."""
        before = [each if each.get("role") == "user" else {**each, "role": "model"} for each in self.their_context]
        if before == self.their_context or before != self.our_context:
            return self.record
        return _contents_sent(self, before) or self.record

    @property
    def documents(self) -> list[tuple[Answer, Any]]:
        """The documents that were answered, each with its answer."""
        return [(answer, document) for answer in self.record.answered for document in answer.documents]

    @property
    def last(self) -> Answer | None:
        """The answer that ended the step."""
        return self.record.answered[-1] if self.record.answered else None

    @property
    def left(self) -> bool:
        """Whether the program left the stream."""
        return self.step.leave_after is not None and len(self.record.seen) >= self.step.leave_after

    @property
    def asked(self) -> Json:
        """What was said last: the message, or the answers to function calls."""
        made: Json = canonical(self.record.requests[-1]["body"])["contents"][-1]
        return made

    @property
    def message(self) -> Json | None:
        """The message as it was sent."""
        if not self.record.requests:
            return None
        made: Json = canonical(self.record.requests[0]["body"])["contents"][-1]
        return made


@attrs.frozen(kw_only=True)
class Deliberate:
    """One row of the table."""

    key: str
    what: str
    google_genai: str
    chatproto: str
    why: str
    profiles: frozenset[Profile] = DEFAULT
    #: What chatproto does in a step, of which the record says what is expected so far; None or an equal record where
    #: the entry does not apply.
    expect: Callable[[Situation], Record | None] | None = None
    #: Whether the entry explains how the making of the chat differs.
    creates: Callable[[Scenario, Transcript, Transcript], bool] | None = None
    #: For what no scenario shows: the tests that do.
    shown_by: str = ""


def _change(record: Record, **changes: Any) -> Record:
    return attrs.evolve(record, **changes)


# --- making a chat ------------------------------------------------------------------------------------------------


def _given_history(scenario: Scenario, reference: Transcript, ours: Transcript) -> bool:
    """Empty answers are not shown, and turns with calls that are not answered are not sent."""
    if reference.created is not None or ours.created is not None:
        return False
    comprehensive, curated = map(canonical, reference.given)
    shown = [content for content in comprehensive if content.get("role") == "user" or _speaks(content)]
    sent = closed(curated, last=False)
    found = canonical(list(ours.given)) == [shown, sent]
    return found and (shown, sent) != (comprehensive, curated)


def _given_unknown(scenario: Scenario, reference: Transcript, ours: Transcript) -> bool:
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


def _more_messages(situation: Situation) -> Record | None:
    """The reference refuses, and nothing is sent; here the message is sent, and the answer is what was scripted."""
    record, actual = situation.record, situation.actual
    parts = next((parts for kind, held, parts in _TAKEN if (kind, held) == situation.step.message), None)
    if parts is None or record.error is None or record.error["family"] != "validation" or not actual.requests:
        return None
    body = {**actual.requests[0]["body"], "contents": [*situation.our_context, {"role": "user", "parts": parts}]}
    # What comes of it cannot be seen from a reference that has not asked.
    situation.settled = True
    return _change(actual, requests=[{**actual.requests[0], "body": body}, *actual.requests[1:]])


def _refused(situation: Situation) -> Record:
    error = {"family": "validation"} | ({"raised": "by the call"} if situation.step.streamed else {})
    return Record(error=error, kept=situation.record.kept)


def _call_as_message(situation: Situation) -> Record | None:
    message = situation.message
    return _refused(situation) if message is not None and calls_in(message) else None


def _answers_nothing(situation: Situation) -> Record | None:
    message = situation.message
    if message is None or not responses_in(message) or _fitting(situation, message) is not None:
        return None
    return _refused(situation)


def _fitting(situation: Situation, message: Json) -> Json | None:
    """A message of function responses with the ids of the open calls that they answer; None if they do not."""
    unanswered: list[Json] = []
    for content in situation.our_waiting[::-1]:
        if content.get("role") == "user":
            break
        unanswered = calls_in(content) + unanswered
    if not unanswered:
        return None
    given = responses_in(message)
    ids: dict[int, str] = {}
    # Responses with an id come first; the others get what is left.
    for index in sorted(range(len(given)), key=lambda each: not given[each].get("id")):
        response = given[index]
        wanted = response.get("id")
        found = [call for call in unanswered if wanted and call.get("id") == wanted] or [
            call for call in unanswered if call.get("name") == response.get("name") and not (wanted and call.get("id"))
        ]
        if not found:
            return None
        unanswered.remove(found[0])
        if found[0].get("id") and not wanted:
            ids[index] = found[0]["id"]
    if unanswered:
        return None
    number = -1
    parts = []
    for part in message["parts"]:
        if part.get("function_response"):
            number += 1
            if number in ids:
                part = {**part, "function_response": {**part["function_response"], "id": ids[number]}}
        parts.append(part)
    return {**message, "parts": parts}


def _filled_ids(situation: Situation) -> Record | None:
    message = situation.message
    filled = _fitting(situation, message) if message is not None and responses_in(message) else None
    if filled is None or filled == message:
        return None

    def fill(contents: list[Json]) -> list[Json]:
        return [filled if canonical(content) == message else content for content in contents]

    record = situation.record
    requests = [
        {**request, "body": {**request["body"], "contents": fill(request["body"]["contents"])}}
        for request in record.requests
    ]
    return _change(record, requests=requests, comprehensive=fill(record.comprehensive), curated=fill(record.curated))


def _raised_by_the_call(situation: Situation) -> Record | None:
    error = situation.record.error
    if error is None or error.get("raised") != "while iterating" or error["family"] != "validation":
        return None
    return _change(situation.record, error={**error, "raised": "by the call"})


# --- requests -----------------------------------------------------------------------------------------------------


def _contents_sent(situation: Situation, before: list[Json]) -> Record | None:
    """The record, with ``before`` as what the requests say before the message."""
    record = situation.record
    count = len(situation.their_context)
    requests = []
    for request in record.requests:
        body = canonical(request["body"])
        requests.append({**request, "body": {**body, "contents": [*before, *body["contents"][count:]]}})
    return _change(record, requests=requests) if requests else None


def _folded_past(situation: Situation) -> Record | None:
    """A streamed answer is one Content in what is sent: the same, if each run of model contents is taken as one."""
    ours = situation.our_context + situation.our_waiting
    if situation.their_context == ours or folded(situation.their_context) != folded(ours):
        return None
    return _contents_sent(situation, ours)


def _open_calls_dropped(situation: Situation) -> Record | None:
    """Calls that nobody has answered are not sent with another message."""
    message = situation.message
    answering = message is not None and bool(responses_in(message))
    theirs = situation.their_context
    if message is None or closed(theirs, last=answering) == theirs:
        return None
    ours = situation.our_context + (situation.our_waiting if answering else [])
    if folded(closed(theirs, last=answering)) != folded(ours):
        return None
    return _contents_sent(situation, ours)


def _asked_again(situation: Situation) -> Record | None:
    """The reference asks again after a lost connection, under asyncio, without having been told to."""
    record = situation.record
    _, config = situation.step.config or ("", {})
    if situation.scenario.mode != "async" or "retry_options" in config.get("http_options", {}):
        return None
    requests, answered = list(record.requests), list(record.answered)
    for index in range(len(answered) - 2, -1, -1):
        if answered[index].ending == answered[index + 1].ending == "lost" and requests[index] == requests[index + 1]:
            del requests[index + 1], answered[index + 1]
            break
    return _change(record, requests=requests, answered=answered)


# --- answers ------------------------------------------------------------------------------------------------------


def _seen_with(situation: Situation, mark: str, add: Callable[[Json, Json], None]) -> Record | None:
    """The record, with ``add(seen, document)`` done to each chunk, and to the contents of the histories likewise.

    ``mark`` is what a document has in it if there is something to add.
    """
    record = situation.record
    if not any(mark.encode() in b"".join(answer.pieces) for answer in record.answered):
        return None
    documents = [document for _, document in situation.documents]
    made: list[tuple[Json, Json]] = []
    for document in documents:
        before = reference_sees(document)
        after = copy.deepcopy(before)
        add(after, document)
        made += zip(_contents(before), _contents(after), strict=True)

    def said(history: list[Json]) -> list[Json]:
        return [next((new for old, new in made if old == content), content) for content in history]

    seen = copy.deepcopy(record.seen)
    for chunk, document in zip(seen, documents if situation.step.streamed else documents[-1:], strict=False):
        add(chunk, document)
    return _change(record, seen=seen, comprehensive=said(record.comprehensive), curated=said(record.curated))


def _contents(chunk: Json) -> list[Json]:
    """The contents of all candidates."""
    return [candidate["content"] for candidate in chunk.get("candidates") or () if candidate.get("content")]


def _goes_on_with(chunk: Json) -> Json:
    """The candidate that the chat goes on with: the one with the index 0 or without any."""
    candidates = (candidate for candidate in chunk.get("candidates") or () if not candidate.get("index"))
    return next(candidates, {})


def _said(seen: list[Json]) -> list[Json]:
    """The contents that the chat goes on with."""
    contents = (_goes_on_with(chunk).get("content") for chunk in seen)
    return [content for content in contents if content is not None]


def _add_finish_message(chunk: Json, document: Json) -> None:
    for candidate, written in zip(chunk.get("candidates") or (), document.get("candidates") or (), strict=True):
        if "finishMessage" in written:
            candidate["finish_message"] = written["finishMessage"]


def _add_citations(chunk: Json, document: Json) -> None:
    for candidate, written in zip(chunk.get("candidates") or (), document.get("candidates") or (), strict=True):
        citations = (written.get("citationMetadata") or {}).get("citations")
        if citations is not None:
            candidate["citation_metadata"]["citations"] = canonical(citations)


def _add_create_time(chunk: Json, document: Json) -> None:
    if "createTime" in document:
        chunk["create_time"] = document["createTime"]


def _add_unknown(chunk: Json, document: Json) -> None:
    """Members whose names are nobody's."""
    for key, held in document.items():
        if key.startswith("brandNew"):
            chunk[key] = held
    for candidate, written in zip(chunk.get("candidates") or (), document.get("candidates") or (), strict=True):
        for key, held in written.items():
            if key.startswith("brandNew"):
                candidate[key] = held
        parts = (candidate.get("content") or {}).get("parts") or ()
        for part, said in zip(parts, (written.get("content") or {}).get("parts") or (), strict=True):
            part.update({key: held for key, held in said.items() if key.startswith("brandNew")})


def reference_sees(document: Json) -> Json:
    """What the reference makes of a document."""
    made = their_models._GenerateContentResponse_from_mldev(json.loads(json.dumps(document)), None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of unknown enum values
        response = their_types.GenerateContentResponse._from_response(response=made, kwargs={})
    response.sdk_http_response = their_types.HttpResponse(headers={"x-scripted": "yes"})
    return dump_response(response)


_LENIENT = frozenset({"comment", "event line", "data without a space", "done", "empty event"})


def _event_stream_grammar(situation: Situation) -> Record | None:
    """The events after a line that the reference does not know: what it would have seen without that line."""
    record, answer = situation.record, situation.last
    if answer is None or answer.kind not in _LENIENT or record.error != {"family": "format"}:
        return None
    return _read_on(situation, answer)


def _read_on(situation: Situation, answer: Answer) -> Record:
    """The record of a stream that is read to its end."""
    record = situation.record
    seen = [reference_sees(document) for document in answer.documents]
    before = [reference_sees(document) for other in record.answered[:-1] for document in other.documents]
    limit = situation.step.leave_after
    made = _change(record, seen=[*before, *seen][: 99 if limit is None else limit], error=None)
    turn = [situation.asked, *_said(seen)]
    if limit is None or len(made.seen) < limit:
        said = turn if turn[1:] else [*turn, {"role": "model", "parts": []}]
        made = _change(made, comprehensive=record.comprehensive + said)
        if _finished(seen) and all(map(_is_valid, turn[1:])) and len(turn) == len(seen) + 1:
            made = _change(made, curated=record.curated + turn)
    return made


def _replaced_bytes(situation: Situation) -> Record | None:
    """Bytes that are not UTF-8, under asyncio: as in synchronous calls, they are shown as U+FFFD."""
    answer, record = situation.last, situation.record
    if answer is None or answer.kind != "invalid UTF-8" or record.error != {"family": "format"}:
        return None
    if situation.scenario.mode != "async":
        return None
    return _read_on(situation, answer)


def _retry_after(situation: Situation) -> Record | None:
    """No attempt after a Retry-After that asks for more than ``max_delay``."""
    record = situation.record
    for index, answer in enumerate(record.answered[:-1]):
        if answer.kind == "retried" and ("retry-after", "1") in answer.headers:
            error = _error_shown(answer.status, b"".join(answer.pieces))
            requests, answered = record.requests[: index + 1], record.answered[: index + 1]
            return Record(requests=requests, answered=answered, error=error, kept=record.kept)
    return None


def _error_shown(status: int, body: bytes) -> Json:
    """The error of a status and a body, as the reference makes it in synchronous calls."""
    details: Any
    try:
        details = json.loads(body)
    except ValueError:
        details = {"message": body.decode(), "status": reason_phrases[status]}
    if isinstance(details, list) and len(details) == 1:
        details = details[0]
    inner = details.get("error") if isinstance(details, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    of = details if isinstance(details, dict) else {}
    return {
        "family": "api",
        "class": "ClientError" if 400 <= status < 500 else "ServerError" if 500 <= status < 600 else "APIError",
        "code": status,
        "status": of.get("status") or inner.get("status"),
        "message": of.get("message") or inner.get("message"),
        "details": details,
    }


def _error_in_an_answer(situation: Situation) -> Record | None:
    """The body of an error, in an answer that says 200."""
    answer = situation.last
    if answer is None or answer.kind != "error in a 200" or situation.record.error is not None:
        return None
    body = answer.pieces[0]
    return _without_the_last(situation.record, _error_shown(json.loads(body)["error"]["code"], body))


def _without_the_last(record: Record, error: Json) -> Record:
    """An error instead of the last answer, which the reference has recorded."""
    last = record.comprehensive[-2:]
    curated = record.curated[:-2] if record.curated[-2:] == last else record.curated
    return _change(record, error=error, seen=[], comprehensive=record.comprehensive[:-2], curated=curated)


def _error_beside(situation: Situation) -> Record | None:
    """An error that is not the first member of an event."""
    answer, record = situation.last, situation.record
    if answer is None or answer.kind != "error event of another form" or record.error is not None:
        return None
    before = len(answer.documents)
    if situation.left and len(record.seen) <= before:
        return None
    details = {"candidates": [], "error": {"code": 400}}
    error = {"family": "api", "class": "ClientError", "code": 400, "status": None, "message": None, "details": details}
    return _change(record, error=error, seen=record.seen[:before], comprehensive=[], curated=[])


def _empty_answer(situation: Situation) -> Record | None:
    """A body without a JSON object in it."""
    answer = situation.last
    if answer is None or answer.kind not in ("empty body", "a list") or situation.record.error is not None:
        return None
    return _without_the_last(situation.record, {"family": "format"})


_ODD_BODIES = frozenset({"text as JSON", "error with the wrong content type", "another success"})


def _error_bodies(situation: Situation) -> Record | None:
    """Under asyncio the reference believes the content type of an error's body."""
    answer = situation.last
    if answer is None or answer.kind not in _ODD_BODIES:
        return None
    if situation.scenario.mode != "async" or situation.record.error is None:
        return None
    return _change(situation.record, error=_error_shown(answer.status, b"".join(answer.pieces)))


# --- functions ----------------------------------------------------------------------------------------------------


def _strict_arguments(situation: Situation) -> Record | None:
    """A call with an argument that the function has not, or of another type, is not made: the model is told."""
    record = situation.record
    logs = [log for _, log, _ in STRICT]
    refused = [call for call in record.calls if any(call[1:] == log and type(call[2]) is type(log[1]) for log in logs)]
    if not refused:
        return None

    def told(contents: list[Json]) -> list[Json]:
        return [
            {**content, "parts": list(map(_told, content["parts"]))} if content.get("parts") else content
            for content in contents
        ]

    count = len(situation.their_context)
    requests = []
    for request in record.requests:
        body = canonical(request["body"])
        said = body["contents"]
        requests.append({**request, "body": {**body, "contents": said[:count] + told(said[count:])}})
    return _change(
        record,
        calls=[call for call in record.calls if call not in refused],
        requests=requests,
        comprehensive=told(canonical(record.comprehensive)),
        curated=told(canonical(record.curated)),
    )


def _functions_run_at_the_end(situation: Situation) -> Record | None:
    """Functions are called when the stream that called them has ended, so not if it fails or is left."""
    record = situation.record
    if not situation.step.streamed or not (record.error is not None or situation.left):
        return None
    rounds = [n for n, each in enumerate(record.requests, 1) if "continuation_token" not in canonical(each["body"])]
    return _change(record, calls=[call for call in record.calls if call[0] < rounds[-1]]) if rounds else None


def _told(part: Json) -> Json:
    response = part.get("function_response")
    if response is None or not any(
        response.get("name") == name and response.get("response") == {"result": result} for name, _, result in STRICT
    ):
        return part
    return {**part, "function_response": {**response, "response": {"error": WORDS}}}


# --- histories ----------------------------------------------------------------------------------------------------


def _is_valid(content: Json) -> bool:
    """As the reference sees it."""
    return bool(content.get("parts")) and all(content["parts"])


def _speaks(content: Json) -> bool:
    return any(part for part in content.get("parts") or ())


def _finished(seen: list[Json]) -> bool:
    reasons = (_goes_on_with(chunk).get("finish_reason") for chunk in seen)
    return any(reason not in (None, "FINISH_REASON_UNSPECIFIED") for reason in reasons)


def _kept(situation: Situation) -> Record | None:
    """The turn, if by chatproto's rule it is complete and by the reference's it is not."""
    record, message = situation.record, situation.message
    if message is None or record.curated or not record.seen:
        return None
    said = _said(record.seen)
    if not any(map(_speaks, said)) or (situation.step.streamed and not _finished(record.seen)):
        return None
    return _change(record, comprehensive=[message, *said], curated=[message, *said])


def _kept_when(condition: Callable[[Situation], bool]) -> Callable[[Situation], Record | None]:
    return lambda situation: _kept(situation) if condition(situation) else None


def _has_empty_part(situation: Situation) -> bool:
    return any(part == {} for content in _said(situation.record.seen) for part in content.get("parts") or ())


def _candidate_zero(situation: Situation) -> Record | None:
    """The chat goes on with the candidate of the index 0, wherever it stands."""
    record, message = situation.record, situation.message
    if message is None or not record.comprehensive:
        return None
    first = [(chunk.get("candidates") or [{}])[0] for chunk in record.seen]
    chosen = list(map(_goes_on_with, record.seen))
    if first == chosen or record.comprehensive[1:] != [each["content"] for each in first if each.get("content")]:
        return None
    said = [message, *_said(record.seen)]
    valid = all(candidate.get("content") and _speaks(candidate["content"]) for candidate in chosen)
    kept = valid and (not situation.step.streamed or _finished(record.seen))
    return _change(record, comprehensive=said, curated=said if kept else [])


def _unspecified_reason(situation: Situation) -> Record | None:
    """FINISH_REASON_UNSPECIFIED is the default of the enum, and says that there is none."""
    record = situation.record
    if not situation.step.streamed or not record.curated or _finished(record.seen):
        return None
    return _change(record, curated=[])


def _roles(situation: Situation) -> Record | None:
    def model(contents: list[Json]) -> list[Json]:
        return [
            content if content.get("role") in ("user", "model") else {**content, "role": "model"}
            for content in contents
        ]

    record = situation.record
    return _change(record, comprehensive=model(record.comprehensive), curated=model(record.curated))


def _one_content(situation: Situation) -> Record | None:
    if not situation.step.streamed:
        return None
    record = situation.record
    return _change(
        record,
        comprehensive=folded(canonical(record.comprehensive)),
        curated=folded(canonical(record.curated)),
    )


def _no_empty_contents(situation: Situation) -> Record | None:
    record = situation.record
    said = [content for content in record.comprehensive if content.get("role") == "user" or _speaks(content)]
    return _change(record, comprehensive=said)


def _open_calls(situation: Situation) -> Record | None:
    """A turn that ends with calls is not in curated history before they are answered, and then the whole of it is."""
    record = situation.record
    if not record.curated:
        return None
    turn = canonical(record.curated)
    if responses_in(turn[0]):
        turn = situation.our_waiting + turn
    return _change(record, curated=[] if is_open(turn) else turn)


DELIBERATE: list[Deliberate] = [
    Deliberate(
        key="more-messages",
        what="a dict as a part of a message, a tuple, a kind of str, a Blob",
        google_genai="refused",
        chatproto="taken",
        why="the type hint promises it",
        profiles=BOTH,
        expect=_more_messages,
    ),
    Deliberate(
        key="call-as-message",
        what="a function call as a message",
        google_genai="is sent as the model's",
        chatproto="raises",
        why="the model calls, the program answers",
        expect=_call_as_message,
    ),
    Deliberate(
        key="answers-nothing",
        what="function responses that answer no call, or not all",
        google_genai="are sent",
        chatproto="raise",
        why="the API rejects them",
        expect=_answers_nothing,
    ),
    Deliberate(
        key="filled-ids",
        what="ids of function responses",
        google_genai="not filled in",
        chatproto="filled in from the calls",
        why="the API matches by id",
        expect=_filled_ids,
    ),
    Deliberate(
        key="raised-by-the-call",
        what="`send_message_stream(bad)`",
        google_genai="raises at the first chunk",
        chatproto="raises at the call",
        why="errors where they are made",
        profiles=BOTH,
        expect=_raised_by_the_call,
    ),
    Deliberate(
        key="asked-again",
        what="an async call that loses its connection before the answer",
        google_genai="sleeps 1 to 10 seconds and tries again",
        chatproto="fails at once",
        why="retries are off",
        profiles=BOTH,
        expect=_asked_again,
    ),
    Deliberate(
        key="functions-run-at-the-end",
        what="a stream with function calls that fails or is left",
        google_genai="has called the functions as the calls came",
        chatproto="has called none: they are called at its end",
        why="what was not kept should have had no effect",
        profiles=BOTH,
        expect=_functions_run_at_the_end,
    ),
    Deliberate(
        key="strict-arguments",
        what="an argument that a function does not have, or true where it takes an integer",
        google_genai="is dropped; is handed over",
        chatproto="the model is told, and the function is not called",
        why="the model has misunderstood",
        profiles=BOTH,
        expect=_strict_arguments,
    ),
    Deliberate(
        key="open-calls-dropped",
        what="an unanswered function call",
        google_genai="stays in what is sent",
        chatproto="leaves with its turn when another message comes",
        why="the API rejects it",
        expect=_open_calls_dropped,
    ),
    Deliberate(
        key="folded-past",
        what="a streamed answer in what is sent",
        google_genai="a Content a chunk",
        chatproto="one Content",
        why="each chunk would be sent again for ever",
        expect=_folded_past,
    ),
    Deliberate(
        key="event-stream-grammar",
        what="SSE comments, `event:`, `data:` without a space, `[DONE]`, empty events",
        google_genai="fail",
        chatproto="read as the WHATWG text says",
        why="gateways send them",
        profiles=BOTH,
        expect=_event_stream_grammar,
    ),
    Deliberate(
        key="invalid-utf-8",
        what="bytes that are not UTF-8 in a stream, under asyncio",
        google_genai="fail",
        chatproto="are shown as U+FFFD",
        why="as in synchronous calls",
        profiles=BOTH,
        expect=_replaced_bytes,
    ),
    Deliberate(
        key="retry-after",
        what="`Retry-After`",
        google_genai="ignored",
        chatproto="honoured, up to `max_delay`",
        why="the server knows",
        profiles=BOTH,
        expect=_retry_after,
    ),
    Deliberate(
        key="finish-message",
        what="`finishMessage` in an answer of the Gemini API",
        google_genai="dropped",
        chatproto="kept",
        why="it says why the answer ended",
        profiles=BOTH,
        expect=lambda situation: _seen_with(situation, "finishMessage", _add_finish_message),
    ),
    Deliberate(
        key="citations",
        what="`citationMetadata.citations` in an answer of the Gemini API",
        google_genai="dropped; only `citationSources` are read",
        chatproto="read",
        why="gateways send them so",
        profiles=BOTH,
        expect=lambda situation: _seen_with(situation, "citations", _add_citations),
    ),
    Deliberate(
        key="create-time",
        what="`createTime` in an answer of the Gemini API",
        google_genai="dropped",
        chatproto="kept",
        why="the field is there",
        profiles=BOTH,
        expect=lambda situation: _seen_with(situation, "createTime", _add_create_time),
    ),
    Deliberate(
        key="unknown-fields",
        what="unknown fields and part kinds",
        google_genai="dropped",
        chatproto="kept and sent back",
        why="tomorrow's API",
        expect=lambda situation: _seen_with(situation, "brandNew", _add_unknown),
    ),
    Deliberate(
        key="error-in-an-answer",
        what="an error inside a 200 answer",
        google_genai="passes as an empty answer, or fails oddly",
        chatproto="`APIError`",
        why="it is one",
        profiles=BOTH,
        expect=_error_in_an_answer,
    ),
    Deliberate(
        key="error-beside",
        what="an event with an error that is not its first member",
        google_genai="passes as an answer",
        chatproto="`APIError`",
        why="it is one",
        profiles=BOTH,
        expect=_error_beside,
    ),
    Deliberate(
        key="empty-answer",
        what="a 200 answer with an empty body, or with a list in it",
        google_genai="passes as an empty answer",
        chatproto="`MalformedResponse`",
        why="it is none",
        profiles=BOTH,
        expect=_empty_answer,
    ),
    Deliberate(
        key="error-bodies",
        what="the body of an error whose content type is wrong, under asyncio",
        google_genai="is not read, or fails as JSON",
        chatproto="is read as in synchronous calls",
        why="the content type is often wrong",
        profiles=BOTH,
        expect=_error_bodies,
    ),
    Deliberate(
        key="candidate-zero",
        what="candidates out of order",
        google_genai="the first one that is written enters history",
        chatproto="the one with `index` 0",
        why="it is the one that the other chunks go on with",
        expect=_candidate_zero,
    ),
    Deliberate(
        key="unspecified-reason",
        what="a stream whose finish reason is `FINISH_REASON_UNSPECIFIED`",
        google_genai="has finished",
        chatproto="has not",
        why="that is the API's word for none",
        expect=_unspecified_reason,
    ),
    Deliberate(
        key="left-after-finish",
        what="leaving a stream after its finish reason",
        google_genai="the turn is forgotten",
        chatproto="it is kept",
        why="the answer was whole",
        expect=_kept_when(lambda situation: situation.left),
    ),
    Deliberate(
        key="error-after-finish",
        what="an error after a finish reason",
        google_genai="raises, and forgets the answer",
        chatproto="raises, and keeps it",
        why="the user saw it",
        expect=_kept_when(lambda situation: situation.record.error is not None),
    ),
    Deliberate(
        key="empty-part",
        what="an answer with a part that says nothing among its parts",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=_kept_when(_has_empty_part),
    ),
    Deliberate(
        key="chunk-without-parts",
        what="a stream with a chunk without parts",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=_kept_when(lambda situation: situation.step.streamed),
    ),
    Deliberate(
        key="unknown-parts-kept",
        what="an answer with a part of an unknown kind",
        google_genai="the turn is not sent again",
        chatproto="it is",
        why="the user saw the answer",
        expect=_kept,
    ),
    Deliberate(
        key="roles",
        what="an answer without a role, or with a role that is not `model`",
        google_genai="goes back as it came",
        chatproto="goes back as the model's",
        why="the API takes no other",
        expect=_roles,
    ),
    Deliberate(
        key="one-content",
        what="a streamed answer in history",
        google_genai="a Content a chunk",
        chatproto="one Content",
        why="each chunk would be sent again for ever",
        expect=_one_content,
    ),
    Deliberate(
        key="no-empty-contents",
        what="`get_history()`",
        google_genai="the list itself; an empty Content for an empty answer",
        chatproto="a copy; no empty Contents",
        why="callers cannot break the chat",
        expect=_no_empty_contents,
    ),
    Deliberate(
        key="open-calls",
        what="an answer with function calls",
        google_genai="is in curated history at once",
        chatproto="when they have been answered",
        why="the API rejects calls without responses",
        expect=_open_calls,
    ),
    Deliberate(
        key="given-unknown-fields",
        what="a history of dicts with unknown fields",
        google_genai="raises",
        chatproto="is taken, and the fields are sent",
        why="a saved chat may have been made with a later version",
        profiles=BOTH,
        creates=_given_unknown,
    ),
    Deliberate(
        key="given-history",
        what="a history that ends with function calls",
        google_genai="sent as it is",
        chatproto="waits for their responses",
        why="so that a saved chat goes on",
        creates=_given_history,
    ),
]
