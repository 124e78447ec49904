"""Print the state diagrams of the README from the machines' own tables: ``python tests/print_diagrams.py``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from chatproto.machines.states import CONVERSATION, EXCHANGE

__all__ = ["diagram"]


def diagram(table: Mapping[Any, Mapping[Any, Any]]) -> str:
    """A Mermaid state diagram: one arrow for each pair of states, with the inputs that lead from one to the other."""
    start: Enum = next(iter(table))
    lines = ["stateDiagram-v2", f"    [*] --> {start.name}"]
    for state, inputs in table.items():
        targets: dict[Any, list[str]] = {}
        for happened, following in inputs.items():
            targets.setdefault(following, []).append(happened.name)
        lines += [f"    {state.name} --> {following.name}: {' / '.join(names)}" for following, names in targets.items()]
        if not inputs:
            lines.append(f"    {state.name} --> [*]")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram(CONVERSATION), diagram(EXCHANGE), sep="\n\n")
