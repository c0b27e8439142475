"""The command as a process, for tests: run to its end, or started and stopped."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from patience import PATIENCE

COMMAND = [sys.executable, "-X", "dev", "-W", "error", "-m", "lomond"]


def lomond(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; its status and what it wrote."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextlib.contextmanager
def started(*arguments: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """One that runs in the block, and is killed behind it where it still does."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line of its output, without its end."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its status, and the rest of what it wrote."""
    out, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, out, errors
