"""The process of the fuzzing server: started, asked where it listens, stopped by its process id."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "fuzzing_server.py"
STOP_SECONDS = 10.0


class ServerError(Exception):
    """The fuzzing server did not start."""


@dataclass(frozen=True)
class FuzzingServer:
    """A running server.

    Arguments:
        port: where it listens, on 127.0.0.1.
        cases: ids of the selected cases; the server numbers them in this order, from 1.
    """

    port: int
    cases: list[str]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def fuzzing_server(python: Path, reports: Path, patterns: Sequence[str]) -> Iterator[FuzzingServer]:
    """Run a server for the cases that match, which writes to `reports` when it is asked to."""
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "index.json").unlink(missing_ok=True)
    log_path = reports / "server.log"
    command = [str(python), "-E", str(SCRIPT), str(reports), *patterns]
    with (
        log_path.open("w") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            announcement = process.stdout.readline() if process.stdout else ""
            if not announcement:
                raise ServerError(f"the fuzzing server did not start: see {log_path}")
            yield FuzzingServer(**json.loads(announcement))
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
