"""Hypothesis strategies for what a Gemini server sends, as wire JSON.

They draw dicts and lists as ``json.loads`` would give them: every kind of part, signatures, candidates, usage, and
with them what a newer server may add: unknown keys, kinds, enum values; and what protobuf's JSON allows: snake case,
explicit nulls, integers as text, either alphabet of base64. Whoever embeds chatproto can test with them too::

    @given(responses())
    def test_anything(document): ...

Needs Hypothesis, which chatproto does not install.
"""

from __future__ import annotations

import base64
import itertools
import re
from typing import Any

from hypothesis import strategies as st

from ..types._json import is_object

__all__ = [
    "answers",
    "base64_texts",
    "contents",
    "cuts",
    "enum_values",
    "function_calls",
    "function_responses",
    "int64s",
    "json_objects",
    "json_values",
    "numbers",
    "parts",
    "responses",
    "streamed",
    "timestamps",
]

Json = dict[str, Any]

_TEXT = st.text(max_size=20)
_NAMES = st.from_regex(r"[a-z]{1,6}_[a-z]{1,6}", fullmatch=True)
# No field of the API begins with x and a digit.
_UNKNOWN_KEYS = st.from_regex(r"x[0-9][a-zA-Z_]{0,8}", fullmatch=True)


def json_values(max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Any JSON value: nested, with every kind of scalar, without NaN."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64)
        | st.floats(allow_nan=False, allow_infinity=False)
        | _TEXT
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=max_leaves,
    )


def json_objects() -> st.SearchStrategy[Json]:
    """Free-form objects, as function arguments and responses are; the empty one included."""
    return st.dictionaries(_TEXT, json_values(4), max_size=3)


@st.composite
def base64_texts(draw: st.DrawFn) -> str:
    """Bytes in base64: either alphabet, with or without padding, and with stray bits in the last character."""
    data = draw(st.binary(max_size=24))
    encode = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
    text = encode(data).decode()
    if text.endswith("==") and draw(st.booleans()):
        # Of the character before the padding the decoder uses only the upper bits.
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = alphabet.find(text[-3])
        if last >= 0:
            stray = alphabet[(last & 0b110000) | draw(st.integers(0, 15))]
            text = f"{text[:-3]}{stray}=="
    return text.rstrip("=") if draw(st.booleans()) else text


def int64s() -> st.SearchStrategy[int | str]:
    """Integers, as numbers and as the text that protobuf's JSON makes of int64."""
    return st.integers(0, 2**31 - 1) | st.integers(-(2**63), 2**63 - 1).map(str)


def numbers() -> st.SearchStrategy[float | str]:
    """Numbers of a double field; what JSON has no number for is text."""
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return finite | st.integers(-1000, 1000) | st.sampled_from(["NaN", "Infinity", "-Infinity"])


def enum_values(*known: str) -> st.SearchStrategy[str | int]:
    """A value of an enum: ``known`` ones in either case, one of a newer server, or a number."""
    listed = st.sampled_from(known)
    newer = st.from_regex(r"[A-Z]{1,8}(_[A-Z]{1,8})?", fullmatch=True)
    return listed | listed | listed.map(str.lower) | newer | st.integers(0, 100)


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """RFC 3339, with up to nine digits of a second, in UTC or at an offset."""
    moment = draw(st.datetimes()).replace(microsecond=0).isoformat()
    fraction = draw(st.just("") | st.from_regex(r"\.[0-9]{1,9}", fullmatch=True))
    zone = draw(st.sampled_from(["Z", "z", "+00:00", "+05:30", "-08:00"]))
    return f"{moment}{fraction}{zone}"


@st.composite
def _objects(draw: st.DrawFn, /, **fields: st.SearchStrategy[Any]) -> Json:
    """Some of ``fields``, each under either spelling or null, in any order, with unknown keys among them."""
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=6))
    built: Json = {}
    for key in chosen:
        spelling = draw(st.sampled_from([key, key, key, _snake(key)]))
        built[spelling] = None if draw(st.integers(0, 15)) == 0 else draw(fields[key])
    if draw(st.integers(0, 4)) == 0:
        built[draw(_UNKNOWN_KEYS)] = draw(json_values(4))
    return built


