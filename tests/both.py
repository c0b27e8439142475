"""Runs the tests on both twins, beside each other: `python tests/both.py [arguments of pytest]`.

What is the same for both is left to the compiled one (the mark `once`, see conftest.py). Where none
was built, all runs on the pure one. The exit status is 0 where all passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent


def begin(arguments: list[str], pure: bool, output: int | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "LOMOND_PURE": "1" if pure else ""}
    environment.pop("LOMOND_COMPILED", None)
    return subprocess.Popen(
        command, env=environment, cwd=TESTS.parent, stdout=output, stderr=output
    )


def is_compiled() -> bool:
    said = subprocess.run(
        [sys.executable, "-m", "lomond", "--version"],
        env={**os.environ, "LOMOND_PURE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return "(compiled" in said.stdout


def main(arguments: list[str]) -> int:
    if not is_compiled():
        print("there is no compiled twin here: all tests on the pure one", flush=True)
        return begin(arguments, pure=True).wait()
    with tempfile.TemporaryFile() as said:
        pure = begin(["-q", "-m", "not once", *arguments], pure=True, output=said.fileno())
        try:
            compiled = begin(arguments, pure=False).wait()
            status = pure.wait()
        finally:
            pure.terminate()
        said.seek(0)
        print("\nThe same on the pure twin:\n", flush=True)
        print(said.read().decode(errors="replace"), flush=True)
    return compiled or status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
