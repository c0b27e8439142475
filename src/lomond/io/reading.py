"""Reading for a session, by one thread at a time: the loop, or a sender that has to wait."""

from __future__ import annotations

import ssl
import threading
from time import monotonic, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .link import Link
    from .transport import Transport


class Reader:
    """Takes bytes from the socket to the session; never waits.

    Arguments:
        link: The connection.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._turn = threading.Lock()
        self._has_ended = False  # the socket stays readable for ever
        self._ahead = 0  # bytes that blocked senders stored since the loop last looked

    @property
    def may_read_ahead(self) -> bool:
        """Whether a sender that has to wait may read meanwhile."""
        session = self._link.session
        # Before the upgrade is done what comes is not the session's.
        is_open = session.opened_at is not None and not self._has_ended
        return is_open and self._ahead < session.limits.max_read_ahead

    def loop_looks(self) -> None:
        """The loop has taken all that senders stored (lock held)."""
        self._ahead = 0

    def receive(self, waits: bool = False) -> bool:
        """Read once, as the loop; whether anything came.

        Arguments:
            waits: Whether to wait a little for it.
        """
        with self._turn:
            return self._receive(is_ahead=False, waits=waits)

    def receive_ahead(self) -> bool:
        """Read once, as a sender, unless another thread reads; whether anything came."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            return self._receive(is_ahead=True)
        finally:
            self._turn.release()

    def settle(self) -> None:
        """What TLS has decrypted already belongs to the session."""
        link = self._link
        transport = link.transport
        if transport is not None and transport.has_tls:
            with link.lock:
                self._pump(transport, monotonic(), time())

    def _receive(self, is_ahead: bool, waits: bool = False) -> bool:
        link = self._link
        session, transport = link.session, link.transport
        assert transport is not None
        room = None
        if not is_ahead and not transport.has_tls:
            room = session.room()  # the loop's own, so without the lock
        data = b""
        failure: OSError | None = None
        try:
            if room is not None:
                with room:
                    count = transport.receive_into(room, waits)
            else:
                came = transport.receive(waits)
                data, count = came or b"", None if came is None else len(came)
        except OSError as error:
            failure, count = error, 0
        if count is None:
            return False
        if link.is_traced:
            link.note("socket_recv", count)
        now, wall = monotonic(), time()
        with link.lock:
            self._has_ended = not count
            if failure is not None:
                session.fail(failure, "read", now)
            elif room is not None and count:
                session.filled(count, now, wall)
            else:
                self._store(transport, data, now, wall)
            if is_ahead:
                self._ahead += count
                link.wake()  # the loop may be about to wait for what is here now
        return count > 0

    def _store(self, transport: Transport, data: bytes, now: float, wall: float) -> None:
        """Bytes from the wire, through TLS if there is any, to the session (lock held)."""
        session = self._link.session
        if not transport.has_tls or transport.write_ended or not data:
            session.receive(data, now, wall)
            return
        try:
            transport.feed(data)
        except ssl.SSLError as error:
            session.fail(error, "read", now)
        self._pump(transport, now, wall)

    def _pump(self, transport: Transport, now: float, wall: float) -> None:
        """What is decrypted, to the session; a large message's bytes straight into it."""
        session, top = self._link.session, transport.top
        try:
            while True:
                room = session.room()
                if room is not None:
                    with room:
                        count = top.read_into(room)
                    if not count:
                        break
                    session.filled(count, now, wall)
                else:
                    plain = top.read()
                    if not plain:
                        break
                    session.receive(plain, now, wall)
            if top.has_ended:
                session.receive(b"", now, wall)
            transport.enqueue(b"")
        except ssl.SSLError as error:
            session.fail(error, "read", now)
