"""Errors in which a server quotes the request's credential: they are told without it, and nothing else is changed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.client import Client
from chatproto.errors import APIError, ClientError, ConnectionLost, MalformedResponse, ServerError
from chatproto.masking import WITHHELD, Masked, masked, masked_error
from chatproto.testing.scripted import Answer, ScriptedTransport
from chatproto.testing.strategies import json_values
from chatproto.testing.wire import sse, text_response
from chatproto.transport import Secrets
from chatproto.types import HttpResponse

KEY = "AIzaSyCanary-1234567890_abcdef"
SECRETS = Secrets({"x-goog-api-key": KEY}, url="https://generativelanguage.googleapis.com")


def send(answer: Any, *, asynchronous: bool = False, stream: bool = False) -> tuple[BaseException | None, Any]:
    """What one message raises, and the chat."""
    client = Client(api_key=KEY, transport=ScriptedTransport(answer))
    chat: Any = (client.aio if asynchronous else client).chats.create(model="m")

    async def asend() -> None:
        if stream:
            async for _ in await chat.send_message_stream("hi"):
                pass
        else:
            await chat.send_message("hi")

    try:
        if asynchronous:
            asyncio.run(asend())
        elif stream:
            list(chat.send_message_stream("hi"))
        else:
            chat.send_message("hi")
    except Exception as error:  # noqa: BLE001  (whatever it is, is looked at)
        return error, chat
    return None, chat


def quoting(document: Any, **more: Any) -> Answer:
    """An error with this body, in pieces that cut the key."""
    return Answer(chunks=[json.dumps(document).encode()], every=5, **more)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_quotes_the_key(asynchronous: bool, stream: bool) -> None:
    """L15: of an error, only the strings that quote it are withheld; code, status and the rest are as they came."""
    document = {"error": {"code": 403, "status": "DENIED", "message": f"no {KEY}", "details": [{"a": "b"}, KEY]}}
    headers = {"x-echo": f"key={KEY}", "retry-after": "7", "x-other": "kept"}
    error, chat = send(quoting(document, status=403, headers=headers), asynchronous=asynchronous, stream=stream)
    assert isinstance(error, ClientError)
    assert (error.code, error.status, error.message, error.retry_after) == (403, "DENIED", WITHHELD, 7.0)
    assert error.details == {
        "error": {"code": 403, "status": "DENIED", "message": WITHHELD, "details": [{"a": "b"}, WITHHELD]}
    }
    assert error.response is not None
    assert error.response.headers == {"x-echo": WITHHELD, "retry-after": "7", "x-other": "kept"} | {
        name: value for name, value in (error.response.headers or {}).items() if name == "content-type"
    }
    assert json.loads(error.response.body or "") == error.details
    assert KEY not in f"{error} {error.args} {vars(error)} {chat.turns}"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_body_that_is_no_json_or_breaks_off(asynchronous: bool) -> None:
    """L15: then all of it is withheld. The status is told, whatever became of the body."""
    error, _ = send(Answer(chunks=[b"<p>" + KEY.encode()], every=4, status=502), asynchronous=asynchronous)
    assert isinstance(error, ServerError)
    assert (error.code, error.message) == (502, WITHHELD)
    body = b'{"error": {"message": "' + KEY.encode() + b'"}}' * 3
    for answer in (Answer(chunks=[body], status=500, cut_at=60), Answer(chunks=[body], status=500, stall_at=60)):
        error, _ = send(answer, asynchronous=asynchronous)
        assert isinstance(error, ServerError)
        assert (error.code, error.message) == (500, WITHHELD)


def test_an_error_in_a_stream() -> None:
    """L15: an event that is an error is told without the key, too, as is the beginning of one that is no JSON."""
    event = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": f"no {KEY}"}}
    error, _ = send(Answer(chunks=sse([text_response("Hel", None), event])), stream=True)
    assert isinstance(error, APIError)
    assert (error.code, error.message) == (429, WITHHELD)
    assert error.partial is not None
    assert error.partial.text == "Hel"
    error, _ = send(Answer(chunks=[b"data: {" + KEY.encode() + b"\n\n"]), stream=True)
    assert isinstance(error, MalformedResponse)
    assert KEY not in f"{error} {vars(error)}"
    assert "not JSON" in str(error)


def test_what_a_model_says_is_not_changed() -> None:
    """An answer is the program's, whatever it quotes."""
    for answer in (f"your key is {KEY}", Answer(chunks=sse([text_response(f"your key is {KEY}")]))):
        error, chat = send(answer, stream=True)
        assert error is None
        assert chat.get_history()[-1].parts[0].text == f"your key is {KEY}"


