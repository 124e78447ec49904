"""Answers without a chat: ``client.models``. Each call is a conversation of one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .chats import new_session
from .convert.messages import to_contents
from .session import Session, arun_call, run_call
from .streams import AsyncResponseStream, ResponseStream
from .terms import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .chats import Config
    from .client import Connector
    from .convert.calls import Call
    from .types import (
        ContentListUnion,
        ContentListUnionDict,
        CountTokensConfig,
        CountTokensResponse,
        GenerateContentResponse,
    )

    Contents = ContentListUnion | ContentListUnionDict
    CountConfig = CountTokensConfig | Mapping[str, Any] | None

__all__ = ["AsyncModels", "Models"]


class _OneTurn:
    """Makes a conversation for each question."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def _session(self, model: str, config: Any, *, asynchronous: bool = False) -> Session:
        return new_session(
            self._connector, model, config or None, options=Options(asynchronous=asynchronous, tells_calls=True)
        )

    def _counting(self, model: str, contents: Any, config: Any) -> Call[CountTokensResponse]:
        from .convert.calls import counting
        from .convert.config import to_count_config

        made, headers = (None, {}) if config is None else to_count_config(config)
        connector = self._connector
        return counting(connector.dialect, connector.endpoint, model, to_contents(contents), made, headers)


class Models(_OneTurn):
    """One question, one answer; nothing is remembered."""

    def generate_content(self, *, model: str, contents: Contents, config: Config = None) -> GenerateContentResponse:
        """The whole answer to ``contents``: text, a part, a Content, or a list of those."""
        session = self._session(model, config)
        return session.ask(session.prepare(to_contents(contents), None, stream=False))

    def generate_content_stream(self, *, model: str, contents: Contents, config: Config = None) -> ResponseStream:
        """The answer to ``contents`` as it comes. The arguments are checked now, not at the first chunk."""
        session = self._session(model, config)
        return ResponseStream(session, session.prepare(to_contents(contents), None, stream=True))

    def count_tokens(self, *, model: str, contents: Contents, config: CountConfig = None) -> CountTokensResponse:
        """What ``contents`` cost in tokens. The settings of ``config`` are counted on Vertex AI only."""
        return run_call(self._connector, self._counting(model, contents, config))


class AsyncModels(_OneTurn):
    """One question, one answer, under asyncio; nothing is remembered."""

    async def generate_content(
        self, *, model: str, contents: Contents, config: Config = None
    ) -> GenerateContentResponse:
        """The whole answer to ``contents``. As ``Models.generate_content``."""
        session = self._session(model, config, asynchronous=True)
        return await session.aask(await session.aprepare(to_contents(contents), None, stream=False))

    async def generate_content_stream(
        self, *, model: str, contents: Contents, config: Config = None
    ) -> AsyncResponseStream:
        """The answer to ``contents`` as it comes. The arguments are checked when this is awaited."""
        session = self._session(model, config, asynchronous=True)
        return AsyncResponseStream(session, await session.aprepare(to_contents(contents), None, stream=True))

    async def count_tokens(self, *, model: str, contents: Contents, config: CountConfig = None) -> CountTokensResponse:
        """What ``contents`` cost in tokens. As ``Models.count_tokens``."""
        return await arun_call(self._connector, self._counting(model, contents, config))
