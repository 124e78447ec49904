"""``response_schema``: Python types and schema dicts as a Schema, which is the API's subset of OpenAPI.

References are put in place, a null becomes ``nullable``, properties get their order: what google-genai sends for the
same input.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..errors import ValidationError
from ..types import Schema
from ..types._dump import to_wire
from ..types._json import is_array, is_object
from ..types._value import keys_of
from .json_schema import description, is_class, is_type, to_json_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["to_schema"]


def to_schema(given: Any) -> Schema:
    """``given`` as a Schema: a Schema, a dict in either spelling, or a type. It is not changed.

    Raises ValidationError, with its path, for what the API's subset of OpenAPI does not have.
    """
    document: dict[str, Any]
    if isinstance(given, (Schema, Mapping)):
        document = to_wire(given) if isinstance(given, Schema) else _plain(given)
        if not document:
            raise ValidationError("an empty schema says nothing")
    elif is_class(given, enum.Enum):
        document = _top_enum(given)
    elif is_type(given):
        document = to_json_schema(given)
    else:
        raise ValidationError(f"expected a types.Schema, a dict or a type, got {type(given).__name__}")
    try:
        return Schema.model_validate(_subset(document, _definitions(document), ()))
    except RecursionError:
        raise ValidationError("nested too deeply") from None


# --- JSON Schema -> the API's subset ------------------------------------------------------------------------------


def _plain(document: Any) -> Any:
    """A copy down to the scalars, with the values within it as JSON."""
    if isinstance(document, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[Any, Any]", document).items()}  # type: ignore[redundant-cast]
    if isinstance(document, (list, tuple)):
        return [_plain(item) for item in cast("Sequence[Any]", document)]
    return to_wire(document) if isinstance(document, Schema) else document


def _definitions(document: dict[str, Any]) -> dict[str, Any]:
    found = document.pop("$defs", None)
    return found if is_object(found) else {}


def _subset(document: Any, defs: Mapping[str, Any], opened: tuple[str, ...]) -> Any:
    """``document`` in the API's subset. ``opened``: the references that are being put in place, so that they end."""
    if not is_object(document):
        return document
    names = keys_of(Schema)
    schema = {(names[key].name if key in names else key): item for key, item in document.items()}
    _take_out_null(schema)
    reference = schema.pop("$ref", None)
    if reference is not None:
        return {**schema, **_resolved(reference, defs, opened)}
    if is_array(schema.get("any_of")):
        schema["any_of"] = [_subset_of_inner(item, defs, opened) for item in schema["any_of"]]
        return schema
    kind = schema.get("type")
    kind = kind.upper() if isinstance(kind, str) else kind
    if schema.get("const") is not None:
        if kind != "STRING":
            raise ValidationError(f"a constant must be a string, not {schema['const']!r}")
        schema["enum"] = [schema.pop("const")]
    if kind == "OBJECT":
        _take_properties(schema, defs, opened)
    elif kind == "ARRAY" and schema.get("items") is not None:
        schema["items"] = _under(".items", schema["items"], defs, opened)
    return schema


def _take_properties(schema: dict[str, Any], defs: Mapping[str, Any], opened: tuple[str, ...]) -> None:
    properties = schema.get("properties")
    if is_object(properties):
        schema["properties"] = {
            name: _under(f".properties[{name!r}]", item, defs, opened) for name, item in properties.items()
        }
        if len(properties) > 1:
            schema.setdefault("property_ordering", list(properties))
    if is_object(schema.get("additional_properties")):
        schema["additional_properties"] = _under(
            ".additional_properties", schema["additional_properties"], defs, opened
        )


def _under(segment: str, document: Any, defs: Mapping[str, Any], opened: tuple[str, ...]) -> Any:
    try:
        return _subset_of_inner(document, defs, opened)
    except ValidationError as error:
        raise error.under(segment) from None


def _subset_of_inner(document: Any, defs: Mapping[str, Any], opened: tuple[str, ...]) -> Any:
    # What stands beside a reference is dropped here, as by google-genai.
    if is_object(document) and document.get("$ref") is not None:
        return _resolved(document["$ref"], defs, opened)
    return _subset(document, defs, opened)


def _resolved(reference: Any, defs: Mapping[str, Any], opened: tuple[str, ...]) -> dict[str, Any]:
    """The definition behind ``reference``; nothing inside itself, because the API cannot have a schema recur."""
    name = str(reference).rpartition("defs/")[2]
    if name not in defs:
        raise ValidationError(f"there is no definition for {reference!r}")
    if name in opened:
        return {}
    resolved = _subset(defs[name], defs, (*opened, name))
    return resolved if is_object(resolved) else {}


def _take_out_null(schema: dict[str, Any]) -> None:
    """``null`` as a type, or as one of several, becomes ``nullable``."""
    if schema.get("type") == "null":
        del schema["type"]
        schema["nullable"] = True
        return
    arms = schema.get("any_of")
    if not is_array(arms):
        return
    left = [arm for arm in arms if arm != {"type": "null"}]
    if len(left) == len(arms):
        return
    schema["nullable"] = True
    schema["any_of"] = left
    if len(left) == 1 and is_object(left[0]):
        names = keys_of(Schema)
        del schema["any_of"]
        schema |= {(names[key].name if key in names else key): item for key, item in left[0].items()}


def _top_enum(cls: type[enum.Enum]) -> dict[str, Any]:
    """An Enum as the whole answer: strings, because the API's enums have no numbers."""
    for member in cls:
        if not isinstance(member.value, (str, int)):
            raise ValidationError(f"{member} is neither a string nor an integer")
    numbers = any(isinstance(member.value, int) for member in cls)
    made = {"type": "string", "enum": [str(member.value) for member in cls], "title": cls.__name__}
    return made if numbers else made | description(cls)
