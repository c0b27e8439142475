"""A deadline is judged by what has arrived, in every door, whatever kept the thread meanwhile.

The rules themselves are in tests/session/test_session_deadlines.py, in pretend time.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import (
    RawServer,
    accept_upgrade,
    echo,
    frame,
    raw_server,
    read_all,
    read_frame,
    read_request,
    until,
)
from doors.tapped import connect
from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.events import AnyEvent
from lomond.io import performing
from lomond.protocol import frames

pytestmark = pytest.mark.every_door

PATIENCE = 10.0  # seconds
FAR = 1000.0  # seconds; of what must not come into it
KINDS = ["plain", "tls"]
Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def served(
    kind: str, handler: Handler, **server_options: Any
) -> Iterator[tuple[RawServer, dict[str, Any]]]:
    """A server, and the options that a client needs for it."""
    server_context, client_context = contexts()
    context = server_context if kind == "tls" else None
    with raw_server(handler, context=context, **server_options) as server:
        yield server, ({"ssl_context": client_context} if kind == "tls" else {})


class Slowly:
    """A connection that is read at a rate.

    Arguments:
        connection: What to read from.
        rate: Bytes a second.
    """

    def __init__(self, connection: socket.socket, rate: float) -> None:
        self._connection = connection
        self._rate = rate

    def recv(self, size: int) -> bytes:
        data = self._connection.recv(size)
        time.sleep(len(data) / self._rate)
        return data


def names(events: Iterator[AnyEvent], act: Callable[[AnyEvent], object]) -> list[str]:
    found = []
    for event in events:
        found.append(event.name)
        act(event)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_that_blocks_is_no_dead_server(kind: str) -> None:
    """The pong lies in the socket all the while."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"work"))
        echo(connection)

    pongs = 0

    def act(event: AnyEvent) -> None:
        nonlocal pongs
        if event.name in ("text", "pong"):
            pongs += event.name == "pong"
            if pongs == 3:
                websocket.close()
            time.sleep(0.35)  # the thread is kept, for longer than ping_timeout

    with served(kind, serve) as (server, options):
        websocket = WebSocket(server.url, **options)
        seen = names(websocket.connect(poll=None, ping_rate=0.1, ping_timeout=0.3), act)
    assert "unresponsive" not in seen
    assert seen[-2:] == ["closed", "disconnected"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_of_connected_that_blocks_is_no_silent_server(kind: str) -> None:
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        request = read_request(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        accept_upgrade(connection, request)
        answered.set()
        echo(connection)

    def act(event: AnyEvent) -> None:
        if event.name == "connected":
            assert answered.wait(PATIENCE)
            time.sleep(1.1)
        elif event.name == "ready":
            websocket.close()

    with served(kind, serve, upgrades=False) as (server, options):
        websocket = WebSocket(server.url, open_timeout=1, **options)
        seen = names(websocket.connect(poll=None, ping_rate=0), act)
    assert seen == ["connecting", "connected", "ready", "closed", "disconnected"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_server_is_given_up_though_the_handler_of_connected_was_slow(kind: str) -> None:
    def serve(connection: socket.socket) -> None:
        read_all(connection)

    with served(kind, serve, upgrades=False) as (server, options):
        stream = WebSocket(server.url, open_timeout=0.8, **options).connect(ping_rate=0)
        until(stream, "connected")
        time.sleep(0.9)
        assert "open_timeout" in until(stream, "disconnected").reason


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_of_a_frame_that_lies_in_the_socket_is_no_stall(kind: str) -> None:
    whole = frame(frames.BINARY, bytes(200_000))
    sent = threading.Event()
    handled = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"work") + whole[:50_000])
        assert handled.wait(PATIENCE)
        connection.sendall(whole[50_000:])
        sent.set()
        read_all(connection)

    def act(event: AnyEvent) -> None:
        if event.name == "text":
            handled.set()
            sent.wait(0.2)  # the system may not take it all
            time.sleep(0.4)
        elif event.name == "binary":
            websocket.force_disconnect()

    with served(kind, serve) as (server, options):
        websocket = WebSocket(server.url, frame_timeout=0.3, **options)
        seen = names(websocket.connect(poll=None, ping_rate=0), act)
    assert seen[-3:] == ["text", "binary", "disconnected"]


@pytest.mark.parametrize("size", [20_000, 70_000, 300_000])
@pytest.mark.parametrize("work", [{"poll": None, "ping_rate": 0}, {"poll": FAR, "ping_rate": FAR}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_that_stalls_is_noticed_before_anything_else_is_due(
    kind: str, work: dict[str, Any], size: int
) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.BINARY, bytes(size + 1))[:-1])
        read_all(connection)

    with served(kind, serve) as (server, options):
        stream = WebSocket(server.url, frame_timeout=0.2, **options).connect(**work)
        started = time.monotonic()
        assert "frame_timeout" in until(stream, "disconnected").reason
    assert time.monotonic() - started < FAR / 10


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_close_timeout_is_kept_by_a_slow_handler(kind: str, answers: bool) -> None:
    """After it no message is handed out, however many were read before."""
    seconds, timeout = 0.05, 0.4

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x") * 2000)
        while read_frame(connection)[0] != frames.CLOSE:
            pass
        if answers:
            connection.sendall(frame(frames.TEXT, b"x") * 2000 + frame(frames.CLOSE, code=1000))
        read_all(connection)

    texts = 0

    def act(event: AnyEvent) -> None:
        nonlocal texts
        if event.name == "text":
            if not texts:
                websocket.close()
            texts += 1
            time.sleep(seconds)

    with served(kind, serve) as (server, options):
        websocket = WebSocket(server.url, **options)
        work: dict[str, Any] = {"poll": None, "ping_rate": 0}
        seen = names(websocket.connect(close_timeout=timeout, **work), act)
    assert texts <= timeout / seconds + 2
    assert seen[-2] == ("closed" if answers else "text")


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_came_in_time_is_one_however_many_reads_it_takes(kind: str) -> None:
    heard, handled = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
        connection.sendall(frame(frames.TEXT, b"work"))
        while read_frame(connection)[0] != frames.CLOSE:
            pass
        answer = frame(frames.BINARY, bytes(400_000)) + frame(frames.CLOSE, code=1000)
        connection.sendall(answer)  # of which the system takes what it may
        heard.set()
        assert handled.wait(PATIENCE)
        read_all(connection)

    def act(event: AnyEvent) -> None:
        if event.name == "text":
            websocket.close()
            heard.wait(1)
            time.sleep(0.3)
            handled.set()

    with served(kind, serve) as (server, options):
        websocket = WebSocket(server.url, **options)
        seen = names(websocket.connect(poll=None, ping_rate=0, close_timeout=0.2), act)
    assert seen[-3:] == ["text", "closed", "disconnected"]


def test_the_time_of_a_ping_that_another_thread_sends_begins_at_once() -> None:
    """Nothing else is due, and nothing comes."""
    with raw_server(read_all) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0, ping_timeout=0.2)
        until(stream, "ready")
        thread = threading.Timer(0.1, websocket.send_ping)
        thread.start()
        assert [event.name for event in stream] == ["unresponsive", "disconnected"]
        thread.join(PATIENCE)


