"""Every way in which a program can send over a socket, sync and async, under one face."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from chatproto.testing.checks.callers import AsyncCaller, Caller, SyncCaller
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_requests import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ALL_SENDERS", "sending"]

_CLIENTS: dict[str, Callable[[], Any]] = {
    "httpx": httpx.Client,
    "httpx2": httpx2.Client,
    "async httpx": httpx.AsyncClient,
    "async httpx2": httpx2.AsyncClient,
}

#: Runs a test once for each of them, by name.
ALL_SENDERS = pytest.mark.parametrize("sender", ["requests", "aiohttp", *_CLIENTS])


@contextmanager
def sending(name: str, wrap: Callable[[Any], Any]) -> Iterator[Caller]:
    """A program that sends through the transport of this name, wrapped. All is closed at the end but the wrapper."""
    client = _CLIENTS[name]() if name in _CLIENTS else None
    transports: dict[str, Callable[[], Any]] = {"requests": RequestsTransport, "aiohttp": AiohttpTransport}
    made: list[Any] = []

    def make() -> Any:
        made.append(transports[name]() if client is None else HttpxTransport(client))
        return wrap(made[0])

    asynchronous = name == "aiohttp" or name.startswith("async")
    caller: Caller = AsyncCaller(make) if asynchronous else SyncCaller(make)
    try:
        yield caller
    finally:
        caller.transport = made[0]
        caller.close()
        if isinstance(caller, AsyncCaller) and client is not None:
            caller.run(client.aclose)
        elif client is not None:
            client.close()
        caller.finish()
