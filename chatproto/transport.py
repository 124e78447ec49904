"""The whole contract between chatproto and the world: what a transport is, and the two loops that drive a machine.

A *transport* opens a request and hands out the response's body as it arrives. It knows nothing of chats, and a machine
knows nothing of transports; ``Drive`` and ``AsyncDrive`` stand between them. To write one, implement ``Transport`` or
``AsyncTransport`` (their methods have distinct names, so that one class may be both), keep to these rules, and register
it under the entry-point group ``chatproto.transports``:

- ``open`` takes no decision: every status is a response. Redirects are followed, and the proxies that the environment
  names are used.
- ``read`` gives what has arrived, decoded if the server compressed it, at the boundaries at which it arrived, and
  ``b""`` at the end. Never wait for a line or for a block to fill up.
- ``discard`` gives the connection up at once, without blocking and without awaiting; after it the context manager need
  not be left. Whoever waits in ``read`` meanwhile, in another thread or task, is woken by ConnectionLost, and so is a
  ``read`` that comes later. Leaving the context manager after the end of the body gives the connection back for reuse.
- An error of the HTTP library becomes ConnectFailed, TimedOut or ConnectionLost with the library's words; its object
  is dropped, because it holds the request's headers. ``raise ... from None`` keeps it as ``__context__``: make the
  error in the ``except`` block, and raise it after that. No frame of its traceback has the key in a local variable: let
  go of the headers before raising. Errors that are no TransportError (a request that cannot be sent, a recording that
  does not fit) pass through to the program and are never retried.
- ``close`` closes what the transport opened, and nothing that was handed to it; after it, ``open`` raises
  LocalProtocolError.
- A transport that never talks to a server says so with ``needs_credential = False``; one that wraps another says what
  that one says.
- ``secrets`` is opaque. Only a transport that touches the wire calls ``secrets.headers_for(request)``; wrappers pass
  it on. After a redirect, ask again: another host gets nothing.
"""

from __future__ import annotations

import random
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self, runtime_checkable
from urllib.parse import quote, unquote, urlsplit

from .errors import ConnectionLost, MissingExtraError, TransportError, ValidationError
from .machines.steps import ChunkReceived, Event, ReadBody, SendRequest, Step, Wait
from .masking import masked, masked_error, masked_event
from .wire.http import origin
from .wire.json_escapes import unescaped

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from .wire.http import Headers, Request

__all__ = [
    "AsyncDrive",
    "AsyncResponse",
    "AsyncTransport",
    "Drive",
    "Machine",
    "Response",
    "Secrets",
    "Transport",
    "find_transport",
]

GROUP = "chatproto.transports"


# --- secrets ------------------------------------------------------------------------------------------------------


