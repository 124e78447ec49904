"""How streams end: closed by whoever, from wherever, asked by two at once, begun too late, broken by any error."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from chat_faces import DONE, MODEL, Json, Way, begin, call, calling, every_stream, response, restore, run

import chatproto
from chatproto import errors
from chatproto.machines.history import Outcome
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import text_response

TOKEN = "dG9r"
SLOW = calling(call("slow", "c1"))
#: What the model is told of ``slow``.
TOLD = response("slow", "c1", result=1)


class Held(ScriptedTransport):
    """Gives the first piece of each body; from the second on it waits for ``go``."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.go, self.waiting = asyncio.Event(), asyncio.Event()

    def aopen(self, request: Any, secrets: Any) -> Any:
        @contextlib.asynccontextmanager
        async def opening() -> AsyncIterator[Any]:
            async with ScriptedTransport.aopen(self, request, secrets) as opened:
                read, pieces = opened.aread, [0]

                async def aread() -> bytes:
                    pieces[0] += 1
                    if pieces[0] > 1:
                        await self.pause()
                    return await read()

                opened.aread = aread  # type: ignore[method-assign]
                yield opened

        return opening()

    async def pause(self) -> None:
        """Before the second piece of a body, and each after it."""
        self.waiting.set()
        await self.go.wait()


class Slow:
    """A function that waits until it is let go."""

    def __init__(self) -> None:
        self.began, self.go = asyncio.Event(), asyncio.Event()
        self.ran = 0

    async def slow(self) -> int:
        """Waits."""
        self.began.set()
        await self.go.wait()
        self.ran += 1
        return 1

    def chat(self, *answers: Any) -> tuple[Any, ScriptedTransport]:
        """A chat with it."""
        transport = ScriptedTransport(*answers)
        client = chatproto.Client(transport=transport)
        return client.aio.chats.create(model=MODEL, config={"tools": [self.slow]}), transport


async def reached(event: asyncio.Event) -> None:
    """The event is set, and whoever waits for it has gone on."""
    await event.wait()
    for _ in range(5):
        await asyncio.sleep(0)


async def texts(stream: Any) -> list[str | None]:
    """What is left of a stream."""
    return [chunk.text async for chunk in stream]


def outcomes(chat: Any) -> list[str]:
    """How the turns ended."""
    return [turn.outcome.value for turn in chat.turns]


def told(transport: ScriptedTransport) -> list[Json]:
    """The function responses of the last request."""
    return [part["functionResponse"] for part in transport.requests[-1].json()["contents"][-1]["parts"]]


# --- closing waits for no other -----------------------------------------------------------------------------------


def test_a_superseded_stream_is_closed_at_once() -> None:
    """Though the message that ended it is under way, in a function."""

    async def main() -> None:
        slow = Slow()
        chat, transport = slow.chat(["a", "b"], SLOW, DONE)
        async with await chat.send_message_stream("1") as stream:
            assert (await anext(stream)).text == "a"
            later = asyncio.create_task(chat.send_message("2"))
            await reached(slow.began)
            await stream.aclose()
            assert not later.done()
        assert not later.done()
        with pytest.raises(errors.LocalProtocolError, match="a later message"):
            await anext(stream)
        slow.go.set()
        assert (await later).text == "done"
        assert transport.discarded == 1
        assert outcomes(chat) == ["abandoned", "completed"]

    run(main())


def test_a_superseded_stream_is_closed_while_another_answer_arrives() -> None:
    """Though the server takes a while."""

    async def main() -> None:
        transport = Held(["a", "b"], ["c", "d"])
        chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL)
        stream = await chat.send_message_stream("1")
        assert (await anext(stream)).text == "a"
        later = await chat.send_message_stream("2")
        assert (await anext(later)).text == "c"
        waiting = asyncio.create_task(anext(later))
        await reached(transport.waiting)
        await stream.aclose()
        assert not waiting.done()
        transport.go.set()
        assert (await waiting).text == "d"
        assert await texts(later) == []
        assert outcomes(chat) == ["abandoned", "completed"]

    run(main())


