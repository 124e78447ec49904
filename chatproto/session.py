"""What stands between a chat's face and its machine: who may drive it now, and the streams that hand out an answer.

Sync and async share all of it but the word ``await``.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import attrs

from .convert.config import parse_target, to_config
from .errors import LocalProtocolError
from .machines.steps import ChunkReceived, Event, RoundFailed, TurnEnded
from .transport import AsyncDrive, Drive, Secrets
from .types import CountTokensConfig, GenerateContentResponse
from .wire.gemini import GeminiApi

if TYPE_CHECKING:
    import asyncio

    from .client import Connector
    from .convert.calls import Call
    from .convert.parsed import ParseTarget
    from .machines.conversation import Conversation, Draft
    from .types import Content, Tool

__all__ = ["AsyncResponseStream", "Prepared", "ResponseStream", "Session", "arun_call", "run_call"]

T = TypeVar("T")


@attrs.frozen
class Prepared:
    """A message that has been checked, and the secrets that its request will need."""

    draft: Draft
    secrets: Secrets
    #: What ``response.parsed`` is made of.
    target: ParseTarget | None


class Session:
    """A conversation and what drives it: who is inside a driver call, and which stream is the open one."""

    def __init__(
        self,
        connector: Connector,
        conversation: Conversation,
        headers: Mapping[str, str],
        target: ParseTarget | None = None,
    ) -> None:
        self.connector = connector
        self.conversation = conversation
        self._target = target  # of the chat's own config
        self._headers = dict(headers)  # of the chat's own config
        self._inside = threading.Lock()
        self._stream: weakref.ref[_Stream] | None = None

    def prepare(self, contents: Content | Sequence[Content], config: Any, *, stream: bool) -> Prepared:
        """Check a message and a config. None and an empty dict leave the chat's own config in force."""
        given, headers, target = None, self._headers, self._target
        if config is not None and not (isinstance(config, Mapping) and not config):
            given, headers = to_config(config)
            target = parse_target(config)
            if self.conversation.config_mode == "merge":
                headers = {**self._headers, **headers}
                target = target or self._target
        draft = self.conversation.draft(contents, given, stream=stream)
        return Prepared(draft, self.connector.secrets(headers, draft.endpoint), target)

    def counted_config(self) -> tuple[CountTokensConfig | None, Mapping[str, str]]:
        """What is counted beside the contents, where the service counts it, and the headers of the chat's config."""
        config = self.conversation.config
        if config is None or isinstance(self.connector.dialect, GeminiApi):
            return None, self._headers
        tools = cast("list[Tool] | None", config.tools)  # to_config has made values of them
        return CountTokensConfig(system_instruction=config.system_instruction, tools=tools), self._headers

    def enter(self) -> bool:
        """Become the one inside; False where someone is."""
        return self._inside.acquire(blocking=False)

    def leave(self) -> None:
        """Undo ``enter``."""
        self._inside.release()

    @contextmanager
    def driving(self) -> Generator[None]:
        """One thread or task at a time."""
        if not self.enter():
            raise LocalProtocolError(
                "another thread or task is waiting for an answer in this chat; use a chat for each conversation"
            )
        try:
            yield
        finally:
            self.leave()

    def begin(self, prepared: Prepared, stream: _Stream | None = None) -> None:
        """Send, and leave a stream that is merely suspended."""
        # What can fail comes first: then nothing has changed.
        self.conversation.send(prepared.draft)
        suspended = self._stream() if self._stream is not None else None
        if suspended is not None and suspended is not stream:
            suspended.supersede()
        self._stream = weakref.ref(stream) if stream is not None else None

    def drive(self, prepared: Prepared) -> Drive:
        """The synchronous driver for what has been sent."""
        return Drive(self.conversation, self.connector.sync_transport(), prepared.secrets)

    def adrive(self, prepared: Prepared) -> AsyncDrive:
        """The driver for what has been sent, under asyncio."""
        return AsyncDrive(self.conversation, self.connector.async_transport(), prepared.secrets)

    def ask(self, prepared: Prepared) -> GenerateContentResponse:
        """Send and wait for the whole answer: a drained stream."""
        answer: GenerateContentResponse | None = None
        with self.driving():
            drive = self.drive(prepared)
            self.begin(prepared)
            with drive:
                for event in drive:
                    answer = answer_in(event, prepared.target) or answer
        return _whole(answer)

    async def aask(self, prepared: Prepared) -> GenerateContentResponse:
        """``ask`` for asyncio."""
        answer: GenerateContentResponse | None = None
        with self.driving():
            drive = self.adrive(prepared)
            self.begin(prepared)
            async with drive:
                async for event in drive:
                    answer = answer_in(event, prepared.target) or answer
        return _whole(answer)


