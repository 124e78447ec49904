"""Looking for credentials in what is about to be written, also where it is wrapped in something.

``layers`` unwraps bytes, again and again, and ``Secrets.occurs_in`` knows the spellings of a credential that stand for
themselves (percent signs, base64, hexadecimal digits, UTF-16). What is unwrapped: JSON escapes, percent signs and the
character references of HTML; base64 of either alphabet, also over several lines; hexadecimal digits; gzip and zlib data
and the members of zip archives at any place, also if they are cut or broken; a body that is raw deflate data. A model
may say a credential piece by piece, in many events: the strings that JSON has under one name are also searched in one.

What is not seen: other compressions (brotli, zstd), deflate data without any header in the midst of something else,
encryption, what is wrapped more than six times, and pieces of two answers in one stream, which alternate.
"""

from __future__ import annotations

import binascii
import re
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import attrs

from chatproto.errors import ChatProtoError
from chatproto.wire.json_escapes import unescaped

from ..cassette import Exchange, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chatproto.transport import Secrets

    from ..cassette import RecordedRequest

__all__ = [
    "TooMuchPacked",
    "holds_credential",
    "layers",
    "pieces_joined",
    "searched_in_request",
    "searched_in_response",
]

#: How much is unwrapped of one body, in bytes: so much, and so many times its own size.
MOST_UNPACKED = 64 * 2**20
MOST_TIMES = 16
DEPTH = 6

_SMALL = 64 * 1024  # what is no longer is looked at as text and as anything else
_SHORTEST_RUN = 16
_SHORTEST_MEMBER = 6
_BY_CHANCE = 24  # so many bytes may be read as deflate data for a while though they are not


class TooMuchPacked(ChatProtoError):
    """So much is packed into a body that it is not searched."""


def holds_credential(parts: Iterable[bytes], secrets: Sequence[Secrets]) -> bool:
    """Whether one of these credentials is anywhere in the parts, or in what is wrapped in them.

    Raises TooMuchPacked for what cannot be searched in a reasonable time.
    """
    return any(
        known.occurs_in(layer)
        for part in parts
        for whole in (part, pieces_joined(part))
        for layer in layers(whole)
        for known in secrets
    )


def searched_in_request(request: RecordedRequest) -> Iterator[bytes]:
    """Of a request that is to be written, what can hold a credential."""
    body = request.body
    if body is not None and body.kind != "json":
        yield body.value.encode("utf-8", "surrogatepass") if isinstance(body.value, str) else body.value
        request = attrs.evolve(request, body=None)
    yield _written(Exchange(request=request))


def searched_in_response(exchange: Exchange) -> Iterator[bytes]:
    """Of an answer, or a failure, that is to be written. The body is searched in one piece, however it was cut."""
    response = exchange.response
    if response is not None:
        yield response.content
        response = attrs.evolve(response, chunks=())
    head = attrs.evolve(exchange.request, body=None)
    yield _written(attrs.evolve(exchange, request=head, response=response))


def _written(exchange: Exchange) -> bytes:
    return layout(exchange.to_json()).encode()


# A string of JSON that begins in one line, and whether it is a name. The last one may have been cut.
_STRING = re.compile(rb'"([^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+)(?:"[ \t\r\n]*(:?)[ \t\r\n]*|\Z)')


def pieces_joined(data: bytes) -> bytes:
    """The strings that JSON, or a stream of it, has under one name, one after the other; and those without a name.

    Names with one string are left out, and each name has a line. Escapes stay as they are.
    """
    found: dict[bytes, list[bytes]] = {}
    name, named = b"", -1
    for string in _STRING.finditer(data):
        if string[2]:
            name, named = string[1], string.end()
        else:
            found.setdefault(name if string.start() == named else b"", []).append(string[1])
    return b"\n".join(b"".join(pieces) for pieces in found.values() if len(pieces) > 1)


