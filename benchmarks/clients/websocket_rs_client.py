"""websocket-rs, its synchronous client (Rust)."""

from __future__ import annotations

from measure import GO, Meter, Task, run
from websocket_rs.sync.client import connect


def receive(task: Task, meter: Meter) -> None:
    with connect(task.url) as websocket:
        websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = websocket.recv()
        meter.stop(task.count)
        task.check(message)


def round_trip(task: Task, meter: Meter) -> None:
    with connect(task.url) as websocket:
        message = task.message
        for n in range(task.count + 50):
            if n == 50:
                meter.start()
            websocket.send(message)
            got = websocket.recv()
        meter.stop(task.count)
        task.check(got)


def send(task: Task, meter: Meter) -> None:
    with connect(task.url) as websocket:
        message = task.message
        meter.start()
        for _ in range(task.count):
            websocket.send(message)
        websocket.recv()
        meter.stop(task.count)


run({"receive": receive, "round_trip": round_trip, "send": send})
