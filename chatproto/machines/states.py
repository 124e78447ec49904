"""Every state, and every change of one.

Whatever changes the state of a machine is in this file, and is driven by one literal table a machine: state, input,
next state. An input that the table does not list for a state is a LocalProtocolError, and changes nothing (law L11).
The README's diagrams are printed from the tables.

An *exchange* is one HTTP call with its retries; inputs that tell of the wire come from the driver::

    BEGIN       someone asked for the first step        FAILURE   the transport failed
    HEAD_OK     a 200 came                              RETRY     the policy allows another attempt
    HEAD_ERROR  another status came                     RESUME    the wait is over
    DATA        a piece of the body came                FINISH    all is handed out, or the server broke the format
    END         the body ended                          ABANDON   the caller has left

A *conversation* is turns, one after the other, each with one exchange a round::

    SEND     the user said something                    CALLS     the answer ended with function calls
    ANSWER   the user answered the function calls       REOPEN    the request with the answers failed
    BEGIN    someone asked for the first step           END       the turn is over, whatever its outcome
    DRIVE    the driver reported; it is the exchange's  ABANDON   the caller has left
    CONTINUE the answer goes on in another request

An *upload* is one file on its way, with one exchange a request::

    BEGIN    someone asked for the first step           RESUME    the wait is over: ask how much has arrived
    OPENED   the server has given a URL for the bytes   ARRIVED   all is there, and the answer that says as what is lost
    DRIVE    the driver reported; it is the exchange's  END       the upload is over, whatever came of it
    TAKEN    the server has said how much it holds      ABANDON   the caller has left
    DOUBT    it has not, so it must be asked
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar

from ..errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONVERSATION",
    "EXCHANGE",
    "UPLOAD",
    "ConversationInput",
    "ConversationState",
    "ConversationStates",
    "ExchangeInput",
    "ExchangeState",
    "ExchangeStates",
    "UploadInput",
    "UploadState",
    "UploadStates",
]


class _Member(enum.Enum):
    """A state or an input: there is one of each, so it is found by what it is. The hash of Enum is that of a name."""

    __hash__ = object.__hash__


class ExchangeState(_Member):
    """Where an exchange is."""

    IDLE = "idle"
    AWAIT_HEAD = "await head"
    READ_BODY = "read body"
    READ_ERROR = "read error"
    DRAIN = "drain"
    BACKOFF = "backoff"
    CLOSED = "closed"


class ExchangeInput(_Member):
    """What happens to an exchange."""

    BEGIN = "begin"
    HEAD_OK = "head ok"
    HEAD_ERROR = "head error"
    DATA = "data"
    END = "end"
    FAILURE = "failure"
    RETRY = "retry"
    RESUME = "resume"
    FINISH = "finish"
    ABANDON = "abandon"


class ConversationState(_Member):
    """Where a conversation is. IDLE and CALLS_WANTED are those in which it needs its user."""

    IDLE = "idle"
    STARTING = "starting"
    EXCHANGING = "exchanging"
    CALLS_WANTED = "calls wanted"
    ANSWERING = "answering"


class ConversationInput(_Member):
    """What happens to a conversation."""

    SEND = "send"
    ANSWER = "answer"
    BEGIN = "begin"
    DRIVE = "drive"
    CONTINUE = "continue"
    CALLS = "calls"
    REOPEN = "reopen"
    END = "end"
    ABANDON = "abandon"


class UploadState(_Member):
    """Where an upload is."""

    IDLE = "idle"
    STARTING = "starting"
    SENDING = "sending"
    WAITING = "waiting"
    QUERYING = "querying"
    FETCHING = "fetching"
    CLOSED = "closed"


class UploadInput(_Member):
    """What happens to an upload."""

    BEGIN = "begin"
    OPENED = "opened"
    DRIVE = "drive"
    TAKEN = "taken"
    DOUBT = "doubt"
    RESUME = "resume"
    ARRIVED = "arrived"
    END = "end"
    ABANDON = "abandon"


_E, _EI = ExchangeState, ExchangeInput
_C, _CI = ConversationState, ConversationInput
_U, _UI = UploadState, UploadInput

EXCHANGE: Final[Mapping[ExchangeState, Mapping[ExchangeInput, ExchangeState]]] = {
    _E.IDLE: {_EI.BEGIN: _E.AWAIT_HEAD, _EI.ABANDON: _E.CLOSED},
    _E.AWAIT_HEAD: {
        _EI.HEAD_OK: _E.READ_BODY,
        _EI.HEAD_ERROR: _E.READ_ERROR,
        _EI.FAILURE: _E.DRAIN,
        _EI.ABANDON: _E.CLOSED,
    },
    _E.READ_BODY: {
        _EI.DATA: _E.READ_BODY,
        _EI.END: _E.DRAIN,
        _EI.FAILURE: _E.DRAIN,
        _EI.FINISH: _E.CLOSED,
        _EI.ABANDON: _E.CLOSED,
    },
    _E.READ_ERROR: {
        _EI.DATA: _E.READ_ERROR,
        _EI.END: _E.DRAIN,
        _EI.FAILURE: _E.DRAIN,
        _EI.ABANDON: _E.CLOSED,
    },
    _E.DRAIN: {_EI.RETRY: _E.BACKOFF, _EI.FINISH: _E.CLOSED, _EI.ABANDON: _E.CLOSED},
    _E.BACKOFF: {_EI.RESUME: _E.AWAIT_HEAD, _EI.ABANDON: _E.CLOSED},
    _E.CLOSED: {},
}

CONVERSATION: Final[Mapping[ConversationState, Mapping[ConversationInput, ConversationState]]] = {
    _C.IDLE: {_CI.SEND: _C.STARTING, _CI.ABANDON: _C.IDLE},
    _C.STARTING: {_CI.BEGIN: _C.EXCHANGING, _CI.ABANDON: _C.IDLE},
    _C.EXCHANGING: {
        _CI.DRIVE: _C.EXCHANGING,
        _CI.CONTINUE: _C.EXCHANGING,
        _CI.CALLS: _C.CALLS_WANTED,
        _CI.REOPEN: _C.CALLS_WANTED,
        _CI.END: _C.IDLE,
    },
    _C.CALLS_WANTED: {_CI.ANSWER: _C.ANSWERING, _CI.END: _C.IDLE},
    _C.ANSWERING: {_CI.ANSWER: _C.ANSWERING, _CI.BEGIN: _C.EXCHANGING, _CI.ABANDON: _C.CALLS_WANTED},
}

UPLOAD: Final[Mapping[UploadState, Mapping[UploadInput, UploadState]]] = {
    _U.IDLE: {_UI.BEGIN: _U.STARTING, _UI.ABANDON: _U.CLOSED},
    _U.STARTING: {
        _UI.DRIVE: _U.STARTING,
        _UI.OPENED: _U.SENDING,
        _UI.END: _U.CLOSED,
        _UI.ABANDON: _U.CLOSED,
    },
    _U.SENDING: {
        _UI.DRIVE: _U.SENDING,
        _UI.TAKEN: _U.SENDING,
        _UI.DOUBT: _U.WAITING,
        _UI.ARRIVED: _U.FETCHING,
        _UI.END: _U.CLOSED,
        _UI.ABANDON: _U.CLOSED,
    },
    _U.WAITING: {_UI.RESUME: _U.QUERYING, _UI.ABANDON: _U.CLOSED},
    _U.QUERYING: {
        _UI.DRIVE: _U.QUERYING,
        _UI.TAKEN: _U.SENDING,
        _UI.DOUBT: _U.WAITING,
        _UI.ARRIVED: _U.FETCHING,
        _UI.END: _U.CLOSED,
        _UI.ABANDON: _U.CLOSED,
    },
    _U.FETCHING: {_UI.DRIVE: _U.FETCHING, _UI.END: _U.CLOSED, _UI.ABANDON: _U.CLOSED},
    _U.CLOSED: {},
}


S = TypeVar("S", bound=enum.Enum)
I = TypeVar("I", bound=enum.Enum)  # noqa: E741  (an input)


class _States(Generic[S, I]):
    """A state and the only code that changes it."""

    __slots__ = ("state",)

    #: The literal table of this machine.
    table: ClassVar[Mapping[Any, Mapping[Any, Any]]]

    def __init__(self, state: S) -> None:
        self.state: S = state

    def __deepcopy__(self, _: Any) -> Self:
        return type(self)(self.state)

    def allows(self, happened: I) -> bool:
        """Whether the table lists ``happened`` for the present state."""
        return happened in self.table[self.state]

    def restore(self, state: S) -> None:
        """Begin in ``state``: for a machine that is made from what was written, before anything has happened to it."""
        self.state = state

    def take(self, happened: I) -> S:
        """Change the state as the table says. Raises LocalProtocolError, and then nothing changed."""
        try:
            following: S = self.table[self.state][happened]
        except KeyError:
            allowed = ", ".join(each.name for each in self.table[self.state]) or "nothing"
            problem = f"{happened.name} is not possible in state {self.state.name}; possible there: {allowed}"
            raise LocalProtocolError(problem) from None
        self.state = following
        return following


class ExchangeStates(_States[ExchangeState, ExchangeInput]):
    """The state of an Exchange."""

    __slots__ = ()
    table = EXCHANGE


class ConversationStates(_States[ConversationState, ConversationInput]):
    """The state of a Conversation."""

    __slots__ = ()
    table = CONVERSATION


class UploadStates(_States[UploadState, UploadInput]):
    """The state of an Upload."""

    __slots__ = ()
    table = UPLOAD
