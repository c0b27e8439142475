"""A feed of messages at moments that nobody can foresee."""

from __future__ import annotations

import random
import socket
import time

SIZE = 100
WARM = 50  # so many more are sent first
SEED = 18


def pace(connection: socket.socket, gap: int, count: int) -> None:
    """Send a text of 100 bytes every `gap` microseconds on average; each begins with its time.

    That is the monotonic clock in nanoseconds, in 20 digits, from right before the write. Gaps are
    evenly spread from nothing to twice the average, and the same in each run. It is waited by
    looking at the clock all the time: a sleep ends 50 microseconds late, and by chance.
    """
    rng = random.Random(SEED)
    frame = bytearray(bytes((0x81, SIZE)) + b"x" * SIZE)
    now = time.monotonic_ns
    due = now() + 20_000_000
    for _ in range(count + WARM):
        while now() < due:
            pass
        at = now()
        frame[2:22] = b"%020d" % at
        connection.sendall(frame)
        # What was held up is not made up for: that would be bursts.
        due = max(due, at) + int(rng.uniform(0, 2 * gap) * 1000)
