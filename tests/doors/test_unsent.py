"""A send that there is no connection for says why, and what to write; in every door."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from doors.raw_server import echo, frame, raw_server, read_frame, refusing_port, until
from lomond import WebSocket
from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.protocol import frames

pytestmark = pytest.mark.every_door

FIRST = (
    "not connected: iterate the WebSocket, and send from its ready event on; "
    "others than its loop can wait for that with wait_ready()"
)
SENDS: list[tuple[str, tuple[Any, ...]]] = [
    ("send_text", ("x",)),
    ("send_binary", (b"x",)),
    ("send_json", ([],)),
    ("send_ping", ()),
    ("send_pong", (b"",)),
]


def refused(websocket: Any, name: str = "send_text", arguments: tuple[Any, ...] = ("x",)) -> Any:
    with pytest.raises(WebSocketUnavailable) as told:
        getattr(websocket, name)(*arguments)
    return told.value


@pytest.mark.parametrize(("name", "arguments"), SENDS)
def test_before_there_was_a_connection(name: str, arguments: tuple[Any, ...]) -> None:
    error = refused(WebSocket("ws://h/"), name, arguments)
    assert str(error) == FIRST
    assert error.ending is None


def test_before_the_first_event_and_before_connected() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        assert str(refused(websocket)) == FIRST
        assert next(stream).name == "connecting"
        assert str(refused(websocket)) == FIRST
        until(stream, "ready")
        stream.close()


def test_between_and_after_connections() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        for event in websocket:
            if event.name == "ready":
                websocket.close()
        error = refused(websocket)
        assert re.fullmatch(
            r"not connected: this program closed the connection with 1000 'goodbye' after \S+ s; "
            "send again from the ready event of the next one",
            str(error),
        )
        assert error.ending is websocket.ending
        assert error.ending.code == 1000
        websocket.reset()
        assert str(refused(websocket)) == str(error)


def test_after_break() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        for event in stream:
            if event.name == "ready":
                break
        stream.close()
        error = refused(websocket)
        assert str(error).startswith("not connected: this program left the connection after ")
        assert str(error).endswith(
            "; whoever leaves the loop (by break, return or an exception) ends its connection: "
            "send inside, or keep events = websocket.connect() and go on with those"
        )
        assert error.ending.kind == "left"


def test_after_a_failure_to_connect() -> None:
    port = refusing_port()
    websocket = WebSocket(f"ws://127.0.0.1:{port}/")
    assert [event.name for event in websocket] == ["connecting", "connect_fail"]
    error = refused(websocket)
    assert str(error).startswith("not connected: ")
    assert str(error).endswith("; send again from the ready event of the next one")
    assert error.ending is websocket.ending


def test_after_close() -> None:
    """While the server's answer is awaited."""
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        until(stream, "ready")
        websocket.close(4000, "enough")
        with pytest.raises(WebSocketClosing) as told:
            websocket.send_text("x")
        assert re.fullmatch(
            r"data not sent; this program had closed with 4000 'enough' (\S+ s|just) before",
            str(told.value),
        )
        for _ in stream:
            pass
        assert told.value.ending is websocket.ending


def test_close_before_the_server_has_accepted() -> None:
    with raw_server(echo, upgrades=False) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        until(stream, "connected")
        websocket.close()
        with pytest.raises(WebSocketClosing, match=r"^data not sent; this program had closed with"):
            websocket.send_text("x")
        stream.close()


def test_after_the_server_has_closed() -> None:
    def close(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, b"too much", 1013))
        read_frame(connection)

    with raw_server(close) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        until(stream, "closing")
        websocket.send_text("may still leave")
        websocket.close()
        with pytest.raises(WebSocketClosing) as told:
            websocket.send_text("x")
        assert re.fullmatch(
            r"data not sent; the server had closed with 1013 'too much' (\S+ s|just) before",
            str(told.value),
        )
        stream.close()


def test_after_the_server_broke_the_protocol() -> None:
    def break_it(connection: socket.socket) -> None:
        connection.sendall(b"\xff\xff")
        read_frame(connection)

    with raw_server(break_it) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        event = until(stream, "protocol_error")
        with pytest.raises(WebSocketClosing) as told:
            websocket.send_text("x")
        assert str(told.value) == f"data not sent; the peer broke the protocol: {event.error}"
        stream.close()


def test_after_it_was_forced_to_end_nothing_is_said_of_leaving() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None)
        until(stream, "ready")
        websocket.force_disconnect()
        assert list(stream)[-1].name == "disconnected"
        assert str(refused(websocket)).endswith("; send again from the ready event of the next one")
