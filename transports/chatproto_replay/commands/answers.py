"""What a recorded exchange says, read by the machines that would have driven it.

Nothing is parsed here a second time: a chat's answer goes through a ``Conversation``, which folds it and says how it
ended, and any other through an ``Exchange``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import attrs

from chatproto.errors import TransportError
from chatproto.machines.conversation import Conversation
from chatproto.machines.exchange import Exchange as Call
from chatproto.machines.steps import (
    ChunkReceived,
    DocumentReceived,
    Event,
    ExchangeEnded,
    FunctionCallsRequested,
    ReadBody,
    SendRequest,
    TurnEnded,
    Wait,
)
from chatproto.types import GenerateContentConfig
from chatproto.wire.http import Request
from chatproto.wire.json_codec import decode

from ..cassette import is_list, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatproto.errors import ChatProtoError
    from chatproto.machines.exchange import Answer as BodyKind
    from chatproto.transport import Machine
    from chatproto.types import GenerateContentResponse, GenerateContentResponseUsageMetadata

    from ..cassette import Exchange, RecordedRequest

__all__ = ["Answer", "Documents", "Kind", "contents_of", "kind_of", "read_answer", "read_documents"]

#: What a request asks for: an answer of a model, whole or streamed; tokens; bytes of a file; or anything else.
Kind = Literal["generate", "stream", "count", "bytes", "other"]

_METHODS: dict[str, Kind] = {
    "generateContent": "generate",
    "streamGenerateContent": "stream",
    "countTokens": "count",
    "download": "bytes",
}
_METHOD = re.compile(r":(\w+)$")
_URL = "https://generativelanguage.googleapis.com/"  # stands for the host, which is not recorded


def kind_of(request: RecordedRequest) -> Kind:
    """What ``request`` asks for, by its path."""
    found = _METHOD.search(request.path)
    return "other" if found is None else _METHODS.get(found[1], "other")


def contents_of(request: RecordedRequest) -> list[Any]:
    """The contents that a request sends, as they stand in its JSON; none where it has none."""
    body = request.body
    contents = body.value.get("contents") if body is not None and is_object(body.value) else None
    return contents if is_list(contents) else []


@attrs.frozen(kw_only=True)
class Documents:
    """The JSON documents of a response. ``error`` is what ended it, ``leftover`` how many bytes of another one came."""

    documents: tuple[dict[str, Any], ...] = ()
    error: ChatProtoError | None = None
    leftover: int = 0


def read_documents(exchange: Exchange) -> Documents:
    """The documents in the body of a response: one for each event of a stream."""
    kind = kind_of(exchange.request)
    answer: BodyKind = "document"
    if kind in ("bytes", "other"):
        answer = "bytes" if kind == "bytes" else "resource"
    documents: list[dict[str, Any]] = []
    ended = ExchangeEnded()
    for event in _run(Call(_request(exchange), streamed=kind == "stream", answer=answer), exchange):
        match event:
            case DocumentReceived(document=document):
                documents.append(document)
            case ExchangeEnded():
                ended = event
            case _:
                pass
    return Documents(documents=tuple(documents), error=ended.error, leftover=ended.leftover)


@attrs.frozen(kw_only=True)
class Answer:
    """What a model said, folded, as the wire's JSON; None where it said nothing that could be used.

    ``outcome`` is that of a turn, in a word, or ``called`` where the answer ended with function calls, and ``reason``
    says more about it. ``error`` is what a program would have been raised.
    """

    content: dict[str, Any] | None = None
    outcome: str
    reason: str
    finish_reason: str = ""
    usage: GenerateContentResponseUsageMetadata | None = None
    model_version: str = ""
    error: ChatProtoError | None = None

    @property
    def whole(self) -> bool:
        """Whether it is an answer that a chat goes on with."""
        return self.outcome in ("completed", "called")


def read_answer(exchange: Exchange) -> Answer:
    """The answer to a request of the kinds ``generate`` and ``stream``."""
    # What continues an answer is an exchange of its own in a cassette.
    conversation = Conversation("model", config=GenerateContentConfig(automatic_continuation=False))
    conversation.send("message", stream=kind_of(exchange.request) == "stream")
    responses: list[GenerateContentResponse] = []
    outcome, reason = "abandoned", ""
    error: ChatProtoError | None = None
    for event in _run(conversation, exchange):
        match event:
            case ChunkReceived(response=response):
                responses.append(response)
            case FunctionCallsRequested():
                outcome, reason, error = "called", "it waits for function responses", event.error
            case TurnEnded(turn=turn):
                outcome, reason, error = turn.outcome.value, turn.reason, event.error
            case _:
                pass
    turns = conversation.turns
    said = conversation.open_contents() if not turns else list(turns[-1].encoded)
    return Answer(
        content=decode(said[-1], what="the answer") if len(said) > 1 else None,
        outcome=outcome,
        reason=reason,
        finish_reason=_finish_reason(responses),
        usage=next((each.usage_metadata for each in reversed(responses) if each.usage_metadata is not None), None),
        model_version=next((each.model_version for each in responses if each.model_version), ""),
        error=error,
    )


def _finish_reason(responses: list[GenerateContentResponse]) -> str:
    reasons = (each.candidates[0].finish_reason for each in reversed(responses) if each.candidates)
    return next((reason.value for reason in reasons if reason is not None), "")


def _request(exchange: Exchange) -> Request:
    return Request(method=exchange.request.method, url=_URL)


def _run(machine: Machine, exchange: Exchange) -> Iterator[Event]:
    """The events of a machine that is answered as the exchange was."""
    response = exchange.response
    chunks = iter(response.chunks if response is not None else ())
    while (step := machine.next()) is not None:
        match step:
            case SendRequest() if response is not None:
                machine.receive_response(response.status, response.headers)
            case SendRequest():
                machine.receive_failure(exchange.error() or TransportError("there was no response"))
            case ReadBody():
                chunk = next(chunks, None)
                error = exchange.error() if chunk is None else None
                if error is not None:
                    machine.receive_failure(error)
                else:
                    machine.receive_data(b"" if chunk is None else chunk.data)
            case Wait():  # only a policy of retries waits, and there is none
                machine.resume()
            case event:
                yield event
