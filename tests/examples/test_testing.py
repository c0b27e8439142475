"""The examples of the kit: twelve tests to copy, short, typed, and right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.loaded import EXAMPLES, lines_of

FOLDER = EXAMPLES / "testing"
FILES = sorted(FOLDER.glob("*.py"))
MOST = 40  # lines of each, without blank ones, comments and docstrings


def test_all_of_them_pass() -> None:
    pytest.importorskip("trio")
    pytest.importorskip("trustme")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--import-mode=importlib", "-c", "/dev/null", "--rootdir", FOLDER, FOLDER],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout.splitlines()[-1]
    assert "skipped" not in done.stdout


def test_there_are_twelve_and_each_is_short() -> None:
    found = {path.name: lines_of(path.read_text("utf-8")) for path in FILES}
    assert len(found) == 12
    assert {name: count for name, count in found.items() if count > MOST} == {}


def test_the_page_names_each_with_its_lines() -> None:
    page = (EXAMPLES.parent / "docs" / "examples.md").read_text("utf-8")
    for path in FILES:
        (line,) = (one for one in page.splitlines() if f"(../examples/testing/{path.name})" in one)
        assert line.endswith(f"| {lines_of(path.read_text('utf-8'))} |")


@pytest.mark.once
def test_mypy_finds_no_fault(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.once
def test_pyright_finds_no_fault(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "include": [str(FOLDER)]})
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--project", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        pytest.skip(f"pyright does not run here: {done.stdout}{done.stderr}")
    assert [one["message"] for one in found if one["severity"] == "error"] == []
