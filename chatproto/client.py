"""The client: wires a credential, options and a transport. The only module that reads the environment."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Literal, Self

from .convert.access import Arguments, resolve
from .errors import ChatProtoError, CredentialError, ValidationError
from .masking import alone
from .transport import AsyncTransport, Secrets, Transport, find_transport
from .wire.endpoint import Endpoint
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .chats import AsyncChats, Chats
    from .convert.access import Access
    from .convert.config import ReadConfig
    from .files import AsyncFiles, Files
    from .machines.conversation import Conversation
    from .models import AsyncModels, Models
    from .tokens import Tokens
    from .types import HttpOptions
    from .wire.gemini import Dialect

__all__ = ["AsyncClient", "Client", "Connector"]

VERSION = "0.1.0"


class Connector:
    """What chats, models and files hold of their client: the transport, the endpoint and the secrets.

    Dropping the Client leaves it alive, so a chat goes on as long as anyone holds the chat.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        dialect: Dialect,
        api_key: str | None = None,
        tokens: Tokens | None = None,
        headers: Mapping[str, str],
        transports: tuple[Any, Any] = (None, None),
        compat: bool = False,
    ) -> None:
        self.endpoint = endpoint
        #: Whether chats keep to google-genai's own rules.
        self.compat = compat
        self.dialect = dialect
        self._api_key = api_key
        self._tokens = tokens
        self._headers = dict(headers)
        self._usual: Secrets | None = None  # without a request's own headers: the same object each time
        self._given, self._given_async = transports
        #: Those in use: handed in and looked at once, or made here.
        self._transport: Transport | None = None
        self._async_transport: AsyncTransport | None = None
        self._making = threading.Lock()
        #: Conversations that nothing was said in, by all that they were told: others that are told no more are copies.
        self.unused: dict[tuple[type[Conversation], str, bool], tuple[Conversation, ReadConfig | None]] = {}

    def secrets(self, headers: Mapping[str, str], endpoint: Endpoint) -> Secrets:
        """The credential and all headers of the program, for the host of ``endpoint``."""
        if headers or endpoint.base_url != self.endpoint.base_url:
            return self._secrets(headers, endpoint)
        if self._usual is None:
            self._usual = self._secrets({}, endpoint)
        return self._usual

    def _secrets(self, headers: Mapping[str, str], endpoint: Endpoint) -> Secrets:
        if self._api_key is not None and self._api_key.startswith("auth_tokens/"):
            raise CredentialError("an ephemeral token (auth_tokens/...) works with the Live API only; use an API key")
        own = {} if self._api_key is None else {"x-goog-api-key": self._api_key}
        together = {**own, **self._headers, **headers}
        if self._tokens is None:
            return Secrets(together, url=endpoint.base_url)
        from .tokens import TokenSecrets

        return TokenSecrets(self._tokens, together, url=endpoint.base_url)

    def sync_transport(self) -> Transport:
        """The transport for synchronous calls; ``requests``, unless another was chosen. It is made on first use."""
        ready, given = self._transport, self._given
        if ready is not None:
            return ready
        with self._making:
            ready = self._transport
            if ready is None:
                found = find_transport(given or "requests") if _is_name(given) else given
                if not isinstance(found, Transport):
                    raise _unfit(given, "synchronous calls")
                ready = self._transport = found
            return ready

    def async_transport(self) -> AsyncTransport:
        """The transport for asyncio; ``aiohttp``, unless another was chosen. It is made on first use."""
        ready, given = self._async_transport, self._given_async
        if ready is not None:
            return ready
        with self._making:
            ready = self._async_transport
            if ready is None:
                found = find_transport(given or "aiohttp") if _is_name(given) else given
                if not isinstance(found, AsyncTransport):
                    raise _unfit(given, "asyncio")
                ready = self._async_transport = found
            return ready

    def conversation_class(self, *, asynchronous: bool, in_chat: bool = True) -> type[Conversation]:
        """What a conversation of this client is: by the rules of chatproto, or by those of google-genai."""
        if not self.compat:
            from .machines.conversation import Conversation

            return Conversation
        from .machines import reference

        if asynchronous:
            return reference.AsyncReferenceConversation
        return reference.ReferenceConversation if in_chat else reference.SyncModelsConversation

    def close(self) -> None:
        """Close the synchronous transport, if it was made here."""
        transport, self._transport = self._transport, None
        if transport is not None and transport is not self._given:
            transport.close()

    async def aclose(self) -> None:
        """Close the transport for asyncio, if it was made here."""
        transport, self._async_transport = self._async_transport, None
        if transport is not None and transport is not self._given_async:
            await transport.aclose()


