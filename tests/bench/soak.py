"""The soak: whether memory stays flat over ten thousand turns, and over a stream of a hundred thousand chunks.

The turns are had in chats of ten turns each, one chat after the other, all with one client: what a history holds is let
go with its chat, so that whatever grows is the client's or the transport's. The stream is one turn; its chat keeps its
text, which is told beside the memory.
"""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
import tracemalloc

import attrs

from bench import answers
from bench.libraries import find
from bench.libraries.base import SyncChat
from bench.measuring import MIB

__all__ = ["TALLIES", "Tally", "soak"]

_TURNS = [answers.sentence(number, 60) for number in range(10)]


@attrs.frozen
class Tally:
    """How much is done, and after how much of it the memory is looked at."""

    turns: int = 10_000
    chunks: int = 100_000
    looks: int = 10


TALLIES = {False: Tally(), True: Tally(turns=100, chunks=1000, looks=2)}


def soak(name: str, url: str, tally: Tally) -> None:
    """Run both, and print what Python holds and what the process has had at the most."""
    with contextlib.closing(find(name)(url)) as library:
        library.chat("unary").turns(_TURNS)
        library.chat("stream-10").stream("Hello")
        tracemalloc.start()
        _look(f"{name}, before")
        step = tally.turns // tally.looks
        for done in range(step, tally.turns + 1, step):
            for _ in range(step // len(_TURNS)):
                library.chat("unary").turns(_TURNS)
            _look(f"{done:,} turns")
        chat = library.chat(f"stream-{tally.chunks}")
        assert isinstance(chat, SyncChat)
        said = 0
        for count, text in enumerate(chat.chunks("Tell me"), start=1):
            said += len(text)
            if count % (tally.chunks // tally.looks) == 0:
                _look(f"{count:,} chunks, {said / MIB:.2f} MiB of text")
        del chat
        _look("chat dropped")
        tracemalloc.stop()


def _look(when: str) -> None:
    gc.collect()
    unit = MIB if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    held = tracemalloc.get_traced_memory()[0] / MIB
    print(f"{when:40} {held:8.2f} MiB held by Python, {resident:8.1f} MiB resident at the most", flush=True)
