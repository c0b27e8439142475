"""A message in fragments, RFC 6455 section 5.4, on its way out."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from protocol.connections import events, frame, opened


def masked(first: int, payload: bytes) -> bytes:
    built = frames.build(0, payload, bytes(4))
    return bytes([first]) + built[1:]


def test_control_frames_stand_between_and_messages_do_not() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    connection.send(frames.PING, b"p")
    with pytest.raises(WebSocketUnavailable, match="send_stream"):
        connection.send(frames.TEXT, b"no")
    with pytest.raises(WebSocketUnavailable, match="send_stream"):
        connection.begin_message(frames.TEXT, True)
    events(connection, frame(frames.PING, b"q"))
    connection.send_fragment(b"two", True)
    connection.send(frames.TEXT, b"next")
    assert connection.output.take() == (
        masked(1, b"one") + masked(0x89, b"p") + masked(0x8A, b"q") + masked(0x80, b"two")
        + masked(0x81, b"next")
    )  # fmt: skip
    assert (connection.output.parts, connection.output.texts) == (2, 2)
    assert connection.output.sent == 10


def test_one_fragment_is_a_whole_message() -> None:
    connection = opened()
    connection.begin_message(frames.BINARY, True)
    connection.send_fragment(b"", True)
    assert connection.output.take() == masked(0x82, b"")
    assert connection.output.binaries == 1


def test_a_close_ends_it() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    events(connection, frame(frames.CLOSE, b"\x03\xe8"))
    with pytest.raises(WebSocketClosing):
        connection.send_fragment(b"two", True)
    connection.answer_now()
    assert connection.output.take() == masked(1, b"one") + masked(0x88, b"\x03\xe8")


def test_before_the_upgrade_it_is_not_held() -> None:
    connection = Connection(Limits(), MaskingKeys(bytes))
    with pytest.raises(WebSocketUnavailable, match="not ready"):
        connection.begin_message(frames.TEXT, True)


def test_what_has_not_begun_may_be_withdrawn() -> None:
    connection = opened()
    connection.begin_message(frames.TEXT, True)
    assert connection.output.withdraw()
    connection.send(frames.TEXT, b"x")
    connection.begin_message(frames.TEXT, True)
    connection.send_fragment(b"one", False)
    assert not connection.output.withdraw()
    connection.send_fragment(b"", True)
    assert connection.output.withdraw()  # it has its end


def test_messages_together_are_queued_in_order() -> None:
    connection = opened()
    connection.send_all([(frames.TEXT, b"a"), (frames.BINARY, b"b")], True)
    assert connection.output.take() == masked(0x81, b"a") + masked(0x82, b"b")
