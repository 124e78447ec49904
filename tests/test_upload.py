"""Uploads over real sockets, by every transport: what arrives, what was sent, and what it costs."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from file_faces import FACES, KEY, ask

from chatproto import Client, types
from chatproto.convert import files as convert
from chatproto.errors import APIError, ClientError, TransportError, UploadFailed, ValidationError
from chatproto.files import AsyncFiles, Files
from chatproto.machines.upload import CHUNK_SIZE
from chatproto.testing.file_server import Fault, FileServer

CHUNK = 1000
CONTENT = bytes(index * 7 % 251 for index in range(2 * CHUNK + 345))


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A files API without faults."""
    with FileServer() as running:
        yield running


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three chunks of CONTENT."""
    monkeypatch.setattr(convert, "CHUNK_SIZE", CHUNK)


def upload(server: FileServer, face: str = "requests", content: bytes = CONTENT, **more: Any) -> types.File:
    """Upload bytes."""
    config = {"mime_type": "text/plain", **more.pop("config", {})}
    found: types.File = ask(
        face, server.base_url, lambda files: files.upload(file=io.BytesIO(content), config=config, **more)
    )
    return found


# --- faults ---

FAULTS = {
    "lost": Fault(lose=True),
    "lost, nothing kept": Fault(lose=True, keep=0),
    "cut in the middle": Fault(lose=True, keep=100),
    "reset in the middle": Fault(lose=True, keep=100, reset=True),
    "503": Fault(status=503, keep=0),
    "503, all kept": Fault(status=503),
    "503, some kept": Fault(status=503, keep=345),
    "no status": Fault(silent=True),
    "no status, nothing kept": Fault(silent=True, keep=0),
    "half kept": Fault(keep=300),
}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_chunk(face: str, fault: str) -> None:
    """Whatever befalls any of the chunks, the file arrives whole, each byte once."""
    for number in range(3):
        with FileServer() as server:
            server.faults = [*[None] * number, FAULTS[fault]]
            told: list[tuple[int, int]] = []
            file = upload(server, face, progress=lambda *news: told.append(news))  # noqa: B023
            assert file.size_bytes == len(CONTENT)
            assert file.name is not None
            stored = server.files[file.name]
            assert bytes(stored.content) == CONTENT
            assert not server.faults
            # Where nothing was lost on the way, nothing came twice.
            if not FAULTS[fault].lose:
                offsets = [offset for command, offset in server.commands if command not in ("start", "query")]
                assert offsets == sorted(offsets, key=lambda offset: offset or 0)
        assert told == sorted(set(told))
        assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("query_has_file", "name"), [(True, None), (False, "mine"), (False, None)])
def test_the_lost_answer_to_the_last_chunk(face: str, query_has_file: bool, name: str | None) -> None:
    """The file is found by asking, or by its name; or the error says that it has arrived. It is not sent again."""
    with FileServer(query_has_file=query_has_file) as server:
        server.faults = [None, None, Fault(lose=True)]
        config = {} if name is None else {"name": name}
        if query_has_file or name:
            assert upload(server, face, config=config).size_bytes == len(CONTENT)
        else:
            with pytest.raises(UploadFailed, match=r"arrived whole.*\(2345 of 2345 bytes"):
                upload(server, face, config=config)
        assert [command for command, _ in server.commands] == ["start", "upload", "upload", "upload, finalize", "query"]
        assert len(server.files) == 1


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
def test_a_server_that_takes_no_more(face: str) -> None:
    """The error of the server is raised after three tries, and says how much has arrived."""
    with FileServer() as server:
        server.faults = [None, *[Fault(status=503, keep=0)] * 3]
        with pytest.raises(APIError) as caught:
            upload(server, face)
        assert caught.value.code == 503
        assert caught.value.__notes__ == ["1000 of 2345 bytes of the file have arrived"]
        assert [command for command, _ in server.commands][2:] == ["upload", "query"] * 3


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
def test_a_server_that_is_gone(face: str) -> None:
    """So is the transport's error, where connections break again and again."""
    with FileServer() as server:
        server.faults = [Fault(lose=True, keep=0)]
        server.query_faults = [Fault(lose=True)] * 3
        with pytest.raises(TransportError) as caught:
            upload(server, face)
        assert caught.value.__notes__ == ["0 of 2345 bytes of the file have arrived"]