class Secrets:
    """The credential of a client and the program's own headers, for the eyes of one server only.

    It never shows what it holds, cannot be pickled, and hands its headers out for requests to its own origin alone.
    """

    __slots__ = ("_harmless", "_headers", "_merged", "_origin", "_server", "_shortest", "_spellings", "_words")

    #: Headers of a program that may say what anyone may know; the values of all others are looked for.
    HARMLESS = frozenset(
        {
            *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection"),
            *("content-encoding", "content-length", "content-type", "date", "expect", "host", "http-referer"),
            *("keep-alive", "origin", "pragma", "prefer", "priority", "range", "referer", "te", "transfer-encoding"),
            *("user-agent", "anthropic-beta", "anthropic-version", "openai-beta", "x-goog-api-client"),
            *("x-goog-request-params", "x-goog-user-project", "x-server-timeout", "x-title"),
        }
    )

    def __init__(self, headers: Mapping[str, str], *, url: str, also: Iterable[str] = ()) -> None:
        """``headers`` go to the scheme, host and port of ``url``, and nowhere else.

        ``also`` are credentials that are sent otherwise, as in a query: they are looked for with those of the headers.
        """
        self._headers = dict(headers)
        self._origin = origin(url)
        #: How the URLs of its own server begin, as far as they are spelt as this one.
        self._server = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        self._merged: tuple[Headers, Headers] | None = None  # of the last request: most are sent with equal ones
        #: Values in the last response's headers: a server says much the same each time.
        self._harmless: frozenset[str] = frozenset()
        words = [
            word
            for name, value in (*headers.items(), *(("", value) for value in also))
            if name.lower() not in self.HARMLESS
            for word in _secret_words(name.lower(), value)
        ]
        self._words = frozenset(word.encode() for word in words if len(word) >= _SHORTEST)
        self._spellings: tuple[bytes, ...] | None = None
        self._shortest = 0  # of the spellings, in bytes

    def headers_for(self, request: Request, url: str | None = None) -> Headers:
        """All headers to send with ``request`` to ``url`` (its own, or where a redirect led).

        The program's headers win over the request's, but for the two that name the library: those are joined.
        """
        address = url or request.url
        if not address.startswith(self._server) and origin(address) != self._origin:
            return request.headers
        kept = self._merged
        if kept is not None and kept[0] == request.headers:
            return kept[1]
        merged = {name.lower(): value for name, value in request.headers}
        for name, value in self._headers.items():
            key = name.lower()
            merged[key] = f"{merged[key]} {value}" if key in _JOINED and key in merged else value
        headers = tuple(merged.items())
        self._merged = request.headers, headers
        return headers

    def occurs_in(self, data: bytes) -> bool:
        """Whether a credential is anywhere in ``data``.

        As it is, escaped for JSON or (once or twice) for a URL, in base64, in hexadecimal digits, or in UTF-16.
        """
        if self._spellings is None:
            self._spellings = tuple(dict.fromkeys(form for word in sorted(self._words) for form in _forms(word)))
            self._shortest = min(map(len, self._spellings), default=0)
        if len(data) < self._shortest:
            return False
        texts = (data, unescaped(data)) if b"\\" in data else (data,)
        return any(form in text for form in self._spellings for text in texts)

    def occurs_in_headers(self, headers: Headers) -> bool:
        """``occurs_in`` for the values of a response's headers, of which only new ones are looked at."""
        harmless = self._harmless
        unseen = [value for _, value in headers if value not in harmless]
        if unseen:
            for value in unseen:
                if self.occurs_in(value.encode("utf-8", "backslashreplace")):
                    return True
            self._harmless = frozenset([value for _, value in headers])
        return False

    def cover(self, other: Secrets) -> bool:
        """Whether ``occurs_in`` of these finds everything that the other's would."""
        return other._words <= self._words

    def current(self) -> Secrets:
        """These secrets as they are good now; a subclass may fetch a token, and wait for it."""
        return self

    async def acurrent(self) -> Secrets:
        """``current`` for asyncio."""
        return self

    def rejected(self) -> bool:
        """A request with these was answered 401: whether another attempt makes sense. With a key, it does not."""
        return False

    def __repr__(self) -> str:
        return "<Secrets ***>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled or copied")


_SHORTEST = 6  # a shorter word occurs anywhere by chance
_JOINED = frozenset({"user-agent", "x-goog-api-client"})


#: A part of a value that chance does not make, and no ordinary word, date or version is.
_LIKE_A_TOKEN = re.compile(r"(?=\w*\d)(?=\w*[A-Za-z])\w{8,}|\w{24,}", re.ASCII)
_SCHEMES = frozenset({"apikey", "api-key", "basic", "bearer", "jwt", "key", "token"})
_PARAMETER = re.compile(r"""([\w-]+)=(?:"([^"]*)"|([^\s,;"]+))""")
#: Parameters of ``authorization`` that repeat the request, or say how it was signed.
_NO_SECRETS = frozenset(
    {
        *("algorithm", "created", "expires", "headers", "keyid", "nc", "oauth_signature_method", "oauth_timestamp"),
        *("oauth_version", "qop", "realm", "signedheaders", "uri", "userhash", "username", "version"),
    }
)


