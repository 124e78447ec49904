"""What a message is sent on holds for all requests that it leads to: its host, headers, classes and functions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO, TypeVar
from urllib.parse import urlsplit

import pytest
from chat_faces import (
    DONE,
    MODEL,
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
    every_way,
    response,
    restore,
    text_of,
    wire,
)

import chatproto
from chatproto import types
from chatproto.errors import APIError, UnsupportedFunctionError, ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import Outcome
from chatproto.machines.steps import ReadBody, SendRequest
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response, text_response
from chatproto.wire.json_codec import encode

T = TypeVar("T")

GOOGLE, PROXY = "generativelanguage.googleapis.com", "proxy.example"
OURS = {"http_options": {"headers": {"X-Chat": "chat-secret"}}}
THEIRS = {"http_options": {"base_url": f"https://{PROXY}", "headers": {"X-Message": "message-secret"}}}
#: A function that the program answers itself.
BY_HAND = {"function_declarations": [{"name": "by_hand"}]}


class Noting(ScriptedTransport):
    """Notes where each request goes, and which headers of the program's go with it."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.went: list[tuple[str | None, list[str]]] = []

    def open(self, request: Any, secrets: Any) -> Any:
        names = [name for name, _ in secrets.headers_for(request) if name in ("x-chat", "x-message", "x-other")]
        self.went.append((urlsplit(request.url).hostname, names))
        return super().open(request, secrets)

    def aopen(self, request: Any, secrets: Any) -> Any:
        return self.open(request, secrets)


def noted(way: Way, *answers: Any, **options: Any) -> tuple[Talk, Noting]:
    """A chat, and where its requests went."""
    transport = Noting(*answers)
    client = chatproto.Client(transport=transport)
    chats = client.aio.chats if way.asynchronous else client.chats
    return Talk(way, chats.create(model=MODEL, **options), transport), transport


def run_all(talk: Talk) -> list[types.Part]:
    """What the functions of all open calls return."""
    return [talk.call(each) for each in talk.chat.pending_calls]


def answers_in(history: list[Json]) -> list[Json]:
    """The function responses in a history."""
    return [part["functionResponse"] for each in history for part in each["parts"] if "functionResponse" in part]


# --- where requests go, and with what -----------------------------------------------------------------------------


@every_way
def test_answers_to_calls_go_where_the_message_went(way: Way) -> None:
    """L15: with that message's headers, and without those of the chat, which belong to another host."""
    talk, transport = noted(way, add(1), add(2), DONE, DONE, approve=True, config=OURS)
    talk.say("q", {"tools": Shop().tools, **THEIRS})
    for _ in range(2):
        talk.answer(run_all(talk))
    assert transport.went == [(PROXY, ["x-message"])] * 3
    talk.say("next")
    assert transport.went[3:] == [(GOOGLE, ["x-chat"])]


@every_way
def test_functions_that_run_by_themselves_go_where_the_message_went(way: Way) -> None:
    """L15: in the loop, too."""
    talk, transport = noted(way, add(1), DONE, DONE, config=OURS)
    talk.say("q", {"tools": Shop().tools, **THEIRS})
    talk.say("next")
    assert transport.went == [(PROXY, ["x-message"])] * 2 + [(GOOGLE, ["x-chat"])]


@every_way
def test_answers_that_failed_are_sent_again_where_the_message_went(way: Way) -> None:
    """L15: without responses handed over."""
    failed = Answer(error_response(400), status=400)
    talk, transport = noted(way, add(1), failed, DONE, config=OURS)
    with pytest.raises(APIError):
        talk.say("q", {"tools": Shop().tools, **THEIRS})
    assert text_of(talk.answer()) == "done"
    assert transport.went == [(PROXY, ["x-message"])] * 3


