"""Polls, pings and Unresponsive, in pretend time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Talk, say
from played import names
from scripted import answers_pings, is_silent

Seen = list[tuple[float, Any]]


def moments(seen: Seen, name: str) -> list[float]:
    return [moment for moment, event in seen if event.name == name]


def heard(door: PretendDoor, opcode: int) -> list[bytes]:
    return [frame.payload for frame in door.peer.heard if frame.opcode == opcode]


def test_an_hour() -> None:
    door = PretendDoor(answers_pings, Timing(poll=5, ping_rate=30, ping_timeout=30))
    door.at(3602.0, door.close)
    seen = door.play()
    start = door.session.course.opened_at
    assert start is not None
    polls = moments(seen, "poll")
    assert polls == pytest.approx([start + 5 * n for n in range(721)], abs=1e-6)
    pongs = moments(seen, "pong")
    assert pongs == pytest.approx([start + 0.002 + 30 * n for n in range(1, 121)], abs=1e-6)
    assert heard(door, frames.PING) == [b""] * 120
    assert names(seen)[-2:] == ["closed", "disconnected"]
    assert door.now == pytest.approx(3602.002)


@pytest.mark.parametrize("death", [0.001, 0.0035, 29.9, 30.0, 31.0, 59.0, 600.5])
def test_a_death_is_noticed(death: float) -> None:
    is_dead: list[bool] = []

    def dies(peer: Peer) -> Talk:
        yield from peer.upgrade()
        while (yield from peer.hear_frame()) is not None:
            if not is_dead:
                yield say(frames.PONG)

    door = PretendDoor(dies, Timing(ping_rate=30, ping_timeout=30))
    door.at(death, lambda: is_dead.append(True))
    seen = door.play()
    assert names(seen)[-2:] == ["unresponsive", "disconnected"]
    [(moment, unresponsive), (_, disconnected)] = seen[-2:]
    assert death < moment <= death + 30 + 30 + 1
    assert disconnected.reason == "disconnected; exceeded 30s ping timeout"
    assert not disconnected.graceful
    assert unresponsive.phase == "read"
    assert unresponsive.elapsed == moment


def test_no_unresponsive_after_a_slow_handler() -> None:
    def is_slow(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "poll":
            door.spend(101)

    door = PretendDoor(answers_pings, Timing(poll=5, ping_rate=30, ping_timeout=10))
    door.at(1000.0, door.close)
    seen = door.play(is_slow)
    assert "unresponsive" not in names(seen)
    assert seen[-1][1].graceful
    # Missed Polls are not made up for, and each leaves the messages their turn.
    assert moments(seen, "poll")[:2] == pytest.approx([0.002, 101.002])
    assert "pong" in names(seen)


def test_data_without_pongs_is_life_until_it_stops() -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(100):
            yield Pause(4)
            yield say(frames.TEXT, b"data")
        yield from peer.hear_end()

    door = PretendDoor(talks, Timing(ping_rate=3, ping_timeout=5))
    seen = door.play()
    assert names(seen).count("text") == 100
    last = moments(seen, "text")[-1]
    assert moments(seen, "unresponsive") == pytest.approx([last + 5])


def test_no_unresponsive_without_pings() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=0, ping_timeout=10))
    door.at(1000.0, door.force_disconnect)
    seen = door.play()
    assert "unresponsive" not in names(seen)
    assert heard(door, frames.PING) == []
    assert seen[-1][1].reason == "disconnected by the user"


def test_the_users_ping_counts() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=None, ping_timeout=10))
    door.at(50.0, lambda: door.send_ping(b"there?"))
    assert moments(door.play(), "unresponsive") == [60.0]


@pytest.mark.parametrize("rate", [0.5, 30, 1000])
def test_the_first_ping_leaves_a_period_after_ready(rate: float) -> None:
    """A debugger's server hangs up on a ping before the first message, brokers answer late."""
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=rate))
    door.at(rate, lambda: pings.append(len(heard(door, frames.PING))))
    door.at(rate + 0.01, lambda: pings.append(len(heard(door, frames.PING))))
    door.at(rate + 0.02, door.force_disconnect)
    pings: list[int] = []
    door.play()
    assert pings == [0, 1]


def test_pings_go_on_without_ping_timeout() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=10))
    door.at(105.0, door.force_disconnect)
    door.play()
    assert len(heard(door, frames.PING)) == 10


def test_no_pings_after_close() -> None:
    door = PretendDoor(is_silent, Timing(ping_rate=10, close_timeout=100))
    door.at(25.0, door.close)
    door.play()
    assert len(heard(door, frames.PING)) == 2
    assert door.now == 125.0


def test_no_unresponsive_after_the_servers_close_frame() -> None:
    def closes(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.CLOSE, code=1000)
        yield Pause(20)
        yield End()

    door = PretendDoor(closes, Timing(poll=None, ping_rate=5, ping_timeout=5, frame_timeout=1))
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "ready", "closing", "disconnected"]
    assert seen[-1][1].graceful
    assert 20 < door.now < 21


@pytest.mark.parametrize("gap", [0.3, 0.9, 1.7])
def test_polls_are_punctual_under_traffic(gap: float) -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade()
        while True:
            yield Pause(gap)
            yield say(frames.TEXT, b"data")

    door = PretendDoor(talks, Timing(poll=1, ping_rate=0))
    door.at(100.5, door.force_disconnect)
    polls = moments(door.play(), "poll")
    assert polls == pytest.approx([0.002 + n for n in range(101)], abs=1e-6)


def test_polls_stay_punctual_when_messages_never_run_out() -> None:
    def is_slow(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "text":
            door.spend(0.3)

    def floods(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"data").data * 100)
        yield End()

    door = PretendDoor(floods, Timing(poll=1))
    seen = door.play(is_slow)
    assert names(seen)[3:6] == ["poll", "text", "text"]
    gaps = [b - a for a, b in itertools.pairwise(moments(seen, "poll"))]
    assert len(gaps) == 30  # the handler is done with 100 messages after 30 s
    assert all(0.69 < gap < 1.31 for gap in gaps)


def test_no_polls() -> None:
    door = PretendDoor(answers_pings, Timing(poll=None))
    door.at(1000.0, door.close)
    assert "poll" not in names(door.play())


def test_nothing_to_wait_for() -> None:
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=None))
    door.at(1e6, door.force_disconnect)
    door.play()
    assert door.session.deadline is None
    assert door.now == 1e6


def test_a_poll_at_every_turn() -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"0").data)
        for n in range(1, 4):
            yield Pause(1)
            yield say(frames.TEXT, b"%d" % n)
        yield End()

    def works(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "poll":
            door.spend(0.5)

    door = PretendDoor(talks, Timing(poll=0, ping_rate=0))
    seen = [name for name in names(door.play(works)) if name in ("poll", "text")]
    assert seen[:2] == ["poll", "text"]
    assert seen.count("text") == 4
    assert 6 <= seen.count("poll") <= 8
    assert "text text" not in " ".join(seen)
