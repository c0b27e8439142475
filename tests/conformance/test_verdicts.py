"""Verdicts, and the table they stand in."""

import json
from pathlib import Path

from verdicts import (
    Run,
    Verdict,
    changes,
    parse_rows,
    read_report,
    read_reports,
    render,
    run_of,
    summarize,
)

OK = Verdict("OK", "OK")
INFORMATIONAL = Verdict("INFORMATIONAL", "INFORMATIONAL")
UNCLEAN = Verdict("OK", "UNCLEAN")


def write_reports(folder: Path) -> None:
    row = {"behavior": "OK", "behaviorClose": "WRONG CODE", "duration": 3, "reportfile": "a.json"}
    (folder / "index.json").write_text(json.dumps({"lomond": {"1.1.1": row}}))
    (folder / "a.json").write_text(json.dumps({"result": "as expected"}))


def test_both_verdicts_count() -> None:
    assert OK.is_ok
    assert not UNCLEAN.is_acceptable
    assert not Verdict("NON-STRICT", "OK").is_acceptable
    assert INFORMATIONAL.is_acceptable
    assert not INFORMATIONAL.is_ok


def test_reports_are_read_and_absent_ones_are_missing(tmp_path: Path) -> None:
    write_reports(tmp_path)
    assert read_reports(tmp_path, "lomond", ["1.1.1", "1.1.2"]) == {
        "1.1.1": Verdict("OK", "WRONG CODE"),
        "1.1.2": Verdict("MISSING", "MISSING"),
    }
    assert read_report(tmp_path, "lomond", "1.1.1") == {"result": "as expected"}
    assert read_report(tmp_path, "lomond", "1.1.2") == {}


def test_agent_that_ran_nothing_has_no_verdicts(tmp_path: Path) -> None:
    write_reports(tmp_path)
    assert read_reports(tmp_path, "other", ["1.1.1"]) == {"1.1.1": Verdict("MISSING", "MISSING")}


def test_table_is_read_back_in_the_order_of_the_cases() -> None:
    table = {
        Run("12.1.1", "zlib-ng"): OK,
        Run("12.1.1", "zlib"): UNCLEAN,
        Run("2.10"): UNCLEAN,
        Run("2.9"): INFORMATIONAL,
    }
    assert parse_rows(render(table)) == [
        (Run("2.9"), INFORMATIONAL),
        (Run("2.10"), UNCLEAN),
        (Run("12.1.1", "zlib"), UNCLEAN),
        (Run("12.1.1", "zlib-ng"), OK),
    ]


def test_order_of_the_runs_does_not_show() -> None:
    table = {Run("1.1.2"): OK, Run("1.1.1"): UNCLEAN}
    assert render(table) == render(dict(sorted(table.items())))


def test_repeated_rows_are_seen() -> None:
    row = "| 12.1.1 | zlib | OK | OK |\n"
    assert parse_rows(row + row) == [(Run("12.1.1", "zlib"), OK)] * 2


def test_summary_counts_by_group_and_library() -> None:
    summary = summarize(
        {
            Run("1.1.1"): OK,
            Run("1.1.2"): UNCLEAN,
            Run("7.1.6"): INFORMATIONAL,
            Run("12.1.1", "zlib"): OK,
            Run("12.1.1", "zlib-ng"): UNCLEAN,
        }
    )
    assert summary.splitlines()[2:] == [
        "| 1 Framing | - | 2 | 1 | 0 | 1 |",
        "| 7 Closing | - | 1 | 0 | 1 | 0 |",
        "| 12 Compression, different payloads | zlib | 1 | 1 | 0 | 0 |",
        "| 12 Compression, different payloads | zlib-ng | 1 | 0 | 0 | 1 |",
        "| all | - | 5 | 2 | 1 | 2 |",
    ]


def test_changes_name_each_run_that_differs() -> None:
    before = {Run("1.1.1"): OK, Run("1.1.2"): OK, Run("12.1.1", "zlib"): OK}
    after = {Run("1.1.1"): OK, Run("1.1.2"): UNCLEAN, Run("12.1.1", "zlib-ng"): OK}
    assert changes(before, after) == [
        "1.1.2: OK / OK -> OK / UNCLEAN",
        "12.1.1 with zlib: OK / OK -> not run",
        "12.1.1 with zlib-ng: not in the table -> OK / OK",
    ]


def test_a_library_is_named_only_where_it_compresses() -> None:
    assert run_of("12.1.1", "zlib") == Run("12.1.1", "zlib")
    assert run_of("1.2.1", "zlib") == Run("1.2.1")
