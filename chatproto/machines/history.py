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
from ..types._dump import to_wire
from ..types._hooks import converter
from ..wire.json_codec import decode, encode
from .fold import is_empty
from .reading import Reader, contents_to_json
from .rounds import calls_in, responses_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "History",
    "Outcome",
    "Turn",
    "check_role",
    "decode_content",
    "encode_content",
    "is_closed",
    "last_said",
    "recorded_turn",
    "split_turns",
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
    """A Content as wire JSON. Raises ValidationError, with its path below ``place``, for what JSON cannot hold."""
    try:
        document: dict[str, Any] = to_wire(content)
    except ValidationError as error:
        raise error.under(place) from None
    except RecursionError:
        raise ValidationError("nested too deeply for JSON", path=f"${place}") from None
    return document


def encode_content(content: Content) -> bytes:
    """A Content as it is sent. Raises ValidationError with the path of what JSON cannot hold."""
    return encode(to_wire(content))


def decode_content(encoded: bytes) -> Content:
    """A Content of its own from what is sent."""
    made: Content = converter("wire").structure(decode(encoded, what="a content of the history"), Content)
    return made


@attrs.frozen(kw_only=True)
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


class History:
    """The turns of one conversation, and the bytes of the next request's past."""

    __slots__ = ("_pieces", "turns")

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self.turns: list[Turn] = []
        self._pieces: list[bytes] = []
        for turn in turns:
            self.commit(turn)

    def __deepcopy__(self, _: Any) -> History:
        # Turns and bytes do not change: the lists are all there is to copy.
        made = History()
        made.turns, made._pieces = self.turns.copy(), self._pieces.copy()
        return made

    def commit(self, turn: Turn) -> None:
        """A turn has ended. It is curated whole or not at all (law L5)."""
        self.turns.append(turn)
        if turn.curated:
            for encoded in turn.encoded:
                self._append(encoded)

    def rewind(self, index: int) -> tuple[Turn, ...]:
        """Forget the turns from ``index`` on."""
        kept, forgotten = self.turns[:index], self.turns[index:]
        self.turns, self._pieces = [], []
        for turn in kept:
            self.commit(turn)
        return tuple(forgotten)

    def _append(self, encoded: bytes) -> None:
        pieces = self._pieces
        if not pieces:
            pieces.append(encoded)
        elif len(pieces[-1]) + len(encoded) < _PIECE:
            pieces[-1] = b",".join((pieces[-1], encoded))
        else:
            pieces.append(b"," + encoded)

    def pieces(self) -> tuple[bytes, ...]:
        """The curated contents as members of a JSON list, commas between them, in pieces that stay the same objects.

        Joined they are the same bytes as the curated contents encoded from scratch (law L16).
        """
        return tuple(self._pieces)

    def encoded(self, *, curated: bool) -> Iterator[bytes]:
        """The contents of the curated or of the comprehensive history, as they are sent."""
        for turn in self.turns:
            if not curated:
                yield from turn.encoded[: turn.shown]
            elif turn.curated:
                yield from turn.encoded


# --- a history that is given --------------------------------------------------------------------------------------


def split_turns(contents: Iterable[Content]) -> tuple[list[Turn], tuple[bytes, ...]]:
    """The turns of a history that a program hands over, and the contents of one that waits for function responses.

    A turn begins with a user content that is not an answer to function calls. It is curated if its model contents all
    say something and its calls are all answered, and then whole (the reference drops an invalid answer with the one
    question before it). Raises ValidationError for a role that is neither ``user`` nor ``model``.
    """
    groups = _groups(contents)
    turns = [_given_turn(number, group) for number, group in enumerate(groups, start=1)]
    if turns and not turns[-1].curated and _waits(groups[-1]):
        return turns[:-1], turns[-1].encoded
    return turns, ()


def recorded_turn(number: int, contents: Iterable[Content], *, valid: bool) -> Turn:
    """A turn that was had elsewhere. Raises ValidationError for a role that no history has."""
    turn = _given_turn(number, [document for group in _groups(contents) for document in group])
    outcome = turn.outcome if valid else Outcome.BLOCKED
    return attrs.evolve(turn, outcome=outcome, curated=valid and turn.curated, reason=f"recorded{turn.reason[5:]}")


def check_role(index: int, content: Content) -> None:
    """Raise ValidationError where the Content at ``index`` of a given history has a role that a history has not."""
    if content.role not in ("user", "model"):
        raise ValidationError(
            f"a role in a history is 'user' or 'model', not {content.role!r}", path=f"$.history[{index}].role"
        )


def _groups(contents: Iterable[Content]) -> list[list[dict[str, Any]]]:
    groups: list[list[dict[str, Any]]] = []
    for index, content in enumerate(contents):
        check_role(index, content)
        document = written_at(f".history[{index}]", content)
        if not groups or (content.role == "user" and not responses_in(document)):
            groups.append([])
        groups[-1].append(document)
    return groups


def _given_turn(number: int, documents: list[dict[str, Any]]) -> Turn:
    answers = [document for document in documents if document["role"] == "model"]
    spoken = all(map(_speaks, answers))
    closed = is_closed(documents)
    # A model content that says nothing is in no history.
    encoded = tuple(encode(document) for document in documents if document["role"] == "user" or _speaks(document))
    fault = "" if spoken and closed else ", with unanswered calls" if spoken else ", with an empty answer"
    return Turn(
        number=number,
        outcome=Outcome.COMPLETED if spoken and closed else Outcome.BLOCKED,
        reason=f"given{fault}",
        curated=spoken and closed,
        encoded=encoded,
        shown=len(encoded),
    )


def _speaks(document: dict[str, Any]) -> bool:
    return not all(map(is_empty, document.get("parts") or ()))


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


def _waits(documents: list[dict[str, Any]]) -> bool:
    """Whether a turn ends with calls, and is in order up to what the model said last."""
    last = last_said(documents)
    return any(map(calls_in, last)) and is_closed(documents[: len(documents) - len(last)])


def last_said(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model contents that a turn ends with."""
    users = [index for index, document in enumerate(documents) if document["role"] == "user"]
    return documents[users[-1] + 1 :] if users else documents
