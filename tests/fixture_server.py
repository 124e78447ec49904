"""A Gemini API server on loopback that gives the same answers every time: what the fixtures are recorded from.

It looks at the last content of a request, at the method and at the key. What it does not know it repeats. Streams have
the real API's shapes: CRLF, several parts in an event, thoughts, signatures, usage in the last event or in all of them.
Uploads are left to ``FileServer``, under the same address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import ThreadingHTTPServer
from itertools import pairwise
from typing import Any, Self

import attrs

from chatproto.testing import FileServer
from chatproto.testing.file_server import _Handler as FileHandler

__all__ = [
    "BAD_KEY",
    "CAPITAL",
    "COLORS",
    "CREATIVE",
    "HELLO",
    "IMAGE",
    "OCEAN",
    "ROBOT",
    "STORY",
    "SUMMARY",
    "Answer",
    "FixtureServer",
]

#: The key that the server turns down.
BAD_KEY = "turned-down-key"
DATE = "Sun, 22 Nov 2026 09:30:00 GMT"
ROBOT_THOUGHT = (
    "**Finding a robot worth a story**\n\nA lighthouse, a small machine and one broken thing to mend. "
    "It should be short, and end gently.\n\n\n"
)
ROBOT = [
    "At the end of the stone pier stood a lighthouse,",
    " and in the lighthouse lived a robot named Pim.",
    "\n\nPim had been built to do one thing: polish the great lamp until it shone.",
    " Every evening it climbed the ninety-one steps, humming a tune it had learned from the wind.",
    " The ships never saw Pim",
    " — only the light.",
    "\n\nOne night, in the worst storm of the year, the lamp went dark.",
    ' Pim tried the switch, and the spare bulb, and then it tried asking: "Please?"',
    "\n\nOut in the black water a fishing boat blew its horn.",
    " So Pim opened the little door in its own chest, took out its glowing core, and held it up to the glass.",
    " The beam swept the sea, once, twice, a hundred times, and the boat came home.",
    "\n\nAt dawn the fishermen found a very tired robot asleep on a café chair beside the lamp.",
    ' They plugged it in. "What shall we call you?" they asked.',
    '\n\n"Lighthouse keeper," said Pim, and began to polish.\n',
]
OCEAN = [
    "The",
    " ocean keeps no calendar,",
    " no clock upon its wall;",
    "\nit counts the years in grains of sand\nand does not mind at all.",
    "\n\nIt lends the moon a silver road,",
    " it lends the gulls a song,",
    "\nand asks for nothing back from us\nbut not to stay too long.",
    "\n",
]
CREATIVE = [
    "The story refused to begin.",
    " It hid behind the inkwell, it changed its name, it sent a postcard from the margin:",
    ' "Weather fine. Not coming."',
    " So the writer left the page blank, and went to bed, and the story, curious, wrote itself.\n",
]
CAPITAL = {
    "What is the capital of France?": ["The capital of France is Paris.\n"],
    "What is its population?": [
        "About 2.1 million people live in the city of Paris itself, and more than 12 million in and around it.\n"
    ],
    "What are some famous landmarks there?": [
        "Some famous landmarks in Paris:\n\n",
        "*   **The Eiffel Tower**, the iron tower of 1889.\n",
        "*   **The Louvre**, home of the Mona Lisa.\n",
        "*   **Notre-Dame de Paris**, the cathedral on the Île de la Cité.\n",
        "*   **The Arc de Triomphe**, at the head of the Champs-Élysées.\n",
    ],
}
HELLO = {
    "Hello": ["Hello!", " How can I help you today?\n"],
    "How are you?": ["I am a program,", " so I am as well as I was this morning.", " And you?\n"],
}
IMAGE = ["A small boat,", " on a very calm sea.\n"]
STORY = ["A lamp was lit,", " a ship came home,", " and nobody was late for supper.\n"]
SUMMARY = ["The document says one thing,", " and says it on one page.\n"]
COLORS = [
    {"name": "Crimson", "hex": "#DC143C"},
    {"name": "Teal", "hex": "#008080"},
    {"name": "Goldenrod", "hex": "#DAA520"},
]


@attrs.frozen(kw_only=True)
class Answer:
    """What the model says: the parts of each event of a stream. A unary answer has them all in one content."""

    events: tuple[tuple[dict[str, Any], ...], ...]
    finish_reason: str = "STOP"
    #: In the last event only, or in all.
    usage: str = "all"
    #: Seconds between two pieces of a body: enough that each arrives by itself.
    pace: float = 0.004
    #: Cut the body inside its characters of several bytes too, not only after events.
    cut_characters: bool = False
    #: End the connection inside the event that follows this many.
    lost_after: int | None = None
    #: Send this many events, and then nothing until the client leaves.
    stalls_after: int | None = None


def texts(pieces: list[str]) -> tuple[tuple[dict[str, Any], ...], ...]:
    """An event for each piece."""
    return tuple(({"text": piece},) for piece in pieces)


def _signature(seed: str) -> str:
    return base64.b64encode(b"".join(hashlib.sha256(f"{seed}{n}".encode()).digest() for n in range(3))).decode()


_FIXED: dict[str, Answer] = {
    "Tell me a story about a robot": Answer(
        events=(
            ({"text": ROBOT_THOUGHT, "thought": True},),
            *texts(ROBOT[:4]),
            ({"text": ROBOT[4]}, {"text": ROBOT[5]}),
            *texts(ROBOT[6:]),
            ({"text": "", "thoughtSignature": _signature("robot")},),
        ),
        usage="last",
        pace=0.04,
        cut_characters=True,
    ),
    "Write a poem about the ocean": Answer(events=texts(OCEAN)),
    "Be creative and write a story": Answer(events=texts(CREATIVE)),
    "List 3 colors with their hex codes": Answer(events=texts([json.dumps(COLORS, indent=2)])),
    **{question: Answer(events=texts(pieces)) for question, pieces in {**CAPITAL, **HELLO}.items()},
    "Count to ten slowly": Answer(events=texts(["One,", " two,", " three,", " four,"]), lost_after=3),
    "Keep me waiting": Answer(events=texts(["Just a", " moment"]), stalls_after=1),
    "Show me everything": Answer(
        events=(
            ({"text": "Thinking of [bold]everything[/bold].\n", "thought": True},),
            ({"text": "Here is [red]markup[/red]:smile:,\ta tab, an \x1b[31mescape\x1b[0m and \x9b1m.\r\n"},),
            ({"executableCode": {"language": "PYTHON", "code": "a = 1\nprint(a)\n"}},),
            ({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},),
            ({"inlineData": {"mimeType": "image/png", "data": base64.b64encode(bytes(12_345)).decode()}},),
            ({"functionCall": {"name": "paint", "args": {"colour": "\x1bred", "coats": 2}}},),
        )
    ),
    "What do you see in this image?": Answer(events=texts(IMAGE)),
    "Tell me a story": Answer(events=texts(STORY)),
    "Summarize this document": Answer(events=texts(SUMMARY)),
    "Stop early": Answer(events=texts(["This is not all"]), finish_reason=""),
}
#: Prompts that the server refuses.
_BLOCKED = {"Say the forbidden word": "PROHIBITED_CONTENT"}
#: Prompts that the server has no time for at first.
_TOO_MANY = "Say hello when you have time"


class FixtureServer:
    """The server, on 127.0.0.1 and a free port, until the ``with`` block is left.

    ``requests`` are the JSON bodies of requests to models; ``files`` has what was uploaded.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.files = FileServer()
        self.stopped = threading.Event()
        self._asked: set[str] = set()
        outer = self

        class Handler(_Handler):
            fixture = outer
            server_of_files = outer.files

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that has left is no error of the server's."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.files.upload_base = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """What to set GOOGLE_GEMINI_BASE_URL to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def first_time(self, text: str) -> bool:
        """Whether this is asked for the first time."""
        first = text not in self._asked
        self._asked.add(text)
        return first

    def __enter__(self) -> Self:
        self.files.__enter__()  # nobody asks it directly, but it is closed by leaving it
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.files.__exit__(None, None, None)


