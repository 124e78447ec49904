"""An Exchange as JSON: as it would be if its connection were lost now."""

from __future__ import annotations

import copy
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from ..types._json import is_array
from .error_json import error_from_json, error_to_json
from .exchange import Exchange
from .retry import Pause, RetryPolicy
from .states import ExchangeInput, ExchangeState
from .steps import RetryScheduled

if TYPE_CHECKING:
    from ..errors import TransportError
    from ..wire.http import Headers, Request
    from .turn import Draft

__all__ = ["read_exchange", "write_exchange"]

Json = dict[str, Any]


def write_exchange(exchange: Exchange, lost: TransportError) -> Json:
    """``exchange``, which is not changed. ``lost`` is what it is told where it waits for the wire."""
    settled = copy.deepcopy(exchange)
    if settled._states.allows(ExchangeInput.FAILURE):
        settled.receive_failure(lost)
    while settled._incoming and settled._framing.failed is None:
        settled._take_in(settled._incoming.popleft())
    if settled.state is ExchangeState.DRAIN and settled._status == 200 and settled._failure is None:
        _finish(settled)
    pause, scheduled = settled._pause, settled._scheduled
    return {
        "state": settled.state.value,
        "attempt": settled._attempt,
        "waited": settled.waited,
        "status": settled._status,
        "headers": [[name, held] for name, held in settled._headers if not _may_be_secret(name)],
        "documents": [_text(each) for each in settled._documents],
        "broken": error_to_json(settled._framing.failed),
        "errorBody": _text(bytes(settled._error_body)),
        "failure": error_to_json(settled._failure),
        "finished": settled._finished,
        "tentative": None if settled._tentative is None else _text(settled._tentative),
        "count": settled._count,
        "pause": None if pause is None else [pause.seconds, pause.jitter],
        "scheduled": None if scheduled is None else [scheduled.attempt, error_to_json(scheduled.error)],
    }


def _finish(settled: Exchange) -> None:
    """What the end of the body completes is worked out now: the framing itself is not written."""
    if not settled._finished:
        settled._finished = True
        documents, settled._tentative = settled._framing.finish()
        settled._documents.extend(documents)


def _may_be_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("cookie", "auth", "key", "token"))


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def read_exchange(document: Json, request: Request, draft: Draft) -> Exchange:
    """What ``write_exchange`` wrote, for the same request.

    Raises KeyError, TypeError or ValueError for what it did not write.
    """
    made = Exchange(request, streamed=draft.streamed, policy=RetryPolicy.of(draft.endpoint.retry_options))
    made._states.restore(ExchangeState(document["state"]))
    made._attempt = int(document["attempt"])
    made.waited = float(document["waited"])
    made._status = document["status"]
    headers: Headers = tuple((str(name), str(held)) for name, held in document["headers"])
    made._headers = headers
    made._documents.extend(map(b64decode, document["documents"]))
    made._framing.failed = error_from_json(document["broken"])
    made._error_body = bytearray(b64decode(document["errorBody"]))
    made._failure = error_from_json(document["failure"])
    made._finished = bool(document["finished"])
    made._tentative = None if document["tentative"] is None else b64decode(document["tentative"])
    made._count = int(document["count"])
    made._pause = Pause(*document["pause"]) if is_array(document["pause"]) else None
    scheduled = document["scheduled"]
    if is_array(scheduled):
        error = error_from_json(scheduled[1])
        made._scheduled = None if error is None else RetryScheduled(int(scheduled[0]), error)
    return made
