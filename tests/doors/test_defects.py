"""What went wrong with the original and a user could see: names, flags, order, threads."""

from __future__ import annotations

import logging
import os
import socket
import threading
from time import monotonic

import pytest

from doors.raw_server import echo, frame, names, raw_server, read_all, refusing_port, until
from fair_clock import FairClock
from lomond import WebSocket
from lomond.errors import WebSocketClosing, WebSocketError, WebSocketUnavailable
from lomond.protocol import frames
from patience import FAR, PATIENCE

pytestmark = pytest.mark.every_door


def flags(websocket: WebSocket) -> tuple[bool, bool, bool]:
    return websocket.is_active, websocket.is_closing, websocket.is_closed


ACTIVE, CLOSING, CLOSED = (True, False, False), (False, True, False), (False, False, True)


def test_refused_is_said_with_address_and_phase_b12() -> None:
    port = refusing_port()
    websocket = WebSocket(f"ws://127.0.0.1:{port}/")
    began = monotonic()
    _, failed = websocket
    took = monotonic() - began
    assert failed.name == "connect_fail"
    assert isinstance(failed.cause, ConnectionRefusedError)
    assert failed.phase == "connect"
    assert failed.address == f"127.0.0.1:{port}"
    assert failed.elapsed is not None
    assert 0 <= failed.elapsed <= took
    assert "refused" in failed.reason
    assert str(port) in failed.reason
    assert flags(websocket) == CLOSED


def test_a_name_that_does_not_exist_is_said() -> None:
    _, failed = WebSocket("ws://does-not-exist.invalid/", open_timeout=10)
    assert failed.name == "connect_fail"
    assert isinstance(failed.cause, OSError)
    assert failed.phase == "resolve"
    assert "does-not-exist.invalid" in failed.reason


def test_a_silent_upgrade_ends_within_open_timeout_b3() -> None:
    def mute(connection: socket.socket) -> None:
        server.released.wait(PATIENCE)

    started = monotonic()
    with raw_server(mute, upgrades=False) as server, FairClock() as clock:
        websocket = WebSocket(server.url, open_timeout=0.3)
        *first, last = websocket
        assert [event.name for event in first] == ["connecting", "connected"]
        assert last.name == "disconnected"
        assert "open_timeout" in last.reason
        assert monotonic() - started > 0.25
        assert clock.now() < 2
        assert flags(websocket) == CLOSED


def test_close_ends_a_silent_upgrade() -> None:
    def mute(connection: socket.socket) -> None:
        server.released.wait(FAR)

    with raw_server(mute, upgrades=False) as server:
        websocket = WebSocket(server.url, open_timeout=FAR)
        stream = websocket.connect(close_timeout=0.2)
        until(stream, "connected")
        thread = threading.Timer(0.05, websocket.close)
        thread.start()
        assert [event.name for event in stream] == ["disconnected"]
        thread.join()


def test_a_slow_handler_does_not_make_a_healthy_server_unresponsive_b5() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        seen = []
        for event in websocket.connect(poll=0.1, ping_rate=0.1, ping_timeout=1.0):
            seen.append(event.name)
            if len(seen) == 6:
                threading.Event().wait(1.5)  # slower than the timeout
            elif len(seen) == 10:
                websocket.close()
        assert "unresponsive" not in seen
        assert event.name == "disconnected"
        assert event.graceful


def test_flags_tell_the_truth_while_the_client_closes() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        assert flags(websocket) == ACTIVE
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                assert flags(websocket) == ACTIVE
                websocket.close()
                assert flags(websocket) == CLOSING
                websocket.close()
                with pytest.raises(WebSocketClosing, match="data not sent"):
                    websocket.send_text("x")
            elif event.name == "closed":
                assert flags(websocket) == CLOSING
                with pytest.raises(WebSocketUnavailable):
                    websocket.send_text("x")
            elif event.name == "disconnected":
                assert flags(websocket) == CLOSED
                with pytest.raises(WebSocketUnavailable, match="not connected"):
                    websocket.send_text("x")
        assert flags(websocket) == CLOSED
        websocket.close()
        assert flags(websocket) == CLOSED


