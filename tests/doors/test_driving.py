"""The generator of a connection, as an event loop's driver goes on with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import trio

from doors.ways_to_wait import WAYS
from lomond.protocol.events import Poll, Text
from lomond.session.ahead import NUDGE
from lomond.system.need import Need

LOOPS = ["asyncio", "uvloop", "trio"]


async def sleep(way: str, seconds: float) -> None:
    await (trio.sleep(seconds) if way == "trio" else asyncio.sleep(seconds))


@pytest.mark.parametrize("way", LOOPS)
def test_a_turn_that_is_owed_does_not_keep_what_is_there_already(way: str) -> None:
    def items(driver: Any) -> Any:
        yield Poll()
        yield Text("is kept while the task has the poll")
        while not woken:  # looked at before the wait, as a connection does
            yield Need(None)

    def act(event: Any) -> None:
        names.append(event.name)
        if event.name == "text":
            woken.append(True)
            drivers[0].wake()

    def make(driver: Any) -> Any:
        drivers.append(driver)
        return items(driver)

    drivers: list[Any] = []
    names: list[str] = []
    woken: list[bool] = []
    WAYS[way][0](make, act)
    assert names == ["poll", "text"]


@pytest.mark.parametrize("way", LOOPS)
def test_what_follows_the_first_event_goes_on_while_the_task_is_elsewhere(way: str) -> None:
    went: list[bool] = []

    def items(driver: Any) -> Any:
        yield Poll()
        went.append(True)

    async def look(seconds: float) -> None:
        await sleep(way, seconds)
        assert went

    WAYS[way][0](items, lambda event: look(NUDGE))


@pytest.mark.parametrize("way", LOOPS)
def test_a_poll_that_is_one_too_many_only_puts_off_what_follows(way: str) -> None:
    """It is not kept; what comes behind it does not wait for the task."""
    went: list[str] = []

    def items(driver: Any) -> Any:
        yield Poll()
        for _ in range(3):
            yield Poll()
        went.append("on")
        yield Text("the last")

    def act(event: Any) -> Any:
        if event.name == "poll" and not went:
            return sleep(way, 10 * NUDGE)
        return None

    seen = WAYS[way][0](items, act)
    assert went == ["on"]
    assert [event.name for event in seen] == ["poll", "poll", "text"]
