"""Sends of asyncio's tasks that have to wait: what ends the wait, and what is told of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import pytest

from doors.loops import Run, until, watching
from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_request
from lomond.aio import AsyncWebSocket
from lomond.errors import WebSocketUnavailable
from lomond.protocol import frames
from patience import PATIENCE


@pytest.mark.parametrize("size", [40_000, 1_000_000])
def test_a_send_whose_rest_another_tasks_send_took_along_is_done(run: Run, size: int) -> None:
    """The system then has too little room, or none, to say again that it takes something."""
    buffer = 64 * 1024

    async def talk(ours: socket.socket, theirs: socket.socket) -> None:
        def drain(*_: object) -> None:
            with contextlib.suppress(BlockingIOError):
                while theirs.recv(65536):
                    pass

        loop = asyncio.get_running_loop()
        websocket = AsyncWebSocket("ws://x/", socket=ours, send_timeout=None)
        async with websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            accepting = asyncio.to_thread(lambda: accept_upgrade(theirs, read_request(theirs)))
            await asyncio.gather(until(events, "ready"), accepting)
            theirs.setblocking(False)
            while True:
                first = asyncio.create_task(websocket.send_binary(bytes(10_000)))
                await asyncio.sleep(0)
                if not first.done():
                    break
            for _ in range(9):  # in which the connection has said all that it is waiting for
                await asyncio.sleep(0)
            drain()  # there is room for the rest of the first, and something more
            # Without a turn of the loop, in which it would see that:
            second = websocket.send_binary(bytes(size))
            first.add_done_callback(lambda _: watching(loop).add_reader(theirs, drain))
            await second
            await first
            watching(loop).remove_reader(theirs)

    ours, theirs = socket.socketpair()
    with theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        run(talk(ours, theirs))


def test_what_a_send_that_waits_has_written_is_traced_when_it_is_done(run: Run) -> None:
    size = 8_000_000
    written: list[int] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x") * 20)  # more than wait for the task
        read_all(connection)

    def trace(record: dict[str, Any]) -> None:
        if record["stage"] == "socket_send":
            written.append(record["length"])

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url, trace=trace, send_timeout=None) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text")
            for _ in range(9):  # in which the others are looked at: only the send goes on then
                await asyncio.sleep(0)
            written.clear()
            await websocket.send_binary(bytes(size))
            assert sum(written) > size

    with raw_server(serve) as server:
        run(talk(server.url))


def test_a_send_without_a_connection_is_refused_when_it_is_awaited(run: Run) -> None:
    async def talk() -> None:
        task = asyncio.create_task(AsyncWebSocket("ws://127.0.0.1:9/").send_text("x"))
        with pytest.raises(WebSocketUnavailable, match="not connected"):
            await task

    run(talk())


def test_a_send_is_for_the_connection_that_there_was_when_it_was_called(run: Run) -> None:
    heard: list[list[bytes]] = []

    def serve(connection: socket.socket) -> None:
        heard.append([payload for opcode, payload in read_all(connection) if opcode == frames.TEXT])

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            await until(websocket.connect(poll=None, ping_rate=0), "ready")
            sent = websocket.send_text("to the first")
            await until(websocket.connect(poll=None, ping_rate=0), "ready")
            with pytest.raises(WebSocketUnavailable):
                await sent
            await websocket.send_text("to the second")

    with raw_server(serve) as server:
        run(talk(server.url))
    assert sorted(heard) == [[], [b"to the second"]]


def test_a_send_that_was_cancelled_may_have_arrived() -> None:
    """It goes out all the same, as far as the connection lasts, and a pong confirms it too."""
    gone = threading.Event()

    async def act(url: str) -> int:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "ready":
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(websocket.send_binary(bytes(30_000_000)), 0.1)
                    gone.set()
        assert websocket.ending is not None
        return websocket.ending.unconfirmed

    with raw_server(lambda _: gone.wait(PATIENCE)) as server:
        assert asyncio.run(act(server.url)) == 30_000_000
