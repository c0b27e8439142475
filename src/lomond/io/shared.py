"""The exchange of a connection that is iterated by one of several threads; it may wait by itself.

Knows when which thread may read, wait, and close the socket.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from ..protocol.states import OPEN
from ..session.ahead import come_meanwhile, keep
from ..session.finish import LEFT, Why
from ..system.clock import monotonic
from ..system.holding import next_of
from ..system.pipe import BOUND
from .exchange import GOING_AWAY, beat
from .guarded import Guarded
from .inward import NOT_CALM
from .waiting import AGAIN, Waiter, Wakeup, lease, signals_tick

if TYPE_CHECKING:
    import threading

    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from ..system.need import Waking
    from ..system.pipe import Pipe
    from .journal import Journal

_NEVER = float("inf")


class Shared(Guarded):
    """One connection from its start to its end, for several threads.

    Attributes:
        is_idle: The last wait of whoever iterates was in vain.
        thread: The number of that which iterates, 0 before that is known.
    """

    __slots__ = ("_is_freed", "_leased", "_may_wait", "_waiter", "is_idle", "thread")

    def __init__(
        self, session: Session, journal: Journal | None = None, wakeup: Waking | None = None
    ) -> None:
        super().__init__(session, journal, wakeup)
        self._leased: list[Wakeup] = []  # the one that `wakeup` is, where that was leased
        self._waiter: Waiter | None = None  # of whoever iterates
        self._is_freed: bool = False  # it has ended, and nothing of it is left to be closed
        self._may_wait: bool = False
        self._is_handled = True  # nothing runs ahead of the user
        self.is_idle = False
        self.thread = 0

    # Opening

    def start(self) -> None:
        """Get ready to wait. Raises OSError: the system has no descriptors left."""
        if self.wakeup is None:
            leased = lease()
            self._leased.append(leased)
            self.wakeup = leased

    def rest(self) -> None:
        """Wait no more: what ended the wait is free for others."""
        if not self._leased:
            return
        leased = next_of(self._leased)  # by one thread alone, if another one ends the connection
        if leased is not None:
            self.wakeup = None
            if self._waiter is not None:
                self._waiter.wakeup = None
            leased.give_back()

    def use(self, pipe: Pipe) -> None:
        """A socket is connected."""
        self.session.course.carrier = pipe
        with self.lock:
            self.pipe = pipe
            self.is_clear = pipe.sends_at_once and not self.is_over
        if self.is_over or self.connection.has_ended:  # another thread ended it meanwhile
            pipe.abort()

    def drop(self) -> None:
        """Close the socket; another one will be used."""
        with self.lock:
            pipe, self.pipe = self.pipe, None
            if pipe is not None:
                pipe.end_output()
        self._waiter = None
        if pipe is not None:
            pipe.close()
            pipe.wire.release()

    def stand_by(self, gate: threading.Lock) -> None:
        """Wait till it opens, or till it is to be looked anew; what comes meanwhile is acted on.

        For in the loop's body nobody else does.
        """
        if self.thread != get_ident() or self.is_in_use:
            gate.acquire()
            return
        while not gate.acquire(timeout=AGAIN):
            self.act_meanwhile()
            if self.is_over or self.session.has_ended or self.connection.state is not OPEN:
                return

    def act_meanwhile(self) -> None:
        """Act on what has come, and on what is due, in the body of the loop, as that would.

        The events are kept for it.
        """
        session = self.session
        most = session.limits.max_read_ahead
        has_waited = False
        while not self.is_over and not session.has_ended:
            if session.kept is not None and not session.kept.may_grow(most):
                break
            event = self._next_meanwhile()
            if event is not None:
                self.first(keep, session, event)
            elif not self.read_now():
                if has_waited:
                    break
                has_waited = True
                self._tick_meanwhile()

    def _next_meanwhile(self) -> AnyEvent | None:
        """The next event, answers to questions left out; None if there is none now."""
        session = self.session
        while True:
            event: AnyEvent | None = self.first(come_meanwhile, session, monotonic())
            if session.wants_heartbeat:
                beat(self)
            if self.output.is_ready:
                self.flush()
            if event is not None and session.questions is not None:
                event = session.questions.seen(event)
                if event is None:
                    continue  # it was an answer
            return event

    def _tick_meanwhile(self) -> None:
        """Nothing is there to be read: tell the session, if its deadline has passed."""
        session, pipe = self.session, self.pipe
        now = monotonic()
        self.looked(now)
        deadline = session.deadline
        # Of a write that waits its sender judges.
        if deadline is not None and deadline <= now < session.backlog.deadline:
            self.first(session.tick, now, None if pipe is None else pipe.progress)

    def wake(self) -> None:
        """End the wait of whoever iterates: something changed."""
        self.calm_until = NOT_CALM
        wakeup = self.wakeup
        # What is leased ends this connection's waits alone: who is in none looks before the next.
        if wakeup is not None and (self.is_in_use or not self._leased):
            wakeup.wake()

    # Reading, by one thread at a time

    def receive(self, waits: bool = False) -> bool:
        """Read once, as whoever iterates; whether anything came."""
        self._read_turn.acquire()
        try:
            return self._receive(False, waits)
        finally:
            self._read_turn.release()

    def take_calmly(self) -> bool:
        """The wait of `calm_need` is over: read once; whether any bytes came."""
        self._read_turn.acquire()
        try:
            return self._receive(False, False)
        finally:
            self._read_turn.release()
            self.is_in_use = False

    def _came(
        self,
        data: bytes | None,
        count: int,
        failure: OSError | None,
        is_ahead: bool,
        now: float,
        wall: float,
    ) -> None:
        self.lock.acquire()
        try:
            Guarded._came(self, data, count, failure, is_ahead, now, wall)
        finally:
            self.lock.release()

    # The turn of whoever iterates

    def next_event(self, now: float) -> AnyEvent | None:
        """What the session has to say, or None."""
        if now - self._looked_at > self._notable:
            self._delay = self._pause_until(now)
        self.is_wanted = True
        with self.lock:
            self.is_wanted = False
            event = self.session.next_event(now)
        if self.session.wants_heartbeat:
            beat(self)
        return event

    def read(self) -> bool:
        """Wait for bytes, where all that came is handed out and nothing is due; whether any came.

        Where none did, the long way (`read_or_tick`) is to be gone.
        """
        until = self.connection.hunger(self.calm_until, self._calm_frame)
        if until != _NEVER and monotonic() >= until:
            return False
        self.is_in_use = True
        self._read_turn.acquire()
        try:
            # Looked at in this order, and set in the other one by who closes the socket.
            if self.is_over:
                return False
            came = self._receive(False, True)
        finally:
            self._read_turn.release()
            self.is_in_use = False
        self.is_idle = not came
        return came

    def read_more(self) -> bool:
        """Read once more if the last read brought all that it could, and nothing else matters."""
        return self.is_full and self._lull() >= 0.0 and self.read_now()

    def read_now(self) -> bool:
        """Read once what is there, in the body of the loop; whether anything was."""
        self.is_in_use = True
        try:
            return not self.is_over and self.receive()  # in this order, as in `read`
        finally:
            self.is_in_use = False

    def read_or_tick(self) -> None:
        """Wait for bytes or the deadline, and tell the session."""
        self.is_in_use = True
        try:
            self.start()  # whoever changes something from now on ends the wait
            if self._prepare():
                self._wait_and_read()
        finally:
            self.is_in_use = False
            self.rest()
        if self.journal is not None:
            self.journal.tell()

    def _wait_and_read(self) -> None:
        pipe, waiter, wakeup = self.pipe, self._waiter, self.wakeup
        assert pipe is not None
        assert isinstance(wakeup, Wakeup)
        if waiter is None:
            waiter = self._waiter = Waiter(pipe.sock)
        waiter.use(wakeup)
        now = monotonic()
        seconds = self._until - now
        self.looked(now)
        self._seen = self.connection.handed  # their handlers are over
        if self._may_wait and seconds > BOUND and not self._writes and not self.is_idle:
            # One system call instead of two; a wake-up is at most BOUND late.
            readable = self.receive(waits=True)
        else:
            limit = None if seconds == _NEVER else seconds
            self._looked_at = self._until
            readable, writable = waiter.wait(limit, self._writes)
            if readable:
                readable = self.receive()
            else:
                self.looked(monotonic())
            if writable:
                self.write_quietly()
        self.is_idle = not readable
        self._judge(readable, None)

    def _expect(self) -> bool:
        pipe = self.pipe
        assert pipe is not None
        if not Guarded._expect(self):
            return False
        self._writes = self._writes and not self._write_turn.owner
        self._may_wait = pipe.may_wait and not signals_tick()
        is_elsewhere = self._calm is not None
        if self._deferred or not (self._may_wait or is_elsewhere):
            self.calm_until = NOT_CALM
        return True

    # The end

    def force(self, why: Why) -> None:
        """End the connection at once, from any thread. The iterator then says so."""
        if self.is_foreign:
            self.free_in_child()
            return
        if self._is_freed:
            return
        was_owned = self.is_owned()
        try:
            with self.lock:
                self._end(why)
        except BaseException:
            self._abandon_unless(was_owned)
            raise
        finally:
            self.free()

    def leave(self, code: int | None = GOING_AWAY, why: Why = LEFT) -> None:
        """Say to the peer that nobody listens any more if that needs no waiting; free the socket.

        If another thread is using the socket, that one frees it.
        """
        if self.is_foreign:
            self.free_in_child()
            return
        if self._is_freed:
            return
        was_owned = self.is_owned()
        try:
            with self.lock:
                self._say_goodbye(code, why)
            self.write_quietly()
        except BaseException:
            self._abandon_unless(was_owned)
            raise
        finally:
            self.free()

    def free(self) -> None:
        """Close the socket; where another thread is using it, that one does."""
        was_owned = self.is_owned()
        try:
            self._free_all()
        except BaseException:
            self._abandon_unless(was_owned)
            self._free_all()  # half of it may be done
            raise

    def _free_all(self) -> None:
        turn = self._write_turn
        with self.lock:
            self.is_over = True
            self.is_clear = False
            self.calm_until = NOT_CALM
            pipe, wakeup = self.pipe, self.wakeup
            if pipe is not None:
                if (not turn.owner or turn.is_mine()) and not self.is_in_use:
                    pipe.close()
                    pipe.wire.release()
                    self._is_freed = self.session.has_ended
                else:
                    pipe.abort()  # the thread that uses it closes it when it leaves
            turn.tell_waiting()
            self.message_turn.tell_waiting()
        if self.is_in_use:
            if wakeup is not None:
                wakeup.wake()
        else:
            self.rest()  # from an opening that nobody goes on with

    def free_in_child(self) -> None:
        """Only the descriptors: the connection is the parent's. Its locks may be held for ever."""
        self.renew_lock()
        self.is_clear = False
        super().free_in_child()
