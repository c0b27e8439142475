"""What a connection stands on, in both twins: locks, calls of the system, layers, clocks."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from doors.inside import exchange_of
from doors.raw_server import echo, raw_server
from doors.signals import alarm
from lomond import WebSocket
from lomond.system import clock, lock, pipe, wire
from lomond.system.holding import is_mine
from lomond.system.layers import Layer
from patience import PATIENCE
from traced import tracemalloc

TIMEVALS = {8: "=ii", 16: "=qq"}  # by what systems of 32 and of 64 bits have for a time
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@contextmanager
def held(guard: lock.Lock) -> Iterator[None]:
    """Another thread has it."""
    has, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with guard:
            has.set()
            may_go.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert has.wait(PATIENCE)
    try:
        yield
    finally:
        may_go.set()
        thread.join(PATIENCE)


def test_a_lock_keeps_the_others_out() -> None:
    guard = lock.Lock()
    with held(guard):
        assert not guard.acquire(False)
        start = time.monotonic()
        assert not guard.acquire(timeout=0.05)
        assert not guard.acquire(True, 0)
        assert 0.05 <= time.monotonic() - start < PATIENCE
    assert guard.acquire(timeout=PATIENCE)
    guard.release()
    with pytest.raises(RuntimeError, match="release"):
        guard.release()


def test_the_waiting_thread_gets_it() -> None:
    guard, order = lock.Lock(), []
    with guard:
        thread = threading.Thread(
            target=lambda: [guard.acquire(), order.append("it"), guard.release()]
        )
        thread.start()
        time.sleep(0.05)
        order.append("we")
    thread.join(PATIENCE)
    assert order == ["we", "it"]


def test_a_lock_may_be_taken_again_by_its_thread() -> None:
    guard = lock.Lock()
    assert not is_mine(guard)
    with guard, guard:
        assert is_mine(guard)
        assert guard.acquire(False)
        guard.release()
        with held_by_nobody(guard):
            pass
    assert not is_mine(guard)
    with held(guard):
        assert not is_mine(guard)
        with pytest.raises(RuntimeError, match="release"):
            guard.release()


@contextmanager
def held_by_nobody(guard: lock.Lock) -> Iterator[None]:
    """Another thread can't get it."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(guard.acquire(timeout=0.01)))
    thread.start()
    thread.join(PATIENCE)
    assert answers == [False]
    yield


@pytest.mark.parametrize("timeout", [-1, PATIENCE])
def test_a_handler_that_raises_ends_the_wait_for_a_lock(timeout: float) -> None:
    guard = lock.Lock()
    with held(guard):
        with alarm(0.05, signal.default_int_handler), pytest.raises(KeyboardInterrupt):
            guard.acquire(True, timeout)
        ran: list[int] = []
        with alarm(0.01, lambda *_: ran.append(1)):
            assert not guard.acquire(timeout=0.1)
        assert ran
    assert guard.acquire(timeout=PATIENCE)
    guard.release()


def test_many_threads_change_one_number() -> None:
    guard, numbers = lock.Lock(), [0]

    def add() -> None:
        for _ in range(2000):
            with guard:
                number = numbers[0]
                if not number % 50:
                    time.sleep(0)
                numbers[0] = number + 1

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert numbers == [16_000]


def test_what_came_is_not_overwritten_while_someone_has_it(pair: Pair) -> None:
    one, other = pair
    one.setblocking(False)
    calls = wire.Wire(one)
    kept = []
    for number in range(4):
        other.sendall(bytes([number]) * 100)
        kept.append(calls.receive(1024, False))
    assert kept == [bytes([number]) * 100 for number in range(4)]
    assert {hash(data) for data in kept} == {hash(bytes([n]) * 100) for n in range(4)}
    del kept
    other.sendall(b"abc")
    data = calls.receive(1024, False)
    assert (data, hash(data)) == (b"abc", hash(b"abc"))
    del data
    other.sendall(b"d")
    data = calls.receive(1024, False)
    assert (data, hash(data)) == (b"d", hash(b"d"))
    calls.release()
    assert data == b"d"


