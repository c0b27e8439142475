"""Streams that fill the reads: the memory that they are read into is used again, unseen."""

from __future__ import annotations

import random
import socket

import pytest

from doors.raw_server import frame, raw_server, read_frame
from lomond import WebSocket
from lomond.protocol import frames

pytestmark = pytest.mark.every_door


@pytest.mark.parametrize("largest", [300, 5000, 70_000, 300_000])
def test_what_was_handed_out_stays_as_it_is(largest: int) -> None:
    random.seed(largest)
    sizes = [random.randrange(largest) for _ in range(min(20_000, 30_000_000 // largest))]

    def expected(number: int, size: int) -> bytes:
        return (b"%d," % number) + bytes([number % 251]) * size

    def serve(sock: socket.socket) -> None:
        read_frame(sock)  # the loop is to find much at once
        data = b"".join(
            frame(frames.BINARY, expected(number, size)) for number, size in enumerate(sizes)
        )
        sock.sendall(data)
        read_frame(sock)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        kept = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                websocket.send_text("go")
            elif event.name == "binary":
                kept.append(event.data)
                if len(kept) == len(sizes):
                    break
        for number, (size, data) in enumerate(zip(sizes, kept, strict=True)):
            assert data == expected(number, size)
