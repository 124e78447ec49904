"""A scripted HTTP server on loopback, for testing transports against real sockets.

An answer is a list of what happens on the connection, in order: bytes are sent as they are, a number of seconds is
waited, ``CLOSE`` ends the connection and ``RESET`` breaks it. Where the script ends without either, the connection
stays open for the next request.

::

    with LoopbackServer() as server:
        server.on("/slow", [head(200, content_length=2), b"a", 0.1, b"b"])
        transport.open(Request(method="GET", url=server.url("/slow")), secrets)

With ``tls`` it speaks HTTPS, with a certificate that nobody trusts who was not given ``CERTIFICATE``.
"""

from __future__ import annotations

import enum
import socket
import socketserver
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Union

import attrs

from ..wire.http import Headers, header

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CERTIFICATE", "CLOSE", "RESET", "LoopbackServer", "Received", "chunk", "head"]


class _Ending(enum.Enum):
    CLOSE = "close"
    RESET = "reset"


#: For 127.0.0.1 and localhost, made for this file and used nowhere else; signed by itself, valid until 2126.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUQrNCHjGI16znRpbsmr0B7KrdiUAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzAyMDYwMVoYDzIxMjYxMDMw
MDIwNjAxWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQFQgw7nOfwe0cXpMGOtfp7f4KNvLNU+FuB/z68BdJzDXbG2E9Pr0O+
v0m7erdVcyrxW6xjrZTvwkBWzt9nYicIo28wbTAdBgNVHQ4EFgQUrKfTvsEqRhim
JOAtJfCbCqV+Ch0wHwYDVR0jBBgwFoAUrKfTvsEqRhimJOAtJfCbCqV+Ch0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIhAPRB7EAFumIE+cP1jNRWLZVdBGtN77qHBTmslWI/Jr3kAiAZ
xvkLIKMqffCYBzluy4GFbScdepmPZJV816NDfSu9wA==
-----END CERTIFICATE-----
"""
_KEY = """\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZKgLXKXMmx3Q/9ql
1Df6nty3UL6e+otApG6bHeYQUQ+hRANCAAQFQgw7nOfwe0cXpMGOtfp7f4KNvLNU
+FuB/z68BdJzDXbG2E9Pr0O+v0m7erdVcyrxW6xjrZTvwkBWzt9nYicI
"""

CLOSE = _Ending.CLOSE
RESET = _Ending.RESET

Act = Union[bytes, float, _Ending]


@attrs.frozen(kw_only=True)
class Received:
    """A request, as it came. Connections count from 1."""

    method: str
    target: str
    headers: Headers
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return header(self.headers, name)


Answer = Union[Iterable[Act], Callable[[Received], Iterable[Act]]]


def head(
    status: int = 200, *, content_length: int | None = None, chunked: bool = False, **headers: str | list[str]
) -> bytes:
    """The status line and headers of a response; ``retry_after="1"`` gives ``retry-after: 1``."""
    lines = [f"HTTP/1.1 {status} Scripted"]
    if content_length is not None:
        lines.append(f"content-length: {content_length}")
    if chunked:
        lines.append("transfer-encoding: chunked")
    for name, values in headers.items():
        given = [values] if isinstance(values, str) else values
        lines += [f"{name.replace('_', '-')}: {value}" for value in given]
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def chunk(data: bytes = b"") -> bytes:
    """One chunk of a chunked body; without data, the last one."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class LoopbackServer:
    """Answers each path as told, on 127.0.0.1 and a free port, until the ``with`` block is left."""

    def __init__(self, *, tls: bool = False) -> None:
        self._tls = _tls_context() if tls else None
        self.received: list[Received] = []
        self.connections = 0
        self._answers: dict[str, Answer] = {}
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._gone = threading.Condition(self._lock)
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def shutdown_request(self, request: Any) -> None:
                self.close_request(request)  # without a FIN before its time: that would hide a reset

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        """The URL of a path on this server."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{path}"

    def on(self, path: str, answer: Answer) -> None:
        """Answer requests for ``path`` (without its query) so. A function is given the request."""
        self._answers[path] = answer

    def wait_until_idle(self, timeout: float = 5.0) -> bool:
        """Wait until no connection is open; whether that came to be."""
        with self._gone:
            return self._gone.wait_for(lambda: not self._open, timeout)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                # Its thread closes it; this wakes the thread.
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        self._thread.join()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            number = self.connections
            self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw = connection
        try:
            if self._tls is not None:
                connection = self._wrapped(raw)
            reader = connection.makefile("rb")
            with reader:
                while (request := _read_request(reader, number)) is not None:
                    with self._lock:
                        self.received.append(request)
                    if not self._answer(connection, request):
                        return
        except OSError:
            return  # the client has left
        finally:
            connection.close()
            with self._gone:
                self._open -= {raw, connection}
                self._gone.notify_all()

    def _wrapped(self, raw: socket.socket) -> socket.socket:
        """Shake hands. The wrapped socket takes over from the other, which is closed by that."""
        assert self._tls is not None
        wrapped = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(wrapped)
            self._open.discard(raw)
        try:
            wrapped.do_handshake()
        except OSError:
            with self._gone:
                self._open.discard(wrapped)
            wrapped.close()
            raise
        return wrapped

    def _answer(self, connection: socket.socket, request: Received) -> bool:
        """Play the script; whether the connection stays open."""
        answer = self._answers.get(request.target.partition("?")[0], [head(404, content_length=0)])
        for act in answer(request) if callable(answer) else answer:
            if isinstance(act, bytes):
                connection.sendall(act)
                continue
            if act is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if isinstance(act, _Ending) or self._left(connection, act):
                return False
        return True

    def _left(self, connection: socket.socket, seconds: float) -> bool:
        """Wait; whether the server was stopped or the client left meanwhile."""
        if isinstance(connection, ssl.SSLSocket):  # it cannot be looked into without reading
            return self._stopped.wait(seconds)
        connection.settimeout(seconds)
        try:
            return connection.recv(1, socket.MSG_PEEK) == b"" or self._stopped.wait(seconds)
        except TimeoutError:
            return self._stopped.is_set()
        finally:
            connection.settimeout(None)


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "both.pem")  # it is read from files only
        kind = "PRIVATE KEY"
        path.write_text(f"{CERTIFICATE}-----BEGIN {kind}-----\n{_KEY}-----END {kind}-----\n", encoding="ascii")
        context.load_cert_chain(path)
    return context


def _read_request(reader: Any, connection: int) -> Received | None:
    """The next request of a connection; None where there is none."""
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: list[tuple[str, str]] = []
    while (field := reader.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = field.partition(":")
        headers.append((name.strip().lower(), value.strip()))
    length = header(headers, "content-length")
    if (header(headers, "transfer-encoding") or "").lower() == "chunked":
        pieces: list[bytes] = []
        while (size := int(reader.readline().split(b";")[0], 16)) > 0:
            pieces.append(reader.read(size))
            reader.readline()
        reader.readline()
        body = b"".join(pieces)
    else:
        body = reader.read(int(length)) if length else b""
    return Received(method=line[0], target=line[1], headers=tuple(headers), body=body, connection=connection)