@every_way
def test_answers_with_a_config_of_their_own_go_where_that_says(way: Way) -> None:
    """L15: and what follows from them, too."""
    other = {"tools": Shop().tools, "http_options": {"headers": {"X-Other": "other-secret"}}}
    talk, transport = noted(way, add(1), add(2), DONE, approve=["spell"], config=OURS)
    talk.say("q", {"tools": [Shop().add], "automatic_function_calling": {"disable": True}, **THEIRS})
    talk.answer(run_all(talk), other)
    assert transport.went == [(PROXY, ["x-message"])] + [(GOOGLE, ["x-other"])] * 2


@every_way
def test_a_fork_answers_where_the_message_went(way: Way) -> None:
    """L15: the terms of the open turn are in both."""
    talk, transport = noted(way, add(1), DONE, DONE, approve=True, config=OURS)
    talk.say("q", {"tools": Shop().tools, **THEIRS})
    fork = Talk(way, talk.chat.fork(), transport)
    for each in (fork, talk):
        each.answer(run_all(each))
    assert transport.went == [(PROXY, ["x-message"])] * 3


@every_way
def test_answers_to_calls_are_parsed_as_the_message_asked(way: Way) -> None:
    """Its ``response_schema`` holds for the answer that comes in the end; the next message has none."""
    talk = begin(way, add(1), text_response("[1, 2]"), text_response("[3]"), approve=True)
    talk.say("q", {"tools": Shop().tools, "response_schema": list[int]})
    assert talk.answer(run_all(talk))[-1].parsed == [1, 2]
    assert "generationConfig" in talk.transport.requests[1].json()
    assert talk.say("next")[-1].parsed is None


@both
def test_tokens_are_counted_where_the_chat_is_held(way: Way) -> None:
    """L15: at its host, in its version, with its headers and its timeout; on Google's own with none of another's."""
    options = {"api_version": "v9", "timeout": 7000, **THEIRS["http_options"]}
    talk, transport = noted(way, DONE, {"totalTokens": 3}, config={"http_options": options, "system_instruction": "s"})
    talk.say("q")
    counted = talk.chat.count_tokens("x")
    assert (asyncio.run(counted) if way.asynchronous else counted).total_tokens == 3
    assert transport.went == [(PROXY, ["x-message"])] * 2
    said, asked = transport.requests
    assert urlsplit(asked.url).path == f"/v9/models/{MODEL}:countTokens"
    assert asked.timeout == said.timeout == 7
    assert set(asked.json()) == {"contents"}


@both
def test_tokens_of_a_chat_with_headers_alone(way: Way) -> None:
    """They go to the client's host."""
    talk, transport = noted(way, {"totalTokens": 3}, config=OURS)
    counted = talk.chat.count_tokens("x")
    assert (asyncio.run(counted) if way.asynchronous else counted).total_tokens == 3
    assert transport.went == [(GOOGLE, ["x-chat"])]


def test_tokens_on_vertex_ai_are_counted_with_the_settings() -> None:
    """At the chat's host, too."""
    transport = Noting({"totalTokens": 3})
    client = chatproto.Client(transport=transport, vertexai=True, project="p", location="us-central1")
    chat = client.chats.create(model=MODEL, config={"tools": Shop().tools, "system_instruction": "s", **THEIRS})
    chat.count_tokens("x")
    assert transport.went == [(PROXY, ["x-message"])]
    assert set(transport.requests[0].json()) == {"contents", "systemInstruction", "tools"}


# --- a config that is laid over the chat's --------------------------------------------------------------------------


@every_way
def test_merged_terms(way: Way) -> None:
    """With ``merge`` the chat's headers, classes and functions stay in force, unless the message has its own."""
    shop = Shop()
    config = {"tools": shop.tools, "response_schema": list[int], "http_options": {"headers": {"X-Chat": "1"}}}
    said = [add(1), text_response("[1]"), add(2), text_response('["a"]'), text_response("[2]")]
    talk, transport = noted(way, *said, config=config, config_mode="merge")
    over = {"http_options": {"headers": {"X-Message": "2"}}}
    assert talk.say("q", over)[-1].parsed == [1]
    assert shop.ran == [(1, 1)]
    assert talk.say("q", {"response_schema": list[str], "temperature": 1})[-1].parsed == ["a"]
    assert shop.ran == [(1, 1), (2, 1)]
    assert talk.say("q")[-1].parsed == [2]
    assert transport.went == [(GOOGLE, ["x-chat", "x-message"])] * 2 + [(GOOGLE, ["x-chat"])] * 3


