"""One chat in google-genai 3.4.0 and in chatproto with ``compat="google-genai"``: plays ``test_reference_*.py``.

A table says what a server answers, and what the histories and the requests are then. They are written short: ``U(q)
M(A, B)`` is what the user said in one part and the model in two, ``?`` a role that is missing. Of a part there is its
text (``''`` if that is empty), ``call add a=1``, ``made add result=2``, or the names of its fields, and ``{}`` for one
without any; ``[]`` is a content without parts, and ``None`` one that does not even have an empty list.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Self

import attrs
from differential.answers import Answer, fixed_stream, fixed_unary
from differential.compare import canonical, difference
from differential.libraries import Ours, Reference
from differential.play import dump, dump_response
from differential.server import Line, ScriptServer

__all__ = [
    "MODES",
    "Played",
    "Send",
    "Stage",
    "Talk",
    "answered",
    "body_of",
    "call",
    "events",
    "failure",
    "says",
    "short",
    "to_contents",
]

Json = dict[str, Any]
MODES = ("sync", "async")


# --- what the server says -----------------------------------------------------------------------------------------


def says(*parts: str | Json, end: str | None = None, role: str | None = "model", **candidate: Any) -> Json:
    """A response with one candidate, which says ``parts``: a chunk, if it has no ``end``."""
    content: Json = {"parts": [{"text": each} if isinstance(each, str) else each for each in parts]}
    if role is not None:
        content["role"] = role
    return {"candidates": [{"content": content, **({} if end is None else {"finishReason": end}), **candidate}]}


def call(name: str, args: Json | None, **others: Any) -> Json:
    """A part that calls a function."""
    return {"functionCall": {"name": name, **({} if args is None else {"args": args}), **others}}


def answered(*documents: Json) -> list[Answer]:
    """Answers that are not streamed, one a document."""
    return [fixed_unary(document) for document in documents]


def events(*documents: Json, ending: Any = "whole") -> Answer:
    """One streamed answer; ``ending="cut"`` breaks the connection off after the last event."""
    return attrs.evolve(fixed_stream(list(documents)), ending=ending)


def failure(status: int = 503) -> Answer:
    """An answer with a status that is none of success."""
    error = {"error": {"code": status, "message": "scripted", "status": "SCRIPTED"}}
    return Answer(kind="status", status=status, pieces=(json.dumps(error).encode(),))


# --- in short -----------------------------------------------------------------------------------------------------


def short(contents: Sequence[Json]) -> str:
    """Contents, as JSON with canonical keys, in the notation of the tables."""
    return " ".join(map(_content, contents))


def _content(content: Json) -> str:
    role = {"user": "U", "model": "M", None: "?"}.get(content.get("role"), content.get("role"))
    parts = content.get("parts")
    said = str(parts) if not parts else ", ".join(map(_part, parts))
    return f"{role}({said})"


def _part(part: Json) -> str:
    names = list(part)
    match part:
        case {"function_call": called}:
            names[names.index("function_call")] = f"call {called.get('name')}{_named(called.get('args'))}"
        case {"function_response": made}:
            names[names.index("function_response")] = f"made {made.get('name')}{_named(made.get('response'))}"
        case {"text": text}:
            names[names.index("text")] = text or "''"
    return "+".join(names) or "{}"


def _named(args: Json | None) -> str:
    return " (no args)" if args is None else "".join(f" {name}={held!r}" for name, held in args.items())


def to_contents(notation: str, types: Any) -> list[Any]:
    """Contents of a library from the notation of the tables, as far as they say text or nothing."""
    made = []
    for role, said in re.findall(r"(\S+)\((.*?)\)", notation):
        parts: Any = None if said == "None" else []
        if said not in ("None", "[]"):
            parts = [types.Part() if each == "{}" else types.Part(text=each.strip("'")) for each in said.split(", ")]
        made.append(types.Content(role={"U": "user", "M": "model", "?": None}.get(role, role), parts=parts))
    return made


def body_of(request: Json) -> Json:
    """The body of a request with the API's keys in one spelling."""
    made: Json = canonical(request["body"])
    return made


