"""Many connections in one thread: `python3 benchmarks/many.py [--quick]`.

Each client opens them to a server in a process of its own; printed are the client's memory for
each, its processor time while nothing is said, and with its default keepalive, and how late the
messages come that each connection is sent a hundred times a second.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from environments import UnavailableError
from peers import CROWDS, Peer
from processes import Task, ask, certificates, server

Figures = dict[str, float]


@dataclass(frozen=True)
class Scene:
    """What is asked.

    Arguments:
        name: As the table says.
        path: Asked of the server.
        count: Of connections.
        seconds: How long they are watched.
        keepalive: Whether with the client's default one; else without.
        tls: Whether over TLS.
    """

    name: str
    path: str
    count: int
    seconds: float
    keepalive: bool = False
    tls: bool = False


SCENES = [
    Scene("10,000 idle", "idle", 10_000, 5.0),
    Scene("10,000 idle, keepalive", "idle", 10_000, 35.0, keepalive=True),
    Scene("10,000 idle, TLS", "idle", 10_000, 5.0, tls=True),
    Scene("1,000 with 100 messages a second", "feed/100", 1_000, 20.0),
]
COLUMNS = {
    "memory": ("KiB each", 1 / 1024, "{:.1f}"),
    "opening": ("open, cpu ms each", 1e3, "{:.2f}"),
    "busy": ("processor time %", 100, "{:.2f}"),
    "messages": ("messages/s", 1, "{:.0f}"),
    "p50": ("median ms", 1e3, "{:.2f}"),
    "p99": ("p99 ms", 1e3, "{:.2f}"),
    "p100": ("latest ms", 1e3, "{:.1f}"),
}


def watch(peer: Peer, scene: Scene, directory: Path) -> Figures:
    """One client's figures; with a server of its own, so that none inherits another's memory.

    Raises:
        UnavailableError: There are none; it says why.
    """
    files = [str(directory / "chain.pem"), str(directory / "key.pem")] if scene.tls else []
    with server(["many_server.py", *files], False) as port:
        scheme = "wss" if scene.tls else "ws"
        task: Task = {
            "scenario": "crowd",
            "url": f"{scheme}://127.0.0.1:{port}/{scene.path}",
            "kind": "keepalive" if scene.keepalive else "",
            "count": scene.count,
            "seconds": scene.seconds,
            "ca": str(directory / "ca.pem") if scene.tls else None,
        }
        return ask(peer, task)


def render(scene: Scene, found: dict[str, Figures]) -> str:
    """One scene as a table."""
    shown = [name for name in COLUMNS if any(figures[name] for figures in found.values())]
    lines = [
        f"\n## {scene.name}\n",
        "| client | " + " | ".join(COLUMNS[name][0] for name in shown) + " |",
        "|---|" + "--:|" * len(shown),
    ]
    for client, figures in found.items():
        row = [COLUMNS[name][2].format(figures[name] * COLUMNS[name][1]) for name in shown]
        lines.append(f"| {client} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def main() -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(description="Compare clients with many connections.")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only those (parts of names)")
    parser.add_argument("--scenes", nargs="+", metavar="NAME", help="only those (parts of names)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the connections")
    given = parser.parse_args()
    with certificates() as directory:
        for scene in SCENES:
            if given.scenes and not any(part in scene.name for part in given.scenes):
                continue
            found: dict[str, Figures] = {}
            for peer in CROWDS:
                if given.peers and not any(part in peer.name for part in given.peers):
                    continue
                print(f"{scene.name}: {peer.name}", file=sys.stderr)
                asked = scene
                if given.quick:
                    asked = Scene(**{**vars(scene), "count": scene.count // 10})
                try:
                    found[peer.name] = watch(peer, asked, directory)
                except UnavailableError as reason:
                    print(f"no figures of {scene.name}: {peer.name}: {reason}")
            print(render(scene, found) if found else "", flush=True)
            if given.quick:
                print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