@every_way
def test_merged_terms_hold_for_answers_by_hand(way: Way) -> None:
    """The functions of the chat can be called, and the answers go out on both their headers."""
    shop = Shop()
    config = {"tools": shop.tools, "http_options": {"headers": {"X-Chat": "1"}}}
    talk, transport = noted(way, add(1), DONE, DONE, config=config, config_mode="merge", approve=True)
    talk.say("q", {"http_options": {"headers": {"X-Message": "2"}}})
    talk.answer(run_all(talk))
    talk.say("next")
    assert shop.ran == [(1, 1)]
    assert transport.went == [(GOOGLE, ["x-chat", "x-message"])] * 2 + [(GOOGLE, ["x-chat"])]


# --- what may be said beside an answer --------------------------------------------------------------------------------


@every_way
def test_an_answer_cannot_call(way: Way) -> None:
    """L7: a part that holds a response and a call would leave that call open in curated history."""
    talk = begin(way, calling(call("add", a=1)), DONE, DONE)
    talk.say("q")
    smuggled = {"function_response": {"name": "add", "response": {}}, "function_call": {"name": "z", "args": {}}}
    with pytest.raises(ValidationError, match=r"^\$\[0\]"):
        talk.answer([smuggled])
    assert [each.name for each in talk.chat.pending_calls] == ["add"]
    assert len(talk.transport.requests) == 1
    talk.answer([{"name": "add", "response": {}}])
    assert closed(talk.history())


def exchanged(machine: Conversation, document: Json) -> None:
    """The machine's request is answered by ``document``."""
    body = [encode(document), b""]
    while (step := machine.next()) is not None:
        if isinstance(step, SendRequest):
            machine.receive_response(200, (("content-type", "application/json"),))
        elif isinstance(step, ReadBody):
            machine.receive_data(body.pop(0))


@pytest.mark.parametrize("drafted", [False, True], ids=["send", "send_function_responses"])
def test_a_call_among_answers_keeps_the_turn_out(drafted: bool) -> None:
    """L7: the machine takes it, because a history may be so, but never says it again."""
    machine = Conversation(MODEL)
    machine.send("q", stream=False)
    exchanged(machine, calling(call("add", a=1)))
    answered = types.Part(function_response=types.FunctionResponse(name="add", response={}))
    wanting = types.Part(function_call=types.FunctionCall(name="z", args={}))
    if drafted:
        both_at_once = types.Part.model_validate({**answered.to_json_dict(), **wanting.to_json_dict()})
        machine.send_function_responses([both_at_once])
    else:
        contents = [types.Content(role=role, parts=[part]) for role, part in (("user", answered), ("model", wanting))]
        machine.send([*contents, types.UserContent("and")], stream=False)
    exchanged(machine, text_response("ok"))
    assert machine.turns[-1].outcome is Outcome.COMPLETED
    assert not machine.turns[-1].curated
    assert machine.history(curated=True) == []
    machine.send("next", stream=False)
    exchanged(machine, text_response("ok"))
    assert len(machine.history(curated=True)) == 2


@both
def test_what_vertex_ai_does_not_take_is_refused_in_answers(way: Way) -> None:
    """By its path, as in a message, and the calls stay open."""
    transport = ScriptedTransport(calling(call("add", a=1)), DONE)
    client = chatproto.Client(transport=transport, vertexai=True, project="p", location="us-central1")
    chats = client.aio.chats if way.asynchronous else client.chats
    talk = Talk(way, chats.create(model=MODEL), transport)
    talk.say("q")
    answer = types.FunctionResponse(name="add", response={})
    with pytest.raises(ValidationError, match=r"^\$\.parts\[0\]\.part_metadata: only the Gemini API takes this"):
        talk.answer([types.Part(function_response=answer, part_metadata={"a": 1})])
    assert [each.name for each in talk.chat.pending_calls] == ["add"]
    assert len(transport.requests) == 1
    talk.answer([types.Part(function_response=answer)])
    assert talk.outcomes == ["completed"]


