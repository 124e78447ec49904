"""How a figure is taken: the CPU of this process, or the memory that Python has allocated."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import attrs

__all__ = ["FULL", "MIB", "QUICK", "Counts", "Figures", "cpu", "held", "peak"]

MIB = 1024 * 1024

#: What one implementation took in one run of a workload, by name: microseconds, or MiB of memory.
Figures = dict[str, float]


@attrs.frozen
class Counts:
    """How often things are done. The budget is about the ones that ``FULL`` has."""

    chats: int = 50
    #: How many contents a history has, of sixty characters each.
    sizes: tuple[int, ...] = (10, 100, 1000, 5000)
    chunks: int = 5000
    paced: int = 500
    first: int = 100
    parsed: int = 1000
    crowd: int = 1000
    idle: int = 200
    image: int = 5  # MiB
    upload: int = 64  # MiB


FULL = Counts()

#: Shows that everything runs, in little time; the figures mean nothing.
QUICK = Counts(
    chats=1, sizes=(2, 10), chunks=10, paced=5, first=2, parsed=5, crowd=2, idle=2, image=1, upload=1
)  # fmt: skip


def cpu(work: Callable[[], object]) -> float:
    """Microseconds of CPU, of this process, in all of its threads."""
    gc.collect()
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6


def peak(work: Callable[[], object]) -> float:
    """MiB that were allocated at the most while ``work`` ran, over what was there before. It slows ``work`` down."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (most - before) / MIB


def held(make: Callable[[], object]) -> float:
    """MiB that what ``make`` returns holds, with everything else that making it has left behind."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = make()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del made
    return (after - before) / MIB
