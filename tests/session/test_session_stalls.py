"""Writes that the system does not take, and frames that stop in the middle, in pretend time."""

from __future__ import annotations

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Hear, Pause, Peer, Say, Talk, say
from played import names
from scripted import answers_pings, is_silent


def pings_ten_times(peer: Peer) -> Talk:
    yield from peer.upgrade()
    for n in range(1, 11):
        yield Pause(1)
        yield say(frames.PING, b"%d" % n)
    yield from peer.hear_end()


def sticks(door: PretendDoor, is_stuck: bool) -> None:
    door.is_stuck = is_stuck


def test_pongs_collapse_into_the_newest() -> None:
    door = PretendDoor(pings_ten_times, Timing(poll=1, ping_rate=0))
    door.at(2.5, lambda: sticks(door, True))
    door.at(8.5, lambda: sticks(door, False))
    door.at(20.0, door.force_disconnect)
    seen = door.play()
    assert names(seen).count("ping") == 10
    # 3 was written before anything was known to wait.
    expected = [b"1", b"2", b"3", b"8", b"9", b"10"]
    assert [frame.payload for frame in door.peer.heard] == expected


def test_a_pong_kept_back_does_not_follow_our_close_frame() -> None:
    door = PretendDoor(pings_ten_times, Timing(poll=1, ping_rate=0, close_timeout=20))
    door.at(0.5, lambda: sticks(door, True))
    door.at(4.5, door.close)
    door.at(5.5, lambda: sticks(door, False))
    door.play()
    assert [f.opcode for f in door.peer.heard] == [frames.PONG, frames.CLOSE]


def test_send_timeout() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=0, send_timeout=4))
    door.at(10.0, lambda: sticks(door, True))
    door.at(11.0, lambda: door.send_text("stuck"))
    last = door.play()[-1][1]
    assert door.now == 15.0
    assert (last.name, last.graceful, last.phase) == ("disconnected", False, "write")
    assert isinstance(last.cause, TimeoutError)
    assert "send_timeout" in last.reason


def test_progress_puts_off_send_timeout() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=0, send_timeout=4))
    door.at(10.0, lambda: sticks(door, True))
    door.at(11.0, lambda: door.send_text("slow"))
    door.at(14.0, lambda: door.session.written(door.now, False))  # some bytes were taken
    door.play()
    assert door.now == 18.0


def test_no_send_timeout() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=0, send_timeout=None))
    door.at(5.0, lambda: sticks(door, True))
    door.at(6.0, lambda: door.send_text("stuck"))
    door.at(500.0, door.force_disconnect)
    door.play()
    assert door.now == 500.0


@pytest.mark.parametrize("send_timeout", [None, 60])
def test_a_ping_that_can_not_be_written_is_unanswered(send_timeout: float | None) -> None:
    timing = Timing(ping_rate=0, ping_timeout=10, send_timeout=send_timeout)
    door = PretendDoor(is_silent, timing)
    door.at(5.0, lambda: sticks(door, True))
    door.at(6.0, door.send_ping)
    door.at(200.0, door.force_disconnect)
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert door.now == 16.0


@pytest.mark.parametrize("send_timeout", [None, 60])
@pytest.mark.parametrize("poll", [None, 5])
def test_a_death_is_noticed_behind_a_message_that_nobody_takes(
    send_timeout: float | None, poll: float | None
) -> None:
    timing = Timing(poll=poll, ping_rate=30, ping_timeout=10, send_timeout=send_timeout)
    door = PretendDoor(answers_pings, timing)
    door.at(31.0, lambda: sticks(door, True))
    door.at(32.0, lambda: door.send_text("stuck"))
    door.at(200.0, door.force_disconnect)
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert door.now == pytest.approx(70.002)  # from the ping that fell due at 60.002


@pytest.mark.parametrize("send_timeout", [None, 60])
def test_a_ping_of_the_user_behind_a_stuck_message(send_timeout: float | None) -> None:
    timing = Timing(poll=3, ping_rate=0, ping_timeout=10, send_timeout=send_timeout)
    door = PretendDoor(is_silent, timing)
    door.at(5.0, lambda: sticks(door, True))
    door.at(6.0, lambda: door.send_text("stuck"))
    door.at(20.0, door.send_ping)
    door.at(200.0, door.force_disconnect)
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert 30 <= door.now <= 34


def test_what_the_system_takes_is_life_while_a_ping_waits() -> None:
    def takes(moment: float) -> None:
        door.at(moment, lambda: door.session.written(door.now, False))

    door = PretendDoor(is_silent, Timing(ping_rate=0, ping_timeout=10, send_timeout=None))
    door.at(5.0, lambda: sticks(door, True))
    door.at(6.0, lambda: door.send_text("slow"))
    door.at(7.0, door.send_ping)
    for moment in (14.0, 23.0, 32.0):
        takes(moment)
    door.at(200.0, door.force_disconnect)
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    assert door.now == 42.0


@pytest.mark.parametrize("part", [b"\x82", b"\x82\x7e\x10", b"\x82\x05abc", b"\x02\x05abc"])
def test_frame_timeout(part: bytes) -> None:
    def stalls(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(3)
        yield Say(part)
        yield from peer.hear_end()

    door = PretendDoor(stalls, Timing(poll=5, ping_rate=0, frame_timeout=20))
    last = door.play()[-1][1]
    assert door.now == pytest.approx(23.002)
    assert (last.graceful, last.phase) == (False, "read")
    assert "frame_timeout" in last.reason
    assert door.session.has_ended


def test_frame_timeout_counts_from_the_newest_byte() -> None:
    def drips(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Say(b"\x82\x05")
        for _ in range(5):
            yield Pause(9)
            yield Say(b"x")
        yield Hear()
        yield from peer.hear_end()

    door = PretendDoor(drips, Timing(ping_rate=0, frame_timeout=10))
    door.at(500.0, door.force_disconnect)
    assert "binary" in names(door.play())
    assert door.now == 500.0


@pytest.mark.parametrize("frame_timeout", [None, 0])
def test_no_frame_timeout(frame_timeout: float | None) -> None:
    def stalls(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=b"\x82\x05abc")
        yield Pause(1000)
        yield Say(b"de")
        yield from peer.hear_end()

    door = PretendDoor(stalls, Timing(frame_timeout=frame_timeout))
    door.at(2000.0, door.force_disconnect)
    assert "binary" in names(door.play())


def test_a_slow_handler_is_no_stall() -> None:
    def halves(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"x").data + b"\x82\x05abc")
        yield Pause(1)
        yield Say(b"de")
        yield from peer.hear_end()

    door = PretendDoor(halves, Timing(poll=None, ping_rate=0, frame_timeout=10))
    door.at(2000.0, door.force_disconnect)
    seen = door.play(lambda door, event: door.spend(100) if event.name == "text" else None)
    assert "binary" in names(seen)
