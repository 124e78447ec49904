"""Voices for speech that the model makes, and transcription of speech that it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ._value import Value, value

if TYPE_CHECKING:
    from .setting_enums import AudioTranscriptionConfigMode

__all__ = [
    "AudioTranscriptionConfig",
    "LanguageAuto",
    "LanguageHints",
    "MultiSpeakerVoiceConfig",
    "PrebuiltVoiceConfig",
    "ReplicatedVoiceConfig",
    "SpeakerVoiceConfig",
    "SpeechConfig",
    "VoiceConfig",
    "VoiceConsentSignature",
]


@value
class SpeechConfig(Value):
    """The voice, or the voices, of the answer."""

    _closed: ClassVar[bool] = True

    voice_config: VoiceConfig | None = None
    #: BCP 47: ``de-DE``.
    language_code: str | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None


@value
class VoiceConfig(Value):
    """One voice: prebuilt, or made from a sample."""

    _closed: ClassVar[bool] = True

    replicated_voice_config: ReplicatedVoiceConfig | None = None
    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    voice: str | None = None


@value
class PrebuiltVoiceConfig(Value):
    """A voice of Google's, by name."""

    _closed: ClassVar[bool] = True

    voice_name: str | None = None


@value
class ReplicatedVoiceConfig(Value):
    """A voice that is made from a recording."""

    _closed: ClassVar[bool] = True

    #: ``audio/wav``: 24 kHz, 16 bits, little-endian.
    mime_type: str | None = None
    voice_sample_audio: bytes | None = None
    #: The owner of the voice agreeing to its use. Gemini API only.
    consent_audio: bytes | None = None
    #: From an earlier answer, instead of ``consent_audio``. Gemini API only.
    voice_consent_signature: VoiceConsentSignature | None = None


@value
class VoiceConsentSignature(Value):
    """The server's proof that the owner of a voice agreed to its use."""

    _closed: ClassVar[bool] = True

    signature: str | None = None


@value
class MultiSpeakerVoiceConfig(Value):
    """A voice for each speaker of a dialogue."""

    _closed: ClassVar[bool] = True

    speaker_voice_configs: list[SpeakerVoiceConfig] | None = None


@value
class SpeakerVoiceConfig(Value):
    """The voice of one speaker, who is named in the prompt."""

    _closed: ClassVar[bool] = True

    speaker: str | None = None
    voice_config: VoiceConfig | None = None


@value
class AudioTranscriptionConfig(Value):
    """How audio is transcribed."""

    _closed: ClassVar[bool] = True

    #: BCP 47; detected, if unset.
    language_codes: list[str] | None = None
    language_auto: LanguageAuto | None = None
    language_hints: LanguageHints | None = None
    custom_vocabulary: list[str] | None = None
    adaptation_phrases: list[str] | None = None
    word_timestamp: bool | None = None
    diarization: bool | None = None
    #: VERBATIM, if unset.
    mode: AudioTranscriptionConfigMode | None = None
    source_text: str | None = None


@value
class LanguageAuto(Value):
    """Deprecated: the language is detected when no ``language_codes`` are given."""

    _closed: ClassVar[bool] = True


@value
class LanguageHints(Value):
    """Deprecated: use ``AudioTranscriptionConfig.language_codes``."""

    _closed: ClassVar[bool] = True

    #: BCP 47.
    language_codes: list[str] | None = None
