"""A chat as a value: a fork of it, turns taken back, and why each content is sent again or is not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from chat_faces import (
    DONE,
    MODEL,
    QUESTION,
    WAYS,
    Json,
    Shop,
    Talk,
    Way,
    add,
    begin,
    both,
    call,
    calling,
    closed,
    every_stream,
    every_way,
    final,
    restore,
    rounds,
    run,
    text_of,
    wire,
)
from hypothesis import given
from hypothesis import strategies as st

import chatproto
from chatproto import types
from chatproto.chats import AsyncChat, Chat
from chatproto.errors import APIError, ConnectionLost, LocalProtocolError, ValidationError
from chatproto.machines.explain import Rule
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response, text_response

FAILING = Answer(error_response(503), status=503)
BLOCKED: Json = {"promptFeedback": {"blockReason": "SAFETY"}}


def fork_of(talk: Talk) -> Talk:
    """A fork, over the same script."""
    return Talk(talk.way, talk.chat.fork(), talk.transport)


def user(text: str) -> Json:
    """What the user said."""
    return {"role": "user", "parts": [{"text": text}]}


class Suspended:
    """A stream that was read for some chunks and waits for its reader."""

    def __init__(self, talk: Talk, message: str, chunks: int) -> None:
        self.talk = talk
        if talk.way.asynchronous:
            self.stream = run(self._opened(message))
        else:
            self.stream = talk.chat.send_message_stream(message)
        self.read = [self.next() for _ in range(chunks)]

    async def _opened(self, message: str) -> Any:
        return await self.talk.chat.send_message_stream(message)

    def next(self) -> types.GenerateContentResponse:
        """One more chunk."""

        async def more() -> types.GenerateContentResponse:
            found: types.GenerateContentResponse = await anext(self.stream)
            return found

        found: types.GenerateContentResponse = run(more()) if self.talk.way.asynchronous else next(self.stream)
        return found

    def rest(self) -> str:
        """The text of what is left."""

        async def more() -> list[types.GenerateContentResponse]:
            return [chunk async for chunk in self.stream]

        return text_of(run(more()) if self.talk.way.asynchronous else list(self.stream))


# --- fork -----------------------------------------------------------------------------------------------------------


@every_way
def test_a_fork_has_the_past_and_a_future_of_its_own(way: Way) -> None:
    """What is said in one is not said in the other; forks can be forked."""
    talk = begin(way, "one", "left", "right", "further", "end", config={"temperature": 0.5})
    talk.say("q")
    fork = fork_of(talk)
    assert type(fork.chat) is type(talk.chat)
    assert fork.history() == talk.history() == [QUESTION, final("one")]
    assert fork.chat.turns == talk.chat.turns
    talk.say("l")
    fork.say("r")
    again = fork_of(fork)
    again.say("f")
    assert talk.sent() == [QUESTION, final("one"), user("r"), final("right"), user("f")]
    assert talk.transport.requests[-1].json()["generationConfig"] == {"temperature": 0.5}
    assert talk.history() == [QUESTION, final("one"), user("l"), final("left")]
    assert fork.history() == [QUESTION, final("one"), user("r"), final("right")]
    fork.chat.rewind(2)
    assert (fork.history(), len(talk.history()), len(again.history())) == ([], 4, 6)


@both
def test_a_fork_has_the_settings_and_the_functions(way: Way) -> None:
    """The headers, what ``parsed`` is made of, the functions and who is asked, the words for errors, the modes."""
    noted: list[Any] = []

    class Noting(ScriptedTransport):
        def open(self, request: Any, secrets: Any) -> Any:
            noted.append(dict(secrets.headers_for(request)).get("x-mine"))
            return super().open(request, secrets)

        def aopen(self, request: Any, secrets: Any) -> Any:
            return self.open(request, secrets)

    def boom() -> None:
        raise RuntimeError("no")

    shop = Shop()
    config: Json = {
        "tools": [*shop.tools, boom],
        "http_options": {"headers": {"x-mine": "yes"}},
        "response_schema": list[int],
        "response_mime_type": "application/json",
    }
    asked = calling(call("add", "c1", a=1), call("boom", "c2"))
    transport = Noting(asked, "[1, 2]", calling(call("spell", text="x")), "[3]")
    client = chatproto.Client(transport=transport)
    chat: Any = (client.aio if way.asynchronous else client).chats.create(
        model=MODEL,
        config=config,
        approve={"spell"},
        function_errors="message",
        config_mode="merge",
        on_incomplete="keep",
    )
    talk = fork_of(Talk(way, chat, transport))
    (heard,) = talk.say("q", {"temperature": 1.0})
    assert heard.parsed == [1, 2]
    assert [each["response"] for each in talk.told()] == [{"result": 2}, {"error": "boom raised RuntimeError: no"}]
    assert noted == ["yes", "yes"]
    talk.say("spell")
    assert len(talk.chat.pending_calls) == 1
    again = fork_of(talk)
    (heard,) = again.answer([again.call(each) for each in again.chat.pending_calls])
    assert (heard.parsed, shop.ran) == ([3], [(1, 1), "x"])
    assert len(noted) == 4


@every_way
def test_a_fork_has_the_functions_of_the_last_message(way: Way) -> None:
    """Those that led to the calls that wait."""
    shop, other = Shop(), Shop()
    talk = begin(way, add(1), DONE, config=shop.config, approve=True)
    talk.say("q", {"tools": other.tools})
    fork = fork_of(talk)
    fork.answer([fork.call(fork.chat.pending_calls[0])])
    assert (shop.ran, other.ran) == ([], [(1, 1)])
    assert fork.history() == [*rounds(1), final()]


@every_stream
@pytest.mark.parametrize("chunks", [1, 2])
def test_a_fork_in_the_middle_of_a_stream(way: Way, chunks: int) -> None:
    """The stream stays with its chat and goes on there, also while the fork talks. An answer that was finished is whole
    in both.
    """
    talk = begin(way, "before", ["o", "ne"], "other")
    talk.say("a")
    suspended = Suspended(talk, "b", chunks)
    fork = fork_of(talk)
    past = [user("a"), final("before")]
    whole = [user("b"), final("one")] if chunks == 2 else []
    assert fork.history() == fork.history(curated=False) == past + whole
    fork.say("c")
    assert fork.history() == [*past, *whole, user("c"), final("other")]
    assert talk.transport.discarded == 0
    assert suspended.rest() == ("" if chunks == 2 else "ne")
    assert talk.history() == [*past, user("b"), final("one")]
    assert talk.outcomes == ["completed", "completed"]


@every_stream
def test_a_fork_in_the_middle_of_a_later_round(way: Way) -> None:
    """There the calls are open, and the results that this chat is sending can be sent again."""
    shop = Shop()
    talk = begin(way, add(1), ["do", "ne"], "other", config=shop.config)
    suspended = Suspended(talk, "q", 2)
    fork = fork_of(talk)
    assert (fork.pending, talk.pending) == (["c1"], [])
    assert text_of(fork.answer()) == "other"
    assert suspended.rest() == "ne"
    assert fork.history() == [*rounds(1), final("other")]
    assert talk.history() == [*rounds(1), final("done")]
    assert shop.ran == [(1, 1)]


# --- copies that are none -------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("way_to_copy", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_chat_is_not_copied_or_pickled(way: Way, way_to_copy: Callable[[Any], Any]) -> None:
    """It holds its client. The error says what there is instead, and the chat goes on."""
    talk = begin(way, add(1), DONE, config=Shop().config, approve=True)
    talk.say("q")
    with pytest.raises(TypeError, match=r"chat\.fork\(\).*chat\.snapshot\(\).*client\.chats\.restore\(\)"):
        way_to_copy(talk.chat)
    with pytest.raises(TypeError, match=r"chat\.fork\(\)"):
        way_to_copy({"deep inside": [talk.chat]}) if way_to_copy is not copy.copy else copy.copy(talk.chat)
    talk.answer([talk.call(talk.chat.pending_calls[0])])
    assert talk.history() == [*rounds(1), final()]


@every_way
def test_what_is_inside_can_be_copied_and_pickled(way: Way) -> None:
    """The Conversation holds values only, with calls that wait too."""
    talk = begin(way, "one", add(1), config=Shop().config, approve=True)
    talk.say("a")
    talk.say("q")
    conversation = talk.chat._session.conversation
    for made in (copy.deepcopy(conversation), pickle.loads(pickle.dumps(conversation)), conversation.fork()):
        assert made is not conversation
        assert made.turns == conversation.turns
        assert made.history() == conversation.history()
        assert [each.id for each in made.pending_calls] == ["c1"]


# --- rewind ---------------------------------------------------------------------------------------------------------


@every_way
def test_turns_are_taken_back_whole(way: Way) -> None:
    """With all their rounds, newest first; the next message is sent as if they had never been."""
    talk = begin(way, "one", add(1), add(2), DONE, "three", "again", config=Shop().config)
    for message in ("a", "q", "c"):
        talk.say(message)
    (third,) = talk.chat.rewind()
    assert wire(third.contents) == [user("c"), final("three")]
    assert talk.history() == [user("a"), final("one"), *rounds(1, 2), final()]
    (second,) = talk.chat.rewind(1)
    assert wire(second.contents) == [*rounds(1, 2), final()]
    assert (second.number, second.outcome, second.curated) == (2, chatproto.Outcome.COMPLETED, True)
    assert talk.history() == talk.history(curated=False) == [user("a"), final("one")]
    assert talk.outcomes == ["completed"]
    talk.say("d")
    assert talk.sent() == [user("a"), final("one"), user("d")]
    assert [turn.number for turn in talk.chat.turns] == [1, 2]


@every_way
def test_several_turns_are_taken_back_at_once(way: Way) -> None:
    """They are given oldest first."""
    talk = begin(way, *"abcd", "e")
    for message in "ABCD":
        talk.say(message)
    gone = talk.chat.rewind(3)
    assert [wire(turn.contents) for turn in gone] == [[user(each.upper()), final(each)] for each in "bcd"]
    assert talk.history() == [user("A"), final("a")]
    talk.chat.rewind()
    assert talk.history() == []
    assert talk.chat.turns == ()
    talk.say("E")
    assert talk.sent() == [user("E")]


@every_way
def test_a_turn_that_waits_counts(way: Way) -> None:
    """Its calls are given up with it."""
    talk = begin(way, "one", add(1), "two", config=Shop().config, approve=True)
    talk.say("a")
    talk.say("q")
    (gone,) = talk.chat.rewind()
    assert (gone.outcome, wire(gone.contents)) == (chatproto.Outcome.ABANDONED, rounds(1)[:-1])
    assert talk.pending == []
    assert talk.history() == talk.history(curated=False) == [user("a"), final("one")]
    with pytest.raises(ValidationError, match="no function call is open"):
        talk.answer([{"name": "add", "response": {}}])
    talk.say("b")
    assert talk.history() == [user("a"), final("one"), user("b"), final("two")]


@every_way
def test_turns_that_are_in_no_history_do_not_count(way: Way) -> None:
    """One that failed goes with the turn before it. One that was blocked is in the comprehensive history: it counts."""
    talk = begin(way, "one", FAILING, "two", FAILING, BLOCKED, FAILING)
    for number in range(6):
        if number in (1, 3, 5):
            with pytest.raises(APIError):
                talk.say(str(number))
        else:
            talk.say(str(number))
    assert talk.outcomes == ["completed", "failed", "completed", "failed", "blocked", "failed"]
    assert [turn.outcome.value for turn in talk.chat.rewind()] == ["blocked", "failed"]
    assert [turn.outcome.value for turn in talk.chat.rewind()] == ["completed", "failed"]
    assert talk.outcomes == ["completed", "failed"]
    assert talk.history() == [user("0"), final("one")]
    assert len(talk.chat.rewind()) == 2
    assert talk.chat.turns == ()


@every_way
@pytest.mark.parametrize("n", [3, 100])
def test_more_turns_than_there_are(way: Way, n: int) -> None:
    """Nothing has changed: the calls wait as before, and can be answered."""
    talk = begin(way, "one", add(1), DONE, config=Shop().config, approve=True)
    talk.say("a")
    talk.say("q")
    before = talk.chat.snapshot()
    with pytest.raises(ValidationError, match=f"there are 2 turns to rewind, not {n}"):
        talk.chat.rewind(n)
    assert talk.chat.snapshot() == before
    talk.answer([talk.call(talk.chat.pending_calls[0])])
    assert talk.history() == [user("a"), final("one"), *rounds(1), final()]


@every_stream
def test_more_turns_than_there_are_while_a_stream_is_suspended(way: Way) -> None:
    """The stream goes on."""
    talk = begin(way, ["o", "ne"])
    suspended = Suspended(talk, "q", 1)
    with pytest.raises(ValidationError, match="there are 0 turns"):
        talk.chat.rewind()
    assert suspended.rest() == "ne"
    assert talk.outcomes == ["completed"]


@every_way
@pytest.mark.parametrize("n", [0, -1, True, 1.0, "1", None], ids=repr)
def test_what_is_no_number_of_turns(way: Way, n: Any) -> None:
    """It is counted from 1."""
    talk = begin(way, "one")
    talk.say("q")
    with pytest.raises(ValidationError, match="counted from 1"):
        talk.chat.rewind(n)
    assert talk.outcomes == ["completed"]


@every_way
def test_a_given_history_is_taken_back_too(way: Way) -> None:
    """By turns; one of it that waits for an answer counts."""
    contents = [user("a"), final("one"), *rounds(1), final(), *rounds(2)[:-1]]
    talk = begin(way, "on", history=contents)
    assert talk.pending == ["c2"]
    assert wire(talk.chat.rewind()[0].contents) == rounds(2)[:-1]
    assert wire(talk.chat.rewind()[0].contents) == [*rounds(1), final()]
    talk.say("b")
    assert talk.sent() == [user("a"), final("one"), user("b")]


@every_stream
@pytest.mark.parametrize("chunks", [1, 2])
def test_rewinding_leaves_a_stream_that_is_suspended(way: Way, chunks: int) -> None:
    """Its connection is given up at once, and asking it for more says so. A turn that was finished counts."""
    talk = begin(way, "one", ["t", "wo"], "three")
    talk.say("a")
    suspended = Suspended(talk, "b", chunks)
    gone = talk.chat.rewind()
    assert [turn.outcome.value for turn in gone] == (["completed", "abandoned"] if chunks == 1 else ["completed"])
    assert talk.history() == ([] if chunks == 1 else [user("a"), final("one")])
    assert talk.transport.discarded == 1
    with pytest.raises(LocalProtocolError):
        suspended.next()
    talk.say("c")
    assert talk.sent() == [*([] if chunks == 1 else [user("a"), final("one")]), user("c")]


@every_stream
def test_rewinding_in_the_middle_of_a_later_round(way: Way) -> None:
    """The turn goes whole, with the calls that were being answered."""
    talk = begin(way, "one", add(1), ["do", "ne"], "three", config=Shop().config)
    talk.say("a")
    Suspended(talk, "q", 2)
    (gone,) = talk.chat.rewind()
    assert wire(gone.contents)[:2] == rounds(1)[:2]
    assert (talk.pending, talk.history(curated=False)) == ([], [user("a"), final("one")])
    talk.say("b")
    assert talk.sent() == [user("a"), final("one"), user("b")]


@every_way
def test_a_part_that_was_kept_is_taken_back(way: Way) -> None:
    """With ``on_incomplete="keep"``."""
    broken = Answer(["And ", "so"], cut_at=120)
    talk = begin(way, "one", broken, on_incomplete="keep")
    talk.say("a")
    with pytest.raises(ConnectionLost):
        talk.say("b")
    assert len(talk.history()) == (4 if way.streamed else 2)
    talk.chat.rewind()
    assert talk.history() == ([user("a"), final("one")] if way.streamed else [])


# --- explain --------------------------------------------------------------------------------------------------------

TRUNCATED = [text_response("And so", None)]
CUT = Answer(["And ", "so"], cut_at=120)


def _say(talk: Talk) -> None:
    talk.say("q")


def _fail(talk: Talk) -> None:
    with pytest.raises((APIError, ConnectionLost)):
        talk.say("q")


def _leave(talk: Talk) -> None:
    stream = Suspended(talk, "q", 1).stream
    run(stream.aclose()) if talk.way.asynchronous else stream.close()


def _give_up(talk: Talk) -> None:
    talk.say("q")
    talk.say("never mind")


def _hold(talk: Talk) -> None:
    held.append(Suspended(talk, "q", 1))


held: list[Suspended] = []

#: A script, what is done, the rule of the first turn, what the ledger says of it, how many of its contents are told of,
#: and how many of those the comprehensive history shows.
CASES: dict[str, tuple[list[Any], Callable[[Talk], None], Rule, str, int, int]] = {
    "finished": (["one"], _say, Rule.FINISHED, "finish reason STOP", 2, 2),
    "finished with rounds": ([add(1), DONE], _say, Rule.FINISHED, "finish reason STOP", 4, 4),
    "kept": ([CUT], _fail, Rule.KEPT, "the connection was cut", 2, 2),
    "waiting": ([calling(call("spell"))], _say, Rule.OPEN, "function calls wait for an answer", 2, 2),
    "under way": ([["o", "ne"]], _hold, Rule.OPEN, "the answer is under way", 2, 0),
    "given up": (
        [calling(call("spell")), "one"],
        _give_up,
        Rule.UNANSWERED,
        "its function calls were not answered",
        2,
        2,
    ),
    "blocked": ([BLOCKED], _say, Rule.SAYS_NOTHING, "the prompt was blocked: SAFETY", 1, 1),
    "blocked after rounds": ([add(1), BLOCKED], _say, Rule.SAYS_NOTHING, "the prompt was blocked: SAFETY", 3, 3),
    "truncated": ([TRUNCATED], _say, Rule.CUT_SHORT, "ended without a finish reason", 2, 2),
    "failed": ([FAILING], _fail, Rule.FAILED, "503 UNAVAILABLE", 1, 0),
    "cut": ([CUT], _fail, Rule.FAILED, "the connection was cut", 2, 0),
    "left": ([["o", "ne"]], _leave, Rule.LEFT, "the caller left", 2, 0),
}


@every_stream
@pytest.mark.parametrize("case", CASES)
def test_every_rule(way: Way, case: str) -> None:
    """Each content is told of with its turn, what is in which history, the rule, and how the turn ended."""
    script, work, rule, reason, count, shown = CASES[case]
    keep: Json = {"on_incomplete": "keep"} if case == "kept" else {}
    talk = begin(way, *script, config=Shop().config, approve={"spell"}, **keep)
    work(talk)
    told = [each for each in talk.chat.explain() if each.turn == 1]
    assert {each.rule for each in told} == {rule}
    assert len(told) == count
    assert all(reason in each.reason for each in told), told[0].reason
    assert {each.curated for each in told} == {rule in (Rule.FINISHED, Rule.KEPT)}
    assert [each.comprehensive for each in told] == [at < shown for at in range(count)]
    assert wire([told[0].content]) == [QUESTION]
    agrees(talk)
    held.clear()


def test_there_is_a_case_for_every_rule() -> None:
    """And each rule is a sentence of its own."""
    assert {rule for _, _, rule, *_ in CASES.values()} == set(Rule)
    assert len({rule.value for rule in Rule}) == len(Rule)


def agrees(talk: Talk) -> None:
    """What is explained is what the histories hold, in their order."""
    told = talk.chat.explain()
    assert [each.content for each in told if each.curated] == talk.chat.get_history(curated=True)
    assert [each.content for each in told if each.comprehensive] == talk.chat.get_history()
    turns = talk.chat.turns
    assert all(each.turn <= len(turns) + 1 for each in told)
    for number, turn in enumerate(turns, start=1):
        mine = [each for each in told if each.turn == number]
        assert [each.content for each in mine] == turn.contents
        assert {each.curated for each in mine} <= {turn.curated}
        assert {each.reason for each in mine} <= {turn.reason}


@both
def test_a_given_history_is_explained(way: Way) -> None:
    """Turns that cannot be sent are told of, too."""
    contents = [
        user("a"),
        final("one"),
        user("b"),
        {"role": "model", "parts": []},
        *rounds(1)[:2],
        user("c"),
        final("x"),
    ]
    talk = begin(way, history=contents)
    told = [(each.turn, each.rule, each.reason) for each in talk.chat.explain()]
    assert told == [
        (1, Rule.FINISHED, "given"),
        (1, Rule.FINISHED, "given"),
        (2, Rule.SAYS_NOTHING, "given, with an empty answer"),
        (3, Rule.UNANSWERED, "given, with unanswered calls"),
        (3, Rule.UNANSWERED, "given, with unanswered calls"),
        (4, Rule.FINISHED, "given"),
        (4, Rule.FINISHED, "given"),
    ]
    agrees(talk)


@both
def test_what_is_explained_is_the_callers_own(way: Way) -> None:
    """Changing it changes nothing."""
    talk = begin(way, "one", "two")
    talk.say("a")
    for each in talk.chat.explain():
        each.content.parts.clear()
    talk.say("b")
    assert talk.sent() == [user("a"), final("one"), user("b")]


# --- all of it together ---------------------------------------------------------------------------------------------

STEPS: dict[str, list[Any]] = {
    "answered": ["one"],
    "with rounds": [add(1), add(2), DONE],
    "blocked": [BLOCKED],
    "refused": [FAILING],
    "refused in a round": [add(1), FAILING],
    "waiting": [calling(call("spell", "s", text="x"))],
    "answer": [DONE],
    "fork": [],
    "restore": [],
}


@given(
    way=st.sampled_from(list(WAYS.values())), steps=st.lists(st.sampled_from(list(STEPS)), max_size=8), data=st.data()
)
def test_whatever_happens_it_can_be_taken_back(way: Way, steps: list[str], data: st.DataObject) -> None:
    """L6, L7, L8: at every step what is explained is what the histories hold, no call in the curated one is without
    its response, and taking back as many turns as have been added since gives the histories as they were.
    """
    talk = begin(way, config=Shop().config, approve={"spell"})
    before: list[tuple[list[Json], list[Json]]] = [([], [])]
    for step in steps:
        if step == "fork":
            talk = fork_of(talk)
        elif step == "restore":
            talk = restore(way, talk.chat.snapshot(), tools=Shop().tools, approve={"spell"})
        elif step == "answer":
            if not talk.pending:
                continue
            talk.transport.add(DONE)
            talk.answer([talk.chat.refuse_call(each) for each in talk.chat.pending_calls])
        else:
            talk.transport.add(*STEPS[step])
            try:
                talk.say(step)
            except APIError:
                assert step.startswith("refused")
        agrees(talk)
        assert closed(talk.history())
        shown = talk.history(curated=False)
        if step in ("answer", "fork", "restore") or shown == before[-1][1]:
            before[-1] = talk.history(), shown
        else:
            before.append((talk.history(), shown))
    if len(before) > 1:
        n = data.draw(st.integers(1, len(before) - 1))
        talk.chat.rewind(n)
        assert (talk.history(), talk.history(curated=False)) == before[-n - 1]
        assert talk.pending == []
        agrees(talk)
    else:
        with pytest.raises(ValidationError):
            talk.chat.rewind()


def test_the_two_kinds_of_chat() -> None:
    """Both have all of these."""
    for name in ("fork", "rewind", "explain", "snapshot"):
        assert getattr(Chat, name) is getattr(AsyncChat, name)
