"""All examples: as short as was said, each with a test, and typed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from examples.loaded import EXAMPLES, code_of, lines_of

#: Lines of each, without blank ones, comments and docstrings.
MOST = 59
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
NOTEBOOKS = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))


def test_which_lines_count() -> None:
    source = '"""One.\n\nTwo."""\n\n# three\nx = """\n\nfour"""\n'
    source += 'def f():\n    """Five."""\n    x  # six\n'
    assert lines_of(source) == 4


def lines() -> dict[str, int]:
    """How long each is, by its file."""
    found = {f"{name}.py": (EXAMPLES / f"{name}.py").read_text("utf-8") for name in NAMES}
    found |= {f"{name}.ipynb": as_function(name) for name in NOTEBOOKS}
    return {file: lines_of(source) for file, source in found.items()}


def test_each_is_short() -> None:
    assert {file: count for file, count in lines().items() if count > MOST} == {}
    assert len(lines()) >= 12


def test_the_page_names_each_with_its_lines() -> None:
    page = (EXAMPLES.parent / "docs" / "examples.md").read_text("utf-8").splitlines()
    for file, count in lines().items():
        (line,) = (one for one in page if one.startswith("|") and f"(../examples/{file})" in one)
        assert line.endswith(f"| {count} |"), line
    readme = (EXAMPLES.parent / "README.md").read_text("utf-8")
    assert "(docs/examples.md)" in readme


@pytest.mark.parametrize("name", NAMES + NOTEBOOKS)
def test_each_has_a_test(name: str) -> None:
    tests = EXAMPLES.parent / "tests"
    places = [tests / "examples", tests / "long"]
    assert any((place / f"test_{name}.py").is_file() for place in places)


def as_function(name: str) -> str:
    """The code of a notebook as one module: a function, in which `await` may stand."""
    body = textwrap.indent("\n\n".join(code_of(name)), "    ")
    return f"async def cells() -> None:\n{body}\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """All that is typed."""
    pytest.importorskip("nats")
    pytest.importorskip("paho.mqtt")
    for name in NOTEBOOKS:
        (tmp_path / f"{name}.py").write_text(as_function(name), "utf-8")
    folders = [*((EXAMPLES, name) for name in NAMES), *((tmp_path, name) for name in NOTEBOOKS)]
    return [str(folder / f"{name}.py") for folder, name in folders]


def test_mypy_finds_no_fault(files: list[str]) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_no_fault(files: list[str], tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, *files],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,  # where no configuration asks for more than its defaults
    )
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        pytest.skip(f"pyright does not run here: {done.stdout}{done.stderr}")
    assert [one["message"] for one in found if one["severity"] == "error"] == []
