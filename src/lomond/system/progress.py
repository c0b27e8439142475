"""How far a peer's system has come with what ours took: TCP's own account of it, on Linux."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any

from ..session.pings import Progress

# Of struct tcp_info in linux/tcp.h: tcpi_last_ack_recv, milliseconds, and tcpi_bytes_acked.
_LAST_ACK, _ACKED = struct.Struct("56xI"), struct.Struct("120xQ")
_QUEUED = struct.Struct("i")  # of SIOCOUTQ, which has the number of TIOCOUTQ (tcp(7))

if sys.platform == "linux":
    import fcntl
    import termios

    def asked_of(sock: Any) -> Progress | None:
        """What the system says of a connected socket; None where it does not say it."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED.size)
            [acked], [quiet] = _ACKED.unpack(info), _LAST_ACK.unpack_from(info)
            queued = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_QUEUED.size))
        except (OSError, struct.error):  # no TCP; closed; a system of before 4.1
            return None
        return Progress(acked, _QUEUED.unpack(queued)[0], quiet / 1000)

else:

    def asked_of(sock: Any) -> Progress | None:
        """None: no other system is asked."""
        return None
