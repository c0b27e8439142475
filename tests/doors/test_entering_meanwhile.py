"""What comes while `enter` awaits something of the program's own, or is left: nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import Any

import pytest

from doors.peer_server import served
from lomond import AsyncWebSocket, WebSocket
from lomond.protocol import frames
from lomond.testing.peer import Peer, Say, Talk, say
from patience import PATIENCE
from scripted import is_silent

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
COUNT = 100


def talks(peer: Peer) -> Talk:
    """Says more than is held, at once."""
    yield from peer.upgrade()
    yield Say(b"".join(say(frames.TEXT, b"%d" % number).data for number in range(COUNT)))
    yield from peer.hear_end()


async def found_by(url: str, wanted: str, options: dict[str, Any]) -> list[Any]:
    """What comes of those events, where `enter` awaits for a while."""

    async def enter(_: Any) -> AsyncGenerator[Any, Any]:
        for number in range(COUNT):
            if wanted == "posted":
                websocket.post(number)
        await asyncio.sleep(0.3)
        yield "hello"

    found: list[Any] = []
    async with AsyncWebSocket(url) as websocket:
        async for event in websocket.connect(enter=enter, **options):
            if event.name == wanted:
                found.append(int(event.text) if event.name == "text" else event.value)
                if len(found) == COUNT:
                    return found
    return found


@pytest.mark.parametrize("pings", [{"ping_rate": 0.05}, {"ping_rate": 0.05, "ping_message": "x"}])
def test_no_message_is_lost_to_a_ping(pings: dict[str, Any]) -> None:
    with served(talks) as server:
        found = found_by(server.url, "text", {"poll": None, **pings})
        assert asyncio.run(asyncio.wait_for(found, PATIENCE)) == list(range(COUNT))


def test_nothing_is_lost_that_is_posted() -> None:
    with served(is_silent) as server:
        found = found_by(server.url, "posted", QUIET)
        assert asyncio.run(asyncio.wait_for(found, PATIENCE)) == list(range(COUNT))


def test_what_was_held_meanwhile_is_for_the_next_loop() -> None:
    async def follow(url: str) -> list[Any]:
        async def enter(_: Any) -> AsyncGenerator[Any, Any]:
            for number in range(COUNT):
                websocket.post(number)
            await asyncio.sleep(PATIENCE)
            yield "hello"

        found: list[Any] = []
        async with AsyncWebSocket(url) as websocket:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    async for event in websocket.connect(enter=enter, **QUIET):
                        assert event.name != "posted"
            async for event in websocket.connect(**QUIET):
                if event.name == "posted":
                    found.append(event.value)
                    if event.value == COUNT - 1:
                        return found
        raise AssertionError

    with served(is_silent) as server:
        found = asyncio.run(asyncio.wait_for(follow(server.url), PATIENCE))
    assert found == list(range(COUNT))


@pytest.mark.every_door
def test_what_is_posted_may_be_waited_for() -> None:
    def enter(_: Any) -> Generator[Any, Any, None]:
        websocket.post("token")
        event = yield lambda event: event.name == "posted"
        yield event.value

    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        names = []
        for event in websocket.connect(enter=enter, **QUIET):
            names.append(event.name)
            if event.name == "entered":
                break
    assert names == ["connecting", "connected", "ready", "posted", "entered"]


@pytest.mark.every_door
def test_what_is_posted_is_kept_where_the_loop_is_left_meanwhile() -> None:
    def enter(_: Any) -> Generator[Any, Any, None]:
        for number in range(3):
            websocket.post(number)
        yield lambda event: event.name == "posted" and event.value == 2

    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(enter=enter, **QUIET)
        while next(stream).name != "posted":
            pass
        stream.close()
        stream = websocket.connect(**QUIET)
        found = []
        for event in stream:
            if event.name == "posted":
                found.append(event.value)
                if event.value == 2:
                    break
        stream.close()
    assert found == [1, 2]
