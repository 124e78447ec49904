"""Answers over several requests, through the face: one answer, whole, whatever happens between its pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
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
    call,
    calling,
    closed,
    every_stream,
    every_way,
    final,
    response,
    restore,
    rounds,
    run,
    text_of,
    wire,
)

import chatproto
from chatproto import types
from chatproto.errors import (
    ChatProtoError,
    ClientError,
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    MalformedResponse,
    RemoteProtocolError,
    ServerError,
    TimedOut,
)
from chatproto.machines.continuation import MAX_HOPS
from chatproto.testing import Answer, ScriptedTransport
from chatproto.testing.servers import RESET, LoopbackServer, Received, chunk, head
from chatproto.testing.wire import error_response, sse
from chatproto_aiohttp import AiohttpTransport
from chatproto_httpx import HttpxTransport
from chatproto_requests import RequestsTransport

MORE = "CONTINUATION"
T1, T2, T3 = "dDE=", "dDI=", "dDM="


def hop(text: str = "", token: str | None = None, reason: str | None = None, usage: Json | None = None) -> Json:
    """A piece of an answer. With a token and no reason of its own it says that the answer goes on."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}] if text else []}}
    if token is not None:
        candidate["continuationToken"] = token
    if reason or token:
        candidate["finishReason"] = reason or MORE
    return {"candidates": [candidate]} | ({} if usage is None else {"usageMetadata": usage})


def open_ended(text: str, token: str) -> Json:
    """A chunk in the middle of a stream, with a token and no finish reason."""
    made = hop(text, token)
    del made["candidates"][0]["finishReason"]
    return made


def tokens(talk: Talk) -> list[str | None]:
    """What each request continued."""
    return [each.json().get("continuationToken") for each in talk.transport.requests]


def same_but_for_tokens(talk: Talk) -> bool:
    """Whether all requests are one request, but for what they continue."""
    sent = [{**each.json(), "continuationToken": None} for each in talk.transport.requests]
    return all(each == sent[0] for each in sent) and len({each.url for each in talk.transport.requests}) == 1


def first(answer: types.GenerateContentResponse | None) -> types.Candidate:
    """The candidate that a chat goes on with."""
    assert answer is not None
    assert answer.candidates
    return answer.candidates[0]


def reason_of(answer: types.GenerateContentResponse) -> str | None:
    """Its finish reason."""
    reason = first(answer).finish_reason
    return None if reason is None else reason.value


def usage(prompt: int, answer: int) -> Json:
    """Token counts."""
    return {"promptTokenCount": prompt, "candidatesTokenCount": answer, "totalTokenCount": prompt + answer}


# --- one answer -----------------------------------------------------------------------------------------------------


@every_way
def test_an_answer_is_asked_for_until_it_is_whole(way: Way) -> None:
    """The same request with the token of the last piece; the history has one answer, and the next request all of it."""
    answers = [
        hop("It ", T1, usage=usage(3, 1)),
        hop("goes ", T2, usage=usage(4, 2)),
        hop("on.", None, "STOP", usage(5, 3)),
    ]
    talk = begin(way, *answers, "fine", config={"temperature": 0.5})
    heard = talk.say("q")
    assert text_of(heard) == "It goes on."
    assert tokens(talk) == [None, T1, T2]
    assert same_but_for_tokens(talk)
    assert talk.history() == talk.history(curated=False) == [QUESTION, final("It goes on.")]
    assert talk.outcomes == ["completed"]
    last = heard[-1]
    assert (reason_of(last), first(last).continuation_token) == ("STOP", None)
    assert last.usage_metadata is not None
    counts = last.usage_metadata
    assert (counts.prompt_token_count, counts.candidates_token_count, counts.total_token_count) == (12, 6, 18)
    assert counts.initial_prompt_token_count == 3
    talk.say("and?")
    assert tokens(talk)[-1] is None
    assert talk.sent() == [QUESTION, final("It goes on."), {"role": "user", "parts": [{"text": "and?"}]}]