def test_a_stream_that_has_not_begun_is_closed_at_once() -> None:
    """Though another message is under way: nothing of it was sent, and nothing is."""

    async def main() -> None:
        slow = Slow()
        chat, transport = slow.chat(SLOW, DONE)
        stream = await chat.send_message_stream("1")
        other = asyncio.create_task(chat.send_message("2"))
        await reached(slow.began)
        await stream.aclose()
        slow.go.set()
        assert (await other).text == "done"
        assert await texts(stream) == []
        assert len(transport.requests) == 2

    run(main())


@pytest.mark.parametrize("way", ["itself", "a task", "close"])
def test_a_function_closes_the_stream_that_runs_it(way: str) -> None:
    """It does not wait for itself, and neither does a task of its own. What it returns can be sent yet."""

    async def main() -> None:
        box: list[Any] = []

        async def slow() -> int:
            """Hangs up."""
            if way == "itself":
                await box[0].aclose()
            elif way == "a task":
                await asyncio.create_task(box[0].aclose())
            else:
                box[0].close()
            return 1

        transport = ScriptedTransport([SLOW], [DONE])
        chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL, config={"tools": [slow]})
        stream = await chat.send_message_stream("q")
        box.append(stream)
        assert len(await texts(stream)) == 1
        assert [each.name for each in chat.pending_calls] == ["slow"]
        assert len(transport.requests) == 1
        rest = await chat.send_function_responses(stream=True)
        assert await texts(rest) == ["done"]
        assert told(transport) == [TOLD]
        assert outcomes(chat) == ["completed"]

    run(main())


def test_a_function_closes_the_stream_that_runs_it_in_a_thread() -> None:
    """A plain function of an async chat runs beside the loop."""

    async def main() -> None:
        box: list[Any] = []

        def slow() -> int:
            """Hangs up."""
            box[0].close()
            return 1

        transport = ScriptedTransport([SLOW], DONE)
        chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL, config={"tools": [slow]})
        stream = await chat.send_message_stream("q")
        box.append(stream)
        assert len(await texts(stream)) == 1
        assert (await chat.send_function_responses(stream=False)).text == "done"
        assert told(transport) == [TOLD]

    run(main())


def test_two_tasks_close_and_one_of_them_is_cancelled() -> None:
    """The other goes on waiting for the function that runs, and then the chat is free."""

    async def main() -> None:
        slow = Slow()
        chat, transport = slow.chat([SLOW], DONE)
        stream = await chat.send_message_stream("q")
        await anext(stream)
        reading = asyncio.create_task(texts(stream))
        await reached(slow.began)
        first, second = (asyncio.create_task(stream.aclose()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not second.done()
        slow.go.set()
        await second
        assert await reading == []
        # The chat is free, and the function need not run again.
        assert (await chat.send_function_responses(stream=False)).text == "done"
        assert told(transport) == [TOLD]
        assert slow.ran == 1

    run(main())


def test_whoever_has_closed_finds_the_chat_free() -> None:
    """Also where a task was waiting for a chunk: ``aclose`` returns when that has noticed."""

    async def main() -> None:
        transport = Held(["a", "b"], "fine")
        chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL)
        stream = await chat.send_message_stream("1")
        await anext(stream)
        reading = asyncio.create_task(texts(stream))
        await reached(transport.waiting)
        closing = asyncio.create_task(stream.aclose())
        await asyncio.sleep(0)
        transport.go.set()
        await closing
        assert (await chat.send_message("2")).text == "fine"
        assert await reading == []
        assert transport.discarded == 1
        assert outcomes(chat) == ["abandoned", "completed"]

    run(main())


class Silent(Held):
    """As Held, and nothing but the task that waits knows what for."""

    async def pause(self) -> None:
        self.waiting.set()
        if not self.go.is_set():
            await asyncio.get_running_loop().create_future()


def test_a_loop_that_ends_under_a_stream_leaves_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """L5: the task that waits for a chunk is destroyed by the garbage collector, outside of all tasks."""
    loop = asyncio.new_event_loop()
    logged: list[Any] = []
    loop.set_exception_handler(lambda _, context: logged.append(context["message"]))
    transport = Silent(["a", "b"], DONE)
    chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL)

    async def main() -> None:
        stream = await chat.send_message_stream("q")
        await anext(stream)
        task = asyncio.ensure_future(anext(stream))
        await reached(transport.waiting)
        assert not task.done()

    loop.run_until_complete(main())
    loop.close()
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda each: unraisable.append(repr(each.exc_value)))
    gc.collect()
    assert logged == ["Task was destroyed but it is pending!"]
    assert unraisable == []
    assert transport.discarded == 1
    assert outcomes(chat) == ["abandoned"]
    transport.go.set()
    assert run(chat.send_message("again")).text == "done"


