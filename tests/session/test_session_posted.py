"""What a program posts to its own loop, in pretend time."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from lomond.options import Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent, Connecting, Poll, Posted
from lomond.session.ahead import Ahead
from lomond.session.session import Session
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Pause, Peer, Say, Talk, say
from played import names
from scripted import accepts, answers_pings, closes, is_silent

Seen = list[tuple[float, Any]]
QUIET = Timing(poll=None, ping_rate=0)


def posted(seen: Seen) -> list[tuple[float, Any]]:
    return [(moment, event.value) for moment, event in seen if event.name == "posted"]


def test_it_comes_at_once_however_idle_the_connection_is() -> None:
    door = PretendDoor(is_silent, QUIET)
    for at in (1.0, 7.5, 1000.0):
        door.at(at, lambda at=at: door.post(f"at {at}"))  # type: ignore[misc]  # mypy can't tell the default's type
    door.at(1001.0, door.force_disconnect)
    assert posted(door.play()) == [(1.0, "at 1.0"), (7.5, "at 7.5"), (1000.0, "at 1000.0")]


def test_what_is_posted_before_comes_behind_connecting() -> None:
    door = PretendDoor(is_silent, QUIET)
    door.post("first")
    door.at(1.0, door.force_disconnect)
    seen = door.play()
    assert names(seen)[0] == "connecting"
    assert [value for _, value in posted(seen)] == ["first"]
    assert posted(seen)[0][0] < 0.1


def test_while_it_opens() -> None:
    def late(peer: Peer) -> Talk:
        yield Pause(20)
        yield from peer.upgrade()
        yield from peer.hear_end()

    door = PretendDoor(late, QUIET)
    door.at(3.0, lambda: door.post("while it opens"))
    door.at(40.0, door.force_disconnect)
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "posted", "ready", "disconnected"]
    assert posted(seen) == [(3.0, "while it opens")]


def test_a_slow_handler_while_it_opens_takes_nothing_of_open_timeout() -> None:
    def late(peer: Peer) -> Talk:
        yield Pause(20)
        yield from peer.upgrade()
        yield from peer.hear_end()

    def slow(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "posted":
            door.spend(15)

    door = PretendDoor(late, Timing(poll=None, ping_rate=0, open_timeout=30))
    door.at(1.0, lambda: door.post("slow"))
    door.at(2.0, lambda: door.post("slow"))
    door.at(60.0, door.force_disconnect)
    assert "ready" in names(door.play(slow))


def test_all_else_has_its_turn_between_two() -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(1)
        yield Say(b"".join(say(frames.TEXT, b"%d" % number).data for number in range(5)))
        yield from peer.hear_end()

    def post(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "ready":
            for number in range(5):
                door.post(number)
            door.spend(2)

    door = PretendDoor(talks, QUIET)
    door.at(10.0, door.force_disconnect)
    seen = door.play(post)
    found = [event.name for _, event in seen if event.name in ("text", "posted")]
    # It takes one look to have the messages.
    assert found == ["posted", "posted", *["text", "posted"] * 3, "text", "text"]
    assert [value for _, value in posted(seen)] == list(range(5))


def test_a_flood_keeps_no_ping_and_no_message_waiting() -> None:
    """Each handler posts the next one."""
    said: list[str] = []

    def post(door: PretendDoor, event: AnyEvent) -> None:
        said.append(event.name)
        if event.name in ("ready", "posted") and door.now < 100:
            door.spend(0.1)
            door.post("again")

    door = PretendDoor(answers_pings, Timing(poll=5, ping_rate=10, ping_timeout=5))
    door.at(100.5, door.close)
    seen = door.play(post)
    assert said.count("posted") > 900
    assert 18 <= said.count("poll") <= 21
    assert 9 <= said.count("pong") <= 10
    assert names(seen)[-2:] == ["closed", "disconnected"]


def test_no_pause_is_told_of() -> None:
    door = PretendDoor(is_silent, QUIET)
    for at in range(100, 120):
        for _ in range(3):
            door.at(float(at), lambda: door.post("x"))
    door.at(200.0, door.force_disconnect)
    seen = door.play()
    assert len(posted(seen)) == 60
    assert seen[-1][1].ending.pause is None


def test_nor_where_it_comes_between_what_was_asked_and_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As another thread may."""
    find = Session.deadline.fget
    assert find is not None

    def posts(session: Session) -> float | None:
        if door.now > 100 and not done:
            done.append(True)
            door.post("x")
        return find(session)

    done: list[bool] = []
    door = PretendDoor(is_silent, QUIET)
    door.at(120.0, door.send_ping)  # after which it is asked, with nothing due
    door.at(150.0, door.force_disconnect)
    monkeypatch.setattr(Session, "deadline", property(posts))
    seen = door.play()
    assert posted(seen) == [(pytest.approx(120, abs=0.01), "x")]
    assert seen[-1][1].ending.pause is None


