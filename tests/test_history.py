"""History: what the next request sends, as bytes that are made once; and a history that is given."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import ValidationError
from chatproto.machines import history as module
from chatproto.machines.given import split_turns
from chatproto.machines.history import History, Outcome, Turn, decode_content, encode_content
from chatproto.testing.strategies import contents
from chatproto.types import Content
from chatproto.types._hooks import converter
from chatproto.wire.json_codec import decode, encode

Json = dict[str, Any]


@st.composite
def turns(draw: st.DrawFn) -> list[Turn]:
    """Turns of every outcome, small and large."""
    made = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        encoded = tuple(
            encode({"role": "user", "parts": [{"text": "x" * size}]})
            for size in draw(st.lists(st.integers(0, 120), max_size=4))
        )
        curated = draw(st.booleans())
        made.append(
            Turn(
                number=number,
                outcome=draw(st.sampled_from(Outcome)),
                reason="drawn",
                curated=curated,
                encoded=encoded,
                shown=len(encoded) if curated else draw(st.integers(0, len(encoded))),
            )
        )
    return made


def is_subsequence(short: list[bytes], long: list[bytes]) -> bool:
    """Whether ``long`` has all of ``short``, in order."""
    rest = iter(long)
    return all(any(each == other for other in rest) for each in short)


@given(turns(), st.integers(1, 400))
def test_step_by_step_is_from_scratch(committed: list[Turn], size: int) -> None:
    """L16: after each turn the pieces joined are the curated contents encoded anew; pieces but the last stay the same
    objects.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIECE", size)
        history = History()
        earlier: tuple[bytes, ...] = ()
        for count, turn in enumerate(committed, start=1):
            history.commit(turn)
            scratch = [each for before in committed[:count] if before.curated for each in before.encoded]
            pieces = history.pieces()
            assert b"".join(pieces) == b",".join(scratch)
            assert decode(b"[" + b"".join(pieces) + b"]", what="it") == [decode(each, what="it") for each in scratch]
            assert all(old is new for old, new in zip(earlier[:-1], pieces, strict=False))
            assert len(pieces) >= len(earlier)
            said = history.before((b"{}", b"[]"))
            assert b"".join(said) == b",".join([*scratch, b"{}", b"[]"])
            assert all(old is new for old, new in zip(pieces, said, strict=False))
            earlier = pieces
        assert b"".join(History(committed).pieces()) == b"".join(history.pieces())


@given(turns())
def test_curated_is_a_subsequence_of_comprehensive(committed: list[Turn]) -> None:
    """L6: the curated history is part of the comprehensive one, and both only grow."""
    history = History()
    before: dict[bool, list[bytes]] = {True: [], False: []}
    for turn in committed:
        history.commit(turn)
        now = {curated: list(history.encoded(curated=curated)) for curated in (True, False)}
        assert is_subsequence(now[True], now[False])
        for curated, earlier in before.items():
            assert now[curated][: len(earlier)] == earlier
        before = now


@given(turns(), turns())
def test_a_copy_is_on_its_own(committed: list[Turn], more: list[Turn]) -> None:
    """L13: a copy holds the same, shares the bytes, and goes its own way."""
    history = History(committed)
    pieces = history.pieces()
    copied = copy.deepcopy(history)
    assert copied.pieces() == pieces
    assert all(left is right for left, right in zip(copied.pieces(), pieces, strict=True))
    for turn in more:
        copied.commit(turn)
    assert history.pieces() == pieces
    assert history.turns == committed


@given(contents())
def test_a_content_is_decoded_as_it_was_encoded(content: Json) -> None:
    """L3: bytes to Content to bytes is the identity on what a server may send, as JSON values."""
    encoded = encode(content)
    assert decode(encode_content(decode_content(encoded)), what="it") == content


# --- a history that is given ---

SYMBOLS: dict[str, Json] = {
    "U": {"role": "user", "parts": [{"text": "u"}]},
    "E": {"role": "user", "parts": []},
    "M": {"role": "model", "parts": [{"text": "m"}]},
    "0": {"role": "model", "parts": []},
    "C": {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
    "D": {"role": "model", "parts": [{"functionCall": {"name": "f"}}, {"functionCall": {"name": "g"}}]},
    "R": {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]},
    "S": {"role": "user", "parts": [{"functionResponse": {"name": "f"}}, {"functionResponse": {"name": "g"}}]},
}
CALLS = {"C": 1, "D": 2}
RESPONSES = {"R": 1, "S": 2}


def given_history(word: str) -> list[Content]:
    """A history from its letters."""
    return [converter("wire").structure(SYMBOLS[letter], Content) for letter in word]


def spell(encoded: Any) -> str:
    """The letters of a history."""
    letters = {encode(document): letter for letter, document in SYMBOLS.items()}
    return "".join(letters[each] for each in encoded)


def closed(turn: str) -> bool:
    """Each run of model contents is followed by one of as many responses as it has calls."""
    wanted = 0
    for kind, run in itertools.groupby(turn.lstrip("UE"), key=lambda letter: letter in RESPONSES):
        letters = list(run)
        if kind:
            if sum(RESPONSES[letter] for letter in letters) != wanted:
                return False
            wanted = 0
        else:
            if wanted:
                return False
            wanted = sum(CALLS.get(letter, 0) for letter in letters)
    return wanted == 0


