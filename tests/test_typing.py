"""What type checkers see: types of what is right, and an error on each line that is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

TYPED = Path(__file__).parent / "typed"
RIGHT, WRONG = TYPED / "right.py", TYPED / "wrong.py"

Places = set[tuple[str, int]]  # names of files, and lines


@cache
def by_mypy() -> Places:
    """With what mypy finds fault."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-pretty"]
    command += ["--no-error-summary", str(RIGHT), str(WRONG)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TYPED)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = re.findall(r"^([^:]+):(\d+): error", done.stdout, re.MULTILINE)
    return {(Path(file).name, int(line)) for file, line in found}


@cache
def by_pyright() -> Places:
    """The same, of pyright in its strict mode."""
    pytest.importorskip("pyright")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    command += ["--project", str(TYPED / "pyrightconfig.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TYPED)
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except ValueError:
        pytest.skip(f"pyright does not run here: {done.stdout}{done.stderr}")
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
        for one in found
        if one["severity"] == "error"
    }


@pytest.mark.parametrize("find", [by_mypy, by_pyright])
def test_what_is_right_has_its_types(find: Callable[[], Places]) -> None:
    assert {line for file, line in find() if file == RIGHT.name} == set()


@pytest.mark.parametrize("find", [by_mypy, by_pyright])
def test_each_line_that_is_wrong_is_an_error_and_no_other(find: Callable[[], Places]) -> None:
    lines = enumerate(WRONG.read_text().splitlines(), 1)
    wrong = {(WRONG.name, number) for number, line in lines if line.endswith("# wrong")}
    assert {place for place in find() if place[0] == WRONG.name} == wrong
