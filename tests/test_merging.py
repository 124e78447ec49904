"""Two responses in a row as one, as google-genai merges them, and without losing what is not known."""

from __future__ import annotations

import copy
import functools
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto import types
from chatproto.machines.merging import add, merge
from chatproto.testing.strategies import json_values, responses
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter

Json = dict[str, Any]


def candidates(*of: Json, **beside: Any) -> Json:
    """A response with candidates."""
    return {"candidates": list(of), **beside}


def texts(*of: str) -> list[Json]:
    """Parts of text."""
    return [{"text": text} for text in of]


# --- the rules, one by one (reference behaviour, 13.2) ------------------------------------------------------------


@pytest.mark.parametrize(
    ("earlier", "later", "merged"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param(
            {"content": {"role": "model", "parts": texts("A")}},
            {"content": {"parts": texts("B", "C"), "role": "model"}},
            {"content": {"role": "model", "parts": texts("A", "B", "C")}},
            id="parts stay parts of their own",
        ),
        pytest.param(
            {"content": {"parts": texts("A")}},
            {"content": {"parts": [{}, {"thoughtSignature": "c2ln"}]}},
            {"content": {"parts": [{"text": "A"}, {}, {"thoughtSignature": "c2ln"}]}},
            id="parts that say nothing are kept",
        ),
        pytest.param({"content": {"parts": texts("A")}}, {}, {"content": {"parts": texts("A")}}, id="no content"),
        pytest.param({"content": None}, {"content": {"parts": []}}, {"content": {"parts": []}}, id="null is absent"),
        pytest.param({"content": {"parts": []}}, {"content": None}, {"content": {"parts": []}}, id="a later null too"),
        pytest.param(
            {"finishReason": "CONTINUATION", "finishMessage": "more", "continuationToken": "dDE="},
            {"finishReason": "STOP"},
            {"finishReason": "STOP"},
            id="how it ended is the later's word",
        ),
        pytest.param(
            {"finishReason": "CONTINUATION", "finish_message": "more", "continuation_token": "dDE="},
            {"continuationToken": None, "finish_reason": "STOP"},
            {"continuationToken": None, "finish_reason": "STOP"},
            id="in either spelling",
        ),
        pytest.param({"finishReason": "STOP"}, {}, {}, id="also when it says nothing"),
        pytest.param({"finishReason": "STOP"}, {"finishReason": None}, {"finishReason": None}, id="or null"),
        pytest.param({"tokenCount": 2}, {"tokenCount": "3"}, {"tokenCount": 5}, id="counts are added"),
        pytest.param({"tokenCount": 2}, {"tokenCount": None}, {"tokenCount": 2}, id="a count and null"),
        pytest.param({"tokenCount": 2}, {"tokenCount": True}, {"tokenCount": True}, id="true is no count"),
        pytest.param(
            {"avgLogprobs": -1.0, "index": 0},
            {"avgLogprobs": -0.5, "index": 0},
            {"avgLogprobs": -0.5, "index": 0},
            id="other values are the later's",
        ),
        pytest.param(
            {"logprobsResult": {"chosenCandidates": [{"token": "a"}], "logProbabilitySum": -1.5}},
            {"logprobsResult": {"chosenCandidates": [{"token": "b"}], "logProbabilitySum": -0.25}},
            {"logprobsResult": {"chosenCandidates": [{"token": "a"}, {"token": "b"}], "logProbabilitySum": -1.75}},
            id="log probabilities",
        ),
        pytest.param(
            {"citationMetadata": {"citationSources": [{"uri": "a", "startIndex": 1}]}},
            {"citationMetadata": {"citationSources": [{"uri": "b", "startIndex": 1}]}},
            {"citationMetadata": {"citationSources": [{"uri": "a", "startIndex": 1}, {"uri": "b", "startIndex": 1}]}},
            id="citations keep their positions, as in google-genai",
        ),
        pytest.param(
            {"safetyRatings": [{"category": "A", "probability": "LOW"}, {"category": "B", "blocked": True}]},
            {"safetyRatings": [{"category": "C"}, {"category": "a", "probabilityScore": 0.5}]},
            {
                "safetyRatings": [
                    {"category": "a", "probabilityScore": 0.5},
                    {"category": "B", "blocked": True},
                    {"category": "C"},
                ]
            },
            id="ratings by category",
        ),
        pytest.param(
            {"xNew": {"list": [1], "of": "a", "hitCount": 1, "kept": 0}},
            {"xNew": {"list": [2], "of": "b", "hitCount": 2}, "yNew": [None]},
            {"xNew": {"list": [1, 2], "of": "b", "hitCount": 3, "kept": 0}, "yNew": [None]},
            id="what is not known, by the same rules",
        ),
    ],
)
def test_candidates(earlier: Json, later: Json, merged: Json) -> None:
    """One candidate in each response."""
    assert merge(candidates(earlier), candidates(later)) == candidates(merged)


