"""The closing handshake over time, in pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond.errors import WebSocketClosing
from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk, say
from played import names
from scripted import is_silent

Act = Callable[[PretendDoor, Any], None]
NO_PINGS = Timing(ping_rate=0, poll=5)


def on(name: str, *actions: Callable[[PretendDoor], object]) -> Act:
    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == name:
            for action in actions:
                action(door)

    return act


def closes(peer: Peer) -> Talk:
    """Closes first, and TCP three seconds after the answer."""
    yield from peer.upgrade()
    yield say(frames.CLOSE, b"bye", code=1001)
    yield from peer.hear_until(frames.CLOSE)
    yield Pause(3)
    yield End()


def closes_and_stays(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.CLOSE)
    while True:
        yield Pause(1)
        yield say(frames.TEXT, b"too late")


def ignores_close(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while True:
        yield Pause(1)
        yield Say(say(frames.PING).data + say(frames.TEXT, b"data").data)


def sends_after_close(door: PretendDoor) -> None:
    door.close(4000, "mine")
    with pytest.raises(WebSocketClosing):
        door.send_text("late")


def test_echo_after_the_handler() -> None:
    door = PretendDoor(closes, NO_PINGS)

    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "closing":
            assert not door.session.finish.is_closing
            door.send_text("last words")
            door.spend(12)
            assert [frame.opcode for frame in door.peer.heard] == [frames.TEXT]

    seen = door.play(act)
    assert names(seen)[3:] == ["poll", "closing", "disconnected"]
    assert door.peer.heard[-1].payload == b"\x03\xe9bye"
    assert seen[-1][1].graceful
    assert door.session.finish.sent_close_time is None
    assert not door.session.finish.is_closing


def test_close_in_the_handler_replaces_the_echo() -> None:
    door = PretendDoor(closes, NO_PINGS)
    seen = door.play(on("closing", sends_after_close))
    assert names(seen)[3:] == ["poll", "closing", "disconnected"]
    assert [frame.payload for frame in door.peer.heard] == [b"\x0f\xa0mine"]
    assert seen[-1][1].graceful
    assert door.now > 3, "the server closes TCP first"


def test_server_that_never_closes_tcp() -> None:
    door = PretendDoor(closes_and_stays, Timing(poll=None, ping_rate=0, close_timeout=7))
    seen = door.play()
    assert names(seen)[2:] == ["ready", "closing", "disconnected"]
    assert seen[-1][1].graceful
    assert 7 < door.now <= 8


def test_silent_server_that_never_closes_tcp() -> None:
    def says_nothing_more(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.CLOSE).data + b"\x81")
        yield from peer.hear_end()
        yield Pause(100)
        yield End()

    door = PretendDoor(says_nothing_more, Timing(ping_rate=0, close_timeout=7, frame_timeout=1))
    seen = door.play()
    assert names(seen)[3:] == ["poll", "closing", "disconnected"]
    assert seen[-1][1].graceful
    assert door.now == pytest.approx(7.002)


def test_data_does_not_extend_close_timeout() -> None:
    door = PretendDoor(ignores_close, Timing(poll=None, close_timeout=5))
    door.at(10.5, door.close)
    seen = door.play()
    last = seen[-1][1]
    assert (last.name, last.graceful) == ("disconnected", False)
    assert last.reason == "disconnected; server didn't respond to close packet within 5s"
    assert door.now == 15.5
    assert door.session.finish.sent_close_time == pytest.approx(10.498)


def test_close_timeout_in_silence() -> None:
    door = PretendDoor(is_silent, Timing(close_timeout=0.5))
    door.at(12.0, door.close)
    assert not door.play()[-1][1].graceful
    assert door.now == 12.5


def test_an_answer_that_waits_in_the_socket_counts() -> None:
    def answers(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)

    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "poll":
            door.close()
            with pytest.raises(WebSocketClosing):
                door.send_text("late")
            door.spend(100)

    seen = PretendDoor(answers, Timing(close_timeout=5)).play(act)
    assert names(seen)[-2:] == ["closed", "disconnected"]
    assert seen[-1][1].graceful


@pytest.mark.parametrize("close_timeout", [None, 0])
def test_no_close_timeout(close_timeout: float | None) -> None:
    def answers_late(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield Pause(10_000)
        yield say(frames.CLOSE, code=1000)

    door = PretendDoor(answers_late, Timing(poll=None, close_timeout=close_timeout))
    door.at(1.0, door.close)
    assert names(door.play())[-2:] == ["closed", "disconnected"]


@pytest.mark.parametrize("resets", [False, True])
def test_hanging_up_instead_of_an_answer(resets: bool) -> None:
    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.TEXT, b"last")
        yield End(resets)

    door = PretendDoor(hangs_up, NO_PINGS)
    door.at(1.0, door.close)
    seen = door.play()
    assert names(seen)[3:] == ["poll", "text", "disconnected"]
    last = seen[-1][1]
    assert last.graceful is not resets
    assert door.session.finish.sent_close_time == pytest.approx(1, abs=0.01)
    expected = "socket fail; recv fail; Connection reset by peer" if resets else "closed"
    assert last.reason == expected


def test_reset_while_open() -> None:
    def resets(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.TEXT, b"last")
        yield End(resets=True)

    seen = PretendDoor(resets, NO_PINGS).play()
    assert names(seen)[3:] == ["poll", "text", "disconnected"]
    last = seen[-1][1]
    assert last.reason == "socket fail; recv fail; Connection reset by peer"
    assert not last.graceful
    assert isinstance(last.cause, ConnectionResetError)
    assert (last.phase, last.address) == ("read", "192.0.2.1:80")
    assert last.elapsed == door_elapsed(seen)


def door_elapsed(seen: list[tuple[float, Any]]) -> float:
    return seen[-1][0] - seen[0][0]


def test_a_violation_is_answered_before_any_poll() -> None:
    def talks_nonsense(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Say(b"\xc1\x00" + say(frames.TEXT, b"dropped").data)
        yield from peer.hear_end()

    door = PretendDoor(talks_nonsense, NO_PINGS)
    seen = door.play(on("protocol_error", lambda door: door.spend(20)))
    assert names(seen)[3:] == ["poll", "protocol_error", "disconnected"]
    assert b"reserved bits set" in unmasked_tail(door)


def unmasked_tail(door: PretendDoor) -> bytes:
    """The payload of the last frame in what was written."""
    head, _, _ = door.sent.rpartition(b"\r\n\r\n")
    frame = door.sent[len(head) + 4 :]
    key, payload = frame[2:6], frame[6:]
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def test_close_twice() -> None:
    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "poll":
            door.close(4001, "first")
            door.close(4002, "second")

    def answers(peer: Peer) -> Talk:
        yield from peer.upgrade()
        frame = yield from peer.hear_until(frames.CLOSE)
        assert frame is not None
        yield say(frames.CLOSE, frame.payload)
        yield from peer.hear_end()

    door = PretendDoor(answers, NO_PINGS)
    seen = door.play(act)
    assert [(e.code, e.reason) for _, e in seen if e.name == "closed"] == [(4001, "first")]
    assert len(door.peer.heard) == 1


@pytest.mark.parametrize("name", ["connecting", "connected", "ready", "poll", "closing"])
def test_leaving_the_loop(name: str) -> None:
    door = PretendDoor(closes, NO_PINGS)
    events = door.events()
    for event in events:
        if event.name == name:
            break
    events.close()
    assert door.hung_up
    assert door.session.has_ended
    assert not door.session.finish.is_closing
    if name in ("ready", "poll"):
        assert unmasked_tail(door) == b"\x03\xe9"
    elif name == "closing":
        assert unmasked_tail(door) == b"\x03\xe9bye"


@pytest.mark.parametrize("who", ["server", "client", "client before ready"])
def test_no_poll_once_closing_has_begun(who: str) -> None:
    """The loop that sends at each Poll would end with WebSocketClosing."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(12)
        if who == "server":
            yield say(frames.CLOSE, code=1000)
        while (yield Hear()):
            pass

    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "connected" and who == "client before ready":
            door.close()
        if event.name == "poll":
            door.send_text("Hello, World")

    door = PretendDoor(talk, Timing(poll=5, ping_rate=0, close_timeout=100))
    if who == "client":
        door.at(12.0, door.close)
    seen = door.play(act)
    polls = [moment for moment, event in seen if event.name == "poll"]
    assert len(polls) == (0 if who == "client before ready" else 3)
    assert seen[-1][0] >= 100


@pytest.mark.parametrize("who", ["server", "client", "client before ready"])
def test_a_loop_that_never_waits_has_its_polls_while_it_closes(who: str) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        if who == "server":
            yield say(frames.CLOSE, code=1000)
        while (yield Hear()):
            pass

    polls = 0

    def act(door: PretendDoor, event: AnyEvent) -> None:
        nonlocal polls
        if event.name == ("connected" if who == "client before ready" else "ready"):
            if who != "server":
                door.close()
        elif event.name == "poll":
            polls += 1
            door.spend(0.1)

    seen = PretendDoor(talk, Timing(poll=0, ping_rate=0, close_timeout=10)).play(act)
    assert 95 <= polls <= 110
    assert seen[-1][0] == pytest.approx(10, abs=0.5)
