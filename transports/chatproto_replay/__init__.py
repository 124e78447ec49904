"""Recording and replay of chats: the cassette is text, and what plays or records it is a transport.

::

    with use_cassette("chat.json", mode="record") as transport:
        client = Client(api_key=..., transport=transport)
        ...
    with use_cassette("chat.json") as transport:
        client = Client(transport=transport)
        ...

``Player`` and ``Recorder`` are the two by themselves. What may differ is said by ``rules`` (``match=``), what is
written otherwise than it was by a ``Redaction`` (``redact=``). ``faults`` and ``Faulty`` make things go wrong, and
``sweep`` makes them go wrong at every byte. For programs that are not on chatproto there are ``Served``, a server on
loopback, ``httpx_transport``, ``httpx2_transport`` and ``aiohttp_connector``.

Every name is loaded with its first use: the pytest plug-in and the command line import this package where nobody may
need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import faults as faults
    from . import rules as rules
    from .cassette import Body as Body
    from .cassette import Cassette as Cassette
    from .cassette import Chunk as Chunk
    from .cassette import Exchange as Exchange
    from .cassette import Failure as Failure
    from .cassette import RecordedRequest as RecordedRequest
    from .cassette import RecordedResponse as RecordedResponse
    from .cassette import cassette_schema as cassette_schema
    from .clients.httpx_adapter import as_httpx2_transport as as_httpx2_transport
    from .clients.httpx_adapter import as_httpx_transport as as_httpx_transport
    from .clients.httpx_adapter import httpx2_transport as httpx2_transport
    from .clients.httpx_adapter import httpx_transport as httpx_transport
    from .clock import VirtualClock as VirtualClock
    from .errors import CassetteError as CassetteError
    from .errors import CassetteExhausted as CassetteExhausted
    from .errors import CassetteMissing as CassetteMissing
    from .errors import CredentialInCassette as CredentialInCassette
    from .errors import LaterCassette as LaterCassette
    from .errors import MalformedCassette as MalformedCassette
    from .errors import NetworkBlocked as NetworkBlocked
    from .errors import RequestMismatch as RequestMismatch
    from .errors import UnplayedExchanges as UnplayedExchanges
    from .faults import Faulty as Faulty
    from .faults.asking import RecordedMessage as RecordedMessage
    from .faults.checking import check as check
    from .faults.sweeping import Interruption as Interruption
    from .faults.sweeping import boundaries as boundaries
    from .faults.sweeping import sweep as sweep
    from .matching.differences import Difference as Difference
    from .modes import CassetteTransport as CassetteTransport
    from .modes import Mode as Mode
    from .modes import use_cassette as use_cassette
    from .network import network_blocked as network_blocked
    from .player import Player as Player
    from .recorder import Recorder as Recorder
    from .redaction.bodies import Redaction as Redaction
    from .serving.aiohttp_adapter import aiohttp_connector as aiohttp_connector
    from .serving.server import Served as Served

__all__ = [
    "Body",
    "Cassette",
    "CassetteError",
    "CassetteExhausted",
    "CassetteMissing",
    "CassetteTransport",
    "Chunk",
    "CredentialInCassette",
    "Difference",
    "Exchange",
    "Failure",
    "Faulty",
    "Interruption",
    "LaterCassette",
    "MalformedCassette",
    "Mode",
    "NetworkBlocked",
    "Player",
    "RecordedMessage",
    "RecordedRequest",
    "RecordedResponse",
    "Recorder",
    "Redaction",
    "RequestMismatch",
    "Served",
    "UnplayedExchanges",
    "VirtualClock",
    "aiohttp_connector",
    "as_httpx2_transport",
    "as_httpx_transport",
    "boundaries",
    "cassette_schema",
    "check",
    "faults",
    "httpx2_transport",
    "httpx_transport",
    "network_blocked",
    "rules",
    "sweep",
    "use_cassette",
]

#: The module that a name is in; None: it is a module itself.
_HOMES = {
    "Body": "cassette",
    "Cassette": "cassette",
    "CassetteError": "errors",
    "CassetteExhausted": "errors",
    "CassetteMissing": "errors",
    "CassetteTransport": "modes",
    "Chunk": "cassette",
    "CredentialInCassette": "errors",
    "Difference": "matching.differences",
    "Exchange": "cassette",
    "Failure": "cassette",
    "Faulty": "faults",
    "Interruption": "faults.sweeping",
    "LaterCassette": "errors",
    "MalformedCassette": "errors",
    "Mode": "modes",
    "NetworkBlocked": "errors",
    "Player": "player",
    "RecordedMessage": "faults.asking",
    "RecordedRequest": "cassette",
    "RecordedResponse": "cassette",
    "Recorder": "recorder",
    "Redaction": "redaction.bodies",
    "RequestMismatch": "errors",
    "Served": "serving.server",
    "UnplayedExchanges": "errors",
    "VirtualClock": "clock",
    "aiohttp_connector": "serving.aiohttp_adapter",
    "as_httpx2_transport": "clients.httpx_adapter",
    "as_httpx_transport": "clients.httpx_adapter",
    "boundaries": "faults.sweeping",
    "cassette_schema": "cassette",
    "check": "faults.checking",
    "faults": None,
    "httpx2_transport": "clients.httpx_adapter",
    "httpx_transport": "clients.httpx_adapter",
    "network_blocked": "network",
    "rules": None,
    "sweep": "faults.sweeping",
    "use_cassette": "modes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = importlib.import_module(f".{home or name}", __name__)
    found: Any = module if home is None else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
