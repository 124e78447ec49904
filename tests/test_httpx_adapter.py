"""Cassettes for programs that talk through httpx or httpx2: recorded against a server, and played with it gone.

``respond`` is the program's side in every test here: what comes out of it must be the same both times (L14).
"""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

import chatproto
from chatproto.errors import LocalProtocolError
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.servers import CLOSE, RESET, LoopbackServer, Received, chunk, head
from chatproto.testing.wire import error_response, sse, text_response
from chatproto_httpx import HttpxTransport
from chatproto_replay import (
    Cassette,
    CassetteExhausted,
    Chunk,
    CredentialInCassette,
    Exchange,
    Failure,
    Player,
    RecordedRequest,
    RecordedResponse,
    RequestMismatch,
    UnplayedExchanges,
)
from chatproto_replay.clients.foreign import ForeignRequests
from chatproto_replay.clients.httpx_adapter import (
    as_httpx2_transport,
    as_httpx_transport,
    httpx2_transport,
    httpx_transport,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

KEY = "AIzaSyCanary-1234567890+/abcdef"
MODEL = "gemini-3-flash"
UNARY, STREAM = (f"/v1/models/{MODEL}:{verb}" for verb in ("generateContent", "streamGenerateContent"))
TRANSPORTS: dict[Any, Any] = {httpx: httpx_transport, httpx2: httpx2_transport}
AS_TRANSPORTS: dict[Any, Any] = {httpx: as_httpx_transport, httpx2: as_httpx2_transport}
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
RETRIES = types.HttpRetryOptions(attempts=2, initial_delay=0.01, max_delay=0.01, http_status_codes=[503])


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads away from loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


def whole(document: Any, status: int = 200, **headers: Any) -> list[bytes]:
    """A response in one piece."""
    body = json.dumps(document).encode()
    return [head(status, content_length=len(body), content_type="application/json", **headers), body]


def streamed(pieces: list[bytes], *, pause: float = 0.02) -> list[bytes | float]:
    """A stream that comes in these pieces."""
    acts: list[bytes | float] = [head(chunked=True, content_type="text/event-stream")]
    for piece in pieces:
        acts += [chunk(piece), pause]
    return [*acts, chunk()]


EVENTS = sse([text_response("Grüße ", None), text_response("aus ", None), text_response("Köln")])
#: Cut inside a character and between CR and LF.
PIECES = [
    EVENTS[0][:-3],
    EVENTS[0][-3:] + EVENTS[1][: EVENTS[1].index(b"aus")],
    EVENTS[1][EVENTS[1].index(b"aus") :],
    EVENTS[2][: EVENTS[2].index("ö".encode()) + 1],
    EVENTS[2][EVENTS[2].index("ö".encode()) + 1 :],
]


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server that has its moods: the second unary request is refused with 503."""
    asked = iter(range(1000))

    def unary(request: Received) -> list[bytes]:
        assert request.header("x-goog-api-key") == KEY
        number = next(asked)
        if number == 1:
            return whole(error_response(503), 503)
        if b"impossible" in request.body:
            return whole(error_response(400, "that cannot be"), 400)
        return whole(text_response(f"answer {number}", totalTokenCount=7))

    with LoopbackServer() as running:
        running.on(UNARY, unary)
        running.on(STREAM, streamed(PIECES))
        running.on("/items", whole({"items": [1, 2]}, x_request_id="r-1"))
        running.on("/gone", [head(content_length=9), b"half", 0.02, CLOSE])
        running.on("/broken", [head(chunked=True), chunk(b"half"), 0.05, RESET])
        running.on("/slow", [head(chunked=True), chunk(b"half"), 5.0])
        running.on("/silent", [5.0])
        running.on("/pieces", streamed([b"a", b"bc", "dé".encode()[:-1], "é".encode()[1:]]))
        yield running


# --- google-genai ---------------------------------------------------------------------------------------------------


def genai_client(base: str, library: Any, transport: Any) -> genai.Client:
    """The program's client, with its own HTTP clients over the transport."""
    options = types.HttpOptions(
        base_url=base,
        retry_options=RETRIES,
        httpx_client=library.Client(transport=transport),
        httpx_async_client=library.AsyncClient(transport=transport),
    )
    return genai.Client(api_key=KEY, http_options=options)


def chat_with(client: genai.Client) -> list[Any]:
    """What the program sees of a chat: an answer, one after a retry, a stream, an error, and the history."""
    chat = client.chats.create(model=MODEL)
    seen: list[Any] = [chat.send_message("one").text, chat.send_message("two").text]
    seen.append([piece.text for piece in chat.send_message_stream("three")])
    try:
        client.models.generate_content(model=MODEL, contents="impossible")
    except genai_errors.ClientError as error:
        seen.append((error.code, error.status, error.message))
    seen.append([content.model_dump(exclude_none=True) for content in chat.get_history()])
    return seen


async def achat_with(client: genai.Client) -> list[Any]:
    """The same, asynchronously."""
    chat = client.aio.chats.create(model=MODEL)
    seen: list[Any] = [(await chat.send_message("one")).text, (await chat.send_message("two")).text]
    seen.append([piece.text async for piece in await chat.send_message_stream("three")])
    try:
        await client.aio.models.generate_content(model=MODEL, contents="impossible")
    except genai_errors.ClientError as error:
        seen.append((error.code, error.status, error.message))
    seen.append([content.model_dump(exclude_none=True) for content in chat.get_history()])
    return seen


def run_chat(base: str, library: Any, transport: Any, *, asynchronous: bool) -> list[Any]:
    """One of both, with a client of its own."""
    client = genai_client(base, library, transport)
    return asyncio.run(achat_with(client)) if asynchronous else chat_with(client)


@LIBRARIES
@pytest.mark.parametrize("record_async", [False, True], ids=["recorded sync", "recorded async"])
def test_google_genai(server: LoopbackServer, path: Path, library: Any, record_async: bool) -> None:
    """L14: chats, streams, errors and retries of google-genai play as they were recorded, sync and async."""
    make = TRANSPORTS[library]
    with make(path, mode="record") as transport:
        recorded = run_chat(server.url("/"), library, transport, asynchronous=record_async)
        assert transport.transport.recorded == 5
    assert recorded[:4] == [
        "answer 0",
        "answer 2",
        ["Grüße ", "aus ", "Köln"],
        (400, "INVALID_ARGUMENT", "that cannot be"),
    ]
    for asynchronous in (False, True):
        with make(path) as transport:
            assert run_chat("http://elsewhere.invalid/", library, transport, asynchronous=asynchronous) == recorded
            assert transport.transport.played == 5
    assert KEY not in path.read_text()


@LIBRARIES
def test_google_genai_with_client_args(path: Path, library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """google-genai finds out from the transport which library its own clients have to be of."""
    monkeypatch.delenv("GOOGLE_GENAI_HTTP_CLIENT", raising=False)
    make = TRANSPORTS[library]
    inner = ScriptedTransport("fine", "fine too")
    seen: list[Any] = []

    def ask(transport: Any) -> None:
        options = types.HttpOptions(client_args={"transport": transport}, async_client_args={"transport": transport})
        client = genai.Client(api_key=KEY, http_options=options)
        seen.append(client.models.generate_content(model=MODEL, contents="hi").text)
        asked = asyncio.run(client.aio.models.generate_content(model=MODEL, contents="hi"))
        seen.append(asked.text)

    with make(path, mode="record", inner=inner) as transport:
        ask(transport)
    with make(path) as transport:
        ask(transport)
    assert seen == ["fine", "fine too"] * 2


def test_the_same_cassette_through_chatproto(server: LoopbackServer, path: Path) -> None:
    """L14: what google-genai recorded, chatproto's own client plays, and the other way round."""
    with httpx_transport(path, mode="record") as transport:
        client = genai_client(server.url("/"), httpx, transport)
        chat = client.chats.create(model=MODEL)
        expected = [chat.send_message("one").text, [each.text for each in chat.send_message_stream("two")]]
    with Player(path) as player:
        own = chatproto.Client(transport=player).chats.create(model=MODEL)
        assert [own.send_message("one").text, [each.text for each in own.send_message_stream("two")]] == expected
    with Player(path) as player:
        other = genai_client("http://elsewhere.invalid/", httpx2, as_httpx2_transport(player)).chats.create(model=MODEL)
        assert [other.send_message("one").text, [each.text for each in other.send_message_stream("two")]] == expected


# --- plain httpx ----------------------------------------------------------------------------------------------------


def outcome(client: Any, library: Any, method: str, url: str, **options: Any) -> tuple[Any, ...]:
    """The status, the pieces as they came, and the name and words of the error that ended it."""
    pieces: list[bytes] = []
    try:
        with client.stream(method, url, **options) as response:
            for piece in response.iter_raw():
                pieces.append(piece)  # noqa: PERF402 - what had come stays when it breaks
            return response.status_code, pieces, response.headers.get("content-type")
    except library.HTTPError as error:
        return pieces, type(error).__name__, error.request.method, str(error)


async def aoutcome(client: Any, library: Any, method: str, url: str, **options: Any) -> tuple[Any, ...]:
    """The same, asynchronously."""
    pieces: list[bytes] = []
    try:
        async with client.stream(method, url, **options) as response:
            async for piece in response.aiter_raw():
                pieces.append(piece)  # noqa: PERF401
            return response.status_code, pieces, response.headers.get("content-type")
    except library.HTTPError as error:
        return pieces, type(error).__name__, error.request.method, str(error)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("/items", {}),
    ("/pieces", {}),
    ("/gone", {}),
    ("/broken", {}),
    ("/slow", {"timeout": 0.2}),
    ("/silent", {"timeout": 0.2}),
]
FAILURES = ["RemoteProtocolError", "ReadError", "ReadTimeout", "ReadTimeout", "ConnectError"]


def call_all(library: Any, transport: Any, base: str, *, asynchronous: bool) -> list[tuple[Any, ...]]:
    """All of CALLS, and one to a port where nobody listens, through a client of one kind."""
    calls = [(base + target, options) for target, options in CALLS] + [("http://127.0.0.1:1/", {})]
    if not asynchronous:
        with library.Client(transport=transport) as client:
            return [outcome(client, library, "GET", url, **options) for url, options in calls]

    async def run() -> list[tuple[Any, ...]]:
        async with library.AsyncClient(transport=transport) as client:
            return [await aoutcome(client, library, "GET", url, **options) for url, options in calls]

    return asyncio.run(run())


@LIBRARIES
@pytest.mark.parametrize("record_async", [False, True], ids=["recorded sync", "recorded async"])
def test_pieces_and_errors(server: LoopbackServer, path: Path, library: Any, record_async: bool) -> None:
    """L14: the pieces of each body, and the library's own errors, are the same when they are played."""
    recorded = call_all(library, TRANSPORTS[library](path, mode="record"), server.url(""), asynchronous=record_async)
    assert recorded[0] == (200, [b'{"items": [1, 2]}'], "application/json")
    assert recorded[1] == (200, [b"a", b"bc", b"d\xc3", b"\xa9"], "text/event-stream")
    assert [entry[0] for entry in recorded[2:]] == [[b"half"]] * 3 + [[], []]
    assert [entry[1] for entry in recorded[2:]] == FAILURES
    for asynchronous in (False, True):
        played = call_all(library, TRANSPORTS[library](path), "http://elsewhere.invalid", asynchronous=asynchronous)
        assert [entry[:2] for entry in played] == [entry[:2] for entry in recorded]


FAILED = {"connect_failed": "ConnectError", "timed_out": "ReadTimeout", "connection_lost": "RemoteProtocolError"}


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    failure=st.sampled_from([None, *FAILED]),
    library=st.sampled_from([httpx, httpx2]),
)
def test_any_answer(chunks: list[bytes], failure: Any, library: Any) -> None:
    """L10: whatever was recorded comes out of both clients of both libraries, piece by piece, and ends as it ended."""
    response = RecordedResponse(
        status=200, chunks=tuple(Chunk(0, data) for data in chunks), end="truncated" if failure else "complete"
    )
    exchange = Exchange(
        request=RecordedRequest(method="GET", path="/"),
        response=response,
        failure=Failure(kind=failure, message="as recorded", cause="SomeError") if failure else None,
    )
    cassette = Cassette(exchanges=(exchange,))
    expected = (chunks, FAILED[failure], "GET", "as recorded") if failure else (200, chunks, None)
    url = "http://elsewhere.invalid/"

    async def ask() -> tuple[Any, ...]:
        async with library.AsyncClient(transport=AS_TRANSPORTS[library](Player(cassette))) as client:
            return await aoutcome(client, library, "GET", url)

    with library.Client(transport=AS_TRANSPORTS[library](Player(cassette))) as client:
        assert outcome(client, library, "GET", url) == expected
    assert asyncio.run(ask()) == expected


