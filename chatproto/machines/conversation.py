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
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

import attrs

from ..errors import (
    ChatProtoError,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    TransportError,
    ValidationError,
)
from ..types import (
    Candidate,
    Content,
    FunctionCall,
    GenerateContentConfig,
    GenerateContentResponse,
    HttpResponse,
    UserContent,
)
from ..types._hooks import converter
from ..wire.endpoint import Endpoint
from ..wire.gemini import Dialect, GeminiApi, generate_request
from ..wire.json_codec import decode, encode, excerpt
from .exchange import Exchange
from .fold import Fold
from .history import History, Outcome, Turn, decode_content, is_closed, last_said, split_turns, written_at
from .retry import RetryPolicy
from .rounds import answer_calls, calls_in, responses_in
from .states import ConversationInput, ConversationState, ConversationStates
from .steps import (
    ChunkReceived,
    DocumentReceived,
    ExchangeEnded,
    FunctionCallsRequested,
    RoundFailed,
    SendRequest,
    Step,
    TurnEnded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..wire.http import Headers, Request

__all__ = ["ConfigMode", "Conversation", "Draft", "OnIncomplete"]

OnIncomplete = Literal["drop", "keep"]
ConfigMode = Literal["replace", "merge"]


@attrs.frozen(kw_only=True)
class Draft:
    """A message that has been checked and encoded, and not been sent. It belongs to no state of a conversation."""

    contents: tuple[bytes, ...] = attrs.field(repr=False)
    #: The contents of a message that begins with function responses, before their ids are filled in.
    responses: tuple[dict[str, Any], ...] | None = attrs.field(repr=False)
    settings: dict[str, Any] = attrs.field(repr=False)
    endpoint: Endpoint
    streamed: bool
    #: No function call in it is left without its response, so that the turn may be curated.
    closed: bool = True


#: Proto's way to say that there is none: the default of the enum, by name and by number.
_NO_REASON = ("", "0", "FINISH_REASON_UNSPECIFIED")


@attrs.define(kw_only=True)
class _OpenTurn:
    """A turn that has not ended."""

    number: int
    #: What was said before the present round, with the message that the round sends.
    contents: list[bytes]
    #: How many of them end with calls that were handed out: those the comprehensive history shows.
    handed_out: int = 0
    calls: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])
    fold: Fold = attrs.Factory(Fold)
    finish_reason: str | None = None
    finish_message: str | None = None
    block_reason: str | None = None
    closed: bool = True

    def __deepcopy__(self, _: Any) -> _OpenTurn:
        # JSON that has come is never changed, so copies may share it, however deep it is nested.
        return attrs.evolve(self, contents=list(self.contents), fold=copy.copy(self.fold))

    def take(self, candidate: Candidate, written: dict[str, Any]) -> None:
        """What one chunk's candidate adds; ``written`` is the JSON that it came as."""
        content = written.get("content")
        if content is not None:
            self.fold.add(content)
        if candidate.finish_reason is not None and candidate.finish_reason.value not in _NO_REASON:
            self.finish_reason = candidate.finish_reason.value
            self.finish_message = candidate.finish_message