def test_an_announcement_that_is_refused(server: FileServer) -> None:
    """Nothing has arrived, and nothing is said of it."""
    server.start_faults = [Fault(status=400)]
    with pytest.raises(ClientError) as caught:
        upload(server)
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.usefixtures("small_chunks")
def test_a_granularity(server: FileServer) -> None:
    """The server's unit is kept to."""
    server.granularity = 300
    upload(server)
    assert [seen.size for seen in server.requests] == [server.requests[0].size, 900, 900, 545]


# --- what is sent ---


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 5])
def test_sizes(face: str, size: int, tmp_path: Path) -> None:
    """An empty file is one empty chunk, 8 MiB are one chunk, a byte more are two; each with its length."""
    path = tmp_path / "big.bin"
    content = b"\xa5" * size
    path.write_bytes(content)
    with FileServer(keep_content=False) as server:
        file = ask(face, server.base_url, lambda files: files.upload(file=path))
        assert file.size_bytes == size
        assert file.mime_type == "application/octet-stream"
        assert server.files[file.name].digest.hexdigest() == sha256(content).hexdigest()
        chunks = server.requests[1:]
        assert [seen.size for seen in chunks] == ([size] if size <= CHUNK_SIZE else [CHUNK_SIZE, 5])
        assert [seen.header("content-length") for seen in chunks] == [str(seen.size) for seen in chunks]
        assert all(seen.header("transfer-encoding") is None for seen in chunks)
        assert server.commands[-1] == ("upload, finalize", 0 if size <= CHUNK_SIZE else CHUNK_SIZE)


@pytest.mark.parametrize("face", FACES)
def test_names_that_a_header_cannot_carry(face: str, server: FileServer, tmp_path: Path) -> None:
    """A file's own name may be of any letters."""
    path = tmp_path / "dóc テスト.txt"
    path.write_bytes(b"hello")
    config = {"display_name": "Übersicht", "name": "mine"}
    file = ask(face, server.base_url, lambda files: files.upload(file=path, config=config))
    assert (file.name, file.display_name, file.mime_type) == ("files/mine", "Übersicht", "text/plain")
    start = server.requests[0]
    assert start.header("x-goog-upload-file-name") == "d%C3%B3c%20%E3%83%86%E3%82%B9%E3%83%88.txt"
    assert bytes(server.files["files/mine"].content) == b"hello"


@pytest.mark.parametrize("face", FACES)
def test_the_callers_options(face: str, server: FileServer) -> None:
    """The caller's headers go with every request to its own host, the credential too; its objects stay as they were;
    and no start-only header goes with a chunk.
    """
    headers = {"X-Mine": "1"}
    options = types.HttpOptions(headers=headers, timeout=7000)
    config = types.UploadFileConfig(http_options=options, mime_type="text/plain", name="n")
    before = config.model_dump()
    ask(face, server.base_url, lambda files: files.upload(file=io.BytesIO(b"hello"), config=config))
    assert config.model_dump() == before
    assert config.http_options is options
    assert headers == {"X-Mine": "1"}
    start, chunk = server.requests
    for seen in (start, chunk):
        assert seen.header("x-mine") == "1"
        assert seen.header("x-goog-api-key") == KEY
        assert seen.header("x-server-timeout") == "7"
        assert (seen.header("x-goog-api-client") or "").startswith("chatproto/")
    own = {name for name, _ in chunk.headers if name.startswith("x-goog-upload")}
    assert own == {"x-goog-upload-command", "x-goog-upload-offset"}
    assert chunk.header("content-type") != "application/json"


@pytest.mark.parametrize("face", FACES)
def test_another_host_gets_no_credential(face: str, server: FileServer) -> None:
    """L15: the URL that the server names is used as it is, and gets the key only on the client's own origin."""
    server.upload_base = server.base_url.replace("127.0.0.1", "localhost")
    options = {"headers": {"X-Mine": "1"}}
    upload(server, face, config={"http_options": options})
    start, chunk = server.requests
    assert start.header("x-goog-api-key") == KEY
    assert (chunk.header("host") or "").startswith("localhost")
    assert chunk.header("x-goog-api-key") is None
    assert chunk.header("x-mine") is None
    assert KEY not in repr(chunk)


