"""What the server says: answers as bytes, drawn at random, and what is in them as values."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Literal

import attrs

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection

__all__ = [
    "REFUSALS",
    "SHAPES",
    "STATUSES",
    "Answer",
    "Calls",
    "decorated",
    "default_answer",
    "draw_answer",
    "draw_content",
    "draw_reason",
    "draw_usage",
    "error_document",
    "event_of",
    "fixed_stream",
    "fixed_unary",
    "pick",
    "refused",
    "shaped",
    "wrong_type",
]

Json = dict[str, Any]
Ending = Literal["whole", "cut", "lost", "stalled"]
JSON = ("content-type", "application/json; charset=UTF-8")
SSE = ("content-type", "text/event-stream")
MINE = ("x-scripted", "yes")


@attrs.frozen(kw_only=True)
class Answer:
    """One HTTP answer."""

    #: What is particular about it; deliberate differences are recognised by it.
    kind: str = "text"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (JSON, MINE)
    #: The body, as it is written.
    pieces: tuple[bytes, ...] = ()
    #: ``cut``: the connection ends inside the body. ``lost``: before the head. ``stalled``: nothing is answered.
    ending: Ending = "whole"
    #: The documents in the body that are answers, in order: one of a unary answer, one an event of a stream.
    documents: tuple[Any, ...] = ()

    @property
    def chunks(self) -> tuple[Any, ...]:
        """The documents of a stream, which reach the program one by one."""
        return self.documents if SSE in self.headers else ()


@attrs.frozen(kw_only=True)
class Calls:
    """What function calls an answer may hold."""

    #: Name and arguments, as drawn by ``functions.draw_call``.
    draw: Callable[[random.Random], Json]
    often: float = 0.6


def default_answer(*, streamed: bool) -> Answer:
    """What is said when the script has run out."""
    document = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Z"}]}, "finishReason": "STOP"}]}
    return fixed_stream([document], kind="default") if streamed else fixed_unary(document, kind="default")


def fixed_unary(document: Any, kind: str = "text", **others: Any) -> Answer:
    """A JSON body."""
    return Answer(kind=kind, pieces=(json.dumps(document).encode(),), documents=(document,), **others)


def fixed_stream(documents: list[Any], kind: str = "text", **others: Any) -> Answer:
    """An event for each document."""
    pieces = tuple(event_of(document) for document in documents)
    return Answer(kind=kind, headers=(SSE, MINE), pieces=pieces, documents=tuple(documents), **others)


def event_of(document: Any, eol: bytes = b"\r\n") -> bytes:
    """A document as an event of a stream."""
    return b"data: " + json.dumps(document).encode() + eol + eol


def pick(rng: random.Random, table: dict[str, float], features: Collection[str]) -> str:
    """A key of ``table`` by weight; those that are not switched on have none."""
    names = [name for name in table if name in features or name == "text"]
    return rng.choices(names, [table[name] for name in names])[0]


# --- what is said -------------------------------------------------------------------------------------------------

_WORDS = ("Paris", " is", " the", " capital", "\n", "é", "日本", "\u2028", "{", '"', "1", " of France.", "")


def _text(rng: random.Random) -> str:
    return "".join(rng.choices(_WORDS, k=rng.randint(1, 4))) or "x"


def _base64(rng: random.Random) -> str:
    data = rng.randbytes(rng.randint(1, 12))
    return (base64.urlsafe_b64encode if rng.random() < 0.3 else base64.b64encode)(data).decode()


def _rich_part(rng: random.Random) -> Json:
    choices: list[Json] = [
        {"text": ""},
        {"text": _text(rng), "thought": True},
        {"text": _text(rng), "thoughtSignature": _base64(rng)},
        {"text": "", "thoughtSignature": _base64(rng)},
        {"thoughtSignature": _base64(rng)},
        {"inlineData": {"mimeType": "image/png", "data": _base64(rng)}},
        {"fileData": {"mimeType": "text/plain", "fileUri": "gs://bucket/file"}},
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"text": _text(rng), "partMetadata": {"someKey": [1, {"innerKey": None}]}},
    ]
    return rng.choice(choices)


def _part(rng: random.Random, features: Collection[str], calls: Calls | None) -> Json:
    if calls is not None and rng.random() < calls.often:
        made: Json = {"functionCall": calls.draw(rng)}
        if rng.random() < 0.2:
            made["thoughtSignature"] = _base64(rng)
        return made
    if "rich parts" in features and rng.random() < 0.25:
        return _rich_part(rng)
    return {"text": _text(rng)}


def draw_content(rng: random.Random, features: Collection[str], calls: Calls | None) -> Json:
    """What the model says: some parts."""
    parts = [_part(rng, features, calls) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    return {"role": "model", "parts": parts}


_REASONS = ("STOP", "STOP", "STOP", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "MALFORMED_FUNCTION_CALL")


def draw_usage(rng: random.Random) -> Json:
    """Counts of tokens."""
    made: Json = {"promptTokenCount": rng.randint(1, 9), "totalTokenCount": rng.randint(10, 99)}
    if rng.random() < 0.5:
        made |= {"candidatesTokenCount": rng.randint(1, 9), "thoughtsTokenCount": rng.randint(1, 9)}
    if rng.random() < 0.3:
        made["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": 3}]
    return made


def decorated(rng: random.Random, document: Json, features: Collection[str]) -> Json:
    """Add what answers have beside their content."""
    if rng.random() < 0.5:
        document["usageMetadata"] = draw_usage(rng)
    if rng.random() < 0.5:
        document |= {"modelVersion": "m-001", "responseId": f"r{rng.randint(0, 9)}"}
    if "details" not in features or rng.random() < 0.6:
        return document
    for candidate in document.get("candidates") or ():
        extras: list[Json] = [
            {"index": 0},
            {"safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW", "blocked": False}]},
            {"citationMetadata": {"citationSources": [{"startIndex": 1, "endIndex": 2, "uri": "http://a"}]}},
            {
                "groundingMetadata": {
                    "webSearchQueries": ["q"],
                    "groundingChunks": [{"web": {"uri": "u", "title": "t"}}],
                }
            },
            {"avgLogprobs": -0.5, "tokenCount": 3},
            {"logprobsResult": {"chosenCandidates": [{"token": "a", "tokenId": 1, "logProbability": -1.0}]}},
            {"urlContextMetadata": {"urlMetadata": [{"retrievedUrl": "u"}]}},
        ]
        if "finish message" in features:
            extras.append({"finishMessage": "because"})
        if "citations" in features:
            extras.append({"citationMetadata": {"citations": [{"uri": "http://a", "startIndex": 1}]}})
        if "unknown fields" in features:
            extras.append({"brandNewField": {"a": 1}})
        if "unknown enums" in features:
            extras.append({"safetyRatings": [{"category": "HARM_CATEGORY_NEW", "probability": "PERHAPS"}]})
        for extra in rng.sample(extras, rng.randint(1, 3)):
            candidate |= extra
    if "unknown fields" in features and rng.random() < 0.2:
        document["brandNewField"] = [1]
    if "create time" in features and rng.random() < 0.2:
        document["createTime"] = "2026-11-22T09:30:00.123456Z"
    if rng.random() < 0.1:
        document["modelStatus"] = {"message": "old", "modelStage": "STABLE"}
    return document


def draw_reason(rng: random.Random, features: Collection[str]) -> str:
    """A finish reason."""
    if "unknown enums" in features and rng.random() < 0.08:
        return "BRAND_NEW"
    return rng.choice(_REASONS)


#: What an answer that is an answer may be instead of one that says something, and how often.
SHAPES = {
    "text": 30.0,
    "no parts": 1.0,
    "empty parts": 1.0,
    "no content": 1.0,
    "no candidates": 1.0,
    "empty object": 1.0,
    "blocked": 1.0,
    "no role": 1.0,
    "empty content": 0.5,
    "other role": 0.5,
    "empty part": 1.0,
    "unknown part": 1.0,
    "part with an unknown field": 0.7,
    "two candidates": 1.0,
    "candidates out of order": 0.4,
    "null content": 0.4,
    "enum as a number": 0.4,
    "snake case": 0.5,
    "unspecified finish reason": 0.5,
}


def shaped(rng: random.Random, kind: str, document: Json, features: Collection[str]) -> Json:
    """``document``, which says something, as one of ``SHAPES``."""
    candidate = document["candidates"][0]
    content = candidate["content"]
    match kind:
        case "no parts":
            del content["parts"]
        case "empty parts":
            content["parts"] = []
        case "no content":
            del candidate["content"]
        case "null content":
            candidate["content"] = None
        case "no candidates":
            document["candidates"] = []
        case "empty object":
            document.clear()
        case "blocked":
            del document["candidates"]
            document["promptFeedback"] = {"blockReason": "SAFETY", "blockReasonMessage": "no"}
        case "no role":
            del content["role"]
        case "other role":
            content["role"] = "assistant"
        case "empty content":
            candidate["content"] = {}
        case "empty part":
            content["parts"].insert(rng.randint(0, 1), {})
        case "unknown part":
            content["parts"].append({"brandNewKind": {"a": [1]}})
        case "part with an unknown field":
            content["parts"][0]["brandNewField"] = "x"
        case "two candidates":
            document["candidates"].append(
                {"content": draw_content(rng, features, None), "index": 1, "finishReason": "STOP"}
            )
        case "candidates out of order":
            candidate["index"] = 0
            document["candidates"].insert(0, {"content": draw_content(rng, features, None), "index": 1})
        case "enum as a number":
            candidate["safetyRatings"] = [{"category": 7, "probability": 1}]
        case "snake case":
            content["parts"].append({"inline_data": {"mime_type": "a/b", "data": "AAEC"}})
        case "unspecified finish reason":
            candidate["finishReason"] = "FINISH_REASON_UNSPECIFIED"
    return document


# --- answers that are none ----------------------------------------------------------------------------------------

STATUSES = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}


def error_document(rng: random.Random, code: int) -> Json:
    """The body of an error."""
    error: Json = {"code": code, "message": _text(rng), "status": STATUSES.get(code, "UNKNOWN")}
    if rng.random() < 0.3:
        error["details"] = [{"@type": "type.googleapis.com/x", "a": 1}]
    return {"error": error}


REFUSALS = {
    "text": 0.0,
    "error JSON": 6.0,
    "error list": 1.0,
    "error text": 2.0,
    "error without a body": 1.0,
    "error of another form": 1.0,
    "error with the wrong content type": 1.0,
    "text as JSON": 1.0,
    "another success": 1.0,
    "lost": 1.0,
    "cut": 1.5,
    "not JSON": 1.0,
    "empty body": 1.0,
    "a list": 0.7,
    "error in a 200": 1.0,
    "wrong type": 1.0,
}


def refused(rng: random.Random, kind: str, document: Json) -> Answer:
    """An answer that is none: one of ``REFUSALS``, instead of ``document``."""
    code = rng.choice(tuple(STATUSES))
    body = json.dumps(error_document(rng, code), indent=rng.choice((None, 2))).encode()
    plain = (("content-type", "text/plain"), MINE)
    match kind:
        case "error JSON":
            return Answer(kind=kind, status=code, pieces=(body,))
        case "error list":
            return Answer(kind=kind, status=code, pieces=(b"[" + body + b"]",))
        case "error text":
            return Answer(kind=kind, status=code, pieces=(b"oops, that failed",), headers=plain)
        case "error without a body":
            return Answer(kind=kind, status=code, headers=plain)
        case "error of another form":
            odd = rng.choice(
                (b'"oops"', b"[1, 2]", b"{}", b'{"message": "m", "status": "S"}', b'{"error": "x"}', b"17")
            )
            return Answer(kind=kind, status=code, pieces=(odd,))
        case "error with the wrong content type":
            return Answer(kind=kind, status=code, pieces=(body,), headers=plain)
        case "text as JSON":
            return Answer(kind=kind, status=code, pieces=(b"oops",))
        case "another success":
            status = rng.choice((201, 202, 204))
            return Answer(kind=kind, status=status, pieces=() if status == 204 else (json.dumps(document).encode(),))
        case "lost":
            return Answer(kind=kind, ending="lost")
        case "cut":
            whole = json.dumps(document).encode()
            return Answer(kind=kind, pieces=(whole[: rng.randrange(len(whole))],), ending="cut")
        case "not JSON":
            odd = rng.choice((b"<html>", b'{"candidates": [', b"NaN", b"{'a': 1}", b"\xff\xfe"))
            return Answer(kind=kind, pieces=(odd,))
        case "empty body":
            return Answer(kind=kind)
        case "a list":
            return Answer(kind=kind, pieces=(rng.choice((b"[]", b"[{}]")),))
        case "error in a 200":
            return Answer(kind=kind, pieces=(body,))
        case _:
            return Answer(kind="wrong type", pieces=(json.dumps(wrong_type(rng, document)).encode(),))


def wrong_type(rng: random.Random, document: Json) -> Json:
    """A document with a value of another type than the API documents."""
    wrong: list[Json] = [
        {"candidates": {"content": 1}},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": {"a": 1}}]}}]},
        {"candidates": [{"content": {"role": "model", "parts": {"text": "a"}}}]},
        {**document, "usageMetadata": {"totalTokenCount": "many"}},
        {"candidates": [{"content": {"parts": [{"inlineData": {"data": 5}}]}}]},
    ]
    made = rng.choice(wrong)
    return {**made, "candidates": made.get("candidates", [])}


def draw_answer(
    rng: random.Random, features: Collection[str], calls: Calls | None = None, *, trouble: float = 0.12
) -> Answer:
    """A unary answer."""
    kind = pick(rng, SHAPES, features)
    candidate: Json = {"content": draw_content(rng, features, calls)}
    if rng.random() < 0.9:
        candidate["finishReason"] = draw_reason(rng, features)
    document = shaped(rng, kind, decorated(rng, {"candidates": [candidate]}, features), features)
    refusals = [name for name in REFUSALS if name in features]
    if refusals and rng.random() < trouble:
        return refused(rng, pick(rng, REFUSALS, features), document)
    return fixed_unary(document, kind)
