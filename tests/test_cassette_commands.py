"""``chatproto cassette``: show, check, redact, diff and serve, and how the command line finds a plug-in's commands."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import CliRunner, Result
from fixture_server import FixtureServer
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal import environment, run

from chatproto import Client
from chatproto.cli import command
from chatproto.testing.strategies import json_values
from chatproto.testing.wire import sse, text_response
from chatproto_replay import (
    Body,
    Cassette,
    Chunk,
    Exchange,
    Failure,
    Player,
    RecordedRequest,
    RecordedResponse,
    Redaction,
    RequestMismatch,
)
from chatproto_replay.commands import soundness
from chatproto_replay.commands.answers import contents_of, kind_of, read_answer, read_documents

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent.parent / "fixtures"
PATH = "/v1/models/gemini-2.5-flash:generateContent"
STREAM = "/v1/models/gemini-2.5-flash:streamGenerateContent"
KEY = "AIza" + "SyD3mo-0nly_Th1sIsNoKeyOfAnyone0123"[:35]

Json = dict[str, Any]


def cassette(*arguments: object) -> Result:
    """``chatproto cassette ARGUMENTS``, in this process and in a pipe."""
    return CliRunner().invoke(command(), ["cassette", *map(str, arguments)])


def said(role: str, *parts: Any) -> Json:
    """A content; a part that is a str is a text."""
    return {"role": role, "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def exchange(contents: Any, *answers: Any, settings: Json | None = None, **more: Any) -> Exchange:
    """An exchange of a chat. Of answers, one is unary and several are streamed; a str is an answer's text."""
    documents = [text_response(each) if isinstance(each, str) else each for each in answers]
    streamed = len(documents) != 1
    pieces = sse(documents) if streamed else [json.dumps(document).encode() for document in documents]
    if streamed and answers and isinstance(answers[0], str):
        pieces = sse([text_response(each, None if each is not answers[-1] else "STOP") for each in answers])
    return Exchange(
        request=RecordedRequest(
            method="POST",
            path=STREAM if streamed else PATH,
            query=(("alt", "sse"),) if streamed else (),
            body=Body("json", {"contents": contents, **(settings or {})}),
        ),
        response=RecordedResponse(status=200, chunks=tuple(Chunk(20, piece) for piece in pieces), **more),
    )


def other(method: str, path: str, answer: Any = None, **more: Any) -> Exchange:
    """An exchange that is no model's answer."""
    chunks = (
        () if answer is None else (Chunk(1500, answer if isinstance(answer, bytes) else json.dumps(answer).encode()),)
    )
    return Exchange(
        request=RecordedRequest(method=method, path=path, **more), response=RecordedResponse(status=200, chunks=chunks)
    )