@every_way
def test_what_is_handed_out(way: Way) -> None:
    """A whole answer comes as one response, its parts as they came. A stream hands out each chunk, without the reason
    that only says that it goes on.
    """
    talk = begin(way, hop("a", T1), hop("b", T2), hop("c", None, "MAX_TOKENS"))
    heard = [
        ([part.text for part in each.parts or ()], reason_of(each), first(each).continuation_token)
        for each in talk.say("q")
    ]
    if way.streamed:
        assert heard == [(["a"], None, b"t1"), (["b"], None, b"t2"), (["c"], "MAX_TOKENS", None)]
    else:
        assert heard == [(["a", "b", "c"], "MAX_TOKENS", None)]
    assert talk.chat.turns[0].reason == "finish reason MAX_TOKENS"


@every_stream
def test_a_stream_of_many_chunks_goes_on(way: Way) -> None:
    """The latest token counts, and the usage of a chunk is that of the hops before and of its own so far."""
    one = [hop("a", usage=usage(3, 1)), open_ended("b", T1), hop("c", T2, usage=usage(3, 2))]
    two = [hop("d", usage=usage(5, 1)), hop("e", None, "STOP", usage(5, 4))]
    talk = begin(way, one, two)
    heard = talk.say("q")
    assert [each.text for each in heard] == ["a", "b", "c", "d", "e"]
    assert tokens(talk) == [None, T2]
    totals = [each.usage_metadata and each.usage_metadata.total_token_count for each in heard]
    assert totals == [4, None, 5, 11, 14]
    assert talk.history() == [QUESTION, final("abcde")]


@every_way
def test_it_can_be_off(way: Way) -> None:
    """``automatic_continuation=False``: the piece is the answer, and the program sees the token."""
    for config in ({"automatic_continuation": False}, None):
        options: Json = {"config": config} if config else {}
        talk = begin(way, hop("a", T1), "fine", **options)
        (heard,) = talk.say("q", None if config else {"automatic_continuation": False})
        assert (reason_of(heard), first(heard).continuation_token) == (MORE, b"t1")
        assert tokens(talk) == [None]
        assert talk.history() == [QUESTION, final("a")]


@every_way
def test_a_schema_is_read_from_the_whole_answer(way: Way) -> None:
    """``parsed`` of a whole answer; a chunk alone is none."""
    config = {"response_schema": list[int], "response_mime_type": "application/json"}
    talk = begin(way, hop("[1, ", T1), hop("2]", None, "STOP"), config=config)
    assert [each.parsed for each in talk.say("q")] == ([None, None] if way.streamed else [[1, 2]])


@every_way
def test_all_hops_are_sent_as_the_message_was(way: Way) -> None:
    """With its address, its time and its headers."""
    noted: list[Any] = []

    class Noting(ScriptedTransport):
        def open(self, request: Any, secrets: Any) -> Any:
            noted.append((request.url, request.timeout, dict(secrets.headers_for(request)).get("x-mine")))
            return super().open(request, secrets)

        def aopen(self, request: Any, secrets: Any) -> Any:
            return self.open(request, secrets)

    transport = Noting(hop("a", T1), hop("b", T2), hop("c", None, "STOP"))
    client = chatproto.Client(transport=transport)
    chat: Any = (client.aio if way.asynchronous else client).chats.create(model=MODEL)
    Talk(way, chat, transport).say("q", {"http_options": {"timeout": 1500, "headers": {"x-mine": "yes"}}})
    assert len(noted) == 3
    assert set(noted) == {(noted[0][0], 1.5, "yes")}


@every_way
def test_questions_without_a_chat_are_continued(way: Way) -> None:
    """``client.models``, too."""
    transport = ScriptedTransport(hop("a", T1), hop("b", None, "STOP"))
    client = chatproto.Client(transport=transport)
    models: Any = (client.aio if way.asynchronous else client).models
    generate = models.generate_content_stream if way.streamed else models.generate_content
    answer = generate(model=MODEL, contents="q")
    if way.asynchronous:

        async def awaited() -> list[Any]:
            got = await answer
            return [each async for each in got] if way.streamed else [got]

        heard = run(awaited())
    else:
        heard = list(answer) if way.streamed else [answer]
    assert text_of(heard) == "ab"
    assert [each.json().get("continuationToken") for each in transport.requests] == [None, T1]


# --- with functions -------------------------------------------------------------------------------------------------


def broken_off(document: Json, token: str) -> Json:
    """An answer that is not whole yet."""
    (candidate,) = document["candidates"]
    return {"candidates": [{**candidate, "finishReason": MORE, "continuationToken": token}]}