# --- whose functions run ------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    ("ours", "settings"),
    [
        ({}, {"tools": [Shop().add, BY_HAND]}),
        ({"tools": [Shop().spell]}, {"tools": [Shop().add, BY_HAND]}),
        ({"tools": [Shop().spell]}, {"tools": [Shop().add], "automatic_function_calling": {"disable": True}}),
    ],
    ids=["no others", "others of the chat", "turned off"],
)
def test_the_functions_of_a_message_answer_its_calls_by_hand(way: Way, ours: Json, settings: Json) -> None:
    """Not those of the chat, which the model was not told of."""
    talk = begin(way, add(1), DONE, config=ours)
    talk.say("q", settings)
    assert talk.pending == ["c1"]
    [part] = run_all(talk)
    assert part.function_response is not None
    assert part.function_response.response == {"result": 2}
    talk.answer([part])
    assert closed(talk.history())


@every_way
@pytest.mark.parametrize("name", ["spell", "by_hand"])
def test_declared_functions_that_are_not_handed_over_wait(way: Way, name: str) -> None:
    """Of a restored chat. The others run, and one that the model was never told of is answered with an error."""
    shop = Shop()
    first = begin(way, DONE, config={"tools": [*shop.tools, BY_HAND]})
    first.say("q")
    talk = restore(way, first.chat.snapshot(), add(1), calling(call(name, "c2")), DONE, tools=[shop.add])
    talk.say("more")
    assert shop.ran == [(1, 1)]
    assert talk.pending == ["c2"]
    assert answers_in(talk.history(curated=False)) == [response("add", "c1", result=2)]
    assert text_of(talk.answer([{"name": name, "response": {"a": 1}}])) == "done"
    assert closed(talk.history())


@every_way
def test_functions_that_nobody_declared_are_answered_with_an_error(way: Way) -> None:
    """In a chat that was restored with some of its functions, and in a new one."""
    first = begin(way, DONE, config=Shop().config)
    first.say("q")
    again = restore(way, first.chat.snapshot(), calling(call("no_such")), DONE, tools=[Shop().add])
    for talk in (again, begin(way, calling(call("no_such")), DONE, config=Shop().config)):
        assert text_of(talk.say("q")) == "done"
        [told] = answers_in(talk.history())
        assert "there is no function 'no_such'" in told["response"]["error"]


@every_way
@pytest.mark.parametrize("written", [False, True], ids=["here", "restored"])
def test_declared_functions_wait_in_every_round_of_their_message(way: Way, written: bool) -> None:
    """Also where the answers are handed over without saying the config again, and in a chat that was restored."""
    mcp = pytest.importorskip("mcp")
    tool = mcp.types.Tool.model_validate({"name": "declared", "inputSchema": {}})
    said = [calling(call("declared", "c2")), DONE]
    talk = begin(way, calling(call("declared", "c1")), *said)
    talk.say("q", {"tools": [Shop().add, tool]})
    if written:
        talk = restore(way, talk.chat.snapshot(), *said, tools=[Shop().add])
    for number in ("c1", "c2"):
        assert talk.pending == [number]
        talk.answer([{"name": "declared", "response": {}}])
    assert talk.outcomes == ["completed"]
    assert answers_in(talk.history()) == [response("declared", "c1"), response("declared", "c2")]


