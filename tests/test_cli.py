"""The command line, as a user runs it: as a process, in a pipe and at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixture_server import BAD_KEY, CAPITAL, OCEAN, ROBOT, ROBOT_THOUGHT, SUMMARY, FixtureServer
from terminal import Terminal, environment, run

from chatproto.testing import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIXTURES = Path(__file__).parent.parent / "fixtures"
STORY = "Tell me a story about a robot"
ROBOT_STORY = ["--replay", str(FIXTURES / "robot_story.json"), STORY]


@pytest.fixture(scope="module")
def server() -> Iterator[FixtureServer]:
    """The server that all these tests talk to."""
    with FixtureServer() as running:
        yield running


# --- in a pipe ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_the_answer_and_nothing_else(more: dict[str, str]) -> None:
    """No thoughts, no codes; tokens and finish reason stand beside it."""
    done = run("chat", *ROBOT_STORY, server=None, **more)
    assert done.stdout == "".join(ROBOT)
    assert done.stderr == "8 in, 34 thought, 224 out, 266 tokens · STOP\n"
    assert done.returncode == 0


def test_an_answer_in_a_pipe_ends_with_one_newline(server: FixtureServer) -> None:
    """The words of a message are joined, and the server's text here has no newline of its own."""
    done = run("chat", "a", "b", server=server)
    assert done.stdout == "You said: a b\n"
    assert "\x1b" not in done.stdout + done.stderr


def test_no_stream_asks_for_the_whole_answer(server: FixtureServer, tmp_path: Path) -> None:
    """The other method of the API is called."""
    done = run(
        "chat", "--no-stream", "--record", str(tmp_path / "one.json"), "Write a poem about the ocean", server=server
    )
    assert done.stdout == "".join(OCEAN)
    recorded = json.loads((tmp_path / "one.json").read_text())
    assert recorded["exchanges"][0]["request"]["path"].endswith("models/gemini-2.5-flash:generateContent")


