"""``/undo``, ``/save`` and ``--resume``, as a user gives them to the program."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixture_server import CAPITAL, FixtureServer
from terminal import Terminal, environment, run

import chatproto

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HELLO, ANSWER = "Hello", "Hello! How can I help you today?\n"
KEY = "no-key-of-anyone"


@pytest.fixture(scope="module")
def server() -> Iterator[FixtureServer]:
    """The server that all these tests talk to."""
    with FixtureServer() as running:
        yield running


@pytest.fixture
def saved(server: FixtureServer, tmp_path: Path) -> Path:
    """A chat of one turn, as the program saves it."""
    path = tmp_path / "chat.json"
    done = run(
        "chat", "--system", "Be brief.", "--model", "gemini-saved", given=f"Hello\n/save {path}\n", server=server
    )
    assert (done.stdout, done.returncode) == (ANSWER, 0)
    assert done.stderr.endswith(f"saved 1 turn to {path}\n")
    return path


def questions(server: FixtureServer, request: int = -1) -> list[str]:
    """What the user said, in the contents of a request."""
    contents = server.requests[request]["contents"]
    return ["".join(part.get("text", "") for part in each["parts"]) for each in contents if each["role"] == "user"]


def saved_by_program(server: FixtureServer, path: Path, *messages: str, **config: Any) -> Path:
    """A chat that a program with the library has saved."""
    with chatproto.Client(api_key=KEY, http_options={"base_url": server.url}) as client:
        chat = client.chats.create(model="gemini-2.5-flash", config=config)
        for message in messages:
            chat.send_message(message)
        path.write_text(chat.snapshot(), "utf-8")
    return path


# --- undo ---------------------------------------------------------------------------------------------------------


def test_undo_takes_the_last_turn_out_of_the_next_request(server: FixtureServer) -> None:
    """Several with a number. A short line tells what is gone, beside the answers."""
    done = run("chat", given="Hello\nb\n/undo\nc\nd\n/undo 2\nHow are you?\n", server=server)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "forgot" in line] == ["forgot: b", "forgot 2 turns, from: c"]
    assert questions(server, -2) == ["Hello", "c", "d"]
    assert questions(server) == ["Hello", "How are you?"]
    assert "forgot" not in done.stdout


def test_undo_shows_the_beginning_of_a_long_question(server: FixtureServer) -> None:
    """On one line."""
    done = run("chat", given=f"{'word ' * 40}\n/undo\n", server=server)
    (line,) = (line for line in done.stderr.splitlines() if "forgot" in line)
    assert line == f"forgot: {'word ' * 11}word…"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("/undo 2", "there are not 2 turns to undo"),
        ("/undo 0", "/undo is told how many turns to forget, counted from 1, and not '0'"),
        ("/undo -1", "counted from 1, and not '-1'"),
        ("/undo all of them", "counted from 1, and not 'all of them'"),
        (f"/undo {'9' * 5000}", "counted from 1"),
        ("/undo ²", "counted from 1"),
    ],
)
def test_undo_that_cannot_be_changes_nothing(server: FixtureServer, command: str, sentence: str) -> None:
    """It ends a piped chat, because what follows builds on it; one at a terminal goes on."""
    done = run("chat", given=f"Hello\n{command}\nnot sent\n", server=server)
    assert sentence in done.stderr
    assert (done.stdout, done.returncode) == (ANSWER, 1)
    assert "not sent" not in json.dumps(server.requests)


def test_undo_at_a_terminal_counts_no_turn_that_was_stopped_or_failed(server: FixtureServer) -> None:
    """They are in no history. Where there is nothing more, that is said."""
    with Terminal(server=server) as terminal:
        terminal.expect("> ")
        for said, shown in (
            ("/undo", "there is nothing to undo"),
            ("Hello", "STOP"),
            ("Count to ten slowly", "Error: "),
        ):
            terminal.type(said)
            terminal.expect(shown)
            terminal.expect("> ")
        terminal.type("Keep me waiting")
        terminal.expect("Just a")
        terminal.interrupt()
        terminal.expect("stopped\n")
        terminal.expect("> ")
        terminal.type("/undo")
        terminal.expect("forgot: Hello\n")
        terminal.expect("> ")
        terminal.type("/undo")
        terminal.expect("there is nothing to undo")
        terminal.expect("> ")
        terminal.type("How are you?")
        terminal.expect("STOP")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0
    assert questions(server) == ["How are you?"]


def test_files_whose_turn_is_undone_go_again(server: FixtureServer, tmp_path: Path) -> None:
    """Otherwise the next question would be about nothing."""
    document = tmp_path / "document.pdf"
    document.write_bytes(b"%PDF-1.7\n")
    run("chat", "--file", str(document), given="Hello\nb\n/undo\nc\n/undo 2\nd\n", server=server)
    with_file = [
        [["fileData" in part for part in each["parts"]] for each in request["contents"][::2]]
        for request in server.requests[-4:]
    ]
    assert with_file == [[[True, False]], [[True, False], [False]], [[True, False], [False]], [[True, False]]]


# --- save ---------------------------------------------------------------------------------------------------------


def test_what_is_saved_is_a_snapshot_without_the_key(server: FixtureServer, saved: Path) -> None:
    """The library can restore it. Nothing else is left in the folder."""
    text = saved.read_text("utf-8")
    assert KEY not in text
    assert [path.name for path in saved.parent.iterdir()] == ["chat.json"]
    with chatproto.Client(api_key="k") as client:
        chat = client.chats.restore(text)
    assert [content.parts[0].text for content in chat.get_history() if content.parts] == [HELLO, ANSWER]


def test_a_saved_chat_is_replaced_through_a_link_and_keeps_its_mode(server: FixtureServer, saved: Path) -> None:
    """A name may have blanks."""
    saved.chmod(0o600)
    link = saved.with_name("the chat.json")
    link.symlink_to(saved)
    done = run("chat", given=f"Hello\nHow are you?\n /undo\n/save  {link} \n", server=server)
    assert f"saved 3 turns to {link}\n" in done.stderr
    assert link.is_symlink()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert len(json.loads(saved.read_text("utf-8"))["turns"]) == 3


def test_a_name_may_begin_at_home(server: FixtureServer, tmp_path: Path) -> None:
    """There is no shell that would see to it."""
    done = run("chat", given="Hello\n/save ~/chat.json\n", server=server, HOME=str(tmp_path))
    assert done.stderr.endswith(f"saved 1 turn to {tmp_path / 'chat.json'}\n")
    assert (tmp_path / "chat.json").exists()


@pytest.mark.parametrize(
    "content",
    [b"My only copy.", b"", b'{"format": "another"}', b'{"format": "chatproto chat"', b"{" * 100_000, b"\x00\xff" * 9],
)
def test_save_leaves_files_alone_that_hold_no_chat(server: FixtureServer, tmp_path: Path, content: bytes) -> None:
    """A name that was mistyped must cost nothing. The chat itself goes on at a terminal."""
    path = tmp_path / "thesis.txt"
    path.write_bytes(content)
    with Terminal(server=server) as terminal:
        for said, shown in (("Hello", "STOP"), (f"/save {path}", "choose another name"), ("b", "STOP")):
            terminal.expect("> ")
            terminal.type(said)
            terminal.expect(shown)
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
    assert questions(server) == ["Hello", "b"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Error: /save needs the name of a file\n"),
        ("{}", "Error: {} is no chat that was saved, so it is left as it is: choose another name\n"),
        ("{}/no/chat.json", "Error: the chat was not saved to {}/no/chat.json: No such file or directory\n"),
        ("{}/fifo", "Error: {}/fifo is no chat that was saved, so it is left as it is: choose another name\n"),
        ("{}/" + "n" * 300, "File name too long\n"),
        ("{}/a\x00b", "Error: the chat was not saved to "),
        ("~no-user-of-that-name/chat.json", "Error: the chat was not saved to "),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(server: FixtureServer, tmp_path: Path, name: str, sentence: str) -> None:
    """And status 1 in a pipe, where nobody may be reading it."""
    os.mkfifo(tmp_path / "fifo")
    done = run("chat", given=f"Hello\n/save {name.format(tmp_path)}\n", server=server)
    assert sentence.format(tmp_path) in f"\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert (done.stdout, done.returncode) == (ANSWER, 1)


CUT_SHORT = {
    "the disk is full": "limit(signal.SIG_IGN)",
    "killed": "limit(signal.SIG_DFL)",
    "Ctrl-C": "sys.addaudithook(interrupt)",
}


@pytest.mark.parametrize(
    ("what", "status", "left"),
    [
        ("the disk is full", 1, ["chat.json"]),
        ("Ctrl-C", 130, ["chat.json"]),
        ("killed", -signal.SIGXFSZ, ["", "chat.json"]),
    ],
)
def test_a_save_that_is_cut_short_leaves_the_old_file(
    server: FixtureServer, saved: Path, what: str, status: int, left: Sequence[str]
) -> None:
    """In the middle of writing, by a limit on the size of files; or just before the old file is replaced."""
    before = saved.read_bytes()
    program = f"""
