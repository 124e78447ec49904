"""FunctionTransport: the model as a function of what it was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatproto import Client, types
from chatproto.errors import (
    APIError,
    ClientError,
    ConnectionLost,
    LocalProtocolError,
    ServerError,
    TimedOut,
    ValidationError,
)
from chatproto.testing import Answer, Asked, FunctionTransport
from chatproto.testing.wire import error_response, text_response
from chatproto.transport import AsyncTransport, Secrets, Transport
from chatproto.wire.http import Request

MODEL = "gemini-2.5-flash"
BASE = f"https://generativelanguage.googleapis.com/v1beta/models/{MODEL}"
UNARY = Request(method="POST", url=f"{BASE}:generateContent", body=(b"{}",))
SSE = Request(method="POST", url=f"{BASE}:streamGenerateContent?alt=sse", body=(b"{}",))
ARRAY = Request(method="POST", url=f"{BASE}:streamGenerateContent", body=(b"{}",))
SECRETS = Secrets({}, url=BASE)


def chat_with(model: Callable[[Asked], Any], **options: Any) -> tuple[Any, FunctionTransport]:
    """A chat with a model that is a function, and its transport."""
    transport = FunctionTransport(model)
    return Client(transport=transport).chats.create(model=MODEL, **options), transport


def aio_chat_with(model: Callable[[Asked], Any], **options: Any) -> tuple[Any, FunctionTransport]:
    """The same for asyncio."""
    transport = FunctionTransport(model)
    return Client(transport=transport).aio.chats.create(model=MODEL, **options), transport


def said_by(chat: Any) -> list[str | None]:
    """The texts of a chat's history."""
    return ["".join(part.text or "" for part in content.parts) for content in chat.get_history(curated=True)]


def echo(asked: Asked) -> str:
    """A model."""
    return f"{asked.number}: {asked.text}"


# --- what it is asked -----------------------------------------------------------------------------------------------


def test_it_is_a_transport_of_both_kinds() -> None:
    """One class serves both drivers, and asks for no key."""
    transport = FunctionTransport(echo)
    sync: Transport = transport
    both: AsyncTransport = transport
    assert isinstance(sync, Transport)
    assert isinstance(both, AsyncTransport)
    assert not transport.needs_credential


def test_the_function_sees_what_was_asked() -> None:
    """Number, model, contents, config, tools and text, of the whole conversation."""
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="look")])],
    )
    chat, transport = chat_with(echo, config=config)
    assert chat.send_message("Hi").text == "1: Hi"
    assert "".join(chunk.text for chunk in chat.send_message_stream("You?")) == "2: You?"
    first, second = transport.asked
    assert (first.number, first.method, first.model, first.streamed) == (1, "generateContent", MODEL, False)
    assert (second.method, second.streamed) == ("streamGenerateContent", True)
    assert [content.role for content in second.contents] == ["user", "model", "user"]
    assert (second.text, second.contents[1].parts[0].text) == ("You?", "1: Hi")  # type: ignore[index]
    assert second.system_instruction is not None
    assert second.system_instruction.parts[0].text == "Be brief."  # type: ignore[index]
    assert second.tools == [{"functionDeclarations": [{"name": "look"}]}]
    assert second.functions == ["look"]
    assert second.config["generationConfig"] == {"temperature": 0.5}
    assert "contents" not in second.config
    assert second.function_responses == []


def test_other_requests_come_to_it_too() -> None:
    """Counting tokens and files are answered with wire JSON; text would say nothing there, and is refused."""

    def model(asked: Asked) -> Any:
        match asked.method:
            case "countTokens":
                return {"totalTokens": len(asked.text.split())}
            case "":
                name = asked.request.url.rpartition("/")[2]
                return {"name": f"files/{name}", "state": "ACTIVE"}
        return "chat"

    transport = FunctionTransport(model)
    client = Client(transport=transport)
    assert client.models.count_tokens(model=MODEL, contents="one two three").total_tokens == 3
    assert client.files.get(name="abc").name == "files/abc"
    assert [(asked.method, asked.model, asked.body == {}) for asked in transport.asked] == [
        ("countTokens", MODEL, False),
        ("", "", True),
    ]
    with pytest.raises(ValidationError, match=r"request 1 takes wire JSON or an Answer: POST .*:countTokens"):
        Client(transport=FunctionTransport(echo)).models.count_tokens(model=MODEL, contents="one")


