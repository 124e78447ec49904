"""Cassettes for programs that use aiohttp: a connector whose connections end inside the program.

::

    async with aiohttp.ClientSession(connector=aiohttp_connector("chat.json")) as session:
        options = types.HttpOptions(aiohttp_client=session)
        client = genai.Client(api_key="any", http_options=options).aio

The session asks for URLs of Google's as ever, and no network is touched: what is at the other end of a connection is
the application that ``chatproto cassette serve`` runs, over a pipe in memory. TLS is left out, so a session's own
certificates are not looked at.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from chatproto.errors import MissingExtraError

try:
    import aiohttp
except ModuleNotFoundError as error:
    if error.name != "aiohttp":
        raise
    raise MissingExtraError(
        "this connector needs aiohttp, which is not installed: pip install 'chatproto[aiohttp]'", name="aiohttp"
    ) from None

from ..modes import use_cassette
from .application import application, new_runner
from .forwarding import Upstream
from .pipe import connect
from .takes import Takes

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable

    from aiohttp import web
    from aiohttp.client_proto import ResponseHandler

    from chatproto.transport import AsyncTransport

    from ..modes import Mode
    from ..redaction.bodies import Redaction
    from ..rules import Rule
    from .sources import Source

__all__ = ["CassetteConnector", "aiohttp_connector"]


def aiohttp_connector(
    path: str | os.PathLike[str],
    *,
    mode: Mode | str = "replay",
    inner: AsyncTransport | str = "aiohttp",
    pace: float = 0.0,
    match: Iterable[Rule] = (),
    redact: Iterable[Redaction] = (),
    in_order: bool = True,
) -> CassetteConnector:
    """A connector that plays the cassette at ``path``, or records it. To be called in the loop that uses it.

    The options are those of ``use_cassette``; the cassette is played by the rules of ``takes``, so
    that clients at once get a run each. In the modes that send requests, they go through ``inner`` to the hosts that
    the session asks for: of the program's own session, proxies and certificates are not used then.

    Raises what ``use_cassette`` raises.
    """
    if mode == "replay":
        return CassetteConnector(Takes(path, pace=pace, match=match, redact=redact, in_order=in_order))
    transport = use_cassette(path, mode=mode, inner=inner, pace=pace, match=match, redact=redact)
    return CassetteConnector(Upstream(transport))


class CassetteConnector(aiohttp.BaseConnector):
    """An aiohttp connector to a source of answers; ``aiohttp_connector`` makes it.

    A request that does not fit the cassette gets RequestMismatch itself, and no answer.

    Closing it, which closing its session does, raises what went wrong, unless an exception is on its way already: the
    first request that was refused (RequestMismatch), or UnplayedExchanges if nothing was asked for or a run was not
    played to its end. Where a library closes the session and swallows that, call ``verify`` in the test.
    """

    def __init__(self, source: Source) -> None:
        super().__init__(limit=0)
        self._source = source
        self._runners: dict[str, web.AppRunner] = {}
        self._setting_up = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<aiohttp connector: {self._source!r}>"

    @property
    def status(self) -> dict[str, Any]:
        """What has happened so far, as ``GET /`` of a server shows it."""
        return self._source.status()

    def verify(self) -> None:
        """Raise what closing raises: the first refusal, or UnplayedExchanges. Closing does not raise it again."""
        self._source.check()

    async def _create_connection(
        self,
        req: Any,
        traces: Any,
        timeout: Any,  # noqa: ASYNC109  (the signature is aiohttp's)
    ) -> ResponseHandler:
        runner = await self._runner(str(req.url.origin()))
        server = runner.server
        if self.closed or server is None:
            raise aiohttp.ClientConnectionError("this connector is closed")
        client = self._factory()
        connect(client, server(), self._loop)
        return client

    async def _runner(self, origin: str) -> web.AppRunner:
        """What answers for one server."""
        async with self._setting_up:
            if origin not in self._runners:
                runner = new_runner(application(self._source, upstream=origin, visible=origin))
                await runner.setup()
                self._runners[origin] = runner
            return self._runners[origin]

    def close(self, **options: Any) -> Awaitable[None]:
        """Close all connections. Awaiting what it returns raises what went wrong."""
        failing = sys.exc_info()[1] is not None  # that says more
        return _Closing(self._finish, super().close(**options), failing)

    async def _finish(self, connections: Awaitable[None], failing: bool) -> None:
        await connections
        runners, self._runners = self._runners, {}
        for runner in runners.values():
            await runner.cleanup()
        await self._source.aclose()
        if not failing:
            self._source.check()


class _Closing:
    """What ``close`` returns. It is no coroutine, because programs of aiohttp's older versions do not await it."""

    def __init__(
        self,
        finish: Callable[[Awaitable[None], bool], Coroutine[Any, Any, None]],
        connections: Awaitable[None],
        failing: bool,
    ) -> None:
        self._finish = finish
        self._connections = connections
        self._failing = failing

    def __await__(self) -> Generator[Any, Any, None]:
        return self._finish(self._connections, self._failing).__await__()
