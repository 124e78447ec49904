"""What becomes of a message before it is sent: it is checked and encoded, and its config is looked at.

Nothing of a conversation is changed here; ``Conversation.send`` takes what is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ValidationError
from ..types import Content, GenerateContentConfig, UserContent
from ..wire.json_blobs import encode_with_blobs
from ..wire.json_codec import decode
from .history import is_closed, written_at
from .memory import Memory
from .rounds import answer_calls, calls_in, responses_in
from .text import encode_message, encode_text
from .turn import Draft, budget_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Drafting", "contents_of"]


class Drafting(Memory):
    """A conversation's drafts."""

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
        said = encode_message(message) if type(message) is str else None
        if said is not None:
            return self._drafted((said,), None, config, stream=stream, by_hand=by_hand, closed=True)
        contents = contents_of(message)
        for index, each in enumerate(contents):
            try:
                self._dialect.check(each)
            except ValidationError as error:
                raise error.under(f"[{index}]") from None
        texts = [text[1] for each in contents if (text := encode_text(each)) is not None]
        if len(texts) == len(contents):  # nothing in it calls or answers
            return self._drafted(tuple(texts), None, config, stream=stream, by_hand=by_hand, closed=True)
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
        usual = self._usual.get((stream, by_hand)) if config is None else None
        if usual is not None:
            draft, self._kept = usual
        else:
            draft = self._unsaid(config, stream=stream, by_hand=by_hand)
            # What the request will be made of is looked at now: next() must not raise for it.
            self._envelope(draft, None)
            kept = self._kept
            if config is None and kept is not None and kept.serves(self._model, draft):
                self._usual[stream, by_hand] = draft, kept
        return draft.saying(contents, responses, closed=closed)

    def _unsaid(self, config: GenerateContentConfig | None, *, stream: bool, by_hand: bool) -> Draft:
        """A draft as its config wants it, and nothing said in it."""
        effective = self._config if config is None else config
        if config is not None and self._config is not None and self.config_mode == "merge":
            effective = _merged(self._config, config)
        return Draft(
            contents=(),
            settings=self._dialect.settings(effective),
            endpoint=self._endpoint.merged(None if effective is None else effective.http_options),
            streamed=stream,
            budget=0 if by_hand else budget_of(effective),
            continues=effective is None or effective.automatic_continuation is not False,
        )

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
            return self._drafted(contents, responses, config, stream=streamed, by_hand=by_hand, closed=closed)
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

    def _answered(self, responses: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        """``responses`` with their ids. Raises ValidationError where they do not answer what is open."""
        turn = self._open
        calls = turn.calls if turn is not None else []
        if turn is not None and self._exchange is not None and turn.complete:
            calls = calls_in(turn.fold.content())  # the calls before it have been answered
        if not calls:
            raise ValidationError("these are function responses, and no function call is open in this chat")
        return answer_calls(calls, responses)


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
