"""Deliberate differences in how an answer is read."""

from __future__ import annotations

import copy
import json
from http.client import responses as reason_phrases
from typing import TYPE_CHECKING, Any

from differential.compare import canonical
from differential.situation import Expected, Json, Situation, is_valid, reference_sees

if TYPE_CHECKING:
    from collections.abc import Callable

    from differential.answers import Answer

# --- fields -------------------------------------------------------------------------------------------------------


def _with_fields(situation: Situation, mark: str, add: Callable[[Json, Json], None]) -> Expected | None:
    """``add(seen, document)`` done to each chunk, and to the contents that were said likewise.

    ``mark`` is what a document has in it if there is something to add.
    """
    expected = situation.expected
    if not any(mark.encode() in b"".join(answer.pieces) for answer in expected.answered):
        return None
    documents = [document for answer in expected.answered for document in answer.documents]
    pairs: list[tuple[Json, Json]] = []
    for document in documents:
        before = reference_sees(document)
        after = copy.deepcopy(before)
        add(after, document)
        pairs += zip(_contents(before), _contents(after), strict=True)

    def said(contents: list[Json]) -> list[Json]:
        # What was said comes in the order of the documents.
        left, made = list(pairs), []
        for content in contents:
            place = next((place for place, (old, _) in enumerate(left) if old == content), None)
            if place is not None:
                content = left[place][1]
                left = left[place + 1 :]
            made.append(content)
        return made

    seen = copy.deepcopy(expected.seen)
    place = situation.step.inside_after
    if place is not None and len(expected.requests) == 2:
        outer, inner = (list(answer.documents) for answer in expected.answered)
        documents = outer[:place] + inner + outer[place:]
    if not situation.step.streamed:
        # An answer that was put together from several has nothing of the kind in it.
        documents = documents[-1:] if len(situation.rounds) == len(documents) else []
    for chunk, document in zip(seen, documents, strict=False):
        add(chunk, document)
    return expected.saying(said).change(seen=seen)


def _contents(chunk: Json) -> list[Json]:
    return [candidate["content"] for candidate in chunk.get("candidates") or () if candidate.get("content")]


def _candidates(chunk: Json, document: Json) -> list[tuple[Json, Json]]:
    return list(zip(chunk.get("candidates") or (), document.get("candidates") or (), strict=True))


def finish_message(situation: Situation) -> Expected | None:
    """``finishMessage`` is read."""

    def add(chunk: Json, document: Json) -> None:
        for candidate, written in _candidates(chunk, document):
            if "finishMessage" in written:
                candidate["finish_message"] = written["finishMessage"]

    return _with_fields(situation, "finishMessage", add)


def citations(situation: Situation) -> Expected | None:
    """``citations`` are read beside ``citationSources``."""

    def add(chunk: Json, document: Json) -> None:
        for candidate, written in _candidates(chunk, document):
            held = (written.get("citationMetadata") or {}).get("citations")
            if held is not None:
                candidate["citation_metadata"]["citations"] = canonical(held)

    return _with_fields(situation, "citations", add)


def create_time(situation: Situation) -> Expected | None:
    """``createTime`` is read."""

    def add(chunk: Json, document: Json) -> None:
        if "createTime" in document:
            chunk["create_time"] = document["createTime"]

    return _with_fields(situation, "createTime", add)


def unknown_fields(situation: Situation) -> Expected | None:
    """Members whose names are nobody's are kept."""

    def unknown(written: Json) -> Json:
        return {key: held for key, held in written.items() if key.startswith("brandNew")}

    def add(chunk: Json, document: Json) -> None:
        chunk.update(unknown(document))
        for candidate, written in _candidates(chunk, document):
            candidate.update(unknown(written))
            parts = (candidate.get("content") or {}).get("parts") or ()
            for part, said in zip(parts, (written.get("content") or {}).get("parts") or (), strict=True):
                part.update(unknown(said))

    return _with_fields(situation, "brandNew", add)


# --- streams ------------------------------------------------------------------------------------------------------

_LENIENT = frozenset({"comment", "event line", "data without a space", "done", "empty event"})


def event_stream_grammar(situation: Situation) -> Expected | None:
    """The events after a line that the reference does not know: what it would have seen without that line."""
    answer = situation.last
    if answer is None or answer.kind not in _LENIENT or situation.expected.error != {"family": "format"}:
        return None
    return _read_on(situation, answer)


def invalid_utf_8(situation: Situation) -> Expected | None:
    """Bytes that are not UTF-8, under asyncio: as in synchronous calls, they are shown as U+FFFD."""
    answer = situation.last
    if answer is None or answer.kind != "invalid UTF-8" or situation.expected.error != {"family": "format"}:
        return None
    return _read_on(situation, answer) if situation.scenario.mode == "async" else None


