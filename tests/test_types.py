"""The values: built as programs write them, read and written as on the wire, dumped as google-genai dumps them."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings

from chatproto import types
from chatproto.errors import ValidationError
from chatproto.testing.strategies import contents, responses
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter
from chatproto.types._open_enum import OpenEnum
from chatproto.types._value import Setting, Value, fields_of

#: The same names without their types, for what a type checker would refuse.
LOOSE: Any = types

FOLDER = Path(types.__file__).parent
CLASSES = [each for name in types.__all__ if isinstance(each := getattr(types, name), type) and issubclass(each, Value)]


def read(document: Any, cls: type[Any]) -> Any:
    """A value off the wire."""
    return converter("wire").structure(document, cls)


def text(document: Any) -> str:
    """JSON text by which True and 1, and 1 and 1.0, differ."""
    return json.dumps(document, sort_keys=True)


def there_and_back(document: Any, cls: type[Any]) -> Any:
    """Read off the wire, written, and checked to be the same JSON; the value."""
    value = read(document, cls)
    assert text(to_wire(value)) == text(document)
    return value


# --- law L3: wire JSON -> values -> wire JSON is the identity ------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(responses())
def test_l3_for_responses(document: dict[str, Any]) -> None:
    """L3: any answer, with unknown fields, kinds and enum values in it, is written as it was read."""
    there_and_back(document, types.GenerateContentResponse)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(contents())
def test_l3_for_contents(document: dict[str, Any]) -> None:
    """L3: any message is written as it was read; so are its copies and pickles, and they equal it."""
    content = there_and_back(document, types.Content)
    for other in (copy.deepcopy(content), content.model_copy(deep=True), pickle.loads(pickle.dumps(content))):
        assert text(to_wire(other)) == text(document)
        if "NaN" not in text(document):
            assert other == content


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(responses())
def test_what_is_dumped_can_be_validated_again(document: dict[str, Any]) -> None:
    """A response that was stored by model_dump_json and validated again dumps as before, unknown fields included."""
    response = read(document, types.GenerateContentResponse)
    stored = response.model_dump_json(exclude_none=True)
    assert types.GenerateContentResponse.model_validate_json(stored).model_dump_json(exclude_none=True) == stored
    assert repr(response)


@pytest.mark.parametrize(
    ("document", "cls"),
    [
        ({"functionCall": {"name": "f", "args": {}}}, types.Part),
        ({"functionCall": {}}, types.Part),
        ({}, types.Part),
        ({"parts": []}, types.Content),
        ({"text": ""}, types.Part),
        ({"thought": False}, types.Part),
        ({"candidates": []}, types.GenerateContentResponse),
        ({"functionCall": {"args": {"a": None, "b": {}, "c": []}}}, types.Part),
    ],
)
def test_explicit_empties_survive(document: dict[str, Any], cls: type[Value]) -> None:
    """What is there and empty is not the same as what is not there."""
    there_and_back(document, cls)


def test_explicit_nulls_survive() -> None:
    """A known key that is null reads as unset, and is written back; setting the field replaces it."""
    part = there_and_back({"text": None, "thought": True}, types.Part)
    assert part.text is None
    assert part.extra == {"text": None}
    part.text = "now set"
    assert to_wire(part) == {"text": "now set", "thought": True}


def test_either_spelling_is_read_and_kept() -> None:
    """Snake case off the wire fills the field, and is written as it came."""
    part = there_and_back({"inline_data": {"mime_type": "image/png", "data": "AAAA"}}, types.Part)
    assert part.inline_data.mime_type == "image/png"
    part.inline_data = types.Blob(data=b"x")
    assert to_wire(part) == {"inline_data": {"data": "eA=="}}


@pytest.mark.parametrize("first", ["mimeType", "mime_type"])
def test_both_spellings_at_once(first: str) -> None:
    """Where a key comes in both spellings the usual one counts, and the other is kept."""
    second = "mime_type" if first == "mimeType" else "mimeType"
    blob = there_and_back({first: first, second: second}, types.Blob)
    assert blob.mime_type == "mimeType"


def test_citation_sources_are_citations() -> None:
    """The Gemini API's name for the list of citations fills the same field as Vertex AI's."""
    metadata = there_and_back({"citationSources": [{"startIndex": 1}]}, types.CitationMetadata)
    assert metadata.citations == [types.Citation(start_index=1)]


@pytest.mark.parametrize(
    ("spelling", "data"),
    [
        ("-_-_", b"\xfb\xff\xbf"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("YQ", b"a"),
        ("YQ==", b"a"),
        ("YR==", b"a"),
        ("YWJ", b"ab"),
        ("_w==", b"\xff"),
        ("", b""),
    ],
)
def test_every_base64_is_read_and_kept(spelling: str, data: bytes) -> None:
    """Url-safe, unpadded and non-canonical base64 decode, and a signature goes back letter for letter."""
    part = there_and_back({"thoughtSignature": spelling}, types.Part)
    assert part.thought_signature == data
    part.thought_signature = bytes(bytearray(data))
    assert to_wire(part) == {"thoughtSignature": to_wire(types.Part(thought_signature=data))["thoughtSignature"]}


@pytest.mark.parametrize("bad", ["!!", "A", "é", "AAAA\n", 5, ["AA"]])
def test_what_is_not_base64_is_refused(bad: object) -> None:
    """Bytes that cannot be decoded are an error that names the field, and does not quote the data."""
    with pytest.raises(ValidationError, match=r"\$\.inlineData\.data: expected .*base64"):
        read({"inlineData": {"data": bad}}, types.Part)


def test_int64_as_text() -> None:
    """An int64 is text in protobuf's JSON; it reads as an int, and is text again on the wire."""
    file = there_and_back({"sizeBytes": "9007199254740993"}, types.File)
    assert file.size_bytes == 9007199254740993
    assert file.model_dump(mode="json", exclude_none=True) == {"size_bytes": 9007199254740993}
    file.size_bytes += 1
    assert to_wire(file) == {"sizeBytes": 9007199254740994}


