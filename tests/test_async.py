"""The face under asyncio: the same machine, awaited."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

import chatproto
from chatproto import types
from chatproto.chats import AsyncChat
from chatproto.errors import ClientError, LocalProtocolError, ServerError, ValidationError
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response


def chat_on(*answers: Any, **options: Any) -> tuple[AsyncChat, ScriptedTransport]:
    """A chat whose answers are scripted."""
    transport = ScriptedTransport(*answers)
    return chatproto.Client(transport=transport).aio.chats.create(model="gemini-2.0-flash", **options), transport


def said(chat: AsyncChat) -> list[tuple[str | None, str | None]]:
    """The curated history as pairs of role and text."""
    return [(each.role, (each.parts or [types.Part()])[0].text) for each in chat.get_history(curated=True)]


class Stalling(ScriptedTransport):
    """Gives the first chunk of each answer, and then nothing until the response is discarded."""

    def aopen(self, request: Any, secrets: Any) -> Any:
        outer = super().aopen(request, secrets)
        transport = self

        class Opening:
            async def __aenter__(self) -> Any:
                response = await outer.__aenter__()
                gone, first = asyncio.Event(), [response.aread]

                async def aread() -> bytes:
                    if first:
                        return await first.pop()()
                    transport.waiting.set()
                    await gone.wait()
                    raise chatproto.errors.ConnectionLost("discarded")

                discard = response.discard

                def discarding() -> None:
                    discard()
                    gone.set()

                response.aread = aread  # type: ignore[method-assign]
                response.discard = discarding  # type: ignore[method-assign]
                return response

            async def __aexit__(self, *exception: object) -> None:
                await outer.__aexit__(*exception)

        return Opening()

    waiting: asyncio.Event


def test_a_chat_remembers() -> None:
    """Unary and streamed turns, and the history that they leave."""

    async def main() -> None:
        chat, transport = chat_on("Paris.", ["About ", "two million."], "The Louvre.")
        assert (await chat.send_message("Capital of France?")).text == "Paris."
        chunks = [chunk.text async for chunk in await chat.send_message_stream("Its population?")]
        assert chunks == ["About ", "two million."]
        await chat.send_message("A landmark?")
        assert len(transport.requests[-1].json()["contents"]) == 5
        assert said(chat)[3] == ("model", "About two million.")
        assert chat.prepare("more").json()["contents"][-1]["parts"] == [{"text": "more"}]

    asyncio.run(main())


def test_models() -> None:
    """``client.aio.models`` answers without remembering."""

    async def main() -> None:
        transport = ScriptedTransport("one", ["tw", "o"])
        async with chatproto.Client(transport=transport).aio as client:
            assert (await client.models.generate_content(model="m", contents="a")).text == "one"
            stream = await client.models.generate_content_stream(model="m", contents="b")
            assert [chunk.text async for chunk in stream] == ["tw", "o"]
        assert not transport.closed

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(error_response(400), status=400), ClientError),
        (Answer(error_response(503), status=503), ServerError),
        (Answer({"error": {"code": 429}}), ClientError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_leaves_the_chat_as_it_was(answer: Any, error: type[Exception], stream: bool) -> None:
    """L5: the next message works as if nothing had been sent."""

    async def main() -> None:
        chat, _ = chat_on(answer, "fine")
        with pytest.raises(error):
            if stream:
                [chunk async for chunk in await chat.send_message_stream("broken")]
            else:
                await chat.send_message("broken")
        await chat.send_message("again")
        assert said(chat) == [("user", "again"), ("model", "fine")]

    asyncio.run(main())


def test_wrong_arguments_raise_when_awaited() -> None:
    """Not at the first chunk."""

    async def main() -> None:
        chat, transport = chat_on("x")
        with pytest.raises(ValidationError):
            await chat.send_message_stream(5)  # type: ignore[arg-type]
        with pytest.raises(ValidationError):
            await chat.send_message("q", config={"temprature": 1})
        assert not transport.requests

    asyncio.run(main())


@pytest.mark.parametrize("how", ["aclose", "with", "drop", "cancel", "another"])
def test_leaving_a_stream_early(how: str) -> None:
    """Leaving gives the connection up at once; the chat is as before and goes on."""

    async def main() -> None:
        chat, transport = chat_on(["one", "two", "three"], "four")
        stream = await chat.send_message_stream("left")
        assert (await anext(stream)).text == "one"
        match how:
            case "aclose":
                await stream.aclose()
                await stream.aclose()
            case "with":
                async with stream:
                    await anext(stream)
            case "drop":
                del stream
                gc.collect()
            case "cancel":

                async def forever() -> None:
                    async with stream:
                        await asyncio.Event().wait()

                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(forever(), 0.01)
            case _:
                pass
        assert (await chat.send_message("on")).text == "four"
        assert transport.discarded == 1
        assert said(chat) == [("user", "on"), ("model", "four")]
        assert [turn.outcome.value for turn in chat.turns] == ["abandoned", "completed"]
        if how == "another":
            with pytest.raises(LocalProtocolError, match="later message"):
                await anext(stream)

    asyncio.run(main())


def test_cancelling_the_task_that_waits() -> None:
    """A cancelled task leaves no turn, no connection and no lock behind."""

    async def main() -> None:
        transport = Stalling(["one", "two"], ["three"])
        transport.waiting = asyncio.Event()
        chat = chatproto.Client(transport=transport).aio.chats.create(model="m")
        stream = await chat.send_message_stream("q")
        await anext(stream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(stream)
        assert transport.discarded == 1
        assert chat.turns[-1].outcome is chatproto.Outcome.ABANDONED
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert (await anext(await chat.send_message_stream("again"))).text == "three"

    asyncio.run(main())


def test_closing_from_another_task() -> None:
    """The waiting iteration ends quietly, the turn is abandoned, and the chat is free when ``aclose`` returns."""

    async def main() -> None:
        transport = Stalling(["one", "two"], ["three"])
        transport.waiting = asyncio.Event()
        chat = chatproto.Client(transport=transport).aio.chats.create(model="m")
        stream = await chat.send_message_stream("q")

        async def read() -> list[str | None]:
            return [chunk.text async for chunk in stream]

        reading = asyncio.create_task(read())
        await transport.waiting.wait()
        with pytest.raises(LocalProtocolError, match="another"):
            await chat.send_message("meanwhile")
        await stream.aclose()
        assert chat.turns[-1].outcome is chatproto.Outcome.ABANDONED
        assert (await anext(await chat.send_message_stream("again"))).text == "three"
        assert await reading == ["one"]

    asyncio.run(main())


def test_a_thousand_chats_at_once() -> None:
    """Chats share a transport and nothing else."""

    async def main() -> None:
        transport = ScriptedTransport(*[["a", "b"] for _ in range(1000)])
        client = chatproto.Client(transport=transport).aio

        async def talk(number: int) -> int:
            chat = client.chats.create(model="m")
            async for _ in await chat.send_message_stream(str(number)):
                await asyncio.sleep(0)
            return len(chat.get_history(curated=True))

        assert set(await asyncio.gather(*map(talk, range(1000)))) == {2}

    asyncio.run(main())


def test_two_event_loops() -> None:
    """A chat made in one ``asyncio.run`` goes on in another."""
    chat, _ = chat_on("one", "two")
    asyncio.run(chat.send_message("a"))
    asyncio.run(chat.send_message("b"))
    assert len(said(chat)) == 4