@pytest.mark.parametrize("recorded_by", ["requests", "aiohttp"])
def test_errors_of_other_libraries(server: LoopbackServer, path: Path, recorded_by: str) -> None:
    """What another library's errors are called does not matter: their kind does."""
    record_async = recorded_by == "aiohttp"
    transport = httpx_transport(path, mode="record", inner=recorded_by)
    recorded = call_all(httpx, transport, server.url(""), asynchronous=record_async)
    played = call_all(httpx, httpx_transport(path), "http://elsewhere.invalid", asynchronous=not record_async)
    assert [entry[:2] for entry in played] == [entry[:2] for entry in recorded]
    families = [httpx.TransportError, httpx.ReadError, httpx.TimeoutException, httpx.TimeoutException]
    for entry, family in zip(played[2:], [*families, httpx.ConnectError], strict=True):
        assert issubclass(getattr(httpx, entry[1]), family)


@LIBRARIES
def test_streaming_while_recording(path: Path, library: Any) -> None:
    """The program has the first piece before the server sends the second."""
    seen = threading.Event()

    def answer(_: Received) -> Iterator[bytes]:
        yield head(chunked=True)
        yield chunk(b"first")
        assert seen.wait(5)
        yield chunk(b"second") + chunk()

    with LoopbackServer() as server:
        server.on("/", answer)
        with (
            library.Client(transport=TRANSPORTS[library](path, mode="record")) as client,
            client.stream("GET", server.url("/")) as response,
        ):
            pieces = response.iter_bytes()
            assert next(pieces) == b"first"
            seen.set()
            assert list(pieces) == [b"second"]
    assert [each.data for each in response_in(path).chunks] == [b"first", b"second"]


