"""ARCHITECTURE.md names what is there: files, classes, and what these have."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lomond

SOURCES = Path(lomond.__file__).parent
HOME = Path(__file__).parent.parent
TEXT = (HOME / "ARCHITECTURE.md").read_text(encoding="utf-8") if HOME.name else ""
#: Of Python and of other programs.
OTHERS = {"asyncio", "sys", "time", "os", "socket", "inspect", "ssl", "threading"}


def quoted() -> list[str]:
    return re.findall(r"`([^`\n]+)`", TEXT)


def classes() -> dict[str, set[str]]:
    """Each class of the package, and the names that it has itself."""
    found: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                text = ast.unparse(node)
                names = re.findall(r"def (\w+)|self\.(\w+)|^    (\w+)(?::| =)", text, re.MULTILINE)
                found[node.name] = {name for group in names for name in group}
                found[node.name] |= {base.id for base in node.bases if isinstance(base, ast.Name)}
    return found


def has(known: dict[str, set[str]], kind: str, name: str) -> bool:
    """Whether a class has it, or one of those that it is made of."""
    own = known.get(kind, set())
    return name in own or any(has(known, base, name) for base in own & known.keys() - {kind})


def test_every_file_is_there() -> None:
    names = {path for path in quoted() if re.fullmatch(r"[\w./]+\.(py|pyx|pxd|md|txt)", path)}
    assert names
    files = {path.name for path in [*SOURCES.rglob("*.p*"), *HOME.glob("*.*"), *HOME.glob("*/*.*")]}
    missing = [
        name
        for name in sorted(names)
        if not ((SOURCES / name).exists() or (HOME / name).exists())
        and ("/" in name or name not in files)
    ]
    assert missing == []


def test_every_attribute_is_there() -> None:
    known = classes()
    named = [re.fullmatch(r"([A-Z]\w+)\.(\w+)(\(.*\))?", text) for text in quoted()]
    pairs = {(match[1], match[2]) for match in named if match is not None}
    assert pairs
    assert [f"{kind}.{name}" for kind, name in sorted(pairs) if not has(known, kind, name)] == []


def test_every_module_that_a_source_names_is_there() -> None:
    modules = {path.name for path in [*SOURCES.rglob("*.py"), *HOME.glob("*.py")]}
    named = {
        (path.relative_to(SOURCES).as_posix(), name)
        for path in [*SOURCES.rglob("*.py"), *SOURCES.rglob("*.pyx")]
        for name in re.findall(r"\b[a-z_]+\.py\b", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [where for where in sorted(named) if where[1] not in modules] == []


@pytest.mark.parametrize("room", ["io", "system", "session", "protocol"])
def test_every_module_of_a_room_is_named(room: str) -> None:
    others = {"__init__"}
    modules = {path.stem for path in (SOURCES / room).glob("*.py")} - others
    assert [name for name in sorted(modules) if not re.search(rf"\b{name}\b", TEXT)] == []
