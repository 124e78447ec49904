"""Whether cassettes are sound: each file by itself, without a request and without a credential.

A recording that a ``Recorder`` wrote is sound. What is found here comes from files that were changed by hand or by a
merge, or were made by another program; and from chats that do not send again what the model said.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from chatproto import types
from chatproto.errors import RemoteProtocolError, ValidationError
from chatproto.types._dump import to_wire
from chatproto.types._hooks import converter

from ..cassette import Cassette, is_list, is_object
from ..errors import CassetteError, CassetteMissing, LaterCassette, MalformedCassette
from ..redaction.searching import TooMuchPacked, layers
from .answers import kind_of, read_documents
from .chaining import as_said, chain
from .comparing import json_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..cassette import Exchange, RecordedRequest
    from .chaining import Link

__all__ = ["Checked", "Problem", "check_file", "check_files", "find_cassettes"]


@attrs.frozen
class Problem:
    """What is wrong, and where: a JSON path of the file."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@attrs.frozen(kw_only=True)
class Checked:
    """What was found in a file; without problems it is sound. ``exchanges`` is None where it could not be read."""

    name: str
    exchanges: int | None = None
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "path": self.name,
            "exchanges": self.exchanges,
            "problems": [{"path": each.path, "problem": each.problem} for each in self.problems],
        }


def check_files(paths: Sequence[str]) -> Iterator[Checked]:
    """Check files, and the cassettes in folders, in order. Raises CassetteMissing, and CassetteError for no cassette.

    All paths are looked at before the first file is read.
    """
    found = [name for path in paths for name in find_cassettes(path)]
    return map(check_file, found)


def find_cassettes(path: str) -> list[str]:
    """``path``, or the cassettes in it and in the folders below it, sorted, hidden ones left out.

    They are the files ``*.json`` that name the format. Raises CassetteMissing where there is nothing, and CassetteError
    for a folder that has no cassette.
    """
    place = Path(path)
    if not place.exists():
        raise CassetteMissing(f"there is no file and no folder at {path}")
    if not place.is_dir():
        return [path]
    seen = (each for each in sorted(place.rglob("*.json")) if not _is_hidden(each.relative_to(place)))
    found = [os.fspath(each) for each in seen if each.is_file() and _names_format(each)]
    if not found:
        raise CassetteError(f"{path} has no cassette in it: no *.json with a 'chatproto_cassette'")
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


_HEAD = 4096
_FORMAT = re.compile(rb'"chatproto_cassette"\s*:\s*\d')


def _names_format(path: Path) -> bool:
    """Whether a file begins as cassettes do; other JSON is left alone, however large it is."""
    with path.open("rb") as file:
        return bool(_FORMAT.search(file.read(_HEAD)))


def check_file(name: str) -> Checked:
    """Check one file. Raises CassetteMissing, and CassetteError where it cannot be read."""
    try:
        cassette = Cassette.load(name)
    except (MalformedCassette, LaterCassette) as error:
        return Checked(name=name, problems=(_unreadable(name, str(error)),))
    links = chain(cassette.exchanges)
    problems_of = cache(_shaped)  # a chat says everything again in each request
    problems: list[Problem] = []
    for index, exchange in enumerate(cassette.exchanges):
        place = f"$.exchanges[{index}]"
        problems += _request(exchange.request, f"{place}.request")
        problems += _answer(exchange, place)
        problems += _ending(exchange, place)
        problems += _echo(links, index)
        problems += _credentials(exchange, place, problems_of)
    made_by = f"{cassette.by}\n{cassette.transport}".encode("utf-8", "surrogatepass")
    problems += (Problem("$.recorded", problem) for problem in _shaped(made_by))
    return Checked(name=name, exchanges=len(cassette.exchanges), problems=tuple(problems))


def _unreadable(name: str, problem: str) -> Problem:
    words = problem.removeprefix(name).removeprefix(": ").lstrip()
    path, found, rest = words.partition(": ")
    return Problem(path, rest) if found and path.startswith("$") else Problem("$", words)


