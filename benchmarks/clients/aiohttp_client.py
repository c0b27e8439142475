"""aiohttp's client, on asyncio or uvloop."""

from __future__ import annotations

import asyncio
import os

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector
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


async def connected(
    session: ClientSession, task: Task, compress: bool = False
) -> ClientWebSocketResponse:
    context = context_of(task) or True
    return await session.ws_connect(task.url, ssl=context, compress=15 if compress else 0)


async def receive(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        websocket = await connected(session, task, task.scenario == "compressed")
        await websocket.send_str(GO)
        meter.start()
        for _ in range(task.count):
            message = (await websocket.receive()).data
        meter.stop(task.count)
        task.check(message)


async def paced(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        websocket = await connected(session, task)
        delays = Delays(task, meter)
        await websocket.send_str(GO)
        while True:
            message = await websocket.receive()
            now = monotonic_ns()
            if delays.got(now, message.data):
                break
        delays.stop()


async def round_trip(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        websocket = await connected(session, task)
        message = task.message
        for n in range(task.count + 50):
            if n == 50:
                meter.start()
            await websocket.send_bytes(message)
            got = (await websocket.receive()).data
        meter.stop(task.count)
        task.check(got)


async def send(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        websocket = await connected(session, task)
        message = task.message
        meter.start()
        for _ in range(task.count):
            await websocket.send_str(message)
        await websocket.receive()
        meter.stop(task.count)


async def send_compressed(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        websocket = await connected(session, task, compress=True)
        messages = task.feed
        meter.start()
        for n in range(task.count):
            await websocket.send_str(messages[n % 1000])
        await websocket.send_str(DONE)
        await websocket.receive()
        meter.stop(task.count)


async def open_close(task: Task, meter: Meter) -> None:
    async with ClientSession() as session:
        for n in range(task.count + 1):
            if n == 1:
                meter.start()
            await (await connected(session, task)).close()
        meter.stop(task.count)


async def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    room = asyncio.Semaphore(many.at_once)
    context = context_of(task) or True
    keepalive = keepalive_of(task, "heartbeat", None, 30.0)
    async with ClientSession(connector=TCPConnector(limit=0)) as session:

        async def follow() -> None:
            await room.acquire()
            async with session.ws_connect(task.url, ssl=context, **keepalive) as websocket:
                room.release()
                many.is_ready()
                async for message in websocket:
                    many.got(message.data)

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
