"""A JSON array as it arrives: bytes in, its elements out.

``streamGenerateContent`` without ``alt=sse`` answers with one array whose elements are the chunks. An element is
handed out as soon as its last byte is there; bytes may be cut anywhere (law L1).
"""

from __future__ import annotations

import re
from typing import Any, Self

from ..errors import MalformedResponse, RemoteProtocolError, ResponseTooLarge
from .pieces import hold
from .sse import MAX_EVENT_BYTES

__all__ = ["JsonArrayReader"]

_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_BLANK = b" \t\r\n"


class JsonArrayReader:
    """Cuts a JSON array into the text of its elements. What they hold is not checked here."""

    __slots__ = ("_begun", "_depth", "_escaped", "_held", "_in_string", "_read", "_size", "failed", "limit")

    def __init__(self, limit: int = MAX_EVENT_BYTES, *, start: int = 0) -> None:
        """``start`` is how much of the body came before, for the offsets in errors."""
        self.limit = limit
        self.failed: RemoteProtocolError | None = None
        self._held: list[bytes] = []  # pieces of the element that is being read
        self._size = 0
        self._begun = False
        self._depth = 0  # 0 before the array and after it, 1 between elements
        self._in_string = False
        self._escaped = False  # the last byte was a backslash in a string
        self._read = start  # bytes of the body before the piece in hand

    def __deepcopy__(self, _: Any, /) -> Self:
        made = object.__new__(type(self))
        made.limit, made.failed, made._size, made._begun = self.limit, self.failed, self._size, self._begun
        made._depth, made._in_string, made._escaped, made._read = (
            self._depth,
            self._in_string,
            self._escaped,
            self._read,
        )
        made._held = self._held.copy()
        return made

    def feed(self, data: bytes) -> list[bytes]:
        """The text of each element that ``data`` completes. What is wrong with the array goes to ``failed``."""
        elements: list[bytes] = []
        if self.failed is None:
            try:
                self._feed(data, elements)
            except RemoteProtocolError as error:
                self.failed = error
                self._held = []
        return elements

    def _feed(self, data: bytes, elements: list[bytes]) -> None:
        start = position = 0
        if self._escaped and data:
            self._escaped = False
            position = 1
        while (match := (_INSIDE if self._in_string else _OUTSIDE).search(data, position)) is not None:
            position = match.end()
            sign = match.group()
            if sign == b"\\":
                self._escaped = position == len(data)
                position += 1
            elif sign == b'"':
                self._in_string = not self._in_string
            elif sign in b"{[":
                if self._depth == 0:
                    self._hold(data[start : position - 1])
                    self._begin(sign, position)
                    start = position
                self._depth += 1
            else:
                start = self._close(sign, data, start, position, elements)
        self._hold(data[start:])
        self._read += len(data)

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """Nothing is sure when the body has ended; an element that it ends in was cut."""
        rest = b"".join(self._held).lstrip(_BLANK)
        self._held = []
        if self._depth == 0 and rest and self.failed is None:
            where = f"byte {self._read - len(rest)}"
            self.failed = MalformedResponse("text outside the array", where=where)
            rest = b""
        return [], rest.rstrip(_BLANK) or None

    def _close(self, sign: bytes, data: bytes, start: int, position: int, elements: list[bytes]) -> int:
        """A comma or a closing bracket: what it ends, and where the next element starts."""
        if sign == b"," and self._depth != 1:
            return start
        if self._depth == 0 or (self._depth == 1 and sign == b"}"):
            self._hold(data[start : position - 1])  # if that is too much, it was so before this sign came
            raise MalformedResponse(f"unexpected {sign.decode()!r}", where=f"byte {self._read + position - 1}")
        if sign != b",":
            self._depth -= 1
        # An object or a list in the array ends with its bracket; anything else ends before the sign.
        whole = sign != b"," and self._depth == 1
        if not whole and self._depth > 1:
            return start
        self._hold(data[start : position if whole else position - 1])
        element = b"".join(self._held).strip(_BLANK)
        self._held, self._size = [], 0
        if element:
            elements.append(element)
        return position

    def _begin(self, sign: bytes, position: int) -> None:
        """An opening bracket outside the array: the array's own, or a mistake."""
        rest = b"".join(self._held).lstrip(_BLANK)
        self._held, self._size = [], 0
        if rest or self._begun or sign != b"[":
            raise MalformedResponse("text outside the array", where=f"byte {self._read + position - 1 - len(rest)}")
        self._begun = True

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._size += len(piece)
            if self._size > self.limit:
                raise ResponseTooLarge(f"an element of the array passed the limit of {self.limit} bytes")
            hold(self._held, piece)
