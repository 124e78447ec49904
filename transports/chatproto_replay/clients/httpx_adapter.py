"""Cassettes for programs that talk through httpx or httpx2: a transport of that library, which plays or records.

::

    with httpx_transport("chat.json") as transport:
        client = genai.Client(
            api_key="any",
            http_options=types.HttpOptions(
                httpx_client=httpx.Client(transport=transport),
                httpx_async_client=httpx.AsyncClient(transport=transport),
            ),
        )

    OpenAI(http_client=httpx2.Client(transport=httpx2_transport("chat.json")), ...)

The cassettes are those of ``Player`` and ``Recorder``: whatever recorded one, it plays here, and the other way round.
httpx2 is another library of the same shape; each takes transports and gives responses of its own classes, so each has
a function of its own here. Neither is imported before its function is called.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, cast

from chatproto.errors import ConnectFailed, ConnectionLost, MissingExtraError, TimedOut, TransportError, ValidationError

from ..errors import CassetteError, UnplayedExchanges
from ..inner import named
from ..modes import use_cassette
from .foreign import ForeignRequests

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterable, Iterator
    from types import TracebackType

    import httpx
    import httpx2

    from chatproto.transport import AsyncTransport, Secrets, Transport
    from chatproto.wire.http import Request

    from ..modes import Mode
    from ..redaction.bodies import Redaction
    from ..rules import Rule

__all__ = ["Adapter", "as_httpx2_transport", "as_httpx_transport", "httpx2_transport", "httpx_transport"]


def httpx_transport(
    path: str | os.PathLike[str],
    *,
    mode: Mode | str = "replay",
    inner: Transport | AsyncTransport | str | None = "httpx",
    match: Iterable[Rule] = (),
    redact: Iterable[Redaction] = (),
    pace: float = 0.0,
    in_order: bool = True,
) -> HttpxAdapter:
    """A transport for ``httpx.Client``, and for ``httpx.AsyncClient`` too, over the cassette at ``path``.

    The options are those of ``use_cassette``. Where requests are sent, they go through ``inner``, which is by default a
    client of httpx with nothing of the program's own; ``inner=HttpxTransport(client)`` of chatproto_httpx sends through
    a client with the program's proxies and certificates. An answer streams while it is recorded.

    Closing the program's client closes this, as httpx has it, and so raises UnplayedExchanges where some of the
    cassette was not asked for. Inside a ``with`` block of its own it stays open until the block ends, so that several
    clients can share it. A request that did not fit the cassette is an error of the program there and then, and is
    raised once more on closing: there are programs that take any exception for a lost connection.

    The program gets the errors of its own library: a recorded failure is raised as it was if httpx recorded it, else
    as ConnectError, ReadTimeout, ReadError or RemoteProtocolError.

    The waits of a program that sleeps by itself are waited.

    A known limit: forms with files (``files=``) are recorded, but do not play. The client separates their parts with a
    boundary that it draws anew for each request, so that no two of them have the same body.
    """
    cassette = use_cassette(path, mode=mode, inner=inner, match=match, redact=redact, pace=pace, in_order=in_order)
    return cast("HttpxAdapter", _adapter("httpx", cassette, owned=True))


def httpx2_transport(
    path: str | os.PathLike[str],
    *,
    mode: Mode | str = "replay",
    inner: Transport | AsyncTransport | str | None = "httpx",
    match: Iterable[Rule] = (),
    redact: Iterable[Redaction] = (),
    pace: float = 0.0,
    in_order: bool = True,
) -> Httpx2Adapter:
    """``httpx_transport`` for the clients of httpx2."""
    cassette = use_cassette(path, mode=mode, inner=inner, match=match, redact=redact, pace=pace, in_order=in_order)
    return cast("Httpx2Adapter", _adapter("httpx2", cassette, owned=True))


def as_httpx_transport(transport: Transport | AsyncTransport) -> HttpxAdapter:
    """Any transport of chatproto as one of httpx: a ``Player``, or one with faults. It is not closed with a client."""
    return cast("HttpxAdapter", _adapter("httpx", transport, owned=False))


def as_httpx2_transport(transport: Transport | AsyncTransport) -> Httpx2Adapter:
    """``as_httpx_transport`` for the clients of httpx2."""
    return cast("Httpx2Adapter", _adapter("httpx2", transport, owned=False))


class Adapter:
    """What both libraries' transports do. ``transport`` is the one of chatproto that answers."""

    _library: Any = None  # the module, httpx or httpx2

    def __init__(self, transport: Any, *, owned: bool) -> None:
        self.transport = transport
        self._owned = owned
        self._blocks = 0  # ``with`` blocks that have been entered and not left
        self._refusal: CassetteError | None = None
        self._requests = ForeignRequests()

    # --- sync ---

    def handle_request(self, request: Any) -> Any:
        """Answer a request of the library's client. Raises its errors, and CassetteError as it is."""
        asked, secrets = self._asked(request, request.read())
        try:
            opened = self.transport.open(asked, secrets)
            response = opened.__enter__()
        except (TransportError, ValidationError) as error:
            failure = self.mapped(error, request)
        except CassetteError as error:
            self.refused(error)
            raise
        else:
            body = _classes(self._library)[1](self, request, opened, response)
            return _response(self._library, request, response, body)
        raise failure

    def close(self) -> None:
        """Close what was made here, unless a ``with`` block holds it. Raises CassetteError: see ``httpx_transport``."""
        if self._owned and not self._blocks:
            try:
                self.transport.close()
            except CassetteError as error:
                self.refused(error)
            self._complain()

    def __repr__(self) -> str:
        return f"<{self._library.__name__} transport: {named(self.transport)}>"

    def __enter__(self) -> Self:
        self._blocks += 1
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._blocks -= 1
        try:
            self.close()
        except CassetteError as problem:
            if exc_value is None:
                raise
            _note(exc_value, problem, traceback)

    # --- async ---

    async def handle_async_request(self, request: Any) -> Any:
        """``handle_request`` for asyncio."""
        asked, secrets = self._asked(request, await request.aread())
        try:
            opened = self.transport.aopen(asked, secrets)
            response = await opened.__aenter__()
        except (TransportError, ValidationError) as error:
            failure = self.mapped(error, request)
        except CassetteError as error:
            self.refused(error)
            raise
        else:
            body = _classes(self._library)[2](self, request, opened, response)
            return _response(self._library, request, response, body)
        raise failure

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        if self._owned and not self._blocks:
            try:
                await self.transport.aclose()
            except CassetteError as error:
                self.refused(error)
            self._complain()

    async def __aenter__(self) -> Self:
        self._blocks += 1
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._blocks -= 1
        try:
            await self.aclose()
        except CassetteError as problem:
            if exc_value is None:
                raise
            _note(exc_value, problem, traceback)

    # --- both ---

    def refused(self, error: CassetteError) -> None:
        """Keep the first error of the cassette: the others follow from it."""
        self._refusal = self._refusal or error

    def _complain(self) -> None:
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)

    def _asked(self, request: Any, content: bytes) -> tuple[Request, Secrets]:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        timeouts: dict[str, float | None] = request.extensions.get("timeout") or {}
        return self._requests.read(
            method=request.method,
            url=str(request.url.copy_with(userinfo=b"", fragment=None)),  # the client has made a header of the user
            headers=fields,
            content=content,
            timeout=timeouts.get("read"),
        )

    def mapped(self, error: TransportError | ValidationError, request: Any) -> Exception:
        """The library's own error for one of chatproto's, by the name that it had when it was recorded if it fits."""
        library = self._library
        if isinstance(error, ValidationError):  # a request that cannot be sent
            return cast("Exception", library.LocalProtocolError(str(error), request=request))
        names: tuple[str, ...]
        match error:
            case ConnectFailed():
                names = "ConnectError", "ProxyError"
            case TimedOut():
                names = "ReadTimeout", "ConnectTimeout", "WriteTimeout", "PoolTimeout"
            case ConnectionLost() if "reset" in str(error).lower():
                names = "ReadError", "WriteError", "CloseError", "RemoteProtocolError"
            case ConnectionLost():
                names = "RemoteProtocolError", "ReadError", "WriteError", "CloseError"
            case _:
                names = "TransportError", "DecodingError"
        name = error.cause if error.cause in names else names[0]
        return cast("Exception", getattr(library, name)(error.problem, request=request))


