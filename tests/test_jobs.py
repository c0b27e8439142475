"""How many modules a build compiles at a time."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

JOBS: Callable[[Path], int] = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "jobs.py"))[
    "jobs"
]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight processors of sixteen may be used, and memory is not told."""
    monkeypatch.delenv("LOMOND_BUILD_JOBS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(8)}, raising=False)
    return tmp_path


def tell_memory(machine: Path, available: int, of_container: str = "max\n") -> None:
    """The machine's in MiB, the container's in bytes."""
    for name, text in {
        "proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable: {available * 1024} kB\n",
        "sys/fs/cgroup/memory.max": of_container,
    }.items():
        (machine / name).parent.mkdir(parents=True)
        (machine / name).write_text(text)


def test_a_processor_each(machine: Path) -> None:
    assert JOBS(machine) == 8


def test_all_processors_where_it_is_not_known_which_may_be_used(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert JOBS(machine) == 16


@pytest.mark.parametrize(
    ("available", "expected"), [(100_000, 8), (1250, 5), (1249, 4), (100, 1), (0, 1)]
)
def test_250_mib_each(machine: Path, available: int, expected: int) -> None:
    tell_memory(machine, available)
    assert JOBS(machine) == expected


def test_no_more_than_a_container_may_have(machine: Path) -> None:
    tell_memory(machine, 100_000, f"{750 * 2**20}\n")
    assert JOBS(machine) == 3


@pytest.mark.parametrize(
    ("share", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("250000 100000", 3), ("5000 100000", 1), ("?", 8)],
)
def test_no_more_processors_than_a_container_may_have(
    machine: Path, share: str, expected: int
) -> None:
    (machine / "sys/fs/cgroup").mkdir(parents=True)
    (machine / "sys/fs/cgroup/cpu.max").write_text(f"{share}\n")
    assert JOBS(machine) == expected


@pytest.mark.parametrize(("said", "expected"), [("", 8), ("1", 1), (" 3 ", 3), ("99", 8)])
def test_the_environment_bounds_them(
    machine: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: int
) -> None:
    monkeypatch.setenv("LOMOND_BUILD_JOBS", said)
    assert JOBS(machine) == expected


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5"])
def test_what_is_no_number_of_jobs_is_said(
    machine: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("LOMOND_BUILD_JOBS", said)
    with pytest.raises(SystemExit, match=f"LOMOND_BUILD_JOBS is a number from 1 on, not '{said}'"):
        JOBS(machine)
