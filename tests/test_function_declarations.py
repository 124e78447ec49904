"""Functions as declarations: what google-genai declares for the same function (reference behaviour, 11), and more."""

# The classes are as programs write them: a docstring would be part of the schema, Optional is one of the spellings.
# ruff: noqa: D101, D103, D403, D417, PYI061, UP006, UP042, UP045

from __future__ import annotations

import collections
import collections.abc
import datetime as dt
import decimal
import enum
import functools
import inspect
import ipaddress
import pathlib
import re
import threading
import typing
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypeVar, Union

import attrs
import jsonschema
import pydantic
import pytest
import typing_extensions

from chatproto import types
from chatproto.convert.functions import declare, name_of
from chatproto.errors import ValidationError


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(enum.Enum):
    A = "a"
    B = 1


class Only(enum.Enum):
    ONE = "one"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mood(str, enum.Enum):
    """How it is."""

    GOOD = "good"
    BAD = "bad"


class Place(pydantic.BaseModel):
    """Where it is."""

    city: str
    color: Color = Color.RED
    zip_code: int | None = pydantic.Field(None, description="if known")


class Tree(pydantic.BaseModel):
    value: int
    left: Tree | None = None


class Point(NamedTuple):
    x: int
    label: str = "here"


@dataclass
class Person:
    name: str
    place: Place | None = None
    tags: list[str] = field(default_factory=list)


@attrs.define
class Dog:
    name: str
    friends: list[Dog] = attrs.Factory(list)


class Film(typing.TypedDict):
    title: str
    year: typing.NotRequired[int]


class FilmOfExtensions(typing_extensions.TypedDict):
    title: str
    shot_in: Place


UserId = NewType("UserId", int)
T = TypeVar("T")


def taking(kind: Any, *default: Any) -> Any:
    """A function of one parameter."""

    def it(a: Any) -> None:
        """Do it."""

    it.__annotations__ = {"a": kind}
    it.__defaults__ = default
    return it


def theirs(function: Any) -> dict[str, Any]:
    """What google-genai declares."""
    from google.genai import types as reference

    made = reference.FunctionDeclaration.from_callable_with_api_option(callable=function, use_json_schema=True)
    return made.model_dump(exclude_none=True)


def ours(function: Any) -> dict[str, Any]:
    """What we declare."""
    return declare(function).declaration.model_dump(exclude_none=True)


SAME: list[Any] = [
    *(str, int, float, bool, None, type(None), Any, object, bytes, list, dict, tuple, set, frozenset),
    *(typing.List, typing.Dict, typing.Tuple, typing.Set, typing.Hashable, typing.Sequence),
    *(Optional[int], Union[int, str], int | None, float | int, str | bytes | None, Union[list[int], dict[str, int]]),
    *(
        Literal["x", "y"],
        Literal["x"],
        Literal[1, 2],
        Literal[1, "a"],
        Literal[True],
        Literal[None],
        Literal["x", None],
    ),
    *(Literal[Color.RED], Literal[Color.RED, Color.BLUE], Union[int, Literal["a"]]),
    *(Color, Mixed, Only, Level, Mood, list[Color], dict[Color, int], Optional[Color]),
    *(list[str], list[list[int]], dict[str, int], dict[int, str], dict[str, Any], dict[dt.date, int]),
    *(dict[Literal["a", "b"], int], list[dict[str, list[int]]]),
    *(tuple[int, str], tuple[int, ...], tuple[()], list[tuple[int, str]], Point, list[Point]),
    *(set[int], frozenset[str], set[Color], collections.deque, typing.Deque[int]),
    *(collections.abc.Sequence[int], collections.abc.Iterable[int], collections.abc.MutableSequence[int]),
    *(collections.abc.Mapping[str, int], collections.abc.MutableMapping[str, int]),
    *(collections.abc.Set[int], collections.abc.MutableSet[int]),
    *(collections.OrderedDict, typing.OrderedDict[str, int], typing.DefaultDict[str, int], typing.Counter[str]),
    *(
        Place,
        Tree,
        list[Place],
        Optional[Place],
        dict[str, Place],
        list[Tree],
        Union[Place, Tree],
        list[Optional[Place]],
    ),
    *(Annotated[int, pydantic.Field(description="AA", ge=1)], Annotated[str, "note"]),
    *(Annotated[list[Annotated[int, pydantic.Field(ge=1)]], "note"], Optional[Annotated[int, pydantic.Field(ge=1)]]),
    *(dt.datetime, dt.date, dt.time, dt.timedelta, uuid.UUID, pathlib.Path, complex),
    *(
        re.Pattern,
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        list[bytes],
        pydantic.SecretStr,
        list[pydantic.HttpUrl],
    ),
    *(list[Person], Optional[Person], dict[str, Person], list[FilmOfExtensions], Optional[FilmOfExtensions]),
    *(UserId, list[UserId], T, list[T], typing.Final[int], "int", "list[Place]"),  # type: ignore[valid-type]
]


