"""A changed request never plays, and an immaterial change never keeps it from playing.

Requests are changed in one place, at every place, and sent to a player: those of ``fixtures/``, drawn ones, and those
of recorded traffic where that is at hand.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic import exchanges as recorded_traffic

from chatproto import Client, types
from chatproto.errors import ValidationError
from chatproto.transport import Secrets
from chatproto.wire.http import Request
from chatproto.wire.json_codec import encode
from chatproto_replay import (
    Body,
    Cassette,
    Difference,
    Exchange,
    Player,
    RecordedRequest,
    RecordedResponse,
    RequestMismatch,
    rules,
)
from chatproto_replay.matching.canonical import canonical
from chatproto_replay.matching.paths import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
HOST = "https://generativelanguage.googleapis.com"
SECRETS = Secrets({}, url=HOST)

Json = Any
Place = tuple[str | int, ...]


# --- changes --------------------------------------------------------------------------------------------------------


@attrs.frozen
class Change:
    """A document changed in one place. ``told`` says whether the differences name that very place, and no other."""

    what: str
    _original: Json = attrs.field(repr=False)
    place: Place
    _edit: Callable[[Json, Any], None]
    told: Callable[[tuple[Difference, ...]], bool]

    @property
    def document(self) -> Json:
        """The changed one; ``_edit`` changes what is in the container of the place."""
        copied: list[Json] = [copy.deepcopy(self._original)]
        self._edit(at(copied, (0, *self.place)[:-1]), (0, *self.place)[-1])
        return copied[0]


def at(document: Json, place: Place) -> Json:
    """The value at a place."""
    for key in place:
        document = document[key]
    return document


def put(value: Json) -> Callable[[Json, Any], None]:
    """The edit that puts a value in place of another."""
    return lambda container, key: container.__setitem__(key, value)


def places(document: Json, place: Place = ()) -> Iterator[Place]:
    """Every place of a document, the document itself first."""
    yield place
    value = at(document, place)
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(document, (*place, key))


def other_values(value: Json) -> list[Json]:
    """What is almost the same, and is not: other texts, other numbers, and other kinds of the same spelling."""
    found: list[Json] = [None, {}, []]
    if isinstance(value, bool):
        found += [not value, int(value), str(value).lower()]
    elif isinstance(value, int | float):
        found += [value + 1, -value, value + 0.5, str(value), bool(value)]
    elif isinstance(value, str):
        found += [f"{value} ", f"{value}x", value[:-1], value.swapcase(), f" {value}", "x"]
        found += [json.loads(value)] if value.isascii() and value.isdecimal() and len(value) < 9 else []
    elif value is None:
        found += [False, 0, "", "null"]
    return [each for each in found if canonical(each) != canonical(value)]


def changes(document: Json) -> Iterator[Change]:
    """Every value changed, every member and item removed, items doubled and swapped, and members added."""
    for place in places(document):
        value = at(document, place)
        if not value or not isinstance(value, dict | list):
            for other in other_values(value):
                yield Change(f"{written(place)} is {other!r}", document, place, put(other), only("changed", place))
        if isinstance(value, dict):
            added = (*place, "extra")
            yield Change(f"{written(place)} has one more", document, added, put(None), only("changed", added))
        if place and isinstance(place[-1], str):
            yield Change(f"{written(place)} is gone", document, place, remove, only("changed", place))
            yield Change(f"{written(place)} has another name", document, place, rename, named(place))
        elif place:
            yield from changes_of_items(document, place)


def changes_of_items(document: Json, place: Place) -> Iterator[Change]:
    """An item of a list removed, doubled, and swapped with the next one."""
    *outer, index = place
    items = [canonical(each) for each in at(document, tuple(outer))]
    assert isinstance(index, int)
    # Of equal items in a row, nobody can say which one is gone, or came.
    begin = next(n for n in range(index + 1) if set(items[n : index + 1]) == {items[index]})
    end = next(n for n in range(len(items), index, -1) if set(items[index:n]) == {items[index]})
    alike: list[Place] = [(*outer, n) for n in range(begin, end)]
    yield Change(f"{written(place)} is gone", document, place, remove, only("removed", *alike))
    yield Change(f"{written(place)} is doubled", document, place, double, only("inserted", *alike, (*outer, end)))
    if index + 1 < len(items) and items[index] != items[index + 1]:
        moved = only("moved", place, (*outer, index + 1))
        yield Change(f"{written(place)} is swapped", document, place, swap, moved)


def remove(container: Json, key: Any) -> None:
    """An edit."""
    container.pop(key)


def double(container: Json, key: Any) -> None:
    """An edit."""
    container.insert(key, copy.deepcopy(container[key]))


def swap(container: Json, key: Any) -> None:
    """An edit."""
    container.insert(key, container.pop(key + 1))


def rename(container: Json, key: Any) -> None:
    """An edit."""
    container[f"{key}_"] = container.pop(key)


def only(kind: str, *allowed: Place) -> Callable[[tuple[Difference, ...]], bool]:
    """One difference of this kind, at one of these places, under the path of that place."""

    def told(found: tuple[Difference, ...]) -> bool:
        if len(found) != 1 or found[0].kind != kind:
            return False
        place = found[0].recorded_place if kind == "removed" else found[0].place
        return place in allowed and found[0].path == written(place)

    return told


def named(place: Place) -> Callable[[tuple[Difference, ...]], bool]:
    """Two differences: the old name and the new one."""
    renamed = (*place[:-1], f"{place[-1]}_")
    return lambda found: {each.path for each in found} == {written(place), written(renamed)} and len(found) == 2


# --- what does not matter -------------------------------------------------------------------------------------------


def reordered(document: Json, chance: random.Random) -> Json:
    """The same, with the members of every object in another order."""
    if isinstance(document, dict):
        names = list(document)
        chance.shuffle(names)
        return {name: reordered(document[name], chance) for name in names}
    return [reordered(each, chance) for each in document] if isinstance(document, list) else document


def respelled(document: Json) -> Json:
    """The same, with numbers spelt otherwise: 1 as 1.0, and 1.0 as 1."""
    if isinstance(document, dict):
        return {name: respelled(each) for name, each in document.items()}
    if isinstance(document, list):
        return [respelled(each) for each in document]
    if isinstance(document, float) and document.is_integer():
        return int(document)
    if isinstance(document, int) and not isinstance(document, bool) and float(document) == document:
        return float(document)
    return document


def cut(body: bytes, chance: random.Random) -> tuple[bytes, ...]:
    """The bytes in several pieces, in the middle of characters too."""
    marks = sorted(chance.choices(range(len(body) + 1), k=5))
    return tuple(body[begin:end] for begin, end in zip([0, *marks], [*marks, len(body)], strict=True))


def same_requests(request: Request, seed: str) -> Iterator[Request]:
    """The request in other words: order, white space, spelling of numbers and characters, pieces, headers, host."""
    chance = random.Random(seed)
    document = json.loads(request.content)
    bodies = [
        encode(reordered(document, chance)),
        json.dumps(reordered(document, chance), indent=3).encode(),
        json.dumps(document, ensure_ascii=True, separators=(" ,\t", "\r\n: ")).encode() + b"\n ",
        encode(respelled(document)),
        encode(reordered(respelled(document), chance)),
        json.dumps(document).replace("/", "\\/").encode(),
    ]
    for body in bodies:
        yield attrs.evolve(request, body=(body,))
        yield attrs.evolve(request, body=cut(body, chance))
    yield attrs.evolve(request, body=tuple(request.content[n : n + 1] for n in range(len(request.content))))
    yield attrs.evolve(request, headers=(("x-other", "1"), ("user-agent", "x")), timeout=3.0)
    yield attrs.evolve(request, url=request.url.replace(HOST, "http://localhost:8080"))
    joint = "&" if "?" in request.url else "?"
    yield attrs.evolve(request, url=f"{request.url}{joint}key=abc")


# --- one request at a time ------------------------------------------------------------------------------------------


def sent(recorded: RecordedRequest) -> Request:
    """The request that was recorded, as a client sends it."""
    query = "&".join(f"{name}={value}" for name, value in recorded.query)
    body = () if recorded.body is None else (encode(recorded.body.value),)
    return Request(
        method=recorded.method, url=f"{HOST}{recorded.path}{'?' if query else ''}{query}", body=body, timeout=None
    )


def refusal(player: Player, request: Request) -> RequestMismatch:
    """The error that a request meets."""
    with pytest.raises(RequestMismatch) as caught, player.open(request, SECRETS):
        pass
    return caught.value


def plays(exchange: Exchange, request: Request) -> bool:
    """Whether a request gets the recorded answer."""
    with Player(Cassette(exchanges=(exchange,))) as player:
        found = player.find(request)
    return found is exchange


def check_changes(exchange: Exchange, some: list[Change]) -> None:
    """All of these are refused, with a report that names the place; and then the recorded request plays."""
    request = sent(exchange.request)
    player = Player(Cassette(exchanges=(exchange,)))
    unordered = Player(Cassette(exchanges=(exchange,)), in_order=False)
    for change in some:
        changed = attrs.evolve(request, body=(encode(change.document),))
        error = refusal(player, changed)
        assert change.told(error.differences), f"{change.what}\n{error}"
        assert all(f"  {each.path}" in str(error) for each in error.differences), change.what
        assert unordered.find(changed) is None, change.what
    assert player.find(request) is unordered.find(request) is exchange


def fixture_exchanges() -> list[Any]:
    """Every exchange of every cassette, with the name of its file and its number."""
    return [
        pytest.param(exchange, id=f"{path.stem}-{number}")
        for path in sorted(FIXTURES.glob("*.json"))
        for number, exchange in enumerate(Cassette.load(path).exchanges, start=1)
    ]


every_fixture = pytest.mark.parametrize("exchange", fixture_exchanges())


@every_fixture
def test_no_changed_body_plays(exchange: Exchange) -> None:
    """One change, at every place of the body: each is refused, and the report names the place."""
    assert exchange.request.body is not None
    some = list(changes(exchange.request.body.value))
    assert len(some) > 10
    check_changes(exchange, some)


@every_fixture
def test_no_other_request_plays(exchange: Exchange) -> None:
    """Another method, path or query, another kind of body, and none."""
    request = sent(exchange.request)
    url, path = f"{HOST}{exchange.request.path}", exchange.request.path
    joint = "&" if exchange.request.query else "?"
    others: list[tuple[str, Request]] = [
        *(("method", attrs.evolve(request, method=method)) for method in ("GET", "PUT", "post", "")),
        *(
            ("path", attrs.evolve(request, url=request.url.replace(path, each)))
            for each in (
                f"{path}x",
                path[:-1],
                path.swapcase(),
                f"/v9{path}",
                path.replace("gemini-2", "gemini-3"),
                "/",
            )
        ),
        ("query.x", attrs.evolve(request, url=f"{request.url}{joint}x=1")),
        ("query.x", attrs.evolve(request, url=f"{request.url}{joint}x")),
        ("query.alt", attrs.evolve(request, url=f"{request.url}{joint}alt=sse")),
        ("query.alt", attrs.evolve(request, url=f"{url}?alt=json")),
        ("query.alt", attrs.evolve(request, url=f"{url}{'' if exchange.request.query else '?alt=sse'}")),
        ("body", attrs.evolve(request, body=())),
        ("body", attrs.evolve(request, body=(request.content, b"}"))),
        ("body", attrs.evolve(request, body=(request.content, b"\xff"))),
        ("$", attrs.evolve(request, body=(b"null",))),
    ]
    player = Player(Cassette(exchanges=(exchange,)))
    for told, other in others:
        error = refusal(player, other)
        assert [each.path for each in error.differences] == [told], error
        assert f"  {told}: recorded " in str(error)
    assert player.find(request) is exchange


@every_fixture
def test_what_is_immaterial_plays(exchange: Exchange) -> None:
    """Order of keys, white space, spelling of numbers and characters, pieces, headers, host and key."""
    some = list(same_requests(sent(exchange.request), str(exchange.request)))
    assert len(some) > 10
    assert all(plays(exchange, each) for each in some)


@every_fixture
def test_a_rule_hides_its_place_and_no_other(exchange: Exchange) -> None:
    """Where one place is ignored, every change there plays, and no change anywhere else does."""
    assert exchange.request.body is not None
    document, request = exchange.request.body.value, sent(exchange.request)
    chance = random.Random(exchange.request.path)
    some = list(changes(document))
    members = [place for place in places(document) if place and isinstance(place[-1], str)]
    refused = 0
    for hidden in chance.sample(members, min(len(members), 12)):
        try:
            rule = rules.ignore(written(hidden))
        except ValidationError:
            assert hidden == ("contents",)
            continue
        for change in chance.sample(some, min(len(some), 60)):
            player = Player(Cassette(exchanges=(exchange,)), match=[rule])
            found = player.find(attrs.evolve(request, body=(encode(change.document),)))
            renamed = change.place == hidden and change.what.endswith("another name")
            if change.place[: len(hidden)] == hidden and not renamed:
                assert found is exchange, (rule, change.what)
            elif change.place != hidden[: len(change.place)] or renamed:
                assert found is None, (rule, change.what)
                refused += 1
    assert refused > 30


# --- drawn requests -------------------------------------------------------------------------------------------------

names = st.text(max_size=4) | st.sampled_from(["contents", "parts", "text", "role", "a b", "a.b", '"', "$", "\ud800"])
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents: st.SearchStrategy[Json] = st.recursive(
    leaves | st.sampled_from([0, 1, True, "1", 10**22, 1e22, "\ud800"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)


def exchange_of(document: Json) -> Exchange:
    """A recorded exchange with this body."""
    request = RecordedRequest(method="POST", path="/v1/x", body=Body("json", document))
    return Exchange(request=request, response=RecordedResponse(status=200))


@given(documents, st.data())
def test_no_changed_document_plays(document: Json, data: st.DataObject) -> None:
    """Any JSON at all: one change at any place is refused, and named."""
    some = list(changes(document))
    check_changes(exchange_of(document), [data.draw(st.sampled_from(some)) for _ in range(5)])


@given(documents)
def test_the_same_document_plays(document: Json) -> None:
    """Any JSON at all, in other words."""
    exchange = exchange_of(document)
    assert all(plays(exchange, each) for each in same_requests(sent(exchange.request), "any"))


@given(documents, documents)
def test_differences_are_inequality(one: Json, other: Json) -> None:
    """A request plays if and only if there is no difference to tell, whatever the two are."""
    exchange = exchange_of(one)
    request = sent(exchange_of(other).request)
    if canonical(one) == canonical(other):
        assert plays(exchange, request)
    else:
        assert refusal(Player(Cassette(exchanges=(exchange,))), request).differences


# --- recorded traffic -----------------------------------------------------------------------------------------------


def test_real_requests() -> None:
    """A sample of requests that programs have sent: no change plays, and what is immaterial does."""
    chance = random.Random("strict")
    asked = [each for each in recorded_traffic().values() if each.sent]
    for each in chance.sample(asked, 30):
        exchange = exchange_of(each.sent)
        some = list(changes(each.sent))
        check_changes(exchange, chance.sample(some, min(len(some), 15)))
        assert all(plays(exchange, same) for same in same_requests(sent(exchange.request), each.id)), each.id


# --- through a program ----------------------------------------------------------------------------------------------


class Altering:
    """A transport that alters the JSON of requests on their way to a player: what a changed program would send."""

    needs_credential = False

    def __init__(self, player: Player) -> None:
        self.alter: Callable[[Request], Request] = lambda request: request
        self._player = player

    def open(self, request: Request, secrets: Secrets) -> Any:
        """Alter and play."""
        return self._player.open(self.alter(request), secrets)

    def aopen(self, request: Request, secrets: Secrets) -> Any:
        """Alter and play."""
        return self._player.aopen(self.alter(request), secrets)

    def sleep(self, seconds: float) -> None:
        """Note the wait."""
        self._player.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Note the wait."""
        await self._player.asleep(seconds)

    def close(self) -> None:
        """Close the player."""
        self._player.close()

    async def aclose(self) -> None:
        """Close the player."""
        await self._player.aclose()


