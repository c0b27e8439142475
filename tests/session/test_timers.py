"""What is due when, by itself and over the pretend door: not a moment of real waiting."""

from __future__ import annotations

import pytest

from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.events import AnyEvent
from lomond.protocol.output import MaskingKeys
from lomond.session.finish import Why
from lomond.session.pings import Pings
from lomond.session.timers import Timers, following
from lomond.testing.alone import PretendDoor, counting_bytes
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say
from played import names
from scripted import answers_pings, is_silent

NEVER = float("inf")


def started(**timing: float | None) -> tuple[Timers, Connection]:
    """The timers of a connection that opens at 10.0, and this."""
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    timers = Timers(Timing(**timing), connection, Pings())
    assert connection.due == NEVER
    connection.opened()
    timers.opened(10.0)
    return timers, connection


def test_without_options_nothing_is_due() -> None:
    timers, connection = started(poll=None, ping_rate=0, ping_timeout=None, frame_timeout=None)
    assert (connection.due, timers.close_at) == (NEVER, NEVER)
    assert (timers.unresponsive_at(), timers.stalled_at()) == (NEVER, NEVER)
    assert not timers.take_poll(1e9)
    assert not timers.take_ping(1e9)


def test_the_nearest_of_what_is_due_whatever_arrives() -> None:
    timers, connection = started(poll=5, ping_rate=12, close_timeout=3)
    assert connection.due == 10.0
    assert timers.take_poll(10.0)
    assert connection.due == -NEVER  # all else is next
    assert not timers.take_poll(15.0)
    assert not timers.take_ping(10.0)
    assert connection.due == 15.0
    assert timers.take_poll(20.0)
    assert not timers.take_ping(21.9)
    assert connection.due == 22.0
    assert timers.take_ping(22.0)
    assert connection.due == 25.0
    timers.start_closing(24.0)
    assert (connection.due, timers.close_at) == (27.0, 27.0)
    timers.start_closing(25.0)
    assert timers.close_at == 27.0
    assert not timers.take_poll(1e9)
    assert not timers.take_ping(1e9)


@pytest.mark.parametrize("counts", [True, False])
def test_where_turns_count_each_look_at_the_socket_makes_a_poll_due(counts: bool) -> None:
    timers, connection = started(poll=0 if counts else 5, ping_rate=0, close_timeout=3)
    assert timers.counts_turns is counts
    assert timers.take_poll(10.0)
    assert not timers.take_ping(10.0)
    assert not timers.take_poll(12.0)
    timers.note_turn(12.0)
    timers.note_turn(13.0)
    assert connection.due == (12.0 if counts else 15.0)
    assert timers.take_poll(12.0) is counts
    timers.start_closing(20.0)
    timers.take_ping(20.0)
    timers.note_turn(21.0)
    assert timers.take_poll(21.0) is counts


def test_a_connection_that_was_closed_before_it_was_open_needs_no_timers() -> None:
    for poll, is_due in ((5, False), (0, True)):
        connection = Connection(Limits(), MaskingKeys(counting_bytes()))
        timers = Timers(Timing(poll=poll, ping_rate=7), connection, Pings())
        connection.close(1000, "")
        connection.opened()
        timers.opened(10.0)
        assert connection.due == (10.0 if is_due else NEVER)


@pytest.mark.parametrize("period", [0.1, 0.3, 1.0, 7.0])
@pytest.mark.parametrize("late", [0.0, 0.5, 1.0, 2.5, 1000.1])
def test_what_was_missed_is_left_out_and_the_rhythm_is_kept(period: float, late: float) -> None:
    now = period + late * period
    found = following(period, period, now)
    assert now < found <= now + period * 1.000001
    assert found / period == pytest.approx(round(found / period))


def test_the_next_is_not_before_this_one_however_floats_are_rounded() -> None:
    period, now = 0.8375779756625729, 20410.937688921236  # whose quotient is one too small
    assert following(0.0, period, now) == pytest.approx(now + period)


def chatters(peer: Peer) -> Talk:
    yield from peer.upgrade()
    for _ in range(200):
        yield Pause(0.3)
        yield say(frames.TEXT, b"x")
    yield from peer.hear_end()


def test_a_poll_that_was_missed_is_not_made_up_for() -> None:
    door = PretendDoor(is_silent, Timing(poll=1, ping_rate=0))
    polls = []
    for event in door.events():
        if event.name == "poll":
            polls.append(round(door.now, 3))
            if len(polls) == 3:
                door.spend(3.5)
        if door.now > 8:
            break
    assert [round(p - polls[0], 3) for p in polls[:6]] == [0, 1, 2, 5.5, 6, 7]


def test_the_close_timeout_is_not_extended_by_data() -> None:
    door = PretendDoor(chatters, Timing(close_timeout=10, ping_rate=0))
    seen = []
    for event in door.events():
        seen.append((door.now, event))
        if event.name == "ready":
            door.close()
            assert door.session.finish.sent_close_time == 0.0
            assert door.session.finish.is_closing
    at, last = seen[-1]
    assert last.name == "disconnected"
    assert "close packet within 10s" in last.reason
    assert at == pytest.approx(10.002)
    assert "text" in names(seen)


def test_a_close_without_timeout_waits() -> None:
    door = PretendDoor(is_silent, Timing(close_timeout=None))
    door.at(1000.0, door.force_disconnect)
    for event in door.events():
        if event.name == "ready":
            door.close()
        assert event.name != "disconnected" or door.now == 1000


def test_an_endless_body_is_cut_after_a_second() -> None:
    def trickles(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            yield Pause(0.3)
            yield Say(b"x")

    door = PretendDoor(trickles)
    rejected = door.play()[-2][1]
    assert rejected.name == "rejected"
    assert rejected.response.body == b"xxx"
    assert rejected.phase == "upgrade"
    assert door.now < 1.1


def test_an_answer_in_two_pieces() -> None:
    def halves(peer: Peer) -> Talk:
        talk = peer.upgrade()
        (hear := next(talk))
        request = yield hear
        said = talk.send(request)
        assert isinstance(said, Say)
        yield Say(said.data[:30])
        yield Pause(1.0)
        yield Say(said.data[30:])
        yield End()

    assert "ready" in names(PretendDoor(halves).play())


def test_closing_while_upgrading_is_answered_after_the_upgrade() -> None:
    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "connected":
            door.send_text("held")
            door.close()

    door = PretendDoor(answers_pings)
    assert names(door.play(act)) == ["connecting", "connected", "ready", "closed", "disconnected"]
    assert [f.opcode for f in door.peer.heard] == [frames.TEXT, frames.CLOSE]


def test_leaving_says_going_away() -> None:
    door = PretendDoor(is_silent)
    events = door.events()
    for event in events:
        if event.name == "ready":
            break
    door.session.leave(1001, Why("left by the user"), door.now)
    assert door.session.output.take()[0] == 0x88
    assert door.session.has_ended
    assert door.session.disconnected().reason == "left by the user"
    door.session.leave(1001, Why("left by the user"), door.now)
    assert not door.session.output.is_ready
    door.session.tick(door.now)
    assert door.session.next_event(1e6) is None
