"""The aiohttp connector: cassettes in process for programs on aiohttp, and google-genai over it."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from gemini_upstream import KEY, MODEL, gemini
from google import genai as reference
from google.genai import types as reference_types
from hypothesis import given
from hypothesis import strategies as st
from raw_client import ASKED, PATH, answer, cassette

from chatproto_replay import (
    Cassette,
    CassetteMissing,
    Failure,
    RequestMismatch,
    UnplayedExchanges,
)
from chatproto_replay.serving.aiohttp_adapter import aiohttp_connector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

HOST = "https://generativelanguage.googleapis.com"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


def ask(session: aiohttp.ClientSession, document: Any = ASKED, *, host: str = HOST) -> Any:
    """Post a document, to be entered."""
    return session.post(f"{host}{PATH}?alt=sse", json=document, headers={"x-goog-api-key": KEY})


def over(path: Path, do: Callable[[aiohttp.ClientSession], Awaitable[Any]], **options: Any) -> Any:
    """What ``do`` makes of a session over a connector."""

    async def run() -> Any:
        async with aiohttp.ClientSession(connector=aiohttp_connector(path, **options)) as session:
            return await do(session)

    return asyncio.run(run())


async def pieces(session: aiohttp.ClientSession) -> list[bytes]:
    """The body of an answer, as it arrives."""
    async with ask(session) as response:
        return [data async for data in response.content.iter_any()]


# --- what arrives -------------------------------------------------------------------------------------------------


@given(chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=8))
def test_chunks_arrive_as_they_were_cut(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    """Whatever is recorded, each chunk is a read of its own (law L14)."""
    path = cassette(tmp_path_factory.mktemp("connector") / "chat.json", answer(*chunks))
    assert over(path, pieces) == chunks


def test_no_network_is_touched(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is made and no name looked up; HTTPS needs no certificate."""
    cassette(path, answer(b"a", headers=(("content-type", "text/event-stream"), ("x-goog-upload-status", "final"))))

    async def run() -> Any:
        async with aiohttp.ClientSession(connector=aiohttp_connector(path)) as session:
            with monkeypatch.context() as patched:
                patched.setattr(socket, "socket", None)
                patched.setattr(socket, "getaddrinfo", None)
                async with ask(session) as response:
                    return (
                        response.status,
                        {name.lower(): text for name, text in response.headers.items()},
                        await response.read(),
                    )

    status, headers, body = asyncio.run(run())
    assert (status, body) == (200, b"a")
    assert headers == {
        "content-type": "text/event-stream",
        "x-goog-upload-status": "final",
        "transfer-encoding": "chunked",
    }


def test_much_is_read_as_it_is_wanted(path: Path) -> None:
    """A writer waits for a reader who does not read, so that a long body is not in memory twice."""
    many = [b"%d" % (number % 10) * 100_000 for number in range(50)]
    cassette(path, answer(*many))

    async def do(session: aiohttp.ClientSession) -> Any:
        async with ask(session) as response:
            await asyncio.sleep(0.2)
            stream: Any = response.content
            waiting = stream.total_bytes
            return waiting, b"".join([data async for data in stream.iter_any()])

    waiting, body = over(path, do)
    assert body == b"".join(many)
    assert waiting < len(body) / 5


def test_ends(path: Path) -> None:
    """A body that was reset, cut or stalled is so again; a request without an answer gets none."""
    cassette(
        path,
        answer(b"a", end="reset"),
        answer(b"a", end="truncated"),
        answer(b"a", end="timeout"),
        Failure(kind="connection_lost", message="gone"),
    )

    async def do(session: aiohttp.ClientSession) -> Any:
        for _ in range(2):
            async with ask(session) as response:
                assert await response.content.readany() == b"a"
                with pytest.raises(aiohttp.ClientPayloadError):
                    await response.content.readany()
        async with ask(session) as response:
            assert await response.content.readany() == b"a"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readany(), 0.2)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            async with ask(session):
                pass

    over(path, do)


def test_an_uploads_url_stays_where_it_was(path: Path) -> None:
    """It has the host that the program talks to."""
    cassette(path, answer(headers=(("x-goog-upload-url", "/upload/v1beta/files?upload_id=_"),)))

    async def do(session: aiohttp.ClientSession) -> Any:
        async with ask(session) as response:
            return response.headers["x-goog-upload-url"]

    assert over(path, do) == f"{HOST}/upload/v1beta/files?upload_id=_"


