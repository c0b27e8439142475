"""Polls, pings and the end of a close are punctual, also while messages keep coming."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from doors.raw_server import frame, raw_server, read_all, read_frame, until
from doors.tapped import PATIENCE, LoopSight, connect, in_thread, wait_for_bytes
from lomond import WebSocket
from lomond.io.waiting import BOUND
from lomond.protocol import frames

PERIOD = 0.05  # seconds; of Polls and pings
PAUSE = threading.Event()  # never set: its wait paces a server
TRAFFIC = {
    "small": frame(frames.TEXT, b"x"),
    "two in a read": frame(frames.TEXT, b"x") * 2,
    "fragments": b"\x01\x01x" + b"\x80\x01x",
    "with pings": frame(frames.TEXT, b"x") + frame(frames.PING, b"?"),
    "large": frame(frames.BINARY, bytes(100_000)),
}


class Busy:
    """A server that says something every few milliseconds, and answers nothing.

    Attributes:
        heard: The client's frames.
        lasted: Seconds for which it talked.
    """

    def __init__(self, says: bytes, seconds: float, ends: bytes = b"") -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.lasted = 0.0
        self._says = says
        self._seconds = seconds
        self._ends = ends

    def __call__(self, connection: socket.socket) -> None:
        listener = in_thread(lambda: self.heard.extend(read_all(connection)))
        started = monotonic()
        try:
            while monotonic() < started + self._seconds:
                connection.sendall(self._says)
                PAUSE.wait(0.003)
            connection.sendall(self._ends)
        finally:
            self.lasted = monotonic() - started
            listener.join(PATIENCE)


@pytest.mark.parametrize("kind", TRAFFIC)
def test_polls_and_pings_are_punctual_while_messages_keep_coming(kind: str) -> None:
    busy = Busy(TRAFFIC[kind], 1.0, frame(frames.CLOSE, code=1000))
    polls = 0
    with raw_server(busy) as server:
        stream = WebSocket(server.url).connect(poll=PERIOD, ping_rate=PERIOD, close_timeout=1)
        for event in stream:
            polls += event.name == "poll"
    expected = busy.lasted / PERIOD
    pings = sum(opcode == frames.PING for opcode, _ in busy.heard)
    assert 0.7 * expected <= polls <= expected + 2
    assert 0.7 * expected <= pings <= expected + 2


def test_polls_come_between_messages_of_one_read_that_a_slow_handler_takes() -> None:
    many = TRAFFIC["small"] * 100
    ready = threading.Event()

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(many)
        read_all(connection)

    with raw_server(serve) as server:
        sock = connect(server.port)
        stream = WebSocket(server.url, socket=sock).connect(poll=PERIOD, ping_rate=0)
        until(stream, "poll")
        ready.set()
        wait_for_bytes(sock, len(many))
        names = []
        while names.count("text") < 100:
            names.append(next(stream).name)
            PAUSE.wait(0.003)
        stream.close()
    assert names.count("poll") >= 4


def test_no_read_waits_past_a_poll_that_is_near() -> None:
    rounds = 20
    polled = threading.Event()
    starts: list[float] = []

    def serve(connection: socket.socket) -> None:
        for _ in range(rounds):
            # The last message comes shortly before the Poll is due.
            assert polled.wait(PATIENCE)
            polled.clear()
            PAUSE.wait(PERIOD - BOUND / 2)
            connection.sendall(TRAFFIC["small"])
        read_all(connection)

    def reading(size: int, flags: int) -> bytes:
        if not flags:  # it may wait for BOUND seconds
            starts.append(monotonic())
        return sock.recv_now(size, flags)

    with raw_server(serve) as server:
        sock = connect(server.port)
        stream = WebSocket(server.url, socket=sock).connect(poll=PERIOD, ping_rate=0)
        until(stream, "poll")
        first = monotonic()
        sock.on_recv = reading
        for _ in range(rounds):
            polled.set()
            until(stream, "poll")
        stream.close()
    left = [PERIOD - (start - first) % PERIOD for start in starts]
    # One may be late because of another process.
    assert sum(0.1 * BOUND < seconds < 0.75 * BOUND for seconds in left) < rounds / 4


@pytest.mark.parametrize("who", ["the loop", "a thread"])
@pytest.mark.parametrize("kind", TRAFFIC)
def test_a_close_ends_in_time_though_the_server_talks_on_and_never_answers(
    kind: str, who: str
) -> None:
    with raw_server(Busy(TRAFFIC[kind], 3.0)) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0, close_timeout=0.2)
        until(stream, "ready")
        ready_at = monotonic()
        next(stream)
        started = monotonic()
        assert started - ready_at < 1
        if who == "the loop":
            websocket.close()
        else:
            threading.Timer(0.05, websocket.close).start()
            started += 0.05
        assert until(stream, "disconnected").name == "disconnected"
        assert 0.15 < monotonic() - started < 1


ENDS: dict[str, Callable[[WebSocket], None]] = {
    "close": WebSocket.close,
    "force": WebSocket.force_disconnect,
    "leave": lambda websocket: websocket.__exit__(None, None, None),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("state", ["long wait", "short wait"])
def test_a_thread_ends_a_loop_that_waits_within_a_tenth_of_a_second(
    monkeypatch: pytest.MonkeyPatch, state: str, how: str
) -> None:
    def serve(connection: socket.socket) -> None:
        assert go.wait(PATIENCE)
        connection.sendall(TRAFFIC["small"])
        assert over.wait(PATIENCE)

    def end() -> None:
        if state == "long wait":
            assert sight.waits.wait(PATIENCE)
        else:
            assert read.wait(PATIENCE)
        ended_at.append(monotonic())
        ENDS[how](websocket)

    def reading(size: int, flags: int) -> bytes:
        if go.is_set() and not flags and texts:
            read.set()  # the loop waits in the read itself
        return sock.recv_now(size, flags)

    seconds: list[float] = []
    for _ in range(3):
        go, read, over = (threading.Event() for _ in range(3))
        ended_at: list[float] = []
        texts: list[str] = []
        with raw_server(serve) as server:
            sock = connect(server.port)
            websocket = WebSocket(server.url, socket=sock)
            stream = websocket.connect(poll=None, ping_rate=0, close_timeout=0.02)
            until(stream, "ready")
            sock.on_recv = reading
            go.set()
            until(stream, "text")
            texts.append("x")
            with monkeypatch.context() as patch:
                sight = LoopSight(patch)
                thread = in_thread(end)
                guard = threading.Timer(3, sock.shutdown, (socket.SHUT_RDWR,))
                guard.start()
                list(stream)
                seconds.append(monotonic() - ended_at[0])
                guard.cancel()
                sight.end()
                thread.join(PATIENCE)
            over.set()
    assert min(seconds) < 0.1


def test_poll_zero_gives_a_poll_for_each_turn_and_never_waits() -> None:
    messages = 100

    def serve(connection: socket.socket) -> None:
        for _ in range(messages):
            connection.sendall(TRAFFIC["small"])
            read_frame(connection)
        assert idle.wait(PATIENCE)
        read_all(connection)

    idle = threading.Event()
    texts, before = 0, ""
    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=0, ping_rate=0)
        until(stream, "ready")
        while texts < messages:
            event = next(stream)
            if event.name == "text":
                # Between two messages, which come in two reads, there is a Poll.
                assert before != "text"
                websocket.send_text("next")
                texts += 1
            before = event.name
        break_at = monotonic()
        polls = [next(stream).name for _ in range(200)]
        assert set(polls) == {"poll"}
        assert monotonic() - break_at < 2  # 4 s if each turn waited for its bound
        idle.set()
        stream.close()
