"""What it costs to say something, counted: encodings, copies and values, not seconds."""

from __future__ import annotations

import base64
import enum
import gc
import tracemalloc
from binascii import b2a_base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto import Client
from chatproto.errors import ValidationError
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import encode_content
from chatproto.machines.steps import SendRequest
from chatproto.machines.text import encode_message, encode_text
from chatproto.testing import FunctionTransport
from chatproto.testing.strategies import contents
from chatproto.types import Content, ModelContent, Part, UserContent
from chatproto.wire import json_blobs
from chatproto.wire.gemini import envelope_for
from chatproto.wire.http import Request
from chatproto.wire.json_blobs import encode_with_blobs
from chatproto.wire.json_codec import MAX_DEPTH, encode

# --- text alone, known at a glance ---


class Text(str):
    """Text that says more of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other"


class Role(enum.StrEnum):
    """A role as a program may write it."""

    USER = "user"


class Fields(dict[str, Any]):
    """Fields that are looked up otherwise."""

    def __getitem__(self, key: str) -> Any:
        return "other"


TEXTS = st.one_of(st.text(), st.sampled_from(["", "\ud800", '"\\\n\x00\x7f\u2028', "[" * 300]))
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=4),
    TEXTS,
    TEXTS.map(Text),
    st.just(Role.USER),
    st.lists(st.integers(), max_size=2),
)
TEXT_PARTS = st.one_of(
    st.fixed_dictionaries({"text": TEXTS}),
    st.fixed_dictionaries({"text": TEXTS}).map(Fields),
    TEXTS.map(lambda text: Part(text=text)),
)
PART_KEYS = st.sampled_from(["text", "thought", "thoughtSignature", "thought_signature", "unknown", Text("text")])
PARTS = st.one_of(
    TEXT_PARTS,
    TEXT_PARTS,
    st.dictionaries(PART_KEYS, ODD, max_size=2),
    ODD,
    st.just(Part(text="seen", thought=True)),
)
ROLES = st.one_of(st.sampled_from(["user", "model"]), st.sampled_from([Role.USER, Text("user"), "tool", "", None, 1]))


@st.composite
def anything(draw: st.DrawFn) -> Any:
    """A content as a program may write it, sound or not."""
    fields: dict[Any, Any] = {
        "role": draw(ROLES),
        "parts": draw(st.one_of(st.lists(PARTS, max_size=3), st.tuples(PARTS), ODD)),
        "unknown": draw(ODD),
        Text("role"): "user",
    }
    keys = draw(st.one_of(st.permutations(["role", "parts"]), st.permutations(list(fields)).map(lambda all_: all_[:2])))
    made = {key: fields[key] for key in keys}
    return draw(st.sampled_from([made, Fields(made)]))


def long_way(item: Any) -> bytes | None:
    """What reading it as a value and writing that gives; None for what cannot be sent."""
    try:
        content = Content.model_validate(item)
        return encode_content(content) if content.role in ("user", "model") else None
    except ValidationError:
        return None


@given(st.one_of(anything(), contents()))
def test_text_at_a_glance_is_what_the_long_way_gives(item: Any) -> None:
    """L16: what is taken for text alone is sent byte for byte as its value would be, dict or Content."""
    shown = encode_text(item)
    if shown is not None:
        assert shown == (item["role"], long_way(item))
    expected = long_way(item)
    if expected is not None:
        content = Content.model_validate(item)
        again = encode_text(content)
        assert again is None or again == (content.role, expected)


@given(st.lists(TEXTS.filter(lambda text: text.isprintable()), min_size=1, max_size=3), st.booleans())
def test_text_is_seen_at_a_glance(texts: list[str], by_the_user: bool) -> None:
    """Dicts in either order of keys, Contents, and the classes that have their role in their name."""
    role = "user" if by_the_user else "model"
    kind = UserContent if by_the_user else ModelContent
    dicts = [{"text": text} for text in texts]
    ways: list[Any] = [
        {"role": role, "parts": dicts},
        {"parts": dicts, "role": role},
        {"parts": [Part(text=text) for text in texts], "role": role},
        Content(role=role, parts=[Part(text=text) for text in texts]),
        kind(list(texts)),
        Content.model_validate({"parts": dicts, "role": role}),
    ]
    for item in ways:
        assert encode_text(item) == (role, long_way(item))


@given(TEXTS)
def test_a_message_of_text_is_what_the_long_way_gives(text: str) -> None:
    """L16: byte for byte; text with a lone surrogate, which no UTF-8 has, goes the long way."""
    shown = encode_message(text)
    assert shown == (None if any("\ud800" <= each <= "\udfff" for each in text) else encode_content(UserContent(text)))


def test_a_history_of_text_makes_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: nothing is read, no Content is made, and each content is encoded once."""
    made: list[object] = []
    for name in ("machines.given.written_at", "machines.given.encode_with_blobs", "machines.given.decode"):
        monkeypatch.setattr(f"chatproto.{name}", made.append)
    monkeypatch.setattr(Content, "model_validate", made.append)
    history = [{"role": ("user", "model")[n % 2], "parts": [{"text": f"number {n}"}]} for n in range(100)]
    with Client(api_key="key-of-a-test") as client:
        chat = client.chats.create(model="m", history=history)
        assert len(chat.turns) == 50
        assert not made


