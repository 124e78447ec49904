"""Cassettes of one request, and a client that sends it and sees every byte of the answer."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import requests

from chatproto.testing.servers import chunk
from chatproto_replay import (
    Body,
    Cassette,
    Chunk,
    Exchange,
    Failure,
    RecordedRequest,
    RecordedResponse,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ASKED", "HEAD", "PATH", "PIECES", "Wire", "answer", "ask", "cassette", "chunked"]

PATH = "/v1beta/models/m:streamGenerateContent"
ASKED = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECES = (b"data: 1\r", b"\n\r\ndata: \xc3", b"\xa9")


def cassette(path: Path, *responses: RecordedResponse | Failure, asked: Any = ASKED) -> Path:
    """A cassette in which one request is asked again and again."""
    request = RecordedRequest(method="POST", path=PATH, query=(("alt", "sse"),), body=Body("json", asked))
    exchanges = tuple(
        Exchange(request=request, failure=each)
        if isinstance(each, Failure)
        else Exchange(request=request, response=each)
        for each in responses
    )
    Cassette(exchanges=exchanges).save(path)
    return path


def answer(*chunks: bytes, delay: int = 0, **more: Any) -> RecordedResponse:
    """A recorded answer."""
    headers = (("content-type", "text/event-stream"),)
    return RecordedResponse(
        **{"status": 200, "headers": headers, **more}, chunks=tuple(Chunk(delay, c) for c in chunks)
    )


def ask(url: str, document: Any = ASKED, **options: Any) -> requests.Response:
    """Post a document."""
    return requests.post(f"{url}{PATH}", params={"alt": "sse"}, json=document, timeout=10, **options)


class Wire:
    """A raw connection to a server, which has sent the request of the cassette."""

    def __init__(self, url: str, *, version: str = "1.1", headers: str = "", target: str = f"{PATH}?alt=sse") -> None:
        port = int(url.rpartition(":")[2])
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.target, self.version, self.headers = target, version, headers
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        body = json.dumps(ASKED).encode()
        lines = (
            f"POST {self.target} HTTP/{self.version}\r\nhost: here\r\n{self.headers}content-length: {len(body)}\r\n\r\n"
        )
        self.began = time.monotonic()  # before the server may begin: it is asked whether anything comes too early
        self.connection.sendall(lines.encode() + body)

    def until(self, marker: bytes) -> bytes:
        """What comes, to the end of ``marker``."""
        got = b""
        while not got.endswith(marker):
            data = self.connection.recv(1)
            assert data, got
            got += data
        return got

    def rest(self) -> bytes:
        """What comes until the end; a reset is raised."""
        got = b""
        while data := self.connection.recv(65536):
            got += data
        return got

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def chunked(*chunks: bytes) -> bytes:
    """A body as it stands on the wire, without the last chunk."""
    return b"".join(map(chunk, chunks))
