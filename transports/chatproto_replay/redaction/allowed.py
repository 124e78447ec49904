"""What of an exchange is recorded: an allow-list, so that what nobody thought of is left out.

Requests pass through the same sieve when they are recorded and when they are compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from chatproto.errors import MalformedResponse
from chatproto.wire.json_codec import decode

from ..cassette import Body, Field, RecordedRequest, too_deep

if TYPE_CHECKING:
    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

__all__ = ["kept_headers", "played_headers", "recorded_request", "without_host"]

#: The headers of requests that say something about the exchange. None of them is compared.
REQUEST_HEADERS = frozenset(
    {
        "content-type",
        "x-server-timeout",
        "x-goog-upload-command",
        "x-goog-upload-header-content-length",
        "x-goog-upload-header-content-type",
        "x-goog-upload-offset",
        "x-goog-upload-protocol",
    }
)
#: The headers of responses that a machine reads. ``date`` is what a date in ``retry-after`` counts from.
RESPONSE_HEADERS = frozenset(
    {
        "content-type",
        "date",
        "retry-after",
        "retry-after-ms",  # this and the next are what other SDKs decide a retry by
        "x-should-retry",
        "x-gemini-service-tier",
        "x-goog-upload-chunk-granularity",
        "x-goog-upload-size-received",
        "x-goog-upload-status",
        "x-goog-upload-url",
    }
)
#: Query parameters whose value is kept. Of others only the name is, with null, so that a missing one is still noticed.
QUERY = frozenset({"alt", "filter", "pageSize", "pageToken", "updateMask", "upload_protocol"})
#: Parameters that may be there when recording and not when playing, or hold a credential: not even the name is kept.
NEVER = frozenset({"access_token", "api_key", "apikey", "auth", "key", "oauth_token", "token"})

_UPLOAD_URL = "x-goog-upload-url"
#: What stays as it is in a path, which clients spell in their own ways: ``:`` as ``%3A``, a space as ``%20`` or not.
_AS_THEY_ARE = "/:@!$&'()*+,;=~"
_PROJECT = re.compile(r"(?<=/projects/)[^/]+")


def recorded_request(request: Request) -> RecordedRequest:
    """What of ``request`` is recorded: no host, and of a path no Google Cloud project."""
    parts = urlsplit(request.url)
    return RecordedRequest(
        method=request.method,
        path=_PROJECT.sub("_", quote(unquote(parts.path), safe=_AS_THEY_ARE) or "/"),
        query=_kept_query(parts.query),
        headers=tuple((name.lower(), value) for name, value in request.headers if name.lower() in REQUEST_HEADERS),
        body=_body(request.content),
    )


def kept_headers(headers: Headers) -> Headers:
    """What of a response's headers is recorded. The URL of an upload loses its host and its session's id."""
    return tuple(
        (name, _upload_path(value) if name == _UPLOAD_URL else value)
        for name, value in headers
        if name in RESPONSE_HEADERS
    )


def played_headers(headers: Headers, request: Request) -> Headers:
    """Recorded headers, with the host that is being talked to back in the URL of an upload."""
    return tuple((name, urljoin(request.url, value) if name == _UPLOAD_URL else value) for name, value in headers)


def without_host(message: str, request: Request, secrets: Secrets) -> str:
    """The words of an error, without the host, and without all words where they quote a credential."""
    if secrets.occurs_in(message.encode("utf-8", "backslashreplace")):
        return "the words of this error are withheld, because they quote a credential"
    host = urlsplit(request.url).hostname
    return re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", "HOST", message) if host else message


def _kept_query(query: str) -> tuple[Field, ...]:
    pairs = parse_qsl(query, keep_blank_values=True)
    return tuple((name, value if name in QUERY else None) for name, value in pairs if name.lower() not in NEVER)


def _upload_path(url: str) -> str:
    parts = urlsplit(url)
    query = urlencode([(name, "_" if value is None else value) for name, value in _kept_query(parts.query)])
    return parts.path + (f"?{query}" if query else "")


def _body(content: bytes) -> Body | None:
    if not content:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Body("b64", content)
    try:
        document = decode(text, what="the request")
    except MalformedResponse:
        return Body("text", text)
    return Body("text", text) if too_deep(document) else Body("json", document)
