"""Short messages that are here whole, handed out without the lock until a moment is due."""

from __future__ import annotations

import pytest

from lomond.events import AnyEvent
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.input import Clock
from lomond.protocol.output import MaskingKeys
from lomond.protocol.short import short_messages
from lomond.protocol.states import CLOSED
from lomond.testing.alone import counting_bytes


class AtFive(Clock):
    def has_come(self, moment: float) -> bool:
        return moment <= 5.0


def looked_at(data: bytes, limits: Limits | None = None) -> Connection:
    """A connection that has these bytes behind a first message, which was handed out."""
    connection = Connection(limits or Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    connection.clock = AtFive()
    connection.due = 10.0
    connection.receive(frames.build(frames.TEXT, b"first", None) + data, 3.0)
    connection.shorten()
    assert connection.short_message() is None  # nothing was looked at yet
    first = connection.next_event()
    assert first is not None
    assert first.name == "text"
    return connection


def shorts(connection: Connection) -> list[AnyEvent]:
    return list(short_messages(connection)())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 20_000, 65_535, 65_536, 300_000])
def test_texts_and_binaries(size: int) -> None:
    payload = b"x" * size
    data = frames.build(frames.TEXT, payload, None) + frames.build(frames.BINARY, payload, None)
    text, binary = shorts(looked_at(data))
    assert text.name == "text"
    assert (text.text, text.received_time) == (payload.decode(), 3.0)
    assert binary.name == "binary"
    assert (binary.data, binary.received_time) == (payload, 3.0)
    connection = looked_at(data[:-1])
    assert len(shorts(connection)) == 1
    connection.receive(data[-1:], 4.0)
    assert connection.next_event() is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        b"\x81\x05abc",
        b"\x81\x7e\x00",
        b"\x81\x7e\x00\x7dabc" + b"x" * 200,
        b"\x81\x7f" + bytes(7),
        b"\x81\x7f" + (65_535).to_bytes(8, "big") + bytes(65_535),
        b"\x81\x7f" + (65_536).to_bytes(8, "big") + bytes(65_535),
        b"\x81\x7f" + (1 << 31).to_bytes(8, "big") + bytes(65_536),
        b"\x81\x7f" + (1 << 32 | 65_536).to_bytes(8, "big") + bytes(65_536),
        b"\x81\x7f" + (1 << 63 | 65_536).to_bytes(8, "big") + bytes(65_536),
        b"\x81\x81abcde",
        b"\x81\x01\xff",
        b"\xc1\x01x",
        b"\x01\x01x",
        b"\x80\x01x",
        b"\x89\x01x",
        b"\x8a\x01x",
        b"\x88\x00",
        b"\x83\x00",
    ],
)
def test_all_else_is_left_to_the_long_way(data: bytes) -> None:
    one, other = looked_at(data), looked_at(data)
    assert shorts(one) == []
    # And it has touched nothing.
    assert repr(one.next_event()) == repr(other.next_event())
    assert one.state == other.state


def test_each_byte_of_a_length_counts() -> None:
    size = 0x01020304  # 16 MiB
    large = frames.build(frames.BINARY, bytes(size), None)
    connection = looked_at(
        large + frames.build(frames.TEXT, b"end", None), Limits(max_message_size=None)
    )
    binary, text = shorts(connection)
    assert binary.name == "binary"
    assert binary.data == bytes(size)
    assert text.name == "text"
    assert text.text == "end"


def test_none_is_given_before_the_session_has_seen_the_first_message() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    connection.due = 10.0
    connection.receive(b"\x81\x00" * 3, 3.0)
    assert connection.next_event() is not None
    assert connection.short_message() is None
    connection.shorten()
    assert connection.short_message() is not None


def test_a_moment_that_is_due_comes_first() -> None:
    connection = looked_at(frames.build(frames.TEXT, b"x", None) * 3)
    assert connection.short_message() is not None
    connection.due = 5.0
    assert connection.short_message() is None
    connection.due = 5.1
    assert connection.short_message() is not None


def test_the_limit_holds() -> None:
    connection = looked_at(b"\x81\x0b" + b"x" * 11, Limits(max_message_size=10))
    assert connection.short_message() is None
    event = connection.next_event()
    assert event is not None
    assert event.name == "protocol_error"


def test_nothing_between_fragments_and_nothing_after_the_end() -> None:
    connection = looked_at(b"\x01\x01a" + frames.build(frames.TEXT, b"inside", None))
    assert connection.next_event() is not None
    assert connection.violation is not None
    connection = looked_at(b"\x88\x00" + frames.build(frames.TEXT, b"after", None))
    assert connection.next_event() is not None
    assert connection.short_message() is None
    connection.next_event()
    assert connection.state == CLOSED
    assert connection.short_message() is None


def test_a_message_behind_a_started_one_waits() -> None:
    connection = looked_at(b"\x01\x01a")
    assert connection.next_event() is None
    connection.receive(frames.build(frames.PING, b"", None), 4.0)
    assert connection.short_message() is None
