"""Cassettes over HTTP: ``run`` is the command ``chatproto cassette serve``, ``Served`` the same inside a program.

Any client that can be told another base URL plays them: google-genai reads ``GOOGLE_GEMINI_BASE_URL``. In the other
modes of ``use_cassette`` the server is a proxy that records: a program in any language is recorded without a change.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from chatproto.errors import ChatProtoError, LocalProtocolError, ValidationError

from ..errors import CassetteError
from ..modes import use_cassette
from .forwarding import GOOGLE, Upstream, check_upstream
from .takes import Takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from aiohttp import web

    from ..modes import Mode
    from ..redaction.bodies import Redaction
    from ..rules import Rule
    from .sources import Source

__all__ = ["GOOGLE", "Served", "run"]


def run(
    path: str | os.PathLike[str],
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    pace: float = 0.0,
    mode: Mode | str = "replay",
    upstream: str = GOOGLE,
    announce: Callable[[str], None],
    match: Iterable[Rule] = (),
    redact: Iterable[Redaction] = (),
    in_order: bool = True,
) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns the exit status: 1 if a request was refused, else 0.

    ``path`` is a cassette, or with ``replay`` a folder of them. ``port`` 0 is a free one. ``announce`` gets the URL,
    once the server listens. Refusals, and a summary in the end, go to standard error. The other arguments are those of
    ``use_cassette``; how several clients are told apart, ``chatproto_replay.serving.takes`` says.

    Raises ValidationError where it cannot listen or an argument makes no sense, and what ``use_cassette`` raises.
    """
    source = _source(path, mode=mode, upstream=upstream, pace=pace, match=match, redact=redact, in_order=in_order)
    source.tell = _tell
    source.by_command = True
    listening = _Listening(source, host=host, port=port, upstream=_origin(mode, upstream))

    async def serve() -> None:
        with _Signals() as signals:  # from before anyone can know of the server
            url = await listening.start()
            try:
                announce(url)
                await signals.wait()
            finally:
                await listening.stop()
                await _close(source)

    with suppress(KeyboardInterrupt):  # where signals cannot be waited for
        asyncio.run(serve())
    _tell(source.summary())
    return 1 if source.refused else 0


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


async def _close(source: Source) -> None:
    try:
        await source.aclose()
    except (CassetteError, OSError) as error:
        source.refuse(error, str(error))


class Served:
    """A server in a thread, on a free port of 127.0.0.1, until ``close`` or the end of the ``with`` block.

    ::

        with Served("chat.json") as served:
            client = genai.Client(api_key="any", http_options={"base_url": served.url})

    The arguments are those of ``run``; it listens once it is made. ``close`` raises what went wrong: the first request
    that was refused (RequestMismatch), or UnplayedExchanges if nothing was asked for or a run was not played to its
    end. Leaving the block by an exception lets that one pass, with a note of what was refused.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: Mode | str = "replay",
        upstream: str = GOOGLE,
        pace: float = 0.0,
        match: Iterable[Rule] = (),
        redact: Iterable[Redaction] = (),
        in_order: bool = True,
    ) -> None:
        self.path = os.fspath(path)
        self._source = _source(
            path, mode=mode, upstream=upstream, pace=pace, match=match, redact=redact, in_order=in_order
        )
        self._listening = _Listening(self._source, host="127.0.0.1", port=0, upstream=_origin(mode, upstream))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="chatproto replay server", daemon=True)
        self._closed = False
        self._thread.start()
        try:
            self.url = asyncio.run_coroutine_threadsafe(self._listening.start(), self._loop).result()
        except BaseException:
            self._end_thread()
            raise

    @property
    def mode(self) -> str:
        """How it answers."""
        return self._source.mode

    @property
    def status(self) -> dict[str, object]:
        """What has happened so far, as ``GET /`` shows it."""
        return self._source.status()

    @property
    def refused(self) -> int:
        """How many requests were refused."""
        return self._source.refused

    def close(self) -> None:
        """Stop listening, cut what is under way, and raise what went wrong. Only the first call does anything."""
        if self._closed:
            return
        self._closed = True
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        finally:
            self._end_thread()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _stop(self) -> None:
        await self._listening.stop()
        await self._source.aclose()
        self._source.check()

    def _end_thread(self) -> None:
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __repr__(self) -> str:
        return f"<Served {'closed' if self._closed else f'at {self.url}'}: {self._source!r}>"

    def __enter__(self) -> Self:
        if self._closed:
            raise LocalProtocolError("this server is closed")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except (ChatProtoError, OSError) as other:
            if error is None:
                raise
            if self._source.refused:
                error.add_note(f"The replay server refused a request: {other}")


def _source(
    path: str | os.PathLike[str],
    *,
    mode: Mode | str,
    upstream: str,
    pace: float,
    match: Iterable[Rule],
    redact: Iterable[Redaction],
    in_order: bool,
) -> Source:
    if mode == "replay":
        return Takes(path, pace=pace, match=match, redact=redact, in_order=in_order)
    check_upstream(upstream)
    return Upstream(use_cassette(path, mode=mode, inner="aiohttp", pace=pace, match=match, redact=redact))


def _origin(mode: str, upstream: str) -> str | None:
    return None if mode == "replay" else check_upstream(upstream)


class _Listening:
    """The application of a source, on a port."""

    def __init__(self, source: Source, *, host: str, port: int, upstream: str | None) -> None:
        from .application import application, new_runner

        self._host = host
        self._port = port
        self._make: Callable[[], web.AppRunner] = lambda: new_runner(application(source, upstream=upstream))

    async def start(self) -> str:
        """Listen, and return the URL. Raises ValidationError."""
        from aiohttp import web

        self._runner = self._make()
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ValidationError(f"port: cannot listen on {self._host}:{self._port}: {reason}") from None
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more, and end what is under way."""
        await self._runner.cleanup()


class _Signals:
    """Waits for Ctrl-C or SIGTERM, where a thread can know of them."""

    def __enter__(self) -> Self:
        self._came = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._watched: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not in the main thread
                loop.add_signal_handler(number, self._came.set)
                self._watched.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._watched:
            loop.remove_signal_handler(number)

    async def wait(self) -> None:
        """Wait for the first."""
        await self._came.wait()