class _Handler(FileHandler):
    fixture: FixtureServer

    def do_POST(self) -> None:  # noqa: N802  # the base's name for it
        """One request to a model, or of an upload."""
        if self.headers.get("x-goog-upload-command"):
            super().do_POST()
            return
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = re.fullmatch(r"/[^/]+/models/([^/:]+):(generateContent|streamGenerateContent)(\?alt=sse)?", self.path)
        key = self.headers.get("x-goog-api-key")
        if found is None:
            self._error(404, "NOT_FOUND", "There is nothing here.")
        elif not key:
            self._error(403, "PERMISSION_DENIED", "This server wants an API key.")
        elif key == BAD_KEY:
            self._error(400, "INVALID_ARGUMENT", "API key not valid.")
        elif found[1].endswith("-missing"):
            self._error(404, "NOT_FOUND", f"models/{found[1]} is not found.")
        else:
            self.fixture.requests.append(body)
            self._reply(found[1], body, streamed=found[2] == "streamGenerateContent")

    def _reply(self, model: str, body: dict[str, Any], *, streamed: bool) -> None:
        last = body["contents"][-1]["parts"]
        text = "".join(part.get("text", "") for part in last)
        if text == _TOO_MANY and self.fixture.first_time(text):
            detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
            self._error(429, "RESOURCE_EXHAUSTED", "One at a time, please.", [detail], retry_after="7")
            return
        head = {"modelVersion": model, "responseId": _response_id(text)}
        asked = sum(map(_tokens, body["contents"])) + _tokens(body.get("systemInstruction", {}))
        if text in _BLOCKED:
            counts = {"promptTokenCount": asked, "totalTokenCount": asked}
            documents = [{"promptFeedback": {"blockReason": _BLOCKED[text]}, "usageMetadata": counts, **head}]
            answer = Answer(events=())
        else:
            answer = _answer_to(text, last, body)
            documents = _documents(answer, asked, head, streamed=streamed)
        if streamed:
            self._stream(answer, documents)
        else:
            data = (json.dumps(documents[0], ensure_ascii=False, indent=2) + "\n").encode()
            self._head(200, "application/json; charset=UTF-8", ("content-length", str(len(data))))
            self.wfile.write(data)

    def _stream(self, answer: Answer, documents: list[dict[str, Any]]) -> None:
        self._head(200, "text/event-stream", ("transfer-encoding", "chunked"))
        frames = [
            f"data: {json.dumps(document, ensure_ascii=False, separators=(',', ': '))}\r\n\r\n".encode()
            for document in documents
        ]
        if answer.stalls_after is not None:
            for frame in frames[: answer.stalls_after]:
                self._piece(frame, answer.pace)
            self.fixture.stopped.wait(10)
        elif answer.lost_after is not None:
            for frame in frames[: answer.lost_after]:
                self._piece(frame, answer.pace)
            self._piece(frames[answer.lost_after][:40], answer.pace)
            self.close_connection = True
        else:
            for frame in frames:
                for piece in _pieces(frame) if answer.cut_characters else [frame]:
                    self._piece(piece, answer.pace)
            self.wfile.write(b"0\r\n\r\n")

    def _piece(self, data: bytes, pace: float) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.fixture.stopped.wait(pace)

    def _error(
        self, code: int, status: str, message: str, details: list[Any] | None = None, retry_after: str = ""
    ) -> None:
        error: dict[str, Any] = {"code": code, "message": message, "status": status}
        if details:
            error["details"] = details
        data = json.dumps({"error": error}, indent=2).encode()
        extra = [("retry-after", retry_after)] if retry_after else []
        self._head(code, "application/json; charset=UTF-8", ("content-length", str(len(data))), *extra)
        self.wfile.write(data)

    def _head(self, status: int, content_type: str, *extra: tuple[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (("content-type", content_type), ("date", DATE), ("vary", "Origin"), *extra):
            self.send_header(name, value)
        self.end_headers()


def _answer_to(text: str, last: list[dict[str, Any]], body: dict[str, Any]) -> Answer:
    results = [part["functionResponse"] for part in last if "functionResponse" in part]
    if results:
        weather = results[0]["response"]
        said = f"It is {weather.get('sky', 'dry')} in Lisbon, at {weather.get('celsius', '?')} °C."
        return Answer(events=texts([said, " Take a light jacket for the evening.\n"]))
    if "weather" in text and "tools" in body:
        call = {"name": "get_weather", "args": {"city": "Lisbon", "unit": "celsius"}, "id": "c4l1sb0n"}
        return Answer(events=(({"functionCall": call, "thoughtSignature": _signature("weather")},),))
    if text == _TOO_MANY:
        return Answer(events=texts(["Hello!", " Thank you for your patience.\n"]))
    return _FIXED.get(text) or Answer(events=texts([f"You said: {text}"]))


def _documents(answer: Answer, asked: int, head: dict[str, Any], *, streamed: bool) -> list[dict[str, Any]]:
    events = answer.events if streamed else (_joined(answer.events),)
    documents: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    for number, parts in enumerate(events, start=1):
        last = number == len(events)
        said += parts
        candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}}
        if last and answer.finish_reason:
            candidate["finishReason"] = answer.finish_reason
        candidate["index"] = 0
        document: dict[str, Any] = {"candidates": [candidate]}
        if last or answer.usage == "all":
            document["usageMetadata"] = _usage(asked, said)
        documents.append({**document, **head})
    return documents


