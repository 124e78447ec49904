"""Starting is cheap, counted in modules: nothing is loaded, and no converter built, before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: What carries requests or runs loops, and what reads answers and settings.
_LATER = {
    *("requests", "urllib3", "aiohttp", "httpx", "httpx2", "http", "ssl", "socket", "select", "selectors", "asyncio"),
    *("cattrs", "pydantic", "PIL", "mcp", "google", "yaml", "click", "rich", "logging", "subprocess", "email"),
    *("chatproto_requests", "chatproto_aiohttp", "chatproto_httpx", "chatproto_replay"),
}

_IMPORT = "import chatproto"
_CLIENT = f"{_IMPORT}\nclient = chatproto.Client(api_key='k')"
_CHAT = f"{_CLIENT}\nchat = client.chats.create(model='m')"


def printed(program: str) -> list[str]:
    """The words that a program prints, in a bare interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def loaded(program: str) -> set[str]:
    """The modules that a program loads, beyond those that an interpreter has."""
    return set(printed(f"import sys\nbefore = set(sys.modules)\n{program}\nprint(*set(sys.modules) - before)"))


@pytest.mark.parametrize("program", [_IMPORT, _CLIENT], ids=["import", "client"])
def test_a_client_loads_no_transport_and_no_converter(program: str) -> None:
    """Nor a class of contents, answers or settings: those wait for a chat, and a transport for its first turn."""
    modules = loaded(program)
    assert not {module.partition(".")[0] for module in modules} & _LATER
    assert not modules & {f"chatproto.types.{name}" for name in ("content", "response", "config", "tools", "_hooks")}


def test_a_chat_loads_no_transport() -> None:
    """Making one asks nobody: whatever would is loaded with the first turn."""
    assert not {module.partition(".")[0] for module in loaded(_CHAT)} & (_LATER - {"cattrs"})


def test_importing_loads_one_module_of_ours() -> None:
    """``import chatproto`` loads itself alone: every name in it loads its module on first use."""
    modules = loaded(_IMPORT)
    assert {module for module in modules if module.startswith("chatproto")} == {"chatproto"}
    assert len(modules) <= 45


def test_a_client_loads_few_modules() -> None:
    """The bounds are a little over what it is, so that growth is noticed: 24 of ours, and 84 of attrs' and Python's,
    of which other Pythons load some more.
    """
    modules = loaded(_CLIENT)
    assert len([module for module in modules if module.startswith("chatproto")]) <= 26
    assert len(modules) <= 125


def test_no_hook_is_built_at_import() -> None:
    """All classes are there, and no converter; a response then makes the hooks of the classes it consists of, alone."""
    program = """
from chatproto import types
from chatproto.types import _hooks
for name in types.__all__:
    getattr(types, name)
print(_hooks.converter.cache_info().currsize)
built = []
make = _hooks._wire_hook
_hooks._wire_hook = lambda made, cls: built.append(cls.__name__) or make(made, cls)
answer = {"candidates": [{"content": {"parts": [{"text": "a"}]}}], "usageMetadata": {"totalTokenCount": 1}}
for _ in range(2):
    assert _hooks.converter("wire").structure(answer, types.GenerateContentResponse).text == "a"
print(*sorted(built))
"""
    converters, *built = printed(program)
    assert converters == "0"
    usage = "GenerateContentResponseUsageMetadata"
    assert built == sorted({"Candidate", "Content", "GenerateContentResponse", usage, "Part"})
