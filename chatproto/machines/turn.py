"""A turn that is being said: the message as it will be sent, and what has come of the answer so far.

``Draft`` is a message that has been checked; ``OpenTurn`` a turn that has not ended. Both hold plain values only, so
that they can be copied, pickled and written into a snapshot at any step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ValidationError
from ..types import FunctionCall, HttpRetryOptions
from ..types._dump import to_wire
from ..types._hooks import converter
from .continuation import Continuation
from .fold import Fold
from .reading import Reader, contents_to_json

if TYPE_CHECKING:
    from ..types import Content, GenerateContentConfig
    from ..wire.endpoint import Endpoint

__all__ = ["Draft", "OpenTurn", "budget_of", "function_calls", "why_blocked"]

#: The requests that one message may make, its own and those that answer function calls (reference behaviour, 12.1).
DEFAULT_BUDGET = 10


@attrs.define
class Draft:
    """A message that has been checked and encoded, and not been sent. It belongs to no state of a conversation."""

    contents: tuple[bytes, ...] = attrs.field(repr=False)
    settings: dict[str, Any] = attrs.field(repr=False)
    endpoint: Endpoint
    streamed: bool
    #: The contents of a message that begins with function responses, before their ids are filled in.
    responses: tuple[dict[str, Any], ...] | None = attrs.field(default=None, repr=False)
    #: No function call in it is left without its response, so that the turn may be curated.
    closed: bool = True
    #: How many requests may be made for it, this one included; 0 where function calls are answered by hand.
    budget: int = 0
    #: The contents themselves, where a history keeps what the program handed over (``reference``).
    said: tuple[Content, ...] = attrs.field(default=(), repr=False)
    #: An answer that ends with a continuation token is continued.
    continues: bool = True

    def saying(
        self, contents: tuple[bytes, ...], responses: tuple[dict[str, Any], ...] | None, *, closed: bool
    ) -> Draft:
        """Another message that is sent in the same way."""
        # By position, because names would make this twice as dear, and each message needs one.
        return Draft(
            contents,
            self.settings,
            self.endpoint,
            self.streamed,
            responses,
            closed,
            self.budget,
            continues=self.continues,
        )

    def to_json(self, usual: Endpoint) -> dict[str, Any]:
        """All of it as JSON values, for a snapshot; of its endpoint, what is not as ``usual``."""
        return {
            "contents": contents_to_json(self.contents),
            "answers": self.responses is not None,
            "settings": self.settings,
            "endpoint": _endpoint_to_json(self.endpoint, usual),
            "streamed": self.streamed,
            "closed": self.closed,
            "budget": self.budget,
            "continues": self.continues,
        }

    @classmethod
    def from_json(cls, reader: Reader, usual: Endpoint) -> Draft:
        """What ``to_json`` wrote. Raises ValidationError for what it did not."""
        contents = reader.contents("contents")
        answers = reader.held("answers", bool)
        return cls(
            contents=tuple(contents),
            responses=tuple(contents_to_json(contents)) if answers else None,
            settings=reader.held("settings", dict),
            endpoint=_endpoint_from_json(reader, usual),
            streamed=reader.held("streamed", bool),
            closed=reader.held("closed", bool),
            budget=reader.count("budget"),
            continues=reader.held("continues", bool),
        )


def _endpoint_to_json(endpoint: Endpoint, usual: Endpoint) -> dict[str, Any]:
    """What a message's own ``http_options`` said; but a snapshot does not say where requests go."""
    names = ("api_version", "timeout", "retry_options", "extra_body")
    return {name: to_wire(getattr(endpoint, name)) for name in names if getattr(endpoint, name) != getattr(usual, name)}


def _endpoint_from_json(reader: Reader, usual: Endpoint) -> Endpoint:
    inner = reader.needed("endpoint")
    nothing = type(None)
    kinds: dict[str, tuple[type, ...]] = {
        "api_version": (str,),
        "timeout": (float, int, nothing),
        "retry_options": (dict, nothing),
        "extra_body": (dict, nothing),
    }
    changes = {name: inner.held(name, *each) for name, each in kinds.items() if name in inner.document}
    try:
        if changes.get("retry_options") is not None:
            changes["retry_options"] = converter("wire").structure(changes["retry_options"], HttpRetryOptions)
        return attrs.evolve(usual, **changes)
    except ValidationError as error:
        raise inner.wrong("retry_options", error.problem) from None


def budget_of(config: GenerateContentConfig | None) -> int:
    """How many requests ``automatic_function_calling`` allows for one message; 0 where it is off."""
    options = None if config is None else config.automatic_function_calling
    if options is None:
        return DEFAULT_BUDGET
    if options.disable:
        return 0
    most = options.maximum_remote_calls
    return DEFAULT_BUDGET if most is None else max(0, most)


