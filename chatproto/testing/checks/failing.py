"""How a transport fails."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from ...errors import ConnectFailed, ConnectionLost, TimedOut, TransportError
from ...transport import Secrets
from ...wire.http import Request
from ..servers import CLOSE, RESET, LoopbackServer, chunk, head
from .base import FOR_EVER, KEY, Checks, a_request, failing, require, secrets_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from .callers import Caller

__all__ = ["Failing"]


class Failing(Checks):
    """Each failure has its error, and no error shows a secret."""

    def test_a_late_reader_gets_what_had_arrived(self, caller: Caller) -> None:
        """What arrived before the connection was lost is handed out, also when it is read after that."""
        with LoopbackServer() as server:
            server.on("/", [head(chunked=True), chunk(b"one "), 0.05, chunk(b"two"), 0.05, CLOSE])
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                caller.wait(0.4)
                got: list[bytes] = []
                with failing(ConnectionLost, "a body that was cut"):
                    for data in iter(response.read, b""):
                        got.append(data)  # noqa: PERF402  # what came before the error is wanted
            require(b"".join(got) == b"one two", f"only {got} was handed out")

    @pytest.mark.parametrize(
        "ending",
        [
            pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, RESET], id="reset"),
            pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, CLOSE], id="closed between chunks"),
            pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, b"ff\r\nab", CLOSE], id="closed in a chunk"),
            pytest.param([head(chunked=True), chunk(b"data: 1"), 0.1, b"zz\r\n", CLOSE], id="no chunk"),
            pytest.param([head(content_length=99), b"data: 1", 0.1, CLOSE], id="too short"),
            pytest.param([head(content_length=99), b"data: 1", 0.1, RESET], id="too short and reset"),
        ],
    )
    def test_a_body_that_is_cut_is_no_short_body(self, caller: Caller, ending: list[Any]) -> None:
        """A body that ends before its time is ConnectionLost, after what had arrived."""
        with LoopbackServer() as server:
            server.on("/", ending)
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                require(response.read() == b"data: 1", "what had arrived was not handed out")
                with failing(ConnectionLost, "a body that was cut"):
                    caller.drain(response)

    def test_no_head(self, caller: Caller) -> None:
        """No head, or half of one, is ConnectionLost: the request may have reached the server."""
        with LoopbackServer() as server:
            scripts: list[list[Any]] = [[CLOSE], [RESET], [b"HTTP/1.1 2", CLOSE], [b"nonsense\r\n\r\n", CLOSE]]
            for script in scripts:
                server.on("/", script)
                with failing(ConnectionLost, f"an answer of {script}"):
                    caller.fetch(a_request(server, "/"), secrets_for(server))

    def test_no_connection(self, caller: Caller) -> None:
        """A refused connection is ConnectFailed: the request did not reach the server."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}/?key={KEY}"
        with failing(ConnectFailed, "a port where nobody listens"):
            caller.fetch(Request(method="POST", url=url, timeout=5), Secrets({"x-goog-api-key": KEY}, url=url))

    def test_no_trust(self, caller: Caller) -> None:
        """TLS with a server that nobody trusts, or that speaks none, is ConnectFailed, and nothing is sent."""
        with LoopbackServer(tls=True) as untrusted, _plain_port() as port:
            for url in (untrusted.url("/"), f"https://127.0.0.1:{port}/"):
                request = Request(method="POST", url=url, body=(b"{}",), timeout=2.5)
                with failing(ConnectFailed, "a handshake that fails"):
                    caller.fetch(request, Secrets({"x-goog-api-key": KEY}, url=url))
            require(not untrusted.received, "the request was sent to a server that nobody trusts")

    def test_timeouts(self, caller: Caller) -> None:
        """Silence before the head, and between two pieces, is TimedOut; what had arrived was handed out."""
        with LoopbackServer() as server:
            server.on("/silent", [FOR_EVER, CLOSE])
            server.on("/stalls", [head(chunked=True), chunk(b"data: 1"), FOR_EVER, CLOSE])
            server.on("/slow", [head(chunked=True), *[act for _ in range(4) for act in (0.2, chunk(b"x"))], chunk()])
            with failing(TimedOut, "a server that says nothing"):
                caller.fetch(a_request(server, "/silent", timeout=0.4), secrets_for(server))
            with caller.open(a_request(server, "/stalls", timeout=0.4), secrets_for(server)) as response:
                require(response.read() == b"data: 1", "what had arrived was not handed out")
                with failing(TimedOut, "a body that stalls"):
                    response.read()
            whole = caller.fetch(a_request(server, "/slow", timeout=0.6), secrets_for(server))
            require(whole == b"xxxx", "the timeout is for each wait, not for the whole body")

    def test_a_body_that_cannot_be_decoded(self, caller: Caller) -> None:
        """A body that is not the gzip that it says it is is a TransportError."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=8, content_encoding="gzip"), b"not gzip"])
            with (
                failing(TransportError, "a body that is no gzip"),
                caller.open(a_request(server, "/"), secrets_for(server)) as response,
            ):
                caller.drain(response)

    def test_nothing_shows_the_secrets(self, caller: Caller) -> None:
        """L15: the key is in no repr and in no log record, whatever level is logged."""
        records: list[str] = []

        class Listener(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                records.append(f"{record.getMessage()} {record.args!r}")

        root, listener = logging.getLogger(), Listener()
        level = root.level
        root.addHandler(listener)
        root.setLevel(logging.DEBUG)
        try:
            with LoopbackServer() as server:
                server.on("/", [head(content_length=2), b"ok"])
                with caller.open(a_request(server, "/", b"{}"), secrets_for(server)) as response:
                    shown = f"{caller.transport!r} {response!r} {getattr(response, 'response', None)!r}"
                    caller.drain(response)
        finally:
            root.setLevel(level)
            root.removeHandler(listener)
        require(KEY not in shown, f"a repr shows the key: {shown}")
        told = [record for record in records if KEY in record]
        require(not told, f"the log shows the key: {told}")


@contextmanager
def _plain_port() -> Generator[int]:
    """A server that answers a handshake in plain text, as servers of HTTP do."""

    def answer() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(head(400, content_length=0, connection="close"))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
