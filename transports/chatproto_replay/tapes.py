"""What a recorder knows: a tape for each exchange, and a reel that holds them and writes the file."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from chatproto.errors import LocalProtocolError, TimedOut

from .cassette import Cassette, Chunk, End, Exchange, Failure, RecordedResponse, lay_out, layout, write_atomically
from .errors import CassetteError, CredentialInCassette
from .redaction import kept_headers, recorded_request, without_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from chatproto.errors import TransportError
    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["Reel", "Tape"]


class _Kept:
    """An exchange that was in the file before."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.text = layout(exchange.to_json(), 2)


class Reel:
    """What one recorder writes: its tapes, and exchanges that it keeps, in the order of their requests.

    ``transport`` tells the name for the file. A recorder that adds to a cassette has the exchanges that are there
    already in ``rest``: they are written after all others. Each that is asked for again is moved with ``keep`` to the
    place that its request has in this run.
    """

    def __init__(self, path: Path, transport: Callable[[], str]) -> None:
        self.path = path
        self.recorded = 0
        self._transport = transport
        self._entries: list[Tape | _Kept] = []
        self._rest: list[_Kept] = []
        self._moved = False
        self._secrets: list[Secrets] = []
        self._refusal: str | None = None
        self._untold: Exception | None = None
        self._closed = False
        self._lock = threading.RLock()  # a finalizer may give up a response while this thread writes

    def check_open(self) -> None:
        """Raise LocalProtocolError after ``finish_all``."""
        if self._closed:
            raise LocalProtocolError("this recorder is closed")

    @property
    def rest(self) -> tuple[Exchange, ...]:
        """Exchanges that are written after all others."""
        return tuple(kept.exchange for kept in self._rest)

    @rest.setter
    def rest(self, exchanges: Iterable[Exchange]) -> None:
        with self._lock:
            laid_out = {id(kept.exchange): kept for kept in self._rest}
            self._rest = [laid_out.get(id(exchange)) or _Kept(exchange) for exchange in exchanges]

    def keep(self, exchange: Exchange) -> None:
        """Put ``exchange`` after those whose requests have come so far; if it is in ``rest``, it leaves that.

        Nothing is written for it alone: an order that has changed is written with the next exchange that is recorded,
        or at the end, if one was.
        """
        with self._lock:
            self.check_open()
            place = next((i for i, kept in enumerate(self._rest) if kept.exchange is exchange), None)
            self._entries.append(_Kept(exchange) if place is None else self._rest.pop(place))
            self._moved = True

    def begin(self, request: Request, secrets: Secrets) -> Tape:
        """A tape for a request that is about to be sent, unless a credential is in it."""
        with self._lock:
            self.check_open()
            if self._refusal is not None:
                raise CredentialInCassette(self._refusal)
            if not any(known is secrets for known in self._secrets):
                self._secrets.append(secrets)
            tape = Tape(self, request, secrets)
            # Before it is sent, so that a program learns of it before it pays for it.
            self._search(tape.exchange, request.content)
            self._entries.append(tape)
            return tape

    def drop(self, tape: Tape) -> None:
        """Nothing came of this request: the program left before there was an answer."""
        with self._lock:
            self._entries.remove(tape)

    def finish(self, tape: Tape) -> None:
        """Write the file with ``tape`` in it, or refuse."""
        with self._lock:
            if self._refusal is not None:
                raise CredentialInCassette(self._refusal)
            content = tape.exchange.response.content if tape.exchange.response is not None else b""
            tape.text = self._search(tape.exchange, content)
            self.recorded += 1
            self._write()

    def _search(self, exchange: Exchange, content: bytes) -> str:
        """The text of an exchange. Raises CredentialInCassette if a credential is in it or in its bytes."""
        text = layout(exchange.to_json(), 2)
        written = text.encode()
        if any(secrets.occurs_in(data) for secrets in self._secrets for data in (written, content)):
            where = "response" if exchange.response is not None else "request"
            shown = str(exchange.request)
            if any(secrets.occurs_in(shown.encode()) for secrets in self._secrets):
                shown = exchange.request.method
            self._refusal = (
                f"the {where} of {shown} holds a credential, so it was not written to {self.path};"
                " this recorder has stopped"
            )
            raise CredentialInCassette(self._refusal)
        return text

    def _write(self) -> None:
        texts = [entry.text for entry in (*self._entries, *self._rest) if entry.text is not None]
        write_atomically(self.path, lay_out(Cassette().by, self._transport(), texts))
        self._moved = False

    def finish_quietly(self, tape: Tape) -> None:
        """``finish`` where an exception would not reach the program."""
        try:
            self.finish(tape)
        except (CassetteError, OSError) as error:
            with self._lock:
                self._untold = self._untold or error

    def finish_all(self) -> None:
        """End the open tapes, and raise what ``finish_quietly`` could not."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for entry in list(self._entries):
                if isinstance(entry, Tape):
                    entry.leave()
            untold, self._untold = self._untold, None
            if untold is None and self._moved and self.recorded:
                self._write()
        if untold is not None:
            raise untold


class Tape:
    """What is known of one exchange so far."""

    def __init__(self, reel: Reel, request: Request, secrets: Secrets) -> None:
        self.text: str | None = None
        self.exchange = Exchange(request=recorded_request(request))
        self._reel = reel
        self._request = request
        self._secrets = secrets
        self._last = time.monotonic()
        self._head: tuple[int, Headers] | None = None
        self._chunks: list[Chunk] = []
        self._ended = False
        self._lock = threading.Lock()

    def begin(self, status: int, headers: Headers) -> None:
        """Note the head of the response."""
        self._head = status, kept_headers(headers)

    def drop(self) -> None:
        """Forget the request."""
        self._ended = True
        self._reel.drop(self)

    def take(self, data: bytes) -> bytes:
        """Note a chunk, or the end of the body, and hand it on."""
        if not data:
            if self._end("complete", None):
                self._reel.finish(self)
        elif not self._ended:
            milliseconds = max(0, round((time.monotonic() - self._last) * 1000))
            self._last += milliseconds / 1000  # what is rounded off counts for the next
            self._chunks.append(Chunk(milliseconds, data))
        return data

    def fail(self, error: TransportError) -> None:
        """Note that there was no response, or that there will be no more of it."""
        words = without_host(error.problem, self._request, self._secrets)
        end: End = "reset" if "reset" in str(error).lower() else "truncated"
        if isinstance(error, TimedOut):
            end = "timeout"
        if self._end(end, Failure.of(error, words)):
            self._reel.finish(self)

    def leave(self) -> None:
        """The program wants no more. Without a head there is nothing to record."""
        if self._head is None:
            self._ended = True
        elif self._end("abandoned", None):
            self._reel.finish_quietly(self)

    def _end(self, end: End, failure: Failure | None) -> bool:
        """Whether this was the end."""
        with self._lock:
            if self._ended:
                return False
            self._ended = True
        response: RecordedResponse | None = None
        if self._head is not None:
            status, headers = self._head
            response = RecordedResponse(status=status, headers=headers, chunks=tuple(self._chunks), end=end)
        self.exchange = Exchange(request=self.exchange.request, response=response, failure=failure)
        return True
