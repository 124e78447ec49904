"""``Recorder``: a transport that passes everything on, and writes a cassette of it."""

from __future__ import annotations

import os
import threading
import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from chatproto.errors import LocalProtocolError, TimedOut, TransportError
from chatproto.transport import AsyncResponse, AsyncTransport, Response, Transport, find_transport
from chatproto.wire.http import Headers, Request

from .cassette import Cassette, Chunk, End, Exchange, Failure, RecordedResponse, lay_out, layout, write_atomically
from .errors import CassetteError, CredentialInCassette
from .redaction import kept_headers, recorded_request, without_host

if TYPE_CHECKING:
    from types import TracebackType

    from chatproto.transport import Secrets

__all__ = ["Recorder"]

_DEFAULT = {"open": "requests", "aopen": "aiohttp"}


class Recorder:
    """Sends through ``inner`` and records what passes; the program gets each chunk when it arrives.

    ``inner`` is a transport, the name of one, or None for what the client itself would use. A transport that was
    handed in is not closed.

    The file is written anew when an exchange ends, each time as a whole, so that a crash costs the open exchange at
    most; a recorder that sends nothing leaves the file alone. Failed exchanges are recorded with what had arrived.
    One that the program leaves early ends as ``abandoned``: when played, it gives the same chunks, and then
    ConnectionLost to a reader that wants more.

    What is written is on an allow-list, and is searched for the credentials of all requests that were sent. Where one
    occurs, CredentialInCassette is raised (before the request is sent, if it is in the request), nothing of that
    exchange is written, and the recorder takes no further requests.
    """

    def __init__(self, inner: Transport | AsyncTransport | str | None, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._inner = inner
        self._made: dict[str, Any] = {}
        self._tapes: list[_Tape] = []
        self._secrets: list[Secrets] = []
        self._refusal: str | None = None
        self._untold: Exception | None = None
        self._closed = False
        self._lock = threading.RLock()

    @property
    def needs_credential(self) -> bool:
        """Whether the inner transport needs one."""
        return bool(getattr(self._inner, "needs_credential", True))

    def open(self, request: Request, secrets: Secrets) -> _Taping:
        """Send through the inner transport, on entering. Raises CredentialInCassette too."""
        return _Taping(self, self._transport("open").open(request, secrets), request, secrets)

    def aopen(self, request: Request, secrets: Secrets) -> _AsyncTaping:
        """``open`` for asyncio."""
        return _AsyncTaping(self, self._transport("aopen").aopen(request, secrets), request, secrets)

    def sleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        self._transport("open").sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        await self._transport("aopen").asleep(seconds)

    def close(self) -> None:
        """Write exchanges that are open still, and close an inner transport that was given by name.

        Raises what could not be raised when it happened: a refusal, or an OSError, in ``discard``.
        """
        try:
            self._finish_all()
        finally:
            for transport in self._made.values():
                if hasattr(transport, "close"):
                    transport.close()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        try:
            self._finish_all()
        finally:
            for transport in self._made.values():
                if hasattr(transport, "aclose"):
                    await transport.aclose()
                else:
                    transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except (CassetteError, OSError):
            if error is None:
                raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except (CassetteError, OSError):
            if error is None:
                raise

    # --- the inner transport ----------------------------------------------------------------------------------------

    def _transport(self, role: Literal["open", "aopen"]) -> Any:
        inner: Any = self._inner
        if inner is None or isinstance(inner, str):
            name = inner or _DEFAULT[role]
            with self._lock:
                if name not in self._made:
                    self._made[name] = find_transport(name)
                inner = self._made[name]
        if not hasattr(inner, role):
            kind = "synchronous" if role == "open" else "asynchronous"
            raise LocalProtocolError(f"the recorded transport, {type(inner).__name__}, is not {kind}")
        return inner

    def _transport_name(self) -> str:
        if self._inner is None:
            return ", ".join(sorted(self._made))
        return self._inner if isinstance(self._inner, str) else type(self._inner).__name__

    # --- the tapes --------------------------------------------------------------------------------------------------

    def _begin(self, request: Request, secrets: Secrets) -> _Tape:
        with self._lock:
            if self._closed:
                raise LocalProtocolError("this recorder is closed")
            if self._refusal is not None:
                raise CredentialInCassette(self._refusal)
            if not any(known is secrets for known in self._secrets):
                self._secrets.append(secrets)
            tape = _Tape(self, request, secrets)
            # Before it is sent, so that a program learns of it before it pays for it.
            self._search(tape.exchange, request.content)
            self._tapes.append(tape)
            return tape

    def _drop(self, tape: _Tape) -> None:
        """Nothing came of this request: the program left before there was an answer."""
        with self._lock:
            self._tapes.remove(tape)

    def _finish(self, tape: _Tape) -> None:
        """Write the file with ``tape`` in it, or refuse."""
        with self._lock:
            if self._refusal is not None:
                raise CredentialInCassette(self._refusal)
            content = tape.exchange.response.content if tape.exchange.response is not None else b""
            tape.text = self._search(tape.exchange, content)
            self._write()

    def _search(self, exchange: Exchange, content: bytes) -> str:
        """The text of an exchange. Raises CredentialInCassette if a credential is in it or in its bytes."""
        text = layout(exchange.to_json(), 2)
        written = text.encode()
        if any(secrets.occurs_in(data) for secrets in self._secrets for data in (written, content)):
            where = "response" if exchange.response is not None else "request"
            self._refusal = (
                f"the {where} of {exchange.request} holds a credential, so it was not written to {self.path};"
                " this recorder has stopped"
            )
            raise CredentialInCassette(self._refusal)
        return text

    def _write(self) -> None:
        texts = [tape.text for tape in self._tapes if tape.text is not None]
        if texts:
            write_atomically(self.path, lay_out(Cassette().by, self._transport_name(), texts))

    def _finish_quietly(self, tape: _Tape) -> None:
        """``_finish`` where an exception would not reach the program."""
        try:
            self._finish(tape)
        except (CassetteError, OSError) as error:
            with self._lock:
                self._untold = self._untold or error

    def _finish_all(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for tape in list(self._tapes):
                tape.leave()
            untold, self._untold = self._untold, None
        if untold is not None:
            raise untold


class _Tape:
    """What is known of one exchange so far."""

    def __init__(self, recorder: Recorder, request: Request, secrets: Secrets) -> None:
        self.text: str | None = None
        self.exchange = Exchange(request=recorded_request(request))
        self._recorder = recorder
        self._request = request
        self._secrets = secrets
        self._last = time.monotonic()
        self._head: tuple[int, Headers] | None = None
        self._chunks: list[Chunk] = []
        self._ended = False
        self._lock = threading.Lock()

    def begin(self, status: int, headers: Headers) -> None:
        self._head = status, kept_headers(headers)

    def drop(self) -> None:
        self._ended = True
        self._recorder._drop(self)

    def take(self, data: bytes) -> bytes:
        """Note a chunk, or the end of the body, and hand it on."""
        if not data:
            if self._end("complete", None):
                self._recorder._finish(self)
        elif not self._ended:
            milliseconds = max(0, round((time.monotonic() - self._last) * 1000))
            self._last += milliseconds / 1000  # what is rounded off counts for the next
            self._chunks.append(Chunk(milliseconds, data))
        return data

    def fail(self, error: TransportError) -> None:
        words = without_host(error.problem, self._request, self._secrets)
        end: End = "reset" if "reset" in str(error).lower() else "truncated"
        if isinstance(error, TimedOut):
            end = "timeout"
        if self._end(end, Failure.of(error, words)):
            self._recorder._finish(self)

    def leave(self) -> None:
        """The program wants no more. Without a head there is nothing to record."""
        if self._head is None:
            self._ended = True
        elif self._end("abandoned", None):
            self._recorder._finish_quietly(self)

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


class _Taping:
    """The context manager of one recorded exchange."""

    def __init__(
        self, recorder: Recorder, opened: AbstractContextManager[Response], request: Request, secrets: Secrets
    ) -> None:
        self._recorder = recorder
        self._opened = opened
        self._request = request
        self._secrets = secrets
        self._tape: _Tape | None = None

    def __enter__(self) -> _TapedResponse:
        self._tape = tape = self._recorder._begin(self._request, self._secrets)
        try:
            response = self._opened.__enter__()
        except TransportError as error:
            failure = error
        except BaseException:
            tape.drop()
            raise
        else:
            tape.begin(response.status, response.headers)
            return _TapedResponse(response, tape)
        tape.fail(failure)
        raise failure

    def __exit__(self, *exception: Any) -> None:
        self._opened.__exit__(*exception)
        if self._tape is not None:
            self._tape.leave()


class _TapedResponse:
    def __init__(self, response: Response, tape: _Tape) -> None:
        self._response = response
        self._tape = tape
        self.status: int = response.status
        self.headers: Headers = response.headers

    def read(self) -> bytes:
        try:
            return self._tape.take(self._response.read())
        except TransportError as error:
            failure = error
        self._tape.fail(failure)
        raise failure

    def discard(self) -> None:
        self._response.discard()
        self._tape.leave()


class _AsyncTaping:
    """The same for asyncio."""

    def __init__(
        self,
        recorder: Recorder,
        opened: AbstractAsyncContextManager[AsyncResponse],
        request: Request,
        secrets: Secrets,
    ) -> None:
        self._recorder = recorder
        self._opened = opened
        self._request = request
        self._secrets = secrets
        self._tape: _Tape | None = None

    async def __aenter__(self) -> _AsyncTapedResponse:
        self._tape = tape = self._recorder._begin(self._request, self._secrets)
        try:
            response = await self._opened.__aenter__()
        except TransportError as error:
            failure = error
        except BaseException:
            tape.drop()
            raise
        else:
            tape.begin(response.status, response.headers)
            return _AsyncTapedResponse(response, tape)
        tape.fail(failure)
        raise failure

    async def __aexit__(self, *exception: Any) -> None:
        await self._opened.__aexit__(*exception)
        if self._tape is not None:
            self._tape.leave()


class _AsyncTapedResponse:
    def __init__(self, response: AsyncResponse, tape: _Tape) -> None:
        self._response = response
        self._tape = tape
        self.status: int = response.status
        self.headers: Headers = response.headers

    async def aread(self) -> bytes:
        try:
            return self._tape.take(await self._response.aread())
        except TransportError as error:
            failure = error
        self._tape.fail(failure)
        raise failure

    def discard(self) -> None:
        self._response.discard()
        self._tape.leave()
