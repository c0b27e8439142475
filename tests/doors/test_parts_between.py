"""What may happen between two parts of a message, through every door."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Generator
from typing import Any

import pytest

from doors.certified import contexts
from doors.in_parts import (
    ALL,
    CLOSE,
    PAYLOAD,
    QUIET,
    SIZE,
    fragments,
    options_of,
    part_of,
    seen_by,
    told,
)
from doors.raw_server import frame, raw_server, read_all, read_frame
from doors.tapped import connect
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.group import WebSocketGroup
from lomond.io import group_loop
from lomond.persist import persist
from lomond.protocol import frames

pytestmark = pytest.mark.every_door

MIB = 1 << 20
PING = frame(frames.PING, b"?")
is_tls = pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])


def test_we_close_in_the_middle_and_the_rest_still_comes() -> None:
    def serve(connection: socket.socket) -> None:
        whole = part_of(frames.BINARY, PAYLOAD)
        connection.sendall(whole[: 2 * SIZE])
        opcode, payload = read_frame(connection)
        connection.sendall(whole[2 * SIZE :] + frame(opcode, payload))

    with raw_server(serve) as server:
        websocket = WebSocket(server.url, **options_of())

        def act(event: Any) -> None:
            if event.name == "binary_part" and event.is_first:
                websocket.close()

        seen = seen_by(websocket, act)
    assert told(seen) == [*ALL, "closed", "disconnected"]
    assert websocket.ending.unfinished == 0


def test_enter_sees_parts_in_their_place() -> None:
    waited: list[Any] = []

    def enter(event: AnyEvent) -> Generator[Any, Any, None]:
        yield "send it"
        waited.append((yield lambda event: event.name == "binary_part" and event.is_last))
        yield "thanks"

    def serve(connection: socket.socket) -> None:
        assert read_frame(connection)[1] == b"send it"
        connection.sendall(part_of(frames.BINARY, PAYLOAD))
        assert read_frame(connection)[1] == b"thanks"
        connection.sendall(part_of(frames.BINARY, PAYLOAD) + CLOSE)
        read_all(connection)

    with raw_server(serve) as server:
        seen = list(WebSocket(server.url, **options_of()).connect(enter=enter, **QUIET))[3:]
    assert told(seen) == [*ALL, "entered", *ALL, "closing", "disconnected"]
    assert waited == [seen[5]]


def test_a_reply_comes_behind_the_parts_that_came_before_it() -> None:
    def serve(connection: socket.socket) -> None:
        read_frame(connection)
        pieces = fragments(frames.BINARY, PAYLOAD, SIZE * 2)
        connection.sendall(b"".join(pieces) + frame(frames.TEXT, b'{"id": 1}') + CLOSE)
        read_all(connection)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url, **options_of())

        def act(event: Any) -> None:
            if event.name == "ready":
                websocket.send_json({"id": 1}, reply=("id", 1))

        seen = seen_by(websocket, act)
    assert told(seen) == [*ALL, "reply", "closing", "disconnected"]


def test_what_is_longer_than_a_part_answers_no_question() -> None:
    """It is never whole, so that nobody can look into it; it is handed out as any other."""
    answer = b'{"id": 1, "more": "' + b"x" * SIZE + b'"}'

    def serve(connection: socket.socket) -> None:
        read_frame(connection)
        connection.sendall(frame(frames.TEXT, answer) + frame(frames.TEXT, b'{"id": 2}') + CLOSE)
        read_all(connection)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url, **options_of())

        def act(event: Any) -> None:
            if event.name == "ready":
                websocket.send_json({"id": 1}, reply=("id", 1))
                websocket.send_json({"id": 2}, reply=("id", 2))

        seen = seen_by(websocket, act)
    assert told(seen) == [
        (0, SIZE, True, False), (SIZE, len(answer) - SIZE, False, True),
        "reply", "closing", "no_reply", "disconnected",
    ]  # fmt: skip


def cuts(data: bytes) -> Callable[[socket.socket], None]:
    """A server that hangs up behind a first half of the message, and says all of it later."""
    times = iter(range(100))

    def serve(connection: socket.socket) -> None:
        is_first = next(times) == 0
        connection.sendall(data[: len(data) // 2] if is_first else data + CLOSE)
        if not is_first:
            read_all(connection)

    return serve


@is_tls
def test_persist_begins_anew(tls: bool) -> None:
    whole = part_of(frames.BINARY, PAYLOAD)
    seen: list[AnyEvent] = []
    endings: list[Any] = []
    with raw_server(cuts(whole), context=contexts()[0] if tls else None) as server:
        stream = persist(WebSocket(server.url, **options_of(tls)), min_wait=0, max_wait=0, **QUIET)
        for event in stream:
            seen.append(event)
            if event.name == "back_off":
                endings.append(event.ending)
            if event.name == "closing":
                break
        stream.close()
    opening = ["connecting", "connected", "ready"]
    assert told(seen) == [
        *opening, *ALL[:2], "disconnected", "back_off", *opening, *ALL, "closing",
    ]  # fmt: skip
    assert [ending.unfinished for ending in endings] == [len(whole) // 2 - 10]


def test_leaving_in_the_middle_and_connecting_again() -> None:
    heard: list[tuple[int, bytes]] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(part_of(frames.BINARY, PAYLOAD))
        heard.extend(read_all(connection))

    with raw_server(serve) as server:
        websocket = WebSocket(server.url, **options_of())
        for size in (0, SIZE, 3 * SIZE):
            stream = websocket.connect(**QUIET)
            for event in stream:
                if event.name == "binary_part":
                    assert event.is_first == (event.offset == 0)
                    if event.offset == size:
                        assert event.data == PAYLOAD[size : size + SIZE]
                        break
            stream.close()
            assert websocket.is_closed


@pytest.mark.doors("group")
def test_other_members_have_their_turns_between_parts() -> None:
    def floods(connection: socket.socket) -> None:
        connection.sendall(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
        while True:
            connection.sendall(bytes(MIB))

    def echo(connection: socket.socket) -> None:
        while True:
            opcode, payload = read_frame(connection)
            connection.sendall(frame(opcode, payload))

    group = WebSocketGroup()
    with raw_server(floods) as fast, raw_server(echo) as slow:
        large = WebSocket(fast.url, parts=1000, max_message_size=None)
        group.add(large, ping_rate=0)
        sock = connect(slow.port)
        other = WebSocket(slow.url, socket=sock)
        group.add(other, ping_rate=0)
        answers = parts = kept_waiting = 0
        for websocket, event in group:
            parts += event.name == "binary_part"
            if websocket is other:
                kept_waiting = 0
                answers += event.name == "text"
                if answers >= 20 and parts:
                    break
                if event.name in ("ready", "text"):
                    other.send_text("x")
            elif kept_waiting or select.select([sock], [], [], 0)[0]:
                kept_waiting += 1
                # The rest of the turn in which it became so, and one more.
                assert kept_waiting <= 2 * group_loop.EVENTS_OF_A_TURN
        group.close()