def _note(passing: BaseException, problem: CassetteError, traceback: TracebackType | None) -> None:
    """Tell of a problem with the exception that a block ends with; it says enough of what is left unplayed."""
    if passing is problem:
        passing.__traceback__ = traceback  # which closing took off
    elif not isinstance(problem, UnplayedExchanges):
        passing.add_note(f"Before that, the cassette's transport failed: {problem}")


if TYPE_CHECKING:

    class HttpxAdapter(Adapter, httpx.BaseTransport, httpx.AsyncBaseTransport):
        """What ``httpx_transport`` gives: a transport for both kinds of httpx's clients."""

    class Httpx2Adapter(Adapter, httpx2.BaseTransport, httpx2.AsyncBaseTransport):
        """What ``httpx2_transport`` gives."""


# --- responses ----------------------------------------------------------------------------------------------------

#: Headers that say how a body came over the wire; it is decoded by now.
_OF_THE_WIRE = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})


def _response(library: Any, request: Any, response: Any, body: Any) -> Any:
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in response.headers
        if name not in _OF_THE_WIRE
    ]
    extensions = {"http_version": b"HTTP/1.1"}
    return library.Response(response.status, headers=headers, stream=body, extensions=extensions, request=request)


class _Body:
    """A body for the library, piece by piece as it arrives."""

    def __init__(self, adapter: Adapter, request: Any, opened: Any, response: Any) -> None:
        self._adapter = adapter
        self._request = request
        self._opened = opened
        self._response = response
        self._ended = False
        self._left = False

    def _failure(self, error: TransportError | CassetteError) -> Exception:
        if isinstance(error, TransportError):
            return self._adapter.mapped(error, self._request)
        self._adapter.refused(error)
        return error


