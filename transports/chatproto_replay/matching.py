"""Strict comparison of a request with the recorded one, and a report that says what changed, by JSON path."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import attrs

from .cassette import is_list, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cassette import Body, Field, RecordedRequest

__all__ = ["Difference", "differences", "first_content", "report"]

_SHOWN = 72  # characters of a value in a report
_BEFORE = 24  # of them, how many before the first difference of two strings
_LINES = 20  # of a report


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


@attrs.frozen
class Difference:
    """One place where a request is not as recorded. ``recorded`` and ``now`` are as they are shown."""

    path: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.recorded}, now {self.now}"


def differences(recorded: RecordedRequest, now: RecordedRequest) -> tuple[Difference, ...]:
    """All differences in method, path, query and body. Headers are not compared.

    The order of keys does not matter, nor that of query parameters; 1 and 1.0 are equal, 1 and true are not.
    """
    found = [*_values("method", recorded.method, now.method), *_values("path", recorded.path, now.path)]
    ours, theirs = _by_name(recorded.query), _by_name(now.query)
    for name in sorted({*ours, *theirs}):
        found += _values(f"query.{name}", ours.get(name, _MISSING), theirs.get(name, _MISSING))
    found += _bodies(recorded.body, now.body)
    return tuple(found)


def first_content(found: tuple[Difference, ...]) -> int | None:
    """The index of the first entry of ``contents`` that differs: where two chats part."""
    prefix = "$.contents["
    indices = [int(each.path[len(prefix) :].partition("]")[0]) for each in found if each.path.startswith(prefix)]
    return min(indices, default=None)


def report(found: tuple[Difference, ...]) -> str:
    """The differences, one a line, the first ones if there are many, and where the chats part."""
    lines = [f"  {each}" for each in found[:_LINES]]
    if len(found) > _LINES:
        lines.append(f"  and {len(found) - _LINES} more")
    content = first_content(found)
    if content is not None:
        lines.append(f"The first content that differs is contents[{content}].")
    return "\n".join(lines)


def _by_name(query: tuple[Field, ...]) -> dict[str, Any]:
    found: dict[str, list[str | None]] = {}
    for name, value in query:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _bodies(recorded: Body | None, now: Body | None) -> Iterator[Difference]:
    if recorded is None or now is None or recorded.kind != now.kind:
        if recorded != now:
            yield Difference("body", _kind(recorded), _kind(now))
        return
    yield from _values("$" if recorded.kind == "json" else "body", recorded.value, now.value)


def _kind(body: Body | None) -> str:
    return "missing" if body is None else f"{body.kind} {_shown(body.value)}"


def _values(path: str, recorded: Any, now: Any) -> Iterator[Difference]:
    if is_object(recorded) and is_object(now):
        for name in [*recorded, *(name for name in now if name not in recorded)]:
            yield from _values(_member(path, name), recorded.get(name, _MISSING), now.get(name, _MISSING))
    elif is_list(recorded) and is_list(now):
        for index, (one, other) in enumerate(zip_longest(recorded, now, fillvalue=_MISSING)):
            yield from _values(f"{path}[{index}]", one, other)
    elif not _equal(recorded, now):
        start = 0
        if isinstance(recorded, str) and isinstance(now, str):
            shorter = min(len(recorded), len(now))
            start = next((index for index in range(shorter) if recorded[index] != now[index]), shorter)
        yield Difference(path, _shown(recorded, start), _shown(now, start))


def _equal(recorded: Any, now: Any) -> bool:
    if isinstance(recorded, bool) or isinstance(now, bool):
        return recorded is now
    return bool(recorded == now)


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name)}]"


def _shown(value: Any, start: int = 0) -> str:
    """A value, cut to a readable length; of a string, the part from ``start`` on and a little before."""
    if value is _MISSING:
        return "missing"
    if isinstance(value, bytes):
        return repr(value[:_SHOWN])
    if isinstance(value, str):
        begin = max(0, start - _BEFORE) if len(value) > _SHOWN else 0
        text = json.dumps(value[begin : begin + _SHOWN], ensure_ascii=False)
        return f"{'...' if begin else ''}{text}{'...' if begin + _SHOWN < len(value) else ''}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
