"""What was measured, and what follows from it: ratios within a round, then their median over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

import attrs

from bench.budget import Row
from bench.measuring import Figures

__all__ = ["Results", "Spread"]


@attrs.frozen
class Spread:
    """A median, the quartiles around it, and how many rounds it is from."""

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """None of no values."""
        found = sorted(values)
        if not found:
            return None
        low, median, high = statistics.quantiles(found, n=4, method="inclusive") if len(found) > 1 else found * 3
        return cls(median, low, high, len(found))


@attrs.define
class Results:
    """The figures, by workload, round and implementation."""

    rounds: dict[str, list[dict[str, Figures]]] = attrs.Factory(dict)

    def figure(self, workload: str, implementation: str, figure: str) -> Spread | None:
        """What was measured. None where nothing was."""
        return Spread.of(
            each[implementation][figure]
            for each in self.rounds.get(workload, ())
            if figure in each.get(implementation, {})
        )

    def row(self, row: Row, implementation: str | None) -> Spread | None:
        """What an implementation has in a row of the table, from the rounds that have all that it takes."""
        values = (_value(row, figures, implementation or "") for figures in self.rounds.get(row.workload, ()))
        return Spread.of(value for value in values if value is not None)

    def figures(self) -> dict[str, Any]:
        """All medians and quartiles, by workload, implementation and figure."""
        found: dict[str, Any] = {}
        for workload, rounds in self.rounds.items():
            names = dict.fromkeys((name, figure) for figures in rounds for name in figures for figure in figures[name])
            for name, figure in sorted(names):
                spread = self.figure(workload, name, figure)
                assert spread is not None  # the names are from these very rounds
                found.setdefault(workload, {}).setdefault(name, {})[figure] = attrs.asdict(spread)
        return found


def _value(row: Row, figures: dict[str, Figures], implementation: str) -> float | None:
    """What one round has for a row."""
    own = figures.get(implementation, {})
    value = own.get(row.figure)
    if row.unit:
        return None if value is None else value * row.scale
    floor = own.get(row.own) if row.own else figures.get(row.sides.floor, {}).get(row.figure)
    return None if value is None or floor is None else value / floor
