"""The benchmark measures what it says: its server is understood, its arithmetic is right, and it runs end to end."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from bench.budget import ASYNC, ROWS, SYNC, Row, implementations
from bench.libraries import LIBRARIES, find
from bench.libraries.base import AsyncLibrary
from bench.measuring import Figures
from bench.plot import plot
from bench.results import Results, Spread
from bench.running import order, served
from bench.table import Conditions, as_json, markdown, missed
from bench.workloads import WORKLOADS

HISTORY = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]
BENCH = Path(__file__).parent / "bench"
CONDITIONS = Conditions("2026-01-31", "3.11.7", 2, 3, "python tests/bench --rounds 3", {"google-genai": "3.4.0"})
TURN = next(row for row in ROWS if row.workload == "turns" and row.sides is SYNC)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The benchmark's server."""
    with served() as address:
        yield address


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # google-genai's own
@pytest.mark.parametrize("name", LIBRARIES)
def test_every_implementation_understands_the_server(url: str, name: str, tmp_path: Path) -> None:
    """A turn, a stream at once and one in time, an image, an upload, and a crowd: each verb checks what it is told."""
    file = tmp_path / "upload.bin"
    file.write_bytes(bytes(100_000))
    with contextlib.closing(find(name)(url)) as library:
        chat = library.chat("unary", HISTORY)
        chat.turns(["Hello", "Again"])
        chat.picture(bytes(1000))
        assert library.chat("stream-200").stream("Hello") == 200
        assert library.chat("paced-3").stream("Hello") == 3
        assert 0 < library.chat("stream-10").first("Hello") < 5
        if "bare httpx" in name:
            with pytest.raises(LookupError):
                library.upload(file)
        else:
            library.upload(file)
        if isinstance(library, AsyncLibrary):
            library.crowd([library.chat("unary") for _ in range(3)], ["Hello"])


