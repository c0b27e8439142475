"""What a connection has carried, as `websocket.stats` counts it."""

from __future__ import annotations

import pickle
import socket
import time
from typing import Any

import pytest

from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_frame, read_request
from lomond import WebSocket
from lomond.protocol import frames
from lomond.stats import Stats, Traffic

pytestmark = pytest.mark.every_door

SAID = (
    frame(frames.TEXT, b"one")
    + frame(frames.TEXT, b"twos")
    + frame(frames.BINARY, b"12345")
    + frame(frames.PING, b"p")
    + frame(frames.BINARY, b"0123456789")
    + frame(frames.TEXT, "aééé".encode())
    + frame(frames.PONG)
)


def talks(connection: socket.socket) -> None:
    connection.sendall(SAID)
    while read_frame(connection)[0] != frames.BINARY:
        pass
    connection.sendall(frame(frames.CLOSE, code=1000))
    read_all(connection)


def talk(websocket: WebSocket, **options: Any) -> Any:
    event: Any = None
    for event in websocket.connect(poll=None, **options):
        if event.name == "ready":
            websocket.send_text("hé")
            websocket.send_ping(b"x")
        elif event.name == "pong":
            websocket.send_pong(b"y")
            websocket.send_binary(b"12345678")
    return event


@pytest.mark.parametrize("parts", [None, 5])
def test_everything_is_counted_once(parts: int | None) -> None:
    with raw_server(talks) as server:
        websocket = WebSocket(server.url, parts=parts)
        assert websocket.stats == Stats() == websocket.stats.total
        before = time.time()
        last = talk(websocket, ping_rate=0)
        stats = websocket.stats
        received, sent = stats.received, stats.sent
        assert received == Traffic(
            3, 2, 4 if parts else 0, 3 + 4 + 5 + 10 + 7, received.wire_bytes, 1, 1
        )
        assert received.wire_bytes > len(SAID) + 100  # the upgrade counts too
        # A pong of its own, and the answer to the ping.
        assert sent == Traffic(1, 1, 0, 3 + 8, sent.wire_bytes, 1, 2)
        assert sent.wire_bytes > 100
        assert before - 1 <= (stats.since or 0) <= time.time() + 1
        assert stats.connections == 1
        assert stats == stats.total
        assert last.ending.stats == websocket.ending.stats == stats  # type: ignore[union-attr]  # it ended
        assert pickle.loads(pickle.dumps(stats)) == stats
        talk(websocket, ping_rate=0)
        total = websocket.stats.total
        assert total.connections == 2
        assert total.received.texts == 6
        assert total.sent.bytes == 22
        assert total.since == stats.since
        assert total.received.wire_bytes == (
            received.wire_bytes + websocket.stats.received.wire_bytes
        )
        websocket.reset()
        assert websocket.stats == Stats()
        assert websocket.stats.total.connections == 2


def test_what_could_not_be_opened_has_carried_something() -> None:
    def refuses(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")

    with raw_server(refuses, upgrades=False) as server:
        websocket = WebSocket(server.url)
        list(websocket)
        stats = websocket.stats
        assert (stats.connections, stats.since) == (0, None)
        assert stats.received.wire_bytes > 20
        assert stats.sent.wire_bytes > 100


def test_compressed_messages_count_as_they_were() -> None:
    def compresses(connection: socket.socket) -> None:
        request = read_request(connection)
        accept_upgrade(
            connection,
            request,
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n",
        )
        # RFC 7692 section 7.2.3.1: "Hello"
        connection.sendall(bytes.fromhex("c107f248cdc9c90700") * 2)
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(compresses, upgrades=False) as server:
        websocket = WebSocket(server.url, compress=True)
        list(websocket.connect(poll=None))
        assert websocket.stats.received.texts == 2
        assert websocket.stats.received.bytes == 10
