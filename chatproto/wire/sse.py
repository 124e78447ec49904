"""Server-sent events: bytes in, the data of events out.

The reader follows the WHATWG text (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream):
lines end with CR, LF or CRLF, also where a chunk ends between the two; one space after the colon belongs to the
syntax; several data lines are joined with LF; comments and the fields ``event``, ``id`` and ``retry`` give no event;
a byte order mark at the start is skipped. Bytes may be cut anywhere, inside a character too (law L1).

Two things are added. An event that the body ends in is handed out by ``finish`` as tentative: servers do forget the
last blank line. Where the standard dispatches an event whose data is empty, nothing is handed out: it says nothing.
And a line that begins a JSON document where a field should stand (``{`` or ``[``) starts a bare
document that goes on to the end of the body: that is how the Gemini API reports an error in the middle of a stream.
"""

from __future__ import annotations

from typing import Any, Self

from ..errors import RemoteProtocolError, ResponseTooLarge
from .pieces import hold

__all__ = ["MAX_EVENT_BYTES", "SseReader"]

#: The most that one line or one event may hold. Images arrive inline, some MB each in base64; a line without an end
#: must not fill the memory.
MAX_EVENT_BYTES = 128 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"


class SseReader:
    """Cuts an event stream into the data of its events."""

    __slots__ = ("_bare", "_event", "_line", "_opening", "_size", "_skip_lf", "failed", "limit")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self.limit = limit
        self.failed: RemoteProtocolError | None = None
        self._opening: bytes | None = b""  # None once it is known whether a byte order mark came first
        self._skip_lf = False  # the last chunk ended with CR: an LF that comes next belongs to it
        self._line: list[bytes] = []  # pieces of a line that has not ended
        self._event: list[bytes] | None = None  # data lines of the event that is being read
        self._bare = False  # a bare JSON document has begun; its text is in _line
        self._size = 0  # bytes held in _line and _event

    def __deepcopy__(self, _: Any, /) -> Self:
        made = object.__new__(type(self))
        made.limit, made.failed, made._opening = self.limit, self.failed, self._opening
        made._skip_lf, made._bare, made._size = self._skip_lf, self._bare, self._size
        made._line = self._line.copy()
        made._event = None if self._event is None else self._event.copy()
        return made

    def feed(self, data: bytes) -> list[bytes]:
        """The data of each event that ``data`` completes. What is wrong with the stream goes to ``failed``."""
        events: list[bytes] = []
        if self.failed is None:
            try:
                if self._event is None and not self._line and self._opening is None:  # as it is after nearly all pieces
                    data = self._usual(data, events)
                if data:
                    self._feed(data, events)
            except ResponseTooLarge as error:
                self.failed = error
        return events

    def _feed(self, data: bytes, events: list[bytes]) -> None:
        if self._opening is not None:
            data = self._open(data)
        if self._skip_lf and data:
            self._skip_lf = False
            if data.startswith(b"\n"):
                data = data[1:]
        if not data:
            return
        if self._bare or (b"\n" not in data and b"\r" not in data):
            self._count(data)
            hold(self._line, data)
            return
        if self._line:
            data = b"".join((*self._line, data))
            self._size -= sum(map(len, self._line))
            self._line = []
        self._split(data, events)

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """What is left when the body has ended: events that are sure, and one that may have been cut."""
        if self.failed is not None:
            return [], None
        if self._opening:
            self._line, self._opening = [self._opening], None
        rest, self._line = b"".join(self._line), []
        self._size -= len(rest)
        if rest and not self._bare:
            self._take(rest)  # cannot pass the limit: it was counted when it came
        if self._bare:
            return [rest], None
        event, self._event = self._event, None
        return [], b"\n".join(event or ()) or None

    def _open(self, data: bytes) -> bytes:
        """Wait for three bytes, to tell whether they are a byte order mark."""
        seen = (self._opening or b"") + data
        if len(seen) < len(_BOM) and _BOM.startswith(seen):
            self._opening = seen
            return b""
        self._opening = None
        return seen.removeprefix(_BOM)

    def _split(self, data: bytes, events: list[bytes]) -> None:
        if self._event is None:
            data = self._usual(data, events)
            if not data:
                return
        lines = data.splitlines(keepends=True)  # bytes: at CR, LF and CRLF, and at nothing else
        unended = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        self._skip_lf = not unended and lines[-1].endswith(b"\r")
        for index, line in enumerate(lines):
            content = line.rstrip(b"\r\n")
            if content:
                self._take(content)
                if self._bare:
                    # From here on nothing is a line any more, and no byte is skipped.
                    self._skip_lf = False
                    for piece in lines[index:]:
                        self._count(piece)
                        hold(self._line, piece)
                    break
            elif self._event is not None:
                event = b"\n".join(self._event)
                self._event, self._size = None, 0
                if event:
                    events.append(event)
        if unended:
            self._count(unended)
            self._line.append(unended)

    def _usual(self, data: bytes, events: list[bytes]) -> bytes:
        """Take the events that ``data`` begins with, if each is of one line, and give the rest.

        That is how nearly all are. None of what is special needs to be looked for in them.
        """
        if not data.startswith(b"data: "):
            return data
        ending = b"\r\n\r\n"
        whole, found, rest = data.rpartition(ending)
        if not found:
            ending = b"\n\n"
            whole, found, rest = data.rpartition(ending)
            if not found:
                return data
        text = whole[6:]
        taken = [text]
        # ``find`` and not ``in``, which on Python 3.11 first tries whether it was given a number: ten times as dear.
        if text.find(b"\n") >= 0:  # more than one event
            taken = text.split(ending + b"data: ")
            text = b"".join(taken)
            if text.find(b"\n") >= 0:
                return data
        small = len(data) <= self.limit or max(map(len, taken)) + 6 <= self.limit
        if text.find(b"\r") >= 0 or not small or not all(taken):
            return data
        events += taken
        self._skip_lf = False
        return rest

    def _take(self, line: bytes) -> None:
        """One line with something on it."""
        # The same sum as for a line that comes in pieces, so that cuts change nothing.
        if self._size + len(line) > self.limit:
            raise self._too_large()
        if line.startswith(b"data:"):
            content = line[6:] if line.startswith(b"data: ") else line[5:]
        elif line == b"data":
            content = b""
        else:
            self._bare = self._event is None and line.startswith((b"{", b"["))
            return
        if self._event is None:
            self._event = []
        self._count(content)
        self._event.append(content)

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self.limit:
            raise self._too_large()

    def _too_large(self) -> ResponseTooLarge:
        self._line, self._event = [], None
        return ResponseTooLarge(f"an event of the stream passed the limit of {self.limit} bytes")
