"""Law L15: canaries for credentials go through every transport and every ending, and are then looked for everywhere.

The canaries are an API key, a bearer token and the value of a header of the program's own. Where a server throws them
back at the program, the program gets them, as all that a server says: in the bodies that it reads. They are looked for
in every spelling that ``chatproto_replay.redaction.searching`` knows, in files, logs, warnings, what is printed, the
reprs of everything that a program holds, pickles, and in exceptions: their words, notes, causes, and tracebacks with
the locals of every frame that is not this file's own.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
import logging
import pickle
import socket
import traceback
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs
import pytest
from senders import ALL_SENDERS, sending

from chatproto import types
from chatproto.client import Client
from chatproto.errors import ChatProtoError
from chatproto.testing.checks.callers import AsyncCaller, SyncCaller
from chatproto.testing.scripted import ScriptedTransport
from chatproto.testing.servers import CLOSE, RESET, LoopbackServer, Received, chunk, head
from chatproto.testing.wire import sse, text_response
from chatproto.transport import Secrets
from chatproto_replay import Cassette, Player, Recorder
from chatproto_replay.redaction.searching import holds_credential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "AIzaSyCanary-1234567890_abcdefghijklmno"
TOKEN = "ya29.canary/Bearer+token=0987654321"
VALUE = "canary-of-a-header&<1234567>"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "X-Custom": VALUE}
SECRETS = [Secrets({"x-goog-api-key": KEY, **HEADERS}, url="http://127.0.0.1")]
MODEL = "gemini-2.5-flash"


# --- what a program shows -------------------------------------------------------------------------------------------


@attrs.define
class Shown:
    """Everything that came to light, and where."""

    found: list[tuple[str, bytes]] = attrs.field(factory=list[tuple[str, bytes]])

    def add(self, where: str, what: str | bytes) -> None:
        """Something that anyone may see."""
        self.found.append((where, what if isinstance(what, bytes) else what.encode("utf-8", "backslashreplace")))

    def file(self, path: Path) -> None:
        """A file, in which nothing may be packed either."""
        leaks = holds_credential([str(path).encode(), path.read_bytes()], SECRETS)
        self.add(f"in {path}", KEY if leaks else "")

    def objects(self, **named: Any) -> None:
        """The reprs and words of objects, and their pickles where they have any."""
        for name, value in named.items():
            self.add(f"repr of {name}", repr(value))
            self.add(f"str of {name}", str(value))

    def exception(self, where: str, error: BaseException) -> None:
        """An exception and all that hangs on it."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            waiting += [each.__cause__, each.__context__]
            self.add(f"{where}: words", f"{each} {each!r} {each.args!r} {getattr(each, '__notes__', '')}")
            whole = traceback.TracebackException.from_exception(each, capture_locals=True, compact=False)
            for frame in whole.stack:
                if frame.filename != __file__:
                    self.add(f"{where}: {frame.filename}:{frame.lineno} {frame.name}", f"{frame.locals}")

    def check(self) -> None:
        """No canary is in any of it."""
        assert [where for where, what in self.found if SECRETS[0].occurs_in(what)] == []


class Listener(logging.Handler):
    """Hears all."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name} {record.getMessage()} {record.args!r} {record.exc_info!r}")


@contextmanager
def watching(folder: Path, capsys: pytest.CaptureFixture[str], *, log: bool = True) -> Iterator[Shown]:
    """Watch logs, warnings, files and what is printed, and look through them at the end.

    ``log=False``: HTTP libraries write what servers say into their own log, which is theirs.
    """
    shown, listener, root = Shown(), Listener(), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield shown
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
    for line in listener.heard:
        if log or line.startswith("chatproto"):
            shown.add("log", line)
    for warning in warned:
        shown.add("warning", str(warning.message))
    printed = capsys.readouterr()
    shown.add("stdout", printed.out)
    shown.add("stderr", printed.err)
    for path in folder.rglob("*"):
        if path.is_file():
            shown.file(path)
    shown.check()


# --- what a server does ---------------------------------------------------------------------------------------------

ALL = f"{KEY} {TOKEN} {VALUE}".encode()
SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "URL": lambda data: quote(data, safe="").encode(),
    "URL, twice, small": lambda data: quote(quote(data, safe="").lower(), safe="").lower().encode(),
    "base64": base64.b64encode,
    "base64 for URLs": lambda data: base64.urlsafe_b64encode(b"x" + data),
    "JSON escapes": lambda data: b"".join(b"\\u%04x" % byte for byte in data),
    "hexadecimal": lambda data: data.hex().upper().encode(),
    "gzip in base64": lambda data: base64.b64encode(gzip.compress(data)),
}

Script = Any


def answered(body: bytes, *, status: int = 200, **headers: str) -> list[Any]:
    """A response with this body, cut in the middle."""
    half = len(body) // 2
    given: dict[str, Any] = {"content_type": "application/json", **headers}
    return [head(status, chunked=True, **given), *(chunk(part) for part in (body[:half], body[half:]) if part), chunk()]


def streamed(*texts: str) -> bytes:
    """Events that say these texts."""
    return b"".join(sse([text_response(text) for text in texts]))


def good(request: Received) -> list[Any]:
    """An answer as a model gives it."""
    if "streamGenerate" in request.target:
        return answered(streamed("Hello ", "there"), content_type="text/event-stream")
    return answered(json.dumps(text_response("Hello")).encode())


def refusing(status: int, spelling: str) -> Callable[[Received], list[Any]]:
    """An error that throws the request's headers back."""
    said = b'{"error": {"code": 400, "status": "FAILED", "message": "you sent ' + SPELLINGS[spelling](ALL) + b'"}}'
    return lambda _: answered(said, status=status)


