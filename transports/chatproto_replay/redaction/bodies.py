r"""``redact=``: rules for what a recording writes otherwise than it was sent or came.

::

    Recorder("requests", "chat.json", redact=[Redaction(r"[\w.]+@[\w.]+", by="someone@example.com")])
    Player("chat.json", redact=[...the same...])

The program that records gets and sends the true bytes. A player is given the same rules: its requests go through them
before they are compared, because a program that plays sends the true text, too, and in its later turns what it was
answered: the replacements.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import attrs

from chatproto.errors import ValidationError

from ..cassette import Body, Chunk, Exchange, is_list, is_object
from .literals import Literal, Spelled, encoded, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chatproto.wire.http import Headers

    from ..cassette import Failure, RecordedRequest, RecordedResponse

__all__ = ["Redaction", "checked", "redacted", "redacted_failure", "redacted_request", "redacted_response"]

_BLOB = 1000  # characters of base64, which a pattern can only meet by chance, or not at all and in a very long time
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*+=*+")

#: A part of a text, and what stands there instead: start, end, replacement.
Span = tuple[int, int, str]


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    if isinstance(pattern, re.Pattern):
        if not isinstance(pattern.pattern, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError("a redaction's pattern is text, not bytes")
        return pattern
    if not isinstance(pattern, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"a redaction's pattern is text, found {type(pattern).__name__}")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValidationError(f"{pattern!r} is no regular expression: {error}") from None


@attrs.frozen
class Redaction:
    r"""Replaces every match of ``pattern`` in a text by ``by``, which may name groups as in ``re.sub``: ``r"\1"``.

    Texts are the strings of JSON, each by itself and without its escapes, and of a body that is no JSON the whole. So a
    pattern sees no quotes, brackets or numbers of JSON, and ``^`` is the beginning of a string. Keys are texts as well,
    but for the names of the API's own fields; two keys of an object that would become one are numbered. What is changed
    is written as sound JSON, and no other byte is.

    It goes over the bodies of requests and responses, the path and query of a request, and the words of a failure. It
    does not see a text that is split over two events of a stream, or over two of its strings: those are two texts. Nor
    does it look into blobs: strings of base64 of a thousand characters or more, and bodies that are no text (bytes that
    are not UTF-8, unless their content type says text or JSON). Shorter base64 is a text like others, and a pattern
    that meets it by chance changes it: say precisely what is to go.

    ``pattern`` should not match ``by``, because a chat sends what it was answered: redacted twice, a text must be as
    redacted once. Raises ValidationError where it plainly is not, and for a pattern that is none.
    """

    pattern: re.Pattern[str] = attrs.field(converter=_compiled)
    by: str = "REDACTED"

    def __attrs_post_init__(self) -> None:
        _check_text(self.by)
        try:
            self.pattern.sub(self.by, "")
        except (re.error, IndexError) as error:
            raise ValidationError(f"by={self.by!r} does not go with {self.pattern.pattern!r}: {error}") from None
        again = _joined(self.by, self.replaced(self.by))
        if "\\" not in self.by and again != self.by:
            raise ValidationError(
                f"{self.pattern.pattern!r} matches its own replacement {self.by!r}, and would replace it by {again!r}"
                " when the chat sends it again; choose another, or a pattern that leaves it alone"
            )

    @staticmethod
    def key(name: str, by: str = "REDACTED") -> Redaction:
        """Replaces all strings under the JSON key ``name``, at any depth and as a whole, by ``by`` as it is.

        They are its value, or in the lists and objects that are its value. Numbers stay. A body that is no JSON stays
        as it is, and so does JSON within a string, such as the text of a structured answer.
        """
        return _OfKey(re.compile("(?!)"), by, name)

    def replaced(self, text: str, keys: tuple[str, ...] = ()) -> Iterator[Span]:
        """What changes in a text that stands under these keys."""
        if len(text) >= _BLOB and _BASE64.fullmatch(text):
            return
        for match in self.pattern.finditer(text):
            if match.end() > match.start():
                yield match.start(), match.end(), match.expand(self.by) if "\\" in self.by else self.by


@attrs.frozen
class _OfKey(Redaction):
    """``Redaction.key``. Its pattern matches nothing."""

    name: str = ""

    def __attrs_post_init__(self) -> None:
        _check_text(self.by)
        _check_text(self.name, "key")

    def replaced(self, text: str, keys: tuple[str, ...] = ()) -> Iterator[Span]:
        if self.name in keys:
            yield 0, len(text), self.by

    def __repr__(self) -> str:
        return f"Redaction.key({self.name!r}, by={self.by!r})"


def _check_text(by: str, what: str = "replacement") -> None:
    if not isinstance(by, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"a redaction's {what} is text, found {type(by).__name__}")
    try:
        by.encode()
    except UnicodeEncodeError:
        raise ValidationError(f"a redaction's {what} is text that UTF-8 can hold, found {by!r}") from None


def checked(rules: Iterable[Redaction]) -> tuple[Redaction, ...]:
    """The rules, as a tuple. Raises ValidationError for what is none."""
    if isinstance(rules, Redaction | str):
        raise ValidationError(f"redact is a list of rules, found {rules!r}")
    found: tuple[Any, ...] = tuple(rules)
    for index, rule in enumerate(found):
        if not isinstance(rule, Redaction):
            raise ValidationError(f"expected a Redaction, found {type(rule).__name__}", path=f"$.redact[{index}]")
    return found


def redacted(exchange: Exchange, rules: Sequence[Redaction]) -> Exchange:
    """``exchange`` as the rules have it written. One rule goes over it after the other."""
    return Exchange(
        request=redacted_request(exchange.request, rules),
        response=redacted_response(exchange.response, rules),
        failure=redacted_failure(exchange.failure, rules),
    )


def redacted_response(response: RecordedResponse | None, rules: Sequence[Redaction]) -> RecordedResponse | None:
    """``response`` as the rules have it written.

    Its chunks are cut where they were, but where that is within a replacement: that is in one chunk, the one in which
    the replaced text began. A chunk of which nothing is left is dropped; its time counts for the next.
    """
    if response is None or not rules:
        return response
    chunks = response.chunks
    content_type = _content_type(response.headers)
    for rule in rules:
        chunks = _chunks(chunks, rule, content_type)
    return attrs.evolve(response, headers=_headers(response.headers, rules), chunks=chunks)


def redacted_failure(failure: Failure | None, rules: Sequence[Redaction]) -> Failure | None:
    """``failure`` with its words as the rules have them written."""
    return attrs.evolve(failure, message=_text(failure.message, rules)) if failure is not None else None


def redacted_request(request: RecordedRequest, rules: Sequence[Redaction]) -> RecordedRequest:
    """``request`` as the rules have it written: what a recorder writes, and a player compares."""
    if not rules:
        return request
    body = request.body
    for rule in rules:
        body = _body(body, rule, _content_type(request.headers)) if body is not None else None
    return attrs.evolve(
        request,
        path=_path(request.path, rules),
        query=tuple((name, value if value is None else _text(value, rules)) for name, value in request.query),
        headers=_headers(request.headers, rules),
        body=body,
    )


# --- texts, one by one ----------------------------------------------------------------------------------------------


def _text(text: str, rules: Iterable[Redaction]) -> str:
    for rule in rules:
        text = _joined(text, rule.replaced(text))
    return text


def _joined(text: str, spans: Iterable[Span]) -> str:
    pieces: list[str] = []
    last = 0
    for start, end, by in spans:
        pieces += (text[last:start], by)
        last = end
    return "".join((*pieces, text[last:])) if last or pieces else text


def _path(path: str, rules: Iterable[Redaction]) -> str:
    """A path with its percent signs undone where a rule applies, and only there."""
    plain = unquote(path[1:])
    changed = _text(plain, rules)
    return path if changed == plain else "/" + quote(changed, safe="/:@!$&'()*+,;=~")


def _headers(headers: Headers, rules: Iterable[Redaction]) -> Headers:
    """Of the headers that are recorded, only the URL of an upload holds what the program chose."""
    return tuple(
        (name, _upload_path(value, rules) if name == "x-goog-upload-url" else value) for name, value in headers
    )


def _upload_path(url: str, rules: Iterable[Redaction]) -> str:
    path, mark, query = url.partition("?")  # the query has been emptied already
    return _path(path, rules) + mark + query


def _content_type(headers: Headers) -> str:
    return next((value.lower() for name, value in headers if name == "content-type"), "")


# --- bodies ---------------------------------------------------------------------------------------------------------


def _body(body: Body, rule: Redaction, content_type: str) -> Body:
    match body.kind:
        case "json":
            return Body("json", _value(body.value, rule, ()))
        case "text":
            return Body("text", _joined(body.value, _spans(body.value, rule, content_type)))
        case "b64":
            changed = b"".join(chunk.data for chunk in _chunks((Chunk(0, body.value),), rule, content_type))
            return Body("b64", changed)


def _value(value: Any, rule: Redaction, keys: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _joined(value, rule.replaced(value, keys))
    if is_list(value):
        return [_value(each, rule, keys) for each in value]
    if is_object(value):
        names = _Names(rule)
        return {names.after(name): _value(each, rule, (*keys, name)) for name, each in value.items()}
    return value


class _Names:
    """The keys of one object after a rule. Two that would become one are numbered."""

    def __init__(self, rule: Redaction) -> None:
        self._rule = rule
        self._taken: dict[str, str] = {}

    def after(self, name: str) -> str:
        """What becomes of a key."""
        wanted = _renamed(name, self._rule)
        free, number = wanted, 1
        while self._taken.setdefault(free, name) != name:
            number += 1
            free = f"{wanted} {number}"
        return free


def _renamed(name: str, rule: Redaction) -> str:
    """What a rule makes of a key by itself."""
    wanted = _joined(name, rule.replaced(name))
    return name if wanted != name and name in _api_names() else wanted


@cache
def _api_names() -> frozenset[str]:
    """The names of all fields of the API, as they are in JSON; asked for when a pattern has met a key."""
    from chatproto import types

    classes = (getattr(types, name) for name in types.__all__)
    attributes = [each for cls in classes if isinstance(cls, type) and attrs.has(cls) for each in attrs.fields(cls)]
    names = {name for each in attributes for name in (each.name, each.metadata.get("wire"), _camel(each.name)) if name}
    return frozenset(names | {"@type", "code", "details", "domain", "error", "message", "nextPageToken", "reason"})


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _spans(body: str, rule: Redaction, content_type: str) -> list[Span]:
    """What changes in a body that is text, from its beginning to its end."""
    return sorted(_changes(body, rule, content_type))


def _changes(body: str, rule: Redaction, content_type: str) -> Iterator[Span]:
    found = list(texts(body, events="event-stream" in content_type))
    keys = {body[each.start : each.end] for each in found if isinstance(each, Literal) and each.is_key}
    # Most rules change no key. Then none can become another.
    renames = any(_renamed(name, rule) != name for name in (Spelled(key).text for key in keys))
    names: dict[int, _Names] = {}
    for each in found:
        raw = body[each.start : each.end]
        if not isinstance(each, Literal):
            yield from ((each.start + start, each.start + end, by) for start, end, by in rule.replaced(raw))
        elif not each.is_key:
            said = Spelled(raw)
            for start, end, by in rule.replaced(said.text, each.keys):
                yield each.start + said.place(start), each.start + said.place(end), encoded(by)
        elif renames:
            said = Spelled(raw)
            if each.owner not in names:
                names[each.owner] = _Names(rule)
            name = names[each.owner].after(said.text)
            if name != said.text:
                yield each.start, each.end, encoded(name)


_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CUT = re.compile("^[\udc80-\udcbf]{1,3}|[\udc80-\udcff]{1,3}$")


def _decoded(content: bytes, content_type: str) -> str | None:
    """A body as text, with surrogates for bytes that are not UTF-8; None for one that is no text."""
    text = content.decode("utf-8", "surrogateescape")
    if text.isascii() or not _NOT_UTF8.search(text):
        return text
    if content_type.startswith("text/") or "json" in content_type or "xml" in content_type:
        return text
    return None if _NOT_UTF8.search(_CUT.sub("", text)) else text  # a character may be cut at either end


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _chunks(chunks: Sequence[Chunk], rule: Redaction, content_type: str) -> tuple[Chunk, ...]:
    """The chunks after a rule."""
    content = b"".join(chunk.data for chunk in chunks)
    text = _decoded(content, content_type)
    spans = _spans(text, rule, content_type) if text is not None else []
    if text is None or not spans:
        return tuple(chunks)
    # From characters to bytes: of each piece of the text, how long it was and what is there now.
    pieces: list[tuple[int, bytes, bool]] = []
    last = 0
    for start, end, by in spans:
        before = _encode(text[last:start])
        pieces += ((len(before), before, False), (len(_encode(text[start:end])), _encode(by), True))
        last = end
    rest = _encode(text[last:])
    pieces.append((len(rest), rest, False))
    return _cut(b"".join(new for _, new, _ in pieces), _moved(_ends(chunks), pieces), [each.delay for each in chunks])


def _ends(chunks: Iterable[Chunk]) -> Iterator[int]:
    end = 0
    for chunk in chunks:
        end += len(chunk.data)
        yield end


def _moved(ends: Iterable[int], pieces: Iterable[tuple[int, bytes, bool]]) -> Iterator[int]:
    """Where the ends of chunks are after the pieces have changed."""
    waiting = iter(pieces)
    old = new = 0
    length, data, replaced = next(waiting)
    for end in ends:
        while end > old + length:
            old, new = old + length, new + len(data)
            length, data, replaced = next(waiting)
        within = end - old
        yield new + (len(data) if replaced and within else within)


def _cut(content: bytes, ends: Iterable[int], delays: Iterable[int]) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    start = waited = 0
    for end, delay in zip(ends, delays, strict=True):
        waited += delay
        if end > start:
            chunks.append(Chunk(waited, content[start:end]))
            start, waited = end, 0
    if waited and chunks:
        chunks[-1] = Chunk(chunks[-1].delay + waited, chunks[-1].data)  # there is no next
    return tuple(chunks)
