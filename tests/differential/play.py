"""Playing a scenario: what a program that was written for either library sees, step by step, as JSON.

One player for both, because they have one face. What differs stands in ``Library``.
"""

from __future__ import annotations

import asyncio
import warnings
from contextlib import AbstractContextManager, aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import attrs
from differential.build import build_config, build_content, build_message
from differential.compare import canonical, closed, folded, turns
from differential.functions import functions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.answers import Answer
    from differential.scenario import Scenario, Step
    from differential.server import Line

__all__ = ["Library", "Record", "Transcript", "play"]

Json = dict[str, Any]
INSIDE = "something else"


class Library(Protocol):
    """A library under comparison."""

    #: Put before the line's name, so that each player has its own.
    name: str
    #: It keeps histories as the reference does.
    exact: bool

    @property
    def types(self) -> Any:
        """The library's module of that name."""
        ...

    def client(self, line: Line, mode: str) -> Any:
        """A client that talks to ``line``."""
        ...

    def family(self, error: Exception, *, asked: bool) -> Json:
        """What kind of error it is. ``asked``: a request had been sent before."""
        ...

    def around(self) -> AbstractContextManager[None]:
        """What has to be so while the library plays."""
        ...

    def close(self) -> None:
        """Close what is synchronous."""

    async def aclose(self) -> None:
        """Close what belongs to the loop."""


@attrs.define(kw_only=True)
class Record:
    """What one step came to."""

    #: What was asked of the server, and what it answered.
    requests: list[Json] = attrs.Factory(list)
    answered: list[Answer] = attrs.Factory(list)
    #: The chunks, or the one response.
    seen: list[Json] = attrs.Factory(list)
    error: Json | None = None
    calls: list[Any] = attrs.Factory(list)
    #: What the step added to the two histories, and whether all that was there before is there still.
    comprehensive: list[Json] = attrs.Factory(list)
    curated: list[Json] = attrs.Factory(list)
    kept: bool = True
    #: The curated history when the message was sent, and the contents of a turn that waited for function responses.
    past: list[Json] = attrs.Factory(list)
    past_waiting: list[Json] = attrs.Factory(list)
    #: The whole curated history afterwards; not compared, because it is what the steps added. And the contents of a
    #: turn that waits for function responses, which stand in the comprehensive history only.
    context: list[Json] = attrs.Factory(list)
    waiting: list[Json] = attrs.Factory(list)


@attrs.define(kw_only=True)
class Transcript:
    """What a scenario came to: the making of the chat, and its steps as far as it was played."""

    created: Json | None = None
    #: Both histories after the chat was made.
    given: tuple[list[Json], list[Json]] = attrs.Factory(lambda: ([], []))
    steps: list[Record] = attrs.Factory(list)
    #: Steps that began in a new chat, because the histories had parted.
    renewed: set[int] = attrs.Factory(set)


def play(
    scenario: Scenario, library: Library, line: Line, runner: asyncio.Runner, follow: Transcript | None = None
) -> Transcript:
    """Play it. With ``follow``, a step before which the curated histories are not equal any more begins in a new chat
    with the history of the other one; and the playing ends where the other one ended.
    """
    player = _Player(scenario, library, line, follow)
    with library.around():
        if scenario.mode == "async":
            runner.run(player.aplay())
        else:
            player.play()
    return player.transcript


