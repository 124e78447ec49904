"""Upload: the machine, by hand, against a server that is a few lines of Python and fails by script."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purity import forbidden_io

from chatproto.errors import (
    APIError,
    ChatProtoError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    TimedOut,
    TransportError,
    UploadFailed,
    ValidationError,
)
from chatproto.machines.states import UPLOAD, UploadInput, UploadState, UploadStates
from chatproto.machines.steps import ReadBody, RetryScheduled, SendRequest, Step, UploadEnded, UploadProgressed, Wait
from chatproto.machines.upload import CHUNK_SIZE, TRIES, Upload
from chatproto.types import HttpOptions
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.files import FileDescription, file_path
from chatproto.wire.http import Headers, Request, header
from chatproto.wire.json_codec import encode

URL = "https://example.com/bytes"
ENDPOINT = Endpoint(labels=(("user-agent", "test"),))


@attrs.frozen(kw_only=True)
class Fault:
    """What befalls a request: how many of its bytes are kept, and what is answered instead of the truth."""

    keep: int | None = None
    status: int = 200
    lost: bool = False
    lost_body: bool = False
    upload_status: str | None = ""
    received: str | None = ""
    body: bytes | None = None


@attrs.define
class ModelServer:
    """The protocol as the service speaks it: ranges of the file are taken where they belong, or refused."""

    total: int
    faults: list[Fault | None] = attrs.field(factory=list)
    query_has_file: bool = True
    granularity: int | None = None
    finishes: bool = True
    taken: list[tuple[int, int]] = attrs.field(factory=list)
    received: int = 0
    final: bool = False
    requests: list[Request] = attrs.field(factory=list)

    def answer(self, request: Request) -> tuple[int, Headers, list[bytes | TransportError]] | TransportError:
        """The response to one request."""
        self.requests.append(request)
        command = header(request.headers, "x-goog-upload-command")
        if command == "start":
            headers: Headers = (("X-Goog-Upload-URL", URL), ("X-Goog-Upload-Status", "active"))
            if self.granularity:
                headers += (("X-Goog-Upload-Chunk-Granularity", str(self.granularity)),)
            return 200, headers, []
        if command is None:
            return 200, (), [encode({"name": "files/n", "sizeBytes": str(self.received)})]
        fault = (self.faults.pop(0) if self.faults else None) or Fault()
        if command != "query":
            offset = int(header(request.headers, "x-goog-upload-offset") or -1)
            part = request.file
            size = part.size if part is not None else 0
            assert part is None or part.offset == offset
            if offset != self.received or self.final:
                return 400, (), [encode({"error": {"code": 400, "message": "wrong offset"}})]
            kept = size if fault.keep is None else min(fault.keep, size)
            assert "finalize" in command or size % (self.granularity or 1) == 0
            if kept:
                self.taken.append((offset, kept))
                self.received += kept
            self.final = self.finishes and "finalize" in command and kept == size
        return self._told(command, fault)

    def _told(self, command: str, fault: Fault) -> tuple[int, Headers, list[bytes | TransportError]] | TransportError:
        if fault.lost:
            return ConnectionLost("gone")
        headers: Headers = ()
        status = fault.upload_status if fault.upload_status != "" else ("final" if self.final else "active")
        if status is not None:
            headers += (("X-Goog-Upload-Status", status),)
        if fault.received != "" or command == "query" or not self.final:
            size = str(self.received) if fault.received == "" else fault.received
            headers += () if size is None else (("X-Goog-Upload-Size-Received", size),)
        has_file = self.final and (command != "query" or self.query_has_file)
        body = encode({"file": {"name": "files/n", "sizeBytes": str(self.received)}}) if has_file else b""
        pieces: list[bytes | TransportError] = [body if fault.body is None else fault.body]
        return fault.status, headers, [*pieces, ConnectionLost("cut")] if fault.lost_body else pieces


def described(size: int, **more: Any) -> FileDescription:
    """A file of ``size`` bytes."""
    return FileDescription(size=size, mime_type="text/plain", **more)


def play(upload: Upload, server: ModelServer, *, pickled: bool = False, limit: int = 2000) -> list[Step]:
    """All steps but ReadBody, until the end; with ``pickled``, from a new copy of the machine after each step."""
    steps: list[Step] = []
    body: list[bytes | TransportError] = []
    for _ in range(limit):
        if pickled:
            upload = pickle.loads(pickle.dumps(upload))
        step = upload.next()
        match step:
            case None:
                assert upload.state is UploadState.CLOSED
                assert not upload.busy
                return steps
            case SendRequest(request=request):
                answer = server.answer(request)
                if isinstance(answer, TransportError):
                    upload.receive_failure(answer)
                else:
                    upload.receive_response(answer[0], answer[1])
                    body = [piece for piece in answer[2] if piece != b""]
            case ReadBody():
                assert upload.reading
                piece = body.pop(0) if body else b""
                if isinstance(piece, bytes):
                    upload.receive_data(piece)
                else:
                    upload.receive_failure(piece)
                continue
            case Wait():
                upload.resume()
            case _:
                pass
        steps.append(step)
    raise AssertionError("the upload does not end")


def ended(steps: Sequence[Step]) -> UploadEnded:
    """The last step."""
    assert isinstance(steps[-1], UploadEnded)
    return steps[-1]


def waits(steps: Sequence[Step]) -> list[float]:
    """How long was waited."""
    return [step.seconds for step in steps if isinstance(step, Wait)]


def asked(steps: Sequence[Step]) -> list[tuple[str | None, str | None]]:
    """The command and the offset of each request."""
    requests = [step.request for step in steps if isinstance(step, SendRequest)]
    return [
        (header(each.headers, "x-goog-upload-command"), header(each.headers, "x-goog-upload-offset"))
        for each in requests
    ]


def plain(step: Step) -> Any:
    """A step as a value that can be compared: errors by class and text."""
    match step:
        case UploadEnded(file=file, error=error):
            return "ended", file, type(error), str(error), getattr(error, "__notes__", None)
        case RetryScheduled(attempt=attempt, error=error):
            return "retry", attempt, type(error), str(error)
        case _:
            return step


# --- the good path ---


@pytest.mark.parametrize(
    ("size", "offsets"),
    [
        (0, [("upload, finalize", "0")]),
        (1, [("upload, finalize", "0")]),
        (CHUNK_SIZE, [("upload, finalize", "0")]),
        (CHUNK_SIZE + 5, [("upload", "0"), ("upload, finalize", str(CHUNK_SIZE))]),
        (2 * CHUNK_SIZE, [("upload", "0"), ("upload, finalize", str(CHUNK_SIZE))]),
    ],
)
def test_the_chunks_of_a_file(size: int, offsets: list[Any]) -> None:
    """Chunks of 8 MiB, the last one finalising; an empty file is one empty chunk, exactly 8 MiB is one chunk."""
    server = ModelServer(size)
    steps = play(Upload(described(size), ENDPOINT), server)
    assert asked(steps) == [("start", None), *offsets]
    assert ended(steps).error is None
    assert server.received == size
    assert server.final
    progress = [(step.sent, step.total) for step in steps if isinstance(step, UploadProgressed)]
    assert progress[-1] == (size, size)
    assert len(progress) == len(offsets)


def test_the_requests() -> None:
    """The announcement has the file in camel case and the protocol's headers; a chunk names a slice and no bytes."""
    file = described(11, name="files/n", display_name="Ein Bild", file_name="a b.png")
    endpoint = Endpoint(labels=(("user-agent", "test"),), timeout=2.5, extra_body={"file": {"x": 1}})
    server = ModelServer(11)
    play(Upload(file, endpoint, source="s", chunk_size=8), server)
    start, first, second = server.requests
    assert start.method == "POST"
    assert start.url == "https://generativelanguage.googleapis.com/upload/v1/files"
    told = {"name": "files/n", "displayName": "Ein Bild", "mimeType": "text/plain", "sizeBytes": 11, "x": 1}
    assert start.json() == {"file": told}
    assert dict(start.headers) == {
        "content-type": "application/json",
        "user-agent": "test",
        "x-server-timeout": "3",
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": "11",
        "x-goog-upload-header-content-type": "text/plain",
        "x-goog-upload-file-name": "a b.png",
    }
    assert first.url == second.url == URL
    assert first.body == second.body == ()
    assert first.file is not None
    assert attrs.astuple(first.file) == ("s", 0, 8)
    assert first.timeout == 2.5
    assert dict(second.headers) == {
        "user-agent": "test",
        "x-server-timeout": "3",
        "x-goog-upload-command": "upload, finalize",
        "x-goog-upload-offset": "8",
    }


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("plain.txt", "plain.txt"),
        ("100%.txt", "100%.txt"),
        ("dó.txt", "d%C3%B3.txt"),
        ("テスト.mp4", "%E3%83%86%E3%82%B9%E3%83%88.mp4"),
        ("a\r\nx-evil: 1", "a%0D%0Ax-evil%3A%201"),
        ("half\udcff.txt", "half%3F.txt"),
    ],
)
def test_file_names_in_headers(name: str, sent: str) -> None:
    """A name that a header cannot carry is percent-encoded; one in plain ASCII goes as it is."""
    request = Upload(described(1, file_name=name), ENDPOINT).next()
    assert isinstance(request, SendRequest)
    assert header(request.request.headers, "x-goog-upload-file-name") == sent


