"""Chats: the face over Conversation, thin on purpose. What a chat *is* stands in ``machines/conversation.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .convert.config import parse_target, to_config
from .convert.messages import to_message
from .errors import ValidationError
from .machines.conversation import ConfigMode, Conversation, OnIncomplete
from .session import AsyncResponseStream, ResponseStream, Session, arun_call, run_call
from .types import Content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .client import Connector
    from .convert.calls import Call
    from .machines.history import Turn
    from .types import (
        CountTokensResponse,
        FunctionCall,
        GenerateContentConfig,
        GenerateContentResponse,
        PartUnion,
        PartUnionDict,
    )
    from .wire.http import Request

    Message = PartUnionDict | Sequence[PartUnionDict | PartUnion]
    Config = GenerateContentConfig | Mapping[str, Any] | None

__all__ = ["AsyncChat", "AsyncChats", "AsyncResponseStream", "Chat", "Chats", "ResponseStream", "new_session"]


class _Remembered:
    """What a chat remembers, and can tell without sending anything."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def prepare(self, message: Message, config: Config = None, *, stream: bool = False) -> Request:
        """The request that sending ``message`` would make now, without its credential. Nothing is sent or changed."""
        prepared = self._session.prepare(to_message(message), config, stream=stream)
        return self._session.conversation.prepare(prepared.draft)

    def get_history(self, curated: bool = False) -> list[Content]:
        """What was said so far; the list and the Contents in it are the caller's own.

        Curated: what the next request will send. Comprehensive: turns that were blocked or cut short too.
        """
        return self._session.conversation.history(curated=curated)

    def _counting(self, message: Message | None) -> Call[CountTokensResponse]:
        from .convert.calls import counting

        session = self._session
        said = [] if message is None else [to_message(message)]
        contents = session.conversation.history(curated=True) + said
        config, headers = session.counted_config()
        connector = session.connector
        return counting(connector.dialect, connector.endpoint, session.conversation.model, contents, config, headers)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The ledger: every turn that has ended, with its outcome and the reason, failed and abandoned ones too."""
        return self._session.conversation.turns

    @property
    def pending_calls(self) -> tuple[FunctionCall, ...]:
        """The model's function calls that wait for ``types.Part.from_function_response`` parts in a message."""
        return self._session.conversation.pending_calls


class Chat(_Remembered):
    """A conversation with a model. Made by ``client.chats.create``."""

    def send_message(self, message: Message, config: Config = None) -> GenerateContentResponse:
        """Say something and wait for the whole answer.

        ``config`` replaces the chat's config for this message (or is laid over it, see ``chats.create``).
        Raises ValidationError before anything is sent; APIError, TransportError or RemoteProtocolError after, and then
        the chat is as it was before. An answer that the server blocked is no error: see ``turns``.
        """
        return self._session.ask(self._session.prepare(to_message(message), config, stream=False))

    def send_message_stream(self, message: Message, config: Config = None) -> ResponseStream:
        """Say something and get the answer as it comes. The arguments are checked now, not at the first chunk."""
        return ResponseStream(self._session, self._session.prepare(to_message(message), config, stream=True))

    def count_tokens(self, message: Message | None = None) -> CountTokensResponse:
        """What the next request would cost in tokens: what was said so far, and ``message``.

        Vertex AI counts the chat's system instruction and tools too; the Gemini API counts contents alone.
        """
        return run_call(self._session.connector, self._counting(message))


class AsyncChat(_Remembered):
    """A conversation with a model, under asyncio. Made by ``client.aio.chats.create``."""

    async def send_message(self, message: Message, config: Config = None) -> GenerateContentResponse:
        """Say something and wait for the whole answer. As ``Chat.send_message``."""
        return await self._session.aask(self._session.prepare(to_message(message), config, stream=False))

    async def send_message_stream(self, message: Message, config: Config = None) -> AsyncResponseStream:
        """Say something and get the answer as it comes: ``async for chunk in await chat.send_message_stream(...)``.

        The arguments are checked when it is awaited; the request is sent when the first chunk is asked for.
        """
        return AsyncResponseStream(self._session, self._session.prepare(to_message(message), config, stream=True))

    async def count_tokens(self, message: Message | None = None) -> CountTokensResponse:
        """What the next request would cost in tokens. As ``Chat.count_tokens``."""
        return await arun_call(self._session.connector, self._counting(message))


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
        return Chat(new_session(self._connector, model, config or {}, history, on_incomplete, config_mode))


class AsyncChats:
    """Makes chats for asyncio."""

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
    ) -> AsyncChat:
        """A new chat; not a coroutine. As ``Chats.create``."""
        return AsyncChat(new_session(self._connector, model, config or {}, history, on_incomplete, config_mode))


def new_session(
    connector: Connector,
    model: str,
    config: Any,
    history: Sequence[Content | Mapping[str, Any]] | None = None,
    on_incomplete: OnIncomplete = "drop",
    config_mode: ConfigMode = "replace",
) -> Session:
    """A conversation of its own on ``connector``; with None as config, requests have no ``generationConfig``."""
    made, headers = (None, {}) if config is None else to_config(config)
    target = None if config is None else parse_target(config)
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
    return Session(connector, conversation, headers, target)
