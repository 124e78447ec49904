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
from typing import TYPE_CHECKING, Any, Self

import attrs

from ..errors import LocalProtocolError, TransportError, ValidationError
from ..types import Content, FunctionCall, GenerateContentConfig, UserContent
from ..wire.json_blobs import encode_with_blobs
from ..wire.json_codec import decode, encode
from .answering import Answering
from .given import encode_text, recorded_turn
from .history import Outcome, Turn, decode_content, is_closed, written_at
from .memory import ConfigMode, OnIncomplete
from .rounds import answer_calls, calls_in, responses_in
from .states import ConversationInput, ConversationState
from .steps import (
    DocumentReceived,
    ExchangeEnded,
    FunctionCallsRequested,
    RoundFailed,
    SendRequest,
    Step,
    TurnEnded,
)
from .turn import Draft, budget_of, function_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..wire.http import Headers, Request
    from .exchange import Exchange

__all__ = ["ConfigMode", "Conversation", "OnIncomplete", "contents_of"]


class Conversation(Answering):
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

    def draft(
        self,
        message: Content | str | Sequence[Content],
        config: GenerateContentConfig | None = None,
        *,
        stream: bool = True,
        by_hand: bool = False,
    ) -> Draft:
        """Check and encode a message, without sending it. Nothing changes.

        ``message`` is a Content, or the text of one, or several that the turn begins with, or goes on with where the
        first holds function responses. ``by_hand`` says that no function will be run without asking, whatever the
        config's ``automatic_function_calling`` allows. Raises ValidationError for what cannot be sent.
        """
        if type(message) is str:
            said = encode({"parts": [{"text": message}], "role": "user"})  # as its Content is written
            draft = self._drafted((said,), None, config, stream=stream, by_hand=by_hand, closed=True)
            self._envelope(draft, None)
            return draft
        contents = contents_of(message)
        for index, each in enumerate(contents):
            try:
                self._dialect.check(each)
            except ValidationError as error:
                raise error.under(f"[{index}]") from None
        texts = [text[1] for each in contents if (text := encode_text(each)) is not None]
        if len(texts) == len(contents):  # nothing in it calls or answers
            draft = self._drafted(tuple(texts), None, config, stream=stream, by_hand=by_hand, closed=True)
        else:
            draft = self._draft_of_any(contents, config, stream=stream, by_hand=by_hand)
        # What the request will be made of is looked at now: next() must not raise for it.
        self._envelope(draft, None)
        return draft

    def _draft_of_any(
        self, contents: list[Content], config: GenerateContentConfig | None, *, stream: bool, by_hand: bool
    ) -> Draft:
        documents = [written_at(f"[{index}]", each) for index, each in enumerate(contents)]
        responses = self._responses(documents)
        closed = is_closed(documents) if responses is None else not any(map(calls_in, documents))
        encoded = tuple(map(encode_with_blobs, documents))
        return self._drafted(encoded, responses, config, stream=stream, by_hand=by_hand, closed=closed)

    def _responses(self, documents: list[dict[str, Any]]) -> tuple[dict[str, Any], ...] | None:
        """``documents``, if they answer function calls. Raises ValidationError where they do not fit what is open."""
        if not responses_in(documents[0]):
            return None
        self._answered(tuple(documents))
        return tuple(documents)

    def _drafted(
        self,
        contents: tuple[bytes, ...],
        responses: tuple[dict[str, Any], ...] | None,
        config: GenerateContentConfig | None,
        *,
        stream: bool,
        by_hand: bool,
        closed: bool,
    ) -> Draft:
        effective = self._effective(config)
        endpoint = self._endpoint.merged(effective.http_options if effective is not None else None)
        return Draft(
            contents=contents,
            responses=responses,
            settings=self._settings(effective),
            endpoint=endpoint,
            streamed=stream,
            closed=closed,
            budget=0 if by_hand else budget_of(effective),
            continues=effective is None or effective.automatic_continuation is not False,
        )

    def _settings(self, effective: GenerateContentConfig | None) -> dict[str, Any]:
        if effective is not self._config:
            return self._dialect.settings(effective)
        if self._own_settings is None:
            self._own_settings = self._dialect.settings(effective)
        return self._own_settings

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
        self.leave_all()
        self._states.take(ConversationInput.SEND)
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

    def draft_responses(
        self,
        parts: Iterable[Any] | None = None,
        config: GenerateContentConfig | None = None,
        *,
        stream: bool | None = None,
        by_hand: bool = False,
    ) -> Draft:
        """``draft`` for what ``send_function_responses`` takes."""
        before = None if self._open is None else self._open.draft
        streamed = (before is None or before.streamed) if stream is None else stream
        given = None if parts is None else list(parts)
        if given is not None and not given:
            raise ValidationError("no function response was handed over")
        documents = self._unsent() if given is None else [self._checked_responses(given)]
        if not responses_in(documents[0]):
            raise ValidationError("no part holds a function response")
        responses = tuple(documents)
        self._answered(responses)
        closed = not any(map(calls_in, documents))
        contents = tuple(map(encode_with_blobs, documents))
        if before is None or config is not None:
            draft = self._drafted(contents, responses, config, stream=streamed, by_hand=by_hand, closed=closed)
        else:
            draft = attrs.evolve(before, contents=contents, responses=responses, streamed=streamed, closed=closed)
        self._envelope(draft, None)
        return draft

    def _checked_responses(self, parts: list[Any]) -> dict[str, Any]:
        content = UserContent(parts)
        self._dialect.check(content)
        return written_at("", content)

    def _unsent(self) -> list[dict[str, Any]]:
        turn = self._open
        unsent = [] if turn is None else turn.unsent
        if turn is not None and turn.handed_out and not unsent and not turn.complete:
            unsent = turn.contents[turn.handed_out :]  # those that are under way
        if not unsent:
            raise ValidationError("no function responses wait to be sent again: hand over parts that hold some")
        return [decode(content, what="a function response") for content in unsent]

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

    def _effective(self, config: GenerateContentConfig | None) -> GenerateContentConfig | None:
        if config is None:
            return self._config
        if self.config_mode == "merge" and self._config is not None:
            return _merged(self._config, config)
        return config

    def _answered(self, responses: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        """``responses`` with their ids. Raises ValidationError where they do not answer what is open."""
        turn = self._open
        calls = turn.calls if turn is not None else []
        if turn is not None and self._exchange is not None and turn.complete:
            calls = calls_in(turn.fold.content())  # the calls before it have been answered
        if not calls:
            raise ValidationError("these are function responses, and no function call is open in this chat")
        return answer_calls(calls, responses)

    # --- driver verbs ---

    def next(self) -> Step | None:
        """The next step; None when the conversation needs its user."""
        if self._draft is not None:
            self._begin(self._draft)
        while (exchange := self._exchange) is not None:
            step = exchange.next()
            if isinstance(step, DocumentReceived):
                handed = self._receive(step)
                if handed is not None:
                    return handed
            elif isinstance(step, ExchangeEnded):
                return self._close(step.error, step.leftover)
            else:
                return step
        return None

    def receive_response(self, status: int, headers: Headers) -> None:
        """The head of the answer to SendRequest."""
        self._driven().receive_response(status, headers)

    def receive_data(self, data: bytes) -> None:
        """A piece of the body; ``b""`` is its end."""
        self._driven().receive_data(data)

    def receive_failure(self, error: TransportError) -> None:
        """There was no answer, or there will be no more of it."""
        self._driven().receive_failure(error)

    def resume(self, jitter: float = 0.0) -> None:
        """The Wait is over; it took ``jitter`` seconds more than it said."""
        self._driven().resume(jitter)

    def _driven(self) -> Exchange:
        self._states.take(ConversationInput.DRIVE)
        if self._exchange is None:
            raise LocalProtocolError("no request has been handed out; call next() first")
        return self._exchange


def _merged(ours: GenerateContentConfig, over: GenerateContentConfig) -> GenerateContentConfig:
    """``over`` laid over ``ours``, field by field; one kind of schema takes the place of the other."""
    changes: dict[str, Any] = dict(over.set_fields())
    if over.http_options is not None and ours.http_options is not None:
        changes["http_options"] = ours.http_options.model_copy(update=dict(over.http_options.set_fields()))
    if over.response_json_schema is not None:
        changes.setdefault("response_schema", None)
    if over.response_schema is not None:
        changes.setdefault("response_json_schema", None)
    return ours.model_copy(update=changes)


def contents_of(message: Content | str | Sequence[Content]) -> list[Content]:
    """A message as Contents: one, several, or the text of one. Raises ValidationError."""
    if isinstance(message, str):
        return [UserContent(message)]
    contents: list[Any] = [message] if isinstance(message, Content) else list(message)
    if not contents or not all(isinstance(each, Content) for each in contents):
        raise ValidationError("a message is a Content, a list of Contents that is not empty, or text")
    return contents
