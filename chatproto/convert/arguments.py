"""The arguments of a function call: what the model wrote, as what the function takes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import FunctionError, ValidationError
from ..types._json import is_array, is_object
from .json_schema import unwrapped
from .reader import Misfit, reader, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Arguments", "Parameter"]


@attrs.frozen
class Parameter:
    """One parameter of a function, as it is declared to the model."""

    name: str
    #: Its annotation, without strings in it.
    kind: Any
    #: ``inspect.Parameter.empty`` where it has none.
    default: Any = inspect.Parameter.empty
    positional_only: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


class Arguments:
    """Reads the arguments of calls of one function."""

    def __init__(self, function: str, parameters: list[Parameter]) -> None:
        """Raises ValidationError for a parameter of a type that nothing can be read as."""
        self._function = function
        self._parameters = {each.name: each for each in parameters}
        self._hooks = {each.name: _hook(each) for each in parameters}

    def read(self, args: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and the named arguments. Raises FunctionError, for the model, with all that is wrong."""
        problems = self._misnamed(args)
        read: dict[str, Any] = {}
        for name, hook in self._hooks.items():
            if name in args:
                try:
                    read[name] = hook(_whole_numbers(args[name]))
                except Misfit as misfit:
                    where = f" at {misfit.path}" if misfit.path else ""
                    problems.append(f"argument {name!r}{where}: {misfit}")
                except RecursionError:
                    problems.append(f"argument {name!r} is nested too deeply")
        if problems:
            raise FunctionError(f"{self._function} was not called: {'; '.join(problems)}")
        return self._positional(read), read

    def _misnamed(self, args: Mapping[str, Any]) -> list[str]:
        problems = [
            f"argument {name!r} is missing"
            for name, parameter in self._parameters.items()
            if parameter.required and name not in args
        ]
        unknown = [name for name in args if name not in self._parameters]
        if unknown:
            known = ", ".join(map(repr, self._parameters))
            listed = f"its arguments are {known}" if known else "it takes none"
            problems.append(f"it has no argument {', '.join(map(shown, unknown))}; {listed}")
        return problems

    def _positional(self, read: dict[str, Any]) -> list[Any]:
        """Take out what cannot be given by name, with the defaults that stand before the last of them."""
        names = [name for name, each in self._parameters.items() if each.positional_only]
        while names and names[-1] not in read:
            names.pop()
        return [read.pop(name, self._parameters[name].default) for name in names]


def _hook(parameter: Parameter) -> Callable[[Any], Any]:
    kind = unwrapped(parameter.kind)
    try:
        hook: Callable[[Any, Any], Any] = reader().get_structure_hook(kind)
    except ValidationError as error:
        raise error.under(f".{parameter.name}") from None
    except Exception as error:  # what cattrs, pydantic and the program's own metaclasses raise
        raise ValidationError(f"nothing can be read as {kind!r}", path=f"$.{parameter.name}") from error
    if parameter.default is None:  # which the model has been told, whatever the annotation says
        return lambda item: None if item is None else hook(item, kind)
    return lambda item: hook(item, kind)


def _whole_numbers(item: Any) -> Any:
    """``item``, with 2 for 2.0: the model does not tell them apart. Containers are copied."""
    if isinstance(item, float) and item.is_integer():
        return int(item)
    if is_object(item):
        return {key: _whole_numbers(inner) for key, inner in item.items()}
    if is_array(item):
        return [_whole_numbers(inner) for inner in item]
    return item
