"""JsonArrayReader: a JSON array as it arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatproto.errors import MalformedResponse, RemoteProtocolError, ResponseTooLarge
from chatproto.testing.strategies import cuts, json_values
from chatproto.wire.json_array import JsonArrayReader

Read = tuple[list[bytes], tuple[list[bytes], bytes | None], tuple[type, str] | None]


def read(pieces: list[bytes], limit: int = 1 << 20) -> Read:
    """Elements, what ``finish`` gives, and the fault."""
    reader = JsonArrayReader(limit)
    elements = [element for piece in pieces for element in reader.feed(piece)]
    left = reader.finish()
    return elements, left, None if reader.failed is None else (type(reader.failed), str(reader.failed))


def fault(body: bytes, limit: int = 1 << 20, *, start: int = 0) -> RemoteProtocolError | None:
    """What is wrong with a body."""
    reader = JsonArrayReader(limit, start=start)
    reader.feed(body)
    reader.finish()
    return reader.failed


blanks = st.text(" \t\r\n", max_size=3)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """JSON text of ``value``, with white space wherever JSON has room for it."""

    def spell(item: Any) -> str:
        before, after = draw(blanks), draw(blanks)
        if isinstance(item, list):
            inside = ",".join(map(spell, item)) or before
            return f"{before}[{inside}]{after}"
        if isinstance(item, dict):
            members = [f"{before}{json.dumps(key)}{after}:{spell(held)}" for key, held in item.items()]
            return f"{before}{{{','.join(members) or after}}}{after}"
        return f"{before}{json.dumps(item, ensure_ascii=draw(st.booleans()))}{after}"

    return spell(value)


@given(st.data(), st.lists(json_values(), max_size=4))
def test_any_array_is_read_whatever_its_white_space(data: st.DataObject, values: list[Any]) -> None:
    """L1: any list of JSON values, spelled in any way and cut anywhere, gives the elements that json.loads gives."""
    text = data.draw(spelled(values))
    elements, left, failed = read(data.draw(cuts(text.encode())))
    assert json.dumps([json.loads(element) for element in elements]) == json.dumps(json.loads(text))
    assert (left, failed) == (([], None), None)


signs = st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b" ", b"\n", b"1", b'"a"', b":", b"[{", b"}]"])
bodies = st.lists(signs, max_size=20).map(b"".join).map(lambda body: b"[" + body) | st.binary(max_size=20)


@given(st.data(), bodies, st.integers(1, 8) | st.just(1000))
@example(None, b"[aaaaaaaa}", 3)
@example(None, b"[]aaaaaaaa]", 3)
@example(None, b"[][", 3)
def test_any_bytes_are_read_or_refused(data: st.DataObject | None, body: bytes, limit: int) -> None:
    """L1 and L12: any bytes give elements or a fault, never an exception, and both are the same for any cut."""
    pieces = [body[index : index + 1] for index in range(len(body))] if data is None else data.draw(cuts(body))
    assert read(pieces, limit) == read([body], limit)


@given(bodies)
def test_what_python_reads_as_an_array_is_read_alike(body: bytes) -> None:
    """Bytes that happen to be a JSON array are never refused."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(value, list):
        elements, left, failed = read([body])
        assert [json.loads(element) for element in elements] == value
        assert (left, failed) == (([], None), None)


def test_an_element_comes_with_its_last_byte() -> None:
    """An element is not held back until the next one begins."""
    reader = JsonArrayReader()
    assert reader.feed(b'[{"a": [1, "]"]') == []
    assert reader.feed(b"}") == [b'{"a": [1, "]"]}']
    assert reader.feed(b'\r\n,\r\n{"b"') == []
    assert reader.finish() == ([], b'{"b"')


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"[1]\n  x \n", "byte 6"),
        (b"[1] [2]", "byte 4"),
        (b"[1] {}", "byte 4"),
        (b"x [1]", "byte 0"),
        (b"  x  [1]", "byte 2"),
        (b"[1}", "byte 2"),
        (b"[1]]", "byte 3"),
        (b"[1],", "byte 3"),
        (b"{}", "byte 0"),
    ],
)
def test_what_is_no_single_array_is_refused_with_its_place(body: bytes, where: str) -> None:
    """A fault of the array is a MalformedResponse that names the byte."""
    for start in (0, 7):
        failed = fault(body, start=start)
        assert isinstance(failed, MalformedResponse)
        assert failed.where == f"byte {int(where.split()[1]) + start}"


@pytest.mark.parametrize("opening", [b"", b"[", b'["', b"[{", b"[1] ", b"[1,", b"[[[["])
def test_an_element_without_an_end_is_not_kept(opening: bytes) -> None:
    """L12: past the limit nothing is held any more."""
    reader = JsonArrayReader(limit=100)
    reader.feed(opening)
    for _ in range(200):
        reader.feed(b"x" * 10)
        assert sum(map(len, reader._held)) <= 100
    assert isinstance(reader.failed, ResponseTooLarge)
    assert reader._held == []
    assert reader.feed(b"]") == []
    assert reader.finish() == ([], None)
