"""What a conversation is made of, and how that is written as JSON and read again (law L13).

All of it is plain values: bytes, wire JSON, attrs objects. No function, schema class, lock or open object is among it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs

from ..errors import ConnectionLost, ValidationError
from ..types import (
    AutomaticFunctionCallingConfig,
    Content,
    GenerateContentConfig,
    HttpOptions,
    Schema,
    SpeechConfig,
    Tool,
)
from ..types._dump import to_wire
from ..types._hooks import converter
from ..types._json import is_object
from ..wire.endpoint import Endpoint
from ..wire.gemini import Dialect, Envelope, GeminiApi, envelope_for
from ..wire.json_codec import decode
from .exchange import Exchange
from .given import last_said, split_turns
from .history import History, Turn
from .retry import RetryPolicy
from .rounds import calls_in
from .states import ConversationState, ConversationStates
from .turn import Draft, OpenTurn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..wire.http import Request
    from .given import Given
    from .reading import Reader

__all__ = ["ConfigMode", "Memory", "OnIncomplete", "config_from_json"]

OnIncomplete = Literal["drop", "keep"]
ConfigMode = Literal["replace", "merge"]

_LOST = "the chat was restored while an answer was under way"
#: Fields of a config that are never sent, so the wire has no place for them.
_CLIENT_SIDE: dict[str, tuple[str, Any]] = {
    "automaticContinuation": ("automatic_continuation", bool),
    "automaticFunctionCalling": ("automatic_function_calling", AutomaticFunctionCallingConfig),
    "httpOptions": ("http_options", HttpOptions),
    "shouldReturnHttpResponse": ("should_return_http_response", bool),
}
#: Fields that a program may give in several forms, and the one that they have by now.
_SETTLED: dict[str, tuple[str, Any]] = {
    "responseSchema": ("response_schema", Schema),
    "speechConfig": ("speech_config", SpeechConfig),
    "systemInstruction": ("system_instruction", Content),
    "tools": ("tools", list[Tool]),
}


_SERVER = frozenset({"baseUrl", "base_url", "baseUrlResourceScope", "base_url_resource_scope"})


@attrs.frozen
class _Kept:
    """The envelope of the last request, and what it was made for: never changed, so told apart by identity."""

    model: str
    settings: dict[str, Any]
    endpoint: Endpoint
    streamed: bool
    envelope: Envelope

    def serves(self, model: str, draft: Draft) -> bool:
        """Whether it is that of ``draft``, too."""
        same = self.settings is draft.settings and self.endpoint is draft.endpoint
        return same and self.streamed == draft.streamed and self.model == model


class Memory:
    """The state of a conversation, and the requests that follow from it."""

    def __init__(
        self,
        model: str,
        *,
        config: GenerateContentConfig | None = None,
        history: Iterable[Given] = (),
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
        self._on_incomplete: OnIncomplete = on_incomplete
        self.config_mode: ConfigMode = config_mode
        self._states = ConversationStates(ConversationState.IDLE)
        self._history = History()
        self._open: OpenTurn | None = None
        self._draft: Draft | None = None
        self._exchange: Exchange | None = None
        #: Drafts that say nothing yet, and their envelopes: what follows from the chat's own config, streamed or not,
        #: by hand or not. Copies share it.
        self._usual: dict[tuple[bool, bool], tuple[Draft, _Kept]] = {}
        self._kept: _Kept | None = None
        #: Members of a snapshot that this version does not know.
        self.unknown: dict[str, Any] = {}
        self._remember(history)

    def _remember(self, contents: Iterable[Given]) -> None:
        """The history that the chat begins with."""
        turns, waiting = split_turns(contents)
        self._history = History(turns)
        if waiting:
            self._open = _waiting_turn(len(turns) + 1, waiting)
            self._states.restore(ConversationState.CALLS_WANTED)

    def _request(self, draft: Draft, said: Sequence[bytes], token: str | None = None) -> Request:
        return self._envelope(draft, token).around(self._history.before(said))

    def _envelope(self, draft: Draft, token: str | None) -> Envelope:
        kept = self._kept
        if token is None and kept is not None and kept.serves(self._model, draft):
            return kept.envelope
        made = envelope_for(
            self._dialect,
            draft.endpoint,
            model=self._model,
            method="streamGenerateContent" if draft.streamed else "generateContent",
            settings=draft.settings if token is None else {**draft.settings, "continuationToken": token},
        )
        # What a program has put into ``extra_body`` is its own, and may be another thing at the next message.
        if token is None and not draft.endpoint.extra_body:
            self._kept = _Kept(self._model, draft.settings, draft.endpoint, draft.streamed, made)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Sweeps copy a machine at every byte: what never changes is shared, and what it alone holds is asked for its
        # copy directly, because the records that copy.deepcopy keeps would cost more than the copies.
        made = object.__new__(type(self))
        made.__dict__.update(
            self.__dict__,
            _states=self._states.__deepcopy__(memo),
            _history=self._history.__deepcopy__(memo),
            _open=None if self._open is None else self._open.__deepcopy__(memo),
            _exchange=None if self._exchange is None else self._exchange.__deepcopy__(memo),
            unknown=copy.deepcopy(self.unknown, memo),
        )
        return made

    def __getstate__(self) -> dict[str, Any]:
        # What can be worked out again is no part of it.
        return {**self.__dict__, "_usual": {}, "_kept": None}

    # --- as JSON ---

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values. Nothing is changed; an exchange is written as if its connection were lost now."""
        return {
            "model": self._model,
            "config": _config_to_json(self._config),
            "onIncomplete": self._on_incomplete,
            "configMode": self.config_mode,
            **self._past_to_json(),
        }

    def _past_to_json(self) -> dict[str, Any]:
        turn = self._open
        return {
            "turns": [each.to_json() for each in self._history.turns],
            "state": self._states.state.value,
            "open": None if turn is None else turn.to_json(self._endpoint),
            "exchange": None if self._exchange is None else self._exchange.to_json(ConnectionLost(_LOST)),
            "draft": None if self._draft is None else self._draft.to_json(self._endpoint),
        }

    def restore(self, reader: Reader) -> None:
        """Become what ``to_json`` wrote: for a conversation that was just made. Raises ValidationError."""
        self._history = History(_read_turns(reader))
        draft, turn = reader.inner("draft"), reader.inner("open")
        self._draft = None if draft is None else Draft.from_json(draft, self._endpoint)
        self._open = None
        if turn is not None:
            self._open = OpenTurn.from_json(turn, len(self._history.turns) + 1, self._endpoint)
        state = reader.one_of("state", ConversationState)
        self._check(reader, state)
        exchange = reader.inner("exchange")
        if exchange is not None and self._open is not None and self._open.draft is not None:
            sent = self._open.draft
            request = self._request(sent, self._open.contents, self._open.continuation.token)
            self._exchange = Exchange.from_json(exchange, self._exchange_for(sent, request))
        self._states.restore(state)

    def _check(self, reader: Reader, state: ConversationState) -> None:
        """What is there must be what the state says: a machine that is restored must not be stuck."""
        waits = state in (ConversationState.STARTING, ConversationState.ANSWERING)
        goes_on = state in (ConversationState.EXCHANGING, ConversationState.CALLS_WANTED, ConversationState.ANSWERING)
        if waits != (self._draft is not None):
            raise reader.wrong("draft", f"does not fit the state {state.value!r}")
        if goes_on != (self._open is not None):
            raise reader.wrong("open", f"does not fit the state {state.value!r}")
        if self._draft is not None and (self._draft.responses is not None) != goes_on:
            raise reader.wrong("draft", f"does not fit the state {state.value!r}")
        sent = self._open is not None and self._open.draft is not None
        exchanging = state is ConversationState.EXCHANGING
        if exchanging != (reader.inner("exchange") is not None) or (exchanging and not sent):
            raise reader.wrong("exchange", f"does not fit the state {state.value!r}")
        if goes_on and not exchanging and self._open is not None and not self._open.calls:
            raise reader.wrong("open", f"has no function calls, and does not fit the state {state.value!r}")

    def _exchange_for(self, draft: Draft, request: Request) -> Exchange:
        policy = RetryPolicy.of(draft.endpoint.retry_options)
        return Exchange(request, streamed=draft.streamed, policy=policy)


