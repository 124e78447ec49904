"""The connection in memory that stands in for a socket."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatproto_replay.serving.pipe import connect


class Noting(asyncio.Protocol):
    """Keeps what it is told."""

    transport: Any

    def __init__(self) -> None:
        self.told: list[Any] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> None:
        self.told.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(type(exc))

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


async def settled() -> None:
    """Let the loop turn until all that was written has arrived."""
    for _ in range(50):
        await asyncio.sleep(0)


def pair() -> tuple[Noting, Noting]:
    """Two protocols that are connected."""
    one, other = Noting(), Noting()
    connect(one, other, asyncio.get_running_loop())
    return one, other


@given(writes=st.lists(st.binary(max_size=20), max_size=10), paused=st.booleans())
def test_each_write_is_a_read_of_its_own(writes: list[bytes], *, paused: bool) -> None:
    """In order, also where the reader was paused for a while; a write of nothing is none."""

    async def run() -> None:
        one, other = pair()
        if paused:
            other.transport.pause_reading()
        for data in writes:
            one.transport.writelines([data[:3], data[3:]])
        await settled()
        if paused:
            assert (other.told, other.transport.is_reading()) == ([], False)
            assert one.transport.get_write_buffer_size() == sum(map(len, writes))
            other.transport.resume_reading()
            await settled()
        assert other.told == [data for data in writes if data]
        assert one.transport.get_write_buffer_size() == 0

    asyncio.run(run())


def test_who_writes_too_much_is_paused() -> None:
    """Until the other side has read most of it."""

    async def run() -> None:
        one, other = pair()
        other.transport.pause_reading()
        for _ in range(7):
            one.transport.write(bytes(10_000))
        assert one.told == ["pause"]
        other.transport.resume_reading()
        await settled()
        assert one.told == ["pause", "resume"]
        assert len(other.told) == 7

    asyncio.run(run())


def test_the_end_comes_after_the_data() -> None:
    """A close as an end, an abort as a reset; both sides learn of it once, and what is written then goes nowhere."""

    async def run(end: str, told: list[Any]) -> None:
        one, other = pair()
        one.transport.write(b"a")
        getattr(one.transport, end)()
        one.transport.write(b"b")
        one.transport.close()
        assert one.transport.is_closing()
        await settled()
        other.transport.close()
        other.transport.write(b"c")
        await settled()
        assert other.told == told
        assert one.told == [type(None)]

    asyncio.run(run("close", [b"a", "eof", type(None)]))
    asyncio.run(run("abort", [b"a", ConnectionResetError]))
