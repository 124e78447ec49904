"""The screen of the command line: what goes where, in which style, and what is kept from a terminal."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from .types import Content, FunctionCall, Part

__all__ = ["Screen", "described", "size"]

#: What a terminal might obey: the control characters, but for newline and tab.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: How many characters of a message tell which one is meant.
_FEW = 60


class Screen:
    """Standard output for the answer's text, and where the rest goes: there too if it is a terminal, else beside it.

    What comes from a model or a server is never obeyed: not as rich's markup, and by a terminal not as controls.
    """

    def __init__(self) -> None:
        from rich.console import Console

        for stream in (sys.stdout, sys.stderr):
            _forgive(stream, "backslashreplace")  # what the encoding of a terminal or pipe cannot hold
        _forgive(sys.stdin, "replace")
        self._terminal = sys.stdout.isatty()
        # Told outright: what a CI sets, like FORCE_COLOR, would put codes into files.
        self._out = Console(force_terminal=self._terminal)
        self._err = Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._inside_line = False
        self._thinking = False

    def parts(self, parts: Iterable[Part], *, asked_for: bool = False) -> None:
        """A piece of an answer, or of a history that was asked for."""
        for part in parts:
            words = described(part)
            if words is not None:
                self.end_line()
                self.line(f"[{words}]", "dim") if asked_for else self.note(f"[{words}]")
            elif part.text and (self._terminal or not part.thought):
                thinking = bool(part.thought)
                if thinking != self._thinking:
                    self.end_line()
                self._thinking = thinking
                self.text(part.text, "dim" if thinking else "")

    def content(self, content: Content) -> None:
        """One message of a history."""
        self.text(f"{content.role}: ", "bold")
        self.parts(content.parts or (), asked_for=True)
        self.end_line()

    def beginning(self, content: Content) -> str:
        """The first words of a message, on one line."""
        parts = content.parts or ()
        text = " ".join(part.text for part in parts if part.text) or ", ".join(filter(None, map(described, parts)))
        words = " ".join(text.split())
        return words if len(words) <= _FEW else f"{words[: _FEW - 1].rstrip()}…"

    def line(self, text: str, style: str = "") -> None:
        """Something that was asked for."""
        self.text(text, style)
        self.end_line()

    def note(self, text: str) -> None:
        """Something about an answer."""
        _write(self._out if self._terminal else self._err, f"{text}\n", "dim")

    def error(self, sentence: str) -> None:
        """What went wrong."""
        self.end_line()
        _write(self._err, f"Error: {sentence}\n", "red")

    @contextmanager
    def progress(self, name: str, size: int) -> Generator[Callable[[int, int], None]]:
        """A bar on standard error, if that is a terminal. What is given is told the bytes that arrived, and all."""
        if not self._err.is_terminal:
            # Even a bar that is disabled would write a newline, with some versions of rich.
            yield lambda _sent, _total: None
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        # The name is a path, and no markup.
        columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn()
        with Progress(*columns, console=self._err, redirect_stdout=False, redirect_stderr=False) as shown:
            bar = shown.add_task(_harmless(name), total=size)
            yield lambda sent, total: shown.update(bar, completed=sent, total=total)

    def end_line(self) -> None:
        """Go to a new line, unless one has just begun."""
        self._thinking = False
        if self._inside_line:
            self.text("\n")

    def ask_for_line(self, prompt: str) -> str:
        """A line from standard input, edited with readline where that can be. Raises EOFError."""
        if prompt:
            with suppress(ImportError):
                import_module("readline")  # input() uses it once it is there
        if prompt and not self._terminal:
            _write(self._err, prompt)
            prompt = ""
        return input(prompt)

    def text(self, text: str, style: str = "") -> None:
        """A piece of a line that was asked for, or several lines."""
        _write(self._out, text, style)
        self._inside_line = not text.endswith("\n")


def _write(console: Any, text: str, style: str = "") -> None:
    """Text as it is, at once; on a terminal with its control characters shown."""
    from rich.segment import Segment, Segments
    from rich.style import Style

    if console.is_terminal:
        text = _harmless(text.replace("\r\n", "\n"))
    segments = Segments([Segment(text, Style.parse(style) if style else None)])
    console.print(segments, end="", crop=False)


def _harmless(text: str) -> str:
    """Text with its control characters shown, but for newlines and tabs."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _forgive(stream: Any, how: str) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=how)


def described(part: Part) -> str | None:
    """A part that is not text, in a few words; None for one that is, or has nothing to show."""
    if part.function_call is not None:
        return _call(part.function_call)
    if part.function_response is not None:
        return f"{part.function_response.name} gave {_json(part.function_response.response)}"
    if part.inline_data is not None:
        return f"{part.inline_data.mime_type or 'data'}, {size(len(part.inline_data.data or b''))}"
    if part.file_data is not None:
        return f"{part.file_data.mime_type or 'file'}, {part.file_data.file_uri}"
    if part.executable_code is not None:
        language = part.executable_code.language.value.lower() if part.executable_code.language is not None else "some"
        return f"{language} code, {_lines(part.executable_code.code)}"
    if part.code_execution_result is not None:
        outcome = part.code_execution_result.outcome
        return f"{'result' if outcome is None else outcome.value}, {_lines(part.code_execution_result.output)}"
    return None


def _call(call: FunctionCall) -> str:
    arguments = ", ".join(f"{name}={_json(value)}" for name, value in (call.args or {}).items())
    return f"{call.name}({arguments})"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _lines(text: str | None) -> str:
    count = len((text or "").splitlines())
    return f"{count} line" if count == 1 else f"{count} lines"


def size(count: int) -> str:
    """A number of bytes, for people."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
