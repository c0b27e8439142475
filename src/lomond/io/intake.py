"""Reads of a stream that fills them; the compiled twin has its own intake.pyx."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_MOST = 64 * 1024  # bytes
_LARGE = 2 * 1024 * 1024
_is_expected = False


def expect_large_pieces() -> None:
    """Have the system's allocator keep pieces of memory of up to 2 MiB that come and go.

    That of glibc gives each one back to the system, and gets it again with a page fault for every
    4 KiB, until it has seen one of the size go (mallopt(3), M_MMAP_THRESHOLD). Then it keeps 4 MiB
    at most.
    """
    global _is_expected
    if not _is_expected:
        _is_expected = True
        bytearray(_LARGE)


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
