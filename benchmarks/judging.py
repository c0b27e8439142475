"""Whether the promises are kept: by the minima and by the medians of one run.

One is kept where both ratios keep it, or where the client is within 1.15 times of its floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from floors import NEAR, floor, floors_of
from peers import PEERS, Peer
from results import FLOORS, OURS, Pair, Results, Runs, best, pair
from scenarios import FIGURES, SCENARIOS, Scenario
from targets import TARGETS, WORDS, Target

HEAD = (
    "| scenario | client | at most | of | min | median | of its floor | |\n"
    "|---|---|--:|---|--:|--:|--:|---|"
)
FAR = 1.5  # times the best


@dataclass(frozen=True)
class Verdict:
    """One target with its figures.

    Arguments:
        ratio: To the peer; None where a figure is missing.
        to_floor: To the client's floor; None where there is none.
        is_floor_beaten: Whether the peer is below that floor.
    """

    target: Target
    ratio: Pair | None
    to_floor: Pair | None
    is_floor_beaten: bool = False

    @property
    def is_near_floor(self) -> bool:
        """Whether it can't be asked for more."""
        return self.to_floor is not None and self.to_floor.is_within(NEAR)

    @property
    def is_kept(self) -> bool:
        """Whether the promise is; never where nothing was measured."""
        if self.ratio is None:
            return False
        return self.ratio.is_within(self.target.most) or self.is_near_floor

    @property
    def words(self) -> str:
        """As the table says."""
        if self.ratio is None:
            return "not measured"
        if self.ratio.is_within(self.target.most):
            return "kept"
        if self.is_near_floor:
            return "kept: at its floor" + ", which the peer is below" * self.is_floor_beaten
        return "MISSED"


def verdict(target: Target, results: Results) -> Verdict:
    """What the results say of it."""
    row = results.get(target.scenario, {})
    ours = pair(row.get(target.client, []), target.figure)
    if target.peer in OURS or target.peer in FLOORS:
        theirs = pair(results.get(target.row, {}).get(target.peer, []), target.figure)
    else:
        found = best(results.get(target.row, {}), target.figure, target.peer)
        theirs = found[1] if found else None
    lowest = floor(target.client, row, target.figure)
    return Verdict(
        target,
        ours.over(theirs) if ours and theirs else None,
        ours.over(lowest) if ours and lowest else None,
        bool(theirs and lowest and theirs < lowest),
    )


def table(results: Results, targets: list[Target] = TARGETS) -> str:
    """All targets, with what became of them."""
    lines = [HEAD]
    for target in targets:
        found = verdict(target, results)
        shown = [f"{number:.2f}" for number in found.ratio] if found.ratio else ["", ""]
        near = found.to_floor
        to_floor = f"{near.least:.2f}, {near.median:.2f}" if near else ""
        what = "" if target.figure == "cpu" else f", {FIGURES[target.figure].words}"
        lines.append(
            f"| {target.scenario}{what} | {target.client} | {target.most:g} | {peer_of(target)} | "
            f"{shown[0]} | {shown[1]} | {to_floor} | {found.words} |"
        )
    return "\n".join(lines)


def peer_of(target: Target) -> str:
    """The peer, in words."""
    return f"itself, {target.other}" if target.other else WORDS.get(target.peer, target.peer)


def missed(results: Results, targets: list[Target] = TARGETS) -> list[Target]:
    """Those that are not kept, and those that were not measured."""
    return [target for target in targets if not verdict(target, results).is_kept]


def is_asked(peer: Peer, target: Target, row: str, kept: Results) -> bool:
    """Whether this peer's figure in the row is needed to judge the target.

    Arguments:
        kept: Of an earlier run. Where the best of several is wanted, who was far from it in that
            run is not asked again.
    """
    if row == target.scenario and peer.name == target.client:
        return True
    if row == target.scenario and peer.name in floors_of(target.client):
        lowest = floor(target.client, kept.get(row, {}), target.figure)
        return not is_far(peer, target, kept.get(row, {}), lowest)
    if row != target.row:
        return False
    if peer.is_ours or peer.is_floor:
        return peer.name == target.peer
    found = best(kept.get(row, {}), target.figure, target.peer)
    is_one = fnmatchcase(peer.name, target.peer)
    return is_one and not is_far(peer, target, kept.get(row, {}), found[1] if found else None)


def is_far(peer: Peer, target: Target, row: dict[str, Runs], lowest: Pair | None) -> bool:
    """Whether the peer was far from the best, as far as is known."""
    then = pair(row.get(peer.name, []), target.figure)
    return bool(then and lowest and then.least > FAR * lowest.least)


def asked(
    targets: list[Target] = TARGETS, kept: Results | None = None
) -> Iterator[tuple[Scenario, list[Peer]]]:
    """The rows that the targets name, and of each the peers that they name, and the floors."""
    for scenario in SCENARIOS:
        name = scenario.name
        peers = [p for p in PEERS if any(is_asked(p, t, name, kept or {}) for t in targets)]
        if peers:
            yield scenario, peers