def _read_on(situation: Situation, answer: Answer) -> Expected:
    """The stream read to its end, or as far as the program takes it, and recorded as the reference records."""
    expected, limit = situation.expected, situation.step.leave_after
    before = [reference_sees(document) for other in expected.answered[:-1] for document in other.documents]
    seen = [_with_parsed(situation, reference_sees(document)) for document in answer.documents]
    made = expected.change(seen=[*before, *seen][: 99 if limit is None else limit], error=None)
    if limit is not None and len(made.seen) >= limit:
        return made
    first = [(chunk.get("candidates") or [{}])[0] for chunk in seen]
    contents = [candidate["content"] for candidate in first if candidate.get("content") is not None]
    turn = [expected.requests[-1].said[-1], *contents]
    said = turn if contents else [*turn, {"role": "model", "parts": []}]
    stopped = any(candidate.get("finish_reason") for candidate in first)
    valid = stopped and all(map(is_valid, contents)) and len(contents) == len(seen)
    return made.change(comprehensive=expected.comprehensive + said, curated=expected.curated + (turn if valid else []))


def _with_parsed(situation: Situation, chunk: Json) -> Json:
    """A chunk with what its text is as JSON, if that was asked for."""
    if not {"response_schema", "response_json_schema"} & situation.config.keys() or chunk["text"] is None:
        return chunk
    try:
        return {**chunk, "parsed": json.loads(chunk["text"])}
    except ValueError:
        return chunk


def error_beside(situation: Situation) -> Expected | None:
    """An error that is not the first member of an event."""
    answer, expected = situation.last, situation.expected
    if answer is None or answer.kind != "error event of another form" or expected.error is not None:
        return None
    before = sum(len(each.documents) for each in expected.answered)
    if situation.left and len(expected.seen) <= before:
        return None
    details = {"candidates": [], "error": {"code": 400}}
    error = {"family": "api", "class": "ClientError", "code": 400, "status": None, "message": None, "details": details}
    rounds = situation.rounds
    asked = expected.requests[rounds[-1]].said
    return expected.change(
        error=error, seen=expected.seen[:before], comprehensive=asked[:-1], curated=expected.curated[: len(asked) - 1]
    )


# --- errors -------------------------------------------------------------------------------------------------------


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
        "status": of.get("status", inner.get("status")),
        "message": of.get("message", inner.get("message")),
        "details": details,
    }


def retry_after(situation: Situation) -> Expected | None:
    """No attempt after a Retry-After that asks for more than ``max_delay``."""
    expected = situation.expected
    for index, answer in enumerate(expected.answered[:-1]):
        if answer.kind == "retried" and ("retry-after", "1") in answer.headers:
            return Expected(
                requests=expected.requests[: index + 1],
                answered=expected.answered[: index + 1],
                error=_error_shown(answer.status, b"".join(answer.pieces)),
                kept=expected.kept,
            )
    return None


def error_in_an_answer(situation: Situation) -> Expected | None:
    """The body of an error, in an answer that says 200."""
    answer = situation.last
    if answer is None or answer.kind != "error in a 200" or situation.expected.error is not None:
        return None
    body = answer.pieces[0]
    return _without_the_last(situation.expected, _error_shown(json.loads(body)["error"]["code"], body))


def empty_answer(situation: Situation) -> Expected | None:
    """A body without a JSON object in it."""
    answer = situation.last
    if answer is None or answer.kind not in ("empty body", "a list") or situation.expected.error is not None:
        return None
    return _without_the_last(situation.expected, {"family": "format"})


def _without_the_last(expected: Expected, error: Json) -> Expected:
    """An error instead of the last answer, which the reference has recorded."""
    last = expected.comprehensive[-2:]
    curated = expected.curated[:-2] if expected.curated[-2:] == last else expected.curated
    return expected.change(error=error, seen=[], comprehensive=expected.comprehensive[:-2], curated=curated)


_ODD_BODIES = frozenset({"text as JSON", "error with the wrong content type", "another success"})


def error_bodies(situation: Situation) -> Expected | None:
    """Under asyncio the reference believes the content type of an error's body."""
    answer = situation.last
    if answer is None or answer.kind not in _ODD_BODIES or situation.expected.error is None:
        return None
    if situation.scenario.mode != "async":
        return None
    retries = situation.config.get("http_options", {}).get("retry_options", {})
    count, actual = len(situation.expected.requests), situation.actual
    if count < retries.get("attempts", 1) and answer.status in retries.get("http_status_codes", (429, 500, 503)):
        # What could be read can be tried again: with another answer, of which the reference knows nothing.
        situation.settled = True
        return actual.change(requests=situation.expected.requests + actual.requests[count:])
    return situation.expected.change(error=_error_shown(answer.status, b"".join(answer.pieces)))