# --- the chats ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Send:
    """One message. ``message`` and ``config`` may be functions of the library's ``types``."""

    message: Any = "q"
    config: Any = None
    streamed: bool = False
    #: How many chunks the program takes before it leaves.
    leave_after: int | None = None


class Talk:
    """A chat in one library, on a line of its own. Sync or async, it is used in the same way."""

    def __init__(self, runner: asyncio.Runner, library: Any, mode: str, line: Line) -> None:
        self.library = library
        self.types = library.types
        self.mode = mode
        self.line = line
        self._runner = runner
        client = library.client(line, mode)
        self.client: Any = client.aio if mode == "async" else client
        self.chat: Any = None

    def made(self, given: Any) -> Any:
        """What a row says, in the library's own values."""
        return given(self.types) if inspect.isfunction(given) else given

    def create(self, config: Any = None, history: Any = None) -> Self:
        """Make the chat."""
        with self.library.around():
            self.chat = self.client.chats.create(model="m", config=self.made(config), history=self.made(history))
        return self

    def wait(self, result: Any) -> Any:
        """The result of a call: of a coroutine, when it has run."""
        with self.library.around():
            return self._runner.run(result) if inspect.iscoroutine(result) else result

    def send(self, message: Any = "q", config: Any = None) -> Any:
        """Send, and wait for the answer."""
        with self.library.around():
            return self.wait(self.chat.send_message(self.made(message), self.made(config)))

    def stream(self, message: Any = "q", config: Any = None) -> Generator[Any]:
        """Send, and give the chunks one by one. Closing it closes the stream."""
        with self.library.around():
            chunks = self.wait(self.chat.send_message_stream(self.made(message), self.made(config)))
        return self.each(chunks)

    def each(self, chunks: Any) -> Generator[Any]:
        """The items of an iterator, async or not."""
        try:
            while True:
                with self.library.around():
                    try:
                        chunk = self._runner.run(_next(chunks)) if self.mode == "async" else next(chunks)
                    except (StopIteration, StopAsyncIteration):
                        return
                self.line.seen += 1
                yield chunk
        finally:
            self.wait(chunks.aclose() if self.mode == "async" else chunks.close())

    def history(self, *, curated: bool = False) -> list[Json]:
        """A history, as JSON with canonical keys."""
        made: list[Json] = canonical(list(map(dump, self.chat.get_history(curated))))
        return made

    @property
    def comprehensive(self) -> str:
        """That history in short."""
        return short(self.history())

    @property
    def curated(self) -> str:
        """That history in short."""
        return short(self.history(curated=True))

    @property
    def requests(self) -> list[str]:
        """What was sent, in short."""
        return [short(body_of(each)["contents"]) for each in self.line.requests]

    def failed(self, action: Callable[[], Any]) -> Json | None:
        """What kind of error an action raises, if any. Where the reference crashes, it is what was raised."""
        try:
            action()
        except Exception as error:  # noqa: BLE001  # all of them are compared
            made: Json = self.library.family(error, asked=bool(self.line.requests))
            return {"family": f"{type(error).__name__}: {error}"} if made["family"] == "crash" else made
        return None


async def _next(chunks: Any) -> Any:
    return await anext(chunks)


@attrs.define(kw_only=True)
class Played:
    """What some messages came to."""

    comprehensive: str
    curated: str
    #: The contents of each request.
    requests: list[str]
    #: The texts of the responses, or of the chunks.
    texts: list[str | None]
    #: The family of each message's error.
    errors: list[str | None]
    #: The functions that were called, with what.
    calls: list[Any]
    #: All that can be compared.
    whole: Json = attrs.field(repr=False)


