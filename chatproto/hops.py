"""Where a request goes, hop by hop: what HTTP can carry, and where redirects lead. Nothing is sent here.

For transports whose library would send credentials along with a redirect.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union
from urllib.parse import quote, urljoin, urlsplit

import attrs

from .errors import ChatProtoError, TransportError, ValidationError
from .wire.http import origin

if TYPE_CHECKING:
    from .transport import Secrets
    from .wire.http import Headers, Request

__all__ = ["Hop", "first_hop"]

MAX_REDIRECTS = 20
#: Below this, one write of a joined body is cheaper than a packet for each of its pieces.
JOIN_BELOW = 64 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What a URL may hold as it is; ``%`` too, because it is escaped already.
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
#: What no value of a header may hold.
_NOT_CARRIED = re.compile(r"[\r\n\0\u0100-\U0010ffff]")
#: The usual URL, which needs no parsing to see that it is one of HTTP.
_USUAL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[1-9]\d{0,3}|:[1-5]\d{4})?[/?]", re.ASCII)

Headed = Union["Headers", ValidationError]


@attrs.define(kw_only=True)  # not frozen: that makes each several times dearer
class Hop:
    """One request on the way to an answer. Its headers are asked for when it is sent, and not kept here."""

    request: Request
    url: str
    method: str
    body: tuple[bytes, ...] = attrs.field(repr=False)
    number: int = 0

    @property
    def length(self) -> int:
        """How many bytes the body has."""
        return sum(map(len, self.body))

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """The body as it is best written: a small one in one piece, a large one without copying it; () if empty."""
        length = self.length
        return self.body if length >= JOIN_BELOW else (b"".join(self.body),) if length else ()

    @property
    def elsewhere(self) -> bool:
        """Whether a redirect has led to another origin, where no credential may go."""
        return self.number > 0 and origin(self.url) != origin(self.request.url)

    def headers(self, secrets: Secrets, *, checked: Headers = ()) -> Headed:
        """All headers to send to this hop, or what is wrong with one: the libraries would quote its value.

        ``checked`` are those that were given before. Most requests have the same ones, which are not looked at again.
        """
        headers = secrets.headers_for(self.request, self.url)
        if headers is checked and self.body:
            return headers
        if self.request.body and not self.body:  # a redirect has made a GET of it
            headers = tuple(pair for pair in headers if pair[0].lower() != "content-type")
        if _NOT_CARRIED.search("".join([value for _, value in headers])):
            name = next(name for name, value in headers if _NOT_CARRIED.search(value))
            return ValidationError(f"the value of the header {name!r} has characters that HTTP cannot carry")
        return headers

    def after(self, status: int, location: str | None) -> Hop | ChatProtoError | None:
        """The hop that a response leads to; None if it leads nowhere and is the answer."""
        if status not in _REDIRECTS or location is None:
            return None
        if self.number == MAX_REDIRECTS:
            return TransportError(f"redirected more than {MAX_REDIRECTS} times", cause="TooManyRedirects")
        url = _target(self.url, location)
        if url is None:
            return TransportError(f"the server redirected to {_shown(location)}, where HTTP does not lead")
        method, body = self.method, self.body
        if status == 303 or (status in (301, 302) and method == "POST"):
            method, body = ("HEAD" if method == "HEAD" else "GET"), ()
        return attrs.evolve(self, url=url, method=method, body=body, number=self.number + 1)


def first_hop(request: Request) -> Hop | ChatProtoError:
    """The request itself, if it can be sent at all."""
    if not _is_http(request.url):
        return ValidationError(f"not an HTTP URL: {_shown(request.url)}")
    if request.timeout is not None and request.timeout <= 0:
        return ValidationError(f"a timeout is above 0, not {request.timeout}")
    return Hop(request=request, url=request.url, method=request.method, body=request.body)


def _target(url: str, location: str) -> str | None:
    """Where a redirect leads; None where that cannot be followed."""
    try:
        # A header is read as latin-1, but those who put more than ASCII into it mean UTF-8.
        target = urljoin(url, quote(location.encode("latin-1").decode("utf-8", "replace"), safe=_AS_IT_IS))
    except ValueError:
        return None
    return target if _is_http(target) else None


def _is_http(url: str) -> bool:
    if _USUAL.match(url):
        return True
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _shown(url: str) -> str:
    """A URL for an error message: a query may hold a key, and so may what stands before the host."""
    address = url.partition("?")[0][:200]
    scheme, separator, rest = address.partition("://")
    return repr(f"{scheme}{separator}{rest.rpartition('@')[2]}")
