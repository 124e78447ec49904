"""A cassette on a screen, as a chat that people read: who said what, how long it took, and how it ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatproto.chatting import sentence, token_counts
from chatproto.errors import ChatProtoError, ValidationError
from chatproto.screen import described, size
from chatproto.types import Content

from ..cassette import is_list, is_object
from ..matching.excerpts import counted
from .answers import Answer, kind_of, read_documents
from .chaining import chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatproto.screen import Screen
    from chatproto.types import Part

    from ..cassette import Cassette, Exchange, RecordedRequest
    from .chaining import Link

__all__ = ["Showing"]

_INDENT = "   "
_LONG = 2000  # characters of a text that are shown, unless all are wanted
_WIDE = 160  # characters of JSON, of a description, or of another thing that has one line
_MANY = 40  # lines of a text


class Showing:
    """Shows a cassette on ``screen``. ``full`` cuts nothing, and repeats what a request says again."""

    def __init__(self, cassette: Cassette, screen: Screen, *, full: bool = False) -> None:
        self._cassette = cassette
        self._screen = screen
        self._full = full
        self._links = chain(cassette.exchanges)

    def all(self, name: str) -> None:
        """The whole cassette; ``name`` is what it is called."""
        cassette, count = self._cassette, len(self._cassette.exchanges)
        head = f"{name}: {counted(count, 'exchange')}"
        if cassette.by:
            head += f", recorded by {cassette.by}" + (f" with {cassette.transport}" if cassette.transport else "")
        self._screen.line(head, "bold")
        for number in range(1, count + 1):
            self._screen.line("")
            self.exchange(number)

    def exchange(self, number: int) -> None:
        """One exchange. They count from 1."""
        exchange, link = self._cassette.exchanges[number - 1], self._links[number - 1]
        self._screen.line(f"{number}  {_address(exchange.request)}{_standing(link)}", "bold")
        self._request(exchange.request, link)
        if link.answer is not None and link.answer.content is not None:
            self._content(link.answer.content, "model")
        self._response(exchange, link.answer)

    # --- the request ---

    def _request(self, request: RecordedRequest, link: Link) -> None:
        before = None if link.follows is None else self._cassette.exchanges[link.follows].request
        for name, now in _settings(request, full=self._full).items():
            was = "" if before is None else _settings(before, full=self._full)[name]
            if now != was or (now and self._full):
                self._beside(f"{name}: {self._cut(now, _WIDE) or 'none any more'}")
        for content in link.said if self._full else link.said[link.shared :]:
            self._content(content, "user")
        body = request.body
        if not link.said and body is not None:
            sent = _json(body.value) if body.kind == "json" else size(len(_bytes(body.value)))
            self._beside(f"sends {self._cut(sent, _WIDE)}")

    def _content(self, document: Any, role: str) -> None:
        """One message: a line for each of its parts, but for texts that go on."""
        try:
            content = Content.model_validate(document)
        except ValidationError as error:
            self._says(role, "", f"[no content: {error}] {self._cut(_json(document), _WIDE)}", "red")
            return
        parts, role = content.parts or [], content.role or role
        if parts and all(part.function_response is not None for part in parts):
            role = "tool"
        shown = False
        for texts, thought, rest in _runs(parts):
            how = ", thinking" if thought else ""
            if texts:
                self._says(role, how, self._cut_text("".join(texts)), "dim" if thought else "")
            for each in rest:
                self._says(role, how, f"[{self._cut(each, _WIDE)}]", "dim")
            shown = shown or bool(texts or rest)
        if self._full:
            for part in parts:
                if part.thought_signature is not None:
                    self._says(role, "", f"[thought signature, {size(len(part.thought_signature))}]", "dim")
        if not shown:
            self._says(role, "", "[nothing]", "dim")

    def _says(self, role: str, how: str, text: str, style: str) -> None:
        self._screen.text(f"{role}{how}: ", "bold")
        self._screen.line(text.rstrip("\n"), style)

    # --- the response ---

    def _response(self, exchange: Exchange, answer: Answer | None) -> None:
        response = exchange.response
        if response is not None:
            facts = [str(response.status), _times(exchange)]
            if answer is not None:
                facts += [token_counts(answer.usage), answer.finish_reason]
            elif response.status == 200:
                facts += self._other(exchange)
            facts += [] if response.end == "complete" else [f"ended: {response.end}"]
            self._beside(" · ".join(filter(None, facts)))
        error = answer.error if answer is not None else read_documents(exchange).error
        error = error or (exchange.error() if response is None else None)
        if error is not None:
            self._beside(f"failed: {_failure(exchange, error)}", "red")
        elif answer is not None and not answer.whole:
            self._beside(f"{answer.outcome}: {answer.reason}", "red")

    def _other(self, exchange: Exchange) -> Iterator[str]:
        """What came back that is no model's answer."""
        kind = kind_of(exchange.request)
        if kind == "bytes":
            return
        for document in read_documents(exchange).documents:
            total = document.get("totalTokens")
            if kind == "count" and total is not None:
                yield f"{total} tokens"
            elif document:
                yield self._cut(_json(document), _WIDE)

    def _beside(self, text: str, style: str = "dim") -> None:
        self._screen.line(f"{_INDENT}{text}", style)

    # --- length ---

    def _cut(self, text: str, most: int) -> str:
        if self._full or len(text) <= most:
            return text
        return f"{text[:most].rstrip()}… ({len(text) - most} more characters)"

    def _cut_text(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        shorter = "".join(lines[:_MANY])[:_LONG]
        if self._full or len(shorter) == len(text):
            return text
        return f"{shorter.rstrip()}… ({len(text) - len(shorter)} more characters)"


def _address(request: RecordedRequest) -> str:
    query = "&".join(f"{name}={'...' if value is None else value}" for name, value in request.query)
    return f"{request.method} {request.path}{f'?{query}' if query else ''}"


def _standing(link: Link) -> str:
    """How an exchange stands to one before it."""
    if link.follows is None:
        return ""
    if link.again:
        return f" · {link.follows + 1} again"
    return f" · follows {link.follows + 1}"


def _settings(request: RecordedRequest, *, full: bool) -> dict[str, str]:
    """The lines about how a model is asked, by their names; "" for what is not set."""
    body = request.body.value if request.body is not None and is_object(request.body.value) else {}
    if kind_of(request) == "other":
        body = {}
    config = dict(body.get("generationConfig") or {}) if is_object(body.get("generationConfig")) else {}
    known = ("contents", "generationConfig", "systemInstruction", "tools")
    config |= {name: held for name, held in body.items() if name not in known}
    system = body.get("systemInstruction")
    parts = system.get("parts") if is_object(system) else None
    texts = [part.get("text") for part in parts if is_object(part)] if is_list(parts) else [None]
    told = " ".join(text for text in texts if isinstance(text, str)) if any(texts) else _json(system)
    return {
        "system": "" if system is None else " ".join(told.split()),
        "config": ", ".join(f"{name}={_json(held)}" for name, held in config.items()),
        "tools": ", ".join(_tools(body.get("tools"), full=full)),
    }


def _tools(tools: Any, *, full: bool) -> Iterator[str]:
    for tool in tools if is_list(tools) else ():
        if not is_object(tool):
            yield _json(tool)
            continue
        for name, held in tool.items():
            if name == "functionDeclarations" and is_list(held):
                yield from (_declaration(each, full=full) for each in held)
            else:
                yield f"{name} {_json(held)}" if held else name


def _declaration(declared: Any, *, full: bool) -> str:
    """A function as people write it: ``get_weather(city, unit?)``."""
    if not is_object(declared):
        return _json(declared)
    schema = declared.get("parameters") or declared.get("parametersJsonSchema")
    schema = schema if is_object(schema) else {}
    required, names = schema.get("required"), schema.get("properties")
    wanted: list[Any] = required if is_list(required) else []
    listed = [name if name in wanted else f"{name}?" for name in names] if is_object(names) else []
    described_as = f": {declared['description']}" if full and declared.get("description") else ""
    return f"{declared.get('name')}({', '.join(listed)}){described_as}"


def _runs(parts: list[Part]) -> Iterator[tuple[list[str], bool, list[str]]]:
    """Texts that go on over several parts, or else what is no text; and whether they are thoughts."""
    texts: list[str] = []
    thinking = False
    for part in parts:
        rest = list(_other_than_text(part))
        thought = bool(part.thought)
        if texts and (rest or (part.text and thought != thinking)):
            yield texts, thinking, []
            texts = []
        if rest:
            yield [], thought, rest
        if part.text:
            texts.append(part.text)
            thinking = thought
    if texts:
        yield texts, thinking, []


def _other_than_text(part: Part) -> Iterator[str]:
    words = described(part)
    if words is not None:
        yield words
    elif part.text is None:
        held = {name: item for name, item in part.set_fields() if name not in ("thought", "thought_signature")}
        if held or part.extra:
            names = ("thought", "thoughtSignature", "thought_signature")
            dumped = part.model_dump(mode="json", by_alias=True, exclude_none=True)
            yield _json({name: item for name, item in dumped.items() if name not in names})


def _times(exchange: Exchange) -> str:
    response = exchange.response
    chunks = response.chunks if response is not None else ()
    if not chunks or response is None:
        return "no body"
    whole = sum(chunk.delay for chunk in chunks)
    length = size(len(response.content))
    if len(chunks) == 1:
        return f"{_time(whole)}, 1 chunk, {length}"
    return f"first byte {_time(chunks[0].delay)}, all {_time(whole)}, {len(chunks)} chunks, {length}"


def _time(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _failure(exchange: Exchange, error: ChatProtoError) -> str:
    failure = exchange.failure
    if failure is None:
        return sentence(error)
    return f"{failure.kind.replace('_', ' ')}: {sentence(error)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
