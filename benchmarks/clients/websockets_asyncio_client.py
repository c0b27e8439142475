"""websockets, its asyncio client, on asyncio or uvloop."""

from __future__ import annotations

import asyncio
import os

from measure import (
    DONE,
    GO,
    Crowd,
    Delays,
    Meter,
    Task,
    context_of,
    keepalive_of,
    monotonic_ns,
    run_async,
)
from websockets.asyncio.client import connect


def connected(task: Task, compress: bool = False) -> connect:
    context = context_of(task)
    return connect(
        task.url,
        ssl=context,
        compression="deflate" if compress else None,
        **({} if task.timers else {"ping_interval": None}),
    )


async def receive(task: Task, meter: Meter) -> None:
    async with connected(task, task.scenario == "compressed") as websocket:
        await websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = await websocket.recv()
        meter.stop(task.count)
        task.check(message)


async def paced(task: Task, meter: Meter) -> None:
    async with connected(task) as websocket:
        delays = Delays(task, meter)
        await websocket.send(GO)
        while True:
            message = await websocket.recv()
            now = monotonic_ns()
            if delays.got(now, message):
                break
        delays.stop()


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


async def send_compressed(task: Task, meter: Meter) -> None:
    async with connected(task, compress=True) as websocket:
        messages = task.feed
        meter.start()
        for n in range(task.count):
            await websocket.send(messages[n % 1000])
        await websocket.send(DONE)
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
    context = context_of(task)
    keepalive = keepalive_of(task, "ping_interval", None, 30.0)

    async def follow() -> None:
        await room.acquire()
        async with connect(task.url, ssl=context, compression=None, **keepalive) as websocket:
            room.release()
            many.is_ready()
            async for message in websocket:
                many.got(message)

    await asyncio.gather(*[follow() for _ in range(task.count)])


run_async(
    {
        "receive": receive,
        "paced": paced,
        "compressed": receive,
        "round_trip": round_trip,
        "send": send,
        "send_compressed": send_compressed,
        "open_close": open_close,
        "crowd": crowd,
    },
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
