"""lomond, of this checkout: the group, with one connection or many in one thread."""

from __future__ import annotations

from collections.abc import Iterator

from measure import GO, Crowd, Delays, Meter, Task, context_of, keepalive_of, monotonic_ns, run

from lomond import WebSocket
from lomond.group import WebSocketGroup


def connected(task: Task) -> tuple[WebSocket, Iterator[tuple[WebSocket, object]]]:
    websocket = WebSocket(task.url, ssl_context=context_of(task))
    group = WebSocketGroup()
    group.add(websocket, **({} if task.timers else {"ping_rate": 0}))
    events = iter(group)
    for _, event in events:
        if event.name == "ready":
            break
    return websocket, events


def receive(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    wanted = task.kind
    left = task.count
    websocket.send_text(GO)
    meter.start()
    for _, event in events:
        if event.name == wanted:
            left -= 1
            if not left:
                break
    meter.stop(task.count)
    task.check(event.text if wanted == "text" else event.data)


def paced(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    delays = Delays(task, meter)
    websocket.send_text(GO)
    for _, event in events:
        now = monotonic_ns()
        if event.name == "text" and delays.got(now, event.text):
            break
    delays.stop()


def round_trip(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    message = task.message
    left = task.count
    warm = 50
    websocket.send_binary(message)
    for _, event in events:
        if event.name == "binary":
            if warm:
                warm -= 1
                if not warm:
                    meter.start()
            else:
                left -= 1
                if not left:
                    break
            websocket.send_binary(message)
    meter.stop(task.count)
    task.check(event.data)


def send(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    message = task.message
    meter.start()
    for _ in range(task.count):
        websocket.send_text(message)
    for _, event in events:
        if event.name == "text":
            break
    meter.stop(task.count)


def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    context = context_of(task)
    keepalive = keepalive_of(task, "ping_rate", 0)
    left = task.count
    group = WebSocketGroup()

    def add() -> None:
        nonlocal left
        if left:
            left -= 1
            group.add(WebSocket(task.url, ssl_context=context), **keepalive)

    for _ in range(many.at_once):
        add()
    for _, event in group:
        if event.name == "text":
            many.got(event.text)
        elif event.name == "ready":
            add()
            many.is_ready()


run(
    {
        "receive": receive,
        "paced": paced,
        "round_trip": round_trip,
        "send": send,
        "crowd": crowd,
    }
)
