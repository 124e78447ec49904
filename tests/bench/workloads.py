"""The workloads: what an implementation does in one run, in a fresh process, and what is noted of it."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from bench import answers
from bench.libraries import Library, find
from bench.libraries.base import AsyncLibrary
from bench.measuring import FULL, MIB, Counts, Figures, cpu, held, peak
from bench.start_up import importing, making_clients

__all__ = ["WORKLOADS", "Workload"]

_MESSAGES = [answers.sentence(number, 60) for number in range(10)]


@attrs.frozen
class Workload(ABC):
    """What is done, and how often."""

    #: For those that decide whether a budget is met: more where a ratio is near 1.
    rounds: int = attrs.field(default=7, kw_only=True)
    #: For the others, google-genai above all, which is slow, and never near.
    shown_rounds: int = attrs.field(default=7, kw_only=True)

    @abstractmethod
    def run(self, name: str, url: str, counts: Counts = FULL) -> Figures:
        """Run it with the implementation of that name, against the server at ``url``."""


@attrs.frozen
class _Start(Workload):
    """One without chats."""

    work: Callable[[str], Figures]

    def run(self, name: str, url: str, counts: Counts = FULL) -> Figures:
        return self.work(name)


@attrs.frozen
class _Talk(Workload):
    """One with a client."""

    work: Callable[[Library, Counts], Figures]

    def run(self, name: str, url: str, counts: Counts = FULL) -> Figures:
        with contextlib.closing(find(name)(url)) as library:
            return self.work(library, counts)


def _history(size: int) -> list[dict[str, Any]]:
    roles = ("user", "model")
    return [{"role": roles[n % 2], "parts": [{"text": answers.sentence(n, 60)}]} for n in range(size)]


def _turns(library: Library, counts: Counts) -> Figures:
    """Short turns: ten in each of some chats that are new."""
    library.chat("unary").turns(_MESSAGES[:2])
    chats = [library.chat("unary") for _ in range(counts.chats)]

    def work() -> None:
        for chat in chats:
            chat.turns(_MESSAGES)

    return {"turn": cpu(work) / (len(chats) * len(_MESSAGES))}


def _growth(library: Library, counts: Counts) -> Figures:
    """A chat that is made with a history, its first turn, and a turn after that."""
    library.chat("unary").turns(_MESSAGES[:2])
    figures = {}
    for size in counts.sizes:
        chat, figures[f"create {size}"] = _created(library, _history(size))
        first = figures[f"first {size}"] = cpu(partial(chat.turns, _MESSAGES[:1]))
        messages = (_MESSAGES * 2)[: 20 if first < 20_000 else 4 if first < 200_000 else 1]
        figures[f"turn {size}"] = cpu(partial(chat.turns, messages)) / len(messages)
    return figures


def _created(library: Library, history: list[dict[str, Any]]) -> tuple[Any, float]:
    made: list[Any] = []
    took = cpu(lambda: made.append(library.chat("unary", history)))
    return made[0], took


def _stream(library: Library, counts: Counts) -> Figures:
    """A long answer, as fast as it can be read."""
    library.chat("stream-10").stream("Hello")
    chat = library.chat(f"stream-{counts.chunks}")
    counted: list[int] = []
    took = cpu(lambda: counted.append(chat.stream("Tell me")))
    if counted != [counts.chunks]:
        raise AssertionError(f"{counted} chunks of {counts.chunks}")
    return {"chunk": took / counts.chunks}


def _paced(library: Library, counts: Counts) -> Figures:
    """An answer whose chunks come a millisecond apart."""
    library.chat("stream-10").stream("Hello")
    chat = library.chat(f"paced-{counts.paced}")
    return {"chunk": cpu(lambda: chat.stream("Tell me")) / counts.paced}


def _first(library: Library, counts: Counts) -> Figures:
    """How long one waits for the first chunk; the only figure of a clock."""
    library.chat("stream-10").stream("Hello")
    seconds = statistics.median(library.chat("stream-10").first("Tell me") for _ in range(counts.first))
    return {"wall": seconds * 1e6}


def _parse(library: Library, counts: Counts) -> Figures:
    """The body of an answer, without the network."""
    body = answers.unary()
    library.parse(body)

    def work() -> None:
        for _ in range(counts.parsed):
            library.parse(body)

    return {"response": min(cpu(work) for _ in range(5)) / counts.parsed}


def _crowd(library: Library, counts: Counts) -> Figures:
    """Many chats at once, of five turns each."""
    assert isinstance(library, AsyncLibrary)
    library.chat("unary").turns(_MESSAGES[:2])
    chats = [library.chat("unary") for _ in range(counts.crowd)]
    return {"turn": cpu(lambda: library.crowd(chats, _MESSAGES[:5])) / (counts.crowd * 5)}


def _idle(library: Library, counts: Counts) -> Figures:
    """The memory of chats in which a hundred contents have been said."""
    library.chat("unary", _history(4))
    # What is said in a chat comes from elsewhere: each has its own, and the program keeps none of it.
    size = held(lambda: [library.chat("unary", _history(100)) for _ in range(counts.idle)])
    return {"chat": size / counts.idle}


def _image(counts: Counts) -> bytes:
    return bytes(range(256)) * (counts.image * MIB // 256)


def _picture(library: Library, counts: Counts) -> Figures:
    """A turn with an image, and one after it, which sends the image again."""
    library.chat("unary").picture(_image(counts)[:1024])
    chat, image = library.chat("unary"), _image(counts)
    return {"turn": cpu(lambda: chat.picture(image)), "next": cpu(lambda: chat.turns(_MESSAGES[:1]))}


def _picture_memory(library: Library, counts: Counts) -> Figures:
    """The same, and how much memory it takes."""
    library.chat("unary").picture(_image(counts)[:1024])
    chat, image = library.chat("unary"), _image(counts)
    return {"turn": peak(lambda: chat.picture(image)), "next": peak(lambda: chat.turns(_MESSAGES[:1]))}


def _upload(library: Library, counts: Counts) -> Figures:
    """A large file from the disk."""
    with tempfile.TemporaryDirectory() as folder:
        library.upload(_file(folder, 1))
        path = _file(folder, counts.upload)
        return {"cpu": cpu(lambda: library.upload(path)), "peak": peak(lambda: library.upload(path))}


def _file(folder: str, size: int) -> Path:
    path = Path(folder) / "upload.bin"
    with path.open("wb") as file:
        for _ in range(size):
            file.write(bytes(MIB))
    return path


#: Rounds of what takes a second or less: of one and the same thing, single ones differ by half.
_NOISY = 31

WORKLOADS: dict[str, Workload] = {
    "import": _Start(importing, rounds=15),
    "client": _Start(making_clients),
    "turns": _Talk(_turns, rounds=_NOISY),
    "history": _Talk(_growth, shown_rounds=5),
    "stream": _Talk(_stream, rounds=_NOISY),
    "paced": _Talk(_paced, rounds=_NOISY),
    "first": _Talk(_first, rounds=_NOISY),
    "parse": _Talk(_parse),
    "crowd": _Talk(_crowd, rounds=15, shown_rounds=3),
    "idle": _Talk(_idle, rounds=3, shown_rounds=3),
    "image": _Talk(_picture, rounds=15),
    "image memory": _Talk(_picture_memory, rounds=3, shown_rounds=3),
    "upload": _Talk(_upload, rounds=3, shown_rounds=3),
}
