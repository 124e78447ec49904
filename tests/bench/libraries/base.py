"""What a measurement asks of an implementation. Its verbs block, and do all of their work in one go: where there is an
event loop, it runs once for all turns of a verb, so that entering it is no part of a turn.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["KEY", "AsyncChat", "AsyncLibrary", "Chat", "Library", "SyncChat"]

KEY = "bench-key-0123456789abcdefghij"


class Chat(ABC):
    """One conversation."""

    @abstractmethod
    def turns(self, messages: list[str]) -> None:
        """Say each, and wait for the whole answer."""

    @abstractmethod
    def stream(self, message: str) -> int:
        """Say something, read the text of every chunk of the answer, and count the chunks."""

    @abstractmethod
    def first(self, message: str) -> float:
        """The seconds until the first chunk of an answer is there; the rest is read over."""

    @abstractmethod
    def picture(self, data: bytes) -> None:
        """Say something with an image."""


class Library(ABC):
    """An implementation, with a client."""

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> Chat:
        """A new chat."""

    @abstractmethod
    def upload(self, path: Path) -> None:
        """Upload a file."""

    @abstractmethod
    def parse(self, body: bytes) -> object:
        """What the library makes of the body of an answer."""

    @abstractmethod
    def close(self) -> None:
        """End all connections."""


class SyncChat(Chat):
    """A chat that blocks."""

    @abstractmethod
    def send(self, message: Any) -> str:
        """The text of the answer."""

    @abstractmethod
    def chunks(self, message: str) -> Iterator[str]:
        """The texts of the chunks of the answer."""

    def turns(self, messages: list[str]) -> None:
        for each in messages:
            _check(self.send(each))

    def stream(self, message: str) -> int:
        count = 0
        for text in self.chunks(message):
            count += bool(text)
        return count

    def first(self, message: str) -> float:
        start = time.perf_counter()
        took = 0.0
        for text in self.chunks(message):
            took = took or time.perf_counter() - start
            _check(text)
        return took


class AsyncChat(Chat):
    """A chat under asyncio."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner

    @abstractmethod
    def send(self, message: Any) -> Awaitable[str]:
        """The text of the answer."""

    @abstractmethod
    def chunks(self, message: str) -> AsyncIterator[str]:
        """The texts of the chunks of the answer."""

    def turns(self, messages: list[str]) -> None:
        self._runner.run(self.aturns(messages))

    async def aturns(self, messages: list[str]) -> None:
        """``turns``, for a program that has many chats at once."""
        for each in messages:
            _check(await self.send(each))

    def stream(self, message: str) -> int:
        return self._runner.run(self._stream(message))

    async def _stream(self, message: str) -> int:
        count = 0
        async for text in self.chunks(message):
            count += bool(text)
        return count

    def first(self, message: str) -> float:
        return self._runner.run(self._first(message))

    async def _first(self, message: str) -> float:
        start = time.perf_counter()
        took = 0.0
        async for text in self.chunks(message):
            took = took or time.perf_counter() - start
            _check(text)
        return took


class AsyncLibrary(Library):
    """An implementation under asyncio, with a loop of its own."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.runner = asyncio.Runner()

    def crowd(self, chats: list[Chat], messages: list[str]) -> None:
        """All chats at once, each with its turns one after the other."""

        async def everything() -> None:
            await asyncio.gather(*(chat.aturns(messages) for chat in chats if isinstance(chat, AsyncChat)))

        self.runner.run(everything())


def _check(text: str) -> None:
    if not text:
        raise AssertionError("an answer without text: what was measured is no turn")
