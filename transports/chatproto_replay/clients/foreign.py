"""Requests that a program makes through another HTTP library, as chatproto's: what may be secret is set apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs

from chatproto.transport import Secrets
from chatproto.wire.http import Request, origin

from ..redaction.allowed import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ForeignRequests"]

#: Headers that each library makes for itself, for the connection it has; what it can decode is its own affair, too.
_OF_THE_CONNECTION = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"}
)
#: Headers that say nothing secret. The values of all others are looked for in what is written.
_HARMLESS = Secrets.HARMLESS | {"idempotency-key"}
_HARMLESS_PREFIXES = ("x-goog-upload-", "x-stainless-")


class ForeignRequests:
    """Reads the requests of one program. While its credentials stay the same, so does the Secrets object."""

    def __init__(self) -> None:
        self._last: tuple[Any, Secrets] | None = None

    def read(
        self, *, method: str, url: str, headers: Iterable[tuple[str, str]], content: bytes, timeout: float | None
    ) -> tuple[Request, Secrets]:
        """A request, and what of its headers may be secret.

        A credential in the query stays in the URL, because only the server knows what it is called there; it is never
        recorded or printed, and it is looked for in what is written.
        """
        fields = [(name.lower(), value) for name, value in headers if name.lower() not in _OF_THE_CONNECTION]
        plain = tuple(pair for pair in fields if _is_harmless(pair[0]))
        hidden = {name: value for name, value in fields if not _is_harmless(name)}
        in_query = tuple(value for name, value in parse_qsl(urlsplit(url).query) if name.lower() in NEVER)
        known = hidden, in_query, origin(url)
        last = self._last  # once: clients in other threads, with keys of their own, put theirs there meanwhile
        if last is None or last[0] != known:  # a recorder keeps each one that it has seen
            self._last = last = known, Secrets(hidden, url=url, also=in_query)
        body = (content,) if content else ()
        kind = _RequestWithCredential if in_query else Request
        return kind(method=method, url=url, headers=plain, body=body, timeout=timeout), last[1]


def _is_harmless(name: str) -> bool:
    return name in _HARMLESS or name.startswith(_HARMLESS_PREFIXES)


@attrs.frozen(kw_only=True, repr=False)
class _RequestWithCredential(Request):
    """A request with a credential in its query, which is not printed."""

    def __repr__(self) -> str:
        parts = urlsplit(self.url)
        query = [(name, "***" if name.lower() in NEVER else value) for name, value in parse_qsl(parts.query)]
        url = urlunsplit(parts._replace(query=urlencode(query, safe="*")))
        return repr(Request(method=self.method, url=url, headers=self.headers, body=self.body, timeout=self.timeout))
