"""The tools of a config: what they declare to the model, and what of them the program runs itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import UnsupportedFunctionError, ValidationError
from ..types import Tool
from .messages import as_list

if TYPE_CHECKING:
    from ..types import FunctionDeclaration
    from .functions import Function

    #: What sessions offer, by the ``id`` of the session.
    Offered = Mapping[int, Sequence[Function]]

__all__ = ["Tools", "read_tools"]


@attrs.frozen
class _Session:
    """An MCP session: what it offers is known once it has been asked."""

    session: Any


@attrs.frozen
class _Declared:
    """A function that is declared, and that nobody here can run."""

    declaration: FunctionDeclaration


@attrs.frozen
class Tools:
    """A list of tools that has been read. It holds functions and open sessions, so it stays in the face."""

    _items: tuple[Tool | Function | _Session | _Declared, ...]

    @property
    def sessions(self) -> tuple[Any, ...]:
        """The MCP sessions."""
        return tuple(item.session for item in self._items if isinstance(item, _Session))

    @property
    def by_hand(self) -> bool:
        """Whether function calls are left to the program, because it declares some that it answers itself."""
        values = [item for item in self._items if isinstance(item, Tool)]
        return any(item.function_declarations or item.mcp_servers is not None for item in values)

    def functions(self, offered: Offered | None = None) -> list[Function]:
        """The functions to run, those that sessions offer included."""
        found: list[Function] = []
        for item in self._items:
            if isinstance(item, _Session):
                found += (offered or {}).get(id(item.session), ())
            elif not isinstance(item, (Tool, _Declared)):
                found.append(item)
        return found

    def declared(self, offered: Offered | None = None) -> list[Tool]:
        """The tools as they are sent: all function declarations in one tool at the end, as the reference has them."""
        tools: list[Tool] = []
        declarations: list[FunctionDeclaration] = []
        for item in self._items:
            if isinstance(item, _Session):
                declarations += [each.declaration for each in (offered or {}).get(id(item.session), ())]
            elif not isinstance(item, Tool):
                declarations.append(item.declaration)
            elif item.function_declarations:
                declarations += item.function_declarations
                rest = item.model_copy(update={"function_declarations": None})
                if any(True for _ in rest.set_fields()):
                    tools.append(rest)
            else:
                tools.append(item)
        return [*tools, Tool(function_declarations=declarations)] if declarations else tools

    def added_to(self, tools: list[Tool], offered: Offered) -> list[Tool]:
        """``tools``, which a config has by now, with what sessions offer and is not declared there yet."""
        known = {each.name for tool in tools for each in tool.function_declarations or ()}
        fresh = [each.declaration for held in offered.values() for each in held if each.name not in known]
        if not fresh:
            return tools
        declarations = [each for tool in tools for each in tool.function_declarations or ()]
        others = [tool for tool in tools if not tool.function_declarations]
        return [*others, Tool(function_declarations=[*declarations, *fresh])]


def read_tools(given: Any) -> Tools:
    """A config's ``tools``. Raises ValidationError with the index of what is none."""
    items = as_list(given)
    if items is None:
        raise ValidationError(f"expected a list of tools, got {type(given).__name__}")
    read: list[Tool | Function | _Session | _Declared] = []
    for index, item in enumerate(items):
        try:
            read.append(_read(item))
        except ValidationError as error:
            raise error.under(f"[{index}]") from None
    return Tools(tuple(read))


def _read(item: Any) -> Tool | Function | _Session | _Declared:
    if isinstance(item, (Tool, Mapping)):
        return Tool.model_validate(item)
    from . import mcp

    if mcp.is_session(item):
        return _Session(item)
    if mcp.is_tool(item):
        return _Declared(mcp.declaration_of(item))
    refused = mcp.refusal(item)
    if refused is not None:
        raise UnsupportedFunctionError(refused)
    if callable(item):
        if isinstance(item, type):
            raise UnsupportedFunctionError(f"{item.__name__} is a class; a tool is a function, or a types.Tool")
        from .functions import declare

        return declare(item)
    return Tool.model_validate(item)