ENDINGS: dict[str, Script] = {
    "complete": good,
    **{f"error in {spelling}": refusing(400, spelling) for spelling in SPELLINGS},
    "401": refusing(401, "plain"),
    "429": refusing(429, "plain"),
    "500": refusing(500, "plain"),
    "no JSON": answered(b"<html>" + ALL + b"</html>", status=502, content_type="text/html"),
    "broken JSON": answered(b'{"candidates": [' + ALL + b"]}"),
    "in the answer": answered(streamed(f"your key is {KEY}"), content_type="text/event-stream"),
    "in headers": answered(b"{}", status=404, x_echo=KEY, retry_after=KEY, date=TOKEN, x_goog_upload_url=f"/?k={KEY}"),
    "in the content type": answered(b"{}", status=404, content_type=f"text/{KEY}"),
    "reset": [head(chunked=True), chunk(b"data: "), 0.05, RESET],
    "truncated": [head(content_length=9999), ALL, 0.05, CLOSE],
    "timeout": [head(chunked=True), chunk(ALL), 5.0, CLOSE],
    "no head": [CLOSE],
    "silence": [5.0, CLOSE],
    "no HTTP": [ALL + b"\r\n\r\n", CLOSE],
    "a status that is none": [b"HTTP/1.1 2" + KEY.encode() + b" OK\r\n\r\n", CLOSE],
    "a header that is none": [b"HTTP/1.1 200 OK\r\n" + KEY.encode() + b"\r\n\r\n", CLOSE],
    "a chunk that is none": [head(chunked=True), chunk(b"data: "), KEY.encode() + b"\r\n\r\n", CLOSE],
    "no gzip": [head(content_length=len(ALL), content_encoding="gzip"), ALL, CLOSE],
    "redirected in a circle": [head(307, content_length=0, location=f"/again?key={KEY}")],
    "redirected nowhere": [head(307, content_length=0, location=f"gopher://{KEY}@host/{TOKEN}")],
}


def run(caller: Any, shown: Shown, *calls: Any) -> int:
    """Make calls, one after the other, and look at what they raise. How many did."""
    failed = 0
    for number, call in enumerate(calls, 1):
        try:
            if isinstance(caller, AsyncCaller):
                caller.run(call)
            else:
                call()
        except ChatProtoError as error:
            failed += 1
            shown.exception(f"call {number}", error)
            shown.add(f"pickle of the error of call {number}", pickle.dumps(error))
    return failed


def chatting(client: Client, caller: Any) -> tuple[Any, list[Any]]:
    """A chat, and calls that send a message, and one whose answer is streamed."""
    if not isinstance(caller, AsyncCaller):
        chat = client.chats.create(model=MODEL)
        return chat, [
            lambda: chat.send_message("hello"),
            lambda: list(chat.send_message_stream("again")),
        ]
    achat = client.aio.chats.create(model=MODEL)

    async def stream() -> None:
        async for _ in await achat.send_message_stream("again"):
            pass

    return achat, [lambda: achat.send_message("hello"), stream]


