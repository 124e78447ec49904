"""Law L17 for answers over several requests: how google-genai 3.4.0 continues them, case by case, and chatproto too.

Each row is played in both libraries, chatproto with ``compat="google-genai"``. It must come to what the row says, and
the libraries to the same in all that can be compared. What differs on purpose says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from differential.answers import SSE, Answer
from differential.compare import canonical
from reference_chats import MODES, Send, Stage, Talk, answered, body_of, call, events, failure, says

from chatproto.errors import ChatProtoError
from chatproto.machines.continuation import MAX_HOPS

Json = dict[str, Any]
T1, T2 = "dDE=", "dDI="
MORE = "CONTINUATION"
SAME = "the same"
NOTHING = ""
BLOCKED: Json = {"promptFeedback": {"blockReason": "SAFETY"}}
ERROR: Json = {"error": {"code": 503, "message": "scripted", "status": "UNAVAILABLE"}}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One for all tests."""
    with Stage() as made:
        yield made


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Chats and async chats."""
    made: str = request.param
    return made


def hop(*parts: str | Json, token: str | None = None, end: str | None = None, **others: Any) -> Json:
    """What one request brings."""
    return says(*parts, end=end, **({} if token is None else {"continuationToken": token}), **others)


def used(document: Json, **counts: Any) -> Json:
    """A response that tells of its usage."""
    return {**document, "usageMetadata": counts}


def tokens(requests: list[Json]) -> list[str]:
    """The token that each request sends; "" for none."""
    return [each.get("continuation_token", b"").decode() for each in requests]


FIRST = hop("A", token=T1, end=MORE)
LAST = hop("C", end="STOP")


# --- 13.2: answers in one document a request ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "config", "sent", "recorded"),
    [
        pytest.param([FIRST, LAST], None, ["", "t1"], "U(q) M(A, C)", id="a token and CONTINUATION"),
        pytest.param([hop("A", token=T1), LAST], None, ["", "t1"], "U(q) M(A, C)", id="a token and no reason"),
        pytest.param(
            [FIRST, hop("B", token=T2, end=MORE), LAST], None, ["", "t1", "t2"], "U(q) M(A, B, C)", id="three requests"
        ),
        pytest.param(
            [FIRST, hop("B", token=T1, end=MORE), LAST], None, ["", "t1", "t1"], "U(q) M(A, B, C)", id="one token twice"
        ),
        pytest.param([hop("A", token=T1, end="STOP")], None, [""], "U(q) M(A)", id="a token and another reason"),
        pytest.param([hop("A", end=MORE)], None, [""], "U(q) M(A)", id="CONTINUATION without a token"),
        pytest.param([FIRST], {"automatic_continuation": False}, [""], "U(q) M(A)", id="switched off"),
        pytest.param([FIRST, LAST], {"automatic_continuation": True}, ["", "t1"], "U(q) M(A, C)", id="switched on"),
        pytest.param([FIRST, {}], None, ["", "t1"], "U(q) M(A)", id="an empty second answer"),
        pytest.param([FIRST, BLOCKED], None, ["", "t1"], "U(q) M(A)", id="a second answer that is blocked"),
        pytest.param(
            [FIRST, {"candidates": [{"finishReason": "STOP"}]}], None, ["", "t1"], "U(q) M(A)", id="one without content"
        ),
        pytest.param(
            [{"candidates": [{"finishReason": MORE, "continuationToken": T1}]}, LAST],
            None,
            ["", "t1"],
            "U(q) M(C)",
            id="a first answer without content",
        ),
        pytest.param(
            [FIRST, hop("C", end="STOP", role=None)], None, ["", "t1"], "U(q) M(A, C)", id="one without a role"
        ),
        pytest.param(
            [hop("A", role=None, token=T1), LAST], None, ["", "t1"], "U(q) M(A, C)", id="the role of the last"
        ),
        pytest.param([LAST], {"continuation_token": b"own"}, ["own"], "U(q) M(C)", id="a token of the program's own"),
    ],
)
def test_answers_are_continued(
    stage: Stage, mode: str, answers: list[Json], config: Json | None, sent: list[str], recorded: str
) -> None:
    """The same request with the token; one content, in which the parts stay apart."""
    played = stage.play_both(mode, answered(*answers), Send("q", config))
    assert (played.errors, tokens(played.whole["requests"])) == ([None], sent)
    assert played.comprehensive == played.curated == recorded
    assert {each["contents"][0]["parts"][0]["text"] for each in played.whole["requests"]} == {"q"}


@pytest.mark.parametrize(
    ("second", "error"),
    [
        pytest.param(failure(), "api", id="a status"),
        pytest.param(Answer(kind="bad JSON", pieces=(b"{nope",)), "format", id="bad JSON"),
        pytest.param(Answer(kind="cut", pieces=(b"{}",), ending="cut"), "transport", id="a body cut off"),
    ],
)
def test_a_continuation_that_fails_loses_the_answer(stage: Stage, mode: str, second: Answer, error: str) -> None:
    """All of it: nothing is recorded. chatproto's error has what had come, as ``partial``."""
    played = stage.play_both(mode, [*answered(FIRST), second])
    assert (played.errors, played.comprehensive, played.curated) == ([error], NOTHING, NOTHING)
    talk = stage.talk(stage.compat, mode, [*answered(FIRST), second]).create()
    with pytest.raises(ChatProtoError) as caught:
        talk.send()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "A"


