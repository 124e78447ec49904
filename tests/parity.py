"""The messages of a recorded chat sent again, over any transport by any driver, and all that a program sees of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import APIError
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import (
    ChunkReceived,
    Event,
    FunctionCallsRequested,
    ReadBody,
    RetryScheduled,
    SendRequest,
    TurnEnded,
    Wait,
)
from chatproto.testing.servers import CLOSE, RESET, LoopbackServer, Received, chunk, head
from chatproto.transport import AsyncDrive, Drive, Secrets
from chatproto.types import Content, GenerateContentConfig, HttpOptions, HttpRetryOptions
from chatproto.types._dump import to_wire
from chatproto.wire.endpoint import Endpoint
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_replay.cassette import Cassette, Exchange
from chatproto_requests import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chatproto.errors import ChatProtoError

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.json"))
KEY = "AIza-canary-0123456789"
ANYWHERE = "http://127.0.0.1:1/"

Json = dict[str, Any]


# --- what a recording asks ------------------------------------------------------------------------------------------


@attrs.frozen
class Message:
    """What a program sent to get an exchange recorded."""

    content: Content
    config: GenerateContentConfig
    streamed: bool


def messages_of(cassette: Cassette) -> list[Message]:
    """The messages, without the attempts that were made again."""
    messages: list[Message] = []
    before: list[Json] | None = None
    for exchange in cassette.exchanges:
        assert exchange.request.body is not None
        body: Json = exchange.request.body.value
        contents = body["contents"]
        if contents == before:
            continue
        before = contents
        settings = {**body["generationConfig"], **({"tools": body["tools"]} if "tools" in body else {})}
        messages.append(
            Message(
                Content.model_validate(contents[-1]),
                GenerateContentConfig.model_validate(settings),
                exchange.request.path.endswith(":streamGenerateContent"),
            )
        )
    return messages


def conversation_for(cassette: Cassette, base_url: str) -> Conversation:
    """A conversation with the recorded model, that tries three times, without chance in its waits."""
    model = cassette.exchanges[0].request.path.rpartition("/")[2].partition(":")[0]
    retrying = HttpOptions(retry_options=HttpRetryOptions(attempts=3, jitter=0.0))
    return Conversation(model, endpoint=Endpoint(base_url=base_url).merged(retrying))


# --- what came of it --------------------------------------------------------------------------------------------------


@attrs.frozen
class Outcome:
    """All that a program can see."""

    events: list[Any]
    history: list[Json]
    curated: list[Json]
    ledger: list[Any]
    slept: list[float]


def outcome_of(conversation: Conversation, events: list[Event], slept: list[float]) -> Outcome:
    """As plain values, without what belongs to the recording or to one library."""
    return Outcome(
        events=[plain(event) for event in events],
        history=[to_wire(content) for content in conversation.history()],
        curated=[to_wire(content) for content in conversation.history(curated=True)],
        ledger=[(turn.number, turn.outcome, turn.curated, turn.encoded) for turn in conversation.turns],
        slept=slept,
    )


def plain(event: Event) -> Any:
    """An event to compare. The words of a TransportError are each library's own."""
    match event:
        case ChunkReceived(response=response):
            return "chunk", {name: value for name, value in to_wire(response).items() if name != "sdkHttpResponse"}
        case FunctionCallsRequested(calls=calls):
            return "calls", [to_wire(call) for call in calls]
        case RetryScheduled(attempt=attempt, error=error):
            return "retry", attempt, kind_of(error)
        case TurnEnded(turn=turn, error=error):
            return "ended", turn.outcome, kind_of(error)
        case other:
            return type(other)


def kind_of(error: ChatProtoError | None) -> Any:
    """The class of an error; of the server's own, its words too."""
    return (type(error), str(error)) if isinstance(error, APIError) else type(error)


# --- the ways to bring it ---------------------------------------------------------------------------------------------


class Hurried:
    """A transport that notes its waits and does not wait. Its other methods are those of the one inside."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def asleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def by_hand(cassette: Cassette) -> Outcome:
    """Straight into the machine: no transport, no driver."""
    conversation = conversation_for(cassette, ANYWHERE)
    exchanges = iter(cassette.exchanges)
    events: list[Event] = []
    slept: list[float] = []
    exchange: Exchange | None = None
    pieces: Iterator[bytes] = iter(())
    for message in messages_of(cassette):
        conversation.send(message.content, message.config, stream=message.streamed)
        while (step := conversation.next()) is not None:
            match step:
                case SendRequest():
                    exchange = next(exchanges)
                    assert exchange.response is not None
                    pieces = (each.data for each in exchange.response.chunks)
                    conversation.receive_response(exchange.response.status, exchange.response.headers)
                case ReadBody():
                    assert exchange is not None
                    piece, failure = next(pieces, None), exchange.error()
                    if piece is None and failure is not None:
                        conversation.receive_failure(failure)
                    else:
                        conversation.receive_data(piece or b"")
                case Wait(seconds=seconds):
                    slept.append(seconds)
                    conversation.resume()
                case event:
                    events.append(event)
    return outcome_of(conversation, events, slept)


def driven(cassette: Cassette, transport: Any, base_url: str) -> Outcome:
    """By Drive."""
    conversation, hurried, events = conversation_for(cassette, base_url), Hurried(transport), list[Event]()
    with closing(transport):
        for message in messages_of(cassette):
            conversation.send(message.content, message.config, stream=message.streamed)
            events += Drive(conversation, hurried, secrets_for(base_url))
    return outcome_of(conversation, events, hurried.slept)


def async_driven(cassette: Cassette, transport: Any, base_url: str) -> Outcome:
    """By AsyncDrive."""
    conversation, hurried = conversation_for(cassette, base_url), Hurried(transport)

    async def main() -> list[Event]:
        events: list[Event] = []
        for message in messages_of(cassette):
            conversation.send(message.content, message.config, stream=message.streamed)
            events += [event async for event in AsyncDrive(conversation, hurried, secrets_for(base_url))]
        await transport.aclose()
        return events

    return outcome_of(conversation, asyncio.run(main()), hurried.slept)


def secrets_for(base_url: str) -> Secrets:
    """A key for the server that stands in for the recorded one."""
    return Secrets({"x-goog-api-key": KEY}, url=base_url)


def serve(server: LoopbackServer, cassette: Cassette) -> None:
    """Answer the recorded requests in their order: each chunk in a chunk of HTTP, and the end as it was."""
    waiting = list(cassette.exchanges)

    def answer(received: Received) -> Iterator[Any]:
        exchange = waiting.pop(0)
        assert exchange.response is not None
        assert exchange.request.body is not None
        assert json.loads(received.body) == exchange.request.body.value
        assert received.header("x-goog-api-key") == KEY
        fields: Json = {name.replace("-", "_"): value for name, value in exchange.response.headers}
        yield head(exchange.response.status, chunked=True, **fields)
        for each in exchange.response.chunks:
            yield chunk(each.data)
        yield {"complete": chunk(), "reset": RESET}.get(exchange.response.end, CLOSE)

    for exchange in cassette.exchanges:
        server.on(exchange.request.path, answer)


WAYS: dict[str, tuple[Callable[[], Any], Callable[[Cassette, Any, str], Outcome]]] = {
    "requests": (RequestsTransport, driven),
    "aiohttp": (AiohttpTransport, async_driven),
    "httpx": (HttpxTransport, driven),
    "httpx-async": (HttpxTransport, async_driven),
    "httpx2": (HttpxTransport, driven),
    "httpx2-async": (HttpxTransport, async_driven),
}