def layers(data: bytes) -> Iterator[bytes]:
    """``data``, and then everything that is wrapped in it, what is less deep first. Raises TooMuchPacked."""
    left = MOST_UNPACKED + MOST_TIMES * len(data)
    seen = {hash(data)}
    waiting = deque([(data, 0)])
    while waiting:
        layer, depth = waiting.popleft()
        yield layer
        if depth == DEPTH:
            continue
        for inner in _unwrapped(layer, left):
            left -= len(inner)
            if left < 0:
                raise TooMuchPacked(_TOO_MUCH)
            if inner and hash(inner) not in seen:
                seen.add(hash(inner))
                waiting.append((inner, depth + 1))


_TOO_MUCH = f"it holds more than {MOST_UNPACKED >> 20} MiB of packed data"


def _unwrapped(data: bytes, most: int) -> Iterator[bytes]:
    if _is_text(data) or len(data) <= _SMALL:
        plain = _plainer(data)
        if plain != data:
            yield plain  # which is looked into further
        else:
            yield from _from_base64(data)
            yield b"\n".join(
                bytes.fromhex(data[start : end - (end - start) % 2].decode()) for start, end in _hex_runs(data)
            )
    if not data.isascii():
        yield _inflated(data, most)


# --- text -----------------------------------------------------------------------------------------------------------

_NO_CONTROLS = bytes({*range(32, 256), *b"\t\n\r\f\b"} - {127})
_SAMPLE = 8 * 1024


def _is_text(data: bytes) -> bool:
    """Whether it looks like text in a superset of ASCII: of noise, each ninth byte would be a control character."""
    middle = len(data) // 2
    sample = data[:_SAMPLE] + data[middle : middle + _SAMPLE] + data[-_SAMPLE:]
    return len(sample.translate(None, _NO_CONTROLS)) * 50 <= len(sample)


_REFERENCE = re.compile(rb"&(?:#0*(\d{1,3})|#[xX]0*([0-9a-fA-F]{1,2})|(amp|apos|gt|lt|quot));")
_NAMED = {b"amp": b"&", b"apos": b"'", b"gt": b">", b"lt": b"<", b"quot": b'"'}


def _plainer(data: bytes) -> bytes:
    """Text without the escapes of JSON, then without percent signs, then without character references.

    It is for searching: signs outside of ASCII stay escaped.
    """
    data = unescaped(data)
    if b"%" in data:
        data = unquote_to_bytes(data)
    return _REFERENCE.sub(_referred, data) if b"&" in data else data


