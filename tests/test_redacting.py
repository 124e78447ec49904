"""Redaction: what a rule replaces, and that nothing else is touched."""

from __future__ import annotations

import base64
import json
import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.client import Client
from chatproto.errors import ConnectFailed, ValidationError
from chatproto.testing.scripted import Answer, ScriptedTransport
from chatproto.testing.strategies import json_values
from chatproto_replay import (
    Body,
    Cassette,
    Chunk,
    Exchange,
    Failure,
    Player,
    RecordedRequest,
    RecordedResponse,
    Recorder,
)
from chatproto_replay.redaction.bodies import Redaction, redacted, redacted_request

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = Redaction(r"[a-z]+@[a-z]+\.example", by="someone@HIDDEN")
#: Characters that are written in several ways, and what the rules look for.
ALPHABET = st.sampled_from([*'ab@."\\/\n\t\x7f', "é", "\u2028", "😀", "ann@mail.example", "example", " "])
TEXTS = st.lists(ALPHABET, max_size=8).map("".join)
DOCUMENTS = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(0, 99),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=3),
    max_leaves=8,
).map(lambda inner: {"top": inner})
#: The ways in which servers spell JSON.
SPELLINGS = st.sampled_from(
    [
        {"ensure_ascii": True},
        {"ensure_ascii": False},
        {"ensure_ascii": True, "indent": 2},
        {"ensure_ascii": False, "separators": (",", ":")},
    ]
)
JSON = (("content-type", "application/json; charset=UTF-8"),)
SSE = (("content-type", "text/event-stream"),)
REQUEST = RecordedRequest(method="POST", path="/v1beta/models/m:generateContent")


def pieces(content: bytes, cuts: list[int]) -> tuple[Chunk, ...]:
    """The bytes cut at these places; each piece waited one millisecond more than the one before."""
    marks = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return tuple(Chunk(number, content[start:end]) for number, (start, end) in enumerate(pairwise(marks), 1))


def answer(*rules: Redaction, chunks: tuple[Chunk, ...], headers: Any = JSON) -> tuple[Chunk, ...]:
    """The chunks of an answer after these rules."""
    response = RecordedResponse(status=200, headers=headers, chunks=chunks)
    changed = redacted(Exchange(request=REQUEST, response=response), rules).response
    assert changed is not None
    return changed.chunks


def content(*rules: Redaction, body: bytes, headers: Any = JSON) -> bytes:
    """A body after these rules."""
    return b"".join(chunk.data for chunk in answer(*rules, chunks=(Chunk(1, body),), headers=headers))


def spelled(document: Any, spelling: dict[str, Any]) -> bytes:
    """A document as a server may spell it."""
    return json.dumps(document, **spelling).replace("/", "\\/" if spelling["ensure_ascii"] else "/").encode()


def replaced(value: Any) -> Any:
    """What EMAIL makes of a document, told without the code that is tested."""
    if isinstance(value, str):
        return re.sub(r"[a-z]+@[a-z]+\.example", "someone@HIDDEN", value)
    if isinstance(value, list):
        return [replaced(each) for each in value]
    if isinstance(value, dict):
        return {name: replaced(each) for name, each in value.items()}
    return value


# --- laws -----------------------------------------------------------------------------------------------------------


@given(document=DOCUMENTS, spelling=SPELLINGS, cuts=st.lists(st.integers(0, 500), max_size=5))
def test_json_stays_json(document: Any, spelling: dict[str, Any], cuts: list[int]) -> None:
    """L14: of an answer, each string is changed as if it had been decoded; its shape, and all else, stays."""
    changed = answer(EMAIL, chunks=pieces(spelled(document, spelling), cuts))
    assert json.loads(b"".join(chunk.data for chunk in changed)) == replaced(document)


