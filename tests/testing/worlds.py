"""Servers for the pretend world, and programs that connect to them by each door."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import trio

from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.protocol import frames
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say

URL = "wss://feed.example/"
QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


class Plays:
    """A server that plays a script.

    Arguments:
        talk: The script.
        has: What else the world looks for.
    """

    def __init__(self, talk: Callable[[Peer], Talk], **has: Any) -> None:
        self.talk = talk
        vars(self).update(has)


def greets(peer: Peer) -> Talk:
    """Says one text, and closes an hour later."""
    yield from peer.upgrade()
    yield say(frames.TEXT, b"hello")
    yield Pause(3600)
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_end()


def feeds(peer: Peer) -> Talk:
    """Answers pings for an hour, and cuts."""
    yield from peer.upgrade()
    for _ in range(120):
        frame = yield from peer.hear_until(frames.PING)
        if frame is None:
            return
        yield say(frames.PONG, frame.payload)
    yield End()


def answers(peer: Peer) -> Talk:
    """Answers each text by the same."""
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode in (frames.TEXT, frames.PING, frames.CLOSE):
            yield say(frames.PONG if frame.opcode == frames.PING else frame.opcode, frame.payload)


def refuses(peer: Peer) -> Talk:
    """Has no room, and says when to come again."""
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n")


def is_mute(peer: Peer) -> Talk:
    """Waits for a message."""
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)


def never_runs(peer: Peer) -> Talk:
    """Is not connected to."""
    raise AssertionError("it was connected")
    yield Pause(0)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is connected, or bound, and no name is asked for."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("this is the network")

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, fail, raising=False)
    for name in ("getaddrinfo", "create_connection", "create_server", "gethostbyname"):
        monkeypatch.setattr(socket, name, fail)


# Programs: each gives what it has seen, as soon as `is_enough` says so of an event.

IsEnough = Callable[[Any], object]


def by_thread(is_enough: IsEnough, persists: bool = False, **options: Any) -> list[Any]:
    seen: list[Any] = []
    websocket = WebSocket(URL)
    options = {"poll": None, **options}
    events = websocket.persist(**options) if persists else websocket.connect(**options)
    for event in events:
        seen.append(event)
        if is_enough(event):
            break
    events.close()
    return seen


def by_group(is_enough: IsEnough, persists: bool = False, **options: Any) -> list[Any]:
    seen: list[Any] = []
    with WebSocketGroup() as group:
        (group.persist if persists else group.add)(WebSocket(URL), **{"poll": None, **options})
        for _, event in group:
            seen.append(event)
            if is_enough(event):
                break
    return seen


async def by_task(
    websocket: Any, is_enough: IsEnough, persists: bool, options: dict[str, Any]
) -> list[Any]:
    seen: list[Any] = []
    options = {"poll": None, **options}
    async with websocket:
        events = websocket.persist(**options) if persists else websocket.connect(**options)
        async for event in events:
            seen.append(event)
            if is_enough(event):
                break
    return seen


def by_asyncio(is_enough: IsEnough, persists: bool = False, **options: Any) -> list[Any]:
    return asyncio.run(by_task(AsyncWebSocket(URL), is_enough, persists, options))


def by_trio(is_enough: IsEnough, persists: bool = False, **options: Any) -> list[Any]:
    found: list[Any] = trio.run(by_task, TrioWebSocket(URL), is_enough, persists, options)
    return found


PROGRAMS: dict[str, Callable[..., list[Any]]] = {
    "thread": by_thread,
    "group": by_group,
    "asyncio": by_asyncio,
    "trio": by_trio,
}
every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def names_of(events: list[Any]) -> list[str]:
    return [event.name for event in events if event.name not in ("poll", "pong")]


def never(_: Any) -> bool:
    return False
