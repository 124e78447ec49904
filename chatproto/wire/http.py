"""HTTP as values: requests, and what the headers of a response say about time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlsplit

import attrs

from ..errors import ValidationError
from .json_codec import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FileSlice", "Headers", "Request", "header", "header_pairs", "origin", "retry_after"]

Headers = tuple[tuple[str, str], ...]


@attrs.frozen
class FileSlice:
    """``size`` bytes from ``offset`` of the file that the program knows as ``name``: a body without its bytes."""

    name: str
    offset: int
    size: int


@attrs.frozen(slots=False)  # frozen and with slots it would take a third longer to make
class Request:
    """One HTTP request, whole, and without a credential.

    ``body`` is in pieces that are sent one after the other: the conversation so far is a piece that is made once.
    ``timeout`` is in seconds, for connecting and for each wait for a piece of the answer; None waits for ever.
    ``file`` is sent after the pieces. Whoever has the file puts its bytes into ``body`` and takes ``file`` away before
    a transport sees the request (``chatproto.files.WithSource`` does): a transport need not know of it.
    """

    method: str
    url: str
    headers: Headers = ()
    body: tuple[bytes, ...] = attrs.field(default=(), repr=lambda body: f"<{sum(map(len, body))} bytes>")
    timeout: float | None = None
    file: FileSlice | None = None

    @property
    def content(self) -> bytes:
        """The body in one piece."""
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)

    def json(self) -> Any:
        """The body's JSON. Raises MalformedResponse where the body is not JSON."""
        return decode(self.content, what="the request's body")


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL: what decides whether a credential may go there. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.scheme, (parts.hostname or "").lower(), port


def header_pairs(headers: Any) -> Headers:
    """Headers as pairs of text, from pairs or from a mapping such as HTTP libraries have. Raises ValidationError."""
    if _are_pairs(headers):
        return headers  # as transports give them: nothing is made anew
    items: Any = headers
    if type(headers) is not tuple and isinstance(headers, Mapping):
        items = headers.items()  # pyright: ignore[reportUnknownVariableType]
    try:
        pairs: Headers = tuple([(name, value) for name, value in items])
    except (TypeError, ValueError):
        raise ValidationError("headers are pairs of a name and a value") from None
    kinds: set[type] = set(map(type, chain.from_iterable(pairs)))
    if not all(issubclass(kind, str) for kind in kinds):
        raise ValidationError("the names and values of headers are text")
    return pairs


def _are_pairs(headers: Any) -> TypeGuard[Headers]:
    pairs: tuple[Any, ...] = headers
    if type(headers) is not tuple:
        return False
    try:
        for pair in pairs:
            name, held = pair
            if type(name) is not str or type(held) is not str or type(pair) is not tuple:
                return False
    except (TypeError, ValueError):
        return False
    return True


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value of a header, whatever the case of its name."""
    wanted = name.lower()
    return next((found for key, found in headers if key.lower() == wanted), None)


# --- time ---------------------------------------------------------------------------------------------------------

_MONTHS = {
    month: number
    for number, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
# RFC 9110, section 5.6.7: the preferred form. The two obsolete ones have not been seen from this API.
_IMF_FIXDATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def _http_date(text: str) -> datetime | None:
    match = _IMF_FIXDATE.fullmatch(text.strip())
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        return datetime(year, _MONTHS[match[2]], day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def retry_after(headers: Iterable[tuple[str, str]]) -> float | None:
    """The seconds that ``Retry-After`` asks for; None where it is absent or cannot be read.

    A date counts from the response's own ``Date``: a machine has no clock.
    """
    pairs = tuple(headers)
    text = header(pairs, "retry-after")
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    until, now = _http_date(text), _http_date(header(pairs, "date") or "")
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())