@given(document=DOCUMENTS | json_values())
def test_requests_and_answers_are_changed_alike(document: Any) -> None:
    """A value in a request becomes what it becomes in an answer: the next turn of a chat sends it."""
    request = redacted_request(RecordedRequest(method="POST", path="/", body=Body("json", document)), [EMAIL])
    assert request.body is not None
    body = json.dumps([document]).encode()
    assert json.loads(content(EMAIL, body=body)) == [request.body.value]


@given(
    documents=st.lists(DOCUMENTS, min_size=1, max_size=3),
    end=st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]),
    cuts=st.lists(st.integers(0, 500), max_size=5),
)
def test_events(documents: list[Any], end: bytes, cuts: list[int]) -> None:
    """The data of each server-sent event is a document of its own; its frame stays byte for byte."""
    body = b"".join(b": ping" + end + b"data: " + json.dumps(document).encode() + end for document in documents)
    changed = b"".join(chunk.data for chunk in answer(EMAIL, chunks=pieces(body, cuts), headers=SSE))
    events = [event for event in changed.split(end) if event]
    assert events[::2] == [b": ping"] * len(documents)
    assert [json.loads(event.removeprefix(b"data: ")) for event in events[1::2]] == replaced(documents)
    assert content(EMAIL, body=body[6 + len(end) :], headers=()) == changed[6 + len(end) :]


@given(document=DOCUMENTS, spelling=SPELLINGS, cuts=st.lists(st.integers(0, 500), max_size=8))
def test_chunks_are_cut_where_they_were(document: Any, spelling: dict[str, Any], cuts: list[int]) -> None:
    """The content does not depend on the cuts; pieces between replacements keep theirs; no time is lost."""
    body = spelled(document, spelling)
    before = pieces(body, cuts)
    after = answer(EMAIL, chunks=before)
    assert b"".join(chunk.data for chunk in after) == content(EMAIL, body=body)
    assert all(chunk.data for chunk in after)
    assert len(after) <= len(before)
    assert sum(chunk.delay for chunk in after) == sum(chunk.delay for chunk in before)
    if content(EMAIL, body=body) == body:
        assert after == before


@given(before=TEXTS, between=TEXTS, cuts=st.lists(st.integers(0, 300), max_size=6))
def test_where_a_cut_goes(before: str, between: str, cuts: list[int]) -> None:
    """A cut in what stays is at the same place of it; one within what is replaced comes after the replacement."""
    rule = Redaction("SECRET", by="*")
    body = f"{before}SECRET{between}SECRET".encode()
    chunks = pieces(body, cuts)
    ends = [sum(len(chunk.data) for chunk in chunks[: number + 1]) for number in range(len(chunks))]
    first, second = len(before.encode()), len(before.encode()) + 6 + len(between.encode())

    def moved(end: int) -> int:
        for start in (second, first):
            if end > start:
                shift = 5 if start == first else 10
                return max(end, start + 6) - shift
        return end

    expected = list(dict.fromkeys(moved(end) for end in ends))
    after = answer(rule, chunks=chunks, headers=(("content-type", "text/plain"),))
    assert [sum(len(chunk.data) for chunk in after[: n + 1]) for n in range(len(after))] == expected


@given(document=DOCUMENTS, spelling=SPELLINGS)
def test_twice_is_once(document: Any, spelling: dict[str, Any]) -> None:
    """A chat sends what it was answered: a rule leaves its own replacements alone."""
    once = content(EMAIL, Redaction("b+", by="[B]"), body=spelled(document, spelling))
    assert content(EMAIL, Redaction("b+", by="[B]"), body=once) == once


@given(
    document=DOCUMENTS,
    spelling=SPELLINGS,
    at=st.integers(0, 400),
    headers=st.sampled_from([JSON, (("content-type", "text/plain"),), ()]),
)
def test_a_body_that_was_cut_short(document: Any, spelling: dict[str, Any], at: int, headers: Any) -> None:
    """Wherever the body ends, what had come is changed as in the whole body, but for a match that is cut itself."""
    body = spelled({"a": "ann@mail.example", "b": document, "c": "ann@mail.example"}, spelling)
    cut = body[: 8 + at]
    changed = content(EMAIL, body=cut, headers=headers)
    assert b"ann@mail.example" not in changed
    whole = content(EMAIL, body=body, headers=headers)
    common = len(changed) - len(b"@mail.example") - 12  # an escape may be cut, too
    assert whole[: max(0, common)] == changed[: max(0, common)]


