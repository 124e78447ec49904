"""What the authors of transports run: the contract of ``chatproto.transport``, as tests against real sockets.

::

    from chatproto.testing.conformance import TransportConformance


    class TestMine(TransportConformance):  # pytest collects its test_ methods
        def transport(self):
            return MyTransport()

Each check says in its docstring which rule it checks. It runs synchronously and under asyncio, as far as the transport
offers both, and needs nothing but loopback and pytest. Where a rule cannot hold for a transport, its check is left out
by setting it to None in the class; ``uses_environment = False`` is for one that takes no proxy from the environment.

A check can be run by itself, too::

    suite = TestMine()
    with suite.calling("async") as caller:
        suite.test_discard(caller)
"""

from __future__ import annotations

from .checks.base import KEY
from .checks.callers import Caller, Mode
from .checks.connections import Connections
from .checks.failing import Failing
from .checks.loops import Loops
from .checks.receiving import Receiving
from .checks.redirects import Redirects
from .checks.sending import Sending

__all__ = ["KEY", "Caller", "Mode", "TransportConformance"]


class TransportConformance(Sending, Receiving, Failing, Redirects, Connections, Loops):
    """All checks. Derive from it and say in ``transport`` how a transport is made."""
