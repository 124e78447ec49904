"""Where a server's answers come from: what its application asks of takes and of an upstream server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, Union

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatproto.transport import Secrets
    from chatproto.wire.http import Headers, Request

    from ..cassette import End
    from ..errors import UnplayedExchanges

__all__ = ["Answer", "Answered", "Source"]


class Answer(Protocol):
    """The head of an answer, and what follows it."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """Names in lower case, without those that are about one connection."""
        ...

    async def next(self) -> bytes | End:
        """A chunk of the body, or how it ended."""
        ...

    async def leave(self) -> None:
        """Nothing more is wanted, after the end."""
        ...

    def discard(self) -> None:
        """The client has left."""
        ...


#: An answer, or the way in which a connection ends without one.
Answered = Union[Answer, "End"]


class Source(ABC):
    """Answers requests for a server, and keeps account of those that it could not answer.

    ``tell`` is called with a sentence when something goes wrong that only the one who runs the server can mend. No
    credential is in it.
    """

    mode: str

    def __init__(self) -> None:
        self.refused = 0
        #: Whether "cassette serve" runs it: what there is to do about a refusal, its user does on the command line.
        self.by_command = False
        self.first_error: Exception | None = None
        self._checked = False
        self.tell: Callable[[str], None] = lambda _: None

    @abstractmethod
    async def answer(self, request: Request, secrets: Secrets, client: bytes) -> Answered:
        """The answer to ``request``. ``client`` says no more than who has the same credential; b"" has none.

        Raises CassetteError for a request that is refused.
        """

    @abstractmethod
    def status(self) -> dict[str, Any]:
        """What has happened so far, as JSON."""

    @abstractmethod
    def summary(self) -> str:
        """The same in a line."""

    @abstractmethod
    def left(self) -> UnplayedExchanges | None:
        """What to raise in the end because it was not asked for."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of what was opened."""

    def __repr__(self) -> str:
        return f"<{self.mode}, {self.summary().splitlines()[0]}>"

    def check(self) -> None:
        """Raise what is wrong in the end: the first refusal, or what is left. Only the first call does."""
        if self._checked:
            return
        self._checked = True
        error = self.first_error or self.left()
        if error is not None:
            raise error

    def refuse(self, error: Exception, words: str) -> None:
        """Note that a request could not be answered, or not to its end."""
        self.refused += 1
        error.__traceback__ = error.__context__ = error.__cause__ = None  # frames that hold the request's headers
        self.first_error = self.first_error or error
        self.tell(words)
