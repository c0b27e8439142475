"""Runs the tests on both twins, beside each other: `python tests/both.py [arguments of pytest]`.

What is the same for both is left to the compiled one (the mark `once`, see conftest.py). Where none
was built, all runs on the pure one. Most tests wait most of their time, so each twin has one
process more than there are processors, and the compiled one, which has more to do, two; they share
its tests (shared.py). The others begin when the first has collected them: two thirds of that is
compiling each module, which is done for the others then. The exit status is 0 where all passed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from shared import COLLECTED, counted

TESTS = Path(__file__).parent
MOST = 4  # for the compiled one 5; all the modules of a test run are collected by each process
TURN = 0.05  # seconds


class Run:
    """One process of pytest.

    Arguments:
        twin: Its name, for people.
        arguments: For pytest.
        said: Where its output goes; None for here.
    """

    def __init__(self, twin: str, arguments: list[str], said: BinaryIO | None) -> None:
        self._twin = twin
        self._said = said
        environment = {**os.environ, "LOMOND_PURE": "1" if twin == "pure" else ""}
        environment.pop("LOMOND_COMPILED", None)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or each compiles all modules anew
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            env=environment,
            cwd=TESTS.parent,
            stdout=said,
            stderr=said,
        )

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> bool:
        """Whether all passed; what it said is printed."""
        status = self._process.wait()
        if self._said is not None:
            self._said.seek(0)
            print(f"\nThe {self._twin} twin, another process:\n", flush=True)
            print(self._said.read().decode(errors="replace"), flush=True)
        return status == 0

    def stop(self) -> None:
        """It is over, whatever it does."""
        self._process.terminate()
        self._process.wait()


def is_compiled() -> bool:
    said = subprocess.run(
        [sys.executable, "-m", "lomond", "--version"],
        env={**os.environ, "LOMOND_PURE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return "(compiled" in said.stdout


def processors() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # it is not known everywhere
        return os.cpu_count() or 1


def main(arguments: list[str]) -> int:
    twins: dict[str, list[str]] = {"compiled": [], "pure": ["-m", "not once"]}
    if not is_compiled():
        print("there is no compiled twin here: all tests on the pure one", flush=True)
        twins = {"pure": []}
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        runs: list[Run] = []
        folders: dict[str, Path] = {}

        def begin(twin: str) -> Run:
            said = stack.enter_context(tempfile.TemporaryFile()) if runs else None
            given = [*twins[twin], *arguments, f"--share={folders[twin]}"]
            runs.append(Run(twin, given, said))
            stack.callback(runs[-1].stop)
            return runs[-1]

        for twin in twins:
            folders[twin] = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        firsts = [(begin(twin), folders[twin] / COLLECTED) for twin in twins]
        while not all(run.is_over() or mark.exists() for run, mark in firsts):
            time.sleep(TURN)
        for twin in twins:
            further = min(processors(), MOST - 1) + (twin == "compiled")
            for _ in range(further):
                begin(twin)
        passed = [run.end() for run in runs]
        for twin, folder in folders.items():
            counts = ", ".join(f"{count} {what}" for what, count in counted(folder).items())
            print(f"The {twin} twin: {counts}")
    print(f"{'all passed' if all(passed) else 'FAILED'}, in {time.monotonic() - started:.0f} s")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
