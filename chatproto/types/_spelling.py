"""How a value was written on the wire, where that differs from how chatproto would write it.

Wire JSON -> value -> wire JSON is the identity (law L3). Most values have one spelling, and are then plain ``bytes``,
``int``, ``float`` and ``datetime``. The rest are instances of a subclass that remembers the JSON it came from:
url-safe or unpadded base64, int64 as a string, ``"NaN"``, a timestamp with nanoseconds. Changing the field to a new
value drops the old spelling with the old value.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

__all__ = ["Spelled", "decode_base64", "decode_timestamp", "encode_base64", "encode_timestamp", "spelled"]


class Spelled:
    """Mixed into a built-in class: ``spelling`` is the JSON value that this one was read from."""

    spelling: Any = None


class SpelledBytes(Spelled, bytes):
    """Bytes that came in another base64 than the standard alphabet with padding."""


class SpelledInt(Spelled, int):
    """An integer that came as a JSON string, as int64 does in protobuf's JSON."""


class SpelledFloat(Spelled, float):
    """A number that came as a JSON string, ``"NaN"``, ``"Infinity"``, ``"0.5"``, or as an integer."""


class SpelledDatetime(Spelled, datetime):
    """A timestamp that came in other digits than chatproto would write.

    Arithmetic on it gives instances of this class, which have no spelling of their own.
    """

    def __repr__(self) -> str:
        return super().__repr__().replace(type(self).__name__, "datetime.datetime", 1)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        plain = datetime(
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.microsecond, self.tzinfo
        )
        return spelled, (SpelledDatetime, plain, self.spelling)


def spelled(cls: type[Any], value: Any, spelling: Any) -> Any:
    """``value`` as an instance of ``cls``, a subclass of Spelled, that remembers ``spelling``."""
    if cls is SpelledDatetime:
        made = SpelledDatetime(
            value.year,
            value.month,
            value.day,
            value.hour,
            value.minute,
            value.second,
            value.microsecond,
            value.tzinfo,
        )
    else:
        made = cls(value)
    made.spelling = spelling
    return made


# --- base64 -------------------------------------------------------------------------------------------------------

_TO_STANDARD = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """The bytes behind ``text``, in either alphabet, with or without padding.

    A spelling other than the standard alphabet with padding is remembered. Raises ValueError.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):  # ValueError: non-ASCII text
        return _decode_loosely(text)
    tail = len(data) % 3 or min(3, len(data))
    # Only the last group can hold bits that decoding throws away.
    if tail and not text.endswith(binascii.b2a_base64(data[-tail:], newline=False).decode()):
        return spelled(SpelledBytes, data, text)  # type: ignore[no-any-return]
    return data


def _decode_loosely(text: str) -> bytes:
    standard = text.translate(_TO_STANDARD).rstrip("=")
    padded = standard + "=" * (-len(standard) % 4)
    data = binascii.a2b_base64(padded, strict_mode=True)
    return spelled(SpelledBytes, data, text)  # type: ignore[no-any-return]


def encode_base64(data: bytes) -> str:
    """``data`` as base64, in the spelling it came with, else in the standard alphabet with padding."""
    if isinstance(data, Spelled):
        return str(data.spelling)
    return binascii.b2a_base64(data, newline=False).decode("ascii")


# --- timestamps ---------------------------------------------------------------------------------------------------

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))?", re.ASCII
)


def decode_timestamp(text: str) -> datetime:
    """An RFC 3339 timestamp. Nanoseconds are cut to microseconds, and the spelling kept. Raises ValueError."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 timestamp")
    year, month, day, hour, minute, second = (int(group) for group in match.groups()[:6])
    fraction, zulu, sign, zone_hours, zone_minutes = match.groups()[6:]
    micros = int((fraction or "0").ljust(6, "0")[:6])
    zone: timezone | None = UTC if zulu else None
    if sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        zone = timezone(-offset if sign == "-" else offset)
    moment = datetime(year, month, day, hour, minute, second, micros, zone)
    return moment if encode_timestamp(moment) == text else spelled(SpelledDatetime, moment, text)


def encode_timestamp(moment: datetime) -> str:
    """``moment`` as RFC 3339, ``Z`` for UTC, in the spelling it came with."""
    if isinstance(moment, Spelled) and moment.spelling is not None:
        return str(moment.spelling)
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
