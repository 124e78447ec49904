"""Takes: which recorded exchange a request gets, when there are several clients and several runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode
from chatproto_replay import (
    Body,
    Cassette,
    CassetteExhausted,
    CassetteMissing,
    Chunk,
    Exchange,
    Failure,
    MalformedCassette,
    RecordedRequest,
    RecordedResponse,
    RequestMismatch,
    UnplayedExchanges,
)
from chatproto_replay.serving import takes as takes_module
from chatproto_replay.serving.takes import Takes

if TYPE_CHECKING:
    from pathlib import Path

HOST = "https://generativelanguage.googleapis.com"
PATH = "/v1beta/models/m:generateContent"
SECRETS = Secrets({}, url=HOST)


def asking(*texts: str) -> dict[str, Any]:
    """The body of a request, with one content for each text."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]} for text in texts]}


def request_for(*texts: str, method: str = "POST") -> Request:
    """A request with these contents."""
    return Request(method=method, url=f"{HOST}{PATH}", body=(encode(asking(*texts)),))


def exchange(*texts: str, answer: str = "") -> Exchange:
    """A recorded exchange of these contents, answered by ``answer``."""
    return Exchange(
        request=RecordedRequest(method="POST", path=PATH, body=Body("json", asking(*texts))),
        response=RecordedResponse(status=200, chunks=(Chunk(0, (answer or texts[-1]).encode()),)),
    )


