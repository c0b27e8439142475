"""What tests need of asyncio and of trio, under the same names: for tests of both doors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import trio

from lomond import AsyncWebSocket, TrioWebSocket


class OfAsyncio:
    door = AsyncWebSocket
    sleep = staticmethod(asyncio.sleep)

    @staticmethod
    def run(main: Callable[[], Any]) -> Any:
        return asyncio.run(main())

    @staticmethod
    def task() -> object:
        return asyncio.current_task()

    @staticmethod
    @contextlib.asynccontextmanager
    async def tasks() -> AsyncGenerator[Callable[..., Any], None]:
        async with asyncio.TaskGroup() as group:
            yield lambda act, *arguments: group.create_task(act(*arguments))


class OfTrio:
    door = TrioWebSocket
    sleep = staticmethod(trio.sleep)

    @staticmethod
    def run(main: Callable[[], Any]) -> Any:
        return trio.run(main)

    @staticmethod
    def task() -> object:
        return trio.lowlevel.current_task()

    @staticmethod
    @contextlib.asynccontextmanager
    async def tasks() -> AsyncGenerator[Callable[..., Any], None]:
        async with trio.open_nursery() as nursery:
            yield nursery.start_soon


BOTH = {"asyncio": OfAsyncio, "trio": OfTrio}
