"""Timers over the pretend door: not a moment of real waiting."""

from __future__ import annotations

import pytest

from lomond.errors import WebSocketUnavailable
from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.session.requests import Race, Resolve, Send, StartTLS
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


def test_a_server_that_closes_and_stays_is_left_at_the_deadline() -> None:
    def stays(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.CLOSE, code=1000)
        for _ in range(100):
            yield Pause(1.0)
            yield say(frames.TEXT, b"dropped")

    door = PretendDoor(stays, Timing(close_timeout=5, poll=None, ping_rate=0))
    seen = door.play()
    assert names(seen)[-2:] == ["closing", "disconnected"]
    last = seen[-1][1]
    assert last.name == "disconnected"
    assert last.graceful
    assert 5 < seen[-1][0] < 7


def test_a_close_without_timeout_waits() -> None:
    door = PretendDoor(is_silent, Timing(close_timeout=None))
    door.at(1000.0, door.force_disconnect)
    for event in door.events():
        if event.name == "ready":
            door.close()
        assert event.name != "disconnected" or door.now == 1000


@pytest.mark.parametrize("kind", [Resolve, Race, StartTLS, Send])
def test_the_open_timeout_holds_in_each_phase(kind: type) -> None:
    door = PretendDoor(
        is_silent, Timing(open_timeout=7), failures={kind: TimeoutError()}, secure=True
    )
    last = door.play()[-1][1]
    assert last.name == "connect_fail"
    assert "open_timeout (7 s)" in last.reason
    assert last.elapsed == pytest.approx(7)


def test_a_silent_upgrade_ends_in_time() -> None:
    def mute(peer: Peer) -> Talk:
        yield from peer.hear_end()

    last = PretendDoor(mute, Timing(open_timeout=7)).play()[-1][1]
    assert last.name == "disconnected"
    assert "open_timeout (7 s)" in last.reason
    assert (last.phase, last.elapsed) == ("upgrade", pytest.approx(7))


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


def test_a_reset_in_the_handshake() -> None:
    def resets(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield End(resets=True)

    last = PretendDoor(resets).play()[-1][1]
    assert last.name == "disconnected"
    assert isinstance(last.cause, ConnectionResetError)
    assert last.cause.__traceback__ is None


def test_a_reset_while_open() -> None:
    def resets(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield End(resets=True)

    last = PretendDoor(resets).play()[-1][1]
    assert last.name == "disconnected"
    assert last.reason == "socket fail; recv fail; Connection reset by peer"
    assert (last.graceful, last.address) == (False, "192.0.2.1:80")


def test_the_end_of_the_stream_after_our_close_is_graceful() -> None:
    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield End()

    door = PretendDoor(hangs_up)
    door.at(1.0, door.close)
    last = door.play()[-1][1]
    assert last.name == "disconnected"
    assert (last.reason, last.graceful) == ("closed", True)
    assert door.session.sent_close_time == pytest.approx(1, abs=0.01)


def test_closing_while_connecting_fails_the_connection() -> None:
    door = PretendDoor(is_silent, failures={Race: TimeoutError()})
    door.at(2.0, door.close)
    last = door.play()[-1][1]
    assert last.name == "connect_fail"
    assert "closed by the user" in last.reason
    assert door.now == 2.0
    assert not door.session.is_closing


def test_closing_while_upgrading_is_answered_after_the_upgrade() -> None:
    door = PretendDoor(answers_pings)
    names = []
    for event in door.events():
        names.append(event.name)
        if event.name == "connected":
            door.send_text("held")
            door.close()
    assert names == ["connecting", "connected", "ready", "closed", "disconnected"]
    assert [f.opcode for f in door.peer.heard] == [frames.TEXT, frames.CLOSE]


def test_an_end_from_outside_while_upgrading() -> None:
    def mute(peer: Peer) -> Talk:
        yield from peer.hear_end()

    door = PretendDoor(mute)
    door.at(1.0, lambda: door.session.end("replaced", False, door.now))
    door.at(1.1, lambda: None)
    last = door.play()[-1][1]
    assert last.name == "disconnected"
    assert last.reason == "replaced"


def test_sends_after_the_end() -> None:
    door = PretendDoor(answers_pings, limits=Limits(max_held=3))
    with pytest.raises(WebSocketUnavailable, match="max_held"):
        door.send_text("four")


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
