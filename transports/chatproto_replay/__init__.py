"""Recording and replay of chats: the cassette is text, and what plays or records it is a transport.

::

    with use_cassette("chat.json", mode="record") as transport:
        client = Client(api_key=..., transport=transport)
        ...
    with use_cassette("chat.json") as transport:
        client = Client(transport=transport)
        ...

``Player`` and ``Recorder`` are the two by themselves. What may differ is in ``rules`` (``match=``), what is written
otherwise than it was is a ``Redaction`` (``redact=``), ``faults`` and ``Faulty`` make things go wrong. ``Served`` is a server on loopback, ``httpx_transport`` and ``aiohttp_connector`` are
for programs that have such a client. The last three need their library, and come with their first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .cassette import Body, Cassette, Chunk, Exchange, Failure, RecordedRequest, RecordedResponse, cassette_schema
from .errors import (
    CassetteError,
    CassetteExhausted,
    CassetteMissing,
    CredentialInCassette,
    LaterCassette,
    MalformedCassette,
    RequestMismatch,
    UnplayedExchanges,
)
from .matching import Difference
from .modes import CassetteTransport, Mode, use_cassette
from .player import Player
from .recorder import Recorder

if TYPE_CHECKING:
    from . import faults as faults
    from . import rules as rules
    from .aiohttp_adapter import aiohttp_connector as aiohttp_connector
    from .faults import Faulty as Faulty
    from .httpx_adapter import httpx2_transport as httpx2_transport
    from .httpx_adapter import httpx_transport as httpx_transport
    from .redacting import Redaction as Redaction
    from .server import Served as Served

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
    "LaterCassette",
    "MalformedCassette",
    "Mode",
    "Player",
    "RecordedRequest",
    "RecordedResponse",
    "Recorder",
    "Redaction",
    "RequestMismatch",
    "Served",
    "UnplayedExchanges",
    "aiohttp_connector",
    "cassette_schema",
    "faults",
    "httpx2_transport",
    "httpx_transport",
    "rules",
    "use_cassette",
]

#: What comes with its first use, and the module that it is in; None: it is the module.
_LATER = {
    "Faulty": "faults",
    "Redaction": "redacting",
    "Served": "server",
    "aiohttp_connector": "aiohttp_adapter",
    "faults": None,
    "httpx2_transport": "httpx_adapter",
    "httpx_transport": "httpx_adapter",
    "rules": None,
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _LATER[name]
    module = importlib.import_module(f".{home or name}", __name__)
    found: Any = module if home is None else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