def results(ours: list[float], floor: list[float], reference: list[float]) -> Results:
    """Made-up figures of short turns."""
    names = (TURN.sides.ours, TURN.sides.floor, TURN.sides.reference or "")
    rounds: list[dict[str, Figures]] = [
        {name: {"turn": value} for name, value in zip(names, values, strict=True)}
        for values in zip(ours, floor, reference, strict=True)
    ]
    return Results({"turns": rounds})


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is ten times slower in one round has the same ratio in it; medians of each side would not."""
    found = results(ours=[1.0, 20.0, 4.0], floor=[1.0, 10.0, 1.0], reference=[7.0, 70.0, 7.0])
    assert found.row(TURN, TURN.sides.ours) == Spread(median=2.0, low=1.5, high=3.0, rounds=3)
    assert found.row(TURN, TURN.sides.reference) == Spread(median=7.0, low=7.0, high=7.0, rounds=3)
    assert found.figure("turns", TURN.sides.ours, "turn") == Spread(median=4.0, low=2.5, high=12.0, rounds=3)


def test_a_round_without_one_side_has_no_ratio() -> None:
    """What failed, or was left out of later rounds, is not made up from other rounds."""
    found = results(ours=[1.0, 2.0], floor=[1.0, 1.0], reference=[7.0, 9.0])
    del found.rounds["turns"][1][TURN.sides.floor]
    assert found.row(TURN, TURN.sides.ours) == Spread(1.0, 1.0, 1.0, rounds=1)
    assert found.row(TURN, "nobody") is None


def test_figures_of_ones_own_and_units() -> None:
    """Some rows compare an implementation with itself, and some stand by themselves."""
    ours: dict[str, Figures] = {"history": {"turn 10": 2.0, "turn 5000": 3.0}, "client": {"first": 500.0}}
    found = Results({workload: [{SYNC.ours: figures}] for workload, figures in ours.items()})
    own = next(row for row in ROWS if row.own)
    first = next(row for row in ROWS if row.figure == "first")
    assert found.row(own, SYNC.ours) == Spread(1.5, 1.5, 1.5, 1)
    assert found.row(first, SYNC.ours) == Spread(0.5, 0.5, 0.5, 1)  # ms


def test_the_table_marks_what_is_missed() -> None:
    """The median decides: exactly what must be is met, and a little more is not."""
    met = results(ours=[1.1, 1.1, 9.0], floor=[1.0, 1.0, 1.0], reference=[7.2, 7.2, 7.2])
    over = results(ours=[1.2, 1.2, 0.1], floor=[1.0, 1.0, 1.0], reference=[7.2, 7.2, 7.2])
    assert missed(met) == []
    assert missed(over) == [TURN]
    line = f"| {TURN.label} | 7.20 | 1.10 (1.10 to 5.05) | 1.1 (0.8) |"
    assert line in markdown(met, CONDITIONS).splitlines()
    line = f"| {TURN.label} | 7.20 | **missed:** 1.20 (0.65 to 1.20) | 1.1 (0.8) |"
    assert line in markdown(over, CONDITIONS).splitlines()


def test_the_table_says_how_it_was_measured() -> None:
    """And holds the rows that were measured, alone."""
    text = markdown(results([1.0], [1.0], [7.0]), CONDITIONS)
    assert text.startswith("| workload | google-genai 3.4.0 | chatproto (quartiles) | budget (aim) |\n")
    assert text.count("\n| ") == 2
    for said in ("2026-01-31", "Python 3.11.7", "2 CPUs", "3 rounds", "`python tests/bench --rounds 3`"):
        assert said in text


def test_the_table_tells_what_failed() -> None:
    """Its rounds are fewer than they say."""
    found = results([1.0], [1.0], [7.0])
    assert "failed" not in markdown(found, CONDITIONS)
    assert markdown(found, CONDITIONS, failures=2).endswith("left out of their rounds: 2.\n")


def test_the_data_hold_medians_and_quartiles() -> None:
    """By row, and by implementation and figure; they go through JSON."""
    found = json.loads(json.dumps(as_json(results([1.0, 3.0], [1.0, 1.0], [7.0, 7.0]), CONDITIONS)))
    spread = {"median": 2.0, "low": 1.5, "high": 2.5, "rounds": 2}
    assert found["conditions"] == attrs.asdict(CONDITIONS)
    assert [(row["workload"], row["chatproto"], row["met"]) for row in found["rows"]] == [(TURN.label, spread, False)]
    assert found["figures"]["turns"][SYNC.ours] == {"turn": spread}


def test_the_plot_is_written(tmp_path: Path) -> None:
    """As a PNG, of everything that has turns after so many contents."""
    figures: Figures = {"turn 10": 500.0, "turn 100": 600.0, "create 10": 20.0}
    path = tmp_path / "turn_cost.png"
    plot(Results({"history": [{SYNC.ours: figures, ASYNC.floor: figures}]}), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 1000


def test_every_row_can_be_measured() -> None:
    """Its workload is there, in as many rounds as a ratio near 1 needs, with everyone whom it compares."""
    for row in ROWS:
        assert row.names <= implementations(row.workload) <= set(LIBRARIES)
        assert WORKLOADS[row.workload].rounds >= _rounds_needed(row), row.label
    assert {row.workload for row in ROWS} == set(WORKLOADS)


def test_what_the_budget_judges_runs_in_every_round() -> None:
    """google-genai and the rows that only inform leave the later rounds out; who goes first changes."""
    names = ["bare requests", "chatproto on requests", "bare aiohttp", "chatproto on aiohttp"]
    assert set(order("turns", 0)) == set(LIBRARIES)
    assert order("turns", 14) == names
    assert order("turns", 13) == names[::-1]
    assert order("history", 6) == names


def _rounds_needed(row: Row) -> int:
    if row.unit == "MiB" or row.workload == "idle":
        return 3  # memory is the same each time
    return 15 if row.must is not None and not row.unit and 0.5 < row.must < 2 else 7


def test_the_command_runs_end_to_end(tmp_path: Path) -> None:
    """Quickly, for one workload: server, processes, table and data. A plot is of histories."""
    command = [sys.executable, str(BENCH), "--quick", "--only", "parse", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r" *\d+ s  round 1: parse\n", done.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "table.md"]
    assert (tmp_path / "table.md").read_text("utf-8").strip() == done.stdout.strip()
    figures = json.loads((tmp_path / "results.json").read_text("utf-8"))["figures"]["parse"]
    assert set(figures) == implementations("parse")
    assert figures[SYNC.ours]["response"]["median"] > 0


@pytest.mark.parametrize("name", [SYNC.ours, ASYNC.ours])
def test_the_soak_prints_what_is_held(name: str) -> None:
    """Before, between, after the turns and the chunks, and once the chat is gone."""
    command = [sys.executable, str(BENCH), "--quick", "soak", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert [line.partition("  ")[0].strip() for line in done.stdout.splitlines()] == [
        f"{name}, before",
        *("20 turns", "40 turns"),
        *("100 chunks of short streams", "200 chunks of short streams"),
        *("100 chunks of one, 0.00 MiB of text", "200 chunks of one, 0.00 MiB of text"),
        *("stream ended", "chat dropped"),
    ]
    held = [float(found) for found in re.findall(r"([\d.]+) MiB held by Python", done.stdout)]
    assert len(held) == 9
    assert max(held) < 1


def test_the_readme_shows_what_was_measured() -> None:
    """Its table is the one that the benchmark wrote, with the budget of today, and its plot is there."""
    results = BENCH / "results"
    readme = (BENCH.parents[1] / "README.md").read_text("utf-8")
    table = (results / "table.md").read_text("utf-8")
    assert table.strip() in readme
    assert [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2 : 2 + len(ROWS)]] == [
        row.label for row in ROWS
    ]
    assert "(tests/bench/results/turn_cost.png)" in readme
    assert (results / "turn_cost.png").read_bytes().startswith(b"\x89PNG")
