"""Programs that others wrote, run on this machine for a test: started, killed, started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = 300.0  # seconds; of a start, which may install something


def free_port() -> int:
    """One of 127.0.0.1 that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Program:
    """A server's process, which has its own group; a context manager that ends it.

    Arguments:
        command: How it is started.
        port: Where it listens, of 127.0.0.1.
        log: What it prints goes there.
        environ: On top of ours.
    """

    def __init__(
        self, command: list[str], port: int, log: Path, environ: dict[str, str] | None = None
    ) -> None:
        self._command = command
        self.port = port
        self._log = log
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self._process.poll() is None, self.said()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(self.said())

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send it and its children a signal that ends them, and wait for that."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, number)
            process.wait(60)

    def run(self, *arguments: str) -> None:
        """Run it with more arguments, up to its own end."""
        command = [*self._command, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._environ, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def said(self) -> str:
        """What it has printed."""
        return self._log.read_text("utf-8", "replace")[-4000:]
