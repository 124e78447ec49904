"""``FunctionTransport``: the model as a function of what it was asked. For tests of programs that chat.

::

    def model(asked: Asked):
        if asked.function_responses:
            return "It is sunny."
        return types.FunctionCall(name="get_weather", args={"city": asked.text})

    chat = Client(transport=FunctionTransport(model)).chats.create(model="gemini-2.5-flash")

What a function may give:

- what ``ScriptedTransport`` takes for an answer: text, a value of ``chatproto.types`` (a FunctionCall, a Part, a
  Content, a GenerateContentResponse), a response as wire JSON, a list of such, or an ``Answer`` for more. A list is the
  chunks of a stream; where no stream is asked for, its texts and parts are one answer.
- nothing but an error: an APIError becomes the answer of a server that refuses, with its code, its details and its
  ``retry_after``; a TransportError is raised as it is; so is anything else, and it is never retried.
- an iterator (so it may be a generator): each item is a chunk of the stream, sent before the next is asked for. Texts
  are followed by a closing chunk with STOP; a function call comes with STOP; a response says itself how it ends. The
  head of the answer waits for the first item, so an APIError before it is an HTTP error, and one after it an error
  inside of the stream. When the caller leaves, the generator is closed where it stands.
- under asyncio also a coroutine that gives any of these, or an asynchronous iterator. So the function may be
  ``async def``; then it serves ``client.aio`` alone.

Requests that are no chat (``asked.method`` says which: ``countTokens``, or "" for files and the like) come to the
function too, and are answered with wire JSON or an ``Answer``.

It imports no HTTP library, needs no API key, and does not sleep: the seconds are in ``slept``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import attrs

from ..errors import APIError, LocalProtocolError, MalformedResponse, ValidationError
from ..types import Content, FunctionResponse
from ..types._hooks import converter
from ..types._json import is_array, is_object
from .framing import is_streamed, method_of, model_of
from .offline import Offline
from .produced import AsyncProduced, Produced
from .scripted import Answer, ScriptedResponse
from .wire import error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..transport import Secrets
    from ..wire.http import Request

__all__ = ["Asked", "FunctionTransport"]

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class Asked:
    """A request, as the model sees it. Requests are numbered from 1."""

    number: int
    request: Request

    @property
    def method(self) -> str:
        """``generateContent``, ``streamGenerateContent`` or ``countTokens``; "" for what is not asked of a model."""
        return method_of(self.request)

    @property
    def model(self) -> str:
        """The model's name without ``models/``; "" where none is asked."""
        return model_of(self.request)

    @property
    def streamed(self) -> bool:
        """Whether the answer is to come in chunks."""
        return is_streamed(self.request)

    @property
    def body(self) -> Json:
        """The request's JSON, decoded anew; {} where it has none."""
        try:
            document = self.request.json()
        except MalformedResponse:
            return {}
        return document if is_object(document) else {}

    @property
    def contents(self) -> list[Content]:
        """The conversation so far, the new message last; decoded anew."""
        return [converter("wire").structure(each, Content) for each in _list(self.body, "contents")]

    @property
    def text(self) -> str:
        """The text of the last message, which a program or its user has just said; "" where it has none."""
        contents = self.contents
        parts = contents[-1].parts if contents else None
        return "".join(part.text for part in parts or () if part.text is not None)

    @property
    def function_responses(self) -> list[FunctionResponse]:
        """What the functions gave that were called last: those in the last message."""
        contents = self.contents
        parts = contents[-1].parts if contents else None
        return [part.function_response for part in parts or () if part.function_response is not None]

    @property
    def system_instruction(self) -> Content | None:
        """What the model was told beforehand."""
        given = self.body.get("systemInstruction")
        return converter("wire").structure(given, Content) if is_object(given) else None

    @property
    def tools(self) -> list[Json]:
        """The tools that it may use, as wire JSON."""
        return _list(self.body, "tools")

    @property
    def functions(self) -> list[str]:
        """The names of the functions that it may call."""
        declared = [each for tool in self.tools for each in _list(tool, "functionDeclarations")]
        return [each["name"] for each in declared]

    @property
    def config(self) -> Json:
        """All that the request says beside its contents, as wire JSON: ``generationConfig``, ``safetySettings``..."""
        return {name: held for name, held in self.body.items() if name != "contents"}