# --- values ---------------------------------------------------------------------------------------------------------

#: What a request's members are. One that holds text alone has no value of its own.
_MEMBERS: dict[str, Any] = {
    "contents": list[types.Content],
    "systemInstruction": types.Content,
    "tools": list[types.Tool],
    "toolConfig": types.ToolConfig,
    "safetySettings": list[types.SafetySetting],
    "generationConfig": types.GenerationConfig,
    "modelArmorConfig": types.ModelArmorConfig,
}


def _request(request: RecordedRequest, place: str) -> Iterator[Problem]:
    """What in a request is no value of the API."""
    kind = kind_of(request)
    if kind not in ("generate", "stream", "count"):
        return
    body = request.body
    if body is None or body.kind != "json" or not is_object(body.value):
        yield Problem(place, "a request to a model has a JSON object as its body")
        return
    inner = body.value.get("generateContentRequest")
    for owner, path in ((body.value, f"{place}.json"), (inner, f"{place}.json.generateContentRequest")):
        for name, held in owner.items() if is_object(owner) else ():
            if name in _MEMBERS and held is not None:
                yield from _altered(held, _MEMBERS[name], f"{path}.{name}")
    if kind != "count" and "contents" not in body.value:
        yield Problem(f"{place}.json", "a request to a model has contents")


def _altered(document: Any, cls: Any, place: str) -> Iterator[Problem]:
    """Where JSON is no value of ``cls``, or does not come back from one as it was."""
    try:
        back = to_wire(converter("wire").structure(document, cls))
    except ValidationError as error:
        yield Problem(f"{place}{error.path[1:]}", error.problem)
        return
    except RecursionError:
        yield Problem(place, "nested too deeply")
        return
    for each in json_differences(document, back)[:1]:
        yield Problem(f"{place}{each.path[1:]}", f"{each.recorded} comes back as {each.now}")


# --- answers --------------------------------------------------------------------------------------------------------


def _answer(exchange: Exchange, place: str) -> Iterator[Problem]:
    """What a machine could not read, or would not write as it was."""
    response, kind = exchange.response, kind_of(exchange.request)
    if response is None or response.status != 200 or kind in ("other", "bytes"):
        return
    place = f"{place}.response.chunks"
    read = read_documents(exchange)
    if isinstance(read.error, RemoteProtocolError):
        yield Problem(place, str(read.error))
    if read.leftover:
        yield Problem(place, f"the body ends inside an event, of which {read.leftover} bytes are there")
    if response.end == "complete" and not read.documents and read.error is None and not read.leftover:
        yield Problem(place, "the stream ends without an event")
    cls = types.CountTokensResponse if kind == "count" else types.GenerateContentResponse
    for number, document in enumerate(read.documents, start=1):
        where = f"event {number}: $" if kind == "stream" else "$"
        for each in _altered(document, cls, where):
            yield Problem(place, str(each))


def _ending(exchange: Exchange, place: str) -> Iterator[Problem]:
    """Where the end of a response and the failure do not go together."""
    response, failure = exchange.response, exchange.failure
    if response is None or failure is None:
        return
    if failure.kind == "connect_failed":
        yield Problem(f"{place}.failure.kind", "there is a response, so the connection did not fail to be made")
    elif (failure.kind == "timed_out") != (response.end == "timeout"):
        problem = f"{failure.kind!r} does not go with a response that ended {response.end!r}"
        yield Problem(f"{place}.failure.kind", problem)


def _echo(links: list[Link], index: int) -> Iterator[Problem]:
    """Where a chat sends something else as the model's than the model said."""
    link = links[index]
    answer = links[link.lost].answer if link.lost is not None else None
    if link.lost is None or answer is None:
        return
    count = len(links[link.lost].said)
    place = f"$.exchanges[{index}].request.json.contents[{link.places[count]}]"
    for each in json_differences(as_said(answer.content), as_said(link.said[count]))[:1]:
        problem = f"not what the model said in exchange {link.lost + 1}: it said {each.recorded}, this is {each.now}"
        yield Problem(f"{place}{each.path[1:]}", problem)


