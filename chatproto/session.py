"""What stands between a chat's face and its machine: what a message is sent with, and the loop that takes the answer.

Sync and async share all of it but the word ``await``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from .calling import Approve, Calling
from .convert.config import ReadConfig, read_config
from .convert.messages import to_responses
from .convert.tools import read_tools
from .errors import LocalProtocolError, UnsupportedFunctionError, ValidationError
from .gate import Gate
from .machines.steps import ChunkReceived, Event, FunctionCallsRequested, RoundFailed, TurnEnded
from .machines.turn import budget_of
from .transport import AsyncDrive, Drive, Secrets
from .types import CountTokensConfig, GenerateContentConfig, GenerateContentResponse
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    from .client import Connector
    from .convert.calls import Call
    from .convert.functions import ErrorWords, Function, Toolbox
    from .convert.parsed import ParseTarget
    from .convert.tools import Tools
    from .gate import Suspended
    from .machines.conversation import Conversation
    from .machines.history import Turn
    from .machines.turn import Draft
    from .types import Content, FunctionCall, Tool

__all__ = ["Options", "Prepared", "Session", "arun_call", "run_call"]

T = TypeVar("T")


@attrs.frozen
class Prepared:
    """A message that has been checked, the secrets that its request will need, and what its answer is to become."""

    draft: Draft
    secrets: Secrets
    #: What ``response.parsed`` is made of.
    target: ParseTarget | None
    #: The functions that the model may call, with who is asked before one runs.
    calling: Calling | None
    conversation: Conversation
    gate: Gate
    #: It was sent before the chat was restored.
    under_way: bool = False


@attrs.frozen(kw_only=True)
class Options:
    """What a chat is told beside its config."""

    asynchronous: bool = False
    approve: Approve = None
    function_errors: ErrorWords = "name"
    #: ``automatic_function_calling_history`` is put on the responses: for a question without a chat.
    tells_calls: bool = False


Offered = Mapping[int, "Sequence[Function]"]


class Session:
    """A conversation and what drives it: who is inside a driver call, and which stream is the open one."""

    def __init__(
        self, connector: Connector, conversation: Conversation, config: ReadConfig | None, options: Options
    ) -> None:
        self.connector = connector
        self.conversation = conversation
        self.options = options
        #: Of the chat's own config.
        self._target = None if config is None else config.target
        self._headers: Mapping[str, str] = {} if config is None else config.headers
        self._tools = None if config is None else config.tools
        #: The functions of the last message: those that ``pending_calls`` may be run with.
        self.calling = self._calling(self._tools, None)
        #: ``automatic_function_calling_history`` is told where functions could have been called (reference, 12.7).
        self._tells_calls = options.tells_calls and _tells_calls(config)
        self.gate = Gate()

    # --- what a message is sent with ---

    def prepare(self, contents: Content | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """Check a message and a config. None and an empty dict leave the chat's own config in force."""
        return self._prepared(contents, self._read(config), None, stream=stream)

    async def aprepare(self, contents: Content | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """``prepare`` for asyncio: MCP sessions are asked what they offer."""
        read = self._read(config)
        return self._prepared(contents, read, await self._offered(read), stream=stream)

    def prepare_responses(self, parts: Iterable[Any] | None, config: Any, *, stream: bool) -> Prepared:
        """``prepare`` for the answers to the open function calls."""
        return self._prepared_responses(parts, self._read(config), None, stream=stream)

    async def aprepare_responses(self, parts: Iterable[Any] | None, config: Any, *, stream: bool) -> Prepared:
        """``prepare_responses`` for asyncio."""
        read = self._read(config)
        return self._prepared_responses(parts, read, await self._offered(read), stream=stream)

    def _read(self, config: Any) -> ReadConfig | None:
        if config is None or (isinstance(config, Mapping) and not config):
            return None
        return read_config(config)

    def _tools_for(self, read: ReadConfig | None) -> Tools | None:
        """The tools that a message's config leaves in force."""
        if read is None or (read.tools is None and self.conversation.config_mode == "merge"):
            return self._tools
        return read.tools

    async def _offered(self, read: ReadConfig | None) -> Offered | None:
        tools = self._tools_for(read)
        if tools is None or not tools.sessions:
            return None
        from .convert.mcp import functions_of

        return {id(session): await functions_of(session) for session in tools.sessions}

    def _prepared(
        self, contents: Content | Sequence[Content], read: ReadConfig | None, offered: Offered | None, *, stream: bool
    ) -> Prepared:
        tools = self._tools_for(read)
        calling = self._calling(tools, offered)
        values = self._values(read, tools, offered)
        conversation = self.conversation.branch()
        draft = conversation.draft(contents, values, stream=stream, by_hand=calling is None)
        return self._checked(draft, read, calling, conversation)

    def prepare_rest(self) -> Prepared:
        """What was under way when a chat was written. Raises LocalProtocolError where nothing was."""
        draft = self.conversation.under_way
        if draft is None:
            raise LocalProtocolError("nothing is under way in this chat: send a message, or answer its pending_calls")
        return attrs.evolve(self._checked(draft, None, self.calling, self.conversation), under_way=True)

    def rewind(self, n: int) -> tuple[Turn, ...]:
        """Forget turns, and leave a stream that is merely suspended."""
        with self.gate.driving():
            forgotten = self.conversation.rewind(n)
            self.gate.suspend(None)
            return forgotten

    def _prepared_responses(
        self, parts: Iterable[Any] | None, read: ReadConfig | None, offered: Offered | None, *, stream: bool
    ) -> Prepared:
        tools = self._tools_for(read)
        calling = self._calling(tools, offered) if read is not None else self.calling
        values = self._values(read, tools, offered) if read is not None else None
        said = None if parts is None else to_responses(parts)
        draft = self.conversation.draft_responses(said, values, stream=stream, by_hand=calling is None)
        return self._checked(draft, read, calling, self.conversation)

    def _values(
        self, read: ReadConfig | None, tools: Tools | None, offered: Offered | None
    ) -> GenerateContentConfig | None:
        """The config to hand to the conversation; None for the chat's own."""
        if offered is None or tools is None:
            return None if read is None else read.values
        values = (read.values if read is not None else self.conversation.config) or GenerateContentConfig()
        return values.model_copy(update={"tools": tools.declared(offered)})

    def _calling(self, tools: Tools | None, offered: Offered | None) -> Calling | None:
        """The functions to run; None where the program answers all calls itself."""
        if tools is None:
            return None
        if tools.sessions and not self.options.asynchronous:
            raise UnsupportedFunctionError(
                "MCP sessions are not supported in synchronous methods: use client.aio", path="$.config.tools"
            )
        functions = tools.functions(offered)
        if not functions or tools.by_hand:
            return None
        from .convert.functions import Toolbox

        return Calling(Toolbox(functions, error_words=self.options.function_errors), self.options.approve)

    def _checked(
        self, draft: Draft, read: ReadConfig | None, calling: Calling | None, conversation: Conversation
    ) -> Prepared:
        if calling is not None and draft.budget and calling.toolbox.any_async and not self.options.asynchronous:
            raise UnsupportedFunctionError(
                "async functions need an async chat: client.aio.chats", path="$.config.tools"
            )
        headers, target = self._headers, self._target
        if read is not None:
            headers, target = read.headers, read.target
            if self.conversation.config_mode == "merge":
                headers = {**self._headers, **headers}
                target = target or self._target
        # A message with a conversation of its own waits for no other.
        gate = self.gate if conversation is self.conversation else Gate()
        return Prepared(draft, self.connector.secrets(headers, draft.endpoint), target, calling, conversation, gate)

    def counted_config(self) -> tuple[CountTokensConfig | None, Mapping[str, str]]:
        """What is counted beside the contents, where the service counts it, and the headers of the chat's config."""
        config = self.conversation.config
        if config is None or isinstance(self.connector.dialect, GeminiApi):
            return None, self._headers
        tools = cast("list[Tool] | None", config.tools)  # to_config has made values of them
        return CountTokensConfig(system_instruction=config.system_instruction, tools=tools), self._headers

    def toolbox(self) -> Toolbox:
        """The functions that ``pending_calls`` may be run with. Raises ValidationError where there are none."""
        if self.calling is not None:
            return self.calling.toolbox
        functions = [] if self._tools is None else self._tools.functions()
        if not functions:
            raise ValidationError(
                "this chat has no functions to run: hand them over as tools, or answer the call yourself"
            )
        from .convert.functions import Toolbox

        return Toolbox(functions, error_words=self.options.function_errors)

    async def atoolbox(self) -> Toolbox:
        """``toolbox`` for asyncio: a restored chat asks its MCP sessions here for the first time."""
        if self.calling is None and self._tools is not None and self._tools.sessions:
            self.calling = self._calling(self._tools, await self._offered(None))
        return self.toolbox()

    def bind(self, tools: Sequence[Any]) -> None:
        """The functions of a chat that was restored. What is declared to the model stays as it was."""
        try:
            self._tools = read_tools(tools)
            self.calling = self._calling(self._tools, None)
        except ValidationError as error:
            raise error.under(".tools") from None

    def fork(self) -> Session:
        """A session of its own with the same past."""
        made = Session(self.connector, self.conversation.fork(), None, self.options)
        made._target, made._headers, made._tools = self._target, self._headers, self._tools
        made.calling = self.calling
        return made

    # --- driving ---

    def begin(self, prepared: Prepared, stream: Suspended | None = None) -> None:
        """Send, and leave a stream that is merely suspended."""
        # What can fail comes first: then nothing has changed.
        if not prepared.under_way:
            prepared.conversation.send(prepared.draft)
        self.calling = prepared.calling
        prepared.gate.suspend(stream)

    def drive(self, prepared: Prepared) -> Drive:
        """The synchronous driver for what has been sent."""
        return Drive(prepared.conversation, self.connector.sync_transport(), prepared.secrets)

    def adrive(self, prepared: Prepared) -> AsyncDrive:
        """The driver for what has been sent, under asyncio."""
        return AsyncDrive(prepared.conversation, self.connector.async_transport(), prepared.secrets)

    def take(self, event: Event, prepared: Prepared) -> GenerateContentResponse | None:
        """The piece of an answer that an event brings; runs the functions that it asks for. Raises its error."""
        calls = _calls_to_run(event, prepared)
        if calls and prepared.calling is not None:
            answers = prepared.calling.answers(calls)
            if answers is not None:
                prepared.conversation.answer(answers)
        return self._answer_in(event, prepared)

    async def atake(self, event: Event, prepared: Prepared) -> GenerateContentResponse | None:
        """``take`` for asyncio."""
        calls = _calls_to_run(event, prepared)
        if calls and prepared.calling is not None:
            answers = await prepared.calling.aanswers(calls)
            if answers is not None:
                prepared.conversation.answer(answers)
        return self._answer_in(event, prepared)

    def _answer_in(self, event: Event, prepared: Prepared) -> GenerateContentResponse | None:
        answer = answer_in(event, prepared.target)
        if answer is not None and self._tells_calls:
            called = prepared.conversation.called()
            if called or not prepared.draft.streamed:
                answer.automatic_function_calling_history = called
        return answer

    def ask(self, prepared: Prepared) -> GenerateContentResponse:
        """Send and wait for the whole answer: a drained stream."""
        answer: GenerateContentResponse | None = None
        with prepared.gate.driving():
            drive = self.drive(prepared)
            self.begin(prepared)
            with drive:
                for event in drive:
                    answer = self.take(event, prepared) or answer
        return _whole(answer)

    async def aask(self, prepared: Prepared) -> GenerateContentResponse:
        """``ask`` for asyncio."""
        answer: GenerateContentResponse | None = None
        with prepared.gate.driving():
            drive = self.adrive(prepared)
            self.begin(prepared)
            async with drive:
                async for event in drive:
                    answer = await self.atake(event, prepared) or answer
        return _whole(answer)


def _tells_calls(config: ReadConfig | None) -> bool:
    if config is None:
        return True
    asked = config.values.automatic_function_calling
    ignored = asked is not None and asked.ignore_call_history
    return not ignored and budget_of(config.values) > 0 and not (config.tools is not None and config.tools.by_hand)


def _calls_to_run(event: Event, prepared: Prepared) -> tuple[FunctionCall, ...]:
    if prepared.calling is None or not isinstance(event, FunctionCallsRequested) or not event.automatic:
        return ()
    return event.calls


def answer_in(event: Event, target: ParseTarget | None) -> GenerateContentResponse | None:
    """The piece of an answer that an event brings, parsed if that was asked for. Raises the error that it brings."""
    match event:
        case ChunkReceived(response=response):
            if target is not None:
                from .convert.parsed import parse_response

                parse_response(response, target)
            return response
        case TurnEnded(error=error) | RoundFailed(error=error) | FunctionCallsRequested(error=error) if (
            error is not None
        ):
            raise error
        case _:
            return None


def _whole(answer: GenerateContentResponse | None) -> GenerateContentResponse:
    if answer is None:  # cannot be: a unary exchange ends with a document or an error
        raise LocalProtocolError("the exchange ended without an answer")
    return answer


def run_call(connector: Connector, call: Call[T]) -> T:
    """What a call that is answered by one document gives."""
    with Drive(call.machine, connector.sync_transport(), connector.secrets(call.headers, call.endpoint)) as drive:
        for event in drive:
            call.take(event)
    return call.result()


async def arun_call(connector: Connector, call: Call[T]) -> T:
    """``run_call`` for asyncio."""
    secrets = connector.secrets(call.headers, call.endpoint)
    async with AsyncDrive(call.machine, connector.async_transport(), secrets) as drive:
        async for event in drive:
            call.take(event)
    return call.result()
