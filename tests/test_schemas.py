"""``response_schema`` and ``response_json_schema``: Python types and dicts as schemas (reference behaviour, 14)."""

# The classes are as programs write them: a docstring would be part of the schema, Optional is one of the spellings.
# ruff: noqa: D101, UP042, UP045, PYI061, D403

from __future__ import annotations

import copy
import enum
import importlib.util
import subprocess
import sys
import typing
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Optional, Union

import attrs
import pydantic
import pytest

import chatproto
from chatproto import types
from chatproto.convert.config import read_config
from chatproto.convert.json_schema import to_json_schema
from chatproto.convert.schemas import to_schema
from chatproto.errors import ValidationError
from chatproto.testing import ScriptedTransport
from chatproto.types._dump import to_wire
from chatproto.wire.gemini import GeminiApi
from chatproto.wire.vertex import VertexAi


class Color(enum.Enum):
    """Which colour."""

    RED = "red"
    BLUE = "blue"


class Only(enum.Enum):
    ONE = "one"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class StringLevel(str, enum.Enum):
    LOW = "low"


class Place(pydantic.BaseModel):
    """Where it is."""

    city: str
    zip_code: int | None = None
    color: Color = pydantic.Field(Color.RED, description="which")
    kind: Literal["a", "b"] = "a"
    only: Literal["one"] = "one"


class Tree(pydantic.BaseModel):
    name: str
    left: Optional[Tree] = None
    kids: list[Tree] = []


class Named(pydantic.BaseModel):
    name: str


class Table(pydantic.BaseModel):
    cells: dict[str, int]


class Numbers(pydantic.BaseModel):
    number: Literal[1]


@dataclass
class Person:
    """Somebody."""

    name: str
    age: int = 3
    nick: str | None = None
    tags: list[str] = field(default_factory=list)
    score: float | str = 0.5


@dataclass
class Family:
    head: Person
    color: Color = Color.RED
    second: Person | None = None
    kin: list[Family] = field(default_factory=list)
    either: Union[Person, Color, None] = None
    kind: Literal["x", "y"] = "x"
    one: Literal["x"] = "x"
    born: datetime | None = None
    whatever: Any = None
    above: Optional[Family] = None
    bare: list | None = None  # type: ignore[type-arg]
    several: tuple[int, ...] = ()
    place: Place | None = None
    noted: Annotated[int, pydantic.Field(description="how many", ge=1)] = 1


@attrs.define
class Dog:
    """A dog."""

    name: str
    years: int = 0
    friends: list[Dog] = attrs.Factory(list)


class Film(typing.TypedDict):
    title: str
    year: typing.NotRequired[int]


@attrs.define
class Kennel:
    dogs: list[Dog]
    place: Place
    film: Film


class Untyped:
    pass


@dataclass
class WithUntyped:
    inner: list[Untyped]


SAME: list[Any] = [
    *(Place, Tree, Named, Person, Family, Color, Only, Level, StringLevel),
    *(str, int, float, bool, list, datetime, date, time, bytes, Any),
    *(list[Place], list[str], list[list[int]], list[Person], list[Color], list[Tree], tuple[int, ...]),
    *(
        Optional[Place],
        Optional[int],
        Union[int, str],
        int | str,
        int | None,
        Union[Place, Named],
        Union[Place, Person],
    ),
    *(Literal["a", "b"], Literal["a"], Optional[list[Family]]),
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}}},
    {"type": "OBJECT", "properties": {"a": {"any_of": [{"type": "string"}, {"type": "null"}]}}, "required": ["a"]},
    {"type": "OBJECT", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "b": {"type": "null"}}},
    {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}, {"type": "null"}], "description": "d"},
    {"type": "array", "min_items": 1, "maxItems": 3, "items": {"type": "STRING", "format": "date-time"}},
    {"type": "object", "properties": {"b": {"type": "string"}, "a": {}}, "propertyOrdering": ["a", "b"]},
    {"type": "object", "properties": {"b": {"type": "string"}, "a": {}}, "property_ordering": ["a", "b"]},
    {"type": "object", "properties": {"any_of": {"type": "string"}, "title": {"type": "string", "title": "T"}}},
    {"type": "object", "properties": {}, "additionalProperties": False},
    {"type": "string", "const": "x"},
    {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}},
    Place.model_json_schema(),
    Tree.model_json_schema(),
]