@pytest.mark.parametrize("spelling", ["NaN", "Infinity", "-Infinity", "0.5", 0.5, 1, -0.0])
def test_numbers_as_text(spelling: str | float) -> None:
    """Numbers that JSON cannot write come as text, and go as text."""
    candidate = there_and_back({"avgLogprobs": spelling}, types.Candidate)
    assert isinstance(candidate.avg_logprobs, (int, float))
    assert candidate.model_dump_json(exclude_none=True)


@pytest.mark.parametrize(
    ("spelling", "moment"),
    [
        ("2024-05-06T07:08:09.123456789Z", datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)),
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, 0, UTC)),
        ("2024-05-06T07:08:09.5Z", datetime(2024, 5, 6, 7, 8, 9, 500000, UTC)),
        ("2024-05-06t07:08:09z", datetime(2024, 5, 6, 7, 8, 9, 0, UTC)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 7, 8, 9, 0, timezone(timedelta(hours=2)))),
        ("2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9)),  # noqa: DTZ001
    ],
)
def test_timestamps(spelling: str, moment: datetime) -> None:
    """Timestamps read as datetimes, cut to microseconds; unchanged ones go back with all their digits."""
    file = there_and_back({"createTime": spelling}, types.File)
    assert file.create_time == moment
    for other in (copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert to_wire(other) == {"createTime": spelling}
    assert repr(file).startswith("File(create_time=datetime.datetime(2024, 5, 6, 7, 8, 9")


def test_arithmetic_on_a_timestamp_leaves_its_spelling() -> None:
    """A moment that a program reckoned from one off the wire is written anew."""
    file = read({"createTime": "2024-05-06T07:08:09.123456789Z"}, types.File)
    later = types.File(create_time=file.create_time + timedelta(hours=1))
    assert to_wire(later) == {"createTime": "2024-05-06T08:08:09.123456Z"}


@pytest.mark.parametrize(
    ("document", "cls", "where"),
    [
        ({"candidates": [{"content": {"parts": [{"text": 1}]}}]}, types.GenerateContentResponse, "parts[0].text"),
        ({"thought": "true"}, types.Part, "$.thought: expected true or false, got str 'true'"),
        ({"parts": {}}, types.Content, "$.parts: expected a list, got dict"),
        ({"parts": ["x"]}, types.Content, "$.parts[0]: expected an object, got str 'x'"),
        ({"parts": [{}, {"text": 1}]}, types.Content, "$.parts[1].text: expected a string, got int 1"),
        ({"finishReason": True}, types.Candidate, "$.finishReason: expected a value of FinishReason, got bool True"),
        ({"finishReason": ["STOP"]}, types.Candidate, "$.finishReason: expected a value of FinishReason, got list"),
        ({"functionCall": {"args": []}}, types.Part, "$.functionCall.args: expected an object, got list"),
        ({"index": True}, types.Candidate, "$.index: expected an integer, got bool True"),
        ({"index": 1.5}, types.Candidate, "$.index: expected an integer, got float 1.5"),
        ({"createTime": "yesterday"}, types.File, "$.createTime: expected an RFC 3339 timestamp"),
        ([], types.Content, "expected an object, got list"),
    ],
)
def test_wrong_types_off_the_wire_name_the_path(document: Any, cls: type[Value], where: str) -> None:
    """A server that breaks the format is told by JSON path, also where the keys have been met before."""
    for _ in range(2):
        with pytest.raises(ValidationError) as caught:
            read(document, cls)
        assert where in str(caught.value)


def test_local_fields_are_neither_sent_nor_read() -> None:
    """What belongs to the client never reaches the wire; such a key from a server is just an unknown one."""
    response = read({"parsed": {"a": 1}, "modelVersion": "m"}, types.GenerateContentResponse)
    assert response.parsed is None
    assert response.extra == {"parsed": {"a": 1}}
    response = types.GenerateContentResponse(
        model_version="m", parsed=object(), sdk_http_response=types.HttpResponse(headers={"a": "b"})
    )
    assert to_wire(response) == {"modelVersion": "m"}
    config = types.GenerateContentConfig(
        http_options=types.HttpOptions(timeout=5),
        should_return_http_response=True,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        temperature=0,
    )
    assert to_wire(config) == {"temperature": 0.0}


def test_what_has_no_json_is_refused_with_its_path() -> None:
    """A value that JSON has no place for is an error that says where it is."""
    part = types.Part(function_call=types.FunctionCall(name="f", args={"a": [object()]}))
    with pytest.raises(
        ValidationError, match=r"\$\.functionCall\.args\['a'\]\[0\]: builtins.object has no form in JSON"
    ):
        to_wire(part)
    part = types.Part(function_call=types.FunctionCall(name="f", args={"a": float("nan")}))
    with pytest.raises(ValidationError, match=r"args\['a'\]: JSON has no number nan"):
        to_wire(part)


# --- what programs write -------------------------------------------------------------------------------------------


def test_constructors_take_dicts_either_spelling_and_plain_values() -> None:
    """Dicts become values, text becomes enums and bytes, tuples become lists, numbers in text become numbers."""
    content = LOOSE.Content(
        role="model",
        parts=(
            {"inlineData": {"mimeType": "image/png", "data": "-_8="}},
            LOOSE.Part(executable_code={"code": "1", "language": "python"}),
        ),
    )
    assert content.parts == [
        LOOSE.Part(inline_data=LOOSE.Blob(mime_type="image/png", data=b"\xfb\xff")),
        LOOSE.Part(executable_code=types.ExecutableCode(code="1", language=types.Language.PYTHON)),
    ]
    camel: dict[str, Any] = {"mimeType": "image/png"}
    assert LOOSE.Blob(**camel).mime_type == "image/png"
    config = LOOSE.GenerateContentConfig(temperature="0.5", top_k=3, max_output_tokens=10.0)
    assert (config.temperature, config.top_k, config.max_output_tokens) == (0.5, 3.0, 10)
    assert type(config.top_k) is float
    assert config.response_modalities is None
    config.response_modalities = [types.Modality.TEXT, "AUDIO"]
    assert config.response_modalities == ["TEXT", "AUDIO"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LOOSE.Part(textt="x"), "Part has no field 'textt'; did you mean 'text'?"),
        (lambda: LOOSE.Part(text=1), "$.text: expected a string, got int 1"),
        (lambda: LOOSE.Part(inline_data={"data": 5}), "$.inline_data.data: expected bytes, or base64 text, got int 5"),
        (lambda: LOOSE.Content(parts=["x"]), "$.parts[0]: expected Part or a dict of its fields, got str 'x'"),
        (lambda: LOOSE.Content(parts="x"), "$.parts: expected a list, got str 'x'"),
        (
            lambda: LOOSE.Content(parts=[types.File(uri="u")]),
            "$.parts[0]: expected Part or a dict of its fields, got File",
        ),
        (lambda: LOOSE.ThinkingConfig(thinking_budget=3.5), "$.thinking_budget: expected an integer, got float 3.5"),
        (lambda: LOOSE.HttpOptions(timeout=True), "$.timeout: expected an integer, got bool True"),
        (lambda: LOOSE.GenerateContentConfig(temperatur=1), "did you mean 'temperature'?"),
        (
            lambda: LOOSE.GenerateContentConfig(thinking_config={"thinkingBudgt": 1}),
            "$.thinking_config: ThinkingConfig has no field 'thinkingBudgt'; did you mean 'thinkingBudget'?",
        ),
        (
            lambda: types.GenerateContentConfig.model_validate(
                {"tool_config": {"function_calling_config": {"mod": 1}}}
            ),
            "$.tool_config.function_calling_config: FunctionCallingConfig has no field 'mod'; did you mean 'mode'?",
        ),
        (lambda: types.Part.model_validate({1: 2}), "Part has no field 1"),
        (lambda: types.Part.model_validate("x"), "expected Part or a dict of its fields, got str 'x'"),
        (lambda: types.Part.model_validate_json("{"), "not JSON"),
        (lambda: LOOSE.GenerateContentConfig(speech_config=5), "$.speech_config"),
        (lambda: setattr(LOOSE.Part(), "txt", "x"), "Part has no field 'txt'; did you mean 'text'?"),
        (lambda: setattr(LOOSE.Part(), "text", 5), "$.text: expected a string, got int 5"),
        (lambda: LOOSE.Part().model_copy(update={"txt": 1}), "Part has no field 'txt'"),
    ],
)
def test_mistakes_are_named(make: Any, message: str) -> None:
    """A wrong type or an unknown field is a ValidationError, which is a ValueError, that names it and suggests."""
    with pytest.raises(ValidationError) as caught:
        make()
    assert message in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_settings_are_closed_and_what_is_said_is_open() -> None:
    """An unknown key in a dict of settings is a mistake; in what is said it is data, and kept."""
    part = types.Part.model_validate({"text": "x", "newKind": {"a": 1}})
    assert part.extra == {"newKind": {"a": 1}}
    assert to_wire(part) == {"text": "x", "newKind": {"a": 1}}
    open_classes = {each.__name__ for each in CLASSES if not issubclass(each, Setting)}
    assert {"Content", "Part", "Candidate", "File", "GroundingChunk", "Image", "HttpResponse"} <= open_classes
    assert not {"GenerateContentConfig", "HttpOptions", "Tool", "Schema", "UploadFileConfig"} & open_classes


