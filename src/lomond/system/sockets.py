"""A socket's options, where it connects from, and TCP's own account of it, on Linux."""

from __future__ import annotations

import math
import os
import socket
import struct
import sys
from typing import Any, NamedTuple

from ..session.pings import Progress
from ..url import authority

AF_UNIX: Any = getattr(socket, "AF_UNIX", None)  # not on Windows
_IP = (socket.AF_INET, socket.AF_INET6)
# Seconds without traffic before the first probe, and between two. TCP_KEEPALIVE is macOS's name.
_KEEPALIVE_TIMES = (
    "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE",
    "TCP_KEEPINTVL",
)
# Of struct tcp_info in linux/tcp.h: tcpi_last_data_sent and tcpi_last_ack_recv, milliseconds, and
# tcpi_bytes_acked.
_LAST, _ACKED = struct.Struct("44xI8xI"), struct.Struct("120xQ")
_QUEUED = struct.Struct("i")  # of SIOCOUTQ, which has the number of TIOCOUTQ (tcp(7))


class SocketSettings(NamedTuple):
    """What a user may want of every socket."""

    source_address: tuple[str, int] | None = None  #: IP address and port (0: any)
    options: tuple[tuple[int, int, int | bytes], ...] = ()  #: level, option, value
    keepalive: float | None = None  #: seconds between TCP's own probes; None: as the system has it


def family_of(host: str) -> int:
    """The address family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def apply(sock: socket.socket, settings: SocketSettings) -> None:
    """Make it non-blocking and set its options: the user's last, so that they hold.

    Raises:
        OSError: The system refuses one; the message names it.
    """
    sock.setblocking(False)
    try:  # noqa: SIM105  which would cost three calls
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:  # not a TCP socket
        pass
    if settings.keepalive is not None:
        said = f"keepalive of {settings.keepalive:g} s"
        _set(sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1, said)
        seconds = max(1, math.ceil(settings.keepalive))
        for name in _KEEPALIVE_TIMES if sock.family in _IP else ():
            if hasattr(socket, name):
                _set(sock, socket.IPPROTO_TCP, getattr(socket, name), seconds, said)
    for level, option, value in settings.options:
        _set(sock, level, option, value, f"socket option {(level, option, value)!r}")


def _set(sock: socket.socket, level: int, option: int, value: int | bytes, what: str) -> None:
    try:
        sock.setsockopt(level, option, value)
    except (OSError, OverflowError, TypeError) as error:  # the last two: not a C int
        number = getattr(error, "errno", None) or 0
        reason = getattr(error, "strerror", None) or error
        raise OSError(number, f"{what} is refused by this system ({reason})") from None


def bind(sock: socket.socket, source: tuple[str, int]) -> None:
    """Have it connect from that address.

    Raises:
        OSError: That can't be; the message names the address.
    """
    if source[1] and os.name == "posix":
        # Attempts at several addresses come from one port, and so does the next connection.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(source)
    except OSError as error:
        said = f"source_address {authority(*source)} can't be used ({error.strerror or error})"
        raise OSError(error.errno, said) from None


# How far the peer's system has come with what ours took.
if sys.platform == "linux":
    import fcntl
    import termios

    def asked_of(sock: Any) -> Progress | None:
        """What the system says of a connected socket; None where it does not say it."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
            [acked] = _ACKED.unpack(info)
            sent, quiet = _LAST.unpack_from(info)
            queued = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_QUEUED.size))
        except (OSError, struct.error):  # no TCP; closed; a system of before 4.1
            return None
        return Progress(acked, _QUEUED.unpack(queued)[0], quiet / 1000, sent / 1000)

    def idle_of(sock: Any) -> float | None:
        """Seconds since the system last sent anything; None where it does not say that."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
            sent: int = _LAST.unpack_from(info)[0] if len(info) == _ACKED.size else -1
        except OSError:
            return None
        return None if sent < 0 else sent / 1000

else:

    def asked_of(sock: Any) -> Progress | None:
        """None: no other system is asked."""
        return None

    def idle_of(sock: Any) -> float | None:
        """None: no other system is asked."""
        return None
