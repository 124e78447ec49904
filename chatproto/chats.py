"""Chats: the face over Conversation, thin on purpose. What a chat *is* stands in ``machines/conversation.py``."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import attrs

from .convert.config import to_config
from .convert.messages import to_message
from .errors import LocalProtocolError, ValidationError
from .machines.conversation import ConfigMode, Conversation, Draft, OnIncomplete
from .machines.steps import ChunkReceived, Event, RoundFailed, TurnEnded
from .transport import Drive, Secrets
from .types import Content, GenerateContentResponse

if TYPE_CHECKING:
    from .client import Connector
    from .machines.history import Turn
    from .types import FunctionCall, GenerateContentConfig, PartUnion, PartUnionDict
    from .wire.http import Request

    Message = PartUnionDict | Sequence[PartUnionDict | PartUnion]
    Config = GenerateContentConfig | Mapping[str, Any] | None

__all__ = ["Chat", "Chats", "ResponseStream"]


@attrs.frozen
class Prepared:
    """A message that has been checked, and the secrets that its request will need."""

    draft: Draft
    secrets: Secrets


class Talk:
    """A conversation and what drives it: who is inside a driver call, and which stream is the open one."""

    def __init__(self, connector: Connector, conversation: Conversation, headers: Mapping[str, str]) -> None:
        self.connector = connector
        self.conversation = conversation
        self._headers = dict(headers)  # of the chat's own config
        self._inside = threading.Lock()
        self._stream: weakref.ref[ResponseStream] | None = None

    def prepare(self, contents: Content | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """Check a message and a config. None and an empty dict leave the chat's own config in force."""
        given, headers = (None, self._headers)
        if config is not None and not (isinstance(config, Mapping) and not config):
            given, headers = to_config(config)
            if self.conversation.config_mode == "merge" and given.http_options is None:
                headers = self._headers
        draft = self.conversation.draft(contents, given, stream=stream)
        return Prepared(draft, self.connector.secrets(headers, draft.endpoint))

    @contextmanager
    def driving(self) -> Generator[None]:
        """One thread or task at a time."""
        if not self._inside.acquire(blocking=False):
            raise LocalProtocolError(
                "another thread or task is waiting for an answer in this chat; use a chat for each conversation"
            )
        try:
            yield
        finally:
            self._inside.release()

    def begin(self, prepared: Prepared, stream: ResponseStream | None = None) -> Drive:
        """Send, and leave a stream that is merely suspended."""
        # What can fail comes first: then nothing has changed.
        drive = Drive(self.conversation, self.connector.sync_transport(), prepared.secrets)
        self.conversation.send(prepared.draft)
        suspended = self._stream() if self._stream is not None else None
        if suspended is not None and suspended is not stream:
            suspended.supersede()
        self._stream = weakref.ref(stream) if stream is not None else None
        return drive

    def ask(self, prepared: Prepared) -> GenerateContentResponse:
        """Send and wait for the whole answer."""
        answer: GenerateContentResponse | None = None
        with self.driving(), self.begin(prepared) as drive:
            for event in drive:
                answer = answer_in(event) or answer
        if answer is None:  # cannot be: a unary exchange ends with a document or an error
            raise LocalProtocolError("the exchange ended without an answer")
        return answer


def answer_in(event: Event) -> GenerateContentResponse | None:
    """The piece of an answer that an event brings. Raises the error that it brings."""
    match event:
        case ChunkReceived(response=response):
            return response
        case TurnEnded(error=error) | RoundFailed(error=error) if error is not None:
            raise error
        case _:
            return None