QUESTIONS = ["What is the capital of France?", "What is its population?", "What are some famous landmarks there?"]
MODEL = "gemini-2.0-flash"


def with_body(document: Json) -> Callable[[Request], Request]:
    """Sends this JSON instead."""
    return lambda request: attrs.evolve(request, body=(encode(document),))


def test_a_changed_program_fails() -> None:
    """A chat of three turns, its request changed at every place in each turn: the program gets the mismatch.

    The failed turns are no part of the chat, so that it goes on as recorded when the change is taken back.
    """
    path = FIXTURES / "capital_of_france.json"
    transport = Altering(Player(path))
    chat = Client(transport=transport).chats.create(model=MODEL)
    count = 0
    for question, exchange in zip(QUESTIONS, Cassette.load(path).exchanges, strict=True):
        assert exchange.request.body is not None
        before = chat.get_history(curated=True)
        for change in changes(exchange.request.body.value):
            transport.alter = with_body(change.document)
            with pytest.raises(RequestMismatch) as caught:
                chat.send_message(question)
            assert change.told(caught.value.differences), change.what
            count += 1
        assert chat.get_history(curated=True) == before
        transport.alter = lambda request: request
        assert chat.send_message(question).text
    with pytest.raises(RequestMismatch):  # a program may have swallowed it, so it is told again
        transport.close()
    assert count > 100


