"""Law L17 for chats with tools: how google-genai 3.4.0 calls functions, case by case, and ``compat="google-genai"``.

Each row is played in both libraries. It must come to what the row says, and the libraries to the same in all that can
be compared: requests, answers, errors, histories, and which functions were called with what. What the model is told of
a call that failed is not compared, but that it is told. Where chatproto differs on purpose, the row says how and why.
"""

import asyncio
import enum
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, Optional, Union

import pydantic
import pytest
from differential.answers import Answer
from differential.compare import canonical
from differential.play import dump
from reference_chats import MODES, Played, Send, Stage, Talk, answered, call, events, failure, says, short

from chatproto import types

Json = dict[str, Any]
USAGE: Json = {"usageMetadata": {"totalTokenCount": 3}}
SAME = "the same"
NOTHING = ""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One for all tests."""
    with Stage() as made:
        yield made


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Chats and async chats."""
    made: str = request.param
    return made


# --- functions, and calls of them ---------------------------------------------------------------------------------


def tools(calls: list[Any]) -> list[Callable[..., Any]]:
    """What most chats here can call."""

    def act(a: int) -> int:
        """Acts."""
        calls.append(a)
        return a

    def ping() -> str:
        """Has no parameters."""
        calls.append("ping")
        return "pong"

    return [act, ping]


def acts(number: int, **others: Any) -> Json:
    """A call of ``act``."""
    return call("act", {"a": number}, **others)


ACT = says(acts(1), end="STOP")
DONE = says("done", end="STOP")
NOPE = says(call("nope", {"a": 1}), end="STOP")
BARE = says(call("ping", None), end="STOP")


def limit(most: int) -> Json:
    """A config that limits the requests."""
    return {"automatic_function_calling": {"maximum_remote_calls": most}}


OFF: Json = {"automatic_function_calling": {"disable": True}}


def check(played: Played, comprehensive: str, curated: str, requests: list[str], calls: list[Any]) -> None:
    """Compare what it came to with a row."""
    assert played.comprehensive == comprehensive
    assert played.curated == (comprehensive if curated is SAME else curated)
    assert played.requests == requests
    assert played.calls == calls


# --- 12.2, 12.3: the loop -----------------------------------------------------------------------------------------

FIRST = "U(q) M(call act a=1)"
THREE = "U(q) M(call act a=1, call ping, call act a=2) U(made act result=1, made ping result='pong', made act result=2)"
ROUND = f"{FIRST} U(made act result=1)"
TWO = f"{ROUND} M(call act a=2) U(made act result=2)"


@pytest.mark.parametrize(
    ("script", "comprehensive", "curated", "requests", "calls"),
    [
        pytest.param(answered(ACT, DONE), f"{ROUND} M(done)", SAME, ["U(q)", ROUND], [1], id="one round"),
        pytest.param(
            answered(says(acts(1, id="call-7"), end="STOP"), DONE),
            f"{ROUND} M(done)",
            SAME,
            ["U(q)", ROUND],
            [1],
            id="W14: the id of a call is not in its response",
        ),
        pytest.param(
            answered(says("hm", acts(1)), DONE),
            "U(q) M(hm, call act a=1) U(made act result=1) M(done)",
            SAME,
            ["U(q)", "U(q) M(hm, call act a=1) U(made act result=1)"],
            [1],
            id="text beside the call",
        ),
        pytest.param(
            answered(says(acts(1), call("ping", {}), acts(2)), DONE),
            f"{THREE} M(done)",
            SAME,
            ["U(q)", THREE],
            [1, "ping", 2],
            id="several calls are answered in one content",
        ),
        pytest.param(
            answered(ACT, says(acts(2)), DONE), f"{TWO} M(done)", SAME, ["U(q)", ROUND, TWO], [1, 2], id="two rounds"
        ),
        pytest.param(answered(DONE), "U(q) M(done)", SAME, ["U(q)"], [], id="no call"),
        pytest.param(answered({}), "U(q) M([])", NOTHING, ["U(q)"], [], id="an empty answer"),
        pytest.param(
            answered(ACT, {}), f"{ROUND} M([])", FIRST, ["U(q)", ROUND], [1], id="an empty last answer loses the result"
        ),
        pytest.param(
            answered(says(acts(1), {}), DONE),
            "U(q) M(call act a=1, {}) U(made act result=1) M(done)",
            "U(made act result=1) M(done)",
            ["U(q)", "U(q) M(call act a=1, {}) U(made act result=1)"],
            [1],
            id="an empty part beside a call loses the question and the call",
        ),
        pytest.param(
            answered({"candidates": [*says("A")["candidates"], *ACT["candidates"]]}),
            "U(q) M(A)",
            SAME,
            ["U(q)"],
            [],
            id="calls of the second candidate are not made",
        ),
        pytest.param(
            answered(says({"functionCall": {"args": {}}})),
            "U(q) M(call None)",
            SAME,
            ["U(q)"],
            [],
            id="a call without a name is not made",
        ),
    ],
)
def test_functions_are_called_between_answers(
    stage: Stage, mode: str, script: list[Answer], comprehensive: str, curated: str, requests: list[str], calls: Any
) -> None:
    """Each round is recorded as it ends: what was said last, and the answer to it."""
    played = stage.play_both(mode, script, tools=tools, then=curated is not SAME)
    assert played.errors == [None]
    check(played, comprehensive, curated, requests, calls)


