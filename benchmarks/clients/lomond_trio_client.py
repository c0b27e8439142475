"""lomond, of this checkout: the trio door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from measure import DONE, GO, WARM, Delays, Meter, Task, context_of, monotonic_ns, run

from lomond.trio import Events, TrioWebSocket


async def connected(websocket: TrioWebSocket, task: Task) -> Events:
    given = {} if task.timers else {"poll": None, "ping_rate": 0}
    events = websocket.connect(**given)
    async for event in events:
        if event.name == "ready":
            break
        assert event.name in ("connecting", "connected"), event
    return events


def made(task: Task) -> TrioWebSocket:
    compress = task.scenario in ("compressed", "send_compressed")
    return TrioWebSocket(task.url, ssl_context=context_of(task), compress=compress)


async def receive(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        events = await connected(websocket, task)
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


async def paced(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        events = await connected(websocket, task)
        delays = Delays(task, meter)
        await websocket.send_text(GO)
        async for event in events:
            now = monotonic_ns()
            if event.name == "text" and delays.got(now, event.text):
                break
        delays.stop()


async def round_trip(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        events = await connected(websocket, task)
        message = task.message
        left = task.count + WARM
        await websocket.send_binary(message)
        async for event in events:
            if event.name == "binary":
                left -= 1
                if left == task.count:
                    meter.start()
                elif not left:
                    break
                await websocket.send_binary(message)
        meter.stop(task.count)
        task.check(event.data)


async def send(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        events = await connected(websocket, task)
        message = task.message
        meter.start()
        for _ in range(task.count):
            await websocket.send_text(message)
        async for event in events:
            if event.name == "text":
                break
        meter.stop(task.count)


async def send_compressed(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        events = await connected(websocket, task)
        messages = task.feed
        meter.start()
        for n in range(task.count):
            await websocket.send_text(messages[n % 1000])
        await websocket.send_text(DONE)
        async for event in events:
            if event.name == "text":
                break
        meter.stop(task.count)


async def open_close(task: Task, meter: Meter) -> None:
    async with made(task) as websocket:
        for n in range(task.count + 1):
            if n == 1:
                meter.start()
            async for event in websocket.connect():
                if event.name == "ready":
                    await websocket.close()
        meter.stop(task.count)


def in_trio(act: Callable[[Task, Meter], Awaitable[None]]) -> Callable[[Task, Meter], None]:
    return lambda task, meter: trio.run(act, task, meter)


acts = {
    "receive": receive,
    "paced": paced,
    "compressed": receive,
    "round_trip": round_trip,
    "send": send,
    "send_compressed": send_compressed,
    "open_close": open_close,
}
run({name: in_trio(act) for name, act in acts.items()})