@every_way
def test_calls_over_several_hops_are_one_round(way: Way) -> None:
    """They run once the answer is whole; the answer to their results may be continued as well."""
    shop = Shop()
    first = broken_off(calling(call("add", "c1", a=1), text="Let me see. "), T1)
    talk = begin(
        way, first, calling(call("spell", "c2", text="x")), hop("do", T2), hop("ne", None, "STOP"), config=shop.config
    )
    heard = talk.say("q")
    assert text_of(heard[-2:] if way.streamed else heard) == "done"
    assert sorted(map(str, shop.ran)) == ["(1, 1)", "x"]
    assert tokens(talk) == [None, T1, None, T2]
    assert talk.sent(0) == talk.sent(1) == [QUESTION]
    assert talk.sent(2) == talk.sent(3)
    assert talk.told() == [response("add", "c1", result=2), response("spell", "c2", result=["x"])]
    assert [len(content["parts"]) for content in talk.history()] == [1, 3, 2, 1]
    assert talk.history()[-1] == final()
    assert closed(talk.history())


@every_way
def test_hops_are_no_rounds(way: Way) -> None:
    """``maximum_remote_calls`` does not count them."""
    shop = Shop()
    config = {**shop.config, "automatic_function_calling": {"maximum_remote_calls": 2}}
    answers = [hop("a", T1), hop("b", T2), broken_off(add(1), T3), hop("c", None, "STOP")]
    talk = begin(way, *answers, hop("d", T1), hop("one", None, "STOP"), config=config)
    assert text_of(talk.say("q")).endswith("done")
    assert shop.ran == [(1, 1)]
    assert tokens(talk) == [None, T1, T2, T3, None, T1]


@every_way
def test_calls_wait_until_the_answer_is_whole(way: Way) -> None:
    """An answer that fails after the first of its calls has called nothing."""
    shop = Shop()
    talk = begin(way, broken_off(add(1), T1), Answer(error_response(400), status=400), config=shop.config)
    with pytest.raises(ClientError) as raised:
        talk.say("q")
    assert (shop.ran, talk.pending, talk.outcomes) == ([], [], ["failed"])
    assert raised.value.partial is not None
    assert [each.id for each in raised.value.partial.function_calls or ()] == ["c1"]


# --- what goes wrong between the pieces -----------------------------------------------------------------------------

ERRORS: dict[str, tuple[Any, type[ChatProtoError]]] = {
    "503": (Answer(error_response(503), status=503), ServerError),
    "400": (Answer(error_response(400), status=400), ClientError),
    "cut": (Answer(hop("lost", None, "STOP"), cut_at=10), ConnectionLost),
    "stalled": (Answer(hop("lost", None, "STOP"), stall_at=10), TimedOut),
    "refused": (ConnectFailed("nobody listens"), ConnectFailed),
    "malformed": (Answer({"candidates": 5}), MalformedResponse),
}


@every_way
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("rounds_before", [0, 1])
def test_what_had_come_is_not_lost(way: Way, error: str, rounds_before: int) -> None:
    """An error that ends an answer brings what had come of it, with the token to continue it by hand.

    A stream is taken up again where it broke, unless the server refuses that; here it breaks until it is given up.
    """
    shop = Shop()
    broken, kind = ERRORS[error]
    again = 4 if way.streamed and error not in ("503", "400") else 1
    talk = begin(way, *[add(1)] * rounds_before, hop("And ", T1), hop("so ", T2), *[broken] * again, config=shop.config)
    with pytest.raises(kind) as raised:
        talk.say("q")
    partial = raised.value.partial
    assert partial is not None
    assert text_of([partial]) == "And so "
    assert first(partial).continuation_token == b"t2"
    assert tokens(talk)[rounds_before:] == [None, T1, *[T2] * again]
    assert talk.transport.left == 0
    assert talk.history() == []
    assert talk.pending == ["c1"] * rounds_before
    if rounds_before:
        talk.transport.add(hop("do", T3), hop("ne", None, "STOP"))
        assert text_of(talk.answer()) == "done"
        assert tokens(talk)[-2:] == [None, T3]
        assert talk.history() == [*rounds(1), final()]
        assert shop.ran == [(1, 1)]
    else:
        assert talk.outcomes == ["failed"]
        talk.transport.add("fine")
        talk.say("again")
        assert talk.history() == [{"role": "user", "parts": [{"text": "again"}]}, final("fine")]


