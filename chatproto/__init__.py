"""The Gemini chat protocol as a pure state machine, with the face of google-genai's chats.

``Client`` holds chats. ``Conversation`` is the machine, for programs that do their own I/O; the other names are its
steps, what drives it, and the ledger's. ``types`` and ``errors`` are the nouns. Everything loads on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import chats as chats
    from . import errors as errors
    from . import files as files
    from . import models as models
    from . import pagers as pagers
    from . import types as types
    from .client import VERSION as __version__  # noqa: N811  (Python's name for it)
    from .client import Client as Client
    from .machines.conversation import Conversation as Conversation
    from .machines.history import Outcome as Outcome
    from .machines.history import Turn as Turn
    from .machines.steps import ChunkReceived as ChunkReceived
    from .machines.steps import ContinuationStarted as ContinuationStarted
    from .machines.steps import FunctionCallsRequested as FunctionCallsRequested
    from .machines.steps import ReadBody as ReadBody
    from .machines.steps import RetryScheduled as RetryScheduled
    from .machines.steps import RoundFailed as RoundFailed
    from .machines.steps import SendRequest as SendRequest
    from .machines.steps import TurnEnded as TurnEnded
    from .machines.steps import Wait as Wait
    from .transport import AsyncDrive as AsyncDrive
    from .transport import Drive as Drive
    from .transport import Secrets as Secrets
    from .wire.http import Request as Request

__all__ = [
    "AsyncDrive",
    "ChunkReceived",
    "Client",
    "ContinuationStarted",
    "Conversation",
    "Drive",
    "FunctionCallsRequested",
    "Outcome",
    "ReadBody",
    "Request",
    "RetryScheduled",
    "RoundFailed",
    "Secrets",
    "SendRequest",
    "Turn",
    "TurnEnded",
    "Wait",
    "__version__",
    "chats",
    "errors",
    "files",
    "models",
    "pagers",
    "types",
]

_STEPS = (
    "ChunkReceived ContinuationStarted FunctionCallsRequested ReadBody RetryScheduled RoundFailed SendRequest TurnEnded"
    " Wait"
)

#: Where a name lives: its module, and its name there if that is another.
_HOMES = {
    "AsyncDrive": "transport",
    "Client": "client",
    "Conversation": "machines.conversation",
    "Drive": "transport",
    "Outcome": "machines.history",
    "Request": "wire.http",
    "Secrets": "transport",
    "Turn": "machines.history",
    "__version__": "client:VERSION",
} | dict.fromkeys(_STEPS.split(), "machines.steps")
_MODULES = frozenset({"chats", "errors", "files", "models", "pagers", "types"})


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, _, there = _HOMES[name].partition(":")
    found = globals()[name] = getattr(importlib.import_module(f".{home}", __name__), there or name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
