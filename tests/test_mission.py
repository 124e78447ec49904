"""Every example of google-genai's page on ``send_message``, word for word but for the import lines."""

from __future__ import annotations

import base64
import inspect
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixture_server import (
    BAD_KEY,
    CAPITAL,
    COLORS,
    CREATIVE,
    HELLO,
    IMAGE,
    OCEAN,
    ROBOT,
    STORY,
    SUMMARY,
    FixtureServer,
)
from PIL import Image

import chatproto
from chatproto import types
from chatproto.chats import AsyncChat, Chat
from chatproto_aiohttp import AiohttpTransport
from chatproto_replay import Player

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).parent.parent / "fixtures"

BASIC_TEXT_MESSAGE = """\
import chatproto as genai

client = genai.Client(api_key='your-api-key')

# Create chat
chat = client.chats.create(model='gemini-2.0-flash')

# Send message
response = chat.send_message('Tell me a story about a robot')
print(response.text)
"""

STREAMING_RESPONSE = """\
# Create chat
chat = client.chats.create(model='gemini-2.0-flash')

# Stream the response
for chunk in chat.send_message_stream('Write a poem about the ocean'):
    print(chunk.text, end='')
print()  # New line after streaming completes
"""

MESSAGE_WITH_IMAGE = """\
from chatproto import types
from PIL import Image

# Load image
image = Image.open('photo.jpg')

# Create chat
chat = client.chats.create(model='gemini-2.0-flash')

# Send message with image
response = chat.send_message([
    'What do you see in this image?',
    image
])
print(response.text)
"""

OVERRIDE_CONFIGURATION = """\
# Create chat with default config
chat = client.chats.create(
    model='gemini-2.0-flash',
    config={'temperature': 0.5}
)

# Override config for a specific message
response = chat.send_message(
    'Be creative and write a story',
    config={'temperature': 1.5}  # More creative for this message
)
print(response.text)
"""

MULTI_TURN_CONVERSATION = """\
# Create chat
chat = client.chats.create(model='gemini-2.0-flash')

# First turn
response = chat.send_message('What is the capital of France?')
print(f"Assistant: {response.text}")

# Second turn - chat remembers context
response = chat.send_message('What is its population?')
print(f"Assistant: {response.text}")

# Third turn
response = chat.send_message('What are some famous landmarks there?')
print(f"Assistant: {response.text}")
"""

JSON_OUTPUT = """\
import json

chat = client.chats.create(model='gemini-2.0-flash')

response = chat.send_message(
    'List 3 colors with their hex codes',
    config={'response_mime_type': 'application/json'}
)

colors = json.loads(response.text)
print(colors)
"""

ASYNC_STREAMING = """\
import asyncio
import chatproto as genai

client = genai.Client(api_key='your-api-key')

async def stream_example():
    # Create async chat
    chat = client.aio.chats.create(model='gemini-2.0-flash')
    
    # Stream response asynchronously
    async for chunk in await chat.send_message_stream('Tell me a story'):
        print(chunk.text, end='')
    print()

asyncio.run(stream_example())
"""  # noqa: W293  # so it stands there

FILE_UPLOAD_IN_CHAT = """\
# Upload a file first
file = client.files.upload(file='document.pdf')

# Use in chat
chat = client.chats.create(model='gemini-2.0-flash')
response = chat.send_message([
    types.Part(file_data=types.FileData(file_uri=file.uri)),
    'Summarize this document'
])
print(response.text)
"""

ACCESS_CHAT_HISTORY = """\
chat = client.chats.create(model='gemini-2.0-flash')

# Send some messages
chat.send_message('Hello')
chat.send_message('How are you?')

# Get comprehensive history (includes all turns)
history = chat.get_history(curated=False)
for content in history:
    print(f"{content.role}: {content.parts[0].text}")

# Get curated history (only valid turns)
curated_history = chat.get_history(curated=True)
"""

ERROR_HANDLING = """\
try:
    chat = client.chats.create(model='gemini-2.0-flash')
    response = chat.send_message('Hello')
    print(response.text)
except Exception as e:
    print(f"Error: {e}")
"""

#: What the page says that a message can be.
MESSAGES = """\
"Tell me a story"
Part(text="Hello")
[Part(text="Describe this:"), Part(inline_data=image)]
"""