@pytest.mark.parametrize(
    ("script", "left", "requests", "calls"),
    [
        pytest.param([*answered(ACT), failure()], FIRST, ["U(q)", ROUND], [1], id="W10: in the second request"),
        pytest.param(
            [*answered(ACT, says(acts(2))), failure()],
            f"{ROUND} M(call act a=2)",
            ["U(q)", ROUND, TWO],
            [1, 2],
            id="W10: in the third request",
        ),
    ],
)
def test_w10_a_failure_leaves_a_call_without_its_result(
    stage: Stage, mode: str, script: list[Answer], left: str, requests: list[str], calls: list[Any]
) -> None:
    """In both histories, and the next message is sent after it."""
    played = stage.play_both(mode, script, tools=tools, then=True)
    assert played.errors == ["api"]
    check(played, left, SAME, requests, calls)


DECLARED: Json = {"function_declarations": [{"name": "other"}]}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(OFF, id="disable"),
        pytest.param(limit(0), id="a maximum of 0"),
        pytest.param(limit(-1), id="a negative maximum"),
        pytest.param(
            {"automatic_function_calling": {"disable": True, "maximum_remote_calls": 5}}, id="disable and more"
        ),
        pytest.param(limit(1), id="W8: a maximum of 1 leaves no request for a result"),
        pytest.param({"tools": [DECLARED]}, id="the program declares a function itself"),
        pytest.param({"tools": None}, id="no tools"),
        pytest.param("beside", id="a declared function beside others"),
    ],
)
def test_functions_are_not_called(stage: Stage, mode: str, config: Any, *, streamed: bool) -> None:
    """Then the call stays unanswered in the history, and the next message is sent after it."""
    script = [events(ACT)] if streamed else answered(ACT)
    made = (lambda calls: [*tools(calls), DECLARED]) if config == "beside" else tools
    settings = None if config == "beside" else config
    played = stage.play_both(mode, script, Send(streamed=streamed), tools=made, config=settings, then=not streamed)
    check(played, FIRST, SAME, ["U(q)"], [])


def test_a_tool_of_the_server_beside_functions_does_not_matter(stage: Stage, mode: str) -> None:
    """They are called."""
    search: Json = {"google_search": {}}
    played = stage.play_both(mode, answered(ACT, DONE), tools=lambda calls: [search, *tools(calls)])
    check(played, f"{ROUND} M(done)", SAME, ["U(q)", ROUND], [1])


