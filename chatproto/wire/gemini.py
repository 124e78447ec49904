"""The Gemini API's dialect: names, paths, and where each setting goes in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from ..errors import ValidationError
from ..types import FunctionDeclaration
from ..types._dump import to_wire
from ..types._json import is_array, is_object
from ..types._value import Value
from .http import Request
from .json_codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..types import Content, CountTokensConfig, GenerateContentConfig
    from .endpoint import Endpoint
    from .http import Headers

__all__ = [
    "Dialect",
    "Envelope",
    "GeminiApi",
    "GenerateMethod",
    "checked_model",
    "envelope_for",
    "merge_body",
    "place_settings",
    "refuse",
]

GenerateMethod = Literal["generateContent", "streamGenerateContent", "countTokens"]

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
#: What the Gemini API does not know: class to fields.
_VERTEX_ONLY: Mapping[str, frozenset[str]] = {
    "AuthConfig": frozenset(
        {
            "api_key_config",
            "auth_type",
            "google_service_account_config",
            "http_basic_auth_config",
            "oauth_config",
            "oidc_config",
        }
    ),
    "CountTokensConfig": frozenset({"generation_config", "system_instruction", "tools"}),
    "FunctionCall": frozenset({"partial_args", "will_continue"}),
    "FunctionCallingConfig": frozenset({"stream_function_call_arguments"}),
    "GenerateContentConfig": frozenset(
        {
            "audio_timestamp",
            "generation_output_config",
            "model_armor_config",
            "model_selection_config",
            "routing_config",
        }
    ),
    "GoogleMaps": frozenset({"grounding_types"}),
    "GoogleSearch": frozenset({"blocking_confidence", "exclude_domains"}),
    "ImageConfig": frozenset(
        {
            "image_output_options",
            "output_compression_quality",
            "output_mime_type",
            "person_generation",
            "prominent_people",
        }
    ),
    "SafetySetting": frozenset({"method"}),
    "Schema": frozenset({"additional_properties"}),
    "Tool": frozenset({"enterprise_web_search", "exa_ai_search", "parallel_ai_search", "retrieval"}),
}


class Dialect(Protocol):
    """What differs between the Gemini API and Vertex AI."""

    def model_path(self, model: str) -> str:
        """The model's name as a path. Raises ValidationError for what cannot be one."""
        ...

    def settings(self, config: GenerateContentConfig | None) -> dict[str, Any]:
        """The request's members beside ``contents``. Raises ValidationError for what this API does not take."""
        ...

    def count_settings(self, config: CountTokensConfig | None) -> dict[str, Any]:
        """The same for ``countTokens``."""
        ...

    def check(self, content: Content) -> None:
        """Raises ValidationError for a part, or a field of one, that this API does not take."""
        ...


@attrs.frozen
class GeminiApi:
    """The Gemini Developer API."""

    def model_path(self, model: str) -> str:
        """``models/NAME``, unless the name says ``models/`` or ``tunedModels/`` itself."""
        model = checked_model(model)
        return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"

    def settings(self, config: GenerateContentConfig | None) -> dict[str, Any]:
        """Each field of ``config`` where the API expects it.

        A config that is given always has its ``generationConfig``, if an empty one, as google-genai sends it.
        """
        if config is None:
            return {}
        refuse(config, _VERTEX_ONLY, "only Vertex AI takes this, not the Gemini API")
        return place_settings(config, self._written)

    def count_settings(self, config: CountTokensConfig | None) -> dict[str, Any]:
        """Nothing: the Gemini API counts contents only."""
        if config is not None:
            refuse(config, _VERTEX_ONLY, "only Vertex AI counts this, not the Gemini API")
        return {}

    def check(self, content: Content) -> None:
        """Streamed function calls are Vertex AI's."""
        refuse(content, _VERTEX_ONLY, "only Vertex AI takes this, not the Gemini API")

    def _written(self, name: str, item: Any) -> Any:
        if name == "cached_content" and isinstance(item, str) and "/" not in item:
            return f"cachedContents/{item}"
        return to_wire(item)


