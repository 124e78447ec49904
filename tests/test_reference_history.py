"""Law L17 for chats without tools: what google-genai 3.4.0 remembers, case by case, and ``compat="google-genai"`` too.

Each row is played in both libraries. It must come to what the row says, and the libraries to the same in all that can
be compared: requests, answers, errors and histories. Where chatproto differs on purpose, the row says how and why.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import attrs
import pytest
from differential.answers import SSE, Answer
from differential.server import Line
from PIL import Image
from reference_chats import (
    MODES,
    Send,
    Stage,
    Talk,
    answered,
    body_of,
    call,
    events,
    failure,
    says,
    to_contents,
)

from chatproto.testing.servers import LoopbackServer, Received, head

Json = dict[str, Any]
USAGE: Json = {"usageMetadata": {"totalTokenCount": 3}}
BLOCKED: Json = {"promptFeedback": {"blockReason": "SAFETY"}}
NOTHING = ""


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


# --- 7.1: a chat is made with a config and a history --------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "curated"),
    [
        pytest.param("U(a) M(b)", "U(a) M(b)", id="a question and its answer are kept"),
        pytest.param("U(a) M([]) U(c)", "U(c)", id="an empty answer goes with its question"),
        pytest.param("U(a) M(b) M([]) U(c)", "U(c)", id="one empty content takes the whole answer along"),
        pytest.param("U(a) M([]) M(b) U(c)", "U(c)", id="also if it comes first"),
        pytest.param("U(z) M(y) U(a) M(b) M(c) M([]) M(d)", "U(z) M(y)", id="and nothing of the turn before"),
        pytest.param("U(a) U(b) M([])", "U(a)", id="only the last of several questions goes"),
        pytest.param("M(b)", "M(b)", id="an answer without a question is kept"),
        pytest.param("M([])", NOTHING, id="an empty answer at the start takes nothing along"),
        pytest.param("M(a) M([]) U(c)", "U(c)", id="nor does a longer one at the start"),
        pytest.param("U(a) M(b, {})", NOTHING, id="a part that says nothing makes an answer empty"),
        pytest.param("U(a) M(None)", NOTHING, id="an answer without a list of parts is empty"),
        pytest.param("U(a) M('')", "U(a) M('')", id="an empty text is an answer"),
        pytest.param("U([])", "U([])", id="an empty question is kept"),
        pytest.param("U({}) M(b)", "U({}) M(b)", id="so is a question that says nothing"),
        pytest.param("U(a) M(b) U(c)", "U(a) M(b) U(c)", id="a question that waits is kept, and another follows it"),
    ],
)
def test_a_given_history_is_curated(stage: Stage, mode: str, given: str, curated: str) -> None:
    """The comprehensive history is what was given; the curated one is sent before the next message."""
    for talk in stage.talks(mode, history=lambda types: to_contents(given, types)):
        assert (talk.comprehensive, talk.curated) == (given, curated)
        talk.send("n")
        assert talk.requests == [f"{curated} U(n)".strip()]
        assert talk.comprehensive == f"{given} U(n) M(Z)"


@attrs.define
class AttrsPart:
    """A part of text."""

    text: str


@attrs.define
class AttrsContent:
    """A content."""

    role: str
    parts: list[AttrsPart]


@dataclasses.dataclass
class DataclassContent:
    """A content."""

    role: str
    parts: list[Json]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        pytest.param(None, NOTHING, id="None is no history"),
        pytest.param([], NOTHING, id="neither is an empty list"),
        pytest.param([{"role": "user", "parts": [{"text": "a"}]}], "U(a)", id="dicts"),
        pytest.param([{"role": "user", "parts": [{"inlineData": {"data": "AAAA"}}]}], "U(inline_data)", id="camelCase"),
        pytest.param([AttrsContent("user", [AttrsPart("a")])], "U(a)", id="objects of attrs"),
        pytest.param([DataclassContent("user", [{"text": "a"}])], "U(a)", id="dataclasses"),
        pytest.param(
            lambda types: [types.UserContent("a"), types.ModelContent("b")], "U(a) M(b)", id="kinds of Content"
        ),
        pytest.param(lambda types: tuple(to_contents("U(a) M(b)", types)), "U(a) M(b)", id="a tuple"),
    ],
)
def test_contents_of_a_given_history_may_have_many_forms(stage: Stage, given: Any, taken: str) -> None:
    """Whatever has the fields of a Content."""
    for talk in stage.talks("sync", history=given):
        assert talk.comprehensive == talk.curated == taken


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lambda types: to_contents("U(a) ?(b)", types), id="a content without a role"),
        pytest.param(lambda types: to_contents("system(a)", types), id="another role"),
        pytest.param(["a"], id="text"),
        pytest.param([{"role": 5}], id="a role that is no text"),
    ],
)
def test_a_history_that_cannot_be_used_is_refused(stage: Stage, given: Any) -> None:
    """When the chat is made, with a ValueError."""
    for library in stage.libraries:
        talk = stage.talk(library, "sync")
        with pytest.raises(ValueError):
            talk.create(history=given)


def test_unknown_fields_in_a_given_history_are_kept(stage: Stage) -> None:
    """On purpose: google-genai refuses them; a saved chat may have been made with a later version."""
    given = [{"role": "user", "parts": [{"text": "a", "brandNew": 1}]}]
    theirs, ours = (stage.talk(library, "sync") for library in stage.libraries)
    assert theirs.failed(lambda: theirs.create(history=given)) == {"family": "validation"}
    ours.create(history=given).send("n")
    assert body_of(ours.line.requests[0])["contents"][0]["parts"] == [{"text": "a", "brandNew": 1}]


def test_the_list_that_was_given_is_copied_and_its_contents_are_not(stage: Stage) -> None:
    """So changing a Content is felt, and changing the list is not."""
    for library in stage.libraries:
        talk = stage.talk(library, "sync")
        given = to_contents("U(a) M(b)", talk.types)
        talk.create(history=given)
        assert talk.chat.get_history()[0] is given[0]
        given[0].parts[0].text = "changed"
        given.append(talk.types.UserContent("c"))
        talk.send("n")
        assert talk.requests == ["U(changed) M(b) U(n)"]


@attrs.define
class Thinking:
    """A thinking_config."""

    include_thoughts: bool


@attrs.define
class Settings:
    """A config."""

    temperature: float


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        pytest.param(None, {}, id="None"),
        pytest.param({}, {}, id="an empty dict"),
        pytest.param({"temperature": 0.5}, {"temperature": 0.5}, id="a dict"),
        pytest.param({"topK": 5}, {"top_k": 5}, id="a dict in camelCase"),
        pytest.param(lambda types: types.GenerateContentConfig(top_p=0.5), {"top_p": 0.5}, id="a config"),
        pytest.param(
            {"thinking_config": Thinking(include_thoughts=True)},
            {"thinking_config": {"include_thoughts": True}},
            id="an object of attrs inside a dict",
        ),
    ],
)
def test_a_config_may_have_many_forms(stage: Stage, config: Any, sent: Json) -> None:
    """For the chat and for one message. A chat always sends a ``generationConfig``."""
    for talk in stage.talks("sync", config=config):
        talk.send("q")
        talk.create().send("q", config)
        assert [body_of(each)["generation_config"] for each in talk.line.requests] == [sent, sent]


@pytest.mark.parametrize(
    "config", [pytest.param({"nope": 1}, id="unknown key"), pytest.param({"temperature": "x"}, id="wrong type")]
)
def test_a_config_that_cannot_be_used_is_refused(stage: Stage, mode: str, config: Json) -> None:
    """When the chat is made, or when the message is sent, and then nothing is."""
    for library in stage.libraries:
        talk = stage.talk(library, mode)
        assert talk.failed(partial(talk.create, config)) == {"family": "validation"}
        talk.create()
        assert talk.failed(partial(talk.send, "q", config)) == {"family": "validation"}
        assert (talk.requests, talk.comprehensive) == ([], NOTHING)


@pytest.mark.parametrize(
    ("config", "refused"), [pytest.param(Settings(0.5), False, id="attrs"), pytest.param("x", True, id="text")]
)
def test_other_objects_as_a_config(stage: Stage, mode: str, config: Any, *, refused: bool) -> None:
    """On purpose: google-genai takes any object and fails at the message; here it is used, or refused at once."""
    theirs, ours = (stage.talk(library, mode) for library in stage.libraries)
    error = theirs.failed(theirs.create(config).send)
    assert error is not None
    assert error["family"].startswith("AttributeError")
    if refused:
        assert ours.failed(lambda: ours.create(config)) == {"family": "validation"}
    else:
        ours.create(config).send("q")
        assert body_of(ours.line.requests[0])["generation_config"] == {"temperature": 0.5}


def test_w18_the_callers_config_is_left_as_it_is(stage: Stage, mode: str) -> None:
    """On purpose: google-genai writes headers into it and reads it again at each message; here it is copied."""
    theirs, ours = (stage.talk(library, mode) for library in stage.libraries)
    configs = [talk.types.GenerateContentConfig() for talk in (theirs, ours)]
    for talk, config in zip((theirs, ours), configs, strict=True):
        talk.create(config)
        config.temperature = 0.5
        talk.send("q")
    assert configs[0].http_options.headers["user-agent"].endswith("+chat")
    assert configs[1].http_options is None
    assert body_of(theirs.line.requests[0])["generation_config"] == {"temperature": 0.5}
    assert body_of(ours.line.requests[0])["generation_config"] == {}


# --- 7.2 and 7.3: messages ----------------------------------------------------------------------------------------


class Text(str):
    """Not exactly a str."""

    __slots__ = ()


class Word(str, enum.Enum):  # noqa: UP042  # its str() is not its text, which that of a StrEnum is
    """A str that is a member of an enum."""

    HELLO = "hello"


def kind_of_part(types: Any) -> Any:
    """A Part that is not exactly one."""
    return type("OwnPart", (types.Part,), {})(text="x")


def a_call(types: Any) -> Any:
    """A part with a function call."""
    return types.Part(function_call=types.FunctionCall(name="f", args={"a": 1}))


def a_response(types: Any) -> Any:
    """A part with a function response."""
    return types.Part.from_function_response(name="f", response={"a": 1})


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param("q", "U(q)", id="text"),
        pytest.param("", "U('')", id="empty text"),
        pytest.param(["a", "b"], "U(a, b)", id="a list of texts is one content"),
        pytest.param(lambda types: types.Part(text="p"), "U(p)", id="a part"),
        pytest.param(lambda types: types.Part(), "U({})", id="a part that says nothing"),
        pytest.param(lambda types: [types.Part(text="p"), "a"], "U(p, a)", id="parts and text"),
        pytest.param(lambda types: types.File(uri="u", mime_type="a/b"), "U(file_data)", id="a file"),
        pytest.param(
            lambda types: ["a", types.File(uri="u", mime_type="a/b")], "U(a, file_data)", id="text and a file"
        ),
        pytest.param(lambda _: Image.new("RGB", (1, 1)), "U(inline_data)", id="a picture"),
        pytest.param(lambda _: ["a", Image.new("RGB", (1, 1))], "U(a, inline_data)", id="text and a picture"),
        pytest.param(a_response, "U(made f a=1)", id="a function response answers nothing, and is sent"),
        pytest.param(a_call, "M(call f a=1)", id="a function call alone is the model's"),
        pytest.param(lambda types: [a_call(types)], "U(call f a=1)", id="in a list it is the user's"),
    ],
)
def test_a_message_becomes_a_content(stage: Stage, mode: str, message: Any, said: str, *, streamed: bool) -> None:
    """It is sent and recorded so."""
    played = stage.play_both(mode, [], Send(message, streamed=streamed))
    assert played.requests == [said]
    assert played.comprehensive == played.curated == f"{said} M(Z)"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "message",
    [
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
        pytest.param(b"x", id="bytes"),
        pytest.param(lambda types: types.Content(role="user", parts=[types.Part(text="x")]), id="a Content"),
        pytest.param(lambda types: types.UserContent("x"), id="a UserContent"),
        pytest.param(lambda types: types.FunctionResponse(name="f", response={}), id="a FunctionResponse"),
        pytest.param(lambda types: types.File(name="files/a"), id="a file without its URI"),
        pytest.param(lambda types: types.File(uri="u"), id="a file without its MIME type"),
        pytest.param([], id="an empty list"),
        pytest.param([["a"]], id="a list in a list"),
        pytest.param(["a", None], id="a list with None"),
        pytest.param(lambda types: [types.UserContent("x")], id="a list of Contents"),
    ],
)
def test_a_message_of_another_kind_is_refused(stage: Stage, mode: str, message: Any, *, streamed: bool) -> None:
    """With a ValueError, and nothing is sent or recorded."""
    played = stage.play_both(mode, [], Send(message, streamed=streamed))
    assert played.errors == ["validation"]
    assert (played.requests, played.comprehensive) == ([], NOTHING)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param({"text": "a"}, "U(a)", id="a dict"),
        pytest.param([{"text": "a"}], "U(a)", id="a list of dicts"),
        pytest.param(("a", "b"), "U(a, b)", id="a tuple"),
        pytest.param(Text("a"), "U(a)", id="a kind of str"),
        pytest.param(Word.HELLO, "U(hello)", id="a member of an enum of texts"),
        pytest.param(kind_of_part, "U(x)", id="a kind of Part"),
        pytest.param(lambda types: types.Blob(data=b"x", mime_type="a/b"), "U(inline_data)", id="a Blob"),
        pytest.param(lambda types: types.FileData(file_uri="u"), "U(file_data)", id="a FileData"),
        pytest.param(
            lambda types: types.Image(image_bytes=b"x", mime_type="image/png"), "U(inline_data)", id="an Image"
        ),
    ],
)
def test_w20_messages_that_only_chatproto_takes(stage: Stage, mode: str, message: Any, said: str) -> None:
    """On purpose: google-genai refuses them, though its type hint admits most."""
    theirs, ours = stage.play_each(mode, [], Send(message))
    assert (theirs.errors, theirs.requests, theirs.comprehensive) == (["validation"], [], NOTHING)
    assert (ours.errors, ours.requests, ours.comprehensive) == ([None], [said], f"{said} M(Z)")


@pytest.mark.parametrize(
    ("arguments", "by_their_call"),
    [pytest.param((5,), {"async"}, id="a message"), pytest.param(("q", {"nope": 1}), set(), id="a config")],
)
def test_where_a_stream_refuses_its_arguments(
    stage: Stage, mode: str, arguments: tuple[Any, ...], by_their_call: set[str]
) -> None:
    """On purpose: google-genai looks at most of them when the first chunk is asked for; here the call raises."""
    theirs, ours = stage.talks(mode)

    def begun(talk: Talk) -> Any:
        return talk.wait(talk.chat.send_message_stream(*arguments))

    if mode in by_their_call:
        assert theirs.failed(lambda: begun(theirs)) == {"family": "validation"}
    else:
        chunks = begun(theirs)
        assert theirs.failed(lambda: list(theirs.each(chunks))) == {"family": "validation"}
    assert ours.failed(lambda: begun(ours)) == {"family": "validation"}


# --- 7.4: the config of one message -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "sent", "instructed"),
    [
        pytest.param(None, {"temperature": 0.5}, True, id="None leaves the chat's"),
        pytest.param({}, {"temperature": 0.5}, True, id="W19: an empty dict leaves the chat's"),
        pytest.param({"top_p": 0.5}, {"top_p": 0.5}, False, id="W19: any other replaces the whole of it"),
        pytest.param(
            lambda types: types.GenerateContentConfig(), {}, False, id="W19: an empty config replaces it, too"
        ),
    ],
)
def test_the_config_of_a_message(stage: Stage, mode: str, override: Any, sent: Json, *, instructed: bool) -> None:
    """It is not merged with the chat's, and holds for this message alone."""
    for streamed in (False, True):
        chat = {"temperature": 0.5, "system_instruction": "S"}
        played = stage.play_both(mode, [], Send("q", override, streamed), Send("r"), config=chat)
        first, second = played.whole["requests"]
        assert first["generation_config"] == sent
        assert ("system_instruction" in first) == instructed
        assert second["generation_config"] == {"temperature": 0.5}


