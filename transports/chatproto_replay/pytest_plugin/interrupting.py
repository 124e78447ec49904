"""Runs one test once for each place where an answer may be interrupted. Of the pytest plug-in."""

from __future__ import annotations

import inspect
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union

import pytest

from .marking import command_for, misused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..cassette import Exchange
    from ..faults.sweeping import Interruption
    from .running import Run

__all__ = ["Cut", "interrupted"]


@dataclass(frozen=True)
class Cut:
    """The answer of an exchange (from 1) is interrupted after ``at`` bytes of its body.

    With ``lost`` the connection breaks there; with ``ended`` the body ends, as if it were whole.
    """

    exchange: int
    at: int
    way: Literal["lost", "ended"]


_Any = Union[Cut, "Interruption"]
_WORDS = {"lost": "broke off", "ended": "ended, as if it were whole,", "left": "was left"}


def interrupted(function: Callable[..., Any], run: Run, only: str | None) -> Callable[..., Any]:
    """A function that runs ``function`` for each interruption in turn, and stops at the first one that fails.

    A function that takes ``replay_interruption`` gets a machine that was interrupted; any other is played to by an
    interrupted transport, and may ask for less afterwards, or for something else, but not before. ``only`` is what
    ``--replay-cut`` asks for. The function is asynchronous if ``function`` is: whoever runs such tests runs all of it
    as one.
    """

    def run_all(**arguments: Any) -> None:
        for each in _chosen(run, only, machines="replay_interruption" in arguments):
            with _told(run, each):
                function(**_filled(arguments, each))

    async def run_all_async(**arguments: Any) -> None:
        for each in _chosen(run, only, machines="replay_interruption" in arguments):
            with _told(run, each):
                await function(**_filled(arguments, each))

    return run_all_async if inspect.iscoroutinefunction(function) else run_all


def _filled(arguments: dict[str, Any], interruption: _Any) -> dict[str, Any]:
    return {name: interruption if name == "replay_interruption" else value for name, value in arguments.items()}


@contextmanager
def _told(run: Run, interruption: _Any) -> Generator[None]:
    """Interrupt there, and say so where the test fails."""
    try:
        with run.interrupted(interruption) if isinstance(interruption, Cut) else nullcontext():
            yield
    except BaseException as error:
        note = (
            f"Interrupted: the answer of exchange {interruption.exchange} {_WORDS[interruption.way]} after"
            f" {interruption.at} bytes. This one alone:"
            f" {command_for(run.item, f'--replay-cut={_name(interruption)}')}"
        )
        if isinstance(error, pytest.fail.Exception) and not error.pytrace:  # of which pytest shows the message alone
            error.msg = f"{error.msg}\n{note}"
        else:
            error.add_note(note)
        raise


def _name(interruption: _Any) -> str:
    return f"{interruption.exchange}:{interruption.at}:{interruption.way}"


def _chosen(run: Run, only: str | None, *, machines: bool) -> Iterator[_Any]:
    """The interruptions that the marker, or ``--replay-cut``, asks for, in the order of the bytes."""
    exchanges = run.recorded().exchanges
    everywhere = run.marking.cuts == "every-byte" or only is not None
    places = [tuple(_places(each)) if not everywhere else None for each in exchanges]
    found = False
    for each in _interruptions(run, exchanges, machines=machines):
        chosen = places[each.exchange - 1]
        if (chosen is None or each.at in chosen) and only in (None, _name(each)):
            found = True
            yield each
    if not found:
        what = "has no answer to interrupt" if only is None else f"has no interruption {only} (EXCHANGE:BYTE:WAY)"
        raise misused(f"{run.marking.path} {what}")


def _interruptions(run: Run, exchanges: tuple[Exchange, ...], *, machines: bool) -> Iterator[_Any]:
    if machines:
        from ..faults.sweeping import sweep

        yield from sweep(run.recorded())
        return
    for number, exchange in enumerate(exchanges, start=1):
        size = len(exchange.response.content) if exchange.response is not None else 0
        for at in range(size + 1) if size else ():
            yield Cut(number, at, "lost")
            if at < size:  # where all has come, a clean end is what was recorded
                yield Cut(number, at, "ended")


def _places(exchange: Exchange) -> tuple[int, ...]:
    """Where events come in an answer, and a byte to either side; of an answer that is no model's, its ends."""
    from ..faults.asking import is_message
    from ..faults.sweeping import boundaries

    if exchange.response is None:
        return ()
    if is_message(exchange.request):
        return boundaries(exchange)
    return 0, len(exchange.response.content)
