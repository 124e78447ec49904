"""What of a message belongs to the program: its headers, its functions, and the classes that its answer is made of.

No machine keeps any of it, and it is the same for all requests that a message leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from .calling import Approve, Calling
from .errors import UnsupportedFunctionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .convert.config import ReadConfig
    from .convert.functions import ErrorWords, Toolbox
    from .convert.parsed import ParseTarget
    from .convert.tools import Offered, Tools
    from .machines.turn import Draft

__all__ = ["Options", "Terms"]


@attrs.define(kw_only=True)
class Options:
    """What a chat is told beside its config."""

    asynchronous: bool = False
    approve: Approve = None
    function_errors: ErrorWords = "name"
    #: ``automatic_function_calling_history`` is put on the responses: for a question without a chat.
    tells_calls: bool = False

    def toolbox(self, tools: Tools | None, offered: Offered | None) -> Toolbox | None:
        """The functions that can be run; None where there are none. Raises UnsupportedFunctionError."""
        if tools is None:
            return None
        if tools.sessions and not self.asynchronous:
            raise UnsupportedFunctionError(
                "MCP sessions are not supported in synchronous methods: use client.aio", path="$.config.tools"
            )
        functions = tools.functions(offered)
        if not functions:
            return None
        from .convert.functions import Toolbox

        return Toolbox(functions, error_words=self.function_errors)


@attrs.define(kw_only=True)
class Terms:
    """What one message is sent on."""

    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    #: What ``response.parsed`` is made of.
    target: ParseTarget | None = None
    #: The functions that can be run.
    toolbox: Toolbox | None = None
    #: Whether the program answers all function calls.
    by_hand: bool = True
    #: There are MCP sessions that have not been asked what they offer.
    unasked: bool = False

    @classmethod
    def of(cls, read: ReadConfig | None, tools: Tools | None, offered: Offered | None, options: Options) -> Terms:
        """The terms of a config whose ``tools`` are these, and may be another config's."""
        toolbox = options.toolbox(tools, offered)
        return cls(
            headers={} if read is None else read.headers,
            target=None if read is None else read.target,
            toolbox=toolbox,
            by_hand=toolbox is None or tools is None or tools.by_hand,
            unasked=tools is not None and bool(tools.sessions) and offered is None,
        )

    def over(self, ours: Terms) -> Terms:
        """These laid over those of the chat's own config."""
        return attrs.evolve(self, headers={**ours.headers, **self.headers}, target=self.target or ours.target)

    def calling(self, approve: Approve, draft: Draft) -> Calling | None:
        """What answers the calls that ``draft`` leads to; None where the program does."""
        if self.toolbox is None or self.by_hand:
            return None
        return Calling(self.toolbox, _declared_in(draft.settings), approve)


def _declared_in(settings: Mapping[str, Any]) -> frozenset[str]:
    """The names of the functions that a request tells the model of."""
    declared = [each for tool in settings.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    return frozenset(each["name"] for each in declared if "name" in each)
