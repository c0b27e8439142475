"""websocket-client."""

from __future__ import annotations

import websocket
from measure import GO, Delays, Meter, Task, context_of, monotonic_ns, resident_bytes, run


def connected(task: Task) -> websocket.WebSocket:
    options = {"context": context_of(task)} if task.ca else {}
    return websocket.create_connection(task.url, sslopt=options)


def receive(task: Task, meter: Meter) -> None:
    connection = connected(task)
    connection.send(GO)
    meter.start()
    for _ in range(task.count):
        message = connection.recv()
    meter.stop(task.count)
    task.check(message)


def paced(task: Task, meter: Meter) -> None:
    connection = connected(task)
    delays = Delays(task, meter)
    connection.send(GO)
    while True:
        message = connection.recv()
        now = monotonic_ns()
        if delays.got(now, message):
            break
    delays.stop()


def round_trip(task: Task, meter: Meter) -> None:
    connection = connected(task)
    message = task.message
    for n in range(task.count + 50):
        if n == 50:
            meter.start()
        connection.send_binary(message)
        got = connection.recv()
    meter.stop(task.count)
    task.check(got)


def send(task: Task, meter: Meter) -> None:
    connection = connected(task)
    message = task.message
    meter.start()
    for _ in range(task.count):
        connection.send(message)
    connection.recv()
    meter.stop(task.count)


def open_close(task: Task, meter: Meter) -> None:
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        connected(task).close()
    meter.stop(task.count)


def idle(task: Task, meter: Meter) -> None:
    kept = [connected(task)]
    meter.start()
    before = resident_bytes()
    kept += [connected(task) for _ in range(task.count)]
    meter.stop(task.count, memory=(resident_bytes() - before) / task.count)


run(
    {
        "receive": receive,
        "paced": paced,
        "round_trip": round_trip,
        "send": send,
        "open_close": open_close,
        "idle": idle,
    }
)
