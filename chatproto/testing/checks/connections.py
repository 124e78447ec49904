"""What a transport does with its connections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from ...errors import ConnectionLost, LocalProtocolError
from ..servers import CLOSE, LoopbackServer, Received, chunk, head
from .base import AT_ONCE, FOR_EVER, KEY, Checks, a_request, failing, no_warnings, require, secrets_for

if TYPE_CHECKING:
    from .callers import Caller, Mode

__all__ = ["Connections"]


class Connections(Checks):
    """They are kept, given up and closed as they should be."""

    def test_connections_are_used_again(self, caller: Caller) -> None:
        """Leaving the context manager after the end of the body gives the connection back for reuse."""
        with LoopbackServer() as server:
            server.on("/chunked", [head(chunked=True), chunk(b"ab"), chunk()])
            server.on("/length", [head(content_length=2), b"ab"])
            for path in ("/chunked", "/length", "/chunked"):
                require(caller.fetch(a_request(server, path, b"{}"), secrets_for(server)) == b"ab", "no answer")
            require(server.connections == 1, f"{server.connections} connections were made for three requests")

    def test_discard(self, caller: Caller) -> None:
        """``discard`` gives the connection up at once, without waiting for the body; it may be repeated."""
        with LoopbackServer() as server:
            server.on("/", [head(chunked=True), chunk(b"ab"), FOR_EVER, CLOSE])
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                require(response.read() == b"ab", "nothing was read")
                began = time.monotonic()
                response.discard()
                response.discard()
                took = time.monotonic() - began
                require(took < AT_ONCE, f"it took {took:.2f} s")
                require(caller.until_idle(server), "the server still has the connection")
                with failing(ConnectionLost, "a read after discard"):
                    response.read()
            server.on("/", [head(content_length=2), b"cd"])
            got = caller.fetch(a_request(server, "/"), secrets_for(server))
            require(got == b"cd", f"the next request got {got!r}")

    def test_discard_before_and_after_the_body(self, caller: Caller) -> None:
        """``discard`` may be called at any time: before the first piece, and after the last."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=2), 0.05, b"ab"])
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                response.discard()
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                caller.drain(response)
                response.discard()
                require(response.read() == b"", "the end of a body is its end, also after discard")
            require(caller.fetch(a_request(server, "/"), secrets_for(server)) == b"ab", "the next request failed")

    @pytest.mark.parametrize("framing", ["chunked", "content-length", "until-close"])
    def test_discard_wakes_the_reader(self, caller: Caller, framing: str) -> None:
        """From another thread or task: the one who waits in ``read`` gets ConnectionLost, the other does not wait."""
        opening = {
            "chunked": head(chunked=True) + chunk(b"ab"),
            "content-length": head(content_length=99) + b"ab",
            "until-close": head(connection="close") + b"ab",
        }[framing]
        with LoopbackServer() as server:
            server.on("/", [opening, FOR_EVER, CLOSE])
            with caller.open(a_request(server, "/", timeout=20), secrets_for(server)) as response:
                require(response.read() == b"ab", "nothing was read")
                outcome, took = caller.discard_while_reading(response)
                require(took < AT_ONCE, f"discard took {took:.2f} s")
                require(outcome is not None, "the reader waits still")
                require(isinstance(outcome, ConnectionLost), f"the reader got {outcome!r}")
                require(KEY not in str(outcome), "the key is in the error")
                require(caller.until_idle(server), "the server still has the connection")

    def test_leaving_early(self, caller: Caller) -> None:
        """Leaving the context manager before the end of the body does not read the rest, and spoils no connection."""
        with LoopbackServer() as server:
            server.on("/", [head(chunked=True), chunk(b"ab"), FOR_EVER, CLOSE])
            began = time.monotonic()
            with caller.open(a_request(server, "/"), secrets_for(server)) as response:
                response.read()
            with caller.open(a_request(server, "/"), secrets_for(server)):
                pass
            took = time.monotonic() - began
            require(took < AT_ONCE, f"leaving took {took:.2f} s")
            require(caller.until_idle(server), "the server still has a connection")
            server.on("/", [head(content_length=2), b"cd"])
            got = caller.fetch(a_request(server, "/"), secrets_for(server))
            require(got == b"cd", f"the next request got {got!r}")

    def test_many_at_once(self, caller: Caller) -> None:
        """Threads or tasks share one transport; each gets its own answer, and none waits for another."""

        def answer(received: Received) -> list[Any]:
            return [0.2, head(content_length=len(received.body)), received.body]

        with LoopbackServer() as server:
            server.on("/echo", answer)
            bodies = [f"request {number}".encode() for number in range(20)]
            began = time.monotonic()
            got = caller.fetch_all([a_request(server, "/echo", body) for body in bodies], secrets_for(server))
            took = time.monotonic() - began
        require(got == bodies, f"answers were mixed up, or lost: {[each for each in got if each not in bodies][:3]}")
        require(took < 0.2 * len(bodies) / 2, f"20 requests of 0.2 s took {took:.1f} s: they wait for each other")

    def test_closing(self, caller: Caller) -> None:
        """``close`` closes idle connections, may be repeated, and after it ``open`` raises LocalProtocolError."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=2), b"ab"])
            caller.fetch(a_request(server, "/"), secrets_for(server))
            caller.close()
            caller.close()
            require(caller.until_idle(server), "an idle connection is still open")
            with failing(LocalProtocolError, "open after close"):
                caller.fetch(a_request(server, "/"), secrets_for(server))

    def test_nothing_is_left_open(self, mode: Mode) -> None:
        """A transport that was used and closed leaves nothing that Python would warn of."""
        with LoopbackServer() as server, no_warnings("after close"):
            server.on("/", [head(content_length=2), b"ab"])
            server.on("/long", [head(chunked=True), chunk(b"ab"), FOR_EVER, CLOSE])
            with self.calling(mode) as caller:
                caller.fetch(a_request(server, "/"), secrets_for(server))
                with caller.open(a_request(server, "/long"), secrets_for(server)) as response:
                    response.read()
                    response.discard()
            del caller, response
