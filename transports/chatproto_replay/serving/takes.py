"""Takes: many runs through the same cassettes, by several clients at once or by one again and again.

A ``Player`` has one cursor. A server cannot have one for each connection, because HTTP clients keep pools of them, nor
one for each key, because programs share keys. So it counts *takes*. A take is one run through one cassette:

- A request goes on with the latest take of the same credential whose next exchange it equals.
- Else, where it equals the first exchange of a cassette, a new take begins there. Cassettes that begin alike take
  turns.
- Else it is refused, and the report compares it with the exchange that it comes nearest to of those that could have
  come next. After the end of a take nothing is compared where nothing comes near: the program asks for more.

A request without a credential that fits nowhere else goes on with anybody's take: the URL of an upload is a credential
of its own. A run that was broken off costs nothing: the next one begins a take of its own.

Of takes that are not finished, MOST_UNFINISHED are kept: with one more, the one that was asked the longest ago is
forgotten. Nothing goes on with it then, and it still counts in the end as not played to its end.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from chatproto.errors import ValidationError

from ..cassette import Cassette
from ..errors import CassetteExhausted, CassetteMissing, RequestMismatch, UnplayedExchanges
from ..matching.canonical import fingerprint
from ..matching.differences import differences
from ..matching.excerpts import counted
from ..matching.mismatches import exhausted, likeness, mismatch, unplayed, without_credential
from ..redaction.allowed import recorded_request
from ..rules import checked, normalised
from .sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

    from ..cassette import Chunk, End, Exchange, RecordedRequest, RecordedResponse
    from ..matching.differences import Difference
    from ..redaction.bodies import Redaction
    from ..rules import Rule
    from .sources import Answered

__all__ = ["MOST_UNFINISHED", "NamedCassette", "Take", "Takes", "load_cassettes"]

#: How many takes may be under way. A server that runs for weeks would else keep every run that was broken off.
MOST_UNFINISHED = 1000

_NEAR = 0.5  # of the words of two requests: with fewer in common, one is not the other one changed


@attrs.frozen(eq=False)
class NamedCassette:
    """A cassette, and what it is called in reports."""

    name: str
    exchanges: tuple[Exchange, ...] = attrs.field(repr=False)

    def __str__(self) -> str:
        return self.name


def load_cassettes(path: str | os.PathLike[str]) -> tuple[NamedCassette, ...]:
    """The cassette at ``path``, or all ``*.json`` of a folder and its folders, by name.

    Raises CassetteMissing where there is none, and what ``Cassette.load`` raises. Files and folders whose name begins
    with a dot are passed over.
    """
    root = Path(path)
    if not root.is_dir():
        return (NamedCassette(os.fspath(path), Cassette.load(path).exchanges),)
    names = sorted(
        name
        for name in (file.relative_to(root) for file in root.rglob("*.json"))
        if not any(part.startswith(".") for part in name.parts)
    )
    if not names:
        raise CassetteMissing(f"there is no cassette in {root}: no file in it ends in .json; record one first")
    return tuple(NamedCassette(name.as_posix(), Cassette.load(root / name).exchanges) for name in names)


def _all(take: Take) -> list[int]:
    return list(range(len(take.cassette.exchanges)))


@attrs.define(eq=False)
class Take:
    """One run through one cassette. ``left`` are the indices of the exchanges that it has not played."""

    cassette: NamedCassette
    client: bytes = attrs.field(repr=False)
    left: list[int] = attrs.field(default=attrs.Factory(_all, takes_self=True))

    @property
    def played(self) -> int:
        """How many exchanges it has played."""
        return len(self.cassette.exchanges) - len(self.left)

    def __str__(self) -> str:
        return f"{self.played} of {counted(len(self.cassette.exchanges), 'exchange')} of {self.cassette}"


class Takes(Source):
    """Plays the cassettes at ``path``: a file, or a folder of them. They are read at construction.

    ``pace``, ``match``, ``redact`` and ``in_order`` are as in ``Player``. With ``in_order=False`` a take may begin with
    any of its exchanges, and goes on with any that it has left.
    """

    mode = "replay"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        pace: float = 0.0,
        match: Iterable[Rule] = (),
        redact: Iterable[Redaction] = (),
        in_order: bool = True,
    ) -> None:
        super().__init__()
        if not 0 <= pace < float("inf"):
            raise ValidationError(f"pace: expected a number of 0 or more, found {pace!r}")
        self.path = os.fspath(path)
        self.cassettes = load_cassettes(path)
        self.played = 0
        self.finished = 0
        self._pace = pace
        self._in_order = in_order
        self._redacted = _redactor(redact)
        self._match = rules = checked(match)
        self._recorded = {
            cassette: [normalised(exchange.request, rules) for exchange in cassette.exchanges]
            for cassette in self.cassettes
        }
        self._keys = {each: [fingerprint(request) for request in self._recorded[each]] for each in self.cassettes}
        self._begun = dict.fromkeys(self.cassettes, 0)
        self._unfinished: list[Take] = []  # the latest last
        self._forgotten = 0
        self._first_forgotten: Take | None = None
        self._latest: dict[bytes, Take] = {}

    @property
    def unfinished(self) -> tuple[Take, ...]:
        """The takes that have exchanges left; the one that was last asked stands last."""
        return tuple(self._unfinished)

    async def answer(self, request: Request, secrets: Secrets, client: bytes) -> Answered:
        """Play the exchange that ``request`` equals. Raises RequestMismatch, or CassetteExhausted."""
        exchange = self.take(request, client, secrets)
        if exchange.response is not None:
            return _PlayedAnswer(exchange.response, self._pace)
        stalled = exchange.failure is not None and exchange.failure.kind == "timed_out"
        return "timeout" if stalled else "truncated"

    def take(self, request: Request, client: bytes = b"", secrets: Secrets | None = None) -> Exchange:
        """The exchange that ``request`` equals, which counts as played from now on.

        Raises RequestMismatch, or CassetteExhausted. ``secrets`` are asked whether the report would quote one.
        """
        now = normalised(self._redacted(recorded_request(request)), self._match)
        key = fingerprint(now)
        candidates = self._candidates(client)
        for take in candidates:
            index = next((each for each in self._next(take) if self._keys[take.cassette][each] == key), None)
            if index is not None:
                return self._play(take, index)
        error = self._mismatch(now, candidates, client)
        raise error if secrets is None else without_credential(error, now, secrets)

    def _candidates(self, client: bytes) -> list[Take]:
        """The takes that could go on or begin, in the order in which they are to be asked."""
        latest_first = self._unfinished[::-1]
        fresh = sorted((each for each in self.cassettes if each.exchanges), key=lambda each: self._begun[each])
        return [
            *(take for take in latest_first if take.client == client),
            *(Take(cassette, client) for cassette in fresh),
            *(take for take in latest_first if take.client and not client),
        ]

    def _next(self, take: Take) -> list[int]:
        """The exchanges that could be the next of a take."""
        return take.left[:1] if self._in_order else take.left

    def _play(self, take: Take, index: int) -> Exchange:
        if take in self._unfinished:
            self._unfinished.remove(take)
        else:
            self._begun[take.cassette] += 1
        take.left.remove(index)
        self.played += 1
        self._latest[take.client] = take
        if take.left:
            self._unfinished.append(take)
            if len(self._unfinished) > MOST_UNFINISHED:
                self._forget(self._unfinished.pop(0))
        else:
            self.finished += 1
        return take.cassette.exchanges[index]

    def _forget(self, take: Take) -> None:
        self._forgotten += 1
        self._first_forgotten = self._first_forgotten or take
        if self._latest.get(take.client) is take:
            del self._latest[take.client]

    def _mismatch(
        self, now: RecordedRequest, candidates: Sequence[Take], client: bytes
    ) -> RequestMismatch | CassetteExhausted:
        if not candidates:
            return exhausted(self.path, now, ().__getitem__, total=0, by_command=self.by_command)
        distances: dict[tuple[NamedCassette, int], int] = {}
        for take in candidates:
            for at in ((take.cassette, index) for index in self._next(take)):
                if at not in distances:
                    distances[at] = _distance(differences(self._recorded[take.cassette][at[1]], now))
        nearest = min(candidates, key=lambda take: min(distances[take.cassette, index] for index in self._next(take)))
        latest = self._latest.get(client)
        if latest is None or latest.left:
            return self._report(nearest, now)
        # The client has played its cassette to the end. What comes then is mostly a call that was added to the program.
        recorded = self._recorded[latest.cassette]
        played = exhausted(
            latest.cassette.name, now, recorded.__getitem__, total=len(recorded), by_command=self.by_command
        )
        could_be = [self._recorded[nearest.cassette][index] for index in self._next(nearest)]
        if fingerprint(now) in self._keys[latest.cassette] or max(likeness(each, now) for each in could_be) < _NEAR:
            return played
        error = self._report(nearest, now)
        meant = "it goes on with a chat that was begun before, it" if nearest.played else "the program begins again, it"
        return RequestMismatch(
            f"{played}\nIf {meant} does not ask what was recorded there:\n{error}",
            exchange=error.exchange,
            differences=error.differences,
            content=error.content,
            nearest=error.nearest,
            advice=error.advice,
        )

    def _report(self, take: Take, now: RecordedRequest) -> RequestMismatch:
        recorded = self._recorded[take.cassette].__getitem__
        total = len(take.cassette.exchanges)
        return mismatch(
            take.cassette.name,
            now,
            recorded,
            total=total,
            left=take.left,
            in_order=self._in_order,
            by_command=self.by_command,
        )

    def status(self) -> dict[str, Any]:
        """What was played, and what is left of the takes that have begun."""
        return {
            "mode": self.mode,
            "played": self.played,
            "refused": self.refused,
            "takes": {
                "finished": self.finished,
                "unfinished": [
                    {"cassette": take.cassette.name, "played": take.played, "exchanges": len(take.cassette.exchanges)}
                    for take in self._unfinished
                ],
            },
            "cassettes": [
                {"name": each.name, "exchanges": len(each.exchanges), "takes": self._begun[each]}
                for each in self.cassettes
            ],
        }

    def summary(self) -> str:
        """What was played, refused, and not finished."""
        played = f"{counted(self.played, 'exchange')} played, {counted(self.refused, 'request')} refused"
        runs = f"{counted(self.finished, 'run')} finished, {len(self._unfinished)} unfinished"
        if self._forgotten:
            runs += f", {self._forgotten} more forgotten"
        lines = [f"{self.path}: {played}; {runs}", *(f"  unfinished: {take}" for take in self._unfinished)]
        return "\n".join(lines)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    def left(self) -> UnplayedExchanges | None:
        """An error if nothing was played, or a take has exchanges left."""
        take = self._first_forgotten or next(iter(self._unfinished), None)
        if take is not None:
            return unplayed(
                take.cassette.name, self._recorded[take.cassette], left=take.left, by_command=self.by_command
            )
        if not self.played and any(each.exchanges for each in self.cassettes):
            return UnplayedExchanges(f"{self.path}: nothing of it was asked for")
        return None


def _redactor(redact: Iterable[Redaction]) -> Callable[[RecordedRequest], RecordedRequest]:
    """What the rules make of a request; their code is loaded where there are some."""
    found = tuple(redact)
    if not found:
        return lambda request: request
    from ..redaction.bodies import checked, redacted_request

    rules = checked(found)
    return lambda request: redacted_request(request, rules)


def _distance(found: Iterable[Difference]) -> int:
    """How far a request is from a recorded one: another turn is further than another text in one."""
    return sum(1000 if each.path in ("method", "path") else 1 if each.kind == "changed" else 2 for each in found)


class _PlayedAnswer:
    """A recorded answer, in recorded time."""

    def __init__(self, response: RecordedResponse, pace: float) -> None:
        self.status: int = response.status
        self.headers: Headers = response.headers
        self._chunks: list[Chunk] = list(reversed(response.chunks))
        self._end: End = response.end
        self._pace = pace / 1000

    async def next(self) -> bytes | End:
        """The next chunk, when its time has come; then how the body ended."""
        if not self._chunks:
            return self._end
        chunk = self._chunks.pop()
        if self._pace:
            await asyncio.sleep(chunk.delay * self._pace)
        return chunk.data

    async def leave(self) -> None:
        """There is nothing to give back."""

    def discard(self) -> None:
        """There is nothing to give up."""
