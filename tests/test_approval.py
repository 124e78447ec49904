"""Function calls that wait for the program: who is asked before one runs, and how they are answered."""

from __future__ import annotations

import asyncio
import gc
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
    every_way,
    final,
    response,
    restore,
    rounds,
    text_of,
)

import chatproto
from chatproto import types
from chatproto.errors import ConnectionLost, FunctionError, ValidationError
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.wire import error_response

TWO = calling(call("add", "c1", a=1), call("spell", "c2", text="ab"))
ANSWERS = [response("add", "c1", result=2), response("spell", "c2", result=["a", "b"])]


def run_all(talk: Talk) -> list[types.Part]:
    """What the functions of all open calls return."""
    return [talk.call(each) for each in talk.chat.pending_calls]


# --- who waits ------------------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    "approve",
    [True, "add", ["add"], ("add",), {"add"}, frozenset({"add", "other"}), {"add": "dangerous"}],
    ids=["True", "name", "list", "tuple", "set", "frozenset", "keys"],
)
def test_the_calls_of_named_functions_wait(way: Way, approve: Any) -> None:
    """And with them all others of the round: none has run. The answers go back, and the model goes on."""
    shop = Shop()
    talk = begin(way, TWO, DONE, config=shop.config, approve=approve)
    heard = talk.say("q")[-1]
    assert [each.id for each in heard.function_calls or ()] == talk.pending == ["c1", "c2"]
    assert [each.name for each in talk.chat.pending_calls] == ["add", "spell"]
    assert shop.ran == []
    assert len(talk.transport.requests) == 1
    assert talk.history() == []
    assert len(talk.history(curated=False)) == 2
    assert talk.chat.turns == ()
    parts = run_all(talk)
    assert shop.ran == [(1, 1), "ab"]
    assert len(talk.transport.requests) == 1
    assert text_of(talk.answer(parts)) == "done"
    assert talk.told() == ANSWERS
    assert talk.pending == []
    assert talk.outcomes == ["completed"]
    assert closed(talk.history())


@every_way
@pytest.mark.parametrize("approve", [None, False, [], (), "other", {"spells"}], ids=repr)
def test_where_nobody_waits(way: Way, approve: Any) -> None:
    """Functions that are not named run."""
    shop = Shop()
    talk = begin(way, TWO, DONE, config=shop.config, approve=approve)
    assert text_of(talk.say("q")) == "done"
    assert shop.ran == [(1, 1), "ab"] or way.asynchronous


@every_way
def test_a_function_is_asked_about_each_call(way: Way) -> None:
    """It sees the call with its arguments. True runs it, False tells the model that it was refused."""
    shop = Shop()
    asked: list[Any] = []

    def approve(wanted: types.FunctionCall) -> bool:
        asked.append((wanted.id, wanted.name, wanted.args, len(shop.ran)))
        return wanted.name != "spell"

    talk = begin(way, TWO, add(3), DONE, config=shop.config, approve=approve)
    assert text_of(talk.say("q")) == "done"
    assert asked == [
        ("c1", "add", {"a": 1}, 0),
        ("c2", "spell", {"text": "ab"}, 0),
        ("c3", "add", {"a": 3}, 1),
    ]
    assert talk.told(1) == [ANSWERS[0], response("spell", "c2", error="the call was refused")]
    assert shop.ran == [(1, 1), (3, 1)]
    assert talk.outcomes == ["completed"]


@every_way
def test_all_calls_of_a_round_are_refused(way: Way) -> None:
    """The model is told of each, and nothing has run."""
    shop = Shop()
    talk = begin(way, TWO, DONE, config=shop.config, approve=lambda _: False)
    assert text_of(talk.say("q")) == "done"
    assert [each["response"] for each in talk.told()] == [{"error": "the call was refused"}] * 2
    assert shop.ran == []