@pytest.mark.parametrize(
    ("earlier", "later", "merged"),
    [
        ([], [{"index": 0}], [{"index": 0}]),
        (
            [{"finishReason": "STOP"}, {"finishReason": "STOP"}],
            [{"index": 0}],
            [{"index": 0}, {"finishReason": "STOP"}],
        ),
        ([{"index": 0}], [{"tokenCount": 1}, {"index": 1}], [{"index": 0, "tokenCount": 1}, {"index": 1}]),
        ([{"finishReason": "CONTINUATION"}, {"continuationToken": "dDE=", "index": 1}], [], [{}, {"index": 1}]),
        ([{"finishReason": "CONTINUATION", "index": 0}], None, [{"index": 0}]),
        (None, [{"finishReason": "STOP"}], [{"finishReason": "STOP"}]),
        ([], None, []),
        ([1, {"index": 0}], [{"index": 1}, 2], [{"index": 1}, 2]),
        ([{"index": 0}], "malformed", "malformed"),
    ],
)
def test_numbers_of_candidates(earlier: Any, later: Any, merged: Any) -> None:
    """By their place; where a hop has none, no candidate may still say that it goes on."""
    documents = [{} if of is None else {"candidates": of} for of in (earlier, later)]
    assert merge(*documents) == {"candidates": merged}


@pytest.mark.parametrize(
    ("earlier", "later", "merged"),
    [
        (
            {"promptTokenCount": 5, "candidatesTokenCount": "2", "trafficType": "ON_DEMAND"},
            {"promptTokenCount": "7", "thoughtsTokenCount": 1, "trafficType": "PROVISIONED_THROUGHPUT"},
            {
                "promptTokenCount": 12,
                "candidatesTokenCount": "2",
                "trafficType": "PROVISIONED_THROUGHPUT",
                "thoughtsTokenCount": 1,
            },
        ),
        ({"promptTokenCount": "nine"}, {"promptTokenCount": 1}, {"promptTokenCount": 1}),
        ({"prompt_token_count": 1}, {"prompt_token_count": 1}, {"prompt_token_count": 2}),
        (
            {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "IMAGE"}]},
            {
                "promptTokensDetails": [
                    {"modality": "AUDIO", "tokenCount": "1"},
                    {"modality": "text", "tokenCount": "7"},
                ]
            },
            {
                "promptTokensDetails": [
                    {"modality": "text", "tokenCount": 12},
                    {"modality": "IMAGE", "tokenCount": 0},
                    {"modality": "AUDIO", "tokenCount": "1"},
                ]
            },
        ),
        (
            {"xTokensDetails": [{"modality": "TEXT", "tokenCount": 1, "x": 1}]},
            {"xTokensDetails": [{"modality": "TEXT", "tokenCount": 1, "y": 2}]},
            {"xTokensDetails": [{"modality": "TEXT", "tokenCount": 2, "x": 1, "y": 2}]},
        ),
        ({"promptTokensDetails": [1]}, {"promptTokensDetails": [{}]}, {"promptTokensDetails": [1, {}]}),
        (
            {"promptTokensDetails": [{"modality": []}]},
            {"promptTokensDetails": []},
            {"promptTokensDetails": [{"modality": []}]},
        ),
    ],
)
def test_usage(earlier: Json, later: Json, merged: Json) -> None:
    """Counts are added, the details for each modality."""
    assert merge({"usageMetadata": earlier}, {"usageMetadata": later}) == {"usageMetadata": merged}


def test_the_rest_of_a_response() -> None:
    """The later value counts, where there is one; feedback is merged like everything else."""
    earlier = {"modelVersion": "a", "responseId": "1", "promptFeedback": {"safetyRatings": [{"category": "A"}]}}
    later = {"responseId": "2", "createTime": "2026-01-01T00:00:00Z", "promptFeedback": {"blockReason": "SAFETY"}}
    assert merge(earlier, later) == {
        "modelVersion": "a",
        "responseId": "2",
        "promptFeedback": {"safetyRatings": [{"category": "A"}], "blockReason": "SAFETY"},
        "createTime": "2026-01-01T00:00:00Z",
    }


