"""Durations as text: ISO 8601, which is what JSON Schema means by the format ``duration``."""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["decode_duration", "encode_duration"]

_ISO8601 = re.compile(
    r"([+-]?)P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?", re.ASCII
)


def decode_duration(text: str) -> timedelta:
    """``P1DT2H``, ``-PT1.5S``, ``P3W``. Years and months have no length. Raises ValueError, and OverflowError."""
    match = _ISO8601.fullmatch(text)
    if match is None:
        raise ValueError("not a duration in ISO 8601")
    sign, *groups, fraction = match.groups()
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in groups)
    micros = int((fraction or "").ljust(6, "0")[:6])
    found = timedelta(days, seconds, micros, 0, minutes, hours, weeks)
    return -found if sign == "-" else found


def encode_duration(duration: timedelta) -> str:
    """``duration`` in days, hours, minutes and seconds."""
    if duration < timedelta(0):
        return f"-{encode_duration(-duration)}"
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06}".rstrip("0") if duration.microseconds else ""
    in_a_day = "".join(
        f"{amount}{unit}"
        for amount, unit in ((str(hours), "H"), (str(minutes), "M"), (f"{seconds}{fraction}", "S"))
        if amount != "0"
    )
    days = f"{duration.days}D" if duration.days else ""
    return f"P{days}T{in_a_day}" if in_a_day else f"P{days or 'T0S'}"
