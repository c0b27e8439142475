"""Servers that are no help behind Ready, through every door, in pretend time.

One that accepts the login and says nothing more; one that cuts whoever is silent, and takes no ping
for a word.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest

from doors.pretended import PretendTime
from lomond import WebSocket
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Talk, say

pytestmark = pytest.mark.every_door

URL = "ws://127.0.0.1/"
SILENCE = 3.0  # seconds
AT_ONCE: dict[str, Any] = {"min_wait": 0, "max_wait": 0}


def accepts_the_login(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b'{"op": "auth", "success": true}')
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode == frames.PING:
            yield say(frames.PONG, frame.payload)


def logs_in_and_subscribes(event: Any) -> Generator[Any, Any, None]:
    yield {"op": "auth", "key": "very secret"}
    answer = yield lambda event: event.name == "text" and event.json["op"] == "auth"
    assert answer.json["success"]
    yield {"op": "subscribe", "topic": "trades"}
    yield lambda event: event.name == "text" and event.json["op"] == "subscribe"


@pytest.mark.parametrize("poll", [None, 2.0])
def test_the_second_connection_follows_after_enter_timeout(
    monkeypatch: pytest.MonkeyPatch, poll: float | None
) -> None:
    clock = PretendTime(accepts_the_login)
    clock.install(monkeypatch)
    moments: list[tuple[str, float]] = []
    ending: Any = None
    try:
        websocket = WebSocket(URL, socket=clock.sock)
        stream = persist(websocket, enter=logs_in_and_subscribes, poll=poll, **AT_ONCE)
        for event in stream:
            moments.append((event.name, clock.now))
            if event.name == "back_off":
                ending = event.ending
            elif event.name == "connecting" and len(moments) > 1:
                break
        stream.close()
    finally:
        clock.close()
    names = [name for name, _ in moments]
    assert names == [
        "connecting", "connected", "ready", "text", "disconnected", "back_off", "connecting",
    ]  # fmt: skip
    ready = dict(moments[:4])["ready"]
    assert moments[-1][1] - ready == pytest.approx(10.0, abs=0.2)
    assert (ending.kind, ending.phase, ending.deadline) == ("timed_out", "enter", "enter_timeout")
    assert "it had sent an object with op, topic last" in str(ending)
    assert "secret" not in str(ending)


def cuts_the_silent(clock: list[PretendTime], gaps: list[float]) -> Any:
    """A server that answers each text, and cuts who says none for too long."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        last = clock[0].now
        while (frame := (yield from peer.hear_frame())) is not None:
            gaps.append(clock[0].now - last)
            if gaps[-1] > SILENCE:  # it would have been cut before this came
                yield End()
                return
            if frame.opcode == frames.TEXT:
                assert json.loads(frame.payload) == {"op": "ping"}
                last = clock[0].now
                yield say(frames.TEXT, b'{"op": "pong"}')
            elif frame.opcode == frames.CLOSE:
                yield say(frames.CLOSE, frame.payload)

    return talk


@pytest.mark.parametrize("beats", [True, False])
def test_a_server_that_cuts_after_silence_is_kept_by_ping_message(
    monkeypatch: pytest.MonkeyPatch, beats: bool
) -> None:
    clocks: list[PretendTime] = []
    gaps: list[float] = []
    clock = PretendTime(cuts_the_silent(clocks, gaps))
    clocks.append(clock)
    clock.install(monkeypatch)
    names: list[str] = []
    try:
        websocket = WebSocket(URL, socket=clock.sock)
        options: dict[str, Any] = {"poll": None, "ping_rate": 2}
        if beats:
            options |= {"ping_message": {"op": "ping"}, "ping_timeout": 2.5}
        began = clock.now
        for event in websocket.connect(**options):
            names.append(event.name)
            if names.count("text") == 50:
                websocket.close()
        ended = clock.now
    finally:
        clock.close()
    if beats:
        assert ended - began == pytest.approx(100.0, abs=1.0)
        assert names[-2:] == ["closed", "disconnected"]
        assert max(gaps) < SILENCE
    else:
        assert ended - began == pytest.approx(4.0, abs=0.2)
        assert names == ["connecting", "connected", "ready", "disconnected"]
        assert event.ending.kind == "lost"
