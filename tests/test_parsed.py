"""``response.parsed``: what the program asked for, made of the text of the answer (reference behaviour, 14)."""

# The classes are as programs write them: a docstring would be part of the schema, Optional is one of the spellings.
# ruff: noqa: D101, UP042, UP045

from __future__ import annotations

import enum
import json
import typing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import attrs
import pydantic
import pytest

from chatproto import types
from chatproto.convert.config import read_config
from chatproto.convert.parsed import ParseTarget, parse_response


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class StringLevel(str, enum.Enum):
    LOW = "low"


class Place(pydantic.BaseModel):
    city: str
    color: Color = Color.RED


class BigPlace(pydantic.BaseModel):
    city: str
    people: int


class Fussy(pydantic.BaseModel):
    city: str

    @pydantic.field_validator("city")
    @classmethod
    def refuse(cls, city: str) -> str:
        """A validator of the program's with a bug."""
        raise RuntimeError(city)


@dataclass
class Person:
    name: str
    age: int = 3
    tags: list[str] = field(default_factory=list)
    boss: Optional[Person] = None
    place: Place | None = None
    color: Color | None = None
    born: datetime | None = None
    noted: Annotated[int, pydantic.Field(ge=1)] = 1


@attrs.define
class Dog:
    name: str
    friends: list[Dog] = attrs.Factory(list)


@attrs.define
class Cat:
    name: str
    lives: int = 9


class Film(typing.TypedDict):
    title: str
    year: typing.NotRequired[int]


def parsed(shape: Any, text: str) -> Any:
    """``parsed`` of an answer of ``text``."""
    content = types.Content(role="model", parts=[types.Part(text=text)])
    response = types.GenerateContentResponse(candidates=[types.Candidate(content=content)])
    parse_response(response, ParseTarget.of(shape))
    return response.parsed


SAME: list[tuple[Any, str]] = [
    (Place, '{"city": "x"}'),
    (Place, '{"city": "x", "color": "blue", "more": 1}'),
    (Place, '{"city": 5}'),
    (Place, '```json\n{"city": "x"}\n```'),
    (Place, "Here you are: "),
    (list[Place], '[{"city": "x"}, {"city": "y"}]'),
    (list[Place], '{"city": "x"}'),
    (list[str], '["a", "b"]'),
    (list[str], '"ab"'),
    (list, "[1, null]"),
    (int, "5"),
    (float, "5"),
    (float, "0.5"),
    (str, '"5"'),
    (str, "not JSON"),
    (bool, "true"),
    (dict, '{"a": 1}'),
    (dict[str, int], '{"a": 1}'),
    (dict[str, Place], '{"a": {"city": "x"}}'),
    (date, '"2024-05-06"'),
    (time, '"10:11:12"'),
    (Color, '"red"'),
    (Color, "red"),
    (Color, "green"),
    (StringLevel, "low"),
    (Literal["a", "b"], '"a"'),
    (Literal["a", "b"], "b"),
    (Literal["a", "b"], "c"),
    (Union[int, str], "5"),
    (Union[int, str], '"5"'),
    (Union[Place, BigPlace], '{"city": "x", "people": 3}'),
    (Union[Place, BigPlace], '{"city": "x"}'),
    (Union[Place, BigPlace], "[]"),
    (Person, '{"name": "x", "boss": {"name": "y", "tags": ["z"]}, "place": {"city": "c"}, "color": "blue"}'),
    (Person, '{"age": 1}'),
    (Person, '{"name": "x", "noted": 0}'),
    ({"type": "OBJECT"}, '{"a": [1]}'),
    ({"type": "OBJECT"}, "{"),
]


@pytest.mark.parametrize(("shape", "text"), SAME, ids=lambda given: str(given)[:60])
def test_parsed_is_what_google_genai_makes_of_it(shape: Any, text: str) -> None:
    """Instances, members, plain values, and None where the text does not fit."""
    from reference_wire import Reference

    assert parsed(shape, text) == Reference(vertex=True).parsed(shape, text)


