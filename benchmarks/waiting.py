"""Compare ways to wait for one small message at a time: `python3 benchmarks/waiting.py`.

Bare sockets, so that nothing else is in the figures: a server that answers, and clients that take
turns, all on one processor. What `io/waiting.py` and `io/shared.py` do was chosen by it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from statistics import median

SIZE = 260  # bytes
TRIPS = 8000
ROUNDS = 5

Receive = Callable[[], bytes]


def blocking(sock: socket.socket) -> Receive:
    """A blocking read without a limit: the least that is possible, and no client may do it."""
    return lambda: sock.recv(65536)


def bounded(sock: socket.socket) -> Receive:
    """A blocking read that the system ends after 20 ms."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 20_000))
    return lambda: sock.recv(65536)


def time_out(sock: socket.socket) -> Receive:
    """Python's own time-out: it waits with poll inside of recv."""
    sock.settimeout(0.02)
    return lambda: sock.recv(65536)


def poll_then_read(sock: socket.socket) -> Receive:
    """Wait, then read."""
    poll = poller(sock)

    def receive() -> bytes:
        poll.poll(5000)
        return sock.recv(65536)

    return receive


def read_then_poll(sock: socket.socket) -> Receive:
    """Read, and wait only if nothing was there."""
    poll = poller(sock)

    def receive() -> bytes:
        while True:
            try:
                return sock.recv(65536)
            except BlockingIOError:
                poll.poll(5000)

    return receive


def poll_after_short_read(sock: socket.socket) -> Receive:
    """Wait first if the last read did not fill its room, which one message never does."""
    poll = poller(sock)
    was_full = False

    def receive() -> bytes:
        nonlocal was_full
        if not was_full:
            poll.poll(5000)
        data = sock.recv(65536)
        was_full = len(data) == 65536
        return data

    return receive


def poller(sock: socket.socket) -> select.poll:
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll


WAYS = {
    way.__name__: way
    for way in (blocking, bounded, time_out, poll_then_read, read_then_poll, poll_after_short_read)
}


def serve() -> None:
    """Answer one connection after another."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := sock.recv(65536):
                sock.sendall(data)


def measure(way: str, port: int) -> None:
    """Print this process's own processor time for each round trip."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        receive = WAYS[way](sock)
        message = bytes(SIZE)
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(TRIPS):
            sock.send(message)
            left = SIZE
            while left:
                left -= len(receive())
        after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / TRIPS))


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """What is started meanwhile shares the last processor."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def compared() -> dict[str, list[dict[str, float]]]:
    """The processor time of a round trip in each way, in seconds, round by round."""
    script = [sys.executable, __file__]
    found: dict[str, list[dict[str, float]]] = {}
    with (
        on_one_processor(),
        subprocess.Popen([*script, "serve"], stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        for _ in range(ROUNDS):
            for way in WAYS:
                done = subprocess.run([*script, way, port], capture_output=True, check=True)
                found.setdefault(way.replace("_", " "), []).append({"cpu": json.loads(done.stdout)})
        server.terminate()
    return found


def table(found: dict[str, list[dict[str, float]]]) -> str:
    """The ways, the cheapest first."""
    times = {way: sorted(run["cpu"] * 1e6 for run in runs) for way, runs in found.items()}
    lines = ["| way | min µs | median µs | ratio |", "|---|--:|--:|--:|"]
    for way, values in sorted(times.items(), key=lambda item: item[1]):
        ratio = values[0] / times["blocking"][0]
        lines.append(f"| {way} | {values[0]:.2f} | {median(values):.2f} | {ratio:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(table(compared()))
    elif sys.argv[1] == "serve":
        serve()
    else:
        measure(sys.argv[1], int(sys.argv[2]))
