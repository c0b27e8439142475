"""SOCKS proxies that refuse, babble, or stop in the middle (RFC 1928, RFC 1929)."""

from __future__ import annotations

import socket

import pytest

from discretion import assert_discreet
from doors.raw_server import raw_server
from doors.unkind_proxies import (
    ECHOED,
    GRANTED_4,
    GRANTED_5,
    answering_socks_4,
    answering_socks_5,
    failure_through,
    hang,
    names_through,
    read_methods,
    read_password,
    read_socks_4_request,
    read_socks_5_request,
    slowly,
    through,
    tunnel,
)
from lomond.events import Rejected

CREDENTIALS = "user:p%40ss@"
# RFC 1928 section 6.
REPLIES = {
    1: "general socks server failure",
    2: "connection not allowed by ruleset",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "ttl expired",
    7: "command not supported",
    8: "address type not supported",
}


@pytest.mark.parametrize(("code", "said"), REPLIES.items())
def test_socks_5_refuses_in_words(code: int, said: str) -> None:
    reply = bytes([5, code, 0, 1]) + bytes(6)
    with raw_server(answering_socks_5(reply), upgrades=False) as proxy:
        assert said in failure_through(proxy, "socks5").reason.lower()


@pytest.mark.parametrize("code", [91, 92, 93])
def test_socks_4_refuses_in_words(code: int) -> None:
    reply = bytes([0, code]) + bytes(6)
    with raw_server(answering_socks_4(reply), upgrades=False) as proxy:
        assert "rejected" in failure_through(proxy, "socks4").reason.lower()


def test_the_target_is_resolved_here_or_there() -> None:
    address, name = bytes([192, 0, 2, 1]), b"target.example"
    port = (80).to_bytes(2, "big")
    assert {
        "socks5": address + port,
        "socks5h": name + port,
        "socks4": port + address,
        "socks4a": port + bytes([0, 0, 0, 1]) + name,
    } == {scheme: request_of(scheme) for scheme in ("socks5", "socks5h", "socks4", "socks4a")}


def request_of(scheme: str) -> bytes:
    """What the proxy is asked for. An address of 0.0.0.x only says that a name follows."""
    requests = []

    def handler(connection: socket.socket) -> None:
        if scheme.startswith("socks5"):
            read_methods(connection)
            connection.sendall(b"\x05\x00")
            requests.append(read_socks_5_request(connection))
            connection.sendall(GRANTED_5)
        else:
            asked = read_socks_4_request(connection)
            requests.append(asked[:5] + b"\x01" + asked[6:] if asked[2:5] == bytes(3) else asked)
            connection.sendall(GRANTED_4)
        tunnel(connection)

    with raw_server(handler, upgrades=False) as proxy:
        assert names_through(proxy, scheme) == ECHOED
    return requests[0]


@pytest.mark.parametrize("accepts", [True, False], ids=["right", "wrong"])
def test_credentials(accepts: bool) -> None:
    pairs = []

    def handler(connection: socket.socket) -> None:
        assert 2 in read_methods(connection)
        connection.sendall(b"\x05\x02")
        pairs.append(read_password(connection))
        connection.sendall(b"\x01\x00" if accepts else b"\x01\x01")
        if accepts:
            read_socks_5_request(connection)
            connection.sendall(GRANTED_5)
            tunnel(connection)

    with raw_server(handler, upgrades=False) as proxy:
        if accepts:
            assert names_through(proxy, "socks5", credentials=CREDENTIALS) == ECHOED
        else:
            failure = failure_through(proxy, "socks5", credentials=CREDENTIALS)
            assert "authentication failed" in failure.reason
            assert_discreet([failure], "user", "p@ss")
    assert pairs == [(b"user", b"p@ss")]


