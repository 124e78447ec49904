"""What stands between a chat's face and its machine: what a message is sent with, and the loop that takes the answer.

Sync and async share all of it but the word ``await``.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from .convert.config import ReadConfig, read_config
from .convert.messages import to_responses
from .convert.tools import read_tools
from .errors import LocalProtocolError, UnsupportedFunctionError, ValidationError
from .gate import Gate, Stepped, occupied
from .machines.steps import ChunkReceived, Event, FunctionCallsRequested, RoundFailed, TurnEnded
from .machines.turn import budget_of
from .terms import Options, Terms
from .transport import AsyncDrive, Drive, Secrets
from .types import CountTokensConfig, GenerateContentConfig, GenerateContentResponse
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    from .calling import Calling
    from .client import Connector
    from .convert.calls import Call
    from .convert.functions import Toolbox
    from .convert.tools import Offered, Tools
    from .gate import Suspended
    from .machines.conversation import Conversation
    from .machines.history import Turn
    from .machines.turn import Draft
    from .types import Content, FunctionCall, Part, Tool
    from .wire.endpoint import Endpoint

__all__ = ["Prepared", "Session", "arun_call", "run_call"]

T = TypeVar("T")


@attrs.define
class Prepared:
    """A message that has been checked, the secrets that its request will need, and what its answer is to become."""

    draft: Draft
    secrets: Secrets
    terms: Terms
    #: What answers the model's function calls; None where the program does.
    calling: Calling | None
    conversation: Conversation
    gate: Gate
    #: It was sent before the chat was restored.
    under_way: bool = False


class Session:
    """A conversation and what drives it: who is inside a driver call, and which stream is the open one."""

    def __init__(
        self, connector: Connector, conversation: Conversation, config: ReadConfig | None, options: Options
    ) -> None:
        self.connector = connector
        self.conversation = conversation
        self.options = options
        self._tools = None if config is None else config.tools
        #: The tools were handed over when the chat was restored: what is declared stands in its config.
        self._bound = False
        #: Of the chat's own config.
        self._own = Terms.of(config, self._tools, None, options)
        #: Of the last message: what answers to its function calls are sent on.
        self._last = self._own
        #: ``automatic_function_calling_history`` is told where functions could have been called (reference, 12.7).
        self._tells_calls = options.tells_calls and _tells_calls(config)
        self._told: list[Content] | None = None
        self.gate = Gate()
        self._rest: weakref.ref[Suspended] | None = None
        #: Held for each step of a machine, and while one is read from outside.
        self.steps = threading.RLock()

    # --- what a message is sent with ---

    def prepare(self, contents: Content | str | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """Check a message and a config. None and an empty dict leave the chat's own config in force."""
        return self._prepared(contents, _read(config), None, stream=stream)

    async def aprepare(self, contents: Content | str | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """``prepare`` for asyncio: MCP sessions are asked what they offer."""
        read = _read(config)
        offered = None if self._tools_for(read) is None else await self._offered(read)
        return self._prepared(contents, read, offered, stream=stream)

    def prepare_responses(self, parts: Iterable[Any] | None, config: Any, *, stream: bool) -> Prepared:
        """``prepare`` for the answers to the open function calls."""
        return self._prepared_responses(parts, _read(config), None, stream=stream)

    async def aprepare_responses(self, parts: Iterable[Any] | None, config: Any, *, stream: bool) -> Prepared:
        """``prepare_responses`` for asyncio."""
        read = _read(config)
        if read is None:
            await self._ask_sessions()
        return self._prepared_responses(parts, read, None if read is None else await self._offered(read), stream=stream)

    def prepare_rest(self) -> Prepared:
        """What was under way when a chat was written. Raises LocalProtocolError where nothing was."""
        draft = self.conversation.under_way
        if draft is None:
            raise LocalProtocolError("nothing is under way in this chat: send a message, or answer its pending_calls")
        return attrs.evolve(self._checked(draft, self._last, self.conversation), under_way=True)

    async def aprepare_rest(self) -> Prepared:
        """``prepare_rest`` for asyncio."""
        await self._ask_sessions()
        return self.prepare_rest()

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

    async def _ask_sessions(self) -> None:
        """Ask the sessions of a restored chat for the first time, before their functions may be called."""
        if self._last.unasked:
            asked = Terms.of(None, self._tools, await self._offered(None), self.options)
            self._last = attrs.evolve(asked, headers=self._last.headers, target=self._last.target)

    def _terms(self, read: ReadConfig | None, offered: Offered | None) -> Terms:
        terms = Terms.of(read, self._tools_for(read), offered, self.options)
        return terms.over(self._own) if read is None or self.conversation.config_mode == "merge" else terms

    def _prepared(
        self,
        contents: Content | str | Sequence[Content],
        read: ReadConfig | None,
        offered: Offered | None,
        *,
        stream: bool,
    ) -> Prepared:
        terms, values = self._own, None
        if read is not None or offered is not None:
            terms, values = self._terms(read, offered), self._values(read, offered)
        conversation = self.conversation.branch()
        draft = conversation.draft(contents, values, stream=stream, by_hand=terms.by_hand)
        return self._checked(draft, terms, conversation)

    def _prepared_responses(
        self, parts: Iterable[Any] | None, read: ReadConfig | None, offered: Offered | None, *, stream: bool
    ) -> Prepared:
        terms = self._last if read is None else self._terms(read, offered)
        values = None if read is None else self._values(read, offered)
        said = None if parts is None else to_responses(parts)
        draft = self.conversation.draft_responses(said, values, stream=stream, by_hand=terms.by_hand)
        return self._checked(draft, terms, self.conversation)

    def _values(self, read: ReadConfig | None, offered: Offered | None) -> GenerateContentConfig | None:
        """The config to hand to the conversation; None for the chat's own."""
        tools = self._tools_for(read)
        if offered is None or tools is None:
            return None if read is None else read.values
        values = (read.values if read is not None else self.conversation.config) or GenerateContentConfig()
        declared = tools.declared(offered)
        if self._bound and tools is self._tools:
            declared = tools.added_to(cast("list[Tool]", values.tools or []), offered)
        return values.model_copy(update={"tools": declared})

    def _checked(self, draft: Draft, terms: Terms, conversation: Conversation) -> Prepared:
        calling = None if terms.by_hand else terms.calling(self.options.approve, draft)
        if calling is not None and draft.budget and calling.toolbox.any_async and not self.options.asynchronous:
            raise UnsupportedFunctionError(
                "async functions need an async chat: client.aio.chats", path="$.config.tools"
            )
        # A message with a conversation of its own waits for no other.
        gate = self.gate if conversation is self.conversation else Gate()
        secrets = self.connector.secrets(terms.headers, draft.endpoint)
        return Prepared(draft, secrets, terms, calling, conversation, gate)

    # --- what the face asks ---

    def counted(self) -> tuple[Endpoint, CountTokensConfig | None, Mapping[str, str]]:
        """Where tokens are counted; what is, beside the contents, where the service counts it; and the headers."""
        config = self.conversation.config
        endpoint = self.connector.endpoint.merged(None if config is None else config.http_options)
        if config is None or isinstance(self.connector.dialect, GeminiApi):
            return endpoint, None, self._own.headers
        tools = cast("list[Tool] | None", config.tools)  # read_config has made values of them
        counted = CountTokensConfig(system_instruction=config.system_instruction, tools=tools)
        return endpoint, counted, self._own.headers

    def toolbox(self) -> Toolbox:
        """The functions that ``pending_calls`` may be run with. Raises ValidationError where there are none."""
        found = self._last.toolbox
        if found is None:
            raise ValidationError(
                "this chat has no functions to run: hand them over as tools, or answer the call yourself"
            )
        return found

    async def atoolbox(self) -> Toolbox:
        """``toolbox`` for asyncio."""
        await self._ask_sessions()
        return self.toolbox()

    def bind(self, tools: Sequence[Any]) -> None:
        """The functions of a chat that was restored. What its config declares to the model stays as it was."""
        try:
            self._tools = read_tools(tools)
            bound = Terms.of(None, self._tools, None, self.options)
        except ValidationError as error:
            raise error.under(".tools") from None
        self._bound = True
        self._own = self._last = attrs.evolve(bound, headers=self._own.headers, target=self._own.target)

    def fork(self) -> Session:
        """A session of its own with the same past."""
        with self.steps:
            conversation = self.conversation.fork()
        made = Session(self.connector, conversation, None, self.options)
        made._tools, made._bound, made._own, made._last = self._tools, self._bound, self._own, self._last
        return made

    def rewind(self, n: int) -> tuple[Turn, ...]:
        """Forget turns, and leave a stream that is merely suspended."""
        with self.gate.driving(), self.steps:
            forgotten = self.conversation.rewind(n)
            self.gate.suspend(None)
            return forgotten

    # --- driving ---

    def begin(self, prepared: Prepared, stream: Suspended | None = None) -> None:
        """Send, and leave a stream that is merely suspended."""
        # What can fail comes first: then nothing has changed.
        if not prepared.under_way:
            with self.steps:
                prepared.conversation.send(prepared.draft)
        else:
            self._take_up(prepared, stream)
        self._last = prepared.terms
        prepared.gate.suspend(stream)

    def _take_up(self, prepared: Prepared, stream: Suspended | None) -> None:
        """An answer that was under way is read on, by one stream alone."""
        if prepared.conversation.under_way is not prepared.draft:
            raise LocalProtocolError("a later message has ended this answer")
        reader = None if self._rest is None else self._rest()
        if reader is not None and reader is not stream:
            raise LocalProtocolError("another stream reads what is left of this answer")
        self._rest = None if stream is None else weakref.ref(stream)

    def drive(self, prepared: Prepared) -> Drive:
        """The synchronous driver for what has been sent."""
        return Drive(Stepped(prepared.conversation, self.steps), self.connector.sync_transport(), prepared.secrets)

    def adrive(self, prepared: Prepared) -> AsyncDrive:
        """The driver for what has been sent, under asyncio."""
        return AsyncDrive(
            Stepped(prepared.conversation, self.steps), self.connector.async_transport(), prepared.secrets
        )

    def take(self, event: Event, prepared: Prepared) -> None:
        """An event that brings no piece of an answer: runs the functions that it asks for. Raises its error."""
        calls = _calls_to_run(event, prepared)
        if calls and prepared.calling is not None:
            self._answer(prepared, prepared.calling.answers(calls))
        self._take_note(event)

    async def atake(self, event: Event, prepared: Prepared) -> None:
        """``take`` for asyncio."""
        calls = _calls_to_run(event, prepared)
        if calls and prepared.calling is not None:
            self._answer(prepared, await prepared.calling.aanswers(calls))
        self._take_note(event)

    def _answer(self, prepared: Prepared, answers: list[Part] | None) -> None:
        if answers is not None:
            with self.steps:
                prepared.conversation.answer(answers)

    def handed_out(self, answer: GenerateContentResponse, prepared: Prepared) -> GenerateContentResponse:
        """A piece of an answer, with what only the face knows of it."""
        target = prepared.terms.target
        if target is not None:
            from .convert.parsed import parse_response

            parse_response(answer, target)
        if self._tells_calls:
            if self._told is None:
                # The same Contents for all chunks of a round, as in google-genai.
                self._told = prepared.conversation.called()
            if self._told or not prepared.draft.streamed:
                answer.__dict__["automatic_function_calling_history"] = list(self._told)
        return answer

    def _take_note(self, event: Event) -> None:
        """Raises the error that an event brings."""
        error = None
        if isinstance(event, (TurnEnded, RoundFailed)):
            error = event.error
        elif isinstance(event, FunctionCallsRequested):
            error, self._told = event.error, None
        if error is not None:
            raise error

    def ask(self, prepared: Prepared) -> GenerateContentResponse:
        """Send and wait for the whole answer: a drained stream."""
        answer: GenerateContentResponse | None = None
        if not prepared.gate.inside.acquire(False):
            raise occupied()
        try:
            drive = self.drive(prepared)
            self.begin(prepared)
            try:
                for event in drive:
                    if type(event) is ChunkReceived:
                        answer = self.handed_out(event.response, prepared)
                    elif type(event) is TurnEnded:  # nothing comes after it
                        self._take_note(event)
                        break
                    else:
                        self.take(event, prepared)
            except BaseException:
                drive.close()
                raise
        finally:
            prepared.gate.inside.release()
        return _whole(answer)

    async def aask(self, prepared: Prepared) -> GenerateContentResponse:
        """``ask`` for asyncio."""
        answer: GenerateContentResponse | None = None
        if not prepared.gate.inside.acquire(False):
            raise occupied()
        try:
            drive = self.adrive(prepared)
            self.begin(prepared)
            try:
                async for event in drive:
                    if type(event) is ChunkReceived:
                        answer = self.handed_out(event.response, prepared)
                    elif type(event) is TurnEnded:  # nothing comes after it
                        self._take_note(event)
                        break
                    else:
                        await self.atake(event, prepared)
            except BaseException:
                drive.close()
                raise
        finally:
            prepared.gate.inside.release()
        return _whole(answer)


def _read(config: Any) -> ReadConfig | None:
    return None if config is None or (isinstance(config, Mapping) and not config) else read_config(config)


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
