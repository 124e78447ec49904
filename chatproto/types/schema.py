"""The shape of JSON: schemas, and the functions that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._conveniences import declarations
from ._value import Setting, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from .setting_enums import Behavior, Type

__all__ = ["FunctionDeclaration", "Schema"]


@value
class Schema(Setting):
    """The shape of a JSON value, in the API's subset of OpenAPI 3.0."""

    additional_properties: Any = None
    #: Definitions that ``ref`` points to; only at the root.
    defs: dict[str, Schema] | None = None
    #: ``#/$defs/Name``.
    ref: str | None = None
    any_of: list[Schema] | None = None
    default: Any = None
    description: str | None = None
    #: Of a string, with ``format`` ``enum``.
    enum: list[str] | None = None
    example: Any = None
    #: ``int32``, ``int64``, ``float``, ``double``, ``enum``, ``date-time`` and the like.
    format: str | None = None
    items: Schema | None = None
    max_items: int | None = None
    max_length: int | None = None
    max_properties: int | None = None
    maximum: float | None = None
    min_items: int | None = None
    min_length: int | None = None
    min_properties: int | None = None
    minimum: float | None = None
    nullable: bool | None = None
    #: A regular expression.
    pattern: str | None = None
    properties: dict[str, Schema] | None = None
    #: In which order the model writes the properties.
    property_ordering: list[str] | None = None
    required: list[str] | None = None
    title: str | None = None
    type: Type | None = None


@value
class FunctionDeclaration(Setting):
    """A function that the model may ask for.

    Parameters and result are described by a Schema or by a JSON Schema, not by both.
    """

    description: str | None = None
    #: A letter or underscore, then letters, digits and ``_.:-``; up to 128 characters.
    name: str | None = None
    parameters: Schema | None = None
    parameters_json_schema: Any = None
    response: Schema | None = None
    response_json_schema: Any = None
    #: For live sessions only.
    behavior: Behavior | None = None

    @classmethod
    def from_callable(
        cls,
        *,
        client: Any = None,
        callable: Callable[..., Any],  # noqa: A002  (google-genai's name)
        behavior: Behavior | None = None,
        use_json_schema: bool = False,
    ) -> FunctionDeclaration:
        """The declaration of a function for the API that ``client`` talks to; for the Gemini API without one.

        See ``from_callable_with_api_option``.
        """
        option = "ENTERPRISE" if getattr(client, "vertexai", None) else "GEMINI_API"
        return cls.from_callable_with_api_option(
            callable=callable, api_option=option, behavior=behavior, use_json_schema=use_json_schema
        )

    @classmethod
    def from_callable_with_api_option(
        cls,
        *,
        callable: Callable[..., Any],  # noqa: A002  (google-genai's name)
        api_option: str = "GEMINI_API",
        behavior: Behavior | None = None,
        use_json_schema: bool = False,
    ) -> FunctionDeclaration:
        """The declaration of a function: its name, its docstring, its parameters by their annotations.

        ``use_json_schema`` gives what chats send for the same function. Without it, the parameters are a Schema, where
        one can describe them, and for ``api_option="ENTERPRISE"`` (or ``"VERTEX_AI"``) the result is described too.

        Raises ValidationError, and names the parameter that cannot be declared.
        """
        made = declarations().from_callable(
            callable, api_option=api_option, behavior=behavior, use_json_schema=use_json_schema
        )
        return cast("FunctionDeclaration", made)
