"""What a session adds to its requests; and the transport's own, which does once what is equal for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar  # pyright: ignore[reportUnknownVariableType]
from requests.utils import get_auth_from_url

from chatproto.wire.http import origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chatproto.hops import Hop
    from chatproto.wire.http import Headers

__all__ = ["OwnSession", "prepare"]

POOL_SIZE = 100

_ORIGINS = 10  # whose connections are kept
_MAX_KEPT = 100  # URLs whose spelling is remembered, and origins whose settings are
#: The queries of URLs that are remembered: another one may hold a key.
_KEPT_QUERIES = frozenset({"", "alt=sse"})

_ACCEPTED = {"accept": "*/*", "accept-encoding": "gzip, deflate"}
_NOT_SECRET = frozenset({"user-agent", "accept", "accept-encoding", "connection"})


class _Pieces:
    """A body that is sent piece by piece, with its length known, and again after a redirect."""

    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces
        self._length = sum(map(len, pieces))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def __len__(self) -> int:
        return self._length


class _Adapter(HTTPAdapter):
    """Looks up once which connections serve an origin, where there is no proxy."""

    def __init__(self) -> None:
        super().__init__(pool_connections=_ORIGINS, pool_maxsize=POOL_SIZE)
        self._pools: dict[tuple[str, str, int, Any], Any] = {}

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """The pool of connections that requests would find."""
        if proxies or cert:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        key = *origin(request.url), verify
        pool = self._pools.get(key)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if len(self._pools) >= _ORIGINS:
                self._pools.clear()
            self._pools[key] = pool
        return pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """What to ask for: only a proxy must know where."""
        asked: str = super().request_url(request, proxies) if proxies else request.path_url
        return asked

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()
        super().close()


class OwnSession(requests.Session):
    """The transport's own session."""

    def __init__(self) -> None:
        super().__init__()
        self.headers.clear()
        self.headers.update(_ACCEPTED)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())
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
        asked = "://".join(urlsplit(str(url))[:2])
        settings = self._environment.get(asked)
        if settings is None:
            if len(self._environment) >= _MAX_KEPT:
                self._environment.clear()
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
            self._environment[asked] = settings
        return dict(settings)

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """One hop, as the adapter sends it: there are no hooks, and redirects are not for requests to follow."""
        del settings["allow_redirects"]
        response = self.get_adapter(request.url or "").send(request, **settings)
        if "set-cookie" in response.headers:
            extract_cookies_to_jar(self.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return response


def prepare(session: requests.Session, hop: Hop, headers: Headers) -> requests.PreparedRequest:
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
    return _nothing if isinstance(session, OwnSession) else None


def _nothing(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _without(parameters: Any) -> dict[str, None] | None:
    """Parameters for requests that leave out those of the session."""
    return {str(name): None for name in cast("Mapping[Any, Any]", parameters)} if hasattr(parameters, "keys") else None
