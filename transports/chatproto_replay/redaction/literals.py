"""The string literals of JSON within a text: where they are, under which keys, what they say, and how one is written.

The text is a body as it came: one JSON document, or server-sent events whose data is JSON; whole, or cut short
anywhere. What is no JSON is handed out as plain text. Nothing is parsed into values, so that a literal can be changed
and every other character left as it is.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import groupby
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Literal", "Plain", "Spelled", "encoded", "texts"]

Segment = tuple[int, int]

# A literal without its closing quote is one that was cut; so is a word at the very end.
_TOKEN = re.compile(
    r"""[\s\ufeff]*+(?:
        "(?P<literal>[^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)
      | (?P<mark>[{}\[\],:])
      | (?P<word>-?\d[\d.eE+-]*+|true|false|null|NaN|-?Infinity|(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|-)\Z)
      | \Z
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r'\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(["\\/bfnrt]))'
)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LINE = re.compile(r"[^\r\n]*+")
_FIELD = re.compile(r"(?:data|event|id|retry)?: ?|(?:data|event|id|retry)\Z")
_BEGINS_WITH_DATA = re.compile(r"[\s\ufeff]*+data:")


@attrs.frozen
class Plain:
    """Text that is no JSON: from ``start`` to ``end``."""

    start: int
    end: int


@attrs.frozen
class Literal:
    """What stands between two quotes, from ``start`` to ``end``.

    ``keys`` are those that lead to it in its document, outermost first; of a key, those that lead to its object.
    ``owner`` numbers the object of a key, so that the keys of one object can be told together.
    """

    start: int
    end: int
    is_key: bool
    keys: tuple[str, ...]
    owner: int


class Spelled:
    """What a literal says, and where each character of it stands in the literal as it is spelled."""

    def __init__(self, raw: str) -> None:
        self._here, self._there = [0], [0]  # after each escape: the place in the text, and in the literal
        if "\\" not in raw:
            self.text = raw
            return
        pieces: list[str] = []
        length = last = 0
        for escape in _ESCAPE.finditer(raw):
            high, low, unit, sign = escape.groups()
            if high is not None:
                character = chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
            else:
                character = chr(int(unit, 16)) if unit is not None else _CONTROL.get(sign, sign)
            pieces += (raw[last : escape.start()], character)
            length += escape.start() - last + 1
            last = escape.end()
            self._here.append(length)
            self._there.append(last)
        self.text = "".join((*pieces, raw[last:]))

    def place(self, index: int) -> int:
        """Where the character at ``index`` of the text begins in the literal."""
        mark = bisect_right(self._here, index) - 1
        return self._there[mark] + index - self._here[mark]


def encoded(text: str) -> str:
    """``text`` as it stands between the quotes of a literal."""
    surrogates = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=surrogates)[1:-1]


def texts(body: str, *, events: bool) -> Iterator[Plain | Literal]:
    """All text of a body. ``events``: it is known to be server-sent events."""
    number = 0
    for segments in _event_data(body) if events or _BEGINS_WITH_DATA.match(body) else [[(0, len(body))]]:
        tokens = _tokens(body, segments)
        if tokens is None:
            yield from (Plain(start, end) for start, end in segments)
            continue
        for literal in _literals(body, tokens, number):
            number = max(number, literal.owner)
            yield literal
        number += 1


def _event_data(body: str) -> Iterator[list[Segment]]:
    """The values of the fields of server-sent events: those of one event's ``data`` together, others by themselves.

    Lines without a field count as data: some servers end a stream with an error that is bare JSON.
    """
    lines = (line.span() for line in _LINE.finditer(body) if line[0])
    for _, event in groupby(lines, key=_EventNumbers(body)):
        data: list[Segment] = []
        for start, end in event:
            field = _FIELD.match(body, start, end)
            if field is None:
                data.append((start, end))
            elif field[0].startswith("data"):
                data.append((field.end(), end))
            else:
                yield [(field.end(), end)]
        if data:
            yield data


class _EventNumbers:
    """Tells lines of one event from those of the next: an empty line is between them."""

    def __init__(self, body: str) -> None:
        self._body = body
        self._last = 0
        self._number = 0

    def __call__(self, line: Segment) -> int:
        between = self._body[self._last : line[0]].replace("\r\n", "\n")
        self._number += len(between) > 1
        self._last = line[1]
        return self._number


def _tokens(body: str, segments: Sequence[Segment]) -> list[re.Match[str]] | None:
    """The tokens of JSON, as far as it goes; None for what is no JSON object, list or string."""
    tokens: list[re.Match[str]] = []
    for start, end in segments:
        place = start
        while place < end:
            token = _TOKEN.match(body, place, end)
            if token is None:
                return None
            if token.lastgroup is not None:
                if not tokens and token.lastgroup != "literal" and token["mark"] not in ("{", "["):
                    return None
                tokens.append(token)
            place = token.end()
    return tokens


@attrs.define
class _Open:
    """An object or a list that the tokens are within, and the keys that lead to it, and to the value that comes."""

    number: int
    is_object: bool
    wants_key: bool
    keys: tuple[str, ...]
    keys_of_value: tuple[str, ...]


def _literals(body: str, tokens: Iterable[re.Match[str]], number: int) -> Iterator[Literal]:
    inner = _Open(number, is_object=False, wants_key=False, keys=(), keys_of_value=())
    outer: list[_Open] = []
    for token in tokens:
        kind = token.lastgroup
        if kind == "literal":
            start, end = token.span(kind)
            if not inner.wants_key:
                yield Literal(start, end, False, inner.keys_of_value, inner.number)
                continue
            yield Literal(start, end, True, inner.keys, inner.number)
            inner.keys_of_value = (*inner.keys, Spelled(body[start:end]).text)
        elif kind == "mark":
            mark = body[token.end() - 1]
            if mark in "{[":
                number += 1
                outer.append(inner)
                inner = _Open(number, mark == "{", mark == "{", inner.keys_of_value, inner.keys_of_value)
            elif mark in "}]":
                inner = outer.pop() if outer else inner
            else:
                inner.wants_key = mark == "," and inner.is_object
