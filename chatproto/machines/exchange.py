"""One HTTP call: head, body, framing, errors and retry.

It is driven like every machine (see ``transport.Machine``), and hands out the JSON documents of the answer: one for a
unary call, one a chunk for a streamed one; or the bytes as they come. Nothing is parsed before ``next`` asks for it.
"""

from __future__ import annotations

import copy
from base64 import b64encode
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ChatProtoError, MalformedResponse, RemoteProtocolError, TransportError, ValidationError
from ..types._json import is_object
from ..wire.api_error import api_error, error_in
from ..wire.framing import BytesReader, DocumentReader, Framing, StreamReader
from ..wire.http import header_pairs
from ..wire.json_codec import decode, plain_object
from .error_json import HARMLESS_HEADERS, error_to_json, read_error
from .retry import Pause, RetryPolicy
from .states import ExchangeInput, ExchangeState, ExchangeStates
from .steps import DataReceived, DocumentReceived, ExchangeEnded, ReadBody, RetryScheduled, SendRequest, Step, Wait

if TYPE_CHECKING:
    from ..wire.http import Headers, Request
    from .reading import Reader

__all__ = ["MAX_ERROR_BYTES", "Answer", "Exchange"]

Answer = Literal["document", "resource", "bytes"]

#: How much of an error's body is kept; the rest is read over.
MAX_ERROR_BYTES = 1024 * 1024

_OK = 200  # only this is success, as in the reference

# Named once, because Python 3.11 takes longer to find a member in its enum than to call a function.
_IDLE, _AWAIT_HEAD, _READ_BODY, _READ_ERROR, _DRAIN, _BACKOFF, _CLOSED = ExchangeState
_BEGIN, _HEAD_OK, _DATA, _END, _FINISH = (
    ExchangeInput.BEGIN,
    ExchangeInput.HEAD_OK,
    ExchangeInput.DATA,
    ExchangeInput.END,
    ExchangeInput.FINISH,
)
_READ, _READ_ALL = ReadBody(), ReadBody(whole=True)


