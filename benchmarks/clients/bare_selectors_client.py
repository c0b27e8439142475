"""The floor of the group: a selectors loop that reads from sockets, in Python."""

from __future__ import annotations

import json
import selectors
import socket

from bare import GO, Connection, Messages, connected, framed
from measure import WARM, Crowd, Delays, Meter, Task, context_of, monotonic_ns, run

Looped = tuple[Connection, selectors.BaseSelector, Messages]


def looped(task: Task, in_bursts: bool = False) -> Looped:
    """A connection, what waits for it, and its messages."""
    if task.ca:
        print(json.dumps({"skip": "no TLS"}))
        raise SystemExit
    connection = connected(task, None)
    connection.socket.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(connection.socket, selectors.EVENT_READ)
    return connection, selector, Messages(task, in_bursts)


def receive(task: Task, meter: Meter) -> None:
    connection, selector, messages = looped(task, in_bursts=True)
    connection.send(GO)
    left = task.count
    meter.start()
    while left:
        for _ in selector.select():
            count = connection.socket.recv_into(messages.room)
            for message in messages.got(count):  # noqa: B007  the last is checked
                left -= 1
    meter.stop(task.count)
    messages.check(message)


def paced(task: Task, meter: Meter) -> None:
    connection, selector, messages = looped(task)
    delays = Delays(task, meter)
    connection.send(GO)
    is_over = False
    while not is_over:
        for _ in selector.select():
            for message in messages.got(connection.socket.recv_into(messages.room)):
                now = monotonic_ns()
                is_over = delays.got(now, str(message))
    delays.stop()


def round_trip(task: Task, meter: Meter) -> None:
    connection, selector, messages = looped(task)
    frame = framed(bytes(task.size), 2)
    left = task.count + WARM
    pieces = memoryview(frame)
    unsent = pieces[connection.socket.send(frame) :]
    while left:
        for _ in selector.select():
            if unsent:
                unsent = unsent[connection.socket.send(unsent) :]
            for _ in messages.got(connection.socket.recv_into(messages.room)):
                left -= 1
                if left == task.count:
                    meter.start()
                unsent = pieces[connection.socket.send(frame) :]
    meter.stop(task.count)


def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    context = context_of(task)
    selector = selectors.DefaultSelector()
    for _ in range(task.count):
        connection = connected(task, context)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        many.is_ready()
    whole = task.size + 2
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(65536)
            for at in range(2, len(data), whole):
                many.got(str(data[at : at + task.size], "utf-8"))


run({"receive": receive, "paced": paced, "round_trip": round_trip, "crowd": crowd})
