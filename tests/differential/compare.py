"""When two records are the same: JSON values, whatever the spelling that neither API nor program can see."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import attrs
import pydantic
from google.genai import types as their_types

__all__ = [
    "WORDS",
    "Difference",
    "calls_in",
    "canonical",
    "closed",
    "difference",
    "folded",
    "is_open",
    "responses_in",
    "turns",
    "waits",
]

Json = dict[str, Any]
MISSING = "<absent>"
WORDS = "<words>"


@attrs.frozen
class Difference:
    """Where two JSON values part."""

    path: str
    reference: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.path}: google-genai has {self.reference!r}, chatproto has {self.ours!r}"


# --- requests -----------------------------------------------------------------------------------------------------


def _known_keys() -> dict[str, str]:
    """The API's keys: those of all fields, in either spelling, with the one that is compared."""
    names: set[str] = set()
    for held in vars(their_types).values():
        if isinstance(held, type) and issubclass(held, pydantic.BaseModel):
            names.update(held.model_fields)
    camel = {re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name): name for name in names}
    return camel | {name: name for name in names} | {"generationConfig": "generation_config", "contents": "contents"}


_KEYS = _known_keys()
#: What belongs to the program, or to its functions: not looked into.
_FREE = frozenset(
    {"args", "labels", "response_json_schema", "parameters_json_schema", "part_metadata", "default", "example"}
)
_BASE64 = frozenset({"data", "thought_signature", "continuation_token"})


def canonical(document: Any, *, key: str = "", above: str = "") -> Any:
    """A JSON body with the API's keys in one spelling, and its bytes as bytes."""
    if key == "response" and above == "function_response":
        # A failed call: what the model is told of it is not compared.
        failed = isinstance(document, dict) and document.keys() == {"error"} and isinstance(document["error"], str)
        return {"error": WORDS} if failed else document
    if key in _FREE:
        return document
    if key in _BASE64 and isinstance(document, str):
        return _decoded(document)
    if isinstance(document, dict):
        if key in ("properties", "defs"):
            return {name: canonical(held) for name, held in document.items()}
        named = {_KEYS.get(str(name), str(name)): held for name, held in document.items()}
        return {name: canonical(held, key=name, above=key) for name, held in named.items()}
    if isinstance(document, list):
        return [canonical(item, key="", above=key) for item in document]
    return document


def _decoded(text: str) -> Any:
    try:
        return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return text


# --- differences --------------------------------------------------------------------------------------------------


def difference(reference: Any, ours: Any, path: str = "$") -> list[Difference]:
    """Where two JSON values differ. 1 and 1.0 do not; 1 and true do."""
    if isinstance(reference, dict) and isinstance(ours, dict):
        keys = [*reference, *(key for key in ours if key not in reference)]
        return [
            each
            for key in keys
            for each in difference(reference.get(key, MISSING), ours.get(key, MISSING), f"{path}.{key}")
        ]
    if isinstance(reference, list) and isinstance(ours, list):
        if len(reference) != len(ours):
            return [Difference(path, reference, ours)]
        return [
            each
            for index, (left, right) in enumerate(zip(reference, ours, strict=True))
            for each in difference(left, right, f"{path}[{index}]")
        ]
    alike = reference == ours and isinstance(reference, bool) == isinstance(ours, bool)
    return [] if alike else [Difference(path, reference, ours)]


# --- histories ----------------------------------------------------------------------------------------------------


def folded(contents: list[Json]) -> list[Json]:
    """Contents with each run of the model's as one: what a streamed answer is, however it came."""
    made: list[Json] = []
    for content in contents:
        answers = content.get("role") != "user"
        if answers and made and made[-1].get("role") != "user":
            parts = _joined(made[-1].get("parts") or [], content.get("parts") or [])
            made[-1] = {**made[-1], "parts": parts}
        else:
            made.append({**content, "role": "model"} if answers else content)
    return made


def calls_in(content: Json) -> list[Json]:
    """The function calls of a content."""
    return [part["function_call"] for part in content.get("parts") or () if part.get("function_call")]


def responses_in(content: Json) -> list[Json]:
    """The function responses of a content."""
    return [part["function_response"] for part in content.get("parts") or () if part.get("function_response")]


def turns(contents: list[Json]) -> list[list[Json]]:
    """Contents by turns: each begins with what the user says, and not with the answer to a call."""
    made: list[list[Json]] = []
    for content in contents:
        if not made or (content.get("role") == "user" and not responses_in(content)):
            made.append([])
        made[-1].append(content)
    return made


def is_open(turn: list[Json]) -> bool:
    """Whether a turn has calls and responses that do not belong together."""
    unanswered, answering = 0, False
    for content in turn:
        if content.get("role") == "user":
            if calls_in(content):
                return True
            unanswered, answering = unanswered - len(responses_in(content)), True
        else:
            if answering and unanswered:
                return True
            unanswered, answering = unanswered + len(calls_in(content)), False
        if unanswered < 0:
            return True
    return unanswered != 0


def waits(turn: list[Json]) -> bool:
    """Whether a turn ends with calls, and is in order before them."""
    count = len(turn)
    while count and turn[count - 1].get("role") != "user":
        count -= 1
    return any(map(calls_in, turn[count:])) and is_open(turn) and not is_open(turn[:count])


def closed(contents: list[Json], *, last: bool = True) -> list[Json]:
    """Without the turns in which calls and responses do not belong together; with the last one, if it waits."""
    every = turns(contents)
    kept = [turn for turn in every if not is_open(turn) or (last and turn is every[-1] and waits(turn))]
    return [content for turn in kept for content in turn]


def _joined(left: list[Json], right: list[Json]) -> list[Json]:
    """The parts of two chunks; text is joined where they meet."""
    if left and right and all(_is_text(each) for each in (left[-1], right[0])) and left[-1].keys() == right[0].keys():
        last, first = left[-1], right[0]
        if last.get("thought") == first.get("thought"):
            return [*left[:-1], {**last, "text": last["text"] + first["text"]}, *right[1:]]
    return [*left, *right]


def _is_text(part: Json) -> bool:
    return part.keys() <= {"text", "thought"} and isinstance(part.get("text"), str)
