"""Files: get, list, delete and download, by every transport; pagers; and the answers of Exchange behind them."""

from __future__ import annotations

import asyncio
import io
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from file_faces import FACES, KEY, ask

from chatproto import Client, types
from chatproto.convert import files as convert
from chatproto.errors import (
    APIError,
    ClientError,
    ConnectionLost,
    MalformedResponse,
    ServerError,
    TransportError,
    ValidationError,
)
from chatproto.files import AsyncFiles, Files
from chatproto.machines.exchange import Answer as AnswerKind
from chatproto.machines.exchange import Exchange
from chatproto.machines.steps import DataReceived, DocumentReceived, ExchangeEnded, ReadBody, SendRequest, Step
from chatproto.pagers import AsyncPager, Pager
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.file_server import FileServer, StoredFile
from chatproto.wire.http import Request

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A files API with five files."""
    with FileServer() as running:
        for number in range(5):
            stored = StoredFile(name=f"files/f-{number}", about={"mimeType": "text/plain"})
            running.store(stored, CONTENT)
            running.finish(stored)
        yield running


def scripted(*answers: Any, **options: Any) -> tuple[Files, ScriptedTransport]:
    """Files over answers that are Python values."""
    transport = ScriptedTransport(*answers)
    return Files(Client(api_key="k", transport=transport, http_options=options or None)._connector), transport


# --- get and delete ---


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("name", ["files/f-1", "f-1", "https://example.com/v1/files/f-1?x=y"])
def test_get_and_delete(face: str, name: str, server: FileServer) -> None:
    """A file is found and deleted by its name, with or without its prefix, and by its URL."""
    file = ask(face, server.base_url, lambda files: files.get(name=name))
    assert (file.name, file.size_bytes, file.state) == ("files/f-1", len(CONTENT), types.FileState.ACTIVE)
    gone = ask(face, server.base_url, lambda files: files.delete(name=name))
    assert isinstance(gone, types.DeleteFileResponse)
    assert gone.sdk_http_response is not None
    assert (gone.sdk_http_response.headers or {})["content-type"] == "application/json"
    with pytest.raises(ClientError) as caught:
        ask(face, server.base_url, lambda files: files.get(name=name))
    assert caught.value.code == 404
    seen = server.requests[0]
    assert (seen.method, seen.target, seen.size) == ("GET", "/v1/files/f-1", 0)
    assert seen.header("content-type") is None
    assert seen.header("x-goog-api-key") == KEY
    assert (server.requests[1].method, server.requests[1].target) == ("DELETE", "/v1/files/f-1")


def test_a_file_that_failed_is_no_failure() -> None:
    """The ``error`` of a file is data; the call has worked."""
    document = {"name": "files/a", "state": "FAILED", "error": {"code": 3, "message": "not a video"}}
    files, _ = scripted(Answer(document))
    file = files.get(name="a")
    assert file.state is types.FileState.FAILED
    assert file.error is not None
    assert file.error.message == "not a video"


@pytest.mark.parametrize("body", [b"", b"{}", b" \n"])
def test_delete_is_answered_with_nothing(body: bytes) -> None:
    """An empty body is as good as an empty object."""
    files, _ = scripted(Answer(chunks=[body], headers={"X-Y": "z"}))
    response = files.delete(name="a")
    assert response == types.DeleteFileResponse(sdk_http_response=types.HttpResponse(headers={"x-y": "z"}))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"sizeBytes": {}}', b"\xff", b"[" * 3000])
def test_answers_that_are_no_files(body: bytes) -> None:
    """L12: what cannot be read is a MalformedResponse."""
    files, _ = scripted(Answer(chunks=[body]))
    with pytest.raises(MalformedResponse):
        files.get(name="a")


@pytest.mark.parametrize("name", ["", None, 7, types.File(name="files/a"), "files/", "https://example.com/x"])
def test_names_that_are_none(name: Any) -> None:
    """They are refused before anything is sent, with ValueError."""
    files, transport = scripted()
    for call in (files.get, files.delete):
        with pytest.raises(ValueError, match="name"):
            call(name=name)
    assert transport.requests == []


def test_the_options_of_a_call() -> None:
    """``http_options`` of the config go over the client's, for this call; retries, time limits and versions too."""
    options = {
        "base_url": "https://other.example/",
        "api_version": "v9",
        "timeout": 1500,
        "retry_options": {"attempts": 2},
    }
    failing = Answer({"error": {"code": 503, "message": "busy"}}, status=503)
    files, transport = scripted(failing, Answer({"name": "files/a"}), failing)
    assert files.get(name="a", config={"http_options": options}).name == "files/a"
    assert len(transport.slept) == 1
    assert {request.url for request in transport.requests} == {"https://other.example/v9/files/a"}
    assert {request.timeout for request in transport.requests} == {1.5}
    with pytest.raises(ServerError):
        files.get(name="a")
    assert transport.requests[-1].url == "https://generativelanguage.googleapis.com/v1/files/a"


