"""Same inputs, same outputs: in any process, whatever the seed of its hashes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatproto.errors import ConnectFailed
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import ReadBody, SendRequest, Step, Wait
from chatproto.testing.wire import error_response, sse, text_response
from chatproto.types import Content, GenerateContentConfig, HttpOptions, HttpRetryOptions, Part
from chatproto.types._dump import to_wire
from chatproto.wire.endpoint import Endpoint
from chatproto.wire.json_codec import encode

PART = {"newKey": {"b": 1, "a": [True, None, 1.5]}, "text": "é\ud83d", "thoughtSignature": "c2ln"}
CALLS = {
    "candidates": [
        {
            "content": {"parts": [PART, {"functionCall": {"name": "f", "id": "1"}}, {"functionCall": {"name": "g"}}]},
            "finishReason": "STOP",
            "safetyRatings": [{"category": "HARM_CATEGORY_NEW", "probability": "LOW"}],
        }
    ],
    "usageMetadata": {"totalTokenCount": 7, "newCount": 1},
}


def digest() -> str:
    """A fixed script of two chats: the SHA-256 of every byte that is sent, every event and every history."""
    seen = hashlib.sha256()

    def look(*things: Any) -> None:
        for thing in things:
            seen.update(thing if isinstance(thing, bytes) else repr(thing).encode("utf-8", "backslashreplace"))
            seen.update(b"\0")

    def drive(conversation: Conversation, *answers: Any) -> None:
        waiting = list(answers)
        pieces: list[bytes] = []
        step: Step | None
        while (step := conversation.next()) is not None:
            match step:
                case SendRequest(request=request):
                    look(request.method, request.url, request.headers, *request.body)
                    answer = waiting.pop(0)
                    if isinstance(answer, ConnectFailed):
                        conversation.receive_failure(answer)
                        continue
                    status, pieces = answer
                    pieces = [*pieces, b""]
                    conversation.receive_response(status, (("X-B", "1"), ("x-a", "2")))
                case ReadBody():
                    conversation.receive_data(pieces.pop(0))
                case Wait():
                    look(step)
                    conversation.resume(0.25)
                case event:
                    look(event, getattr(event, "error", None))
        look(conversation.state, conversation.turns, conversation.pending_calls)
        for curated in (False, True):
            look(*(encode(to_wire(content)) for content in conversation.history(curated=curated)))

    config = GenerateContentConfig(
        temperature=0.5,
        labels={"b": "1", "a": "2"},
        stop_sequences=["x", "y"],
        http_options=HttpOptions(extra_body={"z": {"y": 1, "x": 2}, "generation_config": {"topK": 3}}),
    )
    chat = Conversation("m", config=config, endpoint=Endpoint(retry_options=HttpRetryOptions(), labels=(("b", "c"),)))
    chat.send("q")
    drive(chat, ConnectFailed("no"), (503, [encode(error_response(503))]), (200, sse([CALLS])))
    chat.send_function_responses(
        [
            Part.from_function_response(name="g", response={"b": 3, "a": "x"}),
            Part.from_function_response(name="f", response={"output": [1, 2]}),
        ]
    )
    drive(chat, (200, [*sse([text_response("do", None, b=1, a=2), text_response("ne")]), b"data: {"]))
    chat.send(Content(role="user", parts=[Part(text="again")]), stream=False)
    drive(chat, (400, [b"<html>"]))
    chat.send("once more", stream=False)
    drive(chat, (200, [encode({"candidates": [{"content": {"parts": [{"text": 5}]}}]})]))
    again = Conversation("m", history=chat.history(), on_incomplete="keep")
    again.send("q")
    drive(again, (200, sse([text_response("cut", None)])))
    return seen.hexdigest()


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_every_process_says_the_same(seed: str) -> None:
    """L2: a script of conversation steps gives the same bytes and events under any PYTHONHASHSEED, and in here."""
    here = Path(__file__).parent
    program = "import sys; sys.path.insert(0, sys.argv[1]); import test_determinism; print(test_determinism.digest())"
    ran = subprocess.run(
        [sys.executable, "-c", program, str(here)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [digest()]


def test_the_same_process_says_it_twice() -> None:
    """L2: nothing is remembered from one chat to the next."""
    assert digest() == digest()