def test_the_options_are_in_the_request(server: FixtureServer) -> None:
    """--system and --thoughts are settings, --base-url is where it goes."""
    done = run(
        "chat", "--system", "Be brief.", "--thoughts", "--base-url", server.url, "hi", GOOGLE_API_KEY="no-key-of-anyone"
    )
    assert done.returncode == 0
    body = server.requests[-1]
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert body["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}


def test_what_is_not_text_is_told_beside_the_answer(server: FixtureServer) -> None:
    """The text itself is passed on as it is: a file is no terminal."""
    done = run("chat", "Show me everything", server=server)
    assert done.stdout == "Here is [red]markup[/red]:smile:,\ta tab, an \x1b[31mescape\x1b[0m and \x9b1m.\n"
    assert done.stderr.splitlines()[:-1] == [
        "[python code, 2 lines]",
        "[OUTCOME_OK, 1 line]",
        "[image/png, 12 kB]",
        '[paint(colour="\\u001bred", coats=2)]',
    ]


def test_recorded_chats_replay(server: FixtureServer, tmp_path: Path) -> None:
    """A chat of several lines replays without a key and a server, with the same output."""
    cassette, lines = str(tmp_path / "chat.json"), "".join(f"{line}\n" for line in CAPITAL)
    live = run("chat", "--record", cassette, given=lines, server=server)
    replayed = run("chat", "--replay", cassette, given=lines)
    assert live.stdout == "".join(map("".join, CAPITAL.values()))
    assert (replayed.stdout, replayed.stderr, replayed.returncode) == (live.stdout, live.stderr, 0)


def test_piped_lines_are_a_chat(server: FixtureServer) -> None:
    """A line is a message or a command, and empty ones are neither."""
    done = run(
        "chat",
        given="Hello\n\n/history\nHow are you?\n /quit\n/history all\n/help me\n/quit\nnot sent\n",
        server=server,
    )
    assert "".join(done.stdout.splitlines(keepends=True)[:3]) == (
        "Hello! How can I help you today?\nuser: Hello\nmodel: Hello! How can I help you today?\n"
    )
    assert "You said: /quit\n" in done.stdout  # a blank before the slash makes a message of it
    assert "turn 2, completed: finish reason STOP\n" in done.stdout
    assert "there is no command '/help me'" in done.stderr
    assert done.returncode == 0
    assert len(server.requests[-1]["contents"]) == 5
    assert "not sent" not in json.dumps(server.requests)


def test_a_function_call_that_nobody_answers_ends_no_chat(server: FixtureServer) -> None:
    """The command line declares no functions, but a model may call one all the same."""
    done = run("chat", given="Show me everything\nHello\n", server=server)
    assert done.stdout.endswith("Hello! How can I help you today?\n")
    assert "Error" not in done.stderr
    assert done.returncode == 0


def test_an_error_ends_a_piped_chat(server: FixtureServer) -> None:
    """The lines that follow may build on the answer that did not come."""
    done = run("chat", given="Stop early\nHello\n", server=server)
    assert done.stdout == "This is not all\n"
    assert done.stderr.endswith("Error: the stream ended without a finish reason\n")
    assert done.returncode == 1


def test_a_closed_pipe_is_no_crash(server: FixtureServer) -> None:
    """As behind ``| head``."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "chatproto", "chat", *ROBOT_STORY]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, env=environment(None), check=False, timeout=60
    )
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 1


# --- files --------------------------------------------------------------------------------------------------------

SUMMARIZE = "Summarize this document"


@pytest.fixture
def document(tmp_path: Path) -> str:
    """The path of a file, which is no text."""
    path = tmp_path / "document.pdf"
    path.write_bytes(b"%PDF-1.7\n\xff\x00" * 2000)
    return str(path)


def parts_sent(server: FixtureServer, request: int = -1) -> list[list[Any]]:
    """The texts and the files' MIME types in the contents of a request."""
    return [
        [part["text"] if "text" in part else part["fileData"]["mimeType"] for part in content["parts"]]
        for content in server.requests[request]["contents"]
    ]


def test_a_file_is_uploaded_and_sent_before_the_message(server: FixtureServer, document: str) -> None:
    """In a pipe nothing tells of the upload."""
    done = run("chat", "--file", document, SUMMARIZE, server=server)
    assert (done.stdout, done.returncode) == ("".join(SUMMARY), 0)
    assert done.stderr.count("\n") == 1
    stored = list(server.files.files.values())[-1]
    assert bytes(stored.content) == Path(document).read_bytes()
    file_part = {"fileData": {"fileUri": stored.document()["uri"], "mimeType": "application/pdf"}}
    assert server.requests[-1]["contents"] == [{"parts": [file_part, {"text": SUMMARIZE}], "role": "user"}]


def test_several_files_keep_their_order(server: FixtureServer, document: str, tmp_path: Path) -> None:
    """An empty one is a file too."""
    (tmp_path / "notes.txt").write_bytes(b"")
    done = run("chat", "--file", str(tmp_path / "notes.txt"), "--file", document, "--no-stream", "hi", server=server)
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("You said: hi\n", 1, 0)
    assert parts_sent(server) == [["text/plain", "application/pdf", "hi"]]


def test_files_go_with_the_first_message_of_a_chat(server: FixtureServer, document: str) -> None:
    """Once: the chat remembers them."""
    done = run("chat", "--file", document, given="Hello\nHow are you?\n/history\n", server=server)
    first = ["application/pdf", "Hello"]
    assert parts_sent(server, -2) == [first]
    assert [parts_sent(server)[n] for n in (0, 2)] == [first, ["How are you?"]]
    assert "user: [application/pdf, https://" in done.stdout.replace("\n[", "[")


def test_files_go_again_after_an_answer_that_failed(server: FixtureServer, document: str) -> None:
    """That turn is not sent again, and so the files would be missing. They are not uploaded again."""
    with Terminal("--file", document, server=server) as terminal:
        terminal.expect("> ")
        uploaded = len(server.files.files)
        for said, shown in (("Count to ten slowly", "Error: "), ("Hello", "STOP"), ("How are you?", "STOP")):
            terminal.type(said)
            terminal.expect(shown)
            terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0
    assert len(server.files.files) == uploaded
    assert parts_sent(server, -3) == [["application/pdf", "Count to ten slowly"]]
    assert parts_sent(server, -2) == [["application/pdf", "Hello"]]
    assert [parts_sent(server)[n] for n in (0, 2)] == [["application/pdf", "Hello"], ["How are you?"]]


def test_an_upload_is_recorded_and_replays(server: FixtureServer, document: str, tmp_path: Path) -> None:
    """Without a key and a server. The file has to be there, and the same."""
    cassette = str(tmp_path / "chat.json")
    live = run("chat", "--record", cassette, "--file", document, SUMMARIZE, server=server)
    assert server.url.removeprefix("http://").rstrip("/") not in Path(cassette).read_text("utf-8")
    replayed = run("chat", "--replay", cassette, "--file", document, SUMMARIZE)
    assert live.stdout == "".join(SUMMARY)
    assert (replayed.stdout, replayed.stderr, replayed.returncode) == (live.stdout, live.stderr, 0)
    Path(document).write_bytes(b"%PDF-1.7\nanother")
    changed = run("chat", "--replay", cassette, "--file", document, SUMMARIZE)
    assert f"Error: {document} was not uploaded: " in changed.stderr
    assert (changed.stdout, changed.returncode) == ("", 1)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.pdf", "there is no file at {}"),
        (".", "{} is not a file that can be read"),
        ("unheard.of-ending", "the name of {} does not tell its MIME type: give it an ending, such as .txt or .pdf"),
    ],
)
def test_what_cannot_be_uploaded_is_wrong_use(
    server: FixtureServer, document: str, tmp_path: Path, name: str, sentence: str
) -> None:
    """One sentence, and nothing was sent, not even the files that can be."""
    (tmp_path / "unheard.of-ending").write_bytes(b"?")
    before = len(server.files.requests)
    path = str(tmp_path / name)
    done = run("chat", "--file", document, "--file", path, "hi", server=server)
    assert (done.stderr, done.returncode) == (f"Error: {sentence.format(path)}\n", 2)
    assert len(server.files.requests) == before