class Conversation:
    """The protocol of a chat, without I/O. Drive it with ``next`` and the ``receive_`` verbs, or with a Drive.

    It can be copied and pickled at any step. ``model`` is not looked at before a request is made.
    """

    def __init__(
        self,
        model: str,
        *,
        config: GenerateContentConfig | None = None,
        history: Iterable[Content] = (),
        dialect: Dialect | None = None,
        endpoint: Endpoint | None = None,
        on_incomplete: OnIncomplete = "drop",
        config_mode: ConfigMode = "replace",
    ) -> None:
        """Raises ValidationError for an option or a history that cannot be used.

        ``config`` holds values only: no functions, schema classes or open objects. None sends no
        ``generationConfig`` at all. ``on_incomplete="keep"`` lets an answer that was cut off or left early stay in
        curated history, as far as it had come; one that holds a function call does not, because it has no response.
        ``config_mode="merge"`` lays a message's config over the chat's, field by field, where the default replaces it.
        """
        _one_of("on_incomplete", on_incomplete, ("drop", "keep"))
        _one_of("config_mode", config_mode, ("replace", "merge"))
        self._model = model
        try:
            self._config = copy.deepcopy(config)
        except RecursionError:
            raise ValidationError("nested too deeply", path="$.config") from None
        self._dialect: Dialect = dialect or GeminiApi()
        self._endpoint = endpoint or Endpoint()
        self._on_incomplete = on_incomplete
        self.config_mode: ConfigMode = config_mode
        turns, waiting = split_turns(history)
        self._states = ConversationStates(ConversationState.CALLS_WANTED if waiting else ConversationState.IDLE)
        self._history = History(turns)
        self._open = _waiting_turn(len(turns) + 1, waiting) if waiting else None
        self._draft: Draft | None = None
        self._exchange: Exchange | None = None
        self._streamed = False

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
        return _function_calls(self._open.calls)

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

    def history(self, *, curated: bool = False) -> list[Content]:
        """The contents said so far, decoded anew: the caller's own.

        Comprehensive: completed, blocked and truncated turns, and a turn that waits for function responses up to its
        calls. Curated: what the next request will send, so whole turns with closed tool rounds.
        """
        contents = [decode_content(encoded) for encoded in self._history.encoded(curated=curated)]
        if not curated and self._open is not None:
            contents += map(decode_content, self._open.contents[: self._open.handed_out])
        for content in contents:
            if content.role is None:
                content.role = "user"  # the model's have one; with it, a history can be given to another chat
        return contents

    # --- user verbs ---

    def draft(
        self,
        message: Content | str | Sequence[Content],
        config: GenerateContentConfig | None = None,
        *,
        stream: bool = True,
    ) -> Draft:
        """Check and encode a message, without sending it. Nothing changes.

        ``message`` is a Content, or the text of one, or several that the turn begins with, or goes on with where the
        first holds function responses. Raises ValidationError for what cannot be sent.
        """
        contents = _contents(message)
        for index, each in enumerate(contents):
            try:
                self._dialect.check(each)
            except ValidationError as error:
                raise error.under(f"[{index}]") from None
        documents = [written_at(f"[{index}]", each) for index, each in enumerate(contents)]
        responses = tuple(documents) if responses_in(documents[0]) else None
        if responses is not None:
            self._answered(responses)
        effective = self._effective(config)
        endpoint = self._endpoint.merged(effective.http_options if effective is not None else None)
        draft = Draft(
            contents=tuple(map(encode, documents)),
            responses=responses,
            settings=self._dialect.settings(effective),
            endpoint=endpoint,
            streamed=stream,
            closed=is_closed(documents) if responses is None else not any(map(calls_in, documents)),
        )
        # What the request will be made of is looked at now: next() must not raise for it.
        self._request(draft, draft.contents)
        return draft

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
            self._draft = attrs.evolve(draft, contents=tuple(map(encode, filled)))
            return
        self._leave_all()
        self._states.take(ConversationInput.SEND)
        self._draft = draft

    def send_function_responses(
        self, parts: Iterable[Any], config: GenerateContentConfig | None = None, *, stream: bool = True
    ) -> None:
        """Answer the open function calls with parts that hold a function response each."""
        content = UserContent(list(parts))
        if not responses_in(written_at("", content)):
            raise ValidationError("no part holds a function response")
        self.send(content, config, stream=stream)

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
        if self._is_complete(turn):
            self._leave()
        else:
            self._reopen(turn, LocalProtocolError("answered anew"))

    def _leave_all(self) -> None:
        while self.state is not ConversationState.IDLE:
            self.abandon()

    # --- driver verbs ---

    def next(self) -> Step | None:
        """The next step; None when the conversation needs its user."""
        if self._draft is not None:
            self._begin(self._draft)
        exchange = self._exchange
        if exchange is None:
            return None
        step = exchange.next()
        if isinstance(step, DocumentReceived):
            return self._receive(step)
        if isinstance(step, ExchangeEnded):
            return self._close(step.error, step.leftover)
        return step

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

    # --- the inside: a round begins ---

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
        if turn is not None and self._exchange is not None and self._is_complete(turn):
            calls = calls_in(turn.fold.content())  # the calls before it have been answered
        if not calls:
            raise ValidationError("these are function responses, and no function call is open in this chat")
        return answer_calls(calls, responses)

    def _begin(self, draft: Draft) -> None:
        if draft.responses is None:
            number = len(self._history.turns) + 1
            turn = _OpenTurn(number=number, contents=list(draft.contents), closed=draft.closed)
        else:
            assert self._open is not None  # ANSWERING has an open turn
            turn = attrs.evolve(self._open, contents=[*self._open.contents, *draft.contents], fold=Fold())
            turn.finish_reason = turn.finish_message = turn.block_reason = None
        request = self._request(draft, tuple(turn.contents))
        self._states.take(ConversationInput.BEGIN)
        self._draft = None
        self._open = turn
        policy = RetryPolicy.of(draft.endpoint.retry_options)
        self._exchange = Exchange(request, streamed=draft.streamed, policy=policy)
        self._streamed = draft.streamed

    def _request(self, draft: Draft, said: tuple[bytes, ...]) -> Request:
        pieces = self._history.pieces()
        if said:
            pieces += ((b"," if pieces else b"") + b",".join(said),)
        return generate_request(
            self._dialect,
            draft.endpoint,
            model=self._model,
            method="streamGenerateContent" if draft.streamed else "generateContent",
            contents=pieces,
            settings=draft.settings,
        )

    # --- the inside: an answer arrives ---

    def _receive(self, received: DocumentReceived) -> Step:
        """One chunk, or a whole unary answer."""
        turn = self._open
        assert turn is not None  # an exchange belongs to a turn
        document = received.document
        try:
            response: GenerateContentResponse = converter("wire").structure(document, GenerateContentResponse)
        except (ValidationError, RecursionError) as error:
            where = error.path if isinstance(error, ValidationError) else "$"
            problem = error.problem if isinstance(error, ValidationError) else "JSON nested too deeply"
            if self._exchange is not None:
                self._exchange.abandon()
            return self._close(MalformedResponse(problem, where=where, excerpt=excerpt(encode(document))), 0)
        # A response is its caller's own, so each chunk has its own head.
        response.__dict__["sdk_http_response"] = HttpResponse(headers=dict(received.headers))
        for candidate, written in zip(response.candidates or (), document.get("candidates") or (), strict=True):
            # A chat goes on with candidate number 0, which servers often leave unnumbered.
            if not candidate.index:
                turn.take(candidate, written)
                break
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            turn.block_reason = feedback.block_reason.value
        return ChunkReceived(response)

    def _close(self, error: ChatProtoError | None, leftover: int) -> Step:
        """The exchange is over."""
        turn = self._open
        assert turn is not None
        if self._is_complete(turn):
            # What happened after the finish reason does not undo the answer (rule 1), and is told all the same.
            return self._complete(turn, "" if error is None else f"; after that: {error}", error)
        reopens = bool(turn.handed_out) and not self._keeps(turn)
        if error is not None:
            return self._reopen(turn, error) if reopens else self._end(Outcome.FAILED, str(error), error)
        if turn.fold.usable or not (turn.finish_reason or turn.block_reason or not self._streamed):
            inside = f", inside an event of which {leftover} bytes had come" if leftover else ""
            reason = f"the stream ended without a finish reason{inside}"
            return self._reopen(turn, ConnectionLost(reason)) if reopens else self._end(Outcome.TRUNCATED, reason)
        return self._end(Outcome.BLOCKED, _why_blocked(turn))

    def _keeps(self, turn: _OpenTurn) -> bool:
        """Whether an answer that broke off stays in curated history as far as it came."""
        return self._on_incomplete == "keep" and turn.fold.usable and not calls_in(turn.fold.content())

    def _is_complete(self, turn: _OpenTurn) -> bool:
        """Whether the answer is there to stay. A unary one is whole as soon as there is any of it."""
        return turn.fold.usable and (turn.finish_reason is not None or not self._streamed)

    def _complete(self, turn: _OpenTurn, afterwards: str, error: ChatProtoError | None = None) -> Step:
        content = turn.fold.content()
        try:
            encoded = encode(content)
        except ValidationError as fault:  # cannot be: what was read as JSON can be written as JSON
            return self._end(Outcome.FAILED, str(fault), MalformedResponse(fault.problem))
        calls = calls_in(content)
        if calls:
            self._exchange = None
            turn.contents.append(encoded)
            turn.handed_out = len(turn.contents)
            turn.calls = calls
            self._states.take(ConversationInput.CALLS)
            return FunctionCallsRequested(_function_calls(calls))
        reason = f"finish reason {turn.finish_reason}" if turn.finish_reason else "answered"
        return self._end(Outcome.COMPLETED, reason + afterwards, error, said=encoded)

    def _reopen(self, turn: _OpenTurn, error: ChatProtoError) -> Step:
        """The answers to the calls did not get through: they are open again, and the chat is as it was before."""
        del turn.contents[turn.handed_out :]
        turn.fold = Fold()
        self._exchange = None
        self._states.take(ConversationInput.REOPEN)
        return RoundFailed(error)

    def _leave(self) -> None:
        """The caller left while an answer was under way."""
        turn = self._open
        assert turn is not None
        if self._is_complete(turn):
            self._complete(turn, "; then the caller left")
        elif turn.handed_out and not self._keeps(turn):
            self._reopen(turn, LocalProtocolError("the caller left"))
        else:
            self._end(Outcome.ABANDONED, "the caller left before the answer was finished")

    # --- the inside: a turn ends ---

    def _end(
        self, outcome: Outcome, reason: str, error: ChatProtoError | None = None, *, said: bytes | None = None
    ) -> TurnEnded:
        turn = self._open
        assert turn is not None
        contents = list(turn.contents)
        kept = outcome is Outcome.COMPLETED and turn.closed
        if said is not None:
            contents.append(said)
        elif self.state is ConversationState.EXCHANGING and turn.fold.usable:
            partial = turn.fold.content()
            contents.append(encode(partial))
            unfinished = outcome in (Outcome.TRUNCATED, Outcome.FAILED, Outcome.ABANDONED)
            kept = unfinished and turn.closed and self._keeps(turn)
        shown = len(contents)
        if not kept and outcome in (Outcome.FAILED, Outcome.ABANDONED):
            # Comprehensive history only grows: calls that it has shown stay.
            shown = turn.handed_out
        ended = Turn(
            number=turn.number,
            outcome=outcome,
            reason=reason,
            curated=kept,
            encoded=tuple(contents),
            shown=shown,
        )
        self._states.take(ConversationInput.END)
        self._open = self._exchange = None
        self._history.commit(ended)
        return TurnEnded(ended, error)