DOCUMENT = b"%PDF-1.7\n\xff\x00" * 2000

#: What each prints, and the recording that answers it too.
EXAMPLES = {
    "basic text message": (BASIC_TEXT_MESSAGE, "".join(ROBOT) + "\n", None),
    "streaming response": (STREAMING_RESPONSE, "".join(OCEAN) + "\n", "ocean_poem"),
    "message with image": (MESSAGE_WITH_IMAGE, "".join(IMAGE) + "\n", None),
    "override configuration": (OVERRIDE_CONFIGURATION, "".join(CREATIVE) + "\n", "creative"),
    "multi-turn conversation": (
        MULTI_TURN_CONVERSATION,
        "".join(f"Assistant: {''.join(pieces)}\n" for pieces in CAPITAL.values()),
        "capital_of_france",
    ),
    "json output": (JSON_OUTPUT, f"{COLORS}\n", "colors"),
    "async streaming": (ASYNC_STREAMING, "".join(STORY) + "\n", None),
    "file upload in chat": (FILE_UPLOAD_IN_CHAT, "".join(SUMMARY) + "\n", None),
    "access chat history": (
        ACCESS_CHAT_HISTORY,
        "".join(f"user: {question}\nmodel: {''.join(pieces)}\n" for question, pieces in HELLO.items()),
        "hello_history",
    ),
    "error handling": (ERROR_HANDLING, "".join(HELLO["Hello"]) + "\n", None),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FixtureServer]:
    """The server that a client finds if it is told nothing."""
    with FixtureServer() as running:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
        monkeypatch.delenv("GOOGLE_GENAI_API_VERSION", raising=False)
        yield running


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the examples open are in the folder that they run in."""
    monkeypatch.chdir(tmp_path)
    Image.linear_gradient("L").convert("RGB").save("photo.jpg")
    Path("document.pdf").write_bytes(DOCUMENT)


def run(code: str, client: chatproto.Client) -> dict[str, Any]:
    """Run an example that makes no ``client`` or imports no ``types`` of its own; its names afterwards."""
    names: dict[str, Any] = {"client": client, "types": types}
    exec(compile(code, "the page", "exec"), names)
    return names


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_it_stands(name: str, server: FixtureServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Against a server on loopback."""
    code, printed, _ = EXAMPLES[name]
    with chatproto.Client(api_key="your-api-key") as client:
        names = run(code, client)
        names["client"].close()  # two examples make their own
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", [name for name, (_, _, recording) in EXAMPLES.items() if recording])
def test_an_example_runs_from_its_recording(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Strictly: the same requests, and all of them."""
    code, printed, recording = EXAMPLES[name]
    with Player(FIXTURES / f"{recording}.json") as player:
        run(code, chatproto.Client(transport=player))
    assert capsys.readouterr().out == printed


def test_a_config_replaces_the_chats_for_one_message(server: FixtureServer) -> None:
    """As in google-genai: the chat's temperature is not sent with it."""
    with chatproto.Client(api_key="your-api-key") as client:
        run(OVERRIDE_CONFIGURATION, client)
    assert [body["generationConfig"] for body in server.requests] == [{"temperature": 1.5}]


def test_the_chat_remembers(server: FixtureServer) -> None:
    """Each request says again what was said, word for word."""
    with chatproto.Client(api_key="your-api-key") as client:
        run(MULTI_TURN_CONVERSATION, client)
    assert [len(body["contents"]) for body in server.requests] == [1, 3, 5]
    said = [content["parts"][0]["text"] for content in server.requests[-1]["contents"]]
    questions, answers = list(CAPITAL), ["".join(pieces) for pieces in CAPITAL.values()]
    assert said == [questions[0], answers[0], questions[1], answers[1], questions[2]]


def test_json_output_asks_for_json(server: FixtureServer) -> None:
    """And what is printed is what was decoded."""
    with chatproto.Client(api_key="your-api-key") as client:
        names = run(JSON_OUTPUT, client)
    assert server.requests[0]["generationConfig"] == {"responseMimeType": "application/json"}
    assert names["colors"] == json.loads(names["response"].text) == COLORS


def test_curated_and_comprehensive_history_are_equal_here(server: FixtureServer) -> None:
    """Nothing in it was blocked or cut short."""
    with chatproto.Client(api_key="your-api-key") as client:
        names = run(ACCESS_CHAT_HISTORY, client)
    assert names["history"] == names["curated_history"]
    assert [content.role for content in names["history"]] == ["user", "model", "user", "model"]


def test_an_image_is_sent_as_the_jpeg_that_it_was(server: FixtureServer) -> None:
    """After the question, as the list has it."""
    with chatproto.Client(api_key="your-api-key") as client:
        run(MESSAGE_WITH_IMAGE, client)
    (content,) = server.requests[0]["contents"]
    question, image = content["parts"]
    assert question == {"text": "What do you see in this image?"}
    assert picture(image) == ("JPEG", (256, 256))


def picture(part: dict[str, Any]) -> tuple[str | None, tuple[int, int]]:
    """The format and the size of the image in a part of a request."""
    assert part["inlineData"]["mimeType"] == "image/jpeg"
    with Image.open(io.BytesIO(base64.b64decode(part["inlineData"]["data"]))) as sent:
        return sent.format, sent.size


def test_a_file_is_uploaded_and_named_in_the_message(server: FixtureServer) -> None:
    """All its bytes arrive. The page gives no MIME type with the URI, so none is sent."""
    with chatproto.Client(api_key="your-api-key") as client:
        names = run(FILE_UPLOAD_IN_CHAT, client)
    (stored,) = server.files.files.values()
    assert bytes(stored.content) == DOCUMENT
    assert (names["file"].name, names["file"].mime_type) == (stored.name, "application/pdf")
    (content,) = server.requests[0]["contents"]
    assert content["parts"] == [{"fileData": {"fileUri": names["file"].uri}}, {"text": "Summarize this document"}]


def test_async_streaming_goes_through_aiohttp(server: FixtureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what a client takes if it is told nothing. The request is the same as without asyncio."""
    opened: list[Any] = []
    original = AiohttpTransport.aopen

    def noting(self: AiohttpTransport, request: Any, secrets: Any) -> Any:
        opened.append(request)
        return original(self, request, secrets)

    monkeypatch.setattr(AiohttpTransport, "aopen", noting)
    with chatproto.Client(api_key="your-api-key") as client:
        run(ASYNC_STREAMING, client)
        for _ in client.chats.create(model="gemini-2.0-flash").send_message_stream("Tell me a story"):
            pass
    assert len(opened) == 1
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("message", MESSAGES.splitlines())
def test_a_message_can_be_all_that_the_page_says(message: str, server: FixtureServer) -> None:
    """Also a part whose ``inline_data`` is an image of Pillow's."""
    with chatproto.Client(api_key="your-api-key") as client, Image.open("photo.jpg") as image:
        chat = client.chats.create(model="gemini-2.0-flash")
        assert chat.send_message(eval(message, {"Part": types.Part, "image": image})).text
    (content,) = server.requests[0]["contents"]
    if "image" in message:
        text, data = content["parts"]
        assert (text, picture(data)) == ({"text": "Describe this:"}, ("JPEG", (256, 256)))
    else:
        (part,) = content["parts"]
        assert part["text"] in message


@pytest.mark.parametrize("kind", [Chat, AsyncChat])
@pytest.mark.parametrize("method", ["send_message", "send_message_stream"])
def test_methods_have_the_signatures_of_the_page(kind: type, method: str) -> None:
    """``message`` and ``config``, the second may be left out."""
    _, *parameters = inspect.signature(getattr(kind, method)).parameters.values()
    assert [each.name for each in parameters] == ["message", "config"]
    assert [each.default for each in parameters] == [inspect.Parameter.empty, None]
    assert {each.kind for each in parameters} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}


def test_an_error_is_printed(server: FixtureServer, capsys: pytest.CaptureFixture[str]) -> None:
    """In google-genai's words: code, status and the server's document."""
    with chatproto.Client(api_key=BAD_KEY) as client:
        run(ERROR_HANDLING, client)
    printed = capsys.readouterr().out
    assert printed.startswith("Error: 400 INVALID_ARGUMENT. {'error': {'code': 400, 'message': 'API key not valid.'")
    assert BAD_KEY not in printed
