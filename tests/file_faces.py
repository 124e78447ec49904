"""Files over every transport there is, sync and async, in one way of asking, without waiting between tries."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from chatproto import Client
from chatproto.files import AsyncFiles, Files
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_requests import RequestsTransport

__all__ = ["FACES", "KEY", "ask"]

KEY = "AIza-canary-0123456789"


class _Requests(RequestsTransport):
    def sleep(self, seconds: float) -> None:
        """Not at all."""


class _Httpx(HttpxTransport):
    def sleep(self, seconds: float) -> None:
        """Not at all."""

    async def asleep(self, seconds: float) -> None:
        """Not at all."""


class _Aiohttp(AiohttpTransport):
    async def asleep(self, seconds: float) -> None:
        """Not at all."""


#: What drives, and whether it is asyncio.
FACES: dict[str, tuple[Callable[[], Any], bool]] = {
    "requests": (_Requests, False),
    "httpx": (_Httpx, False),
    "aiohttp": (_Aiohttp, True),
    "httpx async": (_Httpx, True),
}


def ask(face: str, base_url: str, use: Callable[[Any], Any], **options: Any) -> Any:
    """What ``use(files)`` gives; awaited, where the face is asyncio's."""
    make, is_async = FACES[face]
    transport = make()
    client = Client(api_key=KEY, transport=transport, http_options={"base_url": base_url, **options})
    if not is_async:
        try:
            return use(Files(client._connector))
        finally:
            transport.close()

    async def run() -> Any:
        try:
            found = use(AsyncFiles(client._connector))
            return await found if inspect.isawaitable(found) else found
        finally:
            await transport.aclose()

    return asyncio.run(run())
