"""Reads of a stream that fills them; the compiled twin has its own intake.pyx."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_MOST = 64 * 1024  # bytes


class Intake:
    """Reads much at once.

    Arguments:
        sock: What is read.
    """

    __slots__ = ("_recv",)

    def __init__(self, sock: socket.socket) -> None:
        self._recv = sock.recv

    def receive(self, size: int, flags: int) -> bytes:
        """What came; raises as ``recv``. Let go of it before the next call, so that its memory can
        be used again.
        """
        return self._recv(min(size, _MOST), flags)

    def release(self) -> None:
        """The stream has paused: keep no memory."""
