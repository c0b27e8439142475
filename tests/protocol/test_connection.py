"""Frames and messages of one connection, RFC 6455 sections 5 to 8, without a socket."""

from __future__ import annotations

import sys

import pytest

from lomond.errors import WebSocketClosing
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import ANSWERING, CLOSED, CLOSING, OPEN
from lomond.testing.alone import counting_bytes
from protocol.connections import NO_KEY, events, frame, opened
from traced import tracemalloc


def close_code(connection: Connection) -> int:
    connection.next_event()
    output = connection.output.take()
    assert output[0] == frames.FIN | frames.CLOSE
    return int.from_bytes(output[6:8], "big")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_messages_of_every_length_form(size: int, step: int) -> None:
    if size > 1000 and step < 1000:
        step = 1009
    data = frame(frames.TEXT, b"a" * size) + frame(frames.BINARY, b"b" * size)
    chunks = [data[i : i + step] for i in range(0, len(data), step)]
    text, binary = events(opened(), *chunks)
    assert text.name == "text"
    assert text.text == "a" * size
    assert binary.name == "binary"
    assert binary.data == b"b" * size
    assert text.received_time == 1.0


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xc1\x00", "reserved bits set"),
        (b"\xa1\x00", "reserved bits set"),
        (b"\x91\x00", "reserved bits set"),
        (b"\x83\x00", "opcode is reserved"),
        (b"\x8b\x00", "opcode is reserved"),
        (b"\x8f\x00", "opcode is reserved"),
        (b"\x81\x80", "masked frame"),
        (b"\x09\x00", "may not be fragmented"),
        (b"\x89\x7e", "longer than 125"),
        (b"\x88\x7f", "longer than 125"),
        (b"\x80\x00", "nothing to continue"),
        (b"\x01\x01a\x81\x01b", "continuation frame expected"),
        (b"\x82\x7e\x00\x7d", "shortest form"),
        (b"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "shortest form"),
        (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "too large"),
        (b"\x88\x01\x03", "invalid close frame payload"),
        (b"\x88\x02\x03\xed", "reserved close code (1005)"),
        (b"\x88\x02\x13\x88", "reserved close code (5000)"),
    ],
)
@pytest.mark.parametrize("step", [1, 100])
def test_a_broken_rule_is_one_event_and_the_end(data: bytes, error: str, step: int) -> None:
    connection = opened()
    data += frame(frames.TEXT, b"after")
    found = events(connection, *[data[i : i + step] for i in range(0, len(data), step)])
    assert [event.name for event in found] == ["protocol_error"]
    (event,) = found
    assert event.name == "protocol_error"
    assert error in event.error
    assert (event.code, event.critical) == (1002, False)
    assert event.section.startswith("RFC 6455 ")
    assert connection.state == CLOSED


def test_the_answer_to_a_broken_rule_follows_the_handler() -> None:
    connection = opened()
    connection.receive(b"\xc1\x00", 1.0)
    assert connection.next_event() is not None
    assert not connection.output.is_ready
    assert close_code(connection) == 1002
    assert connection.next_event() is None
    assert not connection.output.is_ready


def test_a_violation_after_our_close_is_not_answered() -> None:
    connection = opened()
    assert connection.close(1000, "")
    connection.output.take()
    assert [event.name for event in events(connection, b"\xc1\x00")] == ["protocol_error"]
    assert not connection.output.is_ready


def test_nothing_of_a_broken_frame_came_before_there_is_one() -> None:
    assert opened().came == b""


def test_what_came_before_the_violation_is_delivered() -> None:
    data = frame(frames.TEXT, b"before") + b"\xc1\x00"
    assert [event.name for event in events(opened(), data)] == ["text", "protocol_error"]


