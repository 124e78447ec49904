"""Rules of redaction over a cassette that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .bodies import Redaction, checked, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..cassette import Cassette
    from .bodies import Span

__all__ = ["Changed", "redact_cassette"]


@attrs.frozen(kw_only=True)
class Changed:
    """The cassette after the rules; how many places they replaced, and in how many exchanges."""

    cassette: Cassette
    places: int
    exchanges: int


@attrs.frozen
class _Counting(Redaction):
    """A rule that counts the places it replaces."""

    rule: Redaction = attrs.field(kw_only=True)
    counted: list[str] = attrs.field(kw_only=True, factory=list[str])

    def __attrs_post_init__(self) -> None:
        """The rule has been looked at when it was made."""

    def replaced(self, text: str, keys: tuple[str, ...] = ()) -> Iterator[Span]:
        for start, end, by in self.rule.replaced(text, keys):
            if text[start:end] != by:
                self.counted.append(by)
            yield start, end, by


def redact_cassette(cassette: Cassette, rules: Iterable[Redaction]) -> Changed:
    """``cassette`` as ``redact=`` with these rules would have recorded it."""
    exchanges = list(cassette.exchanges)
    places = changed = 0
    known = checked(rules)
    for index, exchange in enumerate(exchanges):
        counting = [_Counting(rule.pattern, rule.by, rule=rule) for rule in known]
        exchanges[index] = redacted(exchange, counting)
        if exchanges[index] != exchange:
            changed += 1
            places += sum(len(rule.counted) for rule in counting)
    return Changed(cassette=attrs.evolve(cassette, exchanges=tuple(exchanges)), places=places, exchanges=changed)
