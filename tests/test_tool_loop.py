"""Automatic function calling: what the functions get, what the model is told, and when it is off."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from chat_faces import (
    DONE,
    MODEL,
    QUESTION,
    WAYS,
    Json,
    Shop,
    Talk,
    Way,
    add,
    begin,
    both,
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
from chatproto import types
from chatproto.errors import FunctionError, UnsupportedFunctionError, ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.testing.wire import text_response

# --- a turn with rounds ---------------------------------------------------------------------------------------------


@every_way
def test_functions_run_until_the_model_answers(way: Way) -> None:
    """Each result goes back with the call's id; the turn is one turn, and the next message sends all of it."""
    shop = Shop()
    signed = {"functionCall": {"id": "c1", "args": {"a": 2.0, "b": 3}, "name": "add"}, "thoughtSignature": "-_8="}
    first: Json = {"candidates": [{"content": {"parts": [signed], "role": "model"}, "finishReason": "STOP"}]}
    talk = begin(way, first, calling(call("spell", text="hi")), DONE, "bye", config=shop.config)
    assert text_of(talk.say("q")) == "done"
    assert shop.ran == [(2, 3), "hi"]
    said = [
        QUESTION,
        {"role": "model", "parts": [signed]},
        {"role": "user", "parts": [{"functionResponse": response("add", "c1", result=5)}]},
        {"role": "model", "parts": [{"functionCall": call("spell", text="hi")}]},
        {"role": "user", "parts": [{"functionResponse": response("spell", result=["h", "i"])}]},
        final(),
    ]
    assert [talk.sent(number) for number in range(3)] == [said[:1], said[:3], said[:5]]
    assert talk.history() == talk.history(curated=False) == said
    assert talk.outcomes == ["completed"]
    assert talk.pending == []
    talk.say("and?")
    assert talk.sent() == [*said, {"role": "user", "parts": [{"text": "and?"}]}]


@every_way
def test_every_round_is_asked_for_as_the_message_was(way: Way) -> None:
    """The method, the settings and the declarations of a message are those of all its rounds."""
    shop = Shop()
    talk = begin(way, add(1), add(2), DONE, "next", config={"temperature": 1.0})
    talk.say("q", {"temperature": 0.25, "system_instruction": "Add.", "tools": shop.tools})
    requests = [each.json() for each in talk.transport.requests]
    assert all({**each, "contents": None} == {**requests[0], "contents": None} for each in requests)
    assert requests[0]["generationConfig"] == {"temperature": 0.25}
    assert [each["name"] for each in requests[2]["tools"][0]["functionDeclarations"]] == ["add", "spell"]
    assert len({each.url for each in talk.transport.requests}) == 1
    talk.say("without")
    assert talk.transport.requests[-1].json()["generationConfig"] == {"temperature": 1.0}
    assert "tools" not in talk.transport.requests[-1].json()


@every_way
def test_headers_and_timeouts_are_of_all_rounds(way: Way) -> None:
    """Those of a message's ``http_options``."""
    noted: list[Any] = []

    class Noting(ScriptedTransport):
        def open(self, request: Any, secrets: Any) -> Any:
            noted.append((request.timeout, dict(secrets.headers_for(request)).get("x-mine")))
            return super().open(request, secrets)

        def aopen(self, request: Any, secrets: Any) -> Any:
            return self.open(request, secrets)

    client = chatproto.Client(transport=Noting(add(1), add(2), DONE))
    chat = (client.aio if way.asynchronous else client).chats.create(model=MODEL)
    config = {"http_options": {"timeout": 1500, "headers": {"x-mine": "yes"}}, "tools": Shop().tools}
    assert text_of(Talk(way, chat, client._connector.sync_transport()).say("q", config)) == "done"  # type: ignore[arg-type]
    assert noted == [(1.5, "yes")] * 3