@pytest.mark.parametrize("call", ["get", "delete", "list", "download"])
def test_configs_are_checked_and_left_alone(call: str) -> None:
    """A field that there is not is named, with its path; what was handed over is as it was."""
    files, transport = scripted(*[Answer({})] * 4)
    arguments: dict[str, Any] = {} if call == "list" else {"file": "a"} if call == "download" else {"name": "a"}
    with pytest.raises(ValidationError, match=r"\$\.config.*tiemout"):
        getattr(files, call)(**arguments, config={"http_options": {"tiemout": 1}})
    assert transport.requests == []
    headers = {"X-Mine": "1"}
    config = {"http_options": types.HttpOptions(headers=headers, api_version="v1beta")}
    getattr(files, call)(**arguments, config=config)
    assert config == {"http_options": types.HttpOptions(headers={"X-Mine": "1"}, api_version="v1beta")}
    assert "/v1beta/" in transport.requests[0].url
    assert "X-Mine" not in repr(transport.requests[0])


# --- list ---


@pytest.mark.parametrize("face", FACES)
def test_list(face: str, server: FileServer) -> None:
    """The first page comes at once, the others when their first file is asked for; each file once, in order."""
    names = [f"files/f-{number}" for number in range(5)]

    def use(files: Any) -> Any:
        if isinstance(files, AsyncFiles):
            return use_async(files)
        pager = files.list(config={"page_size": 2})
        assert isinstance(pager, Pager)
        check_first(pager)
        assert [file.name for file in pager] == names
        assert list(pager) == pager.page  # a new loop begins with the present page
        with pytest.raises(IndexError):
            pager.next_page()
        return None

    async def use_async(files: AsyncFiles) -> None:
        pager = await files.list(config={"page_size": 2})
        assert isinstance(pager, AsyncPager)
        check_first(pager)
        assert [file.name async for file in pager] == names
        assert [file async for file in pager] == pager.page
        with pytest.raises(IndexError):
            await pager.next_page()

    def check_first(pager: Any) -> None:
        assert len(server.requests) == 1
        assert len(pager) == pager.page_size == 2
        assert (pager.name, pager.config) == ("files", {"page_size": 2, "page_token": "2"})
        assert pager[0].name == "files/f-0"
        assert [file.name for file in pager.page] == names[:2]
        assert pager.sdk_http_response.headers["content-type"] == "application/json"

    ask(face, server.base_url, use)
    assert [seen.target for seen in server.requests] == [
        "/v1/files?pageSize=2",
        "/v1/files?pageSize=2&pageToken=2",
        "/v1/files?pageSize=2&pageToken=4",
    ]


def test_pages_can_be_asked_for(server: FileServer) -> None:
    """``next_page`` gives the page; without a size, the page's own length is one; a config keeps its options."""
    server.page_limit = 3
    pager = ask("requests", server.base_url, lambda files: files.list())
    assert (pager.page_size, len(pager), pager.config) == (3, 3, {"page_token": "3"})
    files, transport = scripted(
        Answer({"files": [{"name": "files/a"}], "nextPageToken": "T+2"}), Answer({"files": [{"name": "files/b"}]})
    )
    config = types.ListFilesConfig(page_size=1, http_options=types.HttpOptions(api_version="v7"))
    scripted_pager = files.list(config=config)
    assert [file.name for file in scripted_pager.next_page()] == ["files/b"]
    assert scripted_pager.config["page_token"] is None
    assert config.page_token is None
    assert [request.url.partition(".com")[2] for request in transport.requests] == [
        "/v7/files?pageSize=1",
        "/v7/files?pageSize=1&pageToken=T%2B2",
    ]


