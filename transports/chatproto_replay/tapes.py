"""What a recorder knows: a tape for each exchange, and a reel that holds them and writes the file."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from chatproto.errors import LocalProtocolError, TimedOut

from .cassette import (
    BETWEEN,
    Cassette,
    Chunk,
    End,
    Exchange,
    Failure,
    RecordedResponse,
    frame,
    layout,
    write_atomically,
)
from .errors import CassetteError, CredentialInCassette
from .redaction.allowed import kept_headers, recorded_request, without_host
from .redaction.bodies import redacted_failure, redacted_request, redacted_response
from .redaction.searching import TooMuchPacked, holds_credential, searched_in_request, searched_in_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from chatproto.errors import TransportError
    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

    from .redaction.bodies import Redaction

__all__ = ["Reel", "Tape"]


class _Kept:
    """An exchange that was in the file before."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.text = layout(exchange.to_json(), 2)


class _Listed:
    """The bytes of a file's exchanges. Only those from the first that has changed are put together anew."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._texts: list[str] = []
        self._starts: list[int] = []

    def update(self, texts: list[str]) -> None:
        """Make ``data`` that of these texts."""
        pairs = zip(self._texts, texts, strict=False)
        same = next((i for i, (old, new) in enumerate(pairs) if old is not new), min(len(self._texts), len(texts)))
        if same < len(self._starts):
            del self.data[self._starts[same] :]
            del self._starts[same:]
        for text in texts[same:]:
            self._starts.append(len(self.data))
            self.data += f"{BETWEEN if self.data else ''}{text}".encode()
        self._texts = texts


class Reel:
    """What one recorder writes: its tapes, and exchanges that it keeps, in the order of their requests.

    ``transport`` tells the name for the file. A recorder that adds to a cassette has the exchanges that are there
    already in ``rest``: they are written after all others. Each that is asked for again is moved with ``keep`` to the
    place that its request has in this run.

    Every text that is here has been searched for every credential that is known. What is found, and a disk that is
    full, never comes between a chat and its answer: ``begin`` and ``finish_all`` tell of it.

    A file that is there is replaced when a first response has come: one that is good is not lost to a run without a
    network. Failures that came before are written with it.
    """

    def __init__(self, path: Path, transport: Callable[[], str], *, redact: Sequence[Redaction] = ()) -> None:
        self.path = path
        self.redact = redact
        self.recorded = 0
        self._by = Cassette().by
        self._transport = transport
        self._entries: list[Tape | _Kept] = []
        self._rest: list[_Kept] = []
        self._secrets: list[Secrets] = []
        self._refusal: str | None = None
        self._untold: Exception | None = None
        self._unwritten = False  # the file is not what it should be
        self._begun = False  # the file is this reel's
        self._listed = _Listed()
        self._writing = False
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
            self._search_kept(self._rest, self._secrets)

    def keep(self, exchange: Exchange) -> None:
        """Put ``exchange`` after those whose requests have come so far; if it is in ``rest``, it leaves that.

        Nothing is written for it alone: an order that has changed is written with the next exchange that is recorded,
        or at the end, if one was.
        """
        with self._lock:
            self.check_open()
            place = next((i for i, kept in enumerate(self._rest) if kept.exchange is exchange), None)
            if place is None:
                kept = _Kept(exchange)
                self._search_kept([kept], self._secrets)
            else:
                kept = self._rest.pop(place)
            self._entries.append(kept)
            self._unwritten = True

    def begin(self, request: Request, secrets: Secrets) -> Tape:
        """A tape for a request that is about to be sent. Raises CredentialInCassette if a credential is in it.

        So it does if one was found before, in whatever exchange: a recorder that has refused takes no more requests.
        """
        with self._lock:
            self.check_open()
            tape = Tape(self, request, secrets)
            if self._refusal is None:
                self._learn(secrets)
            if self._refusal is None:
                # Before it is sent, so that a program learns of it before it pays for it.
                self._search(tape, "request", searched_in_request(tape.exchange.request))
            if self._refusal is not None:
                self._untold = None
                raise CredentialInCassette(self._refusal)
            tape.searched_for = len(self._secrets)
            self._entries.append(tape)
            return tape

    def drop(self, tape: Tape) -> None:
        """Nothing came of this request: the program left before there was an answer."""
        with self._lock:
            if tape in self._entries:
                self._entries.remove(tape)

    def finish(self, tape: Tape) -> None:
        """Write the file with ``tape`` in it, unless a credential is in that or was found before. Raises nothing."""
        with self._lock:
            try:
                self._finish(tape)
            except Exception as error:  # noqa: BLE001  (nothing may keep the program from its answer)
                problem = CassetteError(f"{self._name(tape.exchange)} was not recorded: {type(error).__name__}")
                problem.__cause__ = error
                self._untold = self._untold or problem

    def _finish(self, tape: Tape) -> None:
        tape.exchange = Exchange(
            request=tape.exchange.request,  # has been redacted
            response=redacted_response(tape.exchange.response, self.redact),
            failure=redacted_failure(tape.exchange.failure, self.redact),
        )
        if self._refusal is None and tape.searched_for < len(self._secrets):
            self._search(tape, "request", searched_in_request(tape.exchange.request))
        if self._refusal is None:
            self._search(tape, "response", searched_in_response(tape.exchange))
        if self._refusal is None:
            tape.text = layout(tape.exchange.to_json(), 2)
            self._write()
        elif self._untold is None:
            self._untold = CredentialInCassette(self._refusal)

    # --- credentials --------------------------------------------------------------------------------------------------

    def _learn(self, secrets: Secrets) -> None:
        """Look for these from now on, and in all that has come before they were known."""
        if any(known.cover(secrets) for known in self._secrets):
            return
        self._secrets.append(secrets)
        self._search_kept([entry for entry in (*self._entries, *self._rest) if entry.text is not None], [secrets])

    def _search(self, tape: Tape, where: str, parts: Iterable[bytes]) -> None:
        """Refuse if a credential is in the parts of an exchange."""
        problem = _problem(parts, self._secrets)
        if problem:
            self._refuse(f"the {where} of {self._name(tape.exchange)} {problem}")

    def _search_kept(self, entries: Iterable[Tape | _Kept], wanted: Sequence[Secrets]) -> None:
        """Refuse if a credential is in what has been written. What this recorder itself wrote, it takes out again."""
        for entry in entries if wanted else ():
            exchange = entry.exchange
            problem = _problem((*searched_in_request(exchange.request), *searched_in_response(exchange)), wanted)
            if not problem:
                continue
            found = f"{self._name(exchange)}, which was written to {self.path} before, {problem}"
            if isinstance(entry, Tape):
                entry.text = None
                self._refusal = f"{found} of another client, so it was taken out again; this recorder has stopped"
                self._write()
            else:
                self._refusal = f"{found}: delete that file, and record it anew; this recorder has stopped"
            return

    def _refuse(self, why: str) -> None:
        self._refusal = f"{why}, so it was not written to {self.path}; this recorder has stopped"

    def _name(self, exchange: Exchange) -> str:
        shown = str(exchange.request)
        return exchange.request.method if holds_credential([shown.encode()], self._secrets) else shown

    # --- the file -----------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write all that there is, and leave it for the next time where that fails."""
        self._unwritten = True
        if self._writing:
            return  # further up in this thread, which sees to it
        self._writing = True
        try:
            while self._unwritten:
                self._unwritten = False
                tapes = self._tapes()
                if not self._begun and not any(tape.exchange.response for tape in tapes) and self.path.exists():
                    return  # it may be a good one
                texts = [entry.text for entry in (*self._entries, *self._rest) if entry.text is not None]
                self._listed.update(texts)
                before, after = frame(self._by, self._transport(), empty=not texts)
                write_atomically(self.path, before.encode(), self._listed.data, after.encode())
                self._begun = True
                self.recorded = len(tapes)
        except OSError:
            self._unwritten = True
        except BaseException:
            self._unwritten = True
            raise
        finally:
            self._writing = False

    def _tapes(self) -> list[Tape]:
        """Those that are to be in the file."""
        return [entry for entry in self._entries if isinstance(entry, Tape) and entry.text is not None]

    def finish_all(self) -> None:
        """End the open tapes, and raise what could not be raised before.

        That is CredentialInCassette, or CassetteError for a file that could not be written, and for requests that are
        under way: their answers come too late for the file.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            open_still = [entry for entry in self._entries if isinstance(entry, Tape)]
            late = [self._name(tape.exchange) for tape in open_still if not tape.leave()]
            untold, self._untold = self._untold, None
            if self._refusal is None:
                untold = untold or self._last_try()
            if untold is None and late:
                untold = CassetteError(
                    f"{', '.join(late)}: still without an answer when the recorder was closed, and so not in"
                    f" {self.path}. Close it when all answers have come"
                )
        if untold is not None:
            raise untold

    def _last_try(self) -> CassetteError | None:
        """Write what is not written yet, and say what cannot be."""
        tapes = self._tapes()
        if tapes and self._unwritten:
            self._write()
        if not tapes or not self._unwritten:
            return None
        return CassetteError(
            f"{len(tapes) - self.recorded} of {len(tapes)} exchanges could not be written to {self.path}: check that"
            " its disk has room, and that its folder may be written to"
        )


def _problem(parts: Iterable[bytes], wanted: Sequence[Secrets]) -> str:
    """What is wrong with parts of an exchange, or nothing."""
    try:
        return "holds a credential" if holds_credential(parts, wanted) else ""
    except TooMuchPacked as error:
        return f"cannot be searched for credentials: {error}"


class Tape:
    """What is known of one exchange so far."""

    def __init__(self, reel: Reel, request: Request, secrets: Secrets) -> None:
        self.text: str | None = None
        self.searched_for = 0
        self.exchange = Exchange(request=redacted_request(recorded_request(request), reel.redact))
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
            self._end("complete", None)
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
        self._end(end, Failure.of(error, words))

    def leave(self) -> bool:
        """The program wants no more. Whether there is something to record: without a head, there is not."""
        if self._head is None and not self._ended:
            self.drop()
            return False
        self._end("abandoned", None)
        return True

    def _end(self, end: End, failure: Failure | None) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        response: RecordedResponse | None = None
        if self._head is not None:
            status, headers = self._head
            response = RecordedResponse(status=status, headers=headers, chunks=tuple(self._chunks), end=end)
        self.exchange = Exchange(request=self.exchange.request, response=response, failure=failure)
        self._reel.finish(self)
