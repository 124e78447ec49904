"""RetryPolicy: which failures are tried again, and after how long."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproto.errors import (
    APIError,
    ChatProtoError,
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    ResponseTooLarge,
    TimedOut,
)
from chatproto.machines.retry import DEFAULT_CODES, Pause, RetryPolicy
from chatproto.types import HttpRetryOptions
from chatproto.wire.http import retry_after

numbers = st.none() | st.floats(-10, 100) | st.sampled_from([0.0, 1e308, math.inf])
codes = st.lists(st.sampled_from([400, 404, 408, 429, 500, 503, 504]), max_size=4)


@st.composite
def options(draw: st.DrawFn) -> HttpRetryOptions:
    """Sensible and senseless ones."""
    return HttpRetryOptions(
        attempts=draw(st.none() | st.integers(-1, 1000)),
        initial_delay=draw(numbers),
        max_delay=draw(numbers),
        exp_base=draw(numbers),
        jitter=draw(numbers),
        http_status_codes=draw(st.none() | codes),
    )


def failed(code: int, after: float | None = None) -> APIError:
    """A server's error."""
    return APIError.of(code, {}, retry_after=after)


errors: st.SearchStrategy[ChatProtoError] = st.one_of(
    st.builds(failed, st.sampled_from([200, 400, 404, 429, 500, 503]), st.none() | st.floats(0, 1000)),
    st.sampled_from([ConnectFailed("x"), ConnectionLost("x"), TimedOut("x"), MalformedResponse("x")]),
)


@given(options(), st.integers(1, 1200), errors)
def test_pauses_are_bounded(given_options: HttpRetryOptions, attempt: int, error: ChatProtoError) -> None:
    """Whatever the options: no pause is negative, or with its jitter longer than max_delay; attempts are counted."""
    policy = RetryPolicy.of(given_options)
    pause = policy.pause(attempt, error)
    if pause is None:
        return
    assert attempt < policy.attempts
    assert 0 <= pause.seconds <= policy.max_delay
    if math.isfinite(policy.max_delay):
        assert 0 <= pause.jitter <= policy.jitter
        assert pause.seconds + pause.jitter <= policy.max_delay + 1e-6
    if isinstance(error, APIError):
        assert error.code in policy.codes
        assert error.retry_after is None or pause.seconds >= error.retry_after
    else:
        assert not isinstance(error, MalformedResponse)


@given(options(), errors)
def test_the_last_attempt_is_the_last(given_options: HttpRetryOptions, error: ChatProtoError) -> None:
    """After as many attempts as the options allow, and at least one, the error is the caller's."""
    policy = RetryPolicy.of(given_options)
    allowed = 5 if given_options.attempts is None else max(1, given_options.attempts)
    assert policy.attempts == allowed
    assert policy.pause(allowed, error) is None


def test_without_options_nothing_is_tried_again() -> None:
    """As in the reference."""
    policy = RetryPolicy.of(None)
    assert all(policy.pause(1, failed(code)) is None for code in DEFAULT_CODES)
    assert policy.pause(1, ConnectFailed("x")) is None


def test_the_reference_s_defaults() -> None:
    """Five attempts; 1, 2, 4, 8 seconds and up to one more; its list of statuses."""
    policy = RetryPolicy.of(HttpRetryOptions())
    pauses = [policy.pause(attempt, failed(503)) for attempt in range(1, 6)]
    assert pauses == [Pause(1, 1), Pause(2, 1), Pause(4, 1), Pause(8, 1), None]
    assert {code for code in range(100, 600) if policy.pause(1, failed(code))} == set(DEFAULT_CODES)
    for error in (ConnectFailed("x"), ConnectionLost("x"), TimedOut("x")):
        assert policy.pause(1, error) == Pause(1, 1)
    for other in (MalformedResponse("x"), ResponseTooLarge("x")):
        assert policy.pause(1, other) is None


@pytest.mark.parametrize("attempts", [0, 1, -3])
def test_no_attempts_is_one(attempts: int) -> None:
    """``attempts=0`` means one, as in the reference."""
    assert RetryPolicy.of(HttpRetryOptions(attempts=attempts)).pause(1, failed(503)) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, Pause(2, 1)),
        (0.0, Pause(2, 1)),
        (1.5, Pause(2, 1)),
        (7.0, Pause(7, 1)),
        (9.5, Pause(9.5, 0.5)),
        (10.0, Pause(10, 0)),
        (10.5, None),
        (86400.0, None),
    ],
)
def test_retry_after(after: float | None, expected: Pause | None) -> None:
    """The server's wish counts where it asks for more; where it asks for more than max_delay, the caller is told."""
    policy = RetryPolicy.of(HttpRetryOptions(max_delay=10))
    assert policy.pause(2, failed(429, after)) == expected


def test_large_bases_do_not_overflow() -> None:
    """A thousand attempts later the pause is max_delay."""
    policy = RetryPolicy.of(HttpRetryOptions(attempts=5000, exp_base=10))
    assert policy.pause(4000, failed(503)) == Pause(60, 0)


# --- Retry-After, the header ---

DATE = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("Retry-After", "7")], 7.0),
        ([("retry-after", " 120 ")], 120.0),
        ([("RETRY-AFTER", "0")], 0.0),
        ([("Retry-After", "7"), ("Retry-After", "9")], 7.0),
        ([("Retry-After", "-7")], None),
        ([("Retry-After", "1.5")], None),
        ([("Retry-After", "1e3")], None),
        ([("Retry-After", "\u0667")], None),
        ([("Retry-After", "9" * 5000)], None),
        ([("Retry-After", "")], None),
        ([("Retry-After", "soon")], None),
        ([DATE, ("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT")], 60.0),
        ([DATE, ("Retry-After", "Mon, 07 Nov 1994 08:49:37 GMT")], 86400.0),
        ([DATE, ("Retry-After", "Sun, 06 Nov 1994 08:49:36 GMT")], 0.0),
        ([("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT")], None),
        ([("Date", "now"), ("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT")], None),
        ([DATE, ("Retry-After", "Sun, 31 Feb 1994 08:50:37 GMT")], None),
        ([DATE, ("Retry-After", "Sun, 06 Foo 1994 08:50:37 GMT")], None),
        ([DATE, ("Retry-After", "Sun, 06 Nov 0000 08:50:37 GMT")], None),
        ([DATE, ("Retry-After", "Sun, 06 Nov 1994 24:00:00 GMT")], None),
        ([DATE, ("Retry-After", "Sunday, 06-Nov-94 08:50:37 GMT")], None),
    ],
)
def test_the_header(headers: list[tuple[str, str]], seconds: float | None) -> None:
    """Seconds, or a date that counts from the response's own Date; what cannot be read is as good as absent."""
    assert retry_after(headers) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_is_read_or_ignored(after: str, date: str) -> None:
    """L12: no header brings an exception."""
    found = retry_after([("Date", date), ("Retry-After", after)])
    assert found is None or found >= 0