class Exchange:
    """One request and the answer to it."""

    def __init__(
        self, request: Request, *, streamed: bool, policy: RetryPolicy | None = None, answer: Answer = "document"
    ) -> None:
        """``streamed`` says whether the answer is a stream of documents or one document.

        Of one document, ``answer="resource"`` says that it may be empty, and that its member ``error`` is data: a file
        has one. ``answer="bytes"`` hands the body out as it comes.
        """
        self.request = request
        self._streamed = streamed
        self._answer: Answer = answer
        self._policy = policy or RetryPolicy()
        self._states = ExchangeStates(_IDLE)
        self._attempt = 0
        self.waited = 0.0  # seconds, over all retries
        self._status: int | None = None  # None before the head of a response
        self._headers: Headers = ()
        #: The same by name. It is never changed.
        self.fields: dict[str, str] = {}
        self._clear()

    def _clear(self) -> None:
        """Forget what an attempt has brought."""
        self._incoming: deque[bytes] = deque()
        self._documents: deque[bytes] = deque()
        self._framing: Framing = StreamReader() if self._streamed else DocumentReader()
        if self._answer == "bytes":
            self._framing = BytesReader()
        self._error_body = bytearray()
        self._failure: TransportError | None = None
        self._finished = False  # the framing has been told that the body ended
        self._tentative: bytes | None = None
        self._count = 0  # documents handed out
        self._pause: Pause | None = None
        self._scheduled: RetryScheduled | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Exchange:
        # The request, the policy and all bytes never change, so copies share them. See Memory for the direct calls.
        made = object.__new__(Exchange)
        made.__dict__.update(
            self.__dict__,
            _states=self._states.__deepcopy__(memo),
            _framing=self._framing.__deepcopy__(memo),
            _incoming=self._incoming.copy(),
            _documents=self._documents.copy(),
            _error_body=self._error_body.copy(),
        )
        return made

    # --- views ---

    @property
    def state(self) -> ExchangeState:
        """Where it is."""
        return self._states.state

    @property
    def headers(self) -> Headers:
        """Those of the last response."""
        return self._headers

    @property
    def busy(self) -> bool:
        """Whether it has begun, or may begin, and is not over."""
        return self.state is not _CLOSED

    @property
    def reading(self) -> bool:
        """Whether the body of the response is wanted still."""
        state = self._states.state
        return state is _READ_BODY or state is _READ_ERROR

    # --- driver verbs ---

    def next(self) -> Step | None:
        """The next step; None when the exchange is over."""
        found = self.advance()
        return DocumentReceived(found, self._headers) if isinstance(found, dict) else found

    def advance(self) -> dict[str, Any] | Step | None:
        """As ``next``, but for a document that is handed out as it is.

        For a machine around this one: most of the steps of a stream are documents, and this saves it the event.
        """
        documents = self._documents
        while True:
            if documents:
                # Most documents are as they should be: they are looked at once.
                data = documents.popleft()
                found = None if self._answer == "bytes" else plain_object(data)
                if found is not None and "error" not in found:
                    self._count += 1
                    return found
                handed = self._hand_out(data)
                if handed is not None:
                    return handed
                continue
            failed, state = self._framing.failed, self._states.state
            if failed is not None and state is not _CLOSED:
                return self._end(failed)
            if self._incoming:
                self._take_in(self._incoming.popleft())
            elif state is _READ_BODY or state is _READ_ERROR:
                return _READ if self._streamed or self._answer == "bytes" else _READ_ALL
            elif state is _DRAIN:
                step = self._drain()
                if step is not None:
                    return step
            elif state is _BACKOFF:
                return self._wait()
            elif state is _CLOSED:
                return None
            else:
                if state is _IDLE:
                    self._begin()
                return SendRequest(self.request)

    def receive_response(self, status: int, headers: Headers) -> None:
        """The head of the answer."""
        pairs = header_pairs(headers)
        self._states.take(_HEAD_OK if status == _OK else ExchangeInput.HEAD_ERROR)
        self._status = status
        self._headers, self.fields = pairs, dict(pairs)

    def receive_data(self, data: bytes) -> None:
        """A piece of the body; ``b""`` is its end. A buffer is copied, so that its owner may use it again."""
        try:
            data = data if type(data) is bytes else bytes(memoryview(data))
        except TypeError:
            raise ValidationError(f"a body is bytes, not {type(data).__name__}") from None
        self._states.take(_DATA if data else _END)
        if data:
            self._incoming.append(data)

    def receive_failure(self, error: TransportError) -> None:
        """There is no answer, or no more of it. What had arrived is handed out first."""
        self._states.take(ExchangeInput.FAILURE)
        self._failure = error

    def resume(self, jitter: float = 0.0) -> None:
        """The wait is over."""
        self._states.take(ExchangeInput.RESUME)
        if self._pause is not None:
            self.waited += self._pause.seconds + jitter
        self._clear()
        self._attempt += 1

    def abandon(self) -> None:
        """The caller has left: nothing more is handed out."""
        if self.busy:
            self._states.take(ExchangeInput.ABANDON)
            self._clear()

    # --- the inside ---

    def _begin(self) -> None:
        self._states.take(_BEGIN)
        self._attempt = 1

    def _take_in(self, data: bytes) -> None:
        if self._status == _OK:
            self._documents.extend(self._framing.feed(data))
        elif len(self._error_body) < MAX_ERROR_BYTES:
            self._error_body += data[: MAX_ERROR_BYTES - len(self._error_body)]

    def _hand_out(self, data: bytes) -> dict[str, Any] | Step | None:
        """What there is to say about one document; None for one that says nothing."""
        if self._answer == "bytes":
            return DataReceived(data, self._headers)
        if self._streamed and data[:1] != b"{" and data.strip() == b"[DONE]":
            return None
        self._count += 1
        try:
            document = self._decode(data)
        except MalformedResponse as error:
            return self._end(error)
        if is_object(document) and "error" not in document:
            return document
        refusal = None if self._answer == "resource" else error_in(document, self._headers)
        if refusal is not None:
            return self._end(refusal)
        if not is_object(document):
            problem = f"expected an object, got {type(document).__name__}"
            return self._end(MalformedResponse(problem, where=self._where))
        return document

    @property
    def _where(self) -> str:
        return f"event {self._count}" if self._streamed else "the body"

    def _decode(self, data: bytes) -> object:
        if not self._streamed and not data.strip():
            if self._answer == "resource":
                return {}
            raise MalformedResponse("empty", where=self._where)
        return decode(data, what=self._where, replace=self._streamed)

    def _drain(self) -> Step | None:
        """The body has ended, or the transport has failed; all that came before has been handed out."""
        if self._status is None:
            assert self._failure is not None  # DRAIN without a status comes from FAILURE alone
            return self._retry_or_end(self._failure)
        if self._status != _OK:
            # An error's body that broke off still says what the status was.
            return self._retry_or_end(api_error(self._status, self._headers, bytes(self._error_body)))
        if self._failure is not None:
            return self._end(self._failure)
        if not self._finished:
            self._finish_framing()
            return None
        tentative, self._tentative = self._tentative, None
        if tentative is None:
            return self._end(None)
        try:
            self._decode(tentative)
        except MalformedResponse:
            # The end cut it: by the WHATWG text it is not an event.
            return self._end(None, leftover=len(tentative))
        self._documents.append(tentative)
        return None

    def _finish_framing(self) -> None:
        if not self._finished:
            self._finished = True
            documents, self._tentative = self._framing.finish()
            self._documents.extend(documents)

    def _retry_or_end(self, error: ChatProtoError) -> Step | None:
        pause = self._policy.pause(self._attempt, error)
        if pause is None:
            return self._end(error)
        self._states.take(ExchangeInput.RETRY)
        self._status = None
        self._pause = pause
        self._scheduled = RetryScheduled(self._attempt, error)
        return None

    def _wait(self) -> Step:
        if self._scheduled is not None:
            scheduled, self._scheduled = self._scheduled, None
            return scheduled
        assert self._pause is not None  # set with the state
        return Wait(self._pause.seconds, self._pause.jitter)

    def _end(self, error: ChatProtoError | None, leftover: int = 0) -> ExchangeEnded:
        self._states.take(_FINISH)
        if error is not None or leftover:  # else all that came has been handed out
            self._clear()
        return ExchangeEnded(error, leftover)

    # --- as JSON ---

    def to_json(self, lost: TransportError) -> dict[str, Any]:
        """All of it as JSON values, for a snapshot, without headers that may be secret. It is not changed.

        ``lost`` is what it would be told where it waits for the wire: a connection is in no snapshot.
        """
        made = copy.deepcopy(self)
        if made._states.allows(ExchangeInput.FAILURE):
            made.receive_failure(lost)
        while made._incoming and made._framing.failed is None:
            made._take_in(made._incoming.popleft())
        if made.state is _DRAIN and made._status == _OK and made._failure is None:
            made._finish_framing()
        pause, scheduled, tentative = made._pause, made._scheduled, made._tentative
        return {
            "state": made.state.value,
            "attempt": made._attempt,
            "waited": made.waited,
            "status": made._status,
            "headers": [[name, held] for name, held in made._headers if name.lower() in HARMLESS_HEADERS],
            "documents": [_base64(each) for each in made._documents],
            "broken": error_to_json(made._framing.failed),
            "errorBody": _base64(bytes(made._error_body)),
            "failure": error_to_json(made._failure),
            "finished": made._finished,
            "tentative": None if tentative is None else _base64(tentative),
            "count": made._count,
            "pause": None if pause is None else {"seconds": pause.seconds, "jitter": pause.jitter},
            "scheduled": None if scheduled is None else error_to_json(scheduled.error),
        }

    @classmethod
    def from_json(cls, reader: Reader, made: Exchange) -> Exchange:
        """``made``, an exchange for the same request that has not begun, as what ``to_json`` wrote.

        Raises ValidationError for what it did not write.
        """
        nothing = type(None)
        made._attempt = reader.count("attempt")
        made.waited = float(reader.held("waited", int, float))
        made._status = reader.held("status", int, nothing)
        made._headers = _read_headers(reader)
        made.fields = dict(made._headers)
        made._documents.extend(reader.blobs("documents"))
        made._framing.failed = read_error(reader, "broken", RemoteProtocolError)
        made._error_body = bytearray(reader.blob("errorBody"))
        made._failure = read_error(reader, "failure", TransportError)
        made._finished = reader.held("finished", bool)
        made._tentative = None if reader.held("tentative", str, nothing) is None else reader.blob("tentative")
        made._count = reader.count("count")
        pause, scheduled = reader.inner("pause"), read_error(reader, "scheduled", ChatProtoError)
        if pause is not None:
            made._pause = Pause(float(pause.held("seconds", int, float)), float(pause.held("jitter", int, float)))
        if scheduled is not None:
            made._scheduled = RetryScheduled(made._attempt, scheduled)
        state = reader.one_of("state", ExchangeState)
        made._check(reader, state)
        made._states.restore(state)
        return made

    def _check(self, reader: Reader, state: ExchangeState) -> None:
        """What is there must be what the state says: an exchange that is restored must not be stuck."""
        if state in (_AWAIT_HEAD, _READ_BODY, _READ_ERROR):
            raise reader.wrong("state", "an exchange that waits for the wire is written as one that was lost")
        if state is _DRAIN and self._status is None and self._failure is None:
            raise reader.wrong("status", f"needed in the state {state.value!r}, where there is no failure")
        if (state is _BACKOFF) != (self._pause is not None):
            raise reader.wrong("pause", f"does not fit the state {state.value!r}")


def _read_headers(reader: Reader) -> Headers:
    try:
        return header_pairs(reader.held("headers", list))
    except ValidationError as error:
        raise reader.wrong("headers", error.problem) from None


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