def said(taken: Exchange) -> str:
    """What a recorded exchange answers."""
    assert taken.response is not None
    return taken.response.content.decode()


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A cassette of a chat with three turns: a, ab, abc."""
    path = tmp_path / "chat.json"
    Cassette(exchanges=(exchange("a"), exchange("a", "b"), exchange("a", "b", "c"))).save(path)
    return path


def test_a_run_again_and_again(chat: Path) -> None:
    """The next run begins a take of its own; also after one that was broken off."""
    takes = Takes(chat)
    for _ in range(3):
        assert [said(takes.take(request_for(*texts))) for texts in ("a", "ab", "abc")] == ["a", "b", "c"]
    assert (takes.finished, takes.played, takes.unfinished) == (3, 9, ())
    takes.take(request_for("a"))
    takes.take(request_for("a"))
    assert said(takes.take(request_for("a", "b"))) == "b"
    assert [take.played for take in takes.unfinished] == [1, 2]


@given(data=st.data())
def test_clients_at_once(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """However several runs of several clients are interleaved, each gets its own answers, and all are finished."""
    folder = tmp_path_factory.mktemp("takes")
    runs = {
        "one.json": [("a",), ("a", "b"), ("a", "b", "c")],
        "other.json": [("x",), ("x", "y")],
        "longer.json": [("a", "z"), ("a", "z", "b"), ("a", "z", "b", "c")],
    }
    for name, turns in runs.items():
        Cassette(exchanges=tuple(exchange(*turn, answer=f"{name} {len(turn)}") for turn in turns)).save(folder / name)
    takes = Takes(folder)
    under_way = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(runs)), st.sampled_from([b"k", b"l", b""])), min_size=1, max_size=6)
    )
    places = [0] * len(under_way)
    while left := [index for index, (name, _) in enumerate(under_way) if places[index] < len(runs[name])]:
        index = data.draw(st.sampled_from(left))
        name, client = under_way[index]
        turn = runs[name][places[index]]
        assert said(takes.take(request_for(*turn), client)) == f"{name} {len(turn)}"
        places[index] += 1
    assert (takes.finished, takes.unfinished) == (len(under_way), ())
    takes.check()


def test_equal_requests_in_a_row(tmp_path: Path) -> None:
    """A request that was recorded twice, as with a retry, gets one answer after the other, a client at a time."""
    path = tmp_path / "retry.json"
    Cassette(exchanges=(exchange("a", answer="429"), exchange("a", answer="200"))).save(path)
    takes = Takes(path)
    got = [said(takes.take(request_for("a"), client)) for client in (b"k", b"l", b"l", b"k", b"k")]
    assert got == ["429", "429", "200", "200", "429"]


def test_cassettes_that_begin_alike_take_turns(tmp_path: Path) -> None:
    """Which of them a run goes through, its first answer decides; so the next run gets the other one."""
    for name in ("one", "other"):
        Cassette(exchanges=(exchange("a", answer=name), exchange("a", name))).save(tmp_path / "more" / f"{name}.json")
    takes = Takes(tmp_path)
    for name in ("one", "other", "one"):
        assert said(takes.take(request_for("a"))) == name
        assert said(takes.take(request_for("a", name))) == name
    assert [each.name for each in takes.cassettes] == ["more/one.json", "more/other.json"]


def test_the_latest_take_comes_first(tmp_path: Path) -> None:
    """Of two that could go on: a program that was broken off and started again goes on with its second run."""
    for name in ("one", "other"):
        turns = (
            exchange("a", answer=name),
            exchange("a", "b", answer=f"{name} b"),
            exchange("a", "c", answer=f"{name} c"),
        )
        Cassette(exchanges=turns).save(tmp_path / f"{name}.json")
    takes = Takes(tmp_path)
    assert [said(takes.take(request_for("a"))) for _ in range(2)] == ["one", "other"]
    assert said(takes.take(request_for("a", "b"))) == "other b"
    assert said(takes.take(request_for("a", "b"))) == "one b"
    assert [said(takes.take(request_for("a", "c"))) for _ in range(2)] == ["one c", "other c"]


def test_who_has_no_credential_goes_on_with_anybodys_take(chat: Path) -> None:
    """The bytes of an upload are sent to a URL that needs none. With another credential it is another client."""
    takes = Takes(chat)
    takes.take(request_for("a"), b"k")
    with pytest.raises(RequestMismatch):
        takes.take(request_for("a", "b"), b"l")
    assert said(takes.take(request_for("a", "b"))) == "b"
    assert said(takes.take(request_for("a", "b", "c"), b"k")) == "c"


def test_a_refusal_compares_with_what_comes_nearest(chat: Path) -> None:
    """Of all exchanges that could come next; and the take stays where it was."""
    takes = Takes(chat)
    takes.take(request_for("a"))
    takes.take(request_for("a", "b"))
    takes.take(request_for("a"))
    with pytest.raises(RequestMismatch) as caught:
        takes.take(request_for("a", "b", "d"))
    assert str(caught.value).startswith(
        f"{chat}: request POST {PATH} is not the recorded exchange 3 of 3\n"
        '  $.contents[2].parts[0].text: recorded "c", now "d"\n'
    )
    assert (caught.value.exchange, caught.value.content) == (3, 2)
    assert said(takes.take(request_for("a", "b", "c"))) == "c"


def test_a_request_after_the_last(chat: Path) -> None:
    """The report says that all was played, and why the request does not begin a new run either."""
    path = chat.parent / "rain.json"
    Cassette(exchanges=(exchange("will it rain"), exchange("will it rain", "and snow"))).save(path)
    takes = Takes(path)
    takes.take(request_for("will it rain"))
    takes.take(request_for("will it rain", "and snow"))
    with pytest.raises(RequestMismatch, match="2 exchanges, all played, and there is one more request") as caught:
        takes.take(request_for("will it snow"))
    assert "If the program begins again, it does not ask what was recorded there:\n" in str(caught.value)
    assert '$.contents[0].parts[0].text: recorded "will it rain", now "will it snow"' in str(caught.value)


def test_a_call_that_was_added(chat: Path) -> None:
    """After the end of a run nothing is compared with what is no more like it; the next run is answered."""
    takes = Takes(chat)
    for texts in ("a", "ab", "abc"):
        takes.take(request_for(*texts))
    with pytest.raises(CassetteExhausted):
        takes.take(request_for("something else"))
    more = request_for("a", "b", "c", "and a question that nobody has asked before")
    with pytest.raises(CassetteExhausted) as caught:
        takes.take(more)
    assert str(caught.value) == (
        f"{chat} has 3 exchanges, all played, and there is one more request: POST {PATH}, with the fourth user message"
        ' "and a question that nobody has asked before".\n'
        'If the change is meant, record it again, in mode "record".'
    )
    with pytest.raises(CassetteExhausted, match=r"It equals exchange 3: the program asks again\."):
        takes.take(request_for("a", "b", "c"))
    assert said(takes.take(request_for("a"))) == "a"


def test_a_chat_that_was_begun_before(tmp_path: Path) -> None:
    """The end of one run does not hide that a request belongs to another one."""
    Cassette(exchanges=(exchange("a"), exchange("a", "b"))).save(tmp_path / "long.json")
    Cassette(exchanges=(exchange("once"),)).save(tmp_path / "once.json")
    takes = Takes(tmp_path)
    takes.take(request_for("a"))
    takes.take(request_for("once"))
    with pytest.raises(RequestMismatch) as caught:
        takes.take(request_for("a", "c"))
    assert "If it goes on with a chat that was begun before, it does not ask what was recorded there:\n" in str(
        caught.value
    )
    assert '$.contents[1].parts[0].text: recorded "b", now "c"' in str(caught.value)
    assert said(takes.take(request_for("a", "b"))) == "b"


SEVERAL = "If the program has several chats at once,"


@pytest.mark.parametrize(
    ("by_command", "words"),
    [
        (
            False,
            ['If the change is meant, record it again, in mode "record".', f"{SEVERAL} play with in_order=False."],
        ),
        (
            True,
            ["If the change is meant, record it again, with --mode record.", f"{SEVERAL} give Served in_order=False."],
        ),
    ],
)
def test_a_request_out_of_place(chat: Path, by_command: bool, words: list[str]) -> None:
    """The report names where it stands, and what may be done about it: on the command line, or in Python."""
    takes = Takes(chat)
    takes.by_command = by_command
    with pytest.raises(RequestMismatch, match=r"It equals exchange 2, which comes later\.") as caught:
        takes.take(request_for("a", "b"))
    assert str(caught.value).splitlines()[-2:] == words
    assert said(Takes(chat, in_order=False).take(request_for("a", "b"))) == "b"


@pytest.mark.parametrize(
    ("by_command", "words"), [(False, "say so (from chatproto_replay"), (True, "say so to Served, in Python (from ")]
)
def test_a_rule_that_would_help(chat: Path, by_command: bool, words: str) -> None:
    """What may differ is said where the server is made in Python: the command has no option for it."""
    path = chat.parent / "dates.json"
    Cassette(exchanges=(exchange("on 2026-01-02"),)).save(path)
    takes = Takes(path)
    takes.by_command = by_command
    with pytest.raises(RequestMismatch) as caught:
        takes.take(request_for("on 2027-03-04"))
    assert words in str(caught.value)
    assert said(Takes(path, match=caught.value.advice).take(request_for("on 2027-03-04"))) == "on 2026-01-02"


@given(data=st.data())
def test_any_order(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """With ``in_order=False``, for programs with several chats at once: each run may ask in its own order."""
    path = tmp_path_factory.mktemp("takes") / "chat.json"
    turns = [("a",), ("b",), ("b", "b"), ("c",)]
    Cassette(exchanges=tuple(exchange(*turn, answer=str(turn)) for turn in turns)).save(path)
    takes = Takes(path, in_order=False)
    runs = {client: data.draw(st.permutations(turns)) for client in (b"k", b"l", b"")}
    under_way = data.draw(st.permutations([client for client in runs for _ in turns]))
    for client in under_way:
        turn = runs[client].pop()
        assert said(takes.take(request_for(*turn), client)) == str(turn)
    assert (takes.finished, takes.unfinished) == (3, ())
    with pytest.raises(RequestMismatch, match="equals none of the 4 unplayed exchanges"):
        takes.take(request_for("d"), b"m")


def test_what_is_left(chat: Path) -> None:
    """Nothing played, and a run that was not finished, are errors in the end, once; so is the first refusal."""
    takes = Takes(chat)
    with pytest.raises(UnplayedExchanges, match="nothing of it was asked for"):
        takes.check()
    takes.check()
    takes = Takes(chat)
    takes.take(request_for("a"))
    with pytest.raises(UnplayedExchanges, match=r"2 of 3 recorded exchanges were not asked for:\n  2: POST "):
        takes.check()
    assert takes.status()["takes"] == {
        "finished": 0,
        "unfinished": [{"cassette": str(chat), "played": 1, "exchanges": 3}],
    }
    assert f"unfinished: 1 of 3 exchanges of {chat}" in takes.summary()


def test_how_an_exchange_without_a_response_ends(tmp_path: Path) -> None:
    """A request that was never answered stalls if it timed out, and else is cut."""
    path = tmp_path / "chat.json"
    request = exchange("a").request
    failures = (
        Failure(kind="timed_out", message="too slow"),
        Failure(kind="connect_failed", message="no route"),
    )
    Cassette(exchanges=tuple(Exchange(request=request, failure=failure) for failure in failures)).save(path)

    async def run() -> list[Any]:
        takes = Takes(path)
        return [await takes.answer(request_for("a"), SECRETS, b"") for _ in failures]

    assert asyncio.run(run()) == ["timeout", "truncated"]


def test_folders(tmp_path: Path) -> None:
    """A folder without cassettes is missing one; one with another JSON file in it names that."""
    with pytest.raises(CassetteMissing, match="no file in it ends in"):
        Takes(tmp_path)
    with pytest.raises(CassetteMissing, match="there is no cassette at"):
        Takes(tmp_path / "chat.json")
    Cassette().save(tmp_path / "empty.json")
    (tmp_path / ".hidden.json").write_text("{}")
    with pytest.raises(CassetteExhausted, match="has no exchanges, and there is one more request"):
        Takes(tmp_path).take(request_for("a"))
    (tmp_path / "package.json").write_text("{}")
    with pytest.raises(MalformedCassette, match=r"package\.json"):
        Takes(tmp_path)


def test_too_many_unfinished_takes(chat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was asked the longest ago is forgotten: nothing goes on with it, and it is still told in the end."""
    monkeypatch.setattr(takes_module, "MOST_UNFINISHED", 2)
    takes = Takes(chat)
    takes.take(request_for("a"), b"k")
    takes.take(request_for("a"), b"l")
    takes.take(request_for("a", "b"), b"k")  # asked again, so that the other one is older now
    takes.take(request_for("a"), b"m")
    assert [take.client for take in takes.unfinished] == [b"k", b"m"]
    with pytest.raises(RequestMismatch):
        takes.take(request_for("a", "b"), b"l")
    for client, turns in ((b"k", ["a", "b", "c"]), (b"m", ["a", "b"]), (b"m", ["a", "b", "c"])):
        assert said(takes.take(request_for(*turns), client)) == turns[-1]
    assert takes.unfinished == ()
    assert "2 runs finished, 0 unfinished, 1 more forgotten" in takes.summary()
    assert isinstance(takes.left(), UnplayedExchanges)
