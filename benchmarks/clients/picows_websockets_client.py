"""picows' client with the interface of websockets: the one of its two that compresses."""

from __future__ import annotations

import os

from measure import DONE, GO, Meter, Task, run_async
from picows.websockets.asyncio.client import connect


def connected(task: Task) -> connect:
    return connect(task.url, compression="deflate")


async def receive(task: Task, meter: Meter) -> None:
    async with connected(task) as websocket:
        await websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = await websocket.recv()
        meter.stop(task.count)
        task.check(message)


async def send(task: Task, meter: Meter) -> None:
    async with connected(task) as websocket:
        messages = task.feed
        meter.start()
        for n in range(task.count):
            await websocket.send(messages[n % 1000])
        await websocket.send(DONE)
        await websocket.recv()
        meter.stop(task.count)


run_async(
    {"compressed": receive, "send_compressed": send},
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
