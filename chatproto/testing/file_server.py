"""A files API on loopback: resumable uploads, get, list, delete and download, with faults by script.

::

    with FileServer() as server:
        server.faults = [None, Fault(status=503)]      # the first chunk goes well, the second is refused
        client = Client(api_key="k", http_options={"base_url": server.base_url})

``faults`` are for the chunks, ``query_faults`` for the questions of what has arrived, ``start_faults`` for the
announcements; each is used up by one request.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from ..wire.http import Headers, header

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Fault", "FileServer", "SeenRequest", "StoredFile"]

_PIECE = 64 * 1024

#: google-genai's spelling of what it announces; the API takes both.
_KEYS = {"display_name": "displayName", "mime_type": "mimeType"}
_SHOWN = ("displayName", "mimeType")


@attrs.frozen(kw_only=True)
class Fault:
    """What befalls one request.

    ``keep`` is how many bytes of a chunk the server stores before that; None is all of them. ``status`` is answered
    instead of 200. ``silent`` leaves the header with the upload's status out. ``lose`` ends the connection without an
    answer, by a reset with ``reset``. ``report`` is the size that the server claims to hold.
    """

    keep: int | None = None
    status: int = 200
    headers: Headers = ()
    silent: bool = False
    lose: bool = False
    reset: bool = False
    report: int | None = None


@attrs.frozen(kw_only=True)
class SeenRequest:
    """A request, as it came; of a chunk only the size of its body is kept."""

    method: str
    target: str
    headers: Headers
    size: int
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return header(self.headers, name)

    @property
    def command(self) -> str | None:
        """What an upload's request is for."""
        return self.header("x-goog-upload-command")

    @property
    def offset(self) -> int | None:
        """Where a chunk belongs."""
        found = self.header("x-goog-upload-offset")
        return int(found) if found is not None else None


