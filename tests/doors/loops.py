"""What the tests of the asyncio door share: event loops of each kind, and what is done on them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from doors.raw_server import frame, read_frame
from lomond.aio import Events
from lomond.protocol import frames


def uvloop_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    uvloop = pytest.importorskip("uvloop", reason="there is no uvloop for this Python")
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


class WatchesNothing(asyncio.SelectorEventLoop):
    """Has a proactor's way with those who want a socket watched."""

    def add_reader(self, *arguments: Any) -> None:
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader  # type: ignore[assignment]  # as above


def watching(loop: asyncio.AbstractEventLoop) -> Any:
    """The loop as it watches sockets for a test."""
    return super(WatchesNothing, loop) if isinstance(loop, WatchesNothing) else loop


Run = Callable[[Coroutine[Any, Any, Any]], Any]


def echo(connection: socket.socket) -> None:
    while True:
        opcode, payload = read_frame(connection)
        if opcode == frames.PING:
            opcode = frames.PONG
        connection.sendall(frame(opcode, payload))
        if opcode == frames.CLOSE:
            return


async def until(events: Events, name: str) -> Any:
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError(f"no {name}")