@every_stream
def test_a_stream_hands_out_the_chunks_of_all_rounds(way: Way) -> None:
    """In their order: what calls, before what is said of the results. A function runs when the next is asked for."""
    shop = Shop()
    one = [text_response("Let me ", None), calling(call("add", "c1", a=1), text="see.")]
    two = [calling(call("add", "c2", a=2), finish_reason=None), calling(call("spell", "c3", text="x"))]
    talk = begin(way, one, two, ["It is ", "2."], config=shop.config)
    seen: list[Any] = []

    def note(chunk: Any) -> None:
        parts = chunk.candidates[0].content.parts
        seen.append(([part.text or part.function_call.id for part in parts], len(shop.ran)))

    if way.asynchronous:

        async def main() -> None:
            async for chunk in await talk.chat.send_message_stream("q"):
                note(chunk)

        run(main())
    else:
        for chunk in talk.chat.send_message_stream("q"):
            note(chunk)
    assert seen == [(["Let me "], 0), (["see.", "c1"], 0), (["c2"], 1), (["c3"], 1), (["It is "], 3), (["2."], 3)]
    assert talk.told() == [response("add", "c2", result=3), response("spell", "c3", result=["x"])]
    assert [len(content["parts"]) for content in talk.history()] == [1, 2, 1, 2, 2, 1]
    assert closed(talk.history())


@every_way
def test_parallel_calls_are_answered_in_their_order(way: Way) -> None:
    """In one content, each with its own id, or with none where the call had none."""
    shop = Shop()
    calls = [call("add", "a", a=1), call("add", "b", a=2), call("spell", text="xy"), call("add", a=3)]
    talk = begin(way, calling(*calls), DONE, config=shop.config)
    talk.say("q")
    assert talk.told() == [
        response("add", "a", result=2),
        response("add", "b", result=3),
        response("spell", result=["x", "y"]),
        response("add", result=4),
    ]
    if not way.asynchronous:
        assert shop.ran == [(1, 1), (2, 1), "xy", (3, 1)]


@pytest.mark.parametrize("streamed", [False, True])
def test_async_functions_run_side_by_side(streamed: bool) -> None:
    """Two that wait for each other end; so do a plain function in its thread and an async one."""
    barrier = asyncio.Barrier(2)
    in_thread, awaited = threading.Event(), asyncio.Event()
    loops: list[Any] = []

    async def meet(who: str) -> str:
        await barrier.wait()
        return who

    def block() -> bool:
        loops[0].call_soon_threadsafe(awaited.set)
        return in_thread.wait(5)

    async def release() -> str:
        loops.append(asyncio.get_running_loop())
        await awaited.wait()
        in_thread.set()
        return "released"

    calls = [call("meet", "1", who="a"), call("meet", "2", who="b"), call("release", "3"), call("block", "4")]
    talk = begin(Way(True, streamed), calling(*calls), DONE, config={"tools": [meet, block, release]})
    assert text_of(talk.say("q")) == "done"
    assert [each["response"]["result"] for each in talk.told()] == ["a", "b", "released", True]


def test_functions_of_a_sync_chat_run_in_their_order_in_its_thread() -> None:
    """One after the other."""
    running: list[str] = []

    def work(name: str) -> None:
        assert not running
        running.append(name)
        ran.append((name, threading.current_thread()))
        running.clear()

    ran: list[Any] = []
    talk = begin(WAYS["unary"], calling(*(call("work", name=name) for name in "cab")), DONE, config={"tools": [work]})
    talk.say("q")
    assert ran == [(name, threading.current_thread()) for name in "cab"]


# --- what the model is told -----------------------------------------------------------------------------------------


def boom(text: str) -> str:
    """Fails."""
    raise RuntimeError(text)


def refuse(text: str) -> str:
    """Fails, for the model."""
    raise FunctionError(text)


def thing() -> Any:
    """Gives what is no JSON."""
    return object()


def deep() -> Any:
    """Gives what is nested more deeply than a server reads."""
    made: Any = 1
    for _ in range(300):
        made = [made]
    return made


def long() -> int:
    """Gives a number of more digits than Python writes."""
    return 10**5000


def surrogate() -> str:
    """Gives half a character."""
    return "\ud83d"


