"""What is sent to the Gemini API, read by Google's own protobuf classes: an oracle that knows no JSON of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from test_config_fields import CONFIGS, PARTS

import chatproto
from chatproto import types
from chatproto.convert.config import read_config
from chatproto.convert.messages import to_contents
from chatproto.errors import ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.types._dump import to_wire
from chatproto.types._value import fields_of
from chatproto.wire.gemini import GeminiApi

json_format: Any = pytest.importorskip("google.protobuf.json_format", reason="protobuf is not installed")
language: Any = pytest.importorskip(
    "google.ai.generativelanguage_v1beta", reason="google-ai-generativelanguage is not installed"
)

#: Fields that google-genai 3.4.0 sends and the package does not have yet.
_NEWER = """
    Blob.displayName CodeExecutionResult.id ComputerUse.disabledSafetyPolicies
    ComputerUse.enablePromptInjectionDetection ExecutableCode.id FileData.displayName FileSearch.fileSearchStoreNames
    FileSearch.metadataFilter FileSearch.topK FunctionResponseBlob.displayName FunctionResponsePart.audioMetadata
    FunctionResponsePart.documentMetadata FunctionResponsePart.fileData FunctionResponsePart.mediaProcessing
    FunctionResponsePart.mediaResolution FunctionResponsePart.spreadsheetMetadata FunctionResponsePart.videoMetadata
    GenerateContentRequest.continuationToken GenerateContentRequest.labels GenerateContentRequest.serviceTier
    GenerateContentRequest.store GenerationConfig.audioTranscriptionConfig GoogleMaps.authConfig
    GoogleSearch.searchTypes ImageConfig.imageSize Part.audioMetadata Part.audioTranscription Part.documentMetadata
    Part.mediaProcessing Part.mediaResolution Part.speechMetadata Part.spreadsheetMetadata Part.toolCall
    Part.toolResponse Schema.additionalProperties Schema.ref ThinkingConfig.thinkingLevel Tool.mcpServers
    ToolConfig.includeServerSideToolInvocations VideoMetadata.contentLayers VoiceConfig.replicatedVoiceConfig
    VoiceConfig.voice
"""
NEWER = frozenset(_NEWER.split())


def refusal(body: dict[str, Any]) -> str | None:
    """What the protobuf class says of a request's body; None if it can read all of it.

    For a field that it does not have, ``Message.field``.
    """
    try:
        json_format.ParseDict(body, language.GenerateContentRequest.pb(language.GenerateContentRequest()))
    except json_format.ParseError as error:
        unknown = re.search(r'Message type "[\w.]*\.(\w+)" has no field named "(\w+)"', str(error))
        return f"{unknown[1]}.{unknown[2]}" if unknown else str(error)
    return None


@cache
def bodies() -> dict[str, dict[str, Any]]:
    """A request for each field of a config and of a part that the Gemini API takes, by the field's path."""
    return dict(_bodies())


def _bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    dialect = GeminiApi()
    question = [to_wire(content) for content in to_contents("q")]
    for path, config in CONFIGS:
        try:
            yield f"config.{path}", {"contents": question, **dialect.settings(read_config(config).values)}
        except ValidationError:
            continue
    for path, fields in PARTS:
        content = types.Content(role="user", parts=[types.Part.model_validate(fields)])
        try:
            dialect.check(content)
        except ValidationError:
            continue
        yield f"part.{path}", {"contents": [to_wire(content)]}


@pytest.mark.parametrize("path", bodies())
def test_google_reads_what_is_sent(path: str) -> None:
    """A request with that field set is one of the API's, unless the field is newer than the package."""
    said = refusal(bodies()[path])
    assert said is None or said in NEWER


def test_each_newer_field_is_needed() -> None:
    """A field that the package has by now is taken off the list."""
    assert {said for body in bodies().values() if (said := refusal(body)) is not None} == NEWER


def test_there_is_one_of_each() -> None:
    """Each field of a config that the Gemini API takes, each kind of part and each kind of tool is among the bodies."""
    paths = set(bodies())
    for cls, place in ((types.Part, "part."), (types.Tool, "config.tools[0].")):
        missing = {
            field.name for field in fields_of(cls) if not any(path.startswith(place + field.name) for path in paths)
        }
        assert missing <= {"retrieval", "enterprise_web_search", "parallel_ai_search", "exa_ai_search"}  # Vertex AI's


def schemas() -> dict[str, Any]:
    """Types, as response_schema."""
    import test_schemas

    return {str(shape)[:60]: shape for shape in test_schemas.SAME}


@pytest.mark.parametrize("name", schemas())
def test_google_reads_the_schemas(name: str) -> None:
    """What a Python type becomes is the API's own Schema."""
    settings = GeminiApi().settings(read_config({"response_schema": schemas()[name]}).values)
    assert refusal({"contents": [], **settings}) in (None, "Schema.additionalProperties")


def test_google_reads_what_a_chat_sends() -> None:
    """A chat of two turns, streamed and not, with a picture, tools and settings, as it leaves the machine."""
    from PIL import Image

    transport = ScriptedTransport("one", "two")
    chat = chatproto.Client(transport=transport).chats.create(
        model="m",
        config={"temperature": 0.5, "system_instruction": "S", "tools": [{"google_search": {}, "url_context": {}}]},
    )
    chat.send_message([Image.new("RGB", (2, 2)), "What is this?"])
    list(chat.send_message_stream("And now?"))
    assert len(transport.requests) == 2
    for request in transport.requests:
        body = json.loads(request.content)
        assert refusal(body) is None


def test_the_oracle_refuses() -> None:
    """It does see a field that does not exist, and a value of the wrong kind."""
    assert refusal({"contents": [{"prats": []}]}) == "Content.prats"
    assert refusal({"contents": [], "generationConfig": {"seed": "x"}}) is not None
