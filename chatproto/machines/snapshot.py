"""A conversation as JSON text, at any step, and back (law L13).

It holds values only: what was said, how it was asked for, and how far it has come; no credential, no header, no
function. A request that is under way when it is written is read as one whose connection was lost at that moment: what
had arrived is handed out first, an answer with a continuation token is continued, and else the turn ends as it would.

The document's version is a whole number. A later one is refused; members that this version does not know are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import MalformedResponse, ValidationError
from ..types._json import is_object
from ..wire.json_codec import MAX_DEPTH, decode, encode
from .conversation import Conversation
from .memory import config_from_json
from .reading import Reader
from .reference import AsyncReferenceConversation, ReferenceConversation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..types import GenerateContentConfig
    from ..wire.endpoint import Endpoint
    from ..wire.gemini import Dialect

__all__ = ["FORMAT", "VERSION", "read", "write"]

FORMAT = "chatproto chat"
VERSION = 1

_DEPTH = MAX_DEPTH + 16  # a content may be as deep as it may be on the wire


def write(conversation: Conversation) -> str:
    """The conversation as JSON text. It is not changed."""
    document = {"format": FORMAT, "version": VERSION, **conversation.to_json()}
    return encode({**document, **conversation.unknown}, depth=_DEPTH).decode()


def read(
    data: str | bytes | Mapping[str, Any],
    *,
    dialect: Dialect | None = None,
    endpoint: Endpoint | None = None,
    config: GenerateContentConfig | None = None,
    asynchronous: bool = False,
) -> Conversation:
    """The conversation that ``write`` wrote: as text, or decoded. ``config`` takes the place of the one in it.

    ``asynchronous`` matters to a chat by google-genai's rules alone: its two kinds differ. Raises ValidationError.
    """
    reader = Reader(_checked(data))
    written = reader.held("config", dict, type(None))
    if config is None and written is not None:
        try:
            config = config_from_json(written)
        except ValidationError as error:
            raise error.under(".config") from None
    by_reference = AsyncReferenceConversation if asynchronous else ReferenceConversation
    kind = by_reference if reader.document.get("rules") == by_reference.rules else Conversation
    made = kind(
        reader.held("model", str),
        config=config,
        dialect=dialect,
        endpoint=endpoint,
        on_incomplete=reader.word("onIncomplete", "drop", "keep"),
        config_mode=reader.word("configMode", "replace", "merge"),
    )
    made.restore(reader)
    known = {"format", "version", *made.to_json()}
    made.unknown = {key: held for key, held in reader.document.items() if key not in known}
    return made


def _checked(data: Any) -> dict[str, Any]:
    try:
        # What is decoded already stays the caller's: it may be changed afterwards.
        text = data if isinstance(data, (str, bytes)) else encode(dict(data), depth=_DEPTH)
        document = decode(text, what="the snapshot", depth=_DEPTH)
    except MalformedResponse as error:
        raise ValidationError(str(error)) from None
    except (TypeError, ValueError) as error:
        raise ValidationError(f"not a snapshot of a chat: {error}") from None
    if not is_object(document) or document.get("format") != FORMAT:
        raise ValidationError("not a snapshot of a chat: hand over what chat.snapshot() gave")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ValidationError(f"a version is a number from 1, not {version!r}", path="$.version")
    if version > VERSION:
        raise ValidationError(
            f"a later chatproto wrote this snapshot: it has version {version}, and this one reads up to {VERSION}",
            path="$.version",
        )
    return document
