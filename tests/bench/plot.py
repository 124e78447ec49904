"""The plot: what a turn costs after so many contents."""

from __future__ import annotations

from pathlib import Path

from bench.budget import ASYNC, SYNC
from bench.results import Results

__all__ = ["plot"]

_LINES = {
    SYNC.reference: ("#c0392b", "-"),
    ASYNC.reference: ("#c0392b", "--"),
    SYNC.floor: ("#7f8c8d", "-"),
    ASYNC.floor: ("#7f8c8d", "--"),
    SYNC.ours: ("#1f6fb2", "-"),
    ASYNC.ours: ("#1f6fb2", "--"),
}


def plot(results: Results, path: Path) -> None:
    """Write it to ``path``, as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    figure, axes = plt.subplots(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    sizes: list[int] = []
    for name, (color, style) in _LINES.items():
        points = _points(results, name or "")
        if not points:
            continue
        sizes, costs = [list(each) for each in zip(*points, strict=True)]
        axes.plot(sizes, costs, style, color=color, marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="contents in the history", ylabel="CPU of a turn, ms")
    axes.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path)
    plt.close(figure)


def _points(results: Results, name: str) -> list[tuple[int, float]]:
    """The numbers of contents, and the milliseconds of a turn after so many."""
    medians = results.figures().get("history", {}).get(name, {})
    sizes = sorted(int(figure.removeprefix("turn ")) for figure in medians if figure.startswith("turn "))
    return [(size, medians[f"turn {size}"]["median"] / 1000) for size in sizes]
