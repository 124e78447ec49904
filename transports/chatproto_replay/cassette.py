"""The cassette: recorded exchanges as a text file.

Format 1 is JSON that reads well in a diff: two spaces of indent, keys in a fixed order, one line for each piece of a
response. ``schema/cassette-1.json`` describes it; ``Cassette.load`` checks the same by itself.

- A request has its method, path, query, some headers, and its body: ``json`` where it is JSON, else ``text``, else
  ``b64``. The host is not recorded.
- A response has its status, some headers, and ``chunks``: ``[milliseconds since the last, text or {"b64": ...}]``, at
  the boundaries at which they arrived. Bytes that are not UTF-8 by themselves are in base64, so that a character may
  be cut in two. ``end`` says how the body ended: ``complete``; ``reset``, ``truncated`` and ``timeout`` for a lost
  connection, a body that stopped short and one that stalled; ``abandoned`` where the caller left before the end, so
  that the recording knows no more.
- ``failure`` says what went wrong, in words. Without a response, its ``kind`` is what replay raises.
"""

from __future__ import annotations

import base64
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import attrs

from chatproto.errors import ConnectFailed, ConnectionLost, TimedOut, TransportError

from .errors import CassetteError, CassetteMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chatproto.wire.http import Headers

__all__ = [
    "BETWEEN",
    "FORMAT",
    "Body",
    "Cassette",
    "Chunk",
    "End",
    "Exchange",
    "Failure",
    "RecordedRequest",
    "RecordedResponse",
    "cassette_schema",
    "frame",
    "is_list",
    "is_object",
    "lay_out",
    "layout",
    "too_deep",
    "write_atomically",
]

FORMAT = 1
MAX_DEPTH = 200

End = Literal["complete", "reset", "truncated", "timeout", "abandoned"]
Kind = Literal["connect_failed", "timed_out", "connection_lost", "failed"]

_KINDS: Mapping[str, type[TransportError]] = {
    "connect_failed": ConnectFailed,
    "timed_out": TimedOut,
    "connection_lost": ConnectionLost,
    "failed": TransportError,
}
#: Header and query values: one, or several under one name. A query value that was not kept is None.
Field = tuple[str, str | None]


@attrs.frozen
class Body:
    """The body of a request. ``kind`` says what ``value`` is: any JSON value, a str, or bytes."""

    kind: Literal["json", "text", "b64"]
    value: Any


@attrs.frozen(kw_only=True)
class RecordedRequest:
    """What of a request is recorded, and compared."""

    method: str
    path: str
    query: tuple[Field, ...] = ()
    headers: Headers = ()
    body: Body | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@attrs.frozen
class Chunk:
    """A piece of a body, and how many milliseconds after the one before it came."""

    delay: int
    data: bytes


@attrs.frozen(kw_only=True)
class Failure:
    """What went wrong: the kind of TransportError, its words, and the name of the HTTP library's error."""

    kind: Kind
    message: str
    cause: str = ""

    @classmethod
    def of(cls, error: TransportError, message: str) -> Failure:
        """The failure that replays as ``error``, with these words."""
        kind: Kind = "failed"
        match error:
            case ConnectFailed():
                kind = "connect_failed"
            case TimedOut():
                kind = "timed_out"
            case ConnectionLost():
                kind = "connection_lost"
            case _:
                pass
        return cls(kind=kind, message=message, cause=error.cause)

    def error(self) -> TransportError:
        """A new error, as it was recorded."""
        return _KINDS[self.kind](self.message, cause=self.cause)


@attrs.frozen(kw_only=True)
class RecordedResponse:
    """A response, as far as it came."""

    status: int
    headers: Headers = ()
    chunks: tuple[Chunk, ...] = ()
    end: End = "complete"

    @property
    def content(self) -> bytes:
        """The body in one piece."""
        return b"".join(chunk.data for chunk in self.chunks)


@attrs.frozen(kw_only=True)
class Exchange:
    """A request and what came of it."""

    request: RecordedRequest
    response: RecordedResponse | None = None
    failure: Failure | None = None

    def error(self) -> TransportError | None:
        """A new error, to be raised instead of a response, or when its chunks are through; None for the end."""
        if self.response is not None and self.response.end == "complete":
            return None
        if self.failure is not None:
            return self.failure.error()
        end = self.response.end if self.response is not None else "reset"
        if end == "timeout":
            return TimedOut("the recorded response stalled here")
        if end == "abandoned":
            return ConnectionLost("the recording ends here: the caller left before the end of the response")
        return ConnectionLost(f"the recorded response ends here: {end}")

    def to_json(self) -> dict[str, Any]:
        """The exchange as it stands in the file."""
        request = self.request
        written: dict[str, Any] = {
            "method": request.method,
            "path": request.path,
            "query": _grouped(request.query),
            "headers": _grouped(request.headers),
        }
        if request.body is not None:
            body = request.body.value
            written[request.body.kind] = base64.b64encode(body).decode() if request.body.kind == "b64" else body
        exchange: dict[str, Any] = {"request": written, "response": None}
        if self.response is not None:
            exchange["response"] = {
                "status": self.response.status,
                "headers": _grouped(self.response.headers),
                "chunks": [_Line((chunk.delay, _text_or_b64(chunk.data))) for chunk in self.response.chunks],
                "end": self.response.end,
            }
        if self.failure is not None:
            failure = {"kind": self.failure.kind, "message": self.failure.message, "cause": self.failure.cause}
            exchange["failure"] = {name: value for name, value in failure.items() if name != "cause" or value}
        return exchange