@every_way
@pytest.mark.parametrize("beside", [[], [Shop().add]], ids=["alone", "beside a function"])
def test_a_tool_of_mcp_without_its_session_waits(way: Way, beside: list[Any]) -> None:
    """It is declared, and nobody here can run it."""
    mcp = pytest.importorskip("mcp")
    tool = mcp.types.Tool.model_validate({"name": "declared", "inputSchema": {}})
    talk = begin(way, calling(call("declared", "c1")), DONE, config={"tools": [*beside, tool]})
    talk.say("q")
    assert talk.pending == ["c1"]
    assert answers_in(talk.history(curated=False)) == []
    talk.answer([{"name": "declared", "response": {}}])
    assert talk.outcomes == ["completed"]


@every_way
def test_approving_changes_no_call(way: Way) -> None:
    """A function that is asked sees a call of its own: what runs is what history says."""
    shop = Shop()
    seen: list[Any] = []

    def approve(wanted: types.FunctionCall) -> bool:
        seen.append(dict(wanted.args or {}))
        (wanted.args or {})["a"] = 100
        wanted.name = "spell"
        return True

    talk = begin(way, add(1), DONE, config=shop.config, approve=approve)
    talk.say("q")
    assert seen == [{"a": 1}]
    assert shop.ran == [(1, 1)]
    assert talk.history()[1]["parts"] == [{"functionCall": call("add", "c1", a=1)}]
    assert talk.told() == [response("add", "c1", result=2)]


@every_way
def test_a_coroutine_that_is_refused_is_closed(way: Way) -> None:
    """Also where a later answer is none: nothing is left to be awaited."""
    asked: list[str | None] = []

    async def yes() -> bool:
        return True

    def approve(wanted: types.FunctionCall) -> Any:
        asked.append(wanted.id)
        if len(asked) == 2:
            raise LookupError("the second")
        return yes()

    talk = begin(way, calling(call("add", "c1", a=1), call("add", "c2", a=2)), config=Shop().config, approve=approve)
    with pytest.raises(LookupError):
        talk.say("q")
    assert talk.pending == ["c1", "c2"]


@pytest.mark.parametrize("approve", [True, ["add"], "add", bool])
def test_by_the_rules_of_google_genai_nobody_approves(approve: Any) -> None:
    """A call that waited would be lost: there, no turn is open."""
    client = chatproto.Client(transport=ScriptedTransport(), compat="google-genai")
    data = client.chats.create(model=MODEL).snapshot()
    for chats in (client.chats, client.aio.chats):
        with pytest.raises(ValidationError, match=r"^\$\.approve: "):
            chats.create(model=MODEL, config=Shop().config, approve=approve)
        with pytest.raises(ValidationError, match=r"^\$\.approve: "):
            chats.restore(data, approve=approve)


# --- a snapshot that has been decoded ---------------------------------------------------------------------------------


@every_way
def test_a_decoded_snapshot_stays_its_owners(way: Way) -> None:
    """What becomes of it afterwards changes no chat."""
    first = begin(way, add(1), config={**Shop().config, "temperature": 0.5}, approve=True)
    first.say("q")
    document = json.loads(first.chat.snapshot())
    talk = restore(way, document, DONE, tools=Shop().tools)
    written = talk.chat.snapshot()
    emptied(document)
    assert talk.chat.snapshot() == written
    assert talk.pending == ["c1"]
    talk.answer([{"name": "add", "response": {}}])
    assert talk.transport.requests[0].json()["generationConfig"] == {"temperature": 0.5}


def emptied(value: Any) -> None:
    """Nothing is left in it, at any depth."""
    if isinstance(value, (dict, list)):
        for each in list(value.values() if isinstance(value, dict) else value):
            emptied(each)
        value.clear()


@both
def test_any_mapping_is_a_snapshot(way: Way) -> None:
    """And what JSON cannot hold is none."""
    first = begin(way, DONE)
    first.say("q")
    document = json.loads(first.chat.snapshot())
    talk = restore(way, MappingProxyType(document), DONE)
    assert talk.history() == first.history()
    for wrong in ({**document, "model": object()}, {**document, "extra": {1, 2}}, [document], 7):
        with pytest.raises(ValidationError):
            restore(way, wrong)


