"""Contents of text alone, as most are: how they are sent is known at a glance.

They need no values to be understood, and no JSON encoder to be written.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Any

from ..types import Content, ModelContent, Part, UserContent

__all__ = ["encode_message", "encode_text"]

_CONTENTS = (Content, UserContent, ModelContent)
#: What stands around the first and the last text, by the role and the key that comes first.
_AROUND = {
    **{(role, "role"): (f'{{"role":"{role}","parts":[{{"text":', "}]}") for role in ("user", "model")},
    **{(role, "parts"): ('{"parts":[{"text":', f'}}],"role":"{role}"}}') for role in ("user", "model")},
}
_NOTHING: dict[str, Any] = {}


def encode_text(item: Any) -> tuple[str, bytes] | None:
    """Role and encoding of a content of text alone; None for any other, and for what may be none.

    That is a Content, or a dict, with nothing but a role and parts that are all text, of which there is one at least.
    The bytes are those that ``encode_content`` gives. Only the very types of JSON are taken: what a subclass says of
    itself is found out the long way.
    """
    kind = type(item)  # pyright: ignore[reportUnknownVariableType]
    fields: dict[str, Any] = item if kind is dict else item.__dict__ if kind in _CONTENTS else _NOTHING
    if len(fields) != 2:
        return None
    texts: list[str] = []
    try:
        role, parts = fields["role"], fields["parts"]
        if type(role) is not str or type(parts) is not list or not parts:
            return None
        given: list[Any] = parts  # pyright: ignore[reportUnknownVariableType]
        for part in given:
            kind = type(part)  # pyright: ignore[reportUnknownVariableType]
            held: dict[str, Any] = part if kind is dict else part.__dict__ if kind is Part else _NOTHING
            text = held["text"]
            if type(text) is not str or len(held) != 1:
                return None
            texts.append(encode_basestring(text))
        # Keys are sent in the order in which they were set.
        opening, closing = _AROUND[role, next(iter(fields))]
        return role, (opening + '},{"text":'.join(texts) + closing).encode()
    except (KeyError, UnicodeEncodeError):  # another field, another role, or a lone surrogate
        return None


def encode_message(text: str) -> bytes | None:
    """The encoding of ``UserContent(text)``; None for text that has a lone surrogate in it."""
    opening, closing = _AROUND["user", "parts"]
    try:
        return f"{opening}{encode_basestring(text)}{closing}".encode()
    except UnicodeEncodeError:
        return None
