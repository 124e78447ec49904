"""Recorder: what passes is what is written, and no credential is."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import chatproto.transport
from chatproto.errors import ConnectFailed, ConnectionLost, LocalProtocolError, TimedOut, TransportError
from chatproto.testing.scripted import Answer, ScriptedTransport
from chatproto.testing.servers import LoopbackServer
from chatproto.transport import AsyncTransport, Secrets, Transport
from chatproto.wire.http import Request
from chatproto_replay import (
    Cassette,
    CassetteError,
    CredentialInCassette,
    Player,
    Recorder,
    cassette_schema,
)
from chatproto_requests import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "https://generativelanguage.googleapis.com"
KEY = "AIzaSyCanary-1234567890+/abcdef"
SECRETS = Secrets({"x-goog-api-key": KEY}, url=HOST)
OTHER = Secrets({"x-goog-api-key": "another-key-altogether"}, url=HOST)
CHUNKS = st.lists(st.binary(min_size=1, max_size=12) | st.text(min_size=1, max_size=6).map(str.encode), max_size=5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette is."""
    return tmp_path / "chat.json"


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server on loopback."""
    with LoopbackServer() as running:
        yield running


def request_for(text: str = "hi", url: str = f"{HOST}/v1beta/models/m:streamGenerateContent?alt=sse") -> Request:
    """A streamed request with this text."""
    body = json.dumps({"contents": [{"parts": [{"text": text}]}]}).encode()
    return Request(method="POST", url=url, headers=(("content-type", "application/json"),), body=(body,), timeout=5)


def outcome(transport: Transport, request: Request, secrets: Secrets = SECRETS) -> tuple[Any, ...]:
    """Everything that a driver sees of an exchange."""
    got: list[bytes] = []
    try:
        with transport.open(request, secrets) as response:
            head_ = response.status, dict(response.headers).get("content-type")
            while data := response.read():
                got.append(data)
            return *head_, got, None, ""
    except TransportError as error:
        return got, type(error), str(error)


async def aoutcome(transport: AsyncTransport, request: Request) -> tuple[Any, ...]:
    """``outcome``, awaited."""
    got: list[bytes] = []
    try:
        async with transport.aopen(request, SECRETS) as response:
            head_ = response.status, dict(response.headers).get("content-type")
            while data := await response.aread():
                got.append(data)
            return *head_, got, None, ""
    except TransportError as error:
        return got, type(error), str(error)


def check(path: Path) -> Any:
    """The file keeps to the schema; its JSON."""
    document = json.loads(path.read_text("utf-8"))
    Draft202012Validator(cassette_schema()).validate(document)
    return document


# --- round trips ----------------------------------------------------------------------------------------------------

ANSWERS = st.one_of(
    st.builds(lambda chunks: Answer(chunks=chunks, headers={"content-type": "text/event-stream"}), CHUNKS),
    st.builds(lambda chunks, at: Answer(chunks=chunks, cut_at=at), CHUNKS, st.integers(0, 20)),
    st.builds(lambda chunks, at: Answer(chunks=chunks, stall_at=at), CHUNKS, st.integers(0, 20)),
    st.builds(lambda status: Answer({"error": {"code": status}}, status=status), st.sampled_from([400, 429, 503])),
    st.sampled_from([ConnectFailed("refused", cause="ConnectError"), TimedOut("slow"), TransportError("odd")]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3), asynchronous=st.booleans())
def test_what_was_recorded_replays_the_same(path: Path, answers: list[Any], asynchronous: bool) -> None:
    """L14: chunks, their boundaries, ends and failures, recorded and played, sync and async, are the same."""
    requests = [request_for(str(number)) for number in range(len(answers))]
    script = ScriptedTransport(*answers)
    if asynchronous:

        async def record() -> list[tuple[Any, ...]]:
            async with Recorder(script, path) as recorder:
                return [await aoutcome(recorder, request) for request in requests]

        live = asyncio.run(record())
    else:
        with Recorder(script, path) as recorder:
            live = [outcome(recorder, request) for request in requests]
    assert not script.closed
    check(path)
    with Player(path) as player:
        assert [outcome(player, request) for request in requests] == live

    async def play() -> list[tuple[Any, ...]]:
        async with Player(path) as player:
            return [await aoutcome(player, request) for request in requests]

    assert asyncio.run(play()) == live
    path.unlink()


# --- when and what is written ---------------------------------------------------------------------------------------


def test_the_file_is_there_after_each_exchange(path: Path) -> None:
    """A crash costs the open exchange at most; a recorder that sent nothing leaves an old file alone."""
    path.write_text("old")
    with Recorder(ScriptedTransport(), path):
        pass
    assert path.read_text() == "old"
    recorder = Recorder(ScriptedTransport("a", "b"), path)
    outcome(recorder, request_for("1"))
    assert len(Cassette.load(path).exchanges) == 1
    outcome(recorder, request_for("2"))
    assert len(Cassette.load(path).exchanges) == 2
    assert Cassette.load(path).transport == "ScriptedTransport"


def test_exchanges_are_in_the_order_of_their_requests(path: Path) -> None:
    """Also where a later one ends first."""
    with Recorder(ScriptedTransport("a", "b"), path) as recorder:
        first = recorder.open(request_for("1"), SECRETS)
        response = first.__enter__()
        outcome(recorder, request_for("2"))
        assert list(iter(response.read, b""))
        first.__exit__(None, None, None)
    with Player(path) as player:
        outcome(player, request_for("1"))
        outcome(player, request_for("2"))


@pytest.mark.parametrize("way", ["discard", "exit", "close"])
def test_leaving_early(path: Path, way: str) -> None:
    """What had arrived is recorded as abandoned: it plays the same to a reader that leaves, and not as a whole body."""
    recorder = Recorder(ScriptedTransport(Answer(chunks=[b"a", b"b"])), path)
    opened = recorder.open(request_for(), SECRETS)
    response = opened.__enter__()
    assert response.read() == b"a"
    if way == "discard":
        response.discard()
    elif way == "exit":
        opened.__exit__(None, None, None)
    recorder.close()
    assert check(path)["exchanges"][0]["response"]["end"] == "abandoned"
    got, kind, _ = outcome(Player(path), request_for())
    assert (got, kind) == ([b"a"], ConnectionLost)


def test_a_request_that_is_interrupted_is_not_recorded(path: Path) -> None:
    """Ctrl-C before the head: there is nothing to record, and nothing is."""
    recorder = Recorder(ScriptedTransport(KeyboardInterrupt(), "b"), path)
    with pytest.raises(KeyboardInterrupt):
        outcome(recorder, request_for("1"))
    outcome(recorder, request_for("2"))
    recorder.close()
    assert [
        each.request.body.value["contents"][0]["parts"][0]["text"]
        for each in Cassette.load(path).exchanges
        if each.request.body
    ] == ["2"]


def test_only_what_is_allowed_is_written(path: Path) -> None:
    """Headers and query parameters that nobody allowed stay out; projects and hosts too."""
    answer = Answer({"a": 1}, headers={"set-cookie": "session=1", "x-request-id": "7", "retry-after": "3"})
    url = f"{HOST}/v1/projects/secret-project/models/m:generateContent?alt=sse&key={KEY}&trace=mine"
    request = Request(
        method="POST",
        url=url,
        headers=(("content-type", "application/json"), ("x-goog-user-project", "p")),
        body=(b"{}",),
    )
    with Recorder(ScriptedTransport(answer), path) as recorder:
        outcome(recorder, request)
    exchange = check(path)["exchanges"][0]
    assert exchange["request"]["path"] == "/v1/projects/_/models/m:generateContent"
    assert exchange["request"]["query"] == {"alt": "sse", "trace": None}
    assert exchange["request"]["headers"] == {"content-type": "application/json"}
    assert exchange["response"]["headers"] == {"retry-after": "3", "content-type": "application/json; charset=UTF-8"}
    text = path.read_text()
    assert not any(word in text for word in ("session=1", "secret-project", "googleapis", "mine", KEY))
    with Player(path) as player:
        outcome(player, request)


def test_the_url_of_an_upload(path: Path) -> None:
    """It is written without host and session, and played with the host that is being talked to."""
    upload = f"{HOST}/upload/v1beta/files?upload_id=very-secret&upload_protocol=resumable"
    start = Request(method="POST", url=f"{HOST}/upload/v1beta/files", body=(b"{}",))
    answers = [Answer(chunks=[], headers={"x-goog-upload-url": upload}), Answer({"file": {}})]
    with Recorder(ScriptedTransport(*answers), path) as recorder:
        outcome(recorder, start)
        outcome(recorder, Request(method="POST", url=upload, body=(b"\xff\x00",)))
    assert "very-secret" not in path.read_text()
    with Player(path) as player:
        with player.open(start, SECRETS) as response:
            url = dict(response.headers)["x-goog-upload-url"]
            assert url == f"{HOST}/upload/v1beta/files?upload_id=_&upload_protocol=resumable"
            assert response.read() == b""
        outcome(player, Request(method="POST", url=url, body=(b"\xff\x00",)))


# --- credentials ----------------------------------------------------------------------------------------------------

FORMS = {
    "plain": KEY.encode(),
    "base64": base64.b64encode(KEY.encode()),
    "base64 at an offset": base64.b64encode(b"xx" + KEY.encode() + b"yy"),
    "base64 for URLs": base64.urlsafe_b64encode(KEY.encode()),
    "percent-encoded": quote(KEY, safe="").encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_credential_in_a_response_is_refused(path: Path, form: bytes) -> None:
    """L15: the exchange is not written, in whatever form the key came and however it was cut; the recorder stops.

    The answer itself reaches the program whole. It is told by the next request, or else when it closes the recorder.
    """
    body = b'{"echo": "' + form + b'"}'
    cut = Answer(chunks=[body[:20], body[20:]], every=None)
    recorder = Recorder(ScriptedTransport("clean", cut, "more"), path)
    outcome(recorder, request_for("1"))
    before = path.read_bytes()
    assert outcome(recorder, request_for("2"))[2] == [body[:20], body[20:]]
    for _ in range(2):
        with pytest.raises(CredentialInCassette, match=r"the response of POST .* holds a credential") as caught:
            outcome(recorder, request_for("3"))
        assert KEY not in str(caught.value)
    recorder.close()
    assert path.read_bytes() == before
    assert recorder.recorded == 1
    recorder = Recorder(ScriptedTransport(Answer(chunks=[body])), path)
    outcome(recorder, request_for("1"))
    with pytest.raises(CredentialInCassette, match="the response of POST"):
        recorder.close()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_credential_in_a_request_is_not_even_sent(path: Path, form: bytes) -> None:
    """It is refused before the inner transport sees it, and no file comes to be."""
    inner = ScriptedTransport("never")
    with Recorder(inner, path) as recorder, pytest.raises(CredentialInCassette, match="the request of POST"):
        outcome(recorder, request_for(form.decode()))
    assert inner.requests == []
    assert not path.exists()


def test_a_credential_of_another_client(path: Path) -> None:
    """All keys that went through the recorder are looked for in all that is written after."""
    recorder = Recorder(ScriptedTransport("a", Answer(chunks=[KEY.encode()])), path)
    outcome(recorder, request_for("1"), SECRETS)
    outcome(recorder, request_for("2"), OTHER)
    with pytest.raises(CredentialInCassette):
        recorder.close()


def test_a_credential_that_is_known_too_late(path: Path) -> None:
    """What was written before its key was known is taken out again, and that is told."""
    recorder = Recorder(ScriptedTransport("clean", Answer(chunks=[b"another-key-altogether"]), "never"), path)
    outcome(recorder, request_for("1"))
    outcome(recorder, request_for("2"))
    assert len(Cassette.load(path).exchanges) == 2
    with pytest.raises(CredentialInCassette, match=r"written to .* before, holds a credential of another client"):
        outcome(recorder, request_for("3"), OTHER)
    recorder.close()
    assert "another-key" not in path.read_text()
    assert len(Cassette.load(path).exchanges) == 1


def test_a_credential_that_becomes_known_while_an_answer_is_read(path: Path) -> None:
    """A request that was sent before is searched again for it."""
    recorder = Recorder(ScriptedTransport("a", "b"), path)
    with recorder.open(request_for("another-key-altogether"), SECRETS) as response:
        outcome(recorder, request_for("2"), OTHER)
        while response.read():
            pass
    with pytest.raises(CredentialInCassette, match="the request of POST"):
        recorder.close()
    assert len(Cassette.load(path).exchanges) == 1


def test_a_credential_that_is_found_too_late_to_raise(path: Path) -> None:
    """Giving a response up does not raise; closing the recorder then does, unless another exception is on its way."""

    def record(then: Exception | None) -> None:
        with Recorder(ScriptedTransport(Answer(chunks=[KEY.encode(), b"x"])), path) as recorder:
            response = recorder.open(request_for(), SECRETS).__enter__()
            response.read()
            response.discard()
            if then is not None:
                raise then

    with pytest.raises(CredentialInCassette):
        record(None)
    with pytest.raises(KeyError, match="mine"):
        record(KeyError("mine"))
    assert not path.exists()


def test_a_credential_in_an_error(path: Path) -> None:
    """The words of a failure are withheld where they quote the key; the failure is recorded all the same."""
    error = ConnectFailed(f"no route to {HOST}/?key={KEY}", cause="ConnectError")
    with Recorder(ScriptedTransport(error, ConnectFailed(f"no route to {HOST}")), path) as recorder:
        outcome(recorder, request_for("1"))
        outcome(recorder, request_for("2"))
    first, second = (each["failure"] for each in check(path)["exchanges"])
    assert first["kind"] == "connect_failed"
    assert "withheld" in first["message"]
    assert second["message"] == "no route to https://HOST"
    assert KEY not in path.read_text()


def test_secrets_are_passed_on_unread(path: Path) -> None:
    """The recorder asks one thing of secrets, and hands the very object to the inner transport."""
    seen: list[Secrets] = []

    class Inner(ScriptedTransport):
        def open(self, request: Request, secrets: Secrets) -> Any:
            seen.append(secrets)
            return super().open(request, secrets)

    with Recorder(Inner("a"), path) as recorder:
        outcome(recorder, request_for())
    assert seen[0] is SECRETS


# --- the inner transport --------------------------------------------------------------------------------------------


def test_an_inner_transport_by_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up on first use and closed with the recorder; None is what the client itself would use."""
    made: list[tuple[str, ScriptedTransport]] = []

    def find(name: str, **_: Any) -> ScriptedTransport:
        made.append((name, ScriptedTransport("a", "b")))
        return made[-1][1]

    monkeypatch.setattr("chatproto_replay.inner.find_transport", find)
    assert chatproto.transport.find_transport is not find
    with Recorder("mine", path) as recorder:
        assert made == []
        assert recorder.needs_credential
        outcome(recorder, request_for("1"))
        outcome(recorder, request_for("2"))
    assert [(name, transport.closed) for name, transport in made] == [("mine", True)]
    assert Cassette.load(path).transport == "mine"
    made.clear()

    async def run() -> None:
        async with Recorder(None, path) as recorder:
            await aoutcome(recorder, request_for("1"))
            await recorder.asleep(1)

    asyncio.run(run())
    with Recorder(None, path) as recorder:
        outcome(recorder, request_for("1"))
        recorder.sleep(1)
    assert [(name, each.closed, each.slept) for name, each in made] == [("aiohttp", True, [1]), ("requests", True, [1])]


