"""The face: what a program that holds a chat sees."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

import chatproto
from chatproto import types
from chatproto.chats import Chat
from chatproto.errors import (
    APIError,
    ClientError,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    ServerError,
    TimedOut,
    ValidationError,
)
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response, text_response


def chat_on(*answers: Any, **options: Any) -> tuple[Chat, ScriptedTransport]:
    """A chat whose answers are scripted."""
    transport = ScriptedTransport(*answers)
    return chatproto.Client(transport=transport).chats.create(model="gemini-2.0-flash", **options), transport


def said(chat: Chat, *, curated: bool = True) -> list[tuple[str | None, str | None]]:
    """A history as pairs of role and text."""
    return [
        (content.role, "".join(part.text or "" for part in content.parts or ()))
        for content in chat.get_history(curated=curated)
    ]


def test_a_chat_remembers() -> None:
    """Each request holds all that was said before, and the answer is the whole response."""
    chat, transport = chat_on("Paris.", ["About ", "two million."], "The Louvre.")
    assert chat.send_message("Capital of France?").text == "Paris."
    assert [chunk.text for chunk in chat.send_message_stream("Its population?")] == ["About ", "two million."]
    assert chat.send_message("A landmark?").text == "The Louvre."
    assert transport.requests[-1].json()["contents"] == [
        {"role": "user", "parts": [{"text": "Capital of France?"}]},
        {"role": "model", "parts": [{"text": "Paris."}]},
        {"role": "user", "parts": [{"text": "Its population?"}]},
        {"role": "model", "parts": [{"text": "About two million."}]},
        {"role": "user", "parts": [{"text": "A landmark?"}]},
    ]
    assert [request.url.split("/")[-1] for request in transport.requests] == [
        "gemini-2.0-flash:generateContent",
        "gemini-2.0-flash:streamGenerateContent?alt=sse",
        "gemini-2.0-flash:generateContent",
    ]


def test_a_chat_always_sends_a_generation_config() -> None:
    """The reference's first request, to the letter of its JSON."""
    chat, transport = chat_on("Hi there")
    chat.send_message("Hello")
    assert transport.requests[0].json() == {
        "contents": [{"parts": [{"text": "Hello"}], "role": "user"}],
        "generationConfig": {},
    }


@pytest.mark.parametrize(
    ("override", "sent"),
    [
        (None, {"temperature": 0.5, "system": True}),
        ({}, {"temperature": 0.5, "system": True}),
        ({"temperature": 1.5}, {"temperature": 1.5, "system": False}),
        (types.GenerateContentConfig(), {"temperature": None, "system": False}),
    ],
)
def test_a_config_of_a_message_replaces_the_chats(override: Any, sent: dict[str, Any]) -> None:
    """As in the reference: None and {} leave the chat's, anything else replaces all of it."""
    chat, transport = chat_on("x", config={"temperature": 0.5, "system_instruction": "S"})
    chat.send_message("q", config=override)
    body = transport.requests[0].json()
    assert body["generationConfig"].get("temperature") == sent["temperature"]
    assert ("systemInstruction" in body) is sent["system"]


def test_config_mode_merge() -> None:
    """``config_mode="merge"`` lays the message's config over the chat's; the caller's objects stay as they were."""
    mine = types.GenerateContentConfig(
        temperature=0.5, top_p=0.9, http_options=types.HttpOptions(headers={"x-mine": "1"})
    )
    before = mine.model_copy(deep=True)
    chat, transport = chat_on("x", "y", config=mine, config_mode="merge")
    chat.send_message("q", config={"temperature": 1.5})
    chat.send_message("q")
    configs = [request.json()["generationConfig"] for request in transport.requests]
    assert configs == [{"temperature": 1.5, "topP": 0.9}, {"temperature": 0.5, "topP": 0.9}]
    assert mine == before