def _snake(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", key)


def _lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=3)


_OFFSETS = st.integers(0, 90).map(lambda seconds: f"{seconds}s")
_BLOB: Json = {"data": base64_texts(), "mimeType": st.sampled_from(["image/png", "audio/wav"]), "displayName": _TEXT}
_FILE: Json = {"fileUri": st.just("https://example.com/v1/files/abc"), "mimeType": _TEXT, "displayName": _TEXT}

_PARTIAL_ARGS = _objects(
    jsonPath=st.just("$.city"),
    stringValue=_TEXT,
    numberValue=numbers(),
    boolValue=st.booleans(),
    nullValue=st.just("NULL_VALUE"),
    willContinue=st.booleans(),
)

_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXT,
    "inlineData": _objects(**_BLOB),
    "fileData": _objects(**_FILE),
    "functionCall": _objects(
        id=_TEXT, name=_NAMES, args=json_objects(), partialArgs=_lists(_PARTIAL_ARGS), willContinue=st.booleans()
    ),
    "functionResponse": _objects(
        id=_TEXT,
        name=_NAMES,
        response=json_objects(),
        parts=_lists(_objects(inlineData=_objects(**_BLOB), fileData=_objects(**_FILE))),
        willContinue=st.booleans(),
        scheduling=enum_values("SILENT", "WHEN_IDLE", "INTERRUPT"),
    ),
    "executableCode": _objects(id=_TEXT, code=_TEXT, language=enum_values("PYTHON")),
    "codeExecutionResult": _objects(id=_TEXT, outcome=enum_values("OUTCOME_OK", "OUTCOME_FAILED"), output=_TEXT),
    "toolCall": _objects(id=_TEXT, toolType=enum_values("URL_CONTEXT", "FILE_SEARCH"), args=json_objects()),
    "toolResponse": _objects(id=_TEXT, toolType=enum_values("URL_CONTEXT", "FILE_SEARCH"), response=json_objects()),
    "audioTranscription": _objects(
        text=_TEXT, finished=st.booleans(), words=_lists(_objects(word=_TEXT, startOffset=_OFFSETS))
    ),
}

_BESIDE: dict[str, st.SearchStrategy[Any]] = {
    "thought": st.booleans(),
    "thoughtSignature": base64_texts(),
    "videoMetadata": _objects(
        startOffset=_OFFSETS, endOffset=_OFFSETS, fps=numbers(), contentLayers=_lists(enum_values("FRAMES", "AUDIO"))
    ),
    "mediaResolution": _objects(level=enum_values("MEDIA_RESOLUTION_LOW"), numTokens=int64s()),
    "partMetadata": json_objects(),
}


@st.composite
def parts(draw: st.DrawFn) -> Json:
    """A part of any kind, of one that is not known yet, or of none, with or without a signature and metadata."""
    built: Json = {}
    kind = draw(st.sampled_from([*_KINDS, "text", "text", "functionCall", "unknown", "none"]))
    if kind == "unknown":
        built[draw(_UNKNOWN_KEYS)] = draw(json_values())
    elif kind != "none":
        built[draw(st.sampled_from([kind, kind, kind, _snake(kind)]))] = draw(_KINDS[kind])
    beside = draw(_objects(**_BESIDE))
    return {**beside, **built} if draw(st.booleans()) else {**built, **beside}


def contents(role: str | None = None) -> st.SearchStrategy[Json]:
    """A message: ``parts`` and ``role``, either of which may be missing; ``role`` fixes the latter."""
    if role is None:
        return _objects(parts=_lists(parts()), role=st.sampled_from(["user", "model", "function"]))
    return st.fixed_dictionaries({"parts": _lists(parts()), "role": st.just(role)})


