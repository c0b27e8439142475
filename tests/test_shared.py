"""Runs of pytest share the tests: each test is run by one of them, and all that fails counts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared import COLLECTED, TESTS, counted, take

MODULES = ["doors/test_a.py", "doors/test_b.py", "hostile/test_hostile.py", "real/test_c.py"]


def some(modules: list[str], each: int = 3) -> list[Any]:
    """Tests, as pytest has collected them."""
    return [
        SimpleNamespace(path=TESTS / name, name=number)
        for name in modules
        for number in range(each)
    ]


def test_each_test_is_taken_once(tmp_path: Path) -> None:
    runs = [take(some(MODULES), tmp_path) for _ in range(3)]
    taken = []
    while runs:
        for run in list(runs):
            item = next(run, None)
            if item is None:
                runs.remove(run)
            else:
                taken.append((item.path, item.name))
    assert sorted(taken) == [(item.path, item.name) for item in some(MODULES)]


def test_one_alone_takes_all_and_the_longest_first(tmp_path: Path) -> None:
    names = [item.path.relative_to(TESTS).as_posix() for item in take(some(MODULES, 1), tmp_path)]
    assert names == [MODULES[2], MODULES[3], *MODULES[:2]]


def test_what_is_dear_together_is_taken_together(tmp_path: Path) -> None:
    modules = ["real/test_c.py", "real/test_d.py"]
    assert len([*take(some(modules), tmp_path)]) == 6


def pytest_on(place: Path, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "shared", "-p", "no:cacheprovider",
         f"--share={folder}", *arguments, str(place)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        cwd=place,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def test_processes_share_and_one_that_fails_says_so(tmp_path: Path) -> None:
    place, folder = tmp_path / "tests", tmp_path / "folder"
    place.mkdir()
    folder.mkdir()
    (place / "pytest.ini").write_text("[pytest]\n")
    for name in "abcd":
        (place / f"test_{name}.py").write_text(
            "from pathlib import Path\n"
            "import pytest\n"
            "@pytest.mark.parametrize('number', range(3))\n"
            "def test_it(number):\n"
            f"    with Path({str(tmp_path / 'seen')!r}).open('a') as seen:\n"
            f"        seen.write(f'{name}{{number}} ')\n"
            f"    assert number != 1 or {name!r} != 'c'\n"
        )
    runs = [pytest_on(place, folder) for _ in range(2)]
    assert sorted(run.wait() for run in runs) == [0, 1]
    seen = (tmp_path / "seen").read_text().split()
    assert sorted(seen) == [f"{name}{number}" for name in "abcd" for number in range(3)]
    assert counted(folder) == Counter(passed=11, failed=1)
    assert (folder / COLLECTED).exists()


@pytest.mark.parametrize("fault", ["def test_it(:", "import no_such_module"])
def test_what_can_not_be_collected_fails(tmp_path: Path, fault: str) -> None:
    place, folder = tmp_path / "tests", tmp_path / "folder"
    place.mkdir()
    folder.mkdir()
    (place / "pytest.ini").write_text("[pytest]\n")
    (place / "test_it.py").write_text(fault)
    (place / "test_other.py").write_text("def test_it(): pass")
    assert pytest_on(place, folder).wait() == pytest.ExitCode.INTERRUPTED
