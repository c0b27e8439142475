"""A worker of a bridge: feeds are shared out over processes, and published to NATS JetStream.

Two workers read each feed. Both publish all of it, and JetStream drops what it has, by the id: so
nothing is there twice, and nothing is missing where one worker is killed. Start each of three with
its number, and all feeds:

python bridge.py nats://127.0.0.1:4222 --worker 1 --of 3 a=wss://feed.example/a b=wss://...
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping
from zlib import crc32

import nats
from nats.errors import Error
from nats.js import JetStreamContext

from lomond import AsyncWebSocket

READERS = 2  # workers that read each feed


def share(feeds: Mapping[str, str], worker: int, workers: int) -> dict[str, str]:
    """The feeds that a worker reads, each a name and its URL; the first worker is 1."""
    return {
        name: url
        for name, url in feeds.items()
        if (worker - 1 - crc32(name.encode())) % workers < READERS
    }


async def publish(stream: JetStreamContext, name: str, number: object, text: str) -> None:
    """Have JetStream keep a message, however often that takes: with its id it is kept once."""
    headers = {"Nats-Msg-Id": f"{name} {number}"}
    while True:
        try:
            await stream.publish(f"feeds.{name}", text.encode(), headers=headers)
        except Error as error:  # it may be there, or not
            print(f"{name} {number}: {error!r}", file=sys.stderr)
            await asyncio.sleep(1)
        else:
            return


async def carry(websocket: AsyncWebSocket, name: str, stream: JetStreamContext) -> None:
    """Publish all messages of a feed, one after the other; meanwhile the feed has to wait."""
    async with websocket:
        async for event in websocket.persist(ping_timeout=30, final={401, 403, 404}):
            if event.name == "text":
                await publish(stream, name, event.json["id"], event.text)
    print(f"{name}: {websocket.ending}", file=sys.stderr)  # the other feeds go on


async def work(server: str, feeds: Mapping[str, str]) -> None:
    """Carry all of these feeds, as long as there are any."""
    client = await nats.connect(server, max_reconnect_attempts=-1)
    stream = client.jetstream()
    await stream.add_stream(name="feeds", subjects=["feeds.*"], duplicate_window=120)
    async with asyncio.TaskGroup() as tasks:
        for name, url in feeds.items():
            tasks.create_task(carry(AsyncWebSocket(url), name, stream))
    await client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--of", type=int, required=True)
    parser.add_argument("feeds", nargs="+")
    given = parser.parse_args()
    named = dict(feed.split("=", 1) for feed in given.feeds)
    logging.basicConfig(level=logging.INFO)  # says how each connection begins and ends
    asyncio.run(work(given.server, share(named, given.worker, given.of)))