EVENTS = {"content-type": "text/event-stream"}
BREAKS: dict[str, Callable[[list[Json]], Any]] = {
    "cut": lambda said: Answer(chunks=sse([*said, DONE]), headers=EVENTS, cut_at=len(b"".join(sse(said))) + 9),
    "stalled": lambda said: Answer(chunks=sse([*said, DONE]), headers=EVENTS, stall_at=len(b"".join(sse(said))) + 9),
    "ended": lambda said: said,
    "malformed": lambda said: [*said, {"candidates": 5}],
    "error": lambda said: [*said, error_response(503)],
}


@every_stream
@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("rounds_before", [0, 1])
def test_a_stream_that_breaks_after_a_token_goes_on(way: Way, kind: str, rounds_before: int) -> None:
    """Nobody is told: nothing of it is lost, and nothing comes twice."""
    shop = Shop()
    broken = BREAKS[kind]([open_ended("And ", T1), open_ended("so ", T2)])
    talk = begin(way, *[add(1)] * rounds_before, broken, [hop("it "), hop("goes.", None, "STOP")], config=shop.config)
    heard = talk.say("q")
    assert [each.text for each in heard[rounds_before:]] == ["And ", "so ", "it ", "goes."]
    assert tokens(talk)[rounds_before:] == [None, T2]
    asked = rounds(1) if rounds_before else [QUESTION]
    assert talk.history() == [*asked, final("And so it goes.")]
    assert talk.outcomes == ["completed"]
    assert len(shop.ran) == rounds_before


@every_stream
@pytest.mark.parametrize("kind", ["cut", "stalled", "malformed", "error"])
def test_a_stream_that_breaks_without_a_token(way: Way, kind: str) -> None:
    """It is an error, with what had come."""
    talk = begin(way, BREAKS[kind]([hop("And "), hop("so ")]), "fine")
    with pytest.raises(ChatProtoError) as raised:
        talk.say("q")
    assert raised.value.partial is not None
    assert raised.value.partial.text == "And so "
    assert first(raised.value.partial).continuation_token is None
    assert len(talk.transport.requests) == 1
    talk.say("again")
    assert talk.outcomes == ["failed", "completed"]


@every_way
def test_an_error_before_anything_came_has_no_part(way: Way) -> None:
    """``partial`` is None."""
    talk = begin(way, Answer(error_response(503), status=503))
    with pytest.raises(ServerError) as raised:
        talk.say("q")
    assert raised.value.partial is None


@every_stream
def test_an_error_after_the_end_loses_nothing(way: Way) -> None:
    """The answer was finished, so the turn is whole, whatever came after; the error is told."""
    talk = begin(way, hop("And ", T1), BREAKS["cut"]([hop("so."), hop("", None, "STOP")]))
    with pytest.raises(ConnectionLost):
        talk.say("q")
    assert talk.history() == [QUESTION, final("And so.")]
    assert talk.outcomes == ["completed"]


@every_way
def test_retries_inside_a_hop(way: Way) -> None:
    """A hop is tried again as the program has asked for, with its token."""
    options = {"retry_options": {"attempts": 3, "initial_delay": 1.0, "jitter": 0.0}}
    failing = Answer(error_response(503), status=503)
    answers = [failing, hop("a", T1), failing, failing, hop("b", None, "STOP")]
    talk = begin(way, *answers, config={"http_options": options})
    assert text_of(talk.say("q")) == "ab"
    assert tokens(talk) == [None, None, T1, T1, T1]
    assert talk.transport.slept == [1.0, 1.0, 2.0]


@every_stream
def test_the_same_token_twice_ends_a_stream(way: Way) -> None:
    """The server does not get further: the turn is truncated, as in google-genai, and all of it was handed out."""
    talk = begin(way, hop("a", T1), hop("", T1), "fine")
    assert text_of(talk.say("q")) == "a"
    assert tokens(talk) == [None, T1]
    assert talk.outcomes == ["truncated"]
    assert talk.history() == []
    assert talk.history(curated=False) == [QUESTION, final("a")]