def test_speech_config_is_a_name_or_settings() -> None:
    """A voice's name stays a string; a dict becomes a SpeechConfig."""
    assert types.GenerateContentConfig(speech_config="Puck").speech_config == "Puck"
    config = LOOSE.GenerateContentConfig(speech_config={"languageCode": "de-DE"})
    assert config.speech_config == types.SpeechConfig(language_code="de-DE")


def test_what_the_sending_code_converts_is_kept_as_given() -> None:
    """Functions, schema classes and instructions stay the caller's objects."""

    def tool() -> None: ...

    config = types.GenerateContentConfig(tools=[tool], response_schema=list[str], system_instruction="Be brief.")
    assert config.tools is not None
    assert config.tools[0] is tool
    assert config.response_schema == list[str]
    assert config.system_instruction == "Be brief."


def test_only_what_is_set_is_stored() -> None:
    """An instance holds the fields that are set; reading another gives its default."""
    part = types.Part(text="x", thought=None)
    assert part.__dict__ == {"text": "x"}
    assert part.inline_data is None
    part.text = None
    assert part == types.Part()
    assert list(part.set_fields()) == []
    settings = types.AutomaticFunctionCallingConfig()
    assert settings.maximum_remote_calls == 10
    settings.maximum_remote_calls = None
    assert settings.maximum_remote_calls is None
    del settings.maximum_remote_calls
    assert settings.maximum_remote_calls == 10