def response_in(path: Path, number: int = 0) -> Any:
    """The recorded response of an exchange."""
    response = Cassette.load(path).exchanges[number].response
    assert response is not None
    return response


def test_a_compressed_answer(path: Path) -> None:
    """What was decoded is not decoded again, by nobody."""
    body = gzip.compress(b'{"a": 1}')
    with LoopbackServer() as server:
        server.on("/", [head(content_length=len(body), content_encoding="gzip", x_request_id="7"), body])
        with httpx.Client(transport=httpx_transport(path, mode="record")) as client:
            recorded = client.get(server.url("/"))
        assert (recorded.json(), recorded.headers["x-request-id"]) == ({"a": 1}, "7")
    with httpx.Client(transport=httpx_transport(path)) as client:
        assert client.get("http://elsewhere.invalid/").json() == {"a": 1}


def test_bodies_that_are_streams(path: Path) -> None:
    """They are read, sent with their length, and compared."""

    def parts() -> Iterator[bytes]:
        yield b'{"a":'
        yield b" 1}"

    async def aparts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    with LoopbackServer() as server:
        server.on("/", whole({}))
        with httpx.Client(transport=httpx_transport(path, mode="record")) as client:
            client.post(server.url("/"), content=parts())
        assert (server.received[0].body, server.received[0].header("content-length")) == (b'{"a": 1}', "8")

    async def play(content: Any) -> None:
        async with httpx.AsyncClient(transport=httpx_transport(path)) as client:
            await client.post("http://elsewhere.invalid/", content=content)

    asyncio.run(play(aparts()))
    with pytest.raises(RequestMismatch, match=r"\$\.a: recorded 1, now 2"):
        asyncio.run(play(b'{"a": 2}'))