@given(text=TEXTS.filter(lambda text: not text.lstrip().startswith(("{", "[", '"', "data:"))))
def test_plain_text(text: str) -> None:
    """A body that is no JSON is one text."""
    assert content(EMAIL, body=text.encode(), headers=()) == replaced(text).encode()


@given(noise=st.binary(max_size=60), content_type=st.sampled_from(["image/png", "application/octet-stream", ""]))
def test_what_is_no_text_is_left_alone(noise: bytes, content_type: str) -> None:
    """Bytes that are not UTF-8 are not searched, unless they are said to be text; then the rest stays as it is."""
    body = b"\xff\xff\xff\xff ann@mail.example " + noise
    assert content(EMAIL, body=body, headers=(("content-type", content_type),)) == body
    said = content(EMAIL, body=body, headers=(("content-type", "text/plain"),))
    assert said.startswith(b"\xff\xff\xff\xff someone@HIDDEN ")
    assert said.endswith(noise) or b"@" in noise


PIECES = st.sampled_from(
    [
        *(b'{"a":"', b'"', b"\\", b"\\u00", b"\\u0061nn@mail.example", b"\\ud83d\\ude00", b"\\ud83d", b'"email":"'),
        *(b"data: ", b"id: ", b"\n", b"\r\n\r\n", b"[", b"]", b"}", b",", b":", b" ", b"true", b"tr", b"123"),
        *(b"ann@mail.example", b"email", b"\xff", b"\xc3", "é😀".encode(), b"\xef\xbb\xbf"),
    ]
)


@given(
    body=st.lists(PIECES, max_size=14).map(b"".join),
    cuts=st.lists(st.integers(0, 200), max_size=4),
    content_type=st.sampled_from(["application/json", "text/event-stream", "text/plain", "image/png", ""]),
    rules=st.lists(
        st.sampled_from([EMAIL, Redaction.key("email"), Redaction("é|a", by=""), Redaction("(.)123", by=r"\1-")]),
        unique=True,
    ),
)
def test_anything(body: bytes, cuts: list[int], content_type: str, rules: list[Redaction]) -> None:
    """Any bytes can be redacted, as whatever they are said to be; the outcome does not depend on how they were cut."""
    headers = (("content-type", content_type),)
    changed = answer(*rules, chunks=pieces(body, cuts), headers=headers)
    assert all(chunk.data for chunk in changed)
    if body:
        assert b"".join(chunk.data for chunk in changed) == content(*rules, body=body, headers=headers)
    if EMAIL in rules and body.isascii():
        assert b"ann@mail.example" not in content(*rules, body=body or b" ", headers=headers)


