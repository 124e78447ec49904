"""Which rules would let a request pass that differs from the recorded one: to be pasted, if it may differ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chatproto.errors import ValidationError

from .. import rules
from .canonical import fingerprint
from .paths import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..cassette import RecordedRequest
    from .differences import Difference
    from .paths import Place

__all__ = ["advised"]

_MOST = 4  # rules; with more, it is another request

#: What differs from run to run, and its pattern; whether it is looked for in all messages, or only where it was found.
_VARIABLE = (
    ("UUID", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", True),
    ("TIME", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", True),
    ("DATE", r"\d{4}-\d\d-\d\d", True),
    ("TIME", r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?", True),
    ("ID", r"\b(?=[a-z]*\d)[0-9a-f]{8,}\b", True),
    ("NUMBER", r"\d+(?:\.\d+)?", False),
)


def advised(recorded: RecordedRequest, now: RecordedRequest, found: Iterable[Difference]) -> tuple[rules.Rule, ...]:
    """Rules under which the two requests are equal; none where there are no such rules, or where it takes too many.

    Nothing is advised that would let another conversation pass: messages that are new, gone, or in another order.
    """
    advice: dict[rules.Rule, None] = {}
    try:
        for each in found:
            some = _rules(each, recorded, now)
            advice |= dict.fromkeys(some)
            if not some or len(advice) > _MOST:
                return ()
    except ValidationError:  # a rule that would hide too much
        return ()
    alike = fingerprint(rules.normalised(recorded, advice)) == fingerprint(rules.normalised(now, advice))
    return tuple(advice) if alike else ()


def _rules(difference: Difference, recorded: RecordedRequest, now: RecordedRequest) -> list[rules.Rule]:
    """Rules for one difference; none where it is of the conversation."""
    here, there = difference.place, difference.recorded_place
    place = here if here is not None else there
    if place is None:
        return _outside(difference.path, recorded, now)
    if difference.kind != "changed":
        around = place[:-1]
        if not around or around[0] == "contents":
            return []
        return [rules.unordered(written(around)) if difference.kind == "moved" else rules.ignore(written(around))]
    if here is not None and there is not None:
        replaced = _replaced(place, _at(there, recorded), _at(here, now))
        if replaced:
            return replaced
    return [rules.ignore(written(place))] if here == there else []


def _outside(path: str, recorded: RecordedRequest, now: RecordedRequest) -> list[rules.Rule]:
    match path:
        case "path":
            return _varying(path, path, recorded.path, now.path) or [rules.ignore(path)]
        case "body" if recorded.body and now.body and recorded.body.kind == now.body.kind == "text":
            return _varying(path, path, recorded.body.value, now.body.value)
        case "method" | "body":
            return []
        case _:
            return [rules.ignore(path)]


def _replaced(place: Place, recorded: Any, now: Any) -> list[rules.Rule]:
    if not isinstance(recorded, str) or not isinstance(now, str):
        return []
    everywhere = written(place)
    if place[0] == "contents":
        everywhere = re.sub(r"^\$\.contents\[\d+\](\.parts\[\d+\])?", _any_index, everywhere)
    return _varying(everywhere, written(place), recorded, now)


def _any_index(found: re.Match[str]) -> str:
    return re.sub(r"\d+", "*", found[0])


def _varying(everywhere: str, place: str, recorded: str, now: str) -> list[rules.Rule]:
    """Rules for what differs in two texts, if that is dates, ids, and other things that differ by nature."""

    def alike(patterns: list[tuple[str, str, bool]]) -> bool:
        texts = [recorded, now]
        for name, pattern, _ in patterns:
            texts = [re.sub(pattern, name, text) for text in texts]
        return texts[0] == texts[1]

    needed = list(_VARIABLE)
    if not alike(needed):
        return []
    for each in reversed(_VARIABLE):  # the vaguest first
        fewer = [other for other in needed if other is not each]
        if alike(fewer):
            needed = fewer
    return [rules.replace(everywhere if anywhere else place, pattern, name) for name, pattern, anywhere in needed]


def _at(place: Place, request: RecordedRequest) -> Any:
    """The value at a place; None where a member is missing."""
    value: Any = request.body.value if request.body is not None else None
    for key in place:
        try:
            value = value[key]
        except KeyError:
            return None
    return value
