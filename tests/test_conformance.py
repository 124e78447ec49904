"""Every transport of this repository keeps the contract, and the suite that says so catches those that do not."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
import requests

from chatproto.errors import ChatProtoError, ConnectFailed, ConnectionLost, TransportError
from chatproto.testing.conformance import Mode, TransportConformance
from chatproto.testing.servers import CLOSE, head
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_replay import Recorder
from chatproto_requests import RequestsTransport


class TestRequests(TransportConformance):
    """requests, synchronous."""

    def transport(self) -> Any:
        return RequestsTransport()


class TestAiohttp(TransportConformance):
    """aiohttp, asynchronous."""

    def transport(self) -> Any:
        return AiohttpTransport()


class TestHttpx(TransportConformance):
    """httpx, synchronous and asynchronous."""

    def transport(self) -> Any:
        return HttpxTransport()


class TestHttpx2(TransportConformance):
    """httpx2, which a transport takes for its own clients where httpx is missing."""

    @pytest.fixture(autouse=True)
    def without_httpx(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Httpx is not looked for."""
        monkeypatch.setattr("chatproto_httpx.library._NAMES", ("httpx2",))

    def transport(self) -> Any:
        return HttpxTransport()


class TestRecorder(TransportConformance):
    """A wrapper: what goes through it is as it was."""

    folder = Path()

    @pytest.fixture(autouse=True)
    def somewhere_to_record(self, tmp_path: Path) -> None:
        """For the cassettes, which nobody reads."""
        self.folder = tmp_path

    def transport(self) -> Any:
        return Recorder("httpx", self.folder / "cassette.json")


# --- transports that break a rule, each in one way --------------------------------------------------------------------


class Broken:
    """A transport over requests whose responses are wrapped."""

    def __init__(self) -> None:
        self.inner: Any = RequestsTransport()

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        """The response, wrapped."""
        with self.inner.open(request, secrets) as response:
            yield self.wrapped(response)

    def wrapped(self, response: Any) -> Any:
        """What this one breaks, if it is in the response."""
        return response

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)

    def close(self) -> None:
        self.inner.close()


class Wrapped:
    """A response that does what the other does."""

    def __init__(self, response: Any) -> None:
        self.inner = response
        self.status = response.status
        self.headers = response.headers

    def read(self) -> bytes:
        return bytes(self.inner.read())

    def discard(self) -> None:
        self.inner.discard()


class Whole(Wrapped):
    """Reads the whole body before it hands anything out."""

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self._pieces = iter([b"".join(iter(response.read, b""))])

    def read(self) -> bytes:
        return next(self._pieces, b"")


class BuffersTheBody(Broken):
    """Reads the whole body before it hands anything out."""

    def wrapped(self, response: Any) -> Any:
        return Whole(response)


class Lines(Wrapped):
    """Waits for a whole line, as a line reader does."""

    def read(self) -> bytes:
        data = self.inner.read()
        while data and not data.endswith(b"\n"):
            more = self.inner.read()
            if not more:
                break
            data += more
        return bytes(data)


class JoinsPieces(Broken):
    """Waits for a whole line, as a line reader does."""

    def wrapped(self, response: Any) -> Any:
        return Lines(response)


class Short(Wrapped):
    """Takes the end of the connection for the end of the body."""

    def read(self) -> bytes:
        try:
            return super().read()
        except ConnectionLost:
            return b""


class SwallowsTruncation(Broken):
    """Takes the end of the connection for the end of the body."""

    def wrapped(self, response: Any) -> Any:
        return Short(response)


class Kept(Wrapped):
    """Leaves the connection to the garbage collector."""

    def discard(self) -> None:
        pass


class NeverDiscards(Broken):
    """Leaves the connection to the garbage collector."""

    def wrapped(self, response: Any) -> Any:
        return Kept(response)


class Drained(Wrapped):
    """Reads the rest of the body to get rid of it, as keep-alive would have it."""

    def discard(self) -> None:
        with suppress(TransportError):
            while self.inner.read():
                pass


class DrainsToDiscard(Broken):
    """Reads the rest of the body to get rid of it, as keep-alive would have it."""

    def wrapped(self, response: Any) -> Any:
        return Drained(response)


class RaisesForStatus(Broken):
    """Decides what is an error."""

    def wrapped(self, response: Any) -> Any:
        if response.status >= 400:
            raise TransportError(f"status {response.status}")
        return response


class CapitalHeaders(Broken):
    """Spells headers as the server did."""

    def wrapped(self, response: Any) -> Any:
        wrapped = Wrapped(response)
        wrapped.headers = tuple((name.title(), value) for name, value in response.headers)
        return wrapped


class ForgetsToClose(Broken):
    """Does nothing on close."""

    def close(self) -> None:
        pass


class OneAtATime(Broken):
    """Has one connection, and a lock around it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        with self._lock, self.inner.open(request, secrets) as response:
            yield response


class ByRequests(Broken):
    """Lets requests do as it does: what most would write first."""

    follows = True

    def __init__(self) -> None:
        super().__init__()
        self.session = requests.Session()

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        headers = dict(secrets.headers_for(request))
        with self.session.request(
            request.method,
            request.url,
            headers=headers,
            data=request.content,
            stream=True,
            allow_redirects=self.follows,
        ) as response:
            pieces = response.iter_content(None)
            wrapped: Any = response
            wrapped.status, wrapped.read, wrapped.discard = (
                response.status_code,
                lambda: next(pieces, b""),
                response.close,
            )
            yield wrapped

    def close(self) -> None:
        self.session.close()
        self.inner.close()


class TakesSecretsAlong(ByRequests):
    """Follows redirects with the headers of the first request."""


class FollowsNothing(ByRequests):
    """Leaves redirects to the program."""

    follows = False


class LeaksInErrors(ByRequests):
    """Raises an error from the library's own, which holds the request."""

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        try:
            with super().open(request, secrets) as response:
                yield response
        except requests.RequestException as error:
            raise ConnectFailed(f"with {error.request.headers if error.request else None}") from error