def model(word: str) -> tuple[str, str, str]:
    """Curated, comprehensive, and what waits for responses."""
    split: list[str] = []
    for letter in word:
        if not split or letter in "UE":
            split.append("")
        split[-1] += letter
    before = split[-1].rstrip("M0CD") if split else ""
    last = split[-1][len(before) :] if split else ""
    waiting = split.pop() if set(last) & set(CALLS) and closed(before) else ""
    curated = "".join(turn for turn in split if "0" not in turn and closed(turn))
    return curated, "".join(split).replace("0", ""), waiting.replace("0", "")


@given(st.text(st.sampled_from("UUUEMM0CCDRRS"), max_size=10))
def test_turns_of_a_given_history(word: str) -> None:
    """L7: of a given history those turns are curated whole in which the model says something and every call is
    answered; the others not at all.
    """
    committed, waiting = split_turns(given_history(word))
    history = History(committed)
    curated, comprehensive, waits = model(word)
    assert spell(history.encoded(curated=True)) == curated
    assert spell(history.encoded(curated=False)) == comprehensive
    assert spell(waiting) == waits
    assert [turn.number for turn in committed] == list(range(1, len(committed) + 1))
    for turn in committed:
        assert turn.curated == (turn.outcome is Outcome.COMPLETED)
    # What is curated stays so when it is given again.
    again = History(split_turns(decode_content(each) for each in history.encoded(curated=True))[0])
    assert spell(again.encoded(curated=True)) == curated


@pytest.mark.parametrize(
    ("word", "curated"),
    [
        ("UM", "UM"),
        ("UM0U", "U"),
        ("U0U", "U"),
        ("UU0", "U"),
        ("M", "M"),
        ("0", ""),
        ("E", "E"),
        ("UMU", "UMU"),
        ("", ""),
    ],
)
def test_given_histories_that_the_reference_curates_alike(word: str, curated: str) -> None:
    """google-genai keeps the same of these."""
    assert spell(History(split_turns(given_history(word))[0]).encoded(curated=True)) == curated


@pytest.mark.parametrize(
    ("word", "curated", "waiting", "reference", "why"),
    [
        ("UC", "", "UC", "UC", "the calls can be answered now; until then they are not sent"),
        ("UCUM", "UM", "", "UCUM", "a call without a response is refused by the API, for ever after"),
        ("UCR0", "", "", "UC", "the reference drops the responses with the empty answer and leaves the call open"),
        ("URM", "", "", "URM", "a response without a call is refused by the API"),
        ("UDRM", "", "", "UDRM", "so is one response to two calls"),
        ("RM", "", "", "RM", "a history that was cut in the middle of a round"),
    ],
)
def test_given_histories_that_the_reference_curates_otherwise(
    word: str, curated: str, waiting: str, reference: str, why: str
) -> None:
    """L7: curated history holds only closed rounds, where google-genai keeps what the API will refuse."""
    assert why
    committed, waits = split_turns(given_history(word))
    assert spell(History(committed).encoded(curated=True)) == curated != reference
    assert spell(waits) == waiting


def test_streamed_contents_of_google_genai_are_one_round() -> None:
    """A history that google-genai recorded has a content a chunk: calls and responses may be spread over several."""
    for word in ("UMCMRM", "UCCSM", "UDRRM", "UCCRRM"):
        assert spell(History(split_turns(given_history(word))[0]).encoded(curated=True)) == word


def test_a_server_s_own_call_and_response_are_closed() -> None:
    """A call whose response stands beside it, in the model's content, waits for nobody."""
    parts = [{"functionCall": {"name": "f"}}, {"functionResponse": {"name": "f"}}, {"text": "done"}]
    documents = [SYMBOLS["U"], {"role": "model", "parts": parts}]
    committed, waiting = split_turns(converter("wire").structure(each, Content) for each in documents)
    assert not waiting
    assert list(History(committed).encoded(curated=True)) == [encode(each) for each in documents]


@pytest.mark.parametrize("role", ["tool", "", None, "User"])
def test_other_roles_are_refused(role: str | None) -> None:
    """With the place of the content."""
    with pytest.raises(ValidationError) as caught:
        split_turns([*given_history("UM"), Content(role=role)])
    assert caught.value.path == "$.history[2].role"


def test_what_json_cannot_hold_is_refused_with_its_place() -> None:
    """Also where it is deep inside, or too deep."""
    content = Content.model_validate({"role": "user", "parts": [{"functionCall": {"args": {"a": float("nan")}}}]})
    with pytest.raises(ValidationError) as caught:
        split_turns([*given_history("UM"), content])
    assert caught.value.path.startswith("$.history[2].parts[0].functionCall.args")
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    content = Content(role="user", parts=[{"function_call": {"name": "f"}}])  # type: ignore[list-item]
    assert content.parts is not None
    assert content.parts[0].function_call is not None
    content.parts[0].function_call.args = {"a": deep}
    with pytest.raises(ValidationError) as caught:
        split_turns([content])
    assert caught.value.path == "$.history[0]"
