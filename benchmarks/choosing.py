"""What a run is asked for: its options, and the rows and clients that they choose."""

from __future__ import annotations

import argparse

import judging
from measuring import Row
from peers import PEERS
from results import RESULTS, load
from scenarios import SCENARIOS
from targets import TARGETS


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Compare lomond with its peers.")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only those (parts of names)")
    parser.add_argument("--scenarios", nargs="+", metavar="NAME", help="only those (parts)")
    parser.add_argument("--rounds", type=int, metavar="N", help="5; 3 of targets, 2 if quick")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    parser.add_argument("--targets", action="store_true", help="only what the targets name")
    parser.add_argument("--judge", action="store_true", help="measure nothing, judge what is kept")
    parser.add_argument(
        "--write", action="store_true", help="keep the results; write pages and charts of them"
    )
    given = parser.parse_args()
    if given.write and (given.peers or given.scenarios):
        parser.error("what is kept is of one run: --write can't go with --peers or --scenarios")
    return given


def is_named(name: str, parts: list[str] | None) -> bool:
    """Whether it is among those that were asked for."""
    return not parts or any(part in name for part in parts)


def rows_of(given: argparse.Namespace) -> list[Row]:
    """What is to be measured."""
    rows = [(row, PEERS) for row in SCENARIOS]
    if given.targets:
        rows = list(judging.asked(TARGETS, load().get("rows", {}) if RESULTS.exists() else {}))
    return [
        (scenario, [peer for peer in peers if is_named(peer.name, given.peers)])
        for scenario, peers in rows
        if is_named(scenario.name, given.scenarios)
        # What takes half a minute each to be seen can't be quick.
        and not (given.quick and scenario.seconds > 10)
    ]
