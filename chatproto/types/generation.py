"""The ``generationConfig`` of a request, as it is on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._value import Value, field, value

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
class GenerationConfig(Value):
    """The part of a GenerateContentConfig that the wire keeps under ``generationConfig``, and a few newer settings."""

    _closed: ClassVar[bool] = True

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
class ResponseFormat(Value):
    """The format of one kind of output. Vertex AI only."""

    _closed: ClassVar[bool] = True

    audio: AudioResponseFormat | None = None
    image: ImageResponseFormat | None = None
    text: TextResponseFormat | None = None
    video: VideoResponseFormat | None = None


@value
class AudioResponseFormat(Value):
    """The format of audio output."""

    _closed: ClassVar[bool] = True

    #: In bits a second, for compressed formats.
    bit_rate: int | None = None
    delivery: Delivery | None = None
    mime_type: str | None = None
    #: In hertz.
    sample_rate: int | None = None


@value
class ImageResponseFormat(Value):
    """The format of image output."""

    _closed: ClassVar[bool] = True

    aspect_ratio: AspectRatio | None = None
    delivery: Delivery | None = None
    image_size: ImageSize | None = None
    mime_type: str | None = None


@value
class TextResponseFormat(Value):
    """The format of text output."""

    _closed: ClassVar[bool] = True

    mime_type: str | None = None
    #: JSON Schema of the answer, with ``application/json``; ``schema`` on the wire.
    jsonSchema: Any = field(default=None, wire="schema")  # noqa: N815


@value
class VideoResponseFormat(Value):
    """The format of video output. Vertex AI only."""

    _closed: ClassVar[bool] = True

    aspect_ratio: AspectRatio | None = None
    delivery: Delivery | None = None
    #: In seconds: ``8s``.
    duration: str | None = None
    #: Where the video goes when ``delivery`` is URI.
    gcs_uri: str | None = None
    resolution: str | None = None


@value
class TranslationConfig(Value):
    """Into which language a stream is translated."""

    _closed: ClassVar[bool] = True

    #: Whether speech that is in the target language already is repeated.
    echo_target_language: bool | None = None
    #: BCP 47: ``de``.
    target_language_code: str | None = None
