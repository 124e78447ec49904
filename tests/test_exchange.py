"""Exchange: one HTTP call, with its framing, errors and retries. And the framings that it chooses from."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatproto.errors import (
    APIError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    RemoteProtocolError,
    ResponseTooLarge,
    ServerError,
    TimedOut,
)
from chatproto.machines import exchange as module
from chatproto.machines.exchange import MAX_ERROR_BYTES, Exchange
from chatproto.machines.retry import RetryPolicy
from chatproto.machines.states import ExchangeState
from chatproto.machines.steps import (
    DocumentReceived,
    ExchangeEnded,
    ReadBody,
    RetryScheduled,
    SendRequest,
    Step,
    Wait,
)
from chatproto.testing.strategies import cuts, json_objects, responses
from chatproto.testing.wire import json_array, sse, text_response
from chatproto.wire.framing import BytesReader, DocumentReader, Framing, StreamReader
from chatproto.wire.http import Headers, Request
from chatproto.wire.json_array import JsonArrayReader
from chatproto.wire.json_codec import encode, plain_object
from chatproto.wire.sse import SseReader

REQUEST = Request(method="POST", url="https://example.com/", body=(b"{}",))
BOM = b"\xef\xbb\xbf"
A, B = text_response("A", None), text_response("B")

#: What a server does in one attempt: a status and pieces of a body, or a failure; a body may end in a failure.
Attempt = tuple[int, Headers, Sequence[bytes | ConnectionLost]] | ConnectFailed | TimedOut


def run(exchange: Exchange, *attempts: Attempt, jitter: float = 0.0) -> list[Step]:
    """All steps but ReadBody, with the server doing ``attempts`` one after the other."""
    steps: list[Step] = []
    waiting = list(attempts)
    body: list[bytes | ConnectionLost] = []
    while (step := exchange.next()) is not None:
        match step:
            case SendRequest():
                attempt = waiting.pop(0)
                if isinstance(attempt, tuple):
                    exchange.receive_response(attempt[0], attempt[1])
                    body = [piece for piece in attempt[2] if piece != b""]
                else:
                    exchange.receive_failure(attempt)
            case ReadBody():
                piece = body.pop(0) if body else b""
                if isinstance(piece, bytes):
                    exchange.receive_data(piece)
                else:
                    exchange.receive_failure(piece)
                continue
            case Wait():
                exchange.resume(jitter)
            case _:
                pass
        steps.append(step)
    assert exchange.state is ExchangeState.CLOSED
    assert not waiting
    return steps


def outcome(*body: bytes | ConnectionLost, status: int = 200, streamed: bool = True) -> tuple[list[Any], ExchangeEnded]:
    """The documents of one attempt, and its end."""
    steps = run(Exchange(REQUEST, streamed=streamed), (status, (), list(body)))
    assert isinstance(steps[0], SendRequest)
    ended = steps[-1]
    assert isinstance(ended, ExchangeEnded)
    documents = []
    for step in steps[1:-1]:
        assert isinstance(step, DocumentReceived)
        documents.append(step.document)
    return documents, ended


def plain(step: Step) -> Any:
    """A step as a value that can be compared: errors by class and text."""
    match step:
        case ExchangeEnded(error=error, leftover=leftover):
            return "ended", type(error), str(error), leftover
        case RetryScheduled(attempt=attempt, error=error):
            return "retry", attempt, type(error), str(error)
        case _:
            return step


# --- framing ---


@pytest.mark.parametrize("opening", [b"", BOM, b" \r\n\t", b" \t\r\n", BOM + b"\n \n", b" " * 5000])
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_the_framing_is_told_by_the_first_byte(opening: bytes, eol: str) -> None:
    """An event stream, an array and a bare document give the same documents, wherever the opening is cut."""
    events = b"".join(sse([A, B], eol))
    array = b"".join(json_array([A, B]))
    if not opening.endswith((b" ", b"\t")):  # a line of an event stream does not begin with one
        assert outcome(opening + events) == ([A, B], ExchangeEnded())
    for body, documents in ((array, [A, B]), (encode(B), [B]), (b"", []), (b"[]", [])):
        for place in range(min(len(opening), 20) + 4):
            whole = opening + body
            assert outcome(whole[:place], whole[place:]) == (documents, ExchangeEnded()), place


def framed(reader: Framing, pieces: Iterable[bytes]) -> Any:
    """All that a framing gives."""
    documents = [document for piece in pieces for document in reader.feed(piece)]
    left = reader.finish()
    return documents, left, None if reader.failed is None else (type(reader.failed), str(reader.failed))


openings = st.lists(st.sampled_from([b" ", b"\n", b"\r", b"\t", BOM, BOM[:1], b" " * 1030, b"\n" * 1030]), max_size=4)
rest = st.lists(
    st.sampled_from([b"data: A\n\n", b"data: A\r", b"[", b"]", b"{", b"}", b'{"a":1}', b",", b"x", b"\n", b" ", b'"']),
    max_size=6,
)


@given(st.data(), st.tuples(openings, rest).map(lambda both: b"".join((*both[0], *both[1]))), st.integers(1, 3000))
@example(None, b" " * 1024 + b"\n" + b"data: A\n\n", 5000)
@example(None, b"\n" * 1020 + b"    \ndata: A\n\n", 5000)
def test_the_choice_of_a_framing_does_not_depend_on_cuts(data: st.DataObject | None, body: bytes, limit: int) -> None:
    """L1: any cut of any bytes gives the same documents, the same end and the same fault; white space without end is
    not kept.
    """
    pieces = [body[index : index + 1] for index in range(len(body))] if data is None else data.draw(cuts(body))
    assert framed(StreamReader(limit), pieces) == framed(StreamReader(limit), [body])
    assert framed(StreamReader(limit, limit), pieces) == framed(StreamReader(limit, limit), [body])
    assert framed(DocumentReader(limit), pieces) == framed(DocumentReader(limit), [body])


def test_a_stream_without_end_is_not_kept() -> None:
    """L12: events that are small each pass a limit in the end; what came before it is handed out."""
    event = b"data: {}\n\n"
    reader = StreamReader(total=25 * len(event) + 3)
    assert len(reader.feed(event * 20)) == 20
    assert len(reader.feed(event * 20)) == 5
    assert isinstance(reader.failed, ResponseTooLarge)
    assert reader.feed(event) == []
    assert reader.finish() == ([], None)


def test_white_space_without_end_is_not_kept() -> None:
    """L12: what says nothing needs no memory, and no limit."""
    reader = StreamReader(limit=100)
    for _ in range(1000):
        assert reader.feed(b" \r\n\t " * 20) == []
        assert len(reader._opening) <= 3
    assert reader.failed is None
    assert reader.feed(b"[1,") == [b"1"]
    reader.feed(b"}")
    assert isinstance(reader.failed, MalformedResponse)
    assert reader.failed.where == f"byte {100 * 1000 + 3}"


def test_a_unary_body_has_a_limit() -> None:
    """L12: the body that goes on for ever is given up and forgotten."""
    reader = DocumentReader(limit=100)
    for _ in range(1000):
        assert reader.feed(b"x" * 10) == []
        assert sum(map(len, reader._held)) <= 100
    assert isinstance(reader.failed, ResponseTooLarge)
    assert reader.finish() == ([], None)


READERS: list[Callable[[], Framing]] = [
    *(StreamReader, BytesReader, DocumentReader, SseReader, JsonArrayReader),
    *(partial(StreamReader, 30, 50), partial(DocumentReader, 30), partial(SseReader, 30), partial(JsonArrayReader, 30)),
]
scraps = st.lists(
    st.sampled_from(
        [b"data: ", b"data: {", b"\r", b"\n", b"\n\n", b'[{"a":"', b'"}', b",", b"]", b"\\", BOM, b" ", b"x" * 9]
    ),
    max_size=12,
)


def read(reader: Framing, pieces: list[bytes]) -> tuple[Any, ...]:
    """What comes of the pieces and of the end of the body."""
    documents = [document for piece in pieces for document in reader.feed(piece)]
    return documents, reader.finish(), repr(reader.failed)


@given(st.sampled_from(READERS), scraps, scraps, scraps)
def test_a_copy_of_a_reader_goes_its_own_way(
    make: Callable[[], Framing], before: list[bytes], here: list[bytes], there: list[bytes]
) -> None:
    """L13: wherever a reader is copied, both read on as two that were given the same from the beginning."""
    reader, mine, theirs = make(), make(), make()
    for piece in before:
        assert reader.feed(piece) == mine.feed(piece) == theirs.feed(piece)
    copied = copy.deepcopy(reader)
    assert type(copied) is type(reader)
    assert read(copied, here) == read(mine, here)
    assert read(reader, there) == read(theirs, there)


@pytest.mark.parametrize(
    ("reader", "opening"), [(SseReader(), b"data: "), (JsonArrayReader(), b'["'), (DocumentReader(), b'{"')]
)
def test_few_pieces_are_held_however_a_body_is_cut(reader: Any, opening: bytes) -> None:
    """Copies at every byte cost little, and so does a server that sends its bytes one by one: they are joined."""
    reader.feed(opening)
    held = reader._line if isinstance(reader, SseReader) else reader._held
    for count in range(1, 100_001):
        assert reader.feed(b"%d" % (count % 10)) == []
        assert len(held) <= 14 + count // 4096
    assert b"".join(held).endswith(b"1234567890" * 10_000)


@pytest.mark.parametrize(("streamed", "body"), [(True, b"data: "), (True, b'["'), (True, b'{"'), (False, b'{"')])
def test_a_body_without_an_end_ends_the_exchange(streamed: bool, body: bytes) -> None:
    """L12: an exchange over a body that never ends its line, or itself, ends with ResponseTooLarge."""
    exchange = Exchange(REQUEST, streamed=streamed)
    exchange._framing = StreamReader(1000) if streamed else DocumentReader(1000)
    exchange.next()
    exchange.receive_response(200, ())
    pieces = 0
    while isinstance(step := exchange.next(), ReadBody):
        exchange.receive_data(body + b"x" * 94)
        body = b""
        pieces += 1
    assert isinstance(step, ExchangeEnded)
    assert isinstance(step.error, ResponseTooLarge)
    assert pieces <= 12
    assert exchange.next() is None


# --- what a body gives ---


@given(st.data(), st.lists(responses(), max_size=4), st.sampled_from(["sse", "array", "crlf", "cr"]))
def test_a_stream_gives_its_documents(data: st.DataObject, documents: list[Any], how: str) -> None:
    """L1: documents come out as they went in, whatever the framing and the cuts."""
    pieces = json_array(documents) if how == "array" else sse(documents, {"crlf": "\r\n", "cr": "\r"}.get(how, "\n"))
    steps, ended = outcome(*data.draw(cuts(b"".join(pieces))))
    assert json.dumps(steps) == json.dumps(documents)
    assert ended == ExchangeEnded()


@given(st.data(), responses())
def test_a_unary_body_is_one_document(data: st.DataObject, document: Any) -> None:
    """L1: cut anywhere."""
    body = json.dumps(document, indent=1).encode()
    assert outcome(*data.draw(cuts(body)), streamed=False) == ([document], ExchangeEnded())


statuses = st.sampled_from([200, 200, 200, 200, 400, 429, 503, 204, 0, -1, 99, 1000])
fragments = st.sampled_from(
    [
        *(b"data: ", b"data:", b"\n", b"\n\n", b"\r\n\r\n", b"{", b"}", b"[", b"]", b'"', b",", b"1", b"null", b" "),
        *(b'{"error":{"code":429}}', b'{"error":1}', b"[DONE]", encode(A), encode(B), BOM, b": x\n", b"9" * 4301),
        *(b"NaN", b"\xff"),
    ]
)
bodies = st.lists(fragments, max_size=12).map(b"".join) | st.binary(max_size=40)


@given(st.data(), statuses, bodies, st.booleans(), st.booleans())
def test_any_bytes_give_documents_and_an_end(
    data: st.DataObject, status: int, body: bytes, streamed: bool, lost: bool
) -> None:
    """L12 and L1: any status and any bytes, whole or broken off, give documents and one ExchangeEnded, whose error is
    the tree's; never an exception; and the same for every cut.
    """
    ends: list[bytes | ConnectionLost] = [ConnectionLost("gone")] if lost else []
    steps = run(Exchange(REQUEST, streamed=streamed), (status, (), [*data.draw(cuts(body)), *ends]))
    assert isinstance(steps[0], SendRequest)
    *received, ended = steps[1:]
    assert all(isinstance(step, DocumentReceived) for step in received)
    assert isinstance(ended, ExchangeEnded)
    assert ended.error is None or isinstance(ended.error, (RemoteProtocolError, APIError, ConnectionLost))
    whole: list[bytes | ConnectionLost] = [body] if body else []
    again = run(Exchange(REQUEST, streamed=streamed), (status, (), [*whole, *ends]))
    assert list(map(plain, again)) == list(map(plain, steps))
    assert ended.error is None or not isinstance(ended.error, MalformedResponse) or ended.error.where


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("pattern", [b"[%b]", b'{"a":%b}', b'{"error":%b}', b'{"error":{"details":[%b]}}'])
def test_any_depth_of_nesting_is_read_or_refused(streamed: bool, status: int, pattern: bytes) -> None:
    """L12: no depth brings RecursionError, in reading or in showing the error."""
    for depth in [*range(1, 60, 7), *range(250, 1100, 13), *range(930, 1010)]:
        body = b"1"
        for _ in range(depth):
            body = pattern.replace(b"%b", body)
        documents, ended = outcome(b"data: " * streamed + body + b"\n\n", status=status, streamed=streamed)
        assert len(documents) <= 1
        str(ended.error)


@pytest.mark.parametrize(
    ("body", "count", "leftover"),
    [
        (b"data: [DONE]\n\n", 0, 0),
        (b"".join(sse([A])) + b"data: [DONE]\n\n", 1, 0),
        (b"".join(sse([A, B])).rstrip(), 2, 0),
        (b"".join(sse([A, B]))[:-9], 1, len(encode(B)) - 5),
        (b"[" + encode(A) + b",", 1, 0),
        (b"[" + encode(A) + b"," + encode(B)[:-3], 1, len(encode(B)) - 3),
        (b"data:", 0, 0),
        (b"", 0, 0),
        (b": nothing\n\n", 0, 0),
    ],
)
def test_ends_that_are_no_error(body: bytes, count: int, leftover: int) -> None:
    """An event that the end cut is not an event and no error: how many bytes of it had come is told."""
    documents, ended = outcome(body)
    assert (len(documents), ended) == (count, ExchangeEnded(leftover=leftover))


@pytest.mark.parametrize(
    ("body", "streamed", "where"),
    [
        (b"", False, "the body"),
        (b" \n", False, "the body"),
        (b"oops", False, "the body"),
        (b"[]", False, "the body"),
        (b"null", False, "the body"),
        (b"[{}]", False, "the body"),
        (encode(A)[:-1], False, "the body"),
        (b"data: A\n\n", True, "event 1"),
        (b"".join(sse([A])) + b"data: [1]\n\n", True, "event 2"),
        (b"".join(sse([A])) + b'data: "x"\n\n', True, "event 2"),
        (b"".join(sse([A])) + b'{"a":', True, "event 2"),
        (b"[" + encode(A) + b",1]", True, "event 2"),
        (b"[" + encode(A) + b"] x", True, f"byte {len(encode(A)) + 3}"),
        (b'{"a":', True, "event 1"),
    ],
)
def test_what_is_no_answer_is_malformed(body: bytes, streamed: bool, where: str) -> None:
    """A 200 whose body the API does not document is MalformedResponse, and says where."""
    documents, ended = outcome(body, streamed=streamed)
    assert isinstance(ended.error, MalformedResponse)
    assert ended.error.where == where
    assert documents == ([A] if encode(A) in body else [])


@pytest.mark.parametrize(
    "error",
    [{"code": 503, "status": "UNAVAILABLE"}, {"status": "UNAVAILABLE"}, {"code": "503", "status": "UNAVAILABLE"}],
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda error: b"".join(sse([{"error": error}])),
        lambda error: b"".join(sse([{"candidates": [], "error": error}])),
        lambda error: b"data: [" + encode({"error": error}) + b"]\n\n",
        lambda error: json.dumps({"error": error}, indent=2).encode(),
        lambda error: json.dumps([{"error": error}], indent=2).encode().replace(b"\n", b"\r\n"),
    ],
)
@pytest.mark.parametrize("before", [0, 2])
def test_an_error_in_the_stream_ends_it(wrap: Callable[[Any], bytes], error: Any, before: int) -> None:
    """W23: in an event or bare, alone or in a list, first key or not, with a code or a name, at once or later."""
    body = b"".join(sse([A] * before)) + wrap(error)
    for place in range(0, len(body), 7):
        documents, ended = outcome(body[:place], body[place:])
        assert documents == [A] * before
        assert isinstance(ended.error, ServerError)
        assert (ended.error.code, ended.error.status) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("streamed", [True, False])
def test_an_error_s_body_may_break_off(streamed: bool) -> None:
    """The status says what it was, and what had come of the body is shown."""
    body = b'{"error": {"code": 500, "mess'
    for piece in (body, b""):
        pieces: list[bytes | ConnectionLost] = [piece, ConnectionLost("gone")] if piece else [ConnectionLost("gone")]
        _, ended = outcome(*pieces, status=500, streamed=streamed)
        assert isinstance(ended.error, ServerError)
        assert ended.error.message == piece.decode()


def test_an_error_s_body_is_kept_as_far_as_it_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """L12: an error's body without end needs a bounded memory, and the connection can still be read to its end."""
    monkeypatch.setattr(module, "MAX_ERROR_BYTES", 100)
    exchange = Exchange(REQUEST, streamed=True)
    exchange.next()
    exchange.receive_response(500, ())
    for _ in range(1000):
        assert exchange.next() == ReadBody()
        assert len(exchange._error_body) <= 100
        exchange.receive_data(b"x" * 30)
    exchange.receive_data(b"")
    ended = exchange.next()
    assert isinstance(ended, ExchangeEnded)
    assert isinstance(ended.error, ServerError)
    assert ended.error.message == "x" * 100
    assert MAX_ERROR_BYTES > 100


