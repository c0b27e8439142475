"""Polls, pings and the end of a close are punctual, also while messages keep coming."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from doors.raw_server import frame, raw_server, read_all, read_frame, until
from doors.tapped import LoopSight, connect, in_thread, wait_for_bytes
from fair_clock import FairClock
from lomond import WebSocket
from lomond.protocol import frames
from lomond.system.pipe import BOUND
from patience import PATIENCE

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
        had: Seconds for which it talked, of those that this process had.
    """

    def __init__(self, says: bytes, seconds: float, ends: bytes = b"") -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.had = 0.0
        self._says = says
        self._seconds = seconds
        self._ends = ends

    def __call__(self, connection: socket.socket) -> None:
        listener = in_thread(lambda: self.heard.extend(read_all(connection)))
        try:
            with FairClock() as clock:
                while clock.now() < self._seconds:
                    connection.sendall(self._says)
                    PAUSE.wait(0.003)
                connection.sendall(self._ends)
        finally:
            self.had = clock.now()
            listener.join(PATIENCE)


@pytest.mark.parametrize("kind", TRAFFIC)
def test_polls_and_pings_are_punctual_while_messages_keep_coming(kind: str) -> None:
    busy = Busy(TRAFFIC[kind], 1.0, frame(frames.CLOSE, code=1000))
    polls = 0
    with raw_server(busy) as server:
        stream = WebSocket(server.url).connect(poll=PERIOD, ping_rate=PERIOD, close_timeout=1)
        for event in stream:
            polls += event.name == "poll"
            if event.name == "ready":
                began = monotonic()
            elif event.name == "closing":
                lasted = monotonic() - began  # here, where the server's end may be seen late
    least, most = 0.7 * busy.had / PERIOD, lasted / PERIOD + 2
    pings = sum(opcode == frames.PING for opcode, _ in busy.heard)
    assert least <= polls <= most
    assert least <= pings <= most


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
    rounds, too_long = 20, 0
    bounded: list[int] = []

    def serve(connection: socket.socket) -> None:
        while read_frame(connection)[0] == frames.TEXT:
            connection.sendall(TRAFFIC["small"])

    def reading(size: int, flags: int) -> bytes:
        if not flags:  # it may wait for BOUND seconds
            bounded.append(size)
        return sock.recv_now(size, flags)

    with raw_server(serve) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=PERIOD, ping_rate=0)
        until(stream, "poll")
        polled_at = monotonic()
        while rounds:
            websocket.send_text("say something")
            wait_for_bytes(sock, len(TRAFFIC["small"]))
            # The next one is due then, or sooner where this process saw the last one late.
            PAUSE.wait(polled_at + PERIOD - BOUND / 2 - monotonic())
            bounded.clear()
            sock.on_recv = reading
            names = []
            for _ in range(2):  # now a Poll is near
                names.append(next(stream).name)
                if names[-1] == "poll":
                    polled_at = monotonic()
            sock.on_recv = None
            if names == ["text", "poll"]:  # the other way round it was too late for that
                rounds -= 1
                too_long += bool(bounded)
        stream.close()
    assert not too_long


@pytest.mark.parametrize("who", ["the loop", "a thread"])
@pytest.mark.parametrize("kind", TRAFFIC)
def test_a_close_ends_in_time_though_the_server_talks_on_and_never_answers(
    kind: str, who: str
) -> None:
    with FairClock() as clock, raw_server(Busy(TRAFFIC[kind], 3.0)) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0, close_timeout=0.2)
        until(stream, "ready")
        next(stream)
        started, had = monotonic(), clock.now()
        if who == "the loop":
            websocket.close()
        else:
            threading.Timer(0.05, websocket.close).start()
            started += 0.05
        assert until(stream, "disconnected").name == "disconnected"
        assert monotonic() - started > 0.15
        assert clock.now() - had < 1


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
        ended_at.append(clock.now())
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
        with FairClock() as clock, raw_server(serve) as server:
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
                seconds.append(clock.now() - ended_at[0])
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
        with FairClock() as clock:
            polls = [next(stream).name for _ in range(200)]
            assert clock.now() < 2  # 4 s if each turn waited for its bound
        assert set(polls) == {"poll"}
        idle.set()
        stream.close()
