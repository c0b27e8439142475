"""One thread at a time writes and reads, also while the connection is being opened."""

from __future__ import annotations

import threading

import pytest

from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.io.transport import Transport
from lomond.io.writing import Writer
from lomond.testing.echo import EchoServer

PATIENCE = 10.0


def test_a_send_while_the_request_is_written_does_not_write_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entered, beside, leave = threading.Event(), threading.Event(), threading.Event()
    inside = threading.Lock()
    write = Transport.write
    calls: list[int] = []

    def watched(transport: Transport) -> bool:
        if not inside.acquire(blocking=False):
            beside.set()
            return write(transport)
        try:
            if not calls:
                calls.append(1)
                return False  # as if the system took nothing: the opening waits, and comes again
            if not entered.is_set():
                entered.set()
                # The other thread leaves at once where it writes beside us; else it waits for us.
                leave.wait(0.3)
            return write(transport)
        finally:
            inside.release()

    monkeypatch.setattr(Transport, "write", watched)
    with EchoServer() as server:
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
    def broken(transport: Transport) -> bool:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(Transport, "write", broken)
    with EchoServer() as server:
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


def test_an_interrupted_send_keeps_no_other_sender_and_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_until = Writer.write_until

    def interrupted(writer: Writer, target: int, has_turn: bool) -> None:
        monkeypatch.setattr(Writer, "write_until", write_until)
        raise KeyboardInterrupt

    with EchoServer() as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        while next(stream).name != "ready":
            pass
        monkeypatch.setattr(Writer, "write_until", interrupted)
        with pytest.raises(KeyboardInterrupt):
            websocket.send_text("cut off")
        channel = websocket._channel
        assert channel is not None
        assert channel.link.transport is not None
        sender = threading.Thread(target=lambda: list(stream), daemon=True)
        sender.start()
        sender.join(PATIENCE)
        assert not sender.is_alive()
        assert channel.link.transport.sock.fileno() == -1
        with pytest.raises(WebSocketError):
            websocket.send_text("late")
