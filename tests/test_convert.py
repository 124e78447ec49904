"""What programs hand over, turned into contents and configs (reference behaviour, sections 8 and 10)."""

from __future__ import annotations

from typing import Any

import pytest

import chatproto
from chatproto import types
from chatproto.convert.messages import to_contents, to_system_instruction
from chatproto.errors import UnsupportedFunctionError, ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.types._dump import to_wire

CALL = types.Part.from_function_call(name="f", args={})
U = types.UserContent("u")
M = types.ModelContent("m")


def shape(contents: list[types.Content]) -> list[str]:
    """``U[a,b]`` for a user content of two texts; a function call is ``FC``."""
    return [
        f"{(content.role or '?')[0].upper()}"
        f"[{','.join('FC' if part.function_call else part.text or '' for part in content.parts or ())}]"
        for content in contents
    ]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("a", ["U[a]"]),
        (["a", "b"], ["U[a,b]"]),
        ([["a", "b"], "c"], ["U[a,b]", "U[c]"]),
        ([U, "x", M, "y"], ["U[u]", "U[x]", "M[m]", "U[y]"]),
        (["u", CALL, "v"], ["U[u]", "M[FC]", "U[v]"]),
        ({"role": "user", "parts": [{"text": "z"}]}, ["U[z]"]),
        ({"text": "t"}, ["U[t]"]),
        (("a", "b"), ["U[a,b]"]),
        (CALL, ["M[FC]"]),
        (U, ["U[u]"]),
    ],
)
def test_contents_are_grouped(contents: Any, expected: list[str]) -> None:
    """Parts side by side are one user content, function calls model contents, Contents and inner lists themselves."""
    assert shape(to_contents(contents)) == expected


@pytest.mark.parametrize("contents", [[], None, 5, [{}], [[]], [["a", 5]]])
def test_no_contents(contents: Any) -> None:
    """What cannot be said is a ValueError."""
    with pytest.raises(ValidationError):
        to_contents(contents)


@pytest.mark.parametrize(
    ("given", "role", "texts"),
    [
        ("s", "user", ["s"]),
        ("", "user", [""]),
        (["s", types.Part(text="t")], "user", ["s", "t"]),
        (types.Part(text="s"), "user", ["s"]),
        ({"text": "s"}, "user", ["s"]),
        (types.Content(parts=[types.Part(text="s")]), None, ["s"]),
        (types.Content(role="system", parts=[types.Part(text="s")]), "system", ["s"]),
        ({"role": "user", "parts": [{"text": "s"}]}, "user", ["s"]),
    ],
)
def test_system_instructions(given: Any, role: str | None, texts: list[str]) -> None:
    """Every form of a system instruction; a Content keeps the role it has, or none."""
    made = to_system_instruction(given)
    assert (made.role, [part.text for part in made.parts or ()]) == (role, texts)


def test_each_field_of_a_config_has_its_place() -> None:
    """Settings of the generation are below ``generationConfig``, the rest beside it, all in camel case."""
    config = {
        "system_instruction": "S",
        "temperature": 0.5,
        "top_k": 3,
        "max_output_tokens": "7",
        "stop_sequences": ["x"],
        "response_mime_type": "application/json",
        "response_schema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "property_ordering": ["a"]},
        "response_modalities": [types.Modality.TEXT],
        "thinking_config": {"thinking_budget": 0, "includeThoughts": True},
        "speech_config": "Kore",
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "off"}],
        "tools": [
            {"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object", "x_y": 1}}]},
            types.Tool(google_search=types.GoogleSearch()),
            types.Tool(function_declarations=[types.FunctionDeclaration(name="g")]),
        ],
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        "labels": {"a_b": "c"},
        "cached_content": "1",
        "service_tier": "flex",
        "automatic_function_calling": {"disable": True},
    }
    transport = ScriptedTransport("x")
    chatproto.Client(transport=transport).models.generate_content(model="m", contents="q", config=config)
    body = transport.requests[0].json()
    del body["contents"]
    assert body == {
        "systemInstruction": {"role": "user", "parts": [{"text": "S"}]},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "tools": [
            {"googleSearch": {}},
            {
                "functionDeclarations": [
                    {"name": "f", "parametersJsonSchema": {"type": "object", "x_y": 1}},
                    {"name": "g"},
                ]
            },
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "labels": {"a_b": "c"},
        "cachedContent": "cachedContents/1",
        "serviceTier": "flex",
        "generationConfig": {
            "temperature": 0.5,
            "topK": 3,
            "maxOutputTokens": 7,
            "stopSequences": ["x"],
            "responseMimeType": "application/json",
            "responseSchema": {
                "type": "OBJECT",
                "properties": {"a": {"type": "STRING"}},
                "propertyOrdering": ["a"],
            },
            "responseModalities": ["TEXT"],
            "thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True},
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    }


def test_what_cannot_be_declared_is_refused() -> None:
    """A callable is not quietly left out: the error names it and its place."""

    class Weather:
        city: str

    with pytest.raises(UnsupportedFunctionError, match=r"^\$\.config\.tools\[0\]: Weather is a class"):
        chatproto.Client(transport=ScriptedTransport()).chats.create(model="m", config={"tools": [Weather]})


def test_the_callers_objects_are_not_changed() -> None:
    """Neither a config nor what is in it is written into, and later changes to it do not reach a chat."""
    tool = types.Tool(google_search=types.GoogleSearch(), function_declarations=[types.FunctionDeclaration(name="f")])
    config = types.GenerateContentConfig(system_instruction="S", tools=[tool], temperature=0.5)
    before = to_wire(config)
    transport = ScriptedTransport("x")
    chat = chatproto.Client(transport=transport).chats.create(model="m", config=config)
    config.temperature = 0.9
    chat.send_message("q")
    assert transport.requests[0].json()["generationConfig"] == {"temperature": 0.5}
    config.temperature = 0.5
    assert to_wire(config) == before


def test_lone_surrogates_pass_through() -> None:
    """Text that is not Unicode goes out as the escape that it is, and comes back."""
    transport = ScriptedTransport("\ud83d x", "y")
    chat = chatproto.Client(transport=transport).chats.create(model="m")
    assert chat.send_message("\udc80").text == "\ud83d x"
    chat.send_message("z")
    assert b"\\udc80" in transport.requests[1].content
    assert b"\\ud83d x" in transport.requests[1].content


def test_nan_and_open_objects_are_refused() -> None:
    """A value that JSON cannot hold raises with its path, before anything is sent."""
    transport = ScriptedTransport("x")
    chat = chatproto.Client(transport=transport).chats.create(model="m")
    part = types.Part.from_function_call(name="f", args={})
    for bad in (float("nan"), {1, 2}, object()):
        response = types.FunctionResponse(name="f", response={"a": [bad]})
        with pytest.raises(ValidationError, match=r"response.*\['a'\]\[0\]"):
            chat.send_message(types.Part(function_response=response))
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ValidationError, match="deep"):
        chat.send_message(types.Part(function_response=types.FunctionResponse(name="f", response=deep)))
    assert part.function_call is not None
    assert not transport.requests
    while deep:  # taken apart by hand: so deep a dict would be freed by recursion
        deep = deep.pop("a")
