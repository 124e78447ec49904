"""``compat="google-genai"``: a conversation by the rules of google-genai 3.4.0, where they differ from chatproto's own.

What it does in every case is in sections 7.5 to 7.8, 12 and 13.4 of its behaviour; in short:

- There are two lists of Contents, the caller's to change: what is in the curated one is sent. An input and an output
  are recorded at a time, so a turn with function calls is recorded round by round.
- A streamed answer is a Content a chunk. It is valid if every chunk is, and a finish reason came; one that is not is in
  the comprehensive history alone.
- What it does not know of an answer is dropped.
- Function calls are answered without their ids. Nothing keeps one from being sent without an answer.
- What a program puts into a list is sent as google-genai sends it, so it is looked at here, attribute by attribute.
- Messages may overlap: each starts from the history as it is, and is recorded when it ends.
"""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ChatProtoError, ValidationError
from ..types import CitationMetadata, Content, FunctionCall, GenerateContentConfig, GenerateContentResponse, Part
from ..types._dump import known_only, to_wire
from ..types._json import is_object
from ..wire.gemini import GeminiApi
from ..wire.json_codec import encode
from .answering import with_partial
from .conversation import Conversation
from .drafting import contents_of
from .given import check_role, given_content
from .history import History, Outcome, Turn, decode_content, encode_content, written_at
from .states import ConversationInput
from .steps import FunctionCallsRequested, Step, TurnEnded
from .turn import Draft, OpenTurn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..wire.http import Request
    from .given import Given
    from .reading import Reader

__all__ = ["AsyncReferenceConversation", "ReferenceConversation", "ReferenceHistory", "SyncModelsConversation"]


class ReferenceHistory(History):
    """The two lists. They hold the Contents themselves, and are handed out themselves: changing them is felt."""

    __slots__ = ("comprehensive", "curated", "records")

    def __init__(self, contents: Iterable[Content] = ()) -> None:
        super().__init__()
        self.comprehensive: list[Content] = []
        self.curated: list[Content] = []
        #: What each turn of the ledger put into the lists.
        self.records: list[list[Content]] = []
        for place, run in _runs(contents):
            for index, content in enumerate(run, start=place):
                written_at(f".history[{index}]", content)
            self.take(run, valid=run[-1].role == "user" or all(map(_is_valid, _outputs(run))), reason="given")

    def __deepcopy__(self, memo: Any) -> ReferenceHistory:
        # A Content that is in both lists stays one.
        made = ReferenceHistory()
        made.turns = self.turns.copy()
        made.comprehensive, made.curated, made.records = copy.deepcopy(
            (self.comprehensive, self.curated, self.records), memo
        )
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ReferenceHistory, (), (self.turns, self.comprehensive, self.curated, self.records)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.turns, self.comprehensive, self.curated, self.records = state

    def record(self, user_input: Sequence[Content], outputs: list[Content], *, valid: bool, reason: str) -> Turn:
        """An input has got its output; an empty Content stands for none."""
        return self.take([*user_input, *(outputs or [Content(role="model", parts=[])])], valid=valid, reason=reason)

    def take(self, contents: list[Content], *, valid: bool, reason: str) -> Turn:
        """Contents into the comprehensive list, and into the curated one if they are ``valid``."""
        self.comprehensive += contents
        if valid:
            self.curated += contents
        self.records.append(contents)
        turn = Turn(
            number=len(self.turns) + 1,
            outcome=Outcome.COMPLETED if valid else Outcome.BLOCKED,
            reason=reason,
            curated=valid,
            encoded=tuple(map(encode_content, contents)),
            shown=len(contents),
        )
        self.turns.append(turn)
        return turn

    def commit(self, turn: Turn) -> None:
        """A turn that left nothing in the lists."""
        self.turns.append(turn)
        self.records.append([])

    def rewind(self, index: int) -> tuple[Turn, ...]:
        """Forget the turns from ``index`` on, and what they put into the lists, as far as it is there still."""
        gone = {id(content) for record in self.records[index:] for content in record}
        for held in (self.comprehensive, self.curated):
            held[:] = [content for content in held if id(content) not in gone]
        forgotten = tuple(self.turns[index:])
        del self.turns[index:], self.records[index:]
        return forgotten

    def pieces(self) -> tuple[bytes, ...]:
        """The curated contents, encoded as they are now."""
        return (b",".join(map(encode_content, self.curated)),) if self.curated else ()

    def encoded(self, *, curated: bool) -> Iterator[bytes]:
        """The contents of one of the lists, as they are sent."""
        return map(encode_content, self.curated if curated else self.comprehensive)


