"""What the doctor's lines look like."""

from __future__ import annotations

import pytest

from lomond.cli.doctor.report import Report, span
from lomond.ending import duration
from lomond.redaction import Discretion


@pytest.mark.parametrize("seconds", [1.01504, 1.0149, 59.96, 1234.5])
def test_a_time_that_the_words_have_is_not_told_twice(
    seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    Report(False, Discretion()).ok("idle", f"cut after {duration(seconds)}", seconds=seconds)
    assert capsys.readouterr().out == f"ok    idle         cut after {duration(seconds)}\n"


def test_a_time_is_told_behind_words_that_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    Report(False, Discretion()).ok("tcp", "127.0.0.1:1", seconds=0.0012)
    assert capsys.readouterr().out == "ok    tcp          127.0.0.1:1 (1.2 ms)\n"


def test_a_long_time_has_minutes() -> None:
    assert span(1234.5) == "21 min"
