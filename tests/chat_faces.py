"""A chat in each of the four ways to talk to it, asked alike: sync or asyncio, for the whole answer or as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import attrs
import pytest

import chatproto
from chatproto.chats import AsyncChat, Chat
from chatproto.testing import ScriptedTransport
from chatproto.testing.wire import text_response
from chatproto.types import Content, GenerateContentResponse, Part
from chatproto.types._dump import to_wire

__all__ = [
    "DONE",
    "MODEL",
    "QUESTION",
    "WAYS",
    "Json",
    "Shop",
    "Talk",
    "Way",
    "add",
    "begin",
    "both",
    "call",
    "calling",
    "closed",
    "every_stream",
    "every_way",
    "final",
    "response",
    "restore",
    "rounds",
    "run",
    "text_of",
    "wire",
]

Json = dict[str, Any]
T = TypeVar("T")
MODEL = "gemini-2.5-flash"


@attrs.frozen
class Way:
    """How a chat is talked to."""

    asynchronous: bool
    streamed: bool


WAYS = {
    "unary": Way(asynchronous=False, streamed=False),
    "streamed": Way(asynchronous=False, streamed=True),
    "async": Way(asynchronous=True, streamed=False),
    "async streamed": Way(asynchronous=True, streamed=True),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
every_stream = pytest.mark.parametrize("way", [WAYS["streamed"], WAYS["async streamed"]], ids=["sync", "async"])
both = pytest.mark.parametrize("way", [WAYS["unary"], WAYS["async"]], ids=["sync", "async"])


# --- what the server says -------------------------------------------------------------------------------------------


def call(name: str, number: str | None = None, /, **args: Any) -> Json:
    """A function call of the model; ``number`` is its id."""
    return {"name": name, "args": args} | ({} if number is None else {"id": number})


def calling(*calls: Json, text: str | None = None, finish_reason: str | None = "STOP") -> Json:
    """A response with function calls, after ``text``."""
    parts: list[Json] = [] if text is None else [{"text": text}]
    candidate: Json = {"content": {"role": "model", "parts": parts + [{"functionCall": each} for each in calls]}}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    return {"candidates": [candidate]}


# --- a model that adds ------------------------------------------------------------------------------------------------

QUESTION = {"role": "user", "parts": [{"text": "q"}]}
DONE = text_response("done")


class Shop:
    """Functions that note what they were called with."""

    def __init__(self) -> None:
        self.ran: list[Any] = []

    def add(self, a: int, b: int = 1) -> int:
        """Adds."""
        self.ran.append((a, b))
        return a + b

    def spell(self, text: str) -> list[str]:
        """Spells."""
        self.ran.append(text)
        return list(text)

    @property
    def tools(self) -> list[Any]:
        """All of them."""
        return [self.add, self.spell]

    @property
    def config(self) -> Json:
        """A config with them."""
        return {"tools": self.tools}


def response(name: str, number: str | None = None, /, **held: Any) -> Json:
    """A function response as it is sent; ``number`` is its id."""
    return {"name": name, "response": held} | ({} if number is None else {"id": number})


def add(number: int) -> Json:
    """An answer that calls ``add(number)``, with the id ``c<number>``."""
    return calling(call("add", f"c{number}", a=number))


def rounds(*numbers: int) -> list[Json]:
    """The contents of a question and of rounds in which ``add`` was called with each number."""
    said: list[Json] = [QUESTION]
    for number in numbers:
        said += [
            add(number)["candidates"][0]["content"],
            {"role": "user", "parts": [{"functionResponse": response("add", f"c{number}", result=number + 1)}]},
        ]
    return said


def final(text: str = "done") -> Json:
    """The content of an answer."""
    return {"role": "model", "parts": [{"text": text}]}


def closed(history: list[Json]) -> bool:
    """Whether each content with calls is followed by one with as many responses (L7)."""

    def count(content: Json, key: str) -> int:
        return sum(key in part for part in content["parts"])

    following: list[Json] = [*history, {"parts": []}][1:]
    return all(
        count(content, "functionCall") == count(after, "functionResponse")
        for content, after in zip(history, following, strict=True)
        if content["role"] == "model"
    )


# --- talking ----------------------------------------------------------------------------------------------------------


def run(work: Coroutine[Any, Any, T]) -> T:
    """``work`` in an event loop of its own, which must end soon."""

    async def timed() -> T:
        async with asyncio.timeout(10):
            return await work

    return asyncio.run(timed())


@attrs.frozen
class Talk:
    """A chat over a script, whose answers come as a list: the chunks of a stream, or the one whole answer."""

    way: Way
    chat: Any
    transport: ScriptedTransport

    def say(self, message: Any, config: Any = None) -> list[GenerateContentResponse]:
        """``send_message`` or ``send_message_stream``."""
        send = self.chat.send_message_stream if self.way.streamed else self.chat.send_message
        return self._heard(send(message, config))

    def answer(self, responses: Any = None, config: Any = None) -> list[GenerateContentResponse]:
        """``send_function_responses``."""
        return self._heard(self.chat.send_function_responses(responses, config, stream=self.way.streamed))

    def call(self, wanted: Any) -> Part:
        """``call_function``."""
        found: Part = run(self.chat.call_function(wanted)) if self.way.asynchronous else self.chat.call_function(wanted)
        return found

    def _heard(self, answer: Any) -> list[GenerateContentResponse]:
        if not self.way.asynchronous:
            return list(answer) if self.way.streamed else [answer]

        async def awaited() -> list[GenerateContentResponse]:
            got = await answer
            return [chunk async for chunk in got] if self.way.streamed else [got]

        return run(awaited())

    # --- what came of it ---

    @property
    def pending(self) -> list[str | None]:
        """The ids of the calls that wait."""
        return [each.id for each in self.chat.pending_calls]

    def sent(self, number: int = -1) -> list[Json]:
        """The contents of a request."""
        contents: list[Json] = self.transport.requests[number].json()["contents"]
        return contents

    def told(self, number: int = -1) -> list[Json]:
        """The function responses that a request ends with."""
        return [part["functionResponse"] for part in self.sent(number)[-1]["parts"]]

    def history(self, *, curated: bool = True) -> list[Json]:
        """A history as wire JSON."""
        return wire(self.chat.get_history(curated=curated))

    @property
    def outcomes(self) -> list[str]:
        """How the turns ended."""
        return [turn.outcome.value for turn in self.chat.turns]


def begin(way: Way, *answers: Any, **options: Any) -> Talk:
    """A new chat, whose answers are scripted."""
    transport = ScriptedTransport(*answers)
    client = chatproto.Client(transport=transport)
    chat: Chat | AsyncChat = (client.aio if way.asynchronous else client).chats.create(model=MODEL, **options)
    return Talk(way, chat, transport)


def restore(way: Way, data: Any, *answers: Any, **options: Any) -> Talk:
    """A chat of a snapshot, over another script."""
    transport = ScriptedTransport(*answers)
    client = chatproto.Client(transport=transport)
    chat: Chat | AsyncChat = (client.aio if way.asynchronous else client).chats.restore(data, **options)
    return Talk(way, chat, transport)


def wire(contents: Iterable[Content]) -> list[Json]:
    """Contents as wire JSON."""
    return [to_wire(content) for content in contents]


def text_of(chunks: Iterable[GenerateContentResponse]) -> str:
    """All text of an answer, that beside function calls too."""
    contents = [each.candidates[0].content for each in chunks if each.candidates]
    return "".join(part.text or "" for content in contents if content for part in content.parts or ())
