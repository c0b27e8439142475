"""Large messages that are put straight into their own buffer, without a socket."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes
from protocol.connections import opened

SIZE = 300_000


def has_room(connection: Connection) -> bool:
    """Whether there is room for more. A view that was not released would keep it as it is."""
    room = connection.room()
    if room is None:
        return False
    room.release()
    return True


def fill(connection: Connection, data: bytes) -> int:
    """Put the start of the data into the room; how much fitted."""
    room = connection.room()
    assert room is not None
    with room:
        count = min(len(room), len(data), 16_384)
        room[:count] = data[:count]
    connection.filled(count, 1.0)
    return count


@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
@pytest.mark.parametrize("times", [1, 3, 12])
def test_the_room_may_be_filled_several_times_before_the_next_look(opcode: int, times: int) -> None:
    payload = bytes(ord("a") + i % 26 for i in range(SIZE))
    whole = frames.build(opcode, payload, None)
    connection = opened()
    connection.receive(whole[:10], 1.0)
    assert connection.next_event() is None
    done = 10
    while has_room(connection):
        for _ in range(times):
            if has_room(connection):
                done += fill(connection, whole[done:])
        assert connection.next_event() is None
    connection.receive(whole[done:] + frames.build(frames.TEXT, b"after", None), 2.0)
    event = connection.next_event()
    assert event is not None
    got = event.text.encode() if event.name == "text" else getattr(event, "data", b"")
    assert got == payload
    after = connection.next_event()
    assert after is not None
    assert after.name == "text"


def test_broken_utf8_in_the_room_is_told_at_the_next_look() -> None:
    connection = opened()
    connection.receive(frames.build(frames.TEXT, bytes(SIZE), None)[:10], 1.0)
    assert connection.next_event() is None
    fill(connection, b"fine")
    fill(connection, b"\xff")
    fill(connection, b"fine")
    event = connection.next_event()
    assert event is not None
    assert event.name == "protocol_error"
    assert not has_room(connection)


@pytest.mark.parametrize(
    ("start", "is_broken"),
    [
        (b"\xed\xa0", True),
        (b"\xed\xbf", True),
        (b"\xed\x9f", False),
        (b"\xed", False),
        (b"\xe0\x80", True),
        (b"\xf4\x90", True),
        (b"\xf4\x8f\xbf", False),
    ],
)
def test_half_a_code_point_fails_as_soon_as_it_can(start: bytes, is_broken: bool) -> None:
    connection = opened()
    connection.receive(b"\x01" + bytes([len(start)]) + start, 1.0)
    event = connection.next_event()
    assert (event is not None) is is_broken


def test_empty_messages_that_are_held_count_too() -> None:
    connection = Connection(Limits(max_held=1000), MaskingKeys(counting_bytes()))
    for _ in range(50):
        connection.send(frames.TEXT, b"")
    with pytest.raises(WebSocketUnavailable, match="max_held"):  # noqa: PT012  one of them is it
        for _ in range(100):
            connection.send(frames.TEXT, b"")


def test_what_follows_the_room_may_come_before_the_next_look() -> None:
    payload = bytes(i % 251 for i in range(SIZE))
    whole = frames.build(frames.BINARY, payload, None)
    connection = opened()
    connection.take(whole[:10], 1.0)
    assert connection.next_event() is None
    done = 10
    while has_room(connection):
        assert connection.is_hungry()
        done += fill(connection, whole[done:])
    # What is left is too little for the room.
    assert connection.is_hungry()
    connection.take(whole[done:], 2.0)
    assert not connection.is_hungry()
    event = connection.next_event()
    assert event is not None
    assert event.name == "binary"
    assert event.data == payload


def test_a_text_is_looked_at_after_each_filling() -> None:
    connection = opened()
    connection.take(frames.build(frames.TEXT, bytes(SIZE), None)[:10], 1.0)
    assert connection.next_event() is None
    assert connection.is_hungry()
    fill(connection, b"fine")
    assert not connection.is_hungry()
    assert connection.next_event() is None
    assert connection.is_hungry()


def test_nothing_is_taken_after_the_end_or_before_what_came_earlier() -> None:
    connection = opened()
    assert connection.is_hungry()
    connection.receive(b"\x81", 1.0)
    assert not connection.is_hungry()
    assert connection.next_event() is None
    assert connection.is_hungry()
    connection.take(b"\x01x\x88\x00", 1.0)
    assert not connection.is_hungry()
    for name in ("text", "closing"):
        event = connection.next_event()
        assert event is not None
        assert event.name == name
    assert not connection.is_hungry()


def test_what_is_let_go_is_only_what_was_looked_at() -> None:
    connection = opened()
    connection.take(frames.build(frames.TEXT, b"one", None) + b"\x81", 1.0)
    event = connection.next_event()
    assert event is not None
    assert connection.next_event() is None
    connection.let_go()
    assert connection.is_hungry()
    connection.take(b"\x03two", 2.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "text"
    assert event.text == "two"
