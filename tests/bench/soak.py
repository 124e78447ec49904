"""The soak: whether memory stays flat over ten thousand turns and a hundred thousand chunks.

The turns are had in chats of ten turns each, and the chunks in streams of a thousand, one chat after the other, all
with one client: what a history holds is let go with its chat, so that whatever grows is the client's or the
transport's. Then as many chunks come in one stream; its chat keeps its text, so that memory is told beside the text.
"""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable

import attrs

from bench import answers
from bench.libraries import Library, find
from bench.libraries.base import AsyncChat, AsyncLibrary, Chat, SyncChat
from bench.measuring import MIB

__all__ = ["FULL", "QUICK", "Tally", "soak"]

_TURNS = [answers.sentence(number, 60) for number in range(10)]


@attrs.frozen
class Tally:
    """How much is done; memory is looked at so many times on the way."""

    turns: int
    chunks: int
    chunks_of_a_stream: int
    looks: int


FULL = Tally(turns=10_000, chunks=100_000, chunks_of_a_stream=1000, looks=10)
QUICK = Tally(turns=40, chunks=200, chunks_of_a_stream=50, looks=2)


def soak(name: str, url: str, tally: Tally) -> None:
    """Run it all, and print what Python holds and what the process has had at the most."""
    with contextlib.closing(find(name)(url)) as library:
        library.chat("unary").turns(_TURNS)
        library.chat("stream-10").stream("Hello")
        tracemalloc.start()
        _look(f"{name}, before")
        for done in _steps(tally.turns, tally.looks):
            for _ in range(tally.turns // tally.looks // len(_TURNS)):
                library.chat("unary").turns(_TURNS)
            _look(f"{done:,} turns")
        for done in _steps(tally.chunks, tally.looks):
            for _ in range(tally.chunks // tally.looks // tally.chunks_of_a_stream):
                library.chat(f"stream-{tally.chunks_of_a_stream}").stream("Tell me")
            _look(f"{done:,} chunks of short streams")
        chat = library.chat(f"stream-{tally.chunks}")
        _hear(library, chat, _Listener(tally))
        _look("stream ended")
        del chat
        _look("chat dropped")
        tracemalloc.stop()


def _steps(total: int, looks: int) -> range:
    return range(total // looks, total + 1, total // looks)


class _Listener:
    """Looks at the memory now and then, while chunks come."""

    def __init__(self, tally: Tally) -> None:
        self._every = tally.chunks // tally.looks
        self._chunks = 0
        self._characters = 0

    def __call__(self, text: str) -> None:
        self._chunks += 1
        self._characters += len(text)
        if self._chunks % self._every == 0:
            _look(f"{self._chunks:,} chunks of one, {self._characters / MIB:.2f} MiB of text")


def _hear(library: Library, chat: Chat, heard: Callable[[str], None]) -> None:
    if isinstance(chat, SyncChat):
        for text in chat.chunks("Tell me"):
            heard(text)
    else:
        assert isinstance(library, AsyncLibrary)
        assert isinstance(chat, AsyncChat)
        library.runner.run(_hear_all(chat.chunks("Tell me"), heard))


async def _hear_all(texts: AsyncIterator[str], heard: Callable[[str], None]) -> None:
    async for text in texts:
        heard(text)


def _look(when: str) -> None:
    gc.collect()
    unit = MIB if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    held = tracemalloc.get_traced_memory()[0] / MIB
    print(f"{when:45} {held:6.2f} MiB held by Python, {resident:6.1f} MiB resident at the most", flush=True)
