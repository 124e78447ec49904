"""The files of vcrpy: their text, as YAML or JSON, read into what was asked and answered.

Nothing in a file is obeyed: of YAML's tags, those that make Python objects are refused, but for the four that vcrpy
itself writes for texts, tuples and buffers, which become texts, tuples and bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

import attrs

from chatproto.errors import MissingExtraError

from ..cassette import is_list, is_object
from ..errors import CassetteError, CassetteMissing, LaterCassette, MalformedCassette

if TYPE_CHECKING:
    import os

    from chatproto.wire.http import Headers

__all__ = ["Interaction", "read_vcr"]

VERSION = 1
#: How many values a body may have that is written as YAML. A few lines of YAML can stand for more than fit anywhere.
MOST_VALUES = 10_000_000


@attrs.frozen(kw_only=True)
class Interaction:
    """A request and its response, as vcrpy recorded them. Names of headers are in lower case; bodies are unpacked."""

    place: str
    method: str
    url: str
    headers: Headers
    content: bytes
    status: int
    answer_headers: Headers
    answer: bytes


def read_vcr(path: str | os.PathLike[str]) -> list[Interaction]:
    """The interactions of a file.

    Raises CassetteMissing, CassetteError for a file that cannot be read, LaterCassette for another version, and
    MalformedCassette with the line, or the JSON path, of what is wrong.
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise CassetteMissing(f"there is no file at {name}") from None
    except OSError as error:
        raise CassetteError(f"{name} cannot be read: {error.strerror}") from None
    return _Reader(name).interactions(_document(data, name))


# --- the text -------------------------------------------------------------------------------------------------------


def _document(data: bytes, name: str) -> Any:
    """What is in the text, which is JSON or YAML. YAML that begins with a brace is rare, but it is YAML."""
    if data.lstrip()[:1] == b"{":
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            problem = str(error)
        try:
            return _yaml(data, name)
        except MalformedCassette:
            raise MalformedCassette(f"{name} is neither JSON nor YAML: {problem}") from None
    return _yaml(data, name)


