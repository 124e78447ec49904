"""SseReader: the WHATWG algorithm, and nothing that depends on where bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatproto.errors import ResponseTooLarge
from chatproto.testing.strategies import cuts
from chatproto.wire.sse import SseReader

BOM = b"\xef\xbb\xbf"

Read = tuple[list[bytes], list[bytes], bytes | None, str | None]


def read(pieces: list[bytes], limit: int = 1 << 20) -> Read:
    """Events, what ``finish`` gives, and the fault."""
    reader = SseReader(limit)
    events = [event for piece in pieces for event in reader.feed(piece)]
    sure, tentative = reader.finish()
    return events, sure, tentative, None if reader.failed is None else str(reader.failed)


def model(body: bytes) -> Read:
    """The standard's algorithm, on the whole body and one byte at a time, with the two additions and without empty
    events.
    """
    body = body.removeprefix(BOM)
    lines: list[tuple[int, bytes]] = []
    start = position = 0
    while position < len(body):
        sign = body[position : position + 1]
        position += 1
        if sign in (b"\r", b"\n"):
            lines.append((start, body[start : position - 1]))
            if sign == b"\r" and body[position : position + 1] == b"\n":
                position += 1
            start = position
    if start < len(body):
        lines.append((start, body[start:]))
    events: list[bytes] = []
    data: list[bytes] = []
    for start, line in lines:
        field, _, value = line.partition(b":")
        if not line:
            events.append(b"\n".join(data))
            data = []
        elif not data and line[:1] in (b"{", b"["):
            return [event for event in events if event], [body[start:]], None, None
        elif field == b"data":
            data.append(value[1:] if value[:1] == b" " else value)
    return [event for event in events if event], [], b"\n".join(data) or None, None


CASES: dict[str, tuple[bytes, list[bytes], bytes | None]] = {
    "LF": (b"data: A\n\ndata: B\n\n", [b"A", b"B"], None),
    "CRLF": (b"data: A\r\n\r\ndata: B\r\n\r\n", [b"A", b"B"], None),
    "CR": (b"data: A\r\rdata: B\r\r", [b"A", b"B"], None),
    "mixed": (b"data: A\r\n\ndata: B\n\rdata: C\r\r\n", [b"A", b"B", b"C"], None),
    "without a space": (b"data:A\n\n", [b"A"], None),
    "two spaces": (b"data:  A\n\n", [b" A"], None),
    "a tab is content": (b"data:\tA\n\n", [b"\tA"], None),
    "trailing spaces are content": (b"data: A  \n\n", [b"A  "], None),
    "empty data": (b"data:\n\ndata: \n\ndata\n\ndata: A\n\n", [b"A"], None),
    "empty data at the end": (b"data: A\n\ndata:\n", [b"A"], None),
    "comment": (b": ping\n\n:\ndata: A\n: in the middle\n\n", [b"A"], None),
    "other fields": (b"event: x\nid: 1\nretry: 5\ndata: A\n\nevent: y\n\n", [b"A"], None),
    "unknown fields": (b"foo: A\ndata: B\ndatax: C\nDATA: D\n data: E\n\n", [b"B"], None),
    "a field without a colon": (b"data\ndata: A\nfoo\n\n", [b"\nA"], None),
    "several lines": (b'data: {\ndata: "a": 1\ndata:\ndata: }\n\n', [b'{\n"a": 1\n\n}'], None),
    "BOM": (BOM + b"data: A\n\n", [b"A"], None),
    "a BOM that is not at the start": (b"data: A\n\n" + BOM + b"data: B\n\n", [b"A"], None),
    "two BOMs": (BOM + BOM + b"data: A\n\ndata: B\n\n", [b"B"], None),
    "half a BOM": (BOM[:2] + b"data: A\n\ndata: B\n\n", [b"B"], None),
    "line separators of Unicode": (
        "data: a\u2028b\u2029c\u0085d\x0b\x0c\x1c\x1d\x1ee\n\n".encode(),
        ["a\u2028b\u2029c\u0085d\x0b\x0c\x1c\x1d\x1ee".encode()],
        None,
    ),
    "no last blank line": (b"data: A\n\ndata: B\n", [b"A"], b"B"),
    "no last line end": (b"data: A\n\ndata: B", [b"A"], b"B"),
    "blank lines first": (b"\n\r\n\rdata: A\n\n", [b"A"], None),
    "nothing": (b"", [], None),
    "only half a BOM": (BOM[:2], [], None),
    "[DONE] is data": (b"data: [DONE]\n\n", [b"[DONE]"], None),
    "JSON inside an event is no bare document": (b"data: A\n{\n\n", [b"A"], None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_standard_s_cases(name: str) -> None:
    """Each case gives what the WHATWG text says, whole, byte by byte, and cut in two at every place."""
    body, events, tentative = CASES[name]
    expected: Read = (events, [], tentative, None)
    assert read([body]) == expected
    assert read([body[index : index + 1] for index in range(len(body))]) == expected
    for place in range(len(body) + 1):
        assert read([body[:place], body[place:]]) == expected, place


@pytest.mark.parametrize(
    ("body", "events", "document"),
    [
        (b'data: A\n\n{"error": {}}', [b"A"], b'{"error": {}}'),
        (b'data: A\n\n{\r\n "error": 1\r}\r\n\n', [b"A"], b'{\r\n "error": 1\r}\r\n\n'),
        (b'data: A\r\n\r\n[{"error":1}]\r\n', [b"A"], b'[{"error":1}]\r\n'),
        (b": ping\n{\ndata: B\n\n}", [], b"{\ndata: B\n\n}"),
    ],
)
def test_a_bare_document_goes_on_to_the_end(body: bytes, events: list[bytes], document: bytes) -> None:
    """JSON where a field should stand is one document, with every byte of it, wherever it is cut."""
    for place in range(len(body) + 1):
        assert read([body[:place], body[place:]]) == (events, [document], None, None)


signs = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\n\n", b"data: ", b"data:", b"data", b"d", b"a", b"t", b":", b" ", b"{", b"[", b"}"),
        *(BOM, BOM[:1], BOM[1:], b"event: x", "é\u2028".encode()),
    ]
)
bodies = st.lists(signs, max_size=24).map(b"".join) | st.binary(max_size=24)


@given(bodies)
def test_any_bytes_read_as_the_standard_says(body: bytes) -> None:
    """The reader and a literal transcription of the standard agree on any bytes."""
    assert read([body]) == model(body)


@given(st.data(), bodies, st.integers(1, 20) | st.just(1000))
@example(None, b"{\r\n", 1)
def test_cuts_change_nothing(data: st.DataObject | None, body: bytes, limit: int) -> None:
    """L1: any cut of any bytes gives the same events, the same fault and the same end, whatever the limit."""
    pieces = [body[index : index + 1] for index in range(len(body))] if data is None else data.draw(cuts(body))
    assert read(pieces, limit) == read([body], limit)


@pytest.mark.parametrize("opening", [b"data: ", b": ", b"foo", b"{", b"", BOM])
def test_a_line_without_an_end_is_not_kept(opening: bytes) -> None:
    """L12: past the limit nothing is held any more, and the fault names the limit."""
    reader = SseReader(limit=100)
    reader.feed(b"data: A\n\n" if opening == b"{" else opening)
    reader.feed(opening)
    for _ in range(1000):
        reader.feed(b"x" * 10)
        assert sum(map(len, reader._line)) <= 100
    assert isinstance(reader.failed, ResponseTooLarge)
    assert "100" in str(reader.failed)
    assert reader._line == []
    assert reader.feed(b"\n\ndata: B\n\n") == []
    assert reader.finish() == ([], None)


def test_an_event_without_an_end_is_not_kept() -> None:
    """L12: many short lines of one event are as bounded as a long line."""
    reader = SseReader(limit=100)
    for _ in range(1000):
        reader.feed(b"data: x\n")
    assert isinstance(reader.failed, ResponseTooLarge)
    assert reader._event is None


def test_events_before_the_limit_are_handed_out() -> None:
    """What was whole before the fault is not lost."""
    events, _, _, fault = read([b"data: A\n\ndata: B\n\ndata: " + b"x" * 200], limit=100)
    assert (events, fault is None) == ([b"A", b"B"], False)
