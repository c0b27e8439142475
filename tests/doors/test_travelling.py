"""Events in other processes: none of these has imported more of lomond than its users do."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doors.raw_server import RawServer, accept_upgrade, frame, raw_server, read_all, read_request
from lomond import WebSocket  # noqa: F401  the name that the door is put under
from lomond.protocol import frames

SCRIPT = Path(__file__).with_name("travelling.py")
PATIENCE = 60.0  # seconds
KINDS = {
    "connecting", "connect_fail", "connected", "rejected", "ready", "protocol_error",
    "unresponsive", "disconnected", "closed", "closing", "ping", "pong", "text", "binary",
    "back_off", "poll",
}  # fmt: skip
# It has imported nothing of lomond when it unpickles the first event.
UNFOLD = """
import pickle, sys
assert "lomond" not in sys.modules
found = [pickle.loads(event) for event in pickle.load(sys.stdin.buffer)]
told = [(e.name, repr(e), e.received_time, type(e).__module__) for e in found]
again = [pickle.dumps(event) for event in found]
sys.stdout.buffer.write(pickle.dumps((told, again)))
"""
# As a program that handles, and makes, events without `import lomond.events`.
MAKE = """
import pickle, sys, time
import lomond
from lomond.protocol.events import Text
before = time.time()
made = Text("x")
assert "lomond.events" not in sys.modules
assert before <= made.received_time <= time.time(), made.received_time
sys.stdout.buffer.write(pickle.dumps(made))
"""


def serve(connection: socket.socket) -> None:
    request = read_request(connection)
    page = request.split()[1].decode()
    if page == "/refuses":
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nwhy?")
        return
    accept_upgrade(connection, request)
    if page == "/all":
        said = frame(frames.TEXT, b"hello") + frame(frames.BINARY, b"\0") + frame(frames.PING, b"!")
        connection.sendall(said + frame(frames.PONG) + frame(frames.CLOSE, b"bye", 1000))
    elif page == "/errs":
        connection.sendall(b"\x8f\0")
    elif page == "/closes":
        connection.sendall(frame(frames.CLOSE, b"", 1000))
    read_all(connection)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server(serve, upgrades=False) as server:
        yield server


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL where nobody answers, for as long as the test."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{sock.getsockname()[1]}/"


def run(*command: str | Path, given: bytes = b"", is_pure: str | None = None) -> Any:
    """What a process of its own writes, unpickled here or not at all."""
    chosen = {} if is_pure is None else {"LOMOND_PURE": is_pure, "LOMOND_COMPILED": ""}
    done = subprocess.run(
        [sys.executable, *command],
        input=given,
        capture_output=True,
        env={**os.environ, **chosen},
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.every_door
def test_events_of_every_kind_travel_into_processes_that_know_nothing(
    door: str, server: RawServer, nobody: str
) -> None:
    began = time.time()
    seen = pickle.loads(run(SCRIPT, "journey", door, server.url.rstrip("/"), nobody))
    assert {name for name, _, _, _ in seen} == KINDS
    assert all(began <= received <= time.time() for _, _, received, _ in seen)
    travelling = [event for _, _, _, event in seen]
    for is_pure in "0", "1", "0":  # from this twin to each, and from each to the other
        told, travelling = pickle.loads(
            run("-c", UNFOLD, given=pickle.dumps(travelling), is_pure=is_pure)
        )
        for (name, shown, received, _), found in zip(seen, told, strict=True):
            assert found[0] == name
            assert found[2] == received
            if name not in ("ready", "rejected"):  # whose response has no repr of its own
                assert found[1] == shown
        modules = {module for _, _, _, module in told}
        assert modules == {"lomond.protocol.events"}


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_pools_and_queues_carry_events(method: str, server: RawServer) -> None:
    began = time.time()
    script = run(SCRIPT, "pool", method, server.url.rstrip("/"))
    for some in pickle.loads(script):
        names = [name for name, _ in some]
        assert names[:3] == ["connecting", "connected", "ready"]
        assert {"text", "binary", "ping", "pong", "closing", "disconnected"} <= set(names)
        assert all(began <= received <= time.time() for _, received in some)


@pytest.mark.parametrize("is_pure", ["0", "1"])
def test_an_event_knows_the_time_and_the_way_back_before_lomond_events_is_imported(
    is_pure: str,
) -> None:
    made = run("-c", MAKE, is_pure=is_pure)
    event = pickle.loads(made)
    assert (event.name, event.text) == ("text", "x")
