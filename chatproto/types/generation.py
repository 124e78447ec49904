"""The ``generationConfig`` of a request, as it is on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._value import Setting, field, value

if TYPE_CHECKING:
    from .config import GenerationConfigRoutingConfig, ModelSelectionConfig, ThinkingConfig
    from .schema import Schema
    from .setting_enums import AspectRatio, Delivery, ImageSize, MediaResolution, Modality
    from .speech import AudioTranscriptionConfig, SpeechConfig

__all__ = [
    "AudioResponseFormat",
    "GenerationConfig",
    "ImageResponseFormat",
    "ResponseFormat",
    "TextResponseFormat",
    "TranslationConfig",
    "VideoResponseFormat",
]


@value
class GenerationConfig(Setting):
    """The part of a GenerateContentConfig that the wire keeps under ``generationConfig``, and a few newer settings."""

    model_selection_config: ModelSelectionConfig | None = None
    response_json_schema: Any = None
    #: Vertex AI only.
    audio_timestamp: bool | None = None
    candidate_count: int | None = None
    enable_affective_dialog: bool | None = None
    #: From -2 to 2.
    frequency_penalty: float | None = None
    logprobs: int | None = None
    max_output_tokens: int | None = None
    media_resolution: MediaResolution | None = None
    #: From -2 to 2.
    presence_penalty: float | None = None
    response_logprobs: bool | None = None
    response_mime_type: str | None = None
    response_modalities: list[Modality] | None = None
    response_schema: Schema | None = None
    #: Vertex AI only.
    routing_config: GenerationConfigRoutingConfig | None = None
    seed: int | None = None
    speech_config: SpeechConfig | None = None
    stop_sequences: list[str] | None = None
    #: From 0 to 2.
    temperature: float | None = None
    thinking_config: ThinkingConfig | None = None
    top_k: float | None = None
    #: From 0 to 1.
    top_p: float | None = None
    #: Gemini API only.
    enable_enhanced_civic_answers: bool | None = None
    response_format: list[ResponseFormat] | None = None
    translation_config: TranslationConfig | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None


@value
class ResponseFormat(Setting):
    """The format of one kind of output. Vertex AI only."""

    audio: AudioResponseFormat | None = None
    image: ImageResponseFormat | None = None
    text: TextResponseFormat | None = None
    video: VideoResponseFormat | None = None


@value
class AudioResponseFormat(Setting):
    """The format of audio output."""

    #: In bits a second, for compressed formats.
    bit_rate: int | None = None
    delivery: Delivery | None = None
    mime_type: str | None = None
    #: In hertz.
    sample_rate: int | None = None


@value
class ImageResponseFormat(Setting):
    """The format of image output."""

    aspect_ratio: AspectRatio | None = None
    delivery: Delivery | None = None
    image_size: ImageSize | None = None
    mime_type: str | None = None


@value
class TextResponseFormat(Setting):
    """The format of text output."""

    mime_type: str | None = None
    #: JSON Schema of the answer, with ``application/json``; ``schema`` on the wire.
    jsonSchema: Any = field(default=None, wire="schema")  # noqa: N815


@value
class VideoResponseFormat(Setting):
    """The format of video output. Vertex AI only."""

    aspect_ratio: AspectRatio | None = None
    delivery: Delivery | None = None
    #: In seconds: ``8s``.
    duration: str | None = None
    #: Where the video goes when ``delivery`` is URI.
    gcs_uri: str | None = None
    resolution: str | None = None


@value
class TranslationConfig(Setting):
    """Into which language a stream is translated."""

    #: Whether speech that is in the target language already is repeated.
    echo_target_language: bool | None = None
    #: BCP 47: ``de``.
    target_language_code: str | None = None