def test_values_can_be_changed_in_place() -> None:
    """Programs append to parts and set fields, and what is written follows."""
    content = types.Content(role="user", parts=[types.Part(text="a")])
    assert content.parts is not None
    content.parts.append(types.Part(text="b"))
    content.parts[0].text = "c"
    assert to_wire(content) == {"role": "user", "parts": [{"text": "c"}, {"text": "b"}]}


def test_equality_is_by_content() -> None:
    """Values of one class and its subclasses are equal if their fields and unknown keys are; none is hashable."""
    assert types.Part(text="x") == types.Part(text="x", thought=None)
    assert types.Part(text="x") != types.Part(text="y")
    assert types.Part(text="x") != types.Part.model_validate({"text": "x", "new": 1})
    assert types.Part() != types.Blob()
    assert types.Part(text="x") != {"text": "x"}
    assert types.UserContent("a") == types.Content(role="user", parts=[types.Part(text="a")])
    assert types.Content(role="user", parts=[types.Part(text="a")]) == types.UserContent("a")
    assert types.UserContent("a") != types.ModelContent("a")
    assert read({"sizeBytes": "5"}, types.File) == types.File(size_bytes=5)
    with pytest.raises(TypeError, match="unhashable"):
        hash(types.Part())


def test_repr_is_short_and_masks_secrets() -> None:
    """A repr shows what is set: blobs by size, long text cut, credentials not at all."""
    assert repr(types.Part()) == "Part()"
    part = types.Part(inline_data=types.Blob(data=bytes(5000), mime_type="image/png"))
    assert repr(part) == "Part(inline_data=Blob(data=<5000 bytes>, mime_type='image/png'))"
    assert repr(types.Part(text="x" * 1000)) == f"Part(text={'x' * 60!r}... <1000 characters>)"
    call = types.FunctionCall(name="f", args={"a": "y" * 1000, "b": [b"\x00" * 100]})
    assert repr(call) == f"FunctionCall(name='f', args={{'a': {'y' * 60!r}... <1000 characters>, 'b': [<100 bytes>]}})"
    options = types.HttpOptions(headers={"x-goog-api-key": "SECRET"}, client_args={"auth": "SECRET"}, timeout=5)
    assert repr(options) == "HttpOptions(headers={...}, client_args={...}, timeout=5)"
    tool = types.Tool(
        google_maps=types.GoogleMaps(auth_config=types.AuthConfig(api_key="SECRET")),
        parallel_ai_search=types.ToolParallelAiSearch(api_key="SECRET"),
        exa_ai_search=types.ToolExaAiSearch(api_key="SECRET"),
        mcp_servers=[
            types.McpServer(
                streamable_http_transport=types.StreamableHttpTransport(headers={"Authorization": "SECRET"})
            )
        ],
        retrieval=types.Retrieval(
            external_api=types.ExternalApi(
                api_auth=types.ApiAuth(api_key_config=types.ApiAuthApiKeyConfig(api_key_string="SECRET")),
                auth_config=types.AuthConfig(
                    api_key_config=types.ApiKeyConfig(api_key_string="SECRET"),
                    oauth_config=types.AuthConfigOauthConfig(access_token="SECRET"),
                    oidc_config=types.AuthConfigOidcConfig(id_token="SECRET"),
                    http_basic_auth_config=types.AuthConfigHttpBasicAuthConfig(credential_secret="SECRET"),
                ),
            )
        ),
    )
    assert "SECRET" not in repr(tool)
    assert repr(tool).count("***") == 8


