"""The command line: ``python tests/bench`` runs everything, and writes the table, the plot and the data."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import shlex
import sys
import time
from pathlib import Path

from bench import measuring, soak
from bench.libraries import LIBRARIES
from bench.running import served, whole_run
from bench.workloads import WORKLOADS

__all__ = ["main"]

_ROUNDS = max(workload.rounds for workload in WORKLOADS.values())
_VERSIONS = ("google-genai", "requests", "aiohttp", "httpx")


def main() -> None:
    """Run what the command line says. The status is 1 where a budget is missed, or a measurement failed."""
    options = _parser().parse_args()
    if options.command == "measure":
        counts = measuring.QUICK if options.quick else measuring.FULL
        print(json.dumps(WORKLOADS[options.workload].run(options.name, options.url, counts)))
    elif options.command == "soak":
        with served() as url:
            soak.soak(options.name, url, soak.QUICK if options.quick else soak.FULL)
    else:
        sys.exit(_run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python tests/bench",
        description="Measure chatproto beside google-genai and the bare HTTP libraries. Without a command: everything.",
    )
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"at most so many (default: {_ROUNDS})")
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent / "results",
        help="the folder for table.md, turn_cost.png and results.json (default: results/ beside the benchmark)",
    )
    parser.add_argument("--quick", action="store_true", help="one round of tiny counts, to show that everything runs")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    measure = commands.add_parser("measure", help="one measurement, in this process")
    measure.add_argument("name", choices=LIBRARIES, metavar="NAME", help=f"of {', '.join(LIBRARIES)}")
    measure.add_argument("workload", choices=WORKLOADS, metavar="WORKLOAD")
    measure.add_argument("url", metavar="URL", help="of the server (bench/server.py)")
    soaking = commands.add_parser("soak", help="ten thousand turns and a hundred thousand chunks, and the memory")
    soaking.add_argument("name", nargs="?", default="chatproto on requests", choices=LIBRARIES, metavar="NAME")
    return parser


def _run(options: argparse.Namespace) -> int:
    from bench.plot import plot
    from bench.table import Conditions, as_json, markdown, missed

    rounds = 1 if options.quick else options.rounds
    conditions = Conditions(
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        python=platform.python_version(),
        cpus=os.cpu_count() or 0,
        rounds=rounds,
        command=shlex.join(["python", "tests/bench", *sys.argv[1:]]),
        versions={name: importlib.metadata.version(name) for name in _VERSIONS},
    )
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {line}", file=sys.stderr, flush=True)

    results, failures = whole_run(options.only or list(WORKLOADS), rounds, quick=options.quick, say=say)
    options.out.mkdir(parents=True, exist_ok=True)
    table = markdown(results, conditions, failures=len(failures))
    print(table)
    (options.out / "table.md").write_text(table, "utf-8")
    (options.out / "results.json").write_text(json.dumps(as_json(results, conditions), indent=1) + "\n", "utf-8")
    if "history" in results.rounds:
        plot(results, options.out / "turn_cost.png")
    if failures:
        say(f"{len(failures)} measurements failed")
    return 1 if failures or (missed(results) and not options.quick) else 0
