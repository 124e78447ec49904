"""Which rules would let a request pass that differs from the recorded one: to be pasted, if it may differ.

They hide what varies by itself: in what is said, dates, times, ids and numbers, by their pattern; elsewhere, the value
of a setting. What says something else gets no rule, because that would let any prompt pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chatproto.errors import ValidationError

from .. import rules
from .canonical import fingerprint
from .paths import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..cassette import RecordedRequest
    from .differences import Difference
    from .paths import Place

__all__ = ["advised"]

_MOST = 4  # rules; with more, it is another request

#: Members that hold what is asked, as this API and others call them: nothing in them is ever ignored.
_ASKED = frozenset(
    {
        *("contents", "content", "systemInstruction", "system_instruction", "tools", "requests"),
        *("messages", "input", "instructions", "prompt", "instances"),
    }
)

#: What differs from run to run, and its pattern; whether it is looked for in all messages, or only where it was found.
_VARIABLE = (
    ("UUID", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", True),
    ("TIME", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?", True),
    ("DATE", r"\d{4}-\d\d-\d\d", True),
    ("TIME", r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?", True),
    ("ID", r"\b(?=[a-z]*\d)[0-9a-f]{8,}\b", True),
    ("NUMBER", r"\d+(?:\.\d+)?", False),
)
_UNNUMBERED = _VARIABLE[:-1]  # for paths: the numbers in them are versions


def advised(recorded: RecordedRequest, now: RecordedRequest, found: Iterable[Difference]) -> tuple[rules.Rule, ...]:
    """Rules under which the two requests are equal; none where there are no such rules, or where it takes too many.

    Nothing is advised that would let another conversation pass: other words, messages that are new, gone, or in another
    order, another model or method.
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
        return _of_a_list(place[:-1], moved=difference.kind == "moved")
    if here is not None and there is not None:
        replaced = _replaced(place, _at(there, recorded), _at(here, now))
        if replaced:
            return replaced
    return [rules.ignore(written(place))] if here == there and _is_setting(place) else []


def _of_a_list(around: Place, *, moved: bool) -> list[rules.Rule]:
    """For an item that is new, gone, or elsewhere in the list at this place."""
    if moved:
        return [rules.unordered(written(around))] if _is_setting(around) or around[:1] == ("tools",) else []
    return [rules.ignore(written(around))] if _is_setting(around) else []


def _is_setting(place: Place) -> bool:
    """Whether what is there says how to answer, and not what is asked."""
    if place[:1] == ("generateContentRequest",):  # of which the tokens are counted
        place = place[1:]
    return bool(place) and isinstance(place[0], str) and place[0] not in _ASKED


def _outside(path: str, recorded: RecordedRequest, now: RecordedRequest) -> list[rules.Rule]:
    match path:
        case "path":
            return _varying(path, path, recorded.path, now.path, _UNNUMBERED)
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


def _varying(
    everywhere: str, place: str, recorded: str, now: str, known: Sequence[tuple[str, str, bool]] = _VARIABLE
) -> list[rules.Rule]:
    """Rules for what differs in two texts, if that is dates, ids, and other things that differ by nature."""

    def alike(patterns: Sequence[tuple[str, str, bool]]) -> bool:
        texts = [recorded, now]
        for name, pattern, _ in patterns:
            texts = [re.sub(pattern, name, text) for text in texts]
        return texts[0] == texts[1]

    needed = list(known)
    if not alike(needed):
        return []
    for each in reversed(known):  # the vaguest first
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
