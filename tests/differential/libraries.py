"""The two libraries: how each is set up to talk to the loopback server, and what its errors are."""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx2
import pydantic
from google import genai
from google.genai import _api_client
from google.genai import errors as their_errors
from google.genai import types as their_types

import chatproto
from chatproto import errors, types
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_requests import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.server import Line

__all__ = ["Ours", "Reference"]

Json = dict[str, Any]
KEY = "test-key"


class Reference:
    """google-genai, without its waits, logs and warnings."""

    types = their_types
    name = "google"
    exact = True

    def __init__(self) -> None:
        # One client for all, because making one takes a tenth of a second. An abandoned stream keeps its connection
        # until it is collected, so there is no limit to them.
        self._http = httpx2.Client(follow_redirects=True, timeout=None, limits=httpx2.Limits(max_connections=None))
        options = their_types.HttpOptions(base_url="http://127.0.0.1:1/", httpx_client=self._http)
        self._client = genai.Client(api_key=KEY, http_options=options)

    def client(self, line: Line, mode: str) -> Any:
        self._client._api_client._http_options.base_url = line.url
        return self._client

    @contextmanager
    def around(self) -> Iterator[None]:
        asyncio_ = _Impatient("asyncio", vars(_api_client)["asyncio"])
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings(), mock.patch.object(_api_client, "asyncio", asyncio_):
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.disable(logging.NOTSET)

    def family(self, error: Exception, *, asked: bool) -> Json:
        if isinstance(error, their_errors.APIError):
            return _api_error(error)
        if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError, their_errors.UnknownApiResponseError)):
            return {"family": "format"}
        if isinstance(error, pydantic.ValidationError) and error.errors()[0]["loc"][:1] == ("parsed",):
            # The answer is JSON, as was asked for, but no object: it cannot be handed out.
            return {"family": "crash", "error": "ValidationError: parsed", "at": _place(error)}
        if isinstance(error, pydantic.ValidationError) and asked:
            return {"family": "format"}
        if isinstance(error, ValueError):
            return {"family": "validation"}
        if isinstance(error, (OSError, *_TRANSPORT)):
            return {"family": "transport"}
        return {"family": "crash", "error": "".join(traceback.format_exception_only(error)), "at": _place(error)}

    def close(self) -> None:
        self._http.close()

    async def aclose(self) -> None:
        await self._client.aio.aclose()


def _transport_errors() -> tuple[type[Exception], ...]:
    import aiohttp

    return httpx2.TransportError, httpx2.StreamError, aiohttp.ClientError


_TRANSPORT = _transport_errors()


class _Impatient(ModuleType):
    """asyncio, as the reference sees it: its waits before it tries again take no time."""

    def __init__(self, name: str, real: ModuleType) -> None:
        super().__init__(name)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(0)


class Ours:
    """chatproto, in one of its profiles."""

    types = types

    def __init__(self, profile: str) -> None:
        self.name = profile
        self.exact = profile == "compat"
        self._sync: dict[int, Any] = {0: RequestsTransport(), 1: HttpxTransport()}
        self._async: dict[int, Any] = {0: AiohttpTransport(), 1: HttpxTransport()}
        self._turn = 0

    def client(self, line: Line, mode: str) -> Any:
        self._turn += 1
        transport = (self._sync if mode == "sync" else self._async)[0 if self._turn % 4 else 1]
        options: Json = {"api_key": KEY, "http_options": {"base_url": line.url}, "transport": transport}
        if self.name == "compat":
            options["compat"] = "google-genai"
        return chatproto.Client(**options)

    @contextmanager
    def around(self) -> Iterator[None]:
        yield

    def family(self, error: Exception, *, asked: bool) -> Json:
        if isinstance(error, errors.APIError):
            return _api_error(error)
        for cls, family in _FAMILIES.items():
            if isinstance(error, cls):
                return {"family": family}
        if isinstance(error, FileNotFoundError):
            return {"family": "transport"}
        return {"family": "crash", "error": "".join(traceback.format_exception(error))}

    def close(self) -> None:
        for transport in self._sync.values():
            transport.close()

    async def aclose(self) -> None:
        for transport in self._async.values():
            await transport.aclose()


_FAMILIES: dict[type[Exception], str] = {
    errors.ValidationError: "validation",
    errors.RemoteProtocolError: "format",
    errors.TransportError: "transport",
    errors.LocalProtocolError: "local protocol",
}


def _api_error(error: Any) -> Json:
    return {
        "family": "api",
        "class": type(error).__name__,
        "code": error.code,
        "status": error.status,
        "message": error.message,
        "details": error.details,
    }


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.name}"
