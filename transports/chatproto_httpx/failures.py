"""Errors of httpx and httpx2, as the errors of chatproto.

Only their class names and words pass. The objects hold the request's headers, and so the key; and the words are
withheld where they quote it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chatproto.errors import ChatProtoError, ConnectFailed, ConnectionLost, TimedOut, TransportError, ValidationError

if TYPE_CHECKING:
    from chatproto.transport import Secrets

__all__ = ["library_errors", "mapped"]

_USER_INFO = re.compile(r"//[^/@\s'\"]+@")
_CHAIN = 8


def library_errors(library: Any) -> tuple[type[Exception], ...]:
    """What the library raises, and what comes through it from below."""
    return library.HTTPError, library.InvalidURL, library.StreamError, OSError


def mapped(library: Any, error: Exception, secrets: Secrets, *, opening: bool) -> ChatProtoError:
    """The error to raise for ``error``, once it is no longer being handled.

    ``opening``: no head had come. A request that cannot be sent at all becomes ValidationError: trying again is no use.
    """
    cause = type(error).__name__
    words = _words(error, secrets)
    if opening and isinstance(error, (library.InvalidURL, library.UnsupportedProtocol, library.LocalProtocolError)):
        return ValidationError(f"{library.__name__} cannot send this request: {words} ({cause})")
    if isinstance(error, (library.TimeoutException, TimeoutError)):
        return TimedOut(words, cause=cause)
    if opening and isinstance(error, (library.ConnectError, library.ProxyError)):
        return ConnectFailed(words, cause=cause)
    # An answer came; it is of no use, or a hook of the client refused it.
    if isinstance(error, (library.DecodingError, library.HTTPStatusError)):
        return TransportError(words, cause=cause)
    return ConnectionLost(words, cause=cause)


def _words(error: BaseException, secrets: Secrets) -> str:
    """What the library says, or what it was made of says: some of its errors have no words of their own."""
    words, link = "", error
    for _ in range(_CHAIN):
        words = str(link)
        below = link.__cause__ or link.__context__
        if words or below is None:
            break
        link = below
    words = _USER_INFO.sub("//***@", words) or type(error).__name__
    if secrets.occurs_in(words.encode("utf-8", "backslashreplace")):
        return "the library's words are withheld, because they quote a credential"
    return words
