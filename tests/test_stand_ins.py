"""What stands in for one of Python's own classes has what each Python's library asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from doors.raw_server import echo, raw_server
from doors.tapped import in_thread
from lomond.aio import AsyncWebSocket
from lomond.io import waiting
from lomond.system.lock import Lock
from patience import PATIENCE


def test_the_lock_has_the_methods_of_pythons() -> None:
    asked = {name for name in dir(threading.RLock()) if not name.startswith("_")}
    assert asked | {"__enter__", "__exit__", "_is_owned"} <= set(dir(Lock()))


def test_the_lock_tells_whether_a_thread_has_it() -> None:
    lock = Lock()
    if not hasattr(lock, "locked"):
        pytest.skip("Python's RLock has it from 3.14 on")
    assert not lock.locked()
    with lock, lock:
        assert lock.locked()
        told: list[bool] = []
        in_thread(lambda: told.append(lock.locked())).join(PATIENCE)
        assert told == [True]
    assert not lock.locked()


def test_the_lock_serves_a_condition() -> None:
    condition = threading.Condition(Lock())
    said: list[str] = []

    def wait() -> None:
        with condition:
            said.append("waits")
            condition.notify_all()
            condition.wait_for(lambda: "go on" in said, PATIENCE)
            said.append("went on")

    with condition:
        other = in_thread(wait)
        assert condition.wait_for(lambda: "waits" in said, PATIENCE)
        said.append("go on")
        condition.notify_all()
    other.join(PATIENCE)
    assert said == ["waits", "go on", "went on"]
    with pytest.raises(RuntimeError):
        condition.notify()


@pytest.mark.parametrize("kind", {waiting.kind, waiting.PairWakeup})
def test_the_wakeup_can_be_selected(kind: type[waiting.Wakeup]) -> None:
    for name in "DefaultSelector", "SelectSelector", "PollSelector", "EpollSelector":
        selector_kind = getattr(selectors, name, None)
        if selector_kind is None:
            continue  # not on this system
        wakeup = kind([])
        with selector_kind() as selector:
            selector.register(wakeup, selectors.EVENT_READ)
            assert selector.select(0) == []
            wakeup.wake()
            ((key, _),) = selector.select(PATIENCE)
            assert key.fileobj is wakeup
            wakeup.drain()
            assert selector.select(0) == []
            selector.unregister(wakeup)


async def after(events: Any) -> Any:
    """The next event, by a coroutine that has a frame in both twins."""
    return await anext(events)


async def converse(url: str) -> list[str]:
    """The events of a connection, with all the ways that a task may wait for one."""
    names: list[str] = []
    async with AsyncWebSocket(url) as websocket:
        stream: AsyncGenerator[Any, None] = websocket.connect(poll=None, ping_rate=0)  # type: ignore[assignment]  # an async iterator with aclose
        async with contextlib.aclosing(stream) as events:
            while (event := await anext(events)).name != "ready":
                names.append(event.name)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.01)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(events)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(after(events))
                await asyncio.sleep(0.01)
                assert not task.done()
                assert task.get_stack()
                if sys.version_info >= (3, 14):
                    assert asyncio.capture_call_graph(task) is not None
                    assert "converse" in asyncio.format_call_graph(asyncio.current_task())
                await websocket.send_text("x")
            names.append(task.result().name)
            await websocket.close()
            names += [event.name async for event in events]
    return names


FACTORIES: dict[str, Any] = {"plain": None, "eager": getattr(asyncio, "eager_task_factory", None)}
# asyncio as it is without its module in C.
IN_PYTHON = """
import sys
sys.modules["_asyncio"] = None
sys.path.insert(0, sys.argv[1])
from test_stand_ins import asyncio, converse
assert asyncio.Task is asyncio.tasks._PyTask
print(*asyncio.run(converse(sys.argv[2])))
"""
EXPECTED = ["connecting", "connected", "text", "closed", "disconnected"]


@pytest.mark.parametrize("kind", FACTORIES)
@pytest.mark.parametrize("is_debug", [False, True])
def test_tasks_of_each_kind_wait_for_events(kind: str, is_debug: bool) -> None:
    factory: Callable[..., Any] | None = FACTORIES[kind]
    if kind == "eager" and factory is None:
        pytest.skip("Python has eager tasks from 3.12 on")
    with raw_server(echo) as server, asyncio.Runner(debug=is_debug) as runner:
        runner.get_loop().set_task_factory(factory)
        assert runner.run(asyncio.wait_for(converse(server.url), PATIENCE)) == EXPECTED


def test_tasks_that_are_not_in_c_wait_for_events() -> None:
    with raw_server(echo) as server:
        done = subprocess.run(
            [sys.executable, "-c", IN_PYTHON, str(Path(__file__).parent), server.url],
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PATIENCE,
        )
    assert done.stdout.split() == EXPECTED, done.stderr