@pytest.mark.parametrize(
    "data",
    [
        frame(frames.TEXT, b"\xff"),
        frame(frames.TEXT, b"a" * 200 + b"\xe2\x82"),
        b"\x81\x05ab\xff",
        frame(frames.TEXT, b"\xe2\x82", final=False) + frame(frames.PING) + b"\x80\x7e\x01\x00\x41",
        frame(frames.TEXT, b"ok", final=False) + frame(frames.CONTINUATION, b"\xe2\x82"),
        frame(frames.CLOSE, b"\x03\xe8\xff"),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_broken_utf8_fails_as_soon_as_its_bytes_are_here(data: bytes, step: int) -> None:
    found = events(opened(), *[data[i : i + step] for i in range(0, len(data), step)])
    event = found[-1]
    assert event.name == "protocol_error"
    assert (event.code, event.critical, event.section) == (1007, True, "RFC 6455 8.1")


def test_fragments_with_control_frames_between() -> None:
    data = (
        frame(frames.TEXT, "€".encode()[:1], final=False)
        + frame(frames.PING, b"p")
        + frame(frames.CONTINUATION, b"", final=False)
        + frame(frames.PONG, b"q")
        + frame(frames.CONTINUATION, "€".encode()[1:])
        + frame(frames.BINARY, b"x", final=False)
        + frame(frames.CONTINUATION, b"y")
    )
    for step in (1, 3, len(data)):
        chunks = [data[i : i + step] for i in range(0, len(data), step)]
        ping, pong, text, binary = events(opened(), *chunks)
        assert ping.name == "ping"
        assert ping.data == b"p"
        assert pong.name == "pong"
        assert pong.data == b"q"
        assert text.name == "text"
        assert text.text == "€"
        assert binary.name == "binary"
        assert binary.data == b"xy"


@pytest.mark.parametrize(
    "data",
    [
        frame(frames.BINARY, b"x" * 11),
        b"\x82\x7f" + (1 << 40).to_bytes(8, "big"),
        frame(frames.BINARY, b"x" * 6, final=False) + frame(frames.CONTINUATION, b"x" * 5),
    ],
)
def test_a_message_over_the_limit_is_refused(data: bytes) -> None:
    connection = opened(Limits(max_message_size=10))
    (event,) = events(connection, data)
    assert event.name == "protocol_error"
    assert event.code == 1009
    assert "max_message_size (10)" in event.error


def test_a_message_at_the_limit_is_accepted() -> None:
    (event,) = events(opened(Limits(max_message_size=10)), frame(frames.TEXT, b"x" * 10))
    assert event.name == "text"


def test_a_short_limit_holds_for_short_texts() -> None:
    (event,) = events(opened(Limits(max_message_size=3)), frame(frames.TEXT, b"four"))
    assert event.name == "protocol_error"


def test_fragments_are_counted_empty_ones_too() -> None:
    data = frame(frames.TEXT, final=False) + frame(frames.CONTINUATION, final=False) * 3
    (event,) = events(opened(Limits(max_fragments=3)), data)
    assert event.name == "protocol_error"
    assert "max_fragments" in event.error
    (event,) = events(opened(Limits(max_fragments=None)), data + frame(frames.CONTINUATION, b"x"))
    assert event.name == "text"


def test_65536_fragments_pass_on_defaults() -> None:
    data = frame(frames.TEXT, final=False) + frame(frames.CONTINUATION, b"x", final=False) * 65534
    (event,) = events(opened(), data + frame(frames.CONTINUATION, b"y"))
    assert event.name == "text"
    assert len(event.text) == 65535


def test_nothing_is_allocated_from_a_length_that_is_only_announced() -> None:
    connection = opened(Limits(max_message_size=None))
    tracemalloc.start()
    try:
        assert events(connection, b"\x82\x7f" + (sys.maxsize // 4).to_bytes(8, "big") + b"x") == []
        room = connection.room()
        assert room is not None
        assert len(room) <= 256 * 1024
        room.release()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_a_large_message_is_received_into_its_own_buffer(opcode: int) -> None:
    connection = opened()
    payload = bytes(range(97, 123)) * 40_000
    whole = frame(opcode, payload)
    assert connection.room() is None
    assert events(connection, whole[:1000]) == []
    rest = whole[1000:]
    event = None
    while rest:
        room = connection.room()
        if room is None:
            connection.receive(rest, 2.0)
            rest = b""
        else:
            count = min(len(room), len(rest), 50_000)
            room[:count] = rest[:count]
            room.release()
            connection.filled(count, 2.0)
            rest = rest[count:]
        event = connection.next_event()
    assert event is not None
    assert (event.text.encode() if event.name == "text" else getattr(event, "data", b"")) == payload
    assert not connection.is_mid_frame()


def test_broken_utf8_in_the_large_buffer_fails_at_once() -> None:
    connection = opened()
    events(connection, b"\x81\x7f" + (200_000).to_bytes(8, "big"))
    room = connection.room()
    assert room is not None
    room[:3] = b"ab\xff"
    room.release()
    connection.filled(3, 1.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "protocol_error"


def test_bytes_that_wait_come_before_the_large_buffer() -> None:
    connection = opened()
    events(connection, b"\x82\x7f" + (200_000).to_bytes(8, "big"))
    connection.receive(b"first", 1.0)
    assert connection.room() is None


def test_a_received_close_ends_delivery_and_is_echoed_after_the_handler() -> None:
    connection = opened()
    payload = b"\x03\xe9bye"
    data = frame(frames.CLOSE, payload) + frame(frames.TEXT, b"after")
    connection.receive(data, 1.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "closing"
    assert (event.code, event.reason) == (1001, "bye")
    assert connection.state == ANSWERING
    connection.send(frames.TEXT, b"still")
    assert connection.next_event() is None
    assert connection.state == CLOSED
    sent = connection.output.take()
    assert sent.endswith(NO_KEY + payload)
    with pytest.raises(WebSocketClosing, match="data not sent"):
        connection.send(frames.TEXT, b"late")


def test_the_users_close_replaces_the_echo() -> None:
    connection = opened()
    connection.receive(frame(frames.CLOSE, b"\x03\xe9"), 1.0)
    connection.next_event()
    assert connection.close(4000, "mine")
    assert not connection.close(4001, "again")
    assert connection.next_event() is None
    assert connection.output.take() == b"\x88\x86" + NO_KEY + b"\x0f\xa0mine"


def test_an_empty_close_is_answered_empty() -> None:
    connection = opened()
    (event,) = events(connection, frame(frames.CLOSE))
    assert event.name == "closing"
    assert (event.code, event.reason) == (None, "")
    assert connection.output.take() == b"\x88\x80" + NO_KEY


def test_our_close_is_answered_by_closed() -> None:
    connection = opened()
    assert connection.state == OPEN
    assert connection.close(1000, b"goodbye")
    assert connection.state == CLOSING
    with pytest.raises(WebSocketClosing, match="data not sent"):
        connection.send(frames.TEXT, b"x")
    found = events(connection, frame(frames.TEXT, b"x") + frame(frames.CLOSE, b"\x03\xe8ok") + b"!")
    assert [event.name for event in found] == ["text", "closed"]
    assert connection.state == CLOSED


def test_pings_are_answered_before_their_event() -> None:
    connection = opened()
    connection.receive(frame(frames.PING, b"one") + frame(frames.PING, b"two"), 1.0)
    connection.next_event()
    assert connection.output.take() == b"\x8a\x83" + NO_KEY + b"one"
    connection.next_event()
    assert connection.output.take() == b"\x8a\x83" + NO_KEY + b"two"


def test_pings_are_not_answered_without_auto_pong_or_after_our_close() -> None:
    connection = opened(auto_pong=False)
    assert events(connection, frame(frames.PING))[0].name == "ping"
    assert not connection.output.is_ready
    connection = opened()
    connection.close(1000, "")
    connection.output.take()
    events(connection, frame(frames.PING))
    assert not connection.output.is_ready


def test_nothing_is_parsed_before_the_upgrade() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.receive(frame(frames.TEXT, b"x"), 1.0)
    assert connection.next_event() is None
    connection.opened()
    assert connection.next_event() is not None


def test_after_a_violation_only_its_close_frame_is_sent() -> None:
    connection = opened()
    connection.receive(b"\x83\x00", 1.0)
    event = connection.next_event()
    assert event is not None
    assert event.name == "protocol_error"
    with pytest.raises(WebSocketClosing, match="broke the protocol"):
        connection.send(frames.TEXT, b"late")
    assert not connection.close(1000, "mine")
    assert close_code(connection) == 1002


@pytest.mark.parametrize(
    "data",
    [
        frame(frames.TEXT, b"a"),
        frame(frames.BINARY, b"a"),
        frame(frames.TEXT, b"a", final=False) + frame(frames.CONTINUATION, b"b"),
        frame(frames.BINARY, b"a", final=False) + frame(frames.CONTINUATION, b"b"),
        frame(frames.PING),
        frame(frames.PONG),
        frame(frames.CLOSE),
        b"\xff\xff",
    ],
)
def test_an_event_has_the_time_when_its_last_bytes_were_read(data: bytes) -> None:
    connection = opened()
    connection.receive(data[:-1], 1.0)
    assert connection.next_event() is None
    connection.receive(data[-1:], 2.0)
    event = connection.next_event()
    assert event is not None
    assert event.received_time == 2.0


def test_a_close_after_ours_has_the_time_when_it_was_read() -> None:
    connection = opened()
    connection.close(1000, "")
    (closed,) = events(connection, frame(frames.CLOSE))
    assert (closed.name, closed.received_time) == ("closed", 1.0)


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_comes_behind_the_servers_close_is_not_kept(is_answered: bool) -> None:
    connection = opened()
    assert [e.name for e in events(connection, frame(frames.CLOSE))] == ["closing"]
    if is_answered:
        connection.answer_now()
    assert events(connection, frame(frames.TEXT, b"x")) == []
    assert connection.unparsed() == b""
