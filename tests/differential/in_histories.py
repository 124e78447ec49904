"""Deliberate differences in what becomes of a turn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
from differential.compare import folded, is_open, responses_in
from differential.situation import (
    Expected,
    Json,
    Situation,
    contents_of,
    finished,
    goes_on_with,
    is_valid,
    reference_sees,
    speaks,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def candidate_zero(situation: Situation) -> Expected | None:
    """The chat goes on with the candidate of the index 0, wherever it stands."""
    expected = situation.expected
    if not expected.requests or not expected.comprehensive:
        return None
    seen = situation.round_seen(len(situation.rounds) - 1)
    first = [(chunk.get("candidates") or [{}])[0] for chunk in seen]
    chosen = list(map(goes_on_with, seen))
    theirs = [each["content"] for each in first if each.get("content") is not None]
    before = len(expected.comprehensive) - len(theirs)
    if first == chosen or expected.comprehensive[before:] != theirs:
        return None
    said = [*expected.comprehensive[:before], *contents_of(seen)]
    valid = all(candidate.get("content") and is_valid(candidate["content"]) for candidate in chosen)
    kept = valid and (not situation.step.streamed or finished(seen))
    return expected.change(comprehensive=said, curated=said if kept else expected.curated[: before - 1])


def unspecified_reason(situation: Situation) -> Expected | None:
    """FINISH_REASON_UNSPECIFIED is the default of the enum, and says that there is none."""
    expected = situation.expected
    if not situation.step.streamed or not expected.curated or expected.error is not None:
        return None
    seen = situation.round_seen(len(situation.rounds) - 1)
    unspecified = any(goes_on_with(chunk).get("finish_reason") for chunk in seen) and not finished(seen)
    return expected.change(curated=[]) if unspecified else None


def _kept(situation: Situation) -> Expected | None:
    """The turn, if by chatproto's rule it is complete and by the reference's it is not."""
    expected = situation.expected
    if not expected.requests or (expected.error is not None and not situation.step.streamed):
        return None
    seen = situation.round_seen(len(situation.rounds) - 1)
    said = contents_of(seen)
    if not any(map(speaks, said)) or (situation.step.streamed and not finished(seen)):
        return None
    turn = [*expected.requests[-1].said, *said]
    return expected.change(comprehensive=turn, curated=turn)


def _when(condition: Callable[[Situation], bool]) -> Callable[[Situation], Expected | None]:
    return lambda situation: _kept(situation) if condition(situation) else None


left_after_finish = _when(lambda situation: situation.left)
error_after_finish = _when(lambda situation: situation.expected.error is not None)
empty_part = _when(
    lambda situation: any(
        part == {}
        for number in range(len(situation.rounds))
        for content in contents_of(situation.round_seen(number))
        for part in content.get("parts") or ()
    )
)
chunk_without_parts = _when(lambda situation: situation.step.streamed)
unknown_parts_kept = _when(
    lambda situation: any(b"brandNewKind" in b"".join(answer.pieces) for answer in situation.expected.answered)
)


def overlapping(situation: Situation) -> Expected | None:
    """Another message ends a stream that is merely suspended; what had finished of it is kept."""
    after, expected = situation.step.inside_after, situation.expected
    if after is None or len(expected.requests) < 2 or len(expected.seen) <= after:
        return None
    outer, inner = expected.requests[0], expected.requests[1]
    said = contents_of(expected.seen[:after])
    kept = [*outer.said, *said] if any(map(speaks, said)) and finished(expected.seen[:after]) else []
    kept = folded(kept)
    turn = [*inner.said, *contents_of([expected.seen[after]])]
    whole = situation.our_waiting + kept if kept and responses_in(outer.said[0]) else kept
    sent = [] if is_open(whole) else whole
    situation.complete = True
    return expected.change(
        requests=[outer, attrs.evolve(inner, past=situation.our_past + sent)],
        seen=expected.seen[: after + 1],
        error={"family": "local protocol"},
        comprehensive=kept + turn,
        curated=sent + ([] if is_open(turn) else turn),
    )


def failed_round(situation: Situation) -> Expected | None:
    """Calls whose responses did not get through are open again, and nothing of the turn is sent before."""
    expected, rounds = situation.expected, situation.rounds
    if len(rounds) < 2 or (expected.error is None and not situation.left):
        return None
    return open_calls(situation)


def roles(situation: Situation) -> Expected | None:
    """What the model said is the model's."""

    def change(contents: list[Json]) -> list[Json]:
        return [each if each.get("role") in ("user", "model") else {**each, "role": "model"} for each in contents]

    return situation.expected.saying(change)


def joined_hops(situation: Situation) -> Expected | None:
    """Text is joined where two hops of a continued answer meet, as where two chunks do."""
    if situation.step.streamed:
        return None
    starts = [*situation.rounds, len(situation.expected.requests)]
    pairs: list[tuple[list[Json], list[Json]]] = []
    for start, end in pairwise(starts):
        documents = [each for answer in situation.expected.answered[start:end] for each in answer.documents]
        hops = contents_of(list(map(reference_sees, documents)))
        if len(hops) > 1:
            apart = [part for content in hops for part in content.get("parts") or ()]
            pairs.append((apart, folded([{**content, "role": "model"} for content in hops])[0].get("parts") or []))

    def change(contents: list[Json]) -> list[Json]:
        return [
            next(({**content, "parts": joined} for apart, joined in pairs if content.get("parts") == apart), content)
            for content in contents
        ]

    return situation.expected.saying(change)


def one_content(situation: Situation) -> Expected | None:
    """The chunks of an answer are one Content."""
    return situation.expected.saying(folded) if situation.step.streamed else None


def no_empty_contents(situation: Situation) -> Expected | None:
    """An answer that says nothing is in no history."""
    expected = situation.expected
    said = [content for content in expected.comprehensive if content.get("role") == "user" or speaks(content)]
    return expected.change(comprehensive=said)


def open_calls(situation: Situation) -> Expected | None:
    """A turn that ends with calls is not in curated history before they are answered, and then the whole of it is."""
    turn = situation.expected.curated
    if not turn:
        return None
    if responses_in(turn[0]):
        turn = situation.our_waiting + turn
    return situation.expected.change(curated=[] if is_open(turn) else turn)
