"""The pretend door: what it does beside the rules that the tests of the session play over it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lomond.errors import WebSocketUnavailable
from lomond.options import Timing
from lomond.protocol import frames
from lomond.session.requests import Ask, Hangup, Race, Read, Resolve, Send
from lomond.system import clock
from lomond.testing.alone import PretendDoor
from lomond.testing.clock import PretendClock
from lomond.testing.network import PretendNetwork
from lomond.testing.peer import End, Pause, Peer, Talk, say
from lomond.testing.wire import PretendWire
from played import names
from scripted import is_silent

LARGE = bytes(300_000)
QUIET = Timing(poll=None, ping_rate=0)


def is_real() -> bool:
    return abs(clock.monotonic() - time.monotonic()) < 1


def test_time_is_pretended_while_the_door_goes_on_and_real_in_between() -> None:
    door = PretendDoor(is_silent, Timing(poll=10, ping_rate=0))
    seen = []
    door.at(1.0, lambda: seen.append(clock.monotonic()))
    door.at(25.0, door.close)
    for event in door.events():
        assert is_real()
        assert event.received_time == pytest.approx(1_700_000_000 + door.now)
    assert seen == [1.0]
    assert is_real()


def test_two_doors_take_turns_each_in_its_own_time() -> None:
    one, other = (PretendDoor(is_silent, Timing(poll=poll, ping_rate=0)) for poll in (10, 3))
    events, others = one.events(), other.events()
    for _ in range(4):
        next(events)
        next(others)
    assert (next(events).name, next(others).name) == ("poll", "poll")
    assert (one.now, other.now) == pytest.approx((10.002, 3.002))


def test_what_happens_at_a_moment_may_fail_and_time_is_real_again() -> None:
    door = PretendDoor(is_silent, QUIET)
    door.at(5.0, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        door.play()
    assert is_real()
    assert door.hung_up


def test_where_nothing_will_happen_nobody_waits() -> None:
    with pytest.raises(AssertionError, match="nothing will ever happen"):
        PretendDoor(is_silent, QUIET).play()


def test_what_was_asked_and_what_is_answered_otherwise() -> None:
    class Door(PretendDoor):
        def answered(self, request: Any, value: Any) -> Any:
            return ("elsewhere", value[1]) if isinstance(request, Race) else value

    door = Door(is_silent, QUIET)
    door.at(1.0, door.force_disconnect)
    last = door.play()[-1][1]
    assert last.address == "elsewhere"
    assert [type(request) for request in door.asked] == [
        Ask,
        Resolve,
        Race,
        Send,
        Read,
        Send,
        Hangup,
    ]


def test_large_messages_in_both_directions() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.BINARY, LARGE)
        heard.append((yield from peer.hear_until(frames.TEXT)))
        yield End()

    heard: list[Any] = []
    door = PretendDoor(talk, QUIET)

    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "binary":
            assert event.data == LARGE
            door.send_text("x" * 100_000)

    assert names(door.play(act))[3:] == ["binary", "disconnected"]
    assert heard[0].payload == b"x" * 100_000


def test_what_waits_leaves_when_the_system_takes_it_again() -> None:
    def takes() -> None:
        door.is_stuck = False

    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.is_stuck = True
            door.send_text("late")

    door = PretendDoor(is_silent, QUIET)
    door.at(5.0, takes)
    door.at(6.0, door.force_disconnect)
    door.play(act)
    assert [frame.payload for frame in door.peer.heard] == [b"late"]


def test_nothing_is_sent_where_there_is_no_connection() -> None:
    door = PretendDoor(is_silent, QUIET)
    with pytest.raises(WebSocketUnavailable):
        door.send_text("early")
    door.force_disconnect()
    assert door.hung_up


def wire_of(talk: Any) -> tuple[PretendNetwork, PretendWire]:
    network = PretendNetwork(Peer(talk), 0.5, PretendClock())
    return network, PretendWire(network, len)


def test_a_question_that_can_not_be_sent_is_not_open() -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "ready":
            door.close()
            with pytest.raises(WebSocketUnavailable):
                door.send_text("?", reply=lambda message: True)

    seen = PretendDoor(is_silent, Timing(poll=None, ping_rate=0, close_timeout=1)).play(act)
    assert names(seen) == ["connecting", "connected", "ready", "disconnected"]


def test_a_reset_is_told_once_on_the_wire() -> None:
    def resets(peer: Peer) -> Talk:
        yield say(frames.TEXT, b"x")
        yield End(resets=True)

    network, wire = wire_of(resets)
    with pytest.raises(BlockingIOError):
        wire.recv(10)
    assert not wire.has_news()
    network.advance_to(0.5)
    assert (wire.recv(1), wire.recv(10)) == (b"\x81", b"\x01x")
    assert wire.has_news()
    with pytest.raises(ConnectionResetError):
        wire.recv(10)
    assert (wire.recv(10), wire.has_news()) == (b"", True)


def test_a_wire_that_was_shut_or_closed() -> None:
    def waits(peer: Peer) -> Talk:
        yield Pause(1)

    _, wire = wire_of(waits)
    assert wire.send(b"abc") == 3
    wire.shutdown(1)
    with pytest.raises(BrokenPipeError):
        wire.send(b"abc")
    wire.shutdown(2)
    assert wire.recv(10) == b""
    wire.close()
    for act in (lambda: wire.recv(1), lambda: wire.send(b"a"), lambda: wire.shutdown(2)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            act()
