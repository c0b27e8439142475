"""What waits in a pretend world beside the connection itself: back-offs, replies, readiness."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from lomond import AsyncWebSocket, TrioWebSocket, WebSocket
from lomond.errors import NoReply
from lomond.persist import persist
from lomond.protocol import frames
from lomond.records import replay
from lomond.testing import pretend
from lomond.testing.peer import End, Pause, Peer, Talk, say
from testing.worlds import (
    URL,
    Plays,
    by_asyncio,
    by_thread,
    by_trio,
    every_program,
    feeds,
    greets,
    names_of,
    never,
    no_network as no_network,
    refuses,
)

pytestmark = pytest.mark.usefixtures("no_network")


def computes(peer: Peer) -> Talk:
    """Answers each call after a minute, and one never."""
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode == frames.CLOSE:
            yield say(frames.CLOSE, frame.payload)
        elif frame.opcode == frames.TEXT:
            call = json.loads(frame.payload)
            yield Pause(60)
            if call["method"] != "sleep":
                answer = {"id": call["id"], "result": call["params"] * 2}
                yield say(frames.TEXT, json.dumps(answer).encode())


class Calculator:
    """A program: an RPC client, for tasks beside the one that iterates."""

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        self.calls = 0

    async def iterate(self) -> None:
        async for _ in self.websocket.connect(poll=None):
            pass

    async def call(self, method: str, params: int) -> Any:
        self.calls += 1
        call = {"id": self.calls, "method": method, "params": params}
        answer = await self.websocket.ask(call, reply=("id", self.calls), within=100)
        return answer.json["result"]

    async def run(self) -> list[Any]:
        assert await self.websocket.wait_ready()
        results = [await self.call("double", number) for number in (1, 2)]
        try:
            await self.call("sleep", 0)
        except NoReply as error:
            results.append(str(error).partition("(")[2])
        await self.websocket.close()
        return results


async def calculates_on_asyncio() -> list[Any]:
    async with AsyncWebSocket(URL) as websocket:
        calculator = Calculator(websocket)
        task = asyncio.create_task(calculator.iterate())
        results = await calculator.run()
        await task
        return results


async def calculates_on_trio() -> list[Any]:
    async with TrioWebSocket(URL) as websocket, trio.open_nursery() as nursery:
        calculator = Calculator(websocket)
        nursery.start_soon(calculator.iterate)
        return await calculator.run()


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_calls_that_are_answered_and_one_that_is_not(kind: str) -> None:
    with pretend(Plays(computes)) as world:
        if kind == "asyncio":
            results = asyncio.run(calculates_on_asyncio())
        else:
            results = trio.run(calculates_on_trio)
    assert results == [2, 4, "within)"]
    assert world.seconds == pytest.approx(60 + 60 + 100, abs=2)


def test_a_thread_that_waits_where_nobody_iterates() -> None:
    """It waits in vain for as long as it wants, which takes no time."""
    websocket = WebSocket(URL)
    with pretend() as world:
        events = websocket.connect()
        assert not websocket.wait_ready(timeout=500)
        events.close()
    assert world.seconds == pytest.approx(500, abs=1)


def test_other_threads_may_ask() -> None:
    """They wait in real time; whoever iterates hands them the reply."""
    websocket = WebSocket(URL)
    found: list[Any] = []

    def asks() -> None:
        if websocket.wait_ready():
            call = {"id": 1, "method": "double", "params": 21}
            found.append(websocket.ask(call, reply=("id", 1)).json["result"])
            websocket.close()

    thread = threading.Thread(target=asks)
    thread.start()
    with pretend(Plays(computes), limit=1e9):
        for event in websocket.connect(poll=3600, ping_rate=0):
            if event.name == "poll":
                thread.join(0.1)
    thread.join()
    assert found == [42]


# What stops persist


def sets(event: Any, seconds: float) -> Callable[[Peer], Talk]:
    """A server behind which something is set."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(seconds)
        event.set()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)
        yield End()

    return talk


@every_program
def test_an_exit_event_that_is_set_while_connected(program: Any) -> None:
    stop = threading.Event()
    with pretend(Plays(sets(stop, 7 * 3600.0))) as world:
        options: dict[str, Any] = {"poll": None, "ping_rate": 0, "watch_exit": True}
        seen = program(never, persists=True, exit_event=stop, **options)
    assert names_of(seen)[-2:] == ["closed", "disconnected"]
    assert world.hours == pytest.approx(7, abs=0.001)


@every_program
def test_an_exit_event_that_is_set_between_two_connections(program: Any) -> None:
    """By another connection, say."""
    stop = threading.Event()

    def refuses_and_sets(peer: Peer) -> Talk:
        yield from refuses(peer)
        yield from peer.hear_end()
        yield Pause(300)
        stop.set()

    with pretend(Plays(refuses_and_sets)) as world:
        seen = program(never, persists=True, exit_event=stop)
    assert names_of(seen)[-1] == "back_off"
    assert world.seconds == pytest.approx(300, abs=2)


