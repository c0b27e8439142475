"""Messages that come in parts, through every door: what is in them, and what is kept."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from typing import Any

import pytest
import trio

from doors.certified import contexts
from doors.in_parts import (
    ALL,
    CLOSE,
    PAYLOAD,
    QUIET,
    SIZE,
    fragments,
    joined,
    options_of,
    part_of,
    says,
    seen_by,
    told,
)
from doors.raw_server import frame, raw_server, read_all, read_frame
from doors.tapped import Tapped
from lomond import WebSocket
from lomond.protocol import frames
from protocol import compressed
from traced import tracemalloc

pytestmark = pytest.mark.every_door

KIB, MIB = 1 << 10, 1 << 20
AGREED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
PING = frame(frames.PING, b"?")
is_tls = pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])


@is_tls
@pytest.mark.parametrize("compress", [False, True])
def test_a_large_message_in_one_frame(tls: bool, compress: bool) -> None:
    payload = compressed.deflated(PAYLOAD) if compress else PAYLOAD
    whole = part_of(frames.BINARY, payload, rsv1=compress)
    data = frame(frames.TEXT, b"before") + whole + PING + frame(frames.BINARY, b"x" * SIZE) + CLOSE
    context = contexts()[0] if tls else None
    with raw_server(says(data), context=context, extra=AGREED if compress else b"") as server:
        seen = seen_by(WebSocket(server.url, **options_of(tls, compress=compress)))
    assert told(seen) == [6, *ALL, "ping", SIZE, "closing", "disconnected"]
    assert joined(seen) == PAYLOAD


@is_tls
@pytest.mark.parametrize("compress", [False, True])
def test_fragments_with_pings_between(tls: bool, compress: bool) -> None:
    payload = compressed.deflated(PAYLOAD) if compress else PAYLOAD
    size = len(payload) // 4 + 1
    pieces = fragments(frames.BINARY, payload, size, rsv1=compress)
    data = PING.join(pieces) + CLOSE
    context = contexts()[0] if tls else None
    with raw_server(says(data), context=context, extra=AGREED if compress else b"") as server:
        seen = seen_by(WebSocket(server.url, **options_of(tls, compress=compress)))
    assert joined(seen) == PAYLOAD
    names = [event.name for event in seen]
    assert names.count("ping") == len(pieces) - 1
    assert [one for one in told(seen) if isinstance(one, tuple)] == ALL
    assert names[-3:] == ["binary_part", "closing", "disconnected"]
    if not compress:  # what came before a ping is handed out before it, as far as it is a part
        assert [name for name in names if name == "ping" or name == "binary_part"] == [
            "binary_part", "ping", "binary_part", "ping", "binary_part", "ping", "binary_part",
            "binary_part", "binary_part",
        ]  # fmt: skip


def test_a_part_is_handed_out_before_the_next_one_is_sent() -> None:
    def serve(connection: socket.socket) -> None:
        whole = part_of(frames.BINARY, PAYLOAD)
        head = len(whole) - len(PAYLOAD)
        connection.sendall(whole[: head + SIZE])
        for start in range(head + SIZE, len(whole), SIZE):
            assert read_frame(connection)[0] == frames.TEXT
            connection.sendall(whole[start : start + SIZE])
        assert read_frame(connection)[0] == frames.TEXT
        connection.sendall(CLOSE)
        read_all(connection)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url, **options_of())

        def act(event: Any) -> None:
            if event.name == "binary_part":
                websocket.send_text("more")

        seen = seen_by(websocket, act)
    assert told(seen) == [*ALL, "closing", "disconnected"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_text_is_cut_at_code_points_and_ends_with_one(compress: bool) -> None:
    text = "€" * (SIZE // 2)
    whole = text.encode()

    def sent(payload: bytes) -> bytes:
        packed = compressed.deflated(payload) if compress else payload
        return part_of(frames.TEXT, packed, rsv1=compress)

    data = sent(whole) + sent(whole[:-1])
    with raw_server(says(data), extra=AGREED if compress else b"") as server:
        seen = seen_by(WebSocket(server.url, **options_of(compress=compress)))
    assert told(seen) == [
        (0, SIZE - 1, True, False),
        (SIZE - 1, len(whole) - SIZE + 1, False, True),
        (0, SIZE - 1, True, False),
        "protocol_error",
        "disconnected",
    ]
    assert "".join(event.text for event in seen[:2] if event.name == "text_part") == text
    error: Any = seen[3]
    assert error.code == 1007


@is_tls
def test_what_is_cut_in_the_middle_is_told_by_the_ending(tls: bool) -> None:
    came = 2 * SIZE + 345

    def serve(connection: socket.socket) -> None:
        whole = part_of(frames.BINARY, PAYLOAD)
        connection.sendall(whole[: len(whole) - len(PAYLOAD) + came])

    with raw_server(serve, context=contexts()[0] if tls else None) as server:
        websocket = WebSocket(server.url, **options_of(tls))
        seen = seen_by(websocket)
    assert told(seen) == [*ALL[:2], "disconnected"]
    ending = websocket.ending
    assert (ending.kind, ending.unfinished) == ("lost", came)
    assert f"{came} bytes of a message had come that was not whole" in str(ending)


class Failing(Tapped):
    """Its third read straight into a part fails, or is the end.

    Attributes:
        came: Bytes of the reads before.
    """

    fails = True
    calls = came = 0

    def recv_into(self, room: Any, size: int = 0, flags: int = 0) -> int:
        self.calls += 1
        if self.calls > 2:
            if self.fails:
                raise ConnectionResetError(errno.ECONNRESET, "reset")
            return 0
        count = super().recv_into(room, size, flags)
        self.came += count
        return count


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_read_before_the_end_is_handed_out(fails: bool) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(part_of(frames.BINARY, PAYLOAD * 4)[:-1])
        read_all(connection)

    with raw_server(serve) as server, Failing() as sock:
        sock.fails = fails
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
        sock.connect(("127.0.0.1", server.port))
        websocket = WebSocket(server.url, **options_of(socket=sock))
        seen = seen_by(websocket)
    came = joined(seen)
    assert (PAYLOAD * 4).startswith(came)
    assert seen[-1].name == "disconnected"
    ending = websocket.ending
    assert (ending.kind, isinstance(ending.cause, ConnectionResetError)) == ("lost", fails)
    assert ending.unfinished - SIZE < len(came) <= ending.unfinished
    assert ending.unfinished > sock.came


def test_a_close_frame_between_fragments() -> None:
    pieces = fragments(frames.BINARY, PAYLOAD, SIZE + 1)[:2]
    with raw_server(says(b"".join(pieces) + CLOSE)) as server:
        websocket = WebSocket(server.url, **options_of())
        seen = seen_by(websocket)
    assert told(seen) == [*ALL[:2], "closing", "disconnected"]
    ending = websocket.ending
    assert (ending.kind, ending.code, ending.unfinished) == ("closed", 1000, 2 * SIZE + 2)
    assert str(ending).count("2000") == 1
    assert "200002 bytes of a message had come that was not whole" in str(ending)


@is_tls
def test_no_more_than_parts_and_reads_are_kept(tls: bool) -> None:
    total = 32 * MIB
    block = bytes(64 * KIB)

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"\x82\x7f" + total.to_bytes(8, "big"))
        for _ in range(total // len(block)):
            connection.sendall(block)
        connection.sendall(CLOSE)
        read_all(connection)

    came = 0
    with raw_server(serve, context=contexts()[0] if tls else None) as server:
        websocket = WebSocket(server.url, **options_of(tls, parts=64 * KIB, max_message_size=None))
        tracemalloc.start()
        try:
            for event in websocket.connect(**QUIET):
                if event.name == "binary_part":
                    came += len(event.data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert came == total
    assert peak < 3 * MIB


@pytest.mark.doors("asyncio", "trio")
@is_tls
def test_no_more_is_kept_while_the_task_is_elsewhere(tls: bool, door: str) -> None:
    stuck = threading.Event()
    said = 0

    def serve(connection: socket.socket) -> None:
        nonlocal said
        connection.sendall(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
        connection.settimeout(0.3)
        block = bytes(64 * KIB)
        try:
            while said < 64 * MIB:
                connection.sendall(block)
                said += len(block)
        except TimeoutError:
            pass
        stuck.set()

    kept = 0
    with raw_server(serve, context=contexts()[0] if tls else None) as server:
        websocket: Any = WebSocket(
            server.url, **options_of(tls, parts=64 * KIB, max_message_size=None)
        )
        tracemalloc.start()
        try:
            for event in websocket.connect(**QUIET):
                if event.name == "binary_part":
                    while not stuck.is_set():
                        websocket.run((trio if door == "trio" else asyncio).sleep(0.05))
                    kept = tracemalloc.get_traced_memory()[1]
                    break
        finally:
            tracemalloc.stop()
    assert said < 64 * MIB  # the system's buffers, and what is kept
    assert kept < 3 * MIB


@is_tls
def test_what_comes_while_a_send_waits_is_read_ahead(tls: bool) -> None:
    """A server that reads nothing before all of its message is taken."""
    mine = bytes(8 * MIB)

    def serve(connection: socket.socket) -> None:
        connection.sendall(part_of(frames.BINARY, PAYLOAD * 8))
        assert len(read_frame(connection)[1]) == len(mine)
        connection.sendall(CLOSE)
        read_all(connection)

    context = contexts()[0] if tls else None
    with raw_server(serve, context=context, read_buffer=64 * KIB) as server:
        websocket = WebSocket(server.url, **options_of(tls, send_timeout=None))

        def act(event: Any) -> None:
            if event.name == "binary_part" and event.is_first:
                websocket.send_binary(mine)

        seen = seen_by(websocket, act)
    assert joined(seen) == PAYLOAD * 8
    assert [event.name for event in seen[-2:]] == ["closing", "disconnected"]
