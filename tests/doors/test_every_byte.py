"""Whatever the sizes, and however the bytes are cut, messages come as they were sent."""

from __future__ import annotations

import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from doors.certified import contexts
from doors.inside import exchange_of
from doors.raw_server import accept_upgrade, frame, raw_server, read_all, until
from doors.tapped import connect, wait_for_bytes
from lomond import WebSocket
from lomond.events import Binary, Text
from lomond.protocol import frames
from patience import PATIENCE

pytestmark = pytest.mark.every_door

KIB = 1024
PAUSE = threading.Event()  # never set: its wait lets what was said arrive alone
#: Around what is read at once, one record of TLS, and the first room of a message.
EDGES = [
    size + more
    for size in (125, 16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB)
    for more in (-14, -10, -4, -1, 0, 1, 4, 10, 14)
]


def sizes(chance: random.Random, kind: str) -> list[int]:
    if kind == "edges":
        return [size for size in EDGES for _ in range(2)]
    if kind == "large":
        return [chance.randrange(60 * KIB, 300 * KIB) for _ in range(40)]
    return [chance.choice((chance.randrange(50), chance.randrange(300 * KIB))) for _ in range(80)]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("poll", [None, 0])
@pytest.mark.parametrize("kind", ["edges", "large", "mixed"])
def test_messages_cut_anywhere_come_as_they_were_sent(
    kind: str, poll: float | None, secure: bool
) -> None:
    server_context, client_context = contexts()
    chance = random.Random(f"{kind} {poll} {secure}")
    sent: list[bytes | str] = []
    stream = bytearray()
    for size in sizes(chance, kind):
        if chance.random() < 0.7:
            sent.append(chance.randbytes(size))
            stream += frame(frames.BINARY, sent[-1])
        else:
            text = "é" * (size // 2) + "x" * (size % 2)
            sent.append(text)
            stream += frame(frames.TEXT, text.encode())

    def serve(connection: socket.socket) -> None:
        done = 0
        while done < len(stream):
            size = chance.choice((chance.randrange(1, 20), chance.randrange(1, 200 * KIB)))
            connection.sendall(stream[done : done + size])
            done += size
            if chance.random() < 0.1:
                PAUSE.wait(0.001)
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    received: list[bytes | str] = []
    with raw_server(serve, context=server_context if secure else None) as server:
        websocket = WebSocket(server.url, ssl_context=client_context if secure else None)
        for event in websocket.connect(poll=poll, ping_rate=0):
            if isinstance(event, Binary):
                received.append(event.data)
            elif isinstance(event, Text):
                received.append(event.text)
    assert [len(message) for message in received] == [len(message) for message in sent]
    assert received == sent


@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_a_large_message_that_is_here_whole_is_handed_out_before_anything_else_is_read(
    opcode: int,
) -> None:
    large = frame(opcode, b"x" * 80_000)
    begin = frame(frames.PING, b"") + large[:100]
    ready, may_end = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(begin)
        assert may_end.wait(PATIENCE)
        connection.sendall(large[100:])
        read_all(connection)

    def reading(size: int, flags: int) -> bytes:
        reads.append(connection.handed)
        return sock.recv_now(size, flags)

    reads: list[int] = []  # how many events were handed out by each
    with raw_server(serve) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        ready.set()
        wait_for_bytes(sock, len(begin))
        until(stream, "ping")
        may_end.set()
        wait_for_bytes(sock, len(large) - 100)
        connection = exchange_of(websocket).connection
        before = connection.handed
        sock.on_recv = reading  # the large message itself is read straight into its room
        assert next(stream).name in ("text", "binary")
        assert before not in reads
        stream.close()


class Cutter:
    """TLS of a server whose records the test holds, cuts and joins.

    Attributes:
        tickets: What TLS said at the end of the handshake, not sent yet.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = contexts()[0].wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(self._outgoing.read())
                self._incoming.write(connection.recv(64 * KIB))
        self.tickets = self._outgoing.read()

    def record(self, data: bytes) -> bytes:
        """The data in records: one for each 16 KiB."""
        self._tls.write(data)
        return self._outgoing.read()

    def answer(self) -> bytes:
        """The record of the answer to the upgrade request, which it waits for."""
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            try:
                request += self._tls.read(64 * KIB)
            except ssl.SSLWantReadError:
                self._incoming.write(self.connection.recv(64 * KIB))
        answers: list[bytes] = []

        class Kept:
            sendall = staticmethod(answers.append)

        accept_upgrade(Kept(), request)  # type: ignore[arg-type]  # it stands for a socket
        return self.record(answers[0])


@contextmanager
def cutting(serve: Callable[[Cutter], None]) -> Iterator[WebSocket]:
    """A WebSocket to a server that cuts its records, and then listens until the client leaves."""

    def handle(connection: socket.socket) -> None:
        serve(Cutter(connection))
        while connection.recv(64 * KIB):
            pass

    with raw_server(handle, upgrades=False) as server:
        yield WebSocket(server.url.replace("ws:", "wss:"), ssl_context=contexts()[1])


def texts_of(
    websocket: WebSocket,
    count: int,
    poll: float | None = None,
    ready: threading.Event | None = None,
) -> list[str]:
    """So many texts; nothing else comes, so that one left asleep would never be seen."""
    stream = websocket.connect(poll=poll, ping_rate=0)
    guard = threading.Timer(3, websocket.force_disconnect)
    guard.start()
    result = []
    for event in stream:
        if ready is not None and event.name == "ready":
            ready.set()
        if isinstance(event, Text):
            result.append(event.text)
            if len(result) == count:
                break
    guard.cancel()
    stream.close()
    return result


SMALL = [str(number) for number in range(500)]
LONG = "x" * 100_000
LAYOUTS = {
    "one record": [["".join(SMALL[:1]), *SMALL[1:]]],
    "a record for each": [[text] for text in SMALL],
    "a few in each": [SMALL[:100], SMALL[100:101], SMALL[101:]],
    "after a long one": [[LONG, *SMALL]],
    "before a long one": [[*SMALL, LONG]],
    "between long ones": [[LONG, *SMALL], [LONG, "x"]],
}


@pytest.mark.parametrize("poll", [None, 0, 60])
@pytest.mark.parametrize("glued", ["alone", "with the 101", "with the tickets"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_left_asleep_in_tls(layout: str, glued: str, poll: float | None) -> None:
    def serve(cutter: Cutter) -> None:
        if glued != "with the tickets":
            cutter.connection.sendall(cutter.tickets)
            cutter.tickets = b""
        answer = cutter.tickets + cutter.answer()
        if glued == "alone":
            cutter.connection.sendall(answer)
            answer = b""
            assert ready.wait(PATIENCE)
        records = [b"".join(frame(frames.TEXT, t.encode()) for t in texts) for texts in told]
        cutter.connection.sendall(answer + b"".join(map(cutter.record, records)))

    told = LAYOUTS[layout]
    ready = threading.Event()
    with cutting(serve) as websocket:
        expected = [text for texts in told for text in texts]
        assert texts_of(websocket, len(expected), poll, ready) == expected


@pytest.mark.parametrize("seed", range(4))
def test_tickets_answer_and_messages_cut_anywhere(seed: int) -> None:
    chance = random.Random(seed)

    def serve(cutter: Cutter) -> None:
        whole = cutter.tickets + cutter.answer()
        for text in SMALL[:50]:
            whole += cutter.record(frame(frames.TEXT, text.encode()))
        cuts = sorted(chance.sample(range(1, len(whole)), 30))
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            cutter.connection.sendall(whole[start:end])
            PAUSE.wait(0.001)

    with cutting(serve) as websocket:
        assert texts_of(websocket, 50) == SMALL[:50]


def test_a_whole_record_is_handed_out_though_half_of_the_next_came_with_it() -> None:
    got = threading.Event()

    def serve(cutter: Cutter) -> None:
        cutter.connection.sendall(cutter.tickets + cutter.answer())
        first = cutter.record(frame(frames.TEXT, b"first"))
        second = cutter.record(frame(frames.TEXT, b"second"))
        cutter.connection.sendall(first + second[: len(second) // 2])
        assert got.wait(PATIENCE)
        cutter.connection.sendall(second[len(second) // 2 :])

    with cutting(serve) as websocket:
        stream = websocket.connect(poll=None, ping_rate=0)
        guard = threading.Timer(3, websocket.force_disconnect)
        guard.start()
        assert until(stream, "text").text == "first"
        got.set()
        assert until(stream, "text").text == "second"
        guard.cancel()
        stream.close()
