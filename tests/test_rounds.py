"""Function calls and their responses: which answers which."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import ValidationError
from chatproto.machines.rounds import answer_calls, calls_in, responses_in

Json = dict[str, Any]

NAMES = ["f", "g"]


@st.composite
def open_calls(draw: st.DrawFn) -> list[Json]:
    """Calls of few functions, some with ids of their own."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
    calls: list[Json] = [{"name": name, "args": {}} for name in names]
    for number, call in enumerate(calls):
        if draw(st.booleans()):
            call["id"] = f"id{number}"
    return calls


def response(name: str, identifier: str | None = None, **beside: Any) -> Json:
    """A part that answers a call."""
    inside: Json = {"name": name, "response": {"output": 1}}
    if identifier is not None:
        inside["id"] = identifier
    return {"functionResponse": inside, **beside}


def answered(calls: list[Json], *parts: Json) -> list[Json]:
    """The parts of an answer, with their ids."""
    (content,) = answer_calls(calls, [{"role": "user", "parts": list(parts)}])
    assert content["role"] == "user"
    return list(content["parts"])


def ids(parts: list[Json]) -> list[str | None]:
    """Those of the responses among ``parts``."""
    return [each.get("id") for each in responses_in({"parts": parts})]


@given(st.data(), open_calls())
def test_missing_ids_are_filled_by_name_in_order(data: st.DataObject, calls: list[Json]) -> None:
    """The k-th response of a name without ids answers the k-th call of that name, in whatever order names come."""
    parts = [response(call["name"]) for call in calls]
    shuffled = data.draw(st.permutations(parts))
    queues = {name: [call.get("id") for call in calls if call["name"] == name] for name in NAMES}
    expected = [queues[part["functionResponse"]["name"]].pop(0) for part in shuffled]
    assert ids(answered(calls, *shuffled)) == expected


@given(st.data(), open_calls())
def test_each_call_is_answered_once(data: st.DataObject, calls: list[Json]) -> None:
    """L7: responses with and without ids, in any order and with anything beside them: each call gets its own."""
    parts: list[Json] = []
    for call in calls:
        given_id = call.get("id") if data.draw(st.booleans()) else None
        parts.append(response(call["name"], given_id))
    parts = data.draw(st.permutations(parts))
    beside: list[Json] = data.draw(st.lists(st.sampled_from([{"text": "x"}, {"newKind": 1}, {}]), max_size=2))
    before = copy.deepcopy((calls, parts))
    found = answered(calls, *beside, *parts)
    assert found[: len(beside)] == beside
    assert (calls, parts) == before
    assert sorted(filter(None, ids(found))) == sorted(call["id"] for call in calls if "id" in call)
    names = {call["id"]: call["name"] for call in calls if "id" in call}
    for each in responses_in({"parts": found}):
        assert "id" not in each or names[each["id"]] == each["name"]


@given(st.data(), open_calls())
def test_what_does_not_fit_is_refused(data: st.DataObject, calls: list[Json]) -> None:
    """One response less, one more, one of another name or id: ValidationError, and nothing is changed."""
    parts = [response(call["name"], call.get("id")) for call in calls]
    place = data.draw(st.integers(0, len(parts) - 1))
    wrong = data.draw(
        st.sampled_from(
            [
                [*parts[:place], *parts[place + 1 :]],
                [*parts, copy.deepcopy(parts[place])],
                [*parts, response("nobody asked for it")],
                [*parts[:place], response("h"), *parts[place + 1 :]],
                [*parts[:place], response("h", "no such id"), *parts[place + 1 :]],
            ]
        )
    )
    before = copy.deepcopy((calls, wrong))
    with pytest.raises(ValidationError):
        answered(calls, *wrong)
    assert (calls, wrong) == before


def test_responses_that_name_their_call_come_first() -> None:
    """A response without an id takes what those with one leave, also when it stands before them."""
    calls = [{"name": "f", "id": "1"}, {"name": "f", "id": "2"}]
    assert ids(answered(calls, response("f"), response("f", "1"))) == ["2", "1"]


def test_an_id_that_the_program_made_up_does_for_a_call_that_has_none() -> None:
    """And it is left as it is."""
    assert ids(answered([{"name": "f"}], response("f", "mine"))) == ["mine"]


def test_only_the_id_is_filled_in() -> None:
    """Whatever else is in the part stays, in its order."""
    part = {"thoughtSignature": "c2ln", **response("f"), "newKey": [1]}
    (found,) = answered([{"name": "f", "id": "7"}], part)
    assert list(found) == list(part)
    assert found == {**part, "functionResponse": {**part["functionResponse"], "id": "7"}}


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_id_is_none(empty: str | None) -> None:
    """A call and a response with an empty id have no id."""
    assert ids(answered([{"name": "f", "id": "7"}], {"functionResponse": {"name": "f", "id": empty}})) == ["7"]
    assert ids(answered([{"name": "f", "id": empty}], response("f"))) == [None]


def test_several_contents_answer_together() -> None:
    """Responses may be spread over the contents of one message."""
    calls = [{"name": "f", "id": "1"}, {"name": "g", "id": "2"}]
    contents = answer_calls(calls, [{"parts": [response("g")]}, {"parts": [{"text": "x"}]}, {"parts": [response("f")]}])
    assert [ids(content["parts"]) for content in contents] == [["2"], [], ["1"]]


def test_the_refusal_says_what_is_open() -> None:
    """And where the response that fits nothing stands."""
    with pytest.raises(ValidationError, match=r"h.*open: f \(id 1\)") as caught:
        answered([{"name": "f", "id": "1"}], {"text": "x"}, response("h"))
    assert caught.value.path == "$.parts[1].functionResponse"
    with pytest.raises(ValidationError, match="g"):
        answered([{"name": "f"}, {"name": "g"}], response("f"))


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([{"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}}], ["f", "f"]),
        ([{"functionCall": {"name": "f", "willContinue": True}}, {"functionCall": {}}], ["f"]),
        (
            [
                {"functionCall": {"name": "f", "willContinue": True}},
                {"functionCall": {"partialArgs": [], "willContinue": True}},
                {"functionCall": {"name": ""}},
                {"functionCall": {"name": "g"}},
            ],
            ["f", "g"],
        ),
        ([{"functionCall": {"name": "f", "willContinue": True}}, {"functionCall": {"name": "g"}}], ["f", "g"]),
        ([{"function_call": {"name": "f", "will_continue": True}}, {"function_call": {}}], ["f"]),
        ([{"functionCall": None, "function_call": {"name": "f"}}], ["f"]),
        ([{"functionCall": {}}, {"functionCall": {}}], [None, None]),
        ([{"text": "f"}, {"functionCall": None}, {}], []),
    ],
)
def test_streamed_arguments_are_one_call(parts: list[Json], names: list[str | None]) -> None:
    """A call that comes in several parts is one; either spelling of a key is read."""
    assert [call.get("name") for call in calls_in({"parts": parts})] == names


def test_contents_without_parts_have_no_calls() -> None:
    """Whatever stands where the parts should."""
    contents: list[Json] = [{}, {"parts": None}, {"parts": []}]
    for content in contents:
        assert calls_in(content) == responses_in(content) == []
