"""Files: the face over Upload and Exchange. What is shared between sync and async is in ``convert/files.py``."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

import attrs

from .convert.files import deleting, downloading, getting, list_config, listing, uploading
from .errors import ValidationError
from .pagers import AsyncPager, Pager
from .session import arun_call, run_call
from .transport import AsyncDrive, Drive
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from .client import Connector
    from .convert.calls import Call
    from .convert.files import Destination, FileSource, Uploadable
    from .transport import AsyncResponse, AsyncTransport, Response, Secrets, Transport
    from .types import (
        DeleteFileConfig,
        DeleteFileResponse,
        DownloadFileConfig,
        File,
        GetFileConfig,
        ListFilesConfig,
        ListFilesResponse,
        UploadFileConfig,
    )
    from .wire.endpoint import Endpoint
    from .wire.http import Request

    Settings = Mapping[str, Any]

__all__ = ["AsyncFiles", "AsyncWithSource", "Files", "Progress", "WithSource"]

T = TypeVar("T")

#: Called with how many bytes have arrived, and of how many, after each chunk.
Progress = Callable[[int, int], object]


# --- bytes for slices ---------------------------------------------------------------------------------------------


class WithSource:
    """A transport that puts the bytes of a file where a request names a slice of it.

    One chunk is in memory at a time, in pieces.
    """

    def __init__(self, transport: Transport, source: FileSource) -> None:
        self._transport = transport
        self._source = source

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Response]:
        """Read the slice, and open the request with it."""
        return self._transport.open(_filled(request, self._source), secrets)

    def sleep(self, seconds: float) -> None:
        """As the transport does."""
        self._transport.sleep(seconds)

    def close(self) -> None:
        """As the transport does."""
        self._transport.close()


class AsyncWithSource:
    """``WithSource`` for asyncio: the file is read in a thread."""

    def __init__(self, transport: AsyncTransport, source: FileSource) -> None:
        self._transport = transport
        self._source = source

    def aopen(self, request: Request, secrets: Secrets) -> AbstractAsyncContextManager[AsyncResponse]:
        """Read the slice on entering, and open the request with it."""
        return _Opening(self._transport, request, secrets, self._source)

    async def asleep(self, seconds: float) -> None:
        """As the transport does."""
        await self._transport.asleep(seconds)

    async def aclose(self) -> None:
        """As the transport does."""
        await self._transport.aclose()


class _Opening:
    """A class, not an asynccontextmanager: after ``discard`` nobody leaves it."""

    def __init__(self, transport: AsyncTransport, request: Request, secrets: Secrets, source: FileSource) -> None:
        self._transport = transport
        self._request = request
        self._secrets = secrets
        self._source = source
        self._opened: AbstractAsyncContextManager[AsyncResponse] | None = None

    async def __aenter__(self) -> AsyncResponse:
        request = self._request
        if request.file is not None:
            request = await asyncio.to_thread(_filled, request, self._source)
        self._opened = self._transport.aopen(request, self._secrets)
        return await self._opened.__aenter__()

    async def __aexit__(self, *about: object) -> None:
        if self._opened is not None:
            await self._opened.__aexit__(None, None, None)


def _filled(request: Request, source: FileSource) -> Request:
    if request.file is None:
        return request
    return attrs.evolve(request, body=(*request.body, *source.read(request.file)), file=None)


# --- the face -----------------------------------------------------------------------------------------------------


def _endpoint(connector: Connector) -> Endpoint:
    if not isinstance(connector.dialect, GeminiApi):
        raise ValidationError("only the Gemini API keeps files; Vertex AI reads them from Cloud Storage (gs://...)")
    return connector.endpoint


class Files:
    """Files that a prompt can refer to. They are the API's for two days; see ``File.expiration_time``."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def upload(
        self,
        *,
        file: Uploadable,
        config: UploadFileConfig | Settings | None = None,
        progress: Progress | None = None,
    ) -> File:
        """Send a file to the API, in chunks of 8 MiB, and give what the API made of it.

        ``file`` is a path, or a file object that was opened in binary mode and can seek; it is read from where it
        stands to its end, and needs ``config.mime_type``. A chunk whose answer is lost is not simply sent again: the
        server is asked how much it holds, and the upload goes on there. The bytes go to the URL that the server
        names, whatever ``base_url`` says; the credential goes with them only if that is the client's own host.

        Raises FileNotFoundError or ValidationError before anything is sent; APIError, TransportError or UploadFailed
        after, with a note of how many bytes have arrived.
        """
        call = uploading(_endpoint(self._connector), file, config)
        secrets = self._connector.secrets(call.headers, call.endpoint)
        transport = WithSource(self._connector.sync_transport(), call.source)
        try:
            with Drive(call.machine, transport, secrets) as drive:
                for event in drive:
                    news = call.take(event)
                    if news is not None and progress is not None:
                        progress(news.sent, news.total)
        finally:
            call.source.close()
        return call.result()

    def get(self, *, name: str, config: GetFileConfig | Settings | None = None) -> File:
        """What the API knows of a file. ``name`` is ``files/...``, that without ``files/``, or the file's URL."""
        return self._run(getting(_endpoint(self._connector), name, config))

    def delete(self, *, name: str, config: DeleteFileConfig | Settings | None = None) -> DeleteFileResponse:
        """Delete a file. ``name`` is as for ``get``."""
        return self._run(deleting(_endpoint(self._connector), name, config))

    def list(self, *, config: ListFilesConfig | Settings | None = None) -> Pager[File]:
        """All files, a page at a time. The first page is asked for now."""
        settings = list_config(config)
        return Pager("files", self._list, self._list(config=settings), settings)

    @overload
    def download(
        self,
        *,
        file: str | File,
        destination: None = None,
        config: DownloadFileConfig | Settings | None = None,
    ) -> bytes: ...

    @overload
    def download(
        self,
        *,
        file: str | File,
        destination: Destination,
        config: DownloadFileConfig | Settings | None = None,
    ) -> None: ...

    def download(
        self,
        *,
        file: str | File,
        destination: Destination | None = None,
        config: DownloadFileConfig | Settings | None = None,
    ) -> bytes | None:
        """The bytes of a generated file; None if they are written to ``destination``, a path or a file object.

        Only the piece that has just arrived is in memory then. A path is opened when the first bytes have come, and
        what was written there is removed again if the download breaks off. Files that were uploaded cannot be
        downloaded: for a File without ``download_uri`` this raises ValidationError before anything is sent.
        """
        call = downloading(_endpoint(self._connector), file, destination, config)
        secrets = self._connector.secrets(call.headers, call.endpoint)
        whole = False
        try:
            with Drive(call.machine, self._connector.sync_transport(), secrets) as drive:
                for event in drive:
                    data = call.take(event)
                    if data is not None:
                        call.sink.write(data)
            whole = True
        finally:
            call.sink.close(whole=whole)
        return call.sink.content()

    def _list(self, *, config: Settings) -> ListFilesResponse:
        return self._run(listing(_endpoint(self._connector), config))

    def _run(self, call: Call[T]) -> T:
        return run_call(self._connector, call)