def written(path: Path, *exchanges: Exchange) -> Path:
    """A cassette of these exchanges."""
    Cassette(exchanges=exchanges, by="a test").save(path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a cassette is."""
    return tmp_path / "chat.json"


def shown(path: Path, *exchanges: Exchange, full: bool = False) -> str:
    """What ``show`` prints of them, without the first line."""
    done = cassette("show", written(path, *exchanges), *(["--full"] if full else []))
    assert (done.exit_code, done.stderr) == (0, "")
    head, _, rest = done.stdout.partition("\n\n")
    assert head.startswith(f"{path}: ")
    return rest


# --- show -----------------------------------------------------------------------------------------------------------


def test_a_chat_with_a_tool() -> None:
    """Each exchange shows what it adds to the one before; function responses are the tool's."""
    done = cassette("show", FIXTURES / "weather_tool.json")
    assert done.stdout == (
        f"{FIXTURES / 'weather_tool.json'}: 2 exchanges, recorded by chatproto 0.1.0 with requests\n"
        "\n"
        "1  POST /v1/models/gemini-2.5-flash:generateContent\n"
        "   tools: get_weather(city, unit?)\n"
        "user: What is the weather in Lisbon?\n"
        'model: [get_weather(city="Lisbon", unit="celsius")]\n'
        "   200 · 8 ms, 1 chunk, 872 bytes · 8 in, 65 out, 73 tokens · STOP\n"
        "\n"
        "2  POST /v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse · follows 1\n"
        'tool: [get_weather gave {"sky": "sunny", "celsius": 21}]\n'
        "model: It is sunny in Lisbon, at 21 °C. Take a light jacket for the evening.\n"
        "   200 · first byte 11 ms, all 15 ms, 2 chunks, 744 bytes · 100 in, 18 out, 118 tokens · STOP\n"
    )
    assert done.exit_code == 0


def test_a_retry() -> None:
    """An error is the server's words; the same request is not shown again."""
    done = cassette("show", FIXTURES / "retry_429.json")
    assert done.stdout.partition("\n\n")[2] == (
        "1  POST /v1/models/gemini-2.0-flash:generateContent\n"
        "user: Say hello when you have time\n"
        "   429 · 12 ms, 1 chunk, 241 bytes\n"
        "   failed: the server answered 429 RESOURCE_EXHAUSTED: One at a time, please. (it asks to wait 7 seconds)\n"
        "\n"
        "2  POST /v1/models/gemini-2.0-flash:generateContent · 1 again\n"
        "model: Hello! Thank you for your patience.\n"
        "   200 · 4 ms, 1 chunk, 546 bytes · 7 in, 9 out, 16 tokens · STOP\n"
    )


def test_a_stream_that_was_cut() -> None:
    """What had come is shown, and how it ended."""
    done = cassette("show", FIXTURES / "cut_stream.json")
    assert done.stdout.partition("\n\n")[2] == (
        "1  POST /v1/models/gemini-2.0-flash:streamGenerateContent?alt=sse\n"
        "user: Count to ten slowly\n"
        "model: One, two, three,\n"
        "   200 · first byte 7 ms, all 19 ms, 4 chunks, 1 kB · 5 in, 5 out, 10 tokens · ended: truncated\n"
        "   failed: connection lost: IncompleteRead(0 bytes read) (IncompleteRead)\n"
    )


def test_a_blocked_prompt() -> None:
    """The words are those of the ledger."""
    done = cassette("show", FIXTURES / "blocked_prompt.json")
    assert done.stdout.endswith(
        "user: Say the forbidden word\n"
        "   200 · 3 ms, 1 chunk, 229 bytes · 6 in, 6 tokens\n"
        "   blocked: the prompt was blocked: PROHIBITED_CONTENT\n"
    )


def test_thoughts_and_texts_flow_over_parts() -> None:
    """A streamed answer is read as one, thoughts apart."""
    done = cassette("show", FIXTURES / "robot_story.json")
    assert "model, thinking: **Finding a robot worth a story**\n\nA lighthouse" in done.stdout
    assert "and end gently.\nmodel: At the end of the stone pier" in done.stdout
    assert "The ships never saw Pim — only the light.\n" in done.stdout


def test_settings_are_shown_when_they_change(path: Path) -> None:
    """System instruction, config and tools have a line each; one that is dropped in the midst of a chat is told."""
    tools = [
        {"functionDeclarations": [{"name": "f", "description": "Does f.", "parametersJsonSchema": {}}]},
        {"googleSearch": {}},
    ]
    first = {
        "systemInstruction": {"parts": [{"text": "Be\nbrief."}], "role": "user"},
        "generationConfig": {"temperature": 1.5, "responseMimeType": "text/plain"},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "tools": tools,
    }
    one, two = said("user", "a"), said("user", "c")
    chat = [
        exchange([one], "b", settings=first),
        exchange([one, said("model", "b"), two], "d", settings=first),
        exchange([one, said("model", "b"), two, said("model", "d"), said("user", "e")], "f", settings={"tools": tools}),
    ]
    length = len(json.dumps(text_response("b")))
    end = f"   200 · 20 ms, 1 chunk, {length} bytes · STOP\n"
    settings = (
        "   system: Be brief.\n"
        '   config: temperature=1.5, responseMimeType="text/plain",'
        ' safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]\n'
        "   tools: f(), googleSearch\n"
    )
    assert shown(path, *chat) == (
        f"1  POST {PATH}\n{settings}user: a\nmodel: b\n{end}\n"
        f"2  POST {PATH} · follows 1\nuser: c\nmodel: d\n{end}\n"
        f"3  POST {PATH} · follows 2\n   system: none any more\n   config: none any more\nuser: e\nmodel: f\n{end}"
    )
    full = shown(path, *chat, full=True)
    assert "   tools: f(): Does f., googleSearch\nuser: a\nmodel: b\nuser: c\nmodel: d\nuser: e\nmodel: f\n" in full


def test_what_is_no_text(path: Path) -> None:
    """Blobs are a type and a size, files a type and a URI, and of what nobody knows the JSON is shown."""
    blob = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"\x89PNG" * 500).decode()}}
    parts = [
        "Look: ",
        blob,
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://host/files/1"}},
        {"hologram": {"depth": 3}},
        {"text": "", "thoughtSignature": base64.b64encode(b"0123456789").decode()},
    ]
    text = shown(path, exchange([said("user", *parts)], "Nice."))
    assert text.splitlines()[1:-1] == [
        "user: Look: ",
        "user: [image/png, 2 kB]",
        "user: [application/pdf, https://host/files/1]",
        'user: [{"hologram": {"depth": 3}}]',
        "model: Nice.",
    ]
    assert "user: [thought signature, 10 bytes]\n" in shown(path, exchange([said("user", *parts)], "Nice."), full=True)
    assert "user: [nothing]\n" in shown(path, exchange([said("user")], "What?"))


def test_long_things_are_cut(path: Path) -> None:
    """Texts, arguments and lists; --full cuts nothing."""
    call = {"functionCall": {"name": "f", "args": {"x": "y" * 1000}}}
    chat = exchange([said("user", "long " * 1000), said("model", call)], "line\n" * 100)
    text = shown(path, chat)
    assert "… (3000 more characters)\n" in text
    assert f"y… ({len('f(x=') + 1002 + 1 - 160} more characters)]\n" in text
    assert text.count("line\n") == 39
    assert "line… (300 more characters)\n" in text
    full = shown(path, chat, full=True)
    assert "more characters" not in full
    assert full.count("line\n") == 100
    assert "y" * 1000 in full


