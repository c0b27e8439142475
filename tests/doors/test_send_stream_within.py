"""A message from a source on each connection of persist, and within `enter`: in each door."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from lomond import AsyncWebSocket, WebSocket
from lomond.testing import serve

DATA = bytes(300_000)


def blocking(url: str, enter: bool) -> list[Any]:
    websocket = WebSocket(url)
    found: list[Any] = []

    def entering(_: Any) -> Generator[Any, Any, None]:
        yield "hi"
        assert websocket.send_stream(io.BytesIO(DATA)) == len(DATA)
        yield "bye"

    again = {"min_wait": 0.01, "max_wait": 0.01, "max_attempts": 2}
    for event in websocket.connect(enter=entering) if enter else websocket.persist(**again):
        if event.name == "ready" and not enter:
            assert websocket.send_stream(io.BytesIO(DATA)) == len(DATA)
        elif event.name in ("text", "binary"):
            found.append(event.data if event.name == "binary" else event.text)
    return found


async def awaited(kind: Any, url: str, enter: bool) -> list[Any]:
    found: list[Any] = []
    async with kind(url) as websocket:

        async def entering(_: Any) -> AsyncGenerator[Any, Any]:
            yield "hi"
            assert await websocket.send_stream(io.BytesIO(DATA)) == len(DATA)
            yield "bye"

        again = {"min_wait": 0.01, "max_wait": 0.01, "max_attempts": 2}
        events = websocket.connect(enter=entering) if enter else websocket.persist(**again)
        async for event in events:
            if event.name == "ready" and not enter:
                assert await websocket.send_stream(io.BytesIO(DATA)) == len(DATA)
            elif event.name in ("text", "binary"):
                found.append(event.data if event.name == "binary" else event.text)
    return found


def in_trio(url: str, enter: bool) -> list[Any]:
    trio = pytest.importorskip("trio")
    from lomond import TrioWebSocket

    found: list[Any] = trio.run(awaited, TrioWebSocket, url, enter)
    return found


WAYS: dict[str, Callable[[str, bool], list[Any]]] = {
    "blocking": blocking,
    "asyncio": lambda url, enter: asyncio.run(awaited(AsyncWebSocket, url, enter)),
    "trio": in_trio,
}


@pytest.mark.parametrize("way", WAYS)
def test_on_each_connection_of_persist(way: str) -> None:
    def talk(peer: Any) -> Any:
        heard = yield peer.hear(DATA)
        yield peer.say(heard.data)
        yield peer.close(1011)

    with serve(talk) as served:
        assert WAYS[way](served.url, False) == [DATA, DATA]


@pytest.mark.parametrize("way", WAYS)
def test_within_enter(way: str) -> None:
    def talk(peer: Any) -> Any:
        yield peer.hear("hi")
        yield peer.hear(DATA)
        yield peer.hear("bye")
        yield peer.say("done")
        yield peer.close()

    with serve(talk) as served:
        assert WAYS[way](served.url, True) == ["done"]
