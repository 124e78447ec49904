"""What all checks stand on: how they are run, what they send, and how a failure is looked at."""

from __future__ import annotations

import gc
import os
import threading
import time
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from ...errors import ChatProtoError
from ...transport import Secrets
from ...wire.http import Request
from ..servers import RESET, LoopbackServer, Received
from .callers import AsyncCaller, Body, Caller, Mode, SyncCaller, modes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

__all__ = [
    "AT_ONCE",
    "FOR_EVER",
    "KEY",
    "SOON",
    "Checks",
    "Handshake",
    "a_request",
    "failing",
    "no_warnings",
    "require",
    "secrets_for",
    "under_asyncio",
    "without_proxies",
]

_HERE = Path(__file__).parent
Check = TypeVar("Check", bound="Callable[..., None]")

#: The credential that must go nowhere but to its own server.
KEY = "AIzaSyCanary-1234567890+/abcdef"

#: Seconds.
AT_ONCE = 1.0  # far from FOR_EVER, and time enough on a machine that has other work
SOON = 2.5
FOR_EVER = 4.0  # longer than any check waits


def secrets_for(server: LoopbackServer) -> Secrets:
    """The key, for this server."""
    return Secrets({"x-goog-api-key": KEY}, url=server.url("/"))


def a_request(server: LoopbackServer, path: str, *body: bytes, timeout: float | None = 10) -> Request:
    """A request to a path of this server."""
    return Request(
        method="POST",
        url=server.url(path),
        headers=(("content-type", "application/json"), ("user-agent", "chatproto/1"), ("x-client", "a b")),
        body=body,
        timeout=timeout,
    )


def under_asyncio(check: Check) -> Check:
    """Mark a check as one of asynchronous transports only."""
    vars(check)["only"] = "async"
    return check


def require(condition: object, message: str) -> None:
    """Fail the check with ``message``, also under ``python -O``."""
    if not condition:
        raise AssertionError(message)


class Handshake:
    """The server sends a piece only when the client has the one before: whoever waits for more waits in vain."""

    def __init__(self) -> None:
        self.taken = threading.Semaphore(0)
        self._in_vain = False

    def script(self, *pieces: bytes, ending: Any = b"") -> Callable[[Received], Iterator[Any]]:
        """The answer: the first piece, then each when the one before was taken, and ``ending``."""

        def answer(_: Received) -> Iterator[Any]:
            for number, piece in enumerate(pieces):
                if number and not self.taken.acquire(timeout=SOON):
                    self._in_vain = True
                    yield RESET
                yield piece
            yield ending

        return answer

    def read_all(self, body: Body) -> list[bytes]:
        """All pieces of the body, acknowledging each."""
        got: list[bytes] = []
        for data in iter(body.read, b""):
            got.append(data)
            self.taken.release()
        return got

    @contextmanager
    def shaking(self) -> Generator[None]:
        """Say what it means that the server waited in vain."""
        try:
            yield
        except ChatProtoError as error:
            if not self._in_vain:
                raise
            raise AssertionError(f"what the server had sent was held back until more would come: {error}") from error


@contextmanager
def failing(kind: type[Exception], what: str, *, but_not: type[Exception] | None = None) -> Generator[None]:
    """The block raises ``kind``, soon, with words, and without the key or another error in sight."""
    began = time.monotonic()
    try:
        yield
    except kind as error:
        took = time.monotonic() - began
        shown = _everything_about(error)
        require(
            but_not is None or not isinstance(error, but_not), f"{what}: {type(error).__name__} was raised: {error}"
        )
        require(took < SOON, f"{what}: it took {took:.1f} s to fail")
        require(str(error), f"{what}: the error has no words")
        require(KEY not in shown, f"{what}: the key is in the error, or in a frame of its traceback:\n{shown}")
        require(error.__context__ is None and error.__cause__ is None, f"{what}: another error hangs on it: {shown}")
        return
    except ChatProtoError as error:
        raise AssertionError(f"{what}: expected {kind.__name__}, got {type(error).__name__}: {error}") from None
    raise AssertionError(f"{what}: expected {kind.__name__}, and nothing was raised")


def _everything_about(error: BaseException) -> str:
    """All that a crash report would show of an error, with the local variables of all frames but the checks'."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack = traceback.StackSummary.from_list(
        [each for each in report.stack if Path(each.filename).parent != _HERE]
    )
    return f"{''.join(report.format())} {error!r}"


@contextmanager
def no_warnings(what: str) -> Generator[None]:
    """Nothing is left open that Python would warn of when it is collected."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
        gc.collect()
    require(not caught, f"{what}: {'; '.join(str(each.message) for each in caught)}")


@contextmanager
def without_proxies() -> Generator[None]:
    """Nothing in the environment leads away from loopback."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


class Checks:
    """How checks are run."""

    #: Whether the transport is expected to use the proxies that the environment names.
    uses_environment = True

    def transport(self) -> Any:
        """A new transport. Called for each check (under asyncio in the running loop), and once when the tests are
        collected, to see what it offers; that one is not used and not closed.
        """
        raise TypeError("say in transport() how a transport is made")

    def modes(self) -> Sequence[Mode]:
        """The modes to check: those that the transport has methods for."""
        return modes_of(self.transport())

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each check in the modes that the transport offers."""
        if "mode" in metafunc.fixturenames:
            only = getattr(metafunc.function, "only", None)
            offered = [each for each in self.modes() if only in (None, each)]
            without = pytest.param(only, marks=pytest.mark.skip(reason=f"the transport offers nothing {only}"))
            metafunc.parametrize("mode", offered or [without])

    @pytest.fixture
    def caller(self, mode: Mode) -> Iterator[Caller]:
        """A transport in use."""
        with self.calling(mode) as caller:
            yield caller

    @contextmanager
    def calling(self, mode: Mode) -> Generator[Caller]:
        """A new transport in use, without proxies, and closed in the end."""
        with without_proxies():
            caller: Caller = SyncCaller(self.transport) if mode == "sync" else AsyncCaller(self.transport)
            try:
                yield caller
            finally:
                try:
                    caller.close()
                finally:
                    caller.finish()
