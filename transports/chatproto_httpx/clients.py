"""The transport's own clients, and how the connections of an asynchronous one are closed without its loop."""

from __future__ import annotations

import threading
import weakref
from functools import partial
from typing import Any

from chatproto.loops import PerLoop, close_now

from .library import installed

__all__ = ["OwnClients", "close_stream_now"]

IDLE_CONNECTIONS = 100


class OwnClients:
    """Clients of the installed library: one for all threads, and one for each event loop. None before it is needed."""

    def __init__(self) -> None:
        maker = _Maker()
        self._lock = threading.Lock()
        self._make = partial(maker.make, "Client")
        self._client: Any = None
        self._unclosed: weakref.finalize[[], OwnClients] | None = None
        self._per_loop: PerLoop[Any] = PerLoop(
            make=partial(maker.make, "AsyncClient"), close=lambda client: client.aclose(), drop=_drop
        )

    def sync_client(self) -> Any:
        """The client for threads."""
        with self._lock:
            if self._client is None:
                self._client = self._make()
                self._unclosed = weakref.finalize(self, self._client.close)
            return self._client

    async def async_client(self) -> Any:
        """The client of the running loop."""
        return self._per_loop.get()

    def close(self) -> None:
        """Close the client for threads."""
        with self._lock:
            unclosed, self._unclosed, self._client = self._unclosed, None, None
        if unclosed is not None:
            unclosed()

    async def aclose(self) -> None:
        """Close those of the loops."""
        await self._per_loop.aclose()


class _Maker:
    """Reads the certificates once for all clients, at the first."""

    def __init__(self) -> None:
        self._certificates: Any = None

    def make(self, kind: str) -> Any:
        library = installed()
        if self._certificates is None:
            self._certificates = library.create_ssl_context()
        # trust_env is for proxies. Neither library looks into ~/.netrc without being told to.
        limits = library.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS)
        return getattr(library, kind)(verify=self._certificates, limits=limits, timeout=None, trust_env=True)


def _drop(client: Any) -> None:
    """Close a client whose loop does not run. Its own ``aclose`` would need the loop."""
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        for connection in getattr(getattr(transport, "_pool", None), "connections", ()):
            inner = connection
            while hasattr(inner, "_connection"):  # a connection through a proxy holds another, and that a third
                inner = inner._connection  # noqa: SLF001
            close_stream_now(getattr(inner, "_network_stream", None))


def close_stream_now(network_stream: Any) -> None:
    """Close what a connection of httpcore writes to, without its loop.

    httpcore holds a stream of anyio, with TLS around it or without, and that a transport of asyncio.
    """
    stream = getattr(network_stream, "_stream", None)
    while stream is not None:
        transport = getattr(stream, "_transport", None)
        if transport is not None:
            close_now(transport)
        stream = getattr(stream, "transport_stream", None)
