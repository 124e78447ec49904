"""What a request asks for beside its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ._value import Setting, field, value

if TYPE_CHECKING:
    from .enums import HarmBlockThreshold, HarmCategory
    from .http import HttpOptions
    from .setting_enums import (
        FeatureSelectionPreference,
        HarmBlockMethod,
        MediaResolution,
        ProminentPeople,
        ServiceTier,
        ThinkingLevel,
    )
    from .speech import AudioTranscriptionConfig, SpeechConfig
    from .tools import ToolConfig
    from .unions import ContentUnion, SchemaUnion, ToolListUnion

__all__ = [
    "AutomaticFunctionCallingConfig",
    "GenerateContentConfig",
    "GenerationConfigRoutingConfig",
    "GenerationConfigRoutingConfigAutoRoutingMode",
    "GenerationConfigRoutingConfigManualRoutingMode",
    "GenerationOutputConfig",
    "ImageConfig",
    "ImageConfigImageOutputOptions",
    "ModelArmorConfig",
    "ModelSelectionConfig",
    "SafetySetting",
    "ThinkingConfig",
]


@value
class GenerateContentConfig(Setting):
    """How an answer is to be made: sampling, format, tools, safety, and how the call itself is made."""

    http_options: HttpOptions | None = field(default=None, local=True)
    should_return_http_response: bool | None = field(default=None, local=True)
    system_instruction: ContentUnion | None = None
    #: From 0 to 2.
    temperature: float | None = None
    #: From 0 to 1.
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    response_logprobs: bool | None = None
    #: How many of the likeliest tokens are returned for each step; needs ``response_logprobs``.
    logprobs: int | None = None
    #: From -2 to 2, like ``frequency_penalty``.
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    #: ``text/plain`` or ``application/json``.
    response_mime_type: str | None = None
    #: A Schema or a dict of that form, or a Python type whose JSON the answer is to be.
    response_schema: SchemaUnion | None = None
    #: JSON Schema, sent as it is; instead of ``response_schema``.
    response_json_schema: Any = None
    #: Vertex AI only.
    routing_config: GenerationConfigRoutingConfig | None = None
    #: Vertex AI only.
    model_selection_config: ModelSelectionConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    #: Tools, functions of the program, MCP tools and MCP sessions.
    tools: ToolListUnion | None = None
    tool_config: ToolConfig | None = None
    #: For billing reports.
    labels: dict[str, str] | None = None
    #: Resource name of the cached content that the prompt begins with.
    cached_content: str | None = None
    #: ``TEXT``, ``IMAGE``, ``AUDIO``.
    response_modalities: list[str] | None = None
    media_resolution: MediaResolution | None = None
    #: A SpeechConfig, or the name of a prebuilt voice.
    speech_config: str | SpeechConfig | None = None
    #: Vertex AI only.
    audio_timestamp: bool | None = None
    automatic_function_calling: AutomaticFunctionCallingConfig | None = field(default=None, local=True)
    thinking_config: ThinkingConfig | None = None
    image_config: ImageConfig | None = None
    #: Gemini API only.
    enable_enhanced_civic_answers: bool | None = None
    #: Vertex AI only.
    model_armor_config: ModelArmorConfig | None = None
    service_tier: ServiceTier | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None
    #: From an answer that ended with CONTINUATION: go on with it.
    continuation_token: bytes | None = None
    #: Whether an answer that ended with CONTINUATION is continued by itself; it is, if unset.
    automatic_continuation: bool | None = field(default=None, local=True)
    #: Vertex AI only.
    generation_output_config: GenerationOutputConfig | None = None
    #: Gemini API only.
    store: bool | None = None


@value
class AutomaticFunctionCallingConfig(Setting):
    """Whether, and how often in one turn, chatproto calls the program's functions by itself."""

    disable: bool | None = None
    #: Requests that one message may make: so many rounds of function calls, less one.
    maximum_remote_calls: int | None = 10
    #: Leaves ``automatic_function_calling_history`` out of the response.
    ignore_call_history: bool | None = None


@value
class ThinkingConfig(Setting):
    """How much the model thinks before it answers, and whether a summary of that is returned."""

    include_thoughts: bool | None = None
    #: In tokens; 0 turns thinking off, -1 leaves it to the model.
    thinking_budget: int | None = None
    thinking_level: ThinkingLevel | None = None


@value
class SafetySetting(Setting):
    """From which likelihood on one kind of harm is blocked."""

    category: HarmCategory | None = None
    #: Vertex AI only.
    method: HarmBlockMethod | None = None
    threshold: HarmBlockThreshold | None = None


@value
class ImageConfig(Setting):
    """The shape, size and format of images that the model makes."""

    #: ``16:9`` and the like.
    aspect_ratio: str | None = None
    #: ``1K``, ``2K`` or ``4K``.
    image_size: str | None = None
    #: ``ALLOW_ALL``, ``ALLOW_ADULT`` or ``ALLOW_NONE``. Vertex AI only.
    person_generation: str | None = None
    #: Vertex AI only.
    prominent_people: ProminentPeople | None = None
    #: Vertex AI only.
    output_mime_type: str | None = None
    #: From 0 to 100, for JPEG. Vertex AI only.
    output_compression_quality: int | None = None
    #: Vertex AI only.
    image_output_options: ImageConfigImageOutputOptions | None = None


@value
class ImageConfigImageOutputOptions(Setting):
    """The file format of images that the model makes. Vertex AI only."""

    #: From 0 to 100, for JPEG.
    compression_quality: int | None = None
    mime_type: str | None = None


@value
class ModelArmorConfig(Setting):
    """The Model Armor templates that screen prompt and answer, by resource name. Vertex AI only."""

    prompt_template_name: str | None = None
    response_template_name: str | None = None


@value
class GenerationOutputConfig(Setting):
    """Where generated media is put instead of into the answer. Vertex AI only."""

    #: A Cloud Storage prefix: ``gs://bucket/folder/``.
    output_uri_prefix: str | None = None


@value
class ModelSelectionConfig(Setting):
    """What matters most when the server chooses a model. Vertex AI only."""

    feature_selection_preference: FeatureSelectionPreference | None = None


@value
class GenerationConfigRoutingConfig(Setting):
    """Lets the server choose the model, or names it. Vertex AI only."""

    auto_mode: GenerationConfigRoutingConfigAutoRoutingMode | None = None
    manual_mode: GenerationConfigRoutingConfigManualRoutingMode | None = None


@value
class GenerationConfigRoutingConfigAutoRoutingMode(Setting):
    """The server chooses the model. Vertex AI only."""

    model_routing_preference: Literal["UNKNOWN", "PRIORITIZE_QUALITY", "BALANCED", "PRIORITIZE_COST"] | None = None


@value
class GenerationConfigRoutingConfigManualRoutingMode(Setting):
    """The model is named. Vertex AI only."""

    model_name: str | None = None