import resource, signal, sys
from chatproto.cli import main
def limit(when_reached):
    signal.signal(signal.SIGXFSZ, when_reached)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)}, {len(before)}))
def interrupt(event, _):
    if event == "os.rename":
        raise KeyboardInterrupt
{CUT_SHORT[what]}
sys.argv[1:] = ["chat"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        input=f"Hello\nHow are you?\nb\n/save {saved}\n",
        capture_output=True,
        encoding="utf-8",
        env=environment(server),
        timeout=60,
        check=False,
    )
    assert "You said: b\n" in done.stdout
    assert done.returncode == status, done.stderr
    assert saved.read_bytes() == before
    # Of a program that was killed a hidden file is left, and no other.
    assert sorted("" if path.name.startswith(".") else path.name for path in saved.parent.iterdir()) == left


def test_ctrl_c_in_a_command_keeps_the_chat(server: FixtureServer, tmp_path: Path) -> None:
    """What was said would be lost otherwise."""
    path = saved_by_program(server, tmp_path / "chat.json", "word " * 60_000)
    with Terminal("--resume", str(path), server=server) as terminal:
        terminal.expect("> ")
        terminal.type("/history")
        terminal.expect("word word ")  # and nobody reads on: the program waits
        terminal.interrupt()
        terminal.expect("stopped\n")
        terminal.expect("> ")
        terminal.type("b")
        terminal.expect("You said: b")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0
    assert len(questions(server)) == 2


