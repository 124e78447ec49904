"""Where a transport goes when it is sent elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ...errors import TransportError
from ..servers import LoopbackServer, head
from .base import KEY, Checks, a_request, failing, require, secrets_for

if TYPE_CHECKING:
    from .callers import Caller

__all__ = ["Redirects"]


class Redirects(Checks):
    """Redirects are followed, and secrets are not sent along."""

    @pytest.mark.parametrize(
        ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
    )
    def test_redirects_are_followed(self, caller: Caller, status: int, method: str) -> None:
        """Within the origin with the secrets; 307 and 308 send the body again, the others make a GET of it."""
        pieces = (b'{"contents":[', b"x" * 70_000, b"]}")
        with LoopbackServer() as server:
            server.on("/old", [head(status, content_length=2, location="/new?b=2"), b"no"])
            server.on("/new", [head(content_length=3), b"yes"])
            got = caller.fetch(a_request(server, "/old?a=1", *pieces), secrets_for(server))
            require(got == b"yes", f"a {status} was not followed: {got!r}")
            second = server.received[-1]
        require((second.method, second.target) == (method, "/new?b=2"), f"{second.method} {second.target} was sent")
        require(second.header("x-goog-api-key") == KEY, "the secrets were not sent to their own origin")
        body = b"".join(pieces) if method == "POST" else b""
        require(second.body == body, f"{len(second.body)} bytes were sent after a {status}")

    def test_redirects_take_no_secrets_along(self, caller: Caller) -> None:
        """L15: another origin gets the request without the secrets, whatever the status; and the own one gets them
        again.
        """
        with LoopbackServer() as server, LoopbackServer() as other:
            for status in (302, 307):
                server.on("/old", [head(status, content_length=0, location=other.url("/new"))])
                other.on("/new", [head(307, content_length=0, location=server.url("/back"))])
                server.on("/back", [head(content_length=3), b"yes"])
                got = caller.fetch(a_request(server, "/old", b"{}"), secrets_for(server))
                require(got == b"yes", f"a {status} to another origin was not followed: {got!r}")
                require(KEY not in repr(other.received[-1]), "the key was sent to another origin")
                require(server.received[-1].header("x-goog-api-key") == KEY, "its own origin did not get the key again")

    def test_redirects_that_lead_nowhere(self, caller: Caller) -> None:
        """A loop ends with a TransportError, as does what is not HTTP; without a Location it is a response."""
        with LoopbackServer() as server:
            server.on("/loop", [head(302, content_length=0, location="/loop")])
            with failing(TransportError, "redirects in a circle"):
                caller.fetch(a_request(server, "/loop"), secrets_for(server))
            for location in ("file:///etc/passwd", "http://[::1"):
                server.on("/odd", [head(302, content_length=0, location=location)])
                with failing(TransportError, f"a redirect to {location}"):
                    caller.fetch(a_request(server, "/odd"), secrets_for(server))
            server.on("/bare", [head(302, content_length=0)])
            with caller.open(a_request(server, "/bare"), secrets_for(server)) as response:
                require(response.status == 302, "a redirect without a Location is a response")
