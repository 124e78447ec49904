"""What others test with. Nothing in chatproto imports it.

``ScriptedTransport`` answers from Python values, ``FunctionTransport`` by a function of what was asked, and
``LoopbackServer`` over real sockets; ``FileServer`` takes uploads; ``wire`` builds answers as wire JSON, and
``strategies`` (which needs Hypothesis) generates them. ``conformance`` (which needs pytest) is what an author of a
transport runs against it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .file_server import Fault as Fault
    from .file_server import FileServer as FileServer
    from .function import Asked as Asked
    from .function import FunctionTransport as FunctionTransport
    from .scripted import Answer as Answer
    from .scripted import ScriptedTransport as ScriptedTransport
    from .scripted import ScriptExhausted as ScriptExhausted
    from .servers import LoopbackServer as LoopbackServer

__all__ = [
    "Answer",
    "Asked",
    "Fault",
    "FileServer",
    "FunctionTransport",
    "LoopbackServer",
    "ScriptExhausted",
    "ScriptedTransport",
]

_HOMES = {
    "Asked": "function",
    "Fault": "file_server",
    "FileServer": "file_server",
    "FunctionTransport": "function",
    "LoopbackServer": "servers",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES.get(name, 'scripted')}", __name__), name)
