"""lomond, of this checkout: the synchronous door."""

from __future__ import annotations

from measure import DONE, GO, Delays, Meter, Task, context_of, monotonic_ns, resident_bytes, run

from lomond import WebSocket


def connected(task: Task, compress: bool = False) -> tuple[WebSocket, object]:
    websocket = WebSocket(task.url, ssl_context=context_of(task), compress=compress)
    given = {} if task.timers else {"poll": None, "ping_rate": 0}
    events = websocket.connect(**given)
    for event in events:
        if event.name == "ready":
            break
        assert event.name in ("connecting", "connected"), event
    return websocket, events


def receive(task: Task, meter: Meter) -> None:
    websocket, events = connected(task, task.scenario == "compressed")
    wanted = task.kind
    left = task.count
    websocket.send_text(GO)
    meter.start()
    for event in events:
        if event.name == wanted:
            left -= 1
            if not left:
                break
    meter.stop(task.count)
    task.check(event.text if wanted == "text" else event.data)
    events.close()


def paced(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    delays = Delays(task, meter)
    websocket.send_text(GO)
    for event in events:
        now = monotonic_ns()
        if event.name == "text" and delays.got(now, event.text):
            break
    delays.stop()
    events.close()


def round_trip(task: Task, meter: Meter) -> None:
    websocket, events = connected(task)
    message = task.message
    left = task.count
    warm = 50
    websocket.send_binary(message)
    for event in events:
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
    events.close()


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
    events.close()


def send_compressed(task: Task, meter: Meter) -> None:
    websocket, events = connected(task, compress=True)
    messages = task.feed
    meter.start()
    for n in range(task.count):
        websocket.send_text(messages[n % 1000])
    websocket.send_text(DONE)
    for event in events:
        if event.name == "text":
            break
    meter.stop(task.count)
    events.close()


def open_close(task: Task, meter: Meter) -> None:
    websocket = WebSocket(task.url, ssl_context=context_of(task))
    for n in range(task.count + 1):
        if n == 1:
            meter.start()
        for event in websocket.connect():
            if event.name == "ready":
                websocket.close()
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
        "compressed": receive,
        "round_trip": round_trip,
        "send": send,
        "send_compressed": send_compressed,
        "open_close": open_close,
        "idle": idle,
    }
)