@every_way
@pytest.mark.parametrize("others", [True, False])
def test_one_that_waits_holds_up_its_round(way: Way, others: bool) -> None:
    """None of the round has run, whatever was said of the others, and no refusal was sent."""
    shop = Shop()
    talk = begin(way, TWO, DONE, config=shop.config, approve=lambda wanted: None if wanted.name == "spell" else others)
    talk.say("q")
    assert (shop.ran, talk.pending, len(talk.transport.requests)) == ([], ["c1", "c2"], 1)
    talk.answer(run_all(talk))
    assert shop.ran == [(1, 1), "ab"]
    assert talk.told() == ANSWERS


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["function", "object", "hidden"])
def test_async_chats_may_ask_in_their_time(streamed: bool, kind: str) -> None:
    """``approve`` may be async, in whatever form; it is asked about one call after the other."""
    shop = Shop()
    inside: list[str] = []

    async def ask(wanted: types.FunctionCall) -> bool | None:
        assert not inside
        inside.append(str(wanted.name))
        await asyncio.sleep(0)
        inside.clear()
        return {"c1": True, "c2": False}.get(str(wanted.id))

    class Asking:
        async def __call__(self, wanted: types.FunctionCall) -> bool | None:
            return await ask(wanted)

    approve: Any = {"function": ask, "object": Asking(), "hidden": lambda wanted: ask(wanted)}[kind]
    talk = begin(Way(True, streamed), TWO, add(3), config=shop.config, approve=approve)
    talk.say("q")
    assert talk.told(1) == [ANSWERS[0], response("spell", "c2", error="the call was refused")]
    assert (talk.pending, shop.ran) == (["c3"], [(1, 1)])


async def approving(_: types.FunctionCall) -> bool:
    """Says yes, in its time."""
    return True


def test_async_approval_needs_an_async_chat() -> None:
    """It is told when the chat is made, or restored."""
    client = chatproto.Client(transport=ScriptedTransport())
    with pytest.raises(ValidationError, match=r"client\.aio\.chats") as raised:
        client.chats.create(model=MODEL, approve=approving)
    assert raised.value.path == "$.approve"
    with pytest.raises(ValidationError, match=r"client\.aio\.chats"):
        client.chats.restore(client.chats.create(model=MODEL).snapshot(), approve=approving)


@both
@pytest.mark.parametrize("approve", [5, 1.5, object()], ids=["int", "float", "object"])
def test_what_cannot_approve(way: Way, approve: Any) -> None:
    """It is told when the chat is made."""
    with pytest.raises(ValidationError, match="approve is a function") as raised:
        begin(way, approve=approve)
    assert raised.value.path == "$.approve"


@every_way
@pytest.mark.parametrize("said", ["yes", 1, 0, "", []], ids=repr)
def test_an_answer_that_is_none(way: Way, said: Any) -> None:
    """It is an error of the program: it is raised, nothing has run, and the calls are open."""
    shop = Shop()
    talk = begin(way, TWO, DONE, config=shop.config, approve=lambda _: said)
    with pytest.raises(ValidationError, match="approve gives True, False or None"):
        talk.say("q")
    assert (shop.ran, talk.pending) == ([], ["c1", "c2"])
    assert text_of(talk.answer(run_all(talk))) == "done"


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_must_be_awaited_in_a_sync_chat(streamed: bool) -> None:
    """It is raised as any other that is none, and nothing is left that was never awaited."""
    talk = begin(Way(False, streamed), TWO, config=Shop().config, approve=lambda wanted: approving(wanted))
    with pytest.raises(ValidationError, match="approve gives True, False or None"):
        talk.say("q")
    gc.collect()
    assert talk.pending == ["c1", "c2"]


@every_way
@pytest.mark.parametrize("error", [KeyError("lost"), FunctionError("for the model"), KeyboardInterrupt()], ids=repr)
def test_an_exception_in_the_one_who_is_asked(way: Way, error: BaseException) -> None:
    """It comes through; nothing has run, and the calls are open."""
    shop = Shop()
    errors = [error]

    def approve(wanted: types.FunctionCall) -> bool:
        if wanted.name == "spell" and errors:
            raise errors.pop()
        return True

    talk = begin(way, TWO, DONE, config=shop.config, approve=approve)
    with pytest.raises(type(error)):
        talk.say("q")
    assert (shop.ran, talk.pending) == ([], ["c1", "c2"])
    assert text_of(talk.answer(run_all(talk))) == "done"


@every_way
def test_nobody_is_asked_about_what_is_not_there(way: Way) -> None:
    """A function that the program does not have cannot run: the model is told at once."""
    asked: list[str | None] = []
    talk = begin(
        way, calling(call("nothing", "c1")), DONE, config=Shop().config, approve=lambda it: asked.append(it.name)
    )
    assert text_of(talk.say("q")) == "done"
    assert asked == []
    assert "there is no function 'nothing'" in talk.told()[0]["response"]["error"]


