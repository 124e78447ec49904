"""The network is blocked by an audit hook: who asks for another host learns it at once, through any library."""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import pytest
import requests

import chatproto
from chatproto.testing.servers import LoopbackServer, head
from chatproto.testing.wire import text_response
from chatproto.wire.json_codec import encode
from chatproto_replay import CassetteError
from chatproto_replay.network import NetworkBlocked, network_blocked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST = "generativelanguage.googleapis.com"
ADDRESS = "203.0.113.7"  # for documentation: nobody has it


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries go where the URL says."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def connect(address: Any, family: int = socket.AF_INET) -> None:
    """As a library would."""
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(0.05)
        made.connect(address)


def send(address: Any, *, message: bool = False) -> None:
    """A datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        if message:
            made.sendmsg([b"x"], [], 0, address)
        else:
            made.sendto(b"x", address)


WAYS_OUT: dict[str, Callable[[], Any]] = {
    "connect": lambda: connect((ADDRESS, 443)),
    "connect, IPv6": lambda: connect(("2001:db8::7", 443, 0, 0), socket.AF_INET6),
    "connect_ex": lambda: socket.socket().connect_ex((ADDRESS, 443)),
    "create_connection": lambda: socket.create_connection((HOST, 443)),
    "sendto": lambda: send((ADDRESS, 53)),
    "sendmsg": lambda: send((ADDRESS, 53), message=True),
    "getaddrinfo": lambda: socket.getaddrinfo(HOST, 443),
    "gethostbyname": lambda: socket.gethostbyname(HOST),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(HOST),
    "gethostbyaddr": lambda: socket.gethostbyaddr(ADDRESS),
    "gethostbyaddr, by name": lambda: socket.gethostbyaddr(HOST),
    "getnameinfo": lambda: socket.getnameinfo((ADDRESS, 443), 0),
    "getnameinfo, IPv6": lambda: socket.getnameinfo(("2001:db8::7", 443, 0, 0), 0),
}


@pytest.mark.parametrize("way", WAYS_OUT.values(), ids=WAYS_OUT)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_way_out(way: Callable[[], Any]) -> None:
    """The error names the host, and says what to do."""
    with network_blocked(advice="Record first."), pytest.raises(NetworkBlocked) as caught:
        way()
    assert caught.value.host in (HOST, ADDRESS, "2001:db8::7")
    assert str(caught.value) == (
        f"the network is blocked while recordings are played: {caught.value.host} was asked for. Record first."
    )
    assert isinstance(caught.value, CassetteError)
    assert not isinstance(caught.value, OSError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.host) == (str(caught.value), caught.value.host)


def test_what_is_free(tmp_path: Path) -> None:
    """Loopback in all its spellings, Unix sockets, listening, and datagrams to oneself."""
    with network_blocked(), LoopbackServer() as server:
        server.on("/", [head(content_length=2), b"ok"])
        for name in ("127.0.0.1", "localhost", b"localhost", "LOCALHOST", "127.9.9.9", "::1", None):
            socket.getaddrinfo(name, 80)
        connect(("127.0.0.1", server.port))
        connect(("localhost", server.port))
        send(("127.0.0.1", 9))
        with urllib.request.urlopen(server.url("/")) as response:
            assert response.read() == b"ok"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "socket"))
            listening.listen()
            connect(str(tmp_path / "socket"), socket.AF_UNIX)
        with socket.socket(socket.AF_INET6) as mapped, pytest.raises(ConnectionRefusedError):
            mapped.connect(("::ffff:127.0.0.1", 1, 0, 0))


def free(action: Callable[[], Any]) -> bool:
    """Whether it is let through; what becomes of it then is another matter."""
    try:
        action()
    except NetworkBlocked:
        return False
    except OSError:
        return True
    return True


def test_hosts_that_are_allowed() -> None:
    """Names, addresses and patterns; of a name that is allowed, the addresses too; and nothing else."""
    with network_blocked(["Db.Example.invalid", "*.internal.invalid", ADDRESS]):
        assert free(lambda: socket.getaddrinfo("db.example.invalid", 1))
        assert free(lambda: socket.getaddrinfo("a.internal.invalid", 1))
        assert free(lambda: connect((ADDRESS, 443)))
        assert not free(lambda: socket.getaddrinfo("example.invalid", 1))
        assert not free(lambda: connect(("203.0.113.8", 443)))


def test_one_host_as_a_text() -> None:
    """It is one name or pattern, not as many as it has characters."""
    with network_blocked("*.internal.invalid"):
        assert free(lambda: socket.getaddrinfo("a.internal.invalid", 1))
        assert not free(lambda: connect((ADDRESS, 443)))
    with network_blocked(ADDRESS):
        assert free(lambda: connect((ADDRESS, 443)))


def test_this_machine() -> None:
    """Its own name may be asked for: ``email.utils.make_msgid`` and servers do."""
    with network_blocked() as block:
        assert free(lambda: socket.gethostbyaddr("127.0.0.1"))
        assert free(lambda: socket.getnameinfo(("127.0.0.1", 80), 0))
        socket.getfqdn()
        assert free(lambda: socket.getaddrinfo(socket.gethostname(), 80))
    assert block.refused is None


def test_what_was_refused_first() -> None:
    """A block tells it, also after its end, for programs that go on as if a connection had been lost."""
    with network_blocked(advice="Record first.") as outer:
        assert outer.refused is None
        with network_blocked() as inner:
            assert not free(lambda: connect((ADDRESS, 443)))
            assert not free(lambda: socket.getaddrinfo(HOST, 443))
        assert outer.refused is None
        thread = threading.Thread(target=lambda: free(lambda: socket.getaddrinfo(HOST, 443)))
        thread.start()
        thread.join()
    assert inner.refused is not None
    assert inner.refused.host == ADDRESS
    assert outer.refused is not None
    assert str(outer.refused).endswith(f"{HOST} was asked for. Record first.")
    assert outer.refused.__traceback__ is None


def test_the_addresses_of_a_name_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the look-up finds may be connected to, though nobody named it."""

    def answer(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        sys.audit("socket.getaddrinfo", host, port, 0, 0, 0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESS, 1))] if host == "db.example.invalid" else []

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with network_blocked(["db.example.invalid", "other.invalid"]):
        assert not free(lambda: connect((ADDRESS, 443)))
        socket.getaddrinfo("other.invalid", 1)
        assert not free(lambda: connect((ADDRESS, 443)))
        socket.getaddrinfo("db.example.invalid", 1)
        assert free(lambda: connect((ADDRESS, 443)))