# --- 7.5: requests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_request_has_all_that_was_said(stage: Stage, mode: str, *, streamed: bool) -> None:
    """And always a ``generationConfig``."""
    talks = stage.talks(mode, [events(says("Hi", end="STOP"))] if streamed else answered(says("Hi", end="STOP")))
    for talk in talks:
        if streamed:
            assert [chunk.text for chunk in talk.stream("Hello")] == ["Hi"]
        else:
            assert talk.send("Hello").text == "Hi"
        talk.send("Second")
        hello = {"parts": [{"text": "Hello"}], "role": "user"}
        hi = {"parts": [{"text": "Hi"}], "role": "model"}
        second = {"parts": [{"text": "Second"}], "role": "user"}
        assert [each["body"] for each in talk.line.requests] == [
            {"contents": [hello], "generationConfig": {}},
            {"contents": [hello, hi, second], "generationConfig": {}},
        ]
        assert [each["path"] for each in talk.line.requests] == [
            f"/v1/models/m:{'streamGenerateContent' if streamed else 'generateContent'}",
            "/v1/models/m:generateContent",
        ]


# --- 7.6: recording -----------------------------------------------------------------------------------------------

SAME = "the same"


def candidate(**held: Any) -> Json:
    """A response whose only candidate has just that."""
    return {"candidates": [held]}


