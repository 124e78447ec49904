"""What a test says of its replay: the marker, the options and where its cassette is. Used by the pytest plug-in."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "FIXTURES",
    "MARKER",
    "ONE_OF_THEM",
    "Marking",
    "cassette_of",
    "check_fixtures",
    "check_marker",
    "command_for",
    "is_replay_test",
    "misused",
]

MARKER = (
    "replay(name=None, *, mode=None, match=(), redact=(), faults=(), cuts=None, pace=0.0, in_order=True,"
    " allow_hosts=()): plays the test from a cassette: cassettes/MODULE/TEST.json beside its file, or with a name"
    " cassettes/NAME.json; a name that ends in .json is a path from the test's file. cuts='events' or 'every-byte' runs"
    " the test once for each place where an answer may be interrupted. faults and cuts are for replay_transport and the"
    " clients over it, not for replay_server."
)
FIXTURES = frozenset(
    {
        *("replay_async_client", "replay_cassette", "replay_client", "replay_interruption", "replay_mode"),
        *("replay_server", "replay_transport"),
    }
)
_OVER_A_TRANSPORT = frozenset({"replay_async_client", "replay_client", "replay_transport"})
ONE_OF_THEM = "a test takes replay_server or a transport (replay_client has one): both would play the same cassette"

Cuts = Literal["events", "every-byte"]
_MODES = ("replay", "record", "record-missing", "live")
_VARIABLE = "CHATPROTO_REPLAY_MODE"


def misused(words: str) -> BaseException:
    """The failure of a test whose marker or fixtures make no sense: the words are all that is to be shown of it."""
    return pytest.fail.Exception(words, pytrace=False)


@dataclass(frozen=True, kw_only=True)
class Marking:
    """What holds for one test.

    Of several markers, the one that is nearest to the test wins, argument by argument. The mode is the first that is
    given of: ``--replay-mode``, CHATPROTO_REPLAY_MODE, the marker's, ``replay``. So an option always says what happens:
    with ``--replay-mode=replay`` nothing is sent, whatever a marker says.
    """

    path: Path
    mode: str = "replay"
    match: tuple[Any, ...] = ()
    redact: tuple[Any, ...] = ()
    faults: tuple[Any, ...] = ()
    cuts: Cuts | None = None
    pace: float = 0.0
    in_order: bool = True
    allow_hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: pytest.Item) -> Marking:
        """What the markers and options say of ``item``. Fails the test for what makes no sense."""
        given = _given(item)
        mode = given.get("mode")
        chosen = item.config.getoption("replay_mode") or os.environ.get(_VARIABLE) or mode or "replay"
        for source, value in (("the marker's mode", mode), (f"the mode of {_VARIABLE}", chosen)):
            if value is not None and value not in _MODES:
                raise misused(f"{source} is one of {', '.join(_MODES)}, not {value!r}")
        cuts = given.get("cuts")
        if cuts is not None and cuts not in get_args(Cuts):
            raise misused(f"the marker replay: cuts is one of {', '.join(get_args(Cuts))}, not {cuts!r}")
        return cls(
            path=cassette_of(item),
            mode=chosen,
            match=_several(given, "match"),
            redact=_several(given, "redact"),
            faults=_several(given, "faults"),
            cuts=cuts,
            pace=given.get("pace", 0.0),
            in_order=given.get("in_order", True),
            allow_hosts=_several(given, "allow_hosts"),
        )


_ARGUMENTS = frozenset({"name", "mode", "match", "redact", "faults", "cuts", "pace", "in_order", "allow_hosts"})


def _given(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark in item.iter_markers("replay"):  # the nearest first
        arguments: dict[str, Any] = dict(mark.kwargs)
        if mark.args:
            arguments["name"] = mark.args[0]
        unknown = sorted(arguments.keys() - _ARGUMENTS)
        if unknown or len(mark.args) > 1:
            what = ", ".join(unknown) if unknown else f"{len(mark.args)} names"
            raise misused(f"{item.nodeid}: the marker is {MARKER.partition(':')[0]}, and was given {what}")
        found = {**arguments, **found}
    return found


def _several(given: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    value = given.get(name, ())
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(value)


def is_replay_test(item: pytest.Item) -> bool:
    """Whether a test has the marker, or asks for one of the fixtures."""
    return item.get_closest_marker("replay") is not None or not FIXTURES.isdisjoint(_fixtures(item))


def check_fixtures(item: pytest.Item) -> None:
    """Fail a test that takes two ways to its cassette, before it is told of recording; or no way, if it is marked.

    Whoever takes pytest's own ``request`` may ask for a fixture later: ``check_marker`` is for when it has not.
    """
    names = _fixtures(item)
    if "replay_server" in names and not _OVER_A_TRANSPORT.isdisjoint(names):
        raise misused(ONE_OF_THEM)
    if "request" not in names and FIXTURES.isdisjoint(names):
        check_marker(item)


def check_marker(item: pytest.Item) -> None:
    """Fail a test that takes none of the fixtures and is marked by itself: it looks as if it were played, and is not.

    A marker on a class or a module may be there for the other tests in it.
    """
    function: Any = getattr(item, "obj", None)
    case: Any = getattr(item, "callspec", None)  # of parametrize, whose cases may have markers
    marks: list[pytest.Mark] = [*getattr(function, "pytestmark", ()), *getattr(case, "marks", ())]
    if any(mark.name == "replay" for mark in marks):
        raise misused(
            f"{item.nodeid} has the marker replay and takes none of its fixtures, so nothing would be played:"
            f" {', '.join(sorted(FIXTURES))}"
        )


def _fixtures(item: pytest.Item) -> Sequence[str]:
    """The fixtures that a test takes, directly and through others."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


# --- where the cassette is ----------------------------------------------------------------------------------------


def cassette_of(item: pytest.Item) -> Path:
    """The path of a test's cassette. Fails the test for a name that is no text."""
    name = _given(item).get("name")
    folder = item.path.parent
    cassettes = folder / str(item.config.getini("replay_dir"))
    if name is None:
        cls: type | None = getattr(item, "cls", None)
        test = f"{cls.__qualname__}.{item.name}" if cls is not None else item.name
        return cassettes / item.path.stem / f"{_safe(test)}.json"
    if not isinstance(name, str) or not name:
        raise misused(f"{item.nodeid}: the name of a cassette is text, not {name!r}")
    if name.endswith(".json"):
        return folder / name
    return cassettes / f"{name}.json"


_LONGEST = 100


def _safe(name: str) -> str:
    """A file name for a test: what not every system takes is replaced, and what was replaced stays different."""
    safe = re.sub(r"[^\w.\-\[\]]", "_", name, flags=re.ASCII)[:_LONGEST].rstrip(".")
    safe = safe.replace("[", "-").replace("]", "")
    if re.fullmatch(r"[\w.\-]+(\[[\w.\-]+\])?", name, flags=re.ASCII) and len(name) <= _LONGEST:
        return safe
    return f"{safe}-{hashlib.blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"


def command_for(item: pytest.Item, *options: str) -> str:
    """The command that runs this test alone, from the folder where pytest was started."""
    within = item.nodeid.partition("::")[2]
    try:
        file = os.path.relpath(item.path, item.config.invocation_params.dir)
    except ValueError:  # on another drive
        file = str(item.path)
    return shlex.join(["pytest", f"{file}::{within}" if within else file, *options])
