"""The tests of a module of protocol/ or session/ are found by its name, and no others lie there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lomond

TESTS = Path(__file__).parent
SOURCES = Path(lomond.__file__).parent
ROOMS = ["protocol", "protocol/extensions", "protocol/http", "session"]
ONLY_TYPES: set[str] = set()
#: Folders of scripts whose modules tests import by their bare names, all in one process.
SCRIPTS = [TESTS.parent / name for name in ("benchmarks", "conformance", "fuzz", "soak")]


def modules(room: str) -> set[str]:
    return {path.stem for path in (SOURCES / room).glob("*.py")} - {"__init__"}


def named(room: str) -> set[str]:
    return {path.stem.removeprefix("test_") for path in (TESTS / room).glob("test_*.py")}


def is_about(test: str, module: str) -> bool:
    return test == module or test.startswith(f"{module}_")


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_has_tests_of_its_name(room: str) -> None:
    without = [
        f"{room}/{module}.py"
        for module in sorted(modules(room))
        if not any(is_about(test, module) for test in named(room))
    ]
    assert set(without) <= ONLY_TYPES


@pytest.mark.parametrize("room", ROOMS)
def test_every_test_is_named_after_a_module(room: str) -> None:
    others = [t for t in sorted(named(room)) if not any(is_about(t, m) for m in modules(room))]
    assert others == []


def test_no_room_is_forgotten() -> None:
    rooms = {
        path.parent for room in ("protocol", "session") for path in SOURCES.glob(f"{room}/**/*.py")
    }
    assert {room.relative_to(SOURCES).as_posix() for room in rooms} == set(ROOMS)


def imported(path: Path) -> set[str]:
    """The first words of what a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found


def test_a_script_that_is_imported_has_a_name_of_its_own() -> None:
    folders: dict[str, list[str]] = {}
    for path in (path for folder in SCRIPTS for path in folder.glob("*.py")):
        folders.setdefault(path.stem, []).append(path.parent.name)
    twice = {name: there for name, there in folders.items() if len(there) > 1}
    assert "run" in twice
    asked = set().union(*(imported(path) for path in TESTS.rglob("*.py")))
    assert {name: there for name, there in twice.items() if name in asked} == {}
