"""The README tells the truth: its snippets run, its diagrams are the tables', its commands name what is there."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from print_diagrams import diagram
from print_differences import tables

import chatproto
import chatproto_requests
from chatproto.errors import ConnectionLost
from chatproto.machines.states import CONVERSATION, EXCHANGE
from chatproto.testing import FileServer, ScriptedTransport
from chatproto.testing.servers import RESET, LoopbackServer, head
from chatproto.testing.wire import sse, text_response
from chatproto.wire.json_codec import encode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {
    each: (ROOT / each).read_text("utf-8") for each in ("README.md", "transports/chatproto_replay/README.md")
}  # the second one is the README's long tail of replay
FENCED = re.findall(r"^```(\w+)\n(.*?)^```", "".join(PAGES.values()), re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in order, of both pages."""
    return [text for kind, text in FENCED if kind == language]


def section(words: str) -> str:
    """The one Python snippet that holds ``words``."""
    (found,) = [text for text in blocks("python") if words in text]
    return found


def run(folder: Path, *options: str) -> tuple[int, str]:
    """A run of pytest in a process of its own: its exit status, and what it printed."""
    plain = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist", "--strict-markers")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *options],
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )
    return done.returncode, done.stdout


def test_the_two_commands_are_one_line_each() -> None:
    """The first two ``sh`` blocks are a line each, need Python and pip alone, and name a fixture that is there."""
    first, second, *_ = blocks("sh")
    for command in (first, second):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv ")
    (cassette,) = re.findall(r"--replay (\S+)", first)
    assert (ROOT / cassette).is_file()


def test_the_diagrams_are_printed_from_the_tables() -> None:
    """Both diagrams are what the tables say today."""
    assert [text.strip() for text in blocks("mermaid")] == [diagram(CONVERSATION), diagram(EXCHANGE)]


def test_the_tables_of_differences_are_printed_from_the_list() -> None:
    """What the README says of google-genai is what the differential test allows, and nothing else."""
    assert [README.count(each) for each in tables()] == [1, 1]


def test_links_lead_somewhere() -> None:
    """To a heading as GitHub names it, or to a file."""
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, heading = target.partition("#")
            found = (ROOT / page).parent / file if file else ROOT / page
            assert found.exists(), target
            if heading:
                titles = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
                assert heading in [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in titles], target


def test_what_is_folded_is_closed() -> None:
    """Each fold has a summary and an end."""
    for tag in ("</details>", "<summary>", "</summary>"):
        assert README.count(tag) == README.count("<details>") > 0


def test_what_is_not_there_raises() -> None:
    """AttributeError, of the client and of ``client.models``."""
    client = client_of()
    for missing in ("live", "caches", "batches", "tunings"):
        with pytest.raises(AttributeError):
            getattr(client, missing)
    for missing in ("list", "embed_content", "generate_images"):
        with pytest.raises(AttributeError):
            getattr(client.models, missing)


@pytest.fixture
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients without a transport of their own get scripted answers, so that snippets run as they are."""
    scripted = ScriptedTransport("Paris.", ["About two ", "million."])
    monkeypatch.setattr("chatproto.client.find_transport", lambda _: scripted)


def client_of(*answers: Any) -> chatproto.Client:
    """A client with scripted answers, for snippets that have one already."""
    return chatproto.Client(transport=ScriptedTransport(*answers))


def test_asyncio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet with ``client.aio`` runs as it stands."""
    scripted = ScriptedTransport(["Once ", "upon a time"])
    monkeypatch.setattr("chatproto.client.find_transport", lambda _: scripted)
    exec(section("async def main"), {"genai": chatproto})
    assert capsys.readouterr().out == "Once upon a time\n"


