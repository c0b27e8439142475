"""When whoever asks for the events may do nothing but read, and offer what it read."""

from __future__ import annotations

import pytest

from lomond.events import Text
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from protocol.connections import events, frame, opened

NEVER = float("inf")


def texts(connection: Connection, *chunks: bytes) -> list[str]:
    return [event.text for event in events(connection, *chunks) if isinstance(event, Text)]


def test_where_all_was_looked_at_only_bytes_matter() -> None:
    connection = opened()
    assert connection.hunger(7.0, NEVER) == 7.0
    assert texts(connection, frame(frames.TEXT, b"x")) == ["x"]
    assert connection.hunger(7.0, NEVER) == 7.0
    assert connection.position == 0  # what was looked at is let go of


def test_between_frames_the_time_for_a_frame_does_not_run() -> None:
    connection = opened()
    connection.received_at = 100.0
    assert texts(connection, frame(frames.TEXT, b"x")) == ["x"]
    assert connection.hunger(NEVER, 5.0) == NEVER


def test_what_was_not_looked_at_comes_first() -> None:
    connection = opened()
    connection.receive(frame(frames.TEXT, b"x"), 1.0)
    assert connection.hunger(7.0, NEVER) == -1.0
    assert not connection.offer(frame(frames.TEXT, b"y"), 2.0)
    assert texts(connection, b"") == ["x"]


@pytest.mark.parametrize("came", [frame(frames.TEXT, b"xyz")[:1], frame(frames.TEXT, b"xyz")[:4]])
def test_within_a_frame_a_moment_later_matters(came: bytes) -> None:
    connection = opened()
    connection.received_at = 100.0
    assert events(connection, came) == []
    assert connection.hunger(NEVER, 5.0) == 105.0
    assert connection.hunger(101.0, 5.0) == 101.0
    assert connection.hunger(-1.0, 5.0) == -1.0


def test_what_is_offered_goes_on_where_the_rest_ended() -> None:
    connection = opened()
    whole = frame(frames.TEXT, b"xyz")
    assert texts(connection, frame(frames.TEXT, b"a") + whole[:1]) == ["a"]
    assert connection.hunger(7.0, NEVER) == 7.0
    assert connection.offer(whole[1:] + frame(frames.TEXT, b"b")[:1], 5.0)
    [text] = events(connection, b"")
    assert isinstance(text, Text)
    assert (text.text, text.received_time) == ("xyz", 5.0)
    assert connection.offer(frame(frames.TEXT, b"b")[1:], 6.0)
    assert texts(connection, b"") == ["b"]


def test_after_a_close_frame_nothing_is_wanted() -> None:
    connection = opened()
    events(connection, frame(frames.CLOSE, b"\x03\xe8"))
    assert connection.hunger(7.0, NEVER) == -1.0
    assert not connection.offer(b"x", 1.0)
