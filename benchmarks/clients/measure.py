"""What every client shares: its task, its own processor time, and the line it prints."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

GO = "go"


class Task:
    """One scenario for one client.

    Attributes:
        scenario: receive, round_trip, send, compressed, open_close, idle, crowd or import.
        url: The server.
        kind: text or binary.
        size, count: Of the messages.
        ca: The authority's file, for TLS.
        seconds: How long many connections are watched.
    """

    def __init__(self) -> None:
        given = json.loads(sys.argv[1])
        self.scenario: str = given["scenario"]
        self.url: str = given["url"]
        self.kind: str = given.get("kind", "text")
        self.size: int = given.get("size", 0)
        self.count: int = given.get("count", 0)
        self.ca: str | None = given.get("ca")
        self.seconds: float = given.get("seconds", 0.0)
        if given.get("processor") is not None:
            os.sched_setaffinity(0, {given["processor"]})

    @property
    def message(self) -> str | bytes:
        """A message of the task's size."""
        return "x" * self.size if self.kind == "text" else bytes(self.size)

    def check(self, message: object) -> None:
        """The last message must be an owned str or bytes of the size."""
        expected = str if self.kind == "text" else bytes
        assert type(message) is expected, type(message)
        assert len(message) == self.size, len(message)


class Meter:
    """The process's own time between start and stop."""

    def start(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = _processor_time()

    def stop(self, count: int, **more: Any) -> None:
        cpu = _processor_time() - self._cpu
        wall = time.perf_counter() - self._wall
        print(json.dumps({"cpu": cpu / count, "wall": wall / count, **more}))


class Crowd:
    """Many connections: what they take while they are watched, and how late messages come.

    Attributes:
        at_once: How many are being opened at a time.
    """

    at_once = 100

    def __init__(self, task: Task) -> None:
        self._task = task
        self._left = task.count
        self._wall, self._cpu = time.perf_counter(), _processor_time()
        self._memory = resident_bytes()
        self._late: list[int] | None = None
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def is_ready(self) -> None:
        """One more connection is. After the last one the process ends with the figures."""
        self._left -= 1
        if not self._left:
            threading.Thread(target=self._watch).start()

    def got(self, text: str) -> None:
        """A message that begins with the time of its sending."""
        if self._late is not None:
            self._late.append(time.monotonic_ns() - int(text))

    def _watch(self) -> None:
        count = self._task.count
        figures = {
            "opened": (time.perf_counter() - self._wall) / count,
            "opening": (_processor_time() - self._cpu) / count,
        }
        time.sleep(1.0)
        figures["memory"] = (resident_bytes() - self._memory) / count
        self._late = late = []
        cpu = _processor_time()
        time.sleep(self._task.seconds)
        figures["busy"] = (_processor_time() - cpu) / self._task.seconds
        self._late = None
        figures["messages"] = len(late) / self._task.seconds
        late.sort()
        for name, part in [("p50", 0.5), ("p99", 0.99), ("p100", 1.0)]:
            figures[name] = late[min(len(late) - 1, int(part * len(late)))] / 1e9 if late else 0.0
        print(json.dumps(figures), flush=True)
        os._exit(0)


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def run(scenarios: dict[str, Callable[[Task, Meter], None]]) -> None:
    """Do the task with the function of its scenario; 'skip' where there is none."""
    task = Task()
    act = scenarios.get(task.scenario)
    if act is None:
        print(json.dumps({"skip": f"no {task.scenario}"}))
    else:
        act(task, Meter())


def run_async(
    scenarios: dict[str, Callable[[Task, Meter], Awaitable[None]]], loop: str = "asyncio"
) -> None:
    """As `run`, for coroutines, on asyncio or uvloop."""
    import asyncio

    def performed(act: Callable[[Task, Meter], Awaitable[None]]) -> Callable[[Task, Meter], None]:
        def perform(task: Task, meter: Meter) -> None:
            if loop == "uvloop":
                import uvloop

                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(act(task, meter))  # type: ignore[arg-type]  coroutines all
            else:
                asyncio.run(act(task, meter))  # type: ignore[arg-type]  coroutines all

        return perform

    run({name: performed(act) for name, act in scenarios.items()})
