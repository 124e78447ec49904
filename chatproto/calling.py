"""What a chat does when the model calls functions: which it runs, and which wait for the program.

The machine says that there are calls, and whether the config allows to answer them (``FunctionCallsRequested``). The
functions themselves, and who is asked before they run, belong to the program, so they stand here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Union, cast

import attrs

from .errors import ValidationError
from .types import FunctionResponse, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .convert.functions import Toolbox
    from .types import FunctionCall

__all__ = ["Approve", "Calling", "checked_approve", "refuse"]

#: Who says whether a function may run: a function of the call that gives True, False or None (wait), which may be
#: async in async chats; or the names of those that wait; or True, and all wait.
Approve = Union[Callable[["FunctionCall"], Any], Collection[str], bool, None]


def checked_approve(approve: Any, *, asynchronous: bool) -> Approve:
    """``approve``, if it can be used. Raises ValidationError."""
    if approve is None or isinstance(approve, bool):
        return approve
    if inspect.iscoroutinefunction(approve) and not asynchronous:
        raise ValidationError("an async function needs an async chat: client.aio.chats", path="$.approve")
    if isinstance(approve, str):
        return (approve,)
    if isinstance(approve, Collection) or callable(approve):
        return cast("Approve", approve)
    raise ValidationError(
        f"approve is a function of a FunctionCall, names of functions or True, not {type(approve).__name__}",
        path="$.approve",
    )


def refuse(call: FunctionCall, reason: str = "") -> Part:
    """A function response that tells the model that its call was refused, and why."""
    text = f"the call was refused: {reason}" if reason else "the call was refused"
    return Part(function_response=FunctionResponse(id=call.id, name=call.name, response={"error": text}))


@attrs.frozen
class Calling:
    """The functions that belong to one message, and who is asked before one runs."""

    toolbox: Toolbox
    #: The functions that the model was told of. One that nobody can run here waits for the program.
    declared: frozenset[str] = frozenset()
    approve: Approve = None

    def _asked(self, call: FunctionCall) -> Any:
        """True, False, None, or something to await that gives one of them."""
        if call.name is None or call.name not in self.toolbox:
            return None if call.name in self.declared else True  # there is no such function: the model is told so
        if self.approve is None or isinstance(self.approve, bool):
            return None if self.approve else True
        if callable(self.approve):
            return self.approve(call.model_copy(deep=True))  # what it does to the call changes nothing
        return None if call.name in self.approve else True

    def answers(self, calls: Sequence[FunctionCall]) -> list[Part] | None:
        """Run the functions, one after the other; None, and nothing has run, where one waits for the program."""
        said: list[Any] = []
        try:
            said += map(self._asked, calls)
            plan = _Plan.of(calls, said)
        finally:
            for answer in said:
                if inspect.iscoroutine(answer):
                    answer.close()
        return None if plan is None else plan.joined(self.toolbox.run(plan.allowed))

    async def aanswers(self, calls: Sequence[FunctionCall]) -> list[Part] | None:
        """``answers`` for asyncio: the functions run side by side."""
        said: list[Any] = []
        for call in calls:
            asked = self._asked(call)
            said.append(await asked if inspect.isawaitable(asked) else asked)
        plan = _Plan.of(calls, said)
        return None if plan is None else plan.joined(await self.toolbox.arun(plan.allowed))


@attrs.frozen
class _Plan:
    """The calls of one round, and for each whether it may run."""

    calls: Sequence[FunctionCall]
    may_run: Sequence[bool]

    @classmethod
    def of(cls, calls: Sequence[FunctionCall], said: Sequence[Any]) -> _Plan | None:
        """None where a call waits. Raises ValidationError for an answer that is none."""
        if any(map(inspect.iscoroutine, said)):
            raise ValidationError(
                "approve gives True, False or None; this one must be awaited, and that needs client.aio.chats"
            )
        for answer in said:
            if answer is not None and not isinstance(answer, bool):
                raise ValidationError(f"approve gives True, False or None, not {answer!r}")
        return None if None in said else cls(calls, said)

    @property
    def allowed(self) -> list[FunctionCall]:
        """The calls that run."""
        return [call for call, may_run in zip(self.calls, self.may_run, strict=True) if may_run]

    def joined(self, results: list[Part]) -> list[Part]:
        """The results, and a refusal for each call that must not run, in the order of the calls."""
        left = iter(results)
        return [next(left) if may_run else refuse(call) for call, may_run in zip(self.calls, self.may_run, strict=True)]
