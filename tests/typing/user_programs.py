"""Programs as users write them, for mypy and pyright in their strict modes. Not run: types are what is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from PIL.Image import Image

import chatproto as genai
from chatproto import errors, types
from chatproto.chats import AsyncChat, AsyncResponseStream, Chat, ResponseStream
from chatproto.transport import Secrets, Transport
from chatproto.wire.http import Request


def messages(chat: Chat, parts: list[types.Part], mixed: list[str | types.Part], texts: list[str]) -> None:
    """What may be said, also as lists that a program has typed narrowly."""
    assert_type(chat.send_message("Hello"), types.GenerateContentResponse)
    chat.send_message(types.Part(text="Hello"))
    chat.send_message(["Describe this:", types.Part.from_bytes(data=b"", mime_type="image/png")])
    chat.send_message(parts)
    chat.send_message(mixed)
    chat.send_message(texts)
    chat.send_message(types.File(uri="u", mime_type="text/plain"))
    chat.send_message({"text": "Hello"})
    chat.send_message([{"text": "Hello"}, "and text"])


def configs(client: genai.Client, chat: Chat) -> None:
    """A config as a dict or an object, for a chat and for a message."""
    client.chats.create(model="m")
    client.chats.create(model="m", config={"temperature": 0.5})
    config = types.GenerateContentConfig(
        temperature=0.5,
        response_mime_type="application/json",
        thinking_config=types.ThinkingConfig(thinking_budget=0),
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.OFF
            )
        ],
        tools=[types.Tool(google_search=types.GoogleSearch())],
        system_instruction="Be brief.",
    )
    client.chats.create(model="m", config=config, config_mode="merge", on_incomplete="keep")
    chat.send_message("Hello", config=config)
    chat.send_message("Hello", {"temperature": 1.5})


def answers(chat: Chat) -> str:
    """What an answer holds."""
    response = chat.send_message("Hello")
    assert_type(response.text, str | None)
    assert_type(response.candidates, list[types.Candidate] | None)
    if response.usage_metadata is not None:
        assert_type(response.usage_metadata.total_token_count, int | None)
    for call in response.function_calls or []:
        assert_type(call.args, dict[str, Any] | None)
    stream = chat.send_message_stream("Hello")
    assert_type(stream, ResponseStream)
    with stream:
        return "".join(chunk.text or "" for chunk in stream)


def history(client: genai.Client, chat: Chat, stored: Sequence[Mapping[str, Any]]) -> None:
    """Histories come out and go in again."""
    contents = chat.get_history(curated=True)
    assert_type(contents, list[types.Content])
    client.chats.create(model="m", history=contents)
    client.chats.create(model="m", history=stored)
    client.chats.create(model="m", history=[types.UserContent("a"), types.ModelContent("b")])
    for content in contents:
        for part in content.parts or []:
            part.thought_signature = b"s"
    assert_type(chat.turns[0].outcome, genai.Outcome)


async def asynchronous(client: genai.Client, chat: AsyncChat) -> str:
    """The same under asyncio."""
    assert_type(await chat.send_message("Hello"), types.GenerateContentResponse)
    stream = await chat.send_message_stream(["Hello", types.Part(text="you")])
    assert_type(stream, AsyncResponseStream)
    text = "".join([chunk.text or "" async for chunk in stream])
    async with client.aio as aio:
        response = await aio.models.generate_content(model="m", contents="Hello")
        counted = await aio.models.count_tokens(model="m", contents=["Hello"])
        assert_type(counted.total_tokens, int | None)
        assert_type(await aio.files.upload(file="document.pdf"), types.File)
    return text + (response.text or "")


def pictures_and_files(client: genai.Client, chat: Chat, image: Image, mixed: list[str | Image]) -> None:
    """Pictures of Pillow, alone and in lists, and files."""
    chat.send_message(image)
    chat.send_message(mixed)
    chat.send_message(["What is this?", image])
    file = client.files.upload(file="document.pdf", config={"mime_type": "application/pdf"})
    assert_type(file, types.File)
    chat.send_message([types.Part(file_data=types.FileData(file_uri=file.uri)), "Summarize this document"])
    for each in client.files.list(config={"page_size": 2}):
        assert_type(each, types.File)


def typed_dicts(chat: Chat) -> None:
    """The dicts of google-genai, for annotations."""
    config: types.GenerateContentConfigDict = {"temperature": 0.5, "stop_sequences": ["x"]}
    part: types.PartDict = {"text": "Hello"}
    chat.send_message([part, "and text"], config)


def vertex() -> genai.Client:
    """Vertex AI."""
    return genai.Client(vertexai=True, project="p", location="us-central1")


def get_weather(city: str) -> str:
    """The weather in a city."""
    return city


async def get_time(city: str) -> str:
    """The time in a city."""
    return city


def allowed(call: types.FunctionCall) -> bool | None:
    """Who may run."""
    return None if call.name == "get_weather" else True


async def asked(call: types.FunctionCall) -> bool | None:
    """Who may run, after somebody was asked."""
    return allowed(call)


def functions(client: genai.Client) -> None:
    """Functions as tools, approvals, and answers to calls."""
    client.chats.create(model="m", config={"tools": [get_weather]}, approve=["get_weather"])
    client.chats.create(model="m", config=types.GenerateContentConfig(tools=[get_weather]), approve=True)
    chat = client.chats.create(model="m", approve=allowed, function_errors="message")
    answers = [chat.call_function(call) for call in chat.pending_calls]
    assert_type(answers, list[types.Part])
    assert_type(chat.send_function_responses(answers), types.GenerateContentResponse)
    assert_type(chat.send_function_responses(answers, stream=True), ResponseStream)
    chat.send_function_responses([types.FunctionResponse(name="f", response={"result": 1})])
    chat.send_function_responses([{"name": "f", "response": {"result": 1}}])
    chat.send_function_responses()


def kept(client: genai.Client, chat: Chat) -> None:
    """A chat as a value."""
    assert_type(chat.snapshot(), str)
    assert_type(client.chats.restore(chat.snapshot(), tools=[get_weather], approve=True), Chat)
    assert_type(chat.fork(), Chat)
    chat.rewind()
    for explained in chat.explain():
        assert_type(explained.content, types.Content)
        assert_type(explained.curated, bool)
    assert_type(chat.resume(), ResponseStream)


async def kept_under_asyncio(client: genai.Client, chat: AsyncChat) -> None:
    """The same, with functions that are async."""
    client.aio.chats.create(model="m", config={"tools": [get_time, get_weather]}, approve=asked)
    answers = [await chat.call_function(call) for call in chat.pending_calls]
    assert_type(await chat.send_function_responses(answers), types.GenerateContentResponse)
    assert_type(await chat.send_function_responses(answers, stream=True), AsyncResponseStream)
    assert_type(client.aio.chats.restore(chat.snapshot(), tools=[get_time]), AsyncChat)
    assert_type(chat.fork(), AsyncChat)


def handled(client: genai.Client) -> int | None:
    """Errors have the attributes of the reference's."""
    try:
        client.models.generate_content(model="m", contents=["a", types.Part(text="b")])
    except errors.APIError as error:
        assert_type(error.status, str | None)
        return error.code
    except (TimeoutError, ConnectionError):
        return None
    return 200


def wrong(client: genai.Client, chat: Chat) -> None:
    """What a type checker should refuse; mypy and pyright report an ignore that is not needed."""
    chat.send_message(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    types.Part(txt="typo")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    types.Content(role=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.chats.create("m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class Mine:
    """A transport of a program's own, by shape alone."""

    def open(self, request: Request, secrets: Secrets) -> Any:
        """Send it."""
        raise errors.ConnectFailed("not today")

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def close(self) -> None:
        """Close."""


def plug_in() -> Transport:
    """It is a Transport, and a Client takes it."""
    mine = Mine()
    genai.Client(transport=mine)
    return mine