# --- closing from another thread ------------------------------------------------------------------------------------


class Working:
    """A function that waits in a thread, and a chat with it."""

    def __init__(self, *answers: Any) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self.ran = 0
        self.transport = ScriptedTransport(*answers)
        client = chatproto.Client(transport=self.transport)
        self.chat = client.chats.create(model=MODEL, config={"tools": [self.slow]})
        self.heard: list[Any] = []

    def slow(self) -> int:
        """Waits."""
        self.began.set()
        assert self.go.wait(10)
        self.ran += 1
        return 1

    @contextlib.contextmanager
    def reading(self, stream: Any) -> Iterator[None]:
        """Another thread is inside the function; afterwards it has read to the end."""

        def read() -> None:
            try:
                self.heard += [chunk.function_calls for chunk in stream]
            except Exception as error:  # noqa: BLE001  (told to the test)
                self.heard.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            assert self.began.wait(10)
            yield
        finally:
            self.go.set()
            reader.join(10)
        assert not reader.is_alive()


@pytest.mark.parametrize("times", [1, 2])
def test_closed_from_another_thread_during_a_function(times: int) -> None:
    """``close`` does not wait; the iteration ends when the function has, and what it gave can be sent yet (L5, L7)."""
    working = Working([SLOW], DONE)
    stream = working.chat.send_message_stream("q")
    with working.reading(stream):
        for _ in range(times):
            stream.close()
        assert working.ran == 0
        with pytest.raises(errors.LocalProtocolError, match="another thread or task"):
            working.chat.send_message("too soon")
    assert len(working.heard) == 1
    assert working.chat.get_history(curated=True) == []
    assert [each.name for each in working.chat.pending_calls] == ["slow"]
    assert working.chat.send_function_responses().text == "done"
    assert told(working.transport) == [TOLD]
    assert working.ran == 1
    assert len(working.chat.get_history(curated=True)) == 4


def test_closed_from_another_thread_and_not_answered() -> None:
    """L5, L7: another message leaves the whole turn."""
    working = Working([SLOW], "fine")
    stream = working.chat.send_message_stream("q")
    with working.reading(stream):
        stream.close()
    assert working.chat.send_message("else").text == "fine"
    assert [turn.outcome for turn in working.chat.turns] == [Outcome.ABANDONED, Outcome.COMPLETED]
    assert len(working.transport.requests[-1].json()["contents"]) == 1
    assert len(working.chat.get_history(curated=True)) == 2


def test_a_second_thread_asks_for_a_chunk() -> None:
    """It is turned down, and the first goes on to the end."""
    working = Working([SLOW], ["a", "b"])
    stream = working.chat.send_message_stream("q")
    with working.reading(stream), pytest.raises(errors.LocalProtocolError, match="another thread or task"):
        next(stream)
    assert len(working.heard) == 3
    assert [turn.outcome for turn in working.chat.turns] == [Outcome.COMPLETED]
    assert working.transport.discarded == 0


# --- two tasks ask for a chunk ----------------------------------------------------------------------------------------


def test_a_second_task_asks_while_a_chunk_is_waited_for() -> None:
    """It is turned down, and the first goes on to the end: nothing is lost."""

    async def main() -> None:
        transport = Held(["a", "b", "c"])
        chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL)
        stream = await chat.send_message_stream("q")
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        await reached(transport.waiting)
        for _ in range(2):
            with pytest.raises(errors.LocalProtocolError, match="another thread or task"):
                await anext(stream)
        transport.go.set()
        assert (await waiting).text == "b"
        assert await texts(stream) == ["c"]
        assert outcomes(chat) == ["completed"]
        assert transport.discarded == 0

    run(main())


