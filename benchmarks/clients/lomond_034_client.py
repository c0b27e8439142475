"""The original lomond, 0.3.4."""

from __future__ import annotations

from measure import GO, Meter, Task, run

from lomond import WebSocket


def connected(task, compress=False):
    websocket = WebSocket(task.url, compress=compress)
    events = websocket.connect()
    for event in events:
        if event.name == "ready":
            return websocket, events
    raise SystemExit("not connected")


def receive(task: Task, meter: Meter) -> None:
    websocket, events = connected(task, task.scenario == "compressed")
    left = task.count
    websocket.send_text(GO)
    meter.start()
    for event in events:
        if event.name == task.kind:
            left -= 1
            if not left:
                break
    meter.stop(task.count)
    task.check(event.text if task.kind == "text" else bytes(event.data))


def round_trip(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    message, left = task.message, task.count
    websocket.send_binary(message)
    started = False
    for event in events:
        if event.name == "binary":
            if not started:
                started = True
                meter.start()
            else:
                left -= 1
                if not left:
                    break
            websocket.send_binary(message)
    meter.stop(task.count)


def send(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    message = task.message
    meter.start()
    for _ in range(task.count):
        websocket.send_text(message)
    for event in events:
        if event.name == "text":
            break
    meter.stop(task.count)


scenarios = {"receive": receive, "compressed": receive, "round_trip": round_trip, "send": send}
run(scenarios)
