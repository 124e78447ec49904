"""``response.parsed``: the text of an answer as what the program asked for.

A text that does not fit leaves ``parsed`` as it is, None; so does a chunk of a stream, unless it is complete JSON by
itself.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import attrs

from ..types import Schema
from .json_schema import is_class, is_pydantic, is_type
from .reader import member, reader

if TYPE_CHECKING:
    from ..types import GenerateContentResponse

__all__ = ["ParseTarget", "parse_response"]


@attrs.frozen
class ParseTarget:
    """What ``parsed`` is made of. It holds the program's own classes, so it stays in the face and is never stored."""

    #: A class, or another type that can be an annotation; None for JSON of any shape.
    shape: Any = None

    @classmethod
    def of(cls, asked: Any) -> ParseTarget | None:
        """The target for what ``response_schema`` or ``response_json_schema`` was given; None for nothing."""
        if asked is None:
            return None
        return cls(asked if is_type(asked) and not isinstance(asked, (Schema, Mapping)) else None)

    def read(self, text: str) -> Any:
        """The value that ``text`` holds. Raises whatever the classes of the program raise when it holds none."""
        shape: Any = self.shape
        if shape is None:
            return json.loads(text)
        if get_origin(shape) is Literal:
            return _named(text, {str(each): each for each in get_args(shape)}.__getitem__)
        if is_class(shape, enum.Enum):
            return _named(text, lambda name: member(name, shape))
        if is_pydantic(shape) and hasattr(shape, "model_validate_json"):
            return shape.model_validate_json(text)
        return reader().structure(json.loads(text), shape)


def parse_response(response: GenerateContentResponse, target: ParseTarget | None) -> None:
    """Set ``response.parsed``, if the text of the response is what ``target`` asks for."""
    text = None if target is None else response.text
    if target is None or text is None:
        return
    try:
        response.parsed = target.read(text)
    except Exception:  # noqa: BLE001  (an answer is not lost because a validator of the program fails on it)
        return


def _named(text: str, find: Callable[[str], Any]) -> Any:
    """One of several names. The model writes it as a JSON string, or as ``text/x.enum`` without quotes."""
    try:
        plain = json.loads(text)
    except ValueError:
        plain = text.strip()
    return find(str(plain))