def test_copies() -> None:
    """A shallow copy shares what is below, a deep one nothing; ``update`` sets fields."""
    part = types.Part(text="x", function_call=types.FunctionCall(args={"a": [1]}))
    shallow, deep = part.model_copy(), part.model_copy(deep=True)
    assert shallow.function_call is part.function_call
    assert deep == part
    assert deep.function_call is not part.function_call
    updated = part.model_copy(update={"text": "y"})
    assert (updated.text, part.text) == ("y", "x")
    named = read({"new": 1}, types.Part)
    copied = named.model_copy()
    copied.extra["new"] = 2
    assert named.extra == {"new": 1}
    for other in (copy.copy(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):
        assert other == part
        assert type(other) is types.Part


# --- parts and contents --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (types.Part("x"), {"text": "x"}),
        (types.Part(None), {}),
        (types.Part({"text": "x"}), {"text": "x"}),
        (types.Part({"newKind": 1}), {"newKind": 1}),
        (types.Part({"file_uri": "u"}), {"file_data": {"file_uri": "u"}}),
        (types.Part({"uri": "u", "mimeType": "m"}), {"file_data": {"file_uri": "u", "mime_type": "m"}}),
        (
            types.Part(types.File(uri="u", mime_type="m", display_name="d")),
            {"file_data": {"file_uri": "u", "mime_type": "m", "display_name": "d"}},
        ),
        (types.Part(types.Part(text="x")), {"text": "x"}),
        (types.Part.from_text(text="x"), {"text": "x"}),
        (
            types.Part.from_bytes(data=b"a", mime_type="image/png", media_resolution="MEDIA_RESOLUTION_LOW"),
            {
                "inline_data": {"data": "YQ==", "mime_type": "image/png"},
                "media_resolution": {"level": "MEDIA_RESOLUTION_LOW"},
            },
        ),
        (
            types.Part.from_uri(file_uri="gs://b/f.pdf"),
            {"file_data": {"file_uri": "gs://b/f.pdf", "mime_type": "application/pdf"}},
        ),
        (
            types.Part.from_uri(file_uri="u", mime_type="m", media_resolution={"numTokens": 5}),
            {"file_data": {"file_uri": "u", "mime_type": "m"}, "media_resolution": {"num_tokens": 5}},
        ),
        (types.Part.from_function_call(name="f", args={}), {"function_call": {"name": "f", "args": {}}}),
        (
            types.Part.from_function_response(name="f", response={"r": b"xx"}),
            {"function_response": {"name": "f", "response": {"r": "eHg="}}},
        ),
        (
            types.Part.from_executable_code(code="1", language=types.Language.PYTHON),
            {"executable_code": {"code": "1", "language": "PYTHON"}},
        ),
        (
            types.Part.from_code_execution_result(outcome=types.Outcome.OUTCOME_OK, output="2"),
            {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "2"}},
        ),
    ],
)
def test_ways_to_make_a_part(made: types.Part, fields: dict[str, Any]) -> None:
    """Each short form gives the part that google-genai gives for it."""
    assert made.to_json_dict() == fields


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: types.Part("x", text="y"), "not from both"),
        (lambda: LOOSE.Part(5), "got builtins.int"),
        (lambda: types.Part(types.File(name="files/a")), "without uri and mime_type"),
        (lambda: types.Part.from_uri(file_uri="gs://b/f.unknown"), "give mime_type"),
        (lambda: types.Part.from_uri(file_uri="http://[bad.pdf"), "give mime_type"),
        (lambda: types.UserContent([]), "UserContent needs at least one part"),
        (lambda: LOOSE.ModelContent(["a", 5]), "$.parts[1]: expected a string"),
        (lambda: setattr(types.UserContent("a"), "role", "model"), "the role of a UserContent is 'user'"),
        (lambda: types.ModelContent.model_validate({"role": "user", "parts": []}), "'model'"),
    ],
)
def test_ways_not_to_make_a_part(make: Any, message: str) -> None:
    """What cannot be a part is a ValidationError that says why."""
    with pytest.raises(ValidationError) as caught:
        make()
    assert message in str(caught.value)


def test_a_part_from_a_part_is_a_copy() -> None:
    """Changing the copy leaves the original."""
    original = types.Part(function_call=types.FunctionCall(args={"a": 1}))
    made = types.Part(original)
    assert made == original
    assert made.function_call is not None
    assert made.function_call is not original.function_call


@pytest.mark.parametrize(
    ("uri", "mime_type"),
    [
        ("https://example.com/a/b.PNG?x=1.txt#y", "image/png"),
        ("files/photo.webp", "image/webp"),
        ("C:\\a\\b.mp4", "video/mp4"),
        ("gs://bucket/talk.flac", "audio/flac"),
    ],
)
def test_mime_types_of_uris(uri: str, mime_type: str) -> None:
    """The ending of the path counts, in any case; what the API reads is known on any computer."""
    part = types.Part.from_uri(file_uri=uri)
    assert part.file_data is not None
    assert part.file_data.mime_type == mime_type


