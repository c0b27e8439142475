"""What every client shares: its task, its own processor time, and the line it prints."""

from __future__ import annotations

import json
import os
import resource
import ssl
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from functools import cache
from time import monotonic_ns
from typing import Any

__all__ = [
    "DONE", "GO", "WARM", "Crowd", "Delays", "Meter", "Task",
    "context_of", "keepalive_of", "monotonic_ns", "resident_bytes", "run", "run_async",
]  # fmt: skip

GO = "go"
DONE = "done"  # sent last, where the server counts frames
WARM = 50  # messages that are not counted, of a paced feed and of round trips


class Task:
    """One scenario for one client.

    Attributes:
        scenario: receive, paced, round_trip, send, compressed, send_compressed, open_close, idle,
            crowd or import.
        url: The server.
        kind: text or binary; of many connections default, keepalive or none.
        size, count: Of the messages.
        ca: The authority's file, for TLS.
        seconds: How long many connections are watched.
        timers: Whether as users have them by default; else there is none.
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
        self.timers: bool = given.get("timers", True)
        if given.get("processor") is not None:
            os.sched_setaffinity(0, {given["processor"]})

    @property
    def message(self) -> str | bytes:
        """A message of the task's size."""
        return "x" * self.size if self.kind == "text" else bytes(self.size)

    @property
    def feed(self) -> list[str]:
        """A thousand texts to be compressed: JSON, cut at the task's size; all prices change."""
        each = self.size // 30 + 1
        lists = (
            [{"price": at * 7919 % 10007, "symbol": "BTC-EUR"} for at in range(n, n + each)]
            for n in range(0, 1000 * each, each)
        )
        return [json.dumps(prices)[: self.size] for prices in lists]

    def check(self, message: object) -> None:
        """The last message must be an owned str or bytes of the size."""
        expected = str if self.kind == "text" else bytes
        assert type(message) is expected, type(message)
        assert len(message) == self.size, len(message)


class Meter:
    """The process's own time between start and stop."""

    _spent: tuple[float, float] | None = None

    def start(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = _processor_time()

    def pause(self) -> None:
        """What comes now does not count."""
        self._spent = _processor_time() - self._cpu, time.perf_counter() - self._wall

    def stop(self, count: int, **more: Any) -> None:
        if self._spent is None:
            self.pause()
        assert self._spent is not None
        cpu, wall = self._spent
        print(json.dumps({"cpu": cpu / count, "wall": wall / count, **more}))


def percentiles(late: list[int]) -> dict[str, float]:
    """How late half of the messages were at most, and how late 99 of 100, in seconds."""
    late = sorted(late) or [0]
    return {
        name: late[min(len(late) - 1, int(part * len(late)))] / 1e9
        for name, part in (("p50", 0.5), ("p99", 0.99))
    }


class Delays:
    """How late the messages of a paced feed are, which begin with the time of their sending."""

    def __init__(self, task: Task, meter: Meter) -> None:
        self._task, self._meter = task, meter
        self._left = task.count + WARM
        self._late: list[int] = []

    def got(self, now: int, text: str) -> bool:
        """Whether this message was the last one.

        Arguments:
            now: The clock as the first line of the handler has read it.
        """
        self._late.append(now - int(text[:20]))
        self._left -= 1
        if self._left == self._task.count:
            self._meter.start()
        elif not self._left:
            self._meter.pause()
            assert len(text) == self._task.size
            return True
        return False

    def stop(self) -> None:
        """Print the figures."""
        self._meter.stop(self._task.count, **percentiles(self._late[WARM:]))


def context_of(task: Task) -> ssl.SSLContext | None:
    """One that trusts the server, the same for all connections; None without TLS."""
    return _trusting(task.ca) if task.ca else None


@cache
def _trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


def keepalive_of(task: Task, option: str, off: Any, on: Any = None) -> dict[str, Any]:
    """The keepalive that many connections are asked to have, as a client's keyword.

    Arguments:
        option: Its name.
        off: Its value for none.
        on: Its value for a ping every 30 seconds; None where that is the default.
    """
    if task.kind == "keepalive":
        return {} if on is None else {option: on}
    return {} if task.kind == "default" else {option: off}


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
            self._late.append(monotonic_ns() - int(text))

    def _watch(self) -> None:
        count = self._task.count
        figures = {
            "opened": (time.perf_counter() - self._wall) / count,
            "opening": (_processor_time() - self._cpu) / count,
        }
        time.sleep(0.5)
        figures["memory"] = (resident_bytes() - self._memory) / count
        if self._task.seconds:
            late: list[int] = []
            self._late = late
            cpu = _processor_time()
            time.sleep(self._task.seconds)
            figures["busy"] = (_processor_time() - cpu) / self._task.seconds
            self._late = None
            figures["messages"] = len(late) / self._task.seconds
            figures |= percentiles(late)
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
