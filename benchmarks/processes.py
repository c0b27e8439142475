"""The processes of a benchmark: servers that are started and ended, clients that are asked."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import HERE, UnavailableError, python_of, tools
from peers import Peer

# Where the system puts two processes is chance, and decides which of them pays for the network:
# clients are kept on one processor, the server of bursts on another, of round trips on the same.
PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
LIMIT_SECONDS = 60.0
LONG_SECONDS = 300.0  # for many connections, or under another program
# Clients run with their defaults, of which some look for proxies here.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
}
CERTIFICATES = """
import sys, trustme
ca = trustme.CA()
ca.cert_pem.write_to_path(sys.argv[1] + "/ca.pem")
issued = ca.issue_cert("127.0.0.1")
issued.private_key_pem.write_to_path(sys.argv[1] + "/key.pem")
issued.cert_chain_pems[0].write_to_path(sys.argv[1] + "/chain.pem")
"""

Task = dict[str, Any]


@contextlib.contextmanager
def certificates() -> Iterator[Path]:
    """A directory of ca.pem, and of the chain.pem and key.pem of a server."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([tools(), "-c", CERTIFICATES, directory], check=True)
        yield Path(directory)


@contextlib.contextmanager
def server(command: list[str], is_beside: bool) -> Iterator[str]:
    """The port of a server, which has a process of its own.

    Arguments:
        command: The script in servers/, and its arguments.
        is_beside: Whether it shares the clients' processor.
    """
    process = subprocess.Popen(
        [tools(), HERE / "servers" / command[0], *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # of clients that refuse the certificate
        text=True,
    )
    try:
        if PROCESSORS:
            os.sched_setaffinity(process.pid, {PROCESSORS[-1 if is_beside else 0]})
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def ask(peer: Peer, task: Task, under: tuple[str, ...] = ()) -> dict[str, float]:
    """The figures of one client. Raises UnavailableError where there are none.

    Arguments:
        under: A command that runs the client's, with its options.
    """
    if peer.acts and task["scenario"] not in peer.acts:
        raise UnavailableError(f"no {task['scenario']} of its own")
    python = python_of(peer)
    script = HERE / "clients" / f"{peer.client}_client.py"
    limit = LONG_SECONDS if under or task["scenario"] == "crowd" else LIMIT_SECONDS
    task = {**task, "processor": PROCESSORS[-1] if PROCESSORS else None}
    try:
        done = subprocess.run(
            [*under, python, script, json.dumps(task)],
            env={**ENVIRONMENT, **peer.environment},
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"not done in {limit:g} s") from None
    if done.returncode:
        raise UnavailableError((done.stderr.strip().splitlines() or ["failed"])[-1])
    if not done.stdout:
        raise UnavailableError("it said nothing")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "skip" in figures:
        raise UnavailableError(figures["skip"])
    return figures
