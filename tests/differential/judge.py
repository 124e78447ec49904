"""The verdict on a scenario: the same, deliberately different, or a bug."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from differential.compare import canonical, difference
from differential.deliberate import DELIBERATE
from differential.situation import Situation

if TYPE_CHECKING:
    from differential.deliberate import Deliberate
    from differential.play import Record, Transcript
    from differential.scenario import Scenario

__all__ = ["Verdict", "judge"]


@attrs.define(kw_only=True)
class Verdict:
    """What the comparison of one scenario came to."""

    #: The keys of the deliberate differences in it.
    deliberate: list[str] = attrs.Factory(list)
    #: In which step, and where: differences that are none of those.
    bugs: list[str] = attrs.Factory(list)
    #: Where the reference itself crashed, and the comparison ended.
    crash: str = ""
    #: Steps that were compared, and those of them of which only a part could be.
    compared: int = 0
    settled: int = 0
    renewed: int = 0


def judge(scenario: Scenario, reference: Transcript, ours: Transcript, profile: str) -> Verdict:
    """Compare what both came to, step by step."""
    verdict = Verdict(renewed=len(ours.renewed))
    entries = [entry for entry in DELIBERATE if profile in entry.profiles and entry.expect is not None]
    if reference.created is not None and reference.created["family"] == "crash":
        verdict.crash = reference.created["error"]
        return verdict
    _creation(scenario, reference, ours, profile, verdict)
    for number, record in enumerate(reference.steps):
        if record.error is not None and record.error["family"] == "crash":
            verdict.crash = f"{record.error['error']} in {record.error['at']}"
            if number < len(ours.steps):
                _no_crash(number, ours.steps[number], verdict)
            break
        if number >= len(ours.steps):
            verdict.bugs.append(f"step {number}: was not played")
            break
        _step(scenario, number, reference, ours, entries, verdict)
        verdict.compared += 1
    return verdict


def _no_crash(number: int, record: Record, verdict: Verdict) -> None:
    if record.error is not None and record.error["family"] == "crash":
        verdict.bugs.append(f"step {number}: {record.error['error']}")


def _creation(scenario: Scenario, reference: Transcript, ours: Transcript, profile: str, verdict: Verdict) -> None:
    for entry in DELIBERATE:
        if profile in entry.profiles and entry.creates is not None and entry.creates(scenario, reference, ours):
            verdict.deliberate.append(entry.key)
            return
    left, right = ({"error": each.created, "histories": canonical(list(each.given))} for each in (reference, ours))
    verdict.bugs += [f"making the chat: {each}" for each in difference(left, right)]


def _step(
    scenario: Scenario,
    number: int,
    reference: Transcript,
    ours: Transcript,
    entries: list[Deliberate],
    verdict: Verdict,
) -> None:
    situation = Situation.of(scenario, number, reference, ours)
    for entry in entries:
        assert entry.expect is not None
        expected = entry.expect(situation)
        if expected is not None and expected != situation.expected:
            situation.expected = expected
            verdict.deliberate.append(entry.key)
        if situation.complete or situation.settled:
            verdict.settled += situation.settled
            break
    ordered = scenario.mode == "sync"
    found = difference(situation.expected.comparable(ordered=ordered), situation.actual.comparable(ordered=ordered))
    verdict.bugs += [f"step {number}: {each}" for each in found]
