"""Every error that chatproto raises.

::

    ChatProtoError
    ├── ValidationError (ValueError)        what the program handed over is wrong; nothing was sent, nothing changed
    │   ├── UnsupportedFunctionError        a tool that this chat cannot use
    │   └── CredentialError                 no key, or one that cannot be used
    ├── LocalProtocolError (RuntimeError)   a call that the machine's state forbids; nothing changed
    ├── RemoteProtocolError                 the server broke the format; the turn is over, curated history is as before
    │   ├── MalformedResponse               the bytes are not what the API documents
    │   ├── UploadFailed (ValueError)       a file did not arrive whole; the error says how much of it did
    │   └── ResponseTooLarge                a body, an event or a line passed its named limit
    ├── APIError                            the server answered with an error
    │   ├── ClientError                     400-499
    │   └── ServerError                     500-599
    ├── TransportError                      no answer, or not all of it
    │   ├── ConnectFailed (ConnectionError)
    │   ├── ConnectionLost (ConnectionError)
    │   └── TimedOut (TimeoutError)
    ├── FunctionError                       a function of the program refuses, and the model is told why
    └── MissingExtraError (ImportError)     an optional library is not installed; the message names the extra

Anything else that comes out of chatproto on any input is a bug in chatproto.
Errors hold text and plain values, never an object of an HTTP library: those hold the request's headers, and so the key.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from .types import GenerateContentResponse, HttpResponse

__all__ = [
    "APIError",
    "ChatProtoError",
    "ClientError",
    "ConnectFailed",
    "ConnectionLost",
    "CredentialError",
    "FunctionError",
    "LocalProtocolError",
    "MalformedResponse",
    "MissingExtraError",
    "RemoteProtocolError",
    "ResponseTooLarge",
    "ServerError",
    "TimedOut",
    "TransportError",
    "UnsupportedFunctionError",
    "UploadFailed",
    "ValidationError",
]


E = TypeVar("E", bound="ChatProtoError")


class ChatProtoError(Exception):
    """The root of the tree.

    ``partial`` is what had come of a model's answer when the error ended it, as one response; None where nothing had.
    """

    partial: GenerateContentResponse | None = None

    def with_partial(self, partial: GenerateContentResponse) -> Self:
        """This error with ``partial``: a copy, because a transport may hand the same error to several chats.

        No constructor of a subclass is run.
        """
        made = _twin(self)
        made.__dict__["partial"] = partial
        return made


class ValidationError(ChatProtoError, ValueError):
    """A value that the program handed over is not what the API or chatproto takes.

    ``problem`` says what is wrong; ``path`` says where, as a JSON path (``$.parts[0].text``), or is ``$``
    when the value as a whole is meant.
    """

    def __init__(self, problem: str, *, path: str = "$") -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def under(self, segment: str) -> ValidationError:
        """The same error, one level further out: ``segment`` is ``.name`` or ``[3]``. Changes and returns self."""
        self.path = f"${segment}{self.path[1:]}"
        return self

    def __str__(self) -> str:
        return self.problem if self.path == "$" else f"{self.path}: {self.problem}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), (self.problem,), {"path": self.path, **_notes(self)})


class UnsupportedFunctionError(ValidationError):
    """A tool that this kind of chat cannot use."""


class CredentialError(ValidationError):
    """There is no API key, or the one given cannot be used."""


class LocalProtocolError(ChatProtoError, RuntimeError):
    """A call that the state of the machine forbids. Nothing changed, and the machine can be used as before."""


class RemoteProtocolError(ChatProtoError):
    """The server did not keep to its own format."""


class MalformedResponse(RemoteProtocolError):
    """Bytes from the server that are not what the API documents.

    ``where`` is a JSON path (``$.candidates[0].content.parts[1].text``) or a byte offset (``byte 118``);
    ``excerpt`` holds the first bytes of the offending document, cut to a printable length.
    """

    def __init__(self, problem: str, *, where: str = "", excerpt: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.excerpt = excerpt

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{text} (the document begins {self.excerpt!r})" if self.excerpt else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), (self.problem,), {"where": self.where, "excerpt": self.excerpt, **_notes(self)})


class ResponseTooLarge(RemoteProtocolError):
    """A line, an event or a body grew past the limit that the message names."""


class UploadFailed(RemoteProtocolError, ValueError):
    """The server did not take the file, without saying so by an error of its own. ``sent`` bytes of ``total`` arrived.

    It is a ValueError because google-genai raises that.
    """

    def __init__(self, problem: str, *, sent: int, total: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.sent = sent
        self.total = total

    def __str__(self) -> str:
        return f"{self.problem} ({self.sent} of {self.total} bytes have arrived)"

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = {"sent": self.sent, "total": self.total, **_notes(self)}
        return _restore, (type(self), (self.problem,), arguments)


class APIError(ChatProtoError):
    """The server answered with an error.

    ``code`` is the HTTP status, or the code inside the error where the stream had begun with 200.
    ``status`` is the canonical name (``RESOURCE_EXHAUSTED``), ``message`` the server's sentence, and ``details``
    the decoded JSON body, a list of one element unwrapped, as in google-genai. ``response`` has the response's
    headers and the text of its body. ``retry_after`` is how many seconds the server asked to wait, if it did.

    The constructor's arguments are google-genai's.
    """

    code: int
    status: str | None
    message: str | None
    details: Any
    response: HttpResponse | None
    retry_after: float | None

    def __init__(
        self, code: int, response_json: Any, response: HttpResponse | None = None, *, retry_after: float | None = None
    ) -> None:
        self.code = code
        self.details = response_json
        self.response = response
        self.retry_after = retry_after
        self.status = _member(response_json, "status")
        self.message = _member(response_json, "message")
        super().__init__(f"{self.code} {self.status}. {self.details}")

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.code, self.details, self.response)
        return _restore, (type(self), arguments, {"retry_after": self.retry_after, **_notes(self)})

    @staticmethod
    def of(
        code: int, details: Any, response: HttpResponse | None = None, *, retry_after: float | None = None
    ) -> APIError:
        """The error of the class that goes with ``code``: ClientError, ServerError or APIError itself."""
        cls = ClientError if 400 <= code < 500 else ServerError if 500 <= code < 600 else APIError
        return cls(code, details, response, retry_after=retry_after)


class ClientError(APIError):
    """The server answered 400 to 499: the request is at fault."""


class ServerError(APIError):
    """The server answered 500 to 599: the same request may work later."""


class TransportError(ChatProtoError):
    """No answer came, or only a part of one.

    ``cause`` is the name of the HTTP library's own error class. Its object is not kept.
    """

    def __init__(self, problem: str, *, cause: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.problem} ({self.cause})" if self.cause else self.problem

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), (self.problem,), {"cause": self.cause, **_notes(self)})


class ConnectFailed(TransportError, ConnectionError):
    """No connection could be made: the request did not reach the server."""


class ConnectionLost(TransportError, ConnectionError):
    """The connection ended before the whole answer was there."""


class TimedOut(TransportError, TimeoutError):
    """The time that ``http_options.timeout`` allows passed without an answer, or between two pieces of one."""


class FunctionError(ChatProtoError):
    """Raised by a function that the model called: its message is what the model is told.

    Of any other exception the model learns the class only, because a message may hold what is not for it.
    """


class MissingExtraError(ChatProtoError, ImportError):
    """An optional library is not installed."""


def _twin(error: E) -> E:
    """A copy of ``error`` with all that it holds, and without the frames behind it."""
    cls: Any = type(error)
    base, slots = _layout(cls)
    made: E = base.__new__(cls)
    made.args = error.args
    made.__dict__.update(error.__dict__)
    for slot in slots:
        try:
            slot.__set__(made, slot.__get__(error, cls))
        except AttributeError:
            continue  # nothing is in it
    return made


@cache
def _layout(cls: type) -> tuple[Any, list[Any]]:
    """The class of Python's own that lays the objects of ``cls`` out, and the slots in which they hold something."""
    base: Any = cls
    while base.__module__ != "builtins":
        base = base.__base__
    slots: list[Any] = [owner.__dict__[name] for owner in cls.__mro__ for name in _slots(owner)]
    if issubclass(base, OSError):
        slots += [OSError.__dict__[name] for name in ("errno", "strerror", "filename", "filename2")]
    return base, slots