def test_parsed_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet with an attrs class as ``response_schema``."""
    answer = '[{"name": "red", "hex": "#ff0000"}, {"name": "blue", "hex": "#0000ff"}]'
    exec(section("class Colour"), {"client": client_of(answer), "__name__": "__main__"})
    assert capsys.readouterr().out.splitlines() == ["red #ff0000", "blue #0000ff"]


def test_an_upload(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet that uploads a file, against a real server."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "document.pdf").write_bytes(b"%PDF-1.4")
    with FileServer() as server:
        client = chatproto.Client(api_key="k", http_options={"base_url": server.base_url})
        chat = client_of("A short document.").chats.create(model="m")
        exec(section("client.files.upload"), {"client": client, "chat": chat})
        client.close()
    assert capsys.readouterr().out.splitlines() == ["8 of 8 bytes", "A short document."]


def test_a_transport_that_wraps_another(tmp_path: Path) -> None:
    """The snippet for authors of transports is a file of tests, and all that can hold for it do."""
    (tmp_path / "test_logged.py").write_text(section("class Logged"), "utf-8")
    status, printed = run(tmp_path, "-q")
    assert status == 0, printed
    assert int(re.findall(r"(\d+) passed", printed)[0]) > 30


def test_scripted_answers() -> None:
    """The snippet asserts for itself; that it got to its end is checked."""
    names: dict[str, Any] = {}
    exec(section("import ScriptedTransport\n"), names)
    assert len(names["chat"].get_history()) == 4


@pytest.mark.usefixtures("_scripted")
def test_the_face(capsys: pytest.CaptureFixture[str]) -> None:
    """The chat snippet runs as it stands."""
    exec(section("import chatproto as genai "), {})
    assert capsys.readouterr().out.splitlines() == [
        "Paris.",
        "About two million.",
        "user: What is the capital of France?",
        "model: Paris.",
        "user: What is its population?",
        "model: About two million.",
    ]


def drive(monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> None:
    """Run the README's driver against ``server``, without TLS."""
    snippet = section("import http.client")
    assert len(snippet[snippet.index("def drive") : snippet.index("\n\n\nconversation")].splitlines()) <= 20
    host, port = server.url("/").split("/")[2].split(":")
    plain = http.client.HTTPConnection(host, int(port))
    monkeypatch.setattr(http.client, "HTTPSConnection", lambda _: plain)
    try:
        exec(snippet, {})
    finally:
        plain.close()


