"""Catches a machine at I/O: an audit hook that is armed around the calls that must be pure."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatproto.machines.conversation import Conversation
from chatproto.types._hooks import converter
from chatproto.types._value import Value, fields_of

__all__ = ["PureConversation", "forbidden_io", "warm_up"]

_FORBIDDEN = ("open", "os.", "socket.", "subprocess.", "shutil.", "tempfile.", "urllib.Request", "http.client.")
_armed = 0
_caught: list[str] = []
_installed = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _armed and event.startswith(_FORBIDDEN):
        _caught.append(f"{event}{arguments!r:.200}")
        raise RuntimeError(f"I/O in a pure room: {_caught[-1]}")


def warm_up() -> None:
    """Import all that loads late and resolve every annotation: importing opens files, and is no I/O of a machine."""
    import chatproto

    for module in pkgutil.walk_packages(chatproto.__path__, "chatproto."):
        if not module.name.endswith(("__main__", ".cli")):
            importlib.import_module(module.name)
    for name in chatproto.types.__all__:
        found = getattr(chatproto.types, name)
        if isinstance(found, type) and issubclass(found, Value):
            for field in fields_of(found):
                converter("wire").get_structure_hook(field.type)
                converter("user").get_structure_hook(field.type)


@contextmanager
def forbidden_io() -> Iterator[None]:
    """Within it, opening a file, a socket or a process, or calling the system, is an error, even if swallowed."""
    global _armed, _installed
    if not _installed:
        warm_up()
        sys.addaudithook(_hook)
        _installed = True
    _armed += 1
    try:
        yield
    finally:
        _armed -= 1
    if _caught:
        caught, _caught[:] = list(_caught), []
        raise AssertionError(f"I/O in a pure room: {caught}")


class PureConversation(Conversation):
    """A Conversation whose every verb runs within ``forbidden_io``."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def watched(*arguments: Any, **options: Any) -> Any:
            with forbidden_io():
                return found(*arguments, **options)

        return watched