def test_answers_that_a_client_keeps_in_pieces(path: Path) -> None:
    """google-genai sends a content for each chunk, and spells it its way: that is one answer, and has been said."""
    question = said("user", "a")
    blob = {"inlineData": {"mimeType": "image/png", "data": "+/8="}}
    pieces = [
        said("model", "b"),
        said("model", "c"),
        said("model", blob),
        said("model", {"text": "", "thoughtSignature": "+/+/"}),
    ]
    answers: list[Json] = [{"candidates": [{"content": each}]} for each in pieces]
    pieces[2:] = [
        said("model", {"inlineData": {"data": "-_8=", "mime_type": "image/png"}}),
        said("model", {"thoughtSignature": "-_-_", "text": ""}),
    ]
    answers[-1]["candidates"][0] |= {"finishReason": "STOP"}
    text = shown(path, exchange([question], *answers), exchange([question, *pieces, said("user", "d")], "e"))
    assert "model: bc\n" in text
    assert f"2  POST {PATH} · follows 1\nuser: d\nmodel: e\n" in text
    assert cassette("check", path).exit_code == 0


def test_what_clients_add(path: Path) -> None:
    """Ids of calls, and that a part is no thought: the chat is the same."""
    question = said("user", "a")
    call: Json = {"functionCall": {"name": "f", "args": {}}}
    answer = {"candidates": [{"content": said("model", "b", call), "finishReason": "STOP"}]}
    echoed = said("model", {"text": "b", "thought": False}, {"functionCall": {**call["functionCall"], "id": "mine"}})
    reply = said("user", {"functionResponse": {"name": "f", "id": "mine", "response": {}}})
    text = shown(path, exchange([question], answer), exchange([question, echoed, reply], "e"))
    assert f"2  POST {PATH} · follows 1\ntool: [f gave {{}}]\nmodel: e\n" in text
    assert problems(path) == []


def test_what_is_no_answer_of_a_model(path: Path) -> None:
    """Uploads, tokens, lists and downloads are shown by what was sent and what came back."""
    text = shown(
        path,
        other(
            "POST",
            "/upload/v1beta/files",
            {"file": {"name": "files/1"}},
            query=(("upload_id", None),),
            body=Body("b64", b"\xff" * 5000),
        ),
        other(
            "POST",
            "/v1beta/models/m:countTokens",
            {"totalTokens": 7},
            body=Body("json", {"contents": [said("user", "hi")]}),
        ),
        other("GET", "/v1beta/files/1:download", b"\0" * 4000),
        other("DELETE", "/v1beta/files/1", {}),
    )
    assert text == (
        "1  POST /upload/v1beta/files?upload_id=...\n"
        "   sends 5 kB\n"
        '   200 · 1.5 s, 1 chunk, 29 bytes · {"file": {"name": "files/1"}}\n'
        "\n"
        "2  POST /v1beta/models/m:countTokens\n"
        "user: hi\n"
        "   200 · 1.5 s, 1 chunk, 18 bytes · 7 tokens\n"
        "\n"
        "3  GET /v1beta/files/1:download\n"
        "   200 · 1.5 s, 1 chunk, 4 kB\n"
        "\n"
        "4  DELETE /v1beta/files/1\n"
        "   200 · 1.5 s, 1 chunk, 2 bytes\n"
    )


def test_a_request_without_an_answer(path: Path) -> None:
    """The kind of the failure, and the library's words."""
    failed = exchange([said("user", "hi")], "never")
    failed = Exchange(
        request=failed.request, failure=Failure(kind="timed_out", message="no answer in 5 s", cause="ReadTimeout")
    )
    assert shown(path, failed).endswith("user: hi\n   failed: timed out: no answer in 5 s (ReadTimeout)\n")


def test_one_exchange() -> None:
    """It shows what it adds, as among the others."""
    done = cassette("show", FIXTURES / "capital_of_france.json", "--exchange", 2)
    assert done.stdout.startswith("2  POST /v1/models/gemini-2.0-flash:generateContent · follows 1\nuser: What is its")
    assert "What is the capital" not in done.stdout
    assert (
        "What is the capital" in cassette("show", FIXTURES / "capital_of_france.json", "--exchange", 2, "--full").stdout
    )
    done = cassette("show", FIXTURES / "capital_of_france.json", "--exchange", 4)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: {FIXTURES / 'capital_of_france.json'} has 3 exchanges, and no number 4\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "there is no cassette at"),
        ("{", "is not a cassette: not JSON"),
        ('{"chatproto_cassette": 2, "exchanges": []}', "update chatproto"),
        ('{"chatproto_cassette": 1, "exchanges": {}}', "$.exchanges: expected a list"),
    ],
)
@pytest.mark.parametrize("name", ["show", "diff", "redact"])
def test_what_is_no_cassette(path: Path, name: str, text: str | None, problem: str) -> None:
    """A sentence on standard error, and the status for trouble."""
    if text is not None:
        path.write_text(text)
    more: Any = {"show": [], "diff": [FIXTURES / "colors.json"], "redact": ["--pattern", "x", "--dry-run"]}[name]
    done = cassette(name, path, *more)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert problem in done.stderr


def at_terminal(*arguments: object) -> bytes:
    """What ``chatproto cassette ARGUMENTS`` writes to a terminal."""
    main, behind = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chatproto", "cassette", *map(str, arguments)],
        stdin=behind,
        stdout=behind,
        stderr=behind,
        env=environment(None, COLUMNS="300"),
    )
    os.close(behind)
    written = b""
    with os.fdopen(main, "rb", buffering=0) as terminal:
        while True:
            try:
                data = terminal.read(4096)
            except OSError:  # how a terminal says that nobody is at its other end
                break
            if not data:
                break
            written += data
    assert process.wait(timeout=20) in (0, 1)
    return written


