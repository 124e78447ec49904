"""The implementations that are measured, each behind the same few verbs (``base``)."""

from __future__ import annotations

import importlib

from .base import Library

__all__ = ["LIBRARIES", "Library", "find"]

#: Names, and where they live. A module is loaded only in the process that measures it.
LIBRARIES = {
    "bare requests": "bare:Requests",
    "bare httpx": "bare:Httpx",
    "bare aiohttp": "bare:Aiohttp",
    "bare httpx, async": "bare:AsyncHttpx",
    "chatproto on requests": "ours:Requests",
    "chatproto on httpx": "ours:Httpx",
    "chatproto on aiohttp": "ours:Aiohttp",
    "chatproto on httpx, async": "ours:AsyncHttpx",
    "google-genai": "reference:Sync",
    "google-genai, async": "reference:Async",
}


def find(name: str) -> type[Library]:
    """An implementation by its name."""
    module, _, attribute = LIBRARIES[name].partition(":")
    found: type[Library] = getattr(importlib.import_module(f".{module}", __package__), attribute)
    return found
