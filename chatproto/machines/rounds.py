"""Function calls and the responses to them: which answers which (design, rule 5).

Curated history holds only closed rounds: each functionCall has its functionResponse, with its id if it had one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..types._json import is_object, under_either

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["answer_calls", "calls_in", "has_pieces", "responses_in"]

Json = dict[str, Any]


_ABOUT_CALLS = frozenset({"functionCall", "function_call", "functionResponse", "function_response"})


def _held(part: Any, camel: str, snake: str) -> Json | None:
    held = under_either(part, camel, snake) if is_object(part) else None
    return held if is_object(held) else None


def calls_in(content: Json) -> list[Json]:
    """The function calls of one Content that wait for a response.

    A call whose arguments were streamed has come in several parts; those after the first have no name and are no
    calls of their own. A call of a tool that the server runs has its response beside it, in the same Content.
    """
    calls: list[Json] = []
    continuing = False
    for part in content.get("parts") or ():
        if is_object(part) and _ABOUT_CALLS.isdisjoint(part):
            continue
        call = _held(part, "functionCall", "function_call")
        if call is not None:
            if not (continuing and not call.get("name")):
                calls.append(call)
            continuing = under_either(call, "willContinue", "will_continue") is True
        response = _held(part, "functionResponse", "function_response")
        answered = None if response is None else _answered(calls, response)
        if answered is not None:
            calls.remove(answered)
    return calls


def has_pieces(content: Json) -> bool:
    """Whether the arguments of a function call in it were streamed in pieces (Vertex AI)."""
    held = (_held(part, "functionCall", "function_call") for part in content.get("parts") or ())
    keys = {"willContinue", "will_continue", "partialArgs", "partial_args"}
    return any(call is not None and not keys.isdisjoint(call) for call in held)


def responses_in(content: Json) -> list[Json]:
    """The function responses of one Content."""
    held = (_held(part, "functionResponse", "function_response") for part in content.get("parts") or ())
    return [response for response in held if response is not None]


def answer_calls(calls: list[Json], contents: Iterable[Json]) -> list[Json]:
    """``contents`` with the ids that their function responses lack, filled in from the calls that they answer.

    A response answers the call of its id, else the first unanswered one of its name. Raises ValidationError where one
    answers no call or a call is left without an answer; nothing is changed.
    """
    unanswered = list(calls)
    answered = [_answer(unanswered, content) for content in contents]
    if unanswered:
        raise ValidationError(f"these function calls are left without a response: {_list(unanswered)}")
    return answered


def _answer(unanswered: list[Json], content: Json) -> Json:
    """One content, filled in; the calls that it answers are taken from ``unanswered``."""
    parts: list[Any] = list(content.get("parts") or ())
    given = [(index, found[0]) for index, part in enumerate(parts) if (found := responses_in({"parts": [part]}))]
    # Those that say by their id what they answer come first: the others get what is left.
    for index, response in sorted(given, key=lambda each: not each[1].get("id")):
        call = _answered(unanswered, response)
        if call is None:
            raise ValidationError(
                f"answers no open function call: {_named(response)}; open: {_list(unanswered)}",
                path=f"$.parts[{index}].functionResponse",
            )
        unanswered.remove(call)
        if call.get("id") and not response.get("id"):
            filled = {**response, "id": call["id"]}
            parts[index] = {key: filled if held is response else held for key, held in parts[index].items()}
    return {**content, "parts": parts}


def _answered(unanswered: list[Json], response: Json) -> Json | None:
    wanted = response.get("id")
    for call in unanswered:
        if wanted and call.get("id") == wanted:
            return call
    for call in unanswered:
        # An id that the program made up does for a call that has none.
        if call.get("name") == response.get("name") and not (wanted and call.get("id")):
            return call
    return None


def _named(call: Json) -> str:
    name = call.get("name") or "a function without a name"
    return f"{name} (id {call['id']})" if call.get("id") else str(name)


def _list(calls: list[Json]) -> str:
    return ", ".join(map(_named, calls)) or "none"
