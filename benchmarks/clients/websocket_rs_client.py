"""websocket-rs, its synchronous client (Rust)."""

from __future__ import annotations

from measure import GO, Delays, Meter, Task, monotonic_ns, run
from websocket_rs.sync.client import connect


def receive(task: Task, meter: Meter) -> None:
    with connect(task.url) as websocket:
        websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = websocket.recv()
        meter.stop(task.count)
        task.check(message)


def paced(task: Task, meter: Meter) -> None:
    with connect(task.url) as websocket:
        delays = Delays(task, meter)
        websocket.send(GO)
        while True:
            message = websocket.recv()
            now = monotonic_ns()
            if delays.got(now, message):
                break
        delays.stop()


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


run({"receive": receive, "paced": paced, "round_trip": round_trip, "send": send})
