"""However the loop is left, the socket is gone at once, and the server told where it can be."""

from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doors.descriptors import opened
from doors.inside import exchange_of
from doors.raw_server import Handler, RawServer, frame, raw_server, read_all, until
from doors.signals import alarm_once
from doors.tapped import connect, in_thread
from lomond import WebSocket
from lomond.errors import TransportFail
from lomond.events import AnyEvent
from lomond.io import waiting
from lomond.protocol import frames
from lomond.session.session import Session
from patience import PATIENCE
from refcounts import at_once

GOING_AWAY = (frames.CLOSE, (1001).to_bytes(2, "big"))


class Listener:
    """Says something, then keeps what the client says, and its socket until the end.

    Keeping the socket means that a descriptor that goes is the client's.
    """

    def __init__(self, says: bytes = b"", resets: bool = False) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.ended = threading.Event()
        self.may_go = threading.Event()
        self._says = says

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(self._says)
        self.heard = read_all(connection)
        self.ended.set()
        self.may_go.wait(10)


@contextmanager
def listening(listener: Listener) -> Iterator[RawServer]:
    handler: Handler = listener
    with raw_server(handler) as server:
        try:
            yield server
        finally:
            listener.may_go.set()


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Only reference counts free things, and what is left open is an error."""
    gc.collect()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
            gc.collect()
    finally:
        gc.enable()


SAYS = {
    "connecting": b"",
    "connected": b"",
    "ready": b"",
    "poll": b"",
    "text": frame(frames.TEXT, b"x"),
    "binary": frame(frames.BINARY, b"x"),
    "ping": frame(frames.PING, b"x"),
    "pong": frame(frames.PONG, b"x"),
    "closing": frame(frames.CLOSE, b"bye", 1000),
    "protocol_error": b"\xc1\x00",
    "unresponsive": b"",
}
LAST = {
    "connecting": [],
    "connected": [],
    "closing": [(frames.CLOSE, (1000).to_bytes(2, "big"))],
    "protocol_error": [(frames.CLOSE, (1002).to_bytes(2, "big"))],
    "unresponsive": [],
}


@pytest.mark.parametrize(
    "how", [*(pytest.param(how, marks=at_once) for how in ("break", "exception", "drop")), "with"]
)
@pytest.mark.parametrize("moment", SAYS)
def test_leaving_at_an_event_frees_the_socket_and_tells_the_server(moment: str, how: str) -> None:
    listener = Listener(SAYS[moment])
    with listening(listener) as server:
        websocket = WebSocket(server.url)
        before = opened()
        options = {"ping_rate": 0.05, "ping_timeout": 0.05} if moment == "unresponsive" else {}
        if how == "break":
            for event in websocket.connect(**options):  # type: ignore[arg-type]  # of each the right kind
                if event.name == moment:
                    break
        elif how == "drop":
            stream = websocket.connect(**options)  # type: ignore[arg-type]  # of each the right kind
            until(stream, moment)
            del stream
        elif how == "with":
            stream = websocket.connect(**options)  # type: ignore[arg-type]  # of each the right kind
            with websocket:
                until(stream, moment)
        else:
            with pytest.raises(LookupError):
                fail_at(moment, websocket, options)
        if moment not in ("connecting", "connected"):
            assert listener.ended.wait(5)
        # What is new is not ours: the server's own end, and our socket is another one's peer.
        new = {entry for entry in opened() - before if "socket" in entry}
        assert len(new) <= (moment != "connecting"), new
        assert websocket.is_closed
        assert not websocket.is_active
        if moment not in ("connecting", "connected"):
            expected = LAST.get(moment, [GOING_AWAY])
            closes = [(op, data[:2]) for op, data in listener.heard if op == frames.CLOSE]
            assert closes == expected


def fail_at(moment: str, websocket: WebSocket, options: dict[str, float]) -> None:
    for event in websocket.connect(**options):  # type: ignore[arg-type]  # of each the right kind
        if event.name == moment:
            raise LookupError


def test_a_reset_leaves_nothing_open() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with raw_server(reset) as server:
        before = opened()
        for _ in range(5):
            websocket = WebSocket(server.url)
            *_, last = websocket
            assert last.name == "disconnected"
            assert not last.graceful
            assert websocket.is_closed
            del websocket, last
        assert len(opened() - before) <= 1


@at_once
def test_twenty_loops_left_keep_nothing() -> None:
    listener = Listener()
    listener.may_go.set()
    with listening(listener) as server:
        before = len(opened())
        for _ in range(20):
            for event in WebSocket(server.url):
                if event.name == "poll":
                    break
        assert len(opened()) <= before + 2


@pytest.mark.threads
def test_ctrl_c_inside_the_wait_tells_the_server_and_frees_the_socket() -> None:
    listener = Listener()
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with listening(listener) as server:
            websocket = WebSocket(server.url)
            before = opened()
            stream = websocket.connect(poll=None, ping_rate=0)
            until(stream, "ready")
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            assert websocket.is_closed
            websocket.close()  # raises nothing
            assert listener.ended.wait(5)
            assert len({entry for entry in opened() - before if "socket" in entry}) <= 1
            assert [(op, data[:2]) for op, data in listener.heard] == [GOING_AWAY]
            assert list(stream) == []
    finally:
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.threads
def test_ctrl_c_while_the_server_is_silent_in_the_upgrade() -> None:
    def mute(connection: socket.socket) -> None:
        connection.recv(65536)
        while connection.recv(65536):
            pass
        ended.set()

    ended = threading.Event()
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with raw_server(mute, upgrades=False) as server:
            websocket = WebSocket(server.url)
            stream = iter(websocket)
            until(stream, "connected")
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                next(stream)
            assert ended.wait(5)
            assert websocket.is_closed
    finally:
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.threads
def test_ctrl_c_in_a_send_that_waits() -> None:
    def deaf(connection: socket.socket) -> None:
        server.released.wait(10)

    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with raw_server(deaf) as server:
            websocket = WebSocket(server.url)
            stream = websocket.connect(ping_rate=0)
            until(stream, "ready")
            data = bytes(32 * 1024 * 1024)
            pipe = exchange_of(websocket).pipe
            with pytest.raises(KeyboardInterrupt), alarm_once(lambda: bool(pipe.queue)):
                websocket.send_binary(data)
            assert websocket.is_closed
            assert [event.name for event in stream][-1] == "disconnected"
    finally:
        signal.signal(signal.SIGALRM, handler)


@at_once
def test_a_second_loop_after_leaving_connects_again() -> None:
    listener = Listener()
    listener.may_go.set()
    with listening(listener) as server:
        websocket = WebSocket(server.url)
        for _ in range(3):
            for event in websocket:
                if event.name == "ready":
                    assert websocket.is_active
                    break
            assert websocket.is_closed
    assert len(server.requests) == 3


@pytest.mark.parametrize("way", ["iterator", "websocket"])
def test_an_iterator_that_is_kept_keeps_the_connection_until_it_is_told(way: str) -> None:
    listener = Listener()
    listener.may_go.set()
    with listening(listener) as server, WebSocket(server.url) as websocket:
        events = websocket.connect()
        for event in events:
            if event.name == "ready":
                break
        assert websocket.is_active
        if way == "iterator":
            events.close()
        else:
            websocket.__exit__(None, None, None)
        assert websocket.is_closed


def test_with_around_nothing_connects_nothing() -> None:
    with WebSocket("ws://127.0.0.1:1/") as websocket:
        assert websocket.session is None
    with pytest.raises(LookupError), WebSocket("ws://127.0.0.1:1/"):
        raise LookupError


@pytest.mark.parametrize("way", ["end of the program", "sys.exit in the loop", "thread"])
def test_the_interpreter_ends(way: str) -> None:
    code = f"""
