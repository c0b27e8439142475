"""What a script has the user's task await: done, failed, too late, closed meanwhile, cancelled."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from doors.ways_to_wait import WAYS
from lomond.io.merging import merged
from lomond.io.performing import Performer
from lomond.io.shared import Shared
from lomond.io.stream import events
from lomond.options import Limits, Timing
from lomond.protocol.events import Poll, Text
from lomond.session.requests import Await, Deliver, Failed, Interrupted, TimedOut
from lomond.session.session import Session
from lomond.system.need import Need

OUTSIDE: Any = SimpleNamespace(socket=None)  # nothing of the user's is asked for
LOOPS = ["asyncio", "uvloop", "trio"]


class Asked:
    """A connection whose script has something awaited, and tells what came of it."""

    def __init__(self, act: Any, patience: float | None = None, ahead: int = 0) -> None:
        self._act = act
        self._patience = patience
        self._ahead = ahead
        self.exchange: Any = None

    def __call__(self, driver: Any) -> Any:
        session = Session(Timing(open_timeout=self._patience), Limits(), os.urandom)
        self.exchange = driver.exchange(session, None)
        performer = Performer(self.exchange, OUTSIDE, driver.carry)
        return events(self.exchange, self._script(), performer, False)

    def _script(self) -> Any:
        patience = self._patience
        deadline = None if patience is None else time.monotonic() + patience
        try:
            answer = yield Await(self._act, deadline)
        except Failed as failure:
            yield Deliver(Text(f"{type(failure).__name__}: {failure}"))
        else:
            yield Deliver(Text(answer.value))


def texts(way: str, asked: Asked) -> list[str]:
    seen = WAYS[way][0](asked, lambda event: None)
    return [event.text for event in seen]


def together(way: str, asked: Asked, said: list[int], count: int) -> list[str]:
    """The texts of a stream that awaits something, and of another one that says numbers."""

    def says() -> Any:
        for number in range(count):
            yield Need(time.monotonic() + 0.002)
            said.append(number)
            yield Text(str(number))

    def make(driver: Any) -> Any:
        items, session = asked(driver), None
        streams: list[Any] = [(asked.exchange.session, items), (session, says())]
        return merged(streams, driver.follow)

    return [event.text for event in WAYS[way][0](make, lambda event: None)]


async def sleep(way: str, seconds: float) -> None:
    await (trio.sleep(seconds) if way == "trio" else asyncio.sleep(seconds))


@pytest.mark.parametrize("way", LOOPS)
def test_the_answer_is_what_it_gave(way: str) -> None:
    async def token() -> str:
        return "at once"

    async def late_token() -> str:
        await sleep(way, 0.05)
        return "later"

    assert texts(way, Asked(token)) == ["at once"]
    assert texts(way, Asked(late_token, 10.0)) == ["later"]


@pytest.mark.parametrize("way", LOOPS)
def test_what_it_raises_is_a_failure_of_the_request(way: str) -> None:
    async def token() -> str:
        await sleep(way, 0.01)
        raise LookupError("no token")

    assert texts(way, Asked(token)) == ["Failed: no token"]


@pytest.mark.parametrize("way", LOOPS)
def test_it_is_cancelled_when_its_time_is_over(way: str) -> None:
    ended: list[str] = []

    async def token() -> str:
        try:
            await sleep(way, 60)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise
        raise AssertionError

    began = time.monotonic()
    assert texts(way, Asked(token, 0.1)) == [f"{TimedOut.__name__}: no answer in time"]
    assert time.monotonic() - began < 30
    assert len(ended) == 1
    assert ended[0].startswith("Cancelled")


@pytest.mark.parametrize("way", LOOPS)
def test_it_is_cancelled_when_the_user_closes(way: str) -> None:
    async def token() -> str:
        closing = threading.Thread(target=asked.exchange.close, args=(1000, b""))
        closing.start()
        await sleep(way, 60)
        raise AssertionError

    asked = Asked(token)
    assert texts(way, asked) == [f"{Interrupted.__name__}: closed by the user"]


@pytest.mark.parametrize("way", LOOPS)
def test_what_another_stream_says_meanwhile_waits(way: str) -> None:
    asked: list[int] = []
    said: list[int] = []

    async def token() -> str:
        asked.append(1)
        while len(said) < 10:
            await sleep(way, 0.01)
        return "token"

    assert together(way, Asked(token), said, 10) == [*map(str, range(10)), "token"]
    assert len(asked) == 1


@pytest.mark.parametrize("way", LOOPS)
def test_what_is_more_than_may_wait_is_handed_out_and_it_is_asked_for_anew(way: str) -> None:
    asked: list[int] = []
    said: list[int] = []

    async def token() -> str:
        asked.append(1)
        while len(said) < 40:
            await sleep(way, 0.01)
        return "token"

    assert together(way, Asked(token), said, 40) == [*map(str, range(40)), "token"]
    assert 1 < len(asked) < 5


@pytest.mark.parametrize("way", LOOPS)
def test_polls_meanwhile_do_not_give_it_up(way: str) -> None:
    asked: list[int] = []
    polled: list[int] = []

    async def token() -> str:
        asked.append(1)
        while len(polled) < 5:
            await sleep(way, 0.01)
        return "token"

    def polls() -> Any:
        while not any(isinstance(event, Text) for event in seen):
            yield Need(time.monotonic() + 0.002)
            polled.append(1)
            yield Poll()

    def make(driver: Any) -> Any:
        items, session = one(driver), None
        return merged([(one.exchange.session, items), (session, polls())], driver.follow)

    one, seen = Asked(token), list[Any]()
    WAYS[way][0](make, seen.append)
    assert [event.text for event in seen if isinstance(event, Text)] == ["token"]
    assert len(asked) == 1


def test_cancelled_with_its_task_it_is_asked_for_anew() -> None:
    from lomond.io.asyncio_loop.driver import AsyncioDriver

    asked: list[int] = []

    async def token() -> str:
        asked.append(1)
        await asyncio.sleep(60 if len(asked) == 1 else 0)
        return "again"

    async def play() -> Any:
        driver = AsyncioDriver()
        driver.items = Asked(token)(driver)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driver.next(), 0.05)
        event: Any = await driver.next()
        with pytest.raises(StopAsyncIteration):
            await driver.next()
        return event.text

    assert asyncio.run(play()) == "again"


def test_cancelled_with_its_task_of_trio_it_is_asked_for_anew() -> None:
    from lomond.io.trio_loop import TrioDriver

    asked: list[int] = []

    async def token() -> str:
        asked.append(1)
        await trio.sleep(60 if len(asked) == 1 else 0)
        return "again"

    async def play() -> Any:
        async with trio.open_nursery() as nursery:
            driver = TrioDriver(lambda: nursery)
            driver.items = Asked(token)(driver)
            with trio.move_on_after(0.05):
                await driver.next()
            event: Any = await driver.next()
            driver.stop()
        return event.text

    assert trio.run(play) == "again"


def test_two_tasks_can_not_both_wait_for_it() -> None:
    from lomond.io.asyncio_loop.driver import AsyncioDriver

    async def token() -> str:
        await asyncio.sleep(0.05)
        return "once"

    async def play() -> Any:
        driver = AsyncioDriver()
        driver.items = Asked(token)(driver)
        first = asyncio.ensure_future(driver.next())
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError, match="another task is waiting"):
            await driver.next()
        return await first

    event = asyncio.run(play())
    assert event.text == "once"


@pytest.mark.parametrize("way", ["sync", "group"])
def test_without_an_event_loop_it_is_a_type_error_that_says_what_to_do(way: str) -> None:
    async def token() -> str:
        raise AssertionError

    with pytest.raises(TypeError, match="use an AsyncWebSocket or a TrioWebSocket"):
        texts(way, Asked(token))


def test_the_blocking_door_alone_refuses_too() -> None:
    async def token() -> str:
        raise AssertionError

    session = Session(Timing(), Limits(), os.urandom)
    exchange = Shared(session)
    asked = Asked(token)
    performer = Performer(exchange, OUTSIDE)
    with pytest.raises(TypeError, match="token"):
        list(events(exchange, asked._script(), performer))  # noqa: SLF001  # a script of ours
