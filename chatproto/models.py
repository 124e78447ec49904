"""Answers without a chat: ``client.models``. Each call is a conversation of one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .chats import new_session
from .convert.messages import to_contents
from .session import AsyncResponseStream, Prepared, ResponseStream, Session

if TYPE_CHECKING:
    from .chats import Config
    from .client import Connector
    from .types import ContentListUnion, ContentListUnionDict, GenerateContentResponse

    Contents = ContentListUnion | ContentListUnionDict

__all__ = ["AsyncModels", "Models"]


class _OneTurn:
    """Makes a conversation for each question."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def _prepare(self, model: str, contents: Any, config: Any, *, stream: bool) -> tuple[Session, Prepared]:
        session = new_session(self._connector, model, config)
        return session, session.prepare(to_contents(contents), None, stream=stream)


class Models(_OneTurn):
    """One question, one answer; nothing is remembered."""

    def generate_content(self, *, model: str, contents: Contents, config: Config = None) -> GenerateContentResponse:
        """The whole answer to ``contents``: text, a part, a Content, or a list of those."""
        session, prepared = self._prepare(model, contents, config, stream=False)
        return session.ask(prepared)

    def generate_content_stream(self, *, model: str, contents: Contents, config: Config = None) -> ResponseStream:
        """The answer to ``contents`` as it comes. The arguments are checked now, not at the first chunk."""
        return ResponseStream(*self._prepare(model, contents, config, stream=True))


class AsyncModels(_OneTurn):
    """One question, one answer, under asyncio; nothing is remembered."""

    async def generate_content(
        self, *, model: str, contents: Contents, config: Config = None
    ) -> GenerateContentResponse:
        """The whole answer to ``contents``. As ``Models.generate_content``."""
        session, prepared = self._prepare(model, contents, config, stream=False)
        return await session.aask(prepared)

    async def generate_content_stream(
        self, *, model: str, contents: Contents, config: Config = None
    ) -> AsyncResponseStream:
        """The answer to ``contents`` as it comes. The arguments are checked when this is awaited."""
        return AsyncResponseStream(*self._prepare(model, contents, config, stream=True))