def _secret_words(name: str, value: str) -> list[str]:
    """What is secret in a header: of ``Bearer TOKEN`` the token, of ``a=TOKEN; b="TOKEN"`` the values.

    Of a name and a password in base64, both of them together and the password are secret too, and the name if there is
    no password or if it looks like a key. What a program calls its headers, nobody knows: so all of another header is
    secret, and of several words those that look like a token, or follow the name of a scheme.
    """
    if "cookie" in name:
        values = [pair.partition("=")[2].strip().strip('"') for pair in value.split(";")]
        return [*values, *map(unquote, values)]
    words = value.split()
    scheme = words[0].lower() if len(words) > 1 else ""
    found = words[-1:] if "authorization" in name else [value]
    if "authorization" in name or scheme in {"digest", "signature"}:
        found += [
            quoted or plain for each, quoted, plain in _PARAMETER.findall(value) if each.lower() not in _NO_SECRETS
        ]
    elif scheme in _SCHEMES:
        found += words[1:]
    found += [word for word in re.split(r"[\s,;\"'=]+", value) if scheme != "digest" and _LIKE_A_TOKEN.search(word)]
    if scheme == "basic":
        try:
            pair = b64decode(words[1] + "=" * (-len(words[1]) % 4), validate=True).decode()
        except ValueError:
            return found
        user, _, password = pair.partition(":")
        found += [pair, password, *([user] if not password or _LIKE_A_TOKEN.search(user) else [])]
    return found


_PERCENT = re.compile("%..")


def _forms(word: bytes) -> Iterator[bytes]:
    """How a word may be spelled, so that a search for each of them finds it in any neighbourhood."""
    yield word
    quoted = quote(word, safe="")
    for once in (quoted, _PERCENT.sub(lambda found: found[0].lower(), quoted)):
        yield once.encode()
        yield quote(once, safe="").encode()
    for offset in range(3):
        # Only the groups that the word fills by itself look the same in any neighbourhood.
        encoded = b64encode(b"\0" * offset + word)
        inner = encoded[4 if offset else 0 : len(encoded) - 4 if (offset + len(word)) % 3 else None]
        if len(inner) >= _SHORTEST:
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield word.hex().encode()
    yield word.hex().upper().encode()
    text = word.decode()
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")


# --- the contract -------------------------------------------------------------------------------------------------


class Response(Protocol):
    """The head of a response, and its body as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """Names in lower case, in the order they came."""
        ...

    def read(self) -> bytes:
        """What has arrived of the body, waiting if nothing has; ``b""`` at its end. Raises TransportError."""
        ...

    def discard(self) -> None:
        """Give the connection up at once. May be called at any time, and twice."""
        ...


class AsyncResponse(Protocol):
    """The same for asyncio. ``discard`` stays synchronous: it is called where nothing can be awaited."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """Names in lower case, in the order they came."""
        ...

    async def aread(self) -> bytes:
        """What has arrived of the body, waiting if nothing has; ``b""`` at its end. Raises TransportError."""
        ...

    def discard(self) -> None:
        """Give the connection up at once. May be called at any time, and twice."""
        ...


@runtime_checkable
class Transport(Protocol):
    """Sends requests, synchronously. Used by several threads at once."""

    def open(self, request: Request, secrets: Secrets) -> AbstractContextManager[Response]:
        """Send ``request`` and wait for the head of the response, on entering. Raises TransportError."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def close(self) -> None:
        """Close what the transport itself has opened. May be called twice."""
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends requests under asyncio. Works under several event loops, one after the other."""

    def aopen(self, request: Request, secrets: Secrets) -> AbstractAsyncContextManager[AsyncResponse]:
        """Send ``request`` and wait for the head of the response, on entering. Raises TransportError."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def aclose(self) -> None:
        """Close what the transport itself has opened. May be called twice."""
        ...


class Machine(Protocol):
    """What the drivers ask of a machine: the driver verbs, and one view."""

    def next(self) -> Step | None:
        """The next command or event; None when the machine needs its user."""
        ...

    def receive_response(self, status: int, headers: Headers) -> None:
        """The head of the answer to SendRequest."""
        ...

    def receive_data(self, data: bytes) -> None:
        """A piece of the body; ``b""`` is its end."""
        ...

    def receive_failure(self, error: TransportError) -> None:
        """There was no answer, or there will be no more of it."""
        ...

    def resume(self, jitter: float = 0.0) -> None:
        """The Wait is over; it took ``jitter`` seconds more than it said."""
        ...

    def abandon(self) -> None:
        """The caller has left."""
        ...

    @property
    def busy(self) -> bool:
        """Whether something is under way that ``abandon`` would end."""
        ...

    @property
    def reading(self) -> bool:
        """Whether the body of a response is wanted still: if not, its connection can be given back."""
        ...


