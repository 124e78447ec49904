"""``Live``: the mode in which nothing is played and nothing recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from chatproto.errors import LocalProtocolError

from .inner import Inner

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from chatproto.transport import AsyncResponse, AsyncTransport, Response, Secrets, Transport
    from chatproto.wire.http import Request

__all__ = ["Live"]


class Live:
    """Passes everything on to ``inner``: a transport, the name of one, or None for what the client would use.

    It is there so that a test can be run against the server by an argument. A transport that was handed in is not
    closed.
    """

    mode = "live"
    path = ""
    played = 0
    recorded = 0
    left = 0

    def __init__(self, inner: Transport | AsyncTransport | str | None = None) -> None:
        self._inner = Inner(inner)
        self._closed = False

    @property
    def slept(self) -> list[float]:
        """Empty: waits are waited."""
        return []

    @property
    def needs_credential(self) -> bool:
        """Whether the inner transport needs one."""
        return self._inner.needs_credential

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Response]:
        """Send through the inner transport."""
        self._check_open()
        opened: AbstractContextManager[Response] = self._inner.of("open").open(request, secrets)
        return opened

    def aopen(self, request: Request, secrets: Secrets) -> AbstractAsyncContextManager[AsyncResponse]:
        """``open`` for asyncio."""
        self._check_open()
        opened: AbstractAsyncContextManager[AsyncResponse] = self._inner.of("aopen").aopen(request, secrets)
        return opened

    def sleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        self._inner.of("open").sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait as the inner transport does."""
        await self._inner.of("aopen").asleep(seconds)

    def close(self) -> None:
        """Close an inner transport that was given by name."""
        self._closed = True
        self._inner.close()

    async def aclose(self) -> None:
        """``close`` for asyncio."""
        self._closed = True
        await self._inner.aclose()

    def _check_open(self) -> None:
        if self._closed:
            raise LocalProtocolError("this transport is closed")

    def __repr__(self) -> str:
        return f"<Live: {self._inner.name or 'nothing sent yet'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