def grounded(parts: int, chunks: int, *supports: Json) -> Json:
    """A candidate with text, sources, and what the one owes to the other."""
    metadata = {"groundingChunks": [{"web": {"title": str(n)}} for n in range(chunks)], "webSearchQueries": ["q"]}
    return {
        "content": {"parts": texts(*"p" * parts)},
        "groundingMetadata": {**metadata, "groundingSupports": list(supports)},
    }


@pytest.mark.parametrize(
    ("parts", "chunks", "support", "moved"),
    [
        (2, 3, {"groundingChunkIndices": [0, 1], "segment": {"partIndex": 1}}, ([3, 4], 3)),
        (2, 3, {"groundingChunkIndices": ["0"], "segment": {"partIndex": "1"}}, ([3], 3)),
        (2, 0, {"groundingChunkIndices": [0], "segment": {}}, ([0], 2)),
        (0, 3, {"groundingChunkIndices": [0], "segment": {}}, ([3], None)),
        (0, 0, {"groundingChunkIndices": [0], "segment": {"partIndex": 1}}, ([0], 1)),
        (2, 3, {"groundingChunkIndices": [], "segment": {"partIndex": 0, "startIndex": 4, "endIndex": 5}}, ([], 2)),
        (2, 3, {"groundingChunkIndices": ["x"], "segment": {"partIndex": []}}, (["x"], [])),
    ],
)
def test_grounding_points_behind_what_was_before(
    parts: int, chunks: int, support: Json, moved: tuple[list[Any], Any]
) -> None:
    """Sources are counted on, and so are parts; a segment without a part index is about the first part."""
    support = {"confidenceScores": [0.5], "renderedParts": [0], **support}
    first = {"segment": {"partIndex": 0}, "groundingChunkIndices": [0]}
    merged = merge(candidates(grounded(parts, chunks, first)), candidates(grounded(1, 1, support, {"segment": None})))
    metadata = merged["candidates"][0]["groundingMetadata"]
    assert metadata["groundingSupports"][0] == first
    assert metadata["groundingSupports"][2] == {"segment": None}
    found = metadata["groundingSupports"][1]
    assert (found["groundingChunkIndices"], found["segment"].get("partIndex")) == moved
    for each in support.keys() - {"groundingChunkIndices", "segment"}:
        assert found[each] == support[each]
    assert {key: held for key, held in found["segment"].items() if key != "partIndex"} == {
        key: held for key, held in support["segment"].items() if key != "partIndex"
    }
    assert len(metadata["groundingChunks"]) == chunks + 1
    assert metadata["webSearchQueries"] == ["q", "q"]


def test_grounding_in_snake_case() -> None:
    """Gateways that keep proto's own names."""
    earlier = {"content": {"parts": texts("A")}, "grounding_metadata": {"grounding_chunks": [{}]}}
    support = {"grounding_chunk_indices": [0], "segment": {"part_index": 0}}
    later = {"grounding_metadata": {"grounding_supports": [support]}}
    merged = merge(candidates(earlier), candidates(later))
    supports = merged["candidates"][0]["grounding_metadata"]["grounding_supports"]
    assert supports == [{"grounding_chunk_indices": [1], "segment": {"part_index": 1}}]


@pytest.mark.parametrize(
    ("left", "right", "total"),
    [
        (1, 2, 3),
        ("1", "2", 3),
        ("-1.5", 1, -0.5),
        (2**63, "9223372036854775807", 2**64 - 1),
        ("NaN", 1, "NaN"),
        ("Infinity", 1.0, "Infinity"),
        ("-Infinity", 1.0, "-Infinity"),
        (1e308, 1e308, "Infinity"),
        (10**400, 0.5, None),
        (True, 1, None),
        (None, 1, None),
        ("", 1, None),
        ("9" * 5000, 1, None),
    ],
)
def test_numbers_are_added_as_proto_writes_them(left: Any, right: Any, total: Any) -> None:
    """Numbers and their texts; what JSON has no number for stays text; nothing else is a number."""
    assert add(left, right) == total
    assert type(add(left, right)) is type(total)
    assert add(right, left) == total