@pytest.mark.parametrize(
    ("config", "most"),
    [
        pytest.param({}, 10, id="by default 10"),
        pytest.param(limit(2), 2, id="2"),
        pytest.param(limit(3), 3, id="3"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_w9_the_maximum_counts_requests(stage: Stage, mode: str, config: Json, most: int, *, streamed: bool) -> None:
    """So there is one round of functions less, and the last calls are not made."""
    answers = [says(acts(number), end="STOP") for number in range(most + 2)]
    script = list(map(events, answers)) if streamed else answered(*answers)
    played = stage.play_both(mode, script, Send(streamed=streamed), tools=tools, config=config)
    assert len(played.requests) == most
    assert played.calls == list(range(most - 1))
    assert played.comprehensive == played.curated
    assert played.curated.endswith(f" M(call act a={most - 1})")


def test_the_config_of_a_message_brings_its_own_functions(stage: Stage, mode: str) -> None:
    """It replaces the chat's, with its tools."""
    for library in stage.libraries:
        calls: list[Any] = []
        talk = stage.talk(library, mode, answered(ACT, ACT, DONE))
        talk.create({"tools": tools(calls)}).send("q", {"temperature": 0.5})
        assert (calls, "tools" in talk.line.requests[0]["body"]) == ([], False)
        talk.create().send("q", {"tools": tools(calls)})
        talk.send("n")
        assert (calls, talk.requests[1:]) == ([1], ["U(q)", ROUND, f"{ROUND} M(done) U(n)"])
        assert "tools" not in talk.line.requests[-1]["body"]


def test_calls_may_be_answered_by_hand(stage: Stage, mode: str) -> None:
    """With a part like any other; nothing is put in, and nothing is checked."""
    for talk in stage.talks(mode, answered(says(acts(1, id="c1")), DONE), {"tools": tools([]), **OFF}):
        talk.send("q")
        talk.send(lambda types: types.Part.from_function_response(name="act", response={"result": 1}))
        assert talk.comprehensive == talk.curated == f"{ROUND} M(done)"
        (said,) = talk.line.requests[-1]["body"]["contents"][-1]["parts"]
        assert said == {"functionResponse": {"name": "act", "response": {"result": 1}}}


# --- W12, W13: calls that nobody can make, and calls without arguments ---------------------------------------------

TOLD = "U(made nope error='<words>')"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("answers", "theirs", "ours", "calls"),
    [
        pytest.param([NOPE], NOTHING, f"U(q) M(call nope a=1) {TOLD} M(Z)", [], id="at once"),
        pytest.param([ACT, NOPE], FIRST, f"{ROUND} M(call nope a=1) {TOLD} M(Z)", [1], id="in the second round"),
        pytest.param(
            [says(acts(1), call("nope", {}), end="STOP")],
            NOTHING,
            "U(q) M(call act a=1, call nope) U(made act result=1, made nope error='<words>') M(Z)",
            [1],
            id="beside another",
        ),
    ],
)
def test_w12_a_function_that_nobody_has(
    stage: Stage, mode: str, answers: list[Json], theirs: str, ours: str, calls: list[Any], *, streamed: bool
) -> None:
    """google-genai fails with a KeyError, and records nothing of the round; here the model is told."""
    script = list(map(events, answers)) if streamed else answered(*answers)
    reference, compat = stage.play_each(mode, script, Send(streamed=streamed), tools=tools)
    assert (reference.errors, reference.comprehensive, reference.curated) == (["KeyError: 'nope'"], theirs, theirs)
    assert (compat.errors, compat.comprehensive, compat.curated) == ([None], ours, ours)
    assert reference.calls == compat.calls == calls


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("mode", "answer", "comprehensive", "calls"),
    [
        pytest.param("sync", BARE, "U(q) M(call ping (no args))", [], id="sync: it is passed over"),
        pytest.param(
            "async",
            BARE,
            "U(q) M(call ping (no args)) U(made ping result='pong') M(Z)",
            ["ping"],
            id="async: it is made",
        ),
        pytest.param(
            "sync",
            says(call("ping", None), acts(1), end="STOP"),
            "U(q) M(call ping (no args), call act a=1) U(made act result=1) M(Z)",
            [1],
            id="sync: the others are made",
        ),
        pytest.param(
            "async",
            says(call("ping", None), acts(1), end="STOP"),
            "U(q) M(call ping (no args), call act a=1) U(made ping result='pong', made act result=1) M(Z)",
            ["ping", 1],
            id="async: all are made",
        ),
    ],
)
def test_w13_a_call_without_arguments(
    stage: Stage, mode: str, answer: Json, comprehensive: str, calls: list[Any], *, streamed: bool
) -> None:
    """Chats and async chats differ."""
    script = [events(answer)] if streamed else answered(answer)
    played = stage.play_both(mode, script, Send(streamed=streamed), tools=tools)
    assert (played.comprehensive, played.curated, played.calls) == (comprehensive, comprehensive, calls)


# --- 12.4: arguments and results ----------------------------------------------------------------------------------


class Item(pydantic.BaseModel):
    """Something to order."""

    name: str
    count: int = 1


class Place(pydantic.BaseModel):
    """Where to."""

    city: str


class Color(enum.Enum):
    """A colour."""

    RED = "red"


# ruff: noqa: D103  (what they do is their names)
def kind_of_int(x: int) -> str:
    return type(x).__name__


def kind_of_float(x: float) -> str:
    return type(x).__name__


def half(x: float) -> float:
    return x / 2


def text(x: str) -> str:
    return x


def flag(x: bool) -> bool:
    return x


def optional(x: Optional[int] = 7) -> Any:  # noqa: UP045
    return x


def either(x: Union[int, str]) -> Any:
    return x


def numbers(x: list[int]) -> Any:
    return x


def table(x: dict[str, int]) -> Any:
    return x


def anything_in(x: dict) -> str:  # type: ignore[type-arg]
    return json.dumps(x)


def two(x: int, y: int = 5) -> Any:
    return [x, y]


def order(item: Item) -> Any:
    return [type(item).__name__, item.name, item.count]


def orders(items: list[Item]) -> Any:
    return [item.name for item in items]


def maybe_order(item: Optional[Item] = None) -> Any:  # noqa: UP045
    return item and item.name


def order_or_place(it: Union[Item, Place]) -> Any:
    return type(it).__name__


def give_back(item: Item) -> Item:
    return item


def nothing() -> None:
    return None


def data() -> bytes:
    return b"x"


def moment() -> Any:
    return datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def pair() -> Any:
    return 1, 2


def error_itself() -> Any:
    return {"error": "not one"}


def raises(x: int) -> Any:
    raise RuntimeError(f"no {x} today")


def replies_to(stage: Stage, library: Any, mode: str, rows: Sequence[Any]) -> list[Json]:
    """What the model is told when it makes all the calls of a table: of a function, with arguments."""
    calls = [call(row.values[0].__name__, row.values[1]) for row in rows]
    functions = {row.values[0].__name__: row.values[0] for row in rows}
    talk = stage.talk(library, mode, answered(says(*calls), DONE)).create({"tools": list(functions.values())})
    talk.send("q")
    said = [part["functionResponse"] for part in talk.line.requests[1]["body"]["contents"][-1]["parts"]]
    assert [each["name"] for each in said] == [row.values[0].__name__ for row in rows]
    assert all(each.keys() == {"name", "response"} for each in said)
    return [each["response"] for each in said]


def reply_to(stage: Stage, library: Any, mode: str, function: Any, args: Json) -> Json:
    """What the model is told when it calls a function."""
    (reply,) = replies_to(stage, library, mode, [pytest.param(function, args)])
    return reply


RESULTS = [
    pytest.param(kind_of_int, {"x": 2}, "int", id="an integer"),
    pytest.param(kind_of_int, {"x": 2.0}, "int", id="2.0 is 2"),
    pytest.param(kind_of_float, {"x": 2.5}, "float", id="a number"),
    pytest.param(half, {"x": 3}, 1.5, id="an integer for a number"),
    pytest.param(text, {"x": "a"}, "a", id="text"),
    pytest.param(flag, {"x": True}, True, id="true"),
    pytest.param(optional, {}, 7, id="an argument that is left out"),
    pytest.param(optional, {"x": None}, None, id="null"),
    pytest.param(optional, {"x": 1}, 1, id="a value where null may be"),
    pytest.param(either, {"x": "a"}, "a", id="the second of a union"),
    pytest.param(numbers, {"x": [1, 2]}, [1, 2], id="a list"),
    pytest.param(table, {"x": {"a": 1}}, {"a": 1}, id="an object"),
    pytest.param(anything_in, {"x": {"a": [2.0, {"b": 3.0}]}}, '{"a": [2, {"b": 3}]}', id="2.0 is 2 everywhere"),
    pytest.param(two, {"x": 1}, [1, 5], id="a default"),
    pytest.param(order, {"item": {"name": "tea", "count": 2.0}}, ["Item", "tea", 2], id="a model"),
    pytest.param(order, {"item": {"name": "tea", "more": 1}}, ["Item", "tea", 1], id="a model ignores more"),
    pytest.param(orders, {"items": [{"name": "tea"}]}, ["tea"], id="a list of models"),
    pytest.param(maybe_order, {"item": {"name": "tea"}}, "tea", id="a model where null may be"),
    pytest.param(maybe_order, {"item": None}, None, id="null where a model may be"),
    pytest.param(order_or_place, {"it": {"name": "tea"}}, "Item", id="the first of two models"),
    pytest.param(give_back, {"item": {"name": "tea"}}, {"name": "tea", "count": 1}, id="a model as the result"),
    pytest.param(nothing, {}, None, id="None as the result"),
    pytest.param(data, {}, "eA==", id="bytes as the result"),
    pytest.param(pair, {}, [1, 2], id="a tuple as the result"),
    pytest.param(error_itself, {}, {"error": "not one"}, id="any dict is wrapped"),
]


@pytest.mark.parametrize(("function", "args", "result"), RESULTS)
def test_arguments_and_results(stage: Stage, function: Any, args: Json, result: Any) -> None:
    """What the function takes, and what the model is told."""
    for library in stage.libraries:
        assert reply_to(stage, library, "sync", function, args) == {"result": result}


def test_arguments_and_results_in_async_chats(stage: Stage) -> None:
    """The same, here in one answer with all the calls."""
    for library in stage.libraries:
        assert replies_to(stage, library, "async", RESULTS) == [{"result": row.values[2]} for row in RESULTS]


NOT_COMPATIBLE = "Failed to parse parameter x for function {0} from function call part because"

FAILURES = [
    pytest.param(kind_of_int, {"x": 1.5}, NOT_COMPATIBLE, "expected an integer", id="1.5 is no integer"),
    pytest.param(kind_of_int, {"x": "1"}, NOT_COMPATIBLE, "expected an integer", id="nor is text"),
    pytest.param(kind_of_int, {"x": None}, NOT_COMPATIBLE, "expected an integer", id="nor is null"),
    pytest.param(text, {"x": 5}, NOT_COMPATIBLE, "expected a string", id="5 is no text"),
    pytest.param(flag, {"x": 1}, NOT_COMPATIBLE, "expected true or false", id="1 is not true"),
    pytest.param(half, {"x": "1"}, NOT_COMPATIBLE, "expected a number", id="text is no number"),
    pytest.param(optional, {"x": "a"}, NOT_COMPATIBLE, "expected an integer or null", id="none of a union"),
    pytest.param(numbers, {"x": ["a"]}, NOT_COMPATIBLE, "'x' at [0]", id="an item of a list"),
    pytest.param(numbers, {"x": "12"}, "isinstance() argument 2", "expected an array", id="text is no list"),
    pytest.param(table, {"x": [1]}, "isinstance() argument 2", "expected an object", id="a list is no object"),
    pytest.param(order, {"item": {"count": 1}}, "Failed to parse parameter item", "'item' at .name", id="a model"),
    pytest.param(two, {"y": 1}, "missing 1 required positional argument: 'x'", "'x' is missing", id="one is missing"),
    pytest.param(raises, {"x": 1}, "because of error no 1 today", "raises raised RuntimeError", id="it raises"),
]


@pytest.mark.parametrize("mode", MODES)
def test_calls_that_fail(stage: Stage, mode: str) -> None:
    """The model is told. On purpose in other words: google-genai's tell it of Python, and all that an error says."""
    for index, library in enumerate(stage.libraries):
        responses = replies_to(stage, library, mode, FAILURES)
        for row, response in zip(FAILURES, responses, strict=True):
            function: Any = row.values[0]
            words = str(row.values[2 + index])
            assert response.keys() == {"error"}, row.id
            assert words.format(function.__name__) in response["error"], row.id


def choice(x: Literal["red", "blue"]) -> Any:
    return x


def paint(x: Color) -> Any:
    return x.name


def noted(x: Annotated[int, "a note"]) -> Any:
    return x


def point(x: tuple[int, int]) -> Any:
    return list(x)


def several(x: set[int]) -> Any:
    return sorted(x)


def when(x: datetime) -> Any:
    return x.year


def whatever(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("function", "given", "result"),
    [
        pytest.param(choice, "red", "red", id="Literal"),
        pytest.param(paint, "red", "RED", id="Enum"),
        pytest.param(noted, 1, 1, id="Annotated"),
        pytest.param(point, [1, 2], [1, 2], id="tuple"),
        pytest.param(several, [2, 1], [1, 2], id="set"),
        pytest.param(when, "2024-01-02T03:04:05Z", 2024, id="datetime"),
        pytest.param(whatever, 1, 1, id="Any"),
    ],
)
def test_w43_parameters_that_google_genai_cannot_fill(
    stage: Stage, mode: str, function: Any, given: Any, result: Any
) -> None:
    """On purpose: it declares them, and answers each call with an error of its own; here they are called."""
    theirs, ours = (reply_to(stage, library, mode, function, {"x": given}) for library in stage.libraries)
    assert theirs.keys() == {"error"}
    assert ours == {"result": result}


@pytest.mark.parametrize(
    ("function", "args", "theirs", "ours"),
    [
        pytest.param(text, {"x": "a", "more": 1}, "a", "it has no argument", id="one that it does not have"),
        pytest.param(nothing, {"more": 1}, None, "it takes none", id="one, and it takes none"),
        pytest.param(kind_of_int, {"x": True}, "bool", "expected an integer", id="true is no integer"),
    ],
)
def test_arguments_are_read_strictly(
    stage: Stage, mode: str, function: Any, args: Json, theirs: Any, ours: str
) -> None:
    """On purpose: google-genai drops the one, and hands over the other; here the model is told that it is mistaken."""
    reference, compat = (reply_to(stage, library, mode, function, args) for library in stage.libraries)
    assert reference == {"result": theirs}
    assert ours in compat["error"]


def test_a_float_is_a_float(stage: Stage, mode: str) -> None:
    """On purpose: google-genai makes an int of 4.0 for any parameter; here one of the kind float gets a float."""
    theirs, ours = (reply_to(stage, library, mode, kind_of_float, {"x": 4.0}) for library in stage.libraries)
    assert (theirs, ours) == ({"result": "int"}, {"result": "float"})


def some_set() -> Any:
    return {2, 1}


def a_member() -> Any:
    return Color.RED


@pytest.mark.parametrize(
    ("function", "result"),
    [pytest.param(some_set, [1, 2], id="W11: a set"), pytest.param(a_member, "red", id="W44: a member of an Enum")],
)
def test_results_that_google_genai_cannot_write(stage: Stage, mode: str, function: Any, result: Any) -> None:
    """It fails with a TypeError, after which a call without a result is left; here the model is told the result."""
    script = answered(says(call(function.__name__, {})), DONE)
    theirs, ours = stage.play_each(mode, script, tools=lambda _: [function])
    assert theirs.errors[0] is not None
    assert theirs.errors[0].startswith("TypeError: Object of type")
    assert theirs.comprehensive == theirs.curated == f"U(q) M(call {function.__name__})"
    assert ours.errors == [None]
    assert ours.curated == f"U(q) M(call {function.__name__}) U(made {function.__name__} result={result!r}) M(done)"


def not_a_number() -> float:
    return float("nan")


def painted(x: Color = Color.RED) -> Any:
    return x.name


def test_w44_numbers_that_are_none(stage: Stage, mode: str) -> None:
    """On purpose: google-genai sends a bare NaN, which is no JSON; here the model is told that there is no result."""
    theirs, ours = (reply_to(stage, library, mode, not_a_number, {}) for library in stage.libraries)
    assert str(theirs) == "{'result': nan}"
    assert ours.keys() == {"error"}


def test_w44_a_member_of_an_enum_as_a_default(stage: Stage, mode: str) -> None:
    """google-genai fails with a TypeError before anything is sent; here its value is declared."""
    for library in stage.libraries:
        talk = stage.talk(library, mode, answered(says(call("painted", {})), DONE)).create({"tools": [painted]})
        if library is stage.reference:
            error = talk.failed(talk.send)
            assert (error, talk.requests) == (
                {"family": "TypeError: Object of type Color is not JSON serializable"},
                [],
            )
        else:
            talk.send()
            assert talk.comprehensive.endswith("U(made painted result='RED') M(done)")


def its_own() -> Any:
    return types.FunctionResponse(response={"x": 1})


def test_a_function_may_write_its_own_response(stage: Stage, mode: str) -> None:
    """On purpose: google-genai wraps a FunctionResponse as any result; here it is the response."""

    def theirs_own() -> Any:
        return stage.reference.types.FunctionResponse(response={"x": 1})

    assert reply_to(stage, stage.reference, mode, theirs_own, {}) == {"result": {"response": {"x": 1}}}
    assert reply_to(stage, stage.compat, mode, its_own, {}) == {"x": 1}


def test_two_functions_of_one_name(stage: Stage, mode: str) -> None:
    """On purpose: google-genai declares both, which the API refuses, and would call the later; here it is an error."""
    theirs, ours = (stage.talk(library, mode, answered(DONE)) for library in stage.libraries)
    config = {"tools": [*tools([]), *tools([])]}
    theirs.create(config).send()
    assert len(theirs.line.requests[0]["body"]["tools"][0]["functionDeclarations"]) == 4
    assert ours.failed(partial(ours.create, config)) == {"family": "validation"}


def test_a_function_that_ends_the_program(stage: Stage) -> None:
    """Nothing of its round is recorded, and a chat that is left over goes on."""

    def leave() -> None:
        """Leaves."""
        raise SystemExit

    for talk in stage.talks("sync", answered(says(call("leave", {}))), {"tools": [leave]}):
        with pytest.raises(SystemExit):
            talk.send()
        assert talk.comprehensive == NOTHING
        talk.send("n")
        assert talk.comprehensive == talk.curated == "U(n) M(Z)"


# --- W15, and what runs where -------------------------------------------------------------------------------------


class Box:
    """Something with a state, and perhaps with a lock."""

    def __init__(self, *, locked: bool) -> None:
        self.total = 0
        if locked:
            self.lock = threading.Lock()

    def put(self, by: int) -> int:
        """Puts something in."""
        self.total += by
        return self.total


@pytest.mark.parametrize("locked", [False, True], ids=["it can be copied", "it cannot be copied"])
def test_w15_methods_are_those_of_the_object(stage: Stage, mode: str, *, locked: bool) -> None:
    """On purpose: google-genai copies the object in async chats, so that the call is in vain, or fails."""
    for library in stage.libraries:
        box = Box(locked=locked)
        talk = stage.talk(library, mode, answered(says(call("put", {"by": 1})), DONE)).create({"tools": [box.put]})
        error = talk.failed(talk.send)
        if library is stage.reference and mode == "async":
            assert error == ({"family": "TypeError: cannot pickle '_thread.lock' object"} if locked else None)
            assert box.total == 0
        else:
            assert (error, box.total) == (None, 1)


@pytest.mark.parametrize("locked", [False, True], ids=["it can be copied", "it cannot be copied"])
def test_w15_without_a_chat(stage: Stage, mode: str, *, locked: bool) -> None:
    """On purpose: google-genai copies it there, too, and then calls the object itself; here nothing is copied."""
    for library in stage.libraries:
        box = Box(locked=locked)
        talk = stage.talk(library, mode, answered(says(call("put", {"by": 1})), DONE))
        error = talk.failed(partial(asked, talk, {"tools": [box.put]}, streamed=False))
        if library is stage.reference and locked:
            assert error == {"family": "TypeError: cannot pickle '_thread.lock' object"}
            assert box.total == 0
        else:
            assert (error, box.total) == (None, 1)


def looking(threads: list[int]) -> Callable[[], None]:
    """A function that writes down in which thread it runs."""

    def look() -> None:
        """Looks."""
        threads.append(threading.get_ident())

    return look


def test_functions_run_in_the_thread_of_a_chat_and_beside_the_loop_of_an_async_one(stage: Stage, mode: str) -> None:
    """So that the loop goes on."""
    for library in stage.libraries:
        threads: list[int] = []

        talk = stage.talk(library, mode, answered(says(call("look", {})), DONE)).create({"tools": [looking(threads)]})
        talk.send()
        assert (threads == [threading.get_ident()]) == (mode == "sync")


def slow(calls: list[Any]) -> Callable[..., Any]:
    """A function that waits, the longer the smaller its argument is."""

    async def later(x: int) -> int:
        """Waits."""
        calls.append(("begins", x))
        await asyncio.sleep(0 if x > 1 else 0.01)
        calls.append(("ends", x))
        return x

    return later


def test_async_functions_are_awaited(stage: Stage) -> None:
    """On purpose side by side, where google-genai awaits one after the other; the results keep their order."""
    script = answered(says(call("later", {"x": 1}), call("later", {"x": 2})), DONE)
    theirs, ours = stage.play_each("async", script, tools=lambda calls: [slow(calls)])
    said = "U(q) M(call later x=1, call later x=2) U(made later result=1, made later result=2) M(done)"
    assert theirs.comprehensive == ours.comprehensive == ours.curated == said
    assert theirs.calls == [("begins", 1), ("ends", 1), ("begins", 2), ("ends", 2)]
    assert ours.calls == [("begins", 1), ("begins", 2), ("ends", 2), ("ends", 1)]


def _streamed(talk: Talk) -> list[Any]:
    return list(talk.stream())


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_async_functions_need_an_async_chat(stage: Stage, *, streamed: bool) -> None:
    """A ValueError says so, before anything is sent."""
    for library in stage.libraries:
        talk = stage.talk(library, "sync").create({"tools": [slow([])]})
        action = partial(_streamed, talk) if streamed else talk.send
        assert talk.failed(action) == {"family": "validation"}
        assert (talk.requests, talk.comprehensive) == ([], NOTHING)


def asking(talk: Talk) -> Callable[..., Any]:
    """A function that sends "inner"."""

    def ask() -> Any:
        """Asks."""
        return talk.chat.send_message("inner").text

    async def ask_async() -> Any:
        """Asks."""
        return (await talk.chat.send_message("inner")).text

    ask_async.__name__ = "ask"
    return ask if talk.mode == "sync" else ask_async


def test_a_function_may_send_in_its_own_chat(stage: Stage, mode: str) -> None:
    """What it says there is recorded before the round that called it."""
    for library in stage.libraries:
        talk = stage.talk(
            library, mode, answered(says(call("ask", {})), says("in", end="STOP"), says("out", end="STOP"))
        )
        talk.create({"tools": [asking(talk)]}).send("outer")
        inner, outer = "U(inner) M(in)", "U(outer) M(call ask) U(made ask result='in')"
        assert talk.requests == ["U(outer)", "U(inner)", outer]
        assert talk.comprehensive == talk.curated == f"{inner} {outer} M(out)"


# --- 12.5: the second request -------------------------------------------------------------------------------------


def add(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b


def test_the_request_with_the_results(stage: Stage, mode: str) -> None:
    """All of it: what the model wrote, as it wrote it, the result without an id, and the tools again."""
    part = {"functionCall": {"id": "c1", "args": {"a": 2.0, "b": 3}, "name": "add"}, "thoughtSignature": "-_8="}
    played = stage.play_both(mode, answered(says(part), DONE), tools=lambda _: [add])
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}},
        "required": ["a"],
    }
    assert played.whole["requests"][1] == canonical(
        {
            "contents": [
                {"parts": [{"text": "q"}], "role": "user"},
                {"parts": [part], "role": "model"},
                {"parts": [{"functionResponse": {"name": "add", "response": {"result": 5}}}], "role": "user"},
            ],
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "description": "Adds.",
                            "name": "add",
                            "parametersJsonSchema": schema,
                            "responseJsonSchema": {"type": "integer"},
                        }
                    ]
                }
            ],
            "generationConfig": {},
        }
    )


