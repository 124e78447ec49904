"""A history that is given: by a program that goes on with a chat, or records a turn that was had elsewhere.

Most of such a history is text. A content of text alone needs no values to be understood: how it is sent is known at
a glance, it calls nothing and answers nothing. All others are read as values, and looked at as JSON.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Union, cast

import attrs

from ..errors import ValidationError
from ..types import Content, ModelContent, Part, UserContent
from ..wire.json_blobs import encode_with_blobs
from ..wire.json_codec import decode
from .fold import is_empty
from .history import Outcome, Turn, is_closed, written_at
from .rounds import calls_in, responses_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: A content of a history, or a dict of its fields.
    Given = Union[Content, Mapping[str, Any]]

__all__ = ["check_role", "encode_text", "given_content", "last_said", "recorded_turn", "split_turns"]

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


# --- text alone ---------------------------------------------------------------------------------------------------

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
