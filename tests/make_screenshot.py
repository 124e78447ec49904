"""Makes ``tests/screenshot.svg``: what a terminal shows of the README's first command, drawn from its real output."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.text import Text
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ("--replay", "fixtures/robot_story.json", "Tell me a story about a robot")
WIDTH = 96


def main() -> None:
    """Run the command at a pseudo-terminal, and draw what it wrote."""
    terminal = Terminal(*COMMAND, cwd=ROOT)
    if terminal.leave() != 0:
        raise SystemExit(terminal.shown)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text(f'$ chatproto chat --replay {COMMAND[1]} "{COMMAND[2]}"', style="bold"))
    console.print(Text.from_ansi(terminal.shown.replace("\r\n", "\n")))
    drawn = console.export_svg(title="chatproto", unique_id="chatproto")
    (ROOT / "tests" / "screenshot.svg").write_text(drawn, encoding="utf-8")


main()
