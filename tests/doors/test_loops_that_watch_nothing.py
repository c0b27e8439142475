"""asyncio's loops that can't watch sockets for others, as Windows' usual one."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from doors.loops import WatchesNothing, echo, until
from doors.raw_server import raw_server, read_all, refusing_port
from lomond.aio import AsyncWebSocket
from patience import PATIENCE


def run(act: Any) -> Any:
    loop = WatchesNothing()
    try:
        return loop.run_until_complete(asyncio.wait_for(act, PATIENCE))
    finally:
        for _ in range(3):
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.mark.parametrize("size", [1, 10_000_000])
def test_a_conversation(size: int) -> None:
    async def talk(url: str) -> list[str]:
        names = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None):
                names.append(event.name)
                if event.name == "ready":
                    await websocket.send_binary(bytes(size))  # which waits, if it is large
                elif event.name == "binary":
                    assert event.data == bytes(size)
                    await websocket.close()
        return names[3:]

    with raw_server(echo) as server:
        assert run(talk(server.url)) == ["binary", "closed", "disconnected"]


def test_a_server_that_is_not_there() -> None:
    async def talk(port: int) -> str:
        events = AsyncWebSocket(f"ws://127.0.0.1:{port}/").connect()
        return [event async for event in events][-1].reason  # type: ignore[union-attr]  # ConnectFail

    port = refusing_port()
    assert "refused" in run(talk(port))


def test_leaving_while_asyncio_takes_the_socket_over_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of a socket that is closed too early is another one's next."""
    connects = asyncio.BaseEventLoop.create_connection
    turns: list[int] = []
    wrong: list[object] = []

    async def create_connection(self: Any, *arguments: Any, **options: Any) -> Any:
        turns.append(0)
        return await connects(self, *arguments, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)

    async def leave(url: str, late: int) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: wrong.append(context))
        websocket = AsyncWebSocket(url)
        events = websocket.connect()
        iterating = asyncio.create_task(until(events, "disconnected"))
        while not turns:
            await asyncio.sleep(0)
        for _ in range(late):
            await asyncio.sleep(0)
        await events.aclose()
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            there.send(b"x")
            assert await asyncio.wait_for(loop.sock_recv(here, 1), PATIENCE) == b"x"
        with pytest.raises(AssertionError, match="no disconnected"):
            await iterating

    with raw_server(read_all) as server:
        for late in range(6):
            turns.clear()
            run(leave(server.url, late))
    assert wrong == []
