"""Vertex AI's dialect: names, hosts, and what either API does not take (reference behaviour, 2.5, 3.1, 3.2, 10, 16).

That settings are on the wire as google-genai sends them is shown in test_config_fields.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from chatproto import types
from chatproto.convert.config import read_config, to_count_config
from chatproto.errors import ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import SendRequest
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.gemini import GeminiApi
from chatproto.wire.vertex import VERTEX_API_VERSION, VertexAi, vertex_base_url

VERTEX = VertexAi("p", "us-central1")
PLACE = "projects/p/locations/us-central1/"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.5-flash", f"{PLACE}publishers/google/models/gemini-2.5-flash"),
        ("models/m", f"{PLACE}models/m"),
        ("publishers/a/models/m", f"{PLACE}publishers/a/models/m"),
        ("meta/llama", f"{PLACE}publishers/meta/models/llama"),
        ("a/b/c", f"{PLACE}publishers/a/models/b/c"),
        ("tunedModels/x", f"{PLACE}publishers/tunedModels/models/x"),
        ("projects/q/locations/r/endpoints/1", "projects/q/locations/r/endpoints/1"),
    ],
)
def test_model_paths(model: str, path: str) -> None:
    """A name in any of its forms, as google-genai makes a URL of it."""
    from reference_wire import Reference

    assert VERTEX.model_path(model) == path
    reference = Reference(vertex=True)
    reference.body(model=model)
    base = vertex_base_url("us-central1", has_key=False)
    assert str(reference.requests[-1].url) == f"{base}{VERTEX_API_VERSION}/{path}:generateContent"


@pytest.mark.parametrize("model", ["", "a..b", "a?b", "a&b", "../x"])
@pytest.mark.parametrize("dialect", [VERTEX, GeminiApi()])
def test_names_that_are_none(dialect: Any, model: str) -> None:
    """What would change the URL is no name."""
    with pytest.raises(ValidationError):
        dialect.model_path(model)


def test_without_a_project() -> None:
    """Express mode has no project in its paths; a base_url that has the project needs it in none either."""
    assert VertexAi().model_path("m") == "publishers/google/models/m"
    scoped = VertexAi("p", "l", in_project=False)
    assert scoped.model_path("m") == "publishers/google/models/m"
    config = types.GenerateContentConfig(cached_content="1")
    assert scoped.settings(config)["cachedContent"] == "projects/p/locations/l/cachedContents/1"
    assert VertexAi().settings(config)["cachedContent"] == "cachedContents/1"
    halves: tuple[dict[str, Any], ...] = ({"project": "p"}, {"location": "l"})
    for half in halves:
        with pytest.raises(ValidationError, match="both"):
            VertexAi(**half)


@pytest.mark.parametrize(
    ("location", "has_key", "url"),
    [
        (None, True, "https://aiplatform.googleapis.com/"),
        ("global", False, "https://aiplatform.googleapis.com/"),
        ("global", True, "https://aiplatform.googleapis.com/"),
        ("us", False, "https://aiplatform.us.rep.googleapis.com/"),
        ("eu", False, "https://aiplatform.eu.rep.googleapis.com/"),
        ("europe-west4", False, "https://europe-west4-aiplatform.googleapis.com/"),
        ("us-central1", True, "https://us-central1-aiplatform.googleapis.com/"),
    ],
)
def test_hosts(location: str | None, has_key: bool, url: str) -> None:
    """Each location has its server."""
    assert vertex_base_url(location, has_key=has_key) == url


@pytest.mark.parametrize("location", [None, "", "evil.com/", "us-central1.evil.com/x?", "a b", "ü"])
def test_locations_that_are_none(location: str | None) -> None:
    """A token goes to Google's hosts only: a location that would name another host is refused."""
    with pytest.raises(ValidationError):
        vertex_base_url(location, has_key=False)


