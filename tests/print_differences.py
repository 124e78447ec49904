"""Print the README's two tables of differences from google-genai: ``python tests/print_differences.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from differential.deliberate import DELIBERATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from differential.deliberate import Deliberate

__all__ = ["tables"]

#: What programs that move over meet first. The README folds the rest.
FIRST = ("one-content", "live-history", "open-calls-dropped", "error-after-finish", "failed-calls", "transport-errors")


def tables() -> tuple[str, str]:
    """One row for each difference that is meant, the first ones and the others; the last column says whether it stays
    with ``compat``.
    """
    told = {each.key: each for each in DELIBERATE if not each.belongs_to and "default" in each.profiles}
    first = [told.pop(key) for key in FIRST]
    return _table(first), _table(told.values())


def _table(differences: Iterable[Deliberate]) -> str:
    lines = ["| what | google-genai | chatproto | why | with `compat` |", "|---|---|---|---|---|"]
    for each in differences:
        kept = "as chatproto" if "compat" in each.profiles else "as google-genai"
        lines.append(f"| {each.what} | {each.google_genai} | {each.chatproto} | {each.why} | {kept} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(*tables(), sep="\n\n")
