"""What a transport sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ...errors import TransportError
from ...transport import Secrets
from ...wire.http import Request
from ..servers import LoopbackServer, head
from .base import KEY, Checks, a_request, failing, require, secrets_for

if TYPE_CHECKING:
    from .callers import Caller

__all__ = ["Sending"]

_LIBRARYS_OWN = frozenset({"host", "connection", "accept", "accept-encoding", "content-length"})


class Sending(Checks):
    """What is sent is what was given."""

    def test_headers_are_those_given(self, caller: Caller) -> None:
        """The request's headers and those of its secrets are sent, once each; the library adds only what HTTP needs."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=0)])
            request = a_request(server, "/", b"{}")
            caller.fetch(request, secrets_for(server))
            sent = [pair for pair in server.received[0].headers if pair[0] not in _LIBRARYS_OWN]
            expected = [*request.headers, ("x-goog-api-key", KEY)]
            require(sorted(sent) == sorted(expected), f"the headers were {sent}, not {expected}")

    @pytest.mark.parametrize("size", [0, 10, 300_000])
    def test_pieces_of_a_body_are_one_body(self, caller: Caller, size: int) -> None:
        """The pieces are sent one after the other, under one Content-Length, whether they are small or large."""
        pieces = (b'{"contents":[', b"x" * size, b"", b"y" * size, b"]}")
        with LoopbackServer() as server:
            server.on("/", [head(content_length=0)])
            caller.fetch(a_request(server, "/", *pieces), secrets_for(server))
            (received,) = server.received
        require(received.body == b"".join(pieces), f"{len(received.body)} bytes came, not {sum(map(len, pieces))}")
        length = received.header("content-length")
        require(length == str(len(received.body)), f"content-length was {length}")
        require(received.header("transfer-encoding") is None, "the body was sent in chunks")

    def test_a_request_without_a_body(self, caller: Caller) -> None:
        """Without a body none is sent, and no type of one."""
        with LoopbackServer() as server:
            server.on("/", [head(content_length=2), b"ok"])
            for method in ("GET", "POST", "DELETE"):
                request = Request(method=method, url=server.url("/?a=1&b=%2F"), timeout=10)
                require(caller.fetch(request, secrets_for(server)) == b"ok", f"the answer to {method} did not come")
                received = server.received[-1]
                require((received.method, received.body) == (method, b""), f"{method}: {received.method} came")
                require(received.target == "/?a=1&b=%2F", f"the URL was changed: {received.target}")
                require(received.header("content-type") is None, f"{method} had a content-type without a body")

    def test_what_cannot_be_sent(self, caller: Caller) -> None:
        """A request that HTTP cannot carry is the program's error, not a TransportError: trying again is no use.

        Nothing is sent, and the value is not quoted.
        """
        with LoopbackServer() as server:
            for value in (f"{KEY}\r\nx-evil: 1", f"{KEY}\N{SNOWMAN}"):
                secrets = Secrets({"x-goog-api-key": value}, url=server.url("/"))
                with failing(Exception, "a header with a line break or a snowman", but_not=TransportError):
                    caller.fetch(a_request(server, "/"), secrets)
            for url in ("ftp://127.0.0.1/", "http://", "http://[::1"):
                with failing(Exception, f"the URL {url}", but_not=TransportError):
                    caller.fetch(Request(method="GET", url=url), secrets_for(server))
            require(not server.received, "something was sent")

    def test_proxies_of_the_environment(self, caller: Caller) -> None:
        """http_proxy and no_proxy are honoured (unless ``uses_environment`` is False)."""
        if not self.uses_environment:
            pytest.skip("this transport does not look at the environment")
        with LoopbackServer() as proxy, LoopbackServer() as server, pytest.MonkeyPatch.context() as patch:
            patch.setenv("http_proxy", proxy.url("/"))
            patch.setenv("no_proxy", "127.0.0.1")
            proxy.on("http://nowhere.invalid/path", [head(content_length=7), b"proxied"])
            server.on("/", [head(content_length=6), b"direct"])
            request = Request(method="POST", url="http://nowhere.invalid/path?a=1", body=(b"{}",), timeout=5)
            through = caller.fetch(request, Secrets({}, url=request.url))
            require(through == b"proxied", "the proxy was not asked")
            require(caller.fetch(a_request(server, "/"), secrets_for(server)) == b"direct", "no_proxy was not honoured")
