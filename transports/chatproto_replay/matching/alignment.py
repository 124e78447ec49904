"""Which items of two lists belong together, so that one item more does not read as "everything after it differs"."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from .canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["aligned", "similarity", "words"]

#: An item of the recorded list and one of the list that is compared with it, by index; None where it has no partner.
Pair = tuple[int | None, int | None]

_MOST_EQUAL = 100_000  # pairs of equal items that are looked at: lists of one value would take time cubed
_MOST_UNEQUAL = 2_500  # pairs of unequal ones
_WORD = re.compile(r"\w+")


def aligned(recorded: Sequence[Any], now: Sequence[Any]) -> list[Pair]:
    """The items that differ, are only in one list, or have moved, in order.

    Equal items at the same place between their neighbours are not named. An item that moved is a pair of its two
    places, and a pair of unequal items is one that was changed.
    """
    ours, theirs = [canonical(each) for each in recorded], [canonical(each) for each in now]
    shorter = min(len(ours), len(theirs))
    begin = next((i for i in range(shorter) if ours[i] != theirs[i]), shorter)
    end = next((i for i in range(shorter - begin) if ours[-1 - i] != theirs[-1 - i]), shorter - begin)
    middle = list(_middle(ours[begin : len(ours) - end], theirs[begin : len(theirs) - end]))
    found = [(None if i is None else begin + i, None if j is None else begin + j) for i, j in middle]
    return _with_moves(found, ours, theirs)


def _middle(ours: list[str], theirs: list[str]) -> Iterator[Pair]:
    counts = Counter(theirs)
    if sum(counts[each] for each in ours) > _MOST_EQUAL:
        yield from ((i, j) for i, j in _in_order(len(ours), len(theirs)) if not _same(ours, theirs, i, j))
        return
    from difflib import SequenceMatcher

    for kind, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            pairs = _partners(ours[i:i_end], theirs[j:j_end])
            yield from ((None if a is None else i + a, None if b is None else j + b) for a, b in pairs)


def _same(ours: list[str], theirs: list[str], i: int | None, j: int | None) -> bool:
    return i is not None and j is not None and ours[i] == theirs[j]


def _in_order(ours: int, theirs: int) -> Iterator[Pair]:
    for index in range(max(ours, theirs)):
        yield (index if index < ours else None), (index if index < theirs else None)


def _partners(ours: list[str], theirs: list[str]) -> Iterator[Pair]:
    """All items of the shorter list get a partner in the other one, in order, so that partners are most alike."""
    if len(ours) == len(theirs) or not ours or not theirs or len(ours) * len(theirs) > _MOST_UNEQUAL:
        yield from _in_order(len(ours), len(theirs))
        return
    swapped = len(ours) > len(theirs)
    few, many = (theirs, ours) if swapped else (ours, theirs)
    chosen = dict(_most_alike(few, many))
    partner = {b: a for a, b in chosen.items()}
    for b in range(len(many)):
        yield (b, partner.get(b)) if swapped else (partner.get(b), b)


def _most_alike(few: list[str], many: list[str]) -> Iterator[tuple[int, int]]:
    """For each of ``few`` one of ``many``, both in order, with the greatest sum of similarities."""
    few_words, many_words = [words(each) for each in few], [words(each) for each in many]
    spare = len(many) - len(few)
    alike = [[similarity(each, many_words[a + s]) for s in range(spare + 1)] for a, each in enumerate(few_words)]
    # best[a][s]: the greatest sum for few[a:], where s of many have been left out before.
    best = [[0.0] * (spare + 1) for _ in range(len(few) + 1)]
    for a in reversed(range(len(few))):
        for s in reversed(range(spare + 1)):
            taken = alike[a][s] + best[a + 1][s]
            best[a][s] = taken if s == spare else max(taken, best[a][s + 1])
    s = 0
    for a in range(len(few)):
        while alike[a][s] + best[a + 1][s] < best[a][s]:
            s += 1
        yield a, a + s


def _with_moves(found: list[Pair], ours: list[str], theirs: list[str]) -> list[Pair]:
    """Join an item that is only in one list with an equal one that is only in the other."""
    gone: dict[str, list[int]] = {}
    for i, j in found:
        if i is not None and j is None:
            gone.setdefault(ours[i], []).append(i)
    moved: dict[int, int] = {}
    for i, j in found:
        if i is None and j is not None and gone.get(theirs[j]):
            moved[j] = gone[theirs[j]].pop(0)
    away = set(moved.values())
    pairs = [(moved.get(j) if i is None and j is not None else i, j) for i, j in found]
    return [(i, j) for i, j in pairs if j is not None or i not in away]


def words(text: str) -> Counter[str]:
    """How often each word occurs in a text."""
    return Counter(_WORD.findall(text))


def similarity(one: Counter[str], other: Counter[str]) -> float:
    """How many words two texts have in common: 1.0 for all, 0.0 for none."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
