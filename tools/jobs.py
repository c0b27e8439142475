"""How many modules a build compiles at a time. Knows nothing of lomond: setup.py runs it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

JOB = 250 * 2**20  # bytes that compiling a module takes, at most


def jobs(system: Path = Path("/")) -> int:
    """As many as processors, memory and LOMOND_BUILD_JOBS let; at least one.

    Arguments:
        system: Where the machine tells of its memory.
    """
    bounds = [*_processors(system), *(room // JOB for room in _memory(system))]
    said = os.environ.get("LOMOND_BUILD_JOBS", "").strip()
    if said:
        if not said.isdecimal() or int(said) == 0:
            sys.exit(f"lomond: LOMOND_BUILD_JOBS is a number from 1 on, not {said!r}")
        bounds.append(int(said))
    return max(1, min(bounds))


def _processors(system: Path) -> list[int]:
    """How many processors this process may use, and the time of how many its container may."""
    try:
        found = [len(os.sched_getaffinity(0))]
    except AttributeError:  # it is not known everywhere
        found = [os.cpu_count() or 1]
    with contextlib.suppress(OSError, ValueError):  # "max" is no number
        time, period = (system / "sys/fs/cgroup/cpu.max").read_text().split()
        found.append(-(-int(time) // int(period)))
    return found


def _memory(system: Path) -> list[int]:
    """What the machine has to spare, and what a container may have, in bytes, where known."""
    found: list[int] = []
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = (system / "proc/meminfo").read_text().splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(int(available.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # "max" is no number
        found.append(int((system / "sys/fs/cgroup/memory.max").read_text()))
    return found
