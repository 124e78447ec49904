"""The fold: what was said in pieces is one answer again, without loss."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.machines.fold import Fold, fold_parts, is_empty
from chatproto.testing.strategies import answers, contents, parts, streamed

Json = dict[str, Any]

texts: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"text": st.text(max_size=4)}, optional={"thought": st.booleans() | st.none()}
)
mixed = texts | texts | parts()
chunks = st.lists(mixed, max_size=4)


def spelled(value: Any) -> str:
    """JSON text: it tells 1 from true, and one order of keys from another."""
    return json.dumps(value)


@given(chunks, chunks, chunks)
def test_folding_is_associative(a: list[Json], b: list[Json], c: list[Json]) -> None:
    """L9: it does not matter which seam is joined first; a chunk without parts is neutral."""
    assert spelled(fold_parts(fold_parts(a, b), c)) == spelled(fold_parts(a, fold_parts(b, c)))
    assert spelled(fold_parts(a, [])) == spelled(fold_parts([], a)) == spelled(a)


@given(st.lists(chunks, max_size=6))
def test_fold_is_fold_parts_over_the_chunks(of: list[list[Json]]) -> None:
    """L9: the fold that is linear in time gives what joining seam after seam gives."""
    fold = Fold()
    for each in of:
        fold.add({"parts": each})
    expected: list[Json] = functools.reduce(fold_parts, of, [])
    assert spelled(fold.content()["parts"]) == spelled(expected)
    assert fold.usable == any(not is_empty(part) for part in expected)


@given(st.data(), answers(texts | texts | parts()) | answers())
def test_an_answer_in_pieces_is_the_answer(data: st.DataObject, answer: Json) -> None:
    """L9: cut in any way between its parts and inside its plain texts, an answer folds to itself, keys in order."""
    pieces = data.draw(streamed(answer))
    # Chunks that say nothing may come anywhere.
    for _ in range(data.draw(st.integers(0, 2))):
        silent: Json = data.draw(st.sampled_from([{}, {"role": "model"}, {"parts": []}, {"parts": None}]))
        pieces.insert(data.draw(st.integers(1, len(pieces))), silent)
    fold = Fold()
    for piece in pieces:
        fold.add(piece)
    assert spelled(fold.content()) == spelled(answer)
    assert fold.usable


@given(st.lists(contents(), max_size=5))
def test_nothing_is_lost_and_nothing_is_changed(of: list[Json]) -> None:
    """Every part that is not plain text is in the result as it came and in order, all text is, and the chunks are
    left alone.
    """
    before = copy.deepcopy(of)
    fold = Fold()
    for each in of:
        fold.add(each)
        fold.content()  # looking does not change what comes of it
    folded = fold.content()
    assert spelled(of) == spelled(before)
    came = [part for each in of for part in each.get("parts") or ()]

    def odd(each: list[Json]) -> list[str]:
        return [spelled(part) for part in each if not (part.keys() <= {"text", "thought"} and "text" in part)]

    def said(each: list[Json], *, thought: Any) -> str:
        return "".join(part.get("text") or "" for part in each if part.get("thought") is thought)

    assert odd(folded["parts"]) == odd(came)
    for thought in (None, False, True):
        assert said(folded["parts"], thought=thought) == said(came, thought=thought)
    for key in {key for each in of for key in each} - {"parts", "role"}:
        first = next(each[key] for each in of if key in each)
        assert folded[key] == first


@given(contents())
def test_one_chunk_folds_to_itself(content: Json) -> None:
    """Within a chunk nothing is joined, dropped or put in another order; the role is the model's."""
    fold = Fold()
    fold.add(content)
    expected = {**content, "parts": content.get("parts") or []} | {"role": "model"}
    assert spelled(fold.content()) == spelled(expected)


SIGNED = {"text": "", "thoughtSignature": "c2ln"}


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ({"text": "a"}, {"text": "b"}, [{"text": "ab"}]),
        ({"text": ""}, {"text": ""}, [{"text": ""}]),
        ({"text": "a", "thought": True}, {"thought": True, "text": "b"}, [{"text": "ab", "thought": True}]),
        ({"text": "a", "thought": True}, {"text": "b"}, None),
        ({"text": "a", "thought": False}, {"text": "b"}, None),
        ({"text": "a", "thought": None}, {"text": "b"}, None),
        ({"text": "a"}, SIGNED, None),
        (SIGNED, {"text": "a"}, None),
        (SIGNED, SIGNED, None),
        ({"text": "a"}, {"text": "b", "newKey": None}, None),
        ({"text": "a"}, {}, None),
        ({"text": "a"}, {"text": None}, None),
        ({"thought": True}, {"thought": True}, None),
        ({"newKind": {}}, {"newKind": {}}, None),
        ({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}}, None),
    ],
)
def test_only_plain_texts_of_one_kind_are_joined(left: Json, right: Json, joined: list[Json] | None) -> None:
    """The seam: text to text and thought to thought; signatures, new kinds and empty parts stay as they came."""
    expected = [left, right] if joined is None else joined
    assert fold_parts([left], [right]) == expected
    assert fold_parts([{"x": 1}, left], [right, {"y": 1}]) == [{"x": 1}, *expected, {"y": 1}]
    assert fold_parts([left, right], []) == [left, right]


@given(st.data(), st.lists(chunks, max_size=6))
def test_a_copy_goes_its_own_way(data: st.DataObject, of: list[list[Json]]) -> None:
    """L13: whatever was asked of a fold or added to it, its copies and pickles tell what came to each of them."""
    folds: list[tuple[Fold, list[Json]]] = [(Fold(), [])]
    for each in of:
        fold, before = data.draw(st.sampled_from(folds))
        if data.draw(st.booleans()):
            fold.encoded()
        made = copy.copy(fold) if data.draw(st.booleans()) else pickle.loads(pickle.dumps(fold))
        made.add({"parts": each})
        folds.append((made, fold_parts(before, each)))
    for fold, expected in folds:
        assert spelled(fold.content()["parts"]) == spelled(expected)
        assert spelled(json.loads(fold.encoded())) == spelled(fold.content())
        assert fold.usable == any(not is_empty(part) for part in expected)


def test_what_was_worked_out_is_there_in_copies() -> None:
    """A sweep that asks a copy at every byte for the answer so far has it put together once a chunk."""
    fold = Fold()
    fold.add({"parts": [{"text": "a"}]})
    first, second = copy.copy(fold), copy.copy(fold)
    assert first.encoded() is second.encoded() is fold.encoded()
    second.add({"parts": [{"text": "b"}]})
    assert (first.encoded(), second.encoded()) == (
        b'{"parts":[{"text":"a"}],"role":"model"}',
        b'{"parts":[{"text":"ab"}],"role":"model"}',
    )


def test_long_answers_fold_in_linear_time() -> None:
    """A hundred thousand chunks are joined once, in the end, and looking at the state copies nothing but the list."""
    fold = Fold()
    for _ in range(100_000):
        fold.add({"parts": [{"text": "0123456789"}]})
        assert fold.usable
    assert fold.content() == {"parts": [{"text": "0123456789" * 100_000}], "role": "model"}