#: Shape, text, what google-genai 3.4.0 gives (an exception's class if it fails), what we give; by reason.
DIFFERENT: dict[str, tuple[Any, str, Any, Any]] = {
    "an optional model is a model": (Optional[Place], '{"city": "x"}', {"city": "x"}, Place(city="x")),
    "and null is None": (Optional[Place], "null", None, None),
    "an IntEnum has members": (Level, "2", None, Level.HIGH),
    "which the schema names as strings": (Level, '"1"', None, Level.LOW),
    "what stands around a name does not matter": (Color, ' "red"\n', None, Color.RED),
    "text is no number": (int, '"5"', 5, None),
    "and true is none": (list[int], "[true]", [1], None),
    "nor in a dataclass": (Person, '{"name": "x", "age": "4"}', Person("x", 4), None),
    "attrs classes": (Dog, '{"name": "a", "friends": [{"name": "b"}]}', Exception, Dog("a", [Dog("b")])),
    "attrs classes in lists": (list[Dog], '[{"name": "a"}]', Exception, [Dog("a")]),
    "the class that knows the keys": (Union[Dog, Cat], '{"name": "a", "lives": 7}', Exception, Cat("a", 7)),
    "whichever comes first": (Union[Cat, Dog], '{"name": "a", "friends": []}', Exception, Dog("a")),
    "attrs beside pydantic": (
        list[Place | Dog],
        '[{"name": "a"}, {"city": "x"}]',
        Exception,
        [Dog("a"), Place(city="x")],
    ),
    "a UUID": (UUID, f'"{UUID(int=5)}"', UUID(int=5), UUID(int=5)),
    "a tuple, which has no schema there": (tuple[int, str], '[1, "a"]', Exception, (1, "a")),
    "a validator that fails costs no answer": (Fussy, '{"city": "x"}', RuntimeError, None),
}


@pytest.mark.parametrize("reason", DIFFERENT)
def test_parsed_where_it_differs(reason: str) -> None:
    """Deliberate differences, each with what google-genai does."""
    from reference_wire import Reference

    shape, text, theirs, ours = DIFFERENT[reason]
    assert parsed(shape, text) == ours
    assert type(parsed(shape, text)) is type(ours)
    if isinstance(theirs, type):
        with pytest.raises(theirs):
            Reference(vertex=True).parsed(shape, text)
    else:
        assert Reference(vertex=True).parsed(shape, text) == theirs


@pytest.mark.parametrize(
    ("shape", "text", "expected"),
    [
        (Film, '{"title": "x", "year": 3, "more": 1}', {"title": "x", "year": 3}),
        (Film, '{"title": "x"}', {"title": "x"}),
        (Film, '{"year": 3}', None),
        (Union[list[Place], Place], '[{"city": "x"}]', [Place(city="x")]),
        (Union[list[Place], Place], '{"city": "x"}', Place(city="x")),
    ],
)
def test_shapes_that_depend_on_pythons_version_there(shape: Any, text: str, expected: Any) -> None:
    """google-genai takes a TypedDict of typing's from Python 3.12 on, and a union with a list before it only."""
    assert parsed(shape, text) == expected


def test_timestamps() -> None:
    """A datetime is one of the standard library's, with its zone."""
    made = parsed(Person, '{"name": "x", "born": "2024-05-06T07:08:09Z"}')
    assert made.born == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert parsed(datetime, '"2024-05-06T07:08:09Z"') == made.born


def test_only_the_answers_text_is_read() -> None:
    """Thoughts are not part of it; an answer without text, or without a target, has no ``parsed``."""
    parts = [types.Part(text="hm", thought=True), types.Part(text='{"city":'), types.Part(text=' "x"}')]
    content = types.Content(role="model", parts=parts)
    response = types.GenerateContentResponse(candidates=[types.Candidate(content=content)])
    parse_response(response, None)
    assert response.parsed is None
    parse_response(response, ParseTarget.of(Place))
    assert response.parsed == Place(city="x")
    empty = types.GenerateContentResponse()
    parse_response(empty, ParseTarget.of(Place))
    assert empty.parsed is None


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ({"response_schema": Place}, Place),
        ({"responseSchema": Place}, Place),
        (types.GenerateContentConfig(response_schema=list[Place]), list[Place]),
        ({"response_json_schema": Dog}, Dog),
        ({"response_schema": Place, "response_json_schema": {"type": "object"}}, Place),
        ({"response_schema": {"type": "OBJECT"}}, None),
        ({"response_schema": types.Schema(type=types.Type.OBJECT)}, None),
        ({"response_json_schema": {"type": "object"}}, None),
    ],
)
def test_the_target_is_what_the_config_asks_for(given: Any, shape: Any) -> None:
    """Either spelling, a dict or an object; response_schema goes before response_json_schema; a dict is any JSON."""
    assert read_config(given).target == ParseTarget(shape)


@pytest.mark.parametrize("given", [{}, {"response_mime_type": "application/json"}, types.GenerateContentConfig()])
def test_no_target(given: Any) -> None:
    """A MIME type alone asks for no ``parsed``, as in google-genai."""
    assert read_config(given).target is None


def test_hostile_text_leaves_none() -> None:
    """Whatever the model writes, nothing is raised."""
    for text in ("[" * 100_000, "1" * 5000, '"\ud800"', "NaN", "", "null", json.dumps({"name": {}})):
        for shape in (Place, Person, list[int], Level, Color, Union[Dog, Cat], Literal["a"]):
            assert parsed(shape, text) is None
