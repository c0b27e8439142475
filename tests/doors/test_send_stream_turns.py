"""Others' messages wait while one is sent in fragments; control frames do not."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_request
from doors.tapped import in_thread
from doors.test_send_stream import Closed, heard
from lomond import AsyncWebSocket, WebSocket
from lomond.errors import WebSocketUnavailable
from lomond.protocol import frames
from patience import PATIENCE

pytestmark = pytest.mark.threads

Handler = Callable[[socket.socket], None]


def hears(count: int, into: list[Any]) -> Handler:
    """Hears so many messages and pings, and closes."""

    def hear(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        for _ in range(count):
            into.append(heard(connection))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    return hear


def test_another_threads_message_waits_and_its_ping_does_not() -> None:
    said: list[Any] = []
    go_on, has_begun = threading.Event(), threading.Event()

    def source() -> Iterator[bytes]:
        yield b"1"
        has_begun.set()
        assert go_on.wait(PATIENCE)
        yield b"2"

    with raw_server(hears(7, said), upgrades=False) as server:
        websocket = WebSocket(server.url)
        others: list[Any] = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name != "ready":
                continue
            others.append(in_thread(websocket.send_stream, source()))
            assert has_begun.wait(PATIENCE)
            others.append(in_thread(websocket.send_text, "waits"))
            others.append(in_thread(websocket.send_stream, [b"too"]))
            websocket.send_ping(b"now")
            others[1].join(0.05)
            assert others[1].is_alive()
            go_on.set()
        for other in others:
            other.join(PATIENCE)
    firsts = [one.first for one in said]
    assert firsts[:4] == [2, 0x89, 0, 0x80]
    assert firsts[4:] in ([0x81, 2, 0x80], [2, 0x80, 0x81])


def test_who_waits_for_its_turn_is_told_of_the_end() -> None:
    has_begun, goes, is_over = threading.Event(), threading.Event(), threading.Event()

    def cuts(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        heard(connection)
        assert goes.wait(PATIENCE)

    def source() -> Iterator[bytes]:
        yield b"1"
        has_begun.set()
        assert is_over.wait(PATIENCE)
        yield b"2"

    errors: list[BaseException] = []

    def sends(send: Callable[..., object], what: object) -> None:
        try:
            send(what)
        except WebSocketUnavailable as error:
            errors.append(error)

    with raw_server(cuts, upgrades=False) as server:
        websocket = WebSocket(server.url)
        streaming: Any = None
        waiting: Any = None
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                streaming = in_thread(sends, websocket.send_stream, source())
                assert has_begun.wait(PATIENCE)
                waiting = in_thread(sends, websocket.send_text, "never")
                waiting.join(0.05)
                assert waiting.is_alive()
                goes.set()
        waiting.join(PATIENCE)
        assert not waiting.is_alive()
        assert len(errors) == 1
        is_over.set()
        streaming.join(PATIENCE)
        assert not streaming.is_alive()
    assert len(errors) == 2


def run(act: Callable[[AsyncWebSocket], Any], count: int) -> list[Any]:
    said: list[Any] = []

    async def main(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "ready":
                    await act(websocket)

    with raw_server(hears(count, said), upgrades=False) as server:
        asyncio.run(asyncio.wait_for(main(server.url), PATIENCE))
    return said


def test_another_tasks_message_waits_and_its_ping_does_not() -> None:
    async def act(websocket: AsyncWebSocket) -> None:
        go_on = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield b"1"
            await go_on.wait()
            yield b"2"

        stream = asyncio.create_task(websocket.send_stream(source()))
        await asyncio.sleep(0.01)
        text = asyncio.create_task(websocket.send_text("waits"))
        many = asyncio.create_task(websocket.send_many(["many"]))
        await websocket.send_ping(b"now")
        await asyncio.sleep(0.01)
        assert not text.done()
        go_on.set()
        assert await stream == 2
        await text
        await many

    firsts = [one.first for one in run(act, 6)]
    assert firsts == [2, 0x89, 0, 0x80, 0x81, 0x81]


def test_a_cancelled_task_closes_the_connection_and_its_source() -> None:
    ended: list[bool] = []

    async def act(websocket: AsyncWebSocket) -> None:
        async def source() -> AsyncIterator[bytes]:
            try:
                yield b"1"
                await asyncio.sleep(PATIENCE)
            finally:
                ended.append(True)

        stream = asyncio.create_task(websocket.send_stream(source()))
        await asyncio.sleep(0.01)
        stream.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stream

    said = run(act, 2)
    assert ended == [True]
    assert [one.first for one in said] == [2, 0x88]
    assert said[1].payload[:2] == (1011).to_bytes(2, "big")


def test_other_tasks_go_on_while_a_source_that_never_waits_is_sent() -> None:
    turns: list[int] = []

    async def act(websocket: AsyncWebSocket) -> None:
        async def counts() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        other = asyncio.create_task(counts())
        await websocket.send_stream(bytes(10_000) for _ in range(2000))
        other.cancel()

    run(act, 2001)
    assert len(turns) > 5


def test_an_interrupted_source_gives_the_turn_back() -> None:
    said: list[Any] = []
    one = Closed(iter(()))

    def interrupted() -> Iterator[bytes]:
        yield from one.source()
        raise KeyboardInterrupt

    with raw_server(hears(1, said), upgrades=False) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                with pytest.raises(KeyboardInterrupt):
                    websocket.send_stream(interrupted())
                websocket.send_text("goes on")
    assert [one.payload for one in said] == [b"goes on"]
    assert one.is_closed
