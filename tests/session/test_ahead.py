"""What goes on while the user's task is elsewhere, and what waits for it then."""

from __future__ import annotations

import pytest

from lomond.events import (
    Binary,
    Closing,
    Connected,
    Disconnected,
    Ping,
    Poll,
    Pong,
    ProtocolError,
    Ready,
    Reply,
    Text,
    Unresponsive,
)
from lomond.options import Limits, Timing
from lomond.session.ahead import TURN, Ahead
from lomond.session.held import Held
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes

KIB = 1024


def opened(**timing: float | None) -> Session:
    session = Session(Timing(**timing), Limits(), counting_bytes())
    session.opened(10.0)
    return session


def names(ahead: Ahead, now: float = 11.0) -> list[str]:
    found = []
    while (event := ahead.take(now)) is not None:
        found.append(event.name)
    return found


@pytest.mark.parametrize("kind", [Ready, Poll, Text, Binary, Ping, Pong])
def test_it_goes_on_behind_what_needs_no_handler_first(kind: type) -> None:
    assert Ahead().may_grow(kind, is_sending=False)


@pytest.mark.parametrize("kind", [None, Connected, Closing, Disconnected])
def test_it_waits_for_the_handler_of_all_else(kind: type | None) -> None:
    assert not Ahead().may_grow(kind, is_sending=True)


@pytest.mark.parametrize("kind", [ProtocolError, Unresponsive])
def test_behind_a_loss_it_goes_on_for_a_send_that_waits(kind: type) -> None:
    assert Ahead().may_grow(kind, is_sending=True)
    assert not Ahead().may_grow(kind, is_sending=False)


def test_sixteen_events_wait_and_no_more() -> None:
    ahead = Ahead()
    for number in range(16):
        assert ahead.may_grow(Text, is_sending=False)
        assert ahead.put(Text(str(number)))
    assert not ahead.may_grow(Text, is_sending=False)
    assert ahead.take(0.0) is not None
    assert ahead.may_grow(Text, is_sending=False)


@pytest.mark.parametrize("event", [Binary(bytes(64 * KIB)), Text("x" * 64 * KIB)])
def test_64_kib_of_data_wait_and_no_more(event: Binary | Text) -> None:
    ahead = Ahead()
    ahead.put(event)
    assert not ahead.may_grow(type(event), is_sending=False)
    assert ahead.take(0.0) is event
    assert ahead.may_grow(type(event), is_sending=False)
    ahead.put(Binary(bytes(63 * KIB)))
    assert ahead.may_grow(Binary, is_sending=False)
    ahead.put(Binary(bytes(KIB)))
    ahead.clear()
    assert ahead.take(0.0) is None
    assert ahead.may_grow(Binary, is_sending=False)


def test_more_waits_where_the_task_waits_for_a_reply() -> None:
    told: list[int] = []
    ahead = Ahead()
    ahead.wait(10_000, lambda: told.append(1))
    while ahead.may_grow(Text, is_sending=False):
        ahead.put(Text("x"))
        ahead.put(Reply("", Binary(b"x" * 100)))
    assert 30 < len(ahead.events) < 100
    ahead.tell()
    assert (ahead.is_far(), told) == (True, [1])
    ahead.wait(0, None)
    ahead.tell()
    assert (ahead.is_far(), told) == (False, [1])
    assert not ahead.may_grow(Text, is_sending=False)
    ahead.clear()
    ahead.wait(10_000, lambda: told.append(1))
    ahead.tell()
    assert told == [1]


@pytest.mark.parametrize("size", [871, 872])
def test_what_waits_before_a_reply_is_counted_to_the_byte(size: int) -> None:
    ahead, held = Ahead(), Held()
    ahead.wait(20 * 1000, None)
    for _ in range(20):  # each with 128 bytes of its own
        event = Binary(bytes(size))
        ahead.put(event)
        held.put(event)
    has_room = size < 872
    assert ahead.may_grow(Binary, is_sending=False) is has_room
    assert ahead.is_far() is not has_room
    assert held.may_grow(20 * 1000) is has_room


def test_one_poll_is_enough() -> None:
    ahead = Ahead()
    assert ahead.put(Poll())
    assert ahead.put(Text("x"))
    assert not ahead.put(Poll())
    assert names(ahead) == ["poll", "text"]
    assert ahead.put(Poll())


def test_the_session_knows_what_the_task_was_handed() -> None:
    session = opened()
    session.finish.is_told = True
    ahead = Ahead()
    ahead.session = session
    ahead.put(Text("x"))
    assert session.finish.is_told
    ahead.put(Disconnected("lost"))
    assert session.connection.is_ahead
    assert not session.finish.is_told
    assert ahead.take(11.0) is not None
    assert session.connection.is_ahead
    assert not session.finish.is_told
    assert ahead.take(11.0) is not None
    assert not session.connection.is_ahead
    assert session.finish.is_told


def test_after_close_timeout_no_data_is_handed_out() -> None:
    session = opened(close_timeout=5.0)
    ahead = Ahead()
    ahead.session = session
    for event in (Text("x"), Binary(b"y"), Ping(b""), Pong(b""), Poll(), Closing(1000, None)):
        ahead.put(event)
    session.close(1000, "", 12.0)
    assert names(ahead, 17.0) == ["closing"]


@pytest.mark.parametrize(("poll", "left"), [(5.0, ["text"]), (0.0, ["poll", "text"])])
def test_after_a_close_no_poll_that_was_made_before(poll: float, left: list[str]) -> None:
    session = opened(poll=poll)
    ahead = Ahead()
    ahead.session = session
    ahead.put(Poll())
    ahead.put(Text("x"))
    session.close(1000, "", 12.0)
    assert names(ahead, 12.0) == left


def test_events_of_two_connections_wait_each_for_its_own() -> None:
    old, new = opened(close_timeout=1.0), opened()
    ahead = Ahead()
    for session, text in ((old, "one"), (new, "two"), (old, "three")):
        ahead.session = session
        ahead.put(Text(text))
    assert old.connection.is_ahead
    assert new.connection.is_ahead
    old.close(1000, "goodbye", 10.5)
    event = ahead.take(20.0)  # after the old one's close_timeout
    assert isinstance(event, Text)
    assert event.text == "two"
    assert not new.connection.is_ahead
    assert old.connection.is_ahead
    assert ahead.take(20.0) is None
    assert not old.connection.is_ahead


def test_nothing_is_counted_before_something_waits() -> None:
    ahead = Ahead()
    ahead.put(Binary(bytes(64 * KIB - 1)))
    assert ahead.may_grow(Binary, is_sending=False)
    ahead.put(Binary(b"x"))
    assert not ahead.may_grow(Binary, is_sending=False)


def test_other_tasks_have_a_turn_once_a_read_and_at_least_each_millisecond() -> None:
    ahead = Ahead()
    assert TURN == 0.001
    assert ahead.owes_turn(10.0)
    ahead.session = opened()
    assert ahead.owes_turn(10.0)  # something came
    assert not ahead.owes_turn(10.0)
    assert not ahead.owes_turn(10.0009)
    assert ahead.owes_turn(10.001)
    assert not ahead.owes_turn(10.0019)
    ahead.session.receive(b"\x81\x01x", 10.0019, 0.0)
    assert ahead.owes_turn(10.0019)
    assert not ahead.owes_turn(10.0028)
    assert ahead.owes_turn(10.003)