@every_way
def test_there_is_an_end_to_it(way: Way) -> None:
    """A server that never ends is not asked for ever, and what it said is there. google-genai goes on."""
    talk = begin(way, *(hop(f"{number} ", f"dDE{number % 10}") for number in range(MAX_HOPS + 5)))
    with pytest.raises(RemoteProtocolError, match=f"not whole after {MAX_HOPS} requests") as raised:
        talk.say("q")
    assert len(talk.transport.requests) == MAX_HOPS
    assert raised.value.partial is not None
    assert text_of([raised.value.partial]) == "".join(f"{number} " for number in range(MAX_HOPS))
    assert first(raised.value.partial).continuation_token is not None
    assert talk.outcomes == ["failed"]
    assert talk.history() == []


@every_way
def test_a_later_piece_that_is_blocked(way: Way) -> None:
    """What had come was an answer of the model's, with a reason to end."""
    talk = begin(way, hop("And ", T1), hop("", None, "SAFETY"))
    assert text_of(talk.say("q")) == "And "
    assert talk.chat.turns[0].reason == "finish reason SAFETY"
    assert talk.history() == [QUESTION, final("And ")]


# --- who leaves -----------------------------------------------------------------------------------------------------


def opened(talk: Talk, chunks: int) -> Any:
    """A stream that was read so far, and is suspended."""

    async def awaited() -> Any:
        stream = await talk.chat.send_message_stream("q")
        for _ in range(chunks):
            await anext(stream)
        return stream

    if talk.way.asynchronous:
        return run(awaited())
    stream = talk.chat.send_message_stream("q")
    for _ in range(chunks):
        next(stream)
    return stream


@every_stream
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("keep", [False, True])
def test_leaving_between_the_pieces(way: Way, chunks: int, keep: bool) -> None:
    """The turn is given up; where the chat keeps what had come, it keeps that of all hops."""
    answers = [hop("a", T1), hop("b", T2), hop("c", None, "STOP")]
    talk = begin(way, *answers[:chunks], "fine", on_incomplete="keep" if keep else "drop")
    stream = opened(talk, chunks)
    run(stream.aclose()) if way.asynchronous else stream.close()
    whole = chunks == 3
    assert talk.outcomes == ["completed" if whole else "abandoned"]
    assert talk.history() == ([QUESTION, final("abc"[:chunks])] if keep or whole else [])
    assert len(talk.transport.requests) == chunks
    talk.say("on")
    assert talk.outcomes[-1] == "completed"


@every_stream
def test_another_message_between_the_pieces(way: Way) -> None:
    """The answer is not asked for any more."""
    talk = begin(way, hop("a", T1), "fine")
    stream = opened(talk, 1)
    assert text_of(talk.say("on")) == "fine"
    with pytest.raises(LocalProtocolError, match="later message"):
        run(anext(stream)) if way.asynchronous else next(stream)
    assert tokens(talk) == [None, None]
    assert talk.outcomes == ["abandoned", "completed"]


def test_a_task_is_cancelled_between_the_pieces() -> None:
    """The chat is as it was, and free."""

    class Slow(ScriptedTransport):
        def aopen(self, request: Any, secrets: Any) -> Any:
            if "continuationToken" not in request.json():
                return super().aopen(request, secrets)
            waiting.set()
            return Never()

    class Never:
        async def __aenter__(self) -> Any:
            await asyncio.Event().wait()

        async def __aexit__(self, *_: object) -> None:
            """Not reached."""

    async def main() -> None:
        task = asyncio.create_task(talk.chat.send_message("q"))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await talk.chat.send_message("again")).text == "fine"

    waiting = asyncio.Event()
    transport = Slow(hop("a", T1), "fine")
    chat = chatproto.Client(transport=transport).aio.chats.create(model=MODEL)
    talk = Talk(Way(True, False), chat, transport)
    run(main())
    assert talk.outcomes == ["abandoned", "completed"]
    assert talk.history()[-1] == final("fine")


# --- a chat that was restored meanwhile -----------------------------------------------------------------------------


def resumed(talk: Talk) -> list[types.GenerateContentResponse]:
    """What ``resume`` brings."""

    async def awaited() -> list[types.GenerateContentResponse]:
        return [each async for each in await talk.chat.resume()]

    return run(awaited()) if talk.way.asynchronous else list(talk.chat.resume())


