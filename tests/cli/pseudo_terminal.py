"""A pseudo-terminal of our own, in which the command runs: byte by byte."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator

from patience import PATIENCE

COMMAND = [sys.executable, "-X", "dev", "-W", "error", "-m", "lomond"]


class Terminal:
    """A pseudo-terminal with a program in it.

    Arguments:
        command: The program.
        environ: Its variables, on top of ours.
        others: Its standard streams that are no terminal, as Popen has them.
    """

    def __init__(self, command: list[str], environ: dict[str, str], others: dict[str, int]) -> None:
        self.descriptor, there = os.openpty()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), there) | others
        cleared = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        # A session of its own, or Ctrl-C would reach nobody.
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LEADING, *command], env=cleared | environ, **streams
        )
        os.close(there)
        self.said = b""

    def type(self, data: bytes) -> None:
        """Type bytes: also more than it holds, as what it shows is taken meanwhile."""
        os.set_blocking(self.descriptor, False)
        rest, end = memoryview(data), time.monotonic() + PATIENCE
        while rest:
            assert time.monotonic() < end, f"{len(rest)} bytes are not taken"
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self.descriptor, rest[:4096]) :]
            self._look(0.0 if rest else 0.1)
        os.set_blocking(self.descriptor, True)

    def change(self, **modes: bool) -> None:
        """Have line modes of the terminal on or off, as ICANON."""
        import termios

        found = termios.tcgetattr(self.descriptor)
        for name, is_on in modes.items():
            bit = getattr(termios, name)
            found[3] = found[3] | bit if is_on else found[3] & ~bit
        termios.tcsetattr(self.descriptor, termios.TCSANOW, found)

    def wait_for(self, pattern: bytes) -> None:
        """Wait until it has shown that."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said, re.MULTILINE):
            assert time.monotonic() < end, f"no {pattern!r} in {self.said!r}"
            self._look()

    def status(self) -> int:
        """Wait for its end; the exit status."""
        end = time.monotonic() + PATIENCE
        while (status := self.process.poll()) is None:
            assert time.monotonic() < end, f"it goes on: {self.said!r}"
            self._look()
        while self._look():
            pass
        return status

    def _look(self, patience: float = 0.1) -> bool:
        """Take what it shows; whether there was something within so many seconds."""
        if not select.select([self.descriptor], [], [], patience)[0]:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # it has ended
            return False
        self.said += data
        return bool(data)

    def close(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait()
        os.close(self.descriptor)


#: Has its standard input, or else standard output, be the terminal that controls it.
_LEADING = """\
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0 if os.isatty(0) else 1, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextlib.contextmanager
def terminal(
    *arguments: str,
    others: dict[str, int] | None = None,
    command: list[str] = COMMAND,
    **environ: str,
) -> Iterator[Terminal]:
    one = Terminal([*command, *arguments], environ, others or {})
    try:
        yield one
    finally:
        one.close()
