"""Functions that the model calls: their arguments, their results, what it is told of failures, and asyncio."""

# ruff: noqa: ARG003, D101, DTZ001, PYI061, UP006, UP042, UP045

from __future__ import annotations

import asyncio
import collections
import contextvars
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import gc
import ipaddress
import json
import math
import pathlib
import re
import threading
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Union

import attrs
import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from chatproto import types
from chatproto.convert.durations import decode_duration, encode_duration
from chatproto.convert.functions import Function, Toolbox, declare
from chatproto.convert.json_schema import ARRAYS, OBJECTS
from chatproto.convert.results import FormlessError, to_json
from chatproto.errors import FunctionError, UnsupportedFunctionError, ValidationError

CANARY = "hunter2-the-password"


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mood(str, enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Place(pydantic.BaseModel):
    city: str
    color: Color = Color.RED


class Country(pydantic.BaseModel):
    capital: Place
    people: int


class Point(NamedTuple):
    x: int
    label: str = "here"


@dataclass
class Person:
    name: str
    age: int = 3
    boss: Optional[Person] = None
    place: Place | None = None
    tags: list[str] = field(default_factory=list)


@attrs.define
class Dog:
    name: str
    friends: list[Dog] = attrs.Factory(list)
    _chip: int = 0


@attrs.define
class Cat:
    name: str
    lives: int


class Film(typing.TypedDict):
    title: str
    year: typing.NotRequired[int]


class FilmOfExtensions(typing_extensions.TypedDict):
    title: str
    shot_in: Place


UserId = NewType("UserId", int)


def taking(kind: Any) -> Any:
    """A function of one parameter, which gives it back in a list, so that nothing is made of it."""

    def it(a: Any) -> Any:
        return [a]

    it.__annotations__ = {"a": kind}
    return it


def given_for(kind: Any, argument: Any) -> Any:
    """What a function gets whose parameter is a ``kind``."""
    return declare(taking(kind)).call({"a": argument})[0]


def call(name: str, /, id: str | None = None, **args: Any) -> types.FunctionCall:  # noqa: A002
    """A call by the model."""
    return types.FunctionCall(name=name, id=id, args=args)


def response(function: Callable[..., Any], /, **args: Any) -> Any:
    """What the model is told."""
    return told(Toolbox([declare(function)]).run_one(call(declare(function).name, **args)))


def told(part: types.Part) -> Any:
    """The response in a part. It must be JSON."""
    assert part.function_response is not None
    json.dumps(part.function_response.response, allow_nan=False)
    return part.function_response.response


# --- arguments ----------------------------------------------------------------------------------------------------


def shown(given: object) -> str:
    """An id for a parameter, the same in every process: the order in a set is not."""
    if isinstance(given, (set, frozenset)):
        given = f"{type(given).__name__}({sorted(given, key=str)})"
    return str(given)[:50]


READ: list[tuple[Any, Any, Any]] = [
    *((str, "x", "x"), (int, 2, 2), (int, 2.0, 2), (float, 2, 2.0), (float, 0.5, 0.5), (bool, True, True)),
    *((None, None, None), (Any, {"a": [1, None]}, {"a": [1, None]}), (object, "x", "x"), (typing.Hashable, 1, 1)),
    *((bytes, "hé", "hé".encode()), (list, [1, "a"], [1, "a"]), (dict, {"a": 1}, {"a": 1})),
    *((tuple, [1, 2], (1, 2)), (set, [1, 2, 1], {1, 2}), (frozenset[str], ["a"], frozenset({"a"}))),
    *((Any, 2.0, 2), (dict, {"n": [2.0, 0.5]}, {"n": [2, 0.5]}), (list[float], [2, 0.5], [2.0, 0.5])),
    *((Optional[int], None, None), (Optional[int], 3.0, 3), (Union[int, str], "3", "3"), (Union[int, str], 3, 3)),
    *((float | int, 3, 3), (int | float, 0.5, 0.5), (int | bool, True, True), (bool | int, 1, 1)),
    *((Literal["x", "y"], "y", "y"), (Literal[1, 2], 2.0, 2), (Literal[Color.RED], "red", Color.RED)),
    *((Literal["x", None], None, None), (Literal[True], True, True), (Literal[1, True], True, True)),
    *((Color, "blue", Color.BLUE), (Level, 2, Level.HIGH), (Level, 2.0, Level.HIGH), (Mood, "bad", Mood.BAD)),
    *(
        (list[Color], ["red"], [Color.RED]),
        (dict[Color, int], {"red": 1.0}, {Color.RED: 1}),
        (Optional[Color], None, None),
    ),
    *((dict[str, int], {"a": 1}, {"a": 1}), (dict[int, str], {"1": "a"}, {1: "a"}), (dict[str, Any], {}, {})),
    *((dict[bool, int], {"true": 1}, {True: 1}), (dict[dt.date, int], {"2026-01-02": 1}, {dt.date(2026, 1, 2): 1})),
    *((tuple[int, str], [1, "a"], (1, "a")), (tuple[int, ...], [1, 2], (1, 2)), (tuple[()], [], ())),
    *(
        (list[tuple[int, str]], [[1, "a"]], [(1, "a")]),
        (Point, [1, "b"], Point(1, "b")),
        (list[Point], [[1]], [Point(1)]),
    ),
    *((Sequence[int], [1], [1]), (typing.Iterable[int], [1], [1]), (typing.Collection[int], [1], [1])),
    *((typing.AbstractSet[int], [1], {1}), (typing.MutableSet[int], [1], {1}), (Mapping[str, int], {"a": 1}, {"a": 1})),
    *((collections.deque, [1], collections.deque([1])), (typing.Deque[Color], ["red"], collections.deque([Color.RED]))),
    *((typing.OrderedDict[str, int], {"a": 1}, collections.OrderedDict(a=1)),),
    *((typing.DefaultDict[str, int], {"a": 1}, collections.defaultdict(int, a=1)),),
    *((typing.Counter[str], {"a": 2}, collections.Counter("aa")),),
    *((dt.date, "2026-01-02", dt.date(2026, 1, 2)), (dt.time, "10:11:12", dt.time(10, 11, 12))),
    *((dt.datetime, "2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),),
    *((dt.timedelta, "P1DT2H", dt.timedelta(days=1, hours=2)), (uuid.UUID, str(uuid.UUID(int=5)), uuid.UUID(int=5))),
    *((decimal.Decimal, "1.10", decimal.Decimal("1.10")), (decimal.Decimal, 0.1, decimal.Decimal("0.1"))),
    *((pathlib.Path, "a/b", pathlib.Path("a/b")), (complex, "1+2j", 1 + 2j), (re.Pattern, "a+", re.compile("a+"))),
    *((ipaddress.IPv4Address, "1.2.3.4", ipaddress.IPv4Address("1.2.3.4")),),
    *((Place, {"city": "x"}, Place(city="x")), (Optional[Place], None, None), (list[Place], [], [])),
    *((Place, {"city": "x", "color": "blue"}, Place(city="x", color=Color.BLUE)),),
    *((Country, {"capital": {"city": "x"}, "people": 5.0}, Country(capital=Place(city="x"), people=5)),),
    *((dict[str, Place], {"a": {"city": "x"}}, {"a": Place(city="x")}), (UserId, 5, 5), (list[UserId], [5.0], [5])),
    *((Union[Country, Place], {"city": "x"}, Place(city="x")), (Union[Place, str], "x", "x")),
    *((Person, {"name": "x", "age": 4.0}, Person("x", 4)), (list[Person], [{"name": "x"}], [Person("x")])),
    *((Person, {"name": "x", "boss": {"name": "y"}}, Person("x", boss=Person("y"))),),
    *((Person, {"name": "x", "place": {"city": "c"}}, Person("x", place=Place(city="c"))),),
    *((Dog, {"name": "a", "friends": [{"name": "b"}], "_chip": 7}, Dog("a", [Dog("b")], 7)),),
    *((Union[Dog, Cat], {"name": "a", "lives": 7}, Cat("a", 7)), (Union[Cat, Dog], {"name": "a"}, Dog("a"))),
    *((Film, {"title": "x"}, {"title": "x"}), (Film, {"title": "x", "year": 2.0}, {"title": "x", "year": 2})),
    *((FilmOfExtensions, {"title": "x", "shot_in": {"city": "c"}}, {"title": "x", "shot_in": Place(city="c")}),),
    *(
        (Annotated[int, pydantic.Field(ge=1)], 2.0, 2),
        (Annotated[str, "note"], "x", "x"),
        (Annotated[Place, "n"], {"city": "x"}, Place(city="x")),
    ),
    *((Optional[Annotated[int, pydantic.Field(ge=1)]], 2, 2), (list[Annotated[int, "note"]], [1.0], [1])),
    *((Annotated[Person, "note"], {"name": "x"}, Person("x")), (typing.LiteralString, "x", "x")),
]


@pytest.mark.parametrize(("kind", "argument", "expected"), READ, ids=shown)
def test_arguments_become_what_is_annotated(kind: Any, argument: Any, expected: Any) -> None:
    """Every kind that can be declared can be called, with a value of that type."""
    found = given_for(kind, argument)
    assert found == expected
    assert type(found) is type(expected)


def test_whatever_holds_items_can_be_given() -> None:
    """What a schema calls an array or an object is read as one."""
    for cls in ARRAYS:
        assert list(given_for(cls, [1])) == [1]
    for cls in OBJECTS:
        assert dict(given_for(cls, {"a": 1})) == {"a": 1}


MISFITS: list[tuple[Any, Any, str]] = [
    (str, 5, "argument 'a': expected a string, got 5"),
    (int, "5", """argument 'a': expected an integer, got "5\""""),
    (int, 0.5, "argument 'a': expected an integer, got 0.5"),
    (int, True, "argument 'a': expected an integer, got true"),
    (float, "x", """argument 'a': expected a number, got "x\""""),
    (bool, 1, "argument 'a': expected true or false, got 1"),
    (None, 1, "argument 'a': expected null, got 1"),
    (str, None, "argument 'a': expected a string, got null"),
    (Literal["x", "y"], "z", """argument 'a': expected one of "x", "y", got "z\""""),
    (Literal[1], True, "argument 'a': expected one of 1, got true"),
    (Color, "green", """argument 'a': expected one of "red", "blue", got "green\""""),
    (dt.date, "soon", """argument 'a': expected a date in ISO 8601, got "soon\""""),
    (uuid.UUID, "x", """argument 'a': expected a UUID, got "x\""""),
    (decimal.Decimal, "x", """argument 'a': expected a decimal number, got "x\""""),
    (re.Pattern, "(", """argument 'a': expected a regular expression, got "(\""""),
    (list[int], "12", """argument 'a': expected an array, got "12\""""),
    (list[int], [1, "x"], """argument 'a' at [1]: expected an integer, got "x\""""),
    (set[Any], [[]], "argument 'a': expected an array of plain values, got [[]]"),
    (tuple[int, str], [1], "argument 'a': expected an array of 2 items, got [1]"),
    (Point, [], "argument 'a': expected an array of x, label, got []"),
    (dict[str, int], {"b": "x"}, """argument 'a' at ["b"]: expected an integer, got "x\""""),
    (dict[Color, int], {"b": 1}, """argument 'a' at ["b"]: expected another name, got "b\""""),
    (Optional[int], "x", """argument 'a': expected an integer or null, got "x\""""),
    (Union[int, str, None], [], "argument 'a': expected an integer or a string or null, got []"),
    (Person, [], "argument 'a': expected an object (Person), got []"),
    (Person, {"nam": "x"}, """argument 'a': expected an object (Person) with 'name', got {"nam": "x"}"""),
    (Person, {"name": "x", "boss": {"name": 5}}, "argument 'a' at .boss.name: expected a string, got 5"),
    (Dog, {"name": "x", "friends": [{"name": 5}]}, "argument 'a' at .friends[0].name: expected a string, got 5"),
    (
        Union[Dog, Cat],
        {"lives": 1},
        "argument 'a': expected an object (Cat) with 'name' or an object (Dog) with 'name'",
    ),
    (Place, {"city": 5}, "argument 'a' at .city: expected another value (string_type), got 5"),
    (
        list[Country],
        [{"capital": {}, "people": 1}],
        "argument 'a' at [0].capital.city: expected another value (missing)",
    ),
    (Annotated[int, pydantic.Field(ge=1)], 0, "argument 'a': expected another value (greater_than_equal), got 0"),
    (str, ["x" * 500], "argument 'a': expected a string, got [\"" + "x" * 78 + "..."),
]


@pytest.mark.parametrize(("kind", "argument", "problem"), MISFITS, ids=shown)
def test_an_argument_that_does_not_fit(kind: Any, argument: Any, problem: str) -> None:
    """The model learns which argument, what was expected, and what it wrote; the function is not called."""
    error = response(taking(kind), a=argument)["error"]
    assert error.startswith("it was not called: ")
    assert problem in error


def test_all_that_is_wrong_is_said_at_once() -> None:
    """So that the model can mend its call in one go."""

    def book(city: str, nights: int = 1) -> None:
        raise AssertionError

    assert response(book, nights="two", town="x", date="y") == {
        "error": 'book was not called: argument \'city\' is missing; it has no argument "town", "date"; '
        "its arguments are 'city', 'nights'; argument 'nights': expected an integer, got \"two\""
    }

    def ping() -> None:
        raise AssertionError

    assert response(ping, x=1) == {"error": 'ping was not called: it has no argument "x"; it takes none'}


def test_every_way_of_having_parameters() -> None:
    """Positional-only, with and without defaults, keyword-only; what is not given is left to the function."""

    def it(a: int, b: int = 2, /, c: int = 3, *more: int, d: int, e: int = 5, **rest: int) -> list[int]:
        assert (more, rest) == ((), {})
        return [a, b, c, d, e]

    assert response(it, a=10, d=40) == {"result": [10, 2, 3, 40, 5]}
    assert response(it, d=40, b=20, a=10, e=50) == {"result": [10, 20, 3, 40, 50]}

    def optional(a: int = 1, b: int = 2, /) -> list[int]:
        return [a, b]

    assert response(optional, b=20) == {"result": [1, 20]}
    assert response(optional) == {"result": [1, 2]}

    def careless(a: int = None) -> int:  # type: ignore[assignment]  # noqa: RUF013
        return a

    assert response(careless, a=None) == {"result": None}  # as it is declared
    assert response(careless, a=2.0) == {"result": 2}


def test_the_arguments_of_the_call_are_not_handed_on() -> None:
    """A function may change what it gets; the call that the history shows stays as it was."""

    def it(a: list[Any], b: dict[str, Any], c: Any) -> None:
        a.append(1)
        b["x"] = 1
        c["y"][0] = 1

    made = call("it", a=[], b={}, c={"y": [0]})
    assert told(Toolbox([declare(it)]).run_one(made)) == {"result": None}
    assert made.args == {"a": [], "b": {}, "c": {"y": [0]}}


@pytest.mark.parametrize("depth", [500, 50_000])
def test_arguments_that_are_nested_too_deeply(depth: int) -> None:
    """They are an error for the model, or an argument."""

    @dataclass
    class Nested:
        inner: Nested | None = None

    Nested.__annotations__["inner"] = Optional[Nested]
    argument: Any = {}
    for _ in range(depth):
        argument = {"inner": argument}
    assert response(taking(Nested), a=argument) == {"error": "it was not called: argument 'a' is nested too deeply"}


# --- callables ----------------------------------------------------------------------------------------------------


class Box:
    """Counts, and cannot be copied."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()

    def add(self, by: int) -> int:
        """Add to it."""
        with self.lock:
            self.count += by
        return self.count

    @classmethod
    def made(cls, of: str) -> str:
        """A box of something."""
        return f"{cls.__name__} of {of}"

    @staticmethod
    def double(a: int) -> int:
        """Twice."""
        return 2 * a

    def __call__(self, a: int) -> int:
        """Call it."""
        return self.add(a)


class AsyncBox:
    async def __call__(self, a: int) -> int:
        return a


def wrapper(function: Any) -> Any:
    """A decorator."""

    @functools.wraps(function)
    def inner(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return inner


@wrapper
def power(a: int, b: int = 2) -> int:
    """A power of a number."""
    return int(a**b)


def test_every_kind_of_callable_is_called() -> None:
    """On the very object that it is bound to: nothing is copied."""
    box = Box()
    assert response(box.add, by=2) == {"result": 2}
    assert response(box, a=3) == {"result": 5}
    assert box.count == 5
    assert response(Box.made, of="x") == {"result": "Box of x"}
    assert response(Box.double, a=2) == {"result": 4}
    assert response(Box.__dict__["double"], a=2) == {"result": 4}
    assert response(power, a=3) == {"result": 9}
    assert response(functools.partial(power, 3), b=3) == {"result": 27}
    assert response(functools.partial(power, b=3), a=2) == {"result": 8}
    assert response(functools.partial(box.add), by=1) == {"result": 6}


def test_what_is_async() -> None:
    """Coroutine functions in every guise."""
    asynchronous: list[Any] = [waits, functools.partial(waits), AsyncBox(), functools.partial(AsyncBox())]
    assert all(declare(function).is_async for function in asynchronous)
    synchronous: list[Any] = [power, functools.partial(power), Box(), Box().add]
    assert not any(declare(function).is_async for function in synchronous)


async def waits(a: int) -> int:
    """Wait."""
    await asyncio.sleep(0)
    return a


# --- results ------------------------------------------------------------------------------------------------------

RESULTS: list[tuple[Any, Any]] = [
    *(
        (None, None),
        (True, True),
        (5, 5),
        (0.5, 0.5),
        ("x", "x"),
        ([1, [2]], [1, [2]]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ),
    *((Color.RED, "red"), (Level.HIGH, 2), (Mood.BAD, "bad"), ({"a": Color.RED}, {"a": "red"})),
    *(((1, "a"), [1, "a"]), ({3, 1, 2}, [1, 2, 3]), (frozenset({"b", "a"}), ["a", "b"]), (range(3), [0, 1, 2])),
    *((collections.deque([1]), [1]), (Point(1), [1, "here"]), ({"a": 1}.keys(), ["a"]), ({"a": 1}.values(), [1])),
    *((collections.OrderedDict(a=1), {"a": 1}), (collections.Counter("aa"), {"a": 2}), ({1, "a"}, ["a", 1])),
    *((dt.date(2026, 1, 2), "2026-01-02"), (dt.time(10, 11), "10:11:00"), (dt.timedelta(hours=26), "P1DT2H")),
    *(
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00Z"),
        (dt.datetime(2026, 1, 2), "2026-01-02T00:00:00"),
    ),
    *(
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=5), str(uuid.UUID(int=5))),
        (pathlib.PurePosixPath("a/b"), "a/b"),
    ),
    *(
        (b"\xfb\xff\x00", "-_8A"),
        (bytearray(b"a"), "YQ=="),
        (1 + 2j, "(1+2j)"),
        (ipaddress.IPv4Address("1.2.3.4"), "1.2.3.4"),
    ),
    *(({1: "a", None: "b", 0.5: "c"}, {"1": "a", "null": "b", "0.5": "c"}), ({True: 1}, {"true": 1})),
    *(({Color.RED: 1}, {"red": 1}), ({dt.date(2026, 1, 2): 1}, {"2026-01-02": 1})),
    *((Place(city="x"), {"city": "x", "color": "red"}), ([Place(city="x")], [{"city": "x", "color": "red"}])),
    *((Country(capital=Place(city="x"), people=1), {"capital": {"city": "x", "color": "red"}, "people": 1}),),
    *((Person("x"), {"name": "x", "age": 3, "boss": None, "place": None, "tags": []}),),
    *((Dog("a", [Dog("b")]), {"name": "a", "friends": [{"name": "b", "friends": [], "_chip": 0}], "_chip": 0}),),
    *((Film(title="x"), {"title": "x"}), (pydantic.SecretStr(CANARY), "**********")),
    *((pydantic.AnyUrl("http://x/"), "http://x/"), (types.Part(text="x"), {"text": "x"})),
    *(
        (
            types.Content(role="user", parts=[types.Part.from_bytes(data=b"\xfb", mime_type="a/b")]),
            {"role": "user", "parts": [{"inline_data": {"mime_type": "a/b", "data": "-w=="}}]},
        ),
    ),
]


@pytest.mark.parametrize(("result", "expected"), RESULTS, ids=shown)
def test_results_become_json(result: Any, expected: Any) -> None:
    """Always under ``result``, an object too."""
    assert response(lambda: result) == {"result": expected}


class Opaque:
    pass


@dataclass
class Holder:
    held: Any


def generated() -> Any:
    """Some numbers, one by one."""
    yield 1


def looped() -> list[Any]:
    """A list in itself."""
    made: list[Any] = []
    made.append(made)
    return made


FORMLESS: list[tuple[Any, str]] = [
    (math.nan, "the number nan"),
    (-math.inf, "the number -inf"),
    ([0.5, math.inf], "the number inf at [1]"),
    (Opaque(), "a Opaque"),
    ({"a": [Holder(Opaque())]}, "a Opaque at .a[0].held"),
    (generated(), "a generator"),
    (iter([1]), "a list_iterator"),
    (len, "a builtin_function_or_method"),
    (Opaque, "a type"),
    (Holder, "a type"),
    (Dog, "a type"),
    ({(1, 2): 3}, "a tuple as a name"),
    ({1: "a", "1": "b"}, "an object with two names '1'"),
    (ValueError("x"), "a ValueError"),
    (looped(), "something nested too deeply"),
]


@pytest.mark.parametrize(("result", "problem"), FORMLESS, ids=[problem for _, problem in FORMLESS])
def test_results_that_json_has_no_form_for(result: Any, problem: str) -> None:
    """The model is told what came, and where within the result; never bare NaN, never another exception."""
    assert response(taking_nothing(result)) == {"error": f"it returned {problem}, which has no form in JSON"}


def taking_nothing(result: Any) -> Callable[[], Any]:
    """A function that gives ``result``."""

    def it() -> Any:
        return result

    return it


def test_a_function_response_is_taken_as_it_is() -> None:
    """With its media, under the name and the id of the call; what the function holds on to is not changed."""
    blob = types.FunctionResponseBlob(mime_type="image/png", data=b"x")
    own = types.FunctionResponse(response={"output": {3, 1}}, parts=[types.FunctionResponsePart(inline_data=blob)])
    for result in (own, types.Part(function_response=own)):
        part = Toolbox([declare(taking_nothing(result))]).run_one(call("it", id="c1"))
        made = part.function_response
        assert made is not None
        assert (made.id, made.name, made.response, made.parts) == ("c1", "it", {"output": [1, 3]}, own.parts)
        assert (own.id, own.name) == (None, None)
    without = Toolbox([declare(taking_nothing(own))]).run_one(call("it")).function_response
    assert without is not None
    assert (without.id, without.name) == (None, "it")
    bad = types.FunctionResponse(response={"output": Opaque()})
    assert response(taking_nothing(bad)) == {"error": "it returned a Opaque at .output, which has no form in JSON"}


def test_the_part() -> None:
    """Name, id if there is one, and response: as google-genai sends it but for the id, which it leaves out."""
    toolbox = Toolbox([declare(power)])
    assert toolbox.run_one(call("power", id="c1", a=3)) == types.Part(
        function_response=types.FunctionResponse(id="c1", name="power", response={"result": 9})
    )
    assert toolbox.run_one(call("power", a=3)) == types.Part.from_function_response(
        name="power", response={"result": 9}
    )


def test_a_call_without_arguments() -> None:
    """``args`` may be absent: the function is called all the same."""
    toolbox = Toolbox([declare(taking_nothing(5))])
    assert told(toolbox.run_one(types.FunctionCall(name="it"))) == {"result": 5}
    assert told(asyncio.run(toolbox.arun_one(types.FunctionCall(name="it")))) == {"result": 5}


# --- failures -----------------------------------------------------------------------------------------------------


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


class Mute(Exception):
    def __str__(self) -> str:
        return ""


def failing(error: BaseException) -> Callable[[], Any]:
    """A function that raises."""

    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "by_name", "by_message"),
    [
        (ValueError(CANARY), "fail raised ValueError", f"fail raised ValueError: {CANARY}"),
        (Mute(), "fail raised Mute", "fail raised Mute"),
        (Unspeakable(), "fail raised Unspeakable", "fail raised Unspeakable"),
        (
            ValidationError(CANARY, path="$.a"),
            "fail raised ValidationError",
            f"fail raised ValidationError: $.a: {CANARY}",
        ),
        (ExceptionGroup(CANARY, [ValueError()]), "fail raised ExceptionGroup", None),
        (FunctionError("the shop is closed"), "the shop is closed", "the shop is closed"),
        (FunctionError(), "fail raised FunctionError", "fail raised FunctionError"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_the_model_learns_of_an_exception(error: Exception, by_name: str, by_message: str | None) -> None:
    """Its class and the function, and its message only if the chat is told so, or if it is a FunctionError."""

    async def fail() -> None:
        raise error

    for function in (failing(error), fail):
        assert told(asyncio.run(Toolbox([declare(function)]).arun_one(call("fail")))) == {"error": by_name}
    assert response(failing(error)) == {"error": by_name}
    if by_message is not None:
        loud = Toolbox([declare(failing(error))], error_words="message")
        assert told(loud.run_one(call("fail"))) == {"error": by_message}


def test_no_secret_of_the_program_is_told() -> None:
    """Whatever the program's own code says when it refuses: validators, Enums, constructors, serializers."""

    class Fussy(pydantic.BaseModel):
        city: str

        @pydantic.field_validator("city")
        @classmethod
        def refuse(cls, city: str) -> str:
            """Refuse it."""
            raise ValueError(CANARY)

        @pydantic.field_serializer("city")
        def refuse_too(self, city: str) -> str:
            """Refuse it."""
            raise ValueError(CANARY)

    class Broken(pydantic.BaseModel):
        city: str

        @pydantic.field_validator("city")
        @classmethod
        def refuse(cls, city: str) -> str:
            """A validator with a bug."""
            raise RuntimeError(CANARY)

    @dataclass
    class Strict:
        city: str

        def __post_init__(self) -> None:
            raise ValueError(CANARY)

    @attrs.define
    class Checked:
        city: str = attrs.field()

        @city.validator
        def _refuse(self, *_: Any) -> None:
            raise ValueError(CANARY)

    class Kind(enum.Enum):
        A = "a"

        @classmethod
        def _missing_(cls, value: object) -> Any:
            raise ValueError(CANARY)

    class Listed(dict[str, Any]):
        def items(self) -> Any:
            raise ValueError(CANARY)

    for cls in (Fussy, Broken, Strict, Checked):
        for kind in (cls, Optional[cls], list[cls], Union[cls, int]):  # type: ignore[valid-type]
            argument = [{"city": "x"}] if kind == list[cls] else {"city": "x"}  # type: ignore[valid-type]
            said = response(taking(kind), a=argument)["error"]
            assert "was not called" in said
            assert CANARY not in said
    assert CANARY not in response(taking(Kind), a="b")["error"]
    for result in (Fussy.model_construct(city="x"), Listed(a=1)):
        assert CANARY not in response(taking_nothing(result))["error"]


def test_a_validator_may_speak_to_the_model() -> None:
    """By the same error as a function."""

    @dataclass
    class Stay:
        nights: int

        def __post_init__(self) -> None:
            raise FunctionError("at most 30 nights")

    for kind in (Stay, Optional[Stay], Union[Stay, int]):
        assert response(taking(kind), a={"nights": 40}) == {"error": "at most 30 nights"}


def test_a_function_that_is_not_there() -> None:
    """The model learns which there are."""
    toolbox = Toolbox([declare(power), declare(waits)])
    expected = {"error": "there is no function 'x'; there are: power, waits"}
    assert told(toolbox.run_one(call("x"))) == expected
    part = asyncio.run(toolbox.arun_one(call("x", id="c1")))
    assert told(part) == expected
    assert part.function_response is not None
    assert (part.function_response.id, part.function_response.name) == ("c1", "x")
    assert told(Toolbox([]).run_one(call("x"))) == {"error": "there is no function 'x'; there are none"}
    assert told(Toolbox([]).run_one(types.FunctionCall())) == {"error": "there is no function None; there are none"}


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=lambda error: type(error).__name__
)
def test_what_is_no_exception_of_the_function_comes_through(error: BaseException) -> None:
    """Ctrl-C ends the program, not the function."""
    with pytest.raises(type(error)):
        Toolbox([declare(failing(error))]).run([call("fail")])


def test_the_toolbox() -> None:
    """Names and declarations in their order; one function a name."""
    toolbox = Toolbox([declare(power), declare(Box().add)])
    assert (toolbox.names, len(toolbox), toolbox.any_async) == (("power", "add"), 2, False)
    assert "power" in toolbox
    assert "x" not in toolbox
    assert [each.name for each in toolbox.declarations] == ["power", "add"]
    assert Toolbox([declare(power), declare(waits)]).any_async
    with pytest.raises(ValidationError, match="two functions are called 'power'"):
        Toolbox([declare(power), declare(power)])
    results = toolbox.run([call("add", by=1), call("power", a=2), call("add", by=1)])
    assert [told(each) for each in results] == [{"result": 1}, {"result": 4}, {"result": 2}]
    function: Function = declare(power)
    assert function.call({"a": 2}) == 4


# --- asyncio ------------------------------------------------------------------------------------------------------


def test_async_functions_run_side_by_side() -> None:
    """Two that wait for each other come to an end, and their results stand in the order of the calls."""

    async def main() -> list[types.Part]:
        first, second = asyncio.Event(), asyncio.Event()

        async def one() -> str:
            first.set()
            await second.wait()
            await asyncio.sleep(0.01)
            return "one"

        async def two() -> str:
            second.set()
            await first.wait()
            return "two"

        toolbox = Toolbox([declare(one), declare(two)])
        return await asyncio.wait_for(toolbox.arun([call("one"), call("two")]), 10)

    assert [told(part) for part in asyncio.run(main())] == [{"result": "one"}, {"result": "two"}]


def test_sync_functions_do_not_block_the_loop() -> None:
    """They wait in threads for what the loop does, side by side; context variables go with them."""
    who = contextvars.ContextVar("who", default="nobody")

    async def main() -> list[types.Part]:
        opened = threading.Event()
        together = threading.Barrier(2)

        def waiting() -> str:
            together.wait(10)
            assert opened.wait(10)
            return who.get()

        who.set("me")
        running = asyncio.ensure_future(Toolbox([declare(waiting)]).arun([call("waiting"), call("waiting")]))
        await asyncio.sleep(0.01)
        opened.set()
        return await running

    assert [told(part) for part in asyncio.run(main())] == [{"result": "me"}] * 2


def test_one_failure_leaves_the_others() -> None:
    """Each call has its own answer."""
    toolbox = Toolbox([declare(waits), declare(failing(ValueError()))])
    results = asyncio.run(toolbox.arun([call("fail"), call("waits", a=1), call("x"), call("waits", a="y")]))
    assert [list(told(part)) for part in results] == [["error"], ["result"], ["error"], ["error"]]


def test_cancelling_cancels_what_runs() -> None:
    """And waits until it has ended, so that nothing runs on behind the program's back."""
    ended: list[str] = []

    async def main() -> None:
        async def slow(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.01)
                ended.append(name)

        running = asyncio.ensure_future(Toolbox([declare(slow)]).arun([call("slow", name="a"), call("slow", name="b")]))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert sorted(ended) == ["a", "b"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


class Stop(BaseException):
    pass


@pytest.mark.parametrize("error", [asyncio.CancelledError, Stop])
def test_what_is_no_exception_ends_the_round(error: type[BaseException]) -> None:
    """It comes through, and the other calls are cancelled and awaited."""
    ended: list[str] = []

    async def main() -> None:
        async def slow() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("slow")

        async def fail() -> None:
            await asyncio.sleep(0)
            raise error

        with pytest.raises(error):
            await Toolbox([declare(slow), declare(fail)]).arun([call("slow"), call("fail")])
        assert ended == ["slow"]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_an_iterator_that_ends_does_not_hang() -> None:
    """No future can hold a StopIteration: the model is told of an error, as from a coroutine."""

    def first() -> Any:
        return next(iter([]))

    async def first_async() -> Any:
        return next(iter([]))

    toolbox = Toolbox([declare(first), declare(first_async)])
    calls = [call("first"), call("first_async")]
    results = asyncio.run(asyncio.wait_for(toolbox.arun(calls), 10))
    assert [told(part) for part in results] == [
        {"error": "first raised RuntimeError"},
        {"error": "first_async raised RuntimeError"},
    ]
    assert response(first) == {"error": "first raised StopIteration"}


def test_async_functions_in_a_sync_round() -> None:
    """They are not called; whoever made the chat should have known (``any_async``)."""
    function = declare(waits)
    with pytest.raises(UnsupportedFunctionError, match="waits is asynchronous"):
        function.call({"a": 1})
    error = "waits is asynchronous, so it needs an async chat: client.aio.chats"
    assert told(Toolbox([function]).run_one(call("waits", a=1))) == {"error": error}


def test_a_function_that_gives_something_to_await() -> None:
    """As a wrapper of a coroutine function does: it is awaited where that can be, and closed where not."""
    wrapped = wrapper(waits)
    toolbox = Toolbox([declare(wrapped)])
    assert not toolbox.any_async
    assert told(asyncio.run(toolbox.arun_one(call("waits", a=5)))) == {"result": 5}
    assert "is asynchronous" in told(toolbox.run_one(call("waits", a=5)))["error"]
    gc.collect()  # a coroutine that nobody awaited would warn


# --- laws ---------------------------------------------------------------------------------------------------------

SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text()),
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (Literal["a", 1, True], st.sampled_from(["a", True])),
    (dt.date, st.dates()),
    (dt.time, st.times()),
    (dt.datetime, st.datetimes(timezones=st.just(dt.UTC) | st.none())),
    (dt.timedelta, st.timedeltas()),
    (uuid.UUID, st.uuids()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (complex, st.complex_numbers(allow_nan=False, allow_infinity=False)),
    (ipaddress.IPv4Address, st.ip_addresses(v=4)),
    (
        Dog,
        st.builds(
            Dog, name=st.text(), friends=st.lists(st.builds(Dog, name=st.text()), max_size=2), chip=st.integers()
        ),
    ),
    (Place, st.builds(Place, city=st.text(), color=st.sampled_from(Color))),
    (Person, st.builds(Person, name=st.text(), age=st.integers(), tags=st.lists(st.text(), max_size=2))),
    (Film, st.fixed_dictionaries({"title": st.text()}, optional={"year": st.integers()})),
    (Point, st.builds(Point, x=st.integers(), label=st.text())),
]
HASHABLE = SCALARS[:15]
NAMES = [each for each in HASHABLE if each[0] not in (float, Level, complex)]


def of(cls: Any, *arguments: Any) -> Any:
    """``cls[arguments]``."""
    return cls[arguments]


def within(kinds: list[tuple[Any, st.SearchStrategy[Any]]]) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Types that hold types, with values of them."""
    one = st.sampled_from(kinds)
    plain = st.sampled_from(HASHABLE)
    return st.one_of(
        one,
        one.map(lambda each: (of(list, each[0]), st.lists(each[1], max_size=3))),
        one.map(lambda each: (of(tuple, each[0], ...), st.lists(each[1], max_size=3).map(tuple))),
        plain.map(lambda each: (of(set, each[0]), st.sets(each[1], max_size=3))),
        st.tuples(one, one).map(lambda two: (of(tuple, two[0][0], two[1][0]), st.tuples(two[0][1], two[1][1]))),
        st.tuples(st.sampled_from(NAMES), one).map(
            lambda two: (of(dict, two[0][0], two[1][0]), st.dictionaries(two[0][1], two[1][1], max_size=3))
        ),
        one.map(lambda each: (Optional[each[0]], st.none() | each[1])),
    )


@given(st.data())
def test_what_is_written_as_json_is_read_again(data: st.DataObject) -> None:
    """For every type: a value, as a result and through JSON, is the argument that a function of that type gets."""
    inner = data.draw(within(SCALARS))
    kind, values = data.draw(within([inner]))
    value = data.draw(values)
    try:
        written = json.loads(json.dumps(to_json(value), allow_nan=False))
    except FormlessError as error:
        assert "two names" in str(error)  # noqa: PT017  (True and "true" are names of one dict)
        return
    got = given_for(kind, written)
    assert got == value
    if not dataclasses.is_dataclass(value):
        assert type(got) is type(value)


@given(st.timedeltas())
def test_durations(duration: dt.timedelta) -> None:
    """What is written is read, and as pydantic reads it."""
    text = encode_duration(duration)
    assert decode_duration(text) == duration
    assert pydantic.TypeAdapter(dt.timedelta).validate_python(text) == duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT0S", dt.timedelta()),
        ("P2W", dt.timedelta(weeks=2)),
        ("-PT1.5S", dt.timedelta(seconds=-1.5)),
        ("P1DT2H3M4.000005S", dt.timedelta(1, 4, 5, 0, 3, 2)),
        *((text, None) for text in ("", "P", "PT", "1D", "P1Y", "P1DT", "PT1.S", "P-1D", "PT٣S")),
    ],
)
def test_durations_as_text(text: str, expected: dt.timedelta | None) -> None:
    """ISO 8601, without years and months, which have no length."""
    if expected is None:
        with pytest.raises(ValueError, match="not a duration"):
            decode_duration(text)
    else:
        assert decode_duration(text) == expected


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.binary()
        | st.dates()
        | st.builds(Opaque),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner),
        max_leaves=8,
    )
)
def test_whatever_a_function_returns_is_told(result: Any) -> None:
    """A result or an error, never an exception, and always JSON."""
    assert list(response(taking_nothing(result))) in (["result"], ["error"])
