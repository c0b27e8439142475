"""websockets, its asyncio client, on asyncio or uvloop."""

from __future__ import annotations

import asyncio
import os
import ssl

from measure import GO, Crowd, Meter, Task, run_async
from websockets.asyncio.client import connect


def connected(task: Task, compress: bool = False) -> connect:
    context = ssl.create_default_context(cafile=task.ca) if task.ca else None
    return connect(
        task.url,
        ssl=context,
        compression="deflate" if compress else None,
        max_size=None,
        ping_interval=None,
        proxy=None,
    )


async def receive(task: Task, meter: Meter) -> None:
    async with connected(task, task.scenario == "compressed") as websocket:
        await websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = await websocket.recv()
        meter.stop(task.count)
        task.check(message)


async def round_trip(task: Task, meter: Meter) -> None:
    async with connected(task) as websocket:
        message = task.message
        for n in range(task.count + 50):
            if n == 50:
                meter.start()
            await websocket.send(message)
            got = await websocket.recv()
        meter.stop(task.count)
        task.check(got)


async def send(task: Task, meter: Meter) -> None:
    async with connected(task) as websocket:
        message = task.message
        meter.start()
        for _ in range(task.count):
            await websocket.send(message)
        await websocket.recv()
        meter.stop(task.count)


async def open_close(task: Task, meter: Meter) -> None:
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        async with connected(task):
            pass
    meter.stop(task.count)


async def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    room = asyncio.Semaphore(many.at_once)
    context = ssl.create_default_context(cafile=task.ca) if task.ca else None
    interval = 30.0 if task.kind == "keepalive" else None

    async def follow() -> None:
        await room.acquire()
        async with connect(
            task.url, ssl=context, compression=None, ping_interval=interval, proxy=None
        ) as websocket:
            room.release()
            many.is_ready()
            async for message in websocket:
                many.got(message)

    await asyncio.gather(*[follow() for _ in range(task.count)])


run_async(
    {
        "receive": receive,
        "compressed": receive,
        "round_trip": round_trip,
        "send": send,
        "open_close": open_close,
        "crowd": crowd,
    },
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