@pytest.mark.parametrize(
    ("reply", "comprehensive", "curated"),
    [
        pytest.param(says("A", end="STOP"), "U(q) M(A)", SAME, id="text"),
        pytest.param(says("A"), "U(q) M(A)", SAME, id="no finish reason"),
        pytest.param(says("A", end="SAFETY"), "U(q) M(A)", SAME, id="SAFETY"),
        pytest.param(says("A", end="MAX_TOKENS"), "U(q) M(A)", SAME, id="MAX_TOKENS"),
        pytest.param(says("A", end="BRAND_NEW"), "U(q) M(A)", SAME, id="a finish reason that nobody knows"),
        pytest.param(says("", end="STOP"), "U(q) M('')", SAME, id="empty text"),
        pytest.param(says({"text": "t", "thought": True}, "A"), "U(q) M(t+thought, A)", SAME, id="a thought and text"),
        pytest.param(says({"thoughtSignature": "c2ln"}), "U(q) M(thought_signature)", SAME, id="only a signature"),
        pytest.param(says(call("f", {})), "U(q) M(call f)", SAME, id="a function call"),
        pytest.param(
            {"candidates": [*says("A")["candidates"], *says("B")["candidates"]]}, "U(q) M(A)", SAME, id="two candidates"
        ),
        pytest.param({}, "U(q) M([])", NOTHING, id="an empty object"),
        pytest.param({"candidates": []}, "U(q) M([])", NOTHING, id="no candidate"),
        pytest.param(BLOCKED, "U(q) M([])", NOTHING, id="a blocked prompt"),
        pytest.param(candidate(finishReason="SAFETY"), "U(q) M([])", NOTHING, id="a candidate without content"),
        pytest.param(candidate(content={"role": "model"}), "U(q) M(None)", NOTHING, id="a content without parts"),
        pytest.param(says(end="STOP"), "U(q) M([])", NOTHING, id="an empty list of parts"),
        pytest.param(candidate(content={}), "U(q) ?(None)", NOTHING, id="an empty content"),
        pytest.param(says("A", {}), "U(q) M(A, {})", NOTHING, id="a part that says nothing"),
        pytest.param(
            says({"brandNew": {}}, "A"), "U(q) M({}, A)", NOTHING, id="W27: a part of a kind that nobody knows"
        ),
        pytest.param(says("A", role=None), "U(q) ?(A)", SAME, id="no role"),
        pytest.param(says("A", role="robot"), "U(q) robot(A)", SAME, id="another role"),
    ],
)
def test_what_is_recorded_of_an_answer(stage: Stage, mode: str, reply: Json, comprehensive: str, curated: str) -> None:
    """It is valid if its content has parts, and each says something. The finish reason does not matter."""
    played = stage.play_both(mode, answered(reply), then=True)
    assert played.errors == [None]
    assert (played.comprehensive, played.curated) == (comprehensive, comprehensive if curated is SAME else curated)


