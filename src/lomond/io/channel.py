"""One connection, safe for threads: sending, closing, the loop's turn, and leaving.

Knows when which thread may do what; how bytes are written and read is next door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import WebSocketError, WebSocketUnavailable
from ..protocol.frames import PING
from ..protocol.states import OPEN
from ..session.causes import copied
from .clock import monotonic
from .holding import abandon
from .link import Link, next_of
from .reading import Reader
from .waiting import BOUND, Need, Waiter, Wakeup, signals_tick
from .writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from .link import Traced, Waking
    from .transport import Transport

_NEVER = float("inf")
GOING_AWAY, UNEXPECTED_CONDITION = 1001, 1011  # close codes


class Channel:
    """One connection from its start to its end.

    Arguments:
        session: What the connection does over time.
        traced: Called with a stage and a length after each write and read, outside the lock.
        wakeup: What ends the loop's wait, where that waits elsewhere.
    """

    __slots__ = (
        "_calm", "_deferred", "_due", "_may_wait", "_reader", "_waiter", "_writer", "_writes",
        "link", "look_at", "read", "session",
    )  # fmt: skip

    def __init__(
        self, session: Session, traced: Traced | None = None, wakeup: Waking | None = None
    ) -> None:
        self.session = session
        self.link = link = Link(session, traced)
        link.wakeup = wakeup
        frame_timeout = session.timing.frame_timeout
        calm_frame = frame_timeout - 2 * BOUND if frame_timeout else float("inf")
        self._reader = Reader(link, calm_frame)
        self._writer = Writer(link, self._reader)
        # By its name, as in link.py.
        self.read: Callable[[], bool] = getattr(self._reader, "read")  # noqa: B009
        self._waiter: Waiter | None = None  # the loop's
        self._calm: Need | None = None  # of a loop that waits elsewhere
        self._due = _NEVER  # what it waits for
        self.look_at = _NEVER  # and no longer than till then
        self._writes: bool = False
        self._may_wait: bool = False
        self._deferred: list[tuple[int | None, str | bytes | None]] = []

    # Opening, by the loop's thread

    def start(self) -> None:
        """Get ready to wait. Raises OSError: the system has no descriptors left."""
        if self.link.wakeup is None:
            self.link.wakeup = Wakeup()

    def use(self, transport: Transport) -> None:
        """A socket is connected."""
        link = self.link
        with link.lock:
            link.use(transport)
        if link.is_over or self.session.has_ended:  # another thread ended it meanwhile
            transport.abort()

    def drop(self) -> None:
        """Close the socket; another one will be used."""
        link = self.link
        with link.lock:
            transport, link.transport = link.transport, None
            if transport is not None:
                transport.end_output()
        self._waiter = None
        if transport is not None:
            transport.close()
            transport.let_go()

    def settle(self) -> None:
        """The script is about to hand over to the loop: nothing may be asleep in TLS."""
        self._reader.settle()

    @property
    def is_over(self) -> bool:
        """Whether the connection was given up from outside: a new one was made, or force."""
        return self.link.is_over or self.link.is_foreign()

    # Sending, from any thread

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
        self._send(opcode, payload, compress, True)

    def post(self, opcode: int, payload: bytes, compress: bool = False) -> int:
        """As `send`, without waiting: 0 where the system took all, else for `is_written`."""
        return self._send(opcode, payload, compress, False)

    def _send(self, opcode: int, payload: bytes, compress: bool, waits: bool) -> int:
        target, has_turn = 0, False
        try:
            target = -1 if opcode == PING else self._writer.send(opcode, payload, compress)
            if target:
                if target < 0:
                    target, has_turn = self._queue(opcode, payload, compress, waits)
                if waits:
                    self._writer.write_until(target, has_turn)
                elif self._writer.is_written(target):
                    target = 0
                else:
                    self.link.wake()  # a deadline may have begun
        except WebSocketError:
            raise
        except BaseException as error:
            self._interrupted(error)
            raise
        if self._deferred:
            self.run_deferred()
        return target

    def is_written(self, target: int, is_read: bool) -> bool:
        """Write what can be written without waiting; whether the system has the queue up to there.

        Arguments:
            target: Where it ends, in bytes ever queued.
            is_read: Whether what came until the write's deadline has been read: then it counts.

        Raises:
            TransportFail: It will not: the connection is over, or nothing was taken for too long.
        """
        try:
            return self._writer.is_written(target, is_read)
        except WebSocketError:
            raise
        except BaseException as error:
            self._interrupted(error)
            raise

    def _interrupted(self, error: BaseException) -> None:
        """End a connection of whose queue nobody knows any more what has left."""
        # Between a change and its book-keeping: the position is unknown.
        self.abandon()
        self.force(f"interrupted by {type(error).__name__} while sending", copied(error))

    def _queue(
        self, opcode: int, payload: bytes, compress: bool, takes_turn: bool
    ) -> tuple[int, bool]:
        """The long way: where the queue then ends, and whether this thread is to write it."""
        link, session, writer = self.link, self.session, self._writer
        if link.is_foreign():
            raise WebSocketUnavailable("connection belongs to the parent process")
        if link.is_owned() or writer.is_mine():
            raise WebSocketUnavailable(
                "can't send from a signal handler that interrupted a send; use a thread"
            )
        with link.lock:
            if session.has_ended or link.is_over or link.transport is None:
                raise session.refusal()
            session.send_message(opcode, payload, compress)
            target = link.enqueue()
            is_written = link.transport.written >= target
            has_turn = takes_turn and not is_written and writer.take_turn()
        if opcode == PING:
            link.wake()  # the time for its answer starts, also where it can't be written
        return target, has_turn

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Start the closing handshake; never waits. Whether this call started it.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        link = self.link
        if link.is_foreign():
            return False
        if link.is_owned():
            # A signal handler interrupted us between two lines that belong together.
            self._deferred.append((code, reason))
            link.wake()  # we may have been on the way into a wait
            return True
        try:
            with link.lock:
                is_over = link.is_over or self.session.has_ended
                if is_over or not self.session.close(code, reason, monotonic()):
                    return False
                link.enqueue_quietly()
            self._writer.write_now()
        except BaseException:
            self.abandon()
            raise
        link.wake()
        return True

    def flush(self) -> None:
        """Queue the session's output and write what can be written without waiting."""
        if self.link.transport is not None:
            with self.link.lock:
                self.link.enqueue_quietly()
            self._writer.write_now()

    def write_some(self) -> None:
        """Write what is queued and can be written without waiting.

        Raises:
            TransportFail: Writing failed.
        """
        self._writer.write_some()

    def run_deferred(self) -> None:
        """Do what a signal handler asked for while it could not be done."""
        while (asked := next_of(self._deferred)) is not None:
            self.close(*asked)

    # The loop

    def read_or_tick(self) -> None:
        """The loop's turn: wait for bytes or the deadline, and tell the session."""
        self.link.is_in_use = True
        try:
            self._read_or_tick()
        finally:
            self.link.is_in_use = False
        if self.link.is_traced:
            self.link.report()

    def need(self) -> Need | None:
        """As `read_or_tick`, of a loop that waits elsewhere, up to the wait; None: there is none.

        `look` is to be called after it, or the connection left.
        """
        link = self.link
        link.is_in_use = True
        if not self._prepare():
            link.is_in_use = False
            return None
        assert link.transport is not None
        link.transport.let_go()
        sock = link.transport.sock
        if self._calm is None:
            self._calm = Need(None, sock)
        return Need(None if self._due == _NEVER else self._due, sock, (sock,) * self._writes)

    def calm_need(self) -> Need | None:
        """As `need`, the short way: where nothing but bytes from the peer can matter for a while.

        `take_calmly` is to be called after it, or the connection left.
        """
        link, need = self.link, self._calm
        if need is None or not self._reader.is_calm():
            return None
        link.is_in_use = True
        # Looked at in this order, and set in the other one by who closes the socket.
        if link.is_over:
            link.is_in_use = False
            return None
        if link.transport is not None:
            link.transport.let_go()
        calm_until = self._reader.calm_until()
        need.until = None if calm_until == _NEVER else calm_until
        return need

    def take_calmly(self) -> bool:
        """The calm wait is over: read once; whether any bytes came."""
        try:
            return self._reader.receive()
        finally:
            self.link.is_in_use = False

    def look(self, need: Need) -> None:
        """The wait for the need is over: read and write once without waiting; tell the session."""
        try:
            readable = self._reader.receive()
            if self._writes:
                self._writer.write_now()
            self._judge(readable, need.looked_at)
        finally:
            self.link.is_in_use = False
        if self.link.is_traced:
            self.link.report()

    def read_more(self) -> bool:
        """Read once without waiting if the last read brought all it could; whether any came."""
        return self._reader.read_more()

    def _read_or_tick(self) -> None:
        if not self._prepare():
            return
        link, waiter = self.link, self._waiter
        transport = link.transport
        assert transport is not None
        if waiter is None:
            wakeup = link.wakeup
            assert isinstance(wakeup, Wakeup)
            waiter = self._waiter = Waiter(wakeup, transport.sock)
        seconds = self._due - monotonic()
        writes = self._writes
        if self._may_wait and seconds > BOUND and not writes and not link.is_idle:
            # One system call instead of two; a wake-up is at most BOUND late.
            readable = self._reader.receive(waits=True)
        else:
            readable, writable = waiter.wait(None if seconds == _NEVER else seconds, writes)
            if readable:
                readable = self._reader.receive()
            if writable:
                self._writer.write_now()
        self._judge(readable, None)

    def _prepare(self) -> bool:
        """Say all that is to be said, and find out what to wait for; whether to wait at all."""
        link, session = self.link, self.session
        transport = link.transport
        assert transport is not None
        if self._deferred:
            self.run_deferred()
        link.is_wanted = True
        with link.lock:
            link.enqueue_quietly()
            if session.output_ends and not transport.write_ended:
                transport.end_output()
        if transport.queue:
            self._writer.write_now()
        self._may_wait = transport.may_wait and not signals_tick()
        is_elsewhere = self._calm is not None
        with link.lock:
            link.is_wanted = False
            if session.has_ended:
                return False
            # Of what left the queue, a sender may still have some in hand.
            is_written = transport.written == transport.queued
            if session.output_ends and is_written and not transport.write_ended:
                transport.shut_write()
            deadline = session.deadline
            self._due = self.look_at if deadline is None else min(deadline, self.look_at)
            self._writes = bool(transport.queue) and self._writer.is_free()
            self._reader.loop_looks()
            link.calm_until = self._calm_until() if self._may_wait or is_elsewhere else -1.0
            if self._deferred:
                link.look_again()
        return True

    def _judge(self, readable: bool, looked_at: float | None) -> None:
        """After the wait: a deadline may have passed, and nothing has come since.

        Arguments:
            readable: Whether something came.
            looked_at: As of a Need.
        """
        link, session = self.link, self.session
        link.is_idle = not readable
        if readable or session.has_ended:
            return
        now = monotonic() if looked_at is None else looked_at
        if now < self._due:
            return
        if looked_at is None and self._reader.receive():
            return  # it came while this thread was kept from running
        transport = link.transport
        link.is_wanted = True
        with link.lock:
            link.is_wanted = False
            session.tick(now, None if transport is None else transport.progress)

    def _calm_until(self) -> float:
        """How long nothing but bytes from the peer can matter (lock held)."""
        link = self.link
        transport = link.transport
        has_work = transport is None or transport.queue or link.is_traced or link.counts_turns
        if has_work or self.session.connection.state != OPEN:
            return -1.0
        return self._due - BOUND

    # The end

    def abandon(self) -> None:
        """This thread was interrupted: nobody else is to wait for what it held."""
        self._writer.abandon_turn()
        self._reader.abandon_turn()
        abandon(self.link.lock)

    def force(self, reason: str, cause: BaseException | None = None) -> None:
        """End the connection at once, from any thread. The iterator then says so."""
        if self.link.is_foreign():
            self._free_in_child()
            return
        was_owned = self.link.is_owned()
        try:
            with self.link.lock:
                self.session.end(reason, False, monotonic(), cause=cause)
        except BaseException:
            self._abandon_unless(was_owned)
            raise
        finally:
            self._free()

    def leave(self, code: int | None = GOING_AWAY, reason: str = "left by the user") -> None:
        """Say to the peer that nobody listens any more if that needs no waiting; free the socket.

        If another thread is using the socket, that one frees it.
        """
        link = self.link
        if link.is_foreign():
            self._free_in_child()
            return
        was_owned = link.is_owned()
        try:
            with link.lock:
                self.session.leave(code, reason, monotonic())
                link.enqueue_quietly()
                if link.transport is not None and not link.transport.write_ended:
                    link.transport.end_output()
            self._writer.write_now()
        except BaseException:
            self._abandon_unless(was_owned)
            raise
        finally:
            self._free()

    def _abandon_unless(self, was_owned: bool) -> None:
        """As `abandon`, unless what a signal handler interrupted gives back what it held itself."""
        if not was_owned:
            self.abandon()

    def _free(self) -> None:
        was_owned = self.link.is_owned()
        try:
            self._free_all()
        except BaseException:
            self._abandon_unless(was_owned)
            self._free_all()  # half of it may be done
            raise

    def _free_all(self) -> None:
        link, writer = self.link, self._writer
        with link.lock:
            link.give_up()
            transport, wakeup = link.transport, link.wakeup
            if transport is not None:
                if (writer.is_free() or writer.is_mine()) and not link.is_in_use:
                    transport.close()
                    transport.let_go()
                else:
                    transport.abort()  # the thread that uses it closes it when it leaves
            writer.tell_waiting()
        if wakeup is not None:
            if link.is_in_use:
                wakeup.wake()
            else:
                wakeup.close()

    def _free_in_child(self) -> None:
        """Only the descriptors: the connection is the parent's. Its locks may be held for ever."""
        link = self.link
        link.renew_lock()
        link.give_up()
        if link.transport is not None:
            link.transport.close(quietly=True)
        if link.wakeup is not None:
            link.wakeup.close(quietly=True)
