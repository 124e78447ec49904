"""The fold: the chunks of a streamed answer become one Content, without loss.

Parts are joined only at the seam between two chunks, and only parts whose keys are ``text`` and ``thought``, with
equal ``thought``. Everything else stays as it came: signatures, calls, unknown kinds, empty text that carries a
signature. Within one chunk nothing is joined. Folding is associative (law L9).

It works on wire JSON, not on values: what chatproto does not know passes through.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ..types import Content, Part
from ..types._json import is_object
from ..wire.json_codec import encode
from .text import encode_text

if TYPE_CHECKING:
    from .reading import Reader

__all__ = ["Fold", "fold_parts", "is_empty"]

Json = dict[str, Any]

_JOINABLE = frozenset({"text", "thought"})


def _joinable(part: Any) -> bool:
    return is_object(part) and type(part.get("text")) is str and (len(part) == 1 or part.keys() <= _JOINABLE)


def _alike(left: Json, right: Json) -> bool:
    # Absent is not the same as false: joining the two would lose a key.
    return left.keys() == right.keys() and left.get("thought") == right.get("thought")


def fold_parts(left: list[Json], right: list[Json]) -> list[Json]:
    """The parts of two chunks as those of one. Neither list is changed."""
    if left and right and _joinable(left[-1]) and _joinable(right[0]) and _alike(left[-1], right[0]):
        seam = {**left[-1], "text": left[-1]["text"] + right[0]["text"]}
        return [*left[:-1], seam, *right[1:]]
    return [*left, *right]


def is_empty(part: Any) -> bool:
    """Whether a part says nothing at all: no key, or none with a value. An empty text is something said."""
    if not is_object(part):
        return False
    for held in part.values():  # noqa: SIM110  (``all`` would take a generator for what ends at the first)
        if held is not None:
            return False
    return True


class Fold:
    """``fold_parts`` over the chunks of one answer, in time that is linear in their text."""

    __slots__ = ("_content", "_parts", "_text", "_worked_out", "usable")

    def __init__(self) -> None:
        self._content: dict[str, Any] = {}
        self._parts: list[Json] = []
        self._text: list[str] = []  # of the last part, while it can be joined to: its pieces so far
        #: Whether any part says something.
        self.usable = False
        # The content as a whole, and encoded, once somebody has asked: for all copies, until more is added to one. So
        # a sweep over the bytes of an answer works the same out once a chunk.
        self._worked_out: dict[str, Any] = {}

    def __copy__(self) -> Fold:
        made = object.__new__(Fold)
        made._content, made._parts, made._text = self._content.copy(), self._parts.copy(), self._text.copy()
        made.usable, made._worked_out = self.usable, self._worked_out
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Fold, (), (self._content, self._parts, self._text, self.usable)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._content, self._parts, self._text, self.usable = state

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values, for a snapshot."""
        copied = copy.copy(self)
        joinable = bool(copied._text)
        copied._settle()
        return {"content": copied._content, "parts": copied._parts, "joinable": joinable}

    @classmethod
    def from_json(cls, reader: Reader) -> Fold:
        """What ``to_json`` wrote. Raises ValidationError for what it did not."""
        made = cls()
        made._content = dict(reader.held("content", dict))
        made._parts = reader.values("parts", Part)
        made.usable = not all(map(is_empty, made._parts))
        reader.fits("content", made.content(), Content)
        if reader.held("joinable", bool) and made._parts and _joinable(made._parts[-1]):
            made._text = [made._parts[-1]["text"]]
        return made

    def add(self, content: dict[str, Any]) -> None:
        """The ``content`` of one chunk's candidate. It is not changed, and must not be changed afterwards."""
        self._worked_out = {}
        known = self._content
        for key in content:  # noqa: PLC0206  (its items would be an object more for each)
            if key not in known:
                # The parts have their place among the keys, and are put there in the end.
                known[key] = None if key == "parts" else content[key]
        parts = content.get("parts")
        if not parts:
            return
        first: Json = parts[0]  # if it is what it should be
        # While there is text, the last part can be joined to, so a part with its keys can be, too.
        if self._text and type(first) is dict and type(text := first.get("text")) is str:
            last = self._parts[-1]
            if (len(first) == 1 and len(last) == 1) or _alike(last, first):
                self._text.append(text)
                if len(parts) == 1:
                    return
                parts = parts[1:]
        if self._text:
            self._settle()
        self._parts += parts
        if not self.usable:
            self.usable = not all(map(is_empty, parts))
        if _joinable(parts[-1]):
            self._text = [parts[-1]["text"]]

    def _settle(self) -> None:
        if len(self._text) > 1:
            self._parts[-1] = {**self._parts[-1], "text": "".join(self._text)}
        self._text = []

    def content(self) -> dict[str, Any]:
        """The answer as one Content, with the role ``model`` where the server gave none. It must not be changed."""
        made: dict[str, Any] | None = self._worked_out.get("content")
        if made is None:
            parts = list(self._parts)
            if len(self._text) > 1:
                parts[-1] = {**parts[-1], "text": "".join(self._text)}
            made = self._worked_out["content"] = {**self._content, "parts": parts}
            if made.get("role") != "model":
                # Servers leave it out, and gateways say "assistant", which the API does not take.
                made["role"] = "model"
        return made

    def encoded(self) -> bytes:
        """``content()`` as it is sent. Raises ValidationError where JSON cannot hold it."""
        made: bytes | None = self._worked_out.get("encoded")
        if made is None:
            content = self.content()
            text = encode_text(content)
            made = self._worked_out["encoded"] = encode(content) if text is None else text[1]
        return made
