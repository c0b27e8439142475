"""A terminal for tests: tmux with a server of its own, in which a program runs and keys are typed.

What it shows is compared with a file of screens/; LOMOND_SCREENS=write writes that anew.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import runpy
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from patience import PATIENCE

SCREENS = Path(__file__).parent / "screens"
PICTURE: dict[str, Any] = runpy.run_path(
    str(Path(__file__).parents[2] / "tools" / "picture.py"), run_name="picture"
)
_LOOK = 0.05  # seconds between two looks at the screen
_SETTLED = 1.0  # seconds without a change, of a screen that is to be written down
#: What no two runs have in common -> what stands for it.
_VARYING = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:PORT",
    r"\b\d+(\.\d+)?(e[+-]\d+)? (ms|s)\b": "TIME",
}


class Screen:
    """What a program shows in a terminal.

    Arguments:
        name: Of tmux's socket.
        environ: tmux's own.
    """

    def __init__(self, name: str, environ: dict[str, str]) -> None:
        self._tmux = ["tmux", "-L", name, "-u", "-f", "/dev/null"]
        self._environ = environ

    def begin(self, command: str, size: tuple[int, int], directory: Path) -> None:
        """Run the command of a shell; its exit status is shown below what it shows."""
        columns, rows = map(str, size)
        told = f"trap : INT\n{command}\necho status $?\nexec sleep 1000"
        self._do("new-session", "-d", "-x", columns, "-y", rows, "-c", str(directory), told)

    def end(self) -> None:
        """End it, and what runs in it."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._do("kill-server")

    def type(self, *keys: str) -> None:
        """Type keys by their names, as "Enter", "M-Enter", "C-c"; other words as they are."""
        for key in keys:
            is_name = re.fullmatch(r"Enter|Up|Left|[CM]-\w+", key)
            self._do("send-keys", *([] if is_name else ["-l", "--"]), key)

    def line(self, text: str) -> None:
        """Type a line."""
        self.type(text, "Enter")

    def resize(self, columns: int, rows: int) -> None:
        """Have it another size."""
        self._do("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self) -> str:
        """What it shows, without colours."""
        return self._do("capture-pane", "-p").rstrip()

    def wait_for(self, pattern: str) -> None:
        """Wait until it shows that."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text(), re.MULTILINE):
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.text()}"
            time.sleep(_LOOK)

    def is_as(self, name: str) -> None:
        """Wait until it shows what the file has."""
        path = SCREENS / f"{name}.txt"
        if os.environ.get("LOMOND_SCREENS") == "write":
            path.write_text(self._settled(), encoding="utf-8")
            return
        wanted = path.read_text(encoding="utf-8")
        end = time.monotonic() + PATIENCE
        while (found := self._capture()) != wanted:
            if time.monotonic() > end:
                diff = difflib.unified_diff(wanted.splitlines(), found.splitlines(), lineterm="")
                pytest.fail("\n".join(map(repr, diff)), pytrace=False)
            time.sleep(_LOOK)

    def _settled(self) -> str:
        found, since = "", time.monotonic()
        while time.monotonic() - since < _SETTLED:
            now = self._capture()
            if now != found:
                found, since = now, time.monotonic()
            time.sleep(_LOOK)
        return found

    def _capture(self) -> str:
        """What it shows, with colours, and marks for what varies."""
        shown: str = PICTURE["written"](PICTURE["rows_of"](self._do("capture-pane", "-p", "-e")))
        for pattern, mark in _VARYING.items():
            shown = re.sub(pattern, mark, shown)
        return shown

    def _do(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            check=True,
            capture_output=True,
            env=self._environ,
            timeout=PATIENCE,
        )
        return done.stdout.decode()


@contextlib.contextmanager
def screen(
    command: str, directory: Path, size: tuple[int, int] = (80, 24), **environ: str
) -> Iterator[Screen]:
    """A terminal in which the command runs, in that directory; skips where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux isn't installed")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {
        "XDG_STATE_HOME": str(directory / "state"),
        "LC_ALL": "C.UTF-8",
        "SHELL": "/bin/sh",
        "TMUX_TMPDIR": tempfile.gettempdir(),  # a socket's path must be short
    }
    one = Screen(f"lomond-{uuid4().hex[:12]}", {**kept, **own, **environ})
    try:
        one.begin(command, size, directory)
        yield one
    finally:
        one.end()