def _waiting_turn(number: int, waiting: tuple[bytes, ...]) -> _OpenTurn:
    """The turn of a given history that ends with calls that nobody has answered: they can be answered now."""
    documents = [decode(content, what="a content of the history") for content in waiting]
    calls = [call for document in last_said(documents) for call in calls_in(document)]
    return _OpenTurn(number=number, contents=list(waiting), handed_out=len(waiting), calls=calls)


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


def _one_of(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValidationError(f"{name} is {' or '.join(map(repr, allowed))}, not {given!r}")


def _contents(message: Content | str | Sequence[Content]) -> list[Content]:
    if isinstance(message, str):
        return [UserContent(message)]
    contents: list[Any] = [message] if isinstance(message, Content) else list(message)
    if not contents or not all(isinstance(each, Content) for each in contents):
        raise ValidationError("a message is a Content, a list of Contents that is not empty, or text")
    return contents


def _function_calls(calls: list[dict[str, Any]]) -> tuple[FunctionCall, ...]:
    return tuple(converter("wire").structure(call, FunctionCall) for call in calls)


def _why_blocked(turn: _OpenTurn) -> str:
    if turn.block_reason:
        return f"the prompt was blocked: {turn.block_reason}"
    if turn.finish_reason:
        said = f": {turn.finish_message}" if turn.finish_message else ""
        return f"finish reason {turn.finish_reason}, and nothing that could be used{said}"
    return "the answer had no usable content"
