"""What starting costs, in the libraries' own words: no chat is had, so no server is asked."""

from __future__ import annotations

import contextlib
import importlib
import statistics
import subprocess
import sys
from typing import Any

import attrs

from bench.measuring import Figures, cpu

__all__ = ["importing", "making_clients"]


@attrs.frozen
class _Program:
    """The first lines of a program."""

    imports: str
    client: str = "None"  # an expression


_PROGRAMS = {
    "bare requests": _Program("import requests"),
    "chatproto on requests": _Program("import chatproto", "chatproto.Client(api_key='x')"),
    "google-genai": _Program("from google import genai", "genai.Client(api_key='x')"),
}


def _bare(program: str) -> str:
    """What a program prints in an interpreter that has loaded nothing for it."""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def importing(name: str) -> Figures:
    """Everything until there is a first client."""
    program = _PROGRAMS[name]
    printed = _bare(
        "import time\n"
        "start = time.process_time()\n"
        f"{program.imports}\n{program.client}\n"
        "print((time.process_time() - start) * 1e6)\n"
    )
    return {"cpu": float(printed)}


def making_clients(name: str) -> Figures:
    """The first client and later ones, once every module is there that making one loads."""
    program = _PROGRAMS[name]
    for module in _bare(f"{program.imports}\n{program.client}\nimport sys\nprint(*sys.modules)\n").split():
        with contextlib.suppress(ImportError):  # __main__'s kin, which only look like modules that can be imported
            importlib.import_module(module)
    names: dict[str, Any] = {}
    exec(program.imports, names)
    make = compile(program.client, "client", "eval")
    made: list[Any] = []

    def client() -> None:
        made.append(eval(make, names))

    figures = {"first": cpu(client), "later": statistics.median(cpu(client) for _ in range(10))}
    for each in made:
        each.close()
    return figures
