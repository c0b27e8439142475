"""A program in asyncio that beats its own heart: a day of it, in no time."""

import asyncio

from lomond import AsyncWebSocket
from lomond.testing import Server
from pytest_lomond import LomondWorld


async def beat(websocket: AsyncWebSocket) -> None:
    """Say every ten minutes that somebody is here."""
    while await websocket.wait_ready():
        await websocket.send_json({"op": "here"})
        await asyncio.sleep(600)


async def stay(url: str) -> None:
    """The program: a presence, with a task beside it."""
    async with AsyncWebSocket(url) as websocket:
        beating = asyncio.create_task(beat(websocket))
        async for event in websocket.connect(poll=None):
            if event.name == "text":
                await websocket.close()
        beating.cancel()


def test_a_day_of_it(lomond_world: LomondWorld) -> None:
    server = Server().after(24 * 3600).says("good night")
    world = lomond_world(server)
    asyncio.run(stay("wss://presence.example/"))
    assert round(world.hours) == 24
    assert len(server.heard) == 144
