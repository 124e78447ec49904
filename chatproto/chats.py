"""Chats: the face over Conversation, thin on purpose. What a chat *is* stands in ``machines/conversation.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, overload

from .calling import checked_approve, refuse
from .convert.config import read_config
from .convert.messages import to_message
from .errors import ValidationError
from .session import Session, arun_call, run_call
from .streams import AsyncResponseStream, ResponseStream
from .terms import Options
from .types import Content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .calling import Approve
    from .client import Connector
    from .convert.calls import Call
    from .convert.functions import ErrorWords
    from .machines.conversation import ConfigMode, OnIncomplete
    from .machines.explain import Explanation
    from .machines.history import Turn
    from .types import (
        CountTokensResponse,
        FunctionCall,
        FunctionResponse,
        GenerateContentConfig,
        GenerateContentResponse,
        Part,
        PartUnion,
        PartUnionDict,
    )
    from .wire.http import Request

    Message = PartUnionDict | Sequence[PartUnionDict | PartUnion]
    Config = GenerateContentConfig | Mapping[str, Any] | None
    Said = Content | Mapping[str, Any]
    Responses = Sequence[FunctionResponse | Part | Mapping[str, Any]] | None

__all__ = ["AsyncChat", "AsyncChats", "AsyncResponseStream", "Chat", "Chats", "ResponseStream", "new_session"]

_MOST_UNUSED = 100  # conversations that a client keeps to copy: one a model, usually


class _Remembered:
    """What a chat remembers, and can tell without sending anything."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def prepare(self, message: Message, config: Config = None, *, stream: bool = False) -> Request:
        """The request that sending ``message`` would make now, without its credential. Nothing is sent or changed.

        What MCP sessions offer is not in it: they would have to be asked.
        """
        with self._session.steps:
            prepared = self._session.prepare(self._sent(message), config, stream=stream)
            return prepared.conversation.prepare(prepared.draft)

    def _said(self, message: Message) -> Content:
        return to_message(message, as_the_model=self._session.connector.compat)

    def _sent(self, message: Message) -> Content | str:
        """A message as a machine takes it: plain text as it is, for which no value need be made."""
        return message if type(message) is str and not self._session.connector.compat else self._said(message)

    def get_history(self, curated: bool = False) -> list[Content]:
        """What was said so far; the list and the Contents in it are the caller's own.

        Curated: what the next request will send. Comprehensive: turns that were blocked or cut short too.
        """
        with self._session.steps:
            return self._session.conversation.history(curated=curated)

    def _counting(self, message: Message | None) -> Call[CountTokensResponse]:
        from .convert.calls import counting

        session = self._session
        said = [] if message is None else [self._said(message)]
        contents = list(session.conversation.history(curated=True)) + said
        endpoint, config, headers = session.counted()
        dialect = session.connector.dialect
        return counting(dialect, endpoint, session.conversation.model, contents, config, headers)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The ledger: every turn that has ended, with its outcome and the reason, failed and abandoned ones too."""
        return self._session.conversation.turns

    @property
    def pending_calls(self) -> tuple[FunctionCall, ...]:
        """The model's function calls that wait for an answer: see ``send_function_responses``."""
        return self._session.conversation.pending_calls

    def refuse_call(self, call: FunctionCall, reason: str = "") -> Part:
        """An answer to one of ``pending_calls`` that tells the model that it was refused. Nothing is sent."""
        return refuse(call, reason)

    def record_history(
        self,
        user_input: Content | Mapping[str, Any],
        model_output: Sequence[Content | Mapping[str, Any]],
        is_valid: bool,
    ) -> None:
        """Record a turn that was had elsewhere. With ``is_valid`` the next request holds it.

        Raises ValidationError for what no history holds, and LocalProtocolError while an answer is under way.
        """
        said = Content.model_validate(user_input)
        outputs = [Content.model_validate(each) for each in model_output]
        with self._session.gate.driving(), self._session.steps:
            self._session.conversation.record(said, outputs, valid=is_valid)

    def explain(self) -> list[Explanation]:
        """For every content that was ever said here: whether the next request holds it, and by which rule."""
        from .machines.explain import explain

        with self._session.steps:
            return explain(self._session.conversation)

    def rewind(self, n: int = 1) -> tuple[Turn, ...]:
        """Forget the last ``n`` turns of the histories, with all their tool rounds, and give them back, oldest first.

        A turn that waits for function responses counts as one. What failed or was abandoned since the first of them is
        forgotten, too. A stream that is merely suspended is left. Raises ValidationError, and then nothing has changed,
        where there are fewer turns.
        """
        return self._session.rewind(n)

    def fork(self) -> Self:
        """A chat of its own with the same past, over the same client: what is said in one is not said in the other.

        What is under way stays with this chat. Function calls that wait for an answer wait in both.
        """
        return type(self)(self._session.fork())

    def snapshot(self) -> str:
        """The chat as JSON text, for ``client.chats.restore``, in another process and over another transport.

        It has the model, the config, every turn with its outcome, and a turn that is open: with its pending calls, or
        with what has come of its answer and the token to continue it. It holds no credential, no header of the
        program's, and no ``base_url``; of functions and classes nothing but what was declared to the model, and of MCP
        sessions nothing but what a turn that is open told of them. It may be called at any time, from any thread, and
        in a function that the chat runs.
        """
        from .machines.snapshot import write

        with self._session.steps:
            return write(self._session.conversation)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a chat holds its client, so it is not copied or pickled: use chat.fork() for a copy,"
            " and chat.snapshot() with client.chats.restore() to keep it"
        )


