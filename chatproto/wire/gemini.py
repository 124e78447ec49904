"""The Gemini API's dialect: names, paths, and where each setting goes in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from ..errors import ValidationError
from ..types._dump import to_wire
from ..types._json import is_array, is_object
from .http import Request
from .json_codec import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import GenerateContentConfig
    from .endpoint import Endpoint

__all__ = ["Dialect", "GeminiApi", "GenerateMethod", "generate_request", "merge_body"]

GenerateMethod = Literal["generateContent", "streamGenerateContent"]

#: Where a field of GenerateContentConfig goes, and under which key if not its own (reference behaviour, section 10).
_TOP: Mapping[str, str] = {
    "system_instruction": "systemInstruction",
    "safety_settings": "safetySettings",
    "tools": "tools",
    "tool_config": "toolConfig",
    "labels": "labels",
    "cached_content": "cachedContent",
    "service_tier": "serviceTier",
    "continuation_token": "continuationToken",
    "store": "store",
    "model_armor_config": "modelArmorConfig",
    "generation_output_config": "outputConfig",
}
_RENAMED: Mapping[str, str] = {"model_selection_config": "modelConfig"}
_CLIENT_SIDE = frozenset(
    {"http_options", "should_return_http_response", "automatic_function_calling", "automatic_continuation"}
)
#: What the Gemini API does not know. A dotted name is a field below.
_VERTEX_ONLY = frozenset(
    {
        "audio_timestamp",
        "generation_output_config",
        "model_armor_config",
        "model_selection_config",
        "routing_config",
    }
)


class Dialect(Protocol):
    """What differs between the Gemini API and Vertex AI."""

    def model_path(self, model: str) -> str:
        """The model's name as a path. Raises ValidationError for what cannot be one."""
        ...

    def settings(self, config: GenerateContentConfig | None) -> dict[str, Any]:
        """The request's members beside ``contents``. Raises ValidationError for what this API does not take."""
        ...


@attrs.frozen
class GeminiApi:
    """The Gemini Developer API."""

    def model_path(self, model: str) -> str:
        """``models/NAME``, unless the name says ``models/`` or ``tunedModels/`` itself."""
        if not model:
            raise ValidationError("a model is needed, for example 'gemini-2.5-flash'")
        if ".." in model or "?" in model or "&" in model:
            raise ValidationError(f"not the name of a model: {model!r}")
        return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"

    def settings(self, config: GenerateContentConfig | None) -> dict[str, Any]:
        """Each field of ``config`` where the API expects it.

        A config that is given always has its ``generationConfig``, if an empty one, as google-genai sends it.
        """
        if config is None:
            return {}
        top: dict[str, Any] = {}
        generation: dict[str, Any] = {}
        for name, item in config.set_fields():
            if name in _CLIENT_SIDE:
                continue
            if name in _VERTEX_ONLY:
                raise ValidationError("only Vertex AI takes this setting, not the Gemini API", path=f"$.{name}")
            try:
                written = to_wire(self._prepared(name, item))
            except ValidationError as error:
                raise error.under(f".{name}") from None
            except RecursionError:
                raise ValidationError("nested too deeply for JSON", path=f"$.{name}") from None
            if name in _TOP:
                top[_TOP[name]] = written
            else:
                generation[_RENAMED.get(name) or _camel(name)] = written
        top["generationConfig"] = generation
        return top

    def _prepared(self, name: str, item: Any) -> Any:
        if name == "cached_content" and isinstance(item, str) and not item.startswith("cachedContents/"):
            return f"cachedContents/{item}"
        if name == "speech_config" and isinstance(item, str):
            return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": item}}}
        return item


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def generate_request(
    dialect: Dialect,
    endpoint: Endpoint,
    *,
    model: str,
    method: GenerateMethod,
    contents: tuple[bytes, ...],
    settings: Mapping[str, Any],
) -> Request:
    """The request for one answer.

    ``contents`` are pieces of bytes that make up the members of the JSON list, commas included.
    """
    url = endpoint.url(f"{dialect.model_path(model)}:{method}")
    if method == "streamGenerateContent":
        url += "?alt=sse"
    members = dict(settings)
    if endpoint.extra_body:
        members = merge_body(members, endpoint.extra_body)
    opening, closing = b'{"contents":[', b"]"
    if "contents" in members:  # extra_body has its own
        own = members.pop("contents")
        if not is_array(own):
            raise ValidationError("contents are a list", path="$.extra_body.contents")
        contents = (encode(own)[1:-1],)
    tail = encode(members)[1:]  # of an object: without its opening brace
    closing += b"," + tail if members else tail
    return Request(
        method="POST",
        url=url,
        headers=endpoint.headers(),
        body=(opening, *contents, closing),
        timeout=endpoint.timeout,
    )


def merge_body(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """``extra`` merged into ``body`` as the reference does (section 3.7).

    A key meets another of the same letters, whatever their case and underscores; objects merge, all else replaces.
    """
    merged = dict(body)
    known = {_letters(key): key for key in merged} | {"contents": "contents"}
    for key, item in extra.items():
        there = known.get(_letters(key), key)
        held = merged.get(there)
        merged[there] = merge_body(held, item) if is_object(held) and is_object(item) else item
    return merged


def _letters(key: str) -> str:
    return key.replace("_", "").lower()
