"""Sessions and clients of HTTP libraries that a program has already: they are used, and not closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

import chatproto
from chatproto.errors import ConnectionLost, ValidationError
from chatproto.testing.servers import LoopbackServer, chunk, head
from chatproto.testing.wire import text_response
from chatproto.wire.json_codec import encode


@pytest.fixture
def options() -> Iterator[dict[str, Any]]:
    """The http_options of a server that answers, and marks what a client of the program's own adds."""
    body = encode(text_response("fine"))

    def answer(request: Any) -> list[bytes]:
        assert request.header("x-mine") == "1"
        assert request.header("x-goog-api-key") == "k"
        return [head(200, content_length=len(body)), body]

    with LoopbackServer() as server:
        server.on("/v1/models/m:generateContent", answer)
        yield {"base_url": server.url("/")}


MINE = {"x-mine": "1"}


def ask(**options: Any) -> str | None:
    """One message, synchronously."""
    return chatproto.Client(api_key="k", **options).chats.create(model="m").send_message("q").text


async def aask(**options: Any) -> str | None:
    """One message, under asyncio."""
    chat = chatproto.Client(api_key="k", **options).aio.chats.create(model="m")
    return (await chat.send_message("q")).text


def test_synchronous_clients(options: dict[str, Any]) -> None:
    """As the transport, and in the reference's field of http_options; used twice, so it was not closed."""
    with requests.Session() as session:
        session.headers.update(MINE)
        assert [ask(http_options=options, transport=session) for _ in range(2)] == ["fine", "fine"]
    for library in (httpx, httpx2):
        with library.Client(headers=MINE) as client:
            assert ask(http_options=options, transport=client) == "fine"
            assert ask(http_options={**options, "httpx_client": client}) == "fine"


def test_asynchronous_clients(options: dict[str, Any]) -> None:
    """The same under asyncio."""

    async def main() -> None:
        async with aiohttp.ClientSession(headers=MINE) as session:
            assert await aask(http_options=options, transport=session) == "fine"
            assert await aask(http_options={**options, "aiohttp_client": session}) == "fine"
        for library in (httpx, httpx2):
            async with library.AsyncClient(headers=MINE) as client:
                assert await aask(http_options=options, transport=client) == "fine"
                assert await aask(http_options={**options, "httpx_async_client": client}) == "fine"

    asyncio.run(main())


def test_a_kind_for_each_half(options: dict[str, Any]) -> None:
    """A client for one half leaves the other to the usual transport; two for one half exclude each other."""

    async def main() -> None:
        async with aiohttp.ClientSession(headers=MINE) as session, httpx.AsyncClient() as other:
            with httpx.Client(headers=MINE) as client:
                both = {**options, "httpx_client": client, "aiohttp_client": session}
                assert await aask(http_options=both) == "fine"
                assert await asyncio.to_thread(ask, http_options=both) == "fine"
            with pytest.raises(ValidationError, match="exclude"):
                await aask(http_options={**options, "httpx_async_client": other, "aiohttp_client": session})

    asyncio.run(main())


def test_several_event_loops(options: dict[str, Any]) -> None:
    """A chat goes on in another ``asyncio.run``, with sessions of the client's own, and leaves no warning behind."""
    options = {**options, "headers": MINE}
    for transport in (None, "httpx"):
        chat = chatproto.Client(api_key="k", http_options=options, transport=transport).aio.chats.create(model="m")
        assert [asyncio.run(chat.send_message("q")).text for _ in range(3)] == ["fine"] * 3


def test_a_plug_in_for_one_half_only(options: dict[str, Any]) -> None:
    """A transport that is asked for what it is not says so."""
    with pytest.raises(ValidationError, match="synchronous"):
        ask(http_options=options, transport="aiohttp")
    with pytest.raises(ValidationError, match="asyncio"):
        asyncio.run(aask(http_options=options, transport="requests"))


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
def test_a_stream_does_not_outlive_its_loop(transport: str) -> None:
    """A stream that is carried into another event loop says that its connection is lost; half an answer is no whole."""
    begun = b'data: {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}\r\n\r\n'
    with LoopbackServer() as server:
        server.on("/v1/models/m:streamGenerateContent", lambda _: [head(200, chunked=True), chunk(begun), 5.0])
        options = {"base_url": server.url("/")}
        client = chatproto.Client(api_key="k", http_options=options, transport=transport)
        chat = client.aio.chats.create(model="m")

        async def first() -> Any:
            stream = await chat.send_message_stream("q")
            assert (await anext(stream)).text == "a"
            return stream

        stream = asyncio.run(first())
        with pytest.raises(ConnectionLost):
            asyncio.run(_next(stream))
    assert chat.turns[-1].outcome is chatproto.Outcome.FAILED


async def _next(stream: Any) -> Any:
    return await anext(stream)
