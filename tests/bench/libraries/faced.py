"""The chats of google-genai, and of chatproto, whose face is the same: what is done to one is done to the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .base import AsyncChat, AsyncLibrary, Library, SyncChat

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncFaced", "Faced"]


class _Chat(SyncChat):
    def __init__(self, chat: Any, types: Any) -> None:
        self._chat = chat
        self._types = types

    def send(self, message: Any) -> str:
        return cast("str", self._chat.send_message(message).text)

    def chunks(self, message: str) -> Iterator[str]:
        for chunk in self._chat.send_message_stream(message):
            yield chunk.text

    def picture(self, data: bytes) -> None:
        self.send(["What is this?", self._types.Part.from_bytes(data=data, mime_type="image/png")])


class Faced(Library):
    """``client.chats``."""

    def __init__(self, url: str, client: Any, types: Any) -> None:
        super().__init__(url)
        self._client = client
        self._types = types

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> SyncChat:
        return _Chat(self._client.chats.create(model=model, history=history), self._types)

    def upload(self, path: Path) -> None:
        self._client.files.upload(file=path, config={"mime_type": "application/octet-stream"})

    def close(self) -> None:
        self._client.close()


class _AsyncChat(AsyncChat):
    def __init__(self, runner: asyncio.Runner, chat: Any, types: Any) -> None:
        super().__init__(runner)
        self._chat = chat
        self._types = types

    async def send(self, message: Any) -> str:
        return cast("str", (await self._chat.send_message(message)).text)

    async def chunks(self, message: str) -> AsyncIterator[str]:
        async for chunk in await self._chat.send_message_stream(message):
            yield chunk.text

    def picture(self, data: bytes) -> None:
        part = self._types.Part.from_bytes(data=data, mime_type="image/png")
        self._runner.run(self.send(["What is this?", part]))


class AsyncFaced(AsyncLibrary):
    """``client.aio.chats``."""

    def __init__(self, url: str, client: Any, types: Any) -> None:
        super().__init__(url)
        self._client = client
        self._types = types

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> AsyncChat:
        return _AsyncChat(self.runner, self._client.aio.chats.create(model=model, history=history), self._types)

    def upload(self, path: Path) -> None:
        self.runner.run(self._client.aio.files.upload(file=path, config={"mime_type": "application/octet-stream"}))

    def close(self) -> None:
        self.runner.run(self._client.aio.aclose())
        self.runner.close()
