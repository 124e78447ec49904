"""Enums that a new server cannot break.

The API adds values to its enums all the time. A value that chatproto does not know becomes a member with the name it
came with; no warning, no error, and it is written back as it came (law L3).
"""

from __future__ import annotations

import enum
from typing import Any, Self, cast

__all__ = ["OpenEnum"]


class OpenEnum(str, enum.Enum):  # noqa: UP042  (str() of a StrEnum is its value; google-genai's is not)
    """A string enum whose set of values is not closed.

    ``FinishReason("BRAND_NEW")`` is a member-like object: ``.name`` and ``.value`` are ``"BRAND_NEW"``, it equals
    every other one of that value, and iteration does not list it. Letter case does not matter, as in google-genai:
    ``FinishReason("stop")`` is ``FinishReason.STOP``. What a server sent remembers how it was written: ``.wire`` is
    what goes back on the wire, an int where the server sent a number.
    """

    @property
    def wire(self) -> str | int:
        """The JSON value of this member, as it came."""
        spelling: str | int | None = self.__dict__.get("_spelling")
        return self._value_ if spelling is None else spelling

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return None
        known = cls._any_case(value) if isinstance(value, str) else None
        return cls.from_wire(value) if known is None else known

    @classmethod
    def from_wire(cls, value: str | int) -> Self:
        """The member for a JSON value, which remembers how it was written."""
        listed = cls._value2member_map_.get(value)
        if listed is not None:
            return cast("Self", listed)
        known = cls._any_case(value) if isinstance(value, str) else None
        # Made anew and never remembered: what servers send must not fill the memory.
        text = str(value) if known is None else known._value_
        member = str.__new__(cls, text)
        member._value_ = text
        member._name_ = text if known is None else known._name_
        vars(member)["_spelling"] = value
        return member

    @classmethod
    def _any_case(cls, value: str) -> Self | None:
        return cls.__members__.get(value.upper()) or cls.__members__.get(value.lower())

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self._name_}: {self._value_!r}>"

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> OpenEnum:
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self).from_wire, (self.wire,)
