"""An answer that was under way when its chat was written goes on in the chat that is restored (L13, at the face)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatproto import Client, errors, types
from chatproto.chats import AsyncChat, Chat
from chatproto.machines.history import Outcome
from chatproto.testing import ScriptedTransport
from chatproto.testing.scripted import Answer

TOKEN = "dDE="


def chunk(text: str, finish: str | None = None, *, token: str | None = None) -> dict[str, Any]:
    """One chunk of an answer."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    if finish is not None:
        candidate["finishReason"] = finish
    if token is not None:
        candidate["continuationToken"] = token
    return {"candidates": [candidate]}


def restored(snapshot: str, *answers: Any, **options: Any) -> tuple[Chat, ScriptedTransport]:
    """The chat in another client, with other answers to come."""
    transport = ScriptedTransport(*answers)
    return Client(transport=transport).chats.restore(snapshot, **options), transport


def suspended(*chunks: dict[str, Any], taken: int = 1, **options: Any) -> str:
    """A snapshot of a chat that has taken so many chunks of an answer, all of which have arrived."""
    arrived = Answer(list(chunks), every=1_000_000)
    chat = Client(transport=ScriptedTransport(arrived)).chats.create(model="m", **options)
    stream = chat.send_message_stream("q")
    for _ in range(taken):
        next(stream)
    return chat.snapshot()


def test_an_answer_with_a_token_goes_on() -> None:
    """What had arrived is not asked for again: the next request has the token, and the two are one answer."""
    chat, transport = restored(suspended(chunk("A", token=TOKEN), chunk("never told")), [chunk("B", "STOP")])
    assert [each.text for each in chat.resume()] == ["never told", "B"]
    (request,) = transport.requests
    assert request.json()["continuationToken"] == TOKEN
    assert [content.parts for content in chat.get_history(curated=True)] == [
        [types.Part(text="q")],
        [types.Part(text="Anever toldB")],
    ]


def test_an_answer_without_a_token_is_lost() -> None:
    """The turn has failed, what had come is on the error and in the ledger, and the chat is usable."""
    chat, _ = restored(suspended(chunk("A"), chunk("B"), taken=1), "fine")
    with pytest.raises(errors.ConnectionLost) as caught:
        list(chat.resume())
    assert caught.value.partial is not None
    assert caught.value.partial.text == "AB"
    assert chat.turns[-1].outcome is Outcome.FAILED
    assert chat.get_history(curated=True) == []
    assert chat.send_message("again").text == "fine"


def test_an_answer_that_had_finished_is_kept() -> None:
    """L8: its finish reason had come, though not the end of the body; the loss of that is told."""
    chat, _ = restored(suspended(chunk("A", "STOP"), chunk("", "STOP")))
    with pytest.raises(errors.ConnectionLost):
        list(chat.resume())
    assert [content.parts for content in chat.get_history(curated=True)][-1] == [types.Part(text="A")]


def test_a_message_leaves_it() -> None:
    """Whoever says something else does not want the rest."""
    chat, transport = restored(suspended(chunk("A", token=TOKEN)), "fine")
    assert chat.send_message("something else").text == "fine"
    assert "continuationToken" not in transport.requests[0].json()
    assert [turn.outcome for turn in chat.turns] == [Outcome.ABANDONED, Outcome.COMPLETED]


def test_an_async_chat_goes_on_with_the_answer_of_a_sync_one() -> None:
    """And runs the functions that the answer calls."""

    async def add(a: int, b: int) -> int:
        return a + b

    def add_here(a: int, b: int) -> int:
        return a + b

    add_here.__name__ = "add"
    call = {"functionCall": {"name": "add", "id": "1", "args": {"a": 1, "b": 2}}}
    calls = {"candidates": [{"content": {"role": "model", "parts": [call]}, "finishReason": "STOP"}]}
    snapshot = suspended(chunk("A", token=TOKEN), config={"tools": [add_here]})

    async def go_on() -> tuple[AsyncChat, ScriptedTransport, list[str | None]]:
        transport = ScriptedTransport([calls], [chunk("three", "STOP")])
        chat = Client(transport=transport).aio.chats.restore(snapshot, tools=[add])
        return chat, transport, [each.text async for each in await chat.resume()]

    chat, transport, told = asyncio.run(go_on())
    assert told == [None, "three"]
    assert transport.requests[1].json()["contents"][-1]["parts"] == [
        {"functionResponse": {"response": {"result": 3}, "name": "add", "id": "1"}}
    ]
    assert len(chat.get_history(curated=True)) == 4


def test_nothing_to_resume() -> None:
    """A chat in which nothing is under way says what to do instead, and so does one whose calls wait."""
    chat = Client(transport=ScriptedTransport("a")).chats.create(model="m")
    chat.send_message("q")
    for each in (chat, restored(chat.snapshot())[0]):
        with pytest.raises(errors.LocalProtocolError, match="nothing is under way"):
            each.resume()


def test_a_turn_can_be_recorded() -> None:
    """``record_history`` takes turns that were had elsewhere: the next request holds those that are valid."""
    transport = ScriptedTransport("fine")
    chat = Client(transport=transport).chats.create(model="m")
    chat.record_history(types.UserContent("a"), [types.ModelContent("b")], True)
    chat.record_history({"role": "user", "parts": [{"text": "c"}]}, [types.ModelContent("d")], False)
    call = types.ModelContent(types.Part.from_function_call(name="f", args={}))
    chat.record_history(types.UserContent("e"), [call], True)
    chat.send_message("q")
    assert [content["parts"][0].get("text") for content in transport.requests[0].json()["contents"]] == ["a", "b", "q"]
    assert [turn.curated for turn in chat.turns] == [True, False, False, True]
    assert [explained.rule.name for explained in chat.explain()][::2] == [
        "FINISHED",
        "SAYS_NOTHING",
        "UNANSWERED",
        "FINISHED",
    ]
    with pytest.raises(errors.ValidationError, match="role"):
        chat.record_history(types.Content(parts=[types.Part(text="x")]), [], True)
