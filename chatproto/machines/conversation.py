"""A chat: turns, tool rounds, folding, and what enters history.

The rules are those of the default profile:

1. A turn commits when it ends, whole or not at all. It is completed when the folded answer says something and a finish
   reason was delivered (streams) or the body was whole (unary), also when the caller leaves or the connection dies
   after that.
2. Validity belongs to the folded answer, not to a chunk; the first finish reason is not the end of a stream.
3. A streamed answer is one Content (``fold``).
4. What the model said is sent again as it came.
5. An answer that ends with function calls leaves the turn open until their responses are sent. Any other message
   abandons it.
6. An answer that the server broke off with a continuation token is continued: more requests, one answer.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NoReturn, Self

import attrs

from ..errors import LocalProtocolError, TransportError, ValidationError
from ..wire.json_blobs import encode_with_blobs
from .answering import Answering
from .drafting import Drafting
from .given import recorded_turn
from .history import Outcome, Turn, decode_content
from .memory import ConfigMode, OnIncomplete
from .states import ConversationInput, ConversationState
from .steps import (
    ExchangeEnded,
    FunctionCallsRequested,
    RoundFailed,
    SendRequest,
    Step,
    TurnEnded,
)
from .turn import Draft, function_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..types import Content, FunctionCall, GenerateContentConfig
    from ..wire.http import Headers, Request

__all__ = ["ConfigMode", "Conversation", "OnIncomplete"]

# Named once, because Python 3.11 takes longer to find a member in its enum than to call a function.
_IDLE, _SEND = ConversationState.IDLE, ConversationInput.SEND


class Conversation(Drafting, Answering):
    """The protocol of a chat, without I/O. Drive it with ``next`` and the ``receive_`` verbs, or with a Drive.

    It can be copied and pickled at any step. A copy (``copy.deepcopy``) shares what never changes, and so costs some
    microseconds, at any byte of an answer. ``model`` is not looked at before a request is made.
    """

    # --- views ---

    @property
    def model(self) -> str:
        """The model's name, as it was given."""
        return self._model

    @property
    def config(self) -> GenerateContentConfig | None:
        """The chat's own config: a copy."""
        return copy.deepcopy(self._config)

    @property
    def state(self) -> ConversationState:
        """Where it is. In IDLE and CALLS_WANTED it needs its user."""
        return self._states.state

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The ledger: every turn that has ended, also those that failed or were abandoned."""
        return tuple(self._history.turns)

    @property
    def pending_calls(self) -> tuple[FunctionCall, ...]:
        """The function calls that wait for a response."""
        if self._open is None or self.state is ConversationState.EXCHANGING:
            return ()
        return function_calls(self._open.calls)

    @property
    def busy(self) -> bool:
        """Whether a request is under way, or about to be."""
        return self.state in (
            ConversationState.STARTING,
            ConversationState.EXCHANGING,
            ConversationState.ANSWERING,
        )

    @property
    def reading(self) -> bool:
        """Whether the body of a response is wanted still."""
        return self._exchange is not None and self._exchange.reading

    @property
    def under_way(self) -> Draft | None:
        """The message whose request is under way, or about to be; None where none is."""
        if self._draft is not None:
            return self._draft
        return self._open.draft if self.busy and self._open is not None else None

    def fork(self) -> Self:
        """A conversation of its own with the same past. What is under way is left out of it."""
        made = copy.deepcopy(self)
        if made.busy:
            made.abandon()
        return made

    def settle(self) -> None:
        """End what is under way, if nothing is left of it to tell, to send or to wait for.

        So a chat that was restored while its request was under way shows at once that the request was lost.
        """
        trial = copy.deepcopy(self)
        while (step := trial.next()) is not None:
            if not isinstance(step, (FunctionCallsRequested, RoundFailed, TurnEnded)):
                return
        while self.next() is not None:
            pass

    def rewind(self, n: int = 1) -> tuple[Turn, ...]:
        """Forget the last ``n`` turns that are in a history, whole, and all that came after; gives what was forgotten.

        A turn that waits for function responses counts as one; a request that is under way is left. Raises
        ValidationError, and then nothing has changed, where there are fewer.
        """
        if type(n) is not int or n < 1:
            raise ValidationError(f"turns to rewind are counted from 1, not {n!r}")
        settled = copy.deepcopy(self)
        settled.leave_all()
        told = [index for index, turn in enumerate(settled.turns) if turn.curated or turn.shown]
        if len(told) < n:
            raise ValidationError(f"there are {len(told)} turns to rewind, not {n}")
        self.leave_all()
        return self._history.rewind(told[-n])

    @property
    def shown_of_open(self) -> int:
        """How many contents of a turn that has not ended the comprehensive history shows: those up to its calls."""
        return 0 if self._open is None else self._open.handed_out

    def open_contents(self) -> list[bytes]:
        """What was said in a turn that has not ended, encoded: the answer as far as it has come, too."""
        turn = self._open
        if turn is None:
            return list(self._draft.contents) if self._draft is not None else []
        said = list(turn.contents)
        return [*said, turn.fold.encoded()] if self._exchange is not None and turn.fold.usable else said

    def called(self) -> list[Content]:
        """What was said in the open turn before the present answer, if functions were called in it; else nothing."""
        turn = self._open
        return [] if turn is None or not turn.handed_out else [decode_content(each) for each in turn.contents]

    def branch(self) -> Conversation:
        """The conversation that the next message is sent in: this one."""
        return self

    def history(self, *, curated: bool = False) -> list[Content]:
        """The contents said so far, decoded anew: the caller's own.

        Comprehensive: completed, blocked and truncated turns, and a turn that waits for function responses up to its
        calls. Curated: what the next request will send, so whole turns with closed tool rounds.
        """
        contents = [decode_content(encoded) for encoded in self._history.encoded(curated=curated)]
        if not curated and self._open is not None:
            contents += map(decode_content, self._open.contents[: self.shown_of_open])
        for content in contents:
            if content.role is None:
                content.role = "user"  # the model's have one; with it, a history can be given to another chat
        return contents

    # --- user verbs ---

    def record(self, user_input: Content, model_output: Sequence[Content], *, valid: bool) -> None:
        """A turn that was had elsewhere. It is curated if it is ``valid``, says something and leaves no call open.

        Raises ValidationError for a role that no history has, and LocalProtocolError while a turn is open.
        """
        if self.state is not ConversationState.IDLE:
            raise LocalProtocolError("a turn is open: end it before another is recorded")
        number = len(self._history.turns) + 1
        self._history.commit(recorded_turn(number, [user_input, *model_output], valid=valid))

    def send(
        self,
        message: Content | str | Sequence[Content] | Draft,
        config: GenerateContentConfig | None = None,
        *,
        stream: bool = True,
    ) -> None:
        """Say something, or answer function calls. The turn, and its request, begin at the next ``next()``.

        A message that begins with function responses answers the calls that are open. Any other begins a turn, and
        abandons one that is open. Raises ValidationError, and then nothing has changed.
        """
        draft = message if isinstance(message, Draft) else self.draft(message, config, stream=stream)
        if draft.responses is not None:
            filled = self._answered(draft.responses)
            self._leave_round()
            self._states.take(ConversationInput.ANSWER)
            self._draft = attrs.evolve(draft, contents=tuple(map(encode_with_blobs, filled)))
            return
        if self._states.state is not _IDLE:
            self.leave_all()
        self._states.take(_SEND)
        self._draft = draft

    def send_function_responses(
        self,
        parts: Iterable[Any] | None = None,
        config: GenerateContentConfig | None = None,
        *,
        stream: bool | None = None,
    ) -> None:
        """Answer the open function calls with parts that hold a function response each, in any order.

        Without ``parts``, responses whose request failed are sent again. ``config`` and ``stream`` are those of the
        message that led to the calls, unless they are given.
        """
        self.send(self.draft_responses(parts, config, stream=stream))

    def answer(self, parts: Iterable[Any]) -> None:
        """Answer the calls of FunctionCallsRequested and go on as the message asked: what a tool loop calls.

        The answer is one of the requests that ``automatic_function_calling`` allows for the message.
        """
        draft = self.draft_responses(parts)
        self.send(attrs.evolve(draft, budget=max(0, draft.budget - 1)))
        if self._open is not None and self._draft is not None:
            self._open.unsent = list(self._draft.contents)  # whatever comes between, they can be sent yet

    def prepare(self, draft: Draft) -> Request:
        """The request that sending ``draft`` now would make. Nothing changes, and nothing is sent."""
        sent = copy.deepcopy(self)
        sent.send(draft)
        step = sent.next()
        assert isinstance(step, SendRequest)  # a turn begins with one
        return step.request

    def abandon(self) -> None:
        """Leave what is under way, now.

        A message that has not begun to be sent is forgotten. An answer that has finished is kept (rule 1). While
        function responses are being answered, the calls are open again. In CALLS_WANTED the open turn is given up.
        With nothing under way, nothing happens.
        """
        match self.state:
            case ConversationState.IDLE:
                self._states.take(ConversationInput.ABANDON)
            case ConversationState.STARTING | ConversationState.ANSWERING:
                self._states.take(ConversationInput.ABANDON)
                self._draft = None
            case ConversationState.CALLS_WANTED:
                self._end(Outcome.ABANDONED, "its function calls were not answered")
            case ConversationState.EXCHANGING:
                if self._exchange is not None:
                    self._exchange.abandon()
                self._leave()

    def _leave_round(self) -> None:
        """Leave a request that is under way, because calls are answered instead: those before it, or its own."""
        turn, exchange = self._open, self._exchange
        if turn is None or exchange is None:
            return
        exchange.abandon()
        if turn.complete:
            self._leave()
        else:
            self._reopen(turn, LocalProtocolError("answered anew"))

    def leave_all(self) -> None:
        """Leave what is under way, and give up function calls that wait: until nothing has been begun."""
        while self.state is not ConversationState.IDLE:
            self.abandon()

    # --- driver verbs ---

    def next(self) -> Step | None:
        """The next step; None when the conversation needs its user."""
        if self._draft is not None:
            self._begin(self._draft)
        while (exchange := self._exchange) is not None:
            found = exchange.advance()
            if isinstance(found, dict):
                handed = self._receive(exchange, found)
                if handed is not None:
                    return handed
            elif isinstance(found, ExchangeEnded):
                return self._close(found.error, found.leftover)
            else:
                return found
        return None

    def receive_response(self, status: int, headers: Headers) -> None:
        """The head of the answer to SendRequest."""
        (self._exchange or self._undriven()).receive_response(status, headers)

    def receive_data(self, data: bytes) -> None:
        """A piece of the body; ``b""`` is its end."""
        (self._exchange or self._undriven()).receive_data(data)

    def receive_failure(self, error: TransportError) -> None:
        """There was no answer, or there will be no more of it."""
        (self._exchange or self._undriven()).receive_failure(error)

    def resume(self, jitter: float = 0.0) -> None:
        """The Wait is over; it took ``jitter`` seconds more than it said."""
        (self._exchange or self._undriven()).resume(jitter)

    def _undriven(self) -> NoReturn:
        # There is an exchange in EXCHANGING and nowhere else, so the table is asked only where there is none.
        self._states.take(ConversationInput.DRIVE)
        raise LocalProtocolError("no request has been handed out; call next() first")