class FunctionTransport(Offline):
    """Gives what ``function`` makes of each request, sync and async, from any number of threads.

    ``asked`` is what it was asked so far; ``discarded`` counts the responses that were given up, and ``closed`` says
    whether the transport was closed. The function runs where the request is sent: in the caller's thread, or on the
    event loop.
    """

    def __init__(self, function: Callable[[Asked], Any]) -> None:
        given: Any = function
        if not callable(given):
            raise ValidationError(f"a model is a function of what it was asked, not {type(given).__name__}")
        super().__init__()
        self.asked: list[Asked] = []
        self._function = function

    def open(self, request: Request, secrets: Secrets) -> _Opening:
        """Call the function, on entering. ``secrets`` are not looked at."""
        return _Opening(self, request)

    def aopen(self, request: Request, secrets: Secrets) -> _AsyncOpening:
        """``open`` for asyncio."""
        return _AsyncOpening(self, request)

    def respond(self, request: Request) -> ScriptedResponse | Produced:
        """What ``open`` gives."""
        asked = self._note(request)
        try:
            said = self._function(asked)
            if inspect.isawaitable(said) or _is_async_iterator(said):
                close: Any = getattr(said, "close", None)
                if close is not None:
                    close()  # a coroutine would warn that nobody awaited it
                raise LocalProtocolError("this model is asynchronous, so it answers client.aio alone")
            return self._response(said, asked)
        except APIError as error:
            return self._scripted(refusal(error), asked)

    async def arespond(self, request: Request) -> ScriptedResponse | Produced | AsyncProduced:
        """What ``aopen`` gives."""
        asked = self._note(request)
        try:
            said = self._function(asked)
            if inspect.isawaitable(said):
                said = await said
            if not _is_async_iterator(said):
                return self._response(said, asked)
            if not asked.streamed:
                return self._response([item async for item in said], asked)
            made = AsyncProduced(said, request, self._count_discarded)
            await made.begin()
            return made
        except APIError as error:
            return self._scripted(refusal(error), asked)

    def _note(self, request: Request) -> Asked:
        with self._lock:
            self._check_open()
            asked = Asked(number=len(self.asked) + 1, request=request)
            self.asked.append(asked)
            return asked

    def _response(self, said: Any, asked: Asked) -> ScriptedResponse | Produced:
        if isinstance(said, BaseException):
            raise said
        if _is_iterator(said):
            if asked.streamed:
                made = Produced(said, asked.request, self._count_discarded)
                made.begin()
                return made
            said = list(said)
        if said is None:
            raise ValidationError(f"the model gave None for request {asked.number}: {_shown(asked)}")
        answer = said if isinstance(said, Answer) else Answer(said)
        if asked.method not in _CHAT and answer.chunks is None and not isinstance(answer.said, Mapping):
            raise ValidationError(f"request {asked.number} takes wire JSON or an Answer: {_shown(asked)}")
        return self._scripted(answer, asked)

    def _scripted(self, answer: Answer, asked: Asked) -> ScriptedResponse:
        return ScriptedResponse(answer, asked.request, self._count_discarded)


_CHAT = frozenset({"generateContent", "streamGenerateContent"})


class _Opening:
    """The context manager of one response."""

    def __init__(self, transport: FunctionTransport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._response: ScriptedResponse | Produced | None = None

    def __enter__(self) -> ScriptedResponse | Produced:
        self._response = self._transport.respond(self._request)
        return self._response

    def __exit__(self, *_: object) -> None:
        if isinstance(self._response, Produced):
            self._response.stop()


class _AsyncOpening:
    """The same for asyncio."""

    def __init__(self, transport: FunctionTransport, request: Request) -> None:
        self._transport = transport
        self._request = request
        self._response: ScriptedResponse | Produced | AsyncProduced | None = None

    async def __aenter__(self) -> ScriptedResponse | Produced | AsyncProduced:
        self._response = await self._transport.arespond(self._request)
        return self._response

    async def __aexit__(self, *_: object) -> None:
        match self._response:
            case Produced():
                self._response.stop()
            case AsyncProduced():
                await self._response.astop()
            case _:
                pass


def refusal(error: APIError) -> Answer:
    """The answer of a server that refuses with ``error``."""
    details = error.details
    said = dict(details) if is_object(details) else error_response(error.code, error.message or "", error.status)
    headers = {} if error.retry_after is None else {"retry-after": str(math.ceil(error.retry_after))}
    return Answer(said, status=error.code, headers=headers)


def _is_iterator(said: Any) -> TypeGuard[Iterator[Any]]:
    return isinstance(said, Iterator)


def _is_async_iterator(said: Any) -> TypeGuard[AsyncIterator[Any]]:
    return isinstance(said, AsyncIterator)


def _shown(asked: Asked) -> str:
    return f"{asked.request.method} {asked.request.url}"


def _list(document: Json, name: str) -> list[Any]:
    held = document.get(name)
    return held if is_array(held) else []