def test_a_page_that_fails_can_be_asked_for_again() -> None:
    """After an error the pager is as it was."""
    page = {"files": [{"name": "files/a"}], "nextPageToken": "t"}
    files, _ = scripted(Answer(page), ConnectionLost("gone"), Answer({"files": [{"name": "files/b"}]}))
    pager = files.list()
    assert next(pager).name == "files/a"
    with pytest.raises(ConnectionLost):
        next(pager)
    assert [file.name for file in pager.page] == ["files/a"]
    assert next(pager).name == "files/b"
    assert next(pager, None) is None


def test_empty_pages() -> None:
    """A page without files that is not the last is passed over; the same one without end is an error."""
    empty = Answer({"nextPageToken": "t"})
    files, _ = scripted(empty, Answer({"nextPageToken": "u"}), Answer({"files": [{"name": "files/a"}]}))
    assert [file.name for file in files.list()] == ["files/a"]
    files, _ = scripted(Answer({}))
    assert list(files.list()) == []
    files, transport = scripted(*[empty] * 10)
    with pytest.raises(MalformedResponse):
        list(files.list())
    assert len(transport.requests) == 2


# --- download ---


@pytest.mark.parametrize("face", FACES)
def test_download(face: str, server: FileServer, tmp_path: Path) -> None:
    """Bytes; or a file, at a path or in a file object, and None. An empty file is a file too."""
    path = tmp_path / "there.bin"
    held = io.BytesIO()
    file = types.File(name="files/f-2", download_uri="https://example.com/x")
    assert ask(face, server.base_url, lambda files: files.download(file="files/f-2")) == CONTENT
    assert server.requests[0].target == "/v1/files/f-2:download?alt=media"
    for destination in (path, str(path), held):
        assert ask(face, server.base_url, lambda files: files.download(file=file, destination=destination)) is None  # noqa: B023
    assert path.read_bytes() == held.getvalue() == CONTENT
    empty = StoredFile(name="files/empty", about={})
    server.finish(empty)
    assert ask(face, server.base_url, lambda files: files.download(file="empty")) == b""
    assert ask(face, server.base_url, lambda files: files.download(file="empty", destination=path)) is None
    assert path.read_bytes() == b""


@pytest.mark.parametrize("face", FACES)
def test_a_download_that_breaks_off(face: str, server: FileServer, tmp_path: Path) -> None:
    """A part of a file is not left where the whole was to be; what was written to a file object stays there."""
    server.download_cut = len(CONTENT) // 2
    path = tmp_path / "there.bin"
    with pytest.raises(TransportError):
        ask(face, server.base_url, lambda files: files.download(file="f-1", destination=path))
    assert not path.exists()
    held = io.BytesIO()
    with pytest.raises(TransportError):
        ask(face, server.base_url, lambda files: files.download(file="f-1", destination=held))
    assert CONTENT.startswith(held.getvalue())
    with pytest.raises(TransportError):
        ask(face, server.base_url, lambda files: files.download(file="f-1"))


@pytest.mark.parametrize("face", FACES)
def test_a_download_that_is_refused(face: str, server: FileServer, tmp_path: Path) -> None:
    """What was at the destination is there still."""
    path = tmp_path / "there.bin"
    path.write_bytes(b"old")
    with pytest.raises(APIError):
        ask(face, server.base_url, lambda files: files.download(file="none-such", destination=path))
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("face", FACES)
def test_a_destination_that_fails(face: str, server: FileServer, tmp_path: Path) -> None:
    """Its own error comes out, and the connection is given up."""

    class Full(io.RawIOBase):
        def write(self, data: Any, /) -> int:
            raise OSError("no space left")

    for destination in (Full(), tmp_path / "no" / "such" / "folder"):
        with pytest.raises(OSError, match=r"no space|No such file"):
            ask(face, server.base_url, lambda files: files.download(file="f-1", destination=destination))  # noqa: B023