@cache
def _version() -> str:
    from importlib import metadata  # these two import half of the network code of the standard library

    try:
        return f"chatproto {metadata.version('chatproto')}"
    except metadata.PackageNotFoundError:
        return "chatproto"


@attrs.frozen(kw_only=True)
class Cassette:
    """Exchanges in the order in which their requests were sent; ``by`` and ``transport`` say who recorded them."""

    exchanges: tuple[Exchange, ...] = ()
    by: str = attrs.field(factory=_version)
    transport: str = ""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Cassette:
        """Read a file. Raises CassetteMissing, LaterCassette, and MalformedCassette with the JSON path of a fault."""
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            raise CassetteMissing(f"there is no cassette at {os.fspath(path)}; record it first") from None
        except OSError as error:
            raise CassetteError(f"the cassette {os.fspath(path)} cannot be read: {error.strerror}") from None
        return cls.loads(data, name=os.fspath(path))

    @classmethod
    def loads(cls, data: bytes | str, *, name: str = "the cassette") -> Cassette:
        """Read the text of a file; ``name`` stands for it in errors."""
        from .reading import read_cassette

        return read_cassette(data, name)

    def dumps(self) -> str:
        """The text of the file. Equal cassettes give equal text."""
        return lay_out(self.by, self.transport, [layout(exchange.to_json(), 2) for exchange in self.exchanges])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, making its folder if need be. It is replaced as a whole, or not at all."""
        write_atomically(Path(path), self.dumps().encode())


def cassette_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of format 1."""
    from importlib import resources

    text = resources.files("chatproto_replay").joinpath("schema/cassette-1.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_writable(path: Path) -> None:
    """Raise CassetteError where ``path`` cannot become a file: better before a request than after its answer."""
    if path.is_dir():
        raise CassetteError(f"the cassette {path} cannot be written: it is a folder")
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise CassetteError(f"the cassette {path} cannot be written: {nearest} is no folder that one can write to")


def write_atomically(path: Path, *parts: bytes | bytearray) -> None:
    """Write a file so that whoever reads it sees the old content or the new, also if the program is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are for their owner alone, and a cassette is a file like any other.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with temporary.open("xb") as file:
            file.writelines(parts)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is a list."""
    return isinstance(value, list)


def too_deep(value: Any) -> bool:
    """Whether a JSON value is nested deeper than can be written and compared by recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if is_object(outer) else outer if is_list(outer) else ())
        ]
        if not level:
            return False
    return True


# --- layout -------------------------------------------------------------------------------------------------------


class _Line(tuple[Any, ...]):
    """A list that is written on one line."""

    __slots__ = ()


#: What stands between the exchanges of a file.
BETWEEN = ",\n    "


def lay_out(by: str, transport: str, exchanges: list[str]) -> str:
    """The text of a file, of the texts of its exchanges (laid out at depth 2)."""
    before, after = frame(by, transport, empty=not exchanges)
    return before + BETWEEN.join(exchanges) + after


def frame(by: str, transport: str, *, empty: bool = False) -> tuple[str, str]:
    """What stands in a file before its exchanges, and after them."""
    recorded = layout({"by": by, "transport": transport}, 1)
    opening, closing = ("[", "]") if empty else ("[\n    ", "\n  ]")
    before = f'{{\n  "chatproto_cassette": {FORMAT},\n  "recorded": {recorded},\n  "exchanges": {opening}'
    return before, f"{closing}\n}}\n"


def layout(value: Any, depth: int = 0) -> str:
    """JSON as ``json.dumps(indent=2)`` gives it, but for lists that stay on one line; at ``depth`` levels of indent."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, _Line):
        return "[" + ", ".join(_inline(each) for each in value) + "]"
    inner = "\n" + "  " * (depth + 1)
    if is_object(value):
        opening, closing = "{", "}"
        entries = [f"{_string(name)}: {layout(each, depth + 1)}" for name, each in value.items()]
    elif is_list(value):
        opening, closing = "[", "]"
        entries = [layout(each, depth + 1) for each in value]
    else:
        return json.dumps(value, allow_nan=False)
    if not entries:
        return opening + closing
    return opening + inner + f",{inner}".join(entries) + "\n" + "  " * depth + closing


def _inline(value: Any) -> str:
    if is_object(value):
        return "{" + ", ".join(f"{_string(name)}: {_string(each)}" for name, each in value.items()) + "}"
    return layout(value)


def _string(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate is written as the escape that it came as
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def _text_or_b64(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode()}


def _grouped(fields: Iterable[Field]) -> dict[str, Any]:
    """Fields as an object: several values under one name are a list."""
    found: dict[str, Any] = {}
    for name, value in fields:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
