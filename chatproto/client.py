"""The client: wires a credential, options and a transport. The only module that reads the environment."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .errors import CredentialError, ValidationError
from .transport import AsyncTransport, Secrets, Transport, find_transport
from .wire.endpoint import Endpoint
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .chats import AsyncChats, Chats
    from .models import AsyncModels, Models
    from .types import HttpOptions

__all__ = ["AsyncClient", "Client", "Connector"]

T = TypeVar("T")

VERSION = "0.1.0"

_BASE_URL = "https://generativelanguage.googleapis.com/"


class Connector:
    """What chats and models hold of their client: the transport, the endpoint and the secrets.

    Dropping the Client leaves it alive, so a chat goes on as long as anyone holds the chat.
    """

    def __init__(
        self, *, endpoint: Endpoint, api_key: str | None, headers: Mapping[str, str], transport: Any | None
    ) -> None:
        self.endpoint = endpoint
        self.dialect = GeminiApi()
        self._api_key = api_key
        self._headers = dict(headers)
        self._given = transport
        self._made: Transport | None = None
        self._made_async: AsyncTransport | None = None
        self._making = threading.Lock()

    def secrets(self, headers: Mapping[str, str], endpoint: Endpoint) -> Secrets:
        """The credential and all headers of the program, for the host of ``endpoint``."""
        if self._api_key is not None and self._api_key.startswith("auth_tokens/"):
            raise CredentialError("an ephemeral token (auth_tokens/...) works with the Live API only; use an API key")
        own = {} if self._api_key is None else {"x-goog-api-key": self._api_key}
        return Secrets({**own, **self._headers, **headers}, url=endpoint.base_url)

    def sync_transport(self) -> Transport:
        """The transport for synchronous calls; ``requests``, unless another was chosen. It is made on first use."""
        given = self._given
        if isinstance(given, Transport):
            return given
        if given is not None and not isinstance(given, str):
            raise ValidationError(f"{type(given).__name__} is not a transport for synchronous calls")
        with self._making:
            if self._made is None:
                self._made = _plug_in(given or "requests", Transport)
            return self._made

    def async_transport(self) -> AsyncTransport:
        """The transport for asyncio; ``aiohttp``, unless another was chosen. It is made on first use."""
        given = self._given
        if isinstance(given, AsyncTransport):
            return given
        if given is not None and not isinstance(given, str):
            raise ValidationError(f"{type(given).__name__} is not a transport for asyncio")
        with self._making:
            if self._made_async is None:
                self._made_async = _plug_in(given or "aiohttp", AsyncTransport)
            return self._made_async

    def close(self) -> None:
        """Close the synchronous transport, if it was made here."""
        made, self._made = self._made, None
        if made is not None:
            made.close()

    async def aclose(self) -> None:
        """Close the transport for asyncio, if it was made here."""
        made, self._made_async = self._made_async, None
        if made is not None:
            await made.aclose()


def _plug_in(name: str, kind: type[T]) -> T:
    """A new transport of the plug-in ``name``, of the kind that is needed."""
    made = find_transport(name)
    if not isinstance(made, kind):
        use = "synchronous calls" if kind is Transport else "asyncio"
        raise ValidationError(f"the transport {name!r} is not one for {use}")
    return made


#: Objects of HTTP libraries that programs have already, and the plug-in that takes them.
_WRAPPED_BY = {"requests": "requests", "aiohttp": "aiohttp", "httpx": "httpx", "httpx2": "httpx"}


def _as_transport(given: Any) -> Any:
    """A session or client of an HTTP library as a transport; anything else as it is."""
    if given is None or isinstance(given, (str, Transport, AsyncTransport)):
        return given
    library = next((cls.__module__.partition(".")[0] for cls in type(given).__mro__ if cls.__module__ != "builtins"), "")
    plug_in = _WRAPPED_BY.get(library)
    return given if plug_in is None else find_transport(plug_in, given)


class Client:
    """The way in.

    ``api_key``: the Gemini API key; else the environment's GOOGLE_API_KEY, else GEMINI_API_KEY.
    ``http_options``: a types.HttpOptions or a dict: ``base_url``, ``api_version``, ``headers``, ``timeout`` (in
    milliseconds), ``retry_options``, ``extra_body``. ``transport``: an instance, or the name of an installed plug-in, or
    a requests.Session, an aiohttp.ClientSession or a client of httpx or httpx2; without it, ``requests``, and
    ``aiohttp`` for asyncio. What was handed in is not closed here; a transport that replays a recording needs no key.

    GOOGLE_GEMINI_BASE_URL and GOOGLE_GENAI_API_VERSION in the environment stand in for the options of that name.
    Raises ValidationError, a ValueError, for what cannot be used, and CredentialError where a key is needed and there
    is none.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        http_options: HttpOptions | Mapping[str, Any] | None = None,
        transport: Transport | AsyncTransport | str | None = None,
    ) -> None:
        _refuse_vertex()
        options, headers = _options(http_options)
        key = _api_key(api_key)
        if key is None and getattr(transport, "needs_credential", True):
            raise CredentialError(
                "no API key: hand over Client(api_key=...), or set GOOGLE_API_KEY or GEMINI_API_KEY in the environment"
            )
        endpoint = Endpoint(
            base_url=os.environ.get("GOOGLE_GEMINI_BASE_URL") or _BASE_URL,
            api_version="" if options.base_url_resource_scope is not None else _api_version(),
            labels=_labels(),
        )
        endpoint = endpoint.merged(options)
        self._connector = Connector(
            endpoint=endpoint, api_key=key, headers=headers, transport=_as_transport(transport)
        )
        self._aio: AsyncClient | None = None

    @property
    def aio(self) -> AsyncClient:
        """The same for asyncio."""
        if self._aio is None:
            self._aio = AsyncClient(self._connector)
        return self._aio

    @property
    def chats(self) -> Chats:
        """Conversations that remember."""
        from .chats import Chats

        return Chats(self._connector)

    @property
    def models(self) -> Models:
        """Answers without a chat."""
        from .models import Models

        return Models(self._connector)

    @property
    def vertexai(self) -> bool:
        """Whether the client talks to Vertex AI."""
        return False

    def close(self) -> None:
        """Close the transport, if the client made it. Chats made by the client open a new one when they are used."""
        self._connector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._connector.endpoint.base_url}>"