def test_an_error_that_quotes_nothing_is_the_same() -> None:
    """No copy is made of it; but the frames behind it are gone."""
    for error in (ConnectionLost("lost", cause="Error"), APIError(400, {"a": 1}), MalformedResponse("x", excerpt="y")):
        with pytest.raises(type(error)) as caught:
            raise error
        assert error.__traceback__ is not None
        assert masked_error(caught.value, SECRETS) is error
        assert error.__traceback__ is None
    words = masked_error(ConnectionLost(f"GET /?key={KEY}", cause="Error"), SECRETS)
    assert (type(words), str(words)) == (ConnectionLost, f"{WITHHELD} (Error)")
    made = masked_error(APIError(400, {}, HttpResponse(headers={"a": KEY, "b": "c"}, body=None)), SECRETS)
    assert made.response is not None
    assert made.response.headers == {"a": WITHHELD, "b": "c"}


class Given:
    """A response of a transport."""

    def __init__(self, status: int, headers: Any, chunks: list[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._chunks = iter(chunks)
        self.discarded = 0

    def read(self) -> bytes:
        """The next."""
        return next(self._chunks, b"")

    def discard(self) -> None:
        """Counted."""
        self.discarded += 1


@given(document=json_values(), every=st.integers(1, 9), status=st.sampled_from([200, 400, 503]))
def test_a_response_that_quotes_nothing(document: Any, every: int, status: int) -> None:
    """Its bytes are as they came: an answer in its pieces, an error in one."""
    body = json.dumps(document).encode()
    chunks = [body[start : start + every] for start in range(0, len(body), every)]
    given_ = Given(status, (("a", "b"),), chunks)
    masked = Masked(given_, SECRETS)
    assert list(iter(masked.read, b"")) == (chunks if status == 200 else [body])
    assert masked.read() == b""
    assert (masked.status, masked.headers) == (status, (("a", "b"),))
    masked.discard()
    assert given_.discarded == 1


def test_the_url_of_an_upload_is_needed_as_it_is() -> None:
    """Requests go there, so it stays; other headers that quote the key do not, whatever the status."""
    url = f"https://proxy/upload?key={KEY}"
    masked = Masked(Given(200, (("x-goog-upload-url", url), ("x-echo", KEY)), []), SECRETS)
    assert masked.headers == (("x-goog-upload-url", url), ("x-echo", WITHHELD))


def test_an_error_without_end() -> None:
    """Of its body no more is kept than a machine would keep; the rest is read over."""
    masked = Masked(Given(500, (), [b"x" * 400_000] * 5), SECRETS)
    assert len(masked.read()) == 1_200_000
    assert masked.read() == b""


def test_headers_that_repeat_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """L15: whatever other responses said before, a new value is looked at, wherever it stands; and nothing else is."""
    secrets = Secrets({"x-goog-api-key": KEY}, url="https://generativelanguage.googleapis.com")
    looked_at: list[bytes] = []
    look = Secrets.occurs_in

    def noted(self: Secrets, data: bytes) -> bool:
        looked_at.append(data)
        return look(self, data)

    monkeypatch.setattr(Secrets, "occurs_in", noted)
    usual = (("server", "scaffolding"), ("vary", "Origin"), ("vary", "Referer"))
    for number in range(3):
        response = Given(200, (*usual, ("date", f"{number}")), [b"x"])
        assert masked(response, secrets) is response
    assert sorted(looked_at) == [b"0", b"1", b"2", b"Origin", b"Referer", b"scaffolding"]
    for headers in ((*usual, ("server", f"for {KEY}")), (("server", f"for {KEY}"), *usual)):
        for _ in range(2):
            assert masked(Given(200, headers, []), secrets).headers == tuple(
                (name, WITHHELD if KEY in value else value) for name, value in headers
            )


@pytest.mark.parametrize("status", [200, 500])
def test_a_response_as_a_machine_sees_it(status: int) -> None:
    """One that is good is left as it is; the body of an error is looked at, whatever its headers say."""
    seen = masked(Given(status, (("a", "b"),), [KEY.encode()]), SECRETS)
    assert (seen.status, seen.headers) == (status, (("a", "b"),))
    assert seen.read() == (KEY if status == 200 else WITHHELD).encode()
