"""What chatproto may cost: the rows of the table."""

from __future__ import annotations

import attrs

__all__ = ["ASYNC", "ROWS", "SYNC", "Row", "Sides", "implementations", "judged"]


@attrs.frozen
class Sides:
    """Who is compared."""

    ours: str
    floor: str
    reference: str | None = None


SYNC = Sides("chatproto on requests", "bare requests", "google-genai")
ASYNC = Sides("chatproto on aiohttp", "bare aiohttp", "google-genai, async")
_HTTPX = Sides("chatproto on httpx", "bare httpx")
_ASYNC_HTTPX = Sides("chatproto on httpx, async", "bare httpx, async")


@attrs.frozen
class Row:
    """One figure of one workload, and what it may be.

    It is a ratio: against the floor's, or against another figure of the same implementation (``own``); with a ``unit``
    it stands by itself, as ``scale`` times what was measured. Without ``must`` it only informs.
    """

    label: str
    workload: str
    figure: str
    must: float | None = None
    aim: float | None = None
    sides: Sides = attrs.field(default=SYNC, kw_only=True)
    own: str | None = attrs.field(default=None, kw_only=True)
    unit: str = attrs.field(default="", kw_only=True)
    scale: float = attrs.field(default=1.0, kw_only=True)

    @property
    def names(self) -> set[str]:
        """The implementations that it compares."""
        return self.judged | ({self.sides.reference} if self.sides.reference else set())

    @property
    def judged(self) -> set[str]:
        """Those of them that decide whether the budget is met."""
        return {self.sides.ours} if self.unit or self.own else {self.sides.ours, self.sides.floor}


ROWS = (
    Row("`import` and the first `Client()`, bare interpreter, against `import requests`", "import", "cpu", 1.0, 0.75),
    Row("the first `Client()`", "client", "first", 1.0, 0.2, unit="ms", scale=1e-3),
    Row("later `Client()`s", "client", "later", 1.0, 0.2, unit="ms", scale=1e-3),
    Row("turn, sync, against bare requests", "turns", "turn", 1.1, 0.8),
    Row("turn, async, against bare aiohttp", "turns", "turn", 1.3, 1.1, sides=ASYNC),
    Row("turn, sync, against bare httpx", "turns", "turn", sides=_HTTPX),
    Row("turn, async, against bare httpx", "turns", "turn", sides=_ASYNC_HTTPX),
    Row("turn after 1,000 contents, sync, against encoding a list anew", "history", "turn 1000", 0.5, 0.4),
    Row("turn after 1,000 contents, async", "history", "turn 1000", 0.4, 0.25, sides=ASYNC),
    Row("turn after 5,000 contents, against its own turn after 10", "history", "turn 5000", 2.5, 1.3, own="turn 10"),
    Row("`chats.create(history=…)` of 5,000 dicts, against building the list", "history", "create 5000", 6.0, 3.0),
    Row("streamed chunk, in bulk, sync, against splitting and `json.loads`", "stream", "chunk", 2.5, 1.5),
    Row("streamed chunk, in bulk, async", "stream", "chunk", 2.5, 1.5, sides=ASYNC),
    Row("streamed chunk, in bulk, sync, on httpx", "stream", "chunk", sides=_HTTPX),
    Row("streamed chunk, in bulk, async, on httpx", "stream", "chunk", sides=_ASYNC_HTTPX),
    Row("streamed chunk, 1 ms apart, sync", "paced", "chunk", 1.5, 1.2),
    Row("streamed chunk, 1 ms apart, async", "paced", "chunk", 1.5, 1.2, sides=ASYNC),
    Row("time to the first chunk, sync", "first", "wall", 1.3, 1.1),
    Row("time to the first chunk, async", "first", "wall", 1.3, 1.1, sides=ASYNC),
    Row("a response parsed, against `json.loads`", "parse", "response", 2.5, 1.5),
    Row("turn of 1,000 chats at once, against bare aiohttp", "crowd", "turn", 1.4, 1.15, sides=ASYNC),
    Row("memory of an idle chat of 100 contents, against dicts", "idle", "chat", 0.9, 0.5),
    Row("turn with a 5 MiB image, against bare requests", "image", "turn", 0.6, 0.35),
    Row("the turn after it", "image", "next", 0.4, 0.2),
    Row("peak memory of the turn with the image", "image memory", "turn", 15, 13, unit="MiB"),
    Row("peak memory of the turn after it", "image memory", "next", 8, 7, unit="MiB"),
    Row("peak memory of an upload of 64 MiB, sync", "upload", "peak", 9, 2, unit="MiB"),
    Row("peak memory of an upload of 64 MiB, async", "upload", "peak", 9, 2, sides=ASYNC, unit="MiB"),
)


#: What the plot shows besides.
_PLOTTED = {"history": {SYNC.floor, ASYNC.floor}}


def implementations(workload: str) -> set[str]:
    """The implementations that a workload is run with."""
    return _PLOTTED.get(workload, set()).union(*(row.names for row in ROWS if row.workload == workload))


def judged(workload: str) -> set[str]:
    """Those of them that decide whether a budget is met."""
    rows = (row for row in ROWS if row.workload == workload and row.must is not None)
    return set[str]().union(*(row.judged for row in rows))