class Stage:
    """A server, and both libraries."""

    def __init__(self) -> None:
        self._server = ScriptServer()
        self.runner = asyncio.Runner()
        self.reference = Reference()
        self.compat = Ours("compat")
        self._lines: dict[str, Line] = {}

    def __enter__(self) -> Self:
        self._server.__enter__()
        self._lines = {library.name: self._server.line(library.name) for library in self.libraries}
        return self

    def __exit__(self, *_: object) -> None:
        for library in self.libraries:
            self.runner.run(library.aclose())
            library.close()
        self.runner.close()
        self._server.__exit__(None, None, None)

    @property
    def libraries(self) -> tuple[Any, Any]:
        """The reference first."""
        return self.reference, self.compat

    def talk(self, library: Any, mode: str, script: Sequence[Answer] = ()) -> Talk:
        """A chat that has not been made yet, with a server that will say ``script``, and then Z."""
        line = self._lines[library.name]
        line.clear(tuple(script))
        return Talk(self.runner, library, mode, line)

    def talks(self, mode: str, script: Sequence[Answer] = (), config: Any = None, history: Any = None) -> list[Talk]:
        """The same chat in both libraries."""
        return [self.talk(library, mode, script).create(config, history) for library in self.libraries]

    def play(
        self,
        library: Any,
        mode: str,
        script: Sequence[Answer],
        *sends: Send,
        config: Any = None,
        history: Any = None,
        tools: Callable[[list[Any]], list[Any]] | None = None,
        then: bool = False,
    ) -> Played:
        """Make a chat, and send it all. ``then``: another message must send the curated history before itself.

        ``tools`` makes the functions, which write their calls into the list that it is given.
        """
        calls: list[Any] = []
        if tools is not None:
            config = {"tools": tools(calls), **(config or {})}
        talk = self.talk(library, mode, script).create(config, history)
        seen: list[Json] = []
        errors = [talk.failed(partial(_take, talk, send, seen)) for send in sends or (Send(),)]
        histories = talk.history(), talk.history(curated=True)
        requests = list(map(body_of, talk.line.requests))
        said: list[Json] = []
        if then:
            talk.line.clear()
            talk.send("n")
            said = body_of(talk.line.requests[0])["contents"]
            assert short(said) == f"{short(histories[1])} U(n)".strip()
        return Played(
            comprehensive=short(histories[0]),
            curated=short(histories[1]),
            requests=[short(each["contents"]) for each in requests],
            texts=[each["text"] for each in seen],
            errors=[None if each is None else each["family"] for each in errors],
            calls=calls,
            whole={
                "requests": requests,
                "comprehensive": histories[0],
                "curated": histories[1],
                "next": said,
                "seen": canonical(seen),
                "errors": errors,
                # In async chats chatproto makes those of one round side by side.
                "calls": calls if mode == "sync" else sorted(calls, key=repr),
            },
        )

    def play_both(self, mode: str, script: Sequence[Answer], *sends: Send, **others: Any) -> Played:
        """What it came to in both libraries: the same in all that can be compared."""
        theirs, ours = self.play_each(mode, script, *sends, **others)
        assert "\n".join(map(str, difference(theirs.whole, ours.whole))) == ""
        return theirs

    def play_each(self, mode: str, script: Sequence[Answer], *sends: Send, **others: Any) -> tuple[Played, Played]:
        """What it came to in the reference, and in chatproto."""
        theirs, ours = (self.play(library, mode, script, *sends, **others) for library in self.libraries)
        return theirs, ours


def _take(talk: Talk, send: Send, seen: list[Json]) -> None:
    """Send a message. What comes before an error is seen, too."""
    for response in _sent(talk, send):
        with talk.library.around():
            seen.append(dump_response(response))


def _sent(talk: Talk, send: Send) -> Iterator[Any]:
    if not send.streamed:
        yield talk.send(send.message, send.config)
        return
    with closing(talk.stream(send.message, send.config)) as chunks:
        if send.leave_after != 0:
            for number, chunk in enumerate(chunks, start=1):
                yield chunk
                if number == send.leave_after:
                    return