def test_user_and_model_contents() -> None:
    """One argument: text, a part, a dict, a file, or a list of them; the author is fixed."""
    part = types.Part(text="b")
    content = types.UserContent(["a", part, {"text": "c"}, types.File(uri="u", mime_type="m", display_name="d")])
    assert content.to_json_dict() == {
        "parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}, {"file_data": {"file_uri": "u", "mime_type": "m"}}],
        "role": "user",
    }
    assert content.parts is not None
    assert content.parts[1] is part
    assert types.ModelContent(parts="x").to_json_dict() == {"parts": [{"text": "x"}], "role": "model"}
    stored = types.UserContent.model_validate({"parts": [{"text": "a"}]})
    assert type(stored) is types.UserContent
    assert stored.role == "user"
    for other in (copy.deepcopy(content), pickle.loads(pickle.dumps(content))):
        assert type(other) is types.UserContent
        assert other == content


def test_images() -> None:
    """Inline data of an image type is an Image; everything else is not."""
    image = types.Image(image_bytes=b"x", mime_type="image/png")
    assert types.Blob(data=b"x", mime_type="image/png").as_image() == image
    assert types.Part(inline_data=types.Blob(data=b"x", mime_type="image/png")).as_image() == image
    for blob in (
        types.Blob(),
        types.Blob(data=b"x"),
        types.Blob(data=b"", mime_type="image/png"),
        types.Blob(data=b"x", mime_type="audio/wav"),
    ):
        assert blob.as_image() is None
    assert types.Part(text="x").as_image() is None


# --- dumps, as google-genai 3.4.0 gives them -----------------------------------------------------------------------

CONTENT = types.Content(
    role="user", parts=[types.Part(text="hi"), types.Part.from_bytes(data=b"\xfb\xff\xfe", mime_type="image/png")]
)


def test_model_dump() -> None:
    """Python values under Python names, in the order of the class's fields; JSON values with mode json."""
    assert CONTENT.model_dump(exclude_none=True) == {
        "parts": [{"text": "hi"}, {"inline_data": {"data": b"\xfb\xff\xfe", "mime_type": "image/png"}}],
        "role": "user",
    }
    as_json = {
        "parts": [{"text": "hi"}, {"inline_data": {"data": "-__-", "mime_type": "image/png"}}],
        "role": "user",
    }
    assert CONTENT.model_dump(mode="json", exclude_none=True) == as_json
    assert CONTENT.to_json_dict() == as_json
    assert types.Blob(data=b"a").model_dump() == {"data": b"a", "display_name": None, "mime_type": None}
    assert types.Blob(data=b"a").model_dump(by_alias=True) == {"data": b"a", "displayName": None, "mimeType": None}
    settings = types.AutomaticFunctionCallingConfig()
    assert settings.model_dump() == {"disable": None, "maximum_remote_calls": 10, "ignore_call_history": None}
    assert settings.to_json_dict() == {"maximum_remote_calls": 10}
    assert settings.model_dump(exclude_unset=True) == {}
    with pytest.raises(ValidationError, match="mode is"):
        CONTENT.model_dump(mode="xml")


def test_model_dump_json() -> None:
    """Text, compact unless indented, with url-safe base64."""
    assert CONTENT.model_dump_json(exclude_none=True) == (
        '{"parts":[{"text":"hi"},{"inline_data":{"data":"-__-","mime_type":"image/png"}}],"role":"user"}'
    )
    assert types.Blob(data=b"a").model_dump_json() == '{"data":"YQ==","display_name":null,"mime_type":null}'
    assert types.Blob(mime_type="é").model_dump_json(by_alias=True, exclude_none=True) == '{"mimeType":"é"}'
    assert types.Blob(data=b"a").model_dump_json(indent=2, exclude_unset=True) == '{\n  "data": "YQ=="\n}'
    call = types.Part(function_call=types.FunctionCall(name="f", args={}), thought_signature=b"\xfb\xff")
    assert (
        call.model_dump_json(exclude_none=True) == '{"function_call":{"args":{},"name":"f"},"thought_signature":"-_8="}'
    )


def test_dumps_of_responses() -> None:
    """Enums dump as members or values, timestamps as datetimes or text, whatever the spelling they came in."""
    response = types.GenerateContentResponse.model_validate(
        {"candidates": [{"finishReason": "stop", "citationMetadata": {"citations": [{"startIndex": "1"}]}}]}
    )
    assert response.model_dump(mode="json", exclude_none=True) == {
        "candidates": [{"citation_metadata": {"citations": [{"start_index": 1}]}, "finish_reason": "STOP"}]
    }
    assert response.model_dump(exclude_none=True)["candidates"][0]["finish_reason"] is types.FinishReason.STOP
    file = read({"createTime": "2024-01-01T00:00:00.123456789Z", "updateTime": "2024-01-01T00:00:00.1Z"}, types.File)
    assert file.to_json_dict() == {
        "create_time": "2024-01-01T00:00:00.123456Z",
        "update_time": "2024-01-01T00:00:00.100000Z",
    }


def test_dumps_keep_unknown_fields() -> None:
    """What chatproto does not know is in the dump, under its own key, and comes back with it."""
    part = read({"text": "x", "newKind": {"aB": 1}}, types.Part)
    assert part.model_dump(exclude_none=True) == {"text": "x", "newKind": {"aB": 1}}
    assert types.Part.model_validate(part.model_dump()) == part


