"""The functions that scenarios hand over as tools, and the calls that models make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

__all__ = ["ASYNC_ONLY", "NAMES", "STRICT", "UNTROUBLED", "draw_call", "functions"]


class Item(pydantic.BaseModel):
    """Something to order."""

    name: str
    count: int = 1


def functions(log: list[Any]) -> dict[str, Callable[..., Any]]:
    """The functions by name. Each writes down, in ``log``, that it was called, and with what."""

    def add(a: int, b: int = 1) -> int:
        """Adds two numbers.

        The second one is 1 if it is not given.
        """
        log.append(["add", a, b])
        return a + b

    def greet(name: str, loud: bool = False) -> str:
        """Greets."""
        log.append(["greet", name, loud])
        return f"Hello {name}" + "!" * loud

    def halve(x: float) -> float:
        """Halves."""
        log.append(["halve", x])
        return x / 2

    def total(numbers: list[int]) -> dict[str, Any]:
        """Adds many numbers."""
        log.append(["total", numbers])
        return {"total": sum(numbers), "none": None}

    def lookup(filters: dict[str, str], limit: int | None = None) -> list[str]:
        """Looks something up."""
        log.append(["lookup", filters, limit])
        return [f"{key}={held}" for key, held in filters.items()][:limit]

    def order(item: Item) -> Item:
        """Orders."""
        log.append(["order", type(item).__name__, item.name, item.count])
        return item

    def ping() -> str:
        """Has no arguments."""
        log.append(["ping"])
        return "pong"

    def fails(a: int) -> int:
        """Raises."""
        log.append(["fails", a])
        raise RuntimeError(f"no {a} today")

    def unwritable(a: int) -> Any:
        """Returns what JSON cannot hold."""
        log.append(["unwritable", a])
        return {a}

    async def later(a: int) -> int:
        """Is awaited."""
        log.append(["later", a])
        return a + 1

    every = (add, greet, halve, total, lookup, order, ping, fails, unwritable, later)
    return {function.__name__: function for function in every}


#: Those that can be drawn by anyone.
UNTROUBLED = ("add", "greet", "halve", "total", "lookup", "order", "ping", "fails")
ASYNC_ONLY = ("later",)
NAMES = (*UNTROUBLED, "unwritable", *ASYNC_ONLY)

_ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "add": [
        {"a": 1},
        {"a": 1, "b": 2},
        {"a": 2.0, "b": 3},
        {"a": "1"},
        {},
        {"a": 7, "c": 5},
        {"a": True, "b": 40},
        {"a": 1.5},
    ],
    "greet": [
        {"name": "Bo"},
        {"name": "Bo", "loud": True},
        {"name": 5},
        {"loud": False},
        {"name": None},
        {"name": "Extra", "x": 1},
    ],
    "halve": [{"x": 3}, {"x": 2.5}, {"x": 4.0}, {"x": "y"}],
    "total": [{"numbers": [1, 2.0]}, {"numbers": []}, {"numbers": "12"}, {"numbers": ["a"]}],
    "lookup": [{"filters": {"someKey": "b"}}, {"filters": {"a": "b"}, "limit": 1}, {"filters": [1]}, {"limit": 2}],
    "order": [
        {"item": {"name": "tea"}},
        {"item": {"name": "tea", "count": 2.0}},
        {"item": {"count": 1}},
        {"item": "x"},
    ],
    "ping": [{}],
    "fails": [{"a": 1}],
    "unwritable": [{"a": 1}],
    "later": [{"a": 1}, {"a": "x"}],
    "declared": [{"city": "Rome"}, {}],
}


#: What is written down of calls that have an argument that nobody knows, or true for an integer; and what comes of
#: them. No other call gives the same.
STRICT: tuple[tuple[str, list[Any], Any], ...] = (
    ("add", ["add", 7, 1], 8),
    ("add", ["add", True, 40], 41),
    ("greet", ["greet", "Extra", False], "Hello Extra"),
)


def draw_call(rng: random.Random, names: Sequence[str], *, odd: float = 0.1) -> dict[str, Any]:
    """A function call; with the probability ``odd`` one that is in some way unusual."""
    name = rng.choice(names)
    call: dict[str, Any] = {"name": name, "args": rng.choice(_ARGUMENTS[name])}
    if rng.random() < 0.4:
        call["id"] = f"call-{rng.randint(1, 99)}"
    if rng.random() < odd:
        if rng.random() < 0.5:
            del call["args"]
        else:
            call["name"] = "nobody_has_this"
    return call