@every_way
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (call("nothing", a=1), {"error": "there is no function 'nothing'; there are: add, spell, boom, refuse, thing"}),
        (call("", a=1), {"error": "there is no function ''; there are: add, spell, boom, refuse, thing"}),
        (call("add", a="x"), {"error": "add was not called: argument 'a': expected an integer, got \"x\""}),
        (call("add"), {"error": "add was not called: argument 'a' is missing"}),
        (
            call("add", a=1, c=2),
            {"error": "add was not called: it has no argument \"c\"; its arguments are 'a', 'b'"},
        ),
        (call("boom", text="the key is 123"), {"error": "boom raised RuntimeError"}),
        (call("refuse", text="not on Sundays"), {"error": "not on Sundays"}),
        (call("thing"), {"error": "thing returned a object, which has no form in JSON"}),
    ],
    ids=["unknown", "nameless", "bad", "missing", "more", "exception", "FunctionError", "no JSON"],
)
def test_what_goes_wrong_is_told_to_the_model(way: Way, asked: Json, told: Json) -> None:
    """Rule 6: and the chat goes on; a call beside it has its result."""
    talk = begin(
        way,
        calling({**asked, "id": "c1"}, call("add", "c2", a=1)),
        DONE,
        config={"tools": [*Shop().tools, boom, refuse, thing]},
    )
    assert text_of(talk.say("q")) == "done"
    assert talk.told() == [{"id": "c1", "name": asked["name"], "response": told}, response("add", "c2", result=2)]
    assert talk.outcomes == ["completed"]


@every_way
@pytest.mark.parametrize("function", [deep, long], ids=lambda each: each.__name__)
def test_results_that_cannot_be_written_are_told_to_the_model(way: Way, function: Callable[[], Any]) -> None:
    """Rule 6: what Python holds and a request does not."""
    talk = begin(way, calling(call(function.__name__, "c1")), DONE, config={"tools": [function]})
    assert text_of(talk.say("q")) == "done"
    (told,) = talk.told()
    assert set(told["response"]) == {"error"}
    assert closed(talk.history())


@every_way
def test_half_a_character_is_told_as_it_is(way: Way) -> None:
    """It passes through JSON escaped."""
    talk = begin(way, calling(call("surrogate", "c1")), DONE, config={"tools": [surrogate]})
    assert text_of(talk.say("q")) == "done"
    assert talk.told() == [response("surrogate", "c1", result="\ud83d")]


@every_way
def test_function_errors_message(way: Way) -> None:
    """The text of an exception, where the program says so."""
    talk = begin(way, calling(call("boom", text="no")), DONE, config={"tools": [boom]}, function_errors="message")
    talk.say("q")
    assert talk.told() == [response("boom", error="boom raised RuntimeError: no")]


@both
def test_function_errors_is_name_or_message(way: Way) -> None:
    """Like every option, it is checked."""
    with pytest.raises(ValidationError, match="function_errors"):
        begin(way, function_errors="all")


@every_way
def test_a_call_without_arguments(way: Way) -> None:
    """``args`` may be left out."""
    talk = begin(way, calling({"name": "deep", "id": "1"}), DONE, config={"tools": [thing]})
    talk.say("q")
    assert talk.told() == [response("deep", "1", error="there is no function 'deep'; there are: thing")]
    nothing: list[int] = []

    def ping() -> str:
        nothing.append(1)
        return "pong"

    talk = begin(way, calling({"name": "ping"}), DONE, config={"tools": [ping]})
    talk.say("q")
    assert talk.told() == [response("ping", result="pong")]


@every_way
def test_a_response_of_the_functions_own(way: Way) -> None:
    """A types.FunctionResponse is used as it is, with the call's name and id."""

    def look() -> types.FunctionResponse:
        return types.FunctionResponse(name="other", id="other", response={"output": [1, 2]})

    talk = begin(way, calling(call("look", "c1")), DONE, config={"tools": [look]})
    talk.say("q")
    assert talk.told() == [response("look", "c1", output=[1, 2])]