# --- laws ---------------------------------------------------------------------------------------------------------


@given(responses() | st.fixed_dictionaries({"candidates": json_values()}), responses() | st.just({}))
def test_nothing_is_changed(earlier: Json, later: Json) -> None:
    """Neither document, whatever is in it, and with nothing to add a document stays, but for its last word."""
    before = copy.deepcopy((earlier, later))
    merged = merge(earlier, later)
    assert (earlier, later) == before
    assert merge({}, merged) == merged
    assert merged.keys() == earlier.keys() | later.keys()


_NEWER = st.fixed_dictionaries({}, optional={"newer1": json_values(3), "newer2": json_values(3)})


@given(responses(), responses(), _NEWER, _NEWER)
def test_what_is_not_known_survives(earlier: Json, later: Json, old: Json, new: Json) -> None:
    """A newer server's fields: of the response, of a candidate, of a part, of the usage."""

    def with_more(document: Json, more: Json) -> Json:
        part = {"text": "t", **more}
        candidate = {"content": {"parts": [part], **more}, **more}
        return {**document, "candidates": [candidate], "usageMetadata": {"promptTokenCount": 1, **more}, **more}

    merged = merge(with_more(earlier, old), with_more(later, new))
    candidate = merged["candidates"][0]
    assert candidate["content"]["parts"] == [{"text": "t", **old}, {"text": "t", **new}]
    for holder in (merged, candidate, candidate["content"], merged["usageMetadata"]):
        for key in old.keys() | new.keys():
            if new.get(key) is None:
                assert holder[key] == old.get(key)
            elif old.get(key) is None or type(new[key]) not in (dict, list):
                assert holder[key] == new[key]
            elif type(old[key]) is type(new[key]) is list:
                assert holder[key] == old[key] + new[key]
            else:
                assert holder[key] == (new[key] if type(old[key]) is not dict else merge_objects(old[key], new[key]))


def merge_objects(old: Json, new: Any) -> Any:
    """Objects of unknown fields, merged key by key."""
    return merge({"x": old}, {"x": new})["x"]


# --- the oracle ---------------------------------------------------------------------------------------------------

