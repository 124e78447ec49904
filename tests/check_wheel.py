"""Check what a built wheel holds: ``python tests/check_wheel.py dist``."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

TOP_LEVEL = {"chatproto", "chatproto_aiohttp", "chatproto_httpx", "chatproto_replay", "chatproto_requests"}


def main(folder: str) -> int:
    """Say what is wrong with the wheel in ``folder``; 0 if nothing is."""
    (wheel,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    found = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    wanted = {f"{package}/py.typed" for package in TOP_LEVEL} | {"chatproto_replay/schema/cassette-1.json"}
    problems = []
    if found != TOP_LEVEL:
        problems.append(f"top level is {sorted(found)}, not {sorted(TOP_LEVEL)}")
    problems += [f"{name} is missing" for name in sorted(wanted - set(names))]
    problems += [f"{name} does not belong into a wheel" for name in names if name.startswith(("tests", "fixtures"))]
    for problem in problems:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
