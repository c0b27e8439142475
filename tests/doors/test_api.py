"""What a WebSocket takes and refuses, what it tells a trace, and what is held until Ready."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading

import pytest

from doors.inside import exchange_of
from doors.raw_server import (
    accept_upgrade,
    echo,
    listens_into,
    names,
    raw_server,
    read_request,
    until,
)
from doors.signals import alarm
from fair_clock import FairClock
from lomond import WebSocket
from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.protocol import frames

pytestmark = pytest.mark.every_door


@pytest.mark.parametrize(("header", "value"), [("x", b"y"), (b"x", "y"), (b"x", bytearray(b"y"))])
def test_headers_are_bytes(header: object, value: object) -> None:
    with pytest.raises(TypeError, match=r"must be bytes, not .*; for str there is .*headers={"):
        WebSocket("ws://h/").add_header(header, value)  # type: ignore[arg-type]  # wrong, on purpose


@pytest.mark.parametrize("evil", ["\r\nInjected: yes", "\nInjected: yes", "\rx", "\0"])
def test_line_breaks_are_refused_wherever_they_are_put(evil: str) -> None:
    websocket = WebSocket("ws://h/")
    for header, value in [("X", "a" + evil), ("X" + evil, "a")]:
        with pytest.raises(ValueError, match=r"hold|token"):
            websocket.add_header(header.encode(), value.encode())
        with pytest.raises(ValueError, match=r"hold|token"):
            WebSocket("ws://h/", headers={header: value})
    with pytest.raises(ValueError, match=r"hold|token"):
        WebSocket("ws://h/", agent="a" + evil)
    with pytest.raises(ValueError, match=r"hold|token"):
        WebSocket("ws://h/", protocols=["a" + evil])
    # What is put there later is checked too.
    for name, value in [
        ("protocols", ["a" + evil]),
        ("agent", "a" + evil),
        ("resource", "/" + evil),
    ]:
        with pytest.raises(ValueError, match=r"hold|token"):
            setattr(websocket, name, value)


def test_headers_go_out_in_the_order_in_which_they_were_added_on_every_connection() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url, headers={"X-One": "1"}, protocols=["a", "b"], agent="me")
        websocket.add_header(b"X-Two", b"2")
        websocket.add_header(b"X-Two", b"3")
        for _ in range(2):
            stream = iter(websocket)
            until(stream, "ready")
            stream.close()
    first, second = server.requests
    lines = first.decode().split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert lines[1:5] == ["X-One: 1", "X-Two: 2", "X-Two: 3", f"Host: 127.0.0.1:{server.port}"]
    assert "User-Agent: me" in lines
    assert "Sec-WebSocket-Protocol: a, b" in lines
    assert first != second  # the key
    assert len(first) == len(second)


def test_wrong_arguments_are_said_before_the_state_is_looked_at() -> None:
    websocket = WebSocket("ws://h/")
    with pytest.raises(TypeError, match="text argument must not be bytes"):
        websocket.send_text(b"x")  # type: ignore[arg-type]  # wrong, on purpose
    with pytest.raises(UnicodeEncodeError):
        websocket.send_text("\ud800")
    for data in ("x", 5, [1], None):
        with pytest.raises(TypeError, match="data argument must be bytes"):
            websocket.send_binary(data)  # type: ignore[arg-type]  # wrong, on purpose
        with pytest.raises(TypeError, match="data argument must be bytes"):
            websocket.send_ping(data)  # type: ignore[arg-type]  # wrong, on purpose
    with pytest.raises(
        ValueError, match="ping data should be <= 125 bytes, not 126; send a message"
    ):
        websocket.send_ping(bytes(126))
    with pytest.raises(ValueError, match="pong data should be <= 125 bytes"):
        websocket.send_pong(bytes(126))
    with pytest.raises(ValueError, match="positional argument OR keyword"):
        websocket.send_json(1, a=2)
    with pytest.raises(TypeError):
        websocket.send_json(object())
    with pytest.raises(TypeError, match=r"^close code must be .* write close\(1000, 'bye'\)$"):
        websocket.close("bye")  # type: ignore[arg-type]  # wrong, on purpose
    for code in ("1000", 1.5):
        with pytest.raises(TypeError):
            websocket.close(code)  # type: ignore[arg-type]  # wrong, on purpose
    for number in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 70000, -1):
        with pytest.raises(ValueError, match="close code"):
            websocket.close(number)
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        websocket.send_json()


@pytest.mark.parametrize(
    ("code", "reason", "payload"),
    [
        (1000, b"goodbye", b"\x03\xe8goodbye"),
        (None, "dropped", b""),
        (3000, "é" * 100, b"\x0b\xb8" + "é".encode() * 61),  # cut at a character, to 123 bytes
        (4999, None, b"\x13\x87"),
    ],
)
def test_close_frames(code: int | None, reason: str | bytes | None, payload: bytes) -> None:
    heard: list[tuple[int, bytes]] = []

    with raw_server(listens_into(heard)) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(ping_rate=0, close_timeout=0.1)
        until(stream, "ready")
        websocket.close(code, reason)
        until(stream, "disconnected")
    assert heard == [(frames.CLOSE, payload)]


def test_sends_before_ready_are_held_and_leave_in_order_after_the_upgrade() -> None:
    early: list[bytes] = []

    def slow(connection: socket.socket) -> None:
        request = read_request(connection)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            early.append(connection.recv(1))
        connection.settimeout(10)
        accept_upgrade(connection, request)
        echo(connection)

    with raw_server(slow, upgrades=False) as server:
        websocket = WebSocket(server.url)
        texts = []
        for event in websocket.connect(ping_rate=0):
            if event.name == "connecting":
                with pytest.raises(WebSocketUnavailable, match="not connected"):
                    websocket.send_text("too early")
            elif event.name == "connected":
                for number in range(5):
                    websocket.send_text(str(number))
            elif event.name == "ready":
                websocket.send_text("5")
            elif event.name == "text":
                texts.append(event.text)
                if len(texts) == 6:
                    websocket.close()
    assert early == []
    assert texts == list("012345")


def test_held_sends_are_bounded_and_a_close_before_ready_follows_them() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url, max_held=1000)
        seen = []
        for event in websocket.connect(ping_rate=0, poll=None):
            seen.append(event.name)
            if event.name == "connected":
                websocket.send_text("x" * 900)
                with pytest.raises(WebSocketUnavailable, match="max_held"):
                    websocket.send_text("x" * 900)
                websocket.close()
                with pytest.raises(WebSocketClosing):
                    websocket.send_text("x")
    assert seen == ["connecting", "connected", "ready", "text", "closed", "disconnected"]


def test_a_rejection_keeps_status_headers_and_body() -> None:
    def reject(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(
            b"HTTP/1.1 401 No Way\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\n"
            b"Set-Cookie: b=2\r\nContent-Length: 9\r\n\r\nlog in..."
        )

    with raw_server(reject, upgrades=False) as server:
        websocket = WebSocket(server.url)
        seen = list(websocket)
    assert [event.name for event in seen] == ["connecting", "connected", "rejected", "disconnected"]
    rejected = seen[2]
    assert rejected.name == "rejected"
    assert rejected.reason == "Websocket upgrade failed (code=401)"
    response = rejected.response
    assert response.status_code == 401
    assert response.get("WWW-Authenticate") == "Basic"
    assert response.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.body == b"log in..."
    assert websocket.is_closed


def test_a_connected_socket_of_the_user_is_used_once_and_closed() -> None:
    with raw_server(echo) as server:
        mine = socket.create_connection(("127.0.0.1", server.port))
        websocket = WebSocket("ws://unknown.invalid/path", socket=mine)
        assert until(iter(stream := websocket.connect(ping_rate=0)), "ready").name == "ready"
        websocket.close()
        assert [event.name for event in stream][-2:] == ["closed", "disconnected"]
        assert mine.fileno() == -1
        assert names(websocket) == ["connecting", "connect_fail"]
        assert b"Host: unknown.invalid:80\r\n" in server.requests[0]
    left, right = socket.socketpair()
    websocket = WebSocket("ws://h/", socket=left)
    left.close()
    assert names(websocket) == ["connecting", "connect_fail"]
    with pytest.raises(ValueError, match="socket is closed"):
        websocket.socket = left
    right.close()


def test_a_trace_gets_every_stage_and_holds_no_lock() -> None:
    # Collected only: what a trace raises is swallowed, an assertion too.
    stages: list[str] = []
    urls: set[object] = set()
    was_free: list[bool] = []

    def trace(record: dict[str, object]) -> None:
        stages.append(str(record["stage"]))
        urls.add(record["url"])
        # Another thread can use the connection meanwhile.
        thread = threading.Thread(target=take_the_lock)
        if record["stage"] in ("socket_send", "socket_recv", "message_text") and len(stages) < 40:
            thread.start()
            thread.join(5)

    def take_the_lock() -> None:
        lock = getattr(exchange_of(websocket), "lock", None)  # of asyncio's there is none
        was_free.append(lock is None or lock.acquire(timeout=3))
        if lock is not None and was_free[-1]:
            lock.release()

    with raw_server(echo) as server:
        websocket = WebSocket(server.url, trace=trace)
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                websocket.send_text("x")
                websocket.send_ping(b"y")
            elif event.name == "pong":
                websocket.send_binary(b"z")
            elif event.name == "binary":
                websocket.close()
    assert urls == {server.url}
    assert len(was_free) > 5
    assert all(was_free)
    assert stages[0] == "connect_start"
    assert stages[-1] == "disconnected"
    after_start = {"handshake_ready", "socket_send", "socket_recv"}
    ours = {"send_text", "send_ping", "send_binary", "close_requested"}
    theirs = {"message_text", "message_pong", "message_binary", "message_close"}
    assert after_start | ours | theirs <= set(stages)


@pytest.mark.doors("sync")
def test_close_from_a_signal_handler_at_any_line_never_hangs() -> None:
    closing = alarm(0, lambda *_: websocket.close())
    with closing, raw_server(echo) as server, FairClock() as clock:
        websocket = WebSocket(server.url)
        for turn in range(100):
            for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "connecting":
                    # One signal only: a close that gets lost is a loop that never ends.
                    signal.setitimer(signal.ITIMER_REAL, 0.0003 + turn * 0.00003)
                if event.name == "ready" or event.name == "text":
                    with contextlib.suppress(WebSocketUnavailable):
                        websocket.send_text("x" * 1000)
            assert event.name in ("disconnected", "connect_fail")
        assert clock.now() < 15
