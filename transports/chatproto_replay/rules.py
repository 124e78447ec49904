r"""What of a request may differ from the recorded one: named rules, each for one place.

::

    match = [
        rules.ignore("$.generationConfig.temperature"),
        rules.replace("$.contents[*].parts[*].text", r"\d{4}-\d\d-\d\d", "DATE"),
        rules.unordered("$.tools[*].functionDeclarations"),
    ]
    Player("chat.json", match=match)

A rule is applied to the recorded request and to the one that is compared with it. ``ignore`` refuses a path that would
hide the newest message of requests of any length, or its text: a request that says something else is another request.
What of a text may differ is said by ``replace``, which hides what its pattern matches; ``.*`` hides all of it.

A path is ``$`` and then steps into the JSON of the body:

=================== ================================================================================================
``.name``           a member of an object; ``["odd name"]`` if it is no plain name
``.*``              each member
``[0]`` ``[-1]``    an item of a list; negative numbers count from its end
``[*]``             each item
``..name``          each member of that name, at any depth; ``..*`` is every member, and ``..[*]`` every item
=================== ================================================================================================

``$`` may be left out before ``..``. Beside the body there are ``method``, ``path``, ``query.NAME``, ``query.*``, and
``body`` for a body that is text and not JSON (``replace`` only).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import ValidationError

from .cassette import Body, RecordedRequest, is_list, is_object
from .matching.canonical import IGNORED, canonical, fingerprint
from .matching.paths import JsonPath, parse, places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .matching.paths import Place

__all__ = ["Ignore", "Replace", "Rule", "Unordered", "checked", "ignore", "normalised", "replace", "unordered"]

_PLAIN = "method, path, query.NAME, query.* or body"


def _located(path: str) -> JsonPath | None:
    """The path into JSON, or None for a plain name. Raises ValidationError."""
    if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"the path of a rule is text, found {type(path).__name__}")
    if path.startswith(("$", "..")):
        return parse(path)
    if path in ("method", "path", "body") or (path.startswith("query.") and path != "query."):
        return None
    raise ValidationError(f"the path {path!r}, at character 0: expected $, .., or one of {_PLAIN}")


@attrs.frozen
class Rule(ABC):
    """What may differ at one path. Make one with ``ignore``, ``replace`` or ``unordered``."""

    path: str
    _json: JsonPath | None = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_json", _located(self.path))
        self._check()

    def __call__(self, request: RecordedRequest) -> RecordedRequest:
        """``request`` as this rule sees it. Two requests that look alike to all rules are equal."""
        body = request.body
        if self._json is not None:
            if body is None or body.kind != "json":
                return request
            return attrs.evolve(request, body=Body("json", self._seen(self._json, body.value)))
        match self.path:
            case "method":
                return attrs.evolve(request, method=self._text(request.method))
            case "path":
                return attrs.evolve(request, path=self._text(request.path))
            case "body":
                if body is None or body.kind != "text":
                    return request
                return attrs.evolve(request, body=Body("text", self._text(body.value)))
            case _:
                return self._query(request, self.path.removeprefix("query."))

    def _seen(self, path: JsonPath, document: Any) -> Any:
        """A JSON document with its places changed."""
        root: Any = [_copied(document)]  # so that the document itself is a place as well
        for place in self._affected(places(path, document), document):
            outer: Any = root
            last: Any = 0
            for key in place:
                outer, last = outer[last], key
            seen = self._value(outer[last])
            if seen is IGNORED and is_object(outer):
                outer.pop(last)
            else:
                outer[last] = seen
        return root[0]

    def _affected(self, found: list[Place], document: Any) -> Iterable[Place]:
        return found

    def _query(self, request: RecordedRequest, name: str) -> RecordedRequest:
        fields = tuple(
            (key, self._text(value) if value is not None and name in ("*", key) else value)
            for key, value in request.query
        )
        return attrs.evolve(request, query=fields)

    @abstractmethod
    def _check(self) -> None:
        """Raise ValidationError for a rule that makes no sense."""

    @abstractmethod
    def _value(self, value: Any) -> Any:
        """What stands for a JSON value; IGNORED for nothing."""

    @abstractmethod
    def _text(self, text: str) -> str:
        """What stands for a text outside of JSON."""


# --- ignore -------------------------------------------------------------------------------------------------------


def ignore(path: str) -> Rule:
    """What is at ``path`` may differ, or be missing. An item of a list may differ, but not be missing.

    Raises ValidationError for a malformed path, for ``body``, and for one that hides what the newest message says, if
    that is one text, however many messages are before it: ``$``, ``$.contents``, ``$.contents[-1]``,
    ``$.contents[*].parts``, ``$.contents[*].parts[*].text``, ``$.contents[-1].parts[0].text``, ``$..text``. A message
    by its number, as in ``$.contents[0]``, may be hidden: in a request that has no other, that hides all it says.
    """
    return Ignore(path)


@attrs.frozen
class Ignore(Rule):
    """``ignore``."""

    def _check(self) -> None:
        if self.path == "body" or _hides_what_is_asked(self):
            raise ValidationError(
                f"{self!r} would hide what is asked, and any recorded answer would fit any question: name the"
                ' part that may differ, as in ignore("$.contents[*].parts[*].functionResponse.response.time"), or what'
                " of it may differ, with replace(path, pattern, by)"
            )

    def _value(self, value: Any) -> Any:
        return IGNORED

    def _text(self, text: str) -> str:
        return "ignored"

    def _query(self, request: RecordedRequest, name: str) -> RecordedRequest:
        return attrs.evolve(request, query=tuple(each for each in request.query if name not in ("*", each[0])))

    def __repr__(self) -> str:
        return f"rules.ignore({_quoted(self.path)})"


def _hides_what_is_asked(rule: Rule) -> bool:
    """Whether the rule takes any newest text for any other one, in requests of any length and of both shapes."""
    return any(
        all(
            fingerprint(rule(_asking(length, "a", counting=counting)))
            == fingerprint(rule(_asking(length, "b", counting=counting)))
            for length in (1, 3, 5)
        )
        for counting in (False, True)
    )


def _asking(length: int, text: str, *, counting: bool) -> RecordedRequest:
    """A request with so many contents, of which ``text`` is the newest; ``counting`` its tokens."""
    contents = [{"role": "model" if number % 2 else "user", "parts": [{"text": "x"}]} for number in range(length)]
    contents[-1]["parts"] = [{"text": text}]
    document: dict[str, Any] = {"contents": contents}
    if counting:
        document = {"generateContentRequest": document}
    return RecordedRequest(method="POST", path="/", body=Body("json", document))


# --- replace ------------------------------------------------------------------------------------------------------


def replace(path: str, pattern: str | re.Pattern[str], by: str) -> Rule:
    """Of the texts at ``path`` and below it, whatever matches ``pattern`` may differ: it is compared as ``by``.

    ``by`` is a template of ``re.sub``. Names of members, numbers and booleans stay as they are. Raises ValidationError
    for a malformed path, pattern or template.
    """
    return Replace(path, pattern, by)


def _compiled(pattern: Any) -> re.Pattern[str]:
    text = getattr(pattern, "pattern", pattern)
    if not isinstance(text, str):
        raise ValidationError(f"the pattern of a rule is text, found {type(text).__name__}")
    try:
        compiled: re.Pattern[str] = re.compile(pattern)
        return compiled
    except re.error as error:
        raise ValidationError(f"the pattern {pattern!r} of a rule: {error}") from None


@attrs.frozen
class Replace(Rule):
    """``replace``."""

    pattern: re.Pattern[str] = attrs.field(converter=_compiled)
    by: str

    def _check(self) -> None:
        if not isinstance(self.by, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"what a rule replaces by is text, found {type(self.by).__name__}")
        try:
            self.pattern.sub(self.by, "")
        except (re.error, IndexError) as error:
            raise ValidationError(f"the replacement {self.by!r} of a rule: {error}") from None

    def _affected(self, found: list[Place], document: Any) -> Iterable[Place]:
        """The texts at and below each place, once."""
        texts: dict[Place, None] = {}
        for place in found:
            value = document
            for key in place:
                value = value[key]
            texts |= dict.fromkeys(_texts(place, value))
        return texts

    def _value(self, value: Any) -> Any:
        return self._text(value)

    def _text(self, text: str) -> str:
        return self.pattern.sub(self.by, text)

    def __repr__(self) -> str:
        pattern = self.pattern.pattern
        raw = f'r"{pattern}"' if pattern.isprintable() and '"' not in pattern and not _odd_end(pattern) else None
        flags = self.pattern.flags & ~re.UNICODE.value
        shown = raw or repr(pattern)
        if flags:
            shown = f"re.compile({shown}, {' | '.join(f're.{each.name}' for each in re.RegexFlag(flags))})"
        return f"rules.replace({_quoted(self.path)}, {shown}, {_quoted(self.by)})"


def _odd_end(pattern: str) -> bool:
    """Whether the quote after it would be escaped."""
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1


def _texts(place: Place, value: Any) -> Iterable[Place]:
    if isinstance(value, str):
        yield place
    elif is_object(value):
        for name, each in value.items():
            yield from _texts((*place, name), each)
    elif is_list(value):
        for index, each in enumerate(value):
            yield from _texts((*place, index), each)


# --- unordered ----------------------------------------------------------------------------------------------------


def unordered(path: str) -> Rule:
    """The items of the list at ``path`` may come in any order; each must be there as often as it was recorded.

    Raises ValidationError for a malformed path.
    """
    return Unordered(path)


@attrs.frozen
class Unordered(Rule):
    """``unordered``."""

    def _check(self) -> None:
        if self._json is None and not self.path.startswith("query."):
            raise ValidationError(f"{self!r}: {self.path} is no list")

    def _value(self, value: Any) -> Any:
        return sorted(value, key=canonical) if is_list(value) else value

    def _text(self, text: str) -> str:
        return text

    def _query(self, request: RecordedRequest, name: str) -> RecordedRequest:
        order = {key: index for index, (key, _) in reversed(list(enumerate(request.query)))}

        def place(field: tuple[str, str | None]) -> tuple[int, str]:
            return order[field[0]], canonical(field[1]) if name in ("*", field[0]) else ""

        return attrs.evolve(request, query=tuple(sorted(request.query, key=place)))

    def __repr__(self) -> str:
        return f"rules.unordered({_quoted(self.path)})"


# --- together -----------------------------------------------------------------------------------------------------


def checked(match: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that a caller gave. Raises ValidationError where one is none."""
    if isinstance(match, Rule | str):
        raise ValidationError(f"match is a list of rules, found {match!r}")
    found = tuple(match)
    for index, rule in enumerate(found):
        if not isinstance(rule, Rule):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(
                f"expected a rule (rules.ignore, rules.replace or rules.unordered), found {rule!r}",
                path=f"$.match[{index}]",
            )
    return found


def normalised(request: RecordedRequest, match: Iterable[Rule]) -> RecordedRequest:
    """``request`` as all rules see it, one after the other."""
    for rule in match:
        request = rule(request)
    return request


def _copied(value: Any) -> Any:
    """The objects and lists anew; what is in them is never changed."""
    if is_object(value):
        return {name: _copied(each) for name, each in value.items()}
    if is_list(value):
        return [_copied(each) for each in value]
    return value


def _quoted(text: str) -> str:
    """As Python, in double quotes where possible; JSON paths hold double quotes only around odd names."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)
