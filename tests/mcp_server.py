"""An MCP server over stdio, a process of its own: its tools have whatever schemas and results such servers have.

It is written on mcp's low level, which says on the wire what it is told to, and in the two spellings that mcp has had.
"""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any

import mcp.types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

#: One red pixel.
PNG = base64.b64encode(bytes.fromhex("89504e470d0a1a0a")).decode()
PERSON = {
    "title": "Person",
    "type": "object",
    "properties": {
        "name": {"title": "Name", "type": "string"},
        "age": {"title": "Age", "type": "integer", "minimum": 0},
        "friend": {"anyOf": [{"$ref": "#/$defs/Person"}, {"type": "null"}], "default": None},
    },
    "required": ["name"],
}
#: The pages of the list of tools.
PAGES: list[list[dict[str, Any]]] = [
    [
        {
            "name": "add",
            "title": "Sum",
            "description": "Adds two numbers.",
            "inputSchema": {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "title": "addArguments",
                "type": "object",
                "properties": {
                    "a": {"title": "A", "type": "integer", "description": "The first."},
                    "b": {"title": "B", "type": "integer", "default": 1, "exclusiveMinimum": -1000},
                },
                "required": ["a"],
            },
            "outputSchema": {
                "type": "object",
                "properties": {"sum": {"type": "integer"}, "note": {"type": ["string", "null"]}},
                "required": ["sum"],
            },
            "annotations": {"readOnlyHint": True},
            "_meta": {"vendor/key": 1},
        },
        {"name": "look", "description": "Takes a picture.", "inputSchema": {"type": "object", "properties": {}}},
        {"name": "everything", "inputSchema": {"type": "object"}},
        {"name": "fail", "description": "", "inputSchema": {"type": "object"}},
        {
            "name": "invite",
            "description": "Schemas of all kinds.",
            "inputSchema": {
                "type": "object",
                "$defs": {"Person": PERSON},
                "properties": {
                    "host": {"$ref": "#/$defs/Person", "description": "Who asks."},
                    "guests": {"type": "array", "items": {"$ref": "#/$defs/Person"}, "minItems": 1},
                    "when": {"type": ["string", "null"], "format": "date-time"},
                    "where": {"type": ["string", "integer"], "description": "A place, or its number."},
                    "mood": {"type": "string", "enum": ["merry", "solemn"], "default": "merry"},
                    "kind": {"const": "party"},
                    "notes": {"type": "array", "items": {}},
                    "extras": {"type": "object", "additionalProperties": {"type": "string"}},
                    "one": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                    "any": {"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "number", "maximum": 3.5}]},
                },
                "required": ["host"],
            },
        },
        {"name": "echo", "inputSchema": {"type": "object", "properties": {"x": {"type": "number"}}}},
        {"name": "refuse", "description": "Ends in an error of the protocol.", "inputSchema": {"type": "object"}},
    ],
    [
        {"name": "open", "inputSchema": {"type": "object"}},
        {"name": "wait", "description": "Takes a minute.", "inputSchema": {"type": "object"}},
        {"name": "die", "description": "Ends the server.", "inputSchema": {"type": "object"}},
    ],
    [
        {
            "name": "strict",
            "description": "What google-genai cannot declare.",
            "inputSchema": {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        {
            "name": "choose",
            "inputSchema": {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}},
        },
    ],
]
RESULTS: dict[str, dict[str, Any]] = {
    "look": {
        "content": [
            {"type": "image", "data": PNG, "mimeType": "image/png"},
            {"type": "text", "text": "one pixel", "annotations": {"audience": ["user"], "priority": 0.5}},
        ],
    },
    "everything": {
        "content": [
            {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
            {"type": "text", "text": "Ä \u2028 \U0001f600", "_meta": {"k": None}},
        ],
        "structuredContent": {"a": None, "b": [1, 2.5, {"c": None}], "snake_case": {"camelCase": True}},
        "_meta": {"cost": 3},
    },
    "open": {
        "content": [
            {"type": "resource", "resource": {"uri": "file:///a.txt", "mimeType": "text/plain", "text": "Ä"}},
            {"type": "resource_link", "name": "b", "uri": "file:///b.txt"},
        ],
    },
    "fail": {"content": [{"type": "text", "text": "no such city"}], "isError": True},
}


class Refusal(Exception):
    """Becomes an error of the protocol."""


async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a tool."""
    if name == "add":
        total = arguments["a"] + arguments.get("b", 1)
        return {
            "content": [{"type": "text", "text": str(total)}],
            "structuredContent": {"sum": total, "note": None},
        }
    if name == "echo":
        return {"content": [{"type": "text", "text": repr(arguments)}]}
    if name == "wait":
        await asyncio.sleep(60)
    if name == "die":
        os._exit(3)
    if name not in RESULTS:
        raise Refusal(f"{name}: refused")
    return RESULTS[name]


def page(cursor: str | None) -> dict[str, Any]:
    """One page of tools. A cursor is a page's number."""
    number = int(cursor or 0)
    more = {"nextCursor": str(number + 1)} if number + 1 < len(PAGES) else {}
    return {"tools": PAGES[number], **more}


def modern() -> Any:
    """The server in the spelling of mcp 2."""

    async def on_list_tools(context: Any, params: Any) -> Any:
        return mcp.types.ListToolsResult.model_validate(page(params.cursor if params else None))

    async def on_call_tool(context: Any, params: Any) -> Any:
        return mcp.types.CallToolResult.model_validate(await call(params.name, params.arguments or {}))

    return Server("test", on_list_tools=on_list_tools, on_call_tool=on_call_tool)


def earlier() -> Any:
    """The server in the spelling of mcp 1."""
    types: Any = mcp.types

    async def on_list_tools(request: Any) -> Any:
        params = request.params
        return types.ServerResult(types.ListToolsResult.model_validate(page(params.cursor if params else None)))

    async def on_call_tool(request: Any) -> Any:
        result = await call(request.params.name, request.params.arguments or {})
        return types.ServerResult(types.CallToolResult.model_validate(result))

    server: Any = Server("test")
    server.request_handlers[types.ListToolsRequest] = on_list_tools
    server.request_handlers[types.CallToolRequest] = on_call_tool
    return server


async def main() -> None:
    """Serve until standard input ends."""
    server = earlier() if hasattr(Server, "list_tools") else modern()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
