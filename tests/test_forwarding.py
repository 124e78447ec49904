"""What becomes of a client's request: what of it is the request, what a secret, and what only about its connection."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import ValidationError
from chatproto.wire.http import Headers, Request
from chatproto_replay.redaction.allowed import NEVER
from chatproto_replay.serving.forwarding import GOOGLE, Asked, asked, check_upstream

KEY = "AIzaSy-not-a-key-of-anyone-0123456789"
PATH = "/v1beta/models/m:generateContent"


def ask(target: str = PATH, *headers: tuple[str, str], body: bytes = b"{}", base: str = GOOGLE) -> Asked:
    """A POST."""
    return asked("POST", target, headers, body, base=base)


def sent(question: Asked, url: str | None = None) -> dict[str, str]:
    """All headers that a transport would send."""
    return dict(question.secrets.headers_for(question.request, url))


def test_headers_are_sorted() -> None:
    """What anyone may know is the request's; the rest is secret, and goes to the one server; the connection's goes."""
    given_headers: Headers = (
        ("Host", "127.0.0.1:8080"),
        ("Content-Type", "application/json"),
        ("Content-Length", "2"),
        ("Accept-Encoding", "gzip, br"),
        ("User-Agent", "google-genai-sdk/3.4.0"),
        ("X-Goog-Upload-File-Name", "document.txt"),
        ("x-goog-api-key", KEY),
        ("X-Team", "a"),
        ("X-Team", "b"),
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("Connection", "keep-alive, X-Own"),
        ("X-Own", "for this connection"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
    )
    question = ask(PATH, *given_headers)
    assert question.request == Request(
        method="POST",
        url=f"{GOOGLE}{PATH}",
        headers=(
            ("accept-encoding", "identity"),
            ("content-type", "application/json"),
            ("user-agent", "google-genai-sdk/3.4.0"),
            ("x-goog-upload-file-name", "document.txt"),
        ),
        body=(b"{}",),
    )
    secret = {"x-goog-api-key": KEY, "x-team": "a, b", "cookie": "a=1; b=2"}
    assert sent(question) == dict(question.request.headers) | secret
    assert sent(question, "https://elsewhere.example/") == dict(question.request.headers)
    assert question.secrets.occurs_in(KEY.encode())
    assert not question.secrets.occurs_in(b"see document.txt")


@pytest.mark.parametrize("name", sorted(NEVER))
def test_a_credential_in_the_query_becomes_a_header(name: str) -> None:
    """However it is spelled; the rest of the query stays as it is, byte for byte."""
    question = ask(f"{PATH}?alt=sse&{name.upper()}=a%2Bb+c-{KEY}&filter=%41~%2f")
    assert question.request.url == f"{GOOGLE}{PATH}?alt=sse&filter=%41~%2f"
    header = {"x-goog-api-key": f"a+b c-{KEY}"} if "key" in name else {"authorization": f"Bearer a+b c-{KEY}"}
    assert sent(question).items() >= header.items()


def test_a_key_in_a_header_comes_before_one_in_the_query() -> None:
    """As it is the client's own word."""
    question = ask(f"{PATH}?key=other-key-1234", ("X-Goog-Api-Key", KEY))
    assert sent(question)["x-goog-api-key"] == KEY


def test_clients_are_told_apart_by_their_credential() -> None:
    """Wherever it stands; and what tells them apart does not tell what it is (law L15)."""
    header, query = ask(PATH, ("x-goog-api-key", KEY)), ask(f"{PATH}?key={KEY}")
    bearer, other = ask(PATH, ("authorization", f"Bearer {KEY}")), ask(PATH, ("x-goog-api-key", KEY[::-1]))
    assert header.client == query.client
    assert len({header.client, bearer.client, other.client}) == 3
    assert ask().client == ask(PATH, ("x-goog-api-key", ""), ("x-team", "a")).client == b""
    for question in (header, query, bearer):
        for shown in (repr(question), repr(question.request), repr(question.client)):
            assert KEY not in shown
        assert question.client not in (KEY.encode(), b64encode(KEY.encode()))


@given(data=st.binary(), path=st.from_regex(r"/[!-~]{0,30}", fullmatch=True))
def test_path_and_body_pass_as_they_are(data: bytes, path: str) -> None:
    """No path is cleaned up, and no body read; a query holds no credential afterwards."""
    question = ask(path, body=data)
    assert question.request.content == data
    before, _, query = path.partition("?")
    assert question.request.url.removeprefix(GOOGLE).partition("?")[0] == before
    for pair in question.request.url.partition("?")[2].split("&"):
        assert pair in query.split("&")
        assert pair.partition("=")[0].lower() not in NEVER


def test_other_forms_of_a_target() -> None:
    """The absolute form names the server once more, and ``*`` is no path."""
    assert ask(f"http://proxy.example{PATH}?alt=sse").request.url == f"{GOOGLE}{PATH}?alt=sse"
    assert ask("http://proxy.example").request.url == f"{GOOGLE}/"
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        ask("http://[")


def test_bytes_of_headers_stay() -> None:
    """What is no ASCII is in latin-1, byte by byte, as transports have it."""
    value = "é".encode().decode("utf-8", "surrogateescape"), b"\xe9".decode("utf-8", "surrogateescape")
    question = ask(PATH, ("x-team", "".join(value)))
    assert sent(question)["x-team"] == "\xc3\xa9\xe9"


def test_upstream() -> None:
    """An origin, with or without a slash."""
    assert check_upstream("https://host.example/") == "https://host.example"
    assert check_upstream("http://127.0.0.1:8080") == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("", ""),
        ("foo", "foo"),
        ("localhost:8765", "localhost:8765"),
        ("host.example/v1", "host.example/v1"),
        ("https://host.example/v1", "https://host.example/v1"),
        ("ftp://h", "ftp://h"),
        ("http://h:0x", "http://h:0x"),
        ("http://[", "http://["),
        ("http://u:secret@h", "http://h"),
        ("http://u:se/secret@h", "http://h"),
        ("http://u:secret//@h", "http://h"),
        ("u:secret@h", "h"),
        ("http://secret@h/v1", "http://h/v1"),
        ("http://h?key=secret", "http://h?..."),
        ("http://h/v1?key=secret@x#y", "http://x#y"),
        ("https://h/#a", "https://h/#a"),
    ],
)
def test_no_upstream(wrong: str, shown: str) -> None:
    """Anything else is shown as it was given, without user and password, and without a query (law L15)."""
    with pytest.raises(ValidationError, match="upstream: expected the URL of a server") as caught:
        check_upstream(wrong)
    assert str(caught.value).endswith(f"found {shown!r}")
    assert "secret" not in str(caught.value)
