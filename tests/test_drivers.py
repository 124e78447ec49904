"""The two loops between a machine and a transport, and the secrets that pass through them."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import traceback
from typing import Any

import pytest

from chatproto import AsyncDrive, Conversation, Drive, Outcome, Secrets
from chatproto.errors import ConnectFailed, ConnectionLost, TransportError
from chatproto.machines.steps import ChunkReceived, Event, RetryScheduled, TurnEnded
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response, text_response
from chatproto.transport import AsyncTransport, Transport
from chatproto.types import HttpOptions, HttpRetryOptions
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.http import Request

URL = "https://generativelanguage.googleapis.com/"
SECRETS = Secrets({"x-goog-api-key": "AIza-canary-0123456789"}, url=URL)


def asking(*, attempts: int = 1, jitter: float = 0.0) -> Conversation:
    """A conversation with a message to send."""
    options = HttpRetryOptions(attempts=attempts, jitter=jitter, initial_delay=2)
    endpoint = Endpoint().merged(HttpOptions(retry_options=options))
    conversation = Conversation("m", endpoint=endpoint)
    conversation.send("hello")
    return conversation


def run(conversation: Conversation, transport: Transport) -> list[Event]:
    """All events, driven synchronously."""
    return list(Drive(conversation, transport, SECRETS))


def run_async(conversation: Conversation, transport: AsyncTransport) -> list[Event]:
    """All events, driven under asyncio."""

    async def collect() -> list[Event]:
        return [event async for event in AsyncDrive(conversation, transport, SECRETS)]

    return asyncio.run(collect())


SCRIPTS: list[list[Any]] = [
    [["one ", "two"]],
    [Answer(["one ", "two"], every=7)],
    [Answer(["one ", "two"], cut_at=150)],
    [Answer(["one ", "two"], stall_at=10)],
    [Answer(error_response(503), status=503), Answer(error_response(429), status=429), "late"],
    [ConnectFailed("refused"), "late"],
    [Answer(error_response(400, "bad"), status=400)],
    [Answer(chunks=[b"data: {oops}\n\n"])],
    [Answer(chunks=[])],
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: repr(script)[:40])
def test_both_drivers_give_the_same(script: list[Any]) -> None:
    """L10: the same answers, driven sync and async, give the same events, history and waits."""
    runs = []
    for drive in (run, run_async):
        conversation, transport = asking(attempts=3), ScriptedTransport(*script)
        events = drive(conversation, transport)
        runs.append((list(map(repr, events)), conversation.history(), conversation.turns, transport.slept))
    assert runs[0] == runs[1]
    assert isinstance(events[-1], TurnEnded)


def test_retries_wait_and_draw_the_jitter() -> None:
    """The waits are the policy's plus a jitter that the driver draws, and each is announced by an event."""
    failing = [Answer(error_response(503), status=503)] * 3
    transport = ScriptedTransport(*failing, "late")
    events = run(asking(attempts=4, jitter=1.0), transport)
    assert [event.attempt for event in events if isinstance(event, RetryScheduled)] == [1, 2, 3]
    for slept, base in zip(transport.slept, (2, 4, 8), strict=True):
        assert base <= slept <= base + 1


def test_retry_after_is_honoured() -> None:
    """Seconds, or a date that counts from the response's own Date, where they ask for more than the policy."""
    dates = {"date": "Mon, 23 Nov 2026 08:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 08:00:30 GMT"}
    transport = ScriptedTransport(
        Answer(error_response(429), status=429, headers={"retry-after": "7"}),
        Answer(error_response(429), status=429, headers=dates),
        Answer(error_response(429), status=429, headers={"retry-after": "1"}),
        "late",
    )
    run(asking(attempts=4), transport)
    assert transport.slept == [7, 30, 8]


