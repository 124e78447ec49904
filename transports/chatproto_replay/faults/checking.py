"""``check``: the laws that hold after any interruption of a turn.

- L5   a turn is atomic: the next request holds what it would have held before, or that and the whole turn
- L7   no function call in it is without its response
- L8   an answer that the program saw finish is in it
- L12  nothing but errors of the tree comes out, and the chat goes on: the next message makes a request
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from chatproto.errors import APIError, ChatProtoError, RemoteProtocolError, TransportError
from chatproto.machines.history import decode_content
from chatproto.machines.rounds import calls_in, responses_in
from chatproto.machines.steps import ChunkReceived, ContinuationStarted, SendRequest
from chatproto.types import FunctionResponse, Part
from chatproto.wire.json_codec import encode

from ..cassette import is_list, is_object
from ..matching.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatproto.types import Candidate, GenerateContentResponse

    from .sweeping import Interruption

__all__ = ["check"]

Json = dict[str, Any]

#: Contents as JSON, to compare: base64 has one spelling there, and null is absent.
_WRITTEN: dict[str, Any] = {"mode": "json", "by_alias": True, "exclude_none": True}
_ERRORS = (APIError, RemoteProtocolError, TransportError)
_NO_REASON = ("", "FINISH_REASON_UNSPECIFIED")


def check(interruption: Interruption) -> None:
    """Raise AssertionError, with the exchange, the byte and the way, where a law is broken.

    The conversation is not changed.
    """
    for event in interruption.events:
        error = getattr(event, "error", None)
        if error is not None and not isinstance(error, _ERRORS):
            raise _broken(interruption, "L12", f"an error came that no server can cause: {error!r}")
    candidates = _candidates(interruption)
    finished = _finished(interruption, candidates)
    sent = _next_request(interruption)
    _check_calls(interruption, sent)
    if not any(_alike(sent[:-1], past, answer) for past, answer in _pasts(interruption, candidates, finished)):
        was = "the whole turn" if interruption.whole or interruption.waiting else "what was there before"
        raise _broken(interruption, "L5", f"the next request holds something else than {was}: {_shown(sent[:-1])}")
    if finished and not (interruption.whole or interruption.waiting):
        raise _broken(interruption, "L8", "the program saw the answer finish, and it is not in the next request")
    if finished is False and interruption.whole:
        raise _broken(interruption, "L5", "the answer was not finished, and it is in the next request")


def _pasts(
    interruption: Interruption, candidates: list[Candidate], finished: bool | None
) -> Iterator[tuple[list[Json], Json | None]]:
    """What the next request may hold before its message: contents, and the answer to them if it was finished."""
    kept, said = list(interruption.kept), list(interruption.said)
    if not interruption.whole and not interruption.waiting:
        yield kept, None
    if interruption.whole or (interruption.waiting and finished is not False):
        yield [*kept, *said], _answer(candidates)
    if interruption.waiting and not finished:  # the calls that the message answers; it did not get through
        yield [*kept, *said[: -len(interruption.message.contents)]], None


def _finished(interruption: Interruption, candidates: list[Candidate]) -> bool | None:
    """Whether the program saw an answer that it can use finish; None where that cannot be told from outside."""
    reasons = [each.finish_reason.value for each in candidates if each.finish_reason is not None]
    # What the server would have finished in another request is for the machine to say.
    if "CONTINUATION" in reasons or any(isinstance(event, ContinuationStarted) for event in interruption.events):
        return None
    if interruption.message.streamed and all(reason in _NO_REASON for reason in reasons):
        return False
    return any(held is not None for part in _answer(candidates)["parts"] for held in part.values())


def _candidates(interruption: Interruption) -> list[Candidate]:
    """What the program has seen of the answer: of each chunk, the candidate that a chat goes on with."""
    chunks = [event.response for event in interruption.events if isinstance(event, ChunkReceived)]
    return [found for chunk in chunks if (found := _first(chunk)) is not None]


def _answer(candidates: list[Candidate]) -> Json:
    """The content that these are together."""
    return {"role": "model", "parts": [part for each in candidates for part in _parts(each)]}


def _first(response: GenerateContentResponse) -> Candidate | None:
    """Number 0, which servers often leave unnumbered."""
    return next((each for each in response.candidates or () if not each.index), None)


def _parts(candidate: Candidate) -> list[Json]:
    content = candidate.content
    written: Json = {} if content is None else content.model_dump(**_WRITTEN)
    return written.get("parts") or []


def _next_request(interruption: Interruption) -> list[Json]:
    """The contents of the request that the next message makes: it answers the calls that wait, or goes on."""
    trial = copy.deepcopy(interruption.conversation)
    try:
        if interruption.waiting:
            trial.send_function_responses(
                Part(function_response=FunctionResponse(id=call.id, name=call.name, response={"result": 1}))
                for call in trial.pending_calls
            )
        else:
            trial.send(interruption.going_on)
        step = trial.next()
    except ChatProtoError as error:
        raise _broken(interruption, "L12", f"the next message cannot be sent: {error!r}") from error
    if not isinstance(step, SendRequest):
        raise _broken(interruption, "L12", f"the next message makes no request, but {step!r}")
    document = step.request.json()
    contents = document.get("contents") if is_object(document) else None
    if not is_list(contents) or not contents:
        raise _broken(interruption, "L12", f"the next request has no contents: {_shown(document)}")
    return contents


def _check_calls(interruption: Interruption, contents: list[Json]) -> None:
    """The calls of the model are answered before it speaks again."""
    open_calls: list[Json] = []
    answering = False
    for content in contents:
        if content.get("role") == "model":
            if open_calls and answering:
                break
            answering = False
            open_calls += calls_in(content)
        else:
            answering = True
            for response in responses_in(content):
                answered = next((each for each in open_calls if _answers(response, each)), None)
                if answered is not None:
                    open_calls.remove(answered)
    if open_calls:
        names = ", ".join(repr(call.get("name")) for call in open_calls)
        raise _broken(interruption, "L7", f"in the next request, nothing answers the call of {names}")


def _answers(response: Json, call: Json) -> bool:
    key = "id" if call.get("id") else "name"
    return bool(response.get(key) == call.get(key))


def _alike(sent: list[Json], past: list[Json], answer: Json | None) -> bool:
    """Whether a request holds these contents and this answer, of which ``answer`` is what a program was shown."""
    if answer is not None:
        written = decode_content(encode(sent[-1])).model_dump(**_WRITTEN) if sent else None
        if written is None or canonical(_plain(written)) != canonical(_plain(answer)):
            return False
        sent = sent[:-1]
    return sent == past or canonical(sent) == canonical(past)


def _plain(content: Json) -> Json:
    """A content to compare: texts of one kind that follow each other are one, as a program sees them."""
    parts: list[Json] = []
    for part in content.get("parts") or ():
        if parts and part.keys() <= {"text", "thought"} and parts[-1].keys() == part.keys():
            last = parts[-1]
            if last.get("thought") == part.get("thought") and "text" in part:
                parts[-1] = {**last, "text": last["text"] + part["text"]}
                continue
        parts.append(part)
    return {**content, "parts": parts}


def _shown(document: Any) -> str:
    text = repr(document)
    return text if len(text) <= 400 else f"{text[:400]}..."


def _broken(interruption: Interruption, law: str, problem: str) -> AssertionError:
    return AssertionError(f"{interruption}: {problem} ({law})")
