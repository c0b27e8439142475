"""Where the compiled twin runs, the rules are tried on the pure one too, in another process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lomond.engine import engine
from pure_twin import RULES, PureTwin


@pytest.mark.skipif(engine.name == "pure", reason="the pure twin runs already")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rules", RULES)
def test_the_rules_hold_for_the_pure_twin_too(pure_twin: PureTwin, rules: str) -> None:
    status, said = pure_twin.outcome(rules)
    assert status == 0, said[-4000:]


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