# --- 12.6: streams ------------------------------------------------------------------------------------------------

CHUNK = says(acts(1))
ORPHAN = "U(made act result=1) M(done)"
CLOSING: Json = {"candidates": [{"finishReason": "STOP"}]}
ROLE: Json = {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}


@pytest.mark.parametrize(
    ("script", "comprehensive", "curated", "requests", "calls"),
    [
        pytest.param([events(ACT), events(DONE)], f"{ROUND} M(done)", SAME, ["U(q)", ROUND], [1], id="one round"),
        pytest.param(
            [events(says("hm"), CHUNK, says(acts(2), end="STOP")), events(says("do"), says("ne", end="STOP"))],
            "U(q) M(hm) M(call act a=1) M(call act a=2) U(made act result=1, made act result=2) M(do) M(ne)",
            SAME,
            ["U(q)", "U(q) M(hm) M(call act a=1) M(call act a=2) U(made act result=1, made act result=2)"],
            [1, 2],
            id="calls of several chunks are answered in one content",
        ),
        pytest.param(
            [events(CHUNK, says("A", end="STOP")), events(DONE)],
            "U(q) M(call act a=1) M(A) U(made act result=1) M(done)",
            SAME,
            ["U(q)", "U(q) M(call act a=1) M(A) U(made act result=1)"],
            [1],
            id="text after the call",
        ),
        pytest.param(
            [events(ACT), events(says(acts(2), end="STOP")), events(DONE)],
            f"{TWO} M(done)",
            SAME,
            ["U(q)", ROUND, TWO],
            [1, 2],
            id="two rounds",
        ),
        pytest.param(
            [events(CHUNK), events(DONE)],
            f"{ROUND} M(done)",
            ORPHAN,
            ["U(q)", ROUND],
            [1],
            id="without a finish reason the question and the call are lost",
        ),
        pytest.param(
            [events(CHUNK, says(end="STOP")), events(DONE)],
            "U(q) M(call act a=1) M([]) U(made act result=1) M(done)",
            ORPHAN,
            ["U(q)", "U(q) M(call act a=1) M([]) U(made act result=1)"],
            [1],
            id="and with an empty list of parts at the end",
        ),
        pytest.param(
            [events(CHUNK, ROLE), events(DONE)],
            "U(q) M(call act a=1) M(None) U(made act result=1) M(done)",
            ORPHAN,
            ["U(q)", "U(q) M(call act a=1) M(None) U(made act result=1)"],
            [1],
            id="and without parts at the end",
        ),
        pytest.param(
            [events(says(acts(1), {}, end="STOP")), events(DONE)],
            "U(q) M(call act a=1, {}) U(made act result=1) M(done)",
            ORPHAN,
            ["U(q)", "U(q) M(call act a=1, {}) U(made act result=1)"],
            [1],
            id="and with a part that says nothing",
        ),
        pytest.param(
            [events(USAGE, ACT), events(DONE)], f"{ROUND} M(done)", ORPHAN, ["U(q)", ROUND], [1], id="and usage first"
        ),
        pytest.param(
            [events(ACT), events(DONE, USAGE)],
            f"{ROUND} M(done)",
            FIRST,
            ["U(q)", ROUND],
            [1],
            id="usage at the end of the last stream loses the result",
        ),
        pytest.param([events(ACT), events()], f"{ROUND} M([])", FIRST, ["U(q)", ROUND], [1], id="so does an empty one"),
    ],
)
def test_functions_are_called_between_streams(
    stage: Stage, mode: str, script: list[Answer], comprehensive: str, curated: str, requests: list[str], calls: Any
) -> None:
    """Each stream is recorded as it ends, as in 7.6."""
    played = stage.play_both(mode, script, Send(streamed=True), tools=tools, then=curated is not SAME)
    assert played.errors == [None]
    check(played, comprehensive, curated, requests, calls)