@every_program
def test_an_exit_event_that_is_set_already(program: Any) -> None:
    stop = threading.Event()

    def is_over(event: Any) -> None:
        if event.name == "back_off":
            stop.set()

    with pretend(Plays(refuses)) as world:
        program(is_over, persists=True, exit_event=stop)
    assert world.seconds < 60


@every_program
def test_an_exit_event_costs_no_looks(program: Any) -> None:
    """The world tells when it is set: nobody wakes ten times a second."""
    looks: list[float] = []

    class Counted(threading.Event):
        def is_set(self) -> bool:
            looks.append(world.now)
            return super().is_set()

    def is_over(event: Any) -> bool:
        return event.name == "back_off"

    with pretend(Plays(feeds)) as world:
        program(is_over, persists=True, poll=None, exit_event=Counted(), watch_exit=True)
    assert world.hours > 1
    assert len(looks) < 3600  # and not 36000


def test_exit_events_of_event_loops() -> None:
    async def asyncio_main() -> Any:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(7200, stop.set)
        async with AsyncWebSocket(URL) as websocket:
            return [
                event.name async for event in websocket.persist(exit_event=stop, watch_exit=True)
            ][-1]

    async def trio_main() -> Any:
        stop = trio.Event()

        async def sets_it() -> None:
            await trio.sleep(7200)
            stop.set()

        async with trio.open_nursery() as nursery, TrioWebSocket(URL) as websocket:
            nursery.start_soon(sets_it)
            return [
                event.name async for event in websocket.persist(exit_event=stop, watch_exit=True)
            ][-1]

    for run in (lambda: asyncio.run(asyncio_main()), lambda: trio.run(trio_main)):
        with pretend(Plays(greets), Plays(greets), Plays(greets)) as world:
            assert run() == "disconnected"
        assert world.hours == pytest.approx(2, abs=0.01)


class NotOurs:
    """What persist may be given too: something that connects."""

    def __init__(self) -> None:
        self.count = 0

    def connect(self, **_: Any) -> Any:
        self.count += 1
        return iter(WebSocket(URL))


def test_what_is_no_websocket_of_ours() -> None:
    websocket, stop = NotOurs(), threading.Event()

    def seen(exit_event: Any) -> list[str]:
        names = []
        for event in persist(websocket, exit_event=exit_event):
            names.append(event.name)
            if event.name == "back_off" and websocket.count % 3 == 0:
                stop.set()
                if exit_event is None:
                    break
        return names

    with pretend(*[Plays(greets)] * 6) as world:
        assert seen(None).count("back_off") == 3
        stop.clear()
        assert seen(stop).count("back_off") == 3
    assert world.hours > 6


def test_what_is_posted_between_two_connections() -> None:
    websocket = WebSocket(URL)

    def posts(peer: Peer) -> Talk:
        yield from refuses(peer)
        yield from peer.hear_end()
        yield Pause(100)
        websocket.post("hello")

    seen: list[tuple[str, float]] = []
    with pretend(Plays(posts)) as world:
        for event in websocket.persist():
            seen.append((event.name, world.seconds))
            if event.name == "posted":
                break
    assert seen[-1][0] == "posted"
    assert seen[-1][1] == pytest.approx(100, abs=1)


# Timeouts of asyncio's and trio's


def test_timeouts_of_asyncio() -> None:
    async def main() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.sleep(7200)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1800)
        return asyncio.get_running_loop().time() - began

    with pretend() as world:
        assert asyncio.run(main()) == pytest.approx(5400, abs=1)
    assert world.hours == pytest.approx(1.5, abs=0.001)


def test_timeouts_of_trio() -> None:
    async def main() -> float:
        began = trio.current_time()
        with pytest.raises(trio.TooSlowError), trio.fail_after(3600):
            await trio.sleep(7200)
        with trio.move_on_after(1800):
            await trio.sleep_forever()
        await trio.sleep(3 * 24 * 3600)
        return trio.current_time() - began

    with pretend(limit=4 * 24 * 3600) as world:
        assert trio.run(main) == pytest.approx(5400 + 3 * 24 * 3600, abs=1)
    assert world.hours == pytest.approx(73.5, abs=0.001)


def test_a_record_that_is_replayed_when_it_was(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    with pretend(Plays(greets)):
        seen = [event.name for event in WebSocket(URL, record=path).connect(poll=None)]
    with pretend() as world:
        assert [event.name for event in replay(path, speed=2.0)] == seen
    assert world.seconds == pytest.approx(1800, abs=1)


def test_three_programs_in_one_test() -> None:
    for program in (by_thread, by_asyncio, by_trio):
        with pretend(Plays(greets)):
            assert "text" in names_of(program(never))
