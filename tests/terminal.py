"""The command line as a user runs it: as a process, in a pipe and at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any, Self

import pytest
from fixture_server import FixtureServer

#: Seconds that a process may take, on a machine that has other work.
_PATIENCE = 60


def environment(server: FixtureServer | None, **more: str) -> dict[str, str]:
    """The process's environment: a key and the server, or neither."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEMINI_", "GOOGLE_"))}
    kept |= {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
    if server is not None:
        kept |= {"GOOGLE_GEMINI_BASE_URL": server.url, "GEMINI_API_KEY": "no-key-of-anyone"}
    return {**kept, **more}


def run(*arguments: str, given: str = "", server: FixtureServer | None = None, **more: str) -> Any:
    """``chatproto ARGUMENTS`` in a pipe: its exit status, output and errors, the last two as text."""
    return subprocess.run(
        [sys.executable, "-m", "chatproto", *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        env=environment(server, **more),
        timeout=_PATIENCE,
        check=False,
    )


class Terminal:
    """``chatproto chat ARGUMENTS`` at a pseudo-terminal."""

    def __init__(self, *arguments: str, server: FixtureServer | None = None, **streams: Any) -> None:
        self.shown = ""
        self._main, behind = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatproto", "chat", *arguments],
            **{"stdin": behind, "stdout": behind, "stderr": behind, **streams},
            env=environment(server),
            start_new_session=True,
        )
        os.close(behind)

    def expect(self, text: str) -> str:
        """Wait until ``text`` is shown. What was shown up to there, and not expected before."""
        deadline = time.monotonic() + _PATIENCE
        while text not in self.shown:
            if not self._read(deadline - time.monotonic()):
                pytest.fail(f"{text!r} was never shown, but {self.shown!r}")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def type(self, text: str) -> None:
        """Type, with Enter at the end."""
        os.write(self._main, f"{text}\r".encode())

    def interrupt(self) -> None:
        """Ctrl-C, once the process waits: readline hears a signal only in its sleep."""
        time.sleep(0.1)
        self.process.send_signal(signal.SIGINT)

    def leave(self) -> int:
        """Wait for the end. What was shown is in ``shown``."""
        deadline = time.monotonic() + _PATIENCE
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(_PATIENCE)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._main], [], [], max(0.0, seconds))
        try:
            data = os.read(self._main, 65536) if ready else b""
        except OSError:  # the other end is closed
            data = b""
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._main)
