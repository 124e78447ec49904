"""What a machine hands out, one step at a time: orders to whoever drives it, and facts for the application.

A *command* (SendRequest, ReadBody, Wait) is handed out again until it has been answered; an *event* comes once. They
are not to be changed, and not frozen, because that makes each twice as dear, and a stream has one for each chunk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import attrs

if TYPE_CHECKING:
    from ..errors import ChatProtoError
    from ..types import File, FunctionCall, GenerateContentResponse
    from ..wire.http import Headers, Request
    from .history import Turn

__all__ = [
    "ChunkReceived",
    "Command",
    "ContinuationStarted",
    "DataReceived",
    "DocumentReceived",
    "Event",
    "ExchangeEnded",
    "FunctionCallsRequested",
    "ReadBody",
    "RetryScheduled",
    "RoundFailed",
    "SendRequest",
    "Step",
    "TurnEnded",
    "UploadEnded",
    "UploadProgressed",
    "Wait",
]


@attrs.define
class SendRequest:
    """Send ``request``; answer with ``receive_response(status, headers)`` or ``receive_failure(error)``."""

    request: Request


@attrs.define
class ReadBody:
    """Read what has arrived of the body; answer with ``receive_data(data)``, ``b""`` for its end, or with
    ``receive_failure(error)``.

    With ``whole``, nothing is handed out before the end of the body: a driver that likes may read some pieces more, and
    report each.
    """

    whole: bool = attrs.field(default=False, eq=False)


@attrs.define
class Wait:
    """Let go of the connection and wait ``seconds``, and up to ``jitter`` seconds more, as chance will have it.

    Answer with ``resume(jitter=...)``, telling how much more it was.
    """

    seconds: float
    jitter: float = 0.0


Command = Union[SendRequest, ReadBody, Wait]


@attrs.define
class RetryScheduled:
    """An attempt failed and another will be made after the Wait that follows. Attempts count from 1."""

    attempt: int
    error: ChatProtoError


@attrs.define
class DocumentReceived:
    """Exchange: one JSON document of the answer."""

    document: dict[str, Any]
    headers: Headers


@attrs.define
class DataReceived:
    """Exchange: a piece of an answer that is bytes, as it came."""

    data: bytes
    headers: Headers


@attrs.define
class ExchangeEnded:
    """Exchange: it is over. ``error`` is None when the body ended as it should.

    ``leftover`` counts the bytes of a document that the body ended in the middle of.
    """

    error: ChatProtoError | None = None
    leftover: int = 0


@attrs.define
class ChunkReceived:
    """Conversation: a piece of a streamed answer, or the whole of a unary one."""

    response: GenerateContentResponse


@attrs.define
class ContinuationStarted:
    """Conversation: the answer was broken off with a token, and goes on in another request, number ``hop`` from 1.

    ``error`` is what the request before it ended with, where it did not end as it should.
    """

    hop: int
    error: ChatProtoError | None = None


@attrs.define
class FunctionCallsRequested:
    """Conversation: the answer ended with function calls; the turn waits for their responses.

    ``automatic`` says that the config allows to run the functions without asking, and that a request is left to send
    what they return (``Conversation.answer``). ``error`` is what happened after the answer was finished, if anything
    did: a driver should raise it, and leave the calls to the program.
    """

    calls: tuple[FunctionCall, ...]
    automatic: bool = False
    error: ChatProtoError | None = None


@attrs.define
class RoundFailed:
    """Conversation: the request that carried function responses failed. The same calls are open again."""

    error: ChatProtoError


@attrs.define
class TurnEnded:
    """Conversation: the turn is over and in the ledger.

    ``error`` is what a driver should raise; None for a turn that was completed, blocked or truncated.
    """

    turn: Turn
    error: ChatProtoError | None = None


@attrs.define
class UploadProgressed:
    """Upload: the server has said that it holds the first ``sent`` of ``total`` bytes. ``sent`` only grows."""

    sent: int
    total: int


@attrs.define
class UploadEnded:
    """Upload: it is over. Either ``file`` is what the server made of the bytes, or ``error`` says why there is none."""

    file: File | None
    error: ChatProtoError | None = None


Event = Union[
    RetryScheduled,
    DocumentReceived,
    DataReceived,
    ExchangeEnded,
    ChunkReceived,
    ContinuationStarted,
    FunctionCallsRequested,
    RoundFailed,
    TurnEnded,
    UploadProgressed,
    UploadEnded,
]
Step = Union[Command, Event]
