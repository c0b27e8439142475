"""The rules on the pure twin: in processes of their own, beside the tests of the compiled one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TESTS = Path(__file__).parent
RULES = {
    "rules": ["protocol", "session", "properties", "fuzz"],
    "doors": ["doors", "-m", "every_door"],
    "hostile": ["hostile"],
}


class PureTwin:
    """One process after another, while other tests run.

    Arguments:
        doors: The doors that are tested.
    """

    def __init__(self, doors: list[str]) -> None:
        self._doors = [f"--door={door}" for door in doors]
        self._running: subprocess.Popen[str] | None = None
        self._is_stopped = False
        self._outcomes: dict[str, tuple[int, str]] = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for name, rules in RULES.items():
            with tempfile.TemporaryFile("w+") as said:
                self._running = subprocess.Popen(
                    [sys.executable, "-m", "pytest", "-q", *rules, *self._doors],
                    env={**os.environ, "LOMOND_PURE": "1"},
                    cwd=TESTS,
                    stdout=said,
                    stderr=said,
                    text=True,
                )
                if self._is_stopped:
                    self._running.terminate()
                status = self._running.wait()
                said.seek(0)
                self._outcomes[name] = status, said.read()
            if self._is_stopped:
                return

    def outcome(self, rules: str) -> tuple[int, str]:
        """The exit status of those rules, and what was said; waits for it."""
        while self._thread.is_alive() and rules not in self._outcomes:
            self._thread.join(0.1)
        return self._outcomes[rules]

    def stop(self) -> None:
        """Nobody wants to know any more."""
        self._is_stopped = True
        if self._running is not None:
            self._running.terminate()
        self._thread.join()