A, B_STOP = says("A"), says("B", end="STOP")
CLOSING = {"finishReason": "STOP"}


@pytest.mark.parametrize(
    ("chunks", "comprehensive", "curated"),
    [
        pytest.param([A, B_STOP], "U(q) M(A) M(B)", SAME, id="a content a chunk"),
        pytest.param([A, says("", end="STOP")], "U(q) M(A) M('')", SAME, id="an empty text at the end"),
        pytest.param([says("A", end="STOP"), says("B")], "U(q) M(A) M(B)", SAME, id="a chunk after the finish reason"),
        pytest.param([says("A", end="SAFETY")], "U(q) M(A)", SAME, id="any finish reason"),
        pytest.param([says("A", end="FINISH_REASON_UNSPECIFIED")], "U(q) M(A)", SAME, id="also the unspecified one"),
        pytest.param([says("A", role=None), says("B", role=None, end="STOP")], "U(q) ?(A) ?(B)", SAME, id="no roles"),
        pytest.param([A, says("B")], "U(q) M(A) M(B)", NOTHING, id="no finish reason"),
        pytest.param(
            [A, candidate(content={"role": "model"}, **CLOSING)],
            "U(q) M(A) M(None)",
            NOTHING,
            id="W2: no parts at the end",
        ),
        pytest.param([A, says(end="STOP")], "U(q) M(A) M([])", NOTHING, id="W2: an empty list of parts at the end"),
        pytest.param([A, candidate(**CLOSING)], "U(q) M(A)", NOTHING, id="no content at the end"),
        pytest.param([says("A", end="STOP"), USAGE], "U(q) M(A)", NOTHING, id="W1: only usage at the end"),
        pytest.param([USAGE, says("A", end="STOP")], "U(q) M(A)", NOTHING, id="only usage at the start"),
        pytest.param([says("A", {}), B_STOP], "U(q) M(A, {}) M(B)", NOTHING, id="a part that says nothing"),
        pytest.param([says({"brandNew": 1}), B_STOP], "U(q) M({}) M(B)", NOTHING, id="W27: a part that nobody knows"),
        pytest.param([], "U(q) M([])", NOTHING, id="no chunk"),
        pytest.param([BLOCKED], "U(q) M([])", NOTHING, id="a blocked prompt"),
        pytest.param(
            [{"candidates": [*A["candidates"], *B_STOP["candidates"]]}],
            "U(q) M(A)",
            NOTHING,
            id="a finish reason of the second candidate",
        ),
    ],
)
def test_what_is_recorded_of_a_stream(
    stage: Stage, mode: str, chunks: list[Json], comprehensive: str, curated: str
) -> None:
    """It is valid if every chunk is, and one had a finish reason."""
    played = stage.play_both(mode, [events(*chunks)], Send(streamed=True), then=True)
    assert played.errors == [None]
    assert (played.comprehensive, played.curated) == (comprehensive, comprehensive if curated is SAME else curated)


