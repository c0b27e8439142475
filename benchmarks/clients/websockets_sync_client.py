"""websockets, its synchronous client."""

from __future__ import annotations

from measure import DONE, GO, Delays, Meter, Task, context_of, monotonic_ns, resident_bytes, run
from websockets.sync.client import connect


def connected(task: Task, compress: bool = False):  # type: ignore[no-untyped-def]  its own type
    context = context_of(task)
    return connect(
        task.url,
        ssl=context,
        compression="deflate" if compress else None,
        **({} if task.timers else {"ping_interval": None}),
    )


def receive(task: Task, meter: Meter) -> None:
    with connected(task, task.scenario == "compressed") as websocket:
        websocket.send(GO)
        meter.start()
        for _ in range(task.count):
            message = websocket.recv()
        meter.stop(task.count)
        task.check(message)


def paced(task: Task, meter: Meter) -> None:
    with connected(task) as websocket:
        delays = Delays(task, meter)
        websocket.send(GO)
        while True:
            message = websocket.recv()
            now = monotonic_ns()
            if delays.got(now, message):
                break
        delays.stop()


def round_trip(task: Task, meter: Meter) -> None:
    with connected(task) as websocket:
        message = task.message
        for n in range(task.count + 50):
            if n == 50:
                meter.start()
            websocket.send(message)
            got = websocket.recv()
        meter.stop(task.count)
        task.check(got)


def send(task: Task, meter: Meter) -> None:
    with connected(task) as websocket:
        message = task.message
        meter.start()
        for _ in range(task.count):
            websocket.send(message)
        websocket.recv()
        meter.stop(task.count)


def send_compressed(task: Task, meter: Meter) -> None:
    with connected(task, compress=True) as websocket:
        messages = task.feed
        meter.start()
        for n in range(task.count):
            websocket.send(messages[n % 1000])
        websocket.send(DONE)
        websocket.recv()
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
    for websocket in kept:
        websocket.socket.close()


run(
    {
        "receive": receive,
        "paced": paced,
        "compressed": receive,
        "round_trip": round_trip,
        "send": send,
        "send_compressed": send_compressed,
        "open_close": open_close,
        "idle": idle,
    }
)