class ResponseStream(Iterator[GenerateContentResponse]):
    """A streamed answer: an iterator of its chunks.

    Nothing is sent before the first chunk is asked for. Leaving it early (``close``, ``with``, dropping it, an
    exception in the loop) gives the connection up at once; the turn is then abandoned, unless its finish reason had
    come. Sending another message does the same to a stream that is merely suspended; asking that one for more raises
    LocalProtocolError.
    """

    def __init__(self, talk: Talk, prepared: Prepared) -> None:
        self._talk = talk
        self._prepared = prepared
        self._drive: Drive | None = None
        self._over = False
        self._superseded = False

    def __next__(self) -> GenerateContentResponse:
        if self._superseded:
            raise LocalProtocolError("a later message has ended this stream")
        if self._over:
            raise StopIteration
        with self._talk.driving():
            try:
                if self._drive is None:
                    self._drive = self._talk.begin(self._prepared, self)
                for event in self._drive:
                    answer = answer_in(event)
                    if answer is not None:
                        return answer
            except BaseException:
                self._over = True
                raise
        self._over = True
        raise StopIteration

    def supersede(self) -> None:
        """A later message is sent: let go of the connection. The conversation has been told by that message."""
        if self._drive is not None and not self._over:
            self._superseded = True
            self._drive.discard()

    def close(self) -> None:
        """Leave the answer. May be called at any time, and twice."""
        over, self._over = self._over, True
        if self._drive is not None and not over and not self._superseded:
            self._drive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class Chat:
    """A conversation with a model. Made by ``client.chats.create``."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def send_message(self, message: Message, config: Config = None) -> GenerateContentResponse:
        """Say something and wait for the whole answer.

        ``config`` replaces the chat's config for this message (or is laid over it, see ``chats.create``).
        Raises ValidationError before anything is sent; APIError, TransportError or RemoteProtocolError after, and then
        the chat is as it was before. An answer that the server blocked is no error: see ``turns``.
        """
        return self._talk.ask(self._talk.prepare(to_message(message), config, stream=False))

    def send_message_stream(self, message: Message, config: Config = None) -> ResponseStream:
        """Say something and get the answer as it comes. The arguments are checked now, not at the first chunk."""
        return ResponseStream(self._talk, self._talk.prepare(to_message(message), config, stream=True))

    def prepare(self, message: Message, config: Config = None, *, stream: bool = False) -> Request:
        """The request that sending ``message`` would make now, without its credential. Nothing is sent or changed."""
        prepared = self._talk.prepare(to_message(message), config, stream=stream)
        return self._talk.conversation.prepare(prepared.draft)

    def get_history(self, curated: bool = False) -> list[Content]:
        """What was said so far; the list and the Contents in it are the caller's own.

        Curated: what the next request will send. Comprehensive: turns that were blocked or cut short too.
        """
        return self._talk.conversation.history(curated=curated)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The ledger: every turn that has ended, with its outcome and the reason, failed and abandoned ones too."""
        return self._talk.conversation.turns

    @property
    def pending_calls(self) -> tuple[FunctionCall, ...]:
        """The model's function calls that wait for ``types.Part.from_function_response`` parts in a message."""
        return self._talk.conversation.pending_calls


class Chats:
    """Makes chats."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def create(
        self,
        *,
        model: str,
        config: Config = None,
        history: Sequence[Content | Mapping[str, Any]] | None = None,
        on_incomplete: OnIncomplete = "drop",
        config_mode: ConfigMode = "replace",
    ) -> Chat:
        """A new chat. Raises ValidationError for a config, history or option that cannot be used.

        ``history`` are Contents, or dicts of their fields, with the roles ``user`` and ``model``.
        ``on_incomplete="keep"`` keeps an answer that was cut off or left early in curated history, as far as it came.
        ``config_mode="merge"`` lays a message's config over the chat's, field by field; by default it replaces it.
        """
        return Chat(new_talk(self._connector, model, config or {}, history, on_incomplete, config_mode))


def new_talk(
    connector: Connector,
    model: str,
    config: Any,
    history: Sequence[Content | Mapping[str, Any]] | None = None,
    on_incomplete: OnIncomplete = "drop",
    config_mode: ConfigMode = "replace",
) -> Talk:
    """A conversation of its own on ``connector``; with None as config, requests have no ``generationConfig``."""
    made, headers = (None, {}) if config is None else to_config(config)
    contents: list[Content] = []
    for index, item in enumerate(history or ()):
        try:
            contents.append(Content.model_validate(item))
        except ValidationError as error:
            raise error.under(f".history[{index}]") from None
    conversation = Conversation(
        model,
        config=made,
        history=contents,
        dialect=connector.dialect,
        endpoint=connector.endpoint,
        on_incomplete=on_incomplete,
        config_mode=config_mode,
    )
    return Talk(connector, conversation, headers)
