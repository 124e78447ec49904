"""The recorded conversations in which functions were called, with functions that return what was recorded.

What the recording clients did by hand or by loops of their own, the chat's loop does here by itself: from a question to
the answer that calls nothing more, each request must be the one that was recorded.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import attrs
import pytest
from test_traffic import HABITS, calls_waiting, difference_at
from traffic import Json, NotSeparate, Recorded, conversations, documents_of, fold, same_json

from chatproto import Client
from chatproto.chats import AsyncResponseStream, ResponseStream
from chatproto.convert.tools import Tools
from chatproto.errors import APIError, RemoteProtocolError
from chatproto.terms import Terms
from chatproto.testing import Answer, ScriptedTransport
from chatproto.types import Content, FunctionDeclaration, FunctionResponse, Tool
from chatproto.types._hooks import converter


@attrs.define
class Played:
    """A function of a recording: it returns what was recorded, call by call."""

    declaration: FunctionDeclaration
    is_async: bool
    results: list[FunctionResponse] = attrs.field(factory=list[FunctionResponse])
    called: list[Mapping[str, Any]] = attrs.field(factory=list[Mapping[str, Any]])

    @property
    def name(self) -> str:
        return str(self.declaration.name)

    def call(self, args: Mapping[str, Any]) -> FunctionResponse:
        self.called.append(args)
        return self.results.pop(0)

    async def acall(self, args: Mapping[str, Any]) -> FunctionResponse:
        return self.call(args)


@attrs.define
class Round:
    """Two exchanges of which the later sends what the functions returned that the earlier called."""

    earlier: Recorded
    later: Recorded
    #: The calls that the answer waits with, in its order.
    calls: list[Json]
    #: What the client said after the answer, by contents.
    said: list[Json]

    @property
    def answers(self) -> list[Json]:
        """The function responses in it."""
        held = (response_of(part) for content in self.said for part in content["parts"])
        return [each for each in held if each is not None]

    @property
    def beside(self) -> bool:
        """Whether the client said more than that."""
        return any(response_of(part) is None for content in self.said for part in content["parts"])

    @property
    def apart(self) -> bool:
        """Whether the answers stand in several contents."""
        return sum(any(map(response_of, content["parts"])) for content in self.said) > 1

    @property
    def results_alone(self) -> list[Json]:
        """The later request's contents, with the answers in one content and nothing beside them."""
        contents: list[Json] = self.later.sent["contents"]
        parts = [part for content in self.said for part in content["parts"] if response_of(part) is not None]
        return [*contents[: -len(self.said)], {**self.said[0], "parts": parts}]


def response_of(part: Json) -> Json | None:
    """The function response that a part holds."""
    return part.get("functionResponse") or part.get("function_response")


@cache
def rounds() -> dict[str, list[list[Round]]]:
    """By conversation: the rounds that follow one another, so that one message leads through all of them."""
    found: dict[str, list[list[Round]]] = {}
    seen: set[tuple[str, str]] = set()
    for name, paths in conversations().items():
        for path in paths:
            chain: list[Round] = []
            for earlier, later in pairwise(path):
                made = round_of(earlier, later)
                if made is None or (earlier.id, later.id) in seen:
                    chain = []
                    continue
                seen.add((earlier.id, later.id))
                if not chain or chain[-1].beside:
                    chain = []
                    found.setdefault(name, []).append(chain)
                chain.append(made)
    return found


def round_of(earlier: Recorded, later: Recorded) -> Round | None:
    """The two as a round, if they are one."""
    try:
        answer = fold(documents_of(earlier))
    except NotSeparate:
        return None
    if not any("functionCall" in part for part in answer["parts"]):
        return None
    added = later.sent["contents"][len(earlier.sent["contents"]) :]
    made = Round(earlier, later, calls_waiting(answer), [each for each in added if each.get("role") != "model"])
    return made if made.answers else None


# --- a chat whose functions answer as recorded ----------------------------------------------------------------------


def declared(recorded: Recorded) -> tuple[list[FunctionDeclaration], list[Tool]]:
    """The functions that a request declares, and its tools of other kinds."""
    functions: list[FunctionDeclaration] = []
    others: list[Tool] = []
    for tool in converter("wire").structure(recorded.sent.get("tools") or [], list[Tool]):
        functions += tool.function_declarations or ()
        rest = tool.model_copy(update={"function_declarations": None})
        if any(True for _ in rest.set_fields()):
            others.append(rest)
    return functions, others


