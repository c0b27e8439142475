"""What do parts cost? `large.py [ROUNDS] [--doors sync ...] [--twins pure] [--quick]`.

Receives 1 GiB through each door, plain and with TLS, on both twins, with the lomond that is
installed where this runs: as one frame and as 16,384 fragments of 64 KiB, both in parts of 64 KiB,
and as whole messages of 1 MiB. Ends with 1 if parts take more processor time than these (the pure
twin more than 1.2 times as much), or if memory grows by more than 16 MiB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from processes import ENVIRONMENT, PROCESSORS, Task, certificates, server

KIB, MIB = 1 << 10, 1 << 20
TOTAL = 1 << 30  # bytes
PART = 64 * KIB
DOORS = ("sync", "group", "asyncio", "trio")
TWINS = {
    "compiled": {"LOMOND_PURE": "", "LOMOND_COMPILED": "1"},
    "pure": {"LOMOND_PURE": "1", "LOMOND_COMPILED": ""},
}
MOST = {"compiled": 1.0, "pure": 1.2}  # times the processor time of whole messages
MOST_MEMORY = 16 * MIB
WHOLE = "whole messages of 1 MiB"
CLIENT = Path(__file__).parent / "clients" / "large_client.py"
LIMIT_SECONDS = 300.0


def ways(total: int) -> dict[str, tuple[str, int]]:
    """By name, what is asked of the server, and the size of a part."""
    return {
        WHOLE: (f"receive/binary/{MIB}/{total // MIB}", 0),
        "one frame": (f"large/{total}/{total}", PART),
        "fragments of 64 KiB": (f"large/{total}/{PART}", PART),
    }


def through(door: str, twin: str, task: Task) -> dict[str, float]:
    """One client's processor time for each that it counts, and the most that its memory grew by.

    Arguments:
        task: Where it goes, and what it is (`clients/large_client.py`).
    """
    task = {**task, "scenario": door, "processor": PROCESSORS[-1] if PROCESSORS else None}
    done = subprocess.run(
        [sys.executable, CLIENT, json.dumps(task)],
        env={**ENVIRONMENT, **TWINS[twin]},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{door}, {twin}: ended with {done.returncode}\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def named(door: str, twin: str, tls: bool) -> str:
    """A client, as the tables say."""
    return f"{door}, {twin}{', TLS' if tls else ''}"


def row(door: str, twin: str, tls: bool, found: dict[str, list[dict[str, float]]]) -> bool:
    """Print the rows of one client; whether all is kept."""
    least = {way: min(run["cpu"] for run in runs) for way, runs in found.items()}
    is_kept = True
    for way, runs in found.items():
        memory = max(run["memory"] for run in runs)
        ratio = least[way] / least[WHOLE]
        words = "kept"
        if way == WHOLE:
            words = ""
        elif ratio > MOST[twin] or memory > MOST_MEMORY:
            words, is_kept = "MISSED", False
        figures = f"{least[way] * 1e9:.3f} | {ratio:.2f} | {memory / MIB:.1f}"
        print(f"| {named(door, twin, tls)} | {way} | {figures} | {words} |", flush=True)
    return is_kept


def places() -> Iterator[tuple[bool, Task]]:
    """Whether there is TLS, and a task's server, without its path, and authority; each once."""
    with certificates() as directory:
        for tls in (False, True):
            files = [str(directory / name) for name in ("chain.pem", "key.pem") if tls]
            ca = str(directory / "ca.pem") if tls else None
            with server(["raw_server.py", *files], False) as port:
                yield tls, {"url": f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/", "ca": ca}


def parsed(description: str) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--doors", nargs="+", choices=DOORS, default=DOORS)
    parser.add_argument("--twins", nargs="+", choices=list(TWINS), default=list(TWINS))
    parser.add_argument("--quick", action="store_true", help="an eighth of all that goes")
    return parser.parse_args()


def main() -> int:
    """Print a table; 1 if something is above its bound."""
    asked = parsed("What parts cost.")
    total = TOTAL // 8 if asked.quick else TOTAL
    asked_of = ways(total)
    is_kept = True
    print("| client | as | ns a byte | ratio | memory, MiB | |\n|---|---|--:|--:|--:|---|")
    for tls, place in places():
        for door, twin in product(asked.doors, asked.twins):
            found: dict[str, list[dict[str, float]]] = {}
            for _, way in product(range(asked.rounds), asked_of):
                path, size = asked_of[way]
                task = {"url": place["url"] + path, "kind": "binary", "size": size, "count": total}
                found.setdefault(way, []).append(through(door, twin, {**place, **task}))
            is_kept = row(door, twin, tls, found) and is_kept
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
