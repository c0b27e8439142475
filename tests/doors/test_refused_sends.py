"""A send that fails because the server had closed says so, in every door."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest

from doors.raw_server import frame, raw_server, read_exactly, until
from lomond import WebSocket
from lomond.errors import TransportFail
from lomond.protocol import frames
from patience import PATIENCE

pytestmark = pytest.mark.every_door


def test_a_message_that_the_server_refuses_names_its_close() -> None:
    """What the system says of it is only "Broken pipe"."""
    caught = threading.Event()

    def refuse(connection: socket.socket) -> None:
        read_exactly(connection, 3000)
        connection.sendall(frame(frames.TEXT, b"x") + frame(frames.CLOSE, b"1 MB at most", 1009))
        caught.wait(0.3)  # the client reads it
        at_once = struct.pack("ii", 1, 0)  # with a reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    with raw_server(refuse) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        with pytest.raises(TransportFail, match="the server had closed with 1009 '1 MB at") as told:
            websocket.send_binary(bytes(30_000_000))
        caught.set()
        ending = told.value.ending
        assert ending is not None
        assert (ending.kind, ending.by, ending.code) == ("closed", "server", 1009)
        assert next(stream).name == "text"
        assert next(stream).code == 1009  # type: ignore[union-attr]  # Closing
        (last,) = stream
        assert last.name == "disconnected"
        assert last.ending is websocket.ending is told.value.ending
        assert last.ending.reason == "1 MB at most"
        assert last.ending.unconfirmed == 0  # the error told the program of it


@pytest.mark.parametrize("resets", [False, True])
def test_a_close_that_came_while_the_program_was_busy_is_named(resets: bool) -> None:
    """Nobody has read it when the send fails: neither the loop, nor an event loop for it."""
    ready, gone = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        assert ready.wait(PATIENCE)
        connection.sendall(frame(frames.TEXT, b"x") + frame(frames.CLOSE, b"1 MB at most", 1009))
        if resets:
            time.sleep(0.05)  # for what was sent to arrive: a reset may overtake it
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        gone.set()

    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")

        def send() -> None:
            ready.set()
            assert gone.wait(PATIENCE)
            for _ in range(100):  # the first ones are answered by the reset that later ones meet
                websocket.send_text("x")
                time.sleep(0.01)

        with pytest.raises(TransportFail, match="the server had closed with 1009 '1 MB at") as told:
            send()
        assert told.value.ending is not None
        assert told.value.ending.code == 1009
        assert [event.name for event in stream] == ["text", "closing", "disconnected"]
        assert websocket.ending is not None
        assert (websocket.ending.kind, websocket.ending.code) == ("closed", 1009)
