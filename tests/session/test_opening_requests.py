"""What an opening asks of its door, request by request, with each deadline. In pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond.options import Timing
from lomond.proxies import parse_proxy
from lomond.session.requests import (
    Adopt,
    Ask,
    Drop,
    Hangup,
    Race,
    Read,
    Resolve,
    Send,
    StartTLS,
)
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Hear, Peer, Say, Talk

RACE_DELAY = 0.25
OK = b"HTTP/1.1 200 Connection established\r\n\r\n"
DIGEST = (
    b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n"
    b'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256\r\n\r\n'
)


class Recording(PretendDoor):
    """A door that tells what it was asked for; its user closes at Ready.

    Connecting and Connected each take their handler a second.
    """

    def run(self) -> list[Any]:
        def act(door: PretendDoor, event: Any) -> None:
            if event.name in ("connecting", "connected"):
                door.spend(1.0)
            elif event.name == "ready":
                door.force_disconnect()

        self.play(act)
        return [
            ("ask", request.deadline) if isinstance(request, Ask) else request
            for request in self.asked
            if not isinstance(request, Hangup)
        ]


def serves(*answers: bytes) -> Callable[[Peer], Talk]:
    """A proxy that gives these answers, and then a server that upgrades."""

    def talk(peer: Peer) -> Talk:
        for answer in answers:
            yield Hear()
            yield Say(answer)
        yield from peer.upgrade()

    return talk


def addresses(port: int) -> list[Any]:
    return [("inet", "stream", 0, "", ("192.0.2.1", port))]


#: The handler of Connecting took a second: the deadline counts from there.
each_deadline = pytest.mark.parametrize(
    ("timeout", "deadline"), [(10, 11.0), (None, None)], ids=["a deadline", "none"]
)


@each_deadline
def test_plain(timeout: float | None, deadline: float | None) -> None:
    door = Recording(serves(), timing=Timing(open_timeout=timeout))
    assert door.run() == [
        ("ask", deadline),
        Resolve("peer", 80, deadline),
        Race(addresses(80), RACE_DELAY, deadline),
        Send(deadline),
        Read(deadline),
        Send(None, waits=False),
    ]


@each_deadline
def test_tls(timeout: float | None, deadline: float | None) -> None:
    door = Recording(serves(), timing=Timing(open_timeout=timeout), secure=True)
    assert door.run() == [
        ("ask", deadline),
        Resolve("peer", 443, deadline),
        Race(addresses(443), RACE_DELAY, deadline),
        StartTLS("peer", deadline, peer=("peer", 443, None)),
        Send(deadline),
        Read(deadline),
        Send(None, waits=False),
    ]


@each_deadline
def test_a_given_socket(timeout: float | None, deadline: float | None) -> None:
    door = Recording(serves(), timing=Timing(open_timeout=timeout), has_socket=True)
    assert door.run()[:3] == [("ask", deadline), Adopt(), Send(deadline)]


def test_no_session_is_resumed_over_a_given_socket() -> None:
    door = Recording(serves(), timing=Timing(open_timeout=None), has_socket=True, secure=True)
    assert door.run()[1:3] == [Adopt(), StartTLS("peer", None, peer=None)]


def test_no_session_is_resumed_behind_a_redirect() -> None:
    redirect = b"HTTP/1.1 302 Go\r\nLocation: /there\r\n\r\n"
    timing = Timing(open_timeout=None)
    door = Recording(
        serves(redirect), timing=timing, secure=True, max_redirects=1, later_talks=(serves(),)
    )
    asked = [request for request in door.run() if isinstance(request, StartTLS)]
    assert asked == [
        StartTLS("peer", None, peer=("peer", 443, None)),
        StartTLS("peer", None, peer=None),
    ]


@each_deadline
def test_a_proxy_with_tls_to_a_server_with_tls(
    timeout: float | None, deadline: float | None
) -> None:
    timing = Timing(open_timeout=timeout)
    proxy = parse_proxy("https://proxy:3128")
    door = Recording(serves(OK + b"early"), timing=timing, secure=True, proxy=proxy)
    assert door.run()[:8] == [
        ("ask", deadline),
        Resolve("proxy", 3128, deadline),
        Race(addresses(3128), RACE_DELAY, deadline),
        StartTLS("proxy", deadline, of_proxy=True, peer=("proxy", 3128, None)),
        Send(deadline),
        Read(deadline),
        StartTLS("peer", deadline, received=b"early", peer=("peer", 443, proxy.url)),
        Send(deadline),
    ]


@each_deadline
def test_a_proxy_that_asks_for_credentials(timeout: float | None, deadline: float | None) -> None:
    door = Recording(
        serves(DIGEST),
        timing=Timing(open_timeout=timeout),
        proxy=parse_proxy("http://me:pw@proxy:3128"),
        later_talks=(serves(OK),),
    )
    reached = [
        Resolve("proxy", 3128, deadline),
        Race(addresses(3128), RACE_DELAY, deadline),
        Send(deadline),
        Read(deadline),
    ]
    assert door.run() == [
        ("ask", deadline),
        *reached,
        Drop(),
        *reached,
        Send(deadline),
        Read(deadline),
        Send(None, waits=False),
    ]


@each_deadline
def test_a_proxy_that_is_told_an_address(timeout: float | None, deadline: float | None) -> None:
    door = Recording(
        serves(b"\x05\x00", b"\x05\x00\x00\x01" + bytes(6)),
        timing=Timing(open_timeout=timeout),
        proxy=parse_proxy("socks5://proxy"),
    )
    assert door.run() == [
        ("ask", deadline),
        Resolve("peer", 80, deadline),
        Resolve("proxy", 1080, deadline),
        Race(addresses(1080), RACE_DELAY, deadline),
        *[Send(deadline), Read(deadline)] * 3,
        Send(None, waits=False),
    ]


@each_deadline
def test_a_redirect_has_what_is_left_without_the_time_of_handlers(
    timeout: float | None, deadline: float | None
) -> None:
    talk = b"HTTP/1.1 302 Go\r\nLocation: /there\r\n\r\n"

    def sends_on(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(talk)

    door = Recording(
        sends_on,
        timing=Timing(open_timeout=timeout),
        max_redirects=1,
        later_talks=(serves(),),
    )
    # Connected and the second Connecting took a second each.
    later: Any = None if deadline is None else pytest.approx(deadline + 2.0)
    assert door.run() == [
        ("ask", deadline),
        Resolve("peer", 80, deadline),
        Race(addresses(80), RACE_DELAY, deadline),
        Send(deadline),
        Read(deadline),
        ("ask", None),
        Drop(),
        ("ask", later),
        Resolve("peer", 80, later),
        Race(addresses(80), RACE_DELAY, later),
        Send(later),
        Read(later),
        Send(None, waits=False),
    ]