def test_config_mode_merge_goes_into_http_options() -> None:
    """Headers and options of the chat stay where the message has others; a schema takes the place of the other kind."""
    seen: list[dict[str, str]] = []

    class Seen(ScriptedTransport):
        def open(self, request: Any, secrets: Any) -> Any:
            seen.append(dict(secrets.headers_for(request)))
            return super().open(request, secrets)

    transport = Seen("{}", "{}")
    config = {
        "response_schema": {"type": "OBJECT"},
        "http_options": {"headers": {"x-a": "1"}, "timeout": 5000, "extra_body": {"e": 1}},
    }
    chat = chatproto.Client(transport=transport).chats.create(model="m", config=config, config_mode="merge")
    chat.send_message("q", config={"http_options": {"headers": {"x-b": "2"}}})
    chat.send_message("q", config={"http_options": {"timeout": 9000}, "response_json_schema": {"type": "object"}})
    assert [(each.get("x-a"), each.get("x-b"), each["x-server-timeout"]) for each in seen] == [
        ("1", "2", "5"),
        ("1", None, "9"),
    ]
    assert [request.json()["e"] for request in transport.requests] == [1, 1]
    kinds = [sorted(request.json()["generationConfig"]) for request in transport.requests]
    assert kinds == [["responseSchema"], ["responseJsonSchema"]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(error_response(400, "bad"), status=400), ClientError),
        (Answer(error_response(503), status=503), ServerError),
        (Answer({"error": {"code": 429, "message": "slow down"}}), ClientError),
        (Answer(chunks=[b"<html>busy</html>"], status=502), ServerError),
        (Answer(chunks=[], status=204), APIError),
        (Answer(chunks=[b'{"candidates": 5}']), MalformedResponse),
        (Answer(text_response("a", None), cut_at=20), ConnectionLost),
        (Answer(text_response("a", None), stall_at=0), TimedOut),
        (ConnectionLost("gone"), ConnectionLost),
    ],
)
def test_an_error_leaves_the_chat_as_it_was(answer: Any, error: type[Exception], stream: bool) -> None:
    """L5: whatever goes wrong, history is as before, the ledger says why, and the next message works."""
    chat, _ = chat_on("one", answer, "two")
    chat.send_message("first")
    before = said(chat), said(chat, curated=False)
    with pytest.raises(error):
        list(chat.send_message_stream("broken")) if stream else chat.send_message("broken")
    assert (said(chat), said(chat, curated=False)) == before
    assert chat.turns[-1].outcome is chatproto.Outcome.FAILED
    assert chat.turns[-1].reason
    assert chat.send_message("second").text == "two"
    assert said(chat)[-2:] == [("user", "second"), ("model", "two")]


MESSAGES = [
    None,
    5,
    b"bytes",
    [],
    (),
    {},
    {"txt": "typo"},
    [["nested"]],
    ["fine", 5],
    types.UserContent("a"),
    types.Part.from_function_call(name="f", args={}),
    object(),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: repr(message).partition(" at 0x")[0])
def test_a_wrong_message_raises_at_the_call(message: Any, stream: bool) -> None:
    """A ValueError, at the call and not at the first chunk; nothing is sent and the chat is as before."""
    chat, transport = chat_on("x")
    with pytest.raises(ValidationError) as caught:
        chat.send_message_stream(message) if stream else chat.send_message(message)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value)
    assert not transport.requests
    assert not chat.turns


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"temprature": 1}, "temperature"),
        ({"temperature": "warm"}, "$.config.temperature"),
        ({"tools": [len]}, "$.config.tools[0]"),
        ({"tools": "search"}, "$.config.tools"),
        ({"response_schema": {"oneOf": []}}, "$.config.response_schema"),
        ({"http_options": {"timout": 1}}, "timeout"),
        ({"http_options": {"timeout": -1}}, "$.config.http_options.timeout"),
        ({"system_instruction": []}, "system_instruction"),
        ({"thinking_config": {"thinking_budget": "much"}}, "$.config.thinking_config.thinking_budget"),
        (7, "GenerateContentConfig"),
    ],
)
def test_a_wrong_config_raises_at_the_call(config: Any, names: str) -> None:
    """At ``create`` and at ``send_message``, with the path of what is wrong, or the name that was meant."""
    with pytest.raises(ValidationError) as at_create:
        chat_on("x", config=config)
    chat, transport = chat_on("x")
    with pytest.raises(ValidationError) as at_send:
        chat.send_message_stream("q", config=config)
    assert names in str(at_create.value)
    assert names in str(at_send.value)
    assert not transport.requests


