"""What is said of a test that a cassette has failed: in its own words, once, and first. Of the pytest plug-in."""

from __future__ import annotations

import os
import re
import sysconfig
from types import TracebackType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..errors import CassetteError

__all__ = ["MADE_BEFORE", "NOT_GIVEN", "advised", "is_failure", "shared", "told_first"]

MADE_BEFORE = (
    "Perhaps the program made its client before the test began, as when its module was imported: such a client does not"
    " know GOOGLE_GEMINI_BASE_URL. Make the client in a function, or import the module in the test."
)
NOT_GIVEN = "Give the program the client or the transport that the test takes."

#: What a report says of recording again, to all who play cassettes; and what to do with a server that one has made.
_IN_GENERAL = re.compile(r"^(If the [^\n]*?, )record it again[^\n]*$", re.MULTILINE)
_IN_THE_MARKER = {"say so to Served": "say so in the marker", "give Served in_order": "give the marker in_order"}


def advised(words: str, *, command: str) -> str:
    """A report that says how to record this test again. The advice stands in it once or more."""
    for general, here in _IN_THE_MARKER.items():
        words = words.replace(general, here)
    found, count = _IN_GENERAL.subn(lambda line: f"{line[1]}record it again: {command}", words)
    return found if count else f"{found}\nIf that is meant, record it again: {command}"


def shared(words: str, *, recorder: str) -> str:
    """A report about a cassette that another test has recorded just now: doing so again would not help."""
    told = f"{recorder} has recorded it just now: a cassette has one name for all tests that ask the same, in one order"
    return words if told in words else f"{_IN_GENERAL.sub('', words).rstrip()}\n{told}"


def is_failure(error: BaseException) -> bool:
    """Whether a test has failed by this exception, or was skipped, given up as expected, or left."""
    from unittest import SkipTest

    if isinstance(error, (pytest.exit.Exception, pytest.xfail.Exception, SkipTest)):
        return False
    return isinstance(error, (Exception, pytest.fail.Exception))


def told_first(refusal: CassetteError, error: BaseException, *, quoted: Iterable[str]) -> CassetteError:
    """``refusal``, to be raised instead of the ``error`` by which a test has failed after it.

    It has the traceback of the error, without the libraries that the program asked through, and a note of what the
    error says, unless that is the refusal again: ``quoted`` are words by which it is known.
    """
    words = str(error)
    again = any(_plain(each) in _plain(words) for each in quoted)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    refusal.__cause__ = None  # and so its context is not shown
    refusal.add_note(f"After that, the test failed by {name}{'' if again or not words else f': {words}'}")
    return refusal.with_traceback(_in_the_program(error.__traceback__))


def _in_the_program(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback that ends where the program called a library; all of it, where nothing else is in it."""
    libraries = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    entries: list[TracebackType] = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    while len(entries) > 1 and entries[-1].tb_frame.f_code.co_filename.startswith(libraries):
        entries.pop()
    for each in reversed(entries):
        traceback = TracebackType(traceback, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return traceback


def _plain(words: str) -> str:
    """``words`` as they also are in JSON, or in what Python shows of a dict."""
    return re.sub(r"[\\\"']", "", words)
