"""Function calls and the responses to them: which answers which (design, rule 5).

Curated history holds only closed rounds: each functionCall has its functionResponse, with its id if it had one.
"""

from __future__ import annotations

from typing import Any

from ..errors import ValidationError

__all__ = ["answer_calls", "calls_in", "responses_in"]

Json = dict[str, Any]


def _parts_with(content: Json, camel: str, snake: str) -> list[Json]:
    found = []
    for part in content.get("parts") or ():
        held = part.get(camel, part.get(snake)) if isinstance(part, dict) else None
        if isinstance(held, dict):
            found.append(held)
    return found


def calls_in(content: Json) -> list[Json]:
    """The function calls of one Content.

    A call whose arguments were streamed has come in several parts; those after the first have no name and are no
    calls of their own.
    """
    calls: list[Json] = []
    continuing = False
    for call in _parts_with(content, "functionCall", "function_call"):
        if not (continuing and not call.get("name")):
            calls.append(call)
        continuing = call.get("willContinue") is True
    return calls


def responses_in(content: Json) -> list[Json]:
    """The function responses of one Content."""
    return _parts_with(content, "functionResponse", "function_response")


def answer_calls(calls: list[Json], content: Json) -> Json:
    """``content`` with the ids that its function responses lack, filled in from the calls that they answer.

    A response answers the call of its id, else the first unanswered one of its name. Raises ValidationError where one
    answers no call or a call is left without an answer; nothing is changed.
    """
    unanswered = list(calls)
    parts: list[Any] = []
    for index, part in enumerate(content.get("parts") or ()):
        responses = responses_in({"parts": [part]})
        if not responses:
            parts.append(part)
            continue
        response = responses[0]
        call = _answered(unanswered, response)
        if call is None:
            raise ValidationError(
                f"answers no open function call: {_named(response)}; open: {_list(unanswered)}",
                path=f"$.parts[{index}].functionResponse",
            )
        unanswered.remove(call)
        filled = {**response, "id": call["id"]} if call.get("id") and not response.get("id") else response
        parts.append({key: filled if held is response else held for key, held in part.items()})
    if unanswered:
        raise ValidationError(f"these function calls are left without a response: {_list(unanswered)}")
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
