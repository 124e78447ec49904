"""Each field of a config, and of a part, on the wire: as google-genai sends or refuses it, in both modes.

The cases are made of the values' own annotations: one for each field at each place where a program can set it.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, Union

import pytest

from chatproto import types
from chatproto.convert.config import read_config
from chatproto.convert.messages import to_contents
from chatproto.errors import ValidationError
from chatproto.types._dump import to_wire
from chatproto.types._open_enum import OpenEnum
from chatproto.types._value import Value, fields_of
from chatproto.wire.gemini import Dialect, GeminiApi
from chatproto.wire.vertex import VertexAi

#: What fields that take anything are given.
GIVEN: dict[str, Any] = {
    "GenerateContentConfig.response_json_schema": {"type": "object", "x_y": {"a_b": 1}},
    "GenerateContentConfig.cached_content": "abc",
    "FunctionDeclaration.parameters_json_schema": {"type": "object", "x_y": {"a_b": 1}},
    "FunctionDeclaration.response_json_schema": {"type": "object", "x_y": {"a_b": 1}},
    "FunctionDeclaration.name": "f",
    "GenerateContentConfig.top_k": 3.0,
    "GenerateContentConfig.response_modalities": ["AUDIO"],
    "Schema.additional_properties": {"type": "STRING"},
    **dict.fromkeys(("VideoMetadata.start_offset", "VideoMetadata.end_offset"), "1.5s"),
    **dict.fromkeys(("StreamableHttpTransport.timeout", "StreamableHttpTransport.sse_read_timeout"), "5s"),
    "Schema.default": {"a_b": 1},
    "Schema.example": {"a_b": 1},
}
#: What a union stands for here.
MEANT: dict[str, Any] = {
    "GenerateContentConfig.system_instruction": types.Content,
    "GenerateContentConfig.response_schema": types.Schema,
    "GenerateContentConfig.tools": list[types.Tool],
    "GenerateContentConfig.speech_config": types.SpeechConfig,
}
#: Never on the wire: compared by hand below, or about the call itself.
LOCAL = {"http_options", "should_return_http_response", "automatic_function_calling", "automatic_continuation"}

Case = tuple[str, Any]


def cases_of(kind: Any, place: str, above: tuple[Any, ...] = ()) -> Iterator[Case]:
    """Path and value, for each thing that can be set in one of ``kind``."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, UnionType):
        yield from cases_of(next(each for each in arguments if each is not type(None)), place, above)
    elif origin is list:
        for path, value in cases_of(arguments[0], f"{place}[0]", above):
            yield path, [value]
    elif origin is dict and isinstance(arguments[1], type) and issubclass(arguments[1], Value):
        for path, value in cases_of(arguments[1], f"{place}[a_b]", above):
            yield path, {"a_b": value}
    elif isinstance(kind, type) and issubclass(kind, Value):
        if kind in above:
            return
        yield place, {}
        for field in fields_of(kind):
            name = f"{kind.__name__}.{field.name}"
            if field.local or field.name in LOCAL:
                continue
            here = f"{place}.{field.name}" if place else field.name
            if name in GIVEN:
                yield here, {field.name: GIVEN[name]}
                continue
            for path, value in cases_of(MEANT.get(name, field.type), here, (*above, kind)):
                yield path, {field.name: value}
    else:
        yield place, scalar(kind)


def scalar(kind: Any) -> Any:
    """A value of a kind that has no fields."""
    if typing.get_origin(kind) is dict:
        return {"a_b": "c"}
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        return list(kind)[1].value  # the first says that there is none
    plain: dict[Any, Any] = {str: "s", bool: True, int: 3, float: 0.5, bytes: b"\x01\x02", Any: "any"}
    return datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) if kind is datetime else plain[kind]


