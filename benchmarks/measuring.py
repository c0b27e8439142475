"""The measuring: servers, a client's figures of one row, and all rows of a run by turns."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from environments import HERE, UnavailableError, python_of
from peers import Peer
from processes import ENVIRONMENT, Task, ask, certificates, server
from results import Results, Runs
from scenarios import Scenario

Row = tuple[Scenario, list[Peer]]


class Servers:
    """The servers' addresses, by whether they speak TLS.

    Arguments:
        raw: Of the one that sends bursts; there is one of each.
        echo: Of the one that answers.
        directory: Where the certificates are.
    """

    def __init__(self, raw: dict[bool, str], echo: dict[bool, str], directory: Path) -> None:
        self._raw, self._echo, self.directory = raw, echo, directory

    def url(self, scenario: Scenario, path: str, port: str = "") -> str:
        """Where the scenario's client connects."""
        ports = self._raw if scenario.path else self._echo
        scheme = "wss" if scenario.tls else "ws"
        return f"{scheme}://127.0.0.1:{port or ports[scenario.tls]}/{path}"

    def files(self, tls: bool) -> list[str]:
        """A server's certificate and key, as its arguments."""
        return [str(self.directory / name) for name in ("chain.pem", "key.pem") if tls]


@contextlib.contextmanager
def running() -> Iterator[Servers]:
    """The servers, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        servers = Servers({}, {}, stack.enter_context(certificates()))
        raw, echo = {}, {}
        for tls in (False, True):
            files = servers.files(tls)
            raw[tls] = stack.enter_context(server(["raw_server.py", *files], False))
            echo[tls] = stack.enter_context(server(["echo_server.py", *files], True))
        yield Servers(raw, echo, servers.directory)


def measure(peer: Peer, scenario: Scenario, servers: Servers, divisor: int) -> dict[str, float]:
    """One client's figures of one round. Raises UnavailableError where there are none."""
    if scenario.act in ("import", "make"):
        whole = f"import {peer.module}" if peer.module else ""
        program = peer.program if scenario.act == "make" and peer.program else whole
        return _import_time(python_of(peer), peer, program)
    count = max(10, scenario.count // divisor)
    if scenario.act != "crowd":
        return ask(peer, task_of(scenario, servers, count))
    # A server of its own: none is to inherit the memory, and the closing, of another one's.
    with server(["many_server.py", *servers.files(scenario.tls)], False) as port:
        return ask(peer, task_of(scenario, servers, count, port))


def task_of(scenario: Scenario, servers: Servers, count: int, port: str = "") -> Task:
    """What a client is asked to do with so many messages, or connections."""
    path = scenario.path.replace(str(scenario.count), str(count))
    path = path.replace(str(scenario.count + 1), str(count + 1))
    return {
        "scenario": scenario.act,
        "url": servers.url(scenario, path, port),
        "kind": scenario.kind,
        "size": scenario.size,
        "count": count,
        "seconds": scenario.seconds,
        "timers": scenario.timers,
        "ca": str(servers.directory / "ca.pem") if scenario.tls else None,
    }


def _import_time(python: Path, peer: Peer, whole: str) -> dict[str, float]:
    if not whole:
        raise UnavailableError("no import of its own")
    script = HERE / "clients" / "nothing_client.py"

    def once(program: str) -> float:
        process = subprocess.Popen(
            [python, script, program], env={**ENVIRONMENT, **peer.environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UnavailableError(f"this failed: {program}")
        return usage.ru_utime + usage.ru_stime

    figure = min(once(whole) for _ in range(4)) - min(once("") for _ in range(4))
    return {"cpu": max(figure, 0.0)}


def compare(
    rows: Iterable[Row],
    rounds: int,
    divisor: int,
    shown: Callable[[Scenario, dict[str, Runs]], str],
) -> tuple[Results, dict[str, str]]:
    """All figures, and why some are missing; each row is printed when it is done.

    Arguments:
        rounds: In each of which every client has one turn.
        divisor: So many times less is asked than the scenarios say.
        shown: What is printed of a row.
    """
    results: Results = {}
    missing: dict[str, str] = {}
    began = time.monotonic()
    with running() as servers:
        for _, group in groupby(rows, key=lambda row: row[0].turns or row[0].name):
            together = list(group)
            for number in range(rounds):
                for scenario, peers in together:
                    if 0 < scenario.most_rounds <= number:
                        continue
                    found = results.setdefault(scenario.name, {})
                    _round(scenario, peers, servers, divisor, found, missing)
                    after = f"after {time.monotonic() - began:.0f} s"
                    print(f"{scenario.name}: {number + 1} of {rounds}, {after}", file=sys.stderr)
            for scenario, _ in together:
                print(shown(scenario, results[scenario.name]), flush=True)
    return results, missing


def _round(
    scenario: Scenario,
    peers: list[Peer],
    servers: Servers,
    divisor: int,
    found: dict[str, Runs],
    missing: dict[str, str],
) -> None:
    """Each client's turn; who can't, is not asked again."""
    for peer in peers:
        key = f"{scenario.name}: {peer.name}"
        if key in missing:
            continue
        try:
            figures = measure(peer, scenario, servers, divisor)
        except UnavailableError as reason:
            missing[key] = str(reason)
        else:
            found.setdefault(peer.name, []).append(figures)