class Chat(_Remembered):
    """A conversation with a model. Made by ``client.chats.create``."""

    def send_message(self, message: Message, config: Config = None) -> GenerateContentResponse:
        """Say something and wait for the whole answer.

        ``config`` replaces the chat's config for this message (or is laid over it, see ``chats.create``). Functions
        in ``tools`` that the model calls are run and their results sent, until it answers; while they run, this chat
        takes no other message. Raises ValidationError before anything is sent; APIError, TransportError or
        RemoteProtocolError after, and then the chat is as it was before; where functions had been run, their calls are
        open, and ``send_function_responses()`` sends the results again. An answer that the server blocked is no error:
        see ``turns``.
        """
        return self._session.ask(self._session.prepare(self._sent(message), config, stream=False))

    def send_message_stream(self, message: Message, config: Config = None) -> ResponseStream:
        """Say something and get the answer as it comes. The arguments are checked now, not at the first chunk."""
        return ResponseStream(self._session, self._session.prepare(self._sent(message), config, stream=True))

    @overload
    def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: Literal[False] = False
    ) -> GenerateContentResponse: ...
    @overload
    def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: Literal[True]
    ) -> ResponseStream: ...
    def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: bool = False
    ) -> GenerateContentResponse | ResponseStream:
        """Answer all of ``pending_calls``, in any order, and go on: with the whole answer, or as it comes.

        ``responses`` are types.FunctionResponse values, parts that hold one, or dicts; ids that are missing are filled
        in by name. ``call_function`` and ``refuse_call`` make them. Without any, those are sent again whose request
        failed. ``config`` is that of the message which led to the calls, unless another is given. Raises
        ValidationError, and the calls stay open, where they do not answer all that is open.
        """
        prepared = self._session.prepare_responses(responses, config, stream=stream)
        return ResponseStream(self._session, prepared) if stream else self._session.ask(prepared)

    def resume(self) -> ResponseStream:
        """What is left of an answer that was under way when ``snapshot`` was called, for a chat that was restored.

        What had arrived comes first; then the answer goes on in another request, if the server had given a token for
        that, and else it ends with ConnectionLost. Any other message leaves the answer. Raises LocalProtocolError
        where nothing was under way.
        """
        return ResponseStream(self._session, self._session.prepare_rest())

    def call_function(self, call: FunctionCall) -> Part:
        """Run the function of one of ``pending_calls``, and give its answer. Nothing is sent.

        An exception in it becomes an error in the answer. Raises ValidationError where the chat has no functions.
        """
        return self._session.toolbox().run_one(call)

    def count_tokens(self, message: Message | None = None) -> CountTokensResponse:
        """What the next request would cost in tokens: what was said so far, and ``message``.

        Vertex AI counts the chat's system instruction and tools too; the Gemini API counts contents alone.
        """
        return run_call(self._session.connector, self._counting(message))


