"""The Gemini chat protocol as a pure state machine, with the face of google-genai's chats.

``Client`` holds chats; ``Conversation`` is the machine, for programs that do their own I/O; ``types`` and ``errors``
are the nouns. Names load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import chats as chats
    from . import errors as errors
    from . import models as models
    from . import types as types
    from .client import VERSION as __version__
    from .client import Client as Client
    from .machines.conversation import Conversation as Conversation
    from .machines.history import Outcome as Outcome
    from .machines.history import Turn as Turn

__all__ = ["Client", "Conversation", "Outcome", "Turn", "__version__", "chats", "errors", "models", "types"]

_HOMES = {
    "Client": ("client", "Client"),
    "Conversation": ("machines.conversation", "Conversation"),
    "Outcome": ("machines.history", "Outcome"),
    "Turn": ("machines.history", "Turn"),
    "__version__": ("client", "VERSION"),
}
_MODULES = frozenset({"chats", "errors", "models", "types"})


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    try:
        home, attribute = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    found = getattr(importlib.import_module(f".{home}", __name__), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
