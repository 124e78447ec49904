"""A history that is given: by a program that goes on with a chat, or records a turn that was had elsewhere.

Most of such a history is text, which calls nothing and answers nothing, and is sent as it is known at a glance (see
``text``). All others are read as values, and looked at as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union, cast

import attrs

from ..errors import ValidationError
from ..types import Content
from ..wire.json_blobs import encode_with_blobs
from ..wire.json_codec import decode
from .fold import is_empty
from .history import Outcome, Turn, is_closed, written_at
from .rounds import calls_in, responses_in
from .text import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: A content of a history, or a dict of its fields.
    Given = Union[Content, Mapping[str, Any]]

__all__ = ["check_role", "given_content", "last_said", "recorded_turn", "split_turns"]

#: One content of a turn: of text alone as it is sent, any other as JSON.
_Said = Union[bytes, dict[str, Any]]


def split_turns(contents: Iterable[Given]) -> tuple[list[Turn], tuple[bytes, ...]]:
    """The turns of a history that a program hands over, and the contents of one that waits for function responses.

    A turn begins with a user content that is not an answer to function calls. It is curated if its model contents all
    say something and its calls are all answered, and then whole (the reference drops an invalid answer with the one
    question before it). Raises ValidationError for what is no content, and for a role that is neither ``user`` nor
    ``model``.
    """
    groups = _groups(contents)
    turns = [_given_turn(number, group) for number, group in enumerate(groups, start=1)]
    if turns and not turns[-1].curated and _waits(list(map(_document, groups[-1]))):
        return turns[:-1], turns[-1].encoded
    return turns, ()


def recorded_turn(number: int, contents: Iterable[Content], *, valid: bool) -> Turn:
    """A turn that was had elsewhere. Raises ValidationError for a role that no history has."""
    turn = _given_turn(number, [said for group in _groups(contents) for said in group])
    outcome = turn.outcome if valid else Outcome.BLOCKED
    return attrs.evolve(turn, outcome=outcome, curated=valid and turn.curated, reason=f"recorded{turn.reason[5:]}")


def given_content(index: int, item: Given) -> Content:
    """The content at ``index`` of a given history. Raises ValidationError for what is none."""
    try:
        return Content.model_validate(item)
    except ValidationError as error:
        raise error.under(f".history[{index}]") from None


def check_role(index: int, content: Content) -> None:
    """Raise ValidationError where the Content at ``index`` of a given history has a role that a history has not."""
    if content.role not in ("user", "model"):
        raise ValidationError(
            f"a role in a history is 'user' or 'model', not {content.role!r}", path=f"$.history[{index}].role"
        )


def _groups(contents: Iterable[Given]) -> list[list[_Said]]:
    groups: list[list[_Said]] = []
    for index, item in enumerate(contents):
        text = encode_text(item)
        said: _Said
        if text is not None:
            begins = text[0] == "user"
            said = text[1]
        else:
            content = given_content(index, item)
            check_role(index, content)
            said = document = written_at(f".history[{index}]", content)
            begins = content.role == "user" and not responses_in(document)
        if begins or not groups:
            groups.append([said])
        else:
            groups[-1].append(said)
    return groups


# --- turns --------------------------------------------------------------------------------------------------------


_COMPLETED = Outcome.COMPLETED


def _given_turn(number: int, said: list[_Said]) -> Turn:
    if dict not in map(type, said):
        return _turn(number, cast("list[bytes]", said), spoken=True, closed=True)
    documents = list(map(_document, said))
    # A model content that says nothing is in no history.
    kept = [each for each in documents if each["role"] == "user" or _speaks(each)]
    closed = is_closed(documents)
    return _turn(number, map(encode_with_blobs, kept), spoken=len(kept) == len(documents), closed=closed)


def _turn(number: int, encoded: Iterable[bytes], *, spoken: bool, closed: bool) -> Turn:
    encoded = tuple(encoded)
    curated = spoken and closed
    return Turn(
        number=number,
        outcome=_COMPLETED if curated else Outcome.BLOCKED,
        reason="given" if curated else "given, with unanswered calls" if spoken else "given, with an empty answer",
        curated=curated,
        encoded=encoded,
        shown=len(encoded),
    )


def _document(said: _Said) -> dict[str, Any]:
    if isinstance(said, bytes):
        document: dict[str, Any] = decode(said, what="a content of the history")
        return document
    return said


def _speaks(document: dict[str, Any]) -> bool:
    return not all(map(is_empty, document.get("parts") or ()))


def _waits(documents: list[dict[str, Any]]) -> bool:
    """Whether a turn ends with calls, and is in order up to what the model said last."""
    last = last_said(documents)
    return any(map(calls_in, last)) and is_closed(documents[: len(documents) - len(last)])


def last_said(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model contents that a turn ends with."""
    users = [index for index, document in enumerate(documents) if document["role"] == "user"]
    return documents[users[-1] + 1 :] if users else documents