@pytest.mark.parametrize(("unit", "sizes"), [(4, [8, 3]), (3, [9, 2]), (20, [11]), (1 << 40, [10, 1])])
def test_the_granularity_is_honoured(unit: int, sizes: list[int]) -> None:
    """Chunks are multiples of the server's unit, at least one; a unit that no memory holds is passed over."""
    server = ModelServer(11, granularity=unit)
    if unit == 1 << 40:
        server.granularity = None
        upload = Upload(described(11), ENDPOINT, chunk_size=10)
        upload.next()
        upload.receive_response(200, (("x-goog-upload-url", URL), ("x-goog-upload-chunk-granularity", str(unit))))
        upload.receive_data(b"")
        steps = play(upload, server)
    else:
        steps = play(Upload(described(11), ENDPOINT, chunk_size=10), server)
    requests = [step.request for step in steps if isinstance(step, SendRequest)]
    assert [request.file.size for request in requests if request.file is not None] == sizes
    assert ended(steps).error is None


def test_the_retries_of_the_announcement_are_the_policys() -> None:
    """The first request is retried as every JSON request is: by retry_options, and not without."""
    options = HttpOptions.model_validate({"retry_options": {"attempts": 2, "jitter": 0, "initial_delay": 5}})
    for endpoint, tries in ((ENDPOINT, 1), (ENDPOINT.merged(options), 2)):
        upload = Upload(described(1), endpoint)
        sends = 0
        while (step := upload.next()) is not None:
            match step:
                case SendRequest():
                    sends += 1
                    upload.receive_response(503, ())
                case ReadBody():
                    upload.receive_data(b"")
                case Wait(seconds=seconds):
                    assert seconds == 5
                    upload.resume()
                case UploadEnded(error=error):
                    assert isinstance(error, APIError)
                case _:
                    assert isinstance(step, RetryScheduled)
        assert sends == tries