_UNAUTHORIZED = 401
_AT_ONCE = 16  # pieces of a whole body that are read before the machine is asked whether it is too large
_NOT_OPENED = "the response that the machine was reading was opened by another driver"


# --- the drivers --------------------------------------------------------------------------------------------------


class Drive(Iterator[Event]):
    """Runs a machine over a transport: an iterator of the machine's events.

    Whatever ends it early (``close``, dropping it, an exception, Ctrl-C) abandons the machine and gives the connection
    up, at once.
    """

    def __init__(self, machine: Machine, transport: Transport, secrets: Secrets) -> None:
        self._machine = machine
        self._transport = transport
        self._secrets = secrets
        self._opened: AbstractContextManager[Response] | None = None
        self._response: Response | None = None
        self._interrupted = False
        self._current = secrets  # as they were good when the last request was sent

    def __next__(self) -> Event:
        machine = self._machine
        try:
            while not self._interrupted and (step := machine.next()) is not None:
                if type(step) is ChunkReceived:  # first, because these are many; it brings no error
                    return step
                if isinstance(step, ReadBody):
                    self._read(whole=step.whole)
                elif isinstance(step, SendRequest):
                    self._send(step.request)
                elif isinstance(step, Wait):
                    self._release()
                    extra = random.uniform(0, step.jitter)
                    self._transport.sleep(step.seconds + extra)
                    machine.resume(extra)
                else:
                    if not machine.reading:
                        self._release()
                    return masked_event(step, self._current)
        except BaseException:
            self.close()
            raise
        if self._interrupted:
            self.close()
        self._release()
        raise StopIteration

    def _send(self, request: Request) -> None:
        try:
            response = self._open(request)
            if response.status == _UNAUTHORIZED and self._current.rejected():
                response = self._open(request)
        except TransportError as error:
            self._machine.receive_failure(masked_error(error, self._current))
        else:
            self._machine.receive_response(response.status, response.headers)

    def _open(self, request: Request) -> Response:
        self._release()
        secrets = self._current = self._secrets.current()
        opened = self._transport.open(request, secrets)
        response: Response = masked(opened.__enter__(), secrets)
        self._response, self._opened = response, opened
        return response

    def _read(self, *, whole: bool) -> None:
        response = self._response
        if response is None:  # the machine was restored while a body was open
            self._machine.receive_failure(ConnectionLost(_NOT_OPENED))
            return
        try:
            for _ in range(_AT_ONCE if whole else 1):
                data = response.read()
                self._machine.receive_data(data)
                if not data:
                    self._release()
                    return
        except TransportError as error:
            if self._interrupted:
                return
            self._machine.receive_failure(masked_error(error, self._current))
            self._release()

    def _release(self) -> None:
        """Give the connection back: for reuse if the body was read to its end."""
        opened, self._opened, self._response = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def close(self) -> None:
        """Abandon the machine, unless it is done, and give the connection up."""
        if self._machine.busy:
            self._machine.abandon()
        self.discard()

    def interrupt(self) -> None:
        """Make whoever waits in this driver stop, and abandon the machine there. For another thread or task."""
        self._interrupted = True
        response = self._response
        if response is not None:
            response.discard()

    def discard(self) -> None:
        """Give the connection up and leave the machine as it is."""
        response, self._opened, self._response = self._response, None, None
        if response is not None:
            response.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncDrive(AsyncIterator[Event]):
    """``Drive`` for asyncio. Cancelling the task that awaits it abandons the machine and gives the connection up."""

    def __init__(self, machine: Machine, transport: AsyncTransport, secrets: Secrets) -> None:
        self._machine = machine
        self._transport = transport
        self._secrets = secrets
        self._opened: AbstractAsyncContextManager[AsyncResponse] | None = None
        self._response: AsyncResponse | None = None
        self._interrupted = False
        self._current = secrets
        self._seen: Step | None = None  # by ``chunk``, and not handed out

    def chunk(self) -> ChunkReceived | None:
        """The next event, if it is a chunk that has arrived already: it needs no coroutine. Else ``__anext__`` has it.

        For streams, whose chunks come many at a time.
        """
        if self._interrupted or self._seen is not None:
            return None
        try:
            step = self._machine.next()
        except BaseException:
            self.close()
            raise
        if type(step) is ChunkReceived:
            return step
        self._seen = step
        return None

    async def __anext__(self) -> Event:
        machine = self._machine
        try:
            while not self._interrupted and (step := self._seen or machine.next()) is not None:
                self._seen = None
                if type(step) is ChunkReceived:
                    return step
                if isinstance(step, ReadBody):
                    await self._read(whole=step.whole)
                elif isinstance(step, SendRequest):
                    await self._send(step.request)
                elif isinstance(step, Wait):
                    await self._release()
                    extra = random.uniform(0, step.jitter)
                    await self._transport.asleep(step.seconds + extra)
                    machine.resume(extra)
                else:
                    if self._opened is not None and not machine.reading:
                        await self._release()
                    return masked_event(step, self._current)
        except BaseException:
            self.close()
            raise
        if self._interrupted:
            self.close()
        if self._opened is not None:
            await self._release()
        raise StopAsyncIteration

    async def _send(self, request: Request) -> None:
        try:
            response = await self._open(request)
            if response.status == _UNAUTHORIZED and self._current.rejected():
                response = await self._open(request)
        except TransportError as error:
            self._machine.receive_failure(masked_error(error, self._current))
        else:
            self._machine.receive_response(response.status, response.headers)

    async def _open(self, request: Request) -> AsyncResponse:
        if self._opened is not None:
            await self._release()
        secrets = self._secrets
        if type(secrets) is not Secrets:  # those are good as they are
            secrets = await secrets.acurrent()
        self._current = secrets
        opened = self._transport.aopen(request, secrets)
        response: AsyncResponse = masked(await opened.__aenter__(), secrets)
        self._response, self._opened = response, opened
        return response

    async def _read(self, *, whole: bool) -> None:
        response = self._response
        if response is None:
            self._machine.receive_failure(ConnectionLost(_NOT_OPENED))
            return
        try:
            for _ in range(_AT_ONCE if whole else 1):
                data = await response.aread()
                self._machine.receive_data(data)
                if not data:
                    await self._release()
                    return
        except TransportError as error:
            if self._interrupted:
                return
            self._machine.receive_failure(masked_error(error, self._current))
            await self._release()

    async def _release(self) -> None:
        opened, self._opened, self._response = self._opened, None, None
        if opened is not None:
            await opened.__aexit__(None, None, None)

    def close(self) -> None:
        """Abandon the machine, unless it is done, and give the connection up. Awaits nothing."""
        if self._machine.busy:
            self._machine.abandon()
        self.discard()

    async def aclose(self) -> None:
        """``close``, under the name that ``contextlib.aclosing`` calls."""
        self.close()

    def interrupt(self) -> None:
        """Make whoever waits in this driver stop, and abandon the machine there. For another thread or task."""
        self._interrupted = True
        response = self._response
        if response is not None:
            response.discard()

    def discard(self) -> None:
        """Give the connection up and leave the machine as it is."""
        response, self._opened, self._response = self._response, None, None
        if response is not None:
            response.discard()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


# --- look-up ------------------------------------------------------------------------------------------------------


def find_transport(name: str, *arguments: Any, **options: Any) -> Any:
    """A new transport of the plug-in ``name``, made with the other arguments.

    Raises ValidationError when no installed distribution offers it, and MissingExtraError when the library that it
    stands on is not installed.
    """
    import inspect

    from .plugins import plug_ins

    offered = plug_ins(GROUP)
    found = offered.get(name)
    if found is None:
        known = ", ".join(sorted(offered)) or "none"
        raise ValidationError(f"no transport is named {name!r}; installed: {known}")
    try:
        factory = found.load()
    except MissingExtraError:
        raise
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the transport {name!r} cannot be loaded: {error}") from None
    try:
        inspect.signature(factory).bind(*arguments, **options)
    except TypeError as error:
        raise ValidationError(f"the transport {name!r} cannot be made by its name alone: {error}") from None
    return factory(*arguments, **options)
