"""A client that asks in asyncio: answers come in another order, and one never comes."""

import asyncio
from typing import Any

import pytest

from lomond import AsyncWebSocket
from lomond.errors import NoReply
from lomond.testing import Conversation, Turns
from pytest_lomond import LomondWorld


async def call(websocket: AsyncWebSocket, number: int, method: str) -> Any:
    """The program: one call, which is answered within ten seconds."""
    request = {"id": number, "method": method}
    answer: Any = await websocket.ask(request, reply=("id", number), within=10)
    return answer.json["result"]


def talk(peer: Conversation) -> Turns:
    asked = []
    for _ in range(3):
        heard = yield from peer.hear()
        asked.append(heard.json)
    for one in asked[1::-1]:  # the second one first, and the third one never
        yield peer.say({"id": one["id"], "result": one["method"].upper()})


async def main() -> None:
    async with AsyncWebSocket("wss://rpc.example/") as websocket:
        async for event in websocket:
            if event.name == "ready":
                calls = [call(websocket, n, method) for n, method in enumerate("abc")]
                first, second, third = await asyncio.gather(*calls, return_exceptions=True)
                assert (first, second) == ("A", "B")
                with pytest.raises(NoReply):
                    raise third
                await websocket.close()


def test_answers_find_their_calls(lomond_world: LomondWorld) -> None:
    world = lomond_world(talk)
    asyncio.run(main())
    assert 10 <= world.seconds < 11