@pytest.mark.parametrize("headers", [(), (("x-goog-upload-url", ""),), (("x-goog-upload-url", "ftp://x/"),)])
def test_an_announcement_without_a_url(headers: Headers) -> None:
    """Nothing to send the bytes to is a clear error, whatever the body says."""
    upload = Upload(described(1), ENDPOINT)
    upload.next()
    upload.receive_response(200, headers)
    upload.next()
    upload.receive_data(b"not json")
    upload.next()
    upload.receive_data(b"")
    step = upload.next()
    assert isinstance(step, UploadEnded)
    assert isinstance(step.error, UploadFailed)
    assert "no URL" in str(step.error)


# --- faults ---


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "fault",
    [
        Fault(lost=True),
        Fault(lost=True, keep=0),
        Fault(lost=True, keep=2),
        Fault(lost_body=True),
        Fault(status=503, keep=0),
        Fault(status=500, keep=3),
        Fault(status=429),
        Fault(upload_status=None),
        Fault(upload_status=None, keep=0),
        Fault(upload_status="strange"),
        Fault(upload_status="active", received="0", keep=0),
        Fault(upload_status="active", received="999", keep=1),
        Fault(status=400, keep=0, upload_status=None),
        Fault(status=400, keep=0, upload_status="active"),
        Fault(keep=1),
        Fault(body=b"<html>"),
        Fault(body=b"{"),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [12, 11])
