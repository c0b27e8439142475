"""The committed table of verdicts, without Autobahn."""

from collections import Counter

import pytest
from set_up import HERE
from verdicts import Verdict, case_order, parse_rows, render

# The only verdict that Autobahn has for these.
WITHOUT_VERDICT = {"7.1.6", "7.13.1", "7.13.2"}
CASES_OF_GROUPS = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1, 12: 90, 13: 126}


@pytest.fixture(scope="module")
def text() -> str:
    return (HERE / "results.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(text: str) -> list[tuple[str, Verdict]]:
    return parse_rows(text)


def test_every_case_is_listed_once(rows: list[tuple[str, Verdict]]) -> None:
    assert [case for case, times in Counter(case for case, _ in rows).items() if times > 1] == []
    assert Counter(case_order(case)[0] for case, _ in rows) == CASES_OF_GROUPS


def test_every_verdict_is_the_best_there_is(rows: list[tuple[str, Verdict]]) -> None:
    best = {case: "INFORMATIONAL" if case in WITHOUT_VERDICT else "OK" for case, _ in rows}
    worse = [case for case, verdict in rows if verdict != Verdict(best[case], best[case])]
    assert worse == []


def test_table_is_as_the_runner_writes_it(text: str, rows: list[tuple[str, Verdict]]) -> None:
    assert render(dict(rows)) == text
