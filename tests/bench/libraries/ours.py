"""chatproto, on each of its transports."""

from __future__ import annotations

from typing import Any

import chatproto
from chatproto import types
from chatproto.types._hooks import converter
from chatproto.wire.json_codec import decode

from .base import KEY
from .faced import AsyncFaced, Faced

__all__ = ["Aiohttp", "AsyncHttpx", "Httpx", "Requests"]


def _client(url: str, transport: str) -> Any:
    return chatproto.Client(api_key=KEY, http_options={"base_url": url, "api_version": "v1beta"}, transport=transport)


def _parse(body: bytes) -> object:
    """What a machine does with an answer that has come."""
    return converter("wire").structure(decode(body, what="the body"), types.GenerateContentResponse)


class Requests(Faced):
    """Through requests."""

    transport = "requests"

    def __init__(self, url: str) -> None:
        super().__init__(url, _client(url, self.transport), types)

    def parse(self, body: bytes) -> object:
        return _parse(body)


class Httpx(Requests):
    """Through httpx."""

    transport = "httpx"


class Aiohttp(AsyncFaced):
    """Through aiohttp."""

    transport = "aiohttp"

    def __init__(self, url: str) -> None:
        super().__init__(url, _client(url, self.transport), types)

    def parse(self, body: bytes) -> object:
        return _parse(body)


class AsyncHttpx(Aiohttp):
    """Through httpx, under asyncio."""

    transport = "httpx"
