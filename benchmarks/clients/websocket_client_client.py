"""websocket-client."""

from __future__ import annotations

import ssl

import websocket
from measure import GO, Meter, Task, resident_bytes, run


def connected(task: Task) -> websocket.WebSocket:
    options = {"ca_certs": task.ca, "cert_reqs": ssl.CERT_REQUIRED} if task.ca else {}
    return websocket.create_connection(task.url, sslopt=options, timeout=60)


def receive(task: Task, meter: Meter) -> None:
    connection = connected(task)
    connection.send(GO)
    meter.start()
    for _ in range(task.count):
        message = connection.recv()
    meter.stop(task.count)
    task.check(message)


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
        "round_trip": round_trip,
        "send": send,
        "open_close": open_close,
        "idle": idle,
    }
)
