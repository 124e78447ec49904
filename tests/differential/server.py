"""A loopback server that says what a script says, to whoever asks, and remembers what it was asked.

Each player of each scenario has a ``Line`` of its own, which is a prefix in the address. Answers are taken from the
front of the line's queue; where that is empty, the server says "Z" and stops, so that nobody waits for ever.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from contextlib import suppress
from http.client import responses
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from differential.answers import Answer, default_answer

__all__ = ["Line", "ScriptServer"]

#: How long a cut waits for the client to have seen what came before it.
_PATIENCE = 2.0
_HEADERS = ("x-goog-api-key", "content-type", "x-server-timeout", "x-mine", "x-other", "authorization")
_sleep = asyncio.sleep  # the oracle's waits are taken out by replacing the other one


class Line:
    """One player's line to the server."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self._prefix = prefix
        self.queue: deque[Answer] = deque()
        #: What was asked, since ``clear``.
        self.requests: list[dict[str, Any]] = []
        #: What was answered, in the same order.
        self.answered: list[Answer] = []
        #: Chunks that have reached the program, and chunks that have been sent, since ``clear``.
        self.seen = 0
        self.sent = 0

    def clear(self, script: tuple[Answer, ...] = ()) -> None:
        """The next step begins: forget what was, and answer with ``script``."""
        self.queue = deque(script)
        self.requests, self.answered = [], []
        self.seen = self.sent = 0

    def take(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Write a request down, and choose the answer."""
        parts = urlsplit(target)
        try:
            document = json.loads(body) if body else None
        except ValueError:
            document = {"not JSON": body.decode("latin-1")}
        path = parts.path.removeprefix(self._prefix)
        self.requests.append(
            {
                "method": method,
                "path": path,
                "query": sorted(parse_qsl(parts.query)),
                "headers": {name: headers[name] for name in _HEADERS if name in headers},
                "body": document,
            }
        )
        answer = self.queue.popleft() if self.queue else default_answer(streamed="streamGenerate" in path)
        self.answered.append(answer)
        return answer


class ScriptServer:
    """The server, on 127.0.0.1 and a free port, until the ``with`` block is left."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lines: dict[str, Line] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._port = 0

    def line(self, name: str) -> Line:
        """A new line. ``name`` is in its address, and in no other's."""
        made = Line(f"http://127.0.0.1:{self._port}/{name}/", f"/{name}")
        self._lines[name] = made
        return made

    def hang_up(self, name: str) -> None:
        """The line is not needed any more."""
        del self._lines[name]

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result()
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # A client that has left is no error of the server's.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._serve(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): held.strip() for name, _, held in (line.partition(":") for line in head[1:] if line)}
        body = await _body(reader, headers)
        line = self._lines.get(target.split("/")[1])
        if line is None:  # its scenario is over
            return False
        answer = line.take(method, target, headers, body)
        if answer.ending == "lost":
            return False
        if answer.ending == "stalled":
            await reader.read(1)  # until the client has lost its patience
            return False
        streamed = "streamGenerate" in target and answer.status == 200
        writer.write(_head(answer, streamed=streamed))
        for piece in filter(None, answer.pieces):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if streamed else piece)
            await writer.drain()
            await _sleep(0)
        line.sent += len(answer.chunks)
        if answer.ending == "cut":
            # What has come in is thrown away with the connection by some libraries: let it be read before.
            waited = 0.0
            while streamed and line.seen < line.sent and waited < _PATIENCE and not reader.at_eof():
                await _sleep(0.001)
                waited += 0.001
            return False
        if streamed:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _head(answer: Answer, *, streamed: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {responses[answer.status]}"]
    lines += [f"{name}: {held}" for name, held in answer.headers]
    if streamed:
        lines.append("transfer-encoding: chunked")
    elif answer.status != 204:
        length = sum(map(len, answer.pieces)) + (7 if answer.ending == "cut" else 0)
        lines.append(f"content-length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
