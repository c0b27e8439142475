"""One thread at a time writes and reads, also while the connection is being opened."""

from __future__ import annotations

import select
import socket
import threading
from typing import Any

import pytest

from doors.every_door import DOORS
from doors.inside import after_each_change, exchange_of
from doors.raw_server import (
    accept_upgrade,
    echo,
    frame,
    raw_server,
    read_all,
    read_frame,
    read_request,
)
from doors.site_server import redirect
from doors.tapped import connect, in_thread
from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.protocol import frames
from lomond.testing.echo import EchoServer
from patience import PATIENCE

pytestmark = pytest.mark.threads


def test_a_send_while_the_request_is_written_does_not_write_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entered, beside, leave = threading.Event(), threading.Event(), threading.Event()
    inside = threading.Lock()
    write: Any = socket.socket.send
    calls: list[int] = []

    def watched(sock: socket.socket, *arguments: Any) -> int:
        if sock.getsockname()[1] == port:  # the server's
            return int(write(sock, *arguments))
        if not inside.acquire(blocking=False):
            beside.set()
            return int(write(sock, *arguments))
        try:
            if not calls:
                calls.append(1)
                raise BlockingIOError  # the system takes nothing: the opening waits, comes again
            if not entered.is_set():
                entered.set()
                # The other thread leaves at once where it writes beside us; else it waits for us.
                leave.wait(0.3)
            return int(write(sock, *arguments))
        finally:
            inside.release()

    with EchoServer() as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        monkeypatch.setattr(socket.socket, "send", watched)
        websocket = WebSocket(server.url)

        def send() -> None:
            assert entered.wait(PATIENCE)
            websocket.send_text("early")
            leave.set()

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        texts = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "text":
                texts.append(event.text)
                websocket.close()
        sender.join(PATIENCE)
    assert texts == ["early"]
    assert not beside.is_set()


@pytest.mark.parametrize("what", ["a send", "a close"])
def test_who_writes_a_request_that_was_redirected_meanwhile_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The server answers before it has all of the request, and another thread goes on writing."""
    failed, told, again = threading.Event(), threading.Event(), threading.Event()
    write: Any = socket.socket.send
    read: Any = socket.socket.recv
    calls: list[int] = []
    texts: list[str] = []

    def breaking(sock: socket.socket, data: Any, *arguments: Any) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return int(write(sock, bytes(data)[:10], *arguments))
        if len(calls) == 2:
            raise BrokenPipeError(32, "Broken pipe")
        return int(write(sock, data, *arguments))

    def reading(sock: socket.socket, *arguments: Any) -> bytes:
        if len(calls) >= 2 and not failed.is_set() and threading.current_thread() is iterating:
            failed.set()  # it has no turn any more, and looks what the server said
            assert told.wait(PATIENCE)
            assert select.select([sock], [], [], PATIENCE)[0]
        return bytes(read(sock, *arguments))

    def serve(connection: socket.socket) -> None:
        if not again.is_set():
            assert len(connection.recv(10)) == 10
            connection.sendall(redirect("/again"))
            return
        accept_upgrade(connection, read_request(connection))
        echo(connection)

    def iterate() -> None:
        for event in websocket.connect(poll=None, ping_rate=0):
            if told.is_set() and event.name == "connecting":
                again.set()
            elif event.name == "ready" and what == "a close":
                websocket.send_text("early")
            elif event.name == "text":
                texts.append(event.text)
                websocket.close()

    def go_on(_: object) -> None:
        """We have the turn, and do nothing with it before the other thread has gone on."""
        if threading.current_thread() is not iterating and not told.is_set():
            told.set()
            assert again.wait(PATIENCE)

    with raw_server(serve, upgrades=False) as server:
        monkeypatch.setattr(socket.socket, "send", breaking)
        monkeypatch.setattr(socket.socket, "recv", reading)
        websocket = WebSocket(server.url, max_redirects=1)
        iterating = threading.Thread(target=iterate, daemon=True)
        iterating.start()
        assert failed.wait(PATIENCE)
        after_each_change(websocket, go_on)
        if what == "a send":
            websocket.send_text("early")
        else:
            exchange_of(websocket).write_quietly()  # as a close does
        iterating.join(PATIENCE)
        assert not iterating.is_alive()
    assert texts == ["early"]


def test_a_failed_write_of_the_request_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(sock: socket.socket, *arguments: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    with EchoServer() as server:
        monkeypatch.setattr(socket.socket, "send", broken)
        websocket = WebSocket(server.url)
        seen = list(websocket)
    assert [event.name for event in seen] == ["connecting", "connect_fail"]
    failed = seen[-1]
    assert failed.name == "connect_fail"
    assert failed.phase == "upgrade"
    assert isinstance(failed.cause, BrokenPipeError)
    assert "Broken pipe" in failed.reason
    with pytest.raises(WebSocketError):
        websocket.send_text("late")


@pytest.mark.parametrize("is_long", [False, True])
def test_an_interrupted_send_keeps_no_other_sender_and_no_socket(is_long: bool) -> None:
    def interrupted(data: bytes) -> int:
        sock.on_send = None
        raise KeyboardInterrupt

    with raw_server(echo) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        if is_long:
            websocket.trace = lambda record: None  # what is traced goes no short way
        stream = websocket.connect(poll=None, ping_rate=0)
        while next(stream).name != "ready":
            pass
        sock.on_send = interrupted
        with pytest.raises(KeyboardInterrupt):
            websocket.send_text("cut off")
        sender = threading.Thread(target=lambda: list(stream), daemon=True)
        sender.start()
        sender.join(PATIENCE)
        assert not sender.is_alive()
        assert sock.fileno() == -1
        with pytest.raises(WebSocketError):
            websocket.send_text("late")


@pytest.mark.parametrize("kind", ["sync", "group"])
def test_a_socket_that_is_read_once_more_is_closed_by_no_other_thread(kind: str) -> None:
    """Its number could be another connection's before the system is asked."""
    is_open: list[bool] = []
    sizes: list[int] = []

    def serve(connection: socket.socket) -> None:
        for _ in range(3):
            connection.sendall(frame(frames.TEXT, b"x"))
            read_frame(connection)  # one by one: the loop is calm then
        connection.sendall(frame(frames.TEXT, b"x") * 20_000)
        read_all(connection)

    def reading(size: int, flags: int) -> bytes:
        if not is_open and sizes and sizes[-1] == 16 * 1024:  # all that it could: there may be more
            in_thread(websocket.force_disconnect).join(PATIENCE)
            is_open.append(sock.fileno() != -1)
        data = sock.recv_now(size, flags)
        sizes.append(len(data))
        return data

    with raw_server(serve) as server:
        sock = connect(server.port)
        websocket = DOORS[kind](server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0)
        while next(stream).name != "ready":
            pass
        sock.on_recv = reading
        for _ in range(3):
            assert next(stream).name == "text"
            websocket.send_text("answer")
        assert [event.name for event in stream][-1] == "disconnected"
        assert sock.fileno() == -1
    assert is_open == [True]
