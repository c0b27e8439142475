"""One connected socket: its layers of TLS, and the queue of bytes to write.

It waits only where it is told to, and then for BOUND seconds at most. Not safe for threads by
itself: link.py has the lock. `write` and `receive` touch no TLS.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from .plain import is_plain
from .progress import asked_of
from .waiting import BOUND
from .wire import Wire

if TYPE_CHECKING:
    from ..session.pings import Progress
    from .layer import TLSLayer

_READ_SIZE = 16 * 1024  # bytes; of a stream that fills it, much more is read at once
_MEDIUM, _LARGE = (
    128 * 1024,
    512 * 1024,
)  # bytes; where the start of a large message comes, and else
_NOW = getattr(socket, "MSG_DONTWAIT", 0)  # not on Windows, where the socket never blocks
_JOIN = 64 * 1024  # bytes; small pieces that wait together leave in one write
_LAST_READS = 16  # when hanging up, so that the system need not answer with a reset
# A timeval by its length in bytes: of 32 bits each, and of 64 where the time has them, which the
# newer systems of 32 bits give it too.
_TIMEVALS = {8: "=ii", 16: "=qq"}


class Transport:
    """A socket with layers.

    Arguments:
        sock: A connected, non-blocking socket, or a Wire with the other methods of one.
        waits: Whether reads may wait, for BOUND seconds at most.

    Attributes:
        may_wait: Whether `receive` can wait: what most systems do cheaper than a wait before it.
        sends_at_once: Whether a send does nothing but hand the system bytes, so that a lock may be
            held. (That of gevent may let other greenlets run.)
        has_tls: Whether bytes pass through a layer.
        is_full: Whether the loop's last read brought all that it could: there may be more.
        queue: What waits to be written; touched under the lock or by the write turn's holder.
        queued: Bytes ever put into the queue.
        written: Bytes ever taken by the system.
        write_ended: Whether the writing direction was closed.
    """

    __slots__ = (
        "_at_once", "_layers", "_wire", "has_tls", "is_full", "may_wait", "queue", "queued",
        "sends_at_once", "sock", "write_ended", "written",
    )  # fmt: skip

    def __init__(self, sock: Any, waits: bool = True) -> None:
        self.sock = sock
        self.may_wait = waits and _bound_reads(sock)
        self.sends_at_once = is_plain(sock.__class__) or isinstance(sock, Wire)
        self.has_tls = False
        self.is_full = False
        self.queued = 0
        self.written = 0
        self.write_ended = False
        self._at_once = _READ_SIZE
        self._wire = sock if isinstance(sock, Wire) else Wire(sock)
        self._layers: list[TLSLayer] = []
        self.queue: list[bytes | memoryview] = []

    def add_layer(self, layer: TLSLayer) -> None:
        """Put a layer of TLS on top of those that are there."""
        self._layers.append(layer)
        self.has_tls = True

    # Writing

    def enqueue(self, data: bytes) -> None:
        """Pass bytes down the layers into the queue; b"" only collects what TLS has to say."""
        for layer in self._layers[::-1]:
            if data:
                layer.write(data)
            data = layer.take()
        if data:
            self.queue.append(data)
            self.queued += len(data)

    def send(self, data: bytes) -> bool:
        """Pass bytes down the layers and on to the system, where nothing is queued.

        Whether it took them all; the rest is queued. Raises OSError.
        """
        if self.has_tls:
            for layer in self._layers[::-1]:
                layer.write(data)
                data = layer.take()
        taken = 0
        try:
            taken = self._wire.send(data)
        finally:
            if taken < len(data):
                self.queue.append(memoryview(data)[taken:])
                self.queued += len(data) - taken
        return taken == len(data)

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
            taken = self._wire.send(data)
        finally:
            if taken < len(data):
                queue.insert(0, memoryview(data)[taken:])
            self.written += taken
        return taken > 0

    def progress(self) -> Progress | None:
        """How far the peer's system has come with what ours took, where ours can tell."""
        return asked_of(self.sock)

    def end_output(self) -> None:
        """Queue what TLS says at its end: each layer its own, below that of those above it."""
        data = b""
        with contextlib.suppress(OSError):  # the class of TLS's errors: one is broken already
            for layer in reversed(self._layers):
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
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    # Reading

    def receive(self, waits: bool = False) -> bytes | None:
        """What came on the wire; None if nothing did; empty at the end. Raises OSError.

        Arguments:
            waits: Whether to wait for it, where `may_wait`.
        """
        return self._wire.receive_apart(_READ_SIZE, waits)

    def receive_much(self, waits: bool) -> bytes | None:
        """As `receive`, as much as the stream seems to have; let go of it before the next call."""
        data = self._wire.receive(self._at_once, waits)
        if data is None or len(data) < _READ_SIZE:
            self._at_once = _READ_SIZE
        elif len(data) >= self._at_once:
            self._at_once = _LARGE
            _expect_large_pieces()
        self.is_full = data is not None and len(data) >= _READ_SIZE
        return data

    def receive_into(self, room: memoryview, waits: bool) -> int:
        """As `receive`, into the room; the number of bytes, -1 if nothing came."""
        self._at_once = _MEDIUM  # what comes with the next head will be copied: let it be less
        count = self._wire.receive_into(room, waits)
        self.is_full = count == len(room)
        return count

    def let_go(self) -> None:
        """The stream has paused or ended: keep no memory. Not while another thread reads."""
        self._at_once = _READ_SIZE
        self._wire.release()

    def feed(self, data: bytes) -> None:
        """Pass bytes from the wire up the layers, except the topmost one's reading."""
        for below, layer in zip([None, *self._layers], self._layers, strict=False):
            if below is None:
                layer.feed(data)
            else:
                while below.has_more() and (plain := below.read()) is not None:
                    layer.feed(plain)
                    if not plain:
                        break

    def top(self) -> TLSLayer:
        """The topmost layer."""
        return self._layers[-1]

    # The end

    def abort(self) -> None:
        """End both directions, so that whoever waits for the socket wakes."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self, quietly: bool = False) -> None:
        """Close the socket; `quietly` leaves the connection itself alone (after a fork)."""
        try:
            if not quietly:
                with contextlib.suppress(OSError):
                    self.sock.shutdown(socket.SHUT_WR)
                    # Unread bytes at a close make the system send a reset, which could overtake
                    # our close frame.
                    for _ in range(_LAST_READS):
                        if not self.sock.recv(_READ_SIZE, _NOW):
                            break
        finally:
            self.sock.close()


def _bound_reads(sock: socket.socket) -> bool:
    """Have reads wait, for BOUND seconds at most; whether that could be done.

    The sockets of gevent, and others with methods of their own, wait as they think right; where
    such a class stands for Python's, a read in the system would keep all greenlets waiting.
    """
    if not (_NOW and is_plain(sock.__class__) and is_plain(socket.socket)):
        return False
    try:
        size = len(sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, max(_TIMEVALS)))
        if size not in _TIMEVALS:
            return False
        timeval = struct.pack(_TIMEVALS[size], 0, int(BOUND * 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        # A system may take the option and mean another layout by it.
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, len(timeval)) != timeval:
            return False
        sock.setblocking(True)
    except OSError:
        return False
    return True


def _expect_large_pieces() -> None:
    """Have the system's allocator keep pieces of memory of up to 2 MiB that come and go.

    That of glibc gives each one back to the system, and gets it again with a page fault for every
    4 KiB, until it has seen one of the size go (mallopt(3), M_MMAP_THRESHOLD). Then it keeps 4 MiB
    at most.
    """
    if not _seen:
        _seen.append(bytearray(2 * 1024 * 1024))
        _seen[0] = bytearray()


_seen: list[bytearray] = []