class AsyncClient:
    """``client.aio``: chats and models under asyncio. ``aclose`` it, or use it in ``async with``, to close its sessions.

    It works under several event loops, one after the other.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    @property
    def chats(self) -> AsyncChats:
        """Conversations that remember."""
        from .chats import AsyncChats

        return AsyncChats(self._connector)

    @property
    def models(self) -> AsyncModels:
        """Answers without a chat."""
        from .models import AsyncModels

        return AsyncModels(self._connector)

    async def aclose(self) -> None:
        """Close the transport of the running loop, if the client made it."""
        await self._connector.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _options(given: HttpOptions | Mapping[str, Any] | None) -> tuple[HttpOptions, dict[str, str]]:
    if given is None:
        from .types import HttpOptions

        return HttpOptions(), {}
    from .convert.config import to_http_options

    try:
        return to_http_options(given)
    except ValidationError as error:
        raise error.under(".http_options") from None


def _api_key(given: str | None) -> str | None:
    key = given or os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY") or ""
    return key.strip() or None


def _api_version() -> str:
    wanted = os.environ.get("GOOGLE_GENAI_API_VERSION") or "v1"
    return "v1beta" if wanted == "beta" else wanted


def _refuse_vertex() -> None:
    for name in ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"):
        if os.environ.get(name, "").lower() in ("true", "1"):
            raise ValidationError(f"{name} is set, and this version talks to the Gemini API only")


def _labels() -> tuple[tuple[str, str], ...]:
    label = f"chatproto/{VERSION} gl-python/{sys.version.split()[0]}"
    return ("user-agent", label), ("x-goog-api-client", label)
