"""``Recorder``: a transport that passes everything on, and writes a cassette of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from chatproto.errors import TransportError

from .cassette import check_writable
from .errors import CassetteError
from .inner import Inner
from .redaction.bodies import checked
from .tapes import Reel, Tape

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from types import TracebackType

    from chatproto.transport import AsyncResponse, AsyncTransport, Response, Secrets, Transport
    from chatproto.wire.http import Headers, Request

    from .redaction.bodies import Redaction

__all__ = ["AsyncTaping", "Recorder", "Taping"]


class Recorder:
    """Sends through ``inner`` and records what passes; the program gets each chunk when it arrives.

    ``inner`` is a transport, the name of one, or None for what the client itself would use. A transport that was
    handed in is not closed.

    The file is written anew when an exchange ends, each time as a whole, so that a crash costs the open exchange at
    most; a recorder that sends nothing leaves the file alone. Failed exchanges are recorded with what had arrived; but
    those that come before any response do not replace a file that is there, so that a run without a network costs no
    good cassette. A response of this run replaces it, and they are written with that.
    One that the program leaves early ends as ``abandoned``: when played, it gives the same chunks, and then
    ConnectionLost to a reader that wants more.

    What is written is on an allow-list, goes through the rules of ``redact``, and is then searched for the credentials
    of all requests that were sent (``redaction.searching`` says how). Where one occurs, the exchange is not written,
    and the recorder takes no further requests. CredentialInCassette says so: before the request is sent, if
    it is in the request; else to the next request, or when the recorder is closed, because the answer is the program's
    and must not be lost. For the same reason a file that could not be written is tried again with the next exchange
    and when the recorder is closed, which raises CassetteError if it still cannot. So close it: ``with`` does.
    """

    mode = "record"
    played = 0
    left = 0

    def __init__(
        self,
        inner: Transport | AsyncTransport | str | None,
        path: str | os.PathLike[str],
        *,
        redact: Iterable[Redaction] = (),
    ) -> None:
        self.path = Path(path)
        check_writable(self.path)
        self._inner = Inner(inner)
        self.reel = Reel(self.path, lambda: self._inner.name, redact=checked(redact))

    @property
    def recorded(self) -> int:
        """How many exchanges are in the file that this recorder has put there."""
        return self.reel.recorded

    @property
    def slept(self) -> list[float]:
        """Empty: waits are waited."""
        return []

    @property
    def needs_credential(self) -> bool:
        """Whether the inner transport needs one."""
        return self._inner.needs_credential

    def open(self, request: Request, secrets: Secrets) -> Taping:
        """Send through the inner transport, on entering. Raises CredentialInCassette too."""
        return Taping(self.reel, self._transport("open").open(request, secrets), request, secrets)

    def aopen(self, request: Request, secrets: Secrets) -> AsyncTaping:
        """``open`` for asyncio."""
        return AsyncTaping(self.reel, self._transport("aopen").aopen(request, secrets), request, secrets)

    def sleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        self._transport("open").sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        await self._transport("aopen").asleep(seconds)

    def close(self) -> None:
        """Write exchanges that are open still, and close an inner transport that was given by name.

        Raises CredentialInCassette and CassetteError, unless they have been raised before. A request that has no answer
        yet is a CassetteError, too: the program may get the answer, but the file will not have it.
        """
        try:
            self.reel.finish_all()
        finally:
            self._inner.close()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        try:
            self.reel.finish_all()
        finally:
            await self._inner.aclose()

    def __repr__(self) -> str:
        return f"<Recorder {str(self.path)!r}: {self.recorded} recorded>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except CassetteError as problem:
            if error is None:
                raise
            error.add_note(f"The recording failed, too: {problem}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except CassetteError as problem:
            if error is None:
                raise
            error.add_note(f"The recording failed, too: {problem}")

    def _transport(self, role: Literal["open", "aopen"]) -> Any:
        self.reel.check_open()
        return self._inner.of(role)


class Taping:
    """The context manager of one recorded exchange."""

    def __init__(
        self, reel: Reel, opened: AbstractContextManager[Response], request: Request, secrets: Secrets
    ) -> None:
        self._reel = reel
        self._opened = opened
        self._request = request
        self._secrets = secrets
        self._tape: Tape | None = None

    def __enter__(self) -> _TapedResponse:
        self._tape = tape = self._reel.begin(self._request, self._secrets)
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

    def __exit__(self, *exception: object) -> None:
        self._opened.__exit__(None, None, None)
        if self._tape is not None:
            self._tape.leave()


class _TapedResponse:
    def __init__(self, response: Response, tape: Tape) -> None:
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


class AsyncTaping:
    """The same for asyncio."""

    def __init__(
        self,
        reel: Reel,
        opened: AbstractAsyncContextManager[AsyncResponse],
        request: Request,
        secrets: Secrets,
    ) -> None:
        self._reel = reel
        self._opened = opened
        self._request = request
        self._secrets = secrets
        self._tape: Tape | None = None

    async def __aenter__(self) -> _AsyncTapedResponse:
        self._tape = tape = self._reel.begin(self._request, self._secrets)
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

    async def __aexit__(self, *exception: object) -> None:
        await self._opened.__aexit__(None, None, None)
        if self._tape is not None:
            self._tape.leave()


class _AsyncTapedResponse:
    def __init__(self, response: AsyncResponse, tape: Tape) -> None:
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