_TEXT = st.sampled_from(["", "a", "bc"])
_COUNTS = st.integers(0, 9) | st.integers(0, 9).map(str)
_TOKENS = st.sampled_from(["dDE=", "dDI=", "_-8=", "+/8="])
_REASONS = st.sampled_from(["STOP", "CONTINUATION", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"])
# Such as add up to the same in any order.
_EXACT = st.integers(-8, 0).map(lambda eighths: eighths / 8)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Objects with any of ``fields``, null now and then."""
    return st.fixed_dictionaries({}, optional={key: held | held | st.none() for key, held in fields.items()})


def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Short lists."""
    return st.lists(of, max_size=2)


_PARTS: st.SearchStrategy[Json] = (
    st.fixed_dictionaries({"text": _TEXT})
    | st.just({"functionCall": {"name": "f", "args": {"a_count": 1}}})
    | st.just({})
)
_DETAILS = lists(
    some(modality=st.sampled_from(["TEXT", "IMAGE", "text"]), tokenCount=_COUNTS).filter(
        lambda each: each.get("modality")
    )
)
_RATINGS = lists(
    some(
        category=st.sampled_from(["HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH"]),
        probability=st.sampled_from(["LOW", "HIGH"]),
        probabilityScore=_EXACT,
        blocked=st.booleans(),
    )
)
_USAGE = some(
    promptTokenCount=_COUNTS,
    candidatesTokenCount=_COUNTS,
    totalTokenCount=_COUNTS,
    promptTokensDetails=_DETAILS,
    candidatesTokensDetails=_DETAILS,
    toolUsePromptTokensDetails=_DETAILS,
    cacheTokensDetails=_DETAILS,
    trafficType=st.sampled_from(["ON_DEMAND", "PROVISIONED_THROUGHPUT"]),
)
_SEGMENTS = some(partIndex=st.integers(0, 2), startIndex=st.integers(0, 9), text=_TEXT)
_GROUNDING = some(
    groundingChunks=lists(some(web=some(uri=_TEXT, title=_TEXT))),
    groundingSupports=lists(
        some(
            segment=_SEGMENTS,
            groundingChunkIndices=lists(st.integers(0, 2)),
            confidenceScores=lists(_EXACT),
            renderedParts=lists(st.integers(0, 2)),
        )
    ),
    webSearchQueries=lists(_TEXT),
    searchEntryPoint=some(renderedContent=_TEXT, sdkBlob=_TOKENS),
    retrievalMetadata=some(googleSearchDynamicRetrievalScore=_EXACT),
)
_LOGPROBS = some(token=_TEXT, tokenId=st.integers(0, 9), logProbability=_EXACT)
CANDIDATES = some(
    content=some(parts=lists(_PARTS), role=st.just("model")),
    finishReason=_REASONS,
    finishMessage=_TEXT,
    continuationToken=_TOKENS,
    tokenCount=_COUNTS,
    index=st.integers(0, 1),
    avgLogprobs=_EXACT,
    logprobsResult=some(
        chosenCandidates=lists(_LOGPROBS),
        topCandidates=lists(some(candidates=lists(_LOGPROBS))),
        logProbabilitySum=_EXACT,
    ),
    safetyRatings=_RATINGS,
    citationMetadata=some(citations=lists(some(uri=_TEXT, startIndex=st.integers(0, 9)))),
    groundingMetadata=_GROUNDING,
    urlContextMetadata=some(urlMetadata=lists(some(retrievedUrl=_TEXT))),
)


def known(candidate: st.SearchStrategy[list[Json]]) -> st.SearchStrategy[Json]:
    """Responses of fields that google-genai knows."""
    return some(
        candidates=candidate,
        usageMetadata=_USAGE,
        promptFeedback=some(blockReason=st.just("SAFETY"), safetyRatings=_RATINGS),
        modelVersion=_TEXT,
        responseId=_TEXT,
        createTime=st.just("2026-01-01T00:00:00Z"),
        modelStatus=some(message=_TEXT, modelStage=st.just("STABLE")),
    )


@pytest.fixture(scope="module")
def oracle() -> Any:
    """google-genai's own reader and merging."""
    pytest.importorskip("google.genai", reason="google-genai is not installed")
    from google.genai import _extra_utils, models
    from google.genai import types as theirs

    class Oracle:
        def read(self, document: Json, *, vertex: bool = True) -> Any:
            name = "vertex" if vertex else "mldev"
            response = getattr(models, f"_GenerateContentResponse_from_{name}")(copy.deepcopy(document))
            return theirs.GenerateContentResponse._from_response(response=response, kwargs={"config": {}})

        def merge(self, of: list[Any]) -> Any:
            return _extra_utils.merge_continuation_responses(of)

    return Oracle()


@given(
    of=st.lists(known(st.lists(CANDIDATES, max_size=2) | st.lists(CANDIDATES, min_size=1, max_size=1)), min_size=1)
    | st.lists(known(st.lists(CANDIDATES, min_size=1, max_size=1)), min_size=2, max_size=4),
    vertex=st.booleans(),
)
def test_as_google_genai_merges(oracle: Any, of: list[Json], vertex: bool) -> None:
    """Merged and then read is the same as read and then merged, by google-genai, for either API."""
    if not vertex:  # which calls one field otherwise
        for document in of:
            for candidate in document.get("candidates") or ():
                citations = candidate.get("citationMetadata") or {}
                if "citations" in citations:
                    citations["citationSources"] = citations.pop("citations")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of google-genai's, about its own enums
        expected = oracle.merge([oracle.read(document, vertex=vertex) for document in of])
        merged = functools.reduce(merge, of)
        found = oracle.read(merged, vertex=vertex)
    assert found.model_dump() == expected.model_dump()
    # And chatproto reads it, and writes it again.
    assert to_wire(converter("wire").structure(merged, types.GenerateContentResponse)) == merged


@given(*[known(st.lists(CANDIDATES, max_size=1))] * 3)
def test_merging_is_associative(a: Json, b: Json, c: Json) -> None:
    """Of responses with one candidate at most, and where rounding does not matter.

    Not with more: a hop without candidates takes the last word from all that came before it, and one with fewer leaves
    those that it does not have as they are. Nor where servers change the type of a field between hops.
    """
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


def test_where_merging_is_not_associative() -> None:
    """The case that the law leaves out, as google-genai has it: it merges from the first on."""
    a, c = candidates({}, {"finishReason": "STOP"}), candidates({})
    assert merge(merge(a, {}), c) == candidates({}, {})
    assert merge(a, merge({}, c)) == candidates({}, {"finishReason": "STOP"})