#: Setting, and where the error points, by the API that refuses it.
REFUSED: dict[str, list[tuple[dict[str, Any], str]]] = {
    "gemini": [
        ({"audio_timestamp": True}, "$.audio_timestamp"),
        ({"routing_config": {}}, "$.routing_config"),
        ({"model_selection_config": {}}, "$.model_selection_config"),
        ({"model_armor_config": {}}, "$.model_armor_config"),
        ({"generation_output_config": {}}, "$.generation_output_config"),
        ({"safety_settings": [{}, {"method": "SEVERITY"}]}, "$.safety_settings[1].method"),
        ({"image_config": {"person_generation": "ALLOW_ALL"}}, "$.image_config.person_generation"),
        ({"tools": [{"retrieval": {}}]}, "$.tools[0].retrieval"),
        ({"tools": [{"enterprise_web_search": {}}]}, "$.tools[0].enterprise_web_search"),
        ({"tools": [{"google_search": {"exclude_domains": ["x"]}}]}, "$.tools[0].google_search.exclude_domains"),
        (
            {"tools": [{"google_maps": {"auth_config": {"oauth_config": {}}}}]},
            "$.tools[0].google_maps.auth_config.oauth_config",
        ),
        (
            {"tool_config": {"function_calling_config": {"stream_function_call_arguments": True}}},
            "$.tool_config.function_calling_config.stream_function_call_arguments",
        ),
        (
            {"system_instruction": types.Part(function_call=types.FunctionCall(will_continue=True))},
            "$.system_instruction.parts[0].function_call.will_continue",
        ),
        (
            {"response_schema": {"type": "OBJECT", "properties": {"a": {"additionalProperties": True}}}},
            "$.response_schema.properties['a'].additional_properties",
        ),
    ],
    "vertex": [
        ({"enable_enhanced_civic_answers": True}, "$.enable_enhanced_civic_answers"),
        ({"store": False}, "$.store"),
        ({"tools": [{"file_search": {}}]}, "$.tools[0].file_search"),
        ({"tools": [{"mcp_servers": [{"name": "n"}]}]}, "$.tools[0].mcp_servers[0].name"),
        (
            {"tool_config": {"include_server_side_tool_invocations": True}},
            "$.tool_config.include_server_side_tool_invocations",
        ),
        (
            {"speech_config": {"voice_config": {"replicated_voice_config": {"consent_audio": b"x"}}}},
            "$.speech_config.voice_config.replicated_voice_config.consent_audio",
        ),
        (
            {"system_instruction": types.Part(part_metadata={"a": 1})},
            "$.system_instruction.parts[0].part_metadata",
        ),
    ],
}


@pytest.mark.parametrize(
    ("mode", "config", "path"), [(mode, config, path) for mode, rows in REFUSED.items() for config, path in rows]
)
def test_what_only_the_other_api_takes(mode: str, config: dict[str, Any], path: str) -> None:
    """Refused before anything is sent, with the path of the setting; the other API takes it."""
    made = read_config(config).values
    this, other = (GeminiApi(), VERTEX) if mode == "gemini" else (VERTEX, GeminiApi())
    with pytest.raises(ValidationError, match="takes this") as caught:
        this.settings(made)
    assert caught.value.path == path
    assert other.settings(made)


@pytest.mark.parametrize(
    ("part", "mode", "path"),
    [
        ({"function_call": {"partial_args": []}}, "gemini", "$.parts[0].function_call.partial_args"),
        ({"function_call": {"will_continue": False}}, "gemini", "$.parts[0].function_call.will_continue"),
        ({"tool_call": {}}, "vertex", "$.parts[0].tool_call"),
        ({"tool_response": {}}, "vertex", "$.parts[0].tool_response"),
        ({"part_metadata": {}}, "vertex", "$.parts[0].part_metadata"),
        ({"function_response": {"will_continue": True}}, "vertex", "$.parts[0].function_response.will_continue"),
        (
            {"function_response": {"parts": [{}, {"media_processing": "STATIC"}]}},
            "vertex",
            "$.parts[0].function_response.parts[1].media_processing",
        ),
    ],
)
def test_parts_that_only_the_other_api_takes(part: dict[str, Any], mode: str, path: str) -> None:
    """The same for what is said; what is inside a free-form object is the program's own."""
    content = types.Content(role="user", parts=[types.Part.model_validate(part)])
    this, other = (GeminiApi(), VERTEX) if mode == "gemini" else (VERTEX, GeminiApi())
    with pytest.raises(ValidationError, match="takes this") as caught:
        this.check(content)
    assert caught.value.path == path
    other.check(content)
    free = types.Part(function_call=types.FunctionCall(name="f", args={"partial_args": 1, "tool_call": {}}))
    for dialect in (this, other):
        dialect.check(types.Content(parts=[free]))


