"""One answer over several requests: when another follows, what is seen of it, and which error is told."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import (
    APIError,
    ChatProtoError,
    ClientError,
    ConnectionLost,
    CredentialError,
    MalformedResponse,
    RemoteProtocolError,
    ResponseTooLarge,
    ServerError,
    TimedOut,
    TransportError,
    UploadFailed,
    ValidationError,
)
from chatproto.machines.continuation import MAX_HOPS, MAX_RECONNECTS, Continuation
from chatproto.machines.merging import merge
from chatproto.machines.reading import Reader
from chatproto.testing.strategies import json_values, responses
from chatproto.types import HttpResponse

Json = dict[str, Any]

T1, T2, T3 = "dDE=", "dDI=", "dDM="
MORE = "CONTINUATION"
LOST = ConnectionLost("reset", cause="OSError")
REFUSED = APIError.of(503, {"error": {"code": 503}})


def chunk(text: str = "", reason: Any = None, token: Any = None, prompt: int | None = None, **beside: Any) -> Json:
    """A response with one candidate."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}] if text else []}}
    if reason is not None:
        candidate["finishReason"] = reason
    if token is not None:
        candidate["continuationToken"] = token
    usage = {} if prompt is None else {"usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}
    return {"candidates": [candidate], **usage, **beside}


Hop = tuple[list[Json], ChatProtoError | None]


@attrs.define
class Run:
    """What came of a script of hops."""

    tokens: list[str | None]  # that each hop sent
    shown: list[Json | None]
    follows: bool
    error: ChatProtoError | None


def run(state: Continuation, *hops: Hop) -> Run:
    """Drive ``state`` through ``hops``, as far as it asks for them."""
    made = Run([], [], follows=True, error=None)
    for documents, error in hops:
        assert made.follows, "more hops in the script than were asked for"
        state.begin()
        made.tokens.append(state.token)
        made.shown += [state.observe(document) for document in documents]
        made.follows = state.end(error)
        assert state.error is None or not made.follows
    made.error = state.error
    return made


def stream(*hops: Hop, enabled: bool = True) -> Run:
    """A streamed answer."""
    return run(Continuation(enabled=enabled, streamed=True), *hops)


def unary(*hops: Hop, enabled: bool = True) -> Run:
    """An answer that is not streamed."""
    return run(Continuation(enabled=enabled, streamed=False), *hops)


def texts(shown: list[Json | None]) -> list[str]:
    """The texts of all parts."""
    found = [document["candidates"][0]["content"]["parts"] for document in shown if document is not None]
    return [part["text"] for parts in found for part in parts]


# --- one document a hop -------------------------------------------------------------------------------------------


def test_a_unary_answer_is_merged() -> None:
    """It is asked for with the latest token, and handed out when it is whole."""
    hops = [
        ([chunk("A", MORE, T1, prompt=3)], None),
        ([chunk("B", None, T2, prompt=4)], None),
        ([chunk("C", "STOP", prompt=5)], None),
    ]
    made = unary(*hops)
    assert made.tokens == [None, T1, T2]
    assert made.shown[:2] == [None, None]
    assert made.shown[2] == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "A"}, {"text": "B"}, {"text": "C"}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12},
    }
    assert (made.follows, made.error) == (False, None)


