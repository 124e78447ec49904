"""Runs the measurements: each in a process of its own, in rounds, with the implementations one after the other."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.budget import implementations, judged
from bench.libraries import LIBRARIES
from bench.measuring import Figures
from bench.results import Results
from bench.workloads import WORKLOADS

__all__ = ["Failed", "measured", "order", "served", "whole_run"]

_FOLDER = Path(__file__).parent
_SERVER = "import sys; sys.path.insert(0, sys.argv[1]); from bench.server import main; main()"


class Failed(Exception):
    """A measurement came to no figures; its text is what it printed."""


@contextlib.contextmanager
def served() -> Iterator[str]:
    """A server in a process of its own, by its address."""
    command = [sys.executable, "-c", _SERVER, str(_FOLDER.parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()  # the server ends with it


def measured(name: str, workload: str, url: str, *, quick: bool) -> Figures:
    """What an implementation takes for a workload, in a fresh process."""
    command = [sys.executable, str(_FOLDER), *(["--quick"] if quick else []), "measure", name, workload, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:  # a warning of something unclosed is a failure too
        raise Failed(f"{name}, {workload}: {done.stderr.strip()}")
    figures: Figures = json.loads(done.stdout)
    return figures


def whole_run(
    workloads: list[str], rounds: int, *, quick: bool, say: Callable[[str], None]
) -> tuple[Results, list[Failed]]:
    """All rounds. What fails is left out of its round, and told."""
    results = Results({workload: [] for workload in workloads})
    failures: list[Failed] = []

    def measure(name: str, workload: str, url: str, *, quick: bool = quick) -> dict[str, Figures]:
        try:
            return {name: measured(name, workload, url, quick=quick)}
        except Failed as error:
            say(f"failed: {error}")
            failures.append(error)
            return {}

    with served() as url:
        for name in () if quick else LIBRARIES:
            measure(name, "turns", url, quick=True)  # so that everything is compiled
        for number in range(rounds):
            for workload in workloads:
                if number < WORKLOADS[workload].rounds:
                    say(f"round {number + 1}: {workload}")
                    figures: dict[str, Figures] = {}
                    for name in order(workload, number):
                        figures |= measure(name, workload, url)
                    results.rounds[workload].append(figures)
    return results, failures


def order(workload: str, number: int) -> list[str]:
    """Who runs in a round, in an order that turns around, so that nobody always follows the same one."""
    all_run = number < WORKLOADS[workload].shown_rounds
    names = implementations(workload) if all_run else judged(workload)
    ordered = [name for name in LIBRARIES if name in names]
    return ordered[::-1] if number % 2 else ordered
