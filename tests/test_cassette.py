"""The cassette as a file: layout, reading, and what is refused."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatproto.errors import ChatProtoError, ConnectFailed, ConnectionLost, TimedOut, TransportError
from chatproto.testing.strategies import json_values
from chatproto_replay import (
    Body,
    Cassette,
    CassetteError,
    CassetteMissing,
    Chunk,
    Exchange,
    Failure,
    LaterCassette,
    MalformedCassette,
    RecordedRequest,
    RecordedResponse,
    cassette_schema,
)

if TYPE_CHECKING:
    from pathlib import Path

# --- any cassette ---------------------------------------------------------------------------------------------------

_names = st.from_regex(r"[a-z][a-z-]{0,6}", fullmatch=True)
_texts = st.text(max_size=12)
#: Bytes of all kinds: text, halves of characters, and noise.
CHUNK_BYTES = st.binary(min_size=1, max_size=12) | _texts.map(str.encode).filter(bool)


def _unmixed(fields: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Fields in the order in which a file holds them: equal names together."""
    first = {name: number for number, (name, _) in reversed(list(enumerate(fields)))}
    return tuple(sorted(fields, key=lambda field: first[field[0]]))


_headers = st.lists(st.tuples(_names, _texts), max_size=3).map(_unmixed)
_query = st.lists(st.tuples(_names, st.none() | _texts), max_size=3).map(_unmixed)
_bodies = (
    st.none()
    | st.builds(Body, st.just("json"), json_values())
    | st.builds(Body, st.just("text"), _texts)
    | st.builds(Body, st.just("b64"), st.binary(max_size=12))
)
_requests = st.builds(
    RecordedRequest,
    method=st.sampled_from(["GET", "POST"]),
    path=_texts.map("/".__add__),
    query=_query,
    headers=_headers,
    body=_bodies,
)
_failures = st.builds(
    Failure,
    kind=st.sampled_from(["connect_failed", "timed_out", "connection_lost", "failed"]),
    message=_texts,
    cause=_texts,
)
_chunks = st.lists(st.builds(Chunk, st.integers(0, 10**6), CHUNK_BYTES), max_size=4).map(tuple)


def _responses(*ends: str) -> st.SearchStrategy[RecordedResponse]:
    return st.builds(
        RecordedResponse,
        status=st.integers(100, 599),
        headers=_headers,
        chunks=_chunks,
        end=st.sampled_from(ends),
    )


_exchanges = (
    st.builds(Exchange, request=_requests, response=_responses("complete", "abandoned", "reset"))
    | st.builds(Exchange, request=_requests, response=_responses("reset", "truncated", "timeout"), failure=_failures)
    | st.builds(Exchange, request=_requests, failure=_failures)
)
CASSETTES = st.builds(Cassette, exchanges=st.lists(_exchanges, max_size=3).map(tuple), by=_texts, transport=_texts)


@given(CASSETTES)
def test_what_is_written_is_read(cassette: Cassette) -> None:
    """L14, for the file: any exchange, any bytes, any JSON comes back equal, and is written the same again (L2)."""
    text = cassette.dumps()
    again = Cassette.loads(text.encode())
    assert again == cassette
    assert again.dumps() == text


@given(CASSETTES)
def test_what_is_written_keeps_to_the_schema(cassette: Cassette) -> None:
    """The published schema accepts every cassette, and the schema itself is sound."""
    schema = cassette_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(cassette.dumps()))