@pytest.mark.parametrize("way", ["receive", "receive_apart", "receive_into"])
def test_nothing_the_end_and_an_error_are_told_apart(pair: Pair, way: str) -> None:
    one, other = pair
    one.setblocking(False)
    calls = wire.Wire(one)
    room = bytearray(8)

    def read() -> bytes | None:
        if way != "receive_into":
            data: bytes | None = getattr(calls, way)(8, False)
            return data
        count = calls.receive_into(memoryview(room), False)
        return None if count < 0 else bytes(room[:count])

    assert read() is None
    other.sendall(b"0123456789")
    assert [read(), read(), read()] == [b"01234567", b"89", None]
    other.close()
    assert read() == b""
    one.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        read()
    with pytest.raises(OSError, match="Bad file descriptor"):
        calls.send(b"x")


def test_a_send_says_how_much_was_taken(pair: Pair) -> None:
    one, other = pair
    calls = wire.Wire(one)
    assert calls.send(memoryview(b"abc")[1:]) == 2
    assert other.recv(8) == b"bc"
    while calls.send(bytes(100_000)):
        pass  # a blocking socket, and it does not block
    assert calls.send(b"x") == 0


def test_a_read_that_is_interrupted_ends(pair: Pair) -> None:
    one, _ = pair
    size = len(one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack(TIMEVALS[size], 1, 0))
    calls = wire.Wire(one)
    ran: list[int] = []
    with alarm(0.05, lambda *_: ran.append(1)):
        assert calls.receive(1024, True) is None
    assert ran
    with alarm(0.05, signal.default_int_handler), pytest.raises(KeyboardInterrupt):
        calls.receive(1024, True)


class OfAnotherSystem(socket.socket):
    """A socket whose system has another layout for a time; what it was told is in `told`."""

    size = 0
    told = b""

    def setsockopt(self, level: int, option: int, value: object, *more: object) -> None:  # type: ignore[override]  # stands for it
        assert option == socket.SO_RCVTIMEO
        assert isinstance(value, bytes)
        if len(value) < self.size:
            raise OSError(22, "Invalid argument")
        self.told = value[: self.size]

    def getsockopt(self, level: int, option: int, room: int = 0) -> bytes:  # type: ignore[override]  # stands for it
        assert option == socket.SO_RCVTIMEO
        return (self.told or bytes(self.size))[:room]


@pytest.mark.skipif(not hasattr(socket, "MSG_DONTWAIT"), reason="reads never wait on this system")
@pytest.mark.parametrize("size", TIMEVALS)
def test_a_read_is_bounded_in_the_layout_that_the_system_has(pair: Pair, size: int) -> None:
    one, _ = pair
    with OfAnotherSystem(fileno=one.detach()) as other:
        other.size = size
        assert pipe.Pipe(other).may_wait
        assert struct.unpack(TIMEVALS[size], other.told) == (0, 20_000)
        assert other.gettimeout() is None


@pytest.mark.parametrize("size", [0, 12, 24])
def test_where_the_layout_is_none_that_we_know_no_read_waits(pair: Pair, size: int) -> None:
    one, _ = pair
    one.setblocking(False)
    with OfAnotherSystem(fileno=one.detach()) as other:
        other.setblocking(False)
        other.size = size
        assert not pipe.Pipe(other).may_wait
        assert other.gettimeout() == 0


