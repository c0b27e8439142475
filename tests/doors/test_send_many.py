"""Many messages at once: in order, whole, and in few system calls; in every door."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_frame, read_request
from lomond import WebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.protocol import frames

pytestmark = pytest.mark.every_door
CLOSE = frame(frames.CLOSE, code=1000)


def talk(messages: Any, count: int, error: type[Exception] | None = None, **options: Any) -> Any:
    """Send them; what the server heard, the stages that trace= told, and the WebSocket."""
    said: list[tuple[int, bytes]] = []

    def hears(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        while len(said) < count:
            said.append(read_frame(connection))
        connection.sendall(CLOSE)
        read_all(connection)

    traced: list[dict[str, Any]] = []
    with raw_server(hears, upgrades=False) as server:
        websocket = WebSocket(server.url, trace=traced.append, **options)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name != "ready":
                continue
            traced.clear()
            if error is None:
                websocket.send_many(messages)
            else:
                with pytest.raises(error):
                    websocket.send_many(messages)
    return said, traced, websocket


def test_all_kinds_in_order() -> None:
    messages = ["text", b"binary", bytearray(b"array"), {"a": 1}, [None]]
    said, _, websocket = talk(messages, 5)
    assert said == [
        (frames.TEXT, b"text"),
        (frames.BINARY, b"binary"),
        (frames.BINARY, b"array"),
        (frames.TEXT, b'{"a":1}'),
        (frames.TEXT, b"[null]"),
    ]
    sent = websocket.stats.sent
    assert (sent.texts, sent.binaries) == (3, 2)


def test_one_system_call_for_what_the_system_takes() -> None:
    said, traced, _ = talk((f"message {number}" for number in range(1000)), 1000)
    assert [payload for _, payload in said] == [b"message %d" % number for number in range(1000)]
    calls = [one["length"] for one in traced if one["stage"] == "socket_send"]
    assert len(calls) <= 3  # the answer to the close is one of them
    assert calls[0] > 15_000


def test_more_than_the_system_takes() -> None:
    messages = [bytes([number % 256]) * 10_000 for number in range(1000)]
    said, _, _ = talk(iter(messages), 1000)
    assert [payload for _, payload in said] == messages


def test_what_was_gathered_is_sent_where_the_iterable_raises() -> None:
    def fails() -> Iterator[str]:
        yield "one"
        yield "two"
        raise ZeroDivisionError

    said, _, _ = talk(fails(), 2, ZeroDivisionError)
    assert [payload for _, payload in said] == [b"one", b"two"]


def test_compressed_ones_are_where_that_was_negotiated() -> None:
    said, _, _ = talk(["same"] * 3, 3, compress=True)
    assert [payload for _, payload in said] == [b"same"] * 3  # the server did not agree


def test_a_cut_ends_it() -> None:
    def cuts(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        read_frame(connection)

    with raw_server(cuts, upgrades=False) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                with pytest.raises((TransportFail, WebSocketUnavailable)):
                    websocket.send_many(bytes(100_000) for _ in range(10_000))
    assert websocket.ending is not None


def test_without_a_connection_it_is_an_error() -> None:
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        WebSocket("ws://127.0.0.1:1/").send_many(["x"])
    WebSocket("ws://127.0.0.1:1/").send_many([])  # nothing to send
