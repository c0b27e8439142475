"""A bad network: `python relay.py SEED PORT...` passes bytes on to the servers at these ports.

Prints two ports for each of them: at the first bytes are late, slow and in pieces, but all arrive;
at the second connections are also cut, reset and left to die. When its input ends it prints how
often it did what, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import struct
import sys
import threading
from collections import Counter, deque
from typing import Any

_NEVER = 1 << 62
FAULTS: Counter[str] = Counter()
CHANCE = random.Random(int(sys.argv[1]))


class Bearing:
    """How one direction of one connection behaves.

    Attributes:
        piece: Bytes that are passed on at once.
        pause: Seconds between two pieces, at most.
        until: Bytes after which it behaves well.
        stalls_at: Bytes after which it stands still for `stall` seconds.
        ends_at: Bytes after which the connection ends in the way of `end`.
    """

    def __init__(self, is_cruel: bool) -> None:
        self.piece, self.pause, self.until = _NEVER, 0.0, _NEVER
        self.stalls_at, self.stall = _NEVER, 0.0
        self.ends_at, self.end = _NEVER, ""
        manner = CHANCE.choice(("", "", "", "late", "slow", "pieces", "stall"))
        if manner == "late":
            self.pause, self.until = CHANCE.uniform(0.001, 0.03), 100_000
        elif manner == "slow":
            self.piece, self.pause, self.until = CHANCE.randrange(500, 8000), 0.002, 300_000
        elif manner == "pieces":
            self.piece, self.pause, self.until = CHANCE.randrange(1, 40), 0.0005, 3000
        elif manner == "stall":
            self.stalls_at = round(10 ** CHANCE.uniform(1, 5.5))
            self.stall = CHANCE.uniform(0.2, 2.5)
        FAULTS[manner] += 1
        if is_cruel and CHANCE.random() < 0.5:
            self.end = CHANCE.choice(("cut", "cut", "cut", "reset", "reset", "reset", "hole"))
            self.ends_at = round(10 ** CHANCE.uniform(0, 6))


class Side(asyncio.Protocol):
    """What comes from one side goes to the other."""

    def __init__(self, is_cruel: bool, other: Side | None = None) -> None:
        self.other = other
        self.transport: Any = None
        self._is_cruel = is_cruel
        self._bearing = Bearing(is_cruel)
        self._waiting: deque[bytes] = deque()
        self._passed = 0
        self._is_busy = False  # a pause
        self._has_ended = False  # nothing more will come
        self._is_full = False  # the other side does not take more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is connected."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes to pass on."""
        self._waiting.append(data)
        self.pump()

    def eof_received(self) -> bool:
        """The other direction may go on."""
        self._has_ended = True
        self.pump()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._has_ended = True
        self._waiting.clear()
        if self.other is not None and self.other.transport is not None:
            if error is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()

    def pause_writing(self) -> None:
        """This side takes no more: the other is not read."""
        if self.other is not None:
            self.other._is_full = True
            self.other._regulate()

    def resume_writing(self) -> None:
        """This side takes more."""
        if self.other is not None:
            self.other._is_full = False
            self.other._regulate()

    def pump(self) -> None:
        """Pass on what may be passed on now."""
        other = self.other
        if self._is_busy or other is None or other.transport is None:
            return
        bearing = self._bearing
        while self._waiting:
            data = self._waiting.popleft()
            is_odd = self._passed < bearing.until
            size = min(len(data), bearing.piece if is_odd else _NEVER)
            size = min(size, bearing.ends_at - self._passed)
            if size < len(data):
                self._waiting.appendleft(data[size:])
            other.transport.write(data[:size])
            self._passed += size
            if self._passed >= bearing.ends_at:
                self._end()
                return
            pause = CHANCE.uniform(0, bearing.pause) if is_odd and bearing.pause else 0.0
            if self._passed >= bearing.stalls_at:
                pause, bearing.stalls_at = bearing.stall, _NEVER
            if pause:
                self._is_busy = True
                self._regulate()
                asyncio.get_running_loop().call_later(pause, self._go_on)
                return
        if self._has_ended and not other.transport.is_closing():
            other.transport.write_eof()
        self._regulate()

    def _go_on(self) -> None:
        self._is_busy = False
        self.pump()

    def _regulate(self) -> None:
        """Read only when what was read can go on."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._is_busy or self._is_full:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _end(self) -> None:
        FAULTS[self._bearing.end] += 1
        assert self.other is not None
        sides = (self, self.other)
        if self._bearing.end == "hole":
            for side in sides:
                side._is_busy = True
                side._regulate()
            return
        for side in sides:
            if self._bearing.end == "reset":
                linger = struct.pack("ii", 1, 0)
                raw = side.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                side.transport.abort()
            else:
                side.transport.close()


class Near(Side):
    """The client's side: connects to the server."""

    def __init__(self, is_cruel: bool, port: int) -> None:
        super().__init__(is_cruel)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        super().connection_made(transport)
        FAULTS["connections"] += 1
        asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        far = Side(self._is_cruel, self)
        try:
            await loop.create_connection(lambda: far, "127.0.0.1", self._port)
        except OSError:
            self.transport.abort()
            return
        self.other = far
        if self.transport.is_closing():
            far.transport.abort()
            return
        self.pump()
        far.pump()


def end_with_input() -> None:
    """Whoever started this process has gone, or wants to know."""
    sys.stdin.read()
    FAULTS.pop("", None)
    print(json.dumps(FAULTS), flush=True)
    os._exit(0)


async def listen(port: int, is_cruel: bool) -> asyncio.Server:
    """A way to the server at that port."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Near(is_cruel, port), "127.0.0.1", 0, backlog=256)


async def main(ports: list[int]) -> None:
    """Relay."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    servers = [await listen(port, is_cruel) for port in ports for is_cruel in (False, True)]
    print(*[server.sockets[0].getsockname()[1] for server in servers], flush=True)
    await asyncio.gather(*[server.serve_forever() for server in servers])


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(main([int(port) for port in sys.argv[2:]]))