class Tapped(socket.socket):
    """A user's class, whose methods do more."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        return b"<" + super().recv(size, flags)

    def recv_into(self, room: object, size: int = 0, flags: int = 0) -> int:  # type: ignore[override]  # stands for it
        return super().recv_into(room, size, flags) - 1  # type: ignore[arg-type]  # a buffer

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # what we use
        return super().send(bytes(data)[:1], flags)


def test_the_methods_of_a_users_socket_are_used(pair: Pair) -> None:
    one, other = pair
    with Tapped(fileno=one.detach()) as tapped:
        calls = wire.Wire(tapped)
        other.sendall(b"abc")
        assert calls.receive(2, True) == b"<ab"
        assert calls.receive_into(memoryview(bytearray(8)), True) == 0
        other.sendall(b"abc")
        assert calls.receive_apart(2, True) == b"<ab"
        assert calls.send(b"xyz") == 1


def test_the_system_bounds_no_read_of_a_users_socket(pair: Pair) -> None:
    one, other = pair
    with Tapped(fileno=one.detach()) as tapped:
        tapped.setblocking(False)
        assert not pipe.Pipe(tapped).may_wait
        assert tapped.gettimeout() == 0
    assert pipe.Pipe(other).may_wait is hasattr(socket, "MSG_DONTWAIT")


def test_a_users_socket_sends_while_nobody_has_the_lock() -> None:
    held_by_us: list[bool] = []

    class Looking(socket.socket):
        def send(self, *arguments: object) -> int:
            held_by_us.append(exchange_of(websocket).is_owned())
            return super().send(*arguments)  # type: ignore[arg-type]  # as they are

    with raw_server(echo) as server, Looking() as given:
        given.connect(("127.0.0.1", server.port))
        websocket = WebSocket(server.url, socket=given)
        for event in websocket:
            if event.name == "ready":
                websocket.send_text("short")
                websocket.send_ping()
                websocket.send_text("long" * 100_000)
                websocket.close()
    assert len(held_by_us) > 4
    assert not any(held_by_us)


def test_no_memory_leaks(pair: Pair) -> None:
    one, other = pair
    one.setblocking(False)

    def read() -> None:
        calls = wire.Wire(one)
        other.sendall(b"x")
        assert calls.receive(2048, False) == b"x"
        assert calls.receive(1024, False) is None
        assert calls.receive_apart(2048, False) is None
        other.sendall(b"x")
        assert calls.receive_apart(2048, False) == b"x"
        lock.Lock().acquire()

    read()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            read()
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()


def test_a_program_that_is_ended_by_broken_pipes_is_not_by_ours() -> None:
    code = (
        "import signal, socket; from lomond.system.wire import Wire\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "one, other = socket.socketpair(); other.close()\n"
        "try: Wire(one).send(b'x')\n"
        "except BrokenPipeError: print('told')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr


@pytest.mark.parametrize("name", ["monotonic", "time"])
def test_the_clocks_are_those_of_python(name: str) -> None:
    python = getattr(time, name)
    before = python()
    ours = getattr(clock, name)()
    assert before - 1e-6 <= ours <= python() + 1e-6


# Layers


class Tap(Layer):
    """A layer that tells what passes it."""

    __slots__ = ("name", "told")

    def __init__(self, name: str, told: list[str]) -> None:
        super().__init__()
        self.name = name
        self.told = told

    def feed(self, data: bytes) -> None:
        self.told.append(f"{self.name} hears {data.decode()}")
        super().feed(data)

    def write(self, data: bytes) -> None:
        self.told.append(f"{self.name} says {data.decode()}")
        super().write(data)

    def end(self) -> None:
        self.told.append(f"{self.name} ends")


def test_bytes_pass_through_every_layer(pair: Pair) -> None:
    told: list[str] = []
    bytes_of = pipe.Pipe(pair[0])
    bytes_of.add_layer(Tap("lower", told))
    bytes_of.add_layer(Tap("upper", told), b"early")
    bytes_of.enqueue(b"out")
    bytes_of.feed(b"in")
    assert [bytes(piece) for piece in bytes_of.queue] == [b"out"]
    top, room = bytes_of.top(), bytearray(3)
    with memoryview(room) as view:
        assert (top.read_into(view), bytes(room)) == (3, b"ear")
    assert (top.has_more(), top.read(), top.read(), top.has_more()) == (True, b"lyin", None, False)
    bytes_of.end_output()
    passed = ["upper hears early", "upper says out", "lower says out", "lower hears in"]
    assert told == [*passed, "upper hears in", "upper ends", "lower ends"]


def test_the_end_passes_through_every_layer(pair: Pair) -> None:
    bytes_of = pipe.Pipe(pair[0])
    for name in ("lower", "upper"):
        bytes_of.add_layer(Tap(name, []))
    bytes_of.feed(b"last")
    bytes_of.feed(b"")
    top = bytes_of.top()
    assert (top.read(), top.has_ended, top.read(), top.has_ended) == (b"last", False, b"", True)