CONFIGS: list[Case] = [
    *((path, value) for path, value in cases_of(types.GenerateContentConfig, "") if value),
    *(("speech_config as a name", {"speech_config": "Kore"}), ("top_k as an integer", {"top_k": 3})),
    *(
        (f"cached_content={name}", {"cached_content": name})
        for name in (
            "cachedContents/1",
            "projects/q/locations/r/cachedContents/1",
            "locations/r/cachedContents/1",
            "a/b",
        )
    ),
    (
        "image_config, both spellings of its output",
        {
            "image_config": {
                "output_mime_type": "a/b",
                "output_compression_quality": 5,
                "image_output_options": {"mime_type": "c/d"},
            }
        },
    ),
    ("no tools", {"tools": []}),
    (
        "tools in one",
        {
            "tools": [
                {"function_declarations": [{"name": "f"}], "google_search": {}},
                {"function_declarations": [{"name": "g"}]},
            ]
        },
    ),
    ("false is something that is set", {"response_logprobs": False, "audio_timestamp": False}),
    ("what is never sent", {"automatic_function_calling": {"disable": True}, "automatic_continuation": False}),
]
PARTS: list[Case] = [(path, value) for path, value in cases_of(types.Part, "") if value]
_RANGE = "tools[0].google_search.time_range_filter"
#: Where we do otherwise than google-genai 3.4.0 in both modes: what we do, and why.
DIFFERENT: dict[str, tuple[str, str]] = {
    "system_instruction": ("refused", "a dict without fields says nothing"),
    f"{_RANGE}.end_time": ("sent", "UTC is written Z, not +00:00, as the API itself writes it"),
    f"{_RANGE}.start_time": ("sent", "UTC is written Z, not +00:00, as the API itself writes it"),
}


@cache
def reference(mode: str) -> Any:
    """google-genai's client in a mode."""
    from reference_wire import Reference

    return Reference(vertex=mode == "vertex")


def dialect_of(mode: str) -> Dialect:
    """Ours."""
    return VertexAi("p", "us-central1") if mode == "vertex" else GeminiApi()


def theirs(mode: str, *, contents: Any = "q", config: Any = None) -> Any:
    """google-genai's body, or "refused"."""
    try:
        body = reference(mode).body(contents=copy.deepcopy(contents), config=copy.deepcopy(config))
    except ValueError:
        return "refused"
    if config is not None:
        del body["contents"]
    return body


def ours(mode: str, config: Any) -> Any:
    """Our body without its contents, or "refused"."""
    from reference_wire import normal

    try:
        return normal(dialect_of(mode).settings(read_config(config).values))
    except ValidationError:
        return "refused"


@pytest.mark.parametrize("mode", ["gemini", "vertex"])
@pytest.mark.parametrize(("path", "config"), CONFIGS, ids=lambda given: given if isinstance(given, str) else "")
def test_a_field_of_a_config(path: str, config: Any, mode: str) -> None:
    """The same JSON in the same place, or an error in both, key case and base64's alphabet aside."""
    expected, made = theirs(mode, config=config), ours(mode, config)
    if path not in DIFFERENT:
        assert made == expected
    else:
        assert made != expected
        assert ("refused" if made == "refused" else "sent") == DIFFERENT[path][0]


@pytest.mark.parametrize("mode", ["gemini", "vertex"])
@pytest.mark.parametrize(("path", "part"), PARTS, ids=lambda given: given if isinstance(given, str) else "")
def test_a_field_of_a_part(path: str, part: Any, mode: str) -> None:
    """The same for what is said."""
    from reference_wire import normal

    contents = [types.Content(role="user", parts=[types.Part.model_validate(part)])]
    body = theirs(mode, contents=[{"role": "user", "parts": [part]}])
    try:
        dialect_of(mode).check(to_contents(contents)[0])
        made: Any = {"contents": [normal(to_wire(contents[0]))]}
    except ValidationError:
        made = "refused"
    assert made == body


def test_every_field_has_a_case() -> None:
    """The cases name each field of the config and of a part; the differences are all needed."""
    named = {path.partition(".")[0].partition("[")[0] for path, _ in CONFIGS}
    assert {field.name for field in fields_of(types.GenerateContentConfig)} - LOCAL <= named
    assert {field.name for field in fields_of(types.Part)} <= {path.partition(".")[0] for path, _ in PARTS}
    assert set(DIFFERENT) <= {path for path, _ in CONFIGS}