RATING: Json = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}
HATE: Json = {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "LOW"}
HIGH: Json = {**RATING, "probability": "HIGH"}


def chunk_of(uri: str) -> Json:
    """A grounding chunk."""
    return {"web": {"uri": uri}}


def support(chunk: int, **segment: int) -> Json:
    """A grounding support."""
    return {"groundingChunkIndices": [chunk], "segment": segment}


@pytest.mark.parametrize(
    ("first", "second", "path", "merged"),
    [
        pytest.param(FIRST, LAST, "finish_reason", "STOP", id="the last finish reason"),
        pytest.param(FIRST, LAST, "continuation_token", None, id="no token is left"),
        pytest.param(FIRST, {}, "finish_reason", None, id="none, if the last request brings none"),
        pytest.param(
            hop("A", token=T1, avgLogprobs=-1.5),
            hop("B", end="STOP", avgLogprobs=-2.5),
            "avg_logprobs",
            -2.5,
            id="numbers",
        ),
        pytest.param(hop("A", token=T1, tokenCount=2), hop("B", tokenCount=3), "token_count", 5, id="counts are added"),
        pytest.param(
            hop("A", token=T1, safetyRatings=[RATING, HATE]),
            hop("B", safetyRatings=[HIGH]),
            "safety_ratings",
            canonical([HIGH, HATE]),
            id="the latest safety rating of a category",
        ),
        pytest.param(
            hop(
                "A", token=T1, groundingMetadata={"groundingChunks": [chunk_of("a")], "groundingSupports": [support(0)]}
            ),
            hop(
                "B",
                groundingMetadata={"groundingChunks": [chunk_of("b")], "groundingSupports": [support(0, endIndex=1)]},
            ),
            "grounding_metadata",
            canonical(
                {
                    "groundingChunks": [chunk_of("a"), chunk_of("b")],
                    "groundingSupports": [support(0), support(1, endIndex=1, partIndex=1)],
                }
            ),
            id="what grounds the later text points behind the earlier",
        ),
    ],
)
def test_candidates_are_merged(stage: Stage, mode: str, first: Json, second: Json, path: str, merged: Any) -> None:
    """Of the first candidate, one field; all fields of both libraries are compared."""
    played = stage.play_both(mode, answered(first, second))
    (response,) = played.whole["seen"]
    assert response["candidates"][0].get(path) == merged


def test_all_candidates_are_merged(stage: Stage, mode: str) -> None:
    """Each with the one in its place."""
    first = {"candidates": [*FIRST["candidates"], *says("X")["candidates"], *says("only")["candidates"]]}
    second = {"candidates": [*LAST["candidates"], *says("Y")["candidates"]]}
    played = stage.play_both(mode, answered(first, second))
    (response,) = played.whole["seen"]
    said = [[part["text"] for part in each["content"]["parts"]] for each in response["candidates"]]
    assert said == [["A", "C"], ["X", "Y"], ["only"]]


def test_usage_is_added_up(stage: Stage, mode: str) -> None:
    """Also by modality. What the first prompt cost can be told apart."""
    details = "promptTokensDetails"
    first = used(FIRST, promptTokenCount=10, totalTokenCount=11, **{details: [{"modality": "TEXT", "tokenCount": 10}]})
    both = [{"modality": "TEXT", "tokenCount": 5}, {"modality": "IMAGE", "tokenCount": 7}]
    second = used(LAST, promptTokenCount=12, totalTokenCount=14, candidatesTokenCount=2, **{details: both})
    played = stage.play_both(mode, answered(first, second))
    (response,) = played.whole["seen"]
    assert response["usage_metadata"] == {
        "prompt_token_count": 22,
        "total_token_count": 25,
        "candidates_token_count": 2,
        "prompt_tokens_details": [{"modality": "TEXT", "token_count": 15}, {"modality": "IMAGE", "token_count": 7}],
    }
    for talk in stage.talks(mode, answered(first, second)):
        usage = talk.send().usage_metadata
        assert (usage.prompt_token_count, usage.initial_prompt_token_count) == (22, 10)


