"""What was promised, and whether it is kept: ratios of minima within one run."""

from __future__ import annotations

from dataclasses import dataclass

from peers import PEERS

Results = dict[str, dict[str, list[dict[str, float]]]]


@dataclass(frozen=True)
class Target:
    """`client` must need at most `most` times what `peer` needs."""

    scenario: str
    client: str
    most: float
    peer: str
    figure: str = "cpu"


COMPILED, PURE = "lomond compiled", "lomond pure"
NEWER = "lomond compiled, Python >= 3.12"
UVLOOP = "picows/uvloop"
BEST = "the best peer"
OURS = {peer.name for peer in PEERS if peer.is_ours}

TARGETS = [
    Target("receive text 100 B", COMPILED, 0.6, UVLOOP),
    Target("receive text 100 B", NEWER, 0.9, "websocket-rs"),
    Target("receive text 100 B", COMPILED, 0.1, "websockets sync"),
    Target("receive text 100 B", PURE, 0.4, "websockets sync"),
    Target("receive text 100 B", PURE, 1.0, "aiohttp/uvloop"),
    Target("receive text 16 KiB", COMPILED, 1.0, UVLOOP),
    Target("receive binary 1 MiB", COMPILED, 1.0, UVLOOP),
    Target("round trip 256 B", COMPILED, 0.9, UVLOOP),
    Target("round trip 256 B", COMPILED, 1.25, "raw socket"),
    Target("round trip 8 KiB", COMPILED, 0.85, UVLOOP),
    Target("round trip 100 KiB", COMPILED, 0.75, UVLOOP),
    Target("round trip 256 B TLS", COMPILED, 1.0, UVLOOP),
    Target("round trip 8 KiB TLS", COMPILED, 1.0, UVLOOP),
    Target("round trip 100 KiB TLS", COMPILED, 1.0, UVLOOP),
    Target("send text 100 B", COMPILED, 0.8, BEST),
    *[
        Target(scenario, f"lomond aio/{loop}", most, f"{peer}/{loop}")
        for loop in ("asyncio", "uvloop")
        for scenario, most, peer in [
            ("receive text 100 B", 0.6, "aiohttp"),
            ("round trip 256 B", 0.8, "aiohttp"),
            ("round trip 256 B", 1.3, "picows"),
        ]
    ],
    Target("idle connection, memory", COMPILED, 0.25, "websockets sync", "memory"),
    Target("import", COMPILED, 0.7, "websocket-client"),
]


def judge(results: Results) -> int:
    """Print each target with its figure; 1 if one is missed."""
    missed = 0
    print(
        "\n## Targets\n\n| scenario | client | at most | of | figure | |\n|---|---|--:|---|--:|---|"
    )
    for target in TARGETS:
        ratio = ratio_of(target, results)
        if ratio is None:
            verdict, shown = "not measured", ""
        else:
            verdict, shown = ("kept" if ratio <= target.most else "MISSED"), f"{ratio:.2f}"
            missed += ratio > target.most
        print(
            f"| {target.scenario} | {target.client} | {target.most:g} | {target.peer} | {shown} "
            f"| {verdict} |"
        )
    return 1 if missed else 0


def ratio_of(target: Target, results: Results) -> float | None:
    """The client's figure over the peer's; None where one of them is missing."""
    found = results.get(target.scenario, {})
    figures = {
        name: min(run[target.figure] for run in runs if target.figure in run)
        for name, runs in found.items()
    }
    ours = figures.get(target.client)
    others = {name: f for name, f in figures.items() if name not in OURS and name != "raw socket"}
    theirs = min(others.values(), default=None) if target.peer == BEST else figures.get(target.peer)
    return ours / theirs if ours is not None and theirs else None
