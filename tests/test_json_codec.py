"""The JSON codec: every value there and back, and every trap of Python's json an error of the tree."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import MalformedResponse, ValidationError
from chatproto.wire.json_codec import MAX_DEPTH, decode, encode

texts = st.text(st.characters(), max_size=8)  # lone surrogates too
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4200, 4299).map(lambda digits: 10**digits + 7)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def same(left: Any, right: Any) -> bool:
    """Equal, of the same types, and with keys in the same order: 1, 1.0 and true are three things."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return bool(left == right)


@given(values)
def test_there_and_back(value: Any) -> None:
    """L3: any JSON value is the same after writing and reading it; lone surrogates, big integers and -0.0 included."""
    assert same(decode(encode(value), what="it"), value)


@given(values)
def test_writing_is_canonical(value: Any) -> None:
    """L2: what was written and read is written as the same bytes again, and Python's json reads them alike."""
    written = encode(value)
    assert encode(decode(written, what="it")) == written
    assert same(json.loads(written.decode("utf-8", "surrogatepass")), value)


def test_integers_as_long_as_python_takes() -> None:
    """4300 digits are an integer, 4301 are refused in both directions."""
    longest = int("9" * 4300)
    assert decode(b"9" * 4300, what="it") == longest
    assert decode(encode([longest]), what="it") == [longest]
    with pytest.raises(ValidationError):
        encode(longest * 10)


REFUSED = {
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"-Infinity",
    "1e999": b"[1e999]",
    "-1e999": b"-1e999",
    "4301 digits": b"9" * 4301,
    "a million digits": b"1" + b"0" * 1_000_000,
    "100,000 lists deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "cut while 100,000 deep": b"[" * 100_000,
    "not UTF-8": b'"\xff"',
    "an overlong form": b'"\xc0\xaf"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "nothing": b"",
    "white space": b" \n",
    "two documents": b"{}{}",
    "cut": b'{"a": "b',
    "single quotes": b"{'a': 1}",
    "a control character in a string": b'"\x00"',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_json_is_refused(name: str) -> None:
    """L12: every trap is MalformedResponse, says where, and shows a short and printable beginning."""
    with pytest.raises(MalformedResponse) as caught:
        decode(REFUSED[name], what="event 3")
    assert caught.value.where == "event 3"
    assert caught.value.__cause__ is None
    assert len(caught.value.excerpt) <= 4 * 80
    assert len(str(caught.value)) < 1000


@given(st.binary(max_size=30))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    """L12: bytes give a value or MalformedResponse; read as an event stream's text, invalid UTF-8 is no fault."""
    for replace in (False, True):
        problem = ""
        try:
            encode(decode(data, what="it", replace=replace))
        except MalformedResponse as error:
            problem = error.problem
        assert not (replace and "UTF-8" in problem)


def test_invalid_utf8_in_an_event_becomes_the_replacement_character() -> None:
    """As the standard decodes an event stream."""
    assert decode(b'"a\xffb\xe2\x82"', what="it", replace=True) == "a\ufffdb\ufffd"


def test_a_byte_order_mark_before_a_document_is_skipped() -> None:
    """Some proxies add one."""
    assert decode(b"\xef\xbb\xbf{}", what="it") == {}


LOOP: list[Any] = []
LOOP.append(LOOP)
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, {"a": [math.nan]}, b"bytes", {1, 2}, object(), {(1, 2): 3}, LOOP, DEEP],
    ids=["nan", "inf", "-inf", "nan inside", "bytes", "set", "object", "tuple key", "loop", "deep"],
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """A program's value without a form in JSON is a ValidationError."""
    with pytest.raises(ValidationError):
        encode(value)


def nested(levels: int) -> str:
    """Lists in lists."""
    return "[" * levels + "]" * levels


def test_the_depth_of_json_is_a_number() -> None:
    """L2: 250 levels both ways, whatever the stack; brackets in strings do not count."""
    assert decode(nested(MAX_DEPTH), what="it")
    assert decode(json.dumps(["[" * 1000] * 300), what="it")
    assert encode(json.loads(nested(MAX_DEPTH)))
    with pytest.raises(MalformedResponse, match="250"):
        decode(nested(MAX_DEPTH + 1), what="it")
    with pytest.raises(ValidationError, match="250"):
        encode(json.loads(nested(MAX_DEPTH + 1)))


def levels_of(value: Any) -> int:
    """How deep a value is nested, by the plain definition."""
    if isinstance(value, (list, dict)):
        inside: Any = value.values() if isinstance(value, dict) else value
        return 1 + max(map(levels_of, inside), default=0)
    return 0


def chain(keys: list[str | None]) -> Any:
    """Objects of one key each, and lists of one where there is no key, in one another."""
    value: Any = {}
    for key in keys:
        value = [value] if key is None else {key: value}
    return value


chains = st.lists(st.sampled_from([None, "", "key", '[{"']), max_size=16).map(chain)


@given(chains | st.lists(chains, max_size=2) | values, st.integers(1, 16))
def test_depth_is_counted_exactly(value: Any, most: int) -> None:
    """L2: what is refused for its depth is what is nested deeper than that, however short or long its text is."""
    text = json.dumps(value, separators=(",", ":"))
    if levels_of(value) <= most:
        assert same(decode(text, what="it", depth=most), value)
        assert encode(value, depth=most)
        return
    with pytest.raises(MalformedResponse, match="nested deeper"):
        decode(text, what="it", depth=most)
    with pytest.raises(ValidationError, match="nested deeper"):
        encode(value, depth=most)