def test_the_machine_with_http_client(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The driver of the README talks to a real server with nothing but the standard library, in twenty lines."""
    body = sse([text_response("Once ", None), text_response("upon a time")])
    with LoopbackServer() as server:
        received: list[Any] = []

        def answer(request: Any) -> list[Any]:
            received.append(request)
            return [head(200, content_length=sum(map(len, body))), *body]

        server.on("/v1/models/gemini-2.5-flash:streamGenerateContent", answer)
        drive(monkeypatch, server)
    assert capsys.readouterr().out.startswith("Once upon a timeOutcome.COMPLETED")
    assert received[0].header("x-goog-api-key") == "your-api-key"


def test_the_machine_with_http_client_loses_its_connection(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What had come is printed, and the error is raised, once."""
    (piece,) = sse([text_response("Once ", None)])
    with LoopbackServer() as server:
        script: list[Any] = [head(200, content_length=9999), piece, 0.1, RESET]
        server.on("/v1/models/gemini-2.5-flash:streamGenerateContent", script)
        with pytest.raises(ConnectionLost):
            drive(monkeypatch, server)
    assert capsys.readouterr().out == "Once "


def test_a_session_of_the_callers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet with a requests.Session runs against a real server."""
    body = encode(text_response("Hello yourself"))
    with LoopbackServer() as server:
        server.on("/v1/models/gemini-2.5-flash:generateContent", lambda _: [head(200, content_length=len(body)), body])
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url("/"))
        exec(section("requests.Session()"), {"genai": chatproto})
    assert capsys.readouterr().out == "Hello yourself\n"


def calling(name: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """An answer that calls a function, once for each of ``calls``."""
    parts = [{"functionCall": {"id": f"c{index}", "name": name, "args": args}} for index, args in enumerate(calls)]
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}


def test_functions(capsys: pytest.CaptureFixture[str]) -> None:
    """The tool loop's snippet: the function runs, and the history has the round."""
    client = client_of(calling("get_weather", {"city": "London"}), "Sunny.")
    exec(section('"tools": [get_weather]})\nprint'), {"client": client})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Sunny."
    assert [line.split()[0] for line in lines[1:]] == ["user", "model", "user", "model"]
    assert "It is sunny in London." in lines[3]


def test_an_approval_and_a_saved_chat(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The snippet on approval refuses one of two calls; the one after it writes the chat and goes on."""
    monkeypatch.chdir(tmp_path)
    transport = ScriptedTransport(
        calling("delete_file", {"path": "notes.txt"}, {"path": "thesis.tex"}),
        "One is gone.",
        calling("delete_file", {"path": "notes.txt"}),
        "It is gone.",
    )
    names = {"client": chatproto.Client(transport=transport)}
    exec(section("refuse_call"), names)
    exec(section("chat.snapshot()"), names)
    assert capsys.readouterr().out.splitlines() == ["One is gone.", "It is gone."]
    answers = transport.requests[1].json()["contents"][-1]["parts"]
    assert [part["functionResponse"]["response"] for part in answers] == [
        {"result": "notes.txt is gone."},
        {"error": "the call was refused: it is needed"},
    ]


def test_an_mcp_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The snippet with an MCP session, against a real server process."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weather_server.py").write_text(WEATHER_SERVER, "utf-8")
    transport = ScriptedTransport(calling("get_weather", {"city": "London"}), "Sunny.")
    names: dict[str, Any] = {}
    exec(section("ClientSession"), names)
    client = chatproto.Client(transport=transport)
    server = StdioServerParameters(command=sys.executable, args=["weather_server.py"])
    assert asyncio.run(names["ask"](client, server, "What is the weather in London?")) == "Sunny."
    (part,) = transport.requests[1].json()["contents"][-1]["parts"]
    assert "It is sunny in London." in str(part["functionResponse"]["response"])


WEATHER_SERVER = '''
try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # mcp 1
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It is sunny in {city}."


server.run()
'''


def test_every_python_snippet_is_run_here() -> None:
    """No snippet is left that no test above runs, or one of ``test_readme_replay.py``."""
    ran = (
        "import chatproto as genai ",
        "import ScriptedTransport\n",
        "async def main",
        "class Colour",
        "client.files.upload",
        '"tools": [get_weather]})\nprint',
        "refuse_call",
        "chat.snapshot()",
        "ClientSession",
        "requests.Session()",
        "class Logged",
        "import http.client",
        "def capital",
        "def test_capital(",
        "def test_a_refusal_and_then",
        "import use_cassette",
        "import check, rules",
        "def test_the_number_may_differ",
        "def test_wherever_it_breaks_off",
        "def test_the_machine_wherever",
        "import httpx_transport",
        "FunctionTransport(",
    )
    assert len(blocks("python")) == len(ran)
    assert len({section(words) for words in ran}) == len(ran)


def test_the_files_that_prove_the_laws_exist() -> None:
    """Each law's row names test files that are there and say the law's name."""
    rows = re.findall(r"^\| (L\d+) .*?\| (.*?) \|$", README, re.MULTILINE)
    assert len(rows) >= 12
    for law, files in rows:
        for name in re.findall(r"`(test_\w+\.py)`", files):
            text = (ROOT / "tests" / name).read_text("utf-8")
            assert re.search(rf"\b{law}\b", text), (law, name)


def test_what_the_readme_imports_is_public() -> None:
    """The package's public names are sorted, and each can be had."""
    assert chatproto.__all__ == sorted(chatproto.__all__)
    for name in chatproto.__all__:
        assert getattr(chatproto, name) is not None
    assert dir(chatproto) == chatproto.__all__
    with pytest.raises(AttributeError):
        chatproto.nothing  # noqa: B018
    assert callable(chatproto_requests.RequestsTransport)