def test_vertex_ai_takes_no_files(document: str) -> None:
    """Which is known before anything is sent."""
    done = run("chat", "--file", document, "hi", GOOGLE_GENAI_USE_VERTEXAI="true", GOOGLE_API_KEY="no-key-of-anyone")
    assert (done.stderr, done.returncode) == ("Error: --file needs the Gemini API: Vertex AI has no uploads\n", 2)


@pytest.mark.parametrize("arguments", [["hi"], []])
def test_an_upload_that_fails_ends_the_program(server: FixtureServer, document: str, arguments: Sequence[str]) -> None:
    """Also a chat: its first line is not asked for."""
    server.files.start_faults = [Fault(status=403)]
    before = len(server.requests)
    done = run("chat", "--file", document, *arguments, given="hi\n", server=server)
    assert done.stderr == f"Error: {document} was not uploaded: the server answered 403: as told\n"
    assert (done.stdout, done.returncode) == ("", 1)
    assert len(server.requests) == before


def test_a_terminal_shows_how_far_an_upload_is(server: FixtureServer, tmp_path: Path) -> None:
    """The name of the file is shown as it is, but for what a terminal would obey."""
    path = tmp_path / "[red]\x1b[31m.pdf"
    path.write_bytes(bytes(12_345))
    with Terminal("--file", path.name, "hi", server=server, cwd=tmp_path) as terminal:
        assert terminal.leave() == 0
    bar, _, answer = terminal.shown.rpartition("12.3/12.3 kB")
    assert "[red]\\x1b[31m.pdf" in bar
    assert "You said: hi" in answer


def test_the_bar_is_kept_out_of_a_file(server: FixtureServer, document: str, tmp_path: Path) -> None:
    """Standard error need not be a terminal where standard output is one."""
    with (tmp_path / "errors").open("wb") as file, Terminal("--file", document, "hi", server=server, stderr=file) as it:
        assert it.leave() == 0
    assert (tmp_path / "errors").read_bytes() == b""
    assert it.shown.startswith("You said: hi\n")


# --- when it fails ------------------------------------------------------------------------------------------------