def functions_for(chain: list[Round], *, is_async: bool) -> dict[str, Played]:
    """The declared functions by their names, with what they will return. Raises Unanswerable."""
    functions = {str(each.name): Played(each, is_async) for earlier in chain for each in declared(earlier.earlier)[0]}
    for each in chain:
        left = list(each.answers)
        for call in each.calls:
            name = str(call.get("name"))
            answer = next((one for one in left if one.get("id") and one.get("id") == call.get("id")), None)
            if answer is None:
                answer = next((one for one in left if one.get("name") == name), None)
            if answer is None:
                raise Unanswerable(f"nothing was recorded for {name}")
            left.remove(answer)
            played = functions.setdefault(name, Played(FunctionDeclaration(name=name), is_async))
            played.results.append(converter("wire").structure(answer, FunctionResponse))
        if left:
            raise Unanswerable("an answer was recorded that answers no call")
    return functions


class Unanswerable(Exception):
    """What was recorded does not answer the calls."""


def split(recorded: Recorded) -> tuple[list[Json], list[Json]]:
    """A request's contents: those before what the user said last, and that."""
    contents: list[Json] = recorded.sent["contents"]
    at = len(contents)
    while at and contents[at - 1].get("role") != "model":
        at -= 1
    return contents[:at], contents[at:]


def play(chain: list[Round], *, is_async: bool) -> tuple[list[Json], dict[str, Played]]:
    """One message, and all the rounds that follow from it by themselves: the requests that were made."""
    functions = functions_for(chain, is_async=is_async)
    first = chain[0].earlier
    tools = Tools((*declared(first)[1], *functions.values()))
    transport = ScriptedTransport(*(heard(each) for each in (first, *(one.later for one in chain))))
    client = Client(transport=transport)
    before, message = split(first)
    chat: Any = (client.aio if is_async else client).chats.create(
        model="gemini-2.5-flash",
        history=[{"role": "user", **each} for each in before],
        config={"tools": tools.declared(), "automatic_function_calling": {"maximum_remote_calls": len(chain) + 1}},
    )
    session = chat._session
    session._tools = tools  # the declarations are the recorded ones, not those that would be made of functions
    session._own = Terms.of(None, tools, None, session.options)
    contents = converter("wire").structure([{"role": "user", **each} for each in message], list[Content])
    prepared = session.prepare(contents, None, stream=first.streamed)

    def listen() -> None:
        list(ResponseStream(session, prepared)) if first.streamed else session.ask(prepared)

    async def alisten() -> None:
        if first.streamed:
            assert [each async for each in AsyncResponseStream(session, prepared)]
        else:
            await session.aask(prepared)

    try:
        asyncio.run(alisten()) if is_async else listen()
    except APIError:
        assert chain[-1].later.status != 200
    return [each.json() for each in transport.requests], functions


def heard(recorded: Recorded) -> Answer:
    """The recorded answer."""
    return Answer(chunks=[recorded.body], status=recorded.status, headers=dict(recorded.headers))


# --- what recording clients made of it ------------------------------------------------------------------------------

Contents = list[Json]


def _each_part(change: Callable[[Json], Json | None], *, role: str | None = None) -> Callable[[Contents], Contents]:
    def undo(contents: Contents) -> Contents:
        made: Contents = []
        for content in contents:
            if role is None or content.get("role") == role:
                changed = [change(part) for part in content["parts"]]
                content = {**content, "parts": [part for part in changed if part is not None]}
            made.append(content)
        return made

    return undo


def _without_call_id(part: Json) -> Json:
    call = part.get("functionCall")
    if call is None:
        return part
    return {**part, "functionCall": {key: held for key, held in call.items() if key != "id"}}


def _without_thoughts(part: Json) -> Json | None:
    return None if part.get("thought") is True else part


def _without_empty_text(part: Json) -> Json | None:
    return None if part.keys() == {"text"} and not part["text"] else part


def _in_camel_case(part: Json) -> Json:
    def camel(key: str) -> str:
        first, *rest = key.split("_")
        return first + "".join(map(str.title, rest))

    return {camel(key): held for key, held in part.items()}


def _in_one_base64(part: Json) -> Json:
    signature = part.get("thoughtSignature")
    return part if signature is None else {**part, "thoughtSignature": signature.replace("-", "+").replace("_", "/")}


FILLED = "the chat filled in the id of the call"
#: Each undoes one thing that clients did, in both requests. Those that leave something out come last.
UNDONE: dict[str, Callable[[Contents], Contents]] = {
    "the client wrote keys in snake case": _each_part(_in_camel_case),
    "the client wrote base64 in its other letters": _each_part(_in_one_base64),
    "the client left out the role of its own message": HABITS["the client left out the role of its own message"],
    "the client wrote thought: false": HABITS["the client wrote thought: false"],
    "the client left out empty args": HABITS["the client left out empty args"],
    "the client dropped an empty text": _each_part(_without_empty_text, role="model"),
    "the client gave the model's call an id of its own, or dropped the id": _each_part(_without_call_id, role="model"),
    FILLED: HABITS[FILLED],
    "the client dropped the model's thoughts": _each_part(_without_thoughts, role="model"),
    "the client dropped a signature, or moved it": HABITS["the client dropped a signature, or moved it"],
}
BESIDE = "the client said more beside the results; what is before it is equal"
APART = "the client sent each result in a content of its own"


