"""A conversation as JSON text, at any step, and back (law L13).

It holds values only: what was said, how it was asked for, and how far it has come; no credential, no header, no
function. A request that is under way when it is written is read as one whose connection was lost at that moment: what
had arrived is handed out first, an answer with a continuation token is continued, and else the turn ends as it would.

The document's version is a whole number. A later one is refused; members that this version does not know are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from ..errors import ConnectionLost, MalformedResponse, ValidationError
from ..types import (
    AutomaticFunctionCallingConfig,
    Content,
    GenerateContentConfig,
    HttpOptions,
    HttpRetryOptions,
)
from ..types._dump import to_wire
from ..types._hooks import converter
from ..types._json import is_object
from ..wire.endpoint import Endpoint
from ..wire.json_codec import MAX_DEPTH, decode, encode
from .continuation import Continuation
from .conversation import Conversation
from .exchange_snapshot import read_exchange, write_exchange
from .fold import Fold
from .history import History, Outcome, Turn
from .reference import AsyncReferenceConversation, ReferenceConversation, ReferenceHistory
from .states import ConversationState
from .turn import Draft, OpenTurn

if TYPE_CHECKING:
    from ..wire.gemini import Dialect

__all__ = ["FORMAT", "VERSION", "read", "write"]

FORMAT = "chatproto chat"
VERSION = 1

Json = dict[str, Any]

_DEPTH = MAX_DEPTH + 16  # a content may be as deep as it may be on the wire
_LOST = "the chat was restored while an answer was under way"
#: What is never sent has no place on the wire, but belongs to a config.
_CLIENT_SIDE: Mapping[str, Any] = {
    "automaticContinuation": bool,
    "automaticFunctionCalling": AutomaticFunctionCallingConfig,
    "httpOptions": HttpOptions,
    "shouldReturnHttpResponse": bool,
}


# --- writing ------------------------------------------------------------------------------------------------------


def write(conversation: Conversation) -> str:
    """The conversation as JSON text. It is not changed."""
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "model": conversation.model,
        "config": _write_config(conversation._config),
        "onIncomplete": conversation._on_incomplete,
        "configMode": conversation.config_mode,
    }
    if isinstance(conversation, ReferenceConversation):
        document |= _write_reference(conversation)
    else:
        document["turns"] = [_write_turn(turn) for turn in conversation.turns]
        document["open"] = _write_open(conversation)
        document["draft"] = _write_draft(conversation._draft, conversation)
    return encode({**conversation.unknown, **document}, depth=_DEPTH).decode()


def _write_config(config: GenerateContentConfig | None) -> Json | None:
    if config is None:
        return None
    written: Json = to_wire(config)
    for key in _CLIENT_SIDE:
        item = getattr(config, _snake(key))
        if item is not None:
            written[key] = to_wire(item)
    return written


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _write_turn(turn: Turn) -> Json:
    return {
        "outcome": turn.outcome.value,
        "reason": turn.reason,
        "curated": turn.curated,
        "shown": turn.shown,
        "contents": _contents(turn.encoded),
    }


def _contents(encoded: tuple[bytes, ...] | list[bytes]) -> list[Any]:
    return [decode(each, what="a content of the history") for each in encoded]


def _write_open(conversation: Conversation) -> Json | None:
    turn = conversation._open
    if turn is None:
        return None
    exchange = conversation._exchange
    return {
        "state": conversation.state.value,
        "contents": _contents(turn.contents),
        "handedOut": turn.handed_out,
        "calls": turn.calls,
        "unsent": _contents(turn.unsent),
        "closed": turn.closed,
        "draft": _write_draft(turn.draft, conversation),
        "continuation": turn.continuation.to_json(),
        "answer": turn.fold.to_json(),
        "whole": turn.whole,
        "finishReason": turn.finish_reason,
        "finishMessage": turn.finish_message,
        "blockReason": turn.block_reason,
        "exchange": None if exchange is None else write_exchange(exchange, ConnectionLost(_LOST)),
    }


def _write_draft(draft: Draft | None, conversation: Conversation) -> Json | None:
    if draft is None:
        return None
    return {
        "contents": _contents(draft.contents),
        "answers": draft.responses is not None,
        "settings": draft.settings,
        "endpoint": _write_endpoint(draft.endpoint, conversation._endpoint),
        "streamed": draft.streamed,
        "closed": draft.closed,
        "budget": draft.budget,
        "continues": draft.continues,
    }


def _write_endpoint(endpoint: Endpoint, usual: Endpoint) -> Json:
    """What a message's own ``http_options`` said of where it goes."""
    changed: Json = {}
    for each in attrs.fields(Endpoint):
        item = getattr(endpoint, each.name)
        if item != getattr(usual, each.name) and each.name != "labels":
            changed[each.name] = to_wire(item)
    return changed


