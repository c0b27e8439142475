"""Both sides write much at the same time: nothing hangs, and every byte comes in its order."""

from __future__ import annotations

import math
import random
import select
import socket
import ssl
import threading
import zlib
from collections import defaultdict
from time import monotonic
from typing import Any

import pytest

from doors.certified import contexts
from doors.inside import exchange_of
from doors.raw_server import frame, raw_server, read_all, read_frame, until
from doors.tapped import Tapped, connect, in_thread, wait_for_bytes
from lomond import WebSocket
from lomond.events import Binary, Text
from lomond.io.waiting import Waiter
from lomond.protocol import frames
from lomond.protocol.input import Clock
from patience import PATIENCE

pytestmark = pytest.mark.threads

BIG = bytes(32 * 1024 * 1024)
SENDERS = 8
MESSAGES = 60
SMALL_BUFFER = 32 * 1024  # bytes; so that writing soon has to wait


def context(secure: bool) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    return contexts() if secure else (None, None)


class ReadAhead:
    """A sender that has to wait reads, while the loop is just about to wait for ever.

    After its read the sender gets no processor time until the loop has got what is expected.

    Attributes:
        go: The loop has found nothing, and is about to wait.
        has_read: The sender has read what came since.
        may_wait: The loop goes on into its wait.
        got: The loop has handed out what is expected.
        was_in_time: Whether it did so without the sender's help.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sock: Tapped) -> None:
        self.go, self.has_read, self.may_wait, self.got = (threading.Event() for _ in range(4))
        self.was_in_time: list[bool] = []
        self._sock = sock
        self._loop = threading.get_ident()
        self._waits = threading.Event()
        self._comes = False
        self._wait: Any = Waiter.wait
        monkeypatch.setattr(Waiter, "wait", lambda waiter, *args: self._waiting(waiter, *args))
        sock.on_send = self._sending

    def start(self, websocket: WebSocket) -> threading.Thread:
        """The sender, which waits now."""
        sender = in_thread(websocket.send_binary, BIG)
        assert self._waits.wait(PATIENCE)
        return sender

    def _waiting(self, waiter: Waiter, *arguments: Any) -> Any:
        if threading.get_ident() == self._loop:
            is_woken = select.select([waiter.wakeup], [], [], 0)[0]
            if self._waits.is_set() and not is_woken and not self.go.is_set():
                self.go.set()
                assert self.has_read.wait(PATIENCE)
                assert self.may_wait.wait(PATIENCE)
            return self._wait(waiter, *arguments)
        self._waits.set()
        readable, writable = self._wait(waiter, *arguments)
        self._comes = self._comes or readable
        return readable, writable

    def _sending(self, data: bytes) -> int:
        if self._comes and not self.has_read.is_set():
            self.has_read.set()
            self.was_in_time.append(self.got.wait(3))
        return self._sock.send_now(data)


LARGE = frame(frames.BINARY, random.Random(1).randbytes(300_000))
STORIES = {  # what the loop knows, what the sender reads, and what the loop reads after that
    "only the sender reads": (b"", frame(frames.BINARY, b"one"), b""),
    "then the loop": (b"", frame(frames.BINARY, b"one"), frame(frames.BINARY, b"two")),
    "a large message": (LARGE[:5000], LARGE[5000:12_000], LARGE[12_000:]),
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("story", STORIES)
def test_what_a_waiting_sender_reads_reaches_the_loop_at_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch, story: str, secure: bool
) -> None:
    server_context, client_context = context(secure)
    known, first, second = STORIES[story]
    ready = threading.Event()
    begin = frame(frames.TEXT, b"begin") + known

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(begin)
        assert ahead.go.wait(PATIENCE)
        connection.sendall(first)
        assert ahead.has_read.wait(PATIENCE)
        if second:
            connection.sendall(second)
        ahead.may_wait.set()
        assert ahead.got.wait(PATIENCE)
        read_all(connection)

    with raw_server(serve, context=server_context) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock, ssl_context=client_context)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        ahead = ReadAhead(monkeypatch, sock)
        ready.set()
        wait_for_bytes(sock, len(begin))
        until(stream, "text")
        sender = ahead.start(websocket)
        received = b""
        while len(received) < len(known + first + second):
            received += frame(frames.BINARY, until(stream, "binary").data)
        ahead.got.set()
        sender.join(PATIENCE)
        assert not sender.is_alive()
        stream.close()
    assert received == known + first + second
    assert ahead.was_in_time == [True]


def test_what_a_waiting_sender_reads_while_the_loop_looks_at_a_message_comes_after_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ready = threading.Event()
    texts = [str(number).encode() for number in range(9)]
    early = b"".join(frame(frames.TEXT, text) for text in texts[:6])

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(early)
        assert ahead.go.wait(PATIENCE)
        connection.sendall(b"".join(frame(frames.TEXT, text) for text in texts[6:]))
        assert ahead.got.wait(PATIENCE)
        read_all(connection)

    class Looks(Clock):
        def has_come(self, moment: float) -> bool:
            looks.append(1)
            if len(looks) == 3:  # the loop is in the middle of a message
                ahead.go.set()
                assert ahead.has_read.wait(PATIENCE)
            return monotonic() >= moment

    looks: list[int] = []
    with raw_server(serve) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=600, ping_rate=0)
        until(stream, "poll")
        ahead = ReadAhead(monkeypatch, sock)
        ready.set()
        wait_for_bytes(sock, len(early))
        received = [until(stream, "text").text]
        sender = ahead.start(websocket)
        exchange_of(websocket).connection.clock = Looks()
        received += [until(stream, "text").text for _ in texts[1:]]
        ahead.got.set()
        sender.join(PATIENCE)
        stream.close()
    assert received == [text.decode() for text in texts]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("poll", [None, 0])
def test_a_handler_that_answers_each_message_to_a_server_that_writes_all_before_it_reads(
    secure: bool, poll: float | None
) -> None:
    server_context, client_context = context(secure)
    chance = random.Random(3)
    payloads = [chance.randbytes(64 * 1024 + chance.randrange(-9, 9)) for _ in range(60)]
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        for payload in payloads:
            connection.sendall(frame(frames.BINARY, payload))
        for _ in payloads:
            heard.append(read_frame(connection)[1])
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(serve, context=server_context, read_buffer=SMALL_BUFFER) as server:
        sock = connect(server.port)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        websocket = WebSocket(server.url, socket=sock, ssl_context=client_context, send_timeout=5)
        received = []
        for event in websocket.connect(poll=poll, ping_rate=0):
            if isinstance(event, Binary):
                received.append(event.data)
                websocket.send_binary(event.data)
    assert [len(data) for data in received] == [len(payload) for payload in payloads]
    assert received == payloads
    assert heard == payloads


@pytest.mark.parametrize("secure", [False, True])
def test_messages_of_all_sizes_of_many_threads_arrive_whole_and_in_order(
    secure: bool,
) -> None:
    server_context, client_context = context(secure)
    heard: dict[int, list[tuple[int, int]]] = defaultdict(list)
    sent: dict[int, list[tuple[int, int]]] = defaultdict(list)
    odd: list[BaseException] = []

    def serve(connection: socket.socket) -> None:
        for _ in range(SENDERS * MESSAGES):
            opcode, payload = read_frame(connection)
            assert opcode == frames.BINARY
            heard[payload[0]].append((len(payload), zlib.crc32(payload)))
            answer = f"{payload[0]}:{len(payload)}:{zlib.crc32(payload)}:".encode()
            connection.sendall(frame(frames.TEXT, answer + b"x" * min(len(payload), 5000)))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    def send(sender: int) -> None:
        chance = random.Random(sender)
        try:
            for _ in range(MESSAGES):
                size = int(math.exp(chance.uniform(math.log(10), math.log(1024 * 1024))))
                payload = bytes([sender]) + chance.randbytes(size)
                sent[sender].append((len(payload), zlib.crc32(payload)))
                websocket.send_binary(payload)
        except BaseException as error:
            odd.append(error)

    with raw_server(serve, context=server_context) as server:
        websocket = WebSocket(server.url, ssl_context=client_context)
        answered: dict[int, list[tuple[int, int]]] = defaultdict(list)
        threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                for thread in threads:
                    thread.start()
            elif isinstance(event, Text):
                sender, size, crc, rest = event.text.split(":")
                assert rest == "x" * min(int(size), 5000)
                answered[int(sender)].append((int(size), int(crc)))
        for thread in threads:
            thread.join(PATIENCE)
    assert odd == []
    assert heard == sent
    assert answered == sent
