"""What is counted of a connection, and of several."""

from __future__ import annotations

import pytest

from lomond.protocol import frames
from lomond.session.counting import counted
from lomond.session.course import Course
from lomond.stats import Stats, Traffic
from protocol.connections import events, frame, opened


class Carried:
    received, handed, written = 100, 30, 7


def test_before_the_start_there_is_nothing() -> None:
    course = Course()
    assert counted(opened(), course) == Stats(connections=0)
    course.opened_at, course.drift, course.carrier = 5.0, 1000.0, Carried()
    assert counted(opened(), course) == Stats(
        Traffic(wire_bytes=100), Traffic(wire_bytes=37), 1005.0, 1
    )


def test_short_messages_and_others_are_told_apart_by_kind_alone() -> None:
    connection = opened()
    connection.due = float("inf")
    connection.shorten()
    connection.take(frame(1, b"abc") + frame(2, b"de") + frame(1, b"f"), 1.0)
    assert [connection.short_message() for _ in range(4)][3] is None
    for event in events(connection, frame(1, b"gh"), frame(2, b"ijk", final=False), frame(0)):
        connection.hands(event.name)
    (ping, pong) = events(connection, frame(9), frame(10))
    connection.hands(ping.name)
    connection.hands(pong.name)
    received = counted(connection, Course()).received
    assert received == Traffic(texts=3, binaries=2, bytes=3 + 2 + 1 + 2 + 3, pings=1, pongs=1)
    assert (connection.handed, connection.last) == (7, "pong")


def test_what_is_sent() -> None:
    connection = opened()
    connection.send(frames.TEXT, b"abc")
    connection.send(frames.BINARY, b"de")
    connection.send(frames.PING, b"")
    connection.send(frames.PONG, b"")
    connection.close(1000, "")
    assert counted(connection, Course()).sent == Traffic(1, 1, bytes=5, pings=1, pongs=1)


def test_a_total_adds_up_and_begins_with_the_first() -> None:
    first = Stats(Traffic(1, 2, 3, 4, 5, 6, 7), Traffic(1), 1000.0, 1)
    second = Stats(Traffic(10, 20, 30, 40, 50, 60, 70), Traffic(5), 2000.0, 1, first)
    assert second.total == Stats(Traffic(11, 22, 33, 44, 55, 66, 77), Traffic(6), 1000.0, 2)
    assert Stats(since=2000.0, earlier=Stats()).total.since == 2000.0
    assert first.total is first


def test_they_can_not_be_changed() -> None:
    with pytest.raises(AttributeError, match="Stats can't be changed"):
        Stats().since = 5.0
    with pytest.raises(AttributeError, match="Traffic can't be changed"):
        Traffic().texts = 5