def _referred(found: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = found.groups()
    if name is not None:
        return _NAMED[name]
    number = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return bytes([number]) if number < 256 else found[0]


def _table(alphabet: bytes) -> bytes:
    """What makes an x of the bytes of an alphabet, and a space of all others: so that runs of it are found quickly."""
    return bytes(ord("x") if byte in alphabet else ord(" ") for byte in range(256))


_HEX = _table(b"0123456789abcdefABCDEF")
_BASE64 = _table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_GZIP = b"H4sI"  # how gzip data begins in base64
_FULL_LINE = 60  # characters of base64 that is broken into lines, as most programs do it
_LINE_BREAK = re.compile(rb"[ \t]*[\r\n][ \t\r\n]*")


def _runs(marked: bytes, least: int) -> Iterator[tuple[int, int]]:
    run = b"x" * least
    start = marked.find(run)
    while start >= 0:
        end = marked.find(b" ", start)
        end = len(marked) if end < 0 else end
        yield start, end
        start = marked.find(run, end)


def _hex_runs(data: bytes) -> Iterator[tuple[int, int]]:
    return _runs(data.translate(_HEX), 2 * _SHORTEST_RUN)


def _base64_runs(data: bytes) -> Iterator[bytes]:
    """Runs of base64, those over several lines in one piece."""
    marked = data.translate(_BASE64)
    after = 0
    for start, end in _runs(marked, _SHORTEST_RUN):
        if start < after:
            continue
        lines, after = [data[start:end]], end
        while len(lines[-1]) >= _FULL_LINE and data[after : after + 2].startswith((b"\n", b"\r\n")):
            begin = after + (2 if data[after : after + 1] == b"\r" else 1)
            after = marked.find(b" ", begin)
            after = len(data) if after < 0 else after
            lines.append(data[begin:after])
        run = b"".join(lines) if len(lines) > 1 else lines[0]
        yield run.translate(_TO_STANDARD) if b"-" in run or b"_" in run else run


def _from_base64(data: bytes) -> Iterator[bytes]:
    """What is in base64: each long run by itself, and all short ones together, texts and other bytes apart.

    A run may begin with something else that looks like base64. So short ones are read from each of their first four
    characters, and long ones from their first and from where gzip data seems to begin.
    """
    texts: tuple[list[bytes], ...] = ([], [], [], [])
    others: tuple[list[bytes], ...] = ([], [], [], [])
    seen: set[bytes] = set()
    # Lines of any length, and indented: what stands before the first of them is joined to it.
    for text, alone in ((data, True), (_LINE_BREAK.sub(b"", data), False)):
        for run in _base64_runs(text):
            if run in seen:
                continue
            seen.add(run)
            if len(run) > _SMALL:
                starts = {0, max(0, run.find(_GZIP))} if alone else range(4)
                yield from (_decoded(run, start) for start in starts)
                continue
            for offset in range(4):
                inner = _decoded(run, offset)
                (texts if _is_text(inner) else others)[offset].append(inner)
    for group in (*texts, *others):
        yield b"\n".join(group)


def _decoded(run: bytes, start: int) -> bytes:
    length = len(run) - start
    end = len(run) - (length % 4 == 1)  # one character alone is not a byte
    piece, missing = run[start:end], -(end - start) % 4
    return binascii.a2b_base64(piece + b"=" * missing if missing else piece)


# --- packed data ----------------------------------------------------------------------------------------------------

# Of the two bytes of a zlib header, the first is always the same in what zlib makes unless told otherwise.
_MEMBER = re.compile(rb"\x1f\x8b\x08|PK\x03\x04|\x78[\x01\x5e\x9c\xda]")
_FIRST, _NEXT = 64, 64 * 1024  # how much is read at once


def _inflated(data: bytes, most: int) -> bytes:
    """All that is packed in ``data``, one after the other. Raises TooMuchPacked beyond ``most`` bytes."""
    found: list[bytes] = []
    after = 0
    for start in (0, *(_begin(data, member) for member in _MEMBER.finditer(data))):
        if start < after:
            continue  # within a member that has been read
        content, end = _inflate(data, start, most)
        if len(content) >= _SHORTEST_MEMBER:
            found.append(content)
            most -= len(content)
        if len(content) >= _BY_CHANCE:
            after = end
    return b"\n".join(found)


def _begin(data: bytes, member: re.Match[bytes]) -> int:
    """Where the deflate data of a member begins, behind its header."""
    start = member.start()
    if member[0].startswith(b"PK"):
        return (
            start
            + 30
            + int.from_bytes(data[start + 26 : start + 28], "little")
            + int.from_bytes(data[start + 28 : start + 30], "little")
        )
    if len(member[0]) == 2:
        return start + 2
    flags = data[start + 3] if start + 3 < len(data) else 0
    place = start + 10
    if flags & 4:
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (8, 16):  # a name, and a comment
        if flags & flag:
            place = data.find(b"\0", place) + 1 or len(data)
    return place + (2 if flags & 2 else 0)


def _inflate(data: bytes, start: int, most: int) -> tuple[bytes, int]:
    """What deflate data at ``start`` unpacks to, as far as it is sound, and where it ends if it does.

    Checksums are not looked at: what is broken may hold a credential, too.
    """
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    content = bytearray()
    step = _FIRST
    while start < len(data) and not machine.eof:
        before = machine.copy()
        piece = data[start : start + step]
        try:
            content += machine.decompress(piece, most - len(content) + 1)
        except zlib.error:
            content += _up_to_the_fault(before, piece)
            return bytes(content), 0
        if len(content) > most:
            raise TooMuchPacked(_TOO_MUCH)
        start += len(piece)
        step = _NEXT
    return bytes(content), start - len(machine.unused_data) if machine.eof else 0


def _up_to_the_fault(machine: Any, piece: bytes) -> bytes:
    content = bytearray()
    for place in range(len(piece)):
        try:
            content += machine.decompress(piece[place : place + 1])
        except zlib.error:
            break
    return bytes(content)