_TOKEN_COUNTS = _lists(_objects(modality=enum_values("TEXT", "IMAGE", "AUDIO"), tokenCount=int64s()))
_USAGE = _objects(
    promptTokenCount=int64s(),
    candidatesTokenCount=int64s(),
    thoughtsTokenCount=int64s(),
    totalTokenCount=int64s(),
    cachedContentTokenCount=int64s(),
    promptTokensDetails=_TOKEN_COUNTS,
    candidatesTokensDetails=_TOKEN_COUNTS,
    trafficType=enum_values("ON_DEMAND", "PROVISIONED_THROUGHPUT"),
)
_SAFETY_RATINGS = _lists(
    _objects(
        category=enum_values("HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH"),
        probability=enum_values("NEGLIGIBLE", "HIGH"),
        severity=enum_values("HARM_SEVERITY_LOW"),
        probabilityScore=numbers(),
        blocked=st.booleans(),
    )
)
_CITATIONS = _lists(
    _objects(
        startIndex=int64s(),
        endIndex=int64s(),
        uri=_TEXT,
        license=_TEXT,
        publicationDate=_objects(year=st.integers(0, 9999), month=st.integers(0, 12), day=st.integers(0, 31)),
    )
)
_GROUNDING = _objects(
    webSearchQueries=_lists(_TEXT),
    groundingChunks=_lists(
        _objects(web=_objects(uri=_TEXT, title=_TEXT, domain=_TEXT), retrievedContext=_objects(uri=_TEXT, text=_TEXT))
    ),
    groundingSupports=_lists(
        _objects(
            segment=_objects(startIndex=int64s(), endIndex=int64s(), partIndex=int64s(), text=_TEXT),
            groundingChunkIndices=_lists(st.integers(0, 9)),
            confidenceScores=_lists(st.floats(0, 1)),
        )
    ),
    searchEntryPoint=_objects(renderedContent=_TEXT, sdkBlob=base64_texts()),
)
_TOKEN = _objects(token=_TEXT, tokenId=int64s(), logProbability=numbers())
_CANDIDATE = _objects(
    content=contents() | contents("model"),
    finishReason=enum_values("STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "CONTINUATION"),
    finishMessage=_TEXT,
    index=int64s(),
    tokenCount=int64s(),
    avgLogprobs=numbers(),
    safetyRatings=_SAFETY_RATINGS,
    citationMetadata=_objects(citations=_CITATIONS) | _objects(citationSources=_CITATIONS),
    groundingMetadata=_GROUNDING,
    logprobsResult=_objects(chosenCandidates=_lists(_TOKEN), topCandidates=_lists(_objects(candidates=_lists(_TOKEN)))),
    urlContextMetadata=_objects(
        urlMetadata=_lists(_objects(retrievedUrl=_TEXT, urlRetrievalStatus=enum_values("URL_RETRIEVAL_STATUS_SUCCESS")))
    ),
    continuationToken=base64_texts(),
)


def responses() -> st.SearchStrategy[Json]:
    """The body of one answer, or of one event of a stream, whole or with anything missing."""
    return _objects(
        candidates=_lists(_CANDIDATE),
        usageMetadata=_USAGE,
        promptFeedback=_objects(
            blockReason=enum_values("SAFETY", "PROHIBITED_CONTENT"),
            blockReasonMessage=_TEXT,
            safetyRatings=_SAFETY_RATINGS,
        ),
        modelVersion=_TEXT,
        responseId=_TEXT,
        createTime=timestamps(),
        modelStatus=_objects(modelStage=enum_values("PREVIEW", "STABLE"), retirementTime=timestamps(), message=_TEXT),
    )


# --- tool rounds -------------------------------------------------------------------------------------------------


@st.composite
def function_calls(draw: st.DrawFn, max_size: int = 3, ids: str = "abcdef") -> list[Json]:
    """Parts that call one function or several side by side, the same one twice too; with ids or without.

    ``ids`` are the letters that ids are made of; no two of the calls have the same one.
    """
    names = draw(st.lists(st.sampled_from(["look", "move", "wait"]), min_size=1, max_size=max_size))
    left = draw(st.permutations([*ids]))
    found: list[Json] = []
    for index, name in enumerate(names):
        call: Json = {"name": name}
        if draw(st.booleans()):
            call["args"] = draw(json_objects())
        if index < len(left) and draw(st.booleans()):
            call["id"] = f"call-{left[index]}"
        part: Json = {"functionCall": call}
        if index == 0 and draw(st.booleans()):  # of parallel calls, the first is signed
            part["thoughtSignature"] = draw(base64_texts())
        found.append(part)
    return found


@st.composite
def function_responses(draw: st.DrawFn, calls: list[Json]) -> list[Json]:
    """Parts that answer all of ``calls`` (the calls, not their parts), in any order; some ids are left out.

    A call without an id may be answered with one that the program made up.
    """
    found: list[Json] = []
    for index, call in enumerate(calls):
        response: Json = {"response": draw(json_objects()), **({"name": call["name"]} if call.get("name") else {})}
        if call.get("id") and draw(st.booleans()):
            response["id"] = call["id"]
        elif not call.get("id") and draw(st.integers(0, 3)) == 0:
            response["id"] = f"made-up-{index}"
        found.append({"functionResponse": response})
    return draw(st.permutations(found))


# --- answers as they travel ----------------------------------------------------------------------------------------


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """``data`` in pieces, as a network may bring it: whole, byte by byte, or cut anywhere. No piece is empty."""
    how = draw(st.sampled_from(["anywhere", "anywhere", "bytes", "whole"]))
    if how == "bytes":
        return [data[index : index + 1] for index in range(len(data))]
    places = draw(st.lists(st.integers(0, len(data)), max_size=6)) if how == "anywhere" else []
    edges = sorted({0, len(data), *places})
    return [data[left:right] for left, right in itertools.pairwise(edges)]


def _is_plain_text(part: Any) -> bool:
    return is_object(part) and isinstance(part.get("text"), str) and part.keys() <= {"text", "thought"}


def _flow_together(left: Json, right: Json) -> bool:
    """Whether nobody could say where one of the two texts ends, were they streamed."""
    return (
        _is_plain_text(left)
        and _is_plain_text(right)
        and left.get("thought") == right.get("thought")
        and set(left) == set(right)
    )


@st.composite
def answers(draw: st.DrawFn, of: st.SearchStrategy[Json] | None = None) -> Json:
    """A whole answer of the model: a content that says something, in which no two neighbours could be one text.

    ``of`` draws its parts; by default they are of every kind.
    """
    drawn = draw(st.lists(parts() if of is None else of, min_size=1, max_size=5))
    kept: list[Json] = []
    for part in drawn:
        if not (kept and _flow_together(kept[-1], part)):
            kept.append(part)
    if all(held is None for part in kept for held in part.values()):
        kept.append({"text": draw(_TEXT)})
    return {"role": "model", "parts": kept}


@st.composite
def streamed(draw: st.DrawFn, answer: Json) -> list[Json]:
    """Contents that are ``answer`` in pieces: cut between its parts and inside its plain texts."""
    chunks: list[list[Json]] = [[]]
    for part in answer["parts"]:
        pieces = [part]
        if _is_plain_text(part):
            text = part["text"]
            places = draw(st.lists(st.integers(0, len(text)), max_size=3))
            edges = [0, *sorted(places), len(text)]
            pieces = [{**part, "text": text[a:b]} for a, b in itertools.pairwise(edges)]
        if draw(st.booleans()):
            chunks.append([])
        chunks[-1].append(pieces[0])
        chunks += [[piece] for piece in pieces[1:]]  # two pieces of one text never come in one chunk
    return [{**answer, "parts": chunk} for chunk in chunks]