def test_without_a_key_both_ways_are_told() -> None:
    """One sentence."""
    done = run("chat", "hi")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "set GEMINI_API_KEY or GOOGLE_API_KEY" in done.stderr
    assert "--replay fixtures/robot_story.json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--replay", "no/where.json", "hi"], 2, "Error: there is no cassette at no/where.json; record it first\n"),
        (["--replay", __file__, "hi"], 2, "is not a cassette: not JSON"),
        (["--replay", str(FIXTURES), "hi"], 2, "is a directory"),
        (["--replay", "a.json", "--record", "b.json", "hi"], 2, "cannot be used together"),
        (["  "], 2, "MESSAGE is empty"),
        (["--model", "a?b", "hi"], 2, "Error: not the name of a model: 'a?b'\n"),
        (["--base-url", "ftp://nowhere", "hi"], 2, "base_url must begin with"),
        (["--nonsense", "hi"], 2, "No such option"),
        (["--model", "gemini-missing", "hi"], 1, "Error: the server answered 404 NOT_FOUND: models/gemini-missing is"),
        (["Say hello when you have time"], 1, "RESOURCE_EXHAUSTED: One at a time, please. (it asks to wait 7 seconds)"),
        (["Say the forbidden word"], 1, "Error: the prompt was blocked: PROHIBITED_CONTENT\n"),
        (["Count to ten slowly"], 1, "\nError: "),
        (["--base-url", "http://127.0.0.1:9", "hi"], 1, "Error: "),
    ],
)
def test_every_error_is_a_sentence(server: FixtureServer, arguments: list[str], status: int, sentence: str) -> None:
    """Status 2 where nothing was sent, 1 where the answer failed."""
    done = run("chat", *arguments, server=server)
    assert sentence in f"\n{done.stderr}"
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_refused_key_is_not_shown(server: FixtureServer) -> None:
    """The server's sentence, and no more."""
    done = run("chat", "hi", server=server, GOOGLE_API_KEY=BAD_KEY)
    assert done.stderr == "Error: the server answered 400 INVALID_ARGUMENT: API key not valid.\n"


def test_a_message_that_was_not_recorded_is_reported() -> None:
    """With the player's own report, and the option that records."""
    done = run("chat", "--replay", str(FIXTURES / "robot_story.json"), "Tell me a joke")
    assert '$.contents[0].parts[0].text: recorded "Tell me a story about a robot", now "Tell me a joke"' in done.stderr
    assert done.stderr.endswith("If the change is meant, record it again, with --record.\n")
    assert done.returncode == 1


def test_the_first_turn_of_a_recording_may_be_played_alone() -> None:
    """Here what is left over is no failure."""
    cassette = str(FIXTURES / "capital_of_france.json")
    question, answer = next(iter(CAPITAL.items()))
    done = run("chat", "--replay", cassette, "--model", "gemini-2.0-flash", "--no-stream", question)
    assert (done.stdout, done.returncode) == ("".join(answer), 0)


# --- at a terminal ------------------------------------------------------------------------------------------------


def test_a_terminal_gets_thoughts_and_tokens_dimmed() -> None:
    """And the answer as it is."""
    with Terminal(*ROBOT_STORY) as terminal:
        assert terminal.leave() == 0
    thought, _, answer = terminal.shown.partition("\x1b[0m")
    assert thought == f"\x1b[2m{ROBOT_THOUGHT}"
    assert answer == "".join(ROBOT) + "\x1b[2m8 in, 34 thought, 224 out, 266 tokens · STOP\n\x1b[0m"


def test_a_terminal_obeys_nothing_that_a_model_says(server: FixtureServer) -> None:
    """Neither as markup nor as control characters."""
    with Terminal("Show me everything", server=server) as terminal:
        assert terminal.leave() == 0
    assert terminal.shown.startswith("\x1b[2mThinking of [bold]everything[/bold].\n\x1b[0m")
    assert "Here is [red]markup[/red]:smile:,\ta tab, an \\x1b[31mescape\\x1b[0m and \\x9b1m.\n" in terminal.shown
    assert '\x1b[2m[paint(colour="\\u001bred", coats=2)]\n' in terminal.shown


def test_errors_at_a_terminal_are_red(server: FixtureServer) -> None:
    """They go to standard error."""
    with Terminal("--model", "gemini-missing", "hi", server=server) as terminal:
        assert terminal.leave() == 1
    assert (
        terminal.shown
        == "\x1b[31mError: the server answered 404 NOT_FOUND: models/gemini-missing is not found.\n\x1b[0m"
    )


def test_text_is_shown_when_it_arrives(server: FixtureServer) -> None:
    """Also if nothing more ever does; Ctrl-C then ends the program."""
    with Terminal("Keep me waiting", server=server) as terminal:
        terminal.expect("Just a")  # the server says no more
        terminal.interrupt()
        assert terminal.leave() == 130
    assert terminal.shown == "\n"


def test_a_chat_at_a_terminal(server: FixtureServer) -> None:
    """Line editing, the lines typed before, commands, and an error that does not end the chat."""
    pytest.importorskip("readline")
    with Terminal(server=server) as terminal:
        terminal.expect("> ")
        terminal.type("Hellp\x7fo")
        terminal.expect("How can I help you today?\n")
        terminal.expect("STOP")
        terminal.expect("> ")
        terminal.type("\x1b[A")  # the line before
        terminal.expect("How can I help you today?\n")
        terminal.expect("> ")
        assert [content["parts"][0]["text"] for content in server.requests[-1]["contents"]][::2] == ["Hello", "Hello"]
        terminal.type("/what")
        terminal.expect("there is no command '/what'; /help lists them")
        terminal.expect("> ")
        terminal.type("Count to ten slowly")
        terminal.expect("Error: ")
        terminal.expect("> ")
        terminal.type("/help")
        terminal.expect("/history all  every turn")
        terminal.expect("> ")
        terminal.type("\x04")
        assert terminal.leave() == 0


