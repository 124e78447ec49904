"""``Watched``: the transport that a test gets. It opens late, can be exchanged, and tells what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["Watched"]


class Watched:
    """Passes everything on to ``current``, which ``make`` gives when it is first wanted.

    ``refused`` is called with each error of the cassette that comes out of it: a program may take it for a lost
    connection, and a test must not pass over that. What ``current`` has besides (``played``, ``slept``, ``struck``) can
    be asked of this too. Closing is for whoever made it: a program that closes it changes nothing.
    """

    def __init__(
        self, make: Callable[[], Any], *, needs_credential: bool, refused: Callable[[CassetteError], None]
    ) -> None:
        self.needs_credential = needs_credential
        self.refused = refused
        self._make = make
        self._current: Any = None

    @property
    def opened(self) -> bool:
        """Whether there is a transport yet."""
        return self._current is not None

    @property
    def current(self) -> Any:
        """The transport that answers now."""
        if self._current is None:
            self._current = self._make()
        return self._current

    def change(self, transport: Any) -> None:
        """Answer with another transport from now on."""
        self._current = transport

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.current, name)

    def open(self, request: Request, secrets: Secrets) -> _Watching:
        """Answer through ``current``, on entering."""
        return _Watching(self, lambda: self.current.open(request, secrets))

    def aopen(self, request: Request, secrets: Secrets) -> _Watching:
        """``open`` for asyncio."""
        return _Watching(self, lambda: self.current.aopen(request, secrets))

    def sleep(self, seconds: float) -> None:
        """Wait as ``current`` does."""
        self.current.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait as ``current`` does."""
        await self.current.asleep(seconds)

    def close(self) -> None:
        """Nothing: the test closes it when it is over."""

    async def aclose(self) -> None:
        """``close`` for asyncio."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


class _Watching:
    """The context manager of one response, sync and async."""

    def __init__(self, watched: Watched, opening: Callable[[], Any]) -> None:
        self._watched = watched
        self._opening = opening
        self._opened: Any = None

    def __enter__(self) -> _WatchedResponse:
        try:
            opened = self._opening()
            response = opened.__enter__()
        except CassetteError as error:
            self._watched.refused(error)
            raise
        self._opened = opened
        return _WatchedResponse(self._watched, response)

    def __exit__(self, *exception: object) -> None:
        if self._opened is not None:
            self._opened.__exit__(*exception)

    async def __aenter__(self) -> _WatchedResponse:
        try:
            opened = self._opening()
            response = await opened.__aenter__()
        except CassetteError as error:
            self._watched.refused(error)
            raise
        self._opened = opened
        return _WatchedResponse(self._watched, response)

    async def __aexit__(self, *exception: object) -> None:
        if self._opened is not None:
            await self._opened.__aexit__(*exception)


class _WatchedResponse:
    def __init__(self, watched: Watched, response: Any) -> None:
        self.status: int = response.status
        self.headers: Headers = response.headers
        self._watched = watched
        self._response = response

    def read(self) -> bytes:
        try:
            data: bytes = self._response.read()
        except CassetteError as error:
            self._watched.refused(error)
            raise
        return data

    async def aread(self) -> bytes:
        try:
            data: bytes = await self._response.aread()
        except CassetteError as error:
            self._watched.refused(error)
            raise
        return data

    def discard(self) -> None:
        self._response.discard()
