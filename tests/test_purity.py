"""The pure rooms do no I/O. Shown three ways: what they say, what they import, and what they do."""

from __future__ import annotations

import ast
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from purity import forbidden_io

import chatproto
from chatproto.errors import ChatProtoError, ConnectionLost
from chatproto.machines.conversation import Conversation
from chatproto.machines.steps import ReadBody, SendRequest, Wait
from chatproto.types import GenerateContentConfig, HttpOptions, HttpRetryOptions

ROOT = Path(chatproto.__file__).parent
PURE = sorted(path for room in ("types", "wire", "machines") for path in (ROOT / room).glob("*.py"))

ALLOWED_ABOVE = {
    "types": {"types", "errors"},
    "wire": {"types", "wire", "errors"},
    "machines": {"types", "wire", "machines", "errors"},
    "convert": {"types", "wire", "machines", "convert", "errors"},
}


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_says_nothing_of_io(path: Path) -> None:
    """No pure module awaits, opens, prints, asks or evaluates."""
    tree = ast.parse(path.read_text("utf-8"))
    asynchronous = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(tree) if isinstance(node, asynchronous)]
    assert not _names(tree) & {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


def _imported(path: Path) -> set[str]:
    """The rooms of chatproto that a module imports, wherever in it."""
    rooms: set[str] = set()
    inside = path.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            # ``from ..wire.http``: two dots up from types/_hooks.py is the package itself.
            up = inside[: len(inside) - node.level] if node.level else ()
            parts = (*up, *(node.module or "").split(".")) if node.level else tuple((node.module or "").split("."))
            if not node.level and parts[0] != "chatproto":
                continue
            parts = parts if node.level else parts[1:]
            rooms |= {parts[0]} if parts and parts[0] else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("chatproto.")}
    return rooms


@pytest.mark.parametrize("room", sorted(ALLOWED_ABOVE))
def test_imports_run_one_way(room: str) -> None:
    """Face -> convert -> machines -> wire -> types, and never back."""
    for path in (ROOT / room).glob("*.py"):
        assert _imported(path) <= ALLOWED_ABOVE[room], path.name


def test_nothing_imports_the_command_line_or_the_test_tools() -> None:
    """``cli`` and ``testing`` stand at the edge."""
    for path in ROOT.rglob("*.py"):
        inside = path.relative_to(ROOT).parts
        if inside[0] not in ("cli.py", "__main__.py", "testing"):
            assert not _imported(path) & {"cli", "testing"}, path


def test_the_environment_and_plug_ins_are_read_in_one_place_each() -> None:
    """One reader of the environment, one place where plug-ins are found."""
    for path in ROOT.rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name != "client.py" and path.relative_to(ROOT).parts[0] != "testing":
            assert "os.environ" not in text, path
            assert "getenv" not in text, path
        if path.name != "plugins.py":
            assert "entry_points" not in text, path


BANNED_MODULES = (
    *("aiohttp", "asyncio", "http", "httpx", "httpx2", "logging", "pydantic", "random", "requests", "secrets"),
    *("select", "selectors", "socket", "ssl", "subprocess", "tempfile", "urllib3", "uuid"),
)


@pytest.mark.parametrize("statement", ["import chatproto.machines.conversation", "from chatproto import Conversation"])
def test_imports_no_io(statement: str) -> None:
    """Importing and using the machine brings in no module that does I/O."""
    code = (
        f"{statement}\n"
        "from chatproto.machines.conversation import Conversation\n"
        "c = Conversation('m'); c.send('hi'); c.next(); c.receive_response(200, ()); c.next()\n"
        """c.receive_data(b'[{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}]')\n"""
        "c.receive_data(b'')\n"
        "while c.next(): pass\n"
        "assert c.turns[0].curated and c.history()\n"
        "import sys\n"
        f"print(*sorted(set({BANNED_MODULES!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


ANSWERS = st.sampled_from(
    [
        b'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP"}]}\r\n\r\n',
        b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}\n\n',
        b'data: {"error":{"code":429,"message":"slow down"}}\n\n',
        b'[{"usageMetadata":{"totalTokenCount":1}}]',
        b"data: not json\n\n",
        b"",
    ]
)
SCRIPT = st.lists(st.tuples(st.sampled_from([200, 200, 200, 429, 503]), ANSWERS, st.booleans()), max_size=6)


@given(SCRIPT)
def test_does_no_io(script: list[tuple[int, bytes, bool]]) -> None:
    """Driving a conversation by hand, whatever happens, opens nothing and calls no system."""
    options = HttpOptions(retry_options=HttpRetryOptions(attempts=2))
    with forbidden_io():
        conversation = Conversation("m", config=GenerateContentConfig(temperature=0.5, http_options=options))
        for status, body, lost in script:
            conversation.send("hello")
            for _ in range(12):
                match conversation.next():
                    case SendRequest():
                        conversation.receive_response(status, (("retry-after", "1"),))
                    case ReadBody() if lost:
                        conversation.receive_failure(ConnectionLost("cut"))
                    case ReadBody():
                        conversation.receive_data(body)
                        body = b""
                    case Wait():
                        conversation.resume()
                    case None:
                        break
                    case event:
                        assert repr(event)
            conversation.abandon()
            assert len(conversation.history(curated=True)) <= len(conversation.history())


def test_the_audit_hook_catches() -> None:
    """The net has no hole: opening a file within it is an error, even where the error is swallowed."""
    with (
        pytest.raises(AssertionError, match="I/O in a pure room"),
        forbidden_io(),
        contextlib.suppress(RuntimeError, ChatProtoError),
    ):
        Path(__file__).read_bytes()
