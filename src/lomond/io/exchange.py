"""One connection between its session and its bytes, for one thread: no lock, no turns.

It reads and writes without waiting; where it would wait, it says what for (`Need`). shared.py is
the same for several threads.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import WebSocketError
from ..protocol.frames import PING
from ..protocol.states import OPEN
from ..session.causes import copied
from ..session.finish import LEFT, Why
from ..session.heartbeat import failed, say
from ..system.clock import monotonic
from ..system.need import Need
from ..system.pipe import BOUND
from .inward import NOT_CALM
from .outward import Outward

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocol.events import AnyEvent
    from ..system.pipe import Pipe

_NEVER = float("inf")
GOING_AWAY, UNEXPECTED_CONDITION = 1001, 1011  # close codes


class Exchange(Outward):
    """One connection from its start to its end."""

    __slots__ = ()

    # Opening

    def start(self) -> None:
        """Get ready to wait. Raises OSError: the system has no descriptors left."""

    def rest(self) -> None:
        """Wait no more."""

    def catch_up(self) -> None:
        """Do what a signal handler asked for while it could not be done."""

    def use(self, pipe: Pipe) -> None:
        """A socket is connected."""
        self.pipe = self.session.course.carrier = pipe
        if self.is_over or self.session.has_ended:  # somebody ended it meanwhile
            pipe.abort()

    def drop(self) -> None:
        """Close the socket; another one will be used."""
        pipe, self.pipe = self.pipe, None
        if pipe is not None:
            pipe.end_output()
            pipe.close()
            pipe.wire.release()

    # Sending

    def post(self, opcode: int, payload: bytes, compress: bool = False) -> int:
        """Send a message or control frame, as far as the system takes it without waiting.

        Returns:
            0 where it took all of it, else where the queue ends then: for `until_written`.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        pipe = self.pipe
        if self.is_over or self.connection.has_ended or pipe is None:
            raise self.refusal()
        output = self.output
        if opcode == PING or pipe.queue or output.is_held or output.is_ready:
            target = self.post_by(partial(self.session.send_message, opcode, payload, compress))
            if opcode == PING:
                self.wake()  # a deadline may have begun
            return target
        before, size = output.sent, 0
        try:
            try:
                self.connection.send(opcode, payload, compress)
                size = output.sent - before
                target = self.hand_over(pipe)
            except OSError as error:
                self.lose(error)
        except WebSocketError as error:
            self.explain(error, size)
            raise
        except BaseException as error:
            self.interrupted(error)
            raise
        if pipe.queue:
            self.wake()  # a deadline may have begun
        return 0 if pipe.written >= target else target

    def post_by(self, put: Callable[[], object]) -> int:
        """Send what `put` queues, behind what waits; else as `post`."""
        pipe, output = self.pipe, self.output
        if self.is_over or self.connection.has_ended or pipe is None:
            raise self.refusal()
        before, size = output.sent, 0
        try:
            put()
            size = output.sent - before
            target = self.enqueue()
            self.write_some()
        except WebSocketError as error:
            self.explain(error, size)
            raise
        except BaseException as error:
            self.interrupted(error)
            raise
        if pipe.queue:
            self.wake()  # a deadline may have begun
        return 0 if pipe.written >= target else target

    def interrupted(self, error: BaseException) -> None:
        """End a connection of whose queue nobody knows any more what has left."""
        # Between a change and its book-keeping: the position is unknown.
        self.abandon()
        reason = f"interrupted by {type(error).__name__} while sending"
        self.force(Why(reason, cause=copied(error)))

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; never waits. Whether this call started it.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        if self.is_over or self.session.has_ended:
            return False
        if not self.session.close(code, reason, monotonic()):
            return False
        self.flush()
        self.wake()
        return True

    # The turn of whoever iterates

    def next_event(self, now: float) -> AnyEvent | None:
        """What the session has to say, or None."""
        if now - self._looked_at > self._notable:
            self._delay = self._pause_until(now)
        event = self.session.next_event(now)
        if self.session.wants_heartbeat:
            beat(self)
        return event

    def need(self) -> Need | None:
        """Write, and say what to wait for then; None: nothing.

        `look` is to be called after it, or the connection left.
        """
        self.is_in_use = True
        if not self._prepare():
            self.is_in_use = False
            return None
        pipe = self.pipe
        assert pipe is not None
        self._let_go()
        self.looked(monotonic())
        if self._is_handled:
            self._seen = self.connection.handed
        self._looked_at = self._until
        sock = pipe.sock
        if self._calm is None:
            self._calm = Need(None, (sock,))
        return Need(None if self._until == _NEVER else self._until, (sock,), (sock,) * self._writes)

    def calm_need(self) -> Need | None:
        """What to wait for where nothing but bytes from the peer can matter for a while; else None.

        `take_calmly` is to be called after it, or the connection left.
        """
        need = self._calm
        if need is None:
            return None
        until = self.connection.hunger(self.calm_until, self._calm_frame)
        if until != _NEVER or self._seen != self.connection.handed:
            now = monotonic()
            if now >= until:
                return None
            if now - self._looked_at > self._notable:  # as `looked`, without a call
                self._paused(now)
            if self._is_handled:
                self._seen = self.connection.handed
        self._looked_at = until
        self.is_in_use = True
        # Looked at in this order, and set in the other one by who closes the socket.
        if self.is_over:
            self.is_in_use = False
            return None
        if self.pipe is not None and self.pipe.wire.keeps and not self.is_full:
            self._let_go()
        need.until = None if until == _NEVER else until
        return need

    def look(self, need: Need) -> None:
        """The wait for the need is over: read and write once without waiting; tell the session."""
        try:
            readable = self.receive()
            if not readable:
                self.looked(monotonic())
            if self._writes:
                self.write_quietly()
            self._judge(readable, need.looked_at)
        finally:
            self.is_in_use = False
        if self.journal is not None:
            self.journal.tell()

    def _prepare(self) -> bool:
        """Say all that is to be said, and find out what to wait for; whether to wait at all."""
        pipe = self.pipe
        assert pipe is not None
        self.catch_up()
        self.first(self._say_all)
        if pipe.queue:
            self.write_quietly()
        return bool(self.first(self._expect))

    def _say_all(self) -> None:
        pipe = self.pipe
        assert pipe is not None
        self.enqueue_quietly()
        if self.session.output_ends and not pipe.write_ended:
            pipe.end_output()

    def _expect(self) -> bool:
        """Find out what to wait for; whether to wait at all."""
        session, pipe = self.session, self.pipe
        assert pipe is not None
        if session.has_ended:
            return False
        # Of what left the queue, a sender may still have some in hand.
        if session.output_ends and pipe.written == pipe.queued and not pipe.write_ended:
            pipe.shut_write()
        deadline = session.deadline
        self._until = self.look_at if deadline is None else min(deadline, self.look_at)
        self._writes = bool(pipe.queue)
        self._ahead = 0
        has_work = pipe.queue or self._counts_turns
        is_calm = not has_work and session.connection.state == OPEN
        self.calm_until = self._until - BOUND if is_calm else NOT_CALM
        if session.timers.posted:  # behind that, for who posts does it the other way round
            self.calm_until = NOT_CALM
        return True

    def _judge(self, readable: bool, looked_at: float | None) -> None:
        """Tell the session, after the wait, if its deadline has passed and nothing came.

        Arguments:
            readable: Whether something came.
            looked_at: As of a Need.
        """
        if readable or self.session.has_ended:
            return
        now = monotonic() if looked_at is None else looked_at
        if now < self._until:
            return
        if looked_at is None and self.receive():
            return  # it came while this thread was kept from running
        pipe = self.pipe
        self.first(self.session.tick, now, None if pipe is None else pipe.progress)

    # The end

    def abandon(self) -> None:
        """This thread was interrupted: nobody else is to wait for what it held."""

    def force(self, why: Why) -> None:
        """End the connection at once. The iterator then says so."""
        if self.is_foreign:
            self.free_in_child()
            return
        try:
            self.alone(self._end, why)
        finally:
            self.free()

    def _end(self, why: Why) -> None:
        self.date_output()
        self.session.end(why, monotonic())

    def leave(self, code: int | None = GOING_AWAY, why: Why = LEFT) -> None:
        """Say to the peer that nobody listens any more. Free the socket."""
        if self.is_foreign:
            self.free_in_child()
            return
        try:
            self.alone(self._say_goodbye, code, why)
            self.write_quietly()
        finally:
            self.free()

    def date_output(self) -> None:
        """Note when the system sent anything last, as far as it tells: the end is here."""
        course, pipe = self.session.course, self.pipe
        idle = None if pipe is None or course.sent_at is not None else pipe.idle()
        if idle is not None:
            course.sent_at = monotonic() - idle

    def _say_goodbye(self, code: int | None, why: Why) -> None:
        self.date_output()
        self.session.leave(code, why, monotonic())
        self.enqueue_quietly()
        if self.pipe is not None and not self.pipe.write_ended:
            self.pipe.end_output()

    def free(self) -> None:
        """Close the socket; where it is in use, whoever uses it does."""
        self.is_over = True
        self.calm_until = NOT_CALM
        pipe, wakeup = self.pipe, self.wakeup
        if pipe is not None:
            if self.is_in_use:
                pipe.abort()
            else:
                pipe.close()
                self._let_go()
        if wakeup is not None and self.is_in_use:
            wakeup.wake()

    def free_in_child(self) -> None:
        """Only the descriptors: the connection is the parent's."""
        self.is_over = True
        self.calm_until = NOT_CALM
        if self.pipe is not None:
            self.pipe.close(quietly=True)


def beat(exchange: Exchange) -> None:
    """Ask for what is said instead of a ping, with no lock held; the session then has it."""
    session = exchange.session
    session.wants_heartbeat = False
    assert session.heartbeat is not None
    try:
        message = session.heartbeat()
    except Exception as error:
        exchange.first(session.leave, UNEXPECTED_CONDITION, failed(error), monotonic())
    else:
        exchange.first(say, exchange.connection, session.pings, message, monotonic())