def test_the_same_requests_as_google_genai(server: FileServer, tmp_path: Path) -> None:
    """L17: the same announcement and the same chunks as google-genai's, but for what it gets wrong: it leaves the
    credential out, and repeats the announcement's headers with every chunk.
    """
    genai = pytest.importorskip("google.genai")
    path = tmp_path / "some words.txt"
    path.write_bytes(b"x" * (CHUNK_SIZE + 5))
    config = {"display_name": "words", "name": "mine"}
    results = []
    for make in ("theirs", "ours"):
        del server.requests[:]
        if make == "theirs":
            with genai.Client(api_key=KEY, http_options={"base_url": server.base_url}) as client:
                file = client.files.upload(file=path, config=dict(config))
        else:
            file = ask("httpx", server.base_url, lambda files: files.upload(file=path, config=config))
        results.append((list(server.requests), file.model_dump(mode="json", exclude_none=True)))
        assert bytes(server.files["files/mine"].content) == path.read_bytes()
    (theirs, their_file), (ours, our_file) = results
    assert our_file == their_file
    assert [(seen.method, seen.target, seen.size) for seen in ours[1:]] == [
        (seen.method, seen.target, seen.size) for seen in theirs[1:]
    ]
    assert (ours[0].method, ours[0].target) == (theirs[0].method, theirs[0].target)
    spelled = {"display_name": "displayName", "mime_type": "mimeType", "size_bytes": "sizeBytes"}
    their_body = {spelled.get(key, key): item for key, item in json.loads(theirs[0].body)["file"].items()}
    assert json.loads(ours[0].body) == {"file": their_body}

    def upload_headers(seen: Any) -> dict[str, str]:
        return {name: value for name, value in seen.headers if name.startswith(("x-goog-upload", "content-"))}

    assert {**upload_headers(ours[0]), "content-length": ""} == {**upload_headers(theirs[0]), "content-length": ""}
    for our, their in zip(ours[1:], theirs[1:], strict=True):
        assert upload_headers(our).items() <= upload_headers(their).items()
        assert our.header("x-goog-api-key") == KEY
        assert their.header("x-goog-api-key") is None


# --- what is read ---


@pytest.mark.parametrize("face", FACES)
def test_a_file_object_is_read_from_where_it_stands(face: str, server: FileServer) -> None:
    """Its rest is the file; it is left open, and behind its end it has nothing."""
    held = io.BytesIO(b"0123456789")
    for position, rest in ((4, b"456789"), (10, b""), (50, b"")):
        held.seek(position)
        config = {"mime_type": "text/plain"}
        file = ask(face, server.base_url, lambda files: files.upload(file=held, config=config))  # noqa: B023
        assert bytes(server.files[file.name].content) == rest
        assert not held.closed


