"""``@google/genai``, the JavaScript SDK, as a client: recorded through the proxy, and played without the upstream.

The SDK is installed from the npm registry into the user's cache, at the version that ``javascript/package.json`` pins.
Without node, npm or the registry there is nothing to test.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gemini_upstream import KEY, gemini

from chatproto_replay import Cassette, RequestMismatch
from chatproto_replay.serving.server import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = Path(__file__).parent / "javascript"
MANIFEST = ("package.json", "package-lock.json")
OLDEST_NODE = 20
INSTALLING = 90  # seconds
RUNNING = 60


def _cache() -> Path:
    """Where the SDK is kept, by what the manifest says."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(b"".join((PROGRAM / name).read_bytes() for name in MANIFEST)).hexdigest()
    return root / "chatproto-tests" / f"javascript-{digest[:16]}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the SDK, from which programs can import it."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node {version} is too old for @google/genai, which wants {OLDEST_NODE}")
    cache = _cache()
    if not cache.exists():
        _install(cache)
    # Node looks for the SDK in the folders above a program. Another process may run this, too.
    programs = cache / f"run-{os.getpid()}"
    programs.mkdir(exist_ok=True)
    for program in PROGRAM.glob("*.mjs"):
        shutil.copy(program, programs)
    yield programs
    shutil.rmtree(programs)


def _install(cache: Path) -> None:
    """Install the SDK into a folder that becomes the cache when it is whole."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent, ignore_cleanup_errors=True) as name:
        for manifest in MANIFEST:
            shutil.copy(PROGRAM / manifest, name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
        try:
            done = subprocess.run(command, cwd=name, capture_output=True, text=True, timeout=INSTALLING, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm could not install @google/genai within {INSTALLING} seconds")
        if done.returncode:
            pytest.skip(f"npm could not install @google/genai: {done.stderr.strip()[-300:]}")
        if not cache.exists():
            Path(name).rename(cache)


def run(folder: Path, url: str, program: str = "chat.mjs", *arguments: str) -> list[Any]:
    """What a program printed. Its server and its key are in its environment, and nothing else tells it of a test."""
    kept: Mapping[str, str] = {name: value for name, value in os.environ.items() if not name.startswith("GOOGLE")}
    environment = {**kept, "GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": KEY}
    done = subprocess.run(
        ["node", str(folder / program), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=RUNNING,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


EXPECTED = [
    {"answer": "You said: What is the capital of France?"},
    {"chunks": ["One, ", "two, ", "three: ", "é Tell me about it."], "turns": 7},
    {"call": ["weather", {"city": "Paris"}], "answer": "It is {'degrees': 21}."},
]


def test_a_program_is_recorded_and_played(folder: Path, tmp_path: Path) -> None:
    """Unchanged, and its output is the same again and again when the upstream server is gone."""
    path = tmp_path / "javascript.json"
    with gemini() as upstream, Served(path, mode="record", upstream=upstream.url("")) as proxy:
        recorded = run(folder, proxy.url)
        asked = len(upstream.received)
    assert recorded[:3] == EXPECTED
    assert (recorded[3]["error"], recorded[3]["status"]) == (True, 429)
    assert KEY not in path.read_text()
    with Served(path) as served:
        assert run(folder, served.url) == recorded
        assert run(folder, served.url) == recorded
        takes: Any = served.status["takes"]
    assert takes == {"finished": 2, "unfinished": []}
    assert len(Cassette.load(path).exchanges) == asked == 5


def test_a_mismatch_is_an_error_that_says_why(folder: Path, tmp_path: Path) -> None:
    """The SDK shows the report as the message of its error."""
    path = tmp_path / "javascript.json"
    with gemini() as upstream, Served(path, mode="record", upstream=upstream.url("")) as proxy:
        assert run(folder, proxy.url, "question.mjs", "In France?") == [{"answer": "You said: In France?"}]
    with pytest.raises(RequestMismatch) as caught, Served(path) as served:
        (printed,) = run(folder, served.url, "question.mjs", "In Spain?")
    where = '$.contents[0].parts[0].text: recorded "In France?", now "In Spain?"'
    assert where in str(caught.value)
    assert (printed["status"], where in json.loads(printed["message"])["error"]["message"]) == (409, True)
