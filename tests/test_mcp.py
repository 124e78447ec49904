"""Tools of MCP servers: a real server in a process of its own, over stdio, and what google-genai makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_wire import genai, normal

from chatproto import Client
from chatproto.convert.functions import Toolbox
from chatproto.convert.mcp import (
    McpFunction,
    declaration_of,
    functions_of,
    is_session,
    is_tool,
    refusal,
)
from chatproto.errors import FunctionError, UnsupportedFunctionError, ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.testing.servers import LoopbackServer, Received, head
from chatproto.types import FunctionCall, FunctionResponse, Part
from chatproto.types._dump import to_wire

mcp = pytest.importorskip("mcp", reason="mcp is not installed")
mcp_utils: Any = pytest.importorskip("google.genai._mcp_utils")

from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402 - after the check that it is there

SERVER = Path(__file__).with_name("mcp_server.py")
#: On the first page of the list, which is the one that google-genai reads.
FIRST = ["add", "look", "everything", "fail", "invite", "echo", "refuse"]
ALL = [*FIRST, "open", "wait", "die", "strict", "choose"]

T = TypeVar("T")
Json = dict[str, Any]


@contextlib.asynccontextmanager
async def opened(errors: TextIO) -> AsyncIterator[Any]:
    """A session with a server of its own, which has ended afterwards."""
    parameters = StdioServerParameters(command=sys.executable, args=[str(SERVER)])
    async with stdio_client(parameters, errlog=errors) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        yield session


def with_session(work: Callable[[Any], Awaitable[T]]) -> T:
    """``work`` done with an open session."""

    async def inner(errors: TextIO) -> T:
        async with opened(errors) as session:
            return await work(session)

    with Path(os.devnull).open("w", encoding="utf-8") as errors:  # the server writes down those that it is asked for
        return asyncio.run(inner(errors))


async def named(session: Any) -> dict[str, McpFunction]:
    """The session's tools by name."""
    return {each.name: each for each in await functions_of(session)}


# --- what the server has ----------------------------------------------------------------------------------------------


def test_the_tools_of_all_pages_are_functions() -> None:
    """google-genai sees those of the first page only."""

    async def work(session: Any) -> list[McpFunction]:
        return await functions_of(session)

    functions = with_session(work)
    assert [each.name for each in functions] == ALL
    assert [each.declaration.name for each in functions] == ALL
    assert all(each.is_async for each in functions)


@pytest.mark.parametrize("sizes", [(2,), (1, 1)])
def test_two_tools_of_one_name_are_told(sizes: tuple[int, ...]) -> None:
    """On one page, and on two."""
    tool = mcp.types.Tool.model_validate({"name": "a", "inputSchema": {}})
    last = len(sizes) - 1
    session = Listing([Page([tool] * size, str(at) if at < last else None) for at, size in enumerate(sizes)])
    with pytest.raises(ValidationError, match="two tools of the name 'a'"):
        asyncio.run(functions_of(session))


def test_a_list_that_goes_round_is_told() -> None:
    """A cursor that was there before leads nowhere."""
    session = Listing([Page([], "1"), Page([], "2"), Page([], "1"), Page([], "2")])
    with pytest.raises(ValidationError, match="does not end"):
        asyncio.run(functions_of(session))
    assert session.asked == [None, "1", "2"]


class Page:
    """Part of a list of tools."""

    def __init__(self, tools: list[Any], cursor: str | None) -> None:
        self.tools = tools
        self.next_cursor = cursor


