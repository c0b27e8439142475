"""Writing for a session: whoever has the turn empties the queue for all threads."""

from __future__ import annotations

import contextlib
import threading
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import TransportFail
from ..session.causes import words
from .waiting import Waiter

if TYPE_CHECKING:
    from .link import Link
    from .reading import Reader
    from .transport import Transport


class Writer:
    """Takes bytes from the queue to the socket.

    Arguments:
        link: The connection.
        reader: What reads on while a send waits.
    """

    def __init__(self, link: Link, reader: Reader) -> None:
        self._link = link
        self._reader = reader
        self._given_back = threading.Condition(link.lock)
        self._owner: int | None = None  # the thread that has the turn
        self._waiting = 0  # threads that wait for it

    @property
    def is_mine(self) -> bool:
        """Whether this thread has the turn."""
        return self._owner == threading.get_ident()

    @property
    def is_free(self) -> bool:
        """Whether no thread has the turn."""
        return self._owner is None

    def connection_is_over(self) -> None:
        """Tell those who wait for the turn (lock held)."""
        self._given_back.notify_all()

    def take_turn(self) -> bool:
        """Have the turn if no thread has it (lock held)."""
        if self._owner is None:
            self._owner = threading.get_ident()
            return True
        return False

    def abandon_turn(self) -> None:
        """Give the turn back if this thread was interrupted while it had it."""
        if self.is_mine:
            self._give_turn()

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
                    if not has_turn:
                        self._waiting += 1
                        try:
                            self._given_back.wait()
                        finally:
                            self._waiting -= 1
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
        link.report()

    def _give_turn(self) -> None:
        link = self._link
        with link.lock:
            self._owner = None
            if self._waiting:
                self._given_back.notify_all()
            if link.is_over and link.transport is not None:
                link.transport.close(link.is_foreign)

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
            if due <= 0:
                self._give_up()
            reads = reader.may_read_ahead
            readable, _ = waiter.wait(due if due < 3600 else None, True, reads)
            if readable and reads:
                reader.receive_ahead()

    def _write_once(self, transport: Transport) -> bool:
        """One system call (turn held); whether anything was taken."""
        link, session = self._link, self._link.session
        before = transport.written
        try:
            taken = transport.write()
        except OSError as error:
            self._lose(error)
            raise TransportFail(f"socket fail; {words(error)}", cause=error) from error
        if link.is_traced:
            link.note("socket_send", transport.written - before)
        if session.watches_writes or transport.queue:
            with link.lock:
                now = monotonic()
                if taken or session.write_deadline == float("inf"):
                    session.written(now, not transport.queue)
                if not transport.queue:
                    link.enqueue_quietly()  # a pong that the backlog kept back
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

    def _lose(self, error: OSError) -> None:
        """Writing failed: what the peer said before is still read."""
        link, reader = self._link, self._reader
        while reader.may_read_ahead and reader.receive_ahead():
            pass
        with link.lock:
            link.session.fail(error, "write", monotonic())
        link.wake()