@every_way
def test_nobody_is_asked_where_the_program_answers(way: Way) -> None:
    """Where automatic calling is off, all calls wait."""
    asked: list[str | None] = []
    config = {**Shop().config, "automatic_function_calling": {"disable": True}}
    talk = begin(way, TWO, config=config, approve=lambda wanted: asked.append(wanted.name))
    talk.say("q")
    assert (asked, talk.pending) == ([], ["c1", "c2"])


# --- how they are answered ------------------------------------------------------------------------------------------

WAYS_TO_ANSWER: dict[str, Callable[[Json], Any]] = {
    "dict": lambda answer: answer,
    "FunctionResponse": types.FunctionResponse.model_validate,
    "Part": lambda answer: types.Part(function_response=types.FunctionResponse.model_validate(answer)),
    "part as a dict": lambda answer: {"function_response": answer},
}


@every_way
@pytest.mark.parametrize("form", WAYS_TO_ANSWER)
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the other way"])
@pytest.mark.parametrize("ids", [True, False], ids=["ids", "names"])
def test_answers_in_every_form_and_order(way: Way, form: str, order: int, ids: bool) -> None:
    """An answer finds its call by its id, or else by its name; the id is sent."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    kept = [each if ids else {key: held for key, held in each.items() if key != "id"} for each in ANSWERS[::order]]
    assert text_of(talk.answer(list(map(WAYS_TO_ANSWER[form], kept)))) == "done"
    assert talk.told() == ANSWERS[::order]
    assert closed(talk.history())


@every_way
@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([], "function response"),
        (ANSWERS[:1], "left without a response: spell"),
        (ANSWERS[1:], "left without a response: add"),
        ([*ANSWERS, ANSWERS[0]], "answers no open function call"),
        ([ANSWERS[0], {**ANSWERS[1], "id": "c9"}], "answers no open function call"),
        ([ANSWERS[0], {"name": "other", "response": {}}], "answers no open function call"),
        ([{"name": "add", "response": {}}, {"name": "add", "response": {}}], "answers no open function call"),
        ([ANSWERS[0], {"name": "spell", "response": 5}], "response"),
        ([ANSWERS[0], {"nmae": "spell"}], "answers no open function call"),
        ([ANSWERS[0], "spelled"], "expected a types.FunctionResponse"),
        ([ANSWERS[0], types.Part(text="spelled")], "left without a response: spell"),
    ],
    ids=["none", "first", "second", "more", "id", "name", "twice", "value", "field", "text", "text part"],
)
def test_answers_that_do_not_fit(way: Way, answers: list[Any], problem: str) -> None:
    """They are refused before anything is sent, the calls are open as before, and the right answer still does."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    before = talk.chat.snapshot()
    with pytest.raises(ValidationError, match=problem):
        talk.answer(answers)
    assert talk.chat.snapshot() == before
    assert (talk.pending, len(talk.transport.requests)) == (["c1", "c2"], 1)
    assert text_of(talk.answer(ANSWERS)) == "done"
    assert talk.told() == ANSWERS


@every_way
@pytest.mark.parametrize(
    "given", [5, 2.5, "done", b"done", types.UserContent("done")], ids=lambda each: type(each).__name__
)
def test_what_is_no_answer(way: Way, given: Any) -> None:
    """It is refused before anything is sent."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    with pytest.raises(ValidationError):
        talk.answer(given)
    assert (talk.pending, len(talk.transport.requests)) == (["c1", "c2"], 1)


@every_way
@pytest.mark.parametrize("form", WAYS_TO_ANSWER)
def test_one_answer_needs_no_list(way: Way, form: str) -> None:
    """Where one call waits."""
    talk = begin(way, add(1), DONE, config=Shop().config, approve=True)
    talk.say("q")
    assert text_of(talk.answer(WAYS_TO_ANSWER[form](ANSWERS[0]))) == "done"
    assert talk.history() == [*rounds(1), final()]


@every_way
def test_answers_that_nobody_waits_for(way: Way) -> None:
    """There has to be a call that is open."""
    talk = begin(way, "fine", DONE, config=Shop().config)
    for _ in range(2):
        with pytest.raises(ValidationError, match="no function call is open"):
            talk.answer(ANSWERS)
        talk.say("q")
    assert talk.outcomes == ["completed", "completed"]


@every_way
@pytest.mark.parametrize("reason", ["", "not on Sundays"])
def test_refusing_a_call(way: Way, reason: str) -> None:
    """The model is told, and why; others of the round may have run."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    first, second = talk.chat.pending_calls
    refusal = talk.chat.refuse_call(second, reason) if reason else talk.chat.refuse_call(second)
    assert len(talk.transport.requests) == 1
    assert text_of(talk.answer([refusal, talk.call(first)])) == "done"
    text = f"the call was refused: {reason}" if reason else "the call was refused"
    assert talk.told() == [response("spell", "c2", error=text), ANSWERS[0]]