def answer_in(event: Event, target: ParseTarget | None) -> GenerateContentResponse | None:
    """The piece of an answer that an event brings, parsed if that was asked for. Raises the error that it brings."""
    match event:
        case ChunkReceived(response=response):
            if target is not None:
                from .convert.parsed import parse_response

                parse_response(response, target)
            return response
        case TurnEnded(error=error) | RoundFailed(error=error) if error is not None:
            raise error
        case _:
            return None


def _whole(answer: GenerateContentResponse | None) -> GenerateContentResponse:
    if answer is None:  # cannot be: a unary exchange ends with a document or an error
        raise LocalProtocolError("the exchange ended without an answer")
    return answer


class _Stream:
    """A streamed answer, whoever drives it."""

    def __init__(self, session: Session, prepared: Prepared) -> None:
        self._session = session
        self._prepared = prepared
        self._driver: Drive | AsyncDrive | None = None
        self._over = False
        self._superseded = False

    def _ended(self) -> bool:
        """Whether there is nothing more to ask for. Raises LocalProtocolError where a later message ended it."""
        if self._superseded:
            raise LocalProtocolError("a later message has ended this stream")
        return self._over

    def supersede(self) -> None:
        """A later message is sent: let go of the connection. The conversation is told by that message."""
        if self._driver is not None and not self._over:
            self._superseded = True
            self._driver.discard()

    def close(self) -> None:
        """Leave the answer. May be called at any time, from any thread or task, and twice."""
        over, self._over = self._over, True
        if self._driver is None or over or self._superseded:
            return
        if self._session.enter():
            try:
                self._driver.close()
            finally:
                self._session.leave()
        else:
            # Someone waits for a chunk: it ends there.
            self._driver.interrupt()

    def __del__(self) -> None:
        self.close()


class ResponseStream(_Stream, Iterator[GenerateContentResponse]):
    """A streamed answer: an iterator of its chunks, and a context manager that closes it.

    Nothing is sent before the first chunk is asked for. Leaving it early (``close``, ``with``, dropping it, an
    exception in the loop) gives the connection up at once; the turn is then abandoned, unless its finish reason had
    come. Sending another message does the same to a stream that is merely suspended; asking that one for more raises
    LocalProtocolError. Closed from another thread while one waits for a chunk, the waiting iteration ends.
    """

    _drive: Drive | None = None

    def __next__(self) -> GenerateContentResponse:
        if self._ended():
            raise StopIteration
        with self._session.driving():
            try:
                for event in self._begun():
                    answer = answer_in(event, self._prepared.target)
                    if answer is not None:
                        return answer
            except BaseException:
                self._over = True
                raise
        self._over = True
        raise StopIteration

    def _begun(self) -> Drive:
        if self._drive is None:
            drive = self._session.drive(self._prepared)
            self._session.begin(self._prepared, self)
            self._drive = self._driver = drive
        return self._drive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncResponseStream(_Stream, AsyncIterator[GenerateContentResponse]):
    """A streamed answer under asyncio: an async iterator of its chunks, and an async context manager that closes it.

    As ResponseStream: nothing is sent before the first chunk is asked for, and leaving it early, by cancelling the task
    too, gives the connection up at once.
    """

    _drive: AsyncDrive | None = None
    _left: asyncio.Future[None] | None = None

    async def __anext__(self) -> GenerateContentResponse:
        if self._ended():
            raise StopAsyncIteration
        try:
            with self._session.driving():
                async for event in self._begun():
                    answer = answer_in(event, self._prepared.target)
                    if answer is not None:
                        return answer
        except BaseException:
            self._over = True
            raise
        finally:
            if self._left is not None and not self._left.done():
                self._left.set_result(None)
        self._over = True
        raise StopAsyncIteration

    def _begun(self) -> AsyncDrive:
        if self._drive is None:
            drive = self._session.adrive(self._prepared)
            self._session.begin(self._prepared, self)
            self._drive = self._driver = drive
        return self._drive

    async def aclose(self) -> None:
        """Leave the answer, and wait until a task that was waiting for a chunk has noticed: the chat is free then."""
        import asyncio

        waiting = not self._over and self._drive is not None and not self._session.enter()
        if waiting:
            self._left = asyncio.get_running_loop().create_future()
        elif not self._over and self._drive is not None:
            self._session.leave()
        self.close()
        if self._left is not None:
            await self._left

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


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