class AsyncChat(_Remembered):
    """A conversation with a model, under asyncio. Made by ``client.aio.chats.create``."""

    async def send_message(self, message: Message, config: Config = None) -> GenerateContentResponse:
        """Say something and wait for the whole answer. As ``Chat.send_message``.

        The functions of one round run side by side: async ones in the loop, others in threads.
        """
        return await self._session.aask(await self._session.aprepare(self._sent(message), config, stream=False))

    async def send_message_stream(self, message: Message, config: Config = None) -> AsyncResponseStream:
        """Say something and get the answer as it comes: ``async for chunk in await chat.send_message_stream(...)``.

        The arguments are checked when it is awaited; the request is sent when the first chunk is asked for.
        """
        prepared = await self._session.aprepare(self._sent(message), config, stream=True)
        return AsyncResponseStream(self._session, prepared)

    @overload
    async def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: Literal[False] = False
    ) -> GenerateContentResponse: ...
    @overload
    async def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: Literal[True]
    ) -> AsyncResponseStream: ...
    async def send_function_responses(
        self, responses: Responses = None, config: Config = None, *, stream: bool = False
    ) -> GenerateContentResponse | AsyncResponseStream:
        """Answer all of ``pending_calls`` and go on. As ``Chat.send_function_responses``."""
        prepared = await self._session.aprepare_responses(responses, config, stream=stream)
        return AsyncResponseStream(self._session, prepared) if stream else await self._session.aask(prepared)

    async def resume(self) -> AsyncResponseStream:
        """What is left of an answer that was under way: ``async for chunk in await chat.resume()``."""
        return AsyncResponseStream(self._session, await self._session.aprepare_rest())

    async def call_function(self, call: FunctionCall) -> Part:
        """Run the function of one of ``pending_calls``, and give its answer. As ``Chat.call_function``."""
        return await (await self._session.atoolbox()).arun_one(call)

    async def count_tokens(self, message: Message | None = None) -> CountTokensResponse:
        """What the next request would cost in tokens. As ``Chat.count_tokens``."""
        return await arun_call(self._session.connector, self._counting(message))


class Chats:
    """Makes chats."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def create(
        self,
        *,
        model: str,
        config: Config = None,
        history: Sequence[Content | Mapping[str, Any]] | None = None,
        on_incomplete: OnIncomplete = "drop",
        config_mode: ConfigMode = "replace",
        approve: Approve = None,
        function_errors: ErrorWords = "name",
    ) -> Chat:
        """A new chat. Raises ValidationError for a config, history or option that cannot be used.

        ``history`` are Contents, or dicts of their fields, with the roles ``user`` and ``model``.
        ``on_incomplete="keep"`` keeps an answer that was cut off or left early in curated history, as far as it came.
        ``config_mode="merge"`` lays a message's config over the chat's, field by field; by default it replaces it.

        ``approve`` is asked before a function runs: it is given the types.FunctionCall, and gives True, False (the
        model is told that it was refused) or None, and then the chat stops: the calls are in ``pending_calls``, and
        none of that round has run. Instead of a function, the names of the functions that wait, or True for all.
        ``function_errors="message"`` tells the model the text of an exception in a function; by default it is told
        the class alone, because the text may hold what is nobody's business. That of errors.FunctionError is told.
        """
        options = _options(approve, function_errors, asynchronous=False, compat=self._connector.compat)
        return Chat(new_session(self._connector, model, config or {}, history, on_incomplete, config_mode, options))

    def restore(
        self,
        data: str | bytes | Mapping[str, Any],
        *,
        tools: Sequence[Any] = (),
        config: Config = None,
        approve: Approve = None,
        function_errors: ErrorWords = "name",
    ) -> Chat:
        """The chat that ``snapshot`` wrote, as text or decoded, sync or async. It goes on where it was.

        ``tools`` are its functions and MCP sessions: of functions a snapshot has the declarations alone. Calls of those
        that are not handed over wait for the program (``pending_calls``). ``config`` takes the place of the chat's own:
        hand it over where it had headers, a ``base_url``, or classes to make ``response.parsed`` of. A request that was
        under way counts as lost: ``resume`` goes on with its answer.

        Raises ValidationError for what is no snapshot, and for one that a later version of chatproto wrote.
        """
        options = _options(approve, function_errors, asynchronous=False, compat=self._connector.compat)
        return Chat(restored_session(self._connector, data, tools, config, options))


class AsyncChats:
    """Makes chats for asyncio."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def create(
        self,
        *,
        model: str,
        config: Config = None,
        history: Sequence[Content | Mapping[str, Any]] | None = None,
        on_incomplete: OnIncomplete = "drop",
        config_mode: ConfigMode = "replace",
        approve: Approve = None,
        function_errors: ErrorWords = "name",
    ) -> AsyncChat:
        """A new chat; not a coroutine. As ``Chats.create``; ``approve`` may be an async function."""
        options = _options(approve, function_errors, asynchronous=True, compat=self._connector.compat)
        return AsyncChat(
            new_session(self._connector, model, config or {}, history, on_incomplete, config_mode, options)
        )

    def restore(
        self,
        data: str | bytes | Mapping[str, Any],
        *,
        tools: Sequence[Any] = (),
        config: Config = None,
        approve: Approve = None,
        function_errors: ErrorWords = "name",
    ) -> AsyncChat:
        """The chat that ``snapshot`` wrote; not a coroutine. As ``Chats.restore``."""
        options = _options(approve, function_errors, asynchronous=True, compat=self._connector.compat)
        return AsyncChat(restored_session(self._connector, data, tools, config, options))