@attrs.define(kw_only=True)
class StoredFile:
    """A file on its way, or arrived when ``final``."""

    name: str
    about: dict[str, Any]
    received: int = 0
    content: bytearray = attrs.field(factory=bytearray, repr=False)
    digest: Any = attrs.field(factory=hashlib.sha256, repr=False)
    final: bool = False

    def document(self) -> dict[str, Any]:
        """The file as the API shows it."""
        return {
            "name": self.name,
            **{_KEYS.get(key, key): item for key, item in self.about.items() if _KEYS.get(key, key) in _SHOWN},
            "sizeBytes": str(self.received),
            "createTime": "2025-01-02T03:04:05.123456Z",
            "expirationTime": "2025-01-04T03:04:05.123456789Z",
            "sha256Hash": b64encode(self.digest.hexdigest().encode()).decode(),
            "uri": f"https://generativelanguage.googleapis.com/v1/{self.name}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }


class FileServer:
    """On 127.0.0.1 and a free port, until the ``with`` block is left. ``requests`` are all that came, in order.

    ``granularity`` is announced and insisted on. ``query_has_file=False`` answers the question after a finished upload
    without the file. With ``keep_content=False`` only the size and the hash of files are kept.
    """

    def __init__(
        self, *, granularity: int | None = None, query_has_file: bool = True, keep_content: bool = True
    ) -> None:
        self.requests: list[SeenRequest] = []
        self.files: dict[str, StoredFile] = {}
        self.faults: list[Fault | None] = []
        self.query_faults: list[Fault | None] = []
        self.start_faults: list[Fault | None] = []
        self.granularity = granularity
        self.query_has_file = query_has_file
        self.keep_content = keep_content
        self.page_limit = 100
        #: Of a download, so many bytes are sent, and then the connection ends.
        self.download_cut: int | None = None
        #: The base of the URLs that are given for the bytes, if not ``base_url``.
        self.upload_base: str | None = None
        self._uploads: dict[str, StoredFile] = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(_Handler):
            server_of_files = outer

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """The URL to hand to a client."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def commands(self) -> list[tuple[str | None, int | None]]:
        """The command and the offset of each request of an upload."""
        return [(seen.command, seen.offset) for seen in self.requests if seen.command is not None]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- what it does; called by the handler, under the lock ---

    def start(self, about: dict[str, Any]) -> StoredFile:
        """A new upload."""
        with self._lock:
            name = str(about.get("name") or f"files/made-{len(self._uploads) + 1}")
            file = self._uploads[name] = StoredFile(name=name, about=about)
            return file

    def upload(self, name: str) -> StoredFile | None:
        """The upload of this name."""
        with self._lock:
            return self._uploads.get(name)

    def store(self, file: StoredFile, data: bytes) -> None:
        """More of a file."""
        with self._lock:
            file.received += len(data)
            file.digest.update(data)
            if self.keep_content:
                file.content += data

    def finish(self, file: StoredFile) -> None:
        """The file is there."""
        with self._lock:
            file.final = True
            self.files[file.name] = file

    def remove(self, name: str) -> StoredFile | None:
        """Delete a file."""
        with self._lock:
            return self.files.pop(name, None)

    def note(self, seen: SeenRequest) -> None:
        """Keep a request."""
        with self._lock:
            self.requests.append(seen)

    def next_fault(self, command: str | None) -> Fault:
        """What befalls this request."""
        scripts = {"start": self.start_faults, "query": self.query_faults}
        with self._lock:
            script = scripts.get(command or "", self.faults)
            return (script.pop(0) if script else None) or Fault()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients leave, and connections are cut on purpose."""

    def shutdown_request(self, request: Any) -> None:
        """Close without a FIN before its time: that would hide a reset."""
        self.close_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_of_files: ClassVar[FileServer]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name there)
        """Nothing."""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(30)

    # --- requests ---

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        command = self.headers.get("x-goog-upload-command")
        fault = self.server_of_files.next_fault(command)
        if command == "start":
            self._start(fault)
            return
        file = self.server_of_files.upload(unquote(path.removeprefix("/bytes/")))
        if file is None:
            self._note(self._body())
            self._answer(404, {"error": {"code": 404, "message": "no such upload", "status": "NOT_FOUND"}})
        elif command == "query":
            self._note(self._body())
            self._answer_upload(file, fault, document=self.server_of_files.query_has_file)
        else:
            self._chunk(file, fault, last="finalize" in (command or ""))

    def do_GET(self) -> None:
        self._note(b"")
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        name = unquote(split.path.partition("/v1/")[2])
        if name == "files":
            self._list(query)
            return
        name, _, method = name.partition(":")
        file = self.server_of_files.files.get(name)
        if file is None:
            self._answer(404, {"error": {"code": 404, "message": f"no {name}", "status": "NOT_FOUND"}})
        elif method == "download":
            self._download(memoryview(file.content))
        else:
            self._answer(200, file.document())

    def do_DELETE(self) -> None:
        self._note(b"")
        name = unquote(urlsplit(self.path).path.partition("/v1/")[2])
        if self.server_of_files.remove(name) is None:
            self._answer(404, {"error": {"code": 404, "message": f"no {name}", "status": "NOT_FOUND"}})
        else:
            self._answer(200, {})

    # --- the upload protocol ---

    def _start(self, fault: Fault) -> None:
        body = self._body()
        self._note(body)
        if fault.lose:
            self._lose(fault)
        elif fault.status != 200:
            self._answer(fault.status, {"error": {"code": fault.status, "message": "as told"}}, fault.headers)
        else:
            server = self.server_of_files
            file = server.start(json.loads(body)["file"])
            headers: Headers = (
                ("x-goog-upload-status", "active"),
                ("x-goog-upload-url", f"{server.upload_base or server.base_url}bytes/{file.name}"),
            )
            if server.granularity is not None:
                headers += (("x-goog-upload-chunk-granularity", str(server.granularity)),)
            self._send(200, b"", () if fault.silent else headers)

    def _chunk(self, file: StoredFile, fault: Fault, *, last: bool) -> None:
        size = int(self.headers.get("content-length") or 0)
        self._note(b"", size)
        offset = int(self.headers.get("x-goog-upload-offset") or -1)
        unit = self.server_of_files.granularity
        wrong = file.final or offset != file.received or (not last and unit is not None and size % unit)
        keep = 0 if wrong else size if fault.keep is None else min(fault.keep, size)
        left = size
        while left > 0:
            if fault.lose and fault.keep is not None and size - left >= keep:
                break  # in the middle of the body
            data = self.rfile.read(min(_PIECE, left, keep if size - left < keep else left))
            if not data:
                return
            done = size - left
            if done < keep:
                self.server_of_files.store(file, data[: keep - done])
            left -= len(data)
        if last and keep == size and not wrong and fault.status == 200:
            self.server_of_files.finish(file)
        if wrong:
            problem = {"error": {"code": 400, "message": f"expected {file.received}", "status": "INVALID_ARGUMENT"}}
            self._answer(400, problem)
        else:
            self._answer_upload(file, fault, document=True, report=keep != size)

    def _answer_upload(self, file: StoredFile, fault: Fault, *, document: bool, report: bool = True) -> None:
        if fault.lose:
            self._lose(fault)
            return
        headers = fault.headers
        if not fault.silent and fault.status == 200:
            headers += (("x-goog-upload-status", "final" if file.final else "active"),)
            if report or fault.report is not None:
                size = file.received if fault.report is None else fault.report
                headers += (("x-goog-upload-size-received", str(size)),)
        if fault.status != 200:
            self._answer(fault.status, {"error": {"code": fault.status, "message": "as told"}}, headers)
        elif file.final and document and not fault.silent:
            self._answer(200, {"file": file.document()}, headers)
        else:
            self._send(200, b"", headers)

    def _list(self, query: dict[str, list[str]]) -> None:
        files = [file.document() for file in self.server_of_files.files.values()]
        size = int(query.get("pageSize", [str(self.server_of_files.page_limit)])[0])
        begin = int(query.get("pageToken", ["0"])[0])
        page: dict[str, Any] = {"files": files[begin : begin + size]} if files[begin : begin + size] else {}
        if begin + size < len(files):
            page["nextPageToken"] = str(begin + size)
        self._answer(200, page)

    def _download(self, content: memoryview) -> None:
        cut = self.server_of_files.download_cut
        self.send_response(200)
        self.send_header("content-type", "application/octet-stream")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = cut is not None

    # --- the wire ---

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _note(self, body: bytes, size: int | None = None) -> None:
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        self.server_of_files.note(
            SeenRequest(
                method=self.command,
                target=self.path,
                headers=headers,
                size=len(body) if size is None else size,
                body=body,
            )
        )

    def _answer(self, status: int, document: Any, headers: Headers = ()) -> None:
        self._send(status, json.dumps(document).encode(), (("content-type", "application/json"), *headers))

    def _send(self, status: int, body: bytes, headers: Headers) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _lose(self, fault: Fault) -> None:
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
