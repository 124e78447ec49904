"""Prints ``chatproto/types/dicts.py``, made of the values' own annotations: ``python tests/make_dicts.py``.

A test compares, so that a field that is added to a value is added to its twin. ``python tests/make_dicts.py names``
prints how ``chatproto/types/__init__.py`` shows their names to type checkers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from chatproto import types
from chatproto.types._open_enum import OpenEnum
from chatproto.types._value import Value, fields_of

HEAD = '''"""Twins of the values, as dicts: ``PartDict`` is a dict of the fields of ``Part``, ``PartOrDict`` is either.

For type checkers, and for programs that annotate with them: at run time they are dicts. Printed by tests/make_dicts.py.
"""

# D101: each is described by the value that it stands for. TC: get_type_hints finds all that is mentioned.
# ruff: noqa: D101, TC001, TC003

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

'''


def text() -> str:
    """The whole file."""
    classes = [name for name in types.__all__ if _is(name, Value) and name not in ("ModelContent", "UserContent")]
    enums = {name for name in types.__all__ if _is(name, OpenEnum)}
    bodies: list[str] = []
    met: set[str] = set(classes)
    for name in classes:
        lines: list[str] = []
        for field in fields_of(getattr(types, name)):
            annotation = _written(f"{name}.{field.name}", str(field._annotation), set(classes), enums)
            met |= set(re.findall(r"\w+", annotation)) & (set(types.__all__))
            lines.append(f"    {field.name if field.name.islower() else field.wire}: {annotation}")
        bodies.append(f"class {name}Dict(TypedDict, total=False):\n" + "\n".join(lines or ["    pass"]))
    homes: dict[str, list[str]] = {}
    for name in sorted(met):
        homes.setdefault(types._HOMES[name], []).append(name)
    imports = [f"from .{home} import {', '.join(names)}" for home, names in sorted(homes.items())]
    either = [f"{name}OrDict: TypeAlias = {name} | {name}Dict" for name in classes]
    return _formatted(
        HEAD + "\n".join(imports) + "\n\n\n" + "\n\n\n".join(bodies) + "\n\n\n" + "\n".join(either) + "\n"
    )


def names() -> str:
    """The import that shows the names to type checkers. One of all names (``*``) would have mypy look twice."""
    found = re.findall(r"^(?:class )?(\w+Dict)\b", text(), re.MULTILINE)
    lines = [""]
    for name in sorted(found):
        item = f" {name} as {name},"
        if len(lines[-1] + item) > 108:
            lines.append("")
        lines[-1] += item
    shown = [f"       {line}  # noqa: E501\n" if len(line) > 113 else f"       {line}\n" for line in lines]
    return "    from chatproto.types.dicts import (\n" + "".join(shown) + "    )\n"


def _is(name: str, cls: type) -> bool:
    found = getattr(types, name)
    return isinstance(found, type) and issubclass(found, cls)


def _written(place: str, annotation: str, classes: set[str], enums: set[str]) -> str:
    if place == "Part.inline_data":
        return "BlobImageUnionDict | None"

    def widened(match: re.Match[str]) -> str:
        word = match[0]
        if word in classes:
            return f"{word}OrDict"
        if word in enums:
            return f"{word} | str"
        return f"{word}Dict" if word.endswith("Union") else word

    return re.sub(r"\b[A-Z]\w+\b", widened, annotation)


def _formatted(source: str) -> str:
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    root = Path(__file__).parent.parent
    name = "chatproto/types/dicts.py"
    sorting = [*ruff, "check", "--quiet", "--select", "I", "--fix", "--stdin-filename", name, "-"]
    for command in (sorting, [*ruff, "format", "--quiet", "--stdin-filename", name, "-"]):
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=root)
        source = done.stdout
    return source


if __name__ == "__main__":
    sys.stdout.write(names() if sys.argv[1:] == ["names"] else text())