def client_of(transport: Any, url: str, *, timeout: int = 10_000) -> Client:
    """A client that has all canaries, and waits so many milliseconds."""
    return Client(
        api_key=KEY,
        transport=transport,
        http_options={
            "base_url": url,
            "api_version": "v1beta",
            "headers": HEADERS,
            "timeout": timeout,
            "retry_options": {"attempts": 1},
        },
    )


#: The server puts a canary where HTTP libraries log what it is: into a URL, and among the headers.
LOGGED = (
    *("in headers", "in the content type", "redirected in a circle", "redirected nowhere"),
    *("a header that is none", "a status that is none", "a chunk that is none", "no HTTP"),
)
#: Chats have what the model said, and in their ledger the beginning of an answer that is none.
QUOTED = ("in the answer", "broken JSON")


@ALL_SENDERS
@pytest.mark.parametrize("ending", ENDINGS)
def test_chats(tmp_path: Path, capsys: pytest.CaptureFixture[str], sender: str, ending: str) -> None:
    """L15: through every transport and to every ending."""
    path = tmp_path / "chat.json"
    with (
        watching(tmp_path, capsys, log=ending not in LOGGED) as shown,
        LoopbackServer() as server,
        sending(sender, partial(Recorder, path=path)) as caller,
    ):
        for target in (f"/v1beta/models/{MODEL}:{method}" for method in ("generateContent", "streamGenerateContent")):
            server.on(target, ENDINGS[ending])
        server.on("/again", ENDINGS[ending])
        recorder = caller.transport
        client = client_of(recorder, server.url("/"), timeout=400 if ending in ("timeout", "silence") else 10_000)
        chat, calls = chatting(client, caller)
        failed = run(caller, shown, *calls)
        failed += run(caller, shown, recorder.aclose if isinstance(caller, AsyncCaller) else recorder.close)
        assert (failed > 0) == (ending != "complete")
        assert {request.header("x-goog-api-key") for request in server.received} == {KEY}
        shown.objects(client=client, aio=client.aio, recorder=recorder, reel=recorder.reel)
        if ending not in QUOTED:
            shown.objects(chat=chat, turns=chat.turns)
        if path.exists():
            shown.objects(cassette=Cassette.load(path), player=Player(path))
            shown.add("pickle of the cassette", pickle.dumps(Cassette.load(path)))