@pytest.mark.parametrize("credentials", ["", CREDENTIALS], ids=["without", "with"])
def test_no_method_is_acceptable(credentials: str) -> None:
    with raw_server(answering_socks_5(method=b"\x05\xff"), upgrades=False) as proxy:
        failure = failure_through(proxy, "socks5", credentials=credentials)
    assert "credentials" in failure.reason
    assert_discreet([failure], "user", "p@ss")


METHODS = {
    "not_offered": b"\x05\x02",
    "unknown": b"\x05\x09",
    "version": b"\x04\x00",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}
GRANTED_REPLIES = {
    "name": b"\x05\x00\x00\x03\x05proxy\x00\x50",
    "ipv6": b"\x05\x00\x00\x04" + bytes(18),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_that_can_t_be(method: bytes) -> None:
    with raw_server(answering_socks_5(then=hang, method=method), upgrades=False) as proxy:
        assert failure_through(proxy, "socks5", open_timeout=5.0).cause is not None


@pytest.mark.parametrize(
    "reply",
    [b"\x04\x00\x00\x01" + bytes(6), b"\x05\x00\x00\x09" + bytes(6), b"HTTP/1.1 400 Bad\r\n\r\n"],
    ids=["version", "address", "http"],
)
def test_a_socks_5_reply_that_can_t_be(reply: bytes) -> None:
    with raw_server(answering_socks_5(reply, hang), upgrades=False) as proxy:
        assert failure_through(proxy, "socks5", open_timeout=5.0).cause is not None


@pytest.mark.parametrize(
    "reply", [b"\x05\x5a" + bytes(6), b"HTTP/1.1 400"], ids=["version", "http"]
)
def test_a_socks_4_reply_that_can_t_be(reply: bytes) -> None:
    with raw_server(answering_socks_4(reply, hang), upgrades=False) as proxy:
        assert failure_through(proxy, "socks4", open_timeout=5.0).cause is not None


@pytest.mark.parametrize("size", range(len(GRANTED_5)))
def test_a_socks_5_reply_that_ends_early(size: int) -> None:
    with raw_server(answering_socks_5(GRANTED_5[:size]), upgrades=False) as proxy:
        failure_through(proxy, "socks5")


@pytest.mark.parametrize("size", range(len(GRANTED_4)))
def test_a_socks_4_reply_that_ends_early(size: int) -> None:
    with raw_server(answering_socks_4(GRANTED_4[:size]), upgrades=False) as proxy:
        failure_through(proxy, "socks4")


@pytest.mark.parametrize("method", [b"", b"\x05"], ids=["nothing", "half"])
def test_the_choice_of_a_method_ends_early(method: bytes) -> None:
    with raw_server(answering_socks_5(method=method), upgrades=False) as proxy:
        failure_through(proxy, "socks5")


@pytest.mark.parametrize("reply", GRANTED_REPLIES.values(), ids=GRANTED_REPLIES)
def test_the_proxy_s_own_address_may_be_of_any_kind(reply: bytes) -> None:
    with raw_server(answering_socks_5(reply, tunnel), upgrades=False) as proxy:
        assert names_through(proxy, "socks5") == ECHOED


def test_replies_byte_by_byte() -> None:
    def handler(connection: socket.socket) -> None:
        read_methods(connection)
        slowly(connection, b"\x05\x00")
        read_socks_5_request(connection)
        slowly(connection, GRANTED_5)
        tunnel(connection)

    with raw_server(handler, upgrades=False) as proxy:
        assert names_through(proxy, "socks5") == ECHOED


@pytest.mark.parametrize("scheme", ["socks4", "socks5"])
def test_what_comes_behind_the_reply_is_the_target_s(scheme: str) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    if scheme == "socks5":
        handler = answering_socks_5(GRANTED_5 + busy, hang)
    else:
        handler = answering_socks_4(GRANTED_4 + busy, hang)
    with raw_server(handler, upgrades=False) as proxy:
        events = list(through(proxy, scheme))
    rejected = next(event for event in events if isinstance(event, Rejected))
    assert rejected.response.status_code == 503
    assert rejected.response.body == b"busy"
