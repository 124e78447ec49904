"""``RequestsTransport``: one call of ``requests.Session.send`` a hop, and the body as urllib3 gets it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_auth_from_url

from chatproto.errors import ChatProtoError, LocalProtocolError, ValidationError
from chatproto.hops import Hop, first_hop

from .failures import LIBRARY_ERRORS, mapped
from .responses import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["RequestsTransport"]

POOL_SIZE = 100

_MAX_KEPT = 100  # URLs whose spelling is remembered, and origins whose settings are
#: The queries of URLs that are remembered: another one may hold a key.
_KEPT_QUERIES = frozenset({"", "alt=sse"})

_ACCEPTED = {"accept": "*/*", "accept-encoding": "gzip, deflate"}
_NOT_SECRET = frozenset({"user-agent", "accept", "accept-encoding", "connection"})


class RequestsTransport:
    """Sends requests through a ``requests.Session``, from any number of threads.

    Without ``session`` it makes one of its own at the first request: up to 100 idle connections, proxies from the
    environment, and nothing from ``~/.netrc``, which would replace an Authorization header. A session that is handed
    in is used as it is (its headers, cookies, hooks, proxies, adapters, auth) and is not closed.

    Redirects are followed here, not by requests, so that no credential follows to another origin: not the client's,
    and not those of the session either. A closed transport raises LocalProtocolError.
    """

    def __init__(self, session: requests.Session | None = None) -> None:
        self._session = session
        self._owned = session is None
        self._closed = False
        self._lock = threading.Lock()

    def open(self, request: Request, secrets: Secrets) -> _Opening:
        """Send ``request`` on entering. Raises TransportError, and ValidationError for what HTTP cannot carry."""
        return _Opening(lambda: self._send(request, secrets))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the session, if it is the transport's own."""
        with self._lock:
            session, self._closed = self._session, True
            self._session = None
        if session is not None and self._owned:
            session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get_session(self) -> requests.Session:
        with self._lock:
            if self._closed:
                raise LocalProtocolError("this transport is closed")
            if self._session is None:
                self._session = _OwnSession()
            return self._session

    # An error is returned, not raised: by the time it is raised, the frames that hold the headers are gone.
    def _send(self, request: Request, secrets: Secrets) -> Body | ChatProtoError:
        session = self._get_session()
        hop = first_hop(request)
        if isinstance(hop, ChatProtoError):
            return hop
        try:
            return _follow(session, hop, secrets)
        except LIBRARY_ERRORS as error:
            return mapped(error, secrets, opening=True)


class _Opening:
    """The context manager of one response."""

    def __init__(self, send: Callable[[], Body | ChatProtoError]) -> None:
        self._send = send
        self._response: Body | None = None

    def __enter__(self) -> Body:
        outcome = self._send()
        if isinstance(outcome, ChatProtoError):
            raise outcome
        self._response = outcome
        return outcome

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.discard()  # after the end of the body, its connection is in the pool already


class _OwnSession(requests.Session):
    """The transport's own session."""

    def __init__(self) -> None:
        super().__init__()
        self.headers.clear()
        self.headers.update(_ACCEPTED)
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=POOL_SIZE))
        self._environment: dict[str, Any] = {}
        self._urls: dict[str, str] = {}

    def prepare(self, hop: Hop, headers: Headers) -> requests.PreparedRequest | None:
        """What ``prepare_request`` makes of the usual request, for a tenth of its cost; None if this is another one.

        There are no hooks, parameters, cookies and auth to put in, and the chats of a program ask for few URLs.
        """
        body = hop.pieces
        if hop.number or not body or "@" in hop.url or len(self.cookies):
            return None
        prepared: Any = requests.PreparedRequest()
        prepared.prepare_method(hop.method)
        prepared.url = self._url(hop.url)
        prepared.prepare_headers({**_ACCEPTED, **dict(headers)})
        prepared.body = _Pieces(body) if len(body) > 1 else b"".join(body)
        prepared.headers["Content-Length"] = str(hop.length)
        made: requests.PreparedRequest = prepared
        return made

    def _url(self, url: str) -> str:
        """As requests spells it."""
        spelt = self._urls.get(url)
        if spelt is None:
            prepared: Any = requests.PreparedRequest()
            prepared.prepare_url(url, None)
            spelt = str(prepared.url)
            if url.partition("?")[2] in _KEPT_QUERIES:
                if len(self._urls) >= _MAX_KEPT:
                    self._urls.clear()
                self._urls[url] = spelt
        return spelt

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """What the environment says of an origin (proxies, certificates), read once: it takes as long as a request."""
        origin = "://".join(urlsplit(str(url))[:2])
        settings = self._environment.get(origin)
        if settings is None:
            if len(self._environment) >= _MAX_KEPT:
                self._environment.clear()
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
            self._environment[origin] = settings
        return dict(settings)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: even when told not to follow, requests would read the whole body to prepare for it."""
        return None


class _Pieces:
    """A body that is sent piece by piece, with its length known, and again after a redirect."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces
        self._length = sum(map(len, pieces))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def __len__(self) -> int:
        return self._length


def _follow(session: requests.Session, hop: Hop, secrets: Secrets) -> Body | ChatProtoError:
    """Send, and go where redirects lead."""
    while True:
        headers = hop.headers(secrets)
        if isinstance(headers, ValidationError):
            return headers
        prepared = session.prepare(hop, headers) if isinstance(session, _OwnSession) else None
        if prepared is None:
            prepared = _prepared(session, hop, headers)
        settings: Any = session.merge_environment_settings(prepared.url or hop.url, {}, True, None, None)
        timeout = (hop.request.timeout, hop.request.timeout)
        response = session.send(prepared, timeout=timeout, allow_redirects=False, **settings)
        following = hop.after(response.status_code, response.headers.get("location"))
        if following is None:
            return Body(response, secrets)
        response.close()
        if isinstance(following, ChatProtoError):
            return following
        hop = following


def _prepared(session: requests.Session, hop: Hop, headers: Headers) -> requests.PreparedRequest:
    """One hop, with all that the session adds to its requests."""
    body = hop.pieces
    return session.prepare_request(
        requests.Request(
            method=hop.method,
            url=hop.url,
            headers=_headers(session, hop, headers),
            data=_Pieces(body) if len(body) > 1 else b"".join(body) or None,
            # The session's own parameters are in the first URL; a redirect says all of the next one.
            params=_without(session.params) if hop.number else None,
            auth=_auth(session, hop, headers),
        )
    )


def _headers(session: requests.Session, hop: Hop, headers: Headers) -> dict[str, Any]:
    """Headers for requests, which leaves out those that are None, also where the session has them."""
    chosen: dict[str, Any] = dict(headers)
    if hop.elsewhere:
        chosen = {name: None for name in session.headers if name.lower() not in _NOT_SECRET} | chosen
    return chosen


def _auth(session: requests.Session, hop: Hop, headers: Headers) -> Any:
    """What requests takes for ``auth``: without any, it would look into ``~/.netrc``."""
    if hop.elsewhere:
        return _nothing
    if session.auth:
        return None  # that of the session
    if any(name.lower() == "authorization" for name, _ in headers):
        return _nothing
    of_url = get_auth_from_url(hop.url)
    if any(of_url):
        return of_url
    return _nothing if isinstance(session, _OwnSession) else None


def _nothing(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _without(parameters: Any) -> dict[str, None] | None:
    """Parameters for requests that leave out those of the session."""
    return {str(name): None for name in cast("Mapping[Any, Any]", parameters)} if hasattr(parameters, "keys") else None
