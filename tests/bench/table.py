"""The table: what google-genai and chatproto cost, and what chatproto may."""

from __future__ import annotations

from typing import Any

import attrs

from bench.budget import ROWS, Row
from bench.results import Results, Spread

__all__ = ["Conditions", "as_json", "markdown", "missed"]


@attrs.frozen
class Conditions:
    """What the figures were measured with."""

    date: str
    python: str
    cpus: int
    rounds: int
    command: str
    #: The versions of the libraries, by name.
    versions: dict[str, str]


def missed(results: Results) -> list[Row]:
    """The rows that were measured and are over what they must be."""
    return [row for row in ROWS if _met(row, results.row(row, row.sides.ours)) is False]


def _met(row: Row, ours: Spread | None) -> bool | None:
    return None if ours is None or row.must is None else ours.median <= row.must


def markdown(results: Results, conditions: Conditions, *, failures: int = 0) -> str:
    """Every row that was measured, and under them how."""
    reference = f"google-genai {conditions.versions['google-genai']}"
    lines = [
        f"| workload | {reference} | chatproto (quartiles) | budget (aim) |",
        "| --- | ---: | ---: | ---: |",
        *(_line(row, results, ours) for row in ROWS if (ours := results.row(row, row.sides.ours)) is not None),
        "",
        _footer(conditions),
    ]
    if failures:
        lines.append(f"Measurements that failed, and are left out of their rounds: {failures}.")
    return "\n".join(lines) + "\n"


def _line(row: Row, results: Results, ours: Spread) -> str:
    theirs = results.row(row, row.sides.reference)
    unit = f" {row.unit}" if row.unit else ""
    cells = [
        row.label,
        "" if theirs is None else f"{_number(theirs.median)}{unit}",
        f"{_number(ours.median)}{unit} ({_number(ours.low)} to {_number(ours.high)})",
        "" if row.must is None or row.aim is None else f"{row.must:g}{unit} ({row.aim:g})",
    ]
    if _met(row, ours) is False:
        cells[2] = f"**missed:** {cells[2]}"
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    """With three digits, or as many as stand before the point."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{decimals}f}"


def _footer(conditions: Conditions) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in conditions.versions.items())
    return (
        "CPU of the client, unless a row says memory or time. A figure without a unit is a ratio; it is taken within a"
        f" round, and the median of up to {conditions.rounds} rounds is shown. Measured with `{conditions.command}` on"
        f" {conditions.date}, on {conditions.cpus} CPUs, with Python {conditions.python}, {versions}."
    )


def as_json(results: Results, conditions: Conditions) -> dict[str, Any]:
    """The same as data, with all figures: CPU and time in microseconds, memory in MiB."""
    return {
        "conditions": attrs.asdict(conditions),
        "rows": [_row(row, results) for row in ROWS if results.row(row, row.sides.ours) is not None],
        "figures": results.figures(),
    }


def _row(row: Row, results: Results) -> dict[str, Any]:
    ours, theirs = results.row(row, row.sides.ours), results.row(row, row.sides.reference)
    return {
        "workload": row.label,
        "unit": row.unit or "ratio",
        "chatproto": None if ours is None else attrs.asdict(ours),
        "google-genai": None if theirs is None else attrs.asdict(theirs),
        "must": row.must,
        "aim": row.aim,
        "met": _met(row, ours),
    }
