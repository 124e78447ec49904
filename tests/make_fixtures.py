"""Records ``fixtures/`` anew: ``python tests/make_fixtures.py [FOLDER]``.

Single chats are recorded with the command line, as anyone would; those that need a config, functions or faults with the
Recorder. The server is on loopback and its texts are made up (``fixture_server.py``), so a run needs no key and differs
from the last one in its timings only. It needs chatproto installed, with the extra ``cli``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from fixture_server import FixtureServer

from chatproto import Client, types
from chatproto.errors import ConnectionLost
from chatproto_replay import Recorder

KEY = "no-key-of-anyone"
MODEL = "gemini-2.0-flash"

#: By name: the arguments of ``chatproto chat``, and the lines that are piped in.
BY_COMMAND: dict[str, tuple[list[str], list[str]]] = {
    "robot_story": (["Tell me a story about a robot"], []),
    "ocean_poem": (["--model", MODEL, "Write a poem about the ocean"], []),
    "capital_of_france": (
        ["--model", MODEL, "--no-stream"],
        ["What is the capital of France?", "What is its population?", "What are some famous landmarks there?"],
    ),
    "hello_history": (["--model", MODEL, "--no-stream"], ["Hello", "How are you?"]),
    "blocked_prompt": (["--model", MODEL, "--no-stream", "Say the forbidden word"], []),
}


class Hurried(Recorder):
    """Records waits without waiting."""

    def sleep(self, seconds: float) -> None:
        """Nothing."""


def colors(client: Client) -> None:
    """An answer that is JSON."""
    chat = client.chats.create(model=MODEL)
    chat.send_message("List 3 colors with their hex codes", config={"response_mime_type": "application/json"})


def creative(client: Client) -> None:
    """A message whose config replaces the chat's."""
    chat = client.chats.create(model=MODEL, config={"temperature": 0.5})
    chat.send_message("Be creative and write a story", config={"temperature": 1.5})


def weather_tool(client: Client) -> None:
    """A function call, which the program answers by itself, and then a streamed answer."""
    chat = client.chats.create(model="gemini-2.5-flash", config={"tools": [{"function_declarations": [WEATHER]}]})
    chat.send_message("What is the weather in Lisbon?")
    result = types.Part.from_function_response(name="get_weather", response={"sky": "sunny", "celsius": 21})
    for _ in chat.send_message_stream(result):
        pass


def retry_429(client: Client) -> None:
    """Two attempts: the server had no time at first, and said when it would."""
    retrying = {"http_options": {"retry_options": {"attempts": 3}}}
    client.chats.create(model=MODEL, config=retrying).send_message("Say hello when you have time")


def cut_stream(client: Client) -> None:
    """A connection that is lost inside an event."""
    with suppress(ConnectionLost):
        for _ in client.chats.create(model=MODEL).send_message_stream("Count to ten slowly"):
            pass


WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "parameters": {
        "type": "OBJECT",
        "properties": {
            "city": {"type": "STRING"},
            "unit": {"type": "STRING", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
}


def record_by_command(server: FixtureServer, folder: Path, name: str) -> None:
    """One chat, recorded with ``chatproto chat --record``."""
    arguments, lines = BY_COMMAND[name]
    command = [sys.executable, "-m", "chatproto", "chat", "--record", str(folder / f"{name}.json"), *arguments]
    environment = {**os.environ, "GOOGLE_GEMINI_BASE_URL": server.url, "GOOGLE_API_KEY": KEY}
    done = subprocess.run(
        command,
        env=environment,
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode != (1 if name == "blocked_prompt" else 0):
        sys.exit(f"{name}: exit status {done.returncode}\n{done.stderr.decode()}")


def record_by_program(server: FixtureServer, folder: Path, program: Any) -> None:
    """One chat, recorded with a Recorder."""
    with Hurried("requests", folder / f"{program.__name__}.json") as recorder:
        program(Client(api_key=KEY, http_options={"base_url": server.url}, transport=recorder))


def main() -> None:
    """Record them all."""
    for name in [name for name in os.environ if name.startswith(("GEMINI_", "GOOGLE_"))]:
        del os.environ[name]  # a version or a base URL of its own would be recorded
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "fixtures"
    with FixtureServer() as server, ThreadPoolExecutor(2) as pool:
        commands = [pool.submit(record_by_command, server, folder, name) for name in BY_COMMAND]
        for program in (colors, creative, weather_tool, retry_429, cut_stream):
            record_by_program(server, folder, program)
        for command in commands:
            command.result()
    print(f"{len(BY_COMMAND) + 5} recordings in {folder}")


if __name__ == "__main__":
    main()