ERROR_EVENT: Json = {"error": {"code": 503, "message": "scripted", "status": "UNAVAILABLE"}}
WRONG_TYPE = says({"text": 5})
BAD_JSON = Answer(kind="bad JSON", pieces=(b"{nope",))
BAD_EVENT = Answer(kind="bad JSON", headers=(SSE,), pieces=(b"data: {nope\r\n\r\n",))


@pytest.mark.parametrize(
    ("answer", "send", "error", "texts"),
    [
        pytest.param(failure(503), Send(), "api", [], id="a status"),
        pytest.param(BAD_JSON, Send(), "format", [], id="bad JSON"),
        pytest.param(answered(WRONG_TYPE)[0], Send(), "format", [], id="a field of a wrong type"),
        pytest.param(Answer(kind="cut", pieces=(b"{}",), ending="cut"), Send(), "transport", [], id="a body cut off"),
        pytest.param(failure(503), Send(streamed=True), "api", [], id="a status of a stream"),
        pytest.param(BAD_EVENT, Send(streamed=True), "format", [], id="bad JSON in a stream"),
        pytest.param(events(A, WRONG_TYPE), Send(streamed=True), "format", ["A"], id="a wrong type in a stream"),
        pytest.param(events(A, ERROR_EVENT), Send(streamed=True), "api", ["A"], id="an error event"),
        pytest.param(events(B_STOP, ERROR_EVENT), Send(streamed=True), "api", ["B"], id="an error event at the end"),
        pytest.param(events(A, ending="cut"), Send(streamed=True), "transport", ["A"], id="a stream cut off"),
        pytest.param(events(A, B_STOP, ending="cut"), Send(streamed=True), "transport", ["A", "B"], id="cut off later"),
        pytest.param(events(A, B_STOP), Send(streamed=True, leave_after=1), None, ["A"], id="left after a chunk"),
        pytest.param(events(A, B_STOP), Send(streamed=True, leave_after=2), None, ["A", "B"], id="W3: left at the end"),
    ],
)
def test_what_is_not_recorded(
    stage: Stage, mode: str, answer: Answer, send: Send, error: str | None, texts: list[str]
) -> None:
    """Errors and answers that were left leave no trace, whatever had been seen of them."""
    played = stage.play_both(mode, [answer], send, then=True)
    assert (played.errors, played.texts) == ([error], texts)
    assert (played.comprehensive, played.curated) == (NOTHING, NOTHING)


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_w3_a_stream_that_is_dropped_leaves_no_trace(stage: Stage, mode: str, taken: int) -> None:
    """Without being closed, too; and one that was never iterated has not even sent a request."""
    for talk in stage.talks(mode, [events(A, B_STOP)]):
        chunks = talk.wait(talk.chat.send_message_stream("q"))
        iterator = talk.each(chunks)
        for _ in range(taken):
            next(iterator)
        del chunks, iterator
        assert (talk.comprehensive, talk.curated, len(talk.requests)) == (NOTHING, NOTHING, min(taken, 1))


