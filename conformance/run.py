"""Run lomond against Autobahn's fuzzing server: `python conformance/run.py [--check | --write]`.

The exit status is 0 if all is well, 1 if a verdict is not, 2 if nothing could be run, and 77
where there is no Python 2.7.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import echo_client
import set_up
from fuzzing import FuzzingServer, ServerError, fuzzing_server
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

from lomond.compression import chosen_backend

HERE = Path(__file__).resolve().parent
TABLE = HERE / "results.md"
REPORTS = HERE / "reports"

# Of compression, which takes the server ten minutes and more, the smallest cases, those of middle
# size and the fragmented ones of each of its parts.
COMPRESSION_CASES = tuple(f"{group}.*.{case}" for group in (12, 13) for case in (1, 5, 11))
DEFAULT_CASES = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", *COMPRESSION_CASES)
ALL_CASES = ("*",)
# Whose messages are long.
PARTS_CASES = ("9.*", "10.*", "12.*")
EXPLAINED = ("description", "expectation", "result", "resultClose")

STATUS_WRONG = 1


class SelectionError(Exception):
    """The cases to run are not what they should be."""


def run_cases(server: FuzzingServer, door: str, parts: int | None) -> dict[str, str]:
    """Run all cases of the server; return those without an orderly end, and why."""
    count = echo_client.ask_case_count(server.url)
    if count != len(server.cases):
        raise SelectionError(f"{len(server.cases)} cases announced, but the server has {count}")
    if not count:
        raise SelectionError("no case matches")
    troubles = {}
    for number, case in enumerate(server.cases, 1):
        trouble = echo_client.run_case(server.url, number, case, door, parts)
        if trouble:
            troubles[case] = trouble
    echo_client.ask_for_reports(server.url)
    return troubles


def judge(python: Path, options: argparse.Namespace, library: str) -> dict[Run, Verdict]:
    """Return the verdicts on all cases that match the patterns."""
    reports = options.reports.resolve()
    with fuzzing_server(python, reports, options.cases) as server:
        troubles = run_cases(server, options.door, options.parts)
    verdicts = read_reports(reports, echo_client.AGENT, server.cases)
    verdicts |= {case: Verdict(trouble, trouble) for case, trouble in troubles.items()}
    return {run_of(case, library): verdict for case, verdict in verdicts.items()}


def explain(verdicts: Mapping[Run, Verdict], reports: Path) -> None:
    """Print what Autobahn says of the cases that are not acceptable."""
    for run, verdict in verdicts.items():
        if not verdict.is_acceptable:
            print(f"\n{run}: {verdict}")
            report = read_report(reports, echo_client.AGENT, run.case)
            for key in filter(report.get, EXPLAINED):
                print(f"  {key}: {report[key]}")


def check(verdicts: Mapping[Run, Verdict], patterns: Sequence[str], library: str) -> int:
    """Compare with the selected part of the committed table; return the exit status."""
    committed, _ = _split_table(patterns, library)
    differences = changes(committed, verdicts)
    for line in differences:
        print(line)
    print(f"{len(verdicts)} cases run, {len(differences)} verdicts changed")
    return STATUS_WRONG if differences else 0


def write(verdicts: Mapping[Run, Verdict], patterns: Sequence[str], library: str) -> None:
    """Put the verdicts in the committed table; those on what was not selected stay."""
    _, others = _split_table(patterns, library)
    TABLE.write_text(render({**others, **verdicts}), encoding="utf-8", newline="\n")
    print(f"wrote {TABLE}")


def _split_table(
    patterns: Sequence[str], library: str
) -> tuple[dict[Run, Verdict], dict[Run, Verdict]]:
    selected: dict[Run, Verdict] = {}
    others: dict[Run, Verdict] = {}
    rows = parse_rows(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else []
    for run, verdict in rows:
        is_selected = run == run_of(run.case, library) and any(
            fnmatchcase(run.case, pattern) for pattern in patterns
        )
        (selected if is_selected else others)[run] = verdict
    return selected, others


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run lomond against Autobahn's fuzzing server.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--cases",
        nargs="+",
        metavar="PATTERN",
        help="ids of cases, * and ? allowed (default: all, but of compression a sixth)",
    )
    which.add_argument(
        "--all", dest="cases", action="store_const", const=ALL_CASES, help="all 517 cases"
    )
    which.add_argument(
        "--compression",
        dest="cases",
        action="store_const",
        const=COMPRESSION_CASES,
        help="the cases of compression that are run by default",
    )
    parser.add_argument(
        "--reports", type=Path, default=REPORTS, help="folder of Autobahn's own reports"
    )
    parser.add_argument(
        "--door", choices=list(echo_client.DOORS), default="sync", help="which door echoes (sync)"
    )
    parser.add_argument(
        "--parts",
        type=int,
        metavar="BYTES",
        help="have what is longer come in parts, which are put together again; unless --cases or "
        "the like says otherwise, only the groups of large and of compressed messages",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the committed table")
    what.add_argument("--write", action="store_true", help="change the committed table")
    options = parser.parse_args(arguments)
    if options.cases is None:
        options.cases = DEFAULT_CASES if options.parts is None else PARTS_CASES
    return options


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments say; return the exit status."""
    options = _parse(arguments)
    try:
        library = chosen_backend().name
        python = set_up.have_environment(os.environ)
        verdicts = judge(python, options, library)
    except set_up.UnavailableError as reason:
        print(reason, file=sys.stderr)
        return set_up.STATUS_UNAVAILABLE
    except (
        set_up.BrokenError,
        ServerError,
        SelectionError,
        echo_client.ConversationError,
        ImportError,
        ValueError,
    ) as reason:
        print(reason, file=sys.stderr)
        return set_up.STATUS_BROKEN
    explain(verdicts, options.reports)
    if options.check:
        return check(verdicts, options.cases, library)
    if options.write:
        write(verdicts, options.cases, library)
    else:
        print(summarize(verdicts))
    return 0 if all(verdict.is_acceptable for verdict in verdicts.values()) else STATUS_WRONG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