def written_after(way: Way, chunks: int, *answers: Any, **options: Any) -> str:
    """A snapshot that was taken while a stream was suspended, which is left then."""
    talk = begin(way, *answers, **options)
    stream = opened(talk, chunks)
    data: str = talk.chat.snapshot()
    run(stream.aclose()) if way.asynchronous else stream.close()
    return data


@every_stream
@pytest.mark.parametrize("there", WAYS)
def test_an_answer_goes_on_where_a_chat_is_restored(way: Way, there: str) -> None:
    """From the latest token, in either kind of chat; the history has all of it, as if it had never been away."""
    first = [hop("And "), open_ended("so ", T1), hop("lost", None, "STOP")]
    data = written_after(way, 2, first, config={"temperature": 0.5})
    kept = restore(WAYS[there], data, [hop("it "), hop("goes.", T2)], [hop(" On.", None, "STOP")], "fine")
    assert [(each.rule.name, each.reason) for each in kept.chat.explain()] == [("OPEN", "the answer is under way")] * 2
    assert [each.text for each in resumed(kept)] == ["it ", "goes.", " On."]
    assert tokens(kept) == [T1, T2]
    assert kept.sent(0) == [QUESTION]
    assert kept.transport.requests[0].json()["generationConfig"] == {"temperature": 0.5}
    assert kept.history() == kept.history(curated=False) == [QUESTION, final("And so it goes. On.")]
    assert kept.outcomes == ["completed"]
    kept.say("and?")
    assert kept.sent()[:2] == [QUESTION, final("And so it goes. On.")]


@every_stream
def test_what_had_arrived_comes_first(way: Way) -> None:
    """Chunks that nobody had asked for yet are in the snapshot."""
    answer = Answer(chunks=[b"".join(sse([hop("a"), hop("b", T1), hop("c", T2)]))], headers=EVENTS)
    kept = restore(way, written_after(way, 1, answer), [hop("d", None, "STOP")])
    assert [each.text for each in resumed(kept)] == ["b", "c", "d"]
    assert tokens(kept) == [T2]
    assert kept.history() == [QUESTION, final("abcd")]


@every_stream
def test_the_functions_run_where_the_chat_goes_on(way: Way) -> None:
    """An answer that calls them is whole there."""
    shop = Shop()
    data = written_after(way, 1, hop("Let me see. ", T1), config=shop.config)
    kept = restore(way, data, add(1), hop("do", T2), [hop("ne", None, "STOP")], tools=shop.tools)
    assert text_of(resumed(kept)) == "done"
    assert tokens(kept) == [T1, None, T2]
    assert shop.ran == [(1, 1)]
    assert kept.history()[2:] == [*rounds(1)[2:], final()]


@every_stream
def test_an_answer_without_a_token_is_lost(way: Way) -> None:
    """Its turn has failed, and the ledger has what had come; the chat goes on."""
    kept = restore(way, written_after(way, 1, ["And ", "so"]), "fine")
    assert kept.outcomes == ["failed"]
    assert wire(kept.chat.turns[0].contents) == [QUESTION, final("And ")]
    with pytest.raises(LocalProtocolError, match="nothing is under way"):
        resumed(kept)
    assert kept.transport.requests == []
    kept.say("again")
    assert kept.outcomes == ["failed", "completed"]


@every_stream
def test_what_had_arrived_of_an_answer_that_is_lost(way: Way) -> None:
    """It is handed out, and then the error comes, with all of it."""
    answer = Answer(chunks=[b"".join(sse([hop("a"), hop("b")])), b"data: {"], headers=EVENTS)
    kept = restore(way, written_after(way, 1, answer))
    heard: list[str | None] = []

    async def awaited() -> None:
        async for each in await kept.chat.resume():
            heard.append(each.text)  # noqa: PERF401  (it raises at the end)

    with pytest.raises(ConnectionLost) as raised:
        run(awaited()) if way.asynchronous else heard.extend(each.text for each in kept.chat.resume())
    assert heard == ["b"]
    assert raised.value.partial is not None
    assert raised.value.partial.text == "ab"
    assert kept.outcomes == ["failed"]