def test_what_is_about_the_whole_response_is_the_last_ones(stage: Stage, mode: str) -> None:
    """The model's version, and the response's id."""
    first = {**FIRST, "modelVersion": "1", "responseId": "r1"}
    played = stage.play_both(mode, answered(first, {**LAST, "responseId": "r2"}))
    (response,) = played.whole["seen"]
    assert (response["model_version"], response["response_id"]) == ("1", "r2")


class Named(pydantic.BaseModel):
    """What an answer is parsed as."""

    name: str


def test_the_whole_answer_is_parsed(stage: Stage, mode: str) -> None:
    """No request brings it alone."""
    config = {"response_schema": Named, "response_mime_type": "application/json"}
    script = answered(hop('{"na', token=T1, end=MORE), hop('me": "q"}', end="STOP"))
    for talk in stage.talks(mode, script, config):
        assert talk.send().parsed == Named(name="q")


def test_w40_there_is_an_end_to_continuations(stage: Stage, mode: str) -> None:
    """On purpose: google-genai asks for ever, and each request is billed; here there is a cap, and then an error."""
    script = [*answered(*[FIRST] * (MAX_HOPS + 1)), *answered(LAST)]
    theirs, ours = (stage.talk(library, mode, script).create() for library in stage.libraries)
    assert theirs.send().text == "A" * (MAX_HOPS + 1) + "C"
    assert len(theirs.requests) == MAX_HOPS + 2
    assert ours.failed(ours.send) == {"family": "format"}
    assert (len(ours.requests), ours.comprehensive) == (MAX_HOPS, NOTHING)


# --- 13.3: streams ------------------------------------------------------------------------------------------------

LOST = events(ending="cut")
BAD_EVENT = Answer(kind="bad JSON", headers=(SSE,), pieces=(b"data: {nope\r\n\r\n",))
END = events(LAST)


@pytest.mark.parametrize(
    ("script", "config", "sent", "comprehensive", "curated"),
    [
        pytest.param([events(FIRST), END], None, ["", "t1"], "U(q) M(A) M(C)", SAME, id="a token and CONTINUATION"),
        pytest.param(
            [events(hop("A", token=T1)), END], None, ["", "t1"], "U(q) M(A) M(C)", SAME, id="no finish reason"
        ),
        pytest.param(
            [events(hop("A", token=T1), hop("B")), END],
            None,
            ["", "t1"],
            "U(q) M(A) M(B) M(C)",
            SAME,
            id="a token that is not in the last chunk",
        ),
        pytest.param(
            [events(hop("A"), FIRST), events(hop("B", token=T2, end=MORE)), END],
            None,
            ["", "t1", "t2"],
            "U(q) M(A) M(A) M(B) M(C)",
            SAME,
            id="three requests",
        ),
        pytest.param(
            [events(hop("A", token=T1), hop("B", token=T2)), END],
            None,
            ["", "t2"],
            "U(q) M(A) M(B) M(C)",
            SAME,
            id="the latest token",
        ),
        pytest.param([events(hop("A", token=T1), LAST)], None, [""], "U(q) M(A) M(C)", SAME, id="an end after a token"),
        pytest.param(
            [events(hop("A", token=T1, end="STOP"))], None, [""], "U(q) M(A)", SAME, id="a token with the end"
        ),
        pytest.param([events(hop("A", end=MORE))], None, [""], "U(q) M(A)", SAME, id="CONTINUATION without a token"),
        pytest.param([events(FIRST)], {"automatic_continuation": False}, [""], "U(q) M(A)", SAME, id="switched off"),
        pytest.param(
            [events(FIRST), events(hop("B", token=T1, end=MORE)), END],
            None,
            ["", "t1"],
            "U(q) M(A) M(B)",
            NOTHING,
            id="the same token again ends the stream, without a finish reason",
        ),
        pytest.param(
            [events(FIRST), events(BLOCKED)],
            None,
            ["", "t1"],
            "U(q) M(A)",
            NOTHING,
            id="the prompt of a later one is blocked",
        ),
        pytest.param(
            [events({**FIRST, "promptFeedback": {}}), END],
            None,
            [""],
            "U(q) M(A)",
            NOTHING,
            id="feedback beside a token",
        ),
        pytest.param(
            [events(FIRST), events(hop("B"))], None, ["", "t1"], "U(q) M(A) M(B)", NOTHING, id="a later one just ends"
        ),
    ],
)
def test_streams_are_continued(
    stage: Stage,
    mode: str,
    script: list[Answer],
    config: Json | None,
    sent: list[str],
    comprehensive: str,
    curated: str,
) -> None:
    """Each chunk is a content of its own."""
    played = stage.play_both(mode, script, Send("q", config, streamed=True))
    assert (played.errors, tokens(played.whole["requests"])) == ([None], sent)
    assert (played.comprehensive, played.curated) == (comprehensive, comprehensive if curated is SAME else curated)