def test_a_longer_wait_than_allowed_is_the_callers_decision() -> None:
    """A Retry-After beyond ``max_delay`` ends in the error, which has the figure."""
    transport = ScriptedTransport(Answer(error_response(429), status=429, headers={"retry-after": "3600"}), "never")
    (ended,) = run(asking(attempts=4), transport)
    assert isinstance(ended, TurnEnded)
    assert ended.error is not None
    assert ended.error.retry_after == 3600  # type: ignore[attr-defined]
    assert transport.slept == []


class Broken(ScriptedTransport):
    """A transport with a bug of its own."""

    def sleep(self, seconds: float) -> None:
        raise ZeroDivisionError("a bug")

    async def asleep(self, seconds: float) -> None:
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("drive", [run, run_async])
def test_an_error_that_is_not_the_contracts_passes_through(drive: Any) -> None:
    """A plug-in's own bug is not dressed up as a lost connection; the turn is abandoned."""
    conversation = asking(attempts=2)
    with pytest.raises(ZeroDivisionError):
        drive(conversation, Broken(Answer(error_response(503), status=503)))
    assert conversation.turns[-1].outcome is Outcome.ABANDONED
    assert not conversation.busy


def test_cancelling_a_task_abandons_the_turn() -> None:
    """A cancelled task gives the connection up at once, awaits nothing more, and leaves the chat usable."""

    class Stalling(ScriptedTransport):
        def aopen(self, request: Request, secrets: Secrets) -> Any:
            opening = super().aopen(request, secrets)

            @contextlib.asynccontextmanager
            async def opened() -> Any:
                response = await opening.__aenter__()
                reads = iter([response.aread])

                async def aread() -> bytes:
                    for read in reads:
                        return await read()
                    await asyncio.Event().wait()
                    raise AssertionError

                response.aread = aread  # type: ignore[method-assign]
                yield response

            return opened()

    conversation = asking()
    transport = Stalling(["one", "two"])

    async def main() -> None:
        drive = AsyncDrive(conversation, transport, SECRETS)
        assert isinstance(await anext(drive), ChunkReceived)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(drive)

    asyncio.run(main())
    assert transport.discarded == 1
    assert conversation.turns[-1].outcome is Outcome.ABANDONED
    conversation.send("again")
    assert len(run(conversation, ScriptedTransport("fine"))) == 2


def test_closing_a_drive() -> None:
    """``close`` and ``with`` abandon what is under way, and do nothing after the end."""
    conversation = asking()
    with Drive(conversation, ScriptedTransport(["one", "two"]), SECRETS) as drive:
        next(drive)
    conversation.send("again")
    with Drive(conversation, ScriptedTransport(["one", "two"]), SECRETS) as drive:
        list(drive)

    async def main() -> None:
        conversation.send("async")
        async with AsyncDrive(conversation, ScriptedTransport(["one", "two"]), SECRETS) as drive:
            await anext(drive)

    asyncio.run(main())
    assert [turn.outcome.value for turn in conversation.turns] == ["abandoned", "completed", "abandoned"]


def test_a_body_needs_its_driver() -> None:
    """A machine restored in the middle of a body is told that the connection is lost, by whichever driver it gets."""
    for drive in (run, run_async):
        conversation = asking()
        next(Drive(conversation, ScriptedTransport(["one", "two"]), SECRETS))
        (ended,) = drive(pickle.loads(pickle.dumps(conversation)), ScriptedTransport())
        assert isinstance(ended, TurnEnded)
        assert isinstance(ended.error, ConnectionLost)
        assert ended.turn.outcome is Outcome.FAILED


def test_errors_bring_no_frames_and_no_causes() -> None:
    """L15: what a transport raised arrives without the frames and errors behind it, which hold the headers."""

    class Leaky(ScriptedTransport):
        def open(self, request: Request, secrets: Secrets) -> Any:
            headers = secrets.headers_for(request)
            try:
                raise OSError(f"refused {headers}")
            except OSError as error:
                raise ConnectFailed("refused", cause=type(error).__name__) from error

    (ended,) = run(asking(), Leaky())
    assert isinstance(ended, TurnEnded)
    assert isinstance(ended.error, TransportError)
    assert "canary" not in "".join(traceback.format_exception(ended.error))
    assert ended.error.__cause__ is ended.error.__context__ is None