@every_way
def test_calling_a_function_that_fails(way: Way) -> None:
    """As in a round that runs by itself, the answer says so."""

    def boom() -> None:
        raise RuntimeError("the key is 123")

    def beep() -> None:
        raise FunctionError("not now")

    asked = calling(call("boom", "c1"), call("beep", "c2"), call("nothing", "c3"), call("boom", "c4", x=1))
    talk = begin(way, asked, DONE, config={"tools": [boom, beep]}, approve=True)
    talk.say("q")
    talk.answer(run_all(talk))
    assert [(each["id"], each["response"]["error"]) for each in talk.told()] == [
        ("c1", "boom raised RuntimeError"),
        ("c2", "not now"),
        ("c3", "there is no function 'nothing'; there are: boom, beep"),
        ("c4", 'boom was not called: it has no argument "x"; it takes none'),
    ]


@every_way
def test_calling_a_function_where_there_are_none(way: Way) -> None:
    """It is told, and the call is open: the program has its own ways."""
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="add")])
    talk = begin(way, add(1), DONE, config={"tools": [tool]})
    talk.say("q")
    with pytest.raises(ValidationError, match="no functions to run"):
        talk.call(talk.chat.pending_calls[0])
    assert talk.pending == ["c1"]
    assert text_of(talk.answer([response("add", result=2)])) == "done"
    assert talk.history() == [*rounds(1), final()]


@every_way
def test_pending_calls_are_the_callers_own(way: Way) -> None:
    """Changing one changes nothing that is sent."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    for each in talk.chat.pending_calls:
        each.id, each.name = "x", "y"
        each.args.clear()
    assert talk.pending == ["c1", "c2"]
    talk.answer(run_all(talk))
    assert talk.told() == ANSWERS
    assert talk.sent()[1] == TWO["candidates"][0]["content"]


@every_way
def test_a_message_answers_too(way: Way) -> None:
    """``send_message`` with function responses is the same, as in google-genai; another message gives the turn up."""
    shop = Shop()
    talk = begin(way, TWO, add(3), DONE, TWO, "fine", config=shop.config, approve={"spell"})
    talk.say("q")
    assert text_of(talk.say(run_all(talk))) == "done"
    assert shop.ran == [(1, 1), "ab", (3, 1)]
    assert talk.outcomes == ["completed"]
    talk.say("again")
    assert talk.pending == ["c1", "c2"]
    talk.say("never mind")
    assert talk.outcomes == ["completed", "abandoned", "completed"]
    assert talk.pending == []
    assert closed(talk.history())
    assert len(talk.history()) == 8


# --- going on -------------------------------------------------------------------------------------------------------


@every_way
def test_the_loop_goes_on_after_an_answer(way: Way) -> None:
    """Rounds that need nobody run by themselves, and the next that does waits again."""
    shop = Shop()
    spelling = calling(call("spell", "s1", text="x"))
    talk = begin(way, add(1), spelling, add(2), add(3), spelling, DONE, config=shop.config, approve={"spell"})
    assert [talk.pending for _ in [talk.say("q")]] == [["s1"]]
    assert (shop.ran, len(talk.transport.requests)) == ([(1, 1)], 2)
    heard = talk.answer(run_all(talk))
    assert talk.pending == ["s1"]
    assert (shop.ran, len(talk.transport.requests)) == ([(1, 1), "x", (2, 1), (3, 1)], 5)
    assert len(heard) == (3 if way.streamed else 1)
    heard = talk.answer([talk.chat.refuse_call(talk.chat.pending_calls[0])])
    assert (text_of(heard), talk.pending) == ("done", [])
    assert talk.outcomes == ["completed"]
    assert closed(talk.history())
    assert len(talk.history()) == 12


@every_way
def test_the_way_to_answer_may_change(way: Way) -> None:
    """A streamed question may be gone on with for the whole answer, and the other way round."""
    talk = begin(way, TWO, add(3), DONE, config=Shop().config, approve={"spell"})
    talk.say("q")
    other = Talk(Way(way.asynchronous, not way.streamed), talk.chat, talk.transport)
    heard = other.answer(run_all(talk))
    assert text_of(heard) == "done"
    assert len(heard) == (2 if other.way.streamed else 1)
    methods = [each.url.rpartition(":")[2].partition("?")[0] for each in talk.transport.requests]
    names = ["generateContent", "streamGenerateContent"]
    assert methods == [names[way.streamed], names[not way.streamed], names[not way.streamed]]


@every_way
def test_answers_are_sent_as_the_message_was(way: Way) -> None:
    """With its config and its functions, not the chat's; unless another is given, for the rest of the turn."""
    shop, other = Shop(), Shop()
    talk = begin(way, add(1), add(2), add(3), DONE, "bye", config={"temperature": 0.0}, approve={"add"})
    talk.say("q", {"temperature": 1.0, "tools": shop.tools})
    talk.answer(run_all(talk))
    assert (shop.ran, talk.pending) == ([(1, 1)], ["c2"])
    talk.answer(run_all(talk), {"temperature": 2.0, "tools": other.tools})
    assert (shop.ran, other.ran, talk.pending) == ([(1, 1), (2, 1)], [], ["c3"])
    talk.answer(run_all(talk))
    assert other.ran == [(3, 1)]
    sent = [each.json() for each in talk.transport.requests]
    assert [each["generationConfig"]["temperature"] for each in sent] == [1.0, 1.0, 2.0, 2.0]
    assert all("tools" in each for each in sent)
    talk.say("q")
    assert talk.transport.requests[-1].json()["generationConfig"] == {"temperature": 0.0}