def test_a_terminal_obeys_nothing_that_was_recorded(path: Path) -> None:
    """Control characters are shown, wherever they stand; thoughts are dimmed."""
    evil = "\x1b]0;title\x07\x1b[31mred\x9b1m[bold]markup[/bold]"
    parts = [
        evil,
        {"functionCall": {"name": evil, "args": {evil: evil}}},
        {"fileData": {"mimeType": evil, "fileUri": evil}},
    ]
    settings = {"systemInstruction": {"parts": [{"text": evil}]}, "tools": [{"functionDeclarations": [{"name": evil}]}]}
    failed = Exchange(
        request=RecordedRequest(method="GET", path=f"/{evil}", query=((evil, evil),)),
        failure=Failure(kind="failed", message=evil, cause=evil),
    )
    thought = {"candidates": [{"content": said(evil, {"text": evil, "thought": True}, evil), "finishReason": evil}]}
    made = [exchange([said("user", *parts), said(evil, evil)], thought, settings=settings), failed]
    Cassette(exchanges=tuple(made), by=evil, transport=evil).save(path)
    second = path.with_name("other.json")
    Cassette(exchanges=(exchange([said("user", "x")], evil), made[1]), by=evil).save(second)
    for arguments in (["show", path], ["show", path, "--full"], ["diff", path, second], ["check", path, second]):
        text = at_terminal(*arguments)
        assert b"\x07" not in text
        assert b"\x1b]" not in text
        assert b"\x1b[31mred" not in text
        assert "\x9b".encode() not in text
    text = at_terminal("show", path)
    assert b"\\x1b[31mred\\x9b1m[bold]markup[/bold]" in text
    assert re.search(rb"thinking: \x1b\[0m\x1b\[2m\\x1b\]0;title", text)


contents = (
    json_values() | st.lists(json_values(), max_size=3) | st.lists(st.builds(said, st.text(max_size=5), json_values()))
)