# --- credentials ----------------------------------------------------------------------------------------------------

# Within base64 any letters occur by chance, so nothing of its alphabet may stand beside a key. Words with dashes, as in
# "sk-learn-and-more", have no digit or are shorter than a key. ``check --help`` names all shapes.
# The first are texts of which one is there wherever the pattern is: they are found much sooner.
_SHAPES: dict[str, tuple[tuple[bytes, ...], re.Pattern[bytes]]] = {
    "an API key of Google (AIza...)": (
        (b"AIza",),
        re.compile(rb"(?<![\w+/-])AIza[\w-]{35,100}(?![\w+/=-])", re.ASCII),
    ),
    "an API key of Google (AQ....)": (
        (b"AQ.",),
        re.compile(rb"(?<![\w+/.-])AQ\.(?=[A-Za-z_-]*\d)[\w-]{30,}", re.ASCII),
    ),
    "an API key (sk-...)": (
        (b"sk-",),
        re.compile(rb"(?<![\w+/.-])sk-(?=[A-Za-z_-]*\d)[\w-]{20,}", re.ASCII),
    ),
    "an access token of GitHub (ghp_...)": (
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        re.compile(rb"(?<![\w+/-])(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{36,})", re.ASCII),
    ),
    "an access token of Google (ya29....)": (
        (b"ya29.",),
        re.compile(rb"(?<![\w+/-])ya29\.[\w.-]{20,}", re.ASCII),
    ),
    "a bearer token": (
        (b"earer", b"EARER"),
        re.compile(rb"\b(?:[Bb]earer|BEARER)\s+(?=[A-Za-z._~+/-]*\d)[\w.~+/-]{16,}", re.ASCII),
    ),
    "a key or certificate (-----BEGIN...)": (
        (b"-----BEGIN ",),
        re.compile(rb"-----BEGIN [A-Z0-9 ]+-----"),
    ),
    "a key in a query (?key=...)": (
        (b"key=", b"access_token="),
        re.compile(rb"[?&](?:key|api_key|access_token)=[\w.~+/%-]{8,}", re.ASCII),
    ),
}


def _credentials(exchange: Exchange, place: str, problems_of: Callable[[bytes], tuple[str, ...]]) -> Iterator[Problem]:
    """Where something stands that looks like a credential. It is not quoted."""
    document = exchange.to_json()
    texts = [*_texts(document["request"], f"{place}.request"), *_texts(document.get("failure"), f"{place}.failure")]
    response = exchange.response
    if response is not None:
        texts += _texts(document["response"]["headers"], f"{place}.response.headers")
        texts.append((f"{place}.response.chunks", response.content))
    for path, text in texts:
        for problem in problems_of(text):
            yield Problem(path, problem)


def _shaped(data: bytes) -> tuple[str, ...]:
    """What in ``data`` looks like a credential, in words, with what is wrapped in it."""
    found: dict[str, str] = {}
    try:
        for number, layer in enumerate(layers(data)):
            for name, (signs, shape) in _SHAPES.items():
                if name not in found and any(sign in layer for sign in signs) and shape.search(layer):
                    found[name] = f"looks like {name}{', encoded' if number else ''}"
    except TooMuchPacked as error:
        return (*found.values(), str(error))
    return tuple(found.values())


def _texts(value: Any, place: str) -> Iterator[tuple[str, bytes]]:
    """The strings of JSON, keys too, with their paths."""
    if isinstance(value, str):
        yield place, value.encode("utf-8", "surrogatepass")
    elif is_list(value):
        for index, each in enumerate(value):
            yield from _texts(each, f"{place}[{index}]")
    elif is_object(value):
        for name, each in value.items():
            yield place, name.encode("utf-8", "surrogatepass")
            yield from _texts(each, f"{place}.{name}")