def _write_reference(conversation: ReferenceConversation) -> Json:
    """The two lists: a Content that is in both is written once."""
    history = conversation._history
    places = {id(content): index for index, content in enumerate(history.comprehensive)}
    return {
        "rules": "google-genai",
        "comprehensive": [to_wire(content) for content in history.comprehensive],
        "curated": [places.get(id(content), to_wire(content)) for content in history.curated],
        "turns": [_write_turn(turn) for turn in history.turns],
    }


# --- reading ------------------------------------------------------------------------------------------------------


def read(
    data: str | bytes | Mapping[str, Any],
    *,
    dialect: Dialect | None = None,
    endpoint: Endpoint | None = None,
    config: GenerateContentConfig | None = None,
    asynchronous: bool = False,
) -> Conversation:
    """The conversation that ``write`` wrote: as text, or decoded. ``config`` takes the place of the one in it.

    ``asynchronous`` matters to a chat by google-genai's rules alone: its two kinds differ. Raises ValidationError.
    """
    document = _checked(data)
    reader = _Reader(document)
    try:
        reference = document.get("rules") == "google-genai"
        usual = AsyncReferenceConversation if asynchronous else ReferenceConversation
        made = (usual if reference else Conversation)(
            reader.held("model", str),
            config=config or _read_config(reader.held("config", dict, type(None))),
            dialect=dialect,
            endpoint=endpoint,
            on_incomplete=reader.held("onIncomplete", str),
            config_mode=reader.held("configMode", str),
        )
        made.unknown = {key: held for key, held in document.items() if key not in _KNOWN}
        if isinstance(made, ReferenceConversation):
            _read_reference(reader, made)
        else:
            _read_state(reader, made)
    except MalformedResponse as error:
        raise ValidationError(f"not a snapshot of a chat: {error}") from None
    return made


_KNOWN = frozenset(
    {
        *("format", "version", "model", "config", "onIncomplete", "configMode", "turns", "open", "draft", "rules"),
        *("comprehensive", "curated"),
    }
)


def _checked(data: str | bytes | Mapping[str, Any]) -> Json:
    document: Any = data
    if isinstance(data, (str, bytes)):
        try:
            document = decode(data, what="the snapshot", depth=_DEPTH)
        except MalformedResponse as error:
            raise ValidationError(str(error)) from None
    elif isinstance(data, Mapping):
        document = dict(data)
    if not is_object(document) or document.get("format") != FORMAT:
        raise ValidationError("not a snapshot of a chat: hand over what chat.snapshot() gave")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ValidationError(f"a version is a number from 1, not {version!r}", path="$.version")
    if version > VERSION:
        raise ValidationError(
            f"a later chatproto wrote this snapshot: it has version {version}, and this one reads up to {VERSION}",
            path="$.version",
        )
    return document


class _Reader:
    """A JSON object whose members are looked at. Raises ValidationError with the path of what is not right."""

    def __init__(self, document: Json, path: str = "$") -> None:
        self._document = document
        self._path = path

    def held(self, key: str, *kinds: type) -> Any:
        """The value of ``key``, which is of one of ``kinds``."""
        item = self._document.get(key)
        if type(item) not in kinds:
            wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
            raise ValidationError(f"expected {wanted}, got {type(item).__name__}", path=f"{self._path}.{key}")
        return item

    def inner(self, key: str) -> _Reader | None:
        """The object of ``key``; None where it is null."""
        item = self.held(key, dict, type(None))
        return None if item is None else _Reader(item, f"{self._path}.{key}")

    def each(self, key: str) -> list[_Reader]:
        """The objects of a list."""
        return [_Reader(_object(item, path), path) for path, item in self._items(key)]

    def contents(self, key: str) -> list[bytes]:
        """The Contents of a list, encoded as they are sent."""
        return [encode(_object(item, path)) for path, item in self._items(key)]

    def _items(self, key: str) -> list[tuple[str, Any]]:
        return [(f"{self._path}.{key}[{index}]", item) for index, item in enumerate(self.held(key, list))]


def _object(item: Any, path: str) -> Json:
    if not is_object(item):
        raise ValidationError(f"expected an object, got {type(item).__name__}", path=path)
    return item