@every_way
def test_a_wrong_config_leaves_the_calls_open(way: Way) -> None:
    """It is told before anything is sent."""
    talk = begin(way, TWO, DONE, config=Shop().config, approve=True)
    talk.say("q")
    with pytest.raises(ValidationError, match="temprature"):
        talk.answer(ANSWERS, {"temprature": 1})
    assert talk.pending == ["c1", "c2"]
    assert text_of(talk.answer(ANSWERS)) == "done"


@every_way
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Answer(error_response(503), status=503), chatproto.errors.ServerError),
        (Answer(DONE, cut_at=20), ConnectionLost),
    ],
    ids=["503", "cut"],
)
def test_answers_that_did_not_get_through(way: Way, error: Any, kind: type[Exception]) -> None:
    """The calls are open again: the same answers can be sent once more, or others."""
    shop = Shop()
    for again in (None, [response("add", result="other"), response("spell", result="wise")]):
        talk = begin(way, TWO, error, error, DONE, config=shop.config, approve=True)
        talk.say("q")
        with pytest.raises(kind):
            talk.answer(ANSWERS)
        assert talk.pending == ["c1", "c2"]
        with pytest.raises(kind):
            talk.answer()
        assert talk.pending == ["c1", "c2"]
        assert text_of(talk.answer(again)) == "done"
        wanted = ANSWERS if again is None else [{**one, "id": f"c{at}"} for at, one in enumerate(again, start=1)]
        assert talk.told() == wanted
        assert [talk.told(number) for number in (1, 2)] == [ANSWERS, ANSWERS]
        assert talk.outcomes == ["completed"]


@every_way
def test_the_most_requests_hold_for_the_rounds_after_an_answer(way: Way) -> None:
    """What the program answers itself is not counted; what runs by itself is."""
    shop = Shop()
    config = {**shop.config, "automatic_function_calling": {"maximum_remote_calls": 2}}
    spelling = calling(call("spell", "s1", text="x"))
    talk = begin(way, spelling, spelling, add(1), add(2), add(3), config=config, approve={"spell"})
    talk.say("q")
    talk.answer(run_all(talk))
    assert talk.pending == ["s1"]
    talk.answer(run_all(talk))
    assert (shop.ran, talk.pending) == (["x", "x", (1, 1)], ["c2"])
    assert len(talk.transport.requests) == 4


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stream_of_answers_is_left(asynchronous: bool) -> None:
    """The calls are open again; a stream that was never read has sent nothing."""
    talk = begin(Way(asynchronous, True), TWO, ["do", "ne"], DONE, config=Shop().config, approve=True)
    talk.say("q")

    async def leave() -> None:
        unread = await talk.chat.send_function_responses(ANSWERS, stream=True)
        await unread.aclose()
        async with await talk.chat.send_function_responses(ANSWERS, stream=True) as stream:
            assert (await anext(stream)).text == "do"

    if asynchronous:
        asyncio.run(leave())
    else:
        talk.chat.send_function_responses(ANSWERS, stream=True).close()
        with talk.chat.send_function_responses(ANSWERS, stream=True) as stream:
            assert next(stream).text == "do"
    assert len(talk.transport.requests) == 2
    assert talk.pending == ["c1", "c2"]
    assert text_of(talk.answer()) == "done"
    assert talk.told() == ANSWERS


