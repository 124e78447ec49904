"""Functions as declarations of the older form: with a Schema, the API's subset of OpenAPI, for parameters and result.

What ``types.FunctionDeclaration.from_callable`` gives, as google-genai does. Chats send the newer form, which says more
(``functions.declare``); a function that this form cannot say gets that one here, too.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from ..errors import ValidationError
from ..types import FunctionDeclaration, Schema
from ..types._json import is_array, is_object
from ..types._value import keys_of
from .functions import declare, parameters_of, result_of
from .json_schema import is_class, is_union, to_property_schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import Behavior
    from .arguments import Parameter

__all__ = ["API_OPTIONS", "from_callable"]

#: Vertex AI has two names here. The Gemini API takes no result.
API_OPTIONS = ("ENTERPRISE", "GEMINI_API", "VERTEX_AI")

_EMPTY = inspect.Parameter.empty
_TYPES: dict[Any, str] = {
    str: "STRING",
    int: "INTEGER",
    float: "NUMBER",
    bool: "BOOLEAN",
    list: "ARRAY",
    dict: "OBJECT",
    type(None): "NULL",
}
_DEFS = "#/$defs/"


class _UnsayableError(Exception):
    """There is no such Schema."""


def from_callable(
    function: Callable[..., Any],
    *,
    api_option: str = "GEMINI_API",
    behavior: Behavior | None = None,
    use_json_schema: bool = False,
) -> FunctionDeclaration:
    """The declaration of a function. Raises ValidationError for what cannot be declared, and for an unknown option."""
    if api_option not in API_OPTIONS:
        raise ValidationError(f"api_option is one of {', '.join(API_OPTIONS)}, not {api_option!r}")
    made = declare(function).declaration
    if behavior is not None:
        made.behavior = behavior
    if use_json_schema:
        return made
    made.description = made.description or None
    made.response_json_schema = None
    parameters = _parameters(parameters_of(function))
    if parameters is not None:
        made.parameters, made.parameters_json_schema = parameters, None
    if api_option != "GEMINI_API":
        _add_result(made, result_of(function))
    return made


def _parameters(parameters: list[Parameter]) -> Schema | None:
    if not parameters:
        return None
    try:
        properties = {each.name: _said(each.kind, each.default) for each in parameters}
    except _UnsayableError:
        try:
            properties = {each.name: _by_json_schema(each.kind, each.default) for each in parameters}
        except _UnsayableError:
            return None
    return _schema({"type": "OBJECT", "properties": properties, "required": _required(properties)})


def _add_result(made: FunctionDeclaration, kind: Any) -> None:
    if kind is _EMPTY:
        return
    try:
        schema = _said(kind)
        if "any_of" not in schema:
            made.response = _schema(schema)
            return
    except _UnsayableError:
        pass
    try:
        properties, defs = to_property_schemas({"it": kind})
    except ValidationError:  # the model does without
        return
    made.response_json_schema = {**properties["it"], **({"$defs": defs} if defs else {})} or None


def _schema(document: dict[str, Any]) -> Schema:
    return Schema.model_validate(document)


def _required(properties: dict[str, Any]) -> list[str]:
    return [name for name, each in properties.items() if not each.get("nullable") and each.get("default") is None]


# --- by the annotation --------------------------------------------------------------------------------------------


def _said(kind: Any, default: Any = _EMPTY) -> dict[str, Any]:
    """The fields of the Schema for the simpler types. Raises _UnsayableError for others."""
    made = _said_of(kind)
    if default is _EMPTY or (default is None and ("nullable" in made or "properties" in made)):
        return made
    if "properties" not in made and not _fits(default, kind):
        raise _UnsayableError
    return {**made, "default": default}


def _said_of(kind: Any, opened: tuple[Any, ...] = ()) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_class(kind) and kind in _TYPES:
        return {"type": _TYPES[kind]}
    if is_union(kind):
        return _union(arguments, opened)
    if origin is dict:
        return {"type": "OBJECT"}
    if origin is Literal and all(isinstance(each, str) for each in arguments):
        return {"type": "STRING", "enum": list(arguments)}
    if origin is list:
        return {"type": "ARRAY", "items": _said_of(arguments[0], opened)} if arguments else {"type": "ARRAY"}
    fields = getattr(kind, "model_fields", None)
    if is_class(kind) and fields is not None and kind not in opened:
        properties = {name: _said_of(each.annotation, (*opened, kind)) for name, each in fields.items()}
        return {"type": "OBJECT", "properties": properties, "required": _required(properties)}
    raise _UnsayableError


def _union(arms: tuple[Any, ...], opened: tuple[Any, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {"nullable": True} if type(None) in arms else {}
    several: list[dict[str, Any]] = []
    for arm in arms:
        if arm is not type(None) and (said := _said_of(arm, opened)) not in several:
            several.append(said)
    return made | (several[0] if len(several) == 1 else {"type": "OBJECT", "any_of": several})


def _fits(default: Any, kind: Any) -> bool:
    if is_class(kind) and kind in _TYPES:
        return isinstance(default, kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if is_union(kind):
        return any(_fits(default, arm) for arm in arguments)
    if origin is Literal:
        return default in arguments
    if origin is list:
        return is_array(default) and all(_fits(item, arm) for item in default for arm in arguments)
    return origin is dict and is_object(default)


# --- by JSON Schema -----------------------------------------------------------------------------------------------


def _by_json_schema(kind: Any, default: Any) -> dict[str, Any]:
    """The fields of the Schema for what pydantic describes. Raises _UnsayableError for what a Schema cannot say."""
    properties, defs = to_property_schemas({"it": kind})
    document = properties["it"]
    if "prefixItems" in document or (defs and any(arm in _TYPES and arm is not type(None) for arm in get_args(kind))):
        raise _UnsayableError
    made = _subset(document, defs, ())
    return made if default is _EMPTY or default is None else {**made, "default": default}


def _subset(document: dict[str, Any], defs: dict[str, Any], opened: tuple[str, ...]) -> dict[str, Any]:
    """``document`` without what a Schema has no field for. ``opened``: references that are being put in place."""
    reference = document.get("$ref")
    if reference is not None:
        if reference in opened:
            return {}
        opened = (*opened, reference)
        document = _untitled(defs[reference.removeprefix(_DEFS)])
    names = keys_of(Schema)
    made: dict[str, Any] = {}
    for key, item in document.items():
        if key == "type":
            made |= {"nullable": True} if item == "null" else {"type": item.upper()}
        elif key == "anyOf":
            made["any_of"] = [_subset(arm, defs, opened) for arm in item]
        elif key == "items":
            made |= {"items": inner} if (inner := _subset(item, defs, opened)) else {}
        elif key == "properties":
            made["properties"] = {name: _subset(each, defs, opened) for name, each in item.items()}
        elif key == "const" or (key == "enum" and not all(isinstance(each, str) for each in item)):
            raise _UnsayableError
        elif key in names and key != "additionalProperties":
            made[names[key].name] = item
    arms = cast("list[dict[str, Any]]", made.get("any_of", []))
    if len(arms) == 2 and {"nullable": True} in arms:
        other = arms[1] if arms[0] == {"nullable": True} else arms[0]
        made = {**other, "nullable": True, **({"default": made["default"]} if made.get("default") is not None else {})}
    return made


def _untitled(document: dict[str, Any]) -> dict[str, Any]:
    """A definition as it stands in the place of a reference."""
    made = {key: item for key, item in document.items() if key != "title"}
    if "properties" in made:
        made["properties"] = {
            name: {key: item for key, item in each.items() if key != "title"}
            for name, each in made["properties"].items()
        }
    return made
