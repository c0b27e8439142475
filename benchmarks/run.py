"""Compare lomond with its peers: `python3 benchmarks/run.py [--targets] [--quick] [--write]`.

Each figure is the client's own, measured in its process around the work. Peers take turns in each
round, so that what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from datetime import UTC, datetime
from typing import Any

import charts
import judging
import machine
import pages
import tables
import waiting
from choosing import is_named, parsed, rows_of
from environments import HERE, UnavailableError, python_of
from measuring import compare
from results import LAST, RESULTS, load, store
from targets import TARGETS, Target


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """A run, as it is stored."""
    rounds = given.rounds or (2 if given.quick else 3 if given.targets else 5)
    wanted = rows_of(given)
    for peer in {peer.name: peer for _, peers in wanted for peer in peers}.values():
        with contextlib.suppress(UnavailableError):  # each row says so
            python_of(peer)
    on, began = machine.description(), time.monotonic()
    rows, missing = compare(wanted, rounds, 10 if given.quick else 1, tables.of_row)
    is_whole = not (given.peers or given.scenarios)
    return {
        "run": {
            "date": datetime.now(UTC).date().isoformat(),
            "rounds": rounds,
            "quick": given.quick,
            "targets": given.targets,
            "seconds": round(time.monotonic() - began),
            "missing": {key: why for key, why in missing.items() if not why.startswith("no ")},
        },
        "machine": on,
        "rows": rows,
        "waiting": waiting.compared() if is_whole else {},
    }


def judged(stored: dict[str, Any], targets: list[Target]) -> int:
    """Print the targets that the results are of; 1 if one is missed."""
    print(f"\n## Targets\n\n{pages.machine(stored)}\n\n{judging.table(stored['rows'], targets)}")
    return 1 if judging.missed(stored["rows"], targets) else 0


def main() -> int:
    """Run the command; its exit status."""
    given = parsed()
    if given.judge:
        stored = load(RESULTS)
    else:
        stored = measured(given)
        store(stored, RESULTS if given.write else LAST)
        for key, why in stored["run"]["missing"].items():
            print(f"no figure of {key}: {why}")
        print(f"\nmeasured in {stored['run']['seconds']} s")
    if given.write:
        charts.draw(stored["rows"], HERE / "charts")
        pages.write(stored)
    return judged(
        stored,
        [
            target
            for target in TARGETS
            if is_named(target.client, given.peers) and is_named(target.scenario, given.scenarios)
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