@pytest.mark.parametrize(
    ("script", "sent", "recorded"),
    [
        pytest.param([events(hop("A", token=T1), ending="cut"), END], ["", "t1"], "U(q) M(A) M(C)", id="cut off"),
        pytest.param([events(hop("A", token=T1), ERROR), END], ["", "t1"], "U(q) M(A) M(C)", id="an error event"),
        pytest.param(
            [events(FIRST), events(hop("B", token=T2), ERROR), END],
            ["", "t1", "t2"],
            "U(q) M(A) M(B) M(C)",
            id="an error event in a later one",
        ),
        pytest.param([events(FIRST), BAD_EVENT, END], ["", "t1", "t1"], "U(q) M(A) M(C)", id="bad JSON in a later one"),
        pytest.param(
            [events(FIRST), LOST, LOST, LOST, END], ["", *["t1"] * 4], "U(q) M(A) M(C)", id="lost three times in a row"
        ),
        pytest.param(
            [events(FIRST), events(), events(), events(), END],
            ["", *["t1"] * 4],
            "U(q) M(A) M(C)",
            id="empty three times in a row",
        ),
        pytest.param(
            [events(FIRST), LOST, LOST, events(hop("B", token=T2)), LOST, LOST, LOST, END],
            ["", "t1", "t1", "t1", "t2", "t2", "t2", "t2"],
            "U(q) M(A) M(B) M(C)",
            id="lost again after it has got further",
        ),
    ],
)
def test_streams_are_taken_up_again(
    stage: Stage, mode: str, script: list[Answer], sent: list[str], recorded: str
) -> None:
    """Where the server has accepted the request, from the latest token, and three times without getting further."""
    played = stage.play_both(mode, script, Send(streamed=True))
    assert (played.errors, tokens(played.whole["requests"])) == ([None], sent)
    assert played.comprehensive == played.curated == recorded


@pytest.mark.parametrize(
    ("script", "config", "sent", "error", "texts"),
    [
        pytest.param([events(hop("A"), ending="cut")], None, [""], "transport", ["A"], id="no token had come"),
        pytest.param(
            [events(hop("A", token=T1), ending="cut")],
            {"automatic_continuation": False},
            [""],
            "transport",
            ["A"],
            id="switched off",
        ),
        pytest.param([events(FIRST), failure()], None, ["", "t1"], "api", ["A"], id="a status is told at once"),
        pytest.param([events(FIRST), events(ERROR)], None, ["", "t1"], "api", ["A"], id="an error event first, too"),
        pytest.param(
            [events(FIRST), events(hop("B"), ending="cut")],
            None,
            ["", "t1"],
            "transport",
            ["A", "B"],
            id="cut off after text without a new token",
        ),
        pytest.param(
            [events(FIRST), LOST, LOST, LOST, LOST],
            None,
            ["", *["t1"] * 4],
            "transport",
            ["A"],
            id="lost a fourth time",
        ),
        pytest.param(
            [events(FIRST), LOST, events(), events(), events()],
            None,
            ["", *["t1"] * 4],
            "transport",
            ["A"],
            id="an error is told, though the last streams were only empty",
        ),
    ],
)
def test_streams_that_cannot_be_continued(
    stage: Stage,
    mode: str,
    script: list[Answer],
    config: Json | None,
    sent: list[str],
    error: str,
    texts: list[str],
) -> None:
    """The error is raised, and nothing is recorded."""
    played = stage.play_both(mode, script, Send("q", config, streamed=True))
    assert (played.errors, played.texts, tokens(played.whole["requests"])) == ([error], texts, sent)
    assert (played.comprehensive, played.curated) == (NOTHING, NOTHING)


