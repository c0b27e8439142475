"""Threads that send and close while another iterates; sends that the server does not take."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from doors.inside import exchange_of
from doors.raw_server import (
    RawServer,
    echo,
    frame,
    listens_into,
    raw_server,
    read_all,
    read_frame,
    until,
)
from fair_clock import FairClock
from lomond import WebSocket
from lomond.errors import TransportFail, WebSocketError
from lomond.events import AnyEvent
from lomond.protocol import frames
from lomond.testing.echo import EchoServer
from patience import PATIENCE

pytestmark = pytest.mark.threads

SENDERS = 8
MESSAGES = 200
BIG = bytes(32 * 1024 * 1024)


def test_messages_of_many_threads_arrive_whole_and_in_order() -> None:
    received: dict[str, list[str]] = defaultdict(list)
    odd: list[BaseException] = []

    def send(sender: int) -> None:
        try:
            for number in range(MESSAGES):
                websocket.send_text(f"{sender}:{number}:" + "é" * (number * sender))
        except BaseException as error:
            odd.append(error)

    with EchoServer() as server:
        websocket = WebSocket(server.url)
        threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
        count = 0
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                for thread in threads:
                    thread.start()
            elif event.name == "text":
                received[event.text[0]].append(event.text)
                count += 1
                if count == SENDERS * MESSAGES:
                    websocket.close()
        for thread in threads:
            thread.join(10)
    assert odd == []
    for sender in range(SENDERS):
        expected = [f"{sender}:{n}:" + "é" * (n * sender) for n in range(MESSAGES)]
        assert received[str(sender)] == expected


def test_a_close_from_a_thread_wakes_a_loop_that_waits_for_ever() -> None:
    with EchoServer() as server, FairClock() as clock:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        closed_at: list[float] = []

        def close() -> None:
            exchange = exchange_of(websocket)
            while not exchange.is_in_use:
                pass  # the loop is on its way into its wait
            closed_at.append(clock.now())
            websocket.close()

        thread = threading.Thread(target=close)
        thread.start()
        assert [event.name for event in stream] == ["closed", "disconnected"]
        assert clock.now() - closed_at[0] < 1
        thread.join()


def test_a_message_of_a_thread_is_not_held_up_by_a_loop_that_waits_for_ever() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        thread = threading.Timer(0.05, websocket.send_text, ("x",))
        thread.start()
        assert next(stream).name == "text"
        thread.join()
        stream.close()


@contextmanager
def deaf_server() -> Iterator[RawServer]:
    """Upgrades, and reads nothing more."""

    def deaf(connection: socket.socket) -> None:
        server.released.wait(10)

    with raw_server(deaf) as server:
        yield server


@pytest.mark.parametrize("where", ["in the loop", "in a thread"])
def test_a_server_that_never_reads_ends_the_send_b2(where: str) -> None:
    failed: list[TransportFail] = []

    def send() -> None:
        with pytest.raises(TransportFail, match="send_timeout") as caught:
            websocket.send_binary(BIG)
        failed.append(caught.value)

    with deaf_server() as server:
        websocket = WebSocket(server.url, send_timeout=0.5)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        started = time.monotonic()
        with FairClock() as clock:
            if where == "in the loop":
                send()
                last = until(stream, "disconnected")
            else:
                thread = threading.Thread(target=send)
                thread.start()
                last = until(stream, "disconnected")
                thread.join(PATIENCE)
        assert time.monotonic() - started > 0.4
        assert clock.now() < 3
    assert len(failed) == 1
    assert not last.graceful  # type: ignore[union-attr]  # the event that has it
    assert websocket.is_closed


@contextmanager
def waiting_send(
    send_timeout: float | None, **options: Any
) -> Iterator[tuple[WebSocket, Iterator[AnyEvent], threading.Thread]]:
    """A thread that sends to a server that reads nothing, which ends with an error."""

    def send() -> None:
        sending.set()
        with pytest.raises(WebSocketError):
            websocket.send_binary(BIG)

    sending = threading.Event()
    with deaf_server() as server:
        websocket = WebSocket(server.url, send_timeout=send_timeout)
        stream = websocket.connect(poll=0.05, ping_rate=0, **options)
        until(stream, "ready")
        thread = threading.Thread(target=send)
        thread.start()
        sending.wait()
        yield websocket, stream, thread


def test_a_waiting_send_lets_another_thread_close_at_once_b2() -> None:
    with waiting_send(5, close_timeout=0.5) as (websocket, stream, thread), FairClock() as clock:
        for _ in range(3):
            until(stream, "poll")  # Polls go on
        started = clock.now()
        websocket.close()
        assert clock.now() - started < 0.3
        assert websocket.is_closing
        last = until(stream, "disconnected")
        assert "close_timeout" in last.reason or "close" in last.reason  # type: ignore[union-attr]  # the event that has it
        thread.join(10)
        assert not thread.is_alive()
        assert clock.now() - started < 3


def test_leaving_the_loop_ends_a_waiting_send() -> None:
    with waiting_send(None) as (_, stream, thread):
        until(stream, "poll")
        until(stream, "poll")
        stream.close()
        thread.join(3)
        assert not thread.is_alive()


def test_a_sender_and_a_server_that_both_write_do_not_hang_b2() -> None:
    total = 24 * 1024 * 1024
    wrote = threading.Event()

    def writes_first(connection: socket.socket) -> None:
        until_first = read_frame(connection)
        assert until_first[1] == b"go"
        piece = frame(frames.BINARY, bytes(1024 * 1024))
        for _ in range(total // (1024 * 1024)):
            connection.sendall(piece)
        wrote.set()
        _, payload = read_frame(connection)
        connection.sendall(frame(frames.TEXT, str(len(payload)).encode()))
        read_all(connection)

    with raw_server(writes_first) as server:
        websocket = WebSocket(server.url, send_timeout=30)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        websocket.send_text("go")
        websocket.send_binary(BIG)  # the server takes nothing before it has written all
        assert wrote.is_set()
        received = 0
        for event in stream:
            if event.name == "binary":
                received += len(event.data)
            elif event.name == "text":
                assert event.text == str(len(BIG))
                break
        stream.close()
        assert received == total


def time_to_mask() -> float:
    """Seconds of this thread for BIG's frame, which the pure twin makes slowly on some Pythons."""
    started = time.thread_time()
    frames.build(frames.BINARY, BIG, b"mask")
    return time.thread_time() - started


