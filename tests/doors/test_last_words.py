"""What was said before the end is heard: the server's words by the user, ours by the server."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
import threading
from typing import Any

import pytest

from doors.certified import contexts
from doors.inside import after_each_change, exchange_of, socket_of
from doors.raw_server import frame, raw_server, read_all, read_frame, until
from doors.tapped import LoopSight, connect, conversation, in_thread, wait_for_bytes
from lomond import WebSocket
from lomond.errors import TransportFail
from lomond.events import Closing, Disconnected, Text
from lomond.io import performing
from lomond.protocol import frames
from lomond.session.session import Session
from patience import FAR, PATIENCE
from refcounts import at_once

SIZES = {"short": 10, "long": 300 * 1024}  # in one call with the lock held, and not
WORDS = frame(frames.TEXT, b"last words") + frame(frames.CLOSE, b"too late", 1008)
RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("end", ["broken pipe", "reset"])
@pytest.mark.parametrize("kind", SIZES)
def test_what_the_server_said_before_a_send_failed_is_handed_out(
    kind: str, end: str, secure: bool
) -> None:
    server_context, client_context = contexts()
    ready, said, may_go, gone = (threading.Event() for _ in range(4))

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(WORDS)
        said.set()
        if end == "reset":
            assert may_go.wait(PATIENCE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
            connection.close()
            gone.set()
        else:
            read_all(connection)

    def fail(data: bytes) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with raw_server(serve, context=server_context if secure else None) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock, ssl_context=client_context)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        ready.set()
        assert said.wait(PATIENCE)
        wait_for_bytes(sock, len(WORDS))
        if end == "reset":
            may_go.set()
            assert gone.wait(PATIENCE)
        else:
            sock.on_send = fail
        with pytest.raises(TransportFail):
            websocket.send_binary(bytes(SIZES[kind]))
        text, closing, last = stream
    assert isinstance(text, Text)
    assert text.text == "last words"
    assert isinstance(closing, Closing)
    assert (closing.code, closing.reason) == (1008, "too late")
    assert isinstance(last, Disconnected)
    assert not last.graceful


def test_what_the_server_said_is_handed_out_though_the_loop_reads_while_a_send_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ready, failing, failed = threading.Event(), threading.Event(), threading.Event()
    fail_session: Any = Session.fail

    def failing_session(session: Session, *arguments: Any) -> None:
        fail_session(session, *arguments)
        failed.set()

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(WORDS)
        read_all(connection)

    def take_a_part(size: int, flags: int) -> bytes:
        if threading.get_ident() != loop or failing.is_set():
            return sock.recv_now(size, flags)
        # The loop is inside its read: a sender fails meanwhile.
        sender.start()
        assert failing.wait(PATIENCE)
        failed.wait(0.05)
        return sock.recv_now(3, flags)

    def fail(data: bytes) -> int:
        failing.set()
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def send() -> None:
        with pytest.raises(TransportFail):
            websocket.send_text("x")

    loop = threading.get_ident()
    sender = threading.Thread(target=send)
    monkeypatch.setattr(Session, "fail", failing_session)
    with conversation(serve) as (sock, websocket, stream):
        ready.set()
        wait_for_bytes(sock, len(WORDS))
        sock.on_send, sock.on_recv = fail, take_a_part
        assert [event.name for event in stream] == ["text", "closing", "disconnected"]
        sender.join(PATIENCE)


@pytest.mark.parametrize("how", [pytest.param("break", marks=at_once), "with", "other thread"])
def test_leaving_with_bytes_unread_resets_nothing(how: str) -> None:
    heard: list[tuple[int, bytes]] = []
    errors: list[int] = []
    go, left = threading.Event(), threading.Event()
    rest = frame(frames.BINARY, bytes(50_000)) * 2

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"first"))
        assert go.wait(PATIENCE)
        connection.sendall(rest)
        heard.extend(read_all(connection))
        assert left.wait(PATIENCE)
        errors.append(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    with raw_server(serve) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "text")
        go.set()
        wait_for_bytes(sock, len(rest))
        if how == "break":
            del stream
        elif how == "with":
            with websocket:
                pass
        else:
            in_thread(websocket.__exit__, None, None, None).join(PATIENCE)
        assert sock.fileno() == -1
        left.set()
    assert [(opcode, payload[:2]) for opcode, payload in heard] == [(frames.CLOSE, b"\x03\xe9")]
    assert errors == [0]


@pytest.mark.parametrize(
    "how", ["break", "iterator", "with", "exception", "we close", "server closes"]
)
def test_the_end_of_a_tls_connection_is_said_inside_tls(how: str) -> None:
    server_context, client_context = contexts()
    ends: list[object] = []

    def serve(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        connection.suppress_ragged_eofs = False  # an end without close_notify is an error
        if how == "server closes":
            connection.sendall(frame(frames.CLOSE, code=1000))
        opcode, payload = read_frame(connection)
        if how == "we close":
            connection.sendall(frame(opcode, payload))
        try:
            ends.append((opcode, connection.recv(1)))
        except OSError as error:
            ends.append(error)

    with raw_server(serve, context=server_context) as server:
        websocket = WebSocket(server.url, ssl_context=client_context)
        stream = websocket.connect(poll=None, ping_rate=0, close_timeout=PATIENCE)
        until(stream, "ready")
        if how == "break":
            del stream
        elif how == "iterator":
            stream.close()
        elif how == "with":
            with websocket:
                pass
        elif how == "exception":
            with pytest.raises(LookupError):
                stream.throw(LookupError())
        else:
            if how == "we close":
                websocket.close()
            assert list(stream)[-1].graceful  # type: ignore[union-attr]  # a Disconnected
    assert ends == [(frames.CLOSE, b"")]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("is_halfway", [False, True])
def test_a_connection_given_up_at_the_moment_it_stands_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, is_halfway: bool, secure: bool
) -> None:
    heard: list[bytes] = []
    ended, over, is_heard = threading.Event(), threading.Event(), threading.Event()
    make_pipe = performing.Pipe

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(1))
        is_heard.set()

    def make(sock: socket.socket) -> object:
        threads[0].start()
        assert ended.wait(PATIENCE)
        if not is_halfway:
            threads[0].join(PATIENCE)
        return make_pipe(sock)

    monkeypatch.setattr(performing, "Pipe", make)
    with raw_server(listen, upgrades=False) as server:
        url = server.url.replace("ws:", "wss:") if secure else server.url
        websocket = WebSocket(url)
        threads = [threading.Thread(target=websocket.force_disconnect)]
        stream = websocket.connect()

        def halt(_: object) -> None:
            if threading.current_thread() in threads:
                ended.set()
                if is_halfway:
                    over.wait(PATIENCE)

        after_each_change(websocket, halt)
        assert [event.name for event in stream] == ["connecting", "connect_fail"]
        over.set()
        threads[0].join(PATIENCE)
        assert websocket.is_closed
        assert is_heard.wait(PATIENCE)
    assert heard == [b""]


@pytest.mark.parametrize("is_given", [False, True])
def test_a_small_message_is_not_kept_back_by_the_system(is_given: bool) -> None:
    with raw_server(read_all) as server:
        given = connect(server.port) if is_given else None
        websocket = WebSocket(server.url, socket=given)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        sock = socket_of(websocket)
        assert sock is not None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        stream.close()


def test_the_output_ends_as_soon_as_a_sender_has_written_the_last_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[int, bytes]] = []
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_frame(connection)
        connection.sendall(frame(frames.CLOSE, code=1000))
        heard.extend(read_all(connection))
        ended.set()

    def hold(data: bytes) -> int:
        if len(data) > 1000:
            is_in_hand.set()
            assert sight.waits.wait(PATIENCE)  # the loop has queued our close frame
        return sock.take_all(data)

    is_in_hand = threading.Event()
    with conversation(serve, close_timeout=FAR) as (sock, websocket, stream):
        websocket.send_text("go")
        until(stream, "closing")
        sock.on_send = hold
        sight = LoopSight(monkeypatch)
        sender = in_thread(websocket.send_binary, bytes(300 * 1024))
        assert is_in_hand.wait(PATIENCE)
        (last,) = stream
        sight.end()
        sender.join(PATIENCE)
    assert [opcode for opcode, _ in heard] == [frames.BINARY, frames.CLOSE]
    assert isinstance(last, Disconnected)
    assert last.graceful
    assert ended.is_set()


def test_the_output_does_not_end_while_a_sender_has_bytes_in_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[int, bytes]] = []

    def serve(connection: socket.socket) -> None:
        read_frame(connection)
        connection.sendall(frame(frames.CLOSE, code=1000))
        heard.extend(read_all(connection))

    def hold(data: bytes) -> int:
        if threading.get_ident() == loop:
            return sock.send_now(data)
        taken.append(len(data))
        if len(taken) == 1:
            is_first_in_hand.set()
            assert echo_waits.wait(PATIENCE)
        else:
            exchange.wake()  # and wait until the loop has looked: at a queue that is empty
        return sock.send_now(data)

    def send(size: int) -> None:
        websocket.send_binary(bytes(size))
        returned.append(size)

    loop = threading.get_ident()
    taken: list[int] = []
    returned: list[int] = []
    is_first_in_hand, echo_waits = threading.Event(), threading.Event()
    with conversation(serve) as (sock, websocket, stream):
        websocket.send_text("go")
        until(stream, "closing")
        exchange = exchange_of(websocket)
        exchange.is_clear = False  # the long way, as while the loop wants the lock
        sock.on_send = hold
        first = in_thread(send, 1000)
        assert is_first_in_hand.wait(PATIENCE)
        second = in_thread(send, 2000)
        assert exchange.pipe is not None
        while not exchange.pipe.queue:  # the second message waits for its turn
            second.join(0.001)
        sight = LoopSight(monkeypatch)
        guard = in_thread(lambda: (sight.waits.wait(PATIENCE), echo_waits.set()))
        (last,) = stream
        sight.end()
        for thread in (first, second, guard):
            thread.join(PATIENCE)
    assert taken[:2] == [1000 + 8, 2000 + 8 + 8]  # our close frame goes with the second
    assert sorted(returned) == [1000, 2000]
    assert [(opcode, len(payload)) for opcode, payload in heard] == [(2, 1000), (2, 2000), (8, 2)]
    assert isinstance(last, Disconnected)
    assert last.graceful
