"""What a scenario says in words of its own, made into the values of one library or the other."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from differential.scenario import Spec

__all__ = ["build_config", "build_content", "build_message"]

DECLARED = {
    "function_declarations": [
        {
            "name": "declared",
            "description": "a function that the program runs itself",
            "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
        }
    ]
}


class _Text(str):
    """A str that is not exactly one."""

    __slots__ = ()


def build_message(spec: Spec, types: Any) -> Any:
    """A message, or a part of one. ``types`` is the library's module of that name."""
    kind, held = spec
    match kind:
        case "text" | "raw":
            return copy.deepcopy(held)
        case "kind of str":
            return _Text(held)
        case "list":
            return [build_message(each, types) for each in held]
        case "part":
            return types.Part(**copy.deepcopy(held))
        case "bytes":
            return types.Part.from_bytes(data=held[0], mime_type=held[1])
        case "uri":
            return types.Part.from_uri(file_uri=held[0], mime_type=held[1])
        case "file":
            return types.File(**held)
        case "blob":
            return types.Blob(data=held[0], mime_type=held[1])
        case "content":
            return types.Content(**copy.deepcopy(held))
        case "picture":
            return Image.new(*held)
        case _:
            raise ValueError(kind)


def build_config(spec: Spec | None, types: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    """A config."""
    if spec is None:
        return None
    kind, held = spec
    fields = copy.deepcopy({key: each for key, each in held.items() if not key.startswith("$")})
    tools: list[Any] = [functions[name] for name in held.get("$functions", ())]
    if held.get("$declared"):
        tools.append(copy.deepcopy(DECLARED))
    if tools:
        given = fields.get("tools", [])
        fields["tools"] = [*given, *tools] if isinstance(given, list) else given
    return fields if kind == "dict" else types.GenerateContentConfig(**fields)


def build_content(spec: Spec, types: Any) -> Any:
    """A content of a history."""
    kind, held = spec
    fields = copy.deepcopy(held)
    return fields if kind == "dict" else types.Content.model_validate(fields)