# --- resume -------------------------------------------------------------------------------------------------------


def test_a_saved_chat_goes_on_in_another_process(server: FixtureServer, saved: Path) -> None:
    """With its own model and options: one question, and then a chat. The file stays until it is saved again."""
    before = saved.read_bytes()
    done = run("chat", "--resume", str(saved), "How", "are", "you?", server=server)
    assert (done.stdout, done.returncode) == ("I am a program, so I am as well as I was this morning. And you?\n", 0)
    assert "resumed" not in done.stderr
    assert questions(server) == ["Hello", "How are you?"]
    assert server.requests[-1]["contents"][1] == {"parts": [{"text": ANSWER}], "role": "model"}
    assert server.requests[-1]["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert saved.read_bytes() == before
    done = run("chat", "--resume", str(saved), given=f"b\n/history all\n/undo 2\nc\n/save {saved}\n", server=server)
    assert questions(server, -2) == ["Hello", "b"]
    assert questions(server) == ["c"]
    assert "turn 1, completed: finish reason STOP" in done.stdout
    assert done.stderr.endswith(f"saved 1 turn to {saved}\n")
    assert "resumed" not in done.stderr
    assert json.loads(saved.read_text("utf-8"))["model"] == "gemini-saved"


def test_a_terminal_is_told_what_was_resumed(server: FixtureServer, saved: Path) -> None:
    """How many turns, and of which file."""
    with Terminal("--resume", str(saved), server=server) as terminal:
        terminal.expect(f"resumed 1 turn from {saved}\n")
        terminal.expect("> ")
        terminal.type("/history")
        terminal.expect("How can I help you today?")
        terminal.expect("> ")
        terminal.type("b")
        terminal.expect("You said: b")
        terminal.expect("> ")
        terminal.type(f"/save {saved}")
        terminal.expect(f"saved 2 turns to {saved}\n")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0


def test_a_resumed_chat_is_recorded_and_replays(server: FixtureServer, tmp_path: Path) -> None:
    """The recording has all that was sent; the saved chat brings the past."""
    first, *more = CAPITAL
    saved, cassette = tmp_path / "chat.json", str(tmp_path / "cassette.json")
    run("chat", given=f"{first}\n/save {saved}\n", server=server)
    lines = "".join(f"{line}\n" for line in more)
    live = run("chat", "--resume", str(saved), "--record", cassette, given=lines, server=server)
    replayed = run("chat", "--resume", str(saved), "--replay", cassette, given=lines)
    assert live.stdout == "".join("".join(CAPITAL[line]) for line in more)
    assert (replayed.stdout, replayed.stderr, replayed.returncode) == (live.stdout, live.stderr, 0)
    new = run("chat", "--replay", cassette, given=lines)
    assert new.returncode == 1


def test_a_file_goes_with_the_first_new_message(server: FixtureServer, saved: Path) -> None:
    """And with no other."""
    document = saved.with_name("document.pdf")
    document.write_bytes(b"%PDF-1.7\n")
    run("chat", "--resume", str(saved), "--file", str(document), given="b\nc\n", server=server)
    assert [len(each["parts"]) for each in server.requests[-1]["contents"][::2]] == [1, 2, 1]
    run("chat", "--resume", str(saved), "--file", str(document), given="b\n/undo 2\nc\nd\n", server=server)
    assert [len(each["parts"]) for each in server.requests[-1]["contents"][::2]] == [2, 1]


def test_resume_reads_what_is_no_file_too(server: FixtureServer, saved: Path) -> None:
    """As a shell's ``<(...)``; also with what an editor puts before the text."""
    data = b"\xef\xbb\xbf" + saved.read_bytes()
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    done = subprocess.run(
        [sys.executable, "-m", "chatproto", "chat", "--resume", f"/dev/fd/{reading}", "b"],
        capture_output=True,
        env=environment(server),
        pass_fds=[reading],
        timeout=60,
        check=False,
    )
    os.close(reading)
    assert (done.stdout, done.returncode) == (b"You said: b\n", 0)
    assert questions(server) == ["Hello", "b"]


DECLARED = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
}


