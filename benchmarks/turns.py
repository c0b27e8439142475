"""Small measures with the lomond that is installed where they run, by turns, against one server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lomond import twin

ROUNDS = 5


def by_turns(label: str, tried: dict[str, Callable[[str], float]]) -> dict[str, float]:
    """The least seconds for a message of each; prints a table of them, as ratios to the first.

    Arguments:
        label: What the names are of.
        tried: By name, what is given the server's port and tells the seconds for a message.
    """
    script = Path(__file__).parent / "servers" / "raw_server.py"
    costs: dict[str, list[float]] = {name: [] for name in tried}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        for _ in range(ROUNDS):
            for name, act in tried.items():
                costs[name].append(act(port))
        server.terminate()
    found = {name: min(runs) for name, runs in costs.items()}
    least = next(iter(found.values()))
    print(f"{twin.running} twin\n\n| {label} | µs a message | ratio |\n|---|--:|--:|")
    for name, cost in found.items():
        print(f"| {name} | {cost * 1e6:.3f} | {cost / least:.2f} |")
    return found