def test_a_fault_at_every_chunk(number: int, fault: Fault, size: int) -> None:
    """Whatever befalls a chunk, and however much of it was kept, each byte is kept once, in order, and the file is
    there. A chunk of which something arrived is never sent again from its beginning.
    """
    server = ModelServer(size, faults=[*[None] * number, fault])
    steps = play(Upload(described(size, name="files/n"), ENDPOINT, chunk_size=4), server)
    end = ended(steps)
    assert end.error is None
    assert end.file is not None
    assert end.file.size_bytes == size
    position = 0
    for offset, kept in server.taken:
        assert offset == position
        position += kept
    assert position == size
    assert server.final


@pytest.mark.parametrize("number", range(3))
def test_the_lost_answer_to_the_last_chunk(number: int) -> None:
    """The question brings the file; or its name does; or the error says that the file has arrived whole. In no case
    are bytes sent twice.
    """
    server = ModelServer(5, faults=[Fault(lost=True)], query_has_file=number == 0)
    name = "files/n" if number == 1 else None
    steps = play(Upload(described(5, name=name), ENDPOINT), server)
    end = ended(steps)
    assert asked(steps)[:3] == [("start", None), ("upload, finalize", "0"), ("query", None)]
    assert server.taken == [(0, 5)]
    assert waits(steps) == [1]
    if number == 2:
        assert isinstance(end.error, UploadFailed)
        assert "arrived whole" in str(end.error)
        assert end.error.sent == end.error.total == 5
    else:
        assert end.error is None
        assert end.file is not None
        assert end.file.name == "files/n"
    if number == 1:
        assert server.requests[-1].method == "GET"
        assert server.requests[-1].url.endswith("/v1/files/n")


def test_a_server_that_takes_nothing() -> None:
    """Three sends, after each of which it is asked, with 1, 2 and 4 seconds before: then the last error, noted with
    how much has arrived.
    """
    refused = Fault(status=503, keep=0)
    server = ModelServer(12, faults=[None, *[refused, None] * 3])
    steps = play(Upload(described(12), ENDPOINT, chunk_size=4), server)
    error = ended(steps).error
    assert isinstance(error, APIError)
    assert error.code == 503
    assert error.__notes__ == ["4 of 12 bytes of the file have arrived"]
    assert asked(steps)[2:] == [("upload", "4"), ("query", None)] * TRIES
    assert waits(steps) == [1, 2, 4]
    assert [step.attempt for step in steps if isinstance(step, RetryScheduled)] == [1, 2, 3]


def test_a_server_that_does_not_answer_questions() -> None:
    """Three questions, then the error."""
    server = ModelServer(12, faults=[Fault(lost=True)] * 9)
    steps = play(Upload(described(12), ENDPOINT, chunk_size=4), server)
    error = ended(steps).error
    assert isinstance(error, ConnectionLost)
    assert error.__notes__ == ["0 of 12 bytes of the file have arrived"]
    assert asked(steps)[1:] == [("upload", "0"), *[("query", None)] * TRIES]
    assert waits(steps) == [1, 2, 4]


def test_questions_are_counted_in_a_row() -> None:
    """An answered question renews the patience with questions, if not with chunks."""
    lost, nothing = Fault(lost=True), Fault(lost=True, keep=0)
    server = ModelServer(4, faults=[nothing, lost, None, nothing, lost, None, lost, lost, None])
    steps = play(Upload(described(4), ENDPOINT), server)
    assert ended(steps).error is None
    assert waits(steps) == [1, 2, 2, 4, 4, 4]


