"""Voices for speech that the model makes, and transcription of speech that it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._value import Setting, value

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
class SpeechConfig(Setting):
    """The voice, or the voices, of the answer."""

    voice_config: VoiceConfig | None = None
    #: BCP 47: ``de-DE``.
    language_code: str | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None


@value
class VoiceConfig(Setting):
    """One voice: prebuilt, or made from a sample."""

    replicated_voice_config: ReplicatedVoiceConfig | None = None
    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    voice: str | None = None


@value
class PrebuiltVoiceConfig(Setting):
    """A voice of Google's, by name."""

    voice_name: str | None = None


@value
class ReplicatedVoiceConfig(Setting):
    """A voice that is made from a recording."""

    #: ``audio/wav``: 24 kHz, 16 bits, little-endian.
    mime_type: str | None = None
    voice_sample_audio: bytes | None = None
    #: The owner of the voice agreeing to its use. Gemini API only.
    consent_audio: bytes | None = None
    #: From an earlier answer, instead of ``consent_audio``. Gemini API only.
    voice_consent_signature: VoiceConsentSignature | None = None


@value
class VoiceConsentSignature(Setting):
    """The server's proof that the owner of a voice agreed to its use."""

    signature: str | None = None


@value
class MultiSpeakerVoiceConfig(Setting):
    """A voice for each speaker of a dialogue."""

    speaker_voice_configs: list[SpeakerVoiceConfig] | None = None


@value
class SpeakerVoiceConfig(Setting):
    """The voice of one speaker, who is named in the prompt."""

    speaker: str | None = None
    voice_config: VoiceConfig | None = None


@value
class AudioTranscriptionConfig(Setting):
    """How audio is transcribed."""

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
class LanguageAuto(Setting):
    """Deprecated: the language is detected when no ``language_codes`` are given."""


@value
class LanguageHints(Setting):
    """Deprecated: use ``AudioTranscriptionConfig.language_codes``."""

    #: BCP 47.
    language_codes: list[str] | None = None
