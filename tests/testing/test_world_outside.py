"""What is outside in a pretend world: names, connecting, TLS, proxies, given sockets."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from lomond import WebSocket
from lomond.testing import pretend
from lomond.testing.peer import Peer, Say, Talk
from testing.worlds import (
    URL,
    Plays,
    every_program,
    greets,
    names_of,
    never,
    never_runs,
    no_network as no_network,
    refuses,
)

pytestmark = pytest.mark.usefixtures("no_network")
OPENED = ["connecting", "connected", "ready"]


def test_a_server_for_one_host() -> None:
    one = Plays(greets, host="one.example")
    other = Plays(greets, host="Other.example:8080")
    with pretend(other, one, Plays(refuses)) as world:
        assert "text" in names_of(list(WebSocket("wss://one.example/")))
        assert "text" in names_of(list(WebSocket("ws://other.example:8080/")))
        assert "rejected" in names_of(list(WebSocket("ws://other.example/")))
    assert [end.url for end in world.connections] == [
        "wss://one.example/",
        "ws://other.example:8080/",
        "ws://other.example/",
    ]


def connected(url: str, **options: Any) -> Any:
    """The Connected event, or the one that came instead."""
    for event in WebSocket(url, **options):
        if event.name in ("connected", "connect_fail"):
            return event
    raise AssertionError(url)


def test_names_have_the_addresses_that_are_told() -> None:
    names: dict[str, Any] = {
        "one.example": ["2001:db8::1", "192.0.2.7"],
        "two.example": "192.0.2.8",
        "none.example": [],
        "unknown.example": None,
    }
    with pretend(*[Plays(greets)] * 5, names=names):
        assert connected("ws://one.example/").address == "[2001:db8::1]:80"
        assert connected("wss://TWO.example/").address == "192.0.2.8:443"
        assert connected("ws://three.example/").address == "192.0.2.1:80"
        assert connected("ws://four.example/").address == "192.0.2.2:80"
        assert connected("ws://three.example:8/").address == "192.0.2.1:8"
        for name in ("none", "unknown"):
            failed = connected(f"ws://{name}.example/")
            assert failed.phase == "resolve"
            assert isinstance(failed.cause, socket.gaierror)
            assert "unable to resolve host name" in failed.reason


@pytest.mark.parametrize("host", ["198.51.100.1", "[2001:db8::2]"])
def test_an_address_is_its_own(host: str) -> None:
    with pretend(Plays(greets)):
        assert connected(f"ws://{host}/").address == f"{host}:80"


def test_names_that_have_no_addresses() -> None:
    with pytest.raises(ValueError, match=r"names\['a.example'\] has 'b.example', which is no addr"):
        pretend(names={"a.example": ["b.example"]})


def test_tls_is_pretended() -> None:
    secured: list[Any] = []
    with pretend(Plays(greets), Plays(greets)):
        for url in (URL, "ws://feed.example/"):
            secured += [event for event in WebSocket(url) if event.name == "connected"]
    assert [event.tls is not None for event in secured] == [True, False]
    assert secured[0].tls.version == "TLSv1.3"


@every_program
def test_tls_that_fails(program: Any) -> None:
    error = ssl.SSLError(1, "wrong version number")
    with pretend(Plays(greets, tls_error=error)):
        seen = program(never)
    assert names_of(seen) == ["connecting", "connect_fail"]
    assert (seen[-1].phase, seen[-1].cause) == ("tls", error)


@every_program
def test_connecting_that_fails(program: Any) -> None:
    error = OSError(113, "No route to host")
    with pretend(Plays(never_runs, connect_error=error)) as world:
        seen = program(never)
    assert names_of(seen) == ["connecting", "connect_fail"]
    assert (seen[-1].phase, seen[-1].cause) == ("connect", error)
    assert world.seconds < 1


@every_program
def test_a_server_that_does_not_answer(program: Any) -> None:
    with pretend(Plays(never_runs, connect_error=TimeoutError())) as world:
        seen = program(never)
    assert names_of(seen) == ["connecting", "connect_fail"]
    assert "not done within open_timeout (30 s)" in seen[-1].reason
    assert world.seconds == pytest.approx(30, abs=1)


def test_each_address_is_tried() -> None:
    names = {"feed.example": ["192.0.2.7", "192.0.2.8"]}
    refused = Plays(never_runs, connect_error=ConnectionRefusedError(111, "Connection refused"))
    with pretend(refused, names=names):
        failed = connected(URL)
    assert [attempt.address for attempt in failed.timings.attempts] == [
        "192.0.2.7:443",
        "192.0.2.8:443",
    ]


def test_proxies_of_the_environment_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with pretend(Plays(greets)) as world:
        assert connected(URL).proxy is None
    assert world.connections[0].url == URL


def test_a_proxy_that_is_given_is_a_server() -> None:
    def tunnels(peer: Peer) -> Talk:
        yield from peer.read_request()
        assert peer.request.startswith(b"CONNECT feed.example:443 ")
        yield Say(b"HTTP/1.1 200 OK\r\n\r\n")
        yield from greets(peer)

    proxies = {"https": "http://proxy.example:3128"}
    with pretend(Plays(tunnels, host="proxy.example")) as world:
        names = names_of(list(WebSocket(URL, proxies=proxies)))
    assert "text" in names
    assert world.connections[0].url == "proxy.example:3128"


def test_a_redirect_is_another_connection() -> None:
    def sends_on(peer: Peer) -> Talk:
        yield from peer.read_request()
        head = b"HTTP/1.1 307 There\r\nLocation: wss://there.example/\r\nContent-Length: 0\r\n\r\n"
        yield Say(head)

    with pretend(Plays(sends_on), Plays(greets, host="there.example")):
        assert "text" in names_of(list(WebSocket(URL, max_redirects=1)))


def test_a_given_socket_is_played_too() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pretend(Plays(greets)):
        names = names_of(list(WebSocket(URL, socket=ours)))
        assert ours.fileno() == -1
    assert "text" in names


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are none here")
def test_a_unix_socket_is_played_too() -> None:
    with pretend(Plays(greets, host="peer.example")):
        names = names_of(list(WebSocket("ws://peer.example/", unix_socket="/nowhere")))
    assert "text" in names
