"""Runs of trio, and what the tests of its door do in them."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from doors.raw_server import frame, read_all
from lomond.protocol import frames
from lomond.trio import Events
from patience import PATIENCE

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


def on_trio(act: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """What it gives; no socket is left to be closed by the garbage collector, which would warn."""

    async def limited() -> Any:
        with trio.fail_after(PATIENCE):
            return await act(*arguments)

    try:
        return trio.run(limited)
    finally:
        gc.collect()


async def until(events: Events, name: str) -> Any:
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError(f"no {name}")


async def in_thread(event: threading.Event) -> None:
    """Wait for it while the run goes on."""
    assert await trio.to_thread.run_sync(event.wait, PATIENCE)


def closes(connection: socket.socket) -> None:
    connection.sendall(frame(frames.CLOSE, code=1000))
    read_all(connection)
