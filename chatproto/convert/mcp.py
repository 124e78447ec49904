"""Tools of MCP servers, by a session of the package ``mcp`` that the program has opened.

The model sees what google-genai shows it of the same server, all pages of the list. Sessions are awaited, so they are
for async chats. Both spellings of ``mcp``'s fields (1.x and 2.x) are read; the package itself is never imported here.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import FunctionError, UnsupportedFunctionError, ValidationError
from ..types import FunctionDeclaration, FunctionResponse, Schema
from ..types._json import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["McpFunction", "declaration_of", "functions_of", "is_session", "is_tool", "refusal"]

#: Longer lists are taken for ones that do not end.
_MOST_PAGES = 1000
#: Schemas with more nodes, once references are put in place, are sent with their references.
_MOST_NODES = 5000


# --- what is taken ------------------------------------------------------------------------------------------------


def is_session(item: object) -> bool:
    """Whether ``item`` is a ``mcp.ClientSession``. Who has one has imported it, so this does not."""
    return _is_a(item, "ClientSession", "mcp.client.session")


def is_tool(item: object) -> bool:
    """Whether ``item`` is a ``mcp.types.Tool``: a tool that can be declared, but not called."""
    return _is_a(item, "Tool", "mcp.types", "mcp_types")


def _is_a(item: object, name: str, *homes: str) -> bool:
    classes = (getattr(sys.modules.get(home), name, None) for home in homes)
    return any(isinstance(cls, type) and isinstance(item, cls) for cls in classes)


def refusal(item: object) -> str | None:
    """Why ``item`` is no tool, if it is something else that belongs to MCP; None for all other objects."""
    if is_session(item) or is_tool(item) or not any(_is_of_mcp(cls) for cls in type(item).__mro__):
        return None
    kind = f"{type(item).__module__.partition('.')[0]}.{type(item).__name__}"
    return (
        f"{kind} is no tool. Of MCP, chats take an initialized mcp.ClientSession (of an mcp.Client or a "
        "fastmcp.Client: its .session, while it is open) or a mcp.types.Tool, which is declared but not called"
    )


def _is_of_mcp(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("mcp", "mcp_types", "fastmcp")


# --- functions ----------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class McpFunction:
    """A tool of an MCP server, as a function that the model can call."""

    name: str
    declaration: FunctionDeclaration
    session: Any = attrs.field(repr=False)

    is_async = True

    def call(self, args: Mapping[str, Any]) -> FunctionResponse:
        """Raises UnsupportedFunctionError: a session has to be awaited."""
        raise UnsupportedFunctionError("MCP sessions are not supported in synchronous methods.")

    async def acall(self, args: Mapping[str, Any]) -> FunctionResponse:
        """What the tool gave: ``{"result": ...}``, or ``{"error": ...}`` if the server says that it failed.

        Either holds the whole ``CallToolResult`` in the spelling of the installed ``mcp``, media as base64 text. A
        refusal of the server's is told to the model in the server's words (FunctionError); what happens to the
        connection comes through.
        """
        try:
            result = await self.session.call_tool(self.name, arguments=_whole_numbers(dict(args)))
        except Exception as error:
            if type(error).__name__ in _REFUSALS and str(error):
                raise FunctionError(str(error)) from None
            raise
        is_error = getattr(result, "is_error", getattr(result, "isError", False))
        # By way of JSON, so that what comes out can be sent: no URLs, no NaN.
        told = json.loads(result.model_dump_json(exclude_none=True))
        return FunctionResponse(name=self.name, response={"error" if is_error else "result": told})


#: What a session raises for an error that the server answered with, in mcp 1 and 2.
_REFUSALS = ("McpError", "MCPError")


def _whole_numbers(given: Any) -> Any:
    """``given``, with 2 for 2.0: the model's numbers are all floats, and servers look for integers."""
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if is_object(given):
        return {key: _whole_numbers(item) for key, item in given.items()}
    if is_array(given):
        return [_whole_numbers(item) for item in given]
    return given


async def functions_of(session: Any) -> list[McpFunction]:
    """The tools of an initialized session, asked of its server now, all pages.

    Raises ValidationError for two tools of one name, and for a list that does not end; and what the session raises.
    """
    functions: dict[str, McpFunction] = {}
    cursors: set[str] = set()
    cursor: str | None = None
    while True:
        page = await _page(session, cursor)
        for tool in page.tools:
            if tool.name in functions:
                raise ValidationError(f"the MCP server has two tools of the name {tool.name!r}")
            functions[tool.name] = McpFunction(tool.name, declaration_of(tool), session)
        cursor = getattr(page, "next_cursor", getattr(page, "nextCursor", None))
        if not cursor:
            return list(functions.values())
        if cursor in cursors or len(cursors) >= _MOST_PAGES:
            raise ValidationError("the MCP server's list of tools does not end")
        cursors.add(cursor)


async def _page(session: Any, cursor: str | None) -> Any:
    if cursor is None:
        return await session.list_tools()
    types: Any = sys.modules["mcp.types"]
    return await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))


# --- declarations -------------------------------------------------------------------------------------------------