def _options(approve: Approve, function_errors: ErrorWords, *, asynchronous: bool, compat: bool) -> Options:
    if function_errors not in ("name", "message"):
        raise ValidationError(f"function_errors is 'name' or 'message', not {function_errors!r}")
    approved = checked_approve(approve, asynchronous=asynchronous)
    if compat and approved is not None:
        raise ValidationError("google-genai asks nobody: approve goes without compat", path="$.approve")
    return Options(asynchronous=asynchronous, approve=approved, function_errors=function_errors)


def new_session(
    connector: Connector,
    model: str,
    config: Any,
    history: Sequence[Content | Mapping[str, Any]] | None = None,
    on_incomplete: OnIncomplete = "drop",
    config_mode: ConfigMode = "replace",
    options: Options | None = None,
) -> Session:
    """A conversation of its own on ``connector``; with None as config, requests have no ``generationConfig``."""
    options = options or Options()
    kind = connector.conversation_class(asynchronous=options.asynchronous, in_chat=not options.tells_calls)
    told_no_more = not config and not history and on_incomplete == "drop" and config_mode == "replace"
    key = (kind, model, config is None) if told_no_more and type(model) is str else None
    found = None if key is None else connector.unused.get(key)
    if found is not None:
        unused, read = found
        return Session(connector, unused.fork(), read, options)
    read = None if config is None else read_config(config)
    conversation = kind(
        model,
        config=None if read is None else read.values,
        history=history or (),
        dialect=connector.dialect,
        endpoint=connector.endpoint,
        on_incomplete=on_incomplete,
        config_mode=config_mode,
    )
    if key is not None:
        if len(connector.unused) >= _MOST_UNUSED:
            connector.unused.clear()
        connector.unused[key] = conversation.fork(), read
    return Session(connector, conversation, read, options)


def restored_session(
    connector: Connector, data: str | bytes | Mapping[str, Any], tools: Sequence[Any], config: Any, options: Options
) -> Session:
    """The conversation of a snapshot, on ``connector``."""
    from .machines.snapshot import read

    read_anew = None if config is None else read_config(config)
    conversation = read(
        data,
        dialect=connector.dialect,
        endpoint=connector.endpoint,
        config=None if read_anew is None else read_anew.values,
        asynchronous=options.asynchronous,
    )
    conversation.settle()
    session = Session(connector, conversation, read_anew, options)
    if tools:
        session.bind(tools)
    return session
