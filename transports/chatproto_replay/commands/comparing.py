"""Two cassettes side by side: where what was asked, or what was answered, is not the same.

Answers are compared as a program sees them: what was said, folded, how it finished, and what it cost. How the bytes
were cut, and when they came, is told apart, as no difference.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import attrs

from ..cassette import Body, RecordedRequest
from ..matching.differences import Difference, differences, first_content
from .answers import kind_of, read_answer, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..cassette import Cassette, Exchange, RecordedResponse

__all__ = ["Compared", "Comparison", "compare", "json_differences"]


@attrs.frozen(kw_only=True)
class Compared:
    """One exchange in both cassettes, by its number from 1. ``request`` and ``answer`` are where they differ.

    ``alone`` says that it is in one of them only: "A" or "B". ``bytes`` says in what equal answers differ as bytes.
    """

    number: int
    request: tuple[Difference, ...] = ()
    answer: tuple[Difference, ...] = ()
    bytes: tuple[str, ...] = ()
    alone: str = ""

    @property
    def equal(self) -> bool:
        """Whether a program would see no difference."""
        return not (self.request or self.answer or self.alone)


@attrs.frozen
class Comparison:
    """All exchanges of both cassettes."""

    exchanges: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        """Whether a program would see no difference in any of them."""
        return all(each.equal for each in self.exchanges)

    @property
    def parting(self) -> str:
        """Where the two first differ, in words; "" where they do not."""
        first = next((each for each in self.exchanges if not each.equal), None)
        if first is None:
            return ""
        if first.alone:
            return f"exchange {first.number}, which is in {first.alone} only"
        if not first.request:
            return f"the answer of exchange {first.number}"
        content = first_content(first.request)
        where = "" if content is None else f", contents[{content}]"
        return f"the request of exchange {first.number}{where}"


def compare(a: Cassette, b: Cassette) -> Comparison:
    """Compare two cassettes, exchange by exchange."""
    found: list[Compared] = []
    for number, (one, other) in enumerate(zip_longest(a.exchanges, b.exchanges), start=1):
        if one is None or other is None:
            found.append(Compared(number=number, alone="A" if other is None else "B"))
            continue
        answer = json_differences(_answer(one), _answer(other))
        found.append(
            Compared(
                number=number,
                request=differences(one.request, other.request),
                answer=answer,
                bytes=() if answer else tuple(_bytes(one, other)),
            )
        )
    return Comparison(tuple(found))


def json_differences(a: Any, b: Any) -> tuple[Difference, ...]:
    """Where two JSON values differ: ``recorded`` is how it is shown in the first, ``now`` in the second."""
    one, other = (RecordedRequest(method="", path="", body=Body("json", value)) for value in (a, b))
    return differences(one, other)


def _answer(exchange: Exchange) -> dict[str, Any]:
    """An answer as a program sees it. What is not there is not a member."""
    response, kind = exchange.response, kind_of(exchange.request)
    seen: dict[str, Any] = {}
    if response is not None:
        seen |= {"status": response.status, "end": response.end}
    if kind in ("generate", "stream"):
        answer = read_answer(exchange)
        seen |= {
            "content": answer.content,
            "outcome": answer.outcome,
            "finishReason": answer.finish_reason or None,
            "modelVersion": answer.model_version or None,
            "usageMetadata": None if answer.usage is None else answer.usage.model_dump(mode="json", by_alias=True),
            "error": None if answer.error is None else _words(exchange, answer.error),
        }
    else:
        read = read_documents(exchange)
        seen["documents"] = list(read.documents)
        seen["error"] = None if read.error is None else _words(exchange, read.error)
        if response is not None and kind == "bytes":
            seen["bytes"] = response.content.hex()
    return {name: held for name, held in seen.items() if held is not None}


def _words(exchange: Exchange, error: Exception) -> str:
    """The kind of a failure: its words are the HTTP library's, or the server's."""
    failure = exchange.failure
    return failure.kind if failure is not None else f"{type(error).__name__}: {error}"


def _bytes(one: Exchange, other: Exchange) -> Iterator[str]:
    """In what two equal answers differ as bytes."""
    a, b = one.response, other.response
    if a is None or b is None:
        return
    if a.content != b.content:
        yield "spelling of the body"
    if [len(chunk.data) for chunk in a.chunks] != [len(chunk.data) for chunk in b.chunks]:
        yield f"chunks ({len(a.chunks)}, {len(b.chunks)})"
    if [chunk.delay for chunk in a.chunks] != [chunk.delay for chunk in b.chunks]:
        yield f"times ({sum(chunk.delay for chunk in a.chunks)} ms, {sum(chunk.delay for chunk in b.chunks)} ms)"
    if a.headers != b.headers:
        differ = [name for name in sorted({name for name, _ in (*a.headers, *b.headers)}) if _differs(name, a, b)]
        yield f"headers ({', '.join(differ)})" if differ else "order of headers"


def _differs(name: str, a: RecordedResponse, b: RecordedResponse) -> bool:
    """Whether a header has other values, or stands in one of them only."""
    one, other = ([value for key, value in each.headers if key == name] for each in (a, b))
    return one != other
