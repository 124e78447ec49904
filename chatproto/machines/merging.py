"""Two responses in a row as one: what automatic continuation makes of its hops.

The rules are google-genai's (reference behaviour, 13.2), on wire JSON, so that what chatproto does not know survives:

- objects are merged key by key; lists are joined, so that each hop's parts stay parts of their own; of other values
  the later one counts, and null counts as absent;
- numbers whose key ends in ``Count`` or ``Sum`` are added; int64 may come as text, and the sum is a number;
- the counts by modality are added for each modality; of the safety ratings of one category the latest counts;
- candidates are merged by their place. How a candidate ended (``finishReason``, ``finishMessage``,
  ``continuationToken``) is the later hop's word alone, also when it says nothing;
- what grounds the later text points behind the earlier parts and chunks.

Keys are known in both spellings, but are not translated: a server keeps to one.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from ..types._json import is_array, is_object, key_of, under_either

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add", "lay_over", "merge"]

Json = dict[str, Any]

_ADDED = ("Count", "Sum", "_count", "_sum")
_BY_MODALITY = ("TokensDetails", "_tokens_details")
_RATINGS = ("safetyRatings", "safety_ratings")
_LAST_WORD = (
    "finishReason",
    "finish_reason",
    "finishMessage",
    "finish_message",
    "continuationToken",
    "continuation_token",
)
_MAX_DIGITS = 4000  # Python reads no longer integers; the types take no longer ones either


def merge(earlier: Json, later: Json) -> Json:
    """The responses of two hops as one. Neither is changed, and the result shares what it can with them."""
    merged = lay_over(earlier, later)
    before, after = earlier.get("candidates"), later.get("candidates")
    if is_array(before) and (after is None or is_array(after)):
        merged["candidates"] = _candidates(before, after or [])
    return merged


def lay_over(earlier: Json, later: Json) -> Json:
    """``later`` laid over ``earlier`` by the general rules, those that hold for the usage too."""
    merged = dict(earlier)
    for key, new in later.items():
        old = earlier.get(key)
        if old is None:
            merged[key] = new
        elif new is not None:
            merged[key] = _both(key, old, new)
    return merged


def add(earlier: Any, later: Any) -> Any:
    """The sum of two numbers of proto's JSON, any of which may be text; None where that cannot be said."""
    left, right = _number(earlier), _number(later)
    if left is None or right is None:
        return None
    try:
        total = left + right
    except OverflowError:
        return None
    if math.isfinite(total):
        return total
    return "NaN" if math.isnan(total) else "Infinity" if total > 0 else "-Infinity"


def _number(item: Any) -> int | float | None:
    if type(item) is int or type(item) is float:
        return item
    if type(item) is str and len(item) <= _MAX_DIGITS:
        for read in (int, float):
            try:
                return read(item)
            except ValueError:
                pass
    return None


def _both(key: str, old: Any, new: Any) -> Any:
    """The value of a key that both have."""
    if is_object(old) and is_object(new):
        return lay_over(old, new)
    if is_array(old) and is_array(new):
        return _lists(key, old, new)
    total = add(old, new) if key.endswith(_ADDED) else None
    return new if total is None else total


def _lists(key: str, old: list[Any], new: list[Any]) -> list[Any]:
    joined = [*old, *new]
    if key.endswith(_BY_MODALITY):
        counts = _grouped(joined, "modality", lay_over)
        return joined if counts is None else list(map(_counted, counts))
    if key in _RATINGS:
        return _grouped(joined, "category", lambda _, latest: latest) or joined
    return joined


def _grouped(items: list[Any], name: str, join: Callable[[Json, Json], Json]) -> list[Json] | None:
    """``items`` with those of one ``name`` joined, in the order of their first; None if they are no such items."""
    groups: dict[str | int | None, Json] = {}
    for item in items:
        if not is_object(item):
            return None
        label = item.get(name)
        if type(label) is str:
            label = label.upper()
        elif label is not None and type(label) is not int:
            return None
        held = groups.get(label)
        groups[label] = item if held is None else join(held, item)
    return list(groups.values())


def _counted(item: Json) -> Json:
    """A count by modality that says how many: proto leaves a zero out."""
    return item if under_either(item, "tokenCount", "token_count") is not None else {**item, "tokenCount": 0}


# --- candidates ---------------------------------------------------------------------------------------------------


def _candidates(earlier: list[Any], later: list[Any]) -> list[Any]:
    if not earlier:
        return later
    if not later:
        # None of them has a last word, so none may keep what it said of going on.
        later = [{} for _ in earlier]
    merged = list(itertools.starmap(_candidate, zip(earlier, later, strict=False)))
    return [*merged, *earlier[len(later) :], *later[len(earlier) :]]


def _candidate(earlier: Any, later: Any) -> Any:
    if not (is_object(earlier) and is_object(later)):
        return later
    merged = lay_over(earlier, _moved(earlier, later))
    for key in _LAST_WORD:
        if key in later:
            merged[key] = later[key]
        else:
            merged.pop(key, None)
    return merged


def _moved(earlier: Json, later: Json) -> Json:
    """``later`` with the places that its grounding points to counted from the start of ``earlier``."""
    key = key_of(later, "groundingMetadata", "grounding_metadata")
    metadata = later.get(key)
    if not is_object(metadata):
        return later
    inner = key_of(metadata, "groundingSupports", "grounding_supports")
    supports = metadata.get(inner)
    parts = _length(earlier.get("content"), "parts", "parts")
    grounding = under_either(earlier, "groundingMetadata", "grounding_metadata")
    chunks = _length(grounding, "groundingChunks", "grounding_chunks")
    if not is_array(supports) or not (parts or chunks):
        return later
    moved = [_support(each, parts, chunks) if is_object(each) else each for each in supports]
    return {**later, key: {**metadata, inner: moved}}


def _length(owner: Any, camel: str, snake: str) -> int:
    held = under_either(owner, camel, snake) if is_object(owner) else None
    return len(held) if is_array(held) else 0


def _support(support: Json, parts: int, chunks: int) -> Json:
    changes: Json = {}
    key = key_of(support, "groundingChunkIndices", "grounding_chunk_indices")
    indices = support.get(key)
    if is_array(indices) and chunks:
        changes[key] = [_shifted(each, chunks) for each in indices]
    segment = support.get("segment")
    if is_object(segment) and parts:
        key = key_of(segment, "partIndex", "part_index")
        index = segment.get(key)
        changes["segment"] = {**segment, key: _shifted(0 if index is None else index, parts)}
    return {**support, **changes}


def _shifted(index: Any, by: int) -> Any:
    moved = add(index, by)
    return index if moved is None else moved