# --- kept, and restored ----------------------------------------------------------------------------------------------

OTHERS = [(way, other) for way in WAYS.values() for other in WAYS.values() if way != other]
each_pair = pytest.mark.parametrize(("way", "other"), OTHERS, ids=[f"{a} to {b}" for a in WAYS for b in WAYS if a != b])


@each_pair
def test_a_chat_that_waits_is_restored_in_another(way: Way, other: Way) -> None:
    """With its calls, its settings and its way of going on; handed its functions again, the loop goes on there."""
    shop, there = Shop(), Shop()
    config = {**shop.config, "temperature": 0.5}
    talk = begin(way, add(1), DONE, TWO, config=config, approve={"spell"})
    talk.say("q")
    talk.say("more")
    kept = restore(other, talk.chat.snapshot(), add(3), TWO, DONE, tools=there.tools, approve={"spell"})
    assert kept.pending == ["c1", "c2"]
    assert kept.history() == talk.history()
    assert kept.history(curated=False) == talk.history(curated=False)
    kept.answer(run_all(kept))
    assert (shop.ran, there.ran, kept.pending) == ([(1, 1)], [(1, 1), "ab", (3, 1)], ["c1", "c2"])
    first = kept.transport.requests[0].json()
    assert first["tools"] == talk.transport.requests[0].json()["tools"]
    assert first["generationConfig"] == {"temperature": 0.5}
    assert kept.told(0) == ANSWERS
    assert text_of(kept.answer(ANSWERS)) == "done"
    assert kept.outcomes == ["completed", "completed"]
    assert closed(kept.history())
    assert len(kept.history()) == 12


@each_pair
def test_a_chat_that_waits_is_restored_without_functions(way: Way, other: Way) -> None:
    """Its calls are answered by hand, those that follow too."""
    talk = begin(way, TWO, config=Shop().config, approve=True)
    talk.say("q")
    kept = restore(other, talk.chat.snapshot(), add(3), DONE)
    with pytest.raises(ValidationError, match="no functions to run"):
        kept.call(kept.chat.pending_calls[0])
    kept.answer(ANSWERS)
    assert kept.pending == ["c3"]
    assert text_of(kept.answer([response("add", result=4)])) == "done"
    assert kept.outcomes == ["completed"]


@every_way
def test_answers_that_did_not_get_through_are_kept(way: Way) -> None:
    """A snapshot has them: they are sent from there without running a function."""
    shop = Shop()
    talk = begin(way, TWO, Answer(error_response(503), status=503), config=shop.config)
    with pytest.raises(chatproto.errors.ServerError):
        talk.say("q")
    kept = restore(way, talk.chat.snapshot(), DONE, tools=shop.tools)
    assert text_of(kept.answer()) == "done"
    assert kept.told() == ANSWERS or way.asynchronous
    assert len(shop.ran) == 2


@every_way
def test_a_fork_of_a_chat_that_waits(way: Way) -> None:
    """The calls wait in both, with the functions and who is asked; each goes its own way."""
    shop = Shop()
    talk = begin(way, TWO, "one", TWO, "two", config=shop.config, approve=True)
    talk.say("q")
    fork = Talk(way, talk.chat.fork(), talk.transport)
    assert text_of(talk.answer(ANSWERS)) == "one"
    assert fork.pending == ["c1", "c2"]
    fork.say("again")
    assert fork.outcomes == ["abandoned"]
    assert text_of(fork.answer(run_all(fork))) == "two"
    assert shop.ran == [(1, 1), "ab"]
    assert talk.history()[-1] == final("one")
    assert fork.history() == [{"role": "user", "parts": [{"text": "again"}]}, *talk.history()[1:-1], final("two")]
    assert talk.history()[0] == QUESTION
