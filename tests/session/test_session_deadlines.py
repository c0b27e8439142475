"""Every deadline, whatever the handler and the server do: a table, in pretend time.

The same for each door is in tests/doors/test_every_deadline.py; what a door adds to it (what has
arrived is read before it is judged) in tests/doors/test_deadlines.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.session.session import Session
from lomond.testing.alone import PretendDoor, counting_bytes
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk, say
from played import closes_when_ready, names
from scripted import is_silent, never_answers, trickles_an_answer

SLOW = 7.0  # seconds that a slow handler takes; longer than every deadline here
LONG = 3.0  # seconds; each deadline
START = 20.0  # when what begins a deadline happens, if that is not the opening
TEXT = say(frames.TEXT, b"x").data
STALL = b"\x81\x05ab"  # the head of a text, and two of its five bytes
BEHIND_TEXTS = TEXT * 3 + STALL
CLOSE = say(frames.CLOSE, code=1000).data


def floods(peer: Peer) -> Talk:
    """Says more than anybody takes, as fast as time goes."""
    yield from peer.upgrade()
    yield Pause(START - 1)
    while True:
        yield Say(TEXT * 10)
        yield Pause(0.01)


def says(data: bytes) -> Callable[[Peer], Talk]:
    """Says this at START, and nothing more."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(START)
        yield Say(data)
        yield from peer.hear_end()

    return talk


