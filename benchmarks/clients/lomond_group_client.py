"""lomond, of this checkout: many connections in one thread."""

from __future__ import annotations

import ssl

from measure import Crowd, Meter, Task, run

from lomond import WebSocket
from lomond.group import WebSocketGroup


def crowd(task: Task, meter: Meter) -> None:
    many = Crowd(task)
    context = ssl.create_default_context(cafile=task.ca) if task.ca else None
    keepalive = {} if task.kind == "keepalive" else {"ping_rate": 0}
    left = task.count
    group = WebSocketGroup()

    def add() -> None:
        nonlocal left
        if left:
            left -= 1
            group.add(WebSocket(task.url, proxies={}, ssl_context=context), **keepalive)

    for _ in range(many.at_once):
        add()
    for _, event in group:
        if event.name == "text":
            many.got(event.text)
        elif event.name == "ready":
            add()
            many.is_ready()


run({"crowd": crowd})
