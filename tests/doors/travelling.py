"""Events out of a process that has imported only lomond, as a script of its own.

The tests' own process has imported everything, which hides what such a program lacks.
"""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from lomond import WebSocket

PATIENCE = 30.0  # seconds
Act = Callable[[Any], Any]
#: What is done in the handlers of each of the server's pages (test_travelling.py), and the options.
PAGES: dict[str, tuple[dict[str, Act], dict[str, Any]]] = {
    "/all": ({"ready": lambda websocket: websocket.send_ping(b"p")}, {}),
    "/refuses": ({}, {}),
    "/errs": ({}, {}),
    "/silent": ({}, {"ping_rate": 0.05, "ping_timeout": 0.2}),
    "/closes": ({"ready": lambda websocket: websocket.close()}, {}),
}


def by_sync(url: str, acts: dict[str, Act], options: dict[str, Any]) -> Iterable[Any]:
    websocket = WebSocket(url)
    for event in websocket.connect(**options):
        yield event, time.time()
        if event.name in acts:
            acts[event.name](websocket)


def by_group(url: str, acts: dict[str, Act], options: dict[str, Any]) -> Iterable[Any]:
    from lomond.group import WebSocketGroup

    group = WebSocketGroup()
    group.add(WebSocket(url), **{"poll": 5, **options})
    for websocket, event in group:
        yield event, time.time()
        if event.name in acts:
            acts[event.name](websocket)


def by_asyncio(url: str, acts: dict[str, Act], options: dict[str, Any]) -> Iterable[Any]:
    from lomond.aio import AsyncWebSocket

    async def main() -> list[Any]:
        seen = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(**options):
                seen.append((event, time.time()))
                if event.name in acts:
                    await acts[event.name](websocket)
        return seen

    return asyncio.run(main())


def by_trio(url: str, acts: dict[str, Act], options: dict[str, Any]) -> Iterable[Any]:
    import trio

    from lomond import TrioWebSocket

    async def main() -> list[Any]:
        seen = []
        async with TrioWebSocket(url) as websocket:
            async for event in websocket.connect(**options):
                seen.append((event, time.time()))
                if event.name in acts:
                    await acts[event.name](websocket)
        return seen

    return trio.run(main)


def back_off(url: str) -> Any:
    from lomond.persist import persist

    for event in persist(WebSocket(url)):
        if event.name == "back_off":
            return event
    raise AssertionError("no BackOff")


WAYS = {"sync": by_sync, "group": by_group, "asyncio": by_asyncio, "trio": by_trio}


def journey(door: str, server: str, nobody: str) -> list[tuple[str, str, float, bytes]]:
    """Name, repr, time and pickle of all kinds of events, whose times and copies are right."""
    began = time.time()
    seen: list[tuple[Any, float]] = []
    for page, (acts, options) in PAGES.items():
        seen += WAYS[door](server + page, acts, options)
    seen += WAYS[door](nobody, {}, {})
    seen.append((back_off(nobody), time.time()))
    for event, handed_out_at in seen:
        assert began <= event.received_time <= handed_out_at, (event, event.received_time)
        for again in (copy.copy(event), copy.deepcopy(event)):
            assert type(again) is type(event)
            assert again.received_time == event.received_time
    return [(e.name, repr(e), e.received_time, pickle.dumps(e)) for e, _ in seen]


def visit(url: str) -> list[Any]:
    """The events of one connection, for a process of a pool."""
    return list(WebSocket(url))


def visit_for(url: str, queue: Any) -> None:
    for event in WebSocket(url):
        queue.put(event)
    queue.put(None)


def text_of(event: Any) -> Any:
    return getattr(event, "text", None), event.received_time


def pool(method: str, server: str) -> list[Any]:
    """Events from a queue, from a pool, and what a pool says of those that it is given."""
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=visit_for, args=(f"{server}/all", queue))
    process.start()
    queued = list(iter(lambda: queue.get(timeout=PATIENCE), None))
    process.join(PATIENCE)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        returned = executor.submit(visit, f"{server}/all").result(PATIENCE)
        told = list(executor.map(text_of, queued, timeout=PATIENCE))
    assert told == [text_of(event) for event in queued]
    return [[(event.name, event.received_time) for event in some] for some in (queued, returned)]


if __name__ == "__main__":
    acts: dict[str, Callable[..., list[Any]]] = {"journey": journey, "pool": pool}
    result = acts[sys.argv[1]](*sys.argv[2:])
    assert "pytest" not in sys.modules
    sys.stdout.buffer.write(pickle.dumps(result))