def test_model_validate() -> None:
    """Dicts in either spelling, JSON text, attribute objects; an instance is given back itself."""
    assert types.Content.model_validate(CONTENT) is CONTENT
    assert types.Content.model_validate(CONTENT.to_json_dict()) == CONTENT
    assert types.Content.model_validate_json(CONTENT.model_dump_json(by_alias=True)) == CONTENT
    assert types.Content.model_validate_json(b'{"role": "user"}').role == "user"

    class Described:
        __dataclass_fields__: ClassVar[dict[str, Any]] = {}
        mime_type = "image/png"
        data = b"x"

    assert types.Blob.model_validate(Described()) == types.Blob(mime_type="image/png", data=b"x")
    part = LOOSE.FunctionResponsePart(inline_data=types.Blob(mime_type="image/png"))
    assert part.inline_data == types.FunctionResponseBlob(mime_type="image/png")


def test_deep_nesting_is_refused() -> None:
    """What is nested deeper than Python can walk is a ValidationError, on the way in and on the way out."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(ValidationError, match="nested too deeply"):
        types.Part.model_validate({"newKind": deep})
    with pytest.raises(ValidationError, match="nested too deeply"):
        types.FunctionCall(args=deep).model_dump()


def test_values_in_pydantic_models() -> None:
    """A program's pydantic model can have values and enums as fields, validate, dump and describe them."""
    pydantic = pytest.importorskip("pydantic", reason="pydantic is an optional library")

    class Stored(pydantic.BaseModel):  # type: ignore[name-defined, misc]
        history: list[types.Content]
        reason: types.FinishReason | None = None

    stored = Stored(history=[CONTENT, {"role": "model", "parts": [{"text": "x"}]}], reason="stop")
    assert stored.history[0] is CONTENT
    assert stored.history[1] == types.ModelContent("x")
    assert stored.reason is types.FinishReason.STOP
    assert stored.model_dump(exclude_none=True)["history"] == [
        CONTENT.model_dump(exclude_none=True),
        {"parts": [{"text": "x"}], "role": "model"},
    ]
    assert Stored.model_validate_json(stored.model_dump_json()) == stored
    assert Stored.model_json_schema()["properties"]["history"]["type"] == "array"
    with pytest.raises(pydantic.ValidationError, match="no field"):
        Stored(history=[{1: 2}])


def test_parsed_models_are_dumped() -> None:
    """The program's own pydantic model in ``parsed`` does not stop a response from being stored."""
    pydantic = pytest.importorskip("pydantic", reason="pydantic is an optional library")

    class Answer(pydantic.BaseModel):  # type: ignore[name-defined, misc]
        n: int

    response = types.GenerateContentResponse(parsed=Answer(n=1))
    assert response.model_dump(exclude_none=True) == {"parsed": {"n": 1}}
    assert response.model_dump_json(exclude_none=True) == '{"parsed":{"n":1}}'


# --- the properties of a response ----------------------------------------------------------------------------------


def answer(*given: dict[str, Any]) -> dict[str, Any]:
    """The wire JSON of an answer of these parts."""
    return {"candidates": [{"content": {"role": "model", "parts": list(given)}}]}