def test_a_destination_that_takes_a_little(server: FileServer) -> None:
    """A raw file may take less than it is given, and say so."""

    class Narrow(io.RawIOBase):
        held = b""

        def write(self, data: Any, /) -> int:
            self.held += bytes(data[:1000])
            return min(1000, len(data))

    narrow = Narrow()
    ask("requests", server.base_url, lambda files: files.download(file="f-1", destination=narrow))
    assert narrow.held == CONTENT


def test_a_link_and_a_device_stay(server: FileServer, tmp_path: Path) -> None:
    """Of a broken download the file goes, not the link that leads to it; and a device is left alone."""
    server.download_cut = 1000
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_bytes(b"old")
    link.symlink_to(target)
    for destination in (link, os.devnull):
        with pytest.raises(TransportError):
            ask("requests", server.base_url, lambda files: files.download(file="f-1", destination=destination))  # noqa: B023
    assert link.is_symlink()
    assert not target.exists()
    assert Path(os.devnull).exists()


@pytest.mark.parametrize(
    ("file", "destination", "text"),
    [
        (types.File(name="files/a"), None, "generated"),
        (types.File(download_uri="https://example.com/x"), None, "name"),
        ("", None, "name"),
        (None, None, "expected a File"),
        (b"files/a", None, "expected a File"),
        ("a", 7, "destination"),
        ("a", b"path", "destination"),
    ],
    ids=str,
)
def test_what_cannot_be_downloaded(file: Any, destination: Any, text: str) -> None:
    """The arguments are refused before anything is sent, with ValueError."""
    files, transport = scripted()
    with pytest.raises(ValueError, match=text):
        files.download(file=file, destination=destination)
    assert transport.requests == []