@every_stream
def test_streamed_arguments_are_not_left_out(way: Way) -> None:
    """A call whose arguments come in pieces is made with them, or left to the program; not with the defaults."""
    ran: list[int] = []

    def book(seats: int = 1) -> int:
        ran.append(seats)
        return seats

    pieces: list[Json] = [
        {"name": "book", "id": "c1", "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.seats", "numberValue": 5}], "willContinue": True},
    ]
    stream = [*(calling(piece, finish_reason=None) for piece in pieces), calling({})]
    talk = begin(way, stream, DONE, config={"tools": [book]})
    talk.say("q")
    assert (ran, talk.pending) in (([], ["c1"]), ([5], []))


# --- what is not run ------------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_most_requests(way: Way, most: int) -> None:
    """``maximum_remote_calls`` counts requests: the calls of the last answer are not run, and wait.

    Another message leaves them, and no call without its response is ever sent.
    """
    shop = Shop()
    answers = [add(number) for number in range(most + 1)]
    config = {**shop.config, "automatic_function_calling": {"maximum_remote_calls": most}}
    talk = begin(way, *answers[:most], "other", config=config)
    last = talk.say("q")[-1]
    assert [each.id for each in last.function_calls or ()] == talk.pending == [f"c{most - 1}"]
    assert shop.ran == [(number, 1) for number in range(most - 1)]
    assert len(talk.transport.requests) == most
    assert talk.history() == []
    assert talk.history(curated=False) == rounds(*range(most))[:-1]
    talk.say("never mind")
    assert talk.sent() == [{"role": "user", "parts": [{"text": "never mind"}]}]
    assert talk.outcomes == ["abandoned", "completed"]
    assert closed(talk.history())
    assert not closed(talk.history(curated=False))


@every_way
def test_ten_requests_unless_told_otherwise(way: Way) -> None:
    """As in google-genai: nine rounds of functions. After that the program says for each round that it goes on."""
    shop = Shop()
    talk = begin(way, *map(add, range(12)), config=shop.config)
    talk.say("q")
    assert (len(shop.ran), len(talk.transport.requests), talk.pending) == (9, 10, ["c9"])
    for number in (10, 11):
        talk.answer([talk.call(talk.chat.pending_calls[0])])
        assert (len(shop.ran), len(talk.transport.requests), talk.pending) == (number, number + 1, [f"c{number}"])


@every_way
@pytest.mark.parametrize(
    "options", [{"disable": True}, {"maximum_remote_calls": 0}, {"maximum_remote_calls": -1}], ids=str
)
def test_where_it_is_off(way: Way, options: Json) -> None:
    """The functions are declared, and the program answers the calls; it can let the chat run the functions."""
    shop = Shop()
    talk = begin(way, add(1), add(2), DONE, config={**shop.config, "automatic_function_calling": options})
    for number in (1, 2):
        talk.say("q") if number == 1 else None
        assert talk.pending == [f"c{number}"]
        assert len(shop.ran) == number - 1
        assert "functionDeclarations" in talk.transport.requests[-1].json()["tools"][0]
        heard = talk.answer([talk.call(talk.chat.pending_calls[0])])
    assert text_of(heard) == "done"
    assert talk.history() == [*rounds(1, 2), final()]


@every_way
@pytest.mark.parametrize("order", ["before", "after"])
def test_tools_declared_by_hand_leave_all_calls_to_the_program(way: Way, order: str) -> None:
    """As in google-genai: a types.Tool with declarations beside functions turns automatic calling off."""
    shop = Shop()
    by_hand = types.Tool(function_declarations=[types.FunctionDeclaration(name="ask", description="Asks.")])
    tools = [by_hand, *shop.tools] if order == "before" else [*shop.tools, by_hand]
    talk = begin(way, calling(call("add", "c1", a=1), call("ask", "c2")), DONE, config={"tools": tools})
    talk.say("q")
    declared = talk.transport.requests[0].json()["tools"]
    assert sorted(each["name"] for each in declared[0]["functionDeclarations"]) == ["add", "ask", "spell"]
    assert len(declared) == 1
    assert (shop.ran, talk.pending) == ([], ["c1", "c2"])
    first, _ = talk.chat.pending_calls
    heard = talk.answer([talk.call(first), {"name": "ask", "response": {"said": "yes"}}])
    assert text_of(heard) == "done"
    assert talk.told() == [response("add", "c1", result=2), response("ask", "c2", said="yes")]


