"""What a connection counts, holds and refuses, up to the last byte that may be."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import CONNECTING
from lomond.testing.alone import counting_bytes
from protocol.connections import events, frame, opened


def test_a_new_connection() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    assert connection.state == CONNECTING
    assert (connection.violation, connection.has_ended, connection.is_ahead) == (None, False, False)
    assert (connection.due, connection.received_at) == (0.0, 0.0)
    assert [connection.clock.has_come(moment) for moment in (0.0, 0.1)] == [True, False]
    assert connection.sought == 0
    assert not connection.is_mid_frame()
    assert not connection.is_hungry()
    assert connection.room() is None
    assert connection.close_to_come() is None
    output = connection.output
    assert (output.is_ready, output.is_held, output.held_size, output.sent) == (False, True, 0, 0)
    assert (output.has_backlog, output.take()) == (False, b"")


def test_a_message_is_held_up_to_the_last_byte_that_may_be() -> None:
    for room, is_refused in ((33, True), (34, False)):  # 14 bytes for the head, twice
        connection = Connection(Limits(max_held=room), MaskingKeys(counting_bytes()))
        connection.send(frames.TEXT, b"123")
        assert connection.output.held_size == 17
        if is_refused:
            with pytest.raises(WebSocketUnavailable, match="more is held than max_held allows"):
                connection.send(frames.TEXT, b"456")
        else:
            connection.send(frames.TEXT, b"456")
        assert connection.output.held_size == (17 if is_refused else 34)


def test_messages_are_counted_without_their_heads_and_nothing_else_is() -> None:
    connection = opened()
    connection.send(frames.TEXT, b"123")
    connection.send(frames.BINARY, b"x" * 126)
    assert connection.output.sent == 3 + 126
    connection.send(frames.PING, b"123")
    connection.send(frames.PONG, b"123")
    connection.close(1000, "")
    assert connection.output.sent == 3 + 126


def test_fragments_may_be_as_many_as_the_limit_says() -> None:
    connection = opened(Limits(max_fragments=3))
    start, more = frame(frames.TEXT, b"a", False), frame(frames.CONTINUATION, b"a", False)
    (text,) = events(connection, start + more + frame(frames.CONTINUATION, b"a"))
    assert text.name == "text"
    (error,) = events(connection, start + more + more + frame(frames.CONTINUATION, b"a"))
    assert error.name == "protocol_error"
    assert (error.code, error.section) == (1009, "RFC 6455 7.4.1")
    assert error.error == (
        "message of 4 fragments or more is above max_fragments (3); raise that option to accept it"
    )


def test_a_size_may_be_as_the_limit_says() -> None:
    for parts in ([10], [4, 6], [10, 0]):
        opcodes = [frames.BINARY] + [frames.CONTINUATION] * (len(parts) - 1)
        last = len(parts) - 1
        fits = [
            frame(opcode, b"x" * size, at == last)
            for at, (opcode, size) in enumerate(zip(opcodes, parts, strict=True))
        ]
        (binary,) = events(opened(Limits(max_message_size=10)), b"".join(fits))
        assert binary.name == "binary"
        (error,) = events(opened(Limits(max_message_size=9)), b"".join(fits))
        assert error.name == "protocol_error"
        assert (error.code, error.section) == (1009, "RFC 6455 7.4.1")
        assert error.error == (
            "message of 10 bytes or more is larger than max_message_size (9); raise that option "
            "to accept it"
        )


def test_what_a_send_raises_says_why() -> None:
    connection = opened()
    connection.close(1000, "")
    with pytest.raises(WebSocketClosing, match=r"^data not sent$"):
        connection.send(frames.TEXT, b"x")
    connection = opened()
    connection.receive(b"\x83\x00", 1.0)
    assert connection.next_event() is not None
    with pytest.raises(WebSocketClosing, match=r"^data not sent; the peer broke the protocol$"):
        connection.send(frames.TEXT, b"x")
    connection = opened()
    connection.is_ahead = True
    connection.receive(b"\x83\x00", 1.0)
    assert connection.next_event() is not None
    connection.send(frames.TEXT, b"x")