# --- tools of an MCP server -------------------------------------------------------------------------------------------

SERVER = Path(__file__).with_name("mcp_server.py")
SUM = calling(call("add", "c1", a=1))


@contextlib.asynccontextmanager
async def opened(errors: TextIO) -> AsyncIterator[Any]:
    """A session with a server of its own, which counts how often it is asked what there is, and can refuse to say."""
    mcp = pytest.importorskip("mcp")
    stdio: Any = pytest.importorskip("mcp.client.stdio")

    class Counting(mcp.ClientSession):  # type: ignore[name-defined, misc]
        asked = 0
        refusing = False

        async def list_tools(self, *given: Any, **named: Any) -> Any:
            self.asked += given == () and not (named.get("params") and named["params"].cursor)
            if self.refusing:
                raise RuntimeError("the list cannot be had")
            return await super().list_tools(*given, **named)

    parameters = stdio.StdioServerParameters(command=sys.executable, args=[str(SERVER)])
    async with stdio.stdio_client(parameters, errlog=errors) as streams, Counting(*streams) as session:
        await session.initialize()
        yield session


def with_session(work: Callable[[Any], Awaitable[T]]) -> T:
    """``work`` done with an open session."""

    async def inner(errors: TextIO) -> T:
        async with asyncio.timeout(20), opened(errors) as session:
            return await work(session)

    with Path(os.devnull).open("w", encoding="utf-8") as errors:  # the server writes down what it is asked for
        return asyncio.run(inner(errors))


def aio(*answers: Any, compat: Any = None) -> tuple[Any, ScriptedTransport]:
    """The chats of an async client."""
    transport = ScriptedTransport(*answers)
    return chatproto.Client(transport=transport, compat=compat).aio.chats, transport


def names(body: Json) -> list[str]:
    """The functions that a request declares."""
    return [each["name"] for tool in body.get("tools", ()) for each in tool.get("functionDeclarations", ())]


def test_a_session_that_is_handed_over_again_adds_to_what_is_declared() -> None:
    """What else the chat had declared is declared still, whether it can be run or not."""

    async def work(session: Any) -> None:
        tools = [{"google_search": {}}, BY_HAND, session]
        chats, transport = aio(DONE, DONE, DONE)
        chat = chats.create(model=MODEL, config={"tools": tools})
        await chat.send_message("q")
        written = chat.snapshot()
        assert '"add"' not in written  # of sessions there is nothing in it
        again = chats.restore(written, tools=[session])
        await again.send_message("q")
        before, after = (each.json() for each in transport.requests)
        assert {"googleSearch": {}} in after["tools"]
        assert sorted(names(after)) == sorted(names(before))
        assert "by_hand" in names(after)
        alone = chats.restore(written)
        await alone.send_message("q")
        assert names(transport.requests[-1].json()) == ["by_hand"]
        assert {"googleSearch": {}} in transport.requests[-1].json()["tools"]

    with_session(work)


def test_what_a_session_does_not_offer_waits() -> None:
    """Declared functions that were not handed over wait; those of the session run."""

    async def work(session: Any) -> None:
        first, _ = aio(DONE)
        chat = first.create(model=MODEL, config={"tools": [Shop().spell, session]})
        await chat.send_message("q")
        chats, transport = aio(SUM, calling(call("spell", "c2", text="a")))
        again = chats.restore(chat.snapshot(), tools=[session])
        await again.send_message("q")
        assert [each.name for each in again.pending_calls] == ["spell"]
        assert len(transport.requests) == 2

    with_session(work)


def test_functions_of_a_session_can_be_called_by_hand() -> None:
    """Beside functions that the program answers itself."""

    async def work(session: Any) -> None:
        chats, _ = aio(SUM, DONE)
        chat = chats.create(model=MODEL, config={"tools": [BY_HAND, session]})
        await chat.send_message("q")
        [wanted] = chat.pending_calls
        part = await chat.call_function(wanted)
        assert part.function_response.response["result"]["content"] == [{"type": "text", "text": "2"}]
        await chat.send_function_responses([part])
        assert closed(wire(chat.get_history(curated=True)))

    with_session(work)


