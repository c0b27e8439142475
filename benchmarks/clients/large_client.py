"""lomond, where this runs: so many bytes through one of its doors, whole or in parts."""

from __future__ import annotations

from typing import Any

from measure import GO, Meter, Task, context_of, resident_bytes, run

from lomond import WebSocket


class Counter:
    """What of the bytes has come.

    Arguments:
        task: Its `count` is how many bytes, its `size` how many of a part; 0 for whole messages.
    """

    def __init__(self, task: Task, meter: Meter) -> None:
        self._left = self._all = task.count
        self._meter = meter
        self._wanted = "binary_part" if task.size else "binary"
        self._before = 0

    def start(self) -> None:
        """From here on."""
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")  # the most that was resident is what is so now
        self._before = resident_bytes()
        self._meter.start()

    def got(self, event: Any) -> bool:
        """Whether that was the last of it."""
        if event.name == self._wanted:
            self._left -= len(event.data)
            return not self._left
        return False

    def stop(self) -> None:
        """Print the figures."""
        self._meter.pause()
        self._meter.stop(self._all, memory=most_resident() - self._before)


def most_resident() -> int:
    """The most bytes that were resident at any one time."""
    with open("/proc/self/status") as status:
        found = next(line for line in status if line.startswith("VmHWM:"))
    return int(found.split()[1]) * 1024


def made(kind: type[Any], task: Task) -> Any:
    limits: dict[str, Any] = {"parts": task.size, "max_message_size": None} if task.size else {}
    return kind(task.url, ssl_context=context_of(task), proxies={}, **limits)


def sync(task: Task, meter: Meter) -> None:
    websocket = made(WebSocket, task)
    counter = Counter(task, meter)
    events = websocket.connect()
    for event in events:
        if event.name == "ready":
            websocket.send_text(GO)
            counter.start()
        elif counter.got(event):
            break
    counter.stop()
    events.close()


def group(task: Task, meter: Meter) -> None:
    from lomond.group import WebSocketGroup

    members = WebSocketGroup()
    members.add(made(WebSocket, task))
    counter = Counter(task, meter)
    for websocket, event in members:
        if event.name == "ready":
            websocket.send_text(GO)
            counter.start()
        elif counter.got(event):
            break
    counter.stop()


async def talk(websocket: Any, task: Task, meter: Meter) -> None:
    counter = Counter(task, meter)
    async with websocket:
        async for event in websocket.connect():
            if event.name == "ready":
                await websocket.send_text(GO)
                counter.start()
            elif counter.got(event):
                break
        counter.stop()


def on_asyncio(task: Task, meter: Meter) -> None:
    import asyncio

    from lomond.aio import AsyncWebSocket

    asyncio.run(talk(made(AsyncWebSocket, task), task, meter))


def on_trio(task: Task, meter: Meter) -> None:
    import trio

    from lomond.trio import TrioWebSocket

    trio.run(talk, made(TrioWebSocket, task), task, meter)


run({"sync": sync, "group": group, "asyncio": on_asyncio, "trio": on_trio})