def test_a_second_task_asks_while_a_function_runs() -> None:
    """As before; and whoever closes then waits for the first, not for the second."""

    async def main() -> None:
        slow = Slow()
        chat, transport = slow.chat([SLOW], ["a", "b", "c"])
        stream = await chat.send_message_stream("q")
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        await reached(slow.began)
        with pytest.raises(errors.LocalProtocolError, match="another thread or task"):
            await anext(stream)
        closing = asyncio.create_task(stream.aclose())
        await asyncio.sleep(0)
        assert not closing.done()
        slow.go.set()
        await closing
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert [each.name for each in chat.pending_calls] == ["slow"]
        assert len(transport.requests) == 1

    run(main())


def test_a_stream_whose_first_chunk_came_too_soon_can_be_asked_later() -> None:
    """Another message was under way: nothing was sent then, so nothing is lost."""

    async def main() -> None:
        slow = Slow()
        chat, _ = slow.chat(SLOW, DONE, ["a", "b"])
        other = asyncio.create_task(chat.send_message("1"))
        stream = await chat.send_message_stream("2")
        await reached(slow.began)
        with pytest.raises(errors.LocalProtocolError, match="another thread or task"):
            await anext(stream)
        slow.go.set()
        await other
        assert await texts(stream) == ["a", "b"]
        assert outcomes(chat) == ["completed", "completed"]

    run(main())


# --- errors of a transport's own ------------------------------------------------------------------------------------


class NeedsCode(errors.ConnectionLost):
    """Its constructor takes something else."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class KeywordOnly(errors.TimedOut):
    """Its constructor cannot be called by position."""

    def __init__(self, *, code: int) -> None:
        super().__init__("late", cause="LibraryTimeout")
        self.code = code


class Fits(errors.ConnectionLost):
    """Its constructor can be called as ConnectionLost's, and then forgets something."""

    def __init__(self, problem: str = "lost", *, cause: str = "", code: int = 0) -> None:
        super().__init__(problem, cause=cause)
        self.code = code


class MadeByNew(errors.ConnectFailed):
    """It has a ``__new__`` of its own."""

    def __new__(cls, code: int) -> MadeByNew:
        """Takes what the constructor takes."""
        return super().__new__(cls, code)

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class NotToBeCopied(errors.ConnectionLost):
    """It turns all down that the standard library's copies ask for."""

    code = 7

    def __copy__(self) -> Any:
        raise AssertionError("copied")

    def __deepcopy__(self, memo: Any) -> Any:
        raise AssertionError("copied")

    def __reduce__(self) -> Any:
        raise AssertionError("pickled")


class LibraryError(ValueError):
    """The root of a library's errors."""


class OfALibrary(LibraryError, errors.ConnectionLost):
    """It is the library's first, and that is another kind of built-in exception."""

    def __init__(self, code: int) -> None:
        errors.ConnectionLost.__init__(self, f"code {code}")
        self.code = code


class Slotted(errors.ConnectionLost):
    """It keeps what it knows in slots, as classes made by attrs do."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


class Numbered(errors.ConnectionLost):
    """It has the number of an error of the system."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.errno = code

    @property
    def code(self) -> int | None:
        """That number."""
        return self.errno


