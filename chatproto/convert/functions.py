"""Python functions as tools: their declarations, and the calls of the model to them.

Nothing of a function but its name and its declaration leaves this room, and functions are never copied.
"""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from ..errors import FunctionError, UnsupportedFunctionError, ValidationError
from ..types import FunctionDeclaration
from .arguments import Arguments, Parameter
from .json_schema import to_property_schemas
from .results import FormlessError, error_part, result_part, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..types import FunctionCall, Part

__all__ = ["ErrorWords", "Function", "Toolbox", "declare", "name_of", "parameters_of", "result_of"]

#: What the model is told of an exception: its class and the function's name, or its message as well.
ErrorWords = Literal["name", "message"]

_EMPTY = inspect.Parameter.empty
_CALLED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Function(Protocol):
    """What the model can call: a function of the program, or a tool of an MCP server."""

    @property
    def name(self) -> str:
        """What the model calls it by."""
        ...

    @property
    def declaration(self) -> FunctionDeclaration:
        """What the model is told of it."""
        ...

    @property
    def is_async(self) -> bool:
        """Whether it must be awaited."""
        ...

    def call(self, args: Mapping[str, Any]) -> Any:
        """Call it with the arguments that the model wrote. Raises what it raises.

        FunctionError is for the model: of arguments that do not fit. UnsupportedFunctionError: it must be awaited.
        """
        ...

    async def acall(self, args: Mapping[str, Any]) -> Any:
        """``call`` for asyncio. What is not async itself runs in a worker thread, so that the loop goes on."""
        ...


@attrs.frozen(eq=False)
class PythonFunction:
    """A callable of the program."""

    name: str
    declaration: FunctionDeclaration
    is_async: bool
    _function: Callable[..., Any] = attrs.field(repr=False)
    _arguments: Arguments = attrs.field(repr=False)

    def call(self, args: Mapping[str, Any]) -> Any:
        """See Function."""
        result = None if self.is_async else self._called(args)
        if self.is_async or inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            raise UnsupportedFunctionError(f"{self.name} is asynchronous, so it needs an async chat: client.aio.chats")
        return result

    async def acall(self, args: Mapping[str, Any]) -> Any:
        """See Function."""
        import asyncio

        result = self._called(args) if self.is_async else await asyncio.to_thread(self._in_a_thread, args)
        return await result if inspect.isawaitable(result) else result

    def _called(self, args: Mapping[str, Any]) -> Any:
        positional, named = self._arguments.read(args)
        return self._function(*positional, **named)

    def _in_a_thread(self, args: Mapping[str, Any]) -> Any:
        try:
            return self._called(args)
        except StopIteration as error:  # no future can hold one: it would be waited for without end
            raise RuntimeError(f"{self.name} raised StopIteration") from error


# --- declarations -------------------------------------------------------------------------------------------------


def declare(function: Callable[..., Any]) -> PythonFunction:
    """A function, method, ``functools.partial`` or callable object as a tool.

    ``*args`` and ``**kwargs`` are not declared, nor what a partial has bound. Raises ValidationError for a parameter
    that cannot be declared, and names it and the function.
    """
    name = name_of(function)
    parameters = parameters_of(function)
    try:
        properties, defs = to_property_schemas({each.name: each.kind for each in parameters})
        arguments = Arguments(name, parameters)
    except ValidationError as error:
        where = error.path.removeprefix("$.")
        raise ValidationError(f"parameter {where!r} of function {name!r} cannot be declared: {error.problem}") from None
    made = FunctionDeclaration(name=name, description=_description(function))
    if properties:
        made.parameters_json_schema = _object(parameters, properties, defs)
        response = _response(function)
        if response is not None:
            made.response_json_schema = response
    return PythonFunction(name, made, _is_async(function), function, arguments)


def name_of(function: Any) -> str:
    """What a callable is called: by its own name, the name of what a partial wraps, or its class."""
    found = getattr(function, "__name__", None)
    if isinstance(found, str):
        return found
    return name_of(function.func) if isinstance(function, functools.partial) else type(function).__name__


