"""A cassette as it was before a test that records: it is put back if the test fails. Of the pytest plug-in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Before"]


class Before:
    """What was at ``path`` when this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = self._read()

    def put_back(self) -> str:
        """Make it so again, byte for byte, and say what was done; "" where the file has not changed.

        A file that was not there is removed: what a failed test has recorded would be played for ever after.
        """
        if self._read() == self._content:
            return ""
        if self._content is None:
            self._path.unlink(missing_ok=True)
            return "was removed: there was none before"
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            temporary.write_bytes(self._content)
            temporary.replace(self._path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return "is again as it was before"

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:  # there is none; or a folder, of which the recorder will tell
            return None
