"""Law L15 in every mode and through every adapter: the canaries of ``test_canary``, over a few endings each."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
from senders import sending
from test_canary import ENDINGS, HEADERS, KEY, MODEL, QUOTED, Shown, chatting, client_of, run, watching

from chatproto.testing.checks.callers import AsyncCaller
from chatproto.testing.scripted import ScriptedTransport
from chatproto.testing.servers import LoopbackServer
from chatproto_replay import (
    Cassette,
    CassetteError,
    CredentialInCassette,
    Faulty,
    Recorder,
    Served,
    aiohttp_connector,
    faults,
    httpx2_transport,
    httpx_transport,
    use_cassette,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TARGET = f"/v1beta/models/{MODEL}:streamGenerateContent"
SENT = {"x-goog-api-key": KEY, **HEADERS}


def known(path: Path) -> None:
    """A cassette that has something else already."""
    with Recorder(ScriptedTransport("something else"), path) as recorder:
        client = client_of(recorder, "http://127.0.0.1")
        client.chats.create(model=MODEL).send_message("something")


def missing(inner: Any, path: Path) -> Any:
    """A transport that records what is missing."""
    known(path)
    return use_cassette(path, mode="record-missing", inner=inner)


MODES: dict[str, Callable[..., Any]] = {
    "record-missing": missing,
    "live": lambda inner, path: use_cassette(path, mode="live", inner=inner),
    "sliced": lambda inner, path: Faulty(Recorder(inner, path), faults.slice((3,))),
    "cut": lambda inner, path: Faulty(Recorder(inner, path), faults.cut(at=60)),
    "sliced before it is recorded": lambda inner, path: Recorder(Faulty(inner, faults.slice((3,))), path),
}


@pytest.mark.parametrize("sender", ["requests", "aiohttp", "async httpx"])
@pytest.mark.parametrize("ending", ["complete", "error in base64", "401", "in the answer", "truncated"])
@pytest.mark.parametrize("mode", MODES)
def test_modes(tmp_path: Path, capsys: pytest.CaptureFixture[str], sender: str, ending: str, mode: str) -> None:
    """L15: in each mode that sends, and with faults on either side of a recorder."""
    path = tmp_path / "chat.json"
    with (
        watching(tmp_path, capsys) as shown,
        LoopbackServer() as server,
        sending(sender, partial(MODES[mode], path=path)) as caller,
    ):
        for method in ("generateContent", "streamGenerateContent"):
            server.on(f"/v1beta/models/{MODEL}:{method}", ENDINGS[ending])
        transport: Any = caller.transport
        client = client_of(transport, server.url("/"))
        chat, calls = chatting(client, caller)
        failed = run(caller, shown, *calls)
        closed = run(caller, shown, transport.aclose if isinstance(caller, AsyncCaller) else transport.close)
        if ending == "complete" and mode != "cut":
            assert failed == 0
        if ending == "in the answer" and mode not in ("live", "cut"):
            assert closed + failed > 0
        assert {request.header("x-goog-api-key") for request in server.received} == {KEY}
        shown.objects(client=client, transport=transport)
        if ending not in QUOTED and (mode, ending) != ("cut", "truncated"):  # that is no JSON then, and quoted as such
            shown.objects(chat=chat, turns=chat.turns)
        assert path.exists() or mode == "live" or ending != "complete"


# --- programs with clients of their own -----------------------------------------------------------------------------


def through_httpx(library: Any, make: Callable[..., Any], path: Path, url: str, shown: Shown) -> None:
    """Two requests."""
    transport = make(path, mode="record")
    try:
        with library.Client(transport=transport) as client:
            for text in "12":
                asked(shown, partial(client.post, url, headers=SENT, json={"q": text}), library.HTTPError)
    finally:
        shown.objects(transport=transport, inner=transport.transport)


def through_async_httpx(library: Any, make: Callable[..., Any], path: Path, url: str, shown: Shown) -> None:
    """Two requests, awaited."""

    async def ask() -> None:
        transport = make(path, mode="record", inner="aiohttp")
        async with library.AsyncClient(transport=transport) as client:
            for text in "12":
                try:
                    await client.post(url, headers=SENT, json={"q": text})
                except library.HTTPError as error:
                    shown.add("words", f"{error} {error!r}")

    asyncio.run(ask())


def through_aiohttp(path: Path, url: str, shown: Shown) -> None:
    """Two requests over a connector."""

    async def ask() -> None:
        connector = aiohttp_connector(path, mode="record")
        async with aiohttp.ClientSession(connector=connector) as session:
            for text in "12":
                try:
                    async with session.post(url, headers=SENT, json={"q": text}) as response:
                        await response.read()
                except aiohttp.ClientError as error:
                    shown.add("words", f"{error} {error!r}")
            shown.objects(connector=connector)

    asyncio.run(ask())


def through_a_server(path: Path, url: str, shown: Shown) -> None:
    """Two requests through a proxy that records."""
    host = url.removesuffix(TARGET)
    with Served(path, mode="record", upstream=host) as served, httpx.Client() as client:
        for text in "12":
            asked(shown, partial(client.post, served.url + TARGET, headers=SENT, json={"q": text}))
        shown.objects(served=served)


def asked(shown: Shown, call: Callable[[], Any], kind: type[Exception] = httpx.HTTPError) -> None:
    """Make a request; an error of the library is its own, and holds the request, but its words are told."""
    try:
        call()
    except kind as error:
        shown.add("words", f"{error} {error!r}")


WAYS: dict[str, Callable[[Path, str, Shown], None]] = {
    "httpx": partial(through_httpx, httpx, httpx_transport),
    "httpx2": partial(through_httpx, httpx2, httpx2_transport),
    "async httpx": partial(through_async_httpx, httpx, httpx_transport),
    "async httpx2": partial(through_async_httpx, httpx2, httpx2_transport),
    "aiohttp": through_aiohttp,
    "served": through_a_server,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ending", ["complete", "error in base64", "in the answer", "in headers", "reset"])
def test_adapters(tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str, ending: str) -> None:
    """L15: a program may use any library; what was quoted is refused, and the refusal quotes nothing."""
    path = tmp_path / "chat.json"
    refusal: CassetteError | None = None
    with watching(tmp_path, capsys, log=False) as shown, LoopbackServer() as server:
        server.on(TARGET, ENDINGS[ending])
        try:
            WAYS[way](path, server.url(TARGET), shown)
        except CassetteError as error:
            refusal = error
            shown.add("refusal", f"{error} {error!r} {getattr(error, '__notes__', '')}")
        assert {request.header("x-goog-api-key") for request in server.received} == {KEY}
    quoted = ending in ("error in base64", "in the answer", "in headers")  # nobody masks those for other libraries
    assert isinstance(refusal, CredentialInCassette) == quoted
    assert path.exists() == (not quoted)
    if not quoted:
        assert Cassette.load(path).exchanges
