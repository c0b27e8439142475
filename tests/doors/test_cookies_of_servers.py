"""A server that sets cookies without end: neither jar nor request grow beyond the limits."""

from __future__ import annotations

import itertools
import socket
from http.cookiejar import CookieJar

import pytest

from doors.raw_server import accept_upgrade, raw_server, read_request
from lomond import WebSocket

pytestmark = pytest.mark.every_door

ROUNDS = 12  # connections


@pytest.mark.parametrize("refuses", [False, True])
def test_many_connections(refuses: bool) -> None:
    requests: list[bytes] = []
    names = itertools.count()

    def serve(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        lines = b"".join(
            b"Set-Cookie: n%d=%s; Path=/\r\n" % (next(names), b"x" * 900) for _ in range(60)
        )
        if refuses:
            connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n" + lines + b"\r\n")
        else:
            accept_upgrade(connection, requests[-1], lines)

    jar = CookieJar()
    with raw_server(serve, upgrades=False) as server:
        websocket = WebSocket(server.url, cookies=jar)
        for _ in range(ROUNDS):
            list(websocket)
    assert len(jar) == 180
    sizes = [len(request) for request in requests]
    assert sizes[1] > 8000
    assert max(sizes) < 9000


def test_the_options_and_the_users_own() -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        lines = b"".join(b"Set-Cookie: n%d=x; Path=/\r\n" % number for number in range(9))
        accept_upgrade(connection, requests[-1], lines + b"Set-Cookie: long=xxxxxxxxxxxx\r\n")

    with raw_server(serve, upgrades=False) as server:
        websocket = WebSocket(
            server.url,
            cookies={"mine": "y" * 20_000},
            max_cookie_header=10,
            max_header_line=100_000,
        )
        list(websocket)
        jar = CookieJar()
        websocket = WebSocket(
            server.url,
            cookies=jar,
            max_cookie_size=10,
            max_cookies_set=7,
            max_domain_cookies=5,
            max_cookies=4,
            max_cookie_header=10,
        )
        list(websocket)
        list(websocket)
    assert b"Cookie: mine=" + b"y" * 20_000 + b"\r\n" in requests[0]
    assert sorted(cookie.name for cookie in jar) == ["n3", "n4", "n5", "n6"]
    assert b"Cookie" not in requests[1]
    assert b"\r\nCookie: n5=x; n6=x\r\n" in requests[2]


@pytest.mark.parametrize(
    "name",
    [
        "max_cookie_size",
        "max_cookies_set",
        "max_domain_cookies",
        "max_cookies",
        "max_cookie_header",
    ],
)
def test_limits_that_can_not_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 0 or more"):
        WebSocket("ws://h/", **{name: -1})
    with pytest.raises(TypeError, match=f"{name} must be a whole number"):
        WebSocket("ws://h/", **{name: None})
