"""The system calls that carry a connection's bytes, by the methods of any class of sockets."""

from __future__ import annotations

import _socket
import socket
from operator import attrgetter

_MOST = 64 * 1024  # bytes; a larger piece, made anew each time, costs more than the read
_NOW = getattr(socket, "MSG_DONTWAIT", 0)  # not on Windows, where the socket never blocks
_SEND = _NOW | getattr(socket, "MSG_NOSIGNAL", 0)  # whatever the program does about SIGPIPE

_own = attrgetter("recv", "recv_into", "send", "fileno")


def is_plain(kind: type) -> bool:
    """Whether a class of sockets does with these calls what the system does, and nothing else.

    Those of ssl, gevent and eventlet have methods of their own. (After gevent has put its classes
    into `socket`, even SocketType is one of them.)
    """
    try:
        return bool(_own(kind) == _own(_socket.socket))
    except AttributeError:
        return False


class Wire:
    """One socket. That it has, or takes, nothing now is no error here.

    Arguments:
        sock: Connected.

    Attributes:
        keeps: Whether `release` would give memory back.
        most: Bytes that one read should ask for at most.
    """

    __slots__ = ("_recv", "_recv_into", "_send")
    keeps = False
    most = _MOST

    def __init__(self, sock: socket.socket) -> None:
        self._recv = sock.recv
        self._recv_into = sock.recv_into
        self._send = sock.send

    def receive_apart(self, size: int, waits: bool) -> bytes | None:
        """What came; empty at the end of the stream, None if nothing did. Raises OSError.

        Arguments:
            size: Bytes at most.
            waits: Whether to wait for them, if the socket waits.
        """
        try:
            return self._recv(size, 0 if waits else _NOW)
        except (BlockingIOError, InterruptedError):
            return None

    #: The same; whose bytes are let go of before the next call, so that their memory can be used
    #: again. It is given back when nothing comes, and by `release`.
    receive = receive_apart

    def receive_into(self, room: memoryview, waits: bool) -> int:
        """Read into the room; the number of bytes, -1 if nothing came."""
        try:
            return self._recv_into(room, 0, 0 if waits else _NOW)
        except (BlockingIOError, InterruptedError):
            return -1

    def send(self, data: bytes | memoryview) -> int:
        """Hand the system what it takes now; the number of bytes. Raises OSError."""
        try:
            return self._send(data, _SEND)
        except (BlockingIOError, InterruptedError):
            return 0

    def release(self) -> None:
        """The stream has paused: keep no memory."""
