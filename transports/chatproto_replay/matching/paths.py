"""The paths of rules: reading them, and finding the places in JSON that they name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import ValidationError

from ..cassette import is_list, is_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["JsonPath", "Place", "Step", "parse", "places", "quoted", "written"]

#: Where a value is: the names and indices that lead to it.
Place = tuple[str | int, ...]


@attrs.frozen
class Step:
    """One step of a path. ``key`` is a name, an index, or None for every member (``names``) or every item.

    ``anywhere`` takes it from each value below as well.
    """

    key: str | int | None
    names: bool
    anywhere: bool = False


@attrs.frozen
class JsonPath:
    """The steps from the body on."""

    steps: tuple[Step, ...]


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[^\W\d][\w$-]*")
_INDEX = re.compile(r"-?(?:0|[1-9][0-9]{0,8})", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def parse(text: str) -> JsonPath:
    """Read a path that begins with ``$`` or ``..``. Raises ValidationError, which says at which character."""
    return JsonPath(tuple(_Reader(text).steps()))


def written(place: Place) -> str:
    """The path that leads to one place: what ``parse`` reads."""
    return "$" + "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" if _PLAIN.fullmatch(key) else f"[{quoted(key)}]"
        for key in place
    )


def quoted(text: str) -> str:
    """Text as JSON, readable where it can be printed."""
    shown = json.dumps(text, ensure_ascii=False)
    return shown if shown.isprintable() else json.dumps(text)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("$") else 0

    def steps(self) -> Iterator[Step]:
        while self._at < len(self._text):
            if self._take(".."):
                inner = self._bracket() if self._take("[") else self._member()
                yield attrs.evolve(inner, anywhere=True)
            elif self._take("."):
                yield self._member()
            elif self._take("["):
                yield self._bracket()
            else:
                raise self._error('expected ".", ".." or "["')

    def _member(self) -> Step:
        if self._take("*"):
            return Step(None, names=True)
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self._error('expected a name or *; a name with other characters is written ["so"]')
        self._at = found.end()
        return Step(found[0], names=True)

    def _bracket(self) -> Step:
        step = Step(None, names=False)
        if not self._take("*"):
            step = self._key()
        if not self._take("]"):
            raise self._error('expected "]"')
        return step

    def _key(self) -> Step:
        if found := _INDEX.match(self._text, self._at):
            self._at = found.end()
            return Step(int(found[0]), names=False)
        if found := _QUOTED.match(self._text, self._at):
            try:
                name: str = json.loads(found[0])
            except ValueError:
                raise self._error("expected a name quoted as in JSON") from None
            self._at = found.end()
            return Step(name, names=True)
        raise self._error("expected an index, * or a name in double quotes")

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _error(self, problem: str) -> ValidationError:
        rest = self._text[self._at :]
        found = f"found {rest[:20]!r}" if rest else "found its end"
        return ValidationError(f"the path {self._text!r}, at character {self._at}: {problem}, {found}")


def places(path: JsonPath, value: Any) -> list[Place]:
    """Where in ``value`` the path leads, each place once, the deepest first."""
    found: list[tuple[Place, Any]] = [((), value)]
    for step in path.steps:
        found = [each for place, inner in found for each in _follow(step, place, inner)]
    return sorted(dict.fromkeys(place for place, _ in found), key=len, reverse=True)


def _follow(step: Step, place: Place, value: Any) -> Iterator[tuple[Place, Any]]:
    outer = _below(place, value) if step.anywhere else ((place, value),)
    for where, inner in outer:
        for key, each in _children(inner, names=step.names):
            wanted = step.key
            if isinstance(wanted, int) and wanted < 0:
                wanted += len(inner)
            if wanted is None or wanted == key:
                yield (*where, key), each


def _below(place: Place, value: Any) -> Iterator[tuple[Place, Any]]:
    """``value`` and all values in it."""
    yield place, value
    for key, each in (*_children(value, names=True), *_children(value, names=False)):
        yield from _below((*place, key), each)


def _children(value: Any, *, names: bool) -> Iterable[tuple[str | int, Any]]:
    if names and is_object(value):
        return value.items()
    if not names and is_list(value):
        return enumerate(value)
    return ()