# --- what a rule replaces -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        pytest.param(EMAIL, r'{"a": "\u0061nn\u0040mail.example"}', '{"a": "someone@HIDDEN"}', id="escaped"),
        pytest.param(
            EMAIL, r'{"a": "x\n\u00e9 ann@mail.example\"\/"}', r'{"a": "x\n\u00e9 someone@HIDDEN\"\/"}', id="within"
        ),
        pytest.param(Redaction("😀+", by="x"), r'["\ud83d\ude00😀", "\ud83d"]', r'["x", "\ud83d"]', id="surrogates"),
        pytest.param(Redaction("a", by='"\\\n'), '["-a-"]', r'["-\"\\\n-"]', id="quoted"),
        pytest.param(Redaction(r"(\w+)@(\w+)", by=r"\2 of \1"), '["a@b"]', '["b of a"]', id="groups"),
        pytest.param(Redaction("^a", by="x"), '["ab", "ba"]', '["xb", "ba"]', id="each string by itself"),
        pytest.param(
            Redaction("[0-9]+", by="N"),
            '{"1": 23, "a": "45", "b": [6, 7.5e3]}',
            '{"N": 23, "a": "N", "b": [6, 7.5e3]}',
            id="numbers",
        ),
        pytest.param(Redaction("a*", by="-"), '["baab"]', '["b-b"]', id="nothing is no match"),
        pytest.param(Redaction("secret", by=""), '["secret"]', '[""]', id="by nothing"),
        pytest.param(
            Redaction("te|at", by="-"),
            '{"text": {"state": "at"}, "date": 1}',
            '{"text": {"state": "-"}, "d-e": 1}',
            id="names of the API",
        ),
        pytest.param(
            EMAIL,
            '{"a@b.example": 1, "b@b.example": 2, "a@b.example": 3}',
            '{"someone@HIDDEN": 1, "someone@HIDDEN 2": 2, "someone@HIDDEN": 3}',
            id="keys",
        ),
        pytest.param(
            Redaction.key("email", by="-"),
            '{"email": "x", "a": [{"email": ["y", {"z": "é"}, 7], "f": "g"}], "b": "email"}',
            '{"email": "-", "a": [{"email": ["-", {"z": "-"}, 7], "f": "g"}], "b": "email"}',
            id="of a key",
        ),
        pytest.param(Redaction.key("email", by="-"), '{"email": "x@y', '{"email": "-', id="of a key, cut"),
        pytest.param(Redaction.key("é"), r'{"\u00e9": "x"}', r'{"\u00e9": "REDACTED"}', id="of a key, escaped"),
        pytest.param(
            Redaction.key("email"), "email: ann@mail.example", "email: ann@mail.example", id="of a key, no JSON"
        ),
        pytest.param(Redaction("ann"), '{"a": ann}, "ann"', '{"a": REDACTED}, "REDACTED"', id="no JSON"),
        pytest.param(Redaction('a="b"', by="-"), '<x a="b">', "<x ->", id="HTML"),
        pytest.param(
            Redaction("ann"),
            '\ufeff  {"a": "ann"} {"b": "ann"}',
            '\ufeff  {"a": "REDACTED"} {"b": "REDACTED"}',
            id="two documents",
        ),
        pytest.param(Redaction("[tf].*"), '[true, "t", fal', '[true, "REDACTED", fal', id="a word that is cut"),
        pytest.param(Redaction("a", by="x"), '["a\\', '["x\\', id="an escape that is cut"),
        pytest.param(Redaction("a", by="x"), '["a\\u00', '["x\\u00', id="another"),
    ],
)
def test_replacements(rule: Redaction, before: str, after: str) -> None:
    """Bodies before and after: strings of JSON by themselves, and nothing else is spelled anew."""
    assert content(rule, body=before.encode()).decode() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("data: ann\nid: ann\n: ann\n\n", "data: *\nid: *\n: *\n\n", id="no JSON"),
        pytest.param("data:ann\rdata\r\r", "data:*\rdata\r\r", id="lone CR"),
        pytest.param('data: {"ann":\ndata: "ann"}\n\n', 'data: {"*":\ndata: "*"}\n\n', id="two lines"),
        pytest.param('event: ann\ndata: "ann"\n\ndata: "an', 'event: *\ndata: "*"\n\ndata: "an', id="cut"),
        pytest.param(
            'data: {"n": 1}\n\n{\n "error": "ann"\n}\n', 'data: {"n": 1}\n\n{\n "error": "*"\n}\n', id="error"
        ),
    ],
)
def test_events_of_other_kinds(before: str, after: str) -> None:
    """Lines that are no JSON are plain text, but for the names of fields; a bare document is one."""
    assert content(Redaction("ann|data", by="*"), body=before.encode(), headers=SSE).decode() == after


