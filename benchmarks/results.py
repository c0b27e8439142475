"""The figures of one run: its rows, and the machine that it was on."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from peers import PEERS

RESULTS = Path(__file__).resolve().parent / "results.json"
LAST = RESULTS.with_name("last.json")  # of a run that is not to be kept

Runs = list[dict[str, float]]
Results = dict[str, dict[str, Runs]]

OURS = {peer.name for peer in PEERS if peer.is_ours}
FLOORS = {peer.name for peer in PEERS if peer.is_floor}


class Pair(NamedTuple):
    """Two figures of one thing, of which both count."""

    least: float
    median: float

    def over(self, other: Pair) -> Pair:
        """The ratio of the minima, and that of the medians."""
        return Pair(self.least / other.least, self.median / other.median)

    def is_within(self, most: float) -> bool:
        """Whether neither is more."""
        return self.least <= most and self.median <= most


def pair(runs: Runs, figure: str) -> Pair | None:
    """A client's minimum and median in one row; None where it has no such figure, or nothing."""
    values = [run[figure] for run in runs if figure in run]
    return Pair(min(values), median(values)) if values and min(values) > 0 else None


def pairs(row: dict[str, Runs], figure: str) -> dict[str, Pair]:
    """Those of all clients that have the figure, the least first."""
    found = {name: pair(runs, figure) for name, runs in row.items()}
    known = {name: values for name, values in found.items() if values is not None}
    return dict(sorted(known.items(), key=lambda item: item[1]))


def best(row: dict[str, Runs], figure: str, pattern: str = "*") -> tuple[str, Pair] | None:
    """The best of the others that the pattern fits, with its name; None where there is none."""
    for name, values in pairs(row, figure).items():
        if name not in OURS and name not in FLOORS and fnmatchcase(name, pattern):
            return name, values
    return None


def load(path: Path = RESULTS) -> dict[str, Any]:
    """What was stored: `rows`, `machine`, and `run`, which says how they were measured."""
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def store(stored: dict[str, Any], path: Path) -> None:
    """Keep it."""
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
