"""One connected socket: its wire, the layers over that, and the queue of bytes to write.

Not safe for threads by itself: io/guarded.py has the lock. `write` touches no layer.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from .plain import is_plain
from .sockets import asked_of, idle_of
from .wire import Wire

if TYPE_CHECKING:
    from ..session.pings import Progress
    from .layers import Layer

BOUND = 0.02  # seconds; the longest that a read waits, where it may
_READ_SIZE = 16 * 1024  # bytes; of what is thrown away when hanging up
_NOW = getattr(socket, "MSG_DONTWAIT", 0)  # not on Windows, where the socket never blocks
_JOIN = 64 * 1024  # bytes; small pieces that wait together leave in one write
_LAST_READS = 16  # when hanging up, so that the system need not answer with a reset
# A timeval by its length in bytes: of 32 bits each, and of 64 where the time has them, which the
# newer systems of 32 bits give it too.
_TIMEVALS = {8: "=ii", 16: "=qq"}


class Pipe:
    """A socket with layers.

    Arguments:
        sock: A connected, non-blocking socket, or what stands for one.
        waits: Whether reads may wait, for BOUND seconds at most.
        wire: What carries the bytes, where that is not to be found out by `sock`.

    Attributes:
        wire: What carries the bytes.
        may_wait: Whether reads can wait: what most systems do cheaper than a wait before one.
        sends_at_once: Whether a send does nothing but hand the system bytes, so that a lock may be
            held. (That of gevent may let other greenlets run.)
        layers: What bytes pass through, from the wire up.
        queue: What waits to be written; touched under the lock or by the write turn's holder.
        queued: Bytes ever put into the queue.
        written: Bytes ever taken of it by the system.
        handed: Bytes that the system took at once, without the queue.
        received: Bytes ever read.
        write_ended: Whether the writing direction was closed.
    """

    __slots__ = (
        "_is_closed", "handed", "layers", "may_wait", "queue", "queued", "received",
        "sends_at_once", "sock", "wire", "write_ended", "written",
    )  # fmt: skip

    def __init__(self, sock: Any, waits: bool = True, wire: Wire | None = None) -> None:
        self.sock = sock
        self._is_closed: bool = False
        has_plain_calls = is_plain(sock.__class__)
        self.may_wait = waits and has_plain_calls and _bound_reads(sock)
        self.sends_at_once = has_plain_calls or wire is not None
        self.queued = 0
        self.written = 0
        self.handed = self.received = 0
        self.write_ended = False
        self.wire = Wire(sock) if wire is None else wire
        self.layers: list[Layer] = []
        self.queue: list[bytes | memoryview] = []

    def add_layer(self, layer: Layer, received: bytes = b"") -> None:
        """Put a layer on top of those that are there.

        Arguments:
            received: What came for it already.
        """
        self.layers.append(layer)
        if received:
            layer.feed(received)

    # Writing

    def down(self, data: bytes) -> bytes:
        """What bytes become below the layers; b"" only collects what these have to say."""
        layers = self.layers
        number = len(layers)
        while number:
            number -= 1
            layer = layers[number]
            if data:
                layer.write(data)
            data = layer.take()
        return data

    def enqueue(self, data: bytes) -> None:
        """Pass bytes down the layers into the queue."""
        if self.layers:
            data = self.down(data)
        if data:
            self.queue.append(data)
            self.queued += len(data)

    def keep(self, data: bytes, taken: int) -> None:
        """Queue what the system left of bytes that it was handed."""
        self.queue.append(memoryview(data)[taken:])
        self.queued += len(data) - taken

    def write(self) -> bool:
        """Hand the system what it takes now; whether anything was taken. Raises OSError."""
        queue = self.queue
        data = queue.pop(0)
        if queue and len(data) < _JOIN:
            parts, size = [data], len(data)
            while queue and size + len(queue[0]) <= _JOIN:
                parts.append(queue.pop(0))
                size += len(parts[-1])
            data = b"".join(parts)
        taken = 0
        try:
            taken = self.wire.send(data)
        finally:
            if taken < len(data):
                queue.insert(0, memoryview(data)[taken:])
            self.written += taken
        return taken > 0

    def progress(self) -> Progress | None:
        """How far the peer's system has come with what ours took, where ours can tell."""
        return asked_of(self.sock)

    def idle(self) -> float | None:
        """Seconds since the system last sent anything, where it can tell."""
        return idle_of(self.sock)

    def end_output(self) -> None:
        """Queue what TLS says at its end: each layer its own, below that of those above it."""
        data = b""
        if not self.layers:
            return
        with contextlib.suppress(OSError):  # the class of TLS's errors: one is broken already
            for layer in reversed(self.layers):
                if data:
                    layer.write(data)
                layer.end()
                data = layer.take()
            if data:
                self.queue.append(data)
                self.queued += len(data)

    def shut_write(self) -> None:
        """Close the writing direction: nothing more will be queued."""
        self.write_ended = True
        try:  # noqa: SIM105  which would cost three calls, here and below
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    # Reading

    def feed(self, data: bytes) -> None:
        """Pass bytes from the wire up the layers, except the topmost one's reading."""
        layers = self.layers
        below = layers[0]
        below.feed(data)
        for number in range(1, len(layers)):
            layer = layers[number]
            while below.has_more() and (plain := below.read()) is not None:
                layer.feed(plain)
                if not plain:
                    break
            below = layer

    def top(self) -> Layer:
        """The topmost layer."""
        return self.layers[-1]

    # The end

    def abort(self) -> None:
        """End both directions, so that whoever waits for the socket wakes."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self, quietly: bool = False) -> None:
        """Close the socket; `quietly` leaves the connection itself alone (after a fork)."""
        if self._is_closed:  # who leaves, frees, and ends what was freed comes by here each time
            return
        try:
            if not quietly:
                self.sock.shutdown(socket.SHUT_WR)
                # Unread bytes at a close make the system send a reset, which could overtake our
                # close frame.
                for _ in range(_LAST_READS):
                    if not self.sock.recv(_READ_SIZE, _NOW):
                        break
        except OSError:
            pass
        finally:
            self.sock.close()
        self._is_closed = True


def _bound_reads(sock: socket.socket) -> bool:
    """Have the reads of a plain socket wait, for BOUND seconds at most; whether that could be done.

    The sockets of gevent, and others with methods of their own, wait as they think right; where
    such a class stands for Python's, a read in the system would keep all greenlets waiting.
    """
    if not (_NOW and (type(sock) is socket.socket or is_plain(socket.socket))):
        return False
    try:
        if _bounds and type(sock) is socket.socket:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _bounds[0])
            sock.setblocking(True)
            return True
        size = len(sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, max(_TIMEVALS)))
        if size not in _TIMEVALS:
            return False
        timeval = struct.pack(_TIMEVALS[size], 0, int(BOUND * 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        # A system may take the option and mean another layout by it.
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, len(timeval)) != timeval:
            return False
        sock.setblocking(True)
        if type(sock) is socket.socket:
            _bounds[:] = [timeval]
    except OSError:
        return False
    return True


_bounds: list[bytes] = []  # BOUND as this system has it, once it was seen to mean that


def expect_large_pieces() -> None:
    """Have the system's allocator keep pieces of memory of up to 2 MiB that come and go.

    That of glibc gives each one back to the system, and gets it again with a page fault for every
    4 KiB, until it has seen one of the size go (mallopt(3), M_MMAP_THRESHOLD). Then it keeps 4 MiB
    at most.
    """
    if not _seen:
        _seen.append(bytearray(2 * 1024 * 1024))
        _seen[0] = bytearray()


_seen: list[bytearray] = []