# --- what it gives --------------------------------------------------------------------------------------------------

GIVEN: list[tuple[Any, str]] = [
    ("Hello", "Hello"),
    (["Hel", "lo"], "Hello"),
    (types.Part(text="Hello"), "Hello"),
    (["Hel", types.Part(text="lo")], "Hello"),
    (types.Content(role="model", parts=[types.Part(text="Hello")]), "Hello"),
    (types.GenerateContentResponse.model_validate(text_response("Hello")), "Hello"),
    (text_response("Hello"), "Hello"),
    (Answer("Hello", every=3), "Hello"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("given", "text"), GIVEN)
def test_what_it_gives_is_the_answer(given: Any, text: str, streamed: bool) -> None:
    """Texts, values and wire JSON, as one document or as a stream, sync and async: the turn is whole."""
    chat, _ = chat_with(lambda _: given)
    if streamed:
        assert "".join(chunk.text for chunk in chat.send_message_stream("Hi")) == text
    else:
        assert chat.send_message("Hi").text == text
    assert said_by(chat) == ["Hi", text]

    async def main() -> None:
        chat, _ = aio_chat_with(lambda _: given)
        if streamed:
            chunks = [chunk.text async for chunk in await chat.send_message_stream("Hi")]
            assert "".join(chunks) == text
        else:
            assert (await chat.send_message("Hi")).text == text
        assert said_by(chat) == ["Hi", text]

    asyncio.run(main())


def test_parts_of_a_unary_answer_are_one_content() -> None:
    """A list is the parts of one answer where one is asked for; texts that follow each other are one part."""
    call = types.FunctionCall(name="look", args={"at": 1})
    chat, _ = chat_with(lambda _: ["I ", "look.", call])
    response = chat.send_message("Hi")
    assert [part.text for part in response.parts] == ["I look.", None]
    assert response.function_calls == [call]


@pytest.mark.parametrize("given", [None, 5, [5], {1, 2}])
def test_what_is_no_answer(given: Any) -> None:
    """It is said what was given, and nothing is in the history."""
    chat, _ = chat_with(lambda _: given)
    with pytest.raises(ValidationError, match=r"gave None for request 1|not int|not set"):
        chat.send_message("Hi")
    assert chat.get_history() == []


def test_a_model_is_a_function() -> None:
    """Anything else is refused at once."""
    with pytest.raises(ValidationError, match="not str"):
        FunctionTransport("Hello")  # type: ignore[arg-type]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_loop(streamed: bool) -> None:
    """The model calls a function that the program has, sees what it gave, and answers."""

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    def model(asked: Asked) -> Any:
        if not asked.function_responses:
            assert asked.functions == ["get_weather"]
            return types.FunctionCall(name="get_weather", args={"city": asked.text}, id="1")
        (response,) = asked.function_responses
        return f"It is {response.response['result']}."  # type: ignore[index]

    chat, transport = chat_with(model, config={"tools": [get_weather]})
    if streamed:
        text = "".join(chunk.text or "" for chunk in chat.send_message_stream("Lisbon"))
    else:
        text = chat.send_message("Lisbon").text
    assert text == "It is sunny in Lisbon."
    assert [asked.number for asked in transport.asked] == [1, 2]
    assert transport.asked[1].function_responses[0].id == "1"
    assert [content.role for content in chat.get_history(curated=True)] == ["user", "model", "user", "model"]


# --- errors ---------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[APIError, type[APIError], str]] = [
    (APIError(503, error_response(503, "busy")), ServerError, "UNAVAILABLE"),
    (ClientError(429, {"message": "slowly", "status": "RESOURCE_EXHAUSTED"}), ClientError, "RESOURCE_EXHAUSTED"),
    (APIError(400, None), ClientError, "INVALID_ARGUMENT"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("error", "kind", "status"), REFUSALS)
def test_an_api_error_is_an_answer(error: APIError, kind: Any, status: str, streamed: bool) -> None:
    """What the function raises comes back as the error that a server's answer makes."""

    def model(asked: Asked) -> str:
        raise error

    chat, _ = chat_with(model)
    with pytest.raises(kind) as caught:
        list(chat.send_message_stream("Hi")) if streamed else chat.send_message("Hi")
    assert (caught.value.code, caught.value.status) == (error.code, status)
    assert caught.value.message == (error.message or "")
    assert caught.value.response is not None


def test_a_refusal_is_tried_again() -> None:
    """It is a server's answer, so the retry policy and ``retry_after`` hold. Nothing is slept."""

    def model(asked: Asked) -> str:
        if asked.number == 1:
            raise APIError(429, error_response(429), retry_after=6.5)
        return "Now."

    retrying = types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=2, jitter=0.0))
    chat, transport = chat_with(model, config={"http_options": retrying})
    assert chat.send_message("Hi").text == "Now."
    assert transport.slept == [7.0]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("given", [TimedOut("too slow"), ConnectionLost("gone"), KeyError("bug"), AssertionError("no")])
