"""JSON that a machine has written, read again: each member is looked at, and what is wrong is named by its path."""

from __future__ import annotations

import enum
from base64 import b64decode
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ValidationError
from ..types import Content
from ..types._hooks import converter
from ..types._json import is_object
from ..types._spelling import decode_base64
from ..wire.json_codec import decode, encode

__all__ = ["Reader", "contents_to_json"]

if TYPE_CHECKING:
    from ..types._value import Value

E = TypeVar("E", bound=enum.Enum)
W = TypeVar("W", bound=str)
Json = dict[str, Any]


class Reader:
    """A JSON object. Every method raises ValidationError for a member that is not as it was written."""

    def __init__(self, document: Json, path: str = "$") -> None:
        self.document = document
        self.path = path

    def wrong(self, key: str, problem: str) -> ValidationError:
        """The error that says what is wrong with a member."""
        return ValidationError(problem, path=f"{self.path}.{key}")

    def held(self, key: str, *kinds: type) -> Any:
        """The value of ``key``, which is of one of ``kinds``."""
        item = self.document.get(key)
        if type(item) not in kinds:
            wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
            raise self.wrong(key, f"expected {wanted}, got {type(item).__name__}")
        return item

    def one_of(self, key: str, kind: type[E]) -> E:
        """A member of an Enum, by its value."""
        item = self.held(key, str)
        try:
            return kind(item)
        except ValueError:
            raise self.wrong(key, f"not one of {', '.join(repr(each.value) for each in kind)}: {item!r}") from None

    def word(self, key: str, *words: W) -> W:
        """One of several words."""
        item = self.held(key, str)
        if item not in words:
            raise self.wrong(key, f"not one of {', '.join(map(repr, words))}: {item!r}")
        return words[words.index(item)]

    def count(self, key: str) -> int:
        """A number from 0."""
        number: int = self.held(key, int)
        if number < 0:
            raise self.wrong(key, f"expected a number from 0, got {number}")
        return number

    def blob(self, key: str) -> bytes:
        """Bytes, which are written as base64."""
        return self._blob(key, self.held(key, str))

    def blobs(self, key: str) -> list[bytes]:
        """A list of them."""
        return [self._blob(f"{key}[{index}]", item) for index, item in enumerate(self.held(key, list))]

    def _blob(self, key: str, text: Any) -> bytes:
        try:
            return b64decode(text, validate=True)
        except (TypeError, ValueError):
            raise self.wrong(key, "expected base64") from None

    def token(self, key: str) -> str | None:
        """Base64 as the server wrote it, which is kept in its spelling; or null."""
        item: str | None = self.held(key, str, type(None))
        try:
            if item is not None:
                decode_base64(item)
        except ValueError:
            raise self.wrong(key, "expected base64") from None
        return item

    def needed(self, key: str) -> Reader:
        """The object of ``key``."""
        return Reader(self.held(key, dict), f"{self.path}.{key}")

    def inner(self, key: str) -> Reader | None:
        """The object of ``key``; None where it is null."""
        item = self.held(key, dict, type(None))
        return None if item is None else Reader(item, f"{self.path}.{key}")

    def each(self, key: str) -> list[Reader]:
        """The objects of a list."""
        return [
            Reader(self._object(f"{key}[{index}]", item), f"{self.path}.{key}[{index}]")
            for index, item in enumerate(self.held(key, list))
        ]

    def contents(self, key: str) -> list[bytes]:
        """The Contents of a list, encoded as they are sent."""
        return [encode(item) for item in self.values(key, Content)]

    def values(self, key: str, kind: type[Value]) -> list[Json]:
        """The objects of a list, each of which is JSON of ``kind``."""
        items: list[Json] = []
        for index, item in enumerate(self.held(key, list)):
            place = f"{key}[{index}]"
            self.fits(place, self._object(place, item), kind)
            items.append(item)
        return items

    def value(self, key: str, kind: type[Value]) -> Json | None:
        """An object that is JSON of ``kind``, or null."""
        item: Json | None = self.held(key, dict, type(None))
        if item is not None:
            self.fits(key, item, kind)
        return item

    def fits(self, place: str, item: Json, kind: type[Value]) -> None:
        """Whether ``item`` is JSON of ``kind``, and such as can be written again."""
        try:
            converter("wire").structure(item, kind)
            encode(item)
        except ValidationError as error:
            raise self.wrong(f"{place}{error.path[1:]}", error.problem) from None
        except RecursionError:
            raise self.wrong(place, "nested too deeply") from None

    def _object(self, key: str, item: Any) -> Json:
        if not is_object(item):
            raise self.wrong(key, f"expected an object, got {type(item).__name__}")
        return item


def contents_to_json(encoded: tuple[bytes, ...] | list[bytes]) -> list[Any]:
    """Contents, as they are sent, as JSON values."""
    return [decode(each, what="a content of the history") for each in encoded]
