"""The events of a Home Assistant that is scripted; tests/long has a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doors.peer_server import served
from examples.loaded import Hurried, example
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Say, Talk, say


def says(**message: Any) -> Say:
    return say(frames.TEXT, json.dumps(message).encode())


def hears(peer: Peer, **message: Any) -> Talk:
    frame = yield from peer.hear_until(frames.TEXT)
    assert frame is not None
    assert json.loads(frame.payload) == message


def logs_in(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield says(type="auth_required", ha_version="2026.11.0")
    yield from hears(peer, type="auth", access_token="token")
    yield says(type="auth_ok", ha_version="2026.11.0")
    yield from hears(peer, id=1, type="subscribe_events")
    yield says(id=1, type="result", success=True, result=None)


def happens(number: int) -> Say:
    return says(id=1, type="event", event={"event_type": "state_changed", "data": number})


def test_events_behind_a_restart_and_a_token_that_was_taken_back() -> None:
    def first(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield happens(1)
        yield End()

    def second(peer: Peer) -> Talk:
        yield from logs_in(peer)
        yield happens(2)
        yield happens(3)
        yield End()

    def third(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield says(type="auth_required", ha_version="2026.11.0")
        yield from hears(peer, type="auth", access_token="token")
        yield says(type="auth_invalid", message="Invalid access token or password")
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)

    scripts = iter([first, second, third])
    seen: list[Any] = []
    with served(lambda peer: next(scripts)(peer)) as server:
        heard = example("home_assistant").happenings(Hurried(server.url), "token")
        with pytest.raises(PermissionError, match="Invalid access token"):
            seen.extend(heard)
    assert [event.name for event in seen] == ["entered", "text", "entered", "text", "text"]
    texts = [event for event in seen if event.name == "text"]
    assert [event.json["event"]["data"] for event in texts] == [1, 2, 3]
    assert seen[0].gap is None
    assert seen[2].gap.since == texts[0].received_time
