"""A program in trio that gives up on a server which answers no ping."""

import trio

from lomond import TrioWebSocket
from lomond.testing import Server, pretend


async def watch(url: str, seen: list[str]) -> None:
    """The program: what came, and how it ended."""
    async with TrioWebSocket(url) as websocket:
        async for event in websocket.connect(ping_rate=30, ping_timeout=20):
            if event.name == "text":
                seen.append(event.text)
            elif event.name == "unresponsive":
                seen.append("it does not answer")


def test_a_server_that_hangs() -> None:
    seen: list[str] = []
    with pretend(Server().says("hello").after(600).says("still here").stalls(3600)) as world:
        trio.run(watch, "wss://feed.example/", seen)
    assert seen == ["hello", "still here", "it does not answer"]
    assert 600 <= world.seconds < 700
