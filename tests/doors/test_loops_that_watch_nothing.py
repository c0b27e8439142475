"""asyncio's loops that can't watch sockets for others, as Windows' usual one."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from doors.loops import echo
from doors.raw_server import raw_server
from lomond.aio import AsyncWebSocket
from patience import PATIENCE


class Loop(asyncio.SelectorEventLoop):
    """Has a proactor's way with those who ask."""

    def add_reader(self, *arguments: Any) -> None:
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader  # type: ignore[assignment]  # as above


def run(act: Any) -> Any:
    loop = Loop()
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

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "refused" in run(talk(port))
