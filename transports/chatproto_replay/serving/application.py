"""The aiohttp.web application that answers over HTTP what a source has: chunk by chunk, and to the end that it had.

=============== ====================================================================================================
a body that was  is sent with chunked transfer encoding, each chunk in a write of its own, and then
=============== ====================================================================================================
``complete``     the last chunk, after which the connection can be used again
``truncated``    the connection is closed without the last chunk; so is that of a caller who had ``abandoned`` it
``reset``        the connection is reset
``timeout``      nothing more comes, until the client leaves, or for ten minutes
=============== ====================================================================================================

A request without an answer ends in the same ways, before any head. One that is refused is answered with status 409 and
an error of the API's own shape, whose message is the report. ``GET /`` answers with what has happened so far, as JSON.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chatproto.errors import MissingExtraError, ValidationError

from ..errors import CassetteError
from .forwarding import asked

try:
    from aiohttp import HttpVersion11, web
    from multidict import CIMultiDict
except ModuleNotFoundError as error:
    if error.name != "aiohttp":
        raise
    raise MissingExtraError(
        "serving cassettes needs aiohttp, which is not installed: pip install 'chatproto[aiohttp]'", name="aiohttp"
    ) from None

if TYPE_CHECKING:
    from chatproto.wire.http import Headers

    from ..cassette import End
    from .forwarding import Asked
    from .sources import Answer, Source

__all__ = ["application", "new_runner"]

_STALL = 600.0  # seconds that a body stalls at most
_DELIVERY = 2.0  # seconds to wait for a client to take what was sent before the reset
_CLOSING = 0.5  # seconds that answers under way have when the server closes
_UPLOAD_URL = "x-goog-upload-url"
#: Headers that aiohttp adds by itself. They stay only where they were recorded.
_ADDED = ("Content-Type", "Date", "Server")

#: aiohttp's own log would quote request lines, and those may hold a key. No configuration of logging reaches this one.
_SILENT = logging.Logger("chatproto_replay.serving.application", level=logging.CRITICAL + 1)  # noqa: LOG001


def application(source: Source, *, upstream: str | None = None, visible: str | None = None) -> web.Application:
    """The application over ``source``.

    ``upstream`` is the origin that requests are for, where they are passed on. ``visible`` is the origin under which
    clients know this application, if it is not the one that their ``Host`` header names.
    """

    async def handle(incoming: web.Request) -> web.StreamResponse:
        here = visible or f"http://{incoming.headers.get('host', 'localhost')}"
        if incoming.method in ("GET", "HEAD") and incoming.raw_path == "/":
            return web.json_response(source.status())
        body = await incoming.read()
        headers = tuple(incoming.headers.items())
        try:
            question = asked(incoming.method, incoming.raw_path, headers, body, base=upstream or here)
        except ValueError:
            return _error(400, "INVALID_ARGUMENT", "the request has no target that can be read")
        try:
            answered = await source.answer(question.request, question.secrets, question.client)
        except Exception as error:  # noqa: BLE001  (whatever it is, the client and the one who runs this are told)
            return _refusal(source, error, question, incoming.transport)
        if isinstance(answered, str):
            await _end(incoming, answered)
            return web.Response(status=502)  # it goes nowhere: the connection is closed
        return await _play(incoming, answered, here, source, question)

    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{any:.*}", handle)
    app.on_response_prepare.append(_without_foreign)
    return app


def new_runner(app: web.Application) -> web.AppRunner:
    """A runner that lets handlers know when their client has left, and logs nothing."""
    return web.AppRunner(
        app, handler_cancellation=True, access_log=None, logger=_SILENT, shutdown_timeout=_CLOSING, tcp_keepalive=False
    )


async def _play(
    incoming: web.Request, answer: Answer, here: str, source: Source, question: Asked
) -> web.StreamResponse:
    response = _Played(answer, here)
    if incoming.version < HttpVersion11:
        response.force_close()  # the end of the connection is the end of the body
    try:
        await response.prepare(incoming)
        while not isinstance(piece := await answer.next(), str):
            await response.write(piece)
    except ConnectionError:  # the client has left
        answer.discard()
        return response
    except Exception as error:  # noqa: BLE001  (a recorder may refuse at the end of a body)
        answer.discard()
        _refusal(source, error, question, incoming.transport)
        piece = "truncated"
    except BaseException:
        answer.discard()
        raise
    else:
        await answer.leave()
    if piece == "complete":
        await response.write_eof()
    else:
        await _end(incoming, piece)
    return response


async def _end(incoming: web.Request, end: End) -> None:
    """End the connection. What was written is delivered before."""
    transport = incoming.transport
    if transport is None:
        return
    if end == "timeout":
        await asyncio.sleep(_STALL)  # cancelled when the client leaves, or the server closes
    elif end == "reset":
        await _delivered(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return
    transport.close()


async def _delivered(transport: asyncio.Transport) -> None:
    """Wait until the client's system has all that was written: a reset throws away what is on its way."""
    for _ in range(int(_DELIVERY / 0.01)):
        if transport.is_closing() or not transport.get_write_buffer_size() + _under_way(transport):
            break
        await asyncio.sleep(0.01)


def _under_way(transport: asyncio.Transport) -> int:
    """How many bytes the other side has not taken yet, where the system can tell."""
    connection = transport.get_extra_info("socket")
    try:
        import fcntl
        import termios

        found = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except (ImportError, AttributeError, OSError):  # no Unix; no socket; none that is open
        return 0
    return int.from_bytes(found, sys.byteorder)


def _headers(headers: Headers, here: str) -> list[tuple[str, str]]:
    """The headers of an answer. The URL of an upload leads here."""
    return [(name, _moved(value, here) if name == _UPLOAD_URL else value) for name, value in headers]


def _moved(url: str, here: str) -> str:
    parts = urlsplit(url)
    return f"{here}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _refusal(
    source: Source, error: Exception, question: Asked, transport: asyncio.BaseTransport | None
) -> web.Response:
    """What is answered to a request that cannot be answered. Its words are withheld where they quote a credential.

    A client in this program gets the error itself.
    """
    words = str(error)
    match error:
        case CassetteError():
            code, status = 409, "ABORTED"
        case ValidationError():
            code, status = 400, "INVALID_ARGUMENT"
        case _:
            code, status, words = 500, "INTERNAL", f"{type(error).__name__}: {error}"
    if question.secrets.occurs_in(words.encode("utf-8", "backslashreplace")):
        words = "the words of an error are withheld, because they quote a credential"
        error = CassetteError(words)
    source.refuse(error, words)
    fail: Any = getattr(transport, "fail", None)  # of a pipe
    if fail is not None:
        fail(error)
    return _error(code, status, words)


def _error(code: int, status: str, words: str) -> web.Response:
    return web.json_response({"error": {"code": code, "status": status, "message": words}}, status=code)


class _Played(web.StreamResponse):
    """The head of an answer, with its own headers and no others."""

    def __init__(self, answer: Answer, here: str) -> None:
        headers = _headers(answer.headers, here)
        super().__init__(status=answer.status, headers=CIMultiDict(headers))
        names = {name for name, _ in headers}
        self.foreign = [name for name in _ADDED if name.lower() not in names]


async def _without_foreign(_incoming: web.Request, response: web.StreamResponse) -> None:
    """Take away what aiohttp has added."""
    if isinstance(response, _Played):
        for name in response.foreign:
            response.headers.popall(name, None)
