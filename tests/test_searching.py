"""The search for credentials: through whatever they are wrapped in, within a time and a size that are bounded."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
import time
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatproto.transport import Secrets
from chatproto_replay import Body, Exchange, RecordedRequest, RecordedResponse
from chatproto_replay.redaction import searching
from chatproto_replay.redaction.searching import (
    TooMuchPacked,
    holds_credential,
    layers,
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


#: Ways to wrap bytes, each of which may be wrapped again.
WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "JSON": as_json,
    "JSON, all escaped": lambda data: b'"' + b"".join(b"\\u%04X" % byte for byte in data) + b'"',
    "percent signs": lambda data: quote_from_bytes(data, safe="").encode(),
    "all in percent signs": lambda data: b"".join(b"%%%02x" % byte for byte in data),
    "HTML": lambda data: b"<p>" + b"".join(b"&#%d;" % byte if byte < 128 else bytes([byte]) for byte in data) + b"</p>",
    "base64": base64.b64encode,
    "base64 for URLs": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
    "base64 after something": lambda data: b"data:image/png;base64,ab/" + base64.b64encode(data) + b'"',
    "base64 in lines": base64.encodebytes,
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
def test_wraps_in_wraps(wraps: list[str], before: bytes, after: bytes, secret: bytes) -> None:
    """L15: wrapped in something that is wrapped in something."""
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


def test_secrets_that_cover_others() -> None:
    """The same key in another object is nothing new to look for; another key is."""
    one, same = (Secrets({"x-goog-api-key": KEY.decode()}, url=HOST) for _ in range(2))
    both = Secrets({"x-goog-api-key": KEY.decode(), "x-custom": "other-secret"}, url="https://elsewhere")
    assert one.cover(same)
    assert both.cover(one)
    assert not one.cover(both)
    assert one.cover(Secrets({"user-agent": "some-program"}, url=HOST))