@pytest.mark.parametrize("received", [None, "5", "-1", "x"])
def test_an_answer_to_a_question_that_is_none(received: str | None) -> None:
    """A size that is missing, no number, or more than the file has, is as good as no answer."""
    server = ModelServer(4, faults=[Fault(status=503, keep=0), Fault(received=received)])
    steps = play(Upload(described(4), ENDPOINT), server)
    assert ended(steps).error is None
    assert waits(steps) == [1, 2]
    assert asked(steps)[1:] == [("upload, finalize", "0"), ("query", None), ("query", None), ("upload, finalize", "0")]


class _Hesitant(ModelServer):
    """Does not end the upload with the last chunk, but when it is told again."""

    def answer(self, request: Request) -> Any:
        """The response to one request."""
        if header(request.headers, "x-goog-upload-command") == "query":
            self.finishes = True
        return super().answer(request)


def test_an_upload_that_only_lacks_its_end() -> None:
    """All bytes are there: the end is asked for without bytes, and the progress is not told twice."""
    server = _Hesitant(4, finishes=False)
    steps = play(Upload(described(4), ENDPOINT), server)
    assert ended(steps).error is None
    assert asked(steps)[1:] == [("upload, finalize", "0"), ("query", None), ("upload, finalize", "4")]
    assert [step for step in steps if isinstance(step, UploadProgressed)] == [UploadProgressed(4, 4)]


def test_a_server_that_is_never_satisfied() -> None:
    """All bytes are there and the upload stays active: it is asked to finish, without bytes, and then given up."""
    server = ModelServer(4, finishes=False)
    steps = play(Upload(described(4), ENDPOINT), server)
    error = ended(steps).error
    assert isinstance(error, UploadFailed)
    assert (error.sent, error.total) == (4, 4)
    assert asked(steps)[3:] == [("upload, finalize", "4"), ("query", None)] * TRIES
    assert "4 of 4 bytes" in str(error)
    assert server.taken == [(0, 4)]


def test_progress_renews_the_tries() -> None:
    """A connection that breaks in each chunk, but brings something each time, gets the file there."""
    server = ModelServer(40, faults=[Fault(lost=True, keep=1), None] * 10)
    steps = play(Upload(described(40), ENDPOINT, chunk_size=4), server)
    assert ended(steps).error is None
    assert set(waits(steps)) == {1}


def test_a_server_that_has_lost_bytes() -> None:
    """Where it says that it holds less than before, the upload goes back; the progress told is not taken back."""
    server = ModelServer(12, faults=[None, Fault(lost=True, keep=0)])
    upload = Upload(described(12), ENDPOINT, chunk_size=4)
    told = []
    while (step := upload.next()) is not None:
        match step:
            case SendRequest(request=request):
                if header(request.headers, "x-goog-upload-command") == "query":
                    server.received = 0
                answer = server.answer(request)
                if isinstance(answer, TransportError):
                    upload.receive_failure(answer)
                    continue
                upload.receive_response(answer[0], answer[1])
                for piece in answer[2]:
                    assert isinstance(piece, bytes)
                    if piece:
                        upload.receive_data(piece)
                upload.receive_data(b"")
            case Wait():
                upload.resume()
            case UploadProgressed(sent=sent):
                told.append(sent)
            case UploadEnded(error=error):
                assert error is None
            case _:
                pass
    assert told == [4, 8, 12]
    assert server.received == 12


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (Fault(upload_status="cancelled"), UploadFailed, "cancelled"),
        (Fault(upload_status="final"), UploadFailed, "before the end"),
        (Fault(status=403, upload_status=None), APIError, "403"),
        (Fault(status=404, upload_status=None), APIError, "404"),
        (Fault(status=400, upload_status="final"), APIError, "400"),
        (Fault(status=413, upload_status="cancelled"), APIError, "413"),
    ],
    ids=str,
)
def test_what_cannot_be_cured(fault: Fault, kind: type[Exception], text: str) -> None:
    """An upload that the server has ended is not asked about, and not tried again."""
    server = ModelServer(12, faults=[None, fault])
    steps = play(Upload(described(12), ENDPOINT, chunk_size=4), server)
    error = ended(steps).error
    assert isinstance(error, kind)
    assert text in str(error)
    assert not waits(steps)