@pytest.mark.parametrize("name", ["audio_timestamp", "routing_config", "model_armor_config"])
def test_settings_of_vertex_are_refused(name: str) -> None:
    """A field that only Vertex AI knows raises when the request is built, and says so."""
    value: Any = True if name == "audio_timestamp" else {}
    chat, transport = chat_on("x", config={name: value})
    with pytest.raises(ValidationError, match="Vertex"):
        chat.send_message("q")
    assert not transport.requests


@pytest.mark.parametrize("role", [None, "system", "function", ""])
def test_a_history_has_two_roles(role: Any) -> None:
    """Another role in a given history raises, with its place."""
    history = [types.UserContent("a"), types.Content(role=role, parts=[types.Part(text="b")])]
    with pytest.raises(ValidationError) as caught:
        chat_on("x", history=history)
    assert "history[1].role" in str(caught.value)


def test_a_history_may_be_dicts_in_either_spelling() -> None:
    """What an earlier version stored comes back, unknown fields included."""
    history = [
        {"role": "user", "parts": [{"inline_data": {"mime_type": "a/b", "data": "-_8="}}]},
        {"role": "model", "parts": [{"text": "b", "thoughtSignature": "+/8="}, {"newKind": {"a": 1}}]},
    ]
    chat, transport = chat_on("x", history=history)
    chat.send_message("q")
    contents = transport.requests[0].json()["contents"]
    assert contents[1] == history[1]
    assert contents[0]["parts"][0].keys() <= {"inlineData", "inline_data"}
    assert len(chat.get_history()) == 4


def test_get_history_is_the_callers() -> None:
    """Changing what ``get_history`` gives changes nothing that is sent; it can be given to another chat."""
    chat, transport = chat_on("one", "two", "three")
    chat.send_message("first")
    history = chat.get_history()
    history[1].parts[0].text = "changed"  # type: ignore[index]
    history.clear()
    chat.get_history(curated=True).clear()
    chat.send_message("second")
    assert [content["parts"] for content in transport.requests[1].json()["contents"]] == [
        [{"text": "first"}],
        [{"text": "one"}],
        [{"text": "second"}],
    ]
    other, transport = chat_on("x", history=chat.get_history())
    other.send_message("third")
    assert len(transport.requests[0].json()["contents"]) == 5


def test_changing_a_response_changes_nothing() -> None:
    """A response is the caller's own, free-form dicts in it too."""
    call = {"functionCall": {"name": "f", "args": {"a": {"b": [1]}}}}
    reply = {"candidates": [{"content": {"role": "model", "parts": [call]}, "finishReason": "STOP"}]}
    chat, transport = chat_on(reply, "done")
    response = chat.send_message("q")
    response.function_calls[0].args["a"]["b"].append(2)  # type: ignore[index]
    chat.send_message(types.Part.from_function_response(name="f", response={"result": 1}))
    assert transport.requests[1].json()["contents"][1]["parts"] == [call]


def test_prepare_sends_nothing() -> None:
    """``prepare`` gives the request that sending would make, to the byte, and changes nothing."""
    chat, transport = chat_on("one", "two")
    chat.send_message("first")
    prepared = chat.prepare("second", config={"temperature": 0.1})
    assert len(transport.requests) == 1
    assert len(chat.turns) == 1
    chat.send_message("second", config={"temperature": 0.1})
    assert transport.requests[1] == prepared
    assert transport.requests[1].content == prepared.content


