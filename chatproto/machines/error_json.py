"""An error of the tree as JSON, for a snapshot, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .. import errors
from ..errors import APIError, ChatProtoError, MalformedResponse, TransportError, UploadFailed, ValidationError
from ..types import HttpResponse

if TYPE_CHECKING:
    from .reading import Reader

__all__ = ["HARMLESS_HEADERS", "error_to_json", "read_error"]

E = TypeVar("E", bound=ChatProtoError)
Json = dict[str, Any]

#: Headers of a response that say what anyone may know. Others may hold what a server gave to this client alone.
HARMLESS_HEADERS = frozenset(
    {
        *("alt-svc", "cache-control", "content-disposition", "content-encoding", "content-length", "content-type"),
        *("date", "retry-after", "server", "server-timing", "transfer-encoding", "vary", "x-request-id"),
    }
)

_TREE: dict[str, Any] = {
    name: getattr(errors, name) for name in errors.__all__ if not issubclass(getattr(errors, name), UploadFailed)
}


def error_to_json(error: ChatProtoError | None) -> Json | None:
    """What an error holds; of a class that is not of the tree itself, as its nearest base there."""
    if error is None:
        return None
    name = next(base.__name__ for base in type(error).__mro__ if _TREE.get(base.__name__) is base)
    written: Json = {"class": name}
    match error:
        case APIError():
            written |= {"code": error.code, "details": error.details, "response": _response_to_json(error.response)}
            written["retryAfter"] = error.retry_after
        case MalformedResponse():
            written |= {"problem": error.problem, "where": error.where, "excerpt": error.excerpt}
        case TransportError():
            written |= {"problem": error.problem, "cause": error.cause}
        case ValidationError():
            written |= {"problem": error.problem, "path": error.path}
        case _:
            written["problem"] = str(error)
    return written


def _response_to_json(response: HttpResponse | None) -> Json | None:
    if response is None:
        return None
    told = {name: held for name, held in (response.headers or {}).items() if name.lower() in HARMLESS_HEADERS}
    return {"headers": told, "body": response.body}


def read_error(reader: Reader, key: str, kind: type[E]) -> E | None:
    """The error that ``error_to_json`` wrote under ``key``, if there is one. Raises ValidationError for another."""
    inner = reader.inner(key)
    if inner is None:
        return None
    name = inner.held("class", str)
    cls = _TREE.get(name)
    if cls is None or not issubclass(cls, kind):
        raise inner.wrong("class", f"not the name of such an error: {name!r}")
    made: E
    if issubclass(cls, APIError):
        after = inner.held("retryAfter", float, int, type(None))
        made = cls(inner.held("code", int), inner.document.get("details"), _read_response(inner), retry_after=after)
        return made
    more = {each: inner.held(each, str) for each in ("where", "excerpt", "cause", "path") if each in inner.document}
    made = cls(inner.held("problem", str), **more)
    return made


def _read_response(reader: Reader) -> HttpResponse | None:
    inner = reader.inner("response")
    if inner is None:
        return None
    try:
        return HttpResponse.model_validate(inner.document)
    except ValidationError as error:
        raise reader.wrong("response", str(error)) from None