import sys, threading
from doors.inside import exchange_of
from lomond import WebSocket
websocket = WebSocket(sys.argv[1])
stream = websocket.connect(poll=None, ping_rate=0)
way = {way!r}
for event in stream:
    if event.name == 'ready':
        if way == 'sys.exit in the loop':
            sys.exit(0)
        if way == 'thread':
            threading.Thread(target=lambda: list(stream), daemon=True).start()
            while not exchange_of(websocket).is_in_use:
                pass
        break
"""
    listener = Listener()
    listener.may_go.set()
    with listening(listener) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, server.url],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            cwd=Path(__file__).parents[1],
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert listener.ended.wait(5)


def test_a_mistake_inside_the_library_is_raised_and_told_to_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mistaken(session: Session, now: float) -> AnyEvent | None:
        raise ZeroDivisionError("a mistake")

    heard: list[tuple[int, bytes]] = []

    def listen(sock: socket.socket) -> None:
        heard.extend(read_all(sock))

    with raw_server(listen) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        monkeypatch.setattr(Session, "next_event", mistaken)
        with pytest.raises(ZeroDivisionError):
            list(stream)
        assert websocket.is_closed
    assert heard == [(frames.CLOSE, (1011).to_bytes(2, "big"))]


@pytest.mark.parametrize("way", ["connect", "reset", "force_disconnect"])
def test_a_connection_that_is_given_up_keeps_no_descriptor(way: str) -> None:
    with listening(Listener()) as server:
        websocket = WebSocket(server.url)
        before = opened()
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        getattr(websocket, way)()
        servers = 1
        assert len(opened() - before) == servers  # although the iterator is kept
        assert [event.name for event in stream] == ["disconnected"]


def test_without_descriptors_there_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(24, "Too many open files")

    waiting.forget_free()
    monkeypatch.setattr(waiting, "kind", full)
    connecting, failed = WebSocket("ws://127.0.0.1:9/")
    assert connecting.name == "connecting"
    assert failed.name == "connect_fail"
    assert "Too many open files" in failed.reason


def test_a_sender_that_leaves_closes_no_socket_that_the_loop_is_reading_from() -> None:
    may_go = threading.Event()
    is_sending = threading.Event()
    numbers: list[int] = []

    def send(data: bytes) -> int:
        is_sending.set()
        assert may_go.wait(PATIENCE)
        raise BrokenPipeError

    def fail_to_send() -> None:
        with pytest.raises(TransportFail):
            websocket.send_binary(bytes(500_000))  # too long for one call

    def read(size: int, flags: int) -> bytes:
        sock.on_recv = None
        sock.on_send = send
        sender = in_thread(fail_to_send)
        assert is_sending.wait(PATIENCE)
        websocket.force_disconnect()
        may_go.set()
        sender.join(PATIENCE)
        numbers.append(sock.fileno())
        return sock.recv_now(size, flags)

    with raw_server(read_all) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        sock.on_recv = read
        assert [event.name for event in stream] == ["disconnected"]
    assert numbers[0] >= 0
    assert sock.fileno() < 0
