"""The one place where plug-ins are looked up: transports, and commands for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["plug_ins"]


def plug_ins(group: str) -> dict[str, EntryPoint]:
    """What installed distributions offer under a group of entry points, by name; of one name, what is found first."""
    from importlib.metadata import entry_points  # it brings half of the network code of the standard library

    return {each.name: each for each in reversed(tuple(entry_points(group=group)))}
