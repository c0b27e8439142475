"""A session and its socket, safe for threads: who writes, who reads, who waits. Where the lock is.

The lock is held for changes only, never while waiting. One thread at a time has the write turn and
empties the queue for all; one thread at a time has the read turn.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import deque
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from ..errors import TransportFail, WebSocketError, WebSocketUnavailable
from ..session.causes import words
from . import forking
from .waiting import Waiter, Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from .transport import Transport

    Traced = Callable[[str, int], None]

_GOING_AWAY = 1001


class Channel:
    """One connection from its start to its end.

    Arguments:
        session: What the connection does over time.
        traced: Called with a stage and a length after each write and read, outside the lock.
    """

    def __init__(self, session: Session, traced: Traced | None = None) -> None:
        self.session = session
        self.transport: Transport | None = None
        self.wakeup: Wakeup | None = None  # made when the iteration starts
        self.lock = threading.RLock()
        self._traced = traced
        self._turn = threading.Condition(self.lock)  # notified when the write turn is given back
        self._writer: int | None = None  # the thread that has the write turn
        self._read_turn = threading.Lock()
        self._waiter: Waiter | None = None  # the loop's
        self._reports: deque[tuple[str, int]] = deque()  # not yet traced
        self.is_in_use = False  # the loop's thread is inside a wait, a read or a write
        self._deferred: deque[tuple[int | None, str | bytes | None]] = deque()
        self.born: int = forking.count
        self._is_over = False
        self._has_read_end = False  # the socket stays readable for ever
        self._read_ahead = 0  # bytes that blocked senders stored since the loop last looked

    # Opening, by the loop's thread

    def start(self) -> None:
        """Get ready to wait."""
        self.wakeup = Wakeup()

    def use(self, transport: Transport) -> None:
        """A socket is connected."""
        with self.lock:
            self.transport = transport
        self._waiter = Waiter(self.wakeup, transport.sock)
        if self._is_over or self.session.has_ended:  # another thread ended it meanwhile
            transport.abort()

    @property
    def is_over(self) -> bool:
        """Whether the connection was given up from outside: a new one was made, or force."""
        return self._is_over or self.is_foreign

    @property
    def is_foreign(self) -> bool:
        """Whether the connection belongs to the parent of this process."""
        return self.born != forking.count

    # Sending, from any thread

    def send(self, opcode: int, payload: bytes) -> None:
        """Send a message or control frame; returns when the system has taken its last byte.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        if self.is_foreign:
            raise WebSocketUnavailable("connection belongs to the parent process")
        self._refuse_reentry()
        try:
            with self.lock:
                if self.session.has_ended or self._is_over or self.transport is None:
                    raise WebSocketUnavailable("not connected")
                self.session.send_message(opcode, payload, monotonic())
                target = self._enqueue()
            self._write_until(target)
        except WebSocketError:
            raise
        except BaseException as error:
            # Interrupted between a change and its book-keeping: the position is unknown.
            self.force(f"interrupted by {type(error).__name__} while sending", error)
            raise
        self.run_deferred()

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; never waits. Whether this call started it.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        if self.is_foreign:
            return False
        if _is_owned(self.lock):
            # A signal handler interrupted us between two lines that belong together.
            self._deferred.append((code, reason))
            self.wake()  # we may have been on the way into a wait
            return True
        with self.lock:
            is_over = self._is_over or self.session.has_ended
            if is_over or not self.session.close(code, reason, monotonic()):
                return False
            self._enqueue_quietly()
        self._write_now()
        self.wake()
        return True

    def wake(self) -> None:
        """End the loop's wait: something changed."""
        if self.wakeup is not None:
            self.wakeup.wake()

    def flush(self) -> None:
        """Queue the session's output and write what can be written without waiting."""
        if self.transport is not None:
            with self.lock:
                self._enqueue_quietly()
            self._write_now()

    def note(self, stage: str, length: int) -> None:
        """Remember a write or read for `report`, if anybody listens."""
        if self._traced is not None and length:
            self._reports.append((stage, length))

    def report(self) -> None:
        """Tell whoever listens what was written and read; no lock and no turn is held."""
        if self._traced is not None:
            while self._reports:
                self._traced(*self._reports.popleft())

    def _refuse_reentry(self) -> None:
        if _is_owned(self.lock) or self._writer == threading.get_ident():
            raise WebSocketUnavailable(
                "can't send from a signal handler that interrupted a send; use a thread"
            )

    def run_deferred(self) -> None:
        """Do what a signal handler asked for while it could not be done."""
        while self._deferred:
            self.close(*self._deferred.popleft())

    def _enqueue(self) -> int:
        """Move the session's output to the queue (lock held); where the queue then ends."""
        transport = self.transport
        if transport is None:
            return 0
        if self.session.has_output:
            try:
                transport.enqueue(self.session.take_output())
            except ssl.SSLError as error:
                self.session.fail(error, "write", monotonic())
                raise TransportFail(f"TLS fail; {words(error)}", cause=error) from error
        return transport.queued

    def _enqueue_quietly(self) -> None:
        """As above, where nobody waits for the outcome: the session knows, the loop will tell."""
        with contextlib.suppress(TransportFail):
            self._enqueue()

    # Writing

    def _take_turn(self) -> bool:
        if self._writer is None:
            self._writer = threading.get_ident()
            return True
        return False

    def _give_turn(self) -> None:
        with self.lock:
            self._writer = None
            self._turn.notify_all()
            transport = self.transport
            if transport is not None and self._is_over:
                transport.close(self.is_foreign)

    def _write_until(self, target: int) -> None:
        """Return when the system has taken the queue's bytes up to the target."""
        transport = self.transport
        assert transport is not None
        while True:
            with self.lock:
                if transport.written >= target:
                    return
                self._check_writable()
                if not self._take_turn():
                    self._turn.wait()
                    continue
            try:
                self._write_blocking(transport, target)
            finally:
                self._give_turn()
            self.report()
            if transport.has_queue:
                self.wake()  # nobody may wait for those bytes but the loop

    def _write_blocking(self, transport: Transport, target: int) -> None:
        waiter: Waiter | None = None
        while transport.has_queue and (transport.written < target or waiter is None):
            self._check_writable()
            if self._write_once(transport):
                continue
            if transport.written >= target:
                return
            # The system takes nothing: wait, and read on, because the peer may do the same.
            waiter = waiter or Waiter(None, transport.sock)
            due = self.session.write_deadline - monotonic()
            if due <= 0:
                self._give_up_writing()
            can_read = self._read_ahead < self.session.limits.max_read_ahead
            can_read = can_read and not self._has_read_end
            readable, _ = waiter.wait(due if due < 3600 else None, True, can_read)
            if readable and can_read:
                self._receive(is_ahead=True)

    def _write_once(self, transport: Transport) -> bool:
        """One system call (write turn held); whether anything was taken."""
        before = transport.written
        try:
            taken = transport.write()
        except OSError as error:
            self._lose(error)
            raise TransportFail(f"socket fail; {words(error)}", cause=error) from error
        if taken:
            self.note("socket_send", transport.written - before)
        session = self.session
        if session.watches_writes or transport.has_queue:
            with self.lock:
                now = monotonic()
                if taken or session.write_deadline == float("inf"):
                    session.written(now, not transport.has_queue)
                if not transport.has_queue:
                    self._enqueue_quietly()  # a pong that the backlog kept back
        return taken

    def _write_now(self) -> None:
        """Write what can be written without waiting, unless another thread does."""
        transport = self.transport
        if transport is None:
            return
        with self.lock:
            if not transport.has_queue or self._is_over or not self._take_turn():
                return
        try:
            while transport.has_queue and self._write_once(transport):
                pass
        except TransportFail:
            pass  # the session knows; the loop will tell
        finally:
            self._give_turn()
        self.report()

    def _check_writable(self) -> None:
        if self._is_over or self.session.has_ended:
            ending = self.session.disconnected()
            raise TransportFail(
                f"socket fail; the connection ended while sending ({ending.reason})",
                cause=ending.cause,
            )

    def _give_up_writing(self) -> None:
        now = monotonic()
        with self.lock:
            self.session.tick(now)
        self.wake()
        raise TransportFail(
            f"socket fail; nothing was taken for {self.session.timing.send_timeout:g} s "
            "(send_timeout)"
        )

    def _lose(self, error: OSError) -> None:
        """Writing failed: what the peer said before is still read."""
        most = self.session.limits.max_read_ahead
        while self._read_ahead < most and self._receive(is_ahead=True):
            pass
        with self.lock:
            self.session.fail(error, "write", monotonic())
        self.wake()

    # Reading

    def read_or_tick(self) -> None:
        """The loop's turn: wait for bytes or the deadline, and tell the session."""
        self.is_in_use = True
        try:
            self._read_or_tick()
        finally:
            self.is_in_use = False
        self.report()

    def _read_or_tick(self) -> None:
        session, transport, waiter = self.session, self.transport, self._waiter
        assert transport is not None
        assert waiter is not None
        self.run_deferred()
        with self.lock:
            self._enqueue_quietly()
            if session.output_ends and not transport.write_ended:
                transport.end_output()
        self._write_now()
        with self.lock:
            if session.has_ended:
                return
            if session.output_ends and not transport.has_queue and not transport.write_ended:
                transport.shut_write()
            deadline = session.deadline
            writes = transport.has_queue and self._writer is None
            self._read_ahead = 0
        seconds = None if deadline is None else deadline - monotonic()
        readable, writable = waiter.wait(seconds, writes)
        if readable:
            readable = self._receive() or session.has_ended
        if writable:
            self._write_now()
        now = monotonic()
        if not readable and deadline is not None and now >= deadline:
            with self.lock:
                session.tick(now)

    def settle(self) -> None:
        """Before the first wait: what TLS has decrypted already belongs to the session."""
        transport = self.transport
        if transport is not None and transport.has_tls:
            with self.lock:
                self._pump(transport, monotonic(), time())

    def _receive(self, is_ahead: bool = False) -> bool:
        """Read once without waiting; whether anything came."""
        if not self._read_turn.acquire(blocking=not is_ahead):
            return False  # the loop is reading
        try:
            return self._receive_in_turn(is_ahead)
        finally:
            self._read_turn.release()

    def _receive_in_turn(self, is_ahead: bool) -> bool:
        session, transport = self.session, self.transport
        assert transport is not None
        room = None
        if not is_ahead and not transport.has_tls:
            with self.lock:
                room = session.room()
        data: bytes | None = None
        count: int | None = None
        failure: OSError | None = None
        try:
            if room is not None:
                with room:
                    count = transport.receive_into(room)
            else:
                data = transport.receive()
                count = None if data is None else len(data)
        except OSError as error:
            failure = error
        if count is None and failure is None:
            return False
        if count:
            self.note("socket_recv", count)
        now, wall = monotonic(), time()
        with self.lock:
            self._has_read_end = not count
            if failure is not None:
                session.fail(failure, "read", now)
            elif room is not None and count:
                session.filled(count, now, wall)
            else:
                self._store(transport, data or b"", now, wall)
            if is_ahead:
                self._read_ahead += count or 0
                self.wake()  # the loop may be about to wait for what is here now
        return failure is None and count != 0

    def _store(self, transport: Transport, data: bytes, now: float, wall: float) -> None:
        """Bytes from the wire, through TLS if there is any, to the session (lock held)."""
        session = self.session
        if not transport.has_tls or transport.write_ended or not data:
            session.receive(data, now, wall)
            return
        try:
            transport.feed(data)
        except ssl.SSLError as error:
            session.fail(error, "read", now)
        self._pump(transport, now, wall)

    def _pump(self, transport: Transport, now: float, wall: float) -> None:
        session = self.session
        try:
            while (plain := transport.top.read()) is not None:
                session.receive(plain, now, wall)
                if not plain:
                    break
            transport.enqueue(b"")
        except ssl.SSLError as error:
            session.fail(error, "read", now)

    # The end

    def force(self, reason: str, cause: BaseException | None = None) -> None:
        """End the connection at once, from any thread. The iterator then says so."""
        if self.is_foreign:
            self._free_in_child()
            return
        with self.lock:
            self.session.end(reason, False, monotonic(), cause=cause)
            transport = self.transport
            if transport is not None and not self._is_over:
                transport.abort()
        self.wake()

    def leave(self, code: int | None = _GOING_AWAY) -> None:
        """Say to the peer that nobody listens any more if that needs no waiting; free the socket.

        If another thread is using the socket, that one frees it.
        """
        if self.is_foreign:
            self._free_in_child()
            return
        try:
            with self.lock:
                session = self.session
                session.leave(code, monotonic())
                self._enqueue_quietly()
                if self.transport is not None and not self.transport.write_ended:
                    self.transport.end_output()
            self._write_now()
        finally:
            self._free()

    def _free(self) -> None:
        with self.lock:
            self._is_over = True
            transport, wakeup = self.transport, self.wakeup
            if transport is not None:
                if self._writer in (None, threading.get_ident()) and not self.is_in_use:
                    transport.close()
                else:
                    transport.abort()  # the thread that uses it closes it when it leaves
            self._turn.notify_all()
        if wakeup is not None:
            if self.is_in_use:
                wakeup.wake()
            else:
                wakeup.close()

    def _free_in_child(self) -> None:
        """Only the descriptors: the connection is the parent's. Its locks may be held for ever."""
        self.lock = threading.RLock()
        self._is_over = True
        if self.transport is not None:
            self.transport.close(quietly=True)
        if self.wakeup is not None:
            self.wakeup.close()


def _is_owned(lock: Any) -> bool:
    """Whether this thread holds the lock: a signal handler runs between any two lines."""
    return bool(lock._is_owned())  # not in the stubs; it is what threading.Condition asks too