def test_ctrl_c_stops_an_answer_and_keeps_the_chat(server: FixtureServer) -> None:
    """The ledger has the turn, the next request does not."""
    with Terminal(server=server) as terminal:
        terminal.expect("> ")
        terminal.type("Keep me waiting")
        terminal.expect("Just a")
        terminal.interrupt()
        terminal.expect("stopped\n")
        terminal.expect("> ")
        terminal.type("Hello")
        terminal.expect("How can I help you today?\n")
        terminal.expect("> ")
        assert len(server.requests[-1]["contents"]) == 1  # the answer that was stopped is forgotten
        terminal.type("/history all")
        terminal.expect("turn 1, abandoned: the caller left before the answer was finished; not sent again")
        terminal.expect("turn 2, completed")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0


def test_ctrl_c_at_the_prompt_clears_the_line_and_twice_leaves(server: FixtureServer) -> None:
    """Twice in a row, that is."""
    with Terminal(server=server) as terminal:
        terminal.expect("> ")
        os.write(terminal._main, b"Never mind")
        terminal.expect("Never mind")
        terminal.interrupt()
        terminal.expect("Ctrl-C again leaves")
        terminal.expect("> ")
        terminal.type("/help")  # the first Ctrl-C is forgotten
        terminal.expect("> ")
        terminal.interrupt()
        terminal.expect("Ctrl-C again leaves")
        terminal.expect("> ")
        terminal.interrupt()
        assert terminal.leave() == 130
    assert "Never mind" not in json.dumps(server.requests)


def test_a_prompt_is_kept_out_of_a_file(server: FixtureServer, tmp_path: Path) -> None:
    """Only answers go to standard output when it is no terminal."""
    with (tmp_path / "answers").open("wb") as file, Terminal(server=server, stdout=file) as terminal:
        terminal.expect("> ")
        terminal.type("Hello")
        terminal.expect("STOP")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0
    assert (tmp_path / "answers").read_text() == "Hello! How can I help you today?\n"


# --- the program itself -------------------------------------------------------------------------------------------


def test_help_and_version() -> None:
    """What they say."""
    from chatproto import __version__

    assert run("--version").stdout == f"chatproto {__version__}\n"
    text = run("chat", "--help").stdout
    for word in (
        "MESSAGE",
        "--model",
        "--system",
        "--file",
        "--replay",
        "--record",
        "--no-stream",
        "Exit status",
        "130",
    ):
        assert word in text
    assert "chat " in run("--help").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["chat", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """It comes at once."""
    program = f"""
import sys
from chatproto.cli import main
sys.argv[1:] = {arguments!r}
try:
    main()
except SystemExit:
    heavy = {{"attrs", "cattrs", "chatproto.types", "chatproto.client", "requests", "rich"}} & set(sys.modules)
    sys.exit(f"loaded: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_is_a_sentence(missing: str) -> None:
    """It names the extra."""
    program = f"import sys; sys.modules[{missing!r}] = None; from chatproto.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert (
        done.stderr.decode()
        == f"chatproto's command line needs {missing}, not installed here: pip install 'chatproto[cli]'\n"
    )


# --- the fixtures -------------------------------------------------------------------------------------------------


def test_fixtures_are_what_the_script_records(tmp_path: Path) -> None:
    """All but timings and the HTTP library's words."""
    script = Path(__file__).with_name("make_fixtures.py")
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True, timeout=60)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in FIXTURES.glob("*.json"))
    for path in tmp_path.iterdir():
        assert _without_timings(path) == _without_timings(FIXTURES / path.name), f"{path.name} is out of date"


def _without_timings(path: Path) -> Any:
    cassette = json.loads(path.read_text("utf-8"))
    del cassette["recorded"]
    for exchange in cassette["exchanges"]:
        exchange["response"]["chunks"] = [data for _, data in exchange["response"]["chunks"]]
        exchange.get("failure", {}).pop("message", None)  # the HTTP library's words
    return cassette
