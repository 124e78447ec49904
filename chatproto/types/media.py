"""How the media of a part is read: resolution, offsets, pages, transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._value import Value, value

if TYPE_CHECKING:
    from .enums import (
        DocumentMetadataContentLayer,
        PartMediaResolutionLevel,
        SpreadsheetMetadataContentLayer,
        VideoMetadataContentLayer,
    )

__all__ = [
    "AudioMetadata",
    "DocumentMetadata",
    "PartMediaResolution",
    "SpeechMetadata",
    "SpreadsheetMetadata",
    "Transcription",
    "VideoMetadata",
    "WordInfo",
]


@value
class PartMediaResolution(Value):
    """In how many tokens the media of one part is seen by the model."""

    level: PartMediaResolutionLevel | None = None
    num_tokens: int | None = None


@value
class VideoMetadata(Value):
    """Which stretch of a video is seen, and at which frame rate."""

    end_offset: str | None = None
    #: Frames a second, above 0 and up to 24; 1 if unset.
    fps: float | None = None
    #: Like ``end_offset`` a duration in seconds: ``12.5s``.
    start_offset: str | None = None
    #: Frames and audio, if unset.
    content_layers: list[VideoMetadataContentLayer] | None = None


@value
class DocumentMetadata(Value):
    """Which pages of a document are seen, and what of them."""

    #: Counted from 1, like ``end_page``; both are included.
    start_page: int | None = None
    end_page: int | None = None
    #: Page images, if unset.
    content_layers: list[DocumentMetadataContentLayer] | None = None


@value
class SpreadsheetMetadata(Value):
    """Which sheet and cells of a spreadsheet are seen, and what of them."""

    #: In A1 notation, ``A1:D10``; all, if unset.
    visible_cells: str | None = None
    #: Counted from 1; the first, if unset.
    sheet_index: int | None = None
    #: Data and formulas, if unset.
    content_layers: list[SpreadsheetMetadataContentLayer] | None = None


@value
class AudioMetadata(Value):
    """Which stretch of an audio recording is heard."""

    #: Like ``end_offset`` a duration in seconds: ``12.5s``.
    start_offset: str | None = None
    end_offset: str | None = None


@value
class SpeechMetadata(Value):
    """Who speaks the text of a part, and how, when it is turned into speech."""

    speaker: str | None = None
    style: str | None = None


@value
class Transcription(Value):
    """What was said in an audio part."""

    text: str | None = None
    finished: bool | None = None
    #: BCP 47: ``en-US``.
    language_code: str | None = None
    speaker_label: str | None = None
    words: list[WordInfo] | None = None
    #: Like ``end_offset`` a duration in seconds from the start of the audio: ``12.5s``.
    start_offset: str | None = None
    end_offset: str | None = None


@value
class WordInfo(Value):
    """One word of a transcription, and when it was said."""

    word: str | None = None
    #: Like ``end_offset`` a duration in seconds from the start of the audio: ``12.5s``.
    start_offset: str | None = None
    end_offset: str | None = None
