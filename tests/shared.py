"""Runs of pytest that share the tests: each takes a module when it is done with one.

`--share FOLDER`, given to all of them; an empty folder at first. They are processes as any, so what
a test does to its own (signals, forks, threads, descriptors) disturbs no other.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent

#: What takes longest, to begin with: else one run works at it alone in the end.
FIRST = (
    "hostile", "real", "doors/test_deadlines.py", "testing/test_faults.py",
    "doors/test_kept_threads.py", "properties", "test_soak.py", "test_twin.py",
)  # fmt: skip
#: Folders whose modules have a fixture in common that is dear.
WHOLE = ("real",)
#: In the folder, as soon as one run knows all tests.
COLLECTED = "collected"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--share",
        metavar="FOLDER",
        type=Path,
        help="run what no other run that has the same FOLDER has taken (see tests/both.py)",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    if folder := session.config.getoption("share"):
        (folder / COLLECTED).touch()


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    folder: Path | None = session.config.getoption("share")
    if folder is None or session.config.option.collectonly or session.testsfailed:
        return None  # as ever
    taken = take(session.items, folder)
    item = next(taken, None)
    while item is not None:
        following = next(taken, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What became of those that this run has taken is left in the folder, for `counted`."""
    if folder := config.getoption("share"):
        stats = (
            terminalreporter.stats
        )  # with "" of what set up and tore down, and what was not asked for
        counts = {name: len(stats[name]) for name in stats if name not in ("", "deselected")}
        (folder / f"{os.getpid()}.json").write_text(json.dumps(counts))


def counted(folder: Path) -> Counter[str]:
    """How many passed, failed, and so on, in all runs that shared the folder."""
    return sum(
        (Counter(json.loads(path.read_text())) for path in folder.glob("*.json")), Counter[str]()
    )


def take(items: list[pytest.Item], folder: Path) -> Iterator[pytest.Item]:
    """The tests that this run has to do, found out when it comes to them."""
    parts: dict[str, list[pytest.Item]] = {}
    for item in items:
        parts.setdefault(part_of(item.path), []).append(item)
    for part in sorted(parts, key=when):
        try:
            (folder / part.replace("/", "--")).touch(exist_ok=False)
        except FileExistsError:
            continue
        yield from parts[part]


def part_of(path: Path) -> str:
    """The name of what is taken at once: the module, or a whole folder."""
    place = path.relative_to(TESTS) if path.is_relative_to(TESTS) else Path(path.name)
    return next((folder for folder in WHOLE if place.is_relative_to(folder)), place.as_posix())


def when(part: str) -> int:
    """Its turn; those that have none of their own keep their order."""
    return next(
        (turn for turn, first in enumerate(FIRST) if Path(part).is_relative_to(first)), len(FIRST)
    )
