"""Verdicts: read from Autobahn's reports, written to and read from the committed table.

A table holds nothing that differs between two runs of the same client: no durations, no dates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

OK = "OK"
INFORMATIONAL = "INFORMATIONAL"
MISSING = "MISSING"  # ours: the server knows nothing of the case

GROUPS = {
    1: "Framing",
    2: "Pings and pongs",
    3: "Reserved bits",
    4: "Opcodes",
    5: "Fragmentation",
    6: "UTF-8",
    7: "Closing",
    9: "Limits and performance",
    10: "Automatic fragmentation",
    12: "Compression, different payloads",
    13: "Compression, different parameters",
}
COMPRESSED_GROUPS = ("12.", "13.")

PREFACE = """\
# Verdicts of the Autobahn test suite

Written by `python conformance/run.py --write`; not to be edited. `behavior` judges the messages,
`behaviorClose` the end of the connection. INFORMATIONAL is a case for which Autobahn has no other
verdict. `library` is what compressed, in the groups about compression, which are run with each.
"""
NO_LIBRARY = "-"
CASE_ROW = re.compile(r"^\| (\d+(?:\.\d+)+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What Autobahn says of one case.

    Arguments:
        behavior: its verdict on the messages.
        behavior_close: its verdict on how the connection ended.
    """

    behavior: str
    behavior_close: str

    @property
    def is_ok(self) -> bool:
        return self.behavior == self.behavior_close == OK

    @property
    def is_acceptable(self) -> bool:
        return {self.behavior, self.behavior_close} <= {OK, INFORMATIONAL}

    def __str__(self) -> str:
        return f"{self.behavior} / {self.behavior_close}"


class Run(NamedTuple):
    """What a verdict is on.

    Arguments:
        case: id of the case.
        library: which compressed; `NO_LIBRARY` where the client offers no compression.
    """

    case: str
    library: str = NO_LIBRARY

    def __str__(self) -> str:
        return self.case if self.library == NO_LIBRARY else f"{self.case} with {self.library}"


Table = Mapping[Run, Verdict]


def run_of(case: str, library: str) -> Run:
    """Return what a verdict on the case is on, where the process compresses with the library."""
    return Run(case, library if case.startswith(COMPRESSED_GROUPS) else NO_LIBRARY)


def read_reports(reports: Path, agent: str, cases: Iterable[str]) -> dict[str, Verdict]:
    """Return the verdicts on the cases; MISSING where there is no report."""
    found = _load(reports / "index.json").get(agent, {})
    nothing = {"behavior": MISSING, "behaviorClose": MISSING}
    rows = {case: found.get(case, nothing) for case in cases}
    return {case: Verdict(row["behavior"], row["behaviorClose"]) for case, row in rows.items()}


def read_report(reports: Path, agent: str, case: str) -> dict[str, Any]:
    """Return all that Autobahn wrote about one case; empty if it wrote nothing."""
    row = _load(reports / "index.json").get(agent, {}).get(case)
    return _load(reports / row["reportfile"]) if row else {}


def case_order(case: str) -> tuple[int, ...]:
    """Sort key of a case id."""
    return tuple(int(part) for part in case.split("."))


def run_order(run: Run) -> tuple[tuple[int, ...], str]:
    """Sort key of a run."""
    return case_order(run.case), run.library


def render(table: Table) -> str:
    """Return the table as it is committed."""
    lines = [PREFACE, summarize(table), ""]
    lines += ["| case | library | behavior | behaviorClose |", "|---|---|---|---|"]
    for run in sorted(table, key=run_order):
        verdict = table[run]
        lines.append(
            f"| {run.case} | {run.library} | {verdict.behavior} | {verdict.behavior_close} |"
        )
    return "\n".join(lines) + "\n"


def summarize(table: Table) -> str:
    """Return a line for each group and library, and one for all."""
    lines = ["| group | library | runs | OK | INFORMATIONAL | other |"]
    lines.append("|---|---|--:|--:|--:|--:|")
    groups: dict[tuple[int, str], list[Verdict]] = {}
    for run, verdict in table.items():
        groups.setdefault((case_order(run.case)[0], run.library), []).append(verdict)
    for number, library in sorted(groups):
        name = f"{number} {GROUPS.get(number, '')}"
        lines.append(_summary_row(name, library, groups[number, library]))
    lines.append(_summary_row("all", NO_LIBRARY, list(table.values())))
    return "\n".join(lines)


def parse_rows(text: str) -> list[tuple[Run, Verdict]]:
    """Return the rows of a rendered table as they stand, repeated ones included."""
    rows = CASE_ROW.findall(text)
    return [(Run(case, library), Verdict(first, second)) for case, library, first, second in rows]


def changes(before: Table, after: Table) -> list[str]:
    """Return a line for each run whose verdict is not the same in both."""
    return [
        f"{run}: {before.get(run, 'not in the table')} -> {after.get(run, 'not run')}"
        for run in sorted(before.keys() | after.keys(), key=run_order)
        if before.get(run) != after.get(run)
    ]


def _summary_row(name: str, library: str, rows: list[Verdict]) -> str:
    ok = sum(row.is_ok for row in rows)
    acceptable = sum(row.is_acceptable for row in rows)
    other = len(rows) - acceptable
    return f"| {name} | {library} | {len(rows)} | {ok} | {acceptable - ok} | {other} |"


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
