"""Law L17: the same scenarios, played by google-genai and by chatproto against one scripted server, come to the same.

Where they do not, the difference is one of those that ``differential/deliberate.py`` names, and predicts. The default
run plays some hundreds of scenarios; ``pytest tests/test_differential.py --scenarios 5000`` plays more, and
``--scenario SEED`` one.
"""

from __future__ import annotations

import asyncio
import copy
import gc
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs
import pytest
from differential.deliberate import DELIBERATE
from differential.judge import judge
from differential.libraries import Ours, Reference
from differential.play import play
from differential.scenario import FEATURES, draw
from differential.server import ScriptServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.judge import Verdict
    from differential.play import Library, Transcript
    from differential.scenario import Scenario

# google-genai leaves the connections of streams that were left to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:(?i)unclosed:ResourceWarning")

PROFILES = ("default", "compat")


#: Scenarios that show what hundreds of others do not. Where the drawing of scenarios has changed, others do.
RARE = (350, 408, 899, 958)


class Stage:
    """The server, the players, and what the reference came to in each scenario."""

    def __init__(self) -> None:
        self._server = ScriptServer()
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_exception_handler(lambda *_: None)
        self.reference = Reference()
        self.ours = {profile: Ours(profile) for profile in PROFILES}
        self._played: dict[int, Transcript] = {}

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        libraries: list[Library] = [self.reference, *self.ours.values()]
        for library in libraries:
            self._runner.run(library.aclose())
            library.close()
        # What the reference has left behind is collected here, where nobody is told of it.
        gc.collect()
        self._runner.close()
        self._server.__exit__(None, None, None)

    def play(self, scenario: Scenario, library: Library, follow: Transcript | None = None) -> Transcript:
        """One player on a line of its own."""
        name = f"{library.name}-{scenario.seed}"
        try:
            return play(scenario, library, self._server.line(name), self._runner, follow)
        finally:
            self._server.hang_up(name)

    def transcripts(self, scenario: Scenario, profile: str) -> tuple[Transcript, Transcript]:
        """What both came to. The reference plays each scenario once."""
        if scenario.seed not in self._played:
            self._played[scenario.seed] = self.play(scenario, self.reference)
        reference = self._played[scenario.seed]
        return reference, self.play(scenario, self.ours[profile], reference)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One for all tests."""
    with Stage() as made:
        yield made


@attrs.define
class Tally:
    """What many verdicts come to."""

    profile: str
    scenarios: int = 0
    steps: int = 0
    settled: int = 0
    crashed: int = 0
    same: int = 0
    different: int = 0
    keys: Counter[str] = attrs.Factory(Counter)
    bugs: list[str] = attrs.Factory(list)

    def add(self, seed: int, verdict: Verdict) -> None:
        """One more."""
        self.scenarios += 1
        self.steps += verdict.compared
        self.settled += verdict.settled
        self.keys.update(set(verdict.deliberate))
        if verdict.bugs:
            again = f"pytest tests/test_differential.py -k {self.profile} --scenario {seed}"
            self.bugs.append("\n  ".join([f"seed {seed} ({again})", *verdict.bugs[:5]]))
        elif verdict.crash:
            self.crashed += 1
        elif verdict.deliberate:
            self.different += 1
        else:
            self.same += 1

    def __str__(self) -> str:
        keys = ", ".join(f"{key}: {count}" for key, count in self.keys.most_common())
        return (
            f"{self.profile}: {self.scenarios} scenarios ({self.steps} messages, of {self.settled} only a part), "
            f"{self.same} the same, "
            f"{self.crashed} in which google-genai itself crashes, {self.different} with deliberate differences only"
            f" ({keys}), {len(self.bugs)} with others"
        )


@pytest.mark.parametrize("profile", PROFILES)
def test_scenarios_come_to_the_same(
    stage: Stage, profile: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hundreds of scenarios, and each difference is a deliberate one."""
    chosen, many = request.config.getoption("--scenario"), request.config.getoption("--scenarios")
    seeds = chosen or [*range(many), *(seed for seed in RARE if seed >= many)]
    tally = Tally(profile)
    for seed in seeds:
        scenario = draw(seed, FEATURES)
        reference, ours = stage.transcripts(scenario, profile)
        tally.add(seed, judge(scenario, reference, ours, profile))
    with capsys.disabled():
        print(f"\n{tally}")
    assert not tally.bugs, "\n".join(tally.bugs)
    rows = {row.key for row in DELIBERATE if profile in row.profiles and not row.shown_by}
    if not chosen and many >= 300:
        assert not rows - tally.keys.keys(), "no scenario shows these rows any more; look for one with --scenarios 5000"


def changed(transcript: Any) -> Iterator[Any]:
    """A transcript with one thing changed, in each of several ways."""
    for name in ("seen", "comprehensive", "curated"):
        made = copy.deepcopy(transcript)
        getattr(made.steps[-1], name).append({"changed": True})
        yield made
    made = copy.deepcopy(transcript)
    made.steps[-1].calls.append([1, "changed"])
    yield made
    made = copy.deepcopy(transcript)
    made.steps[-1].requests[-1]["path"] += "changed"
    yield made
    made = copy.deepcopy(transcript)
    made.steps[-1].requests[-1]["body"]["contents"][-1] = {"parts": [{"text": "changed"}]}
    yield made
    made = copy.deepcopy(transcript)
    made.steps[-1].error = {"family": "changed"}
    yield made
    made = copy.deepcopy(transcript)
    made.steps[-1].kept = False
    yield made


@pytest.mark.parametrize("profile", PROFILES)
def test_whatever_differs_is_noticed(stage: Stage, profile: str) -> None:
    """No entry takes a difference for its own that is none."""
    noticed = 0
    for seed in range(40):
        scenario = draw(seed, FEATURES)
        reference, ours = stage.transcripts(scenario, profile)
        verdict = judge(scenario, reference, ours, profile)
        if verdict.crash or verdict.bugs or verdict.settled or not ours.steps or not ours.steps[-1].seen:
            continue
        for made in changed(ours):
            assert judge(scenario, reference, made, profile).bugs
            noticed += 1
    assert noticed > 20


def test_each_row_is_shown_by_something() -> None:
    """By scenarios, or by a test that it names, and that there is."""
    keys = [row.key for row in DELIBERATE]
    assert len(keys) == len(set(keys))
    for row in DELIBERATE:
        assert (row.expect is not None or row.creates is not None) != bool(row.shown_by), row.key
        assert not row.belongs_to or row.belongs_to in keys
        if row.shown_by:
            name, _, test = row.shown_by.partition("::")
            assert f"def {test}(" in (Path(__file__).parent / name).read_text(encoding="utf-8"), row.key
