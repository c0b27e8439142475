"""Output that has to wait leaves in order, and as soon as the system takes it, whoever waits."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from doors.inside import after_each_change
from doors.raw_server import frame, listens_into, raw_server, read_all, read_frame, until
from doors.tapped import LoopSight, conversation, in_thread
from lomond import WebSocket
from lomond.io.guarded import Guarded
from lomond.protocol import frames
from patience import PATIENCE

pytestmark = pytest.mark.threads

LARGE = bytes(300 * 1024)  # not sent in one call with the lock held
SHORT = 3.0  # seconds; what is lost is given up after that


@pytest.mark.parametrize("what", ["pong", "close"])
def test_what_a_sender_leaves_behind_is_written_by_the_loop(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    sight = LoopSight(monkeypatch)
    heard: list[int] = []
    go, pinged = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.settimeout(SHORT)
        if what == "pong":
            assert go.wait(PATIENCE)
            connection.sendall(frame(frames.PING, b"?"))
        heard.append(read_frame(connection)[0])
        heard.append(read_frame(connection)[0])
        connection.sendall(frame(frames.CLOSE, code=1000))

    def take(data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            # While the sender writes, another thread's output is queued, and the loop waits again.
            if what == "pong":
                sight.waits.clear()
                go.set()
                assert pinged.wait(PATIENCE)
                sight.waits.wait(PATIENCE)
            else:
                in_thread(websocket.close).join(PATIENCE)
            return sock.take_all(data)
        if len(calls) == 2:
            raise BlockingIOError
        return sock.send_now(data)

    calls: list[int] = []
    with conversation(serve) as (sock, websocket, stream):
        sock.on_send = take
        sender = in_thread(websocket.send_binary, LARGE)
        for event in stream:
            if event.name == "ping":
                pinged.set()
        sight.end()
        sender.join(PATIENCE)
        assert not sender.is_alive()
    assert heard == [frames.BINARY, frames.PONG if what == "pong" else frames.CLOSE]


def test_a_pong_leaves_right_after_the_message_it_waited_for_though_the_handler_is_busy() -> None:
    go, pinged, ponged = threading.Event(), threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        assert go.wait(PATIENCE)
        connection.sendall(frame(frames.PING, b"?"))
        assert read_frame(connection) == (frames.BINARY, LARGE)
        assert read_frame(connection) == (frames.PONG, b"?")
        ponged.set()
        read_all(connection)

    def take(data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return sock.send_now(data[:1000])  # from now on there is a backlog
        if len(calls) == 2:
            go.set()
            assert pinged.wait(PATIENCE)
            return sock.take_all(data)
        return sock.send_now(data)

    calls: list[int] = []
    with conversation(serve) as (sock, websocket, stream):
        sock.on_send = take
        sender = in_thread(websocket.send_binary, LARGE)
        until(stream, "ping")
        pinged.set()
        assert ponged.wait(SHORT)  # a handler that does something else
        sender.join(PATIENCE)
        stream.close()


def test_a_message_waits_for_the_half_that_another_thread_is_writing() -> None:
    writes = threading.Event()  # the second thread does not wait for its turn
    heard: list[tuple[int, bytes]] = []

    def take(data: bytes) -> int:
        if threading.current_thread() in threads:
            writes.set()
        elif not threads:
            half = sock.take_all(data[: len(data) // 2])
            threads.append(threading.Thread(target=websocket.send_text, args=("after",)))
            threads[0].start()
            writes.wait(0.3)
            return half
        return sock.take_all(data)

    threads: list[threading.Thread] = []
    with conversation(listens_into(heard)) as (sock, websocket, stream):
        sock.on_send = take
        websocket.send_binary(LARGE)
        threads[0].join(PATIENCE)
        stream.close()
    assert heard[:2] == [(frames.BINARY, LARGE), (frames.TEXT, b"after")]


def test_a_message_waits_for_a_pong_of_which_a_byte_is_written() -> None:
    heard: list[tuple[int, bytes]] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.PING, b"?"))
        heard.extend(read_all(connection))

    def take(data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return sock.send_now(data[:1])
        if len(calls) == 2:
            raise BlockingIOError
        return sock.send_now(data)

    calls: list[int] = []
    with conversation(serve) as (sock, websocket, stream):
        sock.on_send = take
        until(stream, "ping")
        websocket.send_text("after")
        stream.close()
    assert heard[:2] == [(frames.PONG, b"?"), (frames.TEXT, b"after")]


def test_pings_go_on_though_a_thread_sends_between_a_ping_and_its_leaving() -> None:
    pings: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while len(pings) < 4:
            opcode, payload = read_frame(connection)
            if opcode == frames.PING:
                pings.append(payload)
                connection.sendall(frame(frames.PONG, payload))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    def send(exchange: Guarded) -> None:
        if exchange.output.is_ready and exchange.session.course.opened_at is not None and not sent:
            sent.append("x")  # the ping is made, and nobody has taken it yet
            in_thread(websocket.send_text, "x").join(PATIENCE)

    sent: list[str] = []
    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0.05, close_timeout=1)
        after_each_change(websocket, send)
        guard = threading.Timer(SHORT, websocket.force_disconnect)
        guard.start()
        assert until(stream, "disconnected").graceful
        guard.cancel()
    assert (len(pings), sent) == (4, ["x"])


@pytest.mark.parametrize("size", [1, 1000, 200_000])
def test_a_message_that_the_system_takes_in_pieces_is_sent_whole_when_the_call_returns(
    size: int,
) -> None:
    heard: list[tuple[int, bytes]] = []

    def take(data: bytes) -> int:
        calls.append(len(data))
        if len(calls) % 3 == 2:
            raise BlockingIOError
        taken = sock.send_now(data[: max(1, len(data) // 3)])
        total.append(taken)
        return taken

    calls: list[int] = []
    total: list[int] = []
    payload = bytes(range(256)) * (size // 256 + 1)
    with conversation(listens_into(heard)) as (sock, websocket, stream):
        sock.on_send = take
        websocket.send_binary(payload[:size])
        assert sum(total) > size
        websocket.send_text("after")
        sock.on_send = None
        stream.close()
    assert heard[:2] == [(frames.BINARY, payload[:size]), (frames.TEXT, b"after")]


def test_what_can_not_leave_keeps_nobody_busy() -> None:
    calls: list[int] = []

    def count(data: bytes) -> int:
        calls.append(len(data))
        return sock.send_now(data)

    done = threading.Event()

    def reads_nothing(connection: socket.socket) -> None:
        done.wait(PATIENCE)

    with conversation(reads_nothing, close_timeout=1) as (sock, websocket, stream):
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send_now(LARGE)
        sock.on_send = count
        websocket.close()
        assert [event.name for event in stream] == ["disconnected"]
        done.set()
    assert 0 < len(calls) < 20