def _runs(contents: Iterable[Content]) -> Iterator[tuple[int, list[Content]]]:
    """A user content, and the model contents that follow it; with the index of the first.

    Raises ValidationError for another role.
    """
    run: list[Content] = []
    start = 0
    for index, content in enumerate(contents):
        check_role(index, content)
        if content.role == "user" and run:
            yield start, run
            run, start = [], index
        run.append(content)
    if run:
        yield start, run


def _outputs(run: list[Content]) -> list[Content]:
    return [content for content in run if content.role == "model"]


def _is_valid(content: Content | None) -> bool:
    """Whether a content has a part, and none of its parts is empty."""
    return content is not None and bool(content.parts) and not any(map(_is_empty, content.parts or ()))


def _is_empty(part: Part) -> bool:
    return not any(True for _ in part.set_fields())


@attrs.define(kw_only=True, slots=False)
class _Round(OpenTurn):
    """One input whose output is coming."""

    #: All that the request sends.
    said: list[Content]
    #: What will be recorded as the input.
    user_input: tuple[Content, ...]
    outputs: list[Content] = attrs.field(factory=list[Content])
    valid: bool = True
    ended_with_content: bool = False
    rounds: int = 0

    def __deepcopy__(self, memo: Any) -> _Round:
        made = object.__new__(_Round)
        made.__dict__.update(self.__dict__)
        made.said, made.outputs = self.said.copy(), copy.deepcopy(self.outputs, memo)
        made.continuation = copy.copy(self.continuation)
        return made

    @property
    def is_valid(self) -> bool:
        """Whether the output goes into the curated history."""
        streamed = self.draft is not None and self.draft.streamed
        return self.valid and bool(self.outputs) and (not streamed or self.finish_reason is not None)


