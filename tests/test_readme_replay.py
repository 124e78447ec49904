"""What the README says of replay is run as it stands: tests in a run of pytest of their own, the rest right here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from test_readme import README, ROOT, blocks, run, section

import chatproto
from chatproto.testing.servers import LoopbackServer, Received, head
from chatproto.testing.wire import text_response
from chatproto.wire.json_codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "AIza-not-a-key-of-anyone"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """A server that answers as the snippets expect it, and only to those who have the key."""

    def answer(request: Received) -> Any:
        assert request.header("x-goog-api-key") == KEY
        question = json.loads(request.body)["contents"][-1]["parts"][0]["text"]
        body = encode(text_response("Paris." if "France" in question else "I do not know."))
        return [head(content_length=len(body), content_type="application/json"), body]

    for name in ("GOOGLE_API_KEY", "CHATPROTO_REPLAY_MODE"):
        monkeypatch.delenv(name, raising=False)
    with LoopbackServer() as server:
        for version in ("v1", "v1beta"):
            server.on(f"/{version}/models/gemini-2.5-flash:generateContent", answer)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url(""))
        monkeypatch.setenv("GEMINI_API_KEY", KEY)
        yield server


def leave(api: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on there is no server and no key."""
    api.received.clear()
    monkeypatch.delenv("GEMINI_API_KEY")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://nobody.example.invalid")


def workflow() -> list[str]:
    """The commands of the workflow that the README shows for GitHub."""
    (text,) = blocks("yaml")
    (job,) = yaml.safe_load(text)["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def shell(command: str, folder: Path) -> tuple[int, str]:
    """A command as a workflow runs it, with the programs of this environment: its exit status, and what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    programs = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", "")])
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    return done.returncode, done.stdout


def test_from_an_untested_program_to_a_replayed_test(
    tmp_path: Path, api: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L14: the program is google-genai's, as it stands; it is recorded, and replayed with the server gone, by the
    commands of the workflow.
    """
    program = tmp_path / "capitals.py"
    program.write_text(section("def capital"), "utf-8")
    (tmp_path / "test_capitals.py").write_text(section("def test_capital("), "utf-8")
    status, printed = run(tmp_path, "--replay-mode=record")
    assert status == 0, printed
    cassette = (tmp_path / "cassettes" / "test_capitals" / "test_capital.json").read_text("utf-8")
    assert "Paris." in cassette
    assert KEY not in cassette
    leave(api, monkeypatch)
    (command,) = re.findall(r"`(chatproto cassette show [^`]+)`", README)
    status, printed = shell(command, tmp_path)
    assert status == 0, printed
    assert "What is the capital of France?" in printed
    _, *commands = workflow()
    told = [shell(command, tmp_path) for command in commands]
    assert [status for status, _ in told] == [0, 0], told
    assert "1 passed" in told[-1][1]
    program.write_text(program.read_text("utf-8").replace("the capital of", "the chief town of"), "utf-8")
    status, printed = run(tmp_path)
    assert status == 1, printed
    assert "$.contents[0].parts[0].text" in printed
    assert api.received == []


def test_the_workflow_installs_what_this_is() -> None:
    """The wheel has the version and the extras of today, and google-genai is the one of the comparison."""
    _, _, wheel, *others = shlex.split(workflow()[0])
    assert wheel == f"./wheels/chatproto-{version('chatproto')}-py3-none-any.whl[aiohttp,cli]"
    assert others == [f"google-genai=={version('google-genai')}", "pytest"]


@pytest.mark.parametrize(
    ("snippets", "passed"),
    [
        (["def test_a_refusal_and_then"], 2),
        (
            [
                "import check, rules",
                "def test_the_number_may_differ",
                "def test_wherever_it_breaks_off",
                "def test_the_machine_wherever",
            ],
            4,
        ),
    ],
    ids=["README", "page on replay"],
)
def test_tests_of_a_chatproto_program(
    tmp_path: Path, api: LoopbackServer, monkeypatch: pytest.MonkeyPatch, snippets: list[str], passed: int
) -> None:
    """One cassette, recorded by the first test, serves all, at once and from then on."""
    (tmp_path / "test_capital.py").write_text("\n\n".join(map(section, snippets)), "utf-8")
    status, printed = run(tmp_path, "--replay-mode=record")
    assert status == 0, printed
    leave(api, monkeypatch)
    status, printed = run(tmp_path)
    assert status == 0, printed
    assert f"{passed} passed" in printed
    assert "played" in printed.rpartition("replay: ")[2]
    assert api.received == []


def test_use_cassette(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet runs from the repository's root, without a key."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    exec(section("import use_cassette"), {})
    assert "Paris" in capsys.readouterr().out.splitlines()[0]


def test_google_genai_in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """google-genai plays a cassette that chatproto recorded, through httpx."""
    monkeypatch.chdir(ROOT)
    exec(section("import httpx_transport"), {})
    assert "Paris" in capsys.readouterr().out.splitlines()[0]


def test_without_a_recording() -> None:
    """The snippet asserts for itself; that it got to its end is checked."""
    names: dict[str, Any] = {"genai": chatproto}
    exec(section("FunctionTransport("), names)
    assert len(names["chat"].get_history()) == 4