def declaration_of(tool: Any) -> FunctionDeclaration:
    """The declaration of a ``mcp.types.Tool``.

    The parameters are a Schema, made as google-genai makes it, which leaves out what it does not know. Where that
    cannot be done, or has no sense to the API (an enum of numbers), they are the server's own JSON Schema.
    """
    given = getattr(tool, "input_schema", None)
    if given is None:
        given = getattr(tool, "inputSchema", {})
    declaration = FunctionDeclaration(name=tool.name)
    if tool.description is not None:
        declaration.description = tool.description
    try:
        declaration.parameters = Schema.model_validate(_Subset(given).schema(given))
    except (_UnsayableError, ValidationError, RecursionError):
        declaration.parameters_json_schema = given
    return declaration


class _UnsayableError(Exception):
    """A Schema cannot say it."""


_TYPES = frozenset({"boolean", "object", "array", "number", "integer", "string"})
#: What is said of each type, where a schema names several and is taken apart.
_OF_NUMBERS = ("description", "enum", "format", "maximum", "minimum", "title")
_OF_TYPE = {
    "number": _OF_NUMBERS,
    "integer": _OF_NUMBERS,
    "string": ("description", "enum", "format", "pattern", "title"),
    "object": ("anyOf", "description", "properties", "required", "title"),
    "array": ("description", "items", "title"),
    "boolean": ("description", "title"),
}
#: What is taken over as it is. All else of JSON Schema is left out.
_PLAIN = ("title", "description", "default", "enum", "format", "maximum", "minimum", "pattern", "required")


class _Subset:
    """JSON Schema as a Schema, by google-genai's ways (``mcp_to_gemini_tool``), which differ from those of
    ``response_schema``: names of properties have no order, some titles and all that stands beside a reference go.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = _MOST_NODES

    def schema(self, given: Any, opened: tuple[str, ...] = ()) -> dict[str, Any]:
        """``given`` by the names of Schema's fields. ``opened``: the references that are being put in place."""
        self._left -= 1
        if given is True:
            return {}
        if not is_object(given) or self._left < 0:
            raise _UnsayableError
        reference = given.get("$ref")
        if not reference:
            return self._converted(given, opened)
        if reference in opened:
            return {}
        resolved = self._resolved(str(reference))
        return self._converted(resolved, (*opened, str(reference)))

    def _converted(self, given: dict[str, Any], opened: tuple[str, ...]) -> dict[str, Any]:
        kinds, nullable = _types(given.get("type"))
        made: dict[str, Any] = {"nullable": True} if nullable else {}
        if len(kinds) > 1:
            given = {"anyOf": [_part(given, kind) for kind in kinds]}
        elif kinds:
            made["type"] = kinds[0].upper()
        made |= {name: given[name] for name in _PLAIN if given.get(name) is not None}
        if given.get("$ref"):  # of a definition that is itself a reference
            made["ref"] = given["$ref"]
        if "items" in given:
            items = self.schema(given["items"], opened)
            if items or made.get("type") != "ARRAY":
                made["items"] = items
        if "properties" in given:
            made["properties"] = self._named(given["properties"], opened)
        if "anyOf" not in given:
            return made
        return self._any_of(made, given["anyOf"], opened)

    def _named(self, given: Any, opened: tuple[str, ...]) -> dict[str, Any]:
        if not is_object(given):
            raise _UnsayableError
        return {name: self.schema(item, opened) for name, item in given.items()}

    def _any_of(self, made: dict[str, Any], given: Any, opened: tuple[str, ...]) -> dict[str, Any]:
        """With alternatives. One beside a null is put in the place of the whole, and keeps the default only."""
        if not is_array(given):
            raise _UnsayableError
        made["any_of"] = arms = [self.schema(item, opened) for item in given]
        if not arms:
            made.setdefault("type", "OBJECT")
        others = [arm for arm in arms if arm != {"nullable": True}]
        if len(arms) != 2 or len(others) != 1:
            return made
        kept = {"default": made["default"]} if "default" in made else {}
        return {**others[0], "nullable": True, **kept}

    def _resolved(self, reference: str) -> dict[str, Any]:
        """What ``reference`` points to, without its title, and those of its properties."""
        found = self._root
        parts = iter(reference.lstrip("#/").split("/"))
        for part in parts:
            if part not in ("$defs", "defs", "properties", "items") or not is_object(found):
                raise _UnsayableError
            found = found.get("$defs" if part == "defs" else part)
            if part != "items":
                found = found.get(next(parts, "")) if is_object(found) else None
        if not is_object(found):
            raise _UnsayableError
        properties = found.get("properties")
        untitled: dict[str, Any] = _without_title(found)
        if is_object(properties):
            untitled["properties"] = {name: _without_title(item) for name, item in properties.items()}
        return untitled


def _part(given: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"type": kind, **{name: given[name] for name in _OF_TYPE[kind] if name in given}}


def _without_title(given: Any) -> Any:
    return {name: item for name, item in given.items() if name != "title"} if is_object(given) else given


def _types(given: Any) -> tuple[list[str], bool]:
    """The types that are not null, and whether null is one."""
    several: list[Any] = given if is_array(given) else [] if given is None else [given]
    kinds = [kind for kind in several if kind != "null"]
    if any(not isinstance(kind, str) or kind not in _TYPES for kind in kinds):
        raise _UnsayableError
    return kinds, len(kinds) != len(several)