# --- blobs, which never become text ---

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
WITH_BLOBS = st.recursive(
    st.one_of(SCALARS, st.binary(max_size=20), st.integers(0, 5).map(lambda extra: bytes(3 * 64 * 1024 - 2 + extra))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


def as_text(document: Any) -> Any:
    """Bytes as base64, as text."""
    if isinstance(document, bytes):
        return base64.b64encode(document).decode()
    if isinstance(document, dict):
        return {key: as_text(held) for key, held in document.items()}
    return [as_text(held) for held in document] if isinstance(document, list) else document


@given(WITH_BLOBS)
def test_blobs_are_written_as_their_base64_would_be(document: Any) -> None:
    """Byte for byte, whatever stands around them: also where a lone surrogate makes all of it ASCII."""
    assert encode_with_blobs(document) == encode(as_text(document))


@pytest.mark.parametrize("wrong", [float("nan"), {1, 2}, object()])
def test_what_json_cannot_hold_is_refused_beside_a_blob(wrong: Any) -> None:
    """In the same words as without one."""
    with pytest.raises(ValidationError) as alone:
        encode({"a": wrong})
    with pytest.raises(ValidationError) as beside:
        encode_with_blobs({"blob": b"x", "a": wrong})
    assert str(beside.value) == str(alone.value)


def test_nesting_is_limited_beside_a_blob() -> None:
    """At the same depth: brackets in text and the blob itself do not count."""
    for levels, fits in ((MAX_DEPTH - 1, True), (MAX_DEPTH, False), (5000, False)):
        document: Any = b"[" * 300
        for _ in range(levels):
            document = [document]
        if fits:
            assert encode_with_blobs(["[" * 300, document]).startswith(b'["[')
        else:
            with pytest.raises(ValidationError, match="too deeply"):
                encode_with_blobs([document])


def said(size: int) -> Content:
    """A question about a picture."""
    return UserContent(["What is this?", Part.from_bytes(data=bytes(size), mime_type="image/png")])


def answer(machine: Conversation) -> None:
    """The server's side of one turn."""
    step = machine.next()
    assert isinstance(step, SendRequest)
    machine.receive_response(200, ())
    machine.receive_data(
        b'{"candidates":[{"content":{"role":"model","parts":[{"text":"Yes"}]},"finishReason":"STOP"}]}'
    )
    machine.receive_data(b"")
    while machine.next() is not None:
        pass


def test_the_base64_of_a_blob_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the check, the request, the history and all later requests together; and its bytes are the same object."""
    encoded: list[int] = []

    def count(data: memoryview, *, newline: bool) -> bytes:
        encoded.append(len(data))
        return b2a_base64(data, newline=newline)

    monkeypatch.setattr(json_blobs, "b2a_base64", count)
    machine = Conversation("m")
    machine.send("Hello", stream=False)
    answer(machine)
    requests: list[Request] = []
    for message in (said(1_000_000), "And this?", "And now?"):
        machine.send(message, stream=False)
        step = machine.next()
        assert isinstance(step, SendRequest)
        requests.append(step.request)
        answer(machine)
    assert sum(encoded) == 1_000_000
    large = [next(piece for piece in request.body if len(piece) > 1_000_000) for request in requests]
    assert all(piece is large[0] for piece in large)
    assert machine.turns[1].encoded[0] is large[0]
    assert [len(request.json()["contents"]) for request in requests] == [3, 5, 7]


def test_a_turn_with_a_blob_holds_its_base64_and_no_copy() -> None:
    """In memory there is the base64 at most once, and while it is made an eighth of it more."""
    size = 3 * 1024 * 1024
    machine = Conversation("m")
    machine.send(said(10), stream=False)
    answer(machine)
    message = said(size)
    gc.collect()
    tracemalloc.start()
    try:
        machine.send(message, stream=False)
        answer(machine)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.25 * size * 4 / 3


# --- a turn ---


def test_each_content_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the past: two in a turn, what is asked and what is answered."""
    encoded: list[Any] = []

    def count(place: str, write: Any) -> None:
        def counted(content: Any) -> Any:
            made = write(content)
            if made is not None:
                encoded.append(content)
            return made

        monkeypatch.setattr(f"chatproto.{place}", counted)

    machine = Conversation("m", history=[UserContent("Hello"), ModelContent("Hello")] * 50)
    count("machines.drafting.encode_text", encode_text)
    count("machines.drafting.encode_with_blobs", encode_with_blobs)
    count("machines.history.encode_with_blobs", encode_with_blobs)
    count("machines.fold.encode", encode)
    count("machines.fold.encode_text", encode_text)
    count("machines.drafting.encode_message", encode_message)
    for _ in range(5):
        for message in ("And?", UserContent("And?"), said(10)):
            machine.send(message, stream=False)
            answer(machine)
    assert len(encoded) == 30


def test_chats_that_are_told_no_more_than_a_model_share_what_surrounds_their_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What follows from no config is worked out once for all of them; what is said in one stays in it."""
    made: list[str] = []

    def counted(*arguments: Any, model: str, **options: Any) -> Any:
        made.append(model)
        return envelope_for(*arguments, model=model, **options)

    monkeypatch.setattr("chatproto.machines.memory.envelope_for", counted)
    answered = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]}
    with Client(api_key="k" * 20, transport=FunctionTransport(lambda _: answered)) as client:
        chats = [client.chats.create(model=model) for model in ("a", "b", "a", "a")]
        for number, chat in enumerate(chats):
            for _ in range(number):
                chat.send_message("Is it?")
        assert sorted(made) == ["a", "b"]
        assert [len(chat.get_history()) for chat in chats] == [0, 2, 4, 6]
        chats[3].send_message("Is it?", {"temperature": 0.5})
        assert chats[2].prepare("Is it?").json()["generationConfig"] == {}
        client.chats.create(model="a", config={"temperature": 1.0}).send_message("Is it?")
        assert sorted(made) == ["a", "a", "a", "b"]