def test_open_calls_are_told_and_a_message_leaves_them(server: FixtureServer, tmp_path: Path) -> None:
    """They can be answered by the program that has the functions, and not here."""
    tools = [{"function_declarations": [DECLARED]}]
    path = saved_by_program(server, tmp_path / "chat.json", "Hello", "What is the weather?", tools=tools)
    done = run("chat", "--resume", str(path), "b", server=server)
    assert (done.stdout, done.returncode) == ("You said: b\n", 0)
    assert done.stderr.startswith(
        "a function call waits for an answer, which cannot be given here (get_weather):"
        " a message leaves the turn, and it is not sent again\n"
    )
    assert questions(server) == ["Hello", "b"]
    done = run("chat", "--resume", str(path), given="/undo\nb\n", server=server)
    assert "forgot: What is the weather?\n" in done.stderr
    assert questions(server) == ["Hello", "b"]
    with Terminal("--resume", str(path), server=server) as terminal:
        terminal.expect("a function call waits")
        terminal.expect(f"resumed 2 turns from {path}\n")
        terminal.expect("> ")
        terminal.type("/quit")
        assert terminal.leave() == 0


@pytest.mark.parametrize("arguments", [[], ["--no-stream"]])
def test_a_call_of_a_declared_function_breaks_nothing(
    server: FixtureServer, tmp_path: Path, arguments: Sequence[str]
) -> None:
    """It is shown. The chat goes on without that turn, and can be saved and resumed with it."""
    path = saved_by_program(server, tmp_path / "chat.json", "Hello", tools=[{"function_declarations": [DECLARED]}])
    again = tmp_path / "again.json"
    lines = f"What is the weather?\n/save {again}\n/history all\nb\n/history all\n"
    done = run("chat", *arguments, "--resume", str(path), given=lines, server=server)
    assert '[get_weather(city="Lisbon", unit="celsius")]' in done.stderr
    assert f"saved 2 turns to {again}\n" in done.stderr
    assert "Error" not in done.stderr
    assert done.returncode == 0
    assert questions(server) == ["Hello", "b"]
    assert "functionDeclarations" in server.requests[-1]["tools"][0]
    with chatproto.Client(api_key="k") as client:
        (call,) = client.chats.restore(again.read_text("utf-8")).pending_calls
    assert call.name == "get_weather"


