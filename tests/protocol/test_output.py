"""What waits to be written: pongs, and what is held until the upgrade."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import CLOSING
from lomond.testing.alone import counting_bytes
from protocol.connections import NO_KEY, events, frame, opened


def test_pongs_collapse_into_the_newest_while_output_is_unwritten() -> None:
    connection = opened()
    connection.output.has_backlog = True
    assert len(events(connection, frame(frames.PING, b"1") + frame(frames.PING, b"2"))) == 2
    assert not connection.output.is_ready
    connection.release_pong()
    connection.release_pong()
    assert connection.output.take() == b"\x8a\x81" + NO_KEY + b"2"


def test_a_pong_kept_back_is_dropped_after_our_close() -> None:
    connection = opened()
    connection.output.has_backlog = True
    events(connection, frame(frames.PING, b"1"))
    connection.close(1000, "")
    connection.output.take()
    connection.release_pong()
    assert not connection.output.is_ready


def test_what_is_sent_before_the_upgrade_is_held() -> None:
    connection = Connection(Limits(max_held=38), MaskingKeys(counting_bytes()))
    connection.send(frames.TEXT, b"12345")
    with pytest.raises(WebSocketUnavailable, match="max_held"):
        connection.send(frames.TEXT, b"123456")
    connection.send(frames.TEXT, b"12345")
    assert connection.output.take() == b""
    assert connection.close(1000, "")
    with pytest.raises(WebSocketClosing):
        connection.send(frames.TEXT, b"x")
    assert not connection.output.is_ready
    connection.opened()
    assert connection.state == CLOSING
    assert len(connection.output.take()) == 11 + 11 + 8
    assert connection.output.take() == b""


def test_the_request_is_taken_once() -> None:
    connection = Connection(Limits(), MaskingKeys(bytes))
    connection.output.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert connection.output.take() == b"GET / HTTP/1.1\r\n\r\n"
    assert connection.output.take() == b""
    connection.opened()
    connection.send(frames.PING, b"1")
    assert connection.output.take() == b"\x89\x81" + NO_KEY + b"1"
