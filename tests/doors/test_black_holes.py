"""Addresses that lead nowhere, in a network of its own: a namespace, which only root can make."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

# 10.9.0.77 has a neighbour that drops everything; to 10.8.0.0/16 the system has no way.
NETWORK = """
ip link set lo up
ip link add here type veth peer name there
ip addr add 10.9.0.1/24 dev here
ip link set here up
ip link set there up
ip neigh add 10.9.0.77 lladdr 02:00:00:00:00:77 dev here nud permanent
ip route add unreachable 10.8.0.0/16
exec "$@"
"""

CLIENT = """
import socket, sys, threading, time
from fair_clock import FairClock
from lomond import WebSocket
from lomond.testing.echo import EchoServer

NAMES = {"hole": "10.9.0.77", "nowhere": "10.8.0.1"}
system = socket.getaddrinfo

def resolve(host, port, *arguments, **options):
    if host not in ("hole.example", "nowhere.example", "all.example"):
        return system(host, port, *arguments, **options)
    if options.get("flags"):
        raise socket.gaierror(-2, "not a literal")
    first = NAMES.get(host.partition(".")[0], "10.9.0.77")
    last = "127.0.0.1" if host != "all.example" else "10.8.0.1"
    return [(socket.AF_INET, 1, 6, "", (address, port)) for address in (first, last)]

socket.getaddrinfo = resolve
with EchoServer() as server, FairClock() as clock:
    port = server.url.rstrip("/").rpartition(":")[2]
    for name, least, most in (("hole", 0.25, 0.6), ("nowhere", 0.0, 0.2)):
        took = []
        while len(took) < 10 and (not took or took[-1] >= most):  # the machine keeps some waiting
            start, start_here = time.monotonic(), clock.now()
            websocket = WebSocket(f"ws://{name}.example:{port}/")
            for event in websocket:
                if event.name == "ready":
                    assert least <= time.monotonic() - start, name
                    took.append(clock.now() - start_here)
                    (last,) = [tried for tried in event.timings.attempts if tried.error is None]
                    assert last.address.startswith("127.0.0.1:")
                    websocket.close()
            assert event.name == "disconnected" and event.graceful, event
        assert min(took) < most, (name, took)
    start, start_here = time.monotonic(), clock.now()
    *_, last = WebSocket(f"ws://all.example:{port}/", open_timeout=1)
    assert last.name == "connect_fail" and last.phase == "connect", last
    assert "10.9.0.77" in last.reason and "10.8.0.1" in last.reason, last.reason
    assert 1 <= time.monotonic() - start
    assert clock.now() - start_here < 1.5
    websocket = WebSocket(f"ws://all.example:{port}/")
    threading.Timer(0.3, websocket.close).start()
    start_here = clock.now()
    *_, last = websocket
    assert last.reason.endswith("closed by the user"), last.reason
    assert clock.now() - start_here < 0.6
print("done")
"""


def test_a_black_hole_costs_a_quarter_of_a_second_and_a_close_is_not_kept_waiting_b22(
    tmp_path: Path,
) -> None:
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here, and makes the network of this test")
    made = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"this user can't make a network namespace: {made.stderr.strip()}")
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", NETWORK, "sh", sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "Operation not permitted" in done.stderr or "Operation not supported" in done.stderr:
        pytest.skip(f"the network can't be set up here: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
