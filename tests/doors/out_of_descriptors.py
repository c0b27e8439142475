"""A program that connects while it has few file descriptors left, and prints what it sees.

Arguments: the door; `warm` or `cold`; the URL; a PEM file to trust, or `-`. One line for each
number of free descriptors: the number; how many leaked; the names of the events, or that something
was raised; the last one's reason and cause.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any

from lomond import WebSocket
from lomond.aio import AsyncWebSocket
from lomond.group import WebSocketGroup
from lomond.io import waiting

MOST = 12
LIMIT = 64


def blocking(url: str, options: Any) -> list[Any]:
    websocket = WebSocket(url, **options)
    limited()
    return list(websocket)


def in_group(url: str, options: Any) -> list[Any]:
    group = WebSocketGroup()
    group.add(WebSocket(url, **options))
    limited()
    seen = [event for _, event in group]
    assert not len(group)
    return seen


async def on_asyncio(url: str, options: Any) -> list[Any]:
    async with AsyncWebSocket(url, **options) as websocket:
        limited()
        return [event async for event in websocket]


held: list[int] = []
counts = [0]  # how many are to be free


def limited() -> None:
    """From now on so many are free."""
    free = counts[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        for descriptor in held[:free]:
            os.close(descriptor)
        del held[:free]


def go(door: str, url: str, options: Any) -> str:
    loop = asyncio.new_event_loop()
    before = count()
    try:
        if door == "asyncio":
            seen = loop.run_until_complete(on_asyncio(url, options))
            loop.run_until_complete(asyncio.sleep(0))
        else:
            seen = {"sync": blocking, "group": in_group}[door](url, options)
        last = seen[-1]
        said = [event.name for event in seen], getattr(last, "reason", ""), repr(last.cause)
    except BaseException as error:
        said = ["raised"], repr(error), ""
    for descriptor in held:
        os.close(descriptor)
    held.clear()
    deadline = time.monotonic() + 1
    while (leaked := count() - before) and time.monotonic() < deadline:
        time.sleep(0.01)  # a thread that looked up a name may be about to end our wait
    loop.close()
    return json.dumps([counts[0], leaked, *said])


def count() -> int:
    waiting.forget_free()
    return sum(1 for number in range(LIMIT) if is_open(number))


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def main(door: str, state: str, url: str, trusted: str) -> None:
    options: dict[str, Any] = {} if trusted == "-" else {"ssl_cafile": trusted}
    options["proxies"] = {}
    if state == "warm":
        counts[0] = LIMIT - 20
        go(door, url, options)
    for free in range(MOST + 1):
        counts[0] = free
        if state == "warm":
            print(go(door, url, options), flush=True)
            continue
        child = os.fork()
        if not child:
            print(go(door, url, options), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
