"""The search for credentials: through whatever they are wrapped in, within a time and a size that are bounded."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
import os
import re
import time
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chatproto.transport import Secrets
from chatproto_replay import Body, Exchange, RecordedRequest, RecordedResponse
from chatproto_replay.redaction import searching
from chatproto_replay.redaction.searching import (
    TooMuchPacked,
    holds_credential,
    layers,
    pieces_joined,
    searched_in_request,
    searched_in_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "https://generativelanguage.googleapis.com"
KEY = b"AIzaSyCanary-1234567890_abcdef"
TOKEN = b"ya29.a0Canary/+abc~<def>&1234567"
SECRETS = [Secrets({"x-goog-api-key": KEY.decode(), "authorization": f"Bearer {TOKEN.decode()}"}, url=HOST)]


def raw_deflate(data: bytes) -> bytes:
    """Deflate data without a header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zipped(data: bytes) -> bytes:
    """A zip archive with this in its second file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first", "nothing here" * 9)
        archive.writestr("second", data)
    return file.getvalue()


def gzip_with_header(data: bytes) -> bytes:
    """Gzip data with all that its header may have."""
    return b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\0" + b"comment\0" + b"\x12\x34" + raw_deflate(data)


def as_json(data: bytes) -> bytes:
    """A JSON string of these bytes."""
    return json.dumps({"a": data.decode("latin-1")}).encode()


def in_lines(data: bytes, length: int, end: bytes) -> bytes:
    """Base64 in lines of this length."""
    encoded = base64.b64encode(data)
    return end.join(encoded[start : start + length] for start in range(0, len(encoded), length))


#: Ways to wrap bytes, each of which may be wrapped again.
WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "JSON": as_json,
    "JSON, all escaped": lambda data: b'"' + b"".join(b"\\u%04X" % byte for byte in data) + b'"',
    "percent signs": lambda data: quote_from_bytes(data, safe="").encode(),
    "all in percent signs": lambda data: b"".join(b"%%%02x" % byte for byte in data),
    "HTML": lambda data: b"<p>" + b"".join(b"&#%d;" % byte if byte < 128 else bytes([byte]) for byte in data) + b"</p>",
    "HTML, with zeros": lambda data: b"".join(
        (b"&#%03d;" if byte % 2 else b"&#x%06x;") % byte if byte < 128 else bytes([byte]) for byte in data
    ),
    "base64": base64.b64encode,
    "base64 for URLs": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "base64 after something": lambda data: b"data:image/png;base64,ab/" + base64.b64encode(data) + b'"',
    "base64 in lines": base64.encodebytes,
    "base64 in short lines": lambda data: in_lines(data, 20, b"\n"),
    "base64 in lines with an indent": lambda data: in_lines(data, 76, b"\r\n\t  "),
    "base64 in lines of MIME": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "hexadecimal digits": lambda data: b"0x" + data.hex().encode(),
    "capital hexadecimal digits": lambda data: data.hex().upper().encode(),
    "gzip": gzip.compress,
    "gzip with a header": gzip_with_header,
    "gzip in the midst": lambda data: b"\x89PNG\r\n" + gzip.compress(data, 1) + b"after",
    "zlib": zlib.compress,
    "zlib in the midst": lambda data: b"\xff\xfe/FlateDecode stream\r\n" + zlib.compress(data, 9) + b"\r\nendstream",
    "two members": lambda data: zlib.compress(b"nothing " * 9) + gzip.compress(data),
    "zip": zipped,
    "deflate": raw_deflate,
}


@pytest.mark.parametrize("secret", [KEY, TOKEN])
@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_one_wrap(wrap: Callable[[bytes], bytes], secret: bytes) -> None:
    """L15: a credential among other things, wrapped once."""
    for before, after in ((b"", b""), (b"see: ", b" there"), (b"xy" * 50, b"z" * 51)):
        assert holds_credential([wrap(before + secret + after)], SECRETS)


@given(
    wraps=st.lists(st.sampled_from(sorted(WRAPS)), min_size=2, max_size=3),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    secret=st.sampled_from([KEY, TOKEN]),
)
@example(wraps=["gzip", "base64", "JSON"], before=b"", after=b"", secret=KEY)
@example(wraps=["deflate", "base64"], before=b"", after=b"", secret=KEY)
@example(wraps=["two members", "JSON"], before=b"", after=b"", secret=KEY)
def test_wraps_in_wraps(wraps: list[str], before: bytes, after: bytes, secret: bytes) -> None:
    """L15: wrapped in something that is wrapped in something.

    Deflate data without a header is known by nothing, and so found only where it is all that is wrapped.
    """
    assume("deflate" not in wraps[:-1] or wraps == ["deflate", "base64"])
    data = before + secret + after
    for name in wraps:
        data = WRAPS[name](data)
    assert holds_credential([data], SECRETS), (wraps, data)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16(encoding: str) -> None:
    """Also wrapped."""
    data = (b"see " + KEY).decode().encode(encoding)
    assert holds_credential([data], SECRETS)
    assert holds_credential([base64.b64encode(gzip.compress(data))], SECRETS)


def test_percent_signs_in_any_way() -> None:
    """Once, twice, with small and with capital letters: ``occurs_in`` itself knows them, for the words of errors."""
    capital = quote_from_bytes(TOKEN, safe="")
    small = re.sub("%..", lambda found: found[0].lower(), capital)
    for once in (capital, small):
        for form in (once, quote_from_bytes(once.encode(), safe="")):
            assert SECRETS[0].occurs_in(b"?key=" + form.encode() + b"&alt=sse")


def events(texts: list[str]) -> bytes:
    """A stream that says these texts."""
    said = [{"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]} for text in texts]
    return b"".join(b"data: " + json.dumps(each).encode() + b"\r\n\r\n" for each in said)


@given(
    at=st.lists(st.integers(0, 90), max_size=5),
    wrap=st.sampled_from(["none", "base64", "percent signs", "JSON"]),
    form=st.sampled_from(["stream", "cut stream", "laid out", "names", "list"]),
)
@example(at=[30, 40], wrap="none", form="stream")
def test_a_credential_in_pieces(at: list[int], wrap: str, form: str) -> None:
    """L15: a model says it piece by piece, and whoever shows the answer joins them."""
    said = b"The key is " + KEY + b", is it not? So it is."
    text = (WRAPS[wrap](said) if wrap != "none" else said).decode()
    places = [0, *sorted({place for place in at if place < len(text)}), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    body = {
        "stream": lambda: events(pieces),
        "cut stream": lambda: events(pieces)[: -len(b'"}]}}]}\r\n\r\n')],
        "laid out": lambda: json.dumps([{"delta": each} for each in pieces], indent=2).encode(),
        "names": lambda: b"\n".join(json.dumps({"id": "x", "arguments": each}).encode() for each in pieces),
        "list": lambda: json.dumps({"parts": pieces}).encode(),
    }[form]()
    assert holds_credential([body], SECRETS), body


def test_pieces_that_are_joined() -> None:
    """By name, in their order; a name with one string is searched where it stands."""
    document = {"a": "1", "b": {"a": "2\n", "c": 5, "d": ["x", "y"]}, "a:": [{"a": ""}, {"a": '"3'}], "once": "z"}
    assert pieces_joined(json.dumps(document).encode()) == b'12\\n\\"3\nxy'
    assert pieces_joined(b"no JSON") == b""


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
@pytest.mark.parametrize("harm", ["cut", "checksum", "noise"])
def test_packed_data_that_is_broken(pack: Callable[[bytes], bytes], harm: str) -> None:
    """What can be read of it is searched: a stream that was cut, a wrong checksum, noise in its midst."""
    data = pack(b"begin " + KEY + b" " + os.urandom(400).hex().encode())
    broken = {"cut": data[:-30], "checksum": data[:-4] + b"\0\0\0\0", "noise": data[:150] + b"\xff" * 40 + data[190:]}
    assert holds_credential([broken[harm]], SECRETS)


def test_a_long_run_of_base64() -> None:
    """A picture that is followed by packed data, and packed data that a picture's length puts off its place."""
    picture = base64.b64encode(os.urandom(90_000))
    packed = base64.b64encode(gzip.compress(KEY))
    assert holds_credential([b'{"data": "' + picture + b'", "more": "' + packed + b'"}'], SECRETS)
    assert holds_credential([b'{"data": "A' + packed + picture + b'"}'], SECRETS)
    assert holds_credential(
        [b'{"data": "' + base64.b64encode(os.urandom(90_000) + zlib.compress(KEY)) + b'"}'], SECRETS
    )