# --- steps ---


def test_nothing_is_parsed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-pressure: receive_data only keeps what came; each next() decodes one document at most."""
    decoded: list[bytes] = []

    def counted(data: bytes) -> dict[str, Any] | None:
        decoded.append(data)
        return plain_object(data)

    def never(data: bytes, **_: Any) -> None:
        raise AssertionError(f"nothing is unusual about {data!r}")

    monkeypatch.setattr(module, "plain_object", counted)
    monkeypatch.setattr(module, "decode", never)
    exchange = Exchange(REQUEST, streamed=True)
    exchange.next()
    exchange.receive_response(200, ())
    exchange.receive_data(b"".join(sse([A, B, A])))
    assert exchange._framing.feed(b"") == []
    assert decoded == []
    for count in (1, 2, 3):
        assert isinstance(exchange.next(), DocumentReceived)
        assert len(decoded) == count
    assert exchange.next() == ReadBody()


def test_commands_repeat_and_events_come_once() -> None:
    """A command is handed out until it is answered, an event never again."""
    exchange = Exchange(REQUEST, streamed=True, policy=RetryPolicy(attempts=2))
    for _ in range(3):
        assert exchange.next() == SendRequest(REQUEST)
    exchange.receive_failure(ConnectFailed("x"))
    assert isinstance(exchange.next(), RetryScheduled)
    for _ in range(3):
        assert exchange.next() == Wait(1, 1)
    exchange.resume(0.25)
    assert exchange.waited == 1.25
    for _ in range(3):
        assert exchange.next() == SendRequest(REQUEST)
    exchange.receive_response(200, ())
    for _ in range(3):
        assert exchange.next() == ReadBody()
    exchange.receive_data(b"".join(sse([A])))
    assert exchange.next() == DocumentReceived(A, ())
    for _ in range(3):
        assert exchange.next() == ReadBody()
    exchange.receive_data(b"")
    assert exchange.next() == ExchangeEnded()
    for _ in range(3):
        assert exchange.next() is None


def test_abandon_is_for_ever() -> None:
    """In every state: nothing is handed out any more, and a second call does nothing."""
    for exchange in in_every_state().values():
        exchange.abandon()
        exchange.abandon()
        assert exchange.state is ExchangeState.CLOSED
        assert not exchange.busy
        assert exchange.next() is None


# --- every verb in every state ---


def in_every_state() -> dict[str, Exchange]:
    """An exchange in each state, some in more than one way."""
    found: dict[str, Exchange] = {}

    def keep(name: str, exchange: Exchange, state: ExchangeState) -> None:
        assert exchange.state is state
        found[name] = copy.deepcopy(exchange)

    for streamed in (True, False):
        kind = "stream" if streamed else "unary"
        exchange = Exchange(REQUEST, streamed=streamed, policy=RetryPolicy(attempts=2))
        keep(f"{kind} idle", exchange, ExchangeState.IDLE)
        exchange.next()
        keep(f"{kind} await head", exchange, ExchangeState.AWAIT_HEAD)
        good, bad, failed = (copy.deepcopy(exchange) for _ in range(3))
        good.receive_response(200, (("x", "y"),))
        keep(f"{kind} read body", good, ExchangeState.READ_BODY)
        good.receive_data(b"".join(sse([A, B])) if streamed else encode(A))
        keep(f"{kind} something came", good, ExchangeState.READ_BODY)
        if streamed:
            good.next()
            keep("stream one of two handed out", good, ExchangeState.READ_BODY)
        lost = copy.deepcopy(good)
        lost.receive_failure(ConnectionLost("gone"))
        keep(f"{kind} lost", lost, ExchangeState.DRAIN)
        good.receive_data(b"")
        keep(f"{kind} drain", good, ExchangeState.DRAIN)
        while good.next() is not None:
            pass
        keep(f"{kind} closed", good, ExchangeState.CLOSED)
        bad.receive_response(503, ())
        keep(f"{kind} read error", bad, ExchangeState.READ_ERROR)
        bad.receive_data(b"x")
        bad.receive_data(b"")
        keep(f"{kind} drain error", bad, ExchangeState.DRAIN)
        bad.next()
        keep(f"{kind} backoff", bad, ExchangeState.BACKOFF)
        failed.receive_failure(TimedOut("slow"))
        keep(f"{kind} failed", failed, ExchangeState.DRAIN)
        failed.next()
        failed.next()
        keep(f"{kind} waiting", failed, ExchangeState.BACKOFF)
        failed.resume()
        keep(f"{kind} second attempt", failed, ExchangeState.AWAIT_HEAD)
    return found


VERBS: dict[str, Callable[[Exchange], object]] = {
    "200": lambda exchange: exchange.receive_response(200, ()),
    "503": lambda exchange: exchange.receive_response(503, ()),
    "data": lambda exchange: exchange.receive_data(b"data"),
    "end": lambda exchange: exchange.receive_data(b""),
    "failure": lambda exchange: exchange.receive_failure(ConnectionLost("gone")),
    "resume": lambda exchange: exchange.resume(0.5),
    "abandon": lambda exchange: exchange.abandon(),
}
LEGAL = {
    ExchangeState.IDLE: {"abandon"},
    ExchangeState.AWAIT_HEAD: {"200", "503", "failure", "abandon"},
    ExchangeState.READ_BODY: {"data", "end", "failure", "abandon"},
    ExchangeState.READ_ERROR: {"data", "end", "failure", "abandon"},
    ExchangeState.DRAIN: {"abandon"},
    ExchangeState.BACKOFF: {"resume", "abandon"},
    ExchangeState.CLOSED: {"abandon"},
}


def test_every_state_is_among_those_tried() -> None:
    """The set-up reaches them all."""
    assert {exchange.state for exchange in in_every_state().values()} == set(ExchangeState)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", in_every_state())
def test_every_verb_in_every_state(name: str, verb: str) -> None:
    """L11: a verb is taken, or is a LocalProtocolError that changed nothing; afterwards the exchange goes on."""
    exchange = in_every_state()[name]
    before = pickle.dumps(exchange)
    if verb in LEGAL[exchange.state]:
        VERBS[verb](exchange)
    else:
        with pytest.raises(LocalProtocolError):
            VERBS[verb](exchange)
        assert pickle.dumps(exchange) == before
    exchange.next()


@pytest.mark.parametrize("name", in_every_state())
def test_every_state_goes_on_elsewhere(name: str) -> None:
    """L13: a pickle of any state, and a deep copy, hand out the same steps as the original from there on."""

    def ending(exchange: Exchange) -> list[Any]:
        steps = []
        for _ in range(6):
            step = exchange.next()
            steps.append(plain(step) if step is not None else None)
            if isinstance(step, ReadBody):
                exchange.receive_data(b"")
        return steps

    exchange = in_every_state()[name]
    copies = [pickle.loads(pickle.dumps(exchange)), copy.deepcopy(exchange)]
    expected = ending(exchange)
    assert all(ending(each) == expected for each in copies)


# --- retries ---

POLICY = RetryPolicy(attempts=3, initial_delay=2, jitter=0.5)


@pytest.mark.parametrize("streamed", [True, False])
def test_what_fails_before_the_answer_is_tried_again(streamed: bool) -> None:
    """Statuses and failures alike, each after its pause, and the request is the same object."""
    exchange = Exchange(REQUEST, streamed=streamed, policy=POLICY)
    body = b"".join(sse([A])) if streamed else encode(A)
    attempts: list[Attempt] = [(503, (), [b"x"]), ConnectFailed("no"), (200, (("x", "y"),), [body])]
    steps = run(exchange, *attempts, jitter=0.25)
    assert [type(step) for step in steps] == [
        *[SendRequest, RetryScheduled, Wait, SendRequest, RetryScheduled, Wait, SendRequest],
        *[DocumentReceived, ExchangeEnded],
    ]
    assert [step for step in steps if isinstance(step, Wait)] == [Wait(2, 0.5), Wait(4, 0.5)]
    assert all(step.request is REQUEST for step in steps if isinstance(step, SendRequest))
    assert steps[-2] == DocumentReceived(A, (("x", "y"),))
    assert exchange.waited == 6.5


def test_the_last_error_is_the_caller_s() -> None:
    """After the last attempt its error ends the exchange; nothing of earlier attempts is mixed in."""
    attempts: list[Attempt] = [(503, (), [b"x%d" % number]) for number in range(3)]
    steps = run(Exchange(REQUEST, streamed=True, policy=POLICY), *attempts)
    retries = [step for step in steps if isinstance(step, RetryScheduled)]
    messages = [step.error.message for step in retries if isinstance(step.error, APIError)]
    ended = steps[-1]
    assert isinstance(ended, ExchangeEnded)
    assert isinstance(ended.error, ServerError)
    assert [*messages, ended.error.message] == ["x0", "x1", "x2"]
    assert [step.attempt for step in retries] == [1, 2]


@pytest.mark.parametrize(
    "attempt",
    [
        (200, (), [b"".join(sse([A])), ConnectionLost("gone")]),
        (200, (), [ConnectionLost("gone")]),
        (200, (), [b'data: {"error": {"code": 503}}\n\n']),
        (200, (), [b"data: x\n\n"]),
        (400, (), [b"x"]),
    ],
)
def test_what_has_begun_is_not_tried_again(attempt: Attempt) -> None:
    """An answer that had begun, and what trying again cannot better."""
    steps = run(Exchange(REQUEST, streamed=True, policy=POLICY), attempt)
    assert not any(isinstance(step, RetryScheduled) for step in steps)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ((("retry-after", "7"),), Wait(7, 0.5)),
        ((("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:46 GMT")), Wait(9, 0.5)),
        ((("retry-after", "1"),), Wait(2, 0.5)),
        ((("retry-after", "3600"),), None),
    ],
)
def test_the_server_s_wish_counts(headers: Headers, pause: Wait | None) -> None:
    """Retry-After in seconds or as a date; a wish that is too long is told to the caller with the error."""
    attempts: list[Attempt] = [(429, headers, [])]
    if pause is not None:
        attempts.append((200, (), [b"{}"]))
    steps = run(Exchange(REQUEST, streamed=False, policy=POLICY), *attempts)
    assert [step for step in steps if isinstance(step, Wait)] == ([pause] if pause else [])
    ended = steps[-1]
    assert isinstance(ended, ExchangeEnded)
    if pause is None:
        assert isinstance(ended.error, APIError)
        assert ended.error.retry_after == 3600


@given(st.data(), json_objects())
def test_a_failure_after_documents_comes_after_them(data: st.DataObject, document: Any) -> None:
    """What had arrived is handed out before the failure is told, also when both were received before next()."""
    body = b"".join(sse([{"a": document}, {"b": document}]))
    exchange = Exchange(REQUEST, streamed=True)
    exchange.next()
    exchange.receive_response(200, ())
    for piece in data.draw(cuts(body)):
        exchange.receive_data(piece)
    exchange.receive_failure(ConnectionLost("gone"))
    steps = []
    while (step := exchange.next()) is not None:
        steps.append(step)
    *received, ended = steps
    assert [step.document for step in received if isinstance(step, DocumentReceived)] == [
        {"a": document},
        {"b": document},
    ]
    assert isinstance(ended, ExchangeEnded)
    assert isinstance(ended.error, ConnectionLost)
