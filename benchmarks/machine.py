"""The machine of a run: figures of two of them can't be compared, and this tells which it was."""

from __future__ import annotations

import os
import platform
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = 100_000
ROUNDS = 5


def processor() -> str:
    """The kind of processor, as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _least(call: Callable[[], object]) -> float:
    """Seconds that one takes."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        times.append(time.perf_counter() - began)
    return min(times) / CALLS


def system_call() -> float:
    """Seconds of one that does nothing, without Python's own part."""
    return max(0.0, _least(os.getppid) - _least("".isdigit))


def zero_poll() -> float:
    """Seconds of asking one socket whether there is something, from Python."""
    here, there = socket.socketpair()
    with here, there:
        poll = select.poll()
        poll.register(here, select.POLLIN)
        return _least(lambda: poll.poll(0))


def description() -> dict[str, Any]:
    """All that is known of it."""
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": ".".join(str(n) for n in sys.version_info[:3]),
        "system call ns": round(system_call() * 1e9),
        "zero poll ns": round(zero_poll() * 1e9),
    }