AGAIN = f"{ROUND} M(call act a=1) U(made act result=1)"


@pytest.mark.parametrize(
    ("mode", "script", "comprehensive", "curated", "requests", "calls"),
    [
        pytest.param(
            "sync",
            [events(ACT, USAGE), events(ACT), events(DONE)],
            f"{ROUND} M(done)",
            SAME,
            ["U(q)", "U(q)", ROUND],
            [1, 1],
            id="W5: sync: the round is forgotten, and the request made again",
        ),
        pytest.param(
            "async",
            [events(ACT, USAGE), events(ACT), events(DONE)],
            f"{AGAIN} M(done)",
            "U(made act result=1) M(call act a=1) U(made act result=1) M(done)",
            ["U(q)", ROUND, AGAIN],
            [1, 1],
            id="W5: async: it is not",
        ),
        pytest.param(
            "sync",
            [events(ACT, USAGE), events(DONE)],
            "U(q) M(done)",
            SAME,
            ["U(q)", "U(q)"],
            [1],
            id="W6: sync: the function was called in vain",
        ),
        pytest.param(
            "async",
            [events(ACT, USAGE), events(DONE)],
            f"{ROUND} M(done)",
            ORPHAN,
            ["U(q)", ROUND],
            [1],
            id="W6: async: the curated history begins with a result",
        ),
        pytest.param(
            "sync",
            [events(CHUNK, CLOSING), events(DONE)],
            "U(q) M(done)",
            SAME,
            ["U(q)", "U(q)"],
            [1],
            id="sync: a last chunk without content is as one of usage",
        ),
        pytest.param(
            "async",
            [events(CHUNK, CLOSING), events(DONE)],
            f"{ROUND} M(done)",
            ORPHAN,
            ["U(q)", ROUND],
            [1],
            id="async: a last chunk without content is as one of usage",
        ),
        pytest.param(
            "sync",
            [events(ACT, USAGE)] * 10,
            FIRST,
            NOTHING,
            ["U(q)"] * 10,
            [1] * 9,
            id="W7: sync: ten equal requests, and nine calls",
        ),
    ],
)
def test_streams_that_end_without_content(
    stage: Stage, mode: str, script: list[Answer], comprehensive: str, curated: str, requests: list[str], calls: Any
) -> None:
    """Chats and async chats differ."""
    played = stage.play_both(mode, script, Send(streamed=True), tools=tools, then=True)
    assert played.errors == [None]
    check(played, comprehensive, curated, requests, calls)