def test_a_chat_by_googles_rules_goes_on(server: FixtureServer, tmp_path: Path) -> None:
    """With what it has recorded; it can be undone, too."""
    with chatproto.Client(api_key=KEY, http_options={"base_url": server.url}, compat="google-genai") as client:
        chat = client.chats.create(model="gemini-2.5-flash")
        for _ in chat.send_message_stream("Hello"):
            pass
        (tmp_path / "chat.json").write_text(chat.snapshot(), "utf-8")
    done = run("chat", "--resume", str(tmp_path / "chat.json"), given="b\n/undo\nc\n", server=server)
    assert done.returncode == 0, done.stderr
    assert "forgot: b\n" in done.stderr
    assert questions(server) == ["Hello", "c"]
    assert len(server.requests[-1]["contents"]) == 4  # a Content for each chunk of the first answer


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file at {}"),
        (b"", "{} is no chat that was saved: /save writes one"),
        (b"Hello", "{} is no chat that was saved: /save writes one"),
        (b"[1]", "{} is no chat that was saved: /save writes one"),
        (b'{"chatproto": 1, "exchanges": []}', "{} is no chat that was saved: /save writes one"),
        (b"\xff\xfe{", "{} is no chat that was saved: /save writes one"),
        (
            b'{"format": "chatproto chat", "version": 99}',
            "the chat in {} cannot be resumed: $.version: a later chatproto",
        ),
        (b'{"format": "chatproto chat", "version": 1}', "the chat in {} cannot be resumed: $.model: expected str"),
    ],
)
@pytest.mark.parametrize("message", [[], ["not sent"]])
def test_what_cannot_be_resumed_is_wrong_use(
    server: FixtureServer, tmp_path: Path, content: bytes | None, sentence: str, message: list[str]
) -> None:
    """One sentence, and nothing is sent or uploaded."""
    path = tmp_path / "chat.json"
    if content is not None:
        path.write_bytes(content)
    document = tmp_path / "document.pdf"
    document.write_bytes(b"%PDF-1.7\n")
    before = len(server.requests), len(server.files.requests)
    done = run("chat", "--resume", str(path), "--file", str(document), *message, given="not sent\n", server=server)
    assert done.stderr.startswith(f"Error: {sentence.format(path)}")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 2)
    assert (len(server.requests), len(server.files.requests)) == before


def test_a_folder_is_no_saved_chat(server: FixtureServer, tmp_path: Path) -> None:
    """Which click says."""
    done = run("chat", "--resume", str(tmp_path), "not sent", server=server)
    assert "is a directory" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("given", [["--model", "gemini-2.5-flash"], ["--system", ""], ["--thoughts"]])
def test_what_a_saved_chat_has_of_its_own_is_not_given_again(
    server: FixtureServer, saved: Path, given: list[str]
) -> None:
    """Not even the model that is used without the option."""
    before = len(server.requests)
    done = run("chat", "--resume", str(saved), *given, "not sent", server=server)
    assert f"{given[0]} and --resume cannot be used together: a saved chat has its own." in done.stderr
    assert done.returncode == 2
    assert len(server.requests) == before


def test_without_a_key_a_saved_chat_says_so(saved: Path) -> None:
    """The file has none."""
    done = run("chat", "--resume", str(saved), "not sent")
    assert done.stderr.startswith("Error: there is no API key: set GEMINI_API_KEY")
    assert done.returncode == 2


def test_a_saved_chat_takes_the_key_to_no_other_server(server: FixtureServer, saved: Path) -> None:
    """The file may come from anybody. Where requests go is for the user to say."""
    document = json.loads(saved.read_text("utf-8"))
    with FixtureServer() as other:
        document["config"]["httpOptions"] = {"baseUrl": other.url}
        saved.write_text(json.dumps(document), "utf-8")
        done = run("chat", "--resume", str(saved), "b", server=server)
        assert (done.stdout, done.returncode) == ("You said: b\n", 0)
        assert questions(server) == ["Hello", "b"]
        assert other.requests == []
        run("chat", "--resume", str(saved), "--base-url", other.url, "c", server=server)
        assert questions(other) == ["Hello", "c"]


def test_a_refused_resume_leaves_a_recording_alone(server: FixtureServer, tmp_path: Path) -> None:
    """--record replaces a file, but not for nothing."""
    (tmp_path / "chat.json").write_text('{"format": "chatproto chat", "version": 99}')
    cassette = tmp_path / "cassette.json"
    run("chat", "--record", str(cassette), "Hello", server=server)
    before = cassette.read_bytes()
    done = run("chat", "--resume", str(tmp_path / "chat.json"), "--record", str(cassette), "b", server=server)
    assert done.returncode == 2
    assert cassette.read_bytes() == before


def test_help_lists_what_is_new(server: FixtureServer) -> None:
    """On the command line and in the chat."""
    text = run("chat", "--help").stdout
    assert "--resume FILE" in text
    assert "/save FILE" in text
    commands = run("chat", given="/help\n", server=server).stdout
    for command in ("/undo ", "/save FILE ", "--resume FILE"):
        assert command in commands
