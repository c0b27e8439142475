"""curl_cffi, its synchronous WebSocket."""

from __future__ import annotations

from curl_cffi.requests import Session
from measure import GO, Meter, Task, run


def receive(task: Task, meter: Meter) -> None:
    with Session() as session:
        websocket = session.ws_connect(task.url, verify=task.ca or True)
        websocket.send(GO.encode())
        meter.start()
        for _ in range(task.count):
            data, _ = websocket.recv()
            message = data.decode() if task.kind == "text" else bytes(data)
        meter.stop(task.count)
        task.check(message)


def round_trip(task: Task, meter: Meter) -> None:
    with Session() as session:
        websocket = session.ws_connect(task.url, verify=task.ca or True)
        message = task.message
        for n in range(task.count + 50):
            if n == 50:
                meter.start()
            websocket.send_binary(message)
            got, _ = websocket.recv()
        meter.stop(task.count)
        task.check(got)


run({"receive": receive, "round_trip": round_trip})