def test_reading_ahead_stops_at_its_limit_without_burning_the_processor() -> None:
    def floods(connection: socket.socket) -> None:
        piece = frame(frames.BINARY, bytes(1024 * 1024))
        for _ in range(64):
            connection.sendall(piece)

    with raw_server(floods) as server:
        websocket = WebSocket(server.url, send_timeout=0.5, max_read_ahead=1024 * 1024)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        started = time.thread_time()
        with pytest.raises(TransportFail, match="send_timeout"):
            websocket.send_binary(BIG)
        assert time.thread_time() - started < 0.3 + 2 * time_to_mask()
        stream.close()


def test_a_server_that_ends_its_stream_and_reads_nothing_does_not_burn_the_processor() -> None:
    def half(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        server.released.wait(10)

    with raw_server(half) as server:
        websocket = WebSocket(server.url, send_timeout=0.5)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        started = time.thread_time()
        with pytest.raises(TransportFail):
            websocket.send_binary(BIG)
        assert time.thread_time() - started < 0.3 + 2 * time_to_mask()
        assert until(stream, "disconnected").name == "disconnected"


def test_a_close_frame_is_followed_by_no_data_of_another_thread_b21() -> None:
    heard: list[tuple[int, bytes]] = []

    def send() -> None:
        with suppress(WebSocketError):
            while True:
                websocket.send_text("x")

    with raw_server(listens_into(heard)) as server:
        for _ in range(5):
            heard.clear()
            websocket = WebSocket(server.url)
            stream = websocket.connect(poll=None, ping_rate=0, close_timeout=0.2)
            until(stream, "ready")
            threads = [threading.Thread(target=send) for _ in range(3)]
            for thread in threads:
                thread.start()
            websocket.close()
            until(stream, "disconnected")
            for thread in threads:
                thread.join(10)
            deadline = time.monotonic() + 5
            while not heard and time.monotonic() < deadline:
                time.sleep(0.01)
            assert [opcode for opcode, _ in heard].index(frames.CLOSE) == len(heard) - 1


def test_many_loops_at_once() -> None:
    def run(number: int) -> None:
        websocket = WebSocket(server.url)
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                websocket.send_text(str(number))
            elif event.name == "text":
                texts.append(event.text)
                websocket.close()

    texts: list[str] = []
    with raw_server(echo) as server:
        threads = [threading.Thread(target=run, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert sorted(texts) == sorted(map(str, range(10)))


def test_a_users_ping_that_stays_unanswered_is_noticed_by_a_loop_that_waits_for_ever() -> None:
    def listen(sock: socket.socket) -> None:
        read_all(sock)  # and answers nothing

    with raw_server(listen) as server, FairClock() as clock:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0, ping_timeout=0.2)
        until(stream, "ready")
        started, had = time.monotonic(), clock.now()
        timer = threading.Timer(0.3, websocket.send_ping)  # the loop waits by then
        timer.start()
        until(stream, "unresponsive")
        assert time.monotonic() - started > 0.4
        assert clock.now() - had < 5
        timer.join()
        stream.close()
