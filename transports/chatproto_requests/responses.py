"""The head of a response, and its body as it arrives."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.exceptions import ReadTimeoutError

from chatproto.errors import ChatProtoError, ConnectionLost

from .failures import LIBRARY_ERRORS, mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers

__all__ = ["Body"]

READ_SIZE = 64 * 1024


class Body:
    """A response for the drivers. A thread that reads it is woken by another one that gives it up."""

    def __init__(self, response: requests.Response, secrets: Secrets) -> None:
        self.status: int = response.status_code
        fields = getattr(response.raw, "headers", None) or response.headers  # those of requests are joined by name
        self.headers: Headers = tuple((str(name).lower(), str(value)) for name, value in fields.items())
        self._response = response
        self._secrets = secrets
        self._read1 = _read1(response)
        self._busy = threading.Lock()
        self._ended = False
        self._given_up = False
        self._failure: ChatProtoError | None = None

    # An error is raised when it is no longer being handled: the frames below, which hold the headers, are gone then.
    def read(self) -> bytes:
        """What has arrived, decoded; ``b""`` at the end."""
        data = b""
        self._busy.acquire()  # by hand, because ``with`` is twice as dear
        try:
            if not self._ended and not self._given_up and self._failure is None:
                data = self._read1(READ_SIZE)
                if not data:
                    self._end()
        except (*LIBRARY_ERRORS, AttributeError, ValueError) as error:
            self._failure = self._failed(error)
        finally:
            self._busy.release()
        if self._given_up:  # by another thread, while this one was waiting
            self.discard()
            raise ConnectionLost("the connection was given up")
        if self._failure is not None:
            raise self._failure
        return data

    def _end(self) -> None:
        """The connection goes back to the pool, if it is not there yet."""
        release = getattr(self._response.raw, "release_conn", None)
        if release is not None:
            release()
        self._ended = True

    def _failed(self, error: Exception) -> ChatProtoError:
        if isinstance(error, TimeoutError):  # from http.client, which does not say whose time it was
            connection: Any = getattr(self._response.raw, "connection", None)
            error = ReadTimeoutError(connection, "", "Read timed out.")
        if isinstance(error, LIBRARY_ERRORS):
            return mapped(error, self._secrets, opening=False)
        if not self._given_up:
            raise error
        return ConnectionLost("the connection was given up", cause=type(error).__name__)

    def discard(self) -> None:
        """Close the connection, unless the body has ended and it is in the pool again."""
        if not self._ended:
            self._given_up = True
        if self._busy.acquire(blocking=False):
            try:
                self._response.close()
            finally:
                self._busy.release()
        else:
            # A thread is reading, and a file object cannot be closed under a reader without waiting for it. So wake
            # the reader, and it does the rest.
            with suppress(AttributeError, OSError, RuntimeError, ValueError):
                self._response.raw.shutdown()


def _read1(response: requests.Response) -> Callable[[int], bytes]:
    """What gives the next piece that has arrived, of at most so many bytes, and ``b""`` at the end."""
    raw: Any = response.raw
    if not isinstance(raw, urllib3.HTTPResponse) or getattr(response, "_content_consumed", False):
        # A recording plays something like one of urllib3's, or a hook has read the body.
        pieces = response.iter_content(chunk_size=None)
        return lambda _: next(pieces, b"")
    # Of chunks that are not compressed, urllib3's read1 hands out what http.client's does, at twice the cost. Both see
    # by themselves whether all have come. An adapter that watches or replaces bodies has put its own file there.
    body = getattr(raw, "_fp", None)
    if type(body) is HTTPResponse and body.chunked and body.length is None and "content-encoding" not in raw.headers:
        return body.read1
    return partial(raw.read1, decode_content=True)
