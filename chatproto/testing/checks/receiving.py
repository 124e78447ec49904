"""What a transport gives of a response."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from ..servers import CLOSE, LoopbackServer, Received, chunk, head
from .base import Checks, Handshake, a_request, require, secrets_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .callers import Caller

__all__ = ["Receiving"]


class Receiving(Checks):
    """The head and the body come as they arrive."""

    def test_every_status_is_a_response(self, caller: Caller) -> None:
        """``open`` takes no decision: no status raises."""
        with LoopbackServer() as server:
            for status in (200, 201, 204, 304, 308, 400, 401, 404, 429, 500, 503, 599):
                body = b"" if status in (204, 304) else b"{}"
                server.on("/", [head(status, content_length=len(body)), body])
                with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                    require(response.status == status, f"{status} came as {response.status}")
                    require(b"".join(caller.drain(response)) == body, f"the body of a {status} was lost")

    def test_response_headers(self, caller: Caller) -> None:
        """Names are in lower case, in the order they came, and apart where a name is repeated."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=0, Retry_After="7", Set_Cookie=["a=1", "b=2"], X_Last="\u00e9")])
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                headers: Any = response.headers
        require(isinstance(headers, tuple), f"headers are a {type(headers).__name__}, not a tuple of pairs")
        require(all(name == name.lower() for name, _ in headers), f"not in lower case: {headers}")
        names = [name for name, _ in headers if name in ("retry-after", "set-cookie", "x-last")]
        require(names == ["retry-after", "set-cookie", "set-cookie", "x-last"], f"not in order, or joined: {headers}")
        require([value for name, value in headers if name == "set-cookie"] == ["a=1", "b=2"], f"joined: {headers}")

    def test_the_head_does_not_wait_for_the_body(self, caller: Caller) -> None:
        """``open`` returns when the head is there; the body begins only after that."""
        handshake = Handshake()
        with LoopbackServer() as server:
            server.on("/", handshake.script(head(content_length=5), b"first"))
            with handshake.shaking(), caller.open(a_request(server, "/"), secrets_for(server)) as response:
                handshake.taken.release()
                require(caller.drain(response) == [b"first"], "the head was held back until the body began")

    @pytest.mark.parametrize("framing", ["chunked", "content-length", "until-close"])
    def test_pieces_come_as_they_arrive(self, caller: Caller, framing: str) -> None:
        """``read`` gives what has arrived, at the boundaries at which it arrived, also inside of a line end or of a
        character; it never waits for more.
        """
        pieces, handshake = [b"data: 1\r", b"\n\r\ndata: \xe2", b"\x82", b"\xac\r\n\r\n"], Handshake()
        if framing == "chunked":
            sent = [head(chunked=True) + chunk(pieces[0]), *map(chunk, pieces[1:-1]), chunk(pieces[-1]) + chunk()]
        elif framing == "content-length":
            sent = [head(content_length=sum(map(len, pieces))) + pieces[0], *pieces[1:]]
        else:
            sent = [head(connection="close") + pieces[0], *pieces[1:]]
        with LoopbackServer() as server:
            server.on("/", handshake.script(*sent, ending=CLOSE if framing == "until-close" else b""))
            with handshake.shaking(), caller.open(a_request(server, "/"), secrets_for(server)) as response:
                got = handshake.read_all(response)
                require(got == pieces, f"the pieces were {got}")
                require(response.read() == b"", "after the end there was more")

    def test_half_a_chunk_is_not_waited_for(self, caller: Caller) -> None:
        """The first half of a chunk of HTTP is handed out before its second half is sent."""
        handshake = Handshake()
        with LoopbackServer() as server:
            server.on("/", handshake.script(head(chunked=True) + b"a\r\n12345", b"67890\r\n" + chunk()))
            with handshake.shaking(), caller.open(a_request(server, "/"), secrets_for(server)) as response:
                got = handshake.read_all(response)
                require(got == [b"12345", b"67890"], f"the pieces were {got}")

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_compressed_bodies(self, caller: Caller, coding: str) -> None:
        """What the server compressed is decoded, and comes as it arrives, too."""
        packer, handshake = zlib.compressobj(wbits=31 if coding == "gzip" else 15), Handshake()
        pieces = [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"]
        first = packer.compress(pieces[0]) + packer.flush(zlib.Z_SYNC_FLUSH)
        second = packer.compress(pieces[1]) + packer.flush()
        large = b"0123456789" * 100_000
        packed = gzip.compress(large) if coding == "gzip" else zlib.compress(large)
        with LoopbackServer() as server:
            opening = head(chunked=True, content_encoding=coding)
            server.on("/small", handshake.script(opening + chunk(first), chunk(second) + chunk()))
            server.on("/large", [head(content_length=len(packed), content_encoding=coding), packed])
            with handshake.shaking(), caller.open(a_request(server, "/small"), secrets_for(server)) as response:
                got = handshake.read_all(response)
                require(got == pieces, f"the pieces were {got}")
            require(caller.fetch(a_request(server, "/large"), secrets_for(server)) == large, "a large body was damaged")

    def test_empty_bodies(self, caller: Caller) -> None:
        """A body without bytes ends at once, and ends again when it is read again."""
        with LoopbackServer() as server:
            for opening in (head(204), head(content_length=0), head(chunked=True) + chunk()):
                server.on("/", [opening])
                with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                    require(response.read() == b"", f"{opening!r} had a body")
                    require(response.read() == b"", "a second read did not end")

    def test_large_bodies(self, caller: Caller) -> None:
        """Megabytes come whole, both ways, and in pieces."""
        sent = tuple(bytes([number]) * 50_000 for number in range(60))

        def echo(received: Received) -> Iterator[Any]:
            yield head(chunked=True)
            for start in range(0, len(received.body), 70_001):
                yield chunk(received.body[start : start + 70_001])
            yield chunk()

        with LoopbackServer() as server:
            server.on("/", echo)
            with caller.open(a_request(server, "/", *sent), secrets_for(server)) as response:
                got = caller.drain(response)
        require(b"".join(got) == b"".join(sent), f"{sum(map(len, got))} bytes came back of {sum(map(len, sent))}")
        require(len(got) > 1, "the body came in one piece of three megabytes")