@pytest.mark.parametrize("first", ["cancel", "write"])
def test_a_download_that_is_cancelled(
    first: str, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is cancelled while a thread writes for it leaves no part of a file, whoever comes first."""
    path = tmp_path / "there.bin"
    write = convert.Sink.write

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def write_slowly(sink: convert.Sink, data: bytes) -> None:
            if first == "write":
                write(sink, data)
                assert path.exists()
            loop.call_soon_threadsafe(task.cancel)
            time.sleep(0.05)
            write(sink, data)

        monkeypatch.setattr(convert.Sink, "write", write_slowly)
        async with Client(api_key=KEY, http_options={"base_url": server.base_url}).aio as client:
            task = asyncio.ensure_future(AsyncFiles(client._connector).download(file="f-1", destination=path))
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not path.exists()

    asyncio.run(run())  # which waits for the threads
    assert not path.exists()


@pytest.mark.parametrize("face", FACES)
def test_a_download_is_not_held_in_memory(face: str, tmp_path: Path) -> None:
    """Writing 32 MiB to a path takes the memory of some pieces."""
    with FileServer() as server:
        stored = StoredFile(name="files/big", about={})
        stored.content = bytearray(32 * 1024 * 1024)
        server.finish(stored)
        ask(face, server.base_url, lambda files: files.get(name="big"))
        tracemalloc.start()
        try:
            ask(face, server.base_url, lambda files: files.download(file="big", destination=tmp_path / "big"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (tmp_path / "big").stat().st_size == 32 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


# --- as google-genai ---


def test_the_same_requests_as_google_genai(server: FileServer) -> None:
    """L17: get, list, download and delete ask for the same, and give the same."""
    genai = pytest.importorskip("google.genai")
    kept = server.files["files/f-4"]

    def plain(found: Any) -> Any:
        dumped = found.model_dump(mode="json", exclude_none=True)
        dumped.pop("sdk_http_response", None)
        return dumped

    def use(files: Any) -> list[Any]:
        server.finish(kept)
        del server.requests[:]
        pager = files.list(config={"page_size": 2})
        return [
            (pager.page_size, pager.name, pager.config["page_token"], len(pager)),
            [plain(file) for file in pager],
            plain(files.get(name="files/f-3")),
            files.download(file="files/f-3"),
            plain(files.delete(name="f-4")),
            [(seen.method, seen.target, seen.body) for seen in server.requests],
        ]

    with genai.Client(api_key=KEY, http_options={"base_url": server.base_url}) as client:
        theirs = use(client.files)
    assert ask("httpx", server.base_url, use) == theirs


# --- Vertex AI ---


def test_vertex_ai_keeps_no_files() -> None:
    """As with google-genai, each method raises ValueError there, before anything is sent."""
    files, transport = scripted()
    files._connector.dialect = object()  # type: ignore[assignment]
    calls: list[Any] = [
        lambda: files.get(name="a"),
        lambda: files.delete(name="a"),
        files.list,
        lambda: files.download(file="a"),
        lambda: files.upload(file=io.BytesIO(), config={"mime_type": "a/b"}),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="Gemini API"):
            call()
    assert transport.requests == []


# --- the answers of Exchange ---


def steps(answer: AnswerKind, *pieces: bytes | ConnectionLost, status: int = 200) -> list[Step]:
    """What an exchange hands out, but its commands."""
    exchange = Exchange(Request(method="GET", url="https://example.com/"), streamed=False, answer=answer)
    found: list[Step] = []
    waiting = list(pieces)
    while (step := exchange.next()) is not None:
        match step:
            case SendRequest():
                exchange.receive_response(status, (("a", "b"),))
            case ReadBody():
                piece = waiting.pop(0) if waiting else b""
                if isinstance(piece, bytes):
                    exchange.receive_data(piece)
                else:
                    exchange.receive_failure(piece)
            case _:
                found.append(step)
    return found


def test_an_answer_of_bytes() -> None:
    """Each piece comes out as it came in, before the next is read; JSON means nothing there, nor does its end."""
    headers = (("a", "b"),)
    pieces = [b'{"error":1}', b"[DONE]", b"\xff"]
    assert steps("bytes", *pieces) == [*(DataReceived(piece, headers) for piece in pieces), ExchangeEnded()]
    assert steps("bytes") == [ExchangeEnded()]
    lost = ConnectionLost("gone")
    assert steps("bytes", b"a", lost) == [DataReceived(b"a", headers), ExchangeEnded(lost)]
    (refused,) = steps("bytes", b'{"error":{"code":404}}', status=404)
    assert isinstance(refused, ExchangeEnded)
    assert isinstance(refused.error, ClientError)


def test_an_answer_that_is_a_resource() -> None:
    """It may be empty, and its ``error`` is its own; another answer that is empty, or has an error, is one."""
    headers = (("a", "b"),)
    assert steps("resource") == [DocumentReceived({}, headers), ExchangeEnded()]
    document = {"error": {"code": 3}}
    assert steps("resource", b'{"error":', b'{"code":3}}') == [DocumentReceived(document, headers), ExchangeEnded()]
    for body, kind in ((b"", MalformedResponse), (b'{"error":{"code":400}}', ClientError)):
        (end,) = steps("document", body)
        assert isinstance(end, ExchangeEnded)
        assert isinstance(end.error, kind)


# --- pagers by themselves ---


def test_pagers_serve_other_lists() -> None:
    """A pager knows the name of its items and how to get more of them, and nothing of files."""

    class Page:
        def __init__(self, items: list[int], token: str | None) -> None:
            self.numbers = items
            self.next_page_token = token
            self.sdk_http_response = None

    pages = {None: Page([1, 2], "a"), "a": Page([3], None)}
    pager: Pager[int] = Pager("numbers", lambda config: pages[config["page_token"]], pages[None], {})
    assert isinstance(pager, Iterator)
    assert list(pager) == [1, 2, 3]

    async def more(config: Any) -> Page:
        return pages[config["page_token"]]

    async def collect() -> list[int]:
        found: AsyncPager[int] = AsyncPager("numbers", more, pages[None], {})
        assert isinstance(found, AsyncIterator)
        return [number async for number in found]

    assert asyncio.run(collect()) == [1, 2, 3]
