"""The floors: the bare HTTP libraries, with ``json`` and a plain list as history, as one would write it by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .base import KEY, AsyncChat, AsyncLibrary, Library, SyncChat

if TYPE_CHECKING:
    import asyncio

    import aiohttp
    import httpx
    import requests

__all__ = ["Aiohttp", "AsyncHttpx", "Httpx", "Requests"]

_HEADERS = {"content-type": "application/json", "x-goog-api-key": KEY}


class _History:
    """A list of dicts, encoded anew for each request."""

    def __init__(self, url: str, model: str, history: list[dict[str, Any]] | None) -> None:
        self.url = f"{url}/v1beta/models/{model}:generateContent"
        self.stream_url = f"{url}/v1beta/models/{model}:streamGenerateContent?alt=sse"
        self.contents: list[dict[str, Any]] = [
            {"role": each["role"], "parts": [{"text": each["parts"][0]["text"]}]} for each in history or ()
        ]

    def said(self, message: Any) -> bytes:
        parts = message if isinstance(message, list) else [{"text": message}]
        self.contents.append({"role": "user", "parts": parts})
        return json.dumps({"contents": self.contents}).encode()

    def answered(self, body: bytes) -> str:
        content = json.loads(body)["candidates"][0]["content"]
        self.contents.append(content)
        return cast("str", content["parts"][0]["text"])

    def streamed(self, texts: list[str]) -> None:
        self.contents.append({"role": "model", "parts": [{"text": "".join(texts)}]})


def _picture(data: bytes) -> list[dict[str, Any]]:
    encoded = base64.b64encode(data).decode()
    return [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/png", "data": encoded}}]


class _Splitter:
    """Events out of a body that comes in pieces: as little as does it for the answers of the server here."""

    def __init__(self) -> None:
        self._rest = b""
        self.texts: list[str] = []

    def texts_in(self, data: bytes) -> Iterator[str]:
        *events, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for event in events:
            text = json.loads(event[6:])["candidates"][0]["content"]["parts"][0]["text"]
            self.texts.append(text)
            yield text


class _Requests(SyncChat):
    def __init__(self, session: requests.Session, history: _History) -> None:
        self._session = session
        self._history = history

    def send(self, message: Any) -> str:
        history = self._history
        return history.answered(self._session.post(history.url, data=history.said(message), headers=_HEADERS).content)

    def chunks(self, message: str) -> Iterator[str]:
        history, splitter = self._history, _Splitter()
        url, body = history.stream_url, history.said(message)
        with self._session.post(url, data=body, headers=_HEADERS, stream=True) as response:
            for data in response.iter_content(None):
                yield from splitter.texts_in(data)
        history.streamed(splitter.texts)

    def picture(self, data: bytes) -> None:
        self.send(_picture(data))


class Requests(Library):
    """``requests.Session``."""

    def __init__(self, url: str) -> None:
        import requests

        super().__init__(url)
        self._session = requests.Session()

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> SyncChat:
        return _Requests(self._session, _History(self.url, model, history))

    def upload(self, path: Path) -> None:
        start = {"x-goog-api-key": KEY, "x-goog-upload-command": "start", "x-goog-upload-protocol": "resumable"}
        opened = self._session.post(f"{self.url}/upload/v1beta/files", json={"file": {}}, headers=start)
        go = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        with path.open("rb") as file:
            self._session.post(opened.headers["x-goog-upload-url"], data=cast("Iterable[bytes]", file), headers=go)

    def parse(self, body: bytes) -> object:
        return json.loads(body)

    def close(self) -> None:
        self._session.close()


class _Httpx(SyncChat):
    def __init__(self, client: httpx.Client, history: _History) -> None:
        self._client = client
        self._history = history

    def send(self, message: Any) -> str:
        history = self._history
        response = self._client.post(history.url, content=history.said(message), headers=_HEADERS)
        return history.answered(response.content)

    def chunks(self, message: str) -> Iterator[str]:
        history, splitter = self._history, _Splitter()
        url, body = history.stream_url, history.said(message)
        with self._client.stream("POST", url, content=body, headers=_HEADERS) as response:
            for data in response.iter_bytes():
                yield from splitter.texts_in(data)
        history.streamed(splitter.texts)

    def picture(self, data: bytes) -> None:
        self.send(_picture(data))


class Httpx(Library):
    """``httpx.Client``."""

    def __init__(self, url: str) -> None:
        import httpx

        super().__init__(url)
        self._client = httpx.Client(timeout=None)

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> SyncChat:
        return _Httpx(self._client, _History(self.url, model, history))

    def upload(self, path: Path) -> None:
        raise LookupError("this floor is requests'")

    def parse(self, body: bytes) -> object:
        return json.loads(body)

    def close(self) -> None:
        self._client.close()


class _Aiohttp(AsyncChat):
    def __init__(self, runner: asyncio.Runner, session: aiohttp.ClientSession, history: _History) -> None:
        super().__init__(runner)
        self._session = session
        self._history = history

    async def send(self, message: Any) -> str:
        history = self._history
        async with self._session.post(history.url, data=history.said(message), headers=_HEADERS) as response:
            return history.answered(await response.read())

    async def chunks(self, message: str) -> AsyncIterator[str]:
        history, splitter = self._history, _Splitter()
        url, body = history.stream_url, history.said(message)
        async with self._session.post(url, data=body, headers=_HEADERS) as response:
            async for data in response.content.iter_any():
                for text in splitter.texts_in(data):
                    yield text
        history.streamed(splitter.texts)

    def picture(self, data: bytes) -> None:
        self._runner.run(self.send(_picture(data)))


class Aiohttp(AsyncLibrary):
    """``aiohttp.ClientSession``."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._session = self.runner.run(self._open())

    @staticmethod
    async def _open() -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession()

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> AsyncChat:
        return _Aiohttp(self.runner, self._session, _History(self.url, model, history))

    def upload(self, path: Path) -> None:
        self.runner.run(self._upload(path))

    async def _upload(self, path: Path) -> None:
        start = {"x-goog-api-key": KEY, "x-goog-upload-command": "start", "x-goog-upload-protocol": "resumable"}
        address = f"{self.url}/upload/v1beta/files"
        async with self._session.post(address, json={"file": {}}, headers=start) as opened:
            url = opened.headers["x-goog-upload-url"]
        go = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
        with path.open("rb") as file:
            async with self._session.post(url, data=file, headers=go) as response:
                await response.read()

    def parse(self, body: bytes) -> object:
        return json.loads(body)

    def close(self) -> None:
        self.runner.run(self._session.close())
        self.runner.close()