@pytest.mark.parametrize(
    ("last", "leave_after", "error", "texts"),
    [
        pytest.param(failure(), None, "api", [None], id="a status"),
        pytest.param(events(says("x"), ending="cut"), None, "transport", [None, "x"], id="a stream cut off"),
        pytest.param(events(says("x"), DONE), 2, None, [None, "x"], id="a stream that is left"),
    ],
)
def test_w10_a_failing_stream_leaves_a_call_without_its_result(
    stage: Stage, mode: str, last: Answer, leave_after: int | None, error: str | None, texts: list[str | None]
) -> None:
    """In both histories, and the next message is sent after it."""
    send = Send(streamed=True, leave_after=leave_after)
    played = stage.play_both(mode, [events(ACT), last], send, tools=tools, then=True)
    assert (played.errors, played.texts) == ([error], texts)
    check(played, FIRST, SAME, ["U(q)", ROUND], [1])


@pytest.mark.parametrize(
    ("answer", "leave_after"),
    [
        pytest.param(events(CHUNK, ending="cut"), None, id="cut off"),
        pytest.param(events(CHUNK, {"error": {"code": 503, "message": "m"}}), None, id="an error event"),
        pytest.param(events(CHUNK, DONE), 1, id="left"),
        pytest.param(events(ACT), 1, id="left at the end"),
    ],
)
def test_functions_are_called_when_their_stream_has_ended(
    stage: Stage, mode: str, answer: Answer, leave_after: int | None
) -> None:
    """On purpose: google-genai calls them as they come, also for a turn that it then forgets; here nothing is done."""
    theirs, ours = stage.play_each(mode, [answer], Send(streamed=True, leave_after=leave_after), tools=tools)
    assert (theirs.calls, ours.calls) == ([1], [])
    assert theirs.errors == ours.errors
    assert theirs.comprehensive == ours.comprehensive == NOTHING