#: Proto's way to say that there is none: the default of the enum, by name and by number.
_NO_REASON = ("", "0", "FINISH_REASON_UNSPECIFIED")


# To call ``list[bytes]`` itself would take ten times as long.
def _no_documents() -> list[dict[str, Any]]:
    return []


def _no_contents() -> list[bytes]:
    return []


def _not_continued_yet(turn: OpenTurn) -> Continuation:
    draft = turn.draft
    if draft is None:
        return Continuation(enabled=False, streamed=False)
    return Continuation(enabled=draft.continues, streamed=draft.streamed)


@attrs.define(slots=False)  # without slots a copy is one update of a dict
class OpenTurn:
    """A turn that has not ended."""

    number: int
    #: What was said before the present round, with the message that the round sends.
    contents: list[bytes]
    #: How the present round was sent; None in a turn of a given history that waits for function responses.
    draft: Draft | None = None
    #: How many of the contents end with calls that were handed out: those the comprehensive history shows.
    handed_out: int = 0
    calls: list[dict[str, Any]] = attrs.field(factory=_no_documents)
    #: Responses to ``calls`` whose request failed: they need not be worked out again.
    unsent: list[bytes] = attrs.field(factory=_no_contents)
    continuation: Continuation = attrs.field(default=attrs.Factory(_not_continued_yet, takes_self=True))
    fold: Fold = attrs.Factory(Fold)
    #: Of a unary answer: all of it has come.
    whole: bool = False
    finish_reason: str | None = None
    finish_message: str | None = None
    block_reason: str | None = None
    closed: bool = True

    def __deepcopy__(self, memo: Any) -> OpenTurn:
        # JSON that has come is never changed, so copies may share it, however deep it is nested.
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.contents, made.unsent = self.contents.copy(), self.unsent.copy()
        made.fold, made.continuation = self.fold.__copy__(), self.continuation.__copy__()
        return made

    def finish(self, reason: str, message: str | None) -> None:
        """The model has said why it ended."""
        if reason not in _NO_REASON:
            self.finish_reason, self.finish_message = reason, message

    def to_json(self, usual: Endpoint) -> dict[str, Any]:
        """All of it as JSON values, for a snapshot."""
        return {
            "contents": contents_to_json(self.contents),
            "draft": None if self.draft is None else self.draft.to_json(usual),
            "handedOut": self.handed_out,
            "calls": self.calls,
            "unsent": contents_to_json(self.unsent),
            "continuation": self.continuation.to_json(),
            "answer": self.fold.to_json(),
            "whole": self.whole,
            "finishReason": self.finish_reason,
            "finishMessage": self.finish_message,
            "blockReason": self.block_reason,
            "closed": self.closed,
        }

    @classmethod
    def from_json(cls, reader: Reader, number: int, usual: Endpoint) -> OpenTurn:
        """What ``to_json`` wrote. Raises ValidationError for what it did not."""
        draft = reader.inner("draft")
        contents = reader.contents("contents")
        return cls(
            number=number,
            contents=contents,
            draft=None if draft is None else Draft.from_json(draft, usual),
            handed_out=min(len(contents), reader.count("handedOut")),
            calls=reader.values("calls", FunctionCall),
            unsent=reader.contents("unsent"),
            continuation=Continuation.read(reader.needed("continuation")),
            fold=Fold.from_json(reader.needed("answer")),
            whole=reader.held("whole", bool),
            finish_reason=reader.held("finishReason", str, type(None)),
            finish_message=reader.held("finishMessage", str, type(None)),
            block_reason=reader.held("blockReason", str, type(None)),
            closed=reader.held("closed", bool),
        )

    @property
    def complete(self) -> bool:
        """Whether the answer is there to stay (rule 1)."""
        streamed = self.draft is None or self.draft.streamed
        return self.fold.usable and (self.finish_reason is not None if streamed else self.whole)


def function_calls(calls: list[dict[str, Any]]) -> tuple[FunctionCall, ...]:
    """Calls as values."""
    return tuple(converter("wire").structure(call, FunctionCall) for call in calls)


def why_blocked(turn: OpenTurn) -> str:
    """Why a turn that the server ended holds nothing."""
    if turn.block_reason:
        return f"the prompt was blocked: {turn.block_reason}"
    if turn.finish_reason:
        said = f": {turn.finish_message}" if turn.finish_message else ""
        return f"finish reason {turn.finish_reason}, and nothing that could be used{said}"
    return "the answer had no usable content"
