"""A streamed answer that breaks off, ends or is left, at every byte of every short recorded stream.

A stream is fed to one conversation byte by byte. At each byte the conversation is copied three times, and each copy is
interrupted in another way, so the work grows with the length of a stream and not with its square.
"""

from __future__ import annotations

import bisect
import copy
import json
from collections import Counter
from typing import Any

import attrs
import pytest
from traffic import NotSeparate, Recorded, documents_of, exchanges, fold

from chatproto.errors import APIError, ConnectionLost, RemoteProtocolError
from chatproto.machines.conversation import Conversation
from chatproto.machines.history import Outcome
from chatproto.machines.states import ConversationState
from chatproto.machines.steps import ChunkReceived, Event, ReadBody, SendRequest, TurnEnded
from chatproto.machines.turn import Draft
from chatproto.types import Content
from chatproto.types._hooks import converter

Json = dict[str, Any]

#: Streams up to this size are tried.
LONGEST = 8 * 1024
SHARDS = 6

GIVEN: list[Json] = [
    {"role": "user", "parts": [{"text": "Good morning."}]},
    {"role": "model", "parts": [{"text": "Good morning!"}]},
]
ASKED: Json = {"role": "user", "parts": [{"text": "What is the answer?"}]}
GOING_ON: Json = {"role": "user", "parts": [{"text": "Go on."}]}

ALLOWED = (APIError, RemoteProtocolError)


# --- what must come of it -------------------------------------------------------------------------------------------


def short_streams() -> list[Recorded]:
    """The recorded streams whose bytes are the server's, up to the longest that is tried."""
    return [
        recorded
        for recorded in exchanges().values()
        if recorded.streamed
        and recorded.status == 200
        and recorded.record["fidelity"] == "verbatim"
        and 0 < len(recorded.body) <= LONGEST
    ]


def content_of(document: Json) -> Content:
    """A Content off the wire."""
    made: Content = converter("wire").structure(document, Content)
    return made


def ends_of(body: bytes) -> list[int]:
    """Where each JSON object of a stream ends."""
    text = body.decode("latin-1")  # a character a byte; outside of strings JSON is ASCII
    ends: list[int] = []
    while (start := text.find("{", ends[-1] if ends else 0)) >= 0:
        ends.append(json.JSONDecoder().raw_decode(text, start)[1])
    return ends


