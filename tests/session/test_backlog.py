"""When output that nobody takes is given up, whoever kept the thread. Pretend time."""

from __future__ import annotations

import pytest

from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes
from lomond.testing.peer import say

TIMEOUT = 3.0
PING = say(frames.PING, b"?").data


@pytest.fixture
def session() -> Session:
    """Its pong waits since 0.0: the system takes nothing."""
    session = Session(
        Timing(poll=None, ping_rate=0, send_timeout=TIMEOUT), Limits(), counting_bytes()
    )
    session.opened(0.0)
    session.receive(PING, 0.0, 0.0)
    assert session.next_event(0.0) is not None
    session.output.take()
    session.written(0.0, False)
    return session


def test_a_peer_that_is_read_after_a_slow_handler_gets_its_time_once_more(session: Session) -> None:
    session.refused(7.0)  # nobody had tried since
    assert not session.has_ended
    session.receive(PING, 7.0, 7.0)
    assert session.backlog.deadline == 7.0 + TIMEOUT
    session.refused(9.9)
    assert not session.has_ended
    session.refused(10.0)
    assert session.has_ended


def test_who_tries_just_when_the_time_is_over_reads_first(session: Session) -> None:
    session.refused(TIMEOUT)
    assert not session.has_ended
    session.refused(TIMEOUT + 0.1)
    assert not session.has_ended
    session.receive(PING, 4.0, 4.0)
    assert session.backlog.deadline == 4.0 + TIMEOUT


def test_it_gets_it_once_only(session: Session) -> None:
    session.refused(7.0)
    session.receive(PING, 7.0, 7.0)
    session.refused(14.0)
    assert session.has_ended


def test_it_gets_it_again_when_something_was_taken(session: Session) -> None:
    session.refused(7.0)
    session.receive(PING, 7.0, 7.0)
    session.written(8.0, False)
    session.refused(15.0)
    assert not session.has_ended
    session.receive(PING, 15.0, 15.0)
    assert session.backlog.deadline == 15.0 + TIMEOUT


def test_a_peer_that_says_nothing_gets_no_more(session: Session) -> None:
    session.refused(7.0)
    session.tick(7.0)
    assert session.has_ended


def test_a_peer_that_says_much_and_was_tried_gets_no_more(session: Session) -> None:
    for now in (1.0, 2.0, 2.9):
        session.refused(now)
        session.receive(PING, now, now)
        assert session.backlog.deadline == TIMEOUT
    session.refused(3.1)
    assert session.has_ended


def test_without_a_limit_nothing_is_given_up() -> None:
    session = Session(Timing(poll=None, ping_rate=0, send_timeout=None), Limits(), counting_bytes())
    session.opened(0.0)
    session.written(0.0, False)
    session.refused(1e9)
    session.receive(PING, 1e9, 1e9)
    assert session.deadline is None
    assert not session.has_ended
