"""What a message and an opening cost in Python calls, rooms and moves between rooms.

A call is one of lomond's own functions, a room one of its modules, a move a call from another room
than the last one's. Counted on the pure twin they are what a reader has to follow; the compiled one
is to have few left.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

from doors.peer_server import served
from lomond import AsyncWebSocket, WebSocket, WebSocketGroup, twin
from lomond.protocol import frames
from lomond.testing.peer import Pause, Peer, Talk, say
from scripted import is_silent

MESSAGES = 4000
ONE_BY_ONE = 30
QUIET: dict[str, Any] = {"ping_rate": 0, "poll": None}
is_pure = twin.running == "pure"


@dataclass(frozen=True, order=True)
class Way:
    """The calls from one moment to another.

    Attributes:
        calls: How many.
        rooms: In how many modules.
        moves: How often in another one than the call before.
    """

    calls: int
    rooms: int
    moves: int


class Calls:
    """Those of lomond's own functions in this thread, while it looks."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self.ways: list[Way] = []

    def _count(self, frame: FrameType, kind: str, argument: object) -> None:
        if kind == "call":
            name = frame.f_globals.get("__name__", "")
            if name.startswith("lomond."):
                self._names.append(name)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Count in here."""
        sys.setprofile(self._count)
        try:
            yield
        finally:
            sys.setprofile(None)

    def begin(self) -> None:
        """A way begins."""
        self._names.clear()

    def end(self) -> Way:
        """It is over."""
        names = list(self._names)
        moves = sum(name != last for name, last in zip(names[1:], names[:-1], strict=True))
        self.ways.append(Way(len(names), len(set(names)), moves))
        return self.ways[-1]

    def usual(self) -> Way:
        """The way of most: one that the machine keeps waiting looks more often."""
        return sorted(self.ways)[len(self.ways) // 2]


def _one_by_one(wanted: threading.Semaphore) -> Callable[[Peer], Talk]:
    """A server that says a text when it is wanted, which is when the client waits for it."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(ONE_BY_ONE):
            wanted.acquire()
            yield Pause(0.003)
            yield say(frames.TEXT, b"x" * 100)
        yield from peer.hear_end()

    return talk


def _on_sync(url: str, react: Callable[[Any], bool]) -> None:
    stream = WebSocket(url).connect(**QUIET)
    for event in stream:
        if react(event):
            break
    stream.close()


def _on_group(url: str, react: Callable[[Any], bool]) -> None:
    group = WebSocketGroup()
    group.add(WebSocket(url), **QUIET)
    for _, event in group:
        if react(event):
            break
    group.close()


def _on_asyncio(url: str, react: Callable[[Any], bool]) -> None:
    async def follow() -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(**QUIET):
                if react(event):
                    break

    asyncio.run(follow())


@pytest.mark.parametrize(
    ("follow", "pure", "compiled"),
    [
        pytest.param(_on_sync, Way(11, 5, 6), 1, id="sync"),
        pytest.param(_on_group, Way(21, 7, 10), 13, id="group"),
        pytest.param(_on_asyncio, Way(25, 9, 14), 2, id="asyncio"),
    ],
)
def test_a_text_that_comes_alone_costs_few_calls(
    follow: Callable[[str, Callable[[Any], bool]], None], pure: Way, compiled: int
) -> None:
    wanted = threading.Semaphore(0)
    calls = Calls()
    texts = 0

    def react(event: Any) -> bool:
        nonlocal texts
        if event.name == "text":
            calls.end()
            texts += 1
        if event.name in ("ready", "text"):
            wanted.release()
            calls.begin()
        return texts == ONE_BY_ONE

    with served(_one_by_one(wanted)) as server, calls.looking():
        follow(server.url, react)
    way = calls.usual()
    print("WAY", way)
    if is_pure:
        assert way.calls <= pure.calls
        assert way.rooms <= pure.rooms
        assert way.moves <= pure.moves
    else:
        assert way.calls <= compiled


def test_a_send_costs_few_calls() -> None:
    calls = Calls()
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(**QUIET):
            if event.name == "ready":
                for _ in range(ONE_BY_ONE):
                    with calls.looking():
                        calls.begin()
                        websocket.send_text("x" * 100)
                        calls.end()
                break
    way = calls.usual()
    print("WAY", way)
    assert way.calls <= (11 if is_pure else 1)
    assert way.rooms <= (8 if is_pure else 1)


def test_a_send_in_asyncio_costs_few_calls() -> None:
    calls = Calls()

    async def follow(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(**QUIET):
                if event.name == "ready":
                    for _ in range(ONE_BY_ONE):
                        with calls.looking():
                            calls.begin()
                            await websocket.send_text("x" * 100)
                            calls.end()
                    break

    with served(is_silent) as server:
        asyncio.run(follow(server.url))
    way = calls.usual()
    print("WAY", way)
    assert way.calls <= (15 if is_pure else 3)
    assert way.rooms <= (11 if is_pure else 3)


def test_a_received_text_of_a_burst_costs_few_calls() -> None:
    def burst(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(MESSAGES // 100):
            yield say(frames.TEXT, b"x" * 100)._replace(
                data=frames.build(frames.TEXT, b"x" * 100, None) * 100
            )
        yield from peer.hear_end()

    calls = Calls()
    with served(burst) as server:
        stream = WebSocket(server.url).connect(**QUIET)
        while next(stream).name != "ready":
            pass
        with calls.looking():
            calls.begin()
            for _ in range(MESSAGES):
                assert next(stream).name == "text"
            way = calls.end()
        stream.close()
    assert way.calls / MESSAGES <= (2 if not is_pure else 6)


def test_a_compressed_text_of_a_burst_costs_few_calls() -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    text = b"x" * 100
    payload = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    texts = frames.build(frames.TEXT | frames.RSV1, payload, None) * 100

    def burst(peer: Peer) -> Talk:
        agreed = b"permessage-deflate; server_no_context_takeover"
        yield from peer.upgrade(b"Sec-WebSocket-Extensions: " + agreed + b"\r\n")
        for _ in range(MESSAGES // 100):
            yield say(frames.TEXT, text)._replace(data=texts)
        yield from peer.hear_end()

    calls = Calls()
    with served(burst) as server:
        stream = WebSocket(server.url, compress=True).connect(**QUIET)
        while next(stream).name != "ready":
            pass
        with calls.looking():
            calls.begin()
            for _ in range(MESSAGES):
                assert next(stream).name == "text"
            way = calls.end()
        stream.close()
    assert way.calls / MESSAGES <= (2 if not is_pure else 6)


def test_opening_costs_few_calls() -> None:
    """From the constructor to the first event, and to Ready."""
    firsts, calls = Calls(), Calls()
    for _ in range(4):  # the first one imports; one that the machine keeps waiting looks more often
        with served(is_silent) as server, calls.looking():
            calls.begin()
            stream = iter(WebSocket(server.url))
            assert next(stream).name == "connecting"
            calls.end()
            firsts.ways.append(calls.ways.pop())
            while next(stream).name != "ready":
                pass
            calls.end()
            stream.close()
    print("WAY", min(firsts.ways), min(calls.ways))
    assert min(firsts.ways).calls <= (42 if not is_pure else 55)
    assert min(calls.ways).calls <= (150 if not is_pure else 200)
