"""All examples: as short as was said, each with a test, and typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.loaded import EXAMPLES, lines_of

#: Lines without blank ones, comments and docstrings.
MOST = {
    "exchange": 60,
    "home_assistant": 20,
    "json_rpc": 15,
    "mqtt": 40,
    "screenshot": 25,
    "single_use_urls": 20,
    "transfer": 40,
}
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


def test_which_lines_count() -> None:
    source = '"""One.\n\nTwo."""\n\n# three\nx = """\n\nfour"""\n'
    source += 'def f():\n    """Five."""\n    x  # six\n'
    assert lines_of(source) == 4


def test_each_is_as_short_as_was_said() -> None:
    found = {name: lines_of((EXAMPLES / f"{name}.py").read_text("utf-8")) for name in NAMES}
    assert found.keys() == MOST.keys()
    assert {name: count for name, count in found.items() if count > MOST[name]} == {}


def test_the_page_names_each() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    assert [name for name in NAMES if f"({name}.py)" not in page] == []
    readme = (EXAMPLES.parent / "README.md").read_text("utf-8")
    assert "`examples`" in readme


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_test(name: str) -> None:
    tests = EXAMPLES.parent / "tests"
    places = [tests / "examples", tests / "long"]
    assert any((place / f"test_{name}.py").is_file() for place in places)


def test_mypy_finds_no_fault() -> None:
    pytest.importorskip("mypy")
    pytest.importorskip("paho.mqtt")
    files = [str(EXAMPLES / f"{name}.py") for name in NAMES]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_no_fault(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    pytest.importorskip("paho.mqtt")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, *(str(EXAMPLES / f"{name}.py") for name in NAMES)],
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