def test_function_calls_are_answered_by_hand() -> None:
    """The manual tool round of the reference: the calls come in the response, their results in a message."""
    parts = [
        {"functionCall": {"name": "f", "args": {"n": n}, "id": f"c{n}"}, "thoughtSignature": "+/8="} for n in (1, 2)
    ]
    reply = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    chat, transport = chat_on(reply, "3", "bye")
    response = chat.send_message("add")
    assert [call.args for call in response.function_calls or ()] == [{"n": 1}, {"n": 2}]
    assert [call.id for call in chat.pending_calls] == ["c1", "c2"]
    assert said(chat) == []
    assert len(chat.get_history()) == 2
    results = [types.Part.from_function_response(name="f", response={"result": n}) for n in (1, 2)]
    with pytest.raises(ValidationError, match="left without a response"):
        chat.send_message(results[:1])
    assert chat.send_message(results).text == "3"
    assert not chat.pending_calls
    contents = transport.requests[1].json()["contents"]
    assert contents[1]["parts"] == parts
    assert [part["functionResponse"]["id"] for part in contents[2]["parts"]] == ["c1", "c2"]
    assert len(chat.get_history(curated=True)) == 4
    with pytest.raises(ValidationError, match="no function call is open"):
        chat.send_message(results[0])


# --- streams that are left -----------------------------------------------------------------------------------------


def test_a_stream_that_is_not_iterated_does_nothing() -> None:
    """No request, no turn; and it can be iterated later, in any order."""
    chat, transport = chat_on(["one"], ["two"])
    first, second = chat.send_message_stream("a"), chat.send_message_stream("b")
    assert not transport.requests
    assert [chunk.text for chunk in second] == ["one"]
    assert [chunk.text for chunk in first] == ["two"]
    assert said(chat) == [("user", "b"), ("model", "one"), ("user", "a"), ("model", "two")]
    chat.send_message_stream("c").close()
    assert len(transport.requests) == 2


@pytest.mark.parametrize("how", ["close", "with", "drop", "exception", "interrupt", "another"])
def test_leaving_a_stream_early(how: str) -> None:
    """Leaving gives the connection up at once; the chat is as before and goes on."""
    chat, transport = chat_on("zero", ["one", "two", "three"], "four")
    chat.send_message("hello")
    stream = chat.send_message_stream("left")
    assert next(stream).text == "one"
    match how:
        case "close":
            stream.close()
            stream.close()
        case "with":
            with stream:
                next(stream)
        case "drop":
            del stream
            gc.collect()
        case "exception" | "interrupt":
            error = KeyboardInterrupt if how == "interrupt" else RuntimeError
            with pytest.raises(error), stream:
                raise error
        case _:
            pass
    if how != "another":
        assert transport.discarded == 1
        assert chat.turns[-1].outcome is chatproto.Outcome.ABANDONED
    assert chat.send_message("on").text == "four"
    assert transport.discarded == 1
    assert said(chat) == [("user", "hello"), ("model", "zero"), ("user", "on"), ("model", "four")]
    assert [turn.outcome.value for turn in chat.turns] == ["completed", "abandoned", "completed"]
    if how == "another":
        with pytest.raises(LocalProtocolError, match="later message"):
            next(stream)
        stream.close()
        assert len(chat.turns) == 3


def test_leaving_after_the_finish_reason_keeps_the_answer() -> None:
    """L8: the user saw the answer finish, so the next request holds it."""
    usage = {"usageMetadata": {"totalTokenCount": 3}}
    chat, transport = chat_on([text_response("A", None), text_response("B"), usage], "next")
    for chunk in chat.send_message_stream("q"):
        if chunk.candidates and chunk.candidates[0].finish_reason:
            break
    del chunk
    gc.collect()
    chat.send_message("more")
    assert [content["parts"][0]["text"] for content in transport.requests[1].json()["contents"]] == ["q", "AB", "more"]