#: Where google-genai sends nothing, or fails where it need not.
OURS_ALONE: dict[str, tuple[Any, dict[str, Any]]] = {
    "attrs classes, which pydantic does not know": (
        Dog,
        {
            "type": "OBJECT",
            "title": "Dog",
            "description": "A dog.",
            "properties": {
                "name": {"type": "STRING", "title": "Name"},
                "years": {"type": "INTEGER", "title": "Years", "default": 0},
                "friends": {"type": "ARRAY", "title": "Friends", "items": {}},
            },
            "propertyOrdering": ["name", "years", "friends"],
            "required": ["name"],
        },
    ),
    "typing.TypedDict, which pydantic takes from Python 3.12 on": (
        Film,
        {
            "type": "OBJECT",
            "title": "Film",
            "properties": {
                "title": {"type": "STRING", "title": "Title"},
                "year": {"type": "INTEGER", "title": "Year"},
            },
            "propertyOrdering": ["title", "year"],
            "required": ["title"],
        },
    ),
}


@pytest.mark.parametrize("shape", SAME, ids=lambda shape: str(shape)[:60])
def test_the_wire_is_that_of_google_genai(shape: Any) -> None:
    """The same input gives the same responseSchema in both modes, key case and "Placeholder" titles aside."""
    from reference_wire import Reference, normal

    if sys.version_info >= (3, 13) and shape == Optional[list[Family]]:
        pytest.skip("google-genai asks issubclass(list[Family], ...), which Python refuses since 3.13")
    for vertex in (False, True):
        theirs = Reference(vertex=vertex).body(config={"response_schema": copy.deepcopy(shape)})["generationConfig"]
        config = read_config({"response_schema": shape}).values
        dialect = VertexAi("p", "us-central1") if vertex else GeminiApi()
        ours = dialect.settings(config)["generationConfig"]
        assert normal(ours) == theirs


@pytest.mark.parametrize("reason", OURS_ALONE)
def test_shapes_that_google_genai_does_not_take(reason: str) -> None:
    """Deliberate differences: these are described as their like would be."""
    shape, expected = OURS_ALONE[reason]
    assert to_wire(to_schema(shape)) == expected


def test_classes_of_all_kinds_within_each_other() -> None:
    """An attrs class may hold pydantic models and TypedDicts, and two classes of one name stay two."""

    class Place(pydantic.BaseModel):
        street: str

    place = Place  # the other Place is that of the module

    @attrs.define
    class Both:
        one: Any = None

    Both.__annotations__["one"] = place
    schema = to_wire(to_schema(tuple[Both, ...] | Kennel))
    both, kennel = schema["anyOf"]
    assert both["items"]["properties"]["one"]["properties"] == {"street": {"type": "STRING", "title": "Street"}}
    assert kennel["properties"]["place"]["properties"]["zip_code"] == {
        "type": "INTEGER",
        "nullable": True,
        "title": "Zip Code",
    }
    assert kennel["properties"]["dogs"]["items"]["title"] == "Dog"


@pytest.mark.parametrize("shape", [dict, dict[str, int], Table, list[dict[str, Any]], {"additionalProperties": True}])
def test_maps_are_for_vertex_ai(shape: Any) -> None:
    """additionalProperties is an error that names its place for the Gemini API, and sent to Vertex AI, as there."""
    from reference_wire import Reference, normal

    config = read_config({"response_schema": copy.deepcopy(shape)}).values
    with pytest.raises(ValidationError, match=r"\$\.response_schema.*additional_properties: only Vertex AI"):
        GeminiApi().settings(config)
    with pytest.raises(ValueError):
        Reference().body(config={"response_schema": copy.deepcopy(shape)})
    theirs = Reference(vertex=True).body(config={"response_schema": copy.deepcopy(shape)})["generationConfig"]
    assert normal(VertexAi("p", "l").settings(config)["generationConfig"]) == theirs


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        (tuple[int, str], "prefixItems"),
        (set[int], "uniqueItems"),
        (list[Level], r"\$\.items\.enum\[0\]: expected a string, got int 1"),
        (Literal[1, 2], r"\$\.enum\[0\]"),
        (Literal["a", None], r"\$\.enum\[1\]"),
        (Numbers, r"\$\.properties\['number'\]: a constant must be a string, not 1"),
        ({"oneOf": []}, "'oneOf'"),
        ({"$schema": "x", "type": "string"}, "schema"),
        ({"type": "object", "properties": {"a": {"oneOf": []}}}, r"\$\.properties\['a'\]: Schema has no field 'oneOf'"),
        ({"type": ["string", "null"]}, r"\$\.type"),
        ({"$ref": "#/$defs/A"}, "no definition"),
        ({"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {}}, r"\['a'\]"),
        (types.Schema(), "empty"),
        (Untyped, "Untyped has no form"),
        (WithUntyped, r"\$\.inner: .*Untyped"),
        (types.Content, "Content belongs to the API"),
        ("STRING", "got str"),
        (5, "got int"),
    ],
)
def test_what_the_api_does_not_have_is_refused(shape: Any, problem: str) -> None:
    """Each is an error that names the place and the keyword, where google-genai fails too."""
    with pytest.raises(ValidationError, match=problem):
        to_schema(shape)
    if shape is not types.Content and not isinstance(shape, types.Schema):
        from reference_wire import Reference

        with pytest.raises((ValueError, TypeError, KeyError, AttributeError, pydantic.errors.PydanticUserError)):
            Reference().body(config={"response_schema": copy.deepcopy(shape)})