def _read_config(document: Json | None) -> GenerateContentConfig | None:
    if document is None:
        return None
    sent = {key: held for key, held in document.items() if key not in _CLIENT_SIDE}
    hooks = converter("wire")
    config: GenerateContentConfig = hooks.structure(sent, GenerateContentConfig)
    kept = {key: kind for key, kind in _CLIENT_SIDE.items() if document.get(key) is not None}
    return config.model_copy(update={_snake(key): hooks.structure(document[key], kind) for key, kind in kept.items()})


def _read_turn(number: int, reader: _Reader) -> Turn:
    encoded = tuple(reader.contents("contents"))
    outcome = reader.held("outcome", str)
    try:
        ended = Outcome(outcome)
    except ValueError:
        raise ValidationError(f"not an outcome: {outcome!r}") from None
    return Turn(
        number=number,
        outcome=ended,
        reason=reader.held("reason", str),
        curated=reader.held("curated", bool),
        encoded=encoded,
        shown=min(len(encoded), reader.held("shown", int)),
    )


def _read_turns(reader: _Reader) -> list[Turn]:
    return [_read_turn(number, each) for number, each in enumerate(reader.each("turns"), start=1)]


def _read_state(reader: _Reader, made: Conversation) -> None:
    made._history = History(_read_turns(reader))
    made._draft = _read_draft(reader.inner("draft"), made)
    open_turn = reader.inner("open")
    state = ConversationState.STARTING if made._draft is not None else ConversationState.IDLE
    if open_turn is not None:
        state = ConversationState(open_turn.held("state", str))
        made._open = _read_open(open_turn, made)
        made._exchange = _restored_exchange(open_turn, made, made._open)
    made._states.restore(state)


def _read_open(reader: _Reader, made: Conversation) -> OpenTurn:
    return OpenTurn(
        number=len(made.turns) + 1,
        contents=reader.contents("contents"),
        draft=_read_draft(reader.inner("draft"), made),
        handed_out=reader.held("handedOut", int),
        calls=copy.deepcopy(reader.held("calls", list)),
        unsent=reader.contents("unsent"),
        continuation=Continuation.from_json(reader.held("continuation", dict)),
        fold=Fold.from_json(reader.held("answer", dict)),
        whole=reader.held("whole", bool),
        finish_reason=reader.held("finishReason", str, type(None)),
        finish_message=reader.held("finishMessage", str, type(None)),
        block_reason=reader.held("blockReason", str, type(None)),
        closed=reader.held("closed", bool),
    )


def _restored_exchange(reader: _Reader, made: Conversation, turn: OpenTurn) -> Any:
    document = reader.held("exchange", dict, type(None))
    if document is None or turn.draft is None:
        return None
    request = made._request(turn.draft, tuple(turn.contents), turn.continuation.token)
    return read_exchange(document, request, turn.draft)


def _read_draft(reader: _Reader | None, made: Conversation) -> Draft | None:
    if reader is None:
        return None
    contents = reader.contents("contents")
    answers = reader.held("answers", bool)
    return Draft(
        contents=tuple(contents),
        responses=tuple(decode(each, what="a function response") for each in contents) if answers else None,
        settings=reader.held("settings", dict),
        endpoint=_read_endpoint(reader.held("endpoint", dict), made._endpoint),
        streamed=reader.held("streamed", bool),
        closed=reader.held("closed", bool),
        budget=reader.held("budget", int),
        continues=reader.held("continues", bool),
    )


def _read_endpoint(changed: Json, usual: Endpoint) -> Endpoint:
    changes: Json = {each.name: changed[each.name] for each in attrs.fields(Endpoint) if each.name in changed}
    if changes.get("retry_options") is not None:
        changes["retry_options"] = converter("wire").structure(changes["retry_options"], HttpRetryOptions)
    return attrs.evolve(usual, **changes)


def _read_reference(reader: _Reader, made: ReferenceConversation) -> None:
    hooks = converter("wire")
    history = ReferenceHistory()
    history.comprehensive = [hooks.structure(item, Content) for item in reader.held("comprehensive", list)]
    for item in reader.held("curated", list):
        if type(item) is int and 0 <= item < len(history.comprehensive):
            history.curated.append(history.comprehensive[item])
        else:
            history.curated.append(hooks.structure(item, Content))
    history.turns = _read_turns(reader)
    history.records = _records(history)
    made._history = history


def _records(history: ReferenceHistory) -> list[list[Content]]:
    """What each turn put into the comprehensive list, as far as that is still as they left it."""
    left = iter(history.comprehensive)
    return [[content for content, _ in zip(left, range(turn.shown))] for turn in history.turns]  # noqa: B905
