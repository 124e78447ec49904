"""ScriptedTransport: answers as Python values, with faults at chosen bytes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import ConnectFailed, ConnectionLost, TimedOut, TransportError, ValidationError
from chatproto.testing.scripted import Answer, ScriptedTransport, ScriptExhausted
from chatproto.testing.wire import error_response, json_array, sse, text_response
from chatproto.transport import AsyncTransport, Secrets, Transport
from chatproto.wire.framing import DocumentReader, Framing, StreamReader
from chatproto.wire.http import Request, header

BASE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
UNARY = Request(method="POST", url=f"{BASE}:generateContent", body=(b"{}",))
SSE = Request(method="POST", url=f"{BASE}:streamGenerateContent?alt=sse", body=(b"{}",))
ARRAY = Request(method="POST", url=f"{BASE}:streamGenerateContent", body=(b"{}",))
SECRETS = Secrets({}, url=BASE)


def fetch(transport: ScriptedTransport, request: Request) -> tuple[int, list[bytes]]:
    """The status and all pieces of the body."""
    with transport.open(request, SECRETS) as response:
        return response.status, list(iter(response.read, b""))


def documents(reader: Framing, chunks: list[bytes]) -> list[Any]:
    """The JSON documents of a body, read as the machine reads it."""
    found = [each for chunk in chunks for each in reader.feed(chunk)]
    rest, cut = reader.finish()
    assert not cut
    return [json.loads(each) for each in found + rest]


def test_it_is_a_transport_of_both_kinds() -> None:
    """One class serves both drivers, and asks for no key."""
    transport = ScriptedTransport()
    sync: Transport = transport
    both: AsyncTransport = transport
    assert isinstance(sync, Transport)
    assert isinstance(both, AsyncTransport)
    assert not transport.needs_credential


@pytest.mark.parametrize("request_", [UNARY, SSE, ARRAY])
@pytest.mark.parametrize("said", ["Hello", ["Hel", "lo"], text_response("Hello"), [text_response("Hello")]])
def test_what_is_said_is_framed_as_asked(request_: Request, said: Any) -> None:
    """Text, texts and wire JSON become one document, an event stream or a JSON array, by the method of the request."""
    status, chunks = fetch(ScriptedTransport(said), request_)
    reader: Framing = DocumentReader() if request_ is UNARY else StreamReader()
    found = documents(reader, chunks)
    assert status == 200
    assert "".join(each["candidates"][0]["content"]["parts"][0]["text"] for each in found) == "Hello"
    assert [each["candidates"][0].get("finishReason") for each in found] == [None] * (len(found) - 1) + ["STOP"]
    assert len(found) == (2 if said == ["Hel", "lo"] and request_ is not UNARY else 1)


def test_errors_are_one_document_where_events_are_asked_for() -> None:
    """The server answers an event stream's request with a bare error, and one without ``alt=sse`` with a list."""
    answer = Answer(error_response(429), status=429, headers={"Retry-After": "2"})
    transport = ScriptedTransport(answer, answer)
    with transport.open(SSE, SECRETS) as response:
        assert (response.status, header(response.headers, "retry-after")) == (429, "2")
        assert json.loads(response.read())["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert json.loads(b"".join(fetch(transport, ARRAY)[1]))[0]["error"]["code"] == 429


def test_a_unary_request_takes_one_document() -> None:
    """Two documents cannot answer it, and that is said."""
    with pytest.raises(ValidationError, match="takes one"):
        fetch(ScriptedTransport([text_response("a"), text_response("b")]), UNARY)


BODIES = st.lists(st.binary(min_size=1, max_size=8), max_size=6)


@given(chunks=BODIES, every=st.none() | st.integers(1, 9), split=st.lists(st.integers(0, 60), max_size=4))
def test_cutting_anew_keeps_the_bytes(chunks: list[bytes], every: int | None, split: list[int]) -> None:
    """``every`` and ``split_at`` change the boundaries and no byte."""
    body = b"".join(chunks)
    _, got = fetch(ScriptedTransport(Answer(chunks=chunks, every=every, split_at=split)), UNARY)
    assert b"".join(got) == body
    ends = {sum(map(len, got[: number + 1])) for number in range(len(got))}
    assert {mark for mark in split if 0 < mark < len(body)} <= ends
    assert every is None or all(len(piece) <= every for piece in got)


@given(chunks=BODIES, offset=st.integers(0, 60), stall=st.booleans())
def test_a_fault_comes_at_its_byte(chunks: list[bytes], offset: int, stall: bool) -> None:
    """Before the fault exactly so many bytes are read."""
    answer = Answer(chunks=chunks, stall_at=offset) if stall else Answer(chunks=chunks, cut_at=offset)
    got: list[bytes] = []
    with ScriptedTransport(answer).open(UNARY, SECRETS) as response:
        with pytest.raises(TimedOut if stall else ConnectionLost):
            got.extend(iter(response.read, b""))
        assert b"".join(got) == b"".join(chunks)[:offset]


def test_exceptions_and_errors() -> None:
    """An exception stands for a response; ``error`` comes after the chunks."""
    mine = ConnectFailed("mine")
    transport = ScriptedTransport(mine, Answer(chunks=[b"ab"], error=TransportError("odd")))
    with pytest.raises(ConnectFailed) as caught:
        fetch(transport, UNARY)
    assert caught.value is mine
    with transport.open(UNARY, SECRETS) as response:
        assert response.read() == b"ab"
        with pytest.raises(TransportError, match="odd"):
            response.read()


def test_what_is_noted() -> None:
    """Requests, waits, discards and closing can be asserted; one answer too few is an assertion that failed."""
    transport = ScriptedTransport("a", "b")
    transport.sleep(1.5)
    with transport.open(UNARY, SECRETS) as response:
        response.discard()
        response.discard()
    assert (transport.requests, transport.slept, transport.discarded, transport.left) == ([UNARY], [1.5], 1, 1)
    transport.add("c")
    fetch(transport, UNARY)
    fetch(transport, UNARY)
    with pytest.raises(ScriptExhausted, match=r"request 4 has no scripted answer: POST .*generateContent") as caught:
        fetch(transport, UNARY)
    assert isinstance(caught.value, AssertionError)
    assert not transport.closed
    transport.close()
    assert transport.closed


def test_asyncio() -> None:
    """The same answers, awaited."""

    async def run() -> list[bytes]:
        transport = ScriptedTransport(Answer(chunks=[b"a", b"b"], cut_at=2))
        await transport.asleep(3.0)
        got: list[bytes] = []
        async with transport.aopen(UNARY, SECRETS) as response:
            got += [await response.aread(), await response.aread()]
            with pytest.raises(ConnectionLost):
                await response.aread()
            response.discard()
        await transport.aclose()
        assert (transport.slept, transport.discarded, transport.closed) == ([3.0], 1, True)
        return got

    assert asyncio.run(run()) == [b"a", b"b"]


def test_answers_that_make_no_sense() -> None:
    """Nothing said, both kinds of body, and pieces of no bytes are refused when written."""
    cases: list[dict[str, Any]] = [{}, {"said": "a", "chunks": [b"a"]}, {"said": "a", "every": 0}]
    for arguments in cases:
        with pytest.raises(ValueError):
            Answer(**arguments)


def test_builders() -> None:
    """Events end in blank lines of the chosen kind; the array is one JSON document."""
    assert sse([{"a": 1}], eol="\n") == [b'data: {"a":1}\n\n']
    assert json.loads(b"".join(json_array([{"a": 1}, {"b": 2}]))) == [{"a": 1}, {"b": 2}]
    assert json_array([]) == [b"[]"]
    assert text_response("x", None, totalTokenCount=3)["usageMetadata"] == {"totalTokenCount": 3}


def test_no_http_library_is_imported() -> None:
    """A test suite that uses it needs no transport's library."""
    code = (
        "import sys, chatproto.testing.scripted\n"
        "assert not {'requests', 'urllib3', 'aiohttp', 'httpx', 'socket'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
