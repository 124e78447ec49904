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


_OF_THE_LIBRARY = ("httpx", "httpx2")


def _words(error: BaseException, secrets: Secrets) -> str:
    """What the library says, or what it was made of says: some of its errors have no words of their own."""
    words = str(error) if type(error).__module__.partition(".")[0] in _OF_THE_LIBRARY else ""
    link: BaseException | None = error
    for _ in range(_CHAIN):
        if words or link is None:
            break
        # What else is below are the insides of the libraries: their words help nobody, and differ from run to run.
        words = str(link) if isinstance(link, OSError) else ""
        link = link.__cause__ or link.__context__
    words = _USER_INFO.sub("//***@", words) or "the library says no more than the name of the error"
    if secrets.occurs_in(words.encode("utf-8", "backslashreplace")):
        return "the library's words are withheld, because they quote a credential"
    return words