def test_blocks_in_blocks() -> None:
    """The inner one holds, and each ends with its ``with``; a block that an exception ends is ended too."""
    with network_blocked():
        with network_blocked([ADDRESS]):
            assert free(lambda: connect((ADDRESS, 443)))
        assert not free(lambda: connect((ADDRESS, 443)))
        with pytest.raises(KeyError), network_blocked([ADDRESS]):
            raise KeyError
        assert not free(lambda: connect((ADDRESS, 443)))
    assert free(lambda: connect((ADDRESS, 443)))


def test_other_threads() -> None:
    """A library that works in threads of its own is blocked as well."""
    found: list[bool] = []
    with network_blocked():
        thread = threading.Thread(target=lambda: found.append(free(lambda: socket.getaddrinfo(HOST, 443))))
        thread.start()
        thread.join()
    assert found == [False]


# --- HTTP libraries -------------------------------------------------------------------------------------------------


async def through_aiohttp(url: str) -> None:
    """One request."""
    async with aiohttp.ClientSession() as session, session.get(url):
        pass


async def through_async(library: Any, url: str) -> None:
    """One request."""
    async with library.AsyncClient() as client:
        await client.get(url)


LIBRARIES: dict[str, Callable[[str], Any]] = {
    "urllib": lambda url: urllib.request.urlopen(url),
    "requests": lambda url: requests.get(url, timeout=5),
    "httpx": lambda url: httpx.get(url),
    "httpx2": lambda url: httpx2.get(url),
    "httpx, async": lambda url: asyncio.run(through_async(httpx, url)),
    "httpx2, async": lambda url: asyncio.run(through_async(httpx2, url)),
    "aiohttp": lambda url: asyncio.run(through_aiohttp(url)),
}


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_libraries_pass_it_on(library: Callable[[str], Any]) -> None:
    """By name and by address, it reaches the program as it is: nobody takes it for a lost connection."""
    with network_blocked():
        with pytest.raises(NetworkBlocked, match=HOST):
            library(f"http://{HOST}/")
        with pytest.raises((NetworkBlocked, ExceptionGroup)) as caught:  # anyio connects in a group of tasks
            library(f"http://{ADDRESS}/")
    found: Any = caught.value
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, NetworkBlocked)
    assert found.host == ADDRESS


@pytest.mark.parametrize("transport", ["requests", "httpx"])
def test_chatproto_does_not_try_again(transport: str) -> None:
    """A client with retries asks once."""
    asked: list[str] = []

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo" and arguments[0] == "one.example.invalid":
            asked.append(event)

    sys.addaudithook(count)
    options = {"base_url": "http://one.example.invalid/", "retry_options": {"attempts": 4}}
    client = chatproto.Client(api_key="k", http_options=options, transport=transport)
    with network_blocked(), pytest.raises(NetworkBlocked):
        client.chats.create(model="m").send_message("q")
    assert len(asked) <= 1  # none if the hook that blocks was asked first
    client.close()


def test_a_server_on_loopback_is_reached() -> None:
    """Under the block, and through each library."""
    body = encode(text_response("fine"))
    with LoopbackServer() as server:
        server.on("/", [head(content_length=len(body)), body])
        with network_blocked():
            for library in LIBRARIES.values():
                got = library(server.url("/"))
                if hasattr(got, "close"):
                    got.close()
        assert len(server.received) == len(LIBRARIES)


def test_nothing_is_hooked_before_the_first_block() -> None:
    """A program that never blocks has no hook: importing the module adds none."""
    script = """
import sys
added = []
sys.addaudithook(lambda event, _: added.append(event) if event == "sys.addaudithook" else None)
from chatproto_replay.network import network_blocked
assert not added, added
for _ in range(2):
    with network_blocked():
        pass
assert len(added) == 1, added
"""
    subprocess.run([sys.executable, "-c", script], check=True)
