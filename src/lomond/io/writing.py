"""Writing for a session: whoever has the turn empties the queue for all threads."""

from __future__ import annotations

import contextlib
import threading
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

from ..errors import TransportFail
from ..session.causes import words
from .link import next_of
from .waiting import BOUND, Waiter

if TYPE_CHECKING:
    from .link import Link
    from .reading import Reader
    from .transport import Transport

# Seconds; the loop's read ends before, unless a signal handler interrupted it to send.
_LAST_READ = 10 * BOUND
_LARGEST = 256 * 1024  # bytes; of a message that is sent in one call while the lock is held


class Writer:
    """Takes bytes from the queue to the socket.

    Arguments:
        link: The connection.
        reader: What reads on while a send waits.
    """

    __slots__ = ("_gates", "_link", "_owner", "_reader")

    def __init__(self, link: Link, reader: Reader) -> None:
        self._link = link
        self._reader = reader
        self._owner = 0  # the thread that has the turn, or none
        self._gates: list[threading.Lock] = []  # of those that wait for it: locked till it is free

    def is_mine(self) -> bool:
        """Whether this thread has the turn."""
        return self._owner == threading.get_ident()

    def is_free(self) -> bool:
        """Whether no thread has the turn."""
        return not self._owner

    def tell_waiting(self) -> None:
        """The turn is free, or the connection over: tell those who wait (lock held)."""
        while (gate := next_of(self._gates)) is not None:
            gate.release()

    def take_turn(self) -> bool:
        """Have the turn if no thread has it (lock held)."""
        if self._owner:
            return False
        self._owner = threading.get_ident()
        return True

    def _new_gate(self) -> threading.Lock:
        """What opens when the turn is free (lock held)."""
        # Not a Condition: an interruption may leave that one's lock taken, or given back twice.
        gate = threading.Lock()
        gate.acquire()
        self._gates.append(gate)
        return gate

    def abandon_turn(self) -> None:
        """Give the turn back if this thread was interrupted while it had it."""
        if self.is_mine():
            self._give_turn()

    def send(self, opcode: int, payload: bytes, compress: bool = False) -> int:
        """Send a message in one system call, where no output waits before it.

        Returns:
            0 where the system took all of it, else where the queue ends; -1 where it must go the
            long way, and nothing was done.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        link = self._link
        transport = link.transport
        is_long = len(payload) > _LARGEST or link.output.is_held
        if is_long or transport is None or not link.is_clear or link.is_wanted or link.is_owned():
            return -1
        if not transport.sends_at_once:
            return -1
        failure: OSError | None = None
        target = 0
        link.lock.acquire()
        try:
            has_output = bool(self._owner or transport.queue or link.output.is_ready)
            if has_output or not link.is_clear or link.connection.has_ended:
                return -1
            link.connection.send(opcode, payload, compress)
            # It can't wait, so the lock may be held: to take the turn costs more.
            if not transport.send(link.output.take()):
                target = transport.queued
                link.session.written(monotonic(), False)
        except OSError as error:
            failure = error
            self.take_turn()  # for the socket stays as it is while what came is read
        finally:
            link.lock.release()
        if failure is not None:
            try:
                self._lose(failure)
            finally:
                self._give_turn()
        return target

    def is_written(self, target: int, is_read: bool = False) -> bool:
        """Write what can be written without waiting; whether the system has the queue up to there.

        Arguments:
            target: Where it ends, in bytes ever queued.
            is_read: Whether what came until the write's deadline has been read: then it counts.

        Raises:
            TransportFail: It will not: the connection is over, or nothing was taken for too long.
        """
        transport = self._link.transport
        if transport is not None and transport.written < target:
            self.write_some()
        if transport is not None and transport.written >= target:
            return True
        self._check()
        if is_read and monotonic() >= self._link.session.write_deadline:
            self._give_up()
        return False

    def write_until(self, target: int, has_turn: bool) -> None:
        """Return when the system has taken the queue's bytes up to the target.

        Arguments:
            target: Where it ends, in bytes ever queued.
            has_turn: Whether this thread has taken the turn.

        Raises:
            TransportFail: It did not; the connection is over.
        """
        link = self._link
        transport = link.transport
        assert transport is not None
        while has_turn or transport.written < target:
            if not has_turn:
                with link.lock:
                    if transport.written >= target:
                        return
                    self._check()
                    has_turn = self.take_turn()
                    gate = None if has_turn else self._new_gate()
                if gate is not None:
                    gate.acquire()
                    continue
            has_turn = False
            try:
                if not self._write_once(transport) or transport.queue:
                    self._write_blocking(transport, target)
            finally:
                self._give_turn()
            if link.is_traced:
                link.report()
            if transport.queue:
                link.wake()  # nobody may wait for those bytes but the loop

    def write_now(self) -> None:
        """As `write_some`, where nobody waits for the outcome: the loop will tell."""
        with contextlib.suppress(TransportFail):
            self.write_some()

    def write_some(self) -> None:
        """Write what can be written without waiting, unless another thread does.

        Raises:
            TransportFail: Writing failed; the session knows.
        """
        link = self._link
        transport = link.transport
        if transport is None:
            return
        with link.lock:
            if not transport.queue or link.is_over or not self.take_turn():
                return
        try:
            while transport.queue and self._write_once(transport):
                pass
        finally:
            self._give_turn()
        if transport.queue:
            link.look_again()
        link.report()

    def _give_turn(self) -> None:
        link = self._link
        with link.lock:
            self._owner = 0
            if self._gates:
                self.tell_waiting()
            # While the loop's thread uses the socket, its number is to be no other connection's.
            if link.is_over and link.transport is not None and not link.is_in_use:
                link.transport.close(link.is_foreign())

    def _write_blocking(self, transport: Transport, target: int) -> None:
        session, reader = self._link.session, self._reader
        waiter: Waiter | None = None
        while transport.queue and (transport.written < target or waiter is None):
            self._check()
            if self._write_once(transport):
                continue
            if transport.written >= target:
                return
            # The system takes nothing: wait, and read on, because the peer may do the same.
            waiter = waiter or Waiter(None, transport.sock)
            due = session.write_deadline - monotonic()
            reads = reader.may_read_ahead()
            readable, writable = waiter.wait(due if due < 3600 else None, True, reads)
            if readable and reads:
                reader.receive_ahead()
            elif due <= 0 and not writable:
                self._give_up()

    def _write_once(self, transport: Transport) -> bool:
        """One system call (turn held); whether anything was taken."""
        link, session = self._link, self._link.session
        before = transport.written
        taken = False
        try:
            taken = transport.write()
        except OSError as error:
            self._lose(error)
        if link.is_traced:
            link.note("socket_send", transport.written - before)
        is_watched = session.watches_writes
        if is_watched or transport.queue:
            with link.lock:
                now = monotonic()
                if taken or session.write_deadline == float("inf"):
                    session.written(now, not transport.queue, transport.progress)
                else:
                    session.refused(now)
                if not transport.queue:
                    link.enqueue_quietly()  # a pong that the backlog kept back
            if is_watched and taken:
                link.wake()  # a ping that has left brings the deadline forward
        return taken

    def _check(self) -> None:
        link = self._link
        if link.is_over or link.session.has_ended:
            ending = link.session.ending
            why = "left by the user" if ending is None else ending.reason
            raise TransportFail(
                f"socket fail; the connection ended while sending ({why})",
                cause=None if ending is None else ending.cause,
            )

    def _give_up(self) -> None:
        link = self._link
        with link.lock:
            error = link.session.give_up_writing(monotonic())
        link.wake()
        raise TransportFail(f"socket fail; {error}", cause=error)

    def _lose(self, error: OSError) -> NoReturn:
        """Writing failed: what the peer said before is still read."""
        self._check()  # whoever ended the connection made the system refuse
        link, reader = self._link, self._reader
        while reader.may_read_ahead() and reader.receive_ahead(_LAST_READ):
            pass
        with link.lock:
            if link.session.opened_at is not None:  # else the opening reads what was said, and ends
                link.session.fail(error, "write", monotonic())
            also = link.session.servers_close()
        link.wake()
        raise TransportFail(f"socket fail; {words(error)}{also}", cause=error) from error