def _is_name(given: Any) -> bool:
    return given is None or isinstance(given, str)


def _unfit(given: Any, use: str) -> ValidationError:
    problem = f"the transport {given!r} is not one" if _is_name(given) else f"{type(given).__name__} is not a transport"
    return ValidationError(f"{problem} for {use}")


#: Objects of HTTP libraries that programs have already, and the plug-in that takes them.
_WRAPPED_BY = {"requests": "requests", "aiohttp": "aiohttp", "httpx": "httpx", "httpx2": "httpx"}


def _as_transport(given: Any) -> Any:
    """A session or client of an HTTP library as a transport; a transport, or the name of one, as it is."""
    if given is None or isinstance(given, (str, Transport, AsyncTransport)):
        return given
    library = next(
        (cls.__module__.partition(".")[0] for cls in type(given).__mro__ if cls.__module__ != "builtins"), ""
    )
    plug_in = _WRAPPED_BY.get(library)
    if plug_in is None:
        raise ValidationError(f"{type(given).__name__} is not a transport")
    return find_transport(plug_in, given)


class Client:
    """The way in.

    ``api_key``: the Gemini API key; else the environment's GOOGLE_API_KEY, else GEMINI_API_KEY.
    ``vertexai=True`` (or ``enterprise=True``) talks to Vertex AI instead, with ``project`` and ``location`` and the
    environment's Google Cloud credentials, or the ``credentials`` of google-auth that are handed over, or an API key
    alone (express mode). GOOGLE_GENAI_USE_VERTEXAI, GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION in the environment
    stand in for these.

    ``http_options``: a types.HttpOptions or a dict: ``base_url``, ``api_version``, ``headers``, ``timeout`` (in
    milliseconds), ``retry_options``, ``extra_body``, or a client of httpx, httpx2 or aiohttp to use.
    ``transport``: an instance, or the name of an installed plug-in, or a requests.Session, an aiohttp.ClientSession or
    a client of httpx or httpx2; without it, ``requests``, and ``aiohttp`` for asyncio. What was handed in is not closed
    here; a transport that replays a recording needs no key.

    ``compat="google-genai"`` makes chats keep to google-genai 3.4.0's own rules for histories and tool rounds, faults
    included: see the README's table.

    GOOGLE_GEMINI_BASE_URL, GOOGLE_VERTEX_BASE_URL and GOOGLE_GENAI_API_VERSION in the environment stand in for the
    options of that name. Raises ValidationError, a ValueError, for what cannot be used, and CredentialError where a
    credential is needed and there is none.
    """

    def __init__(
        self,
        *,
        enterprise: bool | None = None,
        vertexai: bool | None = None,
        api_key: str | None = None,
        credentials: Any = None,
        project: str | None = None,
        location: str | None = None,
        http_options: HttpOptions | Mapping[str, Any] | None = None,
        transport: Any = None,
        compat: Literal["google-genai"] | None = None,
    ) -> None:
        self._aio: AsyncClient | None = None
        try:
            self._connector, self._vertexai = _connect(
                Arguments(
                    vertexai=vertexai,
                    enterprise=enterprise,
                    api_key=api_key,
                    credentials=credentials,
                    project=project,
                    location=location,
                ),
                http_options,
                transport,
                compat,
            )
        except ChatProtoError as error:
            failure = alone(error)
        else:
            return
        # The frames behind the error hold the key and the environment, and those who show locals would show them.
        del api_key, credentials, http_options, transport
        raise failure

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
    def files(self) -> Files:
        """Files on the server, of the Gemini API only."""
        from .files import Files

        return Files(self._connector)

    @property
    def vertexai(self) -> bool:
        """Whether the client talks to Vertex AI."""
        return self._vertexai

    def close(self) -> None:
        """Close the transport, if the client made it. Chats made by the client open a new one when they are used."""
        self._connector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        connector = getattr(self, "_connector", None)  # shown in a traceback of the constructor, it has none yet
        return f"<Client of {connector.endpoint.base_url}>" if connector is not None else "<Client>"


