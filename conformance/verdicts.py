"""Verdicts: read from Autobahn's reports, written to and read from the committed table.

A table holds nothing that differs between two runs of the same client: no durations, no dates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

PREFACE = """\
# Verdicts of the Autobahn test suite

Written by `python conformance/run.py --write`; not to be edited. `behavior` judges the messages,
`behaviorClose` the end of the connection. INFORMATIONAL is a case for which Autobahn has no other
verdict.
"""
CASE_ROW = re.compile(r"^\| (\d+(?:\.\d+)+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


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


Table = Mapping[str, Verdict]


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


def render(table: Table) -> str:
    """Return the table as it is committed."""
    lines = [PREFACE, summarize(table), "", "| case | behavior | behaviorClose |", "|---|---|---|"]
    for case in sorted(table, key=case_order):
        lines.append(f"| {case} | {table[case].behavior} | {table[case].behavior_close} |")
    return "\n".join(lines) + "\n"


def summarize(table: Table) -> str:
    """Return a line for each group, and one for all."""
    lines = ["| group | cases | OK | INFORMATIONAL | other |", "|---|--:|--:|--:|--:|"]
    return "\n".join(lines + [_summary_row(name, rows) for name, rows in _grouped(table)])


def parse_rows(text: str) -> list[tuple[str, Verdict]]:
    """Return the rows of a rendered table as they stand, repeated ones included."""
    return [(case, Verdict(first, second)) for case, first, second in CASE_ROW.findall(text)]


def changes(before: Table, after: Table) -> list[str]:
    """Return a line for each case whose verdict is not the same in both."""
    cases = sorted(before.keys() | after.keys(), key=case_order)
    return [
        f"{case}: {before.get(case, 'not in the table')} -> {after.get(case, 'not run')}"
        for case in cases
        if before.get(case) != after.get(case)
    ]


def _grouped(table: Table) -> list[tuple[str, list[Verdict]]]:
    groups: dict[int, list[Verdict]] = {}
    for case in sorted(table, key=case_order):
        groups.setdefault(case_order(case)[0], []).append(table[case])
    named = [(f"{number} {GROUPS.get(number, '')}", rows) for number, rows in groups.items()]
    return [*named, ("all", list(table.values()))]


def _summary_row(name: str, rows: list[Verdict]) -> str:
    ok = sum(row.is_ok for row in rows)
    acceptable = sum(row.is_acceptable for row in rows)
    return f"| {name} | {len(rows)} | {ok} | {acceptable - ok} | {len(rows) - acceptable} |"


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
