"""Where the compiled twin runs, the rules are tried on the pure one too, in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lomond.engine import engine

TESTS = Path(__file__).parent
RULES = ["protocol", "session", "properties", "fuzz", "doors/test_golden_traces.py"]


@pytest.mark.skipif(engine.name == "pure", reason="the pure twin runs already")
@pytest.mark.parametrize("rules", [RULES, ["hostile"]], ids=["rules", "hostile"])
def test_the_rules_hold_for_the_pure_twin_too(rules: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *(str(TESTS / rule) for rule in rules)],
        env={**os.environ, "LOMOND_PURE": "1"},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("value", ["1", "yes"])
def test_lomond_pure_chooses_the_pure_twin(value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lomond", "--version"],
        env={**os.environ, "LOMOND_PURE": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "(pure, " in done.stdout
