"""Each command's help fits a screen, and neither it nor the version brings the library along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli.commanding import completed
from lomond import __version__
from lomond.cli import COMMANDS, exits

#: Modules beside those of Python itself; on Python 3.11 they are 80 at most.
MOST = 110
#: What a command needs first when it connects.
HEAVY = {"ssl", "socket", "asyncio", "lomond.websocket", "lomond.protocol", "h11", "json"}
IMPORTED = """
import sys
before = set(sys.modules)
from lomond.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    """The modules that are imported beside those of an empty program."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == exits.DONE
    return set(done.stderr.split())


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_screen(name: str) -> None:
    done = completed(*name.split(), "--help")
    assert (done.returncode, done.stderr) == (exits.DONE, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0].startswith(f"usage: lomond {name}".rstrip())


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_no_cell_of_the_help_reaches_into_the_next(name: str) -> None:
    rows = [row for row in completed(*name.split(), "--help").stdout.splitlines() if row[:1] == "-"]
    assert rows
    assert [row for row in rows if len(row) > 40 and row[39] != " "] == []


@pytest.mark.parametrize("name", ["bench", "ping", "replay", "serve", "demo"])
def test_help_brings_little_along(name: str) -> None:
    found = imported(name, "--help")
    assert len(found) <= MOST
    assert found & HEAVY <= {"socket", "json"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_command_without_a_name_brings_little_along(option: str) -> None:
    found = imported(option)
    assert len(found) <= MOST
    assert found & HEAVY == set()


def test_the_version_and_what_runs() -> None:
    done = completed("--version")
    assert done.returncode == exits.DONE
    assert done.stdout.startswith(f"lomond {__version__} (")