def test_what_the_system_takes_at_a_second_call_is_life() -> None:
    """It was full before, and is not any more: the server's went on."""

    def half(data: bytes) -> int:
        sock.on_send = None
        return sock.send_now(data[: len(data) // 2])

    with raw_server(read_all) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0, ping_timeout=FAR)
        until(stream, "ready")
        websocket.send_ping()
        assert websocket.session is not None
        before = websocket.session.deadline
        assert before is not None
        sock.on_send = half
        websocket.send_text("x" * 100)
        assert websocket.session.deadline > before
        websocket.force_disconnect()
        until(stream, "disconnected")


def test_the_loop_that_sends_at_each_poll_survives_a_server_that_closes() -> None:
    """The README's; the server leaves TCP open."""

    def serve(connection: socket.socket) -> None:
        assert read_frame(connection) == (frames.TEXT, b"Hello, World")
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)
        over.wait(PATIENCE)

    over = threading.Event()
    seen = []
    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=0.05, ping_rate=0, close_timeout=0.5):
            seen.append(event.name)
            if event.name == "poll":
                websocket.send_text("Hello, World")
        over.set()
    assert seen[-2:] == ["closing", "disconnected"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_slow_upload_is_no_dead_server(kind: str) -> None:
    """It reads all the while; where a busy machine makes a dead one of it, it has another try."""
    assert any(_uploads_slowly(kind) for _ in range(5))


def _uploads_slowly(kind: str) -> bool:
    """Whether the server was not taken for dead."""
    pause, piece, message = 0.02, 100_000, bytes(100_000)

    def serve(connection: socket.socket) -> None:
        left = len(message) * 80
        while left > 0 and (got := len(connection.recv(piece))):  # more than a second
            left -= got
            time.sleep(pause * got / piece)
        read_all(connection)

    def upload() -> None:
        try:
            for _ in range(80):
                websocket.send_binary(message)
            websocket.force_disconnect()
        except WebSocketError as error:
            failures.append(error)

    failures: list[WebSocketError] = []
    thread = threading.Thread(target=upload, daemon=True)
    small = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)]
    with served(kind, serve, read_buffer=100_000) as (server, options):
        websocket = WebSocket(server.url, socket_options=small, **options)
        seen = names(
            websocket.connect(poll=None, ping_rate=0.1, ping_timeout=0.7),
            lambda event: thread.start() if event.name == "ready" else None,
        )
        thread.join(PATIENCE)
    assert seen[-1] == "disconnected"
    assert "unresponsive" in seen or not failures
    return "unresponsive" not in seen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how far TCP is")
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_system_still_has_of_an_upload_is_waited_for(kind: str) -> None:
    """All was taken at once, and the ping lies behind it."""
    message, rate = bytes(2_000_000), 1_000_000  # bytes; bytes a second

    def serve(connection: socket.socket) -> None:
        slow: Any = Slowly(connection, rate)
        assert read_frame(slow) == (frames.BINARY, message)
        assert read_frame(slow) == (frames.PING, b"")
        connection.sendall(frame(frames.PONG))
        read_all(connection)

    large = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)]
    with served(kind, serve, read_buffer=50_000) as (server, options):
        websocket = WebSocket(server.url, socket_options=large, **options)
        stream = websocket.connect(poll=None, ping_rate=0, ping_timeout=1)
        until(stream, "ready")
        websocket.send_binary(message)
        websocket.send_ping()
        assert next(stream).name == "pong"
        websocket.force_disconnect()
        until(stream, "disconnected")


class AlarmError(Exception):
    """Of a signal's handler."""


def test_what_a_signal_handler_raises_while_opening_comes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At each look at the clock; it is no failed attempt, as what the user's callables raise is."""
    left = 0

    def now() -> float:
        nonlocal left
        left -= 1
        if left == 0:
            raise AlarmError
        return time.monotonic()

    monkeypatch.setattr(performing, "monotonic", now)
    moment = 0
    with raw_server(echo) as server:
        while left <= 0:
            moment += 1
            left = moment
            websocket = WebSocket(server.url)
            try:
                for event in websocket.connect(poll=None, ping_rate=0):
                    if event.name == "ready":
                        websocket.close()
            except AlarmError:
                continue
            assert left > 0, event
    assert moment > 5
