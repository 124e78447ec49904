"""``sweep``: a recorded answer that breaks off, ends or is left, at every one of its bytes.

::

    @pytest.mark.parametrize("interruption", sweep("chat.json"), ids=str)
    def test_whatever_interrupts_it(interruption):
        check(interruption)
        assert my_view_of(interruption.conversation) in (...)

Each answer of a model is fed to one conversation, byte by byte. At each byte the conversation is copied, and each copy
interrupted in its way, so the work grows with the length of an answer and not with its square: no transport, no server
and no time is needed. ``boundaries`` are the few offsets at which it is worth to do the same through a real transport,
with ``faults``.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

from chatproto.errors import ConnectionLost, ValidationError
from chatproto.machines.states import ConversationState
from chatproto.machines.steps import ReadBody, SendRequest, Wait

from ..cassette import Cassette, Exchange
from .asking import RecordedMessage, is_message

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from chatproto.machines.conversation import Conversation
    from chatproto.machines.steps import Event
    from chatproto.machines.turn import Draft

    from ..cassette import RecordedResponse

__all__ = ["WAYS", "Interruption", "Way", "boundaries", "sweep"]

#: ``lost``: the connection breaks. ``ended``: the body ends, as if it were whole. ``left``: the program leaves.
Way = Literal["lost", "ended", "left"]
WAYS: tuple[Way, ...] = get_args(Way)

Json = dict[str, Any]


@attrs.frozen(kw_only=True, eq=False)
class Interruption:
    """An answer that was interrupted, and the conversation afterwards: a copy, ready for the next message.

    ``exchange`` counts the exchanges of the cassette from 1; the interruption came after ``at`` bytes of its body, in
    this ``way``. ``message`` is what had been asked. ``events`` are all that the program has seen of the turn.
    """

    exchange: int
    at: int
    way: Way
    message: RecordedMessage
    conversation: Conversation
    events: tuple[Event, ...]
    #: The last event before it, and the next one after it that did not come, as offsets in the body; its ends else.
    before: int
    after: int
    #: The curated history before the message, as wire JSON, and what the turn had said by then, with the message.
    kept: tuple[Json, ...]
    said: tuple[Json, ...]
    #: Whether the turn is in curated history.
    whole: bool
    #: "Go on.", ready to be sent to the conversation, or to a copy of it.
    going_on: Draft

    @property
    def waiting(self) -> bool:
        """Whether function calls wait for their responses: the turn goes on with those."""
        return self.conversation.state is ConversationState.CALLS_WANTED

    def __str__(self) -> str:
        return f"exchange {self.exchange}, byte {self.at}, {self.way}"


def sweep(
    cassette: Cassette | str | os.PathLike[str],
    *,
    exchange: int | None = None,
    ways: Iterable[Way] = WAYS,
    at: Iterable[int] | None = None,
) -> Iterator[Interruption]:
    """Interrupt each answer of a model in a cassette after each of its bytes, from none to all, in each of the ways.

    ``exchange`` is the number of the only one to interrupt, and ``at`` are the only offsets, ``boundaries`` for
    example. Those of an answer end where the machine has had enough: at an error inside of a stream.

    Raises ValidationError for a way or an exchange that there is not, and where there is nothing to interrupt; what
    ``Cassette.load`` raises; and, when the exchange's turn comes, CassetteError where it cannot be asked again.
    """
    loaded = cassette if isinstance(cassette, Cassette) else Cassette.load(cassette)
    given = tuple(ways)
    unknown: list[Any] = [way for way in given if way not in WAYS]
    if unknown or not given:
        raise ValidationError(f"ways: expected some of {', '.join(WAYS)}, found {unknown[0] if unknown else 'none'!r}")
    answered = [
        (number, each)
        for number, each in enumerate(loaded.exchanges, start=1)
        if is_message(each.request) and each.response is not None and exchange in (None, number)
    ]
    if not answered:
        which = "the cassette" if exchange is None else f"exchange {exchange} of {len(loaded.exchanges)}"
        raise ValidationError(f"{which} has no answer of a model that could be interrupted")
    only = None if at is None else frozenset(at)
    return (found for number, each in answered for found in _swept(number, each, given, only))


def boundaries(exchange: Exchange) -> tuple[int, ...]:
    """The offsets in the body of an answer at which something is seen of it, and one byte to either side of each.

    Its beginning and its end are among them. Raises CassetteError where the request cannot be asked again, and
    ValidationError where there is no response, or for what is no Exchange.
    """
    if not isinstance(exchange, Exchange):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(
            "boundaries are those of one Exchange, such as Cassette.load(path).exchanges[0],"
            f" found {type(exchange).__name__}"
        )
    if exchange.response is None:
        raise ValidationError(f"{exchange.request}: there is no response")
    size = len(exchange.response.content)
    places = {0, size, *_places(RecordedMessage.of(exchange.request), exchange.response)}
    near = {place + step for place in places for step in (-1, 0, 1)}
    return tuple(sorted(place for place in near if 0 <= place <= size))


def _swept(
    number: int, exchange: Exchange, ways: tuple[Way, ...], only: frozenset[int] | None
) -> Iterator[Interruption]:
    response = exchange.response
    if response is None:
        return
    message = RecordedMessage.of(exchange.request)
    places = [0, *_places(message, response)]
    size = len(response.content)
    feed = _Feed(message, response)
    for at in range(size + 1):
        before = max(place for place in places if place <= at)
        after = min((place for place in places if place > at), default=size)
        for way in ways if only is None or at in only else ():
            conversation = copy.deepcopy(feed.conversation)
            events = (*feed.events, *_interrupt(conversation, way))
            turns = conversation.turns
            yield Interruption(
                exchange=number,
                at=at,
                way=way,
                message=message,
                conversation=conversation,
                events=events,
                before=before,
                after=after,
                kept=feed.kept,
                said=feed.said,
                whole=len(turns) > feed.turns and turns[-1].curated,
                going_on=feed.going_on,
            )
        if at == size or not feed.take(at):
            return


def _places(message: RecordedMessage, response: RecordedResponse) -> list[int]:
    """The offsets at which events come, in order. Those that come with the end are at the end."""
    feed = _Feed(message, response)
    counts = [0]
    for at in range(len(response.content)):
        more = feed.take(at)
        counts.append(len(feed.events))
        if not more:
            break
    found = [at for at, (less, more) in enumerate(pairwise(counts), start=1) if more > less]
    size = len(response.content)
    return found if found[-1:] == [size] else [*found, size]


class _Feed:
    """A conversation that has asked, and is given the body of its answer byte by byte."""

    def __init__(self, message: RecordedMessage, response: RecordedResponse) -> None:
        self.conversation, draft = message.conversation()
        self.events: list[Event] = []
        self.turns = len(self.conversation.turns)
        everything = (*message.history, *message.contents)
        open_turn = self.conversation.shown_of_open if draft.responses is not None else 0
        self.kept = everything[: len(message.history) - open_turn]
        self.said = everything[len(self.kept) :]
        self._body = response.content
        self.going_on = self.conversation.draft("Go on.")
        self.conversation.send(draft)
        self.conversation.next()  # the request
        self.conversation.receive_response(response.status, response.headers)
        self.conversation.next()

    def take(self, at: int) -> bool:
        """Give it the byte at ``at``; whether it wants another."""
        self.conversation.receive_data(self._body[at : at + 1])
        while (step := self.conversation.next()) is not None:
            if isinstance(step, (ReadBody, SendRequest, Wait)):
                return isinstance(step, ReadBody)
            self.events.append(step)
        return False


def _interrupt(conversation: Conversation, way: Way) -> list[Event]:
    """Interrupt what is under way, and give the events that come of it."""
    match way:
        case "lost":
            conversation.receive_failure(ConnectionLost("the connection was lost here"))
        case "ended":
            conversation.receive_data(b"")
        case "left":
            conversation.abandon()
    events: list[Event] = []
    while (step := conversation.next()) is not None:
        match step:
            case SendRequest() | ReadBody():  # an answer that goes on in another request: there is no server for that
                conversation.receive_failure(ConnectionLost("there is no connection any more"))
            case Wait():
                conversation.resume()
            case event:
                events.append(event)
    return events