EXAMPLE = Cassette(
    by="chatproto 1.0",
    transport="requests",
    exchanges=(
        Exchange(
            request=RecordedRequest(
                method="POST",
                path="/v1beta/models/gemini:streamGenerateContent",
                query=(("alt", "sse"),),
                headers=(("content-type", "application/json"),),
                body=Body("json", {"contents": [{"role": "user", "parts": [{"text": "Grüße \ud800"}]}]}),
            ),
            response=RecordedResponse(
                status=200,
                headers=(("content-type", "text/event-stream"), ("x", "1"), ("x", "2")),
                chunks=(Chunk(70, b'data: {"a": 1}\r\n'), Chunk(300, b"\xc3"), Chunk(0, b"\xa9")),
                end="complete",
            ),
        ),
        Exchange(
            request=RecordedRequest(method="GET", path="/"),
            failure=Failure(kind="connect_failed", message="refused", cause="ConnectionError"),
        ),
    ),
)
TEXT = r"""{
  "chatproto_cassette": 1,
  "recorded": {
    "by": "chatproto 1.0",
    "transport": "requests"
  },
  "exchanges": [
    {
      "request": {
        "method": "POST",
        "path": "/v1beta/models/gemini:streamGenerateContent",
        "query": {
          "alt": "sse"
        },
        "headers": {
          "content-type": "application/json"
        },
        "json": {
          "contents": [
            {
              "role": "user",
              "parts": [
                {
                  "text": "Gr\u00fc\u00dfe \ud800"
                }
              ]
            }
          ]
        }
      },
      "response": {
        "status": 200,
        "headers": {
          "content-type": "text/event-stream",
          "x": [
            "1",
            "2"
          ]
        },
        "chunks": [
          [70, "data: {\"a\": 1}\r\n"],
          [300, {"b64": "ww=="}],
          [0, {"b64": "qQ=="}]
        ],
        "end": "complete"
      }
    },
    {
      "request": {
        "method": "GET",
        "path": "/",
        "query": {},
        "headers": {}
      },
      "response": null,
      "failure": {
        "kind": "connect_failed",
        "message": "refused",
        "cause": "ConnectionError"
      }
    }
  ]
}
"""


def test_the_layout() -> None:
    """Two spaces, fixed order, a line for each chunk, and a line feed at the end: what a diff can show."""
    assert EXAMPLE.dumps() == TEXT
    assert Cassette.loads(TEXT) == EXAMPLE
    assert '"exchanges": []' in Cassette().dumps()


def test_text_stays_readable() -> None:
    """Letters outside ASCII are written as themselves."""
    exchange = Exchange(
        request=RecordedRequest(method="GET", path="/"),
        response=RecordedResponse(status=200, chunks=(Chunk(0, "你好 é".encode()),)),
    )
    assert '[0, "你好 é"]' in Cassette(exchanges=(exchange,)).dumps()


DELETE: Any = object()


# --- the file -------------------------------------------------------------------------------------------------------