def _signature(function: Any) -> inspect.Signature:
    name = name_of(function)
    if inspect.isclass(function):
        raise ValidationError(f"{name!r} is a class; a tool is a function, or a types.Tool")
    if not callable(function):
        raise ValidationError(f"a {type(function).__name__} cannot be called")
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        raise ValidationError(
            f"function {name!r} does not say what parameters it has; wrap it in one that does"
        ) from None
    except NameError as error:  # from Python 3.14 on, annotations are evaluated late
        raise ValidationError(f"an annotation of function {name!r} cannot be resolved: {error}") from None


def parameters_of(function: Any) -> list[Parameter]:
    """The parameters that are declared. Raises ValidationError where one has no annotation that can be resolved."""
    name = name_of(function)
    signature = _signature(function)
    bound = function.keywords if isinstance(function, functools.partial) else {}
    scope = _Scope(function)
    found: list[Parameter] = []
    for each in signature.parameters.values():
        if each.kind not in _CALLED or each.name in bound:
            continue
        if each.annotation is _EMPTY:
            raise ValidationError(
                f"parameter {each.name!r} of function {name!r} has no annotation, which says its type"
            )
        try:
            kind = scope.resolved(each.annotation)
        except Exception as error:  # noqa: BLE001  (an annotation may be any text)
            problem = f"its annotation {each.annotation!r} cannot be resolved: {error}"
            raise ValidationError(f"parameter {each.name!r} of function {name!r}: {problem}") from None
        positional_only = each.kind is inspect.Parameter.POSITIONAL_ONLY
        found.append(Parameter(each.name, kind, each.default, positional_only))
    return found


class _Scope:
    """Where the annotations of a function, if they are text, find their names."""

    def __init__(self, function: Any) -> None:
        while True:
            if isinstance(function, functools.partial):
                function = function.func
            elif hasattr(function, "__wrapped__"):
                function = function.__wrapped__
            elif inspect.ismethod(function):
                function = function.__func__
            elif not inspect.isroutine(function):
                function = type(function).__call__
            else:
                break
        home = getattr(function, "__module__", None)
        self._globals = getattr(function, "__globals__", None) or vars(sys.modules.get(home or "", typing))
        # Names of ``def f[T]``, and of what the function uses of the function around it.
        self._locals: dict[str, Any] = {each.__name__: each for each in getattr(function, "__type_params__", ())}
        for name, cell in zip(
            getattr(getattr(function, "__code__", None), "co_freevars", ()),
            getattr(function, "__closure__", None) or (),
            strict=True,
        ):
            try:
                self._locals[name] = cell.cell_contents
            except ValueError:  # not set yet
                continue

    def resolved(self, annotation: Any) -> Any:
        """``annotation`` without text in it. Raises whatever evaluating it raises."""
        carrier = _Annotated()
        carrier.__annotations__ = {"it": annotation}
        return typing.get_type_hints(carrier, self._globals, self._locals, include_extras=True)["it"]


class _Annotated:
    """Carries one annotation to ``typing.get_type_hints``."""


def _description(function: Any) -> str:
    if isinstance(function, functools.partial):
        text = vars(function).get("__doc__") or _description(function.func)
    elif inspect.isroutine(function):
        text = function.__doc__
    else:
        call = type(function).__call__
        text = (call.__doc__ if inspect.isfunction(call) else None) or function.__doc__
    return inspect.cleandoc(text) if text else ""


