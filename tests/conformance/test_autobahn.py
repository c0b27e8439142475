"""A short run against Autobahn's fuzzing server; `conformance/run.py --check` is the long one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import set_up

import lomond

RUN_SCRIPT = set_up.HERE / "run.py"
QUICK_CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.2.*", "6.3.*", "7.*", "10.*"]
LIMIT_SECONDS = 100.0


def test_quick_cases_have_the_committed_verdicts(tmp_path: Path) -> None:
    if set_up.find_environment(os.environ) is None:
        pytest.skip(
            "no Autobahn: run conformance/set_up.py, or name an environment in "
            + set_up.ENVIRONMENT_VARIABLE
        )
    options = ["--check", "--reports", str(tmp_path), "--cases", *QUICK_CASES]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(RUN_SCRIPT), *options],
        env={**os.environ, "PYTHONPATH": str(Path(lomond.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
