"""The inside of a conversation: a round begins, an answer arrives, a turn ends.

The verbs of ``Conversation`` come here, and so does what the exchange hands out. The rules are told there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import ChatProtoError, ConnectionLost, LocalProtocolError, MalformedResponse, ValidationError
from ..types import GenerateContentResponse, HttpResponse
from ..types._hooks import converter
from ..wire.json_codec import encode, excerpt
from .fold import Fold
from .history import Outcome, Turn
from .memory import Memory
from .rounds import calls_in, has_pieces
from .states import ConversationInput, ConversationState
from .steps import (
    ChunkReceived,
    ContinuationStarted,
    FunctionCallsRequested,
    RoundFailed,
    Step,
    TurnEnded,
)
from .turn import Draft, OpenTurn, function_calls, why_blocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.http import Request
    from .exchange import Exchange

__all__ = ["Answering", "with_partial"]

# Named once, because Python 3.11 takes longer to find a member in its enum than to call a function.
_BEGIN, _END, _COMPLETED = ConversationInput.BEGIN, ConversationInput.END, Outcome.COMPLETED


class Answering(Memory):
    """What happens to a message between its request and the end of its turn."""

    # --- a round begins ---

    def _begin(self, draft: Draft) -> None:
        turn = self._opened(draft)
        request = self._request(draft, turn.contents)
        self._states.take(_BEGIN)
        self._draft = None
        self._open = turn
        self._start(turn, draft, request)

    def _opened(self, draft: Draft) -> OpenTurn:
        """The turn that ``draft`` begins, or goes on with."""
        if draft.responses is None:
            number = len(self._history.turns) + 1
            return OpenTurn(number, list(draft.contents), draft, closed=draft.closed)
        before = self._open
        assert before is not None  # ANSWERING has an open turn
        return OpenTurn(
            number=before.number,
            contents=[*before.contents, *draft.contents],
            draft=draft,
            handed_out=before.handed_out,
            calls=before.calls,
            closed=before.closed and draft.closed,
        )

    def _start(self, turn: OpenTurn, draft: Draft, request: Request) -> None:
        """A request is about to be sent: a round's, or one that continues its answer."""
        turn.continuation.begin()
        self._exchange = self._exchange_for(draft, request)

    # --- an answer arrives ---

    def _receive(self, exchange: Exchange, document: dict[str, Any]) -> Step | None:
        """One chunk, or a whole unary answer; None for one that more will be joined to before it is handed out."""
        turn = self._open
        assert turn is not None  # an exchange belongs to a turn
        try:
            response = self._structured(document)
            if not self._decides(response) and turn.continuation.passes(document):
                content = document["candidates"][0].get("content")
                if content is not None:
                    turn.fold.add(content)
            else:
                handed = turn.continuation.observe(document)
                if handed is not None and handed is not document:
                    response = self._structured(handed)
                self._take(turn, response, document, whole=handed is not None)
                if handed is None:
                    return None
        except (ValidationError, RecursionError) as error:
            where = error.path if isinstance(error, ValidationError) else "$"
            problem = error.problem if isinstance(error, ValidationError) else "JSON nested too deeply"
            exchange.abandon()
            return self._close(MalformedResponse(problem, where=where, excerpt=excerpt(encode(document))), 0)
        # A response is its caller's own, so each chunk has its own head. Its headers are text: they need no hook.
        head = response.__dict__["sdk_http_response"] = HttpResponse.__new__(HttpResponse)
        head.__dict__["headers"] = exchange.fields.copy()
        if turn.continuation.hops > 1 and response.usage_metadata is not None:
            prompt = turn.continuation.initial_prompt_tokens
            if prompt is not None:
                response.usage_metadata.initial_prompt_token_count = prompt
        return ChunkReceived(response)

    def _structured(self, document: dict[str, Any]) -> GenerateContentResponse:
        return _hook()(document, GenerateContentResponse)

    @staticmethod
    def _decides(response: GenerateContentResponse) -> bool:
        """Whether a chunk does more than say more: it ends the answer, may be continued, or is about several."""
        candidates = response.candidates
        if candidates is None or len(candidates) != 1 or response.prompt_feedback is not None:
            return True
        held = candidates[0].__dict__
        return "finish_reason" in held or "continuation_token" in held or bool(held.get("index"))

    def _take(
        self, turn: OpenTurn, response: GenerateContentResponse, document: dict[str, Any], *, whole: bool
    ) -> None:
        """What a document adds to the answer. Without ``whole`` more hops follow, and its finish reason is not one."""
        written = document.get("candidates") or ()
        for index, candidate in enumerate(response.candidates or ()):
            # A chat goes on with candidate number 0, which servers often leave unnumbered.
            if not candidate.index:
                content = written[index].get("content") if index < len(written) else None
                if content is not None:
                    turn.fold.add(content)
                if whole and candidate.finish_reason is not None:
                    turn.finish(candidate.finish_reason.value, candidate.finish_message)
                break
        turn.whole = whole and not turn.continuation.streamed
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            turn.block_reason = feedback.block_reason.value

    def _close(self, error: ChatProtoError | None, leftover: int) -> Step:
        """The exchange is over: another hop of the same answer begins, or the round ends."""
        turn = self._open
        assert turn is not None
        assert turn.draft is not None  # an exchange belongs to a turn that was sent
        if turn.continuation.end(error):
            return self._continue(turn, turn.draft, error)
        error = turn.continuation.error
        if turn.complete:
            # What happened after the finish reason does not undo the answer (rule 1), and is told all the same.
            return self._complete(turn, "" if error is None else f"; after that: {error}", error)
        if error is not None:
            error = with_partial(error, turn)
        reopens = bool(turn.handed_out) and not self._keeps(turn)
        if error is not None:
            return self._reopen(turn, error) if reopens else self._end(Outcome.FAILED, str(error), error)
        if turn.fold.usable or not (turn.finish_reason or turn.block_reason or not turn.draft.streamed):
            inside = f", inside an event of which {leftover} bytes had come" if leftover else ""
            reason = f"the stream ended without a finish reason{inside}"
            if not reopens:
                return self._end(Outcome.TRUNCATED, reason)
            return self._reopen(turn, with_partial(ConnectionLost(reason), turn))
        return self._end(Outcome.BLOCKED, why_blocked(turn))

    def _continue(self, turn: OpenTurn, draft: Draft, error: ChatProtoError | None) -> ContinuationStarted:
        """The next hop: the same request, with the token of the last one."""
        request = self._request(draft, turn.contents, turn.continuation.token)
        self._states.take(ConversationInput.CONTINUE)
        self._start(turn, draft, request)
        return ContinuationStarted(turn.continuation.hops, error)

    def _keeps(self, turn: OpenTurn) -> bool:
        """Whether an answer that broke off stays in curated history as far as it came."""
        return self._on_incomplete == "keep" and turn.fold.usable and not calls_in(turn.fold.content())

    def _complete(self, turn: OpenTurn, afterwards: str, error: ChatProtoError | None = None) -> Step:
        try:
            encoded = turn.fold.encoded()
        except ValidationError as fault:  # cannot be: what was read as JSON can be written as JSON
            return self._end(Outcome.FAILED, str(fault), MalformedResponse(fault.problem))
        content = turn.fold.content()
        calls = calls_in(content)
        if calls:
            self._exchange = None
            turn.contents.append(encoded)
            turn.handed_out = len(turn.contents)
            turn.calls = calls
            turn.unsent = []
            self._states.take(ConversationInput.CALLS)
            # Arguments that came in pieces are the program's to put together.
            allowed = turn.draft is not None and turn.draft.budget > 1 and not has_pieces(content)
            return FunctionCallsRequested(function_calls(calls), automatic=allowed and error is None, error=error)
        reason = f"finish reason {turn.finish_reason}" if turn.finish_reason else "answered"
        return self._end(_COMPLETED, reason + afterwards, error, said=encoded)

    def _reopen(self, turn: OpenTurn, error: ChatProtoError) -> Step:
        """The answers to the calls did not get through: they are open again, and the chat is as it was before."""
        turn.unsent = turn.contents[turn.handed_out :]
        del turn.contents[turn.handed_out :]
        turn.fold = Fold()
        self._exchange = None
        self._states.take(ConversationInput.REOPEN)
        return RoundFailed(error)

    def _leave(self) -> None:
        """The caller left while an answer was under way."""
        turn = self._open
        assert turn is not None
        if turn.complete:
            self._complete(turn, "; then the caller left")
        elif turn.handed_out and not self._keeps(turn):
            self._reopen(turn, LocalProtocolError("the caller left"))
        else:
            self._end(Outcome.ABANDONED, "the caller left before the answer was finished")

    # --- a turn ends ---

    def _end(
        self, outcome: Outcome, reason: str, error: ChatProtoError | None = None, *, said: bytes | None = None
    ) -> TurnEnded:
        turn = self._open
        assert turn is not None
        contents = list(turn.contents)
        kept = outcome is _COMPLETED and turn.closed
        if said is not None:
            contents.append(said)
        elif self._states.state is ConversationState.EXCHANGING and turn.fold.usable:
            contents.append(turn.fold.encoded())
            unfinished = outcome in (Outcome.TRUNCATED, Outcome.FAILED, Outcome.ABANDONED)
            kept = unfinished and turn.closed and self._keeps(turn)
        shown = len(contents)
        if not kept and outcome in (Outcome.FAILED, Outcome.ABANDONED):
            # Comprehensive history only grows: calls that it has shown stay.
            shown = turn.handed_out
        ended = Turn(turn.number, outcome, reason, kept, tuple(contents), shown)
        self._states.take(_END)
        self._open = self._exchange = None
        self._history.commit(ended)
        return TurnEnded(ended, error)


@cache
def _hook() -> Callable[[dict[str, Any], type[GenerateContentResponse]], GenerateContentResponse]:
    """What reads a response, looked up once: it is asked for at every chunk."""
    return converter("wire").get_structure_hook(GenerateContentResponse)


def with_partial(error: ChatProtoError, turn: OpenTurn) -> ChatProtoError:
    """``error`` with what had come of the answer, the token that it could be continued with included.

    It is a copy: an error that a transport hands over may be told in several chats.
    """
    document = turn.continuation.merged
    if document is None:
        candidate: dict[str, Any] = {"content": turn.fold.content()} if turn.fold.usable else {}
        if turn.continuation.token is not None:
            candidate["continuationToken"] = turn.continuation.token
        document = {"candidates": [candidate]} if candidate else None
    if document is None:
        return error
    return error.with_partial(converter("wire").structure(document, GenerateContentResponse))