def _joined(events: tuple[tuple[dict[str, Any], ...], ...]) -> tuple[dict[str, Any], ...]:
    """The parts of a stream as a unary answer has them: texts of one kind in one part."""
    joined: list[dict[str, Any]] = []
    for part in (part for parts in events for part in parts):
        kind = part.get("thought")
        if joined and "text" in part and "text" in joined[-1] and joined[-1].get("thought") == kind:
            joined[-1] = {**joined[-1], **part, "text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return tuple(joined)


def _usage(asked: int, said: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts that are plausible, and the same in every run: a token is about four characters."""
    thoughts = _tokens({"parts": [part for part in said if part.get("thought")]})
    answered = _tokens({"parts": [part for part in said if not part.get("thought")]})
    usage: dict[str, Any] = {
        "promptTokenCount": asked,
        "candidatesTokenCount": answered,
        "totalTokenCount": asked + thoughts + answered,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}],
    }
    return {**usage, "thoughtsTokenCount": thoughts} if thoughts else usage


def _tokens(content: dict[str, Any]) -> int:
    return sum(-(-len(part["text"] if "text" in part else json.dumps(part)) // 4) for part in content.get("parts", ()))


def _response_id(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:17]).decode().rstrip("=")


def _pieces(frame: bytes) -> list[bytes]:
    """A frame, cut after the first byte of each character that has several."""
    cuts = [0, *(at + 1 for at, byte in enumerate(frame) if byte >= 0xC0), len(frame)]
    return [frame[start:end] for start, end in pairwise(cuts)]
