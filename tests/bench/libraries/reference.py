"""google-genai, as it comes: httpx2 for synchronous calls, aiohttp for the others."""

from __future__ import annotations

import json
from typing import Any

from google import genai
from google.genai import types

from .base import KEY
from .faced import AsyncFaced, Faced

__all__ = ["Async", "Sync"]


def _client(url: str) -> Any:
    return genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))


def _parse(body: bytes) -> object:
    """What it does with an answer that has come (``models.py``, ``_generate_content``)."""
    return types.GenerateContentResponse._from_response(response=json.loads(body), kwargs={})


class Sync(Faced):
    """``genai.Client``."""

    def __init__(self, url: str) -> None:
        super().__init__(url, _client(url), types)

    def parse(self, body: bytes) -> object:
        return _parse(body)


class Async(AsyncFaced):
    """``genai.Client().aio``."""

    def __init__(self, url: str) -> None:
        super().__init__(url, _client(url), types)

    def parse(self, body: bytes) -> object:
        return _parse(body)
