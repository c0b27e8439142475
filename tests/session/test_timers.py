"""Timers over the pretend door: not a moment of real waiting."""

from __future__ import annotations

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say
from lomond.testing.pretend import PretendDoor
from played import names
from scripted import answers_pings, is_silent


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
            assert door.session.sent_close_time == 0.0
            assert door.session.is_closing
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
    door.session.leave(1001, "left by the user", door.now)
    assert door.session.output.take()[0] == 0x88
    assert door.session.has_ended
    assert door.session.disconnected().reason == "left by the user"
    door.session.leave(1001, "left by the user", door.now)
    assert not door.session.output.is_ready
    door.session.tick(door.now)
    assert door.session.next_event(1e6) is None