def test_a_message_whose_task_is_cancelled_is_not_recorded(stage: Stage) -> None:
    """And the chat goes on."""
    for library in stage.libraries:
        arrived = threading.Event()

        def answer(received: Received, arrived: Any = arrived) -> list[bytes | float]:
            waits = not arrived.is_set()
            arrived.set()
            return [head(200, content_length=2, content_type="application/json"), 5.0 if waits else b"{}"]

        with LoopbackServer() as server:
            server.on("/v1/models/m:generateContent", answer)
            talk = Talk(stage.runner, library, "async", Line(server.url("/"), "")).create()
            assert talk.wait(_cancelled(talk.chat, arrived))
            assert talk.comprehensive == NOTHING
            talk.send("n")
            assert talk.comprehensive == "U(n) M([])"


async def _cancelled(chat: Any, arrived: threading.Event) -> bool:
    """Send a message, and cancel it when its request has arrived; whether it then was."""
    task = asyncio.ensure_future(chat.send_message("q"))
    assert await asyncio.to_thread(arrived.wait, 5.0)
    task.cancel()
    await asyncio.wait([task])
    was: bool = task.cancelled()
    return was


def test_an_answer_that_takes_too_long_is_not_recorded(stage: Stage, mode: str) -> None:
    """The timeout is one of the transport's errors."""
    with LoopbackServer() as server:
        server.on("/v1/models/m:generateContent", [head(200, content_length=2), 5.0])
        for library in stage.libraries:
            talk = Talk(stage.runner, library, mode, Line(server.url("/"), ""))
            talk.create({"http_options": {"timeout": 60}})
            assert talk.failed(talk.send) == {"family": "transport"}
            assert talk.comprehensive == NOTHING


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"", "format", id="an empty body"),
        pytest.param(b"[]", "format", id="a list"),
        pytest.param(b'{"error": {"code": 400}}', "api", id="an error"),
    ],
)
def test_answers_that_are_none(stage: Stage, mode: str, body: bytes, error: str) -> None:
    """On purpose: google-genai takes them for empty answers, and records them so; here they are errors."""
    theirs, ours = stage.play_each(mode, [Answer(kind="none", pieces=(body,))])
    assert (theirs.errors, theirs.comprehensive, theirs.curated) == ([None], "U(q) M([])", NOTHING)
    assert (ours.errors, ours.comprehensive, ours.curated) == ([error], NOTHING, NOTHING)