class AsyncClient:
    """``client.aio``: the same under asyncio. ``aclose`` it, or use it in ``async with``, to close its sessions.

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

    @property
    def files(self) -> AsyncFiles:
        """Files on the server, of the Gemini API only."""
        from .files import AsyncFiles

        return AsyncFiles(self._connector)

    async def aclose(self) -> None:
        """Close the transport of the running loop, if the client made it."""
        await self._connector.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _connect(arguments: Arguments, http_options: Any, transport: Any, compat: Any) -> tuple[Connector, bool]:
    """What a client stands on, and whether it talks to Vertex AI."""
    if compat not in (None, "google-genai"):
        raise ValidationError(f"compat is 'google-genai' or None, not {compat!r}")
    options, headers = _options(http_options)
    transports = _transports(transport, options)
    needs_credential = any(getattr(each, "needs_credential", True) for each in transports)
    access = resolve(arguments, options, os.environ, needs_credential=needs_credential)
    endpoint = Endpoint(
        base_url=access.base_url, api_version=access.api_version, labels=_labels(), bare=access.bare
    ).merged(options.model_copy(update={"base_url": None, "api_version": None}))
    dialect: Dialect = GeminiApi()
    tokens: Tokens | None = None
    if access.vertex:
        tokens, project = _tokens(access, needs_credential=needs_credential)
        dialect = _vertex(project, access.location, options)
    connector = Connector(
        endpoint=endpoint,
        dialect=dialect,
        api_key=access.api_key,
        tokens=tokens,
        headers=headers,
        transports=transports,
        compat=compat is not None,
    )
    return connector, access.vertex


def _options(given: HttpOptions | Mapping[str, Any] | None) -> tuple[HttpOptions, dict[str, str]]:
    if given is None:
        from .types import HttpOptions

        return HttpOptions(), {}
    from .convert.config import to_http_options

    try:
        return to_http_options(given, of_client=True)
    except ValidationError as error:
        raise error.under(".http_options") from None


def _tokens(access: Access, *, needs_credential: bool) -> tuple[Tokens | None, str | None]:
    """What authorises requests to Vertex AI where no key does, and the project."""
    if access.api_key is not None or access.bare or not needs_credential:
        return None, access.project
    from .tokens import Tokens, default_credentials

    credentials, project = access.credentials, access.project
    if access.default_project:
        found, project = default_credentials()
        credentials = credentials or found
        if project is None:
            raise CredentialError("no project: hand over Client(project=...), or set GOOGLE_CLOUD_PROJECT")
    return Tokens(credentials), project


def _vertex(project: str | None, location: str | None, options: HttpOptions) -> Dialect:
    from .wire.vertex import VertexAi

    # With a custom address of a collection, paths have neither project nor location.
    return VertexAi(project, location, in_project=options.base_url_resource_scope is None)


def _transports(given: Any, options: HttpOptions) -> tuple[Any, Any]:
    """The transports for synchronous calls and for asyncio: what was handed over, or None.

    Clients of HTTP libraries in ``http_options`` are taken as the reference takes them.
    """
    sync, for_async, aiohttp = options.httpx_client, options.httpx_async_client, options.aiohttp_client
    if sync is None and for_async is None and aiohttp is None:
        adapted = _as_transport(given)
        return adapted, adapted
    if given is not None:
        raise ValidationError("a transport and a client in http_options exclude each other")
    if for_async is not None and aiohttp is not None:
        raise ValidationError("httpx_async_client and aiohttp_client exclude each other", path="$.http_options")
    chosen = None if sync is None else find_transport("httpx", sync)
    if aiohttp is not None:
        return chosen, find_transport("aiohttp", aiohttp)
    return chosen, None if for_async is None else find_transport("httpx", async_client=for_async)


def _labels() -> tuple[tuple[str, str], ...]:
    label = f"chatproto/{VERSION} gl-python/{sys.version.split()[0]}"
    return ("user-agent", label), ("x-goog-api-client", label)