class _Stuttering(io.RawIOBase):
    """Gives three bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._held = io.BytesIO(content)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._held.seek(offset, whence)

    def tell(self) -> int:
        return self._held.tell()

    def read(self, size: int = -1, /) -> bytes:
        return self._held.read(min(size, 3))


def test_files_of_many_kinds(server: FileServer, tmp_path: Path) -> None:
    """A path as str, Path or PathLike, an open file, a temporary one, a raw one that gives less than it is asked."""
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    with path.open("rb") as opened, tempfile.NamedTemporaryFile() as named, tempfile.SpooledTemporaryFile() as spooled:
        for temporary in (named, spooled):
            temporary.write(CONTENT)
            temporary.seek(0)
        for file in (str(path), path, opened, named, spooled, _Stuttering(CONTENT)):
            config = {"mime_type": "text/plain"}
            found = ask("requests", server.base_url, lambda files: files.upload(file=file, config=config))  # noqa: B023
            assert bytes(server.files[found.name].content) == CONTENT


@pytest.mark.parametrize("face", ["requests", "aiohttp"])
@pytest.mark.parametrize(
    ("file", "config", "kind", "text"),
    [
        ("/nowhere/at/all.txt", None, FileNotFoundError, "not a valid file path"),
        ("", None, FileNotFoundError, "not a valid file path"),
        (Path("/"), None, FileNotFoundError, "not a valid file path"),
        (io.BytesIO(b"x"), None, ValidationError, "mime_type"),
        (io.StringIO("x"), {"mime_type": "text/plain"}, ValidationError, "binary mode"),
        (b"x", {"mime_type": "text/plain"}, ValidationError, "io.BytesIO"),
        (None, None, ValidationError, "expected a path"),
        (17, {"mime_type": "text/plain"}, ValidationError, "expected a path"),
        (io.BytesIO(b"x"), {"mime": "text/plain"}, ValidationError, "mime"),
        (io.BytesIO(b"x"), {"mime_type": "a/b", "http_options": {"timeout": -1}}, ValidationError, "timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,  # no addresses: the same each time
)
def test_what_cannot_be_uploaded(
    face: str, file: Any, config: Any, kind: type[Exception], text: str, server: FileServer
) -> None:
    """The arguments are refused before anything is sent; where google-genai raises ValueError, so does this."""
    with pytest.raises(kind, match=text):
        ask(face, server.base_url, lambda files: files.upload(file=file, config=config))
    assert server.requests == []


def test_more_that_cannot_be_uploaded(server: FileServer, tmp_path: Path) -> None:
    """A text file, an ending that says nothing, and what cannot seek."""
    path = tmp_path / "thing.unheard"
    path.write_bytes(b"x")
    with path.open() as text, pytest.raises(ValueError, match="binary mode"):
        ask("requests", server.base_url, lambda files: files.upload(file=text, config={"mime_type": "text/plain"}))
    with pytest.raises(ValueError, match="mime_type"):
        ask("requests", server.base_url, lambda files: files.upload(file=path))
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, pytest.raises(ValueError, match="seek"):
        ask("requests", server.base_url, lambda files: files.upload(file=pipe, config={"mime_type": "text/plain"}))
    os.close(writing)
    assert server.requests == []


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
def test_a_file_that_shrinks(face: str, server: FileServer, tmp_path: Path) -> None:
    """What is not there any more is not made up: the upload ends, and its file on disk can be used."""
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    with pytest.raises(ValidationError, match="shorter: 1500 of 2345"):
        ask(face, server.base_url, lambda files: files.upload(file=path, progress=lambda *_: os.truncate(path, 1500)))
    assert server.files == {}
    path.unlink()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("face", FACES)
def test_a_callback_that_fails(face: str, server: FileServer) -> None:
    """Its exception comes out, and the upload is left."""

    def fail(*_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        upload(server, face, progress=fail)
    assert len(server.commands) == 2
    assert server.files == {}


def test_a_callback_that_is_a_coroutine_function(server: FileServer) -> None:
    """Under asyncio it is awaited."""
    told = []

    async def tell(sent: int, total: int) -> None:
        await asyncio.sleep(0)
        told.append((sent, total))

    upload(server, "aiohttp", progress=tell)
    assert told == [(2345, 2345)]


@pytest.mark.usefixtures("small_chunks")
def test_a_task_that_is_cancelled(server: FileServer, tmp_path: Path) -> None:
    """The upload is left at once and the file closed; another can begin."""
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)

    async def run() -> None:
        async with Client(api_key=KEY, http_options={"base_url": server.base_url}).aio as client:
            files = AsyncFiles(client._connector)
            tasks: list[asyncio.Task[Any]] = []
            task = asyncio.ensure_future(files.upload(file=path, progress=lambda *_: tasks[0].cancel()))
            tasks.append(task)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert server.files == {}
            assert (await files.upload(file=path)).size_bytes == len(CONTENT)

    asyncio.run(run())


def test_several_at_once(server: FileServer) -> None:
    """Uploads of one AsyncFiles do not mix."""

    async def run() -> None:
        async with Client(api_key=KEY, http_options={"base_url": server.base_url}).aio as client:
            files = AsyncFiles(client._connector)
            contents = [bytes([index]) * (index * 1000) for index in range(8)]
            config = {"mime_type": "text/plain"}
            found = await asyncio.gather(
                *(
                    files.upload(file=io.BytesIO(content), config={**config, "name": f"n-{index}"})
                    for index, content in enumerate(contents)
                )
            )
            for file, content in zip(found, contents, strict=True):
                assert bytes(server.files[str(file.name)].content) == content

    asyncio.run(run())


# --- what it costs ---


@pytest.mark.parametrize("face", FACES)
def test_at_most_two_chunks_are_in_memory(face: str, tmp_path: Path) -> None:
    """Sending 64 MiB takes the memory of two chunks at most, whatever the transport."""
    path = tmp_path / "sparse.bin"
    with path.open("wb") as sparse:
        sparse.truncate(64 * 1024 * 1024)
    small = tmp_path / "small.bin"
    small.write_bytes(b"x")
    with FileServer(keep_content=False) as server:
        ask(face, server.base_url, lambda files: files.upload(file=small))  # what loads once is loaded
        tracemalloc.start()
        try:
            file = ask(face, server.base_url, lambda files: files.upload(file=path))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert file.size_bytes == 64 * 1024 * 1024
    assert peak < 20 * 1024 * 1024


def test_sync_and_async_take_the_same_arguments() -> None:
    """The two faces are called alike."""
    for name in ("upload", "get", "delete", "list", "download"):
        ours, theirs = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Files, AsyncFiles))
        assert ours == theirs