def test_programs_can_record_by_themselves(stage: Stage, mode: str) -> None:
    """``record_history`` is public: an input, its outputs, and whether they are valid."""
    for talk in stage.talks(mode):
        a, b, c = to_contents("U(a) M(b) M(c)", talk.types)
        talk.chat.record_history(a, [b, c], True)
        assert talk.comprehensive == talk.curated == "U(a) M(b) M(c)"
        talk.chat.record_history(user_input=a, model_output=[], is_valid=False)
        assert talk.comprehensive == "U(a) M(b) M(c) U(a) M([])"
        assert talk.curated == "U(a) M(b) M(c)"
        talk.send("n")
        assert talk.requests == ["U(a) M(b) M(c) U(n)"]


def test_w4_a_streamed_answer_is_sent_again_chunk_by_chunk(stage: Stage, mode: str) -> None:
    """For ever, with all that is around each of them."""
    chunks = [says(f"t{number} ") for number in range(60)]
    played = stage.play_both(mode, [events(*chunks, says(".", end="STOP"))], Send(streamed=True), then=True)
    assert len(played.whole["comprehensive"]) == 62
    assert len(played.whole["next"]) == 63


def test_w17_what_was_recorded_without_a_role_cannot_begin_a_chat(stage: Stage, mode: str) -> None:
    """Not even in the same library."""
    for talk in stage.talks(mode, answered(says("A", end="STOP", role=None))):
        talk.send("q")
        past = talk.chat.get_history()
        assert talk.comprehensive == "U(q) ?(A)"
        assert talk.failed(partial(talk.create, history=past)) == {"family": "validation"}


# --- 7.7: the histories are live lists ----------------------------------------------------------------------------


def test_get_history_gives_the_lists_themselves(stage: Stage, mode: str) -> None:
    """The same objects each time, with the same Contents in both."""
    for talk in stage.talks(mode, history=lambda types: to_contents("U(a) M(b)", types)):
        comprehensive, curated = talk.chat.get_history(), talk.chat.get_history(curated=True)
        talk.send("q")
        assert comprehensive is talk.chat.get_history()
        assert curated is talk.chat.get_history(True)
        assert comprehensive is not curated
        assert all(left is right for left, right in zip(comprehensive, curated, strict=True))
        assert len(comprehensive) == 4


def test_w16_what_is_done_to_the_curated_list_is_sent(stage: Stage, mode: str) -> None:
    """Clearing it empties the context; what is put in is in the next request."""
    for talk in stage.talks(mode, history=lambda types: to_contents("U(a) M(b)", types)):
        talk.chat.get_history(curated=True).clear()
        talk.send("q")
        talk.chat.get_history(curated=True).extend(to_contents("U(c) M(d)", talk.types))
        talk.send("r")
        assert talk.requests == ["U(q)", "U(q) M(Z) U(c) M(d) U(r)"]
        assert talk.comprehensive == "U(a) M(b) U(q) M(Z) U(r) M(Z)"


@pytest.mark.parametrize(
    "put",
    [
        pytest.param({"role": "user", "parts": [{"text": "x"}]}, id="a dict of a content"),
        pytest.param("x", id="text"),
        pytest.param(lambda types: types.Part(text="x"), id="a part"),
    ],
)
def test_w16_texts_and_parts_in_the_curated_list(stage: Stage, mode: str, put: Any) -> None:
    """They are sent as contents of the user."""
    for talk in stage.talks(mode):
        talk.chat.get_history(curated=True).append(talk.made(put))
        talk.send("q")
        assert talk.requests == ["U(x) U(q)"]


