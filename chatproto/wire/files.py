"""The files API: its requests, and what the headers of the resumable upload protocol say.

The protocol: ``start`` gets a URL for the bytes; each ``upload`` says where its bytes belong; the last one adds
``finalize``; ``query`` asks how many bytes the server holds. Every answer says in ``x-goog-upload-status`` whether the
upload is ``active``, ``final`` or ``cancelled``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import attrs

from ..errors import MalformedResponse, ValidationError
from ..types._hooks import converter
from ..types._value import Value
from .gemini import merge_body
from .http import FileSlice, Headers, Request, header
from .json_codec import encode

if TYPE_CHECKING:
    from .endpoint import Endpoint

__all__ = [
    "FileDescription",
    "chunk_request",
    "delete_request",
    "download_request",
    "file_path",
    "get_request",
    "granularity",
    "list_request",
    "query_request",
    "read_answer",
    "size_received",
    "start_request",
    "upload_status",
    "upload_url",
]

V = TypeVar("V", bound=Value)

# As the service makes them: lower case letters, digits and dashes. What follows is a method or a query.
_IN_URL = re.compile(r"/files/([a-z0-9-]+)")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@attrs.frozen(kw_only=True)
class FileDescription:
    """What the server is told of a file before it gets the bytes.

    ``name`` is ``files/...``; the server makes one up where it is None. ``file_name`` is the file's own, on disk.
    """

    size: int
    mime_type: str
    name: str | None = None
    display_name: str | None = None
    file_name: str | None = None


def file_path(name: str) -> str:
    """The path of a file from its name, with or without ``files/``, or from its URL. Raises ValidationError."""
    if name.startswith(("https://", "http://")):
        found = _IN_URL.search(urlsplit(name).path)
        if found is None:
            raise ValidationError(f"the URL has no file's name in it: {name.partition('?')[0]!r}")
        return f"files/{found[1]}"
    bare = name.removeprefix("files/")
    if bare in ("", ".", ".."):
        raise ValidationError(f"a file's name is needed, for example 'files/abc-123', not {name!r}")
    return "files/" + quote(bare, safe="", errors="replace")


# --- requests about files -----------------------------------------------------------------------------------------


def _bare(endpoint: Endpoint, method: str, url: str, headers: Headers = ()) -> Request:
    """A request without a JSON body: its headers name the library and the time limit, and no type of content."""
    own = tuple(pair for pair in endpoint.headers() if pair[0] != "content-type")
    return Request(method=method, url=url, headers=own + headers, timeout=endpoint.timeout)


def get_request(endpoint: Endpoint, path: str) -> Request:
    """What is known of a file. ``path`` is from ``file_path``."""
    return _bare(endpoint, "GET", endpoint.url(path))


def delete_request(endpoint: Endpoint, path: str) -> Request:
    """Delete a file."""
    return _bare(endpoint, "DELETE", endpoint.url(path))


def list_request(endpoint: Endpoint, page_size: int | None, page_token: str | None) -> Request:
    """One page of the list of files."""
    wanted = [(key, item) for key, item in (("pageSize", page_size), ("pageToken", page_token)) if item is not None]
    url = endpoint.url("files")
    return _bare(endpoint, "GET", f"{url}?{urlencode(wanted)}" if wanted else url)


def download_request(endpoint: Endpoint, path: str) -> Request:
    """The bytes of a file."""
    return _bare(endpoint, "GET", endpoint.url(f"{path}:download") + "?alt=media")


# --- the resumable upload -----------------------------------------------------------------------------------------


def start_request(endpoint: Endpoint, file: FileDescription) -> Request:
    """Announce a file. The answer's headers have the URL for its bytes."""
    about: dict[str, Any] = {
        "name": file.name,
        "displayName": file.display_name,
        "mimeType": file.mime_type,
        "sizeBytes": file.size,
    }
    body: dict[str, Any] = {"file": {key: item for key, item in about.items() if item is not None}}
    headers: Headers = (
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-command", "start"),
        ("x-goog-upload-header-content-length", str(file.size)),
        ("x-goog-upload-header-content-type", file.mime_type),
    )
    if file.file_name:
        headers += (("x-goog-upload-file-name", _as_header(file.file_name)),)
    under = attrs.evolve(endpoint, api_version=f"upload/{endpoint.api_version}".rstrip("/"))
    return Request(
        method="POST",
        url=under.url("files"),
        headers=endpoint.headers() + headers,
        body=(encode(merge_body(body, endpoint.extra_body or {})),),
        timeout=endpoint.timeout,
    )


def _as_header(name: str) -> str:
    """A file's name as a header can carry it: in ASCII as it is, else percent-encoded, which the service decodes."""
    return name if name.isascii() and name.isprintable() else quote(name, errors="replace")


def chunk_request(endpoint: Endpoint, url: str, part: FileSlice, *, last: bool) -> Request:
    """Some bytes of the file, which go where ``part`` begins."""
    command = "upload, finalize" if last else "upload"
    headers = (("x-goog-upload-command", command), ("x-goog-upload-offset", str(part.offset)))
    return attrs.evolve(_bare(endpoint, "POST", url, headers), file=part if part.size else None)


def query_request(endpoint: Endpoint, url: str) -> Request:
    """Ask how many bytes the server holds."""
    return _bare(endpoint, "POST", url, (("x-goog-upload-command", "query"),))


def upload_url(start: Request, headers: Headers) -> str | None:
    """Where the bytes go, from the answer to ``start``: used as it is, whatever the client's ``base_url``.

    None where the answer does not say.
    """
    found = header(headers, "x-goog-upload-url")
    if not found:
        return None
    try:
        url = urljoin(start.url, found)
        return url if urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname else None
    except ValueError:
        return None


def upload_status(headers: Headers) -> str | None:
    """``active``, ``final`` or ``cancelled``; None where the answer does not say."""
    found = header(headers, "x-goog-upload-status")
    return found.strip().lower() or None if found is not None else None


def _number(headers: Headers, name: str) -> int | None:
    found = (header(headers, name) or "").strip()
    return int(found) if _NUMBER.fullmatch(found) else None


def size_received(headers: Headers) -> int | None:
    """How many bytes the server says it holds."""
    return _number(headers, "x-goog-upload-size-received")


def granularity(headers: Headers) -> int | None:
    """Of what the size of each chunk but the last must be a multiple."""
    return _number(headers, "x-goog-upload-chunk-granularity") or None


# --- answers ------------------------------------------------------------------------------------------------------


def read_answer(kind: type[V], document: dict[str, Any]) -> V:
    """A value of ``kind`` from its wire JSON. Raises MalformedResponse."""
    try:
        made: V = converter("wire").structure(document, kind)
    except ValidationError as error:
        raise MalformedResponse(error.problem, where=error.path) from None
    except RecursionError:
        raise MalformedResponse("JSON nested too deeply", where="$") from None
    return made
