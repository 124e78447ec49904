"""Where one JSON document of a body ends and the next begins.

A unary answer is one document. A streamed one is an event stream, a JSON array, or, when something went wrong, one
bare document; the first byte that is not white space tells which.
"""

from __future__ import annotations

from typing import Protocol

from ..errors import RemoteProtocolError, ResponseTooLarge
from .json_array import JsonArrayReader
from .sse import MAX_EVENT_BYTES, SseReader

__all__ = ["MAX_BODY_BYTES", "DocumentReader", "Framing", "StreamReader"]

#: The most that the body of a unary answer may hold.
MAX_BODY_BYTES = 256 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_OPENING = 1024


class Framing(Protocol):
    """Bytes in, the text of JSON documents out.

    Nothing is raised: what was whole before the fault is handed out first, and ``failed`` says what the fault is.
    """

    failed: RemoteProtocolError | None

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that ``data`` completes."""
        ...

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """At the end of the body: the documents that are left, and one that may have been cut."""
        ...


class DocumentReader:
    """The body is one document."""

    __slots__ = ("_held", "_size", "failed", "limit", "what")

    def __init__(self, limit: int = MAX_BODY_BYTES, *, what: str = "the body") -> None:
        self.limit = limit
        self.what = what
        self.failed: RemoteProtocolError | None = None
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Nothing: the document ends with the body."""
        self._size += len(data)
        if self._size > self.limit:
            self._held.clear()
            self.failed = ResponseTooLarge(f"{self.what} passed the limit of {self.limit} bytes")
        else:
            self._held.append(data)
        return []

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """The document, also an empty one."""
        document, self._held = b"".join(self._held), []
        return [document], None


class StreamReader:
    """The body is a stream of documents, in whichever framing the server chose."""

    __slots__ = ("_opening", "_reader", "failed", "limit")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self.limit = limit
        self.failed: RemoteProtocolError | None = None
        self._opening = b""
        self._reader: Framing | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that ``data`` completes."""
        if self._reader is None:
            self._opening += data
            self._reader = self._choose(self._opening)
            if self._reader is None:
                # White space without end says nothing: remember that there was some, not how much.
                self._opening = self._opening if len(self._opening) <= _OPENING else self._opening[:_OPENING]
                return []
            data, self._opening = self._opening, b""
            if not isinstance(self._reader, SseReader):
                data = data.removeprefix(_BOM)
        documents = self._reader.feed(data)
        self.failed = self._reader.failed
        return documents

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """At the end of the body: the documents that are left, and one that may have been cut."""
        if self._reader is None:
            return [], None
        left = self._reader.finish()
        self.failed = self._reader.failed
        return left

    def _choose(self, opening: bytes) -> Framing | None:
        if len(opening) < len(_BOM) and _BOM.startswith(opening):
            return None
        text = opening.removeprefix(_BOM).lstrip(_BLANK)
        if text.startswith(b"["):
            return JsonArrayReader(self.limit)
        if text.startswith(b"{"):
            return DocumentReader(self.limit, what="a document in the stream")
        if text:
            return SseReader(self.limit)
        return None