@settings(max_examples=25)
@given(
    document=json_values()
    | st.fixed_dictionaries(
        {"contents": contents},
        optional={"tools": json_values(), "systemInstruction": json_values(), "generationConfig": json_values()},
    ),
    body=st.binary(max_size=30) | json_values().map(lambda value: json.dumps({"candidates": [value]}).encode()),
    method=st.sampled_from(["generateContent", "streamGenerateContent", "countTokens", "other"]),
)
def test_any_cassette_is_shown_checked_and_compared(
    tmp_path_factory: pytest.TempPathFactory, document: Any, body: bytes, method: str
) -> None:
    """Whatever stands in it, there is no traceback."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    made = Exchange(
        request=RecordedRequest(method="POST", path=f"/v1/models/m:{method}", body=Body("json", document)),
        response=RecordedResponse(status=200, chunks=(Chunk(1, body),) if body else ()),
    )
    written(path, made, made, exchange([said("user", "hi")], "hello"))
    for arguments, statuses in (
        (["show", path], (0,)),
        (["show", path, "--full"], (0,)),
        (["check", path], (0, 1)),
        (["diff", path, FIXTURES / "colors.json"], (1,)),
        (["diff", path, path], (0,)),
    ):
        done = cassette(*arguments)
        assert done.exit_code in statuses, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


# --- check ----------------------------------------------------------------------------------------------------------


def test_the_fixtures_are_sound() -> None:
    """L3: each request and answer comes back from values as it was. One line a file, sorted."""
    done = cassette("check", FIXTURES)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines == sorted(lines)
    assert len(lines) == len(list(FIXTURES.glob("*.json")))
    assert lines[-1] == f"{FIXTURES / 'weather_tool.json'}: sound, 2 exchanges"


def problems(path: Path) -> list[list[str]]:
    """What ``check`` finds in a file: paths and problems."""
    done = cassette("check", path, "--format", "json")
    (found,) = json.loads(done.stdout)
    assert found["path"] == str(path)
    assert done.exit_code == bool(found["problems"])
    return [[each["path"], each["problem"]] for each in found["problems"]]


@pytest.mark.parametrize(
    ("made", "place", "problem"),
    [
        (exchange([said("user", {"text": 1})], "b"), ".request.json.contents[0].parts[0].text", "str"),
        (exchange(["hi"], "b"), ".request.json.contents[0]", "expected"),
        (exchange([], "b", settings={"generationConfig": {"topK": "x"}}), ".request.json.generationConfig.topK", ""),
        (
            exchange([], {"candidates": [{"content": {"parts": [{"text": 1}]}}]}),
            ".response.chunks",
            "$.candidates[0].content.parts[0].text",
        ),
        (exchange([], text_response("a"), {"candidates": 3}), ".response.chunks", "event 2: $.candidates: "),
        (exchange([]), ".response.chunks", "the stream ends without an event"),
        (other("POST", PATH, b"{", body=Body("json", {"contents": []})), ".response.chunks", "not JSON"),
        (other("POST", PATH, {}), ".request", "has a JSON object as its body"),
        (
            other("POST", STREAM, b'data: {"candidates": []}\n\ndata: {"cand', body=Body("json", {"contents": []})),
            ".response.chunks",
            "the body ends inside an event, of which 6 bytes are there",
        ),
        (
            Exchange(
                request=RecordedRequest(method="GET", path="/v1/files"),
                response=RecordedResponse(status=200, end="reset"),
                failure=Failure(kind="timed_out", message=""),
            ),
            ".failure.kind",
            "'timed_out' does not go with a response that ended 'reset'",
        ),
        (
            Exchange(
                request=RecordedRequest(method="GET", path="/v1/files"),
                response=RecordedResponse(status=200, end="reset"),
                failure=Failure(kind="connect_failed", message=""),
            ),
            ".failure.kind",
            "there is a response",
        ),
    ],
)
def test_what_is_not_sound(path: Path, made: Exchange, place: str, problem: str) -> None:
    """Each problem has its place."""
    (found,) = problems(written(path, made))
    assert found[0] == f"$.exchanges[0]{place}"
    assert problem in found[1]
    done = cassette("check", path)
    assert done.exit_code == 1
    assert done.stdout == f"{path}: 1 problem, 1 exchange\n  {found[0]}: {found[1]}\n"


def test_a_file_that_cannot_be_read_has_a_problem(path: Path) -> None:
    """The others are checked all the same."""
    path.write_text('{"chatproto_cassette": 1, "exchanges": [{"request": 1}]}')
    done = cassette("check", path, FIXTURES / "colors.json")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == f"{path}: 1 problem"
    assert done.stdout.splitlines()[1].startswith("  $.exchanges[0]")
    assert done.stdout.splitlines()[2] == f"{FIXTURES / 'colors.json'}: sound, 1 exchange"
    path.write_text('{"chatproto_cassette": 1, "exchanges"')
    assert problems(path)[0][0] == "$"


def test_a_chat_sends_what_the_model_said(path: Path) -> None:
    """L4: where it does not, the first exchange that says otherwise is named, and the place. An error is no answer."""
    question, more = said("user", "a"), said("user", "c")
    answer = said("model", {"text": "b", "thoughtSignature": "AAAA"})
    first = exchange([question], {"candidates": [{"content": answer, "finishReason": "STOP"}]})
    told = said("model", "b")
    second = exchange([question, told, more], "d")
    third = exchange([question, told, more, said("model", "d"), said("user", "e")], "f")
    (found,) = problems(written(path, first, second, third))
    assert found[0] == "$.exchanges[1].request.json.contents[1].parts[0].thoughtSignature"
    assert found[1] == 'not what the model said in exchange 1: it said "AAAA", this is missing'

    rewound = exchange([question, answer, said("user", "otherwise")], "g")
    again = exchange([question], "another answer")
    goes_on = exchange([question, said("model", "another answer"), more], "d")
    assert problems(written(path, first, rewound, again, goes_on)) == []


def encodings() -> list[tuple[str, Callable[[bytes], bytes]]]:
    """Ways to hide a text."""
    return [
        ("plain", lambda data: data),
        ("base64", lambda data: base64.b64encode(b"= " + data)),
        ("percent signs", lambda data: b"".join(b"%%%02x" % byte for byte in data)),
        ("gzip in base64", lambda data: base64.b64encode(gzip.compress(data, mtime=0))),
    ]


@pytest.mark.parametrize("how", encodings(), ids=[name for name, _ in encodings()])
@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        f"{KEY}0-a",
        "AQ." + "Ab8RN6-_" * 6,
        "sk-" + "a0B1" * 12,
        "sk-proj-" + "a-b_C1" * 20,
        "sk-ant-api03-" + "a-b_C1" * 16,
        *(f"gh{kind}_{'a0B1' * 9}" for kind in "pousr"),
        "github_pat_" + "a0B1_" * 16,
        "ya29." + "a0B1" * 10,
        "authorization: Bearer 0a1b2c3d4e5f6a7b8c9d",
        "-----BEGIN PRIVATE KEY-----",
        "/v1/x?key=0123456789",
    ],
)
def test_what_looks_like_a_credential(path: Path, secret: str, how: tuple[str, Callable[[bytes], bytes]]) -> None:
    """L15: in a request, a response or a failure, also where it is encoded; and it is not quoted."""
    hidden = how[1](secret.encode()).decode()
    failed = Exchange(
        request=RecordedRequest(method="GET", path="/v1/files"), failure=Failure(kind="failed", message=f"at {hidden}")
    )
    (first, second, third) = problems(
        written(
            path,
            exchange([said("user", f"It is {hidden} !")], "b"),
            exchange([said("user", "a")], f"see {hidden} !"),
            failed,
        )
    )
    assert [first[0], second[0], third[0]] == [
        "$.exchanges[0].request.json.contents[0].parts[0].text",
        "$.exchanges[1].response.chunks",
        "$.exchanges[2].failure.message",
    ]
    assert first[1].startswith("looks like a")
    assert secret not in cassette("check", path).stdout


def test_what_only_looks_alike(path: Path) -> None:
    """Words about keys, and letters that occur in base64 by chance, are no credentials."""
    words = (
        "Send a bearer authentication header. The bearer responsibilities are long. AIza is how keys begin."
        f" Set ?key=... or use ya29.x. {'A' * 20}{KEY}{'B' * 20}= ----- BEGIN. Read the FAQ.md, or AQ.md; not"
        " AQ.of-a-name-that-goes-on-and-on-without-end. task-2024-10-10-of-the-first-quarter, sk-SK, and"
        " sk-learn-and-all-that-belongs-to-it, ghp_token, my_ghp_0123, github_pat_name."
    )
    assert problems(written(path, exchange([said("user", words)], words))) == []


def test_folders(tmp_path: Path) -> None:
    """Cassettes in it and below are found; other JSON, and what is hidden, is left alone."""
    (tmp_path / "below").mkdir()
    (tmp_path / ".hidden").mkdir()
    written(tmp_path / "below" / "b.json", exchange([said("user", "a")], "b"))
    written(tmp_path / ".hidden" / "c.json", exchange([said("user", "a")], "b"))
    (tmp_path / "other.json").write_text('{"chatproto_cassette": {"about": "it"}}')
    (tmp_path / "a.json").write_text('{"chatproto_cassette": 1')
    done = cassette("check", tmp_path)
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        f"{tmp_path / 'a.json'}: 1 problem",
        f"{tmp_path / 'below' / 'b.json'}: sound, 1 exchange",
    ]


@pytest.mark.parametrize("name", ["nothing", "."])
def test_nothing_to_check(tmp_path: Path, name: str) -> None:
    """A build whose cassettes are gone must not be green."""
    done = cassette("check", FIXTURES / "colors.json", tmp_path / name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.fullmatch(r"Error: .*(there is no file and no folder|has no cassette).*\n", done.stderr)
    assert cassette("check").exit_code == 2


# --- redact ---------------------------------------------------------------------------------------------------------


def test_redact(tmp_path: Path) -> None:
    """Patterns and keys, in requests and in answers; what is written plays with the same rules."""
    target = tmp_path / "new" / "weather.json"
    done = cassette(
        "redact",
        FIXTURES / "weather_tool.json",
        "--pattern",
        "Lisb[a-z]+",
        "--key",
        "sky",
        "--by",
        "somewhere",
        "-o",
        target,
    )
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{FIXTURES / 'weather_tool.json'}: 6 places in 2 exchanges\n"
    text = target.read_text()
    assert "Lisbon" not in text
    assert '"sky": "somewhere"' in text
    assert cassette("check", target).exit_code == 0
    assert Cassette.load(target).transport == "requests"
    rules = [Redaction("Lisb[a-z]+", by="somewhere"), Redaction.key("sky", by="somewhere")]
    declared = Cassette.load(FIXTURES / "weather_tool.json").exchanges[0].request.body
    assert declared is not None
    config = {"tools": declared.value["tools"], "automatic_function_calling": {"disable": True}}
    with pytest.raises(RequestMismatch), closing(Client(transport=Player(target))) as client:
        client.chats.create(model="gemini-2.5-flash", config=config).send_message("What is the weather in Lisbon?")
    with closing(Client(transport=Player(target, redact=rules))) as client:
        chat = client.chats.create(model="gemini-2.5-flash", config=config)
        answer = chat.send_message("What is the weather in Lisbon?")
    assert answer.function_calls is not None
    assert answer.function_calls[0].args == {"city": "somewhere", "unit": "celsius"}


def test_redact_in_place(path: Path) -> None:
    """The file is replaced, or only looked at."""
    original = written(path, exchange([said("user", "me@example.com")], "Hello me@example.com!")).read_bytes()
    done = cassette("redact", path, "--pattern", r"\w+@\w+\.com", "--dry-run")
    assert done.stdout == f"{path}: 2 places in 1 exchange, not written\n"
    assert path.read_bytes() == original
    done = cassette("redact", path, "--pattern", r"\w+@\w+\.com", "--in-place")
    assert done.stdout == f"{path}: 2 places in 1 exchange\n"
    assert path.read_bytes() == original.replace(b"me@example.com", b"REDACTED")
    assert list(path.parent.iterdir()) == [path]
    before = path.stat().st_mtime_ns
    assert cassette("redact", path, "--pattern", "nowhere", "--in-place").stdout == f"{path}: 0 places in 0 exchanges\n"
    assert path.stat().st_mtime_ns == before


def keys_of(value: Any) -> set[str]:
    """All keys in JSON."""
    if isinstance(value, dict):
        return {*value, *(key for each in value.values() for key in keys_of(each))}
    return {key for each in value for key in keys_of(each)} if isinstance(value, list) else set()


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.json")))
def test_redact_any_key(tmp_path: Path, name: str) -> None:
    """Whatever key is not refused: who said it, which function was called and how it ended is read as before."""

    def words(exchange: Exchange) -> Any:
        answer = read_answer(exchange)
        contents = [*contents_of(exchange.request), *([answer.content] if answer.content else [])]
        calls = [
            (kind, part[kind]["name"])
            for content in contents
            for part in content["parts"]
            for kind in ("functionCall", "functionResponse")
            if kind in part
        ]
        return answer.outcome, answer.finish_reason, [each["role"] for each in contents], calls

    exchanges = [each for each in Cassette.load(FIXTURES / name).exchanges if kind_of(each.request) != "other"]
    documents = [each.request.body.value for each in exchanges if each.request.body is not None]
    documents += [found for each in exchanges for found in read_documents(each).documents]
    refused: set[str] = set()
    target = tmp_path / name
    for key in keys_of(documents):
        if cassette("redact", FIXTURES / name, "--key", key, "-o", target).exit_code:
            refused.add(key)
            continue
        redacted = [each for each in Cassette.load(target).exchanges if kind_of(each.request) != "other"]
        assert [words(each) for each in redacted] == [words(each) for each in exchanges], key
    assert {"role", "parts", "contents"} <= refused
    assert not refused & {"text", "args", "response", "id", "city", "sky"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--in-place"], "give a --pattern or a --key"),
        (["--pattern", "x"], "give one of --in-place, --output FILE and --dry-run"),
        (["--pattern", "x", "--in-place", "--dry-run"], "give one of"),
        (["--pattern", "(", "--dry-run"], "'(' is no regular expression"),
        (["--pattern", "RED", "--dry-run"], "matches its own replacement"),
        (["--key", "role", "--in-place"], "--key role would also replace words of the API itself"),
        (["--key", "text", "--key", "finish_reason", "--dry-run"], "--key finish_reason would also"),
    ],
)
def test_redact_wrong_use(path: Path, arguments: list[str], problem: str) -> None:
    """Nothing is written."""
    original = written(path, exchange([said("user", "x")], "y")).read_bytes()
    done = cassette("redact", path, *arguments)
    assert done.exit_code == 2
    assert problem in " ".join(done.stderr.split())
    assert path.read_bytes() == original


# --- diff -----------------------------------------------------------------------------------------------------------


def pair(tmp_path: Path, a: list[Exchange], b: list[Exchange]) -> Result:
    """``diff`` of two cassettes."""
    return cassette("diff", written(tmp_path / "a.json", *a), written(tmp_path / "b.json", *b))


def test_equal_cassettes(tmp_path: Path) -> None:
    """Status 0, and nothing to say."""
    a = exchange([said("user", "a")], "b")
    done = pair(tmp_path, [a], [a])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_bytes_are_no_difference(tmp_path: Path) -> None:
    """Another cut, other times, the same events: that is said, and is equal."""
    one = exchange([said("user", "a")], "Hel", "lo")
    assert one.response is not None
    whole = RecordedResponse(status=200, headers=(("date", "today"),), chunks=(Chunk(3, one.response.content),))
    done = pair(tmp_path, [one], [Exchange(request=one.request, response=whole)])
    assert done.stdout == (
        "exchange 1: the answers are equal but for their chunks (2, 1), times (40 ms, 3 ms), headers (date)\n"
    )
    assert done.exit_code == 0
    headers = (("content-type", "text/event-stream"), ("date", "a"), ("x-goog-a", "1"), ("x-goog-a", "2"))
    others = [
        Exchange(request=one.request, response=attrs.evolve(one.response, headers=each))
        for each in (headers, headers[::-1], (headers[1], headers[0], *headers[2:]))
    ]
    assert pair(tmp_path, [others[0]], [others[1]]).stdout == (
        "exchange 1: the answers are equal but for their headers (x-goog-a)\n"
    )
    assert pair(tmp_path, [others[0]], [others[2]]).stdout == (
        "exchange 1: the answers are equal but for their order of headers\n"
    )
    # The same answer in other events is equal, too: it is folded.
    done = pair(tmp_path, [one], [exchange([said("user", "a")], "H", "ello")])
    assert done.stdout == "exchange 1: the answers are equal but for their spelling of the body, chunks (2, 2)\n"
    assert done.exit_code == 0


def test_where_two_chats_part(tmp_path: Path) -> None:
    """Requests by JSON path, answers by what was said; and the first place of all."""
    question = said("user", "a")
    a = [exchange([question], "b"), exchange([question, said("model", "b"), said("user", "c")], "d", "e")]
    b = [exchange([question], "b"), exchange([question, said("model", "b"), said("user", "X")], "d", "Y")]
    done = pair(tmp_path, a, b)
    assert done.exit_code == 1
    assert done.stdout == (
        f"A: {tmp_path / 'a.json'}\nB: {tmp_path / 'b.json'}\n"
        "exchange 2: the requests differ\n"
        '  $.contents[2].parts[0].text\n    A: "c"\n    B: "X"\n'
        "exchange 2: the answers differ\n"
        '  $.content.parts[0].text\n    A: "de"\n    B: "dY"\n'
        "The two first part in the request of exchange 2, contents[2].\n"
    )
    done = pair(tmp_path, a[:1], [exchange([question], "other")])
    assert done.stdout.endswith("The two first part in the answer of exchange 1.\n")
    done = pair(tmp_path, a, a[:1])
    assert done.exit_code == 1
    assert done.stdout.endswith("exchange 2: in A only\nThe two first part in exchange 2, which is in A only.\n")


def test_other_differences(tmp_path: Path) -> None:
    """Finish reasons, tokens, failures and statuses count; so does what is no answer of a model."""
    question = [said("user", "a")]
    done = pair(
        tmp_path,
        [exchange(question, text_response("b", "STOP", totalTokenCount=3)), other("GET", "/v1/models", {"models": []})],
        [
            exchange(question, text_response("b", "MAX_TOKENS", totalTokenCount=4)),
            other("GET", "/v1/models", {"models": [1]}),
        ],
    )
    assert re.findall(r"^  (\S+)$", done.stdout, re.MULTILINE) == [
        "$.finishReason",
        "$.usageMetadata.totalTokenCount",
        "$.documents[0].models[0]",
    ]
    one = exchange(question, "a", "b")
    assert one.response is not None
    cut = RecordedResponse(status=200, chunks=one.response.chunks[:1], end="reset")
    done = pair(tmp_path, [one], [Exchange(request=one.request, response=cut)])
    assert {"$.end", "$.content.parts[0].text", "$.outcome", "$.error"} <= set(
        re.findall(r"^  (\S+)$", done.stdout, re.MULTILINE)
    )


# --- serve ----------------------------------------------------------------------------------------------------------


def test_serve() -> None:
    """The first line is the URL; a client that is told it gets the recorded answer. Ctrl-C ends it, in peace."""
    process = subprocess.Popen(
        [sys.executable, "-m", "chatproto", "cassette", "serve", str(FIXTURES / "capital_of_france.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(None),
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        with Client(api_key="any", http_options={"base_url": url}) as client:
            chat = client.chats.create(model="gemini-2.0-flash", config={})
            assert chat.send_message("What is the capital of France?").text == "The capital of France is Paris.\n"
    finally:
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert "Traceback" not in stderr
    assert (process.returncode, stdout) == (0, "")


def test_serve_records(tmp_path: Path) -> None:
    """With an upstream it is a proxy that records."""
    path = tmp_path / "new.json"
    with FixtureServer() as upstream:
        arguments = ["--mode", "record", "--upstream", upstream.url, "--host", "localhost"]
        process = subprocess.Popen(
            [sys.executable, "-m", "chatproto", "cassette", "serve", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(None),
            encoding="utf-8",
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with Client(api_key="no-key-of-anyone", http_options={"base_url": url}) as client:
                chat = client.chats.create(model="gemini-2.0-flash")
                said = [chat.send_message(question).text for question in ("Hello", "How are you?")]
        finally:
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in stderr) == (0, False)
    done = cassette("show", path)
    assert [f"model: {text}" for text in said] == [
        line + "\n" for line in done.stdout.splitlines() if line.startswith("model: ")
    ]
    assert cassette("check", path).stdout == f"{path}: sound, 2 exchanges\n"


def test_serve_trouble(tmp_path: Path) -> None:
    """What cannot be served is a sentence."""
    done = run("cassette", "serve", str(tmp_path / "nothing.json"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    done = run("cassette", "serve", str(FIXTURES / "colors.json"), "--host", "256.0.0.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")


# --- as a process ---------------------------------------------------------------------------------------------------


def test_a_chat_of_the_command_line_is_shown(tmp_path: Path) -> None:
    """What ``chat --record`` wrote, a file's upload and all, can be shown and is sound."""
    document = tmp_path / "document.txt"
    document.write_text("One line.\n")
    recorded = str(tmp_path / "chat.json")
    with FixtureServer() as server:
        run("chat", "--record", recorded, "--file", str(document), "Summarize this document", server=server)
    done = run("cassette", "show", recorded, FORCE_COLOR="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert re.search(r"^user: \[text/plain, http.*\]$", done.stdout, re.MULTILINE)
    assert "user: Summarize this document\n" in done.stdout
    assert "  sends One line." not in done.stdout
    assert run("cassette", "check", recorded).returncode == 0


def test_a_closed_pipe_is_no_crash() -> None:
    """As behind ``| head``."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "chatproto", "cassette", "show", FIXTURES / "robot_story.json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(None),
        check=False,
        timeout=20,
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 1


def test_ctrl_c(tmp_path: Path) -> None:
    """A status of its own, and no traceback. What is shown here never comes: nobody writes into the pipe."""
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [sys.executable, "-m", "chatproto", "cassette", "show", tmp_path / "pipe"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(None),
    )
    with (tmp_path / "pipe").open("wb"):  # which waits until it reads
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr


# --- commands of plug-ins -------------------------------------------------------------------------------------------


def test_help() -> None:
    """Each command is listed in a line, and says its exit statuses."""
    assert (
        "  cassette  Show, check, compare, change and serve recorded chats.\n"
        in CliRunner().invoke(command(), ["--help"]).stdout
    )
    listed = re.findall(r"^  (\w+)  +\S", cassette("--help").stdout.partition("Commands:")[2], re.MULTILINE)
    assert listed == ["check", "diff", "import", "redact", "serve", "show"]
    told = " ".join(cassette("check", "--help").stdout.split())
    for shape in soundness._SHAPES:
        named = re.search(r"\(\W*(\w+)", shape)
        assert named is None or named[1] in told
    for name in listed:
        assert "Exit status:\n    0 " in cassette(name, "--help").stdout


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with a distribution in it, whose commands are a good one, some that cannot be loaded, and a rival."""
    folder = tmp_path / "plugins"
    info = folder / "greeting-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[chatproto.commands]\n"
        "greet = greeting:greet\nmissing = greeting_that_is_not_there:greet\nnone = greeting:none\n"
        "chat = greeting:greet\n"
    )
    (folder / "greeting.py").write_text(
        "import click\n@click.command()\ndef greet():\n    '''Say hello.'''\n    click.echo('Hello')\n"
        "def none():\n    return 3\n"
    )
    return folder


def test_a_plugin_brings_commands(plugins: Path) -> None:
    """One that cannot be loaded is told in a sentence, and hides no other; none takes the place of our own."""
    done = run("--help", PYTHONPATH=str(plugins))
    assert done.returncode == 0
    assert "  greet     Say hello.\n" in done.stdout
    assert "  chat      Talk to a Gemini model.\n" in done.stdout
    assert "  missing   Cannot be loaded: ModuleNotFoundError:" in done.stdout
    assert run("greet", PYTHONPATH=str(plugins)).stdout == "Hello\n"
    done = run("missing", "show", "--all", PYTHONPATH=str(plugins))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: the command 'missing' cannot be loaded:"
        " ModuleNotFoundError: No module named 'greeting_that_is_not_there'\n"
    )
    assert run("none", PYTHONPATH=str(plugins)).stderr == (
        "Error: the command 'none' cannot be loaded: greeting:none is no click command\n"
    )
    assert "No such command 'nothing'" in run("nothing", PYTHONPATH=str(plugins)).stderr
