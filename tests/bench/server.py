"""The server: it knows its answers beforehand, so that it costs little and never decides a measurement.

The model's name says what is wanted: ``unary``, ``stream-N`` (N chunks at once) or ``paced-N`` (a millisecond before
each). Files can be uploaded, and are forgotten. The first line of its output is its address; it ends with its input.
"""

from __future__ import annotations

import asyncio
import re
import sys

from bench import answers

__all__ = ["main"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PACE = 0.001  # seconds
_BLOCK = 16 * 1024  # bytes of one chunk of HTTP


def _answer(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "content-type: application/json; charset=UTF-8", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def _chunk(data: bytes = b"") -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _streamed(count: int) -> bytes:
    body = answers.event_stream(count)
    blocks = (body[start : start + _BLOCK] for start in range(0, len(body), _BLOCK))
    return b"".join((_STREAM_HEAD, *map(_chunk, blocks), _chunk()))


class _Connection(asyncio.Protocol):
    """One connection: requests in, one after the other, and their answers out."""

    #: The answers that have been asked for before, by what was asked.
    made: dict[bytes, bytes] = {}  # noqa: RUF012  (shared by all connections)

    def __init__(self) -> None:
        self._head = b""
        self._left = -1  # bytes of the body that are still to come; -1 while the head is read
        self._transport: asyncio.Transport
        self._pacing: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            data = self._head + data
            head, separator, rest = data.partition(b"\r\n\r\n")
            if not separator:
                self._head = data
                return
            self._head = head
            found = _LENGTH.search(head)
            self._left = int(found[1]) if found is not None else 0
            data = rest
        self._left -= len(data)
        if self._left <= 0:
            head, self._head, self._left = self._head, b"", -1
            self._respond(head)

    def _respond(self, head: bytes) -> None:
        target = head.split(b" ", 2)[1]
        paced = re.search(rb"/models/paced-(\d+):", target)
        if paced is not None:
            self._pacing = asyncio.get_running_loop().create_task(self._pace(int(paced[1])))
            return
        if target.startswith(b"/upload/"):
            self._transport.write(self._upload(head, target))
            return
        answer = self.made.get(target)
        if answer is None:
            streamed = re.search(rb"/models/stream-(\d+):", target)
            answer = self.made[target] = _streamed(int(streamed[1])) if streamed else _answer(answers.unary())
        self._transport.write(answer)

    def _upload(self, head: bytes, target: bytes) -> bytes:
        if b"upload_id" not in target:
            host, port = self._transport.get_extra_info("sockname")
            session = f"http://{host}:{port}/upload/v1beta/files?upload_id=bench&upload_protocol=resumable"
            return _answer(b"{}", "x-goog-upload-status: active", f"x-goog-upload-url: {session}")
        if b"finalize" in head.lower():
            return _answer(answers.FILE, "x-goog-upload-status: final")
        return _answer(b"", "x-goog-upload-status: active")

    async def _pace(self, count: int) -> None:
        self._transport.write(_STREAM_HEAD)
        for event in answers.chunks(count):
            await asyncio.sleep(_PACE)
            self._transport.write(_chunk(event))
        self._transport.write(_chunk())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


def main() -> None:
    """Serve until standard input ends."""
    asyncio.run(_serve())