class LogsHeaders(Broken):
    """Logs what it sends."""

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        logging.getLogger("broken").debug("sending %s", secrets.headers_for(request))
        with self.inner.open(request, secrets) as response:
            yield response


class NoTimeout(Broken):
    """Forgets the timeout."""

    @contextmanager
    def open(self, request: Request, secrets: Secrets) -> Iterator[Any]:
        with self.inner.open(attrs.evolve(request, timeout=None), secrets) as response:
            yield response


class BrokenAsync:
    """An asynchronous transport over aiohttp, whose parts are replaced."""

    def __init__(self) -> None:
        self.inner = AiohttpTransport()

    def aopen(self, request: Request, secrets: Secrets) -> Any:
        return self.inner.aopen(request, secrets)

    async def asleep(self, seconds: float) -> None:
        await self.inner.asleep(seconds)

    async def aclose(self) -> None:
        await self.inner.aclose()


class StopsTheLoop(BrokenAsync):
    """Calls a synchronous library from a coroutine."""

    @asynccontextmanager
    async def aopen(self, request: Request, secrets: Secrets) -> AsyncIterator[Any]:
        with RequestsTransport() as transport, transport.open(request, secrets) as response:
            wrapped: Any = Wrapped(response)

            async def aread() -> bytes:
                return response.read()

            wrapped.aread = aread
            yield wrapped


class OneSessionForAllLoops(BrokenAsync):
    """Makes a session in the first loop and goes on with it in the next."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Any = None

    def aopen(self, request: Request, secrets: Secrets) -> Any:
        if self.session is None:
            self.session = aiohttp.ClientSession()
            self.inner = AiohttpTransport(self.session)
        return self.inner.aopen(request, secrets)

    async def aclose(self) -> None:
        if self.session is not None:
            await self.session.close()


class SwallowsCancelling(BrokenAsync):
    """Takes the cancellation of a task for the end of the body."""

    @asynccontextmanager
    async def aopen(self, request: Request, secrets: Secrets) -> AsyncIterator[Any]:
        async with self.inner.aopen(request, secrets) as response:
            wrapped: Any = Wrapped(response)

            async def aread() -> bytes:
                try:
                    return await response.aread()
                except asyncio.CancelledError:
                    return b""

            wrapped.aread = aread
            yield wrapped


BROKEN: list[tuple[Any, str, tuple[Any, ...]]] = [
    (BuffersTheBody, "test_pieces_come_as_they_arrive", ("chunked",)),
    (BuffersTheBody, "test_the_head_does_not_wait_for_the_body", ()),
    (JoinsPieces, "test_pieces_come_as_they_arrive", ("content-length",)),
    (JoinsPieces, "test_half_a_chunk_is_not_waited_for", ()),
    (
        SwallowsTruncation,
        "test_a_body_that_is_cut_is_no_short_body",
        ([head(content_length=9), b"data: 1", 0.1, CLOSE],),
    ),
    (NeverDiscards, "test_discard", ()),
    (DrainsToDiscard, "test_discard", ()),
    (RaisesForStatus, "test_every_status_is_a_response", ()),
    (CapitalHeaders, "test_response_headers", ()),
    (ForgetsToClose, "test_closing", ()),
    (OneAtATime, "test_many_at_once", ()),
    (TakesSecretsAlong, "test_redirects_take_no_secrets_along", ()),
    (FollowsNothing, "test_redirects_are_followed", (307, "POST")),
    (LeaksInErrors, "test_no_connection", ()),
    (LogsHeaders, "test_nothing_shows_the_secrets", ()),
    (NoTimeout, "test_timeouts", ()),
    (StopsTheLoop, "test_waiting_does_not_stop_the_loop", ()),
    (OneSessionForAllLoops, "test_several_loops", ()),
    (SwallowsCancelling, "test_cancelling", ()),
]


@pytest.mark.parametrize(("transport", "check", "arguments"), BROKEN, ids=lambda each: getattr(each, "__name__", None))
def test_a_broken_transport_fails_the_check_that_is_for_it(
    transport: Any, check: str, arguments: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suite is no rubber stamp: what is wrong is found by the check whose rule it breaks, and is said."""
    monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)  # a log keeps tracebacks, and so sessions
    suite = suite_of(transport)
    (mode,) = suite.modes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((AssertionError, ChatProtoError, RuntimeError)) as failed:
            run(suite, mode, check, *arguments)
        assert str(failed.value)
        del failed
        gc.collect()  # of what it left open, Python warns here, where it is known


def suite_of(transport: Any) -> TransportConformance:
    """The suite for a class of transports."""

    class Suite(TransportConformance):
        def transport(self) -> Any:
            return transport()

    return Suite()


def run(suite: TransportConformance, mode: Mode, check: str, *arguments: Any) -> None:
    """One check, outside of pytest's collection."""
    function = getattr(suite, check)
    if "caller" in inspect.signature(function).parameters:
        with suite.calling(mode) as caller:
            function(caller, *arguments)
    else:
        function(mode)