def test_while_it_closes() -> None:
    door = PretendDoor(is_silent, Timing(poll=None, ping_rate=0, close_timeout=10))
    door.at(1.0, door.close)
    door.at(5.0, lambda: door.post("while it closes"))
    seen = door.play()
    assert posted(seen) == [(5.0, "while it closes")]
    assert seen[-1][0] == pytest.approx(11.0)


@pytest.mark.parametrize("talk", [accepts, closes])
def test_nothing_comes_behind_the_end(talk: Any) -> None:
    def post(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "disconnected":
            door.post("late")
        elif event.name == "ready":
            door.close()

    door = PretendDoor(talk, QUIET)
    seen = door.play(post)
    assert names(seen)[-1] == "disconnected"
    assert posted(seen) == []
    assert list(door.session.timers.posted or ()) == ["late"]


def test_what_is_posted_at_the_end_is_kept() -> None:
    def post(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "ready":
            door.force_disconnect()
            door.post("late")

    door = PretendDoor(is_silent, QUIET)
    seen = door.play(post)
    assert names(seen)[-2:] == ["ready", "disconnected"]
    assert list(door.session.timers.posted or ()) == ["late"]


def test_with_a_poll_at_each_turn() -> None:
    door = PretendDoor(answers_pings, Timing(poll=0, ping_rate=0))

    def post(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "poll":
            door.spend(0.5)

    door.at(3.0, lambda: door.post(1))
    door.at(3.0, lambda: door.post(2))
    door.at(10.0, door.close)
    found = posted(door.play(post))
    assert [value for _, value in found] == [1, 2]
    assert found[-1][0] <= 5.0


def test_an_event_of_it() -> None:
    event = Posted({"x": 1}, received_time=5.0)
    assert (event.name, event.value, event.received_time) == ("posted", {"x": 1}, 5.0)
    assert repr(event) == "Posted(value={'x': 1})"
    assert len(repr(Posted("x" * 10_000))) < 1000
    match event:
        case Posted(value):
            assert value == {"x": 1}
        case _:
            raise AssertionError


class TestAhead:
    """What may go on behind it while the user's task is elsewhere."""

    def test_behind_it_an_open_connection_goes_on(self) -> None:
        ahead = Ahead()
        assert not ahead.may_grow(Posted, False)
        ahead.session = PretendDoor(is_silent).session
        assert not ahead.may_grow(Posted, False)
        ahead.session.opened(1.0)
        assert ahead.may_grow(Posted, False)
        ahead.session.connection.has_ended = True
        assert not ahead.may_grow(Posted, False)

    def test_what_was_not_handed_out_goes_back(self) -> None:
        ahead, posts = Ahead(), deque([4])
        for event in (Connecting("ws://h/"), Posted(2), Poll(), Posted(3)):
            ahead.put(event)
        ahead.clear(posts)
        assert list(posts) == [2, 3, 4]
        assert not ahead.events
        ahead.put(Posted(5))
        ahead.clear()
        assert not ahead.events