# --- 12.7: without a chat -----------------------------------------------------------------------------------------


def asked(talk: Talk, config: Any, *, streamed: bool) -> list[Any]:
    """The responses to "q" without a chat, each with the history of its calls as it is when the response comes."""
    models = talk.client.models
    with talk.library.around():
        if not streamed:
            return [_told(talk.wait(models.generate_content(model="m", contents="q", config=config)))]
        chunks = talk.wait(models.generate_content_stream(model="m", contents="q", config=config))
        return [_told(chunk) for chunk in talk.each(chunks)]


def _told(response: Any) -> tuple[str | None, str | None]:
    held = response.automatic_function_calling_history
    return response.text, None if held is None else short(canonical(list(map(dump, held))))


IGNORED: Json = {"automatic_function_calling": {"ignore_call_history": True}}


@pytest.mark.parametrize(
    ("answers", "config", "seen"),
    [
        pytest.param([DONE], None, [("done", "")], id="no functions"),
        pytest.param([DONE], {}, [("done", "")], id="functions that were not called"),
        pytest.param([ACT, DONE], {}, [("done", ROUND)], id="one round"),
        pytest.param([ACT, says(acts(2)), DONE], {}, [("done", TWO)], id="two rounds"),
        pytest.param([ACT, {}], {}, [(None, ROUND)], id="an empty last answer"),
        pytest.param([ACT, DONE], IGNORED, [("done", None)], id="ignore_call_history"),
        pytest.param([ACT], OFF, [(None, None)], id="switched off"),
        pytest.param([ACT], limit(0), [(None, None)], id="a maximum of 0"),
        pytest.param([ACT], limit(1), [(None, "")], id="a maximum of 1"),
        pytest.param([ACT, says(acts(2))], limit(2), [(None, ROUND)], id="a maximum of 2"),
    ],
)
def test_a_response_without_a_chat_tells_of_its_calls(
    stage: Stage, mode: str, answers: list[Json], config: Json | None, seen: list[Any]
) -> None:
    """All that was said before it."""
    for library in stage.libraries:
        talk = stage.talk(library, mode, answered(*answers))
        made = None if config is None else {"tools": tools([]), **config}
        assert asked(talk, made, streamed=False) == seen
        assert len(talk.requests) == len(answers)


