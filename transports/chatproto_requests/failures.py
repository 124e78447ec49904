"""Errors of requests and urllib3, as the errors of chatproto.

Only their class names and words pass. The objects hold the request's headers, and so the key; and the words are
withheld where they quote it.
"""

from __future__ import annotations

import re
from http.client import HTTPException
from typing import TYPE_CHECKING

import urllib3.exceptions
from requests import exceptions

from chatproto.errors import ChatProtoError, ConnectFailed, ConnectionLost, TimedOut, TransportError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatproto.transport import Secrets

__all__ = ["LIBRARY_ERRORS", "mapped"]

#: What requests raises, and what comes through it from below: a body is read from urllib3, or from http.client.
LIBRARY_ERRORS = (exceptions.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)

_TIMEOUTS = (exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_NO_CONNECTION = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,  # while a request is being sent: the handshake
    exceptions.ProxyError,
    exceptions.SSLError,
)
#: An answer came; it is of no use, or a hook of the session refused it.
_OF_NO_USE = (exceptions.ContentDecodingError, urllib3.exceptions.DecodeError, exceptions.HTTPError)
_NOT_A_REQUEST = (
    exceptions.InvalidHeader,
    exceptions.InvalidSchema,
    exceptions.InvalidURL,
    exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_USER_INFO = re.compile(r"//[^/@\s'\"]+@")
_CHAIN = 12


def mapped(error: Exception, secrets: Secrets, *, opening: bool) -> ChatProtoError:
    """The error to raise for ``error``, once it is no longer being handled.

    ``opening``: no head had come. A request that cannot be sent at all becomes ValidationError: trying again is no use.
    """
    chain = tuple(_chain(error))
    cause = type(error).__name__
    words = _words(chain, secrets)
    if isinstance(error, _NOT_A_REQUEST):
        return ValidationError(f"requests cannot send this request: {words} ({cause})")
    if any(isinstance(link, _TIMEOUTS) and not isinstance(link, _NO_CONNECTION) for link in chain):
        return TimedOut(words, cause=cause)
    if opening and any(isinstance(link, _NO_CONNECTION) for link in chain):
        return ConnectFailed(words, cause=cause)
    if isinstance(error, _OF_NO_USE):
        return TransportError(words, cause=cause)
    return ConnectionLost(words, cause=cause)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was made of, outermost first."""
    waiting: list[BaseException] = [error]
    for _ in range(_CHAIN):
        if not waiting:
            return
        link = waiting.pop(0)
        yield link
        within = (*link.args, getattr(link, "reason", None), link.__cause__)
        waiting += [each for each in within if isinstance(each, BaseException) and each not in waiting]


def _words(chain: tuple[BaseException, ...], secrets: Secrets) -> str:
    """What the library says: of a failure after retries, the failure, not the retries and the URL."""
    telling = chain[0]
    for link in chain:
        if isinstance(link, urllib3.exceptions.MaxRetryError) and link.reason is not None:
            telling = link.reason
    words = _USER_INFO.sub("//***@", str(telling)) or type(telling).__name__
    if secrets.occurs_in(words.encode("utf-8", "backslashreplace")):
        return "the library's words are withheld, because they quote a credential"
    return words
