"""Compare lomond with its peers: `python3 benchmarks/run.py [--quick] [--targets]`.

Each figure is the client's own processor time, measured in its process around the work. Peers take
turns in each round, so that what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import charts
import targets
from environments import HERE, UnavailableError, python_of
from peers import PEERS, SCENARIOS, Peer, Scenario
from processes import Task, ask, certificates, server

RESULTS = HERE / "results.json"
Results = dict[str, dict[str, list[dict[str, float]]]]


class Servers:
    """The servers' addresses."""

    def __init__(self, raw: str, echo: str, echo_tls: str, ca: str) -> None:
        self.raw, self.echo, self.echo_tls, self.ca = raw, echo, echo_tls, ca

    def url(self, scenario: Scenario) -> str:
        """Where the scenario's client connects."""
        if scenario.path:
            return f"{self.raw}/{scenario.path}"
        return self.echo_tls if scenario.tls else self.echo


@contextlib.contextmanager
def running() -> Iterator[Servers]:
    """The servers, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(certificates())
        files = [str(directory / "chain.pem"), str(directory / "key.pem")]
        raw = stack.enter_context(server(["raw_server.py"], False))
        echo = stack.enter_context(server(["echo_server.py"], True))
        tls = stack.enter_context(server(["echo_server.py", *files], True))
        yield Servers(
            f"ws://127.0.0.1:{raw}",
            f"ws://127.0.0.1:{echo}/",
            f"wss://127.0.0.1:{tls}/",
            str(directory / "ca.pem"),
        )


def measure(peer: Peer, scenario: Scenario, servers: Servers, divisor: int) -> dict[str, float]:
    """One figure of one client. Raises UnavailableError where there is none."""
    if scenario.act == "import":
        return _import_time(python_of(peer), peer)
    return ask(peer, task_of(scenario, servers, max(10, scenario.count // divisor)))


def task_of(scenario: Scenario, servers: Servers, count: int) -> Task:
    """What a client is asked to do with so many messages."""
    path = scenario.path.replace(str(scenario.count), str(count))
    path = path.replace(str(scenario.count + 1), str(count + 1))
    return {
        "scenario": scenario.act,
        "url": servers.url(scenario).removesuffix(scenario.path) + path,
        "kind": scenario.kind,
        "size": scenario.size,
        "count": count,
        "ca": servers.ca if scenario.tls else None,
    }


def _import_time(python: Path, peer: Peer) -> dict[str, float]:
    if not peer.modules:
        raise UnavailableError("no import of its own")
    script = HERE / "clients" / "nothing_client.py"

    def once(modules: tuple[str, ...]) -> float:
        process = subprocess.Popen(
            [python, script, *modules], env={**os.environ, **peer.environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UnavailableError(f"import of {modules} failed")
        return usage.ru_utime + usage.ru_stime

    figure = min(once(peer.modules) for _ in range(4)) - min(once(()) for _ in range(4))
    return {"cpu": max(figure, 0.0), "wall": 0.0}


def compare(
    peers: list[Peer], scenarios: list[Scenario], rounds: int, divisor: int
) -> tuple[Results, dict[str, str]]:
    """All figures, and why some are missing."""
    results: Results = {}
    missing: dict[str, str] = {}
    with running() as servers:
        for scenario in scenarios:
            found = results.setdefault(scenario.name, {})
            for number in range(rounds):
                for peer in peers:
                    key = f"{scenario.name}: {peer.name}"
                    if key in missing:
                        continue
                    try:
                        figures = measure(peer, scenario, servers, divisor)
                    except UnavailableError as reason:
                        missing[key] = str(reason)
                        continue
                    found.setdefault(peer.name, []).append(figures)
                print(f"{scenario.name}: round {number + 1} of {rounds}", file=sys.stderr)
            print(render(scenario, found), flush=True)
    return results, missing


def render(scenario: Scenario, found: dict[str, list[dict[str, float]]]) -> str:
    """One scenario as a table, the best first."""
    if not found:
        return f"\n## {scenario.name}\n\nno figures\n"
    scale, unit = (1 / 1024, "KiB") if scenario.figure == "memory" else (1e6, "µs")
    ordered = sorted(found.items(), key=lambda item: best(item[1], scenario.figure))
    first = best(ordered[0][1], scenario.figure)
    lines = [
        f"\n## {scenario.name}\n",
        f"| client | min {unit} | median {unit} | wall min µs | ratio to the best |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, runs in ordered:
        values = sorted(run[scenario.figure] for run in runs)
        wall = min(run["wall"] for run in runs) * 1e6
        ratio = values[0] / first if first else 1.0
        lines.append(
            f"| {name} | {values[0] * scale:.2f} | {values[len(values) // 2] * scale:.2f} "
            f"| {wall:.2f} | {ratio:.2f} |"
        )
    return "\n".join(lines)


def best(runs: list[dict[str, float]], figure: str) -> float:
    """The least of the figures."""
    return min(run[figure] for run in runs)


def main() -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(description="Compare lomond with its peers.")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only those (parts of names)")
    parser.add_argument("--scenarios", nargs="+", metavar="NAME", help="only those (parts)")
    parser.add_argument("--rounds", type=int, metavar="N", help="of each scenario (5; 2 if quick)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
    parser.add_argument("--targets", action="store_true", help="only judge the last results")
    given = parser.parse_args()
    if not given.targets:
        peers = [p for p in PEERS if not given.peers or any(n in p.name for n in given.peers)]
        scenarios = [
            s for s in SCENARIOS if not given.scenarios or any(n in s.name for n in given.scenarios)
        ]
        rounds, divisor = given.rounds or (2 if given.quick else 5), 10 if given.quick else 1
        results, missing = compare(peers, scenarios, rounds, divisor)
        for key, reason in missing.items():
            print(f"no figure of {key}: {reason}")
        stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps({**stored, **results}, indent=1) + "\n")
    results = json.loads(RESULTS.read_text())
    charts.draw(results, HERE / "charts")
    return targets.judge(results)


if __name__ == "__main__":
    sys.exit(main())