def test_clients_at_once(path: Path) -> None:
    """Several requests are under way together, each on a connection of its own."""
    cassette(path, answer(b"a"))

    async def do(session: aiohttp.ClientSession) -> Any:
        return await asyncio.gather(*(pieces(session) for _ in range(150)))

    assert over(path, do) == [[b"a"]] * 150


# --- the end --------------------------------------------------------------------------------------------------------


def test_what_is_left_is_raised_when_the_session_is_closed(path: Path) -> None:
    """As by a Player: UnplayedExchanges, or the first refusal; but not over an exception that is on its way."""
    cassette(path, answer(b"a"), answer(b"b"))

    async def nothing(_: aiohttp.ClientSession) -> None:
        return

    async def wrong(session: aiohttp.ClientSession) -> None:
        with pytest.raises(RequestMismatch, match=r"\$\.contents"):  # the error itself: no answer to be misread
            async with ask(session, {}):
                raise AssertionError("there was an answer")

    async def failing(session: aiohttp.ClientSession) -> None:
        await pieces(session)
        raise ZeroDivisionError

    with pytest.raises(UnplayedExchanges, match="nothing of it was asked for"):
        over(path, nothing)
    with pytest.raises(UnplayedExchanges, match="1 of 2 recorded exchanges"):
        over(path, pieces)
    with pytest.raises(RequestMismatch, match=r"\$\.contents"):
        over(path, wrong)
    with pytest.raises(ZeroDivisionError):
        over(path, failing)


def test_verify(path: Path) -> None:
    """For programs whose library closes the session and swallows what that raises: it is raised once."""
    cassette(path, answer(b"a"), answer(b"b"))

    async def run() -> None:
        connector = aiohttp_connector(path)
        async with aiohttp.ClientSession(connector=connector) as session:
            await pieces(session)
            assert connector.status["played"] == 1
            with pytest.raises(UnplayedExchanges):
                connector.verify()
            connector.verify()
        await connector.close()

    with pytest.raises(CassetteMissing):
        over(path.with_name("none.json"), pieces)
    asyncio.run(run())


# --- google-genai ---------------------------------------------------------------------------------------------------


async def chat(session: aiohttp.ClientSession, **options: Any) -> list[Any]:
    """Two turns of a chat over a session of one's own."""
    config = reference_types.HttpOptions(aiohttp_client=session, **options)
    client = reference.Client(api_key=KEY, http_options=config).aio
    chat = client.chats.create(model=MODEL)
    got: list[Any] = [(await chat.send_message("Hello")).text]
    return [*got, [piece.text async for piece in await chat.send_message_stream("Tell me.")]]


EXPECTED = ["You said: Hello", ["One, ", "two, ", "three: ", "é Tell me."]]


def test_google_genai_is_recorded_and_played(path: Path) -> None:
    """What went to a server is played for Google's own host: the host is not recorded (law L14)."""
    with gemini() as upstream:
        assert over(path, lambda session: chat(session, base_url=upstream.url("/")), mode="record") == EXPECTED
        assert len(upstream.received) == 2
    assert KEY not in path.read_text()
    assert over(path, chat) == EXPECTED


def test_recording_goes_to_the_hosts_that_are_asked_for(path: Path) -> None:
    """One connector records what goes to several servers, with the credential that each request has."""
    with gemini() as one, gemini() as other:

        async def do(session: aiohttp.ClientSession) -> Any:
            asked = {"contents": [{"parts": [{"text": "hi"}]}]}
            answers = []
            for server in (one, other):
                url = server.url(f"/v1/models/{MODEL}:generateContent")
                async with session.post(url, json=asked, params={"key": KEY}) as response:
                    answers.append(json.loads(await response.read()))
            return answers

        first, second = over(path, do, mode="record")
        assert first == second
        assert (len(one.received), len(other.received)) == (1, 1)
    assert len(Cassette.load(path).exchanges) == 2
    assert KEY not in path.read_text()


def test_without_aiohttp() -> None:
    """The extra is named."""
    program = """
import sys
sys.modules["aiohttp"] = None
from chatproto.errors import MissingExtraError
try:
    import chatproto_replay.serving.aiohttp_adapter
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'chatproto[aiohttp]'" in done.stdout