def test_a_changed_program_fails_under_asyncio() -> None:
    """The same under asyncio: a tool is declared and called, and what it gave is answered by a stream."""
    path = FIXTURES / "weather_tool.json"
    exchanges = Cassette.load(path).exchanges
    result = types.Part.from_function_response(name="get_weather", response={"sky": "sunny", "celsius": 21})
    chance = random.Random("asyncio")

    async def run() -> int:
        transport = Altering(Player(path))
        assert exchanges[0].request.body is not None
        tools = exchanges[0].request.body.value["tools"]
        declared = {"tools": [{"function_declarations": tools[0]["functionDeclarations"]}]}
        chat = Client(transport=transport).aio.chats.create(model="gemini-2.5-flash", config=declared)
        chunks = 0
        for number, exchange in enumerate(exchanges):

            async def send(*, streamed: bool = bool(number)) -> int:
                if not streamed:
                    return bool((await chat.send_message("What is the weather in Lisbon?")).function_calls)
                return len([chunk async for chunk in await chat.send_message_stream(result)])

            assert exchange.request.body is not None
            some = list(changes(exchange.request.body.value))
            for change in chance.sample(some, 150):
                transport.alter = with_body(change.document)
                with pytest.raises(RequestMismatch) as caught:
                    await send()
                assert change.told(caught.value.differences), change.what
            transport.alter = lambda request: request
            chunks += await send()
        with pytest.raises(RequestMismatch):
            await transport.aclose()
        return chunks

    assert asyncio.run(run()) > 2


def test_an_immaterial_change_of_a_program_plays() -> None:
    """The same chat, with each request in other words."""
    exchanges = Cassette.load(FIXTURES / "capital_of_france.json").exchanges
    variants = len(list(same_requests(sent(exchanges[0].request), "x")))
    for number in range(variants):
        transport = Altering(Player(FIXTURES / "capital_of_france.json"))
        transport.alter = lambda request, number=number: list(same_requests(request, "x"))[number]  # type: ignore[misc]
        chat = Client(transport=transport).chats.create(model=MODEL)
        assert all(chat.send_message(question).text for question in QUESTIONS)
        transport.close()
