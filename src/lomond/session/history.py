"""The connections of one object, one after another: how many there were, and what lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .course import Served

if TYPE_CHECKING:
    from .session import Session


def follow(session: Session) -> None:
    """Let a connection that is Ready now know its number, and the last one before it that served.

    One that did not serve is no more than a part of the gap, whatever messages it brought: none of
    them is what the program has connected for.
    """
    previous, session.previous = session.previous, None
    assert previous is not None
    session.number = previous.number + 1
    session.before = _served(previous) or previous.before


def last_ready(session: Session) -> Session | None:
    """That connection if it was Ready, or the one before it that was; the chain has one link."""
    return session.previous if session.course.opened_at is None else session


def _served(session: Session) -> Served | None:
    course, connection, finish = session.course, session.connection, session.finish
    if course.served_at is None:
        return None
    if connection.heard:
        since = connection.heard
        # Bytes that were no message, a pong, may have come behind it.
        at = connection.received_at - max(0.0, connection.wall - since)
    else:  # nothing is known to have been said since it began to serve
        at = course.served_at
        since = at + course.drift
    return Served(since, at, finish.unconfirmed, finish.ending)