@pytest.mark.parametrize(
    ("script", "config", "seen"),
    [
        pytest.param([events(says("x"), DONE)], None, [("x", None), ("done", None)], id="no functions"),
        pytest.param([events(says("x"), DONE)], {}, [("x", None), ("done", None)], id="none was called"),
        pytest.param(
            [events(ACT), events(says("x"), DONE)], {}, [(None, None), ("x", ROUND), ("done", ROUND)], id="one round"
        ),
        pytest.param(
            [events(ACT), events(says(acts(2), end="STOP")), events(DONE)],
            {},
            [(None, None), (None, ROUND), ("done", TWO)],
            id="two rounds",
        ),
        pytest.param(
            [events(ACT, USAGE), events(DONE)],
            {},
            [(None, None), (None, None), ("done", ROUND)],
            id="W5: no round is forgotten without a chat",
        ),
        pytest.param([events(ACT), events(DONE)], IGNORED, [(None, None), ("done", None)], id="ignore_call_history"),
        pytest.param([events(ACT)], OFF, [(None, None)], id="switched off"),
        pytest.param([events(ACT)], limit(1), [(None, None)], id="a maximum of 1"),
    ],
)
def test_chunks_without_a_chat_tell_of_their_calls(
    stage: Stage, mode: str, script: list[Answer], config: Json | None, seen: list[Any]
) -> None:
    """From the second stream on."""
    for library in stage.libraries:
        talk = stage.talk(library, mode, script)
        made = None if config is None else {"tools": tools([]), **config}
        assert asked(talk, made, streamed=True) == seen
        assert len(talk.requests) == len(script)


def test_what_a_chunk_tells_stays_as_it_is(stage: Stage, mode: str) -> None:
    """On purpose: google-genai gives all chunks one list, which grows under those that have it."""
    for library in stage.libraries:
        talk = stage.talk(library, mode, [events(ACT), events(says(acts(2), end="STOP")), events(DONE)])
        config = {"tools": tools([])}
        chunks = talk.wait(talk.client.models.generate_content_stream(model="m", contents="q", config=config))
        second = list(talk.each(chunks))[1]
        assert _told(second)[1] == (TWO if library is stage.reference else ROUND)


def test_a_chat_does_not_tell_of_its_calls(stage: Stage, mode: str) -> None:
    """They are in its history."""
    for talk in stage.talks(mode, answered(ACT, DONE), {"tools": tools([])}):
        assert talk.send().automatic_function_calling_history is None