def test_a_transport_of_the_program(path: Path) -> None:
    """``inner=HttpxTransport(client)`` sends through the program's own client, which is not closed."""
    with LoopbackServer() as server, httpx.Client(headers={"x-mine": "1"}) as mine:
        server.on("/", whole({}))
        with httpx.Client(transport=httpx_transport(path, mode="record", inner=HttpxTransport(mine))) as client:
            client.get(server.url("/"))
        assert server.received[0].header("x-mine") == "1"
        assert not mine.is_closed


def test_record_missing_and_live(path: Path) -> None:
    """The other modes of ``use_cassette``: what is there is played, and ``live`` writes nothing."""
    with LoopbackServer() as server:
        server.on("/a", whole({"is": "a"}))
        server.on("/b", whole({"is": "b"}))
        for targets in (["/a"], ["/a", "/b"]):
            with httpx.Client(transport=httpx_transport(path, mode="record-missing")) as client:
                assert [client.get(server.url(each)).json()["is"] for each in targets] == [each[1] for each in targets]
        assert [each.target for each in server.received] == ["/a", "/b"]
        with httpx.Client(transport=httpx_transport(path.with_name("none.json"), mode="live")) as client:
            assert client.get(server.url("/a")).json() == {"is": "a"}
        assert not path.with_name("none.json").exists()


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["query", "x-goog-api-key", "authorization", "x-unheard-of", "user"])
def test_credentials(path: Path, place: str) -> None:
    """L15: whatever way it went to the server, it is not in the cassette; and an answer that quotes it is refused."""
    options: dict[str, Any] = {"headers": {"x-stainless-lang": "python-of-some-kind"}}
    target, auth = "", ""
    match place:
        case "query":
            target = f"?key={KEY.replace('+', '%2B')}"
        case "authorization":
            options["headers"][place] = f"Bearer {KEY}"
        case "user":
            auth = f"user:{KEY.replace('+', '%2B').replace('/', '%2F')}@"
        case _:
            options["headers"][place] = KEY
    with LoopbackServer() as server:
        server.on("/", whole({"says": "python-of-some-kind, which is no secret"}))
        server.on("/echo", whole({"key": KEY}))
        url = server.url("").replace("://", f"://{auth}")
        transport = httpx_transport(path, mode="record")
        with pytest.raises(CredentialInCassette) as caught, httpx.Client(transport=transport) as client:
            assert client.get(f"{url}/{target}", **options).status_code == 200
            client.get(f"{url}/echo{target}", **options)
        assert KEY not in str(caught.value)
        got = server.received[0]
        sent = got.target + str(got.headers)
        assert {"query": "?key=AIza", "user": "basic"}.get(place, KEY).lower() in sent.lower()
    assert KEY not in path.read_text()
    assert "AIza" not in path.read_text()
    played = httpx_transport(path)
    with httpx.Client(transport=played) as client:  # and no key is needed to play
        assert client.get("http://elsewhere.invalid/").status_code == 200


