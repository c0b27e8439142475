"""What does sending much cost? `sending.py [ROUNDS] [--doors sync ...] [--twins pure] [--quick]`.

Sends through each door, plain and with TLS, on both twins, with the lomond that is installed where
this runs: 512 MiB from a pipe by `send_stream`, and 200,000 texts of 100 bytes by `send_many`,
beside picows, which sends them one by one. Ends with 1 if memory grows by more than 8 MiB while
the pipe is sent, or if a text takes the compiled twin more than a quarter of picows' best time.
"""

from __future__ import annotations

import sys
from itertools import product
from typing import TYPE_CHECKING

from large import MIB, named, parsed, places, through
from peers import PEERS
from processes import ask

if TYPE_CHECKING:
    import argparse

TOTAL = 512 * MIB  # bytes
COUNT, SIZE = 200_000, 100  # texts, and bytes of each
MOST_MEMORY = 8 * MIB
MOST = {"compiled": 0.25}  # times the best processor time of PEER
PEER = "picows/"
OTHERS = [peer for peer in PEERS if peer.name.startswith(PEER)]

Runs = list[dict[str, float]]


def pipe_row(door: str, twin: str, tls: bool, runs: Runs) -> bool:
    """Print what the pipe took of one client; whether that is kept."""
    memory = max(run["memory"] for run in runs)
    is_kept = memory <= MOST_MEMORY
    least = min(run["cpu"] for run in runs) * 1e9
    said = "kept" if is_kept else "MISSED"
    print(f"| {named(door, twin, tls)} | {least:.3f} | {memory / MIB:.1f} | {said} |", flush=True)
    return is_kept


def text_rows(tls: bool, found: dict[tuple[str, str], Runs]) -> bool:
    """Print what a text took of each client, a pair of door and twin, or of a peer and nothing."""
    least = {client: min(run["cpu"] for run in runs) for client, runs in found.items()}
    best = min(least[client] for client in found if client[0].startswith(PEER))
    is_kept = True
    for (who, twin), cpu in least.items():
        name = named(who, twin, tls) if twin else f"{who}{', TLS' if tls else ''}"
        said = ""
        if twin in MOST:
            said = "kept" if cpu <= MOST[twin] * best else "MISSED"
            is_kept = is_kept and said == "kept"
        print(f"| {name} | {cpu * 1e9:.0f} | {cpu / best:.2f} | {said} |", flush=True)
    return is_kept


def pipes(asked: argparse.Namespace, total: int) -> bool:
    """Send that many bytes from a pipe, through each door; whether all is kept."""
    is_kept = True
    print("| client | ns a byte | memory, MiB | |\n|---|--:|--:|---|")
    for tls, place in places():
        url = f"{place['url']}message/{total}"
        task = {**place, "url": url, "kind": "pipe", "count": total}
        for door, twin in product(asked.doors, asked.twins):
            runs = [through(door, twin, task) for _ in range(asked.rounds)]
            is_kept = pipe_row(door, twin, tls, runs) and is_kept
    return is_kept


def texts(asked: argparse.Namespace, count: int) -> bool:
    """Send that many texts, through each door and by the peers, in turns; whether all is kept."""
    is_kept = True
    print("\n| client | ns a text | of picows' best | |\n|---|--:|--:|---|")
    for tls, place in places():
        url = f"{place['url']}send/{SIZE}/{count}"
        task = {**place, "url": url, "kind": "text", "size": SIZE, "count": count}
        found: dict[tuple[str, str], Runs] = {}
        for _ in range(asked.rounds):
            for peer in OTHERS:
                run = ask(peer, {**task, "scenario": "send"})
                found.setdefault((peer.name, ""), []).append(run)
            for door, twin in product(asked.doors, asked.twins):
                found.setdefault((door, twin), []).append(through(door, twin, task))
        is_kept = text_rows(tls, found) and is_kept
    return is_kept


def main() -> int:
    """Print a table of each; 1 if something is above its bound."""
    asked = parsed("What sending much costs.")
    parts = 8 if asked.quick else 1
    is_kept = pipes(asked, TOTAL // parts)
    return 0 if texts(asked, COUNT // parts) and is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
