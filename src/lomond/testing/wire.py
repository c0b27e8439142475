"""The pretend wire: what stands for a connected socket, over the pretend network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NoReturn

from .network import PretendNetwork


class PretendWire:
    """A socket's methods. It never waits: what it has not got, or can't take, is a BlockingIOError.

    Arguments:
        network: Between it and the peer.
        take: Is given what is written; tells how many bytes the system takes of it.

    Attributes:
        is_closed: Whether it was closed.
    """

    def __init__(self, network: PretendNetwork, take: Callable[[bytes], int]) -> None:
        self.is_closed = False
        self._network = network
        self._take = take
        self._came = memoryview(b"")  # what is here and was not read
        self._reads = self._writes = True  # which directions are open

    def has_news(self) -> bool:
        """Whether a read has something to say."""
        return bool(self._came) or not self._reads or self._network.has_arrived()

    def fileno(self) -> int:
        """None that the system knows."""
        return -1

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What came; empty at the end of the stream."""
        self._check()
        if not self._came and self._reads:
            self._came = memoryview(self._arrived())
            self._reads = bool(self._came)
        piece, self._came = self._came[:size], self._came[size:]
        return bytes(piece)

    def recv_into(self, room: memoryview, size: int = 0, flags: int = 0) -> int:
        """What came, into the room; the number of bytes."""
        data = self.recv(size or len(room), flags)
        room[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Hand the system what it takes now."""
        self._check()
        if not self._writes:
            raise BrokenPipeError(32, "Broken pipe")
        taken = self._take(bytes(data))
        if not taken:
            raise BlockingIOError
        self._network.send(bytes(data[:taken]))
        return taken

    def shutdown(self, how: int) -> None:
        """Close the writing direction, or both."""
        self._check()
        if self._writes:
            self._writes = False
            self._network.send(b"")
        if how == socket.SHUT_RDWR:
            self._reads = False

    def getsockopt(self, *_: int) -> NoReturn:
        """No option of a system's sockets is known here."""
        raise OSError(95, "Operation not supported")

    def close(self) -> None:
        """Nothing is read or written any more."""
        self.is_closed = True

    def _arrived(self) -> bytes:
        try:
            data = self._network.receive()
        except OSError:
            self._reads = False  # it is told once
            raise
        if data is None:
            raise BlockingIOError
        return data

    def _check(self) -> None:
        if self.is_closed:
            raise OSError(9, "Bad file descriptor")