def test_a_request_with_a_key_is_printed_without() -> None:
    """L15: nobody who prints the request or the secrets sees the credential."""
    request, secrets = ForeignRequests().read(
        method="GET", url=f"https://a.invalid/x?alt=sse&key={KEY}", headers=[("Cookie", f"a={KEY}")], content=b"",
        timeout=None,
    )  # fmt: skip
    assert KEY in request.url
    assert repr(request).startswith("Request(method='GET', url='https://a.invalid/x?alt=sse&key=***'")
    assert KEY not in repr((request, secrets))
    assert secrets.headers_for(request) == (("cookie", f"a={KEY}"),)


def test_the_same_credentials_are_the_same_object() -> None:
    """A recorder keeps all secrets that it has seen: a long program has one."""
    read = ForeignRequests().read
    asked = [
        read(method="GET", url="https://a.invalid/", headers=[("x-api-key", key)], content=b"", timeout=None)[1]
        for key in ("one-key", "one-key", "other-key")
    ]
    assert asked[0] is asked[1]
    assert asked[1] is not asked[2]


def test_two_keys_in_queries(path: Path) -> None:
    """L15: with the same headers, the key of the second client is something new to look for."""
    keys = ["AIzaSyFirst-1234567890_abcdef", "AIzaSySecond-1234567890_abcdef"]
    inner = ScriptedTransport(Answer({"ok": 1}), Answer({"bad key": keys[1]}))
    with pytest.raises(CredentialInCassette), httpx_transport(path, mode="record", inner=inner) as transport:
        client = httpx.Client(transport=transport)
        for key in keys:
            client.post("https://a.invalid/x", params={"key": key}, json={"q": key[:9]})
    assert len(Cassette.load(path).exchanges) == 1
    assert keys[1] not in path.read_text()


