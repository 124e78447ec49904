"""``RequestsTransport``: what is sent, where redirects lead, and how it is closed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from chatproto.errors import ChatProtoError, LocalProtocolError, ValidationError
from chatproto.hops import Hop, first_hop

from .failures import LIBRARY_ERRORS, mapped
from .responses import Body
from .sessions import OwnSession, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from chatproto.transport import Secrets
    from chatproto.wire.http import Request

__all__ = ["RequestsTransport"]


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
                self._session = OwnSession()
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


def _follow(session: requests.Session, hop: Hop, secrets: Secrets) -> Body | ChatProtoError:
    """Send, and go where redirects lead."""
    while True:
        headers = hop.headers(secrets)
        if isinstance(headers, ValidationError):
            return headers
        prepared = session.prepare(hop, headers) if isinstance(session, OwnSession) else None
        if prepared is None:
            prepared = prepare(session, hop, headers)
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
