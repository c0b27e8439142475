"""lomond, of this checkout: the asyncio door, on asyncio or uvloop."""

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
    resident_bytes,
    run_async,
)

from lomond.aio import AsyncWebSocket, Events


async def connected(task: Task, compress: bool = False) -> tuple[AsyncWebSocket, Events]:
    websocket = AsyncWebSocket(task.url, ssl_context=context_of(task), compress=compress)
    given = {} if task.timers else {"poll": None, "ping_rate": 0}
    events = websocket.connect(**given)
    async for event in events:
        if event.name == "ready":
            break
        assert event.name in ("connecting", "connected"), event
    return websocket, events


async def receive(task: Task, meter: Meter) -> None:
    websocket, events = await connected(task, task.scenario == "compressed")
    wanted = task.kind
    left = task.count
    await websocket.send_text(GO)
    meter.start()
    async for event in events:
        if event.name == wanted:
            left -= 1
            if not left:
                break
    meter.stop(task.count)
    task.check(event.text if wanted == "text" else event.data)
    await events.aclose()


async def paced(task: Task, meter: Meter) -> None:
    websocket, events = await connected(task)
    delays = Delays(task, meter)
    await websocket.send_text(GO)
    async for event in events:
        now = monotonic_ns()
        if event.name == "text" and delays.got(now, event.text):
            break
    delays.stop()
    await events.aclose()


async def round_trip(task: Task, meter: Meter) -> None:
    websocket, events = await connected(task)
    message = task.message
    left = task.count
    warm = 50
    await websocket.send_binary(message)
    async for event in events:
        if event.name == "binary":
            if warm:
                warm -= 1
                if not warm:
                    meter.start()
            else:
                left -= 1
                if not left:
                    break
            await websocket.send_binary(message)
    meter.stop(task.count)
    task.check(event.data)
    await events.aclose()


async def send(task: Task, meter: Meter) -> None:
    websocket, events = await connected(task)
    message = task.message
    meter.start()
    for _ in range(task.count):
        await websocket.send_text(message)
    async for event in events:
        if event.name == "text":
            break
    meter.stop(task.count)
    await events.aclose()


async def send_compressed(task: Task, meter: Meter) -> None:
    websocket, events = await connected(task, compress=True)
    messages = task.feed
    meter.start()
    for n in range(task.count):
        await websocket.send_text(messages[n % 1000])
    await websocket.send_text(DONE)
    async for event in events:
        if event.name == "text":
            break
    meter.stop(task.count)
    await events.aclose()


async def open_close(task: Task, meter: Meter) -> None:
    websocket = AsyncWebSocket(task.url, ssl_context=context_of(task))
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        async for event in websocket.connect():
            if event.name == "ready":
                await websocket.close()
    meter.stop(task.count)


async def idle(task: Task, meter: Meter) -> None:
    kept = [await connected(task)]
    meter.start()
    before = resident_bytes()
    kept += [await connected(task) for _ in range(task.count)]
    meter.stop(task.count, memory=(resident_bytes() - before) / task.count)
    for _, events in kept:
        await events.aclose()


async def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    room = asyncio.Semaphore(many.at_once)
    context = context_of(task)

    async def follow() -> None:
        await room.acquire()
        websocket = AsyncWebSocket(task.url, ssl_context=context)
        async for event in websocket.connect(poll=None, **keepalive_of(task, "ping_rate", 0)):
            if event.name == "text":
                many.got(event.text)
            elif event.name == "ready":
                room.release()
                many.is_ready()

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
        "idle": idle,
        "crowd": crowd,
    },
    os.environ.get("BENCHMARK_LOOP", "asyncio"),
)
