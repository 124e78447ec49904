"""Counting tokens: of contents, and of what a chat would send next (reference behaviour, section 16)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import chatproto
from chatproto import types
from chatproto.errors import ValidationError
from chatproto.testing import ScriptedTransport

COUNTED: dict[str, Any] = {"totalTokens": 31, "cachedContentTokenCount": 7, "promptTokensDetails": []}


def test_models_count_tokens() -> None:
    """The request of the Gemini API, and its answer with the fields of the reference."""
    transport = ScriptedTransport(COUNTED)
    counted = chatproto.Client(transport=transport).models.count_tokens(model="m", contents=["a", "b"])
    assert (counted.total_tokens, counted.cached_content_token_count) == (31, 7)
    assert counted.sdk_http_response is not None
    assert transport.requests[0].url.endswith("/v1/models/m:countTokens")
    assert transport.requests[0].json() == {"contents": [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]}


def test_settings_are_counted_on_vertex_only() -> None:
    """The Gemini API counts contents alone: more raises. Vertex AI counts the instruction and the tools."""
    config = {"system_instruction": "S", "tools": [{"google_search": {}}]}
    transport = ScriptedTransport(COUNTED, COUNTED)
    with pytest.raises(ValidationError, match="Vertex"):
        chatproto.Client(transport=transport).models.count_tokens(model="m", contents="a", config=config)
    assert not transport.requests
    client = chatproto.Client(vertexai=True, project="p", location="l", transport=transport)
    client.models.count_tokens(model="m", contents="a", config=config)
    body = transport.requests[0].json()
    assert body["systemInstruction"]["parts"] == [{"text": "S"}]
    assert body["tools"] == [{"googleSearch": {}}]


@pytest.mark.parametrize("vertex", [False, True])
def test_a_chat_counts_its_next_request(vertex: bool) -> None:
    """What was said and the message; nothing is said by counting."""
    transport = ScriptedTransport("one", COUNTED, COUNTED)
    options: dict[str, Any] = {"vertexai": True, "project": "p", "location": "l"} if vertex else {}
    chat = chatproto.Client(transport=transport, **options).chats.create(
        model="m", config={"system_instruction": "S", "tools": [types.Tool(google_search=types.GoogleSearch())]}
    )
    chat.send_message("first")
    assert chat.count_tokens("second").total_tokens == 31
    chat.count_tokens()
    assert [len(request.json()["contents"]) for request in transport.requests[1:]] == [3, 2]
    assert ("systemInstruction" in transport.requests[1].json()) is vertex
    assert len(chat.turns) == 1


def test_asyncio() -> None:
    """The same, awaited."""

    async def main() -> None:
        transport = ScriptedTransport(COUNTED, COUNTED)
        client = chatproto.Client(transport=transport).aio
        assert (await client.models.count_tokens(model="m", contents="a")).total_tokens == 31
        assert (await client.chats.create(model="m").count_tokens("a")).total_tokens == 31

    asyncio.run(main())


def test_parsed_in_chats_and_models() -> None:
    """``response.parsed`` is what the schema says, sync and async, in whole answers and in a chunk that is whole."""
    transport = ScriptedTransport('{"a": 1}', ['{"a": 2}'], '{"a": 3}', "[4]", "not json")
    client = chatproto.Client(transport=transport)
    asking: dict[str, Any] = {"response_mime_type": "application/json", "response_schema": dict[str, int]}
    asking["response_schema"] = {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}}
    chat = client.chats.create(model="m", config=asking)
    assert chat.send_message("q").parsed == {"a": 1}
    assert [chunk.parsed for chunk in chat.send_message_stream("q")] == [{"a": 2}]
    asynchronous = client.aio.chats.create(model="m", config=asking)
    assert asyncio.run(asynchronous.send_message("q")).parsed == {"a": 3}
    listing = {"response_schema": list[int]}
    assert client.models.generate_content(model="m", contents="q", config=listing).parsed == [4]
    assert chat.send_message("q").parsed is None
