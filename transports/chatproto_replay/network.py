"""Keeps a program off the network while it should be played to: an audit hook refuses every way out.

Nothing of ``socket`` is replaced. Python itself asks the hook before it connects, sends a datagram or looks a name up,
whatever library does it. What does not go through Python's sockets, as another process or uvloop, is not seen.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import NetworkBlocked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["NetworkBlock", "NetworkBlocked", "network_blocked"]


@contextmanager
def network_blocked(allow_hosts: str | Iterable[str] = (), *, advice: str = "") -> Generator[NetworkBlock]:
    """Inside the block, in all threads, whoever leaves this machine gets NetworkBlocked.

    Loopback, Unix sockets and this machine's own name are free. So are ``allow_hosts``: names, addresses, or patterns
    such as ``*.example.com``, many or one. ``advice`` ends the message: what to do about it. Where blocks are nested,
    the inner one holds.

    There are programs that take any exception for a lost connection, and go on: the block's ``refused`` tells what it
    refused first, also after its end.
    """
    block = NetworkBlock(allow_hosts, advice)
    _install()
    with _lock:
        _blocks.append(block)
    try:
        yield block
    finally:
        with _lock:
            _blocks.remove(block)


# --- the hook -----------------------------------------------------------------------------------------------------

_blocks: list[NetworkBlock] = []
_lock = threading.Lock()
_installed: list[bool] = []
_NAMES = ("socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname")
_EVENTS = frozenset({*_NAMES, "socket.connect", "socket.getnameinfo", "socket.sendmsg", "socket.sendto"})


def _install() -> None:
    """Add the hook, once: Python never lets go of one."""
    with _lock:
        if not _installed:
            _installed.append(True)
            sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    innermost = _blocks[-1:]  # in one step: a block may end in another thread meanwhile
    if not innermost:
        return
    block = innermost[0]
    match arguments:
        case (host, *_) if event in _NAMES:
            block.check_name(host)
        case (*_, (str() | bytes() as host, int(), *_)):
            block.check_address(host)
        case _:  # a Unix socket, or a datagram over a socket that is connected already
            return


class NetworkBlock:
    """What is free during one block. ``refused`` is its first refusal, or None."""

    def __init__(self, allow_hosts: str | Iterable[str], advice: str) -> None:
        self.refused: NetworkBlocked | None = None
        patterns = [allow_hosts] if isinstance(allow_hosts, str) else allow_hosts
        self._patterns = [pattern.lower() for pattern in patterns]
        self._advice = advice
        self._addresses: set[str] = set()  # of the names that are free
        self._resolving = threading.local()

    def check_name(self, name: Any) -> None:
        """A name, or an address as text, is about to be looked up."""
        host = _text(name)
        if _is_local(host) or getattr(self._resolving, "now", False):
            return
        if not self._is_free(host):
            self._refuse(host)
        self._resolving.now = True
        try:
            # The connection will be to an address: nobody tells the hook what the look-up it allows will find.
            self._addresses.update(str(found[4][0]) for found in socket.getaddrinfo(host, None))
        except OSError:
            return
        finally:
            self._resolving.now = False

    def check_address(self, address: Any) -> None:
        """A connection is about to be made, or a datagram sent."""
        host = _text(address)
        if not _is_local(host) and host not in self._addresses and not self._is_free(host):
            self._refuse(host)

    def _is_free(self, host: str) -> bool:
        if host == socket.gethostname().lower():  # whoever makes a message ID asks for it
            return True
        return any(fnmatch.fnmatchcase(host, pattern) for pattern in self._patterns)

    def _refuse(self, host: str) -> None:
        advice = f" {self._advice}" if self._advice else ""
        words = f"the network is blocked while recordings are played: {host} was asked for.{advice}"
        if self.refused is None:
            self.refused = NetworkBlocked(words, host=host)  # one without the frames of the program
        raise NetworkBlocked(words, host=host)


def _text(host: Any) -> str:
    if host is None:
        return ""
    text = host.decode("utf-8", "replace") if isinstance(host, bytes) else str(host)
    return text.rstrip(".").lower()


def _is_local(host: str) -> bool:
    """Whether a name or an address is this machine's own, without looking it up."""
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_unspecified)