def _slots(owner: type) -> list[str]:
    named = owner.__dict__.get("__slots__", ())
    names: list[str] = [named] if isinstance(named, str) else list(named)
    private = f"_{owner.__name__.lstrip('_')}"
    mangled = [f"{private}{name}" if name.startswith("__") and not name.endswith("__") else name for name in names]
    return [name for name in mangled if name in owner.__dict__ and name not in ("__dict__", "__weakref__")]


def _member(details: Any, name: str) -> str | None:
    """``details[name]``, else ``details["error"][name]``, where that is a string."""
    for holder in (details, cast("dict[str, Any]", details).get("error") if isinstance(details, dict) else None):
        found = cast("dict[str, Any]", holder).get(name) if isinstance(holder, dict) else None
        if found is not None:
            return found if isinstance(found, str) else None
    return None


def _notes(error: ChatProtoError) -> dict[str, Any]:
    """What was put on an error after it was made, for its pickle."""
    notes = getattr(error, "__notes__", None)
    found: dict[str, Any] = {"notes": notes} if notes else {}
    return found if error.partial is None else {**found, "partial": error.partial}


def _restore(
    cls: Callable[..., ChatProtoError], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> ChatProtoError:
    """Undo ``__reduce__``: an error unpickles as the class that it was."""
    notes, partial = keywords.pop("notes", ()), keywords.pop("partial", None)
    error = cls(*arguments, **keywords)
    for note in notes:
        error.add_note(note)
    if partial is not None:
        error.partial = partial
    return error
