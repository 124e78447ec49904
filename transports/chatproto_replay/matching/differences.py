"""What differs between a request and a recorded one, by JSON path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

from ..cassette import is_list, is_object
from .alignment import aligned
from .canonical import by_name, canonical
from .excerpts import MISSING, shown, shown_pair
from .paths import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..cassette import Body, RecordedRequest
    from .paths import Place

__all__ = ["Difference", "differences", "first_content", "report"]

_LINES = 20  # of a report


@attrs.frozen
class Difference:
    """One place where a request is not as recorded.

    ``path`` is where it is in the request: ``method``, ``path``, ``query.NAME``, ``body``, or a JSON path. What was
    ``removed`` is not there any more: of that, it is where it was recorded. ``recorded_path`` is that of all of them.
    ``recorded`` and ``now`` are the values as they are shown, or "missing".

    ``kind`` is ``inserted``, ``removed`` or ``moved`` for whole items of lists, and else ``changed``. ``place`` and
    ``recorded_place`` are JSON paths as names and indices; None outside of JSON.
    """

    path: str
    recorded: str
    now: str
    kind: Literal["changed", "inserted", "removed", "moved"] = "changed"
    recorded_path: str = attrs.field(default=attrs.Factory(lambda self: self.path, takes_self=True))
    place: tuple[str | int, ...] | None = attrs.field(default=None, repr=False)
    recorded_place: tuple[str | int, ...] | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        match self.kind:
            case "inserted":
                return f"{self.path}: inserted, now {self.now}"
            case "removed":
                return f"{self.path}: removed, recorded {self.recorded}"
            case "moved":
                return f"{self.path}: moved, recorded at {self.recorded_path}, {self.now}"
            case "changed":
                there = "" if self.path == self.recorded_path else f" (recorded at {self.recorded_path})"
                return f"{self.path}{there}: recorded {self.recorded}, now {self.now}"


def differences(recorded: RecordedRequest, now: RecordedRequest) -> tuple[Difference, ...]:
    """All differences in method, path, query and body. Headers are not compared.

    The order of keys does not matter, nor that of query parameters; 1 and 1.0 are equal, 1 and true are not. Lists are
    aligned: an item that is new between two others is one difference.
    """
    return tuple(_found(recorded, now))


def first_content(found: tuple[Difference, ...]) -> int | None:
    """The index of the first entry of ``contents`` that differs: where two chats part."""
    indices = [
        place[1]
        for each in found
        for place in (each.place, each.recorded_place)
        if place is not None and len(place) > 1 and place[0] == "contents" and isinstance(place[1], int)
    ]
    return min(indices, default=None)


def report(found: tuple[Difference, ...]) -> str:
    """The differences, one a line; the first ones if there are many."""
    lines = [f"  {each}" for each in found[:_LINES]]
    if len(found) > _LINES:
        lines.append(f"  and {len(found) - _LINES} more")
    return "\n".join(lines)


def _found(recorded: RecordedRequest, now: RecordedRequest) -> Iterator[Difference]:
    yield from _outside("method", recorded.method, now.method)
    yield from _outside("path", recorded.path, now.path)
    ours, theirs = by_name(recorded.query), by_name(now.query)
    for name in sorted({*ours, *theirs}):
        yield from _outside(f"query.{name}", ours.get(name, MISSING), theirs.get(name, MISSING))
    yield from _bodies(recorded.body, now.body)


def _outside(path: str, recorded: Any, now: Any) -> Iterator[Difference]:
    """A difference outside of JSON."""
    if canonical(recorded) != canonical(now):
        yield Difference(path, *shown_pair(recorded, now))


def _bodies(recorded: Body | None, now: Body | None) -> Iterator[Difference]:
    if recorded is None or now is None or recorded.kind != now.kind:
        if recorded != now:
            yield Difference("body", _kind(recorded), _kind(now))
    elif recorded.kind == "json":
        yield from _values((), (), recorded.value, now.value)
    else:
        yield from _outside("body", recorded.value, now.value)


def _kind(body: Body | None) -> str:
    return "missing" if body is None else f"{body.kind} {shown(body.value)}"


def _values(was: Place, place: Place, recorded: Any, now: Any) -> Iterator[Difference]:
    """The differences of two JSON values, the recorded one at ``was`` and the other one at ``place``."""
    if is_object(recorded) and is_object(now):
        for name in [*recorded, *(name for name in now if name not in recorded)]:
            yield from _values((*was, name), (*place, name), recorded.get(name, MISSING), now.get(name, MISSING))
    elif is_list(recorded) and is_list(now):
        yield from _lists(was, place, recorded, now)
    elif canonical(recorded) != canonical(now):
        yield Difference(written(place), *shown_pair(recorded, now), "changed", written(was), place, was)


def _lists(was: Place, place: Place, recorded: list[Any], now: list[Any]) -> Iterator[Difference]:
    for i, j in aligned(recorded, now):
        if i is not None and j is not None and canonical(recorded[i]) != canonical(now[j]):
            yield from _values((*was, i), (*place, j), recorded[i], now[j])
            continue
        there = None if i is None else (*was, i)
        here = None if j is None else (*place, j)
        yield Difference(
            written(here or there or ()),
            "missing" if i is None else shown(recorded[i]),
            "missing" if j is None else shown(now[j]),
            "inserted" if i is None else "removed" if j is None else "moved",
            written(there or here or ()),
            here,
            there,
        )