def test_blobs_in_json() -> None:
    """A picture is passed over, at once, also where a pattern would take hours; a rule for its key is not."""
    picture = base64.urlsafe_b64encode(bytes(range(256)) * 4000).decode()
    body = json.dumps({"inlineData": {"data": picture}, "text": "ann@mail.example"})
    rule = Redaction(r"[\w.-]+@[\w.-]+", by="-")
    started = time.perf_counter()
    assert content(rule, body=body.encode()) == body.replace("ann@mail.example", "-").encode()
    assert time.perf_counter() - started < 5
    assert picture not in content(Redaction.key("data"), body=body.encode()).decode()
    long_text = "ann@mail.example " * 100
    assert "ann" not in content(EMAIL, body=json.dumps([long_text]).encode()).decode()


def test_a_key_in_events() -> None:
    """A key leads to what it has in each event, also over several lines, and not into the next event."""
    before = 'data: {"email":\ndata: ["x"]}\n\ndata: "y"\n\ndata: {"email": "z"}\n\n'
    after = 'data: {"email":\ndata: ["-"]}\n\ndata: "y"\n\ndata: {"email": "-"}\n\n'
    assert content(Redaction.key("email", by="-"), body=before.encode(), headers=SSE).decode() == after


def test_everything_else_of_an_exchange() -> None:
    """Path, query, the URL of an upload, the words of a failure, and bodies of requests that are no JSON."""
    upload = (("x-goog-upload-url", "/up/ann%40mail.example?x=1"), ("date", "ann@mail.example"))
    exchange = Exchange(
        request=RecordedRequest(
            method="POST",
            path="/v1/ann%40mail.example/a%2Fb:get",
            query=(("filter", "owner=ann@mail.example"), ("trace", None)),
            body=Body("text", "ann@mail.example"),
        ),
        response=RecordedResponse(status=200, headers=upload, end="reset"),
        failure=Failure(kind="connection_lost", message="lost by ann@mail.example", cause="Error"),
    )
    changed = redacted(exchange, [EMAIL])
    assert changed.request.path == "/v1/someone@HIDDEN/a/b:get"
    assert changed.request.query == (("filter", "owner=someone@HIDDEN"), ("trace", None))
    assert changed.request.body == Body("text", "someone@HIDDEN")
    assert changed.response is not None
    assert changed.response.headers == (("x-goog-upload-url", "/up/someone@HIDDEN?x=1"), upload[1])
    assert changed.failure == Failure(kind="connection_lost", message="lost by someone@HIDDEN", cause="Error")
    assert redacted(exchange, []) == exchange
    cut = "é ann@mail.example é".encode()[1:-1]  # a piece of an upload may begin and end within a character
    body = redacted_request(RecordedRequest(method="PUT", path="/", body=Body("b64", cut)), [EMAIL]).body
    assert body == Body("b64", b"\xa9 someone@HIDDEN \xc3")


def test_rules_apply_one_after_the_other() -> None:
    """The second sees what the first has written."""
    rules = Redaction("a", by="b"), Redaction("b+", by="c")
    assert content(*rules, body=b'["ab"]') == b'["c"]'


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Redaction("("), r"'\(' is no regular expression"),
        (lambda: Redaction(re.compile(b"x")), "text, not bytes"),  # type: ignore[arg-type]
        (lambda: Redaction(3), "text, found int"),  # type: ignore[arg-type]
        (lambda: Redaction("x", by=3), "replacement is text, found int"),  # type: ignore[arg-type]
        (lambda: Redaction("x", by="\ud83d"), "that UTF-8 can hold"),
        (lambda: Redaction("x", by=r"\1"), "does not go with 'x': invalid group reference"),
        (lambda: Redaction("[A-Z]+", by="name: NAME!NAME"), None),
        (lambda: Redaction("e", by="REDACTEe"), "matches its own replacement 'REDACTEe'"),
        (lambda: Redaction.key(3), "key is text"),  # type: ignore[arg-type]
        (lambda: Recorder(ScriptedTransport(), "x.json", redact=["x"]), r"\$\.redact\[0\]: expected a Redaction"),  # type: ignore[list-item]
    ],
)
def test_rules_that_are_none(make: Any, words: str | None) -> None:
    """Told when they are made."""
    if words is None:
        words = "would replace it by"
    with pytest.raises(ValidationError, match=words):
        make()