def closes_and_floods(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield Pause(START)
    yield Say(CLOSE)
    while True:
        yield Say(TEXT * 10)
        yield Pause(0.01)


class Row(NamedTuple):
    """A deadline, and who lets it pass."""

    option: str
    talk: Callable[[Peer], Talk]
    begins: Callable[[PretendDoor], object] | None = None  #: at START
    says: str = ""  #: what the last event tells
    from_start: float = START
    before: int = 0  #: events whose handlers come before it is judged


def sticks(door: PretendDoor) -> None:
    door.is_stuck = True
    door.send_text("stuck")


ROWS = {
    "open, silence": Row("open_timeout", never_answers, says="open_timeout", from_start=0),
    "open, flood": Row("open_timeout", trickles_an_answer, says="open_timeout", from_start=0),
    "close, silence": Row("close_timeout", is_silent, PretendDoor.close, "within 3"),
    "close, flood": Row("close_timeout", floods, PretendDoor.close, "within 3"),
    "server closes, silence": Row("close_timeout", says(CLOSE), says="closed"),
    "server closes, flood": Row("close_timeout", closes_and_floods, says="closed"),
    "ping, silence": Row("ping_timeout", is_silent, PretendDoor.send_ping, "ping timeout"),
    "frame, silence": Row("frame_timeout", says(STALL), says="frame_timeout"),
    "frame, after texts": Row("frame_timeout", says(BEHIND_TEXTS), says="frame_timeout", before=3),
    "send, silence": Row("send_timeout", is_silent, sticks, "send_timeout"),
    "send, texts": Row("send_timeout", says(BEHIND_TEXTS), sticks, "send_timeout", before=3),
}


def played(row: Row, handler: float, poll: float | None) -> tuple[list[tuple[float, Any]], float]:
    """The events of a row, and for how long the handler had the thread when the time was up."""
    timing: dict[str, Any] = {"ping_rate": 0, "open_timeout": None, "close_timeout": None}
    timing |= {"frame_timeout": None, "send_timeout": None, "poll": poll, row.option: LONG}
    door = PretendDoor(row.talk, Timing(**timing))
    if row.begins is not None:
        begins = row.begins
        door.at(START, lambda: begins(door))
    due = row.from_start + LONG
    freed_at = due

    def act(door: PretendDoor, event: Any) -> None:
        nonlocal freed_at
        if handler and event.name in ("text", "poll", "connected", "closing"):
            began = door.now
            door.spend(handler)
            if began <= due < door.now:
                freed_at = door.now

    return door.play(act), freed_at


@pytest.mark.parametrize("poll", [None, 5.0], ids=["no polls", "polls"])
@pytest.mark.parametrize("handler", [0.0, SLOW], ids=["fast", "slow"])
@pytest.mark.parametrize("name", ROWS)
def test_a_deadline_is_kept(name: str, handler: float, poll: float | None) -> None:
    row = ROWS[name]
    seen, freed_at = played(row, handler, poll)
    ended_at, last = seen[-1]
    assert last.name == "disconnected"
    assert row.says in last.reason
    # In time; a handler that has the thread then is let out, and nothing else is waited for.
    starts = [moment for moment, event in seen if event.name == "closing"]
    first = max([row.from_start, *starts])  # a server's close counts from when it was seen
    latest = max(freed_at, first + LONG + (handler if starts else 0))
    if row.before:  # what came before is handed out first, each behind a Poll if that is due
        latest = max(latest, START + 2 * (row.before + 1) * handler)
    assert row.from_start + LONG <= ended_at <= latest + 0.1


def closes_and_spends(seconds: float) -> Callable[[PretendDoor, Any], None]:
    """A handler that closes at once, and takes its time for each text that still comes."""

    def act(door: PretendDoor, event: Any) -> None:
        closes_when_ready(door, event)
        if event.name == "text":
            door.spend(seconds)

    return act


@pytest.mark.parametrize("poll", [None, 0, 5.0])
@pytest.mark.parametrize("answers", [True, False])
def test_after_close_timeout_nothing_is_handed_out_but_the_answer(
    answers: bool, poll: float | None
) -> None:
    """However slow the handler is and however much was read already."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=TEXT * 1000)
        yield from peer.hear_until(frames.CLOSE)
        yield Say(TEXT * 1000)
        if answers:
            yield say(frames.CLOSE, code=1000)
        while (yield Hear()):
            pass

    timing = Timing(poll=poll, ping_rate=0, close_timeout=2)
    seen = PretendDoor(talk, timing).play(closes_and_spends(0.7))
    found = [name for name in names(seen) if name != "poll"]
    assert found.count("text") == 3  # at 0, 0.7 and 1.4 s
    assert found[-2:] == (["closed", "disconnected"] if answers else ["text", "disconnected"])
    assert seen[-1][1].graceful is answers
    assert seen[-1][0] == pytest.approx(2.1, abs=0.01)


@pytest.mark.parametrize("size", [0, 125, 70_000])
def test_a_close_frame_of_which_a_part_came_is_waited_for_no_longer(size: int) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield Pause(1)
        yield Say(say(frames.BINARY, bytes(size)).data + b"\x88\x05\x03")
        while (yield Hear()):
            pass

    timing = Timing(poll=None, ping_rate=0, frame_timeout=None, close_timeout=2)
    door = PretendDoor(talk, timing)
    seen = door.play(closes_when_ready)
    assert names(seen)[-2:] == ["binary", "disconnected"]
    assert door.now == pytest.approx(2.002)


def test_an_answer_whose_rest_comes_late_is_none() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield Say(b"\x88\x05\x03")
        yield Pause(5)
        yield Say(b"\xe8bye")
        while (yield Hear()):
            pass

    door = PretendDoor(talk, Timing(poll=None, ping_rate=0, close_timeout=2))
    seen = door.play(closes_when_ready)
    assert names(seen)[-2:] == ["ready", "disconnected"]
    assert door.now == pytest.approx(2.002)


@pytest.mark.parametrize("ends", [True, False])
def test_a_hang_up_after_close_timeout_ends_it_as_one_before(ends: bool) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=TEXT * 5)
        yield from peer.hear_until(frames.CLOSE)
        if ends:
            yield End()
        while (yield Hear()):
            pass

    seen = PretendDoor(talk, Timing(poll=None, ping_rate=0, close_timeout=2)).play(
        closes_and_spends(3)
    )
    assert names(seen)[-2:] == ["text", "disconnected"]
    assert seen[-1][1].graceful is ends


@pytest.mark.parametrize("size", [0, 125, 70_000])
def test_a_session_that_ended_within_a_frame_has_nothing_more_to_say(size: int) -> None:
    """Its door asks once more."""
    timing = Timing(poll=None, ping_rate=0, close_timeout=2)
    session = Session(timing, Limits(), counting_bytes())
    session.opened(0.0)
    session.close(1000, "", 0.0)
    session.receive(say(frames.BINARY, bytes(size + 1)).data[:-1], 3.0, 3.0)
    assert session.next_event(3.0) is None
    session.tick(3.0)
    assert session.has_ended
    for _ in range(2):
        assert session.next_event(3.0) is None


def test_a_death_that_is_noticed_while_closing_is_told_after_close_timeout_too() -> None:
    timing = Timing(poll=None, ping_rate=0, ping_timeout=1, close_timeout=2)
    session = Session(timing, Limits(), counting_bytes())
    session.opened(0.0)
    session.send_message(frames.PING, b"")
    session.output.take()
    session.written(0.0, True)
    session.close(1000, "", 0.5)
    session.tick(1.5)
    assert session.has_ended
    event = session.next_event(9.0)
    assert event is not None
    assert event.name == "unresponsive"
    assert session.next_event(9.0) is None
