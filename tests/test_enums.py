"""Enums are open: a server that knows more than chatproto breaks nothing, and gets back what it sent."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from chatproto import types
from chatproto.errors import ValidationError
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter
from chatproto.types._open_enum import OpenEnum

#: The same names without their types, for what a type checker would refuse.
LOOSE: Any = types
ENUMS = [
    each for name in types.__all__ if isinstance(each := getattr(types, name), type) and issubclass(each, OpenEnum)
]


def test_there_are_as_many_as_in_the_reference() -> None:
    """The closure of chat, files and count_tokens has 43 enums in google-genai 3.4.0."""
    assert len(ENUMS) == 43


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_members_are_named_as_their_values(kind: type[OpenEnum]) -> None:
    """A member's value is its name, but for ServiceTier, whose values are in lower case."""
    for member in kind:
        expected = member.name.lower() if kind is types.ServiceTier else member.name
        assert member.value == expected
        assert kind(member.value) is member


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_each_has_a_docstring(kind: type[OpenEnum]) -> None:
    """Every enum says what it is about, in its own words."""
    assert kind.__doc__
    assert kind.__doc__ != OpenEnum.__doc__


def test_a_program_may_use_either_case() -> None:
    """A known value in another case is the member itself, as in google-genai; what is sent is the member's value."""
    assert types.FinishReason("stop") is types.FinishReason.STOP
    assert types.ServiceTier("FLEX") is types.ServiceTier.FLEX
    config = LOOSE.GenerateContentConfig(service_tier="FLEX", media_resolution="media_resolution_low")
    assert config.service_tier is types.ServiceTier.FLEX
    assert to_wire(config) == {"serviceTier": "flex", "mediaResolution": "MEDIA_RESOLUTION_LOW"}


def test_an_unknown_value_is_a_member_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    """A value of tomorrow has a name and a value, equals its like, and is not added to the enum."""
    new = types.FinishReason("BRAND_NEW")
    assert (new.name, new.value) == ("BRAND_NEW", "BRAND_NEW")
    assert isinstance(new, types.FinishReason)
    assert new == "BRAND_NEW"
    assert new == types.FinishReason("BRAND_NEW")
    assert hash(new) == hash(types.FinishReason("BRAND_NEW"))
    assert new != types.FinishReason.STOP
    assert new not in list(types.FinishReason)
    assert repr(new) == "<FinishReason.BRAND_NEW: 'BRAND_NEW'>"
    assert str(new) == "FinishReason.BRAND_NEW"
    assert not recwarn.list


@pytest.mark.parametrize("spelling", ["STOP", "stop", "Stop", "BRAND_NEW", "brand_new", "", 1, 0, -3, 10**30])
def test_what_a_server_sent_goes_back_as_it_came(spelling: str | int) -> None:
    """Lower case, unknown names and numbers are written back as they were, also from copies and pickles."""
    document = {"finishReason": spelling}
    candidate = converter("wire").structure(document, types.Candidate)
    assert isinstance(candidate.finish_reason, types.FinishReason)
    for each in (candidate, copy.deepcopy(candidate), copy.copy(candidate), pickle.loads(pickle.dumps(candidate))):
        assert each == candidate
        assert to_wire(each) == document
        assert type(to_wire(each)["finishReason"]) is type(spelling)


def test_lower_case_off_the_wire_equals_the_member() -> None:
    """A program that compares with the member need not know how the server wrote it."""
    candidate = converter("wire").structure({"finishReason": "stop"}, types.Candidate)
    assert candidate.finish_reason == types.FinishReason.STOP
    assert candidate.finish_reason.name == "STOP"
    assert {types.FinishReason.STOP: 1}[candidate.finish_reason] == 1
    match candidate.finish_reason:
        case types.FinishReason.STOP:
            pass
        case _:
            pytest.fail("did not match")


@pytest.mark.parametrize("wrong", [True, 1.5, ["STOP"], {"name": "STOP"}])
def test_other_kinds_of_json_are_refused(wrong: object) -> None:
    """Only text and integers can be enum values; the error names the field."""
    with pytest.raises(ValidationError, match=r"\$\.finishReason: expected a value of FinishReason"):
        converter("wire").structure({"finishReason": wrong}, types.Candidate)
    with pytest.raises(ValidationError, match=r"\$\.finish_reason"):
        LOOSE.Candidate(finish_reason=wrong)


def test_members_of_other_enums_are_taken_by_value() -> None:
    """A member of another enum with the same value is that value, not its name with the class in front."""
    count = LOOSE.ModalityTokenCount(modality=types.Modality.TEXT)
    assert count.modality is types.MediaModality.TEXT
    candidate = LOOSE.Candidate(finish_reason=types.Outcome.OUTCOME_OK)
    assert to_wire(candidate) == {"finishReason": "OUTCOME_OK"}


def test_members_are_strings() -> None:
    """json.dumps and comparison with plain text work on members, as in google-genai."""
    assert types.FinishReason.STOP == "STOP"
    assert json.dumps(types.Type.STRING) == '"STRING"'
    assert f"{types.FinishReason.STOP}" == "FinishReason.STOP"


@pytest.mark.parametrize("member", [types.FinishReason.STOP, types.ServiceTier.FLEX])
def test_listed_members_stay_the_same_object(member: OpenEnum) -> None:
    """Copies and pickles of a listed member are the member."""
    assert copy.copy(member) is member
    assert copy.deepcopy(member) is member
    assert pickle.loads(pickle.dumps(member)) is member
