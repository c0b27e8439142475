"""A short soak; `soak/run.py` is the long one. And that its ledger would notice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "soak"))

from messages import Ledger, checksum
from report import MUSTS, Summary

SCRIPT = Path(__file__).parents[1] / "soak" / "run.py"


def message(connection: int, sender: int, number: int) -> str:
    head = f"{connection} {sender} {number}"
    return f"{head} {checksum(head.encode(), b'body')} body"


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_a_short_soak_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", "3", "--processes", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("echoes", "said"),
    [
        ([message(7, 0, 1)], "gap: 1 where 0 was due"),
        ([message(7, 0, 0), message(7, 0, 0)], "twice: 0 where 1 was due"),
        ([message(8, 0, 0)], "of another connection"),
        ([message(7, 0, 0).replace("body", "bodY")], "checksum"),
        ([b"\xff\xff"], "unreadable"),
        ([message(7, 0, n) for n in range(4)], "never sent: 3"),
    ],
)
def test_the_ledger_notices(echoes: list[str | bytes], said: str) -> None:
    ledger = Ledger(7, 1)
    ledger.tried = ledger.accepted = [3]
    for echo in echoes:
        ledger.echo(echo)
    assert len(ledger.wrong) == 1
    assert said in ledger.wrong[0]
    assert not ledger.is_even() or said.startswith("never")


def result(**counts: int) -> dict[str, object]:
    memory = [100 << 20] * 8
    return {"counts": {"closed": 1, **counts}, "descriptors": [4, 4], "memory": memory}


def test_what_must_be_0_is_judged() -> None:
    faults = Counter(cut=1)
    assert Summary([result()], faults, 600).is_good()
    for name in MUSTS:
        assert not Summary([result(**{name: 1})], faults, 600).is_good()
    assert not Summary([result() | {"descriptors": [4, 5]}], faults, 600).is_good()
    grown = result() | {"memory": [100 << 20] * 6 + [110 << 20] * 2}
    assert not Summary([grown], faults, 600).is_good()
    assert Summary([grown], faults, 15).is_good()
    assert not Summary([], faults, 600).is_good()
