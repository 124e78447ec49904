"""The transport that a recorder passes requests on to: handed in, named, or what a client itself would use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from chatproto.errors import LocalProtocolError
from chatproto.transport import find_transport

if TYPE_CHECKING:
    from chatproto.transport import AsyncTransport, Transport

__all__ = ["Inner", "named"]

_DEFAULT = {"open": "requests", "aopen": "aiohttp"}


def named(transport: object) -> str:
    """What a repr says of the transport within: one of this package by its own repr, another one by its class.

    So none is shown that may hold a credential.
    """
    cls = type(transport)
    ours = cls.__module__.partition(".")[0] == __name__.partition(".")[0]
    return repr(transport) if ours else cls.__name__


class Inner:
    """Finds the transport for a synchronous or an asynchronous call. What it made itself it closes, and nothing else.

    ``given`` is a transport, the name of one, or None for requests and aiohttp.
    """

    def __init__(self, given: Transport | AsyncTransport | str | None) -> None:
        self._given = given
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def needs_credential(self) -> bool:
        """Whether the transport needs one. Of a transport that is not there yet: yes."""
        return bool(getattr(self._given, "needs_credential", True))

    @property
    def name(self) -> str:
        """What a cassette says it was recorded through."""
        if self._given is None:
            return ", ".join(sorted(self._made))
        return self._given if isinstance(self._given, str) else type(self._given).__name__

    def of(self, role: Literal["open", "aopen"]) -> Any:
        """The transport that has this method. Raises LocalProtocolError where it has not."""
        found: Any = self._given
        if found is None or isinstance(found, str):
            name = found or _DEFAULT[role]
            with self._lock:
                if name not in self._made:
                    self._made[name] = find_transport(name)
                found = self._made[name]
        if not hasattr(found, role):
            kind = "synchronous" if role == "open" else "asynchronous"
            raise LocalProtocolError(f"the recorded transport, {type(found).__name__}, is not {kind}")
        return found

    def close(self) -> None:
        """Close what was made, as far as that needs no event loop."""
        for transport in self._made.values():
            if hasattr(transport, "close"):
                transport.close()

    async def aclose(self) -> None:
        """Close what was made."""
        for transport in self._made.values():
            if hasattr(transport, "aclose"):
                await transport.aclose()
            else:
                transport.close()
