"""What is told of a connection that somebody listens to: each frame once, in order, as it is."""

from __future__ import annotations

import pytest

from lomond.compression import Compression
from lomond.events import BinaryPart, TextPart
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.events import content
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.output import MaskingKeys
from lomond.protocol.short import short_messages
from lomond.protocol.watched import Watched

Told = tuple[str, str, object, bool]


class Listener:
    """Remembers what it is told, and when it may tell others."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.tells = 0

    def note(self, direction: str, op: str, value: object, compress: bool = False) -> None:
        self.told.append((direction, op, value, compress))

    def tell(self) -> None:
        self.tells += 1


def made(auto_pong: bool = True) -> tuple[Watched, Listener]:
    listener = Listener()
    return Watched(Limits(), MaskingKeys(bytes), auto_pong, None, listener), listener


def opened(auto_pong: bool = True) -> tuple[Watched, Listener]:
    connection, listener = made(auto_pong)
    connection.opened()
    return connection, listener


def drained(connection: Watched) -> None:
    while connection.next_event() is not None:
        pass


def test_messages_that_come() -> None:
    connection, listener = opened()
    start = frames.build(frames.TEXT, b"a", None)
    connection.receive(bytes([frames.TEXT]) + start[1:], 1.0)
    connection.receive(frames.build(frames.CONTINUATION, "é".encode(), None), 1.0)
    connection.receive(frames.build(frames.BINARY, b"\0", None), 1.0)
    connection.receive(frames.build(frames.PONG, b"p", None), 1.0)
    drained(connection)
    assert listener.told == [
        ("in", "text", "aé", False),
        ("in", "binary", b"\0", False),
        ("in", "pong", b"p", False),
    ]
    assert listener.tells == 0  # whoever asks for the events may hold a lock


def test_short_messages_are_told_at_once() -> None:
    connection, listener = opened()
    data = frames.build(frames.TEXT, b"1", None)
    connection.receive(data + data + frames.build(frames.BINARY, b"2", None), 1.0)
    connection.shorten()
    connection.due = 10.0
    connection.next_event()
    seen = [event.name for event in short_messages(connection)()]
    assert seen == ["text", "binary"]
    assert [told[:3] for told in listener.told] == [
        ("in", "text", "1"),
        ("in", "text", "1"),
        ("in", "binary", b"2"),
    ]
    assert listener.tells == 2
    assert connection.short_message() is None
    assert len(listener.told) == 3


def test_a_ping_comes_before_what_answers_it() -> None:
    connection, listener = opened()
    connection.receive(frames.build(frames.PING, b"p", None), 1.0)
    drained(connection)
    assert [told[:3] for told in listener.told] == [("in", "ping", b"p"), ("out", "pong", b"p")]


def test_a_pong_that_waits_is_told_when_it_leaves() -> None:
    connection, listener = opened()
    connection.output.has_backlog = True
    connection.receive(frames.build(frames.PING, b"p", None), 1.0)
    drained(connection)
    assert [told[:2] for told in listener.told] == [("in", "ping")]
    connection.release_pong()
    assert [told[:2] for told in listener.told] == [("in", "ping"), ("out", "pong")]


@pytest.mark.parametrize("payload", [b"\x03\xe8bye", b"", b"\x03"])
def test_a_close_comes_before_what_answers_it(payload: bytes) -> None:
    connection, listener = opened()
    connection.receive(frames.build(frames.CLOSE, payload, None), 1.0)
    drained(connection)
    (direction, op, value, _), answer = listener.told
    assert (direction, op, value) == ("in", "close", payload)
    assert answer[:2] == ("out", "close")


def test_what_broke_a_rule_is_no_frame() -> None:
    connection, listener = opened()
    connection.receive(b"\xff\x00", 1.0)
    drained(connection)
    assert [told[:2] for told in listener.told] == [("out", "close")]


def test_what_is_said_is_told_before_it_is_changed_and_masked() -> None:
    connection, listener = made()
    connection.send(frames.TEXT, b"held", True)
    assert listener.told == [("out", "text", b"held", True)]
    connection.opened([PerMessageDeflate(Compression(), Deflate())])
    long = b"ab" * 1000
    connection.send(frames.BINARY, long, True)
    connection.send(frames.PING, b"")
    assert connection.close(1000, "why")
    assert [told[1:3] for told in listener.told[1:]] == [
        ("binary", long),
        ("ping", b""),
        ("close", b"\x03\xe8why"),
    ]
    assert 0 < len(connection.output.take()) < 200  # it was changed all the same


def test_what_may_not_be_sent_is_not_told() -> None:
    connection, listener = opened()
    assert connection.close(1000, "")
    assert not connection.close(1000, "")
    with pytest.raises(Exception, match="not sent"):
        connection.send(frames.TEXT, b"late")
    assert [told[1] for told in listener.told] == ["close"]


def test_of_requests_only_that_for_the_upgrade() -> None:
    connection, listener = made()
    connection.output.ask(b"\x05\x01\x02")  # what SOCKS is told may be a password alone
    connection.output.ask(b"CONNECT h:1 HTTP/1.1\r\nProxy-Authorization: Basic cA==\r\n\r\n")
    assert not listener.told
    connection.output.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert listener.told == [("out", "request", b"GET / HTTP/1.1\r\n\r\n", False)]
    assert connection.output.take() == b"GET / HTTP/1.1\r\n\r\n"


def test_parts_that_come_and_fragments_that_go() -> None:
    listener = Listener()
    connection = Watched(Limits(parts=4), MaskingKeys(bytes), True, None, listener)
    connection.opened()
    connection.receive(frames.build(frames.TEXT, b"abcdef", None), 1.0)
    drained(connection)
    for opcode in (frames.TEXT, frames.BINARY):
        connection.begin_message(opcode, True)
        connection.send_fragment(b"xy", False)
        connection.send_fragment(b"z", True)
    told = [
        (way, op, content(part), part.offset, part.is_first, part.is_last)
        for way, op, part, _ in listener.told
        if isinstance(part, TextPart | BinaryPart)
    ]
    assert told == [
        ("in", "text_part", "abcd", 0, True, False),
        ("in", "text_part", "ef", 4, False, True),
        ("out", "text_part", "xy", 0, True, False),
        ("out", "text_part", "z", 2, False, True),
        ("out", "binary_part", b"xy", 0, True, False),
        ("out", "binary_part", b"z", 2, False, True),
    ]
