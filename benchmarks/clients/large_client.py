"""lomond, where this runs: so much through one of its doors, in parts, from a pipe, or at once."""

from __future__ import annotations

import subprocess
from typing import Any

from measure import GO, Meter, Task, context_of, resident_bytes, run

from lomond import WebSocket


class Counter:
    """What is sent, or what of the bytes has come.

    Arguments:
        task: Its `kind` is binary for what comes: `count` is how many bytes, `size` how many of a
            part, or 0 for whole messages. It is pipe for one message of `count` bytes that is sent
            from one, text for `count` texts of `size` that are sent by one call.
    """

    def __init__(self, task: Task, meter: Meter) -> None:
        self._left = self._all = task.count
        self._meter = meter
        self._wanted = "text" if is_sent(task) else "binary_part" if task.size else "binary"
        self._is_sent = is_sent(task)
        self._name, self._given = what(task)
        self._before = 0

    def start(self, websocket: Any) -> Any:
        """From here on. Sends what is to be sent, which is awaited where the door awaits."""
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")  # the most that was resident is what is so now
        self._before = resident_bytes()
        self._meter.start()
        return getattr(websocket, self._name)(self._given)

    def got(self, event: Any) -> bool:
        """Whether that was the last of it."""
        if event.name == self._wanted:
            # Of what is sent, the server says that it has all.
            self._left -= self._all if self._is_sent else len(event.data)
            return not self._left
        return False

    def stop(self) -> None:
        """Print the figures. It fails where the connection has ended before."""
        self._meter.pause()
        assert not self._left, f"{self._left} of {self._all} are missing"
        self._meter.stop(self._all, memory=most_resident() - self._before)


def is_sent(task: Task) -> bool:
    return task.kind != "binary"


def what(task: Task) -> tuple[str, Any]:
    """The function that sends what is sent, and what that is."""
    if task.kind == "text":
        return "send_many", [task.message] * task.count
    if task.kind == "pipe":
        command = ["head", "-c", str(task.count), "/dev/zero"]
        return "send_stream", subprocess.Popen(command, stdout=subprocess.PIPE).stdout
    return "send_text", GO


def most_resident() -> int:
    """The most bytes that were resident at any one time."""
    with open("/proc/self/status") as status:
        found = next(line for line in status if line.startswith("VmHWM:"))
    return int(found.split()[1]) * 1024


def made(kind: type[Any], task: Task) -> Any:
    limits: dict[str, Any] = {}
    if task.size and not is_sent(task):
        limits = {"parts": task.size, "max_message_size": None}
    return kind(task.url, ssl_context=context_of(task), proxies={}, **limits)


def sync(task: Task, meter: Meter) -> None:
    websocket = made(WebSocket, task)
    counter = Counter(task, meter)
    events = websocket.connect()
    for event in events:
        if event.name == "ready":
            counter.start(websocket)
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
            counter.start(websocket)
        elif counter.got(event):
            break
    counter.stop()


async def talk(websocket: Any, task: Task, meter: Meter) -> None:
    counter = Counter(task, meter)
    async with websocket:
        async for event in websocket.connect():
            if event.name == "ready":
                await counter.start(websocket)
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