@pytest.mark.parametrize(
    ("document", "joined", "count", "calls", "code", "output"),
    [
        ({}, None, None, None, None, None),
        ({"candidates": []}, None, None, None, None, None),
        ({"candidates": [{"finishReason": "SAFETY"}]}, None, None, None, None, None),
        ({"candidates": [{"content": {"role": "model"}}]}, None, None, None, None, None),
        (answer(), None, 0, None, None, None),
        (answer({"text": "a"}, {"text": "b"}), "ab", 2, None, None, None),
        (answer({"text": ""}), "", 1, None, None, None),
        (answer({"text": "hm", "thought": True}, {"text": "a", "thought": False}), "a", 2, None, None, None),
        (answer({"text": "hm", "thought": True}), None, 1, None, None, None),
        (
            answer({"functionCall": {"name": "f", "args": {}}}, {"text": "t"}, {"functionCall": {"name": "g"}}),
            "t",
            3,
            ["f", "g"],
            None,
            None,
        ),
        (
            answer({"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "2"}}),
            None,
            2,
            None,
            "1",
            "2",
        ),
        (
            answer({"executableCode": {"language": "PYTHON"}}, {"executableCode": {"code": "3"}}),
            None,
            2,
            None,
            None,
            None,
        ),
        ({"candidates": [{"index": 0}, {"content": {"parts": [{"text": "x"}]}}]}, None, None, None, None, None),
        (answer({"inlineData": {"data": "AAAA", "mimeType": "image/png"}}), None, 1, None, None, None),
    ],
)
def test_properties(
    document: dict[str, Any],
    joined: str | None,
    count: int | None,
    calls: list[str] | None,
    code: str | None,
    output: str | None,
) -> None:
    """They look at candidate 0 only and give what google-genai 3.4.0 gives."""
    response = read(document, types.GenerateContentResponse)
    assert response.text == joined
    assert (None if response.parts is None else len(response.parts)) == count
    found = response.function_calls
    assert (None if found is None else [call.name for call in found]) == calls
    assert response.executable_code == code
    assert response.code_execution_result == output


def test_initial_prompt_token_count() -> None:
    """The prompt of the first request: kept beside the sum where an answer was continued, and never sent or dumped."""
    assert types.GenerateContentResponse().initial_prompt_token_count is None
    response = read({"usageMetadata": {"promptTokenCount": 0}}, types.GenerateContentResponse)
    assert response.initial_prompt_token_count == 0
    usage = response.usage_metadata
    usage.prompt_token_count = 9
    usage.initial_prompt_token_count = 4
    assert response.initial_prompt_token_count == 4
    assert to_wire(usage) == {"promptTokenCount": 9}
    assert usage.to_json_dict() == {"prompt_token_count": 9}
    assert repr(usage) == "GenerateContentResponseUsageMetadata(prompt_token_count=9)"
    assert copy.deepcopy(usage).initial_prompt_token_count == 4


def test_properties_cannot_be_set() -> None:
    """The properties are views."""
    with pytest.raises(AttributeError):
        types.GenerateContentResponse().text = "x"  # type: ignore[misc]


# --- the namespace -------------------------------------------------------------------------------------------------


def test_the_mapping_and_what_type_checkers_see_agree() -> None:
    """``__all__``, the table of homes and the imports under TYPE_CHECKING hold the same names, sorted."""
    seen: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse((FOLDER / "__init__.py").read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            assert all(alias.asname == alias.name for alias in node.names)
            seen.setdefault(node.module, []).extend(alias.name for alias in node.names)
    assert seen == {module: names.split() for module, names in types._NAMES.items()}
    assert types.__all__ == sorted(name for names in seen.values() for name in names)
    assert len(set(types.__all__)) == len(types.__all__)
    assert set(types.__all__) <= set(dir(types))


def test_each_module_says_what_is_in_it() -> None:
    """A module's ``__all__`` is what the namespace takes from it, and each module and class has a docstring."""
    for module, names in types._NAMES.items():
        tree = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
        assert ast.get_docstring(tree)
        listed = next(
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
        assert listed == names.split()
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                assert ast.get_docstring(node), node.name


def test_unknown_names_are_attribute_errors() -> None:
    """A typing error in a name is reported as Python does it."""
    with pytest.raises(AttributeError, match=r"module 'chatproto\.types' has no attribute 'Prat'"):
        LOOSE.Prat  # noqa: B018


def run(program: str) -> str:
    """What ``program`` prints, in a Python of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


LOADED = """
print(sorted(m.rpartition('.')[2] for m in sys.modules if m.startswith('chatproto.types.')), 'cattrs' in sys.modules)
"""


def test_the_namespace_loads_nothing() -> None:
    """Importing it loads no class and no cattrs; ``Part`` loads the module of contents, and what values rest on."""
    assert run(f"import sys, chatproto.types\n{LOADED}") == "[] False"
    assert run(f"import sys\nfrom chatproto.types import Part\n{LOADED}") == "['_value', 'content'] False"


def test_values_do_no_io() -> None:
    """Using values imports no I/O library, and after the first use opens nothing."""
    program = """
import sys
from chatproto import types
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter
def use():
    part = types.Part.from_uri(file_uri="gs://b/a.webp")
    response = converter("wire").structure({"candidates": [{"content": {"parts": [to_wire(part)]}}]},
                                           types.GenerateContentResponse)
    return repr(response), response.text, response.model_dump_json(), types.File(create_time="2024-01-01T00:00:00Z")
use()
banned = {"socket", "ssl", "asyncio", "select", "subprocess", "http", "logging", "random", "uuid"} & set(sys.modules)
def audit(event, args):
    if event.startswith(("open", "socket", "subprocess", "os.")):
        raise RuntimeError(event)
sys.addaudithook(audit)
use()
print(sorted(banned))
"""
    assert run(program) == "[]"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_has_a_type_that_can_be_read(cls: type[Value]) -> None:
    """Annotations are evaluated late; each one leads to a hook in both directions."""
    for each in fields_of(cls):
        for mode in ("user", "wire"):
            assert converter(mode).get_structure_hook(each.type) is not None
    assert repr(cls("x") if issubclass(cls, (types.UserContent, types.ModelContent)) else cls())


def test_classes_and_fields_are_as_many_as_planned() -> None:
    """154 classes with 610 fields: the closure, UserContent, ModelContent and the settings of file calls."""
    assert len(CLASSES) == 154
    assert sum(len(fields_of(cls)) for cls in CLASSES) == 610


def test_names_and_fields_are_those_of_google_genai() -> None:
    """Every class and enum has the fields and members of google-genai 3.4.0, in its order, with its JSON keys."""
    reference = pytest.importorskip("google.genai", reason="google-genai is not installed").types
    for cls in CLASSES:
        theirs = getattr(reference, cls.__name__).model_fields
        ours = [each.name for each in fields_of(cls)]
        assert ours == list(theirs), cls
        for each in fields_of(cls):
            assert each.wire == (theirs[each.name].alias or each.wire), each.name
    for name in types.__all__:
        kind = getattr(types, name)
        if isinstance(kind, type) and issubclass(kind, OpenEnum):
            assert [(m.name, m.value) for m in kind] == [(m.name, m.value) for m in getattr(reference, name)]
