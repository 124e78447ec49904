"""What an error of the server is, whichever form it came in: a JSON object or list, text, HTML, or nothing at all."""

from __future__ import annotations

from typing import Any

from ..errors import APIError, MalformedResponse
from ..types import HttpResponse
from ..types._json import is_array, is_object
from .http import Headers, retry_after
from .json_codec import decode

__all__ = ["api_error", "error_in"]

#: Status names of google.rpc.Code and their HTTP codes, for an error in a stream that has a name and no number.
_CODES = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}

#: Reason phrases for a body that says nothing itself (RFC 9110): a transport hands over the number alone.
_PHRASES = {
    201: "Created",
    202: "Accepted",
    203: "Non-Authoritative Information",
    204: "No Content",
    205: "Reset Content",
    206: "Partial Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    429: "Too Many Requests",
    499: "Client Closed Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def api_error(status: int, headers: Headers, body: bytes) -> APIError:
    """The error behind a response that is not 200 (reference behaviour, section 5)."""
    text = body.decode("utf-8", "replace")
    try:
        details: Any = decode(body, what="the error's body")
    except MalformedResponse:
        details = {"message": text, "status": _PHRASES.get(status, f"HTTP {status}")}
    if is_array(details) and len(details) == 1:
        details = details[0]
    response = HttpResponse(headers={key.lower(): value for key, value in headers}, body=text)
    return _shown(status, details, response, headers)


def error_in(document: Any, headers: Headers) -> APIError | None:
    """The error inside a document of a 200 response: an ``error`` member, wherever it stands, or a list of one."""
    if is_array(document) and len(document) == 1:
        document = document[0]
    if not is_object(document):
        return None
    error = document.get("error")
    if error is None:
        return None
    code = error.get("code") if is_object(error) else None
    if not isinstance(code, int) or isinstance(code, bool):
        name = error.get("status") if is_object(error) else None
        code = _CODES.get(name, 500) if isinstance(name, str) else 500
    response = HttpResponse(headers={key.lower(): value for key, value in headers})
    return _shown(code, document, response, headers)


def _shown(code: int, details: Any, response: HttpResponse, headers: Headers) -> APIError:
    after = retry_after(headers)
    try:
        return APIError.of(code, details, response, retry_after=after)
    except RecursionError:  # JSON can be read at a depth at which it cannot be shown
        details = {
            "message": "the error is nested too deeply to be shown",
            "status": _PHRASES.get(code, f"HTTP {code}"),
        }
        return APIError.of(code, details, response, retry_after=after)