class Plain(errors.TransportError):
    """None of the three."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


BROKEN = [
    NeedsCode(7),
    KeywordOnly(code=7),
    Fits("lost", code=7),
    MadeByNew(7),
    NotToBeCopied("lost"),
    OfALibrary(7),
    Slotted(7),
    Numbered(7),
    Plain(7),
]


@every_stream
@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_an_error_of_a_transports_own(way: Way, error: Any) -> None:
    """L12: it comes out as what it is, with what had come of the answer, and the turn has failed. It is a copy."""
    error.add_note("a note")
    notes = list(error.__notes__)
    talk = begin(way, Answer(["a", "b"], cut_at=150, error=error), DONE)
    with pytest.raises(errors.TransportError) as caught:
        talk.say("q")
    told_: Any = caught.value
    assert type(told_) is type(error)
    assert (str(told_), told_.args, told_.problem, told_.cause) == (str(error), error.args, error.problem, error.cause)
    assert told_.code == 7
    assert told_.__notes__ == notes
    assert told_.partial.text == "a"
    assert error.partial is None
    assert talk.outcomes == ["failed"]
    assert talk.chat.turns[0].reason == str(error)
    assert talk.history() == []
    talk.say("again")
    assert talk.outcomes == ["failed", "completed"]


# --- the rest of a restored answer ----------------------------------------------------------------------------------


def under_way() -> str:
    """A snapshot in the middle of an answer, which has a token."""
    begun = text_response("a", None)
    begun["candidates"][0]["continuationToken"] = TOKEN
    transport = ScriptedTransport(Answer([begun, text_response("never")]))
    chat = chatproto.Client(transport=transport).chats.create(model=MODEL)
    with chat.send_message_stream("1") as stream:
        next(stream)
        return chat.snapshot()


class Rest:
    """A restored chat whose answers come as lists, and one chunk at a time."""

    def __init__(self, way: Way, loop: asyncio.AbstractEventLoop, *answers: Any) -> None:
        self.talk = restore(way, under_way(), *answers)
        self.chat, self.transport = self.talk.chat, self.talk.transport
        self._loop = loop if way.asynchronous else None

    def got(self, waited: Any) -> Any:
        """What a verb gives."""
        return waited if self._loop is None else self._loop.run_until_complete(waited)

    def one(self, stream: Any) -> Any:
        """The text of the next chunk."""
        return self.got(next(stream) if self._loop is None else anext(stream)).text

    def left(self, stream: Any) -> list[Any]:
        """The texts of all that is left."""
        return [chunk.text for chunk in stream] if self._loop is None else self.got(texts(stream))


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for one test."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@every_stream
def test_a_rest_that_is_asked_for_late_drives_no_other_answer(way: Way, loop: asyncio.AbstractEventLoop) -> None:
    """Another message was sent in between: the rest says so, and that message goes on to its end."""
    rest = Rest(way, loop, ["x", "y", "z"])
    resumed = rest.got(rest.chat.resume())
    other = rest.got(rest.chat.send_message_stream("2"))
    assert rest.one(other) == "x"
    with pytest.raises(errors.LocalProtocolError, match="a later message has ended this answer"):
        rest.one(resumed)
    assert rest.left(other) == ["y", "z"]
    assert rest.talk.outcomes == ["abandoned", "completed"]
    assert rest.transport.discarded == 0


@every_stream
def test_a_rest_that_is_asked_for_when_another_message_is_answered(way: Way, loop: asyncio.AbstractEventLoop) -> None:
    """It says so, and changes nothing: calls of that message can be answered by its functions."""
    rest = Rest(way, loop, [calling(call("twice", "c1", a=4))], [DONE])

    def twice(a: int) -> int:
        """Twice."""
        return 2 * a

    resumed = rest.got(rest.chat.resume())
    waiting = {"tools": [twice], "automatic_function_calling": {"disable": True}}
    assert len(rest.left(rest.got(rest.chat.send_message_stream("2", waiting)))) == 1
    with pytest.raises(errors.LocalProtocolError, match="a later message has ended this answer"):
        rest.one(resumed)
    part = rest.got(rest.chat.call_function(rest.chat.pending_calls[0]))
    assert rest.left(
        rest.chat.send_function_responses([part], stream=True)
        if not way.asynchronous
        else rest.got(rest.chat.send_function_responses([part], stream=True))
    ) == ["done"]
    assert told(rest.transport) == [response("twice", "c1", result=8)]


@every_stream
def test_a_rest_is_one_stream(way: Way, loop: asyncio.AbstractEventLoop) -> None:
    """A second one that is asked while the first is suspended is turned down, and the first goes on to the end."""
    rest = Rest(way, loop, ["B", "C", "D"])
    first, second = rest.got(rest.chat.resume()), rest.got(rest.chat.resume())
    assert rest.one(first) == "B"
    with pytest.raises(errors.LocalProtocolError):
        rest.one(second)
    assert rest.left(first) == ["C", "D"]
    assert rest.talk.outcomes == ["completed"]
    assert rest.transport.discarded == 0


@every_stream
def test_there_is_one_rest(way: Way, loop: asyncio.AbstractEventLoop) -> None:
    """When it is through, another that was made before is turned down, and none is made."""
    rest = Rest(way, loop, ["B", "C"])
    first, second = rest.got(rest.chat.resume()), rest.got(rest.chat.resume())
    assert rest.left(first) == ["B", "C"]
    with pytest.raises(errors.LocalProtocolError):
        rest.one(second)
    with pytest.raises(errors.LocalProtocolError, match="nothing is under way"):
        rest.got(rest.chat.resume())
    assert rest.talk.outcomes == ["completed"]