class _Log(list[Any]):
    """What functions write down of their calls. Before each stands how many requests had been made."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def append(self, call: Any) -> None:
        """One more call."""
        super().append([len(self._line.requests), *call])


class _Player:
    def __init__(self, scenario: Scenario, library: Library, line: Line, follow: Transcript | None) -> None:
        self.scenario = scenario
        self.library = library
        self.line = line
        self.follow = follow
        self.transcript = Transcript()
        self.log = _Log(line)
        self.functions = functions(self.log)
        client = library.client(line, scenario.mode)
        self.chats = client.aio.chats if scenario.mode == "async" else client.chats
        self.chat: Any = None
        self.iterating = False

    # --- the chat ---

    def create(self) -> bool:
        """Make the chat; False where that fails."""
        try:
            history = [build_content(each, self.library.types) for each in self.scenario.history]
            self.chat = self.new_chat(history)
        except Exception as error:  # noqa: BLE001  # all of them are compared
            self.transcript.created = self.library.family(error, asked=False)
            return False
        self.transcript.given = self.histories()
        return self.follow is None or self.follow.created is None

    def new_chat(self, history: list[Any]) -> Any:
        config = build_config(self.scenario.config, self.library.types, self.functions)
        return self.chats.create(model=self.scenario.model, config=config, history=history)

    def histories(self) -> tuple[list[Json], list[Json]]:
        comprehensive, curated = (list(map(dump, self.chat.get_history(curated))) for curated in (False, True))
        return comprehensive, curated

    def waiting(self, comprehensive: list[Json]) -> list[Json]:
        """The turn at the end of the history that waits for function responses, if the library knows of such."""
        if not getattr(self.chat, "pending_calls", ()):
            return []
        return turns(comprehensive)[-1]

    def catch_up(self, number: int) -> None:
        """Begin a new chat where the histories have parted."""
        if self.follow is None or not number:
            return
        before = self.follow.steps[number - 1].context
        last = self.transcript.steps[number - 1]
        if same_context(before, last.context + last.waiting, exact=self.library.exact):
            return
        # No chat can be made with a role that a server made up.
        roles = [{} if each.get("role") == "user" else {"role": "model"} for each in before]
        contents = [self.library.types.Content(**{**each, **role}) for each, role in zip(before, roles, strict=True)]
        self.chat = self.new_chat(contents)
        self.transcript.renewed.add(number)

    # --- the steps ---

    @contextmanager
    def step(self, number: int, step: Step) -> Iterator[Record]:
        """Around a step: what is written down of it."""
        self.catch_up(number)
        if step.edit is not None:
            edit(self.chat.get_history(curated=True), step.edit)
        before = self.histories()
        self.line.clear(step.answers)
        self.log.clear()
        record = Record(past=before[1], past_waiting=self.waiting(before[0]))
        self.iterating = False
        try:
            yield record
        except Exception as error:  # noqa: BLE001  # all of them are compared
            record.error = self.library.family(error, asked=bool(self.line.requests))
            if step.streamed and not self.line.requests:
                record.error["raised"] = "while iterating" if self.iterating else "by the call"
        after = self.histories()
        record.requests, record.answered = self.line.requests, self.line.answered
        record.calls = list(self.log)
        record.comprehensive = after[0][len(before[0]) :]
        record.curated = after[1][len(before[1]) :]
        record.kept = all(old == new[: len(old)] for old, new in zip(before, after, strict=True))
        record.context, record.waiting = after[1], self.waiting(after[0])
        self.transcript.steps.append(record)

    def due(self) -> Iterator[tuple[int, Step]]:
        """The steps that are played."""
        for number, step in enumerate(self.scenario.steps):
            if self.follow is not None and number >= len(self.follow.steps):
                return
            yield number, step
            error = self.transcript.steps[-1].error
            if error is not None and error["family"] == "crash":
                return

    def arguments(self, step: Step) -> tuple[Any, Any]:
        types = self.library.types
        return build_message(step.message, types), build_config(step.config, types, self.functions)

    def note(self, record: Record, response: Any) -> None:
        self.line.seen += 1
        record.seen.append(dump_response(response))

    def play(self) -> None:
        """Synchronously."""
        if not self.create():
            return
        for number, step in self.due():
            with self.step(number, step) as record:
                message, config = self.arguments(step)
                if not step.streamed:
                    self.note(record, self.chat.send_message(message, config))
                    continue
                with closing(self.chat.send_message_stream(message, config)) as stream:
                    self.iterating = True
                    if step.leave_after == 0:
                        continue
                    for count, chunk in enumerate(stream, start=1):
                        self.note(record, chunk)
                        if count == step.inside_after:
                            self.note(record, self.chat.send_message(INSIDE))
                        if count == step.leave_after:
                            break

    async def aplay(self) -> None:
        """Under asyncio."""
        if not self.create():
            return
        for number, step in self.due():
            with self.step(number, step) as record:
                message, config = self.arguments(step)
                if not step.streamed:
                    self.note(record, await self.chat.send_message(message, config))
                    continue
                async with aclosing(await self.chat.send_message_stream(message, config)) as stream:
                    self.iterating = True
                    if step.leave_after == 0:
                        continue
                    count = 0
                    async for chunk in stream:
                        self.note(record, chunk)
                        count += 1
                        if count == step.inside_after:
                            self.note(record, await self.chat.send_message(INSIDE))
                        if count == step.leave_after:
                            break


def edit(history: list[Any], how: str) -> None:
    """Change a history that the chat handed out."""
    if how == "clear":
        history.clear()
    for content in history[:1]:
        for part in content.parts or ():
            part.text = "changed"


def dump(value: Any) -> Json:
    """A value of either library as JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pydantic's, of unknown enum values
        made: Json = value.model_dump(mode="json", exclude_none=True)
    return made


def dump_response(response: Any) -> Json:
    """All of a response; of its head only what was scripted."""
    made = dump(response)
    head = made.pop("sdk_http_response", None)
    made["x-scripted"] = None if head is None else {k.lower(): v for k, v in head["headers"].items()}.get("x-scripted")
    made["text"] = response.text
    calls = response.function_calls
    made["function_calls"] = None if calls is None else list(map(dump, calls))
    return made


def same_context(left: list[Json], right: list[Json], *, exact: bool) -> bool:
    """Whether two curated histories are the same, or if not ``exact`` say the same, however the answers in them are cut
    into contents, and without what is never sent.
    """
    if exact:
        return bool(canonical(left) == canonical(right))
    same: bool = folded(closed(canonical(left))) == folded(closed(canonical(right)))
    return same