def test_retry_after_is_honoured() -> None:
    """A server that asks for more seconds gets them, up to a minute; then the error is the caller's."""
    for seconds, waited in ((30, [30.0]), (61, [])):
        upload = Upload(described(4), ENDPOINT)
        server = ModelServer(4)
        seen: list[float] = []
        first = True
        while (step := upload.next()) is not None:
            match step:
                case SendRequest(request=request) if request.url == URL and first:
                    first = False
                    upload.receive_response(429, (("retry-after", str(seconds)),))
                    upload.receive_data(b"")
                case SendRequest(request=request):
                    answer = server.answer(request)
                    assert not isinstance(answer, TransportError)
                    upload.receive_response(answer[0], answer[1])
                    for piece in answer[2]:
                        assert isinstance(piece, bytes)
                        if piece:
                            upload.receive_data(piece)
                    upload.receive_data(b"")
                case Wait():
                    seen.append(step.seconds)
                    upload.resume()
                case UploadEnded(error=error):
                    assert (error is None) == bool(waited)
                case _:
                    pass
        assert seen == waited


# --- any server ---

numbers = st.sampled_from(["", None, "0", "1", "4", "5", "99", "-1", "x", "9" * 5000])
server_statuses = st.sampled_from(["", "", "", "active", "final", "cancelled", "FINAL ", "odd", None])
faults = st.none() | st.builds(
    Fault,
    keep=st.none() | st.integers(0, 5),
    status=st.sampled_from([200, 200, 200, 503, 500, 400, 404, 429, 204, 308]),
    lost=st.booleans(),
    lost_body=st.booleans(),
    upload_status=server_statuses,
    received=numbers,
    body=st.none() | st.sampled_from([b"", b"{", b"[]", b'{"file":1}', b'{"file":{"sizeBytes":{}}}', b'{"error":{}}']),
)
honest = st.none() | st.builds(
    Fault,
    keep=st.none() | st.integers(0, 5),
    status=st.sampled_from([200, 200, 503, 500, 429]),
    lost=st.booleans(),
    lost_body=st.booleans(),
    upload_status=st.sampled_from(["", "", None]),
)


@given(st.integers(0, 20), st.integers(1, 6), st.lists(faults, max_size=20), st.booleans(), st.booleans())
def test_any_server_ends_it(size: int, chunk: int, script: list[Fault | None], named: bool, tells: bool) -> None:
    """L12: whatever the server answers, the upload ends, with a file or with an error of the tree; what was told of
    the progress only grows; and it does no I/O.
    """
    server = ModelServer(size, faults=script, query_has_file=tells)
    upload = Upload(described(size, name="files/n" if named else None), ENDPOINT, chunk_size=chunk)
    with forbidden_io():
        steps = play(upload, server)
    end = ended(steps)
    assert (end.file is None) == (end.error is not None)
    assert end.error is None or isinstance(end.error, (APIError, TransportError, RemoteProtocolError))
    told = [step.sent for step in steps if isinstance(step, UploadProgressed)]
    assert told == sorted(set(told))
    assert all(sent <= size for sent in told)
    assert upload.next() is None