class AsyncFiles:
    """``Files`` for asyncio. Files are read and written in threads."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def upload(
        self,
        *,
        file: Uploadable,
        config: UploadFileConfig | Settings | None = None,
        progress: Progress | None = None,
    ) -> File:
        """As ``Files.upload``. Do not touch a file object meanwhile. ``progress`` may be a coroutine function."""
        call = await asyncio.to_thread(uploading, _endpoint(self._connector), file, config)
        secrets = self._connector.secrets(call.headers, call.endpoint)
        transport = AsyncWithSource(self._connector.async_transport(), call.source)
        try:
            async with AsyncDrive(call.machine, transport, secrets) as drive:
                async for event in drive:
                    news = call.take(event)
                    if news is not None and progress is not None:
                        told = progress(news.sent, news.total)
                        if inspect.isawaitable(told):
                            await told
        finally:
            # A thread may still be reading, if this task was cancelled: it is waited for in a thread.
            await asyncio.shield(asyncio.to_thread(call.source.close))
        return call.result()

    async def get(self, *, name: str, config: GetFileConfig | Settings | None = None) -> File:
        """As ``Files.get``."""
        return await self._run(getting(_endpoint(self._connector), name, config))

    async def delete(self, *, name: str, config: DeleteFileConfig | Settings | None = None) -> DeleteFileResponse:
        """As ``Files.delete``."""
        return await self._run(deleting(_endpoint(self._connector), name, config))

    async def list(self, *, config: ListFilesConfig | Settings | None = None) -> AsyncPager[File]:
        """As ``Files.list``; the pager is an async iterator."""
        settings = list_config(config)
        return AsyncPager("files", self._list, await self._list(config=settings), settings)

    @overload
    async def download(
        self,
        *,
        file: str | File,
        destination: None = None,
        config: DownloadFileConfig | Settings | None = None,
    ) -> bytes: ...

    @overload
    async def download(
        self,
        *,
        file: str | File,
        destination: Destination,
        config: DownloadFileConfig | Settings | None = None,
    ) -> None: ...

    async def download(
        self,
        *,
        file: str | File,
        destination: Destination | None = None,
        config: DownloadFileConfig | Settings | None = None,
    ) -> bytes | None:
        """As ``Files.download``."""
        call = downloading(_endpoint(self._connector), file, destination, config)
        secrets = self._connector.secrets(call.headers, call.endpoint)
        whole = False
        try:
            async with AsyncDrive(call.machine, self._connector.async_transport(), secrets) as drive:
                async for event in drive:
                    data = call.take(event)
                    if data is not None and call.sink.blocks:
                        await asyncio.to_thread(call.sink.write, data)
                    elif data is not None:
                        call.sink.write(data)
            whole = True
        finally:
            await asyncio.shield(asyncio.to_thread(call.sink.close, whole=whole))
        return call.sink.content()

    async def _list(self, *, config: Settings) -> ListFilesResponse:
        return await self._run(listing(_endpoint(self._connector), config))

    async def _run(self, call: Call[T]) -> T:
        return await arun_call(self._connector, call)