def test_other_errors_are_raised(given: Exception, streamed: bool) -> None:
    """A TransportError, and what is no error of a server: as such, whether raised or given."""

    def raising(asked: Asked) -> str:
        raise given

    for model in (raising, lambda _: given):
        chat, _ = chat_with(model)
        with pytest.raises(type(given)) as caught:
            list(chat.send_message_stream("Hi")) if streamed else chat.send_message("Hi")
        assert caught.value.args == given.args
        assert chat.get_history(curated=True) == []


# --- generators -----------------------------------------------------------------------------------------------------


class Counting:
    """A model that is a generator, and remembers how far it came and how it ended."""

    def __init__(self, *items: Any, error: BaseException | None = None) -> None:
        self.items = items
        self.error = error
        self.made = 0
        self.closed = False

    def __call__(self, asked: Asked) -> Iterator[Any]:
        try:
            for item in self.items:
                self.made += 1
                yield item
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


class AsyncCounting(Counting):
    """The same, asynchronous."""

    async def __call__(self, asked: Asked) -> AsyncIterator[Any]:  # type: ignore[override]
        try:
            for item in self.items:
                await asyncio.sleep(0)
                self.made += 1
                yield item
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def test_a_generator_is_a_stream_sent_as_it_is_produced() -> None:
    """No chunk is made before the one before it has been read; a text answer ends with a closing STOP."""
    model = Counting("Hel", "lo", "!")
    chat, _ = chat_with(model)
    stream = iter(chat.send_message_stream("Hi"))
    assert model.made == 0  # a stream that is not iterated does nothing
    assert next(stream).text == "Hel"
    assert model.made == 1
    assert next(stream).text == "lo"
    assert model.made == 2
    rest = list(stream)
    assert [chunk.text for chunk in rest] == ["!", ""]
    assert rest[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert model.closed
    assert said_by(chat) == ["Hi", "Hello!"]


def test_a_generator_under_asyncio() -> None:
    """The same for both kinds of generator."""

    async def main(model: Counting) -> None:
        chat, _ = aio_chat_with(model)
        stream = aiter(await chat.send_message_stream("Hi"))
        assert model.made == 0
        assert (await anext(stream)).text == "Hel"
        assert model.made == 1
        assert [chunk.text async for chunk in stream] == ["lo", ""]
        assert model.closed
        assert said_by(chat) == ["Hi", "Hello"]

    asyncio.run(main(Counting("Hel", "lo")))
    asyncio.run(main(AsyncCounting("Hel", "lo")))


def test_a_generator_answers_a_unary_request_whole() -> None:
    """One function serves ``send_message`` and ``send_message_stream``."""
    chat, _ = chat_with(Counting("Hel", "lo"))
    assert chat.send_message("Hi").text == "Hello"
    achat, _ = aio_chat_with(AsyncCounting("Hel", "lo"))
    assert asyncio.run(achat.send_message("Hi")).text == "Hello"


def test_a_generator_that_calls_a_function() -> None:
    """A call comes with STOP, and no empty text is put behind it."""
    call = types.FunctionCall(name="look", args={})
    chat, _ = chat_with(Counting("Let me see.", call))
    chunks = list(chat.send_message_stream("Hi"))
    assert len(chunks) == 2
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert chunks[-1].function_calls == [call]


def test_responses_in_a_generator_say_themselves_how_they_end() -> None:
    """Wire JSON is sent as it is: without a finish reason, the stream is truncated."""
    chat, _ = chat_with(Counting(text_response("Hel", None), text_response("lo", None)))
    assert [chunk.text for chunk in chat.send_message_stream("Hi")] == ["Hel", "lo"]
    assert chat.get_history(curated=True) == []
    chat, _ = chat_with(Counting(text_response("Hel", None), text_response("lo")))
    assert [chunk.text for chunk in chat.send_message_stream("Hi")] == ["Hel", "lo"]
    assert said_by(chat) == ["Hi", "Hello"]


@pytest.mark.parametrize("kind", [Counting, AsyncCounting])
@pytest.mark.parametrize("before", [0, 1])
def test_an_error_in_a_generator(kind: Any, before: int) -> None:
    """Before the first chunk an APIError is an HTTP error; after it, an error inside of the stream."""
    items = ["Hel"][:before]
    error = APIError(503, error_response(503, "busy"))
    pieces: list[str] = []

    def sync(model: Any) -> Any:
        chat, _ = chat_with(model)
        pieces.extend(chunk.text for chunk in chat.send_message_stream("Hi"))

    async def main(model: Any) -> None:
        chat, _ = aio_chat_with(model)
        pieces.extend([chunk.text async for chunk in await chat.send_message_stream("Hi")])

    run = sync if kind is Counting else lambda model: asyncio.run(main(model))
    model = kind(*items, error=error)
    with pytest.raises(ServerError) as caught:
        run(model)
    assert (caught.value.code, caught.value.message) == (503, "busy")
    assert (caught.value.response.body is None) is bool(before)  # type: ignore[union-attr]
    assert model.closed
    for other in (ConnectionLost("gone"), KeyError("bug")):
        with pytest.raises(type(other)) as seen:
            run(kind(*items, error=other))
        assert seen.value.args == other.args


@pytest.mark.parametrize("framing", [SSE, ARRAY])
def test_an_error_inside_of_a_stream_is_framed_as_the_stream_is(framing: Request) -> None:
    """As an event, or as the last element of the list."""
    model = Counting("a", error=ClientError(429, {"status": "RESOURCE_EXHAUSTED", "message": "slowly"}))
    with FunctionTransport(model).open(framing, SECRETS) as response:
        body = b"".join(iter(response.read, b""))
        assert response.read() == b""
    assert body.count(b'"error":{"code":429,"message":"slowly","status":"RESOURCE_EXHAUSTED"}') == 1
    assert body.startswith(b"[" if framing is ARRAY else b"data: ")
    assert body.endswith(b"]" if framing is ARRAY else b"\r\n\r\n")


def test_leaving_a_stream_closes_the_generator() -> None:
    """Where it stands; by closing the stream, by dropping it, and by leaving the transport's own context."""
    for leave in (lambda stream: stream.close(), lambda _: None):
        model = Counting("a", "b", "c")
        chat, transport = chat_with(model)
        stream = chat.send_message_stream("Hi")
        next(iter(stream))
        assert not model.closed
        leave(stream)
        del stream
        assert (model.closed, model.made, transport.discarded) == (True, 1, 1)
        assert chat.get_history(curated=True) == []
    model = Counting("a", "b", "c")
    with FunctionTransport(model).open(SSE, SECRETS) as response:
        assert b'"a"' in response.read()
        assert not model.closed
    assert model.closed
    with pytest.raises(ConnectionLost):
        response.read()


@pytest.mark.parametrize("kind", [Counting, AsyncCounting])
def test_leaving_a_stream_under_asyncio_closes_the_generator(kind: Any) -> None:
    """By closing the stream, and by leaving the transport's own context."""

    async def main() -> None:
        model = kind("a", "b", "c")
        chat, transport = aio_chat_with(model)
        stream = await chat.send_message_stream("Hi")
        await anext(aiter(stream))
        assert not model.closed
        await stream.aclose()
        await asyncio.sleep(0.01)
        assert (model.closed, model.made, transport.discarded) == (True, 1, 1)
        model = kind("a", "b", "c")
        async with FunctionTransport(model).aopen(SSE, SECRETS) as response:
            assert b'"a"' in await response.aread()
        assert model.closed

    asyncio.run(main())


def test_a_generator_that_waits_is_given_up() -> None:
    """Another task closes the stream while the model thinks; the model is cancelled there, and not a task of ours."""
    ended: list[str] = []

    async def model(asked: Asked) -> AsyncIterator[str]:
        yield "a"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> None:
        transport = FunctionTransport(model)
        async with transport.aopen(SSE, SECRETS) as response:
            await response.aread()
            reader = asyncio.create_task(response.aread())
            await asyncio.sleep(0.01)
            response.discard()
            with pytest.raises(ConnectionLost, match="given up"):
                await reader
            assert ended == ["cancelled"]
            with pytest.raises(ConnectionLost):
                await response.aread()
        # Cancelling the reader cancels the model too, and stays a cancellation.
        async with transport.aopen(SSE, SECRETS) as response:
            await response.aread()
            reader = asyncio.create_task(response.aread())
            await asyncio.sleep(0.01)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            assert ended == ["cancelled", "cancelled"]
        # Also where the response is given up besides.
        async with transport.aopen(SSE, SECRETS) as response:
            await response.aread()
            reader = asyncio.create_task(response.aread())
            await asyncio.sleep(0.01)
            reader.cancel()
            response.discard()
            with pytest.raises(asyncio.CancelledError):
                await reader

    asyncio.run(main())


def test_a_generator_in_another_thread_is_given_up() -> None:
    """It cannot be closed while it runs: that is done when it stands, and its item is not handed out."""
    inside, go_on = threading.Event(), threading.Event()
    model = Counting()

    def slow(asked: Asked) -> Iterator[str]:
        try:
            yield "a"
            inside.set()
            go_on.wait(10)
            yield "b"
        finally:
            model.closed = True

    with FunctionTransport(slow).open(SSE, SECRETS) as response:
        response.read()
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(response.read)
            assert inside.wait(10)
            response.discard()
            assert not model.closed
            go_on.set()
            with pytest.raises(ConnectionLost):
                reading.result()
    assert model.closed


# --- asynchronous functions and concurrency -------------------------------------------------------------------------


async def slowly(asked: Asked) -> str:
    """An asynchronous model."""
    await asyncio.sleep(0.01)
    return f"You said {asked.text}"


def test_an_asynchronous_function() -> None:
    """It is awaited under asyncio; a synchronous chat says that it cannot, without a warning."""

    async def main() -> None:
        chat, _ = aio_chat_with(slowly)
        assert (await chat.send_message("Hi")).text == "You said Hi"
        chunks = [chunk.text async for chunk in await chat.send_message_stream("Ho")]
        assert chunks == ["You said Ho"]

    asyncio.run(main())
    for model in (slowly, AsyncCounting("a")):
        chat, _ = chat_with(model)
        with pytest.raises(LocalProtocolError, match="asynchronous"):
            chat.send_message("Hi")


def test_many_chats_at_once() -> None:
    """From threads and from tasks: each gets its own answer, and each request its own number."""

    def model(asked: Asked) -> Iterator[str]:
        yield from (asked.text[:3], asked.text[3:])

    transport = FunctionTransport(model)
    client = Client(transport=transport)

    def one(number: int) -> str:
        stream = client.chats.create(model=MODEL).send_message_stream(f"message {number}")
        return "".join(chunk.text or "" for chunk in stream)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(40))) == [f"message {number}" for number in range(40)]
    assert sorted(asked.number for asked in transport.asked) == list(range(1, 41))

    async def main() -> None:
        client = Client(transport=FunctionTransport(slowly))
        chats = [client.aio.chats.create(model=MODEL) for _ in range(20)]
        answers = await asyncio.gather(*(chat.send_message(f"{place}") for place, chat in enumerate(chats)))
        assert [answer.text for answer in answers] == [f"You said {place}" for place in range(20)]

    asyncio.run(main())


def test_a_closed_transport_answers_nothing() -> None:
    """As the contract says."""
    chat, transport = chat_with(echo)
    transport.close()
    assert transport.closed
    with pytest.raises(LocalProtocolError, match="closed"):
        chat.send_message("Hi")
    asyncio.run(transport.aclose())
    transport.sleep(2.0)
    asyncio.run(transport.asleep(3.0))
    assert transport.slept == [2.0, 3.0]