def _read_turns(reader: Reader) -> list[Turn]:
    return [Turn.from_json(each, number) for number, each in enumerate(reader.each("turns"), start=1)]


def _config_to_json(config: GenerateContentConfig | None) -> dict[str, Any] | None:
    if config is None:
        return None
    written: dict[str, Any] = to_wire(config)
    for key, (name, _) in _CLIENT_SIDE.items():
        item = getattr(config, name)
        if item is not None:
            written[key] = to_wire(item)
    _forget_server(written)
    return written


def _forget_server(document: dict[str, Any]) -> None:
    """A snapshot does not say where requests go: whoever restores it has a credential, and says that."""
    options = document.get("httpOptions")
    if is_object(options):
        document["httpOptions"] = {key: held for key, held in options.items() if key not in _SERVER}


def config_from_json(document: dict[str, Any]) -> GenerateContentConfig:
    """The config that was written. What this version does not know of it is kept. Raises ValidationError."""
    hooks = converter("wire")
    document = dict(document)
    _forget_server(document)
    sent = {key: held for key, held in document.items() if key not in _CLIENT_SIDE}
    config: GenerateContentConfig = hooks.structure(sent, GenerateContentConfig)
    kept: dict[str, Any] = {}
    for key, (name, kind) in (_CLIENT_SIDE | _SETTLED).items():
        item = document.get(key)
        if item is None or (key == "speechConfig" and isinstance(item, str)):
            continue
        try:
            kept[name] = hooks.structure(item, kind)
        except ValidationError as error:
            raise error.under(f".{key}") from None
    return config.model_copy(update=kept)


def _waiting_turn(number: int, waiting: tuple[bytes, ...]) -> OpenTurn:
    """The turn of a given history that ends with calls that nobody has answered: they can be answered now."""
    documents = [decode(content, what="a content of the history") for content in waiting]
    calls = [call for document in last_said(documents) for call in calls_in(document)]
    return OpenTurn(number=number, contents=list(waiting), handed_out=len(waiting), calls=calls)


def _one_of(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValidationError(f"{name} is {' or '.join(map(repr, allowed))}, not {given!r}")
