"""Each rule of RFC 6455 with its section, at the byte that breaks it, and what follows it."""

from __future__ import annotations

import sys

import pytest

from lomond.options import Limits
from lomond.protocol import frames, states
from lomond.protocol.mask import mask
from lomond.testing.alone import counting_bytes
from protocol.connections import bytes_until_violation, events, frame, opened
from traced import tracemalloc


@pytest.mark.parametrize(
    ("data", "section"),
    [
        *[(bytes([0x81 | bit, 0]), "5.2") for bit in (0x40, 0x20, 0x10, 0x70)],
        *[(bytes([0x88 | bit, 0]), "5.2") for bit in (0x40, 0x20, 0x10)],
        *[(bytes([0x80 | opcode, 0]), "5.2") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
        *[(bytes([0x80 | opcode, 0x80]), "5.1") for opcode in (1, 2, 8, 9, 10)],
        *[(bytes([opcode, 0]), "5.5") for opcode in (8, 9, 10)],
        *[(bytes([0x80 | opcode, size]), "5.5") for opcode in (8, 9, 10) for size in (126, 127)],
        (b"\x80\x00", "5.4"),
        (b"\x00\x00", "5.4"),
        (b"\x80\x7f", "5.4"),
        (frame(1, b"a", final=False) + b"\x81\x7f", "5.4"),
        (frame(2, final=False) + b"\x02\x00", "5.4"),
        (frame(1, final=False) + frame(0) + b"\x80\x00", "5.4"),
        (frame(1, b"whole") + b"\x80\x00", "5.4"),
        (b"\x82\x7e\x00\x00", "5.2"),
        (b"\x82\x7e\x00\x7d", "5.2"),
        (b"\x82\x7f" + (0).to_bytes(8, "big"), "5.2"),
        (b"\x82\x7f" + (65535).to_bytes(8, "big"), "5.2"),
        (b"\x82\x7f" + (1 << 63).to_bytes(8, "big"), "5.2"),
        (b"\x82\x7f" + ((1 << 64) - 1).to_bytes(8, "big"), "5.2"),
        (b"\x88\x01x", "5.5.1"),
        *[
            (b"\x88\x02" + code.to_bytes(2, "big"), "7.4")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
        ],
    ],
)
def test_a_rule_is_told_at_its_last_byte_with_its_section(data: bytes, section: str) -> None:
    count, event = bytes_until_violation(data + b"\x00" * 20)
    assert event.name == "protocol_error"
    assert (count, event.section) == (len(data), f"RFC 6455 {section}")
    assert (event.code, event.critical) == (1002, False)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 4000, 4999])
def test_close_codes_that_may_come(code: int) -> None:
    connection = opened()
    connection.receive(frame(8, code.to_bytes(2, "big") + "é".encode()), 1.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "closing"
    assert (event.code, event.reason) == (code, "é")


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"\x82\x0b", 2),
        (b"\x82\x7e\x01\x00", 4),
        (b"\x82\x7f" + (1 << 62).to_bytes(8, "big"), 10),
        (frame(2, b"x" * 10, final=False) + frame(0, final=False) + b"\x00\x01", 16),
    ],
)
def test_a_limit_is_told_at_the_header(data: bytes, at: int) -> None:
    count, event = bytes_until_violation(data + b"x" * 20, Limits(max_message_size=10))
    assert event.name == "protocol_error"
    assert (count, event.code, event.section) == (at, 1009, "RFC 6455 7.4.1")


def test_the_last_fragment_over_the_limit_is_told_at_its_header() -> None:
    data = frame(2, final=False) + frame(0, final=False) + b"\x80\x00"
    count, event = bytes_until_violation(data, Limits(max_fragments=2))
    assert event.name == "protocol_error"
    assert (count, event.code) == (6, 1009)


def test_a_fragment_count_starts_anew_with_each_message() -> None:
    connection = opened(Limits(max_fragments=2, max_message_size=4))
    connection.receive((frame(1, b"ab", final=False) + frame(9) + frame(0, b"cd")) * 5, 1.0)
    names = []
    while (event := connection.next_event()) is not None:
        names.append(event.name)
    assert names == ["ping", "text"] * 5


@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_a_length_alone_allocates_nothing(opcode: int) -> None:
    connection = opened(Limits(max_message_size=None))
    header = bytes([0x80 | opcode, 127]) + (sys.maxsize // 4).to_bytes(8, "big")
    tracemalloc.start()
    try:
        connection.receive(header, 1.0)
        assert connection.next_event() is None
        connection.receive(b"x", 1.0)
        assert connection.next_event() is None
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("closes_first", [False, True])
@pytest.mark.parametrize("end", [frame(8, b"\x03\xe8"), b"\xc1\x00", b"\x81\x01\xff"])
def test_nothing_is_kept_after_the_end(end: bytes, closes_first: bool) -> None:
    connection = opened()
    if closes_first:
        connection.close(1000, "")
    connection.receive(frame(1, b"begun", final=False) + end.replace(b"\x81", b"\x80"), 1.0)
    connection.receive(frame(0, b"in the next read"), 1.0)
    assert connection.next_event() is not None
    assert not connection.is_mid_frame()
    connection.receive(frame(1, b"later"), 1.0)
    assert connection.next_event() is None
    assert connection.state == states.CLOSED
    assert connection.room() is None


def test_a_tail_in_the_same_read_is_not_kept_after_a_close() -> None:
    connection = opened()
    connection.receive(frame(8) + b"\x81\x7f", 1.0)
    assert connection.next_event() is not None
    assert not connection.is_mid_frame()


def test_a_close_frame_is_the_last_that_is_sent() -> None:
    connection = opened()
    connection.output.has_backlog = True
    connection.receive(frame(9, b"1"), 1.0)
    connection.next_event()
    connection.close(1000, "")
    connection.receive(frame(9, b"2"), 1.0)
    connection.next_event()
    connection.release_pong()
    connection.receive(frame(8), 1.0)
    connection.next_event()
    connection.next_event()
    output = connection.output.take()
    assert output[:2] == b"\x88\x82"
    assert len(output) == 2 + 4 + 2


def test_the_close_frame_after_a_violation_says_what_was_wrong() -> None:
    connection = opened(random_bytes=counting_bytes())
    connection.receive(b"\xc1\x00", 1.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "protocol_error"
    assert connection.violation is not None
    connection.answer_now()
    sent = connection.output.take()
    assert sent[0] == frames.FIN | frames.CLOSE
    payload = bytes(mask(sent[6:], sent[2:6]))
    assert frames.read_close_payload(payload) == (1002, event.error)


def test_the_first_64_bytes_of_the_frame_that_breaks_a_rule_are_kept() -> None:
    connection = opened()
    wrong = b"HTTP/1.1 502 Bad Gateway\r\n" + b"x" * 100
    told = events(connection, frame(1, b"whole") + wrong)
    assert [event.name for event in told] == ["text", "protocol_error"]
    assert connection.came == wrong[:64]