# --- secrets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "gets"),
    [
        ("https://generativelanguage.googleapis.com/v1/x", True),
        ("https://generativelanguage.googleapis.com:443/v1/x", True),
        ("https://GENERATIVELANGUAGE.googleapis.com/v1/x", True),
        ("http://generativelanguage.googleapis.com/v1/x", False),
        ("https://generativelanguage.googleapis.com:444/v1/x", False),
        ("https://generativelanguage.googleapis.com.evil.example/v1/x", False),
        ("https://evil.example/https://generativelanguage.googleapis.com/", False),
        ("https://generativelanguage.googleapis.com@evil.example/", False),
    ],
)
def test_the_credential_is_for_one_origin(url: str, gets: bool) -> None:
    """L15: scheme, host and port must be the client's own, also after a redirect."""
    request = Request(method="POST", url=URL, headers=(("content-type", "application/json"),))
    headers = dict(SECRETS.headers_for(request, url))
    assert ("x-goog-api-key" in headers) is gets
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "text",
    [
        b"AIza-canary-0123456789",
        b'{"a": "xAIza-canary-0123456789x"}',
        b"QUl6YS1jYW5hcnktMDEyMzQ1Njc4OQ==",
        b"eEFJemEtY2FuYXJ5LTAxMjM0NTY3ODk=",
        b"eHhBSXphLWNhbmFyeS0wMTIzNDU2Nzg5eA==",
    ],
)
def test_a_credential_is_found(text: bytes) -> None:
    """Plain, inside other text, and in base64 at each of the three offsets."""
    assert SECRETS.occurs_in(text)
    assert not SECRETS.occurs_in(b"AIza-another-0123456789 QUl6YS1hbm90aGVyLTAxMjM0NTY3ODk=")


def test_a_percent_encoded_credential_is_found() -> None:
    """A key with characters that a URL escapes is found escaped, too."""
    secrets = Secrets({"authorization": "Bearer a/b+c=d/e"}, url=URL)
    assert secrets.occurs_in(b"?token=a%2Fb%2Bc%3Dd%2Fe&x=1")
    assert not secrets.occurs_in(b"Bearer")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"X-Auth": "hunter2hunter2"}, b"hunter2hunter2"),
        ({"x-session-id": "session-0123"}, b"a session-0123 b"),
        ({"authorization": "Bearer ya29.abcdefg=="}, rb'"ya29.abcdefg\u003d\u003d"'),
        ({"x-goog-api-key": "AIza/Secret/Key"}, rb'"AIza\/Secret\/Key"'),
        ({"authorization": "Basic dXNlcjpwYTU1d29yZDE="}, b"the password is pa55word1"),
        ({"cookie": "a=first-value; b=second-value"}, b"second-value"),
    ],
)
def test_whatever_a_program_adds_may_be_secret(headers: dict[str, str], text: bytes) -> None:
    """L15: values of any header of the program's own, escaped as JSON may escape them, and what is in Basic."""
    assert Secrets(headers, url=URL).occurs_in(text)


def test_short_and_harmless_headers_are_not_looked_for() -> None:
    """Headers that say what anyone may know, and very short ones, do not stop a recording."""
    secrets = Secrets({"user-agent": "chat-team/1.0", "x-goog-user-project": "my-project", "x-key": "k"}, url=URL)
    assert not secrets.occurs_in(b"chat-team/1.0 my-project k")


def test_chunks_of_text_are_unchanged() -> None:
    """A whole answer through the drivers: the events are the machine's own."""
    events = run(asking(), ScriptedTransport([text_response("a", None), text_response("b")]))
    texts = [event.response.text for event in events if isinstance(event, ChunkReceived)]
    assert texts == ["a", "b"]