def test_the_bound() -> None:
    """A little that unpacks to very much is refused, not read; so is what is packed over and over."""
    bomb = gzip.compress(bytes(searching.MOST_UNPACKED * 5 // 4))
    with pytest.raises(TooMuchPacked, match="more than 64 MiB of packed data"):
        holds_credential([bomb], SECRETS)
    with pytest.raises(TooMuchPacked):
        holds_credential([base64.b64encode(bomb)], SECRETS)
    eighth = gzip.compress(bytes(searching.MOST_UNPACKED // 8))
    assert not holds_credential([eighth], SECRETS)


def test_time() -> None:
    """A picture of 5 MiB takes a fraction of a second: 0.3 s when measured, and here ten times that may pass."""
    body = json.dumps(
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(os.urandom(5 * 2**20)).decode()}}
    )
    started = time.perf_counter()
    assert not holds_credential([body.encode()], SECRETS)
    assert time.perf_counter() - started < 3


def test_time_for_a_long_chat() -> None:
    """A MiB of text in many events takes little: 0.4 s when measured, and here ten times that may pass."""
    words = "Implementation details of streaming parsers, said in many words; and so on. " * 5
    body = events([f"{number} {words}\n" for number in range(2**20 // len(words))])
    started = time.perf_counter()
    assert not holds_credential([body], SECRETS)
    assert time.perf_counter() - started < 4


@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    """Anything can be searched; the bytes themselves come first, and no layer comes twice."""
    found = list(layers(data))
    assert found[0] == data
    assert len(set(found)) == len(found)


def test_what_is_searched_of_an_exchange() -> None:
    """All of it: path, query, headers, body, words; an answer in one piece, however it was cut."""
    for request in (
        RecordedRequest(method="POST", path="/" + KEY.decode()),
        RecordedRequest(method="POST", path="/", query=(("alt", KEY.decode()),)),
        RecordedRequest(method="POST", path="/", headers=(("content-type", KEY.decode()),)),
        RecordedRequest(method="POST", path="/", body=Body("json", {"a": [KEY.decode()]})),
        RecordedRequest(method="POST", path="/", body=Body("text", "a " + KEY.decode())),
        RecordedRequest(method="POST", path="/", body=Body("b64", b"\xff" + gzip.compress(KEY))),
    ):
        assert holds_credential(searched_in_request(request), SECRETS)
    clean = RecordedRequest(method="POST", path="/")
    assert not holds_credential(searched_in_request(clean), SECRETS)
    headers = (("content-type", KEY.decode()),)
    assert holds_credential(
        searched_in_response(Exchange(request=clean, response=RecordedResponse(status=200, headers=headers))), SECRETS
    )


def test_other_secrets() -> None:
    """Names and passwords, cookies, and values that are too short to be told from chance."""
    basic = base64.b64encode(b"user:pass-word-1").decode()
    secrets = [Secrets({"authorization": f"Basic {basic}", "cookie": "a=cookie-value", "x-short": "ab"}, url=HOST)]
    for word in (basic, "pass-word-1", "user:pass-word-1", "cookie-value"):
        assert holds_credential([gzip.compress(word.encode())], secrets)
    assert not holds_credential([b"ab user x-short"], secrets)


def basic(pair: str) -> str:
    """A value of ``authorization``."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("authorization", basic("sk_live_9876543:"), "sk_live_9876543"),
        ("authorization", basic("sk-live:"), "sk-live"),
        ("authorization", basic("apikey9876543:x"), "apikey9876543"),
        ("proxy-authorization", basic("me:pass-word-1").rstrip("="), "pass-word-1"),
        ("authorization", 'Digest username="u", response="abcdef123456", opaque="zzzzzzzz"', "abcdef123456"),
        ("authorization", "GoogleLogin auth=abcdefghijkl", "abcdefghijkl"),
        ("authorization", "AWS4-HMAC-SHA256 SignedHeaders=host;date, Signature=abcdefghijkl", "abcdefghijkl"),
        ("x-auth", "Token abcdefghijkl", "abcdefghijkl"),
        ("x-security", "Bearer abcdefghijkl", "abcdefghijkl"),
        ("x-keys", "abcdef123456, fedcba654321", "fedcba654321"),
        ("x-keys", "abcdef123456, fedcba654321", "abcdef123456"),
        ("x-login", "me with sk_live_9876543", "sk_live_9876543"),
        ("Cookie", 's="abcdefghijkl"; b=1', "abcdefghijkl"),
        ("cookie", "a=1; s=abc%2Fdef%2Fghi", "abc/def/ghi"),
    ],
)
def test_what_is_secret_in_a_header(name: str, value: str, secret: str) -> None:
    """L15: whatever a header wraps its credential in, it is looked for by itself."""
    secrets = Secrets({name: value}, url=HOST)
    assert secrets.occurs_in(f'{{"text": "<{secret}>"}}'.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer abcdef123456"),
        ("authorization", basic("alice@example:pass-word-1")),
        ("authorization", 'Digest username="hello-world", realm="gemini", uri="/v1beta/models/m", response="abcdef12"'),
        ("content-type", "application/json"),
        ("accept-encoding", "gzip, deflate, br"),
        ("x-client", "application/json through AppleWebKit/537.36 on ubuntu-22.04 since 2026-11-27"),
        ("x-title", "Gemini"),
    ],
)
def test_what_is_no_secret_in_a_header(name: str, value: str) -> None:
    """Ordinary words, dates and versions do not stop a recording."""
    told = (
        b"POST /v1beta/models/m hello-world Bearer Basic Digest alice@example application/json gzip deflate gemini"
        b" Gemini AppleWebKit/537.36 ubuntu-22.04 2026-11-27 through since username response"
    )
    assert not Secrets({name: value}, url=HOST).occurs_in(told)


def test_credentials_that_no_header_has() -> None:
    """Those of a query are looked for as all others, are something new to look for, and are not sent."""
    secrets = Secrets({}, url=HOST, also=[KEY.decode()])
    assert holds_credential([b"see " + base64.b64encode(KEY)], [secrets])
    assert not Secrets({}, url=HOST).cover(secrets)
    assert not secrets.cover(Secrets({}, url=HOST, also=["another-key"]))
    assert repr(secrets) == "<Secrets ***>"


def test_secrets_that_cover_others() -> None:
    """The same key in another object is nothing new to look for; another key is."""
    one, same = (Secrets({"x-goog-api-key": KEY.decode()}, url=HOST) for _ in range(2))
    both = Secrets({"x-goog-api-key": KEY.decode(), "x-custom": "other-secret"}, url="https://elsewhere")
    assert one.cover(same)
    assert both.cover(one)
    assert not one.cover(both)
    assert one.cover(Secrets({"user-agent": "some-program"}, url=HOST))