class ReferenceConversation(Conversation):
    """A chat as google-genai's ``Chat`` is one."""

    #: The name of these rules, in a snapshot.
    rules = "google-genai"
    #: A streamed round whose last chunk has no content is forgotten, and its request made again.
    forgets_rounds = True
    #: Function calls without arguments are passed over.
    skips_bare_calls = True

    _history: ReferenceHistory

    def _remember(self, contents: Iterable[Given]) -> None:
        self._history = ReferenceHistory([given_content(index, item) for index, item in enumerate(contents)])

    def history(self, *, curated: bool = False) -> list[Content]:
        """The list itself."""
        return self._history.curated if curated else self._history.comprehensive

    def called(self) -> list[Content]:
        """What was said before the present answer, if functions were called."""
        turn = self._open
        return list(turn.said) if isinstance(turn, _Round) and turn.rounds else []

    def branch(self) -> ReferenceConversation:
        """A conversation for one message, that records into the same history."""
        made = type(self)(
            self._model,
            config=self._config,
            dialect=self._dialect,
            endpoint=self._endpoint,
            on_incomplete=self._on_incomplete,
            config_mode=self.config_mode,
        )
        made._history = self._history
        return made

    # --- as JSON ---

    def _past_to_json(self) -> dict[str, Any]:
        """The two lists, a Content that is in both written once. A message under way is in none of them."""
        history = self._history
        places = {id(content): index for index, content in enumerate(history.comprehensive)}
        return {
            "rules": self.rules,
            "comprehensive": [to_wire(content) for content in history.comprehensive],
            "curated": [places.get(id(content), to_wire(content)) for content in history.curated],
            "turns": [each.to_json() for each in history.turns],
        }

    def restore(self, reader: Reader) -> None:
        """Become what ``to_json`` wrote. Raises ValidationError."""
        history = ReferenceHistory()
        history.comprehensive = [decode_content(each) for each in reader.contents("comprehensive")]
        for index, item in enumerate(reader.held("curated", list)):
            if type(item) is int and 0 <= item < len(history.comprehensive):
                history.curated.append(history.comprehensive[item])
            elif is_object(item):
                history.curated.append(decode_content(encode(item)))
            else:
                raise reader.wrong(f"curated[{index}]", "expected a content, or the place of one")
        history.turns = [Turn.from_json(each, number) for number, each in enumerate(reader.each("turns"), start=1)]
        left = iter(history.comprehensive)
        history.records = [list(islice(left, turn.shown)) for turn in history.turns]
        self._history = history

    # --- a message ---

    def record(self, user_input: Content, model_output: Sequence[Content], *, valid: bool) -> None:
        """As ``record_history`` of google-genai: the Contents themselves are taken, and none is looked at."""
        self._history.record([user_input], list(model_output), valid=valid, reason="recorded")

    def draft(
        self,
        message: Content | str | Sequence[Content],
        config: GenerateContentConfig | None = None,
        *,
        stream: bool = True,
        by_hand: bool = False,
    ) -> Draft:
        """As every conversation; the contents themselves will be recorded."""
        contents = contents_of(message)
        for index, item in enumerate(self._history.curated):  # the list is the program's, too
            try:
                _sendable(item)
            except ValidationError as error:
                raise error.under(f".history[{index}]") from None
        draft = super().draft(contents, config, stream=stream, by_hand=by_hand)
        return attrs.evolve(draft, said=tuple(contents))

    def _responses(self, documents: list[dict[str, Any]]) -> None:
        """Function responses are a message like others."""

    def answer(self, parts: Iterable[Any]) -> None:
        """Answer the calls, without their ids."""
        self._states.take(ConversationInput.ANSWER)
        turn = self._open
        assert turn is not None
        assert turn.draft is not None  # ANSWERING has an open turn
        content = Content(role="user", parts=[_without_id(part) for part in parts])
        self._draft = attrs.evolve(
            turn.draft,
            contents=(encode_content(content),),
            responses=(),
            said=(content,),
            budget=turn.draft.budget - 1,
        )

    def _opened(self, draft: Draft) -> OpenTurn:
        before = self._open
        if draft.responses is None or not isinstance(before, _Round):
            said = [*map(_sendable, self._history.curated), *draft.said]
            return self._round(draft, said, draft.said, 0)
        if self.forgets_rounds and draft.streamed and not before.ended_with_content:
            return self._round(draft, before.said, before.user_input, before.rounds)
        self._history.record(
            before.user_input, before.outputs, valid=before.is_valid, reason="called functions, which were answered"
        )
        return self._round(draft, [*before.said, *before.outputs, *draft.said], draft.said, before.rounds + 1)

    def _round(self, draft: Draft, said: list[Content], user_input: tuple[Content, ...], rounds: int) -> _Round:
        return _Round(
            number=len(self._history.turns) + 1,
            contents=list(map(encode_content, said)),
            draft=draft,
            said=said,
            user_input=user_input,
            rounds=rounds,
        )

    def _request(self, draft: Draft, said: Sequence[bytes], token: str | None = None) -> Request:
        return self._envelope(draft, token).around((b",".join(said),))

    # --- an answer ---

    def _structured(self, document: dict[str, Any]) -> GenerateContentResponse:
        response = known_only(super()._structured(document))
        held = response.__dict__
        gemini = isinstance(self._dialect, GeminiApi)
        held.pop("create_time" if gemini else "model_status", None)
        for candidate, written in zip(response.candidates or (), document.get("candidates") or (), strict=False):
            if gemini:
                candidate.__dict__.pop("finish_message", None)
            # Each of the two services has its own key for citations.
            citations = written.get("citationMetadata")
            if citations is not None and ("citationSources" if gemini else "citations") not in citations:
                candidate.__dict__["citation_metadata"] = CitationMetadata()
        return response

    @staticmethod
    def _decides(response: GenerateContentResponse) -> bool:  # noqa: ARG004  (whatever it is)
        """Each chunk is a Content of its own, and decides whether the answer is valid."""
        return True

    def _take(
        self, turn: OpenTurn, response: GenerateContentResponse, document: dict[str, Any], *, whole: bool
    ) -> None:
        assert isinstance(turn, _Round)
        if not whole:
            return
        candidate = response.candidates[0] if response.candidates else None
        content = None if candidate is None else candidate.content
        turn.valid = turn.valid and _is_valid(content)
        turn.ended_with_content = content is not None
        if content is not None:
            turn.outputs.append(content)
        if candidate is not None and candidate.finish_reason:
            turn.finish_reason = candidate.finish_reason.value

    def _close(self, error: ChatProtoError | None, leftover: int) -> Step:
        turn = self._open
        assert isinstance(turn, _Round)
        assert turn.draft is not None  # an exchange belongs to a turn that was sent
        if turn.continuation.end(error):
            return self._continue(turn, turn.draft, error)
        error = turn.continuation.error
        if error is not None:
            error = with_partial(error, turn)
            return self._closed(Outcome.FAILED, str(error), error)
        calls = self._calls_of(turn)
        if calls and turn.draft.budget > 1:
            self._exchange = None
            self._states.take(ConversationInput.CALLS)
            return FunctionCallsRequested(calls, automatic=True)
        reason = f"finish reason {turn.finish_reason}" if turn.finish_reason else "answered"
        recorded = self._history.record(turn.user_input, turn.outputs, valid=turn.is_valid, reason=reason)
        return self._over(recorded, None)

    def _calls_of(self, turn: _Round) -> tuple[FunctionCall, ...]:
        calls = [part.function_call for content in turn.outputs for part in content.parts or ()]
        return tuple(
            call
            for call in calls
            if call is not None and call.name is not None and not (self.skips_bare_calls and call.args is None)
        )

    def _leave(self) -> None:
        self._closed(Outcome.ABANDONED, "the caller left before all chunks had been taken")

    def _end(
        self, outcome: Outcome, reason: str, error: ChatProtoError | None = None, *, said: bytes | None = None
    ) -> TurnEnded:
        return self._closed(outcome, reason, error)

    def _closed(self, outcome: Outcome, reason: str, error: ChatProtoError | None = None) -> TurnEnded:
        """A round ended that is in no history."""
        turn = self._open
        assert isinstance(turn, _Round)
        contents = [*turn.user_input, *turn.outputs]
        ended = Turn(
            number=turn.number,
            outcome=outcome,
            reason=reason,
            curated=False,
            encoded=tuple(map(encode_content, contents)),
            shown=0,
        )
        self._history.commit(ended)
        return self._over(ended, error)

    def _over(self, ended: Turn, error: ChatProtoError | None) -> TurnEnded:
        self._states.take(ConversationInput.END)
        self._open = self._exchange = None
        return TurnEnded(ended, error)


class AsyncReferenceConversation(ReferenceConversation):
    """A chat as google-genai's ``AsyncChat`` is one: it records each round, and runs each call."""

    forgets_rounds = False
    skips_bare_calls = False


class SyncModelsConversation(ReferenceConversation):
    """google-genai's synchronous ``models``: without a chat no round is forgotten."""

    forgets_rounds = False


def _sendable(item: Any) -> Content:
    """What a program put into the list, as a content. Raises ValidationError for what cannot be one."""
    if isinstance(item, str):
        return Content(role="user", parts=[Part(text=item)])
    if isinstance(item, Part):
        return Content(role="user", parts=[item])
    return Content.model_validate(item)


def _without_id(part: Part) -> Part:
    response = part.function_response
    if response is None or response.id is None:
        return part
    return part.model_copy(update={"function_response": response.model_copy(update={"id": None})})