def test_a_session_runs_on_after_answers_by_hand() -> None:
    """In a chat that was restored with open calls, and in a fork: it is asked once what it offers."""

    async def work(session: Any) -> None:
        chats, _ = aio(SUM)
        chat = chats.create(model=MODEL, config={"tools": [session]}, approve=True)
        await chat.send_message("q")
        more, transport = aio(*[calling(call("add", "c2", a=2)), DONE] * 2)
        restored = more.restore(chat.snapshot(), tools=[session])
        for again in (restored.fork(), restored):
            session.asked = 0
            await again.send_function_responses([{"name": "add", "response": {"x": 1}}])
            assert again.pending_calls == ()
            assert [turn.outcome.value for turn in again.turns] == ["completed"]
            assert session.asked == 1
        assert transport.left == 0

    with_session(work)


def test_a_restored_session_calls_by_hand() -> None:
    """Before anything was sent: the session is asked then."""

    async def work(session: Any) -> None:
        chats, _ = aio(SUM)
        chat = chats.create(model=MODEL, config={"tools": [session]}, approve=True)
        await chat.send_message("q")
        again = aio(DONE)[0].restore(chat.snapshot(), tools=[session], approve=True)
        part = await again.call_function(again.pending_calls[0])
        assert part.function_response.response["result"]["content"] == [{"type": "text", "text": "2"}]
        await again.send_function_responses([part])

    with_session(work)


def test_a_session_runs_on_in_what_is_resumed() -> None:
    """The rest of an answer calls, and that runs."""

    async def work(session: Any) -> None:
        begun = text_response("a", None)
        begun["candidates"][0]["continuationToken"] = "dG9r"
        chats, _ = aio(Answer([begun, text_response("b")]))
        chat = chats.create(model=MODEL, config={"tools": [session]})
        stream = await chat.send_message_stream("q")
        await anext(stream)
        more, transport = aio([SUM], ["end"])
        again = more.restore(chat.snapshot(), tools=[session])
        heard = [chunk async for chunk in await again.resume()]
        assert [each.text for each in heard][-1] == "end"
        assert again.pending_calls == ()
        assert len(transport.requests) == 2
        await stream.aclose()

    with_session(work)


def test_a_session_is_not_asked_for_answers() -> None:
    """They go out, though it cannot say any more what it offers; what it had offered runs on."""

    async def work(session: Any) -> None:
        chats, transport = aio(SUM, calling(call("add", "c2", a=2)), DONE)
        chat = chats.create(model=MODEL, config={"tools": [session]}, approve=True)
        await chat.send_message("q")
        assert session.asked == 1
        session.asked, session.refusing = 0, True
        for _ in range(2):
            [wanted] = chat.pending_calls
            await chat.send_function_responses([await chat.call_function(wanted)])
        assert session.asked == 0
        assert transport.left == 0
        with pytest.raises(RuntimeError, match="cannot be had"):
            await chat.send_message("next")

    with_session(work)


def test_a_session_needs_an_async_chat() -> None:
    """At every door of a sync one."""

    async def work(session: Any) -> None:
        client = chatproto.Client(transport=ScriptedTransport(DONE))
        chat = client.chats.create(model=MODEL)
        words = "MCP sessions are not supported in synchronous methods"
        with pytest.raises(UnsupportedFunctionError, match=words):
            client.chats.create(model=MODEL, config={"tools": [session]})
        with pytest.raises(UnsupportedFunctionError, match=words):
            chat.send_message("q", {"tools": [session]})
        with pytest.raises(UnsupportedFunctionError, match=words):
            client.chats.restore(chat.snapshot(), tools=[session])

    with_session(work)