def test_rules_are_values() -> None:
    """They compare, and show what they do."""
    assert Redaction("a", by="b") == Redaction(re.compile("a"), by="b")
    assert repr(Redaction.key("email", by="x")) == "Redaction.key('email', by='x')"
    assert len({Redaction("a"), Redaction("a"), Redaction.key("a")}) == 2


# --- recorded and played --------------------------------------------------------------------------------------------


def chat(client: Client) -> list[str | None]:
    """Three turns about one person."""
    with_history = client.chats.create(model="gemini-2.5-flash")
    said = [with_history.send_message("I am ann@mail.example. Who am I?").text]
    said.append("".join(chunk.text or "" for chunk in with_history.send_message_stream("And?")))
    said.append(with_history.send_message("Thanks, from ann@mail.example").text)
    return said


def test_a_chat_is_recorded_and_played(tmp_path: Path) -> None:
    """L14: the program that records gets the truth, the file has none of it, and plays with the same rules.

    A match that is split over two events is not seen there, but where the chat sends it again, in one piece.
    """
    path = tmp_path / "chat.json"
    script = ScriptedTransport(
        "You are ann@mail.example!", Answer(["Still ann@mail.ex", "ample."], every=7), "Bye, bob@mail.example"
    )
    with Recorder(script, path, redact=[EMAIL]) as recorder:
        live = chat(Client(transport=recorder))
    assert live == ["You are ann@mail.example!", "Still ann@mail.example.", "Bye, bob@mail.example"]
    split, third = (Cassette.load(path).exchanges[index] for index in (1, 2))
    assert split.response is not None
    assert b"ann@mail.ex" in split.response.content
    assert "@mail" not in str(third)
    with Player(path, redact=[EMAIL]) as player:
        played = chat(Client(transport=player))
    assert played == ["You are someone@HIDDEN!", "Still ann@mail.example.", "Bye, someone@HIDDEN"]


def test_a_failure_is_recorded_redacted(tmp_path: Path) -> None:
    """Rules go over what is written of a failure, and the program gets its own words."""
    path = tmp_path / "chat.json"
    with (
        Recorder(ScriptedTransport(ConnectFailed("no ann@mail.example")), path, redact=[EMAIL]) as recorder,
        pytest.raises(ConnectFailed, match="ann@mail"),
    ):
        Client(transport=recorder).models.generate_content(model="m", contents="x")
    assert [each.failure and each.failure.message for each in Cassette.load(path).exchanges] == ["no someone@HIDDEN"]


def test_what_the_search_finds_after_redaction(tmp_path: Path) -> None:
    """A credential that a rule takes away is not written, so it is no reason to refuse."""
    key = "AIza-canary-0123456789"
    path = tmp_path / "chat.json"
    script = ScriptedTransport(Answer({"error": key}, status=200))
    with Recorder(script, path, redact=[Redaction("AIza[-0-9a-z]+")]) as recorder:
        from chatproto.transport import Secrets
        from chatproto.wire.http import Request

        secrets = Secrets({"x-goog-api-key": key}, url="https://h")
        body = json.dumps({"key": key, "b64": base64.b64encode(b"x").decode()}).encode()
        with recorder.open(Request(method="POST", url="https://h/v1", body=(body,)), secrets) as response:
            assert key.encode() in response.read()
            assert response.read() == b""
    assert key not in path.read_text()
    assert path.read_text().count("REDACTED") == 2