@every_way
def test_tools_of_the_servers_own_are_no_reason_to_stop(way: Way) -> None:
    """Functions beside Google Search are called."""
    shop = Shop()
    talk = begin(way, add(1), DONE, config={"tools": [types.Tool(google_search=types.GoogleSearch()), shop.add]})
    assert text_of(talk.say("q")) == "done"
    assert talk.transport.requests[0].json()["tools"][0] == {"googleSearch": {}}
    assert shop.ran == [(1, 1)]


@every_way
def test_the_config_of_a_message_has_its_own_tools(way: Way) -> None:
    """It replaces the chat's: with other functions, or with none, and then the calls are the program's."""
    shop, other = Shop(), Shop()
    answers = [add(1), DONE, add(2), calling(call("spell", "c3", text="a")), DONE, add(4)]
    talk = begin(way, *answers, config=shop.config)
    talk.say("q", {"tools": [other.add]})
    assert (shop.ran, other.ran) == ([], [(1, 1)])
    talk.say("q", {"temperature": 1.0})
    assert (talk.pending, len(shop.ran)) == (["c2"], 0)
    talk.say("q")
    assert (talk.pending, shop.ran) == ([], ["a"])
    talk.say("q", {"tools": []})
    assert (talk.pending, shop.ran) == (["c4"], ["a"])


@every_way
def test_a_merged_config_keeps_the_chats_functions(way: Way) -> None:
    """With ``config_mode="merge"`` a message that says nothing of tools leaves them."""
    shop, other = Shop(), Shop()
    talk = begin(way, add(1), DONE, add(2), DONE, config={**shop.config, "seed": 1}, config_mode="merge")
    talk.say("q", {"temperature": 1.0})
    assert shop.ran == [(1, 1)]
    assert talk.transport.requests[1].json()["generationConfig"] == {"temperature": 1.0, "seed": 1}
    talk.say("q", {"tools": other.tools})
    assert (shop.ran, other.ran) == ([(1, 1)], [(2, 1)])


async def later(a: int) -> int:
    """Adds, in its time."""
    return a + 1


class Later:
    """A callable object that must be awaited."""

    async def __call__(self, a: int) -> int:
        """Adds, in its time."""
        return a + 1


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("function", [later, Later()], ids=["function", "object"])
@pytest.mark.parametrize("where", ["chat", "message"])
def test_async_functions_need_an_async_chat(streamed: bool, function: Any, where: str) -> None:
    """It is told before anything is sent, and the chat is as it was."""
    config = {"tools": [function]}
    talk = begin(Way(False, streamed), "fine", config=config if where == "chat" else None)
    with pytest.raises(UnsupportedFunctionError, match=r"client\.aio\.chats") as raised:
        talk.say("q", config if where == "message" else None)
    assert raised.value.path == "$.config.tools"
    assert talk.transport.requests == []
    assert talk.chat.turns == ()
    assert text_of(talk.say("q", {"temperature": 1.0})) == "fine"


def test_async_functions_in_a_sync_chat_that_calls_none() -> None:
    """Where the program answers the calls itself, they are declared like others."""
    config = {"tools": [later], "automatic_function_calling": {"disable": True}}
    talk = begin(WAYS["unary"], calling(call("later", "c1", a=1)), DONE, config=config)
    talk.say("q")
    assert talk.pending == ["c1"]
    assert text_of(talk.answer([{"name": "later", "response": {"result": 2}}])) == "done"


def test_a_function_of_a_sync_chat_that_gives_something_to_await() -> None:
    """The model is told, and nothing is left that was never awaited."""

    def hidden(a: int) -> Any:
        return later(a)

    talk = begin(WAYS["unary"], calling(call("hidden", a=1)), DONE, config={"tools": [hidden]})
    talk.say("q")
    gc.collect()
    (told,) = talk.told()
    assert "async chat" in told["response"]["error"]


# --- questions without a chat ---------------------------------------------------------------------------------------


