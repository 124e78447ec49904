"""Which exchanges of a cassette belong to one chat, and what each adds to the one before it.

A request of a chat sends all that was said before it. So the request that follows an exchange begins with that one's
contents and the answer to them. Answers that a client keeps in pieces, one content a chunk, are joined first, as the
machine folds them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import ValidationError
from chatproto.machines.fold import Fold
from chatproto.types import Content

from ..cassette import is_list, is_object
from ..matching.canonical import canonical
from .answers import Answer, contents_of, kind_of, read_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..cassette import Exchange

__all__ = ["Link", "as_said", "chain"]


@attrs.frozen(kw_only=True)
class Link:
    """How an exchange stands to those before it.

    ``said`` are the contents that it sends, with the model's pieces joined, and ``places`` where each began in the
    request. The first ``shared`` of them were said in the exchange with the index ``follows``, or in its answer; None
    says that this begins a chat. ``again`` says that it sends just what that exchange sent.

    ``lost`` is the index of an exchange whose contents it sends, with another answer after them than that exchange had.
    """

    said: tuple[Any, ...] = ()
    places: tuple[int, ...] = ()
    answer: Answer | None = None
    follows: int | None = None
    shared: int = 0
    again: bool = False
    lost: int | None = None


def chain(exchanges: Sequence[Exchange]) -> list[Link]:
    """A link for each exchange."""
    links: list[Link] = []
    sent: list[list[str]] = []  # what each exchange sends, each content in a form that equal ones share
    answered: list[list[str]] = []  # and its answer, if there is one
    known: dict[str, str] = {}  # a chat says everything again in each request
    for exchange in exchanges:
        said, places = _joined(contents_of(exchange.request))
        keys = [_remembered(content, known) for content in said]
        asks = kind_of(exchange.request) in ("generate", "stream")
        answer = read_answer(exchange) if asks else None
        follows, shared = _best(keys, sent, answered, links)
        links.append(
            Link(
                said=tuple(said),
                places=tuple(places),
                answer=answer,
                follows=follows,
                shared=shared,
                again=follows is not None and shared == len(keys) == len(sent[follows]),
                lost=_lost(said, keys, sent, answered, links) if asks else None,
            )
        )
        sent.append(keys)
        answered.append([] if answer is None or answer.content is None else [_remembered(answer.content, known)])
    return links


def _remembered(content: Any, known: dict[str, str]) -> str:
    """The key of a content: one object for equal ones, so that comparing them is quick."""
    text = json.dumps(content)
    if text not in known:
        key = _key(content)
        known[text] = known.setdefault(key, key)
    return known[text]


def _best(
    keys: list[str], sent: list[list[str]], answered: list[list[str]], links: list[Link]
) -> tuple[int | None, int]:
    """The exchange that shares most with ``keys``, the latest of several, and how many contents that is."""
    best: int | None = None
    most = 0
    for index in reversed(range(len(sent))):
        if links[index].answer is None:
            continue
        before = [*sent[index], *answered[index]]
        shared = _common(before, keys)
        if shared > most:
            best, most = index, shared
        if shared == len(before):
            break  # nothing earlier says as much
    return best, most


def _lost(
    said: list[Any], keys: list[str], sent: list[list[str]], answered: list[list[str]], links: list[Link]
) -> int | None:
    """The exchange that this one goes on from, where the model is said to have answered what it did not."""
    before = [
        index
        for index, each in enumerate(sent)
        if each and links[index].answer is not None and len(each) < len(keys) and keys[: len(each)] == each
    ]
    count = max((len(sent[index]) for index in before), default=0)
    if not count or not (is_object(said[count]) and said[count].get("role") == "model"):
        return None
    nearest = [index for index in before if len(sent[index]) == count]  # several: it was sent more than once
    if any(keys[count] in answered[index] for index in nearest):
        return None
    answers = ((index, links[index].answer) for index in nearest)
    return max((index for index, answer in answers if answer is not None and answer.whole), default=None)


def _common(before: list[str], now: list[str]) -> int:
    count = 0
    for one, other in zip(before, now, strict=False):
        if one is not other and one != other:
            break
        count += 1
    return count


def _joined(contents: list[Any]) -> tuple[list[Any], list[int]]:
    """Contents with those of the model that follow each other folded into one, and the place of each."""
    said: list[Any] = []
    places: list[int] = []
    fold: Fold | None = None
    for place, content in enumerate(contents):
        pieces = is_object(content) and content.get("role") == "model" and is_list(content.get("parts"))
        if fold is None or not pieces:
            fold = Fold() if pieces else None
            said.append(content)
            places.append(place)
        if fold is not None:
            fold.add(content)
            said[-1] = fold.content()
    return said, places


def _key(content: Any) -> str:
    """Text that contents share which say the same."""
    return canonical(as_said(content))


def as_said(content: Any) -> Any:
    """A content's JSON without what clients write in their own ways, or add.

    These are the names of fields, base64, a role that is left out, a part that is no thought, and ids of calls.
    """
    if not is_object(content):
        return content
    content = {**content, "role": content.get("role") or "user"}
    try:
        read = Content.model_validate(content)
    except ValidationError:
        return content
    for part in read.parts or ():
        part.thought = part.thought or None
        if part.function_call is not None:
            part.function_call.id = None
    return read.model_dump(mode="json", by_alias=True, exclude_none=True)
