"""Where one JSON document of a body ends and the next begins.

A unary answer is one document. A streamed one is an event stream, a JSON array, or, when something went wrong, one
bare document; the first byte that is not white space tells which.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

from ..errors import RemoteProtocolError, ResponseTooLarge
from .json_array import JsonArrayReader
from .pieces import hold
from .sse import MAX_EVENT_BYTES, SseReader

__all__ = ["MAX_BODY_BYTES", "BytesReader", "DocumentReader", "Framing", "StreamReader"]

#: The most that the body of an answer may hold, whole or in a stream: an answer without an end must not fill the
#: memory, and what it says is kept until the turn ends.
MAX_BODY_BYTES = 256 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"


class Framing(Protocol):
    """Bytes in, the text of JSON documents out.

    Nothing is raised: what was whole before the fault is handed out first, and ``failed`` says what the fault is.
    A copy (``copy.deepcopy``) goes its own way, and shares the bytes that are held.
    """

    failed: RemoteProtocolError | None

    def __deepcopy__(self, memo: dict[int, Any], /) -> Self: ...

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

    def __deepcopy__(self, _: Any, /) -> Self:
        made = object.__new__(type(self))
        made.limit, made.what, made.failed, made._size = self.limit, self.what, self.failed, self._size
        made._held = self._held.copy()
        return made

    def feed(self, data: bytes) -> list[bytes]:
        """Nothing: the document ends with the body."""
        self._size += len(data)
        if self._size > self.limit:
            self._held.clear()
            self.failed = ResponseTooLarge(f"{self.what} passed the limit of {self.limit} bytes")
        else:
            hold(self._held, data)
        return []

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """The document, also an empty one; none that was too large."""
        document, self._held = b"".join(self._held), []
        return [] if self.failed else [document], None


class BytesReader:
    """The body is no JSON: each piece is handed out as it came, whatever its size."""

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed: RemoteProtocolError | None = None

    def __deepcopy__(self, _: Any, /) -> Self:
        made = type(self)()
        made.failed = self.failed
        return made

    def feed(self, data: bytes) -> list[bytes]:
        """The piece itself."""
        return [data]

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """Nothing: all has been handed out."""
        return [], None


class StreamReader:
    """The body is a stream of documents, in whichever framing the server chose."""

    __slots__ = ("_left", "_opening", "_reader", "_skipped", "failed", "limit", "total")

    def __init__(self, limit: int = MAX_EVENT_BYTES, total: int = MAX_BODY_BYTES) -> None:
        self.limit = limit
        self.total = total
        self._left = total
        self.failed: RemoteProtocolError | None = None
        self._opening = b""
        self._skipped = 0  # bytes of white space that _opening does not hold any more
        self._reader: Framing | None = None

    def __deepcopy__(self, memo: dict[int, Any], /) -> Self:
        made = object.__new__(type(self))
        made.limit, made.total, made._left, made.failed = self.limit, self.total, self._left, self.failed
        made._opening, made._skipped = self._opening, self._skipped
        made._reader = None if self._reader is None else self._reader.__deepcopy__(memo)
        return made

    def feed(self, data: bytes) -> list[bytes]:
        """The documents that ``data`` completes."""
        left = self._left - len(data)
        if left < 0:
            documents = [] if self.failed else self.feed(data[: self._left])
            self._left = 0
            self.failed = self.failed or ResponseTooLarge(f"the stream passed the limit of {self.total} bytes")
            return documents
        self._left = left
        reader = self._reader
        if reader is None:
            data = self._open(self._opening + data)
            reader = self._reader
            if reader is None:
                return []
        documents = reader.feed(data)
        self.failed = reader.failed
        return documents

    def finish(self) -> tuple[list[bytes], bytes | None]:
        """At the end of the body: the documents that are left, and one that may have been cut."""
        if self._reader is None or self.failed is not None:
            return [], None
        left = self._reader.finish()
        self.failed = self._reader.failed
        return left

    def _open(self, opening: bytes) -> bytes:
        """Choose the reader, once there is something to tell by, and give what it is to read."""
        text = opening.removeprefix(_BOM).lstrip(_BLANK)
        before = opening.removesuffix(text) if text else opening
        # Of white space only the last byte matters: whether the first line with text begins with it. An opening
        # without an end is not kept.
        kept = before if before in (b"", _BOM) else before[-1:]
        if not text or (len(opening) < len(_BOM) and _BOM.startswith(opening)):
            self._opening = opening if text else kept
            self._skipped += len(opening) - len(self._opening)
            return b""
        self._opening = b""
        if text.startswith(b"["):
            self._reader = JsonArrayReader(self.limit, start=self._skipped + len(before))
            return text
        if text.startswith(b"{"):
            self._reader = DocumentReader(self.limit, what="a document in the stream")
            return text
        self._reader = SseReader(self.limit)
        return kept + text