@given(st.integers(0, 20), st.integers(1, 6), st.lists(honest, max_size=30), st.sampled_from([None, 2, 3]))
def test_an_honest_server_gets_each_byte_once(
    size: int, chunk: int, script: list[Fault | None], unit: int | None
) -> None:
    """A server that tells the truth, when it tells anything, has each byte once when the upload succeeds; when it
    fails, the error says how many bytes it has: no fewer than it has said, and it failed because three tries in a row
    brought nothing.
    """
    # With a granularity a server keeps whole units.
    given_unit = [
        attrs.evolve(fault, keep=fault.keep // unit * unit) if unit and fault and fault.keep is not None else fault
        for fault in script
    ]
    server = ModelServer(size, faults=given_unit, granularity=unit)
    steps = play(Upload(described(size, name="files/n"), ENDPOINT, chunk_size=chunk), server)
    position = 0
    for offset, kept in server.taken:
        assert offset == position
        position += kept
    end = ended(steps)
    if end.error is None:
        assert position == size
        assert server.final
        return
    told = max([step.sent for step in steps if isinstance(step, UploadProgressed)], default=0)
    assert told <= position
    said = getattr(end.error, "__notes__", [str(end.error)])[0]
    assert f"{told} of {size} bytes" in said
    assert len([step for step in steps if isinstance(step, RetryScheduled)]) >= TRIES - 1


@given(st.integers(0, 12), st.integers(1, 5), st.lists(faults, max_size=8))
def test_a_machine_is_pickled_at_any_step(size: int, chunk: int, script: list[Fault | None]) -> None:
    """L13: from a copy made at every step the upload goes on as without."""
    runs = []
    for pickled in (False, True):
        server = ModelServer(size, faults=list(script))
        upload = Upload(described(size), ENDPOINT, chunk_size=chunk)
        runs.append(list(map(plain, play(upload, server, pickled=pickled))))
    assert runs[0] == runs[1]


def test_a_machine_restored_with_a_chunk_on_its_way() -> None:
    """L13: told that the connection is lost, it asks what has arrived and goes on there, in another process too."""
    server = ModelServer(12)
    upload = Upload(described(12), ENDPOINT, chunk_size=4)
    while True:
        step = upload.next()
        if not isinstance(step, SendRequest):
            if isinstance(step, ReadBody):
                upload.receive_data(b"")
            continue
        answer = server.answer(step.request)
        assert not isinstance(answer, TransportError)
        if server.received == 8:
            break  # the process ends here
        upload.receive_response(answer[0], answer[1])
    restored: Upload = pickle.loads(pickle.dumps(upload))
    restored.receive_failure(ConnectionLost("restored"))
    steps = play(restored, server)
    assert asked(steps) == [("query", None), ("upload, finalize", "8")]
    assert ended(steps).error is None
    assert server.taken == [(0, 4), (4, 4), (8, 4)]


# --- states ---

PAIRS = [(state, happened) for state in UploadState for happened in UploadInput]


@pytest.mark.parametrize(("state", "happened"), PAIRS, ids=lambda each: each.name)
def test_every_input_in_every_state(state: UploadState, happened: UploadInput) -> None:
    """L11: the table's transition, or LocalProtocolError and nothing changed."""
    states = UploadStates(state)
    following = UPLOAD[state].get(happened)
    assert states.allows(happened) == (following is not None)
    if following is not None:
        assert states.take(happened) is following
        return
    with pytest.raises(LocalProtocolError, match=happened.name):
        states.take(happened)
    assert states.state is state


def test_the_table_is_alive() -> None:
    """Every state has a row, is reached from the first and leads to CLOSED; every input does something somewhere."""
    assert list(UPLOAD) == list(UploadState)
    reached = {UploadState.IDLE}
    done = {UploadState.CLOSED}
    for _ in UploadState:
        reached |= {following for state in reached for following in UPLOAD[state].values()}
        done |= {state for state in UploadState if set(UPLOAD[state].values()) & done}
    assert reached == done == set(UploadState)
    assert {happened for row in UPLOAD.values() for happened in row} == set(UploadInput)
    assert [state for state in UploadState if not UPLOAD[state]] == [UploadState.CLOSED]


def machines() -> list[tuple[str, Upload]]:
    """A machine at every step of an upload that meets a fault and ends by fetching the file."""
    server = ModelServer(8, faults=[None, Fault(lost=True)], query_has_file=False)
    upload = Upload(described(8, name="files/n"), ENDPOINT, chunk_size=4)
    found = [("new", copy.deepcopy(upload))]
    while (step := upload.next()) is not None:
        found.append((f"{upload.state.name} {type(step).__name__}", copy.deepcopy(upload)))
        match step:
            case SendRequest(request=request):
                answer = server.answer(request)
                if isinstance(answer, TransportError):
                    upload.receive_failure(answer)
                else:
                    upload.receive_response(answer[0], answer[1])
                    for piece in answer[2]:
                        assert isinstance(piece, bytes)
                        if piece:
                            upload.receive_data(piece)
                found.append((f"{upload.state.name} answered", copy.deepcopy(upload)))
            case ReadBody():
                upload.receive_data(b"")
                found.append((f"{upload.state.name} body ended", copy.deepcopy(upload)))
            case Wait():
                upload.resume()
                found.append((f"{upload.state.name} resumed", copy.deepcopy(upload)))
            case _:
                pass
    return [*found, ("closed", upload)]


VERBS = {
    "receive_response": lambda upload: upload.receive_response(200, ()),
    "receive_data": lambda upload: upload.receive_data(b"x"),
    "end": lambda upload: upload.receive_data(b""),
    "receive_failure": lambda upload: upload.receive_failure(TimedOut("slow")),
    "resume": lambda upload: upload.resume(0.5),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_at_every_step(verb: str) -> None:
    """L11: a driver's verb is what the machine waits for, or LocalProtocolError and nothing changed."""
    seen = {"worked": 0, "refused": 0}
    for where, upload in machines():
        before = pickle.dumps(upload)
        try:
            VERBS[verb](upload)
        except LocalProtocolError:
            seen["refused"] += 1
            assert pickle.dumps(upload) == before, where
        else:
            seen["worked"] += 1
    assert seen["worked"]
    assert seen["refused"]


def test_all_states_are_met() -> None:
    """What the two tests around this one go through is every state."""
    assert {upload.state for _, upload in machines()} == set(UploadState)


def test_abandoning_at_every_step() -> None:
    """Abandoned, an upload is over and hands nothing out; abandoned again, it stays so."""
    for _, upload in machines():
        upload.abandon()
        assert upload.state is UploadState.CLOSED
        assert not upload.reading
        upload.abandon()
        if not any(True for _ in iter(upload.next, None)):
            assert upload.next() is None


def test_a_command_is_handed_out_until_it_is_answered() -> None:
    """An event comes once, a command again and again."""
    for _, upload in machines():
        step = upload.next()
        if isinstance(step, (SendRequest, ReadBody, Wait)):
            assert upload.next() == step
            assert upload.next() == step


# --- odds and ends ---


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("files/abc", "files/abc"),
        ("abc", "files/abc"),
        ("files/abc-123", "files/abc-123"),
        ("https://example.com/v1/files/abc-9:download?alt=media", "files/abc-9"),
        ("https://example.com/v1beta/files/abc", "files/abc"),
        ("a/b?c#d", "files/a%2Fb%3Fc%23d"),
        ("ü", "files/%C3%BC"),
    ],
)
def test_names_of_files(name: str, path: str) -> None:
    """A name with or without its prefix, or a URL; what would change the path is encoded."""
    assert file_path(name) == path


@pytest.mark.parametrize("name", ["", "files/", "..", "files/.", "https://example.com/", "https://example.com/files/?"])
def test_no_names_of_files(name: str) -> None:
    """What names nothing is refused before anything is sent."""
    with pytest.raises(ValidationError):
        file_path(name)


def test_upload_failed_is_pickled() -> None:
    """An error is the same after a pickle, and is caught as google-genai's ValueError would be."""
    error = UploadFailed("why", sent=3, total=9)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is UploadFailed
    assert (again.sent, again.total, str(again)) == (3, 9, str(error))
    assert isinstance(error, ChatProtoError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(("size", "chunk"), [(-1, 1), (1, 0)])
def test_sizes_are_checked(size: int, chunk: int) -> None:
    """A machine that could not end is not made."""
    with pytest.raises(ValidationError):
        Upload(described(size), ENDPOINT, chunk_size=chunk)


def test_the_events_are_json_friendly() -> None:
    """The file in the last event is a value like any other."""
    steps = play(Upload(described(3), ENDPOINT), ModelServer(3))
    file = ended(steps).file
    assert file is not None
    assert json.loads(file.model_dump_json(exclude_none=True)) == {"name": "files/n", "size_bytes": 3}
