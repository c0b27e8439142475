"""The exchange of a connection through which any thread may send, and which any may close.

The lock is held for changes, and for a system call that can't wait; never while waiting.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketError, WebSocketUnavailable
from ..protocol.frames import CLOSE, PING
from ..protocol.states import OPEN
from ..system.clock import monotonic
from ..system.holding import abandon, is_mine, next_of
from ..system.lock import Lock
from .exchange import Exchange
from .outward import until_written
from .turns import Turn
from .waiting import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from ..system.need import Waking
    from ..system.pipe import Pipe
    from .journal import Journal

_LARGEST = 256 * 1024  # bytes; of a message that is sent in one call while the lock is held


_NOBODYS = Turn()  # stands for one that nobody has wanted yet


class Guarded(Exchange):
    """One connection that any thread may send through and close.

    Attributes:
        lock: Guards the session, the pipe's layers and queue, who has the write turn.
        is_clear: Whether sends may go the short way.
        is_wanted: Whoever iterates wants the lock, which is not fair: the short way leaves it free.
        attend: Called while a write waits: whoever iterates sends, and nobody else acts on what
            comes. Or None.
        message_turn: Of whoever sends a message in fragments, in which no other can stand.
        is_owned: Tells whether this thread holds the lock: a signal handler runs between any two
            lines.
    """

    __slots__ = (
        "_deferred", "_read_turn", "_write_turn", "attend", "is_clear", "is_owned",
        "is_wanted", "lock", "message_turn",
    )  # fmt: skip

    def __init__(
        self, session: Session, journal: Journal | None = None, wakeup: Waking | None = None
    ) -> None:
        super().__init__(session, journal, wakeup)
        self.renew_lock()
        self.is_clear = False
        self.is_wanted = False
        self._write_turn = Turn()  # whoever has it empties the queue, outside of the lock
        self.message_turn = _NOBODYS  # whoever has it sends a message in fragments
        self.attend: Callable[[], object] | None = None
        self._read_turn = Lock()
        self._deferred: list[tuple[int | None, str | bytes | None]] = []

    def renew_lock(self) -> None:
        """A lock that no other thread can hold: in the beginning, and in a child."""
        lock: Any = Lock()
        self.lock = lock
        self.is_owned: Callable[[], bool] = lock._is_owned  # as in holding.py

    def forked(self) -> None:
        """We are in a child: no message is handed out any more, none goes out."""
        Exchange.forked(self)
        self.is_clear = False

    def alone(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do something that changes the session or the pipe; nobody else changes them meanwhile."""
        with self.lock:
            return act(*arguments)

    def first(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do something `alone` for whoever iterates, who comes before those that send."""
        self.is_wanted = True
        with self.lock:
            self.is_wanted = False
            return act(*arguments)

    def catch_up(self) -> None:
        """Do what a signal handler asked for while it could not be done."""
        while self._deferred:
            asked = next_of(self._deferred)
            if asked is not None:
                self.close(*asked)

    # Sending

    def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Send a message or control frame; returns when the system has taken its last byte.

        Arguments:
            opcode: What it is.
            payload: Its bytes.
            compress: Whether to compress it, where that was negotiated.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        pipe = self.pipe
        is_long = len(payload) > _LARGEST or self.output.is_held or opcode == PING
        if is_long or pipe is None or not self.is_clear or self.is_wanted or self.is_owned():
            self._send_long(opcode, payload, compress)
            return
        is_short = False
        target = size = 0
        failure: OSError | None = None
        try:
            self.lock.acquire()
            try:
                is_long = bool(pipe.queue) or self.output.is_ready or bool(self._write_turn.owner)
                is_short = not is_long and self.is_clear and not self.connection.has_ended
                if is_short:
                    before = self.output.sent
                    self.connection.send(opcode, payload, compress)
                    size = self.output.sent - before
                    # It can't wait, so the lock may be held: to take the turn costs more.
                    target = self.hand_over(pipe)
                    if target:
                        self.output.pending += size
            except OSError as error:
                failure = error
                self.output.pending += size
                self._write_turn.take()  # for the socket stays as it is while what came is read
            finally:
                self.lock.release()
            if failure is not None:
                self._lose(failure)
            if target:
                self._write_until(pipe, target, False)
                self.output.pending -= size
        except WebSocketError as error:
            self.explain(error)
            raise
        except BaseException as error:
            self.interrupted(error)
            raise
        if not is_short:
            self._send_long(opcode, payload, compress)
        elif self._deferred:
            self.catch_up()

    def _lose(self, failure: OSError) -> None:
        """Lose the connection, and give the turn back. Raises TransportFail."""
        try:
            self.lose(failure)
        finally:
            self._give_turn()

    def _send_long(self, opcode: int, payload: bytes, compress: bool) -> None:
        """Send a message before which other output may wait."""
        send_message = self.session.send_message
        self.pass_on(
            partial(send_message, opcode, payload, compress),
            len(payload) if opcode < CLOSE else -1,
            opcode == PING,
        )

    def send_all(self, messages: list[tuple[int, bytes]], compress: bool) -> None:
        """Send messages, in order, together. Raises as `send`."""
        size = sum([len(payload) for _, payload in messages])
        self.pass_on(partial(self.session.connection.send_all, messages, compress), size)

    def pass_on(self, put: Callable[[], object], size: int, is_ping: bool = False) -> None:
        """Send what `put` queues, with the lock held; returns when the system has it.

        Arguments:
            put: Queues it, or raises.
            size: Of the message that it is, or is a part of; -1 for a control frame.
            is_ping: Whether that is a ping.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        try:
            pipe, target, has_turn = self._queue(put, size)
            if is_ping:
                self.wake()  # the time for its answer starts, also where it can't be written
            self._write_until(pipe, target, has_turn)
            if size > 0:
                self.output.pending -= size
        except WebSocketError as error:
            self.explain(error)
            raise
        except BaseException as error:
            self.interrupted(error)
            raise
        if self._deferred:
            self.catch_up()

    def _queue(self, put: Callable[[], object], size: int) -> tuple[Pipe, int, bool]:
        """The long way: which queue, where it then ends, and whether this thread is to write it."""
        if self.is_foreign:  # whose lock may be held for ever
            raise self.refusal()
        if self.is_owned() or self._write_turn.is_mine():
            raise WebSocketUnavailable(
                "can't send from a signal handler that interrupted a send; use a thread"
            )
        while True:
            if size >= 0:
                self._await_turn()
            with self.lock:
                pipe = self.pipe
                if self.session.has_ended or self.is_over or pipe is None:
                    raise self.refusal()
                turn, is_open = self.message_turn, self.connection.state is OPEN
                if size >= 0 and turn.owner and not turn.is_mine() and is_open:
                    continue  # another thread has just taken it
                put()
                if size > 0:
                    self.output.pending += size
                target = self.enqueue()
                is_written = pipe.written >= target
                has_turn = not is_written and self._write_turn.take()
            return pipe, target, has_turn

    def _await_turn(self) -> None:
        """Wait until no other thread sends a message in fragments, or the connection is over."""
        turn = self.message_turn
        while turn.owner and not turn.is_mine() and not self.is_owned():
            with self.lock:
                is_over = self.is_over or self.session.has_ended
                if not turn.owner or is_over or self.connection.state is not OPEN:
                    return  # half a message will not be finished
                gate = turn.gate()
            self.stand_by(gate)

    def stand_by(self, gate: threading.Lock) -> None:
        """Wait till it opens, or till it is to be looked anew."""
        gate.acquire()

    def _write_until(self, pipe: Pipe, target: int, has_turn: bool) -> None:
        """Return when the system has taken the queue's bytes up to the target.

        Or when another socket has taken this one's place: the connection is being opened, and the
        message held.

        Arguments:
            pipe: Whose queue.
            target: Where it ends, in bytes ever queued.
            has_turn: Whether this thread has taken the turn.
        """
        while has_turn or pipe.written < target:
            if not has_turn:
                with self.lock:
                    if pipe.written >= target or pipe is not self.pipe:
                        return
                    self.check()
                    has_turn = self._write_turn.take()
                    gate = None if has_turn else self._write_turn.gate()
                if gate is not None:
                    gate.acquire()
                    continue
            has_turn = False
            try:
                self._write_waiting(pipe, target)
            finally:
                self._give_turn()
            if self.journal is not None:
                self.journal.tell()
            if pipe.queue:
                self.wake()  # nobody may wait for those bytes but whoever iterates

    def _write_waiting(self, pipe: Pipe, target: int) -> None:
        """Write up to the target, and wait for that (turn held)."""
        waiter: Waiter | None = None
        for need in until_written(self, pipe, target):
            waiter = waiter or Waiter(pipe.sock)
            waiter.meet(need)
            if self.attend is not None:
                self.attend()

    # A message in fragments

    def begin_message(self, opcode: int, compress: bool) -> None:
        """Have the turn for one; another thread's message waits from now on. Raises as a send."""
        while True:
            self._await_turn()
            with self.lock:
                if self.session.has_ended or self.is_over or self.pipe is None:
                    raise self.refusal()
                if self.message_turn is _NOBODYS:
                    self.message_turn = Turn()
                if self.message_turn.take():
                    self.is_clear = False
                    break
        try:
            with self.lock:
                self.connection.begin_message(opcode, compress)
        except WebSocketError as error:
            self.explain(error)
            raise

    def end_message(self) -> None:
        """Give that turn back, if this thread has it."""
        if self.is_foreign:
            return
        with self.lock:
            if self.message_turn.is_mine():
                pipe = self.pipe
                self.is_clear = pipe is not None and pipe.sends_at_once and not self.is_over
                self.message_turn.give()

    def receive_ahead(self, patience: float = 0.0) -> bool:
        """Read once, as a sender, unless another thread reads; whether anything came."""
        # A signal handler that interrupted this thread's read does not read beside it.
        if is_mine(self._read_turn) or not self._read_turn.acquire(True, patience):
            return False
        try:
            return self._receive(True, False)
        finally:
            self._read_turn.release()

    def _empty_queue(self, pipe: Pipe) -> None:
        """Write what can be written without waiting, unless another thread does."""
        with self.lock:
            if not pipe.queue or self.is_over or not self._write_turn.take():
                return
        try:
            Exchange._empty_queue(self, pipe)
        finally:
            self._give_turn()

    def _give_turn(self) -> None:
        with self.lock:
            self._write_turn.give()
            # While whoever iterates uses the socket, its number is to be no other connection's.
            if self.is_over and self.pipe is not None and not self.is_in_use:
                self.pipe.close(self.is_foreign)

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; never waits. Whether this call started it.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        if self.is_foreign:
            return False
        if self.is_owned():
            # A signal handler interrupted us between two lines that belong together.
            self._deferred.append((code, reason))
            self.wake()  # we may have been on the way into a wait
            return True
        try:
            with self.lock:
                is_over = self.is_over or self.session.has_ended
                if is_over or not self.session.close(code, reason, monotonic()):
                    return False
                self.enqueue_quietly()
            self.write_quietly()
        except BaseException:
            self.abandon()
            raise
        self.wake()
        return True

    # The end of what a thread held

    def abandon(self) -> None:
        """This thread was interrupted: nobody else is to wait for what it held."""
        self.let_go()
        if self.message_turn.is_mine():
            self.end_message()

    def let_go(self) -> None:
        """This thread was interrupted: all but its message in fragments goes on without it."""
        if self._write_turn.is_mine() and not self.is_foreign:
            self._give_turn()
        abandon(self._read_turn)
        abandon(self.lock)

    def _abandon_unless(self, was_owned: bool) -> None:
        """Abandon, unless what a signal handler interrupted gives back what it held itself."""
        if not was_owned:
            self.abandon()
