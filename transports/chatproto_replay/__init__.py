"""Recording and replay of chats: ``Recorder`` and ``Player`` are transports, and the cassette between them is text.

::

    with Recorder("requests", "chat.json") as recorder:
        client = Client(api_key=..., transport=recorder)
        ...
    with Player("chat.json") as player:
        client = Client(transport=player)
        ...
"""

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
from .player import Player
from .recorder import Recorder

__all__ = [
    "Body",
    "Cassette",
    "CassetteError",
    "CassetteExhausted",
    "CassetteMissing",
    "Chunk",
    "CredentialInCassette",
    "Difference",
    "Exchange",
    "Failure",
    "LaterCassette",
    "MalformedCassette",
    "Player",
    "RecordedRequest",
    "RecordedResponse",
    "Recorder",
    "RequestMismatch",
    "UnplayedExchanges",
    "cassette_schema",
]
