"""What lies between two connections of one object."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.session.history import last_ready
from lomond.session.session import Session
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Pause, Peer, Say, Talk, say


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")


def says(after: float, said: list[bytes], peer: Peer) -> Talk:
    """Says these, then after so many seconds a ping and a close."""
    yield from peer.upgrade()
    for frame in said:
        yield Say(frame)
        yield Pause(1)
    yield Pause(after)
    yield say(frames.PING)
    yield Pause(1)
    yield say(frames.CLOSE, code=1001)
    yield from peer.hear_end()


TEXT, BINARY = say(frames.TEXT, b"text").data, say(frames.BINARY, b"binary").data
FRAGMENTS = b"\x01\x01x" + b"\x80\x01y"
QUIET = Timing(ping_rate=0, poll=None)


def played(talk: Any, previous: Session | None, began: float) -> tuple[Session, list[Any]]:
    """A connection behind another one, from that moment of the pretend clock on."""
    door = PretendDoor(talk, QUIET)
    if previous is not None:
        door.session.previous = last_ready(previous)
    door.spend(began - door.now)
    return door.session, door.play()


def ready_of(seen: list[tuple[float, Any]]) -> Any:
    return next(event for _, event in seen if event.name == "ready")


@pytest.mark.parametrize("message", [TEXT, BINARY, FRAGMENTS])
def test_since_the_last_message(message: bytes) -> None:
    first, seen = played(partial(says, 5, [TEXT, message]), None, 0)
    moments = [(now, event) for now, event in seen if event.name in ("text", "binary")]
    arrived, last = moments[-1]
    second, later = played(partial(says, 0, []), first, 100)
    ready = ready_of(later)
    at = next(now for now, event in later if event is ready)
    assert ready.number == 2
    assert ready.gap.since == last.received_time
    assert ready.gap.seconds == pytest.approx(at - arrived, abs=0.01)
    assert ready.gap.ending is first.finish.ending
    assert second.previous is None


def test_without_a_message_since_it_was_ready() -> None:
    first, seen = played(partial(says, 5, []), None, 0)
    opened = next(now for now, event in seen if event.name == "ready")
    _, later = played(partial(says, 0, []), first, 50)
    ready = ready_of(later)
    at = next(now for now, event in later if event is ready)
    assert ready.gap.since == pytest.approx(ready_of(seen).received_time, abs=0.01)
    assert ready.gap.seconds == pytest.approx(at - opened, abs=0.01)


def test_attempts_that_failed_are_a_part_of_it() -> None:
    first, _ = played(partial(says, 0, [TEXT]), None, 0)
    second, _ = played(refuses, first, 20)
    third, _ = played(refuses, second, 40)
    assert last_ready(third) is first
    _, later = played(partial(says, 0, []), third, 60)
    assert (ready_of(later).number, ready_of(later).gap.ending) == (2, first.finish.ending)


def test_one_that_was_never_ready_is_no_connection_before() -> None:
    first, _ = played(refuses, None, 0)
    assert last_ready(first) is None
    _, later = played(partial(says, 0, []), first, 10)
    assert (ready_of(later).number, ready_of(later).gap) == (1, None)


def test_one_that_did_not_serve_leaves_the_gap_as_it_was() -> None:
    first, _ = played(partial(says, 0, [TEXT]), None, 0)
    second, _ = played(partial(says, 0, [TEXT]), first, 20)
    second.course.served_at = None  # its `enter` did not come to an end
    _, later = played(partial(says, 0, []), second, 40)
    ready = ready_of(later)
    assert (ready.number, ready.gap.ending) == (3, first.finish.ending)