def test_clients_with_keys_of_their_own() -> None:
    """Two threads over one transport: each request goes with the key that its client gave it."""
    both_have_stored = threading.Barrier(2, timeout=10)

    class Reader(ForeignRequests):
        ready = False

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if self.ready and name != "ready":
                both_have_stored.wait()

    reader = Reader()
    reader.ready = True
    sent: dict[str, Any] = {}

    def ask(key: str) -> None:
        request, secrets = reader.read(
            method="GET", url="https://a.invalid/", headers=[("x-api-key", key)], content=b"", timeout=None
        )
        sent[key] = secrets.headers_for(request)

    threads = [threading.Thread(target=ask, args=(key,)) for key in ("key-of-one", "key-of-two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == {key: (("x-api-key", key),) for key in ("key-of-one", "key-of-two")}


# --- closing --------------------------------------------------------------------------------------------------------


def record(path: Path, *targets: str) -> None:
    """A cassette with these requests."""
    inner = ScriptedTransport(*[Answer({"is": target}) for target in targets])
    with httpx.Client(transport=httpx_transport(path, mode="record", inner=inner)) as client:
        for target in targets:
            client.get(f"http://elsewhere.invalid{target}")


def test_what_is_left(path: Path) -> None:
    """Closing the client raises it; not over an exception of the program's own; and in a ``with`` block, at its end."""
    record(path, "/a", "/b")

    def ask(*targets: str, transport: Any) -> None:
        with httpx.Client(transport=transport) as client:
            for target in targets:
                client.get(f"http://elsewhere.invalid{target}")

    with pytest.raises(UnplayedExchanges, match="1 of 2"):
        ask("/a", transport=httpx_transport(path))
    with pytest.raises(KeyError), httpx.Client(transport=httpx_transport(path)):
        raise KeyError
    with httpx_transport(path) as transport:
        ask("/a", transport=transport)
        ask("/b", transport=transport)
    with pytest.raises(LocalProtocolError, match="closed"):
        ask("/a", transport=transport)

    async def aask(transport: Any) -> None:
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get("http://elsewhere.invalid/a")

    with pytest.raises(UnplayedExchanges):
        asyncio.run(aask(httpx_transport(path)))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_program_that_swallows_errors(path: Path, asynchronous: bool) -> None:
    """A request that did not fit is told again in the end, before what is left because of it."""
    record(path, "/a")

    def ask(transport: Any) -> None:
        with httpx.Client(transport=transport) as client:
            for target in ("/b", "/c"):
                with pytest.raises(RequestMismatch):
                    client.get(f"http://elsewhere.invalid{target}")

    async def aask(transport: Any) -> None:
        async with httpx.AsyncClient(transport=transport) as client:
            for target in ("/b", "/c"):
                with pytest.raises(RequestMismatch):
                    await client.get(f"http://elsewhere.invalid{target}")

    with pytest.raises(RequestMismatch, match="GET /b is not the recorded exchange"):
        if asynchronous:
            asyncio.run(aask(httpx_transport(path)))
        else:
            ask(httpx_transport(path))


def test_a_transport_that_was_handed_in(path: Path) -> None:
    """It is not closed with a client, so that several can share it; it may be synchronous only."""
    record(path, "/a", "/b")
    player = Player(path)
    for library, target in ((httpx, "/a"), (httpx2, "/b")):
        with library.Client(transport=AS_TRANSPORTS[library](player)) as client:
            assert client.get(f"http://elsewhere.invalid{target}").json() == {"is": target}
    with pytest.raises(CassetteExhausted), httpx.Client(transport=as_httpx_transport(player)) as client:
        client.get("http://elsewhere.invalid/c")
    with pytest.raises(CassetteExhausted):
        player.close()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_program_that_fails_after_it_swallowed_an_error(path: Path, asynchronous: bool) -> None:
    """Its own exception passes, with a note of the request that did not fit, and none of what was left because of it.

    An error of the cassette that passes itself has no note, and its traceback.
    """
    record(path, "/a")

    def ask(transport: Any, then: BaseException | None) -> None:
        with transport, httpx.Client(transport=transport) as client:
            if then is None:
                client.get("http://elsewhere.invalid/b")
            elif isinstance(then, KeyError):
                with pytest.raises(RequestMismatch):
                    client.get("http://elsewhere.invalid/b")
            raise then or AssertionError

    async def aask(transport: Any, then: BaseException | None) -> None:
        async with transport, httpx.AsyncClient(transport=transport) as client:
            if then is None:
                await client.get("http://elsewhere.invalid/b")
            elif isinstance(then, KeyError):
                with pytest.raises(RequestMismatch):
                    await client.get("http://elsewhere.invalid/b")
            raise then or AssertionError

    def notes(then: BaseException | None, kind: type[BaseException]) -> list[str]:
        with pytest.raises(kind) as caught:
            if asynchronous:
                asyncio.run(aask(httpx_transport(path), then))
            else:
                ask(httpx_transport(path), then)
        assert any(entry.name in ("handle_request", "handle_async_request") for entry in caught.traceback) == (not then)
        return getattr(caught.value, "__notes__", [])

    (note,) = notes(KeyError("mine"), KeyError)
    assert note.startswith("Before that, the cassette's transport failed: ")
    assert "GET /b is not the recorded exchange" in note
    assert notes(ValueError("mine"), ValueError) == []
    assert notes(None, RequestMismatch) == []


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_leaving_a_stream(server: LoopbackServer, path: Path, asynchronous: bool) -> None:
    """A program that has enough gives the connection up, and what it saw is recorded."""

    def leave(transport: Any) -> bytes:
        with (
            httpx.Client(transport=transport) as client,
            client.stream("GET", server.url("/slow")) as response,
        ):
            return next(response.iter_raw())

    async def aleave(transport: Any) -> bytes:
        async with (
            httpx.AsyncClient(transport=transport) as client,
            client.stream("GET", server.url("/slow")) as response,
        ):
            return await anext(response.aiter_raw())

    run: Callable[[Any], bytes] = (lambda transport: asyncio.run(aleave(transport))) if asynchronous else leave
    assert run(httpx_transport(path, mode="record")) == b"half"
    assert response_in(path).end == "abandoned"
    assert server.wait_until_idle(2)
    assert run(httpx_transport(path)) == b"half"


# --- clients in the style of openai ---------------------------------------------------------------------------------

COMPLETIONS = "/v1beta/openai/chat/completions"
DELTAS = [{"choices": [{"index": 0, "delta": {"content": text}}], "id": "c", "object": "chat.completion.chunk"}
          for text in ("Hel", "lo")]  # fmt: skip
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": MODEL,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
}


@pytest.fixture
def compatible() -> Iterator[LoopbackServer]:
    """Gemini's OpenAI-compatible endpoint, after one refusal."""
    refusals = iter([whole([error_response(503)], 503, retry_after="0")])

    def answer(request: Received) -> Any:
        assert request.header("authorization") == f"Bearer {KEY}"
        if json.loads(request.body).get("stream"):
            return streamed(
                [b"data: " + json.dumps(each).encode() + b"\n\n" for each in DELTAS] + [b"data: [DONE]\n\n"]
            )
        return next(refusals, whole(COMPLETION))

    with LoopbackServer() as running:
        running.on(COMPLETIONS, answer)
        yield running


@LIBRARIES
def test_the_way_openai_uses_its_client(compatible: LoopbackServer, path: Path, library: Any) -> None:
    """Requests built by the client, sent with ``stream=``, closed on a status that is tried again, lines of events."""

    def ask(base: str, transport: Any) -> list[Any]:
        headers = {"authorization": f"Bearer {KEY}", "x-stainless-lang": "python", "idempotency-key": "retry-1"}
        seen: list[Any] = []
        with library.Client(base_url=base + "/v1beta/openai/", transport=transport) as client:
            for stream in (False, False, True):
                document = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
                request = client.build_request("POST", "chat/completions", headers=headers, json=document, timeout=30)
                response = client.send(request, stream=stream)
                try:
                    response.raise_for_status()
                except library.HTTPStatusError as error:
                    error.response.close()
                    error.response.read()
                    seen.append((response.status_code, response.headers["retry-after"]))
                    continue
                seen.append(list(response.iter_lines()) if stream else response.json())
        return seen

    recorded = ask(compatible.url(""), TRANSPORTS[library](path, mode="record"))
    assert recorded[:2] == [(503, "0"), COMPLETION]
    assert recorded[2][-2] == "data: [DONE]"
    assert ask("http://elsewhere.invalid", TRANSPORTS[library](path)) == recorded


def test_openai_itself(compatible: LoopbackServer, path: Path) -> None:
    """The library, where it is installed: a retry, an answer, a stream, and a mismatch that it takes for an outage."""
    openai: Any = pytest.importorskip("openai")
    base_client = openai._base_client  # which of the two libraries it is made for differs between versions
    library: Any = base_client.httpx2 if hasattr(base_client, "httpx2") else base_client.httpx
    make = TRANSPORTS[library]

    def ask(base: str, transport: Any, text: str = "hi") -> list[Any]:
        with openai.OpenAI(
            api_key=KEY, base_url=f"{base}/v1beta/openai/", http_client=library.Client(transport=transport)
        ) as client:
            messages = [{"role": "user", "content": text}]
            one = client.chat.completions.create(model=MODEL, messages=messages)
            stream = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            return [one.choices[0].message.content, [each.choices[0].delta.content for each in stream]]

    recorded = ask(compatible.url(""), make(path, mode="record"))
    assert recorded == ["Hello", ["Hel", "lo"]]
    assert len(Cassette.load(path).exchanges) == 3
    assert ask("http://elsewhere.invalid", make(path)) == recorded
    with pytest.raises(RequestMismatch), make(path) as transport:
        with pytest.raises(openai.APIConnectionError) as caught:
            ask("http://elsewhere.invalid", transport, "something else")
        assert isinstance(caught.value.__cause__, RequestMismatch)


# --- the module -----------------------------------------------------------------------------------------------------


def test_neither_library_is_imported_for_nothing() -> None:
    """Importing the module loads no HTTP library; one function loads one."""
    script = """
import sys
from chatproto_replay.clients import httpx_adapter
from chatproto_replay.player import Player
loaded = [name for name in ("httpx", "httpx2", "aiohttp", "requests") if name in sys.modules]
assert not loaded, loaded
httpx_adapter.as_httpx2_transport(None)
assert "httpx2" in sys.modules and "httpx" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
