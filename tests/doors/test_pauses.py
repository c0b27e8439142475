"""How long nobody looked at the socket, and what is said of it. In pretend time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from doors.pretended import PretendTime
from doors.raw_server import frame, raw_server, read_frame
from lomond import WebSocket, WebSocketGroup
from lomond.options import Timing
from lomond.protocol import frames
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Say, Talk
from patience import PATIENCE

QUIET: dict[str, Any] = {"ping_rate": 0}


def says(*items: Any) -> Any:
    """A script that says so many texts, pauses so long, and hangs up."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for item in items:
            if isinstance(item, float):
                yield Pause(item)
            else:
                yield Say(frames.build(frames.TEXT, b"x", None) * item)
        yield End()

    return talk


def ending_of(talk: Any, handler: float, poll: float | None, *names: str) -> Any:
    """How it ends where the handlers of the first text, or of these in turn, take so long."""
    door = PretendDoor(talk, Timing(poll=poll, **QUIET))
    left = list(names or ["text"])

    def act(door: PretendDoor, event: Any) -> None:
        if left and event.name == left[0]:
            del left[0]
            door.spend(handler)

    (_, last) = door.play(act)[-1]
    return last.ending


@pytest.mark.parametrize("poll", [None, 5])
@pytest.mark.parametrize("seconds", [0.5, 31.0])
def test_a_slow_handler(seconds: float, poll: float | None) -> None:
    ending = ending_of(says(1, 0.1, 1, 10.0), seconds, poll)
    if seconds < 1:
        assert ending.pause is None
        return
    assert ending.pause.seconds == pytest.approx(seconds, abs=0.2)
    # Though with polls one was due, and came before the next look: that took no time.
    assert (ending.pause.events, ending.pause.last) == (1, "text")
    assert "your handler of text took 31 s" in (ending.hint or "")


def test_many_events() -> None:
    ending = ending_of(says(3, 0.1, 1, 1.0), 12.0, None)
    assert (ending.pause.events, ending.pause.last) == (3, "text")
    assert "your program spent 12 s on 3 events, the last of them text" in ending.hint


def test_a_slow_handler_of_ready() -> None:
    ending = ending_of(says(0.1, 1, 10.0), 31.0, None, "ready")
    assert (ending.pause.events, ending.pause.last) == (1, "ready")
    assert "your handler of ready took 31 s" in ending.hint


def test_a_slow_handler_of_what_was_due_behind_another_one() -> None:
    ending = ending_of(says(1, 0.1, 1, 10.0), 16.0, 5, "text", "poll")
    assert ending.pause.seconds == pytest.approx(32.0, abs=0.2)
    assert (ending.pause.events, ending.pause.last) == (2, "poll")


def test_what_is_long_over_was_no_reason() -> None:
    ending = ending_of(says(1, 0.1, 1, 90.0), 12.0, 5)
    assert ending.pause.seconds == pytest.approx(12.0, abs=0.2)
    assert "handler" not in (ending.hint or "")


@pytest.mark.parametrize("poll", [None, 5])
def test_to_wait_is_no_pause(poll: float | None) -> None:
    assert ending_of(says(1, 100.0, 1, 100.0), 0.0, poll).pause is None


@pytest.mark.every_door
def test_a_handler_that_blocks_in_each_door() -> None:
    """With its keepalive, so that whoever waits elsewhere knows when to look."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        read_frame(connection)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=0.1, ping_rate=0):
            if event.name == "text":
                time.sleep(1.3)
                websocket.send_text("go")
        assert websocket.ending is not None
        pause = websocket.ending.pause
    assert pause is not None
    assert 1.0 <= pause.seconds < 1.3 + PATIENCE
    assert pause.events >= 1


def test_in_a_group_a_handler_of_another_connection_is_not_this_ones() -> None:
    is_over, may_end = threading.Event(), threading.Event()

    def serve_this(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        may_end.wait(PATIENCE)

    def serve_other(connection: socket.socket) -> None:
        is_over.wait(PATIENCE)
        connection.sendall(frame(frames.TEXT, b"x"))
        may_end.wait(PATIENCE)

    with raw_server(serve_this) as server, raw_server(serve_other) as other_server:
        this, other = WebSocket(server.url), WebSocket(other_server.url)
        group = WebSocketGroup()
        group.add(this, poll=0.1, ping_rate=0)
        group.add(other, poll=None, ping_rate=0)
        for websocket, event in group:
            if websocket is this and event.name == "text":
                is_over.set()
            if websocket is other and event.name == "text":
                time.sleep(1.3)
                may_end.set()
    assert this.ending is not None
    assert this.ending.pause is not None
    assert this.ending.pause[1:] == (0, None)


class Stops(PretendTime):
    """A clock that goes on for 31 s once more while somebody waits: the machine was elsewhere."""

    left = 0.0  # seconds

    def wait(self, look: Callable[[], Any], seconds: float | None) -> Any:
        found = super().wait(look, seconds)
        if seconds is not None and seconds > 1:
            self.now += self.left
            self.left = 0.0
        return found


@pytest.mark.doors("sync")
@pytest.mark.every_door
def test_no_handler_is_blamed_that_was_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Stops(says(1, 50.0))
    clock.install(monkeypatch)
    try:
        websocket = WebSocket("ws://peer.example/", socket=clock.sock)
        for event in websocket.connect(poll=5.0, **QUIET):
            if event.name == "text":
                clock.left = 31.0
    finally:
        clock.close()
    assert websocket.ending is not None
    assert websocket.ending.pause is not None
    assert websocket.ending.pause[1:] == (0, None)
    assert "no handler of it was at work" in str(websocket.ending.hint)