@pytest.mark.parametrize("says", ["close", "nothing", "reset", "nonsense", "no upgrade"])
def test_flags_tell_the_truth_after_every_end_b8(says: str) -> None:
    def end(connection: socket.socket) -> None:
        if says == "close":
            connection.sendall(frame(frames.CLOSE, b"", 1000))
            read_all(connection)
        elif says == "nonsense":
            connection.sendall(b"\xff\xff")
            read_all(connection)
        elif says == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif says == "no upgrade":
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with raw_server(end, upgrades=says != "no upgrade") as server:
        websocket = WebSocket(server.url)
        *_, last = websocket.connect(ping_rate=0)
        assert last.name == "disconnected"
        assert last.graceful is (says in ("close", "no upgrade"))
        assert flags(websocket) == CLOSED
        with pytest.raises(WebSocketUnavailable, match="not connected"):
            websocket.send_binary(b"x")
        websocket.close()


@pytest.mark.doors("sync", "group")
@pytest.mark.threads
def test_sending_while_another_thread_reconnects_raises_only_lomonds_errors_b7() -> None:
    stopped = threading.Event()
    odd: list[BaseException] = []

    def call() -> None:
        while not stopped.is_set():
            for act in (
                lambda: websocket.send_text("x"),
                lambda: websocket.send_ping(b"x"),
                lambda: websocket.is_active,
                lambda: websocket.sent_close_time,
            ):
                try:
                    act()
                except WebSocketError:
                    pass
                except BaseException as error:
                    odd.append(error)

    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(8):
            for event in websocket:
                if event.name == "text" and turn % 2:
                    break
                if event.name == "text":
                    websocket.close()
        stopped.set()
        for thread in threads:
            thread.join(10)
    assert odd == []


@pytest.mark.doors("sync", "group")
@pytest.mark.threads
def test_closing_from_threads_while_reconnecting_never_hangs() -> None:
    stopped = threading.Event()

    def close() -> None:
        while not stopped.wait(0.0005):
            websocket.close()
            websocket.force_disconnect()

    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        thread = threading.Thread(target=close)
        thread.start()
        for _ in range(50):
            assert names(websocket)[-1] in ("disconnected", "connect_fail")
        stopped.set()
        thread.join(10)


def test_the_host_header_of_an_ipv6_address_has_brackets_b14() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with raw_server(echo, address="::1") as server:
        stream = iter(WebSocket(f"ws://[::1]:{server.port}/"))
        until(stream, "ready")
        stream.close()
        (request,) = server.requests
    assert f"\r\nhost: [::1]:{server.port}\r\n".encode() in request.lower()


def test_a_second_iteration_ends_the_first_and_its_socket_b18() -> None:
    ended = threading.Event()

    def listen(connection: socket.socket) -> None:
        read_all(connection)
        ended.set()

    with raw_server(listen) as server:
        websocket = WebSocket(server.url)
        first = websocket.connect(poll=None, ping_rate=0)
        until(first, "ready")
        second = websocket.connect(poll=None, ping_rate=0)
        assert ended.wait(5)
        assert [event.name for event in first] == ["disconnected"]
        until(second, "ready")
        assert websocket.is_active
        first.close()
        assert websocket.is_active
        second.close()


@pytest.mark.threads
def test_force_disconnect_from_a_thread_ends_a_loop_that_waits_for_ever_b19() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        thread = threading.Timer(0.05, websocket.force_disconnect)
        thread.start()
        (last,) = stream
        assert last.name == "disconnected"
        assert not last.graceful
        websocket.force_disconnect()
        thread.join()


def test_no_password_is_shown_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    records: list[object] = []
    with raw_server(echo) as server:
        for url in (f"ws://me:s3cret@127.0.0.1:{server.port}/", "ws://me:s3cret@does.invalid/"):
            for trace in (records.append, True):
                websocket = WebSocket(url, trace=trace)
                for event in websocket:
                    records.append(event)
                    if event.name == "ready":
                        websocket.close()
                records.append(websocket)
    with pytest.raises(ValueError, match="port") as caught:
        WebSocket("ws://me:s3cret@h:99999/")
    records.append(caught.value)
    shown = " ".join(map(repr, records)) + " ".join(map(str, records)) + caplog.text
    assert "s3cret" not in shown


def test_the_request_says_nothing_of_the_machine() -> None:
    with raw_server(echo) as server:
        stream = iter(WebSocket(server.url))
        until(stream, "ready")
        stream.close()
    agent = server.requests[0].lower().partition(b"user-agent: ")[2].partition(b"\r\n")[0]
    assert agent.startswith(b"lomond/")
    uname = os.uname()
    for word in (uname.sysname, uname.release, uname.machine, "glibc"):
        assert word.lower().encode() not in agent
