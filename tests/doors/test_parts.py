"""Messages that come in parts, through every door: what is in them, and what may happen between."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable, Generator
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import frame, raw_server, read_all, read_frame
from doors.tapped import Tapped, connect
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.group import WebSocketGroup
from lomond.io import group_loop
from lomond.persist import persist
from lomond.protocol import frames
from protocol import compressed
from traced import tracemalloc

pytestmark = pytest.mark.every_door

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
SIZE = 100_000  # bytes of a part
PAYLOAD = bytes(range(256)) * 2_000  # more than five of them
KIB, MIB = 1 << 10, 1 << 20
AGREED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
PING = frame(frames.PING, b"?")
CLOSE = frame(frames.CLOSE, code=1000)
part_of = compressed.frame
is_tls = pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])


def fragments(opcode: int, payload: bytes, size: int, *, rsv1: bool = False) -> list[bytes]:
    """The frames of a message, each of so many bytes of it."""
    starts = range(0, len(payload), size)
    return [
        part_of(
            0 if start else opcode,
            payload[start : start + size],
            rsv1=rsv1 and not start,
            final=start == starts[-1],
        )
        for start in starts
    ]


def says(*data: bytes) -> Callable[[socket.socket], None]:
    """A server that says this, and reads."""

    def serve(connection: socket.socket) -> None:
        for one in data:
            connection.sendall(one)
        read_all(connection)

    return serve


def websocket_of(server: Any, tls: bool = False, **options: Any) -> Any:
    return WebSocket(
        server.url, ssl_context=contexts()[1] if tls else None, **{"parts": SIZE, **options}
    )


def seen_by(websocket: Any, act: Callable[[Any], object] = lambda _: None) -> list[AnyEvent]:
    """All events of one connection behind Ready, each handled."""
    seen: list[AnyEvent] = []
    for event in websocket.connect(**QUIET):
        seen.append(event)
        act(event)
    return seen[3:]


def told(seen: list[AnyEvent]) -> list[Any]:
    """Of a part its place and size, of another message its size, of all else the name."""
    places: list[Any] = []
    for event in seen:
        if event.name in ("text_part", "binary_part"):
            data = event.data if event.name == "binary_part" else event.text.encode()
            places.append((event.offset, len(data), event.is_first, event.is_last))
        elif event.name in ("text", "binary"):
            places.append(len(event.data if event.name == "binary" else event.text))
        else:
            places.append(event.name)
    return places


def joined(seen: list[AnyEvent]) -> bytes:
    """The data of all binary parts."""
    return b"".join(event.data for event in seen if event.name == "binary_part")


ALL = [
    (0, SIZE, True, False),
    *((start, SIZE, False, False) for start in range(SIZE, 5 * SIZE, SIZE)),
    (5 * SIZE, len(PAYLOAD) - 5 * SIZE, False, True),
]


@is_tls
@pytest.mark.parametrize("compress", [False, True])
def test_a_large_message_in_one_frame(tls: bool, compress: bool) -> None:
    payload = compressed.deflated(PAYLOAD) if compress else PAYLOAD
    whole = part_of(frames.BINARY, payload, rsv1=compress)
    data = frame(frames.TEXT, b"before") + whole + PING + frame(frames.BINARY, b"x" * SIZE) + CLOSE
    context = contexts()[0] if tls else None
    with raw_server(says(data), context=context, extra=AGREED if compress else b"") as server:
        seen = seen_by(websocket_of(server, tls, compress=compress))
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
        seen = seen_by(websocket_of(server, tls, compress=compress))
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
        websocket = websocket_of(server)

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
        seen = seen_by(websocket_of(server, compress=compress))
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
        websocket = websocket_of(server, tls)
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
        websocket = websocket_of(server, socket=sock)
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
        websocket = websocket_of(server)
        seen = seen_by(websocket)
    assert told(seen) == [*ALL[:2], "closing", "disconnected"]
    ending = websocket.ending
    assert (ending.kind, ending.code, ending.unfinished) == ("closed", 1000, 2 * SIZE + 2)
    assert str(ending).count("2000") == 1
    assert "200002 bytes of a message had come that was not whole" in str(ending)


def test_we_close_in_the_middle_and_the_rest_still_comes() -> None:
    def serve(connection: socket.socket) -> None:
        whole = part_of(frames.BINARY, PAYLOAD)
        connection.sendall(whole[: 2 * SIZE])
        opcode, payload = read_frame(connection)
        connection.sendall(whole[2 * SIZE :] + frame(opcode, payload))

    with raw_server(serve) as server:
        websocket = websocket_of(server)

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
        seen = list(websocket_of(server).connect(enter=enter, **QUIET))[3:]
    assert told(seen) == [*ALL, "entered", *ALL, "closing", "disconnected"]
    assert waited == [seen[5]]


def test_a_reply_comes_behind_the_parts_that_came_before_it() -> None:
    def serve(connection: socket.socket) -> None:
        read_frame(connection)
        pieces = fragments(frames.BINARY, PAYLOAD, SIZE * 2)
        connection.sendall(b"".join(pieces) + frame(frames.TEXT, b'{"id": 1}') + CLOSE)
        read_all(connection)

    with raw_server(serve) as server:
        websocket = websocket_of(server)

        def act(event: Any) -> None:
            if event.name == "ready":
                websocket.send_json({"id": 1}, reply=("id", 1))

        seen = seen_by(websocket, act)
    assert told(seen) == [*ALL, "reply", "closing", "disconnected"]


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
        stream = persist(websocket_of(server, tls), min_wait=0, max_wait=0, **QUIET)
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
        websocket = websocket_of(server)
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
        websocket = websocket_of(server, tls, parts=64 * KIB, max_message_size=None)
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


def test_what_comes_while_a_send_waits_is_bounded_by_max_read_ahead() -> None:
    """A server that reads nothing before all of its message is taken."""
    mine = bytes(8 * MIB)

    def serve(connection: socket.socket) -> None:
        connection.sendall(part_of(frames.BINARY, PAYLOAD * 8))
        assert len(read_frame(connection)[1]) == len(mine)
        connection.sendall(CLOSE)
        read_all(connection)

    with raw_server(serve, read_buffer=64 * KIB) as server:
        websocket = websocket_of(server, send_timeout=None)

        def act(event: Any) -> None:
            if event.name == "binary_part" and event.is_first:
                websocket.send_binary(mine)

        seen = seen_by(websocket, act)
    assert joined(seen) == PAYLOAD * 8
    assert [event.name for event in seen[-2:]] == ["closing", "disconnected"]