def test_what_is_seen_of_the_chunks(stage: Stage, mode: str) -> None:
    """No finish reason that only says that it goes on; the token; and the usage of all requests so far."""
    first = events(used(hop("A"), promptTokenCount=10), used(hop("B", token=T1, end=MORE), promptTokenCount=10))
    second = events(used(hop("C"), promptTokenCount=12), hop("D"), used(hop("E", end="STOP"), promptTokenCount=13))
    for talk in stage.talks(mode, [first, second]):
        seen = list(talk.stream())
        candidates = [chunk.candidates[0] for chunk in seen]
        assert [each.finish_reason and each.finish_reason.value for each in candidates] == [None] * 4 + ["STOP"]
        assert [each.continuation_token for each in candidates] == [None, b"t1", None, None, None]
        usage = [chunk.usage_metadata for chunk in seen]
        assert [each and each.prompt_token_count for each in usage] == [10, 10, 22, None, 23]
        assert [each and each.initial_prompt_token_count for each in usage] == [10, 10, 10, None, 10]


def test_a_stream_that_is_left_is_not_continued(stage: Stage, mode: str) -> None:
    """Though it would have been."""
    played = stage.play_both(mode, [events(FIRST), END], Send(streamed=True, leave_after=1))
    assert (played.requests, played.comprehensive) == (["U(q)"], NOTHING)


# --- 13.1 and 12: each request of a tool loop ---------------------------------------------------------------------


def tools(calls: list[Any]) -> list[Any]:
    """A function."""

    def act(a: int) -> int:
        """Acts."""
        calls.append(a)
        return a

    return [act]


ACT = call("act", {"a": 1})
DONE = hop("done", end="STOP")
MADE = "U(made act result=1)"


@pytest.mark.parametrize(
    ("answers", "whole", "streamed"),
    [
        pytest.param(
            [FIRST, hop(ACT, end="STOP"), DONE],
            f"U(q) M(A, call act a=1) {MADE} M(done)",
            f"U(q) M(A) M(call act a=1) {MADE} M(done)",
            id="a call at the end of a continued answer",
        ),
        pytest.param(
            [hop(ACT, token=T1, end=MORE), LAST, DONE],
            f"U(q) M(call act a=1, C) {MADE} M(done)",
            f"U(q) M(call act a=1) M(C) {MADE} M(done)",
            id="a call at its beginning",
        ),
        pytest.param(
            [hop(ACT, end="STOP"), FIRST, LAST],
            f"U(q) M(call act a=1) {MADE} M(A, C)",
            f"U(q) M(call act a=1) {MADE} M(A) M(C)",
            id="the answer to the results is continued",
        ),
    ],
)
def test_continued_answers_call_functions(
    stage: Stage, mode: str, answers: list[Json], whole: str, streamed: str
) -> None:
    """Once, when all of it has come."""
    for recorded, script in ((whole, answered(*answers)), (streamed, list(map(events, answers)))):
        send = Send(streamed=recorded is streamed)
        played = stage.play_both(mode, script, send, tools=tools)
        assert (played.errors, played.calls, len(played.requests)) == ([None], [1], 3)
        assert played.comprehensive == played.curated == recorded


def test_continuations_do_not_count_as_requests_of_the_loop(stage: Stage, mode: str) -> None:
    """So a maximum of 2 leaves one round, however many requests its answer took."""
    answers = [FIRST, hop("B", token=T2, end=MORE), hop(ACT, end="STOP"), hop(ACT, end="STOP")]
    config = {"automatic_function_calling": {"maximum_remote_calls": 2}}
    played = stage.play_both(mode, answered(*answers), tools=tools, config=config)
    assert (played.calls, tokens(played.whole["requests"])) == ([1], ["", "t1", "t2", ""])
    assert played.curated == f"U(q) M(A, B, call act a=1) {MADE} M(call act a=1)"


def test_a_call_of_a_continued_stream_that_fails(stage: Stage, mode: str) -> None:
    """On purpose: google-genai has made the call when it came; here nothing was done for what is forgotten."""
    script = [events(hop(ACT, token=T1, end=MORE)), failure()]
    theirs, ours = stage.play_each(mode, script, Send(streamed=True), tools=tools)
    assert (theirs.calls, ours.calls) == ([1], [])
    assert theirs.errors == ours.errors == ["api"]
    assert theirs.comprehensive == ours.comprehensive == NOTHING


def test_without_a_chat_answers_are_continued_too(stage: Stage, mode: str) -> None:
    """As in one."""
    for library in stage.libraries:
        talk: Talk = stage.talk(library, mode, answered(FIRST, LAST))
        with library.around():
            response = talk.wait(talk.client.models.generate_content(model="m", contents="q"))
        assert [part.text for part in response.candidates[0].content.parts] == ["A", "C"]
        assert tokens(list(map(body_of, talk.line.requests))) == ["", "t1"]
