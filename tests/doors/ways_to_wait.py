"""A stream of events that says what it waits for, played by each door's own way to wait."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import trio

from doors.loops import uvloop_loop
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket
from lomond.io.asyncio_loop.driver import AsyncioDriver
from lomond.io.blocking import Blocking
from lomond.io.group_loop import GroupLoop, Member
from lomond.io.trio_loop import TrioDriver
from patience import PATIENCE

#: Makes the stream for what waits; is called for each event, and may give something to await.
Make = Callable[[Any], Any]
Act = Callable[[Any], Any]


def blocking(make: Make, act: Act) -> list[Any]:
    driver = Blocking()
    seen = []
    for event in driver.events(make(driver)):
        seen.append(event)
        act(event)
    return seen


def grouped(make: Make, act: Act) -> list[Any]:
    many = GroupLoop()
    member = Member(many, "owner")
    member.items = make(member)
    many.add(member)
    seen = []
    for _, event in many.events():
        seen.append(event)
        act(event)
    return seen


async def _iterate(following: Callable[[], Any], act: Act) -> list[Any]:
    seen: list[Any] = []
    while True:
        try:
            event = await following()
        except StopAsyncIteration:
            return seen
        seen.append(event)
        asked = act(event)
        if inspect.isawaitable(asked):
            await asked


def _looping(make: Make, act: Act, loop: asyncio.AbstractEventLoop) -> list[Any]:
    async def play() -> list[Any]:
        driver = AsyncioDriver()
        driver.items = make(driver)
        try:
            return await _iterate(driver.next, act)
        finally:
            driver.stop()

    try:
        return loop.run_until_complete(asyncio.wait_for(play(), PATIENCE))
    finally:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def on_asyncio(make: Make, act: Act) -> list[Any]:
    return _looping(make, act, asyncio.new_event_loop())


def on_uvloop(make: Make, act: Act) -> list[Any]:
    return _looping(make, act, uvloop_loop()())


def on_trio(make: Make, act: Act) -> list[Any]:
    async def play() -> list[Any]:
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                driver = TrioDriver(lambda: nursery)
                driver.items = make(driver)
                try:
                    return await _iterate(driver.next, act)
                finally:
                    driver.stop()

    return trio.run(play)


#: How each door plays a stream, and whose that is.
WAYS: dict[str, tuple[Callable[[Make, Act], list[Any]], type[Any]]] = {
    "sync": (blocking, WebSocket),
    "group": (grouped, WebSocket),
    "asyncio": (on_asyncio, AsyncWebSocket),
    "uvloop": (on_uvloop, AsyncWebSocket),
    "trio": (on_trio, TrioWebSocket),
}
