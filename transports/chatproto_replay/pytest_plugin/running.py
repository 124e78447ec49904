"""One test that is played from a cassette: what it gets, and what is said in the end. Of the pytest plug-in."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from ..cassette import Cassette
from ..errors import CassetteError, CassetteExhausted, CassetteMissing, RequestMismatch, UnplayedExchanges
from ..network import NetworkBlocked, network_blocked
from .keeping import Before
from .marking import ONE_OF_THEM, check_marker, command_for, misused
from .telling import MADE_BEFORE, NOT_GIVEN, advised, is_failure, shared, told_first
from .watching import Watched

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ..faults.faulty import Faulty
    from ..modes import CassetteTransport
    from ..serving.server import Served
    from .interrupting import Cut
    from .marking import Marking

__all__ = ["Run"]

_RECORD = "--replay-mode=record"


class Run:
    """One run of one test. ``recorders`` says which test of this session has recorded which cassette.

    A cassette that several tests name is recorded by the first; the others play what it has recorded, or each would
    undo the recording of the one before. (Workers of pytest-xdist do not know of each other: the last one wins.)
    """

    def __init__(self, item: pytest.Item, marking: Marking, recorders: dict[Path, str]) -> None:
        self.item = item
        self.marking = marking
        self.mode = marking.mode
        if self.mode == "record" and recorders.get(marking.path, item.nodeid) != item.nodeid:
            self.mode = "replay"
        self.blocked = self.mode == "replay" and item.config.getoption("replay_network") == "block"
        self.transport = Watched(self._make, needs_credential=self.mode != "replay", refused=self._refused)
        self.counts = {"played": 0, "recorded": 0, "left over": 0}
        self.asked = False  # whether a fixture of this plug-in was asked for
        self._recorders = recorders
        self._before = Before(marking.path) if self.mode in ("record", "record-missing") else None
        self._refusal: CassetteError | None = None
        self._quoted: list[str] = []  # the first lines of what was refused, as a program may quote them
        self._complained = False
        self._wants_transport = False
        self._wants_interruption = False
        self._ended = False
        self._cassette: CassetteTransport | None = None
        self._faulty: Faulty | None = None
        self._cut: Faulty | None = None
        self._server: Served | None = None

    # --- what the fixtures give ---

    def want_transport(self) -> Watched:
        """The transport of the test. Its cassette is opened when the test begins, or a fixture asks for it before."""
        if self._server is not None:
            raise misused(ONE_OF_THEM)
        self._wants_transport = True
        return self.transport

    def want_interruption(self) -> None:
        """A machine or an exchange that was interrupted, from a cassette that another test has recorded."""
        if self.marking.cuts is None:
            raise misused("replay_interruption is for tests whose marker has cuts='events' or 'every-byte'")
        if self.mode != "replay":
            pytest.skip("what can be interrupted is recorded already: this test sends nothing")
        self._wants_interruption = True

    def serve(self, upstream: str | None) -> Served:
        """A server for the test, which passes requests on to ``upstream`` where it does."""
        marking = self.marking
        if self._wants_transport:
            raise misused(ONE_OF_THEM)
        if marking.faults or marking.cuts:
            raise misused("replay_server knows no faults and no cuts: replay_transport and replay_client do")
        from ..serving.server import GOOGLE, Served

        with self._explained():
            self._server = Served(
                marking.path,
                mode=self.mode,
                upstream=upstream or GOOGLE,
                pace=marking.pace,
                match=marking.match,
                redact=marking.redact,
                in_order=marking.in_order,
            )
        return self._server

    def network(self) -> AbstractContextManager[object]:
        """What surrounds the code of the test: a block where nothing may be sent."""
        if not self.blocked:
            return nullcontext()
        advice = (
            "If the test needs that host, name it in allow_hosts of its marker; if its requests should be answered"
            f" from the cassette, they do not go through the replay_ fixtures. To send them: {self._command(_RECORD)}"
        )
        return network_blocked(self.marking.allow_hosts, advice=advice)

    # --- the course of the test ---

    @contextmanager
    def course(self) -> Generator[None]:
        """Around the test: the cassette is opened, closed, and complained about unless the test itself has failed."""
        __tracebackhide__ = True
        if self._wants_transport:
            _ = self.transport.current  # a cassette that is not there fails the test before it begins
        try:
            with self.network():
                yield
        except BaseException as error:
            refusal = self._abandon(error)
            if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):  # there will be no report
                self.drop()
            if refusal is None:
                raise
            raise refusal  # noqa: B904  (its cause is set)
        self._finish()

    def recorded(self) -> Cassette:
        """The test's cassette itself."""
        with self._explained():
            return Cassette.load(self.marking.path)

    @contextmanager
    def interrupted(self, cut: Cut) -> Generator[None]:
        """Play from the beginning in this block, and interrupt there.

        Until that has happened, all is as strict as without it. Afterwards a program may go any way: what is left over
        is fine, and so is a request that was not recorded.
        """
        from .. import faults
        from ..faults.faulty import Faulty
        from ..modes import use_cassette

        self._count()
        self._refusal = None
        self._quoted.clear()
        self._cassette = cassette = use_cassette(self.marking.path, **self._options())
        make = faults.cut if cut.way == "ended" else faults.reset
        # Next to the cassette: a request that another fault refuses is none of its exchanges.
        self._cut = interrupting = Faulty(cassette, make(cut.at, exchange=cut.exchange))
        self._faulty = Faulty(interrupting, *self.marking.faults) if self.marking.faults else None
        self.transport.change(self._faulty if self._faulty is not None else interrupting)
        yield
        self._check_interrupted(cassette, struck=bool(interrupting.struck))

    def _check_interrupted(self, cassette: CassetteTransport, *, struck: bool) -> None:
        self._complain(self._refusal)
        if not struck:
            self._complain(self._left_over(cassette))
            self._check_faults()

    def _left_over(self, cassette: CassetteTransport | Served) -> CassetteError | None:
        try:
            cassette.close()
        except CassetteError as error:
            return self._explain(error)
        return None

    def _options(self) -> dict[str, Any]:
        marking = self.marking
        return {
            "mode": self.mode,
            "match": marking.match,
            "redact": marking.redact,
            "pace": marking.pace,
            "in_order": marking.in_order,
        }

    def _make(self) -> Any:
        from ..modes import use_cassette

        with self._explained():
            self._cassette = use_cassette(self.marking.path, **self._options())
        if not self.marking.faults:
            return self._cassette
        from ..faults.faulty import Faulty

        self._faulty = Faulty(self._cassette, *self.marking.faults)
        return self._faulty

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except CassetteMissing:
            how = f"Record it with:\n  {self._command(_RECORD)}"
            if not self._wants_transport and self._wants_interruption:
                how = (
                    "This test sends nothing that could be recorded: let one that takes replay_client record it, and"
                    " give both the same name in their markers."
                )
            raise pytest.fail.Exception(f"there is no cassette at {self._shown()}. {how}", pytrace=False) from None

    # --- its end ---

    def end(self) -> None:
        """Close what is open, and say nothing: the test did not come to its end."""
        if not self._ended:
            self._abandon(pytest.skip.Exception("the test did not begin"))

    def drop(self) -> str:
        """Put the cassette back that was there before, because the test has failed, and say so; "" if there is no need.

        A test that is skipped halfway has recorded no more than one that fails.
        """
        self.end()
        if self._before is None:
            return ""
        try:
            done = self._before.put_back()
        except OSError as error:
            return f"What this test has recorded is no good, and {self._shown()} could not be put back: {error}"
        if not done:
            return ""
        if self._recorders.get(self.marking.path) == self.item.nodeid:
            del self._recorders[self.marking.path]
        self.counts |= {"recorded": 0, "dropped": self.counts["recorded"]}
        return f"What a failed test has recorded is not kept: {self._shown()} {done}."

    def _finish(self) -> None:
        self._ended = True
        if not self.asked:
            check_marker(self.item)
        complaint = self._refusal
        for closing in (self._cassette, self._server):
            if closing is not None:
                left_over = self._left_over(closing)
                complaint = complaint or left_over
        self._count()
        if self._cut is not None:  # each interruption has been looked at by itself
            return
        if complaint is not None and self._server is not None and self._unasked:
            complaint.args = (f"{complaint}\n{MADE_BEFORE}", *complaint.args[1:])
        self._complain(complaint)
        self._check_faults()
        if self.mode in ("record", "record-missing") and self._unasked:
            through, why = ("replay_server", MADE_BEFORE) if self._server is not None else ("the fixture", NOT_GIVEN)
            self._fail(f"nothing was sent through {through}, so there is nothing to play. {why}")

    @property
    def _unasked(self) -> bool:
        """Whether the test has something that answers, and nobody asked it."""
        if self._server is not None and self._server.refused:
            return False
        has = self._wants_transport or self._server is not None
        return has and not self.counts["played"] + self.counts["recorded"]

    def _complain(self, complaint: CassetteError | None) -> None:
        if complaint is not None:
            self.counts["left over"] = self._left()
            self._fail(str(complaint))

    def _check_faults(self) -> None:
        unstruck = self._faulty.unstruck if self._faulty is not None else ()
        if unstruck:
            self._fail(f"{self._shown()}: these faults did not happen:\n" + "\n".join(f"  {each}" for each in unstruck))

    def _abandon(self, error: BaseException) -> CassetteError | None:
        """Close what is open, and say what is known about the error by which the test has ended.

        What is returned is to be raised instead: that a request was refused is what has failed the test, whatever the
        program made of it.
        """
        self._ended = True
        if self._cassette is not None:
            self._cassette.__exit__(type(error), error, None)
        refusal = self._refusal
        if self._server is not None:
            try:
                other = self._left_over(self._server)
            except Exception as problem:  # noqa: BLE001  (the test has failed by another one, which says more)
                error.add_note(f"The replay server has failed, too: {type(problem).__name__}: {problem}")
            else:
                refusal = other if self._server.refused else None
        self._count()
        if isinstance(error, NetworkBlocked) and self._server is not None and self._unasked:
            error.add_note(MADE_BEFORE)
        if refusal is None or self._complained or isinstance(error, CassetteError) or not is_failure(error):
            return None
        return told_first(refusal, error, quoted=self._quoted)

    def _refused(self, error: CassetteError) -> None:
        """Keep the first one: the others follow from it. After an interruption, no request is wrong."""
        self._explain(error)
        if self._cut is None or not self._cut.struck:
            self._refusal = self._refusal or error

    def _explain(self, error: CassetteError) -> CassetteError:
        """Say what is to be done for this test, where the error says what is to be done in general."""
        self._quoted.append(str(error).partition("\n")[0])
        words = self._relative(str(error))
        if isinstance(error, (CassetteExhausted, RequestMismatch, UnplayedExchanges)):
            if self.mode == self.marking.mode:
                words = advised(words, command=self._command(_RECORD))
            else:
                words = shared(words, recorder=self._recorders[self.marking.path])
        error.args = (words, *error.args[1:])
        self._quoted.append(words.partition("\n")[0])
        return error

    def _count(self) -> None:
        """Add what was played and recorded with the present transport, once."""
        cassette: Any = self._cassette
        status: dict[str, Any] = {}
        if self._server is not None:
            status = self._server.status
        elif cassette is not None:
            status = {"played": cassette.played, "recorded": cassette.recorded}
        self.counts["played"] += status.get("played", 0)
        self.counts["recorded"] += status.get("recorded", 0)
        if status.get("recorded", 0):
            self._recorders[self.marking.path] = self.item.nodeid

    def _left(self) -> int:
        if self._server is None:
            return self._cassette.left if self._cassette is not None else 0
        status: dict[str, Any] = self._server.status
        takes: dict[str, Any] = status.get("takes", {})
        return sum(take["exchanges"] - take["played"] for take in takes.get("unfinished", ())) or status.get("left", 0)

    def _fail(self, message: str) -> None:
        self._complained = True
        raise pytest.fail.Exception(message, pytrace=False)

    def _relative(self, words: str) -> str:
        return words.replace(str(self.marking.path), self._shown())

    def _shown(self) -> str:
        path, root = self.marking.path, self.item.config.rootpath
        return str(path.relative_to(root) if path.is_relative_to(root) else path)

    def _command(self, *options: str) -> str:
        return command_for(self.item, *options)