class Listing:
    """Stands in for a session whose server cannot count."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages
        self.asked: list[str | None] = []

    async def list_tools(self, *, params: Any = None) -> Page:
        self.asked.append(params and params.cursor)
        return self.pages[len(self.asked) - 1]


# --- what google-genai makes of it ------------------------------------------------------------------------------------


async def reference(session: Any, calls: list[Json]) -> list[Json]:
    """The requests that google-genai sends, where the model calls functions and is content with what they give."""
    parts = [[{"functionCall": each} for each in calls], [{"text": "Done."}]]
    candidates = [{"content": {"role": "model", "parts": each}, "finishReason": "STOP"} for each in parts]
    answers = [json.dumps({"candidates": [each]}).encode() for each in candidates]
    bodies: list[Json] = []

    def respond(request: Received) -> list[bytes]:
        bodies.append(json.loads(request.body))
        answer = answers[len(bodies) - 1]
        return [head(200, content_length=len(answer), content_type="application/json"), answer]

    with LoopbackServer() as server:
        server.on("/v1/models/m:generateContent", respond)
        async with httpx.AsyncClient() as http:
            options = {"base_url": server.url("/"), "httpx_async_client": http}
            client = genai.Client(api_key="k", vertexai=False, http_options=options)
            # Not by a chat: that copies its config, which fails where a session is open.
            await client.aio.models.generate_content(model="m", contents="q", config={"tools": [session]})
    return bodies


def test_declarations_are_those_of_google_genai() -> None:
    """The same server, asked by both: the same declarations on the wire."""

    async def work(session: Any) -> tuple[list[Json], list[McpFunction]]:
        return await reference(session, []), await functions_of(session)

    bodies, functions = with_session(work)
    [tool] = bodies[0]["tools"]
    assert [to_wire(each.declaration) for each in functions[: len(FIRST)]] == normal(tool)["functionDeclarations"]


CALLS: list[Json] = [
    {"name": "add", "args": {"a": 2.0, "b": 3}},
    {"name": "look", "args": {}},
    {"name": "everything"},
    {"name": "fail", "args": {}},
    {"name": "echo", "args": {"x": 3.0, "y": [1.5, {"z": -2.0}], "t": True, "big": 1e300, "n": None}},
]


def test_results_are_those_of_google_genai() -> None:
    """The same calls: the same answers to the model, errors included."""

    async def work(session: Any) -> tuple[list[Json], list[FunctionResponse]]:
        functions = await named(session)
        results = [await functions[each["name"]].acall(each.get("args", {})) for each in CALLS]
        return await reference(session, CALLS), results

    bodies, results = with_session(work)
    theirs = [part["functionResponse"] for part in bodies[1]["contents"][2]["parts"]]
    assert [to_wire(each) for each in results] == theirs
    assert [list(each["response"]) for each in theirs] == [["result"], ["result"], ["result"], ["error"], ["result"]]


def test_resources_are_told_by_their_addresses() -> None:
    """With mcp 1, where an address is an object, google-genai fails to send it."""

    async def work(session: Any) -> FunctionResponse:
        return await (await named(session))["open"].acall({})

    told: Any = with_session(work).response
    [document, link] = to_wire(FunctionResponse(response=told))["response"]["result"]["content"]
    assert (document["resource"]["uri"], document["resource"]["text"]) == ("file:///a.txt", "Ä")
    assert (link["type"], link["uri"]) == ("resource_link", "file:///b.txt")


# --- calls ------------------------------------------------------------------------------------------------------------


def test_numbers_go_out_as_integers_where_they_are_whole() -> None:
    """At any depth."""

    async def work(session: Any) -> FunctionResponse:
        return await (await named(session))["echo"].acall({"x": 3.0, "y": [1.5, {"z": -2.0}], "inf": 1.0})

    told: Any = with_session(work).response
    assert told["result"]["content"] == [{"type": "text", "text": "{'x': 3, 'y': [1.5, {'z': -2}], 'inf': 1}"}]


def test_refusals_of_the_protocol_are_exceptions_and_the_session_goes_on() -> None:
    """An error of the server's is one of the function's, in words that are meant for the model."""

    async def work(session: Any) -> FunctionResponse:
        functions = await named(session)
        with pytest.raises(FunctionError, match="refuse"):
            await functions["refuse"].acall({})
        return await functions["add"].acall({"a": 1})

    told: Any = with_session(work).response
    assert told["result"]["content"] == [{"type": "text", "text": "2"}]


def test_a_server_that_dies_ends_the_call() -> None:
    """Neither the call under way nor the next one waits for ever."""

    async def work(session: Any) -> None:
        functions = await named(session)
        for name in ("die", "add"):
            with pytest.raises(Exception) as caught:  # of a kind of the package's own
                await functions[name].acall({"a": 1})
            assert not isinstance(caught.value, TypeError)

    with_session(work)


def test_cancelling_goes_through_and_the_session_goes_on() -> None:
    """By the task, and by a timeout."""

    async def work(session: Any) -> FunctionResponse:
        functions = await named(session)
        waiting = asyncio.create_task(functions["wait"].acall({}))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(functions["wait"].acall({}), 0.05)
        return await functions["add"].acall({"a": 1})

    told: Any = with_session(work).response
    assert told["result"]["content"] == [{"type": "text", "text": "2"}]


def test_calls_of_one_session_run_beside_each_other() -> None:
    """Each gets its own answer."""

    async def work(session: Any) -> list[FunctionResponse]:
        functions = await named(session)
        return await asyncio.gather(*(functions["add"].acall({"a": n}) for n in range(8)))

    results: list[Any] = [each.response for each in with_session(work)]
    assert [each["result"]["content"][0]["text"] for each in results] == [str(n + 1) for n in range(8)]


def test_a_plain_call_is_turned_down() -> None:
    """There is no loop to await it in."""
    function = McpFunction("f", declaration_of(mcp.types.Tool.model_validate({"name": "f", "inputSchema": {}})), None)
    with pytest.raises(UnsupportedFunctionError, match="MCP sessions are not supported in synchronous methods"):
        function.call({})


def test_a_toolbox_takes_them_as_functions() -> None:
    """What failed is told to the model, whoever says so, and each answer has its call's id."""

    async def work(session: Any) -> tuple[Toolbox, list[Part]]:
        toolbox = Toolbox(await functions_of(session))
        names = ["add", "fail", "refuse"]
        return toolbox, await toolbox.arun([FunctionCall(id=name, name=name, args={"a": 1.0}) for name in names])

    toolbox, parts = with_session(work)
    assert toolbox.names == tuple(ALL)
    assert toolbox.any_async
    answers: list[Json] = [to_wire(each)["functionResponse"] for each in parts]
    assert [(each["id"], each["name"], list(each["response"])) for each in answers] == [
        ("add", "add", ["result"]),
        ("fail", "fail", ["error"]),
        ("refuse", "refuse", ["error"]),
    ]
    assert answers[0]["response"]["result"]["content"] == [{"type": "text", "text": "2"}]
    assert answers[1]["response"]["error"]["content"] == [{"type": "text", "text": "no such city"}]
    assert "refuse" in answers[2]["response"]["error"]
    assert "raised" not in answers[2]["response"]["error"]


