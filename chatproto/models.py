"""Answers without a chat: ``client.models``. Each call is a conversation of one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .chats import Prepared, ResponseStream, Talk, new_talk
from .convert.messages import to_contents

if TYPE_CHECKING:
    from .chats import Config
    from .client import Connector
    from .types import ContentListUnion, ContentListUnionDict, GenerateContentResponse

__all__ = ["Models"]


class Models:
    """One question, one answer; nothing is remembered."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def generate_content(
        self, *, model: str, contents: ContentListUnion | ContentListUnionDict, config: Config = None
    ) -> GenerateContentResponse:
        """The whole answer to ``contents``: text, a part, a Content, or a list of those."""
        talk, prepared = self._prepare(model, contents, config, stream=False)
        return talk.ask(prepared)

    def generate_content_stream(
        self, *, model: str, contents: ContentListUnion | ContentListUnionDict, config: Config = None
    ) -> ResponseStream:
        """The answer to ``contents`` as it comes. The arguments are checked now, not at the first chunk."""
        talk, prepared = self._prepare(model, contents, config, stream=True)
        return ResponseStream(talk, prepared)

    def _prepare(self, model: str, contents: Any, config: Any, *, stream: bool) -> tuple[Talk, Prepared]:
        talk = new_talk(self._connector, model, config)
        return talk, talk.prepare(to_contents(contents), None, stream=stream)
