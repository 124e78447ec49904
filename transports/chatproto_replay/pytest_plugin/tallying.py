"""What a whole run of pytest has played and recorded, also where its tests ran in other processes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .marking import cassette_of, is_replay_test

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ON_REPORTS", "Tally"]

#: The attribute of a report that holds the counts of its test: attributes travel from the workers of pytest-xdist.
ON_REPORTS = "chatproto_replay"
_FROM_WORKERS = "chatproto_replay"


class Tally:
    """Counts, and the paths of what is asked for. It is a plug-in of its own; each worker has one, and their master."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._counts: dict[str, int] = {}
        self._asked: set[str] = set()
        self._folders: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What the tests ask for, and those too that ``-k`` will take away."""
        if not self._config.getoption("replay_unused"):
            return
        for item in items:
            self._folders.add(str((item.path.parent / self._config.getini("replay_dir")).resolve()))
            if is_replay_test(item):
                with suppress(pytest.fail.Exception):  # which fails when it runs
                    self._asked.add(str(cassette_of(item).resolve()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A report of this process, or of a worker."""
        counts: dict[str, int] = getattr(report, ON_REPORTS, {})
        for name, number in counts.items():
            self._counts[name] = self._counts.get(name, 0) + number

    def pytest_sessionfinish(self) -> None:
        """A worker sends what it has collected; its counts went with the reports."""
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_FROM_WORKERS] = [sorted(self._asked), sorted(self._folders)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist is done."""
        output: dict[str, Any] = getattr(node, "workeroutput", {})
        asked, folders = output.get(_FROM_WORKERS, ((), ()))
        self._asked.update(asked)
        self._folders.update(folders)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line, if something happened; and the cassettes that are not used, if that was wanted."""
        parts = [f"{number} {name}" for name, number in self._counts.items() if number]
        if parts:
            terminalreporter.write_line(f"replay: {', '.join(parts)}")
        if self._config.getoption("replay_unused"):
            unused = self._unused()
            cassettes = "1 cassette" if len(unused) == 1 else f"{len(unused)} cassettes"
            terminalreporter.write_line(f"replay: {cassettes} that no collected test asks for")
            for line in _shown(unused, self._config.rootpath):
                terminalreporter.write_line(f"  {line}")

    def _unused(self) -> list[Path]:
        files = {file.resolve() for folder in self._folders for file in Path(folder).rglob("*.json")}
        return sorted(file for file in files if str(file) not in self._asked)


def _shown(paths: Iterable[Path], root: Path) -> list[str]:
    return [str(path.relative_to(root) if path.is_relative_to(root) else path) for path in paths]
