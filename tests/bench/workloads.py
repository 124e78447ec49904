"""The workloads: each is run in a fresh process, by one implementation, and gives figures by name."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from bench import answers
from bench.libraries import Library, find
from bench.libraries.base import AsyncLibrary

__all__ = ["SIZES", "WORKLOADS", "Workload"]

Figures = dict[str, float]

MIB = 1024 * 1024
#: How many contents a history has, of some sixty characters each.
SIZES = (10, 100, 1000, 5000)

_MESSAGES = [answers.sentence(number, 60) for number in range(10)]


@attrs.frozen
class Workload:
    """What is done, and how often: where a ratio is near 1, more rounds are needed."""

    run: Callable[[str, str], Figures]
    rounds: int = 7


WORKLOADS: dict[str, Workload] = {}


def _workload(name: str, rounds: int = 7) -> Callable[[Callable[[str, str], Figures]], Callable[[str, str], Figures]]:
    def register(run: Callable[[str, str], Figures]) -> Callable[[str, str], Figures]:
        WORKLOADS[name] = Workload(run, rounds)
        return run

    return register


def _history(size: int) -> list[dict[str, Any]]:
    roles = ("user", "model")
    return [{"role": roles[n % 2], "parts": [{"text": answers.sentence(n, 60)}]} for n in range(size)]


def _cpu(work: Callable[[], object]) -> float:
    """Microseconds of CPU, of this process, in all of its threads."""
    gc.collect()
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6


def _peak(work: Callable[[], object]) -> float:
    """MiB that were allocated at the most while ``work`` ran, over what was there before. Costs time."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    work()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak / MIB


@_workload("client", rounds=7)
def _client(name: str, url: str) -> Figures:
    kind = find(name)
    first = _cpu(lambda: kind(url).close())
    later = statistics.median(_cpu(lambda: kind(url).close()) for _ in range(20))
    return {"first": first, "later": later}


@_workload("turns", rounds=15)
def _turns(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("unary").turns(_MESSAGES[:2])
    chats = [library.chat("unary") for _ in range(20)]

    def work() -> None:
        for chat in chats:
            chat.turns(_MESSAGES)

    return {"turn": _cpu(work) / (len(chats) * len(_MESSAGES))}


@_workload("history")
def _growth(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("unary").turns(_MESSAGES[:2])
    figures = {}
    for size in SIZES:
        history = _history(size)
        made = []
        figures[f"create {size}"] = _cpu(lambda: made.append(library.chat("unary", history)))  # noqa: B023
        chat = made[0]
        first = _cpu(lambda: chat.turns(_MESSAGES[:1]))  # noqa: B023
        figures[f"first {size}"] = first
        count = 20 if first < 100_000 else 2
        messages = (_MESSAGES * 2)[:count]
        figures[f"turn {size}"] = _cpu(lambda: chat.turns(messages)) / count  # noqa: B023
    return figures


@_workload("stream")
def _stream(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("stream-10").stream("Hello")
    chat = library.chat("stream-5000")
    counted = []
    took = _cpu(lambda: counted.append(chat.stream("Tell me")))
    if counted != [5000]:
        raise AssertionError(f"{counted} chunks")
    return {"chunk": took / 5000}


@_workload("paced", rounds=15)
def _paced(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("stream-10").stream("Hello")
    chat = library.chat("paced-500")
    return {"chunk": _cpu(lambda: chat.stream("Tell me")) / 500}


@_workload("first", rounds=15)
def _first(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("stream-10").stream("Hello")
    return {"wall": statistics.median(library.chat("stream-10").first("Tell me") for _ in range(100)) * 1e6}


@_workload("parse")
def _parse(name: str, url: str) -> Figures:
    library = find(name)(url)
    body = answers.unary()
    library.parse(body)

    def work() -> None:
        for _ in range(1000):
            library.parse(body)

    return {"response": min(_cpu(work) for _ in range(5)) / 1000}


@_workload("crowd", rounds=15)
def _crowd(name: str, url: str) -> Figures:
    library = find(name)(url)
    assert isinstance(library, AsyncLibrary)
    library.chat("unary").turns(_MESSAGES[:2])
    chats = [library.chat("unary") for _ in range(1000)]
    return {"all": _cpu(lambda: library.crowd(chats, _MESSAGES[:5]))}


@_workload("idle")
def _idle(name: str, url: str) -> Figures:
    library = find(name)(url)
    histories = [_history(100) for _ in range(200)]
    library.chat("unary", _history(4))
    kept: list[object] = []
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for history in histories:
        # A chat that somebody talks in gets its contents from elsewhere: nothing is shared with the program's dicts.
        kept.append(library.chat("unary", [_fresh(each) for each in history]))
    gc.collect()
    size = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    return {"KiB": size / 1024}


def _fresh(content: dict[str, Any]) -> dict[str, Any]:
    return {"role": content["role"], "parts": [{"text": content["parts"][0]["text"][:-1] + "."}]}


@cache
def _image() -> bytes:
    return bytes(range(256)) * (5 * MIB // 256)


@_workload("image")
def _picture(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("unary").picture(_image()[:1024])
    chat = library.chat("unary")
    image = _image()
    return {"turn": _cpu(lambda: chat.picture(image)), "next": _cpu(lambda: chat.turns(_MESSAGES[:1]))}


@_workload("image memory")
def _picture_memory(name: str, url: str) -> Figures:
    library = find(name)(url)
    library.chat("unary").picture(_image()[:1024])
    chat = library.chat("unary")
    image = _image()
    return {"turn": _peak(lambda: chat.picture(image)), "next": _peak(lambda: chat.turns(_MESSAGES[:1]))}


def _file(folder: str, size: int) -> Path:
    path = Path(folder) / "upload.bin"
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(bytes(MIB))
    return path


@_workload("upload")
def _upload(name: str, url: str) -> Figures:
    library: Library = find(name)(url)
    with tempfile.TemporaryDirectory() as folder:
        library.upload(_file(folder, MIB))
        path = _file(folder, 64 * MIB)
        took = _cpu(lambda: library.upload(path))
        return {"cpu": took / 1000, "peak": _peak(lambda: library.upload(path))}
