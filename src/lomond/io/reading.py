"""Reading for a session, by one thread at a time: the loop, or a sender that has to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clock import monotonic, time
from .holding import abandon, is_mine
from .lock import Lock

if TYPE_CHECKING:
    from .layer import TLSLayer
    from .link import Link
    from .transport import Transport

_NEVER = float("inf")


class Reader:
    """Takes bytes from the socket to the session; waits only in a read that the system bounds.

    Arguments:
        link: The connection.
        calm_frame: Seconds without a byte inside a frame after which only a long wait is right.
    """

    __slots__ = ("_ahead", "_calm_frame", "_has_ended", "_link", "_turn")

    def __init__(self, link: Link, calm_frame: float) -> None:
        self._turn = Lock()
        self._link = link
        self._calm_frame = calm_frame
        self._has_ended = False  # the socket stays readable for ever
        self._ahead = 0  # bytes that blocked senders stored since the loop last looked

    def may_read_ahead(self) -> bool:
        """Whether a sender that has to wait may read meanwhile."""
        session = self._link.session
        # Before the upgrade is done what comes is not the session's.
        is_open = session.opened_at is not None and not self._has_ended
        return is_open and self._ahead < session.limits.max_read_ahead

    def loop_looks(self) -> None:
        """The loop has taken all that senders stored (lock held)."""
        self._ahead = 0

    def read(self) -> bool:
        """The loop's turn where all that came is handed out and nothing is due: wait for bytes.

        Whether any came; where none did, the long way (Channel.read_or_tick) is to be gone.
        """
        link = self._link
        if not self.is_calm():
            return False
        link.is_in_use = True
        try:
            # Looked at in this order, and set in the other one by who closes the socket.
            if link.is_over:
                return False
            came = self.receive(True)
        finally:
            link.is_in_use = False
        link.is_idle = not came
        return came

    def is_calm(self) -> bool:
        """Whether all that came is handed out, and nothing but bytes can matter for a while."""
        if not self._link.connection.is_hungry():
            return False
        calm_until = self.calm_until()
        return calm_until == _NEVER or monotonic() < calm_until

    def calm_until(self) -> float:
        """For how long nothing but bytes can matter, if all that came is handed out."""
        link = self._link
        connection = link.connection
        if connection.is_mid_frame():
            return min(link.calm_until, connection.received_at + self._calm_frame)
        return link.calm_until

    def receive(self, waits: bool = False) -> bool:
        """Read once, as the loop; whether anything came.

        Arguments:
            waits: Whether to wait a little for it.
        """
        self._turn.acquire()
        try:
            return self._receive(False, waits)
        finally:
            self._turn.release()

    def read_more(self) -> bool:
        """As `receive`, if the last read brought all that it could, and nothing else matters."""
        transport = self._link.transport
        is_full = transport is not None and transport.is_full
        return is_full and self.is_calm() and self.receive()

    def receive_ahead(self, patience: float = 0.0) -> bool:
        """Read once, as a sender, unless another thread reads; whether anything came.

        Arguments:
            patience: Seconds to wait for the end of another thread's read.
        """
        # A signal handler that interrupted this thread's read does not read beside it.
        if is_mine(self._turn) or not self._turn.acquire(True, patience):
            return False
        try:
            return self._receive(True, False)
        finally:
            self._turn.release()

    def abandon_turn(self) -> None:
        """Give the turn back if this thread was interrupted while it had it."""
        abandon(self._turn)

    def settle(self) -> None:
        """What TLS has decrypted already belongs to the session."""
        link = self._link
        transport = link.transport
        if transport is not None and transport.has_tls:
            with link.lock:
                self._pump(transport, False, monotonic(), time())

    def _receive(self, is_ahead: bool, waits: bool) -> bool:
        """One system call, and what it gave to the session (turn held)."""
        link = self._link
        transport = link.transport
        assert transport is not None
        room: memoryview | None = None
        if not is_ahead and not transport.has_tls:
            room = link.connection.room()
        data: bytes | None = b""
        count = 0
        failure: OSError | None = None
        try:
            if room is not None:
                count = transport.receive_into(room, waits)
            else:
                if not is_ahead and not transport.has_tls:
                    link.connection.let_go()
                data = transport.receive(waits) if is_ahead else transport.receive_much(waits)
                count = -1 if data is None else len(data)
        except OSError as error:
            failure = error
        finally:
            if room is not None:
                room.release()
        if count < 0:
            return False
        if link.is_traced:
            link.note("socket_recv", count)
        now, wall = monotonic(), time()
        connection = link.connection
        is_plain = count > 0 and not is_ahead and not link.counts_turns and not transport.has_tls
        if is_plain and failure is None and (room is not None or connection.is_hungry()):
            # Only the turn's holder brings bytes, and only this thread looks at them: no lock.
            connection.received_at = now
            if room is None:
                connection.take(data or b"", wall)
            else:
                connection.filled(count, wall)
            return True
        link.lock.acquire()
        try:
            self._has_ended = not count
            if failure is not None:
                self._fail(failure, now)
            elif room is not None and count:
                self._filled(count, now, wall)
            elif transport.has_tls and data and not transport.write_ended:
                self._decrypt(transport, data, is_ahead, now, wall)
            else:
                self._store(data or b"", is_ahead, now, wall)
            if is_ahead:
                self._ahead += count
                link.wake()  # the loop may be about to wait for what is here now
        finally:
            link.lock.release()
        return count > 0

    def _store(self, data: bytes, is_ahead: bool, now: float, wall: float) -> None:
        """Plain bytes, or the end of the stream, to the session (lock held)."""
        link = self._link
        connection = link.connection
        if link.counts_turns or not data:
            link.session.receive(data, now, wall)
            return
        connection.received_at = now
        if is_ahead or not connection.is_hungry():
            connection.receive(data, wall)
        else:
            connection.take(data, wall)

    def _filled(self, count: int, now: float, wall: float) -> None:
        """So many bytes were put straight into a message (lock held)."""
        link = self._link
        if link.counts_turns:
            link.session.filled(count, now, wall)
            return
        link.connection.received_at = now
        link.connection.filled(count, wall)

    def _decrypt(
        self, transport: Transport, data: bytes, is_ahead: bool, now: float, wall: float
    ) -> None:
        """Records to plain bytes, and these to the session (lock held)."""
        self._link.connection.received_at = now  # a part of a record is life too
        try:
            transport.feed(data)
        except OSError as error:  # the class of TLS's errors
            self._fail(error, now)
        self._pump(transport, is_ahead, now, wall)

    def _pump(self, transport: Transport, is_ahead: bool, now: float, wall: float) -> None:
        """What is decrypted, to the session; a large message's bytes straight into it."""
        session, connection = self._link.session, self._link.connection
        top: TLSLayer = transport.top()
        try:
            while top.has_more():
                room = connection.room()
                if room is not None:
                    try:
                        count = top.read_into(room)
                    finally:
                        room.release()
                    if not count:
                        break
                    self._filled(count, now, wall)
                else:
                    plain = top.read_all()
                    if not plain:
                        break
                    self._store(plain, is_ahead, now, wall)
            if top.has_ended:
                session.receive(b"", now, wall)
                self._link.look_again()
            transport.enqueue(b"")
        except OSError as error:  # the class of TLS's errors
            self._fail(error, now)

    def _fail(self, error: OSError, now: float) -> None:
        """What comes can't be read (lock held): nobody is to wait for more."""
        self._link.session.fail(error, "read", now)
        self._link.look_again()
