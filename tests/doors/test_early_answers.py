"""What a server or proxy said before it hung up is heard, though we could not write."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from doors.raw_server import raw_server
from doors.tapped import Tapped, connect, wait_for_bytes
from lomond import WebSocket
from lomond.system.connecting import Race
from patience import PATIENCE

pytestmark = pytest.mark.every_door

BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nlate"
RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset
REFUSED = ["connecting", "connected", "rejected", "disconnected"]


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    connection.close()


def answers(words: bytes, go: threading.Event | None = None) -> Callable[[socket.socket], None]:
    """Says it (when it may go), whatever it is asked, and hangs up by a reset."""

    def serve(connection: socket.socket) -> None:
        assert go is None or go.wait(PATIENCE)
        connection.sendall(words)
        reset(connection)

    return serve


def reset_socket(port: int, go: threading.Event) -> socket.socket:
    """Connected, and reset by the server behind what it said."""
    sock = connect(port)
    go.set()
    poll = select.poll()
    poll.register(sock, 0)  # errors and hang-ups are always told
    assert poll.poll(PATIENCE * 1000)
    return sock


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set it when the server is done: no race looks at its sockets before."""
    done = threading.Event()
    run: Any = Race.run

    def runs(*arguments: Any) -> Any:
        with contextlib.closing(run(*arguments)) as steps:
            try:
                need = next(steps)
                while True:
                    met = yield need
                    assert done.wait(PATIENCE)
                    need = steps.send(met)
            except StopIteration as end:
                return end.value

    monkeypatch.setattr(Race, "run", runs)
    return done


def then(act: Callable[[socket.socket], None], done: threading.Event) -> Any:
    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            act(connection)
        done.set()

    return serve


def check_refused(seen: list[Any], address: str | None = None) -> None:
    assert [event.name for event in seen] == REFUSED
    _, _, rejected, last = seen
    assert rejected.response.status_code == 503
    assert rejected.response.get("retry-after") == "7"
    assert rejected.response.body == b"late"
    assert last.graceful
    if address is not None:
        assert rejected.address == address


def test_a_refusal_on_a_socket_that_is_reset_already() -> None:
    go = threading.Event()
    with raw_server(answers(BUSY, go), upgrades=False) as server:
        sock = reset_socket(server.port, go)
        check_refused(list(WebSocket(server.url, socket=sock)))


def test_a_refusal_that_came_and_a_reset_while_addresses_were_raced(
    late: threading.Event,
) -> None:
    with raw_server(then(answers(BUSY), late), upgrades=False) as server:
        seen = list(WebSocket(server.url))
        check_refused(seen, f"127.0.0.1:{server.port}")


@pytest.mark.parametrize("failure", [errno.EPIPE, errno.ECONNRESET])
def test_a_refusal_where_the_request_can_not_be_written(failure: int) -> None:
    def fail(data: bytes) -> int:
        raise OSError(failure, "no more")

    def serve(connection: socket.socket) -> None:
        connection.sendall(BUSY)
        connection.recv(1)

    with raw_server(serve, upgrades=False) as server:
        sock = connect(server.port)
        sock.on_send = fail
        wait_for_bytes(sock, len(BUSY))
        check_refused(list(WebSocket(server.url, socket=sock)))


def test_nothing_was_said_before_the_request_could_not_be_written() -> None:
    def fail(data: bytes) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with raw_server(lambda connection: None, upgrades=False) as server:
        sock = connect(server.port)
        sock.on_send = fail
        *_, failed = WebSocket(server.url, socket=sock)
    assert (failed.name, failed.phase) == ("connect_fail", "upgrade")
    assert failed.reason.startswith("request failed; Broken pipe")
    assert isinstance(failed.cause, BrokenPipeError)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_socket_that_says_nothing_any_more_is_not_waited_for(scheme: str) -> None:
    """A write that fails for a reason of our own: nothing may ever come."""

    def fail(data: bytes) -> int:
        raise OSError(errno.ENOBUFS, "No buffer space available")

    def serve(connection: socket.socket) -> None:
        was_in_time.append(over.wait(PATIENCE))

    over = threading.Event()
    was_in_time: list[bool] = []
    with raw_server(serve, upgrades=False) as server:
        sock = connect(server.port)
        sock.on_send = fail
        url = server.url.replace("ws", scheme)
        *_, failed = WebSocket(url, socket=sock, open_timeout=PATIENCE * 100)
        over.set()
    assert failed.name == "connect_fail"
    assert "No buffer space" in failed.reason
    assert was_in_time == [True]


def test_a_proxys_refusal_that_came_with_a_reset(late: threading.Event) -> None:
    with raw_server(then(answers(BUSY), late), upgrades=False) as server:
        proxies = {"all": f"http://127.0.0.1:{server.port}"}
        *_, failed = WebSocket("ws://server.example/", proxies=proxies)
    assert (failed.name, failed.phase) == ("connect_fail", "proxy")
    assert "it answered 503 Busy" in failed.reason
    assert failed.response.get("retry-after") == "7"
    assert failed.response.body == b"late"


# TLS


def test_what_was_said_in_the_clear_before_the_handshake() -> None:
    go = threading.Event()
    with raw_server(answers(BUSY, go), upgrades=False) as server:
        sock = reset_socket(server.port, go)
        url = server.url.replace("ws:", "wss:")
        *_, failed = WebSocket(url, socket=sock)
    assert (failed.name, failed.phase) == ("connect_fail", "tls")
    assert "the server does not speak TLS there; use ws://?" in failed.reason
    assert isinstance(failed.cause, ssl.SSLError)


def test_a_reset_before_the_handshake_with_nothing_said() -> None:
    fails = 0

    def fail(data: bytes) -> int:
        nonlocal fails
        fails += 1
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with raw_server(lambda connection: None, upgrades=False) as server:
        sock = connect(server.port)
        sock.on_send = fail
        *_, failed = WebSocket(server.url.replace("ws:", "wss:"), socket=sock)
    assert (failed.name, failed.phase) == ("connect_fail", "tls")
    assert "Broken pipe; if the server does not speak TLS there, use ws://" in failed.reason
    assert fails >= 1


def certified(version: ssl.TLSVersion) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a client without a certificate, and of a server that wants one."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    server.minimum_version = server.maximum_version = version
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client, server


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_server_wants_a_certificate(version: ssl.TLSVersion, is_reset: bool) -> None:
    """In TLS 1.3 it says so behind our handshake: the request is written into its reset."""
    client, context = certified(version)
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                connection.sendall(outgoing.read())
                break
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        connection.close()
        done.set()

    def send(data: bytes) -> int:
        flights.append(len(data))
        if len(flights) > 2:  # behind the handshake
            assert done.wait(PATIENCE)
            if not is_reset:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        return sock.send_now(data)

    flights: list[int] = []
    with raw_server(serve, upgrades=False) as server:
        sock: Tapped = connect(server.port)
        sock.on_send = send
        url = f"wss://127.0.0.1:{server.port}/"
        *_, failed = WebSocket(url, socket=sock, ssl_context=client)
    assert failed.name == "connect_fail"
    assert "wants a client certificate" in failed.reason
    assert "ssl_certfile" in failed.reason
    assert isinstance(failed.cause, ssl.SSLError)