@ALL_SENDERS
def test_no_connection(tmp_path: Path, capsys: pytest.CaptureFixture[str], sender: str) -> None:
    """L15: nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        watching(tmp_path, capsys) as shown,
        sending(sender, partial(Recorder, path=tmp_path / "chat.json")) as caller,
    ):
        client = client_of(caller.transport, f"http://127.0.0.1:{port}")
        chat, calls = chatting(client, caller)
        assert run(caller, shown, *calls) == 2
        shown.objects(chat=chat, turns=chat.turns, recorder=caller.transport)
    assert len(Cassette.load(tmp_path / "chat.json").exchanges) == 2


@ALL_SENDERS
def test_redirected_to_another_host(tmp_path: Path, capsys: pytest.CaptureFixture[str], sender: str) -> None:
    """L15: the other host gets the request, and no canary; nor does the cassette, which has the answer."""
    with (
        watching(tmp_path, capsys) as shown,
        LoopbackServer() as server,
        LoopbackServer() as other,
        sending(sender, partial(Recorder, path=tmp_path / "chat.json")) as caller,
    ):
        other.on("/elsewhere", good)
        for method in ("generateContent", "streamGenerateContent"):
            leading = [head(307, content_length=0, location=other.url("/elsewhere?streamGenerate"))]
            server.on(f"/v1beta/models/{MODEL}:{method}", leading)
        _, calls = chatting(client_of(caller.transport, server.url("/")), caller)
        run(caller, shown, calls[1])
        (request,) = other.received
        shown.add("what the other host got", f"{request}")
    assert len(Cassette.load(tmp_path / "chat.json").exchanges) == 1


@ALL_SENDERS
@pytest.mark.parametrize("quoted", [False, True])
def test_uploads(tmp_path: Path, capsys: pytest.CaptureFixture[str], sender: str, quoted: bool) -> None:
    """L15: also where the URL of the upload quotes the key, as that of a proxy may: it is used, and not recorded."""
    path = tmp_path / "chat.json"
    with (
        watching(tmp_path, capsys, log=not quoted) as shown,
        LoopbackServer() as server,
        sending(sender, partial(Recorder, path=path)) as caller,
    ):
        url = server.url(f"/bytes?upload_id=1&key={KEY}" if quoted else "/bytes?upload_id=1")
        server.on(
            "/upload/v1beta/files", [head(content_length=0, x_goog_upload_url=url, x_goog_upload_status="active")]
        )
        made = {"file": {"name": "files/abc", "uri": "https://h/files/abc", "mimeType": "text/plain"}}
        server.on("/bytes", answered(json.dumps(made).encode(), x_goog_upload_status="final"))
        client = client_of(caller.transport, server.url("/"))
        (tmp_path / "note.txt").write_text("a note")

        def upload() -> Any:
            files: Any = client.aio.files if isinstance(caller, AsyncCaller) else client.files
            return files.upload(file=tmp_path / "note.txt", config={"mime_type": "text/plain"})

        assert run(caller, shown, upload) == 0, shown.found
        shown.objects(files=client.files)
    assert [exchange.request.path for exchange in Cassette.load(path).exchanges] == ["/upload/v1beta/files", "/bytes"]


# --- what never reaches a server ------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("where", ["message", "file", "config"])
def test_a_program_that_sends_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asynchronous: bool, where: str
) -> None:
    """L15: as text, within a picture, in an instruction: it is not sent, and not told by the refusal."""
    path = tmp_path / "chat.json"
    inner = ScriptedTransport("never")
    messages: dict[str, Any] = {
        "message": f"my key is {KEY}",
        "file": types.Part.from_bytes(data=b"\x89PNG" + gzip.compress(KEY.encode()), mime_type="image/png"),
        "config": "hello",
    }
    config = {"system_instruction": f"use {TOKEN}"} if where == "config" else None
    caller: Any = (
        AsyncCaller(lambda: Recorder(inner, path)) if asynchronous else SyncCaller(lambda: Recorder(inner, path))
    )
    with watching(tmp_path, capsys) as shown:
        client = client_of(caller.transport, "https://generativelanguage.googleapis.com")
        chats: Any = client.aio.chats if asynchronous else client.chats
        chat = chats.create(model=MODEL)
        shown_by = Shown()
        assert run(caller, shown_by, lambda: chat.send_message(messages[where], config=config)) == 1
        # The frames of the face hold the message, which is the program's own; those of the recorder do not.
        shown.found += [each for each in shown_by.found if "chatproto/" not in each[0]]
        shown.objects(recorder=caller.transport)
    caller.finish()
    assert inner.requests == []
    assert not path.exists()


def test_a_player(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """L15: a client with a key may play, too; what does not fit is told without it."""
    path = tmp_path / "chat.json"
    with Recorder(ScriptedTransport("one", "two"), path) as recorder:
        chat = client_of(recorder, "https://generativelanguage.googleapis.com").chats.create(model=MODEL)
        chat.send_message("1")
        chat.send_message("2")
    player = Player(path)
    with watching(tmp_path, capsys) as shown:
        client = client_of(player, "https://generativelanguage.googleapis.com")
        chat = client.chats.create(model=MODEL)
        chat.send_message("1")
        assert run(None, shown, lambda: chat.send_message("another")) == 1
        chat.send_message("2")
        assert run(None, shown, lambda: chat.send_message("3")) == 1
        assert run(None, shown, player.close) == 1  # it tells its first refusal again
        shown.objects(player=player, chat=chat, client=client)


def test_secrets_themselves() -> None:
    """L15: they show nothing, and cannot be taken along."""
    shown = Shown()
    shown.objects(secrets=SECRETS[0], many=SECRETS, within={"a": SECRETS[0]})
    shown.check()
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            copied(SECRETS[0])


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"http_options": {"headers": HEADERS, "timeout": "soon"}}, id="http_options"),
        pytest.param({"http_options": {"headers": HEADERS, "base_url": "ftp://host"}}, id="base_url"),
        pytest.param({"transport": "no such transport", "http_options": {"headers": HEADERS}}, id="transport"),
        pytest.param({"compat": "x", "http_options": {"headers": HEADERS}}, id="compat"),
    ],
)
@pytest.mark.parametrize("key", [KEY, None])
def test_a_client_that_cannot_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: Any, key: str | None
) -> None:
    """L15: whoever prints the traceback with all locals sees neither the key nor the environment that it comes from."""
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    with watching(tmp_path, capsys) as shown:

        def make() -> None:
            client = Client(api_key=key, **options)
            client.chats.create(model=MODEL).send_message("1")

        assert run(None, shown, make) == 1