class Asked:
    """``client.models``, asked in one of the four ways; ``said`` are the responses."""

    def __init__(self, way: Way, *answers: Any, config: Any, contents: Any = "q") -> None:
        self.transport = ScriptedTransport(*answers)
        client = chatproto.Client(transport=self.transport)
        models: Any = (client.aio if way.asynchronous else client).models
        generate = models.generate_content_stream if way.streamed else models.generate_content
        answer = generate(model=MODEL, contents=contents, config=config)
        if way.asynchronous:
            self.said = run(self._awaited(answer, streamed=way.streamed))
        else:
            self.said = list(answer) if way.streamed else [answer]

    @staticmethod
    async def _awaited(answer: Any, *, streamed: bool) -> list[Any]:
        got = await answer
        return [chunk async for chunk in got] if streamed else [got]

    @property
    def histories(self) -> list[Any]:
        """What each response says of the calls before it."""
        told = [each.automatic_function_calling_history for each in self.said]
        return [None if each is None else wire(each) for each in told]


@every_way
def test_models_tell_what_was_called(way: Way) -> None:
    """The contents of the question and of all rounds, without the answer; on the chunks after the first round."""
    shop = Shop()
    told = types.Content(role="user", parts=[types.Part(text="before")])
    asked = Asked(way, add(1), add(2), DONE, config=shop.config, contents=[told, "q"])
    assert text_of(asked.said) == "done"
    before = wire([told])
    expected = [None, before + rounds(1), before + rounds(1, 2)]
    assert asked.histories == (expected if way.streamed else expected[-1:])
    assert asked.transport.requests[2].json()["contents"] == before + rounds(1, 2)
    assert shop.ran == [(1, 1), (2, 1)]


@every_way
def test_models_tell_that_nothing_was_called(way: Way) -> None:
    """An empty list on a whole answer, with tools and without; nothing on the chunks of a stream."""
    for config in (Shop().config, None, {"temperature": 1.0}):
        assert Asked(way, DONE, config=config).histories == [None if way.streamed else []]


@every_way
@pytest.mark.parametrize(
    "options",
    [{"ignore_call_history": True}, {"disable": True}, {"maximum_remote_calls": 0}],
    ids=["ignored", "disabled", "none allowed"],
)
def test_models_that_tell_nothing(way: Way, options: Json) -> None:
    """Where it is asked not to, and where no function could have been called."""
    shop = Shop()
    config = {**shop.config, "automatic_function_calling": options}
    answers = [add(1), DONE] if "ignore_call_history" in options else [add(1)]
    asked = Asked(way, *answers, config=config)
    assert set(asked.histories) == {None}
    assert len(shop.ran) == len(answers) - 1


@every_way
def test_models_stop_at_the_most_requests(way: Way) -> None:
    """The last answer is the one with the calls that were not run; the rounds before it are told."""
    shop = Shop()
    config = {**shop.config, "automatic_function_calling": {"maximum_remote_calls": 2}}
    asked = Asked(way, add(1), add(2), config=config)
    assert [each.id for each in asked.said[-1].function_calls] == ["c2"]
    assert asked.histories == ([None] if way.streamed else []) + [rounds(1)]
    assert shop.ran == [(1, 1)]


@every_way
def test_models_with_tools_by_hand(way: Way) -> None:
    """The calls come in the answer."""
    shop = Shop()
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="ask")])
    asked = Asked(way, add(1), config={"tools": [*shop.tools, tool]})
    assert [each.id for each in asked.said[-1].function_calls] == ["c1"]
    assert (asked.histories, shop.ran) == ([None], [])


@pytest.mark.parametrize("streamed", [False, True])
def test_models_take_async_functions_under_asyncio_alone(streamed: bool) -> None:
    """As chats do."""
    asked = Asked(Way(True, streamed), calling(call("later", a=1)), DONE, config={"tools": [later]})
    assert text_of(asked.said) == "done"
    with pytest.raises(UnsupportedFunctionError):
        Asked(Way(False, streamed), DONE, config={"tools": [later]})


@every_way
def test_a_chat_tells_it_in_its_history_alone(way: Way) -> None:
    """As in google-genai, its responses say nothing of the calls before them."""
    talk = begin(way, add(1), DONE, config=Shop().config)
    assert {each.automatic_function_calling_history is None for each in talk.say("q")} == {True}
