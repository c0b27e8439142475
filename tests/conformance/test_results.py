"""The committed table of verdicts, without Autobahn."""

from collections import Counter

import pytest
from set_up import HERE
from verdicts import NO_LIBRARY, Run, Verdict, case_order, parse_rows, render

# The only verdict that Autobahn has for these.
WITHOUT_VERDICT = {"7.1.6", "7.13.1", "7.13.2"}
CASES_OF_GROUPS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1}
CASES_OF_COMPRESSION = {12: 90, 13: 126}
LIBRARIES = ["zlib", "zlib-ng"]


@pytest.fixture(scope="module")
def text() -> str:
    return (HERE / "results.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(text: str) -> list[tuple[Run, Verdict]]:
    return parse_rows(text)


def test_every_case_is_listed_once_for_each_library(rows: list[tuple[Run, Verdict]]) -> None:
    assert [run for run, times in Counter(run for run, _ in rows).items() if times > 1] == []
    expected = {(group, NO_LIBRARY): count for group, count in CASES_OF_GROUPS.items()}
    for library in LIBRARIES:
        expected |= {(group, library): count for group, count in CASES_OF_COMPRESSION.items()}
    assert Counter((case_order(run.case)[0], run.library) for run, _ in rows) == expected


def test_every_library_has_the_same_cases(rows: list[tuple[Run, Verdict]]) -> None:
    first, second = ({run.case for run, _ in rows if run.library == name} for name in LIBRARIES)
    assert first == second
    assert len(first) == 216


def test_every_verdict_is_the_best_there_is(rows: list[tuple[Run, Verdict]]) -> None:
    best = {run: "INFORMATIONAL" if run.case in WITHOUT_VERDICT else "OK" for run, _ in rows}
    worse = [run for run, verdict in rows if verdict != Verdict(best[run], best[run])]
    assert worse == []


def test_table_is_as_the_runner_writes_it(text: str, rows: list[tuple[Run, Verdict]]) -> None:
    assert render(dict(rows)) == text