def test_settings_change_nothing() -> None:
    """Writing a config leaves it as it was, and does the same twice; None has no settings."""
    config = types.GenerateContentConfig(
        image_config=types.ImageConfig(output_mime_type="image/png"), cached_content="1", speech_config="Kore"
    )
    before = copy.deepcopy(config)
    assert VERTEX.settings(config) == VERTEX.settings(config)
    assert config == before
    assert VERTEX.settings(None) == {}
    assert VERTEX.settings(types.GenerateContentConfig()) == {"generationConfig": {}}


COUNTED: dict[str, Any] = {
    "system_instruction": {"role": "user", "parts": [{"text": "S"}]},
    "tools": [{"google_search": {}}],
    "generation_config": {
        "temperature": 0.5,
        "model_selection_config": {"feature_selection_preference": "BALANCED"},
        "response_schema": {"type": "STRING"},
        "speech_config": {"voice_config": {"voice": "v"}},
    },
}


def test_what_is_counted() -> None:
    """Vertex AI counts instructions, tools and settings, as google-genai asks it to; the Gemini API contents only."""
    import json

    from reference_wire import Reference, normal

    config, _ = to_count_config({**COUNTED, "system_instruction": "S"})
    reference = Reference(vertex=True)
    reference.client.models.count_tokens(model="m", contents="q", config=copy.deepcopy(COUNTED))
    sent = normal(json.loads(reference.requests[-1].content))
    del sent["contents"]
    assert normal(VERTEX.count_settings(config)) == sent
    assert VERTEX.count_settings(None) == GeminiApi().count_settings(None) == {}
    assert GeminiApi().count_settings(types.CountTokensConfig(http_options=types.HttpOptions(timeout=1))) == {}
    for name, item in COUNTED.items():
        with pytest.raises(ValidationError, match="only Vertex AI") as caught:
            GeminiApi().count_settings(types.CountTokensConfig.model_validate({name: item}))
        assert caught.value.path == f"$.{name}"
    bad = {"generation_config": {"enable_enhanced_civic_answers": True}}
    with pytest.raises(ValidationError, match="Gemini API") as caught:
        VERTEX.count_settings(types.CountTokensConfig.model_validate(bad))
    assert caught.value.path == "$.generation_config.enable_enhanced_civic_answers"


def test_the_config_of_count_tokens() -> None:
    """Headers are taken out of it, the caller's is not changed, and errors name the path."""
    given = types.CountTokensConfig(system_instruction="S", http_options=types.HttpOptions(headers={"a": "b"}))
    before = copy.deepcopy(given)
    made, headers = to_count_config(given)
    assert given == before
    assert headers == {"a": "b"}
    assert made.http_options == types.HttpOptions()
    with pytest.raises(ValidationError, match=r"^\$\.config\.http_options\.timeout"):
        to_count_config({"http_options": {"timeout": -1}})


def test_a_conversation_with_vertex_ai() -> None:
    """The machine speaks it: the dialect is a plain value that is copied and pickled with it."""
    endpoint = Endpoint(base_url=vertex_base_url("us-central1", has_key=False), api_version=VERTEX_API_VERSION)
    conversation = Conversation("m", dialect=VERTEX, endpoint=endpoint)
    conversation.send("q")
    step = pickle.loads(pickle.dumps(conversation)).next()
    assert isinstance(step, SendRequest)
    assert step.request.url == (
        f"https://us-central1-aiplatform.googleapis.com/v1beta1/{PLACE}publishers/google/models/m"
        ":streamGenerateContent?alt=sse"
    )
