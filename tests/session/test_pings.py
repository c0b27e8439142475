"""What answered pings tell: how long they took, and what has arrived. In pretend time."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.session.pings import Pings
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Talk, say
from lomond.timings import Latency


def answers(delays: list[float], sends: int = 0) -> Any:
    """Answers each ping after its delay, and then hangs up."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for delay in delays:
            frame = yield from peer.hear_until(frames.PING)
            assert frame is not None
            yield Pause(delay)
            yield say(frames.PONG, frame.payload)
        yield Pause(1)
        yield End()

    return talk


def test_latency_is_last_smallest_and_smoothed() -> None:
    seen: list[Latency | None] = []

    def act(door: PretendDoor, event: Any) -> None:
        if event.name in ("ready", "pong"):
            seen.append(door.session.pings.latency)

    door = PretendDoor(answers([0.4, 0.1, 0.8]), Timing(ping_rate=10, poll=None), latency=0.0)
    door.play(act)
    assert seen[0] is None
    found = seen[1:]
    assert [latency.last for latency in found if latency] == pytest.approx([0.4, 0.1, 0.8])
    assert [latency.smallest for latency in found if latency] == pytest.approx([0.4, 0.1, 0.1])
    smoothed = [0.4, 0.4 - 0.3 / 8, 0.3625 + (0.8 - 0.3625) / 8]
    assert [latency.smoothed for latency in found if latency] == pytest.approx(smoothed)


def test_a_slow_handler_is_not_the_servers_latency() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "poll":
            door.spend(3)

    door = PretendDoor(answers([0.5]), Timing(ping_rate=60, poll=5), latency=0.0)
    door.play(act)
    assert door.session.pings.latency is not None
    assert door.session.pings.latency.last < 3


def unconfirmed(talk: Any, act: Any) -> int:
    door = PretendDoor(talk, Timing(ping_rate=0, poll=None))
    last = door.play(act)[-1][1]
    assert last.name == "disconnected"
    found: int = last.unconfirmed
    return found


def sends_and_pings(door: PretendDoor, event: Any) -> None:
    """Two pings, with 3, 2 and 1 bytes of text before and behind them."""
    if event.name == "ready":
        door.send_text("123")
        door.send_ping(b"1")
        door.send_text("45")
        door.send_ping(b"2")
        door.send_text("6")


def test_what_was_sent_before_an_answered_ping_has_arrived() -> None:
    assert unconfirmed(answers([]), sends_and_pings) == 6
    assert unconfirmed(answers([0.1]), sends_and_pings) == 3
    assert unconfirmed(answers([0.1, 0.1]), sends_and_pings) == 1


def test_only_the_pong_of_a_ping_confirms() -> None:
    def wrong(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.PING)
        yield say(frames.PONG, b"other")
        yield say(frames.PONG, b"2")  # RFC 6455 5.5.3: the most recent one only
        yield say(frames.PONG, b"2")
        yield Pause(1)
        yield End()

    assert unconfirmed(wrong, sends_and_pings) == 1


def test_what_was_held_for_ready_and_never_left_is_unconfirmed_too() -> None:
    def refuses(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield End()

    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "connected":
            door.send_text("held")

    assert unconfirmed(refuses, act) == len("held")


def test_only_so_many_pings_are_remembered() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            for _ in range(100):
                door.send_ping(b"x")

    door = PretendDoor(answers([]), Timing(ping_rate=0, poll=None))
    door.play(act)
    assert len(door.session.pings) == 16


def test_a_ping_that_has_not_left_is_answered_by_no_pong() -> None:
    pings = Pings()
    pings.queued(b"", 5)
    pings.answered(b"", 1.0)
    assert (pings.arrived, pings.latency, len(pings)) == (0, None, 1)
    pings.written(1.0)
    pings.answered(b"", 1.5)
    assert (pings.arrived, pings.latency, len(pings)) == (5, (0.5, 0.5, 0.5), 0)
