"""The lomond command as a process."""

from __future__ import annotations

import os
import subprocess
import sys
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
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | how.pop("more", {}),
        **how,
    )