@pytest.mark.parametrize("kind", SAME, ids=lambda kind: str(kind)[:60])
def test_parameters_are_declared_as_google_genai_declares_them(kind: Any) -> None:
    """Every kind of annotation that it takes: the same schema, required in the same cases."""
    function = taking(kind)
    assert ours(function) == theirs(function)


@pytest.mark.parametrize("kind", SAME, ids=lambda kind: str(kind)[:60])
def test_results_are_declared_as_google_genai_declares_them(kind: Any) -> None:
    """Every kind of annotation that it takes, as what a function returns."""
    function = taking(int)
    function.__annotations__["return"] = kind
    assert ours(function) == theirs(function)


DEFAULTS: list[tuple[Any, Any]] = [
    *((str, "x"), (int, 3), (float, 0.5), (bool, False), (Optional[int], None), (Union[int, str], 1), (Any, None)),
    *((int, None), (list[str], ["a"]), (dict[str, int], {"a": 1}), (Literal["x", "y"], "y"), (Mood, Mood.BAD)),
]


@pytest.mark.parametrize(("kind", "default"), DEFAULTS, ids=str)
def test_defaults_are_declared_as_google_genai_declares_them(kind: Any, default: Any) -> None:
    """A parameter with a default is not required, and the schema says the default, null too."""
    function = taking(kind, default)
    assert ours(function) == theirs(function)
    assert "required" in ours(function)["parameters_json_schema"]


def forecast(
    city: str, /, days: int = 3, *more: str, place: Place, places: list[Place], tree: Tree, **rest: int
) -> list[Place]:
    """Say what the weather will be.

    Args:
        city: where.
    """
    raise AssertionError


