"""What was said, a turn at a time, as the bytes that are sent.

A Content is encoded once, when its turn ends; what the model said is encoded from the JSON it came in, so that what
chatproto does not know is said again. Callers get Contents decoded from the bytes: changing one changes nothing here.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ValidationError
from ..types import Content
from ..types._dump import to_encode
from ..types._hooks import converter
from ..wire.json_blobs import encode_with_blobs
from ..wire.json_codec import decode
from .reading import Reader, contents_to_json
from .rounds import calls_in, responses_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "History",
    "Outcome",
    "Turn",
    "decode_content",
    "encode_content",
    "is_closed",
    "written_at",
]

#: Pieces of the conversation so far are joined up to this size: few enough to send, small enough to copy.
_PIECE = 64 * 1024


class Outcome(enum.Enum):
    """How a turn ended."""

    #: The model answered, and said that it had finished (or the answer was whole).
    COMPLETED = "completed"
    #: The server ended the turn without anything that could be used.
    BLOCKED = "blocked"
    #: A stream ended cleanly, and no finish reason had come.
    TRUNCATED = "truncated"
    #: An error ended it.
    FAILED = "failed"
    #: The caller left it.
    ABANDONED = "abandoned"


def written_at(place: str, content: Content) -> dict[str, Any]:
    """A Content as JSON, its blobs as bytes. Raises ValidationError, with its path below ``place``, for what JSON
    cannot hold.
    """
    try:
        document: dict[str, Any] = to_encode(content)
    except ValidationError as error:
        raise error.under(place) from None
    except RecursionError:
        raise ValidationError("nested too deeply for JSON", path=f"${place}") from None
    return document


def encode_content(content: Content) -> bytes:
    """A Content as it is sent. Raises ValidationError with the path of what JSON cannot hold."""
    return encode_with_blobs(to_encode(content))


def decode_content(encoded: bytes) -> Content:
    """A Content of its own from what is sent."""
    made: Content = converter("wire").structure(decode(encoded, what="a content of the history"), Content)
    return made


@attrs.frozen(slots=False)  # frozen and with slots it would take a third longer to make
class Turn:
    """One turn of the ledger: what was said, how it ended, and why.

    ``reason`` is a sentence for people. ``curated`` says whether the next request holds the turn.
    """

    number: int
    outcome: Outcome
    reason: str
    curated: bool
    #: Every content in the order it was said, the last one as far as it had arrived.
    encoded: tuple[bytes, ...] = attrs.field(repr=lambda encoded: f"<{len(encoded)} contents>")
    #: How many of them the comprehensive history shows.
    shown: int

    @property
    def unanswered(self) -> bool:
        """Whether a function call of it has no response."""
        return not is_closed([decode(each, what="a content of the history") for each in self.encoded])

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values, for a snapshot."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason,
            "curated": self.curated,
            "shown": self.shown,
            "contents": contents_to_json(self.encoded),
        }

    @classmethod
    def from_json(cls, reader: Reader, number: int) -> Turn:
        """What ``to_json`` wrote. Raises ValidationError for what it did not."""
        encoded = tuple(reader.contents("contents"))
        return cls(
            number=number,
            outcome=reader.one_of("outcome", Outcome),
            reason=reader.held("reason", str),
            curated=reader.held("curated", bool),
            encoded=encoded,
            shown=min(len(encoded), reader.count("shown")),
        )

    @property
    def contents(self) -> list[Content]:
        """All that was said in it, decoded anew at each call."""
        return [decode_content(each) for each in self.encoded]


def _pieces_of(turns: list[Turn]) -> list[bytes]:
    return _in_pieces([encoded for turn in turns if turn.curated for encoded in turn.encoded], [])


def _in_pieces(contents: Sequence[bytes], begun: list[bytes]) -> list[bytes]:
    """Encoded contents as members of a JSON list, commas between them, small ones joined and large ones not copied.

    ``begun`` is what the first piece begins with: ``[b""]`` where members come before it, and ``[]`` where none do.
    """
    together = [*begun, *contents]
    if sum(map(len, together)) < _PIECE:
        return [b",".join(together)] if any(together) else []
    made: list[bytes] = []
    size = sum(map(len, begun))
    for encoded in contents:
        size += len(encoded)
        if size >= _PIECE and begun:
            large = len(encoded) >= _PIECE
            # Of a large one the comma stands in the piece before it.
            made.append(b",".join((*begun, b"") if large else begun))
            begun, size = [] if large else [b""], len(encoded)
        if len(encoded) >= _PIECE:
            made.append(encoded)
            begun, size = [b""], 0
        else:
            begun.append(encoded)
    if any(begun):
        made.append(b",".join(begun))
    return made


class History:
    """The turns of one conversation, and the bytes of the next request's past."""

    __slots__ = ("_pieces", "turns")

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self.turns: list[Turn] = list(turns)
        self._pieces = _pieces_of(self.turns) if self.turns else []

    def __deepcopy__(self, _: Any) -> History:
        # Turns and bytes do not change: the lists are all there is to copy.
        made = History()
        made.turns, made._pieces = self.turns.copy(), self._pieces.copy()
        return made

    def commit(self, turn: Turn) -> None:
        """A turn has ended. It is curated whole or not at all (law L5)."""
        self.turns.append(turn)
        if turn.curated:
            self._extend(turn.encoded)

    def rewind(self, index: int) -> tuple[Turn, ...]:
        """Forget the turns from ``index`` on."""
        kept, forgotten = self.turns[:index], self.turns[index:]
        self.turns, self._pieces = kept, _pieces_of(kept)
        return tuple(forgotten)

    def _extend(self, contents: Sequence[bytes]) -> None:
        pieces = self._pieces
        begun = [pieces.pop()] if pieces and len(pieces[-1]) < _PIECE else [b""] if pieces else []
        pieces += _in_pieces(contents, begun)

    def pieces(self) -> tuple[bytes, ...]:
        """The curated contents as members of a JSON list, commas between them, in pieces that stay the same objects.

        Joined they are the same bytes as the curated contents encoded from scratch (law L16).
        """
        return tuple(self._pieces)

    def before(self, said: Sequence[bytes]) -> tuple[bytes, ...]:
        """``pieces``, and after them those of what is ``said``."""
        return (*self._pieces, *_in_pieces(said, [b""] if self._pieces else []))

    def encoded(self, *, curated: bool) -> Iterator[bytes]:
        """The contents of the curated or of the comprehensive history, as they are sent."""
        for turn in self.turns:
            if not curated:
                yield from turn.encoded[: turn.shown]
            elif turn.curated:
                yield from turn.encoded


def is_closed(documents: list[dict[str, Any]]) -> bool:
    """Whether all calls are answered before the model speaks again, and there are no more responses than calls."""
    unanswered = 0
    answering = False
    for document in documents:
        if document.get("role") != "model":
            if calls_in(document):
                return False  # nobody but the model calls, so nobody will answer
            answering = True
            unanswered -= len(responses_in(document))
        elif answering and unanswered:
            return False
        else:
            answering = False
            unanswered += len(calls_in(document))
        if unanswered < 0:
            return False
    return unanswered == 0