def habits(ours: Contents, theirs: Contents) -> tuple[str, ...] | None:
    """The fewest habits that explain why a request is not the recorded one; None where they do not."""
    for count in range(4):
        for reasons in combinations(UNDONE, count):
            left, right = ours, theirs
            for reason in reasons:
                left, right = UNDONE[reason](left), UNDONE[reason](right)
            if same_json(left, right):
                return reasons
    return None


def compared(request: Json, one: Round, count: Counter[str]) -> None:
    """Hold the request that carried the results against the recorded one."""
    ours, theirs = request["contents"], one.results_alone
    reasons = habits(ours, theirs)
    if one.later.id in NOT_COMPARED:
        assert reasons is None, f"{one.later.id} can be compared: it need not be named"
        return
    assert reasons is not None, f"{one.later.id}: {difference_at(ours, theirs)}"
    count["requests"] += 1
    # Whatever a client did to its parts, the results in them are those that were recorded.
    mine, recorded = ([response_of(part) for part in contents[-1]["parts"]] for contents in (ours, theirs))
    assert same_json(mine, recorded) or FILLED in reasons, difference_at(mine, recorded)
    reasons += (*((BESIDE,) if one.beside else ()), *((APART,) if one.apart else ()))
    count.update(reasons or ("equal",))


NOT_REPLAYED = {
    "c2a4f72174e7d": "the client wrote another function's name into the model's call, and answered that",
    "c580eca72a782": "the arguments of the call came in pieces, and the chat leaves such a call to the program",
    "c5b388e20a7aa": "the client put a call of its own beside the model's, and answered both",
    "c6dae5fd0ff5f": "the client asked for the whole answer, and for the answer to the results as a stream",
    "cc68d03512f95": "the client answered with the call's id where the function's name belongs",
}
NOT_COMPARED = {
    "x5825401d1f4420": "the client sent back what another request had been answered",
    "x73256870682471": "the client sent back what another request had been answered",
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_functions_that_return_what_was_recorded(is_async: bool) -> None:
    """L4, L7: from the recorded question on, the chat makes the recorded requests by itself.

    Each answer with function calls that the recording client answered is heard by a chat whose functions are made of
    the recorded declarations and return the recorded results. The request that follows must hold the recorded contents:
    the results with their ids and in their order, and before them all that was said, but for named habits of clients.
    Whatever was declared is sent as it was, and each function is called with the arguments that the model wrote.
    """
    count = Counter[str]()
    wrong: dict[str, str] = {}
    for name, chains in rounds().items():
        for chain in chains:
            counted = Counter[str]()
            try:
                sent, functions = play(chain, is_async=is_async)
                assert len(sent) == len(chain) + 1, "a round was not gone through"
                for request, one in zip(sent[1:], chain, strict=True):
                    compared(request, one, counted)
                first = declarations(chain[0].earlier.sent)
                assert same_json(declarations(sent[0])[: len(first)], first)
                counted["undeclared"] += len(functions) - len(first)
                assert_called(functions, chain)
            except (Unanswerable, RemoteProtocolError, AssertionError) as error:
                wrong[name] = f"{type(error).__name__}: {str(error)[:500]}"
            else:
                count += counted + Counter(chains=1, calls=sum(len(one.calls) for one in chain))
    print(f"{count['chains']} questions from {len(rounds())} conversations, {count['requests']} rounds")
    print(f"{count['calls']} calls, of functions that were not declared: {count['undeclared']}")
    print(f"{len(NOT_REPLAYED)} conversations and {len(NOT_COMPARED)} requests are named; the other requests:")
    for reason in ("equal", *UNDONE, BESIDE, APART):
        print(f"{count[reason]:5} {reason}")
    assert {name: error for name, error in wrong.items() if name not in NOT_REPLAYED} == {}
    assert NOT_REPLAYED.keys() - wrong.keys() == set(), "these can be replayed: they need not be named"
    unused = {*UNDONE, BESIDE, APART} - count.keys()
    assert unused == set(), "these habits do not occur: they need not be named"


def declarations(request: Json) -> list[Json]:
    """The functions that a request declares."""
    held = [
        tool.get("functionDeclarations") or tool.get("function_declarations") for tool in request.get("tools") or []
    ]
    return [each for declared_there in held for each in declared_there or ()]


def assert_called(functions: dict[str, Played], chain: list[Round]) -> None:
    """Each function was called as often as the model asked, with its arguments."""
    for name, played in functions.items():
        asked = [call.get("args") or {} for one in chain for call in one.calls if call.get("name") == name]
        assert same_json(played.called, asked), name
        assert played.results == []