# --- schemas ----------------------------------------------------------------------------------------------------------


def tool_of(schema: Any) -> Any:
    """A tool with these parameters, as a session has it."""
    return mcp.types.Tool.model_validate({"name": "f", "inputSchema": schema})


TEXTS = st.sampled_from(["", "a", "b c"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXTS,
    "description": TEXTS,
    "default": st.sampled_from([None, 1, "x", {"a": 1}, [], False]),
    "format": TEXTS,
    "pattern": TEXTS,
    "enum": st.lists(TEXTS, max_size=2),
    "minimum": st.integers(-2, 2),
    "maximum": st.sampled_from([0, 1.5]),
    "required": st.lists(TEXTS, max_size=2),
    "const": TEXTS,
    "minItems": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "$schema": TEXTS,
    "examples": st.just([1]),
}
KINDS = st.sampled_from(["null", "boolean", "object", "array", "number", "integer", "string"])
TYPES = st.one_of(KINDS, st.lists(KINDS, max_size=3))
REFERENCES = st.sampled_from(["#/$defs/A", "#/$defs/B"])


def documents(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas that hold schemas."""
    return st.fixed_dictionaries(
        {},
        optional={
            **KEYWORDS,
            "type": TYPES,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from(["a", "title", "$ref"]), inner, max_size=2),
            "anyOf": st.lists(st.one_of(inner, st.just({"type": "null"})), max_size=2),
            "oneOf": st.lists(inner, max_size=1),
            "additionalProperties": st.one_of(inner, st.booleans()),
        },
    )


SCHEMAS = st.recursive(
    st.one_of(
        st.fixed_dictionaries({}, optional={**KEYWORDS, "type": TYPES}),
        st.fixed_dictionaries({"$ref": REFERENCES}, optional={"description": TEXTS, "title": TEXTS}),
    ),
    documents,
    max_leaves=6,
)


def without_booleans(schema: Any) -> Any:
    """The same, without what google-genai cannot read and leaves out where it can."""
    if isinstance(schema, dict):
        return {
            key: without_booleans(item)
            for key, item in schema.items()
            if not (key == "additionalProperties" and isinstance(item, bool))
        }
    return [without_booleans(item) for item in schema] if isinstance(schema, list) else schema


@given(documents(SCHEMAS), SCHEMAS, SCHEMAS)
def test_schemas_are_those_of_google_genai(root: Json, a: Json, b: Json) -> None:
    """Whatever keywords meet, with references that go round among them."""
    schema = {**root, "$defs": {"A": a, "B": b}}
    theirs = mcp_utils.mcp_to_gemini_tool(tool_of(without_booleans(schema))).function_declarations[0]
    expected = normal(theirs.model_dump(mode="json", exclude_none=True))
    assert to_wire(declaration_of(tool_of(schema))) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}},
        {"type": "object", "properties": {"n": {"$ref": "#/definitions/N"}}, "definitions": {"N": {}}},
        {"type": "object", "properties": {"n": {"$ref": "#"}}},
        {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}},
        {"type": "object", "properties": {"n": {"$ref": "other.json"}}},
        {"type": "object", "properties": {"n": {"$ref": 5}}},
        {"type": "object", "properties": {"n": {"items": [{}, {}]}}},
        {"type": "object", "properties": {"n": False}},
        {"type": "object", "properties": {"n": None}},
        {"type": "object", "properties": [1]},
        {"type": "object", "properties": {"n": {"type": "any"}}},
        {"type": "object", "properties": {"n": {"type": [{}]}}},
        {"type": "object", "properties": {"n": {"anyOf": {}}}},
        {"type": "object", "properties": {"n": {"title": 5}}},
        {"type": "object", "required": True},
    ],
)
def test_what_a_schema_cannot_say_goes_out_as_it_came(schema: Json) -> None:
    """google-genai raises here, or sends what the API turns down."""
    assert to_wire(declaration_of(tool_of(schema))) == {"name": "f", "parametersJsonSchema": schema}


def test_references_that_multiply_are_not_put_in_place() -> None:
    """A server's schema takes bounded time and space."""
    levels: Json = {f"L{n}": {"properties": {k: {"$ref": f"#/$defs/L{n + 1}"} for k in "ab"}} for n in range(40)}
    schema = {"type": "object", "$defs": {**levels, "L40": {}}, "properties": {"x": {"$ref": "#/$defs/L0"}}}
    assert to_wire(declaration_of(tool_of(schema))) == {"name": "f", "parametersJsonSchema": schema}


def test_references_of_properties_and_items_are_put_in_place() -> None:
    """Not only definitions are referred to."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "title": "T", "items": {"type": "string", "title": "U"}},
            "b": {"$ref": "#/properties/d/items"},
            "c": {"$ref": "#/properties/a"},
            "d": {"type": "array", "items": {"type": "string", "title": "V"}},
        },
    }
    theirs = mcp_utils.mcp_to_gemini_tool(tool_of(schema)).function_declarations[0]
    assert to_wire(declaration_of(tool_of(schema))) == normal(theirs.model_dump(mode="json", exclude_none=True))


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_sessions_and_tools_are_known() -> None:
    """Those of classes that programs derive, too; and nothing else is."""

    class Own(mcp.ClientSession):  # type: ignore[misc, name-defined]
        """Of a program."""

    session = Own.__new__(Own)
    tool = tool_of({})
    assert is_session(session)
    assert is_tool(tool)
    assert not is_session(tool)
    assert not is_tool(session)
    assert refusal(session) is None
    assert refusal(tool) is None
    others: list[Any] = [None, {}, len, mcp, "mcp", object]
    assert not any(is_session(item) or is_tool(item) or refusal(item) for item in others)


def test_other_things_of_mcp_are_turned_down_with_what_to_hand_over_instead() -> None:
    """A server, or what describes one, is easily taken for a session."""
    parameters = StdioServerParameters(command="server")
    told = refusal(parameters)
    assert told is not None
    assert told.startswith("mcp.StdioServerParameters is no tool. Of MCP, chats take an initialized mcp.ClientSession")


def test_sync_chats_take_no_sessions() -> None:
    """They are told so when they are made, and where an async one is to be had."""
    session = mcp.ClientSession.__new__(mcp.ClientSession)
    client = Client(transport=ScriptedTransport())
    for config in ({"tools": [session]}, {"tools": [len_of, session]}):
        with pytest.raises(UnsupportedFunctionError, match=r"^\$\.config\.tools: MCP sessions are not .*client\.aio$"):
            client.chats.create(model="m", config=config)
    client.aio.chats.create(model="m", config={"tools": [session]})
    client.chats.create(model="m", config={"tools": [tool_of({})]})


def len_of(text: str) -> int:
    """How long a text is."""
    return len(text)


def test_nothing_imports_mcp() -> None:
    """Nor what comes with it: that takes longer than all of chatproto."""
    program = (
        "import sys; from chatproto.convert.mcp import *; "
        "assert not is_session(object()) and not is_tool({}) and refusal(print) is None; "
        "assert not {'mcp', 'mcp_types', 'pydantic', 'anyio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
