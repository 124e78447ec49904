"""JSON's escapes undone, for searching."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatproto.transport import Secrets
from chatproto.wire.json_escapes import unescaped

CHARACTERS = st.characters(max_codepoint=127)


def spellings(character: str) -> list[str]:
    """How JSON may spell a character of ASCII."""
    units = [f"\\u{ord(character):04x}", f"\\u{ord(character):04X}"]
    short = json.dumps(character)[1:-1]
    return [short, *units, "\\/"] if character == "/" else [short, *units]


@given(st.lists(CHARACTERS.flatmap(lambda each: st.sampled_from(spellings(each))), max_size=12))
@example(["\\\\", "n"])
@example(["\\u005c", "u0041"])
@example(["\\u005C", "\\n"])
@example(["\\\\", "\\\\", "\\u0022"])
def test_ascii_in_any_spelling(pieces: list[str]) -> None:
    """It is what a reader of JSON makes of it, and one layer alone."""
    text = "".join(pieces)
    assert unescaped(text.encode()).decode() == json.loads(f'"{text}"')


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Anything can be searched; what has no escapes stays what it is."""
    found = unescaped(data)
    assert len(found) <= len(data)
    if b"\\" not in data:
        assert found == data


@pytest.mark.parametrize(
    ("data", "found"), [(rb"\u00e9", b"\xe9"), (rb"\u20ac", b"u20ac"), (rb"\q", b"q"), (b"cut\\", b"cut")]
)
def test_what_is_no_escape_of_ascii(data: bytes, found: bytes) -> None:
    """Half of it is still looked at: a credential may stand around it."""
    assert unescaped(data) == found


def test_a_credential_with_a_control_character() -> None:
    """L15: JSON has a spelling of its own for a tab, and a header may have one."""
    secrets = Secrets({"x-login": "first-half\tsecond"}, url="https://h")
    assert secrets.occurs_in(json.dumps({"said": "first-half\tsecond"}).encode())