@pytest.mark.parametrize(
    "document",
    [
        chunk("A", "STOP"),
        chunk("A", "STOP", T1),
        chunk("A", "MAX_TOKENS", T1),
        chunk("A", "FINISH_REASON_UNSPECIFIED", T1),
        chunk("A", 0, T1),
        chunk("A", 17, T1),
        chunk("A", "BRAND_NEW", T1),
        chunk("A", ["CONTINUATION"], T1),
        chunk("A", MORE),
        chunk("A", MORE, ""),
        chunk("A", MORE, "!"),
        chunk("A", MORE, 5),
        chunk("A"),
        {},
        {"candidates": []},
        {"candidates": [None, chunk("A", MORE, T1)["candidates"][0]]},
        {"candidates": {}},
        {"candidates": [{}, chunk("A", MORE, T1)["candidates"][0]]},
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_ends_an_answer(document: Json, streamed: bool) -> None:
    """Any reason but CONTINUATION, and a response without a token; of several candidates the first decides."""
    made = run(Continuation(enabled=True, streamed=streamed), ([document], None))
    assert made.shown[0] is document
    assert (made.follows, made.error) == (False, None)


@pytest.mark.parametrize(
    "document",
    [
        chunk("A", MORE, T1),
        chunk("A", None, T1),
        chunk("A", "continuation", T1),
        chunk("A", "", T1),
        {"candidates": [{"finish_reason": MORE, "continuation_token": T1}]},
        {"candidates": [{"finishReason": None, "continuationToken": T1}]},
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_what_goes_on(document: Json, streamed: bool, enabled: bool) -> None:
    """A token, and CONTINUATION or no reason at all, in either spelling; unless the caller does not want it."""
    before = copy.deepcopy(document)
    state = Continuation(enabled=enabled, streamed=streamed)
    made = run(state, ([document], None))
    assert made.follows is enabled
    assert state.token == (T1 if enabled else None)
    assert document == before
    if not enabled:
        assert made.shown == [document]
        assert made.error is None


def test_a_unary_hop_that_fails() -> None:
    """The error is told, and what had come is there."""
    state = Continuation(enabled=True, streamed=False)
    first, second = chunk("A", MORE, T1, prompt=3), chunk("B", MORE, T2, prompt=4)
    made = run(state, ([first], None), ([second], None), ([], LOST))
    assert (made.follows, made.error) == (False, LOST)
    assert state.merged == merge(first, second)
    assert state.initial_prompt_tokens == 3
    assert unary(([], LOST)) == Run([None], [], follows=False, error=LOST)
    assert Continuation(enabled=True, streamed=False).merged is None


def test_a_unary_feedback_does_not_end_it() -> None:
    """As in google-genai, where only a stream looks at it."""
    assert unary(([chunk("A", MORE, T1, promptFeedback={})], None)).follows
    assert not stream(([chunk("A", MORE, T1, promptFeedback={})], None)).follows


@pytest.mark.parametrize("streamed", [False, True])
def test_the_cap(streamed: bool) -> None:
    """A server that repeats itself is not asked for ever (W40): the error says so, and the partial answer is there."""
    tokens = [T1] * MAX_HOPS if not streamed else [T1, T2] * (MAX_HOPS // 2)
    state = Continuation(enabled=True, streamed=streamed)
    made = run(state, *(([chunk("A", MORE, token)], None) for token in tokens))
    assert state.hops == len(made.tokens) == MAX_HOPS
    assert not made.follows
    assert type(made.error) is RemoteProtocolError
    assert str(made.error) == "the answer is not whole after 64 requests"
    if not streamed:
        assert state.merged is not None
        assert texts([state.merged]) == ["A"] * MAX_HOPS
        assert set(made.shown) == {None}


def test_the_cap_tells_an_error_that_happened() -> None:
    """Where the stream broke off in the last hop that is allowed, that is why it is not whole."""
    hops: list[Hop] = [([chunk("A", MORE, token)], None) for token in [T1, T2] * (MAX_HOPS // 2 - 1)]
    made = stream(*hops, ([chunk("A", MORE, T1)], None), ([chunk("A", None, T2)], LOST))
    assert (made.follows, made.error) == (False, LOST)


# --- streams ------------------------------------------------------------------------------------------------------


def test_a_stream_goes_on() -> None:
    """The reason that only says so is not shown; each hop's latest usage is added to that of the hops before."""
    made = stream(
        ([chunk("A", prompt=1), chunk("B", prompt=3), chunk("", MORE, T1)], None),
        ([chunk("C", prompt=10), chunk("D", "STOP", prompt=20)], None),
    )
    assert made.tokens == [None, T1]
    assert (made.follows, made.error) == (False, None)
    assert texts(made.shown) == ["A", "B", "C", "D"]
    shown = [document for document in made.shown if document is not None]
    assert [document["candidates"][0].get("finishReason") for document in shown] == [None, None, None, None, "STOP"]
    assert "finishReason" not in shown[2]["candidates"][0]
    assert shown[2]["candidates"][0]["continuationToken"] == T1
    counts = [document.get("usageMetadata", {}).get("totalTokenCount") for document in shown]
    assert counts == [1, 3, None, 13, 23]


def test_other_candidates_keep_their_reason() -> None:
    """Only the first is cleared, and nothing else of the chunk is changed; unknown fields stay."""
    second = {"finishReason": MORE, "continuationToken": T2, "index": 1}
    first = chunk("A", MORE, T1, xNew=[1])
    first["candidates"][0]["xNew"] = {}
    first["candidates"].append(second)
    before = copy.deepcopy(first)
    (shown,) = stream(([first], None)).shown
    assert first == before
    assert shown is not None
    assert shown["candidates"][1] is second
    assert shown["xNew"] == [1]
    before["candidates"][0].pop("finishReason")
    assert shown == before


@pytest.mark.parametrize(
    ("hops", "tokens", "error"),
    [
        pytest.param([([chunk("A")], LOST)], [None], LOST, id="no token"),
        pytest.param([([], LOST)], [None], LOST, id="nothing at all"),
        pytest.param([([chunk("A")], None)], [None], None, id="cut, and no token"),
        pytest.param([([chunk("A", token=T1)], LOST), ([chunk("B", "STOP")], None)], [None, T1], None, id="resumed"),
        pytest.param(
            [([chunk("A", token=T1), chunk("B", token=T2)], None), ([chunk("C", "STOP")], None)],
            [None, T2],
            None,
            id="the latest token",
        ),
        pytest.param(
            [([chunk("A", token=T1)], MalformedResponse("bad")), ([chunk("B", "STOP")], None)],
            [None, T1],
            None,
            id="bytes that are no answer",
        ),
        pytest.param([([], REFUSED)], [None], REFUSED, id="refused"),
        pytest.param([([chunk("A", token=T1)], LOST), ([], REFUSED)], [None, T1], REFUSED, id="refused later"),
        pytest.param(
            [([chunk("A", token=T1)], REFUSED), ([chunk("B", "STOP")], None)],
            [None, T1],
            None,
            id="an error after the first chunk is like any other",
        ),
        pytest.param([([chunk("A", "STOP", T1)], LOST)], [None], LOST, id="an error after the end"),
        pytest.param(
            [([chunk("A", MORE, T1)], None), ([chunk("B")], LOST)], [None, T1], LOST, id="text and no new token"
        ),
        pytest.param([([chunk("A", MORE, T1)], None), ([chunk("B")], None)], [None, T1], None, id="cut after text"),
        pytest.param(
            [([chunk("A", MORE, T1)], None), ([chunk("", MORE, T1)], None)], [None, T1], None, id="the same token"
        ),
        pytest.param(
            [([chunk("A", MORE, "_-8=")], None), ([chunk("", MORE, "/+8")], None)],
            [None, "_-8="],
            None,
            id="the same token in other base64",
        ),
        pytest.param([([chunk("A", MORE, T1)], None), ([chunk("B", MORE)], None)], [None, T1], None, id="no new token"),
        pytest.param(
            [([chunk("A", MORE, T1)], None), *[([], LOST)] * 3, ([], TimedOut("t"))],
            [None, *[T1] * 4],
            "t",
            id="the last error",
        ),
        pytest.param(
            [([chunk("A", MORE, T1)], None), *[([], LOST)] * 3, ([chunk()], None)],
            [None, *[T1] * 4],
            LOST,
            id="told although the last hop ended by itself",
        ),
        pytest.param(
            [([chunk("A", MORE, T1)], None), *[([chunk()], None)] * 4],
            [None, *[T1] * 4],
            None,
            id="never invented",
        ),
        pytest.param(
            [
                ([chunk("A", MORE, T1)], None),
                *[([], LOST)] * 3,
                ([chunk("", token=T2)], None),
                *[([], None)] * 4,
            ],
            [None, *[T1] * 4, *[T2] * 4],
            None,
            id="progress forgets errors and begins to count again",
        ),
        pytest.param(
            [([chunk("A", MORE, T1)], None), ([], LOST), ([chunk("B")], None)],
            [None, T1, T1],
            None,
            id="text is progress",
        ),
        pytest.param(
            [([chunk("A", MORE, T1)], None), ([], LOST), ([chunk("", "STOP")], None)],
            [None, T1, T1],
            None,
            id="an end is an end",
        ),
        pytest.param(
            [([chunk("A", token=T1), {"promptFeedback": {"blockReason": "SAFETY"}}], None)],
            [None],
            None,
            id="feedback ends it",
        ),
        pytest.param(
            [([chunk("A", MORE, T1)], None), ([], LOST), ([{"promptFeedback": {}}], None)],
            [None, T1, T1],
            None,
            id="feedback without an error",
        ),
    ],
)
def test_streams_that_break(hops: list[Hop], tokens: list[str | None], error: ChatProtoError | str | None) -> None:
    """When a stream is taken up again, where, and what is told when it is not."""
    made = stream(*hops)
    assert made.tokens == tokens
    assert not made.follows
    assert made.error is error if not isinstance(error, str) else str(made.error) == error


def test_a_token_before_the_end_is_void() -> None:
    """A reason that ends the answer takes back the token of a chunk before it; nothing is cleared after that."""
    made = stream(([chunk("A", token=T1), chunk("", "STOP"), chunk("", MORE)], None))
    assert not made.follows
    assert [shown and shown["candidates"][0].get("finishReason") for shown in made.shown] == [None, "STOP", MORE]


def test_most_chunks_are_handed_out_as_they_came() -> None:
    """The same object, where there is nothing to change."""
    documents = [chunk("A", token=T1, prompt=1), chunk("B"), chunk("", "STOP", prompt=2)]
    assert all(shown is document for shown, document in zip(stream((documents, None)).shown, documents, strict=True))


def test_reconnects() -> None:
    """The number is google-genai's."""
    assert MAX_RECONNECTS == 3


@pytest.mark.parametrize("streamed", [False, True])
def test_initial_prompt_tokens(streamed: bool) -> None:
    """Those of the first hop that told any, from the second hop on."""
    state = Continuation(enabled=True, streamed=streamed)
    assert state.initial_prompt_tokens is None
    document = chunk("A", MORE, T1)
    document["usageMetadata"] = {"promptTokenCount": "7"}
    run(state, ([document], None))
    assert state.initial_prompt_tokens is None
    run(state, ([chunk("A", MORE, T2, prompt=5)], None))
    assert state.initial_prompt_tokens == 7
    assert run(state, ([chunk("A", "STOP", prompt=5)], None)).shown[-1]["usageMetadata"]["promptTokenCount"] == 17  # type: ignore[index]
    assert state.initial_prompt_tokens == 7


# --- as google-genai does it --------------------------------------------------------------------------------------

_TEXTS = st.sampled_from(["", "a", "b"])
_REASONS = st.sampled_from([None, None, None, MORE, MORE, "STOP", "FINISH_REASON_UNSPECIFIED", "MAX_TOKENS"])
_TOKENS = st.sampled_from([None, None, T1, T2, T3, "_-8=", "/+8="])
_COUNTS = st.integers(0, 9) | st.integers(0, 9).map(str)
_USAGE = st.fixed_dictionaries(
    {},
    optional={
        "promptTokenCount": _COUNTS,
        "totalTokenCount": _COUNTS,
        "promptTokensDetails": st.lists(
            st.builds(lambda count: {"modality": "TEXT", "tokenCount": count}, _COUNTS), max_size=2
        ),
    },
)


@st.composite
def chunks(draw: st.DrawFn) -> Json:
    """A chunk of fields that google-genai knows."""
    document = chunk(draw(_TEXTS), draw(_REASONS), draw(_TOKENS))
    match draw(st.integers(0, 11)):
        case 0:
            document = {}
        case 1:
            document = {"candidates": []}
        case 2:
            document["candidates"].append(chunk(draw(_TEXTS), draw(_REASONS), draw(_TOKENS))["candidates"][0])
        case 3:
            document["promptFeedback"] = draw(st.sampled_from([{}, {"blockReason": "SAFETY"}]))
        case 4:
            del document["candidates"][0]["content"]
        case _:
            pass
    if draw(st.booleans()):
        document["usageMetadata"] = draw(_USAGE)
    return document


_ERRORS = st.sampled_from([None, None, LOST, LOST, TimedOut("late"), MalformedResponse("bad"), REFUSED])
SCRIPTS = st.lists(st.tuples(st.lists(chunks(), max_size=3), _ERRORS), min_size=1, max_size=10)


class Twin:
    """google-genai's own state of a stream, fed with the same documents."""

    def __init__(self, *, enabled: bool) -> None:
        pytest.importorskip("google.genai", reason="google-genai is not installed")
        from google.genai import _extra_utils, errors, models, types

        self._models, self._types = models, types
        self._state = _extra_utils.StreamContinuation(types.GenerateContentConfig(automatic_continuation=enabled))
        self._refused: type[Exception] = errors.APIError

    def begin(self) -> Any:
        config: Any = self._state.start_hop()
        return config.continuation_token

    def read(self, document: Json) -> Any:
        response = self._models._GenerateContentResponse_from_mldev(copy.deepcopy(document))
        return self._types.GenerateContentResponse._from_response(response=response, kwargs={"config": {}})

    def observe(self, document: Json) -> Any:
        return self._state.observe(self.read(document))

    def end(self, error: ChatProtoError | None) -> tuple[bool, ChatProtoError | None]:
        """Whether another hop follows, or which error is raised: ours, carried by one of theirs."""
        carried: Exception | None = error
        if isinstance(error, APIError):
            carried = self._refused(error.code, error.details)
            carried.__cause__ = error
        try:
            return self._state.end_hop(carried), None
        except Exception as raised:  # noqa: BLE001
            told = raised if isinstance(raised, ChatProtoError) else raised.__cause__
            assert isinstance(told, ChatProtoError)
            return False, told


COPIES: list[Callable[[Continuation], Continuation]] = [
    lambda state: state,
    copy.copy,
    copy.deepcopy,
    lambda state: pickle.loads(pickle.dumps(state)),
    lambda state: Continuation.read(Reader(json.loads(json.dumps(state.to_json())))),
]


def same_error(left: ChatProtoError | None, right: ChatProtoError | None) -> bool:
    """Whether two errors say the same."""
    return (type(left), str(left)) == (type(right), str(right))


@given(SCRIPTS, st.sampled_from([True, True, True, False]))
def test_streams_go_as_google_genais(script: list[Hop], enabled: bool) -> None:
    """What is yielded, with which token each hop is asked for, when it stops, and which error is told."""
    state, twin = Continuation(enabled=enabled, streamed=True), Twin(enabled=enabled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of google-genai's, about its own enums
        for documents, error in script:
            state.begin()
            sent = twin.read({"candidates": [{"continuationToken": state.token}]}).candidates[0].continuation_token
            assert sent == twin.begin()
            for document in documents:
                shown = state.observe(document)
                assert shown is not None
                ours, theirs = twin.read(shown), twin.observe(document)
                if ours.usage_metadata is not None and state.initial_prompt_tokens is not None:
                    ours.usage_metadata._initial_prompt_token_count = state.initial_prompt_tokens
                assert ours.model_dump() == theirs.model_dump()
                if theirs.usage_metadata is not None:
                    expected = theirs.usage_metadata.initial_prompt_token_count
                    assert ours.usage_metadata.initial_prompt_token_count == expected
            follows, told = twin.end(error)
            assert state.end(error) is follows
            assert state.error is told
            if not follows:
                break


def _decides(document: Json) -> bool:
    """Whether there is anything in a document that only ``observe`` may see."""
    candidate = document["candidates"][0] if document.get("candidates") else {}
    return "promptFeedback" in document or not {"finishReason", "continuationToken"}.isdisjoint(candidate)


@given(SCRIPTS, st.booleans())
def test_what_only_says_more_passes(script: list[Hop], streamed: bool) -> None:
    """A response that decides nothing may be passed on: that comes to the same as observing it."""
    state, passing = (Continuation(enabled=True, streamed=streamed) for _ in range(2))
    for documents, error in script:
        state.begin()
        passing.begin()
        for document in documents if streamed else documents[:1]:
            passed = not _decides(document) and passing.passes(document)
            assert (document if passed else passing.observe(document)) == state.observe(document)
            assert passing.to_json() == state.to_json()
        follows = state.end(error)
        assert passing.end(error) is follows
        assert same_error(passing.error, state.error)
        if not follows:
            break


@given(SCRIPTS, st.booleans(), st.data())
def test_copies_go_on_alike(script: list[Hop], streamed: bool, data: st.DataObject) -> None:
    """Copied, pickled or written as JSON and read again, at any step, it goes on as it would have."""
    state = other = Continuation(enabled=True, streamed=streamed)

    def swap() -> Continuation:
        left_behind = other
        made = data.draw(st.sampled_from(COPIES))(other)
        if made is not left_behind:
            # What happens to the one does not happen to the other.
            before = left_behind.to_json()
            throwaway = copy.copy(left_behind)
            throwaway.observe(chunk("z", "STOP", prompt=9))
            throwaway.end(LOST)
            assert left_behind.to_json() == before
        return made

    for documents, error in script:
        state.begin()
        other = copy.copy(state) if other is state else other
        if other.hops < state.hops:
            other.begin()
        for document in documents if streamed else documents[:1]:
            other = swap()
            assert other.observe(document) == state.observe(document)
        other = swap()
        follows = state.end(error)
        assert other.end(error) is follows
        other = swap()
        assert same_error(other.error, state.error)
        assert (other.token, other.hops, other.merged) == (state.token, state.hops, state.merged)
        assert other.initial_prompt_tokens == state.initial_prompt_tokens
        assert other.to_json() == state.to_json()
        if not follows:
            break


@given(st.lists(chunks(), min_size=1, max_size=8))
def test_unary_answers_go_as_google_genais(documents: list[Json]) -> None:
    """When a unary answer is asked on, with which token, and what is handed out in the end."""
    from google.genai import _extra_utils

    state, twin = Continuation(enabled=True, streamed=False), Twin(enabled=True)
    read: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of google-genai's, about its own enums
        for document in documents:
            state.begin()
            handed = state.observe(document)
            read.append(twin.read(document))
            token = _extra_utils.should_continue_generation(read[-1])
            assert (handed is None) is bool(token)
            assert state.end(None) is bool(token)
            assert state.error is None
            assert state.merged is not None
            expected = _extra_utils.merge_continuation_responses(read)
            found = twin.read(state.merged)
            assert found.model_dump() == expected.model_dump()
            if expected.usage_metadata is not None and state.initial_prompt_tokens is not None:
                assert state.initial_prompt_tokens == expected.usage_metadata.initial_prompt_token_count
            if not token:
                assert handed is state.merged
                break
            sent = twin.read({"candidates": [{"continuationToken": state.token}]}).candidates[0].continuation_token
            assert sent == token


@given(st.lists(responses() | st.fixed_dictionaries({"candidates": json_values()}), max_size=4), st.booleans())
def test_no_document_breaks_it(documents: list[Json], streamed: bool) -> None:
    """L12: whatever the server sends, no exception comes of it, and what came is not changed."""
    before = copy.deepcopy(documents)
    state = Continuation(enabled=True, streamed=streamed)
    for document in documents:
        state.begin()
        shown = state.observe(document)
        assert shown is not None or not streamed
        if shown is not None and streamed:
            assert shown.keys() == document.keys()
        if not state.end(None):
            break
    assert documents == before


# --- as JSON ------------------------------------------------------------------------------------------------------


class _Foreign(ConnectionLost):
    """An error of a transport's own."""


ALL_ERRORS: list[tuple[ChatProtoError, type[ChatProtoError]]] = [
    (LOST, ConnectionLost),
    (TimedOut("late"), TimedOut),
    (TransportError("x", cause="y"), TransportError),
    (_Foreign("x", cause="y"), ConnectionLost),
    (MalformedResponse("bad", where="$.a", excerpt="{"), MalformedResponse),
    (ValidationError("bad", path="$.a"), ValidationError),
    (CredentialError("bad"), CredentialError),
    (RemoteProtocolError("bad"), RemoteProtocolError),
    (ResponseTooLarge("bad"), ResponseTooLarge),
    (UploadFailed("bad", sent=1, total=2), RemoteProtocolError),
    (ChatProtoError("bad"), ChatProtoError),
    (APIError.of(404, "text"), ClientError),
    (
        APIError.of(
            500, {"error": {"message": "m"}}, HttpResponse(headers={"retry-after": "2"}, body="{}"), retry_after=2.0
        ),
        ServerError,
    ),
]


@pytest.mark.parametrize(("error", "kind"), ALL_ERRORS, ids=lambda each: getattr(each, "__name__", None))
def test_errors_as_json(error: ChatProtoError, kind: type[ChatProtoError]) -> None:
    """An error comes back as what it was, or as its nearest base in the tree."""
    state = Continuation(enabled=True, streamed=False)
    run(state, ([], error))
    back = Continuation.read(Reader(json.loads(json.dumps(state.to_json())))).error
    assert type(back) is kind
    assert str(back) == str(error)
    if kind is type(error):
        assert vars(back) == vars(error)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"enabled": 1}, "$.enabled"),
        ({"hops": "2"}, "$.hops"),
        ({"token": 1}, "$.token"),
        ({"merged": []}, "$.merged"),
        ({"hop": None}, "$.hop"),
        ({"hop": {"token": 1}}, "$.hop.token"),
        ({"error": {}}, "$.error.class"),
        ({"lastError": {"class": "SystemExit"}}, "$.lastError.class"),
        ({"lastError": {"class": "TimedOut", "problem": 1}}, "$.lastError.problem"),
        ({"lastError": {"class": "ServerError", "code": "500"}}, "$.lastError.code"),
        (
            {"lastError": {"class": "ServerError", "code": 5, "response": {"headers": 1}}},
            "$.lastError.response",
        ),
    ],
)
def test_json_that_is_none_of_ours(change: Json, path: str) -> None:
    """The error says where it is wrong."""
    document = Continuation(enabled=True, streamed=True).to_json() | change
    with pytest.raises(ValidationError) as caught:
        Continuation.read(Reader(document))
    assert caught.value.path == path