def test_w16_anything_else_in_the_curated_list_is_refused(stage: Stage, mode: str) -> None:
    """With a ValueError, before anything is sent."""
    for talk in stage.talks(mode):
        talk.chat.get_history(curated=True).append(0)
        assert talk.failed(talk.send) == {"family": "validation"}
        assert (talk.line.requests, len(talk.chat.get_history())) == ([], 0)


def test_contents_are_shared_with_the_caller(stage: Stage, mode: str) -> None:
    """Parts of messages, and the contents of responses: changing one changes the past."""
    for talk in stage.talks(mode):
        alone, listed = talk.types.Part(text="alone"), talk.types.Part(text="listed")
        responses = [talk.send(lambda _, part=alone: part), talk.send(lambda _, part=listed: [part])]
        alone.text, listed.text = "changed", "too"
        responses[0].candidates[0].content.parts[0].text = "and this"
        talk.send("n")
        assert talk.requests[-1] == "U(changed) M(and this) U(too) M(Z) U(n)"


# --- 7.8: messages that overlap -----------------------------------------------------------------------------------


def test_streams_may_overlap(stage: Stage, mode: str) -> None:
    """Both start from the same history, and are recorded in the order in which they end."""
    for talk in stage.talks(mode, [events(A, B_STOP), events(says("C"), says("D", end="STOP"))]):
        one, two = talk.stream("one"), talk.stream("two")
        assert [next(one).text, next(two).text] == ["A", "C"]
        assert [chunk.text for chunk in two] == ["D"]
        assert talk.comprehensive == "U(two) M(C) M(D)"
        assert [chunk.text for chunk in one] == ["B"]
        assert talk.requests == ["U(one)", "U(two)"]
        assert talk.comprehensive == talk.curated == "U(two) M(C) M(D) U(one) M(A) M(B)"


def test_a_message_may_be_sent_while_a_stream_is_read(stage: Stage, mode: str) -> None:
    """It does not see the stream's, and is recorded first."""
    for talk in stage.talks(mode, [events(A, B_STOP), *answered(says("N", end="STOP"))]):
        one = talk.stream("one")
        assert next(one).text == "A"
        assert talk.send("nested").text == "N"
        assert [chunk.text for chunk in one] == ["B"]
        assert talk.requests == ["U(one)", "U(nested)"]
        assert talk.comprehensive == talk.curated == "U(nested) M(N) U(one) M(A) M(B)"


def test_a_stream_begins_with_its_first_chunk(stage: Stage, mode: str) -> None:
    """It sees what was recorded between the call and that."""
    for talk in stage.talks(mode, [*answered(says("N", end="STOP")), events(A, B_STOP)]):
        one = talk.stream("one")
        talk.send("two")
        assert [chunk.text for chunk in one] == ["A", "B"]
        assert talk.requests == ["U(two)", "U(two) M(N) U(one)"]


def test_w41_messages_of_threads_and_tasks_may_overlap(stage: Stage, mode: str) -> None:
    """The one that is answered first is recorded first."""
    for library in stage.libraries:
        arrived, recorded = threading.Barrier(2), threading.Event()

        def answer(received: Received, arrived: Any = arrived, recorded: Any = recorded) -> list[bytes]:
            arrived.wait(2.0)
            if b"one" in received.body:
                assert recorded.wait(2.0)
            body = json.dumps(says("R", end="STOP")).encode()
            return [head(200, content_length=len(body), content_type="application/json"), body]

        with LoopbackServer() as server:
            server.on("/v1/models/m:generateContent", answer)
            talk = Talk(stage.runner, library, mode, Line(server.url("/"), "")).create()
            with library.around():
                _send_at_once(stage, talk, recorded)
            assert talk.comprehensive == talk.curated == "U(two) M(R) U(one) M(R)"
            assert len(server.received) == 2


def _send_at_once(stage: Stage, talk: Talk, recorded: threading.Event) -> None:
    """Send "one" and "two"; ``recorded`` tells when the answer to "two" has been."""

    async def asend(message: str) -> None:
        await talk.chat.send_message(message)
        if message == "two":
            recorded.set()

    async def asend_both() -> None:
        await asyncio.gather(asend("one"), asend("two"))

    def send(message: str) -> None:
        talk.chat.send_message(message)
        if message == "two":
            recorded.set()

    if talk.mode == "async":
        stage.runner.run(asend_both())
    else:
        with ThreadPoolExecutor() as pool:
            list(pool.map(send, ["one", "two"]))
