"""The pytest plug-in: tests that are played from cassettes, and recorded by an option.

::

    @pytest.mark.replay("capital")
    def test_capital(replay_client):
        chat = replay_client.chats.create(model="gemini-3-flash")
        assert "Paris" in chat.send_message("What is the capital of France?").text

``pytest --replay-mode=record`` sends the requests and writes ``cassettes/capital.json`` beside the test's file; where
the test fails, the file is again what it was before. ``pytest`` plays it, with the network blocked, and fails where a
request is another one or something is left over. The cassette is closed when the test is over, before its fixtures are
torn down. A test that asks for one of these fixtures has the marker, as it were, without arguments; one that is marked
by itself and asks for none is an error.

- ``replay_transport``: the transport; ``replay_client``, ``replay_async_client``: a Client over it, and its ``aio``
- ``replay_server``: a server on loopback, for programs that are written for google-genai or in another language. The
  environment says where it is, so that ``genai.Client()`` finds it
- ``replay_cassette``, ``replay_mode``: the path and the mode, for programs that make their own transport
- ``replay_interruption``: with ``cuts`` in the marker, a machine or an exchange that was interrupted

This module is imported by every run of pytest where chatproto is installed, so it imports next to nothing by itself.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from .marking import MARKER, Marking, check_fixtures, is_replay_test, misused
from .tallying import ON_REPORTS, Tally

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from chatproto import Client
    from chatproto.client import AsyncClient

    from ..serving.server import Served
    from .running import Run
    from .watching import Watched

_RUN = pytest.StashKey["Run"]()
_RECORDERS = pytest.StashKey["dict[Path, str]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and where cassettes are."""
    group = parser.getgroup("replay", "chats that are played from cassettes (chatproto)")
    group.addoption(
        "--replay-mode",
        choices=("replay", "record", "record-missing", "live"),
        help="replay: play cassettes, send nothing (default); record: send everything, and write cassettes anew;"
        " record-missing: send what no cassette has; live: send everything, and write nothing."
        " It wins over CHATPROTO_REPLAY_MODE, and that over markers.",
    )
    group.addoption(
        "--replay-network",
        choices=("block", "allow"),
        default="block",
        help="what becomes of other requests while a cassette is played (default: block)",
    )
    group.addoption(
        "--replay-cut",
        metavar="EXCHANGE:BYTE:WAY",
        help="of a test with cuts, run this one only, as a failure names it",
    )
    group.addoption("--replay-unused", action="store_true", help="list the cassettes that no collected test asks for")
    parser.addini("replay_dir", "the folder of cassettes beside a test's file", default="cassettes")


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and the tally of this run."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_RECORDERS] = {}
    config.pluginmanager.register(Tally(config), "chatproto_replay_tally")


# --- fixtures -----------------------------------------------------------------------------------------------------


def _run_of(request: pytest.FixtureRequest) -> Run:
    run: Run | None = request.node.stash.get(_RUN, None)
    if run is None:
        raise misused("a replay_ fixture is an argument of the test, or else the test has the marker replay")
    run.asked = True
    return run


@pytest.fixture
def replay_cassette(request: pytest.FixtureRequest) -> Path:
    """Where the test's cassette is, or will be."""
    return _run_of(request).marking.path


@pytest.fixture
def replay_mode(request: pytest.FixtureRequest) -> str:
    """How the test is run: replay, record, record-missing or live."""
    return _run_of(request).mode


@pytest.fixture
def replay_transport(request: pytest.FixtureRequest) -> Watched:
    """The transport of the test: what ``use_cassette`` gives. It is closed when the test is over."""
    return _run_of(request).want_transport()


@pytest.fixture
def replay_client(replay_transport: Watched) -> Client:
    """A Client over ``replay_transport``. To send requests it needs a key, from the environment."""
    from chatproto import Client

    return Client(transport=replay_transport)


@pytest.fixture
def replay_async_client(replay_client: Client) -> AsyncClient:
    """``replay_client.aio``, for any way of running asynchronous tests."""
    return replay_client.aio


@pytest.fixture
def replay_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A server on loopback, and GOOGLE_GEMINI_BASE_URL says where; its ``url`` too, for other programs.

    While it plays, GEMINI_API_KEY is a word that opens nothing. Otherwise requests go on to the server that
    GOOGLE_GEMINI_BASE_URL named before, or Google's, with the program's own key. Of the marker's arguments it takes all
    but ``faults`` and ``cuts``, which need a transport.
    """
    run = _run_of(request)
    served = run.serve(os.environ.get("GOOGLE_GEMINI_BASE_URL"))
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", served.url)
    for name in ("NO_PROXY", "no_proxy"):  # a proxy would look for loopback on its own machine
        monkeypatch.setenv(name, ",".join(filter(None, (os.environ.get(name), "127.0.0.1"))))
    if run.mode == "replay":
        # No message holds it by chance: where a credential is quoted, the words are withheld.
        monkeypatch.setenv("GEMINI_API_KEY", "a-key-that-opens-nothing")
        for name in ("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
            monkeypatch.delenv(name, raising=False)
    return served


@pytest.fixture
def replay_interruption(request: pytest.FixtureRequest) -> None:
    """What was interrupted: there is one for each run of the test, so this is filled in when it runs."""
    _run_of(request).want_interruption()


# --- the course of a test -----------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A fresh run, also where a test is run again."""
    if not is_replay_test(item):
        return
    check_fixtures(item)
    from .running import Run

    item.stash[_RUN] = Run(item, Marking.of(item), item.config.stash[_RECORDERS])


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """A fixture of the test's own is its code too. Those of wider scopes may fetch what many tests need."""
    run = request.node.stash.get(_RUN, None) if fixturedef.scope == "function" else None
    with run.network() if run is not None else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """The test, and then what is to be said about its cassette: it fails the test, not its teardown."""
    __tracebackhide__ = True
    run = item.stash.get(_RUN, None)
    with run.course() if run is not None else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """With cuts, the function is run once for each; whoever runs it, sync or async, runs all of them as one."""
    run = pyfuncitem.stash.get(_RUN, None)
    if run is None or run.marking.cuts is None or run.mode != "replay":
        return (yield)
    from .interrupting import interrupted

    function = pyfuncitem.obj
    pyfuncitem.obj = interrupted(function, run, pyfuncitem.config.getoption("replay_cut"))
    try:
        return (yield)
    finally:
        pyfuncitem.obj = function


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Whatever a fixture has opened for a test that never began."""
    run = item.stash.get(_RUN, None)
    if run is not None:
        run.end()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Nothing that a test has recorded is kept if it fails, unless it is expected to: it will do so again, when played.

    The last report of a test carries its counts, which may come from another process.
    """
    report = yield
    run = item.stash.get(_RUN, None)
    if run is None:
        return report
    if call.when != "teardown" and call.excinfo is not None and not hasattr(report, "wasxfail"):
        told = run.drop()
        if told and report.failed:
            _tell(report, told)
    if call.when == "teardown":
        setattr(report, ON_REPORTS, run.counts)
        del item.stash[_RUN]  # items live as long as the session, and a cassette may be large
    return report


def _tell(report: pytest.TestReport, words: str) -> None:
    """Add to what is shown of a failure, which is text where there is no traceback."""
    shown: Any = report.longrepr
    if isinstance(shown, str):
        report.longrepr = f"{shown}\n{words}"
    elif hasattr(shown, "addsection"):
        shown.addsection("replay", words)
    else:
        report.sections.append(("replay", words))
