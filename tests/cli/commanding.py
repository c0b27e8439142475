"""The lomond command as a process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-X", "dev", "-W", "error", "-m", "lomond")
LONGEST = 120  # seconds, of a busy machine


def lomond(*arguments: str, given: bytes | None = b"", **how: Any) -> tuple[int, bytes, str]:
    """What a run comes to: the status, standard output, standard error.

    Arguments:
        arguments: The command's.
        given: What stands in standard input; None for /dev/null.
        how: For `subprocess.run`.
    """
    if given is None:
        how["stdin"] = subprocess.DEVNULL
    else:
        how["input"] = given
    how = {"stdout": subprocess.PIPE} | how
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, timeout=LONGEST, check=False, **how
    )
    return done.returncode, done.stdout, done.stderr.decode()


def start(*arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    """A run that goes on, with pipes."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    more = how.pop("more", {})
    return subprocess.Popen([*COMMAND, *arguments], env=os.environ | more, **(pipes | how))


def completed(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """A run to its end: its status and what it wrote, as texts."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=LONGEST,
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
    out, errors = process.communicate(timeout=LONGEST)
    return process.returncode, out, errors
