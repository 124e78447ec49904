"""The report of a request that was not recorded: what changed, where two chats part, and what to do about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..cassette import is_list, is_object
from ..errors import CassetteExhausted, RequestMismatch, UnplayedExchanges
from .advice import advised
from .alignment import similarity, words
from .canonical import by_name, canonical, fingerprint
from .differences import differences, first_content, report
from .excerpts import counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chatproto.transport import Secrets

    from ..cassette import RecordedRequest
    from ..errors import CassetteError
    from .differences import Difference

__all__ = ["exhausted", "likeness", "mismatch", "unplayed", "which_message", "without_credential"]

_LOOKED_AT = 4_000_000  # characters of requests that are searched for the nearest one: about a second
_LISTED = 20  # exchanges of those that were not played

# Each way to play has this mode: use_cassette, the adapters, pytest and serve. pytest adds the command for the test.
_RECORD_AGAIN = 'record it again, in mode "record"'
_COMMAND_AGAIN = "record it again, with --mode record"


def mismatch(
    name: str,
    now: RecordedRequest,
    recorded: Callable[[int], RecordedRequest],
    *,
    total: int,
    left: Sequence[int],
    equal: Sequence[int] | None = None,
    in_order: bool = True,
    by_command: bool = False,
) -> RequestMismatch:
    """The error for a request that does not equal the next exchange, or with ``in_order=False`` none that is left.

    ``recorded`` gives the request of an exchange by its index, of ``total`` ones; ``left`` are the indices of those
    that were not played, of which there is one at least, and ``equal`` those that ``now`` equals in spite of all; None
    has them looked for. All requests are as the rules of the player see them. ``by_command`` says that
    ``cassette serve`` plays it, which takes no rules.
    """
    if equal is None:
        equal = _equal(now, recorded, total)
    if in_order:
        index = left[0]
        lines = [f"{name}: request {now} is not the recorded exchange {index + 1} of {total}"]
    else:
        index = _nearest(now, recorded, left)
        rest = f"the {len(left)} unplayed exchanges, and is nearest to" if len(left) > 1 else "what is unplayed:"
        lines = [f"{name}: request {now} equals none of {rest} exchange {index + 1} of {total}"]
    found = differences(recorded(index), now)
    content = first_content(found)
    lines.append(report(found))
    if content is not None:
        lines.append(f"The chats part at {which_message(content, found, recorded(index), now)}.")
    nearest = index
    if equal:
        later = [each for each in equal if each in left]
        nearest = later[0] if later else equal[-1]
        place = "comes later" if later else "was played already"
        lines.append(f"It equals exchange {nearest + 1}, which {place}.")
    elif in_order:
        nearest = _nearest(now, recorded, _around(index, total))
        if nearest != index:
            count = len(differences(recorded(nearest), now))
            lines.append(f"It is nearer to exchange {nearest + 1}, with {counted(count, 'difference')}.")
    advice = () if equal else advised(recorded(index), now, found)
    lines += _what_to_do(advice, later=in_order and any(each in left for each in equal), by_command=by_command)
    return RequestMismatch(
        "\n".join(lines), exchange=index + 1, differences=found, content=content, nearest=nearest + 1, advice=advice
    )


def _what_to_do(advice: Sequence[Any], *, later: bool, by_command: bool) -> list[str]:
    """``later``: the exchange is there, so a player that goes in no order would have found it."""
    lines = [f"If the change is meant, {_again(by_command)}."]
    where = " to Served, in Python" if by_command else ""
    if advice:
        lines.append(f"If it may differ from run to run, say so{where} (from chatproto_replay import rules):")
        lines.append(f"    match=[{', '.join(map(repr, advice))}]")
    elif later:
        lines.append(
            f"If the program has several chats at once, {'give Served' if by_command else 'play with'} in_order=False."
        )
    return lines


def _again(by_command: bool) -> str:
    return _COMMAND_AGAIN if by_command else _RECORD_AGAIN


def exhausted(
    name: str,
    now: RecordedRequest,
    recorded: Callable[[int], RecordedRequest],
    *,
    total: int,
    equal: Sequence[int] | None = None,
    by_command: bool = False,
) -> CassetteExhausted:
    """The error for a request that came when all exchanges were played. The arguments are those of ``mismatch``."""
    if equal is None:
        equal = _equal(now, recorded, total)
    told = f"{name} has {counted(total, 'exchange')}, all played" if total else f"{name} has no exchanges"
    twice = f" It equals exchange {equal[-1] + 1}: the program asks again." if equal else ""
    what_to_do = f"If the change is meant, {_again(by_command)}."
    return CassetteExhausted(f"{told}, and there is one more request: {_described(now)}.{twice}\n{what_to_do}")


def _equal(now: RecordedRequest, recorded: Callable[[int], RecordedRequest], total: int) -> list[int]:
    key = fingerprint(now)
    return [index for index in range(total) if fingerprint(recorded(index)) == key]


def unplayed(
    name: str, requests: Sequence[RecordedRequest], *, left: Sequence[int], by_command: bool = False
) -> UnplayedExchanges:
    """The error for a program that asked for less than was recorded."""
    lines = [f"{name}: {len(left)} of {len(requests)} recorded exchanges were not asked for:"]
    lines += [f"  {index + 1}: {_described(requests[index])}" for index in left[:_LISTED]]
    if len(left) > _LISTED:
        lines.append(f"  and {len(left) - _LISTED} more")
    lines.append(f"If the program is meant to ask for less, {_again(by_command)}.")
    return UnplayedExchanges("\n".join(lines), exchanges=tuple(index + 1 for index in left))


def without_credential(
    error: RequestMismatch | CassetteExhausted, now: RecordedRequest, secrets: Secrets
) -> CassetteError:
    """``error``, or what can be said of it where the program put a credential into its request.

    The request is searched and not the report, which may quote a part of the credential.
    """
    if not secrets.occurs_in(_text(now).encode("utf-8", "backslashreplace")):
        return error
    withheld = "the rest is withheld, because the request holds a credential"
    if isinstance(error, CassetteExhausted):
        return CassetteExhausted(f"all exchanges were played, and there is one more request; {withheld}")
    text = f"a request is not the recorded exchange {error.exchange}; {withheld}"
    return RequestMismatch(text, exchange=error.exchange, content=error.content, nearest=error.nearest)


def _described(request: RecordedRequest) -> str:
    """A request, and the message that it ends with."""
    contents = _contents(request)
    if not contents:
        return str(request)
    parts = contents[-1].get("parts") if is_object(contents[-1]) else None
    texts = [part.get("text") for part in (parts if is_list(parts) else []) if is_object(part)]
    said = next((f" {shown(text)}" for text in texts if isinstance(text, str)), "")
    return f"{request}, with {_named(contents)}{said}"


def likeness(recorded: RecordedRequest, now: RecordedRequest) -> float:
    """How many words of what is asked two requests have in common: 1.0 for all, 0.0 for none.

    What is asked are the values of ``contents``, or of the whole body where there are none. Requests for another method
    or model have nothing in common.
    """
    if (recorded.method, recorded.path) != (now.method, now.path):
        return 0.0
    ours, theirs = (" ".join(_values(_contents(each) or _document(each))) for each in (recorded, now))
    return similarity(words(ours), words(theirs))


def _values(value: Any) -> Iterator[str]:
    """What is in JSON, without its structure."""
    if is_object(value):
        for name, each in value.items():
            if name != "role":
                yield from _values(each)
    elif is_list(value):
        for each in value:
            yield from _values(each)
    else:
        yield str(value)


# --- the nearest exchange -----------------------------------------------------------------------------------------


def _around(index: int, total: int) -> list[int]:
    """All indices, those nearest to ``index`` first."""
    return sorted(range(total), key=lambda other: abs(other - index))


def _nearest(now: RecordedRequest, recorded: Callable[[int], RecordedRequest], among: Sequence[int]) -> int:
    """The first of those that have most words in common with ``now``, as far as they can be looked at."""
    ours = words(_text(now))
    nearest, most, looked_at = among[0], -1.0, 0
    for index in among:
        text = _text(recorded(index))
        looked_at += len(text)
        alike = similarity(words(text), ours)
        if alike > most:
            nearest, most = index, alike
        if looked_at > _LOOKED_AT:
            break
    return nearest


def _text(request: RecordedRequest) -> str:
    return f"{request.method} {request.path} {canonical(by_name(request.query))} {canonical(_document(request))}"


# --- messages in words --------------------------------------------------------------------------------------------


def which_message(index: int, found: Sequence[Difference], recorded: RecordedRequest, now: RecordedRequest) -> str:
    """The entry of ``contents`` at which two requests part, as in "contents[2], the second user message"."""
    here = [each for each in found if each.place is not None and each.place[:2] == ("contents", index)]
    contents = _contents(now if here else recorded)
    if index >= len(contents):
        return f"contents[{index}]"
    return f"contents[{index}], {'' if here else 'recorded as '}{_named(contents[: index + 1])}"


def _named(contents: Sequence[Any]) -> str:
    """The last one of them, in words."""
    kinds = [_kind(each) for each in contents]
    return f"the {_ordinal(kinds.count(kinds[-1]))} {kinds[-1]}"


def _contents(request: RecordedRequest) -> list[Any]:
    document = _document(request)
    contents = document.get("contents") if is_object(document) else None
    return contents if is_list(contents) else []


def _document(request: RecordedRequest) -> Any:
    return request.body.value if request.body is not None else None


def _kind(content: Any) -> str:
    """What people call a content."""
    if not is_object(content):
        return "content"
    role = content.get("role", "user")
    parts = content.get("parts")
    keys = {key for part in (parts if is_list(parts) else []) if is_object(part) for key in part}
    if "functionResponse" in keys:
        return "function response"
    if "functionCall" in keys:
        return "function call"
    return f"{role} message" if role in ("user", "model") else f"content of role {json.dumps(role)}"


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _ordinal(number: int) -> str:
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