def test_the_error_names_the_config() -> None:
    """The path begins at the config that the program wrote."""
    with pytest.raises(ValidationError, match=r"^\$\.config\.response_schema\.properties\['a'\]: .*'oneOf'"):
        read_config({"response_schema": {"type": "object", "properties": {"a": {"oneOf": []}}}})


@pytest.mark.parametrize(
    "given",
    [
        {"type": "OBJECT", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "b": {}}},
        Tree.model_json_schema(),
        types.Schema.model_validate({"type": "OBJECT", "properties": {"a": {"type": "STRING"}, "b": {}}}),
    ],
)
def test_the_callers_schema_is_not_changed(given: Any) -> None:
    """A dict or a Schema in a config that is used again stays as it was; google-genai rewrites the dict."""
    before = copy.deepcopy(given)
    transport = ScriptedTransport("{}")
    chatproto.Client(transport=transport).models.generate_content(
        model="m", contents="q", config={"response_schema": given}
    )
    assert given == before
    assert transport.requests[0].json()["generationConfig"]["responseSchema"][
        "propertyOrdering" if "b" in str(given) else "properties"
    ]


def test_a_schema_sets_no_mime_type_and_an_empty_dict_no_schema() -> None:
    """As in google-genai."""
    config = read_config({"response_schema": Named}).values
    assert set(GeminiApi().settings(config)["generationConfig"]) == {"responseSchema"}
    config = read_config({"response_schema": {}}).values
    assert GeminiApi().settings(config) == {"generationConfig": {}}


def test_a_json_schema_goes_out_as_it_is() -> None:
    """response_json_schema: a dict verbatim, a class as its JSON Schema, where google-genai fails (W31)."""
    given = {"type": ["string", "null"], "any_of": {"x_y": 1}, "$defs": {}}
    assert read_config({"response_json_schema": given}).values.response_json_schema == given
    sent = read_config({"responseJsonSchema": Tree}).values.response_json_schema
    assert sent == Tree.model_json_schema()
    assert read_config({"response_json_schema": Dog}).values.response_json_schema == {
        "$ref": "#/$defs/Dog",
        "$defs": {
            "Dog": {
                "type": "object",
                "title": "Dog",
                "description": "A dog.",
                "properties": {
                    "name": {"type": "string", "title": "Name"},
                    "years": {"type": "integer", "title": "Years", "default": 0},
                    "friends": {"type": "array", "title": "Friends", "items": {"$ref": "#/$defs/Dog"}},
                },
                "required": ["name"],
            }
        },
    }


@pytest.mark.parametrize("shape", [Person, Family, Place, Tree, Kennel, list[Family], tuple[int, str], dict[str, Dog]])
def test_json_schemas_are_well_formed(shape: Any) -> None:
    """What is generated is JSON Schema, and each of its references has its definition."""
    import jsonschema

    document = to_json_schema(shape)
    jsonschema.Draft202012Validator.check_schema(document)
    names = set(document.get("$defs", ()))
    assert {name.partition("'")[0] for name in str(document).split("#/$defs/")[1:]} <= names


def test_a_config_holds_values_only() -> None:
    """What is handed to a machine can be pickled: no class is left in it."""
    import pickle

    config = read_config({"response_schema": list[Place], "response_json_schema": None}).values
    assert isinstance(config.response_schema, types.Schema)
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.skipif(importlib.util.find_spec("pydantic") is None, reason="shows that pydantic is not imported")
def test_pydantic_is_imported_only_when_met() -> None:
    """A dataclass, a TypedDict or an Enum is described and read without it."""
    code = (
        "import sys, enum, dataclasses\n"
        "from chatproto.convert.schemas import to_schema\n"
        "from chatproto.convert.parsed import ParseTarget\n"
        "@dataclasses.dataclass\n"
        "class P:\n    name: str\n"
        "class E(enum.Enum):\n    A = 'a'\n"
        "to_schema(list[P]); to_schema(E); to_schema(P | None)\n"
        """assert ParseTarget.of(list[P]).read('[{"name": "x"}]') == [P('x')]\n"""
        "print('pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
