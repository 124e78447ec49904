"""The implementations that are measured, each behind the same few verbs (``base``)."""

from __future__ import annotations

import importlib

from .base import Library

__all__ = ["LIBRARIES", "Library", "find"]

#: Names, and where they live. A module is loaded only in the process that measures it. In this order they run: what is
#: compared runs one after the other, because the machine may be another one a minute later.
LIBRARIES = {
    "bare requests": "bare:Requests",
    "chatproto on requests": "ours:Requests",
    "bare httpx": "bare:Httpx",
    "chatproto on httpx": "ours:Httpx",
    "bare aiohttp": "bare:Aiohttp",
    "chatproto on aiohttp": "ours:Aiohttp",
    "bare httpx, async": "bare:AsyncHttpx",
    "chatproto on httpx, async": "ours:AsyncHttpx",
    "google-genai": "reference:Sync",
    "google-genai, async": "reference:Async",
}


def find(name: str) -> type[Library]:
    """An implementation by its name."""
    module, _, attribute = LIBRARIES[name].partition(":")
    found: type[Library] = getattr(importlib.import_module(f".{module}", __package__), attribute)
    return found