def test_an_inner_transport_of_the_wrong_kind(path: Path) -> None:
    """A synchronous transport cannot be awaited, and that is said."""
    recorder = Recorder(RequestsTransport(), path)
    with pytest.raises(LocalProtocolError, match="RequestsTransport, is not asynchronous"):
        recorder.aopen(request_for(), SECRETS)


def test_a_recorder_over_a_player(path: Path, tmp_path: Path) -> None:
    """Recording a replay gives the same exchanges, and needs no key."""
    with Recorder(ScriptedTransport("a"), path) as recorder:
        assert not recorder.needs_credential
        outcome(recorder, request_for())
    with Player(path) as player, Recorder(player, tmp_path / "again.json") as recorder:
        outcome(recorder, request_for())
    once, again = (Cassette.load(each).exchanges[0] for each in (path, tmp_path / "again.json"))
    assert once.request == again.request
    assert once.response is not None
    assert again.response is not None
    assert once.response.content == again.response.content


def test_a_closed_recorder(path: Path) -> None:
    """It takes no further requests; closing it twice is nothing."""
    recorder = Recorder(ScriptedTransport("a"), path)
    recorder.close()
    recorder.close()
    with pytest.raises(LocalProtocolError, match="closed"):
        outcome(recorder, request_for())


def test_cancellation(path: Path) -> None:
    """A task that is cancelled while it waits for a chunk leaves what had arrived, as abandoned."""

    class Stuck(ScriptedTransport):
        def aopen(self, request: Request, secrets: Secrets) -> Any:
            opened = super().aopen(request, secrets)
            enter = opened.__aenter__

            class Opened:
                async def __aenter__(self) -> Any:
                    response = await enter()
                    read = response.aread

                    async def aread() -> bytes:
                        data = await read()
                        if not data:
                            await asyncio.sleep(60)
                        return data

                    response.aread = aread  # type: ignore[method-assign]
                    return response

                async def __aexit__(self, *_: object) -> None:
                    return None

            return Opened()

    async def run() -> None:
        async with Recorder(Stuck(Answer(chunks=[b"a"])), path) as recorder:
            task = asyncio.create_task(aoutcome(recorder, request_for()))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    gc.collect()
    response = check(path)["exchanges"][0]["response"]
    assert (response["end"], len(response["chunks"])) == ("abandoned", 1)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Said before a request is sent, not after its answer has been paid for."""
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file" / "chat.json"):
        with pytest.raises(CassetteError, match="cannot be written"):
            Recorder(ScriptedTransport("x"), place)
    Recorder(ScriptedTransport("x"), tmp_path / "new" / "folders" / "chat.json")
    assert not (tmp_path / "new").exists()
