"""Compare this checkout with another one of lomond: `python3 benchmarks/before.py CHECKOUT`.

Both are measured in one run, by turns. With `--instructions` valgrind counts what the processor is
told to do, outside of the kernel: that tells differences that are smaller than the machine's moods.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from environments import UnavailableError
from measuring import Servers, compare, running, task_of
from peers import PEERS, Peer, of_before
from processes import ask
from results import Results, pair
from scenarios import FIGURES, SCENARIOS, Scenario
from tables import of_row

COLLECTED = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def instructions(peer: Peer, scenario: Scenario, servers: Servers) -> float:
    """Instructions for one message: what a longer run takes more, over what it does more."""

    def count_of(count: int) -> int:
        with tempfile.TemporaryDirectory() as directory:
            out = Path(directory) / "out"
            under = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
            ask(peer, task_of(scenario, servers, count), under)
            found = COLLECTED.search(out.read_text())
        if found is None:
            raise UnavailableError("valgrind counted nothing")
        return int(found[1])

    few = max(20, scenario.count // 200)
    return (count_of(10 * few) - count_of(few)) / (9 * few)


def count(peers: list[Peer], scenarios: list[Scenario]) -> Results:
    """The instructions of each, as figures."""
    results: Results = {}
    with running() as servers:
        for scenario in scenarios:
            if scenario.act in ("import", "make", "idle", "paced", "crowd"):
                continue  # nothing is done for a message, or the server says how fast
            found = results.setdefault(scenario.name, {})
            for peer in peers:
                try:
                    found[peer.name] = [{"cpu": instructions(peer, scenario, servers)}]
                except UnavailableError as reason:
                    print(f"no figure of {scenario.name}: {peer.name}: {reason}", file=sys.stderr)
            print(f"{scenario.name}: {found}", file=sys.stderr)
    return results


def render(results: Results, scenarios: list[Scenario], scale: float = 0) -> str:
    """Each row that both checkouts have: before, after, and what remains of it.

    Arguments:
        scale: Of the figures; 0 for that of the scenario's figure.
    """
    figure_of = {scenario.name: scenario.figure for scenario in scenarios}
    lines = ["| scenario | client | before | after | ratio | of medians |"]
    lines.append("|---|---|--:|--:|--:|--:|")
    for name, found in results.items():
        figure = figure_of[name]
        factor = scale or FIGURES[figure].scale
        for client, runs in found.items():
            after, before = pair(runs, figure), pair(found.get(f"{client}, before", []), figure)
            if after and before:
                least, median = after.over(before)
                lines.append(
                    f"| {name} | {client} | {before.least * factor:.2f} "
                    f"| {after.least * factor:.2f} | {least:.3f} | {median:.3f} |"
                )
    return "\n".join(lines)


def main() -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(description="Compare this checkout with another one.")
    parser.add_argument("checkout", help="the other one's folder")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only those (parts of names)")
    parser.add_argument("--scenarios", nargs="+", metavar="NAME", help="only those (parts)")
    parser.add_argument("--rounds", type=int, metavar="N", default=5, help="of each scenario (5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    parser.add_argument("--instructions", action="store_true", help="count them, with valgrind")
    given = parser.parse_args()
    ours = [peer for peer in PEERS if peer.is_ours and peer.least_python <= sys.version_info[:2]]
    peers = [
        peer
        for peer in [*ours, *of_before(ours, str(Path(given.checkout).resolve()))]
        if not given.peers or any(name in peer.name for name in given.peers)
    ]
    scenarios = [
        scenario
        for scenario in SCENARIOS
        if any(name in scenario.name for name in given.scenarios or ())
        or (not given.scenarios and scenario.act != "crowd")  # these take minutes
    ]
    if given.instructions:
        print(render(count(peers, scenarios), scenarios, 1.0))
    else:
        rows = [(scenario, peers) for scenario in scenarios]
        results, _ = compare(rows, given.rounds, 10 if given.quick else 1, of_row)
        print(render(results, scenarios))
    return 0


if __name__ == "__main__":
    sys.exit(main())
