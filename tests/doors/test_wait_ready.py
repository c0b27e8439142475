"""`wait_ready`: for threads and tasks beside the one that iterates."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.to_thread
import pytest

from doors.peer_server import served
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.io import readiness
from lomond.testing.peer import End, Pause, Peer, Say, Talk
from patience import PATIENCE
from scripted import answers_pings

WRONG = "wait_ready.* is for others than the {} that iterates.*send in the handler of the Ready"
REFUSED = "ws://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def nobody_is_left_waiting() -> Any:
    yield
    assert readiness.waiting == []


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")


def accepts_the_second(peer: Peer) -> Talk:
    """Refuses once, and then accepts."""
    if len(tried) % 2 == 0:
        tried.append(peer)
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        yield End()
    else:
        tried.append(peer)
        yield Pause(0.02)
        yield from answers_pings(peer)


tried: list[Peer] = []


class Waits:
    """A thread that waits, until `result` is asked for."""

    def __init__(self, websocket: WebSocket, timeout: float | None = PATIENCE) -> None:
        self._websocket = websocket
        self._timeout = timeout
        self._found: Any = None
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()
        until(lambda: bool(readiness.waiting) or not self._thread.is_alive())

    def _wait(self) -> None:
        try:
            self._found = self._websocket.wait_ready(self._timeout)
        except Exception as error:
            self._found = error

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self._found


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)


def iterated(websocket: WebSocket, way: str, **options: Any) -> Any:
    """The events, by this thread."""
    if way == "iter":
        return websocket.connect()
    if way == "persist":
        return websocket.persist(**options)
    group = WebSocketGroup()
    if way == "group":
        group.add(websocket)
    else:
        group.persist(websocket, **options)
    return (event for _, event in group)


WAYS = ["iter", "persist", "group", "group persist"]


@pytest.mark.parametrize("way", WAYS)
def test_another_thread_may_send_once_it_is_true(way: str) -> None:
    with served(answers_pings) as server:
        websocket = WebSocket(server.url)
        waits = Waits(websocket)
        for event in iterated(websocket, way):
            if event.name == "ready":
                assert waits.result() is True
                assert Waits(websocket, 0).result() is True
                websocket.send_text("x")
                break


@pytest.mark.parametrize("way", ["persist", "group persist"])
def test_it_waits_over_attempts_that_fail(way: str) -> None:
    tried.clear()
    with served(accepts_the_second) as server:
        websocket = WebSocket(server.url)
        waits = Waits(websocket)
        for event in iterated(websocket, way, min_wait=0, max_wait=0):
            if event.name == "back_off":
                assert Waits(websocket, 0).result() is False
                assert len(readiness.waiting) == 1
            if event.name == "ready":
                assert waits.result() is True
                break


@pytest.mark.parametrize("way", WAYS)
def test_false_when_it_is_over_for_good(way: str) -> None:
    with served(refuses) as server:
        websocket = WebSocket(server.url)
        waits = Waits(websocket, None)
        for event in iterated(websocket, way, final={403}):
            assert event.name != "back_off"
        assert waits.result() is False
        assert Waits(websocket, None).result() is False
        assert websocket.wait_ready() is False  # this thread does not iterate any more


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ends", ["leave", "close", "force_disconnect"])
def test_false_when_it_is_ended_before(way: str, ends: str) -> None:
    websocket = WebSocket(REFUSED)
    waits = Waits(websocket, None)
    events = iterated(websocket, way)
    assert next(events).name == "connecting"
    if ends != "leave":
        getattr(websocket, ends)()
        if "persist" not in way and ends == "force_disconnect":
            assert waits.result() is False
        while next(events).name not in ("connect_fail", "disconnected"):
            pass
    events.close()
    assert waits.result() is False


def test_false_after_the_time() -> None:
    websocket = WebSocket(REFUSED)
    assert websocket.wait_ready(0) is False
    start = time.monotonic()
    assert websocket.wait_ready(0.05) is False
    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize("way", WAYS)
def test_the_thread_that_iterates_is_told_so(way: str) -> None:
    found = []
    websocket = WebSocket(REFUSED)
    for event in iterated(websocket, way):
        found.append(event.name)
        if event.name == "connect_fail" and "persist" not in way:
            assert websocket.wait_ready() is False
            continue
        with pytest.raises(RuntimeError, match=WRONG.format("thread")):
            websocket.wait_ready(None)
        if event.name == "back_off":
            break
    assert found[-1] == ("back_off" if "persist" in way else "connect_fail")


@pytest.mark.parametrize("method", ["add", "persist"])
def test_the_thread_of_a_group_is_told_so_of_one_that_has_not_had_its_turn(method: str) -> None:
    group = WebSocketGroup()
    others = [WebSocket(REFUSED) for _ in range(2)]
    for websocket in others:
        getattr(group, method)(websocket)
    first, _ = next(iter(group))
    (other,) = (one for one in others if one is not first)
    assert other.wait_ready(0) is False  # nobody iterates it any more
    for websocket in others:
        group.add(websocket)
    for first, _ in group:
        (other,) = (one for one in others if one is not first)
        with pytest.raises(RuntimeError, match=WRONG.format("thread")):
            other.wait_ready(None)
        break


def test_the_thread_of_a_group_is_told_so_of_one_that_it_has_just_added() -> None:
    group = WebSocketGroup()
    group.add(WebSocket(REFUSED))
    for _ in group:
        other = WebSocket(REFUSED)
        group.add(other)
        with pytest.raises(RuntimeError, match=WRONG.format("thread")):
            other.wait_ready()
        break


@pytest.mark.parametrize("timeout", ["1", -1, True])
def test_a_time_that_can_not_be(timeout: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout must be"):
        WebSocket(REFUSED).wait_ready(timeout)


def test_what_persists_may_be_copied_meanwhile() -> None:
    import copy

    websocket = WebSocket(REFUSED)
    events = websocket.persist()
    while next(events).name != "back_off":
        pass
    other = copy.copy(websocket)
    assert other.wait_ready(0) is False
    events.close()
    assert websocket.wait_ready() is False


# Event loops


@pytest.fixture(params=["asyncio", "trio"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(library: str, talk: Callable[[Any], Any], url: str) -> None:
    async def within() -> None:
        async with AsyncExitStack() as stack:
            kind = AsyncWebSocket if library == "asyncio" else TrioWebSocket
            websocket = await stack.enter_async_context(kind(url))
            with anyio.fail_after(PATIENCE):
                await talk(websocket)

    anyio.run(within, backend=library)


@pytest.mark.parametrize("way", ["iter", "persist"])
def test_another_task_may_send_once_it_is_true(library: str, way: str) -> None:
    async def talk(websocket: Any) -> None:
        async def sends() -> None:
            found.append(await websocket.wait_ready(PATIENCE))
            await websocket.send_text("x")
            await websocket.close()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sends)
            await anyio.wait_all_tasks_blocked()
            assert len(readiness.waiting) == 1
            options = {"min_wait": 0, "max_wait": 0, "final": {1000}}
            events = websocket.persist(**options) if way == "persist" else websocket
            async for event in events:
                assert event.name != "connect_fail"
        found.append(await websocket.wait_ready())

    found: list[bool] = []
    tried.clear()
    with served(accepts_the_second if way == "persist" else answers_pings) as server:
        run(library, talk, server.url)
    assert found == [True, False]


def test_the_task_that_iterates_is_told_so(library: str) -> None:
    async def talk(websocket: Any) -> None:
        async for event in websocket.persist():
            with pytest.raises(RuntimeError, match=WRONG.format("task")):
                await websocket.wait_ready()
            if event.name == "back_off":
                break
        with pytest.raises(ValueError, match="timeout must be 0 or more"):
            await websocket.wait_ready(-1)

    run(library, talk, REFUSED)


def test_a_task_gets_false_after_the_time_or_the_end(library: str) -> None:
    async def talk(websocket: Any) -> None:
        assert await websocket.wait_ready(0) is False
        assert await websocket.wait_ready(0.01) is False

        async def waits() -> None:
            found.append(await websocket.wait_ready())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waits)
            await anyio.wait_all_tasks_blocked()
            async for _ in websocket:
                pass

    found: list[bool] = []
    run(library, talk, REFUSED)
    assert found == [False]


def test_a_wait_may_be_cancelled(library: str) -> None:
    async def talk(websocket: Any) -> None:
        with anyio.move_on_after(0.01) as scope:
            await websocket.wait_ready()
        assert scope.cancelled_caught

    run(library, talk, REFUSED)


def test_another_loop_may_wait_for_it() -> None:
    async def talk(websocket: Any) -> None:
        def waits() -> None:
            found.append(anyio.run(websocket.wait_ready, PATIENCE))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, waits)
            async for event in websocket:
                if event.name == "ready":
                    while not found:
                        await anyio.sleep(0.001)
                    await websocket.close()

    found: list[bool] = []
    with served(answers_pings) as server:
        run("asyncio", talk, server.url)
    assert found == [True]
