"""Events that wait, how much of them may, and that they come first."""

from __future__ import annotations

from collections import deque

from lomond.events import Binary, BinaryPart, Poll, Reply, Text, TextPart
from lomond.options import Limits, Timing
from lomond.protocol.states import CLOSING
from lomond.session.ahead import Ahead, come_meanwhile, keep
from lomond.session.held import Held, size_of
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes
from protocol.connections import frame

KIB = 1024


def test_what_is_held_for_enter_is_bounded_as_what_waits_for_a_task() -> None:
    held = Held()
    for number in range(16):
        assert held.may_grow(0)
        held.put(Text(str(number)))
    assert not held.may_grow(0)
    held.take()
    assert held.may_grow(0)
    held.put(Binary(bytes(64 * KIB)))
    held.take()
    assert not held.may_grow(0)  # because of its bytes alone


def test_what_is_held_for_enter_may_be_more_where_a_reply_is_awaited() -> None:
    held = Held()
    for _ in range(20):
        held.put(Binary(bytes(8 * KIB)))
    assert held.may_grow(200 * KIB)
    assert not held.may_grow(160 * KIB)
    event = held.take()
    assert event is not None
    assert held.may_grow(160 * KIB)
    held.put_back(event)
    assert not held.may_grow(160 * KIB)
    assert held.take() is event
    while held.take() is not None:
        pass
    assert held.may_grow(0)


def test_a_task_that_waits_for_a_reply_is_told_of_too_much_elsewhere() -> None:
    told: list[bool] = []
    ahead = Ahead()
    ahead.wait(1000, lambda: told.append(True))
    assert not ahead.is_far()
    ahead.stop()
    assert told == [True]
    assert ahead.is_far()
    ahead.wait(0, None)
    assert not ahead.is_far()


def test_parts_count_as_messages_do() -> None:
    assert size_of(BinaryPart(bytes(1000))) == size_of(Binary(bytes(1000))) == 1000
    assert size_of(TextPart("x" * 1000)) == size_of(Text("x" * 1000)) >= 1000
    assert size_of(Reply("asked", Binary(bytes(1000)))) == 1000


def opened() -> Session:
    session = Session(Timing(poll=None, ping_rate=0, close_timeout=5), Limits(), counting_bytes())
    session.opened(10.0)
    return session


def test_what_is_kept_comes_before_all_that_comes_then() -> None:
    session = opened()
    session.receive(frame(1, b"one") + frame(1, b"two"), 10.0, 0.0)
    for _ in range(2):
        event = come_meanwhile(session, 10.0)
        assert event is not None
        keep(session, event)
    assert come_meanwhile(session, 10.0) is None
    session.receive(frame(1, b"three"), 10.0, 0.0)
    # Nothing goes the short way past them.
    assert session.connection.due == float("-inf")
    found = [session.next_event(10.0) for _ in range(4)]
    assert [getattr(event, "text", None) for event in found] == ["one", "two", "three", None]
    assert session.connection.due == float("inf")


def test_behind_close_timeout_what_is_kept_is_no_longer_handed_out() -> None:
    session = opened()
    session.receive(frame(1, b"one"), 10.0, 0.0)
    event = come_meanwhile(session, 10.0)
    assert event is not None
    keep(session, event)
    session.close(1000, "", 10.0)
    assert session.connection.state == CLOSING
    assert session.next_event(20.0) is None


def test_of_polls_one_is_kept_and_what_was_posted_stays() -> None:
    session = opened()
    session.timers.posted = deque(["mine"])
    for _ in range(2):
        keep(session, Poll())
    assert come_meanwhile(session, 10.0) is None
    assert session.timers.posted == deque(["mine"])
    found = [session.next_event(10.0) for _ in range(3)]
    assert [None if event is None else event.name for event in found] == ["poll", "posted", None]
