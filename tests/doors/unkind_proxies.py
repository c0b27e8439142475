"""Forward proxies of a few lines, for raw_server.py, which are the target as well.

They say what proxies that others wrote can't be made to say.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any

from doors.raw_server import (
    Handler,
    RawServer,
    accept_upgrade,
    echo,
    read_exactly,
    read_request,
)
from lomond import WebSocket
from lomond.events import AnyEvent, ConnectFail, Connecting

#: Of a network for documentation: reached through a proxy, or not at all.
TARGET = "ws://192.0.2.1/"
NAMED_TARGET = "ws://target.example/"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
GRANTED_5 = b"\x05\x00\x00\x01" + bytes(6)
GRANTED_4 = b"\x00\x5a" + bytes(6)
#: What `names_through` gives if all is well.
ECHOED = ["connecting", "connected", "ready", "text", "closed", "disconnected"]


def through(
    proxy: RawServer, scheme: str = "http", credentials: str = "", url: str = "", **options: Any
) -> WebSocket:
    """A client that uses the proxy; to a name where the proxy is to resolve it."""
    resolves_here = scheme in ("socks4", "socks5")
    proxy_url = f"{scheme}://{credentials}{address_of(proxy)}"
    proxies = {"http": proxy_url, "https": proxy_url}
    return WebSocket(url or (TARGET if resolves_here else NAMED_TARGET), proxies, **options)


def address_of(proxy: RawServer) -> str:
    return f"127.0.0.1:{proxy.port}"


def failure_in(events: list[AnyEvent]) -> ConnectFail:
    """The event after Connecting, which is the last."""
    connecting, failure = events
    assert isinstance(connecting, Connecting)
    assert isinstance(failure, ConnectFail), failure
    return failure


def failure_through(proxy: RawServer, scheme: str = "http", **options: Any) -> ConnectFail:
    """The failure of a connection that the proxy spoils, which names the proxy."""
    failure = failure_in(list(through(proxy, scheme, **options)))
    assert failure.phase == "proxy", failure
    assert address_of(proxy) in failure.reason
    return failure


def names_through(proxy: RawServer, scheme: str = "http", **options: Any) -> list[str]:
    """The names of the events of a connection that sends one message and closes."""
    websocket = through(proxy, scheme, **options)
    result: list[str] = []
    for event in websocket.connect(ping_rate=0, poll=None):
        result.append(event.name)
        if event.name == "ready":
            websocket.send_text("hello")
        elif event.name == "text":
            websocket.close()
    return result


def hang(connection: socket) -> None:
    """Say nothing until the client has gone."""
    while connection.recv(65536):
        pass


def close(connection: socket) -> None:
    """Nothing more: the socket is closed when a handler returns."""


def tunnel(connection: socket) -> None:
    """Be the target: upgrade and echo."""
    accept_upgrade(connection, read_request(connection))
    echo(connection)


def slowly(connection: socket, data: bytes) -> None:
    """Send every byte for itself."""
    for value in data:
        connection.sendall(bytes([value]))


def answering(answer: bytes, then: Handler = close) -> Handler:
    """Answers a CONNECT request."""

    def handler(connection: socket) -> None:
        read_request(connection)
        connection.sendall(answer)
        then(connection)

    return handler


def asking(challenge: bytes, accepts: Callable[[bytes], bool], closes: bool) -> Handler:
    """Answers 407 until the request is accepted, closing each time or not, and then tunnels."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: " + challenge
    refusal += b"\r\nContent-Length: 4\r\n" + b"Connection: close\r\n" * closes + b"\r\nwho?"

    def handler(connection: socket) -> None:
        while not accepts(read_request(connection)):
            connection.sendall(refusal)
            if closes:
                return
        connection.sendall(ESTABLISHED)
        tunnel(connection)

    return handler


def answering_socks_5(
    reply: bytes = GRANTED_5, then: Handler = close, *, method: bytes = b"\x05\x00"
) -> Handler:
    """Chooses a method, and if it is "no authentication" answers the request."""

    def handler(connection: socket) -> None:
        read_methods(connection)
        connection.sendall(method)
        if method == b"\x05\x00":
            read_socks_5_request(connection)
            connection.sendall(reply)
        then(connection)

    return handler


def answering_socks_4(reply: bytes = GRANTED_4, then: Handler = close) -> Handler:
    """Answers the request."""

    def handler(connection: socket) -> None:
        read_socks_4_request(connection)
        connection.sendall(reply)
        then(connection)

    return handler


def read_methods(connection: socket) -> bytes:
    """The authentication methods offered (RFC 1928 section 3)."""
    version, count = read_exactly(connection, 2)
    assert version == 5
    return read_exactly(connection, count)


def read_password(connection: socket) -> tuple[bytes, bytes]:
    """User and password (RFC 1929 section 2)."""
    version, size = read_exactly(connection, 2)
    assert version == 1
    user = read_exactly(connection, size)
    return user, read_exactly(connection, read_exactly(connection, 1)[0])


def read_socks_5_request(connection: socket) -> bytes:
    """The target's address as it was written, with its port (RFC 1928 section 4)."""
    version, command, reserved, kind = read_exactly(connection, 4)
    assert (version, command, reserved) == (5, 1, 0)
    size = {1: 4, 4: 16}.get(kind) or read_exactly(connection, 1)[0]
    return read_exactly(connection, size + 2)


def read_socks_4_request(connection: socket) -> bytes:
    """The target's port and address, and its name if that is not resolved."""
    version, command = read_exactly(connection, 2)
    assert (version, command) == (4, 1)
    port_and_address = read_exactly(connection, 6)
    _read_word(connection)  # the user
    is_named = port_and_address[2:5] == bytes(3) and port_and_address[5]
    return port_and_address + (_read_word(connection) if is_named else b"")


def _read_word(connection: socket) -> bytes:
    word = b""
    while not word.endswith(b"\0"):
        word += read_exactly(connection, 1)
    return word[:-1]
