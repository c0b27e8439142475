"""A call with a voice that a server makes: PCM both ways, and JSON about it in between.

Sound that is late is worth nothing: what the network does not take within a second is left out.
Nobody is talked over: where somebody speaks, what was still to be played is dropped. Run it with
the URL between a microphone and a loudspeaker; the environment variable VOICE_TOKEN has the token:

arecord -t raw -f S16_LE -r 24000 | python -u voice.py URL | aplay -t raw -f S16_LE -r 24000
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from lomond import AsyncWebSocket
from lomond.errors import WebSocketError

FRAME = 960  # bytes: 20 ms of 24 kHz, 16 bits, mono
LATE = 50  # frames of the microphone that may wait for the network
AHEAD = 1500  # messages that may wait to be played; then the server has to wait
#: A system that takes a megabyte at once would hide a slow network.
SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * FRAME)]
Speaker = Callable[[bytes], Awaitable[object]]


async def call(
    websocket: AsyncWebSocket, microphone: AsyncIterator[bytes], speaker: Speaker
) -> None:
    """Talk until the server closes. Raises ConnectionFailed where it ends otherwise."""
    spoken: asyncio.Queue[bytes | None] = asyncio.Queue(LATE)
    to_play: asyncio.Queue[bytes | None] = asyncio.Queue(AHEAD)

    async def record() -> None:
        async for frame in microphone:
            if spoken.full():
                spoken.get_nowait()  # the oldest
            spoken.put_nowait(frame)
        await spoken.put(None)

    async def send() -> None:
        with suppress(WebSocketError):  # the loop below is told how it ended
            while (frame := await spoken.get()) is not None:
                await websocket.send_binary(frame)
            await websocket.send_json({"type": "input.end"})

    async def play() -> None:
        while (sound := await to_play.get()) is not None:
            await speaker(sound)

    async with websocket, asyncio.TaskGroup() as tasks:
        tasks.create_task(play())
        listening: list[asyncio.Task[None]] = []
        async for event in websocket.connect(ping_rate=5, ping_timeout=10):
            if event.name == "binary":
                await to_play.put(event.data)
            elif event.name == "text":
                print(event.json, file=sys.stderr)
                if event.json["type"] == "session.started":
                    listening += [tasks.create_task(record()), tasks.create_task(send())]
                elif event.json["type"] == "speech.started":
                    while not to_play.empty():
                        to_play.get_nowait()
        for task in listening:
            task.cancel()
        await to_play.put(None)  # after what is still to be played
    assert websocket.ending is not None
    websocket.ending.raise_for_failure()


async def stdin() -> AsyncIterator[bytes]:
    while frame := await asyncio.to_thread(sys.stdin.buffer.read, FRAME):
        yield frame


async def stdout(sound: bytes) -> None:
    await asyncio.to_thread(sys.stdout.buffer.write, sound)


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__)
    connection = AsyncWebSocket(url, auth=os.environ["VOICE_TOKEN"], socket_options=SMALL_BUFFER)
    asyncio.run(call(connection, stdin(), stdout))
