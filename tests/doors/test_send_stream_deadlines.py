"""What is due while a message is sent in fragments: in every door, in pretend time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import trio

from doors.pretended import PretendTime
from lomond import AsyncWebSocket, WebSocket
from lomond.errors import TransportFail, WebSocketClosing, WebSocketUnavailable
from lomond.protocol import frames
from lomond.testing.peer import Hear, Pause, Peer, Say, Talk, say

pytestmark = pytest.mark.every_door

STEP = 0.5  # seconds that the source takes for a piece
CLOSES = say(frames.CLOSE, code=1000).data
REFUSED = (TransportFail, WebSocketUnavailable)


def pings_each_second(peer: Peer) -> Talk:
    """It hangs up where a ping was not answered within a second."""
    yield from peer.upgrade()
    for _ in range(60):
        yield Say(say(frames.PING, b"?").data)
        yield Pause(1)
    yield Pause(5)
    yield Say(CLOSES)
    while (yield Hear()):
        pass


def says_nothing(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while (yield Hear()):
        pass


def closes_and_reads_nothing(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield Pause(5)
    yield Say(CLOSES)
    while True:
        yield Pause(1)


def pieces(clock: PretendTime, count: int) -> Iterator[bytes]:
    for _ in range(count):
        clock.spend(STEP)
        yield bytes(100)


async def slow_pieces(door: str, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        await (trio if door == "trio" else asyncio).sleep(STEP)
        yield bytes(100)


def upload(
    monkeypatch: pytest.MonkeyPatch,
    talk: Callable[[Peer], Talk],
    act: Callable[[PretendTime, Any], object],
    **connect: Any,
) -> tuple[list[Any], Any, float]:
    """Act at Ready; the events, the WebSocket, and how many seconds it took."""
    clock = PretendTime(talk)
    clock.install(monkeypatch)
    try:
        websocket: Any = WebSocket("ws://127.0.0.1/", socket=clock.sock, send_timeout=None)
        found: list[Any] = []
        for event in websocket.connect(**{"poll": None, "ping_rate": 0, **connect}):
            found.append(event)
            if event.name == "ready":
                act(clock, websocket)
            if event.name == "poll" and talk is says_nothing:
                websocket.close()
        return found, websocket, clock.now - clock.started
    finally:
        clock.close()


def test_an_upload_of_a_minute_is_not_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    def act(clock: PretendTime, websocket: Any) -> None:
        assert websocket.send_stream(pieces(clock, 120)) == 12_000

    found, websocket, _ = upload(
        monkeypatch, pings_each_second, act, poll=5, ping_rate=10, ping_timeout=8
    )
    names = [event.name for event in found]
    assert names.count("ping") == 60
    assert websocket.stats.sent.pongs == 60
    assert names[-2:] == ["closing", "disconnected"]
    if door in ("sync", "group"):  # in the others each step of the test has its own task
        assert websocket.ending.pause is None


@pytest.mark.doors("asyncio")
def test_nor_is_one_of_the_task_that_iterates(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> AsyncWebSocket:
        url = "ws://127.0.0.1/"
        async with AsyncWebSocket(url, socket=clock.sock) as websocket:
            async for event in websocket.connect(poll=5, ping_rate=10, ping_timeout=8):
                names.append(event.name)
                if event.name == "ready":
                    assert await websocket.send_stream(slow_pieces("asyncio", 120)) == 12_000
        return websocket

    names: list[str] = []
    clock = PretendTime(pings_each_second)
    clock.install(monkeypatch)
    try:
        websocket = asyncio.run(main())
    finally:
        clock.close()
    assert websocket.ending is not None
    assert websocket.ending.pause is None
    assert websocket.stats.sent.pongs == names.count("ping") == 60
    assert names[-2:] == ["closing", "disconnected"]


def test_polls_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(clock: PretendTime, websocket: Any) -> None:
        websocket.send_stream(pieces(clock, 120))

    found, _, _ = upload(monkeypatch, says_nothing, act, poll=5, close_timeout=1)
    assert [event.name for event in found].count("poll") <= 2


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_dead_server_ends_it(
    monkeypatch: pytest.MonkeyPatch, is_awaited: bool, door: str
) -> None:
    if is_awaited and door in ("sync", "group"):
        pytest.skip("no event loop")

    def act(clock: PretendTime, websocket: Any) -> None:
        source = slow_pieces(door, 120) if is_awaited else pieces(clock, 120)
        with pytest.raises(REFUSED):
            websocket.send_stream(source)
        assert clock.now - clock.started < 12

    found, websocket, _ = upload(monkeypatch, says_nothing, act, ping_rate=5, ping_timeout=3)
    assert [event.name for event in found][-2:] == ["unresponsive", "disconnected"]
    assert websocket.ending.deadline == "ping_timeout"


def test_a_close_ends_it_where_a_fragment_waits_half_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(clock: PretendTime, websocket: Any) -> None:
        with pytest.raises(WebSocketClosing):
            websocket.send_stream(bytes(100_000) for _ in range(1000))
        assert clock.now - clock.started < 6

    found, _, _ = upload(monkeypatch, closes_and_reads_nothing, act, close_timeout=3)
    assert [event.name for event in found][-2:] == ["closing", "disconnected"]


@pytest.mark.doors("asyncio", "trio")
def test_a_close_ends_it_where_the_source_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    is_closed: list[bool] = []

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await (trio if door == "trio" else asyncio).sleep(1000)
        finally:
            is_closed.append(True)

    def act(clock: PretendTime, websocket: Any) -> None:
        with pytest.raises(WebSocketClosing):
            websocket.send_stream(source())
        assert clock.now - clock.started < 6
        assert is_closed

    found, _, _ = upload(monkeypatch, closes_and_reads_nothing, act, close_timeout=3)
    assert [event.name for event in found][-2:] == ["closing", "disconnected"]
