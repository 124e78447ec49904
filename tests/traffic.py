"""The recorded traffic that lies beside the repository: where it is, what it holds, and how it runs through a machine.

Nothing of it is in the project. It is read where it lies, and a test that needs it is skipped where it is not. Bodies
are taken apart here without the framing of chatproto, and folded without its fold, so that the two can be compared.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from chatproto.machines.steps import (
    ChunkReceived,
    DocumentReceived,
    Event,
    ExchangeEnded,
    FunctionCallsRequested,
    ReadBody,
    RoundFailed,
    SendRequest,
    TurnEnded,
    Wait,
)
from chatproto.types._dump import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chatproto.machines.conversation import Conversation
    from chatproto.machines.exchange import Exchange
    from chatproto.wire.http import Headers

__all__ = [
    "NotSeparate",
    "Recorded",
    "conversations",
    "cuts",
    "documents_of",
    "events_of",
    "exchanges",
    "fold",
    "join",
    "plain",
    "reference",
    "same_json",
]

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "traffic"

Json = dict[str, Any]


# --- what lies there ------------------------------------------------------------------------------------------------


@attrs.frozen
class Recorded:
    """One exchange. ``kind`` is that of the body where only a body was recorded."""

    record: Json

    @property
    def id(self) -> str:
        """The name that it has in every file."""
        return str(self.record["id"])

    @property
    def kind(self) -> str:
        """``unary``, ``stream``, ``count_tokens`` or ``files``."""
        return str(self.record.get("body_kind") or self.record["kind"])

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of documents."""
        return self.kind == "stream"

    @property
    def generated(self) -> bool:
        """Whether it is an answer of a model, or the refusal of one."""
        return self.kind in ("unary", "stream")

    @property
    def status(self) -> int:
        """The HTTP status; 200 where only the body was recorded."""
        return self.record["response"]["status"] or 200

    @property
    def headers(self) -> Headers:
        """Those that were kept."""
        return tuple(self.record["response"]["headers"].items())

    @property
    def text(self) -> str:
        """The body as text."""
        return self.record["response"]["body"] or ""

    @property
    def body(self) -> bytes:
        """The body."""
        return self.text.encode()

    @property
    def sent(self) -> Json:
        """The JSON of the request; empty where there was none."""
        return (self.record["request"] or {}).get("json") or {}

    @property
    def chunks(self) -> list[bytes] | None:
        """The body as the transport brought it, where that was recorded."""
        sizes = self.record["response"].get("chunk_bytes")
        if sizes is None:
            return None
        ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
        return [self.body[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _lines(name: str) -> list[Json]:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip("the recorded traffic is not here: it belongs beside the repository, in shared/traffic")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def exchanges() -> dict[str, Recorded]:
    """All exchanges by their ids. Skips the test where there are none."""
    return {record["id"]: Recorded(record) for record in _lines("exchanges.jsonl.gz")}


@cache
def reference() -> dict[str, Json]:
    """What google-genai 3.4.0 makes of each response, by id."""
    return {line["id"]: line for line in _lines("google-genai-3.4.0.jsonl.gz")}


@cache
def conversations() -> dict[str, list[list[Recorded]]]:
    """The conversations: each a list of paths from the first exchange to a last one, which is most often one path."""
    known = exchanges()
    chains: dict[str, list[Json]] = json.loads((FOLDER / "conversations.json").read_text(encoding="utf-8"))
    found: dict[str, list[list[Recorded]]] = {}
    for name, chain in chains.items():
        before = {entry["id"]: entry["extends"] for entry in chain}
        found[name] = []
        for last in before.keys() - before.values():
            path = [last]
            while (earlier := before[path[0]]) is not None:
                path.insert(0, earlier)
            found[name].append([known[each] for each in path])
        found[name].sort(key=lambda path: path[-1].id)
    return found


# --- another reading of the same bytes ------------------------------------------------------------------------------


class NotSeparate(ValueError):
    """The text is no sequence of JSON documents."""


def documents_of(recorded: Recorded) -> list[Any]:
    """The JSON documents of a body: one, or those of a stream. Raises NotSeparate."""
    text = recorded.text.lstrip("\ufeff \t\r\n")
    try:
        if not recorded.streamed or text.startswith(("{", "[")):
            document = json.loads(text) if text else None
            return document if isinstance(document, list) else [] if document is None else [document]
        events = re.split(r"(?:\r\n|\n|\r){2}", text)
        lines = [[line for line in re.split(r"\r\n|\n|\r", event) if line.startswith("data:")] for event in events]
        return [json.loads("\n".join(line[5:] for line in each)) for each in lines if each]
    except json.JSONDecodeError as error:
        raise NotSeparate(str(error)) from None


def fold(documents: Iterable[Json]) -> Json:
    """The answer over all chunks as one content, as the design says in section 5, rule 3."""
    content: Json = {}
    parts: list[Json] = []
    for document in documents:
        for candidate in document.get("candidates") or ():
            if not candidate.get("index"):
                chunk = candidate.get("content") or {}
                content |= {key: held for key, held in chunk.items() if key not in content}
                parts = join(parts, chunk.get("parts") or [])
                break
    content["parts"] = parts
    content.setdefault("role", "model")
    return content


def join(left: list[Json], right: list[Json]) -> list[Json]:
    """Two lists of parts as one: the two parts at the seam become one if both hold plain text of the same kind."""
    if left and right:
        last, first = left[-1], right[0]
        alike = last.keys() == first.keys() and last.get("thought") == first.get("thought")
        if alike and "text" in last and last.keys() <= {"text", "thought"}:
            return [*left[:-1], {**last, "text": last["text"] + first["text"]}, *right[1:]]
    return left + right


def same_json(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same, the kind of each number and boolean included; the order of keys is not."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same_json(item, right[key]) for key, item in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)


# --- through a machine ----------------------------------------------------------------------------------------------


def cuts(body: bytes, seed: str, count: int) -> Iterator[list[bytes]]:
    """``count`` ways to cut a body at random, the same for the same seed: into two pieces at first, then into many."""
    chance = random.Random(seed)
    for number in range(count):
        pieces = min(len(body), 2 if number < count // 2 else chance.randint(3, 40))
        marks = sorted(chance.sample(range(1, len(body)), pieces - 1)) if pieces > 1 else []
        yield [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]


def events_of(machine: Conversation | Exchange, status: int, headers: Headers, pieces: Sequence[bytes]) -> list[Event]:
    """Run a machine that is about to send over one answer, and collect its events."""
    left = [piece for piece in pieces if piece]
    left.reverse()
    events: list[Event] = []
    while (step := machine.next()) is not None:
        match step:
            case SendRequest():
                machine.receive_response(status, headers)
            case ReadBody():
                machine.receive_data(left.pop() if left else b"")
            case Wait():
                raise AssertionError("no retry was asked for")
            case event:
                events.append(event)
    return events


def plain(event: Event) -> Any:
    """An event as something that can be compared with another: errors by their class and text."""
    match event:
        case ChunkReceived(response=response):
            return "chunk", to_wire(response), response.sdk_http_response
        case FunctionCallsRequested(calls=calls):
            return "calls", [to_wire(call) for call in calls]
        case TurnEnded(turn=turn, error=error):
            return "turn", turn, _plain_error(error)
        case DocumentReceived(document=document):
            return "document", document
        case ExchangeEnded(error=error, leftover=leftover):
            return "end", _plain_error(error), leftover
        case RoundFailed(error=error):
            return "round", _plain_error(error)
    return event


def _plain_error(error: BaseException | None) -> Any:
    return None if error is None else (type(error).__name__, str(error))
