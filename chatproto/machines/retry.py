"""When a failed attempt is made again: a pure policy, without a clock and without chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..errors import APIError, ChatProtoError, TransportError

if TYPE_CHECKING:
    from ..types import HttpRetryOptions

__all__ = ["DEFAULT_CODES", "NO_RETRY", "Pause", "RetryPolicy"]

#: What the reference retries when ``http_status_codes`` is not given.
DEFAULT_CODES = (408, 429, 500, 502, 503, 504)


@attrs.frozen
class Pause:
    """Wait ``seconds``, and up to ``jitter`` seconds more."""

    seconds: float
    jitter: float


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """google-genai's ``retry_options``: off unless given, five attempts in all unless it says otherwise.

    The pause before attempt n+1 is ``initial_delay * exp_base ** (n - 1)`` plus a jitter, at most ``max_delay``.
    A server's Retry-After is honoured where it asks for more; where it asks for more than ``max_delay``, the error is
    handed to the caller instead (``APIError.retry_after`` has the figure), who knows better than to block so long.

    Only what fails before the first byte of an answer is tried again: a stream that has begun is not.
    """

    attempts: int = 1
    initial_delay: float = 1.0
    max_delay: float = 60.0
    exp_base: float = 2.0
    jitter: float = 1.0
    codes: tuple[int, ...] = DEFAULT_CODES

    @classmethod
    def of(cls, options: HttpRetryOptions | None) -> RetryPolicy:
        """The policy that ``options`` describe."""
        if options is None:
            return NO_RETRY

        def given(value: float | None, default: float) -> float:
            return default if value is None else max(0.0, value)

        return cls(
            attempts=5 if options.attempts is None else max(1, options.attempts),
            initial_delay=given(options.initial_delay, 1.0),
            max_delay=given(options.max_delay, 60.0),
            exp_base=given(options.exp_base, 2.0),
            jitter=given(options.jitter, 1.0),
            codes=DEFAULT_CODES if options.http_status_codes is None else tuple(options.http_status_codes),
        )

    def pause(self, attempt: int, error: ChatProtoError) -> Pause | None:
        """How long to wait after attempt number ``attempt`` (from 1) failed; None to give up."""
        if attempt >= self.attempts or not self._retries(error):
            return None
        try:
            seconds = min(self.max_delay, self.initial_delay * self.exp_base ** (attempt - 1))
        except OverflowError:
            seconds = self.max_delay
        asked = error.retry_after if isinstance(error, APIError) else None
        if asked is not None:
            if asked > self.max_delay:
                return None
            seconds = max(seconds, asked)
        return Pause(seconds, min(self.jitter, self.max_delay - seconds))

    def _retries(self, error: ChatProtoError) -> bool:
        if isinstance(error, APIError):
            return error.code in self.codes
        return isinstance(error, TransportError)


#: That of whoever says nothing.
NO_RETRY = RetryPolicy()