@every_stream
def test_results_that_were_under_way_are_sent_again(way: Way) -> None:
    """Where the answer to them had no token, the calls are open; their functions do not run twice."""
    shop = Shop()
    data = written_after(way, 2, add(1), ["do", "ne"], config=shop.config)
    kept = restore(way, data, DONE, tools=shop.tools)
    with pytest.raises(LocalProtocolError, match="nothing is under way"):
        resumed(kept)
    assert kept.pending == ["c1"]
    assert text_of(kept.answer()) == "done"
    assert kept.told() == [response("add", "c1", result=2)]
    assert kept.history() == [*rounds(1), final()]
    assert shop.ran == [(1, 1)]


@every_stream
def test_another_message_leaves_what_was_under_way(way: Way) -> None:
    """As it leaves a stream that is suspended."""
    kept = restore(way, written_after(way, 1, hop("And ", T1)), "fine")
    assert text_of(kept.say("never mind")) == "fine"
    assert kept.outcomes == ["abandoned", "completed"]
    assert kept.history() == [{"role": "user", "parts": [{"text": "never mind"}]}, final("fine")]


@every_way
def test_there_is_nothing_to_go_on_with(way: Way) -> None:
    """In a new chat, after a whole answer, and where calls wait."""
    talk = begin(way, "one", add(1), config=Shop().config, approve=True)
    for message in ("a", "b", None):
        with pytest.raises(LocalProtocolError, match="nothing is under way"):
            resumed(talk)
        if message:
            talk.say(message)
    assert talk.pending == ["c1"]


@every_stream
def test_a_suspended_stream_is_taken_up_by_another(way: Way) -> None:
    """In the chat itself, too: the connection is given up, and the answer goes on from its token."""
    talk = begin(way, [hop("a", T1), hop("b", T2)], [hop("c", None, "STOP")])
    stream = opened(talk, 1)
    assert text_of(resumed(talk)) == "c"
    assert tokens(talk) == [None, T1]
    with pytest.raises(LocalProtocolError, match="later message"):
        run(anext(stream)) if way.asynchronous else next(stream)
    assert talk.transport.discarded == 1
    assert talk.history() == [QUESTION, final("ac")]


# --- over sockets ---------------------------------------------------------------------------------------------------

TRANSPORTS: dict[str, tuple[Callable[[], Any], bool]] = {
    "requests": (RequestsTransport, False),
    "httpx": (HttpxTransport, False),
    "httpx async": (HttpxTransport, True),
    "aiohttp": (AiohttpTransport, True),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_over_sockets(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is reset in the middle of an answer is no error where the answer has a token."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    script: list[tuple[list[Json], bool]] = [
        ([open_ended("And ", T1), open_ended("so ", T2)], True),
        ([hop("it "), hop("goes.", T3)], False),
        ([hop("", None, "STOP")], False),
    ]
    requests: list[Received] = []

    def serve(received: Received) -> Iterator[Any]:
        requests.append(received)
        documents, breaks = script.pop(0)
        yield head(200, chunked=True, content_type="text/event-stream")
        for event in sse(documents):
            yield chunk(event)
        if breaks:
            yield chunk(b'data: {"cand')
            yield 0.05
            yield RESET
        else:
            yield chunk()

    make, asynchronous = TRANSPORTS[transport]
    with LoopbackServer() as server:
        server.on(f"/v1/models/{MODEL}:streamGenerateContent", serve)
        options = {"base_url": server.url("/")}

        def sync() -> tuple[Any, list[Any]]:
            inner = make()
            chat = chatproto.Client(api_key="k", transport=inner, http_options=options).chats.create(model=MODEL)
            heard = list(chat.send_message_stream("q"))
            inner.close()
            return chat, heard

        async def awaited() -> tuple[Any, list[Any]]:
            inner = make()
            chat = chatproto.Client(api_key="k", transport=inner, http_options=options).aio.chats.create(model=MODEL)
            heard = [each async for each in await chat.send_message_stream("q")]
            await inner.aclose()
            return chat, heard

        chat, heard = run(awaited()) if asynchronous else sync()
    assert text_of(heard) == "And so it goes."
    assert wire(chat.get_history(curated=True)) == [QUESTION, final("And so it goes.")]
    assert [each.connection for each in requests] == [1, 2, 2]
    assert [each.target for each in requests] == [requests[0].target] * 3