def _object(parameters: list[Parameter], properties: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    for each in parameters:
        if not each.required:
            try:
                properties[each.name]["default"] = to_json(each.default)
            except FormlessError:  # it is used, and cannot be told
                continue
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if defs:
        made["$defs"] = defs
    made["required"] = [each.name for each in parameters if each.required and _says_anything(properties[each.name])]
    return made


def _says_anything(schema: dict[str, Any]) -> bool:
    # What may be anything may be left out, as the reference has it.
    return bool(schema) and "default" not in schema


def result_of(function: Any) -> Any:
    """What a function is annotated to return; ``inspect.Parameter.empty`` if that is nothing, or cannot be resolved."""
    annotation = _signature(function).return_annotation
    try:
        return annotation if annotation is _EMPTY else _Scope(function).resolved(annotation)
    except Exception:  # noqa: BLE001  (an annotation may be any text)
        return _EMPTY


def _response(function: Any) -> dict[str, Any] | None:
    """The schema of the result. It only helps the model, so what has none is no error."""
    kind = result_of(function)
    try:
        made, defs = ({}, {}) if kind is _EMPTY else to_property_schemas({"it": kind})
    except ValidationError:
        return None
    if not made:
        return None
    return {**made["it"], "$defs": defs} if defs else dict(made["it"])


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(type(function).__call__)


# --- calls --------------------------------------------------------------------------------------------------------


class Toolbox:
    """The functions that the model may call in one chat, by name."""

    def __init__(self, functions: Iterable[Function], *, error_words: ErrorWords = "name") -> None:
        self._functions: dict[str, Function] = {}
        self._error_words = error_words
        for each in functions:
            if each.name in self._functions:
                raise ValidationError(f"two functions are called {each.name!r}")
            self._functions[each.name] = each

    @property
    def names(self) -> tuple[str, ...]:
        """What the functions are called, in their order."""
        return tuple(self._functions)

    @property
    def declarations(self) -> list[FunctionDeclaration]:
        """What the model is told of them."""
        return [each.declaration for each in self._functions.values()]

    @property
    def any_async(self) -> bool:
        """Whether one of them must be awaited, so that ``arun`` is needed."""
        return any(each.is_async for each in self._functions.values())

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __len__(self) -> int:
        return len(self._functions)

    def run(self, calls: Sequence[FunctionCall]) -> list[Part]:
        """The function responses to the calls, which are made one after the other."""
        return [self.run_one(call) for call in calls]

    async def arun(self, calls: Sequence[FunctionCall]) -> list[Part]:
        """The function responses to the calls, in their order. The calls are made side by side.

        Cancelling cancels those that run. One in a thread cannot be stopped: it runs on, and its result is dropped.
        """
        import asyncio

        tasks = [asyncio.ensure_future(self.arun_one(call)) for call in calls]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def run_one(self, call: FunctionCall) -> Part:
        """The function response to one call, also where it fails: the model is told."""
        function = self._functions.get(call.name or "")
        if function is None:
            return self._unknown(call)
        try:
            return result_part(call, function.call(call.args or {}))
        except Exception as error:  # noqa: BLE001  (whatever happens in a function, the chat goes on)
            return self._failed(call, error)

    async def arun_one(self, call: FunctionCall) -> Part:
        """``run_one`` for asyncio."""
        function = self._functions.get(call.name or "")
        if function is None:
            return self._unknown(call)
        try:
            return result_part(call, await function.acall(call.args or {}))
        except Exception as error:  # noqa: BLE001  (whatever happens in a function, the chat goes on)
            return self._failed(call, error)

    def _unknown(self, call: FunctionCall) -> Part:
        known = f"there are: {', '.join(self._functions)}" if self._functions else "there are none"
        return error_part(call, f"there is no function {call.name!r}; {known}")

    def _failed(self, call: FunctionCall, error: Exception) -> Part:
        if isinstance(error, FormlessError):
            return error_part(call, f"{call.name} returned {error}")
        said = f"{call.name} raised {type(error).__name__}"
        if self._error_words == "message" or isinstance(error, (FunctionError, UnsupportedFunctionError)):
            message = _message(error)
            if isinstance(error, (FunctionError, UnsupportedFunctionError)):
                said = message or said
            elif message:
                said = f"{said}: {message}"
        return error_part(call, said)


def _message(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (an exception of the program's may fail at saying what it is)
        return ""
