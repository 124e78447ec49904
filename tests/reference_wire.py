"""What google-genai sends for the same arguments: its own client on a stand-in for the network."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

genai = pytest.importorskip("google.genai", reason="google-genai is not installed")
httpx = pytest.importorskip("httpx")

__all__ = ["Reference", "normal", "reference_types"]

reference_types: Any = genai.types

#: Objects whose keys are the program's, not the API's.
_FREE = frozenset(
    {"args", "labels", "responseJsonSchema", "parametersJsonSchema", "partMetadata", "headers", "default", "example"}
)


class Reference:
    """A client of google-genai whose requests are kept."""

    def __init__(self, *, vertex: bool = False) -> None:
        self.requests: list[Any] = []
        self.answer = "{}"
        client = httpx.Client(transport=httpx.MockTransport(self._respond))
        options: dict[str, Any] = {"http_options": reference_types.HttpOptions(httpx_client=client)}
        if vertex:
            credentials = pytest.importorskip("google.oauth2.credentials").Credentials("token")
            options |= {"vertexai": True, "project": "p", "location": "us-central1", "credentials": credentials}
        else:
            options["api_key"] = "k"
        self.client: Any = genai.Client(**options)

    def _respond(self, request: Any) -> Any:
        self.requests.append(request)
        content = {"role": "model", "parts": [{"text": self.answer}]}
        return httpx.Response(200, json={"candidates": [{"content": content, "finishReason": "STOP"}]})

    def body(self, *, contents: Any = "q", config: Any = None, model: str = "m") -> dict[str, Any]:
        """The JSON of one request, its keys in camel case."""
        self.client.models.generate_content(model=model, contents=contents, config=config)
        found: dict[str, Any] = normal(json.loads(self.requests[-1].content))
        return found

    def parsed(self, shape: Any, text: str) -> Any:
        """What ``.parsed`` is for an answer of ``text``."""
        self.answer = text
        return self.client.models.generate_content(model="m", contents="q", config={"response_schema": shape}).parsed


def normal(document: Any, *, key: str = "", above: str = "") -> Any:
    """``document`` with the API's keys in camel case, but for what belongs to the program."""
    if key in _FREE or (key == "response" and above in ("functionResponse", "toolResponse")):
        return document
    if isinstance(document, dict):
        held = {each if key == "properties" else _camel(each): item for each, item in document.items()}
        return {
            each: normal(item, key="" if key == "properties" else each, above=key)
            for each, item in held.items()
            if (each, item) != ("title", "Placeholder")  # of a helper class of google-genai's
        }
    if isinstance(document, list):
        return [normal(item, above=key) for item in document]
    return document


def _camel(key: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), key)
