"""httpx or httpx2: which of them a client belongs to, and which one is installed. Neither is named in an isinstance."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from chatproto.errors import ValidationError

__all__ = ["installed", "is_async", "library_of"]

_NAMES = ("httpx", "httpx2")
#: What a library of httpx's shape has, as far as it is used here.
_SHAPE = ("AsyncClient", "Client", "HTTPError", "InvalidURL", "Limits", "Request", "Timeout", "create_ssl_context")


def installed() -> Any:
    """The library for the transport's own clients: httpx, else httpx2."""
    return import_module(next(name for name in _NAMES if find_spec(name) is not None))


def library_of(client: Any) -> Any:
    """The library that a client, or the class that it is derived from, belongs to. Raises ValidationError."""
    for cls in type(client).__mro__:
        module = sys.modules.get(cls.__module__.partition(".")[0])
        if module is not None and all(hasattr(module, name) for name in _SHAPE):
            return module
    raise ValidationError(f"a client of httpx or httpx2 was expected, got {type(client).__name__}")


def is_async(client: Any) -> bool:
    """Whether its ``send`` is awaited."""
    return inspect.iscoroutinefunction(getattr(client, "send", None))
