"""A resumable upload: one file on its way, in chunks, through whatever the network does.

It is driven like every machine (see ``transport.Machine``). It never holds the file's bytes: its requests name a slice
of the file (``wire.http.FileSlice``), and whoever drives it reads that.

Nothing is sent twice that the server may hold. When an answer is lost, or says nothing, the machine waits, asks the
server how many bytes have arrived, and goes on there. It gives up when three chunks in a row, or three questions, have
brought nothing new.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..errors import (
    APIError,
    ChatProtoError,
    MalformedResponse,
    RemoteProtocolError,
    TransportError,
    UploadFailed,
    ValidationError,
)
from ..types import File
from ..types._json import is_object
from ..wire.files import (
    FileDescription,
    chunk_request,
    file_path,
    get_request,
    granularity,
    query_request,
    read_answer,
    size_received,
    start_request,
    upload_status,
    upload_url,
)
from ..wire.http import FileSlice
from .exchange import Exchange
from .retry import DEFAULT_CODES, RetryPolicy
from .states import UploadInput, UploadState, UploadStates
from .steps import (
    DocumentReceived,
    ExchangeEnded,
    RetryScheduled,
    Step,
    UploadEnded,
    UploadProgressed,
    Wait,
)

if TYPE_CHECKING:
    from ..wire.endpoint import Endpoint
    from ..wire.http import Headers, Request

__all__ = ["CHUNK_SIZE", "DELAYS", "MAX_GRANULARITY", "TRIES", "Upload", "UploadFailed"]

#: How many bytes go in one request.
CHUNK_SIZE = 8 * 1024 * 1024
#: How many times the same bytes are sent, or the same question is asked.
TRIES = 3
#: Seconds before the first, second and every further question of what has arrived.
DELAYS = (1.0, 2.0, 4.0)
#: A server that wants its chunks in larger units gets CHUNK_SIZE all the same: a chunk is held in memory.
MAX_GRANULARITY = 64 * 1024 * 1024
#: The longest Retry-After that is waited for.
MAX_DELAY = 60.0

#: How servers refuse bytes that belong elsewhere: to be cured by asking where.
_OFFSET_CODES = (400, 409, 412, 416)


class Upload:
    """One file on its way to the server."""

    def __init__(
        self, file: FileDescription, endpoint: Endpoint, *, source: str = "file", chunk_size: int = CHUNK_SIZE
    ) -> None:
        """``source`` is what its requests call the file; ``chunk_size`` is kept to the server's granularity."""
        if file.size < 0 or chunk_size < 1:
            raise ValidationError("a file has 0 bytes or more, and a chunk 1 or more")
        self.file = file
        self._endpoint = endpoint
        self._source = source
        self._chunk_size = chunk_size
        self._states = UploadStates(UploadState.IDLE)
        self._events: deque[RetryScheduled | UploadProgressed | UploadEnded] = deque()
        self._exchange: Exchange | None = None
        self._document: dict[str, Any] | None = None  # of the exchange that is open
        self._url = ""
        self._part = FileSlice(source, 0, 0)  # what the last chunk held
        self._offset = 0  # where the next chunk begins
        self._reached = 0  # the most that the server has said it holds
        self._finalized = False  # a chunk has been sent that ends the file
        self._sends = 0  # chunks in a row that brought nothing new
        self._queries = 0  # questions in a row that were not answered
        self._trouble: ChatProtoError | None = None  # why the last of those chunks was in vain
        self._delay = 0.0

    # --- views ---

    @property
    def state(self) -> UploadState:
        """Where it is."""
        return self._states.state

    @property
    def total(self) -> int:
        """The size of the file."""
        return self.file.size

    @property
    def sent(self) -> int:
        """How many bytes the server has said it holds."""
        return self._reached

    @property
    def busy(self) -> bool:
        """Whether it has begun, or may begin, and is not over."""
        return self.state is not UploadState.CLOSED

    @property
    def reading(self) -> bool:
        """Whether the body of a response is wanted still."""
        return self._exchange is not None and self._exchange.reading

    # --- driver verbs ---

    def next(self) -> Step | None:
        """The next step; None when the upload is over."""
        if self.state is UploadState.IDLE:
            self._states.take(UploadInput.BEGIN)
            self._open(start_request(self._endpoint, self.file), RetryPolicy.of(self._endpoint.retry_options))
        while True:
            if self._events:
                return self._events.popleft()
            if self.state is UploadState.WAITING:
                return Wait(self._delay)
            if self._exchange is None:
                return None
            match self._exchange.next():
                case DocumentReceived(document=document):
                    self._document = document
                case ExchangeEnded(error=error):
                    self._take_answer(error, self._exchange.headers)
                case step:
                    return step

    def receive_response(self, status: int, headers: Headers) -> None:
        """The head of the answer to SendRequest."""
        self._driven().receive_response(status, headers)

    def receive_data(self, data: bytes) -> None:
        """A piece of the body; ``b""`` is its end."""
        self._driven().receive_data(data)

    def receive_failure(self, error: TransportError) -> None:
        """There was no answer, or there will be no more of it."""
        self._driven().receive_failure(error)

    def resume(self, jitter: float = 0.0) -> None:
        """The Wait is over; it took ``jitter`` seconds more than it said."""
        if self._states.allows(UploadInput.RESUME):
            self._states.take(UploadInput.RESUME)
            self._open(query_request(self._endpoint, self._url))
        else:
            self._driven().resume(jitter)

    def abandon(self) -> None:
        """The caller has left. What has arrived is left to the server, which forgets it after some days."""
        if self.busy:
            self._states.take(UploadInput.ABANDON)
            self._exchange = None
            self._events.clear()

    def _driven(self) -> Exchange:
        self._states.take(UploadInput.DRIVE)
        assert self._exchange is not None  # where DRIVE is possible
        return self._exchange

    # --- the inside: questions ---

    def _open(self, request: Request, policy: RetryPolicy | None = None) -> None:
        self._document = None
        self._exchange = Exchange(request, streamed=False, policy=policy, answer="resource")

    def _send(self) -> None:
        """The chunk at the offset. The last may be empty: of an empty file, or where only the end was missing."""
        size = min(self._chunk_size, self.total - self._offset)
        self._part = FileSlice(self._source, self._offset, size)
        self._open(chunk_request(self._endpoint, self._url, self._part, last=self._is_last))
        self._finalized = self._finalized or self._is_last

    @property
    def _is_last(self) -> bool:
        return self._part.offset + self._part.size == self.total

    # --- the inside: answers ---

    def _take_answer(self, error: ChatProtoError | None, headers: Headers) -> None:
        document, self._document, self._exchange = self._document, None, None
        match self.state:
            case UploadState.STARTING:
                self._take_start(error, headers)
            case UploadState.FETCHING:
                self._take_fetched(error, document)
            case _:
                self._take_status(error, headers, document)

    def _take_start(self, error: ChatProtoError | None, headers: Headers) -> None:
        # The headers say it all: a body that cannot be read does not matter.
        if error is not None and not isinstance(error, RemoteProtocolError):
            self._end(None, error)
            return
        request = start_request(self._endpoint, self.file)
        url = upload_url(request, headers)
        if url is None:
            self._fail("the server gave no URL for the bytes")
            return
        unit = granularity(headers)
        if unit is not None and unit <= MAX_GRANULARITY:
            self._chunk_size = max(1, self._chunk_size // unit) * unit
        self._url = url
        self._states.take(UploadInput.OPENED)
        self._send()

    def _take_status(self, error: ChatProtoError | None, headers: Headers, document: dict[str, Any] | None) -> None:
        """What the answer to a chunk or to a question says of the bytes."""
        if isinstance(error, TransportError):
            self._doubt(error)
            return
        status = upload_status(headers)
        if isinstance(error, APIError):
            if _may_pass(error, status):
                self._doubt(error)
            else:
                self._end(None, error)
            return
        match status:
            case "active":
                self._take_size(size_received(headers))
            case "final" if self._finalized:
                self._take_file(document)
            case "final":
                self._fail("the server ended the upload before the end of the file")
            case "cancelled":
                self._fail("the server cancelled the upload")
            case _:
                self._doubt(self._problem(f"the server's answer has the upload status {status!r}"))

    def _take_size(self, received: int | None) -> None:
        if self.state is UploadState.QUERYING:
            if received is None or received > self.total:
                self._doubt(self._problem(f"the server does not say how many bytes it holds, but {received!r}"))
                return
            self._queries = 0
            if received <= self._reached and self._sends >= TRIES:
                assert self._trouble is not None  # set with each chunk that was in vain
                self._end(None, self._trouble)
                return
            self._go_on_at(received)
            return
        end = self._part.offset + self._part.size
        if received is None:
            received = end
        if self._is_last or not self._part.offset < received <= end:
            state = f"after bytes {self._part.offset} to {end} it holds {received} and wants more"
            self._doubt(self._problem(f"the server says that {state}"))
            return
        self._go_on_at(received)

    def _go_on_at(self, received: int) -> None:
        """The server holds the first ``received`` bytes; fewer than before, if it has lost some."""
        self._states.take(UploadInput.TAKEN)
        self._offset = received
        self._progress(received)
        self._send()

    def _progress(self, received: int) -> None:
        if received > self._reached:
            self._reached = received
            self._sends = 0
            self._events.append(UploadProgressed(received, self.total))

    def _doubt(self, trouble: ChatProtoError) -> None:
        """It is not known what has arrived: ask, after a while."""
        if self.state is UploadState.SENDING:
            self._sends += 1
            self._trouble = trouble
        else:
            self._queries += 1
        asked = trouble.retry_after if isinstance(trouble, APIError) else None
        if self._queries >= TRIES or (asked is not None and asked > MAX_DELAY):
            self._end(None, trouble)
            return
        troubles = self._sends + self._queries
        self._delay = max(DELAYS[min(troubles, len(DELAYS)) - 1], asked or 0.0)
        self._states.take(UploadInput.DOUBT)
        self._events.append(RetryScheduled(troubles, trouble))

    # --- the inside: the end ---

    def _take_file(self, document: dict[str, Any] | None) -> None:
        """All bytes are there. If the answer does not say as what, a name that the program gave does."""
        if self._reached < self.total or self.total == 0:
            self._reached = self.total
            self._events.append(UploadProgressed(self.total, self.total))
        written = (document or {}).get("file")
        try:
            file = read_answer(File, written) if is_object(written) else None
        except MalformedResponse:
            file = None
        if file is not None:
            self._end(file)
        elif self.file.name is not None:
            self._states.take(UploadInput.ARRIVED)
            request = get_request(self._endpoint, file_path(self.file.name))
            self._open(request, RetryPolicy.of(self._endpoint.retry_options))
        else:
            self._fail("the file arrived whole, but the answer that names it is lost: look for it with files.list")

    def _take_fetched(self, error: ChatProtoError | None, document: dict[str, Any] | None) -> None:
        try:
            file = read_answer(File, document or {}) if error is None else None
        except MalformedResponse as malformed:
            file, error = None, malformed
        self._end(file, error)

    def _problem(self, problem: str) -> UploadFailed:
        return UploadFailed(problem, sent=self._reached, total=self.total)

    def _fail(self, problem: str) -> None:
        self._end(None, self._problem(problem))

    def _end(self, file: File | None, error: ChatProtoError | None = None) -> None:
        if isinstance(error, UploadFailed):
            error.sent = self._reached
        elif error is not None and self.state is not UploadState.STARTING:
            error.add_note(f"{self._reached} of {self.total} bytes of the file have arrived")
        self._states.take(UploadInput.END)
        self._events.append(UploadEnded(file, error))


def _may_pass(error: APIError, status: str | None) -> bool:
    """Whether an error of the server is worth asking what has arrived."""
    if error.code in DEFAULT_CODES or error.code >= 500:
        return True
    return status == "active" or (status is None and error.code in _OFFSET_CODES)