class Stream:
    """One recorded stream, and what its conversation must be when it is over after so many chunks."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        self.ends = ends_of(recorded.body)
        self.separate = True
        try:
            self.chunks: list[Json] = documents_of(recorded)
        except NotSeparate:  # no blank lines: if the first line is the last, it is a chunk, and else there is none
            self.separate = False
            self.chunks = [json.loads(line.removeprefix("data:")) for line in recorded.text.splitlines()]
        assert len(self.chunks) == len(self.ends)
        self._after: dict[int, After] = {}

    def conversation(self) -> Conversation:
        """A conversation that has asked, and waits for the first byte of the answer."""
        conversation = Conversation("gemini-2.5-flash", history=[content_of(each) for each in GIVEN])
        conversation.send(content_of(ASKED))
        assert isinstance(conversation.next(), SendRequest)
        conversation.receive_response(200, self.recorded.headers)
        assert isinstance(conversation.next(), ReadBody)
        return conversation

    def offsets(self) -> range:
        """After how many bytes the stream is interrupted: every one."""
        return range(len(self.recorded.body) + 1)

    def arrived(self, at: int) -> int:
        """How many chunks are there when the body ends after so many bytes: each whose JSON is whole."""
        return bisect.bisect_right(self.ends, at)

    def after(self, count: int) -> After:
        """What is so when the stream is over after ``count`` chunks."""
        found = self._after.get(count)
        if found is None:
            found = self._after[count] = after(self.chunks[:count])
        return found


@attrs.frozen
class After:
    """What is so after an interruption: whether the turn is whole, and if calls wait; what is said next, and sent."""

    whole: bool
    waiting: bool
    draft: Draft
    body: bytes
    #: What conversations held from which this was sent, by the way in which they had been interrupted.
    sent: dict[str, Json] = attrs.field(factory=dict)


def after(chunks: list[Json]) -> After:
    """The same, of a stream that is over after these chunks."""
    answer = fold(chunks)
    parts = answer["parts"]
    candidates = [chunk["candidates"][0] for chunk in chunks if chunk.get("candidates")]
    # Rule 1: a finish reason has come, and something that can be used.
    whole = any(each.get("finishReason") is not None for each in candidates) and any(
        held is not None for part in parts for held in part.values()
    )
    past = [*GIVEN, ASKED, answer] if whole else GIVEN
    answered = sum("functionResponse" in part for part in parts)  # tools that the server ran
    calls = [part["functionCall"] for part in parts if part.get("functionCall", {}).get("name")][answered:]
    message = GOING_ON
    if whole and calls:
        named = [{key: call[key] for key in ("id", "name") if key in call} for call in calls]
        responses = [{"functionResponse": {**call, "response": {"result": 1}}} for call in named]
        message = {"role": "user", "parts": responses}
    draft = Conversation("m", history=[content_of(each) for each in past]).draft(content_of(message))
    document = {"contents": [*past, message]}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return After(whole, bool(whole and calls), draft, body)


def events_to_the_end(conversation: Conversation) -> list[Event]:
    """What is left, when nothing more comes from the server."""
    events: list[Event] = []
    while (step := conversation.next()) is not None:
        assert not isinstance(step, (SendRequest, ReadBody))
        events.append(step)  # type: ignore[arg-type]
    return events


def held(conversation: Conversation) -> Json:
    """All that the next request is made of."""
    return {**vars(conversation), "_states": conversation.state, "_history": conversation._history.pieces()}


def check(expected: After, conversation: Conversation, way: str) -> None:
    """After an interruption in some way: the turn is whole or not there, and the chat goes on.

    A conversation that holds just what one held that was interrupted in the same way a few bytes earlier, and went on,
    goes on like it: the same is not sent again and again.
    """
    if expected.waiting:
        assert conversation.state is ConversationState.CALLS_WANTED
    else:
        assert conversation.state is ConversationState.IDLE
        turn = conversation.turns[-1]
        assert turn.curated is expected.whole is (turn.outcome is Outcome.COMPLETED), turn
        now = held(conversation)
        if expected.sent.get(way) == now:
            return
        expected.sent[way] = now
    conversation.send(expected.draft)
    step = conversation.next()
    assert isinstance(step, SendRequest)
    assert step.request.content == expected.body


def interrupt(stream: Stream, conversation: Conversation, at: int, count: int) -> None:
    """Copy a conversation that has handed out ``count`` chunks of ``at`` bytes, and interrupt each copy in its way."""
    expected = stream.after(count)

    lost = copy.deepcopy(conversation)
    lost.receive_failure(ConnectionLost("the connection was reset"))
    (event,) = events_to_the_end(lost)
    if isinstance(event, TurnEnded):
        # The loss is told, also where the answer had finished before.
        assert isinstance(event.error, ConnectionLost)
        assert event.turn.curated is expected.whole
    check(expected, lost, "lost")

    ended = copy.deepcopy(conversation)
    ended.receive_data(b"")
    *chunks, event = events_to_the_end(ended)
    assert all(isinstance(each, ChunkReceived) for each in chunks)
    if isinstance(event, TurnEnded) and event.error is not None:
        assert isinstance(event.error, ALLOWED)
    assert count + len(chunks) == stream.arrived(at) or not stream.separate
    check(stream.after(count + len(chunks)), ended, "ended")

    left = copy.deepcopy(conversation)
    left.abandon()
    assert left.next() is None
    check(expected, left, "left")


def sweep(stream: Stream) -> Counter[str]:
    """Interrupt one stream everywhere. Counts at how many places, and at how many of them the turn was whole."""
    main = stream.conversation()
    offsets = stream.offsets()
    count = 0
    places = Counter[str]()
    for at in range(len(stream.recorded.body) + 1):
        if at in offsets:
            places.update(places=1, whole=stream.after(count).whole)
            interrupt(stream, main, at, count)
        main.receive_data(stream.recorded.body[at : at + 1])
        while isinstance(step := main.next(), ChunkReceived):
            count += 1
        if not isinstance(step, ReadBody):  # an error in the stream, or the end of the body
            assert at == len(stream.recorded.body) or (isinstance(step, TurnEnded) and isinstance(step.error, ALLOWED))
            break
    check(stream.after(count), main, "not interrupted")
    return places


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_turn_is_whole_or_not_there_wherever_it_is_interrupted(shard: int) -> None:
    """L5: the connection lost, the body ended or the chat left, after any byte: the turn is in the next request whole,
    with what had arrived by then, if its finish reason had come with something usable (rule 1), and else not at all.

    L12: only allowed errors come, and the chat goes on: the next message makes a request, and answers open calls.
    """
    streams = short_streams()[shard::SHARDS]
    count = Counter[str]()
    for recorded in streams:
        try:
            count += sweep(Stream(recorded))
        except BaseException as error:
            error.add_note(f"in {recorded.id}")
            raise
    total = sum(len(recorded.body) for recorded in streams)
    print(f"{len(streams)} streams of {total} bytes, interrupted at {count['places']} places, three ways each")
    print(f"at {count['whole']} of them the turn was whole")