class _AsyncHttpx(AsyncChat):
    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient, history: _History) -> None:
        super().__init__(runner)
        self._client = client
        self._history = history

    async def send(self, message: Any) -> str:
        history = self._history
        response = await self._client.post(history.url, content=history.said(message), headers=_HEADERS)
        return history.answered(response.content)

    async def chunks(self, message: str) -> AsyncIterator[str]:
        history, splitter = self._history, _Splitter()
        url, body = history.stream_url, history.said(message)
        async with self._client.stream("POST", url, content=body, headers=_HEADERS) as response:
            async for data in response.aiter_bytes():
                for text in splitter.texts_in(data):
                    yield text
        history.streamed(splitter.texts)

    def picture(self, data: bytes) -> None:
        self._runner.run(self.send(_picture(data)))


class AsyncHttpx(AsyncLibrary):
    """``httpx.AsyncClient``."""

    def __init__(self, url: str) -> None:
        import httpx

        super().__init__(url)
        self._client = httpx.AsyncClient(timeout=None)

    def chat(self, model: str, history: list[dict[str, Any]] | None = None) -> AsyncChat:
        return _AsyncHttpx(self.runner, self._client, _History(self.url, model, history))

    def upload(self, path: Path) -> None:
        raise LookupError("this floor is aiohttp's")

    def parse(self, body: bytes) -> object:
        return json.loads(body)

    def close(self) -> None:
        self.runner.run(self._client.aclose())
        self.runner.close()
