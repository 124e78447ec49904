"""What breaks automatic function calling off: errors in any round, callers who leave, interrupts, and its own chat."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_faces import (
    DONE,
    MODEL,
    QUESTION,
    Json,
    Shop,
    Talk,
    Way,
    add,
    begin,
    call,
    calling,
    closed,
    every_stream,
    every_way,
    final,
    response,
    rounds,
    run,
    text_of,
    wire,
)

import chatproto
from chatproto.errors import (
    ClientError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    ServerError,
    TimedOut,
    ValidationError,
)
from chatproto.testing import Answer
from chatproto.testing.servers import RESET, LoopbackServer, Received, chunk, head
from chatproto.testing.wire import error_response, sse, text_response
from chatproto.wire.json_codec import encode
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_requests import RequestsTransport

# --- errors ---------------------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[Any, type[Exception]]] = {
    "503": (Answer(error_response(503), status=503), ServerError),
    "400": (Answer(error_response(400), status=400), ClientError),
    "cut": (Answer(DONE, cut_at=30), ConnectionLost),
    "stalled": (Answer(DONE, stall_at=30), TimedOut),
    "refused": (ConnectFailed("nobody listens"), ConnectFailed),
    "malformed": (Answer({"candidates": 5}), MalformedResponse),
    "no answer at all": (Answer(chunks=[b"<html>"], headers={"content-type": "text/html"}, cut_at=3), ConnectionLost),
}


@every_way
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("then", ["again", "another"])
def test_an_error_in_any_round(way: Way, error: str, number: int, then: str) -> None:
    """It is raised, and the chat is as it was before that request: in the first round nothing was said.

    In a later one the calls are open again, and the results can be sent once more without running a function twice;
    or another message is sent, and the turn is given up.
    """
    shop = Shop()
    answers: list[Any] = [add(0), add(1), DONE]
    rest = answers[number:]
    answers[number], kind = ERRORS[error]
    talk = begin(way, *answers[: number + 1], config=shop.config)
    with pytest.raises(kind):
        talk.say("q")
    assert len(talk.transport.requests) == number + 1
    assert talk.pending == ([f"c{number - 1}"] if number else [])
    assert talk.history() == []
    assert talk.history(curated=False) == rounds(*range(number))[:-1]
    if then == "again":
        talk.transport.add(*rest)
        heard = talk.answer() if number else talk.say("q")
        assert text_of(heard) == "done"
        assert talk.transport.requests[number + 1] == talk.transport.requests[number]
        assert shop.ran == [(0, 1), (1, 1)]
        assert talk.history() == [*rounds(0, 1), final()]
        assert talk.outcomes == (["completed"] if number else ["failed", "completed"])
    else:
        talk.transport.add("fine")
        talk.say("another")
        assert talk.sent() == [{"role": "user", "parts": [{"text": "another"}]}]
        assert talk.outcomes == [*(["abandoned"] if number else ["failed"]), "completed"]
        assert len(shop.ran) == number
        assert closed(talk.history())


@every_stream
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stream_that_ends_without_a_finish_reason(way: Way, number: int) -> None:
    """In the first round it is a truncated turn; in a later one the results have not got through."""
    shop = Shop()
    answers: list[Any] = [add(0), add(1), DONE]
    answers[number] = [text_response("And so", None)]
    talk = begin(way, *answers[: number + 1], config=shop.config)
    if number:
        with pytest.raises(ConnectionLost, match="without a finish reason") as raised:
            talk.say("q")
        assert raised.value.partial is not None
        assert raised.value.partial.text == "And so"
        assert talk.pending == [f"c{number - 1}"]
        talk.transport.add(*[add(0), add(1), DONE][number:])
        assert text_of(talk.answer()) == "done"
        assert talk.history() == [*rounds(0, 1), final()]
    else:
        assert text_of(talk.say("q")) == "And so"
        assert talk.outcomes == ["truncated"]
        assert talk.pending == []


@every_stream
def test_a_part_of_an_answer_is_kept_where_the_chat_says_so(way: Way) -> None:
    """With ``on_incomplete="keep"`` a turn ends with what came of the answer to its results."""
    cut = sse([text_response("And so", None), DONE])
    broken = Answer(chunks=cut, headers={"content-type": "text/event-stream"}, cut_at=len(cut[0]) + 5)
    talk = begin(way, add(1), broken, "on", config=Shop().config, on_incomplete="keep")
    with pytest.raises(ConnectionLost):
        talk.say("q")
    assert talk.pending == []
    assert talk.outcomes == ["failed"]
    talk.say("go on")
    assert talk.sent()[:-1] == [*rounds(1), final("And so")]


@every_way
@pytest.mark.parametrize("kind", ["tries again", "gives up"])
def test_retries_inside_a_round(way: Way, kind: str) -> None:
    """The functions have run once, however often their results are sent."""
    shop = Shop()
    options = {"retry_options": {"attempts": 3, "initial_delay": 1.0, "jitter": 0.0}}
    failing = Answer(error_response(503), status=503)
    times = 2 if kind == "tries again" else 3
    talk = begin(way, add(0), *[failing] * times, DONE, config={**shop.config, "http_options": options})
    if kind == "gives up":
        with pytest.raises(ServerError):
            talk.say("q")
        assert text_of(talk.answer()) == "done"
    else:
        assert text_of(talk.say("q")) == "done"
    assert shop.ran == [(0, 1)]
    assert len({each.content for each in talk.transport.requests[1:]}) == 1
    assert talk.outcomes == ["completed"]


@every_way
def test_there_is_nothing_to_send_again(way: Way) -> None:
    """Without results whose request failed, results have to be handed over."""
    talk = begin(way, add(1), DONE, config={**Shop().config, "automatic_function_calling": {"disable": True}})
    with pytest.raises(ValidationError, match="no function responses wait"):
        talk.answer()
    talk.say("q")
    with pytest.raises(ValidationError, match="no function responses wait"):
        talk.answer()
    assert talk.pending == ["c1"]
    assert len(talk.transport.requests) == 1


@every_way
@pytest.mark.parametrize("finish_reason", ["SAFETY", "STOP", None])
def test_a_last_answer_that_says_nothing(way: Way, finish_reason: str | None) -> None:
    """The functions have run, and the turn is in no request: no call is sent without a response or an answer."""
    shop = Shop()
    blocked: Json = {"candidates": [{"finishReason": finish_reason}]}
    if finish_reason is None:
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    talk = begin(way, add(1), blocked, "fine", config=shop.config)
    assert text_of(talk.say("q")) == ""
    assert talk.outcomes == ["blocked"]
    assert talk.pending == []
    assert talk.history() == []
    assert talk.history(curated=False) == rounds(1)
    talk.say("another")
    assert talk.sent() == [{"role": "user", "parts": [{"text": "another"}]}]
    assert len(shop.ran) == 1


# --- who leaves -----------------------------------------------------------------------------------------------------


class Leaving:
    """A stream that is read for some chunks and then left, in one of the ways to do that."""

    WAYS = ("close", "with", "drop", "another task")

    def __init__(self, talk: Talk, how: str) -> None:
        self.talk = talk
        self.how = how

    def after(self, chunks: int) -> None:
        """Ask, read as many chunks, and leave."""
        run(self._awaited(chunks)) if self.talk.way.asynchronous else self._read(chunks)

    def _read(self, chunks: int) -> None:
        stream = self.talk.chat.send_message_stream("q")
        for _ in range(chunks):
            next(stream)
        match self.how:
            case "close":
                stream.close()
            case "with":
                with stream, contextlib.suppress(ZeroDivisionError):
                    raise ZeroDivisionError
            case "another task":
                thread = threading.Thread(target=stream.close)
                thread.start()
                thread.join()
            case _:
                del stream
                gc.collect()

    async def _awaited(self, chunks: int) -> None:
        stream = await self.talk.chat.send_message_stream("q")
        for _ in range(chunks):
            await anext(stream)
        match self.how:
            case "close":
                await stream.aclose()
            case "with":
                async with stream:
                    with contextlib.suppress(ZeroDivisionError):
                        raise ZeroDivisionError
            case "another task":
                await asyncio.create_task(stream.aclose())
            case _:
                del stream
                gc.collect()


@every_stream
@pytest.mark.parametrize("how", Leaving.WAYS)
def test_leaving_before_the_calls_are_whole(way: Way, how: str) -> None:
    """The turn is given up, and no function runs."""
    shop = Shop()
    talk = begin(way, [text_response("Let me see", None), add(1)], "fine", config=shop.config)
    Leaving(talk, how).after(1)
    assert (talk.outcomes, talk.pending, shop.ran) == (["abandoned"], [], [])
    assert talk.transport.discarded == 1
    talk.say("another")
    assert talk.history()[0]["parts"] == [{"text": "another"}]


@every_stream
@pytest.mark.parametrize("how", Leaving.WAYS)
def test_leaving_with_the_calls(way: Way, how: str) -> None:
    """They had been finished, so they wait; no function runs that nobody waits for."""
    shop = Shop()
    talk = begin(way, add(1), DONE, config=shop.config)
    Leaving(talk, how).after(1)
    assert (talk.outcomes, talk.pending, shop.ran) == ([], ["c1"], [])
    assert text_of(talk.answer([talk.call(talk.chat.pending_calls[0])])) == "done"
    assert talk.history() == [*rounds(1), final()]


@every_stream
@pytest.mark.parametrize("how", Leaving.WAYS)
def test_leaving_in_a_later_round(way: Way, how: str) -> None:
    """The calls are open again, and the results that were sent can be sent once more."""
    shop = Shop()
    talk = begin(way, add(1), ["do", "ne"], add(2), DONE, config=shop.config)
    Leaving(talk, how).after(2)
    assert (talk.outcomes, talk.pending, shop.ran) == ([], ["c1"], [(1, 1)])
    assert talk.transport.discarded == 1
    assert text_of(talk.answer()) == "done"
    assert talk.transport.requests[2] == talk.transport.requests[1]
    assert shop.ran == [(1, 1), (2, 1)]
    assert talk.history() == [*rounds(1, 2), final()]


@every_stream
@pytest.mark.parametrize("how", Leaving.WAYS)
def test_leaving_after_the_end(way: Way, how: str) -> None:
    """The answer had been finished, so the turn is whole."""
    talk = begin(way, add(1), ["do", "ne"], "fine", config=Shop().config)
    Leaving(talk, how).after(3)
    assert talk.outcomes == ["completed"]
    assert talk.history() == [*rounds(1), final()]


@every_stream
@pytest.mark.parametrize("chunks", [1, 2])
def test_another_message_leaves_a_stream_in_any_round(way: Way, chunks: int) -> None:
    """What is merely suspended is given up, with its calls."""
    shop = Shop()
    talk = begin(way, add(1), ["do", "ne"], config=shop.config)

    async def main() -> None:
        stream = await talk.chat.send_message_stream("q")
        for _ in range(chunks):
            await anext(stream)
        talk.transport.add("fine") if chunks == 2 else talk.transport._answers.insert(0, "fine")
        await talk.chat.send_message("another")
        with pytest.raises(LocalProtocolError, match="later message"):
            await anext(stream)

    if way.asynchronous:
        run(main())
    else:
        stream = talk.chat.send_message_stream("q")
        for _ in range(chunks):
            next(stream)
        talk.transport.add("fine") if chunks == 2 else talk.transport._answers.insert(0, "fine")
        talk.chat.send_message("another")
        with pytest.raises(LocalProtocolError, match="later message"):
            next(stream)
    assert talk.outcomes == ["abandoned", "completed"]
    assert len(shop.ran) == chunks - 1
    assert talk.sent() == [{"role": "user", "parts": [{"text": "another"}]}]
    assert talk.history(curated=False)[: len(rounds(1)) - 1] == rounds(1)[:-1]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("then", ["call", "another"])
@pytest.mark.parametrize("number", [0, 1])
def test_an_interrupt_in_a_function(streamed: bool, error: type[BaseException], then: str, number: int) -> None:
    """It comes through; the calls are open, and the chat is free."""
    shop = Shop()
    stops = [error, None]

    def stop() -> str:
        found = stops.pop(0)
        if found is not None:
            raise found
        return "gone on"

    answers = [calling(call("add", "c1", a=1), call("stop", "c2")), DONE]
    talk = begin(Way(False, streamed), *[add(7)] * number, *answers, config={"tools": [*shop.tools, stop]})
    with pytest.raises(error):
        talk.say("q")
    assert talk.pending == ["c1", "c2"]
    assert talk.history() == []
    if then == "another":
        talk.transport._answers[:] = ["fine"]
        assert text_of(talk.say("another")) == "fine"
        assert talk.outcomes == ["abandoned", "completed"]
    else:
        assert text_of(talk.answer([talk.call(each) for each in talk.chat.pending_calls])) == "done"
        assert talk.told() == [response("add", "c1", result=2), response("stop", "c2", result="gone on")]
        assert talk.outcomes == ["completed"]
        assert closed(talk.history())


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["async", "in a thread"])
def test_cancelling_a_task_while_a_function_runs(streamed: bool, kind: str) -> None:
    """An async function is cancelled with it. The calls are open, and the chat is free."""
    began, may_end, gate = threading.Event(), threading.Event(), asyncio.Event()
    ended: list[str] = []

    async def work() -> str:
        began.set()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "worked"

    def toil() -> str:
        began.set()
        assert may_end.wait(5)
        return "worked"

    name = "work" if kind == "async" else "toil"
    talk = begin(Way(True, streamed), calling(call(name, "c1")), DONE, config={"tools": [work, toil]})

    async def say() -> None:
        await _drained(talk.chat.send_message_stream("q") if streamed else talk.chat.send_message("q"))

    async def main() -> None:
        task = asyncio.create_task(say())
        assert await asyncio.to_thread(began.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == (["cancelled"] if kind == "async" else [])
        assert talk.pending == ["c1"]
        may_end.set()
        gate.set()
        result = await talk.chat.call_function(talk.chat.pending_calls[0])
        assert (await talk.chat.send_function_responses([result])).text == "done"
        assert talk.told() == [response(name, "c1", result="worked")]

    run(main())
    assert talk.outcomes == ["completed"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["async", "in a thread"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_function_of_an_async_chat(streamed: bool, kind: str, error: type[BaseException]) -> None:
    """It ends the event loop. The calls are open, and the chat goes on in another."""
    stops: list[type[BaseException]] = [error]

    def toil() -> str:
        if stops:
            raise stops.pop()
        return "gone on"

    async def work() -> str:
        return toil()

    name = "work" if kind == "async" else "toil"
    talk = begin(Way(True, streamed), calling(call(name, "c1")), DONE, config={"tools": [work, toil]})
    with pytest.raises(error):
        talk.say("q")
    assert talk.pending == ["c1"]
    assert text_of(talk.answer([talk.call(talk.chat.pending_calls[0])])) == "done"
    assert talk.told() == [response(name, "c1", result="gone on")]
    assert talk.outcomes == ["completed"]


@every_stream
def test_closing_a_stream_while_a_function_runs(way: Way) -> None:
    """Iterating ends. The function had run to its end, so its result can be sent without running it again."""
    running, may_end = threading.Event(), threading.Event()
    ran: list[int] = []

    def work() -> str:
        running.set()
        assert may_end.wait(5)
        ran.append(1)
        return "worked"

    talk = begin(way, calling(call("work", "c1")), DONE, config={"tools": [work]})
    heard: list[int] = []

    async def main() -> None:
        stream = await talk.chat.send_message_stream("q")

        async def read() -> None:
            heard.extend([1 async for _ in stream])

        reading = asyncio.create_task(read())
        assert await asyncio.to_thread(running.wait, 5)
        closing = asyncio.create_task(stream.aclose())
        await asyncio.sleep(0)
        may_end.set()
        await closing
        await reading

    if way.asynchronous:
        run(main())
    else:
        stream = talk.chat.send_message_stream("q")

        def read() -> None:
            heard.extend(1 for _ in stream)

        reading = threading.Thread(target=read)
        reading.start()
        assert running.wait(5)
        stream.close()
        may_end.set()
        reading.join(5)
    assert heard == [1]
    assert talk.pending == ["c1"]
    assert len(talk.transport.requests) == 1
    assert text_of(talk.answer()) == "done"
    assert (ran, talk.told()) == ([1], [response("work", "c1", result="worked")])


# --- functions that use their own chat -----------------------------------------------------------------------------


@every_way
def test_a_function_may_look_at_its_chat(way: Way) -> None:
    """What was said so far, and its own call as one that is open; it can be written down and gone on with."""
    seen: list[Any] = []

    def look() -> int:
        chat = talk.chat
        seen.append((wire(chat.get_history()), wire(chat.get_history(curated=True)), talk.pending))
        seen.append([each.rule.name for each in chat.explain()])
        seen.append(chat.snapshot())
        seen.append(chat.fork().pending_calls)
        return len(seen)

    talk = begin(way, calling(call("look", "c1")), DONE, config={"tools": [look]})
    assert text_of(talk.say("q")) == "done"
    asked = calling(call("look", "c1"))["candidates"][0]["content"]
    assert seen[0] == ([QUESTION, asked], [], ["c1"])
    assert seen[1] == ["OPEN", "OPEN"]
    assert '"look"' in seen[2]
    assert [each.id for each in seen[3]] == ["c1"]
    assert talk.told() == [response("look", "c1", result=4)]


@every_way
@pytest.mark.parametrize("verb", ["send_message", "send_message_stream", "send_function_responses", "rewind"])
def test_a_function_may_not_send_in_its_own_chat(way: Way, verb: str) -> None:
    """That raises LocalProtocolError in it; the turn goes on, and nothing has changed."""
    raised: list[BaseException] = []

    def use(verb: str) -> Any:
        """Use the chat."""
        arguments: list[Any] = {"rewind": [], "send_function_responses": [[_result("use")]]}.get(verb, ["inner"])
        try:
            made = getattr(talk.chat, verb)(*arguments)
            if way.asynchronous and verb != "rewind":
                return asyncio.run(_drained(made))
            return list(made)
        except LocalProtocolError as error:
            raised.append(error)
            raise

    talk = begin(way, calling(call("use", verb=verb)), DONE, config={"tools": [use]})
    assert text_of(talk.say("q")) == "done"
    assert len(raised) == 1
    assert talk.told() == [response("use", error="use raised LocalProtocolError")]
    assert len(talk.transport.requests) == 2
    assert talk.outcomes == ["completed"]


def _result(name: str) -> Json:
    return {"name": name, "response": {"result": 1}}


async def _drained(made: Any) -> list[Any]:
    answer = await made
    return [chunk async for chunk in answer] if hasattr(answer, "__aiter__") else [answer]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_async_function_may_not_send_in_its_own_chat(streamed: bool) -> None:
    """It would wait for itself."""

    async def use() -> str:
        return str((await talk.chat.send_message("inner")).text)

    talk = begin(Way(True, streamed), calling(call("use")), DONE, config={"tools": [use]})
    assert text_of(talk.say("q")) == "done"
    assert talk.told() == [response("use", error="use raised LocalProtocolError")]


@every_way
def test_a_function_may_use_another_chat(way: Way) -> None:
    """A fork of its own, too."""

    def ask() -> str:
        other = talk.chat.fork()
        if way.asynchronous:
            return str(asyncio.run(other.send_message("inner")).text)
        return str(other.send_message("inner").text)

    talk = begin(way, calling(call("ask")), "from within", DONE, config={"tools": [ask]})
    assert text_of(talk.say("q")) == "done"
    assert talk.told() == [response("ask", result="from within")]
    assert talk.sent(1) == [{"role": "user", "parts": [{"text": "inner"}]}]


@pytest.mark.parametrize("streamed", [False, True])
def test_no_other_thread_may_send_while_a_function_runs(streamed: bool) -> None:
    """One driver at a time, and the functions belong to it."""
    running, may_end = threading.Event(), threading.Event()

    def work() -> None:
        running.set()
        assert may_end.wait(5)

    talk = begin(Way(False, streamed), calling(call("work")), DONE, config={"tools": [work]})
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.append(text_of(talk.say("q"))))
    thread.start()
    assert running.wait(5)
    with pytest.raises(LocalProtocolError, match="another thread"):
        talk.say("meanwhile")
    assert [each.name for each in talk.chat.pending_calls] == ["work"]
    may_end.set()
    thread.join(5)
    assert heard == ["done"]
    assert talk.outcomes == ["completed"]


# --- over sockets ---------------------------------------------------------------------------------------------------

TRANSPORTS: dict[str, tuple[Callable[[], Any], bool]] = {
    "requests": (RequestsTransport, False),
    "httpx": (HttpxTransport, False),
    "httpx async": (HttpxTransport, True),
    "aiohttp": (AiohttpTransport, True),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_rounds_over_sockets(transport: str, streamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rounds go over one connection; where it breaks, the results are sent again over another."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    shop = Shop()
    script: list[tuple[Json, bool]] = [(add(0), False), (add(1), False), (DONE, True), (DONE, False)]
    requests: list[Received] = []

    def serve(received: Received) -> Iterator[Any]:
        requests.append(received)
        document, breaks = script.pop(0)
        body = sse([document])[0] if streamed else encode(document)
        kind = "text/event-stream" if streamed else "application/json"
        yield head(200, chunked=True, content_type=kind)
        if breaks:
            yield chunk(body[:40])
            yield 0.05
            yield RESET
        else:
            yield chunk(body)
            yield chunk()

    make, asynchronous = TRANSPORTS[transport]
    with LoopbackServer() as server:
        for method in ("generateContent", "streamGenerateContent"):
            server.on(f"/v1/models/{MODEL}:{method}", serve)
        options = {"base_url": server.url("/")}

        def said(chat: Any, message: Any) -> Any:
            if message is None:
                answer = chat.send_function_responses(stream=streamed)
            else:
                answer = chat.send_message_stream(message) if streamed else chat.send_message(message)
            return list(answer) if streamed and not asynchronous else answer

        def sync() -> Any:
            with chatproto.Client(api_key="k", transport=make(), http_options=options) as client:
                chat = client.chats.create(model=MODEL, config=shop.config)
                with pytest.raises(ConnectionLost):
                    said(chat, "q")
                assert [each.id for each in chat.pending_calls] == ["c1"]
                said(chat, None)
                return chat

        async def awaited() -> Any:
            inner = make()
            chat = chatproto.Client(api_key="k", transport=inner, http_options=options).aio.chats.create(
                model=MODEL, config=shop.config
            )
            with pytest.raises(ConnectionLost):
                await _drained(said(chat, "q"))
            assert [each.id for each in chat.pending_calls] == ["c1"]
            await _drained(said(chat, None))
            await inner.aclose()
            return chat

        chat = run(awaited()) if asynchronous else sync()
    assert wire(chat.get_history(curated=True)) == [*rounds(0, 1), final()]
    assert [each.connection for each in requests] == [1, 1, 1, 2]
    assert requests[3].body == requests[2].body
    assert shop.ran == [(0, 1), (1, 1)]