def test_saving_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file and no other; folders are made, and permissions are ordinary."""
    path = tmp_path / "deep" / "chat.json"
    Cassette().save(path)
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    before = path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="no space"):
        EXAMPLE.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["chat.json"]
    EXAMPLE.save(path)
    assert Cassette.load(path) == EXAMPLE


def test_missing(tmp_path: Path) -> None:
    """No file is CassetteMissing, with the path."""
    with pytest.raises(CassetteMissing, match=r"no cassette at .*nothing\.json"):
        Cassette.load(tmp_path / "nothing.json")
    assert issubclass(CassetteMissing, FileNotFoundError)
    assert issubclass(CassetteMissing, ChatProtoError)


def test_later_version() -> None:
    """A format of the future is refused by number, not misread."""
    with pytest.raises(LaterCassette, match=r"chat\.json has cassette format 2.*reads up to 1"):
        Cassette.loads('{"chatproto_cassette": 2, "anything": []}', name="chat.json")


def changed(change: Any) -> str:
    """The text of the example after a change."""
    document = json.loads(TEXT)
    change(document)
    return json.dumps(document)


def at(*steps: Any, value: Any) -> Any:
    """A change that sets what the steps lead to; ``DELETE`` as a value deletes."""

    def change(document: Any) -> None:
        for step in steps[:-1]:
            document = document[step]
        if value is DELETE:
            del document[steps[-1]]
        else:
            document[steps[-1]] = value

    return change


REQUEST = ("exchanges", 0, "request")
RESPONSE = ("exchanges", 0, "response")
FAULTS: list[tuple[Any, str]] = [
    (at("exchanges", value={}), r"\$\.exchanges: expected a list"),
    (at("chatproto_cassette", value="1"), r"\$\.chatproto_cassette: expected the number"),
    (at("chatproto_cassette", value=True), r"\$\.chatproto_cassette: expected the number"),
    (at("typo", value=1), r"\$\.typo: expected only"),
    (at(*REQUEST, "host", value="x"), r"\$\.exchanges\[0\]\.request\.host: expected only"),
    (at(*REQUEST, "method", value=DELETE), r"request\.method: expected a string, found None"),
    (at(*REQUEST, "path", value="v1"), r"request\.path: expected a path"),
    (at(*REQUEST, "query", value={"alt": 1}), r"request\.query\.alt: expected a string"),
    (at(*REQUEST, "headers", value={"x": None}), r"request\.headers\.x: expected a string"),
    (at(*REQUEST, "text", value="two"), r"request: a request has one body"),
    (at("exchanges", 1, "request", "b64", value="?"), r"request\.b64: expected base64"),
    (at(*RESPONSE, "status", value=99), r"response\.status: expected an HTTP status"),
    (at(*RESPONSE, "end", value="over"), r"response\.end: expected one of complete, .*found 'over'"),
    (at(*RESPONSE, "chunks", 0, value=["a", "b"]), r"response\.chunks\[0\]: expected \[milliseconds, text"),
    (at(*RESPONSE, "chunks", 0, value=[-1, "b"]), r"response\.chunks\[0\]: expected"),
    (at(*RESPONSE, "chunks", 2, 1, "b64", value="q"), r"response\.chunks\[2\]\[1\]\.b64: expected base64"),
    (at(*RESPONSE, "chunks", 0, 1, value=""), r"response\.chunks\[0\]\[1\]: a chunk has at least one byte"),
    (at("exchanges", 1, "failure", value=DELETE), r"\$\.exchanges\[1\]: without a response"),
    (at("exchanges", 1, "failure", "kind", value="odd"), r"failure\.kind: expected one of connect_failed"),
    (
        at("exchanges", 0, "failure", value={"kind": "failed", "message": ""}),
        r"\$\.exchanges\[0\]\.failure: a response that ended 'complete' did not fail",
    ),
]


@pytest.mark.parametrize(("change", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_faults_are_named_by_path(change: Any, message: str) -> None:
    """Whatever is wrong with a file, the error names the file and the place; the schema refuses it too."""
    text = changed(change)
    with pytest.raises(MalformedCassette, match=f"chat.json: .*{message}"):
        Cassette.loads(text, name="chat.json")
    assert not Draft202012Validator(cassette_schema()).is_valid(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", "\xff", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_cassette_at_all(text: str) -> None:
    """Other files are MalformedCassette too, never another exception (L12's spirit)."""
    with pytest.raises(MalformedCassette, match=r"chat\.json is not a cassette"):
        Cassette.loads(text.encode("latin-1"), name="chat.json")


def test_json_that_is_too_deep() -> None:
    """JSON that could be read and not be written again is refused."""
    deep = "[" * 300 + "]" * 300
    with pytest.raises(MalformedCassette, match=r"nested"):
        Cassette.loads(TEXT.replace('"query": {},', f'"query": {{}}, "json": {deep},'))


def test_what_an_exchange_raises() -> None:
    """Each kind of failure comes back as its class with its words; each end without words has some of its own."""
    kinds = {"connect_failed": ConnectFailed, "timed_out": TimedOut, "connection_lost": ConnectionLost}
    request = RecordedRequest(method="GET", path="/")
    for error in (*(kind("words", cause="Name") for kind in kinds.values()), TransportError("words", cause="Name")):
        again = Exchange(request=request, failure=Failure.of(error, "words")).error()
        assert (type(again), str(again)) == (type(error), "words (Name)")
    ends = {"complete": type(None), "reset": ConnectionLost, "truncated": ConnectionLost, "timeout": TimedOut}
    for end, kind in {**ends, "abandoned": ConnectionLost}.items():
        response = RecordedResponse(status=200, end=end)  # type: ignore[arg-type]  # a str of the literal's
        assert type(Exchange(request=request, response=response).error()) is kind


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A folder, or a file that the system does not give, is an error of the tree."""
    with pytest.raises(CassetteError, match="cannot be read"):
        Cassette.load(tmp_path)