def _yaml(data: bytes, name: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError(
            "reading vcrpy's YAML needs PyYAML, not installed here: pip install 'chatproto[replay]'"
        ) from None
    try:
        return yaml.load(data, Loader=_loader())  # noqa: S506  (a safe loader, with four tags more)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise MalformedCassette(f"{name} is not YAML that can be read: {where}{_told(error)}") from None
    except yaml.reader.ReaderError as error:
        line = data[: error.position].count(b"\n") + 1
        raise MalformedCassette(f"{name} is not YAML: line {line}: {error.reason}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MalformedCassette(f"{name} is not YAML that can be read: {error}") from None


def _told(error: Any) -> str:
    return " ".join(str(error.problem or error.context or "not YAML").split())


def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("VcrLoader", (base,), {})
    tag = "tag:yaml.org,2002:python/"
    loader.add_constructor(f"{tag}str", _text)
    loader.add_constructor(f"{tag}unicode", _text)
    loader.add_constructor(f"{tag}tuple", _tuple)
    loader.add_constructor(f"{tag}object/new:_io.BytesIO", _buffer)
    loader.add_constructor(f"{tag}object/apply:builtins.iter", _iterator)
    return loader


def _text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _tuple(loader: Any, node: Any) -> Any:
    return tuple(loader.construct_sequence(node, deep=True))


def _buffer(loader: Any, node: Any) -> Any:
    """The bytes in a buffer, which are the first item of its state."""
    state = loader.construct_mapping(node, deep=True).get("state")
    return state[0] if state else None


def _iterator(loader: Any, node: Any) -> Any:
    """What an iterator would have gone over."""
    arguments = loader.construct_mapping(node, deep=True).get("args")
    return arguments[0] if arguments else None


# --- what it says ---------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def interactions(self, document: Any) -> list[Interaction]:
        if is_list(document) and document and is_object(document[0]) and "request" in document[0]:
            raise MalformedCassette(
                f"{self._name} is older than vcrpy 1.0: bring it up to date with python -m vcr.migration"
            )
        if not is_object(document) or "interactions" not in document:
            raise MalformedCassette(f"{self._name} is no cassette of vcrpy: it has no 'interactions'")
        version = document.get("version")
        if version != VERSION:
            raise LaterCassette(f"{self._name} has version {version!r} of vcrpy's cassettes; only 1 is known")
        listed = document["interactions"]
        if not is_list(listed):
            self._refuse("$.interactions", "expected a list", listed)
        return [self._interaction(each, f"$.interactions[{index}]") for index, each in enumerate(listed)]

    def _interaction(self, value: Any, place: str) -> Interaction:
        held = value if is_object(value) else {}
        request, response = held.get("request"), held.get("response")
        if not is_object(request) or not is_object(response):
            self._refuse(place, "expected a request and a response", value)
        headers = self._headers(request.get("headers"), f"{place}.request.headers")
        answer_headers = self._headers(response.get("headers"), f"{place}.response.headers")
        method, url = request.get("method"), request.get("uri")
        if not isinstance(method, str) or not isinstance(url, str):
            self._refuse(f"{place}.request", "expected a method and a uri", {"method": method, "uri": url})
        answer = self._body(response, f"{place}.response")
        return Interaction(
            place=place,
            method=method,
            url=url,
            headers=headers,
            content=self._unpacked(self._body(request, f"{place}.request"), headers, f"{place}.request.body"),
            status=self._status(response, f"{place}.response"),
            answer_headers=answer_headers,
            answer=self._unpacked(answer, answer_headers, f"{place}.response.body"),
        )

    def _status(self, response: dict[str, Any], place: str) -> int:
        status = response.get("status")
        # The stub for httpx wrote another form before vcrpy 6.
        code = status.get("code") if is_object(status) else response.get("status_code", status)
        if not isinstance(code, int) or not 100 <= code <= 999:
            self._refuse(f"{place}.status", "expected an HTTP status", status)
        return code

    def _headers(self, value: Any, place: str) -> Headers:
        """Headers have one value or several under a name."""
        if value is None:
            return ()
        if not is_object(value):
            self._refuse(place, "expected headers", value)
        found: list[tuple[str, str]] = []
        for name, held in value.items():
            values: list[Any] = [*held] if _is_several(held) else [held]
            found += [(self._word(name, place).lower(), self._word(each, f"{place}.{name}")) for each in values]
        return tuple(found)

    def _word(self, value: Any, place: str) -> str:
        if isinstance(value, bytes):
            return value.decode("latin-1")
        if not isinstance(value, str):
            self._refuse(place, "expected text", value)
        return value

    def _body(self, owner: dict[str, Any], place: str) -> bytes:
        """A body in any of its forms."""
        if "parsed_body" in owner:  # pydantic-ai's serializer
            return self._written(owner["parsed_body"], f"{place}.parsed_body")
        value = owner.get("body", owner.get("content"))
        if is_object(value) and place.endswith(".response"):
            if "base64_string" in value:
                return self._base64(value["base64_string"], f"{place}.body.base64_string")
            return self._bytes(value.get("string"), f"{place}.body.string")
        return self._bytes(value, f"{place}.body")

    def _bytes(self, value: Any, place: str) -> bytes:
        if value is None:
            return b""
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
        if _is_several(value) and value and all(isinstance(each, (bytes, str)) for each in value):
            return b"".join(self._bytes(each, place) for each in value)
        if not is_object(value) and not is_list(value):
            self._refuse(place, "expected a body", value)
        return self._written(value, place)  # what json= was given

    def _written(self, value: Any, place: str) -> bytes:
        try:
            if _expanded(value, {}) > MOST_VALUES:
                raise MalformedCassette(f"{self._name}: {place}: anchors make it too large to be a body")
            return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
        except (TypeError, ValueError, RecursionError):
            self._refuse(place, "expected JSON", value)

    def _base64(self, value: Any, place: str) -> bytes:
        try:
            return base64.b64decode(value, validate=False)
        except (TypeError, binascii.Error, ValueError):
            self._refuse(place, "expected base64", value)

    def _unpacked(self, data: bytes, headers: Headers, place: str) -> bytes:
        """A body without its compression. Some clients hand vcrpy what they have unpacked, with the header still on."""
        names = ",".join(value for name, value in headers if name == "content-encoding").lower()
        for name in reversed(re.split(r"[\s,]+", names)):
            if name in ("gzip", "x-gzip", "deflate"):
                data = self._inflated(data, place)
            elif name not in ("", "identity") and not _is_text(data):
                raise MalformedCassette(
                    f"{self._name}: {place}: compressed with {name}, which is not unpacked here;"
                    " record it with decode_compressed_response=True"
                )
        return data

    def _inflated(self, data: bytes, place: str) -> bytes:
        for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # gzip or zlib; bare deflate data
            machine = zlib.decompressobj(bits)
            try:
                inflated = machine.decompress(data) + machine.flush()
            except zlib.error:
                continue
            if machine.eof:
                return inflated
        if _is_text(data):
            return data
        raise MalformedCassette(f"{self._name}: {place}: neither compressed as its headers say nor text")

    def _refuse(self, place: str, problem: str, value: Any) -> NoReturn:
        # What is there is not shown: it may be a credential.
        raise MalformedCassette(f"{self._name}: {place}: {problem}, found {type(value).__name__}")


def _is_several(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether a value is a list, or a tuple, which YAML can have too."""
    return isinstance(value, (list, tuple))


def _expanded(value: Any, known: dict[int, int]) -> int:
    """How many values JSON would have, where YAML may name one that stands elsewhere."""
    if id(value) in known or not (is_object(value) or _is_several(value)):
        return known.get(id(value), 1)
    known[id(value)] = 1  # where it contains itself, writing it will tell
    inner = value.values() if is_object(value) else value
    known[id(value)] = 1 + sum(_expanded(each, known) for each in inner)
    return known[id(value)]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
