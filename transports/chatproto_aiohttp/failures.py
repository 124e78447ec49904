"""Errors of aiohttp, as the errors of chatproto.

Only their class names and words pass. The objects hold the request's headers, and so the key; and the words are
withheld where they quote it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError

from chatproto.errors import ChatProtoError, ConnectFailed, ConnectionLost, TimedOut, TransportError, ValidationError

if TYPE_CHECKING:
    from chatproto.transport import Secrets

__all__ = ["LIBRARY_ERRORS", "mapped"]

#: What aiohttp raises, and what comes through it from below. A ValueError is a request that cannot be sent.
LIBRARY_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError, asyncio.TimeoutError, ssl.SSLError)

_NO_CONNECTION = (
    aiohttp.ClientConnectorError,  # DNS, TCP, TLS and the proxy
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
)
_USER_INFO = re.compile(r"//[^/@\s'\"]+@")
_CHAIN = 8


def mapped(error: Exception, secrets: Secrets, *, opening: bool) -> ChatProtoError:
    """The error to raise for ``error``, once it is no longer being handled.

    ``opening``: no head had come. A request that cannot be sent at all becomes ValidationError: trying again is no use.
    """
    cause = type(error).__name__
    words = _words(error, secrets)
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return TimedOut(words, cause=cause)
    if opening and isinstance(error, _NO_CONNECTION):  # before ValueError: that of a certificate is one
        return ConnectFailed(words, cause=cause)
    if opening and isinstance(error, ValueError):
        return ValidationError(f"aiohttp cannot send this request: {words} ({cause})")
    if _undecodable(error):
        return TransportError(words, cause=cause)
    return ConnectionLost(words, cause=cause)


def _undecodable(error: BaseException) -> bool:
    """Whether a body is not the gzip that it says it is."""
    link: BaseException | None = error
    for _ in range(_CHAIN):
        if link is None or isinstance(link, ContentEncodingError):
            break
        link = link.__cause__ or link.__context__
    return link is not None


def _words(error: BaseException, secrets: Secrets) -> str:
    words = _USER_INFO.sub("//***@", str(error)) or type(error).__name__
    if secrets.occurs_in(words.encode("utf-8", "backslashreplace")):
        return "the library's words are withheld, because they quote a credential"
    return words