def test_on_incomplete_keep() -> None:
    """``on_incomplete="keep"``: what had come of an answer that was left is sent again."""
    chat, transport = chat_on(["one ", "two"], "next", on_incomplete="keep")
    stream = chat.send_message_stream("q")
    next(stream)
    stream.close()
    chat.send_message("more")
    assert [content["parts"][0]["text"] for content in transport.requests[1].json()["contents"]] == [
        "q",
        "one ",
        "more",
    ]


@pytest.mark.parametrize(("option", "value"), [("on_incomplete", "raise"), ("config_mode", "overlay")])
def test_wrong_options(option: str, value: str) -> None:
    """An option that does not exist raises, with those that do."""
    with pytest.raises(ValidationError, match=option):
        chat_on(**{option: value})


def test_one_thread_at_a_time() -> None:
    """A send while another thread waits for an answer raises, and harms neither."""
    waiting, go_on = threading.Event(), threading.Event()

    class Slow(ScriptedTransport):
        def sleep(self, seconds: float) -> None:
            waiting.set()
            assert go_on.wait(10)

    transport = Slow(Answer(error_response(503), status=503), "late")
    options = {"retry_options": {"attempts": 2, "jitter": 0}}
    chat = chatproto.Client(transport=transport, http_options=options).chats.create(model="m")
    answers: list[str | None] = []
    other = threading.Thread(target=lambda: answers.append(chat.send_message("a").text))
    other.start()
    assert waiting.wait(10)
    with pytest.raises(LocalProtocolError, match="another thread"):
        chat.send_message("b")
    go_on.set()
    other.join(10)
    assert answers == ["late"]
    assert said(chat) == [("user", "a"), ("model", "late")]


def test_a_blocked_answer_is_no_error() -> None:
    """A blocked prompt gives its response; the turn is in the comprehensive history, and not sent again."""
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    chat, transport = chat_on(blocked, "fine")
    response = chat.send_message("q")
    assert response.text is None
    assert response.prompt_feedback is not None
    assert response.prompt_feedback.block_reason == types.BlockedReason.SAFETY
    assert chat.turns[0].outcome is chatproto.Outcome.BLOCKED
    assert "SAFETY" in chat.turns[0].reason
    chat.send_message("again")
    assert len(transport.requests[1].json()["contents"]) == 1
    assert said(chat, curated=False) == [("user", "q"), ("user", "again"), ("model", "fine")]


def test_every_kind_of_message() -> None:
    """Text, parts, files, blobs, dicts and lists of them become parts of one user content."""
    chat, transport = chat_on("x")
    file = types.File(uri="https://files/a", mime_type="text/plain")
    message: list[Any] = [
        "text",
        types.Part(text="part"),
        types.Part.from_bytes(data=b"\x00", mime_type="image/png"),
        types.Part(file_data=types.FileData(file_uri="gs://a")),
        file,
        types.Blob(data=b"\x01", mime_type="a/b"),
        {"text": "dict"},
    ]
    chat.send_message(message)
    assert transport.requests[0].json()["contents"] == [
        {
            "role": "user",
            "parts": [
                {"text": "text"},
                {"text": "part"},
                {"inlineData": {"data": "AA==", "mimeType": "image/png"}},
                {"fileData": {"fileUri": "gs://a"}},
                {"fileData": {"fileUri": "https://files/a", "mimeType": "text/plain"}},
                {"inlineData": {"data": "AQ==", "mimeType": "a/b"}},
                {"text": "dict"},
            ],
        }
    ]


@pytest.mark.parametrize("compat", [None, "google-genai"])
def test_should_return_http_response_changes_nothing(compat: Any) -> None:
    """google-genai gives the text of the body instead of an answer then, and forgets the turn."""
    client = chatproto.Client(transport=ScriptedTransport("a", "b"), compat=compat)
    chat = client.chats.create(model="m", config={"should_return_http_response": True})
    assert chat.send_message("q").text == "a"
    assert len(chat.get_history(curated=True)) == 2
