"""What it costs to say something, counted: encodings, copies and values, not seconds."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto import Client
from chatproto.errors import ValidationError
from chatproto.machines.given import encode_text
from chatproto.machines.history import encode_content
from chatproto.testing.strategies import contents
from chatproto.types import Content, ModelContent, Part, UserContent

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


def test_a_history_of_text_makes_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: nothing is read, no Content is made, and each content is encoded once."""
    made: list[object] = []
    for name in ("machines.given.written_at", "machines.given.encode", "machines.given.decode"):
        monkeypatch.setattr(f"chatproto.{name}", lambda *given: made.append(given))
    monkeypatch.setattr(Content, "model_validate", lambda item: made.append(item))
    history = [{"role": ("user", "model")[n % 2], "parts": [{"text": f"number {n}"}]} for n in range(100)]
    with Client(api_key="key-of-a-test") as client:
        chat = client.chats.create(model="m", history=history)
        assert len(chat.turns) == 50
        assert not made