class _SyncBody(_Body):
    def __iter__(self) -> Iterator[bytes]:
        while not self._ended:
            try:
                data = self._response.read()
            except (TransportError, CassetteError) as error:
                failure = self._failure(error)
            else:
                self._ended = not data
                if data:
                    yield data
                continue
            raise failure

    def close(self) -> None:
        if self._left:
            return
        self._left = True
        if self._ended:
            self._opened.__exit__(None, None, None)
        else:
            self._response.discard()


class _AsyncBody(_Body):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._ended:
            try:
                data = await self._response.aread()
            except (TransportError, CassetteError) as error:
                failure = self._failure(error)
            else:
                self._ended = not data
                if data:
                    yield data
                continue
            raise failure

    async def aclose(self) -> None:
        if not self._left:
            self._left = True
            await self._opened.__aexit__(None, None, None)


@cache
def _classes(library: Any) -> tuple[type, type, type]:
    """The transport and the two bodies as the library wants them: as subclasses of its own."""
    transport = type("Adapter", (Adapter, library.BaseTransport, library.AsyncBaseTransport), {"_library": library})
    body = type("SyncBody", (_SyncBody, library.SyncByteStream), {})
    return transport, body, type("AsyncBody", (_AsyncBody, library.AsyncByteStream), {})


def _adapter(name: str, transport: Any, *, owned: bool) -> Any:
    if find_spec(name) is None:
        raise MissingExtraError(f"this transport is for {name}, which is not installed: pip install {name}", name=name)
    return _classes(import_module(name))[0](transport, owned=owned)
