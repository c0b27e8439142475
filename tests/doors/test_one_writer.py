"""One thread at a time writes and reads, also while the connection is being opened."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from doors.raw_server import echo, raw_server
from doors.tapped import connect
from lomond import WebSocket
from lomond.errors import WebSocketError
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