class Station:
    """A place with a thermometer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read = 0

    def temperature(self, unit: Literal["C", "F"] = "C") -> float:
        """Read the thermometer."""
        self.read += 1
        return self.read + (0.5 if unit == "C" else 0)

    @classmethod
    def of(cls, name: str) -> str:
        """The station of that name."""
        return f"{cls.__name__} {name}"

    @staticmethod
    def known() -> list[str]:
        """All of them."""
        return []

    def __call__(self, hours: int) -> str:
        """Wait."""
        return f"{hours} hours"


def wrapper(function: Any) -> Any:
    """A decorator."""

    @functools.wraps(function)
    def inner(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return inner


@wrapper
def wrapped(a: int, place: Place) -> str:
    """Has been wrapped."""
    return f"{a} {place.city}"


async def slow(a: int) -> int:
    """Take time."""
    return a


def undocumented(a: int):  # type: ignore[no-untyped-def]
    return a


def nothing() -> int:
    """Take nothing."""
    return 5


CALLABLES: list[Any] = [
    forecast,
    Station().temperature,
    Station.of,
    Station.known,
    wrapped,
    slow,
    undocumented,
    nothing,
]


@pytest.mark.parametrize("function", CALLABLES, ids=lambda function: function.__name__)
def test_callables_are_declared_as_google_genai_declares_them(function: Any) -> None:
    """Functions, methods, wrapped functions: name, description, parameters and result."""
    assert ours(function) == theirs(function)


def test_a_whole_declaration() -> None:
    """What goes to the model, and that it is JSON Schema."""
    made = ours(forecast)
    assert made["name"] == "forecast"
    assert made["description"] == "Say what the weather will be.\n\nArgs:\n    city: where."
    parameters = made["parameters_json_schema"]
    assert list(parameters["properties"]) == ["city", "days", "place", "places", "tree"]
    assert parameters["required"] == ["city", "place", "places", "tree"]
    assert parameters["properties"]["place"]["title"] == "Place"
    assert parameters["properties"]["tree"] == {"$ref": "#/$defs/Tree"}
    assert sorted(parameters["$defs"]) == ["Color", "Place", "Tree"]
    assert sorted(made["response_json_schema"]["$defs"]) == ["Color", "Place"]
    jsonschema.Draft202012Validator.check_schema(parameters)
    jsonschema.Draft202012Validator.check_schema(made["response_json_schema"])
    assert ours(nothing) == {"name": "nothing", "description": "Take nothing."}


# --- beyond google-genai ------------------------------------------------------------------------------------------

DOG = {
    "type": "object",
    "title": "Dog",
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "friends": {"type": "array", "title": "Friends", "items": {"$ref": "#/$defs/Dog"}},
    },
    "required": ["name"],
}
FILM = {
    "type": "object",
    "title": "Film",
    "properties": {"title": {"type": "string", "title": "Title"}, "year": {"type": "integer", "title": "Year"}},
    "required": ["title"],
}
PERSON = {
    "type": "object",
    "title": "Person",
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "place": {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string"}, "title": "Tags"},
    },
    "required": ["name"],
}

#: Where google-genai raises.
OURS_ALONE: dict[str, tuple[Any, dict[str, Any]]] = {
    "dataclasses": (Person, PERSON),
    "attrs classes": (Dog, {"$ref": "#/$defs/Dog"}),
    "in lists too": (list[Dog], {"type": "array", "items": {"$ref": "#/$defs/Dog"}}),
    "typing.TypedDict": (Film, FILM),
    "collections": (collections.abc.Collection[int], {"type": "array", "items": {"type": "integer"}}),
    "text within types": (list["Film"], {"type": "array", "items": {"$ref": "#/$defs/Film"}}),
    "a model with a note of another's": (
        Annotated[Place, "note"],
        {key: item for key, item in Place.model_json_schema().items() if key != "$defs"},
    ),
    "models with a note": (
        Annotated[Place, pydantic.Field(description="there")],
        {"$ref": "#/$defs/Place", "description": "there"},
    ),
}


@pytest.mark.parametrize("reason", OURS_ALONE)
def test_what_google_genai_cannot_declare(reason: str) -> None:
    """Classes that pydantic cannot describe by themselves."""
    kind, expected = OURS_ALONE[reason]
    with pytest.raises(ValueError, match="Failed to parse the parameter"):
        theirs(taking(kind))
    made = ours(taking(kind))["parameters_json_schema"]
    assert made["properties"]["a"] == expected
    jsonschema.Draft202012Validator.check_schema(made)


def test_decimals() -> None:
    """pydantic adds a pattern in some of its versions."""
    expected = {"anyOf": [{"type": "number"}, {"type": "string"}]}
    assert ours(taking(decimal.Decimal))["parameters_json_schema"]["properties"]["a"] == expected


@pytest.mark.parametrize(
    ("kind", "default", "expected"),
    [
        (Color, Color.BLUE, {"default": "blue"}),
        (Person, Person("x"), {"default": {"name": "x", "place": None, "tags": []}}),
        (set[int], {2, 1}, {"default": [1, 2]}),
        (dt.date, dt.date(2026, 1, 2), {"default": "2026-01-02"}),
        (float, float("nan"), {}),
        (Any, object(), {}),
    ],
)
def test_defaults_that_are_no_json(kind: Any, default: Any, expected: dict[str, Any]) -> None:
    """They are said as JSON; one that has no form in it is not said, and the parameter is not required either."""
    made = ours(taking(kind, default))["parameters_json_schema"]
    assert made["required"] == []
    property_ = made["properties"]["a"]
    assert {key: item for key, item in property_.items() if key == "default"} == expected


def add(a: int, b: int = 1, *, c: Color = Color.RED) -> int:
    """Add them."""
    return a + b + len(c.value)


class Quiet:
    def __call__(self, hours: int) -> None:
        raise AssertionError


named_partial = functools.partial(add, 1)
named_partial.__name__ = "increment"  # type: ignore[attr-defined]
annotated_lambda = lambda x: x  # noqa: E731
annotated_lambda.__annotations__ = {"x": int}


@pytest.mark.parametrize(
    ("function", "name", "description", "parameters"),
    [
        (functools.partial(add, 1), "add", "Add them.", ["b", "c"]),
        (functools.partial(add, b=1), "add", "Add them.", ["a", "c"]),
        (functools.partial(functools.partial(add, 1), c=Color.RED), "add", "Add them.", ["b"]),
        (functools.partial(Station().temperature), "temperature", "Read the thermometer.", ["unit"]),
        (functools.partial(Station()), "Station", "Wait.", ["hours"]),
        (functools.partial(wrapped, 5), "wrapped", "Has been wrapped.", ["place"]),
        (named_partial, "increment", "Add them.", ["b", "c"]),
        (Station(), "Station", "Wait.", ["hours"]),
        (Quiet(), "Quiet", "", ["hours"]),
        (annotated_lambda, "<lambda>", "", ["x"]),
        (Station.__dict__["known"], "known", "All of them.", []),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)
def test_callables_without_a_name(function: Any, name: str, description: str, parameters: list[str]) -> None:
    """Partials are called as what they wrap, objects as their class; what is bound is not declared."""
    made = declare(function).declaration
    assert (made.name, made.description) == (name, description)
    schema = made.parameters_json_schema or {"properties": {}}
    assert list(schema["properties"]) == parameters


def test_classes_of_one_name_are_told_apart() -> None:
    """google-genai lets the second take the place of the first."""

    def other() -> Any:
        class Place(pydantic.BaseModel):
            height: int

        return Place

    def it(a: Any, b: Any) -> None:
        raise AssertionError

    it.__annotations__ = {"a": list[Place], "b": list[other()]}  # type: ignore[misc]
    made = ours(it)["parameters_json_schema"]
    first, second = (made["properties"][name]["items"]["$ref"].removeprefix("#/$defs/") for name in "ab")
    assert "city" in made["$defs"][first]["properties"]
    assert "height" in made["$defs"][second]["properties"]


def test_names_of_the_function_around_it() -> None:
    """An annotation that is text finds what the function uses of its surroundings."""

    @dataclass
    class Local:
        a: int

    def it(local: Local) -> Local:
        return Local(local.a)

    assert declare(it).call({"local": {"a": 1}}) == Local(1)


@pytest.mark.parametrize(
    "returned", [types.Part, types.FunctionResponse, "Unknown", collections.abc.Iterator[int], threading.Lock]
)
def test_a_result_that_cannot_be_described_is_not(returned: Any) -> None:
    """The model does without; google-genai raises."""
    function = taking(int)
    function.__annotations__["return"] = returned
    assert "response_json_schema" not in ours(function)
    assert "parameters_json_schema" in ours(function)


@pytest.mark.parametrize(
    "kind",
    [
        *(collections.abc.Callable[..., int], collections.abc.Iterator[int], threading.Thread, type, range, memoryview),
        *(types.Content, list[types.Part], list[threading.Thread], "Unknown", "1 +", typing.Self),
        Annotated[Dog, pydantic.Field(description="x")],
    ],
    ids=lambda kind: str(kind)[:60],
)
def test_a_parameter_that_cannot_be_declared(kind: Any) -> None:
    """The error names the function and the parameter."""
    with pytest.raises(ValidationError, match=r"parameter 'a' of function 'it'"):
        declare(taking(kind))


def test_the_error_says_where() -> None:
    """Within a class, by its fields."""

    @attrs.define
    class Kennel:
        dogs: list[Dog]
        door: threading.Thread

    with pytest.raises(
        ValidationError, match=r"parameter 'a\.door' of function 'it' cannot be declared: threading\.Thr"
    ):
        declare(taking(Kennel))


@pytest.mark.parametrize("function", [lambda x: x, len, functools.partial(divmod, 1), inspect.signature], ids=name_of)
def test_a_parameter_without_annotation(function: Any) -> None:
    """The model could not know what to give."""
    with pytest.raises(ValidationError, match=r"parameter '\w+' of function '.+' has no annotation"):
        declare(function)


@pytest.mark.parametrize(
    ("function", "problem"), [(Station, "is a class"), (dict, "is a class"), (5, "cannot be called")]
)
def test_what_is_no_function(function: Any, problem: str) -> None:
    """Classes are not, even where they could be called."""
    with pytest.raises(ValidationError, match=problem):
        declare(function)


def test_builtins_that_do_not_say_what_they_take() -> None:
    """The error names the function."""
    with pytest.raises(ValidationError, match="function 'getattr' does not say"):
        declare(getattr)


# --- the older form -----------------------------------------------------------------------------------------------


class Flat(pydantic.BaseModel):
    a: int
    b: Optional[str] = None
    c: list[str]


def openapi(function: Any, option: str, module: Any = types) -> dict[str, Any]:
    """The declaration with a Schema, as chatproto makes it, or as the module that is given does."""
    made = module.FunctionDeclaration.from_callable_with_api_option(callable=function, api_option=option)
    return made.model_dump(exclude_none=True, mode="json")  # type: ignore[no-any-return]


OPENAPI_SAME: list[tuple[Any, ...]] = [
    *((str,), (int,), (float,), (bool,), (list,), (dict,), (typing.List,), (str, "x"), (int, 3), (int, None)),
    *(
        (Optional[int],),
        (int | None,),
        (Optional[int], None),
        (int | None, 3),
        (Optional[list[str]],),
        (list[str] | None,),
    ),
    *((Union[int, str],), (int | str | None,), (Union[int, str], 1), (Union[list[int], str],), (list[int | str],)),
    *((Literal["x", "y"],), (Literal["x", "y"], "x"), (list[str],), (list[str], ["a"]), (list[list[int]],)),
    *((dict[str, int],), (dict[str, int], {"a": 1}), (Flat,), (list[Flat],), (Flat | None,), (Optional[Place],)),
    *((Color,), (Mood,), (list[Color],), (set[int],), (set[int], None), (tuple[int, ...],), (dt.datetime,), (dt.date,)),
    *((bytes,), (Any,), (float, 1), (int, "x"), (Annotated[int, pydantic.Field(description="AA", ge=1)],)),
    *((Annotated[str, pydantic.Field(max_length=3)],), (list[Person],), (dict[str, Place],), (list[Tree],), (UserId,)),
]


@pytest.mark.parametrize("option", ["GEMINI_API", "ENTERPRISE", "VERTEX_AI"])
@pytest.mark.parametrize("given", OPENAPI_SAME, ids=lambda given: ", ".join(map(str, given))[:60])
def test_the_older_form_is_what_google_genai_makes(given: tuple[Any, ...], option: str) -> None:
    """The same Schema of the parameters, and for Vertex AI of the result, where it is one."""
    from google.genai import types as reference

    function = taking(*given)
    assert openapi(function, option) == openapi(function, option, reference)


RETURNED: list[Any] = [
    *(
        str,
        None,
        list,
        list[str],
        dict[str, int],
        Optional[int],
        Literal["x", "y"],
        Flat,
        Color,
        set[int],
        dt.date,
    ),
    *(tuple[int, str], Any),
]


@pytest.mark.parametrize("option", ["GEMINI_API", "ENTERPRISE"])
@pytest.mark.parametrize("returned", RETURNED, ids=str)
def test_results_in_the_older_form(returned: Any, option: str) -> None:
    """For Vertex AI, a Schema, or a JSON Schema where there is none."""
    from google.genai import types as reference

    function = taking(int)
    function.__annotations__["return"] = returned
    assert openapi(function, option) == openapi(function, option, reference)


@pytest.mark.parametrize("function", CALLABLES, ids=lambda function: function.__name__)
def test_callables_in_the_older_form(function: Any) -> None:
    """Names, descriptions and what is required."""
    from google.genai import types as reference

    if function not in (forecast, wrapped):  # it cannot do with their models
        assert openapi(function, "GEMINI_API") == openapi(function, "GEMINI_API", reference)
    assert openapi(function, "GEMINI_API")["name"] == function.__name__


#: What google-genai makes less of: a kind, the option, and of the declaration we make, one entry.
OPENAPI_DIFFERENT: dict[str, tuple[Any, str, str, Any]] = {
    "it forgets the names in an optional Literal": (
        Optional[Literal["a", "b"]],
        "GEMINI_API",
        "parameters",
        {"type": "STRING", "enum": ["a", "b"], "nullable": True},
    ),
    "it forgets the fields of an optional model": (
        Optional[Flat],
        "GEMINI_API",
        "parameters",
        {
            "type": "OBJECT",
            "nullable": True,
            "properties": {
                "a": {"type": "INTEGER"},
                "b": {"type": "STRING", "nullable": True},
                "c": {"type": "ARRAY", "items": {"type": "STRING"}},
            },
            "required": ["a", "c"],
        },
    ),
    "an enum of numbers is none to the API": (
        Literal[1, 2],
        "GEMINI_API",
        "parameters_json_schema",
        {"type": "integer", "enum": [1, 2]},
    ),
    "it sends a JSON Schema that is none of an object": (
        tuple[int, str],
        "GEMINI_API",
        "parameters_json_schema",
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
            "unevaluatedItems": False,
        },
    ),
    "it cannot do with a field that is an Enum": (
        Place,
        "GEMINI_API",
        "parameters",
        {
            "type": "OBJECT",
            "title": "Place",
            "description": "Where it is.",
            "properties": {
                "city": {"type": "STRING", "title": "City"},
                "color": {"type": "STRING", "enum": ["red", "blue"]},
                "zip_code": {"type": "INTEGER", "nullable": True},
            },
            "required": ["city"],
        },
    ),
    "nor with a TypedDict of typing's": (
        Film,
        "GEMINI_API",
        "parameters",
        {
            "type": "OBJECT",
            "title": "Film",
            "properties": {"title": {"type": "STRING", "title": "Title"}, "year": {"type": "INTEGER", "title": "Year"}},
            "required": ["title"],
        },
    ),
}


@pytest.mark.parametrize("reason", OPENAPI_DIFFERENT)
def test_the_older_form_where_it_differs(reason: str) -> None:
    """What the API takes, and what is not lost."""
    kind, option, place, expected = OPENAPI_DIFFERENT[reason]
    made = openapi(taking(kind), option)
    assert made[place]["properties"]["a"] == expected
    assert made.keys() & {"parameters", "parameters_json_schema"} == {place}


def test_a_union_as_a_result() -> None:
    """It is JSON Schema; google-genai puts a Schema there."""
    function = taking(int)
    function.__annotations__["return"] = Union[int, str]
    assert openapi(function, "ENTERPRISE")["response_json_schema"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}]
    }


def test_from_callable() -> None:
    """By the client, with a behavior, and as chats declare it; google-genai's arguments."""
    from google.genai import types as reference

    class OfVertex:
        vertexai = True

    function = taking(int)
    make = types.FunctionDeclaration.from_callable
    assert make(callable=wrapped).response is None
    assert make(client=None, callable=wrapped).response is None
    made = make(client=OfVertex(), callable=wrapped)
    assert made.response == types.Schema(type=types.Type.STRING)
    behavior = types.Behavior.NON_BLOCKING
    made = make(client=OfVertex(), callable=function, behavior=behavior, use_json_schema=True)
    theirs_ = reference.FunctionDeclaration.from_callable(
        client=OfVertex(),  # type: ignore[arg-type]
        callable=function,
        behavior=reference.Behavior.NON_BLOCKING,
        use_json_schema=True,
    )
    assert made.model_dump(exclude_none=True, mode="json") == theirs_.model_dump(exclude_none=True, mode="json")
    assert made.behavior is behavior
    assert (
        types.FunctionDeclaration.from_callable_with_api_option(callable=function, behavior=behavior).behavior
        is behavior
    )
    with pytest.raises(ValidationError, match="api_option is one of"):
        types.FunctionDeclaration.from_callable_with_api_option(callable=function, api_option="x")
    with pytest.raises(ValidationError, match="parameter 'x' of function"):
        make(callable=lambda x: x)
