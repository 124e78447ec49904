"""Reading a cassette, with an error that says where it is wrong."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NoReturn, cast, get_args

from chatproto.errors import MalformedResponse
from chatproto.wire.json_codec import decode

from .cassette import (
    FORMAT,
    Body,
    Cassette,
    Chunk,
    End,
    Exchange,
    Failure,
    Field,
    Kind,
    RecordedRequest,
    RecordedResponse,
    is_list,
    is_object,
    too_deep,
)
from .errors import LaterCassette, MalformedCassette

__all__ = ["read_cassette"]


def read_cassette(data: bytes | str, name: str) -> Cassette:
    """The cassette in ``data``. Raises MalformedCassette and LaterCassette."""
    try:
        document = decode(data, what=name)
    except MalformedResponse as error:
        raise MalformedCassette(f"{name} is not a cassette: {error.problem}") from None
    return _Reader(name).cassette(document)


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def cassette(self, document: Any) -> Cassette:
        version = document.get("chatproto_cassette") if is_object(document) else None
        if version is None:
            raise MalformedCassette(f"{self._name} is not a cassette: it has no 'chatproto_cassette' with a version")
        if not _is_int(version) or version < 1:
            self._refuse("$.chatproto_cassette", "expected the number of the format", version)
        if version > FORMAT:
            raise LaterCassette(
                f"{self._name} has cassette format {version}, and this version of chatproto reads up to {FORMAT}:"
                " update chatproto"
            )
        whole = self._object(document, "$", {"chatproto_cassette", "recorded", "exchanges"})
        recorded = self._object(whole.get("recorded", {}), "$.recorded", {"by", "transport"})
        exchanges = self._list(whole.get("exchanges"), "$.exchanges")
        return Cassette(
            exchanges=tuple(self._exchange(each, f"$.exchanges[{i}]") for i, each in enumerate(exchanges)),
            by=self._string(recorded.get("by", ""), "$.recorded.by"),
            transport=self._string(recorded.get("transport", ""), "$.recorded.transport"),
        )

    def _exchange(self, value: Any, path: str) -> Exchange:
        found = self._object(value, path, {"request", "response", "failure"})
        request = self._request(found.get("request"), f"{path}.request")
        response = found.get("response")
        failure = found.get("failure")
        if response is None and failure is None:
            self._refuse(path, "without a response there must be a failure", value)
        exchange = Exchange(
            request=request,
            response=None if response is None else self._response(response, f"{path}.response"),
            failure=None if failure is None else self._failure(failure, f"{path}.failure"),
        )
        if failure is not None and exchange.response is not None and exchange.response.end in ("complete", "abandoned"):
            self._refuse(f"{path}.failure", f"a response that ended {exchange.response.end!r} did not fail", failure)
        return exchange

    def _request(self, value: Any, path: str) -> RecordedRequest:
        found = self._object(value, path, {"method", "path", "query", "headers", "json", "text", "b64"})
        bodies = [kind for kind in ("json", "text", "b64") if kind in found]
        if len(bodies) > 1:
            self._refuse(path, "a request has one body", bodies)
        body: Body | None = None
        if "json" in found:
            if too_deep(found["json"]):
                self._refuse(f"{path}.json", "nested too deeply", "...")
            body = Body("json", found["json"])
        elif "text" in found:
            body = Body("text", self._string(found["text"], f"{path}.text"))
        elif "b64" in found:
            body = Body("b64", self._b64(found["b64"], f"{path}.b64"))
        where = self._string(found.get("path"), f"{path}.path")
        if not where.startswith("/"):
            self._refuse(f"{path}.path", "expected a path that begins with '/'", where)
        return RecordedRequest(
            method=self._string(found.get("method"), f"{path}.method"),
            path=where,
            query=self._fields(found.get("query", {}), f"{path}.query", null=True),
            headers=self._headers(found, path),
            body=body,
        )

    def _response(self, value: Any, path: str) -> RecordedResponse:
        found = self._object(value, path, {"status", "headers", "chunks", "end"})
        status = found.get("status")
        if not isinstance(status, int) or not 100 <= status <= 999:  # and so no bool
            self._refuse(f"{path}.status", "expected an HTTP status", status)
        end = found.get("end")
        if end not in get_args(End):
            self._refuse(f"{path}.end", f"expected one of {', '.join(get_args(End))}", end)
        chunks = self._list(found.get("chunks"), f"{path}.chunks")
        return RecordedResponse(
            status=status,
            headers=self._headers(found, path),
            chunks=tuple(self._chunk(each, f"{path}.chunks[{i}]") for i, each in enumerate(chunks)),
            end=cast("End", end),
        )

    def _chunk(self, value: Any, path: str) -> Chunk:
        items = self._list(value, path)
        if len(items) != 2 or not _is_int(items[0]) or items[0] < 0:
            self._refuse(path, 'expected [milliseconds, text or {"b64": ...}]', value)
        data = items[1]
        if isinstance(data, str):
            try:
                content = data.encode()
            except UnicodeEncodeError:
                self._refuse(f"{path}[1]", "a lone surrogate is not text that UTF-8 can hold", data)
        else:
            wrapped = self._object(data, f"{path}[1]", {"b64"})
            content = self._b64(wrapped.get("b64"), f"{path}[1].b64")
        if not content:
            self._refuse(f"{path}[1]", "a chunk has at least one byte", data)
        return Chunk(items[0], content)

    def _failure(self, value: Any, path: str) -> Failure:
        found = self._object(value, path, {"kind", "message", "cause"})
        kind = found.get("kind")
        if kind not in get_args(Kind):
            self._refuse(f"{path}.kind", f"expected one of {', '.join(get_args(Kind))}", kind)
        return Failure(
            kind=cast("Kind", kind),
            message=self._string(found.get("message"), f"{path}.message"),
            cause=self._string(found.get("cause", ""), f"{path}.cause"),
        )

    # --- the shapes of JSON -----------------------------------------------------------------------------------------

    def _refuse(self, path: str, problem: str, value: Any) -> NoReturn:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
        raise MalformedCassette(f"{self._name}: {path}: {problem}, found {shown}")

    def _object(self, value: Any, path: str, names: set[str]) -> dict[str, Any]:
        if not is_object(value):
            self._refuse(path, "expected an object", value)
        for name in value:
            if name not in names:
                self._refuse(f"{path}.{name}", f"expected only {', '.join(sorted(names))}", value[name])
        return value

    def _list(self, value: Any, path: str) -> list[Any]:
        if not is_list(value):
            self._refuse(path, "expected a list", value)
        return value

    def _string(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            self._refuse(path, "expected a string", value)
        return value

    def _b64(self, value: Any, path: str) -> bytes:
        try:
            return base64.b64decode(self._string(value, path), validate=True)
        except (binascii.Error, ValueError):
            self._refuse(path, "expected base64", value)

    def _headers(self, owner: dict[str, Any], path: str) -> tuple[tuple[str, str], ...]:
        fields = self._fields(owner.get("headers", {}), f"{path}.headers", null=False)
        return tuple((name, cast("str", value)) for name, value in fields)

    def _fields(self, value: Any, path: str, *, null: bool) -> tuple[Field, ...]:
        if not is_object(value):
            self._refuse(path, "expected an object", value)
        fields: list[Field] = []
        for name, entry in value.items():
            values = entry if is_list(entry) else [entry]
            fields += [
                (name, None if null and each is None else self._string(each, f"{path}.{name}")) for each in values
            ]
        return tuple(fields)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
