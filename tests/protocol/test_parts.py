"""Messages that are handed out in parts: which bytes are in which, and when each comes."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from lomond.events import AnyEvent, Binary, BinaryPart, Text, TextPart
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.extensions.extension import Incoming
from lomond.protocol.output import MaskingKeys
from protocol import compressed
from protocol.connections import bytes_until_violation, events, frame, opened

SMALL = Limits(parts=4)


def said(found: list[AnyEvent]) -> list[Any]:
    """Parts as tuples, whole messages as their value, all else by its name."""
    told: list[Any] = []
    for event in found:
        if event.name in ("text_part", "binary_part"):
            value = event.text if event.name == "text_part" else event.data
            told.append((value, event.offset, event.is_first, event.is_last))
        elif event.name in ("text", "binary"):
            told.append(event.text if event.name == "text" else event.data)
        else:
            told.append(event.name)
    return told


def test_a_message_of_one_part_is_whole() -> None:
    data = frame(1, b"abcd") + frame(2, b"") + frame(2, b"ab", final=False) + frame(0, b"cd")
    data += frame(1, b"ab", final=False) + frame(0, b"cd")
    found = events(opened(SMALL), data)
    assert said(found) == ["abcd", b"", b"abcd", "abcd"]
    assert [event.received_time for event in found] == [1.0] * 4
    assert [(event.offset, event.is_first, event.is_last) for event in found] == [  # type: ignore[union-attr]  # messages all
        (0, True, True)
    ] * 4


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_a_longer_one_comes_in_parts_however_it_is_read(cut: int) -> None:
    data = frame(2, b"0123456789")
    chunks = [data[start : start + cut] for start in range(0, len(data), cut)]
    assert said(events(opened(SMALL), *chunks)) == [
        (b"0123", 0, True, False),
        (b"4567", 4, False, False),
        (b"89", 8, False, True),
    ]


def test_a_part_comes_as_soon_as_it_is_here() -> None:
    connection = opened(SMALL)
    data = frame(2, b"0123456789")
    assert said(events(connection, data[:5])) == []
    assert said(events(connection, data[5:6])) == [(b"0123", 0, True, False)]
    assert said(events(connection, data[6:11])) == [(b"4567", 4, False, False)]
    assert said(events(connection, data[11:])) == [(b"89", 8, False, True)]


def test_whether_a_fragment_is_a_part_is_known_when_the_next_one_begins() -> None:
    connection = opened(SMALL)
    assert said(events(connection, frame(2, b"0123", final=False))) == []
    assert said(events(connection, frame(0, b"4")[:2])) == [(b"0123", 0, True, False)]
    assert said(events(connection, b"4")) == [(b"4", 4, False, True)]
    assert said(events(connection, frame(2, b"0123", final=False), frame(0, b""))) == [b"0123"]


def test_the_last_part_of_a_fragmented_message_may_be_empty() -> None:
    connection = opened(SMALL)
    assert said(events(connection, frame(2, b"01234567", final=False))) == [
        (b"0123", 0, True, False),
        (b"4567", 4, False, False),
    ]
    assert said(events(connection, frame(0, b""))) == [(b"", 8, False, True)]


def test_control_frames_come_between() -> None:
    data = frame(2, b"01234", final=False) + frame(9) + frame(0, b"567", final=False)
    assert said(events(opened(SMALL), data + frame(10) + frame(0, b"8") + frame(1, b"x"))) == [
        (b"0123", 0, True, False),
        "ping",
        (b"4567", 4, False, False),
        "pong",
        (b"8", 8, False, True),
        "x",
    ]


def test_a_text_is_cut_at_code_points() -> None:
    data = frame(1, "aé€😀bcde".encode())
    assert said(events(opened(SMALL), data)) == [
        ("aé", 0, True, False),
        ("€", 3, False, False),
        ("😀", 6, False, False),
        ("bcde", 10, False, True),
    ]


@pytest.mark.parametrize(
    "broken",
    [b"\xff", b"\xe2\x28", b"\xed\xa0", b"abc\xe2\x82\x28", b"abcd\xed\xa0", b"abcdefg\xc0"],
)
def test_broken_utf8_is_told_at_its_byte(broken: bytes) -> None:
    data = frame(1, broken + b"more" * 50)
    expected, event = bytes_until_violation(data)
    at, same = bytes_until_violation(data, SMALL)
    assert (at, repr(same)) == (expected, repr(event))


@pytest.mark.parametrize("text", [b"abcdefg\xe2\x82", b"ab\xf0\x9f\x98", b"abc\xe2"])
@pytest.mark.parametrize("fragments", [1, 2])
def test_half_a_code_point_at_the_end(text: bytes, fragments: int) -> None:
    data = frame(1, text)
    if fragments == 2:
        data = frame(1, text, final=False) + frame(0)
    found = events(opened(SMALL), data)
    assert found[-1].name == "protocol_error"
    assert found[-1].code == 1007


def test_the_limit_counts_the_whole_message() -> None:
    limits = Limits(parts=4, max_message_size=9)
    found = events(opened(limits), frame(2, b"01234567", final=False), frame(0, b"89"))
    assert said(found)[:2] == [(b"0123", 0, True, False), (b"4567", 4, False, False)]
    assert found[-1].name == "protocol_error"
    assert found[-1].code == 1009


def test_without_a_limit_no_more_than_a_part_is_kept() -> None:
    connection = opened(Limits(parts=1000, max_message_size=None))
    header = bytes([frames.FIN | frames.BINARY, 127]) + (1 << 40).to_bytes(8, "big")
    found = events(connection, header)
    count = 0
    for _ in range(1000):
        found = events(connection, bytes(64 * 1024))
        count += sum(len(event.data) for event in found if event.name == "binary_part")
    assert count >= 999 * 64 * 1024
    assert connection.message is not None
    assert connection.came_unfinished() == 1000 * 64 * 1024


def test_a_close_frame_between_fragments_ends_it_and_tells_how_much_had_come() -> None:
    connection = opened(SMALL)
    assert connection.came_unfinished() == 0
    found = events(connection, frame(2, b"012345", final=False) + frame(8, b"\x03\xe8"))
    assert said(found) == [(b"0123", 0, True, False), "closing"]
    assert connection.came_unfinished() == 6


def test_what_had_come_of_a_whole_message() -> None:
    connection = opened()
    events(connection, frame(2, b"012345", final=False), frame(0, b"6789")[:-2])
    assert connection.came_unfinished() == 8
    events(connection, b"89")
    assert connection.came_unfinished() == 0


def put(connection: Connection, data: bytes) -> int:
    """Put the beginning of the data straight into the message; how much there was room for."""
    room = connection.room()
    if room is None:
        return 0
    count = min(len(room), len(data))
    room[:count] = data[:count]
    room.release()
    connection.filled(count, 1.0)
    return count


def test_reads_go_straight_into_a_large_part() -> None:
    connection = opened(Limits(parts=64 * 1024))
    payload = bytes(range(256)) * 700
    data = frame(2, payload)
    found = events(connection, data[: 10 + 100])
    at = 110
    while count := put(connection, data[at : at + 50_000]):
        at += count
        assert not connection.is_hungry()
        found += events(connection, b"")
    found += events(connection, data[at:])
    parts = [event for event in found if event.name == "binary_part"]
    assert [len(part.data) for part in parts] == [65_536, 65_536, len(payload) - 2 * 65_536]
    assert b"".join(part.data for part in parts) == payload
    assert [part.is_last for part in parts] == [False, False, True]


def test_small_parts_are_cut_out_of_what_is_read_at_once() -> None:
    for size, room in ((32 * 1024 - 1, 0), (32 * 1024, 1)):
        connection = opened(Limits(parts=size))
        events(connection, frame(2, bytes(200_000))[: 10 + size - 1])
        assert put(connection, bytes(100_000)) == room


@pytest.mark.parametrize("came", [110_000, 131_072, 140_000, 196_608, 200_000])
def test_what_one_read_brings_goes_straight_into_several_parts(came: int) -> None:
    """As a layer has it, which gives piece after piece."""
    connection = opened(Limits(parts=64 * 1024))
    payload = bytes(range(256)) * 782  # 200,192 bytes
    data = frame(2, payload) + frame(1, b"next")
    events(connection, data[: 10 + 100])
    at = 110
    while count := put(connection, data[at : min(at + 16_384, 10 + came)]):
        at += count
    assert connection.came_unfinished() == at - 10
    assert not connection.is_hungry()
    found = events(connection, b"")
    assert [event.offset for event in found] == list(range(0, at - 10 - 65_535, 65_536))  # type: ignore[union-attr]  # parts
    assert connection.is_hungry()
    found += events(connection, data[at:])
    *parts, last = found
    assert isinstance(last, Text)
    assert b"".join(part.data for part in parts) == payload  # type: ignore[union-attr]  # see above
    assert [part.offset for part in parts] == [0, 65_536, 131_072, 196_608]  # type: ignore[union-attr]  # parts all
    assert [part.is_last for part in parts] == [False, False, False, True]  # type: ignore[union-attr]  # parts all


def test_all_of_a_frame_goes_straight_into_its_parts() -> None:
    connection = opened(Limits(parts=100_000))
    data = frame(2, bytes(200_000))
    events(connection, data[:10])
    assert [put(connection, bytes(100_000)) for _ in range(2)] == [100_000, 100_000]
    assert said(events(connection, b"")) == [
        (bytes(100_000), 0, True, False),
        (bytes(100_000), 100_000, False, True),
    ]
    connection = opened(Limits(parts=100_000))
    events(connection, frame(2, bytes(100_000))[:10])
    assert put(connection, bytes(100_000)) == 100_000
    assert said(events(connection, b"")) == [bytes(100_000)]


def test_a_text_has_room_for_one_part() -> None:
    connection = opened(Limits(parts=100_000))
    events(connection, frame(1, b"x" * 200_000)[:10])
    assert [put(connection, b"x" * 100_000) for _ in range(2)] == [100_000, 0]
    assert said(events(connection, b"")) == [("x" * 100_000, 0, True, False)]


# Compressed


def squeezed(payload: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflating(limits: Limits) -> Connection:
    return compressed.opened(compressed.installed_backends()[0], limits=limits)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 9, 100])
@pytest.mark.parametrize("cut", [1, 1000])
def test_a_compressed_message_in_parts(size: int, cut: int) -> None:
    payload = b"0123456789" * 10
    payload = payload[:size]
    data = compressed.frame(2, squeezed(payload), rsv1=True) + frame(1, b"next")
    chunks = [data[start : start + cut] for start in range(0, len(data), cut)]
    *found, after = events(inflating(SMALL), *chunks)
    assert isinstance(after, Text)
    if size <= 4:
        assert said(found) == [payload]
        return
    assert all(isinstance(event, BinaryPart) for event in found)
    assert b"".join(event.data for event in found) == payload  # type: ignore[union-attr]  # see above
    assert [event.is_last for event in found] == [False] * (len(found) - 1) + [True]  # type: ignore[union-attr]  # parts all
    assert [len(event.data) for event in found[:-1]] == [4] * (len(found) - 1)  # type: ignore[union-attr]  # parts all


def test_whoever_asks_is_given_what_a_read_inflates_to_before_more_is_read() -> None:
    connection = inflating(Limits(parts=1000))
    connection.shorten()
    connection.due = float("inf")
    connection.take(compressed.frame(2, squeezed(bytes(10_500)), rsv1=True), 1.0)
    for number in range(10):
        assert connection.short_message() is None
        assert not connection.is_hungry()
        event = connection.next_event()
        assert isinstance(event, BinaryPart)
        assert (len(event.data), event.offset) == (1000, number * 1000)
    event = connection.next_event()
    assert isinstance(event, BinaryPart)
    assert event.is_last
    assert connection.next_event() is None
    assert connection.is_hungry()


def test_a_bomb_is_given_in_parts_and_ends_at_the_limit() -> None:
    limits = Limits(parts=1000, max_message_size=5000)
    bomb = squeezed(bytes(1_000_000))
    *parts, last = events(inflating(limits), compressed.frame(2, bomb, rsv1=True))
    assert [len(part.data) for part in parts] == [1000] * 4  # type: ignore[union-attr]  # parts
    assert last.name == "protocol_error"
    assert last.code == 1009


def test_a_compressed_text_is_cut_at_code_points_and_fails_fast() -> None:
    text = "aé€😀bcde" * 50
    found = events(inflating(SMALL), compressed.frame(1, squeezed(text.encode()), rsv1=True))
    assert "".join(event.text for event in found) == text  # type: ignore[union-attr]  # parts
    broken = squeezed(b"abc\xe2\x28" + bytes(100))
    (event,) = events(inflating(SMALL), compressed.frame(1, broken, rsv1=True, final=False))
    assert event.name == "protocol_error"
    assert event.code == 1007


def test_a_whole_message_is_its_own_only_part() -> None:
    for whole in (Text("x"), Binary(b"x")):
        assert (whole.offset, whole.is_first, whole.is_last) == (0, True, True)


class Late(Incoming):
    """Gives the last bytes of a message only when that has ended."""

    def __init__(self) -> None:
        super().__init__("late message")
        self._kept = self._data = b""

    def most(self, size: int, pieces: int) -> int:
        return size

    def put(self, data: bytes | memoryview) -> None:
        data = self._kept + bytes(data)
        self._data, self._kept = data[:-3], data[-3:]

    def end(self) -> None:
        self._data, self._kept = self._kept, b""

    def take(self, most: int, limit: int) -> bytes:
        data, self._data = self._data[:most], self._data[most:]
        return data


class LateExtension:
    name, bit, compression = "x-late", frames.RSV2, None

    def incoming(self) -> Late:
        return Late()

    def outgoing(self) -> None:
        return None


@pytest.mark.parametrize("size", [4, 5, 6, 7, 8, 9])
def test_what_is_given_only_at_the_end_of_the_message_comes_in_parts_too(size: int) -> None:
    connection = Connection(Limits(parts=4), MaskingKeys(bytes))
    connection.opened([LateExtension()])
    payload = b"0123456789"[:size]
    (first, *rest) = frames.build(frames.BINARY | frames.RSV2, payload, None)
    found = events(connection, bytes([first, *rest]))
    assert [getattr(event, "data", None) for event in found] == [
        payload[start : start + 4] for start in range(0, size, 4)
    ]


def test_one_that_a_program_makes_is_a_first_one() -> None:
    for part in (TextPart("a"), BinaryPart(b"a")):
        assert (part.offset, part.is_first, part.is_last) == (0, True, False)