def checked_model(model: str) -> str:
    """``model``, if it can be part of a URL."""
    given: Any = model
    if not isinstance(given, str):
        raise ValidationError(f"the name of a model is text, not {type(given).__name__}")
    if not model:
        raise ValidationError("a model is needed, for example 'gemini-2.5-flash'")
    if ".." in model or "?" in model or "&" in model:
        raise ValidationError(f"not the name of a model: {model!r}")
    return model


def place_settings(config: GenerateContentConfig, write: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Each field of ``config`` in its place; ``write`` gives the JSON of one, by its name and value."""
    top: dict[str, Any] = {}
    generation: dict[str, Any] = {}
    for name, item in config.set_fields():
        if name in _CLIENT_SIDE:
            continue
        if name == "speech_config" and isinstance(item, str):
            item = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": item}}}  # noqa: PLW2901
        try:
            written = write(name, item)
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


def refuse(item: Any, fields: Mapping[str, frozenset[str]], problem: str) -> None:
    """Raises ValidationError, with the path, for a field of ``item`` or of what is in it that ``fields`` lists.

    ``fields`` are names of classes and of their fields. A schema that belongs to a function is left as it is.
    """
    if isinstance(item, Value):
        if isinstance(item, FunctionDeclaration):
            return
        refused = fields.get(type(item).__name__)
        for name, held in item.set_fields() if refused else ():
            # A schema may say that it has no additional properties.
            if refused and name in refused and not (name == "additional_properties" and not held):
                raise ValidationError(problem, path=f"$.{name}")
        inner = ((f".{name}", held) for name, held in item.set_fields() if type(held) not in _PLAIN)
    elif isinstance(item, dict):
        inner = ((f"[{key!r}]", held) for key, held in item.items() if isinstance(held, Value))  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(item, list):
        inner = ((f"[{index}]", held) for index, held in enumerate(item) if isinstance(held, Value))  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    else:
        return
    for segment, held in inner:
        try:
            refuse(held, fields, problem)
        except ValidationError as error:
            raise error.under(segment) from None


#: Types of values that have nothing in them to be refused.
_PLAIN = frozenset({str, bytes, int, float, bool})


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


@attrs.frozen(kw_only=True)
class Envelope:
    """All of a request for an answer but its contents: the same for many of them, and so made once."""

    url: str
    headers: Headers
    timeout: float | None
    #: What stands in the body before the contents, and after them.
    opening: bytes
    closing: bytes
    #: Contents that a program has put into ``extra_body``: they are sent instead.
    own: tuple[bytes, ...] | None

    def around(self, contents: tuple[bytes, ...]) -> Request:
        """The request with ``contents``: pieces of bytes, the members of the JSON list, commas included."""
        said = contents if self.own is None else self.own
        body = (self.opening, *said, self.closing)
        return Request("POST", self.url, self.headers, body, self.timeout)


def envelope_for(
    dialect: Dialect, endpoint: Endpoint, *, model: str, method: GenerateMethod, settings: Mapping[str, Any]
) -> Envelope:
    """The envelope of requests for an answer, or for what it would cost. Raises ValidationError."""
    query = "?alt=sse" if method == "streamGenerateContent" else ""
    url = endpoint.url(f"{dialect.model_path(model)}:{method}{query}")
    members = dict(settings)
    if endpoint.extra_body:
        members = merge_body(members, endpoint.extra_body)
    own = None
    if "contents" in members:
        given = members.pop("contents")
        if not is_array(given):
            raise ValidationError("contents are a list", path="$.extra_body.contents")
        own = (encode(given)[1:-1],)
    tail = encode(members)[1:] if members else b"}"  # of an object: without its opening brace
    return Envelope(
        url=url,
        headers=endpoint.headers(),
        timeout=endpoint.timeout,
        opening=b'{"contents":[',
        closing=b"]," + tail if members else b"]" + tail,
        own=own,
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
