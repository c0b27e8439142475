"""SOCKS proxies, over the pretend door."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.errors import ProxyError
from lomond.protocol.socks import SocksTunnel
from lomond.proxies import parse_proxy
from lomond.session.requests import Resolve
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk
from played import DONE, LOG_IN, NO_AUTH, closes_when_ready, failure_of, heard, names, pauses, says
from scripted import accepts


@pytest.mark.parametrize(
    ("proxy", "said", "answers"),
    [
        (
            "socks5h://proxy",
            [b"\x05\x01\x00", b"\x05\x01\x00\x03\x04peer\x00\x50"],
            [NO_AUTH, DONE],
        ),
        (
            "socks5://proxy",
            [b"\x05\x01\x00", b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"],
            [NO_AUTH, b"\x05\x00\x00\x03\x02ab\x00\x50"],
        ),
        (
            "socks5h://me:pw@proxy",
            [b"\x05\x02\x00\x02", b"\x01\x02me\x02pw", b"\x05\x01\x00\x03\x04peer\x00\x50"],
            [LOG_IN, b"\x01\x00", b"\x05\x00\x00\x04" + bytes(18)],
        ),
        (
            "socks4://me@proxy",
            [b"\x04\x01\x00\x50\xc0\x00\x02\x01me\x00"],
            [b"\x00\x5a\x00\x50\x7f\x00\x00\x01"],
        ),
        (
            "socks4a://proxy",
            [b"\x04\x01\x00\x50\x00\x00\x00\xff\x00peer\x00"],
            [b"\x00\x5a\x00\x50\x7f\x00\x00\x01"],
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_pieces", [False, True])
def test_socks(proxy: str, said: list[bytes], answers: list[bytes], in_pieces: bool) -> None:
    told: list[bytes] = []

    def talk(peer: Peer) -> Talk:
        for answer in answers:
            told.append((yield Hear()))
            pieces = [answer[i : i + 1] for i in range(len(answer))] if in_pieces else [answer]
            for piece in pieces:
                yield Say(piece)
                yield Pause(0.01)
        yield from accepts(peer)

    door = PretendDoor(talk, proxy=parse_proxy(proxy))
    seen = door.play(closes_when_ready)
    assert names(seen)[:3] == ["connecting", "connected", "ready"]
    assert told == said


@pytest.mark.parametrize(
    ("proxy", "answers", "said"),
    [
        ("socks5h://p", [NO_AUTH, b"\x05\x05\x00\x01" + bytes(6)], "connection refused (5)"),
        ("socks5h://p", [NO_AUTH, b"\x05\x04"], "us to peer:80; it answered: host unreachable (4)"),
        ("socks5h://p", [NO_AUTH, b"\x05\x63\x00\x01" + bytes(6)], "no reason that SOCKS knows"),
        ("socks5h://p", [LOG_IN], "which was not offered"),
        ("socks5h://p", [b"\x05\xff"], "authentication failed: it wants credentials"),
        ("socks5h://me:pw@p", [b"\x05\xff"], "takes no credentials of our kind"),
        ("socks5h://p", [b"\x05\x42"], "its answer is not SOCKS"),
        ("socks5h://me:pw@p", [LOG_IN, b"\x01\x01"], "authentication failed: it does not accept"),
        ("socks5h://p", [b"HTTP/1.1 400 Bad"], "answer is not SOCKS; it starts with b'HTTP/1.1'"),
        ("socks5h://p", [NO_AUTH, b"\x05\x00\x00\x09" + bytes(6)], "its answer is not SOCKS"),
        ("socks5h://p", [NO_AUTH, b""], "it hung up before it had answered"),
        ("socks5h://p", [NO_AUTH + NO_AUTH], "it answered before it was asked"),
        ("socks5h://me:pw@p", [LOG_IN + b"\x01\x00"], "it answered before it was asked"),
        ("socks4a://p", [b"\x00\x5b" + bytes(6)], "request rejected or failed (91)"),
        ("socks4a://p", [b"\x00\x5d" + bytes(6)], "identd names another user (93)"),
        ("socks4a://p", [b"\x00\x01" + bytes(6)], "its answer is not SOCKS"),
        ("socks4a://p", [b"\x05\x5a" + bytes(6)], "its answer is not SOCKS"),
    ],
)  # fmt: skip
def test_socks_that_fails(proxy: str, answers: list[bytes], said: str) -> None:
    def ends() -> Talk:
        yield End()

    failed = failure_of(PretendDoor(says(*answers, then=ends()), proxy=parse_proxy(proxy)))
    assert failed.phase == "proxy"
    assert said in failed.reason


@pytest.mark.parametrize("host", ["fe80::1%eth0", "192.0.2.9"])
def test_socks4_knows_ipv4_only(host: str) -> None:
    class Door(PretendDoor):
        def answered(self, request: object, value: Any) -> Any:
            if isinstance(request, Resolve) and request.host == "peer":
                return [("inet6", "stream", 0, "", (host, request.port))]
            return value

    door = Door(says(b"\x00\x5a" + bytes(6), then=pauses()), proxy=parse_proxy("socks4://p"))
    if ":" in host:
        failed = failure_of(door)
        assert failed.phase == "resolve"
        assert failed.reason == (
            "unable to resolve host name 'peer'; it has no IPv4 address, and SOCKS4 knows no "
            "other; use socks5://"
        )
    else:
        events = door.events()
        assert [next(events).name for _ in range(2)] == ["connecting", "connected"]
        assert heard[0][4:8] == bytes([192, 0, 2, 9])


def test_nothing_came_behind_an_answer_that_is_not_here() -> None:
    tunnel = SocksTunnel(parse_proxy("socks5h://p"), "h", 80)
    assert (tunnel.rest, tunnel.is_done, tunnel.is_reading_body) == (b"", False, False)
    assert (tunnel.refused(), tunnel.may_try_again(ProxyError("no"))) == (None, False)
    tunnel.start()
    tunnel.receive(NO_AUTH)
    assert tunnel.receive(DONE) == b""
    assert (tunnel.rest, tunnel.is_done) == (b"", True)


def socks(proxy: str, *answers: bytes) -> SocksTunnel:
    tunnel = SocksTunnel(parse_proxy(proxy), "h", 80)
    tunnel.start()
    for answer in answers:
        tunnel.receive(answer)
    return tunnel


def test_a_user_without_a_password_has_an_empty_one() -> None:
    assert socks("socks5h://me@p").receive(LOG_IN) == b"\x01\x02me\x00"


@pytest.mark.parametrize(
    ("proxy", "answers", "said"),
    [
        ("socks4a://p", [b"\x00\x01" + bytes(6)], r"b'\x00\x01\x00\x00\x00\x00\x00\x00'"),
        ("socks5h://p", [NO_AUTH, b"\x05\x00\x00\x09" + bytes(6)],
         r"b'\x05\x00\x00\t\x00\x00'"),
        ("socks5h://p", [NO_AUTH, b"\x05\x00\x00\x03\x04\xff\xff\xff\xff\x00\x50"],
         r"b'\x05\x00\x00\x03\x04\xff\xff\xff'"),
        ("socks5h://p", [b"SSH-2.0-OpenSSH"], "b'SSH-2.0-'"),
    ],
)  # fmt: skip
def test_of_what_is_not_socks_eight_bytes_are_told(
    proxy: str, answers: list[bytes], said: str
) -> None:
    with pytest.raises(ProxyError) as caught:
        socks(proxy, *answers)
    assert str(caught.value) == f"its answer is not SOCKS; it starts with {said}"


@pytest.mark.parametrize(
    "address",
    [b"\x01" + bytes(4), b"\x03\x00", b"\x03\x01a", b"\x03\x7f" + b"a" * 127, b"\x04" + bytes(16)],
)
def test_a_reply_ends_where_its_address_says(address: bytes) -> None:
    reply = b"\x05\x00\x00" + address + b"\x00\x50"
    tunnel = socks("socks5h://p", NO_AUTH)
    for at in range(len(reply) - 1):
        assert tunnel.receive(reply[at : at + 1]) == b""
        assert not tunnel.is_done
    assert tunnel.receive(reply[-1:]) == b""
    assert tunnel.is_done
    tunnel = socks("socks5h://p", NO_AUTH)
    assert tunnel.receive(reply + b"next") == b""
    assert (tunnel.is_done, tunnel.rest) == (True, b"next")
